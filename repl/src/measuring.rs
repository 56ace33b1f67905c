//! What is measured while it plays: a thread takes what the desk hears at its points, and keeps the figures that others ask
//! for. The audio thread only copies. Whoever asks again is told of what came since, whoever else asks meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use engine::kernel::QUANTUM;
use engine::listen::Hearing;
use engine::measure::ballistics::{Ppm, Vu};
use engine::measure::{Figures, Layout, Measurement, Spectrum, THIRD_OCTAVES};

use crate::status;

/// How often what was heard is taken: many times in the second that waits for it.
const PAUSE: Duration = Duration::from_millis(20);

/// How many quanta of a program are taken before others may look again, and how long they have for that: a machine that cannot
/// measure as fast as it plays must not keep the desk waiting.
const AT_ONCE: usize = 16;
const BREATH: Duration = Duration::from_millis(1);

/// How many pieces of the past are kept for those who ask seldom: 10 s and more.
const MOST_PIECES: usize = 600;

/// How often the figures of the whole are reckoned.
const RECKONED: Duration = Duration::from_millis(250);

/// Seconds of sound that a spectrum is of, and how long one is made after somebody has asked for it.
const SPECTRUM_SECONDS: f64 = 1.0;
const SPECTRUM_WANTED: Duration = Duration::from_secs(12);

/// How many frames of the newest sound are kept where somebody looks at it closely.
const NEWEST: usize = 4096;

/// The levels of thirds of an octave, in dBFS.
pub type Levels = [Option<f64>; THIRD_OCTAVES.len()];

/// What is known of a point.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Of all that was heard there since somebody listens, up to a quarter of a second ago.
    pub figures: Option<Figures>,
    /// Loudness of the last 0.4 s in LUFS.
    pub momentary: Option<f64>,
    /// Loudness of the last 3 s in LUFS.
    pub short_term: Option<f64>,
    /// Of what came since it was asked last.
    pub since: Since,
    /// Where the needle of a VU meter stands, of the loudest channel: the peak in dBFS of a steady sine that it would stand at.
    pub vu: f64,
    /// The same of a peak programme meter of type II.
    pub ppm: f64,
}

/// What came since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Since {
    /// The largest sample.
    pub peak: f64,
    /// By how many dB the effect there turned down at most.
    pub reduced: f64,
    /// Samples of all channels.
    pub samples: u64,
    /// The sum of their squares.
    pub squares: f64,
    /// The sums of left times left, right times right and left times right.
    pub products: [f64; 3],
}

impl Since {
    fn of(sound: &[&[f64]], down: f64) -> Since {
        let samples = || sound.iter().flat_map(|channel| channel.iter());
        let product = |a: usize, b: usize| match (sound.get(a), sound.get(b)) {
            (Some(a), Some(b)) => a.iter().zip(b.iter()).map(|(a, b)| a * b).sum(),
            _ => 0.0,
        };
        Since {
            peak: samples().fold(0.0, |peak: f64, x| peak.max(x.abs())),
            reduced: down,
            samples: samples().count() as u64,
            squares: samples().map(|x| x * x).sum(),
            products: [product(0, 0), product(1, 1), product(0, 1)],
        }
    }

    fn add(&mut self, other: &Since) {
        self.peak = self.peak.max(other.peak);
        self.reduced = self.reduced.max(other.reduced);
        self.samples += other.samples;
        self.squares += other.squares;
        self.products.iter_mut().zip(other.products).for_each(|(sum, product)| *sum += product);
    }

    /// The largest sample in dBFS.
    pub fn sample_peak(&self) -> Option<f64> {
        decibels(self.peak)
    }

    /// The root of the mean of all squares in dBFS.
    pub fn rms(&self) -> Option<f64> {
        decibels((self.squares / self.samples.max(1) as f64).sqrt())
    }

    /// Of left and right; none where one of them is silent, or there is but one.
    pub fn correlation(&self) -> Option<f64> {
        let [left, right, both] = self.products;
        let both_sound = left > 0.0 && right > 0.0;
        both_sound.then(|| (both / (left * right).sqrt()).clamp(-1.0, 1.0))
    }
}

fn decibels(gain: f64) -> Option<f64> {
    Some(20.0 * gain.log10()).filter(|decibels| decibels.is_finite())
}

/// One point that is measured.
struct Measured {
    /// All that there is to know of it, if anybody wants more than levels.
    measurement: Option<Measurement>,
    channels: usize,
    needles: Vec<(Vu, Ppm)>,
    /// What is known of the newest pieces, the last the newest, and how many there were before.
    pieces: VecDeque<Since>,
    before: u64,
    newest: Since,
    figures: Option<Figures>,
    reckoned: Instant,
    spectrum: Option<Listened>,
    /// Its newest sound, a list a channel, if somebody looks at that closely.
    sound: Option<Vec<VecDeque<f32>>>,
}

/// A spectrum that somebody wants.
struct Listened {
    asked: Instant,
    spectrum: Spectrum,
    frames: usize,
    levels: Option<Levels>,
}

