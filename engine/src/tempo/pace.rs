//! What a text says of the tempo: one that holds, or one that moves along points of the transport.
//!
//! Between two points the tempo is straight in beats, `T(b) = T0 + (T1 - T0) b / L`, so that the time to a beat is the
//! integral `60 L / (T1 - T0) ln(T(b) / T0)` seconds. A map of stretches that each have one tempo stands for it, whose ends
//! are frames at which the beat is the one that the integral gives.

use serde::Serialize;

use crate::keep::keep;
use crate::math;
use crate::parameter::Value;
use crate::units::Clock;

/// By how much of a frame a map may be off the integral between two of its ends.
const OFF: f64 = 0.25;

/// The least length of a stretch, in frames.
const SHORTEST: f64 = 64.0;

/// The tempo and the time signature, as a text says them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Where they end, if the tempo moves.
    pub clock: Clock,
    /// The way that the tempo takes.
    pub course: Option<Course>,
    /// How long a change to a tempo that holds takes, in milliseconds.
    pub over: f64,
}

impl From<Clock> for Pace {
    fn from(clock: Clock) -> Self {
        Pace { clock, course: None, over: 0.0 }
    }
}

/// A tempo that moves, as a text says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Glide {
    /// `ramp(from, to, time)`, in beats a minute.
    Ramp {
        /// What it sets out from.
        from: f64,
        /// What it ends with.
        to: f64,
        /// A time.
        time: Value,
        /// A place on the transport; without it where it is first heard.
        start: Option<Value>,
    },
    /// `automate(points)`.
    Automate {
        /// Beats, and beats a minute, in order; never empty.
        points: Vec<(f64, f64)>,
        /// Whether each holds until the next.
        hold: bool,
    },
}

impl Glide {
    /// The tempo that it ends with.
    pub fn end(&self) -> f64 {
        match self {
            Glide::Ramp { to, .. } => *to,
            Glide::Automate { points, .. } => points.last().map_or(120.0, |(_, tempo)| *tempo),
        }
    }

    /// The points that it goes through, in a time signature.
    pub fn course(&self, clock: &Clock) -> Course {
        let musical = |time: &Value, other: &dyn Fn(f64) -> f64| match *time {
            Value::Beats(beats) => beats,
            Value::Bars(bars) => bars * clock.beats_per_bar,
            Value::Number(ms) => other(ms / 60_000.0),
            Value::Samples(frames) => other(frames / clock.rate / 60.0),
            _ => 0.0,
        };
        match self {
            Glide::Ramp { from, to, time, start } => {
                let length = musical(time, &|minutes| minutes * mean(*from, *to));
                let begin = start.as_ref().map_or(0.0, |start| musical(start, &|minutes| minutes * from));
                Course { points: vec![(begin, *from), (begin + length, *to)], adrift: start.is_none(), hold: false }
            }
            Glide::Automate { points, hold } => Course { points: points.clone(), adrift: false, hold: *hold },
        }
    }
}

/// The tempo that takes as long as a straight way between two: their logarithmic mean.
fn mean(from: f64, to: f64) -> f64 {
    if from == to { from } else { (to - from) / math::ln(to / from) }
}

/// The points that a tempo goes through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Beats, and beats a minute there, in order; never empty.
    pub points: Vec<(f64, f64)>,
    /// Whether beats count from where it is first heard, instead of from the first beat.
    pub adrift: bool,
    /// Whether each tempo holds until the next.
    pub hold: bool,
}

keep!(Course: points, adrift, hold);

/// An end of a stretch of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) frame: i64,
    pub(super) beat: f64,
    /// The tempo from there on.
    pub(super) tempo: f64,
    /// Whether it is on its way to another.
    pub(super) glides: bool,
}

impl Course {
    /// The ends of the stretches that stand for it from a frame on, at which this beat is; its points begin at `origin`.
    pub(super) fn marks(&self, frame: i64, beat: f64, origin: f64, rate: f64) -> Vec<Mark> {
        let points: Vec<(f64, f64)> = self.points.iter().map(|(at, tempo)| (at + origin, *tempo)).collect();
        let mut way = Way { place: frame as f64, beat, rate: 60.0 * rate, marks: Vec::new() };
        let Some(((first, before), (_, last))) = points.first().zip(points.last()) else { return way.marks };
        way.straight(*first, *before, *before);
        for pair in points.windows(2) {
            let ((from, tempo), (to, next)) = (pair[0], pair[1]);
            let next = if self.hold { tempo } else { next };
            // What is gone by is left out.
            let part = ((way.beat - from) / (to - from)).clamp(0.0, 1.0);
            way.straight(to, tempo + (next - tempo) * part, next);
        }
        way.mark(way.place, way.beat, *last, false);
        way.settled()
    }
}

