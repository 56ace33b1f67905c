//! What helps with typing: completion of words, names and files, the signature of the word that is being written, colours, and
//! lines that go on.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use engine::units::Unit;
use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use scripting::typing::{self, Piece, Wanted};
use scripting::words::{WordEntry, reference};

use super::block::is_command;
use super::command::{COMMANDS, Takes};
use crate::paint::Paint;
use crate::scenes;
use crate::words::methods;

/// The most names that a completion offers.
const MOST: usize = 200;

/// What the text that plays has, for those who type.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The names of its variables and functions.
    pub names: Vec<String>,
    /// The paths of its inputs, buses, cables and effects, and of their parameters.
    pub paths: Vec<String>,
    /// The folder that its files are looked for in.
    pub folder: PathBuf,
    /// The folder of its scenes.
    pub scenes: PathBuf,
}

/// The bytes of a line up to which it is coloured and explained; what is longer was not typed by hand.
const LOOKED_AT: usize = 4096;

/// Who helps.
pub(super) struct Typist {
    vocabulary: Arc<RwLock<Vocabulary>>,
    words: Vec<WordEntry>,
    /// What was typed so far, and where the cursor is.
    seen: Mutex<(String, usize)>,
}

impl Typist {
    pub(super) fn new(vocabulary: Arc<RwLock<Vocabulary>>) -> Self {
        Typist { vocabulary, words: reference(), seen: Mutex::default() }
    }

    /// The line as it was shown last, before the cursor and behind it.
    pub(super) fn seen(&self) -> (String, String) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, right) = seen.0.split_at(seen.1);
        (left.to_owned(), right.to_owned())
    }

    fn vocabulary(&self) -> RwLockReadGuard<'_, Vocabulary> {
        self.vocabulary.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What could stand between `begin` and the cursor.
    fn candidates(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let vocabulary = self.vocabulary();
        if let Some(command) = line[..at].strip_prefix(':') {
            let Some((word, behind)) = command.split_once(char::is_whitespace) else {
                return (1, matching(COMMANDS.iter().map(|entry| entry.word.to_owned()), command));
            };
            let takes = COMMANDS.iter().find(|entry| entry.word == word).map_or(Takes::Nothing, |entry| entry.takes);
            let begin = at - behind.trim_start().len();
            match takes {
                Takes::Line => {}
                Takes::Nothing => return (at, Vec::new()),
                Takes::Ahead if behind.contains(['(', ' ']) => {}
                Takes::Path | Takes::Ahead => {
                    return (begin, matching(vocabulary.paths.iter().cloned(), &line[begin..at]));
                }
                Takes::Scene => {
                    return (begin, matching(scenes::names(&vocabulary.scenes).into_iter(), &line[begin..at]));
                }
                Takes::Verb(words) => {
                    let behind = behind.trim_start();
                    return match behind.split_once(' ').filter(|(word, _)| words.contains(word)) {
                        Some((_, path)) => (at - path.len(), matching(vocabulary.paths.iter().cloned(), path)),
                        None => (begin, matching(words.iter().map(|word| (*word).to_owned()), behind)),
                    };
                }
                Takes::Word => {
                    return (begin, matching(self.words.iter().map(|entry| entry.word.clone()), &line[begin..at]));
                }
            }
        }
        let (begin, wanted) = typing::wanted(line, at);
        let typed = &line[begin..at];
        let found = match wanted {
            Wanted::Unit => matching(Unit::ALL.iter().map(|unit| unit.suffix().to_owned()), typed),
            Wanted::Method(of) => matching(self.methods(of), typed),
            Wanted::Quoted(Some((word, _))) if matches!(word.as_str(), "clip" | "convolve" | "track") => {
                return files(&vocabulary.folder, begin, typed);
            }
            Wanted::Quoted(_) => matching(vocabulary.paths.iter().cloned(), typed),
            Wanted::Word => {
                let words = self.words.iter().map(|entry| entry.word.clone());
                let words = words.filter(|word| word.starts_with(char::is_alphabetic));
                matching(words.chain(vocabulary.names.iter().cloned()), typed)
            }
        };
        (begin, found)
    }

    /// What can be called on what a word makes; on anything, if that is not known.
    fn methods(&self, of: Option<&str>) -> impl Iterator<Item = String> {
        let owners = self.words.iter().filter(move |entry| of.is_none_or(|of| entry.word == of));
        let own = owners.flat_map(methods).map(str::to_owned);
        own.chain(["mix", "bypass", "named"].map(str::to_owned))
    }
}

/// Those that begin so, once each, in order.
fn matching(all: impl Iterator<Item = String>, begin: &str) -> Vec<String> {
    let mut found: Vec<String> = all.filter(|name| name.starts_with(begin)).collect();
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found
}

