//! Circuits: what one voice of a synthesiser, or an effect of the user's own, does to sound, as plain data.
//!
//! A circuit is a list of nodes, each made of earlier ones; a [`Builder`] writes it down and refuses what makes no sense,
//! and a [`machine::Machine`] runs it. Every node gives one number a frame. Truth is 1 and falsehood 0; whatever is not 0
//! is taken as true. Frequencies are in Hz, times in milliseconds, delays in frames.

#![allow(clippy::needless_range_loop, reason = "a lane is the same place in several arrays")]

mod builder;
mod common;
mod delay;
mod edges;
mod effect;
mod envelope;
mod filter;
pub mod functions;
pub mod machine;
mod noise;
mod oscillator;
mod pass;
mod plan;
mod round;
pub(crate) mod sketch;
mod slow;
pub mod tables;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use builder::Builder;
pub(crate) use common::Split;
pub(crate) use envelope::{Envelope, Times};
pub use functions::{Binary, Unary};

/// The most nodes of a circuit.
pub const MOST_NODES: usize = 1000;

/// The most frames that one delay reaches back: four seconds at 48 kHz.
pub const MOST_DELAY: usize = 192_000;

/// The most frames that all delays of a circuit reach back together.
pub const MOST_DELAYS: usize = 2 * MOST_DELAY;

/// One node of a circuit, by its place: what a closure that is traced handles in place of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Signal(pub(crate) u32);

impl Signal {
    /// Its place in [`Circuit::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is known of the note that a voice plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Figure {
    /// In Hz, after glide and detuning.
    Freq,
    /// The number of its pitch, 69 for 440 Hz, after glide and detuning.
    Pitch,
    /// From 0 to 1.
    Velocity,
    /// 1 from its start to its end, then 0.
    Gate,
    /// Seconds since it began.
    Age,
    /// From 0 to 1, another for each note.
    Random,
}

/// A periodic waveform, from -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wave {
    /// Rising from 0.
    Sine,
    /// Rising from 0, falling from 1 to -1 at half its cycle.
    Saw,
    /// 1 for half its cycle, then -1.
    Square,
    /// Rising from 0.
    Triangle,
    /// 1 for a part of its cycle, then -1.
    Pulse,
}

/// What a filter lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Pass {
    /// What is below its frequency, 12 dB an octave.
    Low,
    /// What is above its frequency, 12 dB an octave.
    High,
    /// What is near its frequency, 0 dB there.
    Band,
    /// All but its frequency.
    Notch,
}

/// How the power of noise lies over the frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Colour {
    /// As much in every hertz; even from -1 to 1.
    White,
    /// As much in every octave; about as loud as the white.
    Pink,
}

/// What an LFO goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Clock {
    /// The frame of the transport: all voices sway together.
    Transport,
    /// The age of the note: each begins at the beginning.
    Age,
}

/// One node: a number each frame, of what earlier nodes give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Node {
    /// A number that stays.
    Constant(f64),
    /// A channel of what comes in.
    Input(usize),
    /// What is known of the note.
    Note(Figure),
    /// One of the circuit's parameters.
    Parameter(usize),
    /// A function of one number.
    Unary(Unary, Signal),
    /// A function of two.
    Binary(Binary, Signal, Signal),
    /// The second where the first is true, else the third.
    Select(Signal, Signal, Signal),
    /// A signal one frame ago; 0 at first.
    Delay1(Signal),
    /// A signal some frames ago, between frames in a straight line; 0 before its beginning.
    Delay {
        /// What is delayed.
        of: Signal,
        /// By how many frames: below 0 counts as 0, above `most` as `most`.
        frames: Signal,
        /// The most frames.
        most: usize,
    },
    /// What the loop that is closed with it gave one frame ago; 0 at first.
    Back,
    /// A loop's result.
    Loop {
        /// Its [`Node::Back`].
        back: Signal,
        /// What it gives, and gives back.
        result: Signal,
    },
    /// A band-limited waveform. What is more than half the sample rate counts as half the sample rate; a frequency below 0
    /// turns back.
    Oscillator {
        /// Its form.
        wave: Wave,
        /// In Hz.
        freq: Signal,
        /// Of a pulse, the part of the cycle for which it is up, 0.01 to 0.99; of others, not used.
        width: Signal,
        /// The part of its cycle at which a note begins.
        phase: Signal,
    },
    /// Noise; each node another.
    Noise(Colour, u32),
    /// A state-variable filter.
    Filter {
        /// What it lets through.
        pass: Pass,
        /// What comes in.
        of: Signal,
        /// In Hz, from 1 Hz to 0.49 of the sample rate: what is beyond counts as that.
        freq: Signal,
        /// 0.71 is flat; from 0.1 to 1000.
        q: Signal,
    },
    /// From 0 to 1 as the note begins, to its sustain, and to 0 after its end.
    Envelope {
        /// In milliseconds.
        attack: Signal,
        /// In milliseconds.
        decay: Signal,
        /// In percent.
        sustain: Signal,
        /// In milliseconds.
        release: Signal,
    },
    /// From 1 as the note begins, falling by 60 dB in so many milliseconds.
    Decay(Signal),
    /// A slow waveform, from -1 to 1, not band-limited.
    Lfo {
        /// In Hz.
        rate: f64,
        /// Its form; a pulse is a square.
        wave: Wave,
        /// What it goes by.
        clock: Clock,
    },
    /// Goes after a signal, 63.2 % of the way in so many milliseconds; begins where the signal does.
    Smooth(Signal, f64),
    /// The first signal as it was when the second last rose above 0; at first as it begins.
    Hold(Signal, Signal),
}

