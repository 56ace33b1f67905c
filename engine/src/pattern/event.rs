//! What a pattern gives: values with the stretch of time that each has, and where it is written.

use std::fmt;

use serde::Serialize;

use super::notes;
use super::ratio::{Ratio, TooFine};

/// A stretch of time in cycles, from `begin` to `end` without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its first moment.
    pub begin: Ratio,
    /// The moment after its last.
    pub end: Ratio,
}

impl Span {
    /// From one moment to another.
    pub const fn new(begin: Ratio, end: Ratio) -> Self {
        Span { begin, end }
    }

    /// One cycle.
    pub const fn cycle(cycle: i64) -> Self {
        Span::new(Ratio::whole(cycle), Ratio::whole(cycle + 1))
    }

    /// What it has in common with another; none if that has no length.
    pub fn within(self, other: Span) -> Option<Span> {
        let span = Span::new(self.begin.max(other.begin), self.end.min(other.end));
        (span.begin < span.end).then_some(span)
    }

    /// Both ends led elsewhere.
    pub(super) fn mapped<E>(self, map: impl Fn(Ratio) -> Result<Ratio, E>) -> Result<Span, E> {
        Ok(Span::new(map(self.begin)?, map(self.end)?))
    }

    /// Both ends later.
    pub(super) fn later(self, by: Ratio) -> Result<Span, TooFine> {
        self.mapped(|time| time.plus(by))
    }
}

/// Where something is written: characters of one string of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Which string, as whoever had it read has numbered them.
    pub origin: u32,
    /// The first character, counted from 0.
    pub begin: u32,
    /// The character after the last.
    pub end: u32,
}

/// What is played.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Value {
    /// A number: a MIDI note, a degree of a scale, or whatever the player takes it for.
    Number(f64),
    /// A word: the name of a sound, or of a note.
    Word {
        /// As it is written.
        name: Box<str>,
        /// The `3` of `bd:3`.
        sample: Option<u32>,
    },
}

impl Value {
    /// A word without the number of a sample.
    pub fn word(name: &str) -> Self {
        Value::Word { name: name.into(), sample: None }
    }

    /// The MIDI note that it is: a number as it stands, a word by its name of a note (`c4` is 60).
    pub fn note(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Word { name, .. } => notes::note(name).map(f64::from),
        }
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Number(_))
    }

    /// Whether it stands for yes in the pattern of a rhythm: whatever is not `0`, `f` or `false`.
    pub fn holds(&self) -> bool {
        match self {
            Value::Number(number) => *number != 0.0,
            Value::Word { name, .. } => !matches!(&**name, "f" | "false"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Word { name, sample: None } => f.write_str(name),
            Value::Word { name, sample: Some(sample) } => write!(f, "{name}:{sample}"),
        }
    }
}

/// One value in time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The whole stretch that it has, of which more than was asked for may lie outside.
    pub whole: Span,
    /// The part of it that falls into what was asked for.
    pub part: Span,
    /// What is played.
    pub value: Value,
    /// Where that is written.
    pub at: Place,
}

impl Event {
    /// Whether it begins here, and is not the rest of one that began before: only these start a note.
    pub fn begins(&self) -> bool {
        self.whole.begin == self.part.begin
    }
}
