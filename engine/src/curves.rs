//! Curves that bend a waveform, and how to bend one with few aliases: the mean of the curve between two frames is taken
//! rather than its value at each, which its antiderivative F gives, `(F(x) - F(x')) / (x - x')` (Parker, Zavalishin and Le
//! Bivic, "Reducing the aliasing of nonlinear waveshaping using continuous-time convolution", 2016).
//!
//! Means of neighbours lose highs, by the cosine of half the frequency's angle, and lag by half a frame. A [`Shaper`] gives
//! both back with eight taps, `cos(w/2) (1 + y + y² + y³)` with `y = sin²(w/2)`: what is not bent leaves at `1 - y⁴`, lagging
//! by exactly [`LAG`] frames of the rate that it works at.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use crate::delay_line::DelayLine;
use crate::keep::{Keep, Ledger, keep};
use crate::kernel::Glide;
use crate::math;
use crate::oversample::{self, Oversampler};

/// A curve through 0 with a slope of 1 there, that stays within -1 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// The hyperbolic tangent: even-tempered, odd harmonics.
    Tanh,
    /// A logistic curve whose lower half ends at two thirds of the upper: even and odd harmonics.
    Tube,
    /// The Langevin function of a magnetic medium (Jiles & Atherton 1986): rounder than tanh.
    Tape,
    /// A cubic, flat from 1.5 on.
    Soft,
    /// Straight to 1, then flat.
    Hard,
    /// A sine: what goes past the top comes back down.
    Fold,
}

/// Below this the Langevin function and its integral are their series: what their closed forms lose by subtracting is then
/// more than what the series leave out.
const SMALL: f64 = 0.02;

impl Curve {
    /// The words for them.
    pub const WORDS: &'static [&'static str] = &["tanh", "tube", "tape", "soft", "hard", "fold"];

    /// The one of a number in [`Curve::WORDS`].
    pub fn of_choice(index: f64) -> Self {
        match index as usize {
            0 => Curve::Tanh,
            1 => Curve::Tube,
            2 => Curve::Tape,
            3 => Curve::Soft,
            4 => Curve::Hard,
            _ => Curve::Fold,
        }
    }

    /// The curve. RT.
    pub fn bend(self, x: f64) -> f64 {
        match self {
            Curve::Tanh => math::tanh(x),
            Curve::Tube => {
                // (1 - e^-2.5x) / (1 + 1.5 e^-2.5x), with an exponent that is never above 0.
                let e = math::exp(-2.5 * x.abs());
                if x >= 0.0 { (1.0 - e) / (1.0 + 1.5 * e) } else { (e - 1.0) / (e + 1.5) }
            }
            Curve::Tape => {
                let a = 3.0 * x;
                if a.abs() < SMALL { a / 3.0 * (1.0 - a * a / 15.0) } else { 1.0 / math::tanh(a) - 1.0 / a }
            }
            Curve::Soft => {
                let x = x.clamp(-1.5, 1.5);
                x - x * x * x * (4.0 / 27.0)
            }
            Curve::Hard => x.clamp(-1.0, 1.0),
            Curve::Fold => math::sin(x),
        }
    }

    /// Its antiderivative, 0 at 0. RT.
    pub fn integral(self, x: f64) -> f64 {
        let size = x.abs();
        match self {
            Curve::Tanh => size + math::ln((1.0 + math::exp(-2.0 * size)) / 2.0),
            Curve::Tube => {
                // x + ln((1 + 1.5 e^-2.5x) / 2.5) / 1.5.
                let e = math::exp(-2.5 * size);
                if x >= 0.0 {
                    x + math::ln((1.0 + 1.5 * e) / 2.5) / 1.5
                } else {
                    size * (2.0 / 3.0) + math::ln((e + 1.5) / 2.5) / 1.5
                }
            }
            Curve::Tape => {
                let a = 3.0 * size;
                if a < SMALL {
                    a * a * (1.0 - a * a / 30.0) / 18.0
                } else {
                    (a + math::ln((1.0 - math::exp(-2.0 * a)) / (2.0 * a))) / 3.0
                }
            }
            Curve::Soft => {
                let within = size.min(1.5);
                let square = within * within;
                square / 2.0 - square * square / 27.0 + (size - within)
            }
            Curve::Hard => {
                let within = size.min(1.0);
                within * within / 2.0 + (size - within)
            }
            Curve::Fold => 1.0 - math::cos(x),
        }
    }

    /// Its mean between two places. RT.
    pub fn mean(self, from: f64, to: f64) -> f64 {
        if (to - from).abs() < NEAR {
            self.bend((from + to) / 2.0)
        } else {
            (self.integral(to) - self.integral(from)) / (to - from)
        }
    }
}

/// The peak of the sine whose level a make-up keeps: -18 dBFS.
const REFERENCE: f64 = 0.125_892_541_179_416_73;

