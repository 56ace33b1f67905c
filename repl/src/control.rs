//! Controllers: what OSC and MIDI bring, understood against the session that plays.
//!
//! ```text
//! socket ── osc ──┐
//!                 inbox ── understood ──> writes: lines of the text, when the desk is free to take an edit
//! ports ── midi ──┘                       values of `midi_cc` and `osc` controls, commands: at once
//! ```

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::keyboard::Touch;
use engine::motion::EventSource;
use engine::names::{Found, Names, Owner, Which};
use engine::parameter::{Accepted, Kind, Law, Parameter, Spoken, Value};
use engine::session::Session;
use engine::units::{Dimension, Unit};

use crate::address;
use crate::arguments::{DeviceChoice, MidiMap, OscChoice, Play};
use crate::clock::Told;
use crate::figures::View;
use crate::inbox::{Heard, Inbox, RESERVED, Said};
use crate::lines::TEMPO;
use crate::midi::{Midi, system::System};
use crate::notices::{Notices, visible};
use crate::osc::Osc;
use crate::status;

mod learning;

use learning::Learning;

/// How long a hand must rest before what it has set is told.
const REST: Duration = Duration::from_millis(400);

/// How long a hand may move before what it has set so far is told.
const MOVING: Duration = Duration::from_secs(2);

/// What controllers ask of the transport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Go on from where it stands.
    Start,
    /// Stand still.
    Stop,
    /// Go to so many bars from the start.
    Locate(f64),
    /// Silence.
    Panic,
}

/// The last bar that can be gone to.
const MOST_BARS: f64 = 100_000.0;

/// What is to be done at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A value for a control.
    Control(EventSource, f64),
    /// What was done to a keyboard.
    Touch(EventSource, Touch),
    /// A command to the transport.
    Command(Command),
    /// What the clock tells that is followed.
    Clock(Told),
    /// Whoever asks is to be sent meters.
    Meters {
        /// Who asks.
        client: SocketAddr,
        /// How often a second; 0 for no more.
        hertz: f64,
    },
    /// Whoever asks is to be sent the figures or the spectrum of a point.
    Figures {
        /// Who asks.
        client: SocketAddr,
        /// Which of the two.
        view: View,
        /// The point's path.
        path: String,
        /// How often a second; 0 for no more.
        hertz: f64,
    },
}

/// The session that messages are understood against.
pub struct Known {
    session: Arc<Session>,
    /// Found when first asked for: most edits are of sessions that nobody sends anything to.
    names: OnceCell<Names>,
}

impl Known {
    /// A session as it plays.
    pub fn new(session: Arc<Session>) -> Self {
        Known { session, names: OnceCell::new() }
    }

    /// The session alone.
    pub fn alone(&self) -> &Session {
        &self.session
    }

    /// The session, with its names.
    pub fn session(&self) -> (&Session, &Names) {
        (&self.session, self.names())
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(&self.session))
    }

    /// What a write says in the text: the path that a person would type, and the value.
    fn written(&self, owner: Owner, which: Which, said: &Spoken) -> Result<(Write, Option<String>), String> {
        let (parameter, _) = self.session.setting(owner, which);
        let path = self.names().call_parameter(&self.session, owner, which);
        if matches!(parameter.kind, Kind::Path | Kind::Folder | Kind::Signal | Kind::Circuit | Kind::Port) {
            return Err(format!("`{path}` is said in the text and by no controller"));
        }
        let said = in_kind(parameter, said);
        let accepted = parameter.accept(&said, &self.session.clock());
        let Accepted { value, warning } = accepted.map_err(|no| format!("{path}: {}; {}", no.message, no.expected))?;
        Ok((Write { path, value: literal(parameter, &said, &value), shown: parameter.show(&value) }, warning))
    }
}

/// One parameter that is to be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Its path.
    pub path: String,
    /// The value as a text has it.
    pub value: String,
    /// The value as a person reads it.
    pub shown: String,
}

/// Everything that listens, and what it has heard and nobody has taken yet.
pub struct Controllers {
    inbox: Arc<Inbox>,
    maps: Vec<MidiMap>,
    /// The path that the next controller to move is to set.
    learning: Option<Learning>,
    wanted: Option<DeviceChoice>,
    osc: Option<Osc>,
    midi: Option<Midi>,
    /// The port whose clock is followed.
    clock: Option<Midi>,
    notices: Notices,
    /// By path: the newest value of each.
    writes: BTreeMap<String, Write>,
    /// What was set and not yet told, since when, and when last.
    set: Option<(BTreeMap<String, String>, Instant, Instant)>,
}

