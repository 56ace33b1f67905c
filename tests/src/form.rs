//! The form of a piece from the text to the sound: when sources sound, what mutes and sets hold, how long it is, and what edits
//! do to it. At 960 beats a minute a bar has 12 000 frames.

use std::f64::consts::PI;

use engine::offline::{Offline, Stream, natural_end};
use engine::random;

use crate::exact::{assert_one_sound, rendered};
use crate::rehearsal::{Rehearsal, cold, first_difference};
use crate::sessions::graph;
use crate::spectrum::loudest_above;

/// Frames of a bar.
const BAR: usize = 12_000;

/// Frames of the fade where a source is cut off, 5 ms.
const GATE: usize = 240;

/// Frames of the crossfade, 20 ms.
const CROSSFADE: usize = 960;

const HEAD: &str = "tempo(960);\n";

/// Half a cosine up.
fn rise(gone: usize, over: usize) -> f64 {
    if gone >= over { 1.0 } else { 0.5 - 0.5 * (PI * gone as f64 / over as f64).cos() }
}

/// What is left of a generator at a frame, if it sounds in stretches of frames.
fn gate(stretches: &[(usize, usize)], frame: usize) -> f64 {
    let Some(&(begin, end)) = stretches.iter().find(|(begin, end)| (*begin..*end).contains(&frame)) else { return 0.0 };
    let comes_in = if begin == 0 { 1.0 } else { rise(frame - begin, GATE) };
    comes_in * rise(end - 1 - frame, GATE)
}

/// Where values that begin at frames have got to: each is reached on its frame, evenly in amplitude, over the crossfade.
fn reached(values: &[(usize, f64)], frame: usize) -> f64 {
    let mut at = values[0].1;
    for pair in values.windows(2) {
        let (line, to) = pair[1];
        let part = (frame + 1 + CROSSFADE).saturating_sub(line) as f64 / CROSSFADE as f64;
        at += (to - at) * part.clamp(0.0, 1.0);
    }
    at
}

/// Sound against a sound that nothing was done to, frame by frame.
fn assert_gain(what: &str, sound: &[f64], whole: &[f64], gain: impl Fn(usize) -> f64) {
    for (frame, (x, whole)) in sound.iter().zip(whole).enumerate() {
        let wanted = whole * gain(frame);
        assert!((x - wanted).abs() < 1e-12, "{what}: {x} at frame {frame}, not {wanted}");
        assert!(gain(frame) != 0.0 || *x == 0.0, "{what}: {x} at frame {frame}, where it is silent");
    }
}

const SAW: &str = "input(\"n\", saw(97))";

