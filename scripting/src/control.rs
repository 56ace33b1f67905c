//! Controls as values: the words that make them (`lfo`, `ramp`, `automate`, `steps`, `follow`, `midi_cc`, `osc`), their
//! methods, and what the reference says of both.

use engine::control::{
    Control, FOLLOW_ATTACK, FOLLOW_RELEASE, LFO_LENGTH, LFO_PHASE, LFO_RATE, LFO_SHAPE, RAMP_CURVE, RAMP_START,
    RAMP_TIME, Said, Way,
};
use engine::diagnostic::{Diagnostic, Position};
use engine::motion::{Curve, EventSource, Shape, steps as notation};
use engine::parameter::{Parameter, Spoken, Value, note_length};
use engine::units::{Dimension, Unit, note_frequency};
use rhai::{Array, Dynamic};

use crate::call::{Call, Outcome};
use crate::desk::{self, Desk};
use crate::pattern;
use crate::value::{ControlValue, Signal, shown, spoken};
use crate::words::ParameterEntry;

/// Where the methods of controls are told of: each control's word, and its parameters.
struct Entry {
    word: &'static str,
    parameters: &'static [Row],
}

/// A parameter of a control.
enum Row {
    /// As its table has it.
    Table(&'static Parameter),
    /// Name, what it takes, default, help.
    Own(&'static str, &'static str, Option<&'static str>, &'static str),
}

const RANGE: Row = Row::Own(
    "range",
    "two values of the parameter",
    None,
    "the ends it moves between; frequencies evenly in octaves; percentages and positions move over their whole range unless said",
);
const EVENT_START: Row = Row::Own(
    "start",
    "a value of the parameter",
    None,
    "the value until something comes; the parameter's default unless said",
);

static ENTRIES: &[Entry] = &[
    Entry { word: "lfo", parameters: &[Row::Table(&LFO_RATE), Row::Table(&LFO_SHAPE), RANGE, Row::Table(&LFO_PHASE)] },
    Entry {
        word: "ramp",
        parameters: &[
            Row::Own("from", "a value of the parameter", None, "the value it sets out from"),
            Row::Own("to", "a value of the parameter", None, "the value it ends with"),
            Row::Table(&RAMP_TIME),
            Row::Table(&RAMP_CURVE),
            Row::Table(&RAMP_START),
        ],
    },
    Entry {
        word: "automate",
        parameters: &[
            Row::Own(
                "points",
                "a list of [beat, value]",
                None,
                "beats count from 0; straight from one value to the next",
            ),
            Row::Own("hold", "true or false", Some("false"), "each value holds until the next"),
        ],
    },
    Entry {
        word: "steps",
        parameters: &[Row::Own(
            "pattern",
            "a pattern of numbers",
            None,
            "in the mini-notation; a cycle is a bar, `~` goes on",
        )],
    },
    Entry {
        word: "follow",
        parameters: &[
            Row::Own("signal", "a signal", None, "what is followed"),
            Row::Table(&FOLLOW_ATTACK),
            Row::Table(&FOLLOW_RELEASE),
            Row::Own("range", "two values of the parameter", None, "what silence is, and what full scale is"),
        ],
    },
    Entry {
        word: "midi_cc",
        parameters: &[
            Row::Own("n", "0 to 127", None, "the number of the controller"),
            Row::Own("channel", "1 to 16", None, "the MIDI channel; any unless said"),
            Row::Own(
                "range",
                "two values of the parameter",
                None,
                "what 0 is, and what 127 is; the parameter's own range unless said",
            ),
            EVENT_START,
        ],
    },
    Entry {
        word: "osc",
        parameters: &[
            Row::Own("path", "an address, \"/...\"", None, "what is listened to"),
            Row::Own(
                "range",
                "two values of the parameter",
                None,
                "what 0 is, and what 1 is; what comes is the value itself unless said",
            ),
            EVENT_START,
        ],
    },
];

/// The parameters of a control's word, for the reference.
pub fn parameters(word: &str) -> Vec<ParameterEntry> {
    let rows = ENTRIES.iter().find(|entry| entry.word == word).map_or(&[] as &[Row], |entry| entry.parameters);
    let entry = |row: &Row| match *row {
        Row::Table(parameter) => ParameterEntry::new(parameter),
        Row::Own(name, takes, default, help) => ParameterEntry {
            name: name.into(),
            takes: takes.into(),
            default: default.map(str::to_owned),
            fixed: false,
            help: help.into(),
        },
    };
    rows.iter().map(entry).collect()
}

/// The methods of a control's word; without a word those of all.
pub fn methods(word: Option<&str>) -> impl Iterator<Item = &'static str> {
    const ALL: [&str; 9] = ["shape", "range", "phase", "curve", "start", "hold", "attack", "release", "channel"];
    let has = move |method: &&str| {
        let of = |entry: &&Entry| word.is_none_or(|word| entry.word == word);
        ENTRIES.iter().filter(of).flat_map(|entry| entry.parameters).any(|row| {
            let name = match row {
                Row::Table(parameter) => parameter.name,
                Row::Own(name, ..) => name,
            };
            name == *method
        })
    };
    ALL.into_iter().filter(has)
}

