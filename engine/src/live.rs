//! The audio side of a playing desk, and the handle by which everything else reaches it: rings in and out, and a clock.
//!
//! At most one program is in flight. What the audio thread receives it gives back; what it reports is small and copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::compile::Program;
use crate::costs::{Costs, costs};
use crate::crossing::{Ear, Watch, crossing};
use crate::fade::{Ramp, fade_frames};
use crate::guard::{Act, CEILING_DB, Deed, Guard};
use crate::inspect::Origin;
use crate::kernel::{Buffer, QUANTUM};
use crate::keyboard::Touch;
use crate::math;
use crate::meter::Reading;
use crate::monitor::{Audition, Monitor, Wish};
use crate::plan::{PlanCue, SourceId};
use crate::playback::Playback;
use crate::probe::Probe;
use crate::render::{Renderer, Taken};
use crate::tap::{Door, Full, Recording, Recordings, Taps, Wanted, What};
use crate::transport::Move;

/// How long the sound fades when the desk stops, in milliseconds.
const STOP_FADE_MS: f64 = 50.0;

pub use crate::crossing::Listener;

/// Orders that may wait for the audio thread, and reports that may wait to be read.
const ORDERS: usize = 1024;
const REPORTS: usize = 4096;

/// Reports that must find room besides those of orders and programs: what a quantum may tell by itself.
const REPORTS_A_QUANTUM: usize = 64;

/// What hands may do in a quantum; the rest waits for the next, so that no instrument has to drop anything.
const TOUCHES_A_QUANTUM: usize = 32;

/// What the audio thread tells. Frames are those of the renderer's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report {
    /// A program was taken up.
    TakenUp {
        /// Its number.
        serial: u64,
        /// When.
        taken: Taken,
    },
    /// Something from outside reached the controls that listen to it.
    Controlled {
        /// Where it came from.
        source: SourceId,
        /// What it said.
        value: f64,
        /// The first frame that heard it.
        frame: u64,
    },
    /// Something was done to a keyboard, for the instruments that it plays.
    Touched {
        /// Which keyboard.
        source: SourceId,
        /// What was done.
        touch: Touch,
        /// The first frame that heard it.
        frame: u64,
    },
    /// The transport took an order.
    Moved {
        /// Which.
        order: Move,
        /// The first frame after it.
        frame: u64,
        /// Where the transport was.
        transport: u64,
    },
    /// A work's sound was not a number: it was silenced, and is passed by until the text changes it.
    Poisoned {
        /// The number of the program.
        serial: u64,
        /// The index among its works.
        work: usize,
    },
    /// The sound of a source was not at hand in time: the quantum was silent.
    MediaLate {
        /// The number of the program.
        serial: u64,
        /// The quantum's first frame.
        frame: u64,
        /// The index of the source among its works.
        work: usize,
    },
    /// Live input was not at hand in time: what was missing was silent.
    InputLate {
        /// The quantum's first frame.
        frame: u64,
    },
    /// What is kept was not taken away fast enough: a quantum is missing from it.
    RecordLate {
        /// The quantum's first frame.
        frame: u64,
    },
    /// The guard before the device acts.
    Guarded {
        /// The number of the program.
        serial: u64,
        /// What it does.
        deed: Deed,
        /// A channel of the output, from 1.
        channel: u16,
        /// The level measured there, in tenths of a dB over full scale.
        level: i32,
        /// Where it comes from.
        origin: Origin,
    },
    /// What each work costs has been measured: [`Live::costs`].
    Costed {
        /// The number of the program.
        serial: u64,
    },
}

/// What the audio thread is told while a program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Hear(SourceId, f64),
    Touch(SourceId, Touch),
    Move(Move),
    Monitor(Wish),
}

/// The handle of a playing desk. Not RT.
pub struct Live {
    programs: Producer<Box<Program>>,
    orders: Producer<Order>,
    returned: Consumer<Box<Program>>,
    auditions: Producer<Option<Box<Audition>>>,
    dismissed: Consumer<Box<Audition>>,
    reports: Consumer<Report>,
    /// Of each program that may still have been metered.
    readings: Vec<Consumer<Reading>>,
    door: Door,
    shared: Arc<Shared>,
    crossing: Watch,
    costs: Costs,
}

