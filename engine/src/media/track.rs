//! A sound file as it is: read once from its start to its end, at its own rate and in full precision, as measuring wants it.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use super::decode::{Decoder, widen};
use super::wav::Wav;
use super::{Fault, MediaError, Stamp, guarded};

/// Bytes by which a WAV file is known.
const HEAD: usize = 12;

/// A sound file being read.
pub struct Track {
    path: PathBuf,
    kind: Kind,
    /// The frames read last, one vector a channel.
    sound: Vec<Vec<f64>>,
}

enum Kind {
    File(Box<Wav<File>>),
    Stream(Box<Wav<Box<dyn Read + Send + Sync>>>),
    Coded(Box<Decoder>),
}

impl Track {
    /// Opens a file.
    ///
    /// # Errors
    /// The file is missing, unreadable, empty, not a sound file, of a kind that is not supported, damaged or cut short.
    pub fn open(path: &Path) -> Result<Track, MediaError> {
        let kind = guarded(|| {
            Stamp::of(path)?;
            Ok(match Wav::open_file(path)? {
                Some(wav) => Kind::File(Box::new(wav)),
                None => Kind::Coded(Box::new(Decoder::open(path)?)),
            })
        });
        Track::of(path, kind)
    }

    /// Reads what comes from a source that cannot be entered elsewhere, as standard input; `name` stands for it in errors.
    ///
    /// # Errors
    /// Those of [`Track::open`].
    pub fn stream(mut source: impl Read + Send + Sync + 'static, name: &Path) -> Result<Track, MediaError> {
        let kind = guarded(|| {
            let mut head = Vec::new();
            let read = source.by_ref().take(HEAD as u64).read_to_end(&mut head);
            read.map_err(|error| Fault::Unreadable(error.to_string()))?;
            if head.is_empty() {
                return Err(Fault::Empty);
            }
            let is_wav = head.get(8..HEAD) == Some(b"WAVE");
            let whole: Box<dyn Read + Send + Sync> = Box::new(Cursor::new(head).chain(source));
            if is_wav {
                let wav = Wav::open(whole)?;
                let coded = || Fault::Unsupported("of what comes through a pipe, WAV with coded samples".into());
                return Ok(Kind::Stream(Box::new(wav.ok_or_else(coded)?)));
            }
            Ok(Kind::Coded(Box::new(Decoder::stream(whole)?)))
        });
        Track::of(name, kind)
    }

    fn of(path: &Path, kind: Result<Kind, Fault>) -> Result<Track, MediaError> {
        let mut track = kind
            .map(|kind| Track { path: path.into(), kind, sound: Vec::new() })
            .map_err(|fault| MediaError { path: path.into(), fault })?;
        track.sound = vec![Vec::new(); track.channels()];
        if track.promised() == Some(0) {
            return Err(MediaError { path: path.into(), fault: Fault::Empty });
        }
        Ok(track)
    }

    /// Frames a second.
    pub fn rate(&self) -> u32 {
        match &self.kind {
            Kind::File(wav) => wav.rate(),
            Kind::Stream(wav) => wav.rate(),
            Kind::Coded(decoder) => decoder.rate,
        }
    }

    /// Channels, at least one.
    pub fn channels(&self) -> usize {
        match &self.kind {
            Kind::File(wav) => wav.channels(),
            Kind::Stream(wav) => wav.channels(),
            Kind::Coded(decoder) => decoder.channels,
        }
    }

    /// The places of its channels, as the mask of WAV files gives them; 0 where it does not say.
    pub fn mask(&self) -> u32 {
        match &self.kind {
            Kind::File(wav) => wav.mask(),
            Kind::Stream(wav) => wav.mask(),
            Kind::Coded(decoder) => decoder.mask,
        }
    }

    /// How many frames there are, where the file says so.
    pub fn promised(&self) -> Option<u64> {
        match &self.kind {
            Kind::File(wav) => wav.promised(),
            Kind::Stream(wav) => wav.promised(),
            Kind::Coded(decoder) => decoder.promised(),
        }
    }

    /// The highest sample that can be written: 1 for floats, less by the last bit for integers.
    pub fn full_scale(&self) -> f64 {
        let bits = match &self.kind {
            Kind::File(wav) => wav.bits(),
            Kind::Stream(wav) => wav.bits(),
            Kind::Coded(decoder) => decoder.bits(),
        };
        bits.map_or(1.0, |bits| 1.0 - 1.0 / (1_u64 << (bits.clamp(1, 32) - 1)) as f64)
    }

    /// The next frames, one vector a channel; none at the end.
    ///
    /// # Errors
    /// The file is damaged, or ends before it should.
    pub fn read(&mut self) -> Result<Option<&[Vec<f64>]>, MediaError> {
        let Track { path, kind, sound } = self;
        let more = guarded(|| match kind {
            Kind::File(wav) => wav.next(sound),
            Kind::Stream(wav) => wav.next(sound),
            Kind::Coded(decoder) => {
                let more = decoder.next()?;
                widen(decoder.block(), sound);
                Ok(more)
            }
        });
        match more {
            Ok(more) => Ok(more.then_some(&self.sound[..])),
            Err(fault) => Err(MediaError { path: path.clone(), fault }),
        }
    }

    /// Goes to a frame, if the file is one that can be entered there: a plain WAV file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn seek(&mut self, frame: u64) -> Result<bool, MediaError> {
        let Kind::File(wav) = &mut self.kind else { return Ok(false) };
        wav.seek(frame).map_err(|fault| MediaError { path: self.path.clone(), fault })?;
        Ok(true)
    }
}
