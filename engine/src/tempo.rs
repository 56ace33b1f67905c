//! Musical time: which beat and bar lies at which frame of the transport, through every change of tempo.
//!
//! A change keeps the beat, and bars gone by keep their length. A beat is a quarter note.

use serde::Serialize;

use crate::keep::{Keep, Ledger, keep};
use crate::units::Clock;

mod laps;
mod pace;

pub use laps::Laps;
pub use pace::{Course, Glide, Pace};

use pace::Mark;

/// A map between frames of the transport, beats and bars. Frames before 0 are reckoned as if the first tempo had always held.
#[derive(Clone, Debug, PartialEq)]
pub struct Tempo {
    rate: f64,
    /// In order of their frames; never empty.
    segments: Vec<Segment>,
    /// What was said last, if the tempo moves, and the beat that its points count from.
    course: Option<(Course, f64)>,
}

/// A stretch of the transport with one tempo and one time signature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Segment {
    /// Its first frame.
    frame: i64,
    /// The beat there.
    beat: f64,
    /// The bar there, counted from 0.
    bar: f64,
    /// Beats a minute.
    tempo: f64,
    beats_per_bar: f64,
    /// Whether it is a part of a way from one tempo to another.
    glides: bool,
}

keep!(Segment: frame, beat, bar, tempo, beats_per_bar, glides);

impl Keep for Tempo {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.rate.keep(ledger);
        ledger.list(&mut self.segments);
        self.course.keep(ledger);
    }
}

/// A grid of moments on the transport.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Grid {
    /// Every so many bars, counted from the first.
    Bars(f64),
    /// Every so many beats, counted from the first.
    Beats(f64),
    /// Every so many milliseconds, counted from frame 0.
    Milliseconds(f64),
}

impl Tempo {
    /// One tempo throughout, or one that moves from the first frame on.
    pub fn new(pace: impl Into<Pace>) -> Self {
        let pace = pace.into();
        let Clock { rate, tempo, beats_per_bar } = pace.clock;
        let first = Segment { frame: 0, beat: 0.0, bar: 0.0, tempo, beats_per_bar, glides: false };
        let mut map = Tempo { rate, segments: vec![first], course: None };
        map.change(0, Pace { over: 0.0, ..pace });
        map
    }

    /// The newest tempo and time signature: where it ends, if the tempo moves.
    pub fn clock(&self) -> Clock {
        let Segment { tempo, beats_per_bar, .. } = *self.last();
        Clock { rate: self.rate, tempo, beats_per_bar }
    }

    /// Whether what is said is what was said last.
    pub fn keeps(&self, pace: &Pace) -> bool {
        pace.clock == self.clock() && pace.course.as_ref() == self.course.as_ref().map(|(course, _)| course)
    }

    /// Whether it ends as another map does, and on the same way.
    pub fn moves_like(&self, other: &Tempo) -> bool {
        self.last().tempo == other.last().tempo && self.course == other.course
    }

    /// From `frame` on there is another tempo or time signature; nothing changes if they are the newest already. A change of
    /// the signature alone begins a bar. What was said for later frames is forgotten, but for a course that is said again.
    pub fn change(&mut self, frame: i64, pace: impl Into<Pace>) {
        let pace = pace.into();
        if self.keeps(&pace) {
            return;
        }
        let Pace { clock, course, over } = pace;
        let (beat, bar) = (self.beat_at(frame), self.bar_at(frame));
        let before = *self.at_frame(frame);
        let turned = before.beats_per_bar != clock.beats_per_bar;
        self.segments.retain(|segment| segment.frame < frame);
        let Clock { tempo, beats_per_bar, .. } = clock;
        // The frame nearest to a bar's line is that line.
        let is_line = (bar - bar.round()).abs() * self.frames_a_bar(&before) < 1.0;
        let bar = match turned {
            true if is_line => bar.round(),
            true => bar.ceil(),
            false => bar,
        };
        let first = Segment { frame, beat, bar, tempo, beats_per_bar, glides: false };
        self.course = course.map(|course| match self.course.take() {
            Some((said, origin)) if said == course => (said, origin),
            _ if course.adrift => (course, beat),
            _ => (course, 0.0),
        });
        match &self.course {
            Some((course, origin)) => self.lay(first, course.marks(frame, beat, *origin, self.rate)),
            None if over > 0.0 && before.tempo != tempo => {
                let length = over / 1000.0 * self.rate / self.frames_a_beat(&before);
                let way = Course { points: vec![(0.0, before.tempo), (length, tempo)], adrift: true, hold: false };
                self.lay(first, way.marks(frame, beat, beat, self.rate));
            }
            None => self.segments.push(first),
        }
    }

    /// Lays a way from a segment on.
    fn lay(&mut self, first: Segment, marks: Vec<Mark>) {
        let segment = |mark: Mark| Segment {
            frame: mark.frame,
            beat: mark.beat,
            bar: first.bar + (mark.beat - first.beat) / first.beats_per_bar,
            tempo: mark.tempo,
            beats_per_bar: first.beats_per_bar,
            glides: mark.glides,
        };
        self.segments.extend(marks.into_iter().map(segment));
    }

