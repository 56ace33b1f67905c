//! Rounding to whole steps with dither, flat or shaped: what integer files and the effect `dither` share.
//!
//! The dither is triangular, the sum of two even spreads of one step each, so that the error's mean and power do not depend
//! on the signal (Lipshitz, Wannamaker and Vanderkooy, "Quantization and dither: a theoretical survey", 1992). A shape feeds
//! the total error e of the frames before back: with `H(z) = 1 - c1 z^-1 - c2 z^-2 ...` what is left is `H e`, whose
//! spectrum is that of H. By the theorem of Gerzon and Craven (1989) such noise is louder than flat noise where it is not
//! quieter, in equal areas of decibels; the shapes put it where the ear hears least.

use std::f64::consts::PI;

use crate::keep::keep;
use crate::math;
use crate::random;

/// The spectrum of the noise that rounding leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// As loud at every frequency.
    #[default]
    Flat,
    /// The least noise that is heard, for any rate: the nine coefficients that leave least power when each frequency is
    /// weighted by the threshold of hearing (Terhardt, 1979, bounded at 30 dB), found as those of linear prediction
    /// (Verhelst and De Koning, "Noise shaping filter design for minimally audible signal requantization", 2001).
    Hearing,
    /// Five coefficients, at 44.1 or 48 kHz (Lipshitz, Vanderkooy and Wannamaker, "Minimally audible noise shaping", 1991).
    Lipshitz,
    /// Nine coefficients, F-weighted, at 44.1 or 48 kHz (Wannamaker, "Psychoacoustically optimal noise shaping", 1992).
    Wannamaker,
}

/// How samples become integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dither {
    /// Rounded: for what lies on the steps already.
    None,
    /// With triangular dither.
    Tpdf(Shape),
}

const LIPSHITZ: [f64; 5] = [2.033, -2.165, 1.959, -1.590, 0.6149];
const WANNAMAKER: [f64; 9] = [2.412, -3.370, 3.937, -4.174, 3.353, -2.205, 1.281, -0.569, 0.0847];

/// The coefficients of [`Shape::Hearing`].
const ORDER: usize = 9;

/// What no frequency's threshold of hearing counts above, in dB: more would trade silence that nobody hears for noise that
/// tweeters get.
const HIGHEST_THRESHOLD: f64 = 30.0;

/// Frequencies at which the threshold is taken.
const GRID: usize = 1024;

impl Shape {
    /// The names, in the order of [`Shape::ALL`].
    pub const NAMES: &[&str] = &["flat", "hearing", "lipshitz", "wannamaker"];

    /// Every shape.
    pub const ALL: [Shape; 4] = [Shape::Flat, Shape::Hearing, Shape::Lipshitz, Shape::Wannamaker];

    /// The coefficients c1, c2 ... at a rate in Hz.
    ///
    /// # Errors
    /// A shape that was not made for this rate.
    pub fn coefficients(self, rate: f64) -> Result<Vec<f64>, String> {
        match self {
            Shape::Flat => Ok(Vec::new()),
            Shape::Hearing => Ok(hearing(rate)),
            Shape::Lipshitz | Shape::Wannamaker if ![44_100.0, 48_000.0].contains(&rate) => {
                let name = Shape::NAMES[self as usize];
                Err(format!(
                    "the shape \"{name}\" is for 44100 and 48000 Hz, not {rate} Hz: \"hearing\" is for any rate"
                ))
            }
            Shape::Lipshitz => Ok(LIPSHITZ.to_vec()),
            Shape::Wannamaker => Ok(WANNAMAKER.to_vec()),
        }
    }
}

/// The threshold of hearing in dB at a frequency in Hz (Terhardt, "Calculating virtual pitch", 1979).
fn threshold(freq: f64) -> f64 {
    let khz = freq.max(20.0) / 1000.0;
    let squared = khz * khz;
    3.64 * math::pow(khz, -0.8) - 6.5 * math::exp(-0.6 * (khz - 3.3) * (khz - 3.3)) + 0.001 * squared * squared
}

/// By Levinson's recursion on the autocorrelation of what the threshold weights.
fn hearing(rate: f64) -> Vec<f64> {
    let mut correlation = [0.0; ORDER + 1];
    for i in 0..GRID {
        let angle = (i as f64 + 0.5) / GRID as f64 * PI;
        let level = threshold(angle / PI * rate / 2.0).min(HIGHEST_THRESHOLD);
        let weight = math::gain_from_db(-2.0 * level);
        correlation.iter_mut().enumerate().for_each(|(k, sum)| *sum += weight * math::cos(k as f64 * angle));
    }
    let mut filter = vec![1.0];
    let mut error = correlation[0];
    for order in 1..=ORDER {
        let sum: f64 = (0..order).map(|i| filter[i] * correlation[order - i]).sum();
        let reflection = -sum / error;
        filter.push(0.0);
        filter = (0..=order).map(|i| filter[i] + reflection * filter[order - i]).collect();
        error *= 1.0 - reflection * reflection;
    }
    filter[1..].iter().map(|coefficient| -coefficient).collect()
}

