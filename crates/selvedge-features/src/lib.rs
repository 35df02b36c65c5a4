//! From CSVs to the training frame: the stages ingest, embeddings, features and frame.

/// What was served, and what customers did then.
pub mod served;
/// CSVs -> typed sources.
pub mod ingest;
/// Texts -> vectors.
pub mod embeddings;
/// Grain -> point-in-time features.
pub mod features;
/// Features and label side by side.
pub mod frame;
