//! Short loops of sums and products, such as one-pole filters and the recursive half of a biquad.
//!
//! Frame by frame such a loop is a chain: what it gave goes through up to three sums or products, each with a number that is
//! known beforehand or with what the loop gave two frames ago. A chain's numbers stay in registers, and it waits for its own
//! arithmetic only. It does exactly what the steps that it stands for do: a difference is the sum with what is negated, and
//! what is multiplied by 1 stays as it is, to the last bit.

use super::machine::Slot;
use super::plan::{Arg, Memory, Op, Step};
use super::{Binary, Node};
use crate::kernel::QUANTUM;
use crate::wide::wide;

/// How many sums and products there are at most.
const MOST: usize = 3;

/// From how many lanes on there is something to be gained by wide registers: frames wait for each other.
const WIDE: usize = 4;

/// A loop that is a chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    stages: Vec<Stage>,
    /// The state that remembers what the loop gave two frames ago.
    pub memory: Option<usize>,
}

/// One sum or product.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stage {
    kind: Kind,
    with: With,
    /// -1 where what is met is taken away, else 1.
    sign: f64,
}

/// What is done with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    /// It is taken away from what it meets.
    From,
    Multiply,
}

/// Code for each kind. RT.
macro_rules! with_kind {
    ($kind:expr, $f:ident => $do:expr) => {
        match $kind {
            Kind::Add => {
                let $f = add;
                $do
            }
            Kind::From => {
                let $f = from;
                $do
            }
            Kind::Multiply => {
                let $f = multiply;
                $do
            }
        }
    };
}
/// What a chain meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum With {
    /// A product: of a number, of what is in a slot, and of what the loop gave two frames ago, where there are these.
    Product { number: f64, slot: Option<usize>, before: bool },
    /// What the loop gave.
    Back,
}

/// What is known of a number in a loop.
#[derive(Clone, Copy, PartialEq)]
enum Value {
    /// It is in a slot before the loop begins.
    Slot(usize),
    Number(f64),
    Back,
    BackBefore,
    /// The result of an operation, by its number.
    Made(usize),
}

impl Chain {
    /// The chain that a loop is, if it is one.
    pub(super) fn new(body: &[Step], back: usize, result: usize, memories: &[Memory]) -> Option<Chain> {
        let (mut made, mut at, mut memory) = (Vec::new(), Vec::new(), None);
        let find = |at: &[(usize, Value)], slot: usize| {
            let found = at.iter().rev().find(|(place, _)| *place == slot).map(|(_, value)| *value);
            found.unwrap_or(if slot == back { Value::Back } else { Value::Slot(slot) })
        };
        for step in body {
            let Step::Op { op, to, .. } = step else { return None };
            let value = match *op {
                Op::Binary(function, a, b) => {
                    let [a, b] = [a, b].map(|arg| match arg {
                        Arg::Slot(slot) => find(&at, slot),
                        Arg::Number(number) => Value::Number(number),
                    });
                    made.push((function, a, b));
                    Value::Made(made.len() - 1)
                }
                Op::Pair { first, second, turned, slots } => {
                    let [a, b, c] = slots.map(|slot| find(&at, slot));
                    made.push((first, a, b));
                    let inner = Value::Made(made.len() - 1);
                    made.push(if turned { (second, c, inner) } else { (second, inner, c) });
                    Value::Made(made.len() - 1)
                }
                Op::State(state, [a, ..])
                    if matches!(memories[state].node, Node::Delay1(_)) && find(&at, a) == Value::Back =>
                {
                    memory = Some(state);
                    Value::BackBefore
                }
                _ => return None,
            };
            at.push((*to, value));
        }
        let is_plain = |function: Binary| matches!(function, Binary::Add | Binary::Subtract | Binary::Multiply);
        if made.iter().any(|(function, ..)| !is_plain(*function)) {
            return None;
        }
        let product = |value: Value, before: bool| match value {
            Value::Slot(slot) => Some(With::Product { number: 1.0, slot: Some(slot), before }),
            Value::Number(number) => Some(With::Product { number, slot: None, before }),
            _ => None,
        };
        let with = |value: Value| match value {
            Value::BackBefore => product(Value::Number(1.0), true),
            Value::Made(number) => match made[number] {
                (Binary::Multiply, Value::BackBefore, other) => product(other, true),
                (Binary::Multiply, other, Value::BackBefore) => product(other, true),
                _ => None,
            },
            other => product(other, false),
        };
        // From the end backwards: what the loop gave itself is met only by the last.
        let mut stages = Vec::new();
        let mut value = find(&at, result);
        while value != Value::Back {
            let Value::Made(number) = value else { return None };
            let (function, a, b) = made[number];
            let last = |value: Value| (stages.is_empty() && value == Value::Back).then_some(With::Back);
            let (with, is_right, next) = if let Some(with) = with(b) {
                (with, true, a)
            } else if let Some(with) = with(a) {
                (with, false, b)
            } else if let Some(with) = last(b) {
                (with, true, a)
            } else {
                (last(a)?, false, b)
            };
            let kind = match function {
                Binary::Multiply => Kind::Multiply,
                Binary::Subtract if !is_right => Kind::From,
                _ => Kind::Add,
            };
            let sign = if function == Binary::Subtract && is_right { -1.0 } else { 1.0 };
            stages.push(Stage { kind, with, sign });
            if stages.len() > MOST {
                return None;
            }
            value = next;
        }
        stages.reverse();
        Some(Chain { stages, memory })
    }

