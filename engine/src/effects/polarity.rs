//! `polarity`: the waveform upside down.

use super::{no_latency, no_tail, same_channels};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Recipe, Table};

/// `polarity()`.
pub static POLARITY: Table = Table {
    word: "polarity",
    summary: "Inverts the polarity of every channel.",
    example: "x >> polarity()",
    arguments: &[],
    parameters: &[],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn kernel(_: &Recipe) -> Box<dyn Kernel> {
    Box::new(Polarity)
}

struct Polarity;

keep!(Polarity);

impl Kernel for Polarity {
    fn process(&mut self, io: &mut Io<'_>) {
        for channel in io.audio.iter_mut() {
            channel[io.frames.clone()].iter_mut().for_each(|x| *x = -*x);
        }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, noise};

    #[test]
    fn the_inverted_signal_and_the_signal_cancel_exactly() {
        let input = vec![noise(1, 200), noise(2, 200)];
        let out = Bench::new(&POLARITY, 2).run(&input);
        for (x, y) in input.iter().flatten().zip(out.iter().flatten()) {
            assert_eq!(x + y, 0.0);
        }
    }
}
