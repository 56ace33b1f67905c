//! What delivered files must say of themselves, chunk by chunk and block by block.

use tempfile::TempDir;

use super::*;
use crate::credits::Credits;
use crate::media::Library;
use crate::test_signals::noise;

const FORMAT: Format =
    Format { depth: Depth::Int24, rate: 44_100, channels: 2, dither: Dither::Tpdf(Shape::Flat), seed: 1 };

fn credits(title: &str) -> Credits {
    Credits { title: Some(title.into()), ..Credits::default() }
}

fn tags() -> Tags {
    let mark = |frame, gap, title: &str, isrc: &str| {
        let credits = Credits { isrc: (!isrc.is_empty()).then(|| isrc.into()), ..credits(title) };
        Mark { frame, gap, credits }
    };
    Tags {
        credits: Credits {
            title: Some("Früh".into()),
            artist: Some("Ada & Bo".into()),
            album: Some("First light".into()),
            date: Some("2026-11-21".into()),
            isrc: Some("GBABC2600001".into()),
            comment: Some("a mastering".into()),
        },
        track: Some(3),
        marks: vec![
            mark(0, 0, "One", "GBABC2600001"),
            mark(1176, 588, "Zwölf", ""),
            mark(9000, 0, "beyond the end", ""),
        ],
    }
}

const MEASURED: Measured = Measured {
    own: Loudness {
        integrated: Some(-14.006),
        range: Some(5.5),
        true_peak: Some(-1.0),
        momentary: Some(-9.994),
        short_term: None,
    },
    album: Some(Loudness {
        integrated: Some(-13.0),
        range: None,
        true_peak: Some(-0.5),
        momentary: None,
        short_term: None,
    }),
};

/// The bytes of a file of so many frames of noise, which becomes RF64 above `limit`.
fn written(name: &str, format: Format, tags: &Tags, frames: usize, limit: u64) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    let quantiser = Quantiser::new(format).unwrap();
    let mut writer = FileWriter::begin(&path, format, tags, quantiser, limit).unwrap();
    let sound: Vec<Vec<f64>> = (0..format.channels as u64).map(|channel| noise(channel, frames)).collect();
    writer.write(&sound).unwrap();
    writer.finish(&MEASURED).unwrap();
    std::fs::read(&path).unwrap()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The chunks of a WAV file, by the rules of RIFF and of RF64; all of the file must be in them.
fn chunks(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    assert_eq!(&file[8..12], b"WAVE");
    let (mut chunks, mut at, mut long) = (Vec::new(), 12, None);
    while at < file.len() {
        let kind = String::from_utf8(file[at..at + 4].to_vec()).unwrap();
        let mut size = number(&file[at + 4..at + 8]);
        if kind == "ds64" {
            assert_eq!((at, size), (12, 28), "it comes first");
            long = Some(number(&file[at + 16..at + 24]));
            assert_eq!(number(&file[at + 8..at + 16]), file.len() as u64 - 8);
        }
        if kind == "data" && size == 0xffff_ffff {
            size = long.expect("it has a ds64");
        }
        let body = file[at + 8..at + 8 + size as usize].to_vec();
        at += 8 + body.len().next_multiple_of(2);
        chunks.push((kind, body));
    }
    assert_eq!(at, file.len(), "the last one is whole");
    match &file[..4] {
        b"RIFF" => assert_eq!(number(&file[4..8]), file.len() as u64 - 8),
        b"RF64" => assert_eq!((number(&file[4..8]), long.is_some()), (0xffff_ffff, true)),
        other => panic!("{other:?}"),
    }
    chunks
}

fn body<'a>(chunks: &'a [(String, Vec<u8>)], kind: &str) -> &'a [u8] {
    &chunks.iter().find(|(name, _)| name == kind).unwrap_or_else(|| panic!("no {kind} in it")).1
}

