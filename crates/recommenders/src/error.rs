//! Why there is no model, and what to do about it.

/// Why a model cannot be fitted or asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    #[error("{what}: {found} where {expected} are needed")]
    Length { what: &'static str, found: usize, expected: usize },
    #[error("column {column} of row {row} is not a finite number")]
    NotFinite { row: usize, column: usize },
    #[error("a term names column {column} of a matrix of {columns}")]
    NoColumn { column: usize, columns: usize },
    #[error("{what} is {value}; it must be {allowed}")]
    Setting { what: &'static str, value: f64, allowed: &'static str },
    #[error("a matrix of {size} rows has no Cholesky decomposition: it is not positive definite at row {row}")]
    NotDefinite { size: usize, row: usize },
    #[error("the fit did not arrive at a minimum: gradient {gradient:.1e} for each row after {steps} steps")]
    NotArrived { gradient: f64, steps: usize },
    #[error("{what} number {number} of {count}")]
    Unknown { what: &'static str, number: usize, count: usize },
    #[error("{things} things are more than {most}, the most that a full matrix of likeness is made for")]
    TooMany { things: usize, most: usize },
    #[error("what was learned has no matrix '{matrix}' of {rows} x {columns} finite numbers")]
    NotLearned { matrix: String, rows: usize, columns: usize },
}

impl ModelError {
    /// What to do, where there is something to do: one sentence in the imperative.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::NotFinite { .. } => {
                Some("fill the cell before the fit: a missing value needs a value that means it".into())
            }
            Self::NotDefinite { .. } | Self::NotArrived { .. } => Some("raise the penalty (l2)".into()),
            Self::TooMany { .. } => Some("use item-kNN or RP3beta, which keep only the nearest".into()),
            Self::Setting { what, allowed, .. } => Some(format!("set {what} to a value that is {allowed}")),
            Self::NotLearned { .. } => {
                Some("build the programs of one version together: `cargo build --release`".into())
            }
            Self::Length { .. } | Self::NoColumn { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// Refuses a slice of another length.
pub(crate) fn same_length(what: &'static str, found: usize, expected: usize) -> Result<(), ModelError> {
    if found == expected { Ok(()) } else { Err(ModelError::Length { what, found, expected }) }
}

/// Refuses rows that are not on a shelf of so many.
pub(crate) fn rows_of_shelf(rows: &[usize], count: usize) -> Result<(), ModelError> {
    match rows.iter().find(|row| **row >= count) {
        Some(row) => Err(ModelError::Unknown { what: "a row of the shelf", number: *row, count }),
        None => Ok(()),
    }
}

/// Refuses a setting that is negative or not finite.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<(), ModelError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(ModelError::Setting { what, value, allowed: "a finite number of at least 0" })
    }
}
