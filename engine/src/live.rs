//! The audio side of a playing desk, and the handle by which everything else reaches it: rings in and out, and a clock.
//!
//! At most one program is in flight. What the audio thread receives it gives back; what it reports is small and copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::compile::Program;
use crate::fade::{Ramp, fade_frames};
use crate::kernel::{Buffer, QUANTUM};
use crate::plan::SourceId;
use crate::playback::{Capture, Playback};
use crate::render::{Renderer, Taken};
use crate::transport::Move;

/// How long the sound fades when the desk stops, in milliseconds.
const STOP_FADE_MS: f64 = 50.0;

/// Seconds of recording that may wait to be written.
const RECORD_SECONDS: f64 = 8.0;

/// Seconds of live input that may wait to be played.
const INPUT_SECONDS: f64 = 1.0;

/// Orders that may wait for the audio thread, and reports that may wait to be read.
const ORDERS: usize = 1024;
const REPORTS: usize = 4096;

/// Reports that must find room besides those of orders and programs: what a quantum may tell by itself.
const REPORTS_A_QUANTUM: usize = 64;

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
        /// The quantum's first frame.
        frame: u64,
        /// The index of the source among the works of the program that runs.
        work: usize,
    },
    /// Live input was not at hand in time: what was missing was silent.
    InputLate {
        /// The quantum's first frame.
        frame: u64,
    },
    /// The recording could not be taken fast enough: frames are missing from it.
    RecordLate {
        /// The quantum's first frame.
        frame: u64,
    },
}

/// What the audio thread is told while a program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Hear(SourceId, f64),
    Move(Move),
}

/// The handle of a playing desk. Not RT.
pub struct Live {
    programs: Producer<Box<Program>>,
    orders: Producer<Order>,
    returned: Consumer<Box<Program>>,
    reports: Consumer<Report>,
    shared: Arc<Shared>,
}

struct Shared {
    transport: AtomicU64,
    clock: AtomicU64,
    rolling: AtomicBool,
    stopping: AtomicBool,
    stopped: AtomicBool,
    input_lost: AtomicU32,
}

/// A recording as it comes in: interleaved samples of the output with the lowest channels, from transport frame 0 on, before
/// anything is done for the device's sake.
pub struct Recording {
    /// The samples.
    pub samples: Consumer<f32>,
    /// Channels of a frame.
    pub channels: usize,
}

/// What a desk is started with.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Frames a second.
    pub rate: u32,
    /// Whether the output is recorded.
    pub record: bool,
    /// Channels of the device's input; 0 without one.
    pub inputs: usize,
    /// Frames of live input to have at hand before it is played: about two of the device's blocks.
    pub cushion: usize,
}

/// Starts a desk: the handle, what a device calls for sound, what takes its input, and the recording.
pub fn start(program: Box<Program>, setup: Setup) -> (Live, Player, Listener, Option<Recording>) {
    let (programs, incoming) = RingBuffer::new(1);
    let (outgoing, returned) = RingBuffer::new(4);
    let (tell, reports) = RingBuffer::new(REPORTS);
    let (orders, ordered) = RingBuffer::new(ORDERS);
    let shared = Arc::new(Shared {
        transport: AtomicU64::new(0),
        clock: AtomicU64::new(0),
        rolling: AtomicBool::new(true),
        stopping: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
        input_lost: AtomicU32::new(0),
    });
    let output = program.plan.outputs.first();
    let (channels, late) = output.map_or((2, 0), |output| (output.slots.count, output.late));
    let room = |seconds: f64, channels: usize| (seconds * f64::from(setup.rate)) as usize * channels.max(1);
    let (record, recording) = match setup.record {
        true => {
            let (into, samples) = RingBuffer::new(room(RECORD_SECONDS, channels));
            (Some(Tap { into, channels, skip: late }), Some(Recording { samples, channels }))
        }
        false => (None, None),
    };
    let (heard, input) = RingBuffer::new(room(INPUT_SECONDS, setup.inputs));
    let listener = Listener { heard, channels: setup.inputs, shared: shared.clone() };
    let player = Player {
        renderer: Renderer::new(program),
        incoming,
        held: None,
        ordered,
        outgoing,
        tell,
        shared: shared.clone(),
        record,
        input,
        cushion: setup.cushion * setup.inputs,
        cushioned: false,
        live: vec![[0.0; QUANTUM]; setup.inputs].into_boxed_slice(),
        given: QUANTUM,
        fade: Ramp::still(1.0),
        fade_length: fade_frames(STOP_FADE_MS, f64::from(setup.rate)),
    };
    (Live { programs, orders, returned, reports, shared }, player, listener, recording)
}

