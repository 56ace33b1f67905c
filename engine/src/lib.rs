//! The sound of gainstage: sessions as plain data, compiled into plans, rendered live and offline.
//!
//! This crate knows nothing of Rhai, of files being edited, or of terminals. The way of an edit through it:
//!
//! ```text
//! Session ── amend ── check ── Graph ── diff ── Mesh ── compile, verify ──> Program { plan, bank, carry }
//!  plain data                  what could       what runs                     │
//!                              sound            now                           ring
//!                                                                             │
//!             the old program, and small reports  <── ring ──  Player ── Renderer: a quantum at a time
//! ```
//!
//! - What is said: [`session`] (data), its [`credits`] and its [`album`], [`names`] (paths and the way back), [`units`], [`tempo`],
//!   [`pattern`] (what is played when) and [`score`] (by whom), [`control`] (what may move a parameter) and [`motion`] (how it does), [`parameter`] (the tables that words
//!   are declared by) and their [`value`]s, [`recipe`] (what a kernel is built from), [`words`], [`diagnostic`].
//! - What is built: [`amend`], [`form`] and [`check`] complete a session, [`audible`] turns solos into mutes, [`graph`] finds
//!   channels, numbers and latencies, [`mesh`] is what runs, [`mod@diff`] what shall run, [`mod@compile`] makes a [`plan`]
//!   and a [`bank`], [`mod@verify`] proves them.
//! - What sounds: [`render`], [`transport`], [`fade`], [`lane`], [`kernel`], [`nest`], [`rest`], [`abreast`] (several channels side by side), and the [`effects`] and [`sources`]
//!   with what they share: [`filters`], [`one_pole`], [`dynamics`], [`wheel`], [`curves`], [`follow`], [`delay_line`],
//!   [`convolution`], [`oversample`], [`true_peak`], [`random`], [`mod@math`].
//! - Who drives it: [`desk`] (the control side), [`live`] (the audio side and its rings), [`tap`] (what of it is kept),
//!   [`meter`], [`listen`] (what is heard where somebody listens), [`offline`], [`replay`], which goes on from the middle by what was put down with [`keep`]; [`device`] and
//!   [`silent`] call [`playback`]; [`resampled`] stands between rates,
//!   [`keeper`] between devices that come and go.
//! - What never takes part in a render: the [`monitor`], which whoever plays turns; the [`guard`] before a device; [`probe`], which can be
//!   asked where trouble comes from ([`inspect`]) and what is costly ([`mod@costs`]).
//! - Who measures: [`measure`] takes a sound and gives every [`figure`] of it, [`expect`] says whether that is what the text
//!   expects, a [`target`] what a medium wants; [`loopback`] sends a sweep out and hears what comes back, [`response`] tells what
//!   that says.
//! - Files: [`media`] in, at another length or pitch by [`mod@warp`], [`delivery`] out, rounded with [`dither`], [`rolling`] while it
//!   plays, [`resample`] between rates.
//!
//! # Invariants
//!
//! 1. The audio thread never allocates, frees, locks, does I/O, logs or panics. Functions that run there end their doc with
//!    `RT`.
//! 2. A plan is immutable; all state that sound depends on is in the bank. Every plan is verified before it is used, in
//!    release too.
//! 3. All identity is by path: state, parameters, delays, seeds.
//! 4. At most one program is in flight, the newest edit wins, and what the audio thread receives it gives back.
//! 5. Output is a function of texts, values from outside, orders to the transport, live inputs, each with its frame, of media
//!    and rate alone: not of the callback's size, the clock, or the order of unrelated lines. Sums add in path order; every function of analysis comes from [`mod@math`]; nothing multiplies and
//!    adds in one rounding.
//! 6. To remove is to fade to zero, then to go on without it.
//! 7. Every loop contains a declared delay of at least one quantum; any other is refused with the way round named.
//! 8. One file knows `cpal`; one file is `unsafe`.
//! 9. Nothing changes a level that the text did not ask for.

pub mod abreast;
pub mod album;
pub mod amend;
pub mod audible;
pub mod bank;
pub mod check;
pub mod circuit;
pub mod compile;
pub mod control;
pub mod convolution;
pub mod costs;
pub mod credits;
pub mod crossing;
pub mod curves;
pub mod delay_line;
pub mod delivery;
pub mod denormals;
pub mod desk;
#[cfg(feature = "devices")]
pub mod device;
pub mod diagnostic;
pub mod diff;
pub mod dither;
pub mod drums;
pub mod dynamics;
pub mod effects;
pub mod expect;
pub mod fade;
pub mod figure;
pub mod filters;
pub mod follow;
pub mod form;
pub mod graph;
pub mod guard;
pub mod inspect;
pub mod keep;
#[cfg(feature = "devices")]
pub mod keeper;
pub mod kernel;
pub mod keyboard;
pub mod lane;
mod last;
pub mod listen;
pub mod live;
pub mod loopback;
pub mod math;
pub mod measure;
pub mod media;
pub mod mesh;
pub mod meter;
pub mod midi_file;
pub mod monitor;
pub mod motion;
pub mod names;
pub mod nest;
pub mod offline;
pub mod one_pole;
pub mod oversample;
pub mod parameter;
pub mod part;
pub mod pattern;
pub mod plan;
pub mod playback;
pub mod probe;
pub mod random;
mod ranks;
pub mod recipe;
pub mod render;
pub mod replay;
pub mod resample;
pub mod resampled;
pub mod response;
pub mod rest;
pub mod rolling;
pub mod sampler;
pub mod score;
pub mod session;
pub mod silent;
pub mod sources;
pub mod spoken;
pub mod synth;
pub mod tap;
pub mod target;
pub mod tempo;
#[cfg(test)]
mod test_signals;
pub mod transport;
pub mod true_peak;
pub mod units;
pub mod value;
pub mod verify;
pub mod warp;
pub mod wheel;
mod wide;
pub mod words;
mod worker;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
