//! What must hold across the crates: one test binary.

#[cfg(test)]
mod bad_scripts;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod program;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod rehearsal;
#[cfg(all(test, feature = "devices"))]
mod virtual_card;
