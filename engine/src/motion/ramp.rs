//! `ramp`: from one value to another, once.

use super::course::{Line, earlier, nearest};
use super::{Corner, State, straight};
use crate::math;
use crate::tempo::Tempo;

/// From one value to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// The value it sets out from.
    pub from: f64,
    /// The value it ends with.
    pub to: f64,
    /// How long it takes.
    pub time: Span,
    /// The way it goes.
    pub curve: Curve,
    /// When it sets out; without it when it is first heard.
    pub start: Option<Moment>,
}

/// A length of time. What is musical follows the tempo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// In frames and fractions of one.
    Frames(f64),
    /// In beats.
    Beats(f64),
    /// In bars.
    Bars(f64),
}

/// A place on the transport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// In frames and fractions of one.
    Frame(f64),
    /// A beat, from 0.
    Beat(f64),
    /// A bar, from 0.
    Bar(f64),
}

impl Moment {
    /// The place in frames and fractions of one. RT.
    pub fn place(&self, tempo: &Tempo) -> f64 {
        match *self {
            Moment::Frame(frame) => frame,
            Moment::Beat(beat) => tempo.frame_of_beat(beat),
            Moment::Bar(bar) => tempo.frame_of_bar(bar),
        }
    }
}

/// The way that a ramp goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Curve {
    /// Evenly in the unit.
    Linear,
    /// By an even factor, where both ends are above 0 or both below; evenly otherwise.
    Exp,
    /// Setting out and arriving softly.
    S,
}

impl Curve {
    /// The words for them, in the order of their numbers.
    pub const WORDS: &'static [&'static str] = &["linear", "exp", "s"];

    /// All of them, in the order of [`Curve::WORDS`].
    pub const ALL: [Curve; 3] = [Curve::Linear, Curve::Exp, Curve::S];
}

/// A ramp as it goes: between two frames, from a value.
struct Way<'a> {
    from: f64,
    begin: i64,
    end: i64,
    line: Line<'a>,
}

impl Ramp {
    /// RT.
    fn way<'a>(&self, state: &State, tempo: &'a Tempo) -> Way<'a> {
        let (begin, from) = match self.start {
            Some(moment) => (nearest(moment.place(tempo)), self.from),
            None => (state.frame, state.value),
        };
        let (end, line) = match self.time {
            Span::Frames(frames) => {
                (begin as f64 + frames, Line::free(1.0, &State { frame: begin, value: 0.0 }, 0.0, tempo))
            }
            Span::Beats(beats) => (tempo.frame_of_beat(tempo.beat_at(begin) + beats), Line::beats(tempo)),
            Span::Bars(bars) => (tempo.frame_of_bar(tempo.bar_at(begin) + bars), Line::bars(tempo)),
        };
        Way { from, begin, end: nearest(end).max(begin + 1), line }
    }

    /// RT.
    pub(super) fn value(&self, state: &State, tempo: &Tempo, frame: i64) -> f64 {
        let Way { from, begin, end, line } = self.way(state, tempo);
        if frame <= begin {
            return from;
        }
        if frame >= end {
            return self.to;
        }
        let first = line.position(begin);
        let part = (line.position(frame) - first) / (line.position(end) - first);
        match self.curve {
            Curve::Exp if from * self.to > 0.0 => from * math::exp(part * math::ln(self.to / from)),
            Curve::S => from + (self.to - from) * math::ease(part),
            Curve::Linear | Curve::Exp => from + (self.to - from) * part,
        }
    }

    /// RT.
    pub(super) fn corner(&self, state: &State, tempo: &Tempo, after: i64) -> Option<Corner> {
        let Way { begin, end, line, .. } = self.way(state, tempo);
        let turn = |frame: i64| Some(Corner { frame: frame + 1, jumps: false }).filter(|corner| corner.frame > after);
        let within = line.bend(after.max(begin)).filter(|corner| corner.frame <= end);
        earlier(turn(begin).or(turn(end)), within)
    }

    /// RT.
    pub(super) fn grain(&self, state: &State, tempo: &Tempo, frame: i64) -> usize {
        let Way { from, begin, end, line } = self.way(state, tempo);
        let bend = match self.curve {
            Curve::Exp if from * self.to > 0.0 => {
                let span = math::ln(self.to / from);
                span * span
            }
            Curve::S => 6.0,
            Curve::Linear | Curve::Exp => 0.0,
        };
        // All of it at the speed that it has here.
        straight(bend, (line.position(end) - line.position(begin)) * line.frames_of_one(frame))
    }
}
