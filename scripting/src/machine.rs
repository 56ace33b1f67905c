//! The Rhai engine: what it knows, what it may not do, and how long.
//!
//! It is built once for the process. Nothing in it belongs to one session: the words reach the session that is being
//! written through [`crate::desk`]. It knows no clock, no files but imports, no random numbers, no output.

use std::any::TypeId;
use std::sync::LazyLock;
use std::time::Instant;

use engine::effects;
use engine::session::MASTER;
use engine::sources;
use engine::units::Unit;
use rhai::packages::{BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, MoreStringPackage, Package};
use rhai::{Dynamic, Engine, Module, NativeCallContext, OptimizationLevel, Scope};

use crate::album::{TrackValue, TracksValue};
use crate::call::{Call, Outcome, told};
use crate::expect::ExpectValue;
use crate::form::{self, SectionValue};
use crate::value::{ControlValue, EffectValue, Handle, PatternValue, Quantity, Signal, SourceValue, is_recipe};
use crate::{album, control, desk, effect, expect, flow, import, number, pattern, trace, words};
use engine::diagnostic::Diagnostic;

/// The most values that a word can be given; more than any takes, so that its own error speaks.
const MOST_ARGUMENTS: usize = 10;

/// After how many operations the time is looked at.
const OPERATIONS: u64 = 32;

/// The longest text that a script makes, in bytes.
pub const MOST_CHARACTERS: usize = 100_000;

/// The most elements of a list, those of the lists in it counted too.
pub const MOST_ELEMENTS: usize = 1_000;

/// The machine that every session is evaluated on.
pub static MACHINE: LazyLock<Engine> = LazyLock::new(build);

fn build() -> Engine {
    let mut engine = Engine::new_raw();
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);

    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_fast_operators(false);
    engine.set_strict_variables(true);
    engine.disable_symbol(">>").register_custom_operator(">>", 20).expect("`>>` is free once it is disabled");

    engine.set_max_operations(500_000);
    engine.set_max_call_levels(48);
    engine.set_max_expr_depths(96, 64);
    engine.set_max_variables(10_000);
    engine.set_max_functions(2_000);
    engine.set_max_modules(100);
    engine.set_max_string_size(MOST_CHARACTERS);
    engine.set_max_array_size(MOST_ELEMENTS);
    engine.set_max_map_size(MOST_ELEMENTS);
    engine.on_progress(|count| {
        // Asking for the time takes longer than most operations do.
        let is_late = count.is_multiple_of(OPERATIONS) && desk::with(|desk| Instant::now() > desk.deadline);
        is_late.then(|| Dynamic::from(OutOfTime))
    });
    engine.set_module_resolver(import::Confined);

    engine.register_type_with_name::<Signal>("signal");
    engine.register_type_with_name::<EffectValue>("effect");
    engine.register_type_with_name::<SourceValue>("source");
    engine.register_type_with_name::<ControlValue>("control");
    engine.register_type_with_name::<PatternValue>("pattern");
    engine.register_type_with_name::<TrackValue>("track");
    engine.register_type_with_name::<TracksValue>("tracks");
    engine.register_type_with_name::<Quantity>("quantity");
    engine.register_type_with_name::<Handle>("handle");
    engine.register_type_with_name::<SectionValue>("section");

    expect::register(&mut engine);
    trace::register(&mut engine);

    let mut constants = Module::new();
    for (name, value) in constants_of_every_text() {
        constants.set_var(name, value);
    }
    engine.register_global_module(constants.into());

    for unit in Unit::ALL {
        engine.register_get(unit.suffix(), move |number: &mut i64| Quantity { number: *number as f64, unit });
        engine.register_get(unit.suffix(), move |number: &mut f64| Quantity { number: *number, unit });
    }
    engine.register_fn("to_string", |quantity: &mut Quantity| quantity.to_string());
    engine.register_fn("to_string", |number: i64| number.to_string());
    engine.register_fn("to_string", |number: f64| Dynamic::from(number).to_string());

    for word in words::callable() {
        for count in 0..=MOST_ARGUMENTS {
            register(&mut engine, word, count, dispatch);
        }
    }
    for count in 0..=MOST_ARGUMENTS {
        let section = |context: NativeCallContext<'_>, given: &mut [&mut Dynamic]| {
            let call = Call::new("section", &context, given);
            form::refuses(&call).map_or(Ok(()), |refused| Err(told(refused)))?;
            form::section(&call, &context)
        };
        engine.register_raw_fn("section", vec![TypeId::of::<Dynamic>(); count], section);
    }
    for (signature, _) in words::FUNCTIONS {
        let name = signature.split('(').next().unwrap_or(signature);
        for count in 0..=3 {
            register(&mut engine, name, count, number::function);
        }
    }
    for operator in ["+", "-", "*", "/", "%", "**", "==", "!=", "<", ">", "<=", ">="] {
        register(&mut engine, operator, 2, number::operator);
    }
    for operator in ["-", "+", "!"] {
        register(&mut engine, operator, 1, number::operator);
    }
    register(&mut engine, ">>", 2, flow::flow);
    engine.register_fn(desk::NEXT_PART, |part: i64| desk::with(|desk| desk.comes_to(part as usize)));
    engine.register_raw_fn("/=", [TypeId::of::<Dynamic>(); 2], |context, given| {
        let call = Call::new("/", &context, given);
        *given[0] = number::operator(&call).map_err(told)?;
        Ok(())
    });
    engine
}

