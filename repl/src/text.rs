//! The text that plays: the session's file as it was when it was last right, and the lines that follow it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use engine::media::Library;
use engine::names::{Found, Names};
use engine::session::Session;
use engine::tempo::Tempo;
use scripting::{SourceFile, typing};

use crate::control::{Known, Write};
use crate::lines::Lines;
use crate::load::{self, Loaded};
use crate::paint::Paint;
use crate::status;

mod saved;
mod scene;

pub use saved::Snapshot;

/// Files as they were, followed by lines.
fn with_lines(files: &[SourceFile], lines: &[String]) -> Vec<SourceFile> {
    let line = |text: &String| SourceFile { path: PathBuf::new(), text: text.clone(), is_line: true };
    files.iter().cloned().chain(lines.iter().map(line)).collect()
}

/// What they declare.
fn evaluated(files: &[SourceFile], lines: &[String]) -> scripting::Evaluated {
    scripting::evaluate_kept(&with_lines(files, lines))
}

/// The files that a text was loaded from.
fn without_lines(loaded: &Loaded) -> Vec<SourceFile> {
    loaded.files.iter().filter(|file| !file.is_line).cloned().collect()
}

/// The text, and what it declares.
pub struct Text {
    /// The file as it was taken last, and what it imports.
    files: Vec<SourceFile>,
    /// File and lines of what is heard, while these wait for their moment.
    heard: Option<(Vec<SourceFile>, Lines)>,
    lines: Lines,
    /// What controllers are understood against.
    known: Rc<Known>,
    /// Of each path that a line sets, what the rest of the text says.
    hidden: BTreeMap<String, String>,
    /// What was typed, in order, with the lines as they were before each.
    past: Vec<Step>,
    /// What was taken back, the last step last.
    future: Vec<Step>,
}

/// One thing that was typed.
struct Step {
    /// How it was typed.
    typed: String,
    /// The path that it sets, if that is what it does.
    sets: Option<String>,
    /// The lines before, or behind what was taken back.
    lines: Lines,
    /// The lines on this side of it, as they were when it was made.
    after: Lines,
}

/// What became of a line that was typed.
pub enum Answer {
    /// It is a part of the text now.
    Taken(Box<Loaded>),
    /// It declares nothing: what it gives.
    Value(Option<String>),
    /// It is wrong, and the text is as it was.
    Refused(Box<Loaded>),
}

impl Text {
    /// The text of a session that was loaded without lines.
    pub fn new(loaded: &Loaded, session: &Arc<Session>) -> Self {
        Text {
            files: without_lines(loaded),
            heard: None,
            lines: Lines::default(),
            known: Rc::new(Known::new(session.clone())),
            hidden: BTreeMap::new(),
            past: Vec::new(),
            future: Vec::new(),
        }
    }

    /// What controllers are understood against.
    pub fn known(&self) -> &Rc<Known> {
        &self.known
    }

