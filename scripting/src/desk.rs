//! The session while a text is evaluated: what the words write into.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use engine::circuit::Builder;
use engine::diagnostic::{Diagnostic, Position};
use engine::form::Section;
use engine::parameter::{Parameter, Spoken, Value};
use engine::session::{
    Amend, Amendment, Cable, CableKind, MASTER, Place, PlaceId, PlaceKind, Session, Setting, Tap, Target,
};
use rhai::{Module, Shared};

use crate::evaluate::SourceFile;
use crate::form::{self, Order};
use crate::text::Text;
use crate::{setup, words};

/// The most places, effects and cables together.
const MOST_THINGS: usize = 20_000;

/// The word that stands between the parts of a text.
pub const NEXT_PART: &str = "next_part__";

/// More than this are not told: they have one cause.
const MOST_DIAGNOSTICS: usize = 20;

/// A session that is being written.
pub struct Desk {
    /// What is declared so far.
    pub session: Session,
    /// The session's file, the lines that follow it, and what they import.
    pub files: Vec<Text>,
    /// On which line of the whole text each of its parts begins: the file, then the lines.
    begins: Vec<u32>,
    /// The last part that the evaluation has come to.
    pub part: usize,
    /// How many cables the file has plugged in, once it is done.
    cables_of_file: Option<usize>,
    /// What there is to tell so far.
    pub diagnostics: Vec<Diagnostic>,
    /// The folder that nothing is imported from outside of, canonical.
    pub root: Option<PathBuf>,
    /// Files whose import is under way, the innermost last, each with the place of its import.
    pub importing: Vec<(u16, Position)>,
    /// Files that were imported.
    pub modules: BTreeMap<PathBuf, Shared<Module>>,
    /// What can be imported, if not what lies in the folder.
    pub kept: Option<Vec<SourceFile>>,
    /// When evaluation is given up.
    pub deadline: Instant,
    /// Places by name, sums and outputs apart.
    names: BTreeMap<String, PlaceId>,
    /// For each place, whether it is declared or only spoken of so far.
    declared: Vec<bool>,
    sums: BTreeMap<Vec<(Tap, Option<String>)>, PlaceId>,
    outputs: BTreeMap<Vec<u16>, PlaceId>,
    /// What a closure that is traced is written into.
    pub circuit: Option<Builder>,
    /// How long edits take, if the text says so.
    pub crossfade: Option<Value>,
    /// The section that is being said, as an index.
    pub section: Option<usize>,
    /// The order of the sections, if the text says one.
    pub order: Option<Order>,
    /// Values in beats, bars or samples, whose range the final tempo decides.
    timed: Vec<(Parameter, Spoken, Position)>,
}

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

/// Evaluates with a desk that every word can reach, and gives it back.
pub fn with_new<R>(desk: Desk, work: impl FnOnce() -> R) -> (R, Desk) {
    DESK.with_borrow_mut(|slot| *slot = Some(desk));
    let result = work();
    let desk = DESK.with_borrow_mut(Option::take);
    (result, desk.expect("a desk stays in its place while a text is evaluated"))
}

/// Reaches the desk of the evaluation that this thread is in.
pub fn with<R>(work: impl FnOnce(&mut Desk) -> R) -> R {
    DESK.with_borrow_mut(|slot| work(slot.as_mut().expect("words are only called while a text is evaluated")))
}