impl Live {
    /// Sends a program, to be taken up at the next quantum.
    ///
    /// # Errors
    /// Gives it back while another is in flight.
    pub fn send(&mut self, program: Box<Program>) -> Result<(), Box<Program>> {
        self.programs.push(program).map_err(|rtrb::PushError::Full(program)| program)
    }

    /// Tells the controls that listen to a source what it said.
    ///
    /// # Errors
    /// When more has been told than the audio thread could take yet: tell it again.
    pub fn control(&mut self, source: SourceId, value: f64) -> Result<(), Busy> {
        self.orders.push(Order::Hear(source, value)).map_err(|_| Busy)
    }

    /// Gives the transport an order.
    ///
    /// # Errors
    /// When more has been ordered than the audio thread could take yet: order it again.
    pub fn order(&mut self, order: Move) -> Result<(), Busy> {
        self.orders.push(Order::Move(order)).map_err(|_| Busy)
    }

    /// What was reported since last asked. Frees what came back.
    pub fn reports(&mut self) -> impl Iterator<Item = Report> {
        while self.returned.pop().is_ok() {}
        std::iter::from_fn(|| self.reports.pop().ok())
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

    /// Fades out; the transport goes on until the device is closed.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether all is silent after [`Live::stop`].
    pub fn has_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Relaxed)
    }

    /// Frames of live input that found no room, since last asked.
    pub fn take_input_lost(&self) -> u32 {
        self.shared.input_lost.swap(0, Ordering::Relaxed)
    }
}

/// The audio thread has more to do than it could take yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// The audio side: what a device calls for sound.
pub struct Player {
    renderer: Renderer,
    incoming: Consumer<Box<Program>>,
    /// A program that waits for its frame.
    held: Option<Box<Program>>,
    ordered: Consumer<Order>,
    outgoing: Producer<Box<Program>>,
    tell: Producer<Report>,
    shared: Arc<Shared>,
    record: Option<Tap>,
    input: Consumer<f32>,
    /// Samples of input to gather before any is played.
    cushion: usize,
    cushioned: bool,
    live: Box<[Buffer]>,
    /// Frames of the present quantum that the device has had.
    given: usize,
    fade: Ramp,
    fade_length: u32,
}

struct Tap {
    into: Producer<f32>,
    channels: usize,
    /// Frames still to leave out: the latency, so that the first is the transport's.
    skip: usize,
}

impl Playback for Player {
    fn fill(&mut self, block: &mut [f32], channels: usize) {
        block.fill(0.0);
        for frame in block.chunks_exact_mut(channels.max(1)) {
            if self.given == QUANTUM {
                self.quantum();
                self.given = 0;
            }
            for (output, sound) in self.renderer.outputs() {
                for (channel, buffer) in output.channels.iter().zip(sound) {
                    if let Some(sample) = frame.get_mut(usize::from(*channel) - 1) {
                        *sample += buffer[self.given] as f32;
                    }
                }
            }
            self.given += 1;
        }
        self.fade(block, channels.max(1));
        self.shared.transport.store(self.renderer.transport(), Ordering::Relaxed);
        // Who sees it sees what was reported before as well.
        self.shared.clock.store(self.renderer.clock(), Ordering::Release);
        self.shared.rolling.store(self.renderer.is_rolling(), Ordering::Relaxed);
    }

    fn ready(&mut self) -> bool {
        let room = |tap: &Tap| tap.into.slots() >= tap.into.buffer().capacity() / 2;
        self.renderer.is_ready() && self.record.as_ref().is_none_or(room)
    }
}