/// Files and folders whose names begin as typed, and where the name begins.
fn files(folder: &Path, begin: usize, typed: &str) -> (usize, Vec<String>) {
    let (within, name) = typed.rsplit_once('/').map_or(("", typed), |(within, name)| (within, name));
    let entries = std::fs::read_dir(folder.join(within)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        Some(if entry.path().is_dir() { name + "/" } else { name })
    });
    (begin + typed.len() - name.len(), matching(names, name))
}

impl Completer for Typist {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(line, at))
    }
}

impl Hinter for Typist {
    type Hint = String;

    fn hint(&self, line: &str, at: usize, _: &Context<'_>) -> Option<String> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = (line.to_owned(), at);
        if at < line.len() || line.len() > LOOKED_AT {
            return None;
        }
        if let Some(command) = line.strip_prefix(':') {
            let word = command.split_whitespace().next()?;
            let entry = COMMANDS.iter().find(|entry| entry.word == word)?;
            return Some(format!("   {}", entry.signature)).filter(|_| !command.trim_end().contains(' '));
        }
        typing::signature_at(line, at).map(|(signature, _)| format!("   {signature}"))
    }
}

impl Highlighter for Typist {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if line.starts_with(':') || line.len() > LOOKED_AT {
            return Cow::Borrowed(line);
        }
        let paint = Paint::stdout();
        let mut text = String::new();
        let mut end = 0;
        for (Range { start, end: to }, piece) in typing::pieces(line) {
            text += &line[end..start];
            let written = &line[start..to];
            text += &match piece {
                Piece::Known => paint.bold(written).to_string(),
                Piece::Number => paint.cyan(written).to_string(),
                Piece::Text => paint.green(written).to_string(),
                Piece::Comment => paint.dim(written).to_string(),
            };
            end = to;
        }
        text += &line[end..];
        Cow::Owned(text)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(Paint::stdout().dim(hint).to_string())
    }

    fn highlight_char(&self, line: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor && line.len() <= LOOKED_AT
    }
}

impl Validator for Typist {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input();
        // A command is obeyed, whatever stands open before it.
        let commands = line.lines().next_back().is_some_and(is_command);
        Ok(match !commands && !is_command(line) && typing::goes_on(line) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Helper for Typist {}

#[cfg(test)]
mod tests {
    use super::*;

    fn typist() -> Typist {
        let folder = tempfile::tempdir().expect("there is room").keep();
        std::fs::create_dir(folder.join("audio")).expect("there is room");
        std::fs::write(folder.join("audio/drums.flac"), "").expect("there is room");
        std::fs::create_dir(folder.join("set.scenes")).expect("there is room");
        for name in ["big chorus.rhai", "bridge.rhai", "notes.txt"] {
            std::fs::write(folder.join("set.scenes").join(name), "").expect("there is room");
        }
        let vocabulary = Vocabulary {
            scenes: folder.join("set.scenes"),
            names: vec!["voice".into(), "vocals".into()],
            paths: vec!["voice/fader.gain".into(), "voice>band".into(), "band".into()],
            folder,
        };
        Typist::new(Arc::new(RwLock::new(vocabulary)))
    }

    #[test]
    fn what_is_offered_fits_where_it_stands() {
        let typist = typist();
        let offered = |line: &str| typist.candidates(line, line.len());
        assert_eq!(offered("vo"), (0, vec!["vocals".into(), "voice".into()]));
        assert_eq!(offered("voice >> compr"), (9, vec!["compressor".into()]));
        assert_eq!(offered("voice >> compressor(-18).rel"), (25, vec!["release".into()]));
        assert_eq!(offered("x >> eq().be"), (10, vec!["bell".into()]));
        assert_eq!(offered("fader(-3.d").1, ["dB", "dBFS", "dBTP", "degrees"].map(String::from));
        assert_eq!(offered("set(\"voice/").1, ["voice/fader.gain"]);
        assert_eq!(offered("clip(\"au"), (6, vec!["audio/".into()]));
        assert_eq!(offered("clip(\"audio/d"), (12, vec!["drums.flac".into()]));
        assert_eq!(offered(":und"), (1, vec!["undo".into()]));
        assert_eq!(offered(":words compr"), (7, vec!["compressor".into()]));
        assert_eq!(offered(":go b"), (4, vec!["big chorus".into(), "bridge".into()]));
        assert_eq!(offered(":scene big c"), (7, vec!["big chorus".into()]));
        assert_eq!(offered(":plan voice >> compr"), (15, vec!["compressor".into()]));
        assert_eq!(offered(":midi le"), (6, vec!["learn".into()]));
        assert_eq!(offered(":midi learn voi"), (12, vec!["voice/fader.gain".into(), "voice>band".into()]));
        assert_eq!(offered(":undo vo").1, [""; 0]);
        assert_eq!(offered("nothing_like_it").1, [""; 0]);
    }

    #[test]
    fn colours_change_no_letter() {
        let typist = typist();
        let line = "voice >> fader(-3.dB) // \"x\"";
        let shown = typist.highlight(line, 0);
        assert_eq!(crate::paint::plain(&shown), line);
    }
}
