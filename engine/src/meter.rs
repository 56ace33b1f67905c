//! Meters: the peak and the power of what inputs and buses give and of what leaves the desk, reckoned on the audio side while
//! somebody asks. A program that is compiled without them costs nothing.

use rtrb::{Consumer, Producer, RingBuffer};

use crate::kernel::{Buffer, QUANTUM};
use crate::plan::Slots;
use crate::render::Renderer;

/// Readings a second of each meter, about.
pub const READINGS: u32 = 60;

/// How many places are metered at most: the first in path order.
const MOST: usize = 512;

/// One place that is metered.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// Its path.
    pub path: String,
    /// What it gives, kept to the end of the quantum.
    pub slots: Slots,
}

/// What a meter has seen since its last reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The number of the program.
    pub serial: u64,
    /// The index among the meters of its plan.
    pub meter: usize,
    /// The largest sample, without its sign, of any channel.
    pub peak: f64,
    /// The mean of the squares of all samples of all channels.
    pub square: f64,
}

/// The audio side.
pub struct Meters {
    into: Producer<Reading>,
    seen: Box<[(f64, f64)]>,
    /// Frames seen, and frames to a reading.
    frames: u32,
    period: u32,
}

impl Meters {
    /// Meters at a rate, and where their readings come out. Not RT.
    pub fn new(rate: u32) -> (Meters, Consumer<Reading>) {
        let (into, readings) = RingBuffer::new(4 * MOST);
        let seen = vec![(0.0, 0.0); MOST].into_boxed_slice();
        (Meters { into, seen, frames: 0, period: rate / READINGS }, readings)
    }

    /// Forgets what was seen: another program has other meters. RT.
    pub fn restart(&mut self) {
        self.seen.fill((0.0, 0.0));
        self.frames = 0;
    }

    /// Takes what the quantum gave, and tells of it when it is time. RT.
    pub fn take(&mut self, renderer: &Renderer) {
        let metered = renderer.program().plan.meters.len().min(MOST);
        if metered == 0 {
            return;
        }
        for ((peak, sum), sound) in self.seen.iter_mut().zip(renderer.meters()) {
            let (loudest, square) = level(sound);
            *peak = peak.max(loudest);
            *sum += square;
        }
        self.frames += QUANTUM as u32;
        if self.frames < self.period {
            return;
        }
        let quanta = f64::from(self.frames) / QUANTUM as f64;
        for (meter, (peak, sum)) in self.seen.iter().enumerate().take(metered) {
            let reading = Reading { serial: renderer.serial(), meter, peak: *peak, square: *sum / quanta };
            // A full ring means that nobody reads: what they do not see is not missed.
            let _ = self.into.push(reading);
        }
        self.restart();
    }
}

/// The largest sample of any channel, and the mean square of all. RT.
fn level(sound: &[Buffer]) -> (f64, f64) {
    let samples = || sound.iter().flatten();
    let peak = samples().fold(0.0, |peak: f64, x| peak.max(x.abs()));
    let count = (sound.len().max(1) * QUANTUM) as f64;
    (peak, samples().map(|x| x * x).sum::<f64>() / count)
}
