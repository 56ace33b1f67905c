//! Where the sound begins in an MP4 file: its edit list (ISO/IEC 14496-12, 8.6.6), which takes off the frames that an AAC
//! encoder puts in front. Symphonia reads the list and does not apply it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// More boxes beside each other than any honest file has.
const MOST_BOXES: usize = 4096;

/// Media time, in ticks of the first sound track, at which it begins to be heard; 0 if the file does not say.
pub(super) fn start(path: &Path) -> u64 {
    File::open(path).ok().and_then(|mut file| first_edit(&mut file)).unwrap_or(0)
}

fn first_edit(file: &mut File) -> Option<u64> {
    let whole = Span { start: 0, end: file.metadata().ok()?.len() };
    let movie = whole.child(file, b"moov")?;
    let tracks = movie.children(file);
    let track = tracks.iter().filter(|(kind, _)| kind == b"trak").find_map(|&(_, track)| {
        let handler = track.child(file, b"mdia")?.child(file, b"hdlr")?;
        (&handler.read::<12>(file)?[8..] == b"soun").then_some(track)
    })?;
    let list = track.child(file, b"edts")?.child(file, b"elst")?;
    let [version, _, _, _, count @ ..] = list.read::<8>(file)?;
    let entries = Span { start: list.start + 8, end: list.end };
    let size = if version == 1 { 20 } else { 12 };
    let count = u64::from(u32::from_be_bytes(count)).min((entries.end - entries.start) / size).min(16);
    // The first entry that plays something; empty ones have a media time of -1.
    (0..count).find_map(|index| {
        let entry = Span { start: entries.start + index * size, end: entries.end };
        let time = if version == 1 {
            i64::from_be_bytes(entry.read::<16>(file)?[8..].try_into().ok()?)
        } else {
            i64::from(i32::from_be_bytes(entry.read::<8>(file)?[4..].try_into().ok()?))
        };
        u64::try_from(time).ok()
    })
}

/// The contents of a box, as offsets into the file.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

impl Span {
    /// Its first bytes.
    fn read<const N: usize>(self, file: &mut File) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        if self.end.checked_sub(self.start)? < N as u64 {
            return None;
        }
        file.seek(SeekFrom::Start(self.start)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn child(self, file: &mut File, wanted: &[u8; 4]) -> Option<Span> {
        self.children(file).into_iter().find(|(kind, _)| kind == wanted).map(|(_, span)| span)
    }

    fn children(self, file: &mut File) -> Vec<([u8; 4], Span)> {
        let mut found = Vec::new();
        let mut at = self.start;
        while found.len() < MOST_BOXES {
            let rest = Span { start: at, end: self.end };
            let Some([a, b, c, d, kind @ ..]) = rest.read::<8>(file) else { break };
            let (head, size) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (8, self.end - at),
                1 => match rest.read::<16>(file) {
                    Some([_, _, _, _, _, _, _, _, long @ ..]) => (16, u64::from_be_bytes(long)),
                    None => break,
                },
                size => (8, u64::from(size)),
            };
            let Some(end) = at.checked_add(size).filter(|&end| size >= head && end <= self.end) else { break };
            found.push((kind, Span { start: at + head, end }));
            at = end;
        }
        found
    }
}
