//! `gainstage render`: the same session, offline, to the same bits.

use crate::arguments::Render;
use crate::ending::{Failure, Outcome};

/// Renders.
pub fn run(_: &Render) -> Outcome {
    Err(Failure::Shown)
}
