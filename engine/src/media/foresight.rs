//! Opening several files at a time, before they are asked for one after the other.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Library, Media, lock};

impl Library {
    /// Opens files that are about to be asked for, as many at a time as there are cores, and gives what it opened: as long as
    /// somebody holds it, it is not forgotten. Files that are known already are left alone; what is wrong with one is told to
    /// whoever asks for it.
    pub fn foresee(&self, files: &[PathBuf], rate: u32) -> Vec<Arc<Media>> {
        let new = self.unknown(files, rate);
        // There is no hurry with one; and how many cores there are takes a while to find out.
        if new.len() < 2 {
            return Vec::new();
        }
        let threads = thread::available_parallelism().map_or(1, usize::from).min(new.len());
        let (next, new) = (AtomicUsize::new(0), &new);
        let open = || {
            let one = || new.get(next.fetch_add(1, Ordering::Relaxed));
            std::iter::from_fn(one).filter_map(|file| self.open(file, rate).ok()).collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(open)).collect();
            let mut opened = open();
            // What a thread could not open is opened by whoever asks for it.
            opened.extend(others.into_iter().filter_map(|other| other.join().ok()).flatten());
            opened
        })
    }

    /// Those that are not open by the names that they are asked for by, each once.
    fn unknown<'a>(&self, files: &'a [PathBuf], rate: u32) -> Vec<&'a Path> {
        let open = lock(&self.open);
        let of_rate = open.iter().filter(|(key, _)| key.rate == rate);
        let known: BTreeSet<&OsStr> = of_rate.map(|(_, media)| media.path.as_os_str()).collect();
        let asked: BTreeSet<&'a OsStr> = files.iter().map(|file| file.as_os_str()).collect();
        asked.into_iter().filter(|file| !known.contains(file)).map(Path::new).collect()
    }
}
