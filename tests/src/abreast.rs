//! Works that go abreast, several channels side by side in wide registers, give the bits that each gives alone.

use engine::bank::Carry;
use engine::desk::Desk;
use engine::graph::Graph;
use engine::kernel::{Buffer, QUANTUM};
use engine::plan::{Capture, Op, Plan};
use engine::render::Renderer;
use engine::verify::verify;

use crate::sessions::graph;

/// A desk on which works go abreast, and one on which they work one by one.
struct Both {
    desks: [(Desk, Renderer); 2],
    quanta: usize,
}

impl Both {
    fn open(graph: &Graph) -> Self {
        let desks = [false, true].map(|one_by_one| {
            let (desk, mut program) = Desk::open(graph, None).expect("the plan proves right");
            program.bank.one_by_one = one_by_one;
            (desk, Renderer::new(program))
        });
        Both { desks, quanta: 0 }
    }

    fn edit(&mut self, graph: &Graph) {
        for ((desk, renderer), one_by_one) in self.desks.iter_mut().zip([false, true]) {
            let (mut program, _) =
                desk.edit(graph, None).expect("the plan proves right").expect("it changes something");
            program.bank.one_by_one = one_by_one;
            let taken = renderer.exchange(&mut program);
            desk.taken_up(taken);
        }
    }

    /// Plays some quanta; all buffers but those whose sound is left in the lanes have to have the same bits, and what is told of the
    /// works is the same. Gives how many quanta are not silent.
    fn run(&mut self, quanta: usize, live: impl Fn(usize) -> Vec<Buffer>) -> usize {
        let mut heard = 0;
        for _ in 0..quanta {
            let live = live(self.quanta);
            let [together, alone] = self.desks.each_mut().map(|(desk, renderer)| {
                if let Some(mut program) = desk.settle(renderer.clock()).expect("the plan proves right") {
                    program.bank.one_by_one = renderer.program().bank.one_by_one;
                    let taken = renderer.exchange(&mut program);
                    desk.taken_up(taken);
                }
                renderer.quantum(&live);
                let program = renderer.program();
                let left = left_in_the_lanes(&program.plan);
                let written = program.bank.slots.iter().enumerate().filter(|(slot, _)| !left.contains(slot));
                let bits: Vec<u64> = written.flat_map(|(_, buffer)| buffer).map(|x| x.to_bits()).collect();
                (bits, renderer.take_poisoned(), reduced(renderer))
            });
            assert!(together == alone, "quantum {}", self.quanta);
            heard += usize::from(together.0.iter().any(|x| x << 1 != 0));
            self.quanta += 1;
        }
        heard
    }

    /// How many works may go abreast.
    fn abreast(&self) -> usize {
        self.desks[0].1.program().plan.ranks.iter().map(|rank| rank.ops.len()).sum()
    }
}

/// The buffers that a rank need not write, since the next one has its sound in the lanes.
fn left_in_the_lanes(plan: &Plan) -> Vec<usize> {
    let ops = plan.ranks.iter().filter(|rank| rank.into.is_some()).flat_map(|rank| &plan.ops[rank.ops.clone()]);
    ops.flat_map(|op| if let Op::Work { out, .. } = op { out.range() } else { 0..0 }).collect()
}

/// By how much each work turned down.
fn reduced(renderer: &Renderer) -> Vec<u64> {
    renderer.program().bank.works.iter().flatten().map(|work| work.reduced().to_bits()).collect()
}

