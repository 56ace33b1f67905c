//! The picture of what is heard, drawn on a thread of its own: laying it out takes longer than a moment. An edit is shown before
//! the picture of it. When edits come faster than pictures, only the newest is drawn. Of the ways to see it, one is always
//! drawn, and the others while somebody looks in that way.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use engine::graph::Graph;
use engine::session::Session;
use tokio::sync::watch;

use super::looks::Looks;
use super::seen::{Drawing, Edit, Manner, Seen};
use crate::costing::step_back;
use crate::picture::{self, Diagram};

/// How long to rest after a picture that nobody looks at.
const REST: Duration = Duration::from_millis(500);

/// What is to be drawn.
pub struct Draft {
    /// What is heard.
    pub graph: Graph,
    /// What declares it.
    pub session: Session,
}

/// Where drafts are drawn, as long as one of these is there.
#[derive(Clone)]
pub struct Drafts {
    /// A draft; nothing where somebody looks in another way at the last.
    send: Sender<Option<Draft>>,
    /// Whoever has something drawn does not keep the page there.
    seen: Weak<watch::Sender<Seen>>,
}

impl Drafts {
    /// Draws from now on.
    ///
    /// # Errors
    /// There is no thread.
    pub fn start(seen: &Arc<watch::Sender<Seen>>, looks: Arc<Looks>) -> io::Result<Drafts> {
        let (send, drafts) = mpsc::channel();
        let seen = Arc::downgrade(seen);
        let theirs = seen.clone();
        thread::Builder::new().name("gainstage-picture".into()).spawn(move || {
            step_back();
            draw(&drafts, &theirs, &looks);
        })?;
        Ok(Drafts { send, seen })
    }

    /// Shows at once what an edit has done, if it was one, and has the picture drawn that follows from it.
    pub fn draw(&self, draft: Draft, edit: Option<Edit>) {
        if let (Some(edit), Some(seen)) = (edit, self.seen.upgrade()) {
            seen.send_modify(|seen| seen.edited(edit));
        }
        // A page without its picture is no reason to stop playing.
        let _ = self.send.send(Some(draft));
    }

    /// Somebody has come to look, maybe in a way that is not drawn.
    pub fn look(&self) {
        let _ = self.send.send(None);
    }
}

fn draw(drafts: &Receiver<Option<Draft>>, seen: &Weak<watch::Sender<Seen>>, looks: &Looks) {
    let mut newest: Option<Draft> = None;
    let mut drawing = Drawing::default();
    let mut number = 0;
    while let Ok(first) = drafts.recv() {
        let coming = [first].into_iter().chain(drafts.try_iter()).flatten().last();
        if let Some(draft) = coming {
            (newest, drawing) = (Some(draft), Drawing::default());
        }
        let (Some(draft), Some(seen)) = (&newest, seen.upgrade()) else { continue };
        let wanted: BTreeSet<Manner> = looks.manners().into_iter().chain([Manner::default()]).collect();
        for manner in wanted {
            if drawing.pictures.contains_key(&manner) {
                continue;
            }
            number += 1;
            add(&mut drawing, draft, manner, number);
            // What is drawn is shown before what is not.
            let so_far = Arc::new(drawing.clone());
            seen.send_modify(|seen| seen.picture = (number, so_far));
        }
        drop(seen);
        if !looks.any() {
            thread::sleep(REST);
        }
    }
}

/// Draws a draft in one more way.
fn add(drawing: &mut Drawing, draft: &Draft, manner: Manner, number: u64) {
    let diagram = picture::diagram(&draft.session, &draft.graph, manner.is_unfolded);
    drawing.paths.extend(paths(&diagram));
    drawing.paths.sort();
    drawing.paths.dedup();
    let diagram = if manner.is_far { diagram.large() } else { diagram };
    let svg = picture::svg(&picture::Drawing::of(diagram), picture::Theme::Light);
    drawing.pictures.insert(manner, (number, svg.into()));
}

/// The paths of what has a level of its own: what is folded has none.
fn paths(diagram: &Diagram) -> Vec<String> {
    let cards = diagram.cards.iter().filter(|card| card.paths.len() == 1);
    let rows = cards.flat_map(|card| &card.rows).map(|row| row.path.clone());
    let cables = diagram.cables.iter().filter_map(|cable| match &cable.paths[..] {
        [path] => Some(path.clone()),
        _ => None,
    });
    rows.chain(cables).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::time::Instant;

    fn draft(strips: usize) -> Draft {
        let strip = |i| format!("input(\"in-{i}\", sine(220)) >> fader(-{i}) >> master;\n");
        let text: String = (1..=strips).map(strip).collect();
        let session = scripting::evaluate_text(Path::new("a.rhai"), &text).session.expect("it is right");
        let graph =
            engine::graph::prepare(session.clone(), &engine::media::Library::new()).graph.expect("it can sound");
        Draft { graph, session }
    }

    #[test]
    fn an_edit_is_shown_before_its_picture_and_only_the_pictures_that_somebody_looks_at_are_drawn() {
        let (seen, looks) = (Arc::new(watch::Sender::new(Seen::new("desk".into()))), Arc::new(Looks::default()));
        let drafts = Drafts::start(&seen, looks.clone()).expect("there is a thread");
        let drawn = |wanted: &[Manner]| {
            let begun = Instant::now();
            loop {
                let drawing = seen.borrow().picture.1.clone();
                if drawing.pictures.keys().eq(wanted) {
                    return drawing;
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", drawing.pictures.keys());
                thread::sleep(Duration::from_millis(2));
            }
        };
        let near = looks.look("master".into(), Manner::default()).expect("there is room");
        drafts.draw(draft(30), Some(Edit { words: "added all".into(), ..Edit::default() }));
        assert_eq!(seen.borrow().edits.len(), 1, "whatever the picture takes");
        let folded = drawn(&[Manner::default()]);
        assert!(!folded.paths.contains(&"in-7/fader".into()));
        // Somebody comes who wants each strip by itself, and far away.
        let manner = Manner { is_far: true, is_unfolded: true };
        let far = looks.look("master".into(), manner).expect("there is room");
        drafts.look();
        let both = drawn(&[Manner::default(), manner]);
        let of = |drawing: &Drawing, manner| drawing.pictures.get(&manner).map(|(number, _)| *number);
        assert_eq!(of(&both, Manner::default()), of(&folded, Manner::default()), "it is not drawn again");
        assert!(both.pictures[&manner].1.contains("in-7/fader") && both.paths.contains(&"in-7/fader".into()));
        drop((near, far));
        drafts.draw(draft(3), None);
        let last = drawn(&[Manner::default()]);
        assert!(of(&last, Manner::default()) > of(&both, manner));
    }
}
