//! Motions against what they should be by definition, to the frame.

use super::*;
use crate::math;
use crate::pattern::Pattern;
use crate::units::Clock;

const RATE: f64 = 48_000.0;
const CLOCK: Clock = Clock { rate: RATE, tempo: 120.0, beats_per_bar: 4.0 };

fn unit() -> Range {
    Range { low: 0.0, high: 1.0, octaves: false }
}

fn lfo(rate: Rate, shape: Shape) -> Motion {
    Motion::Lfo(Lfo { rate, shape, range: unit(), phase: 0.0, seed: 7 })
}

fn ramp(from: f64, to: f64, time: Span, curve: Curve, start: Option<Moment>) -> Motion {
    Motion::Ramp(Ramp { from, to, time, curve, start })
}

/// Runs on from its beginning at frame 0.
fn at(motion: &Motion, tempo: &Tempo, frame: i64) -> f64 {
    motion.value(&motion.begin(0, tempo), tempo, frame)
}

/// Two changes of tempo, off the beat, and a change of the time signature in the middle of a bar.
fn winding() -> Tempo {
    let mut tempo = Tempo::new(CLOCK);
    tempo.change(50_021, Clock { tempo: 97.3, ..CLOCK });
    tempo.change(130_003, Clock { tempo: 211.7, ..CLOCK });
    tempo.change(200_009, Clock { tempo: 211.7, beats_per_bar: 3.0, ..CLOCK });
    tempo
}

#[test]
fn a_locked_lfo_has_not_drifted_by_a_frame_after_an_hour() {
    let hour = 3600 * 48_000;
    for tempo_bpm in [60.0, 97.31, 113.0, 133.7, 211.019] {
        let tempo = Tempo::new(Clock { tempo: tempo_bpm, ..CLOCK });
        for beats in [0.25, 1.0 / 3.0, 1.0, 7.0] {
            let square = lfo(Rate::Beats(beats), Shape::Square);
            let state = square.begin(0, &tempo);
            let frames = RATE * 60.0 / tempo_bpm * beats / 2.0;
            // The half cycles around the hour, counted from the beginning with whole numbers of them.
            let first = (hour as f64 / frames) as i64;
            for half in first..first + 5 {
                let edge = (half as f64 * frames + 0.5).floor() as i64;
                let up = f64::from(u8::from(half % 2 == 0));
                assert_eq!(square.value(&state, &tempo, edge), up, "{tempo_bpm} bpm, {beats} beats");
                assert_eq!(square.value(&state, &tempo, edge - 1), 1.0 - up);
                let corner = square.corner(&state, &tempo, edge - 1, edge + 10);
                assert_eq!(corner, Some(Corner { frame: edge, jumps: true }));
            }
        }
    }
}

#[test]
fn an_lfo_has_the_waveform_of_its_shape() {
    let tempo = Tempo::new(CLOCK);
    for (shape, expected) in [
        (Shape::Sine, [0.5, 1.0, 0.5, 0.0, 0.5 + 0.5 * math::sqrt(0.5)]),
        (Shape::Triangle, [0.5, 1.0, 0.5, 0.0, 0.75]),
        (Shape::Saw, [0.0, 0.25, 0.5, 0.75, 0.125]),
        (Shape::Square, [1.0, 1.0, 0.0, 0.0, 1.0]),
    ] {
        for rate in [Rate::Hertz(2.0), Rate::Beats(1.0), Rate::Bars(0.25)] {
            let motion = lfo(rate, shape);
            for (frame, expected) in [0, 6000, 12_000, 18_000, 24_000 * 9 + 3000].into_iter().zip(expected) {
                let got = at(&motion, &tempo, frame);
                assert!((got - expected).abs() < 1e-9, "{shape:?} {rate:?} at {frame}: {got}, not {expected}");
            }
        }
    }
}

#[test]
fn a_phase_begins_an_lfo_later_in_its_cycle() {
    let tempo = Tempo::new(CLOCK);
    let shifted = Motion::Lfo(Lfo { rate: Rate::Beats(1.0), shape: Shape::Saw, range: unit(), phase: 0.25, seed: 0 });
    assert_eq!(at(&shifted, &tempo, 0), 0.25);
    assert_eq!(at(&shifted, &tempo, 18_000), 0.0);
}

