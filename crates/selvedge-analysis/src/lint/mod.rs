//! `selvedge lint`: what in a query would see the future or change from run to run, found in its plan, not in its text.
//!
//! `-- lint: allow <rule> because <reason>` on the line of a finding, or right above it, is the only way out.

mod place;
mod rule;
mod shapes;
mod stability;
mod time;

use std::collections::BTreeSet;

pub use self::rule::Rule;

use self::place::Words;
use selvedge_engine::Engine;
use selvedge_project::error::{Advice, Error, Result, did_you_mean};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile};

/// Something in a query that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub file: String,
    /// Its line; the first is 1.
    pub line: u64,
    pub rule: Rule,
    /// What was found there, such as `sum in floats`.
    pub what: String,
    /// How to write it instead, where that follows from the tables at hand.
    pub instead: Option<String>,
}

impl Finding {
    pub fn instead(&self) -> &str {
        self.instead.as_deref().unwrap_or_else(|| self.rule.instead())
    }
}

/// A finding that its file allows, with the reason given there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowed {
    pub finding: Finding,
    pub reason: String,
}

/// What was found in the files that were looked at.
#[derive(Debug, Default)]
pub struct Report {
    pub files: usize,
    pub findings: Vec<Finding>,
    pub allowed: Vec<Allowed>,
    /// Files that could not be looked at, with the reason.
    pub unseen: Vec<(String, String)>,
}

/// A finding before its file is known.
struct Found {
    rule: Rule,
    line: Option<u64>,
    what: String,
    instead: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LintError {
    #[error("{file} is no file of sql/")]
    UnknownFile { file: String, known: Vec<String> },
    #[error("{place}: {rule}: {what}: {why}{}", and_more(*.others))]
    Found { place: String, rule: &'static str, what: String, why: &'static str, instead: String, others: usize },
}

fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more)") }
}

impl Advice for LintError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::UnknownFile { file, known } => {
                let fallback = "name a file such as sql/features/visit.sql";
                did_you_mean(file, known.iter().map(String::as_str), fallback)
            }
            Self::Found { instead, .. } => instead.clone(),
        })
    }
}

impl Report {
    /// Looks at every file that `wanted` wants; needs no stage to have run for the layers up to labels.
    pub fn of(project: &Project, wanted: impl Fn(&SqlFile) -> bool) -> Result<Self> {
        let engine = Engine::new(project)?;
        let mut report = Self::default();
        let left = shapes::plans(project, &engine, wanted, |file, plan| {
            let words = Words::of(file.text());
            let mut found = stability::findings(plan, &words);
            if file.layer == Layer::FEATURES {
                found.extend(time::findings(project, plan, &words));
            }
            report.files += 1;
            report.judge(file, found, &words);
        })?;
        report.unseen = left.unseen;
        together(left.broken)?;
        report.findings.sort();
        report.allowed.sort();
        Ok(report)
    }

    /// Takes what a file's comments allow out of its findings.
    fn judge(&mut self, file: &SqlFile, found: Vec<Found>, words: &Words) {
        let shown = &file.shown;
        let as_finding = |rule, line, what, instead| Finding { file: shown.clone(), line, rule, what, instead };
        let allows = words.allows();
        let mut used = BTreeSet::new();
        // A WITH table that is read twice is planned twice.
        let found: BTreeSet<Finding> = found
            .into_iter()
            .map(|found| as_finding(found.rule, found.line.unwrap_or(1), found.what, found.instead))
            .collect();
        for finding in found {
            let allow = allows.iter().position(|allow| {
                allow.rule == Some(finding.rule) && !allow.reason.is_empty() && allow.target == finding.line
            });
            match allow.and_then(|place| Some((place, allows.get(place)?))) {
                Some((place, allow)) => {
                    used.insert(place);
                    self.allowed.push(Allowed { finding, reason: allow.reason.clone() });
                }
                None => self.findings.push(finding),
            }
        }
        for (_, allow) in allows.iter().enumerate().filter(|(place, _)| !used.contains(place)) {
            let rule = match (allow.rule, allow.reason.is_empty()) {
                (None, _) => Rule::AllowOfNoRule,
                (Some(_), true) => Rule::AllowWithoutReason,
                (Some(_), false) => Rule::AllowWithoutUse,
            };
            self.findings.push(as_finding(rule, allow.line, allow.id.clone(), None));
        }
    }

