//! `lfo`: to and fro for ever. Locked to the transport its phase is reckoned from the position each time, so that it never
//! drifts; free, from the frame at which its rate was last changed.

use std::f64::consts::{PI, TAU};

use super::course::{self, Course, Line, Measure, Piece};
use super::{Corner, Range, State, random_part, straight};
use crate::math;
use crate::tempo::Tempo;

/// A low-frequency oscillator.
#[derive(Clone, Debug, PartialEq)]
pub struct Lfo {
    /// How fast.
    pub rate: Rate,
    /// Its waveform.
    pub shape: Shape,
    /// The values it goes between.
    pub range: Range,
    /// Where in its cycle it begins, in cycles.
    pub phase: f64,
    /// What a random one is drawn from.
    pub seed: u64,
}

/// How fast an LFO is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Cycles a second.
    Hertz(f64),
    /// A cycle every so many beats: locked to the transport.
    Beats(f64),
    /// A cycle every so many bars: locked to the transport.
    Bars(f64),
}

/// What lengths in bars are set off by in [`Rate::number`]: more beats than any cycle has.
const BARS: f64 = (1u64 << 16) as f64;

impl Rate {
    /// The one number that stands for it, which is all that a kernel is handed: Hz, or below 0 the beats of a cycle, or far
    /// below 0 its bars. RT.
    pub fn number(self) -> f64 {
        match self {
            Rate::Hertz(hertz) => hertz,
            Rate::Beats(beats) => -beats,
            Rate::Bars(bars) => -bars - BARS,
        }
    }

    /// What a number stands for. RT.
    pub fn of_number(number: f64) -> Self {
        match number {
            bars if bars < -BARS => Rate::Bars(-bars - BARS),
            beats if beats < 0.0 => Rate::Beats(-beats),
            hertz => Rate::Hertz(hertz),
        }
    }

    /// The cycles from the beginning of the transport to a frame. RT.
    pub fn cycles_at(self, frame: i64, tempo: &Tempo) -> f64 {
        self.line(tempo).position(frame)
    }

    /// The cycles that go by in a frame, there. RT.
    pub fn cycles_a_frame(self, frame: i64, tempo: &Tempo) -> f64 {
        1.0 / self.line(tempo).frames_of_one(frame)
    }

    fn line(self, tempo: &Tempo) -> Line<'_> {
        let (measure, length) = match self {
            Rate::Hertz(hertz) => (Measure::Frames(0), tempo.rate() / hertz),
            Rate::Beats(length) => (Measure::Beats, length),
            Rate::Bars(length) => (Measure::Bars, length),
        };
        Line { measure, length, offset: 0.0, tempo }
    }
}

/// The waveform of an LFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Shape {
    /// From the middle up.
    Sine,
    /// From the middle up, in straight lines.
    Triangle,
    /// Rises from low to high, and jumps back.
    Saw,
    /// High, and low for the second half.
    Square,
    /// Another value for each cycle.
    Random,
}

impl Shape {
    /// The words for them, in the order of their numbers.
    pub const WORDS: &'static [&'static str] = &["sine", "triangle", "saw", "square", "random"];

    /// All of them, in the order of [`Shape::WORDS`].
    pub const ALL: [Shape; 5] = [Shape::Sine, Shape::Triangle, Shape::Saw, Shape::Square, Shape::Random];
}

/// The knots of all shapes but the sine: so many a cycle, the first at `first`. Values from 0 to 1.
struct Knots {
    shape: Shape,
    seed: u64,
}

impl Knots {
    /// Knots a cycle, and where in it the one of number 0 lies. RT.
    fn grid(&self) -> (f64, f64) {
        match self.shape {
            Shape::Triangle => (2.0, 0.25),
            Shape::Square => (2.0, 0.0),
            Shape::Sine | Shape::Saw | Shape::Random => (1.0, 0.0),
        }
    }
}

impl Course for Knots {
    fn before(&self, position: f64) -> i64 {
        let (count, first) = self.grid();
        ((position - first) * count).floor() as i64
    }

    fn place(&self, knot: i64) -> f64 {
        let (count, first) = self.grid();
        knot as f64 / count + first
    }

    fn piece(&self, knot: i64) -> Piece {
        let even = knot.rem_euclid(2) == 0;
        match self.shape {
            Shape::Triangle if even => Piece { from: 1.0, to: 0.0 },
            Shape::Triangle | Shape::Sine | Shape::Saw => Piece { from: 0.0, to: 1.0 },
            Shape::Square => {
                let value = if even { 1.0 } else { 0.0 };
                Piece { from: value, to: value }
            }
            Shape::Random => {
                let value = random_part(self.seed, knot);
                Piece { from: value, to: value }
            }
        }
    }

    fn slopes(&self) -> bool {
        matches!(self.shape, Shape::Triangle | Shape::Saw | Shape::Sine)
    }
}

impl Lfo {
    /// Its phase along the transport, in cycles. RT.
    fn line<'a>(&self, state: &State, tempo: &'a Tempo) -> Line<'a> {
        let line = self.rate.line(tempo);
        match self.rate {
            Rate::Hertz(_) => Line::free(line.length, state, self.phase, tempo),
            Rate::Beats(_) | Rate::Bars(_) => Line { offset: self.phase, ..line },
        }
    }

    fn knots(&self) -> Knots {
        Knots { shape: self.shape, seed: self.seed }
    }

    /// A free one goes on with the phase it has. RT.
    pub(super) fn renew(&self, old: &Lfo, state: &State, at: i64, tempo: &Tempo) -> State {
        if self.rate == old.rate {
            return *state;
        }
        State { frame: at, value: old.line(state, tempo).position(at) - old.phase }
    }

    /// RT.
    pub(super) fn value(&self, state: &State, tempo: &Tempo, frame: i64) -> f64 {
        let line = self.line(state, tempo);
        self.range.at(match self.shape {
            Shape::Sine => {
                let phase = line.position(frame);
                0.5 + 0.5 * math::sin(TAU * (phase - phase.floor()))
            }
            _ => course::value(&self.knots(), &line, frame),
        })
    }

    /// RT.
    pub(super) fn corner(&self, state: &State, tempo: &Tempo, after: i64) -> Option<Corner> {
        let line = self.line(state, tempo);
        match self.shape {
            Shape::Sine => line.bend(after),
            _ => course::corner(&self.knots(), &line, after),
        }
    }

    /// The most frames that a jump there may take so that the shape still gets near both its ends. RT.
    pub(super) fn jump(&self, state: &State, tempo: &Tempo, frame: i64) -> u32 {
        let knots = self.knots();
        let piece = self.line(state, tempo).frames_of_one(frame) / knots.grid().0;
        // What slopes comes back towards the jump's beginning all the while, what holds waits for its end.
        let part = if knots.slopes() { 16.0 } else { 4.0 };
        (piece / part).max(1.0) as u32
    }

    /// RT.
    pub(super) fn grain(&self, state: &State, tempo: &Tempo, frame: i64) -> usize {
        // The steepest and the sharpest that a cycle gets, its height being 1.
        let (slope, bend) = match self.shape {
            Shape::Sine => (PI, 2.0 * PI * PI),
            Shape::Triangle => (2.0, 0.0),
            Shape::Saw => (1.0, 0.0),
            Shape::Square | Shape::Random => (0.0, 0.0),
        };
        let bend = if self.range.octaves {
            let span = self.range.octave_span().abs();
            span * span * slope * slope + span * bend
        } else {
            bend
        };
        straight(bend, self.line(state, tempo).frames_of_one(frame))
    }
}
