//! `gainstage play`: plays a session.

use crate::arguments::Play;
use crate::ending::{Failure, Outcome};
use crate::load::loaded;

/// Refuses: the desk has no core to do it with yet.
pub fn run(arguments: &Play) -> Outcome {
    loaded(&arguments.session)?;
    Err(Failure::Error(format!("{}: this build cannot play yet", arguments.session.display())))
}
