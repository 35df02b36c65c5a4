//! What an export must, should and may have: `sql/contract/<source>.sql`.
//!
//! The file says it of each column, and its query gives what stands for a column that a source does not return: it reads
//! `mapped`, which is that source's own query, and of what it adds only those columns are taken that are not there.  So the
//! other SQL files find every column in any shop, and what is missing is told once, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use serde::Deserialize;
use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, TableAlias, TableFactor, Value, VisitMut,
    VisitorMut,
};

use super::file::parse_query;
use super::header::read_header;
use super::{Encoding, Header, Layer, SourceHeader, SqlFile};
use crate::error::{Advice, Error, Result, did_you_mean};

/// The folder under `sql/`.
pub const FOLDER: &str = "contract";
/// What a contract's query calls the source's own.
const MAPPED: &str = "mapped";

/// How much a shop's pages need something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    Must,
    Should,
    May,
}

impl Need {
    /// The word a reader sees.
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        }
    }
}

/// One column, or one kind of row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub need: Need,
    /// Other names under which a source may return it.
    #[serde(default)]
    pub also: Vec<String>,
    /// Given by all sources that have it in their contract, or by none: rows find each other by it.
    #[serde(default)]
    pub shared: bool,
    /// What it is, where its name does not say it.
    #[serde(default)]
    pub meaning: String,
    /// What is left out, or done instead, where it is not there.
    #[serde(default)]
    pub without: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractHeader {
    description: String,
    key: Vec<String>,
    known_from: Option<String>,
    consent: Option<String>,
    #[serde(default)]
    outcomes: bool,
    /// What is left out where there is no such source at all; without it, a shop must have one.
    without: Option<String>,
    columns: BTreeMap<String, Term>,
    /// Numbers of params.yaml, section ingest, that one shop's source needs and another's does not.
    #[serde(default)]
    keys: Vec<String>,
    /// Values of `event_type`.
    #[serde(default)]
    kinds: BTreeMap<String, Term>,
}

/// The contract of one source.
#[derive(Debug, Clone)]
pub struct Contract {
    name: String,
    shown: String,
    header: ContractHeader,
    query: Box<Query>,
}

/// One line of what a shop has of the contract.
#[derive(Debug, Clone)]
pub struct Clause {
    pub source: String,
    /// A column; none for the source as a whole.
    pub column: Option<String>,
    pub term: Term,
    /// What the source calls it; none where it has no such column.
    pub given: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("sql/sources/{source_name}.sql is not there, and every shop must have it: {description}")]
    NoSource { source_name: String, description: String },
    #[error("{file} does not return {column}, which every shop must have{meaning}")]
    NoColumn { file: String, column: String, meaning: String, returned: Vec<String> },
    #[error("{file} does not say which columns it returns")]
    Unnamed { file: String },
    #[error("{file} does not return {column}, and {other} does")]
    NotShared { file: String, column: String, other: String },
}

impl Advice for ContractError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoSource { source_name, .. } => {
                format!(
                    "write sql/sources/{source_name}.sql (`selvedge new` writes one), or take it from the order lines with derived: true"
                )
            }
            Self::NoColumn { column, returned, .. } => {
                let fallback = format!("write `… AS {column}` in its SELECT");
                did_you_mean(column, returned.iter().map(String::as_str), &fallback)
            }
            Self::Unnamed { .. } => "name the columns in its SELECT instead of *".into(),
            Self::NotShared { column, .. } => {
                format!("return {column} there too, or nowhere: rows find each other by it")
            }
        })
    }
}

impl Contract {
    /// Reads one file of `sql/contract`.
    pub fn load(path: &Path, shown: String) -> Result<Self> {
        let text = super::file::read(path, &shown)?;
        let header = read_header(&text, &shown)?;
        let query = parse_query(&text, &shown)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, shown, header, query })
    }

    /// The source as the other files read it, and what it has of the contract; a source that is not there has no rows.
    fn completed(&self, source: Option<SqlFile>) -> Result<(SqlFile, Vec<Clause>)> {
        let Some(file) = source else {
            let without = self.header.without.clone().ok_or_else(|| ContractError::NoSource {
                source_name: self.name.clone(),
                description: self.header.description.clone(),
            })?;
            let whole = Term {
                need: Need::May,
                also: Vec::new(),
                shared: false,
                meaning: self.header.description.clone(),
                without,
            };
            let clause = Clause { source: self.name.clone(), column: None, term: whole, given: None };
            let raw = [Ident::new("raw"), Ident::new(&self.name)].map(ObjectNamePart::Identifier).to_vec();
            let query = self.around(&BTreeMap::new(), Mapped::Table(ObjectName(raw)));
            let file = SqlFile::made_up(self.shown.clone(), Layer::SOURCES, Header::Source(self.nothing()), query);
            return Ok((file, vec![clause]));
        };
        let returned = file.returns().ok_or_else(|| ContractError::Unnamed { file: file.shown.clone() })?;
        let mut given: BTreeMap<String, String> = returned.iter().map(|name| (name.clone(), name.clone())).collect();
        let (mut clauses, mut missing) = (Vec::new(), Vec::new());
        for (column, term) in &self.header.columns {
            let names = std::iter::once(column).chain(&term.also);
            let found = names.into_iter().find(|name| returned.contains(name)).cloned();
            match &found {
                Some(found) => drop(given.insert(column.clone(), found.clone())),
                None if term.need == Need::Must => {
                    let meaning = if term.meaning.is_empty() { String::new() } else { format!(": {}", term.meaning) };
                    let (file, column, returned) = (file.shown.clone(), column.clone(), returned.clone());
                    missing.push(ContractError::NoColumn { file, column, meaning, returned }.into());
                }
                None => {}
            }
            let (source, column) = (self.name.clone(), Some(column.clone()));
            clauses.push(Clause { source, column, term: term.clone(), given: found });
        }
        Error::together(missing, |count| format!("{count} columns that every shop must have are missing"))?;
        let mut completed = file;
        if let Header::Source(header) = &mut completed.header {
            // Of a key that the contract makes longer, the rest is the same for all rows.
            if header.key.iter().all(|column| self.header.key.contains(column)) {
                header.key.clone_from(&self.header.key);
            }
            header.consent = header.consent.take().or_else(|| self.header.consent.clone());
            header.outcomes |= self.header.outcomes;
        }
        let complete = added(&self.query).iter().all(|column| given.get(column).is_some_and(|name| name == column));
        if !complete {
            completed = completed.within(|own| self.around(&given, Mapped::Query(own)));
        }
        Ok((completed, clauses))
    }

    /// The contract's query over `mapped`; of the columns it adds, those that are `given` are left out or renamed.
    fn around(&self, given: &BTreeMap<String, String>, mapped: Mapped) -> Box<Query> {
        let mut query = self.query.clone();
        let _: ControlFlow<()> = query.visit(&mut Fill { given, mapped: Some(mapped) });
        query
    }

    /// The header of a source that a shop does not have.
    fn nothing(&self) -> SourceHeader {
        SourceHeader {
            name: self.name.clone(),
            file: String::new(),
            derived: false,
            may_be_empty: true,
            encoding: Encoding::Utf8,
            description: self.header.description.clone(),
            key: self.header.key.clone(),
            known_from: self.header.known_from.clone(),
            consent: self.header.consent.clone(),
            columns: BTreeMap::new(),
            outcomes: self.header.outcomes,
            kinds: Vec::new(),
            set_aside: BTreeMap::new(),
            surprises: BTreeMap::new(),
        }
    }
}

