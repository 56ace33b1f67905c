//! The last text of a session that was taken up, kept in the user's state directory with all that it imports: a session
//! that is broken when it must be played can be played as it was.
//!
//! `last-good/first-9f86d081884c7d65/12/first.rhai`: a folder for each session, in it one for the newest text. That is
//! written under another name and renamed when it is whole and on the disk; only then the one before it goes.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use engine::media::Library;
use engine::tempo::Tempo;
use scripting::SourceFile;

use crate::arguments::Play;
use crate::ending::Failure;
use crate::load::{self, Loaded};
use crate::{state_dir, status};

/// What it is called in the state directory.
const FOLDER: &str = "last-good";

/// Of how many sessions a text is kept: those played longest ago go first.
const SESSIONS: usize = 200;

/// Keeps texts, on a thread of its own: a slow disk must not hold up an edit.
pub struct Keeper {
    texts: Option<Sender<Vec<SourceFile>>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps what will be played of a session.
    pub fn start(session: &Path) -> Keeper {
        let (texts, taken) = mpsc::channel::<Vec<SourceFile>>();
        let session = session.to_owned();
        let thread = thread::Builder::new().name("gainstage-keep".into()).spawn(move || {
            let mut told = false;
            while let Ok(mut texts) = taken.recv() {
                // Of those that wait only the newest matters.
                texts = taken.try_iter().last().unwrap_or(texts);
                if let Err(error) = state_dir::folder(FOLDER).and_then(|folder| keep(&folder, &session, &texts))
                    && !std::mem::replace(&mut told, true)
                {
                    status::warning(format!("the last good text cannot be kept: {error}"));
                }
            }
        });
        Keeper { texts: Some(texts), thread: thread.ok() }
    }

    /// Keeps a text that was taken up: the session's file first.
    pub fn keep(&self, texts: Vec<SourceFile>) {
        if let Some(keeper) = &self.texts {
            // Without its thread, which a warning came before, nothing is kept.
            let _ = keeper.send(texts);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.texts = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// The file of the last good text of a session, if one is kept.
pub fn kept(session: &Path) -> Option<PathBuf> {
    newest(&state_dir::folder(FOLDER).ok()?, session)
}

fn newest(folder: &Path, session: &Path) -> Option<PathBuf> {
    let own = folder.join(state_dir::name_of(session));
    let number = numbers(&own).into_iter().max()?;
    Some(own.join(number.to_string()).join(session.file_name()?)).filter(|file| file.is_file())
}

/// The numbered folders in a folder.
fn numbers(folder: &Path) -> Vec<u64> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn keep(folder: &Path, session: &Path, texts: &[SourceFile]) -> io::Result<()> {
    let own = folder.join(state_dir::name_of(session));
    fs::create_dir_all(&own)?;
    let written = tempfile::Builder::new().prefix(".new-").tempdir_in(&own)?;
    let home = session.parent().unwrap_or(Path::new(""));
    for text in texts {
        // An import lies in the session's folder, or in one that is in it.
        let relative = text.path.strip_prefix(home).unwrap_or(&text.path);
        if relative.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("{} is elsewhere", text.path.display())));
        }
        let path = written.path().join(relative);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = File::create(path)?;
        file.write_all(text.text.as_bytes())?;
        file.sync_all()?;
    }
    let before = numbers(&own);
    let next = before.iter().max().map_or(0, |newest| newest + 1);
    fs::rename(written.keep(), own.join(next.to_string()))?;
    for number in before {
        fs::remove_dir_all(own.join(number.to_string()))?;
    }
    forget(folder, SESSIONS)
}

/// Forgets the sessions played longest ago, beyond so many.
fn forget(folder: &Path, most: usize) -> io::Result<()> {
    let mut sessions = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sessions.push((entry.metadata()?.modified()?, entry.path()));
    }
    sessions.sort();
    let beyond = sessions.len().saturating_sub(most);
    sessions.into_iter().take(beyond).try_for_each(|(_, path)| fs::remove_dir_all(path))
}

