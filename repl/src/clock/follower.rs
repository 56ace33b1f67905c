//! MIDI clock in: what its bytes say, and the tempo and the beat that its ticks stand for. A pure function of bytes and times.

use super::lock::Lock;

/// Ticks a quarter note.
pub const TICKS: f64 = 24.0;

/// Ticks a step of a song's position: a sixteenth.
pub const STEP: i64 = 6;

/// How long it remembers, in seconds: a jitter of 2 ms moves the tempo by some hundredths of a beat a minute.
const MEMORY: f64 = 4.0;

/// How many ticks it takes before a tempo is told.
const ENOUGH: f64 = 48.0;

/// What a clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A 24th of a quarter note has gone by.
    Tick,
    /// From the beginning: the next tick is the first.
    Start,
    /// From where it stands.
    Continue,
    /// Stands still.
    Stop,
    /// It stands at so many sixteenths.
    Position(u16),
}

/// One port's bytes, read as they come: they may be cut anywhere.
#[derive(Debug, Default)]
pub struct Reader {
    /// The data bytes of a position that have come; none outside one.
    position: Option<Option<u8>>,
}

impl Reader {
    /// The words that are complete with these bytes. What else there is in them is passed over.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Word> {
        bytes.iter().filter_map(|byte| self.byte(*byte)).collect()
    }

    fn byte(&mut self, byte: u8) -> Option<Word> {
        match byte {
            0xf8 => Some(Word::Tick),
            0xfa => Some(Word::Start),
            0xfb => Some(Word::Continue),
            0xfc => Some(Word::Stop),
            // What else is of real time ends nothing.
            0xf9 | 0xfd.. => None,
            0x80..=0xf7 => {
                self.position = (byte == 0xf2).then_some(None);
                None
            }
            _ => match self.position.as_mut()? {
                first @ None => {
                    *first = Some(byte);
                    None
                }
                Some(low) => {
                    let position = u16::from(*low) | u16::from(byte) << 7;
                    self.position = None;
                    Some(Word::Position(position))
                }
            },
        }
    }
}

/// What somebody else's time is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outside {
    /// Beats a minute.
    pub tempo: f64,
    /// A time, in seconds.
    pub time: f64,
    /// The beat then. Without a start nobody knows which one it is: only how much of it has gone by.
    pub beat: f64,
    /// After how many beats it is all the same again; none when each beat is itself.
    pub wrap: Option<f64>,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// Its tempo and its beat.
    Beat(Outside),
    /// It goes on from this beat.
    Start(f64),
    /// It stands still.
    Stop,
    /// It stands at this beat.
    Locate(f64),
}

/// Follows the ticks of a clock.
#[derive(Debug)]
pub struct Follower {
    lock: Lock,
    /// Ticks that have come.
    ticks: i64,
    /// Of the song, the tick that comes next.
    song: i64,
    rolling: bool,
}

impl Default for Follower {
    fn default() -> Self {
        Follower { lock: Lock::new(MEMORY), ticks: 0, song: 0, rolling: false }
    }
}

impl Follower {
    /// Takes a word that came at a time, in seconds; what is to be done.
    pub fn take(&mut self, word: Word, time: f64) -> Option<Told> {
        match word {
            Word::Tick => return self.tick(time),
            Word::Start => (self.song, self.rolling) = (0, true),
            Word::Continue => self.rolling = true,
            Word::Stop => self.rolling = false,
            // Only who stands still can be told where.
            Word::Position(_) if self.rolling => return None,
            Word::Position(steps) => self.song = i64::from(steps) * STEP,
        }
        let beat = self.song as f64 / TICKS;
        Some(match word {
            Word::Stop => Told::Stop,
            Word::Position(_) => Told::Locate(beat),
            _ => Told::Start(beat),
        })
    }

    fn tick(&mut self, time: f64) -> Option<Told> {
        self.lock.take(self.ticks as f64, time);
        let song = self.song;
        self.ticks += 1;
        self.song += i64::from(self.rolling);
        let count = if self.rolling { song } else { self.ticks };
        if count % TICKS as i64 != 0 || self.lock.seen() < ENOUGH.min(self.ticks as f64) || self.ticks < ENOUGH as i64 {
            return None;
        }
        let tempo = self.tempo()?;
        let off = self.lock.place_at(time)? - (self.ticks - 1) as f64;
        let (beat, wrap) = if self.rolling { (song as f64, None) } else { (0.0, Some(1.0)) };
        Some(Told::Beat(Outside { tempo, time, beat: (beat + off) / TICKS, wrap }))
    }

