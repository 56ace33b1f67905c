//! `gainstage render`: renders a session.

use crate::arguments::Render;
use crate::ending::{Failure, Outcome};
use crate::load::loaded;

/// Refuses: the desk has no core to do it with yet.
pub fn run(arguments: &Render) -> Outcome {
    loaded(&arguments.session)?;
    Err(Failure::Error(format!("{}: this build cannot render yet", arguments.session.display())))
}
