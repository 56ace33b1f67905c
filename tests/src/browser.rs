//! The page of `play --show` in a browser: Chromium without a window, led through `chromedriver`. These tests do nothing unless
//! `GAINSTAGE_BROWSER` is set.

mod edits;
mod reading;

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
        let (driver, port) = started();
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

/// A driver, and the port that it listens at. It takes whatever port is free in IPv4 and wants the same one in IPv6: where
/// another program has that one, it ends, and another try gets another port.
fn started() -> (Child, u16) {
    let mut told = Vec::new();
    for _ in 0..8 {
        let mut command = Command::new("chromedriver");
        // In a group of its own, in which the browser is too: all of it can be ended at once.
        let driver = command.arg("--port=0").process_group(0).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = driver.expect("there is a chromedriver");
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let heard = |line: String| {
            let port = line.trim_end_matches('.').split_once("started successfully on port ")?.1.parse();
            Some(port.expect("a port"))
        };
        let port = lines.by_ref().inspect(|line| told.push(line.clone())).find_map(heard);
        if let Some(port) = port {
            thread::spawn(move || lines.for_each(drop));
            return (driver, port);
        }
        driver.wait().expect("it has ended");
    }
    panic!("no driver starts: {told:#?}");
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
