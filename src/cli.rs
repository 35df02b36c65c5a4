//! The command line: one subcommand per stage, `run` for all, `sql` for questions.

mod args;
mod writes;

use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::args::{
    CheckArgs, CompletionsArgs, DiffArgs, DrillArgs, FailOnClear, FailOnMissed, LineageArgs, LintArgs, MonitorArgs,
    PlanArgs, RecommendArgs, RunArgs, Select, SqlArgs, TestArgs, TrackArgs, WhoArgs, WhyArgs, WhyNotArgs,
};
use crate::explore::Question;
use crate::flow::{self, FLOW};
use crate::lock::Lock;
use crate::serving::{self, CompareArgs, KeyArgs, ReleaseCommand, ReplayArgs, ServeArgs};
use crate::stage::Stage;
use crate::{
    audit, cases, changes, check, drill, explore, features, fits, lineage, lint, monitor, new, plan, proof, recommend,
    tracking, who, why,
};
use selvedge_engine::Staged;
use selvedge_project::error::{Outcome, Result};
use selvedge_project::params::Shift;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::Selection;

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
    #[command(about = features::STAGE.about)]
    Features(Select),
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
    /// What a shell completes after `selvedge`, as its own script: `source <(selvedge completions bash)`
    Completions(CompletionsArgs),
}

/// A stage that takes no arguments of its own: each of the flow is a subcommand by its row alone.
#[derive(Debug, Clone, Copy)]
struct PlainStage(&'static Stage);

impl PlainStage {
    fn all() -> impl Iterator<Item = &'static Stage> {
        let with_arguments = [features::STAGE.name, recommend::STAGE.name, monitor::STAGE.name, drill::STAGE.name];
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

impl Cli {
    /// Runs the command.
    pub fn run(self) -> Result<Outcome> {
        let command = match self.command {
            Command::New(args) => return new::run(&args).map(|()| Outcome::Done),
            Command::Completions(args) => {
                let mut script = Vec::new();
                clap_complete::generate(args.shell, &mut Self::command(), "selvedge", &mut script);
                return explore::write_out(&script).map(|()| Outcome::Done);
            }
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
            // Need no project, and have been run.
            Command::New(_) | Command::Completions(_) => Ok(Outcome::Done),
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
            Command::Features(tables) => {
                lint::refuse_broken(&project, features::STAGE.layers)?;
                features::run_selected(&project, &tables.of(&project)?).map(|()| Outcome::Done)
            }
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
                    let selects = !args.tables.select.is_empty() || args.views.iter().any(|name| name.contains('+'));
                    let written = [args.views, args.tables.select].concat();
                    let views = match selects {
                        false => written,
                        true => Selection::of(&project.library, &written)?.views(&project.library, &written)?,
                    };
                    cases::run(&project, &views)?;
                    proof::run(&project, &views)?;
                    // Whoever names views asks about those.
                    if views.is_empty() {
                        fits::run(&project)?;
                    }
                    Ok(Outcome::Done)
                }
            },
            Command::Plan(args) => plan::print(&project, args.verbose, &args.tables.of(&project)?),
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
