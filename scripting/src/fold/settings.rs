//! `set("path", value)` written where the parameter is said: in place of its argument, or as one more.

use std::ops::Range;

use engine::amend;
use engine::names::{Found, Names, Owner};
use engine::parameter::Part;
use engine::session::{CableKind, PlaceKind, Session};

use super::Place;
use super::script::Script;
use crate::tokens::Kind;

/// How a parameter is written.
struct Written {
    /// The word that it belongs to: an effect, a source, a part of one, `send`.
    word: &'static str,
    /// What the arguments of that word are.
    arguments: &'static [&'static str],
    /// Its name.
    name: &'static str,
    /// The part that it belongs to.
    part: Option<&'static Part>,
}

/// The file with a value in the place of the one that a path has there.
pub fn set(place: &Place<'_>, path: &str, value: &str) -> Vec<String> {
    let found = || {
        let mut session = place.without(false)?;
        amend::apply(&mut session);
        let Ok(Found::Parameter(owner, which)) = Names::of(&session).find(&session, path) else { return None };
        let (parameter, setting) = session.setting(owner, which);
        let written = written(&session, owner, parameter.name)?;
        let script = &place.script;
        let token = script.token_at(setting.at).filter(|&i| setting.at.file == 0 && script.start(i) == setting.at)?;
        Some(at(script, token, &written, value))
    };
    found().unwrap_or_default()
}

fn written(session: &Session, owner: Owner, name: &'static str) -> Option<Written> {
    let of_table = |table: &'static engine::parameter::Table| Written {
        word: table.word,
        arguments: table.arguments,
        name,
        part: None,
    };
    Some(match owner {
        Owner::Source(id, region) => match &session.places[id.0].kind {
            PlaceKind::Input(sources) => of_table(sources[region].table.0),
            _ => return None,
        },
        Owner::Instance(id) => of_table(session.instances[id.0].work.effect()?.table.0),
        Owner::Part(id, number) => {
            let effect = session.instances[id.0].work.effect()?;
            let part = &effect.table.0.parts[effect.parts[number].part];
            Written { word: part.word, arguments: part.arguments, name, part: Some(part) }
        }
        Owner::Cable(id) => match session.cables[id.0].kind {
            CableKind::Send { .. } => Written { word: "send", arguments: &["bus", "gain"], name, part: None },
            CableKind::Feedback { .. } => Written { word: "feedback", arguments: &["bus", "time"], name, part: None },
            CableKind::Plug => return None,
        },
    })
}

/// The texts that have the value where the token stands that says it now.
fn at(script: &Script, token: usize, written: &Written, value: &str) -> Vec<String> {
    let called = script.is(token + 1, "(");
    let word = script.written(token);
    if called && word == "set" {
        return script.arguments_of(token).get(1).map_or(Vec::new(), |old| in_place(script, old, value));
    }
    if called && word == written.word {
        return added(script, token, written, value);
    }
    if called && word == written.name && token > 0 && script.is(token - 1, ".") {
        // A setter without a value: `.bypass()`.
        let open = script.span(token + 1).end;
        return script
            .closing(token + 1)
            .map_or(Vec::new(), |close| vec![script.with(open..script.span(close).start, value)]);
    }
    let old = token..script.argument_end(token);
    match old.len() {
        1 if script.is_name(token) && !matches!(word, "on" | "off") => named(script, token, value),
        _ => in_place(script, &old, value),
    }
}

/// A value for another, with its unit if it has none of its own.
fn in_place(script: &Script, old: &Range<usize>, value: &str) -> Vec<String> {
    if old.is_empty() {
        return Vec::new();
    }
    let plain = value.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.');
    let unit = match *old {
        Range { end, .. } if end >= 3 && old.len() <= 4 && script.is(end - 2, ".") && plain => {
            (script.kind(end - 3) == Some(Kind::Number)).then(|| script.written(end - 1))
        }
        _ => None,
    };
    let styled = unit.map(|unit| format!("{value}.{unit}"));
    styled.iter().map(String::as_str).chain([value]).map(|new| script.exchanged(old, new)).collect()
}

/// A value that a name stands for: at what gives the name its value, if nothing else uses that.
fn named(script: &Script, token: usize, value: &str) -> Vec<String> {
    let name = script.written(token);
    let function = script.statements().iter().find(|statement| {
        statement.contains(&token)
            && script.is(statement.start, "fn")
            && (statement.start..token).take_while(|&i| !script.is(i, "{")).any(|i| script.is(i, name))
    });
    if let Some(function) = function {
        let parameters = script.arguments_of(function.start + 1);
        let Some(number) = parameters.iter().position(|one| script.is(one.start, name)) else { return Vec::new() };
        let called = script.written(function.start + 1);
        let calls =
            (0..script.len()).filter(|&i| i != function.start + 1 && script.is(i, called) && script.is(i + 1, "("));
        let given = calls.filter_map(|call| script.arguments_of(call).get(number).cloned());
        return given.flat_map(|old| in_place(script, &old, value)).collect();
    }
    let declared = script.statements().iter().filter_map(|statement| script.declares(statement));
    let declared = declared.filter(|(other, _)| *other == name).flat_map(|(_, old)| in_place(script, &old, value));
    declared.chain([script.exchanged(&(token..token + 1), value)]).collect()
}

/// A value that is not said yet, of the word at a token: as its next argument, or by a setter.
fn added(script: &Script, word: usize, written: &Written, value: &str) -> Vec<String> {
    let Some(close) = script.closing(word + 1) else { return Vec::new() };
    let given = script.arguments_of(word).len();
    let mut found = Vec::new();
    if written.arguments.get(given) == Some(&written.name) {
        let comma = if given == 0 { "" } else { ", " };
        let end = script.span(close).start;
        found.push(script.with(end..end, &format!("{comma}{value}")));
    }
    let behind = script.span(close).end;
    match written.part {
        Some(part) => {
            let alone = part.words.iter().filter(|word| word.arguments == [written.name]);
            found.extend(alone.map(|word| script.with(behind..behind, &format!(".{}({value})", word.word))));
        }
        None => {
            let last = script.span(script.chain_end(word) - 1).end;
            let setter = format!(".{}({value})", written.name);
            found.extend([last, behind].map(|at| script.with(at..at, &setter)));
        }
    }
    found
}
