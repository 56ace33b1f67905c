//! `mono`: all channels into one.

use super::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Recipe, Table};

/// `mono()`.
pub static MONO: Table = Table {
    word: "mono",
    summary: "The mean of all channels as one: left and right at -6 dB each.",
    example: "x >> mono()",
    arguments: &[],
    parameters: &[],
    parts: &[],
    mix: 100.0,
    channels: |_| Ok(1),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn kernel(_: &Recipe) -> Box<dyn Kernel> {
    Box::new(Mono)
}

struct Mono;

keep!(Mono);

impl Kernel for Mono {
    fn process(&mut self, io: &mut Io<'_>) {
        let Some((first, others)) = io.audio.split_first_mut() else { return };
        let others = &others[..io.channels_in.saturating_sub(1).min(others.len())];
        let share = 1.0 / (others.len() + 1) as f64;
        for i in io.frames.clone() {
            first[i] = (first[i] + others.iter().map(|channel| channel[i]).sum::<f64>()) * share;
        }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, noise};

    #[test]
    fn left_and_right_are_summed_at_half_each() {
        let input = vec![noise(1, 200), noise(2, 200)];
        let out = Bench::new(&MONO, 2).run(&input);
        assert_eq!(out.len(), 1);
        for (i, x) in out[0].iter().enumerate() {
            assert_eq!(*x, (input[0][i] + input[1][i]) * 0.5);
        }
    }

    #[test]
    fn mono_stays_as_it_is() {
        let input = vec![noise(1, 200)];
        assert_eq!(Bench::new(&MONO, 1).run(&input), input);
    }
}
