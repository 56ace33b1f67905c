//! Reads sound between its frames, at speeds other than its own.
//!
//! A sinc under the window of Kaiser (1974), tabulated between frames and interpolated in the table (Smith and Gossett, "A
//! flexible sampling-rate conversion method", 1984). To play faster is to move a sound's spectrum up: what would come to lie
//! beyond half the rate is taken away by a wider kernel, of which there is one for each third of an octave.

use std::f64::consts::PI;
use std::sync::OnceLock;

use crate::math;

/// Frames that a frame is made of at speeds up to 1; as many more as the kernel is wider.
pub(crate) const TAPS: usize = 32;

/// Places between two frames that are tabulated.
const PLACES: usize = 256;

/// The window's shape, for 90 dB: at speed 1 flat to 0.4 of the rate, and down from 0.6 on.
const BETA: f64 = 8.96;

/// Kernels an octave.
const STEPS: usize = 3;

/// Kernels: the last is eight times as wide as the first. What is played faster yet aliases, as its highs are then
/// six octaves from where they were.
const KERNELS: usize = 3 * STEPS + 1;

/// What is faster by no more than this is read as if it were not.
const LITTLE: f64 = 1.015;

/// Frames of the widest kernel.
const MOST_TAPS: usize = TAPS << 3;

/// The kernels, from the narrowest.
pub(crate) struct Sinc {
    kernels: Vec<Kernel>,
}

/// One width.
pub(crate) struct Kernel {
    width: f64,
    taps: usize,
    /// A row of taps for each place.
    rows: Vec<f32>,
}

impl Sinc {
    /// The tables, made when they are first asked for. Not RT.
    pub fn tables() -> &'static Sinc {
        static TABLES: OnceLock<Sinc> = OnceLock::new();
        TABLES.get_or_init(|| Sinc { kernels: (0..KERNELS).map(Kernel::new).collect() })
    }

    /// The kernel for a speed, as wide as it or wider; or narrower by a little, whose aliases lie as little below half the
    /// rate. RT.
    pub fn at(&self, speed: f64) -> &Kernel {
        let enough = self.kernels.iter().position(|kernel| LITTLE * kernel.width >= speed);
        &self.kernels[enough.unwrap_or(KERNELS - 1)]
    }
}

impl Kernel {
    fn new(step: usize) -> Kernel {
        let width = math::pow(2.0, step as f64 / STEPS as f64);
        // In whole lanes.
        let taps = ((TAPS as f64 * width / LANES as f64).round() as usize * LANES).min(MOST_TAPS);
        let half = (taps / 2) as f64;
        // One half of the kernel, finely; a row takes every so many of its points.
        let points: Vec<f64> = (0..=taps / 2 * PLACES)
            .map(|i| {
                let x = i as f64 / PLACES as f64;
                let sinc = if i == 0 { 1.0 } else { math::sin(PI * x / width) / (PI * x / width) };
                sinc * math::kaiser(x / half, BETA)
            })
            .collect();
        let mut rows = Vec::with_capacity((PLACES + 1) * taps);
        for place in 0..=PLACES {
            let far = |tap: usize| (tap * PLACES).abs_diff((taps / 2 - 1) * PLACES + place);
            let row = (0..taps).map(|tap| points[far(tap)]);
            let scale = 1.0 / row.clone().sum::<f64>();
            rows.extend(row.map(|x| (x * scale) as f32));
        }
        Kernel { width, taps, rows }
    }

    /// A channel at a place between its frames, counted from its first; there is silence round it. RT.
    pub fn read(&self, channel: &[f32], place: f64) -> f64 {
        let whole = place as usize;
        let fine = (place - whole as f64) * PLACES as f64;
        let row = (fine as usize).min(PLACES - 1);
        let rows = &self.rows[row * self.taps..(row + 2) * self.taps];
        let before = self.taps / 2 - 1;
        let inside = whole.checked_sub(before).and_then(|first| channel.get(first..first + self.taps));
        let (a, b) = match inside {
            Some(window) => self.both(rows, window),
            None => {
                let mut window = [0.0; MOST_TAPS];
                for (i, x) in window[..self.taps].iter_mut().enumerate() {
                    let at = (whole + i).checked_sub(before);
                    *x = at.and_then(|at| channel.get(at)).copied().unwrap_or(0.0);
                }
                self.both(rows, &window[..self.taps])
            }
        };
        a + (b - a) * (fine - row as f64)
    }

    /// Two rows against a window. RT.
    fn both(&self, rows: &[f32], window: &[f32]) -> (f64, f64) {
        let (near, next) = rows.split_at(self.taps);
        (fold(near, window), fold(next, window))
    }
}

/// Sums that are kept side by side.
const LANES: usize = 8;

/// Taps against a window. RT.
fn fold(taps: &[f32], window: &[f32]) -> f64 {
    let mut sums = [0.0f32; LANES];
    for (taps, window) in taps.as_chunks::<LANES>().0.iter().zip(window.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += taps[lane] * window[lane];
        }
    }
    f64::from(((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7])))
}
