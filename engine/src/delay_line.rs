//! Sound kept for a while: one channel's ring of past frames, and how to move along it without a click.

use crate::keep::{Keep, Ledger};
use crate::math;

/// What one channel was, up to a fixed number of frames ago.
#[derive(Clone, Debug)]
pub struct DelayLine {
    /// A power of two of frames, so that any position is brought into it by a mask.
    ring: Box<[f64]>,
    /// Where the next frame goes, before the mask.
    head: usize,
    /// Frames written since the line was last cleared, at most the ring's length: older ones read as silence.
    filled: usize,
    /// Frames of silence, to the last bit, that were written last.
    quiet: usize,
}

impl DelayLine {
    /// A silent line that can be read up to `longest` frames back. Not RT.
    pub fn new(longest: usize) -> Self {
        // Reading between frames needs one older neighbour but one.
        let capacity = (longest + 3).next_power_of_two();
        DelayLine { ring: vec![0.0; capacity].into_boxed_slice(), head: 0, filled: 0, quiet: 0 }
    }

    /// Takes the next frame. RT.
    #[inline]
    pub fn write(&mut self, x: f64) {
        let mask = self.ring.len() - 1;
        self.ring[self.head & mask] = x;
        self.head = self.head.wrapping_add(1);
        self.filled = (self.filled + 1).min(self.ring.len());
        self.quiet = if x.to_bits() == 0 { self.quiet.saturating_add(1) } else { 0 };
    }

    /// The frame written `frames` before the newest, which is at 0. What was never written, or is longer ago than the
    /// line reaches, is silence. RT.
    #[inline]
    pub fn read(&self, frames: usize) -> f64 {
        if frames < self.filled {
            let mask = self.ring.len() - 1;
            self.ring[self.head.wrapping_sub(frames + 1) & mask]
        } else {
            0.0
        }
    }

    /// The sound `frames` before the newest frame, between frames by a cubic through the four nearest (Lagrange); before
    /// the first frame back the newest stands for the one still to come. A whole number of frames gives exactly what
    /// [`DelayLine::read`] does. RT.
    #[inline]
    pub fn read_between(&self, frames: f64) -> f64 {
        let frames = frames.max(0.0);
        let whole = frames as usize;
        let t = frames - whole as f64;
        let newer = whole.saturating_sub(1);
        between(t, [newer, whole, whole + 1, whole + 2].map(|frames| self.read(frames)))
    }

    /// A run of frames, of which the oldest was written `frames` before the newest: what [`DelayLine::read`] gives for each, the
    /// oldest first. What is still to come is silence. RT.
    pub fn read_run(&self, frames: usize, run: &mut [f64]) {
        let (run, to_come) = run.split_at_mut(run.len().min(frames + 1));
        to_come.fill(0.0);
        let missing = (frames + 1).saturating_sub(self.filled).min(run.len());
        let (never_written, heard) = run.split_at_mut(missing);
        never_written.fill(0.0);
        let first = self.head.wrapping_sub(frames + 1 - missing) & (self.ring.len() - 1);
        let (newer, older) = self.ring.split_at(first);
        let (front, rest) = heard.split_at_mut(heard.len().min(older.len()));
        front.copy_from_slice(&older[..front.len()]);
        rest.copy_from_slice(&newer[..rest.len()]);
    }

    /// Takes the next frames, no more than it holds. RT.
    pub fn write_run(&mut self, run: &[f64]) {
        let first = self.head & (self.ring.len() - 1);
        let (newer, older) = self.ring.split_at_mut(first);
        let (front, rest) = run.split_at(run.len().min(older.len()));
        older[..front.len()].copy_from_slice(front);
        newer[..rest.len()].copy_from_slice(rest);
        self.head = self.head.wrapping_add(run.len());
        self.filled = (self.filled + run.len()).min(self.ring.len());
        self.quiet = match run.iter().rposition(|x| x.to_bits() != 0) {
            Some(last) => run.len() - 1 - last,
            None => self.quiet.saturating_add(run.len()),
        };
    }

