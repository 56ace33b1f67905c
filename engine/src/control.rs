//! Controls as a text says them: what may stand in place of a parameter's number and move it. A control is a value that
//! belongs to no parameter; each parameter that takes one makes a [`Motion`] of it, in its own unit and within its range.

mod written;

use serde::Serialize;

use crate::diagnostic::Position;
use crate::fade::fade_frames;
use crate::motion::{Curve, EventSource, Lfo, Moment, Motion, Ramp, Range, Rate, Sections, Shape, Span, steps};
use crate::names::{Owner, Which};
use crate::parameter::{Accepted, Kind, Law, Parameter, Refusal, Spoken, Value};
use crate::pattern::{Pattern, PatternError};
use crate::session::{CableKind, Effect, InstanceId, PlaceId, PlaceKind, Session, Setting, Tap, Work};
use crate::units::{Clock, Dimension, Unit};

/// The longest time that may be given: 100 hours.
const LONGEST: f64 = 360_000_000.0;

/// How fast an LFO is that is not locked to the transport.
pub static LFO_RATE: Parameter =
    Parameter::number("rate", Unit::Hertz, 1.0, 0.001, 1000.0, "or the length of a cycle, in beats, bars or as a note");

/// How long a cycle of an LFO is that is locked to the transport.
pub static LFO_LENGTH: Parameter =
    Parameter::number("rate", Unit::Milliseconds, 1000.0, 1.0, LONGEST, "the length of a cycle");

/// The waveform of an LFO.
pub static LFO_SHAPE: Parameter = Parameter::choice("shape", Shape::WORDS, "the waveform; random has a value a cycle");

/// Where an LFO begins.
pub static LFO_PHASE: Parameter =
    Parameter::number("phase", Unit::Degrees, 0.0, -360.0, 360.0, "where in its cycle it begins");

/// How long a ramp takes.
pub static RAMP_TIME: Parameter = Parameter::number(
    "time",
    Unit::Milliseconds,
    1000.0,
    1.0,
    LONGEST,
    "how long it takes; musical time keeps the beat",
);

/// The way a ramp goes.
pub static RAMP_CURVE: Parameter =
    Parameter::choice("curve", Curve::WORDS, "the way it goes; a level in dB is exponential either way");

/// When a ramp sets out.
pub static RAMP_START: Parameter = Parameter::number(
    "start",
    Unit::Milliseconds,
    0.0,
    0.0,
    LONGEST,
    "where on the transport; when first heard unless said",
);

/// How fast an envelope rises.
pub static FOLLOW_ATTACK: Parameter = Parameter::number(
    "attack",
    Unit::Milliseconds,
    10.0,
    0.1,
    2000.0,
    "to 63.2 % of a rise; musical time has the length it has where this is said",
);

/// How fast an envelope falls.
pub static FOLLOW_RELEASE: Parameter = Parameter::number(
    "release",
    Unit::Milliseconds,
    100.0,
    1.0,
    5000.0,
    "to 63.2 % of a fall; musical time has the length it has where this is said",
);

/// A control.
#[derive(Clone, Debug, Serialize)]
pub struct Control {
    /// What it does.
    pub way: Way,
    /// Where it is written.
    pub at: Position,
}

/// Two controls are equal that do the same, wherever they are written.
impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        self.way == other.way
    }
}

/// A value that a control gives to whatever parameter it moves.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// As the text says it.
    pub value: Spoken,
    /// Where.
    pub at: Position,
}

