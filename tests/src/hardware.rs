//! Hardware over a loopback of known delay: how late it is found to be, and that what is compensated for it cancels out.

use std::sync::Arc;
use std::time::Duration;

use engine::desk::Desk;
use engine::keeper::{Keeper, Wish};
use engine::kernel::{Buffer, QUANTUM};
use engine::live::{Listener, Player, Setup, start};
use engine::loopback::Errand;
use engine::offline::{Offline, Stream};
use engine::playback::Load;
use engine::response::{CLEAR_DB, Impulse, Swept};
use engine::tap::{Recording, Wanted};

use crate::exact::rendered;
use crate::fake_device::{FakeCard, Time};
use crate::sessions::{graph, try_graph};

const RATE: u32 = 48_000;

/// How long a tick of the pretended time is.
const TICK: Duration = Duration::from_millis(1);

/// A card whose input hears what its output plays, by so many frames late, and what keeps it open.
struct Loop {
    time: Arc<Time>,
    card: FakeCard,
    _keepers: [Keeper; 2],
}

impl Loop {
    /// Opens it as `play` does: the way out, then the way in.
    fn open(delay: usize, buffer: u32, player: Player, listener: Listener) -> Loop {
        let time = Arc::new(Time::default());
        let card = FakeCard::new(time.clone());
        card.card().is.loops = Some(delay);
        let wish = Wish { name: None, rate: RATE, buffer, channels: 2 };
        let load = Arc::new(Load::default());
        let (mut output, _) =
            Keeper::of_output(Box::new(card.clone()), time.clone(), wish.clone(), Box::new(player), load);
        output.open().expect("the card is there");
        let mut input = Keeper::of_input(Box::new(card.clone()), time.clone(), wish, Box::new(listener));
        input.open().expect("so is its input");
        Loop { time, card, _keepers: [output, input] }
    }

    /// Lets time pass until something is so.
    fn run(&self, mut is_done: impl FnMut() -> bool) {
        for _ in 0..60_000 {
            self.time.pass(TICK);
            self.card.call();
            if is_done() {
                return;
            }
        }
        panic!("a minute has passed");
    }
}

/// By how many frames what comes back over a delay is late, as `gainstage ping` finds it.
fn found(delay: usize, buffer: u32) -> usize {
    let swept = Swept { from: 100.0, to: 16_000.0, seconds: 0.2, rate: f64::from(RATE) };
    let errand = Errand { swept, level: -24.0, lead: 24_000, tail: 48_000 };
    let (mut waiting, player, listener) = errand.set_out(&[1], 1, 2 * buffer as usize).expect("it can be sent");
    Loop::open(delay, buffer, player, listener).run(|| waiting.look());
    assert_eq!(waiting.missing(), 0, "nothing was lost");
    let heard = waiting.heard().expect("it can be read");
    let impulse = Impulse::new(&heard.sent, &heard.answer[0], swept);
    assert!(impulse.clearness() > CLEAR_DB);
    let (sent, answer) = (&heard.sent, &heard.answer[0]);
    assert_eq!(&answer[impulse.peak()..][..sent.len()], &sent[..], "what came back is what was sent");
    impulse.peak()
}

#[test]
fn the_way_over_a_loopback_is_found_to_the_sample() {
    for buffer in [64, 512] {
        let none = found(0, buffer);
        for delay in [1, 777, 20_000] {
            assert_eq!(found(delay, buffer), none + delay, "{buffer} frames at a time");
        }
    }
}

/// What a session records of its master, and of what it heard, while it plays over a loopback.
fn played(text: &str, delay: usize, buffer: u32, frames: usize) -> (Vec<f32>, Vec<f32>) {
    let (_, program) = Desk::open(&graph(text), None).expect("the plan proves right");
    let keep = Wanted { master: true, inputs: 1, ..Wanted::default() };
    let setup = Setup { rate: RATE, keep, inputs: 1, cushion: 2 * buffer as usize };
    let (_live, player, listener, mut kept) = start(program, setup);
    let mut recordings: [Recording; 2] =
        [kept.master.take().expect("it was asked for"), kept.inputs.pop().expect("so was this")];
    let (mut all, mut samples) = ([Vec::new(), Vec::new()], Vec::new());
    Loop::open(delay, buffer, player, listener).run(|| {
        for (recording, all) in recordings.iter_mut().zip(&mut all) {
            while recording.next(&mut samples).is_some() {
                all.extend_from_slice(&samples);
            }
        }
        all[0].len() >= frames && all[1].len() >= frames
    });
    let [master, heard] = all;
    let frames = master.len().min(heard.len());
    (master[..frames].to_vec(), heard[..frames].to_vec())
}

