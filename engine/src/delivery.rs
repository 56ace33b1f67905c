//! Files that are delivered: WAV and FLAC, written beside their name and renamed when whole.
//!
//! A [`FileWriter`] takes sound as f64 and turns it into what the file holds: at integer depths with triangular dither,
//! flat or shaped, or without; as 32-bit float by a plain cast. Memory is bounded: WAV goes straight to disk, FLAC a block of
//! 4096 frames at a time. What a file says of itself are its [`Tags`], and what was [`Measured`] by the time that it ends: a WAV
//! file has bext (version 2), INFO, axml and cue chunks and is RF64 above 4 GiB, a FLAC file Vorbis comments and a cue sheet.
//! No clock is read: the same sound and tags give the same file. Nothing here is RT.

use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

mod flac;
mod quantise;
mod riff;
mod tags;
mod wav;

use flac::Flac;
use quantise::Quantiser;
use wav::Wav;

use crate::measure::{Figures, Layout, Measurement};

pub use crate::dither::{Dither, Shape};
pub use tags::{Loudness, MOST_TRACKS, Mark, Measured, Tags};

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

/// The containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// WAV.
    Wav,
    /// FLAC.
    Flac,
}

impl Kind {
    /// The kind that a file's ending says.
    pub fn of(path: &Path) -> Option<Kind> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "wav" => Some(Kind::Wav),
            "flac" => Some(Kind::Flac),
            _ => None,
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
    /// How samples are rounded at integer depths.
    pub dither: Dither,
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
    format: Format,
    quantiser: Quantiser,
    frames: u64,
    /// Measures what the file holds.
    measurement: Option<Box<Measurement>>,
    /// The same of all files that it goes on from, itself included, as one.
    whole: Option<Box<Measurement>>,
    /// What is on its way to the file, channels interleaved.
    ints: Vec<i32>,
    floats: Vec<f32>,
}

/// A container that is being filled.
enum Encoder {
    Wav(Box<Wav>),
    Flac(Box<Flac>),
}

impl FileWriter {
    /// Begins a file of the given name; until it is finished it has another name in the same folder, and what was there
    /// before stays.
    ///
    /// # Errors
    /// A name that does not end in `.wav` or `.flac`, a format that this container does not have, tags that no file can
    /// hold, or a folder that cannot be written to.
    pub fn create(path: &Path, format: Format, tags: &Tags) -> Result<FileWriter, DeliveryError> {
        let quantiser = Quantiser::new(format).map_err(Problem::Format);
        let writer = quantiser.and_then(|quantiser| FileWriter::begin(path, format, tags, quantiser, wav::LIMIT));
        writer.map_err(|problem| DeliveryError { path: path.to_owned(), problem })
    }

    /// The same, and what it holds is measured, its channels standing as a layout of as many says: as it is in the file,
    /// rounded and dithered.
    pub fn measured(mut self, layout: Layout) -> FileWriter {
        let Format { rate, depth, .. } = self.format;
        let full = match depth {
            Depth::Int16 | Depth::Int24 => 1.0 - 1.0 / steps(depth),
            Depth::Float32 => 1.0,
        };
        self.measurement = Some(Box::new(Measurement::new(rate, layout).full_scale(full)));
        self
    }

    /// What has been measured of the file so far, if it is measured.
    fn measurement(&self) -> Option<&Measurement> {
        self.measurement.as_deref()
    }

    /// The figures of the file, if it is measured. It is no longer, then.
    pub fn take_figures(&mut self) -> Option<Figures> {
        self.measurement.take().map(|measurement| measurement.into_figures())
    }

    /// Begins another file, of the same format, in which the sound goes on: dither too, so that the two end to end are one.
    ///
    /// # Errors
    /// Those of [`FileWriter::create`].
    pub fn go_on(&mut self, path: &Path, tags: &Tags) -> Result<FileWriter, DeliveryError> {
        let writer = FileWriter::begin(path, self.format, tags, self.quantiser.going_on(), wav::LIMIT)
            .map_err(|problem| DeliveryError { path: path.to_owned(), problem })?;
        let Some(layout) = self.measurement().map(|measurement| measurement.layout().clone()) else {
            return Ok(writer);
        };
        // Up to the first that goes on, the whole is its own.
        let whole = self.whole.take().or_else(|| self.measurement.clone());
        let mut writer = writer.measured(layout);
        writer.whole = whole;
        Ok(writer)
    }