/// What stands for something in every text and function.
fn constants_of_every_text() -> [(&'static str, Dynamic); 3] {
    [("master", Dynamic::from(Signal::place(MASTER))), ("on", Dynamic::from(true)), ("off", Dynamic::from(false))]
}

/// The names that a text may use undeclared.
pub fn scope() -> Scope<'static> {
    let mut scope = Scope::new();
    for (name, value) in constants_of_every_text() {
        scope.push_constant_dynamic(name, value);
    }
    scope
}

/// The mark of an evaluation that took too long.
#[derive(Clone, Copy, Debug)]
pub struct OutOfTime;

fn register(engine: &mut Engine, name: &'static str, count: usize, run: fn(&Call) -> Outcome) {
    engine.register_raw_fn(name, vec![TypeId::of::<Dynamic>(); count], move |context: NativeCallContext<'_>, given| {
        let call = Call::new(name, &context, given);
        form::refuses(&call).map_or(Ok(()), |refused| Err(told(refused)))?;
        let result = trace::call(&call).unwrap_or_else(|| run(&call)).map_err(told)?;
        desk::with(|desk| desk.is_full(call.at)).map_or(Ok(()), |full| Err(told(full)))?;
        if is_recipe(&result) {
            warn_if_discarded(&call);
        }
        Ok(result)
    });
}

/// Gives a call to whoever it is meant for: the object's own method, a word, an effect, a source.
fn dispatch(call: &Call) -> Outcome {
    let is_method = call.is_method();
    if let Some(object) = call.given.first().filter(|_| is_method) {
        let own = if let Some(this) = object.read_lock::<EffectValue>() {
            effect::effect_method(call, &this)
        } else if let Some(this) = object.read_lock::<ControlValue>() {
            control::method(call, &this)
        } else if object.is::<PatternValue>() || object.is_string() {
            pattern::method(call)
        } else if let Some(this) = object.read_lock::<TrackValue>() {
            album::track_method(call, &this)
        } else if let Some(this) = object.read_lock::<ExpectValue>() {
            expect::method(call, &this)
        } else {
            object.read_lock::<SourceValue>().and_then(|this| effect::source_method(call, &this))
        };
        if let Some(outcome) = own {
            return outcome;
        }
        if !object.is::<Signal>() && !object.is_string() && !object.is_array() {
            return Err(effect::no_such_method(call));
        }
    }
    if let Some(run) = words::find(call.word).and_then(|word| word.run) {
        return run(call);
    }
    if let Some(table) = effects::find(call.word).filter(|_| !is_method) {
        return effect::effect(call, table);
    }
    if let Some(table) = sources::find(call.word).filter(|_| !is_method) {
        return effect::source(call, table);
    }
    if is_method {
        return Err(effect::no_such_method(call));
    }
    Err(Diagnostic::error("unknown-word", call.at, format!("there is no word `{}` by itself", call.word))
        .help(format!("`{0}` is set on an effect or a source: `effect.{0}(value)`", call.word)))
}

fn warn_if_discarded(call: &Call) {
    desk::with(|desk| {
        let text = desk.file(call.at);
        if !text.discards(call.at) {
            return;
        }
        let (name, statement) = text.statement_around(call.at);
        let warning = if call.is_method_in(desk) {
            Diagnostic::warning(
                "thrown-away",
                call.at,
                format!("this changes nothing: `.{}` returns a changed value", call.word),
            )
            .help(format!("write `{name} = {statement}`"))
        } else {
            Diagnostic::warning("thrown-away", call.at, format!("`{}` makes a value that nothing uses", call.word))
                .help("let a signal flow into it, or keep it: `let name = ...;`")
        };
        desk.tell(warning);
    });
}
