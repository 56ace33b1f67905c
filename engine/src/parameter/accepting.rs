//! What a parameter takes of what a text says, and what it says of itself.

use std::sync::Arc;

use super::{ANY_CHANNEL, Accepted, Kind, Law, Parameter, Refusal, Spoken, Value, note_length, show_number};
use crate::pattern::{self, Pattern};
use crate::units::{Clock, Dimension, Unit, note_frequency};

impl Parameter {
    /// Takes what the text said for this parameter. The error is what was expected, in words; a value that is probably
    /// not what was meant comes back with a warning.
    ///
    /// # Errors
    /// A wrong type or unit, a number out of range or not finite, a word that is not among the options.
    pub fn accept(&self, spoken: &Spoken, clock: &Clock) -> Result<Accepted, Refusal> {
        let fine = |value| Ok(Accepted { value, warning: None });
        match (self.kind, spoken) {
            (_, Spoken::Control(control)) => control.taken_by(self, clock),
            (Kind::Number { special: Some((word, _)), .. }, Spoken::Text(text)) if text == word => fine(Value::Special),
            (Kind::Number { special: Some((word, _)), .. }, Spoken::Flag(flag))
                if word == if *flag { "on" } else { "off" } =>
            {
                fine(Value::Special)
            }
            (Kind::Number { unit, least, most, .. }, _) => {
                let value = self.number_in(unit, spoken)?;
                let plain = self.plain(&value, clock);
                if self.is_pace() && matches!(value, Value::Beats(length) | Value::Bars(length) if length <= 0.0) {
                    return Err(Refusal::new(
                        "out-of-range",
                        format!(
                            "`{}` is the length of a cycle here, and there is none of {}",
                            self.name,
                            self.show(&value)
                        ),
                        self.expected_of(spoken),
                    ));
                }
                if !(least..=most).contains(&plain) {
                    return Err(Refusal::new(
                        "out-of-range",
                        format!("`{}` is {}, outside its range", self.name, show_number(plain, unit)),
                        self.expected_of(spoken),
                    ));
                }
                let fraction =
                    unit == Unit::Percent && matches!(spoken, Spoken::Number(n, Unit::Plain) if *n > 0.0 && *n < 1.0);
                let warning = fraction.then(|| {
                    let percent = plain * 100.0;
                    format!(
                        "`{}` is in percent: {plain} means {plain} %; write {percent} if {percent} % is meant, or {plain}.percent",
                        self.name
                    )
                });
                Ok(Accepted { value, warning })
            }
            (Kind::Steps { unit, options, .. }, _) => match self.number_in(unit, spoken)? {
                Value::Number(number) if options.contains(&number) => fine(Value::Number(number)),
                _ => Err(Refusal::new(
                    "out-of-range",
                    format!("`{}` is not one of its steps", self.name),
                    self.expected(),
                )),
            },
            (Kind::Choice { options, .. }, Spoken::Text(text)) => match options.iter().position(|o| o == text) {
                Some(index) => fine(Value::Choice(index)),
                None => Err(Refusal::new(
                    "unknown-choice",
                    format!("`{}` has no choice \"{text}\"", self.name),
                    self.expected(),
                )),
            },
            (Kind::Flag { .. }, Spoken::Flag(flag)) => fine(Value::Flag(*flag)),
            (Kind::Pattern, Spoken::Pattern(pattern)) => fine(Value::Pattern(pattern.clone())),
            (Kind::Pattern, Spoken::Number(number, _)) if number.is_finite() => {
                fine(Value::Pattern(Arc::new(Pattern::value(pattern::Value::Number(*number)))))
            }
            (Kind::Pattern, Spoken::Text(text)) => match Pattern::parse(text, pattern::generate::MADE) {
                Ok(pattern) => fine(Value::Pattern(Arc::new(pattern))),
                Err(error) => Err(Refusal::new("bad-pattern", error.to_string(), self.expected())),
            },
            (Kind::Path | Kind::Folder, Spoken::Text(path)) => fine(Value::Path(path.clone())),
            (Kind::Port, Spoken::Text(port)) if port.trim().is_empty() || port.chars().any(char::is_control) => {
                Err(Refusal::new("bad-port", "no MIDI port has such a name".into(), self.expected()))
            }
            (Kind::Port, Spoken::Text(port)) => fine(Value::Port(port.clone())),
            (Kind::Keyboard, Spoken::Flag(true)) => fine(Value::Number(ANY_CHANNEL)),
            (Kind::Keyboard, Spoken::Flag(false)) => fine(Value::Special),
            (Kind::Keyboard, Spoken::Number(number, Unit::Plain)) => match spoken.channel() {
                Some(channel @ 1..=16) => fine(Value::Number(f64::from(channel))),
                _ => Err(Refusal::new("out-of-range", format!("{number} is not a MIDI channel"), self.expected())),
            },
            (Kind::Channels, Spoken::Number(..)) => match spoken.channel() {
                Some(channel) => fine(Value::Channels(vec![channel])),
                None => Err(self.wrong_type(spoken)),
            },
            (Kind::Channels, Spoken::List(list)) if !list.is_empty() => {
                match list.iter().map(Spoken::channel).collect::<Option<Vec<u16>>>() {
                    Some(channels) => fine(Value::Channels(channels)),
                    None => Err(self.wrong_type(spoken)),
                }
            }
            _ => Err(self.wrong_type(spoken)),
        }
    }

