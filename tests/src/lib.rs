//! What must hold across the crates: one test binary.

#[cfg(test)]
mod abreast;
#[cfg(test)]
mod amendments;
#[cfg(test)]
mod audible;
#[cfg(test)]
mod bad_scripts;
#[cfg(all(test, unix))]
mod browser;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod controls;
#[cfg(all(test, feature = "devices"))]
mod devices;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod exact;
#[cfg(all(test, feature = "devices"))]
mod fake_device;
#[cfg(test)]
mod form;
#[cfg(test)]
mod golden;
#[cfg(all(test, feature = "devices"))]
mod hardware;
#[cfg(test)]
mod house;
#[cfg(test)]
mod keyboard;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod meters;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod musical_time;
#[cfg(test)]
mod names;
#[cfg(test)]
mod nested;
#[cfg(test)]
mod null;
#[cfg(test)]
mod overlap;
#[cfg(test)]
mod patterns;
#[cfg(test)]
mod phrases;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod program;
#[cfg(all(test, unix))]
mod prompt;
#[cfg(test)]
mod random_edits;
#[cfg(test)]
mod random_sessions;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod safety;
#[cfg(test)]
mod second_meter;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod show;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod spectrum;
#[cfg(test)]
mod sweeps;
#[cfg(all(test, unix))]
mod terminal;
#[cfg(test)]
mod tone;
#[cfg(test)]
mod transport;
#[cfg(all(test, feature = "devices"))]
mod virtual_card;
#[cfg(test)]
mod warped;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
