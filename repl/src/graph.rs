//! `gainstage graph`: shows the signal flow.

use crate::arguments::Graph;
use crate::ending::{Failure, Outcome};
use crate::load::loaded;

/// Refuses: the desk has no core to do it with yet.
pub fn run(arguments: &Graph) -> Outcome {
    loaded(&arguments.session)?;
    Err(Failure::Error(format!("{}: this build cannot graph yet", arguments.session.display())))
}
