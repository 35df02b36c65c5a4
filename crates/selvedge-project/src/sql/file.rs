//! One SQL file: a YAML header in its leading comment, and one query.

mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{Header, Layer};
use crate::error::{Advice, Result, did_you_mean};
use crate::params::SqlParams;
use sqlparser::ast::{
    Expr, ObjectNamePart, Query, SelectItem, SetExpr, Statement, Value, VisitMut, visit_expressions,
    visit_expressions_mut, visit_relations,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};

/// `schema.name`, or a single table such as `frame` that stands in no schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub schema: Option<String>,
    pub name: String,
}

impl TableName {
    pub fn new(schema: &str, name: &str) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }

    pub fn bare(name: &str) -> Self {
        Self { schema: None, name: name.into() }
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
    #[error("{file}{}: {cause}", line.map_or(String::new(), |line| format!(":{line}")))]
    Syntax { file: String, line: Option<u64>, cause: String },
    #[error("{file} holds {found}, not one query")]
    NotOneQuery { file: String, found: String },
    #[error("{file}:{line}: {text} stands for a value that nobody gives")]
    NamelessParameter { file: String, line: u64, text: String, section: &'static str },
    #[error("{file}:{line}: ${name} is no parameter")]
    UnknownParameter { file: String, line: u64, name: String, section: &'static str, known: Vec<String> },
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
            Self::NamelessParameter { section, .. } => {
                format!("write the value, or $name for a key of the section {section} of params.yaml")
            }
            Self::UnknownParameter { name, section, known, .. } => {
                let fallback = format!("add `{name}: …` to the section {section} of params.yaml");
                did_you_mean(name, known.iter().map(String::as_str), &fallback)
            }
        })
    }
}

impl SqlFile {
    /// Reads and parses one file.
    pub fn load(path: &Path, shown: String, layer: Layer) -> Result<Self> {
        let text = read(path, &shown)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let header = Header::parse(&text, &shown, layer)?.named(&stem);
        if header.name() != stem {
            let (name, stem) = (header.name().to_owned(), stem.into_owned());
            return Err(SqlFileError::OtherName { file: shown, name, stem }.into());
        }
        let query = parse_query(&text, &shown)?;
        if let Some((text, line)) = nameless(&query) {
            let section = layer.section;
            return Err(SqlFileError::NamelessParameter { file: shown, line, text, section }.into());
        }
        let reads = tables(&query).into_keys().collect();
        let parameters = parameters(&query);
        Ok(Self { path: path.to_owned(), shown, layer, header, query, reads, parameters, text })
    }

    /// A file that stands nowhere: `query` under the name that its header says.
    pub fn made_up(shown: String, layer: Layer, header: Header, query: Box<Query>) -> Self {
        let (path, text) = (PathBuf::new(), query.to_string());
        Self { path, shown, layer, header, query, reads: BTreeSet::new(), parameters: BTreeMap::new(), text }.reread()
    }

    /// The same file with another query around its own.
    pub fn within(mut self, around: impl FnOnce(Box<Query>) -> Box<Query>) -> Self {
        self.query = around(self.query);
        self.reread()
    }

    fn reread(mut self) -> Self {
        self.reads = tables(&self.query).into_keys().collect();
        self.parameters = parameters(&self.query);
        self
    }

