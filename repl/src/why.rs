//! Why something is heard, or is not: the way of its sound from the sources to the outputs, a step at each place, cable and
//! effect, with what the text says that takes it away there. [`crate::play`] listens at the steps, and [`Walk::answer`] says what
//! was found.

mod faults;

use engine::diagnostic::{Diagnostic, Position};
use engine::graph::Graph;
use engine::listen::Point;
use engine::names::{Found, Names, Owner, Which};
use engine::parameter::Value;
use engine::session::{Amend, CableId, CableKind, MASTER, PlaceId, PlaceKind, Session, Tap, Target, Work};
use engine::sources::midi_out;

use crate::levels::{SILENT, shown};
use faults::own_fault;

/// The most steps that are looked at on the way to a thing, and on the way on from it.
const MOST: usize = 24;

/// A level from which on down nobody hears anything of it, in dB.
const OFF: f64 = -60.0;

/// A peak from which on down nobody hears anything, in dBFS.
const AUDIBLE: f64 = -75.0;

/// By how many dB dynamics that silence something turn it down, at least.
const SHUT: f64 = 20.0;

/// What is known beside the text.
pub struct Around<'a> {
    /// The text with everything applied, and its names.
    pub session: &'a Session,
    /// Its names.
    pub names: &'a Names,
    /// The text before what it says of the whole is applied: where it says so.
    pub said: &'a Session,
    /// What it was lowered to.
    pub graph: Option<&'a Graph>,
    /// Which of its files are lines that were typed.
    pub is_line: &'a dyn Fn(u16) -> bool,
    /// Where the transport is, in frames, and whether it goes on.
    pub frame: u64,
    /// See above.
    pub rolling: bool,
    /// All was silenced in a panic.
    pub panicked: bool,
    /// Whether the monitor is off.
    pub monitor_off: bool,
    /// The channels of output and of input that are open; none of input without a device.
    pub channels: (u16, u16),
}

/// What takes the sound away.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What it is, in words.
    pub what: String,
    /// The line that says so.
    pub at: Option<Position>,
    /// What to type.
    pub help: String,
}

/// What a step was found to sound like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// In dBFS.
    pub peak: Option<f64>,
    /// In dBFS.
    pub rms: Option<f64>,
    /// By how many dB it was turned down at most.
    pub reduced: f64,
}

impl Level {
    /// Whether there is anything of it.
    fn is_there(&self) -> bool {
        self.peak.is_some_and(|peak| peak > SILENT)
    }

    /// Whether anybody would hear it.
    fn is_heard(&self) -> bool {
        self.peak.is_some_and(|peak| peak > AUDIBLE)
    }
}

/// One step of the way.
#[derive(Clone, Debug)]
pub struct Step {
    /// The path.
    pub name: String,
    /// Where to listen.
    pub point: Option<Point>,
    /// What it is.
    found: Found,
    /// Which steps lead to it.
    from: Vec<usize>,
    fault: Option<Fault>,
    /// Whether sound leaves the desk here.
    leaves: bool,
    /// A parameter that a control moves, and where that is written.
    moved: Option<(String, Position)>,
}

/// The way, and whatever is wrong with all of it.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// What was asked about.
    name: String,
    /// In order: each behind those that lead to it, loops aside.
    pub steps: Vec<Step>,
    whole: Option<Fault>,
    /// The step that was asked about.
    asked: usize,
    /// Whether there is more than was looked at.
    more: bool,
    /// The places whose way on was looked at.
    led: Vec<PlaceId>,
}

fn fault(what: impl Into<String>, at: Position, help: impl Into<String>) -> Option<Fault> {
    Some(Fault { what: what.into(), at: Some(at), help: help.into() })
}

