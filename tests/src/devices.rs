//! Devices that misbehave: whatever one does, time goes on, nothing is missing from what the desk made, and sound returns
//! without a step.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::desk::Desk;
use engine::device::{self, OpenError};
use engine::graph::Graph;
use engine::keeper::{Device, Devices, Direction, Keeper, Maker, News, StandIn, Wish};
use engine::live::{Live, Setup, start};
use engine::playback::{Capture, Load, Playback};
use engine::tap::{Recording, Wanted};

use crate::exact::rendered;
use crate::fake_device::{FakeCard, Time};
use crate::sessions::graph;

const RATE: u32 = 48_000;
const BUFFER: u32 = 512;

/// How long a tick of the pretended time is.
const TICK: Duration = Duration::from_millis(1);

/// How often a keeper looks, in ticks.
const LOOK: u32 = 20;

const TONE: &str = r#"input("a", sine(220).level(-6)) >> low_pass(2000) >> master;"#;

/// The most that neighbouring samples of that tone differ by.
const STEP: f32 = 0.5 * std::f32::consts::TAU * 220.0 / 48_000.0;

fn wish() -> Wish {
    Wish { name: None, rate: RATE, buffer: BUFFER, channels: 2 }
}

/// Two cards, of which the second has a name.
struct Rack([FakeCard; 2]);

impl Rack {
    fn named(&mut self, wanted: &device::Wanted) -> Result<&mut FakeCard, OpenError> {
        match wanted.name {
            None => Ok(&mut self.0[0]),
            Some("second") => Ok(&mut self.0[1]),
            Some(other) => Err(OpenError::Unknown(other.into(), vec!["second".into()])),
        }
    }
}

impl Devices for Rack {
    fn open_output(
        &mut self,
        wanted: &device::Wanted,
        make: Maker<dyn Playback>,
    ) -> Result<Box<dyn Device>, OpenError> {
        self.named(wanted)?.open_output(wanted, make)
    }

    fn open_input(&mut self, wanted: &device::Wanted, make: Maker<dyn Capture>) -> Result<Box<dyn Device>, OpenError> {
        self.named(wanted)?.open_input(wanted, make)
    }
}

/// A desk that plays to a fake card, or to a second one, and may listen to another.
struct Playing {
    time: Arc<Time>,
    ticks: u32,
    card: FakeCard,
    second: FakeCard,
    microphone: FakeCard,
    keeper: Keeper,
    stand_in: StandIn,
    input: Option<Keeper>,
    live: Live,
    recording: Recording,
    taken: Vec<f32>,
    news: Vec<News>,
    graph: Graph,
    /// By how much the transport is ahead of time: what the card buffers.
    ahead: Range<i64>,
}

impl Playing {
    /// Starts it; the card is opened unless `without`.
    fn start(text: &str, without: bool) -> Self {
        let graph = graph(text);
        let (_, program) = Desk::open(&graph, None).expect("the plan proves right");
        let setup = Setup {
            rate: RATE,
            keep: Wanted { master: true, ..Wanted::default() },
            inputs: 1,
            cushion: 2 * BUFFER as usize,
        };
        let (live, player, listener, recording) = start(program, setup);
        let time = Arc::new(Time::default());
        let [card, second, microphone] = [(); 3].map(|()| FakeCard::new(time.clone()));
        let load = Arc::new(Load::default());
        let (mut keeper, stand_in) = Keeper::of_output(
            Box::new(Rack([card.clone(), second.clone()])),
            time.clone(),
            wish(),
            Box::new(player),
            load,
        );
        if !without {
            keeper.open().expect("the card is there");
        }
        let input = text.contains("device(").then(|| {
            let mut input = Keeper::of_input(Box::new(microphone.clone()), time.clone(), wish(), Box::new(listener));
            input.open().expect("the microphone is there");
            input
        });
        let recording = recording.master.expect("it was asked for");
        let (taken, news, ahead) = (Vec::new(), Vec::new(), Range { start: i64::MAX, end: i64::MIN });
        Playing {
            time,
            ticks: 0,
            card,
            second,
            microphone,
            keeper,
            stand_in,
            input,
            live,
            recording,
            taken,
            news,
            graph,
            ahead,
        }
    }

    /// Lets time pass.
    fn run(&mut self, seconds: f64) {
        for _ in 0..(seconds * 1000.0) as u32 {
            self.time.pass(TICK);
            self.ticks += 1;
            self.microphone.call();
            self.card.call();
            self.second.call();
            self.stand_in.step();
            if self.ticks.is_multiple_of(LOOK) {
                self.keeper.look(|news| self.news.push(news));
                if let Some(input) = &mut self.input {
                    input.look(|news| self.news.push(news));
                }
            }
            let mut samples = Vec::new();
            while self.recording.next(&mut samples).is_some() {
                self.taken.extend(&samples);
            }
        }
    }

