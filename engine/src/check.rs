//! What a session may not contain, and what in it is probably not meant, as far as it shows without building anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Position};
use crate::effects::insert;
use crate::names::{Names, Owner};
use crate::parameter::{Kind, Parameter, Value};
use crate::session::{
    Cable, CableId, CableKind, InstanceId, MASTER, Place, PlaceId, PlaceKind, Session, Setting, Source, Tap, Work,
};
use crate::sources::device::{self, DEVICE};
use crate::sources::midi_out;

/// Tells what is wrong with a session, completed by [`imply_output`], whose names are these.
pub fn check(session: &Session, names: &Names) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    if !names.all_differ() {
        cables_twice(session, names, &mut told);
    }
    sends_that_follow(session, names, &mut told);
    if !names.all_differ() {
        names_used_twice(session, names, &mut told);
    }
    parts_used_twice(session, names, &mut told);
    hardware(session, names, &mut told);
    cue_output(session, names, &mut told);
    told
}

fn cables_twice(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for i in 0..session.cables.len() {
        let path = names.cable(CableId(i));
        let Some(earlier) = seen.insert(path, i) else { continue };
        let (first, second) = (session.cables[earlier].at, session.cables[i].at);
        told.push(
            Diagnostic::error("cable-twice", second, format!("the cable `{path}` is plugged in twice"))
                .also(first, "it is plugged in here first")
                .help(
                    "to have both, name one: `>> cable(\"dry\") >> ...`; to mean the second, write `replace(...)` round it",
                ),
        );
    }
}

/// The level of a cable is no place for an envelope to arrive at: an effect is.
fn sends_that_follow(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    for (owner, which, _) in session.followed() {
        let Owner::Cable(id) = owner else { continue };
        let at = session.setting(owner, which).1.at;
        let message = format!("the send `{}` cannot follow a signal", names.cable(id));
        told.push(Diagnostic::error("refused", at, message).help(
            "let a fader follow it on a cable of its own: `x >> fader(follow(...)) >> room`; every other control moves a send",
        ));
    }
}

/// A name that two parts of one effect have would mean the first of them.
fn parts_used_twice(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    for (i, instance) in session.instances.iter().enumerate() {
        let mut seen: BTreeMap<&str, Position> = BTreeMap::new();
        for part in instance.work.effect().map_or(&[][..], |effect| &effect.parts) {
            let Some(name) = part.name.as_deref() else { continue };
            let Some(first) = seen.insert(name, part.at) else { continue };
            let message = format!("two parts of `{}` are called `{name}`", names.call(InstanceId(i)));
            told.push(
                Diagnostic::error("name-twice", part.at, message)
                    .also(first, "this is the other one")
                    .help("give one of them another name with `.named(...)`"),
            );
        }
    }
}

/// What hardware is sent must be all that it hears: of what else leaves by its channels, more would come back than is known.
fn hardware(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    let mut used: BTreeMap<u16, (String, Position)> = BTreeMap::new();
    for (i, place) in session.places.iter().enumerate() {
        if let PlaceKind::Output(channels) = &place.kind {
            let name = names.place(PlaceId(i)).to_owned();
            used.extend(channels.iter().map(|channel| (*channel, (name.clone(), place.at))));
        }
    }
    for (id, effect) in session.inserts() {
        let (name, at) = (names.call(id), session.instances[id.0].at);
        if effect.settings.iter().take(2).any(|channels| channels.value == Value::Channels(Vec::new())) {
            let message = format!("`{name}` needs the channels that it sends to, and those that it comes back at");
            told.push(
                Diagnostic::error("missing-argument", at, message)
                    .help("write `insert(3, 3)` or `insert([3, 4], [3, 4])`"),
            );
            continue;
        }
        for channel in insert::channels(&effect.settings).0 {
            let Some((other, first)) = used.insert(channel, (name.clone(), at)) else { continue };
            let message = format!("`{name}` sends to output channel {channel}, which is used already");
            let error = Diagnostic::error("channel-twice", at, message)
                .help("give it a channel of its own: what else leaves by it would come back too");
            told.push(if first == at { error } else { error.also(first, format!("`{other}` leaves by it here")) });
            break;
        }
    }
    returns(session, names, told);
}

