//! A sound made longer or shorter, higher or lower, or played as a tape is: a loop that keeps its pitch at another tempo, a
//! voice that keeps its length in another key.
//!
//! Length is changed by a phase vocoder between onsets, which are moved as they are; pitch by reading what is longer at
//! another speed, as [`tape`] does. All of it is made whole, before it is heard, by arithmetic that is the same on every
//! processor.

mod onsets;
pub mod tape;
mod vocoder;

use crate::math;

/// What a sound is to become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warp {
    /// How fast it is played, as a tape: length and pitch together, backwards below 0.
    pub speed: f64,
    /// How long it is to be after that, with its pitch kept, in frames.
    pub frames: usize,
    /// By how many semitones it is to be higher, with its length kept.
    pub semitones: f64,
    /// Whether it follows itself, so that its end leads into its beginning.
    pub looped: bool,
}

/// How many frames a sound has at another speed; at least one.
pub fn frames_at(speed: f64, frames: u64) -> u64 {
    ((frames as f64 / speed.abs() + 0.5) as u64).max(1)
}

/// A sound, one vector a channel and all equally long, at `rate` frames a second, made what it is to become. What is so
/// already is given back as it is. Not RT.
pub fn warp(mut sound: Vec<Vec<f32>>, rate: f64, to: Warp) -> Vec<Vec<f32>> {
    if to.speed < 0.0 {
        sound.iter_mut().for_each(|channel| channel.reverse());
    }
    let length = sound.first().map_or(0, Vec::len);
    if length == 0 || to.frames == 0 {
        return vec![vec![0.0; to.frames]; sound.len()];
    }
    if to.speed.abs() != 1.0 {
        let frames = frames_at(to.speed, length as u64) as usize;
        sound = tape::read(&sound, pace(to.speed.abs(), length, frames, to.looped), frames, to.looped);
    }
    let higher = math::pow(2.0, to.semitones / 12.0);
    let long = ((to.frames as f64 * higher + 0.5) as usize).max(1);
    if long != sound.first().map_or(0, Vec::len) {
        sound = vocoder::stretch(&sound, rate, long, to.looped);
    }
    if to.semitones != 0.0 {
        sound = tape::read(&sound, pace(higher, long, to.frames, to.looped), to.frames, to.looped);
    }
    sound
}

/// The speed at which so many frames are read as so many: a loop has to come round exactly, else the pitch is what counts.
fn pace(speed: f64, from: usize, to: usize, looped: bool) -> f64 {
    if looped { from as f64 / to as f64 } else { speed }
}

#[cfg(test)]
mod tests;
