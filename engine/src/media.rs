//! Sound files: opened, decoded, resampled to the session's rate, kept in memory or streamed from disk.
//!
//! A [`Library`] opens files and remembers them; a [`Media`] is one file at one rate; a [`Reader`] gives a region of it
//! on the audio thread. What a reader gives is a function of the transport frame alone: short files lie in memory, long
//! ones, and those that all together there is no room for, are decoded ahead by one worker thread in bounded memory, and the bits
//! are the same. In a rendering, which can wait, what lies in a file as it is wanted is read in place. What an [`Order`] has made
//! of a file is a [`Media`] too.
//!
//! Decoding is symphonia's, but for plain WAV files. Everything that touches a file runs off the audio thread and inside
//! `catch_unwind`: a hostile file is an error, never a panic.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

mod decode;
mod edits;
mod foresight;
mod in_place;
mod made;
mod reader;
mod region;
mod sound;
mod stream;
mod track;
mod wav;
mod window;

pub use made::Order;
pub use reader::{Reader, lay};
pub use region::{Region, Run};
pub use track::Track;

use made::{Made, Workshop};
use sound::Sound;
use stream::{Pace, Stream};

use crate::worker;

/// Decoded bytes up to which a file is kept in memory: 64 MiB, about three minutes of stereo at 48 kHz. A longer file
/// is streamed; its looped regions up to this size are kept by their stream.
pub const MEMORY_BOUND: u64 = 64 << 20;

/// Decoded bytes up to which the files that are in use are kept in memory, all together: what is more is streamed.
const ROOM: u64 = 512 << 20;

/// The same where nobody jumps about in them and whoever reads them can wait.
const ROOM_TO_RENDER: u64 = 128 << 20;

/// Decoded bytes up to which a file is kept in memory that could as well be read in place.
const IN_PLACE: u64 = 1 << 20;

/// Decoded bytes that the library goes on holding for files that nothing uses at the moment.
const IDLE_BOUND: u64 = 256 << 20;

/// Opens sound files and remembers those that are open. Shared between threads; nothing here is RT.
pub struct Library {
    bound: u64,
    room: u64,
    pace: Pace,
    /// What is open, the latest used last.
    open: Mutex<Vec<(Key, Arc<Media>)>>,
    worker: Mutex<Option<Sender<Stream>>>,
    /// What has been made of them.
    workshop: Workshop,
}

/// What makes a file the same file.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    rate: u32,
    stamp: Stamp,
}

/// A file as it was at one time; first what is compared soonest.
#[derive(Clone, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    path: PathBuf,
}

impl Stamp {
    fn of(path: &Path) -> Result<Stamp, Fault> {
        let found = std::fs::canonicalize(path).and_then(|whole| Ok((std::fs::metadata(&whole)?, whole)));
        let (data, path) = found.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Fault::Missing,
            _ => Fault::Unreadable(error.to_string()),
        })?;
        if !data.is_file() {
            return Err(Fault::NotAFile);
        }
        if data.len() == 0 {
            return Err(Fault::Empty);
        }
        Ok(Stamp { length: data.len(), modified: data.modified().ok(), path })
    }

    /// FNV-1a (Fowler, Noll and Vo, 1991) of everything in it.
    fn identity(&self) -> u64 {
        let age = self.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let numbers = [age.map_or(0, |age| age.as_nanos() as u64), self.length];
        let bytes = self.path.as_os_str().as_encoded_bytes().iter().copied();
        bytes
            .chain(numbers.into_iter().flat_map(u64::to_le_bytes))
            .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
    }
}

impl Default for Library {
    fn default() -> Self {
        Library::new()
    }
}

impl Library {
    /// A library that keeps files up to [`MEMORY_BOUND`] in memory, as long as there is room for all that are in use.
    pub fn new() -> Self {
        Library { room: ROOM, ..Library::with_bound(MEMORY_BOUND) }
    }

    /// The same for a rendering, which needs less memory: it reads from one end to the other, and can wait.
    pub fn rendering() -> Self {
        Library { room: ROOM_TO_RENDER, pace: Pace::RENDERING, ..Library::new() }
    }

    /// A library that keeps files up to `bound` decoded bytes in memory and streams longer ones.
    pub fn with_bound(bound: u64) -> Self {
        Library {
            bound,
            room: u64::MAX,
            pace: Pace::LIVE,
            open: Mutex::default(),
            worker: Mutex::default(),
            workshop: Workshop::default(),
        }
    }

    /// Opens a file at a sample rate, or gives the one that is open already if it has not changed since. A file that
    /// fits in memory is decoded whole, and an error anywhere in it is found here; one that is streamed is looked at
    /// from both ends, and what is wrong in its middle comes to light as [`Media::fault`].
    ///
    /// # Errors
    /// The file is missing, unreadable, empty, not a sound file, of a kind that is not supported, corrupt or cut short.
    pub fn open(&self, path: &Path, rate: u32) -> Result<Arc<Media>, MediaError> {
        self.open_as(path, rate, false)
    }

