//! The chunks of a WAV file that are not sound. All numbers are written low bytes first; each chunk is padded to whole
//! words.

use super::tags::{DESCRIPTION, Loudness, Mark, SOFTWARE, Tags};
use super::{Depth, Dither, Format};

/// Bytes of a ds64 chunk without a table.
const DS64: u32 = 28;

/// Bytes of a bext chunk before the coding history.
const BEXT: usize = 602;

/// Stands for a figure of loudness that is not known.
const UNKNOWN: i16 = 0x7fff;

/// A chunk of a kind.
pub(super) fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = [kind, (body.len() as u32).to_le_bytes().as_slice(), body].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// The room for the sizes of an RF64 file, or the sizes (EBU Tech 3306): of what follows the word RIFF, of the sound, and
/// the number of frames.
pub(super) fn ds64(sizes: Option<[u64; 3]>) -> Vec<u8> {
    match sizes {
        None => chunk(b"JUNK", &[0; DS64 as usize]),
        Some(sizes) => {
            let mut body: Vec<u8> = sizes.into_iter().flat_map(u64::to_le_bytes).collect();
            body.resize(DS64 as usize, 0);
            chunk(b"ds64", &body)
        }
    }
}

/// Which loudspeaker each channel is for, where a number of channels says it: up to 7.1, in the order L R C LFE, rear, side.
/// None of them for the rest.
fn loudspeakers(channels: usize) -> u32 {
    match channels {
        3 => 0x007,
        5 => 0x037,
        6 => 0x03f,
        8 => 0x63f,
        _ => 0,
    }
}