/// More than any total error of rounding that is meant: what comes of a sample that is not a number is forgotten.
const LARGEST_ERROR: f64 = 2.0;

/// Rounds the samples of some channels to integers.
#[derive(Clone, Debug)]
pub struct Rounder {
    /// What a sample of 1.0 becomes.
    scale: f64,
    channels: usize,
    dither: bool,
    coefficients: Vec<f64>,
    /// For each channel the total errors of the frames before, the latest first, in steps.
    errors: Vec<f64>,
}

keep!(Rounder: errors);

impl Rounder {
    /// For a depth in bits, at a rate in Hz.
    ///
    /// # Errors
    /// A shape that was not made for this rate.
    pub fn new(dither: Dither, bits: u32, rate: f64, channels: usize) -> Result<Rounder, String> {
        let coefficients = match dither {
            Dither::None => Vec::new(),
            Dither::Tpdf(shape) => shape.coefficients(rate)?,
        };
        let errors = vec![0.0; coefficients.len() * channels];
        let scale = (1u64 << (bits - 1)) as f64;
        Ok(Rounder { scale, channels, dither: dither != Dither::None, coefficients, errors })
    }

    /// What a sample of 1.0 becomes. RT.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The integer for a sample, in whatever range. Dither is a function of the seed, the frame and the channel. RT.
    pub fn round(&mut self, x: f64, seed: u64, frame: u64, channel: usize) -> f64 {
        let order = self.coefficients.len();
        let errors = &mut self.errors[channel * order..][..order];
        let fed_back: f64 = self.coefficients.iter().zip(errors.iter()).map(|(c, e)| c * e).sum();
        let aim = x * self.scale - fed_back;
        let noise = if self.dither {
            // Behind a latency frames before the transport's start lie at the far end of the count.
            let counter = frame.wrapping_mul(self.channels as u64).wrapping_add(channel as u64).wrapping_mul(2);
            random::even(seed, counter) + random::even(seed, counter + 1)
        } else {
            0.0
        };
        let rounded = (aim + noise + 0.5).floor();
        if order > 0 {
            let error = rounded - aim;
            errors.rotate_right(1);
            errors[0] = if error.abs() <= LARGEST_ERROR { error } else { 0.0 };
        }
        rounded
    }

