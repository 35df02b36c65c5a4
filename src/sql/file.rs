//! One SQL file: a YAML header in its leading comment, and one query.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use datafusion::sql::sqlparser::ast::{
    Expr, Query, Statement, Value, VisitMut, visit_expressions, visit_expressions_mut, visit_relations,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Layer;
use crate::error::{Advice, Result, did_you_mean};
use crate::params::SqlParams;

/// `schema.name`, or a single table such as `frame` that stands in no schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub schema: Option<String>,
    pub name: String,
}

impl TableName {
    pub fn new(schema: &str, name: &str) -> Self {
        Self {
            schema: Some(schema.into()),
            name: name.into(),
        }
    }

    pub fn bare(name: &str) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A file of `sql/`, parsed and not yet planned.
#[derive(Debug, Clone)]
pub struct SqlFile {
    pub path: PathBuf,
    /// `path` from the project's root, for messages.
    pub shown: String,
    pub layer: Layer,
    pub header: Header,
    query: Box<Query>,
    /// The tables it names, its own WITH names left out.
    pub reads: BTreeSet<TableName>,
    /// The `$parameters` it uses, with the line of the first use.
    pub parameters: BTreeMap<String, u64>,
    text: String,
}

/// What a file says of itself; the layer decides which.
#[derive(Debug, Clone)]
pub enum Header {
    Source(SourceHeader),
    Feature(FeatureHeader),
    Audit(AuditHeader),
    Table(TableHeader),
}

/// The header of a typed source.  Its query returns exactly one row per row of the CSV, with the columns `line`,
/// `set_aside` (a code, or NULL for a row that is kept) and `surprises` (codes, separated by spaces).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceHeader {
    pub name: String,
    /// The CSV in `materials/`.
    pub file: String,
    pub description: String,
    /// The columns that name one kept row.
    pub key: Vec<String>,
    /// The columns the CSV must have, in any order, with their meaning.
    pub columns: BTreeMap<String, String>,
    /// A log of what was shown and what came of it: features may not read it.
    #[serde(default)]
    pub outcomes: bool,
    /// Why a row can be set aside, by code.
    #[serde(default)]
    pub set_aside: BTreeMap<String, Surprise>,
    /// What can be odd about a row that is kept, by code.
    #[serde(default)]
    pub surprises: BTreeMap<String, Surprise>,
}

/// A surprise in words a client can read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surprise {
    /// The column it is found in; none where it concerns the whole row.
    pub column: Option<String>,
    pub found: String,
    pub done: String,
}

/// The header of a feature view.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureHeader {
    pub name: String,
    pub version: u32,
    /// Reads `grain.<entity>`, one row out per row of the grain.
    pub entity: String,
    pub owner: String,
    pub description: String,
    pub columns: BTreeMap<String, Column>,
}

/// One column of a feature view.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub unit: String,
    pub meaning: String,
    /// What the client would call it: price, brand, style or sustainability.
    pub driver: Option<Driver>,
}

/// The client's question: what drives a recommendation?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    Price,
    Brand,
    Style,
    Sustainability,
}

/// The header of a query that must return no rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditHeader {
    pub name: String,
    pub description: String,
    pub severity: Severity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warn,
}

/// The header of every other table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableHeader {
    pub name: String,
    pub description: String,
    /// The columns that name one row; the table is sorted by them.
    pub key: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SqlFileError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file} has no header")]
    NoHeader { file: String },
    #[error("{file}:{line}: the header does not parse: {cause}")]
    BadHeader { file: String, line: usize, cause: String },
    #[error("{file}: the header says name: {name}, the file is called {stem}.sql")]
    OtherName { file: String, name: String, stem: String },
    #[error("{file}: {cause}")]
    Syntax { file: String, cause: String },
    #[error("{file} holds {found}, not one query")]
    NotOneQuery { file: String, found: String },
    #[error("{file}:{line}: ${name} is no parameter")]
    UnknownParameter {
        file: String,
        line: u64,
        name: String,
        section: &'static str,
        known: Vec<String>,
    },
}

impl Advice for SqlFileError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "check the file's permissions and that it is UTF-8".into(),
            Self::NoHeader { .. } => {
                "begin the file with a comment /*--- name: …, description: … ---*/ (see CLAUDE.md)".into()
            }
            Self::BadHeader { .. } => "correct the YAML between /*--- and ---*/ (see CLAUDE.md for the keys)".into(),
            Self::OtherName { stem, .. } => format!("write name: {stem}, or rename the file"),
            Self::Syntax { .. } => "correct the SQL at that place".into(),
            Self::NotOneQuery { .. } => "leave one SELECT in it; a second query is a second file".into(),
            Self::UnknownParameter {
                name, section, known, ..
            } => {
                let fallback = format!("add `{name}: …` to the section {section} of params.yaml");
                did_you_mean(name, known.iter().map(String::as_str), &fallback)
            }
        })
    }
}

impl Header {
    pub fn name(&self) -> &str {
        match self {
            Self::Source(header) => &header.name,
            Self::Feature(header) => &header.name,
            Self::Audit(header) => &header.name,
            Self::Table(header) => &header.name,
        }
    }
}

