//! Standard MIDI files, read for their notes: which key, from which bar to which, how hard. Times are exact fractions of bars,
//! by the file's own time signatures; tempo, sound and everything else in it is passed over.
//!
//! After *Standard MIDI Files 1.0* (MIDI Manufacturers Association, 1988). What is wrong with a file is said with the byte
//! at which it is.

use std::fmt;
use std::io::Read;
use std::path::Path;

use crate::pattern::{Ratio, Span, TooFine};

/// The most bytes of a file, and the most notes in it.
const MOST_BYTES: u64 = 16 << 20;
const MOST_NOTES: usize = 1 << 18;

/// The most time signatures of a file.
const MOST_SIGNATURES: usize = 1 << 16;

/// The keys of a channel, and the places of all: as many for each of 16 channels.
const KEYS: usize = 128;
const PLACES: usize = 16 * KEYS;

/// A note of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// From which bar to which, counted from 0: never without length.
    pub span: Span,
    /// The key: 60 is the middle C.
    pub key: u8,
    /// How hard it was struck, 1 to 127.
    pub velocity: u8,
    /// Its channel, from 1.
    pub channel: u8,
    /// Its track, from 0.
    pub track: usize,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The byte at which that is, from 0; none if it is not in the bytes.
    pub byte: Option<usize>,
    /// What, in one line, and what was expected.
    pub message: String,
}

impl Broken {
    fn at(byte: usize, message: impl Into<String>) -> Self {
        Broken { byte: Some(byte), message: message.into() }
    }

