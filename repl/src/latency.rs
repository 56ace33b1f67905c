//! How late a live input is heard, and what makes it so: the blocks of the device, and every effect of the plan that needs time,
//! or that others wait for.

use engine::graph::{Edge, Graph, Role};
use engine::kernel::QUANTUM;

/// How late one live input is, in frames, piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The input's name.
    pub name: String,
    /// Each piece, and what it is.
    pub pieces: Vec<(String, usize)>,
}

impl Late {
    /// In words: `voice is heard 14.2 ms after it is played: 5.3 buffer, 5.3 cushion, 3.6 master/limiter`.
    pub fn said(&self, rate: u32) -> String {
        let ms = |frames: usize| format!("{:.1}", frames as f64 * 1000.0 / f64::from(rate));
        let whole = self.pieces.iter().map(|(_, frames)| frames).sum();
        let pieces: Vec<String> = self.pieces.iter().map(|(what, frames)| format!("{} {what}", ms(*frames))).collect();
        format!("{} is heard {} ms after it is played: {}", self.name, ms(whole), pieces.join(", "))
    }
}

/// What a milestone of frames is in words, with its sign: `+1.5 ms`.
pub fn milliseconds(frames: i64, rate: u32) -> String {
    format!("{:+.1} ms", frames as f64 * 1000.0 / f64::from(rate))
}

/// By how many frames what is delivered is late against the transport.
pub fn delivered(graph: &Graph) -> usize {
    delivering(graph).map_or(0, |output| graph.nodes[output].late)
}

/// The lowest channel of an output.
pub fn lowest(role: &Role) -> Option<u16> {
    match role {
        Role::Output(channels) => channels.iter().min().copied(),
        _ => None,
    }
}

/// The output with the lowest channels.
fn delivering(graph: &Graph) -> Option<usize> {
    let outputs = graph.nodes.iter().enumerate().filter_map(|(i, node)| Some((lowest(&node.role)?, i)));
    outputs.min().map(|(_, i)| i)
}

/// How late each live input of a graph is that is heard, with a device that is asked for blocks of so many frames.
pub fn of_inputs(graph: &Graph, buffer: u32) -> Vec<Late> {
    let live = graph.nodes.iter().enumerate().filter(|(_, node)| {
        matches!(&node.role, Role::Work { table, recipe, .. } if recipe.channels == 0 && table.word == "device")
    });
    live.filter_map(|(i, node)| {
        let way = way(graph, i)?;
        let mut pieces = device(buffer);
        for (what, frames) in way.into_iter().filter(|(_, frames)| *frames > 0) {
            match pieces.iter_mut().find(|(other, _)| *other == what) {
                Some((_, sum)) => *sum += frames,
                None => pieces.push((what, frames)),
            }
        }
        let name = node.path.split(['/', '#']).next().unwrap_or_default().to_owned();
        Some(Late { name, pieces })
    })
    .collect()
}

/// What is at hand before any of it is played: a block that is being heard, and a cushion of another.
fn device(buffer: u32) -> Vec<(String, usize)> {
    let whole = (2 * buffer as usize).max(2 * QUANTUM);
    let block = buffer as usize;
    vec![("buffer".into(), block), ("cushion".into(), whole - block)]
}

/// What delays the sound of a node on its way to what is delivered, in order. All ways take as long.
fn way(graph: &Graph, from: usize) -> Option<Vec<(String, usize)>> {
    let to = delivering(graph)?;
    let mut came: Vec<Option<&Edge>> = vec![None; graph.nodes.len()];
    for &node in &graph.order {
        for edge in graph.edges.iter().filter(|edge| edge.from == node && edge.feedback.is_none()) {
            let reached = node == from || came[node].is_some();
            if reached && came[edge.to].is_none() {
                came[edge.to] = Some(edge);
            }
        }
    }
    let mut pieces = Vec::new();
    let mut node = to;
    while node != from {
        let edge = came[node]?;
        pieces.push((format!("waiting for others at {}", called(graph, edge.to)), edge.delay));
        node = edge.from;
        pieces.push((called(graph, node), graph.nodes[node].latency));
    }
    pieces.reverse();
    Some(pieces)
}

/// What a person calls a node: by its short form, `master/limiter`.
fn called(graph: &Graph, node: usize) -> String {
    let node = &graph.nodes[node];
    let path = node.piece_of.as_ref().unwrap_or(&node.path);
    match path.split_once('/') {
        Some((cable, effect)) => format!("{}/{effect}", cable.split('>').next().unwrap_or(cable)),
        None => path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::graph_of as graph;

    #[test]
    fn all_that_makes_it_late_is_named_and_adds_up() {
        let graph = graph(
            r#"
            let voice = input("voice", device(1));
            input("a", sine(440)) >> limiter(-1).lookahead(5.ms) >> master;
            voice >> align(1.ms) >> master;
            master >> limiter(-1) >> output(1, 2);
            "#,
        );
        let late = of_inputs(&graph, 256);
        assert_eq!(late.len(), 1);
        let frames: usize = late[0].pieces.iter().map(|(_, frames)| frames).sum();
        assert_eq!(frames, 512 + delivered(&graph), "{late:?}");
        let said = late[0].said(48_000);
        assert!(said.starts_with("voice is heard ") && said.contains(": 5.3 buffer, 5.3 cushion, "), "{said}");
        assert!(said.contains("master/limiter") && said.contains("waiting for others at master"), "{said}");
    }

    #[test]
    fn what_needs_no_time_is_not_named() {
        let graph = graph("input(\"voice\", device(1)) >> fader(-3) >> master;");
        let late = of_inputs(&graph, 32);
        // A small block still waits for two quanta.
        assert_eq!(late[0].pieces, [("buffer".to_owned(), 32), ("cushion".to_owned(), 96)]);
        assert_eq!(late[0].said(48_000), "voice is heard 2.7 ms after it is played: 0.7 buffer, 2.0 cushion");
        assert_eq!(milliseconds(-72, 48_000), "-1.5 ms");
    }
}