/// Strips of many kinds, of which some may go abreast and some only seem so; the numbers of some are other ones after an edit.
fn strips(edited: bool) -> String {
    let gain = if edited { 5.5 } else { -3.0 };
    let mut text = String::from("let mix = bus(\"mix\");\n");
    for i in 0..30 {
        if edited && i == 7 {
            continue;
        }
        let source = match i % 5 {
            0 => format!("impulse({}.3)", i % 3 + 1),
            1 => format!("saw({}).level(-8)", 100 + 7 * i),
            2 => "noise().level(-14)".to_owned(),
            3 => format!("sine({}).level(off)", 100 * i),
            _ => format!("square({}).level(-20)", 90 + i),
        };
        let wide = if i % 4 == 3 { ">> pan(0.2) " } else { "" };
        let moved = if i % 6 == 0 { gain } else { 2.0 };
        let dynamic = if i % 7 == 1 { ".dynamic(-30, 3)" } else { "" };
        let more = match i % 8 {
            5 => ".detector(\"rms\")",
            6 => ".link(50)",
            2 => ".lookahead(2.ms)",
            4 => ".key_high_pass(120)",
            _ => "",
        };
        let mixed = if i % 9 == 4 { ".mix(60)" } else { "" };
        text.push_str(&format!(
            "input(\"in-{i}\", {source}) {wide}>> high_pass({}) >> eq().high_pass({}, 18).bell(900, {moved}, 1.2){dynamic}\
             .high_shelf(8000, 1.5){mixed} >> compressor(-{}, 4){more} >> mix;\n",
            30 + i,
            40 + i,
            20 + i % 11,
        ));
    }
    text + "mix >> compressor(-30, 2) >> master;\n"
}

/// Strips that are alike, of the device's inputs.
fn live_strips(count: usize) -> String {
    let strip = |channel| {
        format!("input(\"in-{channel}\", device({channel})) >> eq().bell(500, 6, 2) >> compressor(-40, 4) >> master;\n")
    };
    (1..=count).map(strip).collect()
}

#[test]
fn strips_of_many_kinds_sound_the_same_abreast_as_one_by_one_through_an_edit() {
    let mut both = Both::open(&graph(&strips(false)));
    // Those of one stage and one shape: of 30 strips most of three effects.
    assert!(both.abreast() > 60, "{}", both.abreast());
    assert!(both.run(600, |_| Vec::new()) > 500);
    both.edit(&graph(&strips(true)));
    both.run(600, |_| Vec::new());
}

#[test]
fn strips_that_fall_silent_rest_and_come_back_abreast_with_those_that_sound() {
    let mut both = Both::open(&graph(&live_strips(6)));
    assert_eq!(both.abreast(), 12);
    let live = |quantum: usize| -> Vec<Buffer> {
        let sounds = |channel: usize| (quantum / 900 + channel).is_multiple_of(3);
        let of = |channel| if sounds(channel) { [0.3 + 0.1 * channel as f64; QUANTUM] } else { [0.0; QUANTUM] };
        (0..6).map(of).collect()
    };
    assert!(both.run(3600, live) > 3000);
}

/// Strips of which each rank hands its sound on to the next, of the device's inputs; the level of one always moves.
fn chains(count: usize, edited: bool) -> String {
    let strip = |channel: usize| {
        let level = match (channel, edited) {
            (3, _) => "lfo(3).range(-12, -3)".to_owned(),
            (5, true) => "-9".to_owned(),
            _ => format!("-{channel}"),
        };
        let more = if edited && channel == 2 { ">> saturate(3) " } else { "" };
        format!(
            "input(\"in-{channel}\", device({channel})) >> high_pass(60) >> eq().bell(500, {channel}, 2).low_shelf(100, -3) \
             >> compressor(-40, 4) {more}>> fader({level}) >> pan({}) >> mix;\n",
            channel as f64 / 16.0 - 0.5
        )
    };
    let strips: String = (1..=count).map(strip).collect();
    format!("let mix = bus(\"mix\");\n{strips}mix >> master;\n")
}

