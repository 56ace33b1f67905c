//! What of the text takes sound away at a place, a cable or an effect, which line says so, and what to type.

use engine::audible::silent_cables;
use engine::diagnostic::Position;
use engine::form;
use engine::graph::Role;
use engine::names::{Found, Names, Owner, Which};
use engine::parameter::{Table, Value};
use engine::session::{Amend, CableId, CableKind, InstanceId, PlaceId, PlaceKind, Setting, Source, Target};
use engine::sources::{self, End};

use crate::changes::rounded;

use super::{Around, Fault, OFF, cables, fault};

/// What takes the sound away at a thing, by what the text says.
pub(super) fn own_fault(around: &Around<'_>, found: Found) -> Option<Fault> {
    match found {
        Found::Place(id) => place_fault(around, id),
        Found::Cable(id) => cable_fault(around, id),
        Found::Instance(id) => instance_fault(around, id),
        Found::Parameter(..) => None,
    }
}

fn place_fault(around: &Around<'_>, id: PlaceId) -> Option<Fault> {
    let place = &around.session.places[id.0];
    let name = &place.name;
    match &place.kind {
        PlaceKind::Input(sources) => {
            let faults: Vec<Option<Fault>> =
                sources.iter().enumerate().map(|(i, source)| source_fault(around, id, i, source)).collect();
            // One that sounds is enough.
            if faults.iter().any(Option::is_none) { None } else { faults.into_iter().flatten().next() }
        }
        PlaceKind::Output(channels) => {
            let missing = channels.iter().all(|channel| *channel > around.channels.0);
            let have = around.channels.0;
            missing
                .then(|| {
                    fault(
                        format!("`{name}` is on channels that are not open: there are {have}"),
                        place.at,
                        "type `master >> output(1, 2)`, or start with another --device",
                    )
                })
                .flatten()
        }
        PlaceKind::Bus { .. } | PlaceKind::Sum => None,
    }
}

fn source_fault(around: &Around<'_>, id: PlaceId, number: usize, source: &Source) -> Option<Fault> {
    let name = around.names.place(id);
    let table = source.table.0;
    let owner = Owner::Source(id, number);
    for level in ["level", "gain"] {
        if let Some(off) = level_off(around, owner, table, level, &source.settings) {
            return Some(off);
        }
    }
    if let Some(elsewhere) = outside_of_sections(around, name, source) {
        return Some(elsewhere);
    }
    if sources::is_live(table) {
        let wanted = source.settings.iter().find_map(|setting| match &setting.value {
            Value::Channels(list) => Some(list.clone()),
            _ => None,
        });
        let beyond = wanted.unwrap_or_default().into_iter().all(|channel| channel > around.channels.1);
        let help = "start with `--input NAME`; `gainstage devices` lists the names";
        return match around.channels.1 {
            0 => fault(format!("live inputs are silent: no device is open for `{name}`"), source.at, help),
            have if beyond => {
                fault(format!("`{name}` listens to a channel that is not open: there are {have}"), source.at, help)
            }
            _ => None,
        };
    }
    let by_hand = sources::keyboard(table, |index| source.settings.get(index).map(|setting| &setting.value)).is_some();
    if !around.rolling && !by_hand {
        return fault(format!("the transport stands still, and `{name}` with it"), source.at, "type `:start`");
    }
    let clock = around.session.clock();
    let tempo = &around.graph?.tempo;
    let frame = around.frame;
    let start = table.index("start").map(|i| {
        let parameter = &table.parameters[i];
        clock.frames(parameter.resolve(&source.settings[i].value, &clock))
    });
    if let Some(start) = start.filter(|start| *start > frame) {
        let bar = rounded(tempo.bar_at(start as i64));
        let now = rounded(tempo.bar_at(frame as i64));
        let what = format!("`{name}` begins at {bar}.bars, and the transport is at {now}.bars");
        return fault(what, source.at, format!("type `:locate {bar}`, or wait for it"));
    }
    let ends = around.graph?.nodes.iter().filter_map(|node| match &node.role {
        Role::Work { table, recipe, .. } if recipe.channels == 0 && node.at == source.at => {
            Some(sources::end(table.0, recipe))
        }
        _ => None,
    });
    for end in ends {
        if let End::At(end) = end
            && end <= frame
        {
            let bar = rounded(tempo.bar_at(end as i64));
            let begin = rounded(tempo.bar_at(start.unwrap_or(0) as i64));
            let what = format!("`{name}` is over: it ended at {bar}.bars");
            return fault(what, source.at, format!("type `:locate {begin}`, or write `.looped()` behind it"));
        }
    }
    None
}

/// Where the transport is, in bars.
fn bar(around: &Around<'_>) -> Option<f64> {
    Some(around.graph?.tempo.bar_at(around.frame as i64))
}

/// A source whose sections are not on.
fn outside_of_sections(around: &Around<'_>, name: &str, source: &Source) -> Option<Fault> {
    let (bar, spans) = (bar(around)?, source.spans.as_ref()?);
    if spans.iter().any(|span| (span.begin..span.end).contains(&bar)) {
        return None;
    }
    let Some(next) = spans.iter().find(|span| span.begin > bar).or(spans.first()) else {
        return fault(
            format!("no section that is played has `{name}`"),
            source.at,
            "give one that has it to `arrange`",
        );
    };
    let (now, begin) = (rounded(bar), rounded(next.begin));
    let what = format!("no section has `{name}` at {now}.bars, where the transport is");
    fault(what, source.at, format!("type `:locate {begin}`, where one has it"))
}

