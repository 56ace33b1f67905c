//! What a control does: how the value of a parameter moves along the transport. A motion is immutable; the little that
//! changes while it runs is a [`State`], kept by the path of the parameter, so that edits do not disturb it.
//!
//! Values are in the parameter's own unit; `off` as a level is minus infinity dB. Frames are those of the transport at the
//! parameter's place, and may lie before 0.

use crate::keep::{Keep, Ledger, keep};
use crate::random;
use crate::tempo::Tempo;

mod course;
mod lfo;
mod ramp;
mod sections;
pub mod steps;
#[cfg(test)]
mod tests;

use course::{Breakpoints, Line, Loop};
pub use lfo::{Lfo, Rate, Shape};
pub use ramp::{Curve, Moment, Ramp, Span};
pub use sections::Sections;

/// How a value moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Motion {
    /// To and fro for ever.
    Lfo(Lfo),
    /// From one value to another, once.
    Ramp(Ramp),
    /// Through points on the transport.
    Automate {
        /// Beats and values, in order. Never empty.
        points: Vec<(f64, f64)>,
        /// Whether each value holds until the next; otherwise the value goes straight from one to the next.
        hold: bool,
    },
    /// Through a pattern of values, each held until the next.
    Steps {
        /// The bars after which it begins anew.
        bars: f64,
        /// Bars from its beginning, each less than `bars`, and values, in order. Never empty.
        steps: Vec<(f64, f64)>,
    },
    /// From one value to another at bar lines, as sections say.
    Sections(Sections),
    /// Goes with the envelope of a signal, which is handed to whatever it moves.
    Follow {
        /// Silence is its low end, full scale its high one.
        range: Range,
    },
    /// Waits for something from outside: MIDI or OSC.
    Event {
        /// What it listens to.
        source: EventSource,
        /// What 0 to 1 stand for; without it what comes is the value itself.
        range: Option<Range>,
        /// The value until something comes.
        start: f64,
        /// The least and the most that the parameter takes.
        bounds: (f64, f64),
    },
}

/// Where a control from outside comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum EventSource {
    /// A MIDI controller.
    Midi {
        /// The MIDI channel, from 1; any without.
        channel: Option<u8>,
        /// Its number, 0 to 127.
        controller: u8,
    },
    /// An OSC address.
    Osc {
        /// With its leading slash.
        address: String,
    },
    /// A MIDI keyboard, which is no control: what comes of it are notes.
    Notes {
        /// The MIDI channel, from 1; any without.
        channel: Option<u8>,
    },
}

impl Default for EventSource {
    fn default() -> Self {
        EventSource::Midi { channel: None, controller: 0 }
    }
}

impl Keep for EventSource {
    fn keep(&mut self, ledger: &mut Ledger) {
        let (mut kind, mut channel, mut controller, mut address) = match std::mem::take(self) {
            EventSource::Midi { channel, controller } => (0u8, channel, controller, String::new()),
            EventSource::Osc { address } => (1, None, 0, address),
            EventSource::Notes { channel } => (2, channel, 0, String::new()),
        };
        kind.keep(ledger);
        channel.keep(ledger);
        controller.keep(ledger);
        address.keep(ledger);
        *self = match kind {
            0 => EventSource::Midi { channel, controller },
            1 => EventSource::Osc { address },
            2 => EventSource::Notes { channel },
            _ => return ledger.fail(),
        };
    }
}

/// The values that something from 0 to 1 stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The value that 0 stands for. It may be the larger one.
    pub low: f64,
    /// The value that 1 stands for.
    pub high: f64,
    /// Evenly in octaves rather than in the unit. Then both ends are above 0.
    pub octaves: bool,
}

impl Range {
    /// The value that a part of the way stands for; what lies outside 0 to 1 is taken as the nearer of them. RT.
    pub fn at(&self, part: f64) -> f64 {
        if part <= 0.0 {
            self.low
        } else if part >= 1.0 {
            self.high
        } else if self.octaves {
            self.low * crate::math::exp(part * self.octave_span())
        } else {
            self.low + (self.high - self.low) * part
        }
    }

