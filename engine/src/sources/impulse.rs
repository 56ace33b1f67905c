//! `impulse`: single samples at a steady rate, the first at transport frame 0.

use super::oscillator::Oscillator;
use super::{below_half_rate, generate, level};
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// `impulse(rate)`.
pub static IMPULSE: Table = Table {
    word: "impulse",
    summary: "Single samples at a steady rate, each on the first frame at or after its time.",
    example: "impulse(1)",
    arguments: &["rate"],
    parameters: &[
        Parameter::number("rate", Unit::Hertz, 1.0, 0.001, 20_000.0, "how many a second").rebuilt(),
        level(0.0, "the sample's value; off is silence"),
    ],
    parts: &[],
    mix: 100.0,
    channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Impulse { oscillator: Oscillator::new(recipe, 0) }),
};

fn channels(recipe: &Recipe) -> Result<usize, String> {
    below_half_rate(recipe, "rate", recipe.values[0])?;
    Ok(1)
}

struct Impulse {
    oscillator: Oscillator,
}

keep!(Impulse: oscillator);

impl Kernel for Impulse {
    fn process(&mut self, io: &mut Io<'_>) {
        let (rate, count) = (io.values[0], io.frames.len());
        let oscillator = &mut self.oscillator;
        generate(io, io.values[1], |frame, i| f64::from(u8::from(oscillator.begins(frame, rate.at(i, count)))));
    }

    fn reset(&mut self) {
        self.oscillator.reset();
    }
}
