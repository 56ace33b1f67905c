//! The picture of what is heard, drawn on a thread of its own: laying it out takes longer than a moment. When edits come faster
//! than pictures, only the newest is drawn, and what all of them have done is shown with it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use engine::graph::Graph;
use engine::session::Session;
use tokio::sync::watch;

use super::looks::Looks;
use super::seen::{Drawing, Edit, Seen};
use crate::costing::step_back;
use crate::picture;

/// How long to rest after a picture that nobody looks at.
const REST: Duration = Duration::from_millis(500);

/// What is to be drawn.
pub struct Draft {
    /// What is heard.
    pub graph: Graph,
    /// What declares it.
    pub session: Session,
    /// What has led to it, if it was an edit.
    pub edit: Option<Edit>,
}

/// Where drafts are drawn, as long as this is there.
pub struct Drafts(Sender<Draft>);

impl Drafts {
    /// Draws from now on.
    ///
    /// # Errors
    /// There is no thread.
    pub fn start(seen: Arc<watch::Sender<Seen>>, looks: Arc<Looks>) -> io::Result<Drafts> {
        let (send, drafts) = mpsc::channel();
        thread::Builder::new().name("gainstage-picture".into()).spawn(move || {
            step_back();
            draw(&drafts, &seen, &looks);
        })?;
        Ok(Drafts(send))
    }

    /// Has something drawn.
    pub fn draw(&self, draft: Draft) {
        // A page without its picture is no reason to stop playing.
        let _ = self.0.send(draft);
    }
}

fn draw(drafts: &Receiver<Draft>, seen: &watch::Sender<Seen>, looks: &Looks) {
    while let Ok(mut draft) = drafts.recv() {
        let mut edits: Vec<Edit> = draft.edit.take().into_iter().collect();
        while let Ok(newer) = drafts.try_recv() {
            draft = newer;
            edits.extend(draft.edit.take());
        }
        let drawing = Arc::new(drawing(&draft));
        seen.send_modify(|seen| {
            seen.picture = (seen.picture.0 + 1, drawing);
            edits.into_iter().for_each(|edit| seen.edited(edit));
        });
        if !looks.any() {
            thread::sleep(REST);
        }
    }
}

fn drawing(draft: &Draft) -> Drawing {
    let diagram = picture::diagram(&draft.session, &draft.graph, false);
    // What is folded has no level of its own.
    let cards = diagram.cards.iter().filter(|card| card.paths.len() == 1);
    let rows = cards.flat_map(|card| &card.rows).map(|row| row.path.clone());
    let cables = diagram.cables.iter().filter_map(|cable| match &cable.paths[..] {
        [path] => Some(path.clone()),
        _ => None,
    });
    let mut paths: Vec<String> = rows.chain(cables).collect();
    paths.sort();
    paths.dedup();
    let svg = |diagram| picture::svg(&picture::Drawing::of(diagram), picture::Theme::Light);
    Drawing { large: svg(diagram.clone().large()), svg: svg(diagram), paths }
}
