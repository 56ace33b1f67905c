//! `gainstage tell`, and what is ordered by it: each run as an editor runs it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::render::wav;
use super::{folder, play::stopped};
use crate::program::{Ran, Running, done_in, gainstage};

const BAND: &str = r#"
let a = input("a", sine(220));
let b = input("b", saw(110));
let band = bus("band");
a >> fader(-6) >> band;
b >> low_pass(400) >> fader(-9) >> band;
band >> master;
"#;

/// A user of one's own, whose desks nobody else is told of.
struct User(TempDir);

impl User {
    fn new(text: &str) -> Self {
        User(folder(text))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = gainstage(arguments);
        command.current_dir(self.0.path());
        for variable in ["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "TMPDIR"] {
            command.env(variable, self.0.path());
        }
        command
    }

    /// Plays a session to nobody.
    fn play(&self, session: &str, more: &[&str]) -> Running {
        let arguments = ["play", session, "--device", "none", "--osc", "none", "--no-prompt"];
        let mut playing = Running::of(self.command(&[&arguments[..], more].concat()));
        playing.says("playing to the silent device");
        playing
    }

    fn tell(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(&[&["tell"], arguments].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // What is wrong with the arguments may end it before.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends").into()
    }

    /// Tells a line that is taken; the answer.
    fn line(&self, line: &str) -> String {
        let ran = self.tell(&[line], "");
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{line}: {ran:?}");
        ran.out
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("gainstage")).expect("there is a folder for sockets");
        entries.map(|entry| entry.expect("it is there").path()).filter(|path| !path.is_dir()).collect()
    }
}

#[test]
fn a_line_a_block_and_a_command_are_done_as_if_typed_and_the_answer_comes_back() {
    let user = User::new(BAND);
    let mut playing = user.play("session.rhai", &[]);
    assert_eq!(user.line("a >> fader(-8) >> band"), "changed a>band/fader\n");
    playing.says("told: a >> fader(-8) >> band");
    playing.says("changed a>band/fader");

    let refused = user.tell(&["a >> fadre(-8) >> band"], "");
    assert_eq!((refused.status, refused.err.as_str()), (1, ""));
    for part in ["a >> fadre(-8) >> band", "^", "did you mean `fader`?", "not taken; what played plays on"] {
        assert!(refused.out.contains(part), "{part} is missing in {}", refused.out);
    }
    assert!(!refused.out.contains('\u{1b}'), "no colours reach an editor");

    // A block is one text: all of it is taken, or nothing.
    let block = "let c = input(\"c\", noise());\n\nc >> fader(-20) >> band;\nb >> fader(-3) >> band;\n";
    let taken = user.tell(&[], block);
    assert!(taken.status == 0 && taken.out.contains("added") && taken.out.contains("b>band"), "{taken:?}");
    playing.says("told: let c = input(\"c\", noise()); (and 2 lines more)");
    let half = user.tell(&["-"], "c >> fader(-1) >> band;\nb >> nowhere;\n");
    assert_eq!(half.status, 1, "{half:?}");
    assert!(!user.line(":text").contains("fader(-1)"));
    assert_eq!(user.line(":history").lines().count(), 5);
    fs::write(user.0.path().join("block.rhai"), "c >> fader(-2) >> band;\n").expect("it can be written");
    assert_eq!(user.tell(&["--file", "block.rhai"], "").out, "changed c>band/fader\n");
    assert!(user.line(":undo").starts_with("taken back: c >> fader(-2) >> band;"));
    assert!(user.line(":stop").contains("transport"), "what is told of an order is a part of its answer");
    assert_eq!(user.tell(&[":undoo"], "").status, 1);
    assert_eq!(user.line("1 + 1"), "2\n");
    user.line(":quit");
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    assert!(user.sockets().is_empty(), "it leaves no socket");
}

