//! `gainstage check --render`: a mix that is tested, by its figures.

use std::fs;

use serde_json::Value;

use super::{folder, has_fields, parsed};
use crate::program::run_in;

/// A stereo tone of -20 dBFS that reads -20.0 LUFS, 9 dB off its compressor, and silence beside it.
const MIX: &str = r#"let band = bus("band");
let a = input("a", sine(1000).level(-8));
a >> compressor(-20, 4).knee(0) >> fader(-3) >> send(band, -6) >> master;
input("hush", sine(100)) >> fader(off) >> cable("none") >> master;
band >> gain(-1) >> master;
"#;

/// The session with these lines behind it, checked for two seconds.
fn checked(lines: &str, options: &[&str]) -> (crate::program::Ran, tempfile::TempDir) {
    let folder = folder(&format!("{MIX}{lines}\n"));
    let arguments: Vec<&str> =
        ["check", "--render", "--length", "2s", "session.rhai"].into_iter().chain(options.iter().copied()).collect();
    (run_in(folder.path(), &arguments), folder)
}

#[test]
fn expectations_that_hold_are_listed_with_what_was_found() {
    let lines = r#"expect(master.true_peak).below(-7.dBTP);
expect(master.lufs).above(-30).below(-10.LUFS);
expect(a.rms).within(-23, 0.2);
expect(at("a").input.sample_peak).within(-8, 0.02);
expect(at("a>band").rms).within(-29, 0.2);
expect(at("a/compressor").gain_reduction).within(9.dB, 0.1);
expect(at("band").rms).below(-27);
expect(master.clipped_samples).below(0);"#;
    let (ran, _folder) = checked(lines, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("line ")).count(), 9, "{ran:?}");
    assert!(ran.out.contains("a/compressor gain_reduction is 9.0 dB, 9 dB ± 0.1 dB"), "{ran:?}");
    assert!(ran.err.contains("1 session, no errors"), "{ran:?}");
}

#[test]
fn one_that_does_not_hold_is_an_error_at_its_line_with_the_figure_and_where_it_stood() {
    let lines = "expect(at(\"a>band\").sample_peak).below(-30.dBFS);\nexpect(master.lufs).above(-30);";
    let (ran, _folder) = checked(lines, &[]);
    assert_eq!(ran.status, 1, "{ran:?}");
    for part in ["session.rhai:6:", "a>band sample_peak: ", "expected at most -30 dBFS", "missed by", "at 0:0", "bar 1"]
    {
        assert!(ran.out.contains(part), "{part}: {ran:?}");
    }
    let (ran, _folder) = checked(lines, &["--json"]);
    let told = parsed(&ran);
    has_fields(&told, &["file", "line", "column", "severity", "code", "message", "help"]);
    let told = told.as_array().unwrap();
    assert_eq!((told.len(), &told[0]["code"], &told[0]["line"]), (1, &Value::from("expectation"), &Value::from(6)));
}

#[test]
fn a_difference_of_two_figures_is_expected_like_one_and_told_in_its_own_unit() {
    let lines = r#"expect(at("a>band").rms - a.rms).within(-6, 0.01);
expect(a.rms - at("a").input.rms).below(-8);
expect(at("a>band").lufs - at("a>master").lufs).within(-6, 0.05);"#;
    let (ran, _folder) = checked(lines, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("a>band rms over a is -6.0 dB, -6 dB ± 0.01 dB"), "{ran:?}");
    assert!(ran.out.contains("a>band lufs over a>master is -6.0 LU, -6 LU ± 0.05 LU"), "{ran:?}");
    let (ran, _folder) = checked("expect(at(\"a>band\").rms - a.rms).above(3);", &[]);
    assert!(ran.status == 1 && ran.out.contains("-6.0 dB, expected at least 3 dB"), "{ran:?}");
    for (wrong, told) in [
        ("expect(a.rms - band.lufs).above(3);", "`rms` and `lufs` cannot be compared"),
        ("expect(a.rms + band.rms).above(3);", "cannot be reckoned with by `+`"),
        ("expect(a.rms - 3).above(3);", "have no difference"),
        ("expect(a.rms - band.rms).above(3.ms);", "ms"),
    ] {
        let (ran, _folder) = checked(wrong, &[]);
        assert!(ran.status == 1 && ran.out.contains(told), "{wrong}: {ran:?}");
    }
}

