//! The thread that knows which frame of the transport is heard at which time, and sends clocks and notes by that.
//!
//! The audio side says where it is once a block, whenever that is computed; a loop evens that out. What is computed is heard
//! later by what the device holds, and by what the desk itself is late.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine::live::Dial;
use engine::sources::midi_out::Sent;
use engine::tempo::Tempo;

use super::lock::Lock;
use super::notes::{Message, Notes};
use super::outlet::{Outlet, Outlets};
use super::ticker::{Seen, Ticker};
use crate::status;

/// How often it is looked where the transport is, and how far ahead it is sent.
const LOOK: Duration = Duration::from_millis(1);
const AHEAD: f64 = 0.003;

/// How often a port that is not there is looked for, in seconds.
const PORTS: f64 = 1.0;

/// How long the loop remembers, in seconds, and how much the rate that is said weighs, in blocks.
const MEMORY: f64 = 4.0;
const WEIGHT: f64 = 200.0;

/// Where clocks are sent to: the name of a port, and how much later than it is heard, in seconds.
pub type Sends = Vec<(String, f64)>;

/// What the thread and the desk share.
struct Shared {
    /// Where the transport is as it is heard.
    seen: Option<Seen>,
    tempo: Arc<Tempo>,
    /// Frames by which what is computed is late against the transport.
    late: f64,
    sends: Sends,
    /// Notes that are to be sent, from which frame on, and how many times others were before.
    notes: (Arc<[Sent]>, u64, u64),
}

/// The thread. Dropping it ends it.
pub struct Watch {
    shared: Arc<Mutex<Shared>>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Where a transport is, by whatever says so.
pub trait Reading {
    /// The frame after what has been computed, and whether it goes on.
    fn read(&self) -> (u64, bool);
}

impl Reading for Dial {
    fn read(&self) -> (u64, bool) {
        (self.transport(), self.is_rolling())
    }
}

/// Who has the time.
trait Time {
    /// Seconds since an epoch.
    fn now(&self) -> f64;

    /// Comes back at a time, or at once if that is gone by.
    fn wait(&self, until: f64);
}

/// Since this moment.
impl Time for Instant {
    fn now(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }

    fn wait(&self, until: f64) {
        thread::sleep(Duration::try_from_secs_f64(until - self.now()).unwrap_or_default());
    }
}

impl Watch {
    /// Watches a transport, whose sound is heard `held` frames after it is computed; times count from `epoch`.
    pub fn start<O: Outlets>(
        reading: impl Reading + Send + 'static,
        tempo: Tempo,
        held: f64,
        epoch: Instant,
        ports: impl FnOnce() -> O + Send + 'static,
    ) -> std::io::Result<Watch> {
        let shared = Shared::new(tempo);
        let closing = Arc::new(AtomicBool::new(false));
        let (told, end) = (shared.clone(), closing.clone());
        let thread = thread::Builder::new().name("gainstage-clock".into()).spawn(move || {
            let mut life = Life::new(told, held, ports(), epoch);
            while !end.load(Ordering::Relaxed) {
                life.look(&reading);
                thread::sleep(LOOK);
            }
            life.end();
        })?;
        Ok(Watch { shared, closing, thread: Some(thread) })
    }

    /// The musical time of the transport is this by now, and what is computed is late by so many frames.
    pub fn follow(&self, tempo: &Tempo, late: usize) {
        let mut shared = lock(&self.shared);
        shared.late = late as f64;
        if *shared.tempo != *tempo {
            shared.tempo = Arc::new(tempo.clone());
        }
    }

    /// Sends to these from now on.
    pub fn sends(&self, sends: Sends) {
        lock(&self.shared).sends = sends;
    }

    /// Sends these notes from a frame of the transport on, and no others.
    pub fn notes(&self, notes: Arc<[Sent]>, from: u64) {
        let mut shared = lock(&self.shared);
        let turn = shared.notes.2 + 1;
        shared.notes = (notes, from, turn);
    }

