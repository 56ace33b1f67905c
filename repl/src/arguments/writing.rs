//! What may be said where sound is written to files.

use std::path::PathBuf;

use clap::Args;
use engine::target::Target;

use super::values::{Depth, DitherChoice, Length, LiveInput, cue_file, sound_file, target};

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
