//! Checkpoints: files from which a performance can be played on in the middle, one at most in each further part of a
//! journal.
//!
//! The first line is BLAKE3 of all that follows, in hexadecimal; the second says what it is of; the rest is the state of the
//! desk. One that is damaged in any bit, or of another version of the program, is none.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::{Stamp, Text};
use super::store;

/// What the file is called in the folder of its part.
pub const FILE: &str = "checkpoint";

/// This program: its version, and by which sources it was built.
pub const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("GAINSTAGE_SOURCES"));

/// What a checkpoint is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// [`PROGRAM`] of the one that made it: of another the state may be another thing.
    pub program: String,
    /// The frame that comes next.
    pub frame: u64,
    /// The text that plays.
    pub text: Text,
    /// What is in sound files, as far as it is known.
    pub media: Vec<(Stamp, String)>,
}

/// A checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    /// What it is of.
    pub about: About,
    /// The desk, as [`engine::replay::Replay::checkpoint`] keeps it.
    pub state: Vec<u8>,
}

impl Checkpoint {
    /// Writes it to the folder of a part: whole, or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, part: &Path) -> io::Result<()> {
        let mut about = serde_json::to_vec(&self.about)?;
        about.push(b'\n');
        let mut hasher = blake3::Hasher::new();
        hasher.update(&about).update(&self.state);
        let hash = format!("{}\n", hasher.finalize().to_hex());
        store::write_whole(&part.join(FILE), &[hash.as_bytes(), &about, &self.state])
    }

    /// Reads the one in the folder of a part; none if there is none.
    ///
    /// # Errors
    /// It cannot be used: why.
    pub fn read(part: &Path) -> Result<Option<Checkpoint>, String> {
        let mut bytes = match fs::read(part.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| error.to_string())?,
        };
        let line = |from: usize| {
            let end = bytes[from..].iter().position(|byte| *byte == b'\n');
            end.map(|end| from + end + 1).ok_or("it is damaged")
        };
        let begin = line(0)?;
        if bytes[..begin - 1] != *blake3::hash(&bytes[begin..]).to_hex().as_bytes() {
            return Err("it is damaged".into());
        }
        let end = line(begin)?;
        let about: About = serde_json::from_slice(&bytes[begin..end]).map_err(|error| error.to_string())?;
        if about.program != PROGRAM {
            let version = about.program.split('+').next().unwrap_or_default();
            let another = if version == env!("CARGO_PKG_VERSION") { "another build of " } else { "" };
            return Err(format!("{another}gainstage {version} made it"));
        }
        bytes.drain(..end);
        Ok(Some(Checkpoint { about, state: bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::diff::Changes;

    fn checkpoint() -> Checkpoint {
        let text = Text {
            serial: Some(3),
            frame: 64,
            wanted: None,
            at: 64,
            heard: 64,
            files: Vec::new(),
            crossfade: None,
            tempo_over: 8000.5,
            lines: vec!["a\nb".into()],
            media: Vec::new(),
            changes: Changes::default(),
        };
        let stamp = Stamp { path: "/a.wav".into(), length: 1, modified: 2 };
        let media = vec![(stamp, "af13".into())];
        let about = About { program: PROGRAM.into(), frame: 640, text, media };
        Checkpoint { about, state: vec![10, 0, 255, 10] }
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let place = tempfile::tempdir().expect("there is room");
        assert!(Checkpoint::read(place.path()).expect("none is no fault").is_none());
        checkpoint().write(place.path()).expect("there is room");
        let read = Checkpoint::read(place.path()).expect("it is whole").expect("it is there");
        assert_eq!((read.about, read.state), (checkpoint().about, checkpoint().state));
    }

    #[test]
    fn one_that_is_damaged_anywhere_or_of_another_program_is_refused() {
        let place = tempfile::tempdir().expect("there is room");
        checkpoint().write(place.path()).expect("there is room");
        let whole = fs::read(place.path().join(FILE)).expect("it is there");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(place.path().join(FILE), damaged).expect("there is room");
            assert!(Checkpoint::read(place.path()).is_err(), "damaged at {at}");
            fs::write(place.path().join(FILE), &whole[..at]).expect("there is room");
            assert!(Checkpoint::read(place.path()).is_err(), "cut at {at}");
        }
        let mut older = checkpoint();
        let version = env!("CARGO_PKG_VERSION");
        for (program, told) in [
            ("0.0.0".into(), "gainstage 0.0.0 made it".into()),
            ("0.0.0+af13".into(), "gainstage 0.0.0 made it".into()),
            (version.to_owned(), format!("another build of gainstage {version} made it")),
            (format!("{version}+af13"), format!("another build of gainstage {version} made it")),
        ] {
            older.about.program = program;
            older.write(place.path()).expect("there is room");
            assert_eq!(Checkpoint::read(place.path()).expect_err("it is another's"), told);
        }
    }
}
