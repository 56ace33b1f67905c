//! Convolution from channels to channels: what rooms and filters over both sides are made of.

use std::ops::Range;
use std::sync::Arc;

use super::{Convolver, Response};
use crate::keep::keep;
use crate::kernel::{Buffer, QUANTUM};

/// Any number of ways, whose sounds add up where they lead to the same channel.
pub struct Ways {
    ways: Vec<Way>,
    /// What one of them gives.
    made: Buffer,
}

/// From one channel to one channel.
struct Way {
    from: usize,
    to: usize,
    convolver: Convolver,
}

keep!(Ways: ways);
keep!(Way: convolver);

impl Ways {
    /// Each from a channel to a channel through a response. Not RT.
    pub fn new(ways: impl IntoIterator<Item = (usize, usize, Arc<Response>)>) -> Self {
        let way = |(from, to, response)| Way { from, to, convolver: Convolver::new(response) };
        Ways { ways: ways.into_iter().map(way).collect(), made: [0.0; QUANTUM] }
    }

    /// Puts in the place of `audio` what all ways make of `input` in these frames; `first` is the transport frame of the first
    /// of them. RT.
    pub fn process(&mut self, first: u64, frames: Range<usize>, input: &[Buffer], audio: &mut [Buffer]) {
        audio.iter_mut().for_each(|channel| channel[frames.clone()].fill(0.0));
        for way in &mut self.ways {
            let (Some(from), Some(to)) = (input.get(way.from), audio.get_mut(way.to)) else { continue };
            let made = &mut self.made[frames.clone()];
            made.copy_from_slice(&from[frames.clone()]);
            way.convolver.begin(first);
            way.convolver.process(made);
            to[frames.clone()].iter_mut().zip(made).for_each(|(sum, x)| *sum += *x);
        }
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.ways.iter_mut().for_each(|way| way.convolver.reset());
    }
}
