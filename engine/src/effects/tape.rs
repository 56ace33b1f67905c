//! `tape`: a tape machine, from the head that records to the head that plays.
//!
//! - What a biased head records is the anhysteretic magnetisation of the tape, the Langevin function (Jiles and Atherton 1986;
//!   Bertram, "Theory of magnetic recording", 1994). The hysteresis that bias takes away is left out, as is its memory.
//! - Short waves are lost at the head that plays, as in Chowdhury ("Real-time physical modelling for analog tape machines",
//!   2019), with k = 2π f / v at the tape's speed v: by its distance d, e^(-k d); by the depth of the coating c,
//!   (1 - e^(-k c)) / k c; by its gap g, sin(k g / 2) / (k g / 2). This is done by a filter of linear phase.
//! - Waves as long as the head's face are raised: the head bump, a bell.
//! - Speed wavers: wow in two slow sines that have nothing in common, flutter in the turns of the capstan and their multiples.
//!   The sound then lags by as much as it sways, which is the effect's own and compensated nowhere. It is read between frames by
//!   a cubic (Lagrange): at the worst, half-way between two, 0.04 dB down at 5 kHz and 0.53 dB at 10 kHz (at 48 kHz).
//! - Hiss is white and a function of the frame.

use std::f64::consts::{PI, TAU};

use super::same_channels;
use crate::curves::{Bender, Curve, Makeup, Place};
use crate::delay_line::DelayLine;
use crate::filters::Section;
use crate::filters::cascade::Cascade;
use crate::keep::keep;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::motion::Rate;
use crate::one_pole::Smoother;
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::random::{Count, even, mix};
use crate::units::Unit;
use crate::wheel::{self, Wheel};

const SPEED: usize = 0;
const DRIVE: usize = 1;
const BUMP: usize = 2;
const WOW: usize = 3;
const FLUTTER: usize = 4;
const HISS: usize = 5;

const CURVE: Curve = Curve::Tape;

/// Times the sample rate at which it is bent, by means.
const TIMES: usize = 4;

/// An inch a second in metres a second.
const INCH: f64 = 0.0254;

/// Of the head that plays, in metres: its distance from the tape, its gap, and the length of its face. Of the coating, what the
/// machine's own equaliser leaves of its depth.
const DISTANCE: f64 = 1e-6;
const GAP: f64 = 2e-6;
const FACE: f64 = 6.35e-3;
const COATING: f64 = 0.5e-6;

/// How wide the head bump is, as a Q.
const BUMP_Q: f64 = 1.0;

/// The sines of wow: their frequencies in Hz, and their shares of its deviation.
const WOW_SINES: [(f64, f64); 2] = [(0.61, 0.6), (0.97, 0.4)];

/// The shares of flutter's deviation of the capstan's turns, and of two and three times as many.
const FLUTTER_SHARES: [f64; 3] = [0.6, 0.25, 0.15];

/// Across the capstan, in metres.
const CAPSTAN: f64 = 12.7e-3;

/// The most that speed deviates, in percent.
const MOST_WOW: f64 = 2.0;
const MOST_FLUTTER: f64 = 1.0;

/// How smoothly the sway moves to another depth.
const SMOOTH_MS: f64 = 30.0;

/// What makes a spread of -0.5 to 0.5 have an RMS of 1.
const UNIT: f64 = 3.464_101_615_137_754_4;

