//! The bank: every bit of state that sound depends on, in cells that a plan points to by index.
//!
//! A bank is built off the audio thread. Cells whose state is carried over are left empty in it and are exchanged for the
//! running ones at the swap, by index pairs found beforehand.

use crate::delay_line::DelayLine;
use crate::fade::Ramp;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::parameter::{Kind, Law, Parameter, Recipe};
use crate::plan::Slots;
use crate::session::TableRef;

/// All state of a running plan.
#[derive(Default)]
pub struct Bank {
    /// Effects and sources.
    pub works: Vec<Option<Box<WorkCell>>>,
    /// Gains and delays of edges.
    pub edges: Vec<Option<Box<EdgeCell>>>,
    /// Wet shares of composed effects.
    pub blends: Vec<Ramp>,
    /// Lines of feedback loops.
    pub loops: Vec<Option<Box<LoopCell>>>,
    /// The buffers that ops work on.
    pub slots: Vec<Buffer>,
}

/// Which cells of the running bank go on in the next: pairs of indices, old and new.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    /// Of [`Bank::works`].
    pub works: Vec<(usize, usize)>,
    /// Of [`Bank::edges`].
    pub edges: Vec<(usize, usize)>,
    /// Of [`Bank::blends`].
    pub blends: Vec<(usize, usize)>,
    /// Of [`Bank::loops`].
    pub loops: Vec<(usize, usize)>,
}

impl Bank {
    /// Takes over from the running bank what goes on. RT.
    pub fn take_over(&mut self, old: &mut Bank, carry: &Carry) {
        exchange(&mut old.works, &mut self.works, &carry.works);
        exchange(&mut old.edges, &mut self.edges, &carry.edges);
        exchange(&mut old.blends, &mut self.blends, &carry.blends);
        exchange(&mut old.loops, &mut self.loops, &carry.loops);
    }
}

fn exchange<T>(old: &mut [T], new: &mut [T], pairs: &[(usize, usize)]) {
    for &(from, to) in pairs {
        if let (Some(a), Some(b)) = (old.get_mut(from), new.get_mut(to)) {
            std::mem::swap(a, b);
        }
    }
}

/// What a work does in one quantum, besides its own state.
pub struct WorkIo<'a> {
    /// The buffers it works on; the input is in the first of them.
    pub audio: &'a mut [Buffer],
    /// What steers it.
    pub key: &'a [Buffer],
    /// The device's inputs.
    pub live: &'a [Buffer],
    /// The transport frame of the first frame, at the op: what flows here is this old. Wrapped round below 0.
    pub transport: u64,
}

/// A kernel with the numbers that glide, and its wet and dry.
pub struct WorkCell {
    kernel: Box<dyn Kernel>,
    laws: Box<[Law]>,
    ramps: Box<[Ramp]>,
    goals: Box<[f64]>,
    glides: Box<[Glide]>,
    wet: Ramp,
    channels: (usize, usize),
    /// How many of the channels that leave the kernel fills: the dry side may have more.
    made: usize,
    dry: Box<[Buffer]>,
    waiting: Box<[DelayLine]>,
    latency: usize,
}

impl WorkCell {
    /// Builds a kernel that starts at the recipe's values. Not RT.
    pub fn new(
        table: TableRef,
        parameters: impl Iterator<Item = &'static Parameter>,
        recipe: &Recipe,
        wet: f64,
        out: usize,
    ) -> Self {
        let latency = (table.0.latency)(recipe);
        let laws: Box<[Law]> = parameters.map(law).collect();
        let ramps = recipe.values.iter().zip(&laws).map(|(value, law)| Ramp::still(bend(*law, *value))).collect();
        let lines = if latency > 0 { recipe.channels } else { 0 };
        WorkCell {
            kernel: (table.0.kernel)(recipe),
            ramps,
            goals: recipe.values.clone().into_boxed_slice(),
            glides: recipe.values.iter().map(|value| Glide::still(*value)).collect(),
            laws,
            wet: Ramp::still(wet),
            channels: (recipe.channels, out),
            made: (table.0.channels)(recipe).map_or(out, |made| made.min(out)),
            dry: vec![[0.0; QUANTUM]; recipe.channels].into_boxed_slice(),
            waiting: (0..lines).map(|_| DelayLine::new(latency)).collect(),
            latency,
        }
    }

