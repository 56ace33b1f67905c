//! Live input on its way from the clock of the device that hears it to the clock of the one that plays.
//!
//! Two devices never agree how long a second is. [`Listener`] takes what is heard and `Ear` gives it to the desk a quantum
//! at a time, over a ring whose fill would creep up or down until it breaks. So the listener watches how far the two clocks
//! drift apart (`Drift`), and where they do, its `Interpolator` makes that much more or fewer frames of what it takes.
//! As long as they do not, as when both are one device, what is heard goes through bit for bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::kernel::{Buffer, QUANTUM};
use crate::playback::Capture;

mod drift;
mod interpolator;
#[cfg(test)]
mod tests;

use drift::Drift;
use interpolator::Interpolator;

/// Seconds of live input that may wait to be played.
const ROOM: f64 = 1.0;

/// Seconds of live input beyond the cushion that may lie about before they are skipped.
const SURPLUS: f64 = 0.1;

/// Frames in which the sound fades where it must break off, and where it goes on: about 5 ms.
const FADE: usize = 4 * QUANTUM;

/// How finely positions in time are shared, in parts of a frame.
const PARTS: f64 = 256.0;

/// No position has been shared.
const NEVER: i64 = i64::MIN;

/// What both sides know.
struct Shared {
    /// What time is reckoned from.
    origin: Instant,
    /// How far the frames taken from the ring were ahead of the nominal rate, at best, since the listener last asked: in
    /// [`PARTS`] of a frame.
    ahead: AtomicI64,
    /// How much faster the input's clock runs than the output's, in millionths of a millionth; [`NEVER`] while no difference
    /// is known.
    drift: AtomicI64,
}

impl Shared {
    /// Seconds since the origin. RT.
    fn now(&self) -> f64 {
        self.origin.elapsed().as_secs_f64()
    }
}

/// A look at the crossing from outside.
pub struct Watch(Arc<Shared>);

impl Watch {
    /// By how many millionths the input's clock runs faster than the output's; `None` while they are one, for all that can
    /// be measured.
    pub fn drift_ppm(&self) -> Option<f64> {
        let drift = self.0.drift.load(Ordering::Relaxed);
        (drift != NEVER).then_some(drift as f64 / 1e6)
    }
}

/// A crossing for `channels` channels at `rate` frames a second; `cushion` frames are at hand before any are played.
pub(crate) fn crossing(channels: usize, rate: u32, cushion: usize) -> (Listener, Ear, Watch) {
    let rate = f64::from(rate);
    let shared =
        Arc::new(Shared { origin: Instant::now(), ahead: AtomicI64::new(NEVER), drift: AtomicI64::new(NEVER) });
    let (heard, input) = RingBuffer::new((ROOM * rate) as usize * channels.max(1));
    let listener = Listener {
        heard,
        interpolator: Interpolator::new(channels, rate),
        drift: Drift::new(rate),
        captured: 0,
        pushed: 0,
        rate,
        shared: shared.clone(),
    };
    let ear = Ear {
        input,
        channels,
        cushion: cushion * channels,
        begun: false,
        cushioned: false,
        surplus: (SURPLUS * rate) as usize * channels,
        least: usize::MAX,
        until: 0,
        second: (rate / QUANTUM as f64) as usize,
        left: Some(0),
        fade: FADE,
        held: vec![0.0; channels].into_boxed_slice(),
        taken: 0,
        rate,
        shared: shared.clone(),
    };
    (listener, ear, Watch(shared))
}

/// A sample as recordings keep it: what is heard again must be what was heard. RT.
fn kept(sample: f64) -> f64 {
    f64::from(sample as f32)
}

/// What takes the device's input.
pub struct Listener {
    heard: Producer<f32>,
    interpolator: Interpolator,
    drift: Drift,
    /// Frames that came, and frames that were made of them.
    captured: u64,
    pushed: u64,
    rate: f64,
    shared: Arc<Shared>,
}

impl Capture for Listener {
    fn take(&mut self, block: &[f32], channels: usize) {
        self.take_at(self.shared.now(), block, channels);
    }

    fn begins_anew(&mut self) {
        self.interpolator.forget();
    }
}

