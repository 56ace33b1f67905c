//! What of a playing desk is kept: every quantum of the output, of what flows into the master, and of the live input as
//! it was used, through a ring to whoever writes it. What is kept from the start is said then; what is kept from some moment
//! on gets its ring there by a door.

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use crate::kernel::{Buffer, QUANTUM};
use crate::plan::Plan;
use crate::render::Renderer;

/// Seconds that may wait to be taken.
const SECONDS: f64 = 8.0;

/// What flows into the master may become more while it plays: room for so many channels, and of many for fewer seconds.
const STEM_CHANNELS: (usize, usize) = (16, 64);

/// What is to be kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The output with the lowest channels, before anything is done for the device's sake.
    pub master: bool,
    /// What the plans capture, if the desk was opened to capture anything.
    pub stems: bool,
    /// The live input as it was used: how many want it, each by itself.
    pub inputs: usize,
}

/// What can begin to be kept while the desk plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The output with the lowest channels.
    Master,
    /// What the plans capture, of so many channels now: of many, fewer seconds may wait.
    Stems(usize),
}

/// What is kept, as it comes.
#[derive(Debug, Default)]
pub struct Recordings {
    /// The output.
    pub master: Option<Recording>,
    /// What the plans capture: the channels of [`Plan::captures`], in their order.
    pub stems: Option<Recording>,
    /// The live input, all channels that the desk has room for, as often as it was wanted.
    pub inputs: Vec<Recording>,
}

/// One quantum that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantum {
    /// How many frames the desk had computed before. One that is not [`QUANTUM`] more than the last was found no room
    /// for what is between.
    pub frame: u64,
    /// The number of the program that ran.
    pub serial: u64,
    /// Frames by which the sound is late against the transport.
    pub late: usize,
    /// How many samples there are: those of [`QUANTUM`] frames, channels interleaved.
    samples: usize,
}

/// Quanta as they come.
#[derive(Debug)]
pub struct Recording {
    quanta: Consumer<Quantum>,
    samples: Consumer<f32>,
}

impl Recording {
    /// The next quantum, if it has come; its samples are what `into` holds then, [`QUANTUM`] frames with channels
    /// interleaved.
    pub fn next(&mut self, into: &mut Vec<f32>) -> Option<Quantum> {
        let quantum = self.quanta.pop().ok()?;
        into.clear();
        // They were there before it.
        into.extend(self.samples.read_chunk(quantum.samples).ok()?);
        Some(quantum)
    }
}

/// The near end of a recording.
struct Tap {
    quanta: Producer<Quantum>,
    samples: Producer<f32>,
}

impl Tap {
    fn new(rate: u32, channels: usize) -> (Tap, Recording) {
        let frames = (SECONDS * f64::from(rate)) as usize;
        let (quanta, come) = RingBuffer::new(frames.div_ceil(QUANTUM));
        let (samples, sound) = RingBuffer::new(frames * channels.max(1));
        (Tap { quanta, samples }, Recording { quanta: come, samples: sound })
    }

    /// Passes a quantum on; says whether there was room. Of what nobody wants any more nothing is kept. RT.
    fn take(&mut self, quantum: Quantum, sound: impl Iterator<Item = f32>) -> bool {
        if self.quanta.slots() == 0 || self.quanta.is_abandoned() {
            return self.quanta.is_abandoned();
        }
        let Ok(room) = self.samples.write_chunk_uninit(quantum.samples) else { return false };
        room.fill_from_iter(sound);
        self.quanta.push(quantum).is_ok()
    }

    /// Whether there is plenty of room. RT.
    fn has_room(&self) -> bool {
        let half = self.quanta.slots() >= self.quanta.buffer().capacity() / 2
            && self.samples.slots() >= self.samples.buffer().capacity() / 2;
        half || self.quanta.is_abandoned()
    }
}

/// Everything of a desk that is kept.
pub(crate) struct Taps {
    master: Option<Tap>,
    /// Channels of the output.
    channels: usize,
    stems: Option<Tap>,
    inputs: Box<[Tap]>,
    coming: Consumer<(What, Tap)>,
    gone: Producer<Tap>,
}

/// How something begins to be kept while the desk plays. What it takes the place of comes back here, to be freed.
pub(crate) struct Door {
    coming: Producer<(What, Tap)>,
    gone: Consumer<Tap>,
    rate: u32,
    /// Channels of the output.
    channels: usize,
}

/// Taps that may be on their way, in and out.
const DOOR: usize = 4;

