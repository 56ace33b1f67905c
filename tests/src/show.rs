//! The page of `play --show`, as those who look at it meet it: over sockets, with no browser.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{panic, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::controllers::message;
use crate::commands::render::wav;
use crate::commands::{folder, write};
use crate::program::{Running, done_in};

/// How long to wait for what must come: generous, for machines with much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

const BAND: &str = r#"
let a = input("a", sine(220));
let b = input("b", saw(110));
let band = bus("band");
a >> fader(-6) >> band;
b >> compressor(-30, 4) >> fader(-9) >> band;
band >> master;
"#;

/// A desk that plays to nobody, and where its page is.
pub struct Desk {
    /// The folder of its session.
    pub folder: TempDir,
    /// The program.
    pub running: Running,
    /// The address that it told.
    pub address: String,
}

impl Desk {
    /// Plays a session with a page at any port that is free.
    pub fn play(text: &str, more: &[&str]) -> Desk {
        let folder = folder(text);
        let (running, address) = played(folder.path(), "127.0.0.1:0", more);
        Desk { folder, running, address }
    }

    /// The host and port of its page.
    pub fn host(&self) -> &str {
        self.address.trim_start_matches("http://").split('/').next().expect("it has a host")
    }

    /// What a path of the page is answered with.
    fn get(&self, path: &str) -> Answer {
        asked(self.host(), format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host()).as_bytes())
    }

    /// What happens, for one who looks at a path.
    fn events(&self, look: &str) -> Events {
        Events::open(self.host(), &format!("/events?look={look}"))
    }

    /// Gives the session another text.
    pub fn edit(&self, text: &str) {
        write(self.folder.path(), text);
    }
}

/// Plays the session of a folder with a page; the address of that.
pub fn played(folder: &Path, at: &str, more: &[&str]) -> (Running, String) {
    let arguments = ["play", "session.rhai", "--device", "none", "--no-prompt", "--journal", "none"];
    let osc: &[&str] = if more.contains(&"--osc") { &[] } else { &["--osc", "none"] };
    let mut running = Running::start(folder, &[&arguments[..], &["--show", at], osc, more].concat());
    let line = running.says("to be seen at ");
    let address = line.rsplit(' ').next().expect("it is told").to_owned();
    running.says("playing to the silent device");
    (running, address)
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// What a request is answered with; status 0 if it is hung up on.
fn asked(host: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(host).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    // It may be hung up on before all is said.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// A stream of what happens.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(host: &str, path: &str) -> Events {
        let mut stream = TcpStream::connect(host).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n").expect("it is sent");
        Events(BufReader::new(stream))
    }

    /// Waits for an event of a name that is as wanted.
    fn wait(&mut self, name: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let (begun, mut line, mut newest) = (Instant::now(), String::new(), String::new());
        while begun.elapsed() < PATIENCE {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("it goes on") > 0, "it ends before {name}");
            if let Some(event) = line.strip_prefix("event: ") {
                newest = event.trim().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ").filter(|_| newest == name) {
                let data: Value = serde_json::from_str(data).expect("it is JSON");
                if wanted(&data) {
                    return data;
                }
            }
        }
        panic!("no such {name} comes");
    }
}