    /// What was said as a value, whether or not the parameter's range has it; the default for what it never takes.
    pub fn as_said(&self, spoken: &Spoken) -> Value {
        match (self.kind, spoken) {
            (_, Spoken::Control(control)) => Value::Control(control.clone()),
            (Kind::Number { unit, .. }, _) => self.number_in(unit, spoken).unwrap_or(self.default()),
            _ => self.default(),
        }
    }

    fn number_in(&self, unit: Unit, spoken: &Spoken) -> Result<Value, Refusal> {
        let (number, said) = match spoken {
            Spoken::Number(number, said) => (*number, *said),
            Spoken::Text(text) if unit.dimension() == Dimension::Time || self.is_pace() => {
                return note_length(text).map(Value::Beats).ok_or_else(|| self.wrong_type(spoken));
            }
            Spoken::Text(text) if unit == Unit::Hertz => {
                return note_frequency(text).map(Value::Number).ok_or_else(|| self.wrong_type(spoken));
            }
            _ => return Err(self.wrong_type(spoken)),
        };
        if !number.is_finite() {
            return Err(Refusal::new("not-finite", format!("`{}` is not a finite number", self.name), self.expected()));
        }
        let value = match (unit, said) {
            (_, Unit::Plain) => Value::Number(number),
            (_, Unit::Beats) if self.is_pace() => Value::Beats(number),
            (_, Unit::Bars) if self.is_pace() => Value::Bars(number),
            (a, b) if a.dimension() != b.dimension() => {
                return Err(Refusal::new(
                    "wrong-unit",
                    format!("`{}` is given in {}, which it is not measured in", self.name, said.suffix()),
                    self.expected(),
                ));
            }
            (_, Unit::Beats) => Value::Beats(number),
            (_, Unit::Bars) => Value::Bars(number),
            (_, Unit::Samples) => Value::Samples(number),
            (Unit::Milliseconds, Unit::Seconds) | (Unit::Hertz, Unit::Kilohertz) => Value::Number(number * 1000.0),
            (Unit::Seconds, Unit::Milliseconds) | (Unit::Kilohertz, Unit::Hertz) => Value::Number(number / 1000.0),
            (Unit::Semitones, Unit::Cents) => Value::Number(number / 100.0),
            (Unit::Cents, Unit::Semitones) => Value::Number(number * 100.0),
            _ => Value::Number(number),
        };
        Ok(value)
    }

    /// Whether it may be said as the length of a cycle.
    fn is_pace(&self) -> bool {
        matches!(self.kind, Kind::Number { law: Law::Pace, .. })
    }

