//! Keeps a desk sounding on devices that come and go.
//!
//! ```text
//!            opened            no call for a while             calls again
//! ┌ playing ◄────────── away ◄───────────────────── playing ──► silent ──► playing
//! │                      ▲ ▲                                      │
//! └──────── is lost ─────┘ └────────── no call for long ──────────┘
//! ```
//!
//! While it does not play, a clock stands in for the device ([`StandIn`]), so that the transport goes on as if nothing had
//! happened; what would have been heard meanwhile is skipped. When a device is there again it is given sound as soon as it
//! asks for it in an even pace, and fades in. Inputs are kept in the same way, each direction by a [`Keeper`] of its own, so
//! that the loss of one leaves the other be.
//!
//! [`Keeper::look`] takes all decisions and knows no threads; [`Kept`] is what runs it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::device::{Fault, Faults, Format, OpenError, Wanted};
use crate::playback::{Capture, Load, Playback};
use crate::resampled::{ResampledCapture, ResampledPlayback};

mod edge;
mod news;

pub use edge::{Clock, StandIn, SystemClock};
use edge::{Ear, Inlet, NOBODY, Outlet, Seat};
pub use news::{News, Opening};

/// How often a keeper looks.
const PERIOD: Duration = Duration::from_millis(20);

/// How long a device may not call before the clock stands in for it.
const SILENT: Duration = Duration::from_millis(500);

/// How long a device may not call before it is given up and opened anew: some go without a word.
const GIVEN_UP: Duration = Duration::from_secs(3);

/// How long to wait before a device is tried again: at first, and at most. It doubles in between.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How long a device whose place another takes is given to fade out: the fade, and the largest block.
const LEAVING: Duration = Duration::from_millis(250);

/// How long a dead device may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// How long a program that ends waits for its devices.
const ENDING: Duration = Duration::from_secs(2);

/// Buffers of other sizes that are tried when a device refuses the one wanted.
const BUFFERS: std::ops::RangeInclusive<u32> = 16..=8192;

/// What gives a playback or a capture to a device that is about to open, when it is known how.
pub type Maker<'a, T> = &'a mut dyn FnMut(&Format) -> Result<Box<T>, String>;

/// What opens devices: the system's, or pretended ones in tests.
pub trait Devices: Send {
    /// Opens a device for playing, which stands still until it is started.
    ///
    /// # Errors
    /// There is no such device, or it refuses.
    fn open_output(&mut self, wanted: &Wanted, make: Maker<dyn Playback>) -> Result<Box<dyn Device>, OpenError>;

    /// Opens a device for listening, which stands still until it is started.
    ///
    /// # Errors
    /// There is no such device, or it refuses.
    fn open_input(&mut self, wanted: &Wanted, make: Maker<dyn Capture>) -> Result<Box<dyn Device>, OpenError>;
}

/// An open device. Dropping it closes it.
pub trait Device: Send {
    /// How it is open.
    fn format(&self) -> &Format;

    /// Lets it run.
    ///
    /// # Errors
    /// The device refuses.
    fn start(&self) -> Result<(), OpenError>;

    /// What went wrong with it.
    fn faults(&self) -> &Faults;
}

/// Which way the sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the desk to the device.
    Output,
    /// From the device to the desk.
    Input,
}

/// What a keeper is to keep open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// As [`Wanted::name`].
    pub name: Option<String>,
    /// Frames a second, of the session.
    pub rate: u32,
    /// Frames at a time.
    pub buffer: u32,
    /// The least number of channels, if there is a choice.
    pub channels: u16,
}

/// How it stands with a keeper's devices: how they are open, and what they did wrong without being lost.
#[derive(Debug, Default)]
pub struct Standing {
    channels: AtomicU16,
    dropouts: AtomicU64,
    others: AtomicU64,
}

impl Standing {
    /// Channels of the newest device; of the wish, if there was none yet.
    pub fn channels(&self) -> u16 {
        self.channels.load(Ordering::Relaxed)
    }

