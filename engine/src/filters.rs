//! Filters that effects share: second-order sections designed from a frequency, a gain and a Q, and the state-variable
//! filter that runs them.
//!
//! Every filter here is one form, `H(s) = (high s² + band s + low) / (s² + k s + 1)` with `s = (z - 1) / (g (z + 1))`,
//! run by the trapezoidal ("topology-preserving") state-variable structure of Zavalishin (2012) and Simper (2013). Any
//! stable digital section of first or second order can be written in it, it stays stable while its coefficients move, and
//! what moves is close to what is heard, so that gliding it makes no click.
//!
//! A frequency that the rate cannot carry is designed at [`HIGHEST`] of the rate: a session at 22 050 Hz may name 20 kHz.

pub mod cascade;
pub mod row;

use std::f64::consts::PI;

use crate::keep::keep;
use crate::math;
use crate::rest::spent;
use crate::wide::each;

/// The highest frequency a section is designed at, as a part of the sample rate.
pub const HIGHEST: f64 = 0.49;

/// The highest dip that a section is matched at, as a part of the sample rate.
const HIGHEST_DIP: f64 = 0.45;

/// The damping below which zeros make a dip worth matching.
const DIPPING: f64 = 1.25;

/// The coefficients of one section of first or second order.
///
/// Frequencies are in Hz and above 0, gains in dB, `rate` in frames a second; a Q is above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// The tangent of half the pole frequency: above 0.
    pub g: f64,
    /// The damping, 1/Q of the poles: above 0.
    pub k: f64,
    /// The gain at 0 Hz.
    pub low: f64,
    /// What the pole frequency itself adds: its gain times `k`, where `low` equals `high`.
    pub band: f64,
    /// The gain at half the sample rate.
    pub high: f64,
}

impl Section {
    /// Passes everything on, exactly.
    pub const THROUGH: Section = Section { g: 1.0, k: 1.0, low: 1.0, band: 1.0, high: 1.0 };