/// A number that is set from outside, by its name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Knob {
    /// What it is called.
    pub name: String,
    /// What it is unless it is set.
    pub default: f64,
    /// The least it may be.
    pub least: f64,
    /// The most it may be.
    pub most: f64,
}

/// What a [`Builder`] wrote down, all of it in use, each node after those it is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Circuit {
    /// How many channels come in: none for a voice, 1 or 2 for an effect.
    pub inputs: usize,
    /// The nodes, in order.
    pub nodes: Vec<Node>,
    /// What leaves: one channel or two.
    pub outputs: Vec<Signal>,
    /// The parameters, in the order in which they were declared.
    pub parameters: Vec<Knob>,
}

impl Circuit {
    /// The same, less what no output needs. Not RT.
    pub(crate) fn pruned(self) -> Circuit {
        let mut needed = vec![false; self.nodes.len()];
        self.outputs.iter().for_each(|output| needed[output.index()] = true);
        for i in (0..self.nodes.len()).rev() {
            if needed[i] {
                self.nodes[i].sources().for_each(|source| needed[source.index()] = true);
            }
        }
        let mut place = vec![Signal(0); self.nodes.len()];
        let mut nodes = Vec::new();
        for (i, node) in self.nodes.iter().enumerate().filter(|(i, _)| needed[*i]) {
            place[i] = Signal(nodes.len() as u32);
            nodes.push(node.map(|signal| place[signal.index()]));
        }
        let outputs = self.outputs.iter().map(|output| place[output.index()]).collect();
        Circuit { nodes, outputs, ..self }
    }
}

impl Node {
    /// What it is made of, each with whether it is from the frame before. At most four.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Signal> + use<> {
        let list = match *self {
            Node::Constant(_) | Node::Input(_) | Node::Note(_) | Node::Parameter(_) => [None; 4],
            Node::Back | Node::Noise(..) | Node::Lfo { .. } => [None; 4],
            Node::Unary(_, a) | Node::Delay1(a) | Node::Decay(a) | Node::Smooth(a, _) => [Some(a), None, None, None],
            Node::Binary(_, a, b) | Node::Hold(a, b) => [Some(a), Some(b), None, None],
            Node::Delay { of, frames, .. } => [Some(of), Some(frames), None, None],
            Node::Loop { back, result } => [Some(back), Some(result), None, None],
            Node::Select(a, b, c) => [Some(a), Some(b), Some(c), None],
            Node::Oscillator { freq, width, phase, .. } => [Some(freq), Some(width), Some(phase), None],
            Node::Filter { of, freq, q, .. } => [Some(of), Some(freq), Some(q), None],
            Node::Envelope { attack, decay, sustain, release } => {
                [Some(attack), Some(decay), Some(sustain), Some(release)]
            }
        };
        list.into_iter().flatten()
    }

    /// The same node, of other signals.
    pub(crate) fn map(self, mut to: impl FnMut(Signal) -> Signal) -> Node {
        match self {
            Node::Unary(f, a) => Node::Unary(f, to(a)),
            Node::Delay1(a) => Node::Delay1(to(a)),
            Node::Decay(a) => Node::Decay(to(a)),
            Node::Smooth(a, ms) => Node::Smooth(to(a), ms),
            Node::Binary(f, a, b) => Node::Binary(f, to(a), to(b)),
            Node::Hold(a, b) => Node::Hold(to(a), to(b)),
            Node::Delay { of, frames, most } => Node::Delay { of: to(of), frames: to(frames), most },
            Node::Loop { back, result } => Node::Loop { back: to(back), result: to(result) },
            Node::Select(a, b, c) => Node::Select(to(a), to(b), to(c)),
            Node::Oscillator { wave, freq, width, phase } => {
                Node::Oscillator { wave, freq: to(freq), width: to(width), phase: to(phase) }
            }
            Node::Filter { pass, of, freq, q } => Node::Filter { pass, of: to(of), freq: to(freq), q: to(q) },
            Node::Envelope { attack, decay, sustain, release } => {
                Node::Envelope { attack: to(attack), decay: to(decay), sustain: to(sustain), release: to(release) }
            }
            other => other,
        }
    }
}

/// A frame of a stretch, whose only one there is where it stays. RT.
#[inline(always)]
fn frame<T: Copy>(stretch: &[T], i: usize) -> T {
    stretch[i.min(stretch.len() - 1)]
}
