//! One step over many numbers: what has no state does the same to each, so that the compiler works on several at a time.
//!
//! Which function it is, and which of its numbers are constants, is settled when a machine is built: what runs is one loop.

use std::fmt;
use std::sync::Arc;

use super::functions::{self, cos, exp, floor, select, sin, tanh, truth};
use super::functions::{with_binary, with_comparison, with_pair, with_plain, with_unary};
use super::plan::{Arg, Op};
use super::{Binary, Unary};
use crate::math;
use crate::wide::wide;

/// A step without a state: the slots that it reads, and what it makes of them, number by number.
#[derive(Clone)]
pub(super) enum Pass {
    One(usize, Arc<Of1>),
    Two([usize; 2], Arc<Of2>),
    Three([usize; 3], Arc<Of3>),
    Four([usize; 4], Arc<Of4>),
}

type Of1 = dyn Fn(&mut [f64], &[f64]) + Send + Sync;
type Of2 = dyn Fn(&mut [f64], &[f64], &[f64]) + Send + Sync;
type Of3 = dyn Fn(&mut [f64], &[f64], &[f64], &[f64]) + Send + Sync;
type Of4 = dyn Fn(&mut [f64], [&[f64]; 4]) + Send + Sync;

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pass::One(a, _) => write!(f, "Pass {a}"),
            Pass::Two(of, _) => write!(f, "Pass {of:?}"),
            Pass::Three(of, _) => write!(f, "Pass {of:?}"),
            Pass::Four(of, _) => write!(f, "Pass {of:?}"),
        }
    }
}

impl Pass {
    /// Of an operation, where it is one without a state; and of the slots that hold numbers for good.
    pub(super) fn new(op: &Op, numbers: &[(usize, f64)]) -> Option<Pass> {
        let number = |slot: usize| numbers.iter().find(|(number, _)| *number == slot).map(|(_, value)| *value);
        Some(match *op {
            Op::Unary(function, a) => Pass::One(a, Arc::new(move |out, a| unary(function, out, a))),
            Op::Binary(function, a, b) => with_binary!(function, f => match (a, b) {
                (Arg::Slot(a), Arg::Slot(b)) => two(a, b, f),
                (Arg::Slot(a), Arg::Number(b)) => one(a, move |a| f(a, b)),
                (Arg::Number(a), Arg::Slot(b)) => one(b, move |b| f(a, b)),
                // The planner writes one of two numbers into a slot.
                (Arg::Number(_), Arg::Number(_)) => return None,
            }),
            Op::Pair { first, second, turned, slots } => {
                let mut pass = None;
                let [a, b, c] = slots;
                with_pair!(first, second, turned, f => pass = Some(match slots.map(number) {
                    [None, None, Some(c)] => two(a, b, move |a, b| f(a, b, c)),
                    [None, Some(b), None] => two(a, c, move |a, c| f(a, b, c)),
                    [Some(a), None, None] => two(b, c, move |b, c| f(a, b, c)),
                    [None, Some(b), Some(c)] => one(a, move |a| f(a, b, c)),
                    [Some(a), None, Some(c)] => one(b, move |b| f(a, b, c)),
                    // What comes twice is read once.
                    _ if a == b && a == c => one(a, move |a| f(a, a, a)),
                    _ if a == b => two(a, c, move |a, c| f(a, a, c)),
                    _ => three(slots, f),
                }));
                return pass;
            }
            Op::Fork { functions: [f, g, h], slots } => {
                let [a, _, c, _] = slots;
                with_plain!(f, f => with_plain!(g, g => with_plain!(h, h => match slots.map(number) {
                    [None, Some(b), None, Some(d)] => two(a, c, move |a, c| g(f(a, b), h(c, d))),
                    _ => four(slots, move |a, b, c, d| g(f(a, b), h(c, d))),
                })))
            }
            Op::Bent { inner, function, turned, slots } => match inner {
                Unary::Abs => bent(function, turned, slots, number(slots[1]), f64::abs)?,
                Unary::Negate => bent(function, turned, slots, number(slots[1]), |x| -x)?,
                _ => bent(function, turned, slots, number(slots[1]), |x| truth(x > 0.0) - truth(x < 0.0))?,
            },
            Op::Select(a, b, c) => three([a, b, c], select),
            Op::Choice(function, slots) => with_comparison!(function, f => {
                four(slots, move |a, b, yes, no| if f(a, b) { yes } else { no })
            }),
            _ => return None,
        })
    }

