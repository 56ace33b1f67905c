//! The same six works by gainstage and by other programs, each with a script of its own in the work's folder, in turn and in one run.
//!
//! `cargo build --release && cargo bench -p gainstage-tests --bench works [-- WORK SECONDS --turns 5 --markdown]`, the works being
//! strips, mix, voices, convolution, loudness and mastering. What counts is the time of the processor, of all threads, in each turn over
//! ours in the same turn: ratios of one run may be compared, seconds may not. Sound files are read and written, 48 kHz and 32-bit floats,
//! and that is counted; compiling is not. Unless it is said how many there are 60 seconds of sound, of the last three works 600. Starting
//! is counted, too: with ten seconds, which make a run of all six one of minutes, it is a fifth of what 64 strips take of ours, with 60 a
//! twentieth.
//!
//! Who is not installed is left out and named, and so is who does not sound like ours: levels of octaves are compared, of which the
//! farthest apart is told. Of strips the last is no program for anybody, but what the processor can do.

#[path = "../contest/mod.rs"]
mod contest;
mod convolution;
mod likeness;
mod limit;
mod loudness;
mod mastering;
mod mix;
mod programs;
mod race;
mod strips;
mod table;
mod voices;

use std::path::Path;

use contest::material;
use programs::Stage;
use race::Work;
use tempfile::TempDir;

const NAMES: [&str; 6] = ["strips", "mix", "voices", "convolution", "loudness", "mastering"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some(race::TIMED) => return race::timed(&arguments[1..]),
        Some(limit::LIMIT) => return limit::run(&arguments[1..]),
        Some(loudness::SCAN) => return loudness::scan(Path::new(&arguments[1])),
        _ => {}
    }
    let (mut chosen, mut seconds, mut turns, mut markdown) = (Vec::new(), None, 5, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match (word.as_str(), word.parse()) {
            ("--markdown", _) => markdown = true,
            ("--turns", _) => {
                turns = words.next().and_then(|word| word.parse().ok()).filter(|turns| *turns > 0).unwrap_or(turns)
            }
            (_, Ok(number)) if number > 0 => seconds = Some(number),
            (name, _) if NAMES.contains(&name) => chosen.push(name),
            (other, _) => {
                return eprintln!(
                    "`{other}` is no work: they are {}, then seconds of sound, --turns N, --markdown",
                    NAMES.join(", ")
                );
            }
        }
    }
    table::head(markdown, turns);
    for name in NAMES {
        if chosen.is_empty() || chosen.contains(&name) {
            race(name, seconds, turns, markdown);
        }
    }
}

/// Has everyone do a work, and tells.
fn race(name: &str, seconds: Option<usize>, turns: usize, markdown: bool) {
    let folder = TempDir::new().expect("there is room");
    let stage = |usual| Stage { folder: folder.path().to_owned(), seconds: seconds.unwrap_or(usual) };
    let tell = |work: Work| {
        let title = work.title.clone();
        let (rows, left) = race::run(work, turns);
        table::show(markdown, &title, &rows, &left);
    };
    match name {
        "strips" => {
            let most = strips::SIZES.into_iter().fold(0, usize::max);
            material::channels(folder.path(), most, stage(60).seconds);
            strips::SIZES.into_iter().for_each(|size| tell(strips::work(&stage(60), size)));
        }
        "mix" => tell(mix::work(&stage(60))),
        "voices" => tell(voices::work(&stage(60))),
        "convolution" => tell(convolution::work(&stage(600))),
        "loudness" => tell(loudness::work(&stage(600))),
        _ => tell(mastering::work(&stage(600))),
    }
}
