//! Exact fractions of a cycle.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// A fraction in its lowest terms. Sums and products that do not fit are refused, never rounded.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    over: i64,
    /// Above 0.
    under: i64,
}

/// A fraction too fine or too large to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFine;

impl Ratio {
    /// 0.
    pub const ZERO: Ratio = Ratio::whole(0);
    /// 1.
    pub const ONE: Ratio = Ratio::whole(1);

    /// A whole number.
    pub const fn whole(number: i64) -> Self {
        Ratio { over: number, under: 1 }
    }

    /// `over / under`.
    ///
    /// # Errors
    /// `under` is 0, or the fraction does not fit.
    pub fn new(over: i64, under: i64) -> Result<Self, TooFine> {
        if under == 0 {
            return Err(TooFine);
        }
        Ratio::lowest(i128::from(over) * i128::from(under.signum()), i128::from(under).abs())
    }

    /// The lowest terms of a fraction whose lower part is above 0.
    fn lowest(over: i128, under: i128) -> Result<Self, TooFine> {
        let common = match (u64::try_from(over.unsigned_abs()), u64::try_from(under)) {
            (_, Ok(1)) => 1,
            (Ok(over), Ok(under)) => i128::from(gcd(over, under)),
            _ => wide_gcd(over.unsigned_abs(), under.unsigned_abs()) as i128,
        };
        let (over, under) = if common == 1 { (over, under) } else { (over / common, under / common) };
        match (i64::try_from(over), i64::try_from(under)) {
            (Ok(over), Ok(under)) if over != i64::MIN => Ok(Ratio { over, under }),
            _ => Err(TooFine),
        }
    }

    /// The simplest fraction that is this number to its last bit: 0.1 is 1/10, a third as near as a number gets is 1/3.
    ///
    /// # Errors
    /// The number is not finite, or has no such fraction that fits.
    pub fn simplest(number: f64) -> Result<Self, TooFine> {
        // Convergents of the continued fraction, until one is the number.
        let (mut before, mut last) = ((0i128, 1i128), (1i128, 0i128));
        let mut rest = number.abs();
        for _ in 0..40 {
            if !rest.is_finite() || rest > 1e15 {
                break;
            }
            let whole = rest.floor();
            let next = (whole as i128 * last.0 + before.0, whole as i128 * last.1 + before.1);
            (before, last) = (last, next);
            if last.0 as f64 / last.1 as f64 == number.abs() {
                return Ratio::lowest(if number < 0.0 { -last.0 } else { last.0 }, last.1);
            }
            if last.1 > 1 << 60 {
                break;
            }
            rest = 1.0 / (rest - whole);
        }
        Err(TooFine)
    }

    /// The sum.
    ///
    /// # Errors
    /// It does not fit.
    pub fn plus(self, other: Ratio) -> Result<Self, TooFine> {
        let (a, b) = (i128::from(self.over), i128::from(other.over));
        if self.under == other.under {
            return Ratio::lowest(a + b, i128::from(self.under));
        }
        let (c, d) = (i128::from(self.under), i128::from(other.under));
        Ratio::lowest((a * d).checked_add(b * c).ok_or(TooFine)?, c * d)
    }

    /// The difference.
    ///
    /// # Errors
    /// It does not fit.
    pub fn minus(self, other: Ratio) -> Result<Self, TooFine> {
        self.plus(other.negated())
    }

    /// The product.
    ///
    /// # Errors
    /// It does not fit.
    pub fn times(self, other: Ratio) -> Result<Self, TooFine> {
        let over = i128::from(self.over) * i128::from(other.over);
        Ratio::lowest(over, i128::from(self.under) * i128::from(other.under))
    }

    /// The quotient.
    ///
    /// # Errors
    /// It does not fit, or `other` is 0.
    pub fn divided(self, other: Ratio) -> Result<Self, TooFine> {
        self.times(other.turned()?)
    }

