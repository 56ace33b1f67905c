//! MIDI clock out: what is to be said when, so that each tick is heard with the frame that it belongs to.

use engine::tempo::Tempo;

use super::follower::{STEP, TICKS, Word};

/// From how many seconds on the transport has gone elsewhere.
const ELSEWHERE: f64 = 0.04;

/// How late something may be said at all, in seconds.
pub(super) const LATE: f64 = 0.1;

/// The last position that can be said, in sixteenths.
const LAST: i64 = 0x3fff;

/// Where the transport is as it is heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// A time, in seconds.
    pub time: f64,
    /// The frame of the transport that is heard then, fractions included.
    pub frame: f64,
    /// Frames a second, as that clock counts them.
    pub rate: f64,
    /// Whether it goes on.
    pub rolling: bool,
}

impl Seen {
    /// Whether it has left where it was before, and whether it has entered where it is.
    pub(super) fn turns(&self, before: Option<Seen>) -> (bool, bool) {
        let went_on = before.is_some_and(|before| before.rolling);
        let elsewhere = before.is_some_and(|before| {
            let expected = before.frame + (self.time - before.time) * self.rate;
            (self.frame - expected).abs() > ELSEWHERE * self.rate
        });
        (went_on && (!self.rolling || elsewhere), self.rolling && (!went_on || elsewhere))
    }
}

/// Says the ticks of a transport, and where it starts, stops and goes.
#[derive(Debug, Default)]
pub struct Ticker {
    before: Option<Seen>,
    /// The tick of the song that comes next while it goes on.
    next: i64,
    /// The tick before which it is said that it goes on.
    entry: Option<i64>,
    /// When the last tick was, or is.
    last: f64,
}

impl Ticker {
    /// What is to be said until a time, which is soon, each with its own time: in that order. What was given is not given again.
    pub fn due(&mut self, seen: Seen, tempo: &Tempo, until: f64) -> Vec<(f64, Word)> {
        let mut due = Vec::new();
        let (left, entered) = seen.turns(self.before.replace(seen));
        if left {
            due.push((seen.time, Word::Stop));
        }
        if entered {
            self.enter(seen, tempo, &mut due);
        }
        let period = 60.0 / (TICKS * tempo.bpm_at(seen.frame as i64));
        loop {
            let at = if seen.rolling {
                seen.time + (tempo.frame_of_beat(self.next as f64 / TICKS) - seen.frame) / seen.rate
            } else {
                // Clocks tick on where songs stand still.
                (self.last + period).max(seen.time - LATE)
            };
            if at >= until {
                return due;
            }
            if seen.rolling {
                if self.entry.take_if(|entry| *entry <= self.next).is_some() {
                    due.push((at, if self.next == 0 { Word::Start } else { Word::Continue }));
                }
                self.next += 1;
            }
            if at >= seen.time - LATE {
                due.push((at, Word::Tick));
            }
            self.last = at;
        }
    }

    /// The song is entered at the next sixteenth.
    fn enter(&mut self, seen: Seen, tempo: &Tempo, due: &mut Vec<(f64, Word)>) {
        let beat = tempo.beat_at(seen.frame.max(0.0) as i64);
        // A tick that is this frame's is still to come.
        let first = (beat * TICKS - 1e-6).ceil() as i64;
        let step = (first + STEP - 1) / STEP;
        self.next = first;
        self.entry = Some(step * STEP);
        if (1..=LAST).contains(&step) {
            due.push((seen.time, Word::Position(step as u16)));
        }
    }
}

impl Word {
    /// Its bytes.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Word::Tick => vec![0xf8],
            Word::Start => vec![0xfa],
            Word::Continue => vec![0xfb],
            Word::Stop => vec![0xfc],
            Word::Position(steps) => vec![0xf2, (steps & 0x7f) as u8, (steps >> 7 & 0x7f) as u8],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::follower::{Follower, Reader, Told};
    use super::*;
    use engine::units::Clock;