/// The parts of a list.
fn parts(list: &[u8]) -> Vec<(String, String)> {
    let (mut parts, mut at) = (Vec::new(), 4);
    while at < list.len() {
        let kind = String::from_utf8(list[at..at + 4].to_vec()).unwrap();
        let size = number(&list[at + 4..at + 8]) as usize;
        let text = &list[at + 8..at + 8 + size];
        assert_eq!(text.last(), Some(&0), "a text ends with a zero");
        parts.push((kind, String::from_utf8_lossy(&text[..size - 1]).into_owned()));
        at += 8 + size.next_multiple_of(2);
    }
    parts
}

#[test]
fn a_wav_file_has_its_chunks_in_order_and_each_says_what_it_should() {
    let file = written("a.wav", FORMAT, &tags(), 2001, wav::LIMIT);
    let chunks = chunks(&file);
    let kinds: Vec<&str> = chunks.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["JUNK", "bext", "fmt ", "LIST", "axml", "data", "cue ", "LIST"]);
    assert_eq!(body(&chunks, "JUNK").len(), 28, "room for what RF64 needs");
    assert_eq!(body(&chunks, "data").len(), 2001 * 6);
    let fmt = body(&chunks, "fmt ");
    let fields = [0..2, 2..4, 4..8, 8..12, 12..14, 14..16].map(|range| number(&fmt[range]));
    assert_eq!((fields, fmt.len()), ([1, 2, 44_100, 44_100 * 6, 6, 24], 16));
    let info: Vec<(String, String)> = parts(body(&chunks, "LIST"));
    let software = format!("gainstage {}", env!("CARGO_PKG_VERSION"));
    let expected = [
        ("INAM", "Früh"),
        ("IART", "Ada & Bo"),
        ("IPRD", "First light"),
        ("ICRD", "2026-11-21"),
        ("ICMT", "a mastering"),
        ("ITRK", "3"),
        ("ISFT", &software),
    ];
    assert_eq!(info, expected.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
    let xml = String::from_utf8(body(&chunks, "axml").to_vec()).unwrap();
    assert!(xml.contains("<dc:identifier>ISRC:GBABC2600001</dc:identifier>"));
    // The tracks that begin before the end: number, place, chunk, nothing, nothing, frame.
    let cues = body(&chunks, "cue ");
    assert_eq!((number(&cues[..4]), cues.len()), (2, 4 + 2 * 24));
    for (point, (name, frame)) in cues[4..].chunks(24).zip([(1, 0), (2, 1176)]) {
        assert_eq!((number(&point[..4]), number(&point[4..8]), &point[8..12]), (name, frame, b"data".as_slice()));
        assert_eq!((number(&point[12..20]), number(&point[20..])), (0, frame));
    }
    let labels = &chunks.last().unwrap().1;
    assert_eq!(&labels[..4], b"adtl");
    assert_eq!(
        parts(labels),
        [("labl", "\u{1}\0\0\0One"), ("labl", "\u{2}\0\0\0Zwölf")].map(|(a, b)| (a.into(), b.into()))
    );
}

#[test]
fn the_broadcast_extension_is_version_2_with_what_was_measured() {
    let file = written("a.wav", FORMAT, &tags(), 100, wav::LIMIT);
    let chunks = chunks(&file);
    let bext = body(&chunks, "bext");
    let text = |range: std::ops::Range<usize>| String::from_utf8(bext[range].to_vec()).unwrap();
    let ends = |text: String| text.trim_end_matches('\0').to_owned();
    assert_eq!(ends(text(0..256)), "Fr?h", "ASCII alone");
    assert_eq!(ends(text(256..288)), "gainstage");
    assert_eq!(ends(text(288..320)), "");
    assert_eq!((text(320..330), ends(text(330..338))), ("2026-11-21".to_owned(), String::new()));
    assert_eq!((number(&bext[338..346]), number(&bext[346..348])), (0, 2));
    assert!(bext[348..412].iter().all(|byte| *byte == 0), "no UMID");
    let figure = |n: usize| i16::from_le_bytes([bext[412 + 2 * n], bext[413 + 2 * n]]);
    assert_eq!([0, 1, 2, 3, 4].map(figure), [-1401, 550, -100, -999, 0x7fff]);
    assert!(bext[422..602].iter().all(|byte| *byte == 0), "reserved");
    let software = env!("CARGO_PKG_VERSION");
    assert_eq!(
        ends(text(602..bext.len())),
        format!("A=PCM,F=44100,W=24,M=stereo,T=gainstage {software}; TPDF dither\r\n")
    );
    assert_eq!(written("a.wav", FORMAT, &tags(), 100, wav::LIMIT), file, "no clock is read");
    let remarks = tags().remarks(Kind::Wav);
    assert!(remarks.len() == 1 && remarks[0].contains("ASCII") && tags().remarks(Kind::Flac).is_empty());
}

