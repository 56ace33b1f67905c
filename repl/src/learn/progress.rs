//! How far somebody has come, kept in the user's state directory: `learn/progress.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lesson::Lesson;
use crate::{state_dir, status};

/// How far somebody has come, in each folder of lessons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The folder that was learned in last.
    last: Option<PathBuf>,
    folders: BTreeMap<PathBuf, Place>,
    /// Whether it was told that this cannot be kept.
    #[serde(skip)]
    told: bool,
}

/// How far somebody has come in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The lesson that was begun last.
    lesson: String,
    /// How many steps of each lesson are done.
    done: BTreeMap<String, usize>,
}

impl Progress {
    /// What was kept. What cannot be read counts as nothing, which is told.
    pub fn kept() -> Progress {
        let read = file().and_then(fs::read).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        read.unwrap_or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                status::warning(format!("how far you had come cannot be read, and is counted anew: {error}"));
            }
            Progress::default()
        })
    }

    /// The folder that was learned in last, if it is still there.
    pub fn folder(&self) -> Option<&Path> {
        self.last.as_deref().filter(|folder| folder.is_dir())
    }

    /// The lesson to go on with in a folder: the one that was begun last, or once that is done the next that is not.
    pub fn next(&self, folder: &Path, lessons: &[Lesson]) -> Option<usize> {
        let last = self.folders.get(folder).and_then(|place| lessons.iter().position(|one| one.name == place.lesson));
        let last = last.unwrap_or(0);
        let order = (last..lessons.len()).chain(0..last);
        order.into_iter().find(|&at| self.done(folder, &lessons[at]) < lessons[at].steps.len())
    }

    /// How many steps of a lesson are done in a folder.
    pub fn done(&self, folder: &Path, lesson: &Lesson) -> usize {
        self.folders.get(folder).and_then(|place| place.done.get(&lesson.name)).copied().unwrap_or(0)
    }

    /// Keeps that a lesson is at, with so many steps done, or more if more have been done before.
    pub fn reached(&mut self, folder: &Path, lesson: &Lesson, steps: usize) {
        self.last = Some(folder.to_owned());
        self.come_to(folder, lesson, steps);
        self.keep();
    }

    fn come_to(&mut self, folder: &Path, lesson: &Lesson, steps: usize) {
        let place = self.folders.entry(folder.to_owned()).or_default();
        place.lesson.clone_from(&lesson.name);
        let done = place.done.entry(lesson.name.clone()).or_default();
        *done = steps.max(*done);
    }

    /// Forgets what was done of a lesson in a folder.
    pub fn forget_lesson(&mut self, folder: &Path, lesson: &Lesson) {
        self.folders.get_mut(folder).and_then(|place| place.done.remove(&lesson.name));
        self.keep();
    }

    /// Forgets all that was done in a folder.
    pub fn forget(&mut self, folder: &Path) {
        self.folders.remove(folder);
        self.keep();
    }

    fn keep(&mut self) {
        let write = |file: PathBuf| {
            let text = serde_json::to_vec_pretty(self)?;
            let mut whole = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
            io::Write::write_all(&mut whole, &text)?;
            whole.persist(file).map(|_| ()).map_err(io::Error::from)
        };
        if let Err(error) = file().and_then(write)
            && !std::mem::replace(&mut self.told, true)
        {
            status::warning(format!("how far you have come cannot be kept: {error}"));
        }
    }
}

fn file() -> io::Result<PathBuf> {
    state_dir::folder("learn").map(|folder| folder.join("progress.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(name: &str) -> Lesson {
        let text = "// 1. A: b\n// Step: c\n// Goal: d\n//     expect(e.rms).above(1);\n// Answer 1: `f` -> `g`\n";
        Lesson::read(name, text).unwrap()
    }

    #[test]
    fn one_goes_on_where_one_was_then_with_what_is_not_done_and_each_folder_is_its_own() {
        let lessons = ["a", "b", "c"].map(lesson);
        let (here, there) = (Path::new("here"), Path::new("there"));
        let mut progress = Progress::default();
        assert_eq!(progress.next(here, &lessons), Some(0));
        let mut reach = |at: usize, steps| {
            progress.come_to(here, &lessons[at], steps);
            (progress.next(here, &lessons), progress.next(there, &lessons))
        };
        assert_eq!(reach(1, 0), (Some(1), Some(0)));
        assert_eq!(reach(1, 1), (Some(2), Some(0)));
        assert_eq!(reach(2, 1), (Some(0), Some(0)));
        assert_eq!(reach(0, 1), (None, Some(0)));
        // What is done stays done, though one plays it again.
        assert_eq!(reach(2, 0), (None, Some(0)));
    }
}
