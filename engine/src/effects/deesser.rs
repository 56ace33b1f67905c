//! `deesser`: turns down sibilants, the hiss of an s.
//!
//! What is above its frequency is listened to, and turned down by the compressor of [`crate::dynamics`]: in split mode by a
//! shelf that follows the reduction frame by frame, so that what is below stays, in wide mode all of the sound. With nothing
//! to reduce the output is the input, exactly: no crossover stands in its way.

use super::{no_latency, no_tail, same_channels};
use crate::dynamics::{Ballistics, reduction};
use crate::filters::{Filter, Section, butterworth_q};
use crate::keep::keep;
use crate::kernel::{Buffer, Io, Kernel, QUANTUM};
use crate::math;
use crate::one_pole::pole;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// `deesser(freq)`.
pub static DEESSER: Table = Table {
    word: "deesser",
    summary: "Turns down the hiss of an s while it is louder than a threshold; all channels together.",
    example: "x >> deesser(6500).threshold(-30)",
    arguments: &["freq"],
    parameters: &[
        Parameter::number("freq", Unit::Hertz, 6000.0, 1000.0, 16_000.0, "what is above it is listened to"),
        Parameter::number("threshold", Unit::Decibels, -24.0, -60.0, 0.0, "the level above which it works"),
        Parameter::number(
            "ratio",
            Unit::Plain,
            4.0,
            1.0,
            100.0,
            "dB of hiss for one dB of it that leaves, above the threshold",
        ),
        Parameter::choice("mode", &["split", "wide"], "turns down what is above its frequency, or everything"),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Deesser::new(recipe)),
};

/// The width of the bend round the threshold, in dB.
const KNEE: f64 = 6.0;

/// The corner of the shelf against the frequency: so that it has half of its 12 dB there, and nearly all an octave above.
const CORNER: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// As quick as an s comes, and as slow as does not rattle.
const ATTACK_MS: f64 = 1.0;
const RELEASE_MS: f64 = 60.0;

/// A filter, and what it gives.
#[derive(Clone)]
struct Heard {
    filter: Filter,
    sound: Buffer,
}

/// What is heard of one channel.
struct Channel {
    /// What is above the frequency.
    hiss: Heard,
    /// What is above the shelf's corner, and what is round it.
    high: Heard,
    corner: Heard,
}

struct Deesser {
    channels: Vec<Channel>,
    ballistics: Ballistics,
    split: bool,
    attack: f64,
    release: f64,
    rate: f64,
}

keep!(Heard: filter);
keep!(Channel: hiss, high, corner);
keep!(Deesser: channels, ballistics);

impl Deesser {
    fn new(recipe: &Recipe) -> Self {
        let heard = Heard { filter: Filter::default(), sound: [0.0; QUANTUM] };
        let channel = || Channel { hiss: heard.clone(), high: heard.clone(), corner: heard.clone() };
        Deesser {
            channels: (0..recipe.channels).map(|_| channel()).collect(),
            ballistics: Ballistics::default(),
            split: DEESSER.value(recipe, "mode") == 0.0,
            attack: pole(ATTACK_MS, recipe.rate()),
            release: pole(RELEASE_MS, recipe.rate()),
            rate: recipe.rate(),
        }
    }
}

/// What is above a frequency. RT.
fn above(freq: f64, rate: f64) -> Section {
    Section::high_pass(freq, butterworth_q(2, 0), rate)
}

/// What is round it: with what is above and what is below, that is all. RT.
fn round(freq: f64, rate: f64) -> Section {
    Section::band_pass(freq, butterworth_q(2, 0), rate)
}

