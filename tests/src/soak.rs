//! A desk that is given no rest: edits at once and at chosen frames, controls, values from outside, orders to the transport,
//! meters, live input that comes and goes. The audio thread takes no memory and gives none back, every sound is a number,
//! everything that was sent is answered, and the process does not grow.
//!
//! `GAINSTAGE_SECONDS=3600` plays so many seconds of sound, as fast as the machine can, instead of the ordinary number.

use assert_no_alloc::assert_no_alloc;
use engine::desk::Desk;
use engine::graph::Graph;
use engine::listen::Looks;
use engine::live::{Live, Report, Setup, start};
use engine::motion::EventSource;
use engine::playback::{Capture, Playback};
use engine::tap::Wanted;
use engine::transport::Move;

use crate::exact::Random;
use crate::random_sessions::Draft;
use crate::sessions::{examples_without_live_input, graph, of_every_word, try_graph};

/// Seconds of sound in the ordinary run.
const SECONDS: usize = 6;

/// Seconds of sound from which on the memory of a run is looked at: before, it has not come to rest.
const LONG: usize = 60;

/// By how much the memory that the process holds may grow from the first quarter of a long run to its end: graphs are of
/// different sizes, and the allocator keeps what it has had.
const GROWTH: f64 = 1.25;

/// Something on every kind of control.
const CONTROLLED: &str = r#"
    let a = input("a", saw(110).level(-24));
    let b = input("b", noise("pink").level(-30));
    let room = bus("room");
    a >> low_pass(osc("/cutoff").range(200, 4000)) >> pan(lfo("1/4").range(-1, 1)) >> send(room, midi_cc(7)) >> master;
    b >> fader(automate([[0, -20], [1, 0], [2, -20]])) >> high_pass(ramp(50, 900, 2.bars)).mix(lfo(3).shape("square"))
      >> compressor(-30, 4).key(a) >> fader(follow(a).range(0, -12)) >> master;
    room >> reverb() >> gain(steps("-6 -3 [-12 0]")) >> master;
"#;

/// Graphs to go between: the examples, all effects in one chain, live input, controls, random drafts.
pub fn graphs(random: &mut Random) -> Vec<Graph> {
    let mut graphs: Vec<Graph> = examples_without_live_input().iter().map(|(_, text)| graph(text)).collect();
    graphs.extend(of_every_word("").iter().map(|(_, text)| graph(text)));
    graphs.push(graph("input(\"v\", device(1)) >> gate(-40) >> reverb() >> master;"));
    for tempo in [90, 120, 173] {
        graphs.extend([1, 2].map(|_| graph(&format!("tempo({tempo});{CONTROLLED}"))));
    }
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

/// The memory that the process holds, in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}

/// Something for the controls or the transport of what plays.
fn send(live: &mut Live, desk: &Desk, random: &mut Random) -> bool {
    let value = random.below(1000) as f64 / 999.0;
    let source = match random.below(8) {
        0 => return live.order(Move::Locate(random.below(1_000_000) as u64)).is_ok(),
        1 => return live.order(Move::Stop).is_ok(),
        2 => return live.order(Move::Start).is_ok(),
        3 => return live.order(Move::Panic).is_ok(),
        4 | 5 => EventSource::Midi { channel: None, controller: 7 },
        _ => EventSource::Osc { address: "/cutoff".into() },
    };
    desk.source(&source).is_some_and(|source| live.control(source, value).is_ok())
}

#[test]
fn a_desk_that_is_given_no_rest_takes_no_memory_loses_nothing_and_gives_numbers() {
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
    let (mut sent, mut answered, mut memory) = (0, 0, 0.0);
    let (mut output, input) = (vec![0.0f32; 2 * 1024], vec![0.1f32; 1024]);
    while frames < seconds * 48_000 {
        if !in_flight {
            let next = match random.below(5) {
                1 => Some(
                    desk.observe(Looks { meters: !desk.looks().meters, ..Looks::default() })
                        .expect("the plan proves right"),
                ),
                0 => {
                    let soon = live.transport() + random.below(10_000) as u64;
                    let at = [None, Some(soon)][random.below(2)];
                    desk.edit(&graphs[random.below(graphs.len())], at).expect("the plan proves right").map(|(p, _)| p)
                }
                _ => desk.settle(live.clock()).expect("the plan proves right"),
            };
            in_flight = next.is_some_and(|program| live.send(program).is_ok());
        }
        sent += usize::from(random.below(4) == 0 && send(&mut live, &desk, &mut random));
        let block = 1 + random.below(1024);
        // Now and then the microphone falls silent for a while.
        let hears = (frames / 48_000) % 5 != 3;
        assert_no_alloc(|| {
            if hears {
                listener.take(&input[..block], 1);
            }
            player.fill(&mut output[..2 * block], 2);
        });
        assert!(output[..2 * block].iter().all(|x| x.is_finite()));
        frames += block;
        for report in live.reports() {
            match report {
                Report::TakenUp { taken, .. } => {
                    desk.taken_up(taken);
                    swaps += 1;
                    in_flight = false;
                }
                Report::Controlled { .. } | Report::Moved { .. } => answered += 1,
                Report::Poisoned { .. } => panic!("a sound was not a number"),
                _ => {}
            }
        }
        kept.iter_mut().for_each(|kept| while kept.next(&mut sound).is_some() {});
        assert!(live.readings().all(|reading| reading.square.is_finite()));
        if memory == 0.0 && frames > seconds * 12_000 {
            memory = resident();
        }
    }
    // What was sent last is still on its way.
    player.fill(&mut output, 2);
    answered +=
        live.reports().filter(|report| matches!(report, Report::Controlled { .. } | Report::Moved { .. })).count();
    assert_eq!(answered, sent, "everything sent is answered");
    assert!(sent > 5 * seconds, "{sent} orders in {seconds} s");
    if seconds >= LONG {
        assert!(resident() < GROWTH * memory, "{memory} KiB grew to {} KiB", resident());
    }
    assert!(swaps > 2 * seconds, "{swaps} swaps in {seconds} s");
}
