//! Meters: what they read, and that reading changes nothing.

use engine::listen::Looks;
use engine::meter::Reading;

use crate::by_hand::ByHand;
use crate::listening::points;

const SESSION: &str = "
    let tone = input(\"tone\", sine(1000).level(-6)); let hush = input(\"hush\", sine(500).level(-40));
    let band = bus(\"band\"); let room = bus(\"room\");
    tone >> fader(-6) >> send(room, -12) >> band; hush >> high_pass(90) >> band;
    room >> delay(50) >> band; band >> master; master >> fader(-3) >> output(1, 2);";

impl ByHand {
    /// Meters from now on, or no more; gives their names.
    fn meter(&mut self, on: bool) -> Vec<String> {
        let program = self.desk.observe(Looks { meters: on, ..Looks::default() }).expect("it compiles");
        let names = program.plan.meters.iter().map(|meter| meter.path.clone()).collect();
        self.take_up(program);
        names
    }
}

#[test]
fn meters_read_peak_and_power_of_inputs_buses_and_of_what_leaves() {
    let mut playing = ByHand::start(SESSION);
    let names = playing.meter(true);
    assert_eq!(names, ["master", "band", "hush", "room", "tone"]);
    // Past the fades of the start, and then whole periods of both tones.
    playing.play(9600);
    let _ = playing.live.readings().count();
    playing.play(4800);
    let readings: Vec<Reading> = playing.live.readings().collect();
    assert_eq!(readings.len() % names.len(), 0);
    let of = |name: &str| {
        let meter = names.iter().position(|other| other == name).expect("it is metered");
        let mine: Vec<&Reading> = readings.iter().filter(|reading| reading.meter == meter).collect();
        let peak = mine.iter().fold(0.0, |peak: f64, reading| peak.max(reading.peak));
        let square = mine.iter().map(|reading| reading.square).sum::<f64>() / mine.len() as f64;
        (20.0 * peak.log10(), 10.0 * square.log10())
    };
    for (name, level) in [("tone", -6.0), ("hush", -40.0), ("room", -24.0)] {
        let (peak, rms) = of(name);
        assert!((peak - level).abs() < 0.01, "{name}: {peak}");
        assert!((rms - (level - 3.0103)).abs() < 0.05, "{name}: {rms}");
    }
    let (band, master) = (of("band"), of("master"));
    assert!((band.1 - master.1 - 3.0).abs() < 1e-6, "{band:?}, {master:?}");
}

#[test]
fn metering_changes_no_bit_and_without_it_nothing_is_read() {
    let (mut metered, mut plain) = (ByHand::start(SESSION), ByHand::start(SESSION));
    for on in [true, false, true] {
        metered.play(1000);
        let _ = metered.meter(on);
        plain.play(1064);
    }
    assert!(metered.heard == plain.heard);
    assert!(plain.heard.iter().any(|x| x.abs() > 0.1));
    assert_eq!(plain.live.readings().count(), 0);
    let _ = metered.meter(false);
    let _ = metered.live.readings().count();
    metered.play(4800);
    assert_eq!(metered.live.readings().count(), 0);
}

const CHAINS: &str = "
    let tone = input(\"tone\", sine(1000).level(-6)); let band = bus(\"band\"); let room = bus(\"room\");
    tone >> compressor(-20, 4).knee(0) >> fader(-6) >> send(room, -12) >> band; room >> delay(50) >> band;
    input(\"hush\", sine(500).level(-30)) >> band; mute(\"hush>band\");
    band >> master; master >> fader(-3) >> output(1, 2);";

/// What is metered on its own, each with its level against that of the tone's fader, in dB.
const METERED: [(&str, f64); 6] = [
    ("tone/compressor", 6.0),
    ("tone/fader", 0.0),
    ("tone>band", 0.0),
    ("tone>room", -12.0),
    ("room>band/delay", f64::NAN),
    ("hush>band", f64::NEG_INFINITY),
];

/// The peak in dB and the most that was turned down, of each that is metered on its own.
fn metered_alone(playing: &mut ByHand) -> Vec<(String, f64, f64)> {
    let levels = points(CHAINS, &METERED.map(|(path, _)| path));
    let program = playing.desk.observe(Looks { meters: true, levels, ..Looks::default() }).expect("it compiles");
    let meters: Vec<(String, bool)> =
        program.plan.meters.iter().map(|meter| (meter.path.clone(), meter.place)).collect();
    assert!(meters.iter().skip_while(|(_, place)| *place).all(|(_, place)| !place), "places come first: {meters:?}");
    playing.take_up(program);
    playing.play(9600);
    let _ = playing.live.readings().count();
    playing.play(4800);
    let mut seen: Vec<(String, f64, f64)> = meters.into_iter().map(|(path, _)| (path, 0.0, 0.0)).collect();
    for reading in playing.live.readings() {
        let (_, peak, reduced) = &mut seen[reading.meter];
        (*peak, *reduced) = (peak.max(reading.peak), reduced.max(reading.reduced));
    }
    seen.into_iter().map(|(path, peak, reduced)| (path, 20.0 * peak.log10(), reduced)).collect()
}

#[test]
fn each_effect_and_cable_reads_what_leaves_it_and_by_how_much_it_is_turned_down() {
    let mut playing = ByHand::start(CHAINS);
    playing.play(48_000);
    let seen = metered_alone(&mut playing);
    let of = |path: &str| seen.iter().find(|(own, ..)| own == path).map(|(_, peak, reduced)| (*peak, *reduced));
    let (fader, _) = of("tone/fader").expect("it is metered");
    // 14 dB over at 4:1 are 10.5 dB down; the fader takes 6 more.
    assert!((fader + 6.0 + 10.5 + 6.0).abs() < 0.1, "{fader}");
    for (path, against) in METERED.into_iter().filter(|(_, against)| !against.is_nan()) {
        let (peak, _) = of(path).unwrap_or_else(|| panic!("{path} is not metered: {seen:?}"));
        assert!(peak == against || (peak - fader - against).abs() < 0.01, "{path}: {peak}");
    }
    let (_, reduced) = of("tone/compressor").expect("it is metered");
    assert!((reduced - 10.5).abs() < 0.1, "{reduced}");
    assert!(seen.iter().all(|(path, _, reduced)| *reduced == 0.0 || path == "tone/compressor"), "{seen:?}");
}

#[test]
fn metering_effects_and_cables_changes_no_bit() {
    let (mut metered, mut plain) = (ByHand::start(CHAINS), ByHand::start(CHAINS));
    let _ = metered_alone(&mut metered);
    let _ = metered.meter(false);
    metered.play(4800);
    plain.play(64 + 9600 + 4800 + 64 + 4800);
    assert!(metered.heard == plain.heard);
    assert!(plain.heard.iter().any(|x| x.abs() > 0.1));
}

#[test]
fn however_many_things_are_metered_each_is_read() {
    const MANY: usize = 700;
    let inputs = (0..MANY).map(|i| format!("input(\"in-{i}\", sine(1000).level(-6)) >> master;"));
    let mut playing = ByHand::start(&inputs.collect::<String>());
    let names = playing.meter(true);
    assert_eq!(names.len(), MANY + 1);
    playing.play(9600);
    let mut peaks = vec![0.0_f64; names.len()];
    for reading in playing.live.readings() {
        peaks[reading.meter] = peaks[reading.meter].max(reading.peak);
    }
    let silent: Vec<&String> =
        names.iter().zip(&peaks).filter(|(_, peak)| **peak < 0.4).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "{} of {} are: {silent:?}", silent.len(), names.len());
}

#[test]
fn meters_go_on_while_one_program_follows_another_faster_than_they_read() {
    let mut playing = ByHand::start(SESSION);
    let names = playing.meter(true);
    let tone = names.iter().position(|name| name == "tone").expect("it is metered");
    let mut read = 0;
    for _ in 0..20 {
        playing.play(256);
        let _ = playing.meter(true);
        read += playing.live.readings().filter(|reading| reading.meter == tone && reading.peak > 0.4).count();
    }
    assert!(read >= 15, "{read}");
}