    /// How far the transport is ahead of time, in frames.
    fn lead(&self) -> i64 {
        self.live.transport() as i64 - i64::from(self.ticks) * i64::from(RATE) / 1000
    }

    /// Plays for a second as it should, and notes how far the transport is ahead meanwhile.
    fn settle(&mut self) {
        for _ in 0..1000 {
            self.run(0.001);
            self.ahead = self.ahead.start.min(self.lead())..self.ahead.end.max(self.lead());
        }
    }

    /// Lets time pass, in which the transport must keep time to within a block.
    fn keeps_time(&mut self, seconds: f64) {
        let block = i64::from(BUFFER);
        for _ in 0..(seconds * 1000.0) as u32 {
            self.run(0.001);
            let (lead, ahead) = (self.lead(), &self.ahead);
            let in_time = ahead.start - block..=ahead.end + block;
            assert!(in_time.contains(&lead), "{} ms: {lead} frames ahead, not {in_time:?}", self.ticks);
        }
    }

    /// That nothing is missing from what the desk made, and nothing else in it.
    fn is_whole(&self) {
        let frames = self.taken.len() / 2;
        assert!(frames as u32 >= self.ticks * (RATE / 1000) - BUFFER, "{frames} frames in {} ms", self.ticks);
        let expected = rendered(&self.graph, frames);
        let differs = (0..frames).find(|&i| (0..2).any(|c| self.taken[2 * i + c] != expected[c][i] as f32));
        assert_eq!(differs, None, "the first frame that is not as it is rendered");
    }

    /// What the card has played since it was last asked.
    fn heard(&self) -> Vec<f32> {
        std::mem::take(&mut self.card.card().heard)
    }

    /// Lets another card take over, or none.
    fn change(&mut self, name: Option<&str>) {
        self.keeper.change(name, |news| self.news.push(news));
    }

    /// What was told since last asked.
    fn told(&mut self) -> Vec<String> {
        self.news.drain(..).map(|news| news.to_string()).collect()
    }
}