/// What has been laid of a map.
struct Way {
    /// In frames and fractions of one.
    place: f64,
    beat: f64,
    /// Frames a minute.
    rate: f64,
    marks: Vec<Mark>,
}

impl Way {
    /// Goes to a beat, from one tempo to another; nowhere when that has gone by.
    fn straight(&mut self, to: f64, from: f64, next: f64) {
        let (begin, length, rate) = ((self.place, self.beat), to - self.beat, self.rate);
        if length <= 0.0 {
            return;
        }
        let slope = (next - from) / length;
        if slope == 0.0 {
            self.mark(begin.0, begin.1, from, false);
            (self.place, self.beat) = (begin.0 + length * rate / from, to);
            return;
        }
        let tempo = |beat: f64| from + slope * (beat - begin.1);
        let place = |tempo: f64| begin.0 + rate / slope * math::ln(tempo / from);
        let mut beat = begin.1;
        let mut marks = Vec::new();
        while beat < to {
            marks.push((place(tempo(beat)), beat));
            // A straight line is off a curve by an eighth of its bend times the square of the step.
            let now = tempo(beat).min(next.max(from)).max(next.min(from));
            let bend = rate * slope.abs() / (now * now);
            let step = math::sqrt(8.0 * OFF / bend).max(SHORTEST * now / rate);
            beat += step;
        }
        for (at, beat) in marks {
            // The stretch ends at a frame: the beat is the one there.
            let frame = (at + 0.5).floor();
            let there = from * math::exp((frame - begin.0) * slope / rate);
            let there = if frame <= begin.0 { beat } else { begin.1 + (there - from) / slope };
            self.mark(frame, there, tempo(beat), true);
        }
        (self.place, self.beat) = (place(next), to);
    }

    fn mark(&mut self, place: f64, beat: f64, tempo: f64, glides: bool) {
        let frame = (place + 0.5).floor();
        let beat = beat + (frame - place) * tempo / self.rate;
        let mark = Mark { frame: frame as i64, beat, tempo, glides };
        match self.marks.last_mut() {
            Some(last) if last.frame >= mark.frame => (last.tempo, last.glides) = (tempo, glides),
            _ => self.marks.push(mark),
        }
    }

