//! What can be read on the page, at every size, by day and by night and from the back row, and what is told to who hears it.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Browser, is_there};
use crate::show::Desk;

/// A page on which text is read: what of it has less contrast with what it lies upon than 4.5 to 1 (WCAG 2.2, 1.4.3), and how
/// many texts were looked at.
const CONTRASTS: &str = r#"(() => {
  const parts = (colour) => { const [r, g, b, a] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a ?? 1]; };
  const over = (top, below) => top.slice(0, 3).map((x, i) => x * top[3] + below[i] * (1 - top[3]));
  const linear = (x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const faint = (element) => (element ? Number(getComputedStyle(element).opacity) * faint(element.parentElement) : 1);
  const painted = (element) => {
    const { fill, fillOpacity, backgroundColor } = getComputedStyle(element);
    const colour = element instanceof SVGGeometryElement ? (fill === "none" ? "rgba(0, 0, 0, 0)" : fill) : element instanceof SVGElement ? "rgba(0, 0, 0, 0)" : backgroundColor;
    const [r, g, b, a] = parts(colour);
    return [r, g, b, a * (element instanceof SVGGeometryElement ? Number(fillOpacity) : 1)];
  };
  let count = 0;
  const bad = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { textContent, parentElement: element } = texts.currentNode;
    if (!textContent.trim() || element.closest("title, desc, style") || !element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const { left, top, width, height } = range.getClientRects()[0] ?? {};
    const stack = document.elementsFromPoint(left + width / 2, top + height / 2);
    const at = stack.indexOf(element);
    // What is scrolled out of sight lies upon something else.
    if (at < 0) continue;
    let below = [255, 255, 255];
    const layers = stack.slice(at).map(painted);
    for (const layer of layers.reverse()) below = over(layer, below);
    const style = getComputedStyle(element);
    const [r, g, b, a] = parts(element instanceof SVGElement ? style.fill : style.color);
    const ink = over([r, g, b, a * faint(element)], below);
    const [dark, bright] = [light(ink), light(below)].sort((one, other) => one - other);
    const ratio = (bright + 0.05) / (dark + 0.05);
    count++;
    if (ratio < 4.5) bad.push(`${textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}, ${ink.map(Math.round)} on ${below.map(Math.round)}`);
  }
  return { count, bad };
})()"#;

/// The example of the README, of generators in place of its sound files.
fn example() -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/first.rhai");
    let text = std::fs::read_to_string(file).expect("it is there");
    ["drums", "bass", "keys", "voice"]
        .iter()
        .fold(text, |text, name| text.replace(&format!("clip(\"audio/{name}.flac\").looped()"), "saw(110).level(-20)"))
}

#[test]
fn browser_shows_what_can_be_read_by_day_by_night_and_from_the_back_row_without_scrolling() {
    if !is_there() {
        return;
    }
    let desk = Desk::play(&example(), &[]);
    let browser = Browser::start();
    let mut letters = Vec::new();
    for (scheme, behind, ground) in [
        ("light", "", "rgb(247, 248, 250)"),
        ("dark", "", "rgb(20, 24, 29)"),
        ("light", "?projector", "rgb(255, 255, 255)"),
        ("dark", "?projector", "rgb(0, 0, 0)"),
    ] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.order("/goog/cdp/execute", &json!({ "cmd": "Emulation.setEmulatedMedia", "params": media }));
        browser.resize(1400, 900);
        browser.order("/url", &json!({ "url": format!("{}{behind}", desk.address) }));
        browser.wait("document.getElementById('state').textContent === 'live'");
        browser.wait("document.querySelector('#flow [data-path=\"voice/fader\"] .level')?.getAttribute('width') > 10");
        assert_eq!(browser.gives("getComputedStyle(document.body).backgroundColor"), ground, "{scheme} {behind}");
        let contrasts = browser.gives(CONTRASTS);
        assert!(contrasts["count"].as_i64() > Some(40), "{scheme} {behind}: {contrasts}");
        assert_eq!(contrasts["bad"].as_array().map(Vec::len), Some(0), "{scheme} {behind}: {contrasts:#}");
        // One colour alone makes a picture of a few kB.
        let shot = browser.ask("GET", &format!("{}/screenshot", browser.session), &Value::Null);
        assert!(shot.as_str().is_some_and(|shot| shot.len() > 40_000), "{scheme} {behind}");
        for of in ["scrollWidth <= flow.clientWidth", "scrollHeight <= flow.clientHeight"] {
            // Who sits near can scroll.
            if behind.is_empty() {
                continue;
            }
            let fits = format!("(() => {{ const flow = document.getElementById('flow'); return flow.{of}; }})()");
            assert_eq!(browser.gives(&fits), true, "{scheme} {behind}: {of}");
        }
        let height = "document.querySelector('#flow .row .word').getBoundingClientRect().height";
        letters.push(browser.gives(height).as_f64().expect("it is a number"));
    }
    // From the back row a row is read that is a fiftieth as high as the picture on the wall.
    assert!(letters[2] >= 18.0 && letters[2] >= 1.5 * letters[0], "{letters:?}");
}

