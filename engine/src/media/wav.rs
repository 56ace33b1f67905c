//! Plain WAV and RF64 files (EBU Tech 3306), read without detours: what is played and measured is mostly these.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::Fault;
use super::decode::MOST_CHANNELS;
use crate::resample::RATES;

/// Frames that are read at a time: few, so that they are still in the cache when many files are read in turn.
const FRAMES: usize = 2048;

/// What a header of a stream whose end was not known says at least.
const ENDLESS: u64 = 0x7FFF_0000;

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unsigned8,
    Int16,
    Int24,
    Int32,
    Float32,
    Float64,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Kind::Unsigned8 => 1,
            Kind::Int16 => 2,
            Kind::Int24 => 3,
            Kind::Int32 | Kind::Float32 => 4,
            Kind::Float64 => 8,
        }
    }
}

/// What the header says.
#[derive(Clone, Copy, Debug)]
struct Format {
    kind: Kind,
    channels: usize,
    rate: u32,
    mask: u32,
}

/// A WAV file being read.
pub(super) struct Wav<R> {
    source: R,
    format: Format,
    /// Frames that are promised, if the header knows.
    promised: Option<u64>,
    /// Frames that the header tells of, whether or not it can be believed.
    said: u64,
    /// Where the sound begins, in bytes.
    start: u64,
    at: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Wav<R> {
    /// Reads a header from its first byte on; gives nothing for what is no WAV file, or one whose samples are coded.
    pub(super) fn open(mut source: R) -> Result<Option<Wav<R>>, Fault> {
        let Some(head) = bytes::<12>(&mut source)? else { return Ok(None) };
        if ![b"RIFF", b"RF64", b"BW64"].contains(&&head.first_chunk().copied().unwrap_or_default())
            || &head[8..] != b"WAVE"
        {
            return Ok(None);
        }
        let (mut start, mut format, mut long) = (12, None, None);
        loop {
            let Some(chunk) = bytes::<8>(&mut source)? else {
                return Err(Fault::Corrupt("it ends before its sound".into()));
            };
            let (id, size) = (&chunk[..4], u64::from(number(&chunk[4..])));
            start += 8;
            match id {
                b"data" => {
                    let Some(format) = format else { return Ok(None) };
                    return Wav::new(source, format, long.unwrap_or(size), start).map(Some);
                }
                b"fmt " | b"ds64" if (16..=4096).contains(&size) => {
                    let mut text = vec![0; (size + size % 2) as usize];
                    source.read_exact(&mut text).map_err(|error| unreadable(&error))?;
                    if id == b"ds64" {
                        long = text[8..16].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
                    } else {
                        format = Format::read(&text);
                        if format.is_none() {
                            return Ok(None);
                        }
                    }
                }
                _ => {
                    let skipped = std::io::copy(&mut source.by_ref().take(size + size % 2), &mut std::io::sink());
                    skipped.map_err(|error| unreadable(&error))?;
                }
            }
            start += size + size % 2;
        }
    }

    fn new(source: R, format: Format, size: u64, start: u64) -> Result<Wav<R>, Fault> {
        if !RATES.contains(&format.rate) {
            return Err(Fault::Unsupported(format!("a sample rate of {} Hz", format.rate)));
        }
        let said = size / format.frame() as u64;
        let promised = (size < ENDLESS || size > u64::from(u32::MAX)).then_some(said);
        Ok(Wav { source, format, promised, said, start, at: 0, bytes: Vec::new() })
    }

    pub(super) fn rate(&self) -> u32 {
        self.format.rate
    }

    pub(super) fn channels(&self) -> usize {
        self.format.channels
    }

    pub(super) fn mask(&self) -> u32 {
        self.format.mask
    }

    pub(super) fn promised(&self) -> Option<u64> {
        self.promised
    }

    /// Whether it holds as much as its header says.
    pub(super) fn keeps_its_word(&self) -> bool {
        self.promised == Some(self.said)
    }

    /// How many bits integers have.
    pub(super) fn bits(&self) -> Option<u32> {
        let kind = self.format.kind;
        (!matches!(kind, Kind::Float32 | Kind::Float64)).then_some(8 * kind.bytes() as u32)
    }

    /// The next frames, in place of what was in `sound`, one vector a channel; none at the end.
    pub(super) fn next(&mut self, sound: &mut [Vec<impl Sample>]) -> Result<bool, Fault> {
        let frame = self.format.frame();
        let left = self.promised.map_or(u64::MAX, |promised| promised - self.at);
        let wanted = left.min(FRAMES as u64) as usize * frame;
        self.bytes.resize(wanted, 0);
        let mut read = 0;
        while read < wanted {
            match self.source.read(&mut self.bytes[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Unreadable(error.to_string())),
            }
        }
        let frames = read / frame;
        self.at += frames as u64;
        if read < wanted
            && let Some(promised) = self.promised
        {
            return Err(Fault::CutShort { promised, found: self.at });
        }
        self.format.spread(&self.bytes[..frames * frame], sound);
        Ok(frames > 0)
    }
}

impl Wav<File> {
    /// Opens a file, at its start; gives nothing for what is no WAV file, or one whose samples are coded.
    ///
    /// Where the header does not know the end of the sound it is that of the file; a file that is cut short is found to be before
    /// anything is read.
    pub(super) fn open_file(path: &Path) -> Result<Option<Wav<File>>, Fault> {
        let file = File::open(path).map_err(|error| Fault::Unreadable(error.to_string()))?;
        let Some(buffered) = Wav::open(BufReader::new(file))? else { return Ok(None) };
        let Wav { source, format, promised, said, start, at, bytes } = buffered;
        // Sound is read in pieces that need no buffer between.
        let mut wav = Wav { source: source.into_inner(), format, promised, said, start, at, bytes };
        wav.look_at_the_end()?;
        Ok(Some(wav))
    }

