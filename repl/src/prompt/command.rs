//! The commands of the prompt: what follows a colon.

use std::path::PathBuf;

use engine::names::nearest;

use crate::arguments::{DeviceChoice, sound_file, wav_file};

/// What can be completed behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, or what nobody can guess.
    Nothing,
    /// A line of text.
    Line,
    /// A path of the text that plays.
    Path,
    /// A path, or a line of text.
    Ahead,
    /// A word of the language.
    Word,
    /// The name of a scene.
    Scene,
    /// One of these words, and a path of the text that plays behind it.
    Verb(&'static [&'static str]),
}

/// A command, as the list of them shows it.
pub struct Entry {
    /// The word behind the colon.
    pub word: &'static str,
    /// How it is written.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What follows it.
    pub takes: Takes,
}

const fn entry(word: &'static str, signature: &'static str, takes: Takes, summary: &'static str) -> Entry {
    Entry { word, signature, summary, takes }
}

/// Every command, in the order in which they are shown.
#[rustfmt::skip]
pub static COMMANDS: &[Entry] = &[
    entry("plan", ":plan LINE", Takes::Line, "Says what a line would change, and changes nothing."),
    entry("over", ":over TIME LINE", Takes::Line, "Takes a line up over a time of its own: `:over 4.bars voice >> fader(-3) >> band`."),
    entry("at", ":at TIME LINE", Takes::Line, "Takes a line up on the next line of a grid: `:at 1.bars tempo(120)`."),
    entry("undo", ":undo", Takes::Nothing, "Takes the last line back."),
    entry("redo", ":redo", Takes::Nothing, "Takes up again what was taken back last."),
    entry("drop", ":drop", Takes::Nothing, "Forgets every line of the prompt: the file alone is the text."),
    entry("save", ":save [FILE]", Takes::Nothing, "Shows what the lines change in the file; typed once more, writes it. With FILE, into another."),
    entry("scene", ":scene [NAME]", Takes::Scene, "Keeps the lines as a scene; without a name, lists the scenes there are."),
    entry("go", ":go NAME [over TIME]", Takes::Scene, "Exchanges the lines for those of a scene: `:go chorus over 4.bars`."),
    entry("text", ":text", Takes::Nothing, "Shows what plays: the file, then the lines."),
    entry("graph", ":graph", Takes::Nothing, "Shows how the sound flows."),
    entry("history", ":history", Takes::Nothing, "Shows what was typed, in order, as far as `:undo` goes back."),
    entry("start", ":start", Takes::Nothing, "Lets the transport go on."),
    entry("stop", ":stop", Takes::Nothing, "Lets the transport stand still, faded."),
    entry("locate", ":locate BARS", Takes::Nothing, "Sends the transport to a place, in bars from the start."),
    entry("tempo", ":tempo BPM", Takes::Nothing, "Changes the tempo; the beat stays."),
    entry("panic", ":panic", Takes::Nothing, "Silences everything within 5 ms, until the transport is started."),
    entry("click", ":click [BARS]", Takes::Nothing, "A click on each beat, heard beside the master and never kept, or none; with BARS, `:start` counts so many in."),
    entry("level", ":level DB", Takes::Nothing, "Turns the monitor, which nothing that is kept or rendered hears: `:level -6`, `:level off`."),
    entry("dim", ":dim", Takes::Nothing, "Turns the monitor down by 20 dB, or back up."),
    entry("mono", ":mono", Takes::Nothing, "Lets the monitor be heard in mono, or as it is."),
    entry("cue", ":cue [PATH or LINE]", Takes::Ahead, "Lets the cue output hear a path before its fader, or what a line would sound like; nothing without either."),
    entry("ab", ":ab [REVISION or off]", Takes::Nothing, "Compares the text with that of a git revision, as loud: loads it, then goes to and fro."),
    entry("tap", ":tap", Takes::Nothing, "Takes the tempo from you: then Enter on each beat, from the fourth on it is heard."),
    entry("record", ":record [FILE]", Takes::Nothing, "Begins to record the master, to a .wav file; again, it ends."),
    entry("stems", ":stems [DIR]", Takes::Nothing, "Begins to record what flows into the master, a file each; again, it ends."),
    entry("keep", ":keep TIME [FILE]", Takes::Nothing, "Writes what was just played to a file, from the journal: `:keep 30.s`."),
    entry("midi", ":midi [learn|forget PATH]", Takes::Verb(&["learn", "forget"]), "Lets the next controller that moves set a parameter; alone, shows which do."),
    entry("devices", ":devices", Takes::Nothing, "Lists the devices that there are."),
    entry("device", ":device NAME|none", Takes::Nothing, "Plays to another device, once that is open."),
    entry("target", ":target", Takes::Nothing, "Says how far the master is from the target of the text."),
    entry("meters", ":meters [line|SECONDS|off]", Takes::Nothing, "Shows the meters, or says them in the terminal's title or every so many seconds."),
    entry("why", ":why PATH", Takes::Path, "Says where the sound of something goes, and where and why it is lost."),
    entry("latency", ":latency", Takes::Nothing, "Says how late live inputs are heard, and what makes them so."),
    entry("words", ":words [WORD]", Takes::Word, "Shows the words of the language, or one in full."),
    entry("freeze", ":freeze PATH [BARS]", Takes::Path, "Writes what an instrument plays as a pattern in letters and numbers, which no generator and no chance changes any more: as many bars as it takes to come round, or so many."),
    entry("try", ":try WORD", Takes::Word, "Types the example of a word, made to fit the text; `:undo` takes it back."),
    entry("lesson", ":lesson [answer|next|back|again|LESSON]", Takes::Verb(&["answer", "next", "back", "again"]), "Of a lesson, says the step again, or one way to do it; goes on to the next lesson, back to the one before, to another by its number or name, or begins this one again, with what was written put aside."),
    entry("help", ":help", Takes::Nothing, "Shows these commands."),
    entry("quit", ":quit", Takes::Nothing, "Fades out and ends."),
];

