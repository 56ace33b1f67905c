//! Between a session and a device whose rates differ: both directions, resampled at the edge.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::playback::{Capture, Playback};

/// About how many frames are converted at a time: the delay is of this order.
const CHUNK: usize = 256;

/// Whole chunks of interleaved sound, from one rate to another.
struct Converter {
    resampler: Fft<f32>,
    channels: usize,
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Converter {
    fn new(from: u32, to: u32, channels: usize) -> Result<Self, String> {
        let resampler = Fft::new(from as usize, to as usize, CHUNK, channels, FixedSync::Both)
            .map_err(|error| format!("cannot resample from {from} to {to} Hz: {error}"))?;
        let (input, output) = (resampler.input_frames_next(), resampler.output_frames_next());
        Ok(Converter { resampler, channels, input: vec![0.0; input * channels], output: vec![0.0; output * channels] })
    }

    /// Converts the whole of `input` into the whole of `output`. RT.
    fn convert(&mut self) {
        let (frames_in, frames_out) = (self.input.len() / self.channels, self.output.len() / self.channels);
        let done = InterleavedSlice::new(&self.input, self.channels, frames_in).is_ok_and(|input| {
            InterleavedSlice::new_mut(&mut self.output, self.channels, frames_out)
                .is_ok_and(|mut output| self.resampler.process_into_buffer(&input, &mut output, None).is_ok())
        });
        if !done {
            self.output.fill(0.0);
        }
    }
}

/// A playback at one rate for a device at another.
pub struct ResampledPlayback {
    inner: Box<dyn Playback>,
    converter: Converter,
    /// Samples of the converter's output that are already given.
    given: usize,
}

impl ResampledPlayback {
    /// Plays what `inner` gives at `session` frames a second on a device of `device` frames a second with `channels`
    /// channels.
    ///
    /// # Errors
    /// Rates that no resampler can be made for.
    pub fn new(inner: Box<dyn Playback>, session: u32, device: u32, channels: usize) -> Result<Self, String> {
        let converter = Converter::new(session, device, channels)?;
        let given = converter.output.len();
        Ok(ResampledPlayback { inner, converter, given })
    }
}

impl Playback for ResampledPlayback {
    fn fill(&mut self, block: &mut [f32], channels: usize) {
        if channels != self.converter.channels {
            return block.fill(0.0);
        }
        let mut rest = block;
        while !rest.is_empty() {
            if self.given == self.converter.output.len() {
                self.inner.fill(&mut self.converter.input, channels);
                self.converter.convert();
                self.given = 0;
            }
            let ready = &self.converter.output[self.given..];
            let count = ready.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&ready[..count]);
            self.given += count;
            rest = later;
        }
    }

    fn ready(&mut self) -> bool {
        self.inner.ready()
    }

    fn ceiling(&self) -> f32 {
        self.inner.ceiling()
    }
}

/// A capture at one rate for a device at another.
pub struct ResampledCapture {
    inner: Box<dyn Capture>,
    converter: Converter,
    /// Samples of the converter's input that are already there.
    taken: usize,
}

impl ResampledCapture {
    /// Gives `inner` at `session` frames a second what a device of `device` frames a second with `channels` channels
    /// hears.
    ///
    /// # Errors
    /// Rates that no resampler can be made for.
    pub fn new(inner: Box<dyn Capture>, session: u32, device: u32, channels: usize) -> Result<Self, String> {
        Ok(ResampledCapture { inner, converter: Converter::new(device, session, channels)?, taken: 0 })
    }
}

