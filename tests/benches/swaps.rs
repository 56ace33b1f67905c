//! What a swap costs the audio thread: 10 000 random edits of a session of some strips, in real time on the silent device.
//!
//! `cargo bench -p gainstage-tests --bench swaps`. It shows how long the callback takes for blocks in which a program was
//! taken up and for those in which none was, as a share of the block's own time, how many blocks were late, and the memory
//! that the process holds at the beginning and at the end. `-- 1000` makes it so many swaps.

mod callback;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use engine::desk::Desk;
use engine::graph::{Graph, prepare};
use engine::kernel::QUANTUM;
use engine::live::{Report, Setup, start};
use engine::media::Library;
use engine::silent::Silent;
use engine::tap::Wanted;

use callback::{RATE, Timed, share};

const SWAPS: usize = 10_000;
const STRIPS: usize = 12;

/// A session whose strips differ from those of other numbers in levels, effects and cables.
fn graph(number: usize) -> Graph {
    let mut text = String::from("let room = bus(\"room\");\nroom >> reverb() >> master;\n");
    for strip in 0..STRIPS {
        let draw = number.wrapping_mul(2_654_435_761).rotate_left(strip as u32 * 5) >> 7;
        let freq = 60 + 17 * strip;
        let middle = ["", ">> high_pass(90)", ">> eq().bell(400, 3)", ">> delay(120).mix(20)"][draw % 4];
        let send = if draw.is_multiple_of(3) { ">> send(room, -12)" } else { "" };
        let gain = -(30 + (draw % 7) as i32);
        let _ = writeln!(
            text,
            "input(\"s{strip}\", saw({freq})) {middle} >> compressor(-30, 3) >> fader({gain}) {send} >> master;"
        );
    }
    let session = scripting::evaluate_text(Path::new("bench.rhai"), &text).session.expect("the session is right");
    prepare(session, &Library::new()).graph.expect("the session can sound")
}

/// The memory that the process holds, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn main() {
    let swaps = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(SWAPS);
    let graphs: Vec<Graph> = (0..40).map(graph).collect();
    let (mut desk, program) = Desk::open(&graphs[0], None).expect("the plan proves right");
    let setup = Setup { rate: RATE, keep: Wanted::default(), inputs: 0, cushion: 0 };
    let (mut live, player, _listener, _) = start(program, setup);
    let (player, mut timed) = Timed::new(player);
    let device = Silent::start(RATE, 2, QUANTUM, Box::new(player)).expect("there is a thread for it");
    let (mut done, mut in_flight, mut next) = (0, false, 0);
    let mut swapped: BTreeSet<u64> = BTreeSet::new();
    let mut figures: Vec<u32> = Vec::new();
    let mut memory = 0;
    while done < swaps {
        if !in_flight {
            let settled = desk.settle(live.clock()).expect("the plan proves right");
            let program = match settled {
                Some(program) => Some(program),
                None => {
                    next += 1;
                    let edited = desk.edit(&graphs[next * 7 % graphs.len()], None).expect("the plan proves right");
                    edited.map(|(program, _)| program)
                }
            };
            in_flight = program.is_some_and(|program| live.send(program).is_ok());
        }
        for report in live.reports() {
            if let Report::TakenUp { taken, .. } = report {
                desk.taken_up(taken);
                swapped.insert(taken.clock / QUANTUM as u64);
                in_flight = false;
                done += 1;
                if done == swaps / 10 {
                    memory = resident();
                }
            }
        }
        figures.extend(std::iter::from_fn(|| timed.pop().ok()));
        thread::sleep(Duration::from_micros(300));
    }
    let (late, end) = (device.load().late(), resident());
    device.stop();
    figures.extend(std::iter::from_fn(|| timed.pop().ok()));
    let of = |with: bool| -> Vec<f64> {
        let blocks = figures.iter().enumerate().filter(|(block, _)| swapped.contains(&(*block as u64)) == with);
        blocks.map(|(_, nanos)| share(*nanos)).collect()
    };
    callback::show("with a swap", &mut of(true));
    callback::show("without", &mut of(false));
    println!("{late} blocks late in all; memory {memory} KiB after a tenth of the swaps, {end} KiB at the end");
}
