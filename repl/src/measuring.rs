//! What is measured while it plays: a thread takes what the desk hears at its points, and keeps the figures that others ask
//! for. The audio thread only copies.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use engine::listen::Hearing;
use engine::measure::ballistics::{Ppm, Vu};
use engine::measure::{Figures, Layout, Measurement, Readings, Spectrum, THIRD_OCTAVES};

/// How often what was heard is taken: several times in the second that waits for it.
const PAUSE: Duration = Duration::from_millis(20);

/// What is known of a point.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Of all that was heard there since somebody listens.
    pub figures: Figures,
    /// Of now.
    pub now: Readings,
    /// By how many dB the effect there turned down, at most since this was asked last.
    pub reduced: f64,
    /// Where the needle of a VU meter stands, of the loudest channel: the peak in dBFS of a steady sine that it would stand at.
    pub vu: f64,
    /// The same of a peak programme meter of type II.
    pub ppm: f64,
}

/// One point that is measured.
struct Measured {
    measurement: Measurement,
    needles: Vec<(Vu, Ppm)>,
    reduced: f64,
    /// Once somebody has asked for it.
    spectrum: Option<Spectrum>,
}

impl Measured {
    fn new(rate: u32, channels: usize) -> Self {
        let needles = || (Vu::new(f64::from(rate)), Ppm::new(f64::from(rate)));
        Measured {
            measurement: Measurement::new(rate, Layout::of(channels)),
            needles: (0..channels).map(|_| needles()).collect(),
            reduced: 0.0,
            spectrum: None,
        }
    }

    fn take(&mut self, sound: &[&[f64]], down: f64) {
        self.measurement.take(sound);
        for ((vu, ppm), channel) in self.needles.iter_mut().zip(sound) {
            vu.take(channel);
            ppm.take(channel);
        }
        self.reduced = self.reduced.max(down);
        if let Some(spectrum) = &mut self.spectrum {
            spectrum.take(sound);
        }
    }

    fn read(&mut self) -> Reading {
        let most = |of: fn(&(Vu, Ppm)) -> f64| self.needles.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (vu, ppm) = (most(|(vu, _)| vu.reading()), most(|(_, ppm)| ppm.reading()));
        let reduced = std::mem::take(&mut self.reduced);
        Reading { figures: self.measurement.figures(), now: self.measurement.readings(), reduced, vu, ppm }
    }
}

type All = Arc<Mutex<BTreeMap<String, Measured>>>;

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

    /// What is known of a point, if it has been heard.
    pub fn read(&self, point: &str) -> Option<Reading> {
        let mut all = lock(&self.all);
        Some(all.get_mut(point)?.read())
    }

    /// The level in dBFS of each of [`THIRD_OCTAVES`] at a point since this was asked last; nothing yet the first time.
    pub fn spectrum(&self, point: &str) -> Option<[Option<f64>; THIRD_OCTAVES.len()]> {
        let mut all = lock(&self.all);
        let measured = all.get_mut(point)?;
        let heard = measured.spectrum.replace(Spectrum::new(self.rate, measured.needles.len()));
        heard.map(|spectrum| spectrum.third_octaves())
    }
}

fn lock(all: &All) -> MutexGuard<'_, BTreeMap<String, Measured>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

fn measure(rate: u32, heard: &Receiver<Hearing>, all: &All) {
    let mut hearings: Vec<Hearing> = Vec::new();
    loop {
        match heard.recv_timeout(PAUSE) {
            Ok(hearing) => hearings.push(hearing),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let mut all = lock(all);
        for hearing in &mut hearings {
            while hearing
                .next(|point, sound, down| {
                    let new = || Measured::new(rate, sound.len());
                    let measured = all.entry(point.name.clone()).or_insert_with(new);
                    if measured.needles.len() != sound.len() {
                        *measured = new();
                    }
                    measured.take(sound, down);
                })
                .is_some()
            {}
        }
        hearings.retain(|hearing| !hearing.is_over());
        if let [newest] = hearings.as_slice() {
            all.retain(|name, _| newest.points.iter().any(|point| point.name == *name));
        }
    }
}
