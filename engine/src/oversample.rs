//! Oversampling, for what bends a waveform: up by half-band filters, work at the higher rate, down again.
//!
//! Each doubling is a linear-phase half-band FIR (a windowed sinc, Kaiser 1974): every other of its taps is zero, so only
//! half of the work is done, and its phase is a pure delay. That of each pair, up and down, is padded to whole frames of
//! the rate below, so the whole lags by a whole number of frames at the session's rate: [`latency`].

use std::f64::consts::PI;

use crate::keep::{Keep, Ledger, keep};
use crate::kernel::QUANTUM;
use crate::math;

/// Half the length of the filter between the session's rate and twice that: flat up to 0.444 of the rate (21.3 kHz at
/// 48 kHz), and the delay of the pair in frames of the lower rate. Odd, and one less than a multiple of 8.
const FIRST: usize = 63;

/// The same for every doubling above, where what is to be kept ends at a quarter of the rate or below.
const NEXT: usize = 15;

/// What the filters take away of images and aliases, in dB.
const STOP: f64 = 110.0;

/// Frames by which a signal lags that is oversampled `factor` times: 1, 2, 4, 8 or 16.
pub fn latency(factor: usize) -> usize {
    latency_from(0, doublings(factor))
}

/// The latency of the doublings from `level` on, out of `count`, in frames of the rate that `level` starts from.
fn latency_from(level: usize, count: usize) -> usize {
    if level >= count { 0 } else { half_length(level) + latency_from(level + 1, count).div_ceil(2) }
}

fn doublings(factor: usize) -> usize {
    factor.max(1).ilog2() as usize
}

fn half_length(level: usize) -> usize {
    if level == 0 { FIRST } else { NEXT }
}

/// One channel, oversampled.
pub struct Oversampler {
    levels: Vec<Level>,
}

impl Oversampler {
    /// For stretches of up to [`QUANTUM`] frames, `factor` times: 1, 2, 4, 8 or 16. Not RT.
    pub fn new(factor: usize) -> Self {
        let count = doublings(factor);
        let level = |level| {
            let odd = latency_from(level + 1, count) % 2 == 1;
            Level::new(half_length(level), QUANTUM << level, odd)
        };
        Oversampler { levels: (0..count).map(level).collect() }
    }

    /// Has `work` done on the oversampled stretch, in place, and brings it down again. RT if `work` is.
    pub fn process(&mut self, frames: &mut [f64], mut work: impl FnMut(&mut [f64])) {
        run(&mut self.levels, frames, &mut work);
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.levels.iter_mut().for_each(Level::reset);
    }
}

keep!(Oversampler: levels);
keep!(Level: held, up, down_even, down_odd);

/// Up through the first level, on through the rest, and down again. RT.
fn run(levels: &mut [Level], frames: &mut [f64], work: &mut dyn FnMut(&mut [f64])) {
    match levels.split_first_mut() {
        None => work(frames),
        Some((level, above)) => {
            let Level { filter, padded, held, up, down_even, down_odd, high } = level;
            let high = &mut high[..2 * frames.len()];
            filter.upsample(up, frames, high);
            run(above, high, work);
            if *padded {
                high.iter_mut().for_each(|x| std::mem::swap(x, held));
            }
            filter.downsample(down_even, down_odd, high, frames);
        }
    }
}

/// One doubling.
struct Level {
    filter: HalfBand,
    /// What lies above lags by an odd number of frames of the higher rate, and is held back by one more.
    padded: bool,
    held: f64,
    up: Line,
    down_even: Line,
    down_odd: Line,
    high: Vec<f64>,
}

impl Level {
    fn new(half_length: usize, most: usize, padded: bool) -> Self {
        let line = || Line { samples: vec![0.0; half_length + most], kept: half_length };
        Level {
            filter: HalfBand::new(half_length),
            padded,
            held: 0.0,
            up: line(),
            down_even: line(),
            down_odd: line(),
            high: vec![0.0; 2 * most],
        }
    }

    /// RT.
    fn reset(&mut self) {
        self.held = 0.0;
        [&mut self.up, &mut self.down_even, &mut self.down_odd].into_iter().for_each(|line| line.samples.fill(0.0));
    }
}

/// The last samples of a signal, then a stretch of new ones.
struct Line {
    samples: Vec<f64>,
    kept: usize,
}

impl Line {
    /// Puts a stretch behind what was kept. RT.
    fn put(&mut self, stretch: impl Iterator<Item = f64>) {
        self.samples[self.kept..].iter_mut().zip(stretch).for_each(|(slot, x)| *slot = x);
    }

    /// Keeps the end of the stretch of `count` samples for the next one. RT.
    fn keep(&mut self, count: usize) {
        self.samples.copy_within(count..count + self.kept, 0);
    }
}

impl Keep for Line {
    fn keep(&mut self, ledger: &mut Ledger) {
        // Behind what was kept comes the next stretch.
        self.samples[..self.kept].keep(ledger);
    }
}

/// A half-band low-pass of `2 d + 1` taps, d odd: the centre is 1/2, every other tap round it is zero, the rest are here,
/// each once for its two mirrored places, the outermost first.
struct HalfBand {
    taps: Vec<f64>,
}

