//! Tests of pictures: nothing in them covers another thing, all that is compiled is in them, and what is written is well formed
//! whatever things are called.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use engine::media::Library;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use resvg::usvg;

use super::diagram::{CableKind, Card, Diagram};
use super::drawing::{Drawing, Step, Way};
use super::layout::Area;
use super::palette::{CABLES, CARDS, DARK, LIGHT};
use super::{Theme, diagram, letters};
use crate::load::{Loaded, load, prepare_evaluated};

fn of_text(text: &str) -> Loaded {
    let evaluated = scripting::evaluate_text(Path::new("picture.rhai"), text);
    let loaded = prepare_evaluated(evaluated, &Library::new(), |session| engine::tempo::Tempo::new(session.pace()));
    assert!(!loaded.is_wrong(), "{}", loaded.why());
    loaded
}

fn shown(loaded: &Loaded, unfold: bool) -> Diagram {
    let (Some(session), Some(graph)) = (&loaded.session, &loaded.graph) else { panic!("{}", loaded.why()) };
    diagram(session, graph, unfold)
}

/// Every example, by its name.
fn examples() -> Vec<(String, Loaded)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folders = ["", "mastering", "pieces", "lessons"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "rhai") && !file.ends_with("mix.rhai"));
    files.sort();
    files.iter().map(|file| (file.display().to_string(), load(file, &Library::new()))).collect()
}

/// A session of so many strips into so many groups, with sends, in which a few have keys.
fn strips(count: usize, groups: usize) -> String {
    let mut text = String::from("let room = bus(\"room\"); room >> reverb() >> master;\n");
    for group in 0..groups {
        text += &format!("let g{group} = bus(\"group {group}\"); g{group} >> compressor(-18, 2) >> master;\n");
    }
    for i in 0..count {
        let effect = ["", ">> eq().bell(900, -2, 1).high_pass(80)", ">> compressor(-20, 3)"][i / groups % 3];
        let key = if i % 16 == 7 { ">> gate(-40).key(at(\"strip 1\"))" } else { "" };
        text += &format!(
            "input(\"strip {i}\", sine({})) {effect} {key} >> fader(-{}) >> send(room, -12) >> g{};\n",
            100 + i,
            i % 12,
            i % groups,
        );
    }
    text
}

/// With everything that pictures know.
const RICH: &str = r#"
    title("A <b> & \"c\" 'd' 日本語 ]]> --> #35; é");
    let kick = input("kick", pulse(55)); let bass = input("bass", saw(55)); let pad = input("pad", saw(110));
    let room = bus("room"); let echo = bus("echo"); let band = bus("band");
    kick >> transient(20, 0) >> fader(-3) >> band;
    bass >> low_pass(lfo(0.5).range(200, 900)) >> compressor(-30, 4).key(kick) >> fader(-6) >> band;
    pad >> eq().high_pass(200).bell(900, -2, 1).bell(2000, 1, 1).high_shelf(8000, 2).low_shelf(100, 1)
        >> fader(follow(bass).range(-12, 0)) >> send(room, lfo(0.1).range(-20, -6)) >> band;
    let voice = input("ünï 日本語", sine(220));
    voice >> (high_pass(90) >> saturate(6)).mix(30) >> compressor(-20, 2).key(kick >> high_pass(60)) >> send(echo, -8)
        >> fader(osc("/a<b>&'").range(-40, 0)) >> band;
    let hum = input("hum", noise("pink")); hum >> fader(-30).bypass(on) >> band; mute(hum);
    kick + bass >> gain(-20) >> cable("both") >> band;
    echo >> delay(200.ms) >> feedback(echo, 300.ms) >> send(room, -10) >> band;
    room >> reverb().decay(3.s) >> gain(-12) >> feedback(echo, 200.ms) >> band;
    band >> multiband().band(1, compressor(-20, 2).key(kick)).band(3, eq().bell(4000, 2, 1).bell(6000, 1, 2)) >> master;
    master >> limiter(-1) >> output(1, 2);
    master >> fader(-6) >> output(3, 4);
"#;

/// Every picture that tests look at, made once.
fn all() -> &'static [(String, Diagram)] {
    static ALL: OnceLock<Vec<(String, Diagram)>> = OnceLock::new();
    ALL.get_or_init(every)
}

