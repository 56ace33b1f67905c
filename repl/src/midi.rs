//! MIDI in: what its bytes say, and the ports that they come from, which come and go while the desk plays.
//!
//! Control changes and keyboards are heard, and of one port the clock. Everything behind [`Ports`] is the system's; the rest is plain and
//! tested without one.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine::keyboard::{Keys, Touch};

use crate::arguments::DeviceChoice;
use crate::clock::{Follower, Reader};
use crate::inbox::{Heard, Inbox};
use crate::status;

/// What other programs see.
#[cfg_attr(not(feature = "devices"), expect(dead_code, reason = "the system shows it"))]
pub const CLIENT: &str = "gainstage";

/// How often the system is asked which ports there are.
const LOOK: Duration = Duration::from_secs(1);

/// The first of the controllers that are no controllers: `all notes off` and the like.
const MODES: u8 = 120;

/// The sustain pedal, and from which value on it is down.
const PEDAL: u8 = 64;
const DOWN: u8 = 64;

/// One port's bytes, read as they come: they may be cut anywhere.
#[derive(Default)]
pub struct Parser {
    /// The status that data bytes belong to; it runs on from message to message.
    status: Option<u8>,
    /// The first of two data bytes.
    first: Option<u8>,
}

impl Parser {
    /// The control changes and the notes that are complete with these bytes. What else there is in them is passed over.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Heard> {
        bytes.iter().flat_map(|byte| self.byte(*byte).into_iter().flatten().flatten()).collect()
    }

    fn byte(&mut self, byte: u8) -> Option<[Option<Heard>; 2]> {
        match byte {
            // Of real time: it may stand within any message and belongs to none.
            0xf8.. => None,
            // Of the system, exclusive or common: its data, up to the next status, are nobody's.
            0xf0.. => {
                (self.status, self.first) = (None, None);
                None
            }
            0x80.. => {
                (self.status, self.first) = (Some(byte), None);
                None
            }
            _ => self.data(byte),
        }
    }

    fn data(&mut self, value: u8) -> Option<[Option<Heard>; 2]> {
        let status = self.status?;
        // A program change and channel pressure have one byte of data.
        if matches!(status >> 4, 0xc | 0xd) {
            return None;
        }
        let Some(first) = self.first.take() else {
            self.first = Some(value);
            return None;
        };
        let channel = (status & 0xf) + 1;
        let control = Heard::Midi { channel, controller: first, value };
        let keys = |touch: Touch| Some(Heard::Keys { channel, touch });
        Some(match status >> 4 {
            0x9 if value > 0 => [keys(Touch::Press { key: first, velocity: value }), None],
            0x8 | 0x9 => [keys(Touch::Release { key: first }), None],
            // The pedal is a controller as well.
            0xb if first == PEDAL => [Some(control), keys(Touch::Pedal(value >= DOWN))],
            0xb if first < MODES => [Some(control), None],
            // All sound off, all notes off, and the modes that say the same.
            0xb if first == MODES || first > MODES + 2 => [keys(Touch::LetGo), None],
            _ => [None, None],
        })
    }
}

/// What a port's keyboards hold; when it goes, nothing of that stays.
struct Hands {
    keys: [Keys; 16],
    pedals: [bool; 16],
    inbox: Arc<Inbox>,
}

impl Hands {
    fn see(&mut self, heard: &Heard) {
        let Heard::Keys { channel, touch } = heard else { return };
        let at = usize::from(channel - 1) % 16;
        match *touch {
            Touch::Press { key, .. } => self.keys[at].put(key),
            Touch::Release { key } => _ = self.keys[at].take(key),
            Touch::Pedal(down) => self.pedals[at] = down,
            Touch::LetGo => {
                self.keys[at].take_all(|_| ());
                self.pedals[at] = false;
            }
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        let mut let_go = Vec::new();
        for (channel, (keys, pedal)) in (1..).zip(self.keys.iter_mut().zip(self.pedals)) {
            keys.take_all(|key| let_go.push(Heard::Keys { channel, touch: Touch::Release { key } }));
            let_go.extend(pedal.then_some(Heard::Keys { channel, touch: Touch::Pedal(false) }));
        }
        if !let_go.is_empty() {
            self.inbox.put(let_go);
        }
    }
}

/// What takes the bytes of a port.
pub type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// An open port: dropping it closes it.
pub type Connection = Box<dyn Any>;

/// The system's MIDI inputs.
pub trait Ports {
    /// The names of the ports that there are.
    ///
    /// # Errors
    /// The system has no MIDI.
    fn list(&mut self) -> Result<Vec<String>, String>;

