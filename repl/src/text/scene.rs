//! The lines of the prompt exchanged for those of a scene, but for what is safe from that.
//!
//! What `safe(x)` names is left as it is: lines of now that concern nothing else stay, and those of the scene that concern nothing
//! else are not taken. A line concerns the inputs and buses whose cables it plugs in, and those that the paths it names begin with:
//! `voice` for `voice`, `voice>band`, `voice/eq#2.gain`. One that declares a name, an input or a bus, that has several statements, or
//! that speaks of something else, such as `tempo(120)`, concerns the whole.

use std::collections::BTreeSet;

use engine::media::Library;
use engine::names::Names;
use engine::session::{Amend, PlaceKind, Session, Tap, Target};
use engine::tempo::Tempo;
use scripting::{evaluate_kept, typing};

use super::{Step, Text, add, evaluated, with_lines, without_wrong};
use crate::lines::Lines;
use crate::load::{self, Loaded};
use crate::scenes::Scene;
use crate::status;

impl Text {
    /// Exchanges the lines for those of a scene, which can be taken back. Those that do not fit are set aside, and told of with
    /// their place.
    pub fn go(&mut self, scene: &Scene, library: &Library, change: &dyn Fn(&mut Session) -> Tempo) -> Loaded {
        let (session, _) = self.known.session();
        let safe: BTreeSet<String> =
            session.places.iter().filter(|place| place.state.safe).map(|place| place.name.clone()).collect();
        let mut wanted = Lines::default();
        scene.statements.iter().for_each(|(_, statement)| drop(add(&mut wanted, statement)));
        let tell = |line: String, wrong: Box<Loaded>| {
            let same = |statement: &&(u32, String)| {
                statement.1 == line
                    || typing::set_of(&statement.1).is_some_and(|set| Some(set) == typing::set_of(&line))
            };
            let at = scene.statements.iter().rfind(same).map_or(1, |(at, _)| *at);
            status::warning(format!("set aside: {}:{at}: {line} ({})", scene.file.display(), wrong.why()));
        };
        let load = |lines: &[String]| load::prepare_evaluated(evaluated(&self.files, lines), library, change);
        // A file that is wrong by itself is told of when the whole is loaded.
        let _ = without_wrong(&mut wanted, load, tell);
        if !safe.is_empty() {
            let names: Vec<&str> = safe.iter().map(String::as_str).collect();
            status::say(format!("left as it is, since it is safe: {}", names.join(", ")));
            let mut lines = Lines::default();
            let kept = self.concerning(&self.lines, &safe, true);
            let taken = self.concerning(&wanted, &safe, false);
            kept.chain(taken).for_each(|line| drop(add(&mut lines, &line)));
            wanted = lines;
        }
        self.will_be_heard();
        let lines = std::mem::replace(&mut self.lines, wanted);
        let loaded = self.anew(library, change);
        self.past.push(Step { typed: format!(":go {}", scene.name), sets: None, lines, after: self.lines.clone() });
        self.future.clear();
        loaded
    }

    /// Those of some lines that concern only what is safe, or the others.
    fn concerning(&self, lines: &Lines, safe: &BTreeSet<String>, only: bool) -> impl Iterator<Item = String> {
        let session = evaluate_kept(&with_lines(&self.files, lines.as_slice())).session;
        let concerned: Vec<bool> = match &session {
            Some(session) => {
                (1..).zip(lines.as_slice()).map(|(i, line)| concerns_only(session, i, line, safe)).collect()
            }
            None => vec![false; lines.as_slice().len()],
        };
        let chosen = lines.as_slice().iter().zip(concerned).filter(|(_, concerned)| *concerned == only);
        chosen.map(|(line, _)| line.clone()).collect::<Vec<_>>().into_iter()
    }
}

/// Whether a line concerns some inputs and buses and nothing else. `number` is the line's among the files of what was evaluated.
fn concerns_only(session: &Session, number: u16, line: &str, safe: &BTreeSet<String>) -> bool {
    let one = typing::statements(line).is_some_and(|statements| statements.len() == 1);
    let declares = session
        .places
        .iter()
        .any(|place| place.at.file == number && matches!(place.kind, PlaceKind::Input(_) | PlaceKind::Bus { .. }));
    if !one || declares || typing::declares(line) {
        return false;
    }
    let names = Names::of(session);
    let of_tap = |tap: Tap| names.place(session.origin(tap)).to_owned();
    let cables = session.cables.iter().filter(|cable| cable.at.file == number).map(|cable| of_tap(cable.from));
    let amended = session.amendments.iter().filter(|amendment| amendment.at.file == number);
    let amended = amended.map(|amendment| match &amendment.what {
        Amend::Set(path, _) => strip(path).to_owned(),
        Amend::Mute(target, _)
        | Amend::Solo(target, _)
        | Amend::Safe(target)
        | Amend::Unplug(target)
        | Amend::Remove(target)
        | Amend::Before(target, _)
        | Amend::After(target, _)
        | Amend::Expect { of: target, .. } => match target {
            Target::Path(path) => strip(path).to_owned(),
            Target::Place(id) => names.place(*id).to_owned(),
            Target::Cable(id) => of_tap(session.cables[id.0].from),
            Target::Instance(id) => of_tap(Tap::Instance(*id)),
            Target::Gone => String::new(),
        },
    });
    let mut concerned = cables.chain(amended).peekable();
    concerned.peek().is_some() && concerned.all(|strip| safe.contains(&strip))
}