    /// The same below 0, or above.
    pub fn negated(self) -> Self {
        Ratio { over: -self.over, ..self }
    }

    /// 1 divided by it.
    ///
    /// # Errors
    /// It is 0.
    pub fn turned(self) -> Result<Self, TooFine> {
        if self.over == 0 {
            return Err(TooFine);
        }
        Ok(Ratio { over: self.under * self.over.signum(), under: self.over.abs() })
    }

    /// The last whole number that is not above it.
    pub fn floor(self) -> i64 {
        self.over.div_euclid(self.under)
    }

    /// The first whole number that is not below it.
    pub fn ceil(self) -> i64 {
        -(-self.over).div_euclid(self.under)
    }

    /// The nearest number.
    pub fn number(self) -> f64 {
        self.over as f64 / self.under as f64
    }

    /// The upper part, of the sign of the whole.
    pub fn over(self) -> i64 {
        self.over
    }

    /// The lower part, above 0.
    pub fn under(self) -> i64 {
        self.under
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.under == other.under {
            return self.over.cmp(&other.over);
        }
        let (a, b) = (i128::from(self.over), i128::from(other.over));
        (a * i128::from(other.under)).cmp(&(b * i128::from(self.under)))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.under {
            1 => write!(f, "{}", self.over),
            under => write!(f, "{}/{under}", self.over),
        }
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The greatest common divisor; of 0 and 0 it is 0. After Stein (1967).
pub(super) fn gcd(mut a: u64, mut b: u64) -> u64 {
    if a == 0 || b == 0 {
        return a | b;
    }
    let twos = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        (a, b) = (a.min(b), a.max(b) - a.min(b));
    }
    a << twos
}

/// The same of numbers beyond 64 bits.
fn wide_gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(over: i64, under: i64) -> Ratio {
        Ratio::new(over, under).unwrap()
    }

    #[test]
    fn fractions_are_kept_in_their_lowest_terms() {
        assert_eq!(ratio(6, -8), ratio(-3, 4));
        assert_eq!(ratio(1, 3).plus(ratio(1, 6)), Ok(ratio(1, 2)));
        assert_eq!(ratio(1, 3).minus(ratio(1, 3)), Ok(Ratio::ZERO));
        assert_eq!(ratio(2, 3).times(ratio(9, 4)), Ok(ratio(3, 2)));
        assert_eq!(ratio(2, 3).divided(ratio(-4, 9)), Ok(ratio(-3, 2)));
        assert_eq!(ratio(-7, 2).floor(), -4);
        assert_eq!(ratio(-7, 2).ceil(), -3);
        assert!(ratio(1, 3) < ratio(2, 5) && ratio(-1, 2) < Ratio::ZERO);
        assert_eq!(ratio(-3, 8).to_string(), "-3/8");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (fine, large) = (ratio(1, i64::MAX), Ratio::whole(i64::MAX));
        assert_eq!(Ratio::new(1, 0), Err(TooFine));
        assert_eq!(Ratio::ZERO.turned(), Err(TooFine));
        assert_eq!(fine.times(fine), Err(TooFine));
        assert_eq!(large.plus(large), Err(TooFine));
        assert_eq!(large.plus(fine), Err(TooFine));
        assert_eq!(Ratio::new(i64::MIN, 1), Err(TooFine));
        assert_eq!(large.times(fine), Ok(Ratio::ONE));
    }

    #[test]
    fn a_number_gives_the_fraction_that_was_written() {
        for (number, over, under) in
            [(0.1, 1, 10), (1.0 / 3.0, 1, 3), (-1.5, -3, 2), (0.333, 333, 1000), (0.0, 0, 1), (1e6, 1_000_000, 1)]
        {
            assert_eq!(Ratio::simplest(number), Ok(ratio(over, under)), "{number}");
        }
        for number in [f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            assert_eq!(Ratio::simplest(number), Err(TooFine), "{number}");
        }
    }
}
