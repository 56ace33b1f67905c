//! Instruments that are played by hand: what a keyboard does is heard on its frame, and played again it has the same bits.

use engine::kernel::QUANTUM;
use engine::keyboard::Touch;
use engine::live::{Busy, Report};
use engine::motion::EventSource;
use engine::replay::Replay;
use engine::transport::Move;

use crate::by_hand::ByHand;
use crate::exact::Random;
use crate::sessions::graph;

/// An instrument without anything that is drawn: a sine with an envelope.
const SINE: &str = "synth(|note| sine(note.freq)).release(20)";

fn playing(instrument: &str) -> String {
    format!("input(\"a\", {instrument}) >> master;")
}

/// Does something to a keyboard, if anything listens to it.
fn touch(desk: &mut ByHand, channel: Option<u8>, touch: Touch) {
    let source = desk.desk.source(&EventSource::Notes { channel }).expect("somebody listens");
    desk.live.touch(source, touch).expect("there is room");
}

const fn press(key: u8) -> Touch {
    Touch::Press { key, velocity: 127 }
}

/// The loudest of the last frames on the first channel.
fn peak(desk: &ByHand, last: usize) -> f32 {
    let sound = desk.channel(0);
    sound[sound.len() - last..].iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

#[test]
fn a_key_that_is_held_is_a_note_of_a_pattern_bit_for_bit() {
    let mut by_pattern = ByHand::start(&playing(&format!("play(\"a4 ~\", {SINE}.velocity(1))")));
    by_pattern.play(96_000);
    let mut by_hand = ByHand::start(&playing(&format!("{SINE}.keyboard(3)")));
    touch(&mut by_hand, Some(3), press(69));
    by_hand.play(48_000);
    touch(&mut by_hand, Some(3), Touch::Release { key: 69 });
    by_hand.play(48_000);
    assert!(peak(&by_pattern, 96_000) > 0.01);
    let differs = by_pattern.heard.iter().zip(&by_hand.heard).position(|(a, b)| a != b);
    assert_eq!(differs, None);
}

#[test]
fn the_keys_of_a_kit_are_the_drums_of_general_midi() {
    for (keys, sound) in [
        (&[36][..], "bd"),
        (&[38], "sn"),
        (&[42], "hh"),
        (&[46], "oh"),
        (&[39], "cp"),
        (&[37], "rim"),
        (&[41, 43], "lt"),
        (&[45, 47], "mt"),
        (&[48, 50], "ht"),
        (&[56], "cb"),
        (&[49], "cr"),
        (&[51], "rd"),
        (&[70], "sh"),
    ] {
        let mut by_pattern = ByHand::start(&playing(&format!("play(\"{sound}\", kit().velocity(1))")));
        by_pattern.play(4_800);
        assert!(peak(&by_pattern, 4_800) > 0.01, "{sound}");
        for key in keys {
            let mut by_hand = ByHand::start(&playing("kit().keyboard()"));
            touch(&mut by_hand, None, press(*key));
            by_hand.play(4_800);
            assert!(by_hand.heard == by_pattern.heard, "{key} is {sound}");
        }
    }
    let mut by_hand = ByHand::start(&playing("kit().keyboard()"));
    touch(&mut by_hand, None, press(60));
    by_hand.play(4_800);
    assert_eq!(peak(&by_hand, 4_800), 0.0, "a key that stands for none of its drums is silent");
}

#[test]
fn hands_are_heard_while_the_transport_stands_still_and_the_pattern_beside_them_is_not() {
    let mut desk = ByHand::start(&playing(&format!("play(\"a4\", {SINE}.keyboard())")));
    desk.play(24_000);
    assert!(peak(&desk, 1000) > 0.01);
    desk.live.order(Move::Stop).expect("there is room");
    desk.play(24_000);
    assert_eq!(peak(&desk, 1000), 0.0, "its note is let go");
    touch(&mut desk, None, press(60));
    desk.play(24_000);
    assert!(peak(&desk, 1000) > 0.01);
    desk.live.order(Move::Locate(0)).expect("there is room");
    desk.play(24_000);
    assert!(peak(&desk, 1000) > 0.01, "hands stay where they are");
    touch(&mut desk, None, Touch::Release { key: 60 });
    desk.play(24_000);
    assert_eq!(peak(&desk, 1000), 0.0);
}

#[test]
fn the_pedal_holds_and_all_notes_off_and_a_panic_let_go() {
    for end in [Touch::LetGo, Touch::Pedal(false)] {
        let mut desk = ByHand::start(&playing(&format!("{SINE}.keyboard()")));
        for one in [Touch::Pedal(true), press(60), Touch::Release { key: 60 }] {
            touch(&mut desk, None, one);
        }
        desk.play(24_000);
        assert!(peak(&desk, 1000) > 0.01);
        touch(&mut desk, None, end);
        desk.play(24_000);
        assert_eq!(peak(&desk, 1000), 0.0, "{end:?}");
    }
    let mut desk = ByHand::start(&playing(&format!("{SINE}.keyboard()")));
    touch(&mut desk, None, press(60));
    desk.play(24_000);
    desk.live.order(Move::Panic).expect("there is room");
    desk.play(24_000);
    desk.live.order(Move::Start).expect("there is room");
    desk.play(24_000);
    assert_eq!(peak(&desk, 24_000), 0.0, "nothing comes back");
}

#[test]
fn an_edit_keeps_what_is_held_and_another_keyboard_or_none_lets_go_of_it() {
    let text = |setters: &str| format!("input(\"a\", {SINE}{setters}) >> fader(0) >> master;");
    let edit = |desk: &mut ByHand, text: &str| {
        let (program, _) = desk.desk.edit(&graph(text), None).expect("it proves right").expect("it is another");
        desk.take_up(program);
    };
    for (after, holds) in [
        (text(".keyboard(2).attack(10)"), true),
        (text(".keyboard(2)").replace("fader(0)", "fader(-1)"), true),
        (text(".keyboard(3)"), false),
        (text(".keyboard()"), false),
        (text(""), false),
    ] {
        let mut desk = ByHand::start(&text(".keyboard(2)"));
        touch(&mut desk, Some(2), press(60));
        desk.play(24_000);
        edit(&mut desk, &after);
        desk.play(24_000);
        assert_eq!(peak(&desk, 1000) > 0.01, holds, "{after}");
    }
}

#[test]
fn however_much_is_done_at_once_all_of_it_is_heard_and_told() {
    let mut desk = ByHand::start(&playing(&format!("{SINE}.voices(128).keyboard()")));
    let source = desk.desk.source(&EventSource::Notes { channel: None }).expect("it listens");
    let mut sent = Vec::new();
    for i in 0.. {
        let key = (i % 128) as u8;
        let one = if i / 128 % 2 == 0 { press(key) } else { Touch::Release { key } };
        match desk.live.touch(source, one) {
            Ok(()) => sent.push(one),
            Err(Busy) => break,
        }
    }
    assert_eq!(sent.len(), 1024);
    desk.play(64 * 64);
    let told: Vec<Touch> = desk
        .live
        .reports()
        .filter_map(|report| if let Report::Touched { touch, .. } = report { Some(touch) } else { None })
        .collect();
    assert_eq!(told, sent);
    desk.play(48_000);
    assert_eq!(peak(&desk, 1000), 0.0, "the last of each key was its release");
}

/// What a random player does next.
fn random_touch(random: &mut Random) -> Touch {
    let key = 48 + random.below(24) as u8;
    match random.below(20) {
        0 => Touch::LetGo,
        1 | 2 => Touch::Pedal(random.below(2) == 0),
        3..=11 => Touch::Press { key, velocity: 1 + random.below(127) as u8 },
        _ => Touch::Release { key },
    }
}

#[test]
fn what_hands_played_is_played_again_with_the_same_bits_from_anywhere() {
    let text = "input(\"a\", play(\"c4 eb4 g4\", keys().keyboard(1))) >> master;
        input(\"b\", pad().unison(2).voices(4).keyboard()) >> fader(-6) >> master;
        input(\"c\", play(\"bd hh sn hh\", kit().keyboard(10))) >> master;
        input(\"d\", lead().voices(1).glide(30).keyboard()) >> fader(-9) >> master;";
    let (mut random, mut desk) = (Random(5), ByHand::start(text));
    let (mut events, mut late) = (Vec::new(), Vec::new());
    while desk.live.clock() < 64_000 {
        for _ in 0..random.below(4) {
            let channel = [Some(1), None, Some(10)][random.below(3)];
            let one = random_touch(&mut random);
            touch(&mut desk, channel, one);
        }
        if let order @ (Move::Stop | Move::Start | Move::Locate(_)) =
            [Move::Stop, Move::Start, Move::Start, Move::Locate(random.below(96_000) as u64), Move::Panic]
                [random.below(5)]
            && random.below(15) == 0
        {
            desk.live.order(order).expect("there is room");
        }
        desk.play(1 + random.below(1500));
        for report in desk.live.reports() {
            match report {
                Report::Touched { source, touch, frame } => {
                    let source = desk.desk.source_of(source).expect("it is known").clone();
                    events.push((frame, Err((source, touch))));
                }
                Report::Moved { order, frame, .. } => events.push((frame, Ok(order))),
                // What a pattern has elsewhere is not at hand at once.
                Report::MediaLate { frame, work, .. } => late.push((frame, work)),
                _ => {}
            }
        }
    }
    let heard = desk.recorded();
    assert!(events.len() > 50 && heard.iter().any(|x| x.abs() > 0.05), "{}", events.len());

    let play = |replay: &mut Replay, checkpoints: &mut Vec<(u64, Vec<u8>)>| {
        let mut again = Vec::new();
        while (replay.frame() as usize) < heard.len() {
            let now = replay.frame();
            for (_, event) in events.iter().filter(|(frame, _)| *frame == now) {
                match event {
                    Ok(order) => replay.order(*order),
                    Err((source, touch)) => replay.touch(source, *touch),
                }
            }
            let silent: Vec<usize> = late.iter().filter(|(frame, _)| *frame == now).map(|(_, work)| *work).collect();
            replay.quantum(&[], &silent);
            again.extend(replay.master(1)[0].iter().map(|x| *x as f32));
            if (replay.frame() / QUANTUM as u64).is_multiple_of(300) {
                checkpoints.extend(replay.checkpoint().map(|kept| (replay.frame(), kept)));
            }
        }
        again
    };
    let mut checkpoints = Vec::new();
    let again = play(&mut Replay::open(&graph(text), None).expect("it proves right"), &mut checkpoints);
    let differs = |a: &[f32], b: &[f32]| a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!((again.len(), differs(&heard, &again)), (heard.len(), None));
    assert!(checkpoints.len() >= 3);
    for (frame, kept) in checkpoints {
        let mut replay = Replay::resume(&graph(text), None, kept).expect("it is of this graph");
        let rest = play(&mut replay, &mut Vec::new());
        assert_eq!(differs(&heard[frame as usize..], &rest), None, "from frame {frame}");
    }
}
