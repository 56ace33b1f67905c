//! Parameters that belong to no effect: those of sends, feedbacks and of every effect alike.

use crate::parameter::{Law, Parameter};
use crate::units::Unit;

/// `gain` of a send.
pub static SEND_GAIN: Parameter =
    Parameter::number("gain", Unit::Decibels, 0.0, -120.0, 24.0, "level of the send; off is silence")
        .or("off", 0.0)
        .law(Law::Amplitude);

/// `time` of a feedback.
pub static FEEDBACK_TIME: Parameter =
    Parameter::number("time", Unit::Milliseconds, 100.0, 0.0, 10_000.0, "the period of the loop").fixed();

/// `mix` of every effect.
pub static MIX: Parameter =
    Parameter::number("mix", Unit::Percent, 100.0, 0.0, 100.0, "wet against dry: 0 is exactly the input");

/// `bypass` of every effect.
pub static BYPASS: Parameter = Parameter::flag("bypass", false, "passes the input on, at unchanged latency");