    /// The same of a file that can only be used from memory: it is kept there, however full that is, unless it is longer than any
    /// that is.
    ///
    /// # Errors
    /// Those of [`Library::open`].
    pub fn open_whole(&self, path: &Path, rate: u32) -> Result<Arc<Media>, MediaError> {
        self.open_as(path, rate, true)
    }

    fn open_as(&self, path: &Path, rate: u32, whole: bool) -> Result<Arc<Media>, MediaError> {
        let failed = |fault| MediaError { path: path.to_owned(), fault };
        let key = Key { rate, stamp: Stamp::of(path).map_err(failed)? };
        if let Some(media) = self.remembered(&key, whole) {
            return Ok(media);
        }
        let media = Arc::new(guarded(|| self.load(path, &key, whole)).map_err(failed)?);
        if let Some(media) = self.remembered(&key, whole) {
            // Another thread was faster; one copy is enough.
            return Ok(media);
        }
        let mut open = lock(&self.open);
        open.push((key, media.clone()));
        forget_idle(&mut open, IDLE_BOUND);
        Ok(media)
    }

    fn remembered(&self, key: &Key, whole: bool) -> Option<Arc<Media>> {
        let mut open = lock(&self.open);
        let will_do = |media: &Media| !whole || !media.is_streamed() || media.decoded() > self.bound;
        let index = open.iter().position(|(known, media)| known == key && will_do(media))?;
        let entry = open.remove(index);
        let media = entry.1.clone();
        open.push(entry);
        Some(media)
    }

    /// Decoded bytes that a file may have to be kept in memory.
    fn most(&self, whole: bool) -> u64 {
        if whole {
            return self.bound;
        }
        let open = lock(&self.open);
        let used = open.iter().filter(|(_, media)| Arc::strong_count(media) > 1).map(|(_, media)| media.bytes()).sum();
        self.bound.min(self.room.saturating_sub(used))
    }

    fn load(&self, path: &Path, key: &Key, whole: bool) -> Result<Media, Fault> {
        let mut sound = Sound::open(&key.stamp.path, key.rate)?;
        let in_place = self.pace.waits && sound.is_plain();
        let most = self.most(whole).min(if in_place && !whole { IN_PLACE } else { u64::MAX });
        let (channels, stretched) = (sound.channels(), f64::from(key.rate) / f64::from(sound.own_rate()));
        let bytes = |frames: u64| frames.saturating_mul(channels as u64 * size_of::<f32>() as u64);
        let promised = sound.promised();
        let mut frames = 0;
        let mut fits = promised.is_none_or(|promised| bytes(promised) <= most);
        let room = promised.filter(|_| fits).unwrap_or(0) as usize;
        let mut memory: Vec<Vec<f32>> = (0..channels).map(|_| Vec::with_capacity(room)).collect();
        while fits && sound.next()? {
            memory.iter_mut().zip(sound.block().1).for_each(|(all, block)| all.extend_from_slice(block));
            frames = sound.end();
            fits = bytes(frames) <= most;
        }
        let held = if fits {
            Held::Memory(memory)
        } else {
            drop(memory);
            frames = sound::measure(&key.stamp.path, key.rate)?;
            let way =
                if in_place { Way::InPlace } else { Way::Ahead { depth: self.pace.depth, worker: self.worker()? } };
            Held::Disk { stamp: key.stamp.clone(), keep: most, way }
        };
        if frames == 0 {
            return Err(Fault::Empty);
        }
        Ok(Media {
            path: path.to_owned(),
            identity: key.stamp.identity(),
            rate: key.rate,
            stretched,
            channels,
            frames,
            held,
            fault: Mutex::default(),
        })
    }

    /// The way to the thread that streams, which is started when it is first needed and ends with the library and all
    /// media of it.
    fn worker(&self) -> Result<Sender<Stream>, Fault> {
        let mut worker = lock(&self.worker);
        if let Some(sender) = &*worker {
            return Ok(sender.clone());
        }
        let (sender, jobs) = std::sync::mpsc::channel();
        let rest = self.pace.rest;
        std::thread::Builder::new()
            .name("media".into())
            .spawn(move || worker::keep_ahead(&jobs, rest))
            .map_err(|error| Fault::Unreadable(error.to_string()))?;
        *worker = Some(sender.clone());
        Ok(sender)
    }
}

/// Drops the longest unused of the files that nobody else holds, until they fit in `bound` decoded bytes.
fn forget_idle<K>(open: &mut Vec<(K, Arc<Media>)>, bound: u64) {
    let idle = |media: &Arc<Media>| if Arc::strong_count(media) == 1 { media.bytes() } else { 0 };
    let mut sum: u64 = open.iter().map(|(_, media)| idle(media)).sum();
    open.retain(|(_, media)| {
        let bytes = idle(media);
        let keep = bytes == 0 || sum <= bound;
        if !keep {
            sum -= bytes;
        }
        keep
    });
}

