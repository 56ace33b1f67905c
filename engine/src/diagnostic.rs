//! What is told of a text: errors and warnings with the place they speak of, as plain data.

use serde::{Deserialize, Serialize};

/// A place in the text. Lines and columns count from 1; line 0 means the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Which file: an index into [`crate::session::Session::files`]; 0 is the session itself.
    pub file: u16,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The text is refused.
    Error,
    /// The text plays; something in it is probably not meant.
    Warning,
}

/// One thing to tell of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// A stable name for its kind, in lower case with dashes: `unknown-word`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub at: Position,
    /// What to do about it: what was expected, the nearest name.
    pub help: Option<String>,
    /// Other places that belong to it, each with what it shows.
    pub also: Vec<(Position, String)>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, at: Position, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Error, code, message: message.into(), at, help: None, also: Vec::new() }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, at: Position, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, at, message) }
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a second place.
    pub fn also(mut self, at: Position, what: impl Into<String>) -> Self {
        self.also.push((at, what.into()));
        self
    }

    /// Whether the text is refused for it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
