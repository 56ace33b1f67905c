//! Patterns as values: texts in the mini-notation and what is made of them, the generators, and `play`, which gives one to an
//! instrument.

use std::sync::Arc;

use engine::diagnostic::{Diagnostic, Position};
use engine::midi_file;
use engine::parameter::Value;
use engine::pattern::generate::{self, Rule, Walk};
use engine::pattern::{Argument, Changes, Pattern, PatternError, Place};
use engine::session::Setting;
use engine::sources;
use rhai::{Array, Dynamic, ImmutableString, Map};

use crate::call::{Call, Outcome};
use crate::desk;
use crate::value::{PatternValue, SourceValue, number};
use crate::words;

/// The bars that a generator makes unless it is told.
const BARS: i64 = 4;

/// The cycles that are learnt from where chance is in them, and the most where not.
const LEARNT: i64 = 8;
const MOST_LEARNT: i64 = 256;

/// What a rhythm has on its beats unless it is told.
const BEAT: &str = "t";

/// The pattern of a text as it is written at a place, or as some variable has it.
fn read(text: &str, at: Position) -> Result<Pattern, Diagnostic> {
    let origin = desk::with(|desk| {
        let written = desk.file(at).quoted(at);
        desk.session.texts.push(written);
        desk.session.texts.len() as u32 - 1
    });
    Pattern::parse(text, origin).map_err(|error| told(error, at))
}

/// Where a part of a pattern is written, if it is written anywhere.
pub fn place(place: Place) -> Option<Position> {
    desk::with(|desk| {
        let text = desk.session.texts.get(place.origin as usize).filter(|_| place.begin < place.end)?;
        Some(text.character(place.begin))
    })
}

/// The error that a pattern's is; `call` is where it is said if it speaks of no text.
pub fn told(error: PatternError, call: Position) -> Diagnostic {
    let at = place(error.at).unwrap_or(call);
    let diagnostic = Diagnostic::error("bad-pattern", at, error.message);
    error.help.into_iter().fold(diagnostic, Diagnostic::help)
}

/// What stands for a pattern: one, a text, or a number.
pub fn pattern(call: &Call, index: usize) -> Result<Pattern, Diagnostic> {
    let value = &call.given[index];
    if let Some(pattern) = value.read_lock::<PatternValue>() {
        return Ok((*pattern.0).clone());
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return read(&text, place_of(call, index));
    }
    match number(value) {
        Some(number) => Ok(Pattern::value(engine::pattern::Value::Number(number))),
        None => Err(call.wrong_type(index, "a pattern in quotes, such as \"bd sn\"")),
    }
}

/// Where what a call was given is written; that of a method as well.
fn place_of(call: &Call, index: usize) -> Position {
    let object = desk::with(|desk| desk.file(call.at).object(call.at).filter(|_| index == 0));
    object.unwrap_or_else(|| call.place_of(index))
}

/// What a pattern's parameter takes.
pub fn setting(call: &Call, index: usize) -> Result<Setting, Diagnostic> {
    let pattern = pattern(call, index)?;
    Ok(Setting { value: Value::Pattern(Arc::new(pattern)), at: call.place_of(index) })
}

fn made(call: &Call, pattern: Result<Pattern, PatternError>) -> Outcome {
    pattern.map(|pattern| Dynamic::from(PatternValue(Arc::new(pattern)))).map_err(|error| told(error, call.at))
}

/// A number or a pattern of numbers.
fn argument(call: &Call, index: usize) -> Result<Argument, Diagnostic> {
    match number(&call.given[index]) {
        Some(number) => Ok(Argument::from(number)),
        None => Ok(Argument::from(&pattern(call, index)?)),
    }
}

fn plain(call: &Call, index: usize) -> Result<f64, Diagnostic> {
    number(&call.given[index]).ok_or_else(|| call.wrong_type(index, "a number"))
}

fn whole(call: &Call, index: usize) -> Result<i64, Diagnostic> {
    call.given[index].as_int().map_err(|_| call.wrong_type(index, "a whole number"))
}

fn whole_or(call: &Call, index: usize, default: i64) -> Result<i64, Diagnostic> {
    if index < call.count() { whole(call, index) } else { Ok(default) }
}

