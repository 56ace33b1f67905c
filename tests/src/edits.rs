//! Edits of a playing session: what they change, what they leave alone, and that nothing is heard of the seam.

use engine::effects::EFFECTS;
use engine::parameter::{Kind, Table};

use crate::rehearsal::{Rehearsal, cold, first_difference};
use crate::sessions::try_graph;
use crate::spectrum::loudest_above;

/// Four strips, two of them with tails, into a bus and the master.
const BAND: &str = r#"
let a = input("a", sine(100).level(-12));
let b = input("b", saw(220).level(-24));
let c = input("c", impulse(2));
let d = input("d", impulse(1));
let band = bus("band");
a >> eq().bell(400, 3, 1) >> fader(-3) >> band;
b >> compressor(-30, 4) >> pan(0.3) >> fader(-6) >> band;
c >> delay(120).feedback(60).mix(40) >> fader(-9) >> band;
d >> reverb().decay(2.s) >> fader(-12) >> band;
band >> limiter(-1) >> master;
"#;

/// Plays `before`, edits to `after`, and gives what came out from shortly before the edit to after all fades.
fn across(before: &str, after: &str) -> Vec<Vec<f64>> {
    let mut rehearsal = Rehearsal::new(before);
    rehearsal.run(48_000);
    rehearsal.edit(after).expect("the edit changes something");
    rehearsal.run(24_000);
    rehearsal.sound.iter().map(|channel| channel[40_000..].to_vec()).collect()
}

fn assert_no_step(what: &str, before: &str, after: &str) {
    for (channel, sound) in across(before, after).iter().enumerate() {
        let level = loudest_above(sound, 5000.0);
        assert!(level < -80.0, "{what}: {level:.1} dBFS above 5 kHz in channel {channel}");
    }
}

fn sine(chain: &str) -> String {
    format!("let a = input(\"a\", sine(100).level(-12));\na {chain} >> master;\n")
}

#[test]
fn a_gain_is_edited_without_a_step() {
    assert_no_step("fader", &sine(">> fader(0)"), &sine(">> fader(-12)"));
    assert_no_step("fader to off", &sine(">> fader(0)"), &sine(">> fader(off)"));
    assert_no_step("gain", &sine("* 0.25"), &sine("* 1.0"));
}

#[test]
fn a_pan_is_edited_without_a_step() {
    assert_no_step("pan", &sine(">> pan(-1)"), &sine(">> pan(1)"));
    assert_no_step("pan taken in", &sine(""), &sine(">> pan(0.5)"));
    assert_no_step("law", &sine(">> pan(0)"), &sine(">> pan(0).law(-6)"));
}

#[test]
fn a_cable_is_edited_without_a_step() {
    let two = |cable: &str| {
        format!("let a = input(\"a\", sine(100).level(-12));\nlet b = bus(\"b\");\na >> master;\nb >> master;\n{cable}")
    };
    assert_no_step("cable plugged", &two(""), &two("a >> fader(-6) >> b;"));
    assert_no_step("cable unplugged", &two("a >> fader(-6) >> b;"), &two(""));
    assert_no_step("mute", &sine(""), &(sine("") + "mute(\"a\");"));
    assert_no_step("unmute", &(sine("") + "mute(\"a\");"), &sine(""));
    assert_no_step("strip removed", &two("input(\"c\", sine(100).level(-12)) >> b;"), &two(""));
}

#[test]
fn a_send_is_edited_without_a_step() {
    let send = |send: &str| {
        format!("let a = input(\"a\", sine(100).level(-12));\nlet b = bus(\"b\");\na {send} >> master;\nb >> master;\n")
    };
    assert_no_step("send plugged", &send(""), &send(">> send(b, -6)"));
    assert_no_step("send turned down", &send(">> send(b, -6)"), &send(">> send(b, -30)"));
    assert_no_step("send taken out", &send(">> send(b, -6)"), &send(""));
}

