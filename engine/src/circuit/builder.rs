//! Writes circuits down, node by node, and refuses what makes no sense.
//!
//! What is made of constants alone is worked out at once, by the very functions that a machine runs, and what was written
//! before is not written again: neither changes a bit of the sound.

use super::functions::{binary, unary};
use super::{
    Binary, Circuit, Clock, Colour, Figure, Knob, MOST_DELAY, MOST_DELAYS, MOST_NODES, Node, Pass, Signal, Unary, Wave,
};

/// The most loops of a circuit: as many as there are bits to tell them apart.
const MOST_LOOPS: usize = 64;

/// A circuit that is being written.
#[derive(Clone, Debug)]
pub struct Builder {
    inputs: usize,
    nodes: Vec<Node>,
    /// For each node the loops that it is within, a bit each.
    within: Vec<u64>,
    /// The loops that are open, innermost last.
    open: Vec<Signal>,
    /// The loops so far.
    loops: Vec<Signal>,
    parameters: Vec<Knob>,
    noises: u32,
    delays: usize,
}

impl Builder {
    /// An empty one for a voice (no input) or an effect of one or two channels.
    ///
    /// # Errors
    /// More than two inputs.
    pub fn new(inputs: usize) -> Result<Builder, String> {
        if inputs > 2 {
            return Err(format!("a circuit takes one channel or two, |x| or |l, r|, not {inputs}"));
        }
        Ok(Builder {
            inputs,
            nodes: Vec::new(),
            within: Vec::new(),
            open: Vec::new(),
            loops: Vec::new(),
            parameters: Vec::new(),
            noises: 0,
            delays: 0,
        })
    }

    /// Whether it is of a voice, which has no input.
    pub fn is_voice(&self) -> bool {
        self.inputs == 0
    }

    /// A number that stays.
    ///
    /// # Errors
    /// It is infinite or no number. All that write a node also fail when there are too many, or when a loop's own signal is
    /// used outside it.
    pub fn constant(&mut self, value: f64) -> Result<Signal, String> {
        if !value.is_finite() {
            return Err(format!("{value} cannot be part of a sound: numbers have to be finite"));
        }
        self.write(Node::Constant(value))
    }

    /// A channel of what comes in, from 0.
    ///
    /// # Errors
    /// There is no such channel.
    pub fn input(&mut self, channel: usize) -> Result<Signal, String> {
        match self.inputs {
            0 => Err("a voice has no input: build it from generators such as saw(note.freq)".into()),
            inputs if channel >= inputs => Err(format!("there is no channel {channel}: it takes {inputs}")),
            _ => self.write(Node::Input(channel)),
        }
    }

    /// What is known of the note.
    ///
    /// # Errors
    /// In an effect, which plays none.
    pub fn note(&mut self, figure: Figure) -> Result<Signal, String> {
        if self.inputs > 0 {
            return Err("only the voice of a synth has a note; a dsp has its input and its parameters".into());
        }
        self.write(Node::Note(figure))
    }

