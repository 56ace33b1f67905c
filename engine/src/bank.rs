//! The bank: every bit of state that sound depends on, in cells that a plan points to by index.
//!
//! A bank is built off the audio thread. Cells whose state is carried over are left empty in it and are exchanged for the
//! running ones at the swap, by index pairs found beforehand.

use std::ops::Range;

use crate::abreast::{Abreast, Interleaved};
use crate::delay_line::DelayLine;
use crate::fade::Ramp;
use crate::graph::Controlled;
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::keyboard::Touch;
use crate::lane::{Lane, Steering};
use crate::motion::State;
use crate::parameter::{Parameter, Recipe};
use crate::plan::{PlanControl, PlanMotion, Slots, SourceId};
use crate::rest::{Rest, is_silent};
use crate::score::ScoreCell;
use crate::session::TableRef;
use crate::sources;
use crate::transport::Quantum;
use crate::wide::is_finite;

mod abreast;
mod edges;

pub use abreast::Fell;
pub use edges::{BlendCell, EdgeCell, LoopCell};

/// All state of a running plan.
#[derive(Default)]
pub struct Bank {
    /// Effects and sources.
    pub works: Vec<Option<Box<WorkCell>>>,
    /// Which of them are sources: only those ever wait for their sound.
    pub sources: Vec<usize>,
    /// Gains and delays of edges.
    pub edges: Vec<Option<Box<EdgeCell>>>,
    /// Wet shares of composed effects.
    pub blends: Vec<Option<Box<BlendCell>>>,
    /// Lines of feedback loops.
    pub loops: Vec<Option<Box<LoopCell>>>,
    /// What instruments play.
    pub scores: Vec<Option<Box<ScoreCell>>>,
    /// Where every control is.
    pub motions: Vec<State>,
    /// Which controls have been told another value since the last quantum.
    pub heard: Vec<bool>,
    /// What controls follow, while the op that they steer runs.
    pub followed: Vec<Buffer>,
    /// The buffers that ops work on.
    pub slots: Vec<Buffer>,
    /// No work is let rest: to prove that rest changes no bit.
    pub restless: bool,
    /// The works that go abreast, as the plan's ranks say.
    pub abreast: Vec<Abreast>,
    /// What they work on.
    pub interleaved: Vec<Interleaved>,
    /// Where they keep what is nobody else's business.
    pub spare: Interleaved,
    /// None of them go abreast: to prove that it changes no bit.
    pub one_by_one: bool,
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
    /// Of [`Bank::scores`].
    pub scores: Vec<(usize, usize)>,
    /// Of [`Bank::scores`] as well: those that others take the place of.
    pub succeeded: Vec<(usize, usize)>,
    /// Of [`Bank::motions`].
    pub motions: Vec<(usize, usize)>,
}

impl Bank {
    /// Whether what sources give in the quantum at a frame of the transport is at hand. RT.
    pub fn is_ready(&self, transport: u64) -> bool {
        let mut sources = self.sources.iter().filter_map(|cell| self.works.get(*cell)?.as_ref());
        sources.all(|cell| cell.is_ready(transport))
    }

    /// Takes over from the running bank what goes on; what is changed of scores is played from a frame of the transport on. RT.
    pub fn take_over(&mut self, old: &mut Bank, carry: &Carry, at: u64) {
        old.disband();
        exchange(&mut old.works, &mut self.works, &carry.works);
        exchange(&mut old.edges, &mut self.edges, &carry.edges);
        exchange(&mut old.blends, &mut self.blends, &carry.blends);
        exchange(&mut old.loops, &mut self.loops, &carry.loops);
        exchange(&mut old.scores, &mut self.scores, &carry.scores);
        for &(from, to) in &carry.succeeded {
            if let (Some(Some(old)), Some(Some(new))) = (old.scores.get_mut(from), self.scores.get_mut(to)) {
                new.succeed(old, at);
            }
        }
        // One may go on in two: as the text has it now, and as it had it until its frame.
        for &(from, to) in &carry.motions {
            if let (Some(state), Some(goes_on)) = (old.motions.get(from), self.motions.get_mut(to)) {
                *goes_on = *state;
            }
        }
    }

