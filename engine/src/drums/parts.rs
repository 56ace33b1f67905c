//! What drums are made of: bodies that ring, noise, squares for metal, and the shapes that they are given.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use crate::filters::{Filter, Section};
use crate::math;
use crate::random;
use crate::sources::step::{REACH, Step};

/// The rate at which every drum is made, in Hz.
pub(super) const RATE: f64 = 48_000.0;

/// A sound while it is made, one vector a channel.
pub(super) type Channels = Vec<Vec<f64>>;

/// What a drum is made for.
pub(super) struct Shop {
    /// The ratio of every frequency to what is written.
    pub tune: f64,
    /// The same of every time in which something dies away.
    pub decay: f64,
    /// Which noise it has.
    pub seed: u64,
}

impl Shop {
    /// A shape whose fall is `t60` seconds long before the kit's decay enters.
    pub fn shape(&self, attack: f64, hold: f64, t60: f64) -> Shape {
        Shape { attack, hold: hold * self.decay, t60: t60 * self.decay }
    }

    /// A sound through bands, tuned. All of them at once: a processor works on one while it waits for another.
    pub fn filtered<const N: usize>(&self, mut sound: Vec<f64>, bands: [Band; N]) -> Vec<f64> {
        let steps = bands.map(|band| band.section(self.tune).step());
        let mut filters = [Filter::default(); N];
        for x in &mut sound {
            *x = filters.iter_mut().zip(&steps).fold(*x, |x, (filter, step)| filter.tick(step, x));
        }
        sound
    }

    /// Noise through bands, shaped: what stands for snare wires, air and sticks. Each number of a drum's noises is another.
    pub fn burst<const N: usize>(&self, number: u64, bands: [Band; N], shape: &Shape) -> Vec<f64> {
        let seed = random::mix(self.seed) ^ number;
        let steps = bands.map(|band| band.section(self.tune).step());
        let mut filters = [Filter::default(); N];
        let noise = (0..shape.frames() as u64).map(|i| 2.0 * random::even(seed, i));
        let filtered = noise.map(|x| filters.iter_mut().zip(&steps).fold(x, |x, (filter, step)| filter.tick(step, x)));
        filtered.zip(shape.gains()).map(|(x, gain)| x * gain).collect()
    }

    /// A body that is struck, whose pitch comes to rest at `freq` Hz as [`bent_sine`] says, bent round by a stage that is
    /// driven by `drive`, and without what is too low to be heard.
    pub fn body(&self, freq: f64, bends: [(f64, f64); 2], shape: &Shape, drive: f64) -> Vec<f64> {
        let rumble = Section::high_pass_6(10.0, RATE).step();
        let mut filter = Filter::default();
        let mut sound = bent_sine(freq * self.tune, bends, shape.frames());
        shape.give(&mut sound);
        bend(&mut sound, drive);
        sound.iter_mut().for_each(|x| *x = filter.tick(&rumble, *x));
        sound
    }
}

/// Frames of so many seconds.
pub(super) fn frames(seconds: f64) -> usize {
    (seconds * RATE).ceil() as usize
}

/// A filter in words that fit on a line: frequency in Hz, then Q where it has one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Band {
    /// Below it, 12 dB an octave.
    Low(f64, f64),
    /// Above it, 12 dB an octave.
    High(f64, f64),
    /// Round it.
    Round(f64, f64),
}

impl Band {
    fn section(&self, tune: f64) -> Section {
        match *self {
            Band::Low(freq, q) => Section::low_pass(freq * tune, q, RATE),
            Band::High(freq, q) => Section::high_pass(freq * tune, q, RATE),
            Band::Round(freq, q) => Section::band_pass(freq * tune, q, RATE),
        }
    }
}

/// How loud a part of a drum is over time: up in `attack`, level for `hold`, then down by 60 dB in `t60`, all in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    attack: f64,
    hold: f64,
    t60: f64,
}

impl Shape {
    /// Frames until it has fallen by 84 dB.
    pub fn frames(&self) -> usize {
        frames(self.attack + self.hold + 1.4 * self.t60)
    }

    /// The gain of each frame, without end.
    pub fn gains(&self) -> impl Iterator<Item = f64> {
        let (attack, full) = (frames(self.attack), frames(self.attack) + frames(self.hold));
        let fall = falling(self.t60);
        let mut gain = 1.0;
        (0..).map(move |i: usize| {
            if i < attack {
                return math::ease(i as f64 / attack as f64);
            }
            if i >= full {
                gain *= fall;
            }
            gain
        })
    }

    /// Gives a sound this shape.
    pub fn give(&self, sound: &mut [f64]) {
        sound.iter_mut().zip(self.gains()).for_each(|(x, gain)| *x *= gain);
    }
}

/// What remains after each frame of what falls by 60 dB in so many seconds.
fn falling(t60: f64) -> f64 {
    math::exp(-math::ln(1000.0) / (t60 * RATE))
}