impl Kernel for Deesser {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[freq, threshold, ratio, _] = io.values else { return };
        let sections = |design: fn(f64, f64) -> Section, corner: f64| {
            (design(corner * freq.from, self.rate), design(corner * freq.to, self.rate))
        };
        let designs = [sections(above, 1.0), sections(above, CORNER), sections(round, CORNER)];
        for (Channel { hiss, high, corner }, sound) in self.channels.iter_mut().zip(io.audio.iter()) {
            for (heard, (from, to)) in [hiss, high, corner].into_iter().zip(&designs) {
                let frames = &mut heard.sound[io.frames.clone()];
                frames.copy_from_slice(&sound[io.frames.clone()]);
                heard.filter.run(from, to, frames);
            }
        }
        let count = io.frames.len();
        for (n, i) in io.frames.clone().enumerate() {
            let level = self.channels.iter().fold(0.0_f64, |most, channel| most.max(channel.hiss.sound[i].abs()));
            let level = math::db_from_gain(level);
            let wanted = reduction(level, threshold.at(n, count), ratio.at(n, count), KNEE);
            let down = self.ballistics.step(wanted, self.attack, self.release);
            if down == 0.0 {
                continue;
            }
            io.reduced = io.reduced.max(down);
            let gain = math::gain_from_db(-down);
            // The shelf `(s² gain + s k √gain + 1) / (s² + s k + 1)`, told by what it takes away.
            let root = math::sqrt(gain);
            for (sound, channel) in io.audio.iter_mut().zip(&self.channels) {
                if self.split {
                    sound[i] -= (1.0 - gain) * channel.high.sound[i] + (1.0 - root) * channel.corner.sound[i];
                } else {
                    sound[i] *= gain;
                }
            }
        }
    }

    fn reset(&mut self) {
        for Channel { hiss, high, corner } in &mut self.channels {
            [hiss, high, corner].into_iter().for_each(|heard| heard.filter.reset());
        }
        self.ballistics = Ballistics::default();
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, db_of_power, level_at, noise, sine};

    const WIDE: f64 = 1.0;

    /// The level that a tone of `level` dBFS leaves with once it has lasted, and that of one of -30 dBFS at 300 Hz beside it.
    fn levels(bench: Bench, freq: f64, level: f64) -> (f64, f64) {
        let (mut bench, low) = (bench, sine(300.0, -30.0, RATE, 48_000));
        let input: Vec<f64> = sine(freq, level, RATE, 48_000).iter().zip(low).map(|(a, b)| a + b).collect();
        let output = bench.run_mono(&input);
        (level_at(&output[24_000..], freq, RATE), level_at(&output[24_000..], 300.0, RATE))
    }

    #[test]
    fn a_hiss_is_turned_down_by_the_static_curve() {
        // What a high-pass at 6 kHz leaves of it.
        let heard = -6.0 + above(6000.0, RATE).gain_db(11_000.0, RATE);
        for ratio in [2.0, 4.0, 20.0] {
            let expected = -6.0 - reduction(heard, -24.0, ratio, KNEE);
            let (got, _) = levels(Bench::new(&DEESSER, 1).set("ratio", ratio).set("mode", WIDE), 11_000.0, -6.0);
            assert!((got - expected).abs() < 0.1, "{ratio}:1 gave {got}, not {expected}");
        }
    }

    #[test]
    fn split_leaves_what_is_below_its_frequency_and_wide_does_not() {
        let (hiss, low) = levels(Bench::new(&DEESSER, 1), 11_000.0, -6.0);
        let (all, wide) = levels(Bench::new(&DEESSER, 1).set("mode", WIDE), 11_000.0, -6.0);
        assert!((low + 30.0).abs() < 0.1, "{low}");
        assert!((wide + 30.0 - (all + 6.0)).abs() < 0.1, "{wide} where the hiss has {all}");
        assert!((hiss - all).abs() < 1.2 && hiss < -15.0, "{hiss} where wide has {all}");
    }

    #[test]
    fn the_shelf_of_split_is_the_analogue_one_without_a_bump() {
        let (high, corner) = (above(CORNER * 6000.0, RATE), round(CORNER * 6000.0, RATE));
        let power = |gain: f64, freq: f64| {
            let (high, corner) = (high.response(freq, RATE), corner.response(freq, RATE));
            let part = |high: f64, corner: f64| (1.0 - gain) * high + (1.0 - math::sqrt(gain)) * corner;
            let (re, im) = (1.0 - part(high.0, corner.0), part(high.1, corner.1));
            re * re + im * im
        };
        for db in [-3.0, -12.0, -24.0] {
            let gain = math::gain_from_db(db);
            for freq in (1..240).map(|n| f64::from(n) * 100.0) {
                // Frequencies as the bilinear transform has them.
                let s = math::tan(PI * freq / RATE) / math::tan(PI * CORNER * 6000.0 / RATE);
                let analogue = (1.0 + gain * gain * math::pow(s, 4.0)) / (1.0 + math::pow(s, 4.0));
                assert!((power(gain, freq) / analogue - 1.0).abs() < 1e-9, "{db} dB at {freq} Hz");
            }
        }
        let half = db_of_power(power(math::gain_from_db(-12.0), 6000.0));
        assert!((half + 6.0).abs() < 0.4, "{half}");
    }

    #[test]
    fn what_does_not_hiss_passes_exactly() {
        for mode in [0.0, WIDE] {
            let input = sine(300.0, 0.0, RATE, 24_000);
            assert!(Bench::new(&DEESSER, 1).set("mode", mode).run_mono(&input) == input);
            let quiet: Vec<f64> = noise(1, 24_000).iter().map(|x| x * 0.02).collect();
            assert!(Bench::new(&DEESSER, 1).set("mode", mode).run_mono(&quiet) == quiet);
        }
    }

    #[test]
    fn it_comes_and_goes_in_its_times() {
        let level = |i: usize| if i < 24_000 { 1.0 } else { 0.001 };
        let hiss = sine(11_000.0, 0.0, RATE, 48_000).iter().enumerate().map(|(i, x)| x * level(i)).collect();
        let steady = vec![0.001; 48_000];
        let gain = Bench::new(&DEESSER, 2).set("mode", WIDE).run(&[hiss, steady]).remove(1);
        let down = |frame: usize| -math::db_from_gain(gain[frame] / 0.001);
        let full = down(23_999);
        let reached = (0..).find(|i| down(*i) >= full * (1.0 - math::exp(-1.0))).unwrap();
        assert!((45..=60).contains(&reached), "{reached} frames");
        // It lags by the attack, and by what the filter rings.
        let left = (24_000..).find(|i| down(*i) <= full * math::exp(-1.0)).unwrap() - 24_000;
        assert!((2880..=2990).contains(&left), "{left} frames");
    }

    #[test]
    fn both_channels_are_turned_down_together() {
        let (hiss, other) = (sine(11_000.0, -6.0, RATE, 24_000), vec![0.5; 24_000]);
        let output = Bench::new(&DEESSER, 2).set("mode", WIDE).run(&[hiss, other]);
        assert!(output[1][23_999] < 0.25, "{}", output[1][23_999]);
    }

    #[test]
    fn edits_leave_no_click() {
        for mode in [0.0, WIDE] {
            for (name, to) in [("freq", 4000.0), ("threshold", -40.0), ("ratio", 20.0)] {
                let index = DEESSER.index(name).unwrap();
                // So that it hears the tone of 100 Hz and works on it.
                let mut bench = Bench::new(&DEESSER, 2).set("freq", 1000.0).set("threshold", -60.0).set("mode", mode);
                let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
                assert!(click < -80.0, "{name}: {click}");
            }
        }
    }
}