fn every() -> Vec<(String, Diagram)> {
    let mut all: Vec<(String, Diagram)> = Vec::new();
    for (name, loaded) in examples() {
        all.push((name, shown(&loaded, true)));
    }
    for (count, buses) in [(24, 3), (64, 1)] {
        all.push((format!("{count} unlike strips"), shown(&of_text(&unlike_strips(count, buses)), false)));
    }
    for (count, groups) in [(8, 2), (24, 4), (64, 8)] {
        let loaded = of_text(&strips(count, groups));
        all.push((format!("{count} strips"), shown(&loaded, false)));
        all.push((format!("{count} strips, each by itself"), shown(&loaded, true)));
    }
    all.push(("everything".into(), shown(&of_text(RICH), true)));
    all
}

fn overlap(a: &Area, b: &Area) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

#[test]
fn no_card_covers_another_and_all_lie_in_the_picture() {
    for (name, diagram) in all() {
        let drawing = Drawing::of(diagram.clone());
        for (i, card) in drawing.cards.iter().enumerate() {
            assert!(card.x >= 0.0 && card.y >= 0.0, "{name}: {card:?}");
            assert!(card.right() <= drawing.size.0 && card.bottom() <= drawing.size.1, "{name}: {card:?}");
            for other in &drawing.cards[i + 1..] {
                assert!(!overlap(card, other), "{name}: {card:?} and {other:?}");
            }
        }
        for (x, y) in drawing.ways.iter().flat_map(Way::points) {
            assert!((0.0..=drawing.size.0).contains(&x) && (0.0..=drawing.size.1).contains(&y), "{name}: {x}, {y}");
        }
    }
}

#[test]
fn no_cable_runs_across_a_card() {
    for (name, diagram) in all() {
        let drawing = Drawing::of(diagram.clone());
        for (way, cable) in drawing.ways.iter().zip(&drawing.diagram.cables) {
            for ((ax, ay), (bx, by)) in level_pieces(way) {
                let line = Area { x: ax.min(bx), y: ay, width: (bx - ax).abs(), height: by - ay };
                for (i, card) in drawing.cards.iter().enumerate() {
                    // A cable touches the two that it joins.
                    let own = i == cable.from.card || i == cable.to.card;
                    assert!(own || !overlap(&line, card), "{name}: {cable:?} across {:?}", drawing.diagram.cards[i]);
                }
            }
        }
    }
}

/// Points of a cable so near each other that nothing lies between them, its bends and corners too.
fn run(way: &Way) -> Vec<(f64, f64)> {
    let mut points = vec![way.begin];
    for step in &way.steps {
        let from = *points.last().unwrap();
        // As an SVG has them: Bezier's curves of third and of second order.
        let (to, handles) = match *step {
            Step::Line(to) => (to, [from, to]),
            Step::Bend(to) => (to, [((from.0 + to.0) / 2.0, from.1), ((from.0 + to.0) / 2.0, to.1)]),
            Step::Corner(corner, to) => {
                let third = |end: (f64, f64)| ((end.0 + 2.0 * corner.0) / 3.0, (end.1 + 2.0 * corner.1) / 3.0);
                (to, [third(from), third(to)])
            }
        };
        let count = ((to.0 - from.0).hypot(to.1 - from.1) / 2.0).ceil().max(1.0) as usize;
        points.extend((1..=count).map(|i| {
            let t = i as f64 / count as f64;
            let weights = [(1.0 - t).powi(3), 3.0 * t * (1.0 - t).powi(2), 3.0 * t * t * (1.0 - t), t.powi(3)];
            let four = [from, handles[0], handles[1], to];
            let of = |side: fn((f64, f64)) -> f64| four.iter().zip(weights).map(|(p, w)| side(*p) * w).sum::<f64>();
            (of(|p| p.0), of(|p| p.1))
        }));
    }
    points
}

#[test]
fn no_bend_of_a_cable_runs_across_a_card() {
    for (name, diagram) in all() {
        let drawing = Drawing::of(diagram.clone());
        for (way, cable) in drawing.ways.iter().zip(&drawing.diagram.cables) {
            let points = run(way);
            for (i, card) in drawing.cards.iter().enumerate() {
                // Where a cable begins and ends it touches its own, and no more than that.
                let own = i == cable.from.card || i == cable.to.card;
                let inside = |(x, y): &&(f64, f64)| {
                    *x > card.x + 1.0 && *x < card.right() - 1.0 && *y > card.y + 1.0 && *y < card.bottom() - 1.0
                };
                let across = points.iter().find(inside);
                assert!(across.is_none(), "{name}: {cable:?} at {across:?} (own: {own}) in {card:?}");
            }
        }
    }
}