struct Shared {
    transport: AtomicU64,
    clock: AtomicU64,
    rolling: AtomicBool,
    stopping: AtomicBool,
    stopped: AtomicBool,
    /// Reports that found no room.
    lost: AtomicU64,
}

impl Shared {
    /// Reports, or counts what finds no room because nobody has listened for thousands of reports. RT.
    fn report(&self, tell: &mut Producer<Report>, report: Report) {
        self.lost.fetch_add(u64::from(tell.push(report).is_err()), Ordering::Relaxed);
    }
}

/// What a desk is started with.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Frames a second.
    pub rate: u32,
    /// What is kept of what plays.
    pub keep: Wanted,
    /// Channels of the device's input; 0 without one.
    pub inputs: usize,
    /// Frames of live input to have at hand before it is played: about two of the device's blocks.
    pub cushion: usize,
}

/// Starts a desk: the handle, what a device calls for sound, what takes its input, and what is kept.
pub fn start(mut program: Box<Program>, setup: Setup) -> (Live, Player, Listener, Recordings) {
    let (programs, incoming) = RingBuffer::new(1);
    let (outgoing, returned) = RingBuffer::new(4);
    let (auditions, audition) = RingBuffer::new(2);
    let (dismiss, dismissed) = RingBuffer::new(4);
    let (tell, reports) = RingBuffer::new(REPORTS);
    let (orders, ordered) = RingBuffer::new(ORDERS);
    let shared = Arc::new(Shared {
        transport: AtomicU64::new(0),
        clock: AtomicU64::new(0),
        rolling: AtomicBool::new(true),
        stopping: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
        lost: AtomicU64::new(0),
    });
    let readings = program.readings.take().into_iter().collect();
    let (taps, door, recordings) = Taps::new(setup.keep, setup.rate, &program.plan, setup.inputs);
    let (listener, ear, crossing) = crossing(setup.inputs, setup.rate, setup.cushion);
    let (costs, meter) = costs();
    let player = Player {
        renderer: Renderer::probed(program, Probe::new(meter)),
        monitor: Monitor::new(f64::from(setup.rate)),
        audition: None,
        auditions: audition,
        dismiss,
        guard: Guard::new(f64::from(setup.rate), math::gain_from_db(CEILING_DB) as f32),
        incoming,
        held: None,
        ordered,
        outgoing,
        tell,
        shared: shared.clone(),
        taps,
        ear,
        live: vec![[0.0; QUANTUM]; setup.inputs].into_boxed_slice(),
        given: QUANTUM,
        fade: Ramp::still(1.0),
        fade_length: fade_frames(STOP_FADE_MS, f64::from(setup.rate)),
    };
    let live =
        Live { programs, orders, returned, auditions, dismissed, reports, readings, door, shared, crossing, costs };
    (live, player, listener, recordings)
}

impl Live {
    /// Sends a program, to be taken up at the next quantum.
    ///
    /// # Errors
    /// Gives it back while another is in flight.
    pub fn send(&mut self, mut program: Box<Program>) -> Result<(), Box<Program>> {
        if self.programs.is_full() {
            return Err(program);
        }
        // Of one that is gone everything has been read that will be.
        self.readings.retain(|readings| !readings.is_abandoned());
        self.readings.extend(program.readings.take());
        self.programs.push(program).map_err(|rtrb::PushError::Full(program)| program)
    }

    /// Tells the controls that listen to a source what it said.
    ///
    /// # Errors
    /// When more has been told than the audio thread could take yet: tell it again.
    pub fn control(&mut self, source: SourceId, value: f64) -> Result<(), Busy> {
        self.orders.push(Order::Hear(source, value)).map_err(|_| Busy)
    }

