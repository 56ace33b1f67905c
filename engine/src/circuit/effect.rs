//! `dsp`: a circuit that sound flows through. One of one channel does the same to each; one of two takes a pair.

use super::machine::{Around, Machine};
use super::tables::circuit_of;
use super::{Circuit, Node};
use crate::keep::keep;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::parameter::Recipe;

/// How long what goes round in a loop is taken to sound, in seconds: a circuit does not tell.
const LOOPED: f64 = 5.0;

/// For [`crate::parameter::Table::channels`].
pub(super) fn channels(recipe: &Recipe) -> Result<usize, String> {
    let Some(circuit) = circuit_of(recipe) else { return Err("it has no circuit".into()) };
    match (circuit.inputs, recipe.channels) {
        (1, channels) if circuit.outputs.len() == 1 => Ok(channels),
        (1, 1) | (2, 1 | 2) => Ok(circuit.outputs.len()),
        (1, channels) => Err(format!("it makes two channels of one, and {channels} come in")),
        (_, channels) => Err(format!("it takes two channels, and {channels} come in")),
    }
}

/// For [`crate::parameter::Table::tail`].
pub(super) fn tail(recipe: &Recipe) -> u64 {
    let Some(circuit) = circuit_of(recipe) else { return 0 };
    let back: usize =
        circuit.nodes.iter().map(|node| if let Node::Delay { most, .. } = node { *most } else { 1 }).sum();
    let loops = circuit.nodes.iter().any(|node| matches!(node, Node::Loop { .. }));
    back as u64 + if loops { (LOOPED * recipe.rate()) as u64 } else { 0 }
}

/// For [`crate::parameter::Table::kernel`].
pub(super) fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let empty = Circuit { inputs: 1, nodes: Vec::new(), outputs: Vec::new(), parameters: Vec::new() };
    let circuit = circuit_of(recipe).map_or(empty, |circuit| (**circuit).clone());
    let knobs = vec![[0.0; QUANTUM]; circuit.parameters.len()].into_boxed_slice();
    let first = recipe.values.len() - knobs.len();
    let seed = recipe.seed;
    if circuit.inputs == 2 || circuit.outputs.len() == 2 {
        return Box::new(Pair {
            machine: Machine::new(&circuit, recipe.rate()),
            inputs: circuit.inputs,
            knobs,
            first,
            seed,
            count: Count::default(),
        });
    }
    let pairs = if waits(&circuit) { recipe.channels / 2 } else { 0 };
    let singles = recipe.channels - 2 * pairs;
    Box::new(Each {
        pairs: (0..pairs).map(|_| Machine::new(&circuit, recipe.rate())).collect(),
        singles: (0..singles).map(|_| Machine::new(&circuit, recipe.rate())).collect(),
        knobs,
        first,
        seed,
        count: Count::default(),
    })
}

/// Whether a frame waits for the one before: then two channels side by side take hardly longer than one.
fn waits(circuit: &Circuit) -> bool {
    let is_plain = |node: &Node| {
        use Node::{Binary, Constant, Delay1, Input, Lfo, Parameter, Select, Unary};
        matches!(
            node,
            Constant(_) | Input(_) | Parameter(_) | Unary(..) | Binary(..) | Select(..) | Delay1(_) | Lfo { .. }
        )
    };
    !circuit.nodes.iter().all(is_plain)
}

/// Writes what the parameters are at each frame. RT.
fn turn(knobs: &mut [Buffer], values: &[Glide], io_frames: std::ops::Range<usize>) {
    let count = io_frames.len();
    for (knob, value) in knobs.iter_mut().zip(values) {
        knob[io_frames.clone()].iter_mut().enumerate().for_each(|(i, x)| *x = value.at(i, count));
    }
}

/// The frames that an effect's noise and LFOs go by: the transport's, and on from there while that stands still.
#[derive(Default)]
struct Count {
    /// How many have passed since it stood still.
    still: u64,
}

