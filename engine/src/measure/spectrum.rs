//! The spectrum of a sound: its power in thirds of an octave (IEC 61260-1), and averaged over transforms.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::math;

/// The centres of the thirds of an octave, in Hz, as they are called: 25 Hz to 20 kHz. Exactly they are powers of
/// 10 to the tenth, with 1 kHz among them (the base ten of IEC 61260-1).
pub const THIRD_OCTAVES: [f64; 30] = [
    25.0, 31.5, 40.0, 50.0, 63.0, 80.0, 100.0, 125.0, 160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0, 800.0, 1_000.0,
    1_250.0, 1_600.0, 2_000.0, 2_500.0, 3_150.0, 4_000.0, 5_000.0, 6_300.0, 8_000.0, 10_000.0, 12_500.0, 16_000.0,
    20_000.0,
];

/// The band of [`THIRD_OCTAVES`] that is centred on 1 kHz.
const AT_1_KHZ: i32 = 16;

/// The averaged spectrum of a sound, by the method of Welch (1967): windows of Hann, half of each shared with the next.
pub struct Spectrum {
    rate: f64,
    fft: Arc<dyn Fft<f64>>,
    window: Vec<f64>,
    /// The newest frames of each channel.
    newest: Vec<Vec<f64>>,
    filled: usize,
    /// The sum of powers in each bin.
    powers: Vec<f64>,
    transforms: u64,
    frames: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Spectrum {
    /// The spectrum of sound with so many channels, at a rate in Hz. Its bins are at most 3 Hz wide at 48 kHz, so that the
    /// lowest bands have some. At least one channel.
    pub fn new(rate: u32, channels: usize) -> Spectrum {
        let size = (rate as usize / 3).next_power_of_two();
        let fft = FftPlanner::new().plan_fft_forward(size);
        let turn = std::f64::consts::TAU / size as f64;
        Spectrum {
            rate: rate.into(),
            window: (0..size).map(|i| 0.5 - 0.5 * math::cos(turn * i as f64)).collect(),
            newest: vec![vec![0.0; size]; channels.max(1)],
            filled: 0,
            powers: vec![0.0; size / 2 + 1],
            transforms: 0,
            frames: vec![Complex::default(); size],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            fft,
        }
    }

    /// Takes frames of each channel; samples that are no finite numbers as silence.
    pub fn take(&mut self, sound: &[impl AsRef<[f64]>]) {
        let size = self.window.len();
        let length = sound.iter().map(|channel| channel.as_ref().len()).min().unwrap_or(0);
        let mut at = 0;
        while at < length {
            let count = (size - self.filled).min(length - at);
            for (into, channel) in self.newest.iter_mut().zip(sound) {
                let from = channel.as_ref()[at..at + count].iter();
                let into = into[self.filled..self.filled + count].iter_mut();
                into.zip(from).for_each(|(into, x)| *into = if x.is_finite() { *x } else { 0.0 });
            }
            at += count;
            self.filled += count;
            if self.filled == size {
                self.transform();
                self.newest.iter_mut().for_each(|channel| channel.copy_within(size / 2.., 0));
                self.filled = size / 2;
            }
        }
    }

    fn transform(&mut self) {
        for channel in &self.newest {
            for ((frame, x), window) in self.frames.iter_mut().zip(channel).zip(&self.window) {
                *frame = Complex::new(x * window, 0.0);
            }
            self.fft.process_with_scratch(&mut self.frames, &mut self.scratch);
            let last = self.powers.len() - 1;
            for (i, (power, bin)) in self.powers.iter_mut().zip(&self.frames).enumerate() {
                // What lies below 0 Hz is the same again.
                *power += bin.norm_sqr() * if i == 0 || i == last { 1.0 } else { 2.0 };
            }
        }
        self.transforms += 1;
    }

    /// Each bin's frequency in Hz and its mean square, summed over channels: all bins together are the mean square of the
    /// sound. Empty for a sound shorter than one transform.
    pub fn bins(&self) -> Vec<(f64, f64)> {
        if self.transforms == 0 {
            return Vec::new();
        }
        let size = self.window.len() as f64;
        let window: f64 = self.window.iter().map(|w| w * w).sum();
        let scale = 1.0 / (size * window * self.transforms as f64);
        let hertz = self.rate / size;
        self.powers.iter().enumerate().map(|(i, power)| (i as f64 * hertz, power * scale)).collect()
    }

    /// The level in dBFS of each of [`THIRD_OCTAVES`], a full-scale sine in one channel reading -3.01; none where there is
    /// nothing, or beyond half the rate.
    pub fn third_octaves(&self) -> [Option<f64>; THIRD_OCTAVES.len()] {
        let bins = self.bins();
        let width = self.rate / self.window.len() as f64;
        std::array::from_fn(|band| {
            let edge = |side: f64| 1000.0 * math::pow(10.0, (f64::from(band as i32 - AT_1_KHZ) + side) / 10.0);
            let (low, high) = (edge(-0.5), edge(0.5));
            // A bin belongs to a band by as much as it overlaps.
            let share =
                |hertz: f64| ((hertz + width / 2.0).min(high) - (hertz - width / 2.0).max(low)).max(0.0) / width;
            let power: f64 = bins.iter().map(|(hertz, power)| share(*hertz) * power).sum();
            (power > 0.0 && low < self.rate / 2.0).then(|| math::db_from_gain(power) / 2.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{noise, rms, sine};

    #[test]
    fn a_sine_is_in_its_band_at_its_level() {
        for (band, freq) in [(6, 100.0), (16, 1000.0), (26, 10_000.0)] {
            let mut spectrum = Spectrum::new(48_000, 1);
            spectrum.take(&[sine(freq, 0.0, 48_000.0, 96_000)]);
            let levels = spectrum.third_octaves();
            assert!((levels[band].unwrap() + 3.0103).abs() < 0.01, "{levels:?}");
            for (other, level) in levels.iter().enumerate().filter(|(other, _)| *other != band) {
                assert!(level.is_none_or(|level| level < -55.0), "{freq}, {other}: {level:?}");
            }
        }
    }

    #[test]
    fn all_bins_together_are_the_power_of_noise() {
        let sound = noise(3, 480_000);
        let mut spectrum = Spectrum::new(48_000, 1);
        for piece in sound.chunks(1_000) {
            spectrum.take(&[piece]);
        }
        let power: f64 = spectrum.bins().iter().map(|(_, power)| power).sum();
        assert!((math::db_from_gain(power) / 2.0 - rms(&sound)).abs() < 0.05);
        // White noise rises by 1 dB from one third of an octave to the next, by its width.
        let levels = spectrum.third_octaves().map(Option::unwrap);
        let slope = (levels[27] - levels[12]) / 15.0;
        assert!((slope - 1.0).abs() < 0.03, "{slope}");
    }

    #[test]
    fn what_is_too_short_has_no_spectrum() {
        let mut spectrum = Spectrum::new(48_000, 2);
        spectrum.take(&[[0.5; 100], [0.5; 100]]);
        assert!(spectrum.bins().is_empty());
        assert!(spectrum.third_octaves().iter().all(Option::is_none));
    }
}
