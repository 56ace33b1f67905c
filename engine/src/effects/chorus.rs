//! `chorus`: copies of a sound that sway in time, each in its turn, beside the sound itself.
//!
//! Copies are read between frames by a cubic (Lagrange): exact at a whole frame, and at the worst, half-way between two,
//! 0.04 dB down at 5 kHz and 0.53 dB at 10 kHz (at 48 kHz).

use super::{CUBIC, apart, pace, spread};
use crate::delay_line::DelayLine;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::one_pole::Smoother;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;
use crate::wheel::{self, Wheel};

const PACE: usize = 0;
const DEPTH: usize = 1;
const DELAY: usize = 2;
const VOICES: usize = 3;
const STEREO: usize = 4;

/// How far a copy sways at a depth of 100 %.
const SWAY_MS: f64 = 4.0;

/// How long a copy lags at the most, before it sways.
const LONGEST_MS: f64 = 40.0;

/// How smoothly copies move to another delay or depth.
const SMOOTH_MS: f64 = 20.0;

/// `chorus()`.
pub static CHORUS: Table = Table {
    word: "chorus",
    summary: "Several of the same: copies that sway in time and so in pitch; makes stereo.",
    example: "x >> chorus().rate(0.6).depth(40)",
    arguments: &[],
    parameters: &[
        pace(0.8, 0.01, 20.0),
        Parameter::number("depth", Unit::Percent, 50.0, 0.0, 100.0, "how far copies sway: 100 is 4 ms either way"),
        Parameter::number("delay", Unit::Milliseconds, 15.0, 5.0, LONGEST_MS, "about which they do"),
        Parameter::steps("voices", Unit::Plain, 2.0, &[1.0, 2.0, 3.0, 4.0, 6.0, 8.0], "copies on each side"),
        spread(100.0),
    ],
    parts: &[],
    mix: 50.0,
    channels: |recipe| Ok(recipe.channels.max(2)),
    latency: super::no_latency,
    tail: |recipe| recipe.clock.frames(CHORUS.value(recipe, "delay") + SWAY_MS) + CUBIC,
    memory: Memory::Line,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let rate = recipe.rate();
    let longest = recipe.clock.frames(LONGEST_MS + SWAY_MS) as usize;
    Box::new(Chorus {
        lines: (0..recipe.channels).map(|_| DelayLine::new(longest)).collect(),
        wheel: Wheel::default(),
        voices: recipe.values[VOICES] as usize,
        delay: Smoother::new(SMOOTH_MS, rate),
        sway: Smoother::new(SMOOTH_MS, rate),
        frames_a_ms: rate / 1000.0,
    })
}

struct Chorus {
    /// One for each channel that comes in.
    lines: Vec<DelayLine>,
    wheel: Wheel,
    voices: usize,
    /// In frames.
    delay: Smoother,
    sway: Smoother,
    frames_a_ms: f64,
}

keep!(Chorus: lines, wheel, delay, sway);

