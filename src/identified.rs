//! A value that says who somebody is, kept out of logs by its type.
//!
//! [`Identified`] has no `Display`, its `Debug` shows no content, and reading
//! it takes an explicit [`Identified::expose`] that a reviewer can search for.

use zeroize::Zeroize;

/// A patient's value: name, ID, date of birth, text of a description.
#[derive(
    Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Identified<T>(T);

impl<T> Identified<T> {
    /// Wraps a value that identifies.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: for comparing, hashing and painting, never for a log,
    /// an error, a metric or a file name.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Zeroize for Identified<T> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl<T> std::fmt::Debug for Identified<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹identified›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let name = Identified::new(String::from("DOE^JANE"));
        assert!(!format!("{name:?} {:?}", Some(&name)).contains("DOE"));
    }
}