/// The folder of a session.
pub fn home(session: &Path) -> PathBuf {
    session.parent().filter(|home| !home.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// What can be played of a session: its text, or if that has errors the last good one, when it is asked for.
pub fn playable(arguments: &Play, loaded: Loaded, library: &Library) -> Result<Loaded, Failure> {
    let session = &arguments.session;
    if loaded.graph.is_some() {
        return Ok(loaded);
    }
    let kept = kept(session);
    let Some(kept) = kept else {
        let none = || Failure::Error(format!("no good text of {} is kept", session.display()));
        return Err(if arguments.last_good { none() } else { Failure::Shown });
    };
    if !arguments.last_good {
        let (kept, session) = (kept.display(), session.display());
        status::say(format!("the last good text is kept: `gainstage play {session} --last-good` plays it ({kept})"));
        return Err(Failure::Shown);
    }
    // Its sound files are where the session is.
    let home = home(session);
    let mut good = load::prepare_evaluated(scripting::evaluate_file(&kept), library, |session| {
        session.folder = home;
        Tempo::new(session.pace())
    });
    good.show();
    if good.graph.is_none() {
        return Err(Failure::Error(format!("the last good text ({}) does not play either", kept.display())));
    }
    status::say(format!("playing the last good text ({}) until the session is mended", kept.display()));
    // What is broken is followed, to be taken up when it is mended.
    good.files.extend(loaded.files);
    Ok(good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn text(path: &Path, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned(), is_line: false }
    }

    #[test]
    fn the_newest_text_is_found_again_with_its_imports_and_the_others_are_gone() {
        let (state, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let session = home.path().join("set.rhai");
        fs::write(&session, "").unwrap();
        let import = home.path().join("parts/drums.rhai");
        assert_eq!(newest(state.path(), &session), None);
        for version in ["one", "two", "three"] {
            keep(state.path(), &session, &[text(&session, version), text(&import, "fn hat() {}")]).unwrap();
            let kept = newest(state.path(), &session).unwrap();
            assert_eq!(fs::read_to_string(&kept).unwrap(), version);
            assert_eq!(fs::read_to_string(kept.with_file_name("parts/drums.rhai")).unwrap(), "fn hat() {}");
        }
        let own = state.path().join(state_dir::name_of(&session));
        assert_eq!(fs::read_dir(own).unwrap().count(), 1);
        assert_eq!(newest(state.path(), &home.path().join("other.rhai")), None);
    }

    #[test]
    fn a_text_that_was_not_written_whole_is_none() {
        let (state, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let session = home.path().join("set.rhai");
        keep(state.path(), &session, &[text(&session, "one")]).unwrap();
        let own = state.path().join(state_dir::name_of(&session));
        fs::create_dir(own.join(".new-cut-short")).unwrap();
        fs::write(own.join(".new-cut-short/set.rhai"), "tw").unwrap();
        let outside = [text(&session, "two"), text(Path::new("/elsewhere/drums.rhai"), "")];
        assert!(keep(state.path(), &session, &outside).is_err());
        assert_eq!(fs::read_to_string(newest(state.path(), &session).unwrap()).unwrap(), "one");
    }

    #[test]
    fn only_so_many_sessions_are_remembered() {
        let (state, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let sessions: Vec<PathBuf> = ["a.rhai", "b.rhai", "c.rhai"].map(|name| home.path().join(name)).to_vec();
        for session in &sessions {
            keep(state.path(), session, &[text(session, "")]).unwrap();
            thread::sleep(std::time::Duration::from_millis(20));
        }
        forget(state.path(), 2).unwrap();
        let kept: Vec<bool> = sessions.iter().map(|session| newest(state.path(), session).is_some()).collect();
        assert_eq!(kept, [false, true, true]);
    }
}
