//! Where devices meet the desk: who may ask for sound now, a card or the clock that stands in for it.
//!
//! A dead device may never let go of what was given to it. So none is given anything: the playback stays in a [`Seat`], and
//! each device has an [`Outlet`] that asks there. The audio thread never waits for it: it takes it or, in the rare case
//! that the other side is just at it, gives a block of silence.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use crate::fade::{Ramp, fade_frames};
use crate::kernel::QUANTUM;
use crate::playback::{Capture, Driven, Load, Playback};

/// How long the sound fades in on a device that returns, in milliseconds.
const FADE_MS: f64 = 50.0;

/// How long a returning device is given silence before it is given sound: it fills its buffers first, faster than time.
const SETTLE: Duration = Duration::from_millis(100);

/// Being later than this is no stall but a machine that slept: the time is not made up for.
const ASLEEP: Duration = Duration::from_secs(10);

/// How long the clock waits before it looks again whether it is needed, and whether media are ready.
const IDLE: Duration = Duration::from_millis(10);
const POLL: Duration = Duration::from_millis(1);

/// The number of nobody, and of the clock that stands in.
pub(super) const NOBODY: u64 = 0;

/// What time it is: the system's, or a pretended one in tests.
pub trait Clock: Send + Sync {
    /// Time since some moment that stays the same. RT.
    fn now(&self) -> Duration;
}

/// The system's time.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Which device has the say, and whether it is alive.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// The number of the device that may be served; those before it are given silence, should they still call.
    allowed: AtomicU64,
    /// The number of the device that is served now.
    served: AtomicU64,
    /// How often the device that may be served has called.
    beats: AtomicU64,
    /// The number of a device that is to fade out: another takes its place.
    leaving: AtomicU64,
}

impl Gate {
    /// Lets device `number` be served from now on, and no other: at once, or when it has settled.
    pub(super) fn allow(&self, number: u64, at_once: bool) {
        self.served.store(if at_once { number } else { NOBODY }, Ordering::SeqCst);
        self.allowed.store(number, Ordering::SeqCst);
    }

    /// Serves no device until one has settled.
    pub(super) fn stand_in(&self) {
        self.served.store(NOBODY, Ordering::SeqCst);
    }

    /// Lets device `number` fade out while it is still served; [`NOBODY`] lets none.
    pub(super) fn leave(&self, number: u64) {
        self.leaving.store(number, Ordering::SeqCst);
    }

    /// The number of the device that is served now.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    /// How often the device that may be served has called so far.
    pub(super) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Whether this device may be served; counts that it called. RT.
    fn knock(&self, number: u64) -> bool {
        let may = self.allowed.load(Ordering::SeqCst) == number;
        self.beats.fetch_add(u64::from(may), Ordering::Relaxed);
        may
    }
}

/// The playback, and how far it has come when.
struct Player {
    driven: Driven,
    /// Frames asked of it so far.
    given: u64,
    /// A moment, and how many frames had been asked for then: the time is reckoned from here.
    anchor: (Duration, u64),
}

/// A playback that several devices may ask, one at a time.
pub(super) struct Seat {
    pub(super) gate: Gate,
    player: Mutex<Player>,
    clock: Arc<dyn Clock>,
    rate: u32,
    /// What no sample exceeds.
    ceiling: f32,
}

impl Seat {
    pub(super) fn new(playback: Box<dyn Playback>, load: Arc<Load>, rate: u32, clock: Arc<dyn Clock>) -> Arc<Self> {
        let ceiling = playback.ceiling();
        let player = Player { driven: Driven::new(playback, load, rate), given: 0, anchor: (clock.now(), 0) };
        let seat = Seat { gate: Gate::default(), player: Mutex::new(player), clock, rate, ceiling };
        // Some systems make a mutex when it is first used: that is now.
        drop(seat.player.try_lock());
        Arc::new(seat)
    }

    /// Does something with the playback, unless the other side is just at it. RT.
    fn with<T>(&self, act: impl FnOnce(&mut Player) -> T) -> Option<T> {
        match self.player.try_lock() {
            Ok(mut player) => Some(act(&mut player)),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(player)) => Some(act(&mut player.into_inner())),
        }
    }
}

impl Player {
    /// The moment at which its next frame is due. RT.
    fn due(&self, rate: u32) -> Duration {
        let (at, frame) = self.anchor;
        at + Duration::from_secs_f64(self.given.saturating_sub(frame) as f64 / f64::from(rate))
    }
}

/// What one device calls for sound.
pub(super) struct Outlet {
    seat: Arc<Seat>,
    number: u64,
    /// Since when it waits to be served; `None` while it is.
    waits: Option<Duration>,
    fade: Ramp,
}

impl Outlet {
    /// The outlet of device `number`. One that is served at once has no need to fade in.
    pub(super) fn new(seat: Arc<Seat>, number: u64) -> Self {
        Outlet { seat, number, waits: None, fade: Ramp::still(1.0) }
    }

