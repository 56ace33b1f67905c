//! What the rows of a card say: an effect with the figures that matter most, its parts, and what moves its numbers.

use engine::nest;
use engine::parameter::{Kind, Parameter, Value};
use engine::session::{Effect, Session, Setting, Source, Work};
use engine::session::{InstanceId, PartUse};
use engine::units::Unit;
use engine::words::MIX;

/// How many settings are shown that are not arguments of their word: of a word that has arguments, and of one that has none.
const BESIDE_ARGUMENTS: usize = 1;
const WITHOUT_ARGUMENTS: usize = 2;

/// What an effect is: its word, or the name that it was given.
pub fn word(effect: &Effect) -> String {
    effect.name.clone().unwrap_or_else(|| effect.table.word.to_owned())
}

/// The main figures of an effect.
pub fn figures(effect: &Effect) -> String {
    let table = effect.table.0;
    let mut shown = Vec::new();
    if effect.name.is_some() {
        shown.push(table.word.to_owned());
    }
    shown.extend(main(table.parameters, table.arguments, &effect.settings));
    if effect.bypass.value == Value::Flag(true) {
        shown.push("bypassed".into());
    } else if effect.mix.value != Value::Number(table.mix) {
        shown.push(format!("mix {}", plain(&MIX, &effect.mix.value)));
    }
    shown.join("  ")
}

/// A part of an effect, such as a band of an equaliser: its word and its figures.
pub fn part(effect: &Effect, used: &PartUse) -> (String, String) {
    let table = &effect.table.0.parts[used.part];
    let shown = main(table.parameters, table.arguments, &used.settings);
    (used.name.clone().unwrap_or_else(|| table.word.to_owned()), shown.join("  "))
}

/// What stands in an effect, branch by branch: the name of the branch and what it goes through.
pub fn inside(session: &Session, id: InstanceId, effect: &Effect) -> Vec<(String, Vec<InstanceId>)> {
    let branches = effect.branches.iter().filter_map(|end| {
        let branch = session.branch(id, *end);
        let (begin, rest) = branch.split_first().filter(|(_, rest)| !rest.is_empty())?;
        Some((session.branch_name(*begin), rest.to_vec()))
    });
    branches.collect()
}

/// The arguments, then what is set besides; a level comes first.
fn main(parameters: &[Parameter], arguments: &[&str], settings: &[Setting]) -> Vec<String> {
    let all = || parameters.iter().zip(settings);
    let mut shown: Vec<String> = arguments
        .iter()
        .filter_map(|name| all().find(|(parameter, _)| parameter.name == *name))
        .filter_map(|(parameter, setting)| figure(parameter, &setting.value, true))
        .collect();
    let mut beside: Vec<(&Parameter, &Setting)> = all()
        .filter(|(parameter, setting)| !arguments.contains(&parameter.name) && setting.value != parameter.default())
        .collect();
    beside.sort_by_key(|(parameter, _)| !is_level(parameter));
    let room = if arguments.is_empty() { WITHOUT_ARGUMENTS } else { BESIDE_ARGUMENTS };
    shown.extend(
        beside.into_iter().filter_map(|(parameter, setting)| figure(parameter, &setting.value, false)).take(room),
    );
    shown
}

fn is_level(parameter: &Parameter) -> bool {
    matches!(parameter.kind, Kind::Number { unit: Unit::Decibels, .. })
}

/// One setting in few letters; nothing of what cannot be said in few.
fn figure(parameter: &Parameter, value: &Value, is_argument: bool) -> Option<String> {
    let name = parameter.name.replace('_', " ");
    let shown = match value {
        Value::Pattern(_) | Value::Circuit(_) => return None,
        // A row of its own says which.
        Value::Control(_) => return Some(format!("{name} moves")),
        Value::Flag(true) => return Some(name),
        Value::Flag(false) => return Some(format!("no {name}")),
        value => plain(parameter, value),
    };
    Some(match parameter.name {
        "ratio" => format!("{shown}:1"),
        // Numbered, and told by their unit.
        crossing if crossing.starts_with("crossover_") => shown,
        _ if is_argument || matches!(value, Value::Choice(_) | Value::Path(_)) => shown,
        _ => format!("{name} {shown}"),
    })
}

/// A value without quotes, a file without its folder.
fn plain(parameter: &Parameter, value: &Value) -> String {
    let shown = parameter.show(value);
    match value {
        Value::Path(path) => path.rsplit('/').next().unwrap_or(path).to_owned(),
        Value::Number(hertz) if shown.ends_with(" Hz") && *hertz >= 1000.0 => {
            format!("{} kHz", (hertz / 10.0).round() / 100.0)
        }
        _ => shown.trim_matches('"').to_owned(),
    }
}

/// What a source is, in few words.
pub fn source(source: &Source) -> String {
    let table = source.table.0;
    let shown = main(table.parameters, table.arguments, &source.settings);
    match shown.is_empty() || table.plays() {
        true => table.word.to_owned(),
        false => format!("{} {}", table.word, shown.join(" ")),
    }
}

/// Everything that is set otherwise than a word has it.
pub fn in_full(work: &Work) -> String {
    let set = |parameters: &[Parameter], settings: &[Setting]| -> Vec<String> {
        let set = parameters.iter().zip(settings).filter(|(parameter, setting)| setting.value != parameter.default());
        set.map(|(parameter, setting)| format!("{} {}", parameter.name, parameter.show(&setting.value))).collect()
    };
    match work {
        Work::Blend { mix, .. } => format!("blend, mix {}", MIX.show(&mix.value)),
        Work::Branch { .. } => String::new(),
        Work::Effect(effect) => {
            let table = effect.table.0;
            let mut said = set(table.parameters, &effect.settings);
            said.extend(effect.parts.iter().map(|part| {
                let of = &table.parts[part.part];
                format!("{} ({})", of.word, set(of.parameters, &part.settings).join(", "))
            }));
            if effect.mix.value != Value::Number(table.mix) {
                said.push(format!("mix {}", MIX.show(&effect.mix.value)));
            }
            if effect.bypass.value == Value::Flag(true) {
                said.push("bypassed".into());
            }
            [vec![table.word.to_owned()], said].concat().join(", ")
        }
    }
}

/// Whether others stand in it.
pub fn is_nest(effect: &Effect) -> bool {
    nest::of(effect.table.0).is_some()
}