/// A seed: any whole number.
fn seed(call: &Call, index: usize) -> Result<u64, Diagnostic> {
    Ok(whole_or(call, index, 0)? as u64)
}

/// What a function does to a pattern, recorded.
fn changes(call: &Call, index: usize) -> Result<Changes, Diagnostic> {
    /// An error of the function itself, or of what it did.
    enum Wrong {
        Told(Diagnostic),
        Pattern(PatternError),
    }
    impl From<PatternError> for Wrong {
        fn from(error: PatternError) -> Self {
            Wrong::Pattern(error)
        }
    }
    let record = Changes::record(|given| {
        let value = call.run(index, vec![Dynamic::from(PatternValue(Arc::new(given)))]).map_err(Wrong::Told)?;
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return read(&text, call.place_of(index)).map_err(Wrong::Told);
        }
        let changed = value.read_lock::<PatternValue>().map(|changed| (*changed.0).clone());
        changed.ok_or_else(|| {
            let message = format!("the function has to give a pattern, not {}", crate::value::describe(&value));
            Wrong::Told(Diagnostic::error("wrong-type", call.place_of(index), message).help("write `|p| p.rev()`"))
        })
    });
    record.map_err(|wrong| match wrong {
        Wrong::Told(diagnostic) => diagnostic,
        Wrong::Pattern(error) => told(error, call.place_of(index)),
    })
}

/// A method of a pattern, or of a text that is one; `None` if it has none of that name.
pub fn method(call: &Call) -> Option<Outcome> {
    words::variation(call.word).map(|entry| changed(call, entry.signature))
}

fn changed(call: &Call, signature: &str) -> Outcome {
    let counts = match call.word {
        "rev" | "palindrome" => 1..=1,
        "every" | "euclid" => 3..=4,
        "respond" | "off" => 3..=3,
        "sometimes" | "swing" => 2..=3,
        "degrade" => 1..=2,
        _ => 2..=2,
    };
    if !counts.contains(&call.count()) {
        let message = format!("`.{}` is not given {} values", call.word, call.count() - 1);
        return Err(Diagnostic::error("wrong-arguments", call.at, message).help(format!("write `{signature}`")));
    }
    let this = pattern(call, 0)?;
    let result = match call.word {
        "fast" => this.fast(argument(call, 1)?),
        "slow" => this.slow(argument(call, 1)?),
        "shift" => this.shift(plain(call, 1)?),
        "rev" => this.rev(),
        "palindrome" => this.palindrome(),
        "every" if call.count() == 4 => this.every(whole(call, 1)?, whole(call, 2)?, &changes(call, 3)?),
        "every" => this.every(whole(call, 1)?, 0, &changes(call, 2)?),
        "respond" => this.respond(whole(call, 1)?, &changes(call, 2)?),
        "iter" => this.iter(whole(call, 1)?),
        "iter_back" => this.iter_back(whole(call, 1)?),
        "ply" => this.ply(argument(call, 1)?),
        "arp" => this.arp(&call.text(1, "an order in quotes: \"up\", \"down\", \"updown\" or \"downup\"")?),
        "swing" => this.swing(plain(call, 1)?, whole_or(call, 2, 4)?),
        "off" => this.off(plain(call, 1)?, &changes(call, 2)?),
        "sometimes" if call.count() == 3 => this.sometimes(plain(call, 1)?, &changes(call, 2)?),
        "sometimes" => this.sometimes(0.5, &changes(call, 1)?),
        "degrade" => this.degrade(if call.count() > 1 { plain(call, 1)? } else { 0.5 }),
        "seed" => this.seed(seed(call, 1)?),
        "struct" => this.structure(&pattern(call, 1)?),
        "mask" => this.mask(&pattern(call, 1)?),
        "segment" => this.segment(whole(call, 1)?),
        "euclid" => {
            let turned = if call.count() > 3 { argument(call, 3)? } else { Argument::from(0.0) };
            this.euclid(argument(call, 1)?, argument(call, 2)?, turned)
        }
        "add" => this.plus(argument(call, 1)?),
        "scale" => this.scale(&call.text(1, "a scale in quotes, such as \"c minor\"")?),
        _ => this.chord(&call.text(1, "a chord in quotes, such as \"minor7\"")?),
    };
    // Of one value it is clear which is wrong.
    let at = if call.count() == 2 { call.place_of(1) } else { call.at };
    result.map(|pattern| Dynamic::from(PatternValue(Arc::new(pattern)))).map_err(|error| told(error, at))
}