impl Door {
    /// Begins to keep something, without a gap from one of the next quanta on. A recording of the same that is under way gets
    /// no more.
    ///
    /// # Errors
    /// Too many have begun at once.
    pub(crate) fn begin(&mut self, what: What) -> Result<Recording, Full> {
        self.sweep();
        let channels = match what {
            What::Master => self.channels,
            What::Stems(channels) => stem_channels(channels),
        };
        let (tap, recording) = Tap::new(self.rate, channels);
        self.coming.push((what, tap)).map(|()| recording).map_err(|PushError::Full(_)| Full)
    }

    /// Frees what has come back.
    pub(crate) fn sweep(&mut self) {
        while self.gone.pop().is_ok() {}
    }
}

/// Too many recordings have begun at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// For how many channels of stems there is room when there are so many now.
fn stem_channels(now: usize) -> usize {
    let (least, most) = STEM_CHANNELS;
    now.clamp(least, most)
}

impl Taps {
    /// Rings for what is wanted of a desk that begins with `plan` and has so many channels of live input.
    pub(crate) fn new(wanted: Wanted, rate: u32, plan: &Plan, inputs: usize) -> (Taps, Door, Recordings) {
        let channels = plan.outputs.first().map_or(2, |output| output.slots.count);
        let captured: usize = plan.captures.iter().map(|capture| capture.slots.count).sum();
        let (master, output) = wanted.master.then(|| Tap::new(rate, channels)).unzip();
        let (stems, captures) = wanted.stems.then(|| Tap::new(rate, stem_channels(captured))).unzip();
        let (heard, inputs): (Vec<Tap>, _) = (0..wanted.inputs).map(|_| Tap::new(rate, inputs)).unzip();
        let ((begin, coming), (gone, back)) = (RingBuffer::new(DOOR), RingBuffer::new(DOOR));
        let taps = Taps { master, channels, stems, inputs: heard.into(), coming, gone };
        let door = Door { coming: begin, gone: back, rate, channels };
        (taps, door, Recordings { master: output, stems: captures, inputs })
    }

    /// Takes up what is to be kept from now on. RT.
    fn take_up(&mut self) {
        // What could not be given back waits.
        while self.gone.slots() > 0 {
            let Ok((what, tap)) = self.coming.pop() else { return };
            let place = match what {
                What::Master => &mut self.master,
                What::Stems(_) => &mut self.stems,
            };
            // There is room: nobody else pushes.
            if let Some(Err(PushError::Full(tap))) = place.replace(tap).map(|before| self.gone.push(before)) {
                std::mem::forget(tap);
            }
        }
    }

    /// Keeps the quantum that was computed last, which began at `frame` of the renderer's clock and heard this live
    /// input; says whether there was room. RT.
    pub(crate) fn take(&mut self, frame: u64, renderer: &Renderer, live: &[Buffer]) -> bool {
        self.take_up();
        let serial = renderer.serial();
        let of = |samples, late| Quantum { frame, serial, late, samples };
        let plan = &renderer.program().plan;
        let mut room = true;
        if let Some(tap) = &mut self.master {
            let late = plan.outputs.first().map_or(0, |output| output.late);
            let channels = self.channels;
            let sound = (0..QUANTUM * channels).map(|i| output(renderer, i % channels, i / channels));
            room &= tap.take(of(QUANTUM * channels, late), sound);
        }
        if let Some(tap) = &mut self.stems {
            let late = plan.captures.first().map_or(0, |capture| capture.late);
            let samples = renderer.captures().map(|sound| sound.len() * QUANTUM).sum();
            let frame = |i: usize| renderer.captures().flatten().map(move |buffer| buffer[i] as f32);
            room &= tap.take(of(samples, late), (0..QUANTUM).flat_map(frame));
        }
        for tap in &mut self.inputs {
            let sound = (0..QUANTUM).flat_map(|i| live.iter().map(move |buffer| buffer[i] as f32));
            room &= tap.take(of(QUANTUM * live.len(), 0), sound);
        }
        room
    }

    /// Whether there is plenty of room for what is kept. RT.
    pub(crate) fn has_room(&self) -> bool {
        self.master.iter().chain(&self.stems).chain(&self.inputs).all(Tap::has_room)
    }
}

/// A sample of what leaves by the output with the lowest channels. One that the text has no more is heard until it has
/// faded. RT.
pub(crate) fn output(renderer: &Renderer, channel: usize, frame: usize) -> f32 {
    let heard =
        renderer.outputs().enumerate().filter(|(n, (output, _))| *n == 0 || output.leaving && output.send.is_none());
    let heard = heard.filter_map(|(_, (_, sound))| sound.get(channel));
    heard.map(|buffer| buffer[frame]).sum::<f64>() as f32
}
