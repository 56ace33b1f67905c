//! The real sound path, through `cpal` and the system's sound server, over the card that `.ci/virtual-card` makes. These
//! tests do nothing without it.

use std::convert::Infallible;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use engine::device::{OpenError, Opened, Wanted, open_input, open_output};
use engine::graph::prepare;
use engine::media::Library;
use engine::offline::{Offline, Stream};
use engine::playback::{Capture, Playback};
use engine::resampled::ResampledPlayback;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::program::{Running, gainstage, run_in};

/// Frames asked for at a time: generous, for machines with much else to do.
const BUFFER: u32 = 2048;

/// How long to listen before giving up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Dropouts are the machine's, not ours: this many times may be tried.
const TRIES: usize = 5;

/// The card, for one test at a time: what one plays, all would hear. `None` if there is none.
fn card() -> Option<MutexGuard<'static, ()>> {
    static CARD: Mutex<()> = Mutex::new(());
    env::var_os("GAINSTAGE_VIRTUAL_CARD").map(|_| CARD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Noise of a second, in stereo, between -0.5 and 0.5: a linear congruential generator (Knuth).
fn noise() -> Vec<f32> {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    })
    .take(2 * 48_000)
    .collect()
}

/// Plays silence, then a sound, then silence.
struct Once {
    sound: Vec<f32>,
    silence: usize,
    next: usize,
}

impl Playback for Once {
    fn fill(&mut self, block: &mut [f32], _: usize) {
        for x in block {
            *x = self.next.checked_sub(self.silence).and_then(|i| self.sound.get(i)).copied().unwrap_or(0.0);
            self.next += 1;
        }
    }
}

struct Keep(Producer<f32>);

impl Capture for Keep {
    fn take(&mut self, block: &[f32], _: usize) {
        for &x in block {
            // A full ring means that nobody listens any more.
            let _ = self.0.push(x);
        }
    }
}