/// When and how fast a line is to be heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// How long its changes take, if not as long as the text says.
    pub over: Option<String>,
    /// The grid on whose next line it is heard, if not that of the text.
    pub at: Option<String>,
}

/// How the meters are to be told of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metering {
    /// As a picture that fills the terminal; once in plain lines where there is none.
    View,
    /// As one line in the terminal's title, or no longer.
    Line,
    /// In plain lines, every so many seconds.
    Every(f64),
    /// No longer.
    Off,
}

impl Metering {
    fn read(argument: &str) -> Option<Metering> {
        Some(match argument {
            "" => Metering::View,
            "line" => Metering::Line,
            "off" => Metering::Off,
            seconds => {
                let seconds = seconds.strip_suffix(".s").unwrap_or(seconds).parse().ok();
                Metering::Every(seconds.filter(|seconds| (1.0..=3600.0).contains(seconds))?)
            }
        })
    }
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A line of text, in a time of its own.
    Line(String, Timing),
    /// What a line would change.
    Plan(String),
    /// One step back.
    Undo,
    /// And forth again.
    Redo,
    /// No lines any more.
    Drop,
    /// The lines in the session's file, or in another.
    Save(Option<String>),
    /// The lines under a name, or the names there are.
    Scene(Option<String>),
    /// The lines that a name has, in a time of their own.
    Go(String, Timing),
    /// The text.
    Text,
    /// How the sound flows.
    Graph,
    /// The lines.
    History,
    /// The transport goes on.
    Start,
    /// The transport stands still.
    Stop,
    /// The transport goes to a bar.
    Locate(f64),
    /// Silence.
    Panic,
    /// A click, with so many bars counted in.
    Click(Option<f64>),
    /// The level of the monitor.
    Level(Option<String>),
    /// The monitor much quieter, or as it was.
    Dim,
    /// The monitor in mono, or as it was.
    Mono,
    /// What is heard ahead.
    Cue(Option<String>),
    /// The text against another one.
    Compare(Option<String>),
    /// A tap on the beat.
    Tap,
    /// The master is recorded from here on, or no more.
    Record(Option<PathBuf>),
    /// Stems are.
    Stems(Option<PathBuf>),
    /// What was just played, for so long, is written to a file.
    Keep(String, Option<PathBuf>),
    /// What MIDI controllers do.
    Midi(Midi),
    /// The devices.
    Devices,
    /// Another device.
    Device(DeviceChoice),
    /// How far the master is from its target.
    Target,
    /// The meters.
    Meters(Metering),
    /// Where the sound of something is lost.
    Why(String),
    /// What an instrument plays, written out: all that comes round, or so many bars.
    Freeze(String, Option<u16>),
    /// How late live inputs are.
    Latency,
    /// The reference.
    Words(Option<String>),
    /// The example of a word, typed.
    Try(String),
    /// What a lesson wants, or the next one.
    Lesson(Lesson),
    /// The commands.
    Help,
    /// The end.
    Quit,
}