fn any(_: &Value) -> bool {
    true
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("it is a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_page_shows_every_strip_its_levels_and_its_line_and_what_an_edit_has_done() {
    let mut desk = Desk::play(BAND, &[]);
    let page = desk.get("/");
    assert!(page.status == 200 && page.body.contains("<!doctype html>"), "{page:?}");
    for header in ["content-security-policy: default-src 'none'", "cache-control: no-store", "x-content-type-options"] {
        assert!(page.head.contains(header), "{}", page.head);
    }
    let mut events = desk.events("b%2Fcompressor");
    let made = events.wait("desk", any);
    let strips = made["strips"].as_array().expect("it has strips");
    let named: Vec<&str> = strips.iter().filter_map(|strip| strip["name"].as_str()).collect();
    assert_eq!(named, ["a", "b", "band", "master"]);
    desk.events("master").wait("picture", any);
    let picture = desk.get("/picture.svg").body;
    for path in ["a", "b", "band", "master", "a/fader", "b/compressor", "b/fader", "a&gt;band", "band&gt;master"] {
        assert!(picture.contains(&format!("data-path=\"{path}\"")), "{path} is not in\n{picture}");
    }
    let metered = events.wait("desk", |desk| desk["paths"].as_array().is_some_and(|paths| !paths.is_empty()));
    let fader = strings(&metered["paths"]).iter().position(|path| *path == "a/fader").expect("it is metered");
    // -18 dBFS through a fader at -6 is a peak of -24, in tenths; the fourth of a strip's five figures is whether it clipped.
    let level = |moment: &Value| moment["levels"][3 * fader].as_i64();
    let settled = events.wait("moment", |moment| level(moment).is_some_and(|level| (-242..=-238).contains(&level)));
    assert_eq!(settled["strips"][3], 0);
    assert!(settled["rolling"] == true && settled["bar"][0].as_i64() >= Some(1), "{settled}");
    let looked =
        events.wait("sound", |sound| sound["sound"]["bands"].as_array().is_some_and(|bands| bands.len() > 100));
    assert_eq!((looked["path"].as_str(), looked["sound"]["channels"].as_i64()), (Some("b/compressor"), Some(1)));
    // An edit.
    desk.edit(&BAND.replace("fader(-6)", "fader(-3)"));
    let edit = events.wait("edit", any);
    assert_eq!(edit["edit"]["words"], "changed a>band/fader");
    assert_eq!(edit["edit"]["ramped"], json!([["a>band/fader", 0.0]]));
    assert_eq!(strings(&edit["edit"]["anew"]), [""; 0]);
    desk.running.says("changed a>band/fader");
    // What is told is kept for whoever comes; it may have been told before the picture of it was drawn.
    desk.events("master").wait("told", |told| told["text"] == "changed a>band/fader");
    events.wait("moment", |moment| level(moment).is_some_and(|level| (-212..=-208).contains(&level)));
    // One that is wrong.
    desk.edit(&BAND.replace("fader(-6)", "fadre(-3)"));
    let text = events.wait("text", |text| text["taken"] == false);
    let wrong = &text["diagnostics"][0];
    assert_eq!((wrong["severity"].as_str(), wrong["line"].as_i64()), (Some("error"), Some(5)), "{wrong}");
    // All of the word is marked.
    assert_eq!((wrong["column"].as_i64(), wrong["width"].as_i64()), (Some(6), Some(5)), "{wrong}");
    assert!(wrong["help"].as_str().is_some_and(|help| help.contains("fader")), "{wrong}");
    let line = |text: &Value, path: &str| {
        let spots = text["spots"].as_array().expect("it has places").clone();
        spots.iter().find(|spot| spot[0] == path).and_then(|spot| spot[2].as_i64())
    };
    assert_eq!((line(&text, "b/compressor"), line(&text, "a/fader")), (Some(6), None));
    events.wait("moment", |moment| level(moment).is_some_and(|level| (-212..=-208).contains(&level)));
    // What is taken away, and what comes.
    desk.edit(&BAND.replace("b >> compressor(-30, 4)", "b >> high_pass(90)"));
    let edit = events.wait("edit", |edit| edit["n"] == 2);
    assert_eq!(strings(&edit["edit"]["added"]), ["b>band/high_pass"]);
    assert_eq!(strings(&edit["edit"]["removed"]), ["b>band/compressor"]);
    events.wait("sound", |sound| sound["sound"].is_null() && sound["gone"] == true);
    // And what is there again is looked at again.
    desk.edit(BAND);
    events.wait("sound", |sound| sound["sound"].is_object() && sound["gone"] == false);
}

/// The names of the strips that a desk is made of.
fn names(made: &Value) -> Vec<&str> {
    made["strips"].as_array().expect("it has strips").iter().filter_map(|strip| strip["name"].as_str()).collect()
}

#[test]
fn while_an_edit_waits_names_and_levels_are_of_what_is_heard() {
    let waits = format!("quantize(64.bars);\n{BAND}");
    let mut desk = Desk::play(&waits, &[]);
    let mut events = desk.events("b");
    events.wait("sound", |sound| sound["sound"].is_object());
    let renamed = |text: &str| text.replace("b = input(\"b\"", "c = input(\"c\"").replace("\nb >>", "\nc >>");
    desk.edit(&renamed(&waits));
    desk.running.says("taken; heard from ");
    events.wait("text", |text| text["taken"] == true && text.to_string().contains("input(\\\"c\\\""));
    // Whoever comes now sees the text that waits, and what is heard meanwhile.
    let mut late = desk.events("c");
    assert_eq!(names(&late.wait("desk", any)), ["a", "b", "band", "master"]);
    late.wait("sound", |sound| sound["gone"] == true);
    for _ in 0..20 {
        let moment = late.wait("moment", any);
        assert!(moment["strips"][5].as_i64() > Some(-600), "b is heard: {moment}");
    }
    assert_eq!(desk.events("b").wait("sound", |sound| sound["sound"].is_object())["gone"], false);
    desk.edit(&renamed(BAND));
    late.wait("desk", |made| names(made) == ["a", "c", "band", "master"]);
    late.wait("sound", |sound| sound["sound"].is_object());
    events.wait("sound", |sound| sound["gone"] == true);
}

#[test]
fn a_file_that_is_gone_is_said_to_be_and_when_it_is_back() {
    let mut desk = Desk::play(BAND, &[]);
    let mut events = desk.events("master");
    assert!(strings(&events.wait("desk", any)["absent"]).is_empty());
    fs::remove_file(desk.folder.path().join("session.rhai")).expect("it can be removed");
    desk.running.says("session.rhai is gone: what played plays on");
    let absent = events.wait("desk", |made| !strings(&made["absent"]).is_empty());
    assert!(strings(&absent["absent"])[0].contains("session.rhai is gone"), "{absent}");
    events.wait("moment", |moment| moment["strips"][0].as_i64() > Some(-600));
    desk.edit(BAND);
    desk.running.says("session.rhai is back");
    events.wait("desk", |made| strings(&made["absent"]).is_empty());
}

#[test]
fn who_clicks_all_the_time_keeps_no_edit_from_being_heard() {
    let mut desk = Desk::play(BAND, &[]);
    let (host, over) = (desk.host().to_owned(), AtomicBool::new(false));
    thread::scope(|scope| {
        for viewer in 0..8 {
            let (host, over) = (&host, &over);
            scope.spawn(move || {
                for look in ["a", "b", "band", "a%2Ffader", "b%2Fcompressor", "b%2Ffader"].iter().cycle().skip(viewer) {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    Events::open(host, &format!("/events?look={look}")).wait("moment", any);
                }
            });
        }
        // What fails must end the viewers too.
        let edits = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            for level in 7..15 {
                desk.edit(&BAND.replace("fader(-6)", &format!("fader(-{level})")));
                desk.running.says("changed a>band/fader");
                // What comes and goes is heard to, and taken out.
                desk.edit(&BAND.replace("fader(-6)", &format!("low_pass(400) >> fader(-{level})")));
                desk.running.says("added a>band/low_pass");
            }
        }));
        over.store(true, Ordering::Relaxed);
        edits.unwrap_or_else(|panic| panic::resume_unwind(panic));
    });
}

