//! How long it takes to render a session offline.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use engine::graph::Graph;
use engine::offline::{Offline, Threads};

/// The seconds that so many seconds of a graph's sound take on so many threads.
pub fn time(graph: &Graph, seconds: f64, threads: usize) -> f64 {
    let frames = (seconds * graph.clock.rate) as u64;
    let mut offline = Offline::new(graph, None).expect("the plan proves right");
    offline.share(Threads::Exactly(threads));
    let begun = Instant::now();
    let done: Result<(), Infallible> = offline.render(
        frames,
        |_| {},
        |_, sound| {
            black_box(sound);
            Ok(())
        },
    );
    done.unwrap_or_else(|never| match never {});
    begun.elapsed().as_secs_f64()
}