    /// A low-pass of 12 dB an octave. RT.
    pub fn low_pass(freq: f64, q: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 1.0 / q, low: 1.0, band: 0.0, high: 0.0 }
    }

    /// A high-pass of 12 dB an octave. RT.
    pub fn high_pass(freq: f64, q: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 1.0 / q, low: 0.0, band: 0.0, high: 1.0 }
    }

    /// A low-pass of 6 dB an octave: one pole, the other meets a zero. RT.
    pub fn low_pass_6(freq: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 2.0, low: 1.0, band: 1.0, high: 0.0 }
    }

    /// A high-pass of 6 dB an octave: one pole, the other meets a zero. RT.
    pub fn high_pass_6(freq: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 2.0, low: 0.0, band: 1.0, high: 1.0 }
    }

    /// A band-pass, 0 dB at its centre. RT.
    pub fn band_pass(freq: f64, q: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 1.0 / q, low: 0.0, band: 1.0 / q, high: 0.0 }
    }

    /// A notch, silent at its centre. RT.
    pub fn notch(freq: f64, q: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 1.0 / q, low: 1.0, band: 0.0, high: 1.0 }
    }

    /// An all-pass, its phase turned by 180° at its centre. RT.
    pub fn all_pass(freq: f64, q: f64, rate: f64) -> Self {
        Section { g: warped(freq, rate), k: 1.0 / q, low: 1.0, band: -1.0 / q, high: 1.0 }
    }

    /// A bell that follows the analogue curve up to 20 kHz. RT.
    pub fn bell(freq: f64, gain: f64, q: f64, rate: f64) -> Self {
        let freq = carried(freq, rate);
        Analogue::bell(freq, gain, q).matched(freq, rate)
    }

    /// A shelf on what is below `freq`, where it has half its gain; follows the analogue curve. RT.
    pub fn low_shelf(freq: f64, gain: f64, q: f64, rate: f64) -> Self {
        let freq = carried(freq, rate);
        Analogue::low_shelf(freq, gain, q).matched(freq, rate)
    }

    /// A shelf on what is above `freq`, where it has half its gain; follows the analogue curve. RT.
    pub fn high_shelf(freq: f64, gain: f64, q: f64, rate: f64) -> Self {
        let freq = carried(freq, rate);
        Analogue::high_shelf(freq, gain, q).matched(freq, rate)
    }

    /// Raises what is above `freq` by up to `gain` and lowers what is below by as much; follows the analogue curve. RT.
    pub fn tilt(freq: f64, gain: f64, rate: f64) -> Self {
        let freq = carried(freq, rate);
        Analogue::tilt(freq, gain).matched(freq, rate)
    }

    /// The point `part` of the way (0 to 1) from this section to another; stable like both. RT.
    pub fn towards(&self, to: &Section, part: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * part;
        Section {
            g: mix(self.g, to.g),
            k: mix(self.k, to.k),
            low: mix(self.low, to.low),
            band: mix(self.band, to.band),
            high: mix(self.high, to.high),
        }
    }

    /// What the section does to a steady tone: the real and imaginary part of its response.
    pub fn response(&self, freq: f64, rate: f64) -> (f64, f64) {
        // s = i sin / (g cos), with both sides of the fraction multiplied out: at half the rate the cosine is 0.
        let (sin, cos) = (math::sin(PI * freq / rate), math::cos(PI * freq / rate) * self.g);
        let (s2, s1, s0) = (sin * sin, sin * cos, cos * cos);
        let (above, below) = ((self.low * s0 - self.high * s2, self.band * s1), (s0 - s2, self.k * s1));
        let power = below.0 * below.0 + below.1 * below.1;
        ((above.0 * below.0 + above.1 * below.1) / power, (above.1 * below.0 - above.0 * below.1) / power)
    }

    /// What a steady tone is multiplied by.
    pub fn gain(&self, freq: f64, rate: f64) -> f64 {
        let (re, im) = self.response(freq, rate);
        math::sqrt(re * re + im * im)
    }

    /// The level in dB at which a steady tone leaves.
    pub fn gain_db(&self, freq: f64, rate: f64) -> f64 {
        math::db_from_gain(self.gain(freq, rate))
    }

    /// Frames after which what rings in it has fallen by 96 dB.
    pub fn ring(&self) -> u64 {
        let radius = if self.k < 2.0 {
            let (even, odd) = (1.0 + self.g * self.g, self.g * self.k);
            math::sqrt((even - odd) / (even + odd))
        } else {
            let root = math::sqrt(self.k * self.k - 4.0);
            let pole = |s: f64| ((1.0 - self.g * s) / (1.0 + self.g * s)).abs();
            pole((self.k - root) / 2.0).max(pole((self.k + root) / 2.0))
        };
        (-96.0 / math::db_from_gain(radius)).ceil() as u64
    }

    /// The coefficients in the form that is run. RT.
    pub fn step(&self) -> Step {
        // v1 = a1 s1 + a2 (x - s2); v2 = s2 + a2 s1 + a3 (x - s2); s = 2v - s; y = m0 x + m1 v1 + m2 v2: multiplied out, so
        // that each frame waits for three operations of the frame before and not for eight.
        let a1 = 1.0 / (1.0 + self.g * (self.g + self.k));
        let a2 = self.g * a1;
        let a3 = self.g * a2;
        let (m0, m1, m2) = (self.high, self.band - self.k * self.high, self.low - self.high);
        Step {
            s11: 2.0 * a1 - 1.0,
            s12: -2.0 * a2,
            s21: 2.0 * a2,
            s22: 1.0 - 2.0 * a3,
            x1: 2.0 * a2,
            x2: 2.0 * a3,
            y1: m1 * a1 + m2 * a2,
            y2: m2 * (1.0 - a3) - m1 * a2,
            through: m0 + m1 * a2 + m2 * a3,
        }
    }
}

/// The damping of stage `stage` of a Butterworth filter of `order`, as a Q. Stages count from 0; an odd order has one
/// more stage of first order, which has none. RT.
pub fn butterworth_q(order: usize, stage: usize) -> f64 {
    0.5 / math::sin(PI * (2 * stage + 1) as f64 / (2 * order) as f64)
}

