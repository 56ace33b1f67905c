//! One stroke while it sounds.

use std::ops::Range;

use super::sinc::Sinc;
use super::{Settings, Sound, Stroke};
use crate::keep::keep;
use crate::kernel::{Buffer, QUANTUM};
use crate::math;
use crate::one_pole::{self, OnePole};

/// What all voices work on in turn.
pub(super) struct Line {
    /// The gain of the whole at each frame of the quantum.
    pub gains: Buffer,
    /// That of the voice.
    level: Buffer,
    sound: Buffer,
}

impl Default for Line {
    fn default() -> Self {
        Line { gains: [0.0; QUANTUM], level: [0.0; QUANTUM], sound: [0.0; QUANTUM] }
    }
}

/// The whole frames of a sound that a stroke plays. RT.
pub(super) fn stretch(stroke: &Stroke, frames: usize) -> (usize, usize) {
    // A cast has what is not a number be 0, and what is beyond all measure the most there is.
    (stroke.from.round() as usize, (stroke.to.round() as usize).min(frames))
}

/// The first frame that it plays of a sound. RT.
fn first(stroke: &Stroke, sound: &Sound) -> usize {
    let (from, to) = stretch(stroke, sound.frames());
    if stroke.speed < 0.0 { to.saturating_sub(1) } else { from }
}

/// How loud it is. RT.
fn gain(stroke: &Stroke) -> f64 {
    stroke.velocity * stroke.velocity
}

/// A voice, silent or sounding.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    sounds: bool,
    sound: usize,
    age: u64,
    speed: f64,
    /// Where in the sound it began, and how many frames it has given since, of how many.
    begin: f64,
    given: u64,
    total: u64,
    gain: f64,
    /// Frames over which it comes in.
    enters: u64,
    /// The frame at which its slice is over: from there on it is read backwards, since what follows in the sound is
    /// another slice's.
    turn: u64,
    /// From which frame on it fades, and over how many.
    leaves: u64,
    fade: u64,
    /// What is left of its highs, above which part of the rate; 1 leaves them alone.
    highs: f64,
    share: f64,
    lows: Vec<OnePole>,
}

keep!(Voice: sounds, sound, age, speed, begin, given, total, gain, enters, turn, leaves, fade, highs, share, lows);

impl Voice {
    /// A silent one, for sounds of up to so many channels. Not RT.
    pub fn new(channels: usize) -> Voice {
        Voice {
            sounds: false,
            sound: 0,
            age: 0,
            speed: 1.0,
            begin: 0.0,
            given: 0,
            total: 0,
            gain: 0.0,
            enters: 0,
            turn: u64::MAX,
            leaves: u64::MAX,
            fade: 1,
            highs: 1.0,
            share: 1.0,
            lows: vec![OnePole::default(); channels],
        }
    }

    /// Whether anything comes from it. RT.
    pub fn sounds(&self) -> bool {
        self.sounds
    }

    /// Which sound it plays. RT.
    pub fn sound(&self) -> usize {
        self.sound
    }

    /// The number of its stroke. RT.
    pub fn age(&self) -> u64 {
        self.age
    }

    /// Whether it has given a frame. RT.
    pub fn has_begun(&self) -> bool {
        self.given > 0
    }

    /// Whether it sounds and does not fade. RT.
    pub fn is_held(&self) -> bool {
        self.sounds && self.given < self.leaves
    }

    /// Frames that it will still give. RT.
    pub fn left(&self) -> u64 {
        if self.sounds { self.total.min(self.leaves.saturating_add(self.fade)).saturating_sub(self.given) } else { 0 }
    }

    /// Forgets its sound. RT.
    pub fn silence(&mut self) {
        self.sounds = false;
        self.sound = 0;
        self.lows.iter_mut().for_each(OnePole::reset);
    }

    /// Fades over so many frames from here on; what has not begun will not. RT.
    pub fn fade(&mut self, frames: u64) {
        if self.given == 0 {
            self.silence();
        } else if self.given < self.leaves {
            (self.leaves, self.fade) = (self.given, frames);
        }
    }

    /// Begins a stroke, the `age`th, whose slice is faded over `edge` frames; it comes in over as many if `fades_in`. RT.
    pub fn strike(
        &mut self,
        stroke: &Stroke,
        sound: &Sound,
        age: u64,
        (edge, fades_in): (u64, bool),
        settings: &Settings,
    ) {
        let pace = stroke.speed.abs();
        let (from, to) = stretch(stroke, sound.frames());
        let is_within = if stroke.speed < 0.0 { to < sound.frames() } else { from > 0 };
        self.silence();
        self.sounds = true;
        (self.sound, self.speed, self.given) = (stroke.sound, stroke.speed, 0);
        self.begin = first(stroke, sound) as f64;
        self.gain = gain(stroke);
        self.enters = if fades_in && is_within { edge } else { 0 };
        self.highs = math::gain_from_db(-settings.touch * (1.0 - stroke.velocity).max(0.0));
        self.share = one_pole::share(sound.edge * pace, settings.rate);
        self.last(stroke, sound, age, edge);
    }

