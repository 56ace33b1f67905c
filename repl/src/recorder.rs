//! Writes what is played to a file, on a thread of its own: the audio thread only fills a ring.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine::live::Recording;
use hound::{SampleFormat, WavSpec, WavWriter};

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
        let shown = path.display();
        let writer = WavWriter::create(path, spec).map_err(|error| Failure::Error(format!("{shown}: {error}")))?;
        let finish = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let (told, count) = (finish.clone(), written.clone());
        let thread = thread::Builder::new()
            .name("gainstage-record".into())
            .spawn(move || write(writer, recording, frames.unwrap_or(u64::MAX), &told, &count))
            .map_err(|error| Failure::Error(error.to_string()))?;
        Ok(Recorder { path: path.to_owned(), finish, written, thread })
    }

    /// Whether all that was asked for is written, or nothing more can be.
    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Writes what has come so far and closes the file; gives the frames in it.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn finish(self) -> Result<u64, Failure> {
        self.finish.store(true, Ordering::Relaxed);
        let ended = self.thread.join().unwrap_or_else(|_| Err("the recording thread failed".into()));
        ended.map_err(|why| Failure::Error(format!("{}: {why}", self.path.display())))?;
        Ok(self.written.load(Ordering::Relaxed))
    }
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
