//! Conversion of whole sounds between sample rates: of media when it is opened, of the finished master when it is
//! delivered at another rate.
//!
//! The work is rubato's FFT resampler, which is linear-phase: its latency is taken off exactly, so frame `n` of the
//! input stands at `n * to / from` in the output, and the output is as long in time as the input. Blocks lie at fixed
//! places counted from the start, so the output does not depend on how the input was cut into pieces, and work can be
//! resumed near any frame with the bits it would have had.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// The sample rates, in Hz, that sound may have.
pub const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// A block has at least this many frames on either side. It makes the filter steep: flat to 20 kHz between 44.1 and
/// 48 kHz, with nothing above -120 dB beyond half the lower rate.
const LEAST_BLOCK: usize = 4096;

/// Converts a sound, given in pieces, from one rate to another.
pub struct Resampler {
    from: u64,
    to: u64,
    fft: Option<Fft<f64>>,
    input: Vec<Vec<f64>>,
    filled: usize,
    output: Vec<Vec<f64>>,
    block_in: usize,
    block_out: usize,
    /// Frames at the start of the next blocks that are not part of the output.
    skip: usize,
    taken: u64,
    given: u64,
}

/// A sample rate outside [`RATES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedRate(
    /// The rate in Hz.
    pub u32,
);

impl std::fmt::Display for UnsupportedRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a sample rate of {} Hz is outside {} to {} Hz", self.0, RATES.start(), RATES.end())
    }
}

impl std::error::Error for UnsupportedRate {}

impl Resampler {
    /// A resampler of `channels` channels between two rates in Hz. At equal rates it passes the sound on untouched.
    ///
    /// # Errors
    /// A rate outside [`RATES`].
    pub fn new(from: u32, to: u32, channels: usize) -> Result<Self, UnsupportedRate> {
        if let Some(&rate) = [from, to].iter().find(|rate| !RATES.contains(rate)) {
            return Err(UnsupportedRate(rate));
        }
        let mut resampler = Resampler {
            from: u64::from(from),
            to: u64::from(to),
            fft: None,
            input: Vec::new(),
            filled: 0,
            output: Vec::new(),
            block_in: 0,
            block_out: 0,
            skip: 0,
            taken: 0,
            given: 0,
        };
        if from != to {
            let common = greatest_common_divisor(from as usize, to as usize);
            let (unit_in, unit_out) = (from as usize / common, to as usize / common);
            // An even number of units makes half a block whole on both sides: the latency is a whole number of frames.
            let units = 2 * (LEAST_BLOCK / 2).div_ceil(unit_in.min(unit_out));
            let (block_in, block_out) = (unit_in * units, unit_out * units);
            let window = WindowFunction::BlackmanHarris2;
            let fft = Fft::new_custom(from as usize, to as usize, block_in, 1, channels, window, FixedSync::Both)
                .expect("neither the rates nor the block are zero");
            resampler.skip = block_out / 2;
            resampler.input = vec![vec![0.0; block_in]; channels];
            resampler.output = vec![vec![0.0; block_out]; channels];
            resampler.block_in = block_in;
            resampler.block_out = block_out;
            resampler.fft = Some(fft);
        }
        Ok(resampler)
    }

    /// How many frames a sound of `frames` frames becomes: as long in time, rounded up.
    pub fn length(&self, frames: u64) -> u64 {
        (u128::from(frames) * u128::from(self.to)).div_ceil(u128::from(self.from)) as u64
    }

    /// Takes the next piece, one slice a channel and all equally long, and appends what is ready to `out`.
    pub fn push<C: AsRef<[f64]>>(&mut self, piece: &[C], out: &mut [Vec<f64>]) {
        let frames = piece.first().map_or(0, |channel| channel.as_ref().len());
        self.taken += frames as u64;
        if self.fft.is_none() {
            for (channel, out) in piece.iter().zip(out) {
                out.extend_from_slice(channel.as_ref());
            }
            self.given += frames as u64;
            return;
        }
        let mut at = 0;
        while at < frames {
            let count = (frames - at).min(self.block_in - self.filled);
            for (channel, input) in piece.iter().zip(&mut self.input) {
                input[self.filled..self.filled + count].copy_from_slice(&channel.as_ref()[at..at + count]);
            }
            self.filled += count;
            at += count;
            if self.filled == self.block_in {
                self.convert(u64::MAX, out);
            }
        }
    }