    /// The beat at a frame, fractions included; the first is 0. RT.
    pub fn beat_at(&self, frame: i64) -> f64 {
        let segment = self.at_frame(frame);
        segment.beat + (frame - segment.frame) as f64 / self.frames_a_beat(segment)
    }

    /// The bar at a frame, fractions included; the first is 0. RT.
    pub fn bar_at(&self, frame: i64) -> f64 {
        let segment = self.at_frame(frame);
        segment.bar + (frame - segment.frame) as f64 / self.frames_a_bar(segment)
    }

    /// Where a beat lies, in frames and fractions of one. RT.
    pub fn frame_of_beat(&self, beat: f64) -> f64 {
        let segment = self.last_with(|segment| segment.beat <= beat);
        segment.frame as f64 + (beat - segment.beat) * self.frames_a_beat(segment)
    }

    /// Where a bar begins, in frames and fractions of one. What was cut off a bar by another time signature lies where that
    /// begins. RT.
    pub fn frame_of_bar(&self, bar: f64) -> f64 {
        let segment = self.last_with(|segment| segment.bar <= bar);
        let frame = segment.frame as f64 + (bar - segment.bar) * self.frames_a_beat(segment) * segment.beats_per_bar;
        match self.segments.get(self.segments.partition_point(|next| next.frame <= segment.frame)) {
            Some(next) => frame.min(next.frame as f64),
            None => frame,
        }
    }

    /// Beats a minute at a frame. RT.
    pub fn bpm_at(&self, frame: i64) -> f64 {
        self.at_frame(frame).tempo
    }

    /// Frames a second. RT.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The first change at or after a frame, and whether the rest of a bar is left out there. RT.
    pub fn change_from(&self, frame: i64) -> Option<(i64, bool)> {
        let next = self.segments.get(1..)?.partition_point(|segment| segment.frame < frame);
        let (before, change) = (self.segments.get(next)?, self.segments.get(next + 1)?);
        let bar = before.bar + (change.frame - before.frame) as f64 / self.frames_a_bar(before);
        Some((change.frame, (change.bar - bar) * self.frames_a_bar(before) >= 1.0))
    }

    /// Where each stretch of one tempo and one time signature begins, in order. RT.
    pub fn stretches(&self) -> impl Iterator<Item = i64> + '_ {
        self.segments.iter().map(|segment| segment.frame)
    }

    /// Whether the tempo is on its way from one to another at a frame. RT.
    pub fn glides_at(&self, frame: i64) -> bool {
        self.at_frame(frame).glides
    }

    /// The first line of a grid at or after a frame: the frame nearest to it.
    pub fn next_line(&self, grid: Grid, from: i64) -> i64 {
        let (at, step): (f64, f64) = match grid {
            Grid::Bars(bars) => (self.bar_at(from), bars),
            Grid::Beats(beats) => (self.beat_at(from), beats),
            Grid::Milliseconds(ms) => (from as f64 * 1000.0 / self.rate, ms),
        };
        let frame = |line: f64| {
            let exact = match grid {
                Grid::Bars(bars) => self.frame_of_bar(line * bars),
                Grid::Beats(beats) => self.frame_of_beat(line * beats),
                Grid::Milliseconds(ms) => line * ms * self.rate / 1000.0,
            };
            (exact + 0.5).floor() as i64
        };
        // Rounding may put the line just before: then it is the next but one at most.
        let first = (at / step).floor();
        (0..3).map(|n| frame(first + f64::from(n))).find(|frame| *frame >= from).unwrap_or(from)
    }

    /// The length in frames of a beat at a frame of the transport. RT.
    pub fn beat_length(&self, frame: i64) -> f64 {
        self.frames_a_beat(self.at_frame(frame))
    }

    /// The length in frames of a bar at a frame of the transport. RT.
    pub fn bar_length(&self, frame: i64) -> f64 {
        let segment = self.at_frame(frame);
        self.frames_a_beat(segment) * segment.beats_per_bar
    }

    fn frames_a_beat(&self, segment: &Segment) -> f64 {
        self.rate * 60.0 / segment.tempo
    }

    fn frames_a_bar(&self, segment: &Segment) -> f64 {
        self.frames_a_beat(segment) * segment.beats_per_bar
    }

    fn last(&self) -> &Segment {
        self.segments.last().unwrap_or(&FIRST)
    }

    fn at_frame(&self, frame: i64) -> &Segment {
        self.last_with(|segment| segment.frame <= frame)
    }

    /// The last segment of which something holds, the first otherwise. Musical time only grows along them, so that what holds of
    /// one holds of those before it.
    fn last_with(&self, holds: impl Fn(&Segment) -> bool) -> &Segment {
        let after = self.segments.partition_point(holds);
        self.segments.get(after.saturating_sub(1)).unwrap_or(&FIRST)
    }
}

