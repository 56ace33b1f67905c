//! Generators: patterns made by rule and by seeded chance. Each gives a literal pattern of so many bars, which repeats;
//! [`Pattern::to_text`] writes it down.

mod cellular;
mod lsystem;
mod markov;
mod progression;
mod walk;

pub use cellular::cellular;
pub use lsystem::lsystem;
pub use markov::markov;
pub use progression::{Rule, progression};
pub use walk::{Walk, walk};

use super::event::{Event, Place, Span, Value};
use super::ratio::Ratio;
use super::{Pattern, PatternError, euclid as bjorklund, freeze};
use crate::random;

/// The origin of the places in a pattern that a generator has written.
pub const MADE: u32 = u32::MAX;

/// The most bars that are made.
const MOST_BARS: i64 = 256;

/// The most letters of a pattern that a generator writes.
const MOST_LETTERS: usize = 1 << 18;

/// A Euclidean rhythm of a value, written as in the mini-notation: `euclid("bd", 3, 8, 0)`.
///
/// # Errors
/// The value cannot be read, or there are more beats than steps.
pub fn euclid(value: &str, beats: i64, steps: i64, rotation: i64) -> Result<Pattern, PatternError> {
    let rhythm = bjorklund::rhythm(beats, steps, rotation).ok_or_else(|| {
        wrong(format!("a Euclidean rhythm has from 1 to {} steps, and no more beats", bjorklund::MOST_STEPS))
    })?;
    made(value)?;
    made(&steps_of(value, rhythm)?)
}

/// The pattern of a text that a generator has written.
fn made(text: &str) -> Result<Pattern, PatternError> {
    Pattern::parse(text, MADE)
}

fn wrong(message: impl Into<String>) -> PatternError {
    PatternError::new(Place::default(), message)
}

/// A whole number from one to another.
fn count(what: &str, number: i64, least: i64, most: i64) -> Result<usize, PatternError> {
    usize::try_from(number)
        .ok()
        .filter(|_| (least..=most).contains(&number))
        .ok_or_else(|| wrong(format!("{what} are from {least} to {most}, not {number}")))
}

/// A number below `n`, drawn: the `counter`th of a seed.
fn drawn(seed: u64, counter: u64, n: usize) -> usize {
    ((random::even(seed, counter) + 0.5) * n as f64) as usize
}

/// A step for each beat, a rest for each other.
fn steps_of(value: &str, beats: impl IntoIterator<Item = bool>) -> Result<String, PatternError> {
    // Whatever is more than a word is one step in brackets only.
    let value = if value.chars().all(char::is_alphanumeric) { value.to_owned() } else { format!("[{value}]") };
    sequence(beats.into_iter().map(|beat| if beat { value.as_str() } else { "~" }))
}

/// Steps one after the other, while they are not too much together.
fn sequence<'a>(steps: impl IntoIterator<Item = &'a str>) -> Result<String, PatternError> {
    let mut text = String::new();
    for step in steps {
        text.extend((!text.is_empty()).then_some(' '));
        text.push_str(step);
        if text.len() > MOST_LETTERS {
            return Err(wrong(format!("the pattern is too much: it comes to more than {MOST_LETTERS} letters")));
        }
    }
    Ok(text)
}

/// The pattern of notes, each of a MIDI number in its stretch of bars, which repeats after the bar that the last of them ends in, or
/// after 256.
///
/// # Errors
/// There are none, or they are too many or too fine to be written.
pub fn notes(notes: &[(Span, f64)]) -> Result<Pattern, PatternError> {
    let last = notes.iter().map(|(span, _)| span.end.ceil()).max().ok_or_else(|| wrong("there are no notes"))?;
    let bars = last.clamp(1, MOST_BARS);
    let events = notes.iter().filter(|(span, _)| span.begin < Ratio::whole(bars)).map(|(span, number)| {
        let (value, at) = (Value::Number(*number), Place::default());
        Event { whole: *span, part: *span, value, at }
    });
    of_events(&events.collect::<Vec<_>>(), bars)
}

/// The pattern of values that begin within so many bars.
fn of_events(events: &[Event], bars: i64) -> Result<Pattern, PatternError> {
    let text = freeze::literal(events, bars).ok_or_else(|| wrong("its times are too fine to be written"))?;
    made(&text)
}
