//! Closures that become sound: `synth(|note| ...)` and `dsp("name", |x| ...)`. The closure is called once, with signals that
//! stand for themselves; what it does to them is written down as a circuit, and no script runs when it sounds.

use std::sync::Arc;

use engine::circuit::{Binary, Builder, Circuit, Clock, Colour, Figure, Pass, Signal, Unary, Wave, tables};
use engine::diagnostic::Diagnostic;
use engine::math;
use engine::parameter::Value;
use engine::session::{Effect, Setting, Source};
use engine::sources::synth::SYNTH;
use engine::units::{Unit, note_frequency};
use rhai::{Array, Dynamic, Engine, EvalAltResult};

use crate::call::{Call, Outcome};
use crate::desk;
use crate::value::{self, EffectValue, Quantity, SourceValue, Step, number};
use crate::words;

mod forms;

pub use forms::FORMS;

/// A signal of the circuit that is being written down.
#[derive(Clone, Copy, Debug)]
pub struct TracedValue(Signal);

/// The note that a voice plays.
#[derive(Clone, Copy, Debug)]
pub struct NoteValue;

/// What waits for a signal to flow into it.
#[derive(Clone, Debug)]
pub struct StageValue(Vec<Stage>);

#[derive(Clone, Copy, Debug)]
enum Stage {
    Filter(Pass, Signal, Signal),
    Gain(Signal),
}

/// Makes the values known, and what is read of a note.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<TracedValue>("sound");
    engine.register_type_with_name::<StageValue>("filter");
    engine.register_type_with_name::<NoteValue>("note");
    // What `x in [...]` calls, too.
    for name in ["contains", "index_of"] {
        engine.register_fn(name, |_: &mut Array, _: TracedValue| -> Result<bool, Box<EvalAltResult>> { undecided() });
    }
    for (name, figure) in FIGURES {
        engine.register_get(name, move |_: &mut NoteValue| -> Result<TracedValue, Box<EvalAltResult>> {
            let traced = desk::with(|desk| desk.circuit.as_mut().map(|circuit| circuit.note(figure)));
            let traced = traced.unwrap_or_else(|| Err("a note is known only while its voice is built".into()));
            traced.map(TracedValue).map_err(Into::into)
        });
    }
}

/// What is known of a note.
const FIGURES: [(&str, Figure); 6] = [
    ("freq", Figure::Freq),
    ("pitch", Figure::Pitch),
    ("velocity", Figure::Velocity),
    ("gate", Figure::Gate),
    ("age", Figure::Age),
    ("random", Figure::Random),
];

/// The error for a decision that hangs on a signal.
fn undecided<T>() -> Result<T, Box<EvalAltResult>> {
    let found = std::any::type_name::<TracedValue>();
    Err(EvalAltResult::ErrorMismatchDataType("bool".into(), found.into(), rhai::Position::NONE).into())
}

/// Whether a closure is being traced.
pub fn is_on() -> bool {
    desk::with(|desk| desk.circuit.is_some())
}

/// Writes into the circuit; what it refuses is an error at the call.
fn write(call: &Call, node: impl FnOnce(&mut Builder) -> Result<Signal, String>) -> Result<Signal, Diagnostic> {
    let written = desk::with(|desk| desk.circuit.as_mut().map(node));
    let written =
        written.unwrap_or_else(|| Err("this belongs into `synth(|note| ...)` or `dsp(\"name\", |x| ...)`".into()));
    written.map_err(|message| Diagnostic::error("bad-circuit", call.at, message))
}

/// What a value stands for in a circuit, if it does.
pub fn describe(value: &Dynamic) -> Option<&'static str> {
    if value.is::<TracedValue>() {
        Some("a signal of a voice or a dsp")
    } else if value.is::<StageValue>() {
        Some("a filter that nothing flows into")
    } else {
        value.is::<NoteValue>().then_some("a note")
    }
}

/// Whether a value stands for something in a circuit.
pub fn is_traced(value: &Dynamic) -> bool {
    describe(value).is_some()
}