/// Plays a sine through one text after the other and tells of each edit that is heard above 5 kHz louder than both what was
/// before it and what comes after.
fn steps_between(texts: &[String]) -> Vec<String> {
    const LENGTH: usize = 18_000;
    const SEAM: usize = 9000;
    let mut rehearsal = Rehearsal::new(&texts[0]);
    rehearsal.run(LENGTH);
    let mut told = Vec::new();
    for pair in texts.windows(2) {
        let at = rehearsal.now() as usize;
        rehearsal.edit(&pair[1]).unwrap_or_else(|| panic!("the edit to {} changes something", pair[1]));
        rehearsal.run(LENGTH);
        for (channel, sound) in rehearsal.sound.iter().enumerate() {
            let level = |frames: std::ops::Range<usize>| loudest_above(&sound[frames], 5000.0);
            let around = level(at - 4096..at).max(level(at + SEAM..sound.len()));
            let found = level(at - 2048..at + SEAM + 2048);
            if found > around.max(-80.0) + 1.0 {
                let texts = format!("{}to: {}", pair[0], pair[1]);
                told.push(format!("{found:.1} dBFS in channel {channel}, {around:.1} around it, from: {texts}"));
            }
        }
    }
    told
}

/// Other values of everything that an effect has fixed, as methods.
fn fixed_values(table: &Table) -> Vec<String> {
    let quoted = |word: &&str| format!("\"{word}\"");
    let fixed = table.parameters.iter().filter(|parameter| parameter.fixed);
    let all = fixed.flat_map(|parameter| {
        let values = match parameter.kind {
            Kind::Number { least, most, .. } => vec![(0.9 * least + 0.1 * most).to_string()],
            Kind::Steps { options, .. } => options.iter().map(f64::to_string).collect(),
            Kind::Choice { options, .. } => options.iter().map(quoted).collect(),
            Kind::Flag { .. } => vec!["on".to_owned(), "off".to_owned()],
            Kind::Signal => vec!["a".to_owned()],
            Kind::Channels | Kind::Path | Kind::Folder | Kind::Pattern | Kind::Circuit => Vec::new(),
            Kind::Keyboard | Kind::Port => Vec::new(),
        };
        values.into_iter().map(|value| format!(".{}({value})", parameter.name))
    });
    all.collect()
}

