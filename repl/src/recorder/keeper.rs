//! One recording: a ring that is emptied into files, of which there may be more or fewer after each edit.
//!
//! All files of a recording are of one length: one that comes later begins with silence, one whose sound ends goes on
//! in silence, and silence stands for what found no room in the ring.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine::kernel::QUANTUM;
use engine::rolling::Rolling;
use engine::tap::{Quantum, Recording};

use super::{Name, numbered};
use crate::ending::Failure;
use crate::status;

/// How often the ring is emptied.
const PERIOD: Duration = Duration::from_millis(20);

/// How often files are brought up to date, in periods: a kill loses what came since, less than half a second.
const FLUSH: u32 = 20;

/// Which samples of a frame make which file.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    tracks: Vec<Track>,
}

#[derive(Clone, Debug)]
struct Track {
    name: String,
    /// For each channel the samples that it is the sum of.
    channels: Vec<Vec<usize>>,
}

impl Layout {
    /// How many samples a frame has that it speaks of.
    pub fn channels(&self) -> usize {
        self.tracks.iter().flat_map(|track| &track.channels).map(Vec::len).sum()
    }

    /// Adds what is known by a name and has these samples as its channels. Of one name are also what fades out and what
    /// takes its place: they are one sound.
    pub fn add(&mut self, name: &str, samples: impl ExactSizeIterator<Item = usize>) {
        let same = |track: &&mut Track| track.name == name && track.channels.len() == samples.len();
        match self.tracks.iter_mut().find(same) {
            Some(track) => track.channels.iter_mut().zip(samples).for_each(|(sum, sample)| sum.push(sample)),
            None => {
                let channels = samples.map(|sample| vec![sample]).collect();
                self.tracks.push(Track { name: name.to_owned(), channels });
            }
        }
    }
}

/// What a recording is to be.
pub struct Job {
    /// What comes.
    pub recording: Recording,
    /// What the file of a name is called, or why there can be none.
    pub name: Name,
    /// Frames a second.
    pub rate: u32,
    /// How many frames are wanted.
    pub frames: u64,
    /// Whether it begins with the performance, with the transport's first frame; or else with the first quantum that comes.
    pub whole: bool,
    /// The most bytes of a file.
    pub limit: u64,
    /// The most bytes that may wait for a disk that takes nothing.
    pub patience: usize,
}

/// A recording under way. Dropping it closes its files.
pub struct Keeper {
    layouts: Sender<(u64, Layout)>,
    finish: Arc<AtomicBool>,
    come: Arc<AtomicU64>,
    frames: u64,
    whole: bool,
    thread: Option<JoinHandle<Result<u64, Failure>>>,
}

impl Keeper {
    /// Makes the files of the first layout, that of the program of this number, and begins.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn start(job: Job, serial: u64, layout: Layout) -> Result<Self, Failure> {
        Keeper::run(job, |job, expected| Writer::new(job, expected, serial, layout).map(|writer| move || Ok(writer)))
    }

    /// Begins, and has the files made meanwhile: that they cannot be made is told, and so is what they are called.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn begin(job: Job, serial: u64, layout: Layout) -> Result<Self, Failure> {
        let make = move |job, expected| {
            let writer = Writer::new(job, expected, serial, layout).map_err(|failure| {
                status::error(failure);
                Failure::Shown
            })?;
            let files: Vec<String> = writer.files.iter().map(Kept::shown).collect();
            status::say(format!("recording to {}", files.join(", ")));
            Ok(writer)
        };
        Keeper::run(job, |job, expected| Ok(move || make(job, expected)))
    }

    /// Runs a writer, which is made here or there.
    fn run<M>(job: Job, make: impl FnOnce(Job, Receiver<(u64, Layout)>) -> Result<M, Failure>) -> Result<Self, Failure>
    where
        M: FnOnce() -> Result<Writer, Failure> + Send + 'static,
    {
        let (layouts, expected) = mpsc::channel();
        let (finish, come) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (frames, whole) = (job.frames, job.whole);
        let made = make(job, expected)?;
        let (told, count) = (finish.clone(), come.clone());
        let thread = thread::Builder::new()
            .name("gainstage-record".into())
            .spawn(move || made()?.run(&told, &count))
            .map_err(|error| Failure::Error(error.to_string()))?;
        Ok(Keeper { layouts, finish, come, frames, whole, thread: Some(thread) })
    }

    /// Whether it began with the performance.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether nothing is written any more.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Learns the layout of a program, before any of its sound comes.
    pub fn expect(&self, serial: u64, layout: Layout) {
        // Whoever does not hear it any more has ended, and says so itself.
        let _ = self.layouts.send((serial, layout));
    }

    /// Whether all that was asked for has come, or no more can.
    pub fn is_done(&self) -> bool {
        self.has_ended() || self.come.load(Ordering::Relaxed) >= self.frames
    }

    /// Writes what has come, closes the files and tells of each; gives the frames.
    ///
    /// # Errors
    /// Something could not be written, which has been told.
    pub fn finish(mut self) -> Result<u64, Failure> {
        self.join().unwrap_or_else(|| Err(Failure::Error("the recording thread failed".into())))
    }

    fn join(&mut self) -> Option<Result<u64, Failure>> {
        self.finish.store(true, Ordering::Relaxed);
        self.thread.take()?.join().ok()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.join();
    }
}

