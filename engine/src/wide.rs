//! Wide registers: loops that are compiled twice, for what every processor of its kind has and for AVX2, of which a machine
//! runs what it can.
//!
//! The bits are the same either way: several numbers are worked on at a time, each as it would be alone, and a product and a
//! sum stay two steps, each rounded. What is not drawn into the loop (`#[inline(always)]`) is compiled once, for every
//! processor; a loop that is short is not worth asking for.

use std::ops::{Deref, DerefMut};

use pulp::Arch;

/// Finds out what the processor can do, once for all: what asks later reads a number. Not RT.
pub fn prepare() {
    Arch::new();
}

/// Does something as wide as the processor can. What is done is to be marked `#[inline(always)]`. RT.
#[inline(always)]
pub fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(test)]
    if tests::is_plain() {
        return work();
    }
    Arch::new().dispatch(work)
}

/// Something in memory that begins where the widest registers like it to.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Aligned<T>(pub T);

impl<T> Deref for Aligned<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// An array of what a function gives for each place: [`std::array::from_fn`] that is drawn into where it stands. RT.
#[inline(always)]
pub fn each<const N: usize, T: Copy + Default>(mut of: impl FnMut(usize) -> T) -> [T; N] {
    let mut all = [T::default(); N];
    for (place, one) in all.iter_mut().enumerate() {
        *one = of(place);
    }
    all
}

#[cfg(test)]
pub mod tests {
    //! What is compiled for AVX2 against what is not.

    use std::cell::Cell;

    thread_local! {
        static PLAIN: Cell<bool> = const { Cell::new(false) };
    }

    pub fn is_plain() -> bool {
        PLAIN.get()
    }

    /// Does something as every processor can.
    pub fn plainly<R>(work: impl FnOnce() -> R) -> R {
        PLAIN.set(true);
        let result = work();
        PLAIN.set(false);
        result
    }

    #[test]
    fn products_and_sums_are_rounded_one_by_one() {
        // 1 + 2e + e², of which the last is lost unless both are one step.
        let (a, mut out) = (std::hint::black_box([1.0 + f64::EPSILON; 64]), [1.0; 64]);
        super::wide(
            #[inline(always)]
            || out.iter_mut().zip(&a).for_each(|(out, a)| *out = a * a - (1.0 + 2.0 * f64::EPSILON)),
        );
        assert_eq!(out, [0.0; 64]);
    }
}
