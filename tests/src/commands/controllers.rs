//! Controllers, as what plays hears them: what OSC sets is a line of the text.

use std::fs;
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::{folder, render::wav};
use crate::program::{Running, done_in, run_in};

const STRIP: &str = "let a = input(\"a\", sine(1000));\na >> fader(-6) >> master;\n";

/// An OSC message with one float.
pub fn message(address: &str, value: f32) -> Vec<u8> {
    let padded = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len() / 4 * 4 + 4, 0);
        bytes
    };
    [padded(address), padded(",f"), value.to_be_bytes().to_vec()].concat()
}

/// Messages that are to be taken together.
fn bundle(messages: &[Vec<u8>]) -> Vec<u8> {
    let elements = messages.iter().flat_map(|m| [&(m.len() as u32).to_be_bytes()[..], m].concat());
    b"#bundle\0\0\0\0\0\0\0\0\x01".iter().copied().chain(elements).collect()
}

/// A session that plays to nobody, and what sends to it.
struct Desk {
    folder: TempDir,
    playing: Running,
    sender: UdpSocket,
}

impl Desk {
    fn start(text: &str, more: &[&str]) -> Self {
        let folder = folder(text);
        let arguments = ["play", "session.rhai", "--device", "none", "--no-prompt", "--osc", "127.0.0.1:0"];
        let mut playing = Running::start(folder.path(), &[&arguments, more].concat());
        let line = playing.says("OSC at 127.0.0.1:");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("there is a port");
        sender.connect(line.trim_start_matches("OSC at ")).expect("it is there");
        playing.says("playing to the silent device");
        Desk { folder, playing, sender }
    }

    fn send(&self, packet: &[u8]) {
        self.sender.send(packet).expect("it is taken");
    }

    fn save(&self, text: &str) {
        fs::write(self.folder.path().join("session.rhai"), text).expect("it can be written");
    }

    fn stop(mut self) -> TempDir {
        self.playing.interrupt();
        assert_eq!(self.playing.end(), 0, "{:#?}", self.playing.told);
        self.folder
    }
}

