//! The functions of numbers that circuits know.
//!
//! Each is written once, without a branch in its usual range, so that the compiler works on several numbers at a time, and
//! gives the same bits one by one. Beyond that range [`crate::math`] has the word.

use serde::Serialize;

use crate::math::{self, LN_2_HIGH, LN_2_LOW, ROUNDER};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "they are called what they are")]
pub enum Unary {
    Negate,
    /// 1 where it is 0, else 0.
    Not,
    Abs,
    /// -1, 0 or 1.
    Sign,
    Floor,
    SquareRoot,
    Sin,
    Cos,
    Tan,
    Tanh,
    Exp,
    /// The natural logarithm.
    Log,
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "they are called what they are")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// What division leaves, with the sign of what is divided.
    Remainder,
    /// The first to the power of the second.
    Power,
    Min,
    Max,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
    And,
    Or,
}

/// Which function of one number, as code for each. RT.
macro_rules! with_unary {
    ($function:expr, $f:ident => $do:expr) => {
        match $function {
            Unary::Negate => {
                let $f = |x: f64| -x;
                $do
            }
            Unary::Not => {
                let $f = |x: f64| truth(x == 0.0);
                $do
            }
            Unary::Abs => {
                let $f = f64::abs;
                $do
            }
            Unary::Sign => {
                let $f = |x: f64| truth(x > 0.0) - truth(x < 0.0);
                $do
            }
            Unary::Floor => {
                let $f = floor;
                $do
            }
            Unary::SquareRoot => {
                let $f = math::sqrt;
                $do
            }
            Unary::Sin => {
                let $f = sin;
                $do
            }
            Unary::Cos => {
                let $f = cos;
                $do
            }
            Unary::Tan => {
                let $f = math::tan;
                $do
            }
            Unary::Tanh => {
                let $f = tanh;
                $do
            }
            Unary::Exp => {
                let $f = exp;
                $do
            }
            Unary::Log => {
                let $f = math::ln;
                $do
            }
        }
    };
}

/// Which function of two numbers, as code for each. RT.
macro_rules! with_binary {
    ($function:expr, $f:ident => $do:expr) => {
        match $function {
            Binary::Add => {
                let $f = |a: f64, b: f64| a + b;
                $do
            }
            Binary::Subtract => {
                let $f = |a: f64, b: f64| a - b;
                $do
            }
            Binary::Multiply => {
                let $f = |a: f64, b: f64| a * b;
                $do
            }
            Binary::Divide => {
                let $f = |a: f64, b: f64| a / b;
                $do
            }
            Binary::Remainder => {
                let $f = |a: f64, b: f64| a % b;
                $do
            }
            Binary::Power => {
                let $f = math::pow;
                $do
            }
            Binary::Min => {
                let $f = |a: f64, b: f64| if b < a { b } else { a };
                $do
            }
            Binary::Max => {
                let $f = |a: f64, b: f64| if b > a { b } else { a };
                $do
            }
            Binary::Less => {
                let $f = |a: f64, b: f64| truth(a < b);
                $do
            }
            Binary::LessOrEqual => {
                let $f = |a: f64, b: f64| truth(a <= b);
                $do
            }
            Binary::Greater => {
                let $f = |a: f64, b: f64| truth(a > b);
                $do
            }
            Binary::GreaterOrEqual => {
                let $f = |a: f64, b: f64| truth(a >= b);
                $do
            }
            Binary::Equal => {
                let $f = |a: f64, b: f64| truth(a == b);
                $do
            }
            Binary::Unequal => {
                let $f = |a: f64, b: f64| truth(a != b);
                $do
            }
            Binary::And => {
                let $f = |a: f64, b: f64| truth((a != 0.0) & (b != 0.0));
                $do
            }
            Binary::Or => {
                let $f = |a: f64, b: f64| truth((a != 0.0) | (b != 0.0));
                $do
            }
        }
    };
}

