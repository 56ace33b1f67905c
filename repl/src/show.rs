//! The page that `play --show` serves: the desk as it plays, for looking at in a browser. What is changed is changed in the text.
//!
//! The desk puts what there is to see into one place, the newest over the older ([`seen`]). A thread of its own at a low
//! priority makes it into pieces of text, once for all who look ([`feed`]), and each viewer is sent the newest of them as
//! fast as it takes them ([`viewer`]): who is slow sees fewer, and who sits far away has a picture of its own. Lines that were
//! typed, which a hand writes anew all the time, are sent apart from the file. Nothing comes in but requests for what there is to see, each
//! looked at by the [`gate`] first; [`room`] bounds how many there may be, the [`server`] how long and how large. Another thread draws
//! the picture of the graph ([`drawn`]), which takes longer than a moment.

mod drawn;
mod feed;
mod gate;
mod looks;
mod page;
mod past;
mod patient;
mod room;
mod seen;
mod server;
mod sound;
mod text;
mod viewer;

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::arguments::ShowChoice;
use crate::status;
pub use drawn::Draft;
use drawn::Drafts;
use gate::Gate;
use looks::Looks;
pub use past::APART;
pub use seen::{Drawing, Edit, Level, Moment, Seen, Sound, Strip, kinds};
pub use text::{Spot, moved, spots, text};

/// How many things that were told last are kept for whoever looks in later.
const TOLD: usize = 40;

/// How many edits are kept for a viewer who is late.
const EDITS: usize = 16;

/// The page of a desk. It can be looked at as long as this is there.
pub struct Show {
    /// Where it is found.
    pub address: String,
    seen: Arc<watch::Sender<Seen>>,
    looks: Arc<Looks>,
    drafts: Drafts,
}

impl Show {
    /// Serves the page of a session.
    ///
    /// # Errors
    /// There is no address to serve it at, or no thread to do it.
    pub fn open(choice: ShowChoice) -> io::Result<Show> {
        let listener = server::listen(choice)?;
        let gate = Gate::new(listener.local_addr()?)?;
        let (seen, looks) = (Arc::new(watch::Sender::new(Seen::new(gate::random()?))), Arc::new(Looks::default()));
        let drafts = Drafts::start(&seen, looks.clone())?;
        let address = gate.address();
        server::start(listener, gate, &seen, looks.clone(), drafts.clone())?;
        // What is told from now on is shown too.
        let told = seen.clone();
        status::beside(move |text| told.send_modify(|seen| seen.tell(text)));
        Ok(Show { address, seen, looks, drafts })
    }

    /// Whether anybody looks.
    pub fn is_watched(&self) -> bool {
        self.looks.any()
    }

    /// The paths that somebody looks at closely.
    pub fn looked_at(&self) -> Vec<String> {
        self.looks.paths()
    }

    /// The picture that was drawn last, with its number.
    pub fn picture(&self) -> (u64, Arc<Drawing>) {
        self.seen.borrow().picture.clone()
    }

    /// Shows something else from now on.
    pub fn show(&self, change: impl FnOnce(&mut Seen)) {
        self.seen.send_modify(change);
    }

    /// Shows what is heard from now on: what an edit has done at once, if it was one, the picture when it is drawn.
    pub fn draw(&self, draft: Draft, edit: Option<Edit>) {
        self.drafts.draw(draft, edit);
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        status::alone();
    }
}