/// `play(pattern, instrument)`.
pub fn play(call: &Call) -> Outcome {
    call.takes(2..=2)?;
    let instruments = || {
        let words = sources::SOURCES.iter().filter(|table| table.plays()).map(|table| format!("`{}()`", table.word));
        format!("instruments are {}, `synth(|note| ...)`", words.collect::<Vec<_>>().join(", "))
    };
    let Some(SourceValue(mut source)) = call.given[1].read_lock::<SourceValue>().map(|source| source.clone()) else {
        return Err(call.wrong_type(1, "an instrument").help(instruments()));
    };
    let Some(index) = source.table.index("pattern").filter(|_| source.table.plays()) else {
        let message = format!("`{}` is no instrument: it plays no pattern", source.table.word);
        return Err(Diagnostic::error("wrong-type", call.place_of(1), message).help(instruments()));
    };
    source.settings[index] = setting(call, 0)?;
    source.at = call.at;
    Ok(Dynamic::from(SourceValue(source)))
}

fn patterns(call: &Call) -> Result<Vec<Pattern>, Diagnostic> {
    call.takes(1..=1)?;
    let list = call.given[0].read_lock::<Array>().ok_or_else(|| call.wrong_type(0, "a list of patterns"))?;
    let places = desk::with(|desk| desk.file(call.at).elements(call.place_of_in(desk, 0)));
    let at = call.place_of(0);
    let one = |(i, value): (usize, &Dynamic)| {
        let at = places.get(i).copied().unwrap_or(at);
        if let Some(pattern) = value.read_lock::<PatternValue>() {
            return Ok((*pattern.0).clone());
        }
        match value.read_lock::<ImmutableString>() {
            Some(text) => read(&text, at),
            None => Err(Diagnostic::error("wrong-type", at, "a list of nothing but patterns is wanted here")
                .help(format!("write `{}([\"bd sn\", \"hh*8\"])`", call.word))),
        }
    };
    list.iter().enumerate().map(one).collect()
}

/// `stack([pattern, ...])`.
pub fn stack(call: &Call) -> Outcome {
    let all = patterns(call)?;
    made(call, Pattern::stack(all))
}

/// `cat([pattern, ...])`.
pub fn cat(call: &Call) -> Outcome {
    let all = patterns(call)?;
    made(call, Pattern::cat(all))
}

/// The value that a generator of rhythms is given first, if it is given one, and where its numbers begin.
fn value(call: &Call) -> Result<(String, usize), Diagnostic> {
    match call.given.first() {
        Some(first) if first.is_string() => Ok((call.text(0, "a step in quotes")?, 1)),
        _ => Ok((BEAT.into(), 0)),
    }
}

/// `euclid(beats, steps)`, `euclid(value, beats, steps, rotation)`; of a pattern it is a method.
pub fn euclid(call: &Call) -> Outcome {
    call.takes(2..=4)?;
    let (value, first) = value(call)?;
    if call.count() < first + 2 {
        return Err(call.misuse("a Euclidean rhythm has beats and steps".into()));
    }
    let (beats, steps) = (whole(call, first)?, whole(call, first + 1)?);
    made(call, generate::euclid(&value, beats, steps, whole_or(call, first + 2, 0)?))
}

/// `cellular(rule)`, `cellular(value, rule, cells, bars, seed)`.
pub fn cellular(call: &Call) -> Outcome {
    call.takes(1..=5)?;
    let (value, first) = value(call)?;
    if call.count() <= first {
        return Err(call.misuse("an automaton has a rule".into()));
    }
    let rule = whole(call, first)?;
    let rule = u8::try_from(rule).map_err(|_| {
        Diagnostic::error("out-of-range", call.place_of(first), format!("there is no rule {rule}"))
            .help("rules are numbered from 0 to 255: try 30, 90 or 110")
    })?;
    let (cells, bars) = (whole_or(call, first + 1, 16)?, whole_or(call, first + 2, BARS)?);
    let drawn = if call.count() > first + 3 { Some(seed(call, first + 3)?) } else { None };
    made(call, generate::cellular(&value, rule, cells, bars, drawn))
}

