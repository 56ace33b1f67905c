//! Meters: what they read, and that reading changes nothing.

use engine::listen::Looks;
use engine::meter::Reading;

use crate::by_hand::ByHand;

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
