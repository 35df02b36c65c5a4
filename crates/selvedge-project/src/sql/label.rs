//! The words of a label's table, which the frame keeps: on which side of time a row lies.

/// The boolean column that models learn to tell.
pub const LABEL: &str = "label";
/// The text column that says on which side a row lies; any other value says why it is left out.
pub const SPLIT: &str = "split";
/// Its value for the rows that parameters are fitted on.
pub const TRAIN: &str = "train";
/// Its value for the rows that hyperparameters are chosen on.
pub const VALIDATION: &str = "validation";
/// Its value for the rows that models are judged on.
pub const TEST: &str = "test";
