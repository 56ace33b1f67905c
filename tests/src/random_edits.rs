//! Random sessions under random edits, valid and invalid, that come before the last has faded or long after.
//!
//! Whatever the edits, nothing panics and nothing steps, what is refused changes nothing, and in the end the desk is, in
//! shape, in numbers and in sound, a cold start of the last text that was right.
//!
//! The cases are the same each time. `GAINSTAGE_CASES=2000` tries so many instead of the ordinary number.

use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::diff;
use engine::graph::{Graph, Role};
use engine::mesh::{Mesh, Phase};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::random_sessions::{Draft, Step, spoilt};
use crate::rehearsal::{Rehearsal, cold};
use crate::sessions::try_graph;
use crate::spectrum::loudest_above;

/// How many cases the ordinary run tries.
const CASES: u32 = 48;

/// Frames after which everything the grammar has is below the last digits: the slowest are loops and reverbs.
const FORGOTTEN: usize = 2 * 48_000;

/// One edit: its steps, the frames until the next, and now and then how its text is spoilt first.
type Edit = (Vec<Step>, usize, Option<u8>);

fn edits() -> impl Strategy<Value = (Vec<Step>, Vec<Edit>)> {
    let step = || (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>());
    let gap = prop_oneof![64..1500usize, 64..12_000usize];
    let edit = (vec(step(), 1..4), gap, proptest::option::weighted(0.25, any::<u8>()));
    (vec(step(), 8..40), vec(edit, 1..7))
}

/// Everything about a node that shapes sound.
fn node_shape(node: &engine::graph::Node) -> String {
    let role = match &node.role {
        Role::Sum => "sum".to_owned(),
        Role::Work { table, recipe, wet } => format!(
            "{} {:?} {:?} {:?} {} in, {} key, wet {wet}",
            table.0.word, recipe.values, recipe.settings, recipe.parts, recipe.channels, recipe.key_channels
        ),
        Role::Blend { wet } => format!("blend, wet {wet}"),
        Role::Output(channels) => format!("output {channels:?}"),
        Role::Send(channels) => format!("send {channels:?}"),
    };
    let (names, channels, latency, tail, late) = (&node.names, node.channels, node.latency, node.tail, node.late);
    format!("{names:?} {role}, {channels} out, latency {latency}, tail {tail}, late {late}")
}

/// A mesh as text, without identities.
fn shape(mesh: &Mesh) -> Vec<String> {
    let path = |id| mesh.node(id).map_or("nothing", |node| node.node.path.as_str());
    let nodes = mesh.nodes.iter().map(|node| format!("{} {}", node.current, node_shape(&node.node)));
    let edges = mesh.edges.iter().map(|edge| {
        let (from, to) = (path(edge.from), path(edge.to));
        let phase = if edge.phase == Phase::Steady { "" } else { ", not steady" };
        format!(
            "{from} > {to} {:?} {} {} at {}, delay {}, loop {:?}{phase}",
            edge.port, edge.path, edge.label, edge.gain, edge.delay, edge.feedback
        )
    });
    let mut shape: Vec<String> = nodes.chain(edges).collect();
    shape.sort();
    shape
}

/// The lines that one has and the other has not.
fn difference(running: &[String], cold: &[String]) -> String {
    let only = |a: &[String], b: &[String], sign| -> Vec<String> {
        a.iter().filter(|line| !b.contains(line)).map(|line| format!("{sign} {line}")).collect()
    };
    [only(running, cold, "+"), only(cold, running, "-")].concat().join("\n")
}

/// A draft that is edited, and the texts that came of it for people to read.
struct Play<'a> {
    draft: Draft,
    told: &'a mut String,
}

impl Play<'_> {
    /// Takes the steps one by one, as far as they lead to something valid: the graph and text of where they lead.
    fn begin(&mut self, steps: &[Step]) -> Option<(Graph, String)> {
        let mut last = None;
        for step in steps {
            let mut next = self.draft.clone();
            next.step(*step);
            let text = next.text();
            if let Ok(graph) = try_graph(&text) {
                (self.draft, last) = (next, Some((graph, text)));
            }
        }
        *self.told = format!("--- it starts with\n{}", self.draft.text());
        last
    }

    /// The graph and text that some steps lead to, if it is right.
    fn edit(&mut self, steps: &[Step], frame: u64) -> Option<(Graph, String)> {
        let mut next = self.draft.clone();
        steps.iter().for_each(|step| next.step(*step));
        let text = next.text();
        let graph = try_graph(&text).ok()?;
        *self.told += &format!("--- at {frame}\n{text}");
        self.draft = next;
        Some((graph, text))
    }
}

fn check(steps: &[Step], edits: &[Edit], told: &mut String) -> Result<(), TestCaseError> {
    let mut play = Play { draft: Draft::default(), told };
    let Some((mut last, mut text)) = play.begin(steps) else { return Ok(()) };
    let mut rehearsal = Rehearsal::of(&last);
    rehearsal.run(9600);
    for (steps, gap, spoil) in edits {
        if let Some(how) = spoil {
            let spoilt = spoilt(&text, *how);
            if let Ok(graph) = try_graph(&spoilt) {
                *play.told += &format!("--- at {}\n{spoilt}", rehearsal.now());
                rehearsal.edit_graph(&graph);
                (last, text) = (graph, spoilt);
            }
        }
        if let Some((graph, right)) = play.edit(steps, rehearsal.now()) {
            rehearsal.edit_graph(&graph);
            (last, text) = (graph, right);
        }
        rehearsal.run(*gap);
    }
    while !rehearsal.is_settled() {
        rehearsal.run(4800);
    }
    for sound in &rehearsal.sound {
        prop_assert!(sound.iter().all(|x| x.is_finite()));
        let above = loudest_above(&sound[4800..], 5000.0);
        prop_assert!(above < -80.0, "{above:.1} dBFS above 5 kHz");
    }
    let (running, fresh) = (shape(rehearsal.desk().mesh()), shape(&diff::first(&last, 0)));
    prop_assert!(running == fresh, "the desk is not a cold start:\n{}", difference(&running, &fresh));
    rehearsal.run(FORGOTTEN);
    let cold = cold(&text, rehearsal.now() as usize);
    for (running, cold) in rehearsal.sound.iter().zip(&cold) {
        let tail = cold.len() - 4800;
        let most = running[tail..].iter().zip(&cold[tail..]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        prop_assert!(most < 1e-9, "{most} off a cold start");
    }
    Ok(())
}

#[test]
fn after_any_edits_the_desk_is_a_cold_start_of_the_last_valid_text_and_nothing_has_stepped() {
    let cases = std::env::var("GAINSTAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(failed) = runner.run(&edits(), |(steps, edits)| check(&steps, &edits, &mut String::new())) {
        let TestError::Fail(why, (steps, edits)) = failed else { panic!("{failed}") };
        // The texts say more than the numbers that they were made of.
        let mut told = String::new();
        let _ = catch_unwind(AssertUnwindSafe(|| check(&steps, &edits, &mut told)));
        panic!("{why}\n{told}");
    }
}