impl Controllers {
    /// Opens what the arguments ask for; `wake` is called when there is something to take.
    pub fn start(arguments: &Play, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let mut controllers = Controllers::new(arguments.midi.clone(), arguments.midi_map.clone(), wake);
        if let OscChoice::At(address) = arguments.osc {
            controllers.osc = open(address, &controllers.inbox);
        }
        controllers
    }

    /// Nothing is open yet.
    fn new(wanted: Option<DeviceChoice>, maps: Vec<MidiMap>, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Controllers {
            inbox: Arc::new(Inbox::new(wake)),
            maps,
            learning: None,
            wanted,
            osc: None,
            midi: None,
            clock: None,
            notices: Notices::default(),
            writes: BTreeMap::new(),
            set: None,
        }
    }

    /// Opens MIDI once something is to be heard from it, and says which maps lead nowhere.
    pub fn listen(&mut self, known: &Known, sources: &BTreeMap<EventSource, (f64, f64)>) {
        let is_midi = |source: &EventSource| !matches!(source, EventSource::Osc { .. });
        let has_controls = sources.keys().any(is_midi);
        for map in &self.maps {
            if let Err(why) = self.parameter(known, &map.path) {
                status::warning(format!("--midi-map {}={}: {why}", map.controller, map.path));
            }
        }
        let wanted = has_controls || !self.maps.is_empty() || matches!(self.wanted, Some(DeviceChoice::Named(_)));
        if wanted && self.wanted != Some(DeviceChoice::None) {
            self.open_midi();
        }
    }

    fn open_midi(&mut self) {
        let start = || Midi::start(self.wanted.as_ref(), System::default, self.inbox.clone());
        self.midi.get_or_insert_with(start);
    }

    /// Follows the clock of a port, or none any more; its times count from `epoch`.
    pub fn follow_clock(&mut self, port: Option<&str>, epoch: Instant) {
        // One is closed before the other is opened.
        self.clock = None;
        self.clock = port.map(|port| Midi::follow(port, System::with_clocks, self.inbox.clone(), epoch));
    }

    /// Lets a tempo be set.
    pub fn set_tempo(&mut self, bpm: f64) {
        let write = Write { path: TEMPO.into(), value: bpm.to_string(), shown: format!("{bpm} BPM") };
        self.writes.insert(write.path.clone(), write);
    }

    /// Sends a packet from where OSC is listened for. What cannot be sent is told.
    pub fn send(&mut self, to: SocketAddr, packet: &[u8]) {
        let sent = self.osc.as_ref().map_or(Ok(()), |osc| osc.send(to, packet));
        if let Err(error) = sent {
            self.tell(format!("OSC to {to}: {error}"));
        }
    }

    /// Takes what has come. Writes wait until they are asked for; the rest is given back, in order.
    pub fn take(&mut self, known: &Known, listens: impl Fn(&EventSource) -> Option<(f64, f64)>) -> Vec<Order> {
        let (heard, lost) = self.inbox.take();
        if lost > 0 {
            self.tell(format!("too much at once: {lost} messages found no room"));
        }
        let mut orders = Vec::new();
        for one in heard {
            match one {
                Heard::Osc { address, said, from } => self.osc(known, &listens, &address, &said, from, &mut orders),
                Heard::Clock(told) => orders.push(Order::Clock(told)),
                Heard::Keys { channel, touch } => {
                    let sources = [Some(channel), None].map(|channel| EventSource::Notes { channel });
                    let heard = sources.into_iter().filter(|source| listens(source).is_some());
                    orders.extend(heard.map(|source| Order::Touch(source, touch)));
                }
                Heard::Midi { channel, controller, value } => {
                    for channel in [Some(channel), None] {
                        let source = EventSource::Midi { channel, controller };
                        if listens(&source).is_some() {
                            orders.push(Order::Control(source, f64::from(value) / 127.0));
                        }
                    }
                    if !self.learned(channel, controller) {
                        self.mapped(known, channel, controller, value);
                    }
                }
            }
        }
        if lost > 0 {
            // A key may have come up among what was lost.
            let keyboards = (1..=16).map(Some).chain([None]).map(|channel| EventSource::Notes { channel });
            let heard = keyboards.filter(|source| listens(source).is_some());
            orders.extend(heard.map(|source| Order::Touch(source, Touch::LetGo)));
        }
        orders
    }

