//! `noise`: white, pink, brown.
//!
//! White noise is a hash of the frame. The others are sums of noises that each run at half the rate of the one before,
//! joined by straight lines: as loud each for pink (Voss, in Gardner, 1978), each 3 dB louder than the one above for brown.
//! Their points lie at fixed frames, so these too are a function of the frame. With lines in place of Voss's
//! stairs the spectrum keeps to a straight slope within a few tenths of a decibel.

use super::{generate, level, mono};
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::random::{even, mix};

/// `noise(colour)`.
pub static NOISE: Table = Table {
    word: "noise",
    summary: "Noise: as much in every hertz (white), every octave (pink), or falling by 6 dB an octave (brown).",
    example: "noise(\"pink\")",
    arguments: &["colour"],
    parameters: &[
        Parameter::choice("colour", &["white", "pink", "brown"], "how its power lies over the frequencies"),
        level(-18.0, "its RMS level; off is silence"),
    ],
    parts: &[],
    mix: 100.0,
    channels: mono,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

/// The slowest of the noises that are added up runs at no more than this, in Hz.
const SLOWEST: f64 = 10.0;

/// What makes a spread of -0.5 to 0.5 have an RMS of 1.
const UNIT: f64 = 3.464_101_615_137_754_4;

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let octaves = (0..63).find(|&k| recipe.rate() / (1u64 << k) as f64 <= SLOWEST).unwrap_or(0) + 1;
    // The amplitude of each octave against the one above, and the power of the first, which stands for all that a
    // higher rate would have above it.
    let (step, first) = match recipe.values[0] as usize {
        0 => (0.0, 1.0),
        1 => (1.0, 1.4),
        _ => (std::f64::consts::SQRT_2, 0.6),
    };
    let count = if step == 0.0 { 1 } else { octaves };
    let mut weights: Vec<f64> = (0..count).map(|k| math::pow(step, f64::from(k))).collect();
    weights[0] = math::sqrt(first);
    // A line between two points has two thirds of their power, and a little more where it has few frames.
    let power = |(k, weight): (usize, &f64)| {
        let frames = (1u64 << k) as f64;
        weight * weight * (2.0 + 1.0 / (frames * frames)) / 3.0
    };
    let scale = UNIT / math::sqrt(weights.iter().enumerate().map(power).sum());
    let octaves =
        weights.iter().enumerate().map(|(k, weight)| Octave::new(recipe.seed, k as u32, weight * scale)).collect();
    Box::new(Noise { octaves })
}

struct Noise {
    octaves: Vec<Octave>,
}

/// Noise at the sample rate divided by 2 to the power `shift`.
struct Octave {
    seed: u64,
    shift: u32,
    /// Where its points lie, so that those of all octaves do not coincide.
    offset: u64,
    weight: f64,
    /// The latest stretch between two points, and the points: kept so as not to draw them for every frame.
    stretch: u64,
    points: (f64, f64),
}

impl Octave {
    fn new(seed: u64, shift: u32, weight: f64) -> Octave {
        let seed = mix(seed.wrapping_add(u64::from(shift)));
        let offset = mix(seed) & ((1 << shift) - 1);
        let points = (even(seed, 0), even(seed, 1));
        Octave { seed, shift, offset, weight, stretch: 0, points }
    }

    /// RT.
    fn at(&mut self, frame: u64) -> f64 {
        let place = frame.wrapping_add(self.offset);
        let stretch = place >> self.shift;
        if stretch != self.stretch {
            self.stretch = stretch;
            self.points = (even(self.seed, stretch), even(self.seed, stretch.wrapping_add(1)));
        }
        let part = (place & ((1 << self.shift) - 1)) as f64 / (1u64 << self.shift) as f64;
        self.weight * (self.points.0 + (self.points.1 - self.points.0) * part)
    }
}

// The points are those of the frame, drawn again.
keep!(Noise);

impl Kernel for Noise {
    fn process(&mut self, io: &mut Io<'_>) {
        generate(io, io.values[1], |frame, _| self.octaves.iter_mut().map(|octave| octave.at(frame)).sum());
    }

    fn reset(&mut self) {}
}
