//! `compressor`: turns down what is louder than a threshold.
//!
//! Gain computer, decoupled smoothing of the reduction in dB: Giannoulis, Massberg and Reiss, "Digital Dynamic Range
//! Compressor Design" (2012).

use std::ops::Range;

use super::{no_tail, same_channels};
use crate::abreast::{Abreast, Shape, Turn};
use crate::delay_line::DelayLine;
use crate::dynamics::{Ballistics, Curve, Ear, bend, gains};
use crate::filters::{Filter, Section, butterworth_q};
use crate::keep::keep;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::last::Last;
use crate::math;
use crate::one_pole::{OnePole, pole};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// `compressor(threshold, ratio)`.
pub static COMPRESSOR: Table = Table {
    word: "compressor",
    summary: "Turns down what is louder than a threshold.",
    example: "x >> compressor(-18, 4).attack(10.ms)",
    arguments: &["threshold", "ratio"],
    parameters: &[
        Parameter::number("threshold", Unit::Decibels, -18.0, -60.0, 0.0, "the level above which it works"),
        Parameter::number(
            "ratio",
            Unit::Plain,
            2.0,
            1.0,
            100.0,
            "dB of input for one dB of output, above the threshold",
        ),
        Parameter::number("attack", Unit::Milliseconds, 20.0, 0.01, 2000.0, "to 63.2 % of a reduction, in dB"),
        Parameter::number("release", Unit::Milliseconds, 250.0, 1.0, 5000.0, "to 63.2 % of a recovery, in dB"),
        Parameter::number("knee", Unit::Decibels, 6.0, 0.0, 24.0, "width of the bend round the threshold"),
        Parameter::number("makeup", Unit::Decibels, 0.0, -24.0, 24.0, "gain afterwards").law(Law::Amplitude),
        Parameter::choice("detector", &["peak", "rms"], "what counts as level: each sample, or its mean over 10 ms"),
        Parameter::number(
            "link",
            Unit::Percent,
            100.0,
            0.0,
            100.0,
            "how far the channels share the loudest one's level",
        ),
        Parameter::number("lookahead", Unit::Milliseconds, 0.0, 0.0, 20.0, "delays the sound, not what is listened to")
            .fixed(),
        Parameter::signal("key", "what is listened to instead of the input"),
        Parameter::number("key_high_pass", Unit::Hertz, 80.0, 10.0, 5000.0, "keeps lows from what is listened to")
            .or("off", KEY_FILTER_OFF)
            .special_by_default(),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: lookahead,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Compressor::new(recipe)),
};

/// What stands for no filter: so low that to glide from here to a frequency does not jump.
const KEY_FILTER_OFF: f64 = 1.0;

/// The constant of the mean that `rms` takes.
const MEAN_MS: f64 = 10.0;

fn lookahead(recipe: &Recipe) -> usize {
    recipe.clock.frames(COMPRESSOR.value(recipe, "lookahead")) as usize
}

/// What is heard of one channel.
#[derive(Clone, Default)]
struct Listener {
    high_pass: Filter,
    mean: OnePole,
}

/// What is done to one channel.
struct Channel {
    line: DelayLine,
    ballistics: Ballistics,
}

/// What may go abreast: one or two channels that listen to themselves, and need not wait for it.
pub(super) fn shape(recipe: &Recipe) -> Option<Shape> {
    let listens_to_itself = recipe.key_channels == 0 && recipe.channels <= 2;
    (listens_to_itself && lookahead(recipe) == 0).then_some(Shape::Dynamics { channels: recipe.channels })
}

struct Compressor {
    ear: Ear,
    listeners: Vec<Listener>,
    channels: Vec<Channel>,
    lookahead: usize,
    mean: f64,
    rate: f64,
    /// Of the attack and the release.
    poles: [Last<f64>; 2],
}

