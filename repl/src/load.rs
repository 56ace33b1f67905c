//! From a path to a session that can be played, and what there is to tell of it.

use std::path::Path;

use engine::session::Session;
use scripting::{Evaluated, evaluate_file, report};

use crate::ending::Failure;
use crate::paint::Paint;
use crate::status;

/// Reads and checks a session. Without an error among the diagnostics there is one.
pub fn load(path: &Path) -> Evaluated {
    evaluate_file(path)
}

/// The session of a path, with whatever there is to tell of it shown on standard error.
///
/// # Errors
/// The session has errors, which have been shown.
pub fn loaded(path: &Path) -> Result<Session, Failure> {
    let evaluated = load(path);
    status::show(&told(&evaluated, Paint::stderr()));
    evaluated.session.ok_or(Failure::Shown)
}

/// Everything there is to tell of a session, as a person reads it.
pub fn told(evaluated: &Evaluated, paint: Paint) -> String {
    evaluated.diagnostics.iter().map(|d| report::render(d, &evaluated.files, paint.is_on())).collect()
}
