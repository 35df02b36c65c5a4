//! `selvedge new`: a project for somebody's CSVs, with the queries that read them.

mod columns;
mod params;
mod sources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::columns::{ROLES, Sample};
use self::sources::Sources;
use selvedge_project::error::{Advice, Error, Result, did_you_mean};
use selvedge_project::progress::Progress;

/// The SQL files of the product, by their path in a project; those that read one export are left out.
const PACK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// What is asked for.
#[derive(Debug, Clone, Args)]
pub struct Request {
    /// The new project's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The files (.csv, .csv.gz or .parquet): order lines, and, where there are any, customers and articles
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// What a column of the order lines is: customer, article, time, order, pieces, price, name, kind, rating or region
    /// [default: as it is called]
    #[arg(long = "column", value_name = "WHAT=COLUMN", value_parser = pair)]
    columns: Vec<(String, String)>,
    /// Whose behaviour may be used, where no column of the customers says it
    #[arg(long, value_name = "WHOSE", value_parser = ["not_asked", "nobody"])]
    consent: Option<String>,
    /// When the export was taken, on the shop's clock, such as '2031-01-01 00:00:00' [default: the last event in it]
    #[arg(long, value_name = "TIME")]
    exported_at: Option<String>,
    /// The shop's clock, an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// What prices are in
    #[arg(long, value_name = "CODE", default_value = "EUR")]
    currency: String,
    /// How days such as 03/04/2031 are meant [default: as the file tells]
    #[arg(long, value_enum, value_name = "ORDER")]
    days: Option<Days>,
    /// The sentence model's folder, to compare descriptions with [default: descriptions are not compared]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

/// Which comes first in a day such as 03/04/2031.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Days {
    MonthFirst,
    DayFirst,
}

/// `what=column`.
fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (what, column) = text.split_once('=').ok_or("write what=column, such as customer=CustomerID")?;
    Ok((what.to_owned(), column.to_owned()))
}

#[derive(Debug, thiserror::Error)]
pub enum NewError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: String },
    #[error("{} is there already, and not empty", folder.display())]
    NotEmpty { folder: PathBuf },
    #[error("{file}: no column that says {role}")]
    NoColumn { file: String, role: &'static str, headers: Vec<String> },
    #[error("'{role}' is nothing that an order line says")]
    UnknownRole { role: String },
    #[error("{file} has no column '{column}'")]
    UnknownColumn { file: String, column: String, headers: Vec<String> },
    #[error("{file}: in {column}, month and day could stand for each other in every row")]
    UnclearDays { file: String, column: String },
    #[error("when the export was taken cannot be read off the times in it")]
    NoMoment,
    #[error("nothing says whose behaviour may be used")]
    NoConsent,
    #[error("{file} holds neither order lines nor customers nor articles: {} are its columns", headers.join(", "))]
    Unknown { file: String, headers: Vec<String> },
    #[error("{file} cannot be written: {cause}")]
    Unwritable { file: String, cause: std::io::Error },
}

impl Advice for NewError {
    fn advice(&self) -> Option<String> {
        let roles = || ROLES.map(|(role, _)| role).join(", ");
        Some(match self {
            Self::Unreadable { .. } => "name a CSV with a header line".into(),
            Self::NotEmpty { .. } => "name a folder that is not there yet".into(),
            Self::NoColumn { role, headers, .. } => format!("add --column {role}=… with one of {}", headers.join(", ")),
            Self::UnknownRole { role } => {
                let all = ROLES.iter().map(|(role, _)| *role).chain(["rating"]);
                did_you_mean(role, all, &format!("name one of {}, rating", roles()))
            }
            Self::UnknownColumn { column, headers, .. } => {
                let fallback = format!("its columns are {}", headers.join(", "));
                did_you_mean(column, headers.iter().map(String::as_str), &fallback)
            }
            Self::UnclearDays { .. } => "add --days month-first or --days day-first".into(),
            Self::NoMoment => "add --exported-at '2031-01-01 00:00:00'".into(),
            Self::NoConsent => "add --consent not_asked (everybody's may be), --consent nobody, or a CSV of customers with a column consent".into(),
            Self::Unknown { .. } => "rename its columns, or write sql/sources/<name>.sql for it by hand".into(),
            Self::Unwritable { .. } => return None,
        })
    }
}

/// Makes the project.
pub fn run(request: &Request) -> Result<()> {
    let progress = Progress::start("new");
    let folder = &request.folder;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(NewError::NotEmpty { folder: folder.clone() }.into());
    }
    let mut samples = Vec::new();
    for path in &request.from {
        samples.push(Sample::read(path)?);
    }
    let sources = Sources::of(request, samples)?;
    let write = |file: &str, text: &str| -> Result<()> {
        let path = folder.join(file);
        let failed = |cause| Error::from(NewError::Unwritable { file: path.display().to_string(), cause });
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
        std::fs::write(&path, text).map_err(failed)
    };
    PACK.iter().try_for_each(|(file, text)| write(file, text))?;
    sources.files.iter().try_for_each(|(file, text)| write(file, text))?;
    for path in &request.from {
        let target = folder.join("materials").join(path.file_name().unwrap_or_default());
        let failed = |cause| NewError::Unwritable { file: target.display().to_string(), cause };
        std::fs::create_dir_all(folder.join("materials")).map_err(failed)?;
        std::fs::copy(path, &target).map_err(failed)?;
    }
    write("params.yaml", &params::text(request, &sources)?)?;
    write("dvc.yaml", include_str!("dvc.yaml"))?;
    write(".gitignore", include_str!("gitignore"))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let files: Vec<String> = request.from.iter().map(|path| format!("`{}`", shown(path))).collect();
    let guessed: String = sources.guessed.iter().map(|line| format!("- {line}\n")).collect();
    let words = [("name", name.into_owned()), ("files", files.join(", ")), ("guessed", guessed.trim_end().to_owned())];
    write("README.md", &filled(include_str!("readme.md"), &words))?;
    selvedge_project::pseudonyms::make_key(&folder.join(selvedge_project::pseudonyms::KEY_FILE))?;
    sources.guessed.iter().for_each(|line| progress.say(line));
    progress.done(format!(
        "{} is a project: go there, `selvedge check`, then `selvedge run`; README.md says more",
        folder.display()
    ));
    Ok(())
}

/// A template with its `{{words}}` filled in.
fn filled(template: &str, words: &[(&str, String)]) -> String {
    let known: BTreeMap<String, &String> = words.iter().map(|(name, text)| (format!("{{{{{name}}}}}"), text)).collect();
    let mut out = template.to_owned();
    for (name, text) in known {
        out = out.replace(&name, text);
    }
    out
}

/// The file of a path, for people.
fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
