//! MIDI clock: somebody else's followed, and the desk's own sent; and notes, sent by the same watch.
//!
//! ```text
//! port ── follower ── inbox ── chase ──> tempo lines of the text, moves of the transport
//! transport ── watch ── ticker ── port
//!               └────── notes ─────┘
//! ```

mod chase;
mod follower;
mod lock;
mod notes;
mod outlet;
mod ticker;
mod watch;

pub use chase::{Chase, Deed, Here};
pub use follower::{Follower, Outside, Reader, Told};
#[cfg(feature = "devices")]
pub use outlet::Outlets;
pub use outlet::system::Outs;
pub use watch::{Sends, Watch};
