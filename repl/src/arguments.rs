//! What may be written after `gainstage`: each option once, from which parsing and help are made.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use engine::measure::Layout;
use engine::target::Target;

mod values;

pub use values::{
    Depth, DeviceChoice, DitherChoice, GraphFormat, JournalChoice, Length, LiveInput, MidiMap, OscChoice, PAGE_PORT,
    ShowAddress, ShowChoice, ThemeChoice, sound_file, wav_file,
};
use values::{ceiling, channel, cue_file, frequency, layout, level, picture, report_file, target, time};

/// A live-coded mixing and mastering desk.
#[derive(Debug, Parser)]
#[command(name = "gainstage", version, about, propagate_version = true, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play a session and follow its edits
    #[command(after_help = AFTER_PLAY)]
    Play(Play),
    /// Render a session to a file, to the same bits that are heard
    Render(Render),
    /// Tell what is wrong with sessions, without playing them
    Check(Check),
    /// Show how sound flows through a session
    Graph(Graph),
    /// List the sound devices and MIDI ports that can be opened
    Devices(Devices),
    /// Show the words that sessions are made of
    Words(Words),
    /// Play a performance again from its journal, to a file, to the same bits that were heard
    Replay(Replay),
    /// Measure sound files: loudness, peaks, dynamics, and how far they are from what a medium wants
    Measure(Measure),
    /// Measure a room or a piece of gear: its response, how it rings on, what it adds
    Sweep(Sweep),
    /// Measure the way out through a piece of gear and back, for `insert(...).latency(...)`
    Ping(Ping),
    /// Make a folder with a first session that plays at once
    New(New),
    /// Learn to mix: lessons that play, and tell how far an edit is from what they want
    #[command(after_help = AFTER_LEARN)]
    Learn(Learn),
    /// Tell the desk that plays a line, or a block of them, as if it was typed at its prompt
    Tell(Tell),
    /// Print what a shell needs to complete these commands
    Completions(Completions),
    /// Write the man pages of these commands into a folder
    Man(Manual),
}

/// What follows the options of `play`.
const AFTER_PLAY: &str = "\
Save the file, and what has changed is heard. At a terminal lines can be typed: each is added to what plays, \
and `:help` lists what can be ordered. `gainstage tell` does the same from an editor. Ctrl-C fades out.

Examples:
  gainstage play examples/first.rhai
  gainstage play session.rhai --device none --length 16bars --record take.wav
  gainstage play session.rhai --midi-map 7=voice/fader.gain --max-level -12";

/// What follows the options of `learn`.
const AFTER_LEARN: &str = "\
Alone, it goes on where you were. A lesson is a session in a folder of yours: open it in any editor, save, and listen; \
the terminal says how far it is from what the step wants, and goes on. What you write is never overwritten.

Examples:
  gainstage learn
  gainstage learn pan
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
    /// everything takes the word that stands in the address it tells: 0.0.0.0:7000 for all of a class
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

/// `gainstage render`.
#[derive(Debug, Args)]
pub struct Render {
    /// The session to render
    pub session: PathBuf,
    /// The file to write: its ending, .wav or .flac, says which kind
    #[arg(short = 'o', value_name = "FILE", value_parser = sound_file, required_unless_present_any = ["stems", "tracks"])]
    pub file: Option<PathBuf>,
    /// Which output to write, counted from the one with the lowest channels
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub output: u32,
    /// How much to render; without it, to the end of the last clip and its tail
    #[arg(long, value_name = "30s|16bars|FRAMESf")]
    pub length: Option<Length>,
    /// Resample the result to this rate
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8000..=384_000))]
    pub rate: Option<u32>,
    /// The depth of samples; 24 unless said, 32f for stems
    #[arg(long)]
    pub bits: Option<Depth>,
    /// Write one file for each signal plugged into the master
    #[arg(long, value_name = "DIR")]
    pub stems: Option<PathBuf>,
    /// Take the stems of this bus instead of the master
    #[arg(long, value_name = "BUS", requires = "stems")]
    pub stems_of: Option<String>,
    /// Write one file for each track of the session's album, FLAC unless -o says .wav; end to end they are the whole
    #[arg(long, value_name = "DIR")]
    pub tracks: Option<PathBuf>,
    /// Write a cue sheet of the file: where its tracks begin, in frames of a CD, 75 a second
    #[arg(long, value_name = "FILE.cue", requires = "file", value_parser = cue_file)]
    pub cue: Option<PathBuf>,
    /// The media to deliver to, by name: each gets the master at its own rate and depth, turned up or down as a whole to its
    /// loudness. With several, files are called FILE-TARGET
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = target, conflicts_with = "stems")]
    pub target: Vec<&'static Target>,
    /// Write the files even where a target cannot be reached
    #[arg(long, requires = "target")]
    pub force: bool,
    /// Measure mono as it is heard from two loudspeakers, 3 LU louder
    #[arg(long)]
    pub dual_mono: bool,
    /// How samples become integers: with triangular dither, with dither whose noise lies where the ear hears least, or
    /// rounded
    #[arg(long, default_value = "tpdf")]
    pub dither: DitherChoice,
    /// What a live input hears; may be given for each
    #[arg(long, value_name = "NAME=FILE|silence")]
    pub input: Vec<LiveInput>,
}