#[test]
fn what_a_hand_writes_is_sent_by_itself_and_less_often_than_it_writes() {
    let desk = Desk::play(BAND, &["--osc", "127.0.0.1:0"]);
    let told = desk.running.told.iter().find(|line| line.contains("OSC at ")).expect("it is told").clone();
    let sender = UdpSocket::bind("127.0.0.1:0").expect("there is a port");
    sender.connect(told.rsplit(' ').next().expect("it has an address")).expect("it is there");
    let mut events = desk.events("master");
    let first = events.wait("text", any);
    assert!(first.to_string().contains("fader(-6)"), "{first}");
    const MOVES: i64 = 60;
    for step in 1..=MOVES {
        sender.send(&message("/a/fader/gain", -(step as f32) / 10.0)).expect("it is sent");
        thread::sleep(Duration::from_millis(15));
    }
    let mut sent = 0;
    events.wait("typed", |typed| {
        assert!(!typed.to_string().contains("compressor"), "the file is not sent again: {typed}");
        sent += 1;
        typed["files"][0]["lines"][0].as_str().is_some_and(|line| line.contains("-6"))
    });
    assert!(sent < MOVES / 2, "{sent} for {MOVES}");
    desk.running.interrupt();
    let mut rest = String::new();
    events.0.read_to_string(&mut rest).expect("it ends");
    assert!(!rest.contains("event: text"), "the file is sent once");
}

