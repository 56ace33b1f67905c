//! What must hold across the crates: one test binary.

#[cfg(test)]
mod bad_scripts;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod rehearsal;
#[cfg(all(test, feature = "devices"))]
mod virtual_card;
