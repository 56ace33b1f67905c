//! The values that options take, and how each is written.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use engine::delivery::{self, Kind};
use engine::measure::Layout;
use engine::names::nearest;
use engine::target::{self, Target};
use engine::units::Clock;

/// A device, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// Silence, in time.
    None,
    /// The device of this name.
    Named(String),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("a device has a name; `gainstage devices` lists them".into()),
            "none" => Ok(DeviceChoice::None),
            name => Ok(DeviceChoice::Named(name.into())),
        }
    }
}

/// Where OSC is listened for, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OscChoice {
    /// Nowhere.
    None,
    /// At an address of this machine.
    At(SocketAddr),
}

impl FromStr for OscChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(OscChoice::None),
            address => address.parse().map(OscChoice::At).map_err(|_| {
                "an address is numbers and a port: 127.0.0.1:9000, [::1]:9000; 0.0.0.0:9000 hears the network".into()
            }),
        }
    }
}

/// The port of the page of `--show` unless another is said.
pub const PAGE_PORT: u16 = 7007;

/// Where the page is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowChoice {
    /// To this machine, at the usual port or one that is free.
    Here,
    /// At an address of this machine.
    At(SocketAddr),
}

impl fmt::Display for ShowChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShowChoice::Here => f.write_str("any port of this machine"),
            ShowChoice::At(address) => address.fmt(f),
        }
    }
}

/// An address to serve the page at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowAddress(pub SocketAddr);

impl FromStr for ShowAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let alone = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let alone = alone.map(|ip| SocketAddr::new(ip, PAGE_PORT));
        text.parse().or(alone).map(ShowAddress).map_err(|_| {
            "an address is numbers, with or without a port: 127.0.0.1:8000; 0.0.0.0:7000 shows it to the network; to \
             this machine alone --show needs none"
                .into()
        })
    }
}

/// A MIDI controller that sets a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidiMap {
    /// Its number.
    pub controller: u8,
    /// The channel that it sends on, from 1; any without.
    pub channel: Option<u8>,
    /// The parameter's path.
    pub path: String,
}

impl FromStr for MidiMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let map = || {
            let (controller, path) = text.split_once('=').filter(|(_, path)| !path.is_empty())?;
            let (controller, channel) = match controller.split_once(':') {
                Some((controller, channel)) => (controller, Some(channel.parse::<u8>().ok()?)),
                None => (controller, None),
            };
            let controller = controller.parse::<u8>().ok().filter(|controller| *controller < 120)?;
            if channel.is_some_and(|channel| !(1..=16).contains(&channel)) {
                return None;
            }
            Some(MidiMap { controller, channel, path: path.into() })
        };
        map().ok_or_else(|| {
            "a controller, 0 to 119, sets a path: 7=voice/fader.gain; on one channel, 1 to 16: 7:10=voice/fader.gain".into()
        })
    }
}

impl MidiMap {
    /// Whether it is meant by a controller of a channel.
    pub fn hears(&self, channel: u8, controller: u8) -> bool {
        self.controller == controller && self.channel.is_none_or(|own| own == channel)
    }
}

impl fmt::Display for MidiMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = self.channel.map_or(String::new(), |channel| format!(":{channel}"));
        write!(f, "{}{channel}={}", self.controller, self.path)
    }
}

/// Where a journal is kept, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalChoice {
    /// Nothing is kept.
    None,
    /// In this folder.
    In(PathBuf),
}

impl FromStr for JournalChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("a folder has a name".into()),
            "none" => Ok(JournalChoice::None),
            folder => Ok(JournalChoice::In(folder.into())),
        }
    }
}

/// How much sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// In seconds.
    Seconds(f64),
    /// In bars of the session.
    Bars(f64),
    /// In frames.
    Frames(u64),
}

impl Length {
    /// The length in frames of a session with this clock, to the nearest.
    pub fn frames(self, clock: &Clock) -> u64 {
        match self {
            Length::Seconds(seconds) => clock.frames(seconds * 1000.0),
            Length::Bars(bars) => clock.frames(bars * clock.beats_per_bar * clock.beat_ms()),
            Length::Frames(frames) => frames,
        }
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const LONGEST: f64 = 1e7;
        let number = |digits: &str| digits.parse::<f64>().ok().filter(|n| *n > 0.0 && *n <= LONGEST);
        let length = if let Some(bars) = text.strip_suffix("bars").or_else(|| text.strip_suffix("bar")) {
            number(bars).map(Length::Bars)
        } else if let Some(seconds) = text.strip_suffix('s') {
            number(seconds).map(Length::Seconds)
        } else if let Some(frames) = text.strip_suffix('f') {
            frames.parse().ok().filter(|n| *n > 0).map(Length::Frames)
        } else {
            None
        };
        length.ok_or_else(|| "a length is seconds, bars or frames: 30s, 16bars, 480000f".into())
    }
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// 16-bit integers, dithered.
    #[value(name = "16")]
    Int16,
    /// 24-bit integers, dithered.
    #[value(name = "24")]
    Int24,
    /// 32-bit floats.
    #[value(name = "32f")]
    Float32,
}

