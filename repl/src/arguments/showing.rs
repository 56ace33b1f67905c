//! What may be said where something is looked at or made, and nothing sounds.

use std::path::PathBuf;

use clap::Args;

use super::values::{GraphFormat, Length, LiveInput, ThemeChoice, picture, report_file};

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
    /// The colours of the picture: as whoever looks has set their screen, or always light or dark
    #[arg(long, default_value = "auto", requires = "plot")]
    pub theme: ThemeChoice,
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
