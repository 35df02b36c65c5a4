//! What was judged, as tables: every figure with its protocol, its visits, its model and its range.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use recommenders::metrics::Range;

use super::{AS_DELIVERED, JudgedShelves, RULES};
use crate::protocol::{FIGURES, Judged, Protocol};
use selvedge_engine::Table;
use selvedge_project::error::Result;

/// The protocols whose figures are kept customer by customer.
const COMPARED: [Protocol; 2] = [Protocol::ShelfVisit, Protocol::ShelfDelivered];

/// One line of `shelf_figures`.
struct Line<'a> {
    judged: &'a Judged,
    ranking: &'a str,
    /// The ranking it is held against; empty for the figure itself.
    against: &'a str,
    figure: &'static str,
    range: Option<Range>,
}

/// The tables by name: `shelf_figures`, `shelf_customers`, `rule_prices` and `shelf_promise`.
pub fn tables(shelves: &JudgedShelves) -> Result<Vec<(&'static str, Table)>> {
    Ok(vec![
        ("shelf_figures", figures(shelves)?),
        ("shelf_customers", customers(shelves)?),
        ("rule_prices", prices(shelves)?),
        ("shelf_promise", promise(shelves)?),
    ])
}

fn figures(shelves: &JudgedShelves) -> Result<Table> {
    let mut lines = Vec::new();
    for judged in &shelves.judged {
        for ranking in &judged.rankings {
            for figure in FIGURES {
                lines.push(Line { judged, ranking, against: "", figure, range: judged.of(ranking, figure) });
                for against in judged.rankings.iter().filter(|against| *against != ranking) {
                    let range = judged.lead(ranking, judged, against, figure)?;
                    lines.push(Line { judged, ranking, against, figure, range });
                }
            }
        }
    }
    let text =
        |of: &dyn Fn(&Line) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(lines.iter().map(of))) };
    let number = |of: fn(&Range) -> f64| -> ArrayRef {
        Arc::new(lines.iter().map(|line| line.range.as_ref().map(of)).collect::<Float64Array>())
    };
    let count = |of: fn(&Judged) -> usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| of(line.judged) as i64)))
    };
    let version = |line: &Line| {
        let known = shelves.versions.iter().find(|(name, _)| name == line.ranking);
        known.map_or(String::new(), |(_, version)| version.clone())
    };
    let shown: BooleanArray = lines.iter().map(|line| Some(line.ranking == shelves.shown)).collect();
    let columns = [
        ("protocol", text(&|line| line.judged.protocol.id())),
        ("ranking", text(&|line| line.ranking.to_owned())),
        ("against", text(&|line| line.against.to_owned())),
        ("figure", text(&|line| line.figure.to_owned())),
        ("value", number(|range| range.value)),
        ("low", number(|range| range.low)),
        ("high", number(|range| range.high)),
        ("customers", count(|judged| judged.customers)),
        ("visits", count(|judged| judged.visits)),
        ("data", text(&|line| line.judged.data.clone())),
        ("model", text(&version)),
        ("shown", Arc::new(shown) as ArrayRef),
    ];
    Table::of_columns("shelf_figures", &["protocol", "ranking", "against", "figure"], columns)
}

/// The figures of each customer by what is shown, so that they can be held, pair by pair, against those of other lists for
/// the same visits.
fn customers(shelves: &JudgedShelves) -> Result<Table> {
    let mut rows = Vec::new();
    for judged in shelves.judged.iter().filter(|judged| COMPARED.contains(&judged.protocol)) {
        for figure in FIGURES {
            let of = judged.of_customers(shelves.shown, figure);
            rows.extend(of.into_iter().map(|(customer, value)| (judged, figure, customer, value)));
        }
    }
    let text = |of: &dyn Fn(&(&Judged, &str, &str, f64)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.3)));
    let columns = [
        ("protocol", text(&|row| row.0.protocol.id())),
        ("figure", text(&|row| row.1.to_owned())),
        ("customer_id", text(&|row| row.2.to_owned())),
        ("value", values),
        ("data", text(&|row| row.0.data.clone())),
    ];
    Table::of_columns("shelf_customers", &["protocol", "figure", "customer_id"], columns)
}

/// What each rule of taste costs: of 1, how many more lists would hold something kept without it.
fn prices(shelves: &JudgedShelves) -> Result<Table> {
    let prices = &shelves.prices;
    let mut rows = Vec::new();
    for rule in RULES {
        let price = prices.lead(rule, prices, AS_DELIVERED, "kept_hits")?;
        rows.push((rule, prices.of(AS_DELIVERED, "kept_hits"), prices.of(rule, "kept_hits"), price));
    }
    let number = |of: &dyn Fn(&(&str, Option<Range>, Option<Range>, Option<Range>)) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let columns = [
        ("rule", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef),
        ("hits", number(&|row| Some(row.1?.value))),
        ("hits_without", number(&|row| Some(row.2?.value))),
        ("price", number(&|row| Some(row.3?.value))),
        ("low", number(&|row| Some(row.3?.low))),
        ("high", number(&|row| Some(row.3?.high))),
    ];
    Table::of_columns("rule_prices", &["rule"], columns)
}

fn promise(shelves: &JudgedShelves) -> Result<Table> {
    let rows: Vec<_> = shelves.promise.iter().collect();
    let count = |of: fn(&super::Promise) -> usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(row) as i64)))
    };
    let number = |of: fn(&super::Promise) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| of(row))))
    };
    let columns = [
        ("lists", count(|row| row.lists)),
        ("customers", count(|row| row.customers)),
        ("expected", number(|row| row.expected)),
        ("came", count(|row| row.came)),
        ("surplus", number(|row| row.surplus.value)),
        ("low", number(|row| row.surplus.low)),
        ("high", number(|row| row.surplus.high)),
    ];
    Table::of_columns("shelf_promise", &["lists"], columns)
}
