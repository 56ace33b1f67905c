//! `sine`, `saw`, `square`, `triangle`, `pulse`: periodic waveforms, band-limited. Each begins its cycle at transport
//! frame 0 and, but for the square and the pulse, at 0 and rising.

use std::f64::consts::TAU;

use super::oscillator::Oscillator;
use super::step::{REACH, Step};
use super::{below_half_rate, generate, level};
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;

const FREQ: Parameter =
    Parameter::number("freq", Unit::Hertz, 440.0, 0.01, 20_000.0, "frequency; a note such as \"a4\" will do").rebuilt();

const LEVEL: Parameter = level(-18.0, "peak of the waveform before it is band-limited; off is silence");

/// `sine(freq)`.
pub static SINE: Table = Table {
    word: "sine",
    summary: "A sine.",
    example: "sine(440)",
    arguments: &["freq"],
    parameters: &[FREQ, LEVEL],
    parts: &[],
    mix: 100.0,
    channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Wave::boxed(recipe, Shape::Sine),
};

/// `saw(freq)`.
pub static SAW: Table = Table {
    word: "saw",
    summary: "A rising sawtooth: every harmonic, falling by 6 dB an octave.",
    example: "saw(110)",
    kernel: |recipe| Wave::boxed(recipe, Shape::Saw),
    ..SINE
};

/// `square(freq)`.
pub static SQUARE: Table = Table {
    word: "square",
    summary: "A square wave: odd harmonics, falling by 6 dB an octave.",
    example: "square(110)",
    kernel: |recipe| Wave::boxed(recipe, Shape::Square),
    ..SINE
};

/// `triangle(freq)`.
pub static TRIANGLE: Table = Table {
    word: "triangle",
    summary: "A triangle wave: odd harmonics, falling by 12 dB an octave.",
    example: "triangle(220)",
    kernel: |recipe| Wave::boxed(recipe, Shape::Triangle),
    ..SINE
};

/// `pulse(freq, width)`.
pub static PULSE: Table = Table {
    word: "pulse",
    summary: "A pulse wave. A width other than 50 % has an offset, which dc_block() takes out.",
    example: "pulse(110, 25)",
    arguments: &["freq", "width"],
    parameters: &[
        FREQ,
        LEVEL,
        Parameter::number("width", Unit::Percent, 50.0, 1.0, 99.0, "part of the cycle for which it is up"),
    ],
    kernel: |recipe| Wave::boxed(recipe, Shape::Pulse),
    ..SINE
};

fn channels(recipe: &Recipe) -> Result<usize, String> {
    below_half_rate(recipe, "freq", recipe.values[0])?;
    Ok(1)
}

#[derive(Clone, Copy)]
enum Shape {
    Sine,
    Saw,
    Square,
    Triangle,
    Pulse,
}

struct Wave {
    shape: Shape,
    oscillator: Oscillator,
    table: &'static Step,
}

impl Wave {
    fn boxed(recipe: &Recipe, shape: Shape) -> Box<dyn Kernel> {
        Box::new(Wave { shape, oscillator: Oscillator::new(recipe, 0), table: Step::tables() })
    }
}

impl Shape {
    /// The waveform at a phase, `step` cycles from the next frame's, peaking at 1 in its naive form. RT.
    fn at(self, table: &Step, phase: f64, step: f64, width: f64) -> f64 {
        let near = |phase, of| near(table, phase, step, of);
        let pulse = |width: f64| {
            let naive = if phase < width { 1.0 } else { -1.0 };
            naive + 2.0 * (near(phase, Step::edge) - near(phase - width, Step::edge))
        };
        match self {
            Shape::Sine => math::sin(TAU * phase),
            Shape::Saw => {
                let risen = if phase < 0.5 { phase } else { phase - 1.0 };
                2.0 * risen - 2.0 * near(phase - 0.5, Step::edge)
            }
            Shape::Square => pulse(0.5),
            Shape::Pulse => pulse(width),
            Shape::Triangle => {
                let naive = 1.0 - 4.0 * (0.5 - (phase + 0.25).fract()).abs();
                let corners = near(phase - 0.75, Step::corner) - near(phase - 0.25, Step::corner);
                naive + 8.0 * step * corners
            }
        }
    }
}

/// The sum over all cycles of what an edge or corner leaves at a phase; `phase` is counted from the edge. RT.
fn near(table: &Step, phase: f64, step: f64, of: fn(&Step, f64) -> f64) -> f64 {
    let frames = 1.0 / step;
    let reach = REACH as f64 * step;
    let (first, last) = ((phase - reach).ceil(), (phase + reach).floor());
    let count = (last - first + 1.0) as usize;
    (0..count).map(|cycle| of(table, (phase - (first + cycle as f64)) * frames)).sum()
}

keep!(Wave: oscillator);

impl Kernel for Wave {
    fn process(&mut self, io: &mut Io<'_>) {
        let (freq, width, count) = (io.values[0], io.values.get(2).copied(), io.frames.len());
        let Wave { shape, oscillator, table } = self;
        generate(io, io.values[1], |frame, i| {
            let width = width.map_or(0.5, |width| width.at(i, count) / 100.0);
            let freq = freq.at(i, count);
            shape.at(table, oscillator.phase(frame, freq), oscillator.step(freq), width)
        });
    }

    fn reset(&mut self) {
        self.oscillator.reset();
    }
}
