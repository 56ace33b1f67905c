//! Values as a text says them, before a parameter has taken them, and what becomes of them.

use std::sync::Arc;

use serde::Serialize;

use crate::control::Control;
use crate::diagnostic::{Diagnostic, Position};
use crate::parameter::{Value, show_number};
use crate::pattern::Pattern;
use crate::units::Unit;

/// A value as the text said it, before a parameter has taken it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Spoken {
    /// A number, bare or with a unit.
    Number(f64, Unit),
    /// A string.
    Text(String),
    /// `true`, `false`, `on`, `off`.
    Flag(bool),
    /// A list.
    List(Vec<Spoken>),
    /// What moves a value.
    Control(Box<Control>),
    /// A pattern.
    Pattern(#[serde(skip)] Arc<Pattern>),
    /// Something that no parameter takes, described: "an effect".
    Other(&'static str),
}

impl Spoken {
    /// What it is, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Spoken::Number(n, unit) => format!("the number {}", show_number(*n, *unit)),
            Spoken::Text(text) => format!("the text \"{text}\""),
            Spoken::Flag(true) => "on".into(),
            Spoken::Flag(false) => "off".into(),
            Spoken::List(_) => "a list".into(),
            Spoken::Control(_) => "a control".into(),
            Spoken::Pattern(_) => "a pattern".into(),
            Spoken::Other(what) => (*what).into(),
        }
    }

    /// The number of a channel, if it is one.
    pub(crate) fn channel(&self) -> Option<u16> {
        match *self {
            Spoken::Number(n, Unit::Plain) if n.fract() == 0.0 && (1.0..=1024.0).contains(&n) => Some(n as u16),
            _ => None,
        }
    }
}

/// A value that a parameter took.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// The value.
    pub value: Value,
    /// Why it is probably not what was meant.
    pub warning: Option<String>,
}

/// Why a parameter did not take what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The diagnostic's code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What was expected.
    pub expected: String,
    /// Where, if it is within what was said.
    pub at: Option<Position>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: String, expected: String) -> Self {
        Refusal { code, message, expected: format!("expected {expected}"), at: None }
    }

    /// The error that it is for what was said at a place.
    pub fn diagnostic(self, said: Position) -> Diagnostic {
        Diagnostic::error(self.code, self.at.unwrap_or(said), self.message).help(self.expected)
    }
}