    /// What has been measured of this file and of all that it goes on from, as one sound.
    pub fn whole(&self) -> Option<&Measurement> {
        self.whole.as_deref().or(self.measurement())
    }

    fn begin(
        path: &Path,
        format: Format,
        tags: &Tags,
        quantiser: Quantiser,
        limit: u64,
    ) -> Result<FileWriter, Problem> {
        let kind = Kind::of(path).ok_or(Problem::Name)?;
        if format.channels == 0 {
            return Err(Problem::Format("a file needs at least one channel".into()));
        }
        tags.check().map_err(Problem::Format)?;
        let file = beside(path)?;
        let inner = file.as_file().try_clone()?;
        let encoder = match kind {
            Kind::Wav => Encoder::Wav(Box::new(Wav::new(inner, format, tags, limit)?)),
            Kind::Flac => Encoder::Flac(Box::new(Flac::new(inner, format, tags)?)),
        };
        let (ints, floats) = (Vec::new(), Vec::new());
        let path = path.to_owned();
        Ok(FileWriter {
            path,
            file,
            encoder,
            format,
            quantiser,
            frames: 0,
            measurement: None,
            whole: None,
            ints,
            floats,
        })
    }

    /// Appends sound: a slice for each channel of the format, all equally long.
    ///
    /// # Errors
    /// Channels that are not those of the format or not equally long, a sample that is not a number, a disk that is full.
    /// What is wrong with the sound leaves the file as it was; after the rest it cannot be finished.
    pub fn write<C: AsRef<[f64]>>(&mut self, sound: &[C]) -> Result<(), DeliveryError> {
        let frames = sound.first().map_or(0, |channel| channel.as_ref().len());
        self.append(sound, frames).map_err(|problem| DeliveryError { path: self.path.clone(), problem })
    }

    fn append<C: AsRef<[f64]>>(&mut self, sound: &[C], frames: usize) -> Result<(), Problem> {
        let channels = self.format.channels;
        if sound.len() != channels || sound.iter().any(|channel| channel.as_ref().len() != frames) {
            return Err(Problem::Format(format!("the sound does not have {channels} equally long channels")));
        }
        // Where one is no number is asked only once it is known that one is not.
        let finite = |channel: &C| channel.as_ref().iter().fold(true, |all, x| all & x.is_finite());
        if !sound.iter().all(finite) {
            let broken = |frame: &usize| sound.iter().any(|channel| !channel.as_ref()[*frame].is_finite());
            let frame = (0..frames).find(broken).unwrap_or_default();
            return Err(Problem::NotANumber(self.frames + frame as u64));
        }
        match self.format.depth {
            Depth::Float32 => {
                self.floats.resize(frames * channels, 0.0);
                for (first, channel) in sound.iter().enumerate() {
                    let places = self.floats.iter_mut().skip(first).step_by(channels);
                    places.zip(channel.as_ref()).for_each(|(place, x)| *place = *x as f32);
                }
            }
            Depth::Int16 | Depth::Int24 => {
                self.ints.clear();
                let frame = |frame: usize| sound.iter().map(move |channel| channel.as_ref()[frame]);
                (0..frames).for_each(|i| self.quantiser.quantise(frame(i), &mut self.ints));
            }
        }
        self.measure(sound);
        match (&mut self.encoder, self.format.depth) {
            (Encoder::Wav(wav), Depth::Float32) => wav.floats(&self.floats)?,
            (Encoder::Wav(wav), _) => wav.ints(&self.ints)?,
            (Encoder::Flac(flac), _) => flac.ints(&self.ints)?,
        }
        self.frames += frames as u64;
        Ok(())
    }

