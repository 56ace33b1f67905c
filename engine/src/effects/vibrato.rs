//! `vibrato`: pitch that goes up and down, by a delay that sways.
//!
//! A delay of `a + a sin(2π f t)` plays at a speed of `1 - 2π f a cos(2π f t)`, so for a deviation of `d` cents at the highest
//! `a = (2^(d/1200) - 1) / 2π f`: the sound lags by `a` in the mean, half a millisecond for 30 cents at 5 Hz, which is the effect's
//! own and compensated nowhere. It is read between frames by a cubic (Lagrange): at the worst, half-way between two, 0.04 dB down
//! at 5 kHz and 0.53 dB at 10 kHz (at 48 kHz).

use std::f64::consts::TAU;

use super::{CUBIC, pace, same_channels};
use crate::delay_line::DelayLine;
use crate::keep::{Keep, Ledger};
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::motion::Rate;
use crate::one_pole::Smoother;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;
use crate::wheel::{self, Wheel};

const PACE: usize = 0;
const DEPTH: usize = 1;

/// The slowest that it goes, and the furthest.
const SLOWEST_HZ: f64 = 0.5;
const DEEPEST_CENTS: f64 = 100.0;

/// How smoothly it takes up another depth or rate.
const SMOOTH_MS: f64 = 30.0;

/// Frames by which it lags at rest, so that there is always one on either side of where it is read.
const LATENCY: usize = 1;

/// `vibrato(rate)`.
pub static VIBRATO: Table = Table {
    word: "vibrato",
    summary: "Pitch goes up and down.",
    example: "x >> vibrato(5).depth(25.cents)",
    arguments: &["rate"],
    parameters: &[
        pace(5.0, SLOWEST_HZ, 20.0),
        Parameter::number(
            "depth",
            Unit::Cents,
            30.0,
            0.0,
            DEEPEST_CENTS,
            "how far the pitch rises; it falls a little further, by 106 for 100, and goes less far below 0.5 Hz",
        ),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: |_| LATENCY,
    tail: |recipe| 2 * longest(recipe.rate()) + CUBIC,
    memory: Memory::Line,
    kernel,
};

/// How far the delay sways from its middle, in frames, for a deviation at a pace in cycles a frame. RT.
fn sway(cents: f64, pace: f64) -> f64 {
    (math::exp(cents / 1200.0 * std::f64::consts::LN_2) - 1.0) / (TAU * pace)
}

/// The furthest that it ever does.
fn longest(rate: f64) -> u64 {
    sway(DEEPEST_CENTS, SLOWEST_HZ / rate).ceil() as u64
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let longest = longest(recipe.rate());
    Box::new(Vibrato {
        lines: (0..recipe.channels).map(|_| DelayLine::new(2 * longest as usize + LATENCY)).collect(),
        longest: longest as f64,
        wheel: Wheel::default(),
        locked: false,
        sway: Smoother::new(SMOOTH_MS, recipe.rate()),
    })
}

struct Vibrato {
    lines: Vec<DelayLine>,
    /// How far it may sway, in frames.
    longest: f64,
    wheel: Wheel,
    /// Whether its pace is one of the tempo, which may be another later.
    locked: bool,
    /// In frames.
    sway: Smoother,
}

impl Keep for Vibrato {
    fn keep(&mut self, ledger: &mut Ledger) {
        if ledger.is_noting() && self.locked {
            // How far it sways goes after a tempo that changes, heard or not.
            ledger.fail();
        }
        self.lines.keep(ledger);
        self.wheel.keep(ledger);
        self.sway.keep(ledger);
    }
}

impl Kernel for Vibrato {
    fn process(&mut self, io: &mut Io<'_>) {
        let phases = self.wheel.turn(io, io.values[PACE].to);
        let rate = Rate::of_number(io.values[PACE].to);
        self.locked = !matches!(rate, Rate::Hertz(_));
        let count = io.frames.len();
        for (n, i) in io.frames.clone().enumerate() {
            let pace = rate.cycles_a_frame(io.frame(i) as i64, io.tempo);
            // Where the tempo was slower than now, so may be the pace than the slowest.
            let sway = self.sway.step(sway(io.values[DEPTH].at(n, count), pace).min(self.longest));
            let delay = LATENCY as f64 + sway + sway * wheel::sine(phases[i]);
            for (line, buffer) in self.lines.iter_mut().zip(io.audio.iter_mut()) {
                line.write(buffer[i]);
                buffer[i] = line.read_between(delay);
            }
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        std::slice::from_mut(&mut self.wheel)
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(DelayLine::clear);
        self.wheel.reset();
        self.sway.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, noise, pitches, sine};

    #[test]
    fn the_pitch_deviates_by_the_depth_at_the_most() {
        let tone = sine(1000.0, -6.0, RATE, 96_000);
        for (rate, depth) in [(5.0, 30.0), (2.0, 100.0), (12.0, 8.0), (0.5, 50.0)] {
            let output = Bench::new(&VIBRATO, 1).set("rate", rate).set("depth", depth).run_mono(&tone);
            let found = pitches(&output[4800..], RATE);
            let cents = found.iter().map(|(_, freq)| 1200.0 * (freq / 1000.0).log2());
            let (least, most) = cents.fold((0.0f64, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
            // As far down in speed as up, which is a little more in cents.
            let down = 1200.0 * (2.0 - (depth / 1200.0).exp2()).log2();
            assert!((most - depth).abs() < 0.005 * depth + 0.02, "{rate} Hz, {depth} cents: {most}");
            assert!((least - down).abs() < 0.005 * depth + 0.02, "{rate} Hz, {depth} cents: {least}, not {down}");
        }
    }

    #[test]
    fn in_music_it_is_as_deep_as_in_hertz() {
        // A quarter of a beat at 120 bpm is an eighth of a second.
        let tone = sine(1000.0, -6.0, RATE, 9600);
        let said = Bench::new(&VIBRATO, 1).beats("rate", 0.25).run_mono(&tone);
        let meant = Bench::new(&VIBRATO, 1).set("rate", 8.0).run_mono(&tone);
        assert!(said.iter().zip(&meant).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn without_depth_it_is_the_input_delayed_by_the_latency() {
        let (input, mut bench) = (noise(1, 4800), Bench::new(&VIBRATO, 1).set("depth", 0.0));
        let lag = bench.latency();
        assert_eq!(bench.run_mono(&input)[lag..], input[..4800 - lag]);
    }

    #[test]
    fn an_edit_does_not_click() {
        for (index, to) in [(PACE, 0.5), (PACE, 20.0), (DEPTH, 100.0), (DEPTH, 0.0)] {
            let click = click_of_edit(&mut Bench::new(&VIBRATO, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }

    #[test]
    fn where_the_tempo_is_slower_than_its_rate_may_be_nothing_drops_out() {
        // Eight beats at 120 a minute are 0.25 Hz, as a tempo of half that would have been.
        let output = Bench::new(&VIBRATO, 1).beats("rate", 8.0).set("depth", 100.0).run_mono(&vec![1.0; 240_000]);
        let filled = (VIBRATO.tail)(Bench::new(&VIBRATO, 1).recipe()) as usize;
        assert!(output[filled..].iter().all(|x| (x - 1.0).abs() < 1e-12));
    }
}