    /// How far it goes, in natural logarithms; 0 if it is even in its unit. RT.
    fn octave_span(&self) -> f64 {
        if self.octaves { crate::math::ln(self.high / self.low) } else { 0.0 }
    }
}

/// What changes while a motion runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// The frame that it is reckoned from.
    pub frame: i64,
    /// What it was there: a phase in cycles, a value.
    pub value: f64,
}

keep!(State: frame, value);

/// Where a motion cannot be followed in a straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corner {
    /// The first frame of the next stretch.
    pub frame: i64,
    /// Whether the value jumps there rather than turning.
    pub jumps: bool,
}

/// The frame of a state to which nothing has come yet.
const UNHEARD: i64 = i64::MIN;

impl Motion {
    /// The word that makes it: its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Motion::Lfo(_) => "lfo",
            Motion::Ramp(_) => "ramp",
            Motion::Automate { .. } => "automate",
            Motion::Steps { .. } => "steps",
            Motion::Sections(_) => "section",
            Motion::Follow { .. } => "follow",
            Motion::Event { source: EventSource::Midi { .. }, .. } => "midi_cc",
            Motion::Event { source: EventSource::Osc { .. }, .. } => "osc",
            Motion::Event { source: EventSource::Notes { .. }, .. } => "keyboard",
        }
    }

    /// What it starts with when it is first heard at a frame. RT.
    pub fn begin(&self, at: i64, _tempo: &Tempo) -> State {
        match self {
            Motion::Lfo(_) => State { frame: 0, value: 0.0 },
            Motion::Ramp(ramp) => State { frame: at, value: ramp.from },
            Motion::Follow { range } => State { frame: at, value: range.low },
            Motion::Event { start, .. } => State { frame: UNHEARD, value: *start },
            Motion::Automate { .. } | Motion::Steps { .. } | Motion::Sections(_) => State { frame: at, value: 0.0 },
        }
    }

    /// What it goes on with when the text has changed it, at a frame: a free LFO keeps its phase, a ramp without a place on
    /// the transport sets out from `now`, the value that the parameter has, and what came from outside still holds, in the new
    /// range. All else is a function of the transport. RT.
    pub fn renew(&self, old: &Motion, state: &State, now: f64, at: i64, tempo: &Tempo) -> State {
        match (self, old) {
            (Motion::Lfo(new), Motion::Lfo(old)) => new.renew(old, state, at, tempo),
            (Motion::Ramp(new), Motion::Ramp(old)) if new != old => State { frame: at, value: now },
            (Motion::Event { source, range, .. }, Motion::Event { source: before, range: old, .. })
                if source != before || range.is_some() != old.is_some() =>
            {
                self.begin(at, tempo)
            }
            _ if std::mem::discriminant(self) == std::mem::discriminant(old) => *state,
            _ => self.begin(at, tempo),
        }
    }

    /// The value at a frame. Where it jumps the frame has the new value already. RT.
    pub fn value(&self, state: &State, tempo: &Tempo, frame: i64) -> f64 {
        match self {
            Motion::Lfo(lfo) => lfo.value(state, tempo, frame),
            Motion::Ramp(ramp) => ramp.value(state, tempo, frame),
            Motion::Automate { points, hold } => {
                course::value(&Breakpoints { points, hold: *hold }, &Line::beats(tempo), frame)
            }
            Motion::Steps { bars, steps } => course::value(&Loop { bars: *bars, steps }, &Line::bars(tempo), frame),
            Motion::Sections(sections) => sections.value(tempo, frame),
            Motion::Follow { .. } => state.value,
            Motion::Event { start, .. } if state.frame == UNHEARD => *start,
            Motion::Event { range, .. } => range.map_or(state.value, |range| range.at(state.value)),
        }
    }

    /// The first corner behind the frame `after`, up to and with `until`. A straight line ends with the last frame before
    /// a corner: a breakpoint's own frame is the last of its stretch, a jump's is the first of the next. RT.
    pub fn corner(&self, state: &State, tempo: &Tempo, after: i64, until: i64) -> Option<Corner> {
        let corner = match self {
            Motion::Lfo(lfo) => lfo.corner(state, tempo, after),
            Motion::Ramp(ramp) => ramp.corner(state, tempo, after),
            Motion::Automate { points, hold } => {
                course::corner(&Breakpoints { points, hold: *hold }, &Line::beats(tempo), after)
            }
            Motion::Steps { bars, steps } => course::corner(&Loop { bars: *bars, steps }, &Line::bars(tempo), after),
            Motion::Sections(sections) => sections.corner(tempo, after),
            Motion::Follow { .. } | Motion::Event { .. } => None,
        };
        corner.filter(|corner| corner.frame <= until)
    }

    /// The frames that a jump there takes: as many as usual, or fewer, so that what jumps often still gets where it leads; what
    /// sections set has a way of its own. RT.
    pub fn jump(&self, state: &State, tempo: &Tempo, frame: i64, usual: u32) -> u32 {
        match self {
            Motion::Lfo(lfo) => usual.min(lfo.jump(state, tempo, frame)),
            Motion::Sections(sections) => sections.jump(tempo, frame),
            _ => usual,
        }
    }

    /// The most frames over which it is near enough to a straight line between corners. RT.
    pub fn grain(&self, state: &State, tempo: &Tempo, frame: i64) -> usize {
        match self {
            Motion::Lfo(lfo) => lfo.grain(state, tempo, frame),
            Motion::Ramp(ramp) => ramp.grain(state, tempo, frame),
            // An envelope may turn at any frame; nothing of it is lost in a third of a millisecond.
            Motion::Follow { .. } => 16,
            Motion::Automate { .. } | Motion::Steps { .. } | Motion::Sections(_) | Motion::Event { .. } => usize::MAX,
        }
    }

    /// Something came from outside, for the frames from `at` on: true if it is a jump for this motion. With a range it is
    /// from 0 to 1. RT.
    pub fn hear(&self, state: &mut State, value: f64, at: i64) -> bool {
        let listens = matches!(self, Motion::Event { .. });
        if listens {
            *state = State { frame: at.max(UNHEARD + 1), value };
        }
        listens
    }

    /// The smallest and the largest value it can have; what comes from outside without a range may be anything. RT.
    pub fn bounds(&self) -> (f64, f64) {
        let all = |values: &[(f64, f64)]| {
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), (_, value)| {
                (least.min(*value), most.max(*value))
            })
        };
        let ordered = |a: f64, b: f64| (a.min(b), a.max(b));
        match self {
            Motion::Lfo(Lfo { range, .. }) | Motion::Follow { range } => ordered(range.low, range.high),
            Motion::Ramp(ramp) => ordered(ramp.from, ramp.to),
            Motion::Automate { points, .. } => all(points),
            Motion::Steps { steps, .. } | Motion::Sections(Sections { steps, .. }) => all(steps),
            Motion::Event { range: Some(range), start, .. } => {
                let (least, most) = ordered(range.low, range.high);
                (least.min(*start), most.max(*start))
            }
            Motion::Event { range: None, start, .. } => (*start, *start),
        }
    }
}

/// A value in 0 to 1 for a cycle of a seed. RT.
fn random_part(seed: u64, cycle: i64) -> f64 {
    random::even(seed, cycle as u64) + 0.5
}

/// How far from the truth a straight line may be, as a part of the range or, in octaves, of the value.
const NEAR: f64 = 2e-4;

/// The frames over which something with a second derivative of at most `bend`, for each `length` frames squared, is near
/// enough to a straight line. RT.
fn straight(bend: f64, length: f64) -> usize {
    if bend <= 0.0 {
        return usize::MAX;
    }
    // A chord is off by at most a eighth of the second derivative times the square of what it spans.
    let frames = length * crate::math::sqrt(8.0 * NEAR / bend);
    (frames as usize).max(1)
}
