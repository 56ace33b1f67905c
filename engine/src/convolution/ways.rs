//! Convolution from channels to channels: what rooms and filters over both sides are made of.

use std::ops::Range;
use std::sync::Arc;

use super::{Convolver, Response, Spectrum};
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, QUANTUM};

/// Any number of ways, whose sounds add up where they lead to the same channel.
pub struct Ways<S> {
    ways: Vec<Way<S>>,
    /// What one of them gives.
    made: Buffer,
}

/// From one channel to one channel.
struct Way<S> {
    from: usize,
    to: usize,
    convolver: Convolver<S>,
}

impl<S: Spectrum> Keep for Ways<S> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.ways.keep(ledger);
    }
}

impl<S: Spectrum> Keep for Way<S> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.convolver.keep(ledger);
    }
}

impl<S: Spectrum> Ways<S> {
    /// Each from a channel to a channel through a response. Not RT.
    pub fn new(ways: impl IntoIterator<Item = (usize, usize, Arc<Response<S>>)>) -> Self {
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
