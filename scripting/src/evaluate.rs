//! From a file, or from a text, to a session.

use std::cell::Cell;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use engine::diagnostic::{Diagnostic, Position};
use engine::session::Session;
use rhai::{AST, Dynamic, EvalAltResult};

use crate::desk::{self, Desk};
use crate::machine::{self, MACHINE};
use crate::value::told;
use crate::{errors, grammar};

/// The stack that a text is evaluated on: deep nesting must meet a limit of the language, never the end of the stack.
const STACK: usize = 256 << 20;

/// How long a text may take. One that declares sound takes about a millisecond.
const TIME: Duration = Duration::from_millis(400);

/// How long a text may take that has played: it was in time once, and nobody waits for it now.
const TIME_AGAIN: Duration = Duration::from_secs(60);

/// Where what is wrong with a whole file is shown.
const BEGINNING: Position = Position { file: 0, line: 1, column: 1 };

/// The longest text, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The most lines that may follow a file.
const MOST_LINES: usize = 10_000;

/// What became of a text.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The session; none if there is any error.
    pub session: Option<Session>,
    /// What the last thing in the text gives, as a person reads it, if it gives anything.
    pub value: Option<String>,
    /// Errors and warnings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The session's file, the lines that follow it, and every file that they import or try to, in the order of
    /// [`Position::file`].
    pub files: Vec<SourceFile>,
}

/// A file that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says; empty if it cannot be read.
    pub text: String,
    /// Whether it is no file, but one of the lines that follow the session's.
    pub is_line: bool,
}

/// Reads a session's file and evaluates it.
///
/// Every failure, of reading too, is a diagnostic.
pub fn evaluate_file(path: &Path) -> Evaluated {
    evaluate_file_with(path, &[])
}

/// Reads a session's file and evaluates it together with lines that follow it: see [`evaluate_text_with`].
pub fn evaluate_file_with(path: &Path, lines: &[String]) -> Evaluated {
    match read(path) {
        Ok(text) => evaluate_text_with(path, &text, lines),
        Err(Unreadable { why, text, at }) => {
            let message = format!("\"{}\" {why}", file_name(path));
            Evaluated {
                session: None,
                value: None,
                diagnostics: vec![Diagnostic::error("unreadable", at, message)],
                files: vec![SourceFile { path: path.into(), text, is_line: false }],
            }
        }
    }
}

/// Evaluates a text that is said to live at a path: clips and imports are looked for in its folder.
pub fn evaluate_text(path: &Path, text: &str) -> Evaluated {
    evaluate_text_with(path, text, &[])
}

/// Evaluates a text and the lines that follow it, in order, as one text: a line sees what the file and earlier lines have
/// declared, needs no `;` at its end, and takes the place of a cable when it plugs one in again.
///
/// Each line is a file of its own in diagnostics: `(line 1)`.
pub fn evaluate_text_with(path: &Path, text: &str, lines: &[String]) -> Evaluated {
    submit(path, text, lines.to_vec(), None, TIME)
}

/// Evaluates a text that was kept with its lines and all it imports, as [`Evaluated::files`] gave them: what lies at their
/// paths now is not looked at.
pub fn evaluate_kept(files: &[SourceFile]) -> Evaluated {
    submit_kept(files, TIME)
}

/// The same of a text that has played before, however busy the machine is now.
pub fn evaluate_played(files: &[SourceFile]) -> Evaluated {
    submit_kept(files, TIME_AGAIN)
}

fn submit_kept(files: &[SourceFile], time: Duration) -> Evaluated {
    let lines = files.iter().filter(|file| file.is_line).map(|line| line.text.clone()).collect();
    let files: Vec<SourceFile> = files.iter().filter(|file| !file.is_line).cloned().collect();
    match files.first() {
        Some(SourceFile { path, text, .. }) => submit(path, text, lines, Some(files.clone()), time),
        None => broken(Path::new(""), "", "there is no text"),
    }
}

fn submit(path: &Path, text: &str, lines: Vec<String>, kept: Option<Vec<SourceFile>>, time: Duration) -> Evaluated {
    let work = || catch_unwind(AssertUnwindSafe(|| evaluate(path, text, &lines, kept, time)));
    match with_room(work) {
        Ok(Ok(evaluated)) => evaluated,
        Ok(Err(_)) => broken(path, text, "this text breaks gainstage itself: please report it"),
        Err(_) => broken(path, text, "there is no memory left to read the session"),
    }
}

