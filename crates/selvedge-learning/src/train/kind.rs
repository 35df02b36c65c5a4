//! The models that are compared, each with what it may learn from.

use selvedge_project::project::Project;
use selvedge_project::sql::Feature;

/// A model a line, from the one that knows least to the one that knows all, which is the one that is used: its name in
/// tables, what readers call it, and which features it may learn from.
macro_rules! kinds {
    ($($(#[$about:meta])+ $kind:ident, $name:literal, $words:literal: $learns:expr;)+) => {
        /// The models.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$about])+ $kind,)+
        }

        impl Kind {
            pub const ALL: [Self; [$(stringify!($kind)),+].len()] = [$(Self::$kind),+];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// What it is called in front of readers.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)+
                }
            }

            fn learns_from(self, feature: &Feature) -> bool {
                let learns: fn(&Feature) -> bool = match self {
                    $(Self::$kind => $learns,)+
                };
                learns(feature)
            }
        }
    };
}

kinds! {
    /// How popular the article is (the columns whose header says `popularity: true`), nothing of the customer.
    Popularity, "popularity", "article popularity": |feature| feature.column.popularity;
    /// Everything but the descriptions.
    Tabular, "tabular", "without descriptions": |feature| !feature.from_descriptions;
    /// The descriptions alone, and how they match what the customer did before.
    Descriptions, "descriptions", "descriptions only": |feature| feature.from_descriptions;
    /// Everything.
    Combined, "combined", "with descriptions": |_| true;
}

impl Kind {
    /// The one that is used.
    pub const USED: Self = Self::ALL[Self::ALL.len() - 1];

    /// Those that it is held against.
    pub fn others() -> &'static [Self] {
        &Self::ALL[..Self::ALL.len() - 1]
    }

    /// The feature columns of the frame that this model reads.
    pub fn features(self, project: &Project) -> Vec<String> {
        let declared = project.library.feature_columns().into_iter();
        declared.filter(|feature| self.learns_from(feature) && !feature.is_set()).map(|feature| feature.name).collect()
    }
}