/// A section multiplied out into a matrix: what one frame does to the state and what leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    s11: f64,
    s12: f64,
    s21: f64,
    s22: f64,
    x1: f64,
    x2: f64,
    y1: f64,
    y2: f64,
    through: f64,
}

impl Step {
    /// All its numbers: what the state takes of itself, row by row, what it takes of the input, what of it leaves, and what of the
    /// input does. RT.
    pub fn numbers(&self) -> [f64; 9] {
        let Step { s11, s12, s21, s22, x1, x2, y1, y2, through } = *self;
        [s11, s12, s21, s22, x1, x2, y1, y2, through]
    }

    /// What comes out of a frame on C channels, whose states go on. RT.
    #[inline(always)]
    fn tick<const C: usize>(&self, s1: &mut [f64; C], s2: &mut [f64; C], x: [f64; C]) -> [f64; C] {
        let (a, b) = (*s1, *s2);
        *s1 = each(|c| self.s11 * a[c] + (self.s12 * b[c] + self.x1 * x[c]));
        *s2 = each(|c| self.s22 * b[c] + (self.s21 * a[c] + self.x2 * x[c]));
        each(|c| self.through * x[c] + (self.y1 * a[c] + self.y2 * b[c]))
    }
}

/// The state of one section on one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter {
    s1: f64,
    s2: f64,
}

keep!(Filter: s1, s2);

impl Filter {
    /// One frame. RT.
    #[inline]
    pub fn tick(&mut self, step: &Step, x: f64) -> f64 {
        let (mut s1, mut s2) = ([self.s1], [self.s2]);
        let [y] = step.tick(&mut s1, &mut s2, [x]);
        ([self.s1], [self.s2]) = (s1, s2);
        y
    }

    /// A stretch of frames in place, while the section glides evenly: `from` just before the first frame, `to` at the
    /// last. RT.
    pub fn run(&mut self, from: &Section, to: &Section, frames: &mut [f64]) {
        let step = to.step();
        if from == to {
            frames.iter_mut().for_each(|x| *x = self.tick(&step, *x));
        } else if let Some((last, others)) = frames.split_last_mut() {
            let count = (others.len() + 1) as f64;
            for (i, x) in others.iter_mut().enumerate() {
                *x = self.tick(&from.towards(to, (i + 1) as f64 / count).step(), *x);
            }
            *last = self.tick(&step, *last);
        }
        self.settle();
    }

    /// Its two numbers. RT.
    pub fn state(&self) -> [f64; 2] {
        [self.s1, self.s2]
    }

    /// One that a stretch has left in a state. RT.
    pub fn left_in([s1, s2]: [f64; 2]) -> Self {
        let mut filter = Filter { s1, s2 };
        filter.settle();
        filter
    }

    /// Forgets what is as good as nothing. RT.
    fn settle(&mut self) {
        [self.s1, self.s2] = settled(self.state());
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        *self = Filter::default();
    }
}

/// A state, or none once it is as good as nothing. RT.
#[inline(always)]
pub fn settled([s1, s2]: [f64; 2]) -> [f64; 2] {
    if spent(s1) == 0.0 && spent(s2) == 0.0 { [0.0; 2] } else { [s1, s2] }
}

/// An analogue section `(high s² + band s + low) / (s² + k s + 1)`, s in units of its pole frequency.
#[derive(Clone, Copy, Debug)]
struct Analogue {
    /// The pole frequency in Hz.
    freq: f64,
    k: f64,
    low: f64,
    band: f64,
    high: f64,
}

impl Analogue {
    fn bell(freq: f64, gain: f64, q: f64) -> Self {
        let a = math::gain_from_db(gain / 2.0);
        Analogue { freq, k: 1.0 / (a * q), low: 1.0, band: a / q, high: 1.0 }
    }

    fn low_shelf(freq: f64, gain: f64, q: f64) -> Self {
        let a = math::gain_from_db(gain / 2.0);
        Analogue { freq: freq / math::sqrt(a), k: 1.0 / q, low: a * a, band: a / q, high: 1.0 }
    }