    /// Whether it is served this time; when it was not, it begins to wait, and later to fade in. RT.
    fn is_served(&mut self, now: Duration) -> bool {
        if self.seat.gate.served() == self.number {
            return true;
        }
        let since = *self.waits.get_or_insert(now);
        now.saturating_sub(since) >= SETTLE
    }
}

impl Playback for Outlet {
    fn fill(&mut self, block: &mut [f32], channels: usize) {
        let (now, seat) = (self.seat.clock.now(), self.seat.clone());
        let served = seat.gate.knock(self.number) && self.is_served(now);
        let filled = served.then(|| {
            seat.with(|player| {
                // Only who has the playback may change who is served: the clock looks again when it has it.
                seat.gate.served.store(self.number, Ordering::SeqCst);
                player.anchor = (now, player.given);
                player.driven.fill(block, channels);
                player.given += (block.len() / channels.max(1)) as u64;
            })
        });
        if filled.flatten().is_none() {
            return block.fill(0.0);
        }
        if self.waits.take().is_some() {
            self.fade = fade_in(seat.rate);
        }
        let leaves = seat.gate.leaving.load(Ordering::SeqCst) == self.number;
        self.fade.aim(if leaves { 0.0 } else { 1.0 }, 0, fade_frames(FADE_MS, f64::from(seat.rate)));
        self.fade.fade(block, channels);
    }

    fn ceiling(&self) -> f32 {
        self.seat.ceiling
    }
}

/// The way of the sound on a device that returns. RT.
fn fade_in(rate: u32) -> Ramp {
    let mut ramp = Ramp::still(0.0);
    ramp.aim(1.0, 0, fade_frames(FADE_MS, f64::from(rate)));
    ramp
}

/// The clock that stands in: while no device is served it asks for sound in time, so that the transport goes on.
pub struct StandIn {
    seat: Arc<Seat>,
    block: Vec<f32>,
    channels: usize,
}

impl StandIn {
    pub(super) fn new(seat: Arc<Seat>, channels: u16) -> Self {
        let channels = usize::from(channels.max(1));
        StandIn { seat, block: vec![0.0; QUANTUM * channels], channels }
    }

    /// Asks for all the sound that is due, and says how long there is nothing to do.
    pub fn step(&mut self) -> Duration {
        let StandIn { seat, block, channels } = self;
        loop {
            // Where a device is served the playback is not touched, lest the device find it taken.
            if seat.gate.served() != NOBODY {
                return IDLE;
            }
            let wait = seat.with(|player| {
                if seat.gate.served() != NOBODY {
                    return Some(IDLE);
                }
                let (now, due) = (seat.clock.now(), player.due(seat.rate));
                if now < due {
                    return Some(due - now);
                }
                // What is not ready is waited for, and the time made up for: nothing is missing from a recording.
                if !player.driven.ready() {
                    return Some(POLL);
                }
                if now > due + ASLEEP {
                    player.anchor = (now, player.given);
                }
                player.driven.fill_unhurried(block, *channels);
                player.given += QUANTUM as u64;
                None
            });
            match wait {
                Some(Some(wait)) => return wait,
                Some(None) => {}
                None => return POLL,
            }
        }
    }
}

/// What takes the sound of input devices that come and go, one at a time.
pub(super) struct Ear {
    pub(super) gate: Gate,
    capture: Mutex<Box<dyn Capture>>,
    rate: u32,
}

impl Ear {
    pub(super) fn new(capture: Box<dyn Capture>, rate: u32) -> Arc<Self> {
        let ear = Ear { gate: Gate::default(), capture: Mutex::new(capture), rate };
        drop(ear.capture.try_lock());
        Arc::new(ear)
    }
}

/// What one input device gives its sound to.
pub(super) struct Inlet {
    ear: Arc<Ear>,
    number: u64,
    fade: Ramp,
    scratch: Vec<f32>,
}

impl Inlet {
    /// The inlet of device `number`. One that is served at once has no need to fade in.
    pub(super) fn new(ear: Arc<Ear>, number: u64, channels: u16) -> Self {
        Inlet { ear, number, fade: Ramp::still(1.0), scratch: vec![0.0; QUANTUM * usize::from(channels.max(1))] }
    }
}

impl Capture for Inlet {
    fn take(&mut self, block: &[f32], channels: usize) {
        if !self.ear.gate.knock(self.number) {
            return;
        }
        // Nobody else ever takes it for longer than a device that is not allowed any more needs to leave.
        let Ok(mut capture) = self.ear.capture.try_lock() else { return };
        if self.ear.gate.served.swap(self.number, Ordering::SeqCst) != self.number {
            capture.begins_anew();
            self.fade = fade_in(self.ear.rate);
        }
        if self.fade.is_still() {
            return capture.take(block, channels);
        }
        for part in block.chunks(self.scratch.len()) {
            let faded = &mut self.scratch[..part.len()];
            faded.copy_from_slice(part);
            self.fade.fade(faded, channels);
            capture.take(faded, channels);
        }
    }
}