    /// The sound between two places, `part` of the way from the first to the second, each as [`DelayLine::read_between`]
    /// has it. RT.
    #[inline]
    pub fn read_faded(&self, now: f64, next: f64, part: f64) -> f64 {
        let old = self.read_between(now);
        if now == next { old } else { old + (self.read_between(next) - old) * part }
    }

    /// The same between two places that are whole numbers of frames. RT.
    #[inline]
    pub fn read_moved(&self, now: usize, next: usize, part: f64) -> f64 {
        let old = self.read(now);
        if now == next { old } else { old + (self.read(next) - old) * part }
    }

    /// Takes a frame and gives the one that came `frames` before it. RT.
    #[inline]
    pub fn delay(&mut self, x: f64, frames: usize) -> f64 {
        self.write(x);
        self.read(frames)
    }

    /// The same of each of a run of frames, in place: the line is to reach as far back as that and the run together. RT.
    pub fn delay_run(&mut self, run: &mut [f64], frames: usize) {
        self.write_run(run);
        self.read_run((frames + run.len()).saturating_sub(1), run);
    }

    /// Whether silence is read wherever it is read, to the last bit. RT.
    pub fn is_silent(&self) -> bool {
        self.quiet >= self.filled
    }

    /// Forgets everything, in constant time. RT.
    pub fn clear(&mut self) {
        self.filled = 0;
    }
}

/// A cubic through four frames, the newest first (Lagrange), at `t` from the second, 0, to the third, 1: at 0 the second exactly. RT.
#[inline(always)]
pub fn between(t: f64, [a, b, c, d]: [f64; 4]) -> f64 {
    let (before, after, beyond) = (t + 1.0, t - 1.0, t - 2.0);
    let cubic = b * (before * after * beyond * 0.5) - a * (t * after * beyond / 6.0) - c * (before * t * beyond * 0.5)
        + d * (before * t * after / 6.0);
    if t == 0.0 { b } else { cubic }
}

impl Keep for DelayLine {
    /// What was written since the line was cleared, the oldest first.
    fn keep(&mut self, ledger: &mut Ledger) {
        if ledger.is_noting() {
            if !self.is_silent() {
                ledger.fail();
            }
            return;
        }
        let filled = ledger.count(self.filled, self.ring.len());
        if ledger.is_reading() {
            self.clear();
        }
        for back in (0..filled).rev() {
            let mut x = self.read(back);
            x.keep(ledger);
            if ledger.is_reading() {
                self.write(x);
            }
        }
    }
}

/// Something that cannot glide, such as a place on a delay line, and so moves by a crossfade from the old to the new.
///
/// A move that is asked for during a crossfade begins when that has ended; of several only the last is made.
#[derive(Clone, Copy, Debug)]
pub struct Crossfade<T> {
    now: T,
    next: T,
    wanted: T,
    /// Frames of the present crossfade gone by; `length` when there is none.
    gone: usize,
    length: usize,
}

impl<T: Keep> Keep for Crossfade<T> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.now.keep(ledger);
        self.next.keep(ledger);
        self.wanted.keep(ledger);
        self.gone.keep(ledger);
    }
}

impl<T: Copy + PartialEq> Crossfade<T> {
    /// At rest at `at`; takes `length` frames, at least one, to move. Not RT.
    pub fn new(at: T, length: usize) -> Self {
        let length = length.max(1);
        Crossfade { now: at, next: at, wanted: at, gone: length, length }
    }

    /// Where it shall be. RT.
    pub fn go_to(&mut self, wanted: T) {
        self.wanted = wanted;
    }

    /// Steps on by one frame and gives the old, the new, and how much the new counts, from 0 to 1. At rest both are the
    /// same. RT.
    #[inline]
    pub fn step(&mut self) -> (T, T, f64) {
        if self.gone >= self.length {
            self.now = self.next;
            if self.wanted == self.now {
                return (self.now, self.now, 0.0);
            }
            self.next = self.wanted;
            self.gone = 0;
        }
        self.gone += 1;
        (self.now, self.next, math::ease(self.gone as f64 / self.length as f64))
    }