/// What a sample is; extensible for more than two channels.
pub(super) fn fmt(format: Format) -> Vec<u8> {
    let bits = format.depth.bits();
    let block = format.channels as u16 * (bits / 8);
    let kind: u16 = if format.depth == Depth::Float32 { 3 } else { 1 };
    let extensible = format.channels > 2;
    let mut body = Vec::new();
    body.extend(if extensible { 0xfffe } else { kind }.to_le_bytes());
    body.extend((format.channels as u16).to_le_bytes());
    body.extend(format.rate.to_le_bytes());
    body.extend((format.rate * u32::from(block)).to_le_bytes());
    body.extend(block.to_le_bytes());
    body.extend(bits.to_le_bytes());
    if kind != 1 || extensible {
        // How much of an extension follows.
        body.extend(if extensible { 22u16 } else { 0 }.to_le_bytes());
    }
    if extensible {
        body.extend(bits.to_le_bytes());
        body.extend(loudspeakers(format.channels).to_le_bytes());
        body.extend(kind.to_le_bytes());
        body.extend(*b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
    }
    chunk(b"fmt ", &body)
}

/// The broadcast extension, version 2 (EBU Tech 3285, 2011). Its time is empty and its UMID and time reference are zero: what
/// a file holds is a function of the session alone.
pub(super) fn bext(format: Format, tags: &Tags, loudness: &Loudness) -> Vec<u8> {
    let mut body = vec![0; BEXT];
    let mut put = |at: usize, bytes: &[u8]| body[at..at + bytes.len()].copy_from_slice(bytes);
    let title = tags.credits.title.iter().flat_map(|title| title.chars());
    let description: Vec<u8> = title.map(|c| if c.is_ascii() { c as u8 } else { b'?' }).take(DESCRIPTION).collect();
    put(0, &description);
    put(256, b"gainstage");
    put(320, tags.credits.date.as_deref().unwrap_or_default().as_bytes());
    put(346, &2u16.to_le_bytes());
    let figures = [loudness.integrated, loudness.range, loudness.true_peak, loudness.momentary, loudness.short_term];
    put(412, &figures.map(hundredths).concat());
    body.extend(coding_history(format).bytes());
    // A text may end in a zero, and there are readers that do not know of padding.
    body.resize(body.len().next_multiple_of(2), 0);
    chunk(b"bext", &body)
}

fn hundredths(figure: Option<f64>) -> [u8; 2] {
    let held = figure.map(|figure| (figure * 100.0).round()).filter(|hundreds| hundreds.abs() <= 9999.0);
    held.map_or(UNKNOWN, |hundreds| hundreds as i16).to_le_bytes()
}

/// One line as EBU R 98 (1999) has it.
fn coding_history(format: Format) -> String {
    let mode = match format.channels {
        1 => "M=mono,",
        2 => "M=stereo,",
        _ => "",
    };
    let how = match (format.depth, format.dither) {
        (Depth::Float32, _) => "float",
        (_, Dither::None) => "no dither",
        (_, Dither::Tpdf(crate::dither::Shape::Flat)) => "TPDF dither",
        (_, Dither::Tpdf(_)) => "TPDF dither with noise shaping",
    };
    format!("A=PCM,F={},W={},{mode}T={SOFTWARE}; {how}\r\n", format.rate, format.depth.bits())
}

/// The INFO list, its texts in UTF-8.
pub(super) fn info(tags: &Tags) -> Vec<u8> {
    let said = &tags.credits;
    let texts = [
        (b"INAM", said.title.clone()),
        (b"IART", said.artist.clone()),
        (b"IPRD", said.album.clone()),
        (b"ICRD", said.date.clone()),
        (b"ICMT", said.comment.clone()),
        (b"ITRK", tags.track.map(|number| number.to_string())),
        (b"ISFT", Some(SOFTWARE.to_owned())),
    ];
    let texts = texts.into_iter().filter_map(|(kind, text)| Some(chunk(kind, &ended(&text?))));
    chunk(b"LIST", &[b"INFO".to_vec(), texts.collect::<Vec<_>>().concat()].concat())
}

fn ended(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

/// The ISRC, in the words of EBU Core (EBU Tech 3352): neither bext nor INFO has a place for it.
pub(super) fn axml(tags: &Tags) -> Vec<u8> {
    let Some(isrc) = &tags.credits.isrc else { return Vec::new() };
    let mut xml = format!(
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            r#"<ebucore:ebuCoreMain xmlns:dc="http://purl.org/dc/elements/1.1/" "#,
            r#"xmlns:ebucore="urn:ebu:metadata-schema:ebuCore_2012"><ebucore:coreMetadata>"#,
            r#"<ebucore:identifier typeLabel="GUID" typeDefinition="Globally Unique Identifier" formatLabel="ISRC" "#,
            r#"formatDefinition="International Standard Recording Code" "#,
            r#"formatLink="http://www.ebu.ch/metadata/cs/ebu_IdentifierTypeCodeCS.xml#3.7">"#,
            r#"<dc:identifier>ISRC:{}</dc:identifier>"#,
            r#"</ebucore:identifier></ebucore:coreMetadata></ebucore:ebuCoreMain>"#,
        ),
        isrc
    );
    if xml.len() % 2 == 1 {
        xml.push('\n');
    }
    chunk(b"axml", xml.as_bytes())
}

/// A cue point for each mark, and its label; nothing without marks.
pub(super) fn cues(marks: &[Mark]) -> Vec<u8> {
    if marks.is_empty() {
        return Vec::new();
    }
    let mut points = (marks.len() as u32).to_le_bytes().to_vec();
    let mut labels = b"adtl".to_vec();
    for (number, mark) in (1u32..).zip(marks) {
        let frame = (mark.frame as u32).to_le_bytes();
        // Its name, its place in the order of playing, the chunk, where chunk and block begin, and the frame.
        points.extend([&number.to_le_bytes(), &frame, b"data", &[0; 4], &[0; 4], &frame].into_iter().flatten());
        let label = ended(mark.credits.title.as_deref().unwrap_or_default());
        labels.extend(chunk(b"labl", &[number.to_le_bytes().as_slice(), &label].concat()));
    }
    [chunk(b"cue ", &points), chunk(b"LIST", &labels)].concat()
}
