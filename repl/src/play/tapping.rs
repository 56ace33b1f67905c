//! The tempo by hand: `:tap`, then Enter on each beat.

use std::time::{Duration, Instant};

use super::Playing;
use crate::status;

/// How long after a tap the next one begins anew.
const PAUSE: Duration = Duration::from_secs(2);

/// How many taps are needed, and of how many at most the tempo is found.
const LEAST: usize = 4;
const MOST: usize = 8;

/// Somebody who taps.
#[derive(Default)]
pub(super) struct Tapping {
    /// Whether Enter is a tap.
    is_on: bool,
    taps: Vec<Instant>,
    /// The line that the taps have made of the text last.
    line: Option<String>,
}

impl Tapping {
    /// Begins to be tapped, or goes on.
    pub(super) fn begin(&mut self) {
        self.is_on = true;
    }

    /// What is typed from now on is no tap.
    pub(super) fn end(&mut self) {
        *self = Tapping::default();
    }

    /// Whether Enter is a tap.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Takes a tap; how many there are by now.
    fn tap(&mut self, at: Instant) -> usize {
        if self.taps.last().is_some_and(|last| at.saturating_duration_since(*last) > PAUSE) {
            self.taps.clear();
            // What comes now is a tempo of its own.
            self.line = None;
        }
        if self.taps.len() == MOST {
            self.taps.remove(0);
        }
        self.taps.push(at);
        self.taps.len()
    }

    /// The line that the taps stand for.
    fn tempo(&self) -> Option<String> {
        let first = *self.taps.first()?;
        let times: Vec<f64> = self.taps.iter().map(|tap| tap.saturating_duration_since(first).as_secs_f64()).collect();
        tempo_of(&times).map(|bpm| format!("tempo({bpm})"))
    }
}

/// Beats a minute, to a tenth, by the times of taps in seconds: of the line through them that is nearest in the least squares, which
/// evens out single taps. None of too few.
fn tempo_of(times: &[f64]) -> Option<f64> {
    if times.len() < LEAST {
        return None;
    }
    let middle = (times.len() - 1) as f64 / 2.0;
    let numbered = || times.iter().enumerate().map(|(i, time)| (i as f64 - middle, time));
    let beat = numbered().map(|(i, time)| i * time).sum::<f64>() / numbered().map(|(i, _)| i * i).sum::<f64>();
    (beat > 0.0).then(|| (600.0 / beat).round() / 10.0)
}

impl Playing<'_> {
    /// Takes a tap on the beat. The tempo that is tapped is one line of the text, however long that goes on.
    pub(super) fn tapped(&mut self, at: Instant) {
        let count = self.tapping.tap(at);
        let Some(line) = self.tapping.tempo() else {
            return status::say(match count {
                1 => "tap: Enter on each beat; any other line ends it".into(),
                count => format!("tap {count} of {LEAST}"),
            });
        };
        if self.tapping.line.as_ref() == Some(&line) {
            return;
        }
        status::say(&line);
        let before = self.tapping.line.clone();
        self.line_in_place_of(before.as_deref(), &line);
        if self.text.history().last() == Some(line.as_str()) {
            self.tapping.line = Some(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_taps_give_their_tempo_from_the_fourth_on() {
        let times = |n: u32, bpm: f64| (0..n).map(|i| f64::from(i) * 60.0 / bpm).collect::<Vec<_>>();
        assert_eq!(tempo_of(&times(3, 120.0)), None);
        for bpm in [40.0, 96.5, 120.0, 239.9] {
            for taps in 4..=8 {
                assert_eq!(tempo_of(&times(taps, bpm)), Some(bpm));
            }
        }
        assert_eq!(tempo_of(&[1.0; 8]), None, "at one time there is no tempo");
    }

    #[test]
    fn a_tap_that_is_late_weighs_as_in_a_line_of_least_squares() {
        // By the closed form: a tap of number i, late by d, moves the beat by (i - 3.5) d / 42 with eight taps.
        for (i, late) in [(0, 0.03), (3, -0.04), (7, 0.02)] {
            let mut times: Vec<f64> = (0..8).map(|i| f64::from(i) * 0.5).collect();
            times[i] += late;
            let beat = 0.5 + (i as f64 - 3.5) * late / 42.0;
            assert_eq!(tempo_of(&times), Some((600.0 / beat).round() / 10.0));
        }
    }

    #[test]
    fn taps_begin_anew_after_a_pause_and_the_last_eight_count() {
        let (mut tapping, begin) = (Tapping::default(), Instant::now());
        let at = |seconds: f64| begin + Duration::from_secs_f64(seconds);
        (0..20).for_each(|i| _ = tapping.tap(at(f64::from(i) * 0.6)));
        assert_eq!((tapping.taps.len(), tapping.tempo().as_deref()), (8, Some("tempo(100)")));
        // Slower: the taps before it are soon forgotten.
        (1..=8).for_each(|i| _ = tapping.tap(at(19.0 * 0.6 + f64::from(i))));
        assert_eq!(tapping.tempo().as_deref(), Some("tempo(60)"));
        assert_eq!((tapping.tap(at(60.0)), tapping.tempo()), (1, None));
    }
}
