//! A file's sound at the session's rate, block by block, from the start or from any frame.

use std::path::{Path, PathBuf};

use super::Fault;
use super::decode::{self, Decoder};
use crate::resample::Resampler;

/// A file being decoded and resampled. What it gives for a frame does not depend on where it was entered.
pub(super) struct Sound {
    path: PathBuf,
    rate: u32,
    decoder: Decoder,
    /// `None` where the file has the session's rate.
    resampler: Option<Resampler>,
    wide: Vec<Vec<f64>>,
    converted: Vec<Vec<f64>>,
    block: Vec<Vec<f32>>,
    /// The frame that the next block begins with.
    at: u64,
    finished: bool,
}

/// The frame that a block begins with, and its samples, one vector a channel.
pub(super) type Block<'a> = (u64, &'a [Vec<f32>]);

impl Sound {
    pub(super) fn open(path: &Path, rate: u32) -> Result<Sound, Fault> {
        let decoder = Decoder::open(path)?;
        let channels = decoder.channels;
        let resampler = (decoder.rate != rate)
            .then(|| Resampler::new(decoder.rate, rate, channels))
            .transpose()
            .map_err(|error| Fault::Unsupported(error.to_string()))?;
        Ok(Sound {
            path: path.to_owned(),
            rate,
            decoder,
            resampler,
            wide: vec![Vec::new(); channels],
            converted: vec![Vec::new(); channels],
            block: vec![Vec::new(); channels],
            at: 0,
            finished: false,
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.decoder.channels
    }

    /// The file's own rate.
    pub(super) fn own_rate(&self) -> u32 {
        self.decoder.rate
    }

    /// How many frames it has, where the file says so exactly.
    pub(super) fn promised(&self) -> Option<u64> {
        let promised = self.decoder.promised()?;
        Some(self.resampler.as_ref().map_or(promised, |resampler| resampler.length(promised)))
    }

    /// The next block, which may be empty; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Block<'_>>, Fault> {
        let at = self.at;
        let Some(resampler) = &mut self.resampler else {
            let Some(block) = self.decoder.next()? else { return Ok(None) };
            self.at += block.first().map_or(0, Vec::len) as u64;
            return Ok(Some((at, block)));
        };
        if self.finished {
            return Ok(None);
        }
        self.converted.iter_mut().for_each(Vec::clear);
        if let Some(block) = self.decoder.next()? {
            for (wide, narrow) in self.wide.iter_mut().zip(block) {
                wide.clear();
                wide.extend(narrow.iter().map(|&x| f64::from(x)));
            }
            resampler.push(&self.wide, &mut self.converted);
        } else {
            resampler.finish(&mut self.converted);
            self.finished = true;
        }
        for (narrow, wide) in self.block.iter_mut().zip(&self.converted) {
            narrow.clear();
            narrow.extend(wide.iter().map(|&x| x as f32));
        }
        self.at += self.block.first().map_or(0, Vec::len) as u64;
        Ok(Some((at, &self.block)))
    }

    /// Goes to a block that begins at or before a frame: near it where the file can be entered there, else at its start
    /// if the frame has gone by, else nowhere.
    pub(super) fn seek(&mut self, frame: u64) -> Result<(), Fault> {
        if self.decoder.promised().is_none() {
            if frame < self.at {
                *self = Sound::open(&self.path, self.rate)?;
            }
            return Ok(());
        }
        let (input, output) = match &mut self.resampler {
            Some(resampler) => resampler.resume(frame),
            None => (frame, frame),
        };
        self.decoder.seek(input)?;
        self.at = output;
        self.finished = false;
        Ok(())
    }
}

/// How many frames a file has at a rate, without decoding it, with a look at its end where that is possible.
pub(super) fn measure(path: &Path, rate: u32) -> Result<u64, Fault> {
    let mut sound = Sound::open(path, rate)?;
    if let Some(frames) = sound.promised() {
        sound.seek(frames.saturating_sub(1))?;
        while sound.next()?.is_some() {}
        return Ok(frames);
    }
    let frames = decode::count(path, sound.decoder.rate)?;
    Ok(sound.resampler.map_or(frames, |resampler| resampler.length(frames)))
}
