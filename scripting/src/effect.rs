//! Effects and sources as values: the words that make them and the setters that return changed ones, all read off the
//! engine's tables.

use engine::diagnostic::Diagnostic;
use engine::nest;
use engine::parameter::{Kind, NAME, Parameter, Part, Spoken, Table};
use engine::session::{Effect, PartUse, Setting, Source};
use engine::sources::clip::CLIP;
use engine::sources::slices::SLICES;
use engine::words::{BYPASS, FEEDBACK_TIME, MIX, SEND_GAIN};
use rhai::Dynamic;

use crate::album::{self, TrackValue};
use crate::call::{Call, Outcome};
use crate::desk::{self, Desk};
use crate::value::{ControlValue, EffectValue, PatternValue, Signal, SourceValue, Step, describe, spoken};
use crate::{control, nested, pattern, words};

/// An effect from its word and arguments.
pub fn effect(call: &Call, table: &'static Table) -> Outcome {
    let mut effect = Effect::new(table, call.at);
    if let Some(nest) = nest::of(table) {
        return nested::effect(call, effect, nest);
    }
    if table.arguments == [NAME] {
        call.takes(0..=1)?;
        effect.name = (call.count() == 1).then(|| call.name(0)).transpose()?;
        return Ok(Dynamic::from(EffectValue::new(Step::Effect(Box::new(effect)))));
    }
    for (index, setting) in arguments(call, table)? {
        effect.settings[index] = setting;
    }
    Ok(Dynamic::from(EffectValue::new(Step::Effect(Box::new(effect)))))
}

/// A source from its word and arguments.
pub fn source(call: &Call, table: &'static Table) -> Outcome {
    let mut source = Source::new(table, call.at);
    let given = arguments(call, table)?;
    let first = table.arguments.first().and_then(|name| table.index(name)).map(|index| &table.parameters[index]);
    if let Some(parameter) =
        first.filter(|p| given.is_empty() && matches!(p.kind, Kind::Path | Kind::Channels | Kind::Port))
    {
        return Err(call.misuse(format!("`{}` wants {}", table.word, parameter.expected())));
    }
    for (index, setting) in given {
        source.settings[index] = setting;
    }
    Ok(Dynamic::from(SourceValue(source)))
}

/// The settings that the arguments of a table's word make, each with its parameter's index.
fn arguments(call: &Call, table: &'static Table) -> Result<Vec<(usize, Setting)>, Diagnostic> {
    let named: Vec<usize> = table.arguments.iter().filter_map(|name| table.index(name)).collect();
    let gathers = named.last().is_some_and(|&last| matches!(table.parameters[last].kind, Kind::Channels));
    if !gathers {
        call.takes(0..=named.len())?;
    }
    let mut settings = Vec::new();
    for (number, &index) in named.iter().enumerate().take(call.count()) {
        let parameter = &table.parameters[index];
        let gathered = gathers && number + 1 == named.len();
        let count = if gathered { call.count() - number } else { 1 };
        settings.push((index, value(call, parameter, number, count)?));
    }
    Ok(settings)
}

/// A method of an effect; `None` if it has none of that name.
pub fn effect_method(call: &Call, this: &EffectValue) -> Option<Outcome> {
    let mut next = this.clone();
    next.open_part = false;
    let outcome = match call.word {
        "named" => named(call, &mut next, this.open_part),
        "mix" | "bypass" => blend(call, &mut next),
        _ => match &mut next.step {
            Step::Effect(effect) => own(call, effect, this.open_part, &mut next.open_part)?,
            Step::Nest(nest) => match nested::method(call, nest) {
                Some(outcome) => outcome,
                None => own(call, &mut nest.effect, this.open_part, &mut next.open_part)?,
            },
            Step::Tap(tap) => {
                let parameter = if tap.feedback { &FEEDBACK_TIME } else { &SEND_GAIN };
                if call.word != parameter.name {
                    return None;
                }
                setter(call, parameter).map(|setting| tap.setting = setting)
            }
            Step::Chain(_) | Step::Cable(_) => return None,
        },
    };
    Some(outcome.map(|()| Dynamic::from(next)))
}