    /// A number that is set from outside.
    ///
    /// # Errors
    /// No name, a name twice, figures that are not finite or not in order.
    pub fn parameter(&mut self, name: &str, default: f64, least: f64, most: f64) -> Result<Signal, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
            return Err(format!(
                "\"{name}\" cannot name a parameter: lower-case letters, digits and _, a letter first"
            ));
        }
        if self.parameters.iter().any(|knob| knob.name == name) {
            return Err(format!("there are two parameters called \"{name}\": declare it once and use it twice"));
        }
        if ![default, least, most].iter().all(|x| x.is_finite()) || least >= most {
            return Err(format!("param(\"{name}\", {default}, {least}, {most}): its least has to be below its most"));
        }
        if !(least..=most).contains(&default) {
            return Err(format!("param(\"{name}\", {default}, {least}, {most}): {default} is not between these two"));
        }
        self.parameters.push(Knob { name: name.to_owned(), default, least, most });
        self.write(Node::Parameter(self.parameters.len() - 1))
    }

    /// A function of one number.
    ///
    /// # Errors
    /// See [`Builder::constant`]; so for those that follow.
    pub fn unary(&mut self, function: Unary, x: Signal) -> Result<Signal, String> {
        let folded = self.number(x).map(|x| unary(function, x));
        self.fold(folded, Node::Unary(function, x))
    }

    /// A function of two numbers.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn binary(&mut self, function: Binary, a: Signal, b: Signal) -> Result<Signal, String> {
        let folded = self.number(a).zip(self.number(b)).map(|(a, b)| binary(function, a, b));
        self.fold(folded, Node::Binary(function, a, b))
    }

    /// `yes` where `condition` is true, else `no`.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn select(&mut self, condition: Signal, yes: Signal, no: Signal) -> Result<Signal, String> {
        match self.number(condition) {
            Some(condition) => Ok(if condition != 0.0 { yes } else { no }),
            None => self.write(Node::Select(condition, yes, no)),
        }
    }

    /// At least `least`, at most `most`.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn clamp(&mut self, x: Signal, least: Signal, most: Signal) -> Result<Signal, String> {
        if let Some((least, most)) = self.number(least).zip(self.number(most)).filter(|(least, most)| least > most) {
            return Err(format!("clamp(x, {least}, {most}): the lower bound comes first"));
        }
        let above = self.binary(Binary::Max, x, least)?;
        self.binary(Binary::Min, above, most)
    }

    /// A signal one frame ago.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn delay1(&mut self, x: Signal) -> Result<Signal, String> {
        self.write(Node::Delay1(x))
    }

    /// A signal `frames` frames ago, at most `most`.
    ///
    /// # Errors
    /// `most` is too much, alone or with the other delays.
    pub fn delay(&mut self, of: Signal, frames: Signal, most: usize) -> Result<Signal, String> {
        if !(1..=MOST_DELAY).contains(&most) {
            return Err(format!("delay(x, frames, {most}): a delay reaches from 1 to {MOST_DELAY} frames back"));
        }
        if let Some(frames) = self.number(frames).filter(|frames| !(0.0..=most as f64).contains(frames)) {
            return Err(format!("delay(x, {frames}, {most}): {frames} is not between 0 and {most} frames"));
        }
        self.delays += most;
        if self.delays > MOST_DELAYS {
            return Err(format!("all delays of a circuit together reach at most {MOST_DELAYS} frames back"));
        }
        self.write(Node::Delay { of, frames, most })
    }

    /// A loop: `body` is given what the loop gave one frame ago, and gives what it gives now.
    ///
    /// # Errors
    /// Those of `body`; a body that does not use what it is given.
    pub fn feedback(
        &mut self,
        body: impl FnOnce(&mut Builder, Signal) -> Result<Signal, String>,
    ) -> Result<Signal, String> {
        let back = self.open()?;
        let result = body(self, back)?;
        self.close(back, result)
    }

    /// Begins a loop, for those who cannot lend the builder: gives what the loop gave one frame ago.
    ///
    /// # Errors
    /// Too many loops.
    pub fn open(&mut self) -> Result<Signal, String> {
        if self.loops.len() == MOST_LOOPS {
            return Err(format!("a circuit has at most {MOST_LOOPS} loops"));
        }
        // Written as it is: no two loops are the same.
        let back = self.push(Node::Back, 1 << self.loops.len())?;
        self.loops.push(back);
        self.open.push(back);
        Ok(back)
    }

    /// Closes the loop that was opened last.
    ///
    /// # Errors
    /// It is not that one; the result does not use what the loop gives back.
    pub fn close(&mut self, back: Signal, result: Signal) -> Result<Signal, String> {
        if self.open.last() != Some(&back) {
            return Err("loops close from the inside out: this one is not the innermost".into());
        }
        let bit = self.within.get(back.index()).copied().unwrap_or(0);
        if self.within.get(result.index()).is_none_or(|within| within & bit == 0) {
            return Err(
                "feedback(|y| ...) has no way back: its result does not use y; write it without feedback".into()
            );
        }
        let within = self.of(&[result])? & !bit;
        self.open.pop();
        self.push(Node::Loop { back, result }, within)
    }

    /// A band-limited waveform; a note begins at `phase`, the part of its cycle.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn oscillator(&mut self, wave: Wave, freq: Signal, width: Signal, phase: Signal) -> Result<Signal, String> {
        if let Some(width) = self.number(width).filter(|width| wave == Wave::Pulse && !(0.01..=0.99).contains(width)) {
            return Err(format!("a pulse is up for 0.01 to 0.99 of its cycle, not {width}"));
        }
        // What a form does not use must not make two of it.
        let width = if wave == Wave::Pulse { width } else { self.constant(0.5)? };
        self.write(Node::Oscillator { wave, freq, width, phase })
    }

    /// Noise, another each time.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn noise(&mut self, colour: Colour) -> Result<Signal, String> {
        self.noises += 1;
        self.write(Node::Noise(colour, self.noises))
    }

    /// A state-variable filter.
    ///
    /// # Errors
    /// A constant frequency or q that is not above 0.
    pub fn filter(&mut self, pass: Pass, of: Signal, freq: Signal, q: Signal) -> Result<Signal, String> {
        for (name, signal) in [("frequency", freq), ("q", q)] {
            if let Some(value) = self.number(signal).filter(|value| *value <= 0.0) {
                return Err(format!("the {name} of a filter is above 0, not {value}"));
            }
        }
        self.write(Node::Filter { pass, of, freq, q })
    }

    /// An envelope, times in milliseconds and the sustain in percent.
    ///
    /// # Errors
    /// Constant times below 0 or above an hour, a constant sustain outside 0 to 100.
    pub fn envelope(
        &mut self,
        attack: Signal,
        decay: Signal,
        sustain: Signal,
        release: Signal,
    ) -> Result<Signal, String> {
        for (name, signal, most) in [
            ("attack", attack, 3.6e6),
            ("decay", decay, 3.6e6),
            ("sustain", sustain, 100.0),
            ("release", release, 3.6e6),
        ] {
            if let Some(value) = self.number(signal).filter(|value| !(0.0..=most).contains(value)) {
                return Err(format!("the {name} of an envelope is from 0 to {most}, not {value}"));
            }
        }
        self.no_gate("an envelope")?;
        self.write(Node::Envelope { attack, decay, sustain, release })
    }

    /// From 1 as a note begins, falling by 60 dB in `ms`.
    ///
    /// # Errors
    /// A constant time that is not above 0.
    pub fn decay(&mut self, ms: Signal) -> Result<Signal, String> {
        if let Some(value) = self.number(ms).filter(|value| *value <= 0.0) {
            return Err(format!("the time of decay() is above 0 ms, not {value}"));
        }
        self.no_gate("decay()")?;
        self.write(Node::Decay(ms))
    }

    /// A slow waveform of a fixed rate; for one that moves, take an oscillator.
    ///
    /// # Errors
    /// A rate that is not above 0 or more than 1000 Hz; a note's age in an effect.
    pub fn lfo(&mut self, rate: f64, wave: Wave, clock: Clock) -> Result<Signal, String> {
        if !(rate > 0.0 && rate <= 1000.0) {
            return Err(format!("the rate of an LFO is above 0 and at most 1000 Hz, not {rate}"));
        }
        if clock == Clock::Age {
            self.no_gate("an LFO of the note's age")?;
        }
        self.write(Node::Lfo { rate, wave, clock })
    }

    /// Goes after a signal, 63.2 % of the way in `ms`.
    ///
    /// # Errors
    /// A time that is not above 0.
    pub fn smooth(&mut self, x: Signal, ms: f64) -> Result<Signal, String> {
        if !(ms > 0.0 && ms.is_finite()) {
            return Err(format!("the time of smooth() is above 0 ms, not {ms}"));
        }
        self.write(Node::Smooth(x, ms))
    }

    /// `x` as it was when `when` last rose above 0.
    ///
    /// # Errors
    /// See [`Builder::unary`].
    pub fn hold(&mut self, x: Signal, when: Signal) -> Result<Signal, String> {
        self.write(Node::Hold(x, when))
    }

    /// The circuit, less what no output needs.
    ///
    /// # Errors
    /// No output or more than two; a loop that is not closed; a loop's own signal used outside it.
    pub fn finish(self, outputs: &[Signal]) -> Result<Circuit, String> {
        if !(1..=2).contains(&outputs.len()) {
            return Err(format!("a circuit gives one signal or two, [left, right], not {}", outputs.len()));
        }
        if !self.open.is_empty() {
            return Err("a loop was opened and is not closed".into());
        }
        self.of(outputs)?;
        let (inputs, outputs) = (self.inputs, outputs.to_vec());
        Ok(Circuit { inputs, nodes: self.nodes, outputs, parameters: self.parameters }.pruned())
    }

    /// The number of a constant.
    pub fn number(&self, signal: Signal) -> Option<f64> {
        match self.nodes.get(signal.index()) {
            Some(Node::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    fn no_gate(&self, what: &str) -> Result<(), String> {
        if self.inputs > 0 {
            return Err(format!("{what} goes by a note, which only the voice of a synth has"));
        }
        Ok(())
    }

    /// The number, if it is one that can be written, else the node that makes it at every frame.
    fn fold(&mut self, number: Option<f64>, node: Node) -> Result<Signal, String> {
        match number {
            Some(value) if value.is_finite() => self.write(Node::Constant(value)),
            _ => self.write(node),
        }
    }

    /// A node, or the same one that was written before.
    fn write(&mut self, node: Node) -> Result<Signal, String> {
        if let Some(found) = self.nodes.iter().position(|other| is_same(other, &node)) {
            let found = Signal(found as u32);
            self.of(&[found])?;
            return Ok(found);
        }
        let sources: Vec<Signal> = node.sources().collect();
        let within = self.of(&sources)?;
        self.push(node, within)
    }

    fn push(&mut self, node: Node, within: u64) -> Result<Signal, String> {
        if self.nodes.len() == MOST_NODES {
            return Err(format!("a circuit has at most {MOST_NODES} parts, and this one has more"));
        }
        self.nodes.push(node);
        self.within.push(within);
        Ok(Signal(self.nodes.len() as u32 - 1))
    }

    /// The loops that these signals are within, all of which have to be open.
    fn of(&self, signals: &[Signal]) -> Result<u64, String> {
        let mut within = 0;
        for signal in signals {
            within |= self.within.get(signal.index()).ok_or("this signal is of another circuit")?;
        }
        let open = |bit: usize| self.open.contains(&self.loops[bit]);
        if (0..self.loops.len()).any(|bit| within >> bit & 1 == 1 && !open(bit)) {
            return Err("the y of feedback(|y| ...) is used outside: use what feedback gives".into());
        }
        Ok(within)
    }
}

/// To the last bit: -0 is another number than 0.
fn is_same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Constant(a), Node::Constant(b)) => a.to_bits() == b.to_bits(),
        (Node::Back, _) | (Node::Loop { .. }, _) => false,
        (a, b) => a == b,
    }
}
