//! What whoever plays hears beyond the text: the level, mono, a click, and what is listened to ahead. Nothing of it is kept.

use engine::listen::{Cue, Looks, Point};
use engine::math::gain_from_db;
use engine::monitor::{Audition, Wish};
use engine::names::Names;
use engine::transport::Move;

use crate::by_hand::ByHand;
use crate::exact::rendered;
use crate::sessions::{graph, session};

const RATE: usize = 48_000;

const SESSION: &str = "let voice = input(\"voice\", sine(440).level(-12));
let bass = input(\"bass\", sine(100).level(-18));
voice >> gain(-3) >> fader(-9) >> pan(-0.5) >> master; bass >> fader(-6) >> master; cue_output(3, 4);";

impl ByHand {
    fn wish(&mut self, wish: Wish) {
        self.live.monitor(wish).expect("there is room");
    }

    /// Listens ahead to a path of a text.
    fn cue(&mut self, text: &str, path: Option<&str>) {
        let session = session(text);
        let names = Names::of(&session);
        let point = path.map(|path| Point::ahead(&session, &names, path).expect("it can be listened to"));
        let looks = Looks { cue: Some(Cue { channels: vec![3, 4], point }), ..Looks::default() };
        let program = self.desk.observe(looks).expect("it compiles");
        self.take_up(program);
    }
}

fn peak(sound: &[f32]) -> f64 {
    sound.iter().fold(0.0, |peak: f64, x| peak.max(f64::from(x.abs())))
}

fn is_level(sound: &[f32], db: f64) -> bool {
    (20.0 * peak(sound).log10() - db).abs() < 0.02
}

/// The largest difference of neighbouring samples.
fn step(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn a_monitor_that_nobody_turns_changes_no_bit() {
    let mut desk = ByHand::start_on(SESSION, 4);
    desk.play(RATE / 2);
    assert!(desk.channel(0) == desk.recorded());
}

#[test]
fn level_and_mono_are_heard_without_a_step_and_not_kept() {
    let mut desk = ByHand::start_on(SESSION, 4);
    desk.play(RATE / 4);
    desk.wish(Wish::Level(gain_from_db(-20.0)));
    desk.wish(Wish::Mono(true));
    desk.play(RATE / 4);
    let (left, right) = (desk.channel(0), desk.channel(1));
    let plain = rendered(&graph(SESSION), RATE / 2);
    let (a, b) = (&left[RATE / 4 + 1100..], &right[RATE / 4 + 1100..]);
    assert!(a == b, "both sides are one");
    let expected = plain[0].iter().zip(&plain[1]).skip(RATE / 4 + 1100).map(|(l, r)| 0.05 * (l + r));
    assert!(a.iter().zip(expected).all(|(x, mean)| (f64::from(*x) - mean).abs() < 1e-7));
    assert!(step(&left) <= step(&left[..RATE / 4]) * 1.01, "it glides there");
    let kept: Vec<f32> = plain[0].iter().map(|x| *x as f32).collect();
    assert!(desk.recorded() == kept, "what is kept is what the text says");
}

#[test]
fn what_is_listened_to_ahead_comes_before_its_fader_muted_or_not_and_the_audience_hears_none_of_it() {
    let muted = format!("{SESSION} mute(\"voice\");");
    let mut desk = ByHand::start_on(&muted, 4);
    desk.play(RATE / 4);
    desk.cue(&muted, Some("voice"));
    desk.play(RATE / 4);
    assert!(is_level(&desk.channel(2)[RATE / 4 + 2000..], -15.0), "behind the gain, before the fader");
    assert!(desk.channel(2) == desk.channel(3), "mono on both");
    let at = desk.channel(2).len();
    desk.cue(&muted, Some("bass"));
    desk.play(RATE / 4);
    assert!(is_level(&desk.channel(2)[at + 2000..], -18.0));
    desk.cue(&muted, None);
    desk.play(RATE / 4);
    let cue = desk.channel(2);
    assert_eq!(peak(&cue[cue.len() - 1000..]), 0.0);
    let steepest = 10f64.powf(-15.0 / 20.0) * 440.0 * std::f64::consts::TAU / RATE as f64;
    assert!(f64::from(step(&cue)) < steepest * 1.5, "from one to the next without a click: {}", step(&cue));
    let plain: Vec<f32> = rendered(&graph(&muted), cue.len())[0].iter().map(|x| *x as f32).collect();
    assert!(desk.channel(0) == plain && desk.recorded() == plain);
}

#[test]
fn a_bus_a_cable_an_effect_and_the_master_can_be_listened_to_ahead() {
    let text = "let a = input(\"a\", sine(440).level(-12)); let band = bus(\"band\");
        a >> gain(-3) >> fader(-9) >> band; a >> gain(-1) >> cable(\"dry\") >> band;
        band >> gain(-20) >> fader(-6) >> gain(-6) >> master; cue_output(3, 4);";
    let sum = 20.0 * (10f64.powf(-24.0 / 20.0) + 10f64.powf(-13.0 / 20.0)).log10();
    for (path, level) in [
        ("a", -12.0),
        ("a>band", -15.0),
        ("a>band:dry", -13.0),
        ("a>band/fader", -24.0),
        ("band", sum - 20.0),
        ("master", sum - 32.0),
    ] {
        let mut desk = ByHand::start_on(text, 4);
        desk.cue(text, Some(path));
        desk.play(RATE / 4);
        let heard = desk.channel(2);
        assert!(is_level(&heard[2000..], level), "{path}: {}", 20.0 * peak(&heard[2000..]).log10());
    }
}

#[test]
fn a_text_is_heard_ahead_as_it_would_sound_from_here() {
    let planned = SESSION.replace("fader(-9)", "fader(3)").replace("sine(100)", "sine(150)");
    let mut desk = ByHand::start_on(SESSION, 4);
    desk.cue(SESSION, None);
    desk.play(RATE / 4);
    let program = desk.desk.beside(&graph(&planned)).expect("it compiles");
    let audition = Box::new(Audition::new(program, vec![3, 4]));
    assert!(desk.live.audition(Some(audition)).is_ok());
    desk.play(RATE / 4);
    let at = desk.channel(2).len();
    let expected = rendered(&graph(&planned), at);
    // Nothing moves any more where the first quanta are faded in.
    let same = |channel: usize| {
        let heard = desk.channel(2 + channel);
        heard[RATE / 4 + 2000..].iter().zip(&expected[channel][RATE / 4 + 2000..]).all(|(a, b)| *a == *b as f32)
    };
    assert!(same(0) && same(1));
    assert!(desk.live.audition(None).is_ok());
    desk.play(RATE / 4);
    assert_eq!(peak(&desk.channel(2)[at + 2000..]), 0.0);
    let plain: Vec<f32> = rendered(&graph(SESSION), desk.heard.len() / 4)[0].iter().map(|x| *x as f32).collect();
    assert!(desk.channel(0) == plain, "the audience hears none of it");
    assert_eq!(desk.live.reports().count(), 0);
}

#[test]
fn what_is_heard_ahead_goes_where_the_transport_goes() {
    let text = "input(\"clicks\", impulse(4)) >> master; cue_output(3, 4);";
    let mut desk = ByHand::start_on(text, 4);
    desk.cue(text, None);
    let program = desk.desk.beside(&graph(text)).expect("it compiles");
    assert!(desk.live.audition(Some(Box::new(Audition::new(program, vec![3, 4])))).is_ok());
    desk.play(RATE / 4);
    for order in [Move::Locate(9600), Move::Stop, Move::Locate(0), Move::Start] {
        desk.live.order(order).expect("there is room");
        desk.play(RATE / 4);
    }
    let (main, ahead) = (desk.channel(0), desk.channel(2));
    assert!(peak(&main[RATE / 4..]) > 0.9);
    assert!(main[4000..].iter().zip(&ahead[4000..]).all(|(a, b)| a == b));
}

/// The frames at which something begins after silence, and whether it is the bar's click.
fn clicks(sound: &[f32]) -> Vec<(usize, bool)> {
    let begins = |i: &usize| sound[*i] != 0.0 && sound[i.saturating_sub(200)..*i].iter().all(|x| *x == 0.0);
    // A sine begins with a zero.
    let begun: Vec<usize> = (1..sound.len()).filter(begins).collect();
    begun.into_iter().map(|i| (i - 1, sound[i] > 0.25 * 0.17)).collect()
}

#[test]
fn a_click_stands_on_every_beat_as_it_is_heard_and_is_not_kept() {
    // 125 beats a minute: 23 040 frames each, in bars of three; the limiter looks 240 frames ahead.
    let text = "tempo(125); time_signature(3, 4); input(\"a\", sine(440).level(-120)) >> fader(off) >> master; master >> limiter(-1) >> output(1, 2);";
    let mut desk = ByHand::start_on(text, 2);
    desk.wish(Wish::Click(true));
    desk.play(7 * 23_040);
    let late = rendered_late(text);
    let expected: Vec<(usize, bool)> = (0..7).map(|beat| (late + beat * 23_040, beat % 3 == 0)).collect();
    let found = clicks(&desk.channel(0));
    assert_eq!(found, expected[..found.len()]);
    assert!(found.len() >= 6);
    assert_eq!(peak(&desk.recorded()), 0.0);
    desk.wish(Wish::Click(false));
    let at = desk.channel(0).len();
    desk.play(RATE);
    assert_eq!(peak(&desk.channel(0)[at + 4000..]), 0.0);
}

/// By how many frames the output of a text is late.
fn rendered_late(text: &str) -> usize {
    let program = engine::desk::Desk::open(&graph(text), None).expect("it compiles").1;
    program.plan.outputs[0].late
}

#[test]
fn a_count_in_clicks_so_many_bars_and_then_the_transport_starts() {
    let text = "tempo(125); input(\"a\", sine(440).level(-120)) >> fader(off) >> master; cue_output(3);";
    let mut desk = ByHand::start_on(text, 3);
    desk.cue_on(vec![3]);
    desk.live.order(Move::Stop).expect("there is room");
    desk.live.order(Move::Locate(4 * 23_040)).expect("there is room");
    desk.play(188 * 64);
    let at = desk.channel(2).len();
    desk.wish(Wish::CountIn(Some(4 * 23_040)));
    desk.play(4 * 23_040);
    assert_eq!(desk.live.transport(), 4 * 23_040, "it stands while it is counted in");
    desk.play(64);
    assert_eq!(desk.live.transport(), 4 * 23_040 + 64);
    let found = clicks(&desk.channel(2)[at..]);
    let expected: Vec<(usize, bool)> = (0..4).map(|beat| (beat * 23_040, beat == 0)).collect();
    assert_eq!(found, expected, "on the cue output alone");
    assert_eq!(peak(&desk.channel(0)), 0.0);
}

impl ByHand {
    fn cue_on(&mut self, channels: Vec<u16>) {
        let looks = Looks { cue: Some(Cue { channels, point: None }), ..Looks::default() };
        let program = self.desk.observe(looks).expect("it compiles");
        self.take_up(program);
    }
}

#[test]
fn a_program_that_turns_the_monitor_glides_there_with_its_edit() {
    let mut desk = ByHand::start_on(SESSION, 2);
    desk.play(RATE / 4);
    desk.desk.turn(0.5);
    let louder = SESSION.replace("fader(-9)", "fader(-2.9794)").replace("fader(-6)", "fader(0.0206)");
    let (program, _) = desk.desk.edit(&graph(&louder), None).expect("it compiles").expect("it changes something");
    desk.take_up(program);
    desk.play(RATE / 4);
    let heard = desk.channel(0);
    let before = rendered(&graph(SESSION), heard.len());
    let matched = heard.iter().zip(&before[0]).skip(RATE / 4 + 2000);
    assert!(matched.clone().all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4), "as loud as before");
    assert!(step(&heard) < 1.2 * step(&heard[..RATE / 4]));
    assert!(peak(&desk.recorded()[RATE / 4 + 2000..]) > 1.9 * peak(&heard[..RATE / 4]), "what is kept is not turned");
}
