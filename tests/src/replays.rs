//! Random performances, played again: whatever is done to a desk while it plays, doing it again at the same frames gives
//! the same bits.

use engine::desk::Desk;
use engine::kernel::{Buffer, QUANTUM};
use engine::live::{Report, Setup, start};
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

#[test]
fn a_random_performance_played_again_has_the_same_bits() {
    let mut random = Random(11);
    let graphs = graphs(&mut random);
    for performance in 0..3 {
        let (desk, program) = Desk::open(&graphs[performance], None).expect("the plan proves right");
        let mut desk = desk;
        let keep = Wanted { master: true, stems: false, inputs: 1 };
        let (mut live, mut player, mut listener, mut kept) =
            start(program, Setup { rate: 48_000, keep, inputs: 1, cushion: 512 });
        let (mut master, mut inputs) = (kept.master.take().expect("wanted"), kept.inputs.pop().expect("wanted"));
        let (mut events, mut in_flight) = (Vec::new(), None);
        let (mut heard, mut used, mut quantum) = (Vec::new(), Vec::new(), Vec::new());
        let mut frames = 0;
        while frames < FRAMES {
            if in_flight.is_none() {
                let now = live.clock();
                let next = match random.below(3) {
                    0 => {
                        let index = random.below(graphs.len());
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
                    Report::MediaLate { .. } | Report::RecordLate { .. } => panic!("{report:?}"),
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

        let mut replay = Replay::open(&graphs[performance], None).expect("the plan proves right");
        let mut events = events.iter().peekable();
        let mut again = Vec::new();
        for live in &used {
            while let Some((_, event)) = events.next_if(|(frame, _)| *frame <= replay.frame()) {
                match event {
                    Event::Program { serial, done: Done::Edit(index, wanted), taken } => {
                        let now = replay.edit(&graphs[*index], *serial, *wanted).expect("it is as it was");
                        assert_eq!(now, *taken);
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
            replay.quantum(std::slice::from_ref(live), &[]);
            let sound: Vec<Buffer> = replay.master(2);
            again.extend((0..QUANTUM).flat_map(|i| sound.iter().map(move |buffer| (buffer[i] as f32).to_bits())));
        }
        let differs = heard.iter().zip(&again).position(|(a, b)| a != b);
        assert_eq!((heard.len(), differs), (again.len(), None), "performance {performance}");
    }
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
