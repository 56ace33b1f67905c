//! The form of a piece: `section`, whose closure says what holds during it, and `arrange`, the order.

use engine::diagnostic::{Diagnostic, Position};
use engine::units::Unit;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::call::{Call, Outcome, told};
use crate::desk::{self, Desk};
use crate::value::{Quantity, Signal, number};
use crate::words::{self, Group};

/// The longest section, in bars.
const MOST_BARS: f64 = 100_000.0;

/// A section, to be given a place in the order.
#[derive(Clone, Copy, Debug)]
pub struct SectionValue(usize);

/// An order as it is said, until all sections are known.
pub struct Order {
    /// Sections, by handle or by name.
    slots: Vec<Slot>,
    /// Where it is said.
    pub at: Position,
}

enum Slot {
    Section(usize),
    Named(String, Position),
}

/// `section(name, bars, || ...)`: the closure is called at once, and what it says holds during the section alone.
pub fn section(call: &Call, context: &NativeCallContext<'_>) -> Result<Dynamic, Box<EvalAltResult>> {
    let (number, what) = open(call).map_err(told)?;
    let done = what.call_within_context::<Dynamic>(context, ());
    desk::with(|desk| desk.section = None);
    match done.map_err(|error| *error) {
        Ok(_) => Ok(Dynamic::from(SectionValue(number))),
        Err(EvalAltResult::ErrorFunctionNotFound(wanted, _)) if wanted.starts_with(what.fn_name()) => {
            let error = Diagnostic::error("wrong-arguments", call.place_of(2), "what a section holds is given nothing");
            Err(told(error.help("write `|| { ... }`, with nothing between the bars")))
        }
        Err(error) => Err(error.into()),
    }
}

fn open(call: &Call) -> Result<(usize, FnPtr), Diagnostic> {
    call.takes(3..=3)?;
    let name = call.name(0)?;
    let bars = bars(call)?;
    let wanted = "what holds in it, between `|| {` and `}`";
    let what = call.given[2].clone().try_cast::<FnPtr>().ok_or_else(|| call.wrong_type(2, wanted))?;
    let (at, name_at) = (call.at, call.place_of(0));
    Ok((desk::with(|desk| desk.open_section(&name, bars, at, name_at))?, what))
}

fn bars(call: &Call) -> Result<f64, Diagnostic> {
    let said = &call.given[1];
    let quantity = said.read_lock::<Quantity>().filter(|quantity| quantity.unit == Unit::Bars).map(|q| q.number);
    let bars = number(said).or(quantity).ok_or_else(|| call.wrong_type(1, "a number of bars"))?;
    if bars > 0.0 && bars <= MOST_BARS {
        return Ok(bars);
    }
    let error = Diagnostic::error("out-of-range", call.place_of(1), format!("a section cannot have {bars} bars"));
    Err(error.help(format!("expected more than 0 and at most {MOST_BARS}; half a bar is 0.5")))
}

/// `arrange([section, ...])`.
pub fn arrange(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let wanted = "a list of sections, each by its name or as `section` gave it";
    let list = call.given[0].read_lock::<Array>().ok_or_else(|| call.wrong_type(0, wanted))?;
    if list.is_empty() {
        return Err(call.misuse("an order has at least one section".into()));
    }
    let begins = call.place_of(0);
    let slot = |value: &Dynamic| {
        if let Some(section) = value.read_lock::<SectionValue>() {
            return Some(Slot::Section(section.0));
        }
        let name = value.clone().into_string().ok()?;
        let at = desk::with(|desk| desk.file(begins).quoted_behind(begins, &name));
        Some(Slot::Named(name, at.unwrap_or(begins)))
    };
    let slots = list.iter().map(slot).collect::<Option<Vec<Slot>>>();
    let slots = slots.ok_or_else(|| call.wrong_type(0, "a list of nothing but sections, or their names"))?;
    desk::with(|desk| match &desk.order {
        Some(first) if first.at.file == call.at.file => {
            let error = Diagnostic::error("arranged-twice", call.at, "the order is said twice");
            Err(error.also(first.at, "here it is said first").help("one `arrange([...])` holds the whole piece"))
        }
        _ => {
            desk.order = Some(Order { slots, at: call.at });
            Ok(Dynamic::UNIT)
        }
    })
}

/// The order of the sections, once all are known: that of the text if it says none.
pub fn put_in_order(desk: &mut Desk) {
    let sections = &desk.session.form.sections;
    let Some(order) = desk.order.take() else {
        desk.session.form.order = (0..sections.len()).collect();
        return;
    };
    let (mut numbers, mut unknown) = (Vec::new(), Vec::new());
    for slot in order.slots {
        match slot {
            Slot::Section(number) => numbers.push(number),
            Slot::Named(name, at) => match sections.iter().position(|section| section.name == name) {
                Some(number) => numbers.push(number),
                None => {
                    let known = sections.iter().map(|section| section.name.as_str());
                    let help = words::suggest(&name, known);
                    let help = help.unwrap_or_else(|| format!("write it: `section(\"{name}\", 8, || {{ ... }})`"));
                    let error = Diagnostic::error("unknown-name", at, format!("no section is named \"{name}\""));
                    unknown.push(error.help(help));
                }
            },
        }
    }
    unknown.into_iter().for_each(|error| desk.tell(error));
    desk.session.form.order = numbers;
}

/// The error for a word that a section has no use of, within one.
pub fn refuses(call: &Call) -> Option<Diagnostic> {
    let open = desk::with(|desk| desk.section.filter(|_| !call.is_method_in(desk) || of_place(call)))?;
    let name = desk::with(|desk| desk.session.form.sections[open].name.clone());
    // Numbers are added and scaled anywhere.
    let word = words::find(call.word).filter(|word| word.word.starts_with(char::is_alphabetic));
    let help = match word.map(|word| word.group) {
        _ if call.word == "section" => "a section holds no other: write both one behind the other, and `arrange` them",
        _ if matches!(call.word, "input" | "mute" | "solo" | "set") => return None,
        _ if call.word == ">>" => {
            "plug it in outside, `at(\"name\") >> ... >> bus`, and `mute` it in the sections that it is not heard in"
        }
        Some(Group::Places | Group::Flow) => "write it outside, and `mute` it in the sections that it is not heard in",
        Some(Group::Session) => "write it outside: it holds for the whole piece",
        Some(Group::Changes) if !matches!(call.word, "get" | "at") => {
            "write it outside; in a section `mute`, `solo` and `set` hold for its bars alone"
        }
        _ => return None,
    };
    let message = format!("`{}` cannot stand in a section, as it does in \"{name}\"", call.word);
    Some(Diagnostic::error("in-section", call.at, message).help(help))
}

/// Whether a method is a word that takes a place first: `voice.mute()`.
fn of_place(call: &Call) -> bool {
    call.given.first().is_some_and(|object| object.is::<Signal>() || object.is_string())
}
