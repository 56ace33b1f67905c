//! Streaming: one thread that decodes what long files will soon be asked for.
//!
//! A stream belongs to one [`super::Reader`]. It works a quantum of the transport at a time: the frames of the region that
//! fall on it, silence where there are none, tagged with the quantum's number. The reader takes the block whose tag it
//! wants and drops those it does not; a position that is not on its way it asks for through an atomic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::region::{Region, Run};
use super::sound::Sound;
use super::{Fault, Media, Stamp, guarded};
use crate::kernel::QUANTUM;
use crate::worker::Ahead;

/// Blocks of the decoder that one stream may take before another has its turn.
const TURN: usize = 64;

/// How far streams are ahead of their readers.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Quanta that a stream is ahead at most.
    pub(super) depth: usize,
    /// How long the thread rests when every stream is far enough ahead.
    pub(super) rest: Duration,
}

impl Pace {
    /// 2.7 s at 48 kHz: a disk may hang for as long before anybody hears it.
    pub(super) const LIVE: Pace = Pace { depth: 2048, rest: Duration::from_millis(5) };

    /// A quarter of the memory, looked after the sooner: as much sound at a time as goes by while the thread rests would be 680
    /// times as fast as it is heard.
    pub(super) const RENDERING: Pace = Pace { depth: 512, rest: Duration::from_millis(1) };
}

/// What a reader asks for and what a block is tagged with: which quantum, and how many times the reader had changed its
/// mind before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) turn: u16,
    pub(super) quantum: u64,
}

impl Ticket {
    const QUANTUM_BITS: u32 = 48;

    /// Both in one number, for an atomic. RT.
    pub(super) fn pack(self) -> u64 {
        (u64::from(self.turn) << Self::QUANTUM_BITS) | self.quantum & ((1 << Self::QUANTUM_BITS) - 1)
    }

    fn unpack(packed: u64) -> Ticket {
        Ticket { turn: (packed >> Self::QUANTUM_BITS) as u16, quantum: packed & ((1 << Self::QUANTUM_BITS) - 1) }
    }
}

/// The reader's ends of the rings.
pub(super) struct Feed {
    /// Blocks of a quantum, each channel's frames in a row.
    pub(super) samples: Consumer<f32>,
    /// One for each block.
    pub(super) tickets: Consumer<Ticket>,
    /// The ticket from which the stream is to go on.
    pub(super) wanted: Arc<AtomicU64>,
}

/// The worker's side.
pub(super) struct Stream {
    media: Arc<Media>,
    region: Region,
    samples: Producer<f32>,
    tickets: Producer<Ticket>,
    wanted: Arc<AtomicU64>,
    /// The next block to be delivered, its frames so far, and how many they are.
    next: Ticket,
    block: Vec<f32>,
    filled: usize,
    window: Window,
    failed: bool,
}

impl Ahead for Stream {
    fn is_abandoned(&self) -> bool {
        self.tickets.is_abandoned()
    }

    /// Decodes ahead for a while; true if there is more to do at once.
    fn go_on(&mut self) -> bool {
        let wanted = Ticket::unpack(self.wanted.load(Ordering::Acquire));
        if wanted.turn != self.next.turn {
            self.next = wanted;
            self.filled = 0;
        }
        let mut turns = TURN;
        while turns > 0 {
            let over = self.region.last_quantum().is_some_and(|last| self.next.quantum > last);
            if over || self.tickets.is_full() || self.samples.slots() < self.block.len() {
                return false;
            }
            if !self.failed
                && let Err(fault) = guarded(|| self.fill(&mut turns))
            {
                self.media.fail(fault);
                self.failed = true;
            }
            if self.failed {
                self.block.fill(0.0);
                self.filled = QUANTUM;
            }
            if self.filled == QUANTUM {
                let sent = self.samples.push_entire_slice(&self.block).is_ok() && self.tickets.push(self.next).is_ok();
                debug_assert!(sent, "there was room in both rings");
                self.next.quantum += 1;
                self.filled = 0;
            }
        }
        true
    }
}

impl Stream {
    /// A stream of a region of a file, which begins where the region does; a looped region of up to `keep` decoded bytes
    /// is kept. It is up to `depth` quanta ahead.
    pub(super) fn new(media: Arc<Media>, stamp: &Stamp, keep: u64, depth: usize, region: Region) -> (Stream, Feed) {
        let size = media.channels() * QUANTUM;
        let (samples, samples_out) = RingBuffer::new(size * depth);
        let (tickets, tickets_out) = RingBuffer::new(depth);
        let next = Ticket { turn: 0, quantum: region.first_quantum() };
        let wanted = Arc::new(AtomicU64::new(next.pack()));
        let feed = Feed { samples: samples_out, tickets: tickets_out, wanted: wanted.clone() };
        let window = Window::new(&media, stamp.clone(), keep, region.clone());
        let block = vec![0.0; size];
        (Stream { media, region, samples, tickets, wanted, next, block, filled: 0, window, failed: false }, feed)
    }

