//! How sound is led: `>>` between signals, effects and places, and signals added and scaled.

use engine::diagnostic::{Diagnostic, Position};
use engine::effects;
use engine::parameter::{Spoken, Table, Value};
use engine::session::{CableId, CableKind, Effect, Instance, InstanceId, PlaceId, PlaceKind, Setting, Tap, Work};
use engine::units::Unit;
use engine::{math, words};
use rhai::{Array, Dynamic};

use crate::call::{Call, Outcome};
use crate::desk::{self, Desk};
use crate::value::{
    Chain, EffectValue, Member, NestStep, Point, Signal, SourceValue, Statement, Step, TapStep, describe,
};

/// `left >> right`.
pub fn flow(call: &Call) -> Outcome {
    let [left, right] = call.given.as_slice() else { return Err(call.misuse("`>>` stands between two things".into())) };
    let at = desk::with(|desk| desk.file(call.at).after(call.at));
    if let Some(list) = left.read_lock::<Array>() {
        return each(call, &list, right, at);
    }
    if let Some(effect) = left.read_lock::<EffectValue>() {
        return match right.read_lock::<EffectValue>() {
            Some(next) => Ok(Dynamic::from(compose(&effect, &next, call.at))),
            None => Err(Diagnostic::error("wrong-type", call.at, "an effect has no sound of its own to flow")
                .help("begin the line with a signal: `voice >> effect >> bus`")),
        };
    }
    if left.is::<SourceValue>() {
        return Err(Diagnostic::error("wrong-type", call.at, "a source has to be an input before it can flow")
            .help("give it a name: `input(\"name\", source) >> ...`"));
    }
    if left.is_string() {
        return Err(Diagnostic::error("wrong-type", call.at, "a text cannot flow")
            .help(format!("for the place of that name write `at(\"{left}\") >> ...`")));
    }
    let Some(signal) = left.read_lock::<Signal>() else {
        return Err(Diagnostic::error("wrong-type", call.at, format!("{} cannot flow", describe(left)))
            .help("a line begins with a signal: `voice >> effect >> bus`"));
    };
    lead(call, &signal, right, at).map(Dynamic::from)
}

/// Each signal of a list into the same.
fn each(call: &Call, list: &Array, right: &Dynamic, at: Position) -> Outcome {
    let mut results = Vec::new();
    for item in list {
        let Some(signal) = item.read_lock::<Signal>() else {
            let message = format!("a list that flows has nothing but signals in it, not {}", describe(item));
            return Err(Diagnostic::error("wrong-type", call.at, message).help("write `[kick, snare] >> drums`"));
        };
        results.push(lead(call, &signal, right, at)?);
    }
    if right.is::<EffectValue>() {
        return Ok(Dynamic::from_array(results.into_iter().map(Dynamic::from).collect()));
    }
    let plugged: Vec<CableId> = results.iter().flat_map(|signal| signal.plugged.clone()).collect();
    match results.pop() {
        Some(signal) => Ok(Dynamic::from(Signal { plugged, ..signal })),
        None => Err(Diagnostic::error("wrong-type", call.at, "an empty list has nothing that flows")),
    }
}

/// One signal into an effect or a place.
fn lead(call: &Call, signal: &Signal, right: &Dynamic, at: Position) -> Result<Signal, Diagnostic> {
    if let Some(effect) = right.read_lock::<EffectValue>() {
        return desk::with(|desk| {
            let tap = desk.tap(signal, call.at);
            let signal = Signal { from: Point::Tap(tap), ..signal.clone() };
            Ok(desk.apply(&effect.step, signal, at, statement(desk, call)))
        });
    }
    let place = match right.read_lock::<Signal>() {
        Some(to) => to.as_place().map(|id| (id, to.plugged.clone())),
        None if right.is_string() => {
            let name = right.to_string();
            desk::with(|desk| Some((desk.named(&name, at), Vec::new())))
        }
        None if right.is_array() => {
            return Err(Diagnostic::error("wrong-type", at, "a signal flows into one thing at a time")
                .help("keep the signal in a variable and write a line for each"));
        }
        None => {
            return Err(Diagnostic::error("wrong-type", at, format!("a signal cannot flow into {}", describe(right)))
                .help("right of `>>` stands an effect, a bus, `master` or an output"));
        }
    };
    let Some((to, earlier)) = place else {
        return Err(Diagnostic::error("wrong-type", at, "a signal cannot flow into another signal")
            .help("signals meet in a bus, or add: `a + b`"));
    };
    desk::with(|desk| desk.plug(signal, to, earlier, at, statement(desk, call)))
}

