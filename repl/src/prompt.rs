//! The prompt: a thread of its own reads lines with everything that a terminal offers, and passes them on. What is told meanwhile
//! appears above the line that is being typed.

mod command;
mod typist;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Behavior, ColorMode, CompletionType, Config, Editor, ExternalPrinter};

use crate::paint::Paint;
use crate::{state_dir, status};
use typist::Typist;

pub use command::{Command, Midi, Timing, page};
pub use typist::Vocabulary;

/// What stands before a line, and before one that goes on.
const PROMPT: &str = "> ";

/// How many lines are remembered from one performance to the next.
const REMEMBERED: usize = 10_000;

/// What somebody has typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line, or several that belong together.
    Line(String),
    /// Enter on an empty line.
    Beat(Instant),
    /// The end: Ctrl-D on an empty line.
    End,
}

/// The prompt of a desk that plays. Dropped, it leaves the terminal as it found it.
pub struct Prompt {
    vocabulary: Arc<RwLock<Vocabulary>>,
    _screen: Screen,
}

impl Prompt {
    /// Begins to read; nothing where there is no terminal to type at. Each line goes to `take`.
    pub fn start(take: impl Fn(Typed) + Send + 'static) -> Option<Prompt> {
        use std::io::IsTerminal;
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return None;
        }
        let screen = Screen::remember();
        let vocabulary = Arc::new(RwLock::new(Vocabulary::default()));
        let config = Config::builder()
            .behavior(Behavior::PreferTerm)
            .bracketed_paste(true)
            .color_mode(if Paint::stdout().is_on() { ColorMode::Enabled } else { ColorMode::Disabled })
            .completion_type(CompletionType::List)
            .max_history_size(REMEMBERED)
            .and_then(|config| config.history_ignore_dups(true));
        let editor = config
            .map(|config| config.build())
            .and_then(Editor::<Typist, FileHistory>::with_config)
            .map_err(|error| status::warning(format!("there is no prompt: {error}")));
        let mut editor = editor.ok()?;
        editor.set_helper(Some(Typist::new(vocabulary.clone())));
        // Where messages cannot be put above the line they are told all the same.
        if let Ok(mut printer) = editor.create_external_printer() {
            status::above(move |text| drop(printer.print(text)));
        }
        let history = state_dir::folder("prompt").map(|folder| folder.join("history")).ok();
        thread::spawn(move || read(editor, history, take));
        Some(Prompt { vocabulary, _screen: screen })
    }

    /// Tells what can be completed from now on.
    pub fn know(&self, vocabulary: Vocabulary) {
        *self.vocabulary.write().unwrap_or_else(PoisonError::into_inner) = vocabulary;
    }
}

/// Reads lines until the end.
fn read(mut editor: Editor<Typist, FileHistory>, history: Option<PathBuf>, take: impl Fn(Typed)) {
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                if line.trim().is_empty() {
                    take(Typed::Beat(Instant::now()));
                    continue;
                }
                let _ = editor.add_history_entry(line.as_str());
                if let Some(file) = &history {
                    // A line that is not remembered is no reason to keep it from being heard.
                    let _ = editor.append_history(file);
                }
                take(Typed::Line(line));
            }
            Err(ReadlineError::Interrupted) => status::say("Ctrl-D on an empty line, or :quit, fades out and ends"),
            Err(ReadlineError::Eof) => {
                // What is told from here on has no line to go above.
                status::below();
                return take(Typed::End);
            }
            Err(error) => {
                status::warning(format!("the prompt ends, and what plays goes on: {error}; Ctrl-C ends it"));
                return;
            }
        }
    }
}

/// The terminal as it was: whoever ends while a line is typed has to put it back.
struct Screen {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl Screen {
    fn remember() -> Screen {
        Screen {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        status::below();
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            // A terminal that is gone needs no modes.
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, modes);
        }
    }
}
