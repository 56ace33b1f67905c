//! An album: tracks one behind another on one input, each a clip that begins where the one before has ended, after silence or
//! in a crossfade. Where that is follows from the lengths of their files: [`lay_out`] writes it into the clips.

use serde::Serialize;

use crate::credits::Credits;
use crate::delivery::Mark;
use crate::diagnostic::{Diagnostic, Position};
use crate::media::Library;
use crate::parameter::{Parameter, Value};
use crate::session::{PlaceKind, Session, Setting, Source};
use crate::sources::clip::{CLIP, EQUAL_POWER};
use crate::units::{Clock, Unit};

/// Silence before a track, unless it is the first.
pub static GAP: Parameter =
    Parameter::number("gap", Unit::Milliseconds, 2000.0, 0.0, 3_600_000.0, "silence before it; none before the first")
        .fixed();

/// How long a track and the one before it sound together.
pub static CROSSFADE: Parameter = Parameter::number(
    "crossfade",
    Unit::Milliseconds,
    0.0,
    0.0,
    600_000.0,
    "begins so much before the one before it ends, with equal power, instead of after a gap",
)
.fixed();

/// Frames of an audio CD a second.
const CD_FRAMES: u64 = 75;

/// Tracks on an input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Album {
    /// The input's name. Its sources are the clips of the tracks, in order.
    pub input: String,
    /// The tracks, at least one and at most [`crate::delivery::MOST_TRACKS`].
    pub tracks: Vec<Track>,
}

/// One track.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Track {
    /// What is said of it.
    pub credits: Credits,
    /// Silence before it, if the text says how much.
    pub gap: Option<Setting>,
    /// How long it sounds with the one before, if the text says so.
    pub crossfade: Option<Setting>,
    /// The frame of the transport at which it begins; 0 until it is laid out.
    pub start: u64,
    /// The frame at which it ends.
    pub end: u64,
    /// Where it is written.
    pub at: Position,
}

impl Track {
    /// A track that nothing more is said of.
    pub fn new(title: String, at: Position) -> Track {
        let credits = Credits { title: Some(title), ..Credits::default() };
        Track { credits, gap: None, crossfade: None, start: 0, end: 0, at }
    }

    fn shown(&self) -> &str {
        self.credits.title.as_deref().unwrap_or_default()
    }
}

/// Frames of a time, or the default's.
fn frames(setting: Option<&Setting>, parameter: &Parameter, clock: &Clock) -> u64 {
    clock.frames(parameter.plain(setting.map_or(&parameter.default(), |setting| &setting.value), clock))
}

/// Where a clip's parameter of a name is.
fn parameter(name: &str) -> (usize, &'static Parameter) {
    let index = CLIP.index(name).expect("a clip has it");
    (index, &CLIP.parameters[index])
}

/// How long a clip sounds, in frames; none if its file cannot be opened, or nothing is left of it.
fn length(source: &Source, session: &Session, library: &Library) -> Option<u64> {
    let value = |name| &source.settings[parameter(name).0].value;
    let Value::Path(path) = value("path") else { return None };
    let media = library.open(&session.folder.join(path), session.sample_rate).ok()?;
    let clock = session.clock();
    let frame = |name| clock.frames(parameter(name).1.plain(value(name), &clock));
    let to = if *value("to") == Value::Special { media.frames() } else { frame("to") };
    to.checked_sub(frame("from")).filter(|length| *length > 0 && to <= media.frames())
}