/// A lock that a panic elsewhere has not spoilt: what it guards is valid between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs what reads a file; a panic in the decoder becomes an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Corrupt("the decoder gave up".into())))
}

/// A sound file at the session's rate.
pub struct Media {
    path: PathBuf,
    identity: u64,
    rate: u32,
    stretched: f64,
    channels: usize,
    frames: u64,
    held: Held,
    fault: Mutex<Option<MediaError>>,
}

/// Where the sound of a [`Media`] is.
enum Held {
    /// All of it here, one vector a channel.
    Memory(Vec<Vec<f32>>),
    /// In the file as it was when it was opened. Looped regions of up to `keep` decoded bytes are kept by whoever reads them.
    Disk { stamp: Stamp, keep: u64, way: Way },
    /// Made of a file's, when it is asked for.
    Made(Made),
}

/// How sound comes from a file.
enum Way {
    /// Decoded by the worker, up to so many quanta ahead.
    Ahead { depth: usize, worker: Sender<Stream> },
    /// Read by the reader, when it is wanted.
    InPlace,
}

impl Media {
    /// All of its sound, a vector a channel; none of a file that is too long to lie in memory.
    pub fn whole(&self) -> Option<&[Vec<f32>]> {
        match &self.held {
            Held::Memory(memory) => Some(memory),
            Held::Disk { .. } | Held::Made(_) => None,
        }
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number that is another for another file and for another version of this one: made of its canonical path, the
    /// time of its last change and its length.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// How many channels it has; at least one.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// How many frames it has at the session's rate; at least one.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// How many frames it has for each that the file has: the session's rate against its own.
    pub fn stretched(&self) -> f64 {
        self.stretched
    }

    /// Whether it is streamed from disk rather than kept in memory.
    pub fn is_streamed(&self) -> bool {
        matches!(self.held, Held::Disk { .. })
    }

    /// What went wrong while it was streamed. From there on it is silent.
    pub fn fault(&self) -> Option<MediaError> {
        lock(&self.fault).clone()
    }

    /// All its sound, one vector a channel, if it is in memory. RT.
    pub fn memory(&self) -> Option<&[Vec<f32>]> {
        match &self.held {
            Held::Memory(memory) => Some(memory),
            Held::Disk { .. } => None,
            Held::Made(made) => made.sound(),
        }
    }

    /// Whether all is there that a stream does not bring; what has to be made first has now been asked for. RT.
    pub fn is_at_hand(&self) -> bool {
        match &self.held {
            Held::Memory(_) | Held::Disk { .. } => true,
            Held::Made(made) => made.is_at_hand(),
        }
    }

    /// Decoded bytes that it keeps in memory.
    fn bytes(&self) -> u64 {
        self.memory().map_or(0, |_| self.decoded())
    }

    /// Bytes that all of it would have in memory.
    fn decoded(&self) -> u64 {
        self.frames.saturating_mul((self.channels * size_of::<f32>()) as u64)
    }

    fn fail(&self, fault: Fault) {
        lock(&self.fault).get_or_insert(MediaError { path: self.path.clone(), fault });
    }
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Media")
            .field("path", &self.path)
            .field("rate", &self.rate)
            .field("channels", &self.channels)
            .field("frames", &self.frames)
            .field("streamed", &self.is_streamed())
            .finish()
    }
}

/// Why a file gives no sound. Shown as one line that names the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaError {
    /// The file, as it was asked for.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

impl std::fmt::Display for MediaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.fault)
    }
}

impl std::error::Error for MediaError {}

/// What can be wrong with a sound file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such file.
    Missing,
    /// It is a folder or a device.
    NotAFile,
    /// The system does not let it be read.
    Unreadable(String),
    /// It holds no sound that this program knows.
    NotSound,
    /// It holds sound of a kind that this program does not decode.
    Unsupported(String),
    /// It is damaged.
    Corrupt(String),
    /// It ends before what its header promises.
    CutShort {
        /// Frames that the header promises.
        promised: u64,
        /// Frames that are there.
        found: u64,
    },
    /// Its sound has no channels.
    NoChannels,
    /// It has no frames.
    Empty,
    /// It is not the file any more that was opened.
    Changed,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Missing => f.write_str("no such file"),
            Fault::NotAFile => f.write_str("is not a file"),
            Fault::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Fault::NotSound => {
                f.write_str("is not a sound file of a known kind (WAV, FLAC, MP3, OGG, AAC in MP4, AIFF)")
            }
            Fault::Unsupported(what) => write!(f, "is not supported: {what}"),
            Fault::Corrupt(why) => write!(f, "is damaged: {why}"),
            Fault::CutShort { promised, found } => {
                write!(f, "is cut short: its header promises {promised} frames, and {found} are there")
            }
            Fault::NoChannels => f.write_str("has no channels"),
            Fault::Empty => f.write_str("is empty"),
            Fault::Changed => f.write_str("has changed on disk since it was opened"),
        }
    }
}

#[cfg(test)]
mod tests;
