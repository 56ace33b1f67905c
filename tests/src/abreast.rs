//! Works that go abreast, several channels side by side in wide registers, give the bits that each gives alone.

use engine::desk::Desk;
use engine::graph::Graph;
use engine::kernel::{Buffer, QUANTUM};
use engine::render::Renderer;

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

    /// Plays some quanta; all buffers have to have the same bits. Gives how many are not silent.
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
                let bits: Vec<u64> = renderer.program().bank.slots.iter().flatten().map(|x| x.to_bits()).collect();
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
