//! The ways in which a line can be written into a file, from the tidiest to the plainest.

use std::collections::BTreeSet;
use std::ops::Range;

use engine::amend;
use engine::names::{Found, Names};
use engine::session::{CableId, CableKind};

use super::Place;
use super::settings;
use crate::typing;

/// Of statements that begin alike, so many are tried, the last first.
const ALIKE: usize = 6;

/// At what the line changes.
pub fn tidy(place: &Place<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if !typing::declares(&place.line.text) {
        // Others have said the same, or otherwise, since.
        found.push(place.script.text.clone());
    }
    if let Some((path, value)) = typing::set_of(&place.line.text) {
        found.extend(settings::set(place, &path, &value));
        if value.starts_with('"') {
            // A pattern that was written out sounds as what made it, and is to be written all the same.
            found.rotate_left(1);
        }
        return found;
    }
    let Some(line) = place.line.only() else { return found };
    if place.line.is_keyword(line.start) && place.line.declares(&line).is_none() {
        return found;
    }
    match place.line.calls(&line) {
        Some("unplug" | "remove") => found.extend(taken_away(place, &line)),
        _ => {
            let inner = replacing(place, &line).unwrap_or(line);
            found.extend(plugged_again(place, &inner));
            found.extend(said_again(place, &inner));
        }
    }
    found
}

/// Behind everything.
pub fn plain(place: &Place<'_>) -> Vec<String> {
    let own = place.line.text.trim().to_owned();
    let mut found = vec![place.script.followed(std::slice::from_ref(&own))];
    if let Some(line) = place.line.only() {
        let (front, value) = match place.line.declares(&line) {
            Some((_, value)) => (line.start..value.start, value),
            None => (line.start..line.start, line),
        };
        let replaced = format!("replace({})", place.line.written_as(&value));
        let replaced = format!("{} {replaced}", place.line.written_as(&front));
        found.push(place.script.followed(&[replaced.trim_start().to_owned()]));
    }
    // What plugs in where `replace` has no access, as within a loop.
    let away = cables_again(place).into_iter().map(|(path, _)| format!("unplug(\"{path}\")"));
    found.push(place.script.followed(&away.chain([own]).collect::<Vec<_>>()));
    found
}

/// What stands in `replace(...)`.
fn replacing(place: &Place<'_>, line: &Range<usize>) -> Option<Range<usize>> {
    let close = place.line.closing(line.start + 1)?;
    (place.line.calls(line) == Some("replace") && close + 1 == line.end).then(|| line.start + 2..close)
}

/// The cables of the file that the line plugs in again, each by its path with the statement that it stands in.
fn cables_again(place: &Place<'_>) -> Vec<(String, Option<Range<usize>>)> {
    let Some(session) = place.with() else { return Vec::new() };
    let names = Names::of(&session);
    let cables = || session.cables.iter().enumerate().map(|(i, cable)| (names.cable(CableId(i)), cable));
    let own = |file: u16| usize::from(file) == place.number + 1;
    let plugged: BTreeSet<&str> = cables().filter(|(_, cable)| own(cable.at.file)).map(|(path, _)| path).collect();
    let before = cables().filter(|(path, cable)| !own(cable.at.file) && plugged.contains(path));
    before
        .map(|(path, cable)| {
            let statement = (cable.at.file == 0).then(|| place.script.statement_at(cable.at)).flatten();
            (path.to_owned(), statement)
        })
        .collect()
}

/// A cable plugged in again, in the place of the statement that plugs it in.
fn plugged_again(place: &Place<'_>, line: &Range<usize>) -> Vec<String> {
    let mut statements: Vec<Range<usize>> = cables_again(place).into_iter().filter_map(|(_, at)| at).collect();
    statements.dedup();
    let replaced = statements.iter().rev().flat_map(|statement| {
        // Whoever uses the name that it has goes on doing so.
        let value = match (place.script.declares(statement), place.line.declares(line)) {
            (Some((_, value)), None) => value,
            _ => statement.clone(),
        };
        place.script.replaced(&value, &place.line, line)
    });
    replaced.collect()
}

/// A name declared again, or a word of the whole said again.
fn said_again(place: &Place<'_>, line: &Range<usize>) -> Vec<String> {
    let (own, script) = (&place.line, &place.script);
    let name = own.quoted(line.start + 2).filter(|_| matches!(own.calls(line), Some("input" | "bus" | "section")));
    let alike = |statement: &Range<usize>| {
        let declared = script.declares(statement);
        if let Some((name, _)) = own.declares(line) {
            return declared.filter(|(other, _)| *other == name).map(|_| statement.clone());
        }
        let value = declared.map_or(statement.clone(), |(_, value)| value);
        let same_name = name.is_none() || script.quoted(value.start + 2) == name;
        (own.calls(line).is_some() && own.calls(line) == script.calls(&value) && same_name).then_some(value)
    };
    let alike = script.statements().iter().rev().filter_map(alike).take(ALIKE);
    alike.flat_map(|alike| script.replaced(&alike, own, line)).collect()
}

/// What `unplug` or `remove` takes away, taken out of the file.
fn taken_away(place: &Place<'_>, line: &Range<usize>) -> Vec<String> {
    let found = || {
        let path = place.line.quoted(line.start + 2).filter(|_| line.len() == 4)?;
        let mut session = place.without(true)?;
        amend::apply(&mut session);
        let found = Names::of(&session).find(&session, path).ok()?;
        let script = &place.script;
        let places = match found {
            Found::Cable(id) if session.cables[id.0].kind == CableKind::Plug => {
                let at = session.cables[id.0].at;
                let statement = script.statement_at(at).filter(|_| at.file == 0)?;
                return Some(vec![script.without(&statement)]);
            }
            Found::Cable(id) => vec![session.cables[id.0].at],
            Found::Instance(id) => {
                let instance = &session.instances[id.0];
                instance.work.effect().map(|effect| effect.at).into_iter().chain([instance.at]).collect()
            }
            Found::Place(_) | Found::Parameter(..) => return None,
        };
        let within = places.into_iter().filter(|at| at.file == 0);
        Some(within.filter_map(|at| script.without_link(at)).collect())
    };
    found().unwrap_or_default()
}
