//! The text as the page shows it: its lines, where each thing is declared in it, and what is to be told of it.

use std::collections::BTreeMap;

use engine::diagnostic::{Diagnostic, Position};
use engine::names::Names;
use engine::session::{CableId, InstanceId, PlaceId, Session};
use scripting::{SourceFile, report};
use serde_json::json;
use similar::{DiffOp, capture_diff_slices};

/// Where a path is declared.
pub type Spot = (String, Position);

/// Where everything that a session declares stands.
pub fn spots(session: &Session, names: &Names) -> Vec<Spot> {
    let places = session.places.iter().enumerate().map(|(i, place)| (names.place(PlaceId(i)).to_owned(), place.at));
    let cables = session.cables.iter().enumerate().map(|(i, cable)| (names.cable(CableId(i)).to_owned(), cable.at));
    let instances = session.instances.iter().enumerate().flat_map(|(i, instance)| {
        let at = instance.work.effect().map_or(instance.at, |effect| effect.at);
        let full = names.instance(InstanceId(i)).iter().cloned();
        full.chain([names.call(InstanceId(i))]).map(move |path| (path, at))
    });
    let mut all: Vec<Spot> = places.chain(cables).chain(instances).filter(|(_, at)| at.line > 0).collect();
    all.sort();
    all.dedup();
    all
}

/// Where the same stands in a text that is not taken: on the lines that it shares with the one that plays.
pub fn moved(spots: &[Spot], before: &[SourceFile], now: &[SourceFile]) -> Vec<Spot> {
    let mut lines: BTreeMap<(u16, u32), (u16, u32)> = BTreeMap::new();
    for (old, file) in before.iter().enumerate().filter(|(_, file)| !file.is_line) {
        let Some((new, after)) = now.iter().enumerate().find(|(_, other)| other.path == file.path) else { continue };
        let (from, to): (Vec<&str>, Vec<&str>) = (file.text.lines().collect(), after.text.lines().collect());
        for op in capture_diff_slices(similar::Algorithm::Myers, &from, &to) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                let line =
                    |i: usize| ((old as u16, (old_index + i) as u32 + 1), (new as u16, (new_index + i) as u32 + 1));
                lines.extend((0..len).map(line));
            }
        }
    }
    let follow = |(path, at): &Spot| {
        let (file, line) = *lines.get(&(at.file, at.line))?;
        Some((path.clone(), Position { file, line, ..*at }))
    };
    spots.iter().filter_map(follow).collect()
}

/// The files of a text, or the lines that were typed behind them, as an object of JSON with what is declared there and what is to
/// be told of it.
pub fn text(files: &[SourceFile], typed: bool, spots: &[Spot], diagnostics: &[Diagnostic], is_taken: bool) -> String {
    let is_here = |file: u16| files.get(usize::from(file)).map_or(!typed, |file| file.is_line == typed);
    let file = |(at, file): (usize, &SourceFile)| {
        let name = file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        json!({ "at": at, "name": name, "lines": file.text.lines().collect::<Vec<_>>() })
    };
    let spot = |(path, at): &Spot| json!([path, at.file, at.line, at.column]);
    let place = |severity: &str, message: &str, help: Option<&String>, at: Position| {
        let width = files.get(usize::from(at.file)).map_or(1, |file| report::width(file, at));
        let Position { file, line, column } = at;
        json!({
            "severity": severity, "message": message, "help": help, "file": file, "line": line, "column": column,
            "width": width,
        })
    };
    let told = |one: &Diagnostic| {
        let severity = if one.is_error() { "error" } else { "warning" };
        let also = one.also.iter().map(|(at, what)| (*at, place("note", what, None, *at)));
        let all = [(one.at, place(severity, &one.message, one.help.as_ref(), one.at))].into_iter().chain(also);
        all.filter(|(at, _)| is_here(at.file)).map(|(_, place)| place).collect::<Vec<_>>()
    };
    let here = files.iter().enumerate().filter(|(_, file)| file.is_line == typed);
    json!({
        "taken": is_taken,
        "files": here.map(file).collect::<Vec<_>>(),
        "spots": spots.iter().filter(|(_, at)| is_here(at.file)).map(spot).collect::<Vec<_>>(),
        "diagnostics": diagnostics.iter().flat_map(told).collect::<Vec<_>>(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn spots_of(text: &str) -> (Vec<Spot>, Vec<SourceFile>) {
        let evaluated = scripting::evaluate_text(Path::new("a.rhai"), text);
        let mut session = evaluated.session.expect("it is right");
        engine::amend::apply(&mut session);
        (spots(&session, &Names::of(&session)), evaluated.files)
    }

    #[test]
    fn each_thing_stands_where_it_is_declared_and_stays_there_while_the_text_is_wrong() {
        let text = "let x = input(\"x\", sine(100));\n\nx >> high_pass(90)\n  >> fader(-3) >> master;\n";
        let (spots, files) = spots_of(text);
        let line = |spots: &[Spot], path: &str| spots.iter().find(|(own, _)| own == path).map(|(_, at)| at.line);
        for (path, wanted) in [("x", 1), ("x/high_pass", 3), ("x/fader", 4), ("x>master/fader", 4), ("x>master", 4)] {
            assert_eq!(line(&spots, path), Some(wanted), "{path} in {spots:?}");
        }
        assert!(line(&spots, "master").is_none());
        let broken = SourceFile {
            text: format!("// a line more\n{}", text.replace("fader(-3)", "fadre(-3)")),
            ..files[0].clone()
        };
        let after = moved(&spots, &files, &[broken]);
        assert_eq!((line(&after, "x"), line(&after, "x/high_pass"), line(&after, "x/fader")), (Some(2), Some(4), None));
    }
}