#[test]
fn what_stays_in_the_lanes_from_rank_to_rank_sounds_the_same_through_silence_edits_and_what_is_no_number() {
    let mut both = Both::open(&graph(&chains(19, false)));
    let handed_on = |both: &Both| {
        let ranks = &both.desks[0].1.program().plan.ranks;
        ranks.iter().filter(|rank| rank.from.is_some()).map(|rank| rank.ops.len()).sum::<usize>()
    };
    // All but the first of five works.
    assert_eq!(handed_on(&both), 4 * 19);
    let live = |quantum: usize| -> Vec<Buffer> {
        // Each strip for itself, then all of them fall silent, long enough to come to rest, and come back.
        let sounds = |channel: usize| match quantum {
            ..1500 => !(quantum / 100 + channel).is_multiple_of(5),
            1500..4000 => false,
            _ => true,
        };
        let of = |channel: usize| {
            let wave = |i: usize| ((quantum * QUANTUM + i) as f64 * (0.01 + channel as f64 / 300.0)).sin();
            let sound = std::array::from_fn(|i| 0.3 * wave(i));
            if sounds(channel) { sound } else { [0.0; QUANTUM] }
        };
        let mut live: Vec<Buffer> = (0..19).map(of).collect();
        match quantum {
            300 => live[7][12] = f64::NAN,
            4100 => live[18][63] = f64::NEG_INFINITY,
            _ => {}
        }
        live
    };
    both.run(700, live);
    both.edit(&graph(&chains(19, true)));
    // One strip goes another way, so that some have other neighbours than before.
    assert!((2 * 19..4 * 19).contains(&handed_on(&both)), "{}", handed_on(&both));
    both.run(3500, live);
    both.edit(&graph(&chains(17, false)));
    assert!(both.run(300, live) > 200);
}

#[test]
fn what_is_no_number_in_one_lane_is_told_and_silenced_and_heard_in_no_other() {
    let mut both = Both::open(&graph(&live_strips(5)));
    let live = |quantum: usize| -> Vec<Buffer> {
        let mut live = vec![[0.25; QUANTUM]; 5];
        if quantum == 20 {
            live[2][31] = f64::INFINITY;
        }
        live
    };
    both.run(20, live);
    let ill = |both: &Both| both.desks[0].1.program().bank.works.iter().flatten().filter(|work| work.is_ill()).count();
    assert_eq!(ill(&both), 0);
    both.run(100, live);
    assert_eq!(ill(&both), 1);
}

#[test]
fn a_plan_whose_ranks_hand_on_what_somebody_else_hears_does_not_prove_right() {
    let both = Both::open(&graph(&chains(8, false)));
    let program = both.desks[0].1.program();
    let is_sound = |plan: &Plan| verify(plan, &program.bank, &Carry::default()).is_ok();
    assert!(is_sound(&program.plan));
    let first = program.plan.ranks.iter().position(|rank| rank.into.is_some()).expect("some hand on");
    let broken: [&dyn Fn(&mut Plan); 5] = [
        // The next one does not know of it.
        &|plan| plan.ranks[first + 1].from = None,
        // They work on different sounds.
        &|plan| plan.ranks[first + 1].sound += 40,
        // Works hear those of other places.
        &|plan| {
            let ops = plan.ranks[first].ops.clone();
            plan.ops[ops].reverse();
        },
        // Somebody hears what is in between.
        &|plan| {
            let Op::Work { out, .. } = plan.ops[plan.ranks[first].ops.start] else { panic!("a rank is of works") };
            let mixes = plan.ops.iter().find_map(|op| if let Op::Mix { first, .. } = op { Some(*first) } else { None });
            plan.edges[mixes.expect("they are mixed")].from = out;
        },
        // It leaves from there.
        &|plan| {
            let outs = |op: &Op| if let Op::Work { out, .. } | Op::Mix { out, .. } = *op { Some(out) } else { None };
            let is_last = |at: usize| {
                let others = plan.ops[at + 1..].iter().filter_map(outs);
                outs(&plan.ops[at]).filter(|out| others.clone().all(|other| !other.overlaps(*out)))
            };
            let left = plan.ranks.iter().filter(|rank| rank.into.is_some()).flat_map(|rank| rank.ops.clone());
            let slots = left.into_iter().find_map(is_last).expect("some buffers are not written again");
            plan.captures.push(Capture { path: "in-1".into(), slots, late: 0 });
        },
    ];
    for (which, breaks) in broken.iter().enumerate() {
        let mut plan = program.plan.clone();
        breaks(&mut plan);
        assert!(!is_sound(&plan), "fault {which}");
    }
}