impl Measured {
    fn new(rate: u32, channels: usize, wholly: bool) -> Self {
        let needles = || (Vu::new(f64::from(rate)), Ppm::new(f64::from(rate)));
        Measured {
            measurement: wholly.then(|| Measurement::new(rate, Layout::of(channels))),
            channels,
            needles: (0..if wholly { channels } else { 0 }).map(|_| needles()).collect(),
            pieces: VecDeque::with_capacity(MOST_PIECES),
            before: 0,
            newest: Since::default(),
            figures: None,
            reckoned: Instant::now(),
            spectrum: None,
            sound: None,
        }
    }

    fn take(&mut self, rate: u32, sound: &[&[f64]], down: f64) {
        if let Some(measurement) = &mut self.measurement {
            measurement.take(sound);
        }
        for ((vu, ppm), channel) in self.needles.iter_mut().zip(sound) {
            vu.take(channel);
            ppm.take(channel);
        }
        self.newest.add(&Since::of(sound, down));
        for (newest, channel) in self.sound.iter_mut().flatten().zip(sound) {
            newest.extend(channel.iter().map(|x| *x as f32));
            newest.drain(..newest.len().saturating_sub(NEWEST));
        }
        let channels = self.channels;
        if let Some(listened) = &mut self.spectrum {
            listened.spectrum.take(sound);
            listened.frames += QUANTUM;
            if listened.frames as f64 >= SPECTRUM_SECONDS * f64::from(rate) {
                listened.levels = Some(listened.spectrum.third_octaves());
                (listened.spectrum, listened.frames) = (Spectrum::new(rate, channels), 0);
            }
        }
    }

    /// What was taken is a piece of the past now.
    fn settle(&mut self, now: Instant) {
        if self.newest.samples > 0 {
            if self.pieces.len() == MOST_PIECES {
                self.pieces.pop_front();
                self.before += 1;
            }
            self.pieces.push_back(std::mem::take(&mut self.newest));
        }
        if self.figures.is_none() || now.duration_since(self.reckoned) >= RECKONED {
            (self.figures, self.reckoned) = (self.measurement.as_mut().map(|all| all.figures()), now);
        }
        self.spectrum.take_if(|listened| now.duration_since(listened.asked) > SPECTRUM_WANTED);
    }

    fn read(&mut self, from: u64) -> (Reading, u64) {
        let mut since = Since::default();
        let skip = from.saturating_sub(self.before) as usize;
        self.pieces.iter().skip(skip).for_each(|piece| since.add(piece));
        let most = |of: fn(&(Vu, Ppm)) -> f64| self.needles.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (vu, ppm) = (most(|(vu, _)| vu.reading()), most(|(_, ppm)| ppm.reading()));
        let now = self.measurement.as_mut().map(|all| all.readings());
        let reading = Reading {
            figures: self.figures.clone(),
            momentary: now.as_ref().and_then(|now| now.momentary),
            short_term: now.as_ref().and_then(|now| now.short_term),
            since,
            vu,
            ppm,
        };
        (reading, self.before + self.pieces.len() as u64)
    }
}

/// What is measured, and of which points more than levels is wanted.
#[derive(Default)]
struct Points {
    measured: BTreeMap<String, Measured>,
    wholly: BTreeSet<String>,
    closely: BTreeSet<String>,
}

type All = Arc<Mutex<Points>>;

/// The thread that measures. It ends when this is dropped.
pub struct Measuring {
    rate: u32,
    hearings: Sender<Hearing>,
    all: All,
}

impl Measuring {
    /// Begins to measure, at a rate.
    pub fn start(rate: u32) -> Measuring {
        let (hearings, heard) = mpsc::channel();
        let all = All::default();
        let theirs = all.clone();
        thread::spawn(move || measure(rate, &heard, &theirs));
        Measuring { rate, hearings, all }
    }

    /// Takes what is heard from another program on. What is at its points goes on; others are forgotten.
    pub fn hear(&self, hearing: Hearing) {
        // The thread ends after this does.
        let _ = self.hearings.send(hearing);
    }

    /// Of these points every figure is reckoned from now on, of others levels alone.
    pub fn wholly(&self, points: BTreeSet<String>) {
        lock(&self.all).wholly = points;
    }

    /// Of these points the newest sound is kept from now on.
    pub fn closely(&self, points: BTreeSet<String>) {
        lock(&self.all).closely = points;
    }

    /// The newest sound of a point that is looked at closely, a list a channel, the oldest sample first.
    pub fn newest(&self, point: &str) -> Option<Vec<Vec<f32>>> {
        let all = lock(&self.all);
        let channels = all.measured.get(point)?.sound.as_ref()?;
        Some(channels.iter().map(|channel| channel.iter().copied().collect()).collect())
    }

    /// What is known of a point, if it has been heard, and from which piece on to ask the next time; 0 is the oldest.
    pub fn read(&self, point: &str, from: u64) -> Option<(Reading, u64)> {
        Some(lock(&self.all).measured.get_mut(point)?.read(from))
    }

