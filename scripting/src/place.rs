//! The nouns, and the words that lead to them: `input`, `bus`, `output`, `send`, `feedback`, `cable`.

use engine::diagnostic::Diagnostic;
use engine::parameter::Spoken;
use engine::session::{PlaceKind, Setting, Source};
use engine::units::Unit;
use engine::words::{FEEDBACK_TIME, SEND_GAIN};
use rhai::{Array, Dynamic};

use crate::album::{self, TrackValue, TracksValue};
use crate::call::{Call, Outcome};
use crate::desk::{self, Desk};
use crate::value::{EffectValue, Signal, SourceValue, Step, TapStep, spoken};

/// The most channels that a bus has.
const MOST_CHANNELS: i64 = 64;

/// `input(name, source)`.
pub fn input(call: &Call) -> Outcome {
    call.takes(2..=2)?;
    let name = call.name(0)?;
    let mut sources = sources(call, &name, &call.given[1])?;
    let section = desk::with(|desk| desk.section);
    sources.iter_mut().for_each(|source| source.section = section);
    declare(call, &name, PlaceKind::Input(sources))
}

fn sources(call: &Call, name: &str, value: &Dynamic) -> Result<Vec<Source>, Diagnostic> {
    let wanted = "a source, or a list of sources";
    if let Some(tracks) = value.read_lock::<TracksValue>() {
        if desk::with(|desk| desk.section.is_some()) {
            let error = Diagnostic::error("in-section", call.place_of(1), "an album cannot stand in a section");
            return Err(error.help("in a section give the input a `clip`"));
        }
        return album::taken(call, name, &tracks);
    }
    if value.is::<TrackValue>() {
        return Err(call.wrong_type(1, wanted).help("a track is one of an album: `tracks([track(...), track(...)])`"));
    }
    if let Some(source) = value.read_lock::<SourceValue>() {
        return Ok(vec![source.0.clone()]);
    }
    if let Some(path) = value.read_lock::<rhai::ImmutableString>() {
        return Err(call.wrong_type(1, wanted).help(format!("for a file write `clip(\"{}\")`", path.escape_debug())));
    }
    let list = value.read_lock::<Array>().ok_or_else(|| call.wrong_type(1, wanted))?;
    if list.is_empty() {
        return Err(call.misuse("an input wants at least one source".into()));
    }
    list.iter()
        .map(|item| item.read_lock::<SourceValue>().map(|source| source.0.clone()))
        .collect::<Option<_>>()
        .ok_or_else(|| call.wrong_type(1, "a list of nothing but sources"))
}

/// `bus(name, channels)`.
pub fn bus(call: &Call) -> Outcome {
    call.takes(1..=2)?;
    let name = call.name(0)?;
    let channels = match call.given.get(1) {
        None => 2,
        Some(value) => {
            let number = value.as_int().map_err(|_| call.wrong_type(1, "a number of channels"))?;
            if !(1..=MOST_CHANNELS).contains(&number) {
                let message = format!("a bus cannot have {number} channels");
                return Err(Diagnostic::error("out-of-range", call.place_of(1), message)
                    .help(format!("expected 1 to {MOST_CHANNELS}")));
            }
            number as usize
        }
    };
    declare(call, &name, PlaceKind::Bus { channels })
}

fn declare(call: &Call, name: &str, kind: PlaceKind) -> Outcome {
    let name_at = call.place_of(0);
    let id = desk::with(|desk| desk.declare(name, kind, call.at, name_at))?;
    Ok(Dynamic::from(Signal::place(id)))
}

/// `output(left, right)`.
pub fn output(call: &Call) -> Outcome {
    let channels = channels(call, "this output")?;
    let id = desk::with(|desk| desk.output(channels, call.at));
    Ok(Dynamic::from(Signal::place(id)))
}

/// `cue_output(left, right)`.
pub fn cue_output(call: &Call) -> Outcome {
    let channels = channels(call, "the cue output")?;
    desk::with(|desk| desk.session.cue_output = Some((channels, call.at)));
    Ok(Dynamic::UNIT)
}

/// The channels of a device that a word is given, each once.
fn channels(call: &Call, of: &str) -> Result<Vec<u16>, Diagnostic> {
    call.takes(1..=64)?;
    let mut channels: Vec<u16> = Vec::new();
    for (index, value) in call.given.iter().enumerate() {
        let number = value.as_int().map_err(|_| call.wrong_type(index, "a number of a channel, from 1"))?;
        if !(1..=1024).contains(&number) {
            return Err(Diagnostic::error(
                "out-of-range",
                call.place_of(index),
                format!("there is no channel {number}"),
            )
            .help("expected 1 to 1024: channels count from 1"));
        }
        if channels.contains(&(number as u16)) {
            let message = format!("channel {number} stands in {of} twice");
            return Err(Diagnostic::error("channel-twice", call.place_of(index), message));
        }
        channels.push(number as u16);
    }
    Ok(channels)
}

/// `send(bus, gain)`.
pub fn send(call: &Call) -> Outcome {
    call.takes(1..=2)?;
    let said = call.given.get(1).map_or(Spoken::Number(0.0, Unit::Decibels), spoken);
    let gain = |desk: &mut Desk, at| desk.accept(&SEND_GAIN, &said, at);
    tap(call, false, gain)
}

/// `feedback(bus, time)`.
pub fn feedback(call: &Call) -> Outcome {
    call.takes(2..=2)?;
    let said = spoken(&call.given[1]);
    tap(call, true, |desk, at| desk.accept(&FEEDBACK_TIME, &said, at))
}

fn tap(call: &Call, feedback: bool, setting: impl Fn(&mut Desk, engine::diagnostic::Position) -> Setting) -> Outcome {
    let to = call.place(0, Desk::named)?;
    let at = if call.count() > 1 { call.place_of(1) } else { call.at };
    let (setting, into_input) = desk::with(|desk| {
        let place = &desk.session.places[to.0];
        let into = matches!(place.kind, PlaceKind::Input(_)).then(|| (place.name.clone(), place.at));
        (setting(desk, at), into)
    });
    if let Some((name, declared)) = into_input {
        return Err(desk::into_input(&name, call.place_of(0), declared));
    }
    let step = Step::Tap(TapStep { to, feedback, setting, name: None, at: call.at });
    Ok(Dynamic::from(EffectValue::new(step)))
}

/// `cable(name)`.
pub fn cable(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    Ok(Dynamic::from(EffectValue::new(Step::Cable(call.name(0)?))))
}