impl Walk {
    /// The way of what a path means.
    ///
    /// # Errors
    /// It means nothing, or several things.
    pub fn of(path: &str, around: &Around<'_>) -> Result<Walk, String> {
        let Around { session, names, .. } = around;
        let found = names.find(session, path).map_err(|missing| missing.to_string())?;
        let found = match found {
            Found::Parameter(owner, _) => match owner {
                Owner::Source(id, _) => Found::Place(id),
                Owner::Cable(id) => Found::Cable(id),
                Owner::Instance(id) | Owner::Part(id, _) => Found::Instance(id),
            },
            found => found,
        };
        let mut walk = Walk { name: called(around, found), whole: whole(around), ..Walk::default() };
        let tap = match found {
            Found::Cable(id) => session.cables[id.0].from,
            Found::Instance(id) => Tap::Instance(id),
            Found::Place(id) => Tap::Place(id),
            Found::Parameter(..) => return Err(format!("`{path}` makes no sound")),
        };
        walk.up(around, tap);
        walk.asked = match found {
            Found::Cable(id) => walk.cable(around, id),
            found => walk.step(around, found),
        };
        match found {
            Found::Cable(id) => walk.down(around, session.cables[id.0].to),
            Found::Instance(id) => {
                let through: Vec<CableId> =
                    cables(session).filter(|cable| session.chain(session.cables[cable.0].from).contains(&id)).collect();
                walk.on(around, &through);
                if through.is_empty() {
                    walk.goes_nowhere(around, found);
                }
            }
            Found::Place(id) => walk.down(around, id),
            Found::Parameter(..) => {}
        }
        Ok(walk)
    }

