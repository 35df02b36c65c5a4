//! DataFusion's errors in the words of a person who edits SQL: the file, the line, what is wrong, what to do.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

use super::elsewhere::NoAnswer;
use selvedge_project::error::{Advice, Error, did_you_mean};
use selvedge_project::sql::plain_syntax;

/// A query that cannot be planned or run.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {cause}", line.map_or(String::new(), |line| format!(":{line}")))]
pub struct QueryError {
    file: String,
    line: Option<u64>,
    cause: String,
    advice: String,
}

impl Advice for QueryError {
    fn advice(&self) -> Option<String> {
        Some(self.advice.clone())
    }
}

/// What DataFusion puts in front of its messages.
const KINDS: [&str; 10] = [
    "Error during planning: ",
    "Schema error: ",
    "Execution error: ",
    "SQL error: ",
    "This feature is not implemented: ",
    "Arrow error: ",
    "Parquet error: ",
    "Parquet argument error: ",
    "Compute error: ",
    "Cast error: ",
];

/// The error of the query in `file`; `tables` are those that may be read, for near names.
pub fn query_error(file: &str, error: &DataFusionError, tables: &[String]) -> Error {
    let root = error.find_root();
    let mut line = error.diagnostic().and_then(|diagnostic| diagnostic.span).map(|span| span.start.line);
    let (cause, advice) = match root {
        DataFusionError::SchemaError(schema, _) => schema_error(schema),
        DataFusionError::SQL(syntax, _) => {
            let (found, cause) = plain_syntax(syntax);
            line = found.or(line);
            (cause, "correct the SQL at that place".into())
        }
        DataFusionError::ResourcesExhausted(cause) => (
            format!("its query needs more memory than engine.memory_limit leaves it: {}", plain(cause)),
            "raise engine.memory_limit in params.yaml; with `--partitions 1` fewer share it".into(),
        ),
        DataFusionError::External(cause) if cause.is::<NoAnswer>() => {
            (cause.to_string(), cause.downcast_ref().map_or_else(String::new, |NoAnswer { advice, .. }| advice.clone()))
        }
        _ => in_words(&root.strip_backtrace(), tables),
    };
    QueryError { file: file.to_owned(), line, cause, advice }.into()
}

/// A message without the names of the parts it came through; its first line.
pub fn plain(message: &str) -> String {
    let mut rest = message;
    while let Some(shorter) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = shorter;
    }
    rest.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

fn schema_error(error: &SchemaError) -> (String, String) {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let show = |column: &Column| match field.relation {
                Some(_) => column.flat_name(),
                None => column.name().to_owned(),
            };
            let known: Vec<String> = valid_fields.iter().map(show).collect();
            let fallback = format!("the columns are {}", known.join(", "));
            // SQL reads names without quotes in small letters.
            let in_capitals = valid_fields.iter().find(|known| known.name().eq_ignore_ascii_case(field.name()));
            let advice = match in_capitals.filter(|known| known.name() != field.name()) {
                Some(known) => format!(
                    "write \"{}\" in double quotes: without them, a name is read in small letters",
                    known.name()
                ),
                None => did_you_mean(&show(field), known.iter().map(String::as_str), &fallback),
            };
            (format!("there is no column {}", show(field)), advice)
        }
        SchemaError::AmbiguousReference { field } => (
            format!("{} is a column of several tables", field.name()),
            format!("say which one is meant, as in t.{}", field.name()),
        ),
        other => (plain(&other.to_string()), TRY.into()),
    }
}

const TRY: &str = "correct the query; `selvedge sql` answers small ones to try it on";

/// Messages that DataFusion has only as text.
fn in_words(message: &str, tables: &[String]) -> (String, String) {
    let cause = plain(message);
    let suggested = message.lines().find_map(|line| line.strip_prefix("Did you mean "));
    if let Some(table) = between(&cause, "table '", "' not found") {
        let table = table.trim_start_matches("datafusion.").trim_start_matches("public.");
        let advice =
            did_you_mean(table, tables.iter().map(String::as_str), "`selvedge sql` lists every table there is");
        return (format!("there is no table {table}"), advice);
    }
    if message.contains("Parquet error") {
        return (
            format!("a table that it reads is damaged: {cause}"),
            "run the stages that make its tables again, or `selvedge run`".into(),
        );
    }
    if cause.starts_with("Column in SELECT must be in GROUP BY") {
        let column = between(&cause, "column \"", "\" must appear").unwrap_or("a column");
        return (
            format!("{column} is neither in GROUP BY nor inside an aggregate such as MAX"),
            "add it to GROUP BY, or aggregate it".into(),
        );
    }
    let advice = match suggested {
        Some(names) => format!("did you mean {}", names.replace('\'', "")),
        None if cause.starts_with("Cannot cast") => "use TRY_CAST: it gives NULL for such a value".into(),
        None if cause.starts_with("Divide by zero") => "divide by NULLIF(…, 0): the answer is NULL then".into(),
        None => TRY.into(),
    };
    (cause, advice)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inside, _)| inside)
}
