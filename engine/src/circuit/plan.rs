//! The order in which a machine works a circuit off, and where it keeps what is in between.
//!
//! What no loop needs to know frame by frame is worked off a stretch at a time; what a loop's result depends on and its way
//! back goes into, frame by frame within it. What a loop contains but does not depend on it is worked off before it. A slot
//! holds a quantum; it is used again once what it holds has been read for the last time. Within a loop too: only the frame
//! at hand is overwritten.

use super::common::{even, of_an_age, still};
use super::pass::Pass;
use super::round::Chain;
use super::{Binary, Circuit, Figure, Node, Signal, Unary};

/// One number: of a slot, or constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arg {
    Slot(usize),
    Number(f64),
}

/// What is done in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Note(Figure),
    Parameter(usize),
    Unary(Unary, usize),
    Binary(Binary, Arg, Arg),
    /// `(a f b) g c`, or `c g (a f b)` if it is turned: what lies between is not written down.
    Pair {
        first: Binary,
        second: Binary,
        turned: bool,
        slots: [usize; 3],
    },
    /// `(a f b) g (c h d)`, of sums and products.
    Fork {
        functions: [Binary; 3],
        slots: [usize; 4],
    },
    /// `u(a) f b`, or `b f u(a)` if it is turned.
    Bent {
        inner: Unary,
        function: Binary,
        turned: bool,
        slots: [usize; 2],
    },
    Select(usize, usize, usize),
    /// One of two numbers, as a comparison of two others says.
    Choice(Binary, [usize; 4]),
    /// Work that has a state, by its number; and the slots that it reads.
    State(usize, [usize; 4]),
}

/// The slot of what is not read.
const NOTHING: usize = usize::MAX;

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Op {
        op: Op,
        to: usize,
        /// What it does to many numbers, if it has no state.
        pass: Option<Pass>,
        span: Span,
    },
    /// The body, for each frame; what it leaves in `result` is in `back` at the next.
    Loop {
        state: usize,
        back: usize,
        result: usize,
        body: Vec<Step>,
        /// The body again, if it is so short.
        chain: Option<Chain>,
    },
}

/// Over how many frames a step is to be worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// All of them.
    Whole,
    /// While pitches and gates stay only the first, and the others are the same; they are written only if they are read.
    Still { is_read: bool },
    /// None, where it has been worked out for other lanes of the same age: nothing else is written to its slot.
    OfAnAge,
}

/// Which lanes have the same of what shapes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alike {
    All,
    /// Those of one age.
    OfAnAge,
    None,
}

/// What is to be kept of a node from one frame to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    pub node: Node,
    /// Of all that it is made of but for the first: in which lanes it is the same.
    pub alike: Alike,
    /// Of what it is made of: whether the first frame will do while pitches and gates stay.
    pub still: [bool; 4],
}

/// A circuit in the order of work.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    pub slots: usize,
    /// The slots that hold numbers for good.
    pub numbers: Vec<(usize, f64)>,
    /// Where what comes in is written: each for good.
    pub inputs: Vec<usize>,
    /// What leaves.
    pub outputs: Vec<usize>,
    pub memories: Vec<Memory>,
}

impl Plan {
    /// Not RT.
    pub fn new(circuit: &Circuit) -> Plan {
        let mut planner = Planner::new(circuit);
        let steps = planner.list(None);
        let outputs = circuit.outputs.iter().map(|output| planner.slot(*output)).collect();
        Plan {
            steps,
            slots: planner.slots,
            numbers: planner.numbers,
            inputs: (0..circuit.inputs).collect(),
            outputs,
            memories: planner.memories,
        }
    }
}

