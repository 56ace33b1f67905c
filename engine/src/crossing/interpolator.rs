//! Between rates that differ by little, and not for ever by the same: sound is read at places between its frames.
//!
//! The places are read with a sinc under the window of Kaiser (1974), tabulated between frames and interpolated in the table
//! (Smith and Gossett, "A flexible sampling-rate conversion method", 1984). At a frame the sinc is 1 and elsewhere 0: at a
//! ratio of exactly 1 nothing is changed.

use crate::math;

/// Frames that a frame is made of: half of them are the delay.
const TAPS: usize = 64;

/// Places between two frames that are tabulated.
const PLACES: usize = 512;

/// The window's shape: about 110 dB.
const BETA: f64 = 11.0;

/// Seconds in which a change of the ratio is gone through.
const GLIDE: f64 = 1.0;

/// Sound at one rate, read at another.
pub(super) struct Interpolator {
    table: Box<[[f32; TAPS]]>,
    /// The last frames of each channel, twice, so that they always lie in a row somewhere.
    history: Box<[[f32; 2 * TAPS]]>,
    next: usize,
    /// Frames to come before the first can be read.
    owed: usize,
    /// Where the next frame is read, after the one in the middle of the history.
    place: f64,
    /// From one frame that is read to the next: now, in the end, and the way for each frame.
    step: f64,
    goal: f64,
    slope: f64,
    glide: f64,
    row: [f32; TAPS],
    made: Box<[f32]>,
}

impl Interpolator {
    /// For `channels` channels at about `rate` frames a second.
    pub(super) fn new(channels: usize, rate: f64) -> Self {
        Interpolator {
            table: (0..=PLACES).map(|place| row(place as f64 / PLACES as f64)).collect(),
            history: vec![[0.0; 2 * TAPS]; channels].into_boxed_slice(),
            next: 0,
            owed: TAPS / 2,
            place: 0.0,
            step: 1.0,
            goal: 1.0,
            slope: 0.0,
            glide: GLIDE * rate,
            row: [0.0; TAPS],
            made: vec![0.0; channels].into_boxed_slice(),
        }
    }

    /// Makes `ratio` frames of each from about a second on. RT.
    pub(super) fn aim(&mut self, ratio: f64) {
        self.goal = 1.0 / ratio;
        self.slope = (self.goal - self.step) / self.glide;
    }

    /// Forgets the sound so far: what comes next has nothing before it. RT.
    pub(super) fn forget(&mut self) {
        self.history.iter_mut().for_each(|history| history.fill(0.0));
        self.owed = TAPS / 2;
    }

    /// The part of a frame by which the next that is made lies ahead of the next that is taken. RT.
    pub(super) fn ahead(&self) -> f64 {
        self.place
    }

    /// Takes a frame and gives those that can be made now. Channels that it does not have are silent. RT.
    pub(super) fn take(&mut self, frame: &[f32], mut give: impl FnMut(&[f32])) {
        for (channel, history) in self.history.iter_mut().enumerate() {
            let sample = frame.get(channel).copied().filter(|sample| sample.is_finite()).unwrap_or(0.0);
            history[self.next] = sample;
            history[self.next + TAPS] = sample;
        }
        self.next = (self.next + 1) % TAPS;
        if self.owed > 0 {
            self.owed -= 1;
            return;
        }
        while self.place < 1.0 {
            self.make();
            give(&self.made);
            self.place += self.step;
            self.step += self.slope;
            if (self.goal - self.step) * self.slope <= 0.0 {
                (self.step, self.slope) = (self.goal, 0.0);
            }
        }
        self.place -= 1.0;
    }

    /// Reads a frame at the present place. RT.
    fn make(&mut self) {
        const MIDDLE: usize = TAPS / 2 - 1;
        if self.place == 0.0 {
            for (made, history) in self.made.iter_mut().zip(&self.history) {
                *made = history[self.next + MIDDLE];
            }
            return;
        }
        let exact = self.place * PLACES as f64;
        let index = (exact as usize).min(PLACES - 1);
        let part = (exact - index as f64) as f32;
        for (tap, (a, b)) in self.row.iter_mut().zip(self.table[index].iter().zip(&self.table[index + 1])) {
            *tap = a + part * (b - a);
        }
        for (made, history) in self.made.iter_mut().zip(&self.history) {
            let frames = &history[self.next..self.next + TAPS];
            let sum: f64 = self.row.iter().zip(frames).map(|(tap, x)| f64::from(*tap) * f64::from(*x)).sum();
            *made = sum as f32;
        }
    }
}

/// The weights of the frames around a place between two of them.
fn row(place: f64) -> [f32; TAPS] {
    const HALF: f64 = TAPS as f64 / 2.0;
    std::array::from_fn(|tap| {
        let x = tap as f64 - (HALF - 1.0) - place;
        let sinc = if x == 0.0 { 1.0 } else { math::sin(std::f64::consts::PI * x) / (std::f64::consts::PI * x) };
        (sinc * math::kaiser((x / HALF).clamp(-1.0, 1.0), BETA)) as f32
    })
}
