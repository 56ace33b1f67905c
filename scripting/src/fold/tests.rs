//! What lines become in a file: tidy results as texts, and any result as what it means.

use std::path::Path;

use engine::random;

use super::*;
use crate::evaluate::evaluate_text;

fn file(text: &str) -> Vec<SourceFile> {
    vec![SourceFile { path: Path::new("session.rhai").into(), text: text.into(), is_line: false }]
}

fn folded(text: &str, lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    fold(&file(text), &lines).unwrap_or_else(|why| panic!("{lines:?}: {why}"))
}

/// What stands around the cables below.
const HEAD: &str =
    "// A strip.\ntempo(96); // slow\nlet voice = input(\"voice\", sine(220));\nlet room = bus(\"room\");\n";
const TAIL: &str = "room >> reverb() >> master; // wet\n";

/// The text between head and tail, with lines folded into it.
#[track_caller]
fn strip(before: &str, lines: &[&str], after: &str) {
    assert_eq!(folded(&format!("{HEAD}{before}\n{TAIL}"), lines), format!("{HEAD}{after}\n{TAIL}"));
}

/// What lines are folded into behind the text.
#[track_caller]
fn behind(lines: &[&str], after: &str) {
    let text = format!("{HEAD}voice >> send(room, -12) >> fader(-6) >> master;\n{TAIL}");
    assert_eq!(folded(&text, lines), format!("{text}{after}\n"));
}

#[test]
fn a_place_declared_again_is_written_where_it_was_declared() {
    let text = format!("{HEAD}voice >> master;\n{TAIL}");
    let other = text.replace("sine(220)", "saw(110)");
    assert_eq!(folded(&text, &["input(\"voice\", saw(110))"]), other);
    assert_eq!(folded(&text, &["let voice = input(\"voice\", saw(110));"]), other);
    assert_eq!(folded(&text, &["bus(\"room\", 1)"]), text.replace("bus(\"room\")", "bus(\"room\", 1)"));
}

#[test]
fn a_value_is_written_where_the_parameter_is_said() {
    let before = "voice >> compressor(-18, 3).attack(8.ms) >> send(room, -12) >> fader(-6.dB) >> master; // dry";
    strip(before, &["set(\"voice/compressor.threshold\", -24)"], &before.replace("-18", "-24"));
    strip(before, &["set(\"voice/compressor.attack\", 20.ms);"], &before.replace("8.ms", "20.ms"));
    strip(before, &["set(\"voice/fader.gain\", -3)"], &before.replace("-6.dB", "-3.dB"));
    strip(before, &["set(\"voice/fader.gain\", off)"], &before.replace("-6.dB", "off"));
    strip(before, &["set(\"voice>room.gain\", -9.dB)"], &before.replace("-12", "-9.dB"));
    strip(
        before,
        &["set(\"voice/fader.gain\", lfo(2).range(-9, -3))"],
        &before.replace("-6.dB", "lfo(2).range(-9, -3)"),
    );
    strip(before, &["set(\"voice/compressor.release\", 90)"], &before.replace("8.ms)", "8.ms).release(90)"));
    strip(before, &["set(\"voice/compressor.mix\", 40)"], &before.replace("8.ms)", "8.ms).mix(40)"));
}

#[test]
fn a_value_that_was_left_out_becomes_an_argument_or_a_setter_of_its_part() {
    let before = "voice >> eq().bell(350, -3).named(\"mud\").high_pass(40) >> send(room) >> fader() >> master;";
    strip(before, &["set(\"voice/fader.gain\", -3.dB)"], &before.replace("fader()", "fader(-3.dB)"));
    strip(before, &["set(\"voice>room.gain\", -9)"], &before.replace("send(room)", "send(room, -9)"));
    strip(before, &["set(\"voice/eq#mud.q\", 2)"], &before.replace("-3)", "-3, 2)"));
    strip(before, &["set(\"voice/eq#2.freq\", 80)"], &before.replace("(40)", "(80)"));
    let flag = "voice >> compressor(-18, 3).bypass() >> send(room) >> fader() >> master;";
    strip(flag, &["set(\"voice/compressor.bypass\", off)"], &flag.replace("bypass()", "bypass(off)"));
}

