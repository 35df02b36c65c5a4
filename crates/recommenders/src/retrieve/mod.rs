//! Candidate generators: what a customer's past says about every thing, by one trait.
//!
//! Things are what a customer has seen or owns, numbered from 0 in the order of their keys; lists are over articles, and
//! several articles may be one thing.  A fit reads events before its cut only, and nothing after it is fitted is written to.

mod also_bought;
mod content;
pub mod ease;
mod history;
pub mod ials;
mod interactions;
pub mod item_knn;
mod neighbours;
mod popularity;
pub mod rp3beta;
mod slim;

#[cfg(test)]
pub(crate) mod tests;

pub use also_bought::AlsoBought;
pub use content::Content;
pub use ease::Ease;
pub use history::{History, Kind, Past, Recency};
pub use ials::{Ials, IalsSettings, Solver};
pub use interactions::{Event, Interactions};
pub use item_knn::{ItemKnn, ItemKnnSettings};
pub use neighbours::Neighbours;
pub use popularity::Popularity;
pub use rp3beta::{Rp3Beta, Rp3BetaSettings};
pub use slim::{Slim, SlimSettings};

/// A fitted candidate generator.
pub trait Retriever: Send + Sync {
    /// Its name in tables.
    fn name(&self) -> &'static str;

    /// Raised whenever the same past would get other scores.
    fn version(&self) -> u32;

    /// One finite score for each thing, higher first; equal scores are for popularity and then the key to decide.  Past
    /// things that the fit does not know add nothing.  With no past, all scores are 0, except popularity's.
    fn scores(&self, history: &History) -> Vec<f64>;

    /// What each past thing adds to the score of `thing`; by thing, without zeros.  They sum to the score, but for
    /// rounding; popularity, which needs no past, has none.
    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)>;
}
