//! What an edit of the text does on the page: when it is seen, how it is lit, and what stays where it is.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{BAND, Browser, LOOKED, is_there};
use crate::show::Desk;

#[test]
fn browser_shows_an_edit_of_a_fader_within_a_fifth_of_a_second() {
    if !is_there() {
        return;
    }
    const EDITS: usize = 10;
    let strip = |i| format!("input(\"in-{i}\", sine(220)) >> fader(-9) >> master;\n");
    let mut lines: Vec<String> = (1..=EDITS).map(strip).collect();
    let desk = Desk::play(&lines.concat(), &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelector('#flow [data-path=\"in-10/fader\"] .level')?.getAttribute('width') > 10");
    // What was before somebody looked is not lit.
    thread::sleep(Duration::from_millis(500));
    // When both are painted: what is lit, and the figure.
    browser.gives(
        "void (window.look = (path) => { window.shown = 0; const seen = new MutationObserver(() => { \
         const row = document.querySelector(`#flow [data-path=\"${path}\"]`); \
         if (!row?.classList.contains('lit-ramped') || !row.textContent.includes('-3 dB')) return; \
         seen.disconnect(); requestAnimationFrame(() => (window.shown = Date.now())); }); \
         seen.observe(flow, { subtree: true, childList: true, attributes: true }); })",
    );
    let mut times = Vec::new();
    for i in 0..EDITS {
        browser.gives(&format!("look('in-{}/fader')", i + 1));
        lines[i] = lines[i].replace("fader(-9)", "fader(-3)");
        let saved = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs_f64() * 1000.0;
        desk.edit(&lines.concat());
        browser.wait("window.shown > 0");
        times.push(browser.number("window.shown") - saved);
    }
    // What else the machine does makes some of them later, and none of them sooner.
    let best = times.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < 200.0, "{times:?}");
    eprintln!("from save to sight in ms: {times:.0?}");
}

#[test]
fn browser_tells_what_glides_from_what_is_added_and_what_starts_anew() {
    if !is_there() {
        return;
    }
    let desk = Desk::play(BAND, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelector('#flow [data-path=\"a/fader\"] .level')?.getAttribute('width') > 10");
    let lit = |path: &str| {
        let thing = format!("document.querySelector('#flow [data-path=\"{path}\"]')");
        format!("[...{thing}?.classList ?? []].filter((one) => one.startsWith('lit-')).join()")
    };
    // What was before somebody looked is not lit.
    thread::sleep(Duration::from_millis(500));
    let chorus = BAND.replace("b >> compressor", "b >> chorus() >> compressor");
    desk.edit(&chorus);
    browser.wait(&format!("{} === 'lit-added'", lit("b/chorus")));
    assert_eq!(browser.gives(&lit("b/compressor")), "lit-anew");
    assert_eq!(browser.gives(&lit("a/fader")), "");
    browser.wait(&format!("{} === ''", lit("b/chorus")));
    desk.edit(&chorus.replace("fader(-6)", "fader(ramp(-6, -12, 6.s))"));
    browser.wait(&format!("{} === 'lit-ramped'", lit("a/fader")));
    let glides = browser.wait(&format!("{} === ''", lit("a/fader")));
    assert!(glides > Duration::from_secs(4), "{glides:?}");
    assert_eq!(browser.logged("browser"), Vec::<String>::new());
}

#[test]
fn browser_keeps_what_is_looked_at_where_it_is_when_something_goes() {
    if !is_there() {
        return;
    }
    let strip = |i| {
        format!("input(\"in-{i}\", sine(220)) >> high_pass(9{i}) >> low_pass(9000) >> pan(0) >> fader(-9) >> master;\n")
    };
    let all: Vec<String> = (1..=8).map(strip).collect();
    let scale = "(() => { const svg = document.querySelector('#flow svg'); return svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; })()";
    let without = |lines: &[String]| lines.concat().replacen("high_pass(92) >> low_pass(9000) >> ", "", 1);
    // All of it is in sight, and it could be larger without what goes; or it is larger than its panel.
    for (count, scrolled, looked) in [(3, 0, "in-3/fader"), (8, 120, "in-3/fader")] {
        let desk = Desk::play(&all[..count].concat(), &[]);
        let browser = Browser::open(&desk.address);
        browser.resize(1200, 760);
        browser.wait(&format!(
            "document.querySelector('#flow [data-path=\"{looked}\"] .level')?.getAttribute('width') > 10"
        ));
        let thing = format!("document.querySelector('#flow [data-path=\"{looked}\"]')");
        browser.gives(&format!("{thing}.dispatchEvent(new MouseEvent('click', {{ bubbles: true }}))"));
        browser.wait(&format!("(flow.scrollTop = {scrolled}) === flow.scrollTop && {LOOKED} === '{looked}'"));
        let place = format!("{thing}.getBoundingClientRect().top");
        let before = [scale, &place].map(|of| browser.number(of));
        desk.edit(&without(&all[..count]));
        browser.wait("!document.querySelector('#flow [data-path=\"in-2/high_pass\"]')");
        let after = [scale, &place].map(|of| browser.number(of));
        assert!((after[0] / before[0] - 1.0).abs() < 0.01, "{count}: {before:?} {after:?}");
        assert!((after[1] - before[1]).abs() <= 2.0, "{count}: {before:?} {after:?}");
    }
}

#[test]
fn browser_stays_where_one_has_gone_in_a_large_picture_and_goes_to_an_edit_that_is_out_of_sight() {
    if !is_there() {
        return;
    }
    let strip = |i| {
        format!(
            "input(\"in-{i}\", sine(220)) >> high_pass(9{i}) >> compressor(-30, {}) >> fader(-9) >> master;\n",
            2 + i
        )
    };
    let text: String = (1..=9).map(strip).collect();
    let desk = Desk::play(&text, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelector('#flow [data-path=\"in-9/fader\"] .level')?.getAttribute('width') > 10");
    let flow = "document.getElementById('flow')";
    let room = browser.gives(&format!("{flow}.scrollHeight - {flow}.clientHeight")).as_f64();
    assert!(room > Some(200.0), "not all of it is seen at once: {room:?}");
    let end = browser.gives(&format!("({flow}.scrollTop = 9999, {flow}.scrollTop)"));
    let edit = |strip: usize, level: i32| {
        let line = text.lines().nth(strip - 1).expect("it is there");
        desk.edit(&text.replace(line, &line.replace("fader(-9)", &format!("fader({level})"))));
        browser.wait(&format!(
            "document.querySelector('#flow [data-path=\"in-{strip}/fader\"]').textContent.includes('{level} dB')"
        ));
    };
    edit(9, -3);
    assert_eq!(browser.gives(&format!("{flow}.scrollTop")), end);
    edit(1, -4);
    browser.wait(&format!(
        "document.querySelector('#flow [data-path=\"in-1/fader\"]').getBoundingClientRect().top > {flow}.getBoundingClientRect().top"
    ));
}
