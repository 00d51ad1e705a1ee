//! What is wrong with input that was readable: one line per field, with a JSON pointer (RFC 6901).
//!
//! The web side turns these into the `errors` of a 422 answer. They never carry a value that a person typed.

use serde::Serialize;

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// JSON pointer to the field, such as `/lines/0/quantity`.
    pub pointer: String,
    /// What is wrong with it, for a person.
    pub detail: String,
}

impl FieldProblem {
    /// A problem with the field at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl core::fmt::Display) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.to_string(),
        }
    }
}

impl core::fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.pointer, self.detail)
    }
}

/// Collects problems while a form is checked.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldProblem>);

impl Problems {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that the field is wrong.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl core::fmt::Display) {
        self.0.push(FieldProblem::new(pointer, detail));
    }

    /// The value of `result`, or the default and a problem.
    pub fn take<T: Default, E: core::fmt::Display>(
        &mut self,
        pointer: &str,
        result: Result<T, E>,
    ) -> T {
        result.unwrap_or_else(|error| {
            self.add(pointer, error);
            T::default()
        })
    }

    /// Adds a problem unless `good`.
    pub fn check(&mut self, good: bool, pointer: &str, detail: &str) {
        if !good {
            self.add(pointer, detail);
        }
    }

    /// The problems found so far.
    pub fn into_vec(self) -> Vec<FieldProblem> {
        self.0
    }

    /// `value` if nothing was wrong.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<FieldProblem>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}