/// A plan that is being made.
struct Planner<'a> {
    nodes: &'a [Node],
    /// The innermost loop that each node is worked off in.
    inner: Vec<Option<usize>>,
    /// Whether a node is worked off with the only one that needs it.
    hidden: Vec<bool>,
    /// Whether a node gives the same in all lanes, in lanes of one age, in all frames while pitches and gates stay.
    even: Vec<bool>,
    of_an_age: Vec<bool>,
    still: Vec<bool>,
    /// Of what stays: whether it is read frame by frame nevertheless.
    is_read: Vec<bool>,
    /// For each node, the last step that reads it.
    last: Vec<usize>,
    /// Where each node's result is.
    at: Vec<Option<usize>>,
    /// Steps so far.
    time: usize,
    slots: usize,
    /// Slots to be used again.
    free: Vec<usize>,
    /// Slots that are in use, with the node that is in them.
    used: Vec<(usize, usize)>,
    numbers: Vec<(usize, f64)>,
    memories: Vec<Memory>,
}

/// What is never over.
const FOR_EVER: usize = usize::MAX;

impl<'a> Planner<'a> {
    fn new(circuit: &'a Circuit) -> Self {
        let nodes = &circuit.nodes;
        let inner = innermost(nodes);
        let hidden = hidden(circuit, &inner);
        let mut planner = Planner {
            nodes,
            last: vec![0; nodes.len()],
            at: vec![None; nodes.len()],
            time: 0,
            slots: circuit.inputs,
            free: Vec::new(),
            used: Vec::new(),
            numbers: Vec::new(),
            memories: Vec::new(),
            inner,
            hidden,
            even: even(nodes),
            of_an_age: of_an_age(nodes),
            still: still(nodes),
            is_read: vec![false; nodes.len()],
        };
        circuit.outputs.iter().for_each(|output| planner.is_read[output.index()] = true);
        let mut time = 0;
        planner.read(None, &mut time);
        // A loop's result is what the loop gives: it lasts as long.
        for i in (0..nodes.len()).rev() {
            if circuit.outputs.contains(&Signal(i as u32)) {
                planner.last[i] = FOR_EVER;
            }
            if let Node::Loop { result, .. } = nodes[i] {
                planner.last[result.index()] = planner.last[result.index()].max(planner.last[i]);
            }
        }
        planner
    }

    /// The nodes of a loop, in order.
    fn of(&self, inner: Option<usize>) -> impl Iterator<Item = usize> + use<> {
        let own: Vec<usize> = (0..self.nodes.len()).filter(|i| self.inner[*i] == inner && !self.hidden[*i]).collect();
        own.into_iter()
    }

    /// Notes when each node is read, in the order in which [`Planner::list`] goes through them.
    fn read(&mut self, inner: Option<usize>, time: &mut usize) {
        for i in self.of(inner) {
            if let Node::Loop { back, .. } = self.nodes[i] {
                self.read(Some(back.index()), time);
            }
            *time += 1;
            let shapes = if inner.is_none() { shapes(&self.nodes[i]) } else { [false; 4] };
            for (source, shapes) in self.nodes[i].sources().zip(shapes) {
                self.is_read[source.index()] |= !self.still[i] && !shapes;
                self.last[source.index()] = self.last[source.index()].max(*time);
                for source in self.nodes[source.index()].sources().filter(|_| self.hidden[source.index()]) {
                    self.is_read[source.index()] |= !self.still[i];
                    self.last[source.index()] = self.last[source.index()].max(*time);
                }
            }
        }
    }

    fn list(&mut self, inner: Option<usize>) -> Vec<Step> {
        let mut steps = Vec::new();
        for i in self.of(inner) {
            match self.nodes[i] {
                Node::Loop { back, result } => {
                    let body = self.list(Some(back.index()));
                    let (back, result) = (self.slot(back), self.slot(result));
                    let state = self.memory(i);
                    let chain = Chain::new(&body, back, result, &self.memories);
                    steps.push(Step::Loop { state, back, result, body, chain });
                    self.time += 1;
                    self.at[i] = Some(result);
                }
                node => {
                    let op = self.op(i, node);
                    self.time += 1;
                    let span = if self.still[i] {
                        Span::Still { is_read: self.is_read[i] }
                    } else if self.of_an_age[i] {
                        Span::OfAnAge
                    } else {
                        Span::Whole
                    };
                    let to = match node {
                        Node::Input(channel) => channel,
                        Node::Constant(_) => continue,
                        _ if span == Span::OfAnAge => self.own(i),
                        _ => self.take(i),
                    };
                    self.at[i] = Some(to);
                    let numbers = &self.numbers;
                    steps.extend(op.map(|op| Step::Op { op, to, pass: Pass::new(&op, numbers), span }));
                }
            }
            self.release();
        }
        steps
    }

