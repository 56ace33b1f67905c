//! Random performances, played again: whatever is done to a desk while it plays, doing it again at the same frames gives
//! the same bits; and so does going on from a checkpoint in the middle of it.

use engine::desk::Desk;
use engine::graph::Graph;
use engine::kernel::{Buffer, QUANTUM};
use engine::live::{Report, Setup, start};
use engine::motion::EventSource;
use engine::playback::{Capture, Playback};
use engine::render::Taken;
use engine::replay::{Departure, Replay};
use engine::tap::Wanted;
use engine::transport::Move;

use crate::exact::Random;
use crate::sessions::graph;
use crate::soak::graphs;

/// Frames of each performance.
const FRAMES: usize = 3 * 48_000;

/// What was done to a desk.
enum Done {
    /// A graph of the list was taken up, meant for a frame of the transport.
    Edit(usize, Option<u64>),
    /// What had ended by a frame was left behind.
    Settle(u64),
}

/// What happened to a desk, with its frame.
enum Event {
    Program { serial: u64, done: Done, taken: Taken },
    Order(Move, u64),
}

/// What it takes to play a performance again.
struct Again<'a> {
    graphs: &'a [Graph],
    events: &'a [(u64, Event)],
    /// What was not at hand when its quantum was played: the frame of that, and the work.
    late: &'a [(u64, usize)],
    /// A buffer of live input for each quantum.
    used: &'a [Buffer],
}

impl Again<'_> {
    /// Plays from where the desk is to the end, and gives the master. After each quantum `told` has the desk, and the graph
    /// that it took up then.
    fn play(&self, replay: &mut Replay, mut told: impl FnMut(&mut Replay, Option<usize>)) -> Vec<u32> {
        let begin = replay.frame();
        let mut events = self.events.iter().skip_while(|(frame, _)| *frame < begin).peekable();
        let mut again = Vec::new();
        for live in &self.used[begin as usize / QUANTUM..] {
            let mut graph = None;
            while let Some((_, event)) = events.next_if(|(frame, _)| *frame <= replay.frame()) {
                match event {
                    Event::Program { serial, done: Done::Edit(index, wanted), taken } => {
                        let now = replay.edit(&self.graphs[*index], *serial, *wanted).expect("it is as it was");
                        assert_eq!(now, *taken);
                        graph = Some(*index);
                    }
                    Event::Program { serial, done: Done::Settle(now), .. } => {
                        replay.settle(*now, *serial).expect("it is as it was");
                    }
                    Event::Order(order, frame) => {
                        assert_eq!(replay.frame(), *frame);
                        replay.order(*order);
                    }
                }
            }
            let now = replay.frame();
            let silent: Vec<usize> = self.late.iter().filter(|late| late.0 == now).map(|late| late.1).collect();
            replay.quantum(std::slice::from_ref(live), &silent);
            again.extend(bits(replay));
            told(replay, graph);
        }
        again
    }
}

/// What a recording takes of a quantum.
fn bits(replay: &Replay) -> Vec<u32> {
    let sound: Vec<Buffer> = replay.master(2);
    (0..QUANTUM).flat_map(|i| sound.iter().map(move |buffer| (buffer[i] as f32).to_bits())).collect()
}