/// Listens until a sound of `samples` samples that begins with the first that is not silent has come.
fn listen(heard: &mut Consumer<f32>, samples: usize) -> Vec<f32> {
    let (start, mut sound) = (Instant::now(), Vec::new());
    while sound.len() < samples && start.elapsed() < PATIENCE {
        match heard.pop() {
            Ok(x) if sound.is_empty() && x == 0.0 => {}
            Ok(x) => sound.push(x),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    sound
}

/// Listens to the card's input from now on. Dropping the device ends it.
fn listening(host: &str) -> Result<(Opened, Consumer<f32>), OpenError> {
    let (keep, heard) = RingBuffer::new(20 * 2 * 48_000);
    let wanted = Wanted { name: Some(host), rate: 48_000, buffer: BUFFER, channels: 2 };
    let input = open_input(&wanted, |format| {
        assert_eq!((format.rate, format.channels), (48_000, 2));
        Ok(Box::new(Keep(keep)))
    })?;
    input.start()?;
    Ok((input, heard))
}

/// Plays a sound to the card and gives back what is heard there, from its first sample on.
fn loop_back(host: &str, session: u32, device: u32, sound: &[f32]) -> Result<Vec<f32>, OpenError> {
    let (_input, mut heard) = listening(host)?;
    let wanted = Wanted { name: Some(host), rate: device, buffer: BUFFER, channels: 2 };
    let once = Once { sound: sound.to_vec(), silence: 48_000, next: 0 };
    let output = open_output(&wanted, |format| {
        assert_eq!((format.rate, format.channels), (device, 2));
        if device == session {
            return Ok(Box::new(once));
        }
        ResampledPlayback::new(Box::new(once), session, device, 2).map(|playback| Box::new(playback) as Box<_>)
    })?;
    output.start()?;
    Ok(listen(&mut heard, sound.len()))
}

#[test]
fn what_is_played_to_the_card_comes_back_bit_for_bit() {
    let Some(_card) = card() else { return };
    let sound = noise();
    for host in ["pulseaudio", "alsa"] {
        let whole = (0..TRIES).any(|_| loop_back(host, 48_000, 48_000, &sound).expect("the card opens") == sound);
        assert!(whole, "{host}: the sound came back with gaps each time");
    }
}

#[test]
fn a_device_that_runs_at_another_rate_plays_the_sessions_pitch() {
    let Some(_card) = card() else { return };
    // A second of 1 kHz for a device at 44.1 kHz, which the card then converts to its own 48 kHz.
    let sound: Vec<f32> = (0..2 * 48_000)
        .map(|i| 0.5 * engine::math::sin(std::f64::consts::TAU * f64::from(i / 2) / 48.0) as f32)
        .collect();
    let right = (0..TRIES).any(|_| {
        let heard = loop_back("pulseaudio", 48_000, 44_100, &sound).expect("the card opens");
        let left: Vec<f32> = heard.iter().step_by(2).copied().collect();
        let Some(settled) = left.get(4_800..43_200) else { return false };
        let rising = settled.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        let peak = settled.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
        (799..=801).contains(&rising) && (peak - 0.5).abs() < 0.01
    });
    assert!(right, "0.8 s of 1 kHz has 800 periods with a peak of 0.5");
}

/// The first frames of a session's first output, interleaved, as a device gets them.
fn rendered(session: &Path, frames: u64) -> Vec<f32> {
    let evaluated = scripting::evaluate_file(session);
    let prepared = prepare(evaluated.session.expect("the example is right"), &Library::new());
    let mut offline =
        Offline::new(&prepared.graph.expect("the example can sound"), None).expect("its plan proves right");
    let mut sound = Vec::new();
    let done: Result<(), Infallible> = offline.render(
        frames,
        |_| {},
        |stream, channels| {
            if stream == Stream::Output(0) {
                let frames = channels[0].len();
                sound.extend((0..frames).flat_map(|i| channels.iter().map(move |channel| channel[i] as f32)));
            }
            Ok(())
        },
    );
    let Ok(()) = done;
    sound
}

#[test]
fn what_the_program_plays_to_the_card_is_what_the_session_renders_to() {
    let Some(_card) = card() else { return };
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/first.rhai");
    let rendered = rendered(&session, 2 * 48_000);
    let begin = rendered.iter().position(|&x| x != 0.0).expect("it sounds");
    let expected = &rendered[begin..];
    for host in ["pulseaudio", "alsa"] {
        let whole = (0..TRIES).any(|_| {
            let (_input, mut heard) = listening(host).expect("the card opens");
            let mut playing =
                gainstage(["play", "--no-prompt", "--length", "4s", "--buffer", "2048", "--device", host])
                    .arg(&session)
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("the program starts");
            let heard = listen(&mut heard, expected.len());
            let _ = playing.kill();
            playing.wait().expect("it ends");
            heard == expected
        });
        assert!(whole, "{host}: the session came back altered or with gaps each time");
    }
}

/// Starts or stops the card's sound server.
fn server(what: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/virtual-card");
    let place = env::var_os("XDG_RUNTIME_DIR").expect("the card says where it is");
    let mut command = Command::new(script);
    command.arg(what).env("VIRTUAL_CARD_DIR", place).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().expect("it can be run").success(), "the server does not {what}");
}

#[test]
fn sound_comes_back_when_the_sound_server_was_restarted() {
    let Some(_card) = card() else { return };
    let folder = tempfile::TempDir::new().expect("there is room");
    std::fs::write(folder.path().join("session.rhai"), "input(\"a\", sine(220).level(-6)) >> master;")
        .expect("it can be written");
    for host in ["pulseaudio", "alsa"] {
        let arguments = ["play", "session.rhai", "--no-prompt", "--buffer", "2048", "--device", host];
        let mut playing = Running::start(folder.path(), &arguments);
        playing.says("playing to");
        let peak = || {
            let (_input, mut heard) = listening(host).expect("the card opens");
            listen(&mut heard, 2 * 48_000).iter().fold(0.0, |peak: f32, x| peak.max(x.abs()))
        };
        let before = peak();
        assert!((before - 0.5).abs() < 0.01, "{host}: a peak of {before} before");
        server("stop");
        playing.says("the transport goes on in silence");
        server("start");
        playing.says("back on");
        let after = peak();
        assert!((after - 0.5).abs() < 0.01, "{host}: a peak of {after} after {:#?}", playing.told);
        playing.interrupt();
        assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    }
}

#[test]
fn the_way_over_the_card_is_found_and_what_comes_over_it_is_flat() {
    let Some(_card) = card() else { return };
    let folder = tempfile::TempDir::new().expect("there is room");
    let way = ["--device", "pulseaudio", "--input-device", "pulseaudio", "--buffer", "2048"];
    let measured = |arguments: &[&str], told: &str| {
        let ran = run_in(folder.path(), &[arguments, &way].concat());
        // Dropouts are the machine's: they are refused, and tried again.
        assert!(ran.status == 0 || ran.err.contains("sound was lost"), "{ran:?}");
        ran.status == 0 && ran.out.contains(told)
    };
    let ping = ["ping", "--output", "2", "--input", "2", "--times", "2"];
    assert!((0..TRIES).any(|_| measured(&ping, ".samples)  // ")), "sound was lost each time");
    let sweep = ["sweep", "-o", "card", "--output", "1,2", "--input", "1,2", "--time", "2s", "--tail", "1s"];
    let flat = || {
        let figures = std::fs::read_to_string(folder.path().join("card.json")).expect("it is written");
        let figures: serde_json::Value = serde_json::from_str(&figures).expect("it is JSON");
        let hz = figures["hz"].as_array().expect("there are frequencies");
        let inside = |i: &usize| hz[*i].as_f64().is_some_and(|hz| (40.0..18_000.0).contains(&hz));
        let level = |channel: usize, i: usize| figures["channels"][channel]["response_db"][i].as_f64();
        (0..hz.len()).filter(inside).all(|i| [0, 1].iter().all(|n| level(*n, i).is_some_and(|db| db.abs() < 0.1)))
    };
    // Some gaps the sound server does not tell of.
    assert!((0..TRIES).any(|_| measured(&sweep, "channel 2") && flat()), "no sweep came back as it was sent");
}
