//! Who may read whom: the layers of `sql/`, one folder each.

use super::TableName;

/// A folder of `sql/`; its name is also the schema of the tables that its files make.  A stage lists the layers it runs in
/// its [`Stage`](crate::stage::Stage); the layers that rooms below the stages know by name stand here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// The folder under `sql/`.
    pub folder: &'static str,
    /// What its files may read: schemas, or single tables that stand in none.
    pub may_read: &'static [&'static str],
    /// Whether its files may read the outcomes of past recommendations.
    /// Features must not: a model that learns from what an earlier model showed learns that model's mistakes.
    pub may_read_outcomes: bool,
    /// The section of params.yaml whose keys are its files' `$parameters`; those of `shop` are for everybody.
    pub section: &'static str,
}

impl Layer {
    /// One typed, cleaned view per CSV.  A transaction finds its article through the catalogue, so one source may read
    /// another.
    pub const SOURCES: Self =
        Self { folder: "sources", may_read: &["raw", "sources"], may_read_outcomes: true, section: "ingest" };
    /// Where training ends and testing begins.
    pub const SPLIT: Self =
        Self { folder: "split", may_read: &["sources"], may_read_outcomes: false, section: "split" };
    /// What text is embedded.
    pub const TEXTS: Self =
        Self { folder: "texts", may_read: &["sources", "split"], may_read_outcomes: false, section: "embeddings" };
    /// The rows that features are computed for: keys and `as_of`, no label.
    pub const GRAIN: Self =
        Self { folder: "grain", may_read: &["sources", "split"], may_read_outcomes: false, section: "features" };
    /// One feature view each.
    pub const FEATURES: Self = Self {
        folder: "features",
        may_read: &["grain", "sources", "embeddings"],
        may_read_outcomes: false,
        section: "features",
    };
    /// The only files that compute a label.
    pub const LABELS: Self =
        Self { folder: "labels", may_read: &["grain", "sources", "split"], may_read_outcomes: false, section: "split" };
    /// Events as recommendations may use them: consent and time are cut here.
    pub const INTERACTIONS: Self =
        Self { folder: "interactions", may_read: &["sources"], may_read_outcomes: false, section: "recommend" };
    /// The shelves, at the moments of `grain.request`, and what is held against their ranking.
    pub const RECOMMEND: Self = Self {
        folder: "recommend",
        may_read: &["grain", "sources", "interactions", "recommend"],
        may_read_outcomes: true,
        section: "recommend",
    };
    /// What the served log says, as rows of a source; `ingest` runs them where there is a log, after the sources.
    pub const SERVED: Self =
        Self { folder: "served", may_read: &["served", "sources"], may_read_outcomes: true, section: "ingest" };
    /// Queries that must return no rows; no stage runs them.
    pub const AUDITS: Self = Self {
        folder: "audits",
        may_read: &["raw", "sources", "split", "features", "frame"],
        may_read_outcomes: true,
        section: "ingest",
    };

    /// Queries that must return no rows before a release may serve: `candidate` is the one that wants to, `serving` the one that
    /// does; no stage runs them.
    pub const GATES: Self =
        Self { folder: "gates", may_read: &["candidate", "serving"], may_read_outcomes: true, section: "serve" };

    /// Queries over what was served lately that must return no rows; a row takes its release back.  No stage runs them.
    pub const SLO: Self = Self { folder: "slo", may_read: &["served"], may_read_outcomes: true, section: "serve" };

    /// Whether a file of this layer may read `table`, by its schema alone.
    pub fn allows(self, table: &TableName) -> bool {
        let room = table.schema.as_deref().unwrap_or(&table.name);
        self.may_read.contains(&room)
    }
}