/// Adds a part to a drum, which grows if it must.
pub(super) fn add(drum: &mut Vec<f64>, gain: f64, part: &[f64]) {
    if drum.len() < part.len() {
        drum.resize(part.len(), 0.0);
    }
    drum.iter_mut().zip(part).for_each(|(x, part)| *x += gain * part);
}

/// A sine whose pitch falls to `freq` Hz, from higher by each of two bends: the part of the pitch by which it begins higher,
/// and the seconds in which that falls to 1/e. It begins at 0, rising.
fn bent_sine(freq: f64, bends: [(f64, f64); 2], frames: usize) -> Vec<f64> {
    let fall = bends.map(|(_, seconds)| math::exp(-1.0 / (seconds * RATE)));
    let mut extra = bends.map(|(part, _)| part);
    let mut phase = 0.0;
    (0..frames)
        .map(|_| {
            let x = turned(phase);
            phase += freq / RATE * (1.0 + (extra[0] + extra[1]));
            // A bend lifts no pitch by a whole cycle a frame.
            if phase >= 0.5 {
                phase -= 1.0;
            }
            extra[0] *= fall[0];
            extra[1] *= fall[1];
            x
        })
        .collect()
}

/// The sine of a part of a turn from -1/2 to 1/2, by its Taylor series from the nearer of its zeros: within 1e-9, which is
/// below what a sample holds, and several times faster than one that is right to the last bit.
fn turned(part: f64) -> f64 {
    let near = if part.abs() > 0.25 { 0.5f64.copysign(part) - part } else { part };
    let x = TAU * near;
    let y = x * x;
    let series =
        1.0 - y / 6.0 * (1.0 - y / 20.0 * (1.0 - y / 42.0 * (1.0 - y / 72.0 * (1.0 - y / 110.0 * (1.0 - y / 156.0)))));
    x * series
}

/// A bar that is struck: a sine that begins at 0, rising, and dies away by 60 dB in `t60` seconds.
pub(super) fn ring(freq: f64, t60: f64) -> Vec<f64> {
    let (w, r) = (TAU * freq / RATE, falling(t60));
    let (a, b) = (2.0 * r * math::cos(w), r * r);
    let (mut y, mut before) = (0.0, -math::sin(w) / r);
    // It sets in over a few frames: the filter between the rates would ring before a corner.
    let soft = |i: usize| math::ease((i as f64 / 8.0).min(1.0));
    (0..frames(1.4 * t60))
        .map(|i| {
            let x = soft(i) * y;
            (y, before) = (a * y - b * before, y);
            x
        })
        .collect()
}

/// Bends the peaks of a sound round, as an overdriven stage does, by a hyperbolic tangent: a peak of 1 stays 1. Only for low
/// bodies: the harmonics fall off by a steady factor each, and those of a tone below 1 kHz are gone long before half the rate.
pub(super) fn bend(sound: &mut [f64], amount: f64) {
    let bent = |x: f64| 1.0 - 2.0 / (math::exp(2.0 * amount * x) + 1.0);
    let scale = 1.0 / bent(1.0);
    sound.iter_mut().for_each(|x| *x = scale * bent(*x));
}

/// Places between two frames at which an edge may fall.
const PLACES: usize = 256;

/// What an edge leaves round it.
type Row = [f64; 2 * REACH];

/// What an edge that rises by 2 leaves round it, for each place it may fall on: frame `REACH` of a row is the first after it.
fn edges() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let step = Step::tables();
        let row = |place: usize| {
            let after = (place as f64 + 0.5) / PLACES as f64;
            std::array::from_fn(|i| 2.0 * step.edge(i as f64 - REACH as f64 + after))
        };
        (0..PLACES).map(row).collect()
    })
}

/// Square waves of these frequencies added up, band-limited, each between -1 and 1 and somewhere in its cycle.
pub(super) fn squares(freqs: &[f64], seed: u64, frames: usize) -> Vec<f64> {
    let rows = edges();
    let mut sound = vec![0.0; frames + 2 * REACH];
    for (number, freq) in freqs.iter().enumerate() {
        let half = RATE / (2.0 * freq);
        // The edges are counted, not added up; frame 0 of the sound is frame REACH here.
        let begin = (random::even(seed, number as u64) - 0.5) * 2.0 * half;
        let mut level = 1.0;
        let mut at = 0;
        for edge in 0.. {
            let place = begin + half * f64::from(edge);
            if place <= 0.0 {
                level = -level;
                continue;
            }
            let first = (place.ceil() as usize).min(frames);
            sound[REACH + at..REACH + first].iter_mut().for_each(|x| *x += level);
            if first == frames {
                break;
            }
            let row = &rows[((first as f64 - place) * PLACES as f64) as usize % PLACES];
            sound[first..first + 2 * REACH].iter_mut().zip(row).for_each(|(x, row)| *x -= level * row);
            level = -level;
            at = first;
        }
    }
    sound[REACH..REACH + frames].to_vec()
}
