//! How long other programs take.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Seconds of the processor and of the clock that a program takes, which must succeed.
pub fn time(command: &mut Command) -> (f64, f64) {
    let (before, begun) = (of_children(), Instant::now());
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?} fails");
    (of_children() - before, begun.elapsed().as_secs_f64())
}

/// Seconds of the processor that all programs started here have taken: Linux counts them in hundredths.
fn of_children() -> f64 {
    let told = fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let fields: Vec<&str> = told.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("it is a number");
    (ticks(13) + ticks(14)) / 100.0
}
