//! How many strips play live in blocks of 64 frames before blocks come late: strips of a high-pass, an eq of four bands, a
//! compressor, a fader and a pan, on one thread, in real time on the silent device.
//!
//! `cargo bench -p gainstage-tests --bench deadlines`. From 64 on there are half as many more each time, until one block in a
//! thousand takes longer than it lasts. `-- 2` plays two seconds of each number, instead of eight. A machine with much else to do
//! makes blocks late that are soon computed.
//!
//! With `--features jack` the strips of the bench `works` play against SuperCollider, too, both under one card that JACK makes of
//! software: `jackd2 libjack-jackd2-dev supercollider-server supercollider-language`.

#[path = "../callback/mod.rs"]
mod callback;
#[cfg(feature = "jack")]
mod card;
#[cfg(feature = "jack")]
#[path = "../contest/mod.rs"]
mod contest;
#[cfg(feature = "jack")]
mod osc;

use std::path::Path;
use std::thread;
use std::time::Duration;

use engine::desk::Desk;
use engine::graph::prepare;
use engine::kernel::QUANTUM;
use engine::live::{Setup, start};
use engine::media::Library;
use engine::silent::Silent;
use engine::tap::Wanted;

use callback::{RATE, Timed, share};

const SECONDS: u64 = 8;
const FIRST: usize = 64;

/// The most that are tried.
const MOST: usize = 10_000;

fn session(strips: usize) -> String {
    let mut text = String::from("let mix = bus(\"mix\");\n");
    for i in 1..=strips {
        text.push_str(&format!(
            "input(\"in-{i}\", saw({}).level(-40)) >> eq().high_pass({}).low_shelf(100, 2).bell(400, -3, 1.2)\
             .bell(2500, 2, 1).high_shelf(8000, 1.5) >> compressor(-45, 3) >> fader(-20) >> pan({}) >> mix;\n",
            80 + i % 400,
            20 + i % 60,
            (i % 21) as f64 / 10.0 - 1.0,
        ));
    }
    text + "mix >> master;\n"
}

/// The shares of their own time that blocks took.
fn shares(strips: usize, seconds: u64) -> Vec<f64> {
    let evaluated = scripting::evaluate_text(Path::new("bench.rhai"), &session(strips));
    let graph = prepare(evaluated.session.expect("the session is right"), &Library::new()).graph;
    let (_desk, program) = Desk::open(&graph.expect("the session can sound"), None).expect("the plan proves right");
    let setup = Setup { rate: RATE, keep: Wanted::default(), inputs: 0, cushion: 0 };
    let (_live, player, _listener, _) = start(program, setup);
    let (player, mut timed) = Timed::new(player);
    let device = Silent::start(RATE, 2, QUANTUM, Box::new(player)).expect("there is a thread for it");
    thread::sleep(Duration::from_secs(seconds));
    device.stop();
    std::iter::from_fn(|| timed.pop().ok()).map(share).collect()
}

/// Plays more and more on the silent device.
fn silently(seconds: u64) {
    let (mut strips, mut last) = (FIRST, None);
    while strips <= MOST {
        let mut shares = shares(strips, seconds);
        callback::show(&format!("{strips} strips"), &mut shares);
        if callback::within(&mut shares, 0.999) > 1.0 {
            break;
        }
        last = Some(strips);
        strips += strips / 2;
    }
    match last {
        Some(strips) => println!("{strips} strips are in time"),
        None => println!("not even {FIRST} strips are in time here, now"),
    }
}

#[cfg(feature = "jack")]
fn under_a_card(seconds: u64) {
    card::invite(seconds).unwrap_or_else(|why| println!("without SuperCollider: {why}"));
}

#[cfg(not(feature = "jack"))]
fn under_a_card(_: u64) {
    println!("without SuperCollider, which plays under JACK: `--features jack`");
}

fn main() {
    let seconds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(SECONDS);
    #[cfg(feature = "jack")]
    if std::env::args().any(|argument| argument == card::RACE) {
        return card::race(seconds).unwrap_or_else(|why| println!("the race ends here: {why}"));
    }
    silently(seconds);
    under_a_card(seconds);
}
