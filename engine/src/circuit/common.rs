//! What all voices of a circuit have in common, taken out of it, so that it is worked out once for all of them.

use super::{Circuit, Clock, Figure, Node, Signal};

/// A circuit in two parts.
pub(crate) struct Split {
    /// What is the same for all voices: it has no state, and as many outputs as need be.
    pub common: Circuit,
    /// The rest. What the first part gives are its parameters, after those of the circuit.
    pub each: Circuit,
}

/// For each node whether it has no state and is made of such alone as are so.
fn made_of(nodes: &[Node], is_so: impl Fn(&Node) -> bool) -> Vec<bool> {
    let mut made: Vec<bool> = Vec::with_capacity(nodes.len());
    for node in nodes {
        made.push(match node {
            Node::Unary(..) | Node::Binary(..) | Node::Select(..) => node.sources().all(|source| made[source.index()]),
            _ => is_so(node),
        });
    }
    made
}

/// For each node whether it is the same for all voices: what knows of the note, hears, or remembers is not.
pub(super) fn even(nodes: &[Node]) -> Vec<bool> {
    let is_even = |node: &Node| {
        matches!(node, Node::Constant(_) | Node::Parameter(_) | Node::Lfo { clock: Clock::Transport, .. })
    };
    made_of(nodes, is_even)
}

/// For each node whether it is the same for all voices that began together.
pub(super) fn of_an_age(nodes: &[Node]) -> Vec<bool> {
    let is_even = |node: &Node| {
        matches!(node, Node::Constant(_) | Node::Parameter(_) | Node::Lfo { .. } | Node::Note(Figure::Age))
    };
    made_of(nodes, is_even)
}

/// For each node whether it stays as it is while the pitch and the gate do.
pub(super) fn still(nodes: &[Node]) -> Vec<bool> {
    let is_still = |node: &Node| match node {
        Node::Note(figure) => *figure != Figure::Age,
        node => matches!(node, Node::Constant(_)),
    };
    made_of(nodes, is_still)
}

impl Split {
    /// Neither part makes other bits than the whole would. Not RT.
    pub(crate) fn new(circuit: &Circuit) -> Split {
        let nodes = &circuit.nodes;
        let even = even(nodes);
        let worth = |i: usize| even[i] && !matches!(nodes[i], Node::Constant(_) | Node::Parameter(_));
        let mut given = vec![false; nodes.len()];
        circuit.outputs.iter().for_each(|output| given[output.index()] = worth(output.index()));
        for (node, _) in nodes.iter().zip(&even).filter(|(_, even)| !**even) {
            node.sources().map(Signal::index).filter(|source| worth(*source)).for_each(|source| given[source] = true);
        }
        let given: Vec<usize> = (0..nodes.len()).filter(|i| given[*i]).collect();
        let outputs = given.iter().map(|i| Signal(*i as u32)).collect();
        let common = Circuit { inputs: 0, nodes: nodes.clone(), outputs, parameters: circuit.parameters.clone() };
        let mut each = circuit.clone();
        for (number, i) in given.into_iter().enumerate() {
            each.nodes[i] = Node::Parameter(circuit.parameters.len() + number);
        }
        Split { common: common.pruned(), each: each.pruned() }
    }
}