    /// The marks, each with the one tempo that leads to the next.
    fn settled(self) -> Vec<Mark> {
        let Way { mut marks, rate, .. } = self;
        for i in 1..marks.len() {
            let (from, to) = (marks[i - 1], marks[i]);
            marks[i - 1].tempo = (to.beat - from.beat) * rate / (to.frame - from.frame) as f64;
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tempo::{Grid, Tempo};

    const CLOCK: Clock = Clock { rate: 48_000.0, tempo: 140.0, beats_per_bar: 4.0 };

    fn pace(glide: &Glide, clock: Clock) -> Pace {
        let clock = Clock { tempo: glide.end(), ..clock };
        Pace { clock, course: Some(glide.course(&clock)), over: 0.0 }
    }

    fn ramp(from: f64, to: f64, time: Value) -> Glide {
        Glide::Ramp { from, to, time, start: None }
    }

    /// Where a beat of a way from one tempo to another over so many beats lies, in frames, by the closed form.
    fn closed(from: f64, to: f64, beats: f64, beat: f64, rate: f64) -> f64 {
        let way = beat.min(beats);
        let there = from + (to - from) * way / beats;
        let minutes = beats / (to - from) * (there / from).ln();
        (minutes + (beat - way) / to) * 60.0 * rate
    }

    #[test]
    fn bars_of_a_ramp_fall_on_the_frame_that_the_integral_says() {
        for (from, to, beats, rate) in [
            (120.0, 140.0, 32.0, 48_000.0),
            (140.0, 60.0, 4.0, 44_100.0),
            (60.0, 240.0, 1.0, 96_000.0),
            (97.3, 97.4, 512.0, 48_000.0),
            (1.0, 999.0, 8.0, 48_000.0),
        ] {
            let clock = Clock { rate, ..CLOCK };
            let tempo = Tempo::new(pace(&ramp(from, to, Value::Beats(beats)), clock));
            for eighth in 0..(16.0 * beats) as i32 {
                let beat = f64::from(eighth) / 8.0;
                let (map, exact) = (tempo.frame_of_beat(beat), closed(from, to, beats, beat, rate));
                assert!((map - exact).abs() < 0.5, "{from} to {to}, beat {beat}: {map} is not {exact}");
                let back = tempo.beat_at(exact.round() as i64);
                assert!((back - beat).abs() * rate * 60.0 / to.max(from) < 1.1, "beat {beat} comes back as {back}");
            }
            let line = tempo.next_line(Grid::Bars(1.0), 1);
            assert!((line as f64 - closed(from, to, beats, 4.0, rate)).abs() <= 1.0);
        }
    }

    #[test]
    fn a_ramp_in_seconds_takes_them() {
        let tempo = Tempo::new(pace(&ramp(120.0, 60.0, Value::Number(10_000.0)), CLOCK));
        assert!((tempo.bpm_at(479_000) - 60.0).abs() < 0.2 && tempo.bpm_at(479_000) != 60.0);
        assert_eq!(tempo.bpm_at(480_000), 60.0);
        assert!((tempo.beat_at(480_000) - 10.0 / 60.0 * 60.0 / 2f64.ln()).abs() < 1e-4);
    }

    #[test]
    fn beats_bars_and_frames_only_grow_along_a_course() {
        let points = vec![(0.0, 120.0), (3.0, 180.0), (3.5, 61.0), (20.0, 61.0), (40.0, 90.0)];
        for hold in [false, true] {
            let tempo = Tempo::new(pace(&Glide::Automate { points: points.clone(), hold }, CLOCK));
            let mut last = -1.0;
            for frame in (0..1_500_000).step_by(37) {
                let beat = tempo.beat_at(frame);
                assert!(beat > last && (tempo.frame_of_beat(beat) - frame as f64).abs() < 1e-3, "{frame}");
                assert!((tempo.bar_at(frame) - beat / 4.0).abs() < 1e-9);
                last = beat;
            }
        }
    }

    #[test]
    fn steps_of_a_course_hold_until_the_next() {
        let glide = Glide::Automate { points: vec![(0.0, 120.0), (4.0, 60.0), (6.0, 240.0)], hold: true };
        let tempo = Tempo::new(pace(&glide, CLOCK));
        assert_eq!(
            [0.0, 4.0, 5.0, 6.0, 7.0].map(|beat| tempo.frame_of_beat(beat)),
            [0.0, 96_000.0, 144_000.0, 192_000.0, 204_000.0]
        );
    }

    #[test]
    fn a_ramp_begins_where_it_is_heard_or_where_it_says_and_an_edit_beside_it_leaves_it_alone() {
        let clock = Clock { tempo: 120.0, ..CLOCK };
        let mut tempo = Tempo::new(clock);
        let glide = ramp(120.0, 140.0, Value::Bars(2.0));
        tempo.change(96_000, pace(&glide, clock));
        assert_eq!(tempo.bpm_at(95_999), 120.0);
        let exact = 96_000.0 + closed(120.0, 140.0, 8.0, 8.0, 48_000.0);
        assert!((tempo.frame_of_bar(3.0) - exact).abs() < 0.5);
        let before = tempo.clone();
        tempo.change(150_000, pace(&glide, clock));
        assert_eq!(tempo, before, "said again it is the same");
        let mut other = pace(&glide, clock);
        other.clock.beats_per_bar = 3.0;
        tempo.change(96_000 * 2, other);
        assert!(
            (tempo.frame_of_beat(12.0) - before.frame_of_beat(12.0)).abs() < 0.5,
            "it goes on in another signature"
        );
        let anchored = Glide::Ramp { from: 120.0, to: 60.0, time: Value::Bars(1.0), start: Some(Value::Bars(4.0)) };
        let tempo = Tempo::new(pace(&anchored, clock));
        assert_eq!((tempo.frame_of_bar(4.0), tempo.bpm_at(0)), (384_000.0, 120.0));
        assert!((tempo.frame_of_bar(5.0) - 384_000.0 - closed(120.0, 60.0, 4.0, 4.0, 48_000.0)).abs() < 0.5);
        let mut late = Tempo::new(clock);
        late.change(384_000 + 48_000, pace(&anchored, clock));
        let within = late.bpm_at(384_000 + 48_001);
        assert!((within - 90.0).abs() < 0.2, "what is gone by is left out: {within}");
    }

    #[test]
    fn a_change_over_some_time_sets_out_from_the_tempo_that_is() {
        let clock = Clock { tempo: 120.0, ..CLOCK };
        let mut tempo = Tempo::new(clock);
        tempo.change(96_000, Pace { over: 8_000.0, ..CLOCK.into() });
        let exact = 96_000.0 + closed(120.0, 140.0, 16.0, 16.0, 48_000.0);
        assert!((tempo.frame_of_bar(5.0) - exact).abs() < 0.5, "8 s are four bars of what was");
        assert_eq!(tempo.clock(), CLOCK);
        assert_eq!(tempo.bpm_at(exact as i64 + 2), 140.0);
        let before = tempo.clone();
        tempo.change(200_000, CLOCK);
        assert_eq!(tempo, before, "it is underway to that");
    }
}
