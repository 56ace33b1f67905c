//! The words that speak of the session as a whole: what it says of itself, `title`, `artist`, `album`, `date`, `isrc`,
//! `comment`; and `tempo`, `time_signature`, `sample_rate`, `seed`, `quantize`, `crossfade`.

use engine::control::{Said, Way};
use engine::credits::{self, Credits};
use engine::diagnostic::Diagnostic;
use engine::motion::Curve;
use engine::parameter::{Parameter, Spoken, Value};
use engine::session::CROSSFADE_MS;
use engine::tempo::{Glide, Grid};
use engine::units::Unit;
use rhai::Dynamic;

use crate::call::{Call, Outcome};
use crate::desk;
use crate::value::{number, spoken};

static TEMPO: Parameter = Parameter::number("tempo", Unit::BeatsPerMinute, 120.0, 1.0, 999.0, "beats a minute");
static RATE: Parameter = Parameter::number("sample_rate", Unit::Hertz, 48_000.0, 8_000.0, 384_000.0, "frames a second");

static QUANTIZE: Parameter =
    Parameter::number("quantize", Unit::Milliseconds, 0.0, 1.0, 3_600_000.0, "the grid").or("off", 0.0);

/// `crossfade`: its value is worked out when the tempo is known.
pub static CROSSFADE: Parameter =
    Parameter::number("crossfade", Unit::Milliseconds, CROSSFADE_MS, 1.0, 60_000.0, "how long edits take");

/// `title(text)`.
pub fn title(call: &Call) -> Outcome {
    credit(call, credits::text, |credits| &mut credits.title)
}

/// `artist(text)`.
pub fn artist(call: &Call) -> Outcome {
    credit(call, credits::text, |credits| &mut credits.artist)
}

/// `album(text)`.
pub fn album(call: &Call) -> Outcome {
    credit(call, credits::text, |credits| &mut credits.album)
}

/// `date(text)`.
pub fn date(call: &Call) -> Outcome {
    credit(call, credits::date, |credits| &mut credits.date)
}

/// `isrc(text)`.
pub fn isrc(call: &Call) -> Outcome {
    credit(call, credits::isrc, |credits| &mut credits.isrc)
}

/// `comment(text)`.
pub fn comment(call: &Call) -> Outcome {
    credit(call, credits::text, |credits| &mut credits.comment)
}

fn credit(call: &Call, read: Read, of: fn(&mut Credits) -> &mut Option<String>) -> Outcome {
    call.takes(1..=1)?;
    let said = credit_text(call, 0, read)?;
    desk::with(|desk| *of(&mut desk.session.credits) = Some(said));
    Ok(Dynamic::UNIT)
}

/// Reads a text that is to stand in a file: the text as it stands there, or what is wrong with it.
pub type Read = fn(&str) -> Result<String, String>;

/// A text that is to stand in a file.
pub fn credit_text(call: &Call, index: usize, read: Read) -> Result<String, Diagnostic> {
    let said = call.text(index, "a text")?;
    read(&said).map_err(|why| Diagnostic::error("bad-text", call.place_of(index), why))
}

/// `target(name)`.
pub fn target(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let name = call.text(0, "the name of a medium in quotes")?;
    let at = call.place_of(0);
    if engine::target::find(&name).is_none() {
        let names: Vec<&str> = engine::target::all().iter().map(|target| target.name).collect();
        let help = crate::words::suggest(&name, names.iter().copied());
        let error = Diagnostic::error("unknown-choice", at, format!("no medium is called \"{name}\""));
        return Err(error.help(help.unwrap_or_else(|| format!("there are {}", names.join(", ")))));
    }
    desk::with(|desk| desk.session.target = Some((name, at)));
    Ok(Dynamic::UNIT)
}

/// `tempo(bpm)`, or a control that it moves with.
pub fn tempo(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let (tempo, glide) = match spoken(&call.given[0]) {
        Spoken::Control(control) => {
            let glide = glide(call, &control.way)?;
            (glide.end(), Some(glide))
        }
        _ => (single(call, &TEMPO)?, None),
    };
    desk::with(|desk| (desk.session.tempo, desk.session.glide) = (tempo, glide));
    Ok(Dynamic::UNIT)
}