#[test]
fn a_figure_that_does_not_exist_holds_nothing_and_says_why() {
    for (line, why) in [
        ("expect(at(\"hush>master:none\").lufs).below(-1);", "silent"),
        ("let z = input(\"z\", sine(50)); z >> bus(\"nowhere\"); expect(z.lufs).below(-1);", "leads to no output"),
    ] {
        let (ran, _folder) = checked(line, &[]);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.out.contains("there is none") && ran.out.contains(why), "{ran:?}");
    }
}

#[test]
fn without_render_nothing_is_measured() {
    let folder = folder(&format!("{MIX}expect(master.lufs).above(0);\n"));
    assert_eq!(run_in(folder.path(), &["check", "session.rhai"]).status, 0);
}

#[test]
fn reports_have_every_expectation() {
    let lines = "expect(master.lufs).above(-30);\nexpect(master.true_peak).below(-60);";
    let (ran, folder) = checked(lines, &["--report", "told.json", "--report", "told.xml"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let told: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("told.json")).unwrap()).unwrap();
    has_fields(&told, &["file", "line", "column", "subject", "figure", "expected", "measured", "at_s", "holds"]);
    let told = told.as_array().unwrap();
    assert_eq!((told.len(), &told[0]["holds"], &told[1]["holds"]), (2, &Value::from(true), &Value::from(false)));
    assert_eq!((&told[1]["subject"], &told[1]["figure"]), (&Value::from("master"), &Value::from("true_peak")));
    assert!(told[1]["at_s"].as_f64().is_some_and(|at| (0.0..2.0).contains(&at)) && told[0]["at_s"].is_null());
    let xml = fs::read_to_string(folder.path().join("told.xml")).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    assert_eq!((xml.matches("<testcase ").count(), xml.matches("<failure ").count()), (2, 1), "{xml}");
    assert!(xml.contains("session.rhai:7:"), "{xml}");
}

#[test]
fn a_session_with_an_error_is_an_error_of_the_report() {
    let (ran, folder) = checked("a >> fadre(3) >> master;", &["--report", "told.xml"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let xml = fs::read_to_string(folder.path().join("told.xml")).unwrap();
    assert!(xml.contains("failures=\"0\" errors=\"1\"") && xml.contains("fadre"), "{xml}");
}

#[test]
fn several_sessions_are_held_to_their_word_and_one_that_cannot_be_rendered_is_its_own_error() {
    let folder = folder(&format!("{MIX}expect(master.lufs).above(-30);\n"));
    fs::write(folder.path().join("live.rhai"), "input(\"v\", device(1)) >> master; expect(master.lufs).above(0);")
        .unwrap();
    fs::write(folder.path().join("soft.rhai"), format!("{MIX}expect(master.lufs).above(0);\n")).unwrap();
    let arguments = ["check", "--render", "--length", "1s", "--json", "--report", "told.json", "--report", "told.xml"];
    let ran = run_in(folder.path(), &[&arguments[..], &["session.rhai", "live.rhai", "soft.rhai"]].concat());
    assert_eq!(ran.status, 1, "{ran:?}");
    let told = parsed(&ran);
    let codes: Vec<&str> = told.as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["not-rendered", "expectation"], "{ran:?}");
    let report: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("told.json")).unwrap()).unwrap();
    let holds: Vec<bool> = report.as_array().unwrap().iter().filter_map(|one| one["holds"].as_bool()).collect();
    assert_eq!(holds, [true, false, false]);
    assert!(report[1]["error"].as_str().is_some_and(|why| why.contains("live input")), "{report}");
    let xml = fs::read_to_string(folder.path().join("told.xml")).unwrap();
    assert_eq!((xml.matches("<testsuite ").count(), xml.matches("errors=\"1\"").count()), (3, 1), "{xml}");
}

#[test]
fn what_the_target_of_the_text_wants_is_expected_too() {
    let (ran, _folder) = checked("target(\"ebu_r128\");", &[]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.out.contains("expected -23 LUFS ± 0.5 LU") && ran.out.contains(":6:"), "{ran:?}");
    assert!(ran.out.contains("master true_peak is"), "{ran:?}");
}