#[test]
fn the_last_value_that_a_hand_sets_is_heard_and_told() {
    let mut desk = Desk::start(STRIP, &["--record", "take.wav"]);
    for i in 0..2000 {
        desk.send(&message("/a/fader/gain", -(i as f32) / 100.0));
        // The system drops what comes faster than anybody could read it.
        if i % 50 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    thread::sleep(Duration::from_millis(500));
    desk.send(&message("/a/fader/gain", -26.0));
    while !desk.playing.says("set: ").ends_with("set: a/fader.gain is -26 dB") {}
    thread::sleep(Duration::from_millis(100));
    let folder = desk.stop();
    fs::write(folder.path().join("still.rhai"), STRIP.replace("-6", "-26")).expect("it can be written");
    done_in(folder.path(), &["render", "still.rhai", "-o", "still.wav", "--bits", "32f", "--length", "2s"]);
    let [take, still] = ["take.wav", "still.wav"].map(|name| wav(&folder.path().join(name)));
    let peak = |sound: &[f32]| sound[sound.len() - 2000..].iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
    assert!((peak(&take) - peak(&still)).abs() < 1e-6, "{} is not {}", peak(&take), peak(&still));
}

#[test]
fn a_bundle_is_one_edit() {
    let text = STRIP.to_owned() + "a >> fader(-6) >> cable(\"two\") >> master;\n";
    let mut desk = Desk::start(&text, &[]);
    let both = [message("/a>master/fader/gain", -9.0), message("/a>master:two/fader/gain", -12.0)];
    desk.send(&bundle(&both));
    let told = desk.playing.says("set: ");
    assert!(
        told.contains("a>master/fader.gain is -9 dB") && told.contains("a>master:two/fader.gain is -12 dB"),
        "{told}"
    );
    desk.stop();
}

#[test]
fn the_last_good_text_is_that_of_the_files_whatever_a_hand_has_set() {
    let mut desk = Desk::start(STRIP, &[]);
    desk.send(&message("/a/fader/gain", -20.0));
    desk.playing.says("set: a/fader.gain is -20 dB");
    let edited = STRIP.replace("1000", "500");
    desk.save(&edited);
    desk.playing.says("started anew a");
    desk.save("let a = ;");
    let folder = desk.stop();
    let refused = run_in(folder.path(), &["play", "session.rhai", "--device", "none"]).err;
    let (_, rest) = refused.split_once("--last-good` plays it (").unwrap_or_else(|| panic!("{refused}"));
    let kept = rest.split(')').next().expect("a path");
    assert_eq!(fs::read_to_string(kept).expect("it is there"), edited);
}

#[test]
fn a_line_hides_what_the_file_says_until_the_file_takes_its_place_away() {
    let mut desk = Desk::start(STRIP, &[]);
    desk.send(&message("/a/fader/gain", -20.0));
    desk.playing.says("set: a/fader.gain is -20 dB");

    desk.save(&STRIP.replace("-6", "-12"));
    desk.playing.says("a/fader.gain is -12 dB in the file now, which is not heard: `set(\"a/fader.gain\", -20);` wins");
    desk.playing.says("no change to the sound");

    desk.save("let a = input(\"a\", sine(1000)); a >> high_pass(90) >> master;");
    desk.playing.says("set aside: set(\"a/fader.gain\", -20); (");
    let changed = desk.playing.says("removed");
    assert!(changed.contains("added a>master/high_pass"), "{changed}");

    // The text that plays takes lines also while the file is wrong.
    desk.save("let a = nothing;");
    desk.playing.says("not taken");
    desk.send(&message("/a/high_pass/freq", 500.0));
    desk.playing.says("set: a/high_pass.freq is 500 Hz");
    desk.stop();
}

#[test]
fn what_means_nothing_is_told_in_a_few_lines_however_often_it_comes() {
    let mut desk = Desk::start(STRIP, &[]);
    desk.send(&message("/a/fadr/gain", 0.0));
    desk.playing.says("the nearest name is `a/fader`");
    for i in 0..3000 {
        desk.send(&message("/a/fadr/gain", 0.0));
        desk.send(&message("/a/fader/gain", 99.0));
        desk.send(&message(&format!("/{i}"), f32::NAN));
        desk.send(&[i as u8; 40]);
    }
    // What the system has no room for while it comes this fast is lost before anybody can hear it.
    thread::sleep(Duration::from_millis(500));
    desk.send(&message("/a/fader/gain", -3.0));
    desk.playing.says("set: a/fader.gain is -3 dB");
    assert!(desk.playing.told.iter().any(|line| line.contains("no OSC")), "{:#?}", desk.playing.told);
    assert!(desk.playing.told.len() < 40, "{:#?}", desk.playing.told);
    desk.stop();
}

#[test]
fn meters_are_sent_to_whoever_asks_for_them() {
    let desk = Desk::start(STRIP, &[]);
    desk.sender.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    desk.send(&message("/:meters", 30.0));
    let mut packet = [0; 1500];
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    for _ in 0..5 {
        let length = desk.sender.recv(&mut packet).expect("meters come");
        let bundle = &packet[..length];
        assert!(has(bundle, b"/meter/a\0") && has(bundle, b"/meter/master\0"), "{bundle:?}");
        // The input is a sine at -18 dBFS: its peak, and 3 dB less.
        let at = bundle.windows(9).position(|window| window == b"/meter/a\0").expect("it is there");
        let float = |from: usize| f32::from_be_bytes(bundle[from..from + 4].try_into().expect("four bytes"));
        let (peak, rms) = (float(at + 16), float(at + 20));
        assert!((peak + 18.0).abs() < 0.1 && (rms + 21.01).abs() < 0.2, "{peak} {rms}");
    }
    desk.stop();
}

#[test]
fn the_figures_of_a_point_are_sent_to_whoever_follows_it() {
    let desk = Desk::start(STRIP, &[]);
    desk.sender.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    let padded = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len() / 4 * 4 + 4, 0);
        bytes
    };
    let ask = |view: &str, rate: f32| {
        desk.send(&[padded(view), padded(",sf"), padded("a"), rate.to_be_bytes().to_vec()].concat());
    };
    ask("/:figures", 10.0);
    ask("/:spectrum", 2.0);
    let (mut figures, mut spectra) = (0, 0);
    let mut packet = [0; 1500];
    while figures < 8 || spectra < 1 {
        let length = desk.sender.recv(&mut packet).expect("figures come");
        let packet = &packet[..length];
        // The last of the numbers that are there: nil takes no room.
        let of = |address: &str| packet.starts_with(&padded(address));
        let tags = |address: &str| packet[padded(address).len()..].iter().take_while(|byte| **byte != 0).count() - 1;
        if of("/figures/a") {
            assert_eq!(tags("/figures/a"), 16);
            figures += 1;
        } else if of("/spectrum/a") {
            assert_eq!(tags("/spectrum/a"), 30);
            // A sine has a level in its own band.
            let floats = packet[padded("/spectrum/a").len()..].iter().filter(|byte| **byte == b'f').count();
            spectra += usize::from(floats > 0);
        }
    }
    desk.send(&[padded("/:figures"), padded(",sf"), padded("nothing"), 2.0_f32.to_be_bytes().to_vec()].concat());
    let mut desk = desk;
    desk.playing.says("nothing is called `nothing`");
    desk.stop();
}