    /// The frame that is heard at a time since the epoch, in seconds; none while the transport stands still, or is unknown.
    pub fn frame_at(&self, time: f64) -> Option<f64> {
        let seen = lock(&self.shared).seen.filter(|seen| seen.rolling)?;
        Some(seen.frame + (time - seen.time) * seen.rate)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been shown there.
            let _ = thread.join();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn new(tempo: Tempo) -> Arc<Mutex<Shared>> {
        let (tempo, notes) = (Arc::new(tempo), (Arc::from([]), 0, 0));
        Arc::new(Mutex::new(Shared { seen: None, tempo, late: 0.0, sends: Vec::new(), notes }))
    }
}

/// A port that something is sent to.
struct Wire {
    name: String,
    /// How much later than it is heard a clock is sent, in seconds; none is without.
    clock: Option<f64>,
    ticker: Ticker,
    notes: Notes,
    outlet: Option<Outlet>,
    /// When it was looked for last, and what was said of it then.
    looked: Option<f64>,
    said: String,
}

/// What the thread does.
struct Life<O, T> {
    shared: Arc<Mutex<Shared>>,
    time: T,
    lock: Lock,
    held: f64,
    /// The frame that was read last, and when that was, in seconds.
    last: Option<u64>,
    looked: f64,
    /// Where it was that is not heard yet, the oldest first.
    passed: VecDeque<Seen>,
    ports: O,
    lines: Vec<Wire>,
    /// Which of the notes to be sent are known.
    turn: u64,
}

impl<O: Outlets, T: Time> Life<O, T> {
    fn new(shared: Arc<Mutex<Shared>>, held: f64, ports: O, time: T) -> Self {
        let lock = Lock::guessing(MEMORY, 1.0 / lock(&shared).tempo.rate(), WEIGHT);
        let (passed, lines) = (VecDeque::new(), Vec::new());
        Life { shared, time, lock, held, last: None, looked: 0.0, passed, ports, lines, turn: 0 }
    }

    fn look(&mut self, reading: &impl Reading) {
        let (frame, rolling) = reading.read();
        let now = self.time.now();
        if self.last.replace(frame) != Some(frame) {
            // It went there at some time since the last look, which was not always in time.
            let at = self.lock.time_of(frame as f64).map_or(now, |at| at.clamp(self.looked, now));
            self.lock.take(frame as f64, at);
        }
        self.looked = now;
        let heard = self.lock.place_at(now).zip(self.lock.period());
        let Some((place, period)) = heard else { return };
        let late = lock(&self.shared).late;
        let seen = self.heard(Seen { time: now, frame: place - self.held, rate: 1.0 / period, rolling }, late);
        let mut shared = lock(&self.shared);
        shared.seen = Some(seen);
        let (notes, from, turn) = shared.notes.clone();
        if shared.sends.is_empty() && notes.is_empty() && self.lines.is_empty() {
            return;
        }
        let (tempo, sends) = (shared.tempo.clone(), shared.sends.clone());
        drop(shared);
        self.connect(&sends, &notes);
        if std::mem::replace(&mut self.turn, turn) != turn {
            for line in &mut self.lines {
                let own: Vec<Sent> = notes.iter().filter(|sent| sent.port == line.name).cloned().collect();
                line.notes.set(&own, from);
            }
        }
        self.open();
        self.send(seen, &tempo);
    }

    /// Where that is what is heard, if it is late by so many frames: where it was so long before, through stops and jumps.
    fn heard(&mut self, seen: Seen, late: f64) -> Seen {
        let then = seen.time - late / seen.rate;
        self.passed.push_back(seen);
        while self.passed.get(1).is_some_and(|next| next.time <= then) {
            self.passed.pop_front();
        }
        let was = *self.passed.front().unwrap_or(&seen);
        Seen { time: seen.time, frame: was.frame + (then - was.time) * was.rate, ..was }
    }

    /// Whatever sounds somewhere is let go.
    fn end(&mut self) {
        for line in &mut self.lines {
            line.let_go();
        }
    }

    /// Has a wire to each port that is wanted; one that is wanted no more ends what it has begun.
    fn connect(&mut self, sends: &Sends, notes: &[Sent]) {
        let clock = |name: &str| sends.iter().find(|(port, _)| port == name).map(|(_, delay)| *delay);
        for line in &mut self.lines {
            line.clock = clock(&line.name);
        }
        let is_wanted = |name: &str| notes.iter().any(|sent| sent.port == name);
        self.lines.retain(|line| line.clock.is_some() || is_wanted(&line.name) || !line.notes.is_idle());
        for name in sends.iter().map(|(port, _)| port).chain(notes.iter().map(|sent| &sent.port)) {
            if self.lines.iter().all(|line| line.name != *name) {
                self.lines.push(Wire {
                    name: name.clone(),
                    clock: clock(name),
                    ticker: Ticker::default(),
                    notes: Notes::default(),
                    outlet: None,
                    looked: None,
                    said: String::new(),
                });
            }
        }
    }