#[test]
fn a_random_lfo_has_a_value_for_each_cycle_that_only_the_seed_decides() {
    let tempo = Tempo::new(CLOCK);
    let random = lfo(Rate::Hertz(10.0), Shape::Random);
    let values: Vec<f64> = (0..1000).map(|cycle| at(&random, &tempo, cycle * 4800)).collect();
    assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
    assert!((values.iter().sum::<f64>() / 1000.0 - 0.5).abs() < 0.03);
    for (cycle, value) in values.iter().enumerate() {
        let frame = cycle as i64 * 4800;
        assert_eq!((at(&random, &tempo, frame + 1), at(&random, &tempo, frame + 4799)), (*value, *value));
    }
    assert!(values.windows(2).all(|pair| pair[0] != pair[1]));
    let Motion::Lfo(other) = random.clone() else { unreachable!() };
    let other = Motion::Lfo(Lfo { seed: 8, ..other });
    assert!(values.iter().enumerate().all(|(cycle, value)| at(&other, &tempo, cycle as i64 * 4800) != *value));
    assert_eq!(at(&random, &tempo, 4_799_999), values[999], "wherever it begins");
}

#[test]
fn a_free_lfo_keeps_its_phase_when_its_rate_changes_and_a_locked_one_its_place() {
    let tempo = Tempo::new(CLOCK);
    let (slow, fast) = (lfo(Rate::Hertz(1.0), Shape::Saw), lfo(Rate::Hertz(3.0), Shape::Saw));
    let state = slow.begin(0, &tempo);
    let later = fast.renew(&slow, &state, 0.0, 84_000, &tempo);
    assert_eq!(fast.value(&later, &tempo, 84_000), 0.75);
    assert_eq!(fast.value(&later, &tempo, 84_000 + 8000), 0.25);
    assert_eq!(fast.renew(&fast, &later, 0.0, 99_000, &tempo), later, "what is as it was goes on as it did");
    let (bar, beat) = (lfo(Rate::Bars(1.0), Shape::Saw), lfo(Rate::Beats(1.0), Shape::Saw));
    let state = bar.begin(0, &tempo);
    let later = beat.renew(&bar, &state, 0.0, 84_000, &tempo);
    assert_eq!(beat.value(&later, &tempo, 84_000), at(&beat, &tempo, 84_000));
    let free = fast.renew(&bar, &state, 0.0, 24_000, &tempo);
    assert_eq!(fast.value(&free, &tempo, 24_000), 0.25, "set free it goes on from its phase");
}

#[test]
fn a_range_in_octaves_has_its_middle_at_the_geometric_mean() {
    let range = Range { low: 100.0, high: 1600.0, octaves: true };
    for (part, expected) in [(-1.0, 100.0), (0.0, 100.0), (0.25, 200.0), (0.5, 400.0), (1.0, 1600.0), (2.0, 1600.0)] {
        assert!((range.at(part) - expected).abs() < 1e-9, "{part}");
    }
    let falling = Range { low: 1600.0, high: 100.0, octaves: true };
    assert!((falling.at(0.25) - 800.0).abs() < 1e-9);
}

#[test]
fn a_ramp_goes_from_one_value_to_the_other_in_its_time() {
    let tempo = Tempo::new(CLOCK);
    for time in [Span::Frames(48_000.0), Span::Beats(2.0), Span::Bars(0.5)] {
        let linear = ramp(-20.0, 0.0, time, Curve::Linear, None);
        for (frame, expected) in [(-5, -20.0), (0, -20.0), (12_000, -15.0), (48_000, 0.0), (900_000, 0.0)] {
            assert_eq!(at(&linear, &tempo, frame), expected, "{time:?} at {frame}");
        }
    }
    let exp = ramp(100.0, 6400.0, Span::Frames(6000.0), Curve::Exp, None);
    assert!((at(&exp, &tempo, 1000) - 200.0).abs() < 1e-9 && (at(&exp, &tempo, 3000) - 800.0).abs() < 1e-9);
    let below = ramp(-1.0, -4.0, Span::Frames(100.0), Curve::Exp, None);
    assert!((at(&below, &tempo, 50) + 2.0).abs() < 1e-12);
    let soft = ramp(0.0, 1.0, Span::Frames(4000.0), Curve::S, None);
    assert_eq!([1000, 2000, 3000].map(|frame| at(&soft, &tempo, frame)), [0.156_25, 0.5, 0.843_75]);
}