/// The largest difference between neighbours.
fn step(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

fn peak(sound: &[f32]) -> f32 {
    sound.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

/// That a device that has returned begins in silence, fades in in about 50 ms, and sounds as before.
fn fades_in(heard: &[f32], rate: u32) {
    let ms = |ms: u32| (ms * rate / 1000) as usize;
    assert!(heard.iter().all(|x| x.is_finite()));
    let begin = heard.iter().position(|x| *x != 0.0).expect("it sounds again");
    assert!(begin >= ms(90), "it settles first, not for {begin} frames");
    let most = STEP * 48_000.0 / rate as f32 + 0.5 / ms(48) as f32;
    assert!(step(heard) <= most, "a step of {}, above {most}", step(heard));
    let early = peak(&heard[begin..begin + ms(5)]);
    assert!(early < 0.1, "{early} at the beginning");
    let later = peak(&heard[begin + ms(60)..]);
    assert!((later - 0.5).abs() < 0.01, "{later} in the end");
}

#[test]
fn a_card_that_is_unplugged_and_returns() {
    let mut playing = Playing::start(TONE, false);
    playing.settle();
    assert!(step(&playing.heard()) < 1.1 * STEP && playing.told().is_empty());
    playing.card.unplug();
    playing.run(0.05);
    assert_eq!(playing.told(), ["the sound device is gone: the transport goes on in silence"]);
    playing.keeps_time(4.0);
    assert!(playing.heard().is_empty() && playing.told().is_empty());
    playing.card.card().is.present = true;
    playing.keeps_time(4.0);
    let told = playing.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("back on Fake (tests), 48000 Hz, 2 channels, 512 frames at a time, after "),
        "{told:?}"
    );
    fades_in(&playing.heard(), RATE);
    playing.is_whole();
}

/// That a card plays as before and then fades out in about 50 ms, and that nothing comes after that.
fn fades_out(heard: &[f32]) {
    let most = STEP + 0.5 / (48 * 48) as f32;
    assert!(step(heard) <= most, "a step of {}, above {most}", step(heard));
    let end = heard.iter().rposition(|x| *x != 0.0).expect("it sounded");
    assert!(peak(&heard[end - 240..=end]) < 0.06 && (peak(&heard[end - 4800..=end - 2400]) - 0.5).abs() < 0.01);
    assert!(end < heard.len() - 1, "it ends in silence");
}

/// That a card is closed, which is done on a thread of its own.
fn closes(card: &FakeCard) {
    let begun = Instant::now();
    while card.format().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is not closed");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn another_card_takes_over_once_it_is_open_and_one_that_does_not_open_changes_nothing() {
    let mut playing = Playing::start(TONE, false);
    playing.settle();
    for (wanted, told) in [
        ("second", "fake cannot be opened: it is not plugged in; what played plays on as before"),
        ("third", "there is no device \"third\"; there is second; what played plays on as before"),
    ] {
        playing.second.card().is.present = false;
        playing.change(Some(wanted));
        playing.keeps_time(1.0);
        assert_eq!(playing.told(), [told]);
        assert!(step(&playing.heard()) < 1.1 * STEP, "what plays is not touched");
    }
    playing.second.card().is.present = true;
    playing.keeps_time(0.5);
    playing.change(Some("second"));
    playing.keeps_time(2.0);
    assert_eq!(playing.told(), ["playing to Fake (tests), 48000 Hz, 2 channels, 512 frames at a time"]);
    fades_out(&playing.heard());
    closes(&playing.card);
    let heard = std::mem::take(&mut playing.second.card().heard);
    fades_in(&heard, RATE);
    // It is the one that is kept open now.
    playing.second.unplug();
    playing.run(0.05);
    playing.keeps_time(0.5);
    playing.second.card().is.present = true;
    playing.keeps_time(2.0);
    assert!(matches!(playing.news[..], [News::Gone(_), News::Back(..)]), "{:?}", playing.news);
    playing.told();
    playing.second.card().heard.clear();
    playing.keeps_time(0.5);
    playing.change(None);
    playing.keeps_time(5.0);
    assert_eq!(playing.told(), ["the transport goes on in silence"]);
    fades_out(&playing.second.card().heard);
    // It is closed, and none is tried again.
    closes(&playing.second);
    playing.change(Some("second"));
    playing.keeps_time(1.0);
    assert!(matches!(playing.news[..], [News::Changed(Some(_))]), "{:?}", playing.news);
    assert!((peak(&playing.second.card().heard) - 0.5).abs() < 0.01);
    playing.is_whole();
}

#[test]
fn no_number_of_losses_makes_the_transport_creep() {
    let mut playing = Playing::start(TONE, false);
    playing.settle();
    for _ in 0..10 {
        playing.card.unplug();
        playing.run(0.04);
        playing.keeps_time(0.2);
        playing.card.card().is.present = true;
        playing.keeps_time(1.0);
    }
    let back = playing.news.iter().filter(|news| matches!(news, News::Back(Direction::Output, ..))).count();
    assert_eq!((back, playing.news.len()), (10, 20));
    playing.is_whole();
}

#[test]
fn a_card_that_stalls_for_a_moment_and_one_that_stalls_for_good() {
    let mut playing = Playing::start(TONE, false);
    playing.settle();
    playing.card.card().is.stalled = true;
    playing.run(0.55);
    playing.keeps_time(1.0);
    assert_eq!(playing.told(), ["the sound device takes no sound: the transport goes on in silence"]);
    playing.heard();
    playing.card.card().is.stalled = false;
    playing.keeps_time(2.0);
    let told = playing.told();
    assert!(told.len() == 1 && told[0].starts_with("the sound device takes sound again, after 1."), "{told:?}");
    let heard = playing.heard();
    assert!((peak(&heard[heard.len() - 4800..]) - 0.5).abs() < 0.01 && step(&heard) < 1.2 * STEP);
    playing.card.card().is.stalled = true;
    playing.run(0.55);
    playing.keeps_time(3.0);
    let told = playing.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("is gone"), "{told:?}");
    // It is opened again and again, and is still mute: that is not told.
    playing.keeps_time(10.0);
    assert_eq!(playing.told(), Vec::<String>::new());
    playing.heard();
    playing.card.card().is.stalled = false;
    playing.keeps_time(8.0);
    let told = playing.told();
    assert!(told.len() == 1 && told[0].starts_with("back on Fake"), "{told:?}");
    playing.is_whole();
}

#[test]
fn a_card_that_returns_at_another_rate_is_resampled_and_this_is_told() {
    let mut playing = Playing::start(TONE, false);
    playing.settle();
    playing.heard();
    playing.card.unplug();
    playing.run(0.5);
    playing.card.card().is.rate = 44_100;
    playing.card.card().is.present = true;
    playing.keeps_time(3.0);
    let told = playing.told();
    let resampled = "44100 Hz (it refuses the session's 48000 Hz: resampled at the edge)";
    assert!(told.last().is_some_and(|told| told.contains(resampled)), "{told:?}");
    let heard = playing.heard();
    fades_in(&heard, 44_100);
    let settled = &heard[heard.len() - 44_100..];
    let rising = settled.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    assert!((219..=221).contains(&rising), "a second of 220 Hz rises {rising} times");
    playing.is_whole();
}