#[test]
fn a_value_behind_a_name_is_written_where_the_name_gets_it_unless_others_use_it() {
    let variable = "let level = -6;\nvoice >> fader(level) >> send(room, -12) >> master;";
    strip(variable, &["set(\"voice/fader.gain\", -3)"], &variable.replace("= -6", "= -3"));
    let shared = "let level = -6;\nvoice >> fader(level) >> send(room, level) >> master;";
    strip(shared, &["set(\"voice/fader.gain\", -3)"], &shared.replace("fader(level)", "fader(-3)"));
    let function = "fn quiet(db) { fader(db) }\nvoice >> quiet(-6) >> send(room, -12) >> master;";
    strip(function, &["set(\"voice/fader.gain\", -3)"], &function.replace("quiet(-6)", "quiet(-3)"));
    let value = "let soft = fader(-6);\nvoice >> soft >> send(room, -12) >> master;";
    strip(value, &["set(\"voice/fader.gain\", -3)"], &value.replace("-6", "-3"));
}

#[test]
fn a_value_that_two_effects_share_stays_a_line() {
    let text = "let soft = fader(-6); let voice = input(\"voice\", sine(220)); let b = input(\"b\", saw(110));\n\
        voice >> soft >> master; b >> soft >> cable(\"b\") >> master;\n";
    let line = "set(\"voice/fader.gain\", -3);";
    assert_eq!(folded(text, &[line]), format!("{text}{line}\n"));
    let scaled = "let voice = input(\"voice\", sine(220));\nvoice * 0.5 >> master;\n";
    let line = "set(\"voice/gain.gain\", -3);";
    assert_eq!(folded(scaled, &[line]), format!("{scaled}{line}\n"));
}

#[test]
fn a_cable_plugged_again_takes_the_place_of_its_statement_in_its_layout() {
    let before =
        "voice >> eq().bell(350, -3)\n      >> send(room, -12)  // a little\n      >> fader(-6) >> master; // dry";
    let line = "voice >> eq().bell(350, -3) >> send(room, -12) >> fader(-4) >> master";
    strip(before, &[line], &before.replace("-6", "-4"));
    let line = "voice >> eq().bell(350, -3) >> send(room, -12) >> pan(0.2) >> fader(-6) >> master";
    strip(before, &[line], &before.replace("fader(-6)", "pan(0.2) >> fader(-6)"));
    strip(
        before,
        &["voice >> pan(0.5) >> send(room, -3) >> master;"],
        "voice >> pan(0.5) >> send(room, -3) >> master; // dry",
    );
    strip(
        "let dry = voice >> send(room, -12) >> fader(-6) >> master;",
        &["voice >> send(room, -12) >> fader(-4) >> master"],
        "let dry = voice >> send(room, -12) >> fader(-4) >> master;",
    );
    strip(before, &["replace(voice >> fader(-4) >> master)"], "voice >> fader(-4) >> master; // dry");
}

#[test]
fn a_set_lands_in_the_cable_that_was_plugged_in_after_it() {
    let before = "voice >> send(room, -12) >> fader(-6) >> master;";
    let lines = ["set(\"voice/fader.gain\", -3);", "voice >> send(room, -9) >> fader(-6) >> pan(0.1) >> master"];
    strip(before, &lines, "voice >> send(room, -9) >> fader(-3) >> pan(0.1) >> master;");
}

#[test]
fn a_word_of_the_whole_and_a_name_are_said_where_they_were() {
    let before = "voice >> send(room, -12) >> fader(-6) >> master;";
    let text = format!("{HEAD}{before}\n{TAIL}");
    assert_eq!(folded(&text, &["tempo(90)", "tempo(120)"]), text.replace("tempo(96)", "tempo(120)"));
    assert_eq!(folded(&text, &["crossfade(50.ms)"]), format!("{text}crossfade(50.ms);\n"));
    let named = "let level = -6; // soft\nvoice >> send(room, -12) >> master;";
    strip(named, &["let level = -3;"], &named.replace("-6", "-3"));
}