    /// Forgets all sound, as if new. RT.
    pub fn forget(&mut self) {
        self.disband();
        self.works.iter_mut().flatten().for_each(|cell| cell.forget());
        self.edges.iter_mut().flatten().for_each(|cell| cell.forget());
        self.loops.iter_mut().flatten().for_each(|cell| cell.forget());
    }
}

/// The cells of a bank that runs, and so has all of them. The buffers are written in each quantum before they are read.
impl Keep for Bank {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.disband();
        keep_cells(&mut self.works, ledger);
        keep_cells(&mut self.edges, ledger);
        keep_cells(&mut self.blends, ledger);
        keep_cells(&mut self.loops, ledger);
        keep_cells(&mut self.scores, ledger);
    }
}

fn keep_cells<T: Keep>(cells: &mut [Option<Box<T>>], ledger: &mut Ledger) {
    ledger.exactly(cells.iter().flatten().count());
    cells.iter_mut().flatten().for_each(|cell| cell.keep(ledger));
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
    /// What it plays, if it is an instrument.
    pub score: Option<&'a mut ScoreCell>,
    /// The device's inputs.
    pub live: &'a [Buffer],
    /// The transport frame of the first frame, at the op: what flows here is this old. Wrapped round below 0.
    pub transport: u64,
    /// The controls that move its numbers.
    pub controls: &'a [PlanControl],
    /// What those that follow a signal hear, as the plan numbers it.
    pub followed: &'a [Buffer],
    /// What moves them.
    pub steering: Steering<'a>,
    /// Whether it has to work even if it could rest.
    pub restless: bool,
}

/// How a work is to go on when a program is taken up.
#[derive(Clone, Copy)]
pub struct Aim<'a> {
    /// The numbers, as the laws say.
    pub goals: &'a [f64],
    /// Wet against dry, 0 to 1.
    pub wet: f64,
    /// The controls that move some of them, and what they move by.
    pub controls: &'a [PlanControl],
    /// The versions of all that moves.
    pub motions: &'a [PlanMotion],
    /// Frames to wait before anything changes.
    pub wait: u32,
    /// Frames that a change takes.
    pub fade: u32,
}

