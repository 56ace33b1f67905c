//! What is in sound files, as a number that no other content has. Reading a long file takes seconds, so it is done on a
//! thread of its own, and once for each version of a file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::record::Stamp;

/// BLAKE3 of a file, in hexadecimal.
///
/// # Errors
/// It cannot be read.
pub fn of_file(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(std::fs::File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// BLAKE3 of a text, in hexadecimal.
pub fn of_text(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Hashes of files, each taken once as long as it stays the same.
#[derive(Default)]
pub struct Hashes {
    known: BTreeMap<Stamp, String>,
}

impl Hashes {
    /// The hash of a file as it is now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(&mut self, stamp: &Stamp) -> io::Result<String> {
        if let Some(hash) = self.known.get(stamp) {
            return Ok(hash.clone());
        }
        let hash = of_file(&stamp.path)?;
        self.known.insert(stamp.clone(), hash.clone());
        Ok(hash)
    }
}

/// Starts the thread: it takes stamps and gives each to `found` with its hash, once. A file that is another by the time
/// it is read, or cannot be read, is passed over. It ends when nobody can ask any more, or `found` says that nobody
/// listens.
///
/// # Errors
/// The system has no thread to give.
pub fn start(found: impl Fn(Stamp, String) -> bool + Send + 'static) -> io::Result<Sender<Stamp>> {
    let (ask, asked) = mpsc::channel::<Stamp>();
    thread::Builder::new().name("gainstage-hash".into()).spawn(move || {
        let mut hashes = Hashes::default();
        for stamp in asked {
            let known = hashes.known.contains_key(&stamp);
            let hash = hashes.of(&stamp).ok().filter(|_| Stamp::of(stamp.path.clone()) == stamp);
            if !known && hash.is_some_and(|hash| !found(stamp, hash)) {
                return;
            }
        }
    })?;
    Ok(ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_blake3s_and_is_taken_once_for_each_version() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("a.wav");
        std::fs::write(&path, "").expect("it can be written");
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(of_file(&path).expect("it is there"), empty, "the published test vector");

        let (send, found) = mpsc::channel();
        let ask = start(move |stamp, hash| send.send((stamp, hash)).is_ok()).expect("there are threads");
        let first = Stamp::of(path.clone());
        std::fs::write(&path, "other").expect("it can be written");
        let second = Stamp::of(path);
        for stamp in [&first, &second, &second] {
            ask.send(stamp.clone()).expect("it listens");
        }
        drop(ask);
        let found: Vec<Stamp> = found.iter().map(|(stamp, _)| stamp).collect();
        assert_eq!(found, [second], "the first is not there any more, and the second is told once");
    }
}