    /// Whether something is to be set.
    pub fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// What is to be set, by path.
    pub fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes).into_values().collect()
    }

    /// Notes what was set, to be told when the hand rests.
    pub fn was_set(&mut self, writes: Vec<Write>) {
        let now = Instant::now();
        let (set, _, last) = self.set.get_or_insert_with(|| (BTreeMap::new(), now, now));
        *last = now;
        // What the tempo is, who shares it tells.
        set.extend(writes.into_iter().filter(|write| write.path != TEMPO).map(|write| (write.path, write.shown)));
    }

    /// Tells what is due.
    pub fn report(&mut self) {
        let now = Instant::now();
        self.tire(now);
        let rests = |(_, first, last): &mut (_, Instant, Instant)| {
            now.duration_since(*last) >= REST || now.duration_since(*first) >= MOVING
        };
        if let Some((set, ..)) = self.set.take_if(rests).filter(|(set, ..)| !set.is_empty()) {
            const SHOWN: usize = 4;
            let list: Vec<String> = set.iter().take(SHOWN).map(|(path, value)| format!("{path} is {value}")).collect();
            let more = if set.len() > SHOWN { format!(" and {} more", set.len() - SHOWN) } else { String::new() };
            status::say(format!("set: {}{more}", list.join(", ")));
        }
        self.notices.due(now).into_iter().for_each(status::warning);
    }

    /// Tells of what a controller did wrong, unless that has been told often enough.
    pub fn tell(&mut self, notice: String) {
        self.notices.about(notice, Instant::now()).into_iter().for_each(status::warning);
    }

    fn parameter(&self, known: &Known, path: &str) -> Result<(Owner, Which), String> {
        match known.names().find(&known.session, path) {
            Ok(Found::Parameter(owner, which)) => Ok((owner, which)),
            Ok(_) => Err(format!("`{path}` is no parameter; give one of its parameters: {path}.NAME")),
            Err(missing) => Err(missing.to_string()),
        }
    }

    fn osc(
        &mut self,
        known: &Known,
        listens: impl Fn(&EventSource) -> Option<(f64, f64)>,
        address: &str,
        said: &[Said],
        from: SocketAddr,
        orders: &mut Vec<Order>,
    ) {
        let wrong = |why: String| visible(&format!("OSC {address} from {from}: {why}"));
        let source = EventSource::Osc { address: address.to_owned() };
        let understood = if address == "/:meters" {
            level(said).map(|hertz| orders.push(Order::Meters { client: from, hertz }))
        } else if let Some(view) = view(address) {
            match said {
                [Said::Text(path), rate @ ..] => level(rate).map(|hertz| {
                    orders.push(Order::Figures { client: from, view, path: path.clone(), hertz });
                }),
                _ => Err("it takes a path as text and readings a second: \"master\", 2".into()),
            }
        } else if let Some(word) = address.strip_prefix(RESERVED) {
            command(word, said).map(|command| orders.extend(command.map(Order::Command)))
        } else if let Some((least, most)) = listens(&source) {
            level(said).and_then(|value| match (least..=most).contains(&value) {
                true => {
                    orders.push(Order::Control(source, value));
                    Ok(())
                }
                false => {
                    Err(format!("{value} is outside {least} to {most}, which the control that listens there takes"))
                }
            })
        } else {
            self.write(known, address, said)
        };
        if let Err(why) = understood {
            self.tell(wrong(why));
        }
    }

    fn write(&mut self, known: &Known, address: &str, said: &[Said]) -> Result<(), String> {
        let (owner, which) = address::parameter(&known.session, known.names(), address, self.notices.has_room())?;
        let (write, warning) = known.written(owner, which, &spoken(said)?)?;
        if let Some(warning) = warning {
            self.tell(visible(&format!("OSC {address}: {warning}")));
        }
        self.writes.insert(write.path.clone(), write);
        Ok(())
    }

    /// A controller moves every parameter that it is mapped to.
    fn mapped(&mut self, known: &Known, channel: u8, controller: u8, value: u8) {
        let paths: Vec<String> =
            self.maps.iter().filter(|map| map.hears(channel, controller)).map(|map| map.path.clone()).collect();
        for path in paths {
            let written = self.parameter(known, &path).and_then(|(owner, which)| {
                let (parameter, _) = known.session.setting(owner, which);
                let said = over_range(parameter, value).ok_or_else(|| format!("`{path}` has no range"))?;
                Ok(known.written(owner, which, &said)?.0)
            });
            match written {
                Ok(write) => drop(self.writes.insert(write.path.clone(), write)),
                Err(why) => self.tell(format!("MIDI controller {controller} on channel {channel}: {why}")),
            }
        }
    }
}