/// A method of a source; `None` if it has none of that name.
pub fn source_method(call: &Call, this: &SourceValue) -> Option<Outcome> {
    if call.word == SLICE && std::ptr::eq(this.0.table.0, &CLIP) {
        return Some(sliced(call, &this.0));
    }
    let index = this.0.table.index(call.word)?;
    let mut next = this.clone();
    let parameter = &this.0.table.0.parameters[index];
    Some(setter(call, parameter).map(|setting| {
        next.0.settings[index] = setting;
        Dynamic::from(next)
    }))
}

/// The method that makes an instrument of a clip.
const SLICE: &str = "slice";

/// `clip(path).slice(n)`: the slices of what the clip would play. What places a clip on the transport is not for them.
fn sliced(call: &Call, clip: &Source) -> Outcome {
    let mut slices = Source::new(&SLICES, call.at);
    for (parameter, setting) in CLIP.parameters.iter().zip(&clip.settings) {
        match SLICES.index(parameter.name) {
            Some(index) => slices.settings[index] = setting.clone(),
            None if setting.value == parameter.default() => {}
            None => {
                let message = format!("`{}` is for a clip that lies on the transport", parameter.name);
                return Err(Diagnostic::error("misplaced", call.at, message)
                    .help("slices are played by a pattern, `play(\"0 1 2 3\", clip(...).slice(4))`: leave it out"));
            }
        }
    }
    if let Some(index) = SLICES.index(SLICE) {
        slices.settings[index] = setter(call, &SLICES.parameters[index])?;
    }
    Ok(Dynamic::from(SourceValue(slices)))
}

/// What an effect's own table has: a parameter, its key, a part, or what is said of the part before. `was_open` and
/// `open_part` are whether `.named` names that part, before and afterwards.
fn own(call: &Call, effect: &mut Effect, was_open: bool, open_part: &mut bool) -> Option<Result<(), Diagnostic>> {
    let table = effect.table.0;
    if let Some(index) = table.index(call.word) {
        let parameter = &table.parameters[index];
        if let Kind::Signal = parameter.kind {
            return Some(key(call).map(|key| effect.key = Some(key)));
        }
        return Some(setter(call, parameter).map(|setting| effect.settings[index] = setting));
    }
    if let Some(index) = table.parts.iter().position(|part| part.word == call.word) {
        *open_part = true;
        return Some(part(call, index, table).map(|part| effect.parts.push(part)));
    }
    let having = table.parts_with(call.word);
    *open_part = was_open;
    (!having.is_empty()).then(|| of_part(call, effect, &having))
}

/// What is said of the part before; `having` are the parts that it can be said of.
fn of_part(call: &Call, effect: &mut Effect, having: &[&Part]) -> Result<(), Diagnostic> {
    let table = effect.table.0;
    let Some(used) = effect.parts.last_mut() else {
        let message = format!("`.{}` has nothing before it that it could speak of", call.word);
        let first = having.first().map_or("", |part| part.word);
        return Err(Diagnostic::error("misplaced", call.at, message)
            .help(format!("write it after what it is said of: `{}().{first}(...).{}(...)`", table.word, call.word)));
    };
    let part = &table.parts[used.part];
    let Some(word) = part.words.iter().find(|word| word.word == call.word) else {
        let message = format!("`.{}` cannot be said of a `{}`", call.word, part.word);
        let owners: Vec<&str> = having.iter().map(|part| part.word).collect();
        return Err(Diagnostic::error("misplaced", call.at, message).help(format!("it can of {}", list(&owners))));
    };
    let parameters: Vec<usize> = word.arguments.iter().filter_map(|name| part.index(name)).collect();
    let given = call.count() - 1;
    if !(1..=parameters.len()).contains(&given) {
        let message = match parameters.len() {
            1 => format!("`.{}` takes one argument, not {given}", word.word),
            most => format!("`.{}` takes 1 to {most} arguments, not {given}", word.word),
        };
        return Err(Diagnostic::error("wrong-arguments", call.at, message).help(format!(
            "write `.{}({})`",
            word.word,
            word.arguments.join(", ")
        )));
    }
    for (number, &index) in parameters.iter().enumerate().take(given) {
        used.settings[index] = value(call, &part.parameters[index], number + 1, 1)?;
    }
    Ok(())
}