    /// Tells the instruments that a keyboard plays what was done to it.
    ///
    /// # Errors
    /// When more has been told than the audio thread could take yet: tell it again.
    pub fn touch(&mut self, source: SourceId, touch: Touch) -> Result<(), Busy> {
        self.orders.push(Order::Touch(source, touch)).map_err(|_| Busy)
    }

    /// Gives the transport an order.
    ///
    /// # Errors
    /// When more has been ordered than the audio thread could take yet: order it again.
    pub fn order(&mut self, order: Move) -> Result<(), Busy> {
        self.orders.push(Order::Move(order)).map_err(|_| Busy)
    }

    /// Tells the monitor what whoever plays wants to hear.
    ///
    /// # Errors
    /// When more has been ordered than the audio thread could take yet: order it again.
    pub fn monitor(&mut self, wish: Wish) -> Result<(), Busy> {
        self.orders.push(Order::Monitor(wish)).map_err(|_| Busy)
    }

    /// Lets a text be heard ahead beside what plays, or no more.
    ///
    /// # Errors
    /// When the audio thread has not taken up the one before: ask again.
    pub fn audition(&mut self, audition: Option<Box<Audition>>) -> Result<(), Busy> {
        self.auditions.push(audition).map_err(|_| Busy)
    }

    /// Begins to keep something, from one of the next quanta on. A recording of the same that is under way gets no more.
    ///
    /// # Errors
    /// When more has begun than the audio thread could take yet: begin it again.
    pub fn record(&mut self, what: What) -> Result<Recording, Busy> {
        self.door.begin(what).map_err(|Full| Busy)
    }

    /// What was reported since last asked. Frees what came back.
    pub fn reports(&mut self) -> impl Iterator<Item = Report> {
        self.door.sweep();
        while self.returned.pop().is_ok() {}
        while self.dismissed.pop().is_ok() {}
        std::iter::from_fn(|| self.reports.pop().ok())
    }

    /// How many reports found no room, since last asked: what they told nobody knows.
    pub fn take_lost_reports(&self) -> u64 {
        self.shared.lost.swap(0, Ordering::Relaxed)
    }

    /// What the meters have read since last asked.
    pub fn readings(&mut self) -> impl Iterator<Item = Reading> {
        self.readings.iter_mut().flat_map(|readings| std::iter::from_fn(|| readings.pop().ok()))
    }

    /// The transport's frame, up to a block ago.
    pub fn transport(&self) -> u64 {
        self.shared.transport.load(Ordering::Relaxed)
    }

    /// The frames rendered, up to a block ago. What happened before has been reported.
    pub fn clock(&self) -> u64 {
        self.shared.clock.load(Ordering::Acquire)
    }

    /// Whether the transport goes on.
    pub fn is_rolling(&self) -> bool {
        self.shared.rolling.load(Ordering::Relaxed)
    }

    /// Where the transport is, for other threads.
    pub fn dial(&self) -> Dial {
        Dial(self.shared.clone())
    }

    /// Fades out; the transport goes on until the device is closed.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether all is silent after [`Live::stop`].
    pub fn has_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Relaxed)
    }

    /// What each work costs: asked for here, then told of as [`Report::Costed`].
    pub fn costs(&self) -> &Costs {
        &self.costs
    }

    /// By how many millionths the input's clock runs faster than the output's; `None` while they seem to be one.
    pub fn input_drift_ppm(&self) -> Option<f64> {
        self.crossing.drift_ppm()
    }
}

/// Where the transport is, for whoever looks from another thread.
#[derive(Clone)]
pub struct Dial(Arc<Shared>);

impl Dial {
    /// The transport's frame, up to a block ago.
    pub fn transport(&self) -> u64 {
        self.0.transport.load(Ordering::Relaxed)
    }

    /// Whether the transport goes on.
    pub fn is_rolling(&self) -> bool {
        self.0.rolling.load(Ordering::Relaxed)
    }
}

