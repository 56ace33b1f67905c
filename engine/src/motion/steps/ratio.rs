//! Exact parts of a bar.

use std::cmp::Ordering;

/// Neither part of a fraction is larger, so that products of two never overflow.
const LARGEST: i128 = 1 << 60;

/// A fraction in its lowest terms, `under` above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    pub over: i128,
    pub under: i128,
}

impl Ratio {
    pub const ZERO: Ratio = Ratio::whole(0);
    pub const ONE: Ratio = Ratio::whole(1);

    pub const fn whole(number: i128) -> Self {
        Ratio { over: number, under: 1 }
    }

    /// `over / under`; none if it is too fine or too large, or `under` is 0.
    pub fn new(over: i128, under: i128) -> Option<Self> {
        let common = gcd(over, under);
        if under == 0 || common == 0 {
            return None;
        }
        let (over, under) = (over / common * under.signum(), (under / common).abs());
        (over.abs() <= LARGEST && under <= LARGEST).then_some(Ratio { over, under })
    }

    pub fn plus(self, other: Ratio) -> Option<Self> {
        Ratio::new(self.over * other.under + other.over * self.under, self.under * other.under)
    }

    pub fn minus(self, other: Ratio) -> Option<Self> {
        self.plus(Ratio { over: -other.over, ..other })
    }

    pub fn times(self, other: Ratio) -> Option<Self> {
        Ratio::new(self.over * other.over, self.under * other.under)
    }

    pub fn divided(self, other: Ratio) -> Option<Self> {
        Ratio::new(self.over * other.under, self.under * other.over)
    }

    pub fn floor(self) -> i128 {
        self.over.div_euclid(self.under)
    }

    pub fn ceil(self) -> i128 {
        -(-self.over).div_euclid(self.under)
    }

    /// The whole number that it is, if it is one of 1 and more.
    pub fn as_whole(self) -> Option<usize> {
        usize::try_from(self.over).ok().filter(|number| self.under == 1 && *number > 0)
    }

    pub fn number(self) -> f64 {
        self.over as f64 / self.under as f64
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.over * other.under).cmp(&(other.over * self.under))
    }
}

/// The greatest common divisor, never negative.
pub(super) fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