    fn high_shelf(freq: f64, gain: f64, q: f64) -> Self {
        let a = math::gain_from_db(gain / 2.0);
        Analogue { freq: freq * math::sqrt(a), k: 1.0 / q, low: 1.0, band: a / q, high: a * a }
    }

    fn tilt(freq: f64, gain: f64) -> Self {
        let a = math::gain_from_db(gain);
        Analogue { freq: freq * a, k: 2.0, low: 1.0 / a, band: a + 1.0 / a, high: a }
    }

    /// The square of the gain at a frequency. RT.
    fn power(&self, freq: f64) -> f64 {
        let square = (freq / self.freq) * (freq / self.freq);
        let (above, below) = (self.low - self.high * square, 1.0 - square);
        (above * above + self.band * self.band * square) / (below * below + self.k * self.k * square)
    }

    /// How fast the square of the gain goes with the square of `freq` in units of the pole frequency. RT.
    fn slope(&self, freq: f64) -> f64 {
        let square = (freq / self.freq) * (freq / self.freq);
        let (above, below) = (self.low - self.high * square, 1.0 - square);
        let over = above * above + self.band * self.band * square;
        let under = below * below + self.k * self.k * square;
        let (over_slope, under_slope) =
            (self.band * self.band - 2.0 * self.high * above, self.k * self.k - 2.0 * below);
        (over_slope * under - over * under_slope) / (under * under)
    }

    /// Where the zeros of a shelf make it dip, if they do. RT.
    fn dip(&self) -> Option<f64> {
        let damping = self.band / math::sqrt(self.low * self.high);
        let dips = self.low != self.high && damping < DIPPING;
        dips.then(|| self.freq * math::sqrt(self.low / self.high) * math::sqrt(1.0 - damping * damping / 2.0))
    }

    /// The analogue section of the opposite gain: poles and zeros exchanged. RT.
    fn inverse(&self) -> Self {
        let turned = math::sqrt(self.low / self.high);
        Analogue {
            freq: self.freq * turned,
            k: self.band / math::sqrt(self.low * self.high),
            low: 1.0 / self.low,
            band: self.k / math::sqrt(self.low * self.high),
            high: 1.0 / self.high,
        }
    }

    /// The digital section whose poles ring like the analogue ones and whose gain agrees at 0, at `centre` and at half
    /// the rate (Vicanek 2016, "Matched Second Order Digital Filters"). A shelf that dips before it rises has its gain, and
    /// the slope of it, agree at the bottom of the dip instead of at `centre` and half the rate. Of the section and its
    /// inverse the one that rings longer is designed, and turned over if need be: its poles are the ones well below the rate.
    /// Without a gain everything passes exactly. RT.
    fn matched(&self, centre: f64, rate: f64) -> Section {
        let inverse = self.inverse();
        let section = if inverse.k * inverse.freq < self.k * self.freq {
            Biquad::matched(&inverse, centre, rate).inverse().section()
        } else {
            Biquad::matched(self, centre, rate).section()
        };
        // Without a gain the zeros lie on the poles, and rounding must not tell them apart.
        let flat = self.low == self.high && self.band == self.k;
        if flat { Section { low: 1.0, band: section.k, high: 1.0, ..section } } else { section }
    }
}

/// The square of the magnitude of the numerator or denominator of a [`Biquad`] over p, the square of the sine of half the
/// frequency: `even (1 - p) + odd p + 4 both p (1 - p)`.
#[derive(Clone, Copy)]
struct Square {
    even: f64,
    odd: f64,
    both: f64,
}

impl Square {
    /// The numerator over this denominator whose gain agrees at 0, at `centre` and at half the rate. RT.
    fn zeros(&self, analogue: &Analogue, centre: f64, rate: f64) -> Self {
        let p = squared_sine(centre, rate);
        let (even, odd) = (self.even * analogue.power(0.0), self.odd * analogue.power(rate / 2.0));
        let rest = 1.0 - p;
        Square { even, odd, both: (self.at(p) * analogue.power(centre) - even * rest - odd * p) / (4.0 * rest * p) }
    }

