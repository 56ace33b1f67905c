//! What may be said where a desk plays, or one that plays is told something.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::values::{
    DeviceChoice, JournalChoice, Length, MidiMap, OscChoice, ShowAddress, ShowChoice, ceiling, wav_file,
};

/// What follows the options of `play`.
pub const AFTER_PLAY: &str = "\
Save the file, and what has changed is heard. At a terminal lines can be typed: each is added to what plays, \
and `:help` lists what can be ordered. `gainstage tell` does the same from an editor. Ctrl-C fades out.

Examples:
  gainstage play examples/first.rhai
  gainstage play session.rhai --device none --length 16bars --record take.wav
  gainstage play session.rhai --midi-map 7=voice/fader.gain --max-level -12";

/// What follows the options of `learn`.
pub const AFTER_LEARN: &str = "\
Alone, it goes on where you were. A lesson is a session in a folder of yours: open it in any editor, save, and listen; \
the terminal says how far it is from what the step wants, and goes on. What you write is never overwritten.

Examples:
  gainstage learn
  gainstage learn pan
  gainstage learn pan --show
  gainstage learn 3 --restart
  gainstage learn --markdown > lessons.md";

/// What the options of `play` are about.
const DEVICES: &str = "Devices";
const RECORDING: &str = "Recording";
const CONTROLLERS: &str = "Controllers";

/// `gainstage play`.
#[derive(Debug, Args)]
pub struct Play {
    /// The session to play
    pub session: PathBuf,
    /// The device to play to, as `gainstage devices` names it; "none" keeps time in silence. One that goes away is played to
    /// again when it is back
    #[arg(long, value_name = "NAME|none", help_heading = DEVICES)]
    pub device: Option<DeviceChoice>,
    /// The device to listen to; "none" is silence
    #[arg(long, value_name = "NAME|none", help_heading = DEVICES)]
    pub input: Option<DeviceChoice>,
    /// Frames to ask the device for at a time
    #[arg(long, value_name = "FRAMES", help_heading = DEVICES, default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub buffer: u32,
    /// The highest level that may reach the device, in dBFS; what is recorded or rendered never passes it
    #[arg(long, value_name = "DB", help_heading = DEVICES, default_value_t = 0.0, allow_negative_numbers = true, value_parser = ceiling)]
    pub max_level: f64,
    /// Write what is heard to a file while it plays; nothing that is there already is overwritten
    #[arg(long, value_name = "FILE.wav", help_heading = RECORDING, value_parser = wav_file)]
    pub record: Option<PathBuf>,
    /// Write one file for each signal plugged into the master while it plays
    #[arg(long, value_name = "DIR", help_heading = RECORDING)]
    pub record_stems: Option<PathBuf>,
    /// Write one file for each live input, as it comes in, while it plays
    #[arg(long, value_name = "DIR", help_heading = RECORDING)]
    pub record_inputs: Option<PathBuf>,
    /// The folder in which a journal of the performance is kept, live inputs too, for `gainstage replay`; the user's state
    /// directory unless said; "none" keeps nothing
    #[arg(long, value_name = "DIR|none", help_heading = RECORDING)]
    pub journal: Option<JournalChoice>,
    /// How long a part of the journal is; the next begins with a checkpoint
    #[arg(long, value_name = "TIME", default_value = "3600s", hide = true)]
    pub journal_part: Length,
    /// The most bytes that journals take in their folder
    #[arg(long, value_name = "BYTES", hide = true)]
    pub journal_room: Option<u64>,
    /// Serve a page that shows the desk as it plays, for a browser on this machine; with an address for a network as well, where
    /// only who has the address that it tells, which holds a secret token, gets anything: 0.0.0.0:7000 for all of a class
    #[arg(long, value_name = "ADDRESS[:PORT]", num_args = 0..=1)]
    pub show: Option<Option<ShowAddress>>,
    /// Listen for OSC at this address; "none" listens to nobody. Only this machine is heard unless an address of its network
    /// is given
    #[arg(long, value_name = "ADDRESS:PORT|none", help_heading = CONTROLLERS, default_value = "127.0.0.1:9000")]
    pub osc: OscChoice,
    /// The MIDI port to listen to, as `gainstage devices` names it; all of them unless said, once something is to be heard
    #[arg(long, value_name = "NAME|none", help_heading = CONTROLLERS)]
    pub midi: Option<DeviceChoice>,
    /// Let a MIDI controller set a parameter, over its whole range; a level that goes down to silence as on a fader, off to
    /// +6 dB with unity at 99 of 127; may be given for each
    #[arg(long, value_name = "CC[:CHANNEL]=PATH", help_heading = CONTROLLERS)]
    pub midi_map: Vec<MidiMap>,
    /// Stop after this long
    #[arg(long, value_name = "30s|16bars|FRAMESf")]
    pub length: Option<Length>,
    /// While the session has errors, play the last text of it that had none
    #[arg(long)]
    pub last_good: bool,
    /// Give no prompt, even on a terminal
    #[arg(long)]
    pub no_prompt: bool,
    /// Write plain lines alone, for a screen reader or an editor: no colours, nothing drawn over, lines read from standard
    /// input as they come; its end, and Ctrl-C, end it
    #[arg(long, conflicts_with = "no_prompt")]
    pub plain: bool,
}

impl Play {
    /// Where the page is served, if it is.
    pub fn show_choice(&self) -> Option<ShowChoice> {
        let asked = self.show?;
        Some(asked.map_or(ShowChoice::Here, |ShowAddress(address)| ShowChoice::At(address)))
    }
}

/// `gainstage learn`.
#[derive(Debug, Args)]
pub struct Learn {
    /// The lesson, by its number or its name; the one to go on with unless said
    pub lesson: Option<String>,
    /// List the lessons, and how far each is
    #[arg(long, conflicts_with_all = ["lesson", "restart", "markdown"])]
    pub list: bool,
    /// Begin the lesson anew, or all of them; what was written in it is put aside
    #[arg(long, conflicts_with = "markdown")]
    pub restart: bool,
    /// Print the lesson as a page to read, or all of them
    #[arg(long)]
    pub markdown: bool,
    /// The folder that lessons are put into; the one of the last time, or ./gainstage-lessons, unless said
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The device to play to, as `gainstage devices` names it; "none" keeps time in silence
    #[arg(long, value_name = "NAME|none")]
    pub device: Option<DeviceChoice>,
    /// Serve a page that shows the lesson as it plays, as `gainstage play --show` does
    #[arg(long, value_name = "ADDRESS[:PORT]", num_args = 0..=1)]
    pub show: Option<Option<ShowAddress>>,
    /// Stop after this long
    #[arg(long, value_name = "30s|16bars|FRAMESf")]
    pub length: Option<Length>,
    /// Give no prompt, even on a terminal: one lesson goes over into the next by itself
    #[arg(long)]
    pub no_prompt: bool,
    /// Write plain lines alone, as `gainstage play --plain` does
    #[arg(long, conflicts_with = "no_prompt")]
    pub plain: bool,
    /// More options of `gainstage play`, behind a `--` of their own
    #[arg(last = true, value_name = "OPTIONS")]
    pub more: Vec<OsString>,
}

/// `gainstage tell`.
#[derive(Debug, Args)]
pub struct Tell {
    /// The line, or a `:command`; without it, or as "-", what is read from standard input: several statements are taken up
    /// together, or not at all
    pub line: Option<String>,
    /// Tell what is in this file; "-" is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "line")]
    pub file: Option<PathBuf>,
    /// The session of the desk that is meant, where several play
    #[arg(long, value_name = "FILE")]
    pub session: Option<PathBuf>,
}