impl Capture for ResampledCapture {
    fn take(&mut self, block: &[f32], channels: usize) {
        if channels != self.converter.channels {
            return;
        }
        let mut rest = block;
        while !rest.is_empty() {
            let free = &mut self.converter.input[self.taken..];
            let count = free.len().min(rest.len());
            let (now, later) = rest.split_at(count);
            free[..count].copy_from_slice(now);
            self.taken += count;
            rest = later;
            if self.taken == self.converter.input.len() {
                self.converter.convert();
                self.inner.take(&self.converter.output, channels);
                self.taken = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use assert_no_alloc::assert_no_alloc;
    use std::sync::{Arc, Mutex};

    /// A sine of 1 kHz on the left, its negative at half the level on the right.
    struct Tone {
        rate: f64,
        frame: u64,
    }

    impl Playback for Tone {
        fn fill(&mut self, block: &mut [f32], channels: usize) {
            for frame in block.chunks_mut(channels) {
                let x = math::sin(std::f64::consts::TAU * 1000.0 * self.frame as f64 / self.rate);
                frame.copy_from_slice(&[x as f32, (-0.5 * x) as f32]);
                self.frame += 1;
            }
        }
    }

    /// Level of 1 kHz in a channel over a whole number of periods, and of everything else, both in dB re full scale.
    fn tone_and_rest(sound: &[f32], channel: usize, rate: f64) -> (f64, f64) {
        let x: Vec<f64> = sound.iter().skip(channel).step_by(2).map(|&x| f64::from(x)).collect();
        let n = x.len() as f64;
        let w = std::f64::consts::TAU * 1000.0 / rate;
        let part = |f: fn(f64) -> f64| 2.0 / n * x.iter().enumerate().map(|(i, x)| x * f(w * i as f64)).sum::<f64>();
        let (s, c) = (part(math::sin), part(math::cos));
        let rest = x
            .iter()
            .enumerate()
            .map(|(i, x)| {
                let left = x - s * math::sin(w * i as f64) - c * math::cos(w * i as f64);
                left * left
            })
            .sum::<f64>();
        (math::db_from_gain(math::sqrt(s * s + c * c)), math::db_from_gain(math::sqrt(2.0 * rest / n)))
    }

    #[test]
    fn a_tone_keeps_its_pitch_level_and_channel_on_a_device_of_another_rate() {
        for device in [44_100, 96_000, 22_050] {
            let tone = Box::new(Tone { rate: 48_000.0, frame: 0 });
            let mut playback = ResampledPlayback::new(tone, 48_000, device, 2).unwrap();
            let mut sound = vec![0.0; device as usize * 2];
            let mut rest = &mut sound[..];
            for size in [1, 17, 64, 480].into_iter().cycle() {
                let (now, later) = rest.split_at_mut((size * 2).min(rest.len()));
                assert_no_alloc(|| playback.fill(now, 2));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let settled = &sound[sound.len() - device as usize / 10 * 8..];
            for (channel, level) in [(0, 0.0), (1, -6.0206)] {
                let (tone, rest) = tone_and_rest(settled, channel, f64::from(device));
                assert!((tone - level).abs() < 0.01, "{device} Hz: {tone} dB");
                assert!(rest < -100.0, "{device} Hz: {rest} dB beside the tone");
            }
        }
    }

    struct Keeping(Arc<Mutex<Vec<f32>>>);

    impl Capture for Keeping {
        fn take(&mut self, block: &[f32], _: usize) {
            self.0.lock().unwrap().extend_from_slice(block);
        }
    }

    #[test]
    fn what_a_device_of_another_rate_hears_arrives_at_the_sessions_rate() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let mut capture = ResampledCapture::new(Box::new(Keeping(kept.clone())), 48_000, 44_100, 2).unwrap();
        let mut tone = Tone { rate: 44_100.0, frame: 0 };
        let mut block = vec![0.0; 441 * 2];
        for _ in 0..100 {
            tone.fill(&mut block, 2);
            capture.take(&block, 2);
        }
        let kept = kept.lock().unwrap();
        assert!((96_000 - kept.len()) / 2 < 2 * CHUNK, "a second in is a second out but for a chunk");
        let (level, rest) = tone_and_rest(&kept[kept.len() - 48_000..], 0, 48_000.0);
        assert!(level.abs() < 0.01 && rest < -100.0, "{level} dB, {rest} dB beside it");
    }

    #[test]
    fn a_rate_of_zero_is_an_error() {
        let tone = Box::new(Tone { rate: 48_000.0, frame: 0 });
        assert!(ResampledPlayback::new(tone, 48_000, 0, 2).is_err());
    }
}