/// What a word, a function or an operator does while a closure is traced; `None` if it does what it always does.
pub fn call(call: &Call) -> Option<Outcome> {
    if !is_on() {
        let astray = call.given.iter().any(is_traced);
        return astray
            .then(|| Err(Diagnostic::error("bad-circuit", call.at, "a signal of a voice or a dsp cannot leave it")));
    }
    let symbolic = call.given.iter().any(is_traced);
    if let Some(operator) = binary(call.word).filter(|_| symbolic && call.count() == 2) {
        return Some(two(call, operator));
    }
    if let Some(function) = unary(call.word).filter(|_| symbolic && call.count() == 1) {
        return Some(one(call, function));
    }
    match call.word {
        ">>" => Some(flow(call)),
        _ => made(call).or_else(|| refused(call, symbolic)),
    }
}

fn binary(word: &str) -> Option<Binary> {
    Some(match word {
        "+" => Binary::Add,
        "-" => Binary::Subtract,
        "*" => Binary::Multiply,
        "/" => Binary::Divide,
        "%" => Binary::Remainder,
        "**" | "pow" => Binary::Power,
        "min" => Binary::Min,
        "max" => Binary::Max,
        "<" => Binary::Less,
        "<=" => Binary::LessOrEqual,
        ">" => Binary::Greater,
        ">=" => Binary::GreaterOrEqual,
        "==" => Binary::Equal,
        "!=" => Binary::Unequal,
        "and" => Binary::And,
        "or" => Binary::Or,
        _ => return None,
    })
}

fn unary(word: &str) -> Option<Unary> {
    Some(match word {
        "-" => Unary::Negate,
        "!" => Unary::Not,
        "abs" => Unary::Abs,
        "sign" => Unary::Sign,
        "floor" => Unary::Floor,
        "sqrt" => Unary::SquareRoot,
        "sin" => Unary::Sin,
        "cos" => Unary::Cos,
        "tan" => Unary::Tan,
        "tanh" => Unary::Tanh,
        "exp" => Unary::Exp,
        "log" => Unary::Log,
        _ => return None,
    })
}

/// What was given, as a signal: frequencies in Hz, times in ms.
fn signal(call: &Call, index: usize) -> Result<Signal, Diagnostic> {
    let value = &call.given[index];
    if let Some(traced) = value.read_lock::<TracedValue>() {
        return Ok(traced.0);
    }
    let plain = if let Some(quantity) = value.read_lock::<Quantity>() {
        let factor = matches!(call.word, "*" | "/");
        let number = quantity.number;
        match (unit_of(call.word, index), quantity.unit) {
            (Some(Unit::Samples), Unit::Samples) => number,
            (None, Unit::Decibels) if factor => math::gain_from_db(number),
            (None, Unit::Percent) if factor => number / 100.0,
            (wanted, unit) if is_musical(unit) || !fits(wanted, unit) => {
                return Err(as_written(call, call.wrong_type(index, wanted_of(wanted))));
            }
            (_, Unit::Kilohertz | Unit::Seconds) => number * 1000.0,
            _ => number,
        }
    } else if let Some(number) = number(value) {
        number
    } else if let Ok(flag) = value.as_bool() {
        f64::from(u8::from(flag))
    } else if let Some(freq) = value.clone().into_string().ok().and_then(|text| note_frequency(&text)) {
        freq
    } else {
        return Err(match value.is::<NoteValue>() {
            true => call.wrong_type(index, "a signal or a number").help("of the note take its frequency: `note.freq`"),
            false => call.wrong_type(index, "a signal or a number"),
        });
    };
    write(call, |circuit| circuit.constant(plain))
}

/// Whether a number with a unit is what is wanted; none where any number may stand, as in arithmetic: there levels and percents
/// are factors alone.
fn fits(wanted: Option<Unit>, unit: Unit) -> bool {
    match wanted {
        Some(Unit::Samples) => unit == Unit::Samples,
        Some(wanted) => unit.dimension() == wanted.dimension(),
        None => !matches!(unit, Unit::Decibels | Unit::Percent),
    }
}