#[test]
fn without_a_desk_or_with_several_it_says_what_to_do() {
    let user = User::new(BAND);
    fs::write(user.0.path().join("other.rhai"), BAND).expect("it can be written");
    let nobody = user.tell(&["a >> band"], "");
    assert_eq!((nobody.status, nobody.out.as_str()), (1, ""));
    assert!(nobody.err.contains("no desk plays: start one"), "{nobody:?}");
    for wrong in [&["a", "b"][..], &["--file", "x", "a"], &[]] {
        assert_eq!(user.tell(wrong, " \n").status, 2, "{wrong:?}");
    }
    assert_eq!(user.tell(&["--file", "no such file"], "").status, 1);

    let (mut one, mut other) = (user.play("session.rhai", &[]), user.play("other.rhai", &[]));
    let which = user.tell(&["a >> fader(-3) >> band"], "");
    assert_eq!(which.status, 2, "{which:?}");
    for part in ["--session", "session.rhai", "other.rhai"] {
        assert!(which.err.contains(part), "{part} is missing in {}", which.err);
    }
    let told = user.tell(&["--session", "./other.rhai", "a >> fader(-3) >> band"], "");
    assert_eq!(told.out, "changed a>band/fader\n", "{told:?}");
    other.says("changed a>band/fader");
    let third = user.tell(&["--session", "third.rhai", "a >> band"], "");
    assert!(third.status == 1 && third.err.contains("no desk plays third.rhai"), "{third:?}");
    // One that is killed leaves its socket, which the next who looks removes.
    other.kill();
    assert_eq!(user.sockets().len(), 2);
    assert_eq!(user.line("a >> fader(-4) >> band"), "changed a>band/fader\n");
    assert_eq!(user.sockets().len(), 1);
    one.says("changed a>band/fader");
    stopped(one);
}

#[test]
fn whatever_comes_by_the_socket_the_desk_plays_on_and_hears_the_next() {
    let user = User::new(BAND);
    let playing = user.play("session.rhai", &["--record", "take.wav"]);
    let [socket] = &user.sockets()[..] else { panic!("there is one socket") };
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(socket), mode(socket.parent().expect("a folder"))), (0o600, 0o700));
    // Some say nothing, some break off, some never read what they asked for.
    let silent: Vec<UnixStream> = (0..8).map(|_| UnixStream::connect(socket).expect("it listens")).collect();
    let mut deaf = Vec::new();
    for _ in 0..4 {
        let mut stream = UnixStream::connect(socket).expect("it listens");
        stream.write_all(b":words").and_then(|()| stream.shutdown(std::net::Shutdown::Write)).expect("it listens");
        deaf.push(stream);
    }
    for garbage in [&b"\xff\xfe"[..], b"\0\0\0", b"\x1b[2J", &[b'('; 100_000], b"let let let"] {
        let mut stream = UnixStream::connect(socket).expect("it listens");
        stream.write_all(garbage).and_then(|()| stream.shutdown(std::net::Shutdown::Write)).expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("refused\n"), "{answer}");
    }
    assert_eq!(user.line("a >> fader(-8) >> band"), "changed a>band/fader\n");
    // More at once than are heard: each is heard or refused, in words.
    let many: Vec<_> = thread::scope(|scope| {
        let ask = || {
            let mut stream = UnixStream::connect(socket).ok()?;
            // Who is refused may be hung up on.
            let _ = stream.write_all(b"1 + 1").and_then(|()| stream.shutdown(std::net::Shutdown::Write));
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            Some(answer)
        };
        let asking: Vec<_> = (0..60).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().filter_map(|one| one.join().expect("it ends")).collect()
    });
    assert!(many.iter().any(|answer| answer == "taken\n2\n"), "{many:?}");
    let known =
        |answer: &String| answer.is_empty() || answer == "taken\n2\n" || answer.contains("too many speak at once");
    assert!(many.iter().all(known), "{many:?}");
    drop((silent, deaf));
    assert_eq!(user.line("2 + 2"), "4\n");
    let told = stopped(playing);
    assert!(told.iter().all(|line| !line.contains('\u{1b}')));
}

/// Where in a sound a part of it is, in samples.
fn place_of(part: &[f32], whole: &[f32]) -> Option<usize> {
    let fits = |at: &usize| whole[*at..*at + part.len()].iter().zip(part).all(|(a, b)| a.to_bits() == b.to_bits());
    (0..=whole.len().checked_sub(part.len())?).step_by(2).find(fits)
}

