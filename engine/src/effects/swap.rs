//! `swap`: left and right exchanged.

use super::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Table};

/// `swap()`.
pub static SWAP: Table = Table {
    word: "swap",
    summary: "Exchanges left and right; mono, which has neither, passes as it is.",
    example: "x >> swap()",
    arguments: &[],
    parameters: &[],
    parts: &[],
    mix: 100.0,
    channels: |recipe| match recipe.channels {
        count @ (1 | 2) => Ok(count),
        other => Err(format!("it takes one channel or two, not {other}")),
    },
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |_| Box::new(Swap),
};

struct Swap;

keep!(Swap);

impl Kernel for Swap {
    fn process(&mut self, io: &mut Io<'_>) {
        if let [left, right] = io.audio {
            left[io.frames.clone()].swap_with_slice(&mut right[io.frames.clone()]);
        }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, noise};

    #[test]
    fn left_comes_out_right_and_right_left_to_the_last_bit() {
        let output = Bench::new(&SWAP, 2).run(&[noise(1, 200), noise(2, 200)]);
        assert_eq!(output, [noise(2, 200), noise(1, 200)]);
        assert_eq!(Bench::new(&SWAP, 1).run_mono(&noise(1, 200)), noise(1, 200));
    }
}
