//! `flanger`: a copy so close behind the sound that the two cancel at evenly spaced frequencies, which sweep.
//!
//! The copy is read between frames by a cubic (Lagrange): at the worst, half-way between two, 0.04 dB down at 5 kHz and
//! 0.53 dB at 10 kHz (at 48 kHz).

use super::{apart, pace, ringing, same_channels, spread};
use crate::delay_line::DelayLine;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::one_pole::Smoother;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::rest::spent;
use crate::units::Unit;
use crate::wheel::{self, Wheel};

const PACE: usize = 0;
const DEPTH: usize = 1;
const DELAY: usize = 2;
const FEEDBACK: usize = 3;
const STEREO: usize = 4;

/// How much further than `delay` the copy goes at a depth of 100 %.
const SWEEP_MS: f64 = 5.0;

/// How far the delay itself may be.
const LONGEST_MS: f64 = 15.0;

/// How smoothly the copy moves to another delay or depth.
const SMOOTH_MS: f64 = 20.0;

/// `flanger()`.
pub static FLANGER: Table = Table {
    word: "flanger",
    summary: "A copy just behind the sound, sweeping: a comb of notches goes up and down.",
    example: "x >> flanger().rate(4.bars).feedback(60)",
    arguments: &[],
    parameters: &[
        pace(0.2, 0.01, 20.0),
        Parameter::number(
            "depth",
            Unit::Percent,
            60.0,
            0.0,
            100.0,
            "how far it sweeps: 100 is from the delay to 5 ms more",
        ),
        Parameter::number("delay", Unit::Milliseconds, 0.5, 0.25, LONGEST_MS, "the least that the copy lags"),
        Parameter::number("feedback", Unit::Percent, 30.0, -95.0, 95.0, "of the copy into itself; below 0 upside down"),
        spread(0.0),
    ],
    parts: &[],
    mix: 50.0,
    channels: same_channels,
    latency: super::no_latency,
    tail: |recipe| {
        let longest = FLANGER.value(recipe, "delay") + SWEEP_MS * FLANGER.value(recipe, "depth") / 100.0;
        ringing(longest, FLANGER.value(recipe, "feedback"), recipe)
    },
    memory: Memory::Echoes,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let rate = recipe.rate();
    let longest = recipe.clock.frames(LONGEST_MS + SWEEP_MS) as usize;
    Box::new(Flanger {
        lines: (0..recipe.channels).map(|_| DelayLine::new(longest)).collect(),
        wheel: Wheel::default(),
        delay: Smoother::new(SMOOTH_MS, rate),
        sweep: Smoother::new(SMOOTH_MS, rate),
        frames_a_ms: rate / 1000.0,
    })
}

struct Flanger {
    lines: Vec<DelayLine>,
    wheel: Wheel,
    /// In frames.
    delay: Smoother,
    sweep: Smoother,
    frames_a_ms: f64,
}

keep!(Flanger: lines, wheel, delay, sweep);