#[test]
fn what_was_taken_away_is_taken_out() {
    let before = "voice >> gate(-45) >> send(room, -12)\n      >> fader(-6) >> master; // dry";
    strip(before, &["remove(\"voice/gate\")"], &before.replace(" >> gate(-45)", ""));
    strip(before, &["unplug(\"voice>room\")"], &before.replace(" >> send(room, -12)", ""));
    strip(before, &["remove(\"voice/fader\")"], &before.replace("\n      >> fader(-6)", ""));
    let text = format!("{HEAD}{before}\n{TAIL}input(\"b\", saw(110)) >> master; // rough\n");
    assert_eq!(folded(&text, &["unplug(\"room>master\")"]), text.replace(TAIL, ""));
    let value = "let soft = high_pass(90) >> gate(-45) >> fader(-6);\nvoice >> soft >> send(room, -12) >> master;";
    strip(value, &["remove(\"voice/high_pass\")"], &value.replace("high_pass(90) >> ", ""));
}

#[test]
fn what_has_no_place_in_the_file_stands_behind_it() {
    behind(&["mute(\"voice\")"], "mute(\"voice\");");
    behind(&["mute(voice) // for now"], "mute(voice); // for now");
    behind(&["let b = input(\"b\", saw(110)); b >> master"], "let b = input(\"b\", saw(110));\nb >> master;");
    behind(&["before(\"voice/fader\", gate(-40))"], "before(\"voice/fader\", gate(-40));");
    behind(
        &["for x in [1, 2] { input(\"x\" + x, sine(100 * x)) >> master; }"],
        "for x in [1, 2] { input(\"x\" + x, sine(100 * x)) >> master; }",
    );
    // A loop that plugs in again has nothing that `replace` could stand round.
    behind(
        &["for x in [voice] { x >> fader(-3) >> master; }"],
        "unplug(\"voice>master\");\nfor x in [voice] { x >> fader(-3) >> master; }",
    );
}

#[test]
fn a_cable_of_a_list_that_is_plugged_again_is_replaced_behind_it() {
    let text = "let a = input(\"a\", sine(220)); let b = input(\"b\", saw(110));\n[a, b] >> master;\n";
    assert_eq!(folded(text, &["a >> fader(-6) >> master"]), format!("{text}replace(a >> fader(-6) >> master);\n"));
    let named = "let c = a >> fader(-6) >> master";
    assert_eq!(folded(text, &[named]), format!("{text}let c = replace(a >> fader(-6) >> master);\n"));
}

#[test]
fn what_has_no_effect_any_more_is_left_out() {
    let text = format!("{HEAD}voice >> send(room, -12) >> fader(-6) >> master;\n{TAIL}");
    assert_eq!(
        folded(
            &text,
            &["set(\"voice/fader.gain\", -6.dB)", "tempo(96)", "voice >> send(room, -12) >> fader(-6) >> master"]
        ),
        text
    );
}

#[test]
fn the_ends_of_lines_and_of_the_file_are_kept() {
    let text = "let a = input(\"a\", sine(220));\r\na >> master;\r\n";
    assert_eq!(folded(text, &["mute(a)"]), format!("{text}mute(a);\r\n"));
    let open = "let a = input(\"a\", sine(220));\na >> master // last";
    assert_eq!(folded(open, &["mute(a)"]), "let a = input(\"a\", sine(220));\na >> master; // last\nmute(a);\n");
}

#[test]
fn what_is_wrong_as_it_stands_is_not_folded() {
    assert!(fold(&file("input(\"a\", sine(220)) >> master;"), &["nonsense(".into()]).is_err());
    assert!(fold(&file("input(\"a\", sine(220)) >>"), &[]).is_err());
}

/// A choice that follows from a case and how many were made before.
struct Chance(u64, u64);

