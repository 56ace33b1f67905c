//! The words that say with whom a session shares its time while it plays: `clock_in`, `clock_out`, `link`.

use engine::diagnostic::{Diagnostic, Position};
use engine::parameter::{Parameter, Spoken};
use engine::session::Company;
use engine::units::Unit;
use rhai::Dynamic;

use crate::call::{Call, Outcome};
use crate::desk;
use crate::value::spoken;

static DELAY: Parameter =
    Parameter::number("delay", Unit::Milliseconds, 0.0, -500.0, 500.0, "how much later it is sent");

/// `clock_in(port)`.
pub fn clock_in(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let port = port(call)?;
    let company = desk::with(|desk| desk.session.company.clone());
    leads_alone(call, &company)?;
    if let Some((_, _, first)) = company.clock_out.iter().find(|(other, ..)| *other == port) {
        return Err(loops(call, &port, *first));
    }
    desk::with(|desk| desk.session.company.clock_in = Some((port, call.at)));
    Ok(Dynamic::UNIT)
}

/// `clock_out(port, delay)`.
pub fn clock_out(call: &Call) -> Outcome {
    call.takes(1..=2)?;
    let port = port(call)?;
    let delay = match call.given.get(1).map(spoken) {
        None => 0.0,
        Some(Spoken::Control(_)) => {
            let error = Diagnostic::error("wrong-type", call.place_of(1), "a control cannot move `delay`");
            return Err(error.help(format!("expected {}", DELAY.expected())));
        }
        Some(said) => {
            let at = call.place_of(1);
            desk::with(|desk| DELAY.plain(&desk.accept(&DELAY, &said, at).value, &desk.session.clock()))
        }
    };
    let Company { clock_in, clock_out, .. } = desk::with(|desk| desk.session.company.clone());
    if let Some((_, first)) = clock_in.filter(|(other, _)| *other == port) {
        return Err(loops(call, &port, first));
    }
    if let Some((_, _, first)) = clock_out.iter().find(|(other, ..)| *other == port) {
        let message = format!("the clock is sent to \"{port}\" already");
        return Err(Diagnostic::error("clock-twice", call.place_of(0), message).also(*first, "here"));
    }
    desk::with(|desk| desk.session.company.clock_out.push((port, delay, call.at)));
    Ok(Dynamic::UNIT)
}

/// `link()`.
pub fn link(call: &Call) -> Outcome {
    call.takes(0..=0)?;
    leads_alone(call, &desk::with(|desk| desk.session.company.clone()))?;
    desk::with(|desk| desk.session.company.link = Some(call.at));
    Ok(Dynamic::UNIT)
}

/// The name of a MIDI port.
fn port(call: &Call) -> Result<String, Diagnostic> {
    let port = call.text(0, "the name of a MIDI port in quotes")?;
    match port.trim().is_empty() || port.chars().any(char::is_control) {
        false => Ok(port),
        true => Err(Diagnostic::error("bad-port", call.place_of(0), "no MIDI port has such a name")
            .help("write the name that the system shows for it: `clock_in(\"Drum machine MIDI 1\")`")),
    }
}

/// That the session follows nobody yet.
fn leads_alone(call: &Call, company: &Company) -> Result<(), Diagnostic> {
    let first = company.clock_in.as_ref().map(|(_, at)| *at).or(company.link);
    let Some(first) = first else { return Ok(()) };
    Err(Diagnostic::error("clock-twice", call.at, "two clocks cannot be followed at once")
        .also(first, "here")
        .help("keep one of `clock_in` and `link`"))
}

/// That a port is followed and follows.
fn loops(call: &Call, port: &str, first: Position) -> Diagnostic {
    Diagnostic::error("clock-twice", call.place_of(0), format!("\"{port}\" would follow the clock that it gives"))
        .also(first, "the other way is here")
        .help("take the clock from one port, and send it to another")
}
