//! `gainstage new`: a folder with a first session that plays at once, and a `.gitignore`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::arguments::New;
use crate::ending::{Failure, Outcome};

/// The session, which needs no files.
const SESSION: &str = include_str!("new/session.rhai");

/// What renders and recordings leave behind is not part of a session.
const IGNORED: &str = "# what gainstage makes\n*.part\nrenders/\nrecordings/\nstems/\n";

/// Makes the folder and prints what to type next.
pub fn run(arguments: &New) -> Outcome {
    make(&arguments.dir).map_err(Failure::Error)?;
    let session = arguments.dir.join("session.rhai");
    writeln!(io::stdout(), "gainstage play {}", session.display())?;
    Ok(())
}

fn make(dir: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("{} cannot be made: {error}", dir.display());
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(format!("{} is not empty; nothing is written", dir.display()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(dir).map_err(cannot)?,
        Err(error) => return Err(cannot(error)),
    }
    for (name, content) in [("session.rhai", SESSION), (".gitignore", IGNORED)] {
        let file = OpenOptions::new().write(true).create_new(true).open(dir.join(name));
        file.and_then(|mut file| file.write_all(content.as_bytes())).map_err(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::load;
    use engine::media::Library;
    use tempfile::TempDir;

    #[test]
    fn a_new_folder_has_a_session_and_ignores_what_is_made_from_it() {
        let place = TempDir::new().unwrap();
        let dir = place.path().join("a/b");
        make(&dir).unwrap();
        assert_eq!(fs::read_to_string(dir.join("session.rhai")).unwrap(), SESSION);
        assert!(fs::read_to_string(dir.join(".gitignore")).unwrap().contains("renders/"));
    }

    #[test]
    fn an_empty_folder_is_used_and_a_full_one_left_alone() {
        let dir = TempDir::new().unwrap();
        make(dir.path()).unwrap();
        fs::write(dir.path().join("session.rhai"), "mine").unwrap();
        assert!(make(dir.path()).unwrap_err().contains("not empty"));
        assert_eq!(fs::read_to_string(dir.path().join("session.rhai")).unwrap(), "mine");
    }

    #[test]
    fn a_file_in_the_way_is_an_error_that_names_it() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(make(&file).unwrap_err().contains("file cannot be made"));
    }

    #[test]
    fn the_first_session_is_right_and_leaves_nothing_to_tell() {
        let dir = TempDir::new().unwrap();
        make(dir.path()).unwrap();
        let loaded = load(&dir.path().join("session.rhai"), &Library::new());
        assert!(loaded.graph.is_some() && loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    }
}
