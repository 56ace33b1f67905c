//! The lessons in a folder of the learner's, who may write in them: nothing of that is overwritten without being told to.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::lesson::Lesson;
use super::lessons::AUDIO;
use crate::{file_edit, status};

/// Where it is unless it is said.
pub const USUAL: &str = "gainstage-lessons";

/// Puts a lesson and the sounds that it plays into a folder, as far as they are not there. With `anew`, a lesson that was
/// written in is put aside first.
///
/// # Errors
/// The folder cannot be written to: in words.
pub fn take(folder: &Path, lesson: &Lesson, anew: bool) -> Result<PathBuf, String> {
    let file = folder.join(lesson.file());
    let taken = || {
        fs::create_dir_all(folder.join("audio"))?;
        if anew {
            put_aside(&file, lesson)?;
        }
        write_new(&file, lesson.text.as_bytes())?;
        let played = AUDIO.iter().filter(|(name, _)| lesson.text.contains(&format!("\"audio/{name}\"")));
        played.into_iter().try_for_each(|(name, sound)| write_new(&folder.join("audio").join(name), sound))
    };
    taken().map_err(|error: io::Error| format!("{} cannot be written to: {error}", folder.display()))?;
    Ok(file)
}

/// Puts a lesson that was written in beside the one that takes its place.
fn put_aside(file: &Path, lesson: &Lesson) -> io::Result<()> {
    match fs::read(file) {
        Ok(text) if text == lesson.text.as_bytes() => Ok(()),
        Ok(_) => {
            let names = (1..).map(|n| file.with_extension(format!("{n}.rhai")));
            let Some(aside) = names.into_iter().find(|name| !name.exists()) else { return Ok(()) };
            fs::rename(file, &aside)?;
            status::say(format!("what you had written is in {}", aside.display()));
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a file that is not there yet: beside its name, so that it is there whole or not at all.
fn write_new(file: &Path, content: &[u8]) -> io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let mut whole = file_edit::beside(file)?;
    whole.write_all(content)?;
    match whole.persist_noclobber(file) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lessons::lessons;
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn a_lesson_is_written_with_its_sounds_and_what_a_learner_writes_stays() {
        let place = TempDir::new().unwrap();
        let (folder, lessons) = (place.path().join("a/b"), lessons().unwrap());
        let file = take(&folder, &lessons[0], false).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), lessons[0].text);
        assert!(folder.join("audio/keys.flac").is_file());
        fs::write(&file, "mine").unwrap();
        take(&folder, &lessons[0], false).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }

    #[test]
    fn anew_what_was_written_is_beside_it() {
        let (place, lessons) = (TempDir::new().unwrap(), lessons().unwrap());
        let names = |lesson: &Lesson| [1, 2].map(|n| place.path().join(format!("{}.{n}.rhai", lesson.name)));
        for mine in ["mine", "mine too"] {
            let file = take(place.path(), &lessons[0], true).unwrap();
            fs::write(file, mine).unwrap();
        }
        let file = take(place.path(), &lessons[0], true).unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), lessons[0].text);
        let aside = names(&lessons[0]).map(|name| fs::read_to_string(name).unwrap());
        assert_eq!(aside, ["mine", "mine too"]);
        // One that was not written in is not put aside.
        take(place.path(), &lessons[0], true).unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_that_names_it() {
        let (place, lessons) = (TempDir::new().unwrap(), lessons().unwrap());
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(take(&file, &lessons[0], false).unwrap_err().contains("file cannot be written to"));
    }
}