fn made(call: &Call, way: Way) -> Outcome {
    Ok(Dynamic::from(ControlValue(Control { way, at: call.at })))
}

/// What a setting of a control's own takes, which is no control. What else is wrong with it is told, and ends the evaluation
/// at its end.
fn own(call: &Call, parameter: &'static Parameter, index: usize) -> Result<Value, Diagnostic> {
    let (at, said) = (call.place_of(index), spoken(&call.given[index]));
    if let Spoken::Control(_) = said {
        let help = format!("`{}` holds still; expected {}", parameter.name, parameter.expected());
        return Err(Diagnostic::error("wrong-type", at, "a control cannot stand within another").help(help));
    }
    Ok(desk::with(|desk| desk.accept(parameter, &said, at)).value)
}

/// A value for the parameter that the control will move.
fn said(call: &Call, index: usize) -> Said {
    Said { value: spoken(&call.given[index]), at: call.place_of(index) }
}

/// `lfo(rate)`.
pub fn lfo(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let refused = |code: &'static str| {
        let message = format!("an lfo has a rate, not {}", shown(&call.given[0]));
        Diagnostic::error(code, call.place_of(0), message)
            .help("expected 0.001 to 1000 Hz; or the length of a cycle in music: `1.bars`, `2.beats`, \"1/8\"")
    };
    let musical = match spoken(&call.given[0]) {
        Spoken::Number(_, Unit::Beats | Unit::Bars) => true,
        Spoken::Number(_, unit) if unit.dimension() == Dimension::Time => return Err(refused("wrong-unit")),
        Spoken::Text(text) if note_length(&text).is_some() => true,
        Spoken::Text(text) if note_frequency(&text).is_some() => {
            let message = format!("an lfo has a rate, not the note \"{text}\"");
            return Err(Diagnostic::error("wrong-type", call.place_of(0), message).help(
                "write the rate in Hz, `lfo(0.5)`, or in music, `lfo(1.bars)`; what moves a frequency between notes has them as \
                 its range: `lfo(0.5).range(\"a3\", \"a4\")`",
            ));
        }
        Spoken::Text(_) => return Err(refused("wrong-type")),
        _ => false,
    };
    let rate = own(call, if musical { &LFO_LENGTH } else { &LFO_RATE }, 0)?;
    made(call, Way::Lfo { rate, shape: Shape::Sine, range: None, phase: 0.0 })
}

/// `ramp(from, to, time)`.
pub fn ramp(call: &Call) -> Outcome {
    call.takes(3..=3)?;
    let time = own(call, &RAMP_TIME, 2)?;
    made(call, Way::Ramp { from: said(call, 0), to: said(call, 1), time, curve: Curve::Linear, start: None })
}

