//! What a strip costs: sessions of 1 to 256 strips, each an eq of four bands and a compressor, rendered in one thread.
//!
//! `cargo bench -p gainstage-tests --bench strips`. The share of one core that a session takes is the time of its
//! rendering over the length of its sound; shares of one run may be compared with each other, not with another machine's.

mod rendering;

use std::path::Path;

use engine::graph::prepare;
use engine::media::Library;

/// Seconds of sound a run.
const SECONDS: f64 = 4.0;

/// Runs of each size, in turn, of which the median counts.
const RUNS: usize = 5;

fn session(strips: usize) -> String {
    let mut text = String::from("let mix = bus(\"mix\");\n");
    for i in 1..=strips {
        let freq = 100 + 3 * i;
        text.push_str(&format!(
            "input(\"in-{i}\", saw({freq}).level(-40)) >> eq().low_shelf(100, 2).bell(400, -3, 1.2).bell(2500, 2, 1)\
             .high_shelf(8000, 1.5) >> compressor(-45, 3) >> mix;\n"
        ));
    }
    text + "mix >> master;\n"
}

/// The share of a core that rendering a session takes.
fn share(text: &str) -> f64 {
    let evaluated = scripting::evaluate_text(Path::new("bench.rhai"), text);
    let session = evaluated.session.expect("the session is right");
    let graph = prepare(session, &Library::new()).graph.expect("the session can sound");
    rendering::time(&graph, SECONDS, 1) / SECONDS
}

fn main() {
    const SIZES: [usize; 5] = [1, 8, 64, 128, 256];
    let mut shares = vec![Vec::new(); SIZES.len()];
    for _ in 0..RUNS {
        for (size, shares) in SIZES.iter().zip(&mut shares) {
            shares.push(share(&session(*size)));
        }
    }
    println!("{:>7} {:>22} {:>22} {:>18}", "strips", "share of a core", "share a strip", "least to most");
    for (size, shares) in SIZES.iter().zip(&mut shares) {
        shares.sort_by(f64::total_cmp);
        let median = shares[RUNS / 2] * 100.0;
        let (least, most) = (shares[0] * 100.0, shares[RUNS - 1] * 100.0);
        println!("{size:>7} {median:>20.2} % {:>20.4} % {least:>8.2}-{most:.2} %", median / *size as f64);
    }
}