#[test]
fn a_generator_sounds_in_exactly_the_frames_of_its_sections() {
    let whole = cold(&format!("{HEAD}{SAW} >> master;"), 6 * BAR);
    let text = format!(
        "{HEAD} section(\"a\", 2, || {{}}); section(\"b\", 1.5, || {{ {SAW}; }}); section(\"c\", 0.5, || {{ {SAW}; }});
         at(\"n\") >> master; arrange([\"a\", \"b\", \"a\", \"c\"]);"
    );
    let sound = cold(&text, 7 * BAR);
    let (b, c) = ((2 * BAR, 7 * BAR / 2), (11 * BAR / 2, 6 * BAR));
    assert_gain("gated", &sound[0], &whole[0], |frame| gate(&[b, c], frame));
    assert!(sound[0][6 * BAR..].iter().all(|x| *x == 0.0), "behind the last section all is silent");
}

#[test]
fn a_generator_goes_on_from_one_section_into_the_next_and_what_no_section_has_until_the_end() {
    let whole = cold(&format!("{HEAD}{SAW} >> master;"), 4 * BAR);
    let text =
        format!("{HEAD} section(\"a\", 1, || {{ {SAW}; }}); at(\"n\") >> master; arrange([\"a\", \"a\", \"a\"]);");
    assert_gain("thrice", &cold(&text, 4 * BAR)[0], &whole[0], |frame| gate(&[(0, 3 * BAR)], frame));
    let text = format!("{HEAD} {SAW} >> master; section(\"a\", 2, || {{}}); section(\"b\", 1, || {{}});");
    assert_gain("outside", &cold(&text, 4 * BAR)[0], &whole[0], |frame| gate(&[(0, 3 * BAR)], frame));
}

#[test]
fn a_clip_begins_anew_in_each_section_and_is_cut_where_that_ends() {
    let clip = "clip(\"audio/keys.flac\").gain(-3)";
    let sections = |clip: &str| {
        format!(
            "{HEAD} section(\"gap\", 0.25, || {{}}); section(\"a\", 1.5, || {{ input(\"k\", {clip}); }});
             at(\"k\") >> master; arrange([\"a\", \"gap\", \"a\", \"a\"]);"
        )
    };
    let by_hand = |from: f64, clip: &str| {
        let regions: Vec<String> = [0.0, 1.75, 3.25]
            .iter()
            .map(|bar| format!("{clip}.start({}.bars).to({}.bars).fade_out(5.ms)", bar + from, 1.5 - from))
            .collect();
        format!("{HEAD} input(\"k\", [{}]) >> master;", regions.join(", "))
    };
    for from in [0.0, 0.25] {
        let a = cold(&sections(&format!("{clip}.start({from}.bars)")), 5 * BAR);
        assert_eq!(first_difference(&a, &cold(&by_hand(from, clip), 5 * BAR)), None, "from {from}");
        assert!(a[0].iter().any(|x| *x != 0.0));
    }
    // One that ends before its section does is left as it is.
    let short = cold(&sections(&format!("{clip}.to(1.bars)")), 5 * BAR);
    let regions = [0.0, 1.75, 3.25].map(|bar| format!("{clip}.to(1.bars).start({bar}.bars)")).join(", ");
    assert_eq!(first_difference(&short, &cold(&format!("{HEAD} input(\"k\", [{regions}]) >> master;"), 5 * BAR)), None);
}

#[test]
fn a_loop_that_fits_its_section_goes_on_without_a_seam() {
    let sections = "section(\"a\", 1, || { input(\"k\", clip(\"audio/keys.flac\").to(0.5.bars).looped()); });
        at(\"k\") >> master; arrange([\"a\", \"a\"]);";
    let looped = "input(\"k\", clip(\"audio/keys.flac\").to(0.5.bars).looped()) >> master;";
    let (a, b) = (cold(&format!("{HEAD}{sections}"), 2 * BAR), cold(&format!("{HEAD}{looped}"), 2 * BAR));
    let until = 2 * BAR - GATE;
    let cut = |sound: &[Vec<f64>]| sound.iter().map(|x| x[..until].to_vec()).collect::<Vec<_>>();
    assert_eq!(first_difference(&cut(&a), &cut(&b)), None);
    assert_eq!(a[0][2 * BAR - 1], 0.0, "where the piece ends it is cut");
}

#[test]
fn regions_of_one_input_are_those_of_its_sections_and_its_own() {
    let text = format!(
        "{HEAD} let n = input(\"n\", sine(50)); section(\"a\", 1, || {{ input(\"n\", saw(70)); }});
         section(\"b\", 1, || {{ input(\"n\", [square(30), sine(90)]); }}); n >> master;"
    );
    let alone = |source: &str| cold(&format!("{HEAD} input(\"n\", {source}) >> master;"), 2 * BAR);
    let (sine, saw, square, other) = (alone("sine(50)"), alone("saw(70)"), alone("square(30)"), alone("sine(90)"));
    let sound = cold(&text, 2 * BAR);
    let (a, b, all) = ([(0, BAR)], [(BAR, 2 * BAR)], [(0, 2 * BAR)]);
    for frame in 0..2 * BAR {
        let wanted = sine[0][frame] * gate(&all, frame)
            + saw[0][frame] * gate(&a, frame)
            + (square[0][frame] + other[0][frame]) * gate(&b, frame);
        assert!((sound[0][frame] - wanted).abs() < 1e-12, "frame {frame}");
    }
}

#[test]
fn what_a_section_mutes_and_sets_holds_from_its_first_frame_to_its_last() {
    let strip = format!("{HEAD} let n = {SAW}; n >> fader(-6) >> master;");
    let whole = cold(&format!("{HEAD}{SAW} >> master;"), 5 * BAR);
    let level = |db: f64| 10f64.powf(db / 20.0);
    let order = "section(\"a\", 1, || {}); arrange([\"a\", \"b\", \"a\", \"b\", \"b\"]);";
    let lines = |other: f64, own: f64| [(0, other), (BAR, own), (2 * BAR, other), (3 * BAR, own)];
    let last = [(0, 5 * BAR)];
    let set = cold(&format!("{strip} section(\"b\", 1, || {{ set(\"n/fader.gain\", 3); }}); {order}"), 5 * BAR);
    let lines_of_set = lines(level(-6.0), level(3.0));
    assert_gain("set", &set[0], &whole[0], |frame| reached(&lines_of_set, frame) * gate(&last, frame));
    for mute in ["mute(n)", "mute(\"n>master\")", "solo(\"m\")"] {
        let other = "input(\"m\", sine(50)) >> fader(off) >> master;";
        let text = format!("{strip} {other} section(\"b\", 1, || {{ {mute}; }}); {order}");
        let lines = lines(1.0, 0.0);
        assert_gain(mute, &cold(&text, 5 * BAR)[0], &whole[0], |frame| {
            reached(&lines, frame) * level(-6.0) * gate(&last, frame)
        });
    }
    let unmute = cold(&format!("{strip} mute(n); section(\"b\", 1, || {{ mute(n, off); }}); {order}"), 5 * BAR);
    let lines = lines(0.0, 1.0);
    assert_gain("unmute", &unmute[0], &whole[0], |frame| reached(&lines, frame) * level(-6.0) * gate(&last, frame));
}

#[test]
fn a_send_is_set_and_muted_together() {
    let whole = cold(&format!("{HEAD}{SAW} >> master;"), 3 * BAR);
    let text = format!(
        "{HEAD} let n = {SAW}; let room = bus(\"room\"); let m = bus(\"m\"); n >> send(room, -6) >> fader(off) >> m; m >> master;
         room >> master; section(\"a\", 1, || {{}}); section(\"b\", 1, || {{ set(\"n>room.gain\", 0); }});
         section(\"c\", 1, || {{ set(\"n>room.gain\", 3); mute(\"n>room\"); }});"
    );
    let steps = [(0, 10f64.powf(-0.3)), (BAR, 1.0), (2 * BAR, 0.0)];
    assert_gain("send", &cold(&text, 3 * BAR)[0], &whole[0], |f| reached(&steps, f) * gate(&[(0, 3 * BAR)], f));
}

#[test]
fn a_piece_ends_with_its_last_section_and_what_rings_behind_it() {
    let end = |text: &str| natural_end(&graph(&format!("{HEAD}{text}")), None).map(|extent| extent.most);
    let sections = "section(\"a\", 2, || {}); section(\"b\", 0.5, || {});";
    assert_eq!(end(&format!("{SAW} >> master; {sections}")), Some(5 * BAR as u64 / 2));
    assert_eq!(
        end(&format!("{SAW} >> delay(100).feedback(0) >> master; {sections}")).map(|end| end > 30_000),
        Some(true)
    );
    let short = "input(\"k\", clip(\"audio/keys.flac\").to(1.bars)) >> master;";
    assert_eq!(end(short), Some(BAR as u64));
    assert_eq!(end(&format!("{short} {sections}")), Some(5 * BAR as u64 / 2), "silence is a part of it");
    assert_eq!(end(&format!("input(\"v\", device(1)) >> master; {sections}")), Some(5 * BAR as u64 / 2));
}

/// What a piece that ends by itself is rendered to.
fn whole(text: &str) -> Vec<f64> {
    let graph = graph(&format!("{HEAD}{text}"));
    let extent = natural_end(&graph, None).expect("it ends");
    let mut sound = Vec::new();
    let done = Offline::new(&graph, None).expect("the plan proves right").render::<()>(
        extent,
        |_| {},
        |_, channels| {
            sound.extend_from_slice(channels[0]);
            Ok(())
        },
    );
    assert_eq!(done, Ok(()));
    sound
}

#[test]
fn what_lets_go_and_what_rings_is_heard_out_and_no_longer() {
    let seconds = |sound: &[f64]| sound.len() as f64 / 48_000.0;
    for (played, lets_go) in [
        ("play(\"c4\", pad().release(3.s))", 2.0..3.01),
        ("play(\"~ ~ ~ cr\", kit())", 1.0..2.5),
        ("play(\"0\", clip(\"audio/keys.flac\").to(8.s).slice(1))", 6.5..7.76),
        ("play(\"~ ~ ~ rim\", kit())", 0.0..0.2),
    ] {
        let text = format!("section(\"a\", 1, || {{ input(\"p\", {played}); }}); at(\"p\") >>");
        let sound = whole(&format!("{text} master;"));
        let rests = seconds(&sound) - seconds(&sound[..BAR]);
        assert!(lets_go.contains(&rests), "{played}: {rests} s");
        // A slice goes out over 48 frames, of which this is the last.
        let peak = sound.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        assert!(sound[sound.len() - 1].abs() <= peak / 48.0, "{played} ends in silence");
        let room = whole(&format!("{text} reverb().decay(1.s) >> delay(300.ms).feedback(30) >> master;"));
        assert!(room.len() > sound.len() && room[room.len() - 1].abs() < 1e-7, "{played}");
        assert!(
            room[room.len() - 480..].iter().any(|x| x.abs() > 1e-9),
            "{played} is rendered no longer than it rings"
        );
    }
    let late = whole("input(\"k\", clip(\"audio/keys.flac\").to(1.bars)) >> delay(2.s).feedback(0) >> master;").len();
    assert!((BAR + 90_000..BAR + 200_000).contains(&late), "silence before an echo is a part of it: {late}");
}

/// A piece with a bit of everything, in less than a second.
const PIECE: &str = "tempo(960); let n = input(\"n\", noise(\"pink\").level(-20)); let band = bus(\"band\");
    let a = section(\"a\", 0.5, || { mute(n); input(\"k\", clip(\"audio/keys.flac\")); });
    let b = section(\"b\", 0.75, || { set(\"n/low_pass.freq\", 300); set(\"band/fader.gain\", -9); input(\"s\", saw(220)); });
    n >> low_pass(4000) >> band; [at(\"k\"), at(\"s\")] >> band; band >> fader(-3) >> master; arrange([b, a, b]);";

#[test]
fn a_piece_sounds_the_same_offline_and_in_blocks_of_any_size() {
    assert_one_sound("a piece", PIECE, 2 * BAR + 3000);
}

#[test]
fn an_edit_of_a_section_is_heard_without_a_step_and_nowhere_else() {
    let text = |order: &str, b: &str| {
        format!(
            "tempo(120); let x = input(\"x\", sine(100).level(-12)); x >> fader(-6) >> master; input(\"y\", saw(50)) >> fader(off) >> master;
             section(\"a\", 1, || {{ input(\"z\", sine(75).level(-12)); }}); section(\"b\", 1, || {{ {b} }}); at(\"z\") >> master; {order}"
        )
    };
    let before = text("arrange([\"a\", \"a\", \"b\"]);", "");
    let texts = [
        text("arrange([\"b\", \"a\", \"a\"]);", ""),
        text("arrange([\"a\", \"b\"]);", ""),
        text("arrange([\"a\", \"a\", \"b\", \"a\"]);", ""),
        text("arrange([\"b\", \"b\", \"b\"]);", "set(\"x/fader.gain\", -20);"),
        text("arrange([\"b\", \"b\", \"b\"]);", "mute(x);"),
        text("arrange([\"a\", \"a\", \"b\"]);", "").replace("sine(75)", "sine(150)"),
        text("", "").replace("section(\"a\", 1", "section(\"a\", 1.5"),
    ];
    for after in &texts {
        let mut rehearsal = Rehearsal::new(&before);
        rehearsal.run(48_000);
        rehearsal.edit(after).expect("the edit changes something");
        rehearsal.run(24_000);
        let level = loudest_above(&rehearsal.sound[0][40_000..], 5000.0);
        assert!(level < -80.0, "{level:.1} dBFS above 5 kHz, to {after}");
        let cold = cold(after, 72_000);
        let off = rehearsal.sound[0].iter().zip(&cold[0]).skip(60_000).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "{off} off a cold start of {after}");
    }
}

/// The stems into the master, by path.
fn stems(text: &str, frames: usize) -> Vec<(String, Vec<f64>)> {
    let mut offline = Offline::new(&graph(text), Some("master")).expect("the plan proves right");
    let mut stems: Vec<(String, Vec<f64>)> = offline.stems().into_iter().map(|(path, _)| (path, Vec::new())).collect();
    let done = offline.render::<()>(
        frames as u64,
        |_| {},
        |stream, channels| {
            if let Stream::Stem(i) = stream {
                stems[i].1.extend_from_slice(channels[0]);
            }
            Ok(())
        },
    );
    done.expect("nothing is refused");
    stems
}

#[test]
fn random_arrangements_are_the_same_pieces_written_by_hand() {
    let whole = rendered(&graph(&format!("{HEAD}{SAW} >> master;")), 16 * BAR);
    let below = |seed: u64, n: &mut u64, end: usize| {
        *n += 1;
        ((random::even(seed, *n) + 0.5) * end as f64) as usize % end
    };
    for seed in 0..12 {
        let mut n = 0;
        let lengths = [0.5, 1.0, 1.25, 2.0];
        let (mut text, mut sections) = (HEAD.to_owned(), Vec::new());
        for name in ["a", "b", "c"] {
            let bars = lengths[below(seed, &mut n, 4)];
            let (clip, noise) = (below(seed, &mut n, 2) == 0, below(seed, &mut n, 2) == 0);
            let db = [None, Some(-12.0), Some(-3.0)][below(seed, &mut n, 3)];
            text += &format!(
                "section(\"{name}\", {bars}, || {{ {} {} {} }});\n",
                if clip { "input(\"k\", clip(\"audio/keys.flac\"));" } else { "" },
                if noise { format!("{SAW};") } else { String::new() },
                db.map_or(String::new(), |db| format!("set(\"n/fader.gain\", {db});"))
            );
            sections.push((bars, clip, noise, db));
        }
        let order: Vec<usize> = (0..2 + below(seed, &mut n, 5)).map(|_| below(seed, &mut n, 3)).collect();
        let names: Vec<String> = order.iter().map(|s| format!("\"{}\"", ["a", "b", "c"][*s])).collect();
        // Each input is there, whatever the sections say.
        text += "section(\"never\", 1, || { input(\"k\", sine(1)); input(\"n\", sine(1)); });\n";
        text += &format!("at(\"n\") >> fader(-6) >> master; at(\"k\") >> master; arrange([{}]);", names.join(", "));
        let (mut bar, mut regions, mut stretches, mut levels) =
            (0.0, Vec::new(), Vec::<(usize, usize)>::new(), Vec::new());
        let mut before = None;
        for section in order {
            let (bars, clip, noise, db) = sections[section];
            let (begin, end) = ((bar * BAR as f64) as usize, ((bar + bars) * BAR as f64) as usize);
            if clip {
                regions.push(format!("clip(\"audio/keys.flac\").start({bar}.bars).to({bars}.bars).fade_out(5.ms)"));
            }
            // The next section has a generator of its own.
            match stretches.last_mut().filter(|last| noise && last.1 == begin && before == Some(section)) {
                Some(last) => last.1 = end,
                None if noise => stretches.push((begin, end)),
                None => {}
            }
            levels.push((begin, 10f64.powf(db.unwrap_or(-6.0) / 20.0)));
            bar += bars;
            before = Some(section);
        }
        let frames = (bar * BAR as f64) as usize;
        levels.dedup_by(|next, last| next.1 == last.1);
        let stems = stems(&text, frames);
        let stem = |path: &str| &stems.iter().find(|(other, _)| other == path).expect("it leads to the master").1;
        assert_gain(&text, stem("n>master"), &whole[0], |frame| gate(&stretches, frame) * reached(&levels, frame));
        let silence = "sine(1).level(off)".to_owned();
        let by_hand: Vec<String> = regions.into_iter().chain([silence]).collect();
        let by_hand = rendered(&graph(&format!("{HEAD}input(\"k\", [{}]) >> master;", by_hand.join(", "))), frames);
        let differs = stem("k>master").iter().zip(&by_hand[0]).position(|(a, b)| a != b);
        assert_eq!(differs, None, "the first frame that differs of the clips of {text}");
    }
}
