//! Writes what is played to a file, on a thread of its own: the audio thread only fills a ring.
//!
//! Until the recording ends it is called `take.wav.*.part`, and what had its name before stays. A program that is
//! killed leaves the part, with all but the last second in it.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine::live::Recording;
use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::{NamedTempFile, TempPath};

use crate::ending::Failure;

/// How often the ring is emptied.
const PERIOD: Duration = Duration::from_millis(20);

/// How often the header is brought up to date, in periods: a kill loses at most about a second.
const FLUSH: u32 = 40;

/// The most a WAV file may hold, in bytes of samples: beyond it the format's own sizes would lie.
const MOST_BYTES: u64 = u32::MAX as u64 - 4096;

/// A recording under way.
pub struct Recorder {
    path: PathBuf,
    part: TempPath,
    finish: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: JoinHandle<Result<(), String>>,
}

impl Recorder {
    /// Starts writing 32-bit float WAV; with `frames`, exactly so many and no more.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn start(path: &Path, recording: Recording, rate: u32, frames: Option<u64>) -> Result<Self, Failure> {
        let spec = WavSpec {
            channels: recording.channels as u16,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let failed = |error: &dyn std::fmt::Display| Failure::Error(format!("{}: {error}", path.display()));
        let (file, part) = beside(path).map_err(|error| failed(&error))?.into_parts();
        let writer = WavWriter::new(BufWriter::new(file), spec).map_err(|error| failed(&error))?;
        let finish = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let (told, count) = (finish.clone(), written.clone());
        let thread = thread::Builder::new()
            .name("gainstage-record".into())
            .spawn(move || write(writer, recording, frames.unwrap_or(u64::MAX), &told, &count))
            .map_err(|error| Failure::Error(error.to_string()))?;
        Ok(Recorder { path: path.to_owned(), part, finish, written, thread })
    }

    /// Whether all that was asked for is written, or nothing more can be.
    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Writes what has come so far, closes the file and gives it its name; gives the frames in it.
    ///
    /// # Errors
    /// The file could not be written. What of it could be is kept under its other name.
    pub fn finish(self) -> Result<u64, Failure> {
        self.finish.store(true, Ordering::Relaxed);
        let ended = self.thread.join().unwrap_or_else(|_| Err("the recording thread failed".into()));
        if let Err(why) = ended {
            let kept = self.part.keep().map(|part| format!("; what there is of it is in {}", part.display()));
            return Err(Failure::Error(format!("{}: {why}{}", self.path.display(), kept.unwrap_or_default())));
        }
        let shown = self.path.display();
        self.part.persist(&self.path).map_err(|error| Failure::Error(format!("{shown}: {}", error.error)))?;
        Ok(self.written.load(Ordering::Relaxed))
    }
}

/// A file in the same folder, whose name shows what it will be.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Asked first, since what the system says of the part names that.
    std::fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    let prefix = format!("{name}.");
    builder.prefix(&prefix).suffix(".part");
    // As any new file has it: the user's mask takes off what they do not want to share.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn write(
    mut writer: WavWriter<BufWriter<File>>,
    mut recording: Recording,
    frames: u64,
    finish: &AtomicBool,
    written: &AtomicU64,
) -> Result<(), String> {
    let channels = recording.channels as u64;
    let most = MOST_BYTES / (4 * channels);
    let mut count = 0u64;
    let mut periods = 0u32;
    loop {
        let last = finish.load(Ordering::Relaxed);
        while count < frames && recording.samples.slots() >= recording.channels {
            if count == most {
                writer.finalize().map_err(|error| error.to_string())?;
                return Err("the file is full: a WAV file holds 4 GiB".into());
            }
            for _ in 0..channels {
                let sample = recording.samples.pop().unwrap_or(0.0);
                writer.write_sample(sample).map_err(|error| error.to_string())?;
            }
            count += 1;
        }
        written.store(count, Ordering::Relaxed);
        if last || count == frames {
            return writer.finalize().map_err(|error| error.to_string());
        }
        periods += 1;
        if periods.is_multiple_of(FLUSH) {
            writer.flush().map_err(|error| error.to_string())?;
        }
        thread::sleep(PERIOD);
    }
}
