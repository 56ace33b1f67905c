//! The page of `play --show` in a browser: Chromium without a window, led through `chromedriver`. These tests do nothing unless
//! `GAINSTAGE_BROWSER` is set.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::show::{Desk, played};

/// How long to wait for what must come: generous, for machines with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys, as WebDriver calls them.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const HOME: &str = "\u{e011}";
const LEFT: &str = "\u{e012}";
const DOWN: &str = "\u{e015}";

const BAND: &str = r#"
let a = input("a", sine(220));
let b = input("b", saw(110));
let room = bus("room");
let band = bus("band");
a >> fader(-6) >> send(room, -12) >> band;
b >> compressor(-30, 4) >> fader(-9) >> band;
room >> reverb() >> band;
band >> master;
target("streaming");
"#;

/// A browser with one page.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens an address.
    fn open(address: &str) -> Browser {
        let browser = Browser::start();
        browser.order("/url", &json!({ "url": address }));
        browser
    }

    /// Starts with no page.
    fn start() -> Browser {
        let mut command = Command::new("chromedriver");
        // In a group of its own, in which the browser is too: all of it can be ended at once.
        let driver = command.arg("--port=0").process_group(0).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = driver.expect("there is a chromedriver");
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("started successfully on port")).expect("it starts");
        thread::spawn(move || lines.for_each(drop));
        let port = line.trim_end_matches('.').rsplit(' ').next().and_then(|port| port.parse().ok()).expect("a port");
        let profile = TempDir::new().expect("there is room");
        let data = format!("--user-data-dir={}", profile.path().display());
        let mut browser = Browser { driver, port, session: String::new(), _profile: profile };
        let arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
            "--disable-background-networking",
            "--disable-component-update",
            "--window-size=1440,900",
            data,
        ]);
        let logs = json!({ "browser": "ALL", "performance": "ALL" });
        let wanted = json!({ "goog:chromeOptions": { "args": arguments }, "goog:loggingPrefs": logs });
        let opened = browser.ask("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        browser.session = format!("/session/{}", opened["sessionId"].as_str().expect("there is a browser"));
        browser
    }

    /// Asks the driver; what it answers.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.try_asking(method, path, body).expect("the driver answers");
        assert!(answer["value"]["error"].is_null(), "{path}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }

    /// The same of a driver that may be gone.
    fn try_asking(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + body.as_str()).as_bytes())?;
        let (mut stream, mut length, mut line) = (BufReader::new(stream), 0, String::new());
        while stream.read_line(&mut line)? > 2 {
            if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse().map_err(io::Error::other)?;
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }

    fn order(&self, what: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{what}", self.session), body)
    }

    /// What an expression gives in the page.
    fn gives(&self, expression: &str) -> Value {
        self.order("/execute/sync", &json!({ "script": format!("return {expression}"), "args": [] }))
    }

    /// Waits until an expression holds in the page; how long that took.
    fn wait(&self, expression: &str) -> Duration {
        let begun = Instant::now();
        while self.gives(&format!("Boolean({expression})")) != true {
            let (body, log) = (self.gives("document.body.innerText"), self.logged("browser"));
            assert!(begun.elapsed() < PATIENCE, "{expression} does not come to hold in\n{body}\n{log:?}");
            thread::sleep(Duration::from_millis(3));
        }
        begun.elapsed()
    }

    /// Makes the window so large.
    fn resize(&self, width: u32, height: u32) {
        let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.order("/goog/cdp/execute", &json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": window }));
    }

    /// What a number is in the page.
    fn number(&self, expression: &str) -> f64 {
        self.gives(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    fn press(&self, key: &str) {
        let press = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.order("/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": press }] }));
    }

    /// What has been logged since this was last asked.
    fn logged(&self, kind: &str) -> Vec<String> {
        let entries = self.order("/se/log", &json!({ "type": kind }));
        let entries = entries.as_array().expect("it is a list").iter();
        entries.filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect()
    }

    /// Every address that was asked for, but for what the page wants that the browser itself begins with.
    fn requested(&self) -> Vec<String> {
        let events = self.logged("performance");
        let events = events.iter().map(|event| serde_json::from_str::<Value>(event).expect("it is JSON"));
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        let asked = sent.map(|mut event| event["message"]["params"].take());
        let own = |params: &Value| params["documentURL"].as_str().is_some_and(|page| page.starts_with("chrome://"));
        let asked = asked.filter(|params| !own(params));
        asked.map(|params| params["request"]["url"].as_str().expect("an address").to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It is asked to close the browser; whatever then is left is ended, and what has ended needs no end.
        let _ = self.try_asking("DELETE", &self.session, &Value::Null);
        let _ = kill_process_group(Pid::from_child(&self.driver), Signal::KILL);
        let _ = self.driver.wait();
    }
}

