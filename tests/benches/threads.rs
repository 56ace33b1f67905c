//! What several threads gain in a rendering: 64 strips, and a mix of them in groups with a master, each rendered in turn on one
//! thread and on as many as the machine runs at a time; and what the model says of up to 16.
//!
//! `cargo bench -p gainstage-tests --bench threads`. Times are those of the clock on the wall: a machine with much else to do gains
//! less. The model divides what all ops cost by what the dearest part costs, which has the same number of quanta to do.

mod rendering;

use std::path::Path;
use std::thread;

use engine::graph::{Graph, prepare};
use engine::media::Library;
use engine::offline::Offline;

use rendering::time;

/// Seconds of sound a run.
const SECONDS: f64 = 10.0;

/// Runs of each, in turn, of which the median counts.
const RUNS: usize = 5;

const STRIPS: usize = 64;

fn strips(groups: usize, behind: &str) -> String {
    let mut text: String = (0..groups).map(|i| format!("let group{i} = bus(\"group-{i}\");\n")).collect();
    for i in 0..STRIPS {
        text.push_str(&format!(
            "input(\"in-{i}\", saw({}).level(-40)) >> eq().high_pass(30).low_shelf(100, 2).bell(400, -3, 1.2)\
             .bell(2500, 2, 1).high_shelf(8000, 1.5) >> compressor(-45, 3) >> fader(-6) >> pan({}) >> group{};\n",
            100 + 3 * i,
            i as f64 / 32.0 - 1.0,
            i % groups,
        ));
    }
    for i in 0..groups {
        text.push_str(&format!("group{i} {behind} >> master;\n"));
    }
    text
}

fn graph(text: &str) -> Graph {
    let session = scripting::evaluate_text(Path::new("bench.rhai"), text).session.expect("the session is right");
    prepare(session, &Library::new()).graph.expect("the session can sound")
}

fn main() {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let mix = strips(4, ">> compressor(-30, 2)") + "master >> eq().bell(300, -1, 1) >> multiband() >> limiter(-1);\n";
    for (name, text) in [("64 strips", strips(1, "")), ("a mix of them", mix)] {
        let graph = graph(&text);
        let mut gains: Vec<f64> = (0..RUNS).map(|_| time(&graph, SECONDS, 1) / time(&graph, SECONDS, cores)).collect();
        gains.sort_by(f64::total_cmp);
        let (least, median, most) = (gains[0], gains[RUNS / 2], gains[RUNS - 1]);
        println!("{name:<16} {cores} threads: {median:.2} times as fast as one ({least:.2} to {most:.2})");
        let counts = [2, 4, 8, 16];
        let mut offline = Offline::new(&graph, None).expect("the plan proves right");
        let model = offline.growth(&counts);
        let model: Vec<String> =
            counts.iter().zip(model).map(|(count, growth)| format!("{count}: {growth:.1}")).collect();
        println!("{:<16} by the model, {}", "", model.join(", "));
    }
}
