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
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let begin: fn(std::fs::File, Format) -> Result<Encoder, Problem> = match extension.as_deref() {
            Some("wav") => Encoder::wav,
            Some("flac") => Encoder::flac,
            _ => return Err(failed(Problem::Name)),
        };
        if format.channels == 0 {
            return Err(failed(Problem::Format("a file needs at least one channel".into())));
        }
        let file = beside(path)?;
        let system = |error: std::io::Error| refused(path, error);
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
        self.end()?.publish()
    }

    /// Ends the file: all of it is written, under another name.
    ///
    /// # Errors
    /// The rest cannot be written.
    pub fn end(self) -> Result<Whole, DeliveryError> {
        let FileWriter { path, file, encoder, quantiser, frames, .. } = self;
        match encoder.finish() {
            Ok(()) => Ok(Whole { path, file, delivered: Delivered { frames, clipped: quantiser.clipped } }),
            Err(problem) => Err(DeliveryError { path, problem }),
        }
    }
}

/// A file that is whole and has yet to get its name. Dropped before, it leaves nothing behind.
pub struct Whole {
    path: PathBuf,
    file: NamedTempFile,
    delivered: Delivered,
}

impl Whole {
    /// Begins and ends a file of plain bytes, as [`FileWriter`] does one of sound.
    ///
    /// # Errors
    /// The folder cannot be written to, or the disk is full.
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Whole, DeliveryError> {
        let mut file = beside(path)?;
        let written = std::io::Write::write_all(&mut file, bytes);
        written.map_err(|error| refused(path, error))?;
        Ok(Whole { path: path.to_owned(), file, delivered: Delivered { frames: 0, clipped: 0 } })
    }

    /// Gives it its name, in place of what had it; what was written.
    ///
    /// # Errors
    /// The name cannot be given.
    pub fn publish(self) -> Result<Delivered, DeliveryError> {
        let Whole { path, file, delivered } = self;
        match file.persist(&path) {
            Ok(_) => Ok(delivered),
            Err(error) => Err(refused(&path, error.error)),
        }
    }

    /// Gives several their names, once nothing is known that would keep one of them from it.
    ///
    /// # Errors
    /// A name cannot be given: what is known of it before, leaves all as it was.
    pub fn publish_all(files: Vec<Whole>) -> Result<Vec<(PathBuf, Delivered)>, DeliveryError> {
        files.iter().try_for_each(|file| free(&file.path))?;
        files.into_iter().map(|file| Ok((file.path.clone(), file.publish()?))).collect()
    }
}

/// A file beside a name that is to be given to it.
fn beside(path: &Path) -> Result<NamedTempFile, DeliveryError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Asked first, since what the system says of the file that is really written names that one.
    std::fs::metadata(folder).map_err(|error| refused(path, error))?;
    free(path)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".part");
    // As any new file has it: the user's mask takes off what they do not want to share.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|error| refused(path, error))
}

/// That a file can have a name: a folder that has it stays.
fn free(path: &Path) -> Result<(), DeliveryError> {
    match path.is_dir() {
        true => Err(refused(path, "it is a folder")),
        false => Ok(()),
    }
}

fn refused(path: &Path, why: impl ToString) -> DeliveryError {
    DeliveryError { path: path.to_owned(), problem: Problem::System(why.to_string()) }
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
