//! Expectations: `expect(master.true_peak).below(-1.dBTP)`.

use engine::diagnostic::{Diagnostic, Position};
use engine::expect::Bound;
use engine::figure::Figure;
use engine::parameter::Value;
use engine::session::{Amend, PlaceId, Target};
use rhai::{Dynamic, Engine};

use crate::call::{Call, Outcome};
use crate::desk;
use crate::value::{Handle, Point, Signal, describe, number, spoken};

/// A figure of something, as `master.true_peak` gives it. A value until something is expected of it.
#[derive(Clone, Debug)]
pub struct FigureValue {
    /// Of what; of signals that are added nowhere yet, of nothing.
    of: Option<Target>,
    /// Whether of what comes in.
    input: bool,
    /// Over the same figure of what.
    over: Option<(Target, bool)>,
    figure: Figure,
}

impl FigureValue {
    fn of(of: Option<Target>, input: bool, figure: Figure) -> Self {
        FigureValue { of, input, over: None, figure }
    }
}

/// What comes into a place: `band.input`.
#[derive(Clone, Copy, Debug)]
pub struct InputValue(PlaceId);

/// A figure of which something is about to be expected.
#[derive(Clone, Debug)]
pub struct ExpectValue {
    of: Target,
    input: bool,
    over: Option<(Target, bool)>,
    figure: Figure,
    at: Position,
}

/// Lets the machine read every figure, and what comes in.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<FigureValue>("figure");
    engine.register_type_with_name::<InputValue>("what comes in");
    engine.register_type_with_name::<ExpectValue>("expectation");
    for figure in Figure::ALL {
        engine.register_get(figure.word(), move |signal: &mut Signal| {
            let of = match signal.from {
                Point::Tap(engine::session::Tap::Place(id)) => Some(Target::Place(id)),
                Point::Tap(engine::session::Tap::Instance(id)) => Some(Target::Instance(id)),
                Point::Sum(_) => None,
            };
            FigureValue::of(of, false, figure)
        });
        engine.register_get(figure.word(), move |handle: &mut Handle| {
            let of = match *handle {
                Handle::Cable(id) => Target::Cable(id),
                Handle::Instance(id) => Target::Instance(id),
            };
            FigureValue::of(Some(of), false, figure)
        });
        engine.register_get(figure.word(), move |input: &mut InputValue| {
            FigureValue::of(Some(Target::Place(input.0)), true, figure)
        });
    }
    engine.register_get("input", |signal: &mut Signal| match signal.as_place() {
        Some(place) => Dynamic::from(InputValue(place)),
        None => Dynamic::from(signal.clone()),
    });
}

/// `expect(figure)`.
pub fn expect(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let figure = call.given[0].read_lock::<FigureValue>().map(|figure| figure.clone());
    let FigureValue { of, input, over, figure } = figure.ok_or_else(|| {
        let error = call.wrong_type(0, "a figure of an input, a bus, a cable or an effect");
        error.help("write `expect(master.true_peak).below(-1.dBTP)`; of what has a path, `at(\"voice>band\").lufs`")
    })?;
    let of = of.ok_or_else(|| of_nothing(call.place_of(0)))?;
    let unused = desk::with(|desk| desk.file(call.at).discards(call.at));
    if unused {
        let warning = Diagnostic::warning("thrown-away", call.at, "nothing is expected of it yet");
        let help = "say what: `.below(x)`, `.above(x)` or `.within(x, tolerance)`";
        desk::with(|desk| desk.tell(warning.help(help)));
    }
    Ok(Dynamic::from(ExpectValue { of, input, over, figure, at: call.at }))
}

/// How much a figure is over the same of something else.
pub fn difference(call: &Call, a: &Dynamic, b: &Dynamic) -> Outcome {
    let as_figure = |value: &Dynamic| value.read_lock::<FigureValue>().map(|figure| figure.clone());
    let wrong = |message: String| Diagnostic::error("wrong-type", call.at, message);
    let (Some(a), Some(b)) = (as_figure(a), as_figure(b)) else {
        let error = wrong(format!("{} and {} have no difference", describe(a), describe(b)));
        return Err(
            error.help("expect a difference of two figures: `expect(at(\"voice>band\").rms - keys.rms).above(3)`")
        );
    };
    if call.word != "-" || a.over.is_some() || b.over.is_some() {
        return Err(wrong(format!("figures cannot be reckoned with by `{}`", call.word))
            .help("one can be taken from another of its kind: `voice.rms - keys.rms`"));
    }
    if a.figure != b.figure {
        let (a, b) = (a.figure.word(), b.figure.word());
        return Err(wrong(format!("`{a}` and `{b}` cannot be compared")).help(format!("take `{a}` of both")));
    }
    let of = b.of.ok_or_else(|| of_nothing(call.place_of(1)))?;
    Ok(Dynamic::from(FigureValue { over: Some((of, b.input)), ..a }))
}

fn of_nothing(at: Position) -> Diagnostic {
    let message = "signals that are added have no figures until they are plugged in";
    Diagnostic::error("no-figure", at, message).help("take the figure of the bus that they lead to")
}

/// A method of an expectation, if it is one.
pub fn method(call: &Call, this: &ExpectValue) -> Option<Outcome> {
    let bound = match call.word {
        "above" => one(call, this).map(Bound::Above),
        "below" => one(call, this).map(Bound::Below),
        "within" => within(call, this),
        _ => return None,
    };
    Some(bound.map(|bound| {
        let ExpectValue { of, input, over, figure, at } = this.clone();
        desk::with(|desk| desk.amend(Amend::Expect { of, input, over, figure, bound }, at));
        call.given[0].clone()
    }))
}

fn one(call: &Call, this: &ExpectValue) -> Result<f64, Diagnostic> {
    call.takes(2..=2)?;
    value(call, this, 1)
}

fn within(call: &Call, this: &ExpectValue) -> Result<Bound, Diagnostic> {
    call.takes(3..=3)?;
    let tolerance = match number(&call.given[2]) {
        Some(number) => number,
        None => call.given[2]
            .read_lock::<crate::value::Quantity>()
            .filter(|quantity| quantity.unit.dimension() == engine::units::Dimension::Level)
            .map(|quantity| quantity.number)
            .ok_or_else(|| call.wrong_type(2, "how far off it may be: a number, or dB"))?,
    };
    if !(tolerance >= 0.0 && tolerance.is_finite()) {
        let message = format!("a tolerance of {tolerance} holds nothing");
        return Err(Diagnostic::error("out-of-range", call.place_of(2), message).help("expected 0 or more"));
    }
    Ok(Bound::Within { value: value(call, this, 1)?, tolerance })
}

/// A value that a figure can have.
fn value(call: &Call, this: &ExpectValue, index: usize) -> Result<f64, Diagnostic> {
    let parameter = if this.over.is_some() { this.figure.differences() } else { this.figure.parameter() };
    let accepted = desk::with(|desk| parameter.accept(&spoken(&call.given[index]), &desk.session.clock()));
    match accepted.map_err(|refusal| refusal.diagnostic(call.place_of(index)))?.value {
        Value::Number(number) => Ok(number),
        _ => Err(call.wrong_type(index, &parameter.expected())),
    }
}
