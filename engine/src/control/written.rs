//! Controls as they are written.

use std::fmt;

use super::{Control, FOLLOW_ATTACK, FOLLOW_RELEASE, Said, Way};
use crate::motion::{Curve, EventSource, Shape};
use crate::parameter::{Spoken, Value};
use crate::units::Unit;

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Spoken::Number(number, Unit::Plain) => write!(f, "{number}"),
            Spoken::Number(number, unit) => write!(f, "{number}.{}", unit.suffix()),
            Spoken::Text(text) => write!(f, "\"{text}\""),
            Spoken::Flag(flag) => f.write_str(if *flag { "on" } else { "off" }),
            _ => f.write_str("..."),
        }
    }
}

/// A time as it is written.
struct Time<'a>(&'a Value, Unit);

impl fmt::Display for Time<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Beats(beats) => write!(f, "{beats}.beats"),
            Value::Bars(bars) => write!(f, "{bars}.bars"),
            Value::Samples(samples) => write!(f, "{samples}.samples"),
            Value::Number(number) => write!(f, "{number}.{}", self.1.suffix()),
            _ => f.write_str("..."),
        }
    }
}

/// As the text could say it; a signal that is followed has no name here.
impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        let range = match &self.way {
            Way::Lfo { rate, shape, range, phase } => {
                write!(f, "{word}({})", Time(rate, Unit::Hertz))?;
                if *shape != Shape::Sine {
                    write!(f, ".shape(\"{}\")", Shape::WORDS[*shape as usize])?;
                }
                if *phase != 0.0 {
                    write!(f, ".phase({phase})")?;
                }
                range
            }
            Way::Ramp { from, to, time, curve, start } => {
                write!(f, "{word}({from}, {to}, {})", Time(time, Unit::Milliseconds))?;
                if *curve != Curve::Linear {
                    write!(f, ".curve(\"{}\")", Curve::WORDS[*curve as usize])?;
                }
                if let Some(start) = start {
                    write!(f, ".start({})", Time(start, Unit::Milliseconds))?;
                }
                &None
            }
            Way::Automate { points, hold } => {
                let points: Vec<String> = points.iter().map(|(beat, value)| format!("[{beat}, {value}]")).collect();
                write!(f, "{word}([{}]){}", points.join(", "), if *hold { ".hold()" } else { "" })?;
                &None
            }
            Way::Steps { pattern, .. } => {
                write!(f, "{word}(\"{pattern}\")")?;
                &None
            }
            Way::Sections { .. } => {
                f.write_str("set by sections")?;
                &None
            }
            Way::Follow { attack, release, range, .. } => {
                write!(f, "{word}(...)")?;
                if Value::Number(*attack) != FOLLOW_ATTACK.default() {
                    write!(f, ".attack({attack})")?;
                }
                if Value::Number(*release) != FOLLOW_RELEASE.default() {
                    write!(f, ".release({release})")?;
                }
                range
            }
            Way::Event { source, range, start } => {
                match source {
                    EventSource::Midi { channel, controller } => {
                        write!(f, "{word}({controller})")?;
                        channel.map_or(Ok(()), |channel| write!(f, ".channel({channel})"))?;
                    }
                    EventSource::Osc { address } => write!(f, "{word}(\"{address}\")")?,
                    EventSource::Notes { .. } => write!(f, "{word}()")?,
                }
                start.as_ref().map_or(Ok(()), |start| write!(f, ".start({start})"))?;
                range
            }
        };
        range.as_ref().map_or(Ok(()), |(low, high)| write!(f, ".range({low}, {high})"))
    }
}