/// A kernel with the numbers that glide, and its wet and dry.
pub struct WorkCell {
    kernel: Box<dyn Kernel>,
    lanes: Box<[Lane]>,
    glides: Box<[Glide]>,
    wet: Lane,
    /// Whether no number moves, and the glides stand where the lanes do.
    settled: bool,
    /// What the text says, so that what it says anew is noticed.
    goals: Box<[f64]>,
    is_new: bool,
    /// Once it gave what is no number: how much of the dry side is heard in its place.
    poisoned: Option<Ramp>,
    /// How much of the kernel is heard when it is tried again, rather than of the dry side.
    trusted: Ramp,
    channels: (usize, usize),
    /// How many of the channels that leave the kernel fills: the dry side may have more.
    made: usize,
    dry: Box<[Buffer]>,
    waiting: Box<[DelayLine]>,
    latency: usize,
    /// By how many dB it turned down at most in its last quantum of work.
    reduced: f64,
    rest: Rest,
    /// Whether sound comes to it in no other way than through its input and its key.
    only_passes: bool,
    /// The keyboard that plays it.
    keyboard: Option<SourceId>,
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
        let lanes = parameters.zip(&recipe.values).map(|(parameter, value)| Lane::new(parameter, *value)).collect();
        let lines = if latency > 0 { recipe.channels } else { 0 };
        let mut kernel = sources::kernel(table.0, recipe);
        WorkCell {
            rest: Rest::new(|ledger| kernel.keep(ledger)),
            // What names channels takes from devices, if something flows in besides.
            only_passes: recipe.channels > 0 && !table.0.names_channels(),
            kernel,
            lanes,
            glides: recipe.values.iter().map(|value| Glide::still(*value)).collect(),
            wet: Lane::share(wet),
            settled: false,
            goals: recipe.values.clone().into_boxed_slice(),
            is_new: true,
            poisoned: None,
            trusted: Ramp::still(1.0),
            channels: (recipe.channels, out),
            made: (table.0.channels)(recipe).map_or(out, |made| made.min(out)),
            dry: vec![[0.0; QUANTUM]; recipe.channels].into_boxed_slice(),
            waiting: (0..lines).map(|_| DelayLine::new(latency)).collect(),
            latency,
            reduced: 0.0,
            keyboard: None,
        }
    }

    /// Sets out for what a program says. What was poisoned is tried again when its numbers are other ones. RT.
    pub fn aim(&mut self, aim: &Aim<'_>) {
        self.rest.wake();
        self.settled = false;
        let is_new = std::mem::replace(&mut self.is_new, false);
        let heals = self.poisoned.is_some() && self.goals.iter().ne(aim.goals);
        let (aim, heard) = match heals {
            // Nobody hears it, and on the way from numbers that it could not bear it would fall ill again.
            true => (&Aim { wait: 0, fade: 0, ..*aim }, aim),
            false => (aim, aim),
        };
        let lanes = self.lanes.iter_mut().zip(aim.goals).enumerate();
        for (i, (lane, goal)) in lanes {
            turn(lane, Controlled::Value(i), *goal, aim, is_new);
        }
        turn(&mut self.wet, Controlled::Wet, aim.wet, aim, is_new);
        if self.goals.iter().ne(aim.goals) {
            self.goals.iter_mut().zip(aim.goals).for_each(|(own, goal)| *own = *goal);
        }
        if heals {
            self.poisoned = None;
            self.trusted = Ramp::still(0.0);
            self.trusted.aim(1.0, heard.wait, heard.fade);
        }
    }

    /// Which keyboard plays it from now on. What another one held is let go. RT.
    pub fn hand(&mut self, keyboard: Option<SourceId>) {
        let before = std::mem::replace(&mut self.keyboard, keyboard);
        if before.is_some() && before != keyboard {
            self.kernel.touch(Touch::LetGo);
        }
        self.kernel.hand(keyboard.is_some());
    }

    /// What is done to a keyboard, if that is the one that plays it. RT.
    pub fn touch(&mut self, keyboard: SourceId, touch: Touch) {
        if self.keyboard == Some(keyboard) && self.poisoned.is_none() {
            self.kernel.touch(touch);
        }
    }

    /// Whether the sound of this quantum is at hand. RT.
    pub fn is_ready(&self, transport: u64) -> bool {
        self.kernel.is_ready(transport)
    }

    /// Forgets all sound. RT.
    pub fn forget(&mut self) {
        self.rest.wake();
        self.kernel.reset();
        self.waiting.iter_mut().for_each(DelayLine::clear);
    }

    /// Does the work of one quantum, unless it rests; says whether it came out as finite numbers. What did not is silenced, the kernel starts
    /// anew, and from then on what flows in is passed by it. RT.
    pub fn process(&mut self, io: &mut WorkIo<'_>) -> bool {
        let hears_nothing = self.hears_nothing(io);
        self.stays_at_rest(hears_nothing, io) || self.process_heard(hears_nothing, io)
    }

    /// Whether it rests and goes on to. What else is to be done is done. RT.
    fn stays_at_rest(&mut self, hears_nothing: bool, io: &WorkIo<'_>) -> bool {
        if !hears_nothing {
            self.rest.wake();
            return false;
        }
        let stays = self.rest.rests() && !io.restless;
        if stays {
            let next = io.transport.wrapping_add(QUANTUM as u64) as i64;
            self.kernel.wheels().iter_mut().for_each(|wheel| wheel.pass(next));
        }
        stays
    }

    /// Does the work of one quantum that is not passed by. RT.
    fn process_heard(&mut self, hears_nothing: bool, io: &mut WorkIo<'_>) -> bool {
        let finite = self.process_awake(io);
        if hears_nothing {
            self.watch(io);
        }
        finite
    }

    /// By how many dB it turned down at most when it last worked. RT.
    pub fn reduced(&self) -> f64 {
        self.reduced
    }

    /// Whether it gave what is no number, and is passed by. RT.
    pub fn is_ill(&self) -> bool {
        self.poisoned.is_some()
    }

    /// Whether it rests until something comes. RT.
    pub fn rests(&self) -> bool {
        self.rest.rests()
    }

    /// Whether silence comes in, and nothing else is on its way. What turns with the transport has to be worked on where that
    /// does not just go on. RT.
    fn hears_nothing(&mut self, io: &WorkIo<'_>) -> bool {
        let just_goes_on = io.steering.rolling && !io.steering.moved;
        let mut inputs = io.audio.iter().take(self.channels.0).chain(io.key);
        self.only_passes
            && (just_goes_on || self.kernel.wheels().is_empty())
            && inputs.all(|buffer| is_silent(buffer))
            && (self.settled || self.lanes.iter().chain([&self.wet]).all(Lane::is_still))
            && self.poisoned.is_none()
            && self.trusted.is_still()
    }

    /// After a quantum of silence. What came of it has no sign if it is silence too. RT.
    fn watch(&mut self, io: &mut WorkIo<'_>) {
        let outs = io.audio.get_mut(..self.channels.1).unwrap_or_default();
        if outs.iter().flatten().any(|x| *x != 0.0) {
            self.rest.wake();
            return;
        }
        outs.iter_mut().for_each(|buffer| buffer.fill(0.0));
        let (kernel, waiting) = (&mut self.kernel, &mut self.waiting);
        self.rest.watch(|ledger| {
            kernel.keep(ledger);
            waiting.keep(ledger);
        });
    }

    /// Does the work of one quantum, whether or not it could rest. RT.
    fn process_awake(&mut self, io: &mut WorkIo<'_>) -> bool {
        let outs = self.channels.1;
        self.reduced = 0.0;
        self.keep_dry(io.audio);
        let mut finite = true;
        let mut at = 0;
        while at < QUANTUM {
            let stretch = at..self.stretch(at, io);
            let was_settled = self.settled;
            let wet = self.glide(stretch.clone(), io);
            if self.poisoned.is_none() {
                finite &= self.work(stretch.clone(), was_settled, wet, io);
            }
            at = stretch.end;
        }
        if !finite {
            self.fall_ill(io.audio, io.steering.fade);
        } else if let Some(ramp) = &mut self.poisoned {
            let gain = Quantum::of(ramp);
            for (channel, buffer) in io.audio.iter_mut().take(outs).enumerate() {
                *buffer = self.dry.get(channel).or(self.dry.first()).copied().unwrap_or([0.0; QUANTUM]);
                gain.scale(buffer);
            }
        } else if !self.trusted.is_still() {
            let share = Quantum::of(&mut self.trusted);
            for (channel, buffer) in io.audio.iter_mut().take(outs).enumerate() {
                let dry = self.dry.get(channel).or(self.dry.first()).copied().unwrap_or([0.0; QUANTUM]);
                let mut wet = *buffer;
                wet.iter_mut().zip(&dry).for_each(|(wet, dry)| *wet -= dry);
                share.scale(&mut wet);
                buffer.iter_mut().zip(&dry).zip(&wet).for_each(|((x, dry), wet)| *x = dry + wet);
            }
        }
        finite
    }

    /// It gave what is no number: it is silent, and passed by from the next quantum on. RT.
    pub fn fall_ill(&mut self, audio: &mut [Buffer], fade: u32) {
        self.kernel.reset();
        let mut ramp = Ramp::still(0.0);
        ramp.aim(1.0, 0, fade);
        self.poisoned = Some(ramp);
        audio.iter_mut().take(self.channels.1).for_each(|buffer| buffer.fill(0.0));
    }

    /// Keeps what flows in, as late as the kernel will be with it, wherever it may be needed. RT.
    fn keep_dry(&mut self, audio: &[Buffer]) {
        let doubted = self.poisoned.is_some() || !self.trusted.is_still();
        let kept = self.channels.0 > 0 && (!self.wet.is_still() || self.wet.value() != 1.0 || doubted);
        for (channel, buffer) in audio.iter().take(self.channels.0).enumerate() {
            if let Some(line) = self.waiting.get_mut(channel) {
                for (kept, x) in self.dry[channel].iter_mut().zip(buffer) {
                    *kept = line.delay(*x, self.latency);
                }
            } else if kept {
                self.dry[channel] = *buffer;
            }
        }
    }

    /// Where the stretch that begins at a frame ends: all numbers go in a straight line until then. RT.
    fn stretch(&mut self, at: usize, io: &WorkIo<'_>) -> usize {
        if self.settled {
            return QUANTUM;
        }
        let mut end = QUANTUM;
        for (i, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| !lane.is_still()) {
            let control = control_of(io.controls, Controlled::Value(i));
            end = end.min(lane.stretch(at, control, &io.steering));
        }
        if !self.wet.is_still() {
            end = end.min(self.wet.stretch(at, control_of(io.controls, Controlled::Wet), &io.steering));
        }
        end
    }

    /// Lets all numbers go a stretch, and gives the share that is wet. RT.
    fn glide(&mut self, stretch: Range<usize>, io: &WorkIo<'_>) -> Glide {
        if self.settled {
            return Glide::still(self.wet.value());
        }
        let way = |lane: &mut Lane, of: Controlled| {
            let control = control_of(io.controls, of);
            let control = control.map(|control| (control, control.followed.and_then(|n| io.followed.get(n))));
            lane.advance(stretch.clone(), control, &io.steering)
        };
        for (i, (glide, lane)) in self.glides.iter_mut().zip(self.lanes.iter_mut()).enumerate() {
            *glide = way(lane, Controlled::Value(i));
        }
        let wet = way(&mut self.wet, Controlled::Wet);
        self.settled = self.lanes.iter().chain([&self.wet]).all(Lane::is_still)
            && self.glides.iter().chain([&wet]).all(Glide::is_still);
        wet
    }

    /// Works on a stretch and blends it with the dry side; says whether it came out as finite numbers. RT.
    fn work(&mut self, frames: Range<usize>, was_settled: bool, wet: Glide, io: &mut WorkIo<'_>) -> bool {
        let (ins, outs) = self.channels;
        let (settled, reduced) = (was_settled, self.reduced);
        let mut on = Io { frames: frames.clone(), settled, reduced, ..whole(ins, &self.glides, io) };
        self.kernel.process(&mut on);
        self.reduced = on.reduced;
        if let Some((made, others)) = io.audio.get_mut(..outs).and_then(|all| all.split_at_mut_checked(self.made))
            && let Some(first) = made.first()
        {
            others.iter_mut().for_each(|buffer| buffer[frames.clone()].copy_from_slice(&first[frames.clone()]));
        }
        let mut finite = true;
        for buffer in io.audio.iter_mut().take(outs) {
            finite &= is_finite(&buffer[frames.clone()]);
        }
        if ins > 0 && !(wet.is_still() && wet.to == 1.0) {
            for (channel, buffer) in io.audio.iter_mut().take(outs).enumerate() {
                if let Some(dry) = self.dry.get(channel).or(self.dry.first()) {
                    blend(&mut buffer[frames.clone()], &dry[frames.clone()], wet);
                }
            }
        }
        finite
    }
}