#[test]
fn every_effect_is_put_in_taken_out_bypassed_and_rebuilt_without_a_step() {
    let mut told = Vec::new();
    for table in EFFECTS {
        let chain = table.example.replacen('x', "", 1);
        let plain = sine(&chain);
        let mut texts = vec![sine(""), plain.clone(), sine(&format!("{chain}.bypass(on)")), plain.clone()];
        for value in fixed_values(table) {
            let other = sine(&format!("{chain}{value}"));
            // What the example says already is no edit.
            if try_graph(&other).is_ok() && Rehearsal::new(&plain).edit(&other).is_some() {
                texts.extend([other, plain.clone()]);
            }
        }
        texts.push(sine(""));
        told.extend(steps_between(&texts));
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn effects_as_far_as_they_go_are_edited_without_a_step() {
    for insert in [
        "eq().bell(100, 6, 1)",
        "gate(-6)",
        "saturate(12)",
        "limiter(-20)",
        "align(50)",
        "haas(50)",
        "vibrato(0.5).depth(100)",
        "tape(7.5).wow(2).flutter(1)",
        "chorus().delay(40).depth(100)",
        "flanger().feedback(95).delay(15)",
        "align(20) >> vibrato(5) >> delay(50).mix(50)",
    ] {
        let chain = sine(&format!(">> {insert}"));
        let texts = [sine(""), chain.clone(), sine(&format!(">> {insert}.bypass(on)")), chain, sine("")];
        let told = steps_between(&texts);
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

#[test]
fn the_order_of_effects_is_edited_without_a_step() {
    assert_no_step(
        "order",
        &sine(">> fader(6) >> compressor(-30, 8) >> high_pass(100)"),
        &sine(">> high_pass(100) >> compressor(-30, 8) >> fader(6)"),
    );
    assert_no_step("order", &sine(">> saturate(12) >> pan(-1)"), &sine(">> pan(-1) >> saturate(12)"));
}

#[test]
fn a_source_is_edited_without_a_step() {
    let source = |source: &str| format!("input(\"a\", {source}) >> master;");
    assert_no_step("frequency", &source("sine(100).level(-12)"), &source("sine(150).level(-12)"));
    assert_no_step("level", &source("sine(100).level(-12)"), &source("sine(100).level(-30)"));
}

#[test]
fn a_clip_is_edited_without_a_step() {
    let folder = tempfile::tempdir().expect("there is room");
    let file = |name: &str, hertz: f64| {
        let path = folder.path().join(name);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&path, spec).expect("it can be written");
        for i in 0..96_000 {
            let x = 0.25 * (std::f64::consts::TAU * hertz * f64::from(i) / 48_000.0).sin();
            writer.write_sample(x as f32).expect("it can be written");
        }
        writer.finalize().expect("it can be written");
        path.to_string_lossy().into_owned()
    };
    let (a, b) = (file("a.wav", 100.0), file("b.wav", 75.0));
    let clip = |file: &str, rest: &str| format!("input(\"a\", clip(\"{file}\"){rest}) >> master;");
    let whole = clip(&a, ".looped()");
    assert_no_step("gain", &whole, &clip(&a, ".looped().gain(-12)"));
    assert_no_step("from", &whole, &clip(&a, ".looped().from(0.6777)"));
    assert_no_step("to", &whole, &clip(&a, ".looped().to(1.6.s)"));
    assert_no_step("start", &whole, &clip(&a, ".looped().start(3.3.ms)"));
    assert_no_step("file", &whole, &clip(&b, ".looped()"));
    assert_no_step("source", &whole, "input(\"a\", sine(150).level(-12)) >> master;");
    let two = format!("input(\"a\", [clip(\"{a}\").looped(), clip(\"{b}\").looped().gain(-6)]) >> master;");
    assert_no_step("second region", &whole, &two);
}

#[test]
fn swapping_in_the_same_text_or_other_comments_changes_nothing() {
    let mut rehearsal = Rehearsal::new(BAND);
    rehearsal.run(4800);
    assert_eq!(rehearsal.edit(BAND), None);
    assert_eq!(rehearsal.edit(&format!("// another comment\n\n{BAND}// at the end")), None);
    rehearsal.run(4800);
    assert_eq!(first_difference(&rehearsal.sound, &cold(BAND, 9600)), None);
}

#[test]
fn the_order_of_unrelated_lines_changes_no_bit() {
    let lines: Vec<&str> = BAND.trim().lines().collect();
    let mut other = lines.clone();
    other[5..9].reverse();
    let other = other.join("\n");
    assert_eq!(first_difference(&cold(BAND, 9600), &cold(&other, 9600)), None);
    let mut rehearsal = Rehearsal::new(BAND);
    rehearsal.run(4800);
    rehearsal.edit(&other);
    rehearsal.run(4800);
    assert_eq!(first_difference(&rehearsal.sound, &cold(BAND, 9600)), None);
}

#[test]
fn a_fader_changed_leaves_the_other_stems_to_the_last_bit() {
    let edited = BAND.replace("fader(-3)", "fader(-20)");
    let mut still = Rehearsal::with_stems(BAND, Some("band"));
    still.run(48_000);
    let mut touched = Rehearsal::with_stems(BAND, Some("band"));
    touched.run(20_000);
    touched.edit(&edited).expect("the fader changed");
    touched.run(48_000 - touched.now() as usize);
    assert_eq!(still.stems.len(), 4);
    for ((path, still), (_, touched)) in still.stems.iter().zip(&touched.stems) {
        let different = first_difference(still, touched);
        match path.as_str() {
            "a>band" => assert_eq!(different.map(|frame| frame / 64), Some(20_032 / 64), "{path}"),
            _ => assert_eq!(different, None, "{path}"),
        }
    }
}

#[test]
fn an_edit_is_told_by_what_the_text_has_and_by_nothing_else() {
    let text = |chain: &str| format!("input(\"x\", saw(110)) {chain} >> master;");
    let sides = "x>master/mid_side x>master/mid_side#mid/gain x>master/mid_side#side/gain";
    let band = "x>master/multiband x>master/multiband#1/gain";
    // Before, after, and what is added, removed and changed.
    for (before, after, told) in [
        ("", ">> mid_side(gain(1), gain(2))", [sides, "", ""]),
        (">> mid_side(gain(1), gain(2))", "", ["", sides, ""]),
        ("", ">> multiband().band(1, gain(1))", [band, "", ""]),
        (">> multiband()", ">> multiband().crossovers(200, 1000, 5000)", ["", "", "x>master/multiband"]),
        (">> multiband()", ">> multiband().crossovers(200)", ["", "", "x>master/multiband"]),
        (">> multiband().mix(50)", ">> multiband().mix(60)", ["", "", "x>master/multiband"]),
        ("", ">> insert(3, 3)", ["x>master/insert", "", ""]),
        ("", ">> gain(3)", ["x>master/gain", "", ""]),
        (">> gain(3)", "", ["", "x>master/gain", ""]),
    ] {
        let mut rehearsal = Rehearsal::new(&text(before));
        rehearsal.run(4800);
        let changes = rehearsal.edit(&text(after)).expect("it changes something");
        let of = |paths: &[String]| {
            let mut paths = paths.to_vec();
            paths.sort();
            paths.join(" ")
        };
        let found = [of(&changes.added), of(&changes.removed), of(&changes.changed)];
        assert_eq!(found, told, "from `{before}` to `{after}`");
        assert!(changes.restarted.is_empty(), "{changes:?}");
    }
}

#[test]
fn an_effect_put_in_before_one_of_its_kind_disturbs_neither() {
    let chain = |first: &str| {
        format!("input(\"a\", saw(50)) {first} >> delay(100).feedback(70).named(\"echo\") >> delay(200) >> master;")
    };
    let before = chain("");
    let after = chain(">> delay(30).mix(0)");
    let mut rehearsal = Rehearsal::new(&before);
    rehearsal.run(48_000);
    let changes = rehearsal.edit(&after).expect("the chain changed");
    assert_eq!(changes.restarted, Vec::<String>::new());
    assert_eq!(changes.added.len(), 1, "{changes:?}");
    rehearsal.run(24_000);
    // A delay that is mixed out is a wire, so the echoes go on as if nothing had been done, but for the fade's rounding.
    let still = cold(&before, 72_000);
    let most =
        |range: std::ops::Range<usize>| range.map(|i| (still[0][i] - rehearsal.sound[0][i]).abs()).fold(0.0, f64::max);
    assert!(most(48_000..72_000) < 1e-12, "{}", most(48_000..72_000));
}

#[test]
fn a_removed_delay_rings_out_and_a_removed_fader_does_not() {
    let with = "input(\"c\", impulse(0.5)) >> delay(200).feedback(80).named(\"echo\") >> master;";
    let mut rehearsal = Rehearsal::new(with);
    rehearsal.run(24_000);
    rehearsal.edit("input(\"c\", impulse(0.5)) >> fader(off) >> master;").expect("the delay is gone");
    rehearsal.run(48_000);
    let energy = |range: std::ops::Range<usize>| rehearsal.sound[0][range].iter().map(|x| x * x).sum::<f64>();
    assert!(energy(26_000..72_000) > 1e-3, "the echoes of the first impulse go on");
    rehearsal.run(11 * 48_000);
    assert!(rehearsal.is_settled(), "the tail has ended");
    let last = rehearsal.sound[0].len();
    assert_eq!(rehearsal.sound[0][last - 4800..].iter().fold(0.0f64, |a, b| a.max(b.abs())), 0.0);
}

#[test]
fn after_an_edit_and_its_tails_the_sound_is_that_of_a_cold_start() {
    let after = BAND.replace("fader(-3)", "fader(-20)").replace("pan(0.3)", "pan(-0.6) >> high_pass(200)");
    let mut rehearsal = Rehearsal::new(BAND);
    rehearsal.run(24_000);
    rehearsal.edit(&after);
    rehearsal.run(10 * 48_000);
    let cold = cold(&after, rehearsal.now() as usize);
    let last = cold[0].len();
    let most = (last - 48_000..last).map(|i| (cold[0][i] - rehearsal.sound[0][i]).abs()).fold(0.0, f64::max);
    assert!(most < 1e-9, "{most}");
}

#[test]
fn a_tape_that_is_called_otherwise_hisses_as_if_it_had_been_from_the_start() {
    let text = |name: &str| format!("input(\"a\", sine(100).level(-12)) >> tape().hiss(-40){name} >> master;");
    let mut rehearsal = Rehearsal::new(&text(""));
    rehearsal.run(12_000);
    rehearsal.edit(&text(".named(\"old\")")).expect("it is called otherwise");
    rehearsal.run(48_000);
    let cold = cold(&text(".named(\"old\")"), rehearsal.now() as usize);
    let last = cold[0].len();
    let most = (last - 24_000..last).map(|i| (cold[0][i] - rehearsal.sound[0][i]).abs()).fold(0.0, f64::max);
    assert!(most < 1e-9, "{most}");
}

#[test]
fn a_dither_that_is_called_otherwise_rounds_as_if_it_had_been_from_the_start() {
    let text = |name: &str| format!("input(\"a\", sine(100).level(-12)) >> dither(8){name} >> master;");
    let mut rehearsal = Rehearsal::new(&text(""));
    rehearsal.run(12_000);
    rehearsal.edit(&text(".named(\"last\")")).expect("it is called otherwise");
    rehearsal.run(24_000);
    let cold = cold(&text(".named(\"last\")"), rehearsal.now() as usize);
    let last = cold[0].len();
    let tail = |sound: &[Vec<f64>]| vec![sound[0][last - 12_000..].to_vec()];
    assert_eq!(first_difference(&tail(&cold), &tail(&rehearsal.sound)), None);
}

/// A frame at which a sine of 100 Hz is near its peak, so that whatever comes or goes with it is heard as a step.
const NEAR_A_PEAK: usize = 24_128;

#[test]
fn edits_while_a_new_line_fills_let_nothing_through_before_it_is_full() {
    let align = ">> align(1.s)";
    let muted = sine(align) + "mute(\"a\");";
    // What is saved while the line fills, with the frames between one save and the next, and how loud it is at least.
    type Saves<'a> = &'a [(usize, String)];
    let edits: [(&str, Saves, f64); 7] = [
        ("an effect put in after it", &[(12_000, sine(">> align(1.s) >> gain(-1)"))], 0.2),
        ("an effect put in before it", &[(12_000, sine(">> gain(-1) >> align(1.s)"))], 0.2),
        // Later by the limiter's latency it is out of phase with what it takes over from.
        ("one with a latency put in after it", &[(12_000, sine(">> align(1.s) >> limiter(-1)"))], 0.15),
        ("its level", &[(12_000, sine(">> align(1.s) >> fader(-2)"))], 0.18),
        (
            "its level, twice",
            &[(12_000, sine(">> align(1.s) >> fader(-1)")), (320, sine(">> align(1.s) >> fader(-2)"))],
            0.18,
        ),
        ("undone and redone", &[(24_000, sine("")), (320, sine(align))], 0.2),
        ("muted and unmuted", &[(12_000, muted), (4800, sine(align))], 0.0),
    ];
    for (what, saves, least) in edits {
        let mut rehearsal = Rehearsal::new(&sine(""));
        rehearsal.run(NEAR_A_PEAK);
        rehearsal.edit(&sine(align)).expect("it is put in");
        for (frames, text) in saves {
            rehearsal.run(*frames);
            rehearsal.edit(text).unwrap_or_else(|| panic!("{what}: an edit"));
        }
        rehearsal.run(72_000);
        let heard = loudest_above(&rehearsal.sound[0][NEAR_A_PEAK - 4096..], 5000.0);
        assert!(heard < -80.0, "{what}: {heard:.1} dBFS above 5 kHz");
        // The sine comes out of the line as it went in, whole periods later, so the one takes over from the other.
        for start in (NEAR_A_PEAK..NEAR_A_PEAK + 72_000).step_by(480) {
            let peak = peak(&rehearsal.sound, start..start + 480);
            assert!(peak >= least, "{what}: it dips to {peak} at {start}");
        }
    }
}

#[test]
fn what_is_muted_unplugged_or_deleted_while_a_new_line_fills_is_silent_after_the_crossfade() {
    let strip = |chain: &str| {
        format!("let b = bus(\"b\");\nb >> master;\nlet a = input(\"a\", sine(100).level(-12));\n{chain}")
    };
    let (plain, aligned) = (strip("a >> master;"), strip("a >> align(1000) >> master;"));
    for (what, after) in [
        ("muted", aligned.clone() + "\nmute(\"a\");"),
        ("unplugged", strip("")),
        ("deleted", "let b = bus(\"b\");\nb >> master;".to_owned()),
    ] {
        let mut rehearsal = Rehearsal::new(&plain);
        rehearsal.run(NEAR_A_PEAK);
        rehearsal.edit(&aligned).expect("it is put in");
        rehearsal.run(4800);
        let at = rehearsal.now() as usize;
        rehearsal.edit(&after).expect("it is silenced");
        rehearsal.run(640);
        assert_eq!(rehearsal.edit(&after), None, "{what}: it is on its way");
        rehearsal.run(60_000);
        let last = rehearsal.sound[0].len();
        assert!(peak(&rehearsal.sound, at - 480..at) > 0.2, "{what}: it was heard");
        assert_eq!(peak(&rehearsal.sound, at + 960..last), 0.0, "{what}");
        let heard = loudest_above(&rehearsal.sound[0][at - 4096..], 5000.0);
        assert!(heard < -80.0, "{what}: {heard:.1} dBFS above 5 kHz");
    }
}

#[test]
fn a_line_put_into_one_strip_holds_back_nothing_of_another() {
    let text = |chain: &str, rest: &str| {
        format!(
            "let a = input(\"a\", sine(100).level(-60));\nlet c = input(\"c\", sine(100).level(-12));\n\
             a {chain} >> master;\n{rest}"
        )
    };
    let (without, with) = (text("", ""), text(">> align(1000)", "c >> master;"));
    for (what, before, after, least, most) in [
        ("unplugged", text("", "c >> master;"), text(">> align(1000)", ""), 0.0, 0.0011),
        ("plugged", without, with, 0.2, 0.3),
    ] {
        let mut rehearsal = Rehearsal::new(&before);
        rehearsal.run(NEAR_A_PEAK);
        let at = rehearsal.now() as usize;
        rehearsal.edit(&after).expect("it changes something");
        rehearsal.run(4800);
        let peak = peak(&rehearsal.sound, at + 960..at + 4800);
        assert!((least..most).contains(&peak), "{what}: {peak}");
    }
}

/// The loudest sample of the first channel in a range of frames.
fn peak(sound: &[Vec<f64>], frames: std::ops::Range<usize>) -> f64 {
    sound[0][frames].iter().fold(0.0, |most, x| most.max(x.abs()))
}

#[test]
fn an_edit_taken_back_within_its_fade_is_taken_back() {
    let without =
        "let a = input(\"a\", sine(100).level(-12));\nlet b = bus(\"b\");\na >> fader(-60) >> master;\nb >> master;\n";
    let with = format!("{without}a >> b;");
    let mut rehearsal = Rehearsal::new(&with);
    rehearsal.run(4800);
    rehearsal.edit(without).expect("the cable is gone");
    rehearsal.run(320);
    rehearsal.edit(&with).expect("the cable is back");
    rehearsal.run(48_000);
    let last = rehearsal.sound[0].len();
    let expected = peak(&cold(&with, last), last - 4800..last);
    assert_eq!(peak(&rehearsal.sound, last - 4800..last), expected);
}

#[test]
fn what_is_plugged_again_while_it_rings_is_heard_by_its_new_way_only() {
    let echo = |chain: &str| format!("let a = input(\"a\", sine(100).level(-12));\na {chain} >> master;");
    let mut rehearsal = Rehearsal::new(&echo(">> delay(400).feedback(80).mix(0).named(\"d\")"));
    rehearsal.run(4800);
    rehearsal.edit(&echo(">> fader(-60)"));
    rehearsal.run(4800);
    rehearsal.edit(&echo(">> delay(400).feedback(80).mix(0).named(\"d\") >> fader(-60)"));
    rehearsal.run(9600);
    let last = rehearsal.sound[0].len();
    assert!(peak(&rehearsal.sound, last - 4800..last) < 0.001);
}

#[test]
fn a_loop_whose_time_is_changed_goes_on() {
    let text = |time: &str| {
        format!(
            "let e = bus(\"e\");\ninput(\"c\", impulse(0.01)) >> e;\ne >> fader(-1) >> feedback(e, {time});\ne >> master;"
        )
    };
    let mut rehearsal = Rehearsal::new(&text("100.ms"));
    rehearsal.run(12_000);
    rehearsal.edit(&text("150.ms"));
    rehearsal.run(48_000);
    let last = rehearsal.sound[0].len();
    assert!(peak(&rehearsal.sound, last - 12_000..last) > 0.1, "the echo still goes round");
}

#[test]
fn a_loop_that_is_removed_rings_out_and_ends() {
    let with = "let e = bus(\"e\");\nlet c = input(\"c\", impulse(0.01));\nc >> e;\ne >> fader(-3) >> feedback(e, 100.ms);\nc >> master;\ne >> master;";
    let mut rehearsal = Rehearsal::new(with);
    rehearsal.run(12_000);
    rehearsal.edit("input(\"c\", impulse(0.01)) >> master;").expect("the loop is gone");
    rehearsal.run(24_000);
    assert!(peak(&rehearsal.sound, 26_000..36_000) > 0.05, "it goes round on");
    rehearsal.run(11 * 48_000);
    assert!(rehearsal.is_settled());
}

#[test]
fn a_removed_echo_that_fed_itself_more_than_it_lost_dies_away() {
    let with = "input(\"c\", impulse(0.01)) >> delay(100).feedback(110).high_pass(off).low_pass(off) >> master;";
    let mut rehearsal = Rehearsal::new(with);
    rehearsal.run(12_000);
    rehearsal.edit("input(\"c\", impulse(0.01)) >> master;");
    rehearsal.run(9 * 48_000);
    let second = |n: usize| peak(&rehearsal.sound, n * 48_000..(n + 1) * 48_000);
    assert!(
        second(1) > second(4) && second(4) > second(8) && second(8) < 0.1,
        "{} {} {}",
        second(1),
        second(4),
        second(8)
    );
}

#[test]
fn a_wire_put_in_is_not_heard() {
    let text = |chain: &str| format!("input(\"a\", sine(100).level(-12)) {chain} >> master;");
    for wire in ["(delay(300).mix(0) >> fader(0)).mix(100).named(\"c\")", "delay(300).mix(0) >> fader(0)", "fader(0)"] {
        let mut rehearsal = Rehearsal::new(&text(""));
        rehearsal.run(4800);
        rehearsal.edit(&text(&format!(">> {wire}"))).expect("it is put in");
        rehearsal.run(24_000);
        let still = cold(&text(""), rehearsal.now() as usize);
        let most = (0..24_000).map(|i| (still[0][i] - rehearsal.sound[0][i]).abs()).fold(0.0, f64::max);
        assert!(most < 1e-12, "{wire}: {most}");
    }
}

#[test]
fn a_filter_before_a_gate_is_put_in_without_waking_the_gate() {
    let text = |chain: &str| format!("input(\"a\", sine(100).level(-12)) {chain} >> master;");
    let mut rehearsal = Rehearsal::new(&text(""));
    rehearsal.run(48_000);
    rehearsal.edit(&text(">> high_pass(20) >> gate(-14).hysteresis(0)"));
    rehearsal.run(4800);
    for start in (48_000..52_000).step_by(480) {
        let peak = peak(&rehearsal.sound, start..start + 480);
        assert!(peak > 0.2, "the sound dips to {peak} at {start}");
    }
}
