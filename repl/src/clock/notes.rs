//! Notes out: what is to be sent to one MIDI port when, so that each note is heard with the frame that it belongs to.
//!
//! Whatever was begun is ended: by its time, or where the transport stops or goes elsewhere, or when its line is deleted, or
//! when there is nobody to send any more.

use std::collections::VecDeque;

use engine::score::Note;
use engine::sources::midi_out::Sent;
use engine::tempo::Tempo;

use super::ticker::{LATE, Seen};

/// How far ahead notes are worked out, and how much at a time, in seconds.
const HORIZON: f64 = 0.25;
const STEP: f64 = 1.0;

/// A message.
pub type Message = [u8; 3];

/// What is sent to one port.
#[derive(Default)]
pub struct Notes {
    lines: Vec<Line>,
    held: Vec<Held>,
    before: Option<Seen>,
    /// The time that what is worked out lies in.
    tempo: Option<Tempo>,
}

/// One input that is sent there.
struct Line {
    sent: Sent,
    /// The frame of the transport to which it is played, once the text has another, or none.
    until: Option<u64>,
    /// The text has it no more, whatever it plays: what it holds ends with it.
    gone: bool,
    /// All that begins before has been sent.
    given: u64,
    /// All that begins before has been worked out.
    known: u64,
    ahead: VecDeque<Note>,
}

/// A note that has been begun.
struct Held {
    path: String,
    channel: u8,
    key: u8,
    /// The frame at which it ends.
    end: u64,
}

impl Notes {
    /// Sends these from a frame of the transport on, and nothing else.
    pub fn set(&mut self, all: &[Sent], from: u64) {
        for line in self.lines.iter_mut().filter(|line| line.until.is_none()) {
            if !all.contains(&line.sent) {
                line.until = Some(from);
                let same = |sent: &&Sent| (&sent.path, sent.channel) == (&line.sent.path, line.sent.channel);
                line.gone = !all.iter().any(|sent| same(&sent));
            }
        }
        for sent in all {
            if !self.lines.iter().any(|line| line.until.is_none() && line.sent == *sent) {
                let (sent, ahead) = (sent.clone(), VecDeque::new());
                self.lines.push(Line { sent, until: None, gone: false, given: from, known: from, ahead });
            }
        }
    }

    /// Whether there is nothing to send, now or later.
    pub fn is_idle(&self) -> bool {
        self.lines.is_empty() && self.held.is_empty()
    }

    /// Ends all that was begun.
    pub fn let_go(&mut self) -> Vec<Message> {
        self.held.drain(..).map(|held| held.off()).collect()
    }

    /// What is to be sent until a time, which is soon, each with its own time: in that order. What was given is not given again.
    pub fn due(&mut self, seen: Seen, tempo: &Tempo, until: f64) -> Vec<(f64, Message)> {
        let (left, entered) = seen.turns(self.before.replace(seen));
        let mut due = Vec::new();
        if left {
            due.extend(self.let_go().into_iter().map(|off| (seen.time, off)));
        }
        if entered || !seen.rolling {
            self.lines.retain(|line| line.until.is_none());
        }
        if !seen.rolling {
            return due;
        }
        let here = (seen.frame - LATE * seen.rate).ceil().max(0.0) as u64;
        if entered {
            let now = seen.frame.ceil().max(0.0) as u64;
            self.lines.iter_mut().for_each(|line| line.begin(now));
        } else if self.tempo.as_ref() != Some(tempo) {
            self.lines.iter_mut().for_each(|line| line.begin(line.given));
        }
        if self.tempo.as_ref() != Some(tempo) {
            self.tempo = Some(tempo.clone());
        }
        let horizon = (seen.frame + HORIZON * seen.rate).max(0.0) as u64;
        for line in &mut self.lines {
            line.look_ahead(horizon, (STEP * seen.rate) as u64, tempo);
            if let (true, Some(end)) = (line.gone, line.until) {
                let own = |held: &&mut Held| held.path == line.sent.path && held.channel == line.sent.channel;
                self.held.iter_mut().filter(own).for_each(|held| held.end = held.end.min(end));
            }
        }
        // Nothing is before its time.
        let last = (seen.frame + (until - seen.time) * seen.rate).max(0.0).ceil() as u64;
        let time = |frame: u64| (seen.time + (frame as f64 - seen.frame) / seen.rate).max(seen.time - LATE);
        loop {
            let off = self.held.iter().enumerate().map(|(i, held)| (held.end, i)).min();
            let on = self.lines.iter().enumerate().filter_map(|(i, line)| Some((line.ahead.front()?.begin, i))).min();
            match (off, on) {
                (Some((end, i)), on) if end < last && on.is_none_or(|(begin, _)| end <= begin) => {
                    due.push((time(end), self.held.remove(i).off()));
                }
                (_, Some((begin, i))) if begin < last => {
                    let line = &mut self.lines[i];
                    let Some(note) = line.ahead.pop_front() else { continue };
                    line.given = line.given.max(begin);
                    let (path, channel) = (line.sent.path.clone(), line.sent.channel);
                    // What is too late to be played is left out, and so is what MIDI has no key for.
                    if let Some(key) = key_of(note.pitch).filter(|_| begin >= here) {
                        self.begin(Held { path, channel, key, end: note.end }, &note, time(begin), &mut due);
                    }
                }
                _ => break,
            }
        }
        self.lines.iter_mut().for_each(|line| line.given = line.given.max(last));
        self.lines.retain(|line| line.until.is_none_or(|until| until >= last));
        due
    }