    fn whole(message: impl Into<String>) -> Self {
        Broken { byte: None, message: message.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.byte {
            Some(byte) => write!(f, "{} (at byte {byte})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Broken {}

impl From<TooFine> for Broken {
    fn from(_: TooFine) -> Self {
        Broken::whole("its times are too fine, or it is too long, to be counted in bars")
    }
}

/// The notes of a file, in the order of their beginnings, then of their keys.
///
/// # Errors
/// It cannot be read, is no MIDI file, is damaged, or has no notes.
pub fn notes_of(path: &Path) -> Result<Vec<Note>, Broken> {
    let unread = |error: std::io::Error| Broken::whole(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unread)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unread)?;
    read(&bytes).map_err(|broken| Broken { message: format!("{}: {}", path.display(), broken.message), ..broken })
}

/// The notes in the bytes of a file; as [`notes_of`].
///
/// # Errors
/// They are no MIDI file, are damaged, or have no notes.
pub fn read(bytes: &[u8]) -> Result<Vec<Note>, Broken> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Broken::whole(format!("it is larger than {} MB", MOST_BYTES >> 20)));
    }
    let mut reader = Reader { bytes, at: 0 };
    let header = header(&mut reader)?;
    let (mut keys, mut signatures) = (Keys { held: vec![None; PLACES], ended: Vec::new(), count: 0 }, Vec::new());
    let mut track = 0;
    while reader.at < bytes.len() && track < header.tracks {
        let begin = reader.at;
        let (name, body) = chunk(&mut reader)?;
        if name == b"MTrk" {
            read_track(Track { reader: body, number: track }, &mut keys, &mut signatures)?;
            track += 1;
        } else if !name.iter().all(|letter| letter.is_ascii_graphic() || *letter == b' ') {
            return Err(Broken::at(begin, "a part of the file begins here, and has no name: expected `MTrk`"));
        }
    }
    if track < header.tracks {
        let message = format!("it ends after {track} of the {} tracks that it says it has", header.tracks);
        return Err(Broken::at(bytes.len(), message));
    }
    let keys = keys.ended;
    if keys.is_empty() {
        return Err(Broken::whole("there is no note in it"));
    }
    let bars = Bars::new(header.division, signatures)?;
    let note = |key: Key| -> Result<Note, Broken> {
        let Key { begin, end, key, velocity, channel, track } = key;
        // What is ended as it begins, as some drums are, lasts a tick.
        let span = Span::new(bars.at(begin)?, bars.at(end.max(begin + 1))?);
        Ok(Note { span, key, velocity, channel, track })
    };
    let mut notes = keys.into_iter().map(note).collect::<Result<Vec<Note>, Broken>>()?;
    notes.sort_by_key(|note| (note.span.begin, note.key, note.track, note.channel));
    Ok(notes)
}

/// Bytes that are read one after another.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], Broken> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else {
            let message = format!("it ends within {what}: {count} bytes were expected and {} are left", rest.len());
            return Err(Broken::at(self.at, message));
        };
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self, what: &str) -> Result<u8, Broken> {
        Ok(self.take(1, what)?[0])
    }

    fn number(&mut self, bytes: usize, what: &str) -> Result<usize, Broken> {
        Ok(self.take(bytes, what)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// A number of any length up to 28 bits, seven to a byte.
    fn quantity(&mut self, what: &str) -> Result<usize, Broken> {
        let begin = self.at;
        let mut number = 0;
        for _ in 0..4 {
            let byte = self.byte(what)?;
            number = number << 7 | usize::from(byte & 0x7f);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken::at(begin, format!("{what} has more than four bytes")))
    }

    /// A byte of data.
    fn data(&mut self, what: &str) -> Result<u8, Broken> {
        let at = self.at;
        match self.byte(what)? {
            byte @ ..0x80 => Ok(byte),
            byte => Err(Broken::at(at, format!("{what} is {byte}, and can be 127 at most"))),
        }
    }
}

/// What a file says of itself.
struct Header {
    tracks: usize,
    /// Ticks a quarter note.
    division: i64,
}

fn header(reader: &mut Reader<'_>) -> Result<Header, Broken> {
    match reader.bytes {
        [b'R', b'I', b'F', b'F', ..] => {
            return Err(Broken::at(0, "this is a RIFF file, not a MIDI file: save it as a standard MIDI file"));
        }
        bytes if !bytes.starts_with(b"MThd") => {
            return Err(Broken::at(0, "this is no MIDI file: one begins with `MThd`"));
        }
        _ => {}
    }
    let (_, mut body) = chunk(reader)?;
    let format = body.number(2, "its header")?;
    let (tracks_at, tracks) = (body.at, body.number(2, "its header")?);
    let (division_at, division) = (body.at, body.number(2, "its header")?);
    match (format, tracks, division) {
        (2, ..) => {
            Err(Broken::at(8, "it holds several songs, one a track: save one of them as a file of format 0 or 1"))
        }
        (3.., ..) => Err(Broken::at(8, format!("its format is {format}: expected 0 or 1"))),
        (_, 0, _) => Err(Broken::at(tracks_at, "it says that it has no track")),
        (0, 2.., _) => Err(Broken::at(tracks_at, format!("a file of format 0 has one track, and not {tracks}"))),
        (.., 0x8000..) => Err(Broken::at(
            division_at,
            "its times are in frames of film, of which nobody knows the bars: save it with ticks a quarter note",
        )),
        (.., 0) => Err(Broken::at(division_at, "it has no ticks a quarter note")),
        _ => Ok(Header { tracks, division: division as i64 }),
    }
}

/// The name of the chunk that comes next, and what is in it.
fn chunk<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Reader<'a>), Broken> {
    let name = reader.take(4, "the name of a part")?;
    let length = reader.number(4, "the length of a part")?;
    let begin = reader.at;
    reader.take(length, "a part")?;
    Ok((name, Reader { bytes: &reader.bytes[..begin + length], at: begin }))
}

/// A note in ticks.
#[derive(Clone)]
struct Key {
    begin: i64,
    end: i64,
    key: u8,
    velocity: u8,
    channel: u8,
    track: usize,
}

/// The notes of a file while it is read.
struct Keys {
    /// What is held, by channel and key.
    held: Vec<Option<Key>>,
    ended: Vec<Key>,
    /// How many there are of both.
    count: usize,
}

impl Keys {
    /// Lets go of what is held at a place.
    fn end(&mut self, place: usize, now: i64) {
        self.ended.extend(self.held[place].take().map(|key| Key { end: now, ..key }));
    }
}