#[test]
fn a_random_performance_played_again_from_anywhere_has_the_same_bits() {
    let mut random = Random(11);
    let graphs = graphs(&mut random);
    for performance in 0..4 {
        // The last is a calm one: tails end before the next edit.
        let calm = performance == 3;
        let (begun, likely) = if calm { (graphs.len() - 1, 150) } else { (performance, 3) };
        let (desk, program) = Desk::open(&graphs[begun], None).expect("the plan proves right");
        let mut desk = desk;
        let keep = Wanted { master: true, stems: false, inputs: 1 };
        let (mut live, mut player, mut listener, mut kept) =
            start(program, Setup { rate: 48_000, keep, inputs: 1, cushion: 512 });
        let (mut master, mut inputs) = (kept.master.take().expect("wanted"), kept.inputs.pop().expect("wanted"));
        let (mut events, mut late, mut in_flight) = (Vec::new(), Vec::new(), None);
        let (mut heard, mut used, mut quantum) = (Vec::new(), Vec::new(), Vec::new());
        let mut frames = 0;
        while frames < FRAMES {
            if in_flight.is_none() {
                let now = live.clock();
                let next = match random.below(likely) {
                    0 => {
                        let index = if calm { graphs.len() - 1 - random.below(20) } else { random.below(graphs.len()) };
                        let wanted = (random.below(2) == 0).then(|| live.transport() + random.below(9600) as u64);
                        let edited = desk.edit(&graphs[index], wanted).expect("the plan proves right");
                        edited.map(|(program, _)| (program, Done::Edit(index, wanted)))
                    }
                    _ => {
                        let settled = desk.settle(now).expect("the plan proves right");
                        settled.map(|program| (program, Done::Settle(now)))
                    }
                };
                in_flight = next.map(|(program, done)| {
                    assert!(live.send(program).is_ok(), "nothing else is on its way");
                    done
                });
            }
            let order = match random.below(60) {
                0 => Some(Move::Stop),
                1 => Some(Move::Panic),
                2 => Some(Move::Locate(random.below(96_000) as u64)),
                3..12 => Some(Move::Start),
                _ => None,
            };
            order.into_iter().for_each(|order| live.order(order).expect("there is room"));
            let block = 1 + random.below(1500);
            let sound: Vec<f32> = (0..block).map(|_| random.below(1000) as f32 / 1000.0 - 0.5).collect();
            listener.take(&sound, 1);
            player.fill(&mut vec![0.0; 2 * block], 2);
            frames += block;
            for report in live.reports() {
                match report {
                    Report::TakenUp { serial, taken } => {
                        desk.taken_up(taken);
                        let done = in_flight.take().expect("it was sent");
                        events.push((taken.clock, Event::Program { serial, done, taken }));
                    }
                    Report::Moved { order, frame, .. } => events.push((frame, Event::Order(order, frame))),
                    // Nobody waits here for what an instrument plays.
                    Report::MediaLate { frame, work, .. } => late.push((frame, work)),
                    Report::RecordLate { .. } => panic!("{report:?}"),
                    _ => {}
                }
            }
            while master.next(&mut quantum).is_some() {
                heard.extend(quantum.iter().map(|x| x.to_bits()));
            }
            while inputs.next(&mut quantum).is_some() {
                used.push(std::array::from_fn::<f64, QUANTUM, _>(|i| f64::from(quantum[i])));
            }
        }
        assert!(events.len() > 20, "{} things happened", events.len());

        let again = Again { graphs: &graphs, events: &events, late: &late, used: &used };
        let mut replay = Replay::open(&graphs[begun], None).expect("the plan proves right");
        let (mut checkpoints, mut graph) = (Vec::new(), begun);
        let from_the_beginning = again.play(&mut replay, |replay, index| {
            graph = index.unwrap_or(graph);
            let due = (checkpoints.len() + 1) * FRAMES / 5;
            if replay.frame() >= due as u64
                && let Some(kept) = replay.checkpoint()
            {
                checkpoints.push((replay.frame(), graph, kept));
            }
        });
        let again_from = |(frame, graph, kept): (u64, usize, Vec<u8>)| {
            let mut replay = Replay::resume(&graphs[graph], None, kept).expect("it is of this graph");
            assert_eq!(replay.frame(), frame);
            let sound = again.play(&mut replay, |_, _| {});
            let whole = &from_the_beginning[2 * frame as usize..];
            let differs = whole.iter().zip(&sound).position(|(a, b)| a != b);
            assert_eq!((whole.len(), differs), (sound.len(), None), "performance {performance} from frame {frame}");
        };
        assert!(!calm || !checkpoints.is_empty(), "a calm performance has a quiet moment");
        checkpoints.into_iter().for_each(again_from);
        let again = from_the_beginning;
        let differs = heard.iter().zip(&again).position(|(a, b)| a != b);
        assert_eq!((heard.len(), differs), (again.len(), None), "performance {performance}");
    }
}

