//! What an instrument plays: a pattern on the transport, as notes with the frames at which they begin and end.
//!
//! A [`Score`] is plain data, and what it has in a stretch of bars is a pure function of that. `ahead` works it out on a
//! thread of its own, in good time; [`ScoreCell`] gives it to the instrument on the audio thread, a note at a time, and sees
//! to it that an edit neither loses nor doubles one.

use std::sync::Arc;

use crate::keep::keep;
use crate::pattern::{Event, Pattern, PatternError, Ratio, Value};
use crate::random;
use crate::tempo::Tempo;

mod ahead;
mod cell;
#[cfg(test)]
mod tests;

pub use cell::ScoreCell;

/// How hard a note is struck unless the score says otherwise.
pub const VELOCITY: f64 = 0.8;

/// The most of its time that a note is held, in percent.
pub const MOST_HOLD: f64 = 400.0;

/// What of two onsets that lie between frames counts as the same: a millionth of a frame.
const TIE: f64 = 1e-6;

/// What an instrument plays.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// What is played when. One cycle is one bar.
    pub pattern: Pattern,
    /// How hard: the number that holds where a note begins. What arithmetic brings outside 0 to 1 counts as the nearer of
    /// the two.
    pub velocity: Option<Pattern>,
    /// How much of its time a note is held, in percent: as the velocity, from 0, which is a frame, to [`MOST_HOLD`].
    pub hold: Option<Pattern>,
    /// What chance in the patterns is drawn from.
    pub seed: u64,
    /// What the instrument makes of the pattern's values.
    pub reads: Reads,
    /// The stretches of bars in which it is played, in order, each with cycles of its own from 0; throughout without any.
    pub spans: Option<Arc<[Bars]>>,
}

/// A stretch of bars, from `begin` to `end` without `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bars {
    /// The first bar, counted from 0.
    pub begin: Ratio,
    /// The bar after the last.
    pub end: Ratio,
}

/// What an instrument makes of the values of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Reads {
    /// Notes: MIDI numbers, or names such as `c4`.
    Notes,
    /// Sounds by their names.
    Sounds(Arc<[Named]>),
    /// So many sounds by their numbers, which wrap round.
    Slices(u32),
}

/// Sounds of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What a pattern calls them.
    pub name: String,
    /// The first of them among the instrument's sounds.
    pub first: u32,
    /// How many there are, at least one.
    pub count: u32,
}

/// One note.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Note {
    /// The frame of the transport at which it begins.
    pub begin: u64,
    /// The frame at which it is let go.
    pub end: u64,
    /// Its MIDI number, fractions included: 60 is middle C.
    pub pitch: f64,
    /// How hard it is struck, 0 to 1.
    pub velocity: f64,
    /// Of sounds: which one.
    pub sound: u32,
}

keep!(Note: begin, end, pitch, velocity, sound);

impl Note {
    /// Whether it has begun and ended before a frame. RT.
    fn is_over(&self, frame: u64) -> bool {
        self.begin < frame && self.end <= frame
    }
}

impl Reads {
    /// The pitch and the sound of a value; none if the instrument does not have it.
    pub fn read(&self, value: &Value) -> Option<(f64, u32)> {
        match (self, value) {
            (Reads::Notes, value) => value.note().filter(|pitch| pitch.is_finite()).map(|pitch| (pitch, 0)),
            (Reads::Sounds(names), Value::Word { name, sample }) => {
                let named = names.iter().find(|known| *known.name == **name)?;
                // As in Tidal, numbers beyond the last begin anew.
                Some((0.0, named.first + sample.unwrap_or(0) % named.count.max(1)))
            }
            (Reads::Slices(count), Value::Number(number)) if number.fract() == 0.0 => {
                Some((0.0, number.rem_euclid(f64::from(*count)) as u32))
            }
            (Reads::Sounds(_), Value::Number(_)) | (Reads::Slices(_), _) => None,
        }
    }
}

/// A cycle of a score and where on the transport it lies: what is worked out at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cycle {
    /// Which one, of the pattern.
    number: i64,
    /// The bar at which it begins.
    begin: Ratio,
    /// The bar at which the span that it is in is over.
    over: Option<Ratio>,
}

impl Score {
    /// The cycle that is on at a bar, or the first one after it; none if nothing comes any more.
    fn cycle_at(&self, bar: f64) -> Option<Cycle> {
        let Some(spans) = &self.spans else {
            let number = bar.floor() as i64;
            return Some(Cycle { number, begin: Ratio::whole(number), over: None });
        };
        let span = spans.iter().find(|span| span.end.number() > bar && span.end > span.begin)?;
        let number = (bar - span.begin.number()).floor().max(0.0) as i64;
        self.cycle_of(span, number).or_else(|| self.cycle_at(span.end.number()))
    }

    /// The one that comes after another.
    fn cycle_after(&self, cycle: Cycle) -> Option<Cycle> {
        let Some(spans) = &self.spans else { return self.cycle_at((cycle.number + 1) as f64) };
        let span = spans.iter().find(|span| span.end > cycle.begin && span.end > span.begin)?;
        self.cycle_of(span, cycle.number + 1).or_else(|| {
            let next = spans.iter().find(|next| next.begin >= span.end && next.end > next.begin)?;
            self.cycle_of(next, 0)
        })
    }

    fn cycle_of(&self, span: &Bars, number: i64) -> Option<Cycle> {
        let begin = span.begin.plus(Ratio::whole(number)).ok()?;
        (begin < span.end).then_some(Cycle { number, begin, over: Some(span.end) })
    }

