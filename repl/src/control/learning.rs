//! MIDI controllers that are given something to do while the desk plays: the next one that moves is learned.

use std::time::{Duration, Instant};

use super::{Controllers, Known};
use crate::arguments::{DeviceChoice, MidiMap};
use crate::status;

/// How long a controller is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A path that waits for its controller, since when.
pub(super) struct Learning {
    path: String,
    since: Instant,
}

impl Controllers {
    /// Lets the next controller that moves set a path of the text.
    ///
    /// # Errors
    /// There is no such parameter, or no controller can set it, or none is listened to.
    pub fn learn(&mut self, known: &Known, path: &str) -> Result<(), String> {
        if self.wanted == Some(DeviceChoice::None) {
            return Err("no controller is listened to: leave out --midi none".into());
        }
        let (owner, which) = self.parameter(known, path)?;
        let (parameter, _) = known.session.setting(owner, which);
        if super::over_range(parameter, 0).is_none() {
            return Err(format!("`{path}` has no range that a controller could go over"));
        }
        self.open_midi();
        self.learning = Some(Learning { path: path.to_owned(), since: Instant::now() });
        status::say(format!("move the controller that is to set {path}; `:midi learn` alone ends the wait"));
        Ok(())
    }

    /// Waits for no controller any more.
    pub fn stop_learning(&mut self) {
        status::say(match self.learning.take() {
            Some(Learning { path, .. }) => format!("no controller was learned for {path}"),
            None => "no controller is waited for; `:midi learn PATH` waits for one".into(),
        });
    }

    /// Lets no controller set a path any more.
    ///
    /// # Errors
    /// None does.
    pub fn forget(&mut self, path: &str) -> Result<(), String> {
        let before = self.maps.len();
        self.maps.retain(|map| map.path != path);
        if self.maps.len() == before {
            return Err(format!("no controller sets `{path}`; `:midi` shows which there are"));
        }
        status::say(format!("no controller sets {path} any more"));
        Ok(())
    }

    /// Which controller sets what, as it is written behind `play`.
    pub fn maps(&self) -> String {
        match self.maps.as_slice() {
            [] => "no controller sets anything; `:midi learn PATH` lets the next that moves".into(),
            maps => maps.iter().map(|map| format!("--midi-map {map}")).collect::<Vec<_>>().join("\n"),
        }
    }

    /// A controller has moved: whether it has been learned by that. It sets its path from when it moves next.
    pub(super) fn learned(&mut self, channel: u8, controller: u8) -> bool {
        let Some(Learning { path, .. }) = self.learning.take() else { return false };
        let map = MidiMap { controller, channel: Some(channel), path };
        let others: Vec<&str> =
            self.maps.iter().filter(|one| one.hears(channel, controller)).map(|map| &*map.path).collect();
        let too = if others.is_empty() { String::new() } else { format!("; it sets {} too", others.join(", ")) };
        status::say(format!(
            "controller {controller} on channel {channel} sets {}{too}; at the next start: --midi-map {map}",
            map.path
        ));
        if !self.maps.contains(&map) {
            self.maps.push(map);
        }
        true
    }

    /// Waits no longer for a controller that does not move.
    pub(super) fn tire(&mut self, now: Instant) {
        let is_over = |learning: &mut Learning| now.saturating_duration_since(learning.since) >= PATIENCE;
        if let Some(Learning { path, .. }) = self.learning.take_if(is_over) {
            let waited = PATIENCE.as_secs();
            status::say(format!("no controller has moved for {waited} s: none was learned for {path}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::tests::{controllers, known};
    use crate::inbox::Heard;

    #[test]
    fn the_next_controller_that_moves_is_learned_and_sets_the_path_from_then_on() {
        let (mut controllers, known) = (controllers(&[]), known());
        controllers.learning = Some(Learning { path: "voice/gate.threshold".into(), since: Instant::now() });
        let moved = |controllers: &mut Controllers, channel, controller, value| {
            controllers.inbox.put([Heard::Midi { channel, controller, value }]);
            controllers.take(&known, |_| None);
            controllers.take_writes()
        };
        assert_eq!(moved(&mut controllers, 3, 21, 64), [], "by that it is learned");
        assert_eq!(controllers.maps(), "--midi-map 21:3=voice/gate.threshold");
        let writes = moved(&mut controllers, 3, 21, 127);
        assert_eq!(writes.len(), 1);
        assert_eq!(writes[0].path, "voice/gate.threshold");
        assert_eq!(moved(&mut controllers, 4, 21, 127), [], "of that channel alone");
        assert_eq!(
            controllers.maps()["--midi-map ".len()..].parse(),
            Ok(controllers.maps[0].clone()),
            "as it is written"
        );
        controllers.forget("voice/gate.threshold").expect("one sets it");
        assert_eq!(moved(&mut controllers, 3, 21, 0), []);
        assert!(controllers.forget("voice/gate.threshold").unwrap_err().contains("no controller sets"));
    }

    #[test]
    fn what_no_controller_can_set_is_not_waited_for_and_a_wait_ends() {
        let (mut controllers, known) = (controllers(&[]), known());
        for (path, why) in [("voice/gate", "no parameter"), ("voyce/gate.threshold", "voyce")] {
            assert!(controllers.learn(&known, path).unwrap_err().contains(why), "{path}");
        }
        let begin = Instant::now();
        controllers.learning = Some(Learning { path: "voice/gate.threshold".into(), since: begin });
        controllers.tire(begin + PATIENCE - Duration::from_millis(1));
        assert!(controllers.learning.is_some());
        controllers.tire(begin + PATIENCE);
        assert!(controllers.learning.is_none());
        controllers.wanted = Some(DeviceChoice::None);
        assert!(controllers.learn(&known, "voice/gate.threshold").unwrap_err().contains("--midi none"));
    }
}