/// `automate([[beat, value], ...])`.
pub fn automate(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let wanted = "a list of points, each a beat and a value";
    let list = call.given[0].read_lock::<Array>().ok_or_else(|| call.wrong_type(0, wanted))?;
    if list.is_empty() {
        return Err(call.wrong_type(0, wanted));
    }
    let at = call.place_of(0);
    let places = desk::with(|desk| desk.file(at).elements(at));
    let mut points: Vec<(f64, Said)> = Vec::new();
    for (i, point) in list.iter().enumerate() {
        let place = places.get(i).copied().unwrap_or(at);
        let inside = desk::with(|desk| desk.file(place).elements(place));
        let of = |n: usize| inside.get(n).copied().unwrap_or(place);
        let pair = point.read_lock::<Array>();
        let Some([beat, value]) = pair.as_deref().map(Vec::as_slice) else {
            return Err(Diagnostic::error(
                "wrong-type",
                place,
                format!("a point is a beat and a value, not {}", shown(point)),
            )
            .help("write `automate([[0, -60], [16, 0]])`"));
        };
        let beat = beat_of(beat, of(0))?;
        if let Some((last, _)) = points.last().filter(|(last, _)| *last >= beat) {
            let message = format!("this point is at beat {beat}, and the one before it at beat {last}");
            return Err(Diagnostic::error("out-of-order", of(0), message)
                .help("points are in the order of their beats, one at each"));
        }
        points.push((beat, Said { value: spoken(value), at: of(1) }));
    }
    made(call, Way::Automate { points, hold: false })
}

fn beat_of(value: &Dynamic, at: Position) -> Result<f64, Diagnostic> {
    match spoken(value) {
        Spoken::Number(beat, Unit::Plain | Unit::Beats) if beat.is_finite() && beat >= 0.0 => Ok(beat),
        _ => Err(Diagnostic::error("wrong-type", at, format!("a beat is wanted here, not {}", shown(value)))
            .help("beats count from 0: in 4/4 the second bar begins at beat 4")),
    }
}

/// `steps(pattern)`.
pub fn steps(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let read = pattern::pattern(call, 0)?;
    let steps = notation::of(&read, 0).map_err(|error| pattern::told(error, call.place_of(0)))?;
    let said = |step: &notation::Step| {
        let value = Spoken::Number(step.value, Unit::Plain);
        (step.place, Said { value, at: pattern::place(step.at).unwrap_or_else(|| call.place_of(0)) })
    };
    let drawn = read.period().is_err();
    let text = match call.given[0].clone().into_string() {
        Ok(text) => text,
        Err(_) if drawn => "...".into(),
        Err(_) => read.to_text(0, steps.bars as i64).unwrap_or_else(|_| "...".into()),
    };
    let (bars, steps) = (steps.bars, steps.steps.iter().map(said).collect());
    made(call, Way::Steps { pattern: text, bars, steps, drawn: drawn.then(|| Box::new(read.unplaced())) })
}

/// `follow(signal)`.
pub fn follow(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let signal = if call.given[0].is_string() {
        engine::session::Tap::Place(call.place(0, Desk::named)?)
    } else {
        let signal = call.given[0].read_lock::<Signal>().ok_or_else(|| call.wrong_type(0, "a signal"))?;
        desk::with(|desk| desk.tap(&signal, call.place_of_in(desk, 0)))
    };
    let number = |parameter: &Parameter| match parameter.default() {
        Value::Number(number) => number,
        _ => 0.0,
    };
    let (attack, release) = (number(&FOLLOW_ATTACK), number(&FOLLOW_RELEASE));
    made(call, Way::Follow { signal: Some(signal), attack, release, range: None })
}

/// `midi_cc(n)`.
pub fn midi_cc(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let controller = whole(call, 0, 0..=127, "a controller's number")?;
    let source = EventSource::Midi { channel: None, controller };
    made(call, Way::Event { source, range: None, start: None })
}