impl Compressor {
    fn new(recipe: &Recipe) -> Self {
        let ear = Ear::new(recipe);
        let lookahead = lookahead(recipe);
        let channel = || Channel { line: DelayLine::new(lookahead), ballistics: Ballistics::default() };
        Compressor {
            listeners: vec![Listener::default(); ear.heard()],
            ear,
            channels: (0..recipe.channels).map(|_| channel()).collect(),
            lookahead,
            mean: 1.0 - pole(MEAN_MS, recipe.rate()),
            rate: recipe.rate(),
            poles: Default::default(),
        }
    }

    /// Measures the levels of what is listened to. RT.
    fn listen(&mut self, io: &Io<'_>, high_pass: Glide, rms: bool) {
        let section = |freq| Section::high_pass(freq, butterworth_q(2, 0), self.rate);
        let off = high_pass == Glide::still(KEY_FILTER_OFF);
        let sections = (!off).then(|| {
            let from = section(high_pass.from);
            (from, if high_pass.is_still() { from } else { section(high_pass.to) })
        });
        let (listeners, mean) = (&mut self.listeners, self.mean);
        self.ear.listen(io, |channel, frames| {
            let Some(listener) = listeners.get_mut(channel) else { return };
            match &sections {
                Some((from, to)) => listener.high_pass.run(from, to, frames),
                None => listener.high_pass.reset(),
            }
            if rms {
                frames.iter_mut().for_each(|x| *x = math::sqrt(listener.mean.low(mean, *x * *x)));
            } else {
                frames.iter_mut().for_each(|x| *x = x.abs());
            }
        });
    }

    /// Whether all channels are turned down alike, and have been. RT.
    fn is_one(&self, link: Glide) -> bool {
        let mut pairs = self.channels.windows(2);
        link == Glide::still(100.0) && pairs.all(|pair| pair[0].ballistics == pair[1].ballistics)
    }

    /// The poles of two times in ms. RT.
    fn poles(&mut self, attack: f64, release: f64) -> (f64, f64) {
        let (rate, [of_attack, of_release]) = (self.rate, &mut self.poles);
        (of_attack.of(attack, |ms| pole(ms, rate)), of_release.of(release, |ms| pole(ms, rate)))
    }
}

keep!(Listener: high_pass, mean);
keep!(Channel: line, ballistics);
keep!(Compressor: listeners, channels);

impl Kernel for Compressor {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[threshold, ratio, attack, release, knee, makeup, rms, link, _, _, high_pass] = io.values else { return };
        self.listen(io, high_pass, rms.to == 1.0);
        let (attack, release) = self.poles(attack.to, release.to);
        let curve = Curve { threshold, ratio, knee };
        let (frames, is_one) = (io.frames.clone(), self.is_one(link));
        let mut first: Option<(Buffer, Ballistics)> = None;
        for (index, (channel, sound)) in self.channels.iter_mut().zip(io.audio.iter_mut()).enumerate() {
            let (mut all, ballistics) = first.filter(|_| is_one).unwrap_or_else(|| {
                let mut all: Buffer = [1.0; QUANTUM];
                let (gain, mut ballistics) = (&mut all[frames.clone()], channel.ballistics);
                mixed(self.ear.own(index), self.ear.loudest(), link, frames.clone(), gain);
                curve.reductions(gain);
                ballistics.run(gain, attack, release);
                io.reduced = gain.iter().fold(io.reduced, |most, down| most.max(*down));
                gains(gain);
                (all, ballistics)
            });
            first = Some((all, ballistics));
            channel.ballistics = ballistics;
            let (gain, sound) = (&mut all[frames.clone()], &mut sound[frames.clone()]);
            makeup.scale(gain);
            if self.lookahead > 0 {
                sound.iter_mut().for_each(|x| *x = channel.line.delay(*x, self.lookahead));
            }
            sound.iter_mut().zip(gain).for_each(|(x, gain)| *x *= *gain);
        }
    }

    fn fall_in(&mut self, io: &Io<'_>, abreast: &mut Abreast, lane: usize) -> bool {
        let &[threshold, ratio, attack, release, knee, makeup, rms, link, _, _, high_pass] = io.values else {
            return false;
        };
        if rms.to == 1.0 || link.to != 100.0 || high_pass.to != KEY_FILTER_OFF {
            return false;
        }
        self.listeners.iter_mut().for_each(|listener| listener.high_pass.reset());
        let (attack, release) = self.poles(attack.to, release.to);
        let quiet = math::gain_from_db(bend(threshold.to, knee.to));
        let (threshold, ratio, knee, makeup) = (threshold.to, ratio.to, knee.to, makeup.to);
        let numbers = Turn { threshold, ratio, knee, quiet, attack, release, makeup };
        for (channel, lane) in self.channels.iter().zip(lane..) {
            abreast.put_turn(lane, &numbers, channel.ballistics);
        }
        true
    }

    fn fall_out(&mut self, abreast: &Abreast, lane: usize) {
        self.channels.iter_mut().zip(lane..).for_each(|(channel, lane)| channel.ballistics = abreast.take_turn(lane));
    }

    fn reset(&mut self) {
        self.listeners.fill(Listener::default());
        for channel in &mut self.channels {
            channel.line.clear();
            channel.ballistics = Ballistics::default();
        }
    }
}