    /// How often the host said that a block came too late, since last asked.
    pub fn take_dropouts(&self) -> u64 {
        self.dropouts.swap(0, Ordering::Relaxed)
    }

    /// How often it spoke of anything else, since last asked.
    pub fn take_others(&self) -> u64 {
        self.others.swap(0, Ordering::Relaxed)
    }
}

/// The end of one direction that stays, whichever device is at the other.
#[derive(Clone)]
enum End {
    Output(Arc<Seat>),
    Input(Arc<Ear>),
}

impl End {
    fn gate(&self) -> &edge::Gate {
        match self {
            End::Output(seat) => &seat.gate,
            End::Input(ear) => &ear.gate,
        }
    }

    fn direction(&self) -> Direction {
        match self {
            End::Output(_) => Direction::Output,
            End::Input(_) => Direction::Input,
        }
    }

    /// Opens a device, without starting it, whose number is `number`.
    fn open(
        &self,
        devices: &mut dyn Devices,
        wish: &Wish,
        buffer: u32,
        number: u64,
    ) -> Result<Box<dyn Device>, OpenError> {
        let Wish { name, rate, channels, .. } = wish;
        let wanted = Wanted { name: name.as_deref(), rate: *rate, buffer, channels: *channels };
        match self {
            End::Output(seat) => devices.open_output(&wanted, &mut |format| {
                let outlet = Box::new(Outlet::new(seat.clone(), number));
                if format.rate == *rate {
                    return Ok(outlet);
                }
                Ok(Box::new(ResampledPlayback::new(outlet, *rate, format.rate, usize::from(format.channels))?))
            }),
            End::Input(ear) => devices.open_input(&wanted, &mut |format| {
                let inlet = Box::new(Inlet::new(ear.clone(), number, format.channels));
                if format.rate == *rate {
                    return Ok(inlet);
                }
                Ok(Box::new(ResampledCapture::new(inlet, *rate, format.rate, usize::from(format.channels))?))
            }),
        }
    }
}

/// How it stands with the device.
enum State {
    /// It is open.
    Open {
        device: Box<dyn Device>,
        number: u64,
        /// How often it had called, and how long it has not called since.
        beats: u64,
        still: Duration,
        /// Since when nothing has been heard, and what is to be told when that is over.
        silent: Option<(Duration, Return)>,
    },
    /// It is not, and is tried again at `next`.
    Away { since: Duration, next: Duration, pause: Duration, refused: Option<OpenError> },
}

/// What has happened when something is heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Return {
    /// The same device calls again.
    Resumed,
    /// A device has been opened.
    Opened,
}

/// What is to take the place of the device that is open.
struct Coming {
    /// None is to: there is to be silence.
    device: Option<(Box<dyn Device>, u64)>,
    wish: Wish,
    since: Duration,
}

/// A dead device that is being closed on a thread of its own.
struct Closing {
    device: String,
    since: Instant,
    done: Receiver<()>,
}

/// Keeps one direction open.
pub struct Keeper {
    devices: Box<dyn Devices>,
    clock: Arc<dyn Clock>,
    wish: Wish,
    end: End,
    state: State,
    coming: Option<Coming>,
    /// The number of the newest device.
    newest: u64,
    closing: Vec<Closing>,
    looked: Duration,
    standing: Arc<Standing>,
    no_priority_told: bool,
}

impl Keeper {
    /// A keeper of the way out, with no device yet, and the clock that stands in for one. `load` is what the playback costs.
    pub fn of_output(
        devices: Box<dyn Devices>,
        clock: Arc<dyn Clock>,
        wish: Wish,
        playback: Box<dyn Playback>,
        load: Arc<Load>,
    ) -> (Keeper, StandIn) {
        let seat = Seat::new(playback, load, wish.rate, clock.clone());
        let stand_in = StandIn::new(seat.clone(), wish.channels);
        (Keeper::new(devices, clock, wish, End::Output(seat)), stand_in)
    }

    /// A keeper of the way in, with no device yet.
    pub fn of_input(devices: Box<dyn Devices>, clock: Arc<dyn Clock>, wish: Wish, capture: Box<dyn Capture>) -> Keeper {
        let ear = Ear::new(capture, wish.rate);
        Keeper::new(devices, clock, wish, End::Input(ear))
    }

