//! What a looper records on: one channel of a phrase, with what sounded just before it and just behind.

use crate::delay_line::DelayLine;
use crate::keep::{Keep, Ledger};
use crate::math;

/// A lap of a phrase on the transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lap {
    /// Its first frame.
    pub begin: i64,
    /// That of the next one.
    pub end: i64,
    /// Frames of the phrase.
    pub frames: usize,
    /// Whether it is heard itself; otherwise it is still recorded, and only leads into the next.
    pub sounds: bool,
}

/// One channel.
pub(super) struct Tape {
    /// An edge before the phrase, the phrase, an edge behind it.
    sound: Box<[f64]>,
    /// What fades out on its own.
    fading: Box<[f64]>,
}

impl Tape {
    /// An empty one for so many frames. Memory that is never written to is asked for, but costs nothing. Not RT.
    pub fn new(longest: usize, edge: usize) -> Tape {
        Tape { sound: vec![0.0; longest + 2 * edge].into_boxed_slice(), fading: vec![0.0; edge].into_boxed_slice() }
    }

    fn edge(&self) -> usize {
        self.fading.len()
    }

    /// A phrase begins: keeps what sounded just before it. RT.
    pub fn begin(&mut self, before: &DelayLine) {
        let edge = self.edge();
        self.sound.iter_mut().take(edge).enumerate().for_each(|(i, x)| *x = before.read(edge - 1 - i));
    }

    /// Nothing is there yet of `count` frames from one of the phrase on. RT.
    pub fn end(&mut self, from: usize, count: usize) {
        let edge = self.edge();
        if let Some(rest) = self.sound.get_mut(edge + from..edge + from + count) {
            rest.fill(0.0);
        }
    }

    /// Records a frame of the phrase, or behind it. RT.
    pub fn write(&mut self, place: usize, x: f64) {
        let edge = self.edge();
        if let Some(there) = self.sound.get_mut(edge + place) {
            *there = x;
        }
    }

    /// What is heard of a lap at a frame of the transport: it fades out behind its end, or into what sounded before the next
    /// one begins. RT.
    pub fn read(&self, lap: &Lap, frame: i64) -> f64 {
        let (gone, ahead, edge) = ((frame - lap.begin) as usize, (lap.end - frame) as usize, self.edge());
        let part = |frames: usize| math::ease(frames as f64 / (edge + 1) as f64);
        let mut sound = 0.0;
        if lap.sounds && gone < lap.frames + edge {
            sound = self.sound.get(edge + gone).copied().unwrap_or(0.0);
            if gone > lap.frames {
                sound *= math::ease((edge - (gone - lap.frames)) as f64 / edge as f64);
            }
        }
        if ahead <= edge {
            let enters = part(edge + 1 - ahead);
            let next = self.sound.get(edge - ahead).copied().unwrap_or(0.0);
            sound = (1.0 - enters) * sound + enters * next;
        }
        sound
    }

    /// Lays a frame over a lap, of which so much stays; what is behind the phrase is what its beginning is, if `behind`. RT.
    pub fn lay(&mut self, lap: &Lap, frame: i64, stays: f64, x: f64, behind: bool) {
        let (gone, ahead, edge) = ((frame - lap.begin) as usize, (lap.end - frame) as usize, self.edge());
        let places = [
            (gone < lap.frames).then_some(edge + gone),
            (ahead <= edge).then(|| edge - ahead),
            (behind && gone < edge).then_some(edge + lap.frames + gone),
        ];
        for place in places.into_iter().flatten() {
            if let Some(there) = self.sound.get_mut(place) {
                *there = stays * *there + x;
            }
        }
    }

    /// The frame `i` of what fades out from now on is `more`, and what was left of before, from its frame `gone` on. RT.
    pub fn let_go(&mut self, i: usize, gone: usize, more: f64) {
        let rest = self.fading.get(gone + i).copied().unwrap_or(0.0);
        if let Some(there) = self.fading.get_mut(i) {
            *there = rest + more;
        }
    }

    /// The frame of what fades out that has so many behind it. RT.
    pub fn left(&self, behind: usize) -> f64 {
        let last = self.edge() - 1;
        last.checked_sub(behind).and_then(|place| self.fading.get(place)).copied().unwrap_or(0.0)
    }

    /// Forgets what fades out; what is recorded is not read any more. RT.
    pub fn clear(&mut self) {
        self.fading.fill(0.0);
    }

    /// Keeps so many frames of the phrase, and what was before it, if there are any.
    pub fn keep(&mut self, recorded: usize, ledger: &mut Ledger) {
        let used = if recorded > 0 { self.edge() + recorded } else { 0 };
        match self.sound.get_mut(..used) {
            Some(sound) => sound.keep(ledger),
            None => ledger.fail(),
        }
        self.fading.keep(ledger);
    }
}