#[test]
fn a_ramp_in_musical_time_arrives_at_its_beat_through_changes_of_tempo() {
    let mut tempo = Tempo::new(CLOCK);
    tempo.change(24_000, Clock { tempo: 60.0, ..CLOCK });
    let motion = ramp(0.0, 4.0, Span::Beats(4.0), Curve::Linear, None);
    // A beat takes half a second before the change, and one behind it.
    for (frame, expected) in [(12_000, 0.5), (24_000, 1.0), (48_000, 1.5), (168_000, 4.0)] {
        assert_eq!(at(&motion, &tempo, frame), expected, "at {frame}");
    }
    let state = motion.begin(0, &tempo);
    let corners: Vec<i64> =
        [-1, 0, 1, 24_001].map(|after| motion.corner(&state, &tempo, after, 1 << 40).unwrap().frame).into();
    assert_eq!(corners, [1, 1, 24_001, 168_001]);
}

#[test]
fn a_ramp_with_a_place_is_a_function_of_the_transport_and_one_without_begins_when_heard() {
    let tempo = Tempo::new(CLOCK);
    let placed = ramp(0.0, 1.0, Span::Bars(1.0), Curve::Linear, Some(Moment::Bar(4.0)));
    let free = ramp(0.0, 1.0, Span::Bars(1.0), Curve::Linear, None);
    let (state, other) = (placed.begin(0, &tempo), placed.begin(400_000, &tempo));
    for (frame, expected) in [(383_999, 0.0), (384_000, 0.0), (432_000, 0.5), (480_000, 1.0)] {
        assert_eq!(placed.value(&state, &tempo, frame), expected);
        assert_eq!(placed.value(&other, &tempo, frame), expected);
    }
    let heard = free.begin(100_000, &tempo);
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-12, "{value}, not {expected}");
    for (frame, expected) in [(100_000, 0.0), (148_000, 0.5), (196_000, 1.0)] {
        near(free.value(&heard, &tempo, frame), expected);
    }
    let down = ramp(1.0, 0.0, Span::Bars(1.0), Curve::Linear, None);
    let turned = down.renew(&free, &heard, 0.5, 148_000, &tempo);
    for (frame, expected) in [(148_000, 0.5), (196_000, 0.25), (244_000, 0.0)] {
        near(down.value(&turned, &tempo, frame), expected);
    }
    assert_eq!(free.renew(&free, &heard, 0.25, 130_000, &tempo), heard);
}

#[test]
fn breakpoints_lie_at_the_frame_nearest_to_their_beat_through_changes_of_tempo() {
    let tempo = winding();
    let beats = [0.0, 1.1, 2.0, 3.7, 3.701, 5.0, 7.3, 9.9];
    let points: Vec<(f64, f64)> =
        beats.iter().enumerate().map(|(i, beat)| (*beat, f64::from(i as u32 * i as u32))).collect();
    for hold in [false, true] {
        let motion = Motion::Automate { points: points.clone(), hold };
        let state = motion.begin(0, &tempo);
        for pair in points.windows(2) {
            let frame = |beat: f64| (tempo.frame_of_beat(beat) + 0.5).floor() as i64;
            let (a, b) = (frame(pair[0].0), frame(pair[1].0));
            assert_eq!(motion.value(&state, &tempo, a), pair[0].1);
            assert_eq!(motion.value(&state, &tempo, b), pair[1].1);
            let before = motion.value(&state, &tempo, b - 1);
            assert!(if hold { before == pair[0].1 } else { before > pair[0].1 && before < pair[1].1 });
            let corner = motion.corner(&state, &tempo, b - 1, b + 1);
            assert_eq!(corner, Some(Corner { frame: if hold { b } else { b + 1 }, jumps: hold }));
        }
        assert_eq!(motion.value(&state, &tempo, -1_000_000), 0.0, "before the first");
        assert_eq!(motion.value(&state, &tempo, 100_000_000), 49.0, "behind the last");
    }
}

