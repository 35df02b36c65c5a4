//! The command line: one subcommand per stage, `run` for all, `sql` for questions.

mod writes;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::explore::{Format, Question};
use crate::flow::{self, FLOW};
use crate::lock::Lock;
use crate::serving::{self, CompareArgs, KeyArgs, ReleaseCommand, ReplayArgs, ServeArgs};
use crate::stage::Stage;
use crate::{
    audit, cases, changes, check, drill, explore, fits, lineage, lint, monitor, new, plan, proof, recommend, tracking,
    who, why,
};
use selvedge_analysis::lineage::GraphFormat;
use selvedge_engine::Staged;
use selvedge_project::error::{Outcome, Result};
use selvedge_project::params::{Segment, Shift, written};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;

/// Features, recommendations and monitoring from SQL files, with edges that cannot fray.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    /// The project's folder [default: the nearest one upwards with a params.yaml]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// How many parts queries are split into; results do not depend on it [default: engine.partitions in params.yaml]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    partitions: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A project for your CSVs: the queries that read them, params.yaml, and what is needed to run it
    New(new::Request),
    /// What the export has of what an export must, should and may have, and what is left out without it
    Check(CheckArgs),
    /// Which customer a page means by a pseudonym, on a machine that has the key
    Who(WhoArgs),
    /// The named stages in the order of the flow, without DVC; all of them where none is named
    Run(RunArgs),
    #[command(flatten)]
    Stage(PlainStage),
    #[command(about = recommend::STAGE.about)]
    Recommend(RecommendArgs),
    /// Why an article is not in a customer's list: which filter, which rule, or behind which place
    WhyNot(WhyNotArgs),
    #[command(about = monitor::STAGE.about)]
    Monitor(MonitorArgs),
    #[command(about = format!("{}; with --segment one drop, answered day by day", drill::STAGE.about))]
    Drill(DrillArgs),
    /// Send parameters, metrics, fingerprints and charts to the MLflow server of tracking.uri
    Track(TrackArgs),
    /// Run the queries of sql/audits, which must return no rows; warnings alone end with exit code 4
    Audit,
    /// Find what in a query would see the future or change from run to run; needs no data, writes nothing
    #[command(after_long_help = lint::rules_in_words())]
    Lint(LintArgs),
    /// Run the cases of tests/features, and prove that no feature view sees the future or depends on the order, copies or parts of its rows,
    /// and that no fitted ranking depends on what came after its moment; writes nothing
    Test(TestArgs),
    /// What `features` would recompute and why: new, changed, changed upstream, removed; writes nothing, exit code 4
    /// where a view means something else under its old version
    Plan(PlanArgs),
    /// What `sql/` and params.yaml do to features, models and lists, against a git revision -> reports/changes.md
    Diff(DiffArgs),
    /// The columns that columns are made from, down to the CSVs: as value, filter, join key or window
    Lineage(LineageArgs),
    /// Which rows of the CSVs made one value, by file and line, and which were left out because they came too late
    Why(WhyArgs),
    /// Answer a query over every table there is; without one, list the tables
    Sql(SqlArgs),
    /// Lists with reasons over HTTP, now; events that count for the next list
    Serve(ServeArgs),
    /// What may serve: seal, promote, try on a share of the customers, take back
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// How the lists and scores of two releases differ, at the same moment
    Compare(CompareArgs),
    /// Make an answer of the server again: it must be the same, bit for bit
    Replay(ReplayArgs),
    /// Make a key for the server, which is shown once
    Key(KeyArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// End with exit code 1 where something is missing that should be there
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Args)]
struct WhoArgs {
    /// What the page says, such as P-3f0c9a1b22
    #[arg(value_name = "PSEUDONYM")]
    pseudonym: String,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Stages to run; what the others make must be there already
    #[arg(value_name = "STAGE", value_parser = PossibleValuesParser::new(FLOW.iter().map(|stage| stage.name)))]
    stages: Vec<String>,
}

/// A stage that takes no arguments of its own: each of the flow is a subcommand by its row alone.
#[derive(Debug, Clone, Copy)]
struct PlainStage(&'static Stage);

impl PlainStage {
    fn all() -> impl Iterator<Item = &'static Stage> {
        let with_arguments = [recommend::STAGE.name, monitor::STAGE.name, drill::STAGE.name];
        FLOW.iter().filter(move |stage| !with_arguments.contains(&stage.name))
    }
}

