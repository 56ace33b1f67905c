//! `impulse`: single samples at a steady rate, the first at transport frame 0.

use super::{below_half_rate, generate, level};
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Parameter, Recipe, Table};
use crate::units::Unit;

/// `impulse(rate)`.
pub static IMPULSE: Table = Table {
    word: "impulse",
    summary: "Single samples at a steady rate, each on the first frame at or after its time.",
    example: "impulse(1)",
    arguments: &["rate"],
    parameters: &[
        Parameter::number("rate", Unit::Hertz, 1.0, 0.001, 20_000.0, "how many a second").fixed(),
        level(0.0, "the sample's value; off is silence"),
    ],
    parts: &[],
    mix: 100.0,
    channels,
    latency: no_latency,
    tail: no_tail,
    echoes: false,
    kernel: |recipe| Box::new(Impulse { rate: recipe.values[0], frames: recipe.rate() }),
};

fn channels(recipe: &Recipe) -> Result<usize, String> {
    below_half_rate(recipe, "rate", recipe.values[0])?;
    Ok(1)
}

struct Impulse {
    rate: f64,
    frames: f64,
}

impl Impulse {
    /// Whether one falls on a frame: one that is due lies after the frame before and not after this one. RT.
    fn falls_on(&self, frame: u64) -> bool {
        let due = (frame as f64 * self.rate / self.frames).floor();
        (due * self.frames / self.rate).ceil() == frame as f64
    }
}

keep!(Impulse);

impl Kernel for Impulse {
    fn process(&mut self, io: &mut Io<'_>) {
        generate(io, io.values[1], |frame, _| f64::from(u8::from(self.falls_on(frame))));
    }

    fn reset(&mut self) {}
}