/// One file, or series of them.
struct Kept {
    name: String,
    channels: usize,
    rolling: Rolling,
}

impl Kept {
    /// Its files as they are told of.
    fn shown(&self) -> String {
        match self.rolling.parts() {
            [first, .., last] => format!("{} to {}", first.display(), last.display()),
            parts => parts.iter().map(|part| part.display().to_string()).collect(),
        }
    }

    /// Silence up to a frame.
    fn wait_for(&mut self, frame: u64) {
        self.rolling.silence(frame.saturating_sub(self.rolling.taken()));
    }
}

/// What the thread works on.
struct Writer {
    job: Job,
    expected: Receiver<(u64, Layout)>,
    /// The running program's, then those that are on their way.
    layouts: VecDeque<(u64, Layout)>,
    files: Vec<Kept>,
    /// Frames that are left out at the start. Of a whole performance, so that the first is the transport's: the latency when
    /// the first of it came; of another, everything before it.
    late: Option<u64>,
    /// The frame that comes next.
    now: u64,
    /// Whether anything came at all.
    came: bool,
    /// A file that could not be made since last asked to.
    trouble: Option<String>,
    /// Whether the user knows that something cannot be written.
    told: bool,
    /// Whether the recording was given up.
    ended: bool,
}

impl Writer {
    fn new(job: Job, expected: Receiver<(u64, Layout)>, serial: u64, layout: Layout) -> Result<Self, Failure> {
        let mut writer = Writer {
            job,
            expected,
            layouts: VecDeque::new(),
            files: Vec::new(),
            late: None,
            now: 0,
            came: false,
            trouble: None,
            told: false,
            ended: false,
        };
        for track in &layout.tracks {
            if let Err(why) = writer.make(&track.name, track.channels.len()) {
                writer.remove_all();
                return Err(Failure::Error(why));
            }
        }
        writer.layouts.push_back((serial, layout));
        Ok(writer)
    }

    fn run(mut self, finish: &AtomicBool, come: &AtomicU64) -> Result<u64, Failure> {
        let (mut sound, mut periods) = (Vec::new(), 0u32);
        loop {
            let last = finish.load(Ordering::Relaxed);
            self.drain(&mut sound);
            come.store(self.now, Ordering::Relaxed);
            if last {
                return self.close();
            }
            periods = periods.wrapping_add(1);
            if periods.is_multiple_of(FLUSH) {
                self.flush();
            }
            thread::sleep(PERIOD);
        }
    }

    /// Takes all that has come, each quantum by way of `sound`.
    fn drain(&mut self, sound: &mut Vec<f32>) {
        while let Some(quantum) = self.job.recording.next(sound) {
            self.take(quantum, sound);
        }
    }

    fn take(&mut self, quantum: Quantum, sound: &[f32]) {
        self.layouts.extend(self.expected.try_iter());
        while self.layouts.get(1).is_some_and(|(serial, _)| *serial <= quantum.serial) {
            self.layouts.pop_front();
        }
        let Some((serial, layout)) = self.layouts.pop_front() else { return };
        self.take_as(&layout, quantum, sound);
        self.layouts.push_front((serial, layout));
    }