/// A part with its arguments, of which the last may be left out.
fn part(call: &Call, index: usize, table: &'static Table) -> Result<PartUse, Diagnostic> {
    let part = &table.parts[index];
    let mut used = PartUse::new(index, part, call.at);
    let most = part.arguments.len();
    if call.count() > most + 1 {
        let message = format!("`.{}` takes at most {}, not {}", part.word, count(most), call.count() - 1);
        return Err(Diagnostic::error("wrong-arguments", call.at, message).help(format!(
            "write `.{}({})`",
            part.word,
            part.arguments.join(", ")
        )));
    }
    let named = part.arguments.iter().filter_map(|name| part.index(name));
    for (number, index) in named.enumerate().take(call.count() - 1) {
        used.settings[index] = value(call, &part.parameters[index], number + 1, 1)?;
    }
    Ok(used)
}

fn count(number: usize) -> String {
    match number {
        1 => "one argument".into(),
        n => format!("{n} arguments"),
    }
}

/// The value of a setter: one argument, or none for yes, or several channels.
pub fn setter(call: &Call, parameter: &Parameter) -> Result<Setting, Diagnostic> {
    let given = call.count() - 1;
    match (parameter.kind, given) {
        (Kind::Flag { .. } | Kind::Keyboard, 0) => {
            Ok(desk::with(|desk| desk.accept(parameter, &Spoken::Flag(true), call.at)))
        }
        (_, 1) => value(call, parameter, 1, 1),
        (Kind::Channels, 2..) => value(call, parameter, 1, given),
        _ => Err(Diagnostic::error(
            "wrong-arguments",
            call.at,
            format!("`.{}` takes one argument, not {given}", parameter.name),
        )
        .help(format!("expected {}", parameter.expected()))),
    }
}

/// What a parameter takes from `count` of the given values, the first of them at `first`.
pub fn value(call: &Call, parameter: &Parameter, first: usize, count: usize) -> Result<Setting, Diagnostic> {
    if let Kind::Pattern = parameter.kind {
        return pattern::setting(call, first);
    }
    let said = match &call.given[first..first + count] {
        [one] => spoken(one),
        many => Spoken::List(many.iter().map(spoken).collect()),
    };
    let at = call.place_of(first);
    Ok(desk::with(|desk| desk.accept(parameter, &said, at)))
}

/// The signal that steers an effect.
fn key(call: &Call) -> Result<(engine::session::Tap, engine::diagnostic::Position), Diagnostic> {
    if call.count() != 2 {
        let message = format!("`.{}` takes one signal", call.word);
        return Err(
            Diagnostic::error("wrong-arguments", call.at, message).help(format!("write `.{}(signal)`", call.word))
        );
    }
    let at = call.place_of(1);
    if call.given[1].is_string() {
        let id = call.place(1, Desk::named)?;
        return Ok((engine::session::Tap::Place(id), at));
    }
    let signal = call.given[1].read_lock::<Signal>().ok_or_else(|| call.wrong_type(1, "a signal"))?;
    Ok((desk::with(|desk| desk.tap(&signal, at)), at))
}

/// `.named(name)`.
fn named(call: &Call, next: &mut EffectValue, open_part: bool) -> Result<(), Diagnostic> {
    if call.count() != 2 {
        return Err(call.misuse("`.named` takes one name".into()));
    }
    let name = Some(call.name(1)?);
    match &mut next.step {
        Step::Effect(effect) => match effect.parts.last_mut().filter(|_| open_part) {
            Some(part) => part.name = name,
            None => effect.name = name,
        },
        Step::Nest(nest) => nest.effect.name = name,
        Step::Chain(chain) => chain.name = name,
        Step::Tap(tap) => tap.name = name,
        Step::Cable(_) => return Err(call.misuse("a cable has its name already".into())),
    }
    Ok(())
}

