//! The ground that every stage stands on: a project opened and checked, before a row is read.

/// What a user sees when something goes wrong.
pub mod error;
/// Every folder and file name.
pub mod paths;
/// What a run says while it works.
pub mod progress;
/// Numbers as readers meet them.
pub mod numbers;
/// The stages of the flow, a row each.
pub mod stage;
/// params.yaml, checked.
pub mod params;
/// The folder of SQL files that is the product.
pub mod sql;
/// A project that is opened.
pub mod project;
/// What pages call a customer.
pub mod pseudonyms;
/// A program that stands beside this one.
pub mod program;