#[test]
fn what_is_recorded_and_kept_while_it_plays_is_that_stretch_of_the_performance() {
    let user = User::new(&BAND.replace("sine(220)", "noise()"));
    let mut playing = user.play("session.rhai", &["--journal", "kept"]);
    let path = |name: &str| user.0.path().join(name);
    let wait_for = |file: &str, bytes: u64| {
        let begun = Instant::now();
        while fs::metadata(path(file)).map_or(0, |is| is.len()) < bytes {
            assert!(begun.elapsed() < Duration::from_secs(120), "{file} does not grow to {bytes} bytes");
            thread::sleep(Duration::from_millis(5));
        }
    };
    user.line(":record");
    playing.says("recording to session-take.wav");
    user.line(":stems parts");
    playing.says("recording to parts/session-band.wav");
    wait_for("session-take.wav", 100_000);
    user.line("a >> fader(-12) >> band");
    user.line("let c = input(\"c\", saw(55)); c >> fader(-20) >> master;");
    wait_for("parts/session-c.wav", 200_000);
    let named = user.tell(&[":record other.wav"], "");
    assert!(named.status == 1 && named.out.contains("`:record` ends it"), "{named:?}");
    user.line(":record");
    let told = playing.says("session-take.wav: ");
    user.line(":stems");
    playing.says("parts/session-c.wav: ");
    user.line(":record");
    assert!(playing.says("recording to").contains("session-take.2.wav"), "nothing is overwritten");
    user.line(":keep 500.ms");
    // It goes after everything else on the machine.
    wait_for("session-keep.wav", 100_000);
    playing.says("kept: session-keep.wav, the last 00:00:00.500");
    user.line(":keep 0.25s again.flac");
    wait_for("again.flac", 10_000);
    playing.says("kept: again.flac");
    for (wrong, why) in [(":keep 3.apples", "no time"), (":keep 1.s a.mp3", ".wav or .flac")] {
        let refused = user.tell(&[wrong], "");
        assert!(refused.status == 1 && refused.out.contains(why), "{wrong}: {refused:?}");
    }
    stopped(playing);
    done_in(user.0.path(), &["replay", "kept", "-o", "all.wav", "--stems", "all"]);
    let all = wav(&path("all.wav"));
    let take = wav(&path("session-take.wav"));
    assert!(told.ends_with(&format!("{} frames", take.len() / 2)) && take.len() > 2 * 12_000, "{told}");
    let at = place_of(&take, &all).expect("it is a stretch of what was played");
    assert!(at > 0 && at.is_multiple_of(128), "it begins with a quantum: {at}");
    for stem in ["session-band.wav", "session-c.wav"] {
        let (stem, all) = (wav(&path("parts").join(stem)), wav(&path("all").join(stem)));
        let begin = stem.iter().position(|x| *x != 0.0).expect("it sounds");
        assert!(place_of(&stem[begin & !1..], &all).is_some(), "it is a stretch of what was played");
    }
    let kept = wav(&path("session-keep.wav"));
    assert_eq!(kept.len(), 2 * 24_000);
    assert!(place_of(&kept, &all).is_some(), "it is a stretch of what was played");
    let later = wav(&path("session-take.2.wav"));
    assert!(place_of(&later, &all).is_some(), "what is under way in the end is whole");
}

#[test]
fn without_a_journal_nothing_can_be_kept_and_that_is_said() {
    let user = User::new(BAND);
    let mut playing = user.play("session.rhai", &["--journal", "none"]);
    let refused = user.tell(&[":keep 1.s"], "");
    assert!(refused.status == 1 && refused.out.contains("no journal is kept"), "{refused:?}");
    let unmade = user.tell(&[":record no folder/take.wav"], "");
    assert_eq!(unmade.status, 0, "that the file cannot be made is told when it is tried: {unmade:?}");
    playing.says("error: no folder/take.wav: ");
    playing.interrupt();
    assert_eq!(playing.end(), 1, "what could not be recorded is a failure");
}

