//! What is known of each note that sounds.

use crate::keep::{Keep, Ledger, keep};

/// How far a voice has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is silent.
    #[default]
    Free = 0,
    /// Its key is down.
    On = 1,
    /// Its key is up.
    Released = 2,
    /// Its place was taken.
    Fading = 3,
}

/// One note that sounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Voice {
    pub stage: Stage,
    pub id: u64,
    /// When it began, and was released, among all notes.
    pub count: u64,
    pub released: u64,
    /// The frame at which it ends.
    pub ends: Option<u64>,
    pub pitch: Pitch,
}

keep!(Voice: stage, id, count, released, ends, pitch);

impl Voice {
    /// One that begins. RT.
    pub fn new(id: u64, count: u64, ends: Option<u64>, from: f64, to: f64, glide: f64) -> Self {
        let mut pitch = Pitch { from, to: from, ..Pitch::default() };
        pitch.go(to, glide);
        Voice { stage: Stage::On, id, count, released: 0, ends, pitch }
    }

    /// Goes over to another note, from the pitch where it is. RT.
    pub fn follow(&mut self, id: u64, pitch: f64, ends: Option<u64>, glide: f64) {
        (self.id, self.ends) = (id, ends);
        self.pitch.go(pitch, glide);
    }
}

/// A pitch that goes to another in a straight line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pitch {
    from: f64,
    to: f64,
    /// Frames of the way, and those that are left.
    whole: u64,
    left: u64,
}

keep!(Pitch: from, to, whole, left);

impl Pitch {
    /// RT.
    fn go(&mut self, to: f64, frames: f64) {
        let frames = frames as u64;
        *self = Pitch { from: self.at(), to, whole: frames, left: frames };
    }

    /// Whether it is on its way. RT.
    pub fn moves(&self) -> bool {
        self.left > 0
    }

    /// RT.
    fn at(&self) -> f64 {
        if self.left == 0 { self.to } else { self.to + (self.from - self.to) * (self.left as f64 / self.whole as f64) }
    }

    /// The pitch at the next frame. RT.
    pub fn step(&mut self) -> f64 {
        let at = self.at();
        self.left = self.left.saturating_sub(1);
        at
    }
}

/// A key that is held.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Held {
    pub id: u64,
    pub pitch: f64,
    pub ends: Option<u64>,
}

keep!(Held: id, pitch, ends);

impl Keep for Stage {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut byte = *self as u8;
        byte.keep(ledger);
        match [Stage::Free, Stage::On, Stage::Released, Stage::Fading].get(usize::from(byte)) {
            Some(stage) => *self = *stage,
            None => ledger.fail(),
        }
    }
}