/// Opens the socket, and says so, and who can reach it. Without it the desk plays on.
fn open(address: SocketAddr, inbox: &Arc<Inbox>) -> Option<Osc> {
    match Osc::open(address, inbox.clone()) {
        Ok(osc) => {
            let address = osc.address().unwrap_or(address);
            status::say(format!("OSC at {address}"));
            if !address.ip().is_loopback() {
                status::warning("OSC is open to the network: whoever can reach this address can move every parameter");
            }
            Some(osc)
        }
        Err(error) => {
            status::warning(format!("OSC is not heard: {address}: {error}; --osc ADDRESS:PORT takes another"));
            None
        }
    }
}

/// What an address asks to see of a point.
fn view(address: &str) -> Option<View> {
    match address {
        "/:figures" => Some(View::Figures),
        "/:spectrum" => Some(View::Spectrum),
        _ => None,
    }
}

/// What a reserved address asks for; nothing when it is the release of a button.
fn command(word: &str, said: &[Said]) -> Result<Option<Command>, String> {
    let released = matches!(said.first(), Some(Said::Number(0.0) | Said::Flag(false)));
    let pressed = |command: Command| Ok(Some(command).filter(|_| !released));
    match word {
        "start" => pressed(Command::Start),
        "stop" => pressed(Command::Stop),
        "panic" => pressed(Command::Panic),
        "locate" => match said {
            [Said::Number(bar)] if (0.0..=MOST_BARS).contains(bar) => Ok(Some(Command::Locate(*bar))),
            _ => Err(format!("it takes the number of bars from the start, 0 to {MOST_BARS}")),
        },
        _ => Err(format!(
            "there is no such command; there are {RESERVED}start, stop, locate BAR, panic, meters HZ, figures PATH HZ and spectrum PATH HZ"
        )),
    }
}

/// The value that a control is given.
fn level(said: &[Said]) -> Result<f64, String> {
    match said {
        [Said::Number(number)] if number.is_finite() => Ok(*number),
        [Said::Flag(flag)] => Ok(f64::from(u8::from(*flag))),
        _ => Err("it takes one finite number".into()),
    }
}

/// The one value of a message, as a text would say it.
fn spoken(said: &[Said]) -> Result<Spoken, String> {
    match said {
        [Said::Number(number)] => Ok(Spoken::Number(*number, Unit::Plain)),
        [Said::Text(text)] => Ok(Spoken::Text(text.clone())),
        [Said::Flag(flag)] => Ok(Spoken::Flag(*flag)),
        [Said::Other(what)] => Ok(Spoken::Other(what)),
        several => Err(format!("a parameter takes one value, not {}", several.len())),
    }
}

/// What controllers say in ways of their own: buttons send 0 and 1, and whoever has no booleans sends words.
fn in_kind(parameter: &Parameter, said: &Spoken) -> Spoken {
    match (parameter.kind, said) {
        (Kind::Flag { .. }, Spoken::Number(1.0, _)) => Spoken::Flag(true),
        (Kind::Flag { .. }, Spoken::Number(0.0, _)) => Spoken::Flag(false),
        (Kind::Flag { .. }, Spoken::Text(text)) if text == "on" || text == "true" => Spoken::Flag(true),
        (Kind::Flag { .. }, Spoken::Text(text)) if text == "off" || text == "false" => Spoken::Flag(false),
        _ => said.clone(),
    }
}

/// An accepted value as it is written in a text.
fn literal(parameter: &Parameter, said: &Spoken, value: &Value) -> String {
    match (said, value) {
        (_, Value::Special) => match parameter.show(value).as_str() {
            constant @ ("on" | "off") => constant.into(),
            word => format!("{word:?}"),
        },
        (Spoken::Number(number, _), _) => number.to_string(),
        (Spoken::Flag(flag), _) => flag.to_string(),
        // A parameter takes no text but its own words and note lengths.
        (Spoken::Text(text), _) => format!("{text:?}"),
        (Spoken::List(_) | Spoken::Control(_) | Spoken::Pattern(_) | Spoken::Other(_), _) => parameter.show(value),
    }
}

/// Where a MIDI controller's way to 127 puts a level in dB, by the taper of Ardour's faders: from silence at 0 to +6 dB,
/// unity at 0.78. The way is above 0.
fn taper(way: f64) -> f64 {
    let eighth = way.sqrt().sqrt().sqrt();
    (198.0 * eighth - 192.0) / 6.0 * 20.0 * 2f64.log10()
}