/// Gives every track of the session's album, if it has one, its place: the clips of its input their starts and fades. A file
/// that cannot be opened is left for others to tell of.
///
/// # Errors
/// A crossfade that one of its tracks is too short for, or where there is none to fade with.
pub fn lay_out(session: &mut Session, library: &Library) -> Result<(), Diagnostic> {
    let Some(mut album) = session.album.take() else { return Ok(()) };
    let input = session.places.iter().position(|place| place.name == album.input);
    let Some((input, mut sources)) = input.and_then(|i| match &session.places[i].kind {
        PlaceKind::Input(sources) if sources.len() == album.tracks.len() => Some((i, sources.clone())),
        _ => None,
    }) else {
        return Ok(());
    };
    let clock = session.clock();
    let set = |source: &mut Source, name, value, at| source.settings[parameter(name).0] = Setting { value, at };
    // Of the track before: its title, where it ends, and how much of it no fade has.
    let mut before: Option<(String, u64, u64)> = None;
    for i in 0..album.tracks.len() {
        let Some(length) = length(&sources[i], session, library) else { break };
        let track = &mut album.tracks[i];
        let overlap = frames(track.crossfade.as_ref(), &CROSSFADE, &clock);
        let at = track.crossfade.as_ref().map_or(track.at, |setting| setting.at);
        let silent = match (&before, &track.gap) {
            _ if overlap > 0 => 0,
            (None, None) => 0,
            (_, gap) => frames(gap.as_ref(), &GAP, &clock),
        };
        if overlap > 0 {
            let refuse = |message: String, help: &str| Err(Diagnostic::error("bad-crossfade", at, message).help(help));
            let seconds = |frames: u64| frames as f64 / clock.rate;
            let Some((title, _, free)) = &before else {
                return refuse("the first track has none before it to fade with".into(), "write `.gap(time)`");
            };
            for (title, room) in [(title.as_str(), *free), (track.shown(), length)] {
                if overlap > room {
                    let (wanted, room) = (seconds(overlap), seconds(room));
                    let message =
                        format!("a crossfade of {wanted:.3} s is longer than what \"{title}\" has for it, {room:.3} s");
                    return refuse(message, "a track's crossfades, at its beginning and at its end, may not meet");
                }
            }
            for (source, name) in [(i - 1, "fade_out"), (i, "fade_in")] {
                set(&mut sources[source], name, Value::Samples(overlap as f64), at);
                set(&mut sources[source], "curve", Value::Choice(EQUAL_POWER), at);
            }
        }
        let end = before.as_ref().map_or(0, |(_, end, _)| *end);
        track.start = end + silent - overlap;
        track.end = track.start + length;
        set(&mut sources[i], "start", Value::Samples(track.start as f64), track.at);
        before = Some((track.shown().to_owned(), track.end, length - overlap));
    }
    session.places[input].kind = PlaceKind::Input(sources);
    session.album = Some(album);
    Ok(())
}

/// Where an album's tracks lie in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The tracks, each with all that is said of it.
    pub marks: Vec<Mark>,
    /// By how many frames each was moved to an earlier frame of a CD.
    pub moved: Vec<u64>,
}

impl Layout {
    /// The layout of a session's album in a file of a rate in Hz; none without an album. For a CD, and for a cue sheet, which
    /// counts in frames of 1/75 s, each beginning is moved to the last of them before it. The sound is not moved.
    pub fn of(session: &Session, rate: u32, for_cd: bool) -> Option<Layout> {
        let album = session.album.as_ref()?;
        let (from, to) = (u128::from(session.sample_rate), u128::from(rate));
        let scaled = |frame: u64| ((u128::from(frame) * to + from / 2) / from) as u64;
        let placed = |frame: u64| if for_cd { frame_of_cd(cd_frame(frame, rate), rate) } else { frame };
        let mut ended = 0;
        let (mut marks, mut moved) = (Vec::new(), Vec::new());
        for track in &album.tracks {
            let start = scaled(track.start);
            let frame = placed(start);
            let gap = frame.saturating_sub(placed(scaled(ended)));
            marks.push(Mark { frame, gap, credits: credits(session, &track.credits) });
            moved.push(start - frame);
            ended = track.end;
        }
        Some(Layout { marks, moved })
    }
}

/// What is said of a track, and of the session where the track says nothing.
fn credits(session: &Session, track: &Credits) -> Credits {
    let whole = session.credits.clone();
    let own = track.clone();
    Credits {
        title: own.title,
        artist: own.artist.or(whole.artist),
        album: whole.album.or(whole.title),
        date: whole.date,
        isrc: own.isrc,
        comment: whole.comment,
    }
}

/// The frame of a CD that a frame of sound lies in.
fn cd_frame(frame: u64, rate: u32) -> u64 {
    (u128::from(frame) * u128::from(CD_FRAMES) / u128::from(rate)) as u64
}

