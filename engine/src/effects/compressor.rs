//! `compressor`: turns down what is louder than a threshold.
//!
//! Gain computer, decoupled smoothing of the reduction in dB: Giannoulis, Massberg and Reiss, "Digital Dynamic Range
//! Compressor Design" (2012).

use super::{no_tail, same_channels};
use crate::delay_line::DelayLine;
use crate::dynamics::{Ballistics, Ear, reduction};
use crate::filters::{Filter, Section, butterworth_q};
use crate::kernel::{Glide, Io, Kernel};
use crate::math;
use crate::one_pole::{OnePole, pole};
use crate::parameter::{Law, Parameter, Recipe, Table};
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
        Parameter::number(LOOKAHEAD, Unit::Milliseconds, 0.0, 0.0, 20.0, "delays the sound, not what is listened to")
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
    kernel: |recipe| Box::new(Compressor::new(recipe)),
};

const LOOKAHEAD: &str = "lookahead";

/// What stands for no filter: so low that to glide from here to a frequency does not jump.
const KEY_FILTER_OFF: f64 = 1.0;

/// The constant of the mean that `rms` takes.
const MEAN_MS: f64 = 10.0;

fn lookahead(recipe: &Recipe) -> usize {
    let ms = COMPRESSOR.index(LOOKAHEAD).and_then(|index| recipe.values.get(index)).copied().unwrap_or(0.0);
    recipe.clock.frames(ms) as usize
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

struct Compressor {
    ear: Ear,
    listeners: Vec<Listener>,
    channels: Vec<Channel>,
    lookahead: usize,
    mean: f64,
    rate: f64,
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
        }
    }

    /// Measures the levels of what is listened to. RT.
    fn listen(&mut self, io: &Io<'_>, high_pass: Glide, rms: bool) {
        let section = |freq| Section::high_pass(freq, butterworth_q(2, 0), self.rate);
        let (from, to) = (section(high_pass.from), section(high_pass.to));
        let off = high_pass == Glide::still(KEY_FILTER_OFF);
        let (listeners, mean) = (&mut self.listeners, self.mean);
        self.ear.listen(io, |channel, frames| {
            let Some(listener) = listeners.get_mut(channel) else { return };
            if off {
                listener.high_pass.reset();
            } else {
                listener.high_pass.run(&from, &to, frames);
            }
            if rms {
                frames.iter_mut().for_each(|x| *x = math::sqrt(listener.mean.low(mean, *x * *x)));
            } else {
                frames.iter_mut().for_each(|x| *x = x.abs());
            }
        });
    }
}

impl Kernel for Compressor {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[threshold, ratio, attack, release, knee, makeup, rms, link, _, _, high_pass] = io.values else { return };
        self.listen(io, high_pass, rms.to == 1.0);
        let count = io.frames.len();
        let (attack, release) = (pole(attack.to, self.rate), pole(release.to, self.rate));
        // Where the bend begins, which saves most quiet frames a logarithm.
        let quiet = (threshold.from - knee.from / 2.0).min(threshold.to - knee.to / 2.0);
        let quiet = math::gain_from_db(quiet);
        for (index, (channel, sound)) in self.channels.iter_mut().zip(io.audio.iter_mut()).enumerate() {
            let (own, loudest) = (self.ear.own(index), self.ear.loudest());
            for (n, i) in io.frames.clone().enumerate() {
                let link = link.at(n, count) / 100.0;
                let level = (1.0 - link) * own[i] + link * loudest[i];
                let wanted = if level > quiet {
                    reduction(math::db_from_gain(level), threshold.at(n, count), ratio.at(n, count), knee.at(n, count))
                } else {
                    0.0
                };
                let down = channel.ballistics.step(wanted, attack, release);
                let gain = if down == 0.0 { 1.0 } else { math::gain_from_db(-down) };
                sound[i] = channel.line.delay(sound[i], self.lookahead) * (gain * makeup.at(n, count));
            }
        }
    }

    fn reset(&mut self) {
        self.listeners.fill(Listener::default());
        for channel in &mut self.channels {
            channel.line.clear();
            channel.ballistics = Ballistics::default();
        }
    }
}