#[test]
fn controllers_devices_and_the_tempo_are_ordered_while_it_plays() {
    let user = User::new(BAND);
    let mut playing = user.play("session.rhai", &["--midi-map", "7=a/fader.gain"]);
    assert_eq!(user.line(":midi"), "--midi-map 7=a/fader.gain\n");
    assert!(user.line(":midi learn b/fader.gain").contains("move the controller that is to set b/fader.gain"));
    assert!(user.line(":midi learn").contains("no controller was learned for b/fader.gain"));
    assert!(user.tell(&[":midi learn b/fader"], "").out.contains("no parameter"));
    assert_eq!(user.line(":midi forget a/fader.gain"), "no controller sets a/fader.gain any more\n");
    assert_eq!(user.tell(&[":midi forget a/fader.gain"], "").status, 1);
    assert!(user.line(":device none").contains("already"));
    assert_eq!(user.tell(&[":device no such card"], "").status, 1);
    assert!(playing.says("what played plays on as before").contains("no such card"));
    user.line(":devices");
    let listed = |line: String| line.contains("DESCRIPTION") || line.contains("there is no device but `none`");
    while !listed(playing.line()) {}
    for i in 0..5 {
        thread::sleep(Duration::from_millis(100));
        let said = user.line(":tap");
        assert!(if i < 3 { said.contains("tap") } else { said.is_empty() || said.contains("tempo(") }, "{i}: {said}");
    }
    assert_eq!(user.line(":text").matches("\ntempo(").count(), 1, "however often it is tapped it is one line");
    stopped(playing);
}

#[test]
fn a_tempo_that_moves_is_replayed_as_it_was_heard() {
    let text = "tempo(120); let a = input(\"a\", sine(220)); a >> fader(lfo(\"1/8\").range(-20, 0)) >> master;";
    let user = User::new(text);
    let mut playing = user.play("session.rhai", &["--record", "a.wav", "--journal", "kept"]);
    let lines = [
        ":over 2.beats tempo(150)",
        "tempo(ramp(150, 60, 1.beats))",
        ":over 300.ms fader(-3) >> master",
        "tempo(automate([[0, 70], [64, 200]]))",
        "time_signature(3, 4)",
        ":over 1.bars tempo(100)",
    ];
    for (i, line) in lines.iter().enumerate() {
        let told = user.tell(&[line], "");
        assert_eq!(told.status == 0, i != 2, "{line}: {told:?}");
        thread::sleep(Duration::from_millis(150));
    }
    assert!(playing.says("changed tempo").contains("tempo"));
    stopped(playing);
    done_in(user.0.path(), &["replay", "kept", "-o", "b.wav"]);
    let of = |name: &str| wav(&user.0.path().join(name));
    let (heard, again) = (of("a.wav"), of("b.wav"));
    assert_eq!((heard.len(), heard.iter().zip(&again).position(|(a, b)| a != b)), (again.len(), None));
}

#[test]
fn pages_and_completions_are_made_of_the_arguments() {
    let user = User::new(BAND);
    let here = user.0.path();
    done_in(here, &["man", "man1"]);
    let help = done_in(here, &["--help"]).out;
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("it lists them");
    // What goes on in a further line is set in more.
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let command = line.split_whitespace().next().expect("it names a command");
        let page = fs::read_to_string(here.join(format!("man1/gainstage-{command}.1"))).expect("it has its page");
        assert!(page.starts_with(".ie") && page.contains(&format!("gainstage\\-{command}")), "{command}: {page}");
        for shell in ["bash", "zsh", "fish"] {
            assert!(done_in(here, &["completions", shell]).out.contains(command), "{shell}: {command}");
        }
    }
    // Where there is a reader of man pages it has nothing to say of them.
    let lint = "for page in man1/*.1; do man --warnings -l $page >/dev/null || exit 1; done";
    let ran: Ran = Command::new("sh")
        .args(["-c", &format!("command -v man >/dev/null || exit 0; export MANROFFSEQ= LC_ALL=C.UTF-8; {lint}")])
        .current_dir(here)
        .output()
        .expect("there is a shell")
        .into();
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn the_set_ups_of_editors_tell_what_their_users_select() {
    let user = User::new(BAND);
    let playing = user.play("session.rhai", &[]);
    // What vi, Emacs and Helix run with the selection, and what VS Code runs.
    let program = crate::program::path().display();
    let piped = format!("printf 'a >> fader(-8)\\n  >> band;\\n' | '{program}' tell");
    let mut shell = user.command(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", &piped]).current_dir(user.0.path());
    command.envs(shell.stdin(Stdio::null()).get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran: Ran = command.output().expect("there is a shell").into();
    assert_eq!(ran.out, "changed a>band/fader\n", "{ran:?}");
    assert_eq!(user.line("a >> fader(-9)\n  >> band;"), "changed a>band/fader\n");
    stopped(playing);
}
