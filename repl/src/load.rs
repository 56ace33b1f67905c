//! From a session's file to a graph that can sound, with everything there is to tell about it shown.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::diagnostic::{Diagnostic, Severity};
use engine::effects::insert;
use engine::graph::{Graph, Prepared, prepare_in};
use engine::media::Library;
use engine::names::Names;
use engine::parameter::Value;
use engine::session::{Amend, PlaceKind, Session};
use engine::tempo::Tempo;
use scripting::SourceFile;

use crate::paint::Paint;
use crate::status;

/// The warnings that have been told of a text, and of those before it: the kind of each, what it says, and the line it is of.
/// The number of a line says nothing: others come and go above it.
#[derive(Default)]
pub struct Told(BTreeSet<(&'static str, String, String)>);

/// A session's text, looked at.
pub struct Loaded {
    /// The session with everything applied, if the text could be evaluated.
    pub session: Option<Arc<Session>>,
    /// The graph, if nothing is wrong.
    pub graph: Option<Graph>,
    /// Errors and warnings, in text order.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts they speak of: the session's file first.
    pub files: Vec<SourceFile>,
    /// What would hold without what lines behind the file set, if there are any.
    pub declared: Option<Session>,
    /// What the last thing in the text gives, if it gives anything.
    pub value: Option<String>,
}

/// Evaluates a session's file and prepares what it declares.
pub fn load(file: &Path, library: &Library) -> Loaded {
    prepare_evaluated(scripting::evaluate_file(file), library, |session| Tempo::new(session.pace()))
}

/// Evaluates a text that was played, and prepares what it declares as [`prepare_evaluated`] does.
pub fn load_played(files: &[SourceFile], library: &Library, change: impl FnOnce(&mut Session) -> Tempo) -> Loaded {
    prepare_evaluated(scripting::evaluate_played(files), library, change)
}

/// Prepares what a text has declared, changed before that, in the musical time that `change` answers with.
pub fn prepare_evaluated(
    evaluated: scripting::Evaluated,
    library: &Library,
    change: impl FnOnce(&mut Session) -> Tempo,
) -> Loaded {
    let (mut diagnostics, value) = (evaluated.diagnostics, evaluated.value);
    let is_line = |file: u16| evaluated.files.get(usize::from(file)).is_some_and(|file| file.is_line);
    let mut declared = None;
    let prepared = match evaluated.session {
        Some(mut session) => {
            if evaluated.files.iter().any(|file| file.is_line) {
                let mut alone = session.clone();
                alone.amendments.retain(|one| !(is_line(one.at.file) && matches!(one.what, Amend::Set(..))));
                engine::amend::apply(&mut alone);
                declared = Some(alone);
            }
            let tempo = change(&mut session);
            // Held until everything has been asked for.
            let _opened = library.foresee(&media_of(&session), session.sample_rate);
            prepare_in(session, library, tempo)
        }
        None => Prepared::default(),
    };
    diagnostics.extend(prepared.diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.at);
    Loaded {
        session: prepared.session.map(Arc::new),
        graph: prepared.graph,
        diagnostics,
        files: evaluated.files,
        declared,
        value,
    }
}

impl Loaded {
    /// Everything there is to tell, as a person reads it.
    pub fn told(&self, paint: Paint) -> String {
        let told = |diagnostic| scripting::report::render(diagnostic, &self.files, paint.is_on());
        self.diagnostics.iter().map(told).collect()
    }

    /// Whether anything is wrong with it.
    pub fn is_wrong(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// What is wrong, in one line; nothing if nothing is.
    pub fn why(&self) -> String {
        let error = self.diagnostics.iter().find(|one| one.severity == Severity::Error);
        error.map_or_else(String::new, |error| match &error.help {
            Some(help) => format!("{}; {help}", error.message),
            None => error.message.clone(),
        })
    }

    /// Shows what there is to tell on standard error.
    pub fn show(&self) {
        self.show_news(&mut Told::default());
    }

    /// The same of a text that others came before: a warning is told once, as long as it stays.
    pub fn show_news(&self, told: &mut Told) {
        let render = |one| scripting::report::render(one, &self.files, Paint::stderr().is_on());
        let shown: String = self.news(told).into_iter().map(render).collect();
        if !shown.is_empty() {
            status::show(&shown);
        }
    }

    /// What has not been told yet, which has been by then.
    fn news(&self, told: &mut Told) -> Vec<&Diagnostic> {
        let key = |one: &Diagnostic| {
            let file = self.files.get(usize::from(one.at.file)).map_or("", |file| &file.text);
            let line = file.lines().nth((one.at.line as usize).saturating_sub(1)).unwrap_or_default();
            (one.code, one.message.clone(), line.trim().to_owned())
        };
        let news = self.diagnostics.iter().filter(|one| one.is_error() || !told.0.contains(&key(one))).collect();
        // What is refused may have kept from being seen what was warned of.
        if self.graph.is_some() {
            told.0.clear();
        }
        told.0.extend(self.diagnostics.iter().filter(|one| !one.is_error()).map(key));
        news
    }

    /// Every file that the session was made from: its texts, and the media it names.
    pub fn watched(&self) -> Vec<PathBuf> {
        let texts = self.files.iter().filter(|file| !file.is_line).map(|file| file.path.clone());
        texts.chain(self.media()).collect()
    }

    /// The media that the session names, as whole paths.
    pub fn media(&self) -> Vec<PathBuf> {
        self.session.iter().flat_map(|session| media_of(session)).collect()
    }
}

/// The media that a session names, as whole paths.
pub fn media_of(session: &Session) -> Vec<PathBuf> {
    let sources = session.places.iter().flat_map(|place| match &place.kind {
        PlaceKind::Input(sources) => sources.as_slice(),
        _ => &[],
    });
    let effects = session.instances.iter().filter_map(|instance| Some(&instance.work.effect()?.settings));
    let settings = sources.map(|source| &source.settings).chain(effects).flatten();
    settings
        .filter_map(|setting| match &setting.value {
            Value::Path(path) => Some(session.folder.join(path)),
            _ => None,
        })
        .collect()
}

/// The device channels that each live input of a session hears, by its name; those of hardware by its effect's path.
pub fn live_inputs(session: &Session) -> Vec<(String, Vec<u16>)> {
    let mut found = Vec::new();
    for place in &session.places {
        let PlaceKind::Input(sources) = &place.kind else { continue };
        for source in sources.iter().filter(|source| source.table.0.word == "device") {
            let channels = source.settings.iter().find_map(|setting| match &setting.value {
                Value::Channels(list) => Some(list.clone()),
                _ => None,
            });
            found.push((place.name.clone(), channels.unwrap_or_default()));
        }
    }
    // What comes back from hardware is one too.
    found.extend(inserts(session));
    found
}

/// The device channels that hardware comes back at, by its effect's path, unless it is passed by.
pub fn inserts(session: &Session) -> Vec<(String, Vec<u16>)> {
    // Most sessions have none, and all is asked at every edit.
    let names = LazyCell::new(|| Names::of(session));
    let heard = session.inserts().filter(|(_, effect)| effect.bypass.value != Value::Flag(true));
    heard.map(|(id, effect)| (names.call(id), insert::channels(&effect.settings).1)).collect()
}

/// The graph of a text that is right.
#[cfg(test)]
pub fn graph_of(text: &str) -> Graph {
    let evaluated = scripting::evaluate_text(Path::new("session.rhai"), text);
    let loaded = prepare_evaluated(evaluated, &Library::new(), |session| Tempo::new(session.pace()));
    loaded.graph.expect("it is right")
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::diagnostic::Position;

    #[test]
    fn a_warning_is_told_once_for_each_line_that_it_is_of_wherever_that_goes() {
        let mut told = Told::default();
        let mut news = |text: &str| -> Vec<u32> {
            let lines = text.lines().zip(1..).filter(|(line, _)| line.contains("odd"));
            let warn = |(_, line)| Diagnostic::warning("odd", Position { file: 0, line, column: 1 }, "this is odd");
            let diagnostics = lines.map(warn).collect();
            let files = vec![SourceFile { path: "a.rhai".into(), text: text.into(), is_line: false }];
            let loaded = Loaded { session: None, graph: None, diagnostics, files, declared: None, value: None };
            loaded.news(&mut told).iter().map(|one| one.at.line).collect()
        };
        assert_eq!(news("odd(1);\nright;"), [1]);
        assert_eq!(news("odd(1);\nright;\nodd(2);"), [3]);
        assert_eq!(news("right;\n  odd(1);\nodd(2);\nodd(3);"), [4]);
        assert_eq!(news("odd(2);\nodd(1);"), Vec::<u32>::new());
    }
}
