//! `gainstage graph`: shows the signal flow.

use crate::arguments::Graph;
use crate::ending::{Failure, Outcome};

/// Refuses: the desk has no core to do it with yet.
pub fn run(arguments: &Graph) -> Outcome {
    Err(Failure::Error(format!("{}: this build cannot graph yet", arguments.session.display())))
}
