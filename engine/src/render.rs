//! Renders plans: the only code that makes sound. Live and offline use it alike, so their bits agree.

use crate::bank::{Aim, EdgeCell, WorkIo, split};
use crate::compile::Program;
use crate::denormals;
use crate::fade::fade_frames;
use crate::keep::keep;
use crate::kernel::{Buffer, QUANTUM};
use crate::keyboard::Touch;
use crate::lane::Steering;
use crate::listen::Heard;
use crate::plan::{Op, PlanControl, PlanEdge, PlanOutput, Slots, SourceId};
use crate::probe::Probe;
use crate::tempo::Tempo;
use crate::transport::{Move, Quantum, Transport};

/// How long a jump of a control takes, in milliseconds: no number of an effect steps.
const JUMP_MS: f64 = 20.0;

/// The most frames that a program is kept waiting for its frame: one that is further off lies where the transport was before
/// it went elsewhere.
const LONGEST_WAIT: u64 = 1 << 22;

/// Runs a plan, a quantum at a time, and takes the next one when it is given.
pub struct Renderer {
    program: Box<Program>,
    transport: Transport,
    clock: u64,
    poisoned: Option<usize>,
    missing: Missing,
    /// Frames that a jump of a control is stretched to.
    jump: u32,
    probe: Option<Box<Probe>>,
}

/// Sources whose sound was not at hand in a quantum: at most as many as are told of in one.
pub type Missing = [Option<usize>; MOST_MISSING];

/// Sources that are told of when their sound is not at hand. More are silent as well, but nobody is told which.
pub const MOST_MISSING: usize = 48;

/// When a program was taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The first quantum that it rendered, by the renderer's clock.
    pub clock: u64,
    /// The frame of the transport from which on it is heard.
    pub at: u64,
    /// The frame of the renderer's clock from which on it is heard where nothing is late.
    pub heard: u64,
}

/// Where a desk is in time, between two quanta.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The frames that were rendered.
    pub clock: u64,
    /// The transport.
    pub transport: Transport,
    /// Where beats and bars lie.
    pub tempo: Tempo,
}

keep!(Moment: clock, transport, tempo);

impl Moment {
    /// The beginning, in a time.
    pub fn beginning(tempo: Tempo) -> Moment {
        Moment { clock: 0, transport: Transport::new(tempo.rate()), tempo }
    }
}

keep!(Renderer: clock, transport, program);