impl Keep for WorkCell {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.kernel.keep(ledger);
        self.lanes.keep(ledger);
        self.wet.keep(ledger);
        self.goals.keep(ledger);
        self.is_new.keep(ledger);
        self.poisoned.keep(ledger);
        self.trusted.keep(ledger);
        self.waiting.keep(ledger);
        // The glides follow from the lanes, once those have been gone.
        self.settled &= !ledger.is_reading();
    }
}

/// A whole quantum for a kernel whose numbers are settled, with so many channels of input. RT.
fn whole<'a>(channels_in: usize, values: &'a [Glide], io: &'a mut WorkIo<'_>) -> Io<'a> {
    Io {
        audio: io.audio,
        channels_in,
        key: io.key,
        live: io.live,
        frames: 0..QUANTUM,
        values,
        settled: true,
        transport: io.transport,
        rolling: io.steering.rolling,
        moved: io.steering.moved || io.score.as_ref().is_some_and(|score| score.has_moved()),
        tempo: io.steering.tempo,
        score: io.score.as_deref_mut(),
        reduced: 0.0,
    }
}

/// Brings a lane on its way to what a program says. RT.
fn turn(lane: &mut Lane, of: Controlled, goal: f64, aim: &Aim<'_>, is_new: bool) {
    match control_of(aim.controls, of).and_then(|control| aim.motions.get(control.motion?)) {
        Some(motion) => lane.join(motion.version, is_new, aim.wait, aim.fade),
        None => lane.aim(goal, aim.wait, aim.fade),
    }
}