    /// Opens the port of a name from the list.
    ///
    /// # Errors
    /// It is gone, or somebody else's alone.
    fn open(&mut self, name: &str, sink: Sink) -> Result<Connection, String>;
}

/// The thread that keeps the ports open. Dropping it closes them.
pub struct Midi {
    closing: Option<Sender<()>>,
    watching: Option<JoinHandle<()>>,
}

impl Midi {
    /// Opens the ports that are wanted, all of them unless one is named, now and whenever they come. Says which.
    pub fn start<P: Ports + 'static>(
        wanted: Option<&DeviceChoice>,
        ports: impl FnOnce() -> P + Send + 'static,
        inbox: Arc<Inbox>,
    ) -> Midi {
        let wanted = match wanted {
            Some(DeviceChoice::Named(name)) => Some(name.clone()),
            _ => None,
        };
        Midi::keep_open(wanted, ports, Box::new(move || controls(&inbox)))
    }

    /// Follows the clock of a port, now and whenever it comes: what is told of it goes to the inbox, with times that count
    /// from `epoch`.
    pub fn follow<P: Ports + 'static>(
        port: &str,
        ports: impl FnOnce() -> P + Send + 'static,
        inbox: Arc<Inbox>,
        epoch: Instant,
    ) -> Midi {
        Midi::keep_open(Some(port.to_owned()), ports, Box::new(move || clock(&inbox, epoch)))
    }

    fn keep_open<P: Ports + 'static>(
        wanted: Option<String>,
        ports: impl FnOnce() -> P + Send + 'static,
        ear: Ear,
    ) -> Midi {
        let (closing, closed) = mpsc::channel();
        let watching = thread::Builder::new().name("gainstage-midi".into()).spawn(move || {
            let mut patch = Patch { ports: ports(), wanted, ear, open: BTreeMap::new(), said: String::new() };
            loop {
                patch.look().iter().for_each(|line| status::say(format!("MIDI: {line}")));
                if closed.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Midi { closing: Some(closing), watching: watching.ok() }
    }
}

impl Drop for Midi {
    fn drop(&mut self) {
        self.closing = None;
        if let Some(watching) = self.watching.take() {
            // A panic there has been shown there.
            let _ = watching.join();
        }
    }
}

/// What makes something that takes the bytes of a port, for each one that is opened.
type Ear = Box<dyn Fn() -> Sink + Send>;

/// Puts the control changes and the notes of a port into the inbox.
fn controls(inbox: &Arc<Inbox>) -> Sink {
    let (keys, pedals) = (Default::default(), [false; 16]);
    let (mut parser, mut hands) = (Parser::default(), Hands { keys, pedals, inbox: inbox.clone() });
    Box::new(move |bytes: &[u8]| {
        let heard = parser.read(bytes);
        if !heard.is_empty() {
            heard.iter().for_each(|one| hands.see(one));
            hands.inbox.put(heard);
        }
    })
}

/// Follows the clock of a port.
fn clock(inbox: &Arc<Inbox>, epoch: Instant) -> Sink {
    let (mut reader, mut follower, inbox) = (Reader::default(), Follower::default(), inbox.clone());
    Box::new(move |bytes: &[u8]| {
        let now = epoch.elapsed().as_secs_f64();
        for told in reader.read(bytes).into_iter().filter_map(|word| follower.take(word, now)) {
            inbox.put([Heard::Clock(told)]);
        }
    })
}

/// The ports that are wanted, and those that are open.
struct Patch<P> {
    ports: P,
    /// The one port that is wanted; without it all are.
    wanted: Option<String>,
    ear: Ear,
    /// What became of the ports that there are: nothing of one that could not be opened.
    open: BTreeMap<String, Option<Connection>>,
    /// What was said last of there being nothing to open, so that it is said once.
    said: String,
}

impl<P: Ports> Patch<P> {
    /// Opens what has come and closes what has gone; gives what is to be said of it.
    fn look(&mut self) -> Vec<String> {
        let mut news = Vec::new();
        let (all, trouble) = match self.ports.list() {
            Ok(all) => (all, None),
            Err(error) => (Vec::new(), Some(format!("{error}: no controller is heard"))),
        };
        let is_wanted = |name: &&String| self.wanted.as_ref().is_none_or(|wanted| *name == wanted);
        let wanted: Vec<&String> = all.iter().filter(is_wanted).collect();
        let gone: Vec<String> = self.open.keys().filter(|name| !wanted.contains(name)).cloned().collect();
        for name in gone {
            if self.open.remove(&name).flatten().is_some() {
                news.push(format!("{name} is gone"));
            }
        }
        for name in &wanted {
            if self.open.contains_key(*name) {
                continue;
            }
            let opened = self.ports.open(name, (self.ear)());
            news.push(match &opened {
                Ok(_) => format!("listening to {name}"),
                Err(error) => format!("{name} cannot be opened: {error}"),
            });
            self.open.insert((*name).clone(), opened.ok());
        }
        let trouble = trouble.or_else(|| {
            let missing = self.wanted.as_ref().filter(|_| wanted.is_empty())?;
            let there = if all.is_empty() { "no port at all".into() } else { all.join(", ") };
            Some(format!("there is no port \"{missing}\" yet: it is opened when it comes (there is {there})"))
        });
        let trouble = trouble.unwrap_or_default();
        if trouble != self.said {
            news.extend(Some(trouble.clone()).filter(|trouble| !trouble.is_empty()));
            self.said = trouble;
        }
        news
    }
}

/// Names without the numbers that the system puts behind them and that change whenever a cable is plugged in again, where
/// they tell the ports apart without.
#[cfg_attr(not(any(feature = "devices", test)), expect(dead_code, reason = "the system's ports have such names"))]
pub fn plain(names: &[String]) -> Vec<String> {
    let bare = |name: &str| match name.rsplit_once(' ') {
        Some((bare, numbers)) if numbers.contains(':') && numbers.chars().all(|c| c.is_ascii_digit() || c == ':') => {
            bare.to_owned()
        }
        _ => name.to_owned(),
    };
    let alone = |plain: &str| names.iter().filter(|name| bare(name) == plain).count() == 1;
    names.iter().map(|name| Some(bare(name)).filter(|plain| alone(plain)).unwrap_or_else(|| name.clone())).collect()
}

/// The system's own ports.
#[cfg(feature = "devices")]
pub mod system {
    use super::{CLIENT, Connection, Ports, Sink, plain};
    use midir::{Ignore, MidiInput, MidiInputPort};

    /// The ports of the system that the program runs on.
    #[derive(Default)]
    pub struct System {
        /// What lists the ports, once the system has given it.
        lister: Option<MidiInput>,
        /// Whether what is of real time is heard too.
        clocks: bool,
    }

    impl System {
        /// With the clocks that they give.
        pub fn with_clocks() -> Self {
            System { clocks: true, ..System::default() }
        }
    }

    impl System {
        fn ports(&mut self) -> Result<Vec<(String, MidiInputPort)>, String> {
            let _quiet = engine::device::quiet();
            let lister = match self.lister.take() {
                Some(lister) => lister,
                None => MidiInput::new(CLIENT).map_err(|_| "this system has no MIDI".to_owned())?,
            };
            // A port that goes while it is asked has no name any more.
            let ports = lister.ports().into_iter().filter_map(|port| Some((lister.port_name(&port).ok()?, port)));
            let (names, ports): (Vec<_>, Vec<_>) = ports.unzip();
            self.lister = Some(lister);
            Ok(plain(&names).into_iter().zip(ports).collect())
        }
    }

    impl Ports for System {
        fn list(&mut self) -> Result<Vec<String>, String> {
            Ok(self.ports()?.into_iter().map(|(name, _)| name).collect())
        }

        fn open(&mut self, name: &str, mut sink: Sink) -> Result<Connection, String> {
            let port = self.ports()?.into_iter().find(|(other, _)| other == name).ok_or("it is gone")?.1;
            let _quiet = engine::device::quiet();
            let mut input = MidiInput::new(CLIENT).map_err(|error| error.to_string())?;
            input.ignore(if self.clocks { Ignore::SysexAndActiveSense } else { Ignore::All });
            let connection = input.connect(&port, "controls", move |_, bytes, ()| sink(bytes), ());
            connection.map(|open| Box::new(open) as Connection).map_err(|error| error.to_string())
        }
    }
}

/// A system without MIDI, in a build without devices.
#[cfg(not(feature = "devices"))]
pub mod system {
    use super::{Connection, Ports, Sink};

    /// No ports.
    #[derive(Default)]
    pub struct System;

    impl System {
        /// None.
        pub fn with_clocks() -> Self {
            System
        }
    }

    impl Ports for System {
        fn list(&mut self) -> Result<Vec<String>, String> {
            Err("this build knows no MIDI".into())
        }

        fn open(&mut self, _: &str, _: Sink) -> Result<Connection, String> {
            Err("this build knows no MIDI".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Told;
    use std::sync::Mutex;

    fn change(channel: u8, controller: u8, value: u8) -> Heard {
        Heard::Midi { channel, controller, value }
    }

    fn read(bytes: &[u8]) -> Vec<Heard> {
        Parser::default().read(bytes)
    }

    #[test]
    fn control_changes_are_heard_and_nothing_else() {
        assert_eq!(read(&[0xb0, 7, 100]), [change(1, 7, 100)]);
        assert_eq!(read(&[0xbf, 119, 127]), [change(16, 119, 127)]);
        assert_eq!(read(&[0xc3, 5, 0xd0, 1, 0xe0, 0, 64, 0xa0, 60, 1, 0xb0, 121, 0, 122, 0]), []);
    }

    #[test]
    fn notes_the_pedal_and_what_ends_all_notes_are_heard() {
        let keys = |channel, touch| Heard::Keys { channel, touch };
        let (press, release) = (|key, velocity| Touch::Press { key, velocity }, |key| Touch::Release { key });
        assert_eq!(
            read(&[0x90, 60, 100, 61, 1, 60, 0, 0x83, 61, 64, 0x9f, 0, 127]),
            [
                keys(1, press(60, 100)),
                keys(1, press(61, 1)),
                keys(1, release(60)),
                keys(4, release(61)),
                keys(16, press(0, 127))
            ]
        );
        let pedal = [change(2, 64, 64), keys(2, Touch::Pedal(true)), change(2, 64, 63), keys(2, Touch::Pedal(false))];
        assert_eq!(read(&[0xb1, 64, 64, 64, 63]), pedal);
        for mode in [120, 123, 124, 127] {
            assert_eq!(read(&[0xb2, mode, 0]), [keys(3, Touch::LetGo)], "{mode}");
        }
    }

    #[test]
    fn a_port_that_goes_lets_go_of_its_keys_and_of_nothing_else() {
        let (mut patch, inbox) = patch();
        let fake = patch.ports.clone();
        fake.plug(&["keys", "pads"]);
        patch.look();
        let play = |port: &str, bytes: &[u8]| fake.sinks.lock().unwrap().get_mut(port).unwrap()(bytes);
        play("keys", &[0x90, 60, 100, 62, 100, 62, 0, 0xb0, 64, 127, 0x94, 5, 1]);
        play("pads", &[0x90, 64, 100]);
        inbox.take();
        fake.plug(&["pads"]);
        assert_eq!(patch.look(), ["keys is gone"]);
        let keys = |channel, touch| Heard::Keys { channel, touch };
        let gone =
            [keys(1, Touch::Release { key: 60 }), keys(1, Touch::Pedal(false)), keys(5, Touch::Release { key: 5 })];
        assert_eq!(inbox.take().0, gone);
    }

    #[test]
    fn status_runs_on_until_another_comes() {
        assert_eq!(read(&[0xb2, 1, 2, 3, 4, 0xe2, 5, 6, 0xb2, 7]), [change(3, 1, 2), change(3, 3, 4)]);
        assert_eq!(read(&[0xc0, 1, 2, 3, 0xb0, 4, 5]), [change(1, 4, 5)]);
    }

    #[test]
    fn real_time_stands_anywhere_and_system_messages_end_what_runs() {
        assert_eq!(read(&[0xf8, 0xb0, 0xfe, 7, 0xf8, 1, 0xff, 8, 0xfa, 2]), [change(1, 7, 1), change(1, 8, 2)]);
        assert_eq!(read(&[0xb0, 0xf0, 7, 1, 9, 9, 0xf7, 7, 1]), []);
        assert_eq!(read(&[0xf0, 1, 2, 0xb0, 7, 1]), [change(1, 7, 1)]);
        assert_eq!(read(&[0xb0, 7, 1, 0xf2, 3, 4, 7, 2]), [change(1, 7, 1)]);
    }

    #[test]
    fn it_does_not_matter_how_bytes_are_cut() {
        let bytes = crate::fuzz::bytes(1, 3000);
        let whole = read(&bytes);
        assert!(!whole.is_empty());
        let (mut parser, mut cut) = (Parser::default(), Vec::new());
        let mut rest = &bytes[..];
        for length in crate::fuzz::bytes(2, 3000) {
            let (head, tail) = rest.split_at(usize::from(length % 8).min(rest.len()));
            cut.extend(parser.read(head));
            rest = tail;
        }
        assert_eq!((cut, rest.len()), (whole, 0));
    }

    #[test]
    fn whatever_the_bytes_controllers_stay_within_their_numbers() {
        for seed in 0..crate::fuzz::cases(300) {
            for heard in read(&crate::fuzz::bytes(seed, 1000)) {
                let (channel, numbers) = match heard {
                    Heard::Midi { channel, controller, value } => (channel, [controller + 8, value]),
                    Heard::Keys { channel, touch: Touch::Press { key, velocity } } => (channel, [key, velocity]),
                    Heard::Keys { channel, touch: Touch::Release { key } } => (channel, [key, 0]),
                    Heard::Keys { channel, touch: Touch::Pedal(_) | Touch::LetGo } => (channel, [0, 0]),
                    other => panic!("MIDI gives MIDI, not {other:?}"),
                };
                assert!((1..=16).contains(&channel) && numbers.iter().all(|number| *number < 128));
            }
        }
    }

    #[test]
    fn names_lose_the_numbers_that_do_not_tell_them_apart() {
        let names = ["Keys:Keys MIDI 1 20:0", "Pads:Pads 24:0", "Pads:Pads 28:0", "IAC Bus 1"].map(String::from);
        assert_eq!(plain(&names), ["Keys:Keys MIDI 1", "Pads:Pads 24:0", "Pads:Pads 28:0", "IAC Bus 1"]);
    }

    /// Ports that come and go as a test wants.
    #[derive(Clone, Default)]
    struct Fake {
        there: Arc<Mutex<Vec<String>>>,
        broken: Arc<Mutex<Option<String>>>,
        sinks: Arc<Mutex<BTreeMap<String, Sink>>>,
    }

    impl Fake {
        fn plug(&self, names: &[&str]) {
            *self.there.lock().unwrap() = names.iter().map(|name| (*name).to_owned()).collect();
        }
    }

    /// A patch of such ports, and what it hears.
    fn patch() -> (Patch<Fake>, Arc<Inbox>) {
        let inbox = Arc::new(Inbox::new(|| ()));
        let heard = inbox.clone();
        let ear: Ear = Box::new(move || controls(&heard));
        (Patch { ports: Fake::default(), wanted: None, ear, open: BTreeMap::new(), said: String::new() }, inbox)
    }

    impl Ports for Fake {
        fn list(&mut self) -> Result<Vec<String>, String> {
            self.broken.lock().unwrap().clone().map_or_else(|| Ok(self.there.lock().unwrap().clone()), Err)
        }

        fn open(&mut self, name: &str, sink: Sink) -> Result<Connection, String> {
            if name == "taken" {
                return Err("somebody has it".into());
            }
            self.sinks.lock().unwrap().insert(name.into(), sink);
            Ok(Box::new(Open(self.sinks.clone(), name.into())))
        }
    }

    /// A port that is closed when this is dropped.
    struct Open(Arc<Mutex<BTreeMap<String, Sink>>>, String);

    impl Drop for Open {
        fn drop(&mut self) {
            self.0.lock().unwrap().remove(&self.1);
        }
    }

    #[test]
    fn ports_are_opened_as_they_come_and_it_is_said_once() {
        let (mut patch, inbox) = patch();
        let fake = patch.ports.clone();
        assert_eq!(patch.look(), Vec::<String>::new());
        fake.plug(&["keys", "taken"]);
        assert_eq!(patch.look(), ["listening to keys", "taken cannot be opened: somebody has it"]);
        assert_eq!(patch.look(), Vec::<String>::new());
        for bytes in [&[0xb0, 7][..], &[64]] {
            fake.sinks.lock().unwrap().get_mut("keys").unwrap()(bytes);
        }
        assert_eq!(inbox.take().0, [change(1, 7, 64)]);
        fake.plug(&[]);
        assert_eq!(patch.look(), ["keys is gone"]);
        fake.plug(&["keys"]);
        assert_eq!(patch.look(), ["listening to keys"]);
    }

    #[test]
    fn one_that_is_named_is_the_only_one_and_is_waited_for() {
        let mut patch = Patch { wanted: Some("keys".into()), ..patch().0 };
        let fake = patch.ports.clone();
        fake.plug(&["pads"]);
        let said = patch.look();
        assert!(said.len() == 1 && said[0].contains("no port \"keys\" yet") && said[0].contains("pads"), "{said:?}");
        assert_eq!(patch.look(), Vec::<String>::new());
        fake.plug(&["pads", "keys"]);
        assert_eq!(patch.look(), ["listening to keys"]);
    }

    #[test]
    fn a_system_without_midi_is_told_once_and_asked_again() {
        let (mut patch, _) = patch();
        let fake = patch.ports.clone();
        *fake.broken.lock().unwrap() = Some("no sequencer".into());
        assert_eq!(patch.look(), ["no sequencer: no controller is heard"]);
        assert_eq!(patch.look(), Vec::<String>::new());
        *fake.broken.lock().unwrap() = None;
        fake.plug(&["keys"]);
        assert_eq!(patch.look(), ["listening to keys"]);
    }

    #[test]
    fn the_clock_of_a_port_is_told_of_in_order() {
        let (patch, inbox) = patch();
        let mut patch = Patch {
            ear: Box::new({
                let inbox = inbox.clone();
                move || clock(&inbox, Instant::now())
            }),
            ..patch
        };
        let fake = patch.ports.clone();
        fake.plug(&["drums"]);
        patch.look();
        for bytes in [&[0xf2, 8, 0, 0xfb][..], &[0xb0, 7, 1, 0xfc], &[0xfa]] {
            fake.sinks.lock().unwrap().get_mut("drums").unwrap()(bytes);
        }
        let told = [Told::Locate(2.0), Told::Start(2.0), Told::Stop, Told::Start(0.0)];
        assert_eq!(inbox.take().0, told.map(Heard::Clock));
    }
}
