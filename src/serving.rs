//! `selvedge serve`, `release`, `replay` and `key`: what the command line asks of the server's crate.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use selvedge_serving::compare;
use selvedge_serving::keys::{Keys, Right};
use selvedge_serving::release::{self, Release, State, roll_back};
use selvedge_serving::server::{self, Options};
use selvedge_serving::state::Clock;
use selvedge_serving::{replay, skew};

use crate::error::{Advice, Result};
use crate::flow;
use crate::project::Project;
use selvedge_project::params::written;
use selvedge_project::progress::{Progress, answer};

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; an address of other machines too needs keys
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8088")]
    address: SocketAddr,
    /// Serve the page for people at /, by a clock that starts at the export; and release what `dvc repro` left where nothing is
    /// released yet
    #[arg(long)]
    playground: bool,
    /// By a clock that starts at the export, or at the last event, and runs on from there: to try a day on an old export
    #[arg(long)]
    from_export: bool,
    /// A certificate (PEM), for https
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Write each request down as a line of JSON: when, how, the pattern of its path, status, seconds; - is standard output
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// A shop whose pages may ask from a browser, such as https://shop.example; may be given again
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

/// What to do with releases.
#[derive(Debug, Subcommand)]
pub enum ReleaseCommand {
    /// Seal what `dvc repro` left -> work/releases/<hash>
    Build,
    /// The releases there are, and which does what
    List,
    /// Make a release the one that serves, once the gates of sql/gates let it; at once, for every request that comes after
    Promote {
        /// Its hash, or the beginning of it
        hash: String,
        /// Why it may serve although a gate keeps it back; it is written down
        #[arg(long, value_name = "WHY", default_value = "")]
        because: String,
    },
    /// Let a share of the customers be served by a release, always the same ones
    Canary {
        hash: String,
        /// Such as 10%
        #[arg(value_parser = written::percent)]
        share: f64,
    },
    /// Let a release answer too, for the log alone
    Shadow { hash: String },
    /// Take the canary back where there is one, else the release that serves
    Rollback {
        #[arg(long, value_name = "WHY", default_value = "")]
        because: String,
    },
    /// The files that differ between two releases
    Diff { a: String, b: String },
}

/// What to make again.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The `request` of a list
    #[arg(required_unless_present = "day")]
    request: Option<String>,
    /// The features of all answers of a day, on the shop's clock: as they were made then, and by the flow for all at once
    #[arg(long, value_name = "DAY", conflicts_with = "request")]
    day: Option<NaiveDate>,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "{columns} of {of} features of that day's answers come out another way; the first: {first}, in {differ} of {rows} rows"
)]
struct SkewError {
    columns: usize,
    of: usize,
    first: String,
    differ: usize,
    rows: usize,
}

impl Advice for SkewError {
    fn advice(&self) -> Option<String> {
        Some("a view that reads what others did says so in `everybody`; otherwise this is a fault of the program, please report it".into())
    }
}

/// Which releases to compare.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Its hash, or the beginning of it
    a: String,
    b: String,
    /// For so many customers at most
    #[arg(long, value_name = "CUSTOMERS", default_value_t = 500)]
    customers: usize,
}

/// What a key is to allow.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// Lists and reasons (read), events (write), releases (operate)
    #[arg(value_enum, required = true)]
    rights: Vec<Word>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    Read,
    Write,
    Operate,
}

impl From<Word> for Right {
    fn from(word: Word) -> Self {
        match word {
            Word::Read => Self::Read,
            Word::Write => Self::Write,
            Word::Operate => Self::Operate,
        }
    }
}

/// Serves until it is told to stop.
pub fn serve(project: &Project, args: ServeArgs) -> Result<()> {
    if args.playground && State::read(project)?.serving.is_none() {
        let release = release::build(project)?;
        release.promote(project, "the playground's first release")?;
    }
    let tls = args.certificate.zip(args.key);
    let clock = if args.playground || args.from_export { Clock::FromExport } else { Clock::Now };
    let ServeArgs { address, playground, access_log, origins, .. } = args;
    let options = Options { address, playground, clock, tls, access_log, origins, most_files: most_files() };
    server::run(project, |root| flow::open(Some(root)), &options)
}

/// Has the system let this process open as many files and connections as it ever does, and says how many; none where it does not
/// say.
fn most_files() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls read or write this one value, which outlives them.
    let told = unsafe {
        let told = libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0;
        if told && limit.rlim_cur < limit.rlim_max {
            let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
            if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) == 0 {
                limit = raised;
            }
        }
        told
    };
    told.then_some(limit.rlim_cur)
}