#[test]
fn the_65th_viewer_is_told_that_there_are_too_many_until_one_of_them_goes() {
    let desk = Desk::play(BAND, &[]);
    let mut all: Vec<Events> = (0..64).map(|_| desk.events("master")).collect();
    all.iter_mut().for_each(|events| drop(events.wait("desk", any)));
    let answer = desk.get("/events");
    assert_eq!((answer.status, answer.body.as_str()), (503, "too many look already\n"));
    assert_eq!(desk.get("/").status, 200);
    all.pop();
    // That one is gone is seen when it is sent something.
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let mut late = TcpStream::connect(desk.host()).expect("somebody listens");
        late.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        write!(late, "GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", desk.host()).expect("it is sent");
        let mut status = String::new();
        BufReader::new(late).read_line(&mut status).expect("it is answered");
        if status.contains("200") {
            return;
        }
    }
    panic!("there is room for one, and nobody comes in");
}

#[test]
fn who_connects_and_says_nothing_shuts_nobody_out() {
    let desk = Desk::play(BAND, &[]);
    let idle: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(desk.host()).expect("somebody listens")).collect();
    assert_eq!(desk.get("/").status, 200);
    desk.events("master").wait("moment", any);
    drop(idle);
}

#[test]
fn whoever_comes_is_told_how_loud_the_master_was_before() {
    let mut desk = Desk::play(BAND, &[]);
    // Blocks of loudness are 0.4 s long.
    thread::sleep(Duration::from_secs(1));
    desk.edit(&BAND.replace("band >> master;", "band >> fader(off) >> master;"));
    desk.running.says("added band");
    // What is silent by then is no part of it.
    let told = desk.events("master").wait("moment", |moment| moment["lufs"][0] == -9999);
    assert!(told["lufs"][2].as_i64() > Some(-400), "{told}");
}

#[test]
fn whoever_comes_late_sees_how_loud_it_was_all_the_time_though_nobody_looked() {
    let desk = Desk::play(BAND, &[]);
    // A first one looks, and goes; then nobody does.
    desk.events("master").wait("heard", |heard| heard["n"].as_u64() >= Some(2));
    thread::sleep(Duration::from_secs(4));
    let mut late = desk.events("master");
    let past = late.wait("past", any);
    let heard = past["lufs"].as_array().expect("it is a list");
    assert_eq!((past["n"].as_u64(), past["seconds"].as_f64()), (Some(heard.len() as u64), Some(0.5)));
    assert!(heard.len() >= 9, "{past}");
    // From when the first blocks of loudness are whole, 0.4 s and 3 s long, each is known.
    let known = |at: usize, from: usize| heard[from..].iter().all(|one| one[at].as_i64() > Some(-400));
    assert!(known(0, 2) && known(1, 7), "{past}");
    // What comes then comes by itself.
    let next = late.wait("heard", any);
    assert_eq!(next["n"].as_u64(), Some(heard.len() as u64 + 1));
}