impl SqlFile {
    /// Reads and parses one file.
    pub fn load(path: &Path, shown: String, layer: Layer) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|cause| SqlFileError::Unreadable {
            file: shown.clone(),
            cause,
        })?;
        let header = Header::parse(&text, &shown, layer)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if header.name() != stem {
            let (name, stem) = (header.name().to_owned(), stem.into_owned());
            return Err(SqlFileError::OtherName {
                file: shown,
                name,
                stem,
            }
            .into());
        }
        let query = parse_query(&text, &shown)?;
        let reads = tables(&query);
        let parameters = parameters(&query);
        Ok(Self {
            path: path.to_owned(),
            shown,
            layer,
            header,
            query,
            reads,
            parameters,
            text,
        })
    }

    /// The table this file makes.
    pub fn table(&self) -> TableName {
        TableName::new(self.layer.folder(), self.header.name())
    }

    /// The file as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The query with literals in place of its `$parameters`.
    pub fn statement(&self, params: &SqlParams) -> Result<Statement> {
        let mut query = self.query.clone();
        let mut unknown = None;
        let _: ControlFlow<()> = visit_expressions_mut(&mut query, |expr| {
            if let Some(name) = placeholder(expr) {
                match params.get(&name) {
                    Some(literal) => match Parser::new(&GenericDialect {})
                        .try_with_sql(literal)
                        .and_then(|mut p| p.parse_expr())
                    {
                        Ok(value) => *expr = value,
                        Err(_) => unknown = Some(name),
                    },
                    None => unknown = Some(name),
                }
            }
            ControlFlow::Continue(())
        });
        match unknown {
            None => Ok(Statement::Query(query)),
            Some(name) => {
                let line = self.parameters.get(&name).copied().unwrap_or(1);
                let (section, known) = (self.layer.params_section(), params.keys().cloned().collect());
                Err(SqlFileError::UnknownParameter {
                    file: self.shown.clone(),
                    line,
                    name,
                    section,
                    known,
                }
                .into())
            }
        }
    }
}

impl Header {
    fn parse(text: &str, file: &str, layer: Layer) -> Result<Self> {
        let no_header = || SqlFileError::NoHeader { file: file.into() };
        let start = text.trim_start_matches('\u{feff}').trim_start();
        let body = start.strip_prefix("/*---").ok_or_else(no_header)?;
        let (yaml, _) = body.split_once("---*/").ok_or_else(no_header)?;
        let lines_before = text[..text.len() - body.len()].matches('\n').count();
        let bad = |e: serde_yaml::Error| {
            let line = lines_before + e.location().map_or(1, |at| at.line());
            let cause = e.to_string();
            let cause = cause.split(" at line ").next().unwrap_or_default().to_owned();
            SqlFileError::BadHeader {
                file: file.into(),
                line,
                cause,
            }
        };
        fn read<T: DeserializeOwned>(yaml: &str) -> serde_yaml::Result<T> {
            serde_yaml::from_str(yaml)
        }
        Ok(match layer {
            Layer::Sources => Self::Source(read(yaml).map_err(bad)?),
            Layer::Features => Self::Feature(read(yaml).map_err(bad)?),
            Layer::Audits => Self::Audit(read(yaml).map_err(bad)?),
            _ => Self::Table(read(yaml).map_err(bad)?),
        })
    }
}

fn parse_query(text: &str, file: &str) -> Result<Box<Query>> {
    let syntax = |e: datafusion::sql::sqlparser::parser::ParserError| {
        let cause = e.to_string();
        let cause = cause.strip_prefix("sql parser error: ").unwrap_or(&cause).to_owned();
        SqlFileError::Syntax {
            file: file.into(),
            cause,
        }
    };
    let mut statements = Parser::parse_sql(&GenericDialect {}, text).map_err(syntax)?;
    let found = match (statements.pop(), statements.len()) {
        (Some(Statement::Query(query)), 0) => return Ok(query),
        (None, _) => "no query".to_owned(),
        (Some(_), 0) => "a statement that is no query".to_owned(),
        (Some(_), others) => format!("{} statements", others + 1),
    };
    Err(SqlFileError::NotOneQuery {
        file: file.into(),
        found,
    }
    .into())
}

/// The tables a query names, without those that its own WITH clauses define.
fn tables(query: &Query) -> BTreeSet<TableName> {
    let mut defined = WithNames::default();
    let _: ControlFlow<()> = query.clone().visit(&mut defined);
    let mut tables = BTreeSet::new();
    let _: ControlFlow<()> = visit_relations(query, |name| {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|ident| ident.value.to_lowercase())
            .collect();
        match parts.as_slice() {
            [name] if defined.0.contains(name) => {}
            [name] => drop(tables.insert(TableName::bare(name))),
            [.., schema, name] => drop(tables.insert(TableName::new(schema, name))),
            [] => {}
        }
        ControlFlow::Continue(())
    });
    tables
}

#[derive(Default)]
struct WithNames(BTreeSet<String>);

impl datafusion::sql::sqlparser::ast::VisitorMut for WithNames {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for with in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.0.insert(with.alias.name.value.to_lowercase());
        }
        ControlFlow::Continue(())
    }
}

fn parameters(query: &Query) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let _: ControlFlow<()> = visit_expressions(query, |expr| {
        if let (Some(name), Expr::Value(value)) = (placeholder(expr), expr) {
            found.entry(name).or_insert(value.span.start.line);
        }
        ControlFlow::Continue(())
    });
    found
}

fn placeholder(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('$').map(str::to_owned),
            _ => None,
        },
        _ => None,
    }
}
