//! A file's sound at the session's rate, block by block, from the start or from any frame.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::Fault;
use super::decode::{self, Decoder};
use super::wav::Wav;
use crate::resample::Resampler;

/// A file being decoded and resampled. What it gives for a frame does not depend on where it was entered.
pub(super) struct Sound {
    path: PathBuf,
    rate: u32,
    source: Source,
    /// `None` where the file has the session's rate.
    resampler: Option<Resampler>,
    wide: Vec<Vec<f64>>,
    converted: Vec<Vec<f64>>,
    /// What was given last, unless it is the decoder's own, and the frame that it begins with.
    block: Vec<Vec<f32>>,
    at: u64,
    finished: bool,
}

/// Where its samples come from.
enum Source {
    Plain(Box<Wav<File>>),
    Coded(Box<Decoder>),
}

impl Sound {
    pub(super) fn open(path: &Path, rate: u32) -> Result<Sound, Fault> {
        let source = match Wav::open_file(path)? {
            Some(wav) if wav.keeps_its_word() => Source::Plain(Box::new(wav)),
            _ => Source::Coded(Box::new(Decoder::open(path)?)),
        };
        let (channels, own_rate) = (source.channels(), source.rate());
        let resampler = (own_rate != rate)
            .then(|| Resampler::new(own_rate, rate, channels))
            .transpose()
            .map_err(|error| Fault::Unsupported(error.to_string()))?;
        Ok(Sound {
            path: path.to_owned(),
            rate,
            source,
            resampler,
            wide: vec![Vec::new(); channels],
            converted: vec![Vec::new(); channels],
            block: vec![Vec::new(); channels],
            at: 0,
            finished: false,
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.source.channels()
    }

    /// The file's own rate.
    pub(super) fn own_rate(&self) -> u32 {
        self.source.rate()
    }

    /// Whether it is in the file as it is given: to read it costs no more than to hand it on.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.source, Source::Plain(_)) && self.resampler.is_none()
    }

    /// How many frames it has, where the file says so exactly.
    pub(super) fn promised(&self) -> Option<u64> {
        let promised = self.source.promised()?;
        Some(self.resampler.as_ref().map_or(promised, |resampler| resampler.length(promised)))
    }

    /// What was decoded last, and the frame that it begins with; one vector a channel.
    pub(super) fn block(&self) -> (u64, &[Vec<f32>]) {
        match &self.source {
            Source::Coded(decoder) if self.resampler.is_none() => (self.at, decoder.block()),
            _ => (self.at, &self.block),
        }
    }

    /// The frame after those that were decoded last.
    pub(super) fn end(&self) -> u64 {
        let (at, block) = self.block();
        at + block.first().map_or(0, Vec::len) as u64
    }

    /// Decodes the next block, which may be empty; false at the end.
    pub(super) fn next(&mut self) -> Result<bool, Fault> {
        self.at = self.end();
        let Some(resampler) = &mut self.resampler else {
            return match &mut self.source {
                Source::Plain(wav) => {
                    let more = wav.next(&mut self.block)?;
                    decode::are_numbers(&self.block).map(|()| more)
                }
                Source::Coded(decoder) => decoder.next(),
            };
        };
        self.converted.iter_mut().for_each(Vec::clear);
        let goes_on = !self.finished;
        if goes_on && self.source.next(&mut self.wide)? {
            resampler.push(&self.wide, &mut self.converted);
        } else if goes_on {
            resampler.finish(&mut self.converted);
            self.finished = true;
        }
        for (narrow, wide) in self.block.iter_mut().zip(&self.converted) {
            narrow.clear();
            narrow.extend(wide.iter().map(|&x| x as f32));
        }
        decode::are_numbers(&self.block).map(|()| goes_on)
    }

    /// Goes to a block that begins at or before a frame: near it where the file can be entered there, else at its start
    /// if the frame has gone by, else nowhere.
    pub(super) fn seek(&mut self, frame: u64) -> Result<(), Fault> {
        if self.source.promised().is_none() {
            if frame < self.end() {
                *self = Sound::open(&self.path, self.rate)?;
            }
            return Ok(());
        }
        let (input, output) = match &mut self.resampler {
            Some(resampler) => resampler.resume(frame),
            None => (frame, frame),
        };
        self.source.seek(input)?;
        self.block.iter_mut().for_each(Vec::clear);
        self.at = output;
        self.finished = false;
        Ok(())
    }
}

impl Source {
    fn channels(&self) -> usize {
        match self {
            Source::Plain(wav) => wav.channels(),
            Source::Coded(decoder) => decoder.channels,
        }
    }

    fn rate(&self) -> u32 {
        match self {
            Source::Plain(wav) => wav.rate(),
            Source::Coded(decoder) => decoder.rate,
        }
    }

    fn promised(&self) -> Option<u64> {
        match self {
            Source::Plain(wav) => wav.promised(),
            Source::Coded(decoder) => decoder.promised(),
        }
    }

    /// Reads the next frames, as wide as a resampler takes them; false at the end.
    fn next(&mut self, wide: &mut [Vec<f64>]) -> Result<bool, Fault> {
        match self {
            Source::Plain(wav) => wav.next(wide),
            Source::Coded(decoder) => {
                let more = decoder.next()?;
                decode::widen(decoder.block(), wide);
                Ok(more)
            }
        }
    }

    fn seek(&mut self, frame: u64) -> Result<(), Fault> {
        match self {
            Source::Plain(wav) => wav.seek(frame),
            Source::Coded(decoder) => decoder.seek(frame),
        }
    }
}

/// How many frames a file has at a rate, without decoding it, with a look at its end where that is possible.
pub(super) fn measure(path: &Path, rate: u32) -> Result<u64, Fault> {
    let mut sound = Sound::open(path, rate)?;
    if let Some(frames) = sound.promised() {
        sound.seek(frames.saturating_sub(1))?;
        while sound.next()? {}
        return Ok(frames);
    }
    let frames = decode::count(path, sound.own_rate())?;
    Ok(sound.resampler.map_or(frames, |resampler| resampler.length(frames)))
}