    fn take_as(&mut self, layout: &Layout, quantum: Quantum, sound: &[f32]) {
        self.came = true;
        if !self.job.whole {
            self.late.get_or_insert(quantum.frame);
        } else if !layout.tracks.is_empty() {
            self.late.get_or_insert(quantum.late as u64);
        }
        let late = self.late.unwrap_or(0);
        let end = (quantum.frame + QUANTUM as u64).saturating_sub(late).min(self.job.frames);
        let begin = quantum.frame.saturating_sub(late).min(end);
        self.now = end;
        let stride = sound.len() / QUANTUM;
        if self.ended || begin == end || stride == 0 {
            return;
        }
        let first = (begin + late - quantum.frame) as usize;
        let sound = &sound[first * stride..(first + (end - begin) as usize) * stride];
        let mut block = Vec::with_capacity(sound.len());
        for track in &layout.tracks {
            let Some(file) = self.file(&track.name, track.channels.len()) else { continue };
            block.clear();
            for frame in sound.chunks_exact(stride) {
                let sample = |i: &usize| frame.get(*i).copied().unwrap_or(0.0);
                block.extend(track.channels.iter().map(|sum| sum.iter().map(sample).sum::<f32>()));
            }
            file.wait_for(begin);
            file.rolling.write(&block);
        }
    }

    /// The file of a name, made if there is none yet. One that cannot be made is tried again after the next flush.
    fn file(&mut self, name: &str, channels: usize) -> Option<&mut Kept> {
        let same = |file: &Kept| file.name == name && file.channels == channels;
        if !self.files.iter().any(same) {
            if self.trouble.is_some() {
                return None;
            }
            self.trouble = self.make(name, channels).err();
        }
        self.files.iter_mut().find(|file| same(file))
    }

    fn make(&mut self, name: &str, channels: usize) -> Result<(), String> {
        let wanted = (self.job.name)(name)?;
        let made = (1..).map(|n| Rolling::create(&numbered(&wanted, n), self.job.rate, channels, self.job.limit));
        let mut made =
            made.skip_while(|made| matches!(made, Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists));
        match made.next() {
            Some(Ok(rolling)) => self.files.push(Kept { name: name.to_owned(), channels, rolling }),
            Some(Err(error)) => return Err(format!("{}: {error}", wanted.display())),
            None => {}
        }
        Ok(())
    }

    /// Hands everything to the system. What fails is told of once, and tried again until too much waits.
    fn flush(&mut self) {
        if self.ended {
            return;
        }
        let mut trouble = self.trouble.take();
        for file in &mut self.files {
            file.wait_for(self.now);
            if let Err(error) = file.rolling.flush() {
                trouble.get_or_insert_with(|| format!("{}: {error}", file.shown()));
            }
        }
        match &trouble {
            Some(why) if !self.told => {
                status::error(format!("{why}; what is written stays, the rest is tried again, playing goes on"));
            }
            None if self.told => status::say("the recording is written again"),
            _ => {}
        }
        self.told = trouble.is_some();
        if self.files.iter().map(|file| file.rolling.waiting()).sum::<usize>() > self.job.patience {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.ended = true;
        for file in self.files.drain(..) {
            let frames = file.rolling.kept();
            let shown = file.shown();
            status::error(format!("{shown}: the recording ends with {frames} frames, since no more can be written"));
        }
    }

    fn close(mut self) -> Result<u64, Failure> {
        if !self.came {
            self.remove_all();
        }
        let mut whole = !self.ended && self.trouble.is_none();
        for file in &mut self.files {
            file.wait_for(self.now);
            let written = file.rolling.flush();
            let (shown, frames) = (file.shown(), file.rolling.kept());
            match written {
                Ok(()) => status::say(format!("{shown}: {frames} frames")),
                Err(error) => {
                    whole = false;
                    status::error(format!("{shown}: {error}; it has {frames} of {} frames", self.now));
                }
            }
        }
        if whole { Ok(self.now) } else { Err(Failure::Shown) }
    }

    /// Takes the files away again in which there is nothing.
    fn remove_all(&mut self) {
        for file in self.files.drain(..) {
            // An empty file that stays does no harm.
            file.rolling.parts().iter().for_each(|part| drop(std::fs::remove_file(part)));
        }
    }
}

#[cfg(test)]
mod tests;
