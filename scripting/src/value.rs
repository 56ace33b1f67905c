//! The values that a script holds: quantities, sources, effects, signals and handles.

use std::sync::Arc;

use engine::control::Control;
use engine::diagnostic::Position;
use engine::parameter::{Kind, Parameter, Spoken, Value};
use engine::pattern::Pattern;
use engine::session::{CableId, Effect, InstanceId, PlaceId, Setting, Source, Tap};
use engine::units::Unit;
use rhai::{Array, Dynamic};

use crate::album::{TrackValue, TracksValue};
use crate::form::SectionValue;
use crate::trace;

/// A number with a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// The number as it was written.
    pub number: f64,
    /// Its unit.
    pub unit: Unit,
}

/// What flows: a tap, and what was said on the way that the next cable takes up.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Where it is taken.
    pub from: Point,
    /// Sends and feedbacks on the way that no cable owns yet.
    pub sends: Vec<(CableId, Option<Statement>)>,
    /// The cables that the expression plugged in: what `replace` speaks of.
    pub plugged: Vec<CableId>,
    /// The name of the next cable.
    pub cable: Option<String>,
}

/// A statement, by its file and its number: the one that a send was written in, if it was not written in a function.
pub type Statement = (u16, usize);

/// Where a signal is taken.
#[derive(Clone, Debug)]
pub enum Point {
    /// At one place or instance.
    Tap(Tap),
    /// Several signals added, not yet given a place.
    Sum(Vec<Member>),
}

/// One signal of a sum.
#[derive(Clone, Debug)]
pub struct Member {
    /// What is added.
    pub tap: Tap,
    /// The name of its cable.
    pub cable: Option<String>,
    /// Where it is added.
    pub at: Position,
}

impl Signal {
    /// What a tap gives.
    pub fn new(tap: Tap) -> Self {
        Signal { from: Point::Tap(tap), sends: Vec::new(), plugged: Vec::new(), cable: None }
    }

    /// What a place gives.
    pub fn place(id: PlaceId) -> Self {
        Signal::new(Tap::Place(id))
    }

    /// The place that it is the direct signal of.
    pub fn as_place(&self) -> Option<PlaceId> {
        match self.from {
            Point::Tap(Tap::Place(id)) => Some(id),
            _ => None,
        }
    }
}

/// A source, a value until an input takes it.
#[derive(Clone, Debug)]
pub struct SourceValue(pub Source);

/// A pattern, a value until something plays it.
#[derive(Clone, Debug)]
pub struct PatternValue(pub Arc<Pattern>);

/// A control, a value until a parameter takes it.
#[derive(Clone, Debug)]
pub struct ControlValue(pub Control);

/// An effect, a value until a signal flows into it.
#[derive(Clone, Debug)]
pub struct EffectValue {
    /// What it does.
    pub step: Step,
    /// The part that was appended last, while `.named` would name it.
    pub open_part: bool,
}

/// What an effect value does to a signal.
#[derive(Clone, Debug)]
pub enum Step {
    /// One effect.
    Effect(Box<Effect>),
    /// One that others stand in.
    Nest(Box<NestStep>),
    /// Effects in a row.
    Chain(Chain),
    /// A tap that plugs a cable and passes the signal on.
    Tap(TapStep),
    /// Names the cable that the signal is plugged in with.
    Cable(String),
}

/// An effect that takes a signal apart, and what stands in its branches.
#[derive(Clone, Debug)]
pub struct NestStep {
    /// The effect itself.
    pub effect: Effect,
    /// What each branch goes through, if it goes through anything.
    pub branches: Vec<Option<Step>>,
}

/// Effects in a row, with what is said of the whole.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The effects in order.
    pub steps: Vec<Step>,
    /// The name of the whole.
    pub name: Option<String>,
    /// Wet against dry, of the whole.
    pub mix: Option<Setting>,
    /// Bypass of the whole.
    pub bypass: Option<Setting>,
    /// Where it is written.
    pub at: Position,
}

impl Chain {
    /// Whether nothing is said of the whole.
    pub fn is_plain(&self) -> bool {
        self.name.is_none() && self.mix.is_none() && self.bypass.is_none()
    }
}

/// A send or a feedback, not yet in a signal's way.
#[derive(Clone, Debug)]
pub struct TapStep {
    /// Where it leads.
    pub to: PlaceId,
    /// Whether it closes a loop.
    pub feedback: bool,
    /// Its gain, or its time.
    pub setting: Setting,
    /// The name of its cable.
    pub name: Option<String>,
    /// Where it is written.
    pub at: Position,
}

impl EffectValue {
    /// An effect value of one step.
    pub fn new(step: Step) -> Self {
        EffectValue { step, open_part: false }
    }

    /// Its word, for messages.
    pub fn word(&self) -> &'static str {
        match &self.step {
            Step::Effect(effect) => effect.table.word,
            Step::Nest(nest) => nest.effect.table.word,
            Step::Chain(_) => "a composed effect",
            Step::Tap(tap) if tap.feedback => "feedback",
            Step::Tap(_) => "send",
            Step::Cable(_) => "cable",
        }
    }
}

/// A cable or an effect that is spoken of, not listened to.
#[derive(Clone, Copy, Debug)]
pub enum Handle {
    /// A cable.
    Cable(CableId),
    /// An effect.
    Instance(InstanceId),
}

