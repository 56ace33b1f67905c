//! What every effect keeps, whatever it does.

use super::EFFECTS;
use crate::parameter::Table;
use crate::test_signals::{Bench, noise};

/// Every effect on one channel and on two, as it is when nothing is said, where it takes so many.
fn benches() -> impl Iterator<Item = (&'static Table, usize, Bench)> {
    let all = EFFECTS.iter().flat_map(|table| [1, 2].map(|channels| (*table, channels, Bench::new(table, channels))));
    all.filter(|(table, _, bench)| (table.channels)(bench.recipe()).is_ok())
}

#[test]
fn silence_gives_silence() {
    for (table, channels, mut bench) in benches() {
        let output = bench.run(&vec![vec![0.0; 9600]; channels]);
        assert!(output.iter().flatten().all(|x| *x == 0.0), "{} on {channels}", table.word);
    }
}

#[test]
fn after_what_is_not_a_number_a_reset_makes_it_new() {
    for (table, channels, _) in benches() {
        for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let silence = vec![vec![0.0; 640]; channels];
            let mut poisoned = silence.clone();
            poisoned.iter_mut().for_each(|channel| channel[100] = poison);
            let sound: Vec<Vec<f64>> = (0..channels).map(|channel| noise(channel as u64, 48_000)).collect();
            let mut bench = Bench::new(table, channels);
            bench.run(&poisoned);
            bench.reset();
            let output = bench.run(&sound);
            assert!(output.iter().flatten().all(|x| x.is_finite()), "{} after {poison}", table.word);
            let mut fresh = Bench::new(table, channels);
            fresh.run(&silence);
            assert!(output == fresh.run(&sound), "{} after {poison} is not as new", table.word);
        }
    }
}

#[test]
fn the_length_of_a_stretch_changes_nothing() {
    for (table, channels, mut bench) in benches() {
        let sound: Vec<Vec<f64>> = (0..channels).map(|channel| noise(channel as u64, 9600)).collect();
        let output = bench.run(&sound);
        assert!(output == Bench::new(table, channels).stretch(17).run(&sound), "{} on {channels}", table.word);
    }
}