impl Renderer {
    /// Starts a program at frame 0. Not RT.
    pub fn new(program: Box<Program>) -> Self {
        let transport = Transport::new(program.plan.tempo.clock().rate);
        let jump = fade_frames(JUMP_MS, program.plan.tempo.clock().rate);
        let (poisoned, missing, probe) = (None, [None; MOST_MISSING], None);
        let mut renderer = Renderer { program, transport, clock: 0, poisoned, missing, jump, probe };
        renderer.begin(None, 0);
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

    /// Where it is. Not RT.
    pub fn moment(&self) -> Moment {
        Moment { clock: self.clock, transport: self.transport, tempo: self.program.plan.tempo.clone() }
    }

    /// The frame of the transport that comes next. RT.
    pub fn transport(&self) -> u64 {
        self.transport.frame()
    }

    /// Whether the transport goes on. RT.
    pub fn is_rolling(&self) -> bool {
        self.transport.is_rolling()
    }

    /// The frames that were rendered: what recordings and journals count in. RT.
    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// Whether a program that was given is to be taken up at the next quantum: the one in which it is to be heard, or sooner
    /// if it takes time to prepare. One that waits for a frame which the transport will not come to is taken up as well. RT.
    pub fn is_due(&self, next: &Program) -> bool {
        let (now, quantum) = (self.transport(), QUANTUM as u64);
        let wait = next.at.map_or(0, |at| at.saturating_sub(now));
        !self.is_rolling() || wait < quantum + u64::from(next.lead) || wait > LONGEST_WAIT
    }

    /// Goes on with another program, taking over what it carries. What ran before is in `next` afterwards, to be freed
    /// by whoever may. RT.
    pub fn exchange(&mut self, next: &mut Box<Program>) -> Taken {
        std::mem::swap(&mut self.program, next);
        let now = self.transport();
        let wait = self.program.at.map_or(0, |at| at.saturating_sub(now));
        let wait = if self.is_rolling() && wait <= LONGEST_WAIT { wait } else { 0 };
        let Program { bank, carry, .. } = &mut *self.program;
        bank.take_over(&mut next.bank, carry, now + wait);
        self.begin(Some(next), wait as u32);
        Taken { clock: self.clock, at: now + wait, heard: self.clock + wait }
    }

    /// The number of the program that runs. RT.
    pub fn serial(&self) -> u64 {
        self.program.serial
    }

    /// Gives the transport an order. RT.
    pub fn order(&mut self, order: Move) {
        self.transport.order(order);
    }

    /// Something came from outside, for every control that listens to it. RT.
    pub fn hear(&mut self, source: SourceId, value: f64) {
        let at = self.transport() as i64;
        let Program { plan, bank, .. } = &mut *self.program;
        let states = bank.motions.iter_mut().zip(bank.heard.iter_mut());
        for (planned, (state, heard)) in plan.motions.iter().zip(states) {
            if planned.source == Some(source) {
                *heard |= planned.motion.hear(state, value, at);
            }
        }
    }

    /// What is done to a keyboard, for every instrument that it plays. RT.
    pub fn touch(&mut self, keyboard: SourceId, touch: Touch) {
        self.program.bank.works.iter_mut().flatten().for_each(|cell| cell.touch(keyboard, touch));
    }

    /// Whether everything the next quantum needs is at hand. Who can wait does; who cannot gets silence for what is
    /// missing. RT.
    pub fn is_ready(&self) -> bool {
        let bank = &self.program.bank;
        let works = |frame: u64| bank.works.iter().flatten().all(|cell| cell.is_ready(frame));
        let mut scores = bank.scores.iter().flatten();
        match self.transport.goes_to() {
            Some(frame) => works(frame) && scores.all(|score| score.will_be_ready(frame)),
            None if self.transport.is_open() => {
                works(self.transport()) && scores.all(|score| score.is_ready(self.transport()))
            }
            None => true,
        }
    }

    /// Computes the next quantum. `live` is what came from the device's inputs, a buffer a channel. RT.
    pub fn quantum(&mut self, live: &[Buffer]) {
        self.quantum_without(live, &[]);
    }

    /// The same with some sources silent, by the indices of their works: as if their sound were not at hand. RT.
    pub fn quantum_without(&mut self, live: &[Buffer], silent: &[usize]) {
        self.missing = [None; MOST_MISSING];
        if self.transport.turn() {
            self.program.bank.forget();
        }
        denormals::flushed(|| self.compute(live, silent));
        self.program.bank.heard.fill(false);
        self.transport.advance();
        self.clock += QUANTUM as u64;
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

    /// Lets what is metered read the quantum. RT.
    pub fn meter(&mut self) {
        if let Some(mut meters) = self.program.meters.take() {
            meters.take(self);
            self.program.meters = Some(meters);
        }
    }

    /// What the quantum gave in some buffers that are kept to its end. RT.
    #[inline(always)]
    pub(crate) fn sound(&self, slots: Slots) -> &[Buffer] {
        self.program.bank.slots.get(slots.range()).unwrap_or_default()
    }

    /// Passes on what the quantum gave where somebody listens. RT.
    pub fn copy_heard(&mut self, frame: u64) {
        if let Some(mut copier) = self.program.copier.take() {
            copier.take(frame, self);
            self.program.copier = Some(copier);
        }
    }

    /// What the quantum gave where somebody listens, and by how many dB it was turned down there, in the order of the plan's
    /// points. RT.
    pub fn heard(&self) -> impl Iterator<Item = (&Heard, &[Buffer], f64)> {
        let heard = self.program.plan.heard.iter();
        heard.map(|point| (point, self.sound(point.slots), self.reduced(point.work)))
    }

    /// By how many dB a work, if it is one that tells, turned down at most in the quantum. RT.
    pub(crate) fn reduced(&self, work: Option<usize>) -> f64 {
        let work = work.and_then(|at| self.program.bank.works.get(at)?.as_ref());
        work.map_or(0.0, |work| work.reduced())
    }

    /// What the quantum gave where it is heard ahead. RT.
    pub fn ahead(&self) -> &[Buffer] {
        let heard = self.program.plan.cue.as_ref().and_then(|cue| cue.heard.as_ref());
        heard.map_or(&[], |point| self.sound(point.slots))
    }

    /// Begins at a frame of the transport, to the quantum. Not RT.
    pub(crate) fn locate(&mut self, frame: u64) {
        self.transport.go_to(frame);
    }

    /// Goes along with another renderer from the next quantum on, as if it had gone there. RT.
    pub fn join(&mut self, other: &Renderer) {
        self.transport.join(&other.transport);
    }

    /// The program that runs. RT.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The last work whose sound was not a number, since this was last asked: it was silenced and is passed by. RT.
    pub fn take_poisoned(&mut self) -> Option<usize> {
        self.poisoned.take()
    }

    /// The works whose sound was not at hand in the last quantum. RT.
    pub fn missing(&self) -> Missing {
        self.missing
    }

    /// Sets out for what the program says, `wait` frames from now and later wherever sound is late; `old` is what ran before.
    /// RT.
    fn begin(&mut self, old: Option<&Program>, wait: u32) {
        let at = self.transport() as i64 + i64::from(wait);
        let clock = self.clock;
        let Program { plan, bank, carry, fade, .. } = &mut *self.program;
        let (plan, fade) = (&*plan, *fade);
        // Carried states come in the order of the new plan.
        let mut carried = carry.motions.iter().peekable();
        for (i, (state, planned)) in bank.motions.iter_mut().zip(&plan.motions).enumerate() {
            let before = carried.next_if(|(_, to)| *to == i).and_then(|(from, _)| old?.plan.motions.get(*from));
            match before {
                Some(before) if before.version == planned.version => {}
                Some(before) => {
                    let now = before.motion.value(state, &plan.tempo, at);
                    *state = planned.motion.renew(&before.motion, state, now, at, &plan.tempo);
                }
                None => *state = planned.motion.begin(at, &plan.tempo),
            }
        }
        let motions = &plan.motions[..];
        let aim = |goals, wet, controls, late: usize| {
            let wait = wait.saturating_add(late as u32);
            Aim { goals, wet, controls, motions, wait, fade }
        };
        for (cell, work) in bank.works.iter_mut().flatten().zip(&plan.works) {
            let goals = plan.goals.get(work.goals.clone()).unwrap_or_default();
            cell.hand(work.keyboard);
            cell.aim(&aim(goals, work.wet, &work.controls[..], work.late));
        }
        for (cell, blend) in bank.blends.iter_mut().flatten().zip(&plan.blends) {
            cell.aim(&aim(&[], blend.wet, &blend.controls, blend.late));
        }
        for (cell, gain) in bank.edges.iter_mut().flatten().zip(&plan.gains) {
            let least = wait.max(gain.due.left(clock)).saturating_add(gain.late as u32);
            cell.aim(gain.goal, least, gain.fade, &aim(&[], 1.0, &gain.controls, gain.late));
        }
    }

    fn compute(&mut self, live: &[Buffer], silent: &[usize]) {
        let Program { plan, bank, serial, .. } = &mut *self.program;
        let (now, open) = (self.transport.frame(), self.transport.is_open());
        let gate = self.transport.gate();
        let (slots, restless) = (&mut bank.slots[..], bank.restless);
        let (rolling, moved) = (self.transport.is_rolling(), self.transport.has_moved());
        let (motions, states, heard, fade) = (&plan.motions[..], &bank.motions[..], &bank.heard[..], self.jump);
        let leaves_for = self.transport.leaves_for();
        let steering = |late: usize| Steering {
            motions,
            states,
            heard,
            tempo: &plan.tempo,
            frame: now as i64 - late as i64,
            rolling,
            moved,
            fade,
        };
        let followed = &mut bank.followed[..];
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
                        let gain = edge.cell.and_then(|index| {
                            let cell = bank.edges.get_mut(index)?.as_deref_mut()?;
                            let planned = plan.gains.get(index)?;
                            Some((cell.advance(planned.controls.first(), &steering(planned.late)), cell))
                        });
                        add(slots, edge, gain, out);
                    }
                }
                Op::Work { cell, input, key, out } => {
                    place_input(slots, input, out);
                    let (Some(work), Some(Some(running))) = (plan.works.get(cell), bank.works.get_mut(cell)) else {
                        continue;
                    };
                    let transport = now.wrapping_sub(work.late as u64);
                    if let Some(Some(score)) = work.score.filter(|_| moved).and_then(|score| bank.scores.get_mut(score))
                    {
                        score.jump(transport);
                    }
                    if work.on_transport {
                        // What was placed is silence: nothing flows into a source.
                        if !open || silent.contains(&cell) {
                            continue;
                        }
                    }
                    let plays = open && !silent.contains(&cell);
                    let score = work.score.and_then(|score| bank.scores.get_mut(score)?.as_deref_mut());
                    // Asked for while it stands still as well, so that it is at hand when it goes on.
                    let is_ready = score.as_ref().is_none_or(|score| score.is_ready(transport));
                    if let (Some(score), Some(frame)) = (&score, leaves_for) {
                        score.make_ready(frame);
                    }
                    let mut score = score.filter(|_| plays);
                    if work.on_transport && !running.is_ready(transport) || plays && !is_ready {
                        if let Some(free) = self.missing.iter_mut().find(|missing| missing.is_none()) {
                            *free = Some(cell);
                        }
                        // What hands play goes on.
                        score = None;
                        if work.on_transport {
                            continue;
                        }
                    }
                    follow(slots, followed, &work.controls);
                    let (audio, key) = split(slots, out, key);
                    let (controls, steering) = (&work.controls[..], steering(work.late));
                    let score = score.map(|score| score.turned(transport));
                    let mut io = WorkIo { audio, key, score, live, transport, controls, followed, steering, restless };
                    if !running.process(&mut io) {
                        self.poisoned = Some(cell);
                    }
                    if work.on_transport && !gate.is_unity() {
                        io.audio.iter_mut().for_each(|buffer| gate.scale(buffer));
                    }
                }
                Op::Blend { cell, dry, out } => {
                    if let (Some(Some(running)), Some(blend)) = (bank.blends.get_mut(cell), plan.blends.get(cell)) {
                        follow(slots, followed, &blend.controls);
                        let (wet, dry) = split(slots, out, dry);
                        running.process(wet, dry, blend.controls.first(), followed, &steering(blend.late));
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
        let voice = self.transport.voice();
        if !voice.is_unity() {
            for (i, output) in plan.outputs.iter().enumerate() {
                let again = plan.outputs[..i].iter().any(|earlier| earlier.slots == output.slots);
                if !again {
                    slots.get_mut(output.slots.range()).unwrap_or_default().iter_mut().for_each(|b| voice.scale(b));
                }
            }
        }
    }
}

/// Keeps what controls follow where the op that they steer does not write. RT.
fn follow(slots: &[Buffer], followed: &mut [Buffer], controls: &[PlanControl]) {
    for control in controls {
        if let (Some(heard), Some(at)) = (control.heard, control.followed)
            && let (Some(buffer), Some(kept)) = (slots.get(heard.first), followed.get_mut(at))
        {
            *kept = *buffer;
        }
    }
}

/// Adds what an edge carries to `out`; one channel goes into all of them. RT.
fn add(slots: &mut [Buffer], edge: &PlanEdge, mut passed: Option<(Quantum, &mut EdgeCell)>, out: Slots) {
    for channel in 0..edge.from.count {
        let Some(mut sound) = slots.get(edge.from.first + channel).copied() else { continue };
        if let Some((gain, cell)) = &mut passed {
            cell.delay(channel, &mut sound);
            gain.scale(&mut sound);
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
