//! The one place where functions of analysis come from, so that their bits are the same on every machine.
//!
//! The platform's `sin`, `exp` and the rest differ between systems in their last bits; these are `libm`'s, compiled
//! from the same source everywhere. Every function here is RT.

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

/// `e` to the power `x`. RT.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// The natural logarithm. RT.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

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
    exp(db * (core::f64::consts::LN_10 / 20.0))
}

/// The level in dB of a linear gain; 0 gives minus infinity. RT.
pub fn db_from_gain(gain: f64) -> f64 {
    if gain > 0.0 { ln(gain) * (20.0 / core::f64::consts::LN_10) } else { f64::NEG_INFINITY }
}

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
