//! What of a file that is too long to lie in memory is decoded at the moment.

use std::ops::Range;

use super::region::{Region, Run};
use super::sound::Sound;
use super::{Fault, Media, Stamp};

/// Goes along a region of a file and holds a block of it.
pub(super) struct Window {
    stamp: Stamp,
    rate: u32,
    /// Of the whole file.
    frames: u64,
    region: Region,
    /// `None` until the first block is wanted.
    sound: Option<Sound>,
    /// The region from its first frame on, for one that is looped and short enough to be kept.
    kept: Option<Vec<Vec<f32>>>,
}

/// The beginning of a run: channels, and which of their frames.
pub(super) struct Found<'a> {
    pub(super) sound: &'a [Vec<f32>],
    pub(super) frames: Range<usize>,
}

impl Window {
    /// Of a region of a file; a looped region of up to `keep` decoded bytes is kept.
    pub(super) fn new(media: &Media, stamp: Stamp, keep: u64, region: Region) -> Window {
        let bytes = region.length().saturating_mul((media.channels() * size_of::<f32>()) as u64);
        let kept = (region.looped && bytes <= keep).then(|| vec![Vec::new(); media.channels()]);
        Window { stamp, rate: media.rate, frames: media.frames, region, sound: None, kept }
    }

    /// The beginning of a run, at least a frame of it; nothing if that takes more than so many blocks of the decoder, which are
    /// counted off.
    ///
    /// # Errors
    /// The file has changed since it was opened, or is damaged there.
    pub(super) fn reach(&mut self, run: Run, blocks: &mut usize) -> Result<Option<Found<'_>>, Fault> {
        while self.find(run).is_none() {
            if *blocks == 0 {
                return Ok(None);
            }
            *blocks -= 1;
            self.advance(run.frame)?;
        }
        Ok(self.find(run))
    }

    /// The beginning of a run in what is decoded.
    fn find(&self, run: Run) -> Option<Found<'_>> {
        let kept = self.kept.as_deref().map(|kept| (self.region.from, kept));
        kept.into_iter().chain(self.sound.as_ref().map(Sound::block)).find_map(|(at, sound)| {
            let first = usize::try_from(run.frame.checked_sub(at)?).ok()?;
            let count = sound.first()?.len().checked_sub(first)?.min(run.count);
            (count > 0).then_some(Found { sound, frames: first..first + count })
        })
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
        let (at, end) = (sound.block().0, sound.end());
        // What is less than a second ahead is reached sooner by going on.
        if frame < at || frame > end + u64::from(self.rate) {
            sound.seek(frame)?;
        }
        if !sound.next()? {
            return Err(Fault::CutShort { promised: self.frames, found: end });
        }
        self.keep();
        Ok(())
    }

    /// Keeps what the block has of the region, where it joins what is kept already.
    fn keep(&mut self) {
        let (Some(kept), Some(sound)) = (&mut self.kept, &self.sound) else { return };
        let joint = self.region.from + kept.first().map_or(0, Vec::len) as u64;
        let ((at, block), end) = (sound.block(), sound.end().min(self.region.to));
        if at <= joint && joint < end {
            for (into, from) in kept.iter_mut().zip(block) {
                into.extend_from_slice(&from[(joint - at) as usize..(end - at) as usize]);
            }
        }
    }
}
