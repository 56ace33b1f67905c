//! An album as values: `track`, with what is said of it, and `tracks`, which an input plays one behind another.

use engine::album::{Album, CROSSFADE, GAP, Track};
use engine::credits::{self, Credits};
use engine::delivery::MOST_TRACKS;
use engine::diagnostic::Diagnostic;
use engine::parameter::Parameter;
use engine::session::{Setting, Source};
use engine::sources::clip::CLIP;
use rhai::{Array, Dynamic};

use crate::call::{Call, Outcome};
use crate::desk;
use crate::effect::{self, setter, value};
use crate::setup::{Read, credit_text};
use crate::value::SourceValue;
use crate::words::{self, ParameterEntry};

/// A track, a value until an album takes it.
#[derive(Clone, Debug)]
pub struct TrackValue {
    track: Track,
    clip: Source,
}

/// The tracks of an album, a value until an input takes it.
#[derive(Clone, Debug)]
pub struct TracksValue(Vec<TrackValue>);

/// Methods of a track that are not those of its clip.
const OWN: [&str; 4] = ["artist", "isrc", "gap", "crossfade"];

/// Those of its clip that leave it in its place.
const OF_CLIP: [&str; 6] = ["gain", "from", "to", "fade_in", "fade_out", "channels"];

/// The methods of a track.
pub fn methods() -> impl Iterator<Item = &'static str> {
    OWN.into_iter().chain(OF_CLIP)
}

/// What the reference says of a word's methods; nothing of any but `track`.
pub fn parameters(word: &str) -> Vec<ParameterEntry> {
    if word != "track" {
        return Vec::new();
    }
    let text = |name: &str, takes: &str, help: &str| ParameterEntry {
        name: name.into(),
        takes: takes.into(),
        default: None,
        fixed: true,
        help: help.into(),
    };
    let own = [
        text("artist", "a text", "who made it; the session's artist unless said"),
        text("isrc", "\"GB-ABC-26-00001\"", "its ISRC"),
        ParameterEntry::new(&GAP),
        ParameterEntry::new(&CROSSFADE),
    ];
    own.into_iter().chain(of_clip().map(|(_, parameter)| ParameterEntry::new(parameter))).collect()
}

fn of_clip() -> impl Iterator<Item = (usize, &'static Parameter)> {
    OF_CLIP.iter().filter_map(|name| CLIP.index(name)).map(|index| (index, &CLIP.parameters[index]))
}

/// `track(title, path)`.
pub fn track(call: &Call) -> Outcome {
    call.takes(2..=2)?;
    let track = Track::new(credit_text(call, 0, credits::text)?, call.at);
    let mut clip = Source::new(&CLIP, call.at);
    clip.settings[0] = value(call, &CLIP.parameters[0], 1, 1)?;
    Ok(Dynamic::from(TrackValue { track, clip }))
}

/// A method of a track; `None` if it has none of that name.
pub fn track_method(call: &Call, this: &TrackValue) -> Option<Outcome> {
    let mut next = this.clone();
    let said = |read: Read| call.takes(2..=2).and_then(|()| credit_text(call, 1, read));
    let credits: &mut Credits = &mut next.track.credits;
    let outcome = match call.word {
        "artist" => said(credits::text).map(|text| credits.artist = Some(text)),
        "isrc" => said(credits::isrc).map(|text| credits.isrc = Some(text)),
        "gap" => placed(call, &GAP, &next.track.crossfade).map(|setting| next.track.gap = Some(setting)),
        "crossfade" => placed(call, &CROSSFADE, &next.track.gap).map(|setting| next.track.crossfade = Some(setting)),
        word if OF_CLIP.contains(&word) => effect::source_method(call, &SourceValue(next.clip.clone()))?
            .map(|changed| next.clip = changed.cast::<SourceValue>().0),
        _ => return None,
    };
    Some(outcome.map(|()| Dynamic::from(next)))
}

/// What says where a track begins, unless the other way to say it is taken.
fn placed(call: &Call, parameter: &Parameter, other: &Option<Setting>) -> Result<Setting, Diagnostic> {
    let setting = setter(call, parameter)?;
    match other {
        None => Ok(setting),
        Some(other) => {
            Err(Diagnostic::error("gap-or-crossfade", call.at, "a track has a gap before it or a crossfade")
                .also(other.at, "the other one is said here"))
        }
    }
}

/// The error for a method that a track does not have.
pub fn no_such_method(call: &Call) -> Diagnostic {
    let help = words::suggest(call.word, methods()).unwrap_or_else(|| {
        let has: Vec<String> = methods().map(|name| format!("`{name}`")).collect();
        format!("`track` has {}; its place follows from the track before it", has.join(", "))
    });
    Diagnostic::error("unknown-method", call.at, format!("`track` has no `.{}`", call.word)).help(help)
}

/// `tracks([track, ...])`.
pub fn tracks(call: &Call) -> Outcome {
    call.takes(1..=1)?;
    let wanted = "a list of tracks";
    let list = call.given[0].read_lock::<Array>().ok_or_else(|| call.wrong_type(0, wanted))?;
    let all: Option<Vec<TrackValue>> =
        list.iter().map(|item| item.read_lock::<TrackValue>().map(|t| t.clone())).collect();
    let all = all.ok_or_else(|| call.wrong_type(0, "a list of nothing but tracks"))?;
    match all.len() {
        0 => Err(call.misuse("an album has at least one track".into())),
        count if count > MOST_TRACKS => {
            let message = format!("an album has at most {MOST_TRACKS} tracks, not {count}");
            Err(Diagnostic::error("out-of-range", call.place_of(0), message))
        }
        _ => Ok(Dynamic::from(TracksValue(all))),
    }
}

