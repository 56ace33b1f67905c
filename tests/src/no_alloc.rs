//! The audio thread takes no memory and gives none back while programs are swapped at random.
//!
//! `GAINSTAGE_SECONDS=60` plays so many seconds of sound, as fast as the machine can, instead of the ordinary number.

use assert_no_alloc::assert_no_alloc;
use engine::desk::Desk;
use engine::graph::Graph;
use engine::live::{Report, Setup, start};
use engine::playback::{Capture, Playback};
use engine::tap::Wanted;

use crate::exact::Random;
use crate::random_sessions::Draft;
use crate::sessions::{examples_without_live_input, graph, of_every_word, try_graph};

/// Seconds of sound in the ordinary run.
const SECONDS: usize = 6;

/// Graphs to go between: the examples, all effects in one chain, live input, random drafts.
pub fn graphs(random: &mut Random) -> Vec<Graph> {
    let mut graphs: Vec<Graph> = examples_without_live_input().iter().map(|(_, text)| graph(text)).collect();
    graphs.extend(of_every_word("").iter().map(|(_, text)| graph(text)));
    graphs.push(graph("input(\"v\", device(1)) >> gate(-40) >> reverb() >> master;"));
    let mut draft = Draft::default();
    while graphs.len() < 60 {
        let mut next = draft.clone();
        for _ in 0..3 {
            next.step(std::array::from_fn::<u8, 4, _>(|_| random.below(256) as u8).into());
        }
        if let Ok(graph) = try_graph(&next.text()) {
            draft = next;
            graphs.push(graph);
        }
    }
    graphs
}

#[test]
fn the_callback_takes_and_gives_back_no_memory_while_programs_are_swapped() {
    let seconds = std::env::var("GAINSTAGE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(SECONDS);
    let mut random = Random(3);
    let graphs = graphs(&mut random);
    let (mut desk, program) = Desk::open(&graphs[0], Some("master")).expect("the plan proves right");
    let setup = Setup { rate: 48_000, keep: Wanted { master: true, stems: true, inputs: 2 }, inputs: 1, cushion: 512 };
    let (mut live, mut player, mut listener, recordings) = start(program, setup);
    let kept = [recordings.master, recordings.stems].into_iter().flatten().chain(recordings.inputs);
    let (mut kept, mut sound) = (kept.collect::<Vec<_>>(), Vec::new());
    assert_eq!(kept.len(), 4, "the output, the stems, and the live input twice");
    let (mut frames, mut swaps, mut in_flight) = (0, 0, false);
    let (mut output, input) = (vec![0.0f32; 2 * 1024], vec![0.1f32; 1024]);
    while frames < seconds * 48_000 {
        if !in_flight {
            let next = match random.below(5) {
                1 => Some(desk.meter(!desk.is_metered()).expect("the plan proves right")),
                0 => {
                    desk.edit(&graphs[random.below(graphs.len())], None).expect("the plan proves right").map(|(p, _)| p)
                }
                _ => desk.settle(live.clock()).expect("the plan proves right"),
            };
            in_flight = next.is_some_and(|program| live.send(program).is_ok());
        }
        let block = 1 + random.below(1024);
        assert_no_alloc(|| {
            listener.take(&input[..block], 1);
            player.fill(&mut output[..2 * block], 2);
        });
        frames += block;
        for report in live.reports() {
            match report {
                Report::TakenUp { taken, .. } => {
                    desk.taken_up(taken);
                    swaps += 1;
                    in_flight = false;
                }
                Report::Poisoned { .. } => panic!("a sound was not a number"),
                _ => {}
            }
        }
        kept.iter_mut().for_each(|kept| while kept.next(&mut sound).is_some() {});
        assert!(live.readings().all(|reading| reading.square.is_finite()));
    }
    assert!(swaps > 5 * seconds, "{swaps} swaps in {seconds} s");
}
