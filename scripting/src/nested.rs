//! Effects that others stand in: `mid_side(effect, effect)` and `multiband().band(1, effect)`.

use engine::diagnostic::Diagnostic;
use engine::nest::{self, Nest};
use engine::session::Effect;
use rhai::Dynamic;

use crate::call::{Call, Outcome};
use crate::effect;
use crate::value::{EffectValue, NestStep, Step};

/// The effect from its arguments: an effect for each branch that has a name.
pub fn effect(call: &Call, effect: Effect, nest: &Nest) -> Outcome {
    call.takes(nest.names.len()..=nest.names.len())?;
    let mut branches = vec![None; nest.branches];
    for (number, branch) in branches.iter_mut().enumerate().take(call.count()) {
        *branch = Some(step(call, number)?);
    }
    Ok(Dynamic::from(EffectValue::new(Step::Nest(Box::new(NestStep { effect, branches })))))
}

/// What only such an effect has; `None` if it has nothing of that name.
pub fn method(call: &Call, this: &mut NestStep) -> Option<Result<(), Diagnostic>> {
    let nest = nest::of(this.effect.table.0)?;
    methods(nest).find(|word| *word == call.word)?;
    Some(if call.word == "band" { band(call, this) } else { crossovers(call, this) })
}

/// The names of what a nest has beside its parameters.
pub fn methods(nest: &'static Nest) -> impl Iterator<Item = &'static str> {
    nest.methods.iter().filter_map(|(signature, _)| signature.strip_prefix('.')?.split('(').next())
}

/// `.band(number, effect)`.
fn band(call: &Call, this: &mut NestStep) -> Result<(), Diagnostic> {
    if call.count() != 3 {
        return Err(wrong_count(call, "`.band(number, effect)`"));
    }
    let count = this.branches.len();
    let number = call.given[1].as_int().map_err(|_| call.wrong_type(1, "the number of a band"))?;
    let known = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).filter(|n| *n < count);
    let Some(branch) = known.and_then(|n| this.branches.get_mut(n)) else {
        let message = format!("there is no band {number}: there are {count}");
        return Err(Diagnostic::error("out-of-range", call.place_of(1), message).help(format!(
            "bands count from 1 to {count}; `.crossovers(...)`, written before, says how many there are"
        )));
    };
    if branch.replace(step(call, 2)?).is_some() {
        return Err(Diagnostic::error("band-twice", call.at, format!("band {number} has its effect already"))
            .help("effects follow one another in one: `.band(1, compressor() >> gain(2))`"));
    }
    Ok(())
}

/// `.crossovers(freq, ...)`.
fn crossovers(call: &Call, this: &mut NestStep) -> Result<(), Diagnostic> {
    let parameters = this.effect.table.0.parameters;
    let most = parameters.iter().filter(|parameter| parameter.name.starts_with("crossover")).count();
    let count = call.count() - 1;
    if !(1..=most).contains(&count) {
        return Err(wrong_count(call, &format!("`.crossovers(freq, ...)` with one frequency to {most}")));
    }
    if let Some(band) = this.branches.iter().skip(count + 1).position(Option::is_some) {
        let message = format!("band {} has an effect, and there are only {}", count + 2 + band, count + 1);
        return Err(
            Diagnostic::error("out-of-range", call.at, message).help("write `.crossovers(...)` before `.band(...)`")
        );
    }
    for (number, parameter) in parameters.iter().enumerate().take(count) {
        this.effect.settings[number] = effect::value(call, parameter, number + 1, 1)?;
    }
    this.branches.resize(count + 1, None);
    Ok(())
}

fn wrong_count(call: &Call, write: &str) -> Diagnostic {
    let message = format!("`.{}` cannot be given {}", call.word, call.count() - 1);
    Diagnostic::error("wrong-arguments", call.at, message).help(format!("write {write}"))
}

/// An effect to stand in a branch.
fn step(call: &Call, index: usize) -> Result<Step, Diagnostic> {
    let effect = call.given[index].read_lock::<EffectValue>();
    let effect = effect.ok_or_else(|| call.wrong_type(index, "an effect"))?;
    match names_cable(&effect.step) {
        true => Err(Diagnostic::error(
            "wrong-type",
            call.place_of(index),
            "no cable leads out of a branch that could be named",
        )
        .help("name the cable behind the whole: `... >> cable(\"name\") >> bus`")),
        false => Ok(effect.step.clone()),
    }
}

fn names_cable(step: &Step) -> bool {
    match step {
        Step::Cable(_) => true,
        Step::Chain(chain) => chain.steps.iter().any(names_cable),
        Step::Effect(_) | Step::Nest(_) | Step::Tap(_) => false,
    }
}