#[test]
fn browser_shows_letters_that_can_be_read_and_eight_lines_and_all_of_an_error_on_a_low_screen() {
    if !is_there() {
        return;
    }
    let text = example();
    let desk = Desk::play(&text, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelector('#flow [data-path=\"voice/fader\"]')");
    browser.wait("document.querySelectorAll('.line-of-text').length > 20");
    let sizes = [(1400, 757), (1280, 720), (1280, 577), (1024, 600), (1024, 557)];
    let least = "(() => { const svg = document.querySelector('#flow svg'); \
                 const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; \
                 return Math.min(...[...svg.querySelectorAll('text')].map((one) => scale * parseFloat(one.getAttribute('font-size')))); })()";
    let lines = "(() => { const style = getComputedStyle(text); \
                 return (text.clientHeight - 2 * parseFloat(style.paddingTop)) / parseFloat(style.lineHeight); })()";
    for (width, height) in sizes {
        browser.resize(width, height);
        browser.wait(&format!("innerWidth === {width} && {least} >= 10"));
        // Who comes sees where it begins.
        assert_eq!(browser.gives("flow.scrollLeft + flow.scrollTop"), 0);
        browser.wait(&format!("{lines} >= 8"));
        assert_eq!(browser.gives("document.documentElement.scrollHeight <= innerHeight"), true, "{width} {height}");
        // What no room is left for is still reached.
        let figures = "document.getElementById('figures').getBoundingClientRect().bottom";
        assert_eq!(browser.gives(&format!("{figures} <= look.getBoundingClientRect().bottom")), true);
    }
    for (width, height) in sizes {
        browser.resize(width, height);
        desk.edit(&text);
        browser.wait("document.getElementById('wrong').hidden && (text.scrollTop = 0) === 0");
        desk.edit(&text.replace("compressor(-22", "compresor(-22"));
        browser.wait("!document.getElementById('wrong').hidden");
        let seen = "(() => { const [told, pane] = [document.querySelector('.diagnostic.error'), text].map((one) => one.getBoundingClientRect()); \
                    return told.top >= pane.top && told.bottom <= pane.bottom; })()";
        browser.wait(&format!("{seen} && document.getElementById('said').textContent.includes('not taken')"));
        browser.wait(seen);
    }
}

#[test]
fn browser_shows_turned_names_with_nothing_blank_below_them() {
    if !is_there() {
        return;
    }
    let text: String = (1..=20).map(|i| format!("input(\"in-{i}\", sine(220)) >> fader(-{i}) >> master;\n")).collect();
    let desk = Desk::play(&text, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelectorAll('.many .strip').length === 21");
    let blank = "strips.getBoundingClientRect().bottom - Math.max(...[...document.querySelectorAll('.strip .name')].map((name) => { const words = document.createRange(); words.selectNodeContents(name); return words.getBoundingClientRect().bottom; }))";
    browser.wait(&format!("{blank} < 20"));
}

#[test]
fn browser_shows_the_master_and_every_name_however_many_strips_there_are() {
    if !is_there() {
        return;
    }
    let strips =
        (1..=64).map(|i| format!("input(\"strip-with-a-name-{i}\", sine(220)) >> fader(-{}) >> master;\n", 20 + i % 5));
    let text: String = strips.collect();
    let desk = Desk::play(&text, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelectorAll('.strip').length === 65");
    let edge = "document.querySelector('.strip[data-of=master]').getBoundingClientRect()";
    browser.wait(&format!(
        "{edge}.left > 0 && {edge}.right <= document.getElementById('strips').getBoundingClientRect().right"
    ));
    browser.wait(
        "[...document.querySelectorAll('.strip')].every((strip) => strip.title.startsWith(strip.dataset.of + ','))",
    );
    let cut = "[...document.querySelectorAll('.strip .name')].filter((name) => name.scrollHeight > name.clientHeight + 1 \
               || name.scrollWidth > name.clientWidth + 1).length";
    assert_eq!(browser.gives(cut), 0);
    // What is drawn as one says what it holds.
    browser.wait(
        "document.querySelector('#flow .card[data-paths] .top')?.textContent.includes('strip-with-a-name-1 to ')",
    );
    browser.gives("document.querySelector('#flow .card[data-paths] .top').dispatchEvent(new MouseEvent('click', { bubbles: true }))");
    browser.wait("document.getElementById('held').textContent.includes('strip-with-a-name-64')");
    // Its head shows the loudest of them, and a cable that no meter is on is faint.
    let card = "document.querySelector('#flow .card[data-paths]')";
    browser.wait(&format!("{card}.querySelector('.level').getAttribute('width') > 10"));
    let cable = "getComputedStyle(document.querySelector('#flow .cables .cable[data-paths] .line')).opacity";
    browser.wait(&format!("{cable} === '0.4'"));
    // An edit of any of them is lit there.
    let edited = "strip-with-a-name-40\", sine(220)) >> fader(-20)";
    assert!(text.contains(edited));
    desk.edit(&text.replace(edited, &edited.replace("-20", "-25")));
    browser.wait(&format!("{card}.classList.contains('lit-ramped')"));
    // A key shows each by itself, with its level, and puts them together again.
    browser.press("u");
    browser.wait(
        "document.querySelector('#flow [data-path=\"strip-with-a-name-40/fader\"] .level')?.getAttribute('width') > 10",
    );
    assert_eq!(browser.gives(card), Value::Null);
    browser.gives("document.getElementById('unfold').click()");
    browser.wait(card);
}

#[test]
fn browser_takes_a_picture_round_that_is_larger_than_the_wall() {
    if !is_there() {
        return;
    }
    let strip =
        |i| format!("input(\"in-{i}\", sine(220)) >> high_pass(9{i}) >> fader(-9) >> bus(\"bus-{i}\") >> master;\n");
    let desk = Desk::play(&(1..=9).map(strip).collect::<String>(), &[]);
    let browser = Browser::open(&format!("{}?projector", desk.address));
    browser.wait("document.querySelector('#flow [data-path=\"in-9/fader\"]')");
    let flow = "document.getElementById('flow')";
    browser.wait(&format!("{flow}.scrollHeight > {flow}.clientHeight + 100"));
    browser.wait(&format!("{flow}.scrollTop > 50"));
    // Where nobody sits far away it stays where it is put.
    browser.press("p");
    browser.wait(&format!("{flow}.scrollHeight <= {flow}.clientHeight || ({flow}.scrollTop = 0) === 0"));
    thread::sleep(Duration::from_secs(5));
    assert_eq!(browser.gives(&format!("{flow}.scrollTop")), 0);
}

/// What a screen reader meets in the page, in its order: each role and name.
fn heard(browser: &Browser) -> Vec<(String, String)> {
    fn add(all: &[Value], node: &Value, heard: &mut Vec<(String, String)>) {
        let text = |of: &Value| of["value"].as_str().unwrap_or_default().to_owned();
        if node["ignored"] != true {
            heard.push((text(&node["role"]), text(&node["name"])));
        }
        for child in node["childIds"].as_array().into_iter().flatten() {
            all.iter().filter(|other| other["nodeId"] == *child).for_each(|child| add(all, child, heard));
        }
    }
    let asked = json!({ "cmd": "Accessibility.getFullAXTree", "params": {} });
    let tree = browser.order("/goog/cdp/execute", &asked);
    let all = tree["nodes"].as_array().expect("it has nodes");
    let mut heard = Vec::new();
    add(all, &all[0], &mut heard);
    heard
}

#[test]
fn browser_tells_who_hears_the_page_what_is_drawn_in_the_order_in_which_it_is_drawn() {
    if !is_there() {
        return;
    }
    let desk = Desk::play(&example(), &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelector('#flow [data-path=\"voice/fader\"]')");
    browser.wait("document.querySelector('.strip:last-child').ariaLabel?.startsWith('master, peak')");
    let heard = heard(&browser);
    let of = |role: &str| heard.iter().filter(|(own, _)| own == role).map(|(_, name)| &**name).collect::<Vec<_>>();
    let cards: Vec<&str> = of("group")
        .into_iter()
        .filter(|name| !name.contains(' '))
        .skip_while(|name| *name != "drums")
        .take(7)
        .collect();
    assert_eq!(cards, ["drums", "bass", "keys", "voice", "room", "band", "master"]);
    let things = of("button");
    for wanted in [
        "drums/eq: high_shelf, 8 kHz 2 dB",
        "drums/eq: bell, 350 Hz -3 dB q 1.2",
        "master/limiter: -1 dBTP gain 6 dB",
        "master",
    ] {
        assert_eq!(things.iter().filter(|name| **name == wanted).count(), 1, "{wanted} in {things:#?}");
    }
    let first = |wanted: &str| heard.iter().position(|(role, name)| role == "button" && name == wanted);
    assert!(first("master") < first("drums>band") && first("master").is_some(), "cables come after cards");
    for name in things.iter().chain(&of("option")[..7]) {
        let words: Vec<&str> =
            name.split([' ', ',', ':', ';']).filter(|word| word.chars().any(char::is_alphabetic)).collect();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{name}");
    }
}
