//! Expectations: what a text says of figures, and whether it holds.

use serde::Serialize;

use crate::diagnostic::Position;
use crate::figure::Figure;
use crate::listen::Point;

/// How far beyond its bound a figure may lie that still holds, so that -1.003 is at most -1.
pub const SLACK: f64 = 0.005;

/// What is expected of a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expectation {
    /// Of what.
    pub point: Point,
    /// Of which of its figures.
    pub figure: Figure,
    /// What.
    pub bound: Bound,
    /// Where the text says so.
    pub at: Position,
}

/// Where a figure is expected to lie, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// At least so much.
    Above(f64),
    /// At most so much.
    Below(f64),
    /// So much, give or take.
    Within {
        /// The middle.
        value: f64,
        /// How far off it may be.
        tolerance: f64,
    },
}

impl Bound {
    /// Whether a value lies there, to [`SLACK`].
    pub fn holds(self, value: f64) -> bool {
        match self {
            Bound::Above(least) => value >= least - SLACK,
            Bound::Below(most) => value <= most + SLACK,
            Bound::Within { value: middle, tolerance } => (value - middle).abs() <= tolerance + SLACK,
        }
    }

    /// In words: `at most -1.0 dBTP`.
    pub fn shown(self, figure: Figure) -> String {
        match self {
            Bound::Above(least) => format!("at least {}", figure.exactly(least)),
            Bound::Below(most) => format!("at most {}", figure.exactly(most)),
            Bound::Within { value, tolerance } => {
                let off = format!("{tolerance} {}", figure.difference());
                format!("{} ± {}", figure.exactly(value), off.trim_end())
            }
        }
    }

    /// By how much a value misses it; 0 or less where it holds.
    pub fn missed_by(self, value: f64) -> f64 {
        match self {
            Bound::Above(least) => least - value,
            Bound::Below(most) => value - most,
            Bound::Within { value: middle, tolerance } => (value - middle).abs() - tolerance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_to_five_thousandths() {
        assert!(Bound::Below(-1.0).holds(-0.995) && !Bound::Below(-1.0).holds(-0.994));
        assert!(Bound::Above(3.0).holds(2.995) && !Bound::Above(3.0).holds(2.994));
        let within = Bound::Within { value: -14.0, tolerance: 0.5 };
        assert!(within.holds(-14.5) && within.holds(-13.496) && !within.holds(-13.494) && !within.holds(-14.506));
    }

    #[test]
    fn no_number_holds_nowhere() {
        let within = Bound::Within { value: 0.0, tolerance: 1.0 };
        assert!([Bound::Below(0.0), Bound::Above(0.0), within].iter().all(|bound| !bound.holds(f64::NAN)));
    }

    #[test]
    fn bounds_are_shown_in_words() {
        assert_eq!(Bound::Below(-1.0).shown(Figure::TruePeak), "at most -1 dBTP");
        assert_eq!(Bound::Within { value: -14.0, tolerance: 0.5 }.shown(Figure::Lufs), "-14 LUFS ± 0.5 LU");
        assert_eq!(Bound::Above(0.25).shown(Figure::Correlation), "at least 0.25");
    }
}