fn control_of(controls: &[PlanControl], of: Controlled) -> Option<&PlanControl> {
    controls.iter().find(|control| control.of == of)
}

/// `(1-g) dry + g wet`: exactly the dry at 0, the wet at 1. RT.
pub fn blend(wet: &mut [f64], dry: &[f64], share: Glide) {
    let count = wet.len();
    for (i, (x, dry)) in wet.iter_mut().zip(dry).enumerate() {
        let g = share.at(i, count);
        *x = if g == 0.0 { *dry } else { (1.0 - g) * dry + g * *x };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::keep;
    use crate::parameter::Memory;
    use crate::tempo::Tempo;
    use crate::test_signals::RATE;
    use crate::units::{Clock, Unit};

    /// Gives twice what it gets, and what is no number once its parameter is above 1.
    struct Sick;

    keep!(Sick);

    impl Kernel for Sick {
        fn process(&mut self, io: &mut Io<'_>) {
            let sick = io.values[0].to > 1.0;
            let double = |x: &mut f64| *x = if sick { f64::NAN } else { *x * 2.0 };
            io.audio.iter_mut().for_each(|buffer| buffer[io.frames.clone()].iter_mut().for_each(double));
        }

        fn reset(&mut self) {}
    }

    static SICK: crate::parameter::Table = crate::parameter::Table {
        word: "sick",
        summary: "",
        example: "",
        arguments: &[],
        parameters: &[Parameter::number("fever", Unit::Plain, 0.0, 0.0, 2.0, "")],
        parts: &[],
        mix: 100.0,
        channels: |recipe| Ok(recipe.channels),
        latency: |_| 0,
        tail: |_| 0,
        memory: Memory::Brief,
        kernel: |_| Box::new(Sick),
    };

    fn recipe(values: Vec<f64>) -> Recipe {
        let clock = Clock { rate: RATE, tempo: 120.0, beats_per_bar: 4.0 };
        Recipe { values, ..Recipe::plain(1, clock) }
    }

    fn aim(goals: &[f64]) -> Aim<'_> {
        Aim { goals, wet: 1.0, controls: &[], motions: &[], wait: 0, fade: 128 }
    }

    /// A quantum of ones through a cell, and whether it was finite.
    fn quantum(cell: &mut WorkCell) -> (bool, Buffer) {
        let recipe = recipe(Vec::new());
        let tempo = Tempo::new(recipe.clock);
        let steering = Steering {
            motions: &[],
            states: &[],
            heard: &[],
            tempo: &tempo,
            frame: 0,
            rolling: true,
            moved: false,
            fade: 128,
        };
        let mut audio = [[1.0; QUANTUM]];
        let (key, live, controls, followed, score) = (&[], &[], &[], &[], None);
        let (audio, transport, restless) = (&mut audio, 0, false);
        let mut io = WorkIo { audio, key, score, live, transport, controls, followed, steering, restless };
        (cell.process(&mut io), io.audio[0])
    }

    #[test]
    fn what_gives_no_number_is_passed_by_until_the_text_changes_it() {
        let mut cell = WorkCell::new(TableRef(&SICK), SICK.parameters.iter(), &recipe(vec![0.0]), 1.0, 1);
        cell.aim(&aim(&[0.0]));
        assert_eq!(quantum(&mut cell), (true, [2.0; QUANTUM]));
        cell.aim(&Aim { fade: 0, ..aim(&[2.0]) });
        assert_eq!(quantum(&mut cell), (false, [0.0; QUANTUM]), "nothing of it is heard");
        let (finite, dry) = quantum(&mut cell);
        assert!(finite && dry.windows(2).all(|pair| pair[1] > pair[0]), "what flows in fades in instead");
        quantum(&mut cell);
        assert_eq!(quantum(&mut cell), (true, [1.0; QUANTUM]));
        cell.aim(&aim(&[2.0]));
        assert!(cell.poisoned.is_some(), "the same again is no reason to try it");
        cell.aim(&aim(&[0.5]));
        let (finite, healed) = quantum(&mut cell);
        assert!(
            finite && healed.windows(2).all(|pair| (0.0..0.01).contains(&(pair[1] - pair[0]))),
            "it fades in again"
        );
        quantum(&mut cell);
        assert_eq!(quantum(&mut cell), (true, [2.0; QUANTUM]));
    }
}
