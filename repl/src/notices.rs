//! Trouble that may come a thousand times a second, told a few times: a controller that sends what nobody understands must
//! not drown what else there is to read.

use std::time::{Duration, Instant};

/// How long after the first of them notices are held back.
const PAUSE: Duration = Duration::from_secs(5);

/// How many different notices are told at once within a pause.
const AT_ONCE: usize = 4;

/// Notices of one kind of thing: the first few are told, what follows is counted, and the count is told when the pause is
/// over.
#[derive(Default)]
pub struct Notices {
    /// When the pause began.
    since: Option<Instant>,
    told: Vec<String>,
    more: u64,
    last: String,
}

impl Notices {
    /// Whether one that has not been told would be.
    pub fn has_room(&self) -> bool {
        self.told.len() < AT_ONCE
    }

    /// Takes a notice; gives it back if it is to be told now.
    pub fn about(&mut self, notice: String, now: Instant) -> Option<String> {
        self.since.get_or_insert(now);
        if self.has_room() && !self.told.contains(&notice) {
            self.told.push(notice.clone());
            return Some(notice);
        }
        self.more += 1;
        self.last = notice;
        None
    }

    /// What was told since the pause began.
    #[cfg(test)]
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// What is to be told of the notices that were held back, once the pause is over.
    pub fn due(&mut self, now: Instant) -> Option<String> {
        self.since.take_if(|since| now.duration_since(*since) >= PAUSE)?;
        let Notices { more, last, .. } = std::mem::take(self);
        match more {
            0 => None,
            1 => Some(last),
            more => Some(format!("{more} more like it; the last: {last}")),
        }
    }
}

/// What somebody else has sent, without what would move the cursor of a terminal.
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_a_few_lines_that_count_it_all() {
        let (mut notices, begin) = (Notices::default(), Instant::now());
        let mut lines = Vec::new();
        for i in 0..10_000 {
            let now = begin + Duration::from_millis(i);
            lines.extend(notices.about(format!("no {}", i % 7), now));
            lines.extend(notices.due(now));
        }
        lines.extend(notices.due(begin + 3 * PAUSE));
        // Two pauses: four lines and a count each.
        assert_eq!(lines.len(), 10, "{lines:?}");
        let counted = |line: &String| line.split(' ').next().and_then(|n| n.parse::<u64>().ok());
        assert_eq!(lines.iter().filter_map(counted).sum::<u64>() + 8, 10_000);
    }

    #[test]
    fn what_is_shown_moves_no_cursor() {
        assert_eq!(visible("/a\u{1b}[2J\n\u{9b}b"), "/a\u{fffd}[2J\u{fffd}\u{fffd}b");
    }

    #[test]
    fn one_that_is_held_back_is_told_in_full() {
        let (mut notices, now) = (Notices::default(), Instant::now());
        assert_eq!(notices.about("a".into(), now).as_deref(), Some("a"));
        assert_eq!((notices.about("a".into(), now), notices.due(now)), (None, None));
        assert_eq!(notices.due(now + PAUSE).as_deref(), Some("a"));
        assert_eq!(notices.due(now + 2 * PAUSE), None);
    }
}