    fn new(devices: Box<dyn Devices>, clock: Arc<dyn Clock>, wish: Wish, end: End) -> Keeper {
        let now = clock.now();
        let state = State::Away { since: now, next: now, pause: FIRST_PAUSE, refused: None };
        let standing = Arc::new(Standing { channels: wish.channels.into(), ..Standing::default() });
        Keeper {
            devices,
            clock,
            wish,
            end,
            state,
            coming: None,
            newest: NOBODY,
            closing: Vec::new(),
            looked: now,
            standing,
            no_priority_told: false,
        }
    }

    /// Opens the first device, which sounds at once and does not fade in.
    ///
    /// # Errors
    /// There is none, or it refuses.
    pub fn open(&mut self) -> Result<Opening, OpenError> {
        let (device, number) = self.open_device(&self.wish.clone(), Some(true))?;
        let opening = Opening { format: device.format().clone(), wish: self.wish.clone() };
        self.hold(device, number, None);
        Ok(opening)
    }

    fn hold(&mut self, device: Box<dyn Device>, number: u64, silent: Option<(Duration, Return)>) {
        self.standing.channels.store(device.format().channels, Ordering::Relaxed);
        self.looked = self.clock.now();
        self.state = State::Open { device, number, beats: self.end.gate().beats(), still: Duration::ZERO, silent };
    }

    /// Lets another device take the place of the one that is open, or silence that of any: the other is opened first, then the
    /// one before fades out and the other in. What comes of it is told, now or when [`Keeper::look`] sees it.
    pub fn change(&mut self, name: Option<&str>, mut tell: impl FnMut(News)) {
        let wish = Wish { name: name.map(str::to_owned), ..self.wish.clone() };
        let device = match name.map(|_| self.open_device(&wish, None)).transpose() {
            Ok(device) => device,
            Err(error) => return tell(News::Unchanged(error)),
        };
        if let Some(Coming { device: Some((device, _)), .. }) = self.coming.take() {
            self.close(device);
        }
        if let State::Open { number, .. } = &self.state {
            self.end.gate().leave(*number);
        }
        self.coming = Some(Coming { device, wish, since: self.clock.now() });
    }

    /// Exchanges the devices, once the one that goes has faded.
    fn exchange(&mut self, now: Duration, tell: &mut impl FnMut(News)) {
        let is_open = matches!(self.state, State::Open { .. });
        let faded = |coming: &mut Coming| !is_open || now.saturating_sub(coming.since) >= LEAVING;
        let Some(Coming { device, wish, .. }) = self.coming.take_if(faded) else { return };
        self.wish = wish;
        self.end.gate().leave(NOBODY);
        self.end.gate().allow(device.as_ref().map_or(NOBODY, |(_, number)| *number), false);
        // Where silence is wanted no device is ever tried again.
        let away = State::Away { since: now, next: Duration::MAX, pause: FIRST_PAUSE, refused: None };
        if let State::Open { device, .. } = std::mem::replace(&mut self.state, away) {
            self.close(device);
        }
        tell(News::Changed(device.map(|(device, number)| {
            let opening = Opening { format: device.format().clone(), wish: self.wish.clone() };
            self.hold(device, number, None);
            opening
        })));
    }

    /// How it stands with the devices.
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    /// Sees how it stands, and does what is to be done; to be called every few hundredths of a second. Opening a device may
    /// take seconds.
    pub fn look(&mut self, mut tell: impl FnMut(News)) {
        let now = self.clock.now();
        // A program that was itself stopped for a while blames no device.
        let passed = now.saturating_sub(self.looked).min(2 * PERIOD);
        self.looked = now;
        // Who is not allowed any more may have had the last word.
        let number = if let State::Open { number, .. } = self.state { number } else { NOBODY };
        if self.end.gate().served() != number {
            self.end.gate().stand_in();
        }
        self.closing.retain(|closing| !closing.is_over(&mut tell));
        self.exchange(now, &mut tell);
        match self.state {
            State::Open { .. } => self.attend(now, passed, &mut tell),
            State::Away { next, .. } if now >= next => self.try_again(now, &mut tell),
            State::Away { .. } => {}
        }
    }