    /// Whether a stroke begins just where this one's slice is over, as if the two were one. RT.
    pub fn leads_to(&self, stroke: &Stroke, sound: &Sound) -> bool {
        let is_alike = (self.sound, self.speed, self.gain) == (stroke.sound, stroke.speed, gain(stroke));
        let is_over = self.sounds && self.given == self.turn && self.leaves == self.turn && self.enters <= self.given;
        is_over && is_alike && self.begin + self.given as f64 * self.speed == first(stroke, sound) as f64
    }

    /// Goes on with a stroke that it leads to. RT.
    pub fn go_on(&mut self, stroke: &Stroke, sound: &Sound, age: u64, edge: u64) {
        (self.begin, self.given, self.enters) = (first(stroke, sound) as f64, 0, 0);
        self.last(stroke, sound, age, edge);
    }

    /// Lasts from here on as long as a stroke does. RT.
    fn last(&mut self, stroke: &Stroke, sound: &Sound, age: u64, edge: u64) {
        let frames = sound.frames();
        let (from, to) = stretch(stroke, frames);
        let lasts = ((to.saturating_sub(from)) as f64 / stroke.speed.abs()).ceil() as u64;
        let ends = if stroke.speed < 0.0 { from > 0 } else { to < frames };
        (self.turn, self.total) = if ends { (lasts, u64::MAX) } else { (u64::MAX, lasts) };
        (self.leaves, self.fade) = (self.turn.min(stroke.frames.unwrap_or(u64::MAX)), edge.min(lasts).max(1));
        self.age = age;
    }

    /// Adds its next frames to these of `out`. RT.
    pub fn add(&mut self, sound: &Sound, sinc: &Sinc, frames: Range<usize>, line: &mut Line, out: &mut [Buffer]) {
        let frames = frames.start..frames.end.min(frames.start + self.left().min(QUANTUM as u64) as usize);
        for i in frames.clone() {
            let frame = self.given + (i - frames.start) as u64;
            line.level[i] = line.gains[i] * self.level(frame);
        }
        // Of several channels one is made by their mean.
        let count = sound.count();
        let single = out.len() == 1 && count > 1;
        let part = if single { 1.0 / count as f64 } else { 1.0 };
        for number in 0..count {
            let goes_to = match (single, count) {
                (true, _) => 0..1,
                (_, 1) => 0..out.len(),
                _ => number..(number + 1).min(out.len()),
            };
            let made = &mut line.sound[frames.clone()];
            self.read(sound.channel(number), sinc, made);
            if let Some(lows) = self.lows.get_mut(number).filter(|_| self.highs != 1.0) {
                for x in made.iter_mut() {
                    let low = lows.low(self.share, *x);
                    *x = low + self.highs * (*x - low);
                }
            }
            for out in out.get_mut(goes_to).into_iter().flatten() {
                for i in frames.clone() {
                    out[i] += part * (line.level[i] * line.sound[i]);
                }
            }
        }
        self.given += frames.len() as u64;
        if self.left() == 0 {
            self.silence();
        }
    }

    /// Its gain at a frame since it began. RT.
    fn level(&self, frame: u64) -> f64 {
        let mut level = self.gain;
        if frame < self.enters {
            level *= frame as f64 / self.enters as f64;
        }
        if frame >= self.leaves {
            level *= 1.0 - (frame - self.leaves) as f64 / self.fade as f64;
        }
        level
    }

    /// The next frames of a channel. RT.
    fn read(&self, channel: &[f32], sinc: &Sinc, made: &mut [f64]) {
        let ahead = self.turn.saturating_sub(self.given).min(made.len() as u64) as usize;
        let (onwards, back) = made.split_at_mut(ahead);
        // Frames are counted, and places not added up: nothing drifts, and a stretch does not matter.
        read(channel, sinc, Course { begin: self.begin, speed: self.speed, gone: self.given }, onwards);
        if !back.is_empty() {
            let begin = self.begin + (self.turn - 1) as f64 * self.speed;
            let gone = self.given + ahead as u64 - self.turn;
            read(channel, sinc, Course { begin, speed: -self.speed, gone }, back);
        }
    }
}

/// A way through a sound: where it begins, how fast it goes, and how many frames of it are gone.
struct Course {
    begin: f64,
    speed: f64,
    gone: u64,
}

/// The frames of a channel along a way. RT.
fn read(channel: &[f32], sinc: &Sinc, Course { begin, speed, gone }: Course, made: &mut [f64]) {
    if speed == 1.0 {
        let found = channel.get(begin as usize + gone as usize..).unwrap_or_default();
        made.fill(0.0);
        made.iter_mut().zip(found).for_each(|(x, found)| *x = f64::from(*found));
    } else if speed == -1.0 {
        for (i, x) in made.iter_mut().enumerate() {
            let at = (begin as usize).checked_sub(gone as usize + i);
            *x = at.and_then(|at| channel.get(at)).map_or(0.0, |found| f64::from(*found));
        }
    } else {
        let kernel = sinc.at(speed.abs());
        for (i, x) in made.iter_mut().enumerate() {
            let place = begin + (gone + i as u64) as f64 * speed;
            *x = if place >= 0.0 { kernel.read(channel, place) } else { 0.0 };
        }
    }
}
