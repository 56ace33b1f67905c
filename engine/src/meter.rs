//! Meters: the peak and the power of what inputs and buses give and of what leaves the desk, and of whatever else somebody looks
//! at, reckoned on the audio side while they do. A program that is compiled without them costs nothing.

use rtrb::{Consumer, Producer, RingBuffer};

use crate::kernel::{Buffer, QUANTUM};
use crate::plan::Slots;
use crate::render::Renderer;
use crate::wide::wide;

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
    /// The effect that stands there, if it tells how much it turns down: an index among the plan's works.
    pub work: Option<usize>,
    /// Whether it is an input, a bus or what leaves, which come before all others.
    pub place: bool,
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
    /// By how many dB the effect there turned down at most.
    pub reduced: f64,
}

/// What was seen of a meter since it was told of last: the largest sample, the sum of mean squares, and the most that was turned
/// down.
#[derive(Clone, Copy, Default)]
struct Seen {
    peak: f64,
    squares: f64,
    reduced: f64,
}

/// The audio side.
pub struct Meters {
    into: Producer<Reading>,
    seen: Box<[Seen]>,
    /// Frames seen, and frames to a reading.
    frames: u32,
    period: u32,
}

impl Meters {
    /// Meters at a rate, and where their readings come out. Not RT.
    pub fn new(rate: u32) -> (Meters, Consumer<Reading>) {
        let (into, readings) = RingBuffer::new(4 * MOST);
        let seen = vec![Seen::default(); MOST].into_boxed_slice();
        (Meters { into, seen, frames: 0, period: rate / READINGS }, readings)
    }

    /// Forgets what was seen: another program has other meters. RT.
    pub fn restart(&mut self) {
        self.seen.fill(Seen::default());
        self.frames = 0;
    }

    /// Takes what the quantum gave, and tells of it when it is time. RT.
    pub fn take(&mut self, renderer: &Renderer) {
        let metered = renderer.program().plan.meters.len().min(MOST);
        if metered == 0 {
            return;
        }
        wide(
            #[inline(always)]
            || {
                for (seen, (sound, reduced)) in self.seen.iter_mut().zip(renderer.meters()) {
                    let (peak, square) = level(sound);
                    seen.peak = seen.peak.max(peak);
                    seen.squares += square;
                    seen.reduced = seen.reduced.max(reduced);
                }
            },
        );
        self.frames += QUANTUM as u32;
        if self.frames < self.period {
            return;
        }
        let quanta = f64::from(self.frames) / QUANTUM as f64;
        for (meter, seen) in self.seen.iter().enumerate().take(metered) {
            let Seen { peak, squares, reduced } = *seen;
            let reading = Reading { serial: renderer.serial(), meter, peak, square: squares / quanta, reduced };
            // A full ring means that nobody reads: what they do not see is not missed.
            let _ = self.into.push(reading);
        }
        self.restart();
    }
}

/// How many samples are looked at side by side.
const LANES: usize = 8;

/// The largest sample of any channel, and the mean square of all. RT.
#[inline(always)]
fn level(sound: &[Buffer]) -> (f64, f64) {
    let (mut peaks, mut squares) = ([0.0; LANES], [0.0; LANES]);
    for samples in sound.iter().flat_map(|channel| channel.chunks_exact(LANES)) {
        for ((peak, square), x) in peaks.iter_mut().zip(&mut squares).zip(samples) {
            let size = x.abs();
            *peak = if size > *peak { size } else { *peak };
            *square += x * x;
        }
    }
    let peak = peaks.into_iter().fold(0.0, f64::max);
    let count = (sound.len().max(1) * QUANTUM) as f64;
    (peak, squares.iter().sum::<f64>() / count)
}