impl Curve {
    /// By what a sine at -18 dBFS is raised that is driven into the curve about a bias; what stands still is left out. RT.
    pub fn raises(self, drive: f64, bias: f64) -> f64 {
        // What folds at the most drive makes some forty harmonics, its square twice as many.
        let points = if self == Curve::Fold { 128 } else { 64 };
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in 0..points {
            let phase = (f64::from(i) + 0.5) * (TAU / f64::from(points));
            let y = self.bend(drive * REFERENCE * math::sin(phase) + bias);
            sum += y;
            squares += y * y;
        }
        let mean = sum / f64::from(points);
        let power = squares / f64::from(points) - mean * mean;
        math::sqrt(power) / (REFERENCE * FRAC_1_SQRT_2)
    }
}

/// What gives a sine at -18 dBFS its level back while drive and bias move.
#[derive(Clone, Copy, Debug)]
pub struct Makeup {
    curve: Curve,
    /// The drive and bias that the level belongs to.
    at: (f64, f64),
    raised: f64,
}

impl Makeup {
    /// For a curve, a drive as a linear gain, and a bias.
    pub fn new(curve: Curve, drive: f64, bias: f64) -> Self {
        Makeup { curve, at: (drive, bias), raised: curve.raises(drive, bias) }
    }

    /// By what the level is raised along a stretch, which is what is to be divided by. It is this that is as good as straight
    /// when the drive goes straight, not what makes up for it. RT.
    pub fn follow(&mut self, drive: Glide, bias: Glide) -> Glide {
        let (from, to) = ((drive.from, bias.from), (drive.to, bias.to));
        if self.at != from {
            self.raised = self.curve.raises(from.0, from.1);
        }
        let raised =
            Glide { from: self.raised, to: if to == from { self.raised } else { self.curve.raises(to.0, to.1) } };
        (self.at, self.raised) = (to, raised.to);
        raised
    }
}

/// Nearer together than this the curve between two places is straight, and dividing by what lies between them would lose more
/// than that leaves out.
const NEAR: f64 = 1e-5;

/// Frames by which what leaves a [`Shaper`] lags, at the rate that it works at.
pub const LAG: usize = 4;

/// What gives back the highs that means lose, and half a frame: the later half of eight taps, the middle ones first.
const BACK: [f64; 4] = [0.7265625, -0.2890625, 0.0703125, -0.0078125];

/// The means of a curve along a waveform, one frame at a time.
#[derive(Clone, Copy, Debug)]
pub struct Shaper {
    /// Where the waveform was, and its gain; nowhere before the first frame.
    last: Option<(f64, f64)>,
    /// The newest means, the last first.
    means: [f64; 2 * LAG],
}

impl Default for Shaper {
    fn default() -> Self {
        Shaper { last: None, means: [0.0; 2 * LAG] }
    }
}

impl Shaper {
    /// Goes on to `x` and gives the curve, less `rest` and times `gain`, of [`LAG`] frames ago. RT.
    pub fn step(&mut self, curve: Curve, x: f64, rest: f64, gain: f64) -> f64 {
        let (before, gain_before) = self.last.unwrap_or((x, gain));
        // A gain that moves is taken where the mean lies, or what goes against a moving drive would come late.
        let mean = (curve.mean(before, x) - rest) * ((gain_before + gain) / 2.0);
        self.last = Some((x, gain));
        self.means.copy_within(..2 * LAG - 1, 1);
        self.means[0] = mean;
        let [a, b, c, d, e, f, g, h] = self.means;
        BACK[0] * (d + e) + BACK[1] * (c + f) + (BACK[2] * (b + g) + BACK[3] * (a + h))
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        *self = Shaper::default();
    }
}

keep!(Shaper: last, means);

/// Where a frame falls on a curve, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// What is bent.
    pub x: f64,
    /// What the curve gives at rest, which is taken away.
    pub rest: f64,
    /// By what the whole is multiplied.
    pub gain: f64,
    /// By what it is divided.
    pub raised: f64,
}

/// One channel bent at a higher rate, by the values of a curve or by its means.
pub struct Bender {
    curve: Curve,
    oversampler: Oversampler,
    /// For means, and what fills up their lag to whole frames of the rate below.
    shaper: Option<(Shaper, DelayLine, usize)>,
}

impl Keep for Bender {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.oversampler.keep(ledger);
        if let Some((shaper, line, _)) = &mut self.shaper {
            shaper.keep(ledger);
            line.keep(ledger);
        }
    }
}

impl Bender {
    /// One that works `factor` times as fast: 1, 2, 4, 8 or 16; `means` is whether it takes those. Not RT.
    pub fn new(curve: Curve, factor: usize, means: bool) -> Self {
        let rest = LAG.div_ceil(factor) * factor - LAG;
        let shaper = means.then(|| (Shaper::default(), DelayLine::new(rest), rest));
        Bender { curve, oversampler: Oversampler::new(factor), shaper }
    }