/// Two sums or products, one after the other, as code for each. RT.
macro_rules! with_pair {
    ($first:expr, $second:expr, $turned:expr, $f:ident => $do:expr) => {
        with_pair!(@first $first, $second, $turned, $f => $do;
            Add: |a: f64, b: f64| a + b, Subtract: |a: f64, b: f64| a - b, Multiply: |a: f64, b: f64| a * b)
    };
    (@first $first:expr, $second:expr, $turned:expr, $f:ident => $do:expr; $($name:ident: $inner:expr),+) => {
        match $first {
            $(Binary::$name => { let inner = $inner; match ($second, $turned) {
                (Binary::Add, false) => { let $f = move |a: f64, b: f64, c: f64| inner(a, b) + c; $do }
                (Binary::Add, true) => { let $f = move |a: f64, b: f64, c: f64| c + inner(a, b); $do }
                (Binary::Subtract, false) => { let $f = move |a: f64, b: f64, c: f64| inner(a, b) - c; $do }
                (Binary::Subtract, true) => { let $f = move |a: f64, b: f64, c: f64| c - inner(a, b); $do }
                (_, false) => { let $f = move |a: f64, b: f64, c: f64| inner(a, b) * c; $do }
                (_, true) => { let $f = move |a: f64, b: f64, c: f64| c * inner(a, b); $do }
            }})+
            // Nothing else is paired.
            _ => {}
        }
    };
}

/// A sum or a product, as code for each; nothing for anything else. RT.
macro_rules! with_plain {
    ($function:expr, $f:ident => $do:expr) => {
        match $function {
            Binary::Add => {
                let $f = |a: f64, b: f64| a + b;
                $do
            }
            Binary::Subtract => {
                let $f = |a: f64, b: f64| a - b;
                $do
            }
            Binary::Multiply => {
                let $f = |a: f64, b: f64| a * b;
                $do
            }
            _ => return None,
        }
    };
}

/// A comparison, as code for each; nothing for anything else. RT.
macro_rules! with_comparison {
    ($function:expr, $f:ident => $do:expr) => {
        match $function {
            Binary::Less => {
                let $f = |a: f64, b: f64| a < b;
                $do
            }
            Binary::LessOrEqual => {
                let $f = |a: f64, b: f64| a <= b;
                $do
            }
            Binary::Greater => {
                let $f = |a: f64, b: f64| a > b;
                $do
            }
            Binary::GreaterOrEqual => {
                let $f = |a: f64, b: f64| a >= b;
                $do
            }
            _ => return None,
        }
    };
}
pub(super) use {with_binary, with_comparison, with_pair, with_plain, with_unary};

/// A function of one number. RT.
pub fn unary(function: Unary, x: f64) -> f64 {
    with_unary!(function, f => f(x))
}

/// A function of two numbers. RT.
pub fn binary(function: Binary, a: f64, b: f64) -> f64 {
    with_binary!(function, f => f(a, b))
}

/// One of two numbers. RT.
#[inline(always)]
pub fn select(condition: f64, yes: f64, no: f64) -> f64 {
    if condition != 0.0 { yes } else { no }
}

/// 1 or 0. RT.
#[inline(always)]
pub fn truth(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

/// The nearest whole number, of numbers up to 2^51. RT.
#[inline(always)]
pub fn nearest(x: f64) -> f64 {
    (x + ROUNDER) - ROUNDER
}

/// The whole number below, of any number: without the processor's own instruction, which not every one has. RT.
#[inline(always)]
pub fn floor(x: f64) -> f64 {
    let near = nearest(x);
    let below = near - truth(near > x);
    // Beyond 2^51 there is nothing behind the point that would matter.
    if x.abs() < 2_251_799_813_685_248.0 { below } else { x }
}

const LOG2_E: f64 = std::f64::consts::LOG2_E;

/// Where [`quick_exp`] holds.
const EXP_RANGE: f64 = 700.0;

/// `e` to the power `x`, for x within 700 of 0, less 1 for its part next to a power of 2; and that power. The reduction is
/// that of Cody and Waite (1980). RT.
#[inline(always)]
fn quick_exp(x: f64) -> (f64, f64) {
    let shifted = x * LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = r + r2 * (1.0 / 2.0 + r * (1.0 / 6.0));
    let middle = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let high = (1.0 / 40_320.0 + r * (1.0 / 362_880.0)) + r2 * (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0));
    let part = low + r4 * (middle + r4 * (high + r4 * (1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0))));
    // The whole number lies in the lowest bits of what was shifted.
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    (part, power)
}