/// Two are equal that say the same.
impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What a control does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Way {
    /// `lfo(rate)`.
    Lfo {
        /// Cycles a second, or beats or bars a cycle.
        rate: Value,
        /// Its waveform.
        shape: Shape,
        /// What it goes between.
        range: Option<(Said, Said)>,
        /// Where in its cycle it begins, in degrees.
        phase: f64,
    },
    /// `ramp(from, to, time)`.
    Ramp {
        /// What it sets out from.
        from: Said,
        /// What it ends with.
        to: Said,
        /// A time.
        time: Value,
        /// The way it goes.
        curve: Curve,
        /// A place on the transport.
        start: Option<Value>,
    },
    /// `automate(points)`.
    Automate {
        /// Beats and values, in order.
        points: Vec<(f64, Said)>,
        /// Whether each holds until the next.
        hold: bool,
    },
    /// `steps(pattern)`.
    Steps {
        /// The pattern as it is written.
        pattern: String,
        /// Bars after which it begins anew.
        bars: f64,
        /// Bars from its beginning, and values, in order; with chance in it one of many ways it may go.
        steps: Vec<(f64, Said)>,
        /// The pattern without its places, if there is chance in it.
        drawn: Option<Box<Pattern>>,
    },
    /// What sections set: made of a number by [`crate::form::lay_out`].
    Sections {
        /// Bars and values, in order; the first holds from the beginning on.
        steps: Vec<(f64, Value)>,
        /// How long the way from one to the next takes, up to its bar line, in milliseconds.
        fade: f64,
    },
    /// `follow(signal)`.
    Follow {
        /// What is followed; nothing once that has been taken away, which is silence.
        signal: Option<Tap>,
        /// In milliseconds.
        attack: f64,
        /// In milliseconds.
        release: f64,
        /// What silence and full scale are.
        range: Option<(Said, Said)>,
    },
    /// `midi_cc(n)` and `osc(path)`.
    Event {
        /// What it listens to.
        source: EventSource,
        /// What 0 to 1 are.
        range: Option<(Said, Said)>,
        /// The value until something comes.
        start: Option<Said>,
    },
}

/// What a parameter makes of a control's values.
struct Taker<'a> {
    parameter: &'a Parameter,
    clock: &'a Clock,
    warning: Option<String>,
    /// Whether `on` and `off` are numbers to it.
    is_switch: bool,
}

impl<'a> Taker<'a> {
    /// `parameter` is what a control takes `of` for.
    fn new(parameter: &'a Parameter, of: &Parameter, clock: &'a Clock) -> Self {
        Taker { parameter, clock, warning: None, is_switch: matches!(of.kind, Kind::Flag { .. }) }
    }
}

impl Taker<'_> {
    /// A value in the parameter's unit, by the parameter's own rules.
    fn any(&mut self, said: &Said) -> Result<f64, Refusal> {
        if let Spoken::Control(_) = said.value {
            return Err(Refusal {
                code: "wrong-type",
                message: "a control cannot stand within another".into(),
                expected: format!("expected {}", self.parameter.expected()),
                at: Some(said.at),
            });
        }
        let value = match said.value {
            Spoken::Flag(on) if self.is_switch => Spoken::Number(f64::from(u8::from(on)), Unit::Plain),
            ref other => other.clone(),
        };
        let accepted =
            self.parameter.accept(&value, self.clock).map_err(|refusal| Refusal { at: Some(said.at), ..refusal })?;
        self.warning = self.warning.take().or(accepted.warning);
        Ok(self.parameter.plain(&accepted.value, self.clock))
    }

    /// The same for a value that is glided to or from.
    fn number(&mut self, said: &Said) -> Result<f64, Refusal> {
        let number = self.any(said)?;
        let special = match self.parameter.kind {
            Kind::Number { special: Some((word, _)), .. } => match &said.value {
                Spoken::Text(text) if text == word => Some(word),
                Spoken::Flag(_) => Some(word),
                _ => None,
            },
            _ => None,
        };
        match special {
            Some(word) => Err(Refusal {
                code: "no-way-there",
                message: format!("no even way leads to or from `{word}`"),
                expected: format!("give a number, {}; or hold each value: `automate(...).hold()`", self.bounds()),
                at: Some(said.at),
            }),
            None => Ok(number),
        }
    }

    fn bounds(&self) -> String {
        let bare = match self.parameter.kind {
            Kind::Number { unit, default, least, most, law, .. } => {
                Kind::Number { unit, default, least, most, special: None, law }
            }
            kind => kind,
        };
        Parameter { kind: bare, ..*self.parameter }.expected()
    }

    /// What 0 to 1 stand for; without a range the whole of the parameter's own if that is what is meant.
    fn range(&mut self, range: &Option<(Said, Said)>, control: &Control) -> Result<Range, Refusal> {
        let Kind::Number { unit, least, most, law, .. } = self.parameter.kind else { return Err(self.not_a_number()) };
        let (low, high) = match range {
            Some((low, high)) => (self.number(low)?, self.number(high)?),
            None => {
                let whole = unit == Unit::Percent || unit == Unit::Plain && least == -most || self.is_switch;
                if !whole && !matches!(control.way, Way::Event { .. }) {
                    let word = control.word();
                    return Err(Refusal {
                        code: "no-range",
                        message: format!("`{word}` does not know how far to move `{}`", self.parameter.name),
                        expected: format!("say between what: `{word}(...).range(low, high)`, within {}", self.bounds()),
                        at: Some(control.at),
                    });
                }
                (least, most)
            }
        };
        Ok(Range { low, high, octaves: matches!(law, Law::Octaves | Law::Pace) && low > 0.0 && high > 0.0 })
    }

    fn not_a_number(&self) -> Refusal {
        let name = self.parameter.name;
        let numeric = matches!(self.parameter.kind, Kind::Number { .. } | Kind::Steps { .. });
        let (code, message) = match numeric {
            true => ("fixed", format!("`{name}` is fixed: a control cannot move it")),
            false => ("wrong-type", format!("`{name}` is no number: a control cannot move it")),
        };
        Refusal { code, message, expected: format!("expected {}", self.parameter.expected()), at: None }
    }
}