#[test]
fn what_glides_for_long_is_told_apart_from_what_is_another_number_and_from_what_starts_anew() {
    let desk = Desk::play(BAND, &[]);
    let mut events = desk.events("master");
    events.wait("moment", any);
    desk.edit(&BAND.replace("fader(-6)", "fader(ramp(-6, -30, 1500.ms))"));
    let edit = events.wait("edit", any)["edit"].take();
    assert_eq!((&edit["ramped"], &edit["anew"]), (&json!([["a>band/fader", 1.5]]), &json!([])));
    // A chorus makes two channels of one: what follows is another thing.
    desk.edit(&BAND.replace("b >> compressor", "b >> chorus() >> compressor"));
    let edit = events.wait("edit", |edit| edit["n"] == 2)["edit"].take();
    assert_eq!(strings(&edit["added"]), ["b>band/chorus"]);
    assert_eq!(strings(&edit["anew"]), ["b>band/compressor", "b>band/fader"]);
    assert_eq!(edit["ramped"], json!([["a>band/fader", 0.0]]));
}

#[test]
fn another_desk_at_the_same_address_is_told_from_the_one_before() {
    let mut desk = Desk::play(BAND, &[]);
    let mut one = desk.events("master");
    let first = one.wait("desk", any)["desk"].clone();
    let host = desk.host().to_owned();
    drop(one);
    desk.running.interrupt();
    assert_eq!(desk.running.end(), 0);
    let (_running, address) = played(desk.folder.path(), &host, &[]);
    assert_eq!(address, desk.address);
    let second = desk.events("master").wait("desk", any)["desk"].clone();
    assert!(first.is_string() && second.is_string() && first != second);
}

#[test]
fn whoever_is_not_meant_is_turned_away() {
    let desk = Desk::play(BAND, &[]);
    let host = desk.host();
    // Who never ends its request is hung up on: it is waited for at the end.
    let mut slow = TcpStream::connect(host).expect("somebody listens");
    slow.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    slow.write_all(b"GET / HTTP/1.1\r\nHost: ").expect("it is sent");
    let port = host.rsplit(':').next().expect("it has a port");
    let lines = |lines: &str| format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
    let long = "a".repeat(100_000);
    let own = format!("Host: {host}");
    for (wanted, request) in [
        (200, lines(&format!("Host: localhost:{port}"))),
        (200, lines(&format!("{own}\r\nOrigin: http://{host}"))),
        (421, lines(&format!("Host: evil.example:{port}"))),
        (421, lines("Host: 127.0.0.1:1")),
        (421, lines("Accept: text/html")),
        (403, lines(&format!("{own}\r\nOrigin: http://evil.example"))),
        (403, lines(&format!("{own}\r\nOrigin: null"))),
        (403, lines(&format!("{own}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors"))),
        (405, format!("POST / HTTP/1.1\r\n{own}\r\nContent-Length: 3\r\n\r\nabc")),
        (405, format!("OPTIONS / HTTP/1.1\r\n{own}\r\n\r\n")),
        (413, lines(&format!("{own}\r\nContent-Length: 99999999999"))),
        (413, format!("GET /events HTTP/1.1\r\n{own}\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n{long}")),
        (414, format!("GET /{} HTTP/1.1\r\n{own}\r\n\r\n", &long[..4000])),
        (431, lines(&format!("{own}\r\nX: {long}"))),
        (431, lines(&format!("{own}{}", "\r\nX: y".repeat(100)))),
        (404, format!("GET /../../etc/passwd HTTP/1.1\r\n{own}\r\n\r\n")),
        (404, format!("GET /session.rhai HTTP/1.1\r\n{own}\r\n\r\n")),
        (400, "\u{1}\u{2}nonsense\r\n\r\n".into()),
    ] {
        let answer = asked(host, request.as_bytes());
        let shown: String = request.chars().take(120).collect();
        assert_eq!(answer.status, wanted, "{shown:?}: {answer:?}");
        assert!(wanted == 200 || !answer.body.contains("<html"), "{shown:?}");
        assert!(!answer.head.contains("access-control"), "{shown:?}");
    }
    let mut answer = Vec::new();
    let ended = slow.read_to_end(&mut answer).map_err(|error| error.kind());
    let waits = matches!(ended, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut));
    assert!(!waits && answer.len() < 1000, "{ended:?}, {} bytes", answer.len());
}

