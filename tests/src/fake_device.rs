//! A sound card that can be unplugged, stalled and made to refuse, in pretended time.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assert_no_alloc::assert_no_alloc;
use engine::device::{Fault, Faults, Format, OpenError, Wanted};
use engine::keeper::{Clock, Device, Devices, Maker};
use engine::playback::{Capture, Playback};

/// Time that passes when a test lets it.
#[derive(Default)]
pub struct Time(AtomicU64);

impl Time {
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl Clock for Time {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// What an open stream calls.
enum Called {
    Output(Box<dyn Playback>),
    Input(Box<dyn Capture>),
}

struct Stream {
    called: Called,
    format: Format,
    faults: Arc<Faults>,
    /// When it calls next; `None` while it stands still.
    next: Option<Duration>,
    /// Frames that it has called for.
    called_for: usize,
}

/// What a card is like.
pub struct Properties {
    pub present: bool,
    pub stalled: bool,
    /// The one rate it knows.
    pub rate: u32,
    pub buffers: RangeInclusive<u32>,
    /// What its input hears, all the time.
    pub hears: f32,
    /// In place of that it hears what the first channel has played, by so many frames later.
    pub loops: Option<usize>,
}

pub struct Card {
    pub is: Properties,
    streams: BTreeMap<u64, Stream>,
    opened: u64,
    /// What its first channel has played.
    pub heard: Vec<f32>,
}

/// A card, as the test holds it and as the program opens it.
#[derive(Clone)]
pub struct FakeCard {
    card: Arc<Mutex<Card>>,
    time: Arc<Time>,
}

/// Blocks that an output asks for at once when it is started.
const PREFILL: u32 = 2;

impl FakeCard {
    pub fn new(time: Arc<Time>) -> Self {
        let is = Properties { present: true, stalled: false, rate: 48_000, buffers: 1..=8192, hears: 0.5, loops: None };
        FakeCard {
            card: Arc::new(Mutex::new(Card { is, streams: BTreeMap::new(), opened: 0, heard: Vec::new() })),
            time,
        }
    }

    pub fn card(&self) -> MutexGuard<'_, Card> {
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pulls the plug: what is open says that it is gone, and calls no more.
    pub fn unplug(&self) {
        let mut card = self.card();
        card.is.present = false;
        for stream in card.streams.values_mut() {
            stream.next = None;
            stream.faults.note(Fault::Lost);
        }
    }

    /// How it is open.
    pub fn format(&self) -> Option<Format> {
        self.card().streams.values().last().map(|stream| stream.format.clone())
    }

    /// What counts its faults.
    pub fn faults(&self) -> Arc<Faults> {
        self.card().streams.values().last().expect("it is open").faults.clone()
    }

    /// Makes all calls that are due.
    pub fn call(&self) {
        let now = self.time.now();
        let mut card = self.card();
        let Card { is, streams, heard, .. } = &mut *card;
        for stream in streams.values_mut() {
            while let Some(due) = stream.next.filter(|due| *due <= now && !is.stalled) {
                let Format { rate, channels, buffer, .. } = stream.format;
                let mut block = vec![is.hears; buffer as usize * usize::from(channels)];
                match &mut stream.called {
                    Called::Output(playback) => {
                        block.fill(f32::NAN);
                        assert_no_alloc(|| playback.fill(&mut block, channels.into()));
                        heard.extend(block.iter().step_by(channels.into()));
                    }
                    Called::Input(capture) => {
                        if let Some(delay) = is.loops {
                            for (i, frame) in block.chunks_exact_mut(channels.into()).enumerate() {
                                let played = (stream.called_for + i).checked_sub(delay);
                                frame.fill(played.map_or(0.0, |at| heard[at]));
                            }
                        }
                        assert_no_alloc(|| capture.take(&block, channels.into()));
                    }
                }
                stream.called_for += buffer as usize;
                stream.next = Some(due + Duration::from_secs_f64(f64::from(buffer) / f64::from(rate)));
            }
        }
    }

    fn open(
        &self,
        wanted: &Wanted,
        make: impl FnOnce(&Format) -> Result<Called, String>,
    ) -> Result<Box<dyn Device>, OpenError> {
        let device = "fake".to_owned();
        let mut card = self.card();
        if !card.is.present {
            return Err(OpenError::Absent { device, why: "it is not plugged in".into() });
        }
        if !card.is.buffers.contains(&wanted.buffer) {
            return Err(OpenError::Unsupported { device, why: format!("not {} frames", wanted.buffer) });
        }
        let format = Format {
            name: device.clone(),
            description: "Fake".into(),
            host: "tests".into(),
            rate: card.is.rate,
            channels: 2,
            buffer: wanted.buffer,
        };
        let called = make(&format).map_err(|why| OpenError::Refused { device, why })?;
        let faults = Arc::new(Faults::default());
        card.opened += 1;
        let id = card.opened;
        card.streams
            .insert(id, Stream { called, format: format.clone(), faults: faults.clone(), next: None, called_for: 0 });
        Ok(Box::new(Opened { id, format, faults, of: self.clone() }))
    }
}

impl Devices for FakeCard {
    fn open_output(&mut self, wanted: &Wanted, make: Maker<dyn Playback>) -> Result<Box<dyn Device>, OpenError> {
        self.open(wanted, |format| make(format).map(Called::Output))
    }

    fn open_input(&mut self, wanted: &Wanted, make: Maker<dyn Capture>) -> Result<Box<dyn Device>, OpenError> {
        self.open(wanted, |format| make(format).map(Called::Input))
    }
}

struct Opened {
    id: u64,
    format: Format,
    faults: Arc<Faults>,
    of: FakeCard,
}

impl Device for Opened {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(&self) -> Result<(), OpenError> {
        let Format { rate, buffer, .. } = self.format;
        let block = Duration::from_secs_f64(f64::from(buffer) / f64::from(rate));
        let now = self.of.time.now();
        if let Some(stream) = self.of.card().streams.get_mut(&self.id) {
            stream.next = match stream.called {
                Called::Output(_) => Some(now.saturating_sub(block * PREFILL)),
                Called::Input(_) => Some(now + block),
            };
        }
        Ok(())
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.of.card().streams.remove(&self.id);
    }
}