impl Control {
    /// The word that makes it.
    pub fn word(&self) -> &'static str {
        match &self.way {
            Way::Lfo { .. } => "lfo",
            Way::Ramp { .. } => "ramp",
            Way::Automate { .. } => "automate",
            Way::Steps { .. } => "steps",
            Way::Sections { .. } => "section",
            Way::Follow { .. } => "follow",
            Way::Event { source: EventSource::Midi { .. }, .. } => "midi_cc",
            Way::Event { source: EventSource::Osc { .. }, .. } => "osc",
            Way::Event { source: EventSource::Notes { .. }, .. } => "keyboard",
        }
    }

    /// What a parameter makes of it: itself, if every value in it is one that the parameter takes.
    ///
    /// # Errors
    /// Those of the parameter, with the place in the control; and if the parameter is not one that moves.
    pub fn taken_by(&self, parameter: &Parameter, clock: &Clock) -> Result<Accepted, Refusal> {
        let moved = parameter.as_moved();
        let mut taker = Taker::new(&moved, parameter, clock);
        self.make(&mut taker, None)?;
        Ok(Accepted { value: Value::Control(Box::new(self.clone())), warning: taker.warning })
    }

    /// How it moves a parameter. `seed` is for what is random.
    ///
    /// # Errors
    /// As [`Control::taken_by`].
    pub fn motion(&self, parameter: &Parameter, clock: &Clock, seed: u64) -> Result<Motion, Refusal> {
        self.make(&mut Taker::new(&parameter.as_moved(), parameter, clock), Some(seed))
    }

    fn make(&self, taker: &mut Taker<'_>, seed: Option<u64>) -> Result<Motion, Refusal> {
        if !matches!(taker.parameter.kind, Kind::Number { .. }) || !taker.parameter.moves {
            return Err(taker.not_a_number());
        }
        let rate = taker.clock.rate;
        Ok(match &self.way {
            Way::Lfo { rate, shape, range, phase } => Motion::Lfo(Lfo {
                rate: match *rate {
                    Value::Beats(beats) => Rate::Beats(beats),
                    Value::Bars(bars) => Rate::Bars(bars),
                    ref other => Rate::Hertz(LFO_RATE.plain(other, taker.clock)),
                },
                shape: *shape,
                range: taker.range(range, self)?,
                phase: phase / 360.0,
                seed: seed.filter(|_| *shape == Shape::Random).unwrap_or(0),
            }),
            Way::Ramp { from, to, time, curve, start } => {
                let (first, last) = (taker.number(from)?, taker.number(to)?);
                let level =
                    matches!(taker.parameter.kind, Kind::Number { unit, .. } if unit.dimension() == Dimension::Level);
                let curve = match curve {
                    // A straight line in dB is exponential.
                    Curve::Exp if level => Curve::Linear,
                    curve => *curve,
                };
                if curve == Curve::Exp && first * last <= 0.0 {
                    return Err(Refusal {
                        code: "no-way-there",
                        message: "an exponential ramp never reaches 0, nor passes it".into(),
                        expected: "give two values above 0 or two below, or another curve: \"linear\" or \"s\"".into(),
                        at: Some(if first == 0.0 { from.at } else { to.at }),
                    });
                }
                Motion::Ramp(Ramp {
                    from: first,
                    to: last,
                    time: match *time {
                        Value::Beats(beats) => Span::Beats(beats),
                        Value::Bars(bars) => Span::Bars(bars),
                        ref other => Span::Frames(RAMP_TIME.plain(other, taker.clock) * rate / 1000.0),
                    },
                    curve,
                    start: start.as_ref().map(|start| moment(start, taker.clock)),
                })
            }
            Way::Automate { points, hold } => {
                let mut value = |said: &Said| if *hold { taker.any(said) } else { taker.number(said) };
                let points = points.iter().map(|(beat, said)| Ok((*beat, value(said)?))).collect::<Result<_, _>>()?;
                Motion::Automate { points, hold: *hold }
            }
            Way::Steps { bars, steps, drawn, .. } => {
                let drawn = drawn.as_ref().zip(seed).map(|(pattern, seed)| self.drawn(pattern, seed)).transpose()?;
                let steps = drawn.as_ref().unwrap_or(steps).iter().map(|(place, said)| Ok((*place, taker.any(said)?)));
                let mut steps = steps.collect::<Result<Vec<_>, _>>()?;
                // What begins with the value that holds anyway is no step.
                steps.dedup_by(|next, last| next.1 == last.1);
                Motion::Steps { bars: *bars, steps }
            }
            Way::Sections { steps, fade } => {
                let plain = |value: &Value| taker.parameter.plain(value, taker.clock);
                let steps = steps.iter().map(|(bar, value)| (*bar, plain(value))).collect();
                Motion::Sections(Sections { steps, fade: i64::from(fade_frames(*fade, rate)) })
            }
            Way::Follow { range, .. } => Motion::Follow { range: taker.range(range, self)? },
            Way::Event { source, range, start } => Motion::Event {
                source: source.clone(),
                range: match (source, range) {
                    (EventSource::Osc { .. }, None) => None,
                    _ => Some(taker.range(range, self)?),
                },
                start: match start {
                    Some(said) => taker.any(said)?,
                    None => taker.parameter.plain(&taker.parameter.default(), taker.clock),
                },
                bounds: match taker.parameter.kind {
                    Kind::Number { least, most, .. } => (least, most),
                    _ => (f64::MIN, f64::MAX),
                },
            },
        })
    }

    /// The steps of a pattern with chance in it, drawn from a seed.
    fn drawn(&self, pattern: &Pattern, seed: u64) -> Result<Vec<(f64, Said)>, Refusal> {
        let refused = |error: PatternError| Refusal {
            code: "bad-pattern",
            message: error.message,
            expected: error.help.unwrap_or_else(|| "expected one number at a time, whatever is drawn".into()),
            at: Some(self.at),
        };
        let steps = steps::of(pattern, seed).map_err(refused)?.steps;
        let said = |step: steps::Step| Said { value: Spoken::Number(step.value, Unit::Plain), at: self.at };
        Ok(steps.into_iter().map(|step| (step.place, said(step))).collect())
    }

    /// The signal it follows, once for each: to be given another number, or to be taken away.
    pub(crate) fn signal_mut(&mut self) -> Option<&mut Option<Tap>> {
        match &mut self.way {
            Way::Follow { signal, .. } => Some(signal),
            _ => None,
        }
    }
}

