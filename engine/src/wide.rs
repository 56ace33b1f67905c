//! Wide registers: loops that are compiled several times, for what every processor of its kind has, for AVX2 and for AVX-512, of which a
//! machine runs what it can.
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
    arch().dispatch(work)
}

/// Whether all are numbers and finite: nothing is left of those when they are multiplied by 0, but perhaps a sign. RT.
pub fn is_finite(numbers: &[f64]) -> bool {
    let bits = wide(
        #[inline(always)]
        || numbers.iter().fold(0, |bits, x| bits | (x * 0.0).to_bits()),
    );
    bits << 1 == 0
}

/// Numbers in a square.
pub type Square = [[f64; 8]; 8];

/// Turns the rows of some squares into columns, as wide as the processor can: each is read, turned, and written, one after the other.
/// What reads and writes is to be marked `#[inline(always)]`. RT.
#[inline(always)]
pub fn turn_squares(count: usize, mut read: impl FnMut(usize) -> Square, mut write: impl FnMut(usize, Square)) {
    #[cfg(target_arch = "x86_64")]
    match arch() {
        Arch::V4(simd) => {
            return simd.vectorize(
                #[inline(always)]
                || (0..count).for_each(|at| write(at, x86::turned_by_eight(simd, read(at)))),
            );
        }
        Arch::V3(simd) => {
            return simd.vectorize(
                #[inline(always)]
                || (0..count).for_each(|at| write(at, x86::turned_by_four(simd, read(at)))),
            );
        }
        _ => {}
    }
    for at in 0..count {
        write(at, turned(read(at)));
    }
}

/// Rows as columns, one by one. RT.
#[inline(always)]
fn turned(rows: Square) -> Square {
    let mut columns = Square::default();
    for (i, column) in columns.iter_mut().enumerate() {
        for (x, row) in column.iter_mut().zip(&rows) {
            *x = row[i];
        }
    }
    columns
}

/// What a processor of the x86 kind turns squares with.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use pulp::cast;
    use pulp::x86::{V3, V4};

    use super::Square;

    /// Rows as columns, in three steps: numbers change places, then pairs, then pairs of pairs. RT.
    #[inline(always)]
    pub fn turned_by_eight(simd: V4, [a, b, c, d, e, f, g, h]: Square) -> Square {
        let simd = simd.avx512f;
        let [a, b, c, d, e, f, g, h] = [cast(a), cast(b), cast(c), cast(d), cast(e), cast(f), cast(g), cast(h)];
        let even = [
            simd._mm512_unpacklo_pd(a, b),
            simd._mm512_unpacklo_pd(c, d),
            simd._mm512_unpacklo_pd(e, f),
            simd._mm512_unpacklo_pd(g, h),
        ];
        let odd = [
            simd._mm512_unpackhi_pd(a, b),
            simd._mm512_unpackhi_pd(c, d),
            simd._mm512_unpackhi_pd(e, f),
            simd._mm512_unpackhi_pd(g, h),
        ];
        let mut columns = Square::default();
        for (first, [ab, cd, ef, gh]) in [(0, even), (1, odd)] {
            let (front, back) = (simd._mm512_shuffle_f64x2::<0x88>(ab, cd), simd._mm512_shuffle_f64x2::<0x88>(ef, gh));
            columns[first] = cast(simd._mm512_shuffle_f64x2::<0x88>(front, back));
            columns[first + 4] = cast(simd._mm512_shuffle_f64x2::<0xDD>(front, back));
            let (front, back) = (simd._mm512_shuffle_f64x2::<0xDD>(ab, cd), simd._mm512_shuffle_f64x2::<0xDD>(ef, gh));
            columns[first + 2] = cast(simd._mm512_shuffle_f64x2::<0x88>(front, back));
            columns[first + 6] = cast(simd._mm512_shuffle_f64x2::<0xDD>(front, back));
        }
        columns
    }

    /// Rows as columns, a quarter of the square at a time. RT.
    #[inline(always)]
    pub fn turned_by_four(simd: V3, rows: Square) -> Square {
        let simd = simd.avx;
        let mut columns = Square::default();
        for (top, left) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            let row = |i: usize| {
                let row = rows[top + i];
                cast([row[left], row[left + 1], row[left + 2], row[left + 3]])
            };
            let [a, b, c, d] = [row(0), row(1), row(2), row(3)];
            let (even, odd) = (simd._mm256_unpacklo_pd(a, b), simd._mm256_unpackhi_pd(a, b));
            let (even_below, odd_below) = (simd._mm256_unpacklo_pd(c, d), simd._mm256_unpackhi_pd(c, d));
            let quarter: [[f64; 4]; 4] = [
                cast(simd._mm256_permute2f128_pd::<0x20>(even, even_below)),
                cast(simd._mm256_permute2f128_pd::<0x20>(odd, odd_below)),
                cast(simd._mm256_permute2f128_pd::<0x31>(even, even_below)),
                cast(simd._mm256_permute2f128_pd::<0x31>(odd, odd_below)),
            ];
            for (i, column) in quarter.iter().enumerate() {
                columns[left + i][top..top + 4].copy_from_slice(column);
            }
        }
        columns
    }
}

/// What the processor can do. RT.
#[inline(always)]
fn arch() -> Arch {
    #[cfg(test)]
    if tests::is_plain() {
        return Arch::Scalar;
    }
    Arch::new()
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
    fn squares_are_turned_the_same_as_wide_as_it_goes_and_one_by_one() {
        let square = std::array::from_fn(|i| std::array::from_fn(|k| (10 * i + k) as f64));
        let expected: super::Square = std::array::from_fn(|i| std::array::from_fn(|k| (10 * k + i) as f64));
        let mut found = Vec::new();
        super::turn_squares(1, |_| square, |_, square| found.push(square));
        plainly(|| super::turn_squares(1, |_| square, |_, square| found.push(square)));
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            found.push(simd.vectorize(|| super::x86::turned_by_four(simd, square)));
        }
        assert!(found.len() >= 2 && found.iter().all(|found| *found == expected), "{found:?}");
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