    /// Sees how it stands with an open device.
    fn attend(&mut self, now: Duration, passed: Duration, tell: &mut impl FnMut(News)) {
        let State::Open { device, number, beats, still, silent } = &mut self.state else { return };
        let (gate, direction) = (self.end.gate(), self.end.direction());
        let faults = device.faults();
        self.standing.dropouts.fetch_add(faults.take(Fault::Dropout), Ordering::Relaxed);
        self.standing.others.fetch_add(faults.take(Fault::Other), Ordering::Relaxed);
        if faults.take(Fault::Moved) > 0 {
            tell(News::Moved(direction));
        }
        if faults.take(Fault::NoPriority) > 0 && !std::mem::replace(&mut self.no_priority_told, true) {
            tell(News::NoPriority);
        }
        let called = gate.beats();
        *still = if called == *beats { *still + passed } else { Duration::ZERO };
        *beats = called;
        if *still >= SILENT && silent.is_none() {
            gate.stand_in();
            *silent = Some((now.saturating_sub(*still), Return::Resumed));
            tell(News::Silent(direction));
        }
        if still.is_zero()
            && gate.served() == *number
            && let Some((since, how)) = silent.take()
        {
            let after = now.saturating_sub(since);
            let opening = Opening { format: device.format().clone(), wish: self.wish.clone() };
            tell(match how {
                Return::Resumed => News::Resumed(direction, after),
                Return::Opened => News::Back(direction, opening, after),
            });
        }
        if faults.lost() || *still >= GIVEN_UP {
            let known = *silent;
            self.lose(now, known, tell);
        }
    }

    /// Gives an open device up.
    fn lose(&mut self, now: Duration, silent: Option<(Duration, Return)>, tell: &mut impl FnMut(News)) {
        // A device that was just tried, and gave nothing, has never been back.
        let tried = matches!(silent, Some((_, Return::Opened)));
        if !tried {
            tell(News::Gone(self.end.direction()));
        }
        let since = silent.map_or(now, |(since, _)| since);
        let pause = if tried { LONGEST_PAUSE } else { FIRST_PAUSE };
        self.end.gate().allow(NOBODY, false);
        let away = State::Away { since, next: now + pause, pause, refused: None };
        if let State::Open { device, .. } = std::mem::replace(&mut self.state, away) {
            self.close(device);
        }
    }

    fn try_again(&mut self, now: Duration, tell: &mut impl FnMut(News)) {
        let opened = self.open_device(&self.wish.clone(), Some(false));
        let State::Away { since, next, pause, refused } = &mut self.state else { return };
        match opened {
            Ok((device, number)) => {
                let since = *since;
                self.hold(device, number, Some((since, Return::Opened)));
            }
            Err(error) => {
                *pause = (2 * *pause).min(LONGEST_PAUSE);
                *next = now.max(self.clock.now()) + *pause;
                // That it is not there is known.
                let news = matches!(error, OpenError::Refused { .. } | OpenError::Unsupported { .. });
                if news && refused.as_ref() != Some(&error) {
                    tell(News::Refused(error.clone()));
                    *refused = Some(error);
                }
            }
        }
    }

    /// Opens and starts a device: with the buffer wanted, or the nearest size that it takes. It is served at once, or when it
    /// has settled; without a word of that it is given silence.
    fn open_device(&mut self, wish: &Wish, at_once: Option<bool>) -> Result<(Box<dyn Device>, u64), OpenError> {
        let mut refused = None;
        for buffer in sizes(wish.buffer) {
            self.newest += 1;
            match self.end.open(&mut *self.devices, wish, buffer, self.newest) {
                Ok(device) => {
                    if let Some(at_once) = at_once {
                        self.end.gate().allow(self.newest, at_once);
                    }
                    if let Err(error) = device.start() {
                        if at_once.is_some() {
                            self.end.gate().allow(NOBODY, false);
                        }
                        self.close(device);
                        return Err(error);
                    }
                    return Ok((device, self.newest));
                }
                Err(error @ OpenError::Unsupported { .. }) => refused = refused.or(Some(error)),
                Err(error) => return Err(refused.unwrap_or(error)),
            }
        }
        Err(refused.unwrap_or(OpenError::None))
    }

