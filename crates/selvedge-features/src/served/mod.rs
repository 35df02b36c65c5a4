//! The served log: what was answered, what customers did then as the shop's pages send it, and what the tables of an export make
//! of it.

/// Moments in JSON.
pub mod moment;
mod rows;
/// What a customer did, and whether it can be true.
pub mod event;
/// What events mean beside the tables of an export.
pub mod facts;
/// Answers as tables.
pub mod answers;
/// Sealed files.
pub mod segments;
