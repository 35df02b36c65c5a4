//! `selvedge who`: which customer a page means, on a machine that has the key.

use datafusion::arrow::array::AsArray;

use crate::explore::print_lines;
use selvedge_engine::Engine;
use selvedge_project::error::{Advice, Result};
use selvedge_project::project::Project;
use selvedge_project::pseudonyms::{KEY_FILE, Pseudonyms};
use selvedge_project::sql::TableName;

#[derive(Debug, thiserror::Error)]
#[error("no customer of this export is called {pseudonym} by this machine's key")]
pub struct WhoError {
    pseudonym: String,
}

impl Advice for WhoError {
    fn advice(&self) -> Option<String> {
        Some(format!("copy the pseudonym whole, and look whether {KEY_FILE} is the one that the pages were made with"))
    }
}

/// Prints the customer's number.
pub fn run(project: &Project, pseudonym: &str) -> Result<()> {
    let pseudonyms = Pseudonyms::of(project)?;
    let customers = Engine::new(project)?.read(&TableName::new("sources", "customers"))?;
    let numbers = customers.column_by_name("customer_id").and_then(|numbers| numbers.as_string_opt::<i32>());
    let found = numbers.into_iter().flatten().flatten().find(|number| pseudonyms.name(number) == pseudonym);
    match found {
        Some(number) => print_lines(&[number.to_owned()]),
        None => Err(WhoError { pseudonym: pseudonym.into() }.into()),
    }
}