    /// Fills the block, as far as the turns go.
    fn fill(&mut self, turns: &mut usize) -> Result<(), Fault> {
        if self.filled == 0 {
            self.block.fill(0.0);
        }
        let transport = self.next.quantum * QUANTUM as u64;
        while let Some(run) = self.region.runs(transport, self.filled..QUANTUM).next() {
            let copied = self.window.copy(run, &mut self.block, turns)?;
            if copied == 0 {
                return Ok(());
            }
            self.filled = run.at + copied;
        }
        self.filled = QUANTUM;
        Ok(())
    }
}

/// What a stream has decoded of the file at the moment.
struct Window {
    stamp: Stamp,
    rate: u32,
    frames: u64,
    sound: Option<Sound>,
    /// Where the latest block begins; its frames.
    at: u64,
    block: Vec<Vec<f32>>,
    region: Region,
    /// The region from its first frame on, for one that is looped and short enough to be kept.
    kept: Option<Vec<Vec<f32>>>,
}

impl Window {
    fn new(media: &Media, stamp: Stamp, keep: u64, region: Region) -> Window {
        let bytes = region.length().saturating_mul((media.channels() * size_of::<f32>()) as u64);
        let empty = vec![Vec::new(); media.channels()];
        let kept = (region.looped && bytes <= keep).then(|| empty.clone());
        Window { stamp, rate: media.rate, frames: media.frames, sound: None, at: 0, block: empty, region, kept }
    }

    /// Copies the beginning of a run into a block of a quantum; gives how many frames, 0 if the turns are used up.
    fn copy(&mut self, run: Run, block: &mut [f32], turns: &mut usize) -> Result<usize, Fault> {
        loop {
            if let Some(kept) = &self.kept
                && let Some(copied) = copy_from(kept, self.region.from, run, block)
            {
                return Ok(copied);
            }
            if let Some(copied) = copy_from(&self.block, self.at, run, block) {
                return Ok(copied);
            }
            if *turns == 0 {
                return Ok(0);
            }
            *turns -= 1;
            self.advance(run.frame)?;
        }
    }

    /// Decodes the next block on the way to a frame.
    fn advance(&mut self, frame: u64) -> Result<(), Fault> {
        let sound = match &mut self.sound {
            Some(sound) => sound,
            none => {
                if Stamp::of(&self.stamp.path)? != self.stamp {
                    return Err(Fault::Changed);
                }
                none.insert(Sound::open(&self.stamp.path, self.rate)?)
            }
        };
        let end = self.at + self.block.first().map_or(0, Vec::len) as u64;
        // What is less than a second ahead is reached sooner by going on.
        if frame < self.at || frame > end + u64::from(self.rate) {
            sound.seek(frame)?;
        }
        let Some((at, block)) = sound.next()? else {
            return Err(Fault::CutShort { promised: self.frames, found: end });
        };
        self.at = at;
        for (into, from) in self.block.iter_mut().zip(block) {
            into.clear();
            into.extend_from_slice(from);
        }
        self.keep();
        Ok(())
    }

    /// Keeps what the block has of the region, where it joins what is kept already.
    fn keep(&mut self) {
        let Some(kept) = &mut self.kept else { return };
        let joint = self.region.from + kept.first().map_or(0, Vec::len) as u64;
        let end = (self.at + self.block.first().map_or(0, Vec::len) as u64).min(self.region.to);
        if self.at <= joint && joint < end {
            for (into, from) in kept.iter_mut().zip(&self.block) {
                into.extend_from_slice(&from[(joint - self.at) as usize..(end - self.at) as usize]);
            }
        }
    }
}

/// Copies what `from`, whose first frame is `at`, has of the beginning of a run.
fn copy_from(from: &[Vec<f32>], at: u64, run: Run, block: &mut [f32]) -> Option<usize> {
    let first = usize::try_from(run.frame.checked_sub(at)?).ok()?;
    let count = from.first()?.len().checked_sub(first)?.min(run.count);
    for (into, from) in block.chunks_exact_mut(QUANTUM).zip(from) {
        into[run.at..run.at + count].copy_from_slice(&from[first..first + count]);
    }
    (count > 0).then_some(count)
}