    /// Goes round for some frames: `given` and `before` are what the loop gave one and two frames ago. RT.
    pub(super) fn run<const L: usize>(
        &self,
        out: &mut [[f64; L]],
        slots: &[Slot<L>],
        from: usize,
        given: &mut [f64; L],
        before: &mut [f64; L],
    ) {
        // The last stage is the last; what is missing is missing before.
        let missing = MOST - self.stages.len();
        let stage = |place: usize| place.checked_sub(missing).and_then(|place| self.stages.get(place));
        let turns = std::array::from_fn(|place| Turn::new(stage(place), slots, from, out.len()));
        let kind = |place: usize| stage(place).map_or(Kind::Multiply, |stage| stage.kind);
        let ends = stage(MOST - 1).is_some_and(|stage| stage.with == With::Back);
        let round = Round { out, turns, given, before };
        if missing > 0 {
            round.first(leave, kind(1), kind(2), ends);
        } else {
            with_kind!(kind(0), f => round.first(f, kind(1), kind(2), ends));
        }
    }
}

/// RT.
#[inline(always)]
fn from(a: f64, b: f64) -> f64 {
    b - a
}

/// RT.
#[inline(always)]
fn add(a: f64, b: f64) -> f64 {
    a + b
}

/// RT.
#[inline(always)]
fn multiply(a: f64, b: f64) -> f64 {
    a * b
}

/// RT.
#[inline(always)]
fn leave(a: f64, _: f64) -> f64 {
    a
}

/// One stage over some frames.
#[derive(Clone, Copy)]
struct Turn<'a, const L: usize> {
    of: &'a [[f64; L]],
    number: f64,
    /// 1 if what the loop gave two frames ago is a factor, else 0.
    looks_back: usize,
}

/// What a product without a slot is a product with.
struct Ones<const L: usize>;

impl<const L: usize> Ones<L> {
    const BLOCK: [[f64; L]; QUANTUM] = [[1.0; L]; QUANTUM];
}

impl<'a, const L: usize> Turn<'a, L> {
    /// RT.
    fn new(stage: Option<&Stage>, slots: &'a [Slot<L>], from: usize, count: usize) -> Self {
        let ones: &'static [[f64; L]] = &Ones::<L>::BLOCK[..count];
        let (of, number, before) = match stage.map(|stage| stage.with) {
            Some(With::Product { number, slot, before }) => {
                (slot.map_or(ones, |slot| &slots[slot][from..from + count]), number, before)
            }
            Some(With::Back) | None => (ones, 1.0, false),
        };
        let number = number * stage.map_or(1.0, |stage| stage.sign);
        Turn { of, number, looks_back: usize::from(before) }
    }

    /// What the chain meets, of what may be a factor: nothing, or what the loop gave two frames ago. RT.
    #[inline(always)]
    fn with(&self, x: f64, lane: usize, factors: &[[f64; L]; 2]) -> f64 {
        x * (self.number * factors[self.looks_back & 1][lane])
    }
}

/// What goes round for some frames.
struct Round<'a, const L: usize> {
    out: &'a mut [[f64; L]],
    turns: [Turn<'a, L>; MOST],
    given: &'a mut [f64; L],
    before: &'a mut [f64; L],
}

impl<const L: usize> Round<'_, L> {
    /// RT.
    #[inline(always)]
    fn first(self, first: impl Fn(f64, f64) -> f64 + Copy, second: Kind, third: Kind, ends: bool) {
        with_kind!(second, second => with_kind!(third, third => match ends {
            true => self.run::<true>(first, second, third),
            false => self.run::<false>(first, second, third),
        }));
    }

    /// RT.
    #[inline(never)]
    fn run<const ENDS: bool>(
        self,
        first: impl Fn(f64, f64) -> f64,
        second: impl Fn(f64, f64) -> f64,
        third: impl Fn(f64, f64) -> f64,
    ) {
        if L < WIDE {
            return self.go::<ENDS>(first, second, third);
        }
        wide(
            #[inline(always)]
            || self.go::<ENDS>(first, second, third),
        );
    }

    /// RT.
    #[inline(always)]
    fn go<const ENDS: bool>(
        self,
        first: impl Fn(f64, f64) -> f64,
        second: impl Fn(f64, f64) -> f64,
        third: impl Fn(f64, f64) -> f64,
    ) {
        let [a, b, c] = self.turns;
        let mut given = *self.given;
        let mut factors = [[1.0; L], *self.before];
        for (((out, x), y), z) in self.out.iter_mut().zip(a.of).zip(b.of).zip(c.of) {
            let mut next = [0.0; L];
            for lane in 0..L {
                let back = given[lane];
                let chain = first(back, a.with(x[lane], lane, &factors));
                let chain = second(chain, b.with(y[lane], lane, &factors));
                let last = if ENDS { back * c.number } else { c.with(z[lane], lane, &factors) };
                next[lane] = third(chain, last);
            }
            factors[1] = given;
            given = next;
            *out = given;
        }
        (*self.given, *self.before) = (given, factors[1]);
    }
}