    /// The numerator over this denominator whose gain agrees at 0 and, with its slope, at `dip`; none if there is no such
    /// section. RT.
    fn zeros_by_dip(&self, analogue: &Analogue, dip: f64, rate: f64) -> Option<Self> {
        let p = squared_sine(dip, rate);
        // How fast the square of dip / freq goes with p.
        let pace = dip * rate / (PI * analogue.freq * analogue.freq * math::sqrt(p * (1.0 - p)));
        let (gain, gain_slope) = (analogue.power(dip), analogue.slope(dip) * pace);
        let slope = self.odd - self.even + 4.0 * self.both * (1.0 - 2.0 * p);
        let (value, slope) = (self.at(p) * gain, slope * gain + self.at(p) * gain_slope);
        let even = self.even * analogue.power(0.0);
        // The parabola through `even` at 0 that has this value and slope at p.
        let bend = (even - value + slope * p) / (p * p);
        let odd = value + slope * (1.0 - p) + bend * (1.0 - p) * (1.0 - p);
        let (both, mean) = (-bend / 4.0, (math::sqrt(even) + math::sqrt(odd.max(0.0))) / 2.0);
        (odd > 0.0 && mean * mean + both >= 0.0).then_some(Square { even, odd, both })
    }

    /// RT.
    fn at(&self, p: f64) -> f64 {
        let rest = 1.0 - p;
        self.even * rest + self.odd * p + self.both * (4.0 * rest * p)
    }
}

/// RT.
fn squared_sine(freq: f64, rate: f64) -> f64 {
    let sine = math::sin(PI * freq / rate);
    sine * sine
}

/// A section as its difference equation has it, `a0 = 1`.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
}

impl Biquad {
    /// See [`Analogue::matched`]. RT.
    fn matched(analogue: &Analogue, centre: f64, rate: f64) -> Self {
        let w = 2.0 * PI * analogue.freq / rate;
        let damping = analogue.k / 2.0;
        let (a1, a2) = if damping < 1.0 {
            let angle = (math::sqrt(1.0 - damping * damping) * w).min(PI);
            let radius = math::exp(-damping * w);
            (-2.0 * radius * math::cos(angle), radius * radius)
        } else {
            let apart = math::sqrt(damping * damping - 1.0);
            let (slow, fast) = (math::exp((apart - damping) * w), math::exp((-apart - damping) * w));
            (-slow - fast, slow * fast)
        };
        let (even, odd) = (1.0 + a1 + a2, 1.0 - a1 + a2);
        let poles = Square { even: even * even, odd: odd * odd, both: -4.0 * a2 };
        let dip = analogue.dip().filter(|dip| *dip < HIGHEST_DIP * rate);
        let zeros = dip.and_then(|dip| poles.zeros_by_dip(analogue, dip, rate));
        let Square { even: b0, odd: b1, both: b2 } = zeros.unwrap_or_else(|| poles.zeros(analogue, centre, rate));
        let (root0, root1) = (math::sqrt(b0), math::sqrt(b1));
        let w = (root0 + root1) / 2.0;
        let first = (w + math::sqrt((w * w + b2).max(0.0))) / 2.0;
        Biquad { b: [first, (root0 - root1) / 2.0, -b2 / (4.0 * first)], a: [a1, a2] }
    }

    /// Of a section with all its zeros inside the circle, as they are here. RT.
    fn inverse(&self) -> Self {
        let [b0, b1, b2] = self.b;
        let [a1, a2] = self.a;
        Biquad { b: [1.0 / b0, a1 / b0, a2 / b0], a: [b1 / b0, b2 / b0] }
    }

