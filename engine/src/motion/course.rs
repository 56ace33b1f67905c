//! Courses: motions made of straight pieces between knots. A knot lies at the frame nearest to its place on the transport;
//! from there to the next knot's frame the value goes straight in musical time, or stays and jumps.

use super::{Corner, State};
use crate::tempo::Tempo;

/// What places of knots are measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    /// Beats of the transport.
    Beats,
    /// Bars of the transport.
    Bars,
    /// Frames from one on.
    Frames(i64),
}

/// Positions along the transport: so many units of the measure are 1, and its beginning is at `offset`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub measure: Measure,
    pub length: f64,
    pub offset: f64,
    pub tempo: &'a Tempo,
}

impl<'a> Line<'a> {
    /// Beats as they are. RT.
    pub fn beats(tempo: &'a Tempo) -> Self {
        Line { measure: Measure::Beats, length: 1.0, offset: 0.0, tempo }
    }

    /// Bars as they are. RT.
    pub fn bars(tempo: &'a Tempo) -> Self {
        Line { measure: Measure::Bars, length: 1.0, offset: 0.0, tempo }
    }

    /// Cycles of so many frames, counted on from a state. RT.
    pub fn free(length: f64, state: &State, offset: f64, tempo: &'a Tempo) -> Self {
        Line { measure: Measure::Frames(state.frame), length, offset: state.value + offset, tempo }
    }

    /// The position at a frame. RT.
    pub fn position(&self, frame: i64) -> f64 {
        let units = match self.measure {
            Measure::Beats => self.tempo.beat_at(frame),
            Measure::Bars => self.tempo.bar_at(frame),
            Measure::Frames(from) => (frame - from) as f64,
        };
        units / self.length + self.offset
    }

    /// The frame nearest to a position; at infinity the last or the first there is. RT.
    pub fn frame(&self, position: f64) -> i64 {
        let units = (position - self.offset) * self.length;
        if !units.is_finite() {
            return if units > 0.0 { i64::MAX } else { i64::MIN };
        }
        match self.measure {
            Measure::Beats => nearest(self.tempo.frame_of_beat(units)),
            Measure::Bars => nearest(self.tempo.frame_of_bar(units)),
            Measure::Frames(from) => from.saturating_add(nearest(units)),
        }
    }

    /// The frames that a length of 1 has at a frame. RT.
    pub fn frames_of_one(&self, frame: i64) -> f64 {
        let unit = match self.measure {
            Measure::Beats => self.tempo.beat_length(frame),
            Measure::Bars => self.tempo.bar_length(frame),
            Measure::Frames(_) => 1.0,
        };
        unit * self.length
    }

    /// The first corner behind a frame that a change of the tempo makes of something that slopes. RT.
    pub fn bend(&self, after: i64) -> Option<Corner> {
        let bars = match self.measure {
            Measure::Frames(_) => return None,
            Measure::Beats => false,
            Measure::Bars => true,
        };
        let corner = |(frame, skips): (i64, bool)| match skips && bars {
            true => Corner { frame, jumps: true },
            false => Corner { frame: frame + 1, jumps: false },
        };
        let here = self.tempo.change_from(after).map(corner);
        // What jumps at `after` itself has jumped: the next one counts.
        here.filter(|corner| corner.frame > after).or_else(|| self.tempo.change_from(after + 1).map(corner))
    }
}

/// The frame nearest to a place in frames. RT.
pub(super) fn nearest(place: f64) -> i64 {
    (place + 0.5).floor() as i64
}

/// The earlier of two corners; a jump if either is one at that frame. RT.
pub(super) fn earlier(a: Option<Corner>, b: Option<Corner>) -> Option<Corner> {
    match (a, b) {
        (Some(a), Some(b)) if a.frame == b.frame => Some(Corner { jumps: a.jumps || b.jumps, ..a }),
        (Some(a), Some(b)) => Some(if a.frame < b.frame { a } else { b }),
        (a, b) => a.or(b),
    }
}

/// A value at a knot, and what it has become when the next knot comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub from: f64,
    pub to: f64,
}

/// Knots in order, each with the piece that begins there.
pub(super) trait Course {
    /// The last knot at or before a position. RT.
    fn before(&self, position: f64) -> i64;

    /// The position of a knot: minus infinity for what is before the first, infinity behind the last. RT.
    fn place(&self, knot: i64) -> f64;

