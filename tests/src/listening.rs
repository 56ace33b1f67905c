//! Listening: that at each point the sound is heard which is there, that nobody's listening changes a bit, and that what
//! dynamics tell of themselves is what they do.

use engine::kernel::QUANTUM;
use engine::listen::{Hearing, Looks, Point};
use engine::names::Names;
use engine::offline::{Offline, Stream};
use engine::session::Session;

use crate::by_hand::ByHand;
use crate::exact::rendered;
use crate::rehearsal::first_difference;
use crate::sessions::{graph, session};

const SESSION: &str = "
    let tone = input(\"tone\", sine(1000).level(-6)); let hush = input(\"hush\", pulse(50, 20).level(-20));
    let band = bus(\"band\"); let room = bus(\"room\");
    tone >> compressor(-20, 4).lookahead(5) >> fader(-6) >> send(room, -12) >> band; hush >> high_pass(90) >> band;
    room >> delay(50) >> band;
    let hall = bus(\"hall\"); let glued = band >> gain(-1).named(\"glue\");
    glued >> gain(-20) >> hall; hall >> master; glued >> master;
    master >> fader(-3) >> output(1, 2);";

const FRAMES: u64 = 9600;

/// The session as it is once it is checked, and its points at these paths.
pub fn points(text: &str, paths: &[&str]) -> Vec<Point> {
    let mut session: Session = session(text);
    engine::amend::apply(&mut session);
    let names = Names::of(&session);
    paths.iter().map(|path| Point::find(&session, &names, path).expect("there is such a point")).collect()
}

/// What is heard at each path, a list a channel, and by how much it was turned down in each quantum.
fn heard(text: &str, paths: &[&str]) -> Vec<(Vec<Vec<f64>>, Vec<f64>)> {
    let mut offline = Offline::listening(&graph(text), None, points(text, paths)).expect("the plan proves right");
    let names: Vec<String> = offline.heard().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, paths, "each is heard, in the order of asking");
    let mut all: Vec<(Vec<Vec<f64>>, Vec<f64>)> =
        offline.heard().iter().map(|(_, channels)| (vec![Vec::new(); *channels], Vec::new())).collect();
    let done = offline.render::<()>(
        FRAMES,
        |_| {},
        |stream, sound| {
            match stream {
                Stream::Heard(i) => {
                    all[i].0.iter_mut().zip(sound).for_each(|(all, sound)| all.extend_from_slice(sound));
                }
                Stream::Reduced(i) => all[i].1.push(sound[0][0]),
                Stream::Output(_) | Stream::Stem(_) => {}
            }
            Ok(())
        },
    );
    done.expect("nothing is refused");
    all
}

/// The sum of sounds, channel by channel; a mono one goes into both.
fn sum(sounds: &[&[Vec<f64>]]) -> Vec<Vec<f64>> {
    let channel = |sound: &&[Vec<f64>], c: usize, i: usize| sound[c.min(sound.len() - 1)][i];
    (0..2)
        .map(|c| (0..FRAMES as usize).map(|i| sounds.iter().map(|sound| channel(sound, c, i)).sum()).collect())
        .collect()
}

fn largest_difference(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let (a, b) = (a.iter().flatten(), b.iter().flatten());
    a.zip(b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()))
}

fn scaled(sound: &[Vec<f64>], db: f64) -> Vec<Vec<f64>> {
    let gain = 10f64.powf(db / 20.0);
    sound.iter().map(|channel| channel.iter().map(|x| x * gain).collect()).collect()
}

#[test]
fn at_each_point_the_sound_is_heard_that_is_there() {
    let paths = [
        "master",
        "master.input",
        "band",
        "band.input",
        "tone>band",
        "hush>band",
        "room>band",
        "tone",
        "tone>room",
        "tone.input",
        "tone/fader",
    ];
    let heard = heard(SESSION, &paths);
    let of = |path: &str| &heard[paths.iter().position(|other| *other == path).unwrap()].0[..];
    // Most of it is late by the look-ahead, and that is left out.
    assert!(heard.iter().all(|(sound, _)| sound.iter().all(|channel| channel.len() == FRAMES as usize)));
    assert_eq!(first_difference(of("master"), &rendered(&graph(SESSION), FRAMES as usize)), None);
    let cables = sum(&[of("hush>band"), of("room>band"), of("tone>band")]);
    assert!(largest_difference(&cables, of("band.input")) < 1e-12);
    // What all cables of a bus have passed is its chain: the glue, and not the gain of one of them.
    assert!(largest_difference(of("band"), &scaled(of("band.input"), -1.0)) < 1e-12);
    assert!(largest_difference(of("master"), &scaled(of("master.input"), -3.0)) < 1e-12);
    // A send takes nothing off the chain, and carries its own level.
    assert_eq!(first_difference(of("tone"), of("tone/fader")), None);
    assert!(largest_difference(of("tone>room"), &scaled(of("tone"), -12.0)) < 1e-12);
    assert!(largest_difference(of("tone>band"), of("tone")) < 1e-12);
    // Before all effects a tone has its own level.
    let peak = of("tone.input")[0].iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!((20.0 * peak.log10() + 6.0).abs() < 0.01, "{peak}");
}

#[test]
fn a_compressor_tells_what_it_takes_off() {
    let text = "let x = input(\"x\", sine(1000).level(-8)); x >> compressor(-20, 4).knee(0) >> master;";
    let (_, down) = &heard(text, &["x/compressor"])[0];
    assert_eq!(down.len(), FRAMES as usize / QUANTUM);
    // 12 dB over at 4:1 is 9 dB down, once the attack is over.
    assert!((down[down.len() - 1] - 9.0).abs() < 0.1, "{}", down[down.len() - 1]);
    assert!(down[0] < 2.0 && down.windows(2).all(|pair| pair[1] > pair[0] - 0.2), "{down:?}");
    for (effect, least, most) in [
        ("gate(-3).range(20)", 19.9, 20.1),
        ("expander(-3, 2).range(12)", 4.0, 12.1),
        ("limiter(-14).true_peak(off)", 5.9, 6.2),
        ("deesser(3000).threshold(-30).mode(\"wide\")", 10.0, 20.0),
        ("compressor(0, 4).knee(0)", 0.0, 0.0),
    ] {
        let text = format!("let x = input(\"x\", sine(6000).level(-8)); x >> {effect} >> master;");
        let path = format!("x/{}", effect.split('(').next().unwrap());
        let (_, down) = &heard(&text, &[&path])[0];
        let last = down[down.len() - 1];
        assert!((least..=most).contains(&last), "{effect}: {last}");
    }
}

#[test]
fn a_point_that_leads_to_no_output_is_not_heard() {
    let text = "let x = input(\"x\", sine(100)); x >> master; let y = input(\"y\", sine(200)); y >> bus(\"nowhere\");";
    let offline = Offline::listening(&graph(text), None, points(text, &["y", "x"])).expect("the plan proves right");
    assert_eq!(offline.heard().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["x"]);
}

#[test]
fn a_path_that_is_no_point_is_refused_with_what_can_be_listened_to() {
    let mut session = session(SESSION);
    engine::amend::apply(&mut session);
    let names = Names::of(&session);
    let why = |path: &str| Point::find(&session, &names, path).expect_err(path);
    assert!(why("bnad").help.is_some_and(|help| help.contains("band")));
    assert!(why("tone/fader.gain").message.contains("listened"));
    assert!(why("tone>band.input").message.contains("listened"));
}

impl ByHand {
    fn listen(&mut self, paths: &[&str]) -> Option<Hearing> {
        let mut program =
            self.desk.observe(Looks { points: points(SESSION, paths), ..Looks::default() }).expect("it compiles");
        let hearing = program.hearing.take();
        self.take_up(program);
        hearing
    }
}

#[test]
fn listening_changes_no_bit_and_what_is_heard_live_is_what_is_heard_offline() {
    let (mut listened, mut plain) = (ByHand::start(SESSION), ByHand::start(SESSION));
    let offline = heard(SESSION, &["band"]).remove(0).0;
    let mut hearing = listened.listen(&["tone/compressor", "band"]).expect("somebody listens");
    plain.play(64);
    assert_eq!(hearing.points.iter().map(|point| point.name.as_str()).collect::<Vec<_>>(), ["tone/compressor", "band"]);
    let (mut band, mut most, mut frames) = (vec![Vec::new(); 2], 0.0_f64, Vec::new());
    for _ in 0..15 {
        listened.play(512);
        plain.play(512);
        while let Some(frame) = hearing.next(|point, sound, down| match point.name.as_str() {
            "band" => band.iter_mut().zip(sound).for_each(|(all, own)| all.extend_from_slice(own)),
            _ => most = most.max(down),
        }) {
            frames.push(frame);
        }
    }
    assert!(frames.windows(2).all(|pair| pair[1] == pair[0] + QUANTUM as u64) && frames.len() >= 119, "{frames:?}");
    assert!(most > 5.0, "{most}");
    // The desk began without a listener, and is late by the look-ahead.
    let from = frames[0] as usize;
    for (live, offline) in band.iter().zip(&offline) {
        assert!(live[240 - from..][..4000] == offline[..4000]);
    }
    assert!(!hearing.is_over());
    assert!(listened.listen(&[]).is_none());
    plain.play(64);
    let _ = listened.live.reports().count();
    while hearing.next(|_, _, _| {}).is_some() {}
    assert!(hearing.is_over());
    listened.play(2000);
    plain.play(2000);
    assert!(listened.heard == plain.heard);
    assert!(plain.heard.iter().any(|x| x.abs() > 0.1));
}