    /// Sets out for new values, to arrive in `fade` frames. RT.
    pub fn aim(&mut self, goals: &[f64], wet: f64, fade: u32) {
        for (((ramp, own), law), goal) in self.ramps.iter_mut().zip(self.goals.iter_mut()).zip(&self.laws).zip(goals) {
            ramp.aim(bend(*law, *goal), if *law == Law::Own { 0 } else { fade });
            *own = *goal;
        }
        self.wet.aim(wet, fade);
    }

    /// Whether the sound of this quantum is at hand. RT.
    pub fn is_ready(&self, transport: u64) -> bool {
        self.kernel.is_ready(transport)
    }

    /// Does the work of one quantum; says whether it came out as finite numbers. What did not is silenced, and the kernel
    /// starts anew. RT.
    pub fn process(&mut self, io: &mut WorkIo<'_>) -> bool {
        let (ins, outs) = self.channels;
        for (((glide, ramp), law), goal) in
            self.glides.iter_mut().zip(self.ramps.iter_mut()).zip(&self.laws).zip(&self.goals)
        {
            let way = ramp.advance(QUANTUM);
            // Arrived, it is the goal to the last bit, which a way through logarithms would miss.
            let to = if ramp.is_still() { *goal } else { unbend(*law, way.to) };
            let from = if *law == Law::Own { to } else { glide.to };
            *glide = Glide { from, to };
        }
        let wet = self.wet.advance(QUANTUM);
        let keep_dry = ins > 0 && !(wet.is_still() && wet.to == 1.0);
        for (channel, buffer) in io.audio.iter().take(ins).enumerate() {
            if let Some(line) = self.waiting.get_mut(channel) {
                for (kept, x) in self.dry[channel].iter_mut().zip(buffer) {
                    *kept = line.delay(*x, self.latency);
                }
            } else if keep_dry {
                self.dry[channel] = *buffer;
            }
        }
        self.kernel.process(&mut Io {
            audio: io.audio,
            channels_in: ins,
            key: io.key,
            live: io.live,
            frames: 0..QUANTUM,
            values: &self.glides,
            transport: io.transport,
        });
        if let Some((made, others)) = io.audio.get_mut(..outs).and_then(|all| all.split_at_mut_checked(self.made))
            && let Some(first) = made.first()
        {
            others.iter_mut().for_each(|buffer| *buffer = *first);
        }
        let mut finite = true;
        for buffer in io.audio.iter_mut().take(outs) {
            // A sum is finite only if all its terms are, and costs no branch for each.
            finite &= buffer.iter().map(|x| x * 0.0).sum::<f64>() == 0.0;
        }
        if !finite {
            self.kernel.reset();
            io.audio.iter_mut().for_each(|buffer| buffer.fill(0.0));
        }
        if keep_dry {
            for (channel, buffer) in io.audio.iter_mut().take(outs).enumerate() {
                if let Some(dry) = self.dry.get(channel).or(self.dry.first()) {
                    blend(buffer, dry, wet);
                }
            }
        }
        finite
    }
}

/// `(1-g) dry + g wet`: exactly the dry at 0, the wet at 1. RT.
pub fn blend(wet: &mut Buffer, dry: &Buffer, share: Glide) {
    for (i, (x, dry)) in wet.iter_mut().zip(dry).enumerate() {
        let g = share.at(i, QUANTUM);
        *x = if g == 0.0 { *dry } else { (1.0 - g) * dry + g * *x };
    }
}

