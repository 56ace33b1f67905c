//! Whatever is typed, taken back and saved, right and wrong: in the end what plays is a cold start of what `:text` shows.
//!
//! The cases are the same each time. `GAINSTAGE_CASES=200` tries so many instead of the ordinary number.

use std::path::Path;
use std::thread;
use std::time::Duration;

use engine::graph::prepare;
use engine::media::Library;
use engine::random;

use crate::commands::{folder, render::wav, write};
use crate::rehearsal::Rehearsal;
use crate::terminal::{Terminal, key};

/// How many cases the ordinary run tries, and how many at once: each takes as long as it sounds.
const CASES: u64 = 6;
const AT_ONCE: usize = 6;

/// What is typed and saved in each.
const STEPS: usize = 24;

/// After how long nothing fades, waits or rings any more.
const FORGOTTEN: Duration = Duration::from_millis(2500);

/// What lies between what the prompt shows of the file and of the lines.
const TYPED: &str = "\n\n// typed\n";

/// A file; some of these are wrong.
fn file(which: u64) -> String {
    let b = match which % 7 {
        0 => "b >> low_pass(700) >> fader(-9) >> q;",
        1 => "b >> fader(-12) >> p;",
        2 => "b >> fadre(-12) >> p;",
        3 => "let c = input(\"c\", sine(90).level(-30)); c >> p; b >> fader(-3) >> q;",
        4 => "b >> fader(-9 >> q;",
        _ => "b >> fader(-9) >> q;",
    };
    let level = 20 + which % 5;
    format!(
        "let a = input(\"a\", sine(110).level(-{level}));\nlet b = input(\"b\", sine(170).level(-24));\n\
         let p = bus(\"p\");\nlet q = bus(\"q\");\na >> fader(-6) >> p;\n{b}\np >> master;\nq >> pan(0.3) >> master;\n"
    )
}

/// A line; not each finds what it speaks of.
fn line(dice: &mut impl FnMut(u64) -> u64) -> String {
    let input = ["a", "b", "c"][dice(3) as usize];
    let bus = ["p", "q", "r"][dice(3) as usize];
    let (level, pitch) = (1 + dice(30), 60 + dice(400));
    let cable = format!("{input} >> fader(-{level}) >> at(\"{bus}\")");
    match dice(28) {
        0..=2 => format!("set(\"{input}/fader.gain\", -{level})"),
        3 => format!("set(\"{input}>{bus}/fader.gain\", -{level})"),
        4..=5 => cable,
        6 => format!("{input} >> low_pass({pitch}) >> fader(-{level}) >> at(\"{bus}\")"),
        7 => format!("{input} >> delay({level}.ms).feedback(20).mix(30) >> fader(-{level}) >> at(\"{bus}\")"),
        8 => format!("before(\"{input}>{bus}\", gain(-{level}))"),
        9 => format!("after(\"{input}/fader\", high_pass({pitch}))"),
        10 => format!("remove(\"{input}/fader\")"),
        11 => format!("unplug(\"{input}>{bus}\")"),
        12 => format!("mute(\"{input}\")"),
        13 => format!("solo(\"{input}\")"),
        14 => format!("tempo({})", 60 + level),
        15 => format!("let r = bus(\"r\"); r >> fader(-{level}) >> master; a >> cable(\"more\") >> r"),
        16 => format!("input(\"new {level}\", sine({pitch}).level(-30)) >> at(\"{bus}\")"),
        17 => format!("at(\"{bus}\") >> saturate({}) >> master", level % 6),
        18 => format!(":over {}.ms {cable}", 10 * level),
        19 => format!(":at 1.beats {cable}"),
        20 => format!("{input} >> fadre(-3) >> {bus}"),
        21 => format!("{input} >> >> {bus}"),
        22 => format!(":plan {cable}"),
        23 => format!(":scene {}", ["one", "two"][dice(2) as usize]),
        24 => ":go one".into(),
        25 => format!(":go two over {}.ms", 10 * level),
        // The second time what the first has shown is written.
        26 => ":save\n:save".into(),
        _ => format!("get(\"{input}/fader.gain\")"),
    }
}