impl Subcommand for PlainStage {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands(Self::all().map(|stage| clap::Command::new(stage.name).about(stage.about)))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Self::all().any(|stage| stage.name == name)
    }
}

impl FromArgMatches for PlainStage {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let named = matches.subcommand_name().and_then(flow::stage);
        named.map(Self).ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidSubcommand))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Debug, Args)]
struct LintArgs {
    /// Files to look at, such as sql/features/visit.sql [default: all of sql/]
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

#[derive(Debug, Args)]
struct TestArgs {
    /// Feature views to test [default: all]
    #[arg(value_name = "VIEW")]
    views: Vec<String>,
    /// Write a case from real rows instead: a view and the key of one of its rows, such as
    /// `--record customer_history customer_id=… as_of=…`
    #[arg(long, num_args = 2.., value_names = ["VIEW", "KEY=VALUE"], conflicts_with = "views")]
    record: Vec<String>,
}

#[derive(Debug, Args)]
struct RecommendArgs {
    /// The lists of an earlier moment, from what was known then: a day (its first moment) or a time on the shop's clock
    /// [default: the export]
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
}

#[derive(Debug, Args)]
struct WhyNotArgs {
    /// The customer's number
    #[arg(value_name = "CUSTOMER")]
    customer: String,
    /// The article's number
    #[arg(value_name = "ARTICLE")]
    article: String,
    /// Of the list of an earlier moment: a day (its first moment) or a time on the shop's clock [default: the export]
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
}

#[derive(Debug, Args)]
struct MonitorArgs {
    /// Replay an earlier report: a day (its first moment) or a time on the shop's clock [default: the export]
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
    /// End with exit code 1 when a change is clear; reports/alerts.json is written all the same
    #[arg(long, value_enum, value_name = "WHAT")]
    fail_on: Option<FailOnClear>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOnClear {
    Clear,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOnMissed {
    Missed,
}

#[derive(Debug, Args)]
struct DrillArgs {
    /// Whose clicks are lost, such as age_group=45-54
    #[arg(long, value_name = "COLUMN=VALUE", requires_all = ["drop", "from"], value_parser = written::segment)]
    segment: Option<Segment>,
    /// How many of them, such as 40%
    #[arg(long, value_name = "SHARE", requires = "segment", value_parser = written::percent)]
    drop: Option<f64>,
    /// The first day of it, on the shop's clock
    #[arg(long, value_name = "DAY", requires = "segment", value_parser = written::day)]
    from: Option<NaiveDate>,
    /// End with exit code 1 when a drill of params.yaml is not noticed in time; reports are written all the same
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "segment")]
    fail_on: Option<FailOnMissed>,
}

#[derive(Debug, Args)]
struct TrackArgs {
    /// Send the runs that no server has taken yet, instead of the present one
    #[arg(long)]
    pending: bool,
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// What each view reads and is known by, too
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// A commit, branch or tag
    #[arg(long, value_name = "REV")]
    from: String,
}

#[derive(Debug, Args)]
struct LineageArgs {
    /// A feature view or one of its columns; without it, every view
    #[arg(value_name = "VIEW[.COLUMN]")]
    of: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    format: GraphFormat,
}

#[derive(Debug, Args)]
struct WhyArgs {
    /// A column of a feature view
    #[arg(value_name = "VIEW.COLUMN")]
    of: String,
    /// The row: each column of the view's key, such as customer_id=… as_of=…; any moment will do, UTC
    #[arg(value_name = "KEY=VALUE", required = true)]
    key: Vec<String>,
}

#[derive(Debug, Args)]
struct SqlArgs {
    /// The query
    #[arg(conflicts_with = "file")]
    query: Option<String>,
    /// Read the query from a file; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> Result<Outcome> {
        let command = match self.command {
            Command::New(args) => return new::run(&args).map(|()| Outcome::Done),
            command => command,
        };
        let mut project = flow::open(self.root.as_deref())?;
        if let Some(partitions) = self.partitions {
            project.params.engine.partitions = usize::from(partitions);
        }
        match (&command, project.refuse_unused()) {
            (_, Ok(())) => {}
            // What only looks still answers.
            (Command::Sql(_) | Command::Plan(_) | Command::Lint(_) | Command::Check(_), Err(unused)) => {
                Progress::start("params").say(unused.to_string().trim_start_matches("error: "));
            }
            (_, Err(unused)) => return Err(unused),
        }
        let lock = command.writes().map(|name| Lock::take(&project.paths, name)).transpose()?;
        if lock.is_some() {
            Staged::clear_up(&project.paths)?;
        }
        match command {
            // Needs no project, and has been run.
            Command::New(_) => Ok(Outcome::Done),
            Command::Check(args) => check::run(&project, args.strict).map(|()| Outcome::Done),
            Command::Who(args) => who::run(&project, &args.pseudonym).map(|()| Outcome::Done),
            Command::Run(args) => {
                flow::run(&project, &args.stages)?;
                match project.params.tracking.uri {
                    Some(_) if args.stages.is_empty() => tracking::run(&project),
                    _ => Ok(Outcome::Done),
                }
            }
            Command::Stage(PlainStage(stage)) => flow::run_stage(&project, stage).map(|()| Outcome::Done),
            Command::Recommend(args) => {
                lint::refuse_broken(&project, recommend::STAGE.layers)?;
                let as_of = args.as_of.map(|text| monitor::moment(&text, &project.params.shop)).transpose()?;
                recommend::run(&project, as_of).map(|()| Outcome::Done)
            }
            Command::WhyNot(args) => {
                let as_of = args.as_of.map(|text| monitor::moment(&text, &project.params.shop)).transpose()?;
                recommend::why_not(&project, &args.customer, &args.article, as_of).map(|()| Outcome::Done)
            }
            Command::Monitor(args) => {
                let as_of = args.as_of.map(|text| monitor::moment(&text, &project.params.shop)).transpose()?;
                let outcome = monitor::run(&project, as_of)?;
                if let Some(FailOnClear::Clear) = args.fail_on {
                    outcome.refuse_clear()?;
                }
                Ok(Outcome::Done)
            }
            Command::Drill(args) => run_drill(&project, args).map(|()| Outcome::Done),
            Command::Track(args) if args.pending => tracking::send_pending(&project),
            Command::Track(_) => tracking::run(&project),
            Command::Audit => audit::run(&project),
            Command::Lint(args) => lint::run(&project, &args.files).map(|()| Outcome::Done),
            Command::Test(args) => match args.record.split_first() {
                Some((view, key)) => cases::record(&project, view, key).map(|()| Outcome::Done),
                None => {
                    cases::run(&project, &args.views)?;
                    proof::run(&project, &args.views)?;
                    // Whoever names views asks about those.
                    if args.views.is_empty() {
                        fits::run(&project)?;
                    }
                    Ok(Outcome::Done)
                }
            },
            Command::Plan(args) => plan::print(&project, args.verbose),
            Command::Diff(args) => changes::run(&project, &args.from).map(|()| Outcome::Done),
            Command::Lineage(args) => lineage::print(&project, args.of.as_deref(), args.format).map(|()| Outcome::Done),
            Command::Why(args) => why::print(&project, &args.of, &args.key).map(|()| Outcome::Done),
            Command::Serve(args) => serving::serve(&project, args).map(|()| Outcome::Done),
            Command::Release(command) => serving::release(&project, command).map(|()| Outcome::Done),
            Command::Compare(args) => serving::compare(&project, &args).map(|()| Outcome::Done),
            Command::Replay(args) => serving::replay(&project, &args).map(|()| Outcome::Done),
            Command::Key(args) => serving::key(&project, args).map(|()| Outcome::Done),
            Command::Sql(args) => {
                let question = match (args.query, args.file) {
                    (Some(query), _) => Question::Text(query),
                    (None, Some(file)) => Question::File(file),
                    (None, None) => Question::WhichTables,
                };
                explore::answer(&project, &question, args.format).map(|()| Outcome::Done)
            }
        }
    }
}

fn run_drill(project: &Project, args: DrillArgs) -> Result<()> {
    if let (Some(segment), Some(drop), Some(from)) = (args.segment, args.drop, args.from) {
        return drill::one(project, &Shift { segment, drop, from });
    }
    let missed = drill::run(project)?;
    match args.fail_on {
        Some(FailOnMissed::Missed) => drill::refuse_missed(missed),
        None => Ok(()),
    }
}