/// `e` to the power `x` where [`can_exp`]. RT.
#[inline(always)]
pub(super) fn exp_within(x: f64) -> f64 {
    let (part, power) = quick_exp(x);
    power + power * part
}

/// RT.
#[inline(always)]
pub(super) fn can_exp(x: f64) -> bool {
    x.abs() <= EXP_RANGE
}

/// `e` to the power `x`. RT.
pub fn exp(x: f64) -> f64 {
    if can_exp(x) { exp_within(x) } else { libm::exp(x) }
}

/// Where tanh is 1 to the last bit.
const TANH_RANGE: f64 = 20.0;

/// The hyperbolic tangent, of e^2x - 1, so that what is small stays exact. RT.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let size = x.abs();
    let size = if size > TANH_RANGE { TANH_RANGE } else { size };
    let (part, power) = quick_exp(2.0 * size);
    let less_one = (power - 1.0) + power * part;
    (less_one / (less_one + 2.0)).copysign(x)
}

/// Where the reduction of [`sin`] and [`cos`] is exact.
const TURN_RANGE: f64 = 1e5;

/// π in three parts, the first two so short that their products with whole numbers up to 2^20 are exact.
const PI_HIGH: f64 = f64::from_bits(0x4009_21FB_5440_0000);
const PI_MIDDLE: f64 = f64::from_bits(0x3DE0_B461_1A40_0000);
const PI_LOW: f64 = 5.825_464_112_186_712e-20;

/// The sine of `x` less `k` times π, `k` a whole number or, for the cosine, one and a half: its sign is for the caller. RT.
#[inline(always)]
fn quick_sine(x: f64, k: f64) -> f64 {
    let r = ((x - k * PI_HIGH) - k * PI_MIDDLE) - k * PI_LOW;
    let z = r * r;
    let z2 = z * z;
    let z4 = z2 * z2;
    // Taylor's series up to the 21st power: below 3e-16 at half of π.
    let a = -1.0 / 6.0 + z * (1.0 / 120.0);
    let b = -1.0 / 5040.0 + z * (1.0 / 362_880.0);
    let c = -1.0 / 39_916_800.0 + z * (1.0 / 6_227_020_800.0);
    let d = -1.0 / 1_307_674_368_000.0 + z * (1.0 / 355_687_428_096_000.0);
    let e = -1.0 / 121_645_100_408_832_000.0 + z * (1.0 / 51_090_942_171_709_440_000.0);
    r + r * z * ((a + z2 * b) + z4 * ((c + z2 * d) + z4 * e))
}

/// The sine where [`can_turn`]. RT.
#[inline(always)]
pub(super) fn sin_within(x: f64) -> f64 {
    let shifted = x * std::f64::consts::FRAC_1_PI + ROUNDER;
    // An odd number of half turns turns the sign.
    f64::from_bits(quick_sine(x, shifted - ROUNDER).to_bits() ^ (shifted.to_bits() << 63))
}

/// The cosine where [`can_turn`]. RT.
#[inline(always)]
pub(super) fn cos_within(x: f64) -> f64 {
    let shifted = (x * std::f64::consts::FRAC_1_PI + 0.5) + ROUNDER;
    f64::from_bits(quick_sine(x, (shifted - ROUNDER) - 0.5).to_bits() ^ (shifted.to_bits() << 63))
}

/// RT.
#[inline(always)]
pub(super) fn can_turn(x: f64) -> bool {
    x.abs() <= TURN_RANGE
}

/// The sine. RT.
pub fn sin(x: f64) -> f64 {
    if can_turn(x) { sin_within(x) } else { math::sin(x) }
}

/// The cosine. RT.
pub fn cos(x: f64) -> f64 {
    if can_turn(x) { cos_within(x) } else { math::cos(x) }
}