/// `.mix(percent)` and `.bypass(on)`.
fn blend(call: &Call, next: &mut EffectValue) -> Result<(), Diagnostic> {
    let is_mix = call.word == "mix";
    if let Step::Tap(_) | Step::Cable(_) = next.step {
        let message = format!("`{}` has no `.{}`: it passes its signal on as it is", next.word(), call.word);
        return Err(Diagnostic::error("unknown-method", call.at, message));
    }
    let setting = setter(call, if is_mix { &MIX } else { &BYPASS })?;
    match &mut next.step {
        Step::Effect(effect) if is_mix => effect.mix = setting,
        Step::Effect(effect) => effect.bypass = setting,
        Step::Nest(nest) if is_mix => nest.effect.mix = setting,
        Step::Nest(nest) => nest.effect.bypass = setting,
        Step::Chain(chain) if is_mix => chain.mix = Some(setting),
        Step::Chain(chain) => chain.bypass = Some(setting),
        Step::Tap(_) | Step::Cable(_) => {}
    }
    Ok(())
}

/// The error for a method that a value does not have.
pub fn no_such_method(call: &Call) -> Diagnostic {
    let object = &call.given[0];
    if let Some(control) = object.read_lock::<ControlValue>() {
        let word = control.0.word();
        let has: Vec<&str> = control::methods(Some(word)).collect();
        let help = words::suggest(call.word, has.iter().copied()).unwrap_or_else(|| {
            if has.is_empty() { format!("`{word}` has no methods") } else { format!("`{word}` has {}", list(&has)) }
        });
        return Diagnostic::error("unknown-method", call.at, format!("`{word}` has no `.{}`", call.word)).help(help);
    }
    if object.is::<TrackValue>() {
        return album::no_such_method(call);
    }
    if object.is::<PatternValue>() {
        let has = words::WORDS.iter().filter(|word| word.group == words::Group::Variations).map(|word| word.word);
        let error = Diagnostic::error("unknown-method", call.at, format!("a pattern has no `.{}`", call.word));
        return match words::suggest(call.word, has) {
            Some(help) => error.help(help),
            None => error
                .help("what can be done to patterns is in `:words`; the setters of an instrument follow `play(...)`"),
        };
    }
    let table = if let Some(effect) = object.read_lock::<EffectValue>() {
        match &effect.step {
            Step::Effect(effect) => Some(effect.table.0),
            Step::Nest(nest) => Some(nest.effect.table.0),
            _ => None,
        }
    } else {
        object.read_lock::<SourceValue>().map(|source| source.0.table.0)
    };
    let Some(table) = table else {
        let what = match object.read_lock::<EffectValue>() {
            Some(effect) => format!("`{}`", effect.word()),
            None => describe(object).to_string(),
        };
        let error = Diagnostic::error("unknown-method", call.at, format!("{what} has no `.{}`", call.word));
        return if object.is::<Signal>() {
            error.help("setters belong to effects: set it before the signal flows in, `voice >> effect.setter(value)`")
        } else {
            error
        };
    };
    unknown_method(table, call.word, call.at)
}

/// The error for a method that a table does not have.
pub fn unknown_method(table: &'static Table, method: &str, at: engine::diagnostic::Position) -> Diagnostic {
    let has: Vec<&str> = words::methods(table).collect();
    let help = words::suggest(method, has.iter().copied().chain(["named", "mix", "bypass"]))
        .unwrap_or_else(|| format!("`{}` has {}", table.word, list(&has)));
    Diagnostic::error("unknown-parameter", at, format!("`{}` has no `{method}`", table.word)).help(help)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "no parameters".into()
    } else {
        names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
    }
}