/// Plays a case; what was done, by how much the end of the recording is off a cold start, and how loud that is.
fn play(case: u64) -> (String, f64, f64) {
    let place = folder(&file(5));
    let desk = Terminal::playing_of_size((200, 160), place.path(), &["--record", "take.wav", "--journal", "none"]);
    let mut thrown = 1000 * case;
    let mut dice = |sides: u64| {
        thrown += 1;
        (random::mix(thrown) >> 20) % sides
    };
    let mut done = String::new();
    for _ in 0..STEPS {
        match dice(20) {
            0..=2 => {
                let which = dice(1000);
                done += &format!("(file {})\n", which % 35);
                write(place.path(), &file(which));
            }
            other => {
                let typed = match other {
                    3..=5 => ":undo".into(),
                    6..=7 => ":redo".into(),
                    8 if dice(3) == 0 => ":drop".into(),
                    _ => line(&mut dice),
                };
                done += &format!("{typed}\n");
                for line in typed.lines() {
                    desk.prompts();
                    desk.enters(line);
                    thread::sleep(Duration::from_millis(60));
                }
            }
        }
        thread::sleep(Duration::from_millis(dice(150)));
    }
    thread::sleep(FORGOTTEN);
    desk.prompts();
    desk.types(format!("\x0c:text{}", key::ENTER));
    desk.shows("let a = input(");
    desk.prompts();
    let shown = desk.told();
    let shown = shown.rsplit_once("> :text\n").expect("it was typed").1;
    let shown = shown.split("\n> ").next().unwrap_or_default().trim_end().to_owned();
    thread::sleep(Duration::from_millis(200));
    desk.leaves();
    let (off, loudest) = off(place.path(), &shown);
    (format!("{done}--- the text\n{shown}\n"), off, loudest)
}

/// By how much the end of what was recorded is off a cold start of a text, and the loudest of that.
fn off(folder: &Path, shown: &str) -> (f64, f64) {
    let (file, typed) = shown.split_once(TYPED).unwrap_or((shown, ""));
    let lines: Vec<String> = typed.lines().map(str::to_owned).collect();
    let evaluated = scripting::evaluate_text_with(&folder.join("session.rhai"), &format!("{file}\n"), &lines);
    let session = evaluated.session.unwrap_or_else(|| panic!("what is shown is wrong:\n{shown}"));
    let graph = prepare(session, &Library::new()).graph.unwrap_or_else(|| panic!("it cannot sound:\n{shown}"));
    let taken = wav(&folder.join("take.wav"));
    let frames = taken.len() / 2;
    let mut cold = Rehearsal::of(&graph);
    cold.run(frames);
    let end = frames - 4800..frames;
    let differs = |channel: usize| {
        end.clone().map(|i| (f64::from(taken[2 * i + channel]) - cold.sound[channel][i]).abs()).fold(0.0, f64::max)
    };
    let loudest =
        cold.sound.iter().flat_map(|channel| &channel[end.clone()]).fold(0.0, |peak: f64, x| peak.max(x.abs()));
    (differs(0).max(differs(1)), loudest)
}

#[test]
fn whatever_was_typed_what_plays_is_a_cold_start_of_the_text() {
    let cases = std::env::var("GAINSTAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let cases: Vec<u64> = (1..=cases).collect();
    for cases in cases.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let played: Vec<_> = cases.iter().map(|case| (case, scope.spawn(move || play(*case)))).collect();
            let mut loud = 0.0_f64;
            for (case, played) in played {
                let (done, off, loudest) = played.join().unwrap_or_else(|_| panic!("case {case}"));
                assert!(off < 1e-7, "case {case}: {off} off a cold start, after\n{done}");
                loud = loud.max(loudest);
            }
            assert!(loud > 1e-3, "none of the cases {cases:?} can be heard");
        });
    }
}
