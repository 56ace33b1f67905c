//! Renders plans: the only code that makes sound. Live and offline use it alike, so their bits agree.

use crate::bank::{EdgeCell, WorkIo, blend, split};
use crate::compile::Program;
use crate::denormals;
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::plan::{Op, PlanEdge, PlanOutput, Slots};
use crate::probe::Probe;

/// Runs a plan, a quantum at a time, and takes the next one when it is given.
pub struct Renderer {
    program: Box<Program>,
    transport: u64,
    poisoned: Option<usize>,
    probe: Option<Box<Probe>>,
}

impl Renderer {
    /// Starts a program at frame 0. Not RT.
    pub fn new(program: Box<Program>) -> Self {
        let mut renderer = Renderer { program, transport: 0, poisoned: None, probe: None };
        renderer.aim();
        renderer
    }

    /// The same with something that can be asked about its work. Not RT.
    pub fn probed(program: Box<Program>, probe: Probe) -> Self {
        Renderer { probe: Some(Box::new(probe)), ..Renderer::new(program) }
    }

    /// What can be asked about its work. RT.
    pub fn probe(&mut self) -> Option<&mut Probe> {
        self.probe.as_deref_mut()
    }

    /// The frame that comes next. RT.
    pub fn transport(&self) -> u64 {
        self.transport
    }

    /// Goes on with another program, taking over what it carries. What ran before is in `next` afterwards, to be freed
    /// by whoever may. RT.
    pub fn exchange(&mut self, next: &mut Box<Program>) {
        std::mem::swap(&mut self.program, next);
        let Program { bank, carry, .. } = &mut *self.program;
        bank.take_over(&mut next.bank, carry);
        self.aim();
    }

    /// The number of the program that runs. RT.
    pub fn serial(&self) -> u64 {
        self.program.serial
    }

    /// Whether everything the next quantum needs is at hand. Who can wait does; who cannot gets silence for what is
    /// missing. RT.
    pub fn is_ready(&self) -> bool {
        self.program.bank.works.iter().flatten().all(|cell| cell.is_ready(self.transport))
    }

    /// Computes the next quantum. `live` is what came from the device's inputs, a buffer a channel. RT.
    pub fn quantum(&mut self, live: &[Buffer]) {
        denormals::flushed(|| self.compute(live));
        self.transport += QUANTUM as u64;
    }

    /// What the quantum gave: each output with its buffers, the lowest channels first. RT.
    pub fn outputs(&self) -> impl Iterator<Item = (&PlanOutput, &[Buffer])> {
        let slots = &self.program.bank.slots;
        self.program.plan.outputs.iter().map(|output| (output, slots.get(output.slots.range()).unwrap_or_default()))
    }

    /// What the quantum captured, in the order of the plan's captures. RT.
    pub fn captures(&self) -> impl Iterator<Item = &[Buffer]> {
        let slots = &self.program.bank.slots;
        self.program.plan.captures.iter().map(|capture| slots.get(capture.slots.range()).unwrap_or_default())
    }

    /// The program that runs. RT.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The last work whose sound was not a number, since this was last asked: it was silenced and started anew. RT.
    pub fn take_poisoned(&mut self) -> Option<usize> {
        self.poisoned.take()
    }

    fn aim(&mut self) {
        let Program { plan, bank, fade, .. } = &mut *self.program;
        for (cell, work) in bank.works.iter_mut().flatten().zip(&plan.works) {
            cell.aim(plan.goals.get(work.goals.clone()).unwrap_or_default(), work.wet, *fade);
        }
        for (ramp, wet) in bank.blends.iter_mut().zip(&plan.blends) {
            ramp.aim(*wet, *fade);
        }
        for (cell, gain) in bank.edges.iter_mut().flatten().zip(&plan.gains) {
            cell.aim(gain.goal, gain.wait, gain.fade);
        }
    }

