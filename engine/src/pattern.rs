//! Patterns: what is played when, as plain data and a pure function of the cycle. One cycle is one bar.
//!
//! A pattern is read from the mini-notation ([`Pattern::parse`]), made by a generator ([`generate`]), put together from
//! others, and changed by methods, each of which returns a new one. It has no state: any cycle can be asked for in any
//! order ([`Pattern::query`]), with the same answer for the same seed. Times are exact fractions.
//!
//! Data first: `node` is what a pattern is, `query` and `change` what that gives in a stretch of time, `parse` and
//! `methods` how it comes about. After TidalCycles (McLean, 2014) and its account as functions of time (McLean, 2021).

mod change;
mod euclid;
mod event;
mod freeze;
pub mod generate;
mod methods;
mod node;
pub mod notes;
mod parse;
mod period;
mod query;
mod ratio;
pub mod scales;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub use event::{Event, Place, Span, Value};
pub use methods::{Argument, Changes};
pub use period::Endless;
pub use ratio::{Ratio, TooFine};

use node::Node;
use query::{Found, Refusal};

/// The most values that a cycle can have.
pub const MOST_EVENTS: usize = 4096;

/// The most that is done to work out a cycle: parts asked.
const MOST_WORK: usize = 1 << 16;

/// The most that is done to work out several cycles one after the other.
const MOST_WORK_IN_ALL: usize = 16 * MOST_WORK;

/// The most parts of a pattern.
const MOST_SIZE: usize = 8192;

/// The most parts and changes within each other.
const DEEPEST: usize = 100;

/// The most times a value is repeated, or a cycle divided.
const MOST_TIMES: i64 = 256;

/// The most cycles that can be asked for at once.
const MOST_CYCLES: i64 = 4096;

/// The most cycles that are tried out before a pattern is taken.
const TRIED: i64 = 8;

/// The last cycle, before and after 0.
const LAST: i64 = 1 << 40;

