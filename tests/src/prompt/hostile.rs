//! Whatever arrives at the prompt, the prompt stays and the sound is that of the session.

use std::path::Path;

use engine::random;

use super::SESSION;
use crate::commands::replay::bits;
use crate::commands::{folder, write};
use crate::program::done_in;
use crate::terminal::{Terminal, key};

/// Lines that mean nothing.
const MALFORMED: &[&str] = &[
    "((((((((((",
    "))))))))))",
    "}{",
    "]",
    "\"",
    "'",
    "`",
    "/*",
    "*/",
    "//",
    ";",
    ";;;;",
    ",",
    ".",
    ">>",
    ">> band",
    "voice >>",
    "voice >> >> band",
    "voice >> fader(",
    "voice >> fader(-6) >> nowhere",
    "voice >> fader(1e999) >> band",
    "voice >> fader(-6.parsecs) >> band",
    "voice >> voice",
    "band >> band",
    "band >> voice",
    "master >> band",
    "let",
    "let let let",
    "let x",
    "let x =",
    "let voice = 3;  voice >> band",
    "let bus = 3",
    "fn",
    "fn f( {",
    "fn f() { f() } f()",
    "loop {}",
    "while true {}",
    "if",
    "switch",
    "return",
    "throw 3",
    "import \"nothing\" as nothing",
    "import \"../../../etc/passwd\" as secrets",
    "eval(\"1\")",
    "print(1)",
    "exit()",
    "#!",
    "#{",
    "#{a: 1}",
    "[1, 2",
    "x.y.z",
    "1 / 0",
    "9223372036854775807 + 1",
    "1e400",
    "0x",
    "\\",
    "\\u{d800}",
    "\"\\u{d800}\"",
    "\"\\q\"",
    "set()",
    "set(\"voice\")",
    "set(\"voice/fader.gain\")",
    "set(\"voice/fader.gain\", \"loud\")",
    "set(\"voice/fader.gian\", 3)",
    "get(\"\")",
    "at(\"\")",
    "mute(3)",
    "unplug(\"a>b\")",
    "remove(\"voice/nothing\")",
    "input(\"\", sine(1))",
    "input(\"a/b\", sine(1))",
    "input(\"q\", clip(\"/dev/zero\"))",
    "input(\"q\", clip(\"/\"))",
    "tempo(0)",
    "tempo(-1)",
    "sample_rate(1)",
    ":",
    "::",
    ": :",
    ":undoo",
    ":undo 3",
    ":plan",
    ":plan :plan",
    ":over",
    ":over x y",
    ":over -1.bars voice >> band",
    ":over 1e999.s voice >> band",
    ":at",
    ":at 0.bars voice >> band",
    ":at 1.Hz voice >> band",
    ":locate",
    ":locate -1",
    ":locate nan",
    ":locate 1e99",
    ":tempo",
    ":tempo x",
    ":words nothing",
    ":help me",
    "💥 >> band",
    "👩‍👩‍👧‍👦",
    "e\u{301}\u{301}\u{301}\u{301}",
    "\u{202e}dnab >> eciov",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "ＡＢＣ日本語",
    "=",
    "==",
    "@",
    "$",
    "%",
    "^",
    "&",
    "|",
    "~",
    "?",
];

/// Keys that mean nothing, or are cut in half.
const KEYS: &[&[u8]] = &[
    b"\x00\x00\x00",
    b"\x01\x02\x05\x06\x0b\x0e\x10",
    b"\x1a",
    b"\x1d\x1e\x1f",
    b"\x1b[",
    b"\x1b[1",
    b"\x1b[1;",
    b"\x1bO",
    b"\x1b[A\x1b[B\x1b[C\x1b[D",
    b"\x1b[999;999H",
    b"\x1b[31m",
    b"\x1b[2J",
    b"\x1b]0;title\x07",
    b"\x1bPq\x1b\\",
    b"\x1b[201~",
    b"\x1b[200~\x1b[201~",
    b"\x1b[200~\x1b[31m\x00\x07\x1b[201~",
    b"\x1b\x1b\x1b",
    b"\x1b5a",
    b"\x16\x03",
    b"\x16\x00",
    b"\x18\x18",
    b"\x08\x08\x7f\x7f",
    b"\xc2\x9b31m",
    b"\xe2\x80\xae",
];

