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
