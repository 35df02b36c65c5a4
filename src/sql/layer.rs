//! Who may read whom: the layers of `sql/`, one folder each, in the order of the flow.

use super::TableName;

/// A folder of `sql/`; its name is also the schema of the tables that its files make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// One typed, cleaned view per CSV.
    Sources,
    /// Where training ends and testing begins.
    Split,
    /// The rows that features are computed for: keys and `as_of`, no label.
    Grain,
    /// What text is embedded.
    Texts,
    /// One feature view each.
    Features,
    /// The only files that compute a label.
    Labels,
    /// The recommendation stage's candidates and its baselines.
    Recommend,
    /// Metric tables over predictions.
    Evaluation,
    /// The looks whose scores are taken apart, and the groups to look at.
    Drivers,
    /// What the lists of recommendations show.
    Exposure,
    /// Windowed queries over the production log.
    Monitoring,
    /// Queries that must return no rows.
    Audits,
}

impl Layer {
    pub const ALL: [Self; 12] = [
        Self::Sources,
        Self::Split,
        Self::Grain,
        Self::Texts,
        Self::Features,
        Self::Labels,
        Self::Recommend,
        Self::Evaluation,
        Self::Drivers,
        Self::Exposure,
        Self::Monitoring,
        Self::Audits,
    ];

    /// The folder under `sql/`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Split => "split",
            Self::Grain => "grain",
            Self::Texts => "texts",
            Self::Features => "features",
            Self::Labels => "labels",
            Self::Recommend => "recommend",
            Self::Evaluation => "evaluation",
            Self::Drivers => "drivers",
            Self::Exposure => "exposure",
            Self::Monitoring => "monitoring",
            Self::Audits => "audits",
        }
    }

    /// The layer of a folder's name.
    pub fn of_folder(folder: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.folder() == folder)
    }

    /// What the files of this layer may read: schemas, or single tables that stand in none.
    pub fn may_read(self) -> &'static [&'static str] {
        match self {
            // A transaction finds its article through the catalogue, so one source may read another.
            Self::Sources => &["raw", "sources"],
            Self::Split | Self::Grain => &["sources"],
            Self::Texts => &["sources", "split"],
            Self::Features => &["grain", "sources", "embeddings"],
            Self::Labels => &["grain", "sources", "split"],
            Self::Recommend => &["sources", "recommend"],
            Self::Evaluation => &["predictions", "frame", "recommendations", "sources", "split", "evaluation"],
            Self::Drivers => &["frame", "sources"],
            Self::Exposure => &["recommendations", "recommend", "sources", "exposure"],
            // The frame is what the model learned from: monitoring says how today's looks differ from it, and how the
            // descriptions of what is shown differ from earlier ones.
            Self::Monitoring => &["sources", "frame", "embeddings", "monitoring"],
            Self::Audits => &["raw", "sources", "split", "features", "frame"],
        }
    }

    /// Whether a file of this layer may read the outcomes of past recommendations.
    /// Features must not: a model that learns from what an earlier model showed learns that model's mistakes.
    pub fn may_read_outcomes(self) -> bool {
        !matches!(self, Self::Split | Self::Grain | Self::Texts | Self::Features | Self::Labels)
    }

    /// Whether a file of this layer may read `table`, by its schema alone.
    pub fn allows(self, table: &TableName) -> bool {
        let room = table.schema.as_deref().unwrap_or(&table.name);
        self.may_read().contains(&room)
    }

    /// The sections of params.yaml whose keys are this layer's `$parameters`; `shop` is for everybody.
    pub fn params_section(self) -> &'static str {
        match self {
            Self::Sources | Self::Audits => "ingest",
            Self::Split | Self::Labels => "split",
            Self::Grain | Self::Features => "features",
            Self::Texts => "embeddings",
            Self::Recommend | Self::Exposure => "recommend",
            Self::Evaluation | Self::Drivers => "evaluate",
            Self::Monitoring => "monitor",
        }
    }
}