    /// The piece that begins at a knot. RT.
    fn piece(&self, knot: i64) -> Piece;

    /// Whether any piece slopes. RT.
    fn slopes(&self) -> bool;
}

/// The knot whose piece a frame lies in. RT.
pub(super) fn knot_at(course: &impl Course, line: &Line<'_>, frame: i64) -> i64 {
    let mut knot = course.before(line.position(frame));
    // Within half a frame of a knot the frame may belong to the other side.
    while line.frame(course.place(knot)) > frame {
        knot -= 1;
    }
    loop {
        let next = line.frame(course.place(knot + 1));
        if next > frame || next == i64::MAX {
            return knot;
        }
        knot += 1;
    }
}

/// The value at a frame. RT.
pub(super) fn value(course: &impl Course, line: &Line<'_>, frame: i64) -> f64 {
    let knot = knot_at(course, line, frame);
    let Piece { from, to } = course.piece(knot);
    if from == to {
        return from;
    }
    let begin = line.position(line.frame(course.place(knot)));
    let end = line.position(line.frame(course.place(knot + 1)));
    from + (to - from) * ((line.position(frame) - begin) / (end - begin))
}

/// The first corner behind a frame. RT.
pub(super) fn corner(course: &impl Course, line: &Line<'_>, after: i64) -> Option<Corner> {
    let own = |knot: i64| {
        let frame = line.frame(course.place(knot));
        if frame == i64::MIN || frame == i64::MAX {
            return None;
        }
        // Several may fall on one frame: what is left before it and what begins there count.
        let (before, here) = (knot_at(course, line, frame - 1), knot_at(course, line, frame));
        let jumps = course.piece(before).to != course.piece(here).from;
        Some(Corner { frame: if jumps { frame } else { frame + 1 }, jumps })
    };
    let knot = knot_at(course, line, after);
    let knots = own(knot).filter(|corner| corner.frame > after).or_else(|| own(knot + 1));
    if course.slopes() { earlier(knots, line.bend(after)) } else { knots }
}

/// Points in beats: see [`super::Motion::Automate`]. Knots count from 0; the one before is what comes before the first.
pub(super) struct Breakpoints<'a> {
    pub points: &'a [(f64, f64)],
    pub hold: bool,
}

impl Breakpoints<'_> {
    /// RT.
    fn value(&self, knot: i64) -> f64 {
        let last = self.points.len().saturating_sub(1);
        self.points.get((knot.max(0) as usize).min(last)).map_or(0.0, |point| point.1)
    }
}

impl Course for Breakpoints<'_> {
    fn before(&self, position: f64) -> i64 {
        self.points.partition_point(|point| point.0 <= position) as i64 - 1
    }

    fn place(&self, knot: i64) -> f64 {
        match usize::try_from(knot) {
            Ok(knot) => self.points.get(knot).map_or(f64::INFINITY, |point| point.0),
            Err(_) => f64::NEG_INFINITY,
        }
    }

    fn piece(&self, knot: i64) -> Piece {
        let from = self.value(knot);
        Piece { from, to: if self.hold || knot < 0 { from } else { self.value(knot + 1) } }
    }

    fn slopes(&self) -> bool {
        !self.hold
    }
}

/// Steps in bars, over and over: see [`super::Motion::Steps`]. Knots count from the first step at bar 0.
pub(super) struct Loop<'a> {
    pub bars: f64,
    pub steps: &'a [(f64, f64)],
}

impl Loop<'_> {
    /// The round that a knot belongs to, and its step. RT.
    fn split(&self, knot: i64) -> (f64, (f64, f64)) {
        let count = self.steps.len().max(1) as i64;
        let step = self.steps.get(knot.rem_euclid(count) as usize).copied().unwrap_or((0.0, 0.0));
        (knot.div_euclid(count) as f64 * self.bars, step)
    }
}

impl Course for Loop<'_> {
    fn before(&self, position: f64) -> i64 {
        let round = (position / self.bars).floor();
        let within = position - round * self.bars;
        round as i64 * self.steps.len().max(1) as i64 + self.steps.partition_point(|step| step.0 <= within) as i64 - 1
    }

    fn place(&self, knot: i64) -> f64 {
        let (round, (bars, _)) = self.split(knot);
        round + bars
    }

    fn piece(&self, knot: i64) -> Piece {
        let (_, (_, value)) = self.split(knot);
        Piece { from: value, to: value }
    }

    fn slopes(&self) -> bool {
        false
    }
}