impl Kernel for Flanger {
    fn process(&mut self, io: &mut Io<'_>) {
        let phases = self.wheel.turn(io, io.values[PACE].to);
        let (count, channels) = (io.frames.len(), self.lines.len());
        for (n, i) in io.frames.clone().enumerate() {
            let delay = self.delay.step(io.values[DELAY].at(n, count) * self.frames_a_ms);
            let sweep = self.sweep.step(io.values[DEPTH].at(n, count) / 100.0 * SWEEP_MS * self.frames_a_ms);
            let feedback = io.values[FEEDBACK].at(n, count) / 100.0;
            let stereo = io.values[STEREO].at(n, count);
            for (channel, (line, buffer)) in self.lines.iter_mut().zip(io.audio.iter_mut()).enumerate() {
                let part = 0.5 + 0.5 * wheel::sine(phases[i] + apart(channel, channels, stereo));
                // It is read before the next frame is written: one frame less.
                let copy = line.read_between(delay + sweep * part - 1.0);
                line.write(buffer[i] + spent(feedback * copy));
                buffer[i] = copy;
            }
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        std::slice::from_mut(&mut self.wheel)
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(DelayLine::clear);
        self.wheel.reset();
        self.delay.reset();
        self.sweep.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::test_signals::{Bench, RATE, click_of_edit, impulse, noise, peak, spectrum};

    /// The gains, a bin a hertz, of dry and wet in equal parts.
    fn response(bench: Bench) -> Vec<f64> {
        let dry = impulse(48_000);
        let wet = { bench }.run_mono(&dry);
        let mixed: Vec<f64> = dry.iter().zip(&wet).map(|(dry, wet)| 0.5 * dry + 0.5 * wet).collect();
        // An impulse's bins are all the same.
        spectrum(&mixed).iter().map(|power| math::sqrt(*power) * 24_000.0).collect()
    }

    #[test]
    fn without_depth_notches_lie_at_odd_halves_of_what_the_delay_is_a_cycle_of() {
        let found = response(Bench::new(&FLANGER, 1).set("depth", 0.0).set("delay", 1.0).set("feedback", 0.0));
        for (freq, gain) in found.iter().enumerate().skip(1).take(20_000) {
            let expected = math::cos(std::f64::consts::PI * freq as f64 / 1000.0).abs();
            assert!((gain - expected).abs() < 1e-9, "{freq} Hz: {gain}");
        }
        assert!((0..20).all(|notch| found[500 + 1000 * notch] < 1e-9));
    }

    #[test]
    fn feedback_raises_the_peaks_by_the_geometric_series() {
        for feedback in [-80.0, 30.0, 95.0] {
            let found = response(Bench::new(&FLANGER, 1).set("depth", 0.0).set("delay", 1.0).set("feedback", feedback));
            for (freq, sign) in [(1000, 1.0), (1500, -1.0)] {
                let expected: f64 = (1.0 + sign / (1.0 - sign * feedback / 100.0)) / 2.0;
                assert!((found[freq] - expected.abs()).abs() < 1e-6, "{feedback} % at {freq} Hz: {}", found[freq]);
            }
        }
    }

    #[test]
    fn the_copy_sweeps_from_the_delay_by_the_depth_and_sides_may_be_opposite() {
        let ramp: Vec<f64> = (0..48_000).map(f64::from).collect();
        let bench = Bench::new(&FLANGER, 2).set("feedback", 0.0).set("delay", 2.0).set("depth", 50.0).set("rate", 4.0);
        let output = bench.set("stereo", 100.0).run(&[ramp.clone(), ramp.clone()]);
        for (i, at) in ramp.iter().enumerate().skip(1000) {
            let wave = wheel::sine(4.0 * i as f64 / RATE);
            for (side, wave) in output.iter().zip([wave, -wave]) {
                let expected = 96.0 + 120.0 * (0.5 + 0.5 * wave);
                assert!((at - side[i] - expected).abs() < 1e-6, "{i}");
            }
        }
    }

    #[test]
    fn after_the_tail_it_is_100_db_down() {
        for (feedback, depth) in [(0.0, 0.0), (60.0, 100.0), (-95.0, 20.0)] {
            let mut bench = Bench::new(&FLANGER, 1).set("feedback", feedback).set("depth", depth);
            let tail = (FLANGER.tail)(bench.recipe()) as usize;
            let output = bench.run_mono(&impulse(tail + 4800));
            assert!(peak(&output[tail + 1..]) < peak(&output) - 99.9, "{feedback} %");
        }
    }

    #[test]
    fn the_most_feedback_stays_bounded() {
        let mut bench = Bench::new(&FLANGER, 1).set("feedback", 95.0).set("rate", 20.0).set("depth", 100.0);
        assert!(peak(&bench.run_mono(&noise(1, 96_000))) < 26.1);
    }

    #[test]
    fn an_edit_does_not_click() {
        let edits = [(PACE, 7.0), (DEPTH, 100.0), (DEPTH, 0.0), (DELAY, 15.0), (FEEDBACK, -90.0), (FEEDBACK, 90.0)];
        for (index, to) in edits.into_iter().chain([(STEREO, 100.0)]) {
            let click = click_of_edit(&mut Bench::new(&FLANGER, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
