//! The words that apply after everything is declared: `mute`, `solo`, `safe`, `set`, `get`, `at`, `replace`, `unplug`,
//! `remove`, `before`, `after`. They are recorded here and resolved by the engine.

use std::sync::Arc;

use engine::diagnostic::{Diagnostic, Position};
use engine::names::{Found, Names};
use engine::parameter::Spoken;
use engine::session::{Amend, CableId, Effect, Session, Tap, Target};
use rhai::{Array, Dynamic};

use crate::call::{Call, Outcome};
use crate::desk;
use crate::pattern;
use crate::value::{self, EffectValue, Handle, Point, Signal, Step, spoken};

/// `mute(x)`, `mute(x, off)`.
pub fn mute(call: &Call) -> Outcome {
    switch(call, Amend::Mute)
}

/// `solo(x)`, `solo(x, off)`.
pub fn solo(call: &Call) -> Outcome {
    switch(call, Amend::Solo)
}

/// `safe(x)`.
pub fn safe(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    audible(call, Amend::Safe)
}

fn switch(call: &Call, what: fn(Target, bool) -> Amend) -> Outcome {
    call.takes(1..=2)?;
    let on = match call.given.get(1) {
        None => true,
        Some(on) => on.as_bool().map_err(|_| call.wrong_type(1, "on or off"))?,
    };
    audible(call, |target| what(target, on))
}

fn audible(call: &Call, what: impl Fn(Target) -> Amend) -> Outcome {
    let wanted = "an input, a bus, a cable, or the path of one";
    let targets = match call.given[0].read_lock::<Array>() {
        Some(list) => list.iter().map(|item| target(item, true)).collect::<Option<Vec<_>>>(),
        None => target(&call.given[0], true).map(|target| vec![target]),
    };
    let targets = targets.ok_or_else(|| call.wrong_type(0, wanted))?;
    desk::with(|desk| targets.into_iter().for_each(|target| desk.amend(what(target), call.at)));
    Ok(Dynamic::UNIT)
}

/// What a value speaks of: a path, a handle, or a signal: the place it comes from, or the effect it has just left.
fn target(value: &Dynamic, places: bool) -> Option<Target> {
    if let Some(signal) = value.read_lock::<Signal>() {
        return match signal.from {
            Point::Tap(Tap::Place(id)) if places => Some(Target::Place(id)),
            Point::Tap(Tap::Instance(id)) if !places => Some(Target::Instance(id)),
            _ => None,
        };
    }
    if let Some(handle) = value.read_lock::<Handle>() {
        return Some(match *handle {
            Handle::Cable(id) => Target::Cable(id),
            Handle::Instance(id) => Target::Instance(id),
        });
    }
    value.clone().into_string().ok().filter(|path| !path.is_empty()).map(Target::Path)
}

/// `set(path, value)`.
pub fn set(call: &Call) -> Outcome {
    call.takes(2..=2)?;
    let path = call.text(0, "the path of a parameter in quotes")?;
    // Read here, a pattern knows where it is written.
    let is_pattern = [".pattern", ".velocity"].iter().any(|name| path.ends_with(name));
    let value = match is_pattern && call.given[1].is_string() {
        true => Spoken::Pattern(Arc::new(pattern::pattern(call, 1)?)),
        false => spoken(&call.given[1]),
    };
    desk::with(|desk| desk.amend(Amend::Set(path, value), call.at));
    Ok(Dynamic::UNIT)
}

/// `get(path)`: the value that it has by now.
pub fn get(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let path = call.text(0, "the path of a parameter in quotes")?;
    let at = call.place_of(0);
    let mut session = desk::with(|desk| desk.session.clone());
    engine::amend::apply(&mut session);
    match find(&session, &path, at)? {
        Found::Parameter(owner, which) => {
            let (parameter, setting) = session.setting(owner, which);
            Ok(value::read(parameter, &setting.value))
        }
        _ => Err(Diagnostic::error("unknown-path", at, format!("\"{path}\" is no parameter"))
            .help(format!("`get` reads parameters, \"{path}.gain\"; `at(\"{path}\")` is the thing itself"))),
    }
}