/// What is no UTF-8: stray bytes, a letter cut in half, a lone surrogate, five bytes for one letter, Latin letters of old.
const NO_TEXT: &[&[u8]] = &[
    b"\xff\xfe\xfd",
    b"\x80",
    b"\xc3(",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"caf\xe9 >> band",
    b"\x9b31m",
    b"\x1b[200~caf\xe9\rvoice >> fader(off) >> band\r\x1b[201~",
    b"voice >> fader(off) >> b\xe4nd\rvoice >> fader(off) >> band\r",
];

/// Takes away whatever is typed, and waits for the prompt.
fn clears(desk: &Terminal) {
    let taken_away = "Ctrl-D on an empty line, or :quit, fades out and ends";
    let before = desk.times_told(taken_away);
    desk.types(key::CTRL_C);
    desk.tells_again(taken_away, before);
    desk.prompts();
}

/// That a recording is the beginning of what the session renders to.
fn is_untouched(folder: &Path) {
    let taken = bits(&folder.join("take.wav"));
    write(folder, SESSION);
    let length = format!("{}s", taken.len() / 2 / 48_000 + 1);
    done_in(folder, &["render", "session.rhai", "-o", "whole.wav", "--bits", "32f", "--length", &length]);
    let whole = bits(&folder.join("whole.wav"));
    assert!(taken.len() > 4800, "{} samples", taken.len());
    assert_eq!(taken.iter().zip(&whole).position(|(a, b)| a != b), None, "the sample from which on they differ");
}

#[test]
fn a_hundred_malformed_lines_leave_the_prompt_and_the_sound() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &["--record", "take.wav"]);
    assert!(MALFORMED.len() > 100);
    for line in MALFORMED {
        desk.enters(line);
        clears(&desk);
        let told = desk.told();
        let is_done = |line: &str| ["changed ", "added ", "removed "].iter().any(|deed| line.starts_with(deed));
        assert!(!told.lines().any(is_done), "{line}:\n{told}");
    }
    desk.asks("1 + 41", "42");
    desk.leaves();
    is_untouched(folder.path());
}

#[test]
fn halves_of_keys_and_bytes_that_are_no_text_leave_the_prompt_and_the_sound() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &["--record", "take.wav"]);
    let random = |i: u64| (random::mix(i) >> 32) as u8;
    // None that ends it, takes something up, clears the screen, searches, or takes the next key for a letter.
    let any = |round| -> Vec<u8> {
        let bytes = (0..60).map(|i| random(60 * round + i) & 0x7f);
        bytes.filter(|byte| !matches!(byte, 0x03 | 0x04 | 0x09 | 0x0a | 0x0c | 0x0d | 0x12 | 0x13 | 0x16)).collect()
    };
    for keys in KEYS.iter().map(|keys| keys.to_vec()).chain((0..20).map(any)) {
        // So that there is a line, and an end to what was cut in half.
        desk.types([b"x", &keys[..], b"xx"].concat());
        clears(&desk);
    }
    let refused = "what came is no text (UTF-8)";
    let foreign = |round| [&[0xff], &any(round)[..], &[0x80 | random(round)]].concat();
    for bytes in NO_TEXT.iter().map(|bytes| bytes.to_vec()).chain((20..30).map(foreign)) {
        let before = desk.times_told(refused);
        desk.types([b"x", &bytes[..], b"x"].concat());
        desk.tells_again(refused, before);
        clears(&desk);
    }
    desk.asks("1 + 41", "42");
    desk.leaves();
    is_untouched(folder.path());
}

#[test]
fn what_is_no_text_takes_no_half_typed_line_along() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.types("voice >> fader(-6) >> ba");
    desk.holds("voice >> fader(-6) >> ba");
    desk.types(b"\xe9\rvoice >> fader(off) >> band\r");
    desk.shows("no text (UTF-8)");
    desk.holds("voice >> fader(-6) >> ba");
    desk.enters("nd");
    desk.shows("changed voice>band/fader");
    assert_eq!(desk.times_told("off"), 0);
    desk.leaves();
}

#[test]
fn enormous_pastes_and_lines_leave_the_prompt_and_the_sound() {
    let folder = folder(SESSION);
    let desk = Terminal::playing_of_size((30, 1000), folder.path(), &["--record", "take.wav"]);
    let megabyte = "voice >> fader(off) >> band; ".repeat(1024 * 1024 / 29);
    desk.types(format!("\x1b[200~{megabyte}\x1b[201~\r"));
    desk.shows("a line at most 256");
    desk.types("a".repeat(1500));
    clears(&desk);
    desk.asks("1 + 41", "42");
    desk.leaves();
    is_untouched(folder.path());
}
