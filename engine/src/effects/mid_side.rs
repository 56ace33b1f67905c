//! `mid_side`: what both channels have in common and what tells them apart, each through an effect of its own (Blumlein,
//! 1933).

use super::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::nest::Nest;
use crate::parameter::{Memory, Recipe, Table};

/// `mid_side(mid_effect, side_effect)`.
pub static MID_SIDE: Table = Table {
    word: "mid_side",
    summary: "Runs one effect on what both channels have in common, another on what tells them apart.",
    example: "x >> mid_side(compressor(-20, 2), gain(2))",
    arguments: &["mid_effect", "side_effect"],
    parameters: &[],
    parts: &[],
    mix: 100.0,
    channels: |recipe| match recipe.channels {
        1 | 2 => Ok(1),
        other => Err(format!("it takes one channel or two, not {other}")),
    },
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Part { side: recipe.branch.is_some_and(|branch| branch.number == SIDE) }),
};

/// Its branches: the mid, `(l + r) / 2`, and the side, `(l - r) / 2`.
pub static NEST: Nest = Nest {
    table: &MID_SIDE,
    methods: &[],
    names: &["mid", "side"],
    branches: 2,
    back: |branch| (branch == SIDE).then_some(&BACK),
    turns: |_| false,
};

const SIDE: usize = 1;

/// The side again as left and right.
static BACK: Table = Table {
    word: "side",
    summary: "Adds to the left what it takes from the right.",
    example: "",
    arguments: &[],
    channels: |recipe: &Recipe| match recipe.channels {
        1 => Ok(2),
        other => Err(format!("what runs on the side has to leave it one channel, not {other}")),
    },
    kernel: |_| Box::new(Back),
    ..MID_SIDE
};

/// The mid or the side of what flows in.
struct Part {
    side: bool,
}

keep!(Part);

impl Kernel for Part {
    fn process(&mut self, io: &mut Io<'_>) {
        match io.audio {
            [left, right, ..] if io.channels_in == 2 => {
                let sign = if self.side { -0.5 } else { 0.5 };
                for i in io.frames.clone() {
                    left[i] = 0.5 * left[i] + sign * right[i];
                }
            }
            [one, ..] if self.side => one[io.frames.clone()].fill(0.0),
            _ => {}
        }
    }

    fn reset(&mut self) {}
}

struct Back;

keep!(Back);

impl Kernel for Back {
    fn process(&mut self, io: &mut Io<'_>) {
        if let [left, right, ..] = io.audio {
            for i in io.frames.clone() {
                right[i] = -left[i];
            }
        }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, noise};

    #[test]
    fn the_mid_is_half_of_the_sum_and_of_one_channel_all() {
        let (left, right) = (noise(1, 1000), noise(2, 1000));
        let mid = Bench::new(&MID_SIDE, 2).run(&[left.clone(), right.clone()]).remove(0);
        assert!(mid.iter().zip(left.iter().zip(&right)).all(|(m, (l, r))| *m == 0.5 * l + 0.5 * r));
        assert!(Bench::new(&MID_SIDE, 1).run_mono(&left) == left);
    }

    #[test]
    fn the_side_comes_back_on_both_sides_inverted_on_the_right() {
        let side = noise(3, 1000);
        let back = Bench::new(&BACK, 1).run(std::slice::from_ref(&side));
        assert!(back[0] == side && back[1].iter().zip(&side).all(|(r, s)| *r == -s));
    }
}