    /// The level in dBFS of each of [`THIRD_OCTAVES`] at a point, of a second up to a second ago; nothing until one has gone
    /// by since this was asked first.
    pub fn spectrum(&self, point: &str) -> Option<Levels> {
        let mut all = lock(&self.all);
        let measured = all.measured.get_mut(point)?;
        let channels = measured.channels;
        let asked = Instant::now();
        let new = || Listened { asked, spectrum: Spectrum::new(self.rate, channels), frames: 0, levels: None };
        let listened = measured.spectrum.get_or_insert_with(new);
        listened.asked = asked;
        listened.levels
    }
}

fn lock(all: &All) -> MutexGuard<'_, Points> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

fn measure(rate: u32, heard: &Receiver<Hearing>, all: &All) {
    let mut hearings: Vec<(Hearing, Option<u64>)> = Vec::new();
    let mut told = false;
    let mut behind = false;
    loop {
        match heard.recv_timeout(if behind { BREATH } else { PAUSE }) {
            Ok(hearing) => hearings.push((hearing, None)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let mut missing = 0;
        let mut points = lock(all);
        let Points { measured: all, wholly, closely } = &mut *points;
        behind = false;
        for (hearing, next) in &mut hearings {
            let mut taken = 0;
            while let Some(frame) = hearing.next(|point, sound, down| {
                let wholly = wholly.contains(&point.name);
                let new = || Measured::new(rate, sound.len(), wholly);
                let measured = all.entry(point.name.clone()).or_insert_with(new);
                if measured.channels != sound.len() || measured.measurement.is_some() != wholly {
                    *measured = new();
                }
                match closely.contains(&point.name) {
                    true => drop(measured.sound.get_or_insert_with(|| vec![VecDeque::new(); sound.len()])),
                    false => measured.sound = None,
                }
                measured.take(rate, sound, down);
            }) {
                taken += 1;
                missing += next.map_or(0, |expected| frame.saturating_sub(expected));
                *next = Some(frame + QUANTUM as u64);
                if taken == AT_ONCE {
                    behind = true;
                    break;
                }
            }
        }
        hearings.retain(|(hearing, _)| !hearing.is_over());
        if let [] | [_] = hearings.as_slice() {
            let is_heard = |name: &String| {
                hearings.iter().any(|(hearing, _)| hearing.points.iter().any(|point| point.name == *name))
            };
            all.retain(|name, _| is_heard(name));
        }
        let now = Instant::now();
        all.values_mut().for_each(|measured| measured.settle(now));
        drop(points);
        if missing > 0 && !told {
            told = true;
            status::warning("the machine is too busy to measure all that is heard: figures have gaps from here on");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point that has heard so many pieces of a level, one after another.
    fn heard(levels: &[f64]) -> Measured {
        let mut measured = Measured::new(48_000, 2, true);
        for level in levels {
            let sound = [*level; QUANTUM];
            measured.take(48_000, &[&sound, &sound], level.abs());
            measured.settle(Instant::now());
        }
        measured
    }

    #[test]
    fn each_who_asks_is_told_of_what_came_since_it_asked_itself() {
        let mut measured = heard(&[0.5, 0.1]);
        let (first, quick) = measured.read(0);
        assert_eq!((first.since.peak, first.since.reduced), (0.5, 0.5));
        let sound = [0.25; QUANTUM];
        measured.take(48_000, &[&sound, &sound], 0.0);
        measured.settle(Instant::now());
        let ((second, _), (slow, _)) = (measured.read(quick), measured.read(0));
        assert_eq!((second.since.peak, second.since.reduced, slow.since.peak), (0.25, 0.0, 0.5));
        assert!((second.since.rms().unwrap() + 12.0412).abs() < 1e-3);
        assert_eq!(second.since.correlation(), Some(1.0));
    }

    #[test]
    fn who_asks_seldom_is_told_of_what_is_kept_and_silence_has_no_level() {
        let levels: Vec<f64> = (0..MOST_PIECES + 10).map(|i| if i < 10 { 0.9 } else { 0.0 }).collect();
        let (reading, next) = heard(&levels).read(0);
        assert_eq!(reading.since.peak, 0.0);
        assert_eq!((reading.since.sample_peak(), reading.since.rms(), reading.since.correlation()), (None, None, None));
        assert_eq!(next, levels.len() as u64);
    }

    #[test]
    fn where_levels_are_enough_nothing_else_is_reckoned() {
        let mut measured = Measured::new(48_000, 1, false);
        let sound = [0.5; QUANTUM];
        (0..1000).for_each(|_| measured.take(48_000, &[&sound], 2.0));
        measured.settle(Instant::now());
        let (reading, _) = measured.read(0);
        assert_eq!((reading.since.peak, reading.since.reduced), (0.5, 2.0));
        assert!(reading.figures.is_none() && reading.momentary.is_none());
    }

    #[test]
    fn one_channel_has_no_correlation_and_opposite_ones_have_minus_one() {
        let (a, b) = ([0.5; QUANTUM], [-0.5; QUANTUM]);
        assert_eq!(Since::of(&[&a], 0.0).correlation(), None);
        assert_eq!(Since::of(&[&a, &b], 0.0).correlation(), Some(-1.0));
    }
}
