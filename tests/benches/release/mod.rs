//! The optimised program, and how the times that it takes are shown.

use std::path::{Path, PathBuf};

/// The program that `cargo build --release` makes.
pub fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/gainstage")
}

/// The middle and nearly the worst of some times.
pub fn show(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!("{what:<22} median {:>6.2} ms, 99th percentile {:>6.2} ms, worst {:>6.2} ms", at(0.5), at(0.99), at(1.0));
}