fn wanted_of(wanted: Option<Unit>) -> &'static str {
    match wanted {
        Some(Unit::Hertz) => "a frequency in Hz",
        Some(Unit::Milliseconds) => "a time in ms",
        Some(Unit::Percent) => "a number in percent",
        Some(Unit::Decibels) => "a level in dB",
        Some(Unit::Samples) => "a number of frames",
        _ => "a number without a unit",
    }
}

/// Lengths that the tempo decides, which a voice does not know, and frames.
fn is_musical(unit: Unit) -> bool {
    matches!(unit, Unit::Beats | Unit::Bars | Unit::Samples | Unit::BeatsPerMinute)
}

/// What an argument of a word is measured in; none where any number may stand, as in arithmetic.
fn unit_of(word: &str, index: usize) -> Option<Unit> {
    Some(match (word, index) {
        ("sine" | "saw" | "square" | "triangle" | "pulse" | "lfo", 0) => Unit::Hertz,
        ("low_pass" | "high_pass" | "band_pass" | "notch", 0) => Unit::Hertz,
        ("envelope", 2) => Unit::Percent,
        ("envelope" | "decay", _) | ("smooth", 1) => Unit::Milliseconds,
        ("gain", 0) => Unit::Decibels,
        ("delay", 1 | 2) => Unit::Samples,
        ("low_pass" | "high_pass" | "band_pass" | "notch" | "pulse", _) => Unit::Plain,
        _ => return None,
    })
}

fn traced(signal: Signal) -> Outcome {
    Ok(Dynamic::from(TracedValue(signal)))
}

fn one(call: &Call, function: Unary) -> Outcome {
    let x = signal(call, 0)?;
    traced(write(call, |circuit| circuit.unary(function, x))?)
}

fn two(call: &Call, function: Binary) -> Outcome {
    let (a, b) = (signal(call, 0)?, signal(call, 1)?);
    traced(write(call, |circuit| circuit.binary(function, a, b))?)
}

/// `x >> filter`, `filter >> filter`.
fn flow(call: &Call) -> Outcome {
    let [left, right] = call.given.as_slice() else { return Err(call.misuse("`>>` stands between two things".into())) };
    let Some(stages) = right.read_lock::<StageValue>() else {
        let message = format!("inside a voice or a dsp a signal cannot flow into {}", value::describe(right));
        return Err(Diagnostic::error("bad-circuit", call.at, message).help(
            "it flows into low_pass, high_pass, band_pass, notch and gain; the rest goes behind the input or the dsp",
        ));
    };
    if let Some(before) = left.read_lock::<StageValue>() {
        let both = before.0.iter().chain(&stages.0).copied().collect();
        return Ok(Dynamic::from(StageValue(both)));
    }
    let mut x = signal(call, 0)?;
    for stage in &stages.0 {
        x = match *stage {
            Stage::Filter(pass, freq, q) => write(call, |circuit| circuit.filter(pass, x, freq, q))?,
            Stage::Gain(gain) => write(call, |circuit| circuit.binary(Binary::Multiply, x, gain))?,
        };
    }
    traced(x)
}

/// What a signal is given, or a number where nothing is.
fn or(call: &Call, index: usize, default: f64) -> Result<Signal, Diagnostic> {
    if index < call.count() { signal(call, index) } else { write(call, |circuit| circuit.constant(default)) }
}

/// A number that does not move.
fn still(call: &Call, index: usize) -> Result<f64, Diagnostic> {
    let signal = signal(call, index)?;
    let number = desk::with(|desk| desk.circuit.as_ref().and_then(|circuit| circuit.number(signal)));
    number.ok_or_else(|| call.wrong_type(index, "a number that does not move"))
}

fn counts(word: &str) -> Option<std::ops::RangeInclusive<usize>> {
    Some(match word {
        "sine" | "saw" | "square" | "triangle" => 1..=2,
        "pulse" => 2..=3,
        "noise" => 0..=1,
        "low_pass" | "high_pass" | "band_pass" | "notch" => 1..=2,
        "gain" | "delay1" | "decay" => 1..=1,
        "envelope" => 4..=4,
        "lfo" => 1..=2,
        "delay" | "select" | "clamp" => 3..=3,
        "smooth" | "hold" => 2..=2,
        "feedback" => 1..=1,
        "param" => 4..=4,
        _ => return None,
    })
}

