//! What comes out behind the least that is rendered: kept back until something is heard after it.

use super::Stream;
use crate::kernel::QUANTUM;

/// Up to here, -150 dBFS, is silence: half a step of 24 bits lies above it.
pub(super) const SILENCE: f64 = 1.0 / (1 << 25) as f64;

/// The level up to which an output is silent: where it is dithered to so many bits, a step of those.
pub(super) fn floor(dithered: Option<u32>) -> f64 {
    dithered.map_or(SILENCE, |bits| 1.0 / (1u64 << (bits - 1)) as f64)
}

/// At most a quantum of a stream, from a frame on.
pub(super) struct Block<'a> {
    pub stream: Stream,
    pub begin: u64,
    pub sound: &'a [&'a [f64]],
}

impl Block<'_> {
    fn frames(&self) -> u64 {
        self.sound.first().map_or(0, |channel| channel.len() as u64)
    }

    /// The frame after the last that is above a floor.
    fn heard(&self, floor: f64) -> Option<u64> {
        // What is no number is heard.
        let is_silent = |x: &f64| x.abs() <= floor;
        let last = self.sound.iter().filter_map(|channel| channel.iter().rposition(|x| !is_silent(x))).max();
        last.map(|last| self.begin + last as u64 + 1)
    }
}

/// A block that waits.
struct Waiting {
    stream: Stream,
    begin: u64,
    frames: u64,
    channels: usize,
    /// A channel behind the other; nothing if all of it is 0.
    sound: Vec<f64>,
}

/// What is kept back, and up to where all is given.
pub(super) struct Held {
    given: u64,
    waiting: Vec<Waiting>,
}

impl Held {
    /// Keeps back what comes from a frame on.
    pub fn new(least: u64) -> Held {
        Held { given: least, waiting: Vec::new() }
    }

    /// Gives a block to `sink`, with what has waited for it if it has anything above a floor, or keeps it back.
    pub fn pass<E>(
        &mut self,
        block: Block<'_>,
        floor: f64,
        sink: &mut impl FnMut(Stream, &[&[f64]]) -> Result<(), E>,
    ) -> Result<(), E> {
        let end = block.begin + block.frames();
        if end <= self.given {
            return sink(block.stream, block.sound);
        }
        if let Some(heard) = block.heard(floor).filter(|heard| *heard > self.given) {
            self.given = heard;
            for waiting in std::mem::take(&mut self.waiting) {
                let channels: Vec<&[f64]> = (0..waiting.channels).map(|channel| waiting.channel(channel)).collect();
                self.split(Block { stream: waiting.stream, begin: waiting.begin, sound: &channels }, sink)?;
            }
        }
        self.split(block, sink)
    }

    /// Gives of a block what may be given, and keeps the rest.
    fn split<E>(
        &mut self,
        block: Block<'_>,
        sink: &mut impl FnMut(Stream, &[&[f64]]) -> Result<(), E>,
    ) -> Result<(), E> {
        let frames = block.frames();
        let given = self.given.saturating_sub(block.begin).min(frames);
        if given > 0 {
            let part: Vec<&[f64]> = block.sound.iter().map(|channel| &channel[..given as usize]).collect();
            sink(block.stream, &part)?;
        }
        if given < frames {
            let rest = block.sound.iter().map(|channel| &channel[given as usize..]);
            let sound =
                if rest.clone().flatten().all(|x| *x == 0.0) { Vec::new() } else { rest.flatten().copied().collect() };
            let (begin, frames) = (block.begin + given, frames - given);
            self.waiting.push(Waiting { stream: block.stream, begin, frames, channels: block.sound.len(), sound });
        }
        Ok(())
    }
}

impl Waiting {
    fn channel(&self, number: usize) -> &[f64] {
        const NOTHING: &[f64] = &[0.0; QUANTUM];
        let frames = self.frames as usize;
        self.sound.get(number * frames..(number + 1) * frames).unwrap_or(&NOTHING[..frames.min(QUANTUM)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is given of blocks, in order.
    fn given(least: u64, blocks: &[(Stream, u64, &[f64])]) -> Vec<(Stream, Vec<f64>)> {
        let (mut held, mut all) = (Held::new(least), Vec::new());
        for (stream, begin, sound) in blocks {
            let block = Block { stream: *stream, begin: *begin, sound: &[sound] };
            let done: Result<(), ()> = held.pass(block, SILENCE, &mut |stream, sound| {
                all.push((stream, sound[0].to_vec()));
                Ok(())
            });
            assert_eq!(done, Ok(()));
        }
        all
    }

    #[test]
    fn silence_is_given_when_something_is_heard_after_it_and_its_streams_end_together() {
        let (a, b) = (Stream::Output(0), Stream::Stem(0));
        let (quiet, part) = (1e-8, |stream, sound: &[f64]| (stream, sound.to_vec()));
        assert_eq!(given(2, &[(a, 0, &[0.0; 4]), (a, 4, &[quiet; 4])]), [part(a, &[0.0; 2])]);
        let found =
            given(2, &[(a, 0, &[0.0; 4]), (a, 4, &[quiet; 4]), (b, 0, &[0.0; 4]), (b, 4, &[0.0, 1.0, 0.0, 0.0])]);
        let whole = [
            part(a, &[0.0; 2]),
            part(b, &[0.0; 2]),
            part(a, &[0.0; 2]),
            part(a, &[quiet; 2]),
            part(b, &[0.0; 2]),
            part(b, &[0.0, 1.0]),
        ];
        assert_eq!(found, whole);
    }

    #[test]
    fn what_dither_makes_of_silence_is_silence() {
        let heard = |x, floor| Block { stream: Stream::Output(0), begin: 3, sound: &[&[0.0, x, 0.0]] }.heard(floor);
        let step = 1.0 / 32_768.0;
        assert_eq!(heard(-step, floor(Some(16))), None);
        assert_eq!(heard(2.0 * step, floor(Some(16))), Some(5));
        assert_eq!((heard(step, floor(None)), heard(f64::NAN, 1.0)), (Some(5), Some(5)));
    }
}