    /// Opens what has come.
    fn open(&mut self) {
        let (ports, now) = (&mut self.ports, self.time.now());
        for line in self.lines.iter_mut().filter(|line| line.outlet.is_none()) {
            if line.looked.is_some_and(|looked| now - looked < PORTS) {
                continue;
            }
            line.looked = Some(now);
            line.open(ports);
        }
    }

    /// Sends what is due, each at its time. Notes that nobody takes are over when somebody does.
    fn send(&mut self, seen: Seen, tempo: &Tempo) {
        let mut due: Vec<(f64, usize, Vec<u8>)> = Vec::new();
        let until = seen.time + AHEAD;
        for (i, line) in self.lines.iter_mut().enumerate() {
            let notes = line.notes.due(seen, tempo, until);
            if line.outlet.is_none() {
                continue;
            }
            if let Some(delay) = line.clock {
                let later = Seen { frame: seen.frame - delay * seen.rate, ..seen };
                due.extend(line.ticker.due(later, tempo, until).into_iter().map(|(at, word)| (at, i, word.bytes())));
            }
            due.extend(notes.into_iter().map(|(at, message): (f64, Message)| (at, i, message.to_vec())));
        }
        due.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (at, i, bytes) in due {
            self.time.wait(at);
            self.lines[i].send(&bytes);
        }
    }
}

impl Wire {
    fn open(&mut self, ports: &mut impl Outlets) {
        let trouble = match ports.list() {
            Err(error) => format!("{error}: {} is sent nothing", self.name),
            Ok(all) if !all.contains(&self.name) => {
                let there = if all.is_empty() { "no port at all".into() } else { all.join(", ") };
                format!("there is no port \"{}\" yet: {} when it comes (there is {there})", self.name, self.what())
            }
            Ok(_) => match ports.open(&self.name) {
                Ok(outlet) => {
                    (self.outlet, self.ticker) = (Some(outlet), Ticker::default());
                    format!("{} to {}", self.what(), self.name)
                }
                Err(error) => format!("{} cannot be opened: {error}", self.name),
            },
        };
        if trouble != self.said {
            status::say(format!("MIDI: {trouble}"));
            self.said = trouble;
        }
    }

    /// What is sent there.
    fn what(&self) -> &'static str {
        match (self.clock, self.notes.is_idle()) {
            (Some(_), true) => "the clock is sent",
            (Some(_), false) => "the clock and notes are sent",
            (None, _) => "notes are sent",
        }
    }

    /// Ends all that it has begun.
    fn let_go(&mut self) {
        self.notes.let_go().iter().for_each(|off| self.send(off));
    }