/// What is asked of MIDI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Midi {
    /// Which controller sets what.
    Shown,
    /// The next that moves sets this path; without one, none does.
    Learn(Option<String>),
    /// None sets this path any more.
    Forget(String),
}

/// What is asked of a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// The step, once more.
    Step,
    /// One way to do it.
    Answer,
    /// Another lesson.
    Go(Which),
}

/// Which lesson is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The next.
    Next,
    /// The one before.
    Back,
    /// This one, as it was before anything was written in it.
    Anew,
    /// The one of this number or name.
    Named(String),
}

impl Command {
    /// What a line that somebody has typed asks for.
    ///
    /// # Errors
    /// It begins with a colon and is no command, or one written otherwise: in words.
    pub fn read(typed: &str) -> Result<Command, String> {
        let Some(rest) = typed.trim().strip_prefix(':') else {
            return Ok(Command::Line(typed.trim().to_owned(), Timing::default()));
        };
        let (word, argument) = split(rest);
        let Some(entry) = COMMANDS.iter().find(|entry| entry.word == word) else {
            let near = nearest(word, COMMANDS.iter().map(|entry| entry.word));
            let help = near.map_or("`:help` shows them all".into(), |near| format!("did you mean `:{near}`?"));
            return Err(format!("there is no command `:{word}`; {help}"));
        };
        let misuse = || format!("write `{}`", entry.signature);
        let none = |command: Command| if argument.is_empty() { Ok(command) } else { Err(misuse()) };
        let timed = |timing: fn(String) -> Timing| match split(argument) {
            (time, line) if !time.is_empty() && !line.is_empty() => {
                Ok(Command::Line(line.to_owned(), timing(time.to_owned())))
            }
            _ => Err(misuse()),
        };
        let some = || Some(argument.to_owned()).filter(|argument| !argument.is_empty());
        match entry.word {
            "plan" => some().map(Command::Plan).ok_or_else(misuse),
            "over" => timed(|time| Timing { over: Some(time), at: None }),
            "at" => timed(|time| Timing { at: Some(time), over: None }),
            "undo" => none(Command::Undo),
            "redo" => none(Command::Redo),
            "drop" => none(Command::Drop),
            "save" => Ok(Command::Save(some())),
            "scene" => Ok(Command::Scene(some())),
            "go" => {
                let (name, over) = match argument.rsplit_once(" over ") {
                    Some((name, time)) => (name.trim_end(), Some(time.trim().to_owned())),
                    None => (argument, None),
                };
                let timing = Timing { over, at: None };
                if name.is_empty() { Err(misuse()) } else { Ok(Command::Go(name.to_owned(), timing)) }
            }
            "text" => none(Command::Text),
            "graph" => none(Command::Graph),
            "history" => none(Command::History),
            "start" => none(Command::Start),
            "stop" => none(Command::Stop),
            "locate" => {
                let bars = argument.strip_suffix(".bars").unwrap_or(argument).parse::<f64>().ok();
                bars.filter(|bars| (0.0..=1e6).contains(bars)).map(Command::Locate).ok_or_else(misuse)
            }
            "tempo" => some().map(|bpm| Command::Line(format!("tempo({bpm})"), Timing::default())).ok_or_else(misuse),
            "panic" => none(Command::Panic),
            "click" => match some().map(|bars| bars.trim_end_matches(".bars").parse::<f64>()) {
                None => Ok(Command::Click(None)),
                Some(Ok(bars)) if (0.0..=64.0).contains(&bars) => Ok(Command::Click(Some(bars))),
                Some(_) => Err(misuse()),
            },
            "level" => Ok(Command::Level(some())),
            "dim" => none(Command::Dim),
            "mono" => none(Command::Mono),
            "cue" => Ok(Command::Cue(some())),
            "ab" => Ok(Command::Compare(some())),
            "tap" => none(Command::Tap),
            "record" => some().map(|file| wav_file(&file)).transpose().map(Command::Record),
            "stems" => Ok(Command::Stems(some().map(PathBuf::from))),
            "keep" => match split(argument) {
                ("", _) => Err(misuse()),
                (time, "") => Ok(Command::Keep(time.to_owned(), None)),
                (time, file) => sound_file(file).map(|file| Command::Keep(time.to_owned(), Some(file))),
            },
            "midi" => match split(argument) {
                ("", _) => Ok(Command::Midi(Midi::Shown)),
                ("learn", "") => Ok(Command::Midi(Midi::Learn(None))),
                ("learn", path) => Ok(Command::Midi(Midi::Learn(Some(path.to_owned())))),
                ("forget", path) if !path.is_empty() => Ok(Command::Midi(Midi::Forget(path.to_owned()))),
                _ => Err(misuse()),
            },
            "devices" => none(Command::Devices),
            "device" => argument.parse().map(Command::Device).map_err(|_| misuse()),
            "target" => none(Command::Target),
            "meters" => Metering::read(argument).map(Command::Meters).ok_or_else(misuse),
            "why" => some().map(Command::Why).ok_or_else(misuse),
            "freeze" => {
                // Names may have spaces; a number at the end is one of bars.
                let (path, bars) = match argument.rsplit_once(' ').map(|(path, last)| (path, last.parse::<u16>())) {
                    Some((path, Ok(bars))) => (path, Some(bars)),
                    _ => (argument, None),
                };
                let path = path.trim().trim_matches('"');
                match path.is_empty() || bars == Some(0) {
                    true => Err(misuse()),
                    false => Ok(Command::Freeze(path.to_owned(), bars)),
                }
            }
            "latency" => none(Command::Latency),
            "words" => Ok(Command::Words(some())),
            "try" => some().map(Command::Try).ok_or_else(misuse),
            "lesson" => match argument {
                "" => Ok(Command::Lesson(Lesson::Step)),
                "answer" => Ok(Command::Lesson(Lesson::Answer)),
                "next" => Ok(Command::Lesson(Lesson::Go(Which::Next))),
                "back" => Ok(Command::Lesson(Lesson::Go(Which::Back))),
                "again" => Ok(Command::Lesson(Lesson::Go(Which::Anew))),
                named => Ok(Command::Lesson(Lesson::Go(Which::Named(named.to_owned())))),
            },
            "quit" => none(Command::Quit),
            _ => none(Command::Help),
        }
    }
}

