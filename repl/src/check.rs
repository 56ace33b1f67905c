//! `gainstage check`: what is wrong with sessions, for a person or for a program.

mod report;

use std::io::{self, Write};
use std::path::Path;

use engine::audible;
use engine::diagnostic::{Diagnostic, Position, Severity};
use engine::expect::Expectation;
use engine::listen::Point;
use engine::media::Library;
use engine::target::{self, Target};
use serde::Serialize;

use crate::arguments::Check;
use crate::ending::{Failure, Outcome};
use crate::expectations::{Verdict, judge};
use crate::live_input::LiveInputs;
use crate::load::{Loaded, load};
use crate::paint::Paint;
use crate::render::{go_on, interruption, length};
use crate::status::{self, Progress};

/// Checks every session. An error in one does not keep the others from being checked.
pub fn run(arguments: &Check) -> Outcome {
    let library = Library::rendering();
    let mut checked: Vec<Loaded> = arguments.sessions.iter().map(|path| load(path, &library)).collect();
    let mut verdicts: Vec<Vec<Verdict>> = Vec::new();
    if arguments.render {
        let interrupted = interruption()?;
        for (path, one) in arguments.sessions.iter().zip(&mut checked) {
            verdicts.push(hold(arguments, path, one, &library));
            go_on(&interrupted)?;
        }
        for file in &arguments.report {
            report::write(file, &checked, &verdicts)?;
        }
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        let found: Vec<Found> = arguments.sessions.iter().zip(&checked).flat_map(|(path, c)| found(path, c)).collect();
        serde_json::to_writer_pretty(&mut out, &found).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        for one in &checked {
            out.write_all(one.told(Paint::stdout()).as_bytes())?;
        }
        for verdict in verdicts.iter().flatten().filter(|verdict| verdict.holds()) {
            let Verdict { expected, .. } = verdict;
            let (line, subject) = (expected.at.line, expected.subject());
            writeln!(out, "line {line}: {subject} is {}, {}", verdict.found(), expected.expected())?;
        }
    }
    out.flush()?;
    status::say(summary(&checked));
    let right = |one: &Loaded| one.graph.is_some() && !one.is_wrong();
    if checked.iter().all(right) { Ok(()) } else { Err(Failure::Shown) }
}

/// Renders a session that is right, and holds it to what it expects, and to what its target wants: what does not hold is an
/// error at its line, and so is what cannot be rendered.
fn hold(arguments: &Check, path: &Path, checked: &mut Loaded, library: &Library) -> Vec<Verdict> {
    let (Some(graph), Some(session)) = (&checked.graph, &checked.session) else { return Vec::new() };
    let mut expectations = session.expectations.clone();
    if let Some((name, at)) = &session.target {
        let bounds = target::find(name).map(Target::bounds).unwrap_or_default();
        let of_target = |(figure, bound)| Expectation { point: Point::delivered(), over: None, figure, bound, at: *at };
        expectations.extend(bounds.into_iter().map(of_target));
    }
    if expectations.is_empty() {
        status::say(format!("{}: nothing is expected", path.display()));
        return Vec::new();
    }
    let judged = LiveInputs::new(session, &arguments.input, library).and_then(|mut inputs| {
        let extent = length(path, arguments.length, graph, session, &inputs)?;
        let interrupted = interruption()?;
        let progress = Progress::new("measuring", extent.most, graph.clock.rate);
        let judged = judge(graph, &expectations, &mut inputs, extent, |done| {
            progress.at(done);
            go_on(&interrupted)
        });
        progress.finish(extent.most);
        judged
    });
    checked.diagnostics.extend(audible::render_warnings(session));
    let verdicts = match judged {
        Ok(verdicts) => verdicts,
        Err(failure) => {
            let at = Position { file: 0, line: 1, column: 1 };
            checked.diagnostics.push(Diagnostic::error("not-rendered", at, failure.to_string()));
            Vec::new()
        }
    };
    checked.diagnostics.extend(verdicts.iter().filter(|verdict| !verdict.holds()).map(Verdict::diagnostic));
    checked.diagnostics.sort_by_key(|diagnostic| diagnostic.at);
    verdicts
}

/// One diagnostic as `--json` prints it.
#[derive(Serialize)]
struct Found<'a> {
    /// The file that it is about: the session's, or one that it imports.
    file: String,
    /// The line, from 1; 0 is the file as a whole.
    line: u32,
    /// The column in characters, from 1; 0 is the file as a whole.
    column: u32,
    severity: Severity,
    code: &'static str,
    message: &'a str,
    help: Option<&'a str>,
}

fn found<'a>(session: &'a Path, checked: &'a Loaded) -> impl Iterator<Item = Found<'a>> {
    checked.diagnostics.iter().map(move |diagnostic| {
        let Diagnostic { severity, code, message, at, help, .. } = diagnostic;
        let file = checked.files.get(usize::from(at.file)).map_or(session, |file| &file.path);
        Found {
            file: file.display().to_string(),
            line: at.line,
            column: at.column,
            severity: *severity,
            code,
            message,
            help: help.as_deref(),
        }
    })
}

fn summary(checked: &[Loaded]) -> String {
    let all = || checked.iter().flat_map(|one| &one.diagnostics);
    let errors = all().filter(|diagnostic| diagnostic.is_error()).count();
    format!(
        "{}, {}, {}",
        counted(checked.len(), "session"),
        counted(errors, "error"),
        counted(all().count() - errors, "warning")
    )
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;
    use tempfile::TempDir;

    fn session(text: &str) -> (TempDir, PathBuf) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("session.rhai");
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    fn check(sessions: &[&Path]) -> Outcome {
        run(&Check {
            sessions: sessions.iter().map(|path| path.to_path_buf()).collect(),
            json: true,
            render: false,
            length: None,
            input: Vec::new(),
            report: Vec::new(),
        })
    }

    #[test]
    fn one_bad_session_among_good_ones_is_a_refusal() {
        let (_a, good) = session("tempo(96);\n");
        let (_b, bad) = session("tempo(96);\nfadre(-3);\n");
        assert!(check(&[&good]).is_ok());
        assert!(matches!(check(&[&good, &bad, &good]), Err(Failure::Shown)));
    }

    #[test]
    fn an_error_is_told_with_its_place_and_its_remedy() {
        let (_dir, path) = session("tempo(96);\nbus(\"band\") >> fadre(-3) >> master;\n");
        let checked = load(&path, &Library::new());
        let found = found(&path, &checked).find(|found| found.severity == Severity::Error).unwrap();
        assert_eq!((found.line, found.column, found.code), (2, 16, "unknown-word"));
        assert!(found.help.unwrap().contains("fader"), "{:?}", found.help);
        assert!(found.file.ends_with("session.rhai"));
        assert!(checked.told(Paint::stdout()).contains("fadre(-3)"), "the line is shown");
    }

    #[test]
    fn a_session_that_is_not_there_is_an_error_with_its_name() {
        let missing = Path::new("no such session.rhai");
        let checked = load(missing, &Library::new());
        assert!(checked.graph.is_none());
        assert!(found(missing, &checked).all(|found| found.file.contains("no such session")));
    }

    #[test]
    fn errors_and_warnings_are_counted() {
        let (_a, good) = session("tempo(96);\n");
        let (_b, bad) = session("fadre(-3);\n");
        let library = Library::new();
        assert!(summary(&[load(&good, &library), load(&good, &library)]).starts_with("2 sessions, no errors, "));
        assert!(summary(&[load(&bad, &library)]).starts_with("1 session, 1 error, "));
    }
}
