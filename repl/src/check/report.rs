//! What was expected and what was found, as a file: JSON, or the XML of JUnit that continuous integration reads.

use std::io::{self, Write};
use std::path::Path;

use engine::delivery::Whole;
use quick_xml::events::BytesText;
use quick_xml::writer::Writer;
use serde::Serialize;

use crate::ending::Failure;
use crate::expectations::{Moment, Verdict};
use crate::load::Loaded;

/// One expectation as a report has it.
#[derive(Serialize)]
struct Entry<'a> {
    /// The file that it is written in.
    file: String,
    /// The line, from 1.
    line: u32,
    /// The column in characters, from 1.
    column: u32,
    /// Of what: a path.
    subject: &'a str,
    /// Over what, where the difference is meant: a path.
    over: Option<&'a str>,
    /// Of which figure; null of a session that could not be rendered.
    figure: Option<&'static str>,
    /// What, in words.
    expected: String,
    /// The figure; null if there is none.
    measured: Option<f64>,
    /// Where it stood, in seconds; null if it is of the whole.
    at_s: Option<f64>,
    /// Whether it holds.
    holds: bool,
    /// Why the session could not be rendered; null if it could.
    error: Option<String>,
}

impl<'a> Entry<'a> {
    fn of(verdict: &'a Verdict, checked: &Loaded) -> Self {
        let expected = &verdict.expected;
        Entry {
            file: file_of(verdict, checked),
            line: expected.at.line,
            column: expected.at.column,
            subject: &expected.point.name,
            over: expected.over.as_ref().map(|over| over.name.as_str()),
            figure: Some(expected.figure.word()),
            expected: expected.expected(),
            measured: verdict.measured,
            at_s: verdict.stood.map(|moment| moment.seconds),
            holds: verdict.holds(),
            error: None,
        }
    }

    /// A session that could not be rendered.
    fn refused(checked: &'a Loaded) -> Self {
        let error = checked.diagnostics.iter().find(|one| one.is_error());
        let at = error.map(|error| error.at).unwrap_or_default();
        let file = checked.files.get(usize::from(at.file));
        Entry {
            file: file.map(|file| file.path.display().to_string()).unwrap_or_default(),
            line: at.line,
            column: at.column,
            subject: "",
            over: None,
            figure: None,
            expected: "a session that can be rendered".into(),
            measured: None,
            at_s: None,
            holds: false,
            error: Some(checked.why()),
        }
    }
}

fn file_of(verdict: &Verdict, checked: &Loaded) -> String {
    let file = checked.files.get(usize::from(verdict.expected.at.file));
    file.map(|file| file.path.display().to_string()).unwrap_or_default()
}

/// Writes the report of sessions with their verdicts; its name says which kind it is. It has its name once it is whole.
///
/// # Errors
/// The file cannot be written.
pub fn write(file: &Path, checked: &[Loaded], verdicts: &[Vec<Verdict>]) -> Result<(), Failure> {
    let of = || checked.iter().zip(verdicts);
    let mut text = Vec::new();
    match file.extension() {
        Some(ending) if ending == "xml" => junit(&mut text, of())?,
        _ => {
            let entry = |(one, verdicts): (&'_ Loaded, &'_ Vec<Verdict>)| -> Vec<serde_json::Value> {
                let refused = is_refused(one, verdicts).then(|| Entry::refused(one));
                let all = refused.into_iter().chain(verdicts.iter().map(|verdict| Entry::of(verdict, one)));
                all.filter_map(|entry| serde_json::to_value(entry).ok()).collect()
            };
            let entries: Vec<serde_json::Value> = of().flat_map(entry).collect();
            serde_json::to_writer_pretty(&mut text, &entries).map_err(io::Error::from)?;
            text.push(b'\n');
        }
    }
    let written = Whole::of_bytes(file, &text).and_then(Whole::publish);
    written.map(|_| ()).map_err(|error| Failure::Error(error.to_string()))
}

/// Whether a session could not be rendered.
fn is_refused(checked: &Loaded, verdicts: &[Verdict]) -> bool {
    checked.graph.is_none() || verdicts.is_empty() && checked.is_wrong()
}

/// A suite for each session, a case for each expectation. A session that has errors is a case that did not run.
fn junit<'a>(into: &mut impl Write, sessions: impl Iterator<Item = (&'a Loaded, &'a Vec<Verdict>)>) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(into, b' ', 2);
    xml.get_mut().write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    xml.create_element("testsuites").write_inner_content(|xml| {
        for (checked, verdicts) in sessions {
            let name = checked.files.first().map(|file| file.path.display().to_string()).unwrap_or_default();
            let refused = is_refused(checked, verdicts);
            let failures = verdicts.iter().filter(|verdict| !verdict.holds()).count();
            let suite = xml
                .create_element("testsuite")
                .with_attribute(("name", name.as_str()))
                .with_attribute(("tests", (verdicts.len() + usize::from(refused)).to_string().as_str()))
                .with_attribute(("failures", failures.to_string().as_str()))
                .with_attribute(("errors", if refused { "1" } else { "0" }));
            suite.write_inner_content(|xml| {
                if refused {
                    let case = xml.create_element("testcase").with_attribute(("name", "the session has no errors"));
                    case.with_attribute(("classname", name.as_str())).write_inner_content(|xml| {
                        let error = xml.create_element("error").with_attribute(("message", checked.why().as_str()));
                        error.write_empty().map(|_| ())
                    })?;
                }
                verdicts.iter().try_for_each(|verdict| case(xml, verdict, checked))
            })?;
        }
        Ok(())
    })?;
    xml.into_inner().write_all(b"\n")
}

fn case(xml: &mut Writer<&mut impl Write>, verdict: &Verdict, checked: &Loaded) -> io::Result<()> {
    let expected = &verdict.expected;
    let name = format!("{}: {}", expected.subject(), expected.expected());
    let file = file_of(verdict, checked);
    let case = xml
        .create_element("testcase")
        .with_attribute(("name", name.as_str()))
        .with_attribute(("classname", file.as_str()))
        .with_attribute(("file", file.as_str()))
        .with_attribute(("line", expected.at.line.to_string().as_str()));
    if verdict.holds() {
        return case.write_empty().map(|_| ());
    }
    let stood = verdict.stood.map(Moment::shown).map_or(String::new(), |moment| format!(", at {moment}"));
    let text = format!("{file}:{}: {}{stood}", expected.at.line, verdict.found());
    case.write_inner_content(|xml| {
        let failure = xml.create_element("failure").with_attribute(("message", verdict.found().as_str()));
        failure.write_text_content(BytesText::new(&text)).map(|_| ())
    })
    .map(|_| ())
}
