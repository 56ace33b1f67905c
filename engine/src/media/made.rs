//! Sound that is made from a file's before it is heard: warped to the tempo, higher, at another speed.
//!
//! It is made by one thread of its own, and only when a reader first asks for it: of a clip that has followed many tempos,
//! what is played. Until it is there, whoever can wait does, as for a stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use super::sound::Sound;
use super::{Fault, Held, IDLE_BOUND, Library, Media, MediaError, Stamp, forget_idle, guarded, lock};
use crate::warp::{Warp, warp};

/// How long the thread rests when nothing is asked for.
const REST: Duration = Duration::from_millis(5);

/// What is to be made of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// The first frame of the file.
    pub from: u64,
    /// The frame of the file after the last.
    pub to: u64,
    /// What becomes of it.
    pub warp: Warp,
}

impl Order {
    /// The numbers that it is told by.
    fn numbers(&self) -> [u64; 6] {
        let Warp { speed, frames, semitones, looped } = self.warp;
        [self.from, self.to, speed.to_bits(), frames as u64, semitones.to_bits(), u64::from(looped)]
    }
}

/// Sound that is there as soon as it has been asked for and made.
pub(super) struct Made {
    is_wanted: AtomicBool,
    sound: OnceLock<Vec<Vec<f32>>>,
    /// Keeps the thread.
    _worker: Sender<Job>,
}

impl Made {
    /// Whether it is there; it has now been asked for. RT.
    pub(super) fn is_at_hand(&self) -> bool {
        self.is_wanted.store(true, Ordering::Relaxed);
        self.sound.get().is_some()
    }

    /// The sound, if it is there. RT.
    pub(super) fn sound(&self) -> Option<&[Vec<f32>]> {
        self.sound.get().map(Vec::as_slice)
    }
}

/// Something to be made, as long as anybody has a use for it.
pub(super) struct Job {
    source: Arc<Media>,
    order: Order,
    result: Weak<Media>,
}

/// What has been made or is to be, by the number that tells it from everything else, the latest used last.
#[derive(Default)]
pub(super) struct Workshop {
    known: Mutex<Vec<(u64, Arc<Media>)>>,
    worker: Mutex<Option<Sender<Job>>>,
}

impl Library {
    /// What is made of a file, or of a part of it: known at once by its length, and made when it is first asked for. The
    /// same order gives the same sound, made once.
    ///
    /// # Errors
    /// The system has no thread left to make it.
    pub fn make(&self, source: &Arc<Media>, order: Order) -> Result<Arc<Media>, MediaError> {
        let identity = order
            .numbers()
            .into_iter()
            .fold(source.identity, |hash, number| crate::random::mix(hash ^ crate::random::mix(number)));
        let mut known = lock(&self.workshop.known);
        if let Some(index) = known.iter().position(|(other, media)| (*other, media.rate) == (identity, source.rate)) {
            let entry = known.remove(index);
            let media = entry.1.clone();
            known.push(entry);
            return Ok(media);
        }
        let failed = |fault| MediaError { path: source.path.clone(), fault };
        let worker = self.workshop.worker().map_err(failed)?;
        let held =
            Held::Made(Made { is_wanted: AtomicBool::new(false), sound: OnceLock::new(), _worker: worker.clone() });
        let media = Arc::new(Media {
            path: source.path.clone(),
            identity,
            rate: source.rate,
            stretched: source.stretched,
            channels: source.channels,
            frames: order.warp.frames as u64,
            held,
            fault: Mutex::default(),
        });
        // The thread is there as long as this sender is.
        let _ = worker.send(Job { source: source.clone(), order, result: Arc::downgrade(&media) });
        known.push((identity, media.clone()));
        forget_idle(&mut known, IDLE_BOUND);
        Ok(media)
    }
}

impl Workshop {
    /// The way to the thread, which is started when it is first needed and ends with the library and all that it makes.
    fn worker(&self) -> Result<Sender<Job>, Fault> {
        let mut worker = lock(&self.worker);
        if let Some(sender) = &*worker {
            return Ok(sender.clone());
        }
        let (sender, jobs) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("warp".into())
            .spawn(move || work(&jobs))
            .map_err(|error| Fault::Unreadable(error.to_string()))?;
        *worker = Some(sender.clone());
        Ok(sender)
    }
}

/// The thread: makes what is asked for, until nobody can ask any more.
fn work(jobs: &Receiver<Job>) {
    let mut waiting: Vec<Job> = Vec::new();
    loop {
        let next = match waiting.is_empty() {
            true => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => jobs.recv_timeout(REST),
        };
        match next {
            Ok(job) => waiting.push(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        waiting.extend(jobs.try_iter());
        waiting.retain(|job| job.result.strong_count() > 0);
        if let Some(wanted) = waiting.iter().position(Job::is_wanted) {
            waiting.remove(wanted).make();
        }
    }
}

impl Job {
    fn is_wanted(&self) -> bool {
        let result = self.result.upgrade();
        result.is_some_and(|media| matches!(&media.held, Held::Made(made) if made.is_wanted.load(Ordering::Relaxed)))
    }

    /// Makes it; what cannot be made is silent, and its fault says why.
    fn make(self) {
        let Some(result) = self.result.upgrade() else { return };
        let sound = guarded(|| self.region()).map(|region| warp(region, f64::from(self.source.rate), self.order.warp));
        let sound = sound.unwrap_or_else(|fault| {
            result.fail(fault);
            Vec::new()
        });
        if let Held::Made(made) = &result.held {
            // Nobody else sets it.
            let _ = made.sound.set(sound);
        }
    }

    /// The file's sound as it is.
    fn region(&self) -> Result<Vec<Vec<f32>>, Fault> {
        let Order { from, to, .. } = self.order;
        let Held::Disk { stamp, .. } = &self.source.held else {
            let all = self.source.memory().unwrap_or_default();
            let part = |channel: &Vec<f32>| channel.get(from as usize..to as usize).map(<[f32]>::to_vec);
            return all.iter().map(|channel| part(channel).ok_or(Fault::Empty)).collect();
        };
        if Stamp::of(&stamp.path)? != *stamp {
            return Err(Fault::Changed);
        }
        let mut sound = Sound::open(&stamp.path, self.source.rate)?;
        sound.seek(from)?;
        let mut region = vec![Vec::new(); self.source.channels];
        let mut end = from;
        while end < to {
            if !sound.next()? {
                return Err(Fault::CutShort { promised: self.source.frames, found: end });
            }
            let ((at, block), last) = (sound.block(), sound.end());
            if last > end {
                let part = (end.max(at) - at) as usize..(to.min(last) - at) as usize;
                region.iter_mut().zip(block).for_each(|(region, block)| region.extend_from_slice(&block[part.clone()]));
                end = to.min(last);
            }
        }
        Ok(region)
    }
}