    /// Begins a note. A key that is held already is struck anew.
    fn begin(&mut self, held: Held, note: &Note, at: f64, due: &mut Vec<(f64, Message)>) {
        if let Some(i) = self.held.iter().position(|other| (other.channel, other.key) == (held.channel, held.key)) {
            due.push((at, self.held.remove(i).off()));
        }
        // A velocity of 0 would end it.
        let velocity = (note.velocity * 127.0).round().clamp(1.0, 127.0) as u8;
        due.push((at, [0x90 | (held.channel - 1) & 0xf, held.key, velocity]));
        self.held.push(held);
    }
}

impl Held {
    fn off(&self) -> Message {
        [0x80 | (self.channel - 1) & 0xf, self.key, 64]
    }
}

impl Line {
    /// Goes on from a frame, whatever was worked out.
    fn begin(&mut self, frame: u64) {
        self.ahead.clear();
        (self.given, self.known) = (frame, frame);
    }

    /// Works out what begins before a frame, and somewhat more. A cycle that is too much has no notes: that is told where the
    /// text is checked, as far as it can be foreseen.
    fn look_ahead(&mut self, horizon: u64, step: u64, tempo: &Tempo) {
        while self.known < horizon {
            let next = self.known + step.max(1);
            self.ahead.extend(self.sent.score.notes(self.known, next, tempo).unwrap_or_default());
            self.known = next;
        }
        if let Some(until) = self.until {
            self.ahead.retain(|note| note.begin < until);
        }
    }
}