/// What is listened to ahead is heard by nobody else.
fn cue_output(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    let Some((channels, at)) = &session.cue_output else { return };
    let leaving = session.places.iter().enumerate().filter_map(|(i, place)| match &place.kind {
        PlaceKind::Output(used) => Some((names.place(PlaceId(i)).to_owned(), used.clone(), place.at)),
        _ => None,
    });
    let hardware = session
        .inserts()
        .map(|(id, effect)| (names.call(id), insert::channels(&effect.settings).0, session.instances[id.0].at));
    for (other, used, first) in leaving.chain(hardware) {
        let Some(channel) = channels.iter().find(|channel| used.contains(channel)) else { continue };
        let message = format!("the cue output has channel {channel}, which is used already");
        told.push(
            Diagnostic::error("channel-twice", *at, message)
                .also(first, format!("`{other}` leaves by it here"))
                .help("give it channels of its own: what is listened to ahead is for nobody else"),
        );
        return;
    }
}

/// What comes back from hardware is heard by nothing else, if the text is as it is meant.
fn returns(session: &Session, names: &Names, told: &mut Vec<Diagnostic>) {
    let mut heard: BTreeMap<u16, (String, Position)> = BTreeMap::new();
    for (i, place) in session.places.iter().enumerate() {
        let PlaceKind::Input(sources) = &place.kind else { continue };
        for source in sources.iter().filter(|source| std::ptr::eq(source.table.0, &DEVICE)) {
            let name = names.place(PlaceId(i));
            heard.extend(device::channels(&source.settings).into_iter().map(|n| (n, (name.to_owned(), source.at))));
        }
    }
    for (id, effect) in session.inserts() {
        let (name, at) = (names.call(id), session.instances[id.0].at);
        for channel in insert::channels(&effect.settings).1 {
            let Some((other, first)) = heard.insert(channel, (name.clone(), at)).filter(|(other, _)| *other != name)
            else {
                continue;
            };
            let message = format!("`{name}` comes back at input channel {channel}, which `{other}` hears too");
            told.push(
                Diagnostic::warning("channel-twice", at, message)
                    .also(first, format!("`{other}` hears it here"))
                    .help("give each an input channel of its own"),
            );
            break;
        }
    }
}

/// Taps from which a signal flows on through a plug or an effect.
fn flows_on(session: &Session) -> BTreeSet<Tap> {
    let plugs = session.cables.iter().filter(|cable| cable.kind == CableKind::Plug).map(|cable| cable.from);
    let instances = session.instances.iter().flat_map(|instance| {
        let (dry, branches) = match &instance.work {
            Work::Blend { dry, .. } => (Some(*dry), &[][..]),
            Work::Effect(effect) => (None, &effect.branches[..]),
            Work::Branch { .. } => (None, &[][..]),
        };
        branches.iter().copied().chain(dry).chain([instance.from])
    });
    plugs.chain(instances).collect()
}

/// Plugs the end of the one chain from `master` that leads nowhere into `output(1, 2)`, if no cable leads to an output.
///
/// # Errors
/// When there is no such chain, or more than one.
pub fn imply_output(session: &mut Session) -> Result<(), Diagnostic> {
    if session.cables.iter().any(|cable| matches!(session.places[cable.to.0].kind, PlaceKind::Output(_))) {
        return Ok(());
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
            let (from, at) = (*end, at(*end));
            session.places.push(Place::new("output 1-2", PlaceKind::Output(vec![1, 2]), at));
            let to = PlaceId(session.places.len() - 1);
            session.cables.push(Cable::new(from, to, CableKind::Plug, at));
            Ok(())
        }
        // The way round is told of where ways are looked at.
        [] if comes_round(session) => Ok(()),
        [] => {
            // Everything that leaves master leads elsewhere: the first such cable is shown.
            let leaves = session.cables.iter().filter(|cable| session.origin(cable.from) == MASTER);
            let at = leaves.map(|cable| cable.at).min().unwrap_or_default();
            Err(Diagnostic::error("no-output", at, "nothing leads to an output")
                .help("end a chain of master with `master >> output(1, 2)`"))
        }
        [first, second, ..] => {
            let what = "two chains from `master` lead nowhere, so the output is not clear";
            Err(Diagnostic::error("two-ends", at(*second), what)
                .also(at(*first), "this is the other one")
                .help("say which one is heard: `... >> output(1, 2)`"))
        }
    }
}

