//! What all instruments have in common: that they play a pattern, or are played by hand.

use crate::parameter::Parameter;

/// What is played.
pub(super) const PATTERN: Parameter =
    Parameter::pattern("pattern", "what it plays, in the mini-notation; `play(pattern, instrument)` gives it that");

/// How hard.
pub(super) const VELOCITY: Parameter = Parameter::pattern(
    "velocity",
    "how hard notes are struck, from 0 to 1: a number, or a pattern of numbers; 0.8 unless said",
);

/// How long.
pub(super) const HOLD: Parameter = Parameter::pattern(
    "hold",
    "how much of its time a note is held, in percent up to 400: a number, or a pattern of numbers; 100 unless said",
);

/// By whose hands.
pub(super) const KEYBOARD: Parameter = Parameter::keyboard(
    "keyboard",
    "lets a MIDI keyboard play it: `.keyboard()` from any channel, `.keyboard(2)` from channel 2; beside its pattern, if it has one",
);