/// A place on the transport from a time.
pub fn moment(time: &Value, clock: &Clock) -> Moment {
    match *time {
        Value::Beats(beats) => Moment::Beat(beats),
        Value::Bars(bars) => Moment::Bar(bars),
        ref other => Moment::Frame(RAMP_START.plain(other, clock) * clock.rate / 1000.0),
    }
}

impl Value {
    /// The control, if it is one.
    pub fn control(&self) -> Option<&Control> {
        match self {
            Value::Control(control) => Some(control),
            _ => None,
        }
    }

    /// The signal that it follows.
    pub fn followed(&self) -> Option<Tap> {
        match &self.control()?.way {
            Way::Follow { signal, .. } => *signal,
            _ => None,
        }
    }

    pub(crate) fn followed_mut(&mut self) -> Option<&mut Option<Tap>> {
        match self {
            Value::Control(control) => control.signal_mut(),
            _ => None,
        }
    }
}

impl Effect {
    /// All that is set of it, each with the place of it but for the instance's number.
    fn all(&self) -> impl Iterator<Item = (Option<usize>, Which, &Setting)> {
        let own = self.settings.iter().enumerate().map(|(i, setting)| (None, Which::Own(i), setting));
        let parts = self.parts.iter().enumerate().flat_map(|(part, used)| {
            used.settings.iter().enumerate().map(move |(i, setting)| (Some(part), Which::Own(i), setting))
        });
        own.chain(parts).chain([(None, Which::Mix, &self.mix)])
    }