/// A channel's level and the loudest one's, each with its share. RT.
fn mixed(own: &Buffer, loudest: &Buffer, link: Glide, frames: Range<usize>, levels: &mut [f64]) {
    let (own, loudest, count) = (&own[frames.clone()], &loudest[frames], levels.len());
    for (n, ((level, own), loudest)) in levels.iter_mut().zip(own).zip(loudest).enumerate() {
        let link = link.at(n, count) / 100.0;
        *level = (1.0 - link) * own + link * loudest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, noise, rms, sine};

    /// A compressor with the settings that the published figures are given for.
    fn bench() -> Bench {
        Bench::new(&COMPRESSOR, 1).set("threshold", -20.0).set("ratio", 4.0)
    }

    fn db(x: f64) -> f64 {
        math::db_from_gain(x.abs())
    }

    #[test]
    fn the_static_curve_holds() {
        for (level, out) in [(-23.0, -23.0), (-20.0, -20.5625), (-17.0, -19.25), (-10.0, -17.5), (0.0, -15.0)] {
            let output = bench().run_mono(&vec![math::gain_from_db(level); 48_000]);
            assert!((db(output[47_999]) - out).abs() < 0.01, "{level} gave {}, not {out}", db(output[47_999]));
        }
    }

    #[test]
    fn a_steady_sine_is_turned_down_by_its_peak() {
        // RMS is 3.01 dB below the peak; the curve takes -10 to -17.5.
        let output = bench().run_mono(&sine(1000.0, -10.0, RATE, 96_000));
        let level = rms(&output[48_000..]) + 3.0103;
        assert!((level + 17.5).abs() < 0.03, "{level}");
    }

    #[test]
    fn the_rms_detector_hears_a_sine_three_db_lower() {
        // -7 dBFS peak is -10.01 dBFS RMS, of which 7.5 are taken.
        let output = bench().set("detector", 1.0).run_mono(&sine(1000.0, -7.0, RATE, 96_000));
        let level = rms(&output[48_000..]) + 3.0103;
        assert!((level + 7.0 + 0.75 * 9.9897).abs() < 0.05, "{level}");
    }

    #[test]
    fn an_attack_of_10_ms_is_63_percent_done_after_10_ms() {
        let mut bench = bench().set("attack", 10.0);
        let mut input = vec![0.001; 4800];
        input.resize(52_800, 1.0);
        let output = bench.run_mono(&input);
        let goal = 15.0 * (1.0 - math::exp(-1.0));
        let frames = output[4800..].iter().position(|x| db(*x) <= -goal).unwrap() as f64;
        assert!((frames / 480.0 - 1.0).abs() < 0.02, "{frames} frames");
    }

    #[test]
    fn a_release_of_100_ms_is_63_percent_done_after_100_ms_and_a_lag() {
        let mut input = vec![1.0; 48_000];
        input.resize(96_000, 0.001);
        let output = bench().set("attack", 10.0).set("release", 100.0).run_mono(&input);
        let down = |x: f64| -db(x / 0.001);
        let frames = output[48_000..].iter().position(|x| down(*x) <= 15.0 * math::exp(-1.0)).unwrap() as f64;
        assert!((frames / 48.0 - 110.5).abs() < 0.2, "{frames} frames");
    }

    #[test]
    fn look_ahead_has_turned_down_when_the_sound_arrives() {
        let mut input = vec![0.001; 4800];
        input.resize(9600, 1.0);
        for ms in [0.0, 1.0, 5.0] {
            let mut bench = bench().set("attack", 1.0).set("lookahead", ms);
            let first = db(bench.run_mono(&input)[4800 + bench.latency()]);
            let expected = -15.0 * (1.0 - math::exp(-(ms * 48.0 + 1.0) / 48.0));
            assert!((first - expected).abs() < 0.01, "{ms} ms: {first}, not {expected}");
        }
    }

    #[test]
    fn under_a_silent_key_the_output_equals_the_input() {
        let input = [noise(1, 10_000), noise(2, 10_000)];
        let output = Bench::new(&COMPRESSOR, 2).key(1).run_keyed(&input, &[vec![0.0; 10_000]]);
        assert!(output == input);
    }

    #[test]
    fn a_key_turns_down_what_it_does_not_sound_in() {
        let input = vec![math::gain_from_db(-40.0); 48_000];
        let output = bench().key(2).run_keyed(&[input], &[vec![0.0; 48_000], vec![-1.0; 48_000]]).remove(0);
        assert!((db(output[47_999]) + 55.0).abs() < 0.01);
    }

    #[test]
    fn a_filtered_key_does_not_hear_lows() {
        let key = sine(40.0, 0.0, RATE, 48_000);
        let input = vec![vec![0.1; 48_000]];
        let heard = bench().key(1).run_keyed(&input, std::slice::from_ref(&key)).remove(0);
        let not = bench().key(1).set("key_high_pass", 1000.0).run_keyed(&input, &[key]).remove(0);
        assert!(db(heard[47_999]) < -34.0 && not[47_999] == 0.1, "{} {}", db(heard[47_999]), db(not[47_999]));
    }

    #[test]
    fn linked_channels_keep_their_balance_and_unlinked_ones_do_not() {
        let input = [vec![1.0; 48_000], vec![0.01; 48_000]];
        let quiet = |link| db(bench_stereo(link).run(&input)[1][47_999]);
        assert!((quiet(100.0) + 55.0).abs() < 0.01 && (quiet(0.0) + 40.0).abs() < 1e-9);
    }

    fn bench_stereo(link: f64) -> Bench {
        Bench::new(&COMPRESSOR, 2).set("threshold", -20.0).set("ratio", 4.0).set("link", link)
    }

    #[test]
    fn look_ahead_delays_by_the_latency_it_declares() {
        let mut bench = bench().set("lookahead", 5.0);
        let mut input = vec![0.0; 1000];
        input[0] = 0.01;
        assert_eq!(bench.latency(), 240);
        assert_eq!(bench.run_mono(&input).iter().position(|x| *x == 0.01), Some(240));
        assert_eq!(Bench::new(&COMPRESSOR, 1).latency(), 0);
    }

    #[test]
    fn edits_leave_no_click() {
        for (name, to) in [("threshold", -40.0), ("ratio", 20.0), ("knee", 0.0), ("makeup", 12.0), ("link", 0.0)] {
            let index = COMPRESSOR.index(name).unwrap();
            let click = click_of_edit(&mut Bench::new(&COMPRESSOR, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "{name}: {click}");
        }
        for (name, to) in [("attack", 5.0), ("release", 50.0), ("key_high_pass", 300.0)] {
            let index = COMPRESSOR.index(name).unwrap();
            let mut bench = Bench::new(&COMPRESSOR, 2).set("threshold", -24.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "{name}: {click}");
        }
    }
}
