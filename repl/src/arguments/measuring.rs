//! What may be said where sound, a room or gear is measured.

use std::path::PathBuf;

use clap::Args;
use engine::measure::Layout;
use engine::target::Target;

use super::values::{
    DeviceChoice, Length, LiveInput, ThemeChoice, channel, frequency, layout, level, picture, target, time,
};

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
    /// Draw loudness over time, the spectrum and the stereo field of one file or session; of two, before and after an edit,
    /// loudness and spectrum over each other and what the second has more in each third of an octave, without the stereo
    /// field. A session's target is drawn too
    #[arg(long, value_name = "FILE.svg|FILE.png", value_parser = picture)]
    pub plot: Option<PathBuf>,
    /// The colours of the picture: as whoever looks has set their screen, or always light or dark
    #[arg(long, default_value = "auto", requires = "plot")]
    pub theme: ThemeChoice,
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
    /// The colours of the picture: as whoever looks has set their screen, or always light or dark
    #[arg(long, default_value = "auto")]
    pub theme: ThemeChoice,
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