/// The first frame of sound in a frame of a CD.
fn frame_of_cd(number: u64, rate: u32) -> u64 {
    (u128::from(number) * u128::from(rate)).div_ceil(u128::from(CD_FRAMES)) as u64
}

/// The cue sheet of a file that holds an album so laid out, for CD. A quotation mark, which it has no way to write, becomes
/// an apostrophe.
pub fn cue_sheet(file: &str, whole: &Credits, marks: &[Mark], rate: u32) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "'"));
    let time = |frame: u64| {
        let number = cd_frame(frame, rate);
        let (seconds, frames) = (number / CD_FRAMES, number % CD_FRAMES);
        format!("{:02}:{:02}:{frames:02}", seconds / 60, seconds % 60)
    };
    let mut lines = Vec::new();
    lines.extend(whole.date.iter().map(|date| format!("REM DATE {date}")));
    lines.extend(whole.artist.iter().map(|artist| format!("PERFORMER {}", quoted(artist))));
    lines.extend(whole.album.as_ref().or(whole.title.as_ref()).map(|title| format!("TITLE {}", quoted(title))));
    lines.push(format!("FILE {} WAVE", quoted(file)));
    for (number, mark) in (1..).zip(marks) {
        lines.push(format!("  TRACK {number:02} AUDIO"));
        lines.extend(mark.credits.title.iter().map(|title| format!("    TITLE {}", quoted(title))));
        lines.extend(mark.credits.artist.iter().map(|artist| format!("    PERFORMER {}", quoted(artist))));
        lines.extend(mark.credits.isrc.iter().map(|isrc| format!("    ISRC {isrc}")));
        if mark.gap > 0 {
            lines.push(format!("    INDEX 00 {}", time(mark.frame - mark.gap)));
        }
        lines.push(format!("    INDEX 01 {}", time(mark.frame)));
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::session::Place;

    const RATE: u32 = 44_100;

    /// A session with an album of silent files of so many frames each.
    fn album(frames: &[u32], change: impl Fn(usize, &mut Track)) -> (TempDir, Session) {
        let folder = TempDir::new().unwrap();
        let mut session = Session::new(folder.path().to_owned());
        session.sample_rate = RATE;
        let (mut sources, mut tracks) = (Vec::new(), Vec::new());
        for (i, frames) in frames.iter().enumerate() {
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: RATE,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let name = format!("{i}.wav");
            let mut writer = hound::WavWriter::create(folder.path().join(&name), spec).unwrap();
            (0..*frames).for_each(|_| writer.write_sample(0i16).unwrap());
            writer.finalize().unwrap();
            let mut source = Source::new(&CLIP, Position::default());
            source.settings[0].value = Value::Path(name);
            sources.push(source);
            let mut track = Track::new(format!("T{i}"), Position::default());
            change(i, &mut track);
            tracks.push(track);
        }
        session.places.push(Place::new("album", PlaceKind::Input(sources), Position::default()));
        session.album = Some(Album { input: "album".into(), tracks });
        (folder, session)
    }

    fn samples(count: f64) -> Option<Setting> {
        Some(Setting { value: Value::Samples(count), at: Position::default() })
    }

    fn spans(session: &Session) -> Vec<(u64, u64)> {
        session.album.iter().flat_map(|album| &album.tracks).map(|track| (track.start, track.end)).collect()
    }

    #[test]
    fn tracks_stand_two_seconds_apart_unless_they_say_otherwise() {
        let (_folder, mut session) = album(&[1000, 2000, 3000, 4000], |i, track| match i {
            2 => track.gap = samples(0.0),
            3 => track.crossfade = samples(500.0),
            _ => {}
        });
        lay_out(&mut session, &Library::new()).unwrap();
        assert_eq!(spans(&session), [(0, 1000), (89_200, 91_200), (91_200, 94_200), (93_700, 97_700)]);
        let PlaceKind::Input(sources) = &session.places[1].kind else { panic!("no input") };
        let setting = |source: usize, name: &str| &sources[source].settings[CLIP.index(name).unwrap()].value;
        assert_eq!(setting(2, "start"), &Value::Samples(91_200.0));
        assert_eq!([setting(2, "fade_out"), setting(3, "fade_in")], [&Value::Samples(500.0); 2]);
        assert_eq!([setting(2, "curve"), setting(3, "curve")], [&Value::Choice(EQUAL_POWER); 2]);
        assert_eq!(setting(1, "fade_out"), &Value::Number(0.0));
    }

    #[test]
    fn a_crossfade_that_does_not_fit_is_refused() {
        let why = |frames: &[u32], change: &dyn Fn(usize, &mut Track)| {
            lay_out(&mut album(frames, change).1, &Library::new()).unwrap_err().message
        };
        assert!(why(&[100], &|_, track| track.crossfade = samples(10.0)).contains("first track"));
        assert!(
            why(&[100, 500], &|i, track| track.crossfade = (i == 1).then(|| samples(101.0)).flatten()).contains("T0")
        );
        assert!(
            why(&[500, 100], &|i, track| track.crossfade = (i == 1).then(|| samples(101.0)).flatten()).contains("T1")
        );
        let meet = why(&[500, 100, 500], &|i, track| track.crossfade = (i > 0).then(|| samples(60.0)).flatten());
        assert!(meet.contains("T1"), "{meet}");
    }

    #[test]
    fn a_layout_for_cd_lies_on_its_frames_and_tells_by_how_much_it_moved() {
        let (_folder, mut session) = album(&[1000, 588, 3000], |i, track| {
            track.gap = samples([0.0, 176.0, 600.0][i]);
            track.credits.isrc = Some("GBABC2600001".into());
        });
        lay_out(&mut session, &Library::new()).unwrap();
        assert_eq!(spans(&session), [(0, 1000), (1176, 1764), (2364, 5364)]);
        let marks = |layout: &Layout| layout.marks.iter().map(|mark| (mark.frame, mark.gap)).collect::<Vec<_>>();
        let exact = Layout::of(&session, RATE, false).unwrap();
        assert_eq!((marks(&exact), &exact.moved[..]), (vec![(0, 0), (1176, 176), (2364, 600)], &[0, 0, 0][..]));
        let cd = Layout::of(&session, RATE, true).unwrap();
        assert_eq!((marks(&cd), &cd.moved[..]), (vec![(0, 0), (1176, 588), (2352, 588)], &[0, 0, 12][..]));
        let twice = Layout::of(&session, 2 * RATE, false).unwrap();
        assert_eq!(marks(&twice), [(0, 0), (2352, 352), (4728, 1200)]);
        // 32 000 Hz has no whole number of frames in a frame of a CD.
        let odd = Layout::of(&session, 32_000, true).unwrap();
        assert!(odd.marks.iter().all(|mark| frame_of_cd(cd_frame(mark.frame, 32_000), 32_000) == mark.frame));
    }

    #[test]
    fn a_cue_sheet_tells_titles_and_times_of_75_frames_a_second() {
        let (_folder, mut session) = album(&[1000, 588], |i, track| {
            track.gap = samples([0.0, 176.0][i]);
            track.credits.title = Some(["One", "The \"second\""][i].into());
            track.credits.isrc = (i == 1).then(|| "GBABC2600002".into());
        });
        session.credits.artist = Some("Ada".into());
        session.credits.title = Some("First light".into());
        session.credits.date = Some("2026-11-21".into());
        lay_out(&mut session, &Library::new()).unwrap();
        if let Some(album) = &mut session.album {
            // An hour and a quarter on.
            album.tracks[1].start += 75 * 60 * 44_100;
        }
        let layout = Layout::of(&session, RATE, true).unwrap();
        let sheet = cue_sheet("a.wav", &session.credits, &layout.marks, RATE);
        let expected = [
            "REM DATE 2026-11-21",
            "PERFORMER \"Ada\"",
            "TITLE \"First light\"",
            "FILE \"a.wav\" WAVE",
            "  TRACK 01 AUDIO",
            "    TITLE \"One\"",
            "    PERFORMER \"Ada\"",
            "    INDEX 01 00:00:00",
            "  TRACK 02 AUDIO",
            "    TITLE \"The 'second'\"",
            "    PERFORMER \"Ada\"",
            "    ISRC GBABC2600002",
            "    INDEX 00 00:00:01",
            "    INDEX 01 75:00:02",
        ];
        assert_eq!(sheet, expected.map(|line| format!("{line}\r\n")).concat());
    }
}