#[test]
fn what_a_network_reaches_takes_the_word_of_its_address_for_everything() {
    let folder = folder(BAND);
    let (_running, address) = played(folder.path(), "0.0.0.0:0", &[]);
    let mut parts = address.trim_start_matches("http://").splitn(3, '/');
    let (host, word) = (parts.next().expect("a host"), parts.next().expect("a word"));
    assert!(word.len() >= 32, "{address}");
    let port = host.rsplit(':').next().expect("a port");
    let here = format!("127.0.0.1:{port}");
    let get =
        |path: &str, host: &str| asked(&here, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).status;
    let files = ["", "page.js", "page.css", "picture.svg", "text", "picture.css", "icon.svg"];
    for file in files {
        assert_eq!(get(&format!("/{word}/{file}"), &here), 200, "{file}");
        assert_eq!(get(&format!("/{word}/{file}"), host), 200, "{file}");
        assert_eq!(get(&format!("/{file}"), &here), 404, "{file}");
        assert_eq!(get(&format!("/{}/{file}", word.replace(&word[..1], "x")), &here), 404, "{file}");
        assert_eq!(get(&format!("/{word}/{file}"), &format!("evil.example:{port}")), 421, "{file}");
    }
    assert_eq!(get("/events", &here), 404);
    Events::open(&here, &format!("/{word}/events")).wait("desk", any);
}

#[test]
fn sound_is_the_same_bit_for_bit_while_the_page_is_flooded() {
    const LENGTH: &str = "240000f";
    let mut desk = Desk::play(BAND, &["--record", "take.wav", "--length", LENGTH]);
    let host = desk.host().to_owned();
    let mut held: Vec<TcpStream> = Vec::new();
    let mut refused = 0;
    // Those who look and never read, those who say nothing, those who talk nonsense, and one after another.
    for i in 0..600 {
        let Ok(mut stream) = TcpStream::connect(&host) else { continue };
        let said = match i % 4 {
            0 => format!("GET /events?look=a{} HTTP/1.1\r\nHost: {host}\r\n\r\n", i % 40),
            1 => "GET / HTTP/1.1\r\nHos".into(),
            2 => "\u{1}".repeat(5000),
            _ => format!("GET /picture.svg HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        };
        // Who is hung up on at once is one of too many.
        refused += usize::from(stream.write_all(said.as_bytes()).is_err());
        held.push(stream);
    }
    for stream in &mut held {
        let mut begin = [0; 12];
        stream.set_nonblocking(true).expect("it can be set");
        refused += usize::from(stream.read(&mut begin).is_ok_and(|read| read == 0 || begin.ends_with(b"503")));
    }
    assert!(refused > 100, "they are bounded: {refused}");
    assert_eq!(desk.running.end(), 0);
    let render = ["render", "session.rhai", "-o", "all.wav", "--bits", "32f", "--length", LENGTH];
    done_in(desk.folder.path(), &render);
    let (take, whole) = (wav(&desk.folder.path().join("take.wav")), wav(&desk.folder.path().join("all.wav")));
    assert_eq!(take.len(), whole.len());
    assert!(take.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits()) && whole.iter().any(|x| x.abs() > 0.05));
}

#[test]
fn a_page_that_cannot_be_shown_is_told_of_and_what_plays_plays() {
    let desk = Desk::play(BAND, &[]);
    let other = folder(BAND);
    let arguments = ["play", "session.rhai", "--device", "none", "--osc", "none", "--no-prompt", "--length", "4800f"];
    let mut running = Running::start(other.path(), &[&arguments[..], &["--show", desk.host()]].concat());
    running.says("there is no page to be seen at 127.0.0.1:");
    running.says("playing to the silent device");
    assert_eq!(running.end(), 0);
    let wrong = done_wrong(other.path(), &["play", "session.rhai", "--show", "everywhere"]);
    assert!(wrong.contains("to this machine alone --show needs none"), "{wrong}");
    assert!(fs::read_dir(other.path()).expect("it is there").count() == 1, "nothing is left behind");
}

/// What is told of arguments that are wrong.
fn done_wrong(folder: &Path, arguments: &[&str]) -> String {
    let ran = crate::program::run_in(folder, arguments);
    assert_eq!(ran.status, 2, "{ran:?}");
    ran.err
}