    /// What is done for a node; nothing for what is there.
    fn op(&mut self, i: usize, node: Node) -> Option<Op> {
        Some(match node {
            Node::Constant(_) | Node::Input(_) | Node::Back | Node::Loop { .. } => return None,
            Node::Note(figure) => Op::Note(figure),
            Node::Parameter(index) => Op::Parameter(index),
            Node::Unary(function, a) => Op::Unary(function, self.slot(a)),
            Node::Binary(second, a, b) if self.hidden[a.index()] && self.hidden[b.index()] => self.fork(second, a, b),
            Node::Binary(second, a, b) if self.hidden[a.index()] => self.pair(second, false, a, b),
            Node::Binary(second, a, b) if self.hidden[b.index()] => self.pair(second, true, b, a),
            Node::Binary(function, a, b) => {
                let (a, b) = match (self.arg(a), self.arg(b)) {
                    (Arg::Number(_), b @ Arg::Number(_)) => (Arg::Slot(self.slot(a)), b),
                    args => args,
                };
                Op::Binary(function, a, b)
            }
            Node::Select(a, b, c) if self.hidden[a.index()] => {
                let (function, of) = self.within(a);
                Op::Choice(function, [of[0], of[1], self.slot(b), self.slot(c)])
            }
            Node::Select(a, b, c) => Op::Select(self.slot(a), self.slot(b), self.slot(c)),
            _ => {
                let mut slots = [NOTHING; 4];
                for (slot, source) in slots.iter_mut().zip(node.sources()) {
                    *slot = self.slot(source);
                }
                Op::State(self.memory(i), slots)
            }
        })
    }

    /// What a hidden node of two does, and the slots that it does it to.
    fn within(&mut self, hidden: Signal) -> (Binary, [usize; 2]) {
        match self.nodes[hidden.index()] {
            Node::Binary(function, a, b) => (function, [self.slot(a), self.slot(b)]),
            // Nothing else is hidden, but for what `pair` sees to.
            _ => (Binary::Add, [self.slot(hidden); 2]),
        }
    }

    fn pair(&mut self, second: Binary, turned: bool, within: Signal, other: Signal) -> Op {
        if let Node::Unary(inner, a) = self.nodes[within.index()] {
            return Op::Bent { inner, function: second, turned, slots: [self.slot(a), self.slot(other)] };
        }
        let (first, [a, b]) = self.within(within);
        Op::Pair { first, second, turned, slots: [a, b, self.slot(other)] }
    }

    fn fork(&mut self, second: Binary, one: Signal, other: Signal) -> Op {
        let ((first, [a, b]), (third, [c, d])) = (self.within(one), self.within(other));
        Op::Fork { functions: [first, second, third], slots: [a, b, c, d] }
    }

    fn memory(&mut self, i: usize) -> usize {
        let node = self.nodes[i];
        let all = |so: &[bool]| node.sources().skip(1).all(|source| so[source.index()]);
        let alike = if all(&self.even) {
            Alike::All
        } else if all(&self.of_an_age) {
            Alike::OfAnAge
        } else {
            Alike::None
        };
        let mut still = if self.inner[i].is_none() { shapes(&node) } else { [false; 4] };
        still.iter_mut().zip(node.sources()).for_each(|(still, source)| *still &= self.still[source.index()]);
        self.memories.push(Memory { node, alike, still });
        self.memories.len() - 1
    }

    fn arg(&mut self, signal: Signal) -> Arg {
        match self.nodes[signal.index()] {
            Node::Constant(value) => Arg::Number(value),
            _ => Arg::Slot(self.slot(signal)),
        }
    }