/// Stands in for a segment in a map that has none, which no map is.
static FIRST: Segment = Segment { frame: 0, beat: 0.0, bar: 0.0, tempo: 120.0, beats_per_bar: 4.0, glides: false };

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };

    #[test]
    fn one_tempo_is_a_straight_line() {
        let tempo = Tempo::new(CLOCK);
        assert_eq!(tempo.beat_at(24_000), 1.0);
        assert_eq!(tempo.bar_at(96_000), 1.0);
        assert_eq!(tempo.frame_of_bar(2.5), 240_000.0);
        assert_eq!(tempo.beat_at(-24_000), -1.0);
    }

    #[test]
    fn a_change_keeps_the_beat_and_the_bars_gone_by() {
        let mut tempo = Tempo::new(CLOCK);
        tempo.change(36_000, Clock { tempo: 60.0, ..CLOCK });
        assert_eq!(tempo.beat_at(36_000), 1.5);
        assert_eq!(tempo.beat_at(36_000 + 48_000), 2.5);
        assert_eq!(tempo.frame_of_beat(1.0), 24_000.0);
        assert_eq!(tempo.frame_of_beat(2.5), 84_000.0);
        assert_eq!(tempo.bar_at(84_000), 2.5 / 4.0);
        assert_eq!(tempo.clock().tempo, 60.0);
    }

    #[test]
    fn what_holds_already_is_no_change() {
        let mut tempo = Tempo::new(CLOCK);
        tempo.change(36_000, Clock { tempo: 60.0, ..CLOCK });
        let before = tempo.clone();
        tempo.change(20_000, Clock { tempo: 60.0, ..CLOCK });
        assert_eq!(tempo, before);
    }

    #[test]
    fn another_time_signature_begins_a_bar() {
        let mut tempo = Tempo::new(CLOCK);
        tempo.change(2 * 96_000, Clock { beats_per_bar: 3.0, ..CLOCK });
        assert_eq!(tempo.bar_at(2 * 96_000), 2.0, "on a line it is that line");
        assert_eq!(tempo.bar_at(2 * 96_000 + 72_000), 3.0);
        tempo.change(3 * 96_000, CLOCK);
        assert_eq!(tempo.bar_at(3 * 96_000), 4.0, "within a bar the next one begins");
    }

    #[test]
    fn what_is_cut_off_a_bar_lies_where_the_next_begins() {
        let mut tempo = Tempo::new(CLOCK);
        tempo.change(48_000, Clock { tempo: 60.0, ..CLOCK });
        tempo.change(240_000, Clock { beats_per_bar: 3.0, ..CLOCK });
        assert_eq!(tempo.bar_at(240_000), 2.0, "one and a half have gone by");
        assert_eq!([1.5, 1.75, 2.0].map(|bar| tempo.frame_of_bar(bar)), [240_000.0; 3]);
        assert_eq!(tempo.change_from(0), Some((48_000, false)));
        assert_eq!(tempo.change_from(48_001), Some((240_000, true)));
        assert_eq!(tempo.change_from(240_001), None);
    }

    #[test]
    fn bars_count_on_through_signatures_whose_lines_lie_between_frames() {
        let mut tempo = Tempo::new(Clock { tempo: 93.0, ..CLOCK });
        for (change, beats_per_bar) in [3.0, 5.0, 4.0, 3.5, 4.0, 3.0].into_iter().enumerate() {
            let frame = tempo.next_line(Grid::Bars(1.0), tempo.frame_of_bar(change as f64 + 0.5) as i64);
            tempo.change(frame, Clock { tempo: 93.0, beats_per_bar, ..CLOCK });
            assert_eq!(tempo.bar_at(frame), change as f64 + 1.0);
        }
    }

    #[test]
    fn the_next_line_of_a_grid_is_the_frame_nearest_to_it() {
        let tempo = Tempo::new(Clock { tempo: 96.0, ..CLOCK });
        assert_eq!(tempo.next_line(Grid::Bars(1.0), 0), 0);
        assert_eq!(tempo.next_line(Grid::Bars(1.0), 1), 120_000);
        assert_eq!(tempo.next_line(Grid::Bars(1.0), 120_000), 120_000);
        assert_eq!(tempo.next_line(Grid::Beats(0.5), 15_001), 30_000);
        assert_eq!(tempo.next_line(Grid::Milliseconds(250.0), 12_001), 24_000);
        let uneven = Tempo::new(Clock { tempo: 113.0, ..CLOCK });
        for from in 0..30_000 {
            let line = uneven.next_line(Grid::Beats(0.25), from);
            let lines = (0..8).map(|n| (f64::from(n) * 0.25 * 48_000.0 * 60.0 / 113.0 + 0.5).floor() as i64);
            assert_eq!(Some(line), lines.into_iter().find(|line| *line >= from), "from {from}");
        }
    }

    #[test]
    fn a_grid_of_bars_goes_on_through_a_change() {
        let mut tempo = Tempo::new(CLOCK);
        tempo.change(96_000, Clock { tempo: 60.0, ..CLOCK });
        assert_eq!(tempo.next_line(Grid::Bars(1.0), 96_001), 96_000 + 192_000);
        assert_eq!(tempo.next_line(Grid::Bars(1.0), 90_000), 96_000);
    }
}
