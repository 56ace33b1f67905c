//! Effects that others stand in: `mid_side` and `multiband`.

use engine::graph::Role;

use crate::rehearsal::{Rehearsal, cold};
use crate::sessions::{graph, try_graph};
use crate::spectrum::loudest_above;

/// The largest difference between two sounds.
fn apart(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    let frames = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    frames.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn stereo(chain: &str) -> String {
    format!(
        "let b = bus(\"b\"); input(\"l\", noise(\"white\")) >> pan(-1) >> b; input(\"r\", noise(\"pink\")) >> pan(0.5) >> b; b {chain} >> master;"
    )
}

#[test]
fn a_mid_side_of_nothing_gives_what_it_is_given() {
    let off = apart(&cold(&stereo(""), 9600), &cold(&stereo(">> mid_side(gain(0), gain(0))"), 9600));
    assert!(off < 1e-15, "{off}");
}

#[test]
fn bands_of_linear_phase_give_what_they_are_given_late_and_keep_their_crossovers() {
    let text = |rest: &str| stereo(&format!(">> multiband().phase(\"linear\"){rest}"));
    let late = |rest: &str| cold(&text(rest), 9600).iter().map(|c| c[2048..].to_vec()).collect::<Vec<_>>();
    let plain = cold(&stereo(""), 9600);
    let off = apart(&late(""), &plain);
    assert!(off < 1e-12, "{off}");
    assert_eq!(apart(&late(".band(2, gain(6)).mix(0)"), &plain), 0.0, "its dry side is as late");
    let off = apart(&late(".crossovers(300, 2000).band(2, gain(6))"), &late(".crossovers(300, 2000)"));
    assert!(off > 0.01, "{off}");
    let told = try_graph(&text(".crossovers(lfo(1).range(50, 90))")).expect_err("it cannot be moved");
    assert!(told.contains("`crossover_1` is fixed while `phase` is \"linear\""), "{told}");
}

#[test]
fn each_half_of_a_mid_side_has_its_own_effect() {
    let sides_off = cold(&stereo(">> mid_side(gain(0), gain(off))"), 9600);
    assert_eq!(sides_off[0], sides_off[1], "without its side all is in the middle");
    let mid_off = cold(&stereo(">> mid_side(gain(off), gain(0))"), 9600);
    let sum = mid_off[0].iter().zip(&mid_off[1]).map(|(l, r)| (l + r).abs()).fold(0.0, f64::max);
    assert_eq!(sum, 0.0, "without its mid nothing is left of the sum");
    let off = apart(
        &cold(&stereo(">> width(150)"), 9600),
        &cold(&stereo(">> mid_side(gain(0), gain(3.5218251811136247))"), 9600),
    );
    assert!(off < 1e-12, "a side half as loud again is a width of 150 %: {off}");
}

#[test]
fn latency_in_one_branch_delays_all_of_them() {
    let text = |effect: &str| stereo(&format!(">> mid_side({effect}, gain(0))"));
    let (late, plain) = (cold(&text("limiter(0)"), 9600), cold(&text("gain(0)"), 9600));
    let by = graph(&text("limiter(0)"))
        .nodes
        .iter()
        .find(|node| node.path.ends_with("limiter"))
        .expect("it is there")
        .latency;
    assert!(by > 0);
    let off = apart(&late.iter().map(|c| c[by..].to_vec()).collect::<Vec<_>>(), &plain);
    assert!(off < 1e-15, "{off}");
    let dry = cold(&stereo(">> mid_side(limiter(0), gain(6)).mix(0)"), 9600);
    let off = apart(&dry.iter().map(|c| c[by..].to_vec()).collect::<Vec<_>>(), &cold(&stereo(""), 9600));
    assert_eq!(off, 0.0, "and so is its dry side");
}

#[test]
fn what_stands_in_a_branch_is_known_by_its_path() {
    let text = "let v = input(\"v\", noise(\"white\")); v >> multiband().crossovers(200, 2000).band(2, compressor(-30, 4) >> gain(1)) \
                >> mid_side(eq().bell(1000, 3), multiband().band(4, gain(-3))) >> master;";
    let read = |path: &str| {
        let graph = try_graph(&format!("{text} set(\"{path}\", -5);"));
        graph.unwrap_or_else(|told| panic!("{path}: {told}")).nodes.len()
    };
    for path in [
        "v/multiband#2/compressor.threshold",
        "v>master/multiband#2/gain.gain",
        "v/mid_side#mid/eq#1.gain",
        "v/mid_side#side/multiband#4/gain.gain",
    ] {
        assert!(read(path) > 0);
    }
    let told = try_graph(&format!("{text} set(\"v/multiband#7/gain.gain\", 1);")).expect_err("there is no such band");
    assert!(told.contains("nothing is called `v/multiband#7/gain.gain`"), "{told}");
    let set = graph(&format!("{text} set(\"v/multiband.crossover_1\", 300);"));
    let bands = set
        .nodes
        .iter()
        .filter(|node| node.path.starts_with("v>master/multiband#") && !node.path.contains("compressor"));
    let first = bands.filter_map(|node| match &node.role {
        Role::Work { recipe, .. } if recipe.branch.is_some() => Some(recipe.values[0]),
        _ => None,
    });
    assert_eq!(first.collect::<Vec<_>>(), [300.0; 3], "every band is told of a crossover");
}

#[test]
fn idle_bands_are_flat_in_a_session_too() {
    // All-pass, so the spectrum is kept and the sound is not.
    let (plain, banded) = (cold(&stereo(""), 96_000), cold(&stereo(">> multiband()"), 96_000));
    let energy = |sound: &[Vec<f64>]| sound.iter().map(|c| c[48_000..].iter().map(|x| x * x).sum::<f64>()).sum::<f64>();
    let db = 10.0 * (energy(&banded) / energy(&plain)).log10();
    assert!(db.abs() < 0.02, "{db} dB");
}

#[test]
fn edits_in_a_branch_and_of_the_branches_leave_no_step() {
    let text = |chain: &str| format!("input(\"a\", sine(60).level(-12)) >> pan(0.3) {chain} >> master;");
    let mut rehearsal = Rehearsal::new(&text(">> multiband().band(1, gain(-3))"));
    for chain in [
        ">> multiband().band(1, gain(-9))",
        ">> multiband().band(1, gain(-9) >> compressor(-30, 4))",
        ">> multiband().crossovers(80).band(1, gain(-9) >> compressor(-30, 4))",
        ">> multiband().crossovers(lfo(1).range(50, 90)).band(1, gain(-9))",
        ">> multiband().crossovers(80).band(1, gain(-9)).mix(40)",
        ">> mid_side(gain(-6), gain(6))",
        ">> mid_side(gain(-6) >> limiter(-20), gain(2)).bypass()",
        "",
    ] {
        rehearsal.run(9600);
        rehearsal.edit(&text(chain)).expect("it changes something");
    }
    rehearsal.run(9600);
    for channel in &rehearsal.sound {
        let above = loudest_above(&channel[4800..], 5000.0);
        assert!(above < -80.0, "{above:.1} dBFS");
    }
}

#[test]
fn effects_are_put_into_branches_and_taken_out_by_their_paths() {
    let text = |more: &str| {
        stereo(
            ">> send(bus(\"x\"), 0) >> multiband().crossovers(500).band(1, gain(-6) >> send(\"x\", -3).named(\"low\"))",
        ) + " at(\"x\") >> master; "
            + more
    };
    let gone = cold(&text("remove(\"b>master/multiband\");"), 4800);
    let plain = cold(&(stereo(">> send(bus(\"x\"), 0)") + " at(\"x\") >> master;"), 4800);
    assert_eq!(apart(&gone, &plain), 0.0, "with the effect all that is in it goes");
    let inside =
        cold(&text("remove(\"b>master/multiband#1/gain\"); before(\"b>master/multiband\", polarity());"), 4800);
    assert!(apart(&inside, &plain) > 0.01);
}

#[test]
fn a_send_within_a_branch_goes_with_the_effect_however_that_goes() {
    let text = |more: &str| {
        format!(
            "let v = input(\"v\", noise(\"white\")); let x = bus(\"x\"); let band = bus(\"band\"); v >> fader(-6) >> master;\n\
             let m = v >> multiband().band(1, gain(-6) >> send(x, -3));\nm >> band; x >> master; band >> master; {more}"
        )
    };
    let plain = cold("input(\"v\", noise(\"white\")) >> fader(-6) >> master;", 4800);
    for gone in ["unplug(\"v>band\");", "remove(\"band\");", "remove(\"v>band/multiband\"); unplug(\"v>band\");"] {
        assert_eq!(apart(&cold(&text(gone), 4800), &plain), 0.0, "{gone}");
    }
}

#[test]
fn a_branch_itself_is_not_amended() {
    for amendment in ["remove(\"v/multiband#2\");", "before(\"v/multiband#2\", gain(1));"] {
        let text = format!("input(\"v\", noise(\"white\")) >> multiband() >> master; {amendment}");
        let told = try_graph(&text).expect_err("it is refused");
        assert!(told.contains("a branch is there as long as its effect"), "{told}");
    }
}

#[test]
fn an_idle_multiband_that_is_mixed_in_part_is_flat() {
    use realfft::RealFftPlanner;
    let spectrum = RealFftPlanner::<f64>::new().plan_fft_forward(65_536);
    for chain in
        ["multiband().mix(50)", "multiband().crossovers(300, 400).mix(20)", "multiband().mix(lfo(1).range(80, 80))"]
    {
        let text = format!("input(\"x\", impulse(0.1)) >> {chain} >> master;");
        let mut response = cold(&text, 65_536).remove(0);
        let mut bins = spectrum.make_output_vec();
        spectrum.process(&mut response, &mut bins).expect("the lengths fit");
        for (bin, gain) in bins.iter().enumerate().skip(27).take(27_000) {
            let db = 10.0 * gain.norm_sqr().log10();
            assert!(db.abs() < 0.01, "{chain}: {db} dB at {} Hz", bin as f64 * 48_000.0 / 65_536.0);
        }
    }
}

#[test]
fn what_stands_in_a_branch_can_have_something_put_before_it_and_after_it() {
    let text = |inside: &str, rest: &str| {
        let banded = format!("multiband().crossovers(500).band(1, {inside})");
        format!(
            "let x = input(\"x\", noise(\"white\")); x >> {banded} >> mid_side({inside}, gain(1)) >> master; {rest}"
        )
    };
    for branch in ["multiband#1", "mid_side#mid"] {
        let before = format!("before(\"x/{branch}/saturate\", gain(6));");
        let after = format!("after(\"x/{branch}/saturate\", polarity() >> gain(-6));");
        let put = graph(&text("saturate(6)", &format!("{before} {after}")));
        let within = |kind: &str| put.nodes.iter().any(|node| node.path == format!("x>master/{branch}/{kind}"));
        assert!(within("gain") && within("saturate") && within("polarity") && within("gain.2"), "{branch}");
    }
    let both = "before(\"x/multiband#1/saturate\", gain(6)); before(\"x/mid_side#mid/saturate\", gain(6));";
    let written = cold(&text("gain(6) >> saturate(6)", ""), 4800);
    assert_eq!(apart(&cold(&text("saturate(6)", both), 4800), &written), 0.0);
    let after = "after(\"x/multiband#1/saturate\", gain(6)); after(\"x/mid_side#mid/saturate\", gain(6));";
    let written = cold(&text("saturate(6) >> gain(6)", ""), 4800);
    assert_eq!(apart(&cold(&text("saturate(6)", after), 4800), &written), 0.0);
}
