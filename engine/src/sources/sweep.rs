//! `sweep`: a sine that glides evenly in octaves, once (Farina, 2000).

use std::f64::consts::TAU;
use std::sync::Arc;

use super::{below_half_rate, generate, level};
use crate::effects::{no_latency, no_tail};
use crate::form::{self, Placed};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// `sweep(from, to, time)`.
pub static SWEEP: Table = Table {
    word: "sweep",
    summary: "A sine that glides from one frequency to another, evenly in octaves, once.",
    example: "sweep(20, 20.kHz, 10.s)",
    arguments: &["from", "to", "time"],
    parameters: &[
        Parameter::number("from", Unit::Hertz, 20.0, 0.01, 20_000.0, "frequency at its start").fixed(),
        Parameter::number("to", Unit::Hertz, 20_000.0, 0.01, 20_000.0, "frequency at its end").fixed(),
        Parameter::number("time", Unit::Milliseconds, 10_000.0, 1.0, 3_600_000.0, "how long it takes").fixed(),
        level(-18.0, "its peak; off is silence"),
        Parameter::number("start", Unit::Milliseconds, 0.0, 0.0, 360_000_000.0, "where on the transport it begins")
            .on_transport()
            .fixed(),
    ],
    parts: &[],
    mix: 100.0,
    channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn channels(recipe: &Recipe) -> Result<usize, String> {
    below_half_rate(recipe, "from", recipe.values[0])?;
    below_half_rate(recipe, "to", recipe.values[1])?;
    Ok(1)
}

/// How many frames it has.
fn length(recipe: &Recipe) -> u64 {
    recipe.clock.frames(recipe.values[2])
}

/// The transport frame at which it begins.
fn start(recipe: &Recipe) -> u64 {
    recipe.clock.frames(recipe.values[4])
}

/// The frame at which it begins, and how many it has.
pub(super) fn extent(recipe: &Recipe) -> (u64, Option<u64>) {
    (start(recipe), Some(length(recipe)))
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let [from, to, time] = [recipe.values[0], recipe.values[1], recipe.values[2]];
    let (octaves, seconds, rate) = (math::ln(to / from), time / 1000.0, recipe.rate());
    let spans = recipe.spans.clone();
    Box::new(Sweep { from, octaves, seconds, rate, start: start(recipe), length: length(recipe), spans })
}

struct Sweep {
    from: f64,
    /// The natural logarithm of how many times the frequency grows.
    octaves: f64,
    seconds: f64,
    rate: f64,
    start: u64,
    length: u64,
    spans: Option<Arc<[Placed]>>,
}

impl Sweep {
    /// RT.
    fn at(&self, frame: u64) -> f64 {
        let span = self.spans.as_ref().and_then(|spans| form::around(spans, frame));
        // Before its start the difference goes round through 0.
        let frame = frame.wrapping_sub(span.map_or(0, |span| span.begin) + self.start);
        if frame >= self.length {
            return 0.0;
        }
        let time = frame as f64 / self.rate;
        let cycles = if self.octaves == 0.0 {
            self.from * time
        } else {
            self.from * self.seconds / self.octaves * (math::exp(time / self.seconds * self.octaves) - 1.0)
        };
        math::sin(TAU * cycles.fract())
    }
}

keep!(Sweep);

impl Kernel for Sweep {
    fn process(&mut self, io: &mut Io<'_>) {
        generate(io, io.values[3], |frame, _| self.at(frame));
    }

    fn reset(&mut self) {}
}