/// The statement that a call is written in, if it is known: a call within a function belongs to whoever calls it.
fn statement(desk: &Desk, call: &Call) -> Option<Statement> {
    call.outside_functions.then(|| (call.at.file, desk.file(call.at).statement(call.at)))
}

/// Two effects in a row.
fn compose(first: &EffectValue, second: &EffectValue, at: Position) -> EffectValue {
    let steps = [first, second]
        .into_iter()
        .flat_map(|value| match &value.step {
            Step::Chain(chain) if chain.is_plain() => chain.steps.clone(),
            step => vec![step.clone()],
        })
        .collect();
    EffectValue::new(Step::Chain(Chain { steps, name: None, mix: None, bypass: None, at }))
}

impl Desk {
    /// The tap of a signal; a sum gets its place.
    pub fn tap(&mut self, signal: &Signal, at: Position) -> Tap {
        match &signal.from {
            Point::Tap(tap) => *tap,
            Point::Sum(members) => Tap::Place(self.sum(members, at)),
        }
    }

    fn push(&mut self, work: Work, from: Tap, at: Position) -> Tap {
        self.session.instances.push(Instance { work, from, at });
        Tap::Instance(InstanceId(self.session.instances.len() - 1))
    }

    /// A signal through an effect. Its point is a tap.
    fn apply(&mut self, step: &Step, mut signal: Signal, at: Position, statement: Option<Statement>) -> Signal {
        let from = self.tap(&signal, at);
        match step {
            Step::Effect(effect) => signal.from = Point::Tap(self.push(Work::Effect((**effect).clone()), from, at)),
            Step::Nest(nest) => signal = self.apart(nest, signal, at, statement),
            Step::Cable(name) => {
                if let Some(first) = signal.cable.replace(name.clone()) {
                    let message = format!("this cable is called \"{first}\" already");
                    self.tell(Diagnostic::error("name-twice", at, message).help("a cable has one name: leave one out"));
                }
            }
            Step::Tap(tap) => {
                let id = self.add_tap(tap, from);
                signal.sends.push((id, statement));
            }
            Step::Chain(chain) => {
                for step in &chain.steps {
                    signal = self.apply(step, signal, at, statement);
                }
                if !chain.is_plain() {
                    let unsaid = |value| Setting { value, at: chain.at };
                    let work = Work::Blend {
                        dry: from,
                        name: chain.name.clone(),
                        mix: chain.mix.clone().unwrap_or_else(|| unsaid(words::MIX.default())),
                        bypass: chain.bypass.clone().unwrap_or_else(|| unsaid(words::BYPASS.default())),
                    };
                    let wet = self.tap(&signal, at);
                    signal.from = Point::Tap(self.push(work, wet, at));
                }
            }
        }
        signal
    }

    /// A signal through an effect that takes it apart.
    fn apart(&mut self, nest: &NestStep, mut signal: Signal, at: Position, statement: Option<Statement>) -> Signal {
        let from = self.tap(&signal, at);
        let (mut effect, mut begins) = (nest.effect.clone(), Vec::new());
        for (number, step) in nest.branches.iter().enumerate() {
            begins.push(self.session.instances.len());
            // The effect itself comes last, once all that stands in it is there.
            let of = InstanceId(usize::MAX);
            let mut branch = Signal::new(self.push(Work::Branch { of, number }, from, at));
            if let Some(step) = step {
                branch = self.apply(step, branch, at, statement);
            }
            effect.branches.push(self.tap(&branch, at));
            signal.sends.extend(branch.sends);
        }
        let last = InstanceId(self.session.instances.len());
        for begin in begins {
            if let Work::Branch { of, .. } = &mut self.session.instances[begin].work {
                *of = last;
            }
        }
        signal.from = Point::Tap(self.push(Work::Effect(effect), from, at));
        signal
    }