#[test]
fn what_is_declared_and_never_heard_is_drawn_as_silent() {
    let loaded = of_text(
        "let a = input(\"a\", sine(99)); let b = input(\"b\", sine(99)); let room = bus(\"room\"); let lost = bus(\"lost\");
         bus(\"alone\"); a >> send(lost, -9) >> fader(-3) >> master; room >> reverb() >> master; b >> gain(-6) >> lost;",
    );
    let diagram = shown(&loaded, false);
    let of = |name: &str| {
        let card = diagram.cards.iter().find(|card| card.name == name).unwrap_or_else(|| panic!("{name} is missing"));
        (card.badge, card.about.last().map(String::as_str))
    };
    assert_eq!(of("room"), (Some("silent"), Some("nothing flows in")));
    for name in ["lost", "alone", "b"] {
        assert_eq!(of(name), (Some("silent"), Some("leads to no output")), "{name}");
    }
    assert_eq!((of("a").0, of("master").0), (None, None));
    let mut silent: Vec<&str> =
        diagram.cables.iter().filter(|cable| cable.is_silent).map(|cable| &*cable.paths[0]).collect();
    silent.sort_unstable();
    assert_eq!(silent, ["a>lost", "b>lost", "room>master"]);
    let (session, graph) = (loaded.session.as_ref().unwrap(), loaded.graph.as_ref().unwrap());
    let text = crate::graph::text(session, graph);
    for line in ["lost  (bus, silent: leads to no output)", "alone  (bus, silent: leads to no output)"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("room  (bus, stereo, silent: nothing flows in)"), "{text}");
    let svg = super::svg(&Drawing::of(diagram), Theme::Auto);
    assert!(svg.contains("leads to no output") && svg.contains("silent"), "{svg}");
}

/// The pieces of a cable that run level.
fn level_pieces(way: &Way) -> Vec<((f64, f64), (f64, f64))> {
    let mut points: Vec<(f64, f64)> = way.points().collect();
    points.dedup();
    points.windows(2).filter(|pair| pair[0].1 == pair[1].1).map(|pair| (pair[0], pair[1])).collect()
}

#[test]
fn no_label_leaves_its_card_or_covers_another() {
    for (name, diagram) in all() {
        for card in &diagram.cards {
            let (width, height) = card.size();
            let labels = card.labels();
            for (i, label) in labels.iter().enumerate() {
                let (begin, end) = label.span;
                let long = letters::width(&label.text, label.font);
                assert!(
                    begin >= 0.0 && end <= width && long <= end - begin + 1e-6,
                    "{name}: {} in {card:?}",
                    label.text
                );
                let half = label.font.size / 2.0;
                assert!(label.middle >= half && label.middle + half <= height, "{name}: {} in {card:?}", label.text);
                for other in &labels[i + 1..] {
                    let beside = end <= other.span.0 || other.span.1 <= begin;
                    let above = (label.middle - other.middle).abs() >= (label.font.size + other.font.size) / 2.0;
                    assert!(beside || above, "{name}: {} and {}", label.text, other.text);
                }
            }
        }
    }
}

#[test]
fn letters_are_no_wider_than_they_are_taken_for() {
    let mut options = usvg::Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().unwrap().families[0].0.clone();
    for (_, diagram) in all().iter().rev().take(3) {
        for label in diagram.cards.iter().flat_map(Card::labels).filter(|label| label.text.is_ascii()) {
            let size = label.font.size;
            let svg = format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"999\" height=\"99\"><text y=\"50\" font-size=\"{size}\" \
                 font-family=\"{family}\">{}</text></svg>",
                super::svg::escaped(&label.text),
            );
            let tree = usvg::Tree::from_str(&svg, &options).unwrap();
            let width = f64::from(tree.root().abs_bounding_box().width());
            assert!(width <= letters::width(&label.text, label.font), "{width}: {}", label.text);
        }
    }
}