/// A cable that a section mutes, or leaves out by a solo, while it is on.
fn silenced_by_section(around: &Around<'_>, id: CableId) -> Option<Fault> {
    let (bar, form) = (bar(around)?, &around.session.form);
    let slot = form.slots().into_iter().find(|slot| (slot.span.begin..slot.span.end).contains(&bar))?;
    let silent = form::at(form::silences(around.session).get(id.0)?, bar).is_some_and(|silent| *silent);
    let section = &form.sections[slot.section];
    let what = format!("the section \"{}\" mutes `{}`", section.name, around.names.cable(id));
    if silent && !silent_cables(around.session)[id.0] {
        fault(what, section.at, "see what it mutes and solos")
    } else {
        None
    }
}

fn cable_fault(around: &Around<'_>, id: CableId) -> Option<Fault> {
    let Around { session, names, .. } = around;
    let cable = &session.cables[id.0];
    let (path, origin) = (names.cable(id), session.origin(cable.from));
    let from = &session.places[origin.0];
    if from.state.muted {
        let (at, all) = muting(around, Found::Place(origin), &from.name).unwrap_or((from.at, from.name.clone()));
        return fault(format!("`{}` is muted", from.name), at, format!("type `mute(\"{all}\", off)`"));
    }
    if cable.muted {
        let (at, all) = muting(around, Found::Cable(id), path).unwrap_or((cable.at, path.to_owned()));
        return fault(format!("`{path}` is muted"), at, format!("type `mute(\"{all}\", off)`"));
    }
    if let Some(silent) = silenced_by_section(around, id) {
        return Some(silent);
    }
    if silent_cables(session).get(id.0).copied().unwrap_or(false) {
        let soloed = session.places.iter().filter(|place| place.state.soloed).map(|place| place.name.clone());
        let soloed =
            soloed.chain(cables(session).filter(|id| session.cables[id.0].soloed).map(|id| names.cable(id).into()));
        let soloed: Vec<String> = soloed.collect();
        let first = soloed.first().cloned().unwrap_or_default();
        let at = said(around, |what| matches!(what, Amend::Solo(..))).unwrap_or(cable.at);
        return fault(
            format!("`{}` is not soloed, and {} is", from.name, list(&soloed)),
            at,
            format!("type `solo(\"{first}\", off)`, or `safe(\"{}\")`", from.name),
        );
    }
    if let CableKind::Send { gain } = &cable.kind {
        return off(around, gain, &format!("{path}.gain"), &format!("`{path}`"));
    }
    None
}

fn instance_fault(around: &Around<'_>, id: InstanceId) -> Option<Fault> {
    let instance = &around.session.instances[id.0];
    let effect = instance.work.effect()?;
    if effect.bypass.value == Value::Flag(true) {
        return None;
    }
    level_off(around, Owner::Instance(id), effect.table.0, "gain", &effect.settings)
        .filter(|_| effect.table.0.arguments.contains(&"gain"))
}

/// A level that is off, or so low that nobody hears it.
fn level_off(
    around: &Around<'_>,
    owner: Owner,
    table: &'static Table,
    name: &str,
    settings: &[Setting],
) -> Option<Fault> {
    let i = table.index(name)?;
    let path = around.names.call_parameter(around.session, owner, Which::Own(i));
    let thing = path.rsplit_once('.').map_or(path.as_str(), |(thing, _)| thing).to_owned();
    off(around, settings.get(i)?, &path, &format!("`{thing}`"))
}

fn off(around: &Around<'_>, setting: &Setting, path: &str, thing: &str) -> Option<Fault> {
    let what = match setting.value {
        Value::Special => format!("{thing} is off"),
        Value::Number(db) if db <= OFF => format!("{thing} is at {db} dB"),
        _ => return None,
    };
    let hidden = match (around.is_line)(setting.at.file) {
        true => ", by a line that was typed",
        false => "",
    };
    // What makes a sound is not begun at full scale.
    let shall = if path.ends_with(".level") { -18 } else { 0 };
    fault(format!("{what}{hidden}"), setting.at, format!("type `set(\"{path}\", {shall})`, or what it shall be"))
}

/// Where the text mutes a thing, and what it mutes there, with whatever else that is.
fn muting(around: &Around<'_>, found: Found, name: &str) -> Option<(Position, String)> {
    let names = Names::of(around.said);
    let is_it = |other: &Found| match (other, found) {
        (Found::Place(id), Found::Place(_)) => names.place(*id) == name,
        (Found::Cable(id), Found::Cable(_)) => names.cable(*id) == name,
        _ => false,
    };
    let all = |target: &Target| match target {
        Target::Place(id) => is_it(&Found::Place(*id)).then(|| name.to_owned()),
        Target::Cable(id) => is_it(&Found::Cable(*id)).then(|| name.to_owned()),
        Target::Path(path) => {
            let found = names.matching(around.said, path).ok()?;
            found.iter().any(is_it).then(|| path.clone())
        }
        Target::Instance(_) | Target::Gone => None,
    };
    around.said.amendments.iter().rev().find_map(|one| match &one.what {
        Amend::Mute(target, true) => Some((one.at, all(target)?)),
        _ => None,
    })
}

/// Where the text says something of the whole, the last time.
fn said(around: &Around<'_>, is: impl Fn(&Amend) -> bool) -> Option<Position> {
    around.said.amendments.iter().rev().find(|one| is(&one.what)).map(|one| one.at)
}

/// Names as one reads them.
fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