#[test]
fn automation_is_straight_in_beats_between_its_points() {
    let tempo = winding();
    let motion = Motion::Automate { points: vec![(0.0, 0.0), (12.0, 12.0)], hold: false };
    let last = tempo.frame_of_beat(12.0) as i64;
    for frame in (0..last).step_by(997) {
        assert!((at(&motion, &tempo, frame) - tempo.beat_at(frame)).abs() < 1e-4, "at {frame}");
    }
}

fn pattern(text: &str) -> Motion {
    let steps = steps::of(&Pattern::parse(text, 0).unwrap(), 0).unwrap();
    Motion::Steps { bars: steps.bars, steps: steps.steps.iter().map(|step| (step.place, step.value)).collect() }
}

#[test]
fn steps_change_at_the_frame_nearest_to_their_place_in_every_bar() {
    let tempo = Tempo::new(Clock { tempo: 113.0, ..CLOCK });
    let motion = pattern("1 2 [3 4 5]");
    let state = motion.begin(0, &tempo);
    let bar = 4.0 * 60.0 / 113.0 * RATE;
    let places = [0.0, 1.0 / 3.0, 2.0 / 3.0, 7.0 / 9.0, 8.0 / 9.0];
    for round in [-2, 0, 1, 1000] {
        for (i, place) in places.into_iter().enumerate() {
            let frame = ((f64::from(round) + place) * bar + 0.5).floor() as i64;
            assert_eq!(motion.value(&state, &tempo, frame), (i + 1) as f64, "bar {round}, step {i}");
            assert_eq!(motion.value(&state, &tempo, frame - 1), if i == 0 { 5.0 } else { i as f64 });
            assert_eq!(motion.corner(&state, &tempo, frame - 1, frame), Some(Corner { frame, jumps: true }));
            assert_eq!(motion.corner(&state, &tempo, frame, frame + 100), None);
        }
    }
}

#[test]
fn steps_take_turns_by_the_bar_and_rests_go_on() {
    let tempo = Tempo::new(CLOCK);
    let motion = pattern("<1 2> ~");
    assert_eq!(
        [0, 60_000, 96_000, 160_000, 192_000].map(|frame| at(&motion, &tempo, frame)),
        [1.0, 1.0, 2.0, 2.0, 1.0]
    );
    let late = pattern("~ 5 7 ~");
    assert_eq!([0, 24_000, 48_000, 72_000].map(|frame| at(&late, &tempo, frame)), [7.0, 5.0, 7.0, 7.0]);
}

#[test]
fn what_comes_from_outside_holds_until_the_next_in_whatever_range() {
    let tempo = Tempo::new(CLOCK);
    let event = |low, high| Motion::Event {
        source: EventSource::Midi { channel: None, controller: 7 },
        range: Some(Range { low, high, octaves: false }),
        start: -3.0,
        bounds: (-120.0, 24.0),
    };
    let motion = event(-60.0, 0.0);
    let mut state = motion.begin(0, &tempo);
    assert_eq!(motion.value(&state, &tempo, 50), -3.0);
    assert!(motion.hear(&mut state, 0.5, 100));
    assert_eq!(motion.value(&state, &tempo, 100), -30.0);
    let other = event(-20.0, 0.0);
    assert_eq!(other.value(&other.renew(&motion, &state, -30.0, 200, &tempo), &tempo, 200), -10.0);
    let osc = Motion::Event {
        source: EventSource::Osc { address: "/a".into() },
        range: None,
        start: 2.0,
        bounds: (0.0, 9.0),
    };
    assert_eq!(
        osc.value(&osc.renew(&motion, &state, -30.0, 200, &tempo), &tempo, 200),
        2.0,
        "another source begins anew"
    );
    let mut state = osc.begin(0, &tempo);
    osc.hear(&mut state, -7.5, 0);
    assert_eq!(osc.value(&state, &tempo, 0), -7.5);
}