    /// The least of where it is, where it goes, and where it shall be. RT.
    pub fn nearest(&self) -> T
    where
        T: Ord,
    {
        self.now.min(self.next).min(self.wanted)
    }

    /// Whether it is where it shall be. RT.
    pub fn is_settled(&self) -> bool {
        self.gone >= self.length && self.next == self.wanted
    }

    /// Where it shall be. RT.
    pub fn wanted(&self) -> T {
        self.wanted
    }

    /// Ends any movement where it leads. RT.
    pub fn settle(&mut self) {
        self.now = self.wanted;
        self.next = self.wanted;
        self.gone = self.length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_delay_gives_back_what_was_written() {
        let mut line = DelayLine::new(100);
        for n in 0..1000 {
            line.write(f64::from(n));
            if n >= 100 {
                assert_eq!(line.read(0), f64::from(n));
                assert_eq!(line.read(100), f64::from(n - 100));
                assert_eq!(line.read_between(37.0), f64::from(n - 37));
            }
        }
    }

    #[test]
    fn runs_are_what_is_written_and_read_frame_by_frame() {
        let sounds = crate::test_signals::noise(5, 4000);
        for length in [1, 13, 64] {
            let (mut by_runs, mut by_frames) = (DelayLine::new(100), DelayLine::new(100));
            for (n, run) in sounds.chunks(length).enumerate() {
                // Now and then silence, which a line keeps count of.
                let run: Vec<f64> = run.iter().map(|x| if n % 50 > 9 { *x } else { 0.0 }).collect();
                by_runs.write_run(&run);
                run.iter().for_each(|x| by_frames.write(*x));
                assert_eq!(by_runs.is_silent(), by_frames.is_silent());
                for back in [0, 5, 63, 100] {
                    let mut read = [7.0; 64];
                    by_runs.read_run(back, &mut read);
                    for (i, x) in read.iter().enumerate() {
                        assert_eq!(*x, back.checked_sub(i).map_or(0.0, |back| by_frames.read(back)));
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_never_written_is_silence() {
        let mut line = DelayLine::new(8);
        line.write(1.0);
        assert_eq!((line.read(0), line.read(1), line.read(1_000_000)), (1.0, 0.0, 0.0));
        line.clear();
        assert_eq!(line.read(0), 0.0);
        line.write(2.0);
        assert_eq!((line.read(0), line.read(1)), (2.0, 0.0));
    }

    #[test]
    fn between_frames_a_cubic_is_exact() {
        let cubic = |x: f64| 0.5 * x * x * x - 2.0 * x * x + x - 3.0;
        let mut line = DelayLine::new(32);
        (0..32).for_each(|n| line.write(cubic(f64::from(n) * 0.1)));
        for delay in [1.25, 7.5, 20.875] {
            let expected = cubic((31.0 - delay) * 0.1);
            assert!((line.read_between(delay) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_moved_tap_arrives_after_its_length_and_never_leaves_the_two_values() {
        let mut line = DelayLine::new(100);
        (0..50).for_each(|_| line.write(1.0));
        (0..50).for_each(|_| line.write(0.0));
        let mut tap = Crossfade::new(10, 20);
        let read = |tap: &mut Crossfade<usize>| {
            let (now, next, part) = tap.step();
            line.read_faded(now as f64, next as f64, part)
        };
        assert_eq!(read(&mut tap), 0.0);
        tap.go_to(80);
        let path: Vec<f64> = (0..21).map(|_| read(&mut tap)).collect();
        assert!(path.windows(2).all(|w| w[0] <= w[1]) && path[0] > 0.0 && path[18] < 1.0);
        assert_eq!((path[19], path[20]), (1.0, 1.0));
    }

    #[test]
    fn a_tap_asked_again_while_moving_ends_at_the_last_place() {
        let mut tap = Crossfade::new(10, 20);
        tap.go_to(30);
        tap.step();
        tap.go_to(40);
        tap.go_to(50);
        (0..60).for_each(|_| {
            tap.step();
        });
        assert_eq!(tap.step(), (50, 50, 0.0));
    }
}