impl Player {
    /// Takes up what has come, and computes the next quantum. RT.
    fn quantum(&mut self) {
        self.take_up();
        self.obey();
        self.listen();
        let frame = self.renderer.clock();
        self.renderer.quantum(&self.live);
        for work in self.renderer.missing().into_iter().flatten() {
            self.report(Report::MediaLate { frame, work });
        }
        if let Some(work) = self.renderer.take_poisoned() {
            self.report(Report::Poisoned { serial: self.renderer.serial(), work });
        }
        if let Some(tap) = &mut self.record
            && !tap.take(&self.renderer)
        {
            self.report(Report::RecordLate { frame });
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
        // There is room: nobody else pushes.
        if let Err(rtrb::PushError::Full(program)) = self.outgoing.push(program) {
            std::mem::forget(program);
        }
        self.report(Report::TakenUp { serial: self.renderer.serial(), taken });
    }

    /// Does what has been ordered, as far as it can be told of. RT.
    fn obey(&mut self) {
        while self.tell.slots() > REPORTS_A_QUANTUM {
            let Ok(order) = self.ordered.pop() else { return };
            let frame = self.renderer.clock();
            match order {
                Order::Hear(source, value) => {
                    self.renderer.hear(source, value);
                    self.report(Report::Controlled { source, value, frame });
                }
                Order::Move(order) => {
                    let transport = self.renderer.transport();
                    self.renderer.order(order);
                    self.report(Report::Moved { order, frame, transport });
                }
            }
        }
    }

    /// Takes a quantum of live input. Until the cushion is full, and again when it ran empty, that is silence. RT.
    fn listen(&mut self) {
        let channels = self.live.len();
        if channels == 0 {
            return;
        }
        let (wanted, have) = (QUANTUM * channels, self.input.slots());
        if self.cushioned && have < wanted {
            self.cushioned = false;
            self.report(Report::InputLate { frame: self.renderer.clock() });
        }
        self.cushioned |= have >= self.cushion.max(wanted);
        if !self.cushioned {
            self.live.iter_mut().for_each(|buffer| buffer.fill(0.0));
            return;
        }
        for i in 0..QUANTUM {
            for channel in self.live.iter_mut() {
                let heard = f64::from(self.input.pop().unwrap_or(0.0));
                channel[i] = if heard.is_finite() { heard } else { 0.0 };
            }
        }
    }

    fn report(&mut self, report: Report) {
        // A full ring means that nobody has listened for thousands of reports: one more is not missed.
        let _ = self.tell.push(report);
    }

    /// RT.
    fn fade(&mut self, block: &mut [f32], channels: usize) {
        if !self.shared.stopping.load(Ordering::Relaxed) {
            return;
        }
        self.fade.aim(0.0, 0, self.fade_length);
        for frame in block.chunks_exact_mut(channels) {
            let gain = self.fade.advance(1).to as f32;
            frame.iter_mut().for_each(|sample| *sample *= gain);
        }
        self.shared.stopped.store(self.fade.is_still(), Ordering::Relaxed);
    }
}

impl Tap {
    /// Takes the quantum; says whether there was room. RT.
    fn take(&mut self, renderer: &Renderer) -> bool {
        let first = self.skip.min(QUANTUM);
        self.skip -= first;
        if self.into.slots() < (QUANTUM - first) * self.channels {
            return false;
        }
        for i in first..QUANTUM {
            for channel in 0..self.channels {
                let _ = self.into.push(recorded(renderer, channel, i) as f32);
            }
        }
        true
    }
}

/// A sample of what leaves by the output with the lowest channels. One that the text has no more is heard until it has
/// faded. RT.
pub(crate) fn recorded(renderer: &Renderer, channel: usize, frame: usize) -> f64 {
    let heard = renderer.outputs().enumerate().filter(|(n, (output, _))| *n == 0 || output.leaving);
    let heard = heard.filter_map(|(_, (_, sound))| sound.get(channel));
    heard.map(|buffer| buffer[frame]).sum()
}

/// What takes the device's input.
pub struct Listener {
    heard: Producer<f32>,
    channels: usize,
    shared: Arc<Shared>,
}

impl Capture for Listener {
    fn take(&mut self, block: &[f32], channels: usize) {
        for frame in block.chunks_exact(channels.max(1)) {
            if self.heard.slots() < self.channels {
                self.shared.input_lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            for channel in 0..self.channels {
                let _ = self.heard.push(frame.get(channel).copied().unwrap_or(0.0));
            }
        }
    }
}
