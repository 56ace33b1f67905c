//! What the audio side reports while it plays, and what is told of it.

use engine::live::Report;
use engine::motion::Span;
use engine::transport::Move;

use super::closing::keep;
use super::{InFlight, Playing, Sent};
use crate::changes::{describe, moved, rounded, seconds};
use crate::status;

impl Playing<'_> {
    /// Learns what has happened since it was last asked, and tells of it.
    pub(super) fn hear_reports(&mut self) {
        let (mut costed, mut notes) = (None, None);
        for report in self.live.reports() {
            self.journal.report(report, &self.desk, &self.programs);
            match report {
                Report::TakenUp { serial, taken } => {
                    if let Some(InFlight { sent, ramps, .. }) = self.in_flight.take_if(|sent| sent.serial == serial) {
                        self.desk.taken_up(taken);
                        // What the text does not say is said here, to be written into it.
                        let bar = rounded(self.desk.mesh().tempo.bar_at(taken.at as i64));
                        let (tempo, rate) = (&self.desk.mesh().tempo, self.given.rate);
                        let own = |(path, time): &(String, Span)| (path.clone(), seconds(*time, taken.at, tempo, rate));
                        let gliding: Vec<(String, f64)> = ramps.iter().map(own).collect();
                        for (path, _) in ramps {
                            status::say(format!("{path}: its ramp begins here; `.start({bar}.bars)` keeps it here"));
                        }
                        if let Sent::Text(edited) = &sent {
                            if edited.told {
                                status::say(describe(&edited.changes));
                            }
                            self.sources = edited.graph.event_sources();
                            notes = Some((edited.graph.sent.clone(), taken.at));
                            if edited.is_text {
                                self.keeper.keep(edited.taken.files().to_vec());
                                self.text.is_heard(edited.known.clone());
                            }
                            self.sounding = edited.known.clone();
                            self.showing.is_seen(&edited.changes, &gliding);
                        }
                        keep(&self.journal, serial, taken, sent);
                    }
                }
                Report::Controlled { .. } | Report::Touched { .. } => {}
                Report::Moved { order, transport, .. } => {
                    self.panicked = order == Move::Panic || self.panicked && order != Move::Start;
                    status::say(moved(order, transport, &self.desk.mesh().tempo));
                }
                Report::Poisoned { serial, work } => {
                    let path = self.programs.works(serial).get(work).map_or("an effect", String::as_str);
                    status::warning(format!(
                        "{path} gave what is no number: it was silenced, and is passed by until the text changes it"
                    ));
                }
                Report::MediaLate { .. } => self.trouble.media += 1,
                Report::InputLate { .. } => self.trouble.input += 1,
                Report::RecordLate { .. } => self.trouble.record += 1,
                Report::Guarded { serial, deed, channel, level, origin } => {
                    status::warning(self.programs.deed(serial, deed, channel, level, origin));
                }
                Report::Costed { serial } => costed = Some(serial),
            }
        }
        if let Some((notes, from)) = notes {
            self.send_notes(&notes, from);
        }
        self.attend(costed);
    }
}
