//! Streaming: one thread that decodes what long files will soon be asked for.
//!
//! A stream belongs to one [`super::Reader`]. It works a quantum of the transport at a time: the frames of the region that
//! fall on it, silence where there are none, tagged with the quantum's number. The reader takes the block whose tag it
//! wants and drops those it does not; a position that is not on its way it asks for through an atomic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::region::Region;
use super::window::{Found, Window};
use super::{Fault, Media, guarded};
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
    /// Whether readers can wait: they read plain files themselves.
    pub(super) waits: bool,
}

impl Pace {
    /// 2.7 s at 48 kHz: a disk may hang for as long before anybody hears it.
    pub(super) const LIVE: Pace = Pace { depth: 2048, rest: Duration::from_millis(5), waits: false };

    /// A quarter of the memory, looked after the sooner: as much sound at a time as goes by while the thread rests would be 680
    /// times as fast as it is heard.
    pub(super) const RENDERING: Pace = Pace { depth: 512, rest: Duration::from_millis(1), waits: true };
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
    /// A stream of a region of a file, which begins where the region does. It is up to `depth` quanta ahead.
    pub(super) fn new(media: Arc<Media>, window: Window, depth: usize, region: Region) -> (Stream, Feed) {
        let size = media.channels() * QUANTUM;
        let (samples, samples_out) = RingBuffer::new(size * depth);
        let (tickets, tickets_out) = RingBuffer::new(depth);
        let next = Ticket { turn: 0, quantum: region.first_quantum() };
        let wanted = Arc::new(AtomicU64::new(next.pack()));
        let feed = Feed { samples: samples_out, tickets: tickets_out, wanted: wanted.clone() };
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
            let Some(Found { sound, frames }) = self.window.reach(run, turns)? else { return Ok(()) };
            self.filled = run.at + frames.len();
            for (into, from) in self.block.chunks_exact_mut(QUANTUM).zip(sound) {
                into[run.at..self.filled].copy_from_slice(&from[frames.clone()]);
            }
        }
        self.filled = QUANTUM;
        Ok(())
    }
}