impl Kernel for Chorus {
    fn process(&mut self, io: &mut Io<'_>) {
        let phases = self.wheel.turn(io, io.values[PACE].to);
        let (count, outs) = (io.frames.len(), io.audio.len());
        // Copies that sway on their own add up in power.
        let (voices, gain) = (self.voices as f64, 1.0 / math::sqrt(self.voices as f64));
        for (n, i) in io.frames.clone().enumerate() {
            let delay = self.delay.step(io.values[DELAY].at(n, count) * self.frames_a_ms);
            let sway = self.sway.step(io.values[DEPTH].at(n, count) / 100.0 * SWAY_MS * self.frames_a_ms);
            let stereo = io.values[STEREO].at(n, count);
            for (line, channel) in self.lines.iter_mut().zip(io.audio.iter()) {
                line.write(channel[i]);
            }
            for (channel, buffer) in io.audio.iter_mut().enumerate() {
                let Some(line) = self.lines.get(channel).or(self.lines.first()) else { return };
                // The copies of one side lie between those of the others.
                let first = phases[i] + apart(channel, outs, stereo) / voices;
                let read = |voice: usize| line.read_between(delay + sway * wheel::sine(first + voice as f64 / voices));
                buffer[i] = gain * (0..self.voices).map(read).sum::<f64>();
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
        self.sway.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, impulse, level_at, noise, rms, sine};

    #[test]
    fn without_depth_every_copy_lags_by_the_delay_exactly() {
        for (voices, gain) in [(1.0, 1.0), (4.0, 2.0)] {
            let mut bench = Bench::new(&CHORUS, 1).set("depth", 0.0).set("delay", 20.0).set("voices", voices);
            for side in bench.run(&[impulse(2000)]) {
                assert!((side[960] - gain).abs() < 1e-12);
                assert_eq!(side.iter().filter(|x| **x != 0.0).count(), 1);
            }
        }
    }

    #[test]
    fn copies_sway_by_the_depth_in_turn_and_sides_lie_between() {
        // A ramp tells the delay at which it is read.
        let ramp: Vec<f64> = (0..96_000).map(f64::from).collect();
        for (stereo, apart) in [(0.0, 0.0), (100.0, 0.5)] {
            let bench = Bench::new(&CHORUS, 1).set("voices", 1.0).set("rate", 2.0).set("depth", 75.0);
            let output = bench.set("stereo", stereo).run(std::slice::from_ref(&ramp));
            for (i, at) in ramp.iter().enumerate().skip(2000) {
                for (side, ahead) in output.iter().zip([0.0, apart]) {
                    let expected = 720.0 + 144.0 * wheel::sine(2.0 * i as f64 / RATE + ahead);
                    assert!((at - side[i] - expected).abs() < 1e-6, "{i}: {} {expected}", at - side[i]);
                }
            }
        }
    }

    #[test]
    fn copies_between_frames_lose_what_the_cubic_does_and_no_more() {
        for (freq, worst) in [(5000.0, -0.036), (10_000.0, -0.534)] {
            // 5.010 417 ms are half a frame more than 240.
            let bench = Bench::new(&CHORUS, 1).set("depth", 0.0).set("voices", 1.0);
            let mut bench = bench.set("delay", 240.5 / 48.0);
            let found = level_at(&bench.run(&[sine(freq, 0.0, RATE, 9600)])[0][960..], freq, RATE);
            assert!((found - worst).abs() < 0.001, "{freq} Hz: {found} dB");
        }
    }

    #[test]
    fn many_voices_are_as_loud_as_one_and_sides_differ() {
        for voices in [1.0, 2.0, 4.0, 8.0] {
            let output = Bench::new(&CHORUS, 1).set("voices", voices).set("depth", 100.0).run(&[noise(1, 96_000)]);
            let level = rms(&output[0][4800..]) - rms(&noise(1, 96_000));
            assert!((-1.5..0.5).contains(&level), "{voices}: {level} dB");
            assert_ne!(output[0], output[1]);
        }
    }

    #[test]
    fn channels_that_come_in_keep_to_their_own_sides() {
        for channels in [2, 3] {
            let mut input = vec![vec![0.0; 4800]; channels];
            input[1] = noise(1, 4800);
            let output = Bench::new(&CHORUS, channels).run(&input);
            assert_eq!(output.len(), channels);
            assert!(output[0].iter().all(|x| *x == 0.0) && rms(&output[1]) > -20.0);
        }
        assert_eq!(Bench::new(&CHORUS, 1).channels_out(), 2);
    }

    #[test]
    fn a_length_in_beats_is_a_rate_that_the_transport_locks() {
        // Two beats at 120 a minute are a second.
        let input = [noise(1, 9600)];
        let said = Bench::new(&CHORUS, 1).beats("rate", 2.0).run(&input);
        assert_eq!(said, Bench::new(&CHORUS, 1).set("rate", 1.0).run(&input));
    }

    #[test]
    fn a_cold_start_at_a_frame_is_what_ran_there() {
        let input = noise(1, 30_000);
        let ran = Bench::new(&CHORUS, 1).run(std::slice::from_ref(&input));
        let cold = Bench::new(&CHORUS, 1).from(12_800).run(&[input[12_800..].to_vec()]);
        assert!(ran[1][12_800 + 4800..] == cold[1][4800..], "once the lines are filled");
    }

    #[test]
    fn an_edit_does_not_click() {
        for (index, to) in [(PACE, 7.0), (DEPTH, 100.0), (DEPTH, 0.0), (DELAY, 5.0), (DELAY, 40.0), (STEREO, 0.0)] {
            let click = click_of_edit(&mut Bench::new(&CHORUS, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