    fn compute(&mut self, live: &[Buffer]) {
        let Program { plan, bank, serial, .. } = &mut *self.program;
        let slots = &mut bank.slots[..];
        if let Some(probe) = &mut self.probe {
            probe.begin(*serial, plan);
        }
        for (index, op) in plan.ops.iter().enumerate() {
            let begun = self.probe.as_ref().and_then(|probe| probe.meter.start());
            match *op {
                Op::LoopRead { cell, out } => {
                    if let Some(Some(cell)) = bank.loops.get(cell) {
                        cell.read(slots.get_mut(out.range()).unwrap_or_default());
                    }
                }
                Op::LoopWrite { cell, from } => {
                    if let Some(Some(cell)) = bank.loops.get_mut(cell) {
                        cell.write(slots.get(from.range()).unwrap_or_default());
                    }
                }
                Op::Mix { first, last, out } => {
                    slots.get_mut(out.range()).unwrap_or_default().iter_mut().for_each(|buffer| buffer.fill(0.0));
                    for edge in plan.edges.get(first..last).unwrap_or_default() {
                        let cell = edge.cell.and_then(|cell| bank.edges.get_mut(cell)).and_then(Option::as_deref_mut);
                        add(slots, edge, cell, out);
                    }
                }
                Op::Work { cell, input, key, out } => {
                    place_input(slots, input, out);
                    let late = plan.works.get(cell).map_or(0, |work| work.late as u64);
                    if let Some(Some(work)) = bank.works.get_mut(cell) {
                        let (audio, key) = split(slots, out, key);
                        let transport = self.transport.wrapping_sub(late);
                        if !work.process(&mut WorkIo { audio, key, live, transport }) {
                            self.poisoned = Some(cell);
                        }
                    }
                }
                Op::Blend { cell, dry, out } => {
                    if let Some(ramp) = bank.blends.get_mut(cell) {
                        let share = ramp.advance(QUANTUM);
                        let (wet, dry) = split(slots, out, dry);
                        for (channel, wet) in wet.iter_mut().enumerate() {
                            if let Some(dry) = dry.get(channel).or(dry.first()) {
                                blend(wet, dry, share);
                            }
                        }
                    }
                }
            }
            if let Some(probe) = &mut self.probe {
                probe.see(begun, index, plan, slots);
            }
        }
        if let Some(probe) = &mut self.probe {
            probe.end(plan);
        }
    }
}

/// Adds what an edge carries to `out`; one channel goes into all of them. RT.
fn add(slots: &mut [Buffer], edge: &PlanEdge, mut cell: Option<&mut EdgeCell>, out: Slots) {
    let gain = cell.as_mut().map(|cell| cell.advance());
    for channel in 0..edge.from.count {
        let Some(mut sound) = slots.get(edge.from.first + channel).copied() else { continue };
        if let Some(cell) = &mut cell {
            cell.delay(channel, &mut sound);
        }
        if let Some(gain) = gain.filter(|gain| *gain != Glide::still(1.0)) {
            sound.iter_mut().enumerate().for_each(|(i, x)| *x *= gain.at(i, QUANTUM));
        }
        let into = if edge.from.count == 1 { 0..out.count } else { channel..channel + 1 };
        for channel in into {
            if let Some(kept) = edge.capture.and_then(|capture| slots.get_mut(capture.first + channel)) {
                *kept = sound;
            }
            if let Some(sum) = slots.get_mut(out.first + channel) {
                sum.iter_mut().zip(&sound).for_each(|(sum, x)| *sum += x);
            }
        }
    }
}

/// Brings an op's input to where it works; what is there beyond it is cleared. RT.
fn place_input(slots: &mut [Buffer], input: Slots, out: Slots) {
    for channel in 0..out.count {
        let (from, to) = (input.first + channel, out.first + channel);
        if channel >= input.count {
            if let Some(buffer) = slots.get_mut(to) {
                buffer.fill(0.0);
            }
        } else if from != to {
            slots.copy_within(from..from + 1, to);
        }
    }
}
