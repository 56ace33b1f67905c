//! `phaser`: the sound beside itself with its phase turned by all-passes, so that the two cancel at a few frequencies, which
//! sweep: one for every two stages.
//!
//! The stages are first-order all-passes in the trapezoidal form (Zavalishin, 2012), all at one frequency; feedback round them
//! is solved for in each frame, without a delay. With a phase of -2 atan(f/c) from each (f and c as the tangents of their
//! angles) the notches at equal parts of dry and wet lie at `tan(π f / rate) = tan(π c / rate) tan(π (2k + 1) / 2N)`.

use std::f64::consts::PI;

use super::{apart, pace, same_channels, spread};
use crate::filters::HIGHEST;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::rest::spent;
use crate::units::Unit;
use crate::wheel::{self, Wheel};

const PACE: usize = 0;
const DEPTH: usize = 1;
const FREQ: usize = 2;
const STAGES: usize = 3;
const FEEDBACK: usize = 4;
const STEREO: usize = 5;

/// The most stages there are.
const MOST: usize = 12;

/// How far the frequency sweeps at a depth of 100 %, either way.
const OCTAVES: f64 = 2.0;

/// `phaser()`.
pub static PHASER: Table = Table {
    word: "phaser",
    summary: "A few notches that sweep up and down, one for every two stages.",
    example: "x >> phaser().rate(\"1/1\").stages(6)",
    arguments: &[],
    parameters: &[
        pace(0.4, 0.01, 20.0),
        Parameter::number("depth", Unit::Percent, 60.0, 0.0, 100.0, "how far it sweeps: 100 is two octaves either way"),
        Parameter::number("freq", Unit::Hertz, 800.0, 50.0, 5000.0, "about which it does"),
        Parameter::steps(
            "stages",
            Unit::Plain,
            4.0,
            &[2.0, 4.0, 6.0, 8.0, 10.0, MOST as f64],
            "half of them are notches",
        ),
        Parameter::number(
            "feedback",
            Unit::Percent,
            0.0,
            -95.0,
            95.0,
            "round all stages: sharper peaks between notches",
        ),
        spread(0.0),
    ],
    parts: &[],
    mix: 50.0,
    channels: same_channels,
    latency: super::no_latency,
    tail,
    memory: Memory::Brief,
    kernel,
};

/// Until the slowest pole there can be has fallen by 96 dB: that of the stages at their lowest, nearer to 1 by feedback.
fn tail(recipe: &Recipe) -> u64 {
    let lowest = PHASER.value(recipe, "freq") / math::exp(OCTAVES * math::ln(2.0));
    let feedback = (PHASER.value(recipe, "feedback") / 100.0).abs();
    let stages = PHASER.value(recipe, "stages");
    // Where the stages pass round exactly one part in `feedback` less than 1, (1 - s)/(1 + s) to the power of N.
    let root = if feedback > 0.0 { math::pow(feedback, 1.0 / stages) } else { 0.0 };
    let slowest = (1.0 - root) / (1.0 + root);
    // What many equal poles ring with grows before it falls.
    let spread = 1.0 + stages / 4.0;
    recipe.clock.frames(spread * 1000.0 * math::ln(1e5) / (2.0 * PI * lowest * slowest))
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    Box::new(Phaser {
        wheel: Wheel::default(),
        stages: (recipe.values[STAGES] as usize).min(MOST),
        states: vec![[0.0; MOST]; recipe.channels],
        rate: recipe.rate(),
    })
}

struct Phaser {
    wheel: Wheel,
    stages: usize,
    /// For each channel the state of each stage.
    states: Vec<[f64; MOST]>,
    rate: f64,
}

impl Phaser {
    /// One frame through the stages of a channel, at a frequency in Hz. RT.
    fn step(states: &mut [f64], freq: f64, rate: f64, feedback: f64, x: f64) -> f64 {
        let g = math::tan(PI * freq.min(HIGHEST * rate) / rate);
        let share = g / (1.0 + g);
        // A stage gives `through x + 2 (1 - share) s`: all of them together, `all u + held` of what goes in.
        let (through, kept) = (2.0 * share - 1.0, 2.0 * (1.0 - share));
        let (all, held) = states.iter().fold((1.0, 0.0), |(all, held), s| (all * through, held * through + kept * s));
        let mut y = (x + feedback * held) / (1.0 - feedback * all);
        for s in states {
            let low = share * (y - *s) + *s;
            *s = spent(2.0 * low - *s);
            y = 2.0 * low - y;
        }
        y
    }
}

keep!(Phaser: wheel, states);