/// What is played when.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Pattern {
    root: Node,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatternError {
    /// Where it is written; a place without length if that is not in the text of a pattern.
    pub at: Place,
    /// What, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl PatternError {
    fn new(at: Place, message: impl Into<String>) -> Self {
        PatternError { at, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.at.begin + 1, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads the mini-notation: a sequence shares a cycle, `[ ]` and `.` group, `~` rests, `*` and `/` speed up and
    /// slow down, `!` repeats, `_` and `@` lengthen, `< >` takes turns, `{ }%` goes by steps, `,` stacks, `|`
    /// chooses, `?` leaves out, `( )` is a Euclidean rhythm, `:` a sample, `..` a range, `'` a chord. `origin` is
    /// what the places of the values will say of the text.
    ///
    /// # Errors
    /// What cannot be read, with its place, or is too much to be played.
    pub fn parse(text: &str, origin: u32) -> Result<Pattern, PatternError> {
        let whole = Place { origin, begin: 0, end: u32::try_from(text.chars().count()).unwrap_or(u32::MAX) };
        Pattern { root: parse::parse(text, origin)? }.tried(whole)
    }

    /// The values from one moment to another, in cycles, by the order in which they begin. What began before or goes on
    /// after is there with its whole stretch, and the part of it within each cycle. `seed` is that of the session.
    ///
    /// # Errors
    /// A cycle has too much in it, times too fine to be held, or numbers that are not what their place wants; more
    /// cycles are asked for at once than 4096.
    pub fn query(&self, seed: u64, from: Ratio, to: Ratio) -> Result<Vec<Event>, PatternError> {
        let refused = |message: String| Err(PatternError::new(Place::default(), message));
        if from < Ratio::whole(-LAST) || to > Ratio::whole(LAST) {
            return refused(format!("cycles go from {} to {LAST}", -LAST));
        }
        if to.ceil() - from.floor() > MOST_CYCLES {
            return refused(format!("at most {MOST_CYCLES} cycles can be asked for at once"));
        }
        let mut events = Vec::new();
        for (_, part) in query::cycles(Span::new(from, to)) {
            events.append(&mut self.found(seed, part)?.events);
        }
        Ok(events)
    }

    /// What it has in a part of a cycle, in order.
    fn found(&self, seed: u64, part: Span) -> Result<Found, PatternError> {
        let mut found = Found::default();
        self.root.query(seed, part, &mut found).map_err(|refusal| self.told(refusal))?;
        found.events.sort_by_key(|event| (event.part.begin, event.whole.begin, event.at.begin));
        Ok(found)
    }

    /// The values that begin in one cycle: what is to be played in it.
    ///
    /// # Errors
    /// As of [`Pattern::query`].
    pub fn onsets(&self, seed: u64, cycle: i64) -> Result<Vec<Event>, PatternError> {
        let span =
            Span::new(Ratio::whole(cycle.clamp(-LAST, LAST - 1)), Ratio::whole(cycle.clamp(-LAST, LAST - 1) + 1));
        let mut events = self.query(seed, span.begin, span.end)?;
        events.retain(Event::begins);
        Ok(events)
    }

    /// The values that begin in each of the first cycles, while these are not too much together: for what has to wait
    /// for them all.
    pub(crate) fn first_onsets(
        &self,
        seed: u64,
        cycles: i64,
    ) -> impl Iterator<Item = Result<Vec<Event>, PatternError>> + '_ {
        let mut work = 0;
        (0..cycles).map(move |cycle| {
            let mut found = self.found(seed, Span::cycle(cycle))?;
            work += found.work;
            if work > MOST_WORK_IN_ALL {
                let message = "the pattern is too much: its first";
                let message = format!("{message} {} cycles take more than {MOST_WORK_IN_ALL} steps to find", cycle + 1);
                return Err(PatternError::new(Place::default(), message));
            }
            found.events.retain(Event::begins);
            Ok(found.events)
        })
    }

    /// Every value that is written in it, with its place: what a player has to know. Numbers that say how fast or how
    /// often are not among them.
    pub fn values(&self) -> Vec<(&Value, Place)> {
        let mut values = Vec::new();
        self.root.atoms(&mut |value, place| values.push((value, place)));
        values
    }

    /// The same without where anything is written: equal to all that are played alike.
    pub fn unplaced(mut self) -> Pattern {
        self.root.forget_places();
        self
    }

    /// The pattern, if it is not too much and its first cycles can be worked out.
    fn tried(self, at: Place) -> Result<Self, PatternError> {
        let here = |message: String| Err(PatternError::new(at, message));
        if self.root.depth() > DEEPEST {
            return here(format!("the pattern is too much: more than {DEEPEST} groups and changes within each other"));
        }
        if self.root.size() > MOST_SIZE {
            return here(format!("the pattern is too much: it has more than {MOST_SIZE} parts"));
        }
        // What takes long is tried out for fewer cycles, so that the text is answered soon.
        let mut work = 0;
        for cycle in 0..TRIED {
            let mut found = Found::default();
            self.root.query(0, Span::cycle(cycle), &mut found).map_err(|refusal| {
                let error = self.told(refusal);
                if error.at == Place::default() { PatternError { at, ..error } } else { error }
            })?;
            work += found.work;
            if work > MOST_WORK {
                break;
            }
        }
        Ok(self)
    }

    /// A refusal in words.
    fn told(&self, refusal: Refusal) -> PatternError {
        let anywhere = |message: String| PatternError::new(Place::default(), message);
        match refusal {
            Refusal::Events => {
                let about = self.root.density();
                let about = if about > MOST_EVENTS as f64 { format!("about {about:.0}") } else { "more".into() };
                anywhere(format!(
                    "the pattern is too much: {about} values in a cycle, and at most {MOST_EVENTS} are played"
                ))
            }
            Refusal::Work => {
                let about = format!("for about {:.0} values", self.root.density());
                anywhere(format!("the pattern is too much: a cycle takes more than {MOST_WORK} steps to find, {about}"))
            }
            Refusal::TooFine => anywhere(
                "the pattern is too much: parts of a cycle too fine to be held exactly, or times too far off".into(),
            ),
            Refusal::Beats(beats, steps, at) => {
                let message =
                    format!("a rhythm of {steps} steps has at most {steps} beats, not {}", beats.unsigned_abs());
                PatternError::new(at, message).help("write `bd(3,8)`: beats, then steps")
            }
            Refusal::Wants(what, at) => PatternError::new(at, format!("{what} is wanted here")),
            Refusal::Whole { number, least, most, at } => {
                let number = short(number);
                PatternError::new(at, format!("a whole number from {least} to {most} is wanted here, not {number}"))
            }
        }
    }
}

/// A number as an error says it, which it does in a few digits.
fn short(number: f64) -> String {
    match number.abs() {
        size if size.is_finite() && size != 0.0 && !(1e-6..1e9).contains(&size) => format!("{number:e}"),
        _ => number.to_string(),
    }
}
