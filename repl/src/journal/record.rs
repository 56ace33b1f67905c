//! What a line of a journal can be: one JSON object, whose `is` says which.
//!
//! Frames are frames of the engine unless they say otherwise: how many were rendered since the start, a count that never
//! goes back, whatever the transport does.

use std::path::PathBuf;
use std::time::SystemTime;

use engine::diff::Changes;
use engine::keyboard::Touch;
use engine::motion::EventSource;
use engine::transport::Move;
use serde::{Deserialize, Serialize};

/// The form of journals that this program writes and reads.
pub const FORMAT: u32 = 1;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Record {
    /// How it began; the first of them, and only there.
    Header(Header),
    /// A text was accepted.
    Text(Text),
    /// The desk went on without what had ended.
    Settle {
        /// The number of the program.
        serial: u64,
        /// By when it had ended, as the desk saw it.
        now: u64,
        /// The frame at which that was taken up.
        frame: u64,
    },
    /// The desk went on with meters, or without, which nobody hears.
    Meter {
        /// The number of the program.
        serial: u64,
        /// With or without.
        on: bool,
        /// The frame at which that was taken up.
        frame: u64,
    },
    /// Something from outside reached the controls that listen to it.
    Control {
        /// The first frame that heard it.
        frame: u64,
        /// Where it came from.
        source: EventSource,
        /// What it said.
        value: f64,
    },
    /// Something was done to a keyboard, for the instruments that it plays.
    Note {
        /// The first frame that heard it.
        frame: u64,
        /// Which keyboard.
        source: EventSource,
        /// What was done.
        touch: Touch,
    },
    /// The transport took an order.
    Move {
        /// The first frame after it.
        frame: u64,
        /// Which.
        order: Move,
        /// The frame of the transport where it was.
        transport: u64,
    },
    /// A sound file did not come in time: for a quantum what it gives was silent.
    MediaLate {
        /// The quantum's first frame.
        frame: u64,
        /// What plays it: an index among the works of the program that ran.
        work: usize,
        /// Its path.
        path: String,
    },
    /// Live input did not come in time: what the engine then took for it is in the file of inputs.
    InputLate {
        /// The quantum's first frame.
        frame: u64,
    },
    /// Live inputs are heard from here on: what they heard is in the file of inputs.
    Inputs {
        /// The first frame in that file.
        frame: u64,
        /// Its channels: the device's.
        channels: usize,
    },
    /// Live input that was heard could not be kept: what follows is not what was heard.
    InputLost {
        /// The first frame that is missing.
        frame: u64,
        /// How many are.
        frames: u64,
    },
    /// Live inputs are not kept any more: what follows is not what was heard. Each further part says it again.
    InputsEnd {
        /// The first frame that is missing.
        frame: u64,
    },
    /// So much happened shortly before that nobody was told of all of it: of what follows the bits are not certain.
    ReportsLost {
        /// The last frame that was told of.
        frame: u64,
        /// How many reports are missing.
        reports: u64,
    },
    /// What is in a sound file that a text names.
    Media {
        /// Which file, as it was.
        #[serde(flatten)]
        stamp: Stamp,
        /// BLAKE3 of it, in hexadecimal.
        blake3: String,
    },
    /// A further part of the journal begins; the first line of that part, and only there.
    Part {
        /// Its number, counted from 1.
        number: usize,
        /// What is told before it lies before this frame, or at it, and so does all live input that is kept before.
        frame: u64,
    },
    /// It has come this far: everything that happened before this frame is in the lines above.
    Tick {
        /// The frame.
        frame: u64,
    },
    /// It was ended, and this is all of it.
    End {
        /// The frame.
        frame: u64,
        /// How long the master is, in frames from the transport's first on.
        frames: u64,
    },
}

impl Record {
    /// The frame that it speaks of, if any.
    pub fn frame(&self) -> Option<u64> {
        match self {
            // Inputs are written a little later than what else happens.
            Record::Header(_)
            | Record::Media { .. }
            | Record::Inputs { .. }
            | Record::InputLost { .. }
            | Record::InputsEnd { .. }
            | Record::Part { .. } => None,
            Record::Text(Text { frame, .. })
            | Record::Settle { frame, .. }
            | Record::Meter { frame, .. }
            | Record::Control { frame, .. }
            | Record::Note { frame, .. }
            | Record::Move { frame, .. }
            | Record::MediaLate { frame, .. }
            | Record::InputLate { frame }
            | Record::ReportsLost { frame, .. }
            | Record::Tick { frame }
            | Record::End { frame, .. } => Some(*frame),
        }
    }
}

/// How a performance began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The version of that program.
    pub program: String,
    /// The session's file, as a whole path. Sound files are looked for from its folder.
    pub session: PathBuf,
    /// When, in universal time: `2026-11-21T20:15:00Z`.
    pub started: String,
    /// Frames a second.
    pub rate: u32,
    /// From which noise and chance are drawn.
    pub seed: u64,
    /// Channels of the master.
    pub channels: usize,
}

/// A text that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The number of the program that it became; none when it is to the ear what played already.
    pub serial: Option<u64>,
    /// The frame at which it was taken up.
    pub frame: u64,
    /// The frame of the transport for which it was meant; at once without one.
    pub wanted: Option<u64>,
    /// The frame of the transport from which on it was heard.
    pub at: u64,
    /// The frame from which on it was heard.
    pub heard: u64,
    /// Its files, the session's first.
    pub files: Vec<KeptFile>,
    /// The prompt's lines, in order.
    pub lines: Vec<String>,
    /// How long its changes took, in milliseconds, which a line may be given beside what it says; none in a journal that was kept
    /// before this was, where it is as the text says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossfade: Option<f64>,
    /// How long a change of the tempo took, in milliseconds, which a line may be given in the same way; else it was at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tempo_over: f64,
    /// The sound files that it names.
    pub media: Vec<Stamp>,
    /// What it changed, by path.
    pub changes: Changes,
}

fn is_zero(ms: &f64) -> bool {
    *ms == 0.0
}

/// One file of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Where it was, from the session's folder.
    pub path: PathBuf,
    /// What it is called in the journal's `texts`.
    pub text: String,
    /// BLAKE3 of it, in hexadecimal; none in a journal that was kept before these were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// A file as it was at one time, by what its folder tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Where, as a whole path.
    pub path: PathBuf,
    /// Bytes; 0 if it was not there.
    pub length: u64,
    /// When it was last changed, in nanoseconds since 1970; 0 if nobody knows.
    pub modified: u64,
}

impl Stamp {
    /// The file as it is now.
    pub fn of(path: PathBuf) -> Stamp {
        let about = std::fs::metadata(&path).ok();
        let age = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = about.as_ref().and_then(|about| age(about.modified().ok()?)).map_or(0, |age| age.as_nanos());
        Stamp { path, length: about.map_or(0, |about| about.len()), modified: modified as u64 }
    }
}