/// The key nearest to a pitch.
fn key_of(pitch: f64) -> Option<u8> {
    let key = pitch.round();
    (0.0..=127.0).contains(&key).then_some(key as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::units::Clock;

    const RATE: f64 = 48_000.0;
    /// Frames a bar.
    const BAR: f64 = 96_000.0;

    fn tempo() -> Tempo {
        Tempo::new(Clock { rate: RATE, tempo: 120.0, beats_per_bar: 4.0 })
    }

    /// What a text sends.
    fn sent(text: &str) -> Vec<Sent> {
        crate::load::graph_of(text).sent
    }

    fn line(pattern: &str) -> Vec<Sent> {
        sent(&format!("input(\"m\", play({pattern:?}, midi_out(\"Synth\").channel(2)));"))
    }

    /// Everything that is sent while a transport goes on from a frame, looked at every 5 ms, 10 ms ahead; times are frames.
    fn played(
        notes: &mut Notes,
        tempo: &Tempo,
        from: f64,
        begin: f64,
        frames: f64,
        rolling: bool,
    ) -> Vec<(i64, Message)> {
        let mut all = Vec::new();
        let mut gone = 0.0;
        while gone < frames {
            let frame = from + if rolling { gone } else { 0.0 };
            let time = begin + gone / RATE;
            let due = notes.due(Seen { time, frame, rate: RATE, rolling }, tempo, time + 0.01);
            all.extend(due.into_iter().map(|(at, message)| ((at * RATE).round() as i64, message)));
            gone += 240.0;
        }
        all
    }

    const fn on(key: u8) -> Message {
        [0x91, key, 102]
    }

    const fn off(key: u8) -> Message {
        [0x81, key, 64]
    }

    #[test]
    fn each_note_is_sent_once_with_its_frame_velocity_and_length() {
        let mut notes = Notes::default();
        notes
            .set(&sent("input(\"m\", play(\"c4 [e4 ~] <g4 b4>\", midi_out(\"Synth\").velocity(\"1 0.5 0.001\")));"), 0);
        let all = played(&mut notes, &tempo(), 0.0, 0.0, 2.0 * BAR - 1000.0, true);
        let third = 32_000;
        let bar = |at: i64, last: u8| {
            [
                (at, [0x90, 60, 127]),
                (at + third, [0x80, 60, 64]),
                (at + third, [0x90, 64, 64]),
                (at + third * 3 / 2, [0x80, 64, 64]),
                (at + 2 * third, [0x90, last, 1]),
            ]
        };
        let mut expected = bar(0, 67).to_vec();
        expected.push((96_000, [0x80, 67, 64]));
        expected.extend(bar(96_000, 71));
        assert_eq!(all, expected);
    }

    #[test]
    fn nothing_hangs_when_the_transport_stops_or_goes_elsewhere_or_the_desk_ends() {
        let mut notes = Notes::default();
        notes.set(&line("c4"), 0);
        assert_eq!(played(&mut notes, &tempo(), 0.0, 0.0, 24_000.0, true), [(0, on(60))]);
        assert_eq!(played(&mut notes, &tempo(), 24_000.0, 0.5, 24_000.0, false), [(24_000, off(60))]);
        assert_eq!(played(&mut notes, &tempo(), 24_000.0, 1.0, 24_000.0, true), [], "it is entered at the next note");
        let gone = played(&mut notes, &tempo(), 5.0 * BAR, 1.5, 24_000.0, true);
        assert_eq!(gone, [(72_000, on(60))]);
        let back = played(&mut notes, &tempo(), 1000.0, 2.0, 24_000.0, true);
        assert_eq!(back, [(96_000, off(60))]);
        played(&mut notes, &tempo(), BAR, 3.0, 24_000.0, true);
        assert_eq!(notes.let_go(), [off(60)]);
        assert_eq!(notes.let_go(), [] as [Message; 0]);
    }

    #[test]
    fn another_pattern_takes_over_at_its_frame_and_what_sounds_is_held_to_its_end() {
        let mut notes = Notes::default();
        notes.set(&line("c4 d4"), 0);
        played(&mut notes, &tempo(), 0.0, 0.0, 12_000.0, true);
        notes.set(&line("e4*4"), 24_000);
        let all = played(&mut notes, &tempo(), 12_000.0, 0.25, 50_000.0, true);
        let expected = [(24_000, on(64)), (48_000, off(60)), (48_000, off(64)), (48_000, on(64))];
        assert_eq!(all[..2], expected[..2]);
        assert!(expected.iter().all(|one| all.contains(one)), "{all:?}");
    }

    #[test]
    fn a_line_that_is_deleted_lets_its_notes_go_at_that_frame() {
        let mut notes = Notes::default();
        notes.set(&line("c4"), 0);
        played(&mut notes, &tempo(), 0.0, 0.0, 12_000.0, true);
        notes.set(&[], 24_000);
        assert_eq!(played(&mut notes, &tempo(), 12_000.0, 0.25, 48_000.0, true), [(24_000, off(60))]);
        assert!(notes.is_idle());
    }

    #[test]
    fn nothing_is_left_to_send_when_the_last_line_is_deleted_where_the_transport_stands_still() {
        let mut notes = Notes::default();
        notes.set(&line("c4"), 0);
        played(&mut notes, &tempo(), 0.0, 0.0, 12_000.0, true);
        assert_eq!(played(&mut notes, &tempo(), 12_000.0, 0.25, 12_000.0, false), [(12_000, off(60))]);
        notes.set(&[], 24_000);
        assert_eq!(played(&mut notes, &tempo(), 12_000.0, 0.5, 240.0, false), []);
        assert!(notes.is_idle());
    }

    #[test]
    fn another_tempo_neither_doubles_nor_loses_a_note() {
        let mut notes = Notes::default();
        notes.set(&line("c4*8"), 0);
        let mut all = played(&mut notes, &tempo(), 0.0, 0.0, 30_000.0, true);
        let mut faster = tempo();
        faster.change(36_000, Clock { rate: RATE, tempo: 240.0, beats_per_bar: 4.0 });
        all.extend(played(&mut notes, &faster, 30_000.0, 30_000.0 / RATE, 30_000.0, true));
        let begun: Vec<i64> = all.iter().filter(|(_, message)| message[0] == 0x91).map(|(at, _)| *at).collect();
        assert_eq!(begun, [0, 12_000, 24_000, 36_000, 42_000, 48_000, 54_000, 60_000]);
    }

    #[test]
    fn what_is_muted_or_not_soloed_is_not_sent_and_need_not_be_plugged_in() {
        let text =
            "let m = input(\"m\", play(\"c4\", midi_out(\"Synth\"))); let n = input(\"n\", sine(440)); n >> master;";
        assert_eq!(sent(text).len(), 1);
        assert_eq!(sent(&format!("{text} mute(m);")), []);
        assert_eq!(sent(&format!("{text} solo(n);")), []);
    }
}
