//! The files that a performance is written to: the master, and a stem for every cable that was plugged into it at any
//! time, each as long as the master.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use engine::delivery::{Delivered, Dither, FileWriter, Kind, Measured, Shape, Tags, Whole};
use engine::kernel::Buffer;

use super::STEMS_OF;
use crate::arguments::{Depth, Replay as Arguments};
use crate::ending::{Failure, Outcome};
use crate::journal::Kept;
use crate::render::{format, stem_name};

/// Frames of silence that are written at a time.
const SILENCE: usize = 4096;

/// Everything that is written.
pub struct Files<'a> {
    kept: &'a Kept,
    arguments: &'a Arguments,
    master: Option<Sink>,
    /// By the path of the cable.
    stems: BTreeMap<String, Sink>,
    /// Frames of the stems that are over.
    frames: u64,
}

impl<'a> Files<'a> {
    /// Begins the files.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn create(arguments: &'a Arguments, kept: &'a Kept) -> Result<Self, Failure> {
        let mut files = Files { kept, arguments, master: None, stems: BTreeMap::new(), frames: 0 };
        if let Some(path) = &arguments.file {
            let depth = if Kind::of(path) == Some(Kind::Flac) { Depth::Int24 } else { Depth::Float32 };
            files.master = Some(files.sink(path.clone(), kept.header.channels, depth)?);
        }
        if let Some(dir) = &arguments.stems {
            fs::create_dir_all(dir).map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
        }
        Ok(files)
    }

    fn sink(&self, path: PathBuf, channels: usize, depth: Depth) -> Result<Sink, Failure> {
        let header = &self.kept.header;
        let format =
            format(self.arguments.bits.unwrap_or(depth), header.rate, channels, header.seed, Dither::Tpdf(Shape::Flat));
        let writer = FileWriter::create(&path, format, &Tags::default()).map_err(failed)?;
        Ok(Sink { path, writer, channels, frames: 0 })
    }

    /// The next frames of the master: a part of a quantum.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn master(&mut self, sound: &[Buffer], part: Range<usize>) -> Outcome {
        match &mut self.master {
            Some(sink) => sink.write(sound, part),
            None => Ok(()),
        }
    }

    /// The next frames of the stems. One that was not there before is silent up to here.
    ///
    /// # Errors
    /// They cannot be written, or two would be called the same.
    pub fn stems<'s>(&mut self, stems: impl Iterator<Item = (&'s str, &'s [Buffer])>, part: Range<usize>) -> Outcome {
        let Some(dir) = &self.arguments.stems else { return Ok(()) };
        // While one cable goes and another of its name comes, the stem is both.
        let mut sums: BTreeMap<&str, Vec<Buffer>> = BTreeMap::new();
        for (path, sound) in stems {
            let sum = sums.entry(path).or_default();
            sum.resize(sum.len().max(sound.len()), [0.0; _]);
            let samples = sum.iter_mut().flatten().zip(sound.iter().flatten());
            samples.for_each(|(sum, x)| *sum += x);
        }
        let count = part.len() as u64;
        for (path, sound) in sums {
            if !self.stems.contains_key(path) {
                let session = self.kept.header.session.file_stem().unwrap_or_default().to_string_lossy();
                let file = dir.join(stem_name(&session, path, STEMS_OF));
                if self.stems.values().any(|stem| stem.path == file) {
                    let shown = file.display();
                    return Err(Failure::Error(format!("two stems would be called {shown}: name their cables apart")));
                }
                let sink = self.sink(file, sound.len(), Depth::Float32)?;
                self.stems.insert(path.to_owned(), sink);
            }
            if let Some(stem) = self.stems.get_mut(path) {
                stem.silence_until(self.frames)?;
                stem.write(&sound, part.clone())?;
            }
        }
        self.frames += count;
        Ok(())
    }

    /// Ends the files, all of which are `frames` long, and gives them their names.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn finish(mut self, frames: u64) -> Result<Vec<(PathBuf, Delivered)>, Failure> {
        if let Some(dir) = self.arguments.stems.as_deref().filter(|_| self.stems.is_empty()) {
            return Err(nothing(dir));
        }
        self.stems.values_mut().try_for_each(|stem| stem.silence_until(frames))?;
        let sinks = self.master.into_iter().chain(self.stems.into_values());
        let whole = sinks.map(|sink| sink.writer.end(&Measured::default())).collect::<Result<_, _>>();
        Whole::publish_all(whole.map_err(failed)?).map_err(failed)
    }
}

fn nothing(dir: &Path) -> Failure {
    Failure::Error(format!("{}: nothing was plugged into \"{STEMS_OF}\", so there are no stems", dir.display()))
}

fn failed(error: engine::delivery::DeliveryError) -> Failure {
    Failure::Error(error.to_string())
}

/// One file.
struct Sink {
    path: PathBuf,
    writer: FileWriter,
    channels: usize,
    frames: u64,
}

impl Sink {
    fn write(&mut self, sound: &[Buffer], part: Range<usize>) -> Outcome {
        if sound.len() != self.channels {
            let (shown, was, is) = (self.path.display(), self.channels, sound.len());
            return Err(Failure::Error(format!("{shown}: had {was} channels, and {is} from here on")));
        }
        self.frames += part.len() as u64;
        let channels: Vec<&[f64]> = sound.iter().map(|buffer| &buffer[part.clone()]).collect();
        self.writer.write(&channels).map_err(failed)
    }

    fn silence_until(&mut self, frame: u64) -> Outcome {
        while self.frames < frame {
            let count = (frame - self.frames).min(SILENCE as u64) as usize;
            let silence = vec![&[0.0; SILENCE][..count]; self.channels];
            self.writer.write(&silence).map_err(failed)?;
            self.frames += count as u64;
        }
        Ok(())
    }
}
