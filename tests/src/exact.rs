//! One session, one sound: the same bits for every way in which it is played, rendered or recorded.

use engine::desk::Desk;
use engine::graph::Graph;
use engine::kernel::QUANTUM;
use engine::live::{Player, Setup, start};
use engine::offline::{Offline, Stream};
use engine::playback::{Capture, Playback};
use engine::tap::{Recording, Wanted};

use crate::rehearsal::first_difference;
use crate::sessions::{examples_without_live_input, graph, of_every_word};

/// Frames that are compared.
const FRAMES: usize = 24_000;

/// Sizes of a device's blocks: one for ever, or random ones.
const BLOCKS: [Option<usize>; 5] = [Some(1), Some(17), Some(64), Some(480), None];

/// The first output as it is rendered offline, a list a channel.
pub fn rendered(graph: &Graph, frames: usize) -> Vec<Vec<f64>> {
    let mut offline = Offline::new(graph, None).expect("the plan proves right");
    let mut sound = vec![Vec::new(); offline.outputs()[0]];
    let kept = offline.render::<()>(
        frames as u64,
        |_| {},
        |stream, channels| {
            if stream == Stream::Output(0) {
                sound.iter_mut().zip(channels).for_each(|(sound, channel)| sound.extend_from_slice(channel));
            }
            Ok(())
        },
    );
    kept.expect("nothing is refused");
    sound
}

/// As a device has it: interleaved, in single precision.
fn interleaved(sound: &[Vec<f64>]) -> Vec<f32> {
    (0..sound[0].len()).flat_map(|frame| sound.iter().map(move |channel| channel[frame] as f32)).collect()
}

/// A linear congruential generator (Knuth), for sizes of blocks and for noise.
pub struct Random(pub u64);

