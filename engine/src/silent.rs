//! The silent device: no sound card, but a clock. It asks for sound at the moments a card would, so that everything
//! else works without one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::playback::{Driven, Load, Playback};

/// How long to wait before asking again whether media are ready.
const POLL: Duration = Duration::from_millis(1);

/// Being later than this is not an overload but a machine that slept: the schedule starts anew.
const ASLEEP: Duration = Duration::from_secs(1);

/// A running silent device. Dropping it stops it.
#[derive(Debug)]
pub struct Silent {
    load: Arc<Load>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Box<dyn Playback>>>,
}

impl Silent {
    /// Starts a device of `channels` channels that asks for `frames` frames at a time, `rate` a second. The time of
    /// each block is reckoned from the first, so that the clock does not drift; while `playback` is not ready it stands
    /// still.
    ///
    /// # Errors
    /// The system has no thread to give.
    ///
    /// # Panics
    /// When `rate`, `channels` or `frames` is 0.
    pub fn start(rate: u32, channels: usize, frames: usize, playback: Box<dyn Playback>) -> io::Result<Silent> {
        assert!(rate > 0 && channels > 0 && frames > 0, "a device has a rate, channels and a block");
        let (load, stop) = (Arc::new(Load::default()), Arc::new(AtomicBool::new(false)));
        let driven = Driven::new(playback, load.clone(), rate);
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("gainstage-clock".into())
            .spawn(move || run(driven, rate, &mut vec![0.0; frames * channels], channels, &stopped))?;
        Ok(Silent { load, stop, thread: Some(thread) })
    }

    /// How well the playback keeps up.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// Stops at the next block and gives the playback back; `None` if it panicked.
    pub fn stop(mut self) -> Option<Box<dyn Playback>> {
        self.join()
    }

    fn join(&mut self) -> Option<Box<dyn Playback>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok())
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.join();
    }
}

fn run(mut driven: Driven, rate: u32, block: &mut [f32], channels: usize, stop: &AtomicBool) -> Box<dyn Playback> {
    let frames = block.len() / channels;
    let mut origin = Instant::now();
    let mut blocks = 0;
    while !stop.load(Ordering::Relaxed) {
        if !driven.ready() {
            let start = Instant::now();
            while !driven.ready() && !stop.load(Ordering::Relaxed) {
                thread::sleep(POLL);
            }
            origin += start.elapsed();
        }
        let due = origin + time_of(blocks, frames, rate);
        let now = Instant::now();
        if now > due + ASLEEP {
            (origin, blocks) = (now, 0);
        } else if now < due {
            thread::sleep(due - now);
        }
        driven.fill_unhurried(block, channels);
        blocks += 1;
    }
    driven.into_inner()
}

/// When a block begins, from the first one.
fn time_of(block: u64, frames: usize, rate: u32) -> Duration {
    let frame = block * frames as u64;
    let rate = u64::from(rate);
    Duration::new(frame / rate, ((frame % rate) * 1_000_000_000 / rate) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;
    use std::sync::mpsc;

    struct Counting {
        frames: Arc<AtomicU64>,
        enough: mpsc::Sender<()>,
        ready: Arc<AtomicBool>,
        wrong: Arc<AtomicBool>,
    }

    impl Playback for Counting {
        fn fill(&mut self, block: &mut [f32], channels: usize) {
            if !self.ready.load(Ordering::SeqCst) || block.len() != 64 * channels {
                self.wrong.store(true, Ordering::SeqCst);
            }
            if self.frames.fetch_add((block.len() / channels) as u64, Ordering::SeqCst) >= 640 {
                let _ = self.enough.send(());
            }
        }

        fn ready(&mut self) -> bool {
            self.ready.load(Ordering::SeqCst)
        }
    }

    fn counting(ready: bool) -> (Counting, mpsc::Receiver<()>) {
        let (enough, receiver) = mpsc::channel();
        let counting =
            Counting { frames: Arc::default(), enough, ready: Arc::new(ready.into()), wrong: Arc::default() };
        (counting, receiver)
    }

    #[test]
    fn a_long_time_on_the_schedule_does_not_drift() {
        let day = 24 * 3600 * 44_100 / 64;
        assert_eq!(time_of(day, 64, 44_100), Duration::from_secs(24 * 3600));
        assert_eq!(time_of(750, 64, 48_000), Duration::from_secs(1));
    }

    #[test]
    fn it_asks_for_whole_blocks_and_gives_the_playback_back() {
        let (playback, enough) = counting(true);
        let (frames, wrong) = (playback.frames.clone(), playback.wrong.clone());
        let device = Silent::start(48_000, 2, 64, Box::new(playback)).unwrap();
        enough.recv_timeout(Duration::from_secs(20)).expect("it asks for sound");
        let mut back = device.stop().expect("the playback comes back");
        let played = frames.load(Ordering::SeqCst);
        assert_eq!(played % 64, 0);
        assert!(!wrong.load(Ordering::SeqCst), "each block has the size that was asked for");
        back.fill(&mut [0.0; 128], 2);
        assert_eq!(frames.load(Ordering::SeqCst), played + 64, "and it is the one that was given");
    }

    #[test]
    fn it_waits_for_media_and_then_plays() {
        let (playback, enough) = counting(false);
        let (ready, wrong) = (playback.ready.clone(), playback.wrong.clone());
        let device = Silent::start(48_000, 1, 64, Box::new(playback)).unwrap();
        assert!(enough.recv_timeout(Duration::from_millis(50)).is_err(), "nothing is asked for meanwhile");
        ready.store(true, Ordering::SeqCst);
        enough.recv_timeout(Duration::from_secs(20)).expect("it plays on");
        device.stop();
        assert!(!wrong.load(Ordering::SeqCst));
    }

    #[test]
    fn dropping_it_while_it_waits_ends_its_thread() {
        let (playback, _enough) = counting(false);
        let frames = playback.frames.clone();
        drop(Silent::start(48_000, 1, 64, Box::new(playback)).unwrap());
        assert_eq!(Arc::strong_count(&frames), 1);
    }
}