/// Whether what leaves master comes back to it, and not by a feedback.
fn comes_round(session: &Session) -> bool {
    let mut reached = BTreeSet::new();
    let mut open = vec![MASTER];
    while let Some(place) = open.pop() {
        let forward = session.cables.iter().filter(|cable| !matches!(cable.kind, CableKind::Feedback { .. }));
        let on = forward.filter(|cable| session.origin(cable.from) == place).map(|cable| cable.to);
        open.extend(on.filter(|to| reached.insert(*to)));
    }
    reached.contains(&MASTER)
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

/// No output is implied for master when another is plugged in: what flows into it then is not heard.
fn master_unheard(session: &Session, used: &BTreeSet<Tap>) -> Option<Diagnostic> {
    let first = |leads: &dyn Fn(PlaceId) -> bool| {
        session.cables.iter().filter(|cable| leads(cable.to)).map(|cable| cable.at).min()
    };
    let arrives = first(&|to| to == MASTER).filter(|_| !used.contains(&Tap::Place(MASTER)))?;
    let output = first(&|to| matches!(session.places[to.0].kind, PlaceKind::Output(_)))?;
    Some(
        Diagnostic::warning("goes-nowhere", arrives, "`master` goes nowhere")
            .also(output, "an output is plugged in here, so that none is implied")
            .help("to hear it, write `master >> output(1, 2)`"),
    )
}

/// An instrument that neither a pattern nor a keyboard plays.
fn unplayed(source: &Source, input: &str) -> Option<Diagnostic> {
    let table = source.table.0;
    let is_said = |(parameter, setting): (&Parameter, &Setting)| {
        matches!(parameter.kind, Kind::Pattern | Kind::Keyboard) && setting.value != parameter.default()
    };
    let plays = !table.plays() || table.parameters.iter().zip(&source.settings).any(is_said);
    (!plays).then(|| {
        Diagnostic::warning("never-played", source.at, format!("nothing plays `{input}`"))
            .help(format!("give it a pattern, `play(\"...\", {}(...))`, or a MIDI keyboard, `.keyboard()`", table.word))
    })
}

/// Tells what in a session leads nowhere. Only of one that is right: what is wrong may be why.
pub fn dead_ends(session: &Session, names: &Names) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    let mut used = flows_on(session);
    used.extend(session.cables.iter().map(|cable| cable.from));
    used.extend(session.instances.iter().filter_map(|instance| Some(instance.work.effect()?.key?.0)));
    used.extend(session.followed().into_iter().map(|(.., tap)| tap));
    let nowhere = |at, what: &str| {
        Diagnostic::warning("goes-nowhere", at, format!("{what} goes nowhere"))
            .help("plug it in: `... >> master`, or into a bus that leads there")
    };
    told.extend(master_unheard(session, &used));
    told.extend(session.places.iter().enumerate().flat_map(|(i, place)| match &place.kind {
        PlaceKind::Input(sources) => {
            sources.iter().filter_map(|source| unplayed(source, names.place(PlaceId(i)))).collect()
        }
        _ => Vec::new(),
    }));
    for (i, place) in session.places.iter().enumerate() {
        let leaves = match &place.kind {
            PlaceKind::Output(_) => false,
            // What is sent to MIDI ports is heard elsewhere.
            PlaceKind::Input(sources) => !sources.iter().all(midi_out::is_midi_out),
            PlaceKind::Bus { .. } | PlaceKind::Sum => true,
        };
        if leaves && i != MASTER.0 && !used.contains(&Tap::Place(PlaceId(i))) {
            told.push(nowhere(place.at, &format!("`{}`", names.place(PlaceId(i)))));
        }
    }
    for (i, instance) in session.instances.iter().enumerate() {
        if !used.contains(&Tap::Instance(InstanceId(i))) {
            told.push(nowhere(instance.at, &format!("what leaves `{}`", names.call(InstanceId(i)))));
        }
    }
    told
}