    /// Frames by which what leaves it lags.
    pub fn latency(factor: usize, means: bool) -> usize {
        oversample::latency(factor) + if means { LAG.div_ceil(factor) } else { 0 }
    }

    /// Bends a stretch in place. `place` is asked where each frame of the higher rate falls, with its number, how many there
    /// are, and the frame. RT if `place` is.
    pub fn process(&mut self, frames: &mut [f64], mut place: impl FnMut(usize, usize, f64) -> Place) {
        let Bender { curve, oversampler, shaper } = self;
        oversampler.process(frames, |high| {
            let count = high.len();
            for (i, frame) in high.iter_mut().enumerate() {
                let Place { x, rest, gain, raised } = place(i, count, *frame);
                let gain = gain / raised;
                *frame = match shaper {
                    None => gain * (curve.bend(x) - rest),
                    Some((shaper, line, late)) => line.delay(shaper.step(*curve, x, rest, gain), *late),
                };
            }
        });
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.oversampler.reset();
        if let Some((shaper, line, _)) = &mut self.shaper {
            shaper.reset();
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{RATE, level_at, sine};

    const ALL: [Curve; 6] = [Curve::Tanh, Curve::Tube, Curve::Tape, Curve::Soft, Curve::Hard, Curve::Fold];

    #[test]
    fn every_curve_passes_small_signals_at_unity_and_stays_within_full_scale() {
        for curve in ALL {
            assert!((curve.bend(1e-6) / 1e-6 - 1.0).abs() < 1e-5, "{curve:?}");
            assert_eq!((curve.bend(0.0), curve.integral(0.0)), (0.0, 0.0), "{curve:?}");
            for x in (-4000..=4000).map(|i| f64::from(i) / 10.0) {
                assert!(curve.bend(x).abs() <= 1.0, "{curve:?} at {x}");
            }
        }
    }

    #[test]
    fn every_curve_but_the_fold_rises_all_the_way() {
        for curve in &ALL[..5] {
            for x in (-300..300).map(|i| f64::from(i) / 100.0) {
                assert!(curve.bend(x + 0.01) >= curve.bend(x), "{curve:?} at {x}");
            }
        }
    }

    #[test]
    fn the_integral_of_every_curve_rises_as_the_curve_says() {
        for curve in ALL {
            for x in (-600..600).map(|i| f64::from(i) / 50.0) {
                // Simpson's rule.
                let simpson = (curve.bend(x) + 4.0 * curve.bend(x + 0.01) + curve.bend(x + 0.02)) * (0.02 / 6.0);
                let found = curve.integral(x + 0.02) - curve.integral(x);
                assert!((found - simpson).abs() < 2e-7, "{curve:?} at {x}: {found}, {simpson}");
                assert!((curve.mean(x, x + 1e-7) - curve.bend(x)).abs() < 1e-6);
                assert!((curve.mean(x, x + 2e-5) - curve.bend(x + 1e-5)).abs() < 1e-9, "{curve:?} at {x}");
            }
        }
    }

    #[test]
    fn what_is_not_bent_leaves_late_by_the_lag_and_by_the_published_response() {
        for freq in [1000.0, 5000.0, 10_000.0, 15_000.0, 20_000.0] {
            let (input, mut shaper) = (sine(freq, -60.0, RATE, 4800), Shaper::default());
            let output: Vec<f64> = input.iter().map(|x| shaper.step(Curve::Hard, *x, 0.0, 1.0)).collect();
            let y = math::sin(std::f64::consts::PI * freq / RATE).powi(2);
            let gain = 1.0 - y.powi(4);
            let found = level_at(&output[100..], freq, RATE) + 60.0;
            assert!((found - math::db_from_gain(gain)).abs() < 1e-6, "{freq} Hz: {found} dB");
            let off = (100..4800).map(|i| (output[i] - gain * input[i - LAG]).abs()).fold(0.0, f64::max);
            assert!(off < 1e-9, "{freq} Hz: {off}");
        }
    }

    #[test]
    fn a_fold_at_much_drive_raises_a_sine_by_what_bessel_functions_say() {
        // The mean square of sin(z sin w) is (1 - J0(2z)) / 2; J0 far out by its first two terms (Hankel).
        for drive in [24.0, 36.0, 42.0, 48.0] {
            let x = 2.0 * math::gain_from_db(drive) * REFERENCE;
            let angle = x - TAU / 8.0;
            let bessel = math::sqrt(4.0 / (TAU * x)) * (math::cos(angle) + math::sin(angle) / (8.0 * x));
            let expected = math::sqrt((1.0 - bessel) / 2.0) / (REFERENCE * FRAC_1_SQRT_2);
            let found = Curve::Fold.raises(math::gain_from_db(drive), 0.0);
            assert!((found / expected - 1.0).abs() < 2e-3, "{drive} dB: {found}, not {expected}");
        }
    }
}
