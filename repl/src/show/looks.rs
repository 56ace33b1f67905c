//! Who looks, and at what.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::seen::Manner;

/// How many may look at once.
const MOST: usize = 64;

/// How many different things are looked at closely at once. Who looks at another one sees the rest of the page.
const CLOSELY: usize = 8;

/// How long somebody who is gone is taken to come back: who looks at something else is gone for a moment.
const LEASE: Duration = Duration::from_secs(2);

/// What whoever comes looks at first.
pub const FIRST: &str = "master";

/// How long what is looked at closely stays the same at least: each change of it is a new program for the desk.
const STEADY: Duration = Duration::from_millis(200);

/// Everyone who looks.
#[derive(Default)]
pub struct Looks(Mutex<All>);

#[derive(Default)]
struct All {
    /// What each looks at and in what way, by its number.
    each: BTreeMap<u64, (String, Manner)>,
    next: u64,
    /// When the last of them left.
    left: Option<Instant>,
    /// What is looked at closely, and since when that is so.
    shown: Vec<String>,
    changed: Option<Instant>,
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
        !all.each.is_empty() || all.left.is_some_and(|left| left.elapsed() < LEASE)
    }

    /// What is looked at closely: of too many things those that most look at, and of these what was looked at first. It stays
    /// as it is for a moment, however often it is changed.
    pub fn paths(&self) -> Vec<String> {
        let mut all = self.lock();
        if all.changed.is_some_and(|changed| changed.elapsed() < STEADY) {
            return all.shown.clone();
        }
        let mut different: Vec<(&String, usize)> = Vec::new();
        for (path, _) in all.each.values() {
            match different.iter_mut().find(|(known, _)| *known == path) {
                Some((_, count)) => *count += 1,
                None => different.push((path, 1)),
            }
        }
        different.sort_by_key(|(path, count)| (*path != FIRST, Reverse(*count)));
        let shown: Vec<String> = different.into_iter().take(CLOSELY).map(|(path, _)| path.clone()).collect();
        if shown != all.shown {
            (all.shown, all.changed) = (shown, Some(Instant::now()));
        }
        all.shown.clone()
    }

    /// In what ways somebody looks.
    pub fn manners(&self) -> BTreeSet<Manner> {
        self.lock().each.values().map(|(_, manner)| *manner).collect()
    }

    /// Somebody looks at a path, in a way; nothing when there are too many already.
    pub fn look(self: &Arc<Self>, path: String, manner: Manner) -> Option<Look> {
        let mut all = self.lock();
        if all.each.len() == MOST {
            return None;
        }
        all.next += 1;
        let number = all.next;
        all.each.insert(number, (path, manner));
        Some(Look { all: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        all.each.remove(&self.number);
        all.left = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(looks: &Arc<Looks>, path: &str) -> Option<Look> {
        looks.look(path.into(), Manner::default())
    }

    #[test]
    fn so_many_may_look_and_who_goes_makes_room() {
        let looks = Arc::new(Looks::default());
        assert!(!looks.any());
        let mut all: Vec<Look> = (0..MOST).filter_map(|i| look(&looks, &format!("path {i}"))).collect();
        assert!(looks.any() && all.len() == MOST && look(&looks, "one more").is_none());
        all.truncate(1);
        assert!(look(&looks, "one more").is_some());
        drop(all);
        assert!(looks.any(), "they may come back");
        std::thread::sleep(LEASE);
        assert!(!looks.any());
    }

    #[test]
    fn of_too_many_things_the_master_and_what_most_look_at_are_seen_closely() {
        let looks = Arc::new(Looks::default());
        let paths = (0..2 * CLOSELY).map(|i| format!("path {i}"));
        let mut all: Vec<Look> = paths.filter_map(|path| look(&looks, &path)).collect();
        all.extend(["zither", "zither", FIRST].into_iter().filter_map(|path| look(&looks, path)));
        let seen = looks.paths();
        assert_eq!((seen.len(), &seen[..3]), (CLOSELY, &[FIRST.into(), "zither".into(), "path 0".to_owned()][..]));
        drop(all);
        assert_eq!(looks.paths(), seen, "for a moment it stays as it is");
        std::thread::sleep(STEADY);
        assert!(looks.paths().is_empty());
    }
}
