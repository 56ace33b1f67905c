//! The desk's end of what it is told: threads that read it, pass it on, and write the answer. Whatever a client does or leaves
//! undone, the desk does not wait for it.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Answer, Asked, MOST, socket};

/// How long a client may take to say what it wants, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the desk may take before it is too late.
const DESK: Duration = Duration::from_secs(10);

/// How many clients are heard at a time.
const AT_ONCE: usize = 32;

/// How long to wait when the system has no room for another client.
const REST: Duration = Duration::from_millis(100);

/// A desk that listens. Dropped, it can be told nothing any more.
pub struct Ears {
    socket: PathBuf,
}

impl Drop for Ears {
    fn drop(&mut self) {
        // What stays is removed by the next who finds nobody there.
        let _ = fs::remove_file(&self.socket);
    }
}

impl Ears {
    /// Lets a desk be told something; each thing goes to `take`.
    ///
    /// # Errors
    /// There is no place to listen at.
    pub fn open(session: &Path, take: impl Fn(Asked) + Clone + Send + 'static) -> io::Result<Option<Ears>> {
        let (listener, socket) = socket::listen()?;
        let session = socket::known_as(session);
        thread::Builder::new().name("gainstage-tell".into()).spawn(move || receive(&listener, &session, take))?;
        Ok(Some(Ears { socket }))
    }
}

/// One of those who are heard.
struct Client(Arc<AtomicUsize>);

impl Drop for Client {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn receive(listener: &UnixListener, session: &str, take: impl Fn(Asked) + Clone + Send + 'static) {
    let heard = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(REST);
            continue;
        };
        let client = Client(heard.clone());
        if heard.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
            // A few bytes are taken at once, whoever reads them.
            let _ = give(stream, &Answer::refused("too many speak at once: tell it again"));
            continue;
        }
        let (session, take) = (session.to_owned(), take.clone());
        let serve = move || {
            let _client = client;
            // A client that has gone needs no answer.
            let _ = serve(stream, &session, PATIENCE, take);
        };
        // Without a thread nobody is heard, and the client sees that it has been hung up on.
        let _ = thread::Builder::new().name("gainstage-client".into()).spawn(serve);
    }
}

fn serve(mut stream: UnixStream, session: &str, patience: Duration, take: impl Fn(Asked)) -> io::Result<()> {
    let answer = match hear(&mut stream, patience) {
        Ok(text) if text.is_empty() => Answer { refused: false, text: format!("{session}\n") },
        Ok(text) => asked(text, take),
        Err(why) => Answer::refused(why),
    };
    give(stream, &answer)
}

fn give(mut stream: UnixStream, answer: &Answer) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let word = if answer.refused { "refused" } else { "taken" };
    stream.write_all(format!("{word}\n{}", answer.text).as_bytes())
}

/// Everything that a client says, if it takes no longer than that.
fn hear(stream: &mut UnixStream, patience: Duration) -> Result<String, String> {
    let (begun, mut bytes, mut part) = (Instant::now(), Vec::new(), [0; 4096]);
    loop {
        let left = patience.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err("what you tell takes too long to come".into());
        }
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        match stream.read(&mut part) {
            Ok(0) => return text(bytes),
            Ok(read) if bytes.len() + read > MOST => {
                return Err(format!("that is too much: at most {MOST} bytes can be told at once"));
            }
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// What was said, as a text that can be shown anywhere.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|_| "this is no text in UTF-8")?.replace("\r\n", "\n");
    let control = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
    match text.chars().find(control) {
        Some(c) => Err(format!("there is a control character in it, U+{:04X}, which no text has", u32::from(c))),
        None => Ok(text),
    }
}

/// Passes something on to the desk, and waits for what it says.
fn asked(text: String, take: impl Fn(Asked)) -> Answer {
    let (answer, answered) = mpsc::channel();
    let open = Arc::new(AtomicBool::new(true));
    take(Asked { text, open: open.clone(), answer });
    let said = match answered.recv_timeout(DESK) {
        // What it has already begun with is waited for.
        Err(RecvTimeoutError::Timeout) if !open.swap(false, Ordering::SeqCst) => answered.recv_timeout(DESK),
        said => said,
    };
    said.unwrap_or_else(|_| Answer::refused("the desk has no time, or has ended: tell it again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Shutdown;

    /// A desk that takes what it is told by repeating it, and the other end of a client of it.
    fn client() -> (UnixStream, thread::JoinHandle<io::Result<()>>) {
        let (here, there) = UnixStream::pair().expect("there are sockets");
        let repeat = |asked: Asked| {
            let answer = Answer::new(false, &format!("\u{1b}[1m{}\u{1b}[0m", asked.text));
            assert!(asked.take() && !asked.take(), "it is done once");
            asked.answer(answer);
        };
        (here, thread::spawn(move || serve(there, "/a/night.rhai", Duration::from_millis(500), repeat)))
    }

    fn answer(said: &[u8]) -> String {
        let (mut client, _) = client();
        client.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
        // It may be hung up on before all is said.
        let _ = client.write_all(said).and_then(|()| client.shutdown(Shutdown::Write));
        let mut answer = String::new();
        let _ = client.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn what_is_told_reaches_the_desk_as_one_text_and_the_answer_comes_back_without_colours() {
        assert_eq!(answer(b"let a = 1;\r\n\na >> band;"), "taken\nlet a = 1;\n\na >> band;");
        assert_eq!(answer(b""), "taken\n/a/night.rhai\n");
    }

    #[test]
    fn what_is_no_text_or_too_much_is_refused_in_words() {
        assert!(answer(b"voice \xff").starts_with("refused\nerror: this is no text in UTF-8"));
        assert!(answer(b"\x1b[2J").contains("U+001B"));
        assert!(answer(b"a\0b").contains("U+0000"));
        assert!(answer(&vec![b'a'; MOST]).starts_with("taken\naaa"));
        let refused = answer(&vec![b'a'; MOST + 1]);
        // Of a client that is still sending when it is hung up on the answer may be lost.
        assert!(refused.is_empty() || refused.contains("too much"), "{refused}");
    }

    #[test]
    fn a_client_that_says_nothing_or_goes_keeps_nobody() {
        let (silent, served) = client();
        let (gone, left) = client();
        drop(gone);
        assert!(left.join().expect("it ends").is_err(), "there is nobody to answer");
        served.join().expect("it ends by itself").expect("the client is still there");
        drop(silent);
    }
}
