//! Random walks through a scale.

use super::{MOST_BARS, Pattern, PatternError, count, drawn, made};
use crate::pattern::event::Value;
use crate::pattern::scales::Scale;

/// How a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Notes in a bar.
    pub steps: i64,
    /// Bars before it repeats.
    pub bars: i64,
    /// How many degrees it goes away from the root at most, up and down.
    pub span: i64,
    /// How many degrees a step is at most.
    pub leap: i64,
}

/// Notes that go up and down a scale by steps drawn, none staying where it is, turning back at the ends of their span.
/// The first is the root.
///
/// # Errors
/// There is no such scale; a number is out of range.
pub fn walk(scale: &str, how: Walk, seed: u64) -> Result<Pattern, PatternError> {
    let scale = Scale::named(scale).map_err(super::wrong)?;
    let (steps, bars) = (count("steps", how.steps, 1, 256)?, count("bars", how.bars, 1, MOST_BARS)?);
    let span = count("degrees of a span", how.span, 1, 64)? as i64;
    let leap = count("degrees of a leap", how.leap, 1, 64)? as i64;
    let mut degree = 0i64;
    let mut phrases = Vec::with_capacity(bars);
    for bar in 0..bars {
        let mut notes = Vec::with_capacity(steps);
        for step in 0..steps {
            notes.push(Value::Number(scale.note(degree as f64)).to_string());
            let at = (bar * steps + step) as u64;
            let far = 1 + drawn(seed, 2 * at, leap as usize) as i64;
            let up = drawn(seed, 2 * at + 1, 2) == 1;
            let there = if up { degree + far } else { degree - far };
            // At an end it turns back; a leap wider than the span goes as far as there is room.
            let back = if up { degree - far } else { degree + far };
            let fits = [there, back].into_iter().find(|place| place.abs() <= span);
            degree = fits.unwrap_or(if degree > 0 { -span } else { span });
        }
        phrases.push(format!("[{}]", notes.join(" ")));
    }
    made(&format!("<{}>", phrases.join(" ")))
}
