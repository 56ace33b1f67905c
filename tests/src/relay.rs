//! A rendering on several threads gives the bits of one.

use std::convert::Infallible;

use engine::graph::Graph;
use engine::offline::{Offline, Stream, Threads};

use crate::sessions::{examples_without_live_input, graph};

/// Frames of each rendering: more than are rendered on one thread while it is measured what works cost.
const FRAMES: u64 = 24_000;

/// Everything that comes out, stems of the master included, as bits.
pub type Sound = Vec<(Stream, Vec<Vec<u64>>)>;

/// What comes out, and how many threads shared the work in the end.
pub fn rendered(graph: &Graph, threads: Threads) -> (Sound, usize) {
    let mut offline = Offline::new(graph, Some("master")).expect("the plan proves right");
    offline.share(threads);
    let mut streams: Sound = Vec::new();
    let done: Result<(), Infallible> = offline.render(
        FRAMES,
        |_| {},
        |stream, sound| {
            let at = streams.iter().position(|(known, _)| *known == stream).unwrap_or_else(|| {
                streams.push((stream, vec![Vec::new(); sound.len()]));
                streams.len() - 1
            });
            let channels = streams[at].1.iter_mut().zip(sound);
            channels.for_each(|(bits, channel)| bits.extend(channel.iter().map(|x| x.to_bits())));
            Ok(())
        },
    );
    done.unwrap_or_else(|never| match never {});
    (streams, offline.threads())
}

/// A session in which sound goes every way that there is: strips abreast, sends, keys, a control that follows, a loop, an
/// instrument, what is composed and blended, and what waits for the slowest.
const EVERY_WAY: &str = r#"
tempo(124);
let mix = bus("mix");
let room = bus("room");
let echo = bus("echo");
for i in range(0, 12) {
    let strip = input("saw-" + i, saw(90 + 13 * i).level(-18)) >> eq().high_pass(40 + i).bell(700, -4, 1.1);
    let strip = strip >> compressor(-24, 3) >> send(room, -12) >> fader(-9) >> pan(i / 6.0 - 1.0);
    strip >> mix;
}
let kick = input("kick", impulse(2));
let low = input("low", play("c2 ~ eb2 g2", bass()));
low >> compressor(-30, 6).key(kick) >> (high_pass(60) >> saturate(9)).mix(40) >> mix;
kick >> limiter(-6) >> mix;


input("hiss", noise().level(-24)) >> low_pass(follow(kick).range(300, 4000)) >> mix;
room >> reverb(1.2) >> mix;
mix >> send(echo, -10) >> master;
echo >> delay(120.ms) >> fader(-6) >> feedback(echo, 90.ms) >> master;
master >> eq().high_shelf(9000, 2) >> multiband() >> limiter(-1);
"#;

#[test]
fn a_session_in_which_sound_goes_every_way_has_the_same_bits_on_any_number_of_threads() {
    let graph = graph(EVERY_WAY);
    let (alone, one) = rendered(&graph, Threads::Exactly(1));
    assert_eq!(one, 1);
    assert!(alone.iter().any(|(_, bits)| bits.iter().flatten().any(|x| *x << 1 != 0)), "it is heard");
    for count in [2, 3, 5, 16] {
        let (shared, threads) = rendered(&graph, Threads::Exactly(count));
        assert!(shared == alone, "{count} threads");
        assert!((count.min(3)..=count).contains(&threads), "{threads} threads, of {count}");
    }
}

#[test]
fn what_one_thread_hears_in_lanes_is_there_for_another_that_hears_it_too() {
    // The cuts are among the reverbs, the dearest; what is sent is mixed behind them.
    let strips: String = (1..=12)
        .map(|i| {
            let freq = 30 + i;
            format!("input(\"in-{i}\", noise()) >> high_pass({freq}) >> send(room, -9) >> fader(-3) >> reverb() >> master;\n")
        })
        .collect();
    let graph = graph(&format!("let room = bus(\"room\");\n{strips}room >> gain(-3) >> master;"));
    let (alone, _) = rendered(&graph, Threads::Exactly(1));
    for count in [2, 3, 5, 8] {
        let (shared, threads) = rendered(&graph, Threads::Exactly(count));
        assert!(threads > 1 && shared == alone, "{count} threads");
    }
}

#[test]
fn every_example_has_the_same_bits_on_several_threads() {
    let examples = examples_without_live_input();
    let mut cut = 0;
    for (name, text) in &examples {
        let graph = graph(text);
        let (shared, threads) = rendered(&graph, Threads::Exactly(3));
        assert!(shared == rendered(&graph, Threads::Exactly(1)).0, "{name}");
        cut += usize::from(threads > 1);
    }
    assert!(cut * 3 > examples.len() * 2, "{cut} of {} were cut", examples.len());
}