    /// The points to listen at.
    pub fn points(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| Some(step.point.as_ref()?.name.as_str()))
    }

    /// The number of the step at something, a new one if there is none.
    fn step(&mut self, around: &Around<'_>, found: Found) -> usize {
        if let Some(i) = self.steps.iter().position(|step| step.found == found) {
            return i;
        }
        let Around { session, names, .. } = around;
        // What an input gives before it passes anything is the source's own sound.
        let input = matches!(found, Found::Place(id) if id != MASTER && !matches!(session.places[id.0].kind, PlaceKind::Output(_)));
        let leaves = matches!(found, Found::Place(id) if matches!(session.places[id.0].kind, PlaceKind::Output(_)));
        let point = match leaves {
            true => Some(Point::delivered()),
            false => Point::of(session, names, found, input || found == Found::Place(MASTER)),
        };
        self.steps.push(Step {
            name: called(around, found),
            point,
            found,
            from: Vec::new(),
            fault: own_fault(around, found),
            leaves,
            moved: moved(around, found),
        });
        self.steps.len() - 1
    }

    fn link(&mut self, from: usize, to: usize) {
        if from != to && !self.steps[to].from.contains(&from) {
            self.steps[to].from.push(from);
        }
    }

    fn is_full(&mut self, most: usize) -> bool {
        let full = self.steps.len() >= most;
        self.more |= full;
        full
    }

    /// The steps from a place to a tap, each linked to the one before it; the last.
    fn chain(&mut self, around: &Around<'_>, tap: Tap) -> usize {
        let mut last = self.step(around, Found::Place(around.session.origin(tap)));
        for id in around.session.chain(tap) {
            if matches!(around.session.instances[id.0].work, Work::Branch { .. }) {
                continue;
            }
            let next = self.step(around, Found::Instance(id));
            self.link(last, next);
            last = next;
        }
        last
    }

    /// A cable with all it passes; its step.
    fn cable(&mut self, around: &Around<'_>, id: CableId) -> usize {
        let last = self.chain(around, around.session.cables[id.0].from);
        let step = self.step(around, Found::Cable(id));
        self.link(last, step);
        step
    }

    /// What a tap hears, from the sources on.
    fn up(&mut self, around: &Around<'_>, tap: Tap) {
        let place = around.session.origin(tap);
        let mut seen = vec![place];
        self.up_place(around, place, &mut seen);
        self.chain(around, tap);
    }

    fn up_place(&mut self, around: &Around<'_>, place: PlaceId, seen: &mut Vec<PlaceId>) {
        let into: Vec<CableId> = cables(around.session).filter(|id| around.session.cables[id.0].to == place).collect();
        for id in into {
            if self.is_full(MOST) {
                return;
            }
            let from = around.session.origin(around.session.cables[id.0].from);
            if !seen.contains(&from) {
                seen.push(from);
                self.up_place(around, from, seen);
            }
            let cable = self.cable(around, id);
            let step = self.step(around, Found::Place(place));
            self.link(cable, step);
        }
    }

    /// Where a place leads.
    fn down(&mut self, around: &Around<'_>, place: PlaceId) {
        self.led.push(place);
        let step = self.step(around, Found::Place(place));
        if let (Found::Cable(_), asked) = (self.steps[self.asked].found, self.asked) {
            self.link(asked, step);
        }
        let mut on: Vec<CableId> = cables(around.session)
            .filter(|id| around.session.origin(around.session.cables[id.0].from) == place)
            .collect();
        // The way itself comes before what is sent elsewhere on it.
        on.sort_by_key(|id| around.session.cables[id.0].kind != CableKind::Plug);
        if on.is_empty() && !self.steps[step].leaves {
            self.goes_nowhere(around, Found::Place(place));
        }
        self.on(around, &on);
    }

    fn on(&mut self, around: &Around<'_>, on: &[CableId]) {
        for &id in on {
            if self.is_full(2 * MOST) {
                return;
            }
            let cable = self.cable(around, id);
            let to = around.session.cables[id.0].to;
            let step = self.step(around, Found::Place(to));
            self.link(cable, step);
            if !self.led.contains(&to) {
                self.down(around, to);
            }
        }
    }

    fn goes_nowhere(&mut self, around: &Around<'_>, found: Found) {
        let i = self.step(around, found);
        let name = self.steps[i].name.clone();
        let at = match found {
            Found::Place(id) => around.session.places[id.0].at,
            Found::Instance(id) => around.session.instances[id.0].at,
            _ => Position::default(),
        };
        let origin = match found {
            Found::Instance(id) => around.names.place(around.session.origin(Tap::Instance(id))).to_owned(),
            _ => name.clone(),
        };
        let unplugged = around.said.amendments.iter().rev().find_map(|one| match &one.what {
            Amend::Unplug(Target::Path(path)) if path.split('>').next() == Some(&origin) => Some(one.at),
            _ => None,
        });
        let is_elsewhere = match found {
            Found::Place(id) => match &around.session.places[id.0].kind {
                PlaceKind::Input(sources) => sources.iter().all(midi_out::is_midi_out),
                _ => false,
            },
            _ => false,
        };
        self.steps[i].fault = match unplugged {
            _ if is_elsewhere => fault(
                format!("`{name}` is sent to a MIDI port, and sounds there"),
                at,
                "it needs no cable: see `:devices`",
            ),
            Some(at) => fault(format!("`{origin}` is unplugged"), at, "type `:undo`, or plug it in again"),
            None => fault(format!("no cable leads on from `{name}`"), at, format!("type `at(\"{origin}\") >> master`")),
        };
    }

    /// What was found: a line for each step with its level, then what it comes to, with the lines of the text that cause it as
    /// diagnostics.
    pub fn answer(&self, level: impl Fn(&str) -> Option<Level>) -> (String, Vec<Diagnostic>) {
        let levels: Vec<Option<Level>> =
            self.steps.iter().map(|step| step.point.as_ref().and_then(|point| level(&point.name))).collect();
        let heard = |i: usize| levels[i].is_some_and(|level| level.is_heard());
        let mut faults: Vec<Option<Fault>> = self.steps.iter().map(|step| step.fault.clone()).collect();
        for (i, step) in self.steps.iter().enumerate() {
            let gets = step.from.is_empty() || step.from.iter().any(|from| heard(*from));
            if faults[i].is_none() && gets && !heard(i) && levels[i].is_some() {
                faults[i] = self.silenced(i, levels[i].unwrap_or_default());
            }
        }
        let width = self.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        let mut text: Vec<String> = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let told = match levels[i] {
                Some(level) if level.is_there() => {
                    format!("peak {:>6} dBFS, RMS {:>6}", shown(level.peak), shown(level.rms))
                }
                Some(_) => "silent".into(),
                None => "not in what plays".into(),
            };
            let down = levels[i].map(|level| level.reduced).filter(|by| *by >= 0.1);
            let down = down.map_or(String::new(), |by| format!(", turned down {by:.1} dB"));
            let why = faults[i].as_ref().map_or(String::new(), |fault| format!("  <- {}", fault.what));
            text.push(format!("  {:width$}  {told}{down}{why}", step.name));
        }
        if self.more {
            text.push("  ... there are more steps than are looked at; ask about one of them".into());
        }
        let (arrived, causes) = self.verdict(&faults, &heard);
        let name = &self.name;
        let verdict = match (arrived, &self.whole) {
            (_, Some(whole)) => format!("{name} is not heard: {}", whole.what),
            (true, None) => format!("{name} is heard"),
            (false, None) => match causes.first().and_then(|i| faults[*i].as_ref()) {
                Some(fault) => format!("{name} is not heard: {}", fault.what),
                None => format!("{name} is not heard: nothing of it reaches an output"),
            },
        };
        let mut told = Vec::new();
        let mut seen: Vec<(&str, Option<Position>)> = Vec::new();
        let causes = causes.iter().filter_map(|i| faults[*i].as_ref());
        for fault in self.whole.iter().chain(causes.filter(|_| !arrived)) {
            // What silences several cables is said once.
            if seen.contains(&(&fault.what, fault.at)) {
                continue;
            }
            seen.push((&fault.what, fault.at));
            match fault.at {
                Some(at) => {
                    told.push(Diagnostic::warning("not-heard", at, fault.what.clone()).help(fault.help.clone()))
                }
                None => text.push(format!("  {}", fault.help)),
            }
        }
        (format!("{verdict}\n{}", text.join("\n")), told)
    }

    /// Whether sound of what was asked about leaves the desk, and the steps that keep it from that.
    fn verdict(&self, faults: &[Option<Fault>], heard: &dyn Fn(usize) -> bool) -> (bool, Vec<usize>) {
        let passes = |i: usize| faults[i].is_none() && heard(i);
        // What leads to the step that was asked about, and what it leads to.
        let before = self.reach(self.asked, &|i| self.steps[i].from.clone());
        let onward = |i: usize| {
            let next = |to: &usize| self.steps[*to].from.contains(&i);
            (0..self.steps.len()).filter(next).collect::<Vec<_>>()
        };
        let after = self.reach(self.asked, &onward);
        let alive = |i: usize| if passes(i) { onward(i) } else { Vec::new() };
        let arrived = self.reach(self.asked, &alive).into_iter().any(|i| self.steps[i].leaves && passes(i));
        let mut causes: Vec<usize> = after.iter().copied().filter(|i| faults[*i].is_some()).collect();
        // What it hears is to blame if it hears nothing.
        if !heard(self.asked) || causes.is_empty() {
            causes.extend(before.into_iter().filter(|i| faults[*i].is_some() && !after.contains(i)));
        }
        // What the text says comes before what was measured, and what is nearest before what lies further back.
        causes.sort_by_key(|i| (self.steps[*i].fault.is_none(), !after.contains(i), *i));
        (arrived, causes)
    }

    fn reach(&self, from: usize, next: &dyn Fn(usize) -> Vec<usize>) -> Vec<usize> {
        let (mut found, mut open) = (vec![from], vec![from]);
        while let Some(i) = open.pop() {
            for other in next(i) {
                if !found.contains(&other) {
                    found.push(other);
                    open.push(other);
                }
            }
        }
        found
    }

    /// Why what flows in does not come out, by what was measured.
    fn silenced(&self, i: usize, level: Level) -> Option<Fault> {
        let step = &self.steps[i];
        let name = &step.name;
        let none = |what: String, help: &str| Some(Fault { what, at: None, help: help.into() });
        match step.found {
            Found::Instance(_) if level.reduced >= SHUT => none(
                format!("`{name}` is closed: it turns down by {:.0} dB", level.reduced),
                &format!("type `set(\"{name}.threshold\", -80)` to see"),
            ),
            Found::Place(_) if step.from.is_empty() => {
                none(format!("`{name}` is silent just now"), "its source gives nothing at the moment")
            }
            Found::Instance(_) if step.moved.is_some() => step.moved.as_ref().and_then(|(path, at)| {
                let what = format!("`{path}` is moved by a control, and nothing gets through just now");
                fault(what, *at, format!("type `set(\"{path}\", 0)` to hold it"))
            }),
            Found::Instance(_) => {
                none(format!("`{name}` lets nothing through just now"), "see what its parameters and controls are")
            }
            _ => None,
        }
    }
}