/// The first word of a text, and the rest.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(first, rest)| (first, rest.trim_start()))
}

/// Every command with what it does, as a page.
pub fn page() -> String {
    let width = COMMANDS.iter().map(|entry| entry.signature.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        COMMANDS.iter().map(|entry| format!("  {:width$}  {}", entry.signature, entry.summary)).collect();
    format!(
        "A line is text: it is added to what plays. What begins with a colon speaks to the desk:\n{}",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_colon_is_text_and_what_has_one_is_a_command() {
        let line = |text: &str, timing| Ok(Command::Line(text.into(), timing));
        assert_eq!(Command::read(" voice >> band "), line("voice >> band", Timing::default()));
        let over = Timing { over: Some("4.bars".into()), at: None };
        assert_eq!(Command::read(":over 4.bars voice >> fader(-3) >> band"), line("voice >> fader(-3) >> band", over));
        let at = Timing { at: Some("1.bars".into()), over: None };
        assert_eq!(Command::read(":at 1.bars tempo(90)"), line("tempo(90)", at));
        assert_eq!(Command::read(":tempo 90"), line("tempo(90)", Timing::default()));
        assert_eq!(Command::read(":locate 8.bars"), Ok(Command::Locate(8.0)));
        assert_eq!(Command::read(":meters"), Ok(Command::Meters(Metering::View)));
        assert_eq!(Command::read(":meters line"), Ok(Command::Meters(Metering::Line)));
        assert_eq!(Command::read(":meters 5.s"), Ok(Command::Meters(Metering::Every(5.0))));
        assert_eq!(Command::read(":meters off"), Ok(Command::Meters(Metering::Off)));
        assert_eq!(Command::read(":freeze drums"), Ok(Command::Freeze("drums".into(), None)));
        assert_eq!(Command::read(":freeze my lead"), Ok(Command::Freeze("my lead".into(), None)));
        assert_eq!(Command::read(":freeze \"my lead\" 16"), Ok(Command::Freeze("my lead".into(), Some(16))));
        assert_eq!(Command::read(":freeze drums 4"), Ok(Command::Freeze("drums".into(), Some(4))));
        assert!(Command::read(":freeze drums 0").is_err());
        assert_eq!(Command::read(":why voice>band"), Ok(Command::Why("voice>band".into())));
        assert_eq!(Command::read(":try fader"), Ok(Command::Try("fader".into())));
        assert_eq!(Command::read(":save"), Ok(Command::Save(None)));
        assert_eq!(Command::read(":save my set.rhai"), Ok(Command::Save(Some("my set.rhai".into()))));
        assert_eq!(Command::read(":scene big chorus"), Ok(Command::Scene(Some("big chorus".into()))));
        assert_eq!(Command::read(":go big chorus"), Ok(Command::Go("big chorus".into(), Timing::default())));
        let over = Timing { over: Some("4.bars".into()), at: None };
        assert_eq!(Command::read(":go big chorus over 4.bars"), Ok(Command::Go("big chorus".into(), over)));
        assert_eq!(Command::read(":words fader"), Ok(Command::Words(Some("fader".into()))));
    }

    #[test]
    fn files_and_folders_may_have_spaces_in_their_names_and_end_as_what_they_are() {
        assert_eq!(Command::read(":record my take.wav"), Ok(Command::Record(Some("my take.wav".into()))));
        assert!(Command::read(":record take.flac").unwrap_err().contains(".wav"));
        assert_eq!(Command::read(":stems my stems"), Ok(Command::Stems(Some("my stems".into()))));
        assert_eq!(Command::read(":keep 4.bars"), Ok(Command::Keep("4.bars".into(), None)));
        let kept = Command::Keep("30s".into(), Some("it was good.flac".into()));
        assert_eq!(Command::read(":keep 30s it was good.flac"), Ok(kept));
        assert!(Command::read(":keep").is_err() && Command::read(":keep 30s a.mp3").is_err());
    }

    #[test]
    fn midi_is_shown_learned_and_forgotten_and_devices_are_named() {
        assert_eq!(Command::read(":midi"), Ok(Command::Midi(Midi::Shown)));
        assert_eq!(Command::read(":midi learn"), Ok(Command::Midi(Midi::Learn(None))));
        let path = || "lead voice/fader.gain".to_owned();
        assert_eq!(Command::read(":midi learn lead voice/fader.gain"), Ok(Command::Midi(Midi::Learn(Some(path())))));
        assert_eq!(Command::read(":midi forget lead voice/fader.gain"), Ok(Command::Midi(Midi::Forget(path()))));
        assert!(Command::read(":midi forget").is_err() && Command::read(":midi lern x").is_err());
        assert_eq!(Command::read(":device none"), Ok(Command::Device(DeviceChoice::None)));
        assert_eq!(Command::read(":device hw:0 x"), Ok(Command::Device(DeviceChoice::Named("hw:0 x".into()))));
        assert!(Command::read(":device").unwrap_err().contains(":device NAME|none"));
    }

    #[test]
    fn every_command_is_read_and_a_wrong_one_says_how_it_is_written() {
        for entry in COMMANDS {
            let written = entry
                .signature
                .replace("[", "")
                .replace("]", "")
                .replace("BARS", "3")
                .replace("TIME", "1.bars")
                .replace("line|SECONDS|off", "5")
                .replace("FILE", "a.wav")
                .replace("learn|forget", "learn")
                .replace("answer|next", "next")
                .replace("NAME|none", "none");
            assert!(Command::read(&written).is_ok(), "{written}");
            assert!(page().contains(entry.signature));
        }
        assert!(Command::read(":undoo").unwrap_err().contains(":undo"));
        assert!(Command::read(":go").unwrap_err().contains(":go NAME [over TIME]"));
        assert!(Command::read(":undo 3").unwrap_err().contains("write `:undo`"));
        assert!(Command::read(":over 4.bars").unwrap_err().contains(":over TIME LINE"));
        assert!(Command::read(":locate -1").is_err() && Command::read(":locate nan").is_err());
        for wrong in [":meters 0", ":meters nan", ":meters often", ":why", ":try", ":latency 3"] {
            assert!(Command::read(wrong).unwrap_err().starts_with("write `:"), "{wrong}");
        }
        assert!(Command::read(":").is_err());
    }
}