/// The input or bus that a path begins with.
fn strip(path: &str) -> &str {
    path.split(['>', '/', '.', '#']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scripting::SourceFile;

    #[test]
    fn a_line_concerns_what_its_paths_begin_with_and_its_cables_come_from() {
        let file = "let a = input(\"a\", sine(220)); let b = input(\"b\", saw(110)); let room = bus(\"room\");\n\
            a >> fader(-6) >> send(room, -9) >> master; b >> master; room >> master; fn strip(x) { x >> fader(0) >> master }";
        let concerns = |line: &str| {
            let files = [SourceFile { path: "s.rhai".into(), text: file.into(), is_line: false }];
            let session = evaluate_kept(&with_lines(&files, &[line.to_owned()])).session.expect(line);
            concerns_only(&session, 1, line, &BTreeSet::from(["a".to_owned()]))
        };
        for only in [
            "set(\"a/fader.gain\", -3)",
            "set(\"a>room.gain\", -3)",
            "mute(a)",
            "mute(\"a\")",
            "unplug(\"a>room\")",
            "remove(\"a/fader\")",
            "a >> fader(-3) >> send(room, 0) >> master",
            "safe(\"a\")",
            "before(\"a/fader\", gate(-40))",
            "expect(a.lufs).below(-10)",
        ] {
            assert!(concerns(only), "{only}");
        }
        for more in [
            "mute(b)",
            "mute(\"*\")",
            "tempo(90)",
            "let x = a >> fader(-3) >> master",
            "a >> fader(-3) >> master; tempo(90)",
            "a + b >> cable(\"sum\") >> master",
            "room >> fader(-3) >> master",
            "strip(a)",
            "input(\"c\", noise()) >> master",
            "[a, b] >> cable(\"two\") >> master",
        ] {
            assert!(!concerns(more), "{more}");
        }
    }

    const FILE: &str = "let a = input(\"a\", sine(220)); let b = input(\"b\", saw(110));\n\
        a >> fader(-6) >> master; b >> fader(-6) >> master;\n";

    /// A text, what it is changed by, and where its sounds would be.
    struct Desk {
        text: Text,
        library: Library,
    }

    impl Desk {
        fn new(lines: &[&str]) -> Desk {
            let library = Library::new();
            let files = [SourceFile { path: "s.rhai".into(), text: FILE.into(), is_line: false }];
            let loaded = load::prepare_evaluated(evaluated(&files, &[]), &library, of);
            let text = Text::new(&loaded, loaded.session.as_ref().expect("it is right"));
            let mut desk = Desk { text, library };
            lines.iter().for_each(|line| drop(desk.text.typed(&desk.library, line, of)));
            desk
        }

        fn go(&mut self, statements: &[&str]) -> Vec<String> {
            let statements = (1..).zip(statements).map(|(line, said)| (line, (*said).to_owned())).collect();
            let scene = Scene { name: "x".into(), file: "s.scenes/x.rhai".into(), statements };
            assert!(self.text.go(&scene, &self.library, &of).graph.is_some());
            self.lines()
        }

        fn lines(&self) -> Vec<String> {
            self.text.snapshot().lines
        }
    }

    fn of(session: &mut Session) -> Tempo {
        Tempo::new(session.pace())
    }

    #[test]
    fn a_scene_takes_the_place_of_the_lines_and_one_step_takes_that_back_and_forth() {
        let mut desk = Desk::new(&["tempo(90)", "set(\"a/fader.gain\", -12)"]);
        let (before, scene) = (desk.lines(), ["mute(b)", "set(\"b/fader.gain\", -20)"]);
        assert_eq!(desk.go(&scene), ["mute(b)", "set(\"b/fader.gain\", -20);"]);
        assert_eq!(desk.text.undo(&desk.library, &of).map(|(typed, _)| typed), Some(":go x".into()));
        assert_eq!(desk.lines(), before);
        desk.text.redo(&desk.library, &of).expect("there is a step");
        assert_eq!(desk.lines(), ["mute(b)", "set(\"b/fader.gain\", -20);"]);
    }

    #[test]
    fn what_a_hand_has_moved_since_stays_when_a_scene_is_taken_back() {
        let mut desk = Desk::new(&["set(\"a/fader.gain\", -12)"]);
        desk.go(&["set(\"b/fader.gain\", -20)"]);
        let write = crate::control::Write { path: "b/fader.gain".into(), value: "-1".into(), shown: String::new() };
        desk.text.written(&desk.library, vec![write], of);
        desk.text.undo(&desk.library, &of).expect("there is a step");
        assert_eq!(desk.lines(), ["set(\"a/fader.gain\", -12);", "set(\"b/fader.gain\", -1);"]);
    }

    #[test]
    fn a_line_of_a_scene_that_does_not_fit_takes_no_other_along() {
        let mut desk = Desk::new(&[]);
        let scene = ["set(\"gone/fader.gain\", -3)", "mute(b)", "nonsense(3)", "a >> fadre(1) >> master", "tempo(90)"];
        assert_eq!(desk.go(&scene), ["mute(b)", "tempo(90)"]);
    }

    #[test]
    fn what_is_safe_is_left_as_it_is() {
        let mut desk = Desk::new(&["safe(a)", "a >> fader(-3) >> master", "b >> fader(-3) >> master", "tempo(90)"]);
        let scene = ["set(\"a/fader.gain\", -40)", "mute(a)", "mute(b)", "[a, b] >> cable(\"two\") >> master"];
        let after = ["safe(a)", "a >> fader(-3) >> master", "mute(b)", "[a, b] >> cable(\"two\") >> master"];
        assert_eq!(desk.go(&scene), after);
        desk.text.undo(&desk.library, &of).expect("there is a step");
        assert_eq!(desk.lines().len(), 4);
    }
}