/// All that is in the picture, by its path.
fn paths(diagram: &Diagram) -> BTreeSet<&str> {
    let rows = diagram.cards.iter().flat_map(|card| &card.rows);
    let rows = rows.flat_map(|row| [&*row.path, &*row.full]);
    let cards = diagram.cards.iter().flat_map(|card| &card.paths).map(String::as_str);
    cards.chain(rows).chain(diagram.cables.iter().flat_map(|cable| &cable.paths).map(String::as_str)).collect()
}

#[test]
fn everything_that_is_compiled_is_in_the_picture_and_nothing_else() {
    let mut sessions = examples();
    sessions.push(("everything".into(), of_text(RICH)));
    sessions.push(("24 strips".into(), of_text(&strips(24, 4))));
    for (name, loaded) in sessions {
        let diagram = shown(&loaded, true);
        let graph = loaded.graph.as_ref().unwrap();
        let paths = paths(&diagram);
        let mut compiled: BTreeSet<&str> = BTreeSet::new();
        for node in &graph.nodes {
            let known: Vec<&str> =
                node.names.iter().map(String::as_str).chain([&*node.path]).chain(node.piece_of.as_deref()).collect();
            // Several regions of an input are one card.
            let region = node.path.split_once('#').map(|(input, _)| input);
            let is_there = known.iter().chain(&region).any(|path| paths.contains(path));
            assert!(is_there, "{name}: {} is missing", node.path);
            compiled.extend(known);
        }
        let edges: BTreeSet<&str> = graph.edges.iter().map(|edge| &*edge.path).collect();
        for cable in diagram.cables.iter().filter(|cable| cable.kind != CableKind::Plug) {
            if matches!(cable.kind, CableKind::Send | CableKind::Feedback) {
                assert!(edges.contains(&*cable.paths[0]), "{name}: {:?} is not compiled", cable.paths);
            }
        }
        for edge in graph.edges.iter().filter(|edge| edge.feedback.is_some()) {
            let back = diagram.cables.iter().filter(|cable| cable.kind == CableKind::Feedback);
            assert_eq!(back.filter(|cable| cable.paths[0] == edge.path).count(), 1, "{name}: {}", edge.path);
        }
        let keys = graph.edges.iter().filter(|edge| edge.port == engine::graph::Port::Key).count();
        assert_eq!(diagram.cables.iter().filter(|cable| cable.kind == CableKind::Key).count(), keys, "{name}");
    }
}

#[test]
fn for_who_sits_far_away_all_things_are_there_with_larger_letters_and_what_lies_in_them_is_not() {
    let loaded = of_text(
        "let a = input(\"a\", sine(99)); let b = input(\"b\", sine(99));
         a >> eq().bell(400, -3).bell(900, 2) >> compressor(-20, 3).key(b) >> fader(-5) >> master;
         b >> fader(lfo(1).range(-6, 0)) >> master;",
    );
    let near = shown(&loaded, false);
    let far = near.clone().large();
    assert_eq!(paths_of_cards(&near), paths_of_cards(&far));
    let rows = |diagram: &Diagram| -> Vec<String> {
        diagram
            .cards
            .iter()
            .flat_map(|card| &card.rows)
            .filter(|row| !row.is_lesser())
            .map(|row| row.path.clone())
            .collect()
    };
    assert_eq!(rows(&near), rows(&far));
    assert!(near.cards.iter().flat_map(|card| &card.rows).count() > rows(&far).len());
    // A cable ends at the row at which it ended, or at the one that has what it ended at.
    let key = |diagram: &Diagram| {
        let cable = diagram.cables.iter().find(|cable| cable.kind == CableKind::Key).expect("there is a key");
        diagram.cards[cable.to.card].rows[cable.to.row.expect("it ends at a row")].path.clone()
    };
    assert_eq!((key(&near), key(&far)), ("a/compressor".into(), "a/compressor".into()));
    let letters =
        |diagram: &Diagram| diagram.cards[0].labels().iter().map(|label| label.font.size).fold(99.0, f64::min);
    assert!(letters(&far) >= 1.3 * letters(&near), "{} and {}", letters(&far), letters(&near));
    let drawn = [near, far].map(Drawing::of);
    assert!(drawn[1].size.1 < 1.2 * drawn[0].size.1, "{:?} and {:?}", drawn[0].size, drawn[1].size);
}

