//! How loud the master was since the desk plays, for whoever comes to look, in bounded memory: the longer that is, the further apart
//! are its figures.

use std::collections::VecDeque;
use std::time::Duration;

use super::seen::NOTHING;

/// How many figures are kept.
const MOST: usize = 1200;

/// How far apart they are asked for.
pub const APART: Duration = Duration::from_millis(500);

/// How many of the newest are sent by themselves, to those who know the others.
const NEWEST: usize = 16;

/// Momentary and short-term loudness, in tenths of LUFS.
pub type Loudness = [i32; 2];

/// What has been heard.
#[derive(Clone)]
pub struct Past {
    all: Vec<Loudness>,
    newest: VecDeque<(u64, Loudness)>,
    /// How many moments each figure is of, and how many of them the next one knows.
    each: u32,
    begun: (u32, Loudness),
}

impl Default for Past {
    fn default() -> Self {
        Past { all: Vec::new(), newest: VecDeque::new(), each: 1, begun: (0, [NOTHING; 2]) }
    }
}

impl Past {
    /// Takes what is heard at one more moment. Of several the loudest is kept.
    pub fn take(&mut self, now: Loudness) {
        let (count, loudest) = self.begun;
        self.begun = (count + 1, louder(loudest, now));
        if self.begun.0 < self.each {
            return;
        }
        let (_, one) = std::mem::replace(&mut self.begun, (0, [NOTHING; 2]));
        self.all.push(one);
        if self.all.len() == MOST {
            self.all = self.all.chunks(2).map(|pair| pair.iter().copied().reduce(louder).unwrap_or(one)).collect();
            self.each *= 2;
            self.newest.clear();
            return;
        }
        self.newest.push_back((self.all.len() as u64, one));
        if self.newest.len() > NEWEST {
            self.newest.pop_front();
        }
    }

    /// All of it, the oldest first.
    pub fn all(&self) -> &[Loudness] {
        &self.all
    }

    /// The newest of it, each with how many there are with it.
    pub fn newest(&self) -> impl DoubleEndedIterator<Item = &(u64, Loudness)> + Clone {
        self.newest.iter()
    }

    /// How many moments each figure is of: where that is another number, all figures are others.
    pub fn each(&self) -> u32 {
        self.each
    }

    /// How many seconds each figure is of.
    pub fn seconds(&self) -> f64 {
        f64::from(self.each) * APART.as_secs_f64()
    }
}

fn louder(one: Loudness, other: Loudness) -> Loudness {
    [one[0].max(other[0]), one[1].max(other[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_long_past_is_kept_in_bounded_memory_with_its_loudest_moments() {
        let mut past = Past::default();
        let hours = 3 * 3600 * 2;
        for moment in 0..hours {
            past.take(if moment == 5000 { [-10, -20] } else { [-300, -310] });
            assert!(past.all().len() < MOST && past.newest().count() <= NEWEST);
        }
        let covered = past.all().len() as u32 * past.each();
        assert!(covered.abs_diff(hours) < past.each(), "{covered} of {hours}");
        let loudest = past.all().iter().position(|one| *one == [-10, -20]);
        assert_eq!(loudest, Some(5000 / past.each() as usize));
        assert_eq!(past.newest().last().map(|(number, _)| *number), Some(past.all().len() as u64));
    }

    #[test]
    fn what_was_not_measured_is_a_gap_and_no_figure() {
        let mut past = Past::default();
        (0..MOST).for_each(|moment| past.take(if moment < 2 { [NOTHING; 2] } else { [-300; 2] }));
        assert_eq!((past.each(), past.all()[0], past.all()[1]), (2, [NOTHING; 2], [-300; 2]));
    }
}
