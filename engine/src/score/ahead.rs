//! Working scores out ahead: one thread for all of them, which keeps each a while ahead of where it is read.
//!
//! A score's stream works a cycle at a time. Whoever reads it says in an atomic where it is or will be next, and how many
//! times it has gone elsewhere before; the stream says in another up to where all notes are on their way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{Cycle, Note, Score};
use crate::kernel::QUANTUM;
use crate::pattern::MOST_EVENTS;
use crate::tempo::Tempo;
use crate::worker::{self, Ahead};

/// Notes that may be on their way: those of a cycle, and as many again.
const ROOM: usize = 2 * MOST_EVENTS;

/// How far a stream is ahead of its reader, in seconds.
const AHEAD: f64 = 2.0;

/// How long the thread rests when every stream is far enough ahead.
const REST: Duration = Duration::from_millis(4);

/// A quantum of the transport, and how many times the reader had gone elsewhere before: both in one number, for an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) turn: u16,
    pub(super) quantum: u64,
}

impl Place {
    const QUANTUM_BITS: u32 = 48;
    const LAST: u64 = (1 << Self::QUANTUM_BITS) - 1;

    /// RT.
    pub(super) fn store(self, into: &AtomicU64) {
        into.store(u64::from(self.turn) << Self::QUANTUM_BITS | self.quantum.min(Self::LAST), Ordering::Release);
    }

    /// A place in the turn after this one. Turn 0 is that of a stream that nobody has read. RT.
    pub(super) fn next(self, quantum: u64) -> Place {
        Place { turn: self.turn.wrapping_add(1).max(1), quantum }
    }

    /// RT.
    pub(super) fn load(from: &AtomicU64) -> Place {
        let packed = from.load(Ordering::Acquire);
        Place { turn: (packed >> Self::QUANTUM_BITS) as u16, quantum: packed & Self::LAST }
    }
}

/// The reader's end of a stream.
pub(super) struct Feed {
    /// Notes in the order in which they begin, each with the turn it belongs to.
    pub(super) notes: Consumer<(u16, Note)>,
    /// Where the stream is wanted: where the reader is, or where it will be in the next turn.
    pub(super) wanted: Arc<AtomicU64>,
    /// All notes that begin before this are on their way.
    pub(super) written: Arc<AtomicU64>,
    /// Where the reader is.
    pub(super) here: Place,
    /// The quantum before which all that begins in the reader's turn is at hand.
    pub(super) until: u64,
}

/// The worker's end.
struct Stream {
    score: Arc<Score>,
    tempo: Tempo,
    notes: Producer<(u16, Note)>,
    wanted: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    turn: Option<u16>,
    /// The cycle to be worked out next.
    next: Option<Cycle>,
    /// Notes that wait for room, the first at the end.
    waiting: Vec<Note>,
}

/// Has a score worked out from a frame on. Not RT.
pub(super) fn follow(score: Arc<Score>, tempo: Tempo) -> Feed {
    static WORKER: LazyLock<Option<Sender<Stream>>> = LazyLock::new(|| {
        let (sender, jobs) = std::sync::mpsc::channel();
        let started = std::thread::Builder::new().name("scores".into()).spawn(move || worker::keep_ahead(&jobs, REST));
        started.ok().map(|_| sender)
    });
    let (notes, notes_out) = RingBuffer::new(ROOM);
    let (wanted, written) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let here = Place { turn: 0, quantum: 0 };
    let feed = Feed { notes: notes_out, wanted: wanted.clone(), written: written.clone(), here, until: 0 };
    let stream = Stream { score, tempo, notes, wanted, written, turn: None, next: None, waiting: Vec::new() };
    if let Some(worker) = &*WORKER {
        // Without a thread nothing is ever at hand, and that is told of.
        let _ = worker.send(stream);
    }
    feed
}

impl Ahead for Stream {
    fn is_abandoned(&self) -> bool {
        self.notes.is_abandoned()
    }

    /// Works ahead for a cycle; true if there is more to do at once.
    fn go_on(&mut self) -> bool {
        let place = Place::load(&self.wanted);
        if place.turn == 0 {
            return false;
        }
        let frame = place.quantum * QUANTUM as u64;
        if self.turn != Some(place.turn) {
            self.turn = Some(place.turn);
            self.next = self.score.cycle_at(self.tempo.bar_at(frame as i64).max(0.0));
            self.waiting = self.score.held_over(frame, &self.tempo).unwrap_or_default();
            self.waiting.reverse();
            self.work_out(frame);
        }
        while let Some(note) = self.waiting.last().copied() {
            if self.notes.push((place.turn, note)).is_err() {
                // What begins together is told together.
                Place { turn: place.turn, quantum: note.begin / QUANTUM as u64 }.store(&self.written);
                return false;
            }
            self.waiting.pop();
        }
        let until = match self.next {
            Some(cycle) => super::line(cycle.begin.number(), &self.tempo) / QUANTUM as u64,
            None => Place::LAST,
        };
        Place { turn: place.turn, quantum: until }.store(&self.written);
        let enough = place.quantum + (AHEAD * self.tempo.rate()) as u64 / QUANTUM as u64;
        if until > enough {
            return false;
        }
        self.work_out(frame);
        true
    }
}

impl Stream {
    /// Adds the notes of the next cycle that begin at a frame or later. A cycle that is too much has none: that is told where
    /// the text is checked, as far as it can be foreseen.
    fn work_out(&mut self, frame: u64) {
        let Some(cycle) = self.next else { return };
        let notes = self.score.begun_in(cycle, &self.tempo).unwrap_or_default();
        let mut waiting: Vec<Note> = notes.into_iter().filter(|note| note.begin >= frame).rev().collect();
        waiting.append(&mut self.waiting);
        self.waiting = waiting;
        self.next = self.score.cycle_after(cycle);
    }
}