/// Where on a parameter's range the value of a MIDI controller stands: evenly, frequencies in octaves, levels that go down to
/// silence as on a fader. Numbers are rounded to a thousandth of what they move over.
fn over_range(parameter: &Parameter, value: u8) -> Option<Spoken> {
    let part = f64::from(value) / 127.0;
    let number = |number: f64| Spoken::Number(number, Unit::Plain);
    match parameter.kind {
        Kind::Number { unit, least, most, special: Some(("off", _)), .. } if unit.dimension() == Dimension::Level => {
            Some(match value {
                0 => Spoken::Flag(false),
                _ => number(rounded(taper(part).clamp(least, most), 10.0)),
            })
        }
        Kind::Number { least, most, .. } if value == 0 || value == 127 => {
            Some(number(if value == 0 { least } else { most }))
        }
        Kind::Number { least, most, law: Law::Octaves | Law::Pace, .. } if least > 0.0 => {
            let hertz = least * engine::math::pow(most / least, part);
            Some(number(rounded(hertz, hertz)))
        }
        Kind::Number { least, most, .. } => Some(number(rounded(least + part * (most - least), most - least))),
        Kind::Steps { options, .. } => options.get(usize::from(value) * options.len() / 128).copied().map(number),
        Kind::Choice { options, .. } => {
            options.get(usize::from(value) * options.len() / 128).map(|option| Spoken::Text((*option).into()))
        }
        Kind::Flag { .. } => Some(Spoken::Flag(value >= 64)),
        Kind::Channels | Kind::Path | Kind::Folder | Kind::Signal | Kind::Pattern => None,
        Kind::Circuit | Kind::Keyboard | Kind::Port => None,
    }
}