    /// Says every finding, and every one that is allowed.
    pub fn say(&self, progress: &Progress) {
        for finding in &self.findings {
            let Finding { file, line, rule, what, .. } = finding;
            progress.say(format!("{file}:{line}: {}: {what}", rule.id()));
            progress.say(format!("  why: {}", rule.why()));
            progress.say(format!("  instead: {}", finding.instead()));
        }
        self.say_allowed(progress);
        if let Some((_, cause)) = self.unseen.first() {
            let files: Vec<&str> = self.unseen.iter().map(|(file, _)| file.as_str()).collect();
            progress.say(format!(
                "not looked at, because they read what a stage makes while it runs ({cause}): {}",
                files.join(", ")
            ));
        }
    }

    /// Says what comments allow.
    pub fn say_allowed(&self, progress: &Progress) {
        for Allowed { finding: Finding { file, line, rule, what, .. }, reason } in &self.allowed {
            progress.say(format!("{file}:{line}: allowed: {}: {what}, because {reason}", rule.id()));
        }
    }

    /// The first finding as an error, if there is one.
    pub fn refuse(&self) -> Result<()> {
        let Some(first) = self.findings.first() else { return Ok(()) };
        let (rule, place) = (first.rule, format!("{}:{}", first.file, first.line));
        Err(LintError::Found {
            place,
            rule: rule.id(),
            what: first.what.clone(),
            why: rule.why(),
            instead: first.instead().to_owned(),
            others: self.findings.len() - 1,
        }
        .into())
    }
}

fn together(broken: Vec<Error>) -> Result<()> {
    Error::together(broken, |count| format!("{count} files of sql/ cannot be planned"))
}

/// Refuses files of these layers that cannot be planned, before anything is computed; files that read more than what follows
/// from SQL are looked at when that is made.
///
/// # Errors
/// Every file that names what is not there.
pub fn refuse_broken(project: &Project, layers: &[Layer]) -> Result<()> {
    let follow = shapes::from_sql(project.library.layers());
    let wanted = |file: &SqlFile| layers.contains(&file.layer) && follow.contains(file.layer.folder);
    if !project.library.files().any(wanted) {
        return Ok(());
    }
    let engine = Engine::new(project)?;
    let left = shapes::plans(project, &engine, wanted, |_, _| {})?;
    together(left.broken)
}

/// The rules, for `--help`.
pub fn rules_in_words() -> String {
    let rule = |rule: &Rule| format!("  {:<23} {}\n  {:<23} instead: {}\n", rule.id(), rule.why(), "", rule.instead());
    let rules: String = Rule::ALL.iter().map(rule).collect();
    format!(
        "The rules:\n{rules}\nThe only way out is a comment on the line or right above it:\n  -- lint: allow <rule> because <reason>"
    )
}

/// Looks at the named files, or at all, and says what was found.
///
/// # Errors
/// There is a finding that its file does not allow.
pub fn run(project: &Project, files: &[String]) -> Result<()> {
    let progress = Progress::start("lint");
    for name in files {
        if !project.library.files().any(|file| file.shown == *name) {
            let known = project.library.files().map(|file| file.shown.clone()).collect();
            return Err(LintError::UnknownFile { file: name.clone(), known }.into());
        }
    }
    let report = Report::of(project, |file| files.is_empty() || files.contains(&file.shown))?;
    report.say(&progress);
    report.refuse()?;
    progress.done(format!("{} files, nothing found, {} allowed", report.files, report.allowed.len()));
    Ok(())
}
