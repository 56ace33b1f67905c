//! Who makes the checkpoints: not the desk, which copying its delay lines would hold up, but a second `gainstage` that
//! plays the journal again behind it, as fast and as modestly as it can.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::{env, fs};

use super::{checkpoint, parts, store};

/// The most bytes of one line that are remembered of what it says.
const MOST_SAID: u64 = 1 << 12;

/// A program that follows.
pub struct Shadow {
    journal: PathBuf,
    /// It, and who listens to what it says. It ends when its standard input does, and so with whoever has started it,
    /// however that ends.
    child: Option<(Child, JoinHandle<String>)>,
    /// The part that has begun since it was started.
    wanted: Option<usize>,
    /// The folder of the part that it makes a checkpoint for.
    making: PathBuf,
}

impl Shadow {
    /// Nobody yet, for a journal.
    pub fn new(journal: PathBuf) -> Self {
        Shadow { making: journal.clone(), journal, child: None, wanted: None }
    }

    /// A part has begun: it is to begin with a checkpoint.
    pub fn begins(&mut self, part: usize) {
        self.wanted = Some(part);
    }

    /// Starts what is wanted, once what was started before is done; says whether a checkpoint has been made since.
    ///
    /// # Errors
    /// It cannot be started, or has failed: what it said. What is wanted is not wanted any more then.
    pub fn look(&mut self) -> io::Result<bool> {
        if let Some((child, _)) = &mut self.child {
            let Some(status) = child.try_wait()? else { return Ok(false) };
            let said = self.child.take().and_then(|(_, listener)| listener.join().ok()).unwrap_or_default();
            let folder = &self.making;
            if !status.success() {
                clean(folder);
                let why = if said.is_empty() { "it was stopped" } else { said.trim_start_matches("error: ") };
                return Err(io::Error::other(why.to_owned()));
            }
            return Ok(folder.join(checkpoint::FILE).is_file());
        }
        if let Some(part) = self.wanted.take() {
            let mut command = Command::new(env::current_exe()?);
            command.arg("replay").arg(&self.journal).arg("--checkpoint").arg(part.to_string());
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).env("NO_COLOR", "1");
            // What stops the desk from a terminal is not meant for it: it ends with the journal.
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            let mut child = command.spawn()?;
            let from = child.stderr.take();
            let listener = thread::Builder::new()
                .name("gainstage-shadow".into())
                .spawn(move || from.map_or_else(String::new, last_line));
            let listener = listener.inspect_err(|_| drop(child.kill().and_then(|()| child.wait())))?;
            self.child = Some((child, listener));
            self.making = parts::folder(&self.journal, part);
        }
        Ok(false)
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        // With the desk there is nothing more to follow; one that has ended need not be told.
        if let Some((mut child, _)) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            clean(&self.making);
        }
    }
}

/// Removes what it had begun to write in the folder of a part.
fn clean(part: &Path) {
    // There is mostly none.
    let _ = fs::remove_file(store::unfinished(&part.join(checkpoint::FILE)));
}

/// The last line with anything in it of what is said, to its end: who says much must not be held up.
pub fn last_line(from: impl Read) -> String {
    let (mut from, mut last, mut line) = (BufReader::new(from), String::new(), Vec::new());
    loop {
        line.clear();
        match from.by_ref().take(MOST_SAID).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return last,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            last = text.trim().to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_that_is_said_the_last_line_is_remembered() {
        let said = format!("{}error: it is so\n\n", "a warning\n".repeat(100_000));
        assert_eq!(last_line(said.as_bytes()), "error: it is so");
        assert_eq!(last_line(&b"a \xff line"[..]), "a \u{fffd} line");
        assert_eq!(last_line(&b""[..]), "");
    }
}
