//! What the export has of the contract (`sql/contract`), and what not.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, StringArray};

use super::IngestError;
use selvedge_engine::{Engine, Table};
use selvedge_project::error::Result;
use selvedge_project::params::Consent;
use selvedge_project::project::Project;
use selvedge_project::sql::contract::Need;
use selvedge_project::sql::{Layer, TableName};

/// The source whose rows are of several kinds, and the column that names them.
const KINDS: [&str; 2] = ["transactions", "event_type"];
/// The source of what was shown.
const LOG: &str = "recommendations";
/// What says whose behaviour may be used.
const CONSENT: &str = "personalisation_consent";

/// What shop.consent says in its stead.
const EVERYBODYS: &str =
    "everybody's behaviour is used, because shop.consent in params.yaml says that nobody was asked";
const NOBODYS: &str = "nobody's behaviour is used, because shop.consent in params.yaml says so";

/// One line of `sources.contract`.
pub struct Told {
    source: String,
    /// A column, a kind of row, or `*` for the source as a whole.
    column: String,
    need: Need,
    pub given: bool,
    without: String,
}

impl Told {
    /// `products.brand is not there: nothing is said of brands`.
    pub fn sentence(&self) -> String {
        match self.column.as_str() {
            "*" => format!("{} are not there: {}", self.source, self.without),
            column => format!("{}.{column} is not there: {}", self.source, self.without),
        }
    }
}

/// Every line of the contract; kinds of rows are looked for among those that were kept.  Where the served log shows lists, it is
/// the log that an export may lack.
pub fn told(project: &Project, engine: &Engine, shows: bool) -> Result<Vec<Told>> {
    let terms = project.library.terms();
    let mut told: Vec<Told> = terms
        .clauses
        .iter()
        .map(|clause| Told {
            source: clause.source.clone(),
            column: clause.column.clone().unwrap_or_else(|| "*".into()),
            need: clause.term.need,
            given: clause.given.is_some()
                || shows && clause.source == LOG && clause.column.as_deref() != Some("dismissed"),
            without: match (clause.column.as_deref(), project.params.shop.consent) {
                (Some(CONSENT), Consent::NotAsked) => EVERYBODYS.into(),
                (Some(CONSENT), Consent::Nobody) => NOBODYS.into(),
                _ => clause.term.without.clone(),
            },
        })
        .collect();
    let [source, column] = KINDS;
    let table = TableName::new(Layer::SOURCES.folder, source);
    if project.library.sources().any(|(file, _)| file.table() == table) {
        let values = engine.values(&table, column)?;
        let values = values.as_ref().and_then(|values| values.as_string_opt::<i32>());
        let met: BTreeSet<&str> = values.into_iter().flatten().flatten().collect();
        told.extend(terms.kinds.iter().map(|(kind, term)| Told {
            source: source.into(),
            column: format!("{column} = {kind}"),
            need: term.need,
            given: met.contains(kind.as_str()),
            without: term.without.clone(),
        }));
    }
    Ok(told)
}

/// The same as a table.
pub fn table(told: &[Told]) -> Result<Table> {
    let texts = |of: fn(&Told) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(told.iter().map(of))) };
    let columns: [(&str, ArrayRef); 5] = [
        ("source", texts(|term| &term.source)),
        ("column_name", texts(|term| &term.column)),
        ("need", texts(|term| term.need.word())),
        ("given", Arc::new(told.iter().map(|term| Some(term.given)).collect::<BooleanArray>())),
        ("without", texts(|term| &term.without)),
    ];
    Table::of_columns("contract", &["source", "column_name"], columns)
}

/// A word for all and a word for each cannot both hold.
pub fn refuse_consent_twice(project: &Project) -> Result<()> {
    let each = project.library.terms().clauses.iter().find(|clause| clause.column.as_deref() == Some(CONSENT));
    match each.filter(|clause| clause.given.is_some() && project.params.shop.consent != Consent::Column) {
        Some(clause) => {
            let file = format!("sql/sources/{}.sql", clause.source);
            Err(IngestError::ConsentTwice { file, column: CONSENT.into() }.into())
        }
        None => Ok(()),
    }
}