/// `tape()`.
pub static TAPE: Table = Table {
    word: "tape",
    summary: "A tape machine: rounds what is loud, raises the lowest, loses the highest; wavers and hisses if asked to.",
    example: "x >> tape().speed(7.5).drive(6).wow(0.1)",
    arguments: &["speed"],
    parameters: &[
        Parameter::steps(
            "speed",
            Unit::Plain,
            15.0,
            &[1.875, 3.75, 7.5, 15.0, 30.0],
            "inches a second: slower loses more highs",
        ),
        Parameter::number(
            "drive",
            Unit::Decibels,
            0.0,
            -12.0,
            36.0,
            "level onto the tape; a sine at -18 dBFS stays as loud",
        )
        .law(Law::Amplitude),
        Parameter::number("bump", Unit::Decibels, 2.0, 0.0, 6.0, "of the head, about 60 Hz at 15 inches a second"),
        Parameter::number(
            "wow",
            Unit::Percent,
            0.0,
            0.0,
            MOST_WOW,
            "the most that speed wavers, slowly; a cassette has 0.1",
        ),
        Parameter::number("flutter", Unit::Percent, 0.0, 0.0, MOST_FLUTTER, "the most that it wavers with the capstan"),
        Parameter::number("hiss", Unit::Decibels, -60.0, -100.0, -20.0, "RMS level of its noise")
            .law(Law::Amplitude)
            .or("off", 0.0)
            .special_by_default()
            .random(),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: |recipe| Bender::latency(TIMES, true) + half_length(recipe.values[SPEED], recipe.rate()) + 1,
    tail: |recipe| 2 * longest(recipe) as u64 + Cascade::new(bump, &bump_values(recipe), 1, 1, recipe.rate()).ring(),
    memory: Memory::Line,
    kernel,
};

/// Of the filter that loses highs, in frames: the slower the tape, the sharper is what it has to follow.
fn half_length(speed: f64, rate: f64) -> usize {
    (rate / 750.0 * (15.0 / speed).max(1.0)).ceil() as usize
}

/// How much of a wave is left at the head that plays.
fn left(freq: f64, speed: f64) -> f64 {
    let k = TAU * freq / (speed * INCH);
    let depth = k * COATING;
    let gap = k * GAP / 2.0;
    let whole = |x: f64, y: f64| if x < 1e-9 { 1.0 } else { y / x };
    math::exp(-k * DISTANCE) * whole(depth, 1.0 - math::exp(-depth)) * whole(gap, math::sin(gap))
}

/// The filter whose response that is, by summing its cosines under the window of Kaiser (1974): the middle tap first, those
/// further out for both sides.
fn losses(speed: f64, rate: f64) -> Vec<f64> {
    let half = half_length(speed, rate);
    // So fine a sum is an integral.
    let points = 16 * half;
    let responses: Vec<f64> = (0..=points).map(|p| left(rate / 2.0 * p as f64 / points as f64, speed)).collect();
    let tap = |n: usize| {
        let sum = |p: usize| {
            let share = if p == 0 || p == points { 0.5 } else { 1.0 };
            share * responses[p] * math::cos(PI * (n * p) as f64 / points as f64)
        };
        (0..=points).map(sum).sum::<f64>() / points as f64 * math::kaiser(n as f64 / (half + 1) as f64, 3.0)
    };
    let mut taps: Vec<f64> = (0..=half).map(tap).collect();
    // What stands still passes as it is.
    let whole = taps[0] + 2.0 * taps[1..].iter().sum::<f64>();
    taps.iter_mut().for_each(|tap| *tap /= whole);
    taps
}

/// Where the head bump lies, in Hz.
fn bump_freq(speed: f64) -> f64 {
    speed * INCH / FACE
}

fn bump(values: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::bell(bump_freq(values[1]), values[0], BUMP_Q, rate));
}

fn bump_values(recipe: &Recipe) -> [f64; 2] {
    [recipe.values[BUMP], recipe.values[SPEED]]
}

/// The turns of the capstan a second.
fn capstan(speed: f64) -> f64 {
    speed * INCH / (PI * CAPSTAN)
}

/// How far a sine of speed sways in time, in frames, for a deviation in percent.
fn sway(percent: f64, freq: f64, rate: f64) -> f64 {
    percent / 100.0 * rate / (TAU * freq)
}

/// How far wow and flutter sway together, for what they deviate by, in frames. RT.
fn reach(wow: f64, flutter: f64, turns: f64, rate: f64) -> f64 {
    let slow: f64 = WOW_SINES.iter().map(|(freq, share)| sway(wow * share, *freq, rate)).sum();
    let fast = FLUTTER_SHARES.iter().enumerate().map(|(n, share)| sway(flutter * share, turns * (n + 1) as f64, rate));
    slow + fast.sum::<f64>()
}