/// Makes the session that of an album on an input of this name, and gives the sources of the input.
pub fn taken(call: &Call, input: &str, tracks: &TracksValue) -> Result<Vec<Source>, Diagnostic> {
    let (clips, tracks) = tracks.0.iter().map(|track| (track.clip.clone(), track.track.clone())).unzip();
    desk::with(|desk| match &desk.session.album {
        None => {
            desk.session.album = Some(Album { input: input.to_owned(), tracks });
            Ok(clips)
        }
        Some(first) => {
            let at = call.place_of_in(desk, 1);
            let error = Diagnostic::error("two-albums", at, "a session has one album");
            Err(error.also(first.tracks[0].at, "its first track is here"))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::parameter::Value;
    use engine::session::PlaceKind;

    use crate::evaluate_text;

    fn codes(text: &str) -> Vec<&'static str> {
        evaluate_text(Path::new("session.rhai"), text).diagnostics.iter().map(|d| d.code).collect()
    }

    #[test]
    fn an_album_is_an_input_of_clips_and_a_list_of_tracks() {
        let text = r#"
            input("songs", tracks([
                track("Dawn", "a.wav").artist("Bo").isrc("GB-ABC-26-00001").gain(-2),
                track("Noon", "b.wav").gap(500.ms).from(1.s),
                track("Night", "c.wav").crossfade(4.beats),
            ])) >> master;"#;
        let evaluated = evaluate_text(Path::new("session.rhai"), text);
        assert_eq!(evaluated.diagnostics, []);
        let session = evaluated.session.unwrap();
        let album = session.album.as_ref().unwrap();
        let credits = &album.tracks[0].credits;
        assert_eq!((album.input.as_str(), album.tracks.len()), ("songs", 3));
        assert_eq!((credits.title.as_deref(), credits.artist.as_deref()), (Some("Dawn"), Some("Bo")));
        assert_eq!(credits.isrc.as_deref(), Some("GBABC2600001"));
        let value = |setting: &Option<engine::session::Setting>| setting.as_ref().map(|setting| setting.value.clone());
        assert_eq!((value(&album.tracks[0].gap), value(&album.tracks[1].gap)), (None, Some(Value::Number(500.0))));
        assert_eq!(value(&album.tracks[2].crossfade), Some(Value::Beats(4.0)));
        let PlaceKind::Input(sources) = &session.places[1].kind else { panic!("no input") };
        let paths: Vec<&Value> = sources.iter().map(|source| &source.settings[0].value).collect();
        assert_eq!(paths, ["a.wav", "b.wav", "c.wav"].map(|path| Value::Path(path.into())).iter().collect::<Vec<_>>());
        let index = |name| sources[0].table.index(name).unwrap();
        assert_eq!(sources[0].settings[index("gain")].value, Value::Number(-2.0));
        assert_eq!(sources[1].settings[index("from")].value, Value::Number(1000.0));
    }

    #[test]
    fn what_makes_no_album_is_refused_where_it_stands() {
        let input = |source: &str| codes(&format!("input(\"a\", {source}) >> master;"));
        assert_eq!(input("tracks([])"), ["wrong-arguments"]);
        assert_eq!(input("tracks([clip(\"a.wav\")])"), ["wrong-type"]);
        assert_eq!(input("tracks(track(\"A\", \"a.wav\"))"), ["wrong-type"]);
        assert_eq!(input("track(\"A\", \"a.wav\")"), ["wrong-type"]);
        assert_eq!(input("tracks([track(\"A\")])"), ["wrong-arguments"]);
        let track = |methods: &str| input(&format!("tracks([track(\"A\", \"a.wav\"){methods}])"));
        assert_eq!(track(".isrc(\"nothing\")"), ["bad-text"]);
        assert_eq!(track(".artist(\"two\\nlines\")"), ["bad-text"]);
        assert_eq!(track(".gap(1.s).crossfade(1.s)"), ["gap-or-crossfade"]);
        assert_eq!(track(".gap(-1.s)"), ["out-of-range"]);
        assert_eq!(track(".gap(3.dB)"), ["wrong-unit"]);
        assert_eq!(track(".gap(lfo(1))").len(), 1);
        assert_eq!(track(".looped()"), ["unknown-method"]);
        assert_eq!(track(".start(1.s)"), ["unknown-method"]);
        let many = vec!["track(\"A\", \"a.wav\")"; 100].join(", ");
        assert_eq!(input(&format!("tracks([{many}])")), ["out-of-range"]);
        let two = "input(\"a\", tracks([track(\"A\", \"a.wav\")])) >> master; input(\"b\", tracks([track(\"B\", \"b.wav\")])) >> master;";
        assert_eq!(codes(two), ["two-albums"]);
        assert_eq!(codes("track(\"A\", \"a.wav\");"), ["thrown-away"]);
    }

    #[test]
    fn a_session_says_its_credits() {
        let text = r#"title("Früh"); artist("Ada"); album("First light"); date("2026-11-21"); isrc("GBABC2600001"); comment("for vinyl");"#;
        let credits = evaluate_text(Path::new("session.rhai"), text).session.unwrap().credits;
        let said = [credits.title, credits.artist, credits.album, credits.date, credits.isrc, credits.comment];
        let expected = ["Früh", "Ada", "First light", "2026-11-21", "GBABC2600001", "for vinyl"];
        assert_eq!(said.map(Option::unwrap), expected);
        for wrong in ["date(\"21.11.2026\");", "isrc(\"gb\");", "artist(\"\");", "title(\"a\\tb\");"] {
            assert_eq!(codes(wrong), ["bad-text"], "{wrong}");
        }
        assert_eq!(codes("artist(3);"), ["wrong-type"]);
    }
}