impl Chance {
    fn of(&mut self, count: usize) -> usize {
        self.1 += 1;
        (random::mix(self.0 ^ random::mix(self.1)) % count as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.of(of.len())]
    }

    fn level(&mut self) -> String {
        format!("-{}{}", self.of(30) + 1, self.one(&["", ".dB", ".5", ".5.dB"]))
    }

    fn effect(&mut self) -> String {
        let level = self.level();
        match self.of(8) {
            0 => format!("fader({level})"),
            1 => "fader()".into(),
            2 => format!("compressor({level}, 3).attack({}.ms)", self.of(20) + 1),
            3 => format!("eq().bell({}, {level}).high_pass(40)", 200 + self.of(900)),
            4 => format!("send(room, {level})"),
            5 => "gate(-45).bypass()".into(),
            6 => "soft".into(),
            _ => format!("strip({level})"),
        }
    }

    fn cable(&mut self) -> String {
        let from = self.one(&["a", "b", "c", "a + b", "room", "[a, b]"]);
        let to = match from {
            "room" => "master",
            _ => self.one(&["master", "master", "band"]),
        };
        let effects: String = (0..self.of(4)).map(|_| format!("{} >> ", self.effect())).collect();
        let name = if self.of(6) == 0 { format!("cable(\"{}\") >> ", self.one(&["x", "y"])) } else { String::new() };
        // A bus that hears itself is no session.
        let effects =
            if from == "room" { effects.replace("send(room", "gain(").replace("gain(,", "gain(") } else { effects };
        format!("{from} >> {effects}{name}{to}")
    }

    fn line(&mut self) -> String {
        let strip = self.one(&["a", "b", "c", "room", "a>master", "b>band", "a+b>master"]);
        let level = self.level();
        match self.of(14) {
            0..=3 => self.cable(),
            4 => format!("set(\"{strip}/fader.gain\", {level})"),
            5 => format!(
                "set(\"{strip}/compressor.{}\", {})",
                self.one(&["threshold", "attack", "mix", "release"]),
                self.of(20) + 10
            ),
            6 => format!("set(\"{strip}/eq#{}.freq\", {})", self.of(2) + 1, 100 + self.of(900)),
            7 => format!("set(\"{}>room.gain\", {level})", self.one(&["a", "b", "c"])),
            8 => format!("{}({})", self.one(&["tempo", "tempo", "seed"]), 80 + self.of(80)),
            9 => format!("{}({})", self.one(&["mute", "solo", "safe"]), self.one(&["a", "b", "\"c\""])),
            10 => format!("let level = {level}"),
            11 => format!("unplug(\"{}\")", self.one(&["a>master", "b>master", "a>room", "b>band", "room>master"])),
            12 => format!("remove(\"{strip}/{}\")", self.one(&["fader", "compressor", "gate", "eq"])),
            _ => format!("{}; {}", self.cable(), self.cable()),
        }
    }
}