#[test]
fn floats_say_that_they_are_and_how_many_frames_there_are() {
    let file = written("a.wav", Format { depth: Depth::Float32, ..FORMAT }, &Tags::default(), 77, wav::LIMIT);
    let chunks = chunks(&file);
    let fmt = body(&chunks, "fmt ");
    // Without an extension, which is to be said of all that is not PCM.
    assert_eq!((fmt.len(), number(&fmt[..2]), number(&fmt[14..16]), number(&fmt[16..])), (18, 3, 32, 0));
    assert_eq!(number(body(&chunks, "fact")), 77);
}

#[test]
fn figures_that_a_field_cannot_hold_are_unknown() {
    let loudness = |figure| Loudness { integrated: Some(figure), ..Loudness::default() };
    let field = |figure| {
        let bext = riff::bext(FORMAT, &Tags::default(), &loudness(figure));
        i16::from_le_bytes([bext[8 + 412], bext[8 + 413]])
    };
    assert_eq!([-99.99, 0.0, 99.99].map(field), [-9999, 0, 9999]);
    assert_eq!([f64::NEG_INFINITY, f64::NAN, -100.0, 1e9].map(field), [0x7fff; 4]);
}

#[test]
fn a_file_above_the_limit_becomes_rf64_with_the_same_sound() {
    for (depth, channels) in [(Depth::Int16, 1), (Depth::Int24, 2), (Depth::Float32, 2), (Depth::Int24, 1)] {
        let format = Format { depth, channels, ..FORMAT };
        let plain = written("a.wav", format, &tags(), 2001, wav::LIMIT);
        let size = plain.len() as u64 - 8;
        assert_eq!(written("a.wav", format, &tags(), 2001, size), plain, "at the limit");
        let long = written("a.wav", format, &tags(), 2001, size - 1);
        assert_eq!((&long[..4], long.len()), (b"RF64".as_slice(), plain.len()));
        let (plain, long) = (chunks(&plain), chunks(&long));
        assert_eq!(body(&long, "data"), body(&plain, "data"));
        assert_eq!(long[0].0, "ds64");
        let sizes = [0..8, 8..16, 16..24, 24..28].map(|range| number(&long[0].1[range]));
        assert_eq!(sizes, [size, body(&plain, "data").len() as u64, 2001, 0], "{depth:?}");
        if depth == Depth::Float32 {
            assert_eq!((number(body(&plain, "fact")), number(body(&long, "fact"))), (2001, 0xffff_ffff));
        }
        for kind in ["bext", "fmt ", "cue "] {
            assert_eq!(body(&long, kind), body(&plain, kind));
        }
    }
}

/// What another program says of a file; nothing where it is not installed, but on a machine that checks everything.
fn tool(name: &str, arguments: &[&str], path: &Path) -> Option<String> {
    match std::process::Command::new(name).args(arguments).arg(path).output() {
        Ok(ran) => {
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert!(ran.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&ran.stderr));
            Some(said)
        }
        Err(error) => {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            assert!(missing && std::env::var_os("CI").is_none(), "{name}: {error}");
            None
        }
    }
}