fn cables(session: &Session) -> impl Iterator<Item = CableId> {
    (0..session.cables.len()).map(CableId)
}

/// A parameter of an effect that a control moves.
fn moved(around: &Around<'_>, found: Found) -> Option<(String, Position)> {
    let Found::Instance(id) = found else { return None };
    let effect = around.session.instances[id.0].work.effect()?;
    let mut settings = effect.settings.iter().enumerate();
    let (i, setting) = settings.find(|(_, setting)| matches!(setting.value, Value::Control(_)))?;
    Some((around.names.call_parameter(around.session, Owner::Instance(id), Which::Own(i)), setting.at))
}

/// What a person calls it.
fn called(around: &Around<'_>, found: Found) -> String {
    match found {
        Found::Place(id) => around.names.place(id).to_owned(),
        Found::Cable(id) => around.names.cable(id).to_owned(),
        Found::Instance(id) => around.names.call(id),
        Found::Parameter(..) => String::new(),
    }
}

/// What silences everything.
fn whole(around: &Around<'_>) -> Option<Fault> {
    let of = |what: &str, help: &str| Some(Fault { what: what.into(), at: None, help: help.into() });
    match (around.panicked, around.monitor_off) {
        (true, _) => of("all was silenced by `:panic`", "type `:start`"),
        (false, true) => of("the monitor is off", "type `:level 0`"),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::media::Library;
    use engine::tempo::Tempo;

    use super::*;
    use crate::load::prepare_evaluated;

    /// The way of a path, and what is answered where each point has the level that `level` gives for its name.
    fn asked(text: &str, path: &str, channels: (u16, u16), level: impl Fn(&str) -> f64) -> (Walk, String) {
        let evaluated = scripting::evaluate_text(Path::new("session.rhai"), text);
        let said = evaluated.session.clone().expect("it is right");
        let loaded = prepare_evaluated(evaluated, &Library::new(), |session| Tempo::new(session.pace()));
        let session = loaded.session.expect("it is right");
        let names = Names::of(&session);
        let around = Around {
            session: &session,
            names: &names,
            said: &said,
            graph: loaded.graph.as_ref(),
            is_line: &|_| false,
            frame: 0,
            rolling: true,
            panicked: false,
            monitor_off: false,
            channels,
        };
        let walk = Walk::of(path, &around).expect("it is there");
        let level = |name: &str| {
            let peak = Some(level(name)).filter(|level| *level > -150.0);
            Some(Level { peak, rms: peak, reduced: 0.0 })
        };
        let (text, told) = walk.answer(level);
        let told: Vec<String> = told.iter().map(|one| format!("{} {:?}", one.message, one.help)).collect();
        (walk.clone(), format!("{text}\n{}", told.join("\n")))
    }

    const TWO: &str = r#"
        let a = input("a", sine(440)); let b = input("b", sine(220)); let room = bus("room");
        a >> gain(3) >> send(room, -6) >> master; b >> master; room >> reverb() >> master;
    "#;

    #[test]
    fn what_is_heard_is_said_to_be_with_each_step_on_its_way() {
        let (walk, text) = asked(TWO, "a", (2, 0), |_| -12.0);
        assert!(text.starts_with("a is heard\n"), "{text}");
        for step in ["a ", "a/gain", "a>master", "master", "a>room", "room/reverb", "room>master", "output 1-2"] {
            assert!(text.contains(step), "{step} is not in {text}");
        }
        assert!(!walk.steps.iter().any(|step| step.name.starts_with('b')), "{text}");
        // The way itself comes before what is sent elsewhere.
        assert!(text.find("output 1-2") < text.find("a>room"), "{text}");
        let (_, text) = asked(TWO, "room", (2, 0), |_| -12.0);
        assert!(text.starts_with("room is heard") && text.contains("a>room") && !text.contains("\n  b"), "{text}");
    }

    #[test]
    fn an_output_that_is_not_there_and_an_input_without_a_device_are_said() {
        let there = format!("{TWO} master >> output(3, 4);");
        let (_, text) = asked(&there, "a", (2, 0), |_| -12.0);
        assert!(text.contains("channels that are not open: there are 2"), "{text}");
        let live = "input(\"a\", device(3)) >> master;";
        assert!(asked(live, "a", (2, 0), |_| -200.0).1.contains("no device is open for `a`"));
        assert!(asked(live, "a", (2, 2), |_| -200.0).1.contains("a channel that is not open: there are 2"));
        let (_, text) = asked(live, "a", (2, 4), |_| -200.0);
        assert!(text.starts_with("a is not heard: `a` is silent just now"), "{text}");
    }

    #[test]
    fn a_thing_that_hears_nothing_is_told_what_it_would_hear() {
        let (_, text) = asked(&format!("{TWO} mute(\"a\");"), "room", (2, 0), |name| match name {
            "a.input" | "a/gain" => -12.0,
            _ => -200.0,
        });
        assert!(text.starts_with("room is not heard: `a` is muted"), "{text}");
        assert!(text.contains("mute(\\\"a\\\", off)"), "{text}");
    }

    #[test]
    fn loops_and_many_strips_are_walked_within_bounds() {
        let text = r#"let echo = bus("echo"); for i in 0..200 { input(`s${i}`, sine(100)) >> gain(1) >> send(echo, -6) >> master; }
            echo >> gain(-6) >> feedback(echo, 250); echo >> master;"#;
        for path in ["s7", "echo", "master", "s7>echo", "s7/gain", "echo/gain"] {
            let (walk, text) = asked(text, path, (2, 0), |_| -12.0);
            assert!(walk.steps.len() < 3 * MOST, "{path}: {}", walk.steps.len());
            assert!(text.starts_with(&format!("{path} is heard")), "{text}");
        }
    }
}