impl Random {
    /// A number below another.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Calls a player for blocks of a size, or of random ones, until it has given so many frames of stereo.
fn played(player: &mut Player, block: Option<usize>, frames: usize) -> Vec<f32> {
    let mut random = Random(7);
    let mut sound = Vec::new();
    while sound.len() < 2 * frames {
        while !player.ready() {
            std::thread::yield_now();
        }
        let mut block = vec![f32::NAN; 2 * block.unwrap_or_else(|| 1 + random.below(1000))];
        player.fill(&mut block, 2);
        sound.extend(block);
    }
    sound
}

/// Starts a desk as `play` does.
fn started(graph: &Graph, master: bool) -> (Player, Option<Recording>, usize) {
    let (_, program) = Desk::open(graph, None).expect("the plan proves right");
    let late = program.plan.outputs[0].late;
    let keep = Wanted { master, ..Wanted::default() };
    let (_, player, _, recordings) = start(program, Setup { rate: 48_000, keep, inputs: 0, cushion: 0 });
    (player, recordings.master, late)
}

/// All that a recording of two channels has, without the latency.
fn kept(recording: Option<Recording>) -> Vec<f32> {
    let mut recording = recording.expect("a recording was asked for");
    let (mut sound, mut quantum, mut frames) = (Vec::new(), Vec::new(), 0);
    while let Some(next) = recording.next(&mut quantum) {
        assert_eq!((next.frame, quantum.len()), (frames, 2 * QUANTUM));
        frames += QUANTUM as u64;
        sound.extend(&quantum);
        if frames == QUANTUM as u64 * (1 + next.late as u64 / QUANTUM as u64) {
            sound.drain(..2 * next.late);
        }
    }
    sound
}

fn assert_equal(what: &str, a: &[f32], b: &[f32]) {
    let differs = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(differs.map(|sample| sample / 2), None, "{what}: the first frame that differs");
}

/// A text gives the same bits offline, and live in blocks of whatever size.
pub fn assert_one_sound(name: &str, text: &str, frames: usize) {
    let graph = graph(text);
    let once = rendered(&graph, frames);
    assert_eq!(once[0].len(), frames, "{name}");
    assert!(once.iter().flatten().any(|x| *x != 0.0), "{name} is silent");
    assert_eq!(first_difference(&once, &rendered(&graph, frames)), None, "{name}: two renders");
    let once = interleaved(&once);
    for block in BLOCKS {
        let (mut player, _, late) = started(&graph, false);
        let live = played(&mut player, block, frames + late);
        assert!(live[..2 * late].iter().all(|x| x.is_finite()), "{name}");
        assert_equal(&format!("{name} in blocks of {block:?}"), &once, &live[2 * late..]);
    }
}

#[test]
fn every_example_sounds_the_same_offline_and_in_blocks_of_any_size() {
    for (name, text) in examples_without_live_input() {
        assert_one_sound(&name, &text, FRAMES);
    }
}

#[test]
fn every_word_sounds_the_same_offline_and_in_blocks_of_any_size() {
    // Without a device nothing comes back from an insert, and what is played elsewhere is heard there.
    for (word, text) in
        of_every_word("").into_iter().filter(|(word, _)| !["insert", "midi_out"].contains(&word.as_str()))
    {
        assert_one_sound(&word, &text, 4800);
    }
}

#[test]
fn a_recording_is_the_render_in_single_precision() {
    for (name, text) in examples_without_live_input() {
        let graph = graph(&text);
        let (mut player, recording, late) = started(&graph, true);
        assert!(late > 0, "{name} has a limiter at its end");
        played(&mut player, None, FRAMES + late + 64);
        let taken = kept(recording);
        assert!(taken.len() >= 2 * FRAMES, "{name}: {} samples", taken.len());
        assert_equal(&name, &interleaved(&rendered(&graph, FRAMES)), &taken);
    }
}

#[test]
fn frame_0_of_a_render_and_of_a_recording_is_transport_frame_0() {
    for late in ["limiter(-1)", "saturate(6).bypass(on)", "saturate(0).mix(0) >> limiter(-1)", "fader(0)"] {
        // A click at frame 0 is at frame 0 of what is kept, whatever it has waited for.
        let graph = graph(&format!("input(\"i\", impulse(1).level(-12)) >> {late} >> master;"));
        let sound = rendered(&graph, 4800);
        let level = engine::math::gain_from_db(-12.0);
        for channel in &sound {
            assert_eq!(channel[0], level, "{late}");
            assert!(channel[1..].iter().all(|x| *x == 0.0), "{late}");
        }
        let (mut player, recording, _) = started(&graph, true);
        played(&mut player, Some(64), 4800);
        assert_eq!(kept(recording)[0], level as f32, "{late}");
    }
}

#[test]
fn reports_that_find_no_room_are_counted() {
    let (_, program) = Desk::open(&graph("input(\"a\", sine(220)) >> master;"), None).expect("the plan proves right");
    let setup = Setup { rate: 48_000, keep: Wanted { master: true, ..Wanted::default() }, inputs: 0, cushion: 0 };
    let (mut live, mut player, _, _recordings) = start(program, setup);
    // Nobody takes what is recorded: once there is no room for it each quantum reports that, to nobody either.
    let quanta = 20 * 48_000 / QUANTUM;
    (0..quanta).for_each(|_| player.fill(&mut [0.0; 2 * QUANTUM], 2));
    let (told, lost) = (live.reports().count(), live.take_lost_reports());
    assert!(told == 4096 && lost > 0, "{told} told, {lost} lost");
    assert_eq!(live.take_lost_reports(), 0);
    // The recording holds eight seconds; each quantum after those has been told of or counted.
    assert_eq!(told as u64 + lost, (quanta - 8 * 48_000 / QUANTUM) as u64);
}

#[test]
fn live_input_comes_out_again_sample_by_sample_as_late_as_its_cushion() {
    let graph = graph("input(\"voice\", device(1, 2)) >> master;");
    let mut random = Random(1);
    let noise: Vec<f32> = (0..2 * 9600).map(|_| random.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0).collect();
    for (block, cushion) in [(64, 0), (17, 34), (480, 960), (100, 200)] {
        let (_, program) = Desk::open(&graph, None).expect("the plan proves right");
        let setup = Setup { rate: 48_000, keep: Wanted::default(), inputs: 2, cushion };
        let (_, mut player, mut listener, _) = start(program, setup);
        let mut heard = Vec::new();
        for input in noise.chunks(2 * block) {
            listener.take(input, 2);
            let mut output = vec![f32::NAN; input.len()];
            player.fill(&mut output, 2);
            heard.extend(output);
        }
        let silent = heard.iter().position(|x| *x != 0.0).expect("something is heard") / 2;
        // A block is heard before it is asked for; what fits it to the output's clock keeps half of its 64 taps back.
        let late = cushion.max(128) + 32 - block;
        assert!(silent % 64 == 0 && silent >= late && silent < late + 2 * block + 64, "{silent} frames of silence");
        assert_equal(
            &format!("blocks of {block}, cushion {cushion}"),
            &noise[2 * (silent - late)..],
            &heard[2 * silent..],
        );
    }
}
