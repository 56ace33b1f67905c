//! `:scene` and `:go`: the lines of the prompt kept under a name, and exchanged for those that are.

use std::cell::Cell;

use super::Playing;
use super::typed::{Timed, in_time};
use crate::prompt::Timing;
use crate::scenes::{self, Scene};
use crate::status;

impl Playing<'_> {
    /// Keeps the lines as a scene, or lists the scenes that are kept.
    pub(super) fn scene(&mut self, name: Option<String>) {
        let (session, lines) = (self.arguments.session.clone(), self.text.snapshot().lines);
        let work = move || match name {
            Some(name) => scenes::keep(&session, &name, &lines),
            None => Ok(scenes::list(&session)),
        };
        self.aside_in_order(work, |_, told| match told {
            Ok(told) => status::say(told),
            Err(why) => status::error(why),
        });
    }

    /// Goes to a scene.
    pub(super) fn go(&mut self, name: String, timing: Timing) {
        let session = self.arguments.session.clone();
        self.aside_in_order(
            move || scenes::read(&session, &name),
            move |playing, read| match read {
                Ok(scene) => match playing.timed(&timing) {
                    Ok(timed) => playing.go_to(&scene, &timed),
                    Err(why) => status::error(why),
                },
                Err(why) => status::error(format!("{why}\nwhat played plays on")),
            },
        );
    }

    fn go_to(&mut self, scene: &Scene, timed: &Timed) {
        let at = Cell::new(None);
        let loaded = {
            let change = in_time(&self.given, &self.desk, &self.live, timed, &at);
            self.text.go(scene, &self.library, &change)
        };
        status::say(format!("scene: {}", scene.name));
        loaded.show_news(&mut self.told);
        self.accept(loaded, at.get());
    }
}
