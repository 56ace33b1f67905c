//! The text that plays: the session's file as it was when it was last right, and the lines that follow it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::media::Library;
use engine::names::{Found, Names};
use engine::session::Session;
use engine::tempo::Tempo;
use scripting::SourceFile;

use crate::control::{Known, Write};
use crate::lines::Lines;
use crate::load::{self, Loaded};
use crate::paint::Paint;
use crate::status;

/// Files as they were, followed by lines.
fn evaluated(files: &[SourceFile], lines: &Lines) -> scripting::Evaluated {
    let line = |text: &String| SourceFile { path: PathBuf::new(), text: text.clone(), is_line: true };
    let files: Vec<SourceFile> = files.iter().cloned().chain(lines.as_slice().iter().map(line)).collect();
    scripting::evaluate_kept(&files)
}

/// The files that a text was loaded from.
fn without_lines(loaded: &Loaded) -> Vec<SourceFile> {
    loaded.files.iter().filter(|file| !file.is_line).cloned().collect()
}

/// The text, and what it declares.
pub struct Text {
    /// The file as it was taken last, and what it imports.
    files: Vec<SourceFile>,
    /// The same of what is heard, while that waits for its moment.
    heard: Option<Vec<SourceFile>>,
    lines: Lines,
    /// What controllers are understood against.
    known: Known,
    /// Of each path that a line sets, what the rest of the text says.
    hidden: BTreeMap<String, String>,
}

impl Text {
    /// The text of a session that was loaded without lines.
    pub fn new(loaded: &Loaded, session: &Session) -> Self {
        Text {
            files: without_lines(loaded),
            heard: None,
            lines: Lines::default(),
            known: Known::new(session),
            hidden: BTreeMap::new(),
        }
    }

    /// What controllers are understood against.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Takes the file as it is now, with the lines. Lines that are no longer right are set aside, and told of. Nothing is
    /// taken when the file itself is wrong.
    pub fn edited(&mut self, file: &Path, library: &Library, change: impl Fn(&mut Session) -> Tempo) -> Loaded {
        let mut lines = self.lines.clone();
        let load = |lines: &[String]| {
            let loaded = load::prepare_evaluated(scripting::evaluate_file_with(file, lines), library, &change);
            if loaded.graph.is_some() { Ok(loaded) } else { Err(Box::new(loaded)) }
        };
        let tell = |line: String, wrong: Box<Loaded>| {
            status::warning(format!("set aside: {line} ({})", wrong.why()));
        };
        match lines.set_aside(load, tell) {
            Ok(loaded) => {
                let before = std::mem::replace(&mut self.files, without_lines(&loaded));
                self.heard.get_or_insert(before);
                self.lines = lines;
                self.take(&loaded);
                loaded
            }
            Err(loaded) => *loaded,
        }
    }

    /// Writes lines. Gives what the text declares then, the writes that are in it, and what is wrong with the others.
    pub fn written(
        &mut self,
        library: &Library,
        writes: Vec<Write>,
        change: impl Fn(&mut Session) -> Tempo,
    ) -> (Option<Loaded>, Vec<Write>, Vec<String>) {
        let load = |lines: &Lines| {
            // A hand is heard at once: it moves what plays.
            let playing = self.heard.as_ref().unwrap_or(&self.files);
            load::prepare_evaluated(evaluated(playing, lines), library, &change)
        };
        let with = |lines: &Lines, writes: &[Write]| {
            let mut lines = lines.clone();
            writes.iter().for_each(|write| lines.set(&write.path, &write.value));
            lines
        };
        let together = with(&self.lines, &writes);
        let mut loaded = load(&together);
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        if loaded.graph.is_some() {
            (self.lines, kept) = (together, writes);
        } else {
            // One that is refused takes no other along.
            let mut lines = self.lines.clone();
            for write in writes {
                let more = with(&lines, std::slice::from_ref(&write));
                let tried = load(&more);
                if tried.graph.is_some() {
                    (lines, loaded) = (more, tried);
                    kept.push(write);
                } else {
                    wrong.push(tried.told(Paint::stderr()));
                }
            }
            self.lines = lines;
        }
        if kept.is_empty() {
            return (None, kept, wrong);
        }
        self.take(&loaded);
        (Some(loaded), kept, wrong)
    }

    /// The newest file is heard from now on, as it was loaded.
    pub fn is_heard(&mut self, session: &Session) {
        self.heard = None;
        self.known = Known::new(session);
    }

    /// The newest file with the lines as they are now; none if they do not go together.
    pub fn again(&self, library: &Library, change: impl Fn(&mut Session) -> Tempo) -> Option<Loaded> {
        let loaded = load::prepare_evaluated(evaluated(&self.files, &self.lines), library, &change);
        loaded.graph.is_some().then_some(loaded)
    }

    /// Takes note of what a text declares, and says which lines hide an edit of it.
    fn take(&mut self, loaded: &Loaded) {
        if let Some(session) = &loaded.session {
            self.known = Known::new(session);
        }
        let declared = loaded.declared.as_ref();
        let hidden =
            declared.map(|session| values(session, self.lines.sets().map(|(path, _)| path))).unwrap_or_default();
        for (path, line) in self.lines.sets() {
            if let (Some(before), Some(now)) = (self.hidden.get(path), hidden.get(path))
                && before != now
            {
                status::warning(format!("{path} is {now} in the file now, which is not heard: `{line}` wins over it"));
            }
        }
        self.hidden = hidden;
    }
}

/// What a session says for paths, as a person reads it.
fn values<'a>(session: &Session, paths: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let names = Names::of(session);
    let of = |path: &str| match names.find(session, path).ok()? {
        Found::Parameter(owner, which) => {
            let (parameter, setting) = session.setting(owner, which);
            Some((path.to_owned(), parameter.show(&setting.value)))
        }
        _ => None,
    };
    paths.filter_map(of).collect()
}