#[test]
fn rf64_is_read_by_others() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.wav");
    for (depth, channels) in [(Depth::Int24, 2), (Depth::Float32, 2), (Depth::Int16, 6)] {
        std::fs::write(&path, written("a.wav", Format { depth, channels, ..FORMAT }, &tags(), 2001, 1000)).unwrap();
        let frames = ["-v", "error", "-show_entries", "stream=duration_ts", "-of", "default=nw=1:nk=1"];
        for (name, arguments, expected) in [
            ("ffprobe", &frames[..], "2001"),
            ("soxi", &["-s"][..], "2001"),
            ("sndfile-info", &[][..], "Frames      : 2001"),
        ] {
            let said = tool(name, arguments, &path);
            assert!(said.as_ref().is_none_or(|said| said.contains(expected)), "{name}, {depth:?}: {said:?}");
        }
    }
}

#[test]
fn more_than_two_channels_say_which_loudspeakers_they_are_for() {
    for (depth, kind) in [(Depth::Int16, 1), (Depth::Int24, 1), (Depth::Float32, 3)] {
        for (channels, mask) in [(3, 0x7), (4, 0), (5, 0x37), (6, 0x3f), (7, 0), (8, 0x63f), (24, 0)] {
            let format = Format { depth, channels, ..FORMAT };
            let file = written("a.wav", format, &Tags::default(), 10, wav::LIMIT);
            let chunks = chunks(&file);
            let fmt = body(&chunks, "fmt ");
            assert_eq!((fmt.len(), number(&fmt[..2]), number(&fmt[16..18])), (40, 0xfffe, 22));
            assert_eq!((number(&fmt[18..20]), number(&fmt[20..24])), (u64::from(depth.bits()), mask), "{channels}");
            assert_eq!((number(&fmt[24..26]), &fmt[26..]), (kind, &b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"[..]));
            let reader = hound::WavReader::new(file.as_slice()).unwrap();
            assert_eq!(usize::from(reader.spec().channels), channels);
            // What it says of its loudspeakers is what our own meters take it for.
            let layout = crate::measure::Layout::masked(mask as u32, channels);
            assert_eq!(layout, crate::measure::Layout::of(channels), "{channels} channels");
        }
    }
}

/// The blocks of metadata of a FLAC file, and where its frames begin.
fn blocks(file: &[u8]) -> (Vec<(u8, Vec<u8>)>, usize) {
    assert_eq!(&file[..4], b"fLaC");
    let (mut blocks, mut at) = (Vec::new(), 4);
    loop {
        let size = usize::from(file[at + 1]) << 16 | usize::from(file[at + 2]) << 8 | usize::from(file[at + 3]);
        blocks.push((file[at] & 0x7f, file[at + 4..at + 4 + size].to_vec()));
        let last = file[at] & 0x80 != 0;
        at += 4 + size;
        if last {
            return (blocks, at);
        }
    }
}

/// The vendor, and `NAME=value` of every comment.
fn comments(block: &[u8]) -> Vec<String> {
    let (mut texts, mut at) = (Vec::new(), 0);
    while at < block.len() {
        // Behind the vendor stands how many there are.
        if texts.len() == 1 {
            at += 4;
        }
        let size = number(&block[at..at + 4]) as usize;
        texts.push(String::from_utf8(block[at + 4..at + 4 + size].to_vec()).unwrap());
        at += 4 + size;
    }
    texts
}

#[test]
fn a_flac_file_has_comments_with_replay_gain_and_room_for_more() {
    let file = written("a.flac", FORMAT, &tags(), 5000, wav::LIMIT);
    let (blocks, frames_at) = blocks(&file);
    let kinds: Vec<(u8, bool)> = blocks.iter().map(|(kind, body)| (*kind, body.len() >= 1000)).collect();
    assert_eq!(kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [0, 4, 5, 1]);
    assert!(kinds[3].1, "padding");
    assert_eq!(file[frames_at], 0xff, "the first frame of the codec");
    let expected = [
        format!("gainstage {}", env!("CARGO_PKG_VERSION")),
        "TITLE=Früh".into(),
        "ARTIST=Ada & Bo".into(),
        "ALBUM=First light".into(),
        "DATE=2026-11-21".into(),
        "ISRC=GBABC2600001".into(),
        "COMMENT=a mastering".into(),
        "TRACKNUMBER=3".into(),
        "REPLAYGAIN_TRACK_GAIN=-3.99 dB".into(),
        "REPLAYGAIN_TRACK_PEAK=0.891251".into(),
        "REPLAYGAIN_ALBUM_GAIN=-5.00 dB".into(),
        "REPLAYGAIN_ALBUM_PEAK=0.944061".into(),
    ];
    assert_eq!(comments(&blocks[1].1), expected);
}

#[test]
fn a_flac_file_with_tracks_has_a_cue_sheet() {
    let tags = tags();
    for (depth, frames, cd) in [(Depth::Int16, 5880, true), (Depth::Int16, 5881, false), (Depth::Int24, 5880, false)] {
        let file = written("a.flac", Format { depth, ..FORMAT }, &tags, frames, wav::LIMIT);
        let sheet = blocks(&file).0.swap_remove(2).1;
        let long = |at: usize| u64::from_be_bytes(sheet[at..at + 8].try_into().unwrap());
        assert_eq!((long(128), sheet[136]), if cd { (88_200, 0x80) } else { (0, 0) });
        assert_eq!(sheet[395], 3, "two tracks and the end");
        // Offset, number, ISRC; how many indices; offset and number of each.
        assert_eq!((long(396), sheet[404], &sheet[405..417]), (0, 1, b"GBABC2600001".as_slice()));
        assert_eq!((sheet[431], long(432), sheet[440]), (1, 0, 1));
        assert_eq!((long(444), sheet[452], &sheet[453..465]), (588, 2, [0; 12].as_slice()));
        assert_eq!((sheet[479], long(480), sheet[488], long(492), sheet[500]), (2, 0, 0, 588, 1));
        assert_eq!((long(504), sheet[512], sheet.len()), (frames as u64, if cd { 170 } else { 255 }, 540));
    }
}

#[test]
fn tags_leave_the_sound_as_it_is() {
    let folder = TempDir::new().unwrap();
    for name in ["a.wav", "a.flac"] {
        let sound = |tags: &Tags| {
            let path = folder.path().join(name);
            std::fs::write(&path, written(name, FORMAT, tags, 5000, wav::LIMIT)).unwrap();
            Library::new().open(&path, 44_100).unwrap().memory().unwrap().to_vec()
        };
        assert_eq!(sound(&tags()), sound(&Tags::default()), "{name}");
    }
}

#[test]
fn tags_that_no_file_can_hold_are_refused() {
    let folder = TempDir::new().unwrap();
    let refused = |tags: Tags| {
        let created = FileWriter::create(&folder.path().join("a.wav"), FORMAT, &tags);
        created.err().is_some_and(|error| matches!(error.problem, Problem::Format(_)))
    };
    let marks = |marks: &[(u64, u64)]| Tags {
        marks: marks.iter().map(|&(frame, gap)| Mark { frame, gap, credits: Credits::default() }).collect(),
        ..Tags::default()
    };
    assert!(refused(Tags { credits: credits("two\nlines"), ..Tags::default() }));
    assert!(refused(Tags { credits: Credits { isrc: Some("x".into()), ..Credits::default() }, ..Tags::default() }));
    assert!(refused(marks(&[(10, 0), (5, 0)])) && refused(marks(&[(5, 6)])) && refused(marks(&[(5, 0), (10, 6)])));
    assert!(refused(marks(&[(1 << 32, 0)])) && refused(marks(&[(0, 0); 100])));
    assert!(!refused(marks(&[(5, 5), (10, 5)])));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