/// A desk with everything that moves, in two versions that differ in numbers alone.
fn moving(threshold: i32) -> Graph {
    graph(&format!(
        "tempo(140);
        let a = input(\"a\", saw(lfo(0.5.Hz).range(90, 130)));
        let b = input(\"b\", noise(\"pink\"));
        let echo = bus(\"echo\");
        a >> compressor({threshold}, lfo(3.Hz).range(2, 4)).lookahead(3.ms) >> send(echo, osc(\"/send\").range(-20, -3))
          >> fader(ramp(-30, -6, 1.s)) >> master;
        b >> low_pass(steps(\"400 900 [2000 100]\")) >> gate(follow(a).range(-60, -30)) >> (eq().bell(400, 3) >> fader(-{}))
          .mix(midi_cc(7).range(20, 90)) >> master;
        echo >> delay(120.ms).feedback(40) >> reverb().decay(2.s) >> master;
        echo >> fader(-9) >> feedback(echo, 50.ms);
        master >> limiter(-3);",
        12 + threshold / 10
    ))
}

#[test]
fn whatever_moves_goes_on_from_a_checkpoint_bit_for_bit() {
    let graphs = [moving(-20), moving(-40)];
    let happens = |replay: &mut Replay| {
        let quantum = replay.frame() / QUANTUM as u64;
        if quantum % 40 == 39 {
            let graph = &graphs[(quantum / 40 + 1) as usize % 2];
            replay.edit(graph, quantum / 40 + 1, None).expect("it is another");
        }
        if quantum.is_multiple_of(13) {
            let value = (quantum % 97) as f64 / 97.0;
            replay.control(&EventSource::Osc { address: "/send".into() }, value);
            replay.control(&EventSource::Midi { channel: None, controller: 7 }, 1.0 - value);
        }
        match quantum {
            201 => replay.order(Move::Locate(96_000)),
            230 => replay.order(Move::Stop),
            260 => replay.order(Move::Start),
            _ => {}
        }
    };
    let mut replay = Replay::open(&graphs[0], None).expect("the plan proves right");
    let (mut whole, mut checkpoints) = (Vec::new(), Vec::new());
    for quantum in 0..400u64 {
        happens(&mut replay);
        replay.quantum(&[], &[]);
        whole.extend(bits(&replay));
        if quantum % 19 == 4 {
            let graph = &graphs[((quantum + 1) / 40) as usize % 2];
            checkpoints.push((graph, replay.frame(), replay.checkpoint().expect("nothing fades in or out")));
        }
    }
    for (graph, frame, kept) in checkpoints {
        let mut replay = Replay::resume(graph, None, kept.clone()).expect("it is of this graph");
        assert!(replay.checkpoint().as_ref() == Some(&kept), "what is kept of it is the same again");
        let mut again = Vec::new();
        for _ in 0..100.min(400 - frame / QUANTUM as u64) {
            happens(&mut replay);
            replay.quantum(&[], &[]);
            again.extend(bits(&replay));
        }
        let whole = &whole[2 * frame as usize..][..again.len()];
        assert_eq!(whole.iter().zip(&again).position(|(a, b)| a != b), None, "from frame {frame}");
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let playing = graph("input(\"a\", sine(220)) >> delay(5) >> fader(-3) >> master;");
    let mut replay = Replay::open(&playing, None).expect("the plan proves right");
    replay.quantum(&[], &[]);
    let kept = replay.checkpoint().expect("nothing fades");
    for other in
        ["input(\"b\", sine(220)) >> delay(5) >> fader(-3) >> master;", "tempo(90); input(\"a\", sine(220)) >> master;"]
    {
        assert!(matches!(Replay::resume(&graph(other), None, kept.clone()), Err(Departure::Misfit)), "{other}");
    }
    for end in 0..kept.len() {
        assert!(matches!(Replay::resume(&playing, None, kept[..end].to_vec()), Err(Departure::Misfit)), "cut at {end}");
    }
    let louder = graph("input(\"a\", sine(330)) >> delay(5) >> fader(-3) >> master;");
    replay.edit(&louder, 1, None).expect("it is another");
    assert_eq!(replay.checkpoint(), None, "the old sine fades out");
}

#[test]
fn what_the_desk_does_not_say_again_is_an_error() {
    let playing = graph("input(\"a\", sine(220)) >> fader(-3) >> master;");
    let louder = graph("input(\"a\", sine(220)) >> fader(-2) >> master;");
    let mut replay = Replay::open(&playing, None).expect("the plan proves right");
    assert!(matches!(replay.edit(&playing, 1, None), Err(Departure::Nothing { serial: 1 })));
    assert!(matches!(replay.settle(0, 1), Err(Departure::Nothing { serial: 1 })));
    assert!(matches!(replay.edit(&louder, 2, None), Err(Departure::Another { serial: 2, found: 1 })));
}
