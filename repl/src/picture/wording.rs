//! What the rows of a card say: an effect with the figures that matter most, its parts, and what moves its numbers.

use engine::parameter::{Parameter, Value};
use engine::session::{Effect, Session, Setting, Source, Work};
use engine::session::{InstanceId, PartUse};
use engine::words::MIX;

/// How many settings are shown of a word that has no arguments to show.
const BESIDE: usize = 2;

/// What says how loud or how much: shown beside the arguments of a word wherever it is set.
const LEVELS: [&str; 6] = ["gain", "makeup", "range", "threshold", "drive", "level"];

/// Arguments that are left out where they are as they always are.
const USUAL: [&str; 3] = ["q", "slope", "law"];

/// What stands between figures: wider than between a number and its unit.
pub const BETWEEN: &str = "\u{2002}";

/// What an effect is: its word, or the name that it was given.
pub fn word(effect: &Effect) -> String {
    effect.name.clone().unwrap_or_else(|| effect.table.word.to_owned())
}

/// The main figures of an effect; those of its only part too, which then needs no row.
pub fn figures(effect: &Effect) -> String {
    let table = effect.table.0;
    let mut shown = Vec::new();
    if effect.name.is_some() {
        shown.push(table.word.to_owned());
    }
    if let [only] = &effect.parts[..] {
        let (word, figures) = part(effect, only);
        shown.extend([word, figures]);
    }
    if effect.branches.is_empty() {
        shown.extend(main(table.parameters, table.arguments, &effect.settings));
    } else {
        shown.extend(crossings(effect));
    }
    if effect.bypass.value == Value::Flag(true) {
        shown.push("bypassed".into());
    } else if effect.mix.value != Value::Number(table.mix) {
        shown.push(format!("mix {}", plain(&MIX, &effect.mix.value)));
    }
    shown.join(BETWEEN)
}

/// Where bands end of an effect that takes a signal apart by frequency: one fewer than there are branches.
fn crossings(effect: &Effect) -> Vec<String> {
    let all = effect.table.0.parameters.iter().zip(&effect.settings);
    let crossings = all.filter(|(parameter, _)| parameter.name.starts_with("crossover_"));
    crossings.take(effect.branches.len() - 1).filter_map(|(of, setting)| figure(of, &setting.value, true)).collect()
}

/// A part of an effect, such as a band of an equaliser: its word and its figures.
pub fn part(effect: &Effect, used: &PartUse) -> (String, String) {
    let table = &effect.table.0.parts[used.part];
    let shown = main(table.parameters, table.arguments, &used.settings);
    (used.name.clone().unwrap_or_else(|| table.word.to_owned()), shown.join(BETWEEN))
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

/// The arguments, then what is set besides. What is shown does not hang on whether an argument happens to be as it is by itself.
fn main(parameters: &[Parameter], arguments: &[&str], settings: &[Setting]) -> Vec<String> {
    let all = || parameters.iter().zip(settings);
    let is_set = |parameter: &Parameter, setting: &Setting| setting.value != parameter.default();
    let given = arguments.iter().filter_map(|name| all().find(|(parameter, _)| parameter.name == *name));
    let given = given.filter(|(parameter, setting)| !USUAL.contains(&parameter.name) || is_set(parameter, setting));
    let mut shown: Vec<String> =
        given.filter_map(|(parameter, setting)| figure(parameter, &setting.value, true)).collect();
    let says_something = !shown.is_empty();
    let beside = all().filter(|(parameter, setting)| {
        let is_wanted = !says_something || LEVELS.contains(&parameter.name);
        is_wanted && !arguments.contains(&parameter.name) && is_set(parameter, setting)
    });
    let beside = beside.filter_map(|(parameter, setting)| figure(parameter, &setting.value, false));
    shown.extend(beside.take(BESIDE));
    shown
}

/// One setting in few letters; nothing of what cannot be said in few.
fn figure(parameter: &Parameter, value: &Value, is_argument: bool) -> Option<String> {
    let name = parameter.name.replace('_', " ");
    let shown = match value {
        Value::Pattern(_) | Value::Circuit(_) => return None,
        // A row of its own says what moves it.
        Value::Control(_) => return None,
        Value::Flag(true) => return Some(name),
        Value::Flag(false) => return Some(format!("no {name}")),
        value => plain(parameter, value),
    };
    Some(match parameter.name {
        "ratio" => format!("{shown}:1"),
        "q" => format!("q {shown}"),
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