/// An error with what is written in a circuit, where that is something else than outside.
fn as_written(call: &Call, error: Diagnostic) -> Diagnostic {
    match FORMS.iter().find(|(word, ..)| *word == call.word) {
        Some((_, signature, ..)) => error.help(format!("in a voice or a dsp write `{signature}`")),
        None => error,
    }
}

/// The words of circuits.
fn made(call: &Call) -> Option<Outcome> {
    let takes = |counts| call.takes(counts).map_err(|error| as_written(call, error));
    counts(call.word).map(|counts| takes(counts).and_then(|()| word(call)))
}

fn word(call: &Call) -> Outcome {
    let wave = |wave: Wave, width: usize| {
        let (freq, width) = (signal(call, 0)?, if width > 0 { signal(call, width)? } else { or(call, 9, 0.5)? });
        let phase = or(call, if wave == Wave::Pulse { 2 } else { 1 }, 0.0)?;
        traced(write(call, |circuit| circuit.oscillator(wave, freq, width, phase))?)
    };
    let filter = |pass: Pass| {
        let (freq, q) = (signal(call, 0)?, or(call, 1, 0.71)?);
        Ok(Dynamic::from(StageValue(vec![Stage::Filter(pass, freq, q)])))
    };
    let first = |index: usize| signal(call, index);
    let made = match call.word {
        "sine" => return wave(Wave::Sine, 0),
        "saw" => return wave(Wave::Saw, 0),
        "square" => return wave(Wave::Square, 0),
        "triangle" => return wave(Wave::Triangle, 0),
        "pulse" => return wave(Wave::Pulse, 1),
        "low_pass" => return filter(Pass::Low),
        "high_pass" => return filter(Pass::High),
        "band_pass" => return filter(Pass::Band),
        "notch" => return filter(Pass::Notch),
        "gain" => {
            let gain = gain(call)?;
            return Ok(Dynamic::from(StageValue(vec![Stage::Gain(gain)])));
        }
        "noise" => {
            let colour = match call.given.first() {
                Some(_) => call.text(0, "a colour in quotes: \"white\" or \"pink\"")?,
                None => "white".into(),
            };
            match colour.as_str() {
                "white" => write(call, |circuit| circuit.noise(Colour::White))?,
                "pink" => write(call, |circuit| circuit.noise(Colour::Pink))?,
                _ => return Err(call.wrong_type(0, "\"white\" or \"pink\"")),
            }
        }
        "envelope" => {
            let (attack, decay, sustain, release) = (first(0)?, first(1)?, first(2)?, first(3)?);
            write(call, |circuit| circuit.envelope(attack, decay, sustain, release))?
        }
        "decay" => {
            let time = first(0)?;
            write(call, |circuit| circuit.decay(time))?
        }
        "lfo" => lfo(call)?,
        "delay1" => {
            let x = first(0)?;
            write(call, |circuit| circuit.delay1(x))?
        }
        "delay" => {
            let (x, frames, most) = (first(0)?, first(1)?, still(call, 2)?);
            write(call, |circuit| circuit.delay(x, frames, most.max(0.0) as usize))?
        }
        "select" => {
            let (condition, yes, no) = (first(0)?, first(1)?, first(2)?);
            write(call, |circuit| circuit.select(condition, yes, no))?
        }
        "clamp" => {
            let (x, least, most) = (first(0)?, first(1)?, first(2)?);
            write(call, |circuit| circuit.clamp(x, least, most))?
        }
        "smooth" => {
            let (x, time) = (first(0)?, still(call, 1)?);
            write(call, |circuit| circuit.smooth(x, time))?
        }
        "hold" => {
            let (x, when) = (first(0)?, first(1)?);
            write(call, |circuit| circuit.hold(x, when))?
        }
        "feedback" => {
            let back = write(call, Builder::open)?;
            let result = call.run(0, vec![Dynamic::from(TracedValue(back))])?;
            let result = output(call, 0, &result)?;
            write(call, |circuit| circuit.close(back, result))?
        }
        _ => {
            let name = call.text(0, "a name in quotes")?;
            let (default, least, most) = (still(call, 1)?, still(call, 2)?, still(call, 3)?);
            if desk::with(|desk| desk.circuit.as_ref().is_some_and(|circuit| is_taken(&name, circuit.is_voice()))) {
                let message = format!("`{}` is a parameter of its own already", name.escape_debug());
                return Err(Diagnostic::error("bad-name", call.place_of(0), message).help("give this one another name"));
            }
            write(call, |circuit| circuit.parameter(&name, default, least, most))?
        }
    };
    traced(made)
}