#[test]
fn strips_that_go_the_same_ways_fold_and_say_how_many_they_are() {
    let few = of_text(&strips(8, 2));
    assert_eq!(shown(&few, false), shown(&few, true), "few are shown one by one");
    let many = of_text(&strips(64, 8));
    let (folded, whole) = (shown(&many, false), shown(&many, true));
    assert!(folded.cards.len() < 30 && whole.cards.len() > 64, "{} of {}", folded.cards.len(), whole.cards.len());
    assert_eq!(paths_of_cards(&folded), paths_of_cards(&whole), "nobody is lost");
    for card in folded.cards.iter().filter(|card| card.paths.len() > 1) {
        assert_eq!(card.name, format!("{} strips", card.paths.len()));
    }
    let plain: String = (1..=40).map(|i| format!("input(\"in-{i:02}\", sine(99)) >> fader(-{i}) >> master;")).collect();
    let plain = shown(&of_text(&plain), false);
    let card = plain.cards.iter().find(|card| card.paths.len() > 1).expect("they fold");
    assert_eq!((card.about.join(""), &*card.rows[0].figures), ("in-01 to in-40".into(), "-40 to -1 dB"));
    let long: String =
        (1..=40).map(|i| format!("input(\"a-strip-with-a-long-name-{i}\", sine(99)) >> master;")).collect();
    let long = shown(&of_text(&long), false);
    let card = long.cards.iter().find(|card| card.paths.len() > 1).expect("they fold");
    assert_eq!(card.about, ["a-strip-with-a-long-name-1 to ", "a-strip-with-a-long-name-40"]);
    let keyed = folded.cables.iter().find(|cable| cable.kind == CableKind::Key).expect("some are keyed");
    assert_eq!(folded.cards[keyed.to.card].paths.len(), 1, "what is keyed is shown by itself");
}

/// Strips into some buses, no two of which pass the same, with sends before and behind the fader.
fn unlike_strips(count: usize, buses: usize) -> String {
    let mut text = String::from("let room = bus(\"room\"); room >> reverb() >> master;\n");
    text.extend((0..buses).map(|bus| format!("let b{bus} = bus(\"bus {bus}\"); b{bus} >> master;\n")));
    for i in 0..count {
        let on =
            |bit: usize, effect: &str| if (i + 1) >> bit & 1 == 1 { format!(">> {effect}") } else { String::new() };
        let send = |is_here: bool| if is_here { ">> send(room, -9)" } else { "" };
        let passed = [
            on(0, &format!("compressor(-{}, {})", 12 + i % 13, 2 + i % 3)),
            on(1, "gate(-50)"),
            on(2, "eq().high_pass(80)"),
            on(3, "pan(0.1)"),
            on(4, "eq().bell(400, -3).bell(2.kHz, 1)"),
            on(5, "saturate(3)"),
        ]
        .concat();
        let (pre, post) = (send(i % 2 == 0), send(i % 2 == 1));
        text += &format!("input(\"strip {i}\", sine(99)) {passed} {pre} >> fader(-{i}) {post} >> b{};\n", i % buses);
    }
    text
}