    fn look_at_the_end(&mut self) -> Result<(), Fault> {
        let end = self.source.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
        let found = end.saturating_sub(self.start) / self.format.frame() as u64;
        match self.promised {
            Some(promised) if promised > found => return Err(Fault::CutShort { promised, found }),
            Some(_) => {}
            // What the header says is right where there is so much: other chunks may follow.
            None => self.promised = Some(self.said.min(found)),
        }
        self.seek(0)
    }

    /// Goes to a frame.
    pub(super) fn seek(&mut self, frame: u64) -> Result<(), Fault> {
        let frame = self.promised.map_or(frame, |promised| frame.min(promised));
        let byte = self.start + frame * self.format.frame() as u64;
        self.source.seek(SeekFrom::Start(byte)).map_err(|error| unreadable(&error))?;
        self.at = frame;
        Ok(())
    }
}

impl Format {
    /// Bytes of a frame.
    fn frame(&self) -> usize {
        self.channels * self.kind.bytes()
    }

    /// What a chunk says, if it is of samples that are not coded.
    fn read(text: &[u8]) -> Option<Format> {
        let word = |at: usize| Some(u16::from_le_bytes(*text.get(at..)?.first_chunk()?));
        let (tag, channels, rate) = (word(0)?, usize::from(word(2)?), number(&text[4..]));
        let (frame, bits) = (usize::from(word(12)?), word(14)?);
        let (tag, mask) = match (tag, text.get(20..26)) {
            (0xFFFE, Some(more)) => (word(24)?, number(more)),
            (tag, _) => (tag, 0),
        };
        if channels == 0 || channels > MOST_CHANNELS || frame % channels != 0 {
            return None;
        }
        let kind = match (tag, frame / channels, bits) {
            (1, 1, 1..=8) => Kind::Unsigned8,
            (1, 2, 9..=16) => Kind::Int16,
            (1, 3, 17..=24) => Kind::Int24,
            (1, 4, 17..=32) => Kind::Int32,
            (3, 4, 32) => Kind::Float32,
            (3, 8, 64) => Kind::Float64,
            _ => return None,
        };
        Some(Format { kind, channels, rate, mask })
    }

    /// Puts interleaved samples in place, full scale being 1.
    fn spread(&self, bytes: &[u8], sound: &mut [Vec<impl Sample>]) {
        match self.kind {
            Kind::Unsigned8 => spread(bytes, sound, |[x]: [u8; 1]| (f64::from(x) - 128.0) / 128.0),
            Kind::Int16 => spread(bytes, sound, |x| f64::from(i16::from_le_bytes(x)) * (1.0 / 32_768.0)),
            Kind::Int24 => {
                spread(bytes, sound, |[a, b, c]| f64::from(i32::from_le_bytes([0, a, b, c])) * (1.0 / 2_147_483_648.0));
            }
            Kind::Int32 => spread(bytes, sound, |x| f64::from(i32::from_le_bytes(x)) * (1.0 / 2_147_483_648.0)),
            Kind::Float32 => spread(bytes, sound, |x| f64::from(f32::from_le_bytes(x))),
            Kind::Float64 => spread(bytes, sound, f64::from_le_bytes),
        }
    }
}

/// What samples are read as.
pub(super) trait Sample: Copy + Default {
    /// The nearest to a number.
    fn nearest(x: f64) -> Self;
}

impl Sample for f32 {
    fn nearest(x: f64) -> f32 {
        x as f32
    }
}

impl Sample for f64 {
    fn nearest(x: f64) -> f64 {
        x
    }
}

/// Puts interleaved samples of W bytes in place.
fn spread<const W: usize, S: Sample>(bytes: &[u8], sound: &mut [Vec<S>], of: impl Fn([u8; W]) -> f64) {
    let samples = bytes.as_chunks::<W>().0;
    let of = |sample: &[u8; W]| S::nearest(of(*sample));
    let channels = sound.len();
    sound.iter_mut().for_each(|channel| channel.resize(samples.len() / channels, S::default()));
    match sound {
        [only] => only.iter_mut().zip(samples).for_each(|(into, sample)| *into = of(sample)),
        [left, right] => {
            let frames = samples.as_chunks::<2>().0.iter();
            for ((frame, left), right) in frames.zip(left.iter_mut()).zip(right.iter_mut()) {
                (*left, *right) = (of(&frame[0]), of(&frame[1]));
            }
        }
        _ => {
            for (first, channel) in sound.iter_mut().enumerate() {
                let samples = samples[first.min(samples.len())..].iter().step_by(channels);
                channel.iter_mut().zip(samples).for_each(|(into, sample)| *into = of(sample));
            }
        }
    }
}

/// So many bytes, if there are as many.
fn bytes<const N: usize>(source: &mut impl Read) -> Result<Option<[u8; N]>, Fault> {
    let mut bytes = [0; N];
    match source.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(Fault::Unreadable(error.to_string())),
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::UnexpectedEof => Fault::Corrupt("it ends before its sound".into()),
        _ => Fault::Unreadable(error.to_string()),
    }
}

/// Four bytes as a number.
fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default())
}
