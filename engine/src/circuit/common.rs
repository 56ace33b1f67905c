//! What all voices of a circuit have in common, taken out of it, so that it is worked out once for all of them.

use super::{Circuit, Clock, Node, Signal};

/// A circuit in two parts.
pub(crate) struct Split {
    /// What is the same for all voices: it has no state, and as many outputs as need be.
    pub common: Circuit,
    /// The rest. What the first part gives are its parameters, after those of the circuit.
    pub each: Circuit,
}

/// For each node whether it is the same for all voices: what knows of the note, hears, or remembers is not.
pub(super) fn even(nodes: &[Node]) -> Vec<bool> {
    let mut even: Vec<bool> = Vec::with_capacity(nodes.len());
    for node in nodes {
        even.push(match node {
            Node::Constant(_) | Node::Parameter(_) | Node::Lfo { clock: Clock::Transport, .. } => true,
            Node::Unary(..) | Node::Binary(..) | Node::Select(..) => node.sources().all(|source| even[source.index()]),
            _ => false,
        });
    }
    even
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
