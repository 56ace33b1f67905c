//! The journal: everything that a performance was made of, kept while it is played, so that it can be played again to the
//! same bits.
//!
//! ```text
//! play ── Journal ── channel ── writer (a thread) ──> FOLDER/
//!                                  │                    journal.jsonl   what happened, a line each, only ever added to
//!                               hashes (a thread)       texts/          what was written, as files a person can read
//!                                  │                    inputs*.wav     what live inputs heard
//!                                  │                    playing         locked while it is played
//!                                  │                    in-use          locked while it is read
//!                               shadow (a program)       part-2/ ...     the same of each further hour, and a checkpoint
//! replay ── Kept::open <── folder
//! ```
//!
//! A long journal is cut into [`parts`], each of which gets a [`checkpoint`] by a [`shadow`] that plays it again, so that its
//! beginning is not needed for ever. [`inputs`] keeps what live inputs heard. [`record`] says what a line can be, [`writer`]
//! writes them as [`lines`], [`kept`] reads them back as far as they go, [`store`] knows where journals lie and how they are
//! called, [`trim`] which must go, [`hashes`] tells files apart by what is in them.

pub mod checkpoint;
pub mod hashes;
pub mod inputs;
pub mod kept;
pub mod lines;
pub mod parts;
pub mod record;
pub mod shadow;
pub mod store;
pub mod trim;
pub mod writer;

pub use kept::{Ending, Kept};
pub use writer::{Bounds, Journal, Performance, Taken, When, wanted};
