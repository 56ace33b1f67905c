//! What may be written after `gainstage`: each option once, from which parsing and help are made.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

mod measuring;
mod playing;
mod showing;
mod values;
mod writing;

pub use measuring::{Measure, Ping, Sweep, Way};
pub use playing::{Learn, Play, Tell};
pub use showing::{Check, Completions, Devices, Graph, Manual, New, Words};
pub use values::{
    Depth, DeviceChoice, DitherChoice, GraphFormat, JournalChoice, Length, LiveInput, MidiMap, OscChoice, PAGE_PORT,
    ShowChoice, ThemeChoice, sound_file, wav_file,
};
pub use writing::{Render, Replay};

use playing::{AFTER_LEARN, AFTER_PLAY};

/// A live-coded mixing and mastering desk.
#[derive(Debug, Parser)]
#[command(name = "gainstage", version, about, propagate_version = true, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// What was written, of which `--show SESSION` and `--show LESSON` are the same as if `--show` stood behind.
    ///
    /// # Errors
    /// It is not what the program takes, or it asks for help.
    pub fn read(written: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
        let mut written: Vec<OsString> = written.into_iter().collect();
        let is_lesson = written.get(1).is_some_and(|command| command == "learn");
        // What stands behind a `--` of its own is the session, whatever it is called.
        let own = written.iter().position(|one| one == "--").unwrap_or(written.len());
        let asked = written[..own].iter().position(|one| one == "--show");
        let is_told = |next: &OsString| {
            let next = next.to_string_lossy();
            let is_name = |letter: char| letter.is_alphanumeric() || letter == '-';
            next.ends_with(".rhai") || is_lesson && !next.starts_with('-') && next.chars().all(is_name)
        };
        if let Some(at) = asked.filter(|at| at + 1 < own && is_told(&written[at + 1])) {
            written.swap(at, at + 1);
        }
        Arguments::try_parse_from(written)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play a session and follow its edits
    #[command(after_help = AFTER_PLAY)]
    Play(Play),
    /// Render a session to a file, to the same bits that are heard
    Render(Render),
    /// Tell what is wrong with sessions, without playing them
    Check(Check),
    /// Show how sound flows through a session
    Graph(Graph),
    /// List the sound devices and MIDI ports that can be opened
    Devices(Devices),
    /// Show the words that sessions are made of
    Words(Words),
    /// Play a performance again from its journal, to a file, to the same bits that were heard
    Replay(Replay),
    /// Measure sound files and sessions: loudness, peaks, dynamics, and how far they are from what a medium wants
    Measure(Measure),
    /// Measure a room or a piece of gear: its response, how it rings on, what it adds
    Sweep(Sweep),
    /// Measure the way out through a piece of gear and back, for `insert(...).latency(...)`
    Ping(Ping),
    /// Make a folder with a first session that plays at once
    New(New),
    /// Learn to mix: lessons that play, and tell how far an edit is from what they want
    #[command(after_help = AFTER_LEARN)]
    Learn(Learn),
    /// Tell the desk that plays a line, or a block of them, as if it was typed at its prompt
    Tell(Tell),
    /// Print what a shell needs to complete these commands
    Completions(Completions),
    /// Write the man pages of these commands into a folder
    Man(Manual),
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::delivery::Kind;
    use engine::units::Clock;
    use std::path::Path;

    use clap::CommandFactory;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Command, ErrorKind> {
        Arguments::read(line.split(' ').map(OsString::from)).map(|a| a.command).map_err(|error| error.kind())
    }

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn showing_may_be_asked_for_before_the_session_and_the_lesson() {
        let play = |line: &str| match parse(line) {
            Ok(Command::Play(play)) => (play.session, play.show.map(|at| at.is_some())),
            other => panic!("{line}: {other:?}"),
        };
        for (line, at) in [
            ("gainstage play a.rhai", None),
            ("gainstage play a.rhai --show", Some(false)),
            ("gainstage play --show a.rhai", Some(false)),
            ("gainstage play --show a.rhai --device none", Some(false)),
            ("gainstage play --show 0.0.0.0:7000 a.rhai", Some(true)),
            ("gainstage play a.rhai --show 0.0.0.0:7000", Some(true)),
        ] {
            assert_eq!(play(line), ("a.rhai".into(), at), "{line}");
        }
        let learn = |line: &str| match parse(line) {
            Ok(Command::Learn(learn)) => (learn.lesson, learn.show.map(|at| at.is_some())),
            other => panic!("{line}: {other:?}"),
        };
        let sends = Some("sends".to_owned());
        for (line, lesson, at) in [
            ("gainstage learn sends --show", sends.clone(), Some(false)),
            ("gainstage learn --show sends", sends.clone(), Some(false)),
            ("gainstage learn --show", None, Some(false)),
            ("gainstage learn --show 127.0.0.1:7100 sends", sends, Some(true)),
            ("gainstage learn 3 -- --show", Some("3".to_owned()), None),
        ] {
            assert_eq!(learn(line), (lesson, at), "{line}");
        }
        for wrong in
            ["gainstage play a.rhai --show localhost:x", "gainstage play --show", "gainstage learn --show 1:2:3"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_length_is_seconds_bars_or_frames() {
        let clock = Clock { rate: 48_000.0, tempo: 96.0, beats_per_bar: 4.0 };
        let frames = |text: &str| text.parse::<Length>().map(|length| length.frames(&clock));
        assert_eq!(frames("30s"), Ok(1_440_000));
        assert_eq!(frames("0.5s"), Ok(24_000));
        assert_eq!(frames("4bars"), Ok(480_000));
        assert_eq!(frames("1bar"), Ok(120_000));
        assert_eq!(frames("123f"), Ok(123));
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in ["", "30", "s", "-1s", "0s", "0f", "1.5f", "NaNs", "infs", "1e99s", "bars", "3 apples"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_live_input_hears_a_file_or_silence() {
        let input = |text: &str| text.parse::<LiveInput>().ok();
        assert_eq!(input("silence"), Some(LiveInput::Silence(None)));
        assert_eq!(input("voice=silence"), Some(LiveInput::Silence(Some("voice".into()))));
        let file = LiveInput::File { name: "voice".into(), file: "a=b.wav".into() };
        assert_eq!(input("voice=a=b.wav"), Some(file));
        assert_eq!((input("voice"), input("=x.wav"), input("voice=")), (None, None, None));
    }

    #[test]
    fn a_sweep_is_told_in_hertz_and_seconds_and_lists_of_channels() {
        let sweep = |more: &str| match parse(&format!("gainstage sweep -o room{more}")) {
            Ok(Command::Sweep(sweep)) => Some(sweep),
            _ => None,
        };
        let plain = sweep("").expect("nothing more is needed");
        assert_eq!((plain.from, plain.to, plain.time, plain.level), (20.0, 20_000.0, 10.0, -12.0));
        assert_eq!((plain.output, plain.input), (vec![1, 2], vec![1]));
        let told = sweep(" --from 100Hz --to 8.kHz --time 500ms --output 3,4 --input 7,8").expect("it is right");
        assert_eq!((told.from, told.to, told.time), (100.0, 8000.0, 0.5));
        assert_eq!((told.output, told.input), (vec![3, 4], vec![7, 8]));
        for wrong in [" --from 0", " --to 21k", " --time 10", " --level 3", " --output 0", " --through a --input 2"] {
            assert!(sweep(wrong).is_none(), "{wrong}");
        }
        assert!(parse("gainstage ping --output 3").is_err() && parse("gainstage ping --output 3 --input 3").is_ok());
    }

    #[test]
    fn osc_is_listened_for_at_an_address_of_numbers_or_nowhere() {
        let osc = |text: &str| text.parse::<OscChoice>().ok();
        assert_eq!(osc("none"), Some(OscChoice::None));
        assert_eq!(osc("0.0.0.0:9001"), Some(OscChoice::At(([0, 0, 0, 0], 9001).into())));
        assert_eq!((osc("9000"), osc("localhost:9000"), osc("127.0.0.1:70000")), (None, None, None));
    }

    #[test]
    fn a_controller_sets_a_path_on_one_channel_or_all() {
        let map = |text: &str| text.parse::<MidiMap>().ok().map(|map| (map.controller, map.channel, map.path));
        assert_eq!(map("7=voice/fader.gain"), Some((7, None, "voice/fader.gain".into())));
        assert_eq!(map("119:16=a=b"), Some((119, Some(16), "a=b".into())));
        for wrong in ["", "7", "7=", "=x", "120=x", "-1=x", "7:0=x", "7:17=x", "7:=x", "x=7"] {
            assert_eq!(map(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_ending_says_what_is_written() {
        assert_eq!(Kind::of(Path::new("a/b.WAV")), Some(Kind::Wav));
        assert_eq!(Kind::of(Path::new("b.flac")), Some(Kind::Flac));
        assert_eq!(Kind::of(Path::new("b.mp3")), None);
        assert!(parse("gainstage render a.rhai -o b.mp3").is_err());
        assert!(parse("gainstage play a.rhai --record b.flac").is_err());
    }

    #[test]
    fn a_render_needs_somewhere_to_go() {
        assert_eq!(parse("gainstage render a.rhai").unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert!(parse("gainstage render a.rhai --stems out").is_ok());
        assert_eq!(
            parse("gainstage render a.rhai -o b.wav --stems-of drums").unwrap_err(),
            ErrorKind::MissingRequiredArgument
        );
    }

    #[test]
    fn the_highest_level_is_full_scale_unless_said_and_never_out_of_range() {
        let level = |more: &str| match parse(&format!("gainstage play a.rhai{more}")) {
            Ok(Command::Play(play)) => Some(play.max_level),
            _ => None,
        };
        assert_eq!(
            (level(""), level(" --max-level -12.5"), level(" --max-level 24")),
            (Some(0.0), Some(-12.5), Some(24.0))
        );
        for wrong in ["-61", "25", "NaN", "inf", "loud", "-6dB"] {
            assert_eq!(level(&format!(" --max-level {wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn depths_are_named_as_they_are_written() {
        let bits = |text: &str| match parse(&format!("gainstage render a.rhai -o b.wav --bits {text}")) {
            Ok(Command::Render(render)) => render.bits,
            _ => None,
        };
        assert_eq!(bits("16"), Some(Depth::Int16));
        assert_eq!(bits("24"), Some(Depth::Int24));
        assert_eq!(bits("32f"), Some(Depth::Float32));
        assert_eq!(bits("32"), None);
    }

    #[test]
    fn a_device_is_named_or_none() {
        let device = |text: &str| match parse(&format!("gainstage play a.rhai --device {text}")) {
            Ok(Command::Play(play)) => play.device,
            _ => None,
        };
        assert_eq!(device("none"), Some(DeviceChoice::None));
        assert_eq!(device("alsa:hw:0"), Some(DeviceChoice::Named("alsa:hw:0".into())));
    }
}
