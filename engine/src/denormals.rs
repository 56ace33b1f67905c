//! Flush-to-zero, so that a ringing tail does not slow down by a factor of a hundred as it falls below 1e-308.

/// Runs `work` with denormal numbers flushed to zero, and restores the processor's setting after it. RT.
///
/// Sound is a function of this setting in its last bits, so everything that renders does it inside this.
#[allow(unsafe_code)]
pub fn flushed<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: the setting belongs to this thread and is restored on the way out, also when `work` unwinds. The one
    // hazard that remains, a compiler that folds denormal arithmetic at compile time, changes a number below 1e-308.
    unsafe { no_denormals::no_denormals(work) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn denormals_are_zero_inside_and_themselves_outside() {
        let halved = || black_box(f64::MIN_POSITIVE) * black_box(0.5);
        assert_eq!(flushed(halved), 0.0);
        assert!(halved() > 0.0);
    }
}
