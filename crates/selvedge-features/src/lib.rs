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

use rayon::prelude::*;
use selvedge_project::project::Project;

/// What becomes of each, side by side where memory has no limit, which they would else share.
fn side_by_side<T: Sync, R: Send>(project: &Project, all: &[T], each: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    match project.params.engine.memory_limit {
        None => all.par_iter().map(each).collect(),
        Some(_) => all.iter().map(each).collect(),
    }
}