    /// Forgets what was rounded before. RT.
    pub fn reset(&mut self) {
        self.errors.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{db_of_power, rms, sine, spectrum};

    /// |H|^2 at a frequency.
    fn response(coefficients: &[f64], freq: f64, rate: f64) -> f64 {
        let (mut re, mut im) = (1.0, 0.0);
        for (k, c) in coefficients.iter().enumerate() {
            let angle = 2.0 * PI * freq / rate * (k + 1) as f64;
            re -= c * math::cos(angle);
            im += c * math::sin(angle);
        }
        re * re + im * im
    }

    /// What remains of noise of this shape, against flat noise, when each frequency is weighted, in dB.
    fn weighted(coefficients: &[f64], rate: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let freqs: Vec<f64> = (0..4000).map(|i| (f64::from(i) + 0.5) / 4000.0 * rate / 2.0).collect();
        let flat: f64 = freqs.iter().map(|&freq| weight(freq)).sum();
        db_of_power(freqs.iter().map(|&freq| weight(freq) * response(coefficients, freq, rate)).sum::<f64>() / flat)
    }

    fn errors(shape: Shape, rate: f64, level: f64, frames: usize) -> Vec<f64> {
        let mut rounder = Rounder::new(Dither::Tpdf(shape), 16, rate, 1).unwrap();
        let sound = sine(997.0, level, rate, frames);
        let frames = sound.iter().enumerate();
        frames.map(|(i, &x)| rounder.round(x, 3, i as u64, 0) / rounder.scale() - x).collect()
    }

    #[test]
    fn shaped_noise_has_the_spectrum_of_its_published_filter() {
        // Power in sixteen bands, whatever the signal, against the mean of |H|^2 in each.
        let frames = 1 << 17;
        for (shape, rate) in [
            (Shape::Lipshitz, 44_100.0),
            (Shape::Wannamaker, 44_100.0),
            (Shape::Wannamaker, 48_000.0),
            (Shape::Hearing, 44_100.0),
            (Shape::Hearing, 96_000.0),
        ] {
            let coefficients = shape.coefficients(rate).unwrap();
            for level in [-200.0, -6.0] {
                // Under Hann's window, so that what is loud does not leak into what is quiet.
                let window =
                    |i: usize| math::sin(PI * i as f64 / frames as f64) * math::sin(PI * i as f64 / frames as f64);
                let errors = errors(shape, rate, level, frames);
                let windowed: Vec<f64> = errors.iter().enumerate().map(|(i, x)| x * window(i)).collect();
                let power = spectrum(&windowed);
                let band = frames / 2 / 16;
                for first in (0..16).map(|n| n * band) {
                    let found: f64 = power[first.max(1)..first + band].iter().sum();
                    // A line of the spectrum is the square of its amplitude: twice its part of the power.
                    let step = 1.0 / 32_768.0;
                    let line = |bin: usize| response(&coefficients, bin as f64 * rate / frames as f64, rate);
                    let mean = (first..first + band).step_by(64).map(line).sum::<f64>() / (band / 64) as f64;
                    let expected = 3.0 / 8.0 * 2.0 * mean * step * step / 4.0 / 16.0;
                    let off = db_of_power(found / expected);
                    assert!(off.abs() < 0.5, "{shape:?} at {rate}, {level} dB, band from {first}: {off} dB");
                }
            }
        }
    }

    #[test]
    fn shapes_are_quieter_to_the_ear_and_louder_in_all() {
        // Weighted by the inverse of the threshold of hearing (Terhardt, 1979); figures of the published coefficients.
        let ear = |freq: f64| math::gain_from_db(-2.0 * threshold(freq));
        for (shape, rate, to_the_ear, in_all) in [
            (Shape::Lipshitz, 44_100.0, -9.42, 12.19),
            (Shape::Wannamaker, 44_100.0, -11.43, 18.40),
            (Shape::Hearing, 44_100.0, -14.11, 10.44),
            (Shape::Hearing, 48_000.0, -15.23, 9.74),
            (Shape::Hearing, 96_000.0, -21.62, 5.26),
            (Shape::Hearing, 192_000.0, -24.26, 2.91),
        ] {
            let coefficients = shape.coefficients(rate).unwrap();
            let found = (weighted(&coefficients, rate, ear), weighted(&coefficients, rate, |_| 1.0));
            assert!((found.0 - to_the_ear).abs() < 0.05, "{shape:?} at {rate}: {found:?}");
            assert!((found.1 - in_all).abs() < 0.05, "{shape:?} at {rate}: {found:?}");
            if rate < 50_000.0 {
                let total = rms(&errors(shape, rate, -20.0, 1 << 16)) + 96.33;
                assert!((total - in_all).abs() < 0.2, "{shape:?} at {rate}: {total} dB over flat dither");
            }
        }
    }

    #[test]
    fn a_filter_of_noise_has_no_gain_over_all_octaves_together() {
        // Gerzon and Craven: the mean of log |H| is zero for a filter of least phase, which proves it to be one.
        for shape in [Shape::Lipshitz, Shape::Wannamaker, Shape::Hearing] {
            let coefficients = shape.coefficients(44_100.0).unwrap();
            let levels = (0..4000).map(|i| response(&coefficients, (f64::from(i) + 0.5) * 44_100.0 / 8000.0, 44_100.0));
            let mean = levels.map(db_of_power).sum::<f64>() / 4000.0;
            assert!(mean.abs() < 0.01, "{shape:?}: {mean} dB");
        }
    }

    #[test]
    fn a_sample_that_is_no_number_is_forgotten() {
        let rounded = |first: &[f64]| {
            let mut rounder = Rounder::new(Dither::Tpdf(Shape::Wannamaker), 16, 48_000.0, 1).unwrap();
            for &x in first {
                rounder.round(x, 1, 0, 0);
            }
            (0..20_000).map(|i| (rounder.round(0.1, 1, i, 0) - 3276.8).abs()).fold(0.0, f64::max)
        };
        for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
            assert!(rounded(&[bad]) < 100.0, "{bad}: {}", rounded(&[bad]));
        }
    }

    #[test]
    fn a_shape_for_other_rates_is_refused() {
        assert!(Shape::Wannamaker.coefficients(96_000.0).unwrap_err().contains("\"hearing\""));
        assert!(Rounder::new(Dither::Tpdf(Shape::Lipshitz), 16, 88_200.0, 2).is_err());
        assert_eq!(Shape::ALL.map(|shape| shape as usize), [0, 1, 2, 3]);
        assert_eq!(Shape::NAMES.len(), 4);
    }
}
