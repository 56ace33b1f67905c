//! Sound read at another speed: length and pitch go together, as a tape's do.
//!
//! Between its frames a sound is read with a sinc under the window of Kaiser (1974), tabulated and interpolated in the table
//! (Smith and Gossett, "A flexible sampling-rate conversion method", 1984). Read faster than it was written, it loses what
//! would fold back: the sinc is made as much wider.

use std::f64::consts::PI;

use crate::math;

/// Zero crossings of the sinc on each side: flat to 0.89 of half the rate.
const CROSSINGS: usize = 32;

/// Places between two frames that are tabulated: a straight line between two of them is right to -105 dB.
const PLACES: usize = 512;

/// The window's shape: about 110 dB.
const BETA: f64 = 11.0;

/// `frames` frames of a sound, one vector a channel, read from its first frame on at `speed` frames a frame; round and round
/// if it is looped, else with silence around it. At a speed of 1 it is what it was. Not RT.
pub fn read(sound: &[Vec<f32>], speed: f64, frames: usize, looped: bool) -> Vec<Vec<f32>> {
    let length = sound.first().map_or(0, Vec::len) as i64;
    if speed == 1.0 && frames as i64 == length {
        return sound.to_vec();
    }
    let narrow = (1.0 / speed).min(1.0);
    let reach = (CROSSINGS as f64 / narrow).ceil() as i64;
    let rows: Vec<Vec<f32>> = (0..=PLACES).map(|place| row(place as f64 / PLACES as f64, narrow, reach)).collect();
    let mut made = vec![Vec::with_capacity(frames); sound.len()];
    let mut weights = vec![0.0; 2 * reach as usize];
    let mut around = weights.clone();
    for frame in 0..frames {
        let place = frame as f64 * speed;
        let whole = place.floor();
        let exact = (place - whole) * PLACES as f64;
        let (row, part) = (exact as usize, exact.fract() as f32);
        for (weight, (here, next)) in weights.iter_mut().zip(rows[row].iter().zip(&rows[row + 1])) {
            *weight = here + part * (next - here);
        }
        let first = whole as i64 + 1 - reach;
        for (made, sound) in made.iter_mut().zip(sound) {
            let inside = usize::try_from(first).ok().and_then(|first| sound.get(first..first + weights.len()));
            made.push(product(inside.unwrap_or_else(|| gather(sound, first, looped, &mut around)), &weights));
        }
    }
    made
}

/// What is around a place at the ends of a sound.
fn gather<'a>(sound: &[f32], first: i64, looped: bool, around: &'a mut [f32]) -> &'a [f32] {
    for (x, at) in around.iter_mut().zip(first..) {
        let at = if looped { at.rem_euclid(sound.len() as i64) } else { at };
        *x = usize::try_from(at).ok().and_then(|at| sound.get(at)).copied().unwrap_or(0.0);
    }
    around
}

/// The sum of products, in four lanes.
fn product(sound: &[f32], weights: &[f32]) -> f32 {
    let mut lanes = [0.0_f64; 4];
    for (x, weight) in sound.chunks(4).zip(weights.chunks(4)) {
        for ((lane, x), weight) in lanes.iter_mut().zip(x).zip(weight) {
            *lane += f64::from(*x) * f64::from(*weight);
        }
    }
    ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) as f32
}

/// The weights of the frames around a place between two of them, for a sinc made wider.
fn row(place: f64, narrow: f64, reach: i64) -> Vec<f32> {
    let at = |frame: i64| match (frame as f64 - place) * narrow {
        0.0 => narrow as f32,
        x => {
            let window = math::kaiser((x / CROSSINGS as f64).clamp(-1.0, 1.0), BETA);
            (narrow * math::sin(PI * x) / (PI * x) * window) as f32
        }
    };
    (1 - reach..=reach).map(at).collect()
}