/// The audio thread has more to do than it could take yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// The audio side: what a device calls for sound.
pub struct Player {
    renderer: Renderer,
    monitor: Monitor,
    /// What is heard ahead beside it.
    audition: Option<Box<Audition>>,
    auditions: Consumer<Option<Box<Audition>>>,
    dismiss: Producer<Box<Audition>>,
    guard: Guard,
    incoming: Consumer<Box<Program>>,
    /// A program that waits for its frame.
    held: Option<Box<Program>>,
    ordered: Consumer<Order>,
    outgoing: Producer<Box<Program>>,
    tell: Producer<Report>,
    shared: Arc<Shared>,
    taps: Taps,
    ear: Ear,
    live: Box<[Buffer]>,
    /// Frames of the present quantum that the device has had.
    given: usize,
    fade: Ramp,
    fade_length: u32,
}

impl Playback for Player {
    fn fill(&mut self, block: &mut [f32], channels: usize) {
        block.fill(0.0);
        for frame in block.chunks_exact_mut(channels.max(1)) {
            if self.given == QUANTUM {
                self.quantum();
                self.given = 0;
            }
            for (channel, sample) in frame.iter_mut().enumerate() {
                if let Some(sound) = self.guard.sound(channel) {
                    *sample = sound[self.given] as f32;
                }
            }
            self.given += 1;
        }
        self.ear.note(QUANTUM - self.given);
        self.fade(block, channels.max(1));
        self.shared.transport.store(self.renderer.transport(), Ordering::Relaxed);
        // Who sees it sees what was reported before as well.
        self.shared.clock.store(self.renderer.clock(), Ordering::Release);
        self.shared.rolling.store(self.renderer.is_rolling(), Ordering::Relaxed);
    }

    fn ready(&mut self) -> bool {
        self.renderer.is_ready() && self.taps.has_room()
    }

    fn ceiling(&self) -> f32 {
        self.guard.ceiling()
    }
}

impl Player {
    /// The same with another level than [`CEILING_DB`] that no sample exceeds. Not RT.
    pub fn with_ceiling(self, db: f64) -> Self {
        let ceiling = math::gain_from_db(db) as f32;
        Player { guard: Guard::new(self.guard.rate(), ceiling), ..self }
    }

    /// Takes up what has come, and computes the next quantum. RT.
    fn quantum(&mut self) {
        self.take_up();
        self.take_audition();
        self.obey();
        let frame = self.renderer.clock();
        if !self.ear.give(&mut self.live) {
            self.report(Report::InputLate { frame });
        }
        self.renderer.quantum(&self.live);
        if let Some(audition) = &mut self.audition {
            audition.renderer().quantum(&self.live);
        }
        let serial = self.renderer.serial();
        for work in self.renderer.missing().into_iter().flatten() {
            self.report(Report::MediaLate { serial, frame, work });
        }
        if let Some(work) = self.renderer.take_poisoned() {
            self.report(Report::Poisoned { serial, work });
        }
        self.renderer.meter();
        self.renderer.copy_heard(frame);
        if !self.taps.take(frame, &self.renderer, &self.live) {
            self.report(Report::RecordLate { frame });
        }
        if self.monitor.advance(&self.renderer, self.audition.as_deref()) {
            self.order(Move::Start);
        }
        self.guard();
    }

    /// Makes the quantum fit for a device. Why it had to is looked for in the quanta to come, and then told. RT.
    fn guard(&mut self) {
        let serial = self.renderer.serial();
        let answer = self.renderer.probe().map(|probe| (probe.take_found(), probe.is_costed()));
        let (found, costed) = answer.unwrap_or_default();
        let Player { guard, monitor, audition, renderer, tell, shared, .. } = self;
        guard.take(|into| monitor.hear(renderer, audition.as_deref(), into));
        let mut report = |(act, origin): (Act, Origin)| {
            let Act { deed, channel, level, .. } = act;
            let level = (10.0 * math::db_from_gain(level)) as i32;
            shared.report(tell, Report::Guarded { serial, deed, channel, level, origin });
        };
        found.into_iter().for_each(&mut report);
        guard.protect(|act| {
            let asked = act.deed != Deed::Opens && renderer.probe().is_some_and(|probe| probe.inspector.ask(act));
            if !asked {
                report((act, Origin::Unknown));
            }
        });
        if costed {
            self.report(Report::Costed { serial });
        }
    }

