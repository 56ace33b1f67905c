//! Who makes the checkpoints: not the desk, which copying its delay lines would hold up, but a second `gainstage` that
//! plays the journal again behind it, as fast and as modestly as it can.

use std::env;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{checkpoint, parts};

/// A program that follows.
pub struct Shadow {
    journal: PathBuf,
    child: Option<Child>,
    /// The part that has begun since it was started.
    wanted: Option<usize>,
    /// The part that it makes a checkpoint for, and its folder.
    making: (usize, PathBuf),
}

impl Shadow {
    /// Nobody yet, for a journal.
    pub fn new(journal: PathBuf) -> Self {
        Shadow { making: (1, journal.clone()), journal, child: None, wanted: None }
    }

    /// A part has begun: it is to begin with a checkpoint.
    pub fn begins(&mut self, part: usize) {
        self.wanted = Some(part);
    }

    /// Starts what is wanted, once what was started before is done; gives the part for which a checkpoint has been made
    /// since.
    ///
    /// # Errors
    /// It cannot be started, or has failed: what it said. What is wanted is not wanted any more then.
    pub fn look(&mut self) -> io::Result<Option<usize>> {
        if let Some(child) = &mut self.child {
            let Some(status) = child.try_wait()? else { return Ok(None) };
            let mut said = String::new();
            if let Some(from) = &mut child.stderr {
                from.read_to_string(&mut said)?;
            }
            self.child = None;
            if !status.success() {
                let last = said.lines().last().map(|line| line.trim_start_matches("error: "));
                return Err(io::Error::other(last.unwrap_or("it was stopped").to_owned()));
            }
            let (part, folder) = &self.making;
            return Ok(folder.join(checkpoint::FILE).is_file().then_some(*part));
        }
        if let Some(part) = self.wanted.take() {
            let mut command = Command::new(env::current_exe()?);
            command.arg("replay").arg(&self.journal).arg("--checkpoint").arg(part.to_string());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).env("NO_COLOR", "1");
            // What stops the desk from a terminal is not meant for it: it ends with the journal.
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            self.child = Some(command.spawn()?);
            self.making = (part, parts::folder(&self.journal, part));
        }
        Ok(None)
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        // With the desk there is nothing more to follow; one that has ended need not be told.
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
