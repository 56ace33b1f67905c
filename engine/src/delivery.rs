//! Files that are delivered: WAV and FLAC, written beside their name and renamed when whole.
//!
//! A [`FileWriter`] takes sound as f64 and turns it into what the file holds: at integer depths with triangular dither, or
//! without; as 32-bit float by a plain cast. Memory is bounded: WAV goes straight to disk, FLAC a block of 4096 frames at
//! a time. Nothing here is RT.

use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

mod encode;
mod quantise;

use encode::Encoder;
use quantise::Quantiser;

/// The form of what a sample is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 16-bit integers.
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit floating point.
    Float32,
}

impl Depth {
    /// Bits a sample.
    pub const fn bits(self) -> u16 {
        match self {
            Depth::Int16 => 16,
            Depth::Int24 => 24,
            Depth::Float32 => 32,
        }
    }
}

/// What a file is to hold. The container follows from the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The form of a sample.
    pub depth: Depth,
    /// Frames a second.
    pub rate: u32,
    /// Channels; at least one.
    pub channels: usize,
    /// Whether triangular dither is added at integer depths.
    pub dither: bool,
    /// From which the dither is drawn: the same seed gives the same file.
    pub seed: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Frames in the file.
    pub frames: u64,
    /// Samples that an integer could not hold and that were clipped to its range.
    pub clipped: u64,
}

/// Writes one file. Dropped before it is finished, it leaves nothing behind.
pub struct FileWriter {
    path: PathBuf,
    file: NamedTempFile,
    encoder: Encoder,
    quantiser: Quantiser,
    channels: usize,
    frames: u64,
}

impl FileWriter {
    /// Begins a file of the given name; until it is finished it has another name in the same folder, and what was there
    /// before stays.
    ///
    /// # Errors
    /// A name that does not end in `.wav` or `.flac`, a format that this container does not have, or a folder that cannot
    /// be written to.
    pub fn create(path: &Path, format: Format) -> Result<FileWriter, DeliveryError> {
        let failed = |problem| DeliveryError { path: path.to_owned(), problem };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let begin: fn(std::fs::File, Format) -> Result<Encoder, Problem> = match extension.as_deref() {
            Some("wav") => Encoder::wav,
            Some("flac") => Encoder::flac,
            _ => return Err(failed(Problem::Name)),
        };
        let system = |error: std::io::Error| failed(Problem::System(error.to_string()));
        // Asked first, since what the system says of the file that is really written names that one.
        std::fs::metadata(folder).map_err(system)?;
        if path.is_dir() {
            return Err(failed(Problem::System("it is a folder".into())));
        }
        if format.channels == 0 {
            return Err(failed(Problem::Format("a file needs at least one channel".into())));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".part");
        // As any new file has it: the user's mask takes off what they do not want to share.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(system)?;
        let encoder = begin(file.as_file().try_clone().map_err(system)?, format).map_err(failed)?;
        Ok(FileWriter {
            path: path.to_owned(),
            file,
            encoder,
            quantiser: Quantiser::new(format),
            channels: format.channels,
            frames: 0,
        })
    }

    /// Appends sound: a slice for each channel of the format, all equally long.
    ///
    /// # Errors
    /// Channels that are not those of the format or not equally long, a sample that is not a number, a WAV file that would
    /// become larger than 4 GiB, a disk that is full. What is wrong with the sound leaves the file as it was; after the
    /// rest it cannot be finished.
    pub fn write<C: AsRef<[f64]>>(&mut self, sound: &[C]) -> Result<(), DeliveryError> {
        let frames = sound.first().map_or(0, |channel| channel.as_ref().len());
        self.append(sound, frames).map_err(|problem| DeliveryError { path: self.path.clone(), problem })
    }

    fn append<C: AsRef<[f64]>>(&mut self, sound: &[C], frames: usize) -> Result<(), Problem> {
        if sound.len() != self.channels || sound.iter().any(|channel| channel.as_ref().len() != frames) {
            return Err(Problem::Format(format!("the sound does not have {} equally long channels", self.channels)));
        }
        let finite = |frame: &usize| sound.iter().all(|channel| channel.as_ref()[*frame].is_finite());
        if let Some(frame) = (0..frames).find(|frame| !finite(frame)) {
            return Err(Problem::NotANumber(self.frames + frame as u64));
        }
        self.encoder.room_for(self.frames + frames as u64)?;
        for frame in 0..frames {
            for (channel, samples) in sound.iter().enumerate() {
                let x = samples.as_ref()[frame];
                match &mut self.encoder {
                    Encoder::Float(writer) => writer.write_sample(x as f32).map_err(encode::wav_problem)?,
                    Encoder::Int(writer) => {
                        let x = self.quantiser.quantise(x, self.frames, channel);
                        writer.write_sample(x).map_err(encode::wav_problem)?;
                    }
                    Encoder::Flac(encoder) => encoder.take(self.quantiser.quantise(x, self.frames, channel))?,
                }
            }
            self.frames += 1;
        }
        Ok(())
    }

    /// Ends the file and gives it its name, in place of what had it.
    ///
    /// # Errors
    /// The rest cannot be written, or the name cannot be given.
    pub fn finish(self) -> Result<Delivered, DeliveryError> {
        let FileWriter { path, file, encoder, quantiser, frames, .. } = self;
        let ended = encoder.finish();
        let ended = ended.and_then(|()| file.persist(&path).map_err(|error| Problem::System(error.error.to_string())));
        match ended {
            Ok(_) => Ok(Delivered { frames, clipped: quantiser.clipped }),
            Err(problem) => Err(DeliveryError { path, problem }),
        }
    }
}

/// Why a file could not be written. Shown as one line that names the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// The file.
    pub path: PathBuf,
    /// What stands in the way.
    pub problem: Problem,
}

impl std::fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for DeliveryError {}

/// What can stand in the way of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its name says no container that is known.
    Name,
    /// The container does not hold such a format.
    Format(String),
    /// It would be larger than 4 GiB, which a WAV file cannot be.
    TooLong,
    /// The sound is not a number at this frame.
    NotANumber(u64),
    /// The system refuses.
    System(String),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Name => f.write_str("a file to write is named .wav or .flac"),
            Problem::Format(why) => f.write_str(why),
            Problem::TooLong => {
                f.write_str("would be larger than 4 GiB, which a WAV file cannot be; write .flac, or less at a time")
            }
            Problem::NotANumber(frame) => write!(f, "the sound is not a number at frame {frame}"),
            Problem::System(why) => write!(f, "cannot be written: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