/// `gainstage replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// The journal, or a folder of journals, of which the newest is taken; without it, the newest that `play` kept
    pub journal: Option<PathBuf>,
    /// The file to write: its ending, .wav or .flac, says which kind
    #[arg(short = 'o', value_name = "FILE", value_parser = sound_file, required_unless_present_any = ["stems", "list", "checkpoint"])]
    pub file: Option<PathBuf>,
    /// Write one file for each signal that was plugged into the master
    #[arg(long, value_name = "DIR")]
    pub stems: Option<PathBuf>,
    /// Begin here instead of at the beginning
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub from: Option<Length>,
    /// End here instead of at the end
    #[arg(long, value_name = "TIME")]
    pub until: Option<Length>,
    /// Write only so much of the end: what was just played
    #[arg(long, value_name = "TIME")]
    pub last: Option<Length>,
    /// The depth of samples; unless said, 32f for .wav, as it was recorded, and 24 for .flac
    #[arg(long)]
    pub bits: Option<Depth>,
    /// Leave out the gaps that were heard where a sound file had not come in time
    #[arg(long)]
    pub clean: bool,
    /// Show the performance as a list of what happened, and write no sound
    #[arg(long, conflicts_with_all = ["file", "stems", "bits", "clean"])]
    pub list: bool,
    /// Print the list as an array of objects
    #[arg(long, requires = "list")]
    pub json: bool,
    /// Let everything else on the machine go first
    #[arg(long, hide = true)]
    pub modest: bool,
    /// Follow what is played until this part of its journal begins with a checkpoint: what `play` does beside itself
    #[arg(long, value_name = "PART", hide = true, conflicts_with_all = ["file", "stems", "list"])]
    pub checkpoint: Option<usize>,
}

/// `gainstage measure`.
#[derive(Debug, Args)]
pub struct Measure {
    /// The sound files to measure, and the sessions, which are rendered for it, by their ending .rhai; - reads standard input, of
    /// which the figures so far are given at Ctrl-C
    #[arg(required_unless_present = "targets", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// List the media that there are, and what they want
    #[arg(long, conflicts_with_all = ["files", "target", "album", "dual_mono", "layout", "length", "input", "plot"])]
    pub targets: bool,
    /// Judge by what media want: pass or fail for each thing, and what to do; exit status 1 when one fails
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = target)]
    pub target: Vec<&'static Target>,
    /// Give the figures of all files as one, too, as those of an album
    #[arg(long)]
    pub album: bool,
    /// Measure mono as it is heard from two loudspeakers: 3 LU more
    #[arg(long)]
    pub dual_mono: bool,
    /// Where the channels' loudspeakers stand, if the file does not say: mono, stereo, 3.0, quad, 5.0, 5.1, 7.0, 7.1, 5.1.4 or
    /// 7.1.4
    #[arg(long, value_name = "NAME", value_parser = layout)]
    pub layout: Option<Layout>,
    /// Measure no more than this of each; a session that never ends needs it. Only sessions have bars
    #[arg(long, value_name = "30s|16bars|FRAMESf")]
    pub length: Option<Length>,
    /// What a live input of a session hears; may be given for each
    #[arg(long, value_name = "NAME=FILE|silence")]
    pub input: Vec<LiveInput>,
    /// Draw loudness over time, the spectrum and the stereo field of one file or session; of two, before and after an edit, both
    /// over each other and the difference. A session's target is drawn too
    #[arg(long, value_name = "FILE.svg|FILE.png", value_parser = picture)]
    pub plot: Option<PathBuf>,
    /// Print an array of objects, one for each file
    #[arg(long)]
    pub json: bool,
}

