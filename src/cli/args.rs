//! What each subcommand takes.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use clap_complete::Shell;

use crate::explore::Format;
use crate::flow::FLOW;
use selvedge_analysis::lineage::GraphFormat;
use selvedge_project::error::Result;
use selvedge_project::params::{Segment, written};
use selvedge_project::project::Project;
use selvedge_project::sql::Selection;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// End with exit code 1 where something is missing that should be there
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
pub(super) struct WhoArgs {
    /// What the page says, such as P-3f0c9a1b22
    #[arg(value_name = "PSEUDONYM")]
    pub pseudonym: String,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Stages to run; what the others make must be there already
    #[arg(value_name = "STAGE", value_parser = PossibleValuesParser::new(FLOW.iter().map(|stage| stage.name)))]
    pub stages: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// Files to look at, such as sql/features/visit.sql [default: all of sql/]
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
}

/// Which tables are meant, as dbt writes it.
#[derive(Debug, Args)]
pub(super) struct Select {
    /// These tables only: `visit_record` is a view, `sources.products+` a table and all that is made from it, `+visit_record`
    /// a view and all that it is made from [default: all]
    #[arg(long, num_args = 1.., value_name = "TABLE")]
    pub select: Vec<String>,
}

impl Select {
    pub fn of(&self, project: &Project) -> Result<Selection> {
        Selection::of(&project.library, &self.select)
    }
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Feature views to test, also as `--select` writes them [default: all]
    #[arg(value_name = "VIEW")]
    pub views: Vec<String>,
    #[command(flatten)]
    pub tables: Select,
    /// Write a case from real rows instead: a view and the key of one of its rows, such as
    /// `--record customer_history customer_id=… as_of=…`
    #[arg(long, num_args = 2.., value_names = ["VIEW", "KEY=VALUE"], conflicts_with = "views")]
    pub record: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct RecommendArgs {
    /// The lists of an earlier moment, from what was known then: a day (its first moment) or a time on the shop's clock
    /// [default: the export]
    #[arg(long, value_name = "DAY")]
    pub as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct WhyNotArgs {
    /// The customer's number
    #[arg(value_name = "CUSTOMER")]
    pub customer: String,
    /// The article's number
    #[arg(value_name = "ARTICLE")]
    pub article: String,
    /// Of the list of an earlier moment: a day (its first moment) or a time on the shop's clock [default: the export]
    #[arg(long, value_name = "DAY")]
    pub as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    /// Replay an earlier report: a day (its first moment) or a time on the shop's clock [default: the export]
    #[arg(long, value_name = "DAY")]
    pub as_of: Option<String>,
    /// End with exit code 1 when a change is clear; reports/alerts.json is written all the same
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fail_on: Option<FailOnClear>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FailOnClear {
    Clear,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FailOnMissed {
    Missed,
}

#[derive(Debug, Args)]
pub(super) struct DrillArgs {
    /// Whose clicks are lost, such as age_group=45-54
    #[arg(long, value_name = "COLUMN=VALUE", requires_all = ["drop", "from"], value_parser = written::segment)]
    pub segment: Option<Segment>,
    /// How many of them, such as 40%
    #[arg(long, value_name = "SHARE", requires = "segment", value_parser = written::percent)]
    pub drop: Option<f64>,
    /// The first day of it, on the shop's clock
    #[arg(long, value_name = "DAY", requires = "segment", value_parser = written::day)]
    pub from: Option<NaiveDate>,
    /// End with exit code 1 when a drill of params.yaml is not noticed in time; reports are written all the same
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "segment")]
    pub fail_on: Option<FailOnMissed>,
}

#[derive(Debug, Args)]
pub(super) struct TrackArgs {
    /// Send the runs that no server has taken yet, instead of the present one
    #[arg(long)]
    pub pending: bool,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub tables: Select,
    /// What each view reads and is known by, too
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// A commit, branch or tag
    #[arg(long, value_name = "REV")]
    pub from: String,
}

#[derive(Debug, Args)]
pub(super) struct LineageArgs {
    /// A feature view or one of its columns; without it, every view
    #[arg(value_name = "VIEW[.COLUMN]")]
    pub of: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: GraphFormat,
}

#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// A column of a feature view
    #[arg(value_name = "VIEW.COLUMN")]
    pub of: String,
    /// The row: each column of the view's key, such as customer_id=… as_of=…; any moment will do, UTC
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub key: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct SqlArgs {
    /// The query
    #[arg(conflicts_with = "file")]
    pub query: Option<String>,
    /// Read the query from a file; - is standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}
