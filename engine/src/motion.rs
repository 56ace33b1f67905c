//! What a control does: how the value of a parameter moves along the transport. A motion is immutable; the little that
//! changes while it runs is a [`State`], kept by the path of the parameter, so that edits do not disturb it.
//!
//! Values are in the parameter's own unit. Frames are those of the transport at the parameter's place, and may lie before 0.

use crate::tempo::Tempo;

/// How a value moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Motion {
    /// Goes with the envelope of a signal, which is handed to whatever it moves.
    Follow {
        /// The value at silence, and the one at full scale.
        range: (f64, f64),
    },
    /// Waits for something from outside: MIDI or OSC.
    Event {
        /// What it listens to.
        source: EventSource,
        /// The value that 0 stands for, and the one that 1 does; without them what comes is the value itself.
        range: Option<(f64, f64)>,
        /// The value until something comes.
        start: f64,
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
}

/// What changes while a motion runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// The frame that it is reckoned from.
    pub frame: i64,
    /// What it was there: a phase in cycles, a value.
    pub value: f64,
}

/// Where a motion cannot be followed in a straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corner {
    /// The first frame of the next stretch.
    pub frame: i64,
    /// Whether the value jumps there rather than turning.
    pub jumps: bool,
}

impl Motion {
    /// The word that makes it: its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Motion::Follow { .. } => "follow",
            Motion::Event { source: EventSource::Midi { .. }, .. } => "midi_cc",
            Motion::Event { source: EventSource::Osc { .. }, .. } => "osc",
        }
    }

    /// What it starts with when it is first heard at a frame. RT.
    pub fn begin(&self, at: i64, _tempo: &Tempo) -> State {
        match self {
            Motion::Follow { range } => State { frame: at, value: range.0 },
            Motion::Event { start, .. } => State { frame: at, value: *start },
        }
    }

    /// What it goes on with when the text has changed it, at a frame: an LFO keeps its phase, a ramp sets out from `now`, the
    /// value that the parameter has. RT.
    pub fn renew(&self, _old: &Motion, state: &State, _now: f64, _at: i64, _tempo: &Tempo) -> State {
        match self {
            Motion::Follow { .. } | Motion::Event { .. } => *state,
        }
    }

    /// The value at a frame. Where it jumps the frame has the new value already. RT.
    pub fn value(&self, state: &State, _tempo: &Tempo, _frame: i64) -> f64 {
        match self {
            Motion::Follow { .. } | Motion::Event { .. } => state.value,
        }
    }

    /// The first corner behind the frame `after`, up to and with `until`. A straight line ends with the last frame before
    /// a corner: a breakpoint's own frame is the last of its stretch, a jump's is the first of the next. RT.
    pub fn corner(&self, _state: &State, _tempo: &Tempo, _after: i64, _until: i64) -> Option<Corner> {
        match self {
            Motion::Follow { .. } | Motion::Event { .. } => None,
        }
    }

    /// The most frames over which it is near enough to a straight line between corners. RT.
    pub fn grain(&self, _state: &State, _tempo: &Tempo, _frame: i64) -> usize {
        match self {
            Motion::Follow { .. } | Motion::Event { .. } => usize::MAX,
        }
    }

    /// Something came from outside, for the frames from `at` on: true if it is a jump for this motion. RT.
    pub fn hear(&self, state: &mut State, value: f64, at: i64) -> bool {
        match self {
            Motion::Follow { .. } => false,
            Motion::Event { range, .. } => {
                let value = range.map_or(value, |(lo, hi)| lo + (hi - lo) * value);
                *state = State { frame: at, value };
                true
            }
        }
    }
}
