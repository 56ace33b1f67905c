//! What was just played, written to a file while the desk plays on: a second `gainstage` plays the journal again, and everything
//! else on the machine goes first.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Playing;
use crate::arguments::Length;
use crate::journal::Kept;
use crate::journal::kept::clock_time;
use crate::journal::shadow::last_line;
use crate::recorder::free_name;
use crate::status;

/// How long the journal may take to come as far as what is wanted of it, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// Files that are being written, which nothing else may be called.
#[derive(Clone, Default)]
pub(super) struct Keeping(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Keeping {
    /// A name for a file of what was played, which is its own until it is there.
    fn reserve(&self, wanted: &Path) -> PathBuf {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = free_name(wanted, |name| files.contains(name));
        files.insert(name.clone());
        name
    }

    fn release(&self, file: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(file);
    }
}

/// A stretch of a performance.
struct Stretch {
    journal: PathBuf,
    /// Where it ends, in frames of the master and in those of the desk.
    until: u64,
    clock: u64,
    /// How long it is.
    frames: u64,
    file: PathBuf,
}

impl Playing<'_> {
    /// Writes what was just played, for a time, to a file.
    pub(super) fn keep_last(&mut self, time: &str, file: Option<PathBuf>) {
        let Some(journal) = self.journal.folder() else {
            return status::error(
                "no journal is kept, so that nothing that was played is known: leave out --journal none",
            );
        };
        let asked = match self.frames_of(time) {
            Ok(frames) => frames,
            Err(why) => return status::error(why),
        };
        let (rate, clock) = (self.given.rate, self.live.clock());
        let until = clock.saturating_sub(self.late);
        let frames = asked.min(until);
        if frames == 0 {
            return status::error("nothing was played yet");
        }
        if frames < asked {
            status::say(format!("there is less than that: all {} of it are written", clock_time(frames, rate)));
        }
        let wanted = file.unwrap_or_else(|| format!("{}-keep.wav", self.called()).into());
        let file = self.keeping.reserve(&wanted);
        let stretch = Stretch { journal: journal.to_owned(), until, clock, frames, file };
        let keeping = self.keeping.clone();
        let shown = stretch.file.display().to_string();
        let work = move || {
            let shown = stretch.file.display();
            match stretch.write() {
                Ok(()) => status::say(format!("kept: {shown}, the last {}", clock_time(stretch.frames, rate))),
                Err(why) => status::error(format!("{shown} is not there: {why}")),
            }
            keeping.release(&stretch.file);
        };
        match thread::Builder::new().name("gainstage-keep".into()).spawn(work) {
            Ok(_) => status::say(format!("writing {shown}")),
            Err(error) => status::error(format!("{shown} is not there: {error}")),
        }
    }

    /// The frames of a time as it is typed, `4.bars`, or as it stands behind an option, `4bars`.
    fn frames_of(&self, time: &str) -> Result<u64, String> {
        let clock = self.desk.mesh().tempo.clock();
        match time.parse::<Length>() {
            Ok(length) => Ok(length.frames(&clock)),
            Err(_) => Ok(clock.frames(self.milliseconds(time)?)),
        }
    }
}

impl Stretch {
    /// Waits until the journal has it, and plays it again.
    fn write(&self) -> Result<(), String> {
        let begun = Instant::now();
        while Kept::open(Some(&self.journal)).map_err(|failure| failure.to_string())?.reached < self.clock {
            if begun.elapsed() > PATIENCE {
                return Err("the journal does not come this far".into());
            }
            thread::sleep(LOOK);
        }
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.arg("replay").arg(&self.journal).arg("-o").arg(&self.file).arg("--modest");
        command.arg(format!("--until={}f", self.until)).arg(format!("--last={}f", self.frames));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).env("NO_COLOR", "1");
        // What stops the desk from a terminal is not meant for it: it ends when the file is there.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let said = child.stderr.take().map_or_else(String::new, |from| last_line(BufReader::new(from)));
        match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(said.trim_start_matches("error: ").to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_written_has_its_name_alone_until_it_is_there() {
        let place = tempfile::tempdir().expect("there is room");
        let (wanted, keeping) = (place.path().join("keep.wav"), Keeping::default());
        let called = |n: &str| place.path().join(n);
        assert_eq!(keeping.reserve(&wanted), called("keep.wav"));
        assert_eq!(keeping.reserve(&wanted), called("keep.2.wav"));
        std::fs::write(called("keep.3.wav"), "precious").expect("it can be written");
        assert_eq!(keeping.reserve(&wanted), called("keep.4.wav"));
        keeping.release(&called("keep.2.wav"));
        assert_eq!(keeping.reserve(&wanted), called("keep.2.wav"));
    }
}