    /// Every signal that a control of it follows.
    pub(crate) fn followed_mut(&mut self) -> impl Iterator<Item = &mut Option<Tap>> {
        let parts = self.parts.iter_mut().flat_map(|part| &mut part.settings);
        let all = self.settings.iter_mut().chain(parts).chain([&mut self.mix]);
        all.filter_map(|setting| setting.value.followed_mut())
    }
}

impl Session {
    /// Every parameter that a control moves.
    pub fn controlled(&self) -> Vec<(Owner, Which)> {
        let mut found = Vec::new();
        let mut look = |owner: Owner, which: Which, setting: &Setting| {
            if setting.value.control().is_some() {
                found.push((owner, which));
            }
        };
        for (i, place) in self.places.iter().enumerate() {
            let PlaceKind::Input(sources) = &place.kind else { continue };
            for (region, source) in sources.iter().enumerate() {
                for (n, setting) in source.settings.iter().enumerate() {
                    look(Owner::Source(PlaceId(i), region), Which::Own(n), setting);
                }
            }
        }
        for (i, instance) in self.instances.iter().enumerate() {
            let id = InstanceId(i);
            match &instance.work {
                Work::Branch { .. } => {}
                Work::Blend { mix, .. } => look(Owner::Instance(id), Which::Mix, mix),
                Work::Effect(effect) => {
                    for (part, which, setting) in effect.all() {
                        look(part.map_or(Owner::Instance(id), |part| Owner::Part(id, part)), which, setting);
                    }
                }
            }
        }
        for (i, cable) in self.cables.iter().enumerate() {
            if let CableKind::Send { gain } = &cable.kind {
                look(Owner::Cable(crate::session::CableId(i)), Which::Own(0), gain);
            }
        }
        found
    }

    /// Every parameter whose control follows a signal, and the signal.
    pub fn followed(&self) -> Vec<(Owner, Which, Tap)> {
        let all = self.controlled().into_iter();
        all.filter_map(|(owner, which)| Some((owner, which, self.setting(owner, which).1.value.followed()?))).collect()
    }

    /// The signals followed by what is no instance: by sources and sends.
    pub(crate) fn followed_mut(&mut self) -> impl Iterator<Item = &mut Option<Tap>> {
        let sources = self.places.iter_mut().flat_map(|place| match &mut place.kind {
            PlaceKind::Input(sources) => sources.as_mut_slice(),
            _ => &mut [],
        });
        let sends = self.cables.iter_mut().filter_map(|cable| match &mut cable.kind {
            CableKind::Send { gain } => Some(gain),
            _ => None,
        });
        let settings = sources.flat_map(|source| &mut source.settings).chain(sends);
        settings.filter_map(|setting| setting.value.followed_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::MIX;

    #[test]
    fn steps_with_chance_in_them_go_as_the_seed_draws_them() {
        let clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };
        let made = |text: &str, seed: u64| {
            let pattern = Pattern::parse(text, 0).unwrap();
            let worked = steps::of(&pattern, 0).unwrap();
            let said = |value: f64| Said { value: Spoken::Number(value, Unit::Plain), at: Position::default() };
            let steps = worked.steps.iter().map(|step| (step.place, said(step.value))).collect();
            let drawn = pattern.period().is_err().then(|| Box::new(pattern.unplaced()));
            let way = Way::Steps { pattern: text.into(), bars: worked.bars, steps, drawn };
            Control { way, at: Position::default() }.motion(&MIX, &clock, seed)
        };
        assert_eq!(made("0 50?", 1).unwrap(), made("0 50?", 1).unwrap());
        assert_ne!(made("0 50?", 1).unwrap(), made("0 50?", 2).unwrap());
        assert_eq!(made("0 50", 1).unwrap(), made("0 50", 2).unwrap());
        assert_eq!(made("0 [50|200]", 1).unwrap_err().code, "out-of-range");
    }
}
