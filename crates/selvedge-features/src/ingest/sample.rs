//! Whose looks are learned from, in words.

use serde::Deserialize;

use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::counted;
use selvedge_project::sql::{Layer, TableName};

/// A row of `sql/split/sample.sql`, where the shop has it.
#[derive(Deserialize)]
struct Sample {
    looks: u64,
    drawn: bool,
}

/// What is said where not everybody's looks are learned from.
pub fn told(engine: &Engine) -> Result<Option<String>> {
    let table = TableName::new(Layer::SPLIT.folder, "sample");
    if !engine.has(&table) {
        return Ok(None);
    }
    let customers: Vec<Sample> = engine.rows(&table)?;
    let drawn = customers.iter().filter(|customer| customer.drawn);
    let (of_drawn, looks) = drawn.fold((0, 0), |(customers, looks), one| (customers + 1, looks + one.looks));
    if of_drawn == customers.len() {
        return Ok(None);
    }
    let all: u64 = customers.iter().map(|customer| customer.looks).sum();
    Ok(Some(format!(
        "learned from and judged: {} of {all}, those of {of_drawn} of {}, drawn by lot (split.most_looks in params.yaml)",
        counted(looks, "look", "looks"),
        counted(customers.len() as u64, "customer", "customers"),
    )))
}