impl Desk {
    /// An empty desk for the session at a path, whose text is that file and lines that follow it.
    pub fn new(path: &Path, text: &str, lines: &[String], deadline: Instant) -> Self {
        let mut files = vec![Text::new(path, text, 0)];
        for (number, line) in (1..).zip(lines) {
            files.push(Text::new(Path::new(&format!("(line {number})")), line, number));
        }
        let mut begins = vec![1];
        for file in &files {
            let last: u32 = begins[begins.len() - 1];
            begins.push(last + file.text.matches('\n').count() as u32 + 2);
        }
        begins.pop();
        let folder = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.into(),
            None => PathBuf::from("."),
        };
        Desk {
            root: folder.canonicalize().ok(),
            session: Session::new(folder),
            files,
            begins,
            part: 0,
            cables_of_file: None,
            diagnostics: Vec::new(),
            importing: vec![(0, Position::default())],
            modules: BTreeMap::new(),
            kept: None,
            deadline,
            names: BTreeMap::from([("master".to_string(), MASTER)]),
            declared: vec![true],
            sums: BTreeMap::new(),
            outputs: BTreeMap::new(),
            circuit: None,
            crossfade: None,
            section: None,
            order: None,
            timed: Vec::new(),
        }
    }

    /// Tells something, once.
    pub fn tell(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MOST_DIAGNOSTICS && !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// The file that a place is in.
    pub fn file(&self, at: Position) -> &Text {
        self.files.get(usize::from(at.file)).unwrap_or(&self.files[0])
    }

    /// How many parts the text has: the file and the lines.
    pub fn parts(&self) -> usize {
        self.begins.len()
    }

    /// The text from the file to a part. Each part is ended, and the next one announced: [`Desk::comes_to`].
    pub fn text_to(&self, part: usize) -> String {
        let mut text = self.files[0].text.clone();
        for (number, file) in (1..).zip(&self.files[1..=part]) {
            text += &format!("\n;{NEXT_PART}({number});\n{}", file.text);
        }
        text
    }

    /// The place that Rhai means; `file` is the one it runs, any part standing for the whole text.
    pub fn place(&self, file: u16, at: rhai::Position) -> Position {
        let (line, column) = (at.line().unwrap_or(0) as u32, at.position().unwrap_or(0) as u32);
        if usize::from(file) >= self.parts() || line == 0 {
            return Position { file, line, column };
        }
        let part = self.begins.partition_point(|begin| *begin <= line) - 1;
        Position { file: part as u16, line: line - self.begins[part] + 1, column }
    }

    /// The evaluation has come to a part.
    pub fn comes_to(&mut self, part: usize) {
        self.part = part;
        self.cables_of_file.get_or_insert(self.session.cables.len());
    }

    /// Takes a value for a parameter; a refusal is told at its place and leaves the default.
    pub fn accept(&mut self, parameter: &Parameter, said: &Spoken, at: Position) -> Setting {
        let value = match parameter.accept(said, &self.session.clock()) {
            Ok(accepted) => {
                if let Some(warning) = accepted.warning {
                    self.tell(Diagnostic::warning("fraction-of-percent", at, warning));
                }
                if is_timed(&accepted.value) {
                    self.timed.push((*parameter, said.clone(), at));
                }
                accepted.value
            }
            Err(refusal) if refusal.code == "out-of-range" && is_musical(said) => {
                self.timed.push((*parameter, said.clone(), at));
                parameter.as_said(said)
            }
            Err(refusal) => {
                self.tell(refusal.diagnostic(at));
                parameter.default()
            }
        };
        Setting { value, at }
    }

    /// Declares an input or a bus.
    pub fn declare(
        &mut self,
        name: &str,
        kind: PlaceKind,
        at: Position,
        name_at: Position,
    ) -> Result<PlaceId, Diagnostic> {
        let mut place = Place::new(name, kind, at);
        let Some(id) = self.names.get(name).copied() else { return Ok(self.add(place, true)) };
        if self.declared[id.0] {
            let again = self.is_said_again(id, &place);
            if !again && !self.has_regions_for(id, &place) {
                return Err(self.name_twice(id, &place, name_at));
            }
            let before = &self.session.places[id.0];
            join_regions(&mut place, before);
            if !again {
                place = Place { kind: place.kind, ..before.clone() };
            }
        }
        // Whatever takes its sound away is said by the text, and stands behind it.
        self.session.places[id.0] = place;
        self.declared[id.0] = true;
        Ok(id)
    }

    fn name_twice(&self, id: PlaceId, place: &Place, at: Position) -> Diagnostic {
        let error = Diagnostic::error("name-twice", at, format!("the name \"{}\" is taken", place.name));
        if id == MASTER {
            return error.help("`master` always exists");
        }
        let error = error.also(self.session.places[id.0].at, "here it is given first");
        match (self.section, &self.session.places[id.0].kind) {
            (Some(_), PlaceKind::Input(_)) => {
                error.help("what sounds together on one input is a list: `input(name, [a, b])`")
            }
            _ => error.help("each input and bus has a name of its own"),
        }
    }

    /// Whether an input can be given what is said of it: another section than those so far has it, or none has.
    fn has_regions_for(&self, id: PlaceId, place: &Place) -> bool {
        let of_album = self.session.album.as_ref().is_some_and(|album| album.input == place.name);
        match (&self.session.places[id.0].kind, &place.kind) {
            (PlaceKind::Input(before), PlaceKind::Input(_)) if !of_album => {
                before.iter().all(|source| source.section != self.section)
            }
            _ => false,
        }
    }

    /// A section is said from here on. A line that says one again takes the place of what was said before.
    ///
    /// # Errors
    /// The name is taken.
    pub fn open_section(
        &mut self,
        name: &str,
        bars: f64,
        at: Position,
        name_at: Position,
    ) -> Result<usize, Diagnostic> {
        let section = Section { name: name.to_owned(), bars, holds: Vec::new(), at };
        let is_line = (1..self.parts()).contains(&usize::from(at.file));
        let sections = &mut self.session.form.sections;
        let number = match sections.iter().position(|section| section.name == name) {
            None => {
                sections.push(section);
                sections.len() - 1
            }
            Some(number) if is_line && sections[number].at.file != at.file => {
                sections[number] = section;
                self.forget_section(number);
                number
            }
            Some(number) => {
                let error = Diagnostic::error("name-twice", name_at, format!("a section is called \"{name}\" already"));
                return Err(error
                    .also(sections[number].at, "here it is")
                    .help("it comes as often as `arrange([...])` has its name; what differs has a name of its own"));
            }
        };
        self.section = Some(number);
        Ok(number)
    }

    /// Takes back what a section has said.
    fn forget_section(&mut self, number: usize) {
        self.session.amendments.retain(|amendment| amendment.section != Some(number));
        for (place, declared) in self.session.places.iter_mut().zip(&mut self.declared) {
            let PlaceKind::Input(sources) = &mut place.kind else { continue };
            sources.retain(|source| source.section != Some(number));
            *declared &= !sources.is_empty();
        }
    }

    /// An input that no section has any more goes, if nothing leads on from it.
    fn take_out_forgotten(&mut self) {
        for id in (0..self.session.places.len()).filter(|&id| !self.declared[id]).collect::<Vec<_>>() {
            let session = &self.session;
            let forgotten = matches!(&session.places[id].kind, PlaceKind::Input(sources) if sources.is_empty());
            let plugged = session.cables.iter().find(|cable| session.origin(cable.from) == PlaceId(id)).map(|c| c.at);
            match plugged {
                _ if !forgotten => {}
                Some(at) => self.session.places[id].at = at,
                None => {
                    self.declared[id] = true;
                    let (what, at) = (Amend::Remove(Target::Place(PlaceId(id))), self.session.places[id].at);
                    self.session.amendments.insert(0, Amendment { what, section: None, at });
                }
            }
        }
    }

    /// Whether a line behind the file declares an input or a bus again, which takes the place of what was said before.
    fn is_said_again(&self, id: PlaceId, place: &Place) -> bool {
        let before = &self.session.places[id.0];
        let is_line = (1..self.parts()).contains(&usize::from(place.at.file));
        let same = std::mem::discriminant(&before.kind) == std::mem::discriminant(&place.kind);
        id != MASTER && self.declared[id.0] && is_line && before.at.file != place.at.file && same
    }

    fn add(&mut self, place: Place, declared: bool) -> PlaceId {
        let id = PlaceId(self.session.places.len());
        if matches!(place.kind, PlaceKind::Input(_) | PlaceKind::Bus { .. }) {
            self.names.insert(place.name.clone(), id);
        }
        self.session.places.push(place);
        self.declared.push(declared);
        id
    }

    /// The place of a name, which may be declared further down.
    pub fn named(&mut self, name: &str, at: Position) -> PlaceId {
        match self.names.get(name) {
            Some(id) => *id,
            None => self.add(Place::new(name, PlaceKind::Bus { channels: 2 }, at), false),
        }
    }

    /// The output of a list of channels.
    pub fn output(&mut self, channels: Vec<u16>, at: Position) -> PlaceId {
        if let Some(id) = self.outputs.get(&channels) {
            return *id;
        }
        let list: Vec<String> = channels.iter().map(u16::to_string).collect();
        let id =
            self.add(Place::new(format!("output {}", list.join("-")), PlaceKind::Output(channels.clone()), at), true);
        self.outputs.insert(channels, id);
        id
    }

    /// The place of a sum; the same members are the same sum, in whatever order.
    pub fn sum(&mut self, members: &[crate::value::Member], at: Position) -> PlaceId {
        let mut key: Vec<(Tap, Option<String>)> = members.iter().map(|m| (m.tap, m.cable.clone())).collect();
        key.sort();
        if let Some(id) = self.sums.get(&key) {
            return *id;
        }
        let id = self.add(Place::new("", PlaceKind::Sum, at), true);
        self.sums.insert(key, id);
        for member in members {
            self.session.cables.push(plug(member.tap, id, member.cable.clone(), CableKind::Plug, member.at));
        }
        id
    }

    /// The error for a session that declares more than a desk can hold.
    pub fn is_full(&self, at: Position) -> Option<Diagnostic> {
        let session = &self.session;
        let things = session.places.len() + session.instances.len() + session.cables.len() + session.amendments.len();
        (things > MOST_THINGS).then(|| {
            Diagnostic::error("too-large", at, format!("the session declares more than {MOST_THINGS} things"))
                .help("look for a loop that never ends")
        })
    }

    /// Something said of the whole.
    pub fn amend(&mut self, what: Amend, at: Position) {
        self.session.amendments.push(Amendment { what, section: self.section, at });
    }

    /// What can be seen only at the end: names never declared, cables into inputs, times that the tempo puts out of range.
    pub fn finish(&mut self) {
        for (parameter, said, at) in std::mem::take(&mut self.timed) {
            if let Err(refusal) = parameter.accept(&said, &self.session.clock()) {
                self.tell(refusal.diagnostic(at));
            }
        }
        if let Some(time) = self.crossfade.take() {
            self.session.crossfade = setup::CROSSFADE.plain(&time, &self.session.clock());
        }
        form::put_in_order(self);
        self.take_out_forgotten();
        for id in 0..self.session.places.len() {
            if !self.declared[id] {
                let place = &self.session.places[id];
                let (name, at) = (place.name.clone(), place.at);
                let known = self.names.iter().filter(|(_, id)| self.declared[id.0]).map(|(name, _)| name.as_str());
                let help = words::suggest(&name, known)
                    .unwrap_or_else(|| format!("declare it: `bus(\"{name}\")`, anywhere in the session"));
                self.tell(
                    Diagnostic::error("unknown-name", at, format!("no input or bus is named \"{name}\"")).help(help),
                );
            }
        }
        let into_inputs: Vec<Diagnostic> = self
            .session
            .cables
            .iter()
            .filter_map(|cable| {
                let place = &self.session.places[cable.to.0];
                matches!(place.kind, PlaceKind::Input(_)).then(|| into_input(&place.name, cable.at, place.at))
            })
            .collect();
        into_inputs.into_iter().for_each(|d| self.tell(d));
        // What a line plugs in again takes the place of what was plugged in before.
        let typed = self.cables_of_file.unwrap_or(self.session.cables.len());
        self.session.cables[typed..].iter_mut().for_each(|cable| cable.replaces = true);
        if self.part + 1 < self.parts() {
            let at = Position { file: self.part as u16 + 1, line: 1, column: 1 };
            self.tell(Diagnostic::error("never-reached", at, "the text has returned before it comes to this line"));
        }
        self.session.files = self.files.iter().map(|file| file.path.clone()).collect();
    }
}

