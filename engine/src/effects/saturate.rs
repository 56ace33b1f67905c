//! `saturate`: a curve that bends the waveform. What it adds stays harmonic by two means: it is bent at a higher rate, and by
//! the curve's means rather than its values.

use super::no_tail;
use crate::curves::{Bender, Curve, Makeup, Place};
use crate::filters::Section;
use crate::filters::cascade::Cascade;
use crate::keep::keep;
use crate::kernel::{Glide, Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

const DRIVE: usize = 0;
const CURVE: usize = 1;
const BIAS: usize = 2;
const TONE: usize = 3;
const OVERSAMPLE: usize = 4;
const AUTO_GAIN: usize = 5;
const ADAA: usize = 6;

/// Where `tone` turns, in Hz.
const TONE_CENTRE: f64 = 1000.0;

/// `saturate(drive)`.
pub static SATURATE: Table = Table {
    word: "saturate",
    summary: "Bends the waveform by a curve: warmth at a little drive, distortion at much.",
    example: "x >> saturate(9).curve(\"tape\")",
    arguments: &["drive"],
    parameters: &[
        Parameter::number("drive", Unit::Decibels, 6.0, 0.0, 48.0, "level into the curve").law(Law::Amplitude),
        Parameter::choice("curve", Curve::WORDS, "from even to uneven, from round to sharp; fold turns peaks over"),
        Parameter::number(
            "bias",
            Unit::Plain,
            0.0,
            -1.0,
            1.0,
            "moves the curve's rest, which adds even harmonics; what it adds at 0 Hz `dc_block()` takes away",
        ),
        Parameter::number(
            "tone",
            Unit::Decibels,
            0.0,
            -12.0,
            12.0,
            "tilts what leaves about 1 kHz; above 0 is brighter",
        ),
        Parameter::steps("oversample", Unit::Plain, 4.0, &[1.0, 2.0, 4.0, 8.0, 16.0], "times the sample rate"),
        Parameter::flag(
            "auto_gain",
            true,
            "a sine at -18 dBFS leaves as loud as it came, whatever the drive; folded at much of it, less what lies beyond 20 kHz",
        ),
        Parameter::flag(
            "adaa",
            true,
            "bends by means of the curve: fewer aliases, 1 frame later (2 or 4 below 4 times)",
        ),
    ],
    parts: &[],
    mix: 100.0,
    channels: super::same_channels,
    latency: |recipe| Bender::latency(factor(recipe), means(recipe)),
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn factor(recipe: &Recipe) -> usize {
    recipe.values[OVERSAMPLE] as usize
}

/// Whether it bends by means.
fn means(recipe: &Recipe) -> bool {
    recipe.values[ADAA] != 0.0
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let tilt = |values: &[f64], rate: f64, sections: &mut [Section]| {
        sections.fill(Section::tilt(TONE_CENTRE, values[0], rate));
    };
    let tone = recipe.values[TONE];
    let curve = Curve::of_choice(recipe.values[CURVE]);
    let makeup = recipe.values[AUTO_GAIN] != 0.0;
    Box::new(Saturate {
        curve,
        makeup: makeup.then(|| Makeup::new(curve, recipe.values[DRIVE], recipe.values[BIAS])),
        channels: (0..recipe.channels).map(|_| Bender::new(curve, factor(recipe), means(recipe))).collect(),
        tone: Cascade::new(tilt, &[tone], 1, recipe.channels, recipe.rate()),
    })
}

struct Saturate {
    curve: Curve,
    makeup: Option<Makeup>,
    channels: Vec<Bender>,
    tone: Cascade,
}

keep!(Saturate: channels, tone);

impl Kernel for Saturate {
    fn process(&mut self, io: &mut Io<'_>) {
        let (drive, bias) = (io.values[DRIVE], io.values[BIAS]);
        let raised = self.makeup.as_mut().map_or(Glide::still(1.0), |makeup| makeup.follow(drive, bias));
        let curve = self.curve;
        let rest = curve.bend(bias.to);
        for (channel, bender) in io.audio.iter_mut().zip(&mut self.channels) {
            bender.process(&mut channel[io.frames.clone()], |i, count, x| {
                let place = drive.at(i, count) * x + bias.at(i, count);
                let rest = if bias.is_still() { rest } else { curve.bend(bias.at(i, count)) };
                Place { x: place, rest, gain: 1.0, raised: raised.at(i, count) }
            });
        }
        self.tone.process(&io.values[TONE..=TONE], io.audio, io.frames.clone());
    }

    fn reset(&mut self) {
        self.channels.iter_mut().for_each(Bender::reset);
        self.tone.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, db_of_power, level_at, rms, sine, spectrum};

    const CURVES: usize = 6;

    /// The power from 20 Hz to 20 kHz of what is no harmonic of 4187 Hz, against the fundamental, in dB.
    fn aliases(curve: usize, drive: f64, oversample: f64, adaa: f64) -> f64 {
        let bench = Bench::new(&SATURATE, 1).set("curve", curve as f64).set("drive", drive);
        let mut bench = bench.set("oversample", oversample).set("adaa", adaa);
        let out = bench.run_mono(&sine(4187.0, 0.0, RATE, 50_000));
        let bins = spectrum(&out[2000..]);
        let power: f64 = (20..=20_000).filter(|bin| bin % 4187 != 0).map(|bin| bins[bin]).sum();
        db_of_power(power / bins[4187])
    }

    #[test]
    fn tanh_at_12_db_leaves_aliases_below_100_db_at_4_times() {
        for adaa in [0.0, 1.0] {
            let found = aliases(0, 12.0, 4.0, adaa);
            assert!(found < -100.0, "{found} dB");
        }
    }

    #[test]
    fn aliases_of_tanh_and_of_hard_clipping_are_the_published_ones() {
        // At 1 and 2 times the figures are those of ideal filters; tolerance for what the filters here let by.
        for (curve, drive, oversample, expected) in [
            (0, 6.0, 1.0, -41.0),
            (0, 12.0, 1.0, -25.0),
            (0, 12.0, 2.0, -65.0),
            (0, 24.0, 2.0, -26.0),
            (0, 24.0, 4.0, -47.0),
            (4, 12.0, 1.0, -21.0),
            (4, 12.0, 4.0, -50.0),
            (4, 12.0, 16.0, -74.0),
        ] {
            let found = aliases(curve, drive, oversample, 0.0);
            assert!((found - expected).abs() < 1.0, "curve {curve}, {drive} dB, {oversample} times: {found} dB");
        }
    }

    #[test]
    fn aliases_of_means_are_the_published_ones() {
        // Means lose highs, aliases among them, which are given back here: up to 2 dB at 2 times and more.
        for (drive, oversample, expected) in [
            (6.0, 1.0, -48.0),
            (12.0, 1.0, -32.0),
            (12.0, 2.0, -81.0),
            (24.0, 1.0, -23.0),
            (24.0, 2.0, -43.0),
            (24.0, 4.0, -73.0),
        ] {
            let found = aliases(0, drive, oversample, 1.0);
            assert!((found - expected).abs() < 2.0, "{drive} dB, {oversample} times: {found} dB");
        }
        for (drive, oversample) in [(6.0, 2.0), (6.0, 4.0), (12.0, 4.0)] {
            assert!(aliases(0, drive, oversample, 1.0) < -105.0, "what the filters let by is all that there is");
        }
    }

    #[test]
    fn means_leave_fewer_aliases_than_values_for_every_curve() {
        for curve in 0..CURVES {
            let (values, means) = (aliases(curve, 18.0, 2.0, 0.0), aliases(curve, 18.0, 2.0, 1.0));
            // Below the last figure is what the filters let by.
            assert!(means < (values - 8.0).max(-105.0), "curve {curve}: {values} dB, by means {means} dB");
        }
    }

    #[test]
    fn auto_gain_keeps_the_level_of_a_sine_at_18_dbfs() {
        for curve in 0..CURVES {
            for drive in [0.0, 12.0, 30.0] {
                let mut bench = Bench::new(&SATURATE, 1).set("curve", curve as f64).set("drive", drive);
                let out = bench.run_mono(&sine(100.0, -18.0, RATE, 9600));
                let steady = &out[4800..];
                let offset = steady.iter().sum::<f64>() / steady.len() as f64;
                let level = rms(&steady.iter().map(|x| x - offset).collect::<Vec<_>>());
                assert!((level + 21.01).abs() < 0.05, "curve {curve}, {drive} dB: {level} dB");
            }
        }
    }

    #[test]
    fn without_auto_gain_a_small_signal_leaves_louder_by_the_drive() {
        let mut bench = Bench::new(&SATURATE, 1).set("drive", 20.0).set("auto_gain", 0.0);
        let out = bench.run_mono(&sine(997.0, -90.0, RATE, 9600));
        assert!((level_at(&out[4800..], 997.0, RATE) + 70.0).abs() < 1e-3);
    }

    #[test]
    fn an_odd_curve_gives_no_second_harmonic_until_there_is_a_bias() {
        let second = |curve: f64, bias: f64| {
            let mut bench = Bench::new(&SATURATE, 1).set("curve", curve).set("bias", bias);
            let bins = spectrum(&bench.run_mono(&sine(1000.0, -6.0, RATE, 9600))[4800..]);
            db_of_power(bins[200] / bins[100])
        };
        assert!(second(0.0, 0.0) < -150.0);
        assert!(second(0.0, 0.3) > -30.0);
        assert!(second(1.0, 0.0) > -30.0);
    }

    #[test]
    fn silence_stays_silent_whatever_the_bias() {
        for curve in 0..CURVES {
            let mut bench = Bench::new(&SATURATE, 1).set("curve", curve as f64).set("bias", 0.7);
            assert!(bench.run_mono(&[0.0; 500]).iter().all(|x| *x == 0.0), "curve {curve}");
        }
    }

    #[test]
    fn a_small_signal_is_the_input_delayed_by_the_declared_latency() {
        for (oversample, adaa) in [1.0, 2.0, 4.0, 8.0, 16.0].into_iter().flat_map(|times| [(times, 0.0), (times, 1.0)])
        {
            let bench = Bench::new(&SATURATE, 1).set("drive", 0.0).set("auto_gain", 0.0);
            let mut bench = bench.set("oversample", oversample).set("adaa", adaa);
            // By means it is flat as far as a quarter of the rate that is worked at.
            let freq = if adaa == 1.0 { 2500.0 * oversample.min(6.0) } else { 15_000.0 };
            let (input, lag) = (sine(freq, -90.0, RATE, 4800), bench.latency());
            let out = bench.run_mono(&input);
            let left: Vec<f64> = (1000..4800).map(|i| out[i] - input[i - lag]).collect();
            let level = level_at(&left, freq, RATE) + 90.0;
            assert!(level < -80.0, "{oversample} times, {adaa}: {level} dB");
        }
    }

    #[test]
    fn tone_tilts_about_1_khz() {
        for (freq, expected) in [(50.0, -6.0), (1000.0, 0.0), (15_000.0, 6.0)] {
            let run = |tone| {
                let mut bench = Bench::new(&SATURATE, 1).set("tone", tone);
                level_at(&bench.run_mono(&sine(freq, -60.0, RATE, 48_000))[24_000..], freq, RATE)
            };
            let change = run(6.0) - run(0.0);
            assert!((change - expected).abs() < 0.1, "{freq} Hz: {change} dB");
        }
    }

    #[test]
    fn an_edit_of_drive_or_bias_or_tone_does_not_click() {
        for (index, to) in [(DRIVE, 18.0), (DRIVE, 0.0), (BIAS, 0.5), (TONE, -6.0), (TONE, 12.0)] {
            // Well below the curve's bend, so that what is heard is the edit and not the harmonics of the sine.
            let mut bench = Bench::new(&SATURATE, 1).set("drive", 6.0).set("curve", 2.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