#[test]
fn a_card_that_refuses_the_buffer_gets_the_nearest_it_takes() {
    for (takes, gets) in [(512..=512, 512), (1000..=4096, 1024), (32..=256, 256), (4096..=4096, 4096)] {
        let time = Arc::new(Time::default());
        let card = FakeCard::new(time.clone());
        card.card().is.buffers = takes;
        let capture = start(
            Desk::open(&graph(TONE), None).expect("it proves right").1,
            Setup { rate: RATE, keep: Wanted::default(), inputs: 1, cushion: 0 },
        );
        let mut keeper = Keeper::of_input(Box::new(card.clone()), time, wish(), Box::new(capture.2));
        let opening = keeper.open().expect("there is a size that it takes").to_string();
        assert_eq!(card.format().map(|format| format.buffer), Some(gets));
        let said = opening.ends_with(&format!("{gets} frames at a time (it refuses 512)"));
        assert_eq!(said, gets != 512, "{opening}");
    }
    let time = Arc::new(Time::default());
    let card = FakeCard::new(time.clone());
    card.card().is.buffers = 100..=101;
    let listener = start(
        Desk::open(&graph(TONE), None).expect("it proves right").1,
        Setup { rate: RATE, keep: Wanted::default(), inputs: 1, cushion: 0 },
    );
    let mut keeper = Keeper::of_input(Box::new(card), time, wish(), Box::new(listener.2));
    let error = keeper.open().expect_err("it takes none of them").to_string();
    assert!(error.contains("not 512 frames"), "the size that was wanted is the one to tell of: {error}");
}

#[test]
fn a_desk_without_a_card_plays_on_the_first_that_comes() {
    let mut playing = Playing::start(TONE, true);
    playing.card.card().is.present = false;
    playing.settle();
    assert_eq!(playing.told(), Vec::<String>::new());
    playing.card.card().is.present = true;
    playing.keeps_time(5.0);
    assert!(matches!(playing.news[..], [News::Back(Direction::Output, ..)]), "{:?}", playing.news);
    fades_in(&playing.heard(), RATE);
    playing.is_whole();
}

#[test]
fn an_input_that_is_lost_leaves_the_output_be_and_fades_in_on_return() {
    let mut playing = Playing::start(r#"input("voice", device(1)) >> master;"#, false);
    playing.settle();
    playing.microphone.unplug();
    playing.keeps_time(2.0);
    assert_eq!(playing.told(), ["the input device is gone: live inputs are silent"]);
    let heard = playing.heard();
    assert_eq!(heard.last(), Some(&0.0));
    assert!((peak(&heard) - 0.5).abs() < 1e-4, "it was heard before");
    let begun = heard.iter().position(|x| x.abs() > 0.4).expect("it was heard");
    // It breaks off within 5 ms, of which each frame is a 256th.
    assert!(step(&heard[begun..]) < 0.5 / 256.0 + 1e-4, "a step of {}", step(&heard[begun..]));
    playing.microphone.card().is.present = true;
    playing.keeps_time(4.0);
    let told = playing.told();
    assert!(told.len() == 1 && told[0].starts_with("listening again to Fake (tests), 48000 Hz"), "{told:?}");
    let heard = playing.heard();
    assert!(step(&heard) < 0.5 / 256.0 + 1e-4, "a step of {}", step(&heard));
    // What the microphone gives stands still, which the guard before the card would not let pass for long.
    let kept = playing.taken.last().expect("it was recorded");
    assert!((kept - 0.5).abs() < 1e-4, "{kept}");
}

#[test]
fn dropouts_are_counted_and_what_the_system_does_is_told_once() {
    use engine::device::Fault;
    let mut playing = Playing::start(TONE, false);
    let faults = playing.card.faults();
    (0..1000).for_each(|_| faults.note(Fault::Dropout));
    (0..3).for_each(|_| faults.note(Fault::NoPriority));
    faults.note(Fault::Moved);
    playing.settle();
    let standing = playing.keeper.standing();
    assert_eq!((standing.take_dropouts(), standing.take_dropouts(), standing.take_others()), (1000, 0, 0));
    faults.note(Fault::NoPriority);
    playing.settle();
    assert_eq!(playing.news, [News::Moved(Direction::Output), News::NoPriority]);
}
