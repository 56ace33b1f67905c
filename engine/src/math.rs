//! The one place where functions of analysis come from, so that their bits are the same on every machine.
//!
//! The platform's `sin`, `exp` and the rest differ between systems in their last bits; these are `libm`'s, compiled
//! from the same source everywhere, but for the two that every sample of dynamics needs. Every function here is RT.

/// `sin(x)`, x in radians. RT.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// `cos(x)`, x in radians. RT.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// `tan(x)`, x in radians. RT.
pub fn tan(x: f64) -> f64 {
    libm::tan(x)
}

/// `e` to the power `x`, within two units in the last place. RT.
#[inline]
pub fn exp(x: f64) -> f64 {
    if (EXP_LEAST..=EXP_MOST).contains(&x) { exp_within(x) } else { libm::exp(x) }
}

/// From where to where [`exp_within`] holds.
pub const EXP_LEAST: f64 = -708.0;
const EXP_MOST: f64 = 709.0;

/// [`exp`] of -708 to 709, without a branch, so that many are worked out side by side. RT.
///
/// The exponent is split off by Cody and Waite's (1980) two-part reduction; what is left, at most half of ln 2, goes
/// through its Taylor series.
#[inline(always)]
pub fn exp_within(x: f64) -> f64 {
    // The nearest whole number lies in the lowest bits of what was shifted.
    let shifted = x * core::f64::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let r2 = r * r;
    let r4 = r2 * r2;
    // Pairs of terms side by side, which a processor works on at the same time.
    let low = (1.0 + r) + r2 * (1.0 / 2.0 + r * (1.0 / 6.0));
    let middle = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let high = (1.0 / 40_320.0 + r * (1.0 / 362_880.0)) + r2 * (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0));
    let top = 1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0);
    let series = low + r4 * (middle + r4 * (high + r4 * top));
    series * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()))
}

/// What added and taken away again rounds to a whole number, for numbers up to 2^51.
pub const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// ln 2 in two parts, the first exact in so few bits that a product with a whole number is exact too.
pub const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
/// See above.
pub const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The natural logarithm, within two units in the last place. RT.
#[inline]
pub fn ln(x: f64) -> f64 {
    if (f64::MIN_POSITIVE..f64::INFINITY).contains(&x) { ln_within(x) } else { libm::log(x) }
}

/// [`ln`] of what is above 0, finite and no denormal, without a branch, so that many are worked out side by side. RT.
///
/// The exponent is split off; the mantissa m, brought to within a factor √2 of 1, goes through the series of
/// 2 artanh((m-1)/(m+1)).
#[inline(always)]
pub fn ln_within(x: f64) -> f64 {
    let bits = x.to_bits();
    // Above √2 the mantissa is halved and the exponent counts one more.
    let up = u64::from(bits & MANTISSA > SQRT_2_MANTISSA);
    let m = f64::from_bits((bits & MANTISSA) | ((1023 - up) << 52));
    // The whole number as the lowest bits of 2^52, which not every processor could turn into one otherwise.
    let e = f64::from_bits(((bits >> 52) + up) | TWO_TO_52.to_bits()) - (TWO_TO_52 + 1023.0);
    let f = m - 1.0;
    let s = f / (m + 1.0);
    let z = s * s;
    let z2 = z * z;
    let z4 = z2 * z2;
    let low = (1.0 / 3.0 + z * (1.0 / 5.0)) + z2 * (1.0 / 7.0 + z * (1.0 / 9.0));
    let high = (1.0 / 11.0 + z * (1.0 / 13.0)) + z2 * (1.0 / 15.0 + z * (1.0 / 17.0));
    let top = 1.0 / 19.0 + z * (1.0 / 21.0);
    let tail = 2.0 * s * z * (low + z4 * (high + z4 * top));
    // 2s = f - s f, which keeps what is lost by the division small beside f.
    e * LN_2_HIGH + (f - (s * f - (tail + e * LN_2_LOW)))
}

const MANTISSA: u64 = (1 << 52) - 1;
const SQRT_2_MANTISSA: u64 = core::f64::consts::SQRT_2.to_bits() & MANTISSA;
const TWO_TO_52: f64 = 4_503_599_627_370_496.0;

/// `x` to the power `y`. RT.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The hyperbolic tangent. RT.
pub fn tanh(x: f64) -> f64 {
    libm::tanh(x)
}

/// The hyperbolic cosine. RT.
pub fn cosh(x: f64) -> f64 {
    libm::cosh(x)
}

/// The arc sine of -1 to 1. RT.
pub fn asin(x: f64) -> f64 {
    libm::asin(x)
}

/// The arc tangent. RT.
pub fn atan(x: f64) -> f64 {
    libm::atan(x)
}

/// The square root, exact on every processor. RT.
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// The linear gain of a level in dB; minus infinity gives 0. RT.
pub fn gain_from_db(db: f64) -> f64 {
    exp(db * NEPER)
}

/// What a dB is of the natural logarithm of a gain.
pub const NEPER: f64 = core::f64::consts::LN_10 / 20.0;

/// The level in dB of a linear gain; 0 gives minus infinity. RT.
pub fn db_from_gain(gain: f64) -> f64 {
    if gain > 0.0 { ln(gain) * DECIBEL } else { f64::NEG_INFINITY }
}

/// What the natural logarithm of a gain is multiplied by to be dB.
pub const DECIBEL: f64 = 20.0 / core::f64::consts::LN_10;

/// From 0 to 1 as `t` goes from 0 to 1, level at both ends: the shape of a crossfade. RT.
pub fn ease(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

/// The window of Kaiser (1974) at `part` of its half length, from -1 to 1.
pub fn kaiser(part: f64, beta: f64) -> f64 {
    bessel(beta * sqrt((1.0 - part * part).max(0.0))) / bessel(beta)
}

/// The modified Bessel function of the first kind and order 0, by its series.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (n * n);
        sum += term;
        n += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn exp_is_right_to_the_last_bits_over_its_whole_range() {
        for i in -708_000..709_000 {
            let x = f64::from(i) * 0.001 + 0.000_37;
            assert!(ulps(exp(x), libm::exp(x)) <= 2, "{x}: {} {}", exp(x), libm::exp(x));
        }
        assert_eq!((exp(0.0), exp(f64::NEG_INFINITY), exp(f64::INFINITY)), (1.0, 0.0, f64::INFINITY));
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn ln_is_right_to_the_last_bits_from_the_smallest_number_to_the_largest() {
        let mut x = f64::MIN_POSITIVE;
        while x < 1e300 {
            assert!(ulps(ln(x), libm::log(x)) <= 2, "{x}: {} {}", ln(x), libm::log(x));
            x *= 1.003_7;
        }
        for i in 1..20_000 {
            let x = f64::from(i) * 1e-4;
            assert!(ulps(ln(x), libm::log(x)) <= 2, "{x}: {} {}", ln(x), libm::log(x));
        }
        assert_eq!((ln(1.0), ln(0.0)), (0.0, f64::NEG_INFINITY));
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan());
    }
}