/// The way of a tempo that moves.
fn glide(call: &Call, way: &Way) -> Result<Glide, Diagnostic> {
    let bpm = |said: &Said| match desk::with(|desk| desk.accept(&TEMPO, &said.value, said.at)).value {
        Value::Number(bpm) => Ok(bpm),
        _ => Err(Diagnostic::error("wrong-type", said.at, "a control cannot stand within another")),
    };
    match way {
        Way::Ramp { curve: Curve::Exp | Curve::S, .. } => {
            Err(Diagnostic::error("wrong-type", call.place_of(0), "a tempo goes straight from beat to beat")
                .help("leave out `.curve(...)`; for another way write `automate([[0, 120], [8, 126], [16, 140]])`"))
        }
        Way::Ramp { from, to, time, start, curve: Curve::Linear } => {
            Ok(Glide::Ramp { from: bpm(from)?, to: bpm(to)?, time: time.clone(), start: start.clone() })
        }
        Way::Automate { points, hold } => {
            let points = points.iter().map(|(beat, said)| Ok((*beat, bpm(said)?)));
            Ok(Glide::Automate { points: points.collect::<Result<_, Diagnostic>>()?, hold: *hold })
        }
        _ => Err(Diagnostic::error("wrong-type", call.place_of(0), "no such control can move `tempo`")
            .help("expected 1 to 999 bpm, `ramp(120, 140, 8.bars)` or `automate([[0, 120], [32, 140]])`")),
    }
}

/// `sample_rate(hz)`.
pub fn sample_rate(call: &Call) -> Outcome {
    let rate = single(call, &RATE)?;
    if rate.fract() != 0.0 {
        return Err(call.wrong_type(0, "a whole number of Hz"));
    }
    desk::with(|desk| desk.session.sample_rate = rate as u32);
    Ok(Dynamic::UNIT)
}

/// `seed(number)`.
pub fn seed(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let seed = call.given[0].as_int().ok().and_then(|n| u64::try_from(n).ok());
    let seed = seed.ok_or_else(|| call.wrong_type(0, "a whole number, 0 or more"))?;
    desk::with(|desk| desk.session.seed = seed);
    Ok(Dynamic::UNIT)
}

/// `quantize(time)`.
pub fn quantize(call: &Call) -> Outcome {
    let said = unmoved(call, &QUANTIZE)?;
    let at = call.place_of(0);
    if let Spoken::Number(number, Unit::Plain) = said {
        let message = format!("a grid of {number} what?");
        return Err(Diagnostic::error("wrong-unit", at, message).help(format!(
            "write `quantize({number}.bars)`, `quantize({number}.beats)` or a note: `quantize(\"1/4\")`"
        )));
    }
    desk::with(|desk| {
        desk.session.quantize = match desk.accept(&QUANTIZE, &said, at).value {
            Value::Bars(bars) => Some(Grid::Bars(bars)),
            Value::Beats(beats) => Some(Grid::Beats(beats)),
            Value::Special => None,
            other => Some(Grid::Milliseconds(QUANTIZE.plain(&other, &desk.session.clock()))),
        };
    });
    Ok(Dynamic::UNIT)
}

/// `crossfade(time)`.
pub fn crossfade(call: &Call) -> Outcome {
    let said = unmoved(call, &CROSSFADE)?;
    let at = call.place_of(0);
    desk::with(|desk| desk.crossfade = Some(desk.accept(&CROSSFADE, &said, at).value));
    Ok(Dynamic::UNIT)
}

/// `time_signature(beats, note)`.
pub fn time_signature(call: &Call) -> Outcome {
    call.takes(2..=2)?;
    let whole = |index: usize, wanted: &str, fits: fn(u32) -> bool| {
        let number = call.given[index].as_int().ok().and_then(|n| u32::try_from(n).ok()).filter(|n| fits(*n));
        number.ok_or_else(|| match number_is_shown(&call.given[index]) {
            Some(shown) => Diagnostic::error(
                "out-of-range",
                call.place_of(index),
                format!("a time signature cannot have {shown} here"),
            )
            .help(format!("expected {wanted}")),
            None => call.wrong_type(index, wanted),
        })
    };
    let beats = whole(0, "1 to 64 beats", |n| (1..=64).contains(&n))?;
    let note = whole(1, "1, 2, 4, 8, 16, 32 or 64", |n| n.is_power_of_two() && n <= 64)?;
    desk::with(|desk| desk.session.time_signature = (beats, note));
    Ok(Dynamic::UNIT)
}

fn number_is_shown(value: &Dynamic) -> Option<String> {
    number(value).map(|n| n.to_string())
}

/// What a word of the session as a whole is given: such things hold still.
fn unmoved(call: &Call, parameter: &Parameter) -> Result<Spoken, Diagnostic> {
    call.takes(1..=1)?;
    match spoken(&call.given[0]) {
        Spoken::Control(_) => {
            let message = format!("a control cannot move `{}`", parameter.name);
            let help = format!("expected {}", parameter.expected());
            Err(Diagnostic::error("wrong-type", call.place_of(0), message).help(help))
        }
        said => Ok(said),
    }
}

fn single(call: &Call, parameter: &Parameter) -> Result<f64, Diagnostic> {
    let said = unmoved(call, parameter)?;
    let at = call.place_of(0);
    let setting = desk::with(|desk| desk.accept(parameter, &said, at));
    match setting.value {
        Value::Number(number) => Ok(number),
        _ => Err(call.wrong_type(0, &parameter.expected())),
    }
}
