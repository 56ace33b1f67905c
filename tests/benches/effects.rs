//! What each effect costs: its own example, on eight stereo cables, against the same cables without it.
//!
//! `cargo bench -p gainstage-tests --bench effects` prints the table that the page of words shows; with `-- --write` it takes
//! the place of `scripting/src/costs.tsv`. Figures of one run may be compared with each other, not with another machine's:
//! what tells most is the ratio to a `high_pass` that ran beside them.

mod rendering;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use engine::effects::EFFECTS;
use engine::graph::{Graph, prepare};
use engine::media::Library;

/// Seconds of sound a run.
const SECONDS: f64 = 1.0;

/// Runs of each, in turn, of which the median counts.
const RUNS: usize = 5;

/// Cables, of two channels each.
const CABLES: usize = 8;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The cables with a chain on each of them.
fn graph(chain: &str) -> Graph {
    let mut text = String::from("let x = bus(\"x\"); input(\"in\", noise(\"pink\")) >> x;\n");
    for cable in 0..CABLES {
        text += &format!("x{chain} >> cable(\"{cable}\") >> master;\n");
    }
    let evaluated = scripting::evaluate_text(&root().join("examples/bench.rhai"), &text);
    let session = evaluated.session.unwrap_or_else(|| panic!("{text}\n{:?}", evaluated.diagnostics));
    prepare(session, &Library::new()).graph.expect("the session can sound")
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    // An insert costs what its device does, and there is one for each pair of channels; a looper that has recorded nothing
    // does nothing.
    let measured = EFFECTS.iter().filter(|table| !["insert", "looper"].contains(&table.word));
    let chains = measured.map(|table| (table.word, table.example.strip_prefix('x').unwrap_or(table.example)));
    let works: Vec<(&str, Graph)> =
        [("", "")].into_iter().chain(chains).map(|(word, chain)| (word, graph(chain))).collect();
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..RUNS {
        times.iter_mut().zip(&works).for_each(|(times, (_, graph))| times.push(rendering::time(graph, SECONDS, 1)));
    }
    let times: Vec<f64> = times.into_iter().map(median).collect();
    let share = |n: usize| (times[n] - times[0]).max(0.0) / (SECONDS * 2.0 * CABLES as f64);
    let measure = works.iter().position(|(word, _)| *word == "high_pass").map_or(1.0, share);
    let mut table = String::from("# effect\tpercent of a core for one channel\ttimes a high_pass\n");
    for (n, (word, _)) in works.iter().enumerate().skip(1) {
        let _ = writeln!(table, "{word}\t{:.4}\t{:.2}", share(n) * 100.0, share(n) / measure);
    }
    print!("{table}");
    if std::env::args().any(|argument| argument == "--write") {
        std::fs::write(root().join("scripting/src/costs.tsv"), table).expect("the table can be written");
    }
}
