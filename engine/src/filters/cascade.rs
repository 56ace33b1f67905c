//! Sections in a row that follow an effect's parameters: designed when a parameter moves, glided in between.

use std::ops::Range;

use super::row::Rows;
use super::{Filter, Section, Step, butterworth_q};
use crate::keep::keep;
use crate::kernel::{Buffer, Glide};

/// The most parameters that one cascade follows.
const VALUES: usize = 3;

/// Designs every section of a cascade from the values of its parameters and the sample rate. RT.
pub type Design = fn(&[f64], f64, &mut [Section]);

/// A [`Design`] of low-passes of 12 dB an octave at a frequency, Butterworth's. RT.
pub fn low_pass(freq: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::low_pass(freq[0], butterworth_q(2, 0), rate));
}

/// The same of high-passes. RT.
pub fn high_pass(freq: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::high_pass(freq[0], butterworth_q(2, 0), rate));
}

/// Sections in a row, on any number of channels, that follow up to three parameters.
pub struct Cascade {
    design: Design,
    rate: f64,
    /// The values that `now` is designed from.
    values: [f64; VALUES],
    now: Vec<Section>,
    next: Vec<Section>,
    /// What is run while the parameters stand: `now`, multiplied out.
    steps: Vec<Step>,
    /// For each section its state on each channel.
    state: Vec<Filter>,
    channels: usize,
}

// Sections are designed again from the values.
keep!(Cascade: state);

impl Cascade {
    /// So many sections on so many channels, as `design` makes them from `values`. Not RT.
    pub fn new(design: Design, values: &[f64], sections: usize, channels: usize, rate: f64) -> Self {
        let mut cascade = Cascade {
            design,
            rate,
            values: [0.0; VALUES],
            now: vec![Section::THROUGH; sections],
            next: vec![Section::THROUGH; sections],
            steps: vec![Section::THROUGH.step(); sections],
            state: vec![Filter::default(); sections * channels],
            channels,
        };
        cascade.values.iter_mut().zip(values).for_each(|(kept, value)| *kept = *value);
        design(values, rate, &mut cascade.now);
        cascade.multiply_out();
        cascade
    }

    /// RT.
    fn multiply_out(&mut self) {
        self.steps.iter_mut().zip(&self.now).for_each(|(step, section)| *step = section.step());
    }

    /// Filters these frames of each channel while the parameters glide as given. RT.
    pub fn process(&mut self, glides: &[Glide], audio: &mut [Buffer], frames: Range<usize>) {
        let (mut from, mut to) = (self.values, self.values);
        for ((from, to), glide) in from.iter_mut().zip(&mut to).zip(glides) {
            (*from, *to) = (glide.from, glide.to);
        }
        let count = glides.len().min(VALUES);
        if from != self.values {
            (self.design)(&from[..count], self.rate, &mut self.now);
            self.values = from;
            self.multiply_out();
        }
        if to != from {
            (self.design)(&to[..count], self.rate, &mut self.next);
            let both = self.now.iter().zip(&self.next);
            for (state, (now, next)) in self.state.chunks_exact_mut(self.channels.max(1)).zip(both) {
                let channels = state.iter_mut().zip(&mut *audio);
                channels.for_each(|(filter, channel)| filter.run(now, next, &mut channel[frames.clone()]));
            }
            std::mem::swap(&mut self.now, &mut self.next);
            self.values = to;
            self.multiply_out();
        } else {
            self.run_rows(audio, frames);
        }
    }

    /// Whether it is designed from these values, and they stay. RT.
    pub fn stands_at(&self, glides: &[Glide]) -> bool {
        self.values.iter().zip(glides).all(|(value, glide)| *glide == Glide::still(*value))
    }

    /// Frames after which what rings in it has fallen by 96 dB, or more.
    pub fn ring(&self) -> u64 {
        self.now.iter().map(Section::ring).sum()
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.state.iter_mut().for_each(Filter::reset);
    }
}

impl Rows for Cascade {
    fn channels(&self) -> usize {
        self.channels
    }

    fn row<const C: usize>(&mut self, first: usize) -> impl Iterator<Item = (&Step, &mut [Filter; C])> {
        let states = self.state.chunks_exact_mut(self.channels.max(1));
        let some = states.filter_map(move |all| all.get_mut(first..)?.first_chunk_mut());
        self.steps.iter().zip(some)
    }
}
