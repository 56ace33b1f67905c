//! Who looks, and at what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many may look at once.
const MOST: usize = 64;

/// How many different things are looked at closely at once. Who looks at another one sees the rest of the page.
const CLOSELY: usize = 8;

/// How long somebody who is gone is taken to come back: who looks at something else is gone for a moment.
const LEASE: Duration = Duration::from_secs(2);

/// Everyone who looks.
#[derive(Default)]
pub struct Looks(Mutex<All>);

#[derive(Default)]
struct All {
    /// What each looks at, by its number.
    paths: BTreeMap<u64, String>,
    next: u64,
    /// When the last of them left.
    left: Option<Instant>,
}

/// One of those who look, until it is dropped.
pub struct Look {
    all: Arc<Looks>,
    number: u64,
}

impl Looks {
    /// Whether anybody looks, or has looked a moment ago.
    pub fn any(&self) -> bool {
        let all = self.lock();
        !all.paths.is_empty() || all.left.is_some_and(|left| left.elapsed() < LEASE)
    }

    /// What is looked at closely: of too many things the first.
    pub fn paths(&self) -> Vec<String> {
        let all = self.lock();
        let different: BTreeSet<&String> = all.paths.values().collect();
        different.into_iter().take(CLOSELY).cloned().collect()
    }

    /// Somebody looks at a path; nothing when there are too many already.
    pub fn look(self: &Arc<Self>, path: String) -> Option<Look> {
        let mut all = self.lock();
        if all.paths.len() == MOST {
            return None;
        }
        all.next += 1;
        let number = all.next;
        all.paths.insert(number, path);
        Some(Look { all: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        all.paths.remove(&self.number);
        all.left = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_may_look_and_who_goes_makes_room() {
        let looks = Arc::new(Looks::default());
        assert!(!looks.any());
        let mut all: Vec<Look> = (0..MOST).filter_map(|i| looks.look(format!("path {i}"))).collect();
        assert!(looks.any() && all.len() == MOST && looks.look("one more".into()).is_none());
        assert_eq!(looks.paths().len(), CLOSELY);
        all.truncate(1);
        assert_eq!(looks.paths(), ["path 0"]);
        let same = looks.look("path 0".into());
        assert!(same.is_some() && looks.paths().len() == 1);
        drop((same, all));
        assert!(looks.any() && looks.paths().is_empty(), "they may come back");
        std::thread::sleep(LEASE);
        assert!(!looks.any());
    }
}
