//! How alike two sound files are: the levels of their octaves.

use std::fmt;
use std::path::Path;

use hound::{SampleFormat, WavReader};
use realfft::RealFftPlanner;

/// Frames of a spectrum.
const SIZE: usize = 8192;

/// The middles of the octaves that are compared, in Hz.
const OCTAVES: [f64; 9] = [63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0];

/// Octaves that are so many dB below the loudest do not count.
const MATTERS: f64 = 50.0;

/// The level of each octave of each channel, in dB.
#[derive(Clone)]
pub struct Levels(Vec<[f64; OCTAVES.len()]>);

/// How far another sound is from ours.
pub struct Apart {
    /// The octave that is farthest, in dB; not a number if theirs is none.
    pub decibels: f64,
    /// Theirs over ours in each octave of each channel, in dB.
    octaves: Vec<[f64; OCTAVES.len()]>,
}

impl Levels {
    /// Those of so many seconds of a file, read piece by piece: a child of a large process would seem large too.
    pub fn of(file: &Path, seconds: usize) -> Result<Self, String> {
        let failed = |why: hound::Error| format!("{} cannot be read: {why}", file.display());
        let mut reader = WavReader::open(file).map_err(failed)?;
        let spec = reader.spec();
        let channels = usize::from(spec.channels);
        let samples: Box<dyn Iterator<Item = Result<f32, hound::Error>>> = match spec.sample_format {
            SampleFormat::Float => Box::new(reader.samples::<f32>()),
            SampleFormat::Int => {
                let scale = ((1_i64 << (spec.bits_per_sample - 1)) as f32).recip();
                Box::new(reader.samples::<i32>().map(move |sample| sample.map(|sample| sample as f32 * scale)))
            }
        };
        let mut samples = samples.take(seconds * spec.sample_rate as usize * channels);
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(SIZE);
        let (mut piece, mut spectrum) = (transform.make_input_vec(), transform.make_output_vec());
        let mut sums = vec![[0.0_f64; OCTAVES.len()]; channels];
        let mut block = vec![0.0; SIZE * channels];
        let mut pieces = 0;
        'file: loop {
            for into in &mut block {
                match samples.next() {
                    Some(sample) => *into = sample.map_err(failed)?,
                    None => break 'file,
                }
            }
            pieces += 1;
            for (channel, sums) in sums.iter_mut().enumerate() {
                for (frame, into) in piece.iter_mut().enumerate() {
                    let turn = std::f32::consts::TAU * frame as f32 / SIZE as f32;
                    *into = block[frame * channels + channel] * (0.5 - 0.5 * turn.cos());
                }
                transform.process(&mut piece, &mut spectrum).map_err(|why| why.to_string())?;
                for (bin, x) in spectrum.iter().enumerate() {
                    let freq = bin as f64 * f64::from(spec.sample_rate) / SIZE as f64;
                    let within = |middle: &f64| freq / middle >= 0.5_f64.sqrt() && freq / middle < 2_f64.sqrt();
                    if let Some(octave) = OCTAVES.iter().position(within) {
                        sums[octave] += f64::from(x.norm_sqr());
                    }
                }
            }
        }
        let scale = 1.0 / (f64::from(pieces) * (SIZE * SIZE) as f64);
        Ok(Self(sums.iter().map(|sums| sums.map(|sum| 10.0 * (sum * scale).log10())).collect()))
    }

    /// How far another's levels are from these.
    pub fn apart(&self, theirs: &Self) -> Apart {
        let loudest = self.0.iter().flatten().copied().fold(f64::MIN, f64::max);
        let mut apart =
            Apart { decibels: if self.0.len() == theirs.0.len() { 0.0 } else { f64::NAN }, octaves: Vec::new() };
        for (ours, theirs) in self.0.iter().zip(&theirs.0) {
            let octaves: [f64; OCTAVES.len()] = std::array::from_fn(|at| theirs[at] - ours[at]);
            for (over, _) in octaves.iter().zip(ours).filter(|(_, ours)| **ours > loudest - MATTERS) {
                // What is not a number stays so.
                if !(over.abs() <= apart.decibels || apart.decibels.is_nan()) {
                    apart.decibels = over.abs();
                }
            }
            apart.octaves.push(octaves);
        }
        apart
    }
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {:.2} dB at most; in octaves from {} Hz, theirs over ours in dB:", self.decibels, OCTAVES[0])?;
        for (at, channel) in self.octaves.iter().enumerate() {
            f.write_str(if at == 0 { " " } else { ", and " })?;
            let all: Vec<String> = channel.iter().map(|over| format!("{over:.2}")).collect();
            f.write_str(&all.join(" "))?;
        }
        Ok(())
    }
}