/// A number to a thousandth of a span, or finer, in whole decimals.
fn rounded(number: f64, span: f64) -> f64 {
    let decimals = (3.0 - span.abs().max(1e-9).log10().floor()).clamp(0.0, 9.0);
    let scale = 10f64.powf(decimals);
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Outside;
    use crate::fuzz::{Dice, cases};
    use crate::osc::understand;
    use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder::encode};
    use std::path::Path;

    const SESSION: &str = "let v = input(\"voice\", sine(440)); let room = bus(\"room\");
        v >> eq().bell(300, -3).named(\"mud\") >> gate(-40) >> compressor(-18, 3) >> send(room, -14) >> fader(0) >> master;
        room >> delay(\"1/8\") >> reverb() >> master; v >> fader(-3) >> cable(\"dry\") >> bus(\"side\") >> master;";

    fn home() -> SocketAddr {
        ([127, 0, 0, 1], 5000).into()
    }

    pub fn known() -> Known {
        let evaluated = scripting::evaluate_text(Path::new("x.rhai"), SESSION);
        Known::new(Arc::new(evaluated.session.unwrap_or_else(|| panic!("{:?}", evaluated.diagnostics))))
    }

    pub fn controllers(maps: &[&str]) -> Controllers {
        Controllers::new(None, maps.iter().map(|map| map.parse().unwrap()).collect(), || ())
    }

    fn osc(address: &str, said: &[Said]) -> Heard {
        Heard::Osc { address: address.into(), said: said.to_vec(), from: home() }
    }

    /// What is written into the text, as lines.
    fn lines(controllers: &mut Controllers) -> Vec<String> {
        controllers.take_writes().into_iter().map(|write| format!("{} {}", write.path, write.value)).collect()
    }

    /// The lines that one message makes, or what is told of it.
    fn line(address: &str, said: &[Said]) -> String {
        let mut controllers = controllers(&[]);
        controllers.inbox.put([osc(address, said)]);
        assert_eq!(controllers.take(&known(), |_| None), []);
        let told = controllers.notices.told().concat();
        let told = told.replace(&format!("OSC {address} from {}: ", home()), "! ");
        format!("{}{told}", lines(&mut controllers).concat())
    }

    #[test]
    fn a_message_is_a_write_in_the_words_of_the_text() {
        use Said::{Flag, Number, Text};
        for (address, said, expected) in [
            ("/voice/compressor/threshold", Number(-24.1), "voice/compressor.threshold -24.1"),
            ("/voice>room/gain", Number(-6.0), "voice>room.gain -6"),
            ("/voice>room/gain", Text("off".into()), "voice>room.gain off"),
            ("/voice>room/gain", Flag(false), "voice>room.gain off"),
            ("/voice/eq/mud/gain", Number(3.0), "voice/eq#mud.gain 3"),
            ("/voice/eq/1/gain", Number(3.0), "voice/eq#mud.gain 3"),
            ("/voice>master/fader/gain", Number(1e-9), "voice>master/fader.gain 0.000000001"),
            ("/voice/gate/bypass", Flag(true), "voice/gate.bypass true"),
            ("/voice/gate/bypass", Number(0.0), "voice/gate.bypass false"),
            ("/voice/gate/bypass", Text("on".into()), "voice/gate.bypass true"),
            ("/room/delay/time", Text("1/16t".into()), "room/delay.time \"1/16t\""),
            ("/voice/compressor/detector", Text("rms".into()), "voice/compressor.detector \"rms\""),
        ] {
            assert_eq!(line(address, &[said]), expected, "{address}");
        }
    }

    #[test]
    fn what_a_parameter_does_not_take_is_told_in_its_own_words() {
        use Said::{Number, Other, Text};
        for (address, said, expected) in [
            ("/voice/compressor/ratio", &[Number(0.5)][..], "`ratio` is 0.5, outside its range; expected 1 to 100"),
            ("/voice/compressor/ratio", &[Number(f64::NAN)], "`ratio` is not a finite number"),
            ("/voice/compressor/ratio", &[Number(f64::INFINITY)], "`ratio` is not a finite number"),
            ("/voice/compressor/ratio", &[Text("x\"; tempo(1)".into())], "cannot be the text"),
            ("/voice/compressor/ratio", &[Other("a blob")], "cannot be a blob"),
            ("/voice/compressor/ratio", &[], "a parameter takes one value, not 0"),
            ("/voice/compressor/ratio", &[Number(1.0), Number(2.0)], "takes one value, not 2"),
            ("/voice/gate/bypass", &[Number(0.5)], "expected true or false"),
            ("/voice/fader/gain", &[Number(0.0)], "`voice>master/fader` or `voice>side:dry/fader`"),
            ("/voice/compresor/ratio", &[Number(2.0)], "the nearest name is `voice/compressor`"),
            ("/:stat", &[], "there is no such command"),
            ("/:locate", &[], "the number of bars"),
            ("/:locate", &[Number(f64::NAN)], "the number of bars"),
        ] {
            let told = line(address, said);
            assert!(told.contains(expected), "{address} {said:?}: {told}");
        }
    }

    #[test]
    fn the_last_value_of_each_path_is_written_whatever_it_was_called() {
        let mut controllers = controllers(&["7=voice/eq#1.gain"]);
        for i in 0..50 {
            let value = [Said::Number(-f64::from(i))];
            controllers.inbox.put([osc("/voice/gate/threshold", &value), osc("/voice>master/gate/threshold", &value)]);
            controllers.inbox.put([osc("/voice/eq/mud/gain", &[Said::Number(1.0)])]);
        }
        controllers.inbox.put([Heard::Midi { channel: 3, controller: 7, value: 0 }]);
        controllers.inbox.put([osc("/voice/gate/threshold", &[Said::Number(-60.5)])]);
        controllers.take(&known(), |_| None);
        assert_eq!(lines(&mut controllers), ["voice/eq#mud.gain -24", "voice/gate.threshold -60.5"]);
    }

    #[test]
    fn commands_are_pressed_and_not_released() {
        let orders = |address: &str, said: &[Said]| {
            let mut controllers = controllers(&[]);
            controllers.inbox.put([osc(address, said)]);
            controllers.take(&known(), |_| None)
        };
        assert_eq!(orders("/:start", &[]), [Order::Command(Command::Start)]);
        assert_eq!(orders("/:panic", &[Said::Number(1.0)]), [Order::Command(Command::Panic)]);
        assert_eq!(orders("/:stop", &[Said::Number(0.0)]), []);
        assert_eq!(orders("/:locate", &[Said::Number(9.5)]), [Order::Command(Command::Locate(9.5))]);
        assert_eq!(orders("/:meters", &[Said::Number(20.0)]), [Order::Meters { client: home(), hertz: 20.0 }]);
    }

    #[test]
    fn a_clock_moves_the_transport_in_order_and_of_its_beats_the_newest_counts() {
        let beat = |beat: f64| Told::Beat(Outside { tempo: 120.0, time: beat, beat, wrap: None });
        let mut controllers = controllers(&[]);
        for told in [Told::Locate(4.0), beat(1.0), Told::Start(4.0), beat(5.0), Told::Stop, Told::Start(0.0)] {
            controllers.inbox.put([Heard::Clock(told)]);
        }
        let orders = [Told::Locate(4.0), Told::Start(4.0), beat(5.0), Told::Stop, Told::Start(0.0)].map(Order::Clock);
        assert_eq!(controllers.take(&known(), |_| None), orders);
        controllers.set_tempo(119.0);
        controllers.set_tempo(120.25);
        assert_eq!(lines(&mut controllers), ["tempo 120.25"]);
    }

    #[test]
    fn what_a_control_listens_to_is_a_value_for_it_and_no_write() {
        let mut controllers = controllers(&["1:2=voice/eq#mud.gain"]);
        let address = |address: &str| EventSource::Osc { address: address.into() };
        let midi = |channel, controller| EventSource::Midi { channel, controller };
        let listened = [address("/push/1"), address("/voice/eq/mud/gain"), midi(None, 1), midi(Some(2), 1)];
        controllers.inbox.put([
            osc("/push/1", &[Said::Number(0.25)]),
            osc("/voice/eq/mud/gain", &[Said::Flag(true)]),
            Heard::Midi { channel: 2, controller: 1, value: 127 },
            Heard::Midi { channel: 3, controller: 1, value: 0 },
        ]);
        let orders = controllers.take(&known(), |source| listened.contains(source).then_some((0.0, 1.0)));
        let expected = [
            (address("/push/1"), 0.25),
            (address("/voice/eq/mud/gain"), 1.0),
            (midi(Some(2), 1), 1.0),
            (midi(None, 1), 1.0),
            (midi(None, 1), 0.0),
        ];
        assert_eq!(orders, expected.map(|(source, value)| Order::Control(source, value)));
        assert_eq!(lines(&mut controllers), ["voice/eq#mud.gain 24"], "a mapped controller writes too");
    }

    #[test]
    fn a_keyboard_plays_what_listens_to_its_channel_or_to_any_in_order() {
        let mut controllers = controllers(&[]);
        let notes = |channel| EventSource::Notes { channel };
        let listened = [notes(None), notes(Some(2))];
        let listens = |source: &EventSource| listened.contains(source).then_some((0.0, 1.0));
        let (press, release) = (Touch::Press { key: 60, velocity: 9 }, Touch::Release { key: 60 });
        let keys = |channel, touch| Heard::Keys { channel, touch };
        controllers.inbox.put([keys(2, press), keys(3, press), keys(2, release), keys(2, press)]);
        let order = |channel, touch| Order::Touch(notes(channel), touch);
        let expected = [
            order(Some(2), press),
            order(None, press),
            order(None, press),
            order(Some(2), release),
            order(None, release),
            order(Some(2), press),
            order(None, press),
        ];
        assert_eq!(controllers.take(&known(), listens), expected);
        assert_eq!(controllers.take(&known(), listens), [], "what is played is no line of the text");
        assert!(!controllers.has_writes());
        // Among what found no room may be a key that came up.
        controllers.inbox.put((0..5000).map(|_| keys(3, press)));
        let orders = controllers.take(&known(), listens);
        assert_eq!(orders.len(), 4096 + 2);
        assert_eq!(orders[4096..], [order(Some(2), Touch::LetGo), order(None, Touch::LetGo)]);
        assert_eq!(controllers.notices.told().concat(), "too much at once: 904 messages found no room");
    }

    #[test]
    fn a_mapped_controller_goes_over_the_range_of_its_parameter() {
        let known = known();
        let at = |path: &str, value: u8| {
            let mut controllers = controllers(&[&format!("7={path}")]);
            controllers.inbox.put([Heard::Midi { channel: 1, controller: 7, value }]);
            controllers.take(&known, |_| None);
            controllers.take_writes().concat_values()
        };
        for (path, expected) in [
            ("voice/eq#mud.freq", ["10", "460.8", "20000"]),
            ("voice/eq#mud.gain", ["-24", "0.19", "24"]),
            ("voice/gate.bypass", ["false", "true", "true"]),
            ("voice/compressor.detector", ["\"peak\"", "\"rms\"", "\"rms\""]),
        ] {
            assert_eq!([0, 64, 127].map(|value| at(path, value)), expected, "{path}");
        }
        assert_eq!(
            (0..=127).map(|value| at("voice/compressor.ratio", value)).collect::<std::collections::BTreeSet<_>>().len(),
            128
        );
    }

    #[test]
    fn a_mapped_controller_moves_a_level_as_a_fader_does() {
        // What Ardour has at these places of its faders, and its own formula, which goes the other way.
        for (way, level) in [(0.999, 6.0), (0.782, 0.0), (0.510, -10.0), (0.325, -20.0), (0.122, -40.0), (0.040, -60.0)]
        {
            let place = ((6.0 * (level / 20.0) / 2f64.log10() + 192.0) / 198.0).powi(8);
            assert!((place - way).abs() < 0.0006 && (taper(place) - level).abs() < 1e-9, "{level}: {place}");
        }
        let known = known();
        let at = |value: u8| {
            let mut controllers = controllers(&["7=voice>master/fader.gain"]);
            controllers.inbox.put([Heard::Midi { channel: 1, controller: 7, value }]);
            controllers.take(&known, |_| None);
            controllers.take_writes().concat_values()
        };
        assert_eq!([0, 99, 127].map(at), ["off", "-0.07", "6.02"]);
    }

    trait Values {
        fn concat_values(self) -> String;
    }

    impl Values for Vec<Write> {
        fn concat_values(self) -> String {
            self.into_iter().map(|write| write.value).collect()
        }
    }

    fn random_argument(dice: &mut Dice) -> OscType {
        let number = [-24.0, 0.0, 1.0, 0.5, 1e30, f64::NAN, f64::NEG_INFINITY, 440.0, -0.0, 5e-324][dice.below(10)];
        match dice.below(10) {
            0 => OscType::Int(number as i32),
            1 => OscType::Float(number as f32),
            2 => OscType::Double(number),
            3 => OscType::Long(i64::MAX),
            4 => OscType::Bool(dice.below(2) == 0),
            5 => OscType::String(["off", "on", "1/8", "rms", "\"\\\n", "é", ""][dice.below(7)].into()),
            6 => OscType::Nil,
            7 => OscType::Inf,
            8 => OscType::Blob(vec![0; dice.below(9)]),
            _ => OscType::Double(dice.below(100) as f64 - 60.0),
        }
    }

    fn random_packet(dice: &mut Dice, depth: usize) -> OscPacket {
        if depth > 0 && dice.below(3) == 0 {
            let content = (0..dice.below(4)).map(|_| random_packet(dice, depth - 1)).collect();
            return OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content });
        }
        let right = [
            "/voice/compressor/threshold",
            "/voice/compressor/ratio",
            "/voice/compressor/detector",
            "/voice/compressor/mix",
            "/voice/eq/mud/gain",
            "/voice/eq/1/freq",
            "/voice>room/gain",
            "/voice>master/fader/gain",
            "/voice/gate/bypass",
            "/room/delay/time",
            "/room/reverb/decay",
            "/voice/freq",
        ];
        let words =
            ["voice", "room", "eq", "1", "mud", "gain", "mix", ":start", ":meters", "*", "#", "%20", "", "\u{1b}"];
        let address: String = match dice.below(2) {
            0 => right[dice.below(right.len())].into(),
            _ => (0..1 + dice.below(4)).map(|_| format!("/{}", words[dice.below(words.len())])).collect(),
        };
        let args = (0..1 + dice.below(8) / 7).map(|_| random_argument(dice)).collect();
        OscPacket::Message(OscMessage { addr: address, args })
    }

    #[test]
    fn whatever_comes_in_the_text_stays_right() {
        let known = known();
        let (mut controllers, mut text) =
            (controllers(&["1=voice/eq#mud.gain", "2:3=room/reverb.decay"]), BTreeMap::new());
        for seed in 0..cases(3000) {
            let mut dice = Dice::new(seed);
            let mut packet = encode(&random_packet(&mut dice, 3)).unwrap();
            for _ in 0..dice.below(6).saturating_sub(3) {
                let at = dice.below(packet.len());
                packet[at] = dice.below(256) as u8;
            }
            packet.truncate(packet.len() - dice.below(8).saturating_sub(6) * dice.below(packet.len()));
            controllers.inbox.put(understand(&packet, home(), 0).heard);
            controllers.inbox.put(crate::midi::Parser::default().read(&crate::fuzz::bytes(seed, 40)));
            controllers.take(&known, |_| None);
            text.extend(controllers.take_writes().into_iter().map(|write| (write.path, write.value)));
        }
        assert!(text.len() >= 10, "{text:?}");
        let lines: Vec<String> = text.iter().map(|(path, value)| format!("set(\"{path}\", {value});")).collect();
        let evaluated = scripting::evaluate_text_with(Path::new("x.rhai"), SESSION, &lines);
        let prepared = engine::graph::prepare(evaluated.session.unwrap(), &engine::media::Library::new());
        assert!(prepared.graph.is_some(), "{:?}", prepared.diagnostics);
    }
}