/// From a tick on a bar has so many quarter notes: their number, and by what it is divided.
type Signature = (i64, (i64, i64));

/// A track that is read.
struct Track<'a> {
    reader: Reader<'a>,
    number: usize,
}

fn read_track(track: Track<'_>, keys: &mut Keys, signatures: &mut Vec<Signature>) -> Result<(), Broken> {
    let Track { mut reader, number } = track;
    let (mut now, mut status) = (0i64, None);
    while reader.at < reader.bytes.len() {
        now += reader.quantity("a time")? as i64;
        let at = reader.at;
        let byte = reader.byte("an event")?;
        if byte >= 0xf0 {
            status = None;
            if meta(&mut reader, at, byte, now, signatures)? {
                break;
            }
            continue;
        }
        if byte >= 0x80 {
            status = Some(byte);
        } else {
            // The status runs on: this is data already.
            reader.at = at;
        }
        let Some(status) = status else {
            return Err(Broken::at(at, format!("an event begins with {byte}, which is no status, and none runs on")));
        };
        let channel = (status & 0xf) + 1;
        let first = reader.data("the data of an event")?;
        if matches!(status >> 4, 0xc | 0xd) {
            continue;
        }
        let second = reader.data("the data of an event")?;
        if !matches!(status >> 4, 8 | 9) {
            continue;
        }
        // A key that is struck anew is let go of before.
        let place = usize::from(status & 0xf) * KEYS + usize::from(first);
        keys.end(place, now);
        if status >> 4 == 9 && second > 0 {
            let key = Key { begin: now, end: now, key: first, velocity: second, channel, track: number };
            keys.held[place] = Some(key);
            keys.count += 1;
        }
        if keys.count > MOST_NOTES {
            return Err(Broken::at(at, format!("there are more than {MOST_NOTES} notes in it")));
        }
    }
    (0..PLACES).for_each(|place| keys.end(place, now));
    Ok(())
}

/// Reads an event of the file or of the system; whether it ends the track.
fn meta(
    reader: &mut Reader<'_>,
    at: usize,
    status: u8,
    now: i64,
    signatures: &mut Vec<Signature>,
) -> Result<bool, Broken> {
    let kind = match status {
        0xff => Some(reader.byte("an event")?),
        0xf0 | 0xf7 => None,
        _ => return Err(Broken::at(at, format!("an event begins with {status}, which no event of a file does"))),
    };
    let length = reader.quantity("the length of an event")?;
    let body_at = reader.at;
    let body = reader.take(length, "an event")?;
    match (kind, body) {
        (Some(0x2f), _) => return Ok(true),
        (Some(0x58), [beats, note, ..]) if *beats > 0 && *note <= 6 => {
            if signatures.len() == MOST_SIGNATURES {
                return Err(Broken::at(at, format!("there are more than {MOST_SIGNATURES} time signatures in it")));
            }
            signatures.push((now, (4 * i64::from(*beats), 1 << note)));
        }
        (Some(0x58), _) => {
            return Err(Broken::at(body_at, "this time signature is none: expected beats, and a note from 1 to 1/64"));
        }
        _ => {}
    }
    Ok(false)
}

/// Where ticks are in bars.
struct Bars {
    /// In order: from a tick on, at a bar, a tick is so much of one.
    stretches: Vec<(i64, Ratio, Ratio)>,
}

impl Bars {
    /// Time signatures of all tracks count for all; the last of those at one tick holds. A signature begins a bar.
    fn new(division: i64, mut signatures: Vec<Signature>) -> Result<Bars, Broken> {
        signatures.sort_by_key(|(tick, _)| *tick);
        let mut bars = Bars { stretches: vec![(0, Ratio::ZERO, Ratio::new(1, 4 * division)?)] };
        for (tick, (quarters, under)) in signatures {
            let bar = Ratio::whole(bars.at(tick)?.ceil());
            // Those before it are in order: only the last can be at the same tick.
            bars.stretches.pop_if(|(begin, ..)| *begin == tick);
            bars.stretches.push((tick, bar, Ratio::new(under, quarters * division)?));
        }
        Ok(bars)
    }