    fn add_tap(&mut self, tap: &TapStep, from: Tap) -> CableId {
        let kind = if tap.feedback {
            CableKind::Feedback { time: tap.setting.clone() }
        } else {
            CableKind::Send { gain: tap.setting.clone() }
        };
        self.session.cables.push(desk::plug(from, tap.to, tap.name.clone(), kind, tap.at));
        CableId(self.session.cables.len() - 1)
    }

    /// Plugs a signal into a place, and gives back the place.
    fn plug(
        &mut self,
        signal: &Signal,
        to: PlaceId,
        mut plugged: Vec<CableId>,
        at: Position,
        statement: Option<Statement>,
    ) -> Result<Signal, Diagnostic> {
        let place = &self.session.places[to.0];
        match place.kind {
            PlaceKind::Input(_) => return Err(desk::into_input(&place.name, at, place.at)),
            PlaceKind::Sum => {
                return Err(Diagnostic::error("wrong-type", at, "a signal cannot flow into a sum")
                    .help("add it: `a + b + c`, or let a bus be where they meet"));
            }
            PlaceKind::Bus { .. } | PlaceKind::Output(_) => {}
        }
        let from = self.tap(signal, at);
        self.session.cables.push(desk::plug(from, to, signal.cable.clone(), CableKind::Plug, at));
        let cable = CableId(self.session.cables.len() - 1);
        for (send, written) in &signal.sends {
            let same = statement.is_none() || written.is_none() || *written == statement;
            let owner = &mut self.session.cables[send.0].owner;
            if same && owner.is_none() {
                *owner = Some(cable);
            }
        }
        let mut all = signal.plugged.clone();
        all.append(&mut plugged);
        all.push(cable);
        Ok(Signal { plugged: all, ..Signal::place(to) })
    }

    fn through(&mut self, signal: &Signal, effect: Effect, at: Position) -> Signal {
        self.apply(&Step::Effect(Box::new(effect)), signal.clone(), at, None)
    }
}

/// `a + b`.
pub fn add(a: &Signal, b: &Signal, at: Position) -> Result<Signal, Diagnostic> {
    let members = |signal: &Signal| match &signal.from {
        Point::Tap(tap) => vec![Member { tap: *tap, cable: signal.cable.clone(), at }],
        Point::Sum(members) => members.clone(),
    };
    let mut all = members(a);
    for member in members(b) {
        if all.iter().any(|other| other.tap == member.tap && other.cable == member.cable) {
            return Err(Diagnostic::error("cable-twice", at, "a signal is added to itself")
                .help("to make it twice as strong write `signal * 2`"));
        }
        all.push(member);
    }
    Ok(Signal {
        from: Point::Sum(all),
        sends: a.sends.iter().chain(&b.sends).copied().collect(),
        plugged: Vec::new(),
        cable: None,
    })
}

/// `-a`.
pub fn invert(signal: &Signal, at: Position) -> Result<Signal, Diagnostic> {
    let polarity = Effect::new(table("polarity", at)?, at);
    Ok(desk::with(|desk| desk.through(signal, polarity, at)))
}

/// `a * factor`.
pub fn scale(signal: &Signal, factor: f64, at: Position) -> Result<Signal, Diagnostic> {
    if !factor.is_finite() {
        return Err(Diagnostic::error("not-finite", at, "a signal cannot be scaled by what is not a finite number"));
    }
    let mut gain = Effect::new(table("gain", at)?, at);
    let level = math::db_from_gain(factor.abs());
    gain.settings[0] = if level.is_finite() {
        let parameter = &gain.table.parameters[0];
        desk::with(|desk| desk.accept(parameter, &Spoken::Number(level, Unit::Decibels), at))
    } else {
        Setting { value: Value::Special, at }
    };
    let scaled = desk::with(|desk| desk.through(signal, gain, at));
    if factor < 0.0 { invert(&scaled, at) } else { Ok(scaled) }
}

fn table(word: &str, at: Position) -> Result<&'static Table, Diagnostic> {
    effects::find(word).ok_or_else(|| {
        Diagnostic::error("unknown-word", at, format!("this needs the effect `{word}`, which is not there"))
    })
}