fn law(parameter: &Parameter) -> Law {
    match parameter.kind {
        Kind::Number { .. } if parameter.fixed => Law::Own,
        Kind::Number { law, .. } => law,
        _ => Law::Own,
    }
}

/// The value as it glides evenly. Off is no frequency: it is taken as 0 octaves and jumps.
fn bend(law: Law, value: f64) -> f64 {
    match law {
        Law::Octaves if value > 0.0 => math::ln(value),
        _ => value,
    }
}

fn unbend(law: Law, bent: f64) -> f64 {
    match law {
        Law::Octaves => math::exp(bent),
        _ => bent,
    }
}

/// The gain and delay of one edge.
pub struct EdgeCell {
    gain: Ramp,
    wait: u32,
    aimed: (f64, u32),
    delay: usize,
    lines: Box<[DelayLine]>,
}

impl EdgeCell {
    /// An edge at a gain. Not RT.
    pub fn new(gain: f64, delay: usize, channels: usize) -> Self {
        let lines = if delay > 0 { channels } else { 0 };
        let lines = (0..lines).map(|_| DelayLine::new(delay)).collect();
        EdgeCell { gain: Ramp::still(gain), wait: 0, aimed: (gain, 0), delay, lines }
    }

    /// Sets out for a gain after `wait` frames, to arrive in `fade` more. Aiming where it already aims changes nothing.
    /// RT.
    pub fn aim(&mut self, goal: f64, wait: u32, fade: u32) {
        if goal != self.aimed.0 {
            self.aimed = (goal, fade);
            self.wait = wait;
        }
    }

    /// The gain over the next quantum. Waits are counted in whole quanta, and so never end early. RT.
    pub fn advance(&mut self) -> Glide {
        if self.wait > 0 {
            self.wait = self.wait.saturating_sub(QUANTUM as u32);
        } else {
            self.gain.aim(self.aimed.0, self.aimed.1);
        }
        self.gain.advance(QUANTUM)
    }

    /// Lets one channel's quantum wait its time. RT.
    pub fn delay(&mut self, channel: usize, sound: &mut Buffer) {
        if let Some(line) = self.lines.get_mut(channel) {
            sound.iter_mut().for_each(|x| *x = line.delay(*x, self.delay));
        }
    }
}

/// The line of a feedback loop.
pub struct LoopCell {
    lines: Box<[DelayLine]>,
    delay: usize,
}

impl LoopCell {
    /// A silent loop of `delay` frames, at least a quantum. Not RT.
    pub fn new(delay: usize, channels: usize) -> Self {
        LoopCell { lines: (0..channels).map(|_| DelayLine::new(delay)).collect(), delay }
    }

    /// What comes round in this quantum, before what goes in is written. RT.
    pub fn read(&self, out: &mut [Buffer]) {
        for (buffer, line) in out.iter_mut().zip(&self.lines) {
            for (i, y) in buffer.iter_mut().enumerate() {
                // The newest frame is 0 ago once written; frame i of this quantum is written i + 1 steps from now.
                *y = line.read(self.delay - i - 1);
            }
        }
    }

    /// What goes in. RT.
    pub fn write(&mut self, from: &[Buffer]) {
        for (line, buffer) in self.lines.iter_mut().zip(from) {
            buffer.iter().for_each(|x| line.write(*x));
        }
    }
}

/// Splits buffers into those an op changes and one run that it reads. RT.
pub fn split(slots: &mut [Buffer], change: Slots, read: Slots) -> (&mut [Buffer], &[Buffer]) {
    if read.count == 0 {
        return (slots.get_mut(change.range()).unwrap_or_default(), &[]);
    }
    if read.first >= change.first + change.count {
        let (low, high) = slots.split_at_mut(read.first);
        (low.get_mut(change.range()).unwrap_or_default(), high.get(..read.count).unwrap_or_default())
    } else {
        let (low, high) = slots.split_at_mut(change.first);
        (high.get_mut(..change.count).unwrap_or_default(), low.get(read.range()).unwrap_or_default())
    }
}
