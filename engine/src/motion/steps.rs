//! A pattern of numbers, as `steps` goes through it: since each value holds until the next, it is where its values begin,
//! worked out once for as many bars as pass before it comes round.

use crate::pattern::{Endless, Pattern, PatternError, Place, Value};

/// The most steps before it comes round.
const MOST_STEPS: usize = 4096;

/// The bars that are worked out of a pattern with chance in it, which then comes round as well.
const DRAWN: i64 = 64;

/// A pattern, worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// The bars after which it begins anew.
    pub bars: f64,
    /// Its values in order. Never empty.
    pub steps: Vec<Step>,
}

/// Where a value begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Bars from the pattern's beginning.
    pub place: f64,
    /// The value.
    pub value: f64,
    /// Where it is written.
    pub at: Place,
}

/// Works a pattern out. Chance in it is drawn from a seed.
///
/// # Errors
/// It has no number, something else than numbers, two at once, or is too much.
pub fn of(pattern: &Pattern, seed: u64) -> Result<Steps, PatternError> {
    let refused = |at: Place, message: String| Err(PatternError { at, message, help: None });
    let bars = match pattern.period() {
        Ok(bars) => bars,
        Err(Endless::Drawn) => DRAWN,
        Err(Endless::TooLong) => {
            let message = "the pattern is too much: it does not come round within 4096 bars";
            return refused(Place::default(), message.into());
        }
    };
    let mut steps: Vec<Step> = Vec::new();
    for onsets in pattern.first_onsets(seed, bars) {
        for event in onsets? {
            let value = match event.value {
                Value::Number(number) => number,
                word => {
                    let help = Some("`steps` goes through numbers without units: \"-3 -3 [-6 0]\"".into());
                    return Err(PatternError { at: event.at, message: format!("`{word}` is no number"), help });
                }
            };
            let step = Step { place: event.whole.begin.number(), value, at: event.at };
            match steps.last() {
                Some(last) if last.place == step.place && last.value != value => {
                    return refused(event.at, "a parameter has one value at a time".into());
                }
                Some(last) if last.place == step.place => {}
                _ => steps.push(step),
            }
            if steps.len() > MOST_STEPS {
                let message = format!("the pattern is too much: more than {MOST_STEPS} steps before it comes round");
                return refused(event.at, message);
            }
        }
    }
    match steps.is_empty() {
        true => refused(Place::default(), "there is no number in it".into()),
        false => Ok(Steps { bars: bars as f64, steps }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Steps, PatternError> {
        of(&Pattern::parse(text, 0)?, 0)
    }

    /// Bars until it comes round, and where which value begins.
    fn read(text: &str) -> (f64, Vec<(f64, f64)>) {
        let steps = parsed(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        (steps.bars, steps.steps.iter().map(|step| (step.place, step.value)).collect())
    }

    #[test]
    fn values_begin_where_the_pattern_has_them() {
        let third = 1.0 / 3.0;
        let expected = vec![(0.0, -3.0), (third, -3.0), (2.0 / 3.0, -6.0), (5.0 / 6.0, 0.0)];
        assert_eq!(read("-3 -3 [-6 0]"), (1.0, expected));
        assert_eq!(read("~ 1 ~ 2"), (1.0, vec![(0.25, 1.0), (0.75, 2.0)]));
        assert_eq!(read("1 _ _ 2"), (1.0, vec![(0.0, 1.0), (0.75, 2.0)]));
        assert_eq!(read("0 [1 2]/2"), (2.0, vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.0), (1.5, 2.0)]));
        assert_eq!(read("0 <1 2>"), (2.0, vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.0), (1.5, 2.0)]));
        assert_eq!(read("<1 <2 3>>"), (4.0, vec![(0.0, 1.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)]));
        assert_eq!(read("<1 2> <3 4 5>").0, 6.0);
        assert_eq!(read("1(3,8)").1.len(), 3);
    }

    #[test]
    fn values_know_where_they_are_written() {
        let places: Vec<u32> = parsed("-3  [~ 1]*2").unwrap().steps.iter().map(|step| step.at.begin).collect();
        assert_eq!(places, [0, 7, 7]);
    }

    #[test]
    fn chance_is_drawn_from_the_seed() {
        let drawn = |text: &str, seed: u64| of(&Pattern::parse(text, 0).unwrap(), seed).unwrap();
        for text in ["0 -20?", "[0|1|2]"] {
            assert_eq!(drawn(text, 1), drawn(text, 1), "{text}");
            assert_ne!(drawn(text, 1), drawn(text, 2), "{text}");
        }
        assert_eq!(drawn("0 <-20 3>", 1), drawn("0 <-20 3>", 2));
    }

    #[test]
    fn what_is_no_way_for_a_parameter_is_told_with_its_place() {
        for (text, place, part) in [
            ("", 0, "empty"),
            ("~ ~", 0, "no number"),
            ("1 [2 3", 2, "never closed"),
            ("1 x 2", 2, "`x` is no number"),
            ("1, 2", 3, "one value at a time"),
            ("bd sn", 0, "`bd` is no number"),
            ("<1!1000 2> <1!999 2> <1!997 2>", 0, "too much"),
            ("<0 ~@4090> [~ ~]*4000", 0, "more than 1048576 steps to find"),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error.at.begin, place, "{text}: {error:?}");
            assert!(error.message.contains(part), "{text}: {error:?}");
        }
    }
}