    /// Beats a minute, once known.
    pub fn tempo(&self) -> Option<f64> {
        Some(60.0 / (TICKS * self.lock.period()?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::lock::tests::Chance;
    use super::*;

    #[test]
    fn words_are_read_wherever_bytes_are_cut_and_whatever_is_between() {
        use Word::{Continue, Position, Start, Stop, Tick};
        let bytes = [0xf8, 0xb0, 7, 0xf8, 1, 0xf2, 0xf8, 8, 0xfe, 1, 0xfa, 5, 0xfb, 0xf2, 3, 0x90, 4, 4, 0xfc, 0xff];
        let words = [Tick, Tick, Tick, Position(136), Start, Continue, Stop];
        assert_eq!(Reader::default().read(&bytes), words);
        let mut reader = Reader::default();
        assert_eq!(bytes.iter().flat_map(|byte| reader.read(&[*byte])).collect::<Vec<_>>(), words);
        assert_eq!(Reader::default().read(&[0xf2, 0x7f, 0x7f]), [Position(16_383)]);
    }

    #[test]
    fn starts_stops_and_positions_are_told_with_their_beat() {
        let mut follower = Follower::default();
        assert_eq!(follower.take(Word::Position(6), 0.0), Some(Told::Locate(1.5)));
        assert_eq!(follower.take(Word::Continue, 0.0), Some(Told::Start(1.5)));
        (0..12).for_each(|i| _ = follower.take(Word::Tick, f64::from(i) * 0.02));
        assert_eq!(follower.take(Word::Position(6), 0.3), None, "it does not stand still");
        assert_eq!(follower.take(Word::Stop, 0.3), Some(Told::Stop));
        assert_eq!(follower.take(Word::Continue, 0.3), Some(Told::Start(2.0)));
        assert_eq!(follower.take(Word::Start, 0.3), Some(Told::Start(0.0)));
    }

    /// Feeds a tempo that is a function of the beat, with a jitter, and gives the worst errors of tempo and of time, in ms,
    /// from `settled` seconds on, and the end.
    fn errors(bpm: impl Fn(f64) -> f64, seconds: f64, settled: f64, seed: u64) -> (f64, f64) {
        let (mut follower, mut chance) = (Follower::default(), Chance(seed));
        follower.take(Word::Start, 0.0);
        let (mut time, mut worst) = (0.0, (0.0f64, 0.0f64));
        for tick in 0.. {
            if time > seconds {
                break;
            }
            let beat = f64::from(tick) / TICKS;
            let told = follower.take(Word::Tick, time + 0.002 * chance.next());
            if let Some(Told::Beat(outside)) = told
                && time >= settled
            {
                assert_eq!(outside.wrap, None);
                // Where the beat that is told is, against where it was.
                let told_at = outside.time + (beat - outside.beat) * 60.0 / outside.tempo;
                worst.0 = worst.0.max((outside.tempo - bpm(beat)).abs());
                worst.1 = worst.1.max((told_at - time).abs() * 1000.0);
            }
            time += 60.0 / (TICKS * bpm(beat + 0.5 / TICKS));
        }
        worst
    }

    #[test]
    fn a_steady_clock_is_followed_through_a_jitter_of_2_ms() {
        for (seed, bpm) in [(1, 60.0), (2, 97.3), (3, 120.0), (4, 174.0), (5, 240.0)] {
            let (tempo, ms) = errors(|_| bpm, 40.0, 8.0, seed);
            assert!(tempo < 0.05 && ms < 2.0, "{bpm}: off by {tempo} BPM, {ms} ms");
        }
    }

    #[test]
    fn another_tempo_is_found_and_the_beat_kept() {
        for (seed, from, to) in [(1, 120.0, 121.0), (2, 120.0, 180.0), (3, 180.0, 90.0), (4, 100.0, 100.3)] {
            let (tempo, ms) = errors(|beat| if beat < 20.0 { from } else { to }, 45.0, 30.0, seed);
            assert!(tempo < 0.05 && ms < 2.0, "{from} to {to}: off by {tempo} BPM, {ms} ms");
        }
    }

    #[test]
    fn a_ramp_is_followed_and_its_end_is_settled_on() {
        let ramp = |from: f64, to: f64| move |beat: f64| from + (to - from) * ((beat - 16.0) / 32.0).clamp(0.0, 1.0);
        for (seed, from, to) in [(1, 120.0, 140.0), (2, 140.0, 100.0)] {
            let (_, ms) = errors(ramp(from, to), 24.0, 6.0, seed);
            assert!(ms < 12.0, "{from} to {to}, underway: {ms} ms");
            let (tempo, ms) = errors(ramp(from, to), 55.0, 38.0, seed);
            assert!(tempo < 0.05 && ms < 2.0, "{from} to {to}: off by {tempo} BPM, {ms} ms");
        }
    }

    #[test]
    fn a_clock_that_pauses_is_begun_anew_and_one_that_does_not_run_tells_only_how_far_a_beat_is() {
        let mut follower = Follower::default();
        let told = |follower: &mut Follower, from: f64, bpm: f64| {
            let ticks = (0..200).map(|i| from + f64::from(i) * 2.5 / bpm);
            ticks.filter_map(|time| follower.take(Word::Tick, time)).last()
        };
        let Some(Told::Beat(outside)) = told(&mut follower, 0.0, 120.0) else { panic!("nothing is told") };
        assert!((outside.tempo - 120.0).abs() < 1e-6 && outside.wrap == Some(1.0) && outside.beat.abs() < 1e-6);
        let Some(Told::Beat(outside)) = told(&mut follower, 60.0, 75.0) else { panic!("nothing is told") };
        assert!((outside.tempo - 75.0).abs() < 1e-6);
    }
}