/// `gainstage sweep`.
#[derive(Debug, Args)]
pub struct Sweep {
    /// What is written: NAME.wav, the impulse response; NAME.json, the figures; NAME.svg, the picture
    #[arg(short = 'o', value_name = "NAME")]
    pub name: PathBuf,
    /// The frequency at which the sweep begins
    #[arg(long, value_name = "HZ", default_value = "20", value_parser = frequency)]
    pub from: f64,
    /// The frequency at which it ends
    #[arg(long, value_name = "HZ", default_value = "20k", value_parser = frequency)]
    pub to: f64,
    /// How long it takes: a longer one stands further out of the noise
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pub time: f64,
    /// How long to listen on: longer than what rings
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = time)]
    pub tail: f64,
    /// Its peak in dBFS
    #[arg(long, value_name = "DB", default_value_t = -12.0, allow_negative_numbers = true, value_parser = level)]
    pub level: f64,
    /// The session whose response is measured, without a sound card: its live inputs hear the sweep, and what leaves by its
    /// first output is what comes back
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["output", "input", "device", "input_device", "buffer", "rate"])]
    pub through: Option<PathBuf>,
    /// The device's channels to play it to
    #[arg(long, value_name = "CHANNELS", default_value = "1,2", value_delimiter = ',', value_parser = channel())]
    pub output: Vec<u16>,
    /// The device's channels to listen to: each is measured
    #[arg(long, value_name = "CHANNELS", default_value = "1", value_delimiter = ',', value_parser = channel())]
    pub input: Vec<u16>,
    /// The way to the devices
    #[command(flatten)]
    pub way: Way,
}

/// `gainstage ping`.
#[derive(Debug, Args)]
pub struct Ping {
    /// The device's channels to play to, as the insert's
    #[arg(long, value_name = "CHANNELS", required = true, value_delimiter = ',', value_parser = channel())]
    pub output: Vec<u16>,
    /// The device's channel to listen to
    #[arg(long, value_name = "CHANNEL", required = true, value_parser = channel())]
    pub input: u16,
    /// How often; the devices are opened anew each time, and only where all of them agree does the figure hold at every start
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub times: u32,
    /// The peak of what is played, in dBFS
    #[arg(long, value_name = "DB", default_value_t = -24.0, allow_negative_numbers = true, value_parser = level)]
    pub level: f64,
    /// The way to the devices
    #[command(flatten)]
    pub way: Way,
}

/// The way to a device and back.
#[derive(Clone, Debug, Args)]
pub struct Way {
    /// The device to play to, as `gainstage devices` names it
    #[arg(long, value_name = "NAME")]
    pub device: Option<DeviceChoice>,
    /// The device to listen to
    #[arg(long, value_name = "NAME")]
    pub input_device: Option<DeviceChoice>,
    /// Frames to ask the devices for at a time, as `gainstage play` does
    #[arg(long, value_name = "FRAMES", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub buffer: u32,
    /// Frames a second
    #[arg(long, value_name = "HZ", default_value_t = 48_000, value_parser = clap::value_parser!(u32).range(8000..=384_000))]
    pub rate: u32,
}