impl Kernel for Phaser {
    fn process(&mut self, io: &mut Io<'_>) {
        let phases = self.wheel.turn(io, io.values[PACE].to);
        let (count, channels) = (io.frames.len(), self.states.len());
        for (n, i) in io.frames.clone().enumerate() {
            let octaves = OCTAVES * io.values[DEPTH].at(n, count) / 100.0;
            let (freq, feedback) = (io.values[FREQ].at(n, count), io.values[FEEDBACK].at(n, count) / 100.0);
            let stereo = io.values[STEREO].at(n, count);
            for (channel, (states, buffer)) in self.states.iter_mut().zip(io.audio.iter_mut()).enumerate() {
                let wave = wheel::sine(phases[i] + apart(channel, channels, stereo));
                let freq = freq * math::exp(octaves * wave * std::f64::consts::LN_2);
                buffer[i] = Self::step(&mut states[..self.stages], freq, self.rate, feedback, buffer[i]);
            }
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        std::slice::from_mut(&mut self.wheel)
    }

    fn reset(&mut self) {
        self.wheel.reset();
        self.states.iter_mut().for_each(|states| states.fill(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, impulse, level_at, noise, peak, sine, spectrum};

    fn still(stages: usize, freq: f64) -> Bench {
        Bench::new(&PHASER, 1).set("depth", 0.0).set("freq", freq).set("stages", stages as f64)
    }

    fn mixed(dry: &[f64], wet: &[f64]) -> Vec<f64> {
        dry.iter().zip(wet).map(|(dry, wet)| 0.5 * dry + 0.5 * wet).collect()
    }

    #[test]
    fn there_is_a_notch_for_every_two_stages_where_the_formula_has_it() {
        for stages in [2, 4, 6, 8, 10, 12] {
            let dry = impulse(48_000);
            let bins = spectrum(&mixed(&dry, &still(stages, 800.0).run_mono(&dry)));
            let whole = bins[1];
            let lowest =
                (2..23_999).filter(|i| bins[*i] < bins[i - 1] && bins[*i] < bins[i + 1] && bins[*i] < 0.01 * whole);
            assert_eq!(lowest.count(), stages / 2, "{stages} stages");
            for k in 0..stages / 2 {
                let turned = math::tan(PI * (2 * k + 1) as f64 / (2 * stages) as f64);
                let notch = math::atan(math::tan(PI * 800.0 / RATE) * turned) * RATE / PI;
                let tone = sine(notch, 0.0, RATE, 48_000);
                let left = level_at(&mixed(&tone, &still(stages, 800.0).run_mono(&tone))[24_000..], notch, RATE);
                assert!(left < -150.0, "{stages} stages at {notch} Hz: {left} dB");
            }
        }
    }

    #[test]
    fn alone_it_turns_phases_and_no_level() {
        for freq in [100.0, 800.0, 3000.0, 15_000.0] {
            let found = level_at(&still(6, 800.0).run_mono(&sine(freq, 0.0, RATE, 24_000))[12_000..], freq, RATE);
            assert!(found.abs() < 1e-9, "{freq} Hz: {found} dB");
        }
    }

    #[test]
    fn feedback_gives_the_response_of_the_closed_loop() {
        for feedback in [-90.0, 50.0, 95.0] {
            for freq in [50.0, 700.0, 1600.0, 9000.0] {
                let turn = -2.0 * 4.0 * math::atan(math::tan(PI * freq / RATE) / math::tan(PI * 800.0 / RATE));
                // |1 / (1 - fb e^(i turn))|.
                let fb = feedback / 100.0;
                let expected = 1.0 / math::sqrt(1.0 - 2.0 * fb * math::cos(turn) + fb * fb);
                let mut bench = still(4, 800.0).set("feedback", feedback);
                let found = level_at(&bench.run_mono(&sine(freq, 0.0, RATE, 48_000))[24_000..], freq, RATE);
                assert!((found - math::db_from_gain(expected)).abs() < 1e-4, "{feedback} % at {freq} Hz: {found} dB");
            }
        }
    }

    #[test]
    fn it_sweeps_two_octaves_either_way_and_sides_may_be_opposite() {
        // Held where the wave is at its end: at so slow a rate nothing moves within the test.
        let bench =
            || Bench::new(&PHASER, 2).set("rate", 0.01).set("depth", 100.0).set("stereo", 100.0).set("stages", 2.0);
        let quarter = (25.0 * RATE) as u64;
        for (freq, side) in [(3200.0, 0), (200.0, 1)] {
            let tone = sine(freq, 0.0, RATE, 9600);
            let output = bench().from(quarter).run(&[tone.clone(), tone.clone()]);
            // Two stages cancel at their own frequency.
            let left = level_at(&mixed(&tone, &output[side])[4800..], freq, RATE);
            assert!(left < -60.0, "{freq} Hz: {left} dB");
        }
    }

    #[test]
    fn it_stays_bounded_however_fast_it_sweeps() {
        for feedback in [95.0, -95.0] {
            let bench = Bench::new(&PHASER, 1).set("rate", 20.0).set("depth", 100.0).set("stages", 12.0);
            assert!(peak(&bench.set("feedback", feedback).run_mono(&noise(1, 48_000))) < 26.1, "{feedback}");
        }
    }

    #[test]
    fn after_the_tail_it_is_96_db_down() {
        for (feedback, stages) in [(0.0, 12.0), (50.0, 4.0), (95.0, 2.0), (-95.0, 12.0)] {
            let mut bench = Bench::new(&PHASER, 1).set("depth", 100.0).set("feedback", feedback).set("stages", stages);
            let tail = (PHASER.tail)(bench.recipe()) as usize;
            let output = bench.run_mono(&impulse(tail + 4800));
            assert!(tail < 960_000 && peak(&output[tail..]) < peak(&output) - 96.0, "{feedback} %, {stages}: {tail}");
        }
    }

    #[test]
    fn an_edit_does_not_click() {
        let edits = [(PACE, 7.0), (DEPTH, 100.0), (DEPTH, 0.0), (FREQ, 60.0), (FREQ, 5000.0), (FEEDBACK, 90.0)];
        for (index, to) in edits.into_iter().chain([(FEEDBACK, -90.0), (STEREO, 100.0)]) {
            let click = click_of_edit(&mut Bench::new(&PHASER, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