    fn wrong_type(&self, spoken: &Spoken) -> Refusal {
        let message = format!("`{}` cannot be {}", self.name, spoken.describe());
        Refusal::new("wrong-type", message, self.expected_of(spoken))
    }

    /// What it takes, for who has tried to say a time as music has it.
    fn expected_of(&self, spoken: &Spoken) -> String {
        let time = matches!(self.kind, Kind::Number { unit, .. } if unit.dimension() == Dimension::Time);
        match spoken {
            Spoken::Text(_) | Spoken::Number(_, Unit::Beats | Unit::Bars) if time => {
                format!("{}; it may be said in bars, beats or as a note length", self.expected())
            }
            _ => self.expected(),
        }
    }

    /// What it takes, as a phrase: `-60 to 0 dB`, `"peak" or "rms"`.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Number { unit, least, most, special, .. } => {
                let mut text = format!("{least} to {most}");
                if unit != Unit::Plain {
                    text = format!("{text} {}", unit.sign());
                }
                if self.is_pace() {
                    text += ", or the length of a cycle: 2.beats, 1.bars, \"1/8\"";
                }
                match special {
                    Some((word @ ("off" | "on"), _)) => format!("{text}, or {word}"),
                    Some((word, _)) => format!("{text}, or \"{word}\""),
                    None => text,
                }
            }
            Kind::Steps { unit, options, .. } => {
                let list = options.iter().map(|o| o.to_string()).collect::<Vec<_>>().join(", ");
                if unit == Unit::Plain { list } else { format!("{list} {}", unit.sign()) }
            }
            Kind::Choice { options, .. } => options.iter().map(|o| format!("\"{o}\"")).collect::<Vec<_>>().join(" or "),
            Kind::Flag { .. } => "true or false".into(),
            Kind::Channels => "numbers of channels, from 1".into(),
            Kind::Path => "the path of a file, in quotes".into(),
            Kind::Folder => "the path of a folder, in quotes".into(),
            Kind::Signal => "a signal".into(),
            Kind::Pattern => "a pattern".into(),
            Kind::Circuit => "what `synth` or `dsp` makes of a function".into(),
            Kind::Keyboard => "a MIDI channel, 1 to 16, nothing for any of them, or off".into(),
            Kind::Port => "the name of a MIDI port, in quotes".into(),
        }
    }

    /// A value as a person reads it: `-18 dB`, `off`, `"rms"`.
    pub fn show(&self, value: &Value) -> String {
        match (self.kind, value) {
            (Kind::Keyboard, Value::Number(channel)) if *channel == ANY_CHANNEL => "on any channel".into(),
            (Kind::Keyboard, Value::Number(channel)) => format!("on channel {channel}"),
            (Kind::Keyboard, Value::Special) => "off".into(),
            (Kind::Number { unit, .. } | Kind::Steps { unit, .. }, Value::Number(number)) => show_number(*number, unit),
            (Kind::Number { special: Some((word, _)), .. }, Value::Special) => word.into(),
            (Kind::Choice { options, .. }, Value::Choice(index)) => format!("\"{}\"", options[*index]),
            (_, Value::Beats(beats)) => show_number(*beats, Unit::Beats),
            (_, Value::Bars(bars)) => show_number(*bars, Unit::Bars),
            (_, Value::Samples(samples)) => show_number(*samples, Unit::Samples),
            (_, Value::Flag(flag)) => flag.to_string(),
            (_, Value::Channels(list)) => list.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
            (_, Value::Path(path) | Value::Port(path)) => format!("\"{path}\""),
            (_, Value::Control(control)) => control.to_string(),
            (_, Value::Pattern(_)) => "a pattern".into(),
            (_, Value::Circuit(_)) => "a circuit".into(),
            (Kind::Pattern | Kind::Folder | Kind::Circuit | Kind::Port, Value::Special) => "none".into(),
            (_, value) => format!("{value:?}"),
        }
    }
}