/// Whether there is a browser to try.
fn is_there() -> bool {
    env::var_os("GAINSTAGE_BROWSER").is_some()
}

const STRIPS: &str = "[...document.querySelectorAll('.strip')].map((strip) => strip.dataset.of).join()";
const LOOKED: &str = "document.getElementById('looked').textContent";

#[test]
fn browser_shows_the_strips_an_edit_and_what_is_wrong_and_asks_nobody_else() {
    if !is_there() {
        return;
    }
    let desk = Desk::play(BAND, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.getElementById('state').textContent === 'live'");
    browser.wait("document.querySelectorAll('.strip').length === 5");
    assert_eq!(browser.gives(STRIPS), "a,b,room,band,master");
    // The picture comes to life.
    browser.wait("document.querySelector('#flow [data-path=\"a/fader\"] .level').getAttribute('width') > 10");
    browser.wait("document.querySelector('#flow [data-path=\"b/compressor\"] .down').getAttribute('width') > 0");
    browser.wait("document.querySelector('#figures dd').textContent.startsWith('−')");
    // Whoever hears the page is told the same.
    browser.wait("document.querySelector('.strip').getAttribute('aria-label')?.startsWith('a, input, peak −')");
    assert_eq!(browser.gives("document.querySelectorAll('.strip[role=option]').length"), 5);
    assert_eq!(browser.gives("document.getElementById('said').ariaLive"), "polite");
    let bare = "[...document.querySelectorAll('button, canvas[id], #flow [tabindex]')]\
                .filter((one) => !one.textContent.trim() && !one.ariaLabel).length";
    assert_eq!(browser.gives(bare), 0);
    // An edit is seen, as the desk says it, where it is.
    desk.edit(&BAND.replace("fader(-6)", "fader(-3)"));
    browser.wait("document.querySelector('#flow .row.lit-ramped')?.dataset.path === 'a/fader'");
    browser.wait("document.getElementById('said').textContent === 'changed a>band/fader'");
    browser.wait("document.querySelector('#flow [data-path=\"a/fader\"]').textContent.includes('-3 dB')");
    browser.wait("document.querySelector('.line-of-text.lit-ramped')?.textContent.includes('fader(-3)')");
    // What was not measured is a gap in the history of loudness, and not silence.
    let runs = "import('/scopes.js').then(({ runs }) => JSON.stringify(runs([-9999, -200, -210, -9999, -9999, -300])))";
    assert_eq!(browser.gives(runs), "[[1,[-200,-210]],[5,[-300]]]");
    // What is wrong stands on its line, with all of the word marked, and below with its place.
    desk.edit(&BAND.replace("fader(-9)", "fadre(-9)"));
    browser.wait("document.querySelector('.line-of-text.wrong')?.textContent.includes('did you mean `fader`?')");
    browser.wait("document.querySelector('.line-of-text.wrong b').textContent === '7'");
    assert_eq!(browser.gives("document.querySelector('.marked.error').textContent"), "fadre");
    let wrong = "document.querySelector('#wrong:not([hidden])')?.textContent";
    browser.wait(&format!("{wrong}.startsWith('line 7, column 28: ')"));
    browser.wait(&format!("{wrong}.endsWith(' – what played plays on')"));
    // What goes is seen to go, and who looks at it closely is told.
    browser.gives("document.querySelector('#flow [data-path=\"room/reverb\"]').dispatchEvent(new MouseEvent('click', { bubbles: true }))");
    browser.wait(&format!("{LOOKED} === 'room/reverb'"));
    browser.wait("document.querySelector('#figures dd').textContent.startsWith('−')");
    desk.edit(&BAND.replace("room >> reverb() >> band;", "").replace(" >> send(room, -12)", ""));
    browser.wait("document.querySelector('#flow .lit-removed')");
    browser.wait("!document.querySelector('#flow [data-path=\"room/reverb\"]')");
    browser.wait(&format!("{LOOKED} === 'room/reverb – gone'"));
    browser.wait("document.getElementById('wrong').hidden");
    assert_eq!(browser.logged("browser"), Vec::<String>::new());
    let asked = browser.requested();
    assert!(asked.len() > 5 && asked.iter().all(|one| one.starts_with(&desk.address)), "{asked:?}");
}

#[test]
fn browser_is_led_by_keys_alone() {
    if !is_there() {
        return;
    }
    let desk = Desk::play(BAND, &[]);
    let browser = Browser::open(&desk.address);
    browser
        .wait("document.querySelectorAll('.strip').length === 5 && document.querySelector('#flow [tabindex=\"0\"]')");
    let focus = |of: &str| format!("document.activeElement.dataset.{of}");
    // Tab leads to the picture, to the levels and to the text, and to one thing of each.
    let mut reached = Vec::new();
    for _ in 0..4 {
        browser.press(TAB);
        let at = "document.activeElement.closest('#flow, #strips, #text, header')?.id ?? ''";
        reached.push(browser.gives(at).as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(reached, ["", "flow", "strips", "text"]);
    browser.gives("document.querySelector('.strip[tabindex=\"0\"]').focus()");
    assert_eq!(browser.gives(&focus("of")), "master");
    browser.press(LEFT);
    browser.press(LEFT);
    assert_eq!(browser.gives(&focus("of")), "room");
    browser.press(ENTER);
    browser.wait(&format!("{LOOKED} === 'room'"));
    assert_eq!(browser.gives("document.querySelector('.strip[aria-selected=true]').dataset.of"), "room");
    browser.wait("document.getElementById('declared').textContent.startsWith('let room')");
    browser.press(ESCAPE);
    browser.wait(&format!("{LOOKED} === 'master'"));
    browser.gives("document.querySelector('#flow [data-path=\"a/fader\"]').focus()");
    browser.press(ENTER);
    browser.wait(&format!("{LOOKED} === 'a/fader'"));
    browser.wait("document.querySelector('.line-of-text.chosen')?.textContent.includes('a >> fader(-6)')");
    // So are the lines of the text.
    browser.gives("document.querySelector('#text [tabindex=\"0\"]').focus()");
    browser.press(HOME);
    for _ in 0..3 {
        browser.press(DOWN);
    }
    assert_eq!(browser.gives("document.activeElement.dataset.at"), "0:4");
    browser.press(ENTER);
    browser.wait(&format!("{LOOKED} === 'room'"));
    assert_eq!(browser.gives("document.querySelector('#text [aria-selected=true]').dataset.at"), "0:4");
    // Who hears the page meets no button within a button.
    assert_eq!(browser.gives("document.querySelectorAll('[role=button] [role=button]').length"), 0);
    assert_eq!(browser.gives("document.querySelectorAll('#flow .card:not([role=group])').length"), 0);
    browser.press("?");
    browser.wait("document.getElementById('help').open");
    // What is seen is told there too, and drawn as it is drawn elsewhere.
    let drawn = "[...document.querySelectorAll('#help .sample')].filter((one) => \
                 one.getContext('2d').getImageData(0, one.height - 2, 1, 1).data[3] === 255).length";
    assert_eq!(browser.gives(drawn), 4);
    assert_eq!(browser.gives("document.querySelectorAll('#help .key').length"), 4);
    browser.press(ESCAPE);
    browser.wait("!document.getElementById('help').open");
    browser.press("p");
    browser.wait("document.documentElement.classList.contains('projector')");
    browser.press("l");
    browser.wait("document.querySelector('#log:not([hidden]) li')");
    assert_eq!(browser.logged("browser"), Vec::<String>::new());
}

#[test]
fn browser_finds_a_desk_that_was_started_again_and_says_so() {
    if !is_there() {
        return;
    }
    let mut desk = Desk::play(BAND, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.getElementById('state').textContent === 'live'");
    desk.running.kill();
    browser.wait("document.getElementById('state').className === 'lost'");
    // It is looked for several times.
    thread::sleep(Duration::from_secs(4));
    desk.edit(&BAND.replace("let b = input(\"b\"", "let c = input(\"c\"").replace("\nb >>", "\nc >>"));
    let host = desk.host().to_owned();
    let (_running, address) = played(desk.folder.path(), &host, &[]);
    assert_eq!(address, desk.address);
    browser.wait("document.getElementById('state').textContent === 'live'");
    browser.wait(&format!("{STRIPS} === 'a,c,room,band,master'"));
    browser.wait(
        "[...document.querySelectorAll('#log li')].some((line) => line.textContent === 'the desk was started again')",
    );
    browser.wait("document.querySelector('#flow [data-path=\"c/compressor\"]')");
    // Meanwhile each look for it asked for one thing, and only the last for what happens.
    let asked = browser.requested();
    assert_eq!(asked.iter().filter(|one| one.contains("/events?")).count(), 2, "{asked:?}");
    // Whoever looks into the browser's records finds that the desk has gone, and not each look for it.
    let logged = browser.logged("browser");
    assert!(logged.len() <= 1 && logged.iter().all(|line| line.contains("/events?")), "{logged:?}");
}

#[test]
fn browser_takes_no_name_title_or_error_for_a_part_of_the_page() {
    if !is_there() {
        return;
    }
    const BAIT: &str = "<img src=x onerror=alert(1)></title><script>alert(1)</script>";
    let text =
        format!("// {BAIT}\ntitle(\"{BAIT}\");\nlet a = input(\"a b\", sine(440));\na >> fader(-6) >> master;\n");
    let desk = Desk::play(&text, &[]);
    let browser = Browser::open(&desk.address);
    browser.wait("document.querySelectorAll('.strip').length === 2");
    browser.wait("document.querySelector('#flow [data-path]')");
    assert_eq!(browser.gives(STRIPS), "a b,master");
    desk.edit(&text.replace("fader(-6)", &format!("fader(\"{BAIT}\")")));
    browser.wait("document.querySelector('.line-of-text.wrong')");
    browser.wait("document.getElementById('text').textContent.includes('<img src=x')");
    let bait = "document.querySelectorAll('img, script:not([src])').length";
    assert_eq!(browser.gives(bait), 0);
    assert_eq!(browser.logged("browser"), Vec::<String>::new());
}

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
    let blank = "strips.getBoundingClientRect().bottom - Math.max(...[...document.querySelectorAll('.strip .name')].map((name) => name.getBoundingClientRect().bottom))";
    browser.wait(&format!("{blank} < 20"));
}

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

#[cfg(target_os = "linux")]
#[test]
fn browser_that_a_test_fails_with_leaves_no_process_behind() {
    if !is_there() {
        return;
    }
    let browser = Browser::start();
    let group = browser.driver.id();
    let own = || {
        let processes = std::fs::read_dir("/proc").expect("it is there").flatten();
        let stats = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
        // Behind the name, which may hold anything: the state, the parent, the group.
        let of_group = stats.filter(|stat| {
            let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            fields.next() != Some("Z") && fields.nth(1) == Some(&*group.to_string())
        });
        of_group.count()
    };
    assert!(own() > 2, "the browser is there: {}", own());
    let failed = thread::spawn(move || {
        let _browser = browser;
        std::panic::resume_unwind(Box::new("a test fails"));
    });
    assert!(failed.join().is_err());
    let begun = Instant::now();
    while own() > 0 {
        assert!(begun.elapsed() < PATIENCE, "{} are left", own());
        thread::sleep(Duration::from_millis(10));
    }
}
