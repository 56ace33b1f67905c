//! K-weighting: the two filters through which loudness hears (ITU-R BS.1770-5), at any rate.

use std::f64::consts::PI;

use crate::math;

/// The analogue prototype behind the table of the standard: the shelf.
const SHELF_HZ: f64 = 1_681.974_450_955_533;
const SHELF_DB: f64 = 3.999_843_853_973_347;
const SHELF_Q: f64 = 0.707_175_236_955_419_6;
const SHELF_MIDDLE: f64 = 0.499_666_774_154_541_6;

/// The analogue prototype of the high-pass.
const HIGH_PASS_HZ: f64 = 38.135_470_876_024_44;
const HIGH_PASS_Q: f64 = 0.500_327_037_323_877_3;

/// Where every rate agrees, and on what.
const FIXED_HZ: f64 = 997.0;
const FIXED_DB: f64 = 0.691;

/// The coefficients at one rate.
#[derive(Clone, Debug)]
pub(super) struct Weighting {
    /// The zeros of the shelf, as `1 + b1 z⁻¹ + b2 z⁻²`.
    zeros: [f64; 2],
    /// The poles of the shelf and of the high-pass, as `1 + a1 z⁻¹ + a2 z⁻²`.
    poles: [[f64; 2]; 2],
    /// What powers are multiplied by in the end.
    power: f64,
}

/// What the filters of some channels remember: the last two frames before, between and after them, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Memory<const N: usize> {
    frames: [[[f64; N]; 2]; 3],
}

impl<const N: usize> Default for Memory<N> {
    fn default() -> Self {
        Memory { frames: [[[0.0; N]; 2]; 3] }
    }
}

impl Weighting {
    pub(super) fn new(rate: f64) -> Weighting {
        let high = math::gain_from_db(SHELF_DB);
        let middle = math::pow(high, SHELF_MIDDLE);
        let k = math::tan(PI * SHELF_HZ / rate);
        let b0 = high + middle * k / SHELF_Q + k * k;
        let zeros = [2.0 * (k * k - high) / b0, (high - middle * k / SHELF_Q + k * k) / b0];
        let poles = [(SHELF_HZ, SHELF_Q), (HIGH_PASS_HZ, HIGH_PASS_Q)].map(|(freq, q)| {
            let k = math::tan(PI * freq / rate);
            let a0 = 1.0 + k / q + k * k;
            [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
        });
        let mut weighting = Weighting { zeros, poles, power: 1.0 };
        weighting.power = math::gain_from_db(2.0 * FIXED_DB) / weighting.power_at(FIXED_HZ, rate);
        weighting
    }

    /// What the power of a steady tone is multiplied by.
    pub(super) fn power_at(&self, freq: f64, rate: f64) -> f64 {
        let w = 2.0 * PI * freq / rate;
        let power = |[one, two]: [f64; 2]| {
            let re = 1.0 + one * math::cos(w) + two * math::cos(2.0 * w);
            let im = one * math::sin(w) + two * math::sin(2.0 * w);
            re * re + im * im
        };
        let [shelf, high_pass] = self.poles;
        self.power * power(self.zeros) * power([-2.0, 1.0]) / (power(shelf) * power(high_pass))
    }

    /// What sums of squares that [`Weighting::run`] gave are to be multiplied by.
    pub(super) fn power(&self) -> f64 {
        self.power
    }

    /// Filters equally long stretches of N channels, side by side, and adds the squares of what comes to `sums`.
    ///
    /// Direct form I: of the recursion only one product and one sum wait for the frame before, and channels in
    /// neighbouring lanes wait together.
    pub(super) fn run<const N: usize>(&self, memory: &mut Memory<N>, sound: [&[f64]; N], sums: &mut [f64; N]) {
        let [b1, b2] = self.zeros;
        let [[shelf1, shelf2], [high1, high2]] = self.poles;
        let [[mut x1, mut x2], [mut y1, mut y2], [mut z1, mut z2]] = memory.frames;
        let mut total = *sums;
        let length = sound.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let sound = sound.map(|channel| &channel[..length]);
        let frame = |i: usize| sound.map(|channel| channel[i]);
        for x in (0..length).map(frame) {
            let (mut y, mut z) = ([0.0; N], [0.0; N]);
            for lane in 0..N {
                y[lane] = (x[lane] + b1 * x1[lane] + b2 * x2[lane] - shelf2 * y2[lane]) - shelf1 * y1[lane];
                z[lane] = ((y[lane] - (y1[lane] + y1[lane])) + y2[lane] - high2 * z2[lane]) - high1 * z1[lane];
                total[lane] += z[lane] * z[lane];
            }
            (x2, x1, y2, y1, z2, z1) = (x1, x, y1, y, z1, z);
        }
        *sums = total;
        memory.frames = [[x1, x2], [y1, y2], [z1, z2]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::db_of_power;

    /// The table of the standard at 48 kHz, as zeros and poles of both filters.
    fn table(freq: f64) -> f64 {
        let w = 2.0 * PI * freq / 48_000.0;
        let power = |[zero, one, two]: [f64; 3]| {
            let re = zero + one * math::cos(w) + two * math::cos(2.0 * w);
            let im = one * math::sin(w) + two * math::sin(2.0 * w);
            re * re + im * im
        };
        power([1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85]) * power([1.0, -2.0, 1.0])
            / (power([1.0, -1.690_659_293_182_41, 0.732_480_774_215_85])
                * power([1.0, -1.990_047_454_833_98, 0.990_072_250_366_21]))
    }

    #[test]
    fn every_rate_weighs_as_the_table_at_48_khz_does() {
        for rate in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0, 192_000.0] {
            let weighting = Weighting::new(rate);
            let mut freq = 20.0;
            while freq <= 20_000.0 {
                let off = db_of_power(weighting.power_at(freq, rate) / table(freq));
                assert!(off.abs() <= 0.015, "{rate}, {freq}: {off}");
                freq *= 1.05;
            }
        }
    }

    #[test]
    fn what_runs_has_the_response_that_is_told() {
        let weighting = Weighting::new(48_000.0);
        for freq in [30.0, 100.0, 1_500.0, 9_000.0] {
            // Whole periods, after all that is not steady has died away.
            let sine: Vec<f64> = (0..96_000).map(|i| math::sin(2.0 * PI * freq * f64::from(i) / 48_000.0)).collect();
            let (mut memory, mut sums) = (Memory::default(), [0.0]);
            weighting.run(&mut memory, [&sine[..48_000]], &mut sums);
            sums = [0.0];
            weighting.run(&mut memory, [&sine[48_000..]], &mut sums);
            let power = sums[0] * weighting.power() / 24_000.0;
            assert!((power / weighting.power_at(freq, 48_000.0) - 1.0).abs() < 1e-9, "{freq}");
        }
    }
}
