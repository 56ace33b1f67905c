//! Keeps journals from growing without end, on a thread of its own: looking at many files and removing large ones takes a while,
//! and live inputs do not wait.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{parts, store};
use crate::status;

/// How often is looked without being asked.
const PERIOD: Duration = Duration::from_secs(60);

/// Who looks after them.
pub struct Trim {
    ask: Option<Sender<()>>,
    full: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Trim {
    /// Looks after the journals in a folder, of which one is played, that they take at most so many bytes. Does so once at
    /// once.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(journals: PathBuf, journal: PathBuf, most: u64) -> io::Result<Trim> {
        let (ask, asked) = mpsc::channel();
        let full = Arc::new(AtomicBool::new(false));
        let mut trimming = Trimming { journals, journal, most, full: full.clone(), told: Vec::new() };
        let thread = thread::Builder::new().name("gainstage-trim".into()).spawn(move || {
            loop {
                trimming.make_room();
                match asked.recv_timeout(PERIOD) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Trim { ask: Some(ask), full, thread: Some(thread) })
    }

    /// Looks again: the journal that is played has a further part, or a checkpoint.
    pub fn look(&self) {
        if let Some(ask) = &self.ask {
            // Who is gone has failed, which is told at the end.
            let _ = ask.send(());
        }
    }

    /// Whether they take more than they may, and nothing is left that could be removed.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}

impl Drop for Trim {
    fn drop(&mut self) {
        self.ask = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            status::warning("journals may take more than they should: their thread failed");
        }
    }
}

struct Trimming {
    journals: PathBuf,
    journal: PathBuf,
    most: u64,
    /// Whether that is more than can be held to.
    full: Arc<AtomicBool>,
    /// What has been said, which is said once.
    told: Vec<&'static str>,
}

impl Trimming {
    /// Removes what is too much: whole journals first, then the parts of this one that are not needed any more since a later
    /// one begins with a checkpoint. What is needed stays, or the rest could never be played: neither by who wants to nor by
    /// who makes the next checkpoint.
    fn make_room(&mut self) {
        if let Err(error) = self.try_to_make_room() {
            self.tell("error", &format!("a journal cannot be made shorter: {error}"));
        }
    }

    fn try_to_make_room(&mut self) -> io::Result<()> {
        let most = bytes(self.most);
        if let gone @ 1.. = store::make_room(&self.journals, self.most) {
            let noun = if gone == 1 { "journal" } else { "journals" };
            status::say(format!("removed the {gone} oldest {noun}: together they take at most {most}"));
        }
        while store::taken(&self.journals) > self.most {
            // Who reads it needs all of it.
            let Some(_unread) = store::lock_unread(&self.journal) else { return Ok(()) };
            if !parts::remove_oldest(&self.journal, parts::needed(&self.journal))? {
                self.full.store(true, Ordering::Relaxed);
                return Ok(());
            }
            self.tell(
                "gone",
                &format!(
                    "the beginning of this performance is removed from its journal, part by part: journals take at most {most}"
                ),
            );
        }
        self.full.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn tell(&mut self, what: &'static str, told: &str) {
        if self.told.contains(&what) {
            return;
        }
        self.told.push(what);
        match what {
            "gone" => status::say(told),
            _ => status::warning(told),
        }
    }
}

/// A number of bytes as people say it.
fn bytes(bytes: u64) -> String {
    if bytes < 1 << 30 { format!("{} MiB", bytes >> 20) } else { format!("{} GiB", bytes >> 30) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::SystemTime;

    use super::*;
    use crate::journal::checkpoint;
    use crate::journal::store::LINES;

    /// A journal of some parts of 1000 bytes each.
    fn journal(journals: &Path, count: usize) -> PathBuf {
        let folder = store::create(journals, Path::new("night.rhai"), SystemTime::now()).expect("there is room");
        let header = "header\n";
        fs::write(folder.join(LINES), format!("{header}{}", " ".repeat(1000))).expect("there is room");
        for number in 2..=count {
            let part = parts::create(&folder, number).expect("there is room");
            fs::write(part.join(LINES), vec![b' '; 1000]).expect("there is room");
        }
        folder
    }

    fn trimming(journals: &Path, journal: &Path) -> Trimming {
        let (journals, journal) = (journals.to_owned(), journal.to_owned());
        Trimming { journals, journal, most: 2500, full: Arc::default(), told: Vec::new() }
    }

    fn add_checkpoint(journal: &Path, part: usize) {
        fs::write(parts::folder(journal, part).join(checkpoint::FILE), "").expect("there is room");
    }

    #[test]
    fn what_it_takes_to_go_on_stays_however_much_that_is_and_this_is_found_out() {
        let place = tempfile::tempdir().expect("there is room");
        let folder = journal(place.path(), 6);
        let _played = store::mark_played(&folder).expect("it can be marked");
        let mut trimming = trimming(place.path(), &folder);
        trimming.make_room();
        assert_eq!((parts::further(&folder), trimming.full.load(Ordering::Relaxed)), (vec![2, 3, 4, 5, 6], true));
        assert!(fs::metadata(folder.join(LINES)).expect("it is there").len() > 1000, "the beginning is needed, too");
        add_checkpoint(&folder, 3);
        trimming.make_room();
        assert_eq!((parts::further(&folder), trimming.full.load(Ordering::Relaxed)), (vec![3, 4, 5, 6], true));
        add_checkpoint(&folder, 5);
        trimming.make_room();
        assert_eq!((parts::further(&folder), trimming.full.load(Ordering::Relaxed)), (vec![5, 6], false));
    }

    #[test]
    fn what_is_not_needed_goes_unless_somebody_reads_it() {
        let place = tempfile::tempdir().expect("there is room");
        let folder = journal(place.path(), 4);
        add_checkpoint(&folder, 3);
        let _played = store::mark_played(&folder).expect("it can be marked");
        let read = store::mark_read(&folder).expect("it can be marked");
        let mut trimming = trimming(place.path(), &folder);
        trimming.make_room();
        assert_eq!(parts::further(&folder), [2, 3, 4]);
        drop(read);
        trimming.make_room();
        assert_eq!((parts::further(&folder), &trimming.told[..]), (vec![3, 4], &["gone"][..]));
    }
}
