//! What was last worked out, and of what: numbers that stand still are not worked out again in each quantum. Sound does not depend
//! on it.

/// A value, and the number that it was worked out from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Last<T>(Option<(f64, T)>);

impl<T: Copy> Last<T> {
    /// What a function makes of a number. RT, as the function is.
    pub fn of(&mut self, number: f64, make: impl FnOnce(f64) -> T) -> T {
        match self.0 {
            Some((known, value)) if known == number => value,
            _ => {
                let value = make(number);
                self.0 = Some((number, value));
                value
            }
        }
    }
}
