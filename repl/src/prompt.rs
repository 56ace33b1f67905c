//! The prompt: a thread of its own reads lines with everything that a terminal offers, and passes them on. What is told meanwhile
//! appears above the line that is being typed.

mod above;
mod block;
mod command;
mod plain;
mod screen;
mod stage;
mod typist;

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Behavior, Cmd, ColorMode, CompletionType, Config, Editor, ExternalPrinter, KeyEvent};

use crate::levels::Board;
use crate::paint::{self, Paint};
use crate::{state_dir, status};
use above::Above;
use screen::Screen;
use stage::Stage;
use typist::Typist;

pub use block::{Piece, pieces};
pub use command::{COMMANDS, Command, Lesson, Metering, Midi, Timing, Which, page};
pub use typist::Vocabulary;

/// What stands before a line, and before one that goes on.
const PROMPT: &str = "> ";

/// How many lines are remembered from one performance to the next.
const REMEMBERED: usize = 10_000;

/// The most bytes that are taken at once. More than any session has comes from a wrong clipboard.
const MOST: usize = 256 * 1024;

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
    /// What there is to see for the view of the meters.
    pub board: Arc<Board>,
    /// Whether it does without what only eyes can follow.
    pub is_plain: bool,
    stage: Stage,
    /// The terminal, if it is more than lines.
    screen: Option<Arc<Screen>>,
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
        let (stage, board) = (Stage::default(), Arc::new(Board::default()));
        let vocabulary = Arc::new(RwLock::new(Vocabulary::default()));
        if is_plain {
            thread::spawn(move || plain::read(io::stdin().lock(), take));
            return Some(Prompt { vocabulary, board, is_plain, stage, screen: None });
        }
        let screen = Arc::new(Screen::take_over());
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
        // Not what it means elsewhere: a performance is not suspended.
        editor.bind_sequence(KeyEvent::ctrl('Z'), Cmd::Undo(1));
        // Where messages cannot be put above the line they are told all the same.
        if let Ok(mut printer) = editor.create_external_printer() {
            let above = Above::start(move |text| printer.print(text).is_ok());
            let stage = stage.clone();
            status::above(move |text| stage.hold(text).into_iter().for_each(|text| above.tell(text)));
        }
        let history = state_dir::folder("prompt").map(|folder| folder.join("history")).ok();
        let (own, shown, on) = (screen.clone(), board.clone(), stage.clone());
        thread::spawn(move || read(editor, history, &own, || on.show(&shown), take));
        Some(Prompt { vocabulary, board, is_plain, stage, screen: Some(screen) })
    }

    /// Tells what can be completed from now on.
    pub fn know(&self, vocabulary: Vocabulary) {
        *self.vocabulary.write().unwrap_or_else(PoisonError::into_inner) = vocabulary;
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        status::below();
        self.stage.end();
        self.screen.iter().for_each(|screen| screen.give_back());
    }
}

/// Reads lines until the end. `meters` has the terminal between two of them, if that is what was typed.
fn read(
    mut editor: Editor<Typist, FileHistory>,
    history: Option<PathBuf>,
    screen: &Screen,
    meters: impl Fn() -> io::Result<()>,
    take: impl Fn(Typed),
) {
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    // What was typed of a line before something came that is no text.
    let mut begun = (String::new(), String::new());
    loop {
        let (left, right) = std::mem::take(&mut begun);
        match screen.reads(|| editor.readline_with_initial(PROMPT, (&left, &right))) {
            Ok(line) if line.trim().is_empty() => take(Typed::Beat(Instant::now())),
            Ok(line) if line.len() > MOST => {
                let (has, most) = (line.len() / 1024, MOST / 1024);
                status::error(format!("that has {has} kB, and a line at most {most}: it was not taken"));
            }
            Ok(line) => {
                let _ = editor.add_history_entry(line.as_str());
                if let Some(file) = &history {
                    // A line that is not remembered is no reason to keep it from being heard.
                    let _ = editor.append_history(file);
                }
                match Command::read(&line) {
                    Ok(Command::Quit) => return end(take),
                    Ok(Command::Meters(Metering::View)) => {
                        if let Err(error) = meters() {
                            status::warning(format!("the meters cannot be shown here: {error}; `:meters 5` says them"));
                        }
                    }
                    _ => take(Typed::Line(line)),
                }
            }
            Err(ReadlineError::Interrupted) => status::say("Ctrl-D on an empty line, or :quit, fades out and ends"),
            Err(ReadlineError::Eof) => return end(take),
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                // The rest would be taken for something else than it was.
                screen.throw_away();
                status::error("what came is no text (UTF-8): nothing of it was taken");
                begun = editor.helper().map(Typist::seen).unwrap_or_default();
            }
            Err(error) => {
                status::below();
                screen.give_back();
                status::warning(format!("the prompt ends, and what plays goes on: {error}; Ctrl-C ends it"));
                return;
            }
        }
    }
}

/// What is told from here on has no line to go above.
fn end(take: impl Fn(Typed)) {
    status::below();
    take(Typed::End);
}