    const CLOCK: Clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };

    /// Everything that is said while a transport goes on from a frame, looked at every 5 ms, 10 ms ahead.
    fn said(
        ticker: &mut Ticker,
        tempo: &Tempo,
        from: f64,
        begin: f64,
        seconds: f64,
        rolling: bool,
    ) -> Vec<(f64, Word)> {
        let looks = (seconds / 0.005).round() as i32;
        let look = |i: i32| {
            let time = begin + f64::from(i) * 0.005;
            let on = if rolling { f64::from(i) * 0.005 * 48_000.0 } else { 0.0 };
            ticker.due(Seen { time, frame: from + on, rate: 48_000.0, rolling }, tempo, time + 0.01)
        };
        (0..looks).map(look).collect::<Vec<_>>().concat()
    }

    #[test]
    fn each_tick_is_said_once_when_its_frame_is_heard() {
        let mut tempo = Tempo::new(Clock { tempo: 93.0, ..CLOCK });
        tempo.change(100_000, Clock { tempo: 171.0, ..CLOCK });
        let all = said(&mut Ticker::default(), &tempo, 0.0, 7.0, 4.0, true);
        assert_eq!(all[0], (7.0, Word::Start));
        let ticks: Vec<f64> = all.iter().filter(|(_, word)| *word == Word::Tick).map(|(at, _)| *at).collect();
        assert_eq!((ticks.len(), all.len()), (all.len() - 1, ticks.len() + 1));
        for (tick, at) in ticks.iter().enumerate() {
            let exact = 7.0 + tempo.frame_of_beat(tick as f64 / 24.0) / 48_000.0;
            assert!((at - exact).abs() < 1e-9, "tick {tick} at {at}, not {exact}");
        }
    }

    #[test]
    fn it_is_entered_at_the_next_sixteenth_and_what_follows_counts_the_same() {
        let tempo = Tempo::new(CLOCK);
        let mut ticker = Ticker::default();
        // The second sixteenth begins at frame 6000, a tick is 1000 frames.
        let all = said(&mut ticker, &tempo, 4_500.0, 0.0, 0.2, true);
        let first: Vec<Word> = all.iter().map(|(_, word)| *word).take(4).collect();
        assert_eq!(first, [Word::Position(1), Word::Tick, Word::Continue, Word::Tick]);
        assert!((all[2].0 - 1_500.0 / 48_000.0).abs() < 1e-9);
        // Somebody who follows is where the transport is.
        let (mut reader, mut follower) = (Reader::default(), Follower::default());
        let told: Vec<Told> = all
            .iter()
            .flat_map(|(at, word)| reader.read(&word.bytes()).into_iter().map(|word| (*at, word)).collect::<Vec<_>>())
            .filter_map(|(at, word)| follower.take(word, at))
            .collect();
        assert_eq!(told, [Told::Locate(0.25), Told::Start(0.25)]);
    }

    #[test]
    fn it_stops_ticks_on_and_says_where_it_goes() {
        let tempo = Tempo::new(CLOCK);
        let mut ticker = Ticker::default();
        said(&mut ticker, &tempo, 0.0, 0.0, 1.0, true);
        let still = said(&mut ticker, &tempo, 48_000.0, 1.0, 1.0, false);
        assert_eq!(still[0], (1.0, Word::Stop));
        let ticks = still.len() - 1;
        assert!((47..=49).contains(&ticks) && still[1..].iter().all(|(_, word)| *word == Word::Tick), "{ticks}");
        let on = said(&mut ticker, &tempo, 96_000.0, 2.0, 0.1, true);
        assert_eq!((on[0], on[1].1), ((2.0, Word::Position(16)), Word::Continue));
        let gone = said(&mut ticker, &tempo, 0.0, 2.1, 0.1, true);
        let words: Vec<Word> = gone.iter().map(|(_, word)| *word).take(3).collect();
        assert_eq!(words, [Word::Stop, Word::Start, Word::Tick]);
    }

    #[test]
    fn times_between_ticks_are_even_through_stops() {
        let tempo = Tempo::new(CLOCK);
        let mut ticker = Ticker::default();
        let mut all = said(&mut ticker, &tempo, 0.0, 0.0, 1.0, true);
        all.extend(said(&mut ticker, &tempo, 48_000.0, 1.0, 1.0, false));
        let ticks: Vec<f64> = all.iter().filter(|(_, word)| *word == Word::Tick).map(|(at, _)| *at).collect();
        for pair in ticks.windows(2) {
            assert!((pair[1] - pair[0] - 2.5 / 120.0).abs() < 1e-9, "{pair:?}");
        }
    }
}
