//! Rest: what is silent costs next to nothing, and coming back changes no bit.

use std::collections::BTreeMap;

use engine::desk::Desk;
use engine::kernel::QUANTUM;
use engine::render::Renderer;

use crate::rehearsal::first_difference;
use crate::sessions::{graph, of_every_effect};

const RATE: f64 = 48_000.0;

/// What turns with the transport.
const TURN: [&str; 9] = ["chorus", "flanger", "phaser", "tremolo", "auto_pan", "vibrato", "ring_mod", "tape", "crush"];

/// What a session gives, and after how many seconds each effect first rested.
struct Run {
    sound: Vec<Vec<f64>>,
    rested: BTreeMap<String, f64>,
    /// Quanta of effects that were passed by, and all of them.
    passed: usize,
    all: usize,
}

/// Runs a session for some seconds; a restless one is worked on all the time.
fn run(text: &str, seconds: f64, restless: bool) -> Run {
    let (_, mut program) = Desk::open(&graph(text), None).expect("the plan proves right");
    program.bank.restless = restless;
    let mut renderer = Renderer::new(program);
    let mut run = Run { sound: Vec::new(), rested: BTreeMap::new(), passed: 0, all: 0 };
    for quantum in 0..(seconds * RATE) as usize / QUANTUM {
        renderer.quantum(&[]);
        let (_, output) = renderer.outputs().next().expect("it has an output");
        run.sound.resize(output.len(), Vec::new());
        run.sound.iter_mut().zip(output).for_each(|(sound, buffer)| sound.extend_from_slice(buffer));
        let plan = &renderer.program().plan;
        let effects = plan.works.iter().zip(&plan.paths).zip(&renderer.program().bank.works);
        for ((_, path), cell) in effects.filter(|((work, _), _)| work.channels.0 > 0) {
            run.all += 1;
            if cell.as_ref().is_some_and(|cell| cell.rests()) {
                run.passed += 1;
                run.rested.entry(path.clone()).or_insert((quantum * QUANTUM) as f64 / RATE);
            }
        }
    }
    run
}

#[test]
fn no_effect_sounds_otherwise_for_having_rested() {
    let (mut words, mut rested) = (0, 0);
    for (word, text) in of_every_effect("impulse(0.4)", "") {
        let (rests, works) = (run(&text, 2.8, false), run(&text, 2.8, true));
        // To the last bit, a zero's sign included.
        let bits = |run: &Run| run.sound.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(first_difference(&rests.sound, &works.sound), None, "{word}");
        assert!(bits(&rests) == bits(&works), "{word}");
        words += 1;
        rested += usize::from(rests.passed > 0);
        assert!(rests.passed > 0 || !TURN.contains(&word.as_str()), "{word} turns with the transport, and rests");
    }
    // What rings on, or lets go slowly, has not come to rest in two and a half seconds.
    assert!(rested * 2 > words, "{rested} of {words} rested");
}

#[test]
fn a_strip_rests_once_it_has_fallen_by_400_db_and_its_compressor_has_let_go() {
    let strip = "clicks >> eq().high_pass(40).bell(350, -4, 1.2) >> compressor(-24, 4) >> reverb(0.3) >> fader(-3)";
    let text = format!("let clicks = input(\"clicks\", impulse(0.08));\n{strip} >> master;");
    let (rests, works) = (run(&text, 13.0, false), run(&text, 13.0, true));
    assert_eq!(first_difference(&rests.sound, &works.sound), None);
    let after = |effect: &str| rests.rested.iter().find(|(path, _)| path.contains(effect)).expect("it rests").1;
    let seconds = ["eq", "compressor", "reverb", "fader"].map(after);
    for (found, most) in seconds.into_iter().zip([1.5, 8.0, 6.0, 6.0]) {
        assert!(*found < most, "{seconds:?} seconds");
    }
    assert!(rests.passed * 2 > rests.all, "{} of {} quanta", rests.passed, rests.all);
}

#[test]
fn what_moves_or_makes_sound_of_nothing_never_rests() {
    let moved =
        run("let x = input(\"x\", impulse(1).level(off)); x >> fader(lfo(1).range(-6, 0)) >> master;", 1.0, false);
    assert_eq!((moved.passed, moved.all > 0), (0, true));
    let keyed = "let y = input(\"y\", sine(100)); let x = input(\"x\", impulse(1).level(off));
        x >> compressor(-24, 4).key(y) >> master;";
    let keyed = run(keyed, 1.0, false);
    assert_eq!((keyed.passed, keyed.all > 0), (0, true));
}