/// Whether every effect or every synth has a parameter, or a setter, of a name.
fn is_taken(name: &str, is_voice: bool) -> bool {
    let of_all = ["mix", "bypass", "named", tables::CIRCUIT];
    of_all.contains(&name) || is_voice && SYNTH.parameters.iter().any(|parameter| parameter.name == name)
}

/// A level in dB as a factor.
fn gain(call: &Call) -> Result<Signal, Diagnostic> {
    let db = signal(call, 0)?;
    if let Ok(db) = still(call, 0) {
        return write(call, |circuit| circuit.constant(math::gain_from_db(db)));
    }
    let nepers = write(call, |circuit| circuit.constant(math::ln(10.0) / 20.0))?;
    let exponent = write(call, |circuit| circuit.binary(Binary::Multiply, db, nepers))?;
    write(call, |circuit| circuit.unary(Unary::Exp, exponent))
}

fn lfo(call: &Call) -> Result<Signal, Diagnostic> {
    let rate = still(call, 0)?;
    let wave = match call.given.get(1) {
        None => Wave::Sine,
        Some(_) => match call.text(1, "a shape in quotes")?.as_str() {
            "sine" => Wave::Sine,
            "triangle" => Wave::Triangle,
            "saw" => Wave::Saw,
            "square" => Wave::Square,
            _ => return Err(call.wrong_type(1, "\"sine\", \"triangle\", \"saw\" or \"square\"")),
        },
    };
    write(call, |circuit| circuit.lfo(rate, wave, if circuit.is_voice() { Clock::Age } else { Clock::Transport }))
}

/// Why a word has no place in a circuit; `None` for what has.
fn refused(call: &Call, symbolic: bool) -> Option<Outcome> {
    let wrong = |message: String, help: &str| Some(Err(Diagnostic::error("bad-circuit", call.at, message).help(help)));
    if call.is_method() {
        return symbolic.then(|| {
            let message = format!("a signal in a voice or a dsp has no `.{}`", call.word);
            Err(Diagnostic::error("bad-circuit", call.at, message)
                .help("it is reckoned with: `x * 0.5`, `x + y`, `x >> low_pass(800, 2)`, `select(x > 0, x, -x)`"))
        });
    }
    if symbolic {
        return wrong(
            format!("`{}` does not know signals", call.word),
            "inside a voice or a dsp stand arithmetic, select, min, max, clamp, tanh and the like, generators and filters",
        );
    }
    words::is_word(call.word).then(|| {
        let message = format!("`{}` cannot stand in a voice or a dsp", call.word);
        Err(Diagnostic::error("bad-circuit", call.at, message)
            .help("what is not a generator, a filter or arithmetic goes behind it: `input(...) >> reverb() >> master`"))
    })
}

/// What a closure gave, as a signal.
fn output(call: &Call, index: usize, value: &Dynamic) -> Result<Signal, Diagnostic> {
    if let Some(traced) = value.read_lock::<TracedValue>() {
        return Ok(traced.0);
    }
    match number(value) {
        Some(number) => write(call, |circuit| circuit.constant(number)),
        None => {
            let message = format!("the function has to give a signal, not {}", value::describe(value));
            let help = match value.is::<StageValue>() {
                true => "something has to flow into it: `x >> low_pass(800)`",
                false => "its last line, without a `;`, is what is heard",
            };
            Err(Diagnostic::error("bad-circuit", call.place_of(index), message).help(help))
        }
    }
}

