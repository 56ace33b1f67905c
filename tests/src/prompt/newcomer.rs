//! The first ten minutes of somebody who has read only what the README, the guide on the prompt and `:words` say.

use std::path::Path;

use tempfile::TempDir;

use crate::commands::render::wav;
use crate::program::done_in;
use crate::terminal::Terminal;

/// What a session renders to.
fn rendered(folder: &Path) -> Vec<f32> {
    let arguments = ["render", "mine/session.rhai", "-o", "mine.wav", "--length", "1s", "--bits", "32f"];
    done_in(folder, &arguments);
    wav(&folder.join("mine.wav"))
}

/// The power of a sound.
fn power(sound: &[f32]) -> f64 {
    sound.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / sound.len() as f64
}

#[test]
fn a_newcomer_plays_changes_asks_saves_and_renders() {
    let place = TempDir::new().expect("there is room");
    let made = done_in(place.path(), &["new", "mine"]).out;
    assert_eq!(made, "gainstage play mine/session.rhai\n");
    let before = rendered(place.path());

    let play = ["play", "mine/session.rhai", "--device", "none", "--osc", "none"];
    let desk = Terminal::of_size((50, 120), place.path(), &play);
    desk.asks(":help", "A line is text");
    // A level: how it is written is told by the word.
    desk.asks(":words fader", "fader(gain)");
    desk.asks("drone >> low_pass(600) >> pan(-0.3) >> fader(-30) >> band", "changed drone>band/fader");
    // A little of it into the room.
    desk.asks(":words send", "send(");
    desk.asks("drone >> low_pass(600) >> pan(-0.3) >> send(room, -9) >> fader(-30) >> band", "added drone>room");
    // One thing too much, and a look for it.
    desk.asks("mute(\"fifth\")", "changed");
    desk.asks(":why fifth", "mute(\"fifth\")");
    desk.asks(":undo", "taken back: mute(\"fifth\")");
    desk.asks("fifth >> low_pass(1.2.kHz) >> pan(0.3) >> fader(-40) >> band", "removed fifth>room");
    desk.asks(":text", "fader(-40) >> band");
    desk.asks(":save", ":save once more writes this");
    desk.asks(":save", "saved");
    desk.leaves();

    let after = rendered(place.path());
    // The two loudest are all but gone.
    assert!(power(&after) < power(&before) / 4.0, "{} after {}", power(&after), power(&before));
    assert!(power(&before) > 1e-4);
}