    fn at(&self, tick: i64) -> Result<Ratio, TooFine> {
        let after = self.stretches.partition_point(|(begin, ..)| *begin <= tick);
        let (begin, bar, one) = self.stretches[after.saturating_sub(1)];
        bar.plus(one.times(Ratio::whole(tick - begin))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of format 1 with these tracks, each ended.
    fn file(division: u16, tracks: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"MThd\0\0\0\x06\0\x01".to_vec();
        bytes.extend((tracks.len() as u16).to_be_bytes());
        bytes.extend(division.to_be_bytes());
        for track in tracks {
            bytes.extend(b"MTrk");
            bytes.extend((track.len() as u32 + 4).to_be_bytes());
            bytes.extend(*track);
            bytes.extend([0, 0xff, 0x2f, 0]);
        }
        bytes
    }

    fn spans(bytes: &[u8]) -> Vec<(String, u8, u8)> {
        let show = |note: &Note| (format!("{} {}", note.span.begin, note.span.end), note.key, note.velocity);
        read(bytes).expect("it is whole").iter().map(show).collect()
    }

    const TUNE: &[u8] = &[
        0, 0xff, 3, 2, b'h', b'i', // its name
        0, 0xb0, 7, 100, 0, 0xc0, 5, // a controller, a program
        0, 0x90, 60, 100, // C
        48, 64, 90, // E, the status runs on
        48, 60, 0, // C ends by a velocity of 0
        0, 0xf0, 3, 1, 2, 0xf7, // exclusive
        0x81, 0x40, 0x80, 64, 0, // 192 later E ends
    ];

    #[test]
    fn notes_have_their_exact_bars() {
        let found = spans(&file(96, &[TUNE]));
        assert_eq!(found, [("0 1/4".into(), 60, 100), ("1/8 3/4".into(), 64, 90)]);
        let notes = read(&file(96, &[TUNE])).unwrap();
        assert!(notes.iter().all(|note| (note.channel, note.track) == (1, 0)));
    }

    #[test]
    fn time_signatures_of_one_track_count_for_all_and_begin_a_bar() {
        // 3/4; after 5 quarters 6/8.
        let signs = &[0, 0xff, 0x58, 4, 3, 2, 24, 8, 0x83, 0x60, 0xff, 0x58, 4, 6, 3, 24, 8];
        let notes = &[0x81, 0x40, 0x91, 60, 1, 96, 0x81, 60, 0, 0x81, 0x40, 0x91, 61, 1, 48, 0x81, 61, 0];
        let found = spans(&file(96, &[signs, notes]));
        assert_eq!(found, [("2/3 1".into(), 60, 1), ("2 13/6".into(), 61, 1)]);
    }

    #[test]
    fn keys_struck_again_are_let_go_and_those_held_end_with_the_track() {
        let found = spans(&file(4, &[&[0, 0x90, 60, 1, 4, 60, 2, 4, 61, 3, 0, 61, 0, 8, 0xb0, 1, 1]]));
        assert_eq!(found, [("0 1/4".into(), 60, 1), ("1/4 1".into(), 60, 2), ("1/2 9/16".into(), 61, 3)]);
    }

    #[test]
    fn the_last_of_the_signatures_at_one_tick_holds() {
        // 3/4, 2/4 and 6/8 at once, and 4/4 at the first quarter.
        let signs = [[0, 3, 2], [0, 2, 2], [0, 6, 3], [96, 4, 2]];
        let signs = signs.map(|[later, beats, note]| [later, 0xff, 0x58, 4, beats, note, 24, 8]).concat();
        let notes = [0, 0x90, 60, 1, 48, 60, 0, 48, 61, 1, 96, 61, 0];
        let found = spans(&file(96, &[&signs, &notes]));
        assert_eq!(found, [("0 1/6".into(), 60, 1), ("1 5/4".into(), 61, 1)]);
    }

    #[test]
    fn many_signatures_and_many_held_keys_are_read_or_refused_at_once() {
        let signatures = |count: usize| [1, 0xff, 0x58, 4, 4, 2, 24, 8].repeat(count);
        let note = [0, 0x90, 60, 1, 96, 60, 0];
        assert_eq!(spans(&file(96, &[&signatures(MOST_SIGNATURES), &note])).len(), 1);
        let broken = read(&file(96, &[&signatures(MOST_SIGNATURES + 1), &note])).unwrap_err();
        assert!(broken.message.contains("more than 65536 time signatures"), "{broken}");
        assert_eq!(broken.byte, Some(22 + 8 * MOST_SIGNATURES + 1));
        // Every key of 16 channels is held while one more is let go of again and again.
        let press = |channel: u8| (0..128u8).flat_map(move |key| [0, 0x90 | channel, key, 1]);
        let mut keys: Vec<u8> = (0..16).flat_map(press).collect();
        keys.extend([0, 0x9f, 127, 0].repeat(1_000_000));
        assert_eq!(spans(&file(96, &[&keys])).len(), PLACES);
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        let with = |at: usize, byte: u8| {
            let mut bytes = file(96, &[TUNE]);
            bytes[at] = byte;
            bytes
        };
        let whole = file(96, &[TUNE]);
        let cases: Vec<(Vec<u8>, Option<usize>, &str)> = vec![
            (Vec::new(), Some(0), "begins with `MThd`"),
            (b"RIFF....RMID".to_vec(), Some(0), "RIFF"),
            (whole[..7].to_vec(), Some(4), "ends within the length"),
            (whole[..40].to_vec(), Some(22), "ends within a part"),
            (with(9, 2), Some(8), "several songs"),
            (with(9, 9), Some(8), "expected 0 or 1"),
            (with(11, 0), Some(10), "no track"),
            (with(11, 2), Some(whole.len()), "1 of the 2 tracks"),
            (with(12, 0xe7), Some(12), "frames of film"),
            ([&with(13, 0)[..]].concat(), Some(12), "no ticks"),
            (with(14, 0), Some(14), "no name"),
            (file(96, &[&[0, 60, 1]]), Some(23), "none runs on"),
            (file(96, &[&[0, 0x90, 60, 200]]), Some(25), "127 at most"),
            (file(96, &[&[0, 0xf4]]), Some(23), "no event of a file"),
            (file(96, &[&[0xff, 0xff, 0xff, 0xff, 1]]), Some(22), "more than four bytes"),
            (file(96, &[&[0, 0xff, 0x58, 2, 0, 2]]), Some(26), "time signature"),
            (file(96, &[&[0, 0xff, 1, 0x7f]]), Some(26), "ends within an event"),
            (file(96, &[&[]]), None, "no note"),
        ];
        for (bytes, byte, message) in cases {
            let broken = read(&bytes).expect_err(message);
            assert!(broken.message.contains(message) && broken.byte == byte, "{message}: {broken:?}");
        }
    }

    #[test]
    fn damaged_files_of_every_kind_are_refused_or_read_within_bounds() {
        let signs: &[u8] = &[0, 0xff, 0x58, 4, 7, 3, 24, 8];
        let whole = file(96, &[signs, TUNE, TUNE]);
        let check = |bytes: &[u8]| match read(bytes) {
            Ok(notes) => assert!(notes.iter().all(|note| note.span.begin < note.span.end && note.key < 128)),
            Err(broken) => assert!(broken.byte.is_none_or(|byte| byte <= bytes.len()) && !broken.message.is_empty()),
        };
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length} bytes");
        }
        for at in 0..whole.len() {
            for byte in 0..=255 {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                check(&bytes);
            }
        }
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize
        };
        for _ in 0..3000 {
            let mut bytes = whole.clone();
            for _ in 0..next() % 8 + 1 {
                let (at, from) = (next() % bytes.len(), next() % bytes.len());
                match next() % 3 {
                    0 => bytes[at] = next() as u8,
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, bytes[from]),
                }
            }
            check(&bytes);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_by_its_name() {
        let broken = notes_of(Path::new("/nowhere/tune.mid")).expect_err("it is not there");
        assert!(broken.to_string().starts_with("/nowhere/tune.mid: "), "{broken}");
    }
}
