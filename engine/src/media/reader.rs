//! What reads media on the audio thread.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::in_place::InPlace;
use super::region::{Region, Run};
use super::stream::{Feed, Stream, Ticket};
use super::window::Window;
use super::{Held, Media, Way};
use crate::kernel::{Buffer, QUANTUM};
use crate::wide::wide;

/// Gives a region of a file as the transport moves.
pub struct Reader {
    media: Arc<Media>,
    region: Region,
    source: Source,
}

/// Where a reader's sound comes from.
enum Source {
    Memory,
    /// From a stream. In a cell, since to ask for a position is to drop what lies in its way.
    Line(RefCell<Line>),
    /// From the file itself, for who can wait: not RT.
    File(InPlace),
}

/// The reader's end of a stream.
struct Line {
    feed: Feed,
    /// The next block that will arrive.
    due: Ticket,
    /// Samples of a block.
    size: usize,
    /// Blocks that may be on their way.
    depth: u64,
}

impl Reader {
    /// A reader of a region; for a streamed file it starts to be decoded where the region begins. Not RT.
    pub fn new(media: Arc<Media>, region: Region) -> Reader {
        let source = match &media.held {
            Held::Memory(_) | Held::Made(_) => Source::Memory,
            Held::Disk { stamp, keep, way } => {
                let window = Window::new(&media, stamp.clone(), *keep, region.clone());
                match way {
                    Way::InPlace => Source::File(InPlace::new(media.clone(), window)),
                    Way::Ahead { depth, worker } => {
                        let (stream, feed) = Stream::new(media.clone(), window, *depth, region.clone());
                        // The worker is there as long as any media are: it only ends when this sender is gone.
                        let _ = worker.send(stream);
                        let due = Ticket { turn: 0, quantum: region.first_quantum() };
                        let size = media.channels() * QUANTUM;
                        Source::Line(RefCell::new(Line { feed, due, size, depth: *depth as u64 }))
                    }
                }
            }
        };
        Reader { media, region, source }
    }

    /// The region it gives.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Whether the frames of the quantum at this transport frame are at hand; if they are not they have now been asked
    /// for. RT.
    pub fn is_ready(&self, transport: u64) -> bool {
        match &self.source {
            Source::Memory => self.media.is_at_hand(),
            Source::Line(line) => line.try_borrow_mut().is_ok_and(|mut line| line.prepare(&self.region, transport)),
            Source::File(_) => true,
        }
    }

    /// Fills `stretch` of each buffer with a channel of the file, as `channels` lists them, counted from 0. `transport`
    /// is the frame of the buffers' first. What is not at hand, outside the region, or no channel of the file, is
    /// left as it is. Gives whether everything was at hand. RT, but for what a rendering reads in place.
    pub fn read(&mut self, transport: u64, stretch: Range<usize>, channels: &[usize], audio: &mut [Buffer]) -> bool {
        let mut runs = self.region.runs(transport, stretch);
        match &mut self.source {
            Source::Memory => runs.all(|run| lay(&self.media, run, channels, audio)),
            Source::Line(line) => {
                let line = line.get_mut();
                let ready = line.prepare(&self.region, transport);
                if ready && let Ok(block) = line.feed.samples.read_chunk(line.size) {
                    // Dropped without a commit, it stays for the next stretch of the same quantum. Whole blocks in a ring
                    // of whole blocks are never cut in two.
                    let (block, _) = block.as_slices();
                    for run in runs {
                        let frames = run.at..run.at + run.count;
                        for (buffer, &channel) in audio.iter_mut().zip(channels) {
                            let from = channel * QUANTUM;
                            let sound = block.get(from + frames.start..from + frames.end);
                            copy(buffer.get_mut(frames.clone()), sound);
                        }
                    }
                }
                ready
            }
            Source::File(file) => {
                file.read(runs, channels, audio);
                true
            }
        }
    }
}

/// Lays a run of what is in memory into buffers, as `channels` lists the file's for each, counted from 0; what is no channel of
/// the file or none of its frames is left as it is. Gives whether it was in memory. RT.
pub fn lay(media: &Media, run: Run, channels: &[usize], audio: &mut [Buffer]) -> bool {
    let Some(memory) = media.memory() else { return false };
    put(memory, run.frame as usize..run.frame as usize + run.count, run.at, channels, audio);
    true
}

/// Copies frames of sound into buffers from the frame `at` on, as `channels` lists the sound's for each. RT.
pub(super) fn put(sound: &[Vec<f32>], frames: Range<usize>, at: usize, channels: &[usize], audio: &mut [Buffer]) {
    for (buffer, &channel) in audio.iter_mut().zip(channels) {
        let sound = sound.get(channel).and_then(|channel| channel.get(frames.clone()));
        copy(buffer.get_mut(at..at + frames.len()), sound);
    }
}

impl Line {
    /// Drops the blocks before the quantum at a transport frame; says whether its own is then the first, and asks for it
    /// if it is not on its way. Before the region it is the region's first block that is wanted; after it, none. RT.
    fn prepare(&mut self, region: &Region, transport: u64) -> bool {
        let here = transport / QUANTUM as u64;
        if region.last_quantum().is_some_and(|last| here > last) {
            return true;
        }
        let wanted = here.max(region.first_quantum());
        while let Ok(&ticket) = self.feed.tickets.peek() {
            if ticket.turn == self.due.turn && ticket.quantum >= wanted {
                if ticket.quantum == wanted {
                    return true;
                }
                break;
            }
            if let (Ok(block), Ok(_)) = (self.feed.samples.read_chunk(self.size), self.feed.tickets.pop()) {
                block.commit_all();
            }
            if ticket.turn == self.due.turn {
                self.due.quantum = ticket.quantum + 1;
            }
        }
        let on_its_way =
            self.feed.tickets.is_empty() && (self.due.quantum..self.due.quantum + self.depth).contains(&wanted);
        if !on_its_way {
            self.due = Ticket { turn: self.due.turn.wrapping_add(1), quantum: wanted };
            self.feed.wanted.store(self.due.pack(), Ordering::Release);
        }
        here < wanted
    }
}

/// Copies sound, where there is any. RT.
fn copy(into: Option<&mut [f64]>, from: Option<&[f32]>) {
    if let (Some(into), Some(from)) = (into, from) {
        wide(
            #[inline(always)]
            || into.iter_mut().zip(from).for_each(|(into, from)| *into = f64::from(*from)),
        );
    }
}