/// Whether a value does nothing until something takes it.
pub fn is_recipe(value: &Dynamic) -> bool {
    value.is::<EffectValue>()
        || value.is::<SourceValue>()
        || value.is::<ControlValue>()
        || value.is::<PatternValue>()
        || value.is::<TrackValue>()
        || value.is::<TracksValue>()
}

/// What a value is, in words with an article.
pub fn describe(value: &Dynamic) -> &'static str {
    if value.is::<Signal>() {
        "a signal"
    } else if value.is::<EffectValue>() {
        "an effect"
    } else if value.is::<SourceValue>() {
        "a source"
    } else if value.is::<ControlValue>() {
        "a control"
    } else if value.is::<PatternValue>() {
        "a pattern"
    } else if let Some(traced) = trace::describe(value) {
        traced
    } else if value.is::<TrackValue>() {
        "a track"
    } else if value.is::<TracksValue>() {
        "an album's tracks"
    } else if value.is::<SectionValue>() {
        "a section"
    } else if value.is::<Quantity>() {
        "a quantity with a unit"
    } else if value.is::<Handle>() {
        "a handle to a cable or an effect"
    } else {
        match value.type_name() {
            "i64" | "f64" => "a number",
            "string" => "a text",
            "bool" => "on or off",
            "array" => "a list",
            "map" => "a map",
            "char" => "a character",
            "()" => "nothing",
            "Fn" => "a function",
            _ => "something else",
        }
    }
}

/// What a value is, with the value if it is short.
pub fn shown(value: &Dynamic) -> String {
    match (number(value), value.read_lock::<Quantity>()) {
        (Some(number), _) => format!("the number {number}"),
        (_, Some(quantity)) => quantity.to_string(),
        _ => describe(value).to_string(),
    }
}

/// A value as a text would say it, if it can; otherwise what it is. Nothing of nothing.
pub fn told(value: &Dynamic) -> Option<String> {
    if let Ok(flag) = value.as_bool() {
        return Some(if flag { "on" } else { "off" }.into());
    }
    if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        return Some(format!("{:?}", text.as_str()));
    }
    match (number(value), value.read_lock::<Quantity>()) {
        _ if value.is_unit() => None,
        (Some(number), _) => Some(number.to_string()),
        (_, Some(quantity)) => Some(quantity.to_string()),
        _ => Some(describe(value).to_owned()),
    }
}

/// A value as parameters take it.
pub fn spoken(value: &Dynamic) -> Spoken {
    if let Ok(number) = value.as_int() {
        Spoken::Number(number as f64, Unit::Plain)
    } else if let Ok(number) = value.as_float() {
        Spoken::Number(number, Unit::Plain)
    } else if let Some(quantity) = value.read_lock::<Quantity>() {
        Spoken::Number(quantity.number, quantity.unit)
    } else if let Ok(flag) = value.as_bool() {
        Spoken::Flag(flag)
    } else if let Ok(text) = value.clone().into_string() {
        Spoken::Text(text)
    } else if let Some(control) = value.read_lock::<ControlValue>() {
        Spoken::Control(Box::new(control.0.clone()))
    } else if let Some(pattern) = value.read_lock::<PatternValue>() {
        Spoken::Pattern(pattern.0.clone())
    } else if let Some(list) = value.read_lock::<Array>() {
        Spoken::List(list.iter().map(spoken).collect())
    } else {
        Spoken::Other(describe(value))
    }
}

/// A parameter's value as a script reads it: with its unit if it has one.
pub fn read(parameter: &Parameter, value: &Value) -> Dynamic {
    let quantity = |number, unit| Dynamic::from(Quantity { number, unit });
    match (value, parameter.kind) {
        (Value::Number(number), Kind::Number { unit, .. } | Kind::Steps { unit, .. }) if unit != Unit::Plain => {
            quantity(*number, unit)
        }
        (Value::Number(number), _) => Dynamic::from(*number),
        (Value::Beats(beats), _) => quantity(*beats, Unit::Beats),
        (Value::Bars(bars), _) => quantity(*bars, Unit::Bars),
        (Value::Samples(samples), _) => quantity(*samples, Unit::Samples),
        (Value::Special, Kind::Number { special: Some(("off", _)), .. }) => Dynamic::from(false),
        (Value::Special, Kind::Number { special: Some((word, _)), .. }) => Dynamic::from(word.to_string()),
        (Value::Choice(index), Kind::Choice { options, .. }) => Dynamic::from(options[*index].to_string()),
        (Value::Flag(flag), _) => Dynamic::from(*flag),
        (Value::Channels(list), _) => list.iter().map(|n| Dynamic::from(i64::from(*n))).collect::<Array>().into(),
        (Value::Path(path) | Value::Port(path), _) => Dynamic::from(path.clone()),
        (Value::Pattern(pattern), _) => Dynamic::from(PatternValue(pattern.clone())),
        (Value::Control(control), _) => Dynamic::from(ControlValue((**control).clone())),
        (Value::Special | Value::Choice(_) | Value::Circuit(_), _) => Dynamic::UNIT,
    }
}

/// A plain number, whole or not.
pub fn number(value: &Dynamic) -> Option<f64> {
    value.as_int().map(|n| n as f64).or_else(|_| value.as_float()).ok()
}