    /// Appends the rest to `out`: afterwards it holds [`Resampler::length`] of all that was pushed.
    pub fn finish(&mut self, out: &mut [Vec<f64>]) {
        let whole = self.length(self.taken);
        while self.fft.is_some() && self.given < whole {
            for channel in &mut self.input {
                channel[self.filled..].fill(0.0);
            }
            self.convert(whole, out);
        }
    }

    /// Starts anew so that the output resumes at or shortly before the frame `near`. Gives the input frame to go on
    /// pushing from, and the output frame that will come first.
    pub fn resume(&mut self, near: u64) -> (u64, u64) {
        let Some(fft) = &mut self.fft else {
            (self.taken, self.given) = (near, near);
            return (near, near);
        };
        fft.reset();
        self.filled = 0;
        let latency = (self.block_out / 2) as u64;
        // A block of output holds the end of the block before it, which is therefore converted again and dropped.
        let block = (near + latency) / self.block_out as u64;
        if block < 2 {
            self.skip = self.block_out / 2;
            (self.taken, self.given) = (0, 0);
        } else {
            self.skip = self.block_out;
            self.taken = (block - 1) * self.block_in as u64;
            self.given = block * self.block_out as u64 - latency;
        }
        (self.taken, self.given)
    }

    /// Converts the block that is full and appends it, up to a length of `most` in all.
    fn convert(&mut self, most: u64, out: &mut [Vec<f64>]) {
        let channels = self.input.len();
        self.filled = 0;
        let Some(fft) = &mut self.fft else { return };
        let input = SequentialSliceOfVecs::new(&self.input, channels, self.block_in);
        let output = SequentialSliceOfVecs::new_mut(&mut self.output, channels, self.block_out);
        if let (Ok(input), Ok(mut output)) = (input, output) {
            fft.process_into_buffer(&input, &mut output, None).expect("the buffers have the block's size");
        }
        let skipped = self.skip.min(self.block_out);
        self.skip -= skipped;
        let count = most.saturating_sub(self.given).min((self.block_out - skipped) as u64) as usize;
        for (output, out) in self.output.iter().zip(out) {
            out.extend_from_slice(&output[skipped..skipped + count]);
        }
        self.given += count as u64;
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{level_at, rms, sine};

    fn convert(sound: &[f64], from: u32, to: u32, piece: usize) -> Vec<f64> {
        let mut resampler = Resampler::new(from, to, 1).unwrap();
        let mut out = [Vec::new()];
        sound.chunks(piece).for_each(|piece| resampler.push(&[piece], &mut out));
        resampler.finish(&mut out);
        let [out] = out;
        out
    }

    #[test]
    fn the_pass_band_is_flat_to_20_khz_and_in_phase() {
        for (from, to) in [(44_100, 48_000), (48_000, 44_100), (96_000, 44_100), (44_100, 192_000)] {
            for freq in [20.0, 997.0, 10_007.0, 19_000.0, 20_000.0] {
                let input = sine(freq, 0.0, f64::from(from), 60_000);
                let output = convert(&input, from, to, 1000);
                let middle = 10_000..output.len() - 10_000;
                let level = level_at(&output[middle.clone()], freq, f64::from(to));
                assert!(level.abs() < 0.01, "{from} to {to}: {level} dB at {freq}");
                let expected = sine(freq, 0.0, f64::from(to), output.len());
                let error: Vec<f64> = middle.map(|i| output[i] - expected[i]).collect();
                assert!(rms(&error) < -55.0, "{from} to {to}: {} dB from the tone at {freq}", rms(&error));
            }
        }
    }

    #[test]
    fn images_and_aliases_lie_below_120_db() {
        // Up: whatever is not the tone. Down: a tone that the lower rate has no room for leaves nothing.
        for (from, to, freq) in [(44_100, 48_000, 19_000.0), (44_100, 96_000, 20_000.0), (48_000, 44_100, 19_000.0)] {
            let output = convert(&sine(freq, 0.0, f64::from(from), 80_000), from, to, 4096);
            let middle = &output[10_000..output.len() - 10_000];
            let scale = crate::math::gain_from_db(-level_at(middle, freq, f64::from(to)));
            // The tone is taken out by its own fit, and its level does not enter.
            let w = std::f64::consts::TAU * freq / f64::from(to);
            let (mut s, mut c, mut ss, mut cc, mut sc) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (i, x) in middle.iter().enumerate() {
                let (a, b) = (crate::math::sin(w * i as f64), crate::math::cos(w * i as f64));
                s += x * a;
                c += x * b;
                ss += a * a;
                cc += b * b;
                sc += a * b;
            }
            let (a, b) = ((s * cc - c * sc) / (ss * cc - sc * sc), (c * ss - s * sc) / (ss * cc - sc * sc));
            let rest: Vec<f64> = middle
                .iter()
                .enumerate()
                .map(|(i, x)| (x - a * crate::math::sin(w * i as f64) - b * crate::math::cos(w * i as f64)) * scale)
                .collect();
            assert!(rms(&rest) < -120.0, "{from} to {to}: {} dB beside {freq}", rms(&rest));
        }
        for (from, to, freq) in [(48_000, 44_100, 22_100.0), (96_000, 48_000, 30_000.0), (192_000, 44_100, 80_000.0)] {
            let output = convert(&sine(freq, 0.0, f64::from(from), 80_000), from, to, 4096);
            let middle = &output[output.len() / 4..output.len() * 3 / 4];
            assert!(rms(middle) < -120.0, "{from} to {to}: {} dB of {freq}", rms(middle));
        }
    }

    #[test]
    fn an_impulse_stays_where_it_is_in_time() {
        for (from, to) in [(44_100, 48_000), (48_000, 44_100), (48_000, 96_000), (96_000, 48_000), (44_100, 22_050)] {
            // At a tenth of a second, a whole frame at every rate.
            let (at_in, at_out) = (from as usize / 10, to as usize / 10);
            let input: Vec<f64> = (0..from as usize / 2).map(|i| f64::from(u8::from(i == at_in))).collect();
            let output = convert(&input, from, to, 777);
            let peak = output.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
            assert_eq!(peak, at_out, "{from} to {to}");
            for i in 1..1000 {
                assert!((output[peak - i] - output[peak + i]).abs() < 1e-9, "{from} to {to}: not symmetric at {i}");
            }
        }
    }

    #[test]
    fn the_output_is_as_long_in_time_and_does_not_depend_on_the_pieces() {
        for (from, to, frames) in
            [(44_100, 48_000, 1), (44_100, 48_000, 30_001), (48_000, 44_100, 20_000), (11_025, 48_001, 5000)]
        {
            let sound: Vec<f64> = (0..frames).map(|i| crate::random::even(1, i)).collect();
            let whole = convert(&sound, from, to, sound.len());
            assert_eq!(whole.len() as u64, (frames * u64::from(to)).div_ceil(u64::from(from)));
            for piece in [17, 4096] {
                assert_eq!(convert(&sound, from, to, piece), whole, "{from} to {to} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn resumed_near_a_frame_it_gives_the_bits_it_would_have_given() {
        let sound: Vec<f64> = (0..60_000).map(|i| crate::random::even(1, i)).collect();
        for (from, to) in [(44_100, 48_000), (96_000, 44_100), (48_000, 48_000)] {
            let whole = convert(&sound, from, to, 1000);
            let mut resampler = Resampler::new(from, to, 1).unwrap();
            for near in [0, 1, 5000, 13_000, 25_000] {
                let (input, output) = resampler.resume(near);
                assert!(output <= near);
                let mut out = [Vec::new()];
                resampler.push(&[&sound[input as usize..]], &mut out);
                resampler.finish(&mut out);
                assert!(out[0] == whole[output as usize..], "{from} to {to} near {near}");
            }
        }
    }

    #[test]
    fn equal_rates_pass_the_sound_on_untouched() {
        let sound: Vec<f64> = (0..5000).map(|i| crate::random::even(1, i)).collect();
        assert_eq!(convert(&sound, 48_000, 48_000, 100), sound);
    }

    #[test]
    fn a_rate_out_of_bounds_is_refused() {
        assert_eq!(Resampler::new(999, 48_000, 1).err(), Some(UnsupportedRate(999)));
        assert_eq!(Resampler::new(48_000, u32::MAX, 1).err(), Some(UnsupportedRate(u32::MAX)));
    }
}
