//! Where desks can be told something: a socket for each, called after its process, in a folder that is its user's alone.
//!
//! That is `$XDG_RUNTIME_DIR/gainstage`; without one `run` in the state directory; where that does not do, a folder of the
//! system's for temporary files. A desk that is killed leaves its socket behind: whoever finds nobody there removes it.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Answer;
use crate::ending::Failure;
use crate::state_dir;

/// How long a desk may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take to say what it plays.
const GREETING: Duration = Duration::from_secs(2);

/// The most bytes of an answer that are read.
const MOST_ANSWER: u64 = 16 << 20;

/// A desk that listens.
#[derive(Clone, Debug)]
pub struct Desk {
    socket: PathBuf,
    /// Its session.
    pub session: String,
}

/// The folders in which desks listen, the best first.
fn places() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let user = rustix::process::getuid().as_raw();
    let temporary = std::env::temp_dir().join(format!("gainstage-{user}"));
    let state = state_dir::folder("run").ok();
    runtime.map(|path| path.join("gainstage")).into_iter().chain(state).chain([temporary]).collect()
}

/// Whether a folder is the user's alone.
fn is_own(folder: &Path) -> bool {
    let user = rustix::process::getuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|is| is.is_dir() && is.uid() == user && is.mode() & 0o077 == 0)
}

/// Begins to listen, at the first place where that can be done.
///
/// # Errors
/// There is none: what was wrong with the last.
pub fn listen() -> io::Result<(UnixListener, PathBuf)> {
    let mut wrong = io::Error::from(ErrorKind::NotFound);
    for folder in places() {
        match listen_in(&folder) {
            Ok(listening) => return Ok(listening),
            Err(error) => wrong = io::Error::new(error.kind(), format!("{}: {error}", folder.display())),
        }
    }
    Err(wrong)
}

fn listen_in(folder: &Path) -> io::Result<(UnixListener, PathBuf)> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if !is_own(folder) {
        return Err(io::Error::other("others than you can open this folder"));
    }
    // Those of desks that are gone are removed.
    sockets_in(folder);
    let process = std::process::id();
    // It has its name once it listens, so that nobody takes it for one that was left behind.
    let (hidden, socket) = (folder.join(format!(".{process}")), folder.join(process.to_string()));
    match fs::remove_file(&hidden) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&hidden)?;
    fs::set_permissions(&hidden, fs::Permissions::from_mode(0o600))?;
    fs::rename(&hidden, &socket)?;
    Ok((listener, socket))
}

/// The desks that listen in a folder.
fn desks_in(folder: &Path) -> Vec<Desk> {
    let desk = |(socket, stream)| {
        let session = ask(stream, &[], GREETING).ok()?.text.trim_end().to_owned();
        Some(Desk { socket, session })
    };
    sockets_in(folder).into_iter().filter_map(desk).collect()
}

/// The sockets of a folder, each with a way in. Those at which nobody listens any more are removed.
fn sockets_in(folder: &Path) -> Vec<(PathBuf, UnixStream)> {
    if !is_own(folder) {
        return Vec::new();
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sockets = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let desk = |socket: PathBuf| match UnixStream::connect(&socket) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            // One that cannot be removed is found again.
            let _ = fs::remove_file(&socket);
            None
        }
        Err(_) => None,
        Ok(stream) => Some((socket, stream)),
    };
    sockets.filter_map(|entry| desk(entry.path())).collect()
}

/// The desk that is meant: the one that plays a session, or the only one.
///
/// # Errors
/// There is none, or more than one.
pub fn choose(session: Option<&Path>) -> Result<Desk, Failure> {
    let mut desks: Vec<Desk> = places().iter().flat_map(|folder| desks_in(folder)).collect();
    let list = |desks: &[Desk]| desks.iter().map(|desk| desk.session.as_str()).collect::<Vec<_>>().join(", ");
    if desks.is_empty() {
        return Err(Failure::Error("no desk plays: start one with `gainstage play SESSION`".into()));
    }
    if let Some(session) = session {
        let (wanted, all) = (known_as(session), list(&desks));
        desks.retain(|desk| desk.session == wanted);
        if desks.is_empty() {
            return Err(Failure::Error(format!("no desk plays {}; there is {all}", session.display())));
        }
    }
    match desks.as_slice() {
        [desk] => Ok(desk.clone()),
        several if session.is_some() => {
            Err(Failure::Error(format!("{} desks play that session: end all but one", several.len())))
        }
        several => Err(Failure::Misuse(format!("several desks play: choose one with --session: {}", list(several)))),
    }
}

/// What a desk says its session is, however the path is written.
pub fn known_as(session: &Path) -> String {
    let whole = session.canonicalize().or_else(|_| std::path::absolute(session));
    whole.unwrap_or_else(|_| session.to_owned()).to_string_lossy().into_owned()
}

impl Desk {
    /// Tells it something; its answer.
    ///
    /// # Errors
    /// It does not answer.
    pub fn ask(&self, text: &[u8]) -> Result<Answer, Failure> {
        let answer = UnixStream::connect(&self.socket).and_then(|stream| ask(stream, text, PATIENCE));
        answer.map_err(|error| Failure::Error(format!("the desk of {} does not answer: {error}", self.session)))
    }
}

/// What a desk answers, if it takes no longer than that.
fn ask(mut stream: UnixStream, text: &[u8], patience: Duration) -> io::Result<Answer> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // Who refuses it may have hung up before all of it was sent: the answer says why.
    let sent = stream.write_all(text).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = String::new();
    let read = stream.take(MOST_ANSWER).read_to_string(&mut answer);
    match answer.split_once('\n') {
        Some(("taken", text)) => Ok(Answer { refused: false, text: text.to_owned() }),
        Some(("refused", text)) => Ok(Answer { refused: true, text: text.to_owned() }),
        _ => Err(sent.and(read.map(drop)).err().unwrap_or_else(|| ErrorKind::UnexpectedEof.into())),
    }
}