keep!(Count: still);

impl Count {
    /// The number of the quantum's first frame. RT.
    fn first(&mut self, io: &Io<'_>) -> u64 {
        if io.rolling {
            self.still = 0;
            return io.transport;
        }
        let first = io.transport.wrapping_add(self.still);
        if io.frames.end == QUANTUM {
            self.still = self.still.wrapping_add(QUANTUM as u64);
        }
        first
    }
}

/// A circuit of one channel, for each channel.
struct Each {
    /// Two channels side by side.
    pairs: Box<[Machine<2>]>,
    /// The last of an odd number; or all, where there is nothing to wait for.
    singles: Box<[Machine<1>]>,
    knobs: Box<[Buffer]>,
    /// The first of the values that are the circuit's parameters.
    first: usize,
    seed: u64,
    count: Count,
}

impl Kernel for Each {
    fn process(&mut self, io: &mut Io<'_>) {
        let frames = io.frames.clone();
        turn(&mut self.knobs, io.values.get(self.first..).unwrap_or_default(), frames.clone());
        let (transport, seed) = (self.count.first(io), self.seed);
        let mut channels = io.audio.chunks_exact_mut(2);
        for (machine, pair) in self.pairs.iter_mut().zip(channels.by_ref()) {
            let input = &mut machine.input(0)[frames.clone()];
            input.iter_mut().zip(frames.clone()).for_each(|(x, i)| *x = [pair[0][i], pair[1][i]]);
            machine.run(frames.clone(), &Around::effect(transport, &self.knobs, seed));
            let output = &machine.output(0)[frames.clone()];
            output.iter().zip(frames.clone()).for_each(|(y, i)| [pair[0][i], pair[1][i]] = *y);
        }
        let around = Around::effect(transport, &self.knobs, seed);
        for (machine, channel) in self.singles.iter_mut().zip(&mut io.audio[2 * self.pairs.len()..]) {
            machine.work(&mut channel[frames.clone()], &frames, &around);
        }
    }

    fn reset(&mut self) {
        self.pairs.iter_mut().for_each(Machine::reset);
        self.singles.iter_mut().for_each(Machine::reset);
    }
}

impl crate::keep::Keep for Each {
    fn keep(&mut self, ledger: &mut crate::keep::Ledger) {
        self.pairs.iter_mut().for_each(|machine| machine.keep(ledger));
        self.singles.iter_mut().for_each(|machine| machine.keep(ledger));
        self.count.keep(ledger);
    }
}

/// A circuit that takes or gives a pair of channels.
struct Pair {
    machine: Machine<1>,
    inputs: usize,
    knobs: Box<[Buffer]>,
    /// The first of the values that are the circuit's parameters.
    first: usize,
    seed: u64,
    count: Count,
}

keep!(Pair: machine, count);

impl Kernel for Pair {
    fn process(&mut self, io: &mut Io<'_>) {
        let (frames, transport) = (io.frames.clone(), self.count.first(io));
        turn(&mut self.knobs, io.values.get(self.first..).unwrap_or_default(), frames.clone());
        for n in 0..self.inputs {
            // A single channel is both sides of a pair.
            let channel = n.min(io.channels_in.saturating_sub(1));
            let input = &mut self.machine.input(n)[frames.clone()];
            input.iter_mut().zip(&io.audio[channel][frames.clone()]).for_each(|(x, y)| *x = [*y]);
        }
        self.machine.run(frames.clone(), &Around::effect(transport, &self.knobs, self.seed));
        for (n, channel) in io.audio.iter_mut().enumerate().take(self.machine.outputs()) {
            let output = &self.machine.output(n)[frames.clone()];
            channel[frames.clone()].iter_mut().zip(output).for_each(|(x, y)| *x = y[0]);
        }
    }

    fn reset(&mut self) {
        self.machine.reset();
    }
}