/// Calls a closure with what stands for signals, and gives what it wrote down.
fn trace(call: &Call, index: usize, inputs: usize) -> Result<Circuit, Diagnostic> {
    let refused = |message: String| Diagnostic::error("bad-circuit", call.place_of(index), message);
    let at = call.place_of(index);
    if let Some(switch) = desk::with(|desk| desk.file(at).in_closure(at, "switch")) {
        let message = "what a signal is will be known only when it sounds: `switch` cannot choose by it";
        return Err(Diagnostic::error("bad-circuit", switch, message)
            .help("write `select(condition, a, b)`; what does not hang on a signal is chosen before the function"));
    }
    let builder = Builder::new(inputs).map_err(refused)?;
    desk::with(|desk| desk.circuit = Some(builder));
    let outputs = run(call, index, inputs);
    let builder = desk::with(|desk| desk.circuit.take());
    builder.ok_or_else(|| refused("circuits cannot stand within each other".into()))?.finish(&outputs?).map_err(refused)
}

fn run(call: &Call, index: usize, inputs: usize) -> Result<Vec<Signal>, Diagnostic> {
    let channel = |n: usize| Ok(Dynamic::from(TracedValue(write(call, |circuit| circuit.input(n))?)));
    let given: Vec<Dynamic> = match inputs {
        0 => vec![Dynamic::from(NoteValue)],
        _ => (0..inputs).map(channel).collect::<Result<_, Diagnostic>>()?,
    };
    let result = call.run(index, given)?;
    if let Some(list) = result.read_lock::<Array>() {
        return list.iter().map(|value| output(call, index, value)).collect();
    }
    Ok(vec![output(call, index, &result)?])
}

fn circuit(circuit: Circuit, call: &Call) -> (Arc<Circuit>, Setting) {
    let circuit = Arc::new(circuit);
    (circuit.clone(), Setting { value: Value::Circuit(circuit), at: call.at })
}

fn within(call: &Call) -> Result<(), Diagnostic> {
    match is_on() {
        true => {
            Err(Diagnostic::error("bad-circuit", call.at, format!("`{}` cannot stand in a voice or a dsp", call.word)))
        }
        false => Ok(()),
    }
}

/// A word of circuits where none is traced.
pub fn astray(call: &Call) -> Outcome {
    Err(Diagnostic::error("bad-circuit", call.at, format!("`{}` belongs into a voice or a dsp", call.word))
        .help("write it in the function of `synth(|note| ...)` or `dsp(\"name\", |x| ...)`"))
}

/// `synth(|note| ...)`.
pub fn synth(call: &Call) -> Outcome {
    within(call)?;
    call.takes(1..=1)?;
    let (made, setting) = circuit(trace(call, 0, 0)?, call);
    let table = tables::synth(&made);
    let mut source = Source::new(table, call.at);
    if let Some(index) = table.index(tables::CIRCUIT) {
        source.settings[index] = setting;
    }
    Ok(Dynamic::from(SourceValue(source)))
}

/// `dsp(name, |x| ...)`, `dsp(name, |l, r| ...)`.
pub fn dsp(call: &Call) -> Outcome {
    within(call)?;
    call.takes(2..=2)?;
    let name = call.text(0, "a name in quotes")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain);
    if !is_plain || words::is_word(&name) {
        let message = format!("a dsp cannot be called \"{}\"", name.escape_debug());
        return Err(Diagnostic::error("bad-name", call.place_of(0), message)
            .help("lower-case letters, digits and _, a letter first, and no word that there is already"));
    }
    let at = call.place_of(1);
    let inputs = desk::with(|desk| desk.file(at).closure(at)).unwrap_or(1);
    if !(1..=2).contains(&inputs) {
        let message = format!("the function of a dsp takes one channel or two, not {inputs}");
        let help = "write `|x| ...`, or `|l, r| ...` for a pair";
        return Err(Diagnostic::error("wrong-arguments", at, message).help(help));
    }
    let (made, setting) = circuit(trace(call, 1, inputs)?, call);
    let table = tables::effect(&name, &made);
    let mut effect = Effect::new(table, call.at);
    if let Some(index) = table.index(tables::CIRCUIT) {
        effect.settings[index] = setting;
    }
    Ok(Dynamic::from(EffectValue::new(Step::Effect(Box::new(effect)))))
}
