//! What a text costs, before it is played: a moment of it is rendered offline, beside the one that plays, as often as it takes for
//! the figures to settle.

use std::time::{Duration, Instant};

use engine::graph::Graph;
use engine::kernel::QUANTUM;
use engine::offline::Offline;
use engine::verify::Flaw;

/// Seconds of sound that are rendered, and how often.
pub const SECONDS: f64 = 0.5;
const TIMES: usize = 4;

/// By which part of a load another must differ to be told from it.
const UNSURE: f64 = 0.15;

/// How long it may take at most: a text that takes longer than it sounds is known to be too much by then.
const PATIENCE: Duration = Duration::from_secs(4);

/// The shares of the sound's own time that two texts take: 1 is all of it. Of each the least of several is taken, for whatever
/// else the machine does only adds to it.
///
/// # Errors
/// When a compiled plan does not prove right.
pub fn shares(now: &Graph, planned: &Graph) -> Result<(f64, f64), Flaw> {
    let begun = Instant::now();
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..TIMES {
        least.0 = least.0.min(share(now)?);
        least.1 = least.1.min(share(planned)?);
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
    Ok(least)
}

fn share(graph: &Graph) -> Result<f64, Flaw> {
    let mut offline = Offline::new(graph, None)?;
    let quanta = (SECONDS * graph.clock.rate) as usize / QUANTUM;
    // What is read and built at first is not what it costs.
    offline.step(&[]);
    let begun = Instant::now();
    for _ in 0..quanta {
        offline.step(&[]);
    }
    Ok(begun.elapsed().as_secs_f64() / (quanta * QUANTUM) as f64 * graph.clock.rate)
}

/// The difference in words.
pub fn said((now, planned): (f64, f64)) -> String {
    let (now, planned) = (now * 100.0, planned * 100.0);
    let by = planned - now;
    // Other work on the machine moves a figure by a tenth and more.
    let what = match by.abs() < 0.1 || by.abs() < UNSURE * now {
        true => "about the same load as now".into(),
        false => format!("about {:.1} % {} load", by.abs(), if by > 0.0 { "more" } else { "less" }),
    };
    format!("{what} ({now:.1} % now, {planned:.1} % then), measured on {SECONDS} s rendered offline")
}

/// Lets everything else on the machine go first, where the system knows of that for one thread.
pub fn step_back() {
    // Elsewhere it would be the whole program that steps back.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::graph_of as graph;

    #[test]
    fn what_does_more_costs_more() {
        let light = graph("input(\"a\", saw(110)) >> master;");
        let heavy = graph("input(\"a\", saw(110)) >> reverb() >> multiband() >> reverb() >> tape() >> master;");
        let (now, then) = shares(&light, &heavy).expect("both are right");
        assert!(now > 0.0 && then > now, "{now} {then}");
    }

    #[test]
    fn a_difference_that_cannot_be_told_is_not_told() {
        assert!(said((0.02, 0.0204)).starts_with("about the same load as now (2.0 % now"));
        assert!(said((0.302, 0.343)).starts_with("about the same load as now (30.2 % now"));
        assert!(said((0.021, 0.035)).starts_with("about 1.4 % more load (2.1 % now, 3.5 % then), measured on 0.5 s"));
        assert!(said((0.035, 0.021)).starts_with("about 1.4 % less load"));
    }
}