impl Depth {
    /// The same in the engine's words.
    pub fn engine(self) -> delivery::Depth {
        match self {
            Depth::Int16 => delivery::Depth::Int16,
            Depth::Int24 => delivery::Depth::Int24,
            Depth::Float32 => delivery::Depth::Float32,
        }
    }
}

/// How samples become integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DitherChoice {
    /// With triangular dither.
    Tpdf,
    /// With triangular dither and shaped noise.
    Shaped,
    /// Rounded.
    None,
}

/// How to show the signal flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For a terminal.
    Text,
    /// For a program.
    Json,
    /// A picture.
    Svg,
    /// A picture in pixels, to a file.
    Png,
    /// For Graphviz.
    Dot,
    /// For Mermaid, as Markdown shows it.
    Mermaid,
}

/// On what a picture is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeChoice {
    /// As whoever looks has set their screen.
    Auto,
    /// On white.
    Light,
    /// On black.
    Dark,
}

/// What a live input hears in a render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveInput {
    /// Silence: the input of this name, or every one.
    Silence(Option<String>),
    /// A sound file.
    File {
        /// The input.
        name: String,
        /// The file.
        file: PathBuf,
    },
}

impl FromStr for LiveInput {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "silence" => Ok(LiveInput::Silence(None)),
            Some((name, "silence")) if !name.is_empty() => Ok(LiveInput::Silence(Some(name.into()))),
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(LiveInput::File { name: name.into(), file: file.into() })
            }
            _ => Err("an input is given a file or silence: voice=take.wav, voice=silence, silence".into()),
        }
    }
}

pub(super) fn ceiling(text: &str) -> Result<f64, String> {
    let level = text.parse::<f64>().ok().filter(|db| (-60.0..=24.0).contains(db));
    level.ok_or_else(|| "a level is from -60 to 24 dBFS".into())
}

pub(super) fn level(text: &str) -> Result<f64, String> {
    let level = text.parse::<f64>().ok().filter(|db| (-60.0..=0.0).contains(db));
    level.ok_or_else(|| "a level is from -60 to 0 dBFS".into())
}

/// Hz: `20`, `20k`, `20kHz`, `20.kHz`.
pub(super) fn frequency(text: &str) -> Result<f64, String> {
    let bare = text.strip_suffix("Hz").unwrap_or(text);
    let (digits, scale) = bare.strip_suffix('k').map_or((bare, 1.0), |digits| (digits, 1000.0));
    let freq = digits.parse::<f64>().ok().map(|n| n * scale).filter(|hz| (1.0..=20_000.0).contains(hz));
    freq.ok_or_else(|| "a frequency is from 1 Hz to 20 kHz: 20, 20k".into())
}

/// Seconds: `10s`, `10.s`, `500ms`.
pub(super) fn time(text: &str) -> Result<f64, String> {
    let number = |digits: &str| digits.parse::<f64>().ok();
    let seconds = match text.strip_suffix("ms") {
        Some(digits) => number(digits).map(|ms| ms / 1000.0),
        None => text.strip_suffix('s').and_then(number),
    };
    let seconds = seconds.filter(|seconds| (0.05..=120.0).contains(seconds));
    seconds.ok_or_else(|| "a time is from 50ms to 120s".into())
}

/// One of the channels that a session may name.
pub(super) fn channel() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=64)
}

pub(super) fn layout(name: &str) -> Result<Layout, String> {
    let names = || Layout::names().collect::<Vec<_>>().join(", ");
    Layout::named(name).ok_or_else(|| format!("there are {}", names()))
}

pub(super) fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_picture = path.extension().is_some_and(|ending| ending == "svg" || ending == "png");
    is_picture.then_some(path).ok_or_else(|| "the name ends in .svg or .png".into())
}

/// A file that can be delivered to, by its ending.
///
/// # Errors
/// It ends otherwise.
pub fn sound_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    Kind::of(&path).map(|_| path).ok_or_else(|| "the name ends in .wav or .flac".into())
}

pub(super) fn cue_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_cue = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("cue"));
    is_cue.then_some(path).ok_or_else(|| "the name ends in .cue".into())
}

/// A file that can be recorded to, by its ending.
///
/// # Errors
/// It ends otherwise.
pub fn wav_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    (Kind::of(&path) == Some(Kind::Wav)).then_some(path).ok_or_else(|| "the name ends in .wav".into())
}

pub(super) fn target(text: &str) -> Result<&'static Target, String> {
    target::find(text).ok_or_else(|| {
        let names = || target::all().iter().map(|target| target.name);
        match nearest(text, names()) {
            Some(near) => format!("there is no such target; did you mean {near}?"),
            None => format!("there is no such target; there are {}", names().collect::<Vec<_>>().join(", ")),
        }
    })
}

pub(super) fn report_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let known = path.extension().is_some_and(|ending| ending == "json" || ending == "xml");
    known.then_some(path).ok_or_else(|| "the name ends in .json or .xml".into())
}
