//! The prompt: a thread of its own reads lines with everything that a terminal offers, and passes them on. What is told meanwhile
//! appears above the line that is being typed.

mod command;
mod plain;
mod screen;
mod typist;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Behavior, ColorMode, CompletionType, Config, Editor, ExternalPrinter};

use crate::levels::Board;
use crate::paint::{self, Paint};
use crate::{state_dir, status};
use screen::{Kept, Screen};
use typist::Typist;

pub use command::{Command, Metering, Timing, page};
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
    /// The end: Ctrl-D on an empty line.
    End,
}

/// The prompt of a desk that plays. Dropped, it leaves the terminal as it found it.
pub struct Prompt {
    vocabulary: Arc<RwLock<Vocabulary>>,
    /// What there is to see for the view of the meters.
    pub board: Arc<Board>,
    /// Whether it does without what only eyes can follow.
    pub is_plain: bool,
    _kept: Kept,
}

impl Prompt {
    /// Begins to read; nothing where there is no terminal to type at. Each line goes to `take`. In plain words, wherever they
    /// come from, if that is asked for or the terminal can do no more.
    pub fn start(plain: bool, take: impl Fn(Typed) + Send + 'static) -> Option<Prompt> {
        use io::IsTerminal;
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let is_plain = plain || is_terminal && paint::is_dumb();
        if !is_terminal && !is_plain {
            return None;
        }
        let (screen, board) = (Screen::default(), Arc::new(Board::default()));
        let kept = Kept::remember(screen.clone());
        let vocabulary = Arc::new(RwLock::new(Vocabulary::default()));
        if is_plain {
            thread::spawn(move || plain::read(io::stdin().lock(), take));
            return Some(Prompt { vocabulary, board, is_plain, _kept: kept });
        }
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
            let screen = screen.clone();
            status::above(move |text| drop(screen.hold(text).map(|text| printer.print(text))));
        }
        let history = state_dir::folder("prompt").map(|folder| folder.join("history")).ok();
        let shown = board.clone();
        thread::spawn(move || read(editor, history, || screen.show(&shown), take));
        Some(Prompt { vocabulary, board, is_plain, _kept: kept })
    }

    /// Tells what can be completed from now on.
    pub fn know(&self, vocabulary: Vocabulary) {
        *self.vocabulary.write().unwrap_or_else(PoisonError::into_inner) = vocabulary;
    }
}

/// Reads lines until the end. `meters` has the terminal between two of them, if that is what was typed.
fn read(
    mut editor: Editor<Typist, FileHistory>,
    history: Option<PathBuf>,
    meters: impl Fn() -> io::Result<()>,
    take: impl Fn(Typed),
) {
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                if line.trim().is_empty() {
                    continue;
                }
                let _ = editor.add_history_entry(line.as_str());
                if let Some(file) = &history {
                    // A line that is not remembered is no reason to keep it from being heard.
                    let _ = editor.append_history(file);
                }
                match Command::read(&line) {
                    Ok(Command::Meters(Metering::View)) => {
                        if let Err(error) = meters() {
                            status::warning(format!("the meters cannot be shown here: {error}; `:meters 5` says them"));
                        }
                    }
                    _ => take(Typed::Line(line)),
                }
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