/// The furthest that they ever do.
fn longest(recipe: &Recipe) -> usize {
    reach(MOST_WOW, MOST_FLUTTER, capstan(recipe.values[SPEED]), recipe.rate()).ceil() as usize
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let (speed, rate) = (recipe.values[SPEED], recipe.rate());
    let taps = losses(speed, rate);
    let channel = |index: usize| Channel {
        bender: Bender::new(CURVE, TIMES, true),
        past: vec![0.0; 2 * (taps.len() - 1) + QUANTUM],
        line: DelayLine::new(2 * longest(recipe) + 1),
        seed: mix(recipe.seed.wrapping_add(index as u64)),
    };
    let smoother = || Smoother::new(SMOOTH_MS, rate);
    Box::new(Tape {
        channels: (0..recipe.channels).map(channel).collect(),
        makeup: Makeup::new(CURVE, recipe.values[DRIVE], 0.0),
        bump: Cascade::new(bump, &bump_values(recipe), 1, recipe.channels, rate),
        wheels: [Wheel::default(); 3],
        depths: [smoother(), smoother()],
        turns: capstan(speed),
        rate,
        count: Count::default(),
        taps,
    })
}

struct Tape {
    channels: Vec<Channel>,
    makeup: Makeup,
    taps: Vec<f64>,
    bump: Cascade,
    /// Those of wow's two sines, and the capstan.
    wheels: [Wheel; 3],
    /// What wow and flutter deviate by, in percent.
    depths: [Smoother; 2],
    turns: f64,
    rate: f64,
    count: Count,
}

struct Channel {
    bender: Bender,
    /// The frames that the filter still needs, then a stretch of new ones.
    past: Vec<f64>,
    line: DelayLine,
    seed: u64,
}

impl Channel {
    /// Loses what the head that plays does, in place. RT.
    fn lose(&mut self, taps: &[f64], frames: &mut [f64]) {
        let half = taps.len() - 1;
        self.past[2 * half..].iter_mut().zip(frames.iter()).for_each(|(past, x)| *past = *x);
        for (n, x) in frames.iter_mut().enumerate() {
            let (before, after) = self.past[n..n + 2 * half + 1].split_at(half);
            let pairs = taps[1..].iter().zip(before.iter().rev().zip(&after[1..]));
            *x = taps[0] * after[0] + pairs.map(|(tap, (before, after))| tap * (before + after)).sum::<f64>();
        }
        self.past.copy_within(frames.len()..frames.len() + 2 * half, 0);
    }
}

impl Tape {
    /// The delay at each frame, in frames: one at rest. RT.
    fn delays(&mut self, io: &Io<'_>) -> Buffer {
        let mut delays = [1.0; QUANTUM];
        let (count, rates) = (io.frames.len(), [WOW_SINES[0].0, WOW_SINES[1].0, self.turns]);
        for (n, i) in io.frames.clone().enumerate() {
            let mut phases = [0.0; 3];
            for ((wheel, rate), phase) in self.wheels.iter_mut().zip(rates).zip(&mut phases) {
                *phase = wheel.step(Rate::Hertz(rate), io.frame(i) as i64, io.rolling, io.tempo);
            }
            let [wow, flutter] = &mut self.depths;
            let (wow, flutter) = (wow.step(io.values[WOW].at(n, count)), flutter.step(io.values[FLUTTER].at(n, count)));
            if wow == 0.0 && flutter == 0.0 {
                continue;
            }
            let slow = WOW_SINES
                .iter()
                .zip(phases)
                .map(|((freq, share), phase)| sway(wow * share, *freq, self.rate) * wheel::sine(phase));
            let fast = FLUTTER_SHARES.iter().enumerate().map(|(n, share)| {
                let times = (n + 1) as f64;
                sway(flutter * share, self.turns * times, self.rate) * wheel::sine(times * phases[2])
            });
            delays[i] += reach(wow, flutter, self.turns, self.rate) + slow.sum::<f64>() + fast.sum::<f64>();
        }
        delays
    }
}

keep!(Channel: bender, past, line);
keep!(Tape: channels, bump, wheels, depths, count);