    /// A port that takes nothing is gone.
    fn send(&mut self, bytes: &[u8]) {
        let sent = self.outlet.as_mut().map_or(Ok(()), |outlet| outlet(bytes));
        if let Err(error) = sent {
            self.outlet = None;
            self.said = format!("{} takes nothing any more: {error}", self.name);
            status::say(format!("MIDI: {}", self.said));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::follower::{Follower, Reader};
    use super::*;
    use engine::units::Clock;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    const RATE: f64 = 48_000.0;

    /// What the device holds, in frames and in seconds.
    const HELD: f64 = 960.0;
    const HELD_FOR: f64 = HELD / RATE;

    /// A time that goes by as it is told.
    type Now = Rc<Cell<f64>>;

    impl Time for Now {
        fn now(&self) -> f64 {
            self.get()
        }

        fn wait(&self, until: f64) {
            self.set(self.get().max(until));
        }
    }

    /// A transport that computes blocks of 10 ms when they are due: since when, from which frame, and whether it goes on.
    struct Blocks(Now, Cell<(f64, u64, bool)>);

    impl Blocks {
        fn turn(&self, frame: u64, rolling: bool) {
            self.1.set((self.0.get(), frame, rolling));
        }
    }

    impl Reading for Blocks {
        fn read(&self) -> (u64, bool) {
            let (begun, frame, rolling) = self.1.get();
            let blocks = if rolling { ((self.0.get() - begun) * 100.0 + 1e-6) as u64 } else { 0 };
            (frame + blocks * 480, rolling)
        }
    }

    type Out = Rc<RefCell<Vec<(f64, Vec<u8>)>>>;

    struct Fake(Out, Now);

    impl Outlets for Fake {
        fn list(&mut self) -> Result<Vec<String>, String> {
            Ok(vec!["drums".into()])
        }

        fn open(&mut self, _: &str) -> Result<Outlet, String> {
            let (sent, now) = (self.0.clone(), self.1.clone());
            Ok(Box::new(move |bytes| {
                sent.borrow_mut().push((now.get(), bytes.to_vec()));
                Ok(())
            }))
        }
    }

    /// A watch whose time is given, and what it sends.
    struct Stage {
        life: Life<Fake, Now>,
        blocks: Blocks,
        now: Now,
        sent: Out,
    }

    impl Stage {
        fn new(bpm: f64) -> Stage {
            let (now, sent) = (Now::default(), Out::default());
            let shared = Shared::new(Tempo::new(Clock { rate: RATE, tempo: bpm, beats_per_bar: 4.0 }));
            let life = Life::new(shared, HELD, Fake(sent.clone(), now.clone()), now.clone());
            Stage { life, blocks: Blocks(now.clone(), Cell::new((0.0, 0, true))), now, sent }
        }

        fn shared(&self) -> MutexGuard<'_, Shared> {
            lock(&self.life.shared)
        }

        /// Looks every millisecond.
        fn run(&mut self, seconds: f64) {
            let end = self.now.get() + seconds;
            while self.now.get() < end {
                self.life.look(&self.blocks);
                self.now.set(self.now.get() + 0.001);
            }
        }
    }

    /// Eight notes a bar.
    fn eighths() -> Arc<[Sent]> {
        let text = "tempo(240); input(\"m\", play(\"c4*8\", midi_out(\"drums\").channel(10).velocity(1)));";
        crate::load::graph_of(text).sent.into()
    }

    #[test]
    fn notes_are_sent_as_they_are_heard_and_none_hangs_when_the_watch_ends() {
        let mut stage = Stage::new(240.0);
        stage.shared().notes = (eighths(), 0, 1);
        stage.run(1.0);
        stage.life.end();
        let all = stage.sent.borrow().clone();
        assert_eq!(all.len(), 16);
        for (eighth, pair) in all.chunks(2).enumerate() {
            assert_eq!([&pair[0].1, &pair[1].1], [&vec![0x99, 60, 127], &vec![0x89, 60, 64]]);
            let heard = eighth as f64 / 8.0 + HELD_FOR;
            assert!((pair[0].0 - heard).abs() < 1e-3, "{pair:?} is not at {heard}");
        }
    }

    #[test]
    fn whoever_follows_what_is_sent_hears_the_tempo_and_a_start_before_the_first_tick() {
        let mut stage = Stage::new(150.0);
        stage.shared().sends = vec![("drums".into(), 0.0)];
        stage.run(1.25);
        stage.blocks.turn(60_000, false);
        stage.run(0.1);
        let all = stage.sent.borrow().clone();
        let (mut reader, mut follower) = (Reader::default(), Follower::default());
        for (at, bytes) in &all {
            for word in reader.read(bytes) {
                follower.take(word, *at);
            }
        }
        let bytes: Vec<u8> = all.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        assert_eq!(bytes.iter().filter(|byte| **byte == 0xfc).count(), 1);
        let start = bytes.iter().position(|byte| matches!(byte, 0xfa | 0xfb)).expect("it starts");
        assert!(bytes[start + 1..].iter().take(24).all(|byte| *byte == 0xf8));
        let heard = follower.tempo().expect("it has one");
        assert!((heard - 150.0).abs() < 0.5, "{heard} BPM");
    }

    #[test]
    fn what_is_sent_is_as_late_as_what_is_heard_where_it_sets_out_and_jumps_and_stops() {
        let played = |late: f64| {
            let mut stage = Stage::new(240.0);
            stage.shared().notes = (eighths(), 0, 1);
            stage.shared().sends = vec![("drums".into(), 0.0)];
            stage.shared().late = late;
            stage.run(1.0);
            stage.blocks.turn(5 * 48_000, true);
            stage.run(1.0);
            stage.blocks.turn(6 * 48_000, false);
            stage.run(0.1 + late / RATE);
            stage.sent.take()
        };
        let (soon, late) = (played(0.0), played(24_000.0));
        let bytes = |sent: &[(f64, Vec<u8>)]| sent.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
        let least = soon.len().min(late.len());
        assert!(soon.len().abs_diff(late.len()) <= 1, "the end may cut a tick off");
        assert_eq!(bytes(&soon[..least]), bytes(&late[..least]));
        for ((soon, bytes), (late, _)) in soon.iter().zip(&late) {
            assert!((late - soon - 0.5).abs() < 5e-3, "{bytes:?} at {soon} is at {late}");
        }
    }
}