#[test]
fn a_folded_file_is_right_and_means_what_file_and_lines_meant() {
    let cases = std::env::var("GAINSTAGE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let (mut tidy, mut all) = (0, 0);
    for case in 0..cases {
        let mut chance = Chance(case, 0);
        let mut text = "let level = -6;\nlet soft = fader(level);\nfn strip(db) { gate(-50) >> fader(db) }\n\
            let a = input(\"a\", sine(220)); let b = input(\"b\", saw(110)); let c = input(\"c\", noise());\n\
            let room = bus(\"room\"); let band = bus(\"band\");\ntempo(96); // slow\n"
            .to_owned();
        let right = |text: &str, lines: &[String]| {
            let files = file(text);
            Whole { file: &files[0], others: &[], text: text.to_owned(), lines: lines.to_vec() }.means()
        };
        for _ in 0..12 {
            let more = format!("{text}{};\n", chance.cable());
            if right(&more, &[]).is_some() {
                text = more;
            }
        }
        let mut lines = Vec::new();
        for _ in 0..10 {
            lines.push(chance.line());
            if right(&text, &lines).is_none() {
                lines.pop();
            }
        }
        let meant = right(&text, &lines).expect("what is wrong was left out");
        let shown = lines.join("\n");
        let folded = fold(&file(&text), &lines).unwrap_or_else(|why| panic!("case {case}: {why}\n{text}---\n{shown}"));
        let evaluated = evaluate_text(Path::new("session.rhai"), &folded);
        let means = evaluated.session.and_then(meaning);
        assert_eq!(means.as_ref(), Some(&meant), "case {case}:\n{text}---\n{shown}\n---\n{folded}");
        all += lines.len();
        tidy += lines.len().saturating_sub(folded.lines().count().saturating_sub(text.lines().count()));
    }
    assert!(2 * tidy > all, "only {tidy} of {all} lines found a place in the file");
}

#[test]
fn a_section_said_again_is_written_where_it_was_said() {
    let text = "let v = input(\"v\", sine(220));\nlet intro = section(\"intro\", 4, || {\n    mute(v); // not yet\n});\nsection(\"verse\", 8, || {\n    input(\"pad\", saw(110));\n});\nv >> fader(-6) >> master;\nat(\"pad\") >> master;\narrange([intro, \"verse\"]);\n";
    assert_eq!(folded(text, &["arrange([intro, \"verse\", intro])"]), text.replace("\"verse\"]", "\"verse\", intro]"));
    let longer = "section(\"verse\", 16, || {\n    input(\"pad\", saw(110));\n})";
    assert_eq!(folded(text, &[longer]), text.replace("\"verse\", 8", "\"verse\", 16"));
    let again = "section(\"intro\", 4, || { mute(v); set(\"v/fader.gain\", -9); })";
    let written = folded(text, &[again]);
    assert!(
        written.starts_with("let v = input(\"v\", sine(220));\nlet intro = section(\"intro\", 4, || {"),
        "{written}"
    );
    assert!(
        written.contains("set(\"v/fader.gain\", -9)") && written.ends_with("arrange([intro, \"verse\"]);\n"),
        "{written}"
    );
    assert_eq!(folded(text, &["set(\"v/fader.gain\", -3)"]), text.replace("fader(-6)", "fader(-3)"));
    let break_ = "section(\"break\", 2, || { mute(v); })";
    assert_eq!(
        folded(text, &[break_, "arrange([\"break\"])"]),
        format!("{}{break_};\n", text.replace("intro, \"verse\"]", "\"break\"]"))
    );
}

#[test]
fn patterns_are_written_where_they_are_played_and_what_circuits_number_is_their_own() {
    let text = "let lead = input(\"lead\", play(markov(\"c4 d4\", 1, 2), pluck()));\n\
        let own = input(\"own\", play(\"c2\", synth(|note| delay(saw(note.freq), 9, 1000) >> low_pass(800))));\n\
        let drums = input(\"drums\", play(\"bd*4\".every(16, |p| p.fast(2)), kit()));\n\
        [lead, own, drums] >> dsp(\"low\", |x| x >> low_pass(2000)) >> master;\n";
    let file = |text: String| folded(&text, &["set(\"lead.pattern\", \"e4 g4\")", "set(\"own.pattern\", \"<c2 e2>\")"]);
    let played = text.replace("markov(\"c4 d4\", 1, 2)", "\"e4 g4\"").replace("\"c2\"", "\"<c2 e2>\"");
    assert_eq!(file(text.into()), played);
    assert_eq!(folded(text, &["tempo(99)"]), format!("{text}tempo(99);\n"));
    // What a generator made, written out, is heard no otherwise, and is written.
    let made = text.replace("markov(\"c4 d4\", 1, 2)", "\"<c4 c4>\".fast(1)");
    let frozen = folded(&made, &["set(\"lead.pattern\", \"<c4 c4>\".fast(1))", "set(\"lead.pattern\", \"<c4 c4>\")"]);
    assert_eq!(frozen, made.replace("\"<c4 c4>\".fast(1)", "\"<c4 c4>\""));
}
