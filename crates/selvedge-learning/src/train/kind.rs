//! The models that are compared, each with what it may learn from.

use selvedge_project::project::Project;
use selvedge_project::sql::Feature;

/// The models, from the one that knows least to the one that knows all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// How popular the article is (the columns whose header says `popularity: true`), nothing of the customer.
    Popularity,
    /// Everything but the descriptions.
    Tabular,
    /// The descriptions alone, and how they match what the customer did before.
    Descriptions,
    /// Everything.
    Combined,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Popularity, Self::Tabular, Self::Descriptions, Self::Combined];

    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::Tabular => "tabular",
            Self::Descriptions => "descriptions",
            Self::Combined => "combined",
        }
    }

    fn learns_from(self, feature: &Feature) -> bool {
        match self {
            Self::Popularity => feature.column.popularity,
            Self::Tabular => !feature.from_descriptions,
            Self::Descriptions => feature.from_descriptions,
            Self::Combined => true,
        }
    }

    /// The feature columns of the frame that this model reads.
    pub fn features(self, project: &Project) -> Vec<String> {
        let declared = project.library.feature_columns().into_iter();
        declared.filter(|feature| self.learns_from(feature)).map(|feature| feature.name).collect()
    }
}
