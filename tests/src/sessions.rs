//! Sessions that tests of everything there is run through: the examples, and one for each word that sounds.

use std::fs;
use std::path::{Path, PathBuf};

use engine::effects::EFFECTS;
use engine::graph::{Graph, prepare};
use engine::media::Library;
use engine::session::Session;
use engine::sources::SOURCES;

/// The folder of the examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Every example that needs nobody to play, with its text.
pub fn examples_without_live_input() -> Vec<(String, String)> {
    let folders = [examples(), examples().join("pieces")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("there are examples"));
    let files = entries.map(|entry| entry.expect("it can be read").path());
    let mut sessions: Vec<(String, String)> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rhai"))
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).expect("a text"))
        })
        .filter(|(_, text)| !text.contains("device("))
        .collect();
    sessions.sort();
    assert!(sessions.len() >= 3, "{sessions:?}");
    sessions
}

/// For each effect and each source a session that shows it, under the word's name; `after` is written behind the effects.
/// Live input is left out.
pub fn of_every_word(after: &str) -> Vec<(String, String)> {
    of_every_effect("saw(110)", after)
        .into_iter()
        .chain(SOURCES.iter().filter(|table| table.word != "device").map(|table| {
            let example = table.example.replace("drums.wav", "drums.flac");
            (table.word.to_owned(), format!("input(\"s\", {example}) >> master;"))
        }))
        .collect()
}

/// The same for the effects alone, on a source.
pub fn of_every_effect(source: &str, after: &str) -> Vec<(String, String)> {
    let session = |example: &str| format!("let x = input(\"x\", {source}); {example}{after} >> master;");
    EFFECTS.iter().map(|table| (table.word.to_owned(), session(table.example))).collect()
}

/// The session of a text that lies beside the examples.
///
/// # Panics
/// When it cannot be evaluated.
pub fn session(text: &str) -> Session {
    scripting::evaluate_text(&examples().join("rehearsal.rhai"), text).session.expect("the text is right")
}

/// The graph of a text that lies beside the examples, or what is wrong with it.
pub fn try_graph(text: &str) -> Result<Graph, String> {
    let evaluated = scripting::evaluate_text(&examples().join("rehearsal.rhai"), text);
    let mut told: Vec<_> = evaluated.diagnostics;
    let prepared = evaluated.session.map(|session| prepare(session, &Library::new())).unwrap_or_default();
    told.extend(prepared.diagnostics);
    let shown = told.iter().map(|d| scripting::report::render(d, &evaluated.files, false)).collect();
    prepared.graph.ok_or(shown)
}

/// The graph of a text that is right.
///
/// # Panics
/// With everything there is to tell of it, when it is not.
pub fn graph(text: &str) -> Graph {
    try_graph(text).unwrap_or_else(|told| panic!("the text is not right:\n{text}\n{told}"))
}