fn whole(call: &Call, index: usize, within: std::ops::RangeInclusive<u8>, what: &str) -> Result<u8, Diagnostic> {
    let number = call.given[index].as_int().map_err(|_| call.wrong_type(index, what))?;
    u8::try_from(number).ok().filter(|number| within.contains(number)).ok_or_else(|| {
        Diagnostic::error("out-of-range", call.place_of(index), format!("{number} is not {what}")).help(format!(
            "expected {} to {}",
            within.start(),
            within.end()
        ))
    })
}

/// `osc(path)`.
pub fn osc(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let address = call.text(0, "an address in quotes, such as \"/fader\"")?;
    let plain = |letter: char| letter.is_ascii_graphic() && !"#*,?[]{}\"".contains(letter);
    if !address.starts_with('/') || address.len() < 2 || !address.chars().all(plain) {
        let message = format!("\"{}\" is no OSC address", address.escape_debug());
        return Err(Diagnostic::error("bad-address", call.place_of(0), message).help(
            "an address begins with `/` and has no spaces and none of `# * , ? [ ] { }` in it: \"/desk/voice\"",
        ));
    }
    made(call, Way::Event { source: EventSource::Osc { address }, range: None, start: None })
}

/// A method of a control; `None` if it has none of that name.
pub fn method(call: &Call, this: &ControlValue) -> Option<Outcome> {
    if !methods(Some(this.0.word())).any(|name| name == call.word) {
        return None;
    }
    let counts = match call.word {
        "range" => 3..=3,
        "hold" => 1..=2,
        _ => 2..=2,
    };
    if !counts.contains(&call.count()) {
        let wanted = if call.word == "range" { "two values, `.range(low, high)`" } else { "one value" };
        let message = format!("`.{}` takes {wanted}, not {}", call.word, call.count() - 1);
        return Some(Err(Diagnostic::error("wrong-arguments", call.at, message)));
    }
    let mut next = this.clone();
    let outcome = set(call, &mut next.0.way);
    Some(outcome.map(|()| Dynamic::from(next)))
}

fn set(call: &Call, way: &mut Way) -> Result<(), Diagnostic> {
    match (way, call.word) {
        (Way::Lfo { range, .. } | Way::Follow { range, .. } | Way::Event { range, .. }, "range") => {
            *range = Some((said(call, 1), said(call, 2)));
        }
        (Way::Lfo { shape, .. }, "shape") => {
            if let Value::Choice(index) = own(call, &LFO_SHAPE, 1)? {
                *shape = Shape::ALL[index];
            }
        }
        (Way::Lfo { phase, .. }, "phase") => *phase = number(own(call, &LFO_PHASE, 1)?),
        (Way::Ramp { curve, .. }, "curve") => {
            if let Value::Choice(index) = own(call, &RAMP_CURVE, 1)? {
                *curve = Curve::ALL[index];
            }
        }
        (Way::Ramp { start, .. }, "start") => *start = Some(own(call, &RAMP_START, 1)?),
        (Way::Event { start, .. }, "start") => *start = Some(said(call, 1)),
        (Way::Automate { hold, .. }, "hold") => {
            *hold = match call.given.get(1) {
                Some(flag) => flag.as_bool().map_err(|_| call.wrong_type(1, "true or false"))?,
                None => true,
            };
        }
        (Way::Follow { attack, .. }, "attack") => *attack = milliseconds(call, &FOLLOW_ATTACK)?,
        (Way::Follow { release, .. }, "release") => *release = milliseconds(call, &FOLLOW_RELEASE)?,
        (Way::Event { source: EventSource::Midi { channel, .. }, .. }, "channel") => {
            *channel = Some(whole(call, 1, 1..=16, "a MIDI channel")?);
        }
        _ => {}
    }
    Ok(())
}

fn number(value: Value) -> f64 {
    match value {
        Value::Number(number) => number,
        _ => 0.0,
    }
}

/// A time in milliseconds, as the tempo is by now if it is musical.
fn milliseconds(call: &Call, parameter: &'static Parameter) -> Result<f64, Diagnostic> {
    let value = own(call, parameter, 1)?;
    Ok(desk::with(|desk| parameter.plain(&value, &desk.session.clock())))
}