/// Noise, and with it what came back of it from hardware, inverted.
fn null(latency: usize) -> String {
    format!(
        "let x = input(\"x\", noise(\"pink\")); x >> master;
         x >> insert(1, 1).latency({latency}.samples) >> polarity() >> cable(\"wet\") >> master;
         master >> mono() >> output(2);"
    )
}

fn level(sound: &[f32]) -> f64 {
    let power: f64 = sound.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    engine::math::db_from_gain(power / sound.len() as f64) / 2.0
}

#[test]
fn hardware_over_a_loopback_is_compensated_to_the_last_bit_of_the_device() {
    let (delay, buffer) = (1234, 512);
    let latency = found(delay, buffer);
    // By then the way is open and every line is full.
    let settled = 2 * latency + 24_000;
    let (master, _) = played(&null(latency), delay, buffer, settled + 24_000);
    assert!(level(&master[settled..]) <= -100.0, "it leaves {} dB", level(&master[settled..]));
    let (off, _) = played(&null(latency + 1), delay, buffer, settled + 24_000);
    assert!(level(&off[settled..]) > -50.0, "one sample off leaves {} dB", level(&off[settled..]));
}

#[test]
fn what_played_through_hardware_is_rendered_again_from_what_it_heard() {
    let text = null(3000);
    let (master, heard) = played(&text, 100, 256, 48_000);
    let mut offline = Offline::new(&graph(&text), None).expect("the plan proves right");
    let mut quanta = heard.chunks_exact(QUANTUM);
    let again: Vec<f32> = master
        .chunks_exact(QUANTUM)
        .flat_map(|_| {
            let quantum = quanta.next().expect("as much was heard");
            let live: Buffer = std::array::from_fn(|i| f64::from(quantum[i]));
            offline.step(&[live])[0].map(|x| x as f32)
        })
        .collect();
    assert!(again == master[..again.len()], "the bits are the same");
}

#[test]
fn what_hardware_is_sent_is_never_what_is_delivered() {
    let graph = graph("input(\"x\", sine(100)) >> insert([1, 2], [1, 2]) >> master; master >> output(3, 4);");
    let mut offline = Offline::new(&graph, None).expect("the plan proves right");
    assert_eq!(offline.outputs(), [2], "one output is delivered");
    assert!(offline.step(&[]).iter().flatten().all(|x| *x == 0.0), "nothing came back, so nothing is heard");
    let rendered = offline.render(
        QUANTUM as u64,
        |_| {},
        |stream, _| if stream == Stream::Output(0) { Ok(()) } else { Err(stream) },
    );
    assert_eq!(rendered, Ok(()));
}

#[test]
fn hardware_that_is_passed_by_or_dry_is_the_dry_signal_at_its_latency() {
    let with = |effect: &str| {
        let text =
            format!("input(\"x\", noise(\"pink\")) >> {effect}fader(0) >> master; master >> mono() >> output(1);");
        rendered(&graph(&text), 4800)
    };
    let dry = with("");
    for effect in ["insert(3, 3).bypass(on)", "insert(3, 3).mix(0)", "insert(3, 3).latency(777.samples).bypass(on)"] {
        assert!(with(&format!("{effect} >> ")) == dry, "{effect}");
    }
}

#[test]
fn a_way_back_that_something_else_hears_is_warned_of() {
    let warned = |text: &str| {
        let evaluated = scripting::evaluate_text(std::path::Path::new("a.rhai"), text);
        let session = evaluated.session.expect("it can be evaluated");
        let told = engine::graph::prepare(session, &engine::media::Library::new());
        assert!(told.graph.is_some(), "{text}: {:?}", told.diagnostics);
        told.diagnostics.into_iter().map(|one| one.message).collect::<Vec<_>>()
    };
    let x = "let x = input(\"x\", sine(100)); x >> insert(3, 3)";
    let with = |rest: &str| warned(&format!("{x} {rest}"));
    assert_eq!(with(">> master;"), Vec::<String>::new());
    assert_eq!(with(">> insert(4, 4) >> master; input(\"v\", device(1)) >> master;"), Vec::<String>::new());
    let twice = with(">> insert(4, 3) >> master;");
    assert_eq!(twice, ["`x/insert.2` comes back at input channel 3, which `x/insert` hears too"]);
    let live = with(">> master; input(\"v\", device(2, 3)) >> master;");
    assert_eq!(live, ["`x/insert` comes back at input channel 3, which `v` hears too"]);
}

#[test]
fn a_channel_that_something_else_uses_is_refused_with_both_lines() {
    let refused = |text: &str| try_graph(text).err().unwrap_or_else(|| panic!("{text} is taken"));
    let x = "let x = input(\"x\", sine(100));";
    for text in [
        format!("{x} x >> insert(2, 3) >> master;"),
        format!("{x} x >> insert(3, 3) >> insert(3, 4) >> master;"),
        format!("{x} x >> insert([3, 3], 3) >> master;"),
    ] {
        assert!(refused(&text).contains("used already"), "{text}: {}", refused(&text));
    }
    for text in [format!("{x} x >> insert() >> master;"), format!("{x} x >> insert(3) >> master;")] {
        assert!(refused(&text).contains("needs the channels"), "{text}: {}", refused(&text));
    }
    assert!(refused("input(\"x\", noise()) >> pan(0) >> insert(3, 3) >> master;").contains("the 2 channels of"));
}