/// `gainstage check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The sessions to check
    #[arg(required = true)]
    pub sessions: Vec<PathBuf>,
    /// Print an array of objects: file, line, column, severity, code, message, help
    #[arg(long)]
    pub json: bool,
    /// Render what is right as well, and hold it to what it expects of its figures and to its target
    #[arg(long)]
    pub render: bool,
    /// How much to render; without it, to the end of the last clip and its tail
    #[arg(long, value_name = "30s|16bars|FRAMESf", requires = "render")]
    pub length: Option<Length>,
    /// What a live input hears; may be given for each
    #[arg(long, value_name = "NAME=FILE|silence", requires = "render")]
    pub input: Vec<LiveInput>,
    /// Write what was expected and what was found, all of it, as JSON, or as JUnit XML for those who run tests; may be given
    /// for each
    #[arg(long, value_name = "FILE.json|FILE.xml", value_parser = report_file, requires = "render")]
    pub report: Vec<PathBuf>,
}

/// `gainstage graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// The session to show
    pub session: PathBuf,
    /// How to show it; unless said, as the ending of FILE has it, and as text without one
    #[arg(long)]
    pub format: Option<GraphFormat>,
    /// Write it to a file: .svg, .png, .dot, .mmd, .json or .txt say what is written
    #[arg(short = 'o', value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The colours of a picture
    #[arg(long, default_value = "auto")]
    pub theme: ThemeChoice,
    /// Show each strip, where a picture has one box for many that go the same ways
    #[arg(long)]
    pub unfold: bool,
    /// Show when what is heard: bars across, its sections, and a row for each input
    #[arg(long)]
    pub timeline: bool,
}

/// `gainstage devices`.
#[derive(Debug, Args)]
pub struct Devices {
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

/// `gainstage words`.
#[derive(Debug, Args)]
pub struct Words {
    /// One word, in full; with --plot an effect, as its word or as a session says it: "eq().bell(1.kHz, 6)"
    pub word: Option<String>,
    /// Draw what the effect does: level over frequency, level against level, or level over time, measured from itself; to
    /// WORD.svg here unless a file is said
    #[arg(long, value_name = "FILE.svg|FILE.png", num_args = 0..=1, value_parser = picture, requires = "word", conflicts_with_all = ["json", "markdown"])]
    pub plot: Option<Option<PathBuf>>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
    /// Print the reference page
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// `gainstage new`.
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make
    pub dir: PathBuf,
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

/// `gainstage completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `gainstage man`.
#[derive(Debug, Args)]
pub struct Manual {
    /// The folder, made if it is not there, such as ~/.local/share/man/man1
    pub dir: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::delivery::Kind;
    use engine::units::Clock;
    use std::path::Path;

