//! Each example sounds as it did: the first seconds of everything that flows into a place, and of what is delivered.
//!
//! One file for each example in `golden/`. A line of it is a path and, for every tenth of a second, a hash of all that
//! has flowed there until then, as 32-bit floats. The files may be renewed when a change of sound is meant, heard, and
//! named in the commit that makes it; never to make a test pass:
//! `GAINSTAGE_GOLDEN=renew cargo test -p gainstage-tests golden`.

use std::convert::Infallible;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use engine::graph::prepare;
use engine::media::Library;
use engine::offline::{Offline, Stream};
use engine::session::PlaceKind;

use crate::program::examples;

const FRAMES: u64 = 3 * 48_000;

/// A hash is noted every so many frames: a multiple of the quantum.
const MARK: u64 = 4800;

/// What is noted of one path.
struct Trace {
    path: String,
    frames: u64,
    hash: u64,
    marks: Vec<u64>,
}

impl Trace {
    fn new(path: &str) -> Self {
        // The hash of nothing: Fowler, Noll and Vo's FNV-1a of 64 bits (1991).
        Trace { path: path.to_owned(), frames: 0, hash: 0xcbf2_9ce4_8422_2325, marks: Vec::new() }
    }

    fn hear(&mut self, channels: &[&[f64]]) {
        for frame in 0..channels[0].len() {
            for channel in channels {
                for byte in (channel[frame] as f32).to_bits().to_le_bytes() {
                    self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
                }
            }
            self.frames += 1;
            if self.frames.is_multiple_of(MARK) {
                self.marks.push(self.hash);
            }
        }
    }

    fn shown(&self) -> String {
        let marks: Vec<String> = self.marks.iter().map(|mark| format!("{mark:016x}")).collect();
        format!("{}\t{}", self.path, marks.join(" "))
    }
}

/// What flows into each bus and the master, cable by cable, and then what is delivered.
fn traces(session: &Path) -> Vec<Trace> {
    let evaluated = scripting::evaluate_file(session).session.expect("the example is right");
    let prepared = prepare(evaluated, &Library::new());
    let (session, graph) = (prepared.session.expect("it is right"), prepared.graph.expect("it can sound"));
    let mut buses: Vec<&str> = Vec::new();
    buses.extend(session.places.iter().filter(|p| matches!(p.kind, PlaceKind::Bus { .. })).map(|p| p.name.as_str()));
    // The master last, so that what is nearer to the sources is named first.
    buses.sort_by_key(|name| *name == "master");
    let mut traces = Vec::new();
    for bus in buses {
        let mut offline = Offline::new(&graph, Some(bus)).expect("its plan proves right");
        let mut here: Vec<Trace> = offline.stems().iter().map(|(path, _)| Trace::new(path)).collect();
        let mut delivered = Trace::new("output");
        let done: Result<(), Infallible> = offline.render(
            FRAMES,
            |_| {},
            |stream, channels| {
                match stream {
                    Stream::Stem(i) => here[i].hear(channels),
                    Stream::Output(0) => delivered.hear(channels),
                    Stream::Output(_) | Stream::Heard(_) | Stream::Reduced(_) => {}
                }
                Ok(())
            },
        );
        let Ok(()) = done;
        traces.append(&mut here);
        if bus == "master" {
            traces.push(delivered);
        }
    }
    traces
}

/// What differs from what is kept, as a person reads it.
fn difference(kept: &str, traces: &[Trace]) -> Option<String> {
    let kept: Vec<(&str, Vec<&str>)> = kept
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, marks)| (path, marks.split_whitespace().collect()))
        .collect();
    let mut told = Vec::new();
    for trace in traces {
        let Some((_, marks)) = kept.iter().find(|(path, _)| *path == trace.path) else {
            told.push((0, format!("{} is new", trace.path)));
            continue;
        };
        let same = marks.iter().zip(&trace.marks).take_while(|(kept, mark)| **kept == format!("{mark:016x}")).count();
        if same < marks.len().max(trace.marks.len()) {
            let from = same as u64 * MARK;
            told.push((from, format!("{} differs first between frames {from} and {}", trace.path, from + MARK - 1)));
        }
    }
    let gone = kept.iter().filter(|(path, _)| traces.iter().all(|trace| trace.path != *path));
    told.extend(gone.map(|(path, _)| (0, format!("{path} is gone"))));
    // The earliest first; at the same time, what is nearer to the sources.
    told.sort_by_key(|(from, _)| *from);
    let lines: Vec<String> = told.into_iter().map(|(_, line)| line).collect();
    (!lines.is_empty()).then(|| lines.join("\n  "))
}

fn check(session: &Path) -> Option<String> {
    let name = session.file_stem()?.to_string_lossy();
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src", "golden", &format!("{name}.txt")].iter().collect();
    let traces = traces(session);
    if env::var_os("GAINSTAGE_GOLDEN").is_some_and(|value| value == "renew") {
        let mut text = format!("# {name}.rhai: see golden.rs for what this is, and when it may be renewed.\n");
        traces.iter().for_each(|trace| text += &format!("{}\n", trace.shown()));
        fs::write(&file, text).expect("it can be written");
    }
    let Ok(kept) = fs::read_to_string(&file) else {
        return Some(format!("{name}: nothing is kept of this example in {}", file.display()));
    };
    difference(&kept, &traces).map(|told| format!("{name}:\n  {told}"))
}

#[test]
fn each_example_sounds_as_it_did() {
    let folders = [examples(), examples().join("pieces")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("there are examples"));
    let mut sessions: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    sessions.retain(|path| path.extension().is_some_and(|extension| extension == "rhai"));
    sessions.sort();
    assert!(sessions.len() >= 4, "only {sessions:?}");
    let told: Vec<String> = thread::scope(|scope| {
        let checks: Vec<_> = sessions.iter().map(|session| scope.spawn(|| check(session))).collect();
        checks.into_iter().filter_map(|check| check.join().expect("it renders")).collect()
    });
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn a_difference_is_told_by_its_path_and_its_first_frames() {
    let sounded = |path: &str, at: Option<usize>| {
        let mut trace = Trace::new(path);
        let mut sound = vec![0.25; 3 * MARK as usize];
        at.into_iter().for_each(|at| sound[at] = 0.250_001);
        trace.hear(&[&sound]);
        trace
    };
    let kept = format!("# a remark\n{}\n{}\n", sounded("a>band", None).shown(), sounded("output", None).shown());
    assert_eq!(difference(&kept, &[sounded("a>band", None), sounded("output", None)]), None);
    let told = difference(&kept, &[sounded("a>band", Some(4800)), sounded("output", Some(9599))]);
    assert_eq!(
        told.as_deref(),
        Some("a>band differs first between frames 4800 and 9599\n  output differs first between frames 4800 and 9599")
    );
    let told = difference(&kept, &[sounded("output", None), sounded("b>band", None)]);
    assert_eq!(told.as_deref(), Some("b>band is new\n  a>band is gone"));
}
