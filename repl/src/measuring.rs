//! What is measured while it plays: a thread takes what the desk hears at its points, and keeps the figures that others ask
//! for. The audio thread only copies.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use engine::listen::Hearing;
use engine::measure::{Figures, Layout, Measurement, Readings};

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
}

/// One point that is measured.
struct Measured {
    measurement: Measurement,
    channels: usize,
    reduced: f64,
}

type All = Arc<Mutex<BTreeMap<String, Measured>>>;

/// The thread that measures. It ends when this is dropped.
pub struct Measuring {
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
        Measuring { hearings, all }
    }

    /// Takes what is heard from another program on. What is at its points goes on; others are forgotten.
    pub fn hear(&self, hearing: Hearing) {
        // The thread ends after this does.
        let _ = self.hearings.send(hearing);
    }

    /// What is known of a point, if it has been heard.
    pub fn read(&self, point: &str) -> Option<Reading> {
        let mut all = lock(&self.all);
        let measured = all.get_mut(point)?;
        let reduced = std::mem::take(&mut measured.reduced);
        Some(Reading { figures: measured.measurement.figures(), now: measured.measurement.readings(), reduced })
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
                    let new = || Measured {
                        measurement: Measurement::new(rate, Layout::of(sound.len())),
                        channels: sound.len(),
                        reduced: 0.0,
                    };
                    let measured = all.entry(point.name.clone()).or_insert_with(new);
                    if measured.channels != sound.len() {
                        *measured = new();
                    }
                    measured.measurement.take(sound);
                    measured.reduced = measured.reduced.max(down);
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
