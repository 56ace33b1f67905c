//! Where the program keeps what outlives it and belongs to no session.

use std::env;
use std::path::PathBuf;

/// `$XDG_STATE_HOME/gainstage`, or `~/.local/state/gainstage`; none without either.
pub fn state_dir() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("gainstage"))
}