/// The notes of a MIDI file, its path relative to the session's folder.
fn midi_file(call: &Call, path: &str) -> Result<Pattern, Diagnostic> {
    let refused = |code: &'static str, message: String| Diagnostic::error(code, call.place_of(0), message);
    let whole = desk::with(|desk| desk.session.folder.join(path));
    if !whole.exists() {
        return Err(refused("missing-file", format!("there is no file \"{path}\"")));
    }
    let notes = midi_file::notes_of(&whole).map_err(|broken| refused("bad-file", broken.to_string()))?;
    let notes: Vec<_> = notes.into_iter().map(|note| (note.span, f64::from(note.key))).collect();
    generate::notes(&notes).map_err(|error| told(error, call.place_of(0)))
}

/// `markov(training, order, bars, seed)`.
pub fn markov(call: &Call) -> Outcome {
    call.takes(1..=4)?;
    let path =
        call.given[0].clone().into_string().ok().filter(|text| text.ends_with(".mid") || text.ends_with(".midi"));
    let training = match path {
        Some(path) => midi_file(call, &path)?,
        None => pattern(call, 0)?,
    };
    let learnt = training.period().unwrap_or(LEARNT).clamp(1, MOST_LEARNT);
    let (order, bars) = (whole_or(call, 1, 1)?, whole_or(call, 2, BARS)?);
    made(call, generate::markov(&training, learnt, order, bars, seed(call, 3)?))
}

/// A map of texts.
fn rules(call: &Call, index: usize) -> Result<Vec<(String, String)>, Diagnostic> {
    let wanted = "a map of texts, such as #{a: \"ab\", b: \"a\"}";
    let map = call.given[index].read_lock::<Map>().ok_or_else(|| call.wrong_type(index, wanted))?;
    let texts = map.iter().map(|(from, to)| Some((from.to_string(), to.clone().into_string().ok()?)));
    texts.collect::<Option<_>>().ok_or_else(|| call.wrong_type(index, wanted))
}

/// `lsystem(axiom, rules, times, steps, sounds)`.
pub fn lsystem(call: &Call) -> Outcome {
    call.takes(3..=5)?;
    let axiom = call.text(0, "symbols in quotes")?;
    let (grow, times, steps) = (rules(call, 1)?, whole(call, 2)?, whole_or(call, 3, 8)?);
    let sounds = if call.count() > 4 { rules(call, 4)? } else { Vec::new() };
    made(call, generate::lsystem(&axiom, &grow, times, steps, &sounds))
}

/// `walk(scale, steps, bars, span, leap, seed)`.
pub fn walk(call: &Call) -> Outcome {
    call.takes(1..=6)?;
    let scale = call.text(0, "a scale in quotes, such as \"a4 minor\"")?;
    let (steps, bars) = (whole_or(call, 1, 8)?, whole_or(call, 2, BARS)?);
    let (span, leap) = (whole_or(call, 3, 7)?, whole_or(call, 4, 2)?);
    made(call, generate::walk(&scale, Walk { steps, bars, span, leap }, seed(call, 5)?))
}

/// `progression(scale, rule, bars, seed, notes)`.
pub fn progression(call: &Call) -> Outcome {
    call.takes(1..=5)?;
    let scale = call.text(0, "a scale in quotes, such as \"c major\"")?;
    let name = if call.count() > 1 { call.text(1, "a rule in quotes, such as \"pop\"")? } else { "functional".into() };
    let rule = Rule::named(&name).map_err(|error| told(error, call.place_of(1)))?;
    let (bars, seed) = (whole_or(call, 2, BARS)?, seed(call, 3)?);
    let notes = if call.count() > 4 { Some(whole(call, 4)?) } else { None };
    made(call, generate::progression(&scale, rule, bars, seed, notes))
}