/// Motions of every kind, drawn from a number.
fn any(number: u64) -> Motion {
    let draw = |n: u64| random_part(number, n as i64);
    let pick = |n: u64, of: usize| (draw(n) * of as f64) as usize;
    let range = match pick(0, 2) {
        0 => Range { low: 20.0 * draw(1) - 10.0, high: 20.0 * draw(2) - 10.0, octaves: false },
        _ => Range { low: 20.0 + 500.0 * draw(1), high: 20.0 + 5000.0 * draw(2), octaves: true },
    };
    match pick(3, 4) {
        0 => Motion::Lfo(Lfo {
            rate: match pick(4, 3) {
                0 => Rate::Hertz(0.05 + 30.0 * draw(5) * draw(6)),
                1 => Rate::Beats(0.03 + 5.0 * draw(5)),
                _ => Rate::Bars(0.01 + 3.0 * draw(5)),
            },
            shape: Shape::ALL[pick(7, 5)],
            range,
            phase: draw(8),
            seed: number,
        }),
        1 => Motion::Ramp(Ramp {
            from: range.low,
            to: range.high,
            time: match pick(4, 3) {
                0 => Span::Frames(100_000.0 * draw(5)),
                1 => Span::Beats(10.0 * draw(5)),
                _ => Span::Bars(3.0 * draw(5)),
            },
            curve: Curve::ALL[pick(6, 3)],
            start: (pick(7, 2) == 0).then(|| Moment::Bar(2.0 * draw(8))),
        }),
        2 => {
            let mut beat = -1.0;
            let points = (0..1 + pick(4, 30)).map(|i| {
                beat += if pick(i as u64 + 50, 9) == 0 { 1e-6 } else { draw(i as u64 + 100) * 2.0 };
                (beat, draw(i as u64 + 200) * 8.0)
            });
            Motion::Automate { points: points.collect(), hold: pick(5, 2) == 0 }
        }
        _ => pattern(["1 2 3", "<1 5> [2 3]*3", "1@3 ~ [7 8]/2", "[1 2 3 4 5]*1.5 ~", "4!7 3"][pick(4, 5)]),
    }
}

#[test]
fn every_motion_is_straight_between_its_corners_within_its_grain() {
    for (number, tempo) in (0..120).flat_map(|n| [(n, winding()), (n, Tempo::new(Clock { tempo: 143.1, ..CLOCK }))]) {
        let motion = any(number);
        let (least, most) = motion.bounds();
        let state = motion.begin((random_part(number, 99) * 40_000.0) as i64, &tempo);
        let value = |frame| motion.value(&state, &tempo, frame);
        let near = match &motion {
            Motion::Lfo(Lfo { range: Range { octaves: true, .. }, .. })
            | Motion::Ramp(Ramp { curve: Curve::Exp, .. }) => NEAR * least.abs().max(most.abs()),
            _ => NEAR * (most - least),
        } * 1.1
            + 1e-9;
        let mut now = 45_000 - (number as i64) * 400;
        let last = now + 180_000;
        while now < last {
            // The stretch that a renderer would take: from `now` on to a corner, or as far as the grain lets it.
            let grain = motion.grain(&state, &tempo, now).min(4000) as i64;
            let corner = motion.corner(&state, &tempo, now, now + grain);
            let end = corner.map_or(now + grain, |corner| corner.frame).min(now + grain);
            let jumped = motion.corner(&state, &tempo, now - 1, now).is_some_and(|corner| corner.jumps);
            let from = if jumped { now } else { now - 1 };
            let (a, b) = (value(from), value(end - 1));
            let steps = (end - 1 - from).max(1);
            for frame in (from..end).step_by((steps as usize / 5).max(1)) {
                let straight = a + (b - a) * (frame - from) as f64 / steps as f64;
                let is = value(frame);
                assert!(
                    (is - straight).abs() <= near,
                    "{number} {motion:?}: {is}, not {straight} at {frame} of {from}..{end}"
                );
                assert!(is >= least - 1e-9 && is <= most + 1e-9, "{number} {motion:?}: {is} at {frame}");
            }
            assert!(end > now);
            now = end;
        }
    }
}