/// `at(path)`: a place may be declared further down, a cable or an effect stands above.
pub fn at(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let path = call.text(0, "a path in quotes")?;
    let place = call.place_of(0);
    let is_path = path.contains(['/', '>', '+', '.', '#', ':', '*']);
    if !is_path && !path.starts_with("output ") {
        let name = call.name(0)?;
        let id = desk::with(|desk| desk.named(&name, place));
        return Ok(Dynamic::from(Signal::place(id)));
    }
    match desk::with(|desk| find(&desk.session, &path, place))? {
        Found::Place(id) => Ok(Dynamic::from(Signal::place(id))),
        Found::Cable(id) => Ok(Dynamic::from(Handle::Cable(id))),
        Found::Instance(id) => Ok(Dynamic::from(Handle::Instance(id))),
        Found::Parameter(..) => Err(Diagnostic::error("unknown-path", place, format!("\"{path}\" is a parameter"))
            .help(format!("read it with `get(\"{path}\")`, change it with `set(\"{path}\", value)`"))),
    }
}

/// What a path means in what is declared by now.
fn find(session: &Session, path: &str, at: Position) -> Result<Found, Diagnostic> {
    Names::of(session).find(session, path).map_err(|error| {
        let diagnostic = Diagnostic::error("unknown-path", at, error.message);
        diagnostic.help(error.help.unwrap_or_else(|| "what it names has to be declared above".into()))
    })
}

/// `replace(signal >> ... >> bus)`.
pub fn replace(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let wanted = "a whole line that ends in a bus";
    let signal = call.given[0].read_lock::<Signal>().filter(|signal| !signal.plugged.is_empty());
    let signal = signal.ok_or_else(|| call.wrong_type(0, wanted))?;
    desk::with(|desk| {
        for (index, cable) in desk.session.cables.iter_mut().enumerate() {
            let of_the_line = signal.plugged.contains(&cable.owner.unwrap_or(CableId(index)));
            cable.replaces |= of_the_line;
        }
    });
    Ok(call.given[0].clone())
}

/// `unplug(path)`.
pub fn unplug(call: &Call) -> Outcome {
    change(call, "the path of a cable, such as \"voice>band\"", Amend::Unplug)
}

/// `remove(path)`.
pub fn remove(call: &Call) -> Outcome {
    change(call, "the path of an effect, such as \"voice/gate\"", Amend::Remove)
}

fn change(call: &Call, wanted: &str, what: fn(Target) -> Amend) -> Outcome {
    call.takes(1..=1)?;
    let target = target(&call.given[0], false).ok_or_else(|| call.wrong_type(0, wanted))?;
    desk::with(|desk| desk.amend(what(target), call.at));
    Ok(Dynamic::UNIT)
}

/// `before(path, effect)`.
pub fn before(call: &Call) -> Outcome {
    beside(call, Amend::Before)
}

/// `after(path, effect)`.
pub fn after(call: &Call) -> Outcome {
    beside(call, Amend::After)
}

fn beside(call: &Call, what: fn(Target, Vec<Effect>) -> Amend) -> Outcome {
    call.takes(2..=2)?;
    let target = target(&call.given[0], false)
        .ok_or_else(|| call.wrong_type(0, "the path of an effect, such as \"voice/gate\""))?;
    let value = call.given[1].read_lock::<EffectValue>().ok_or_else(|| call.wrong_type(1, "an effect"))?;
    let mut effects = Vec::new();
    if !flatten(&value.step, &mut effects) {
        let message = format!(
            "`{}` takes effects alone: no sends, no named cables, none that others stand in, no mix of the whole",
            call.word
        );
        return Err(Diagnostic::error("wrong-type", call.place_of(1), message));
    }
    desk::with(|desk| desk.amend(what(target, effects), call.at));
    Ok(Dynamic::UNIT)
}

/// The effects of a step in order; `false` if it has anything else in it.
fn flatten(step: &Step, effects: &mut Vec<Effect>) -> bool {
    match step {
        Step::Effect(effect) => {
            effects.push((**effect).clone());
            true
        }
        Step::Chain(chain) => chain.is_plain() && chain.steps.iter().all(|step| flatten(step, effects)),
        Step::Nest(_) | Step::Tap(_) | Step::Cable(_) => false,
    }
}
