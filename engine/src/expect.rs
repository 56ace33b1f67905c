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
    /// Over the same figure of what: then the difference is meant, and else the figure itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<Point>,
    /// Of which of its figures.
    pub figure: Figure,
    /// What.
    pub bound: Bound,
    /// Where the text says so.
    pub at: Position,
}

impl Expectation {
    /// Of what which figure: `voice>band lufs`, `voice>band rms over keys>band`.
    pub fn subject(&self) -> String {
        let own = format!("{} {}", self.point.name, self.figure.word());
        self.over.as_ref().map_or(own.clone(), |over| format!("{own} over {}", over.name))
    }

    /// What is expected, in words: `at most -1.0 dBTP`.
    pub fn expected(&self) -> String {
        let said = |value: f64| self.said(self.figure.exactly(value), value.to_string());
        match self.bound {
            Bound::Above(least) => format!("at least {}", said(least)),
            Bound::Below(most) => format!("at most {}", said(most)),
            Bound::Within { value, tolerance } => {
                let off = format!("{tolerance} {}", self.figure.difference());
                format!("{} ± {}", said(value), off.trim_end())
            }
        }
    }

    /// A value that was found, as it is shown.
    pub fn shown(&self, value: f64) -> String {
        let shown = self.figure.shown(value);
        let number = shown.split(' ').next().unwrap_or_default().to_owned();
        self.said(shown, number)
    }

    /// The same to the thousandth.
    pub fn shown_closely(&self, value: f64) -> String {
        let value = (value * 1000.0).round() / 1000.0;
        self.said(self.figure.exactly(value), value.to_string())
    }

    /// A value with the unit that a figure has, or, of a difference, with that of those.
    fn said(&self, figure: String, number: String) -> String {
        match self.over {
            None => figure,
            Some(_) => format!("{number} {}", self.figure.difference()).trim_end().to_owned(),
        }
    }
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

    fn of(figure: Figure, bound: Bound, over: bool) -> Expectation {
        let over = over.then(Point::delivered);
        Expectation { point: Point::delivered(), over, figure, bound, at: Position::default() }
    }

    #[test]
    fn what_is_expected_is_shown_in_words() {
        assert_eq!(of(Figure::TruePeak, Bound::Below(-1.0), false).expected(), "at most -1 dBTP");
        let within = Bound::Within { value: -14.0, tolerance: 0.5 };
        assert_eq!(of(Figure::Lufs, within, false).expected(), "-14 LUFS ± 0.5 LU");
        assert_eq!(of(Figure::Correlation, Bound::Above(0.25), false).expected(), "at least 0.25");
    }

    #[test]
    fn a_difference_is_shown_in_the_unit_that_differences_have() {
        let over = of(Figure::Lufs, Bound::Above(3.0), true);
        assert_eq!((over.expected(), over.shown(3.24)), ("at least 3 LU".into(), "3.2 LU".into()));
        assert_eq!(of(Figure::Rms, Bound::Above(3.0), true).shown_closely(2.9876), "2.988 dB");
        assert_eq!(of(Figure::Correlation, Bound::Above(0.5), true).shown(0.25), "0.25");
        assert_eq!(of(Figure::Rms, Bound::Above(3.0), false).shown(-20.0), "-20.0 dBFS");
    }
}
