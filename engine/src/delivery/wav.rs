//! WAV of any length: it begins with room for the sizes of RF64 (EBU Tech 3306), and becomes that when it passes 4 GiB.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use super::tags::{Loudness, Measured, Tags};
use super::{Depth, Format, Problem, riff};

/// The most that a WAV file says of its size; what is larger is RF64.
pub(super) const LIMIT: u64 = u32::MAX as u64;

/// Stands in place of a size that the ds64 chunk has.
const ELSEWHERE: u32 = u32::MAX;

/// A WAV file being written.
pub(super) struct Wav {
    file: BufWriter<File>,
    format: Format,
    tags: Tags,
    /// Bytes of sound.
    length: u64,
    limit: u64,
    /// What is on its way to the file.
    bytes: Vec<u8>,
}

impl Wav {
    /// Begins a file; `limit` is [`LIMIT`] but in tests.
    pub(super) fn new(file: File, format: Format, tags: &Tags, limit: u64) -> Result<Wav, Problem> {
        let frame = format.channels * usize::from(format.depth.bits() / 8);
        if u16::try_from(frame).is_err() || u64::from(format.rate) * frame as u64 > LIMIT {
            return Err(Problem::Format(format!("a WAV file cannot have {} channels", format.channels)));
        }
        let mut wav =
            Wav { file: BufWriter::new(file), format, tags: tags.clone(), length: 0, limit, bytes: Vec::new() };
        let head = wav.head(&Loudness::default(), 0);
        wav.file.write_all(&head)?;
        Ok(wav)
    }

    /// Appends integers, channels interleaved.
    pub(super) fn ints(&mut self, samples: &[i32]) -> Result<(), Problem> {
        match self.format.depth {
            Depth::Int16 => self.append(samples, |[a, b, ..]| [a, b], i32::to_le_bytes),
            _ => self.append(samples, |[a, b, c, _]| [a, b, c], i32::to_le_bytes),
        }
    }

    /// Appends floats, channels interleaved.
    pub(super) fn floats(&mut self, samples: &[f32]) -> Result<(), Problem> {
        self.append(samples, |all| all, f32::to_le_bytes)
    }

    /// Appends what is kept of each sample's bytes.
    fn append<T: Copy, const N: usize>(
        &mut self,
        samples: &[T],
        kept: impl Fn([u8; 4]) -> [u8; N],
        bytes: impl Fn(T) -> [u8; 4],
    ) -> Result<(), Problem> {
        self.bytes.resize(samples.len() * N, 0);
        let places = self.bytes.as_chunks_mut::<N>().0;
        places.iter_mut().zip(samples).for_each(|(place, sample)| *place = kept(bytes(*sample)));
        self.length += self.bytes.len() as u64;
        Ok(self.file.write_all(&self.bytes)?)
    }

    fn frames(&self) -> u64 {
        self.length / (self.format.channels as u64 * u64::from(self.format.depth.bits() / 8))
    }

    /// All that comes before the sound: as long at the end as at the beginning. `after` is the length of all that comes
    /// after it.
    fn head(&self, loudness: &Loudness, after: u64) -> Vec<u8> {
        let frames = self.frames();
        let float = self.format.depth == Depth::Float32;
        let chunks = |sizes: Option<[u64; 3]>| {
            let short = |size: u64| if sizes.is_some() { ELSEWHERE } else { size as u32 }.to_le_bytes();
            let fact = if float { riff::chunk(b"fact", &short(frames)) } else { Vec::new() };
            let mut chunks = [
                b"WAVE".to_vec(),
                riff::ds64(sizes),
                riff::bext(self.format, &self.tags, loudness),
                riff::fmt(self.format),
                fact,
                riff::info(&self.tags),
                riff::axml(&self.tags),
                b"data".to_vec(),
            ]
            .concat();
            chunks.extend(short(self.length));
            chunks
        };
        let plain = chunks(None);
        let size = plain.len() as u64 + self.length + after;
        if size <= self.limit {
            [b"RIFF", (size as u32).to_le_bytes().as_slice(), &plain].concat()
        } else {
            let sizes = [size, self.length, frames];
            [b"RF64", ELSEWHERE.to_le_bytes().as_slice(), &chunks(Some(sizes))].concat()
        }
    }

    /// Writes what comes after the sound, and then all that comes before it anew.
    pub(super) fn finish(mut self, measured: &Measured) -> Result<(), Problem> {
        let frames = self.frames();
        self.tags.marks.retain(|mark| mark.frame < frames);
        let mut after = vec![0; (self.length % 2) as usize];
        after.extend(riff::cues(&self.tags.marks));
        self.file.write_all(&after)?;
        let head = self.head(&measured.own, after.len() as u64);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        Ok(self.file.flush()?)
    }
}