thread_local! {
    /// Whether this thread has the stack that a text wants.
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Does work on a thread that has the stack a text may want: whatever is evaluated there is evaluated in place. Elsewhere each
/// text gets a thread of its own, which takes twice the time. Texts of several threads are evaluated at once.
///
/// # Errors
/// The system has no such thread to give; nothing has been done then.
///
/// # Panics
/// When the work does.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    if HAS_ROOM.get() {
        return Ok(work());
    }
    thread::scope(|scope| {
        let roomy = thread::Builder::new().name("gainstage".into()).stack_size(STACK).spawn_scoped(scope, || {
            HAS_ROOM.set(true);
            work()
        })?;
        Ok(roomy.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn broken(path: &Path, text: &str, why: &str) -> Evaluated {
    Evaluated {
        session: None,
        value: None,
        diagnostics: vec![Diagnostic::error("internal", Position::default(), why)],
        files: vec![SourceFile { path: path.into(), text: text.into(), is_line: false }],
    }
}

fn evaluate(path: &Path, text: &str, lines: &[String], kept: Option<Vec<SourceFile>>, time: Duration) -> Evaluated {
    if lines.len() > MOST_LINES {
        let message = format!("more than {MOST_LINES} lines cannot follow a session's file");
        return broken(path, text, &message);
    }
    let mut desk = Desk::new(path, text, lines, Instant::now() + time);
    desk.kept = kept;
    let (value, mut desk) = desk::with_new(desk, run);
    desk.diagnostics.sort_by_key(|d| d.at);
    let refused = desk.diagnostics.iter().any(Diagnostic::is_error);
    let said = (0..).zip(&mut desk.files).map(|(i, file)| SourceFile {
        path: mem::take(&mut file.path),
        text: mem::take(&mut file.text),
        is_line: (1..=lines.len()).contains(&i),
    });
    let files = said.collect();
    let session = (!refused).then_some(desk.session);
    Evaluated { session, value, diagnostics: desk.diagnostics, files }
}

/// Evaluates the desk's text: what the last thing in it gives.
fn run() -> Option<String> {
    let (last, faults) = desk::with(|desk| {
        let parts = &desk.files[..desk.parts()];
        let faults = match parts.iter().map(|part| part.text.len() as u64).sum::<u64>() {
            _ if parts[0].len() == 0 => vec![
                Diagnostic::error("empty", BEGINNING, "the session is empty")
                    .help("a session has at least one line, such as `input(\"tone\", sine(440)) >> master;`"),
            ],
            MOST_BYTES.. => {
                vec![Diagnostic::error("too-large", BEGINNING, "the session is larger than one can be (1 MiB)")]
            }
            _ => parts.iter().flat_map(grammar::faults).collect(),
        };
        // What does not end by itself would swallow the next part.
        let last = parts.iter().position(|part| !part.is_whole()).unwrap_or(parts.len() - 1);
        faults.iter().for_each(|fault| desk.tell(fault.clone()));
        (last, faults)
    });
    if !faults.is_empty() {
        return None;
    }
    let result = compile(last).and_then(|mut ast| {
        ast.set_source("0");
        // What a closure takes in has to be there.
        MACHINE.eval_ast_with_scope::<Dynamic>(&mut machine::scope(), &ast).map_err(|error| (error, 0))
    });
    desk::with(|desk| match result {
        Ok(value) => {
            desk.finish();
            told(&value)
        }
        Err((error, file)) => {
            errors::tell(desk, &error, Position { file, line: 0, column: 0 });
            None
        }
    })
}

/// Compiles the text to a part. An error comes with the file that it is told of.
fn compile(last: usize) -> Result<AST, (Box<EvalAltResult>, u16)> {
    let to = |part: usize| {
        let text = desk::with(|desk| desk.text_to(part));
        MACHINE.compile_with_scope(&machine::scope(), &text).map_err(|error| Box::new(EvalAltResult::from(error)))
    };
    to(last).map_err(|error| {
        let part = match error.position() {
            none if none.is_none() => last,
            at => usize::from(desk::with(|desk| desk.place(0, at)).file),
        };
        // What the part that is wrong says at its end is not told of what follows it.
        let alone = if part < last { to(part).err() } else { None };
        (alone.unwrap_or(error), part as u16)
    })
}

/// Why a file gives no text.
pub struct Unreadable {
    /// What is wrong with it, to follow its name.
    pub why: String,
    /// What of it can be shown.
    pub text: String,
    /// Where it is wrong, in file 0.
    pub at: Position,
}

/// The text of a file.
pub fn read(path: &Path) -> Result<String, Unreadable> {
    let refuse = |why: &str| Unreadable { why: why.into(), text: String::new(), at: BEGINNING };
    let about = std::fs::metadata(path).map_err(|error| refuse(&why_unreadable(&error)))?;
    if about.is_dir() {
        return Err(refuse("is a folder, not a session"));
    }
    if !about.is_file() {
        return Err(refuse("is not a file"));
    }
    if about.len() > MOST_BYTES {
        return Err(refuse("is larger than a session can be (1 MiB)"));
    }
    let bytes = std::fs::read(path).map_err(|error| refuse(&why_unreadable(&error)))?;
    if bytes.contains(&0) {
        return Err(refuse("is not a text: it holds binary data"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        let (line, column) =
            (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
        Unreadable {
            why: "is not UTF-8 text".into(),
            text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            at: Position { file: 0, line: line as u32, column: column as u32 },
        }
    })
}

/// What an error of reading says, to follow a name.
pub fn why_unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".into(),
        io::ErrorKind::PermissionDenied => "may not be read: permission is denied".into(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The last part of a path, for messages.
pub fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_room_is_done_in_place_and_its_panic_is_the_caller_s() {
        let here = || thread::current().id();
        let (roomy, within) = with_room(|| (here(), with_room(here).unwrap())).unwrap();
        assert!(roomy != here() && within == roomy);
        let panic = catch_unwind(|| with_room(|| panic!("as it is"))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"as it is"));
    }

    #[test]
    fn texts_of_several_threads_are_what_they_are_one_after_the_other() {
        let evaluated = |n: usize| {
            let text = format!("input(\"a\", sine({})) >> gain(-{n}) >> master;", 100 + n);
            evaluate_text(Path::new("a.rhai"), &text).session.expect("it is right")
        };
        let alone: Vec<Session> = (0..16).map(evaluated).collect();
        let together: Vec<Session> = thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|n| scope.spawn(move || evaluated(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(alone == together && alone[0] != alone[1]);
    }
}
