//! Where the program keeps what outlives it and is no result: the user's state directory.
//!
//! `$XDG_STATE_HOME/gainstage`, or `~/.local/state/gainstage`; on Windows `%LOCALAPPDATA%\gainstage`. What is kept of a
//! session is found again by where the session lies.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use engine::random;

/// A folder of this name in the user's state directory. It is made if it is not there, for the user's eyes alone.
///
/// # Errors
/// Nobody says where the user's files are, or the folder cannot be made.
pub fn folder(name: &str) -> io::Result<PathBuf> {
    let folder = state(|variable| std::env::var_os(variable), std::env::home_dir()).map(|state| state.join(name));
    let folder = folder.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "neither XDG_STATE_HOME nor HOME is set"))?;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    Ok(folder)
}

/// A folder name for what is kept of a session: `first-9f86d081884c7d65`. The same for every way of writing its path.
pub fn name_of(session: &Path) -> String {
    let whole = session.canonicalize().or_else(|_| std::path::absolute(session)).unwrap_or_else(|_| session.to_owned());
    let hash = whole.as_os_str().as_encoded_bytes().iter().fold(0, |hash, byte| random::mix(hash ^ u64::from(*byte)));
    let stem = session.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    format!("{stem}-{hash:016x}")
}

/// The program's own state directory. By the standard a relative path in a variable counts as none.
fn state(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let given = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = if cfg!(windows) { given("LOCALAPPDATA") } else { home.map(|home| home.join(".local/state")) };
    given("XDG_STATE_HOME").or(usual).map(|state| state.join("gainstage"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn it_is_where_the_user_says_or_where_it_is_usual() {
        let said = |value: &'static str| {
            state(move |name| (name == "XDG_STATE_HOME").then(|| value.into()), Some("/home/me".into()))
        };
        assert_eq!(said("/var/mine"), Some("/var/mine/gainstage".into()));
        assert_eq!(said("relative"), Some("/home/me/.local/state/gainstage".into()));
        assert_eq!(state(|_| None, None), None);
    }

    #[test]
    fn a_session_has_one_name_however_it_is_written_and_no_other_has_it() {
        let place = tempfile::tempdir().unwrap();
        let (a, b) = (place.path().join("a.rhai"), place.path().join("b.rhai"));
        std::fs::write(&a, "").unwrap();
        std::fs::create_dir(place.path().join("more")).unwrap();
        assert_eq!(name_of(&a), name_of(&place.path().join("more/../a.rhai")));
        assert!(name_of(&a).starts_with("a-"));
        let elsewhere = place.path().join("more/a.rhai");
        assert_ne!(name_of(&a), name_of(&elsewhere));
        assert_ne!(name_of(&a)[2..], name_of(&b)[2..]);
    }
}