impl Listener {
    /// Takes a block at a moment, in seconds. RT.
    fn take_at(&mut self, now: f64, block: &[f32], channels: usize) {
        let Listener { heard, interpolator, pushed, .. } = self;
        for frame in block.chunks_exact(channels.max(1)) {
            interpolator.take(frame, |made| {
                *pushed += 1;
                // What finds no room is lost: nobody has listened for long.
                if heard.slots() < made.len() {
                    return;
                }
                for &sample in made {
                    let _ = heard.push(sample);
                }
            });
            self.captured += 1;
        }
        let nominal = now * self.rate;
        // Whole frames alone would make the ratio tremble.
        let surplus = self.pushed as f64 - self.interpolator.ahead() - self.captured as f64;
        let taken = || match self.shared.ahead.swap(NEVER, Ordering::Relaxed) {
            NEVER => None,
            ahead => Some(ahead as f64 / PARTS),
        };
        if let Some(ratio) = self.drift.note(now, self.captured as f64 - nominal, surplus, taken) {
            self.interpolator.aim(ratio);
        }
        if let Some(ppm) = self.drift.ppm() {
            self.shared.drift.store((ppm * 1e6) as i64, Ordering::Relaxed);
        }
    }
}

/// What gives the desk its live input.
pub(crate) struct Ear {
    input: Consumer<f32>,
    channels: usize,
    /// Samples to gather before any is played.
    cushion: usize,
    begun: bool,
    cushioned: bool,
    /// Samples beyond the cushion that are too many.
    surplus: usize,
    /// The fewest samples that waited, lately; and how many quanta more that is watched.
    least: usize,
    until: usize,
    second: usize,
    /// Frames of what was given last that the device has not had, from when it has had enough for a block until the next is
    /// given.
    left: Option<usize>,
    /// Frames since the sound last broke off or went on.
    fade: usize,
    /// What was given last, of each channel: where it breaks off it is this that fades.
    held: Box<[f64]>,
    /// Frames taken so far.
    taken: u64,
    rate: f64,
    shared: Arc<Shared>,
}

impl Ear {
    /// Gives a quantum, and says whether it was there: until the cushion is full, and again when it ran empty, it is
    /// silence. What is beyond the cushion then is skipped, so that what is heard is as late after every start. RT.
    pub(crate) fn give(&mut self, live: &mut [Buffer]) -> bool {
        if self.channels == 0 {
            return true;
        }
        let (wanted, have) = (QUANTUM * self.channels, self.input.slots());
        let late = self.cushioned && have < wanted;
        let left = self.left.take();
        if self.is_too_much(have) {
            self.cushioned = false;
            self.fade = 0;
        } else if late {
            // What is left of it would otherwise come before what comes next.
            self.skip(have / self.channels);
            self.cushioned = false;
            self.fade = 0;
        } else if let Some(left) = left.filter(|_| !self.cushioned && self.fade >= FADE)
            && have >= self.enough()
        {
            // Reckoned from the device's block, not from the quantum: of that some frames may be left from the block before.
            self.skip((have - self.enough()) / self.channels + left);
            self.cushioned = true;
            self.fade = if self.begun { 0 } else { FADE };
            self.begun = true;
        }
        for i in 0..QUANTUM {
            let gain = (self.fade as f64 / FADE as f64).min(1.0);
            self.fade = (self.fade + 1).min(FADE);
            for (buffer, held) in live.iter_mut().zip(&mut self.held) {
                if self.cushioned {
                    let heard = f64::from(self.input.pop().unwrap_or(0.0));
                    *held = if heard.is_finite() { kept(heard * gain) } else { 0.0 };
                    buffer[i] = *held;
                } else {
                    buffer[i] = kept(*held * (1.0 - gain));
                }
            }
        }
        self.taken += if self.cushioned { QUANTUM as u64 } else { 0 };
        !late
    }

    /// Samples that wait before any is played: the cushion, or a quantum and what may be left of another. RT.
    fn enough(&self) -> usize {
        self.cushion.max(2 * QUANTUM * self.channels)
    }

    /// Notes that a device has had all but `left` frames of the last quantum. RT.
    pub(crate) fn note(&mut self, left: usize) {
        self.note_at(self.shared.now(), left);
    }

    /// The same, at a moment in seconds. RT.
    fn note_at(&mut self, now: f64, left: usize) {
        self.left = Some(left);
        if self.cushioned {
            let ahead = self.taken as f64 - left as f64 - now * self.rate;
            self.shared.ahead.fetch_max((ahead * PARTS) as i64, Ordering::Relaxed);
        }
    }

    /// Whether there has been much more than the cushion for a second: sound that only makes all the rest late. RT.
    fn is_too_much(&mut self, have: usize) -> bool {
        self.least = self.least.min(have);
        if self.until > 0 {
            self.until -= 1;
            return false;
        }
        let least = std::mem::replace(&mut self.least, usize::MAX);
        self.until = self.second;
        self.cushioned && least != usize::MAX && least > self.cushion + self.surplus
    }

    /// Skips frames. RT.
    fn skip(&mut self, frames: usize) {
        for _ in 0..frames * self.channels {
            let _ = self.input.pop();
        }
        self.taken += frames as u64;
    }
}