    /// Measures what is on its way to the file.
    fn measure<C: AsRef<[f64]>>(&mut self, sound: &[C]) {
        if self.measurement.is_none() {
            return;
        }
        let (channels, step) = (self.format.channels, 1.0 / steps(self.format.depth));
        let rounded = |channel: &C| channel.as_ref().iter().map(|x| f64::from(*x as f32)).collect();
        let quantised =
            |channel| self.ints.iter().skip(channel).step_by(channels).map(|x| f64::from(*x) * step).collect();
        let sound: Vec<Vec<f64>> = match self.format.depth {
            Depth::Float32 => sound.iter().map(rounded).collect(),
            Depth::Int16 | Depth::Int24 => (0..channels).map(quantised).collect(),
        };
        self.measurement.iter_mut().chain(&mut self.whole).for_each(|measurement| measurement.take(&sound));
    }

    /// Ends the file, with what was measured of it, and gives it its name, in place of what had it.
    ///
    /// # Errors
    /// The rest cannot be written, or the name cannot be given.
    pub fn finish(self, measured: &Measured) -> Result<Delivered, DeliveryError> {
        self.end(measured)?.publish()
    }

    /// Ends the file: all of it is written, under another name.
    ///
    /// # Errors
    /// The rest cannot be written.
    pub fn end(self, measured: &Measured) -> Result<Whole, DeliveryError> {
        let FileWriter { path, file, encoder, quantiser, frames, .. } = self;
        let ended = match encoder {
            Encoder::Wav(wav) => wav.finish(measured),
            Encoder::Flac(flac) => flac.finish(measured),
        };
        match ended {
            Ok(()) => Ok(Whole { path, file, delivered: Delivered { frames, clipped: quantiser.clipped } }),
            Err(problem) => Err(DeliveryError { path, problem }),
        }
    }
}

/// How many steps full scale has.
fn steps(depth: Depth) -> f64 {
    (1u64 << (depth.bits() - 1)) as f64
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
        let mut file = beside(path).map_err(|problem| DeliveryError { path: path.to_owned(), problem })?;
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
        for file in &files {
            free(&file.path).map_err(|problem| DeliveryError { path: file.path.clone(), problem })?;
        }
        let mut there: Vec<(PathBuf, Delivered)> = Vec::new();
        for file in files {
            let path = file.path.clone();
            match file.publish() {
                Ok(delivered) => there.push((path, delivered)),
                Err(error) if there.is_empty() => return Err(error),
                Err(DeliveryError { path, problem }) => {
                    let names: Vec<String> = there.iter().map(|(path, _)| path.display().to_string()).collect();
                    let problem = Problem::System(format!("{problem}; written before that: {}", names.join(", ")));
                    return Err(DeliveryError { path, problem });
                }
            }
        }
        Ok(there)
    }
}

/// A file beside a name that is to be given to it.
fn beside(path: &Path) -> Result<NamedTempFile, Problem> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Asked first, since what the system says of the file that is really written names that one.
    std::fs::metadata(folder)?;
    free(path)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".part");
    // As any new file has it: the user's mask takes off what they do not want to share.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    Ok(builder.tempfile_in(folder)?)
}

/// That a file can have a name: a folder that has it stays.
fn free(path: &Path) -> Result<(), Problem> {
    match path.is_dir() {
        true => Err(Problem::System("it is a folder".into())),
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
    /// The container does not hold such a format, or such tags.
    Format(String),
    /// The sound is not a number at this frame.
    NotANumber(u64),
    /// The system refuses.
    System(String),
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem::System(error.to_string())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Name => f.write_str("a file to write is named .wav or .flac"),
            Problem::Format(why) => f.write_str(why),
            Problem::NotANumber(frame) => write!(f, "the sound is not a number at frame {frame}"),
            Problem::System(why) => write!(f, "cannot be written: {why}"),
        }
    }
}

#[cfg(test)]
mod chunk_tests;
#[cfg(test)]
mod tests;
