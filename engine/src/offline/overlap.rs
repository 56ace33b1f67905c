//! Rendering on one thread while another takes what comes out: sound goes over in batches that come back to be filled again, so
//! that however slow the taker is, no more than those are ever full.

use std::sync::mpsc;
use std::thread;

use super::{Extent, Offline, Stream};
use crate::kernel::{Buffer, QUANTUM};

/// Batches between the two: one is filled, one is emptied, and the others even out what differs.
const BATCHES: usize = 4;

/// Pieces of the first stream that fill a batch: 85 ms at 48 kHz. A wake-up costs nothing beside as much sound, and an error of
/// the taker ends the rendering that soon.
const PIECES: usize = 64;

/// Samples that fill it before that: half a megabyte, where many stems come out.
const SAMPLES: usize = 1 << 16;

/// What a rendering gives, in order.
#[derive(Default)]
struct Batch {
    pieces: Vec<Piece>,
    /// Of each piece a channel behind the other.
    samples: Vec<f64>,
    /// The pieces of the stream that came first.
    of_first: usize,
}

struct Piece {
    stream: Stream,
    channels: usize,
    frames: usize,
}

impl Batch {
    fn push(&mut self, stream: Stream, sound: &[&[f64]]) {
        let frames = sound.first().map_or(0, |channel| channel.len());
        self.pieces.push(Piece { stream, channels: sound.len(), frames });
        sound.iter().for_each(|channel| self.samples.extend_from_slice(channel));
        self.of_first += usize::from(self.pieces[0].stream == stream);
    }

    fn is_full(&self) -> bool {
        self.of_first >= PIECES || self.samples.len() >= SAMPLES
    }

    /// Gives everything to `sink`, and is empty.
    fn empty<E>(&mut self, sink: &mut impl FnMut(Stream, &[&[f64]]) -> Result<(), E>) -> Result<(), E> {
        let mut rest = &self.samples[..];
        for Piece { stream, channels, frames } in self.pieces.drain(..) {
            let (sound, later) = rest.split_at(channels * frames);
            let of = |channel: usize| &sound[channel * frames..(channel + 1) * frames];
            // Up to a quantum of stereo is most of what there is, and needs no list.
            match channels {
                1 => sink(stream, &[of(0)])?,
                2 => sink(stream, &[of(0), of(1)])?,
                _ => sink(stream, &(0..channels).map(of).collect::<Vec<_>>())?,
            }
            rest = later;
        }
        self.samples.clear();
        self.of_first = 0;
        Ok(())
    }
}

/// Nobody takes what comes out any more.
struct Gone;

impl Offline {
    /// The same as [`Offline::render`], which goes on while `sink` is at work: the rendering runs on a thread of its own, and
    /// `sink` is called on this one.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn render_ahead<E>(
        &mut self,
        extent: impl Into<Extent>,
        live: impl FnMut(&mut Vec<Buffer>) + Send,
        mut sink: impl FnMut(Stream, &[&[f64]]) -> Result<(), E>,
    ) -> Result<(), E> {
        let extent = extent.into();
        if extent.most <= (PIECES * QUANTUM) as u64 {
            // It would be over before anybody could begin beside it.
            return self.render(extent, live, sink);
        }
        let (full, to_empty) = mpsc::channel::<Batch>();
        let (emptied, to_fill) = mpsc::channel();
        for _ in 0..BATCHES {
            let _ = emptied.send(Batch::default());
        }
        thread::scope(|scope| {
            let rendering = scope.spawn(move || {
                let Ok(mut batch) = to_fill.recv() else { return };
                let whole: Result<(), Gone> = self.render(extent, live, |stream, sound| {
                    batch.push(stream, sound);
                    if batch.is_full() {
                        let next = to_fill.recv().map_err(|_| Gone)?;
                        full.send(std::mem::replace(&mut batch, next)).map_err(|_| Gone)?;
                    }
                    Ok(())
                });
                if whole.is_ok() {
                    // That nobody takes it is known to whoever does not.
                    let _ = full.send(batch);
                }
            });
            let taken = take(to_empty, emptied, &mut sink);
            if let Err(panic) = rendering.join() {
                std::panic::resume_unwind(panic);
            }
            taken
        })
    }
}

/// Empties what comes full, and sends it back, until nothing comes any more. With an error both ways close.
fn take<E>(
    to_empty: mpsc::Receiver<Batch>,
    emptied: mpsc::Sender<Batch>,
    sink: &mut impl FnMut(Stream, &[&[f64]]) -> Result<(), E>,
) -> Result<(), E> {
    for mut batch in to_empty {
        batch.empty(sink)?;
        // Whoever has rendered everything wants no more.
        let _ = emptied.send(batch);
    }
    Ok(())
}