    use clap::CommandFactory;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Command, ErrorKind> {
        Arguments::try_parse_from(line.split(' ')).map(|a| a.command).map_err(|error| error.kind())
    }

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_length_is_seconds_bars_or_frames() {
        let clock = Clock { rate: 48_000.0, tempo: 96.0, beats_per_bar: 4.0 };
        let frames = |text: &str| text.parse::<Length>().map(|length| length.frames(&clock));
        assert_eq!(frames("30s"), Ok(1_440_000));
        assert_eq!(frames("0.5s"), Ok(24_000));
        assert_eq!(frames("4bars"), Ok(480_000));
        assert_eq!(frames("1bar"), Ok(120_000));
        assert_eq!(frames("123f"), Ok(123));
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in ["", "30", "s", "-1s", "0s", "0f", "1.5f", "NaNs", "infs", "1e99s", "bars", "3 apples"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_live_input_hears_a_file_or_silence() {
        let input = |text: &str| text.parse::<LiveInput>().ok();
        assert_eq!(input("silence"), Some(LiveInput::Silence(None)));
        assert_eq!(input("voice=silence"), Some(LiveInput::Silence(Some("voice".into()))));
        let file = LiveInput::File { name: "voice".into(), file: "a=b.wav".into() };
        assert_eq!(input("voice=a=b.wav"), Some(file));
        assert_eq!((input("voice"), input("=x.wav"), input("voice=")), (None, None, None));
    }

    #[test]
    fn a_sweep_is_told_in_hertz_and_seconds_and_lists_of_channels() {
        let sweep = |more: &str| match parse(&format!("gainstage sweep -o room{more}")) {
            Ok(Command::Sweep(sweep)) => Some(sweep),
            _ => None,
        };
        let plain = sweep("").expect("nothing more is needed");
        assert_eq!((plain.from, plain.to, plain.time, plain.level), (20.0, 20_000.0, 10.0, -12.0));
        assert_eq!((plain.output, plain.input), (vec![1, 2], vec![1]));
        let told = sweep(" --from 100Hz --to 8.kHz --time 500ms --output 3,4 --input 7,8").expect("it is right");
        assert_eq!((told.from, told.to, told.time), (100.0, 8000.0, 0.5));
        assert_eq!((told.output, told.input), (vec![3, 4], vec![7, 8]));
        for wrong in [" --from 0", " --to 21k", " --time 10", " --level 3", " --output 0", " --through a --input 2"] {
            assert!(sweep(wrong).is_none(), "{wrong}");
        }
        assert!(parse("gainstage ping --output 3").is_err() && parse("gainstage ping --output 3 --input 3").is_ok());
    }

    #[test]
    fn osc_is_listened_for_at_an_address_of_numbers_or_nowhere() {
        let osc = |text: &str| text.parse::<OscChoice>().ok();
        assert_eq!(osc("none"), Some(OscChoice::None));
        assert_eq!(osc("0.0.0.0:9001"), Some(OscChoice::At(([0, 0, 0, 0], 9001).into())));
        assert_eq!((osc("9000"), osc("localhost:9000"), osc("127.0.0.1:70000")), (None, None, None));
    }

    #[test]
    fn a_controller_sets_a_path_on_one_channel_or_all() {
        let map = |text: &str| text.parse::<MidiMap>().ok().map(|map| (map.controller, map.channel, map.path));
        assert_eq!(map("7=voice/fader.gain"), Some((7, None, "voice/fader.gain".into())));
        assert_eq!(map("119:16=a=b"), Some((119, Some(16), "a=b".into())));
        for wrong in ["", "7", "7=", "=x", "120=x", "-1=x", "7:0=x", "7:17=x", "7:=x", "x=7"] {
            assert_eq!(map(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_ending_says_what_is_written() {
        assert_eq!(Kind::of(Path::new("a/b.WAV")), Some(Kind::Wav));
        assert_eq!(Kind::of(Path::new("b.flac")), Some(Kind::Flac));
        assert_eq!(Kind::of(Path::new("b.mp3")), None);
        assert!(parse("gainstage render a.rhai -o b.mp3").is_err());
        assert!(parse("gainstage play a.rhai --record b.flac").is_err());
    }

    #[test]
    fn a_render_needs_somewhere_to_go() {
        assert_eq!(parse("gainstage render a.rhai").unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert!(parse("gainstage render a.rhai --stems out").is_ok());
        assert_eq!(
            parse("gainstage render a.rhai -o b.wav --stems-of drums").unwrap_err(),
            ErrorKind::MissingRequiredArgument
        );
    }

    #[test]
    fn the_highest_level_is_full_scale_unless_said_and_never_out_of_range() {
        let level = |more: &str| match parse(&format!("gainstage play a.rhai{more}")) {
            Ok(Command::Play(play)) => Some(play.max_level),
            _ => None,
        };
        assert_eq!(
            (level(""), level(" --max-level -12.5"), level(" --max-level 24")),
            (Some(0.0), Some(-12.5), Some(24.0))
        );
        for wrong in ["-61", "25", "NaN", "inf", "loud", "-6dB"] {
            assert_eq!(level(&format!(" --max-level {wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn depths_are_named_as_they_are_written() {
        let bits = |text: &str| match parse(&format!("gainstage render a.rhai -o b.wav --bits {text}")) {
            Ok(Command::Render(render)) => render.bits,
            _ => None,
        };
        assert_eq!(bits("16"), Some(Depth::Int16));
        assert_eq!(bits("24"), Some(Depth::Int24));
        assert_eq!(bits("32f"), Some(Depth::Float32));
        assert_eq!(bits("32"), None);
    }

    #[test]
    fn a_device_is_named_or_none() {
        let device = |text: &str| match parse(&format!("gainstage play a.rhai --device {text}")) {
            Ok(Command::Play(play)) => play.device,
            _ => None,
        };
        assert_eq!(device("none"), Some(DeviceChoice::None));
        assert_eq!(device("alsa:hw:0"), Some(DeviceChoice::Named("alsa:hw:0".into())));
    }
}