/// Does what is to be done with releases.
pub fn release(project: &Project, command: ReleaseCommand) -> Result<()> {
    let progress = Progress::start("release");
    let state = State::read(project)?;
    match command {
        ReleaseCommand::Build => {
            let release = release::build(project)?;
            say(&release.hash);
        }
        ReleaseCommand::List => {
            for release in release::list(project)? {
                let does = what(&state, &release.hash);
                say(&format!(
                    "{}  export of {}  ranking {}{does}",
                    release.hash, release.manifest.exported_at, release.manifest.ranking
                ));
            }
        }
        ReleaseCommand::Promote { hash, because } => {
            let release = Release::find(project, &hash)?;
            release.promote(project, &because)?;
            progress.done(format!("{} serves", release.hash));
        }
        ReleaseCommand::Canary { hash, share } => {
            let release = Release::find(project, &hash)?;
            release.canary(project, share, "")?;
            progress.done(format!("{} serves {:.0}% of the customers", release.hash, 100.0 * share));
        }
        ReleaseCommand::Shadow { hash } => {
            let release = Release::find(project, &hash)?;
            release.shadow(project, "")?;
            progress.done(format!("{} answers unseen", release.hash));
        }
        ReleaseCommand::Rollback { because } => {
            let back = roll_back(project, None, &because)?;
            progress.done(format!("{} serves", back.serving.unwrap_or_default()));
        }
        ReleaseCommand::Diff { a, b } => {
            for (file, what) in Release::find(project, &a)?.diff(&Release::find(project, &b)?) {
                say(&format!("{what}  {file}"));
            }
        }
    }
    Ok(())
}

/// What a release does.
fn what(state: &State, hash: &str) -> String {
    let canary = state.canary.as_ref().filter(|canary| canary.release == hash);
    let parts = [
        (state.serving.as_deref() == Some(hash)).then(|| "  serves".to_owned()),
        canary.map(|canary| format!("  canary for {:.0}%", 100.0 * canary.share)),
        (state.shadow.as_deref() == Some(hash)).then(|| "  shadow".to_owned()),
    ];
    parts.into_iter().flatten().collect()
}

/// Makes an answer, or a day's features, again; they must be the same.
pub fn replay(project: &Project, args: &ReplayArgs) -> Result<()> {
    if let Some(day) = args.day {
        return replay_day(project, day);
    }
    let request = args.request.as_deref().unwrap_or_default();
    let answered = replay::replay(project, |root| flow::open(Some(root)), request)?;
    for article in &answered.articles {
        say(&format!("{:>3}  {} ({})  {}", article.place, article.product_id, article.season, article.reason));
    }
    Progress::start("replay").done(format!(
        "{}: customer {}, release {}: the same, bit for bit",
        answered.id, answered.customer_id, answered.release
    ));
    Ok(())
}

fn replay_day(project: &Project, day: NaiveDate) -> Result<()> {
    let progress = Progress::start("replay");
    let skew = skew::day(project, |root| flow::open(Some(root)), day)?;
    let differ: Vec<_> = skew.columns.iter().filter(|column| column.differ > 0).collect();
    for column in &differ {
        say(&format!("{}: {} of {} rows differ", column.name, column.differ, column.rows));
    }
    if skew.late > 0 {
        progress.say(format!(
            "{} answers are left out: their customers had done something of which the server heard later",
            skew.late
        ));
    }
    if let Some(first) = differ.first() {
        let (columns, of, name) = (differ.len(), skew.columns.len(), first.name.clone());
        return Err(SkewError { columns, of, first: name, differ: first.differ, rows: first.rows }.into());
    }
    let rows = skew.columns.first().map_or(0, |column| column.rows);
    progress.done(format!(
        "{} answers of {day}, {rows} rows of {} features: the same, bit for bit",
        skew.requests,
        skew.columns.len()
    ));
    Ok(())
}

/// Says how two releases differ.
pub fn compare(project: &Project, args: &CompareArgs) -> Result<()> {
    let names = [args.a.as_str(), args.b.as_str()];
    let found = compare::compare(project, |root| flow::open(Some(root)), names, args.customers)?;
    say(found.to_string().trim_end());
    Ok(())
}

/// Makes a key, and shows it this once.
pub fn key(project: &Project, args: KeyArgs) -> Result<()> {
    let rights: Vec<Right> = args.rights.into_iter().map(Right::from).collect();
    say(&Keys::make(project.paths.root(), &rights)?);
    Progress::start("key").done("the key is shown this once; only its hash is kept");
    Ok(())
}

fn say(line: &str) {
    // Whoever reads has gone away, when it cannot be printed.
    let _ = answer(format!("{line}\n").as_bytes());
}