    /// The columns that its query returns; none where it does not name them (`SELECT *`).
    pub fn returns(&self) -> Option<Vec<String>> {
        let mut body = self.query.body.as_ref();
        let select = loop {
            match body {
                SetExpr::Select(select) => break select,
                SetExpr::Query(query) => body = query.body.as_ref(),
                SetExpr::SetOperation { left, .. } => body = left.as_ref(),
                _ => return None,
            }
        };
        let name = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.to_lowercase()),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
                names.last().map(|name| name.value.to_lowercase())
            }
            _ => None,
        };
        select.projection.iter().map(name).collect()
    }

    /// The table this file makes.
    pub fn table(&self) -> TableName {
        TableName::new(self.layer.folder, self.header.name())
    }

    /// `file:line` of the first place that names `table`.
    pub fn place_of(&self, table: &TableName) -> String {
        match tables(&self.query).get(table) {
            Some(line) => format!("{}:{line}", self.shown),
            None => self.shown.clone(),
        }
    }

    /// The file as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its `WITH` queries that are read more than once.
    pub fn read_again(&self) -> BTreeSet<String> {
        let mut readers = BTreeMap::<String, usize>::new();
        let _: ControlFlow<()> = visit_relations(&self.query, |name| {
            if let [ObjectNamePart::Identifier(name)] = name.0.as_slice() {
                *readers.entry(name.value.to_lowercase()).or_default() += 1;
            }
            ControlFlow::Continue(())
        });
        let with = self.query.with.iter().filter(|with| !with.recursive).flat_map(|with| &with.cte_tables);
        let names = with.map(|query| query.alias.name.value.to_lowercase());
        names.filter(|name| readers.get(name).is_some_and(|count| *count > 1)).collect()
    }

    /// The query with literals in place of its `$parameters`.
    pub fn statement(&self, params: &SqlParams) -> Result<Statement> {
        let mut query = self.query.clone();
        let mut unknown = None;
        let _: ControlFlow<()> = visit_expressions_mut(&mut query, |expr| {
            if let Some(name) = placeholder(expr) {
                match params.get(&name) {
                    Some(literal) => {
                        match Parser::new(&GenericDialect {}).try_with_sql(literal).and_then(|mut p| p.parse_expr()) {
                            Ok(value) => *expr = value,
                            Err(_) => unknown = Some(name),
                        }
                    }
                    None => unknown = Some(name),
                }
            }
            ControlFlow::Continue(())
        });
        match unknown {
            None => Ok(Statement::Query(query)),
            Some(name) => {
                let line = self.parameters.get(&name).copied().unwrap_or(1);
                let (section, known) = (self.layer.section, params.keys().cloned().collect());
                Err(SqlFileError::UnknownParameter { file: self.shown.clone(), line, name, section, known }.into())
            }
        }
    }
}

/// A file's text.
pub(super) fn read(path: &Path, shown: &str) -> Result<String> {
    let unreadable = |cause| SqlFileError::Unreadable { file: shown.to_owned(), cause };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    // Editors of Windows put a mark in front.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The one query of a text.
pub(super) fn parse_query(text: &str, file: &str) -> Result<Box<Query>> {
    let syntax = |e: ParserError| {
        let (line, cause) = plain_syntax(&e);
        SqlFileError::Syntax { file: file.into(), line, cause }
    };
    let mut statements = Parser::parse_sql(&GenericDialect {}, text).map_err(syntax)?;
    let found = match (statements.pop(), statements.len()) {
        (Some(Statement::Query(query)), 0) => return Ok(query),
        (None, _) => "nothing after its header".to_owned(),
        (Some(_), 0) => "a statement that is no query".to_owned(),
        (Some(_), others) => format!("{} statements", others + 1),
    };
    Err(SqlFileError::NotOneQuery { file: file.into(), found }.into())
}

/// The parser's line and words; the line is none where the text ends too early.
pub fn plain_syntax(error: &ParserError) -> (Option<u64>, String) {
    let cause = match error {
        ParserError::TokenizerError(cause) | ParserError::ParserError(cause) => cause.as_str(),
        ParserError::RecursionLimitExceeded => "too many nested expressions",
    };
    match cause.rsplit_once(" at Line: ") {
        Some((cause, place)) => {
            let (line, column) = place.split_once(", Column: ").unwrap_or((place, "1"));
            (line.parse().ok(), format!("{cause} (column {column})"))
        }
        None => (None, cause.replace("EOF", "the end of the query")),
    }
}

/// The tables a query names, with the line of the first use, without those that its own WITH clauses define.
fn tables(query: &Query) -> BTreeMap<TableName, u64> {
    let mut defined = WithNames::default();
    let _: ControlFlow<()> = query.clone().visit(&mut defined);
    let mut tables = BTreeMap::new();
    let _: ControlFlow<()> = visit_relations(query, |name| {
        let idents: Vec<_> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let parts: Vec<String> = idents.iter().map(|ident| ident.value.to_lowercase()).collect();
        let table = match parts.as_slice() {
            [name] if defined.0.contains(name) => None,
            [name] => Some(TableName::bare(name)),
            [.., schema, name] => Some(TableName::new(schema, name)),
            [] => None,
        };
        if let (Some(table), Some(first)) = (table, idents.first()) {
            tables.entry(table).or_insert(first.span.start.line);
        }
        ControlFlow::Continue(())
    });
    tables
}

#[derive(Default)]
struct WithNames(BTreeSet<String>);

impl sqlparser::ast::VisitorMut for WithNames {
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

/// The first `?`, or whatever else stands for a value without a name, with its line.
fn nameless(query: &Query) -> Option<(String, u64)> {
    let found = visit_expressions(query, |expr| match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(text) if placeholder(expr).is_none() => {
                ControlFlow::Break((text.clone(), value.span.start.line))
            }
            _ => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    });
    found.break_value()
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
