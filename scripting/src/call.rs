//! One word being called: its arguments, its place, and the errors that speak of them.

use std::cell::OnceCell;
use std::mem;

use engine::diagnostic::{Diagnostic, Position};
use engine::session::PlaceId;
use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::desk::{self, Desk};
use crate::value::{Signal, shown};
use crate::{errors, words};

/// What a word gives, or the error that ends the evaluation.
pub type Outcome = Result<Dynamic, Diagnostic>;

/// A word, or an operator, with what it was given.
pub struct Call<'a> {
    /// The word.
    pub word: &'static str,
    /// Where it is written.
    pub at: Position,
    /// What it was given; for a method the object first.
    pub given: Vec<Dynamic>,
    /// Whether it stands in the text itself and not in a function that the text calls.
    pub outside_functions: bool,
    /// Whether it is written as a method; found when first asked for.
    is_method: OnceCell<bool>,
    /// What it is called in.
    context: &'a NativeCallContext<'a>,
}

impl<'a> Call<'a> {
    /// Reads a call.
    pub fn new(word: &'static str, context: &'a NativeCallContext<'a>, given: &mut [&mut Dynamic]) -> Self {
        let file = context.call_source().and_then(|number| number.parse().ok()).unwrap_or(0);
        let at = desk::with(|desk| desk.place(file, context.call_position()));
        // All but the first are the call's own; that one may be a variable.
        let mut values = Vec::with_capacity(given.len());
        if let Some((first, others)) = given.split_first_mut() {
            values.push((**first).clone().flatten());
            values.extend(others.iter_mut().map(|value| mem::take(*value).flatten()));
        }
        let (outside_functions, is_method) = (context.call_level() <= 1, OnceCell::new());
        Call { word, at, given: values, outside_functions, is_method, context }
    }

    /// Whether it is written as a method, `x.word()`.
    pub fn is_method(&self) -> bool {
        desk::with(|desk| self.is_method_in(desk))
    }

    /// The same for whoever has the desk.
    pub fn is_method_in(&self, desk: &Desk) -> bool {
        *self.is_method.get_or_init(|| desk.file(self.at).is_method(self.at))
    }

    /// Calls a function that it was given.
    ///
    /// # Errors
    /// It is no function, or takes another number of values, or what went wrong in it, which is told already.
    pub fn run(&self, index: usize, with: Vec<Dynamic>) -> Outcome {
        let function = self.given[index].clone().try_cast::<FnPtr>();
        let function = function.ok_or_else(|| self.wrong_type(index, "a function, `|x| ...`,"))?;
        let at = self.place_of(index);
        let takes = desk::with(|desk| desk.file(at).closure(at));
        if let Some(takes) = takes.filter(|takes| *takes != with.len()) {
            let names = ["x", "y", "z"].into_iter().take(with.len()).collect::<Vec<_>>().join(", ");
            let message = format!("this function takes {takes}, and is given {}", with.len());
            return Err(Diagnostic::error("wrong-arguments", at, message).help(format!("write `|{names}| ...`")));
        }
        function.call_within_context(self.context, with).map_err(|error| {
            desk::with(|desk| {
                errors::tell(desk, &error, at);
                let failed = || Diagnostic::error("failed", at, "the function cannot be called");
                desk.diagnostics.last().cloned().unwrap_or_else(failed)
            })
        })
    }

    /// How many values it was given.
    pub fn count(&self) -> usize {
        self.given.len()
    }

    /// Where a value that it was given begins.
    pub fn place_of(&self, index: usize) -> Position {
        desk::with(|desk| self.place_of_in(desk, index))
    }

    /// The same for whoever has the desk.
    pub fn place_of_in(&self, desk: &Desk, index: usize) -> Position {
        match index.checked_sub(usize::from(self.is_method_in(desk))) {
            Some(number) => desk.file(self.at).argument(self.at, number).unwrap_or(self.at),
            None => self.at,
        }
    }

    /// Refuses another number of values than the word takes.
    pub fn takes(&self, counts: std::ops::RangeInclusive<usize>) -> Result<(), Diagnostic> {
        if counts.contains(&self.count()) {
            return Ok(());
        }
        let (least, most) = (*counts.start(), *counts.end());
        let wanted = match (least, most) {
            (0, 0) => "no arguments".into(),
            (1, 1) => "one argument".into(),
            (a, b) if a == b => format!("{a} arguments"),
            (0, 1) => "at most one argument".into(),
            (0, b) => format!("at most {b} arguments"),
            (a, b) if b > 8 => {
                format!("at least {}", if a == 1 { "one argument".into() } else { format!("{a} arguments") })
            }
            (a, b) => format!("{a} to {b} arguments"),
        };
        Err(self.misuse(format!("`{}` takes {wanted}, not {}", self.word, self.count())))
    }

    /// An error of use, with the word's signature.
    pub fn misuse(&self, message: String) -> Diagnostic {
        let error = Diagnostic::error("wrong-arguments", self.at, message);
        match words::signature(self.word) {
            Some(signature) => error.help(format!("write `{signature}`")),
            None => error,
        }
    }

    /// The error for a value of a wrong type.
    pub fn wrong_type(&self, index: usize, wanted: &str) -> Diagnostic {
        let what = self.given.get(index).map_or("nothing".into(), shown);
        let error = Diagnostic::error(
            "wrong-type",
            self.place_of(index),
            format!("`{}` wants {wanted} here, not {what}", self.word),
        );
        match words::signature(self.word) {
            Some(signature) => error.help(format!("write `{signature}`")),
            None => error,
        }
    }

    /// A text.
    pub fn text(&self, index: usize, wanted: &str) -> Result<String, Diagnostic> {
        self.given[index].clone().into_string().map_err(|_| self.wrong_type(index, wanted))
    }

    /// The name of something: letters, digits, `_`, `-` and spaces.
    pub fn name(&self, index: usize) -> Result<String, Diagnostic> {
        let name = self.text(index, "a name in quotes")?;
        let wrong = |message: String| {
            Diagnostic::error("bad-name", self.place_of(index), message)
                .help("a name has letters, digits, `_`, `-` and spaces between them")
        };
        if name.trim().is_empty() {
            return Err(wrong("a name cannot be empty".into()));
        }
        if name.trim() != name {
            return Err(wrong(format!("the name \"{name}\" begins or ends with a space")));
        }
        match name.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))) {
            Some(c) => Err(wrong(format!("the name \"{}\" has a `{}` in it", name.escape_debug(), c.escape_debug()))),
            None => Ok(name),
        }
    }

    /// An input, bus or output, by its signal or its name.
    pub fn place(
        &self,
        index: usize,
        desk_place: impl Fn(&mut Desk, &str, Position) -> PlaceId,
    ) -> Result<PlaceId, Diagnostic> {
        let value = &self.given[index];
        if value.is_string() {
            let name = self.name(index)?;
            let at = self.place_of(index);
            return Ok(desk::with(|desk| desk_place(desk, &name, at)));
        }
        let signal = value.read_lock::<Signal>().and_then(|signal| signal.as_place());
        signal.ok_or_else(|| self.wrong_type(index, "a bus or its name"))
    }
}

/// Ends the evaluation with an error that is told already.
pub fn told(diagnostic: Diagnostic) -> Box<EvalAltResult> {
    desk::with(|desk| desk.tell(diagnostic));
    told_already()
}

/// Ends the evaluation; why is told already.
pub fn told_already() -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(Told), rhai::Position::NONE).into()
}

/// The mark of an error that is told already.
#[derive(Clone, Copy, Debug)]
pub struct Told;
