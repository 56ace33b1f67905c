//! What must hold across the crates.

#[cfg(all(test, feature = "devices"))]
mod virtual_card;
