//! What does the work of one effect or source, a quantum at a time.

use std::ops::Range;

use crate::abreast::Abreast;
use crate::keep::Keep;
use crate::keyboard::Touch;
use crate::score::{Note, ScoreCell};
use crate::tempo::Tempo;
use crate::wheel::Wheel;
use crate::wide::wide;

/// Frames that are computed at a time, always at absolute multiples of it.
pub const QUANTUM: usize = 64;

/// One channel of a quantum.
pub type Buffer = [f64; QUANTUM];

/// The state and code of one effect or source. Built off the audio thread by its table; used on it only.
///
/// What it keeps ([`Keep`]) is taken up by one that is built from a recipe with the same fixed settings: whatever sound
/// depends on besides those and [`Io`] is state.
///
/// An effect is let rest as [`crate::rest`] says: what it will make of silence later must show in the state that it keeps,
/// not come from the transport alone, but for what turns with the transport by a [`Wheel`].
pub trait Kernel: Send + Keep {
    /// Processes the frames of `io.frames`, in place. RT.
    fn process(&mut self, io: &mut Io<'_>);

    /// Goes abreast with others from this quantum on ([`crate::effects::shape`]), as long as its numbers stand still: brings them
    /// and its state into the lanes from `lane` on. Says false, and has changed nothing, if it has to be processed instead. RT.
    fn fall_in(&mut self, _io: &Io<'_>, _abreast: &mut Abreast, _lane: usize) -> bool {
        false
    }

    /// Goes on alone with the state that it was left in there. RT.
    fn fall_out(&mut self, _abreast: &Abreast, _lane: usize) {}

    /// Forgets all sound, as if new: what came in was not a number. RT.
    fn reset(&mut self);

    /// What turns in it with the transport, all of it. RT.
    fn wheels(&mut self) -> &mut [Wheel] {
        &mut []
    }

    /// Whether somebody plays it by hand from now on; then it sounds while the transport stands still, too. RT.
    fn hand(&mut self, _plays: bool) {}

    /// What a hand does, at the beginning of the quantum that is processed next. RT.
    fn touch(&mut self, _touch: Touch) {}

    /// Whether the sound for the quantum at this transport frame is at hand. Only what streams from disk ever says no;
    /// whoever can wait does, whoever cannot gets silence. RT.
    fn is_ready(&self, _transport: u64) -> bool {
        true
    }
}

/// What a kernel works on.
pub struct Io<'a> {
    /// The sound, one buffer a channel, as many as leave. Those that came in hold the input; the kernel replaces them.
    /// For a source they are silent at first.
    pub audio: &'a mut [Buffer],
    /// How many of `audio` hold input.
    pub channels_in: usize,
    /// The key's channels; empty without one.
    pub key: &'a [Buffer],
    /// What came from the device's inputs, one buffer a channel.
    pub live: &'a [Buffer],
    /// Which frames of the buffers to process.
    pub frames: Range<usize>,
    /// The value of each parameter, as the table's law says, over these frames.
    pub values: &'a [Glide],
    /// Whether they stand still, and have stood there through the frames before.
    pub settled: bool,
    /// The transport frame of the quantum's first frame (index 0 of the buffers).
    pub transport: u64,
    /// Whether the transport goes on; otherwise every quantum has the same frames.
    pub rolling: bool,
    /// Whether the transport has come here from elsewhere.
    pub moved: bool,
    /// Where beats and bars lie.
    pub tempo: &'a Tempo,
    /// Of an instrument: what it plays.
    pub score: Option<&'a mut ScoreCell>,
    /// By how many dB the kernel turned the sound down at most: what dynamics tell to those who look.
    pub reduced: f64,
}

impl Io<'_> {
    /// The transport frame of a frame of the buffers. Behind a latency the first quanta lie before the transport's start:
    /// silence flows there, and the count goes round through 0. RT.
    pub fn frame(&self, i: usize) -> u64 {
        self.transport.wrapping_add(i as u64)
    }

    /// The next note that begins in these frames, or before them and still sounds, with the frame of the buffers at which it
    /// is to be begun. RT.
    pub fn next_note(&mut self) -> Option<(usize, Note)> {
        let until = self.frame(self.frames.end);
        let note = self.score.as_deref_mut()?.next(until)?;
        let at = note.begin.saturating_sub(self.transport) as usize;
        Some((at.clamp(self.frames.start, self.frames.end - 1), note))
    }
}

/// A value over a stretch of frames: even from `from`, its value just before the first frame, to `to`, its value at the
/// last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glide {
    /// Just before the first frame.
    pub from: f64,
    /// At the last frame.
    pub to: f64,
}

impl Glide {
    /// A value that stays.
    pub const fn still(value: f64) -> Self {
        Glide { from: value, to: value }
    }

    /// Whether it stays. RT.
    pub fn is_still(&self) -> bool {
        self.from == self.to
    }

    /// Multiplies a stretch by the value, frame by frame. RT.
    pub fn scale(&self, frames: &mut [f64]) {
        if *self == Glide::still(1.0) {
            return;
        }
        if self.is_still() {
            wide(
                #[inline(always)]
                || frames.iter_mut().for_each(|x| *x *= self.to),
            );
        } else {
            let count = frames.len();
            frames.iter_mut().enumerate().for_each(|(i, x)| *x *= self.at(i, count));
        }
    }

    /// The value at frame `index` of `count`: `to` at the last, exactly. RT.
    pub fn at(&self, index: usize, count: usize) -> f64 {
        if index + 1 == count || self.is_still() {
            self.to
        } else {
            self.from + (self.to - self.from) * ((index + 1) as f64 / count as f64)
        }
    }
}