    /// The same in the form that is run. RT.
    fn section(&self) -> Section {
        let [b0, b1, b2] = self.b;
        let [a1, a2] = self.a;
        let (low, high) = (1.0 + a1 + a2, 1.0 - a1 + a2);
        let g = math::sqrt(low / high);
        Section {
            g,
            k: 2.0 * (1.0 - a2) / (high * g),
            low: (b0 + b1 + b2) / low,
            band: 2.0 * (b0 - b2) / (high * g),
            high: (b0 - b1 + b2) / high,
        }
    }
}

/// The frequency that is designed for. RT.
fn carried(freq: f64, rate: f64) -> f64 {
    freq.min(HIGHEST * rate)
}

/// The tangent that puts a section at a frequency. RT.
fn warped(freq: f64, rate: f64) -> f64 {
    math::tan(PI * carried(freq, rate) / rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{RATE, db_of_power, impulse, noise};

    const GAINS: [f64; 6] = [-24.0, -12.0, -3.0, 3.0, 12.0, 24.0];

    /// The cookbook's sections (Bristow-Johnson 1998): b0, b1, b2, a0, a1, a2 of a low-pass, high-pass, band-pass, notch
    /// and all-pass.
    fn cookbook(freq: f64, q: f64, rate: f64) -> [[f64; 6]; 5] {
        let w = 2.0 * PI * freq / rate;
        let (cos, alpha) = (math::cos(w), math::sin(w) / (2.0 * q));
        let with = |b0, b1, b2| [b0, b1, b2, 1.0 + alpha, -2.0 * cos, 1.0 - alpha];
        [
            with((1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0),
            with((1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0),
            with(alpha, 0.0, -alpha),
            with(1.0, -2.0 * cos, 1.0),
            with(1.0 - alpha, -2.0 * cos, 1.0 + alpha),
        ]
    }

    fn ours(freq: f64, q: f64, rate: f64) -> [Section; 5] {
        [
            Section::low_pass(freq, q, rate),
            Section::high_pass(freq, q, rate),
            Section::band_pass(freq, q, rate),
            Section::notch(freq, q, rate),
            Section::all_pass(freq, q, rate),
        ]
    }

    fn audible() -> impl Iterator<Item = f64> {
        (0..=200).map(|i| 20.0 * math::pow(1000.0, f64::from(i) / 200.0))
    }

    fn worst(section: &Section, analogue: &Analogue, rate: f64) -> f64 {
        audible().map(|f| (section.gain_db(f, rate) - db_of_power(analogue.power(f))).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn the_state_variable_filter_sounds_like_the_cookbook_s_difference_equation() {
        for (freq, q) in [(20.0, 0.71), (300.0, 8.0), (1000.0, 0.1), (12_000.0, 2.0), (20_000.0, 40.0)] {
            for (section, [b0, b1, b2, a0, a1, a2]) in ours(freq, q, RATE).iter().zip(cookbook(freq, q, RATE)) {
                let mut sound = noise(3, 2000);
                let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
                let expected: Vec<f64> = sound
                    .iter()
                    .map(|x| {
                        let y = (b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2) / a0;
                        (x2, x1, y2, y1) = (x1, *x, y1, y);
                        y
                    })
                    .collect();
                Filter::default().run(section, section, &mut sound);
                for (ours, theirs) in sound.iter().zip(&expected) {
                    assert!((ours - theirs).abs() < 1e-9, "{freq} Hz, Q {q}: {ours} for {theirs}");
                }
            }
        }
    }

    #[test]
    fn the_response_of_a_section_is_the_cookbook_s_closed_form_to_0_001_db_at_every_rate() {
        for rate in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0] {
            for freq in [10.0, 50.0, 400.0, 3000.0, 12_000.0, 20_000.0] {
                for q in [0.1, 0.71, 4.0, 40.0] {
                    for (section, [b0, b1, b2, a0, a1, a2]) in ours(freq, q, rate).iter().zip(cookbook(freq, q, rate)) {
                        for f in audible() {
                            let w = 2.0 * PI * f / rate;
                            let norm = |c0: f64, c1: f64, c2: f64| {
                                let re = c0 + c1 * math::cos(w) + c2 * math::cos(2.0 * w);
                                let im = c1 * math::sin(w) + c2 * math::sin(2.0 * w);
                                re * re + im * im
                            };
                            let expected = norm(b0, b1, b2) / norm(a0, a1, a2);
                            let (re, im) = section.response(f, rate);
                            // Below -100 dB the difference equation's own rounding counts.
                            let ratio = (re * re + im * im + 1e-10) / (expected + 1e-10);
                            assert!(db_of_power(ratio).abs() < 1e-3, "{freq} Hz, Q {q} at {f} Hz, rate {rate}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_bell_of_12_db_keeps_within_0_7_db_of_the_analogue_curve_at_10_khz_and_1_3_db_at_16_khz() {
        for gain in [12.0, -12.0] {
            for (freq, rate, most) in [(10_000.0, RATE, 0.7), (16_000.0, RATE, 1.0), (16_000.0, 44_100.0, 1.3)] {
                let off = worst(&Section::bell(freq, gain, 1.0, rate), &Analogue::bell(freq, gain, 1.0), rate);
                assert!(off < most, "{gain} dB at {freq} Hz is off by {off} dB");
            }
        }
    }

    #[test]
    fn bells_shelves_and_tilts_up_to_10_khz_keep_within_1_db_of_the_analogue_curve() {
        let near = |section: Section, analogue: Analogue, rate| {
            let off = worst(&section, &analogue, rate);
            assert!(off < 1.0, "{analogue:?} at {rate} Hz is off by {off} dB");
        };
        for rate in [44_100.0, RATE, 96_000.0] {
            for freq in [30.0, 1000.0, 5000.0, 10_000.0] {
                for gain in GAINS {
                    for q in [0.1, 0.71, 1.0, 6.0, 40.0] {
                        near(Section::bell(freq, gain, q, rate), Analogue::bell(freq, gain, q), rate);
                    }
                    for q in [0.3, 0.71, 1.0] {
                        near(Section::low_shelf(freq, gain, q, rate), Analogue::low_shelf(freq, gain, q), rate);
                        near(Section::high_shelf(freq, gain, q, rate), Analogue::high_shelf(freq, gain, q), rate);
                    }
                    near(Section::tilt(freq, gain, rate), Analogue::tilt(freq, gain), rate);
                }
            }
        }
    }

    #[test]
    fn a_cut_undoes_the_boost_of_the_same_amount() {
        for freq in [100.0, 3000.0, 16_000.0] {
            for (cut, boost) in [
                (Section::bell(freq, -9.0, 2.0, RATE), Section::bell(freq, 9.0, 2.0, RATE)),
                (Section::high_shelf(freq, -9.0, 0.71, RATE), Section::high_shelf(freq, 9.0, 0.71, RATE)),
                (Section::low_shelf(freq, -9.0, 0.71, RATE), Section::low_shelf(freq, 9.0, 0.71, RATE)),
            ] {
                for f in audible() {
                    assert!((cut.gain_db(f, RATE) + boost.gain_db(f, RATE)).abs() < 1e-6, "{freq} Hz at {f} Hz");
                }
            }
        }
    }

    #[test]
    fn every_section_is_stable_even_above_what_the_rate_carries() {
        for rate in [8000.0, 22_050.0, 44_100.0, 192_000.0] {
            for freq in [10.0, 3999.0, 11_025.0, 20_000.0] {
                for q in [0.1, 0.71, 40.0] {
                    for gain in GAINS {
                        for section in [
                            Section::bell(freq, gain, q, rate),
                            Section::low_shelf(freq, gain, q, rate),
                            Section::high_shelf(freq, gain, q, rate),
                            Section::tilt(freq, gain, rate),
                            Section::low_pass(freq, q, rate),
                            Section::high_pass_6(freq, rate),
                        ] {
                            assert!(section.g > 0.0 && section.k > 0.0, "{section:?}");
                            let all = [section.g, section.k, section.low, section.band, section.high];
                            assert!(all.iter().all(|x| x.is_finite() && x.abs() < 1e6), "{section:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn it_stays_bounded_when_swept_over_the_whole_band_every_frame() {
        let mut filter = Filter::default();
        let mut most: f64 = 0.0;
        for (i, x) in noise(7, 96_000).iter().enumerate() {
            // Up and down over ten octaves in 34 frames, and in one frame from end to end.
            let part = (i % 17) as f64 / 16.0;
            let section = Section::low_pass(20.0 * math::pow(1000.0, part), 0.71, RATE);
            most = most.max(filter.tick(&section.step(), *x).abs());
        }
        assert!(most < 4.0, "peaks at {most}");
    }

    #[test]
    fn every_kind_stays_bounded_when_its_frequency_jumps_between_20_hz_and_20_khz_every_frame() {
        let designs: [fn(f64) -> Section; 8] = [
            |freq| Section::low_pass(freq, 0.71, RATE),
            |freq| Section::high_pass(freq, 0.71, RATE),
            |freq| Section::band_pass(freq, 0.71, RATE),
            |freq| Section::notch(freq, 0.71, RATE),
            |freq| Section::bell(freq, 12.0, 1.0, RATE),
            |freq| Section::low_shelf(freq, 12.0, 0.71, RATE),
            |freq| Section::high_shelf(freq, 12.0, 3.0, RATE),
            |freq| Section::tilt(freq, 6.0, RATE),
        ];
        let steps = |design: fn(f64) -> Section| [20.0, 20_000.0, 300.0, 7000.0, 60.0].map(|freq| design(freq).step());
        for (kind, design) in designs.into_iter().enumerate() {
            let (steps, mut filter, mut most) = (steps(design), Filter::default(), 0.0f64);
            for (i, x) in noise(7, 48_000).iter().enumerate() {
                // From end to end for a while, then about.
                let at = if i < 24_000 { i % 2 } else { i % 5 };
                most = most.max(filter.tick(&steps[at], *x).abs());
            }
            assert!(most < 30.0, "kind {kind} peaks at {most}");
        }
    }

    #[test]
    fn a_shelf_that_dips_has_its_dip_and_its_peak_where_the_analogue_one_has_them() {
        for rate in [44_100.0, RATE, 96_000.0] {
            for freq in [100.0, 1000.0, 5000.0] {
                for gain in GAINS {
                    for q in [1.5, 4.0, 40.0] {
                        for (section, analogue) in [
                            (Section::low_shelf(freq, gain, q, rate), Analogue::low_shelf(freq, gain, q)),
                            (Section::high_shelf(freq, gain, q, rate), Analogue::high_shelf(freq, gain, q)),
                        ] {
                            let off = worst(&section, &analogue, rate);
                            assert!(off < 1.0, "{analogue:?} at {rate} Hz is off by {off} dB");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn stages_of_a_butterworth_filter_are_3_01_db_down_together_at_its_corner() {
        for order in 2..=16 {
            let stages = (0..order / 2).map(|i| Section::high_pass(500.0, butterworth_q(order, i), RATE));
            let odd = (order % 2 == 1).then(|| Section::high_pass_6(500.0, RATE));
            let level: f64 = stages.chain(odd).map(|section| section.gain_db(500.0, RATE)).sum();
            assert!((level + 3.0103).abs() < 1e-3, "order {order}: {level} dB");
        }
    }

    #[test]
    fn a_section_that_passes_everything_is_exact() {
        let mut sound = noise(5, 256);
        Filter::default().run(&Section::THROUGH, &Section::THROUGH, &mut sound);
        assert_eq!(sound, noise(5, 256));
    }

    #[test]
    fn what_rings_has_fallen_by_96_db_when_it_says() {
        for section in [
            Section::band_pass(100.0, 20.0, RATE),
            Section::low_pass(40.0, 0.3, RATE),
            Section::high_pass_6(90.0, RATE),
        ] {
            let mut sound = impulse(200_000);
            Filter::default().run(&section, &section, &mut sound);
            let most = |part: &[f64]| part.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            let fallen = most(&sound[section.ring() as usize..]) / most(&sound[1..]);
            assert!(math::db_from_gain(fallen) < -90.0, "{section:?}: {fallen}");
        }
    }
}
