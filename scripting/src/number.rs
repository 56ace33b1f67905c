//! Arithmetic and comparison: of numbers, of quantities, of texts and lists; signals are handed on to [`crate::flow`].

use engine::diagnostic::Diagnostic;
use engine::math;
use engine::units::Unit;
use rhai::{Array, Dynamic};

use crate::call::{Call, Outcome};
use crate::expect::{self, FigureValue};
use crate::flow;
use crate::value::{Handle, Quantity, Signal, describe, is_recipe, number};

/// An operator between two values, or before one.
pub fn operator(call: &Call) -> Outcome {
    match call.given.as_slice() {
        [a] => unary(call, a),
        [a, b] => match call.word {
            "==" => equal(call, a, b).map(Dynamic::from),
            "!=" => equal(call, a, b).map(|same| Dynamic::from(!same)),
            "<" | ">" | "<=" | ">=" => order(call, a, b).map(Dynamic::from),
            _ => binary(call, a, b),
        },
        _ => Err(call.misuse(format!("`{}` stands between two values", call.word))),
    }
}

fn unary(call: &Call, a: &Dynamic) -> Outcome {
    if call.word == "!" {
        return a.as_bool().map(|flag| Dynamic::from(!flag)).map_err(|_| {
            Diagnostic::error("wrong-type", call.at, format!("`!` wants on or off, not {}", describe(a)))
        });
    }
    let sign = if call.word == "-" { -1.0 } else { 1.0 };
    if let Ok(whole) = a.as_int() {
        return if sign < 0.0 {
            whole.checked_neg().map(Dynamic::from).ok_or_else(|| overflow(call))
        } else {
            Ok(a.clone())
        };
    }
    if let Ok(float) = a.as_float() {
        return Ok(Dynamic::from(sign * float));
    }
    if let Some(quantity) = a.read_lock::<Quantity>() {
        return Ok(Dynamic::from(Quantity { number: sign * quantity.number, ..*quantity }));
    }
    match a.read_lock::<Signal>() {
        Some(signal) if sign < 0.0 => flow::invert(&signal, call.at).map(Dynamic::from),
        Some(_) => Ok(a.clone()),
        None => Err(Diagnostic::error(
            "wrong-type",
            call.at,
            format!("`{}` cannot stand before {}", call.word, describe(a)),
        )),
    }
}

fn binary(call: &Call, a: &Dynamic, b: &Dynamic) -> Outcome {
    if let (Ok(x), Ok(y)) = (a.as_int(), b.as_int())
        && let Some(result) = whole(call, x, y)
    {
        return result;
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return plain(call, x, y).map(Dynamic::from);
    }
    if a.is::<Signal>() || b.is::<Signal>() {
        return signals(call, a, b);
    }
    if a.is::<Quantity>() || b.is::<Quantity>() {
        return quantities(call, a, b);
    }
    if a.is::<FigureValue>() || b.is::<FigureValue>() {
        return expect::difference(call, a, b);
    }
    if call.word == "+" {
        if a.is_string() || b.is_string() {
            return Ok(Dynamic::from(format!("{}{}", shown(call, a)?, shown(call, b)?)));
        }
        if let (Some(x), Some(y)) = (a.read_lock::<Array>(), b.read_lock::<Array>()) {
            return Ok(Dynamic::from_array(x.iter().chain(y.iter()).cloned().collect()));
        }
    }
    Err(mismatch(call, a, b))
}

/// Arithmetic of whole numbers, as far as it stays whole: division is exact.
fn whole(call: &Call, x: i64, y: i64) -> Option<Outcome> {
    let checked = |result: Option<i64>| Some(result.map(Dynamic::from).ok_or_else(|| overflow(call)));
    match call.word {
        "+" => checked(x.checked_add(y)),
        "-" => checked(x.checked_sub(y)),
        "*" => checked(x.checked_mul(y)),
        "%" if y != 0 => checked(x.checked_rem(y)),
        "/" if y != 0 && x.checked_rem(y) == Some(0) => checked(x.checked_div(y)),
        "**" => u32::try_from(y).ok().and_then(|y| checked(x.checked_pow(y))),
        _ => None,
    }
}

fn plain(call: &Call, x: f64, y: f64) -> Result<f64, Diagnostic> {
    let result = match call.word {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" | "%" if y == 0.0 => {
            let by = desk_after(call);
            return Err(Diagnostic::error("not-finite", by, "division by zero"));
        }
        "/" => x / y,
        "%" => x % y,
        _ => math::pow(x, y),
    };
    if result.is_finite() { Ok(result) } else { Err(overflow(call)) }
}