#[test]
fn the_transport_does_what_it_is_told() {
    let desk = Desk::start(STRIP, &["--record", "take.wav"]);
    desk.sender.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    desk.send(&message("/:meters", 60.0));
    let mut packet = [0; 1500];
    let mut peak = || {
        desk.sender.recv(&mut packet).expect("meters come");
        let at = packet.windows(14).position(|window| window == b"/meter/master\0").expect("it is there");
        f32::from_be_bytes(packet[at + 20..at + 24].try_into().expect("four bytes"))
    };
    for (command, silent) in [("/:stop", true), ("/:start", false), ("/:panic", true), ("/:start", false)] {
        desk.send(&message(command, 1.0));
        let begun = std::time::Instant::now();
        while (peak() < -100.0) != silent {
            assert!(begun.elapsed() < Duration::from_secs(20), "{command} does nothing");
        }
    }
    desk.stop();
}

#[test]
fn a_port_that_is_taken_is_told_and_it_plays_on() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("there is a port");
    let address = taken.local_addr().expect("it has one").to_string();
    let folder = folder(STRIP);
    let arguments = ["play", "session.rhai", "--device", "none", "--no-prompt", "--length", "0.1s", "--osc", &address];
    let mut playing = Running::start(folder.path(), &arguments);
    playing.says(&format!("OSC is not heard: {address}"));
    assert_eq!(playing.end(), 0);
}

#[test]
fn an_address_of_the_network_is_warned_of() {
    let folder = folder(STRIP);
    let arguments =
        ["play", "session.rhai", "--device", "none", "--no-prompt", "--length", "0.1s", "--osc", "0.0.0.0:0"];
    let mut playing = Running::start(folder.path(), &arguments);
    playing.says("whoever can reach this address can move every parameter");
    assert_eq!(playing.end(), 0);
}

#[test]
fn a_hand_is_heard_while_an_edit_waits_for_its_bar_and_holds_when_that_comes() {
    let text =
        "tempo(240); quantize(4.bars);\nlet a = input(\"a\", sine(1000));\na >> fader(-6) >> pan(0) >> master;\n";
    let mut desk = Desk::start(text, &[]);
    desk.save(&text.replace("pan(0)", "pan(0.5)"));
    desk.playing.says("heard from 4.bars on");
    desk.send(&message("/a/fader/gain", -20.0));
    desk.playing.says("set: a/fader.gain is -20 dB");
    assert!(!desk.playing.told.iter().any(|line| line.contains("changed")), "{:#?}", desk.playing.told);
    assert_eq!(desk.playing.says("changed"), "changed a>master/pan");
    desk.send(&message("/a/fader/gain", -20.0));
    desk.send(&message("/:stop", 1.0));
    desk.playing.says("the transport stops at");
    desk.stop();
}

#[test]
fn what_a_control_cannot_take_is_refused_and_told() {
    let mut desk = Desk::start("let a = input(\"a\", sine(1000));\na >> fader(osc(\"/v\")) >> master;\n", &[]);
    desk.send(&message("/v", 99.0));
    desk.playing.says("99 is outside -120 to 24");
    desk.stop();
}

#[test]
fn a_performance_by_hand_replays_to_its_bits() {
    let text = r#"
        let room = bus("room");
        let a = input("a", saw(110));
        a >> low_pass(osc("/cutoff").range(200, 5000)) >> pan(lfo("1/8").range(-1, 1)) >> send(room, osc("/send").start(-20))
          >> fader(-6) >> master;
        room >> reverb().decay(0.4.s) >> master;
        master >> limiter(-1);
    "#;
    let mut desk = Desk::start(text, &["--record", "a.wav", "--journal", "kept"]);
    for step in 0..30 {
        let value = step as f32 / 29.0;
        desk.send(&message("/cutoff", value));
        desk.send(&message("/send", -40.0 + 30.0 * value));
        match step {
            5 => desk.send(&message("/a/fader/gain", -12.0)),
            10 => desk.save(&text.replace("lfo(\"1/8\")", "lfo(3)")),
            15 => desk.send(&message("/:locate", 4.0)),
            20 => desk.send(&message("/:stop", 1.0)),
            23 => desk.send(&message("/:start", 1.0)),
            25 => desk.send(&bundle(&[message("/:panic", 1.0), message("/:panic", 0.0)])),
            27 => desk.send(&message("/:start", 1.0)),
            _ => {}
        }
        thread::sleep(Duration::from_millis(40));
    }
    desk.playing.says("panic");
    let folder = desk.stop();
    done_in(folder.path(), &["replay", "kept", "-o", "b.wav"]);
    let [heard, again] = ["a.wav", "b.wav"].map(|name| wav(&folder.path().join(name)));
    assert!(heard.len() > 48_000 && heard.len() == again.len(), "{} and {}", heard.len(), again.len());
    assert_eq!(heard.iter().zip(&again).position(|(a, b)| a.to_bits() != b.to_bits()), None, "where they differ");
    let list = done_in(folder.path(), &["replay", "kept", "--list"]).out;
    for part in ["osc /cutoff", "a>master/pan"] {
        assert!(list.contains(part), "{part}: {list}");
    }
}