    /// Closes a device on a thread of its own: one that is dead may take for ever.
    fn close(&mut self, device: Box<dyn Device>) {
        let (tell, done) = mpsc::channel();
        let closing = Closing { device: device.format().description.clone(), since: Instant::now(), done };
        let thread = thread::Builder::new().name("gainstage-close".into()).spawn(move || {
            drop(device);
            // Whoever asked need not wait any more.
            let _ = tell.send(());
        });
        // Without a thread it is closed here, when what could not be sent there is dropped.
        if thread.is_ok() {
            self.closing.push(closing);
        }
    }
}

impl Closing {
    /// Whether it is closed, or has been told of.
    fn is_over(&self, tell: &mut impl FnMut(News)) -> bool {
        let hangs = self.since.elapsed() > CLOSING;
        let over = !matches!(self.done.try_recv(), Err(TryRecvError::Empty));
        if hangs && !over {
            tell(News::Hangs(self.device.clone()));
        }
        hangs || over
    }
}

/// A size and then others, the nearest first: twice, half, four times, a quarter...
fn sizes(wanted: u32) -> impl Iterator<Item = u32> {
    let others = (1..10).flat_map(move |octaves| [wanted.checked_shl(octaves), wanted.checked_shr(octaves)]);
    std::iter::once(wanted).chain(others.flatten().filter(|size| BUFFERS.contains(size)))
}

/// A keeper at work, and the clock that stands in for its devices. Dropping it closes them.
pub struct Kept {
    news: Receiver<News>,
    changes: Sender<Option<String>>,
    standing: Arc<Standing>,
    stop: Arc<AtomicBool>,
    clock: Option<JoinHandle<()>>,
    /// Disconnected when the keeper is done.
    done: Receiver<()>,
}

impl Kept {
    /// Lets a keeper work, and its clock if it has one.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(mut keeper: Keeper, stand_in: Option<StandIn>) -> io::Result<Kept> {
        let (tell, news) = mpsc::channel();
        let (busy, done) = mpsc::channel();
        let (changes, changed) = mpsc::channel::<Option<String>>();
        let (stop, standing) = (Arc::new(AtomicBool::new(false)), keeper.standing.clone());
        let stopped = stop.clone();
        thread::Builder::new().name("gainstage-devices".into()).spawn(move || {
            let _busy: Sender<()> = busy;
            while !stopped.load(Ordering::Relaxed) {
                for name in changed.try_iter() {
                    keeper.change(name.as_deref(), |news| drop(tell.send(news)));
                }
                // Whoever does not listen any more is about to stop.
                keeper.look(|news| drop(tell.send(news)));
                thread::sleep(PERIOD);
            }
            keeper.end.gate().allow(NOBODY, false);
            drop(keeper);
        })?;
        let mut kept = Kept { news, changes, standing, stop: stop.clone(), clock: None, done };
        if let Some(mut stand_in) = stand_in {
            let clock = thread::Builder::new().name("gainstage-clock".into());
            kept.clock = Some(clock.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(stand_in.step());
                }
            })?);
        }
        Ok(kept)
    }

    /// Lets another device take the place of the one that is open, or silence that of any. What comes of it is told.
    pub fn change(&self, name: Option<String>) {
        // A keeper that is gone keeps nothing open.
        let _ = self.changes.send(name);
    }

    /// What there is to tell since last asked.
    pub fn news(&self) -> impl Iterator<Item = News> {
        self.news.try_iter()
    }

    /// How it stands with the devices.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A device that hangs ends with the program.
        let _ = self.done.recv_timeout(ENDING);
        if let Some(clock) = self.clock.take() {
            let _ = clock.join();
        }
    }
}