#[test]
fn a_card_of_unlike_strips_says_what_they_pass_and_how_many_do() {
    for (count, buses) in [(24, 3), (64, 1)] {
        let loaded = of_text(&unlike_strips(count, buses));
        let (folded, whole) = (shown(&loaded, false), shown(&loaded, true));
        let cards: Vec<&Card> = folded.cards.iter().filter(|card| card.paths.len() > 1).collect();
        assert_eq!(cards.len(), buses);
        for card in cards {
            let strips: Vec<&Card> = whole.cards.iter().filter(|one| card.paths.contains(&one.paths[0])).collect();
            let fader = |one: &Card| one.rows.iter().position(|row| row.word == "fader");
            for word in ["compressor", "gate", "pan", "saturate", "fader", "send room"] {
                // Only what is sent is behind the fader.
                for is_post in [false, true].into_iter().take(if word == "send room" { 2 } else { 1 }) {
                    let has = |one: &&&Card| {
                        let at = one.rows.iter().position(|row| row.word == word);
                        at.is_some_and(|at| (Some(at) > fader(one)) == is_post)
                    };
                    let having = strips.iter().filter(has).count();
                    let side = if is_post { ", post" } else { ", pre" };
                    let said = format!("{word}{}", if word == "send room" { side } else { "" });
                    let all = format!("{said} in {having} of {}", strips.len());
                    let is_said = card.rows.iter().any(|row| row.word == all || row.word == said);
                    assert_eq!(is_said, having > 0, "{all}: {:?}", card.rows);
                }
            }
            // What stands above the fader is before it, and cables leave from what they are tapped at.
            let row = |word: &str| card.rows.iter().position(|row| row.word.starts_with(word)).unwrap();
            assert!(row("send room, pre") < row("fader") && row("fader") < row("send room, post"));
            let number = folded.cards.iter().position(|one| one == card).unwrap();
            let left: BTreeSet<_> =
                folded.cables.iter().filter(|cable| cable.from.card == number).map(|cable| cable.from.row).collect();
            let tapped = ["send room, pre", "fader", "send room, post"].map(|word| Some(row(word)));
            assert_eq!(left, tapped.into_iter().collect());
        }
        let mermaid = super::mermaid(&folded);
        assert!(mermaid.contains("compressor in ") && super::dot(&folded).contains("compressor in "), "{mermaid}");
    }
    let folded = shown(&of_text(&unlike_strips(64, 1)), false);
    let row = folded.cards.iter().flat_map(|card| &card.rows).find(|row| row.word.starts_with("compressor"));
    assert_eq!(row.unwrap().figures, "-24 to -12 dB\u{2002}2 to 4:1");
}

/// Strips of which hardly two are alike: into so many buses in runs, some sent to one room, some to another, some to both.
fn unlike_ways(count: usize, buses: usize) -> String {
    let mut text = String::from("let room = bus(\"room\"); let plate = bus(\"plate\");");
    text.extend((0..buses).map(|bus| format!("let b{bus} = bus(\"bus {bus}\"); b{bus} >> master;\n")));
    for i in 0..count {
        let on = |every: usize, step: &str| if i * 7 % every < 2 { format!(">> {step}") } else { String::new() };
        let passed = [on(3, "compressor(-20, 3)"), on(4, "eq().bell(300, -3, 1)"), on(7, "gate(-50)")].concat();
        let sent =
            [on(5, "send(room, -12)"), on(6, if i % 9 == 0 { "send(plate, off)" } else { "send(plate, -9)" })].concat();
        text += &format!("input(\"in-{i}\", sine(99)) {passed} >> fader(-6) {sent} >> b{};\n", i * buses / count);
    }
    text + "room >> reverb() >> master; plate >> reverb() >> master;"
}

#[test]
fn however_unlike_strips_are_few_cards_are_left_and_each_says_how_many_are_sent_where() {
    for (count, buses) in [(64, 6), (24, 6), (64, 8)] {
        let loaded = of_text(&unlike_ways(count, buses));
        let (folded, whole) = (shown(&loaded, false), shown(&loaded, true));
        assert!(folded.cards.len() <= 20, "{count} into {buses}: {} cards", folded.cards.len());
        assert_eq!(paths_of_cards(&folded), paths_of_cards(&whole), "nobody is lost");
        let cables = |diagram: &Diagram| -> BTreeSet<String> {
            diagram.cables.iter().flat_map(|cable| cable.paths.iter().cloned()).collect()
        };
        assert_eq!(cables(&folded), cables(&whole), "no cable is lost");
        let height = Drawing::of(folded.clone()).size.1;
        assert!(height < 2600.0 && height < Drawing::of(whole.clone()).size.1 / 2.0, "{count} into {buses}: {height}");
        for (number, card) in folded.cards.iter().enumerate().filter(|(_, card)| card.paths.len() > 1) {
            let strips: Vec<&Card> = whole.cards.iter().filter(|one| card.paths.contains(&one.paths[0])).collect();
            for word in ["send room", "send plate"] {
                let having = strips.iter().filter(|one| one.rows.iter().any(|row| row.word == word)).count();
                let row = card.rows.iter().find(|row| row.word.starts_with(word)).map(|row| &*row.word);
                let said = match having {
                    0 => None,
                    all if all == strips.len() => Some(format!("{word}, post")),
                    some => Some(format!("{word}, post in {some} of {}", strips.len())),
                };
                let begins = row.is_some_and(|row| said.as_ref().is_some_and(|said| row.starts_with(said)));
                assert!(begins || (row.is_none() && said.is_none()), "{row:?} instead of {said:?}");
            }
            let sends = folded.cables.iter().filter(|cable| cable.from.card == number && cable.kind == CableKind::Send);
            let drawn: Vec<_> = sends.map(|cable| (cable.from.row, cable.to.card)).collect();
            assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len(), "each is drawn once: {drawn:?}");
        }
    }
}