impl HalfBand {
    fn new(half_length: usize) -> Self {
        let beta = 0.1102 * (STOP - 8.7);
        let mut taps: Vec<f64> = (0..half_length.div_ceil(2))
            .map(|i| {
                let offset = (half_length - 2 * i) as f64;
                let part = offset / half_length as f64;
                let sinc = math::sin(PI * offset / 2.0) / (PI * offset);
                sinc * math::kaiser(part, beta)
            })
            .collect();
        // Unity at 0 Hz exactly: both mirrored halves make 1/2 with the centre's 1/2.
        let scale = 0.25 / taps.iter().sum::<f64>();
        taps.iter_mut().for_each(|tap| *tap *= scale);
        HalfBand { taps }
    }

    /// A stretch at twice its rate. RT.
    fn upsample(&self, line: &mut Line, low: &[f64], high: &mut [f64]) {
        let length = 2 * self.taps.len();
        line.put(low.iter().copied());
        for (n, pair) in high.chunks_exact_mut(2).enumerate() {
            let window = &line.samples[n..n + length];
            pair[0] = 2.0 * self.fold(window);
            pair[1] = window[length / 2];
        }
        line.keep(low.len());
    }

    /// A stretch at half its rate. RT.
    fn downsample(&self, even: &mut Line, odd: &mut Line, high: &[f64], low: &mut [f64]) {
        let length = 2 * self.taps.len();
        even.put(high.iter().copied().step_by(2));
        odd.put(high.iter().copied().skip(1).step_by(2));
        for (n, out) in low.iter_mut().enumerate() {
            *out = self.fold(&even.samples[n..n + length]) + 0.5 * odd.samples[n + length / 2 - 1];
        }
        even.keep(low.len());
        odd.keep(low.len());
    }

    /// The taps against a window, in four sums side by side. RT.
    fn fold(&self, window: &[f64]) -> f64 {
        let mut sums = [0.0; 4];
        let (first, second) = window.split_at(self.taps.len());
        let rest = second.rchunks_exact(4);
        for ((taps, near), far) in self.taps.chunks_exact(4).zip(first.chunks_exact(4)).zip(rest) {
            for lane in 0..4 {
                sums[lane] += taps[lane] * (near[lane] + far[3 - lane]);
            }
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{RATE, db_of_power, impulse, level_at, noise, sine, spectrum};

    const FACTORS: [usize; 5] = [1, 2, 4, 8, 16];

    fn through(factor: usize, signal: &[f64]) -> Vec<f64> {
        let mut out = signal.to_vec();
        let mut oversampler = Oversampler::new(factor);
        out.chunks_mut(QUANTUM).for_each(|stretch| oversampler.process(stretch, |_| ()));
        out
    }

    #[test]
    fn what_passes_unbent_is_the_signal_delayed_by_the_latency_up_to_20_khz() {
        for factor in FACTORS {
            let lag = latency(factor);
            for freq in [20.0, 997.0, 15_000.0, 20_000.0] {
                let signal = sine(freq, 0.0, RATE, 4800);
                let out = through(factor, &signal);
                let left: Vec<f64> = out[1000..].iter().zip(&signal[1000 - lag..]).map(|(y, x)| y - x).collect();
                let level = level_at(&left, freq, RATE);
                assert!(level < -80.0, "{factor} times, {freq} Hz: {level} dB off");
            }
        }
    }

    #[test]
    fn an_impulse_comes_out_symmetric_round_the_latency() {
        for factor in FACTORS {
            let (lag, out) = (latency(factor), through(factor, &impulse(400)));
            for i in 0..=lag {
                assert!((out[lag - i] - out[lag + i]).abs() < 1e-12, "{factor} times at {i}");
            }
        }
    }

    #[test]
    fn images_and_aliases_are_110_db_down() {
        let mut oversampler = Oversampler::new(2);
        let mut signal = sine(10_000.0, 0.0, RATE, 4800);
        let mut high = Vec::new();
        signal.chunks_mut(QUANTUM).for_each(|stretch| oversampler.process(stretch, |x| high.extend_from_slice(x)));
        let bins = spectrum(&high[4800..]);
        let image = db_of_power(bins[38_000 / 20] / bins[10_000 / 20]);
        assert!(image < -110.0, "image at {image} dB");

        // A tone that only the higher rate carries, 30 kHz, would fold to 18 kHz.
        let tone = sine(30_000.0, 0.0, 2.0 * RATE, 9600);
        let mut given = tone.chunks(2 * QUANTUM);
        let mut oversampler = Oversampler::new(2);
        let mut out = vec![0.0; 4800];
        for stretch in out.chunks_mut(QUANTUM) {
            oversampler.process(stretch, |x| x.copy_from_slice(given.next().expect("as many stretches")));
        }
        let alias = level_at(&out[1000..], 18_000.0, RATE);
        assert!(alias < -110.0, "alias at {alias} dB");
    }

    #[test]
    fn the_length_of_stretches_changes_no_bit() {
        let signal = noise(1, 1000);
        let mut out = signal.clone();
        let mut oversampler = Oversampler::new(4);
        out.chunks_mut(7).for_each(|stretch| oversampler.process(stretch, |_| ()));
        assert_eq!(out, through(4, &signal));
    }
}