/// The error for sound that is led into an input.
pub fn into_input(name: &str, at: Position, declared: Position) -> Diagnostic {
    Diagnostic::error("into-input", at, format!("\"{name}\" is an input: nothing can flow into it"))
        .also(declared, "here it is declared")
        .help("sound flows into a bus, `master` or an output")
}

/// Adds to an input what its other sections have, and what it has outside of them: in the order of the sections.
fn join_regions(place: &mut Place, before: &Place) {
    if let (PlaceKind::Input(sources), PlaceKind::Input(before)) = (&mut place.kind, &before.kind) {
        let section = sources.first().and_then(|source| source.section);
        sources.extend(before.iter().filter(|source| source.section != section).cloned());
        sources.sort_by_key(|source| source.section);
    }
}

/// A cable that nothing further is said of.
pub fn plug(from: Tap, to: PlaceId, name: Option<String>, kind: CableKind, at: Position) -> Cable {
    Cable { from, to, name, kind, owner: None, replaces: false, muted: false, soloed: false, at }
}

fn is_timed(value: &Value) -> bool {
    matches!(value, Value::Beats(_) | Value::Bars(_) | Value::Samples(_) | Value::Control(_))
}

fn is_musical(said: &Spoken) -> bool {
    use engine::units::Unit;
    matches!(said, Spoken::Text(_) | Spoken::Control(_) | Spoken::Number(_, Unit::Beats | Unit::Bars | Unit::Samples))
}