#[test]
fn asking_for_corners_in_any_stretches_gives_the_same_ones() {
    let tempo = winding();
    for number in 0..60 {
        let motion = any(number);
        let state = motion.begin(0, &tempo);
        let (first, last) = (40_000, 60_000);
        let along = |stretch: i64| {
            let (mut found, mut after) = (Vec::new(), first);
            while after < last {
                let until = (after + stretch).min(last);
                match motion.corner(&state, &tempo, after, until) {
                    Some(corner) => {
                        assert!(corner.frame > after && corner.frame <= until);
                        found.push(corner);
                        after = corner.frame;
                    }
                    None => after = until,
                }
            }
            found
        };
        assert_eq!(along(64), along(1 << 20), "{number} {motion:?}");
    }
}

#[test]
fn no_motion_allocates_while_it_runs() {
    let tempo = winding();
    for number in 0..40 {
        let motion = any(number);
        assert_no_alloc::assert_no_alloc(|| {
            let mut state = motion.begin(0, &tempo);
            for frame in (0..200_000).step_by(6400) {
                let now = motion.value(&state, &tempo, frame);
                motion.corner(&state, &tempo, frame, frame + 64);
                motion.grain(&state, &tempo, frame);
                motion.hear(&mut state, 0.5, frame);
                state = motion.renew(&motion, &state, now, frame, &tempo);
            }
        });
    }
}

#[test]
fn a_rate_goes_through_one_number_and_back() {
    let exact =
        [Rate::Hertz(0.001), Rate::Hertz(20_000.0), Rate::Beats(0.0625), Rate::Beats(4.0 / 3.0), Rate::Beats(4000.0)];
    for rate in exact.into_iter().chain([Rate::Bars(0.25), Rate::Bars(1.0), Rate::Bars(1000.0)]) {
        assert_eq!(Rate::of_number(rate.number()), rate);
    }
    let Rate::Bars(third) = Rate::of_number(Rate::Bars(1.0 / 3.0).number()) else { panic!("no bars") };
    assert!((third - 1.0 / 3.0).abs() < 1e-11);
}

#[test]
fn what_sections_set_is_reached_on_the_bar_line_by_a_way_that_begins_before_it() {
    let tempo = winding();
    // The third is nearer to the second than the way is long.
    let steps = vec![(0.0, 1.0), (1.0, 2.0), (1.005, 3.0), (2.5, 1.0)];
    let motion = Motion::Sections(Sections { steps: steps.clone(), fade: 960 });
    let state = motion.begin(0, &tempo);
    let line = |bar: f64| (tempo.frame_of_bar(bar) + 0.5).floor() as i64;
    let ways = [(line(1.0) - 960, line(1.0)), (line(1.0), line(1.005)), (line(2.5) - 960, line(2.5))];
    assert!(ways[1].1 - ways[1].0 < 960);
    let (mut frame, mut found) = (-2000, Vec::new());
    while let Some(corner) = motion.corner(&state, &tempo, frame, i64::MAX) {
        assert!(corner.jumps && corner.frame > frame);
        frame = corner.frame;
        found.push((frame, frame + i64::from(motion.jump(&state, &tempo, frame, 64))));
    }
    assert_eq!(found, ways);
    for (way, pair) in ways.iter().zip(steps.windows(2)) {
        assert_eq!([way.0 - 1, way.0].map(|frame| at(&motion, &tempo, frame)), [pair[0].1, pair[1].1]);
    }
    assert_eq!((at(&motion, &tempo, -5000), at(&motion, &tempo, 10_000_000), motion.bounds()), (1.0, 1.0, (1.0, 3.0)));
}