    /// RT.
    fn take_up(&mut self) {
        // A program that could not be given back, or not told of, waits.
        if self.outgoing.slots() == 0 || self.tell.slots() <= REPORTS_A_QUANTUM {
            return;
        }
        if self.held.is_none() {
            self.held = self.incoming.pop().ok();
        }
        let Some(mut program) = self.held.take_if(|program| self.renderer.is_due(program)) else { return };
        let taken = self.renderer.exchange(&mut program);
        let new = self.renderer.program();
        if new.plan.cue.as_ref().map(PlanCue::hears) != program.plan.cue.as_ref().map(PlanCue::hears) {
            self.monitor.cue_changes();
        }
        self.monitor.turn(new.trim, (taken.heard - taken.clock) as u32, new.fade);
        let (serial, before) = (program.serial, &mut program.meters);
        before.iter_mut().for_each(|meters| meters.tell(serial));
        // There is room: nobody else pushes.
        if let Err(rtrb::PushError::Full(program)) = self.outgoing.push(program) {
            std::mem::forget(program);
        }
        self.report(Report::TakenUp { serial: self.renderer.serial(), taken });
    }

    /// Does what has been ordered, as far as it can be told of. RT.
    fn obey(&mut self) {
        let mut touches = 0;
        while self.tell.slots() > REPORTS_A_QUANTUM {
            touches += usize::from(matches!(self.ordered.peek(), Ok(Order::Touch(..))));
            if touches > TOUCHES_A_QUANTUM {
                return;
            }
            let Ok(order) = self.ordered.pop() else { return };
            let frame = self.renderer.clock();
            match order {
                Order::Hear(source, value) => {
                    self.renderer.hear(source, value);
                    if let Some(audition) = &mut self.audition {
                        audition.renderer().hear(source, value);
                    }
                    self.report(Report::Controlled { source, value, frame });
                }
                Order::Touch(source, touch) => {
                    self.renderer.touch(source, touch);
                    if let Some(audition) = &mut self.audition {
                        audition.renderer().touch(source, touch);
                    }
                    self.report(Report::Touched { source, touch, frame });
                }
                Order::Move(order) => {
                    self.monitor.wish(Wish::CountIn(None));
                    self.order(order);
                }
                Order::Monitor(wish) => self.monitor.wish(wish),
            }
        }
    }

    /// Gives the transport an order, and tells of it. RT.
    fn order(&mut self, order: Move) {
        let (frame, transport) = (self.renderer.clock(), self.renderer.transport());
        self.renderer.order(order);
        if let Some(audition) = &mut self.audition {
            audition.renderer().order(order);
        }
        self.report(Report::Moved { order, frame, transport });
    }

    /// Takes up what is to be heard ahead, or gives it back. RT.
    fn take_audition(&mut self) {
        if self.dismiss.slots() == 0 {
            return;
        }
        let Ok(mut next) = self.auditions.pop() else { return };
        if let Some(next) = &mut next {
            next.renderer().join(&self.renderer);
        }
        self.monitor.cue_changes();
        if let Some(old) = std::mem::replace(&mut self.audition, next) {
            // There is room: nobody else pushes.
            if let Err(rtrb::PushError::Full(old)) = self.dismiss.push(old) {
                std::mem::forget(old);
            }
        }
    }

    /// RT.
    fn report(&mut self, report: Report) {
        self.shared.report(&mut self.tell, report);
    }

    /// RT.
    fn fade(&mut self, block: &mut [f32], channels: usize) {
        if !self.shared.stopping.load(Ordering::Relaxed) {
            return;
        }
        self.fade.aim(0.0, 0, self.fade_length);
        self.fade.fade(block, channels);
        self.shared.stopped.store(self.fade.is_still(), Ordering::Relaxed);
    }
}
