//! What is done on several threads: rendering and what takes it, several media at a time, edits that open nothing anew.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::graph::{Graph, Role, prepare};
use engine::media::{Library, Media};
use engine::offline::{Extent, Offline, Stream};
use tempfile::TempDir;

use crate::program::run_in;
use crate::sessions::graph;

/// Two stems, of which one rings on, and a point whose effect turns down.
const TEXT: &str = "let a = input(\"a\", sine(220).level(-20));\nlet b = input(\"b\", impulse(3).level(-6));
a >> compressor(-40, 4) >> master;\nb >> delay(40).feedback(50) >> pan(0.3) >> master;\n";

/// More than can be on its way, in quanta.
const AHEAD: usize = 5 * 64;

/// All that is rendered, in order.
type Pieces = Vec<(Stream, Vec<Vec<f64>>)>;

/// Keeps every piece that it is given.
fn keep(pieces: &mut Pieces) -> impl FnMut(Stream, &[&[f64]]) -> Result<(), ()> {
    |stream, sound| {
        pieces.push((stream, sound.iter().map(|channel| channel.to_vec()).collect()));
        Ok(())
    }
}

#[test]
fn what_is_rendered_ahead_is_taken_in_the_same_pieces_and_order() {
    let graph = graph(TEXT);
    for extent in [Extent::from(0), Extent::from(1000), Extent::from(30_011), Extent { least: 5000, most: 40_000 }] {
        let (mut here, mut ahead): (Pieces, Pieces) = Default::default();
        let offline = || Offline::new(&graph, Some("master")).expect("the plan proves right");
        assert_eq!(offline().render(extent, |_| {}, keep(&mut here)), Ok(()));
        assert_eq!(offline().render_ahead(extent, |_| {}, keep(&mut ahead)), Ok(()));
        assert!(here == ahead, "{extent:?}: {} pieces against {}", here.len(), ahead.len());
    }
}

#[test]
fn a_rendering_waits_for_who_takes_it_and_ends_with_them() {
    let graph = graph(TEXT);
    let mut offline = Offline::new(&graph, None).expect("the plan proves right");
    let (begun, mut taken) = (AtomicUsize::new(0), 0);
    let count = |_: &mut Vec<_>| {
        begun.fetch_add(1, Ordering::Relaxed);
    };
    let ended = offline.render_ahead(480_000, count, |_, _| {
        taken += 1;
        if taken % 50 == 0 {
            std::thread::yield_now();
        }
        let ahead = begun.load(Ordering::Relaxed).saturating_sub(taken);
        assert!(ahead <= AHEAD, "{ahead} quanta are on their way");
        if taken == 2000 { Err("the disk is full") } else { Ok(()) }
    });
    assert_eq!((ended, taken), (Err("the disk is full"), 2000));
    assert!(begun.load(Ordering::Relaxed) <= 2000 + AHEAD);
}

/// A folder of sound files, each another.
fn folder(files: usize) -> TempDir {
    let folder = TempDir::new().expect("there is room");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for file in 0..files {
        let mut writer =
            hound::WavWriter::create(folder.path().join(format!("{file}.wav")), spec).expect("it is begun");
        (0..2000_i16).for_each(|i| writer.write_sample(i * (file as i16 + 1)).expect("there is room"));
        writer.finalize().expect("there is room");
    }
    folder
}

fn session(files: usize, level: i32) -> String {
    let strip = |i| format!("input(\"in-{i}\", clip(\"{i}.wav\")) >> fader({level}) >> master;\n");
    (0..files).map(strip).collect()
}

fn prepared(folder: &Path, text: &str, library: &Library) -> Graph {
    let evaluated = scripting::evaluate_text(&folder.join("session.rhai"), text);
    prepare(evaluated.session.expect("it is right"), library).graph.expect("it can sound")
}

/// What a graph reads, by the names of the files.
fn media(graph: &Graph) -> Vec<Arc<Media>> {
    let mut media: Vec<Arc<Media>> = Vec::new();
    for node in &graph.nodes {
        if let Role::Work { recipe, .. } = &node.role {
            media.extend(recipe.media.iter().cloned());
        }
    }
    media.sort_by_key(|media| media.path().to_owned());
    media
}

fn are_the_same(one: &[Arc<Media>], other: &[Arc<Media>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

#[test]
fn an_edit_decodes_nothing_anew_but_what_has_changed() {
    let folder = folder(3);
    let library = Library::new();
    let first = media(&prepared(folder.path(), &session(3, 0), &library));
    let edited = media(&prepared(folder.path(), &session(3, -6), &library));
    assert!(first.len() == 3 && are_the_same(&first, &edited));
    fs::copy(folder.path().join("0.wav"), folder.path().join("new")).expect("there is room");
    fs::rename(folder.path().join("new"), folder.path().join("2.wav")).expect("it can be put in place");
    let changed = media(&prepared(folder.path(), &session(3, -6), &library));
    assert!(are_the_same(&first[..2], &changed[..2]) && !Arc::ptr_eq(&first[2], &changed[2]));
}

#[test]
fn what_is_foreseen_is_opened_once_and_what_is_wrong_with_it_is_told_to_who_asks() {
    let folder = folder(5);
    let library = Library::new();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("bad.wav"), "this is no sound").expect("there is room");
    let asked: Vec<_> = ["0.wav", "1.wav", "bad.wav", "2.wav", "1.wav", "none.wav", "3.wav"].map(file).to_vec();
    let mut foreseen = library.foresee(&asked, 48_000);
    foreseen.sort_by_key(|media| media.path().to_owned());
    let graph = prepared(folder.path(), &session(4, 0), &library);
    assert!(are_the_same(&foreseen, &media(&graph)));
    assert!(library.open(&file("bad.wav"), 48_000).is_err() && library.open(&file("none.wav"), 48_000).is_err());
    // What is known is left alone.
    assert!(library.foresee(&[file("0.wav"), file("2.wav")], 48_000).is_empty());
}

#[test]
fn several_targets_and_stems_come_from_one_rendering_as_each_alone() {
    let folder = TempDir::new().expect("there is room");
    let text = format!("{TEXT}master >> limiter(-1).gain(12) >> output(1, 2);");
    fs::write(folder.path().join("session.rhai"), text).expect("there is room");
    let render = |options: &str| {
        let options = options.split(' ');
        let given: Vec<&str> = ["render", "session.rhai", "--length", "2s"].into_iter().chain(options).collect();
        let ran = run_in(folder.path(), &given);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(ran.err.matches("times real time").count(), 1, "{ran:?}");
    };
    let bytes = |name: &str| fs::read(folder.path().join(name)).expect("it is written");
    render("--target spotify,cd,ebu_r128 --force -o all.wav");
    for name in ["spotify", "cd", "ebu_r128"] {
        render(&format!("--target {name} --force -o alone.wav"));
        assert!(bytes(&format!("all-{name}.wav")) == bytes("alone.wav"), "{name}");
    }
    render("-o whole.flac --stems with");
    render("-o alone.flac");
    render("--stems without");
    assert!(bytes("whole.flac") == bytes("alone.flac"));
    for stem in ["session-a.wav", "session-b.wav"] {
        assert!(bytes(&format!("with/{stem}")) == bytes(&format!("without/{stem}")), "{stem}");
    }
}