/// What a project's sources have of the contract.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub clauses: Vec<Clause>,
    /// Kinds of rows, which only the rows tell: `transactions.event_type`.
    pub kinds: BTreeMap<String, Term>,
    /// Keys of params.yaml that sources need not use.
    pub keys: BTreeSet<String>,
}

/// Completes the sources among `files` by the contracts there are.
pub fn complete(files: &mut Vec<SqlFile>, contracts: &[Contract]) -> Result<Terms> {
    let (mut terms, mut broken) = (Terms::default(), Vec::new());
    for contract in contracts {
        let is_it = |file: &SqlFile| file.layer == Layer::SOURCES && file.header.name() == contract.name;
        let own = files.iter().position(is_it).map(|at| files.remove(at));
        match contract.completed(own) {
            Ok((file, clauses)) => {
                files.push(file);
                terms.clauses.extend(clauses);
                terms.kinds.extend(contract.header.kinds.clone());
                terms.keys.extend(contract.header.keys.iter().cloned());
            }
            Err(error) => broken.push(error),
        }
    }
    for clause in terms.clauses.iter().filter(|clause| clause.term.shared && clause.given.is_none()) {
        let other = terms.clauses.iter().find(|other| other.column == clause.column && other.given.is_some());
        if let (Some(other), Some(column)) = (other, &clause.column) {
            let file = |source: &str| format!("sql/sources/{source}.sql");
            let (file, other) = (file(&clause.source), file(&other.source));
            broken.push(ContractError::NotShared { file, column: column.clone(), other }.into());
        }
    }
    Error::together(broken, |count| format!("{count} things that every shop must have are missing"))?;
    Ok(terms)
}

/// What stands in the place of `mapped`.
enum Mapped {
    Query(Box<Query>),
    Table(ObjectName),
}

/// Puts a source's own query into a contract's, and takes out what the source has itself.
struct Fill<'a> {
    /// By the contract's name, what the source returns it as.
    given: &'a BTreeMap<String, String>,
    mapped: Option<Mapped>,
}

impl VisitorMut for Fill<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        select.projection.retain_mut(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } => match self.given.get(&alias.value) {
                Some(name) if *name == alias.value => false,
                Some(name) => {
                    called(expr, name);
                    true
                }
                None => true,
            },
            _ => true,
        });
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias, .. } = factor else { return ControlFlow::Continue(()) };
        if name.to_string() != MAPPED {
            return ControlFlow::Continue(());
        }
        let called = TableAlias { explicit: true, name: Ident::new(MAPPED), columns: Vec::new(), at: None };
        match self.mapped.take() {
            Some(Mapped::Query(subquery)) => {
                *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(called), sample: None };
            }
            Some(Mapped::Table(table)) => {
                *name = table;
                *alias = Some(called);
            }
            None => {}
        }
        ControlFlow::Continue(())
    }
}

/// What stands for a column becomes the column that the source calls `name`, of the same type.
fn called(expr: &mut Expr, name: &str) {
    let column = Expr::CompoundIdentifier(vec![Ident::new(MAPPED), Ident::with_quote('"', name)]);
    match expr {
        Expr::Cast { expr, .. } if matches!(expr.as_ref(), Expr::Value(value) if value.value == Value::Null) => {
            **expr = column;
        }
        other => *other = column,
    }
}

/// The names of all columns that a contract's query adds; those that begin with `_` are its own helpers.
fn added(query: &Query) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl VisitorMut for Names {
        type Break = ();

        fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
            for item in &select.projection {
                if let SelectItem::ExprWithAlias { alias, .. } = item
                    && !alias.value.starts_with('_')
                {
                    self.0.insert(alias.value.clone());
                }
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(BTreeSet::new());
    let _: ControlFlow<()> = query.clone().visit(&mut names);
    names.0
}