#[test]
fn a_source_says_the_same_of_itself_whatever_its_frequency_happens_to_be() {
    let loaded = of_text(
        "input(\"a\", sine(390).level(-40)) >> master; input(\"b\", sine(440).level(-40)) >> master;
         input(\"c\", sine(99)) >> master;",
    );
    let diagram = shown(&loaded, false);
    let about = |name: &str| diagram.cards.iter().find(|card| card.name == name).map(|card| card.about.join(" "));
    assert_eq!(about("a").as_deref(), Some("sine 390 Hz level -40 dBFS"));
    assert_eq!(about("b").as_deref(), Some("sine 440 Hz level -40 dBFS"));
    assert_eq!(about("c").as_deref(), Some("sine 99 Hz"));
}

#[test]
fn text_and_mermaid_list_what_sound_comes_from_before_where_it_goes() {
    let loaded = of_text(
        "let late = bus(\"late\"); let early = bus(\"early\"); early >> late; late >> master;
         let a = input(\"a\", sine(99)); let b = input(\"b\", sine(99)); a + b >> early; master >> output(1, 2);",
    );
    let (session, graph) = (loaded.session.as_ref().unwrap(), loaded.graph.as_ref().unwrap());
    let text = crate::graph::text(session, graph);
    let places = text.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split("  ").next());
    let places: Vec<&str> = places.collect();
    assert_eq!(places[..2], ["a", "b"]);
    assert_eq!(places[3..6], ["early", "late", "master"], "{text}");
    let mermaid = super::mermaid(&shown(&loaded, true));
    let at = |name: &str| mermaid.find(&format!("<b>{name}</b>")).unwrap_or_else(|| panic!("no {name}: {mermaid}"));
    let order = ["a", "b", "early", "late", "master"].map(at);
    assert!(order.is_sorted(), "{order:?}: {mermaid}");
}

#[test]
fn figures_are_told_from_the_least_to_the_most_each_with_its_unit() {
    let of = |all: &[&str]| super::ranges::of(all).replace('\u{2002}', "|");
    assert_eq!(of(&["-20 dB", "-3 dB", "2.5 dB"]), "-20 to 2.5 dB");
    assert_eq!(of(&["900 Hz\u{2002}q 1", "1.2 kHz\u{2002}q 4"]), "900 Hz to 1.2 kHz|q 1 to 4");
    assert_eq!(
        of(&["-20 dB\u{2002}3:1", "-18 dB\u{2002}3:1\u{2002}makeup 3 dB"]),
        "-20 to -18 dB|3:1|makeup 3 dB in 1"
    );
    assert_eq!(of(&["bell\u{2002}400 Hz", "high_pass\u{2002}80 Hz", ""]), "bell in 1|400 Hz|high_pass in 1|80 Hz");
    assert_eq!(of(&["a", "b", "c", "d", "e"]), "each its own");
}

#[test]
fn inputs_stand_leftmost_in_the_order_in_which_they_are_declared() {
    let mut text = String::from("bus(\"alone\"); let fx = bus(\"fx\"); fx >> reverb() >> master;");
    text += "let q = bus(\"q\"); let r = bus(\"r\"); q >> r; r >> master;";
    let to = ["q", "master", "r", "q", "master", "q", "r", "master"];
    for (i, to) in to.iter().enumerate() {
        text += &format!("input(\"in {i}\", sine(99)) >> fader(-{i}) >> {to};");
    }
    let drawing = Drawing::of(shown(&of_text(&text), false));
    let cards = || drawing.diagram.cards.iter().zip(&drawing.cards);
    let least = cards().map(|(_, area)| area.x).fold(f64::INFINITY, f64::min);
    let inputs: Vec<&Area> =
        cards().filter(|(card, _)| card.kind == super::diagram::CardKind::Input).map(|(_, area)| area).collect();
    assert!(inputs.len() == to.len() && inputs.iter().all(|area| area.x == least));
    assert!(inputs.windows(2).all(|two| two[0].y < two[1].y));
}

fn paths_of_cards(diagram: &Diagram) -> BTreeSet<&str> {
    diagram.cards.iter().flat_map(|card| &card.paths).map(String::as_str).collect()
}

#[test]
fn a_send_leaves_from_where_it_is_written() {
    let loaded = of_text(
        "let room = bus(\"room\"); room >> reverb() >> master; let a = input(\"a\", sine(99));
         a >> send(room, -20) >> fader(-5) >> master;
         let b = input(\"b\", sine(99)); b >> fader(-5) >> send(room, -20) >> master;",
    );
    let diagram = shown(&loaded, true);
    let words = |name: &str| {
        let card = diagram.cards.iter().find(|card| card.paths == [name]).unwrap();
        card.rows.iter().map(|row| row.word.clone()).collect::<Vec<_>>()
    };
    assert_eq!(words("a"), ["send room", "fader"]);
    assert_eq!(words("b"), ["fader", "send room"]);
}

#[test]
fn svg_is_well_formed_and_has_the_path_of_everything_whatever_it_is_called() {
    for (name, diagram) in all() {
        let expected: BTreeSet<String> =
            diagram.cards.iter().filter(|card| card.paths.len() == 1).map(|card| card.paths[0].clone()).collect();
        let drawing = Drawing::of(diagram.clone());
        for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
            let svg = super::svg(&drawing, theme);
            let mut reader = Reader::from_str(&svg);
            let (mut found, mut ids) = (BTreeSet::new(), BTreeSet::new());
            loop {
                match reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}")) {
                    Event::Eof => break,
                    Event::Start(element) | Event::Empty(element) => {
                        for attribute in element.attributes() {
                            let attribute = attribute.unwrap();
                            let value =
                                attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned();
                            match attribute.key.as_ref() {
                                "data-path" => drop(found.insert(value)),
                                "id" => assert!(ids.insert(value.clone()), "{name}: {value} twice"),
                                _ => {}
                            }
                        }
                    }
                    _ => {}
                }
            }
            assert!(expected.is_subset(&found), "{name}");
            usvg::Tree::from_str(&svg, &usvg::Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn what_means_something_to_mermaid_or_graphviz_is_written_by_its_number() {
    let diagram = shown(&of_text(RICH), true);
    let mermaid = super::mermaid(&diagram);
    assert!(mermaid.contains("title: \"A #60;b#62; #38; #34;c#34; 'd' 日本語"), "{mermaid}");
    for line in mermaid.lines().skip(4).filter(|line| line.contains("[\"")) {
        let (_, rest) = line.split_once('"').unwrap();
        let (label, end) = rest.rsplit_once('"').unwrap();
        let plain =
            label.replace("<br/>", "").replace("<b>", "").replace("</b>", "").replace("<i>", "").replace("</i>", "");
        assert!(!plain.contains(['"', '<', '>', '`', '&', '{', '|']), "{plain}");
        assert!(end.starts_with([']', ')']), "{line}");
    }
    let dot = super::dot(&diagram);
    assert!(dot.contains("A &lt;b&gt; &amp; "), "{dot}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
}

/// How far two colours are told apart: the contrast of WCAG 2.2.
fn contrast(a: &str, b: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        0.2126 * linear(channel(1)) + 0.7152 * linear(channel(3)) + 0.0722 * linear(channel(5))
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn what_is_written_can_be_read_and_cables_be_seen_in_light_and_dark() {
    for palette in [&LIGHT, &DARK] {
        for kind in CARDS {
            for ink in [palette.ink, palette.dim] {
                assert!(contrast(ink, palette.of_card(kind)) >= 4.5, "{ink} on {kind:?}");
            }
        }
        for ink in [palette.ink, palette.dim] {
            assert!(contrast(ink, palette.card) >= 4.5 && contrast(ink, palette.ground) >= 4.5, "{ink}");
        }
        for kind in CABLES {
            // Words of sends and the like have the colours of their cables.
            assert!(contrast(palette.of_cable(kind), palette.card) >= 4.5, "{kind:?}");
            assert!(contrast(palette.of_cable(kind), palette.ground) >= 4.5, "{kind:?}");
        }
        assert!(contrast(palette.silent, palette.ground) >= 2.5);
    }
}
