//! What there is to see of a desk, as plain data.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use engine::session::{Place, PlaceKind, Session};
use serde::Serialize;

use super::past::Past;
use super::{EDITS, TOLD, sound};
use crate::levels::Picture;

/// The most letters of one thing that was told.
const LETTERS: usize = 4000;

/// What stands for no level at all, in tenths.
pub const NOTHING: i32 = -9999;

/// A figure in tenths.
pub fn tenths(figure: Option<f64>) -> i32 {
    figure.filter(|figure| figure.is_finite()).map_or(NOTHING, |figure| (figure * 10.0).round() as i32)
}

/// Everything that there is to see. What stays the same is shared, not copied.
#[derive(Clone)]
pub struct Seen {
    /// What tells this run of the desk from another.
    pub desk: String,
    /// What moves.
    pub moment: Arc<Moment>,
    /// The text, as an object of JSON, and how often it was another.
    pub text: (u64, Arc<str>),
    /// The lines that were typed behind it, in the same way.
    pub typed: (u64, Arc<str>),
    /// The picture of what is heard, and how often something of it was drawn.
    pub picture: (u64, Arc<Drawing>),
    /// How loud the master was, since the desk plays.
    pub past: Arc<Past>,
    /// What was changed last, with numbers from 1.
    pub edits: VecDeque<(u64, Arc<Edit>)>,
    /// What was told last, with numbers from 1.
    pub told: VecDeque<(u64, Arc<str>)>,
}

/// The picture of what is heard.
#[derive(Clone, Default)]
pub struct Drawing {
    /// As SVG in each way in which it is drawn, each with a number by which it is told from others.
    pub pictures: BTreeMap<Manner, (u64, Arc<str>)>,
    /// The paths that they show.
    pub paths: Vec<String>,
}

/// In what way a picture is looked at: without more, as somebody near sees it, with strips that are alike as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manner {
    /// Whether who looks sits far away.
    pub is_far: bool,
    /// Whether each strip is shown by itself, however many there are.
    pub is_unfolded: bool,
}

/// What an edit has done, by path.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Edit {
    /// The same in words.
    pub words: String,
    /// What is new.
    pub added: Vec<String>,
    /// What glides to other values, and for how many seconds.
    pub ramped: Vec<(String, f64)>,
    /// What begins anew under the name that it had.
    pub anew: Vec<String>,
    /// What is gone, or going.
    pub removed: Vec<String>,
}

/// An input, a bus or the master, as it is declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Strip {
    /// Its name.
    pub name: String,
    /// `input`, `bus` or `master`.
    pub kind: &'static str,
    /// Whether the text mutes it.
    pub muted: bool,
    /// Whether the text solos it.
    pub soloed: bool,
    /// Whether the solo of others silences it.
    pub left_out: bool,
}

/// Of which kind each of a session's strips is.
pub fn kinds(session: &Session) -> BTreeMap<&str, &'static str> {
    let kind = |place: &Place| match &place.kind {
        PlaceKind::Input(_) => "input",
        _ if place.name == "master" => "master",
        _ => "bus",
    };
    session.places.iter().map(|place| (place.name.as_str(), kind(place))).collect()
}

/// What moves, at one moment.
#[derive(Default)]
pub struct Moment {
    /// How many there were before.
    pub number: u64,
    /// The strips, in the order of `levels`: inputs, buses, the master.
    pub strips: Vec<Strip>,
    /// What the desk's meters show.
    pub meters: Picture,
    /// Levels of what else is drawn and has a meter, by path.
    pub levels: Vec<(String, Level)>,
    /// Beats in a bar.
    pub beats: u32,
    /// The name of the section that is on.
    pub section: Option<String>,
    /// What the text is meant for: its name and its loudness in LUFS.
    pub target: Option<(String, Option<f64>)>,
    /// Frames a second.
    pub rate: u32,
    /// What is said of files that hold nothing.
    pub absent: Vec<String>,
    /// The newest sound of what is looked at closely, and its figures; none of what is not heard.
    pub sounds: BTreeMap<String, Option<Sound>>,
}

/// A level, as a needle shows it: in dBFS, and by how many dB it is turned down there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// The peak.
    pub peak: Option<f64>,
    /// The root mean square.
    pub rms: Option<f64>,
    /// By how much an effect turns down.
    pub reduced: f64,
}

/// The newest of a sound that is looked at closely.
#[derive(Clone, Debug, Default)]
pub struct Sound {
    /// Its channels, the oldest sample first.
    pub channels: Vec<Vec<f32>>,
    /// Momentary, short-term and integrated loudness in LUFS, and the true peak in dBTP.
    pub loudness: [Option<f64>; 4],
    /// The root mean square and the correlation of left and right, of late.
    pub level: [Option<f64>; 2],
}

impl Seen {
    /// Nothing yet, of a desk of this name.
    pub fn new(desk: String) -> Seen {
        Seen {
            desk,
            moment: Arc::default(),
            text: (0, "{}".into()),
            typed: (0, "{}".into()),
            picture: (0, Arc::default()),
            past: Arc::default(),
            edits: VecDeque::new(),
            told: VecDeque::new(),
        }
    }

    /// Another text.
    pub fn write(&mut self, text: &str) {
        if *self.text.1 != *text {
            self.text = (self.text.0 + 1, text.into());
        }
    }

    /// Other lines behind it.
    pub fn write_typed(&mut self, typed: &str) {
        if *self.typed.1 != *typed {
            self.typed = (self.typed.0 + 1, typed.into());
        }
    }

    /// The momentary and the short-term loudness of the master, of now.
    pub fn heard(&mut self, loudness: [Option<f64>; 2]) {
        Arc::make_mut(&mut self.past).take(loudness.map(sound::loudness).map(tenths));
    }

    /// Something was told, in a line or several.
    pub fn tell(&mut self, told: &str) {
        let plain: String = crate::paint::plain(told).trim_end().chars().take(LETTERS).collect();
        add(&mut self.told, plain.into(), TOLD);
    }

    /// Something was changed.
    pub fn edited(&mut self, edit: Edit) {
        add(&mut self.edits, Arc::new(edit), EDITS);
    }
}

/// Adds the newest of at most so many, with its number.
fn add<T>(all: &mut VecDeque<(u64, T)>, new: T, most: usize) {
    let number = all.back().map_or(0, |(number, _)| *number) + 1;
    if all.len() == most {
        all.pop_front();
    }
    all.push_back((number, new));
}