    /// Takes the file as it is now, with the lines. Lines that are no longer right are set aside, and told of. Nothing is
    /// taken when the file itself is wrong.
    pub fn edited(&mut self, file: &Path, library: &Library, change: impl Fn(&mut Session) -> Tempo) -> Loaded {
        let mut lines = self.lines.clone();
        let load =
            |lines: &[String]| load::prepare_evaluated(scripting::evaluate_file_with(file, lines), library, &change);
        match without_wrong(&mut lines, load, set_aside) {
            Ok(loaded) => {
                self.will_be_heard();
                self.files = without_lines(&loaded);
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
        // A hand is heard at once: it moves what plays.
        let (playing, heard) = self.heard.as_ref().map_or((&self.files, &self.lines), |(files, lines)| (files, lines));
        let load = |lines: &Lines| load::prepare_evaluated(evaluated(playing, lines.as_slice()), library, &change);
        let with = |lines: &Lines, writes: &[Write]| {
            let mut lines = lines.clone();
            writes.iter().for_each(|write| lines.set(&write.path, &write.value));
            lines
        };
        let mut loaded = load(&with(heard, &writes));
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        if loaded.graph.is_some() {
            kept = writes;
        } else {
            // One that is refused takes no other along.
            for write in writes {
                kept.push(write);
                let tried = load(&with(heard, &kept));
                match tried.graph.is_some() {
                    true => loaded = tried,
                    false => {
                        kept.pop();
                        wrong.push(tried.told(Paint::stderr()));
                    }
                }
            }
        }
        self.lines = with(&self.lines, &kept);
        if let Some((_, lines)) = &mut self.heard {
            *lines = with(lines, &kept);
        }
        if kept.is_empty() {
            return (None, kept, wrong);
        }
        self.take(&loaded);
        (Some(loaded), kept, wrong)
    }

    /// What the text would be with a line behind it.
    pub fn tried(&self, library: &Library, line: &str, change: impl Fn(&mut Session) -> Tempo) -> Loaded {
        let mut lines = self.lines.clone();
        add(&mut lines, line);
        load::prepare_evaluated(evaluated(&self.files, lines.as_slice()), library, change)
    }

    /// Takes a line that was typed: it becomes a part of the text unless it is wrong, or declares nothing.
    pub fn typed(&mut self, library: &Library, line: &str, change: impl Fn(&mut Session) -> Tempo) -> Answer {
        let mut lines = self.lines.clone();
        let sets = add(&mut lines, line);
        let load = |lines: &Lines| load::prepare_evaluated(evaluated(&self.files, lines.as_slice()), library, &change);
        // What is plugged in or set is text, whatever it changes; of the rest it is seen by what it declares. Whoever is asked
        // for the time is asked last for that of the text with the line.
        let is_text = typing::declares(line) || sets.is_some() || line.contains(">>");
        let before = (!is_text).then(|| load(&self.lines));
        let loaded = load(&lines);
        if loaded.graph.is_none() {
            return Answer::Refused(Box::new(loaded));
        }
        let declared = |loaded: &Loaded| {
            // The line itself is one of the session's files.
            loaded.session.as_ref().map(|session| Session { files: Vec::new(), ..(**session).clone() })
        };
        if before.is_some_and(|before| declared(&before) == declared(&loaded)) {
            return Answer::Value(loaded.value);
        }
        self.will_be_heard();
        let lines = std::mem::replace(&mut self.lines, lines);
        self.past.push(Step { typed: line.to_owned(), sets, lines, after: self.lines.clone() });
        self.future.clear();
        self.take(&loaded);
        Answer::Taken(Box::new(loaded))
    }

    /// Takes back what was typed last; what that was, and the text without it. What hands have moved since stays.
    pub fn undo(&mut self, library: &Library, change: &dyn Fn(&mut Session) -> Tempo) -> Option<(String, Loaded)> {
        let step = self.past.pop()?;
        let (typed, step) = self.exchange(step);
        self.future.push(step);
        Some((typed, self.anew(library, change)))
    }

    /// Takes up again what was taken back last.
    pub fn redo(&mut self, library: &Library, change: &dyn Fn(&mut Session) -> Tempo) -> Option<(String, Loaded)> {
        let step = self.future.pop()?;
        let (typed, step) = self.exchange(step);
        self.past.push(step);
        Some((typed, self.anew(library, change)))
    }

    /// Forgets all lines, which can be taken back; none if there are none.
    pub fn forget(&mut self, library: &Library, change: &dyn Fn(&mut Session) -> Tempo) -> Option<(String, Loaded)> {
        if self.lines.as_slice().is_empty() {
            return None;
        }
        self.will_be_heard();
        let lines = std::mem::take(&mut self.lines);
        self.past.push(Step { typed: ":drop".into(), sets: None, lines, after: Lines::default() });
        self.future.clear();
        Some(("all lines".into(), self.anew(library, change)))
    }

    /// Forgets lines and steps for good: the file of another session comes next.
    pub fn turn_over(&mut self) {
        self.will_be_heard();
        self.lines = Lines::default();
        self.hidden.clear();
        self.past.clear();
        self.future.clear();
    }

    /// Goes to the lines of a step, and keeps those of now in it: what was typed, and the way back.
    fn exchange(&mut self, mut step: Step) -> (String, Step) {
        self.will_be_heard();
        step.lines.keep_sets(&self.lines, &step.after, step.sets.as_deref());
        std::mem::swap(&mut self.lines, &mut step.lines);
        step.after = self.lines.clone();
        (step.typed.clone(), step)
    }

    /// The text with the lines as they are now. Those that are no longer right are set aside.
    fn anew(&mut self, library: &Library, change: impl Fn(&mut Session) -> Tempo) -> Loaded {
        let mut lines = self.lines.clone();
        let files = &self.files;
        let load = |lines: &[String]| load::prepare_evaluated(evaluated(files, lines), library, &change);
        match without_wrong(&mut lines, load, set_aside) {
            Ok(loaded) => {
                self.lines = lines;
                self.take(&loaded);
                loaded
            }
            Err(loaded) => *loaded,
        }
    }

    /// The file, then the lines, as they stand.
    pub fn shown(&self) -> String {
        let file = self.files.first().map_or("", |file| file.text.trim_end());
        match self.lines.as_slice() {
            [] => file.to_owned(),
            lines => format!("{file}\n\n// typed\n{}", lines.join("\n")),
        }
    }

    /// The names that its variables and functions have.
    pub fn names(&self) -> Vec<String> {
        let lines = self.lines.as_slice().iter().map(String::as_str);
        let file = self.files.first().map(|file| file.text.as_str());
        file.into_iter().chain(lines).flat_map(typing::declared).collect()
    }

    /// What was typed, in order.
    pub fn history(&self) -> impl Iterator<Item = &str> {
        self.past.iter().map(|step| step.typed.as_str())
    }

    /// File and lines are about to change, and what is heard is as it was until their moment.
    fn will_be_heard(&mut self) {
        self.heard.get_or_insert_with(|| (self.files.clone(), self.lines.clone()));
    }

    /// The newest file is heard from now on, as it was loaded.
    pub fn is_heard(&mut self, known: Rc<Known>) {
        self.heard = None;
        self.known = known;
    }

    /// The newest file with the lines as they are now; none if they do not go together.
    pub fn again(&self, library: &Library, change: impl Fn(&mut Session) -> Tempo) -> Option<Loaded> {
        let loaded = load::prepare_evaluated(evaluated(&self.files, self.lines.as_slice()), library, &change);
        loaded.graph.is_some().then_some(loaded)
    }

    /// What it says, before what it says of the whole is applied to it.
    pub fn declared(&self) -> scripting::Evaluated {
        evaluated(&self.files, self.lines.as_slice())
    }

    /// Takes note of what a text declares, and says which lines hide an edit of it.
    fn take(&mut self, loaded: &Loaded) {
        if let Some(session) = &loaded.session {
            self.known = Rc::new(Known::new(session.clone()));
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

/// Tells of a line that is no longer right.
fn set_aside(line: String, wrong: Box<Loaded>) {
    status::warning(format!("set aside: {line} ({})", wrong.why()));
}

/// Takes out the lines that are no longer right, giving each to `tell` with what is wrong; the text with those that are left.
///
/// # Errors
/// The text without any lines, which is wrong itself: all lines stay then.
fn without_wrong(
    lines: &mut Lines,
    load: impl Fn(&[String]) -> Loaded,
    tell: impl FnMut(String, Box<Loaded>),
) -> Result<Loaded, Box<Loaded>> {
    let check = |lines: &[String]| {
        let loaded = load(lines);
        if loaded.graph.is_some() { Ok(loaded) } else { Err(Box::new(loaded)) }
    };
    lines.set_aside(check, tell)
}

/// Adds a line as it was typed; the path that it sets, if that is what it does: the last value of each path wins, in its place.
fn add(lines: &mut Lines, line: &str) -> Option<String> {
    let set = typing::set_of(line);
    match &set {
        Some((path, value)) => lines.set(path, value),
        None => lines.push(line),
    }
    set.map(|(path, _)| path)
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