    /// The notes that begin from one frame to another without that, in the order in which they do.
    ///
    /// # Errors
    /// Those of [`Pattern::query`].
    pub fn notes(&self, from: u64, until: u64, tempo: &Tempo) -> Result<Vec<Note>, PatternError> {
        let mut notes = Vec::new();
        let mut next = self.cycle_at(tempo.bar_at(from as i64).max(0.0));
        while let Some(cycle) = next.filter(|cycle| line(cycle.begin.number(), tempo) < until) {
            let begun = self.begun_in(cycle, tempo)?;
            notes.extend(begun.into_iter().filter(|note| (from..until).contains(&note.begin)));
            next = self.cycle_after(cycle);
        }
        Ok(notes)
    }

    /// The notes that begin in a cycle, in the order in which they do.
    ///
    /// # Errors
    /// Those of [`Pattern::query`].
    fn begun_in(&self, cycle: Cycle, tempo: &Tempo) -> Result<Vec<Note>, PatternError> {
        self.placed(&self.pattern.onsets(self.seed, cycle.number)?, cycle, tempo)
    }

    /// The notes that have begun before a frame and are held beyond it, in the order in which they began.
    ///
    /// # Errors
    /// Those of [`Pattern::query`].
    fn held_over(&self, frame: u64, tempo: &Tempo) -> Result<Vec<Note>, PatternError> {
        let bar = tempo.bar_at(frame as i64);
        let Some(cycle) = self.cycle_at(bar).filter(|cycle| cycle.begin.number() <= bar) else { return Ok(Vec::new()) };
        let pieces = self.pattern.query(self.seed, Ratio::whole(cycle.number), Ratio::whole(cycle.number + 1))?;
        let mut begun: Vec<i64> = pieces.iter().map(|piece| piece.whole.begin.floor()).collect();
        // What is slower than the step that it stands in is held beyond that, without a piece there.
        begun.extend([cycle.number - 1, cycle.number]);
        begun.sort_unstable();
        begun.dedup();
        let mut notes = Vec::new();
        for number in begun {
            notes.extend(self.placed(&self.pattern.onsets(self.seed, number)?, cycle, tempo)?);
        }
        notes.retain(|note| note.begin < frame && note.end > frame);
        Ok(notes)
    }

    /// Events of the pattern as notes on the transport; `cycle` is one of those that they are in.
    fn placed(&self, events: &[Event], cycle: Cycle, tempo: &Tempo) -> Result<Vec<Note>, PatternError> {
        let origin = cycle.begin.plus(Ratio::whole(-cycle.number));
        let mut velocities = Numbers::new(self.velocity.as_ref(), random::mix(self.seed ^ 1));
        let mut lengths = Numbers::new(self.hold.as_ref(), random::mix(self.seed ^ 2));
        let mut notes = Vec::with_capacity(events.len());
        for Event { whole, value, .. } in events {
            let Ok((begin, end)) = origin.and_then(|origin| Ok((origin.plus(whole.begin)?, origin.plus(whole.end)?)))
            else {
                continue;
            };
            let end = cycle.over.map_or(end, |over| end.min(over));
            // In a span nothing goes on that did not begin in it.
            if cycle.over.is_some() && whole.begin < Ratio::ZERO {
                continue;
            }
            let (Some((pitch, sound)), Some(first)) = (self.reads.read(value), onset(begin, tempo)) else { continue };
            let velocity = velocities.at(whole.begin)?.unwrap_or(VELOCITY).clamp(0.0, 1.0);
            let held = lengths.at(whole.begin)?.map_or(1.0, |percent| percent.clamp(0.0, MOST_HOLD) / 100.0);
            if velocity > 0.0 && begin < end {
                let last = begin.number() + (end.number() - begin.number()) * held;
                let last = line(cycle.over.map_or(last, |over| last.min(over.number())), tempo);
                notes.push(Note { begin: first, end: last.max(first + 1), pitch, velocity, sound });
            }
        }
        notes.sort_by_key(|note| note.begin);
        Ok(notes)
    }
}

/// A pattern of numbers, asked for the one that holds at a time; times come in order, mostly.
struct Numbers<'a> {
    pattern: Option<&'a Pattern>,
    seed: u64,
    /// The cycle that was asked for last.
    known: Option<(i64, Vec<Event>)>,
}

impl<'a> Numbers<'a> {
    fn new(pattern: Option<&'a Pattern>, seed: u64) -> Self {
        Numbers { pattern, seed, known: None }
    }

    fn at(&mut self, time: Ratio) -> Result<Option<f64>, PatternError> {
        let (Some(pattern), cycle) = (self.pattern, time.floor()) else { return Ok(None) };
        if self.known.as_ref().is_none_or(|(known, _)| *known != cycle) {
            let events = pattern.query(self.seed, Ratio::whole(cycle), Ratio::whole(cycle + 1))?;
            self.known = Some((cycle, events));
        }
        let holds = |event: &&Event| event.part.begin <= time && time < event.part.end;
        let found = self.known.iter().flat_map(|(_, events)| events).find(holds);
        Ok(found.and_then(|event| match event.value {
            Value::Number(number) => Some(number),
            Value::Word { .. } => None,
        }))
    }
}

/// The frame nearest to a place in bars.
fn line(bar: f64, tempo: &Tempo) -> u64 {
    (tempo.frame_of_bar(bar) + 0.5 + TIE).floor().max(0.0) as u64
}

/// The frame at which something begins at a bar; none if another time signature has cut that off.
fn onset(bar: Ratio, tempo: &Tempo) -> Option<u64> {
    let bar = bar.number();
    let frame = line(bar, tempo);
    let at = tempo.bar_at(frame as i64);
    ((at - bar).abs() * tempo.bar_length(frame as i64) <= 1.0).then_some(frame)
}
