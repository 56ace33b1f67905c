//! What a session may not contain, and what in it is probably not meant, as far as it shows without building anything.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::names::Names;
use crate::session::{Cable, CableId, CableKind, InstanceId, MASTER, Place, PlaceId, PlaceKind, Session, Tap, Work};

/// Completes the session (replaced cables go, the implied output comes) and tells what is wrong with it.
pub fn check(session: &mut Session) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    replace_cables(session, &mut told);
    imply_output(session, &mut told);
    let names = Names::of(session);
    names_used_twice(session, &names, &mut told);
    // What is wrong may be why something leads nowhere.
    if !told.iter().any(Diagnostic::is_error) {
        dead_ends(session, &names, &mut told);
    }
    told
}

fn replace_cables(session: &mut Session, told: &mut Vec<Diagnostic>) {
    let names = Names::of(session);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut gone = vec![false; session.cables.len()];
    for i in 0..session.cables.len() {
        let path = names.cable(CableId(i));
        let Some(earlier) = seen.insert(path, i) else { continue };
        if session.cables[i].replaces {
            for (j, cable) in session.cables.iter().enumerate() {
                gone[j] |= j == earlier || cable.owner == Some(CableId(earlier));
            }
        } else if !gone[earlier] {
            let (first, second) = (session.cables[earlier].at, session.cables[i].at);
            told.push(
                Diagnostic::error("cable-twice", second, format!("the cable `{path}` is plugged in twice"))
                    .also(first, "it is plugged in here first")
                    .help("to have both, name one: `>> cable(\"dry\") >> ...`; to mean the second, write `replace(...)` round it"),
            );
        }
    }
    let mut number = 0;
    let numbers: Vec<Option<usize>> = gone
        .iter()
        .map(|gone| {
            number += usize::from(!gone);
            (!gone).then(|| number - 1)
        })
        .collect();
    let mut i = 0;
    session.cables.retain(|_| {
        i += 1;
        !gone[i - 1]
    });
    for cable in &mut session.cables {
        cable.owner = cable.owner.and_then(|owner| numbers[owner.0]).map(CableId);
    }
}

/// Taps from which a signal flows on through a plug or an effect.
fn flows_on(session: &Session) -> Vec<Tap> {
    let plugs = session.cables.iter().filter(|cable| cable.kind == CableKind::Plug).map(|cable| cable.from);
    let instances = session.instances.iter().flat_map(|instance| match instance.work {
        Work::Blend { dry, .. } => [Some(instance.from), Some(dry)],
        Work::Effect(_) => [Some(instance.from), None],
    });
    plugs.chain(instances.flatten()).collect()
}

fn imply_output(session: &mut Session, told: &mut Vec<Diagnostic>) {
    if session.cables.iter().any(|cable| matches!(session.places[cable.to.0].kind, PlaceKind::Output(_))) {
        return;
    }
    let on = flows_on(session);
    let taps = (0..session.instances.len()).map(|i| Tap::Instance(InstanceId(i))).chain([Tap::Place(MASTER)]);
    let ends: Vec<Tap> = taps.filter(|tap| session.origin(*tap) == MASTER && !on.contains(tap)).collect();
    let at = |tap: Tap| match tap {
        Tap::Instance(id) => session.instances[id.0].at,
        Tap::Place(id) => session.places[id.0].at,
    };
    match ends.as_slice() {
        [end] => {
            let place = Place::new("output 1-2", PlaceKind::Output(vec![1, 2]), at(*end));
            let (from, at) = (*end, at(*end));
            session.places.push(place);
            let to = PlaceId(session.places.len() - 1);
            let kind = CableKind::Plug;
            let plug =
                Cable { from, to, name: None, kind, owner: None, replaces: false, muted: false, soloed: false, at };
            session.cables.push(plug);
        }
        [] => told.push(
            Diagnostic::error("no-output", at(Tap::Place(MASTER)), "nothing leads to an output")
                .help("end the chain of master with `master >> output(1, 2)`"),
        ),
        [first, second, ..] => {
            let (first, second) = (at(*first), at(*second));
            told.push(
                Diagnostic::error(
                    "two-ends",
                    second,
                    "two chains from `master` lead nowhere, so the output is not clear",
                )
                .also(first, "this is the other one")
                .help("say which one is heard: `... >> output(1, 2)`"),
            );
        }
    }
}

fn names_used_twice(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, place) in session.places.iter().enumerate() {
        if let Some(earlier) = places.insert(names.place(PlaceId(i)), i) {
            told.push(
                Diagnostic::error("name-twice", place.at, format!("the name `{}` is used twice", place.name))
                    .also(session.places[earlier].at, "it is used here first")
                    .help("inputs, buses and master share one set of names"),
            );
        }
    }
    // A cable that is there twice has been told of; that its effects are too goes without saying.
    let mut cables: BTreeMap<&str, usize> = BTreeMap::new();
    for i in 0..session.cables.len() {
        *cables.entry(names.cable(CableId(i))).or_default() += 1;
    }
    let told_of =
        |full: &str| full.rsplit_once('/').is_some_and(|(cable, _)| cables.get(cable).is_some_and(|n| *n > 1));
    let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, instance) in session.instances.iter().enumerate() {
        for full in names.instance(InstanceId(i)).iter().filter(|full| !told_of(full)) {
            let Some(earlier) = effects.insert(full, i) else { continue };
            told.push(
                Diagnostic::error("name-twice", instance.at, format!("two effects are called `{full}`"))
                    .also(session.instances[earlier].at, "this is the other one")
                    .help("give one of them another name with `.named(...)`"),
            );
            break;
        }
    }
}

fn dead_ends(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    let mut used = flows_on(session);
    used.extend(session.cables.iter().map(|cable| cable.from));
    used.extend(session.instances.iter().filter_map(|instance| match &instance.work {
        Work::Effect(effect) => effect.key.map(|(tap, _)| tap),
        Work::Blend { .. } => None,
    }));
    let nowhere = |at, what: &str| {
        Diagnostic::warning("goes-nowhere", at, format!("{what} goes nowhere"))
            .help("plug it in: `... >> master`, or into a bus that leads there")
    };
    for (i, place) in session.places.iter().enumerate() {
        let leaves = !matches!(place.kind, PlaceKind::Output(_));
        if leaves && i != MASTER.0 && !used.contains(&Tap::Place(PlaceId(i))) {
            told.push(nowhere(place.at, &format!("`{}`", names.place(PlaceId(i)))));
        }
    }
    for (i, instance) in session.instances.iter().enumerate() {
        if !used.contains(&Tap::Instance(InstanceId(i))) {
            told.push(nowhere(instance.at, &format!("what leaves `{}`", names.call(InstanceId(i)))));
        }
    }
}