fn desk_after(call: &Call) -> engine::diagnostic::Position {
    crate::desk::with(|desk| desk.file(call.at).after(call.at))
}

fn overflow(call: &Call) -> Diagnostic {
    Diagnostic::error("not-finite", call.at, "the result is too large to be a number")
}

fn mismatch(call: &Call, a: &Dynamic, b: &Dynamic) -> Diagnostic {
    let message = format!("`{}` cannot stand between {} and {}", call.word, describe(a), describe(b));
    Diagnostic::error("wrong-type", call.at, message)
}

/// Quantities of one unit add and subtract, scale by numbers, and divide into a number.
fn quantities(call: &Call, a: &Dynamic, b: &Dynamic) -> Outcome {
    let (x, y) = (a.read_lock::<Quantity>().map(|q| *q), b.read_lock::<Quantity>().map(|q| *q));
    let result = match (call.word, x, y, number(a), number(b)) {
        ("+" | "-", Some(x), Some(y), ..) | ("/", Some(x), Some(y), ..) => {
            let Some(y) = convert(y, x.unit) else {
                let message =
                    format!("`{}` cannot stand between {} and {}", call.word, x.unit.suffix(), y.unit.suffix());
                return Err(
                    Diagnostic::error("wrong-unit", call.at, message).help("quantities of one unit add and subtract")
                );
            };
            let result = plain(call, x.number, y)?;
            return Ok(if call.word == "/" {
                Dynamic::from(result)
            } else {
                Dynamic::from(Quantity { number: result, ..x })
            });
        }
        ("*" | "/", Some(x), None, None, Some(y)) => Quantity { number: plain(call, x.number, y)?, ..x },
        ("*", None, Some(y), Some(x), None) => Quantity { number: plain(call, x, y.number)?, ..y },
        ("+" | "-", Some(q), None, None, Some(n)) | ("+" | "-", None, Some(q), Some(n), None) => {
            let message = format!("a number without a unit cannot stand beside one in {}", q.unit.suffix());
            return Err(
                Diagnostic::error("wrong-unit", call.at, message).help(format!("write `{n}.{}`", q.unit.suffix()))
            );
        }
        _ if call.word == "+" && (a.is_string() || b.is_string()) => {
            return Ok(Dynamic::from(format!("{}{}", shown(call, a)?, shown(call, b)?)));
        }
        _ => return Err(mismatch(call, a, b)),
    };
    Ok(Dynamic::from(result))
}

/// The number of a quantity in another unit of the same kind.
fn convert(quantity: Quantity, to: Unit) -> Option<f64> {
    Some(match (quantity.unit, to) {
        (a, b) if a == b => quantity.number,
        (Unit::Milliseconds, Unit::Seconds) | (Unit::Hertz, Unit::Kilohertz) => quantity.number / 1000.0,
        (Unit::Seconds, Unit::Milliseconds) | (Unit::Kilohertz, Unit::Hertz) => quantity.number * 1000.0,
        (Unit::Cents, Unit::Semitones) => quantity.number / 100.0,
        (Unit::Semitones, Unit::Cents) => quantity.number * 100.0,
        _ => return None,
    })
}

fn signals(call: &Call, a: &Dynamic, b: &Dynamic) -> Outcome {
    let (x, y) = (a.read_lock::<Signal>(), b.read_lock::<Signal>());
    let signal = match (call.word, x, y, number(a), number(b)) {
        ("+", Some(x), Some(y), ..) => flow::add(&x, &y, call.at)?,
        ("-", Some(x), Some(y), ..) => flow::add(&x, &flow::invert(&y, call.at)?, call.at)?,
        ("*", Some(x), None, None, Some(k)) | ("*", None, Some(x), Some(k), None) => flow::scale(&x, k, call.at)?,
        ("/", Some(x), None, None, Some(k)) => {
            let factor = plain(call, 1.0, k)?;
            flow::scale(&x, factor, call.at)?
        }
        ("*", ..) if a.is::<Quantity>() || b.is::<Quantity>() => {
            return Err(Diagnostic::error("wrong-type", call.at, "a signal is scaled by a bare number")
                .help("for a level in dB write `signal >> gain(-6.dB)`"));
        }
        _ => return Err(mismatch(call, a, b)),
    };
    Ok(Dynamic::from(signal))
}