    /// Where a node's result is; a constant gets its place when it is first needed.
    fn slot(&mut self, signal: Signal) -> usize {
        let i = signal.index();
        match (self.at[i], self.nodes[i]) {
            (Some(slot), _) => slot,
            (None, Node::Constant(value)) => {
                let slot = self.own(i);
                self.numbers.push((slot, value));
                slot
            }
            // Nodes come after what they are made of.
            (None, _) => self.take(i),
        }
    }

    /// A slot for a node alone.
    fn own(&mut self, i: usize) -> usize {
        self.slots += 1;
        self.at[i] = Some(self.slots - 1);
        self.slots - 1
    }

    /// A slot for a node.
    fn take(&mut self, i: usize) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.used.push((slot, i));
        self.at[i] = Some(slot);
        slot
    }

    /// Gives up the slots that have been read for the last time.
    fn release(&mut self) {
        let (time, last) = (self.time, &self.last);
        let over = self.used.extract_if(.., |(_, node)| last[*node] <= time);
        self.free.extend(over.map(|(slot, _)| slot));
    }
}

/// Of what a node is made of: whether it shapes a state that asks for no more than one frame of what stays.
fn shapes(node: &Node) -> [bool; 4] {
    match node {
        Node::Oscillator { .. } => [true; 4],
        Node::Filter { .. } => [false, true, true, true],
        _ => [false; 4],
    }
}

/// For each node the innermost loop that it is worked off in, named by its [`Node::Back`]: of the open loops that it depends
/// on, the one that was opened last.
fn innermost(nodes: &[Node]) -> Vec<Option<usize>> {
    let mut within: Vec<Vec<usize>> = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        let mut loops: Vec<usize> = node.sources().flat_map(|source| within[source.index()].clone()).collect();
        match node {
            Node::Back => loops.push(i),
            Node::Loop { back, .. } => loops.retain(|open| *open != back.index()),
            _ => {}
        }
        loops.sort_unstable();
        loops.dedup();
        within.push(loops);
    }
    within.into_iter().map(|loops| loops.last().copied()).collect()
}

/// What only one other node needs and is worked off with it, in the same loop; none that has such a node itself. Of a sum or
/// product one side that is a sum or product, outside of loops both; there also what is compared to choose, and what is bent
/// before it is added, multiplied or compared.
fn hidden(circuit: &Circuit, inner: &[Option<usize>]) -> Vec<bool> {
    use Binary::{Add, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply, Subtract};
    let nodes = &circuit.nodes;
    let mut readers = vec![0; nodes.len()];
    nodes.iter().flat_map(Node::sources).chain(circuit.outputs.iter().copied()).for_each(|it| readers[it.index()] += 1);
    let is_plain = |i: usize| matches!(nodes[i], Node::Binary(Add | Subtract | Multiply, ..));
    let compares = |i: usize| matches!(nodes[i], Node::Binary(Less | LessOrEqual | Greater | GreaterOrEqual, ..));
    let bends = |i: usize| matches!(nodes[i], Node::Unary(Unary::Abs | Unary::Negate | Unary::Sign, _));
    let mut hidden = vec![false; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        let alone = inner[i].is_none();
        let fits = |hidden: &[bool], own: usize, is: &dyn Fn(usize) -> bool| {
            let hides = nodes[own].sources().any(|source| hidden[source.index()]);
            is(own) && readers[own] == 1 && inner[own] == inner[i] && !hides
        };
        let most = if alone { 2 } else { 1 };
        let mut found: Vec<usize> = Vec::new();
        if is_plain(i) {
            let own = node.sources().map(Signal::index).filter(|own| fits(&hidden, *own, &is_plain));
            found.extend(own.take(most));
        }
        if alone && found.is_empty() && (is_plain(i) || compares(i)) {
            found.extend(node.sources().map(Signal::index).find(|own| fits(&hidden, *own, &bends)));
        }
        if alone && matches!(node, Node::Select(..)) {
            found.extend(node.sources().map(Signal::index).take(1).filter(|own| fits(&hidden, *own, &compares)));
        }
        found.into_iter().for_each(|own| hidden[own] = true);
    }
    hidden
}