    /// What it makes of what is in its slots. RT.
    #[inline(always)]
    pub(super) fn run<'a>(&self, out: &mut [f64], of: impl Fn(usize) -> &'a [f64]) {
        match self {
            Pass::One(a, run) => run(out, of(*a)),
            Pass::Two([a, b], run) => run(out, of(*a), of(*b)),
            Pass::Three([a, b, c], run) => run(out, of(*a), of(*b), of(*c)),
            Pass::Four([a, b, c, d], run) => run(out, [of(*a), of(*b), of(*c), of(*d)]),
        }
    }
}

/// `u(a) f b`, of sums, products and comparisons; of two slots, or of one and a number.
fn bent(
    function: Binary,
    turned: bool,
    [a, b]: [usize; 2],
    number: Option<f64>,
    u: impl Fn(f64) -> f64 + Copy + Send + Sync + 'static,
) -> Option<Pass> {
    macro_rules! pass {
        ($f:expr) => {
            match (number, turned) {
                (None, false) => two(a, b, move |a, b| $f(u(a), b)),
                (None, true) => two(a, b, move |a, b| $f(b, u(a))),
                (Some(b), false) => one(a, move |a| $f(u(a), b)),
                (Some(b), true) => one(a, move |a| $f(b, u(a))),
            }
        };
    }
    Some(match function {
        Binary::Add | Binary::Subtract | Binary::Multiply => with_plain!(function, f => pass!(f)),
        _ => with_comparison!(function, f => pass!(|a, b| truth(f(a, b)))),
    })
}

fn one(a: usize, f: impl Fn(f64) -> f64 + Copy + Send + Sync + 'static) -> Pass {
    Pass::One(a, Arc::new(move |out, a| each(out, a, f)))
}

fn two(a: usize, b: usize, f: impl Fn(f64, f64) -> f64 + Copy + Send + Sync + 'static) -> Pass {
    Pass::Two([a, b], Arc::new(move |out, a, b| each2(out, a, b, f)))
}

fn three(slots: [usize; 3], f: impl Fn(f64, f64, f64) -> f64 + Copy + Send + Sync + 'static) -> Pass {
    Pass::Three(slots, Arc::new(move |out, a, b, c| each3(out, a, b, c, f)))
}

fn four(slots: [usize; 4], f: impl Fn(f64, f64, f64, f64) -> f64 + Copy + Send + Sync + 'static) -> Pass {
    Pass::Four(slots, Arc::new(move |out, of| each4(out, of, f)))
}

/// RT.
fn unary(function: Unary, out: &mut [f64], a: &[f64]) {
    use functions::{can_exp, can_turn, cos_within, exp_within, sin_within};
    match function {
        Unary::Sin => each_within(out, a, sin_within, can_turn, functions::sin),
        Unary::Cos => each_within(out, a, cos_within, can_turn, functions::cos),
        Unary::Exp => each_within(out, a, exp_within, can_exp, functions::exp),
        _ => with_unary!(function, f => each(out, a, f)),
    }
}

/// RT.
#[inline(always)]
fn each(out: &mut [f64], a: &[f64], f: impl Fn(f64) -> f64 + Copy) {
    wide(
        #[inline(always)]
        move || {
            for (out, a) in out.iter_mut().zip(a) {
                *out = f(*a);
            }
        },
    );
}

/// RT.
#[inline(always)]
fn each2(out: &mut [f64], a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64 + Copy) {
    wide(
        #[inline(always)]
        move || {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = f(*a, *b);
            }
        },
    );
}

/// RT.
#[inline(always)]
fn each3(out: &mut [f64], a: &[f64], b: &[f64], c: &[f64], f: impl Fn(f64, f64, f64) -> f64 + Copy) {
    wide(
        #[inline(always)]
        move || {
            for (((out, a), b), c) in out.iter_mut().zip(a).zip(b).zip(c) {
                *out = f(*a, *b, *c);
            }
        },
    );
}

/// RT.
#[inline(always)]
fn each4(out: &mut [f64], [a, b, c, d]: [&[f64]; 4], f: impl Fn(f64, f64, f64, f64) -> f64 + Copy) {
    wide(
        #[inline(always)]
        move || {
            for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out = f(*a, *b, *c, *d);
            }
        },
    );
}

/// What is quick within a range and right beyond it. RT.
#[inline(always)]
fn each_within(
    out: &mut [f64],
    a: &[f64],
    quick: impl Fn(f64) -> f64,
    can: impl Fn(f64) -> bool,
    right: impl Fn(f64) -> f64,
) {
    let can = wide(
        #[inline(always)]
        || {
            let mut all = true;
            for (out, a) in out.iter_mut().zip(a) {
                *out = quick(*a);
                all &= can(*a);
            }
            all
        },
    );
    if !can {
        out.iter_mut().zip(a).for_each(|(out, a)| *out = right(*a));
    }
}