/// A value as it stands in a text.
fn shown(call: &Call, value: &Dynamic) -> Result<String, Diagnostic> {
    if is_ours(value) {
        let message = format!("{} cannot stand in a text", describe(value));
        return Err(Diagnostic::error("wrong-type", call.at, message));
    }
    Ok(match value.read_lock::<Quantity>() {
        Some(quantity) => quantity.to_string(),
        None => value.to_string(),
    })
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.number, self.unit.suffix())
    }
}

/// Whether a value is one that cannot be compared.
fn is_ours(value: &Dynamic) -> bool {
    value.is::<Signal>() || value.is::<Handle>() || is_recipe(value)
}

fn equal(call: &Call, a: &Dynamic, b: &Dynamic) -> Result<bool, Diagnostic> {
    if is_ours(a) || is_ours(b) {
        return Err(not_compared(call, a, b));
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(x == y);
    }
    if let (Some(x), Some(y)) = (a.read_lock::<Quantity>(), b.read_lock::<Quantity>()) {
        return Ok(convert(*y, x.unit) == Some(x.number));
    }
    if let (Some(x), Some(y)) = (a.read_lock::<Array>(), b.read_lock::<Array>()) {
        if x.len() != y.len() {
            return Ok(false);
        }
        for (x, y) in x.iter().zip(y.iter()) {
            if !equal(call, x, y)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    Ok(a.type_id() == b.type_id() && a.to_string() == b.to_string())
}

fn order(call: &Call, a: &Dynamic, b: &Dynamic) -> Result<bool, Diagnostic> {
    let ordering = if let (Some(x), Some(y)) = (number(a), number(b)) {
        x.partial_cmp(&y)
    } else if let (Some(x), Some(y)) = (a.read_lock::<Quantity>(), b.read_lock::<Quantity>()) {
        convert(*y, x.unit).and_then(|y| x.number.partial_cmp(&y))
    } else if a.is_string() && b.is_string() {
        Some(a.to_string().cmp(&b.to_string()))
    } else {
        None
    };
    let ordering = ordering.ok_or_else(|| not_compared(call, a, b))?;
    Ok(match call.word {
        "<" => ordering.is_lt(),
        ">" => ordering.is_gt(),
        "<=" => ordering.is_le(),
        _ => ordering.is_ge(),
    })
}

fn not_compared(call: &Call, a: &Dynamic, b: &Dynamic) -> Diagnostic {
    Diagnostic::error("wrong-type", call.at, format!("{} and {} cannot be compared", describe(a), describe(b)))
        .help("numbers, quantities of one unit and texts can be")
}

/// A function of one or two numbers.
pub fn function(call: &Call) -> Outcome {
    let wanted = if matches!(call.word, "min" | "max" | "pow") { 2 } else { 1 };
    if call.count() != wanted {
        let message =
            format!("`{}` takes {wanted} number{}, not {}", call.word, if wanted > 1 { "s" } else { "" }, call.count());
        return Err(Diagnostic::error("wrong-arguments", call.at, message));
    }
    let mut numbers = [0.0; 2];
    for (index, value) in call.given.iter().enumerate() {
        numbers[index] = number(value).ok_or_else(|| call.wrong_type(index, "a number without a unit"))?;
    }
    let [x, y] = numbers;
    if let Some(result) = whole_function(call, x, y) {
        return Ok(result);
    }
    let result = match call.word {
        "abs" => x.abs(),
        "min" => x.min(y),
        "max" => x.max(y),
        "sqrt" => math::sqrt(x),
        "sin" => math::sin(x),
        "cos" => math::cos(x),
        "tan" => math::tan(x),
        "tanh" => math::tanh(x),
        "exp" => math::exp(x),
        "log" => math::ln(x),
        _ => math::pow(x, y),
    };
    if result.is_finite() {
        Ok(Dynamic::from(result))
    } else {
        Err(Diagnostic::error("not-finite", call.place_of(0), format!("`{}` has no finite value here", call.word)))
    }
}

/// Functions whose result is whole: rounding, and what keeps whole numbers whole.
fn whole_function(call: &Call, x: f64, y: f64) -> Option<Dynamic> {
    /// Beyond this a float has no fractions, and a whole number may not hold it.
    const MOST: f64 = 9e15;
    let all_whole = call.given.iter().all(Dynamic::is_int);
    let result = match call.word {
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round" => x.round(),
        "abs" if all_whole => x.abs(),
        "min" if all_whole => x.min(y),
        "max" if all_whole => x.max(y),
        _ => return None,
    };
    Some(if result.abs() < MOST { Dynamic::from(result as i64) } else { Dynamic::from(result) })
}
