//! `gainstage tell`: a line, or a block of them, to a desk that plays, from an editor or another terminal.
//!
//! A desk listens at a local socket that its user alone can open, in a folder of the user's own (see [`socket`]). Who asks writes
//! text in UTF-8, at most [`MOST`] bytes of it, and closes that direction. The desk takes it as one line of its prompt, and
//! answers with the line `taken` or `refused`, then with everything that it told meanwhile, and closes. To no text at all it
//! answers with the path of its session, which is how desks are told apart.

#[cfg(unix)]
mod serving;
#[cfg(unix)]
mod socket;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use crate::arguments::Tell;
use crate::ending::Outcome;
use crate::paint;

#[cfg(unix)]
pub use serving::Ears;

/// The most bytes that can be told at once.
pub const MOST: usize = 1 << 18;

/// What became of what was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was refused: nothing has changed then.
    pub refused: bool,
    /// Everything that was told of it, without colours.
    pub text: String,
}

impl Answer {
    /// What was told, as a terminal shows it.
    pub fn new(refused: bool, told: &str) -> Self {
        Answer { refused, text: paint::plain(told) }
    }

    fn refused(why: impl ToString) -> Self {
        Answer { refused: true, text: format!("error: {}\n", why.to_string()) }
    }
}

/// What somebody tells a desk, and where the answer goes.
pub struct Asked {
    /// One line of the prompt, of any number of lines of text.
    pub text: String,
    /// Whoever takes it down first: the desk, which does it then, or who waits for the answer and gives up.
    open: Arc<AtomicBool>,
    answer: Sender<Answer>,
}

impl Asked {
    /// Whether it is still to be done. Asked once, it is taken.
    pub fn take(&self) -> bool {
        self.open.swap(false, Ordering::SeqCst)
    }

    /// Answers.
    pub fn answer(self, answer: Answer) {
        // Whoever has gone has no need of it.
        let _ = self.answer.send(answer);
    }
}

/// Tells the desk that plays, and prints its answer.
#[cfg(unix)]
pub fn run(arguments: &Tell) -> Outcome {
    use crate::ending::Failure;
    use std::io::Write;

    let text = told(arguments)?;
    let answer = socket::choose(arguments.session.as_deref())?.ask(text.as_bytes())?;
    std::io::stdout().lock().write_all(answer.text.as_bytes())?;
    if answer.refused { Err(Failure::Shown) } else { Ok(()) }
}

/// Says that this system has nothing to tell it by.
#[cfg(not(unix))]
pub fn run(_: &Tell) -> Outcome {
    use crate::ending::Failure;

    Err(Failure::Error(
        "`tell` needs local sockets, which gainstage uses on Unix only: save the session's file instead".into(),
    ))
}

/// A desk that listens to nobody.
#[cfg(not(unix))]
pub struct Ears;

#[cfg(not(unix))]
impl Ears {
    /// There is nothing to listen at.
    ///
    /// # Errors
    /// Never.
    pub fn open(_: &std::path::Path, _: impl Fn(Asked) + Clone + Send + 'static) -> std::io::Result<Option<Ears>> {
        Ok(None)
    }
}

/// What is to be told: the line, a file, or standard input.
#[cfg(unix)]
fn told(arguments: &Tell) -> Result<String, crate::ending::Failure> {
    use crate::ending::Failure;
    use std::io::{IsTerminal, Read};

    let read = |from: &mut dyn Read, name: &str| {
        let mut bytes = Vec::new();
        let read = from.take(MOST as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Failure::Error(format!("{name}: {error}")))?;
        String::from_utf8(bytes).map_err(|_| Failure::Error(format!("{name}: this is no text in UTF-8")))
    };
    let text = match (&arguments.line, &arguments.file) {
        (Some(line), _) if line != "-" => line.clone(),
        (_, Some(file)) if file.as_os_str() != "-" => {
            let name = file.display().to_string();
            let mut from = std::fs::File::open(file).map_err(|error| Failure::Error(format!("{name}: {error}")))?;
            read(&mut from, &name)?
        }
        (None, None) if std::io::stdin().is_terminal() => {
            return Err(Failure::Misuse("there is nothing to tell: give a line, or text on standard input".into()));
        }
        _ => read(&mut std::io::stdin().lock(), "standard input")?,
    };
    match text.trim() {
        "" => Err(Failure::Misuse("there is nothing to tell: the text is empty".into())),
        _ if text.len() > MOST => {
            Err(Failure::Misuse(format!("that is too much: at most {MOST} bytes can be told at once")))
        }
        _ => Ok(text),
    }
}