impl Kernel for Tape {
    fn process(&mut self, io: &mut Io<'_>) {
        let (drive, hiss) = (io.values[DRIVE], io.values[HISS]);
        let raised = self.makeup.follow(drive, Glide::still(0.0));
        for (channel, buffer) in self.channels.iter_mut().zip(io.audio.iter_mut()) {
            let frames = &mut buffer[io.frames.clone()];
            channel.bender.process(frames, |i, count, x| Place {
                x: drive.at(i, count) * x,
                rest: 0.0,
                gain: 1.0,
                raised: raised.at(i, count),
            });
            channel.lose(&self.taps, frames);
        }
        self.bump.process(&[io.values[BUMP], io.values[SPEED]], io.audio, io.frames.clone());
        let delays = self.delays(io);
        let count = io.frames.len();
        for (n, i) in io.frames.clone().enumerate() {
            let noise = self.count.next(io, i);
            let hiss = hiss.at(n, count);
            for (channel, buffer) in self.channels.iter_mut().zip(io.audio.iter_mut()) {
                channel.line.write(buffer[i]);
                buffer[i] = channel.line.read_between(delays[i]);
                if hiss != 0.0 {
                    buffer[i] += hiss * UNIT * even(channel.seed, noise);
                }
            }
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        &mut self.wheels
    }

    fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.bender.reset();
            channel.past.fill(0.0);
            channel.line.clear();
        }
        self.bump.reset();
        self.wheels.iter_mut().for_each(Wheel::reset);
        self.depths.iter_mut().for_each(Smoother::reset);
        self.count = Count::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, level_at, noise, pitches, rms, sine, spectrum};

    const SPEEDS: [f64; 5] = [1.875, 3.75, 7.5, 15.0, 30.0];

    /// The level at which a small tone leaves, in dB.
    fn level(speed: f64, bump: f64, freq: f64) -> f64 {
        let mut bench = Bench::new(&TAPE, 1).set("speed", speed).set("bump", bump);
        let output = bench.run_mono(&sine(freq, -80.0, RATE, 24_000));
        level_at(&output[12_000..], freq, RATE) + 80.0 + math::db_from_gain(CURVE.raises(1.0, 0.0))
    }

    #[test]
    fn highs_are_lost_as_the_formulas_of_distance_depth_and_gap_have_it() {
        for speed in SPEEDS {
            for freq in [500.0, 2000.0, 5000.0, 10_000.0, 15_000.0, 20_000.0] {
                let (found, expected) = (math::gain_from_db(level(speed, 0.0, freq)), left(freq, speed));
                assert!((found - expected).abs() < 0.005, "{speed} ips, {freq} Hz: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn the_formulas_give_the_figures_of_hand() {
        // At 7.5 inches a second 10 kHz is 19.05 µm long: e^-0.3298, (1 - e^-0.1649)/0.1649 and sin(0.3298)/0.3298.
        let expected =
            math::exp(-0.32983) * (1.0 - math::exp(-0.164_916)) / 0.164_916 * math::sin(0.329_832) / 0.329_832;
        assert!((left(10_000.0, 7.5) - expected).abs() < 1e-5, "{}", left(10_000.0, 7.5));
        assert!(left(0.0, 7.5) == 1.0 && left(10_000.0, 15.0) == left(5000.0, 7.5), "twice as fast, twice as high");
    }

    #[test]
    fn the_head_bump_lies_where_a_wave_is_as_long_as_the_face() {
        for (speed, freq) in [(7.5, 30.0), (15.0, 60.0), (30.0, 120.0)] {
            let raised = level(speed, 4.0, freq) - level(speed, 0.0, freq);
            assert!((raised - 4.0).abs() < 0.02, "{speed} ips: {raised} dB at {freq} Hz");
            for other in [freq / 4.0, freq * 4.0] {
                let raised = level(speed, 4.0, other) - level(speed, 0.0, other);
                assert!(raised < 0.6, "{speed} ips: {raised} dB at {other} Hz");
            }
        }
    }

    /// What wow and flutter make of the speed at a time, as a part of it.
    fn deviation(wow: f64, flutter: f64, speed: f64, time: f64) -> f64 {
        let cosine = |freq: f64| math::cos(TAU * freq * time);
        let slow: f64 = WOW_SINES.iter().map(|(freq, share)| wow * share * cosine(*freq)).sum();
        let turns = capstan(speed);
        let fast = FLUTTER_SHARES.iter().enumerate().map(|(n, share)| flutter * share * cosine(turns * (n + 1) as f64));
        -(slow + fast.sum::<f64>()) / 100.0
    }

    #[test]
    fn speed_wavers_by_the_sines_of_wow_and_flutter() {
        for (wow, flutter, speed) in [(1.0, 0.0, 15.0), (0.0, 0.5, 7.5), (0.2, 0.1, 30.0)] {
            let bench = Bench::new(&TAPE, 1).set("wow", wow).set("flutter", flutter).set("speed", speed);
            let mut bench = bench.set("bump", 0.0);
            let output = bench.run_mono(&sine(1000.0, -20.0, RATE, 72_000));
            let (mut off, mut most) = (0.0f64, 0.0f64);
            for (time, freq) in pitches(&output[4800..], RATE) {
                let expected = deviation(wow, flutter, speed, time + 0.1);
                off = off.max((freq / 1000.0 - 1.0 - expected).abs());
                most = most.max(expected.abs());
            }
            assert!(off < 0.02 * (wow + flutter) / 100.0 + 1e-5, "{wow} %, {flutter} %: {off}");
            assert!(most > 0.5 * (wow + flutter) / 100.0, "the measure is of something");
        }
    }

    #[test]
    fn wow_and_flutter_come_as_near_as_can_be_to_what_they_are_said_to_be() {
        for (wow, flutter) in [(1.0, 0.0), (0.0, 1.0)] {
            let most =
                (0..60_000).map(|ms| deviation(wow, flutter, 15.0, f64::from(ms) / 1000.0).abs()).fold(0.0, f64::max);
            assert!((0.0095..=0.01 + 1e-12).contains(&most), "{most}");
        }
    }

    #[test]
    fn hiss_has_the_level_that_is_said_and_is_not_there_unless_it_is() {
        let silence = vec![vec![0.0; 48_000]; 2];
        let output = Bench::new(&TAPE, 2).set("hiss", -60.0).run(&silence);
        for side in &output {
            assert!((rms(side) + 60.0).abs() < 0.1, "{} dB", rms(side));
        }
        let product: f64 = output[0].iter().zip(&output[1]).map(|(a, b)| a * b).sum::<f64>() / 48_000.0;
        assert!(product.abs() < 0.02 * 1e-6, "channels hiss each for themselves");
        assert!(Bench::new(&TAPE, 2).run(&silence).iter().flatten().all(|x| *x == 0.0));
    }

    #[test]
    fn loud_tones_get_the_odd_harmonics_of_the_langevin_function() {
        for drive in [0.0, 12.0] {
            let mut bench = Bench::new(&TAPE, 1).set("drive", drive).set("bump", 0.0).set("speed", 30.0);
            let bins = spectrum(&bench.run_mono(&sine(500.0, -6.0, RATE, 96_000))[48_000..]);
            let gain = math::gain_from_db(drive);
            let peak = math::gain_from_db(-6.0);
            let bent: Vec<f64> =
                (0..4096).map(|i| CURVE.bend(gain * peak * math::sin(TAU * f64::from(i) / 4096.0))).collect();
            let expected = spectrum(&bent);
            for n in [1, 3, 5] {
                let freq = 500.0 * n as f64;
                let found = math::sqrt(bins[500 * n]) * CURVE.raises(gain, 0.0) / left(freq, 30.0);
                let expected = math::sqrt(expected[n]);
                assert!((found - expected).abs() < 3e-3, "{drive} dB, {n}: {found}, {expected}");
            }
            assert!(bins[1000] < 1e-12, "and no even ones");
        }
    }

    #[test]
    fn a_small_signal_is_the_input_delayed_by_the_declared_latency() {
        let mut bench = Bench::new(&TAPE, 1).set("bump", 0.0).set("speed", 30.0);
        let (input, lag) = (sine(997.0, -80.0, RATE, 24_000), bench.latency());
        let output = bench.run_mono(&input);
        let gain = left(997.0, 30.0) / CURVE.raises(1.0, 0.0);
        let off: Vec<f64> = (12_000..24_000).map(|i| output[i] / gain - input[i - lag]).collect();
        let level = level_at(&off, 997.0, RATE) + 80.0;
        // What the filter is off there, 0.02 dB; a frame would be -18 dB.
        assert!(level < -50.0, "{level} dB");
    }

    #[test]
    fn a_cold_start_at_a_frame_is_what_ran_there() {
        let bench = || Bench::new(&TAPE, 1).set("wow", 1.0).set("flutter", 0.5).set("hiss", -50.0).set("bump", 0.0);
        let input = noise(1, 25_600);
        let ran = bench().run_mono(&input);
        let cold = bench().from(12_800).run_mono(&input[12_800..]);
        let off = ran[12_800 + 6400..].iter().zip(&cold[6400..]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "once the lines are filled: {off}");
    }

    #[test]
    fn an_edit_does_not_click() {
        let edits = [(DRIVE, 12.0), (DRIVE, -12.0), (BUMP, 6.0), (WOW, 2.0), (FLUTTER, 1.0)];
        for (index, to) in edits {
            let click = click_of_edit(&mut Bench::new(&TAPE, 1), |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
