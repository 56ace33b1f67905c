//! Renders plans: the only code that makes sound. Live and offline use it alike, so their bits agree.

mod parts;
mod pass;

use crate::bank::Aim;
use crate::compile::Program;
use crate::denormals;
use crate::fade::fade_frames;
use crate::keep::keep;
use crate::kernel::{Buffer, QUANTUM};
use crate::keyboard::Touch;
use crate::lane::Steering;
use crate::listen::Heard;
use crate::plan::{PlanOutput, Slots, SourceId};
use crate::probe::Probe;
use crate::tempo::Tempo;
use crate::transport::{Move, Transport};
pub(crate) use parts::{Part, places, widths};
use pass::Pass;

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

    /// Has it answer a probe, or none any more. Not RT.
    pub(crate) fn ask(&mut self, probe: Option<Probe>) {
        self.probe = probe.map(Box::new);
    }

    /// Lets nothing rest, or again what can. Sound does not depend on it. Not RT.
    pub(crate) fn be_restless(&mut self, restless: bool) {
        self.program.bank.restless = restless;
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
        let mut scores = bank.scores.iter().flatten();
        match self.transport.goes_to() {
            Some(frame) => bank.is_ready(frame) && scores.all(|score| score.will_be_ready(frame)),
            None if self.transport.is_open() => {
                bank.is_ready(self.transport()) && scores.all(|score| score.is_ready(self.transport()))
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
        if let Some(probe) = &mut self.probe {
            probe.begin(*serial, plan);
        }
        // The gate may close with this quantum, which is still heard.
        let is_open = self.transport.is_open();
        let gate = self.transport.gate();
        let transport = &self.transport;
        let steering = Steering {
            motions: &plan.motions,
            states: &bank.motions,
            heard: &bank.heard,
            tempo: &plan.tempo,
            frame: transport.frame() as i64,
            rolling: transport.is_rolling(),
            moved: transport.has_moved(),
            fade: self.jump,
        };
        let mut pass = Pass {
            plan,
            steering,
            is_open,
            gate,
            leaves_for: transport.leaves_for(),
            live,
            silent,
            restless: bank.restless,
            works: &mut bank.works,
            scores: &mut bank.scores,
            edges: &mut bank.edges,
            blends: &mut bank.blends,
            loops: &mut bank.loops,
            followed: &mut bank.followed,
            slots: &mut bank.slots,
            abreast: &mut bank.abreast,
            interleaved: &mut bank.interleaved,
            spare: &mut bank.spare,
            is_looked_at: self.probe.as_ref().is_some_and(|probe| probe.is_looking()),
            missing: &mut self.missing,
            poisoned: &mut self.poisoned,
        };
        let mut ranks = if bank.one_by_one { &[][..] } else { &plan.ranks[..] }.iter().enumerate().peekable();
        let mut index = 0;
        while let Some(op) = plan.ops.get(index) {
            let begun = self.probe.as_ref().and_then(|probe| probe.meter.start());
            let done = match ranks.next_if(|(_, rank)| rank.ops.start == index) {
                Some((at, rank)) => {
                    pass.rank(at, rank);
                    rank.ops.clone()
                }
                None => {
                    pass.op(op);
                    index..index + 1
                }
            };
            index = done.end.max(index + 1);
            if let Some(probe) = &mut self.probe {
                probe.see(begun, done, plan, pass.slots);
            }
        }
        if let Some(probe) = &mut self.probe {
            probe.end(plan);
        }
        let voice = self.transport.voice();
        if !voice.is_unity() {
            let slots = &mut self.program.bank.slots;
            for (i, output) in self.program.plan.outputs.iter().enumerate() {
                let again = self.program.plan.outputs[..i].iter().any(|earlier| earlier.slots == output.slots);
                if !again {
                    slots.get_mut(output.slots.range()).unwrap_or_default().iter_mut().for_each(|b| voice.scale(b));
                }
            }
        }
    }
}
