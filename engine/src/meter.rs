//! Meters: the peak and the power of what inputs and buses give and of what leaves the desk, and of whatever else somebody looks
//! at, reckoned on the audio side while they do. A program that is compiled without them costs nothing.

use std::collections::BTreeMap;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::kernel::{Buffer, QUANTUM};
use crate::plan::Slots;
use crate::render::Renderer;
use crate::wide::wide;

/// Readings a second of each meter, about.
pub const READINGS: u32 = 60;

/// How many readings of each meter may wait to be read.
const WAITING: usize = 16;

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

/// How many samples are looked at side by side.
const LANES: usize = 16;

/// What was seen in some buffers since it was told of last: of every so-many-eth sample the largest, without its sign, and the
/// sum of squares.
#[derive(Clone, Copy)]
struct Seen {
    slots: Slots,
    peaks: [f64; LANES],
    squares: [f64; LANES],
}

impl Seen {
    fn new(slots: Slots) -> Self {
        Seen { slots, peaks: [0.0; LANES], squares: [0.0; LANES] }
    }

    /// Looks at a quantum of every channel. RT.
    #[inline(always)]
    fn look(&mut self, sound: &[Buffer]) {
        let (mut peaks, mut squares) = (self.peaks, self.squares);
        for samples in sound.iter().flat_map(|channel| channel.chunks_exact(LANES)) {
            for ((peak, square), x) in peaks.iter_mut().zip(&mut squares).zip(samples) {
                let size = x.abs();
                *peak = if size > *peak { size } else { *peak };
                *square += x * x;
            }
        }
        (self.peaks, self.squares) = (peaks, squares);
    }

    /// The largest sample of any channel, and the mean square of all, of so many frames. RT.
    fn tell(&mut self, frames: u32) -> (f64, f64) {
        let peak = self.peaks.into_iter().fold(0.0, f64::max);
        let count = self.slots.count.max(1) as f64 * f64::from(frames);
        let square = self.squares.iter().sum::<f64>() / count;
        *self = Seen::new(self.slots);
        (peak, square)
    }
}

/// A meter: where among what is seen its sound is, and the most that the effect there turned down.
#[derive(Clone, Copy)]
struct Needle {
    seen: usize,
    work: Option<usize>,
    reduced: f64,
}

/// The audio side of a plan's meters. It comes with the program, as large as that needs it.
pub struct Meters {
    into: Producer<Reading>,
    /// What several meters read is looked at once.
    seen: Box<[Seen]>,
    /// The peak and the mean square of each, as they are told.
    told: Box<[(f64, f64)]>,
    needles: Box<[Needle]>,
    /// Frames seen, and frames to a reading.
    frames: u32,
    period: u32,
}

/// The meters of a plan at a rate, and where their readings come out; none where nothing is metered. Not RT.
pub fn meters(of: &[Meter], rate: f64) -> Option<(Meters, Consumer<Reading>)> {
    if of.is_empty() {
        return None;
    }
    let (into, readings) = RingBuffer::new(WAITING * of.len());
    let mut known: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut seen: Vec<Seen> = Vec::new();
    let needles = of.iter().map(|Meter { slots, work, .. }| {
        let at = *known.entry((slots.first, slots.count)).or_insert(seen.len());
        if at == seen.len() {
            seen.push(Seen::new(*slots));
        }
        Needle { seen: at, work: *work, reduced: 0.0 }
    });
    let needles = needles.collect();
    let period = (rate / f64::from(READINGS)) as u32;
    let told = vec![(0.0, 0.0); seen.len()].into_boxed_slice();
    Some((Meters { into, seen: seen.into_boxed_slice(), told, needles, frames: 0, period }, readings))
}

impl Meters {
    /// Takes what the quantum gave, and tells of it when it is time. RT.
    pub fn take(&mut self, renderer: &Renderer) {
        wide(
            #[inline(always)]
            || {
                for seen in &mut self.seen {
                    seen.look(renderer.sound(seen.slots));
                }
            },
        );
        for needle in self.needles.iter_mut().filter(|needle| needle.work.is_some()) {
            needle.reduced = needle.reduced.max(renderer.reduced(needle.work));
        }
        self.frames += QUANTUM as u32;
        if self.frames >= self.period {
            self.tell(renderer.serial());
        }
    }

    /// Tells of all that was seen, if anything was, and begins anew: when it is time, and when the program goes. RT.
    pub fn tell(&mut self, serial: u64) {
        if self.frames == 0 {
            return;
        }
        let frames = self.frames;
        self.told.iter_mut().zip(&mut self.seen).for_each(|(told, seen)| *told = seen.tell(frames));
        for (meter, needle) in self.needles.iter_mut().enumerate() {
            let (peak, square) = self.told[needle.seen];
            let reduced = std::mem::take(&mut needle.reduced);
            // A full ring means that nobody reads: what they do not see is not missed.
            let _ = self.into.push(Reading { serial, meter, peak, square, reduced });
        }
        self.frames = 0;
    }
}
