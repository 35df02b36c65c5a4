//! What each model would have shown: every article on sale, ranked for each customer and day with a kept purchase.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::figures::{Figure, REFERENCES, USED, difference};
use super::{CUSTOMER, EvaluateError, Models, scores};
use crate::train::Kind;
use models::bootstrap::Resampled;
use models::lists::{ListMetric, ListMetrics};
use selvedge_engine::{Engine, Table};
use selvedge_features::frame;
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// The file of `sql/evaluation` that names customers, moments, articles, and which of them were bought and `kept`.
pub const FILE: &str = "choices";
/// Whether the article is what was bought.
const KEPT: &str = "kept";
/// Rows scored at a time: enough to be quick, few enough to stay small.
const CHUNK: usize = 16_384;

/// The lists, measured.
pub struct Lists {
    /// Whose each list is.
    customers: Vec<String>,
    /// For each of [`Kind::ALL`], the figures of each list; empty where the model could not be fitted.
    measured: Vec<Vec<ListMetrics>>,
    /// How many articles stand in all lists together.
    articles: usize,
}

impl Lists {
    /// Computes the features of every choice by the same SQL as ever and ranks each list by each model.  Equal scores
    /// are ordered by lot, the same for all models, so that no order of articles is favoured.
    pub fn ranked(project: &Project, models: &Models, choices: RecordBatch) -> Result<Self> {
        let shown = "sql/evaluation/choices.sql";
        let key = ["customer_id", "as_of", "product_id", "season"].map(str::to_owned);
        let choices = Table::new(choices, &key, shown)?;
        if choices.batch.num_rows() == 0 {
            return Ok(Self { customers: Vec::new(), measured: vec![Vec::new(); models.len()], articles: 0 });
        }
        // The choices stand under the grain's names there, so it is a session of its own.
        let engine = Engine::new(project)?;
        let rows = frame::at_request(project, &engine, choices, shown)?.batch;
        let mut scored: Vec<Vec<Option<f64>>> = vec![Vec::new(); models.len()];
        for start in (0..rows.num_rows()).step_by(CHUNK) {
            let chunk = rows.slice(start, CHUNK.min(rows.num_rows() - start));
            scored.iter_mut().zip(scores(project, models, &chunk)?).for_each(|(all, more)| all.extend(more));
        }
        let missing = |column, wanted| EvaluateError::NoColumn { table: FILE, column, wanted };
        let customers = rows.column_by_name(CUSTOMER).and_then(|column| column.as_string_opt::<i32>());
        let customers = customers.ok_or(missing(CUSTOMER, "a text"))?;
        let kept = rows.column_by_name(KEPT).and_then(|column| column.as_boolean_opt());
        let kept: Vec<bool> =
            kept.ok_or(missing(KEPT, "true or false"))?.iter().map(|kept| kept.unwrap_or(false)).collect();
        let mut random = ChaCha8Rng::seed_from_u64(project.params.evaluate.seed);
        let lots: Vec<u64> = kept.iter().map(|_| random.next_u64()).collect();
        let lists: Vec<Range<usize>> =
            lists(&rows)?.into_iter().filter(|list| kept[list.clone()].contains(&true)).collect();
        let length = project.params.evaluate.list_length;
        let measure = |scores: Vec<Option<f64>>| -> Vec<ListMetrics> {
            let scores: Option<Vec<f64>> = scores.into_iter().collect();
            let Some(scores) = scores else { return Vec::new() };
            let of = |list: &Range<usize>| {
                let list = list.clone();
                ListMetrics::of_list(&scores[list.clone()], &lots[list.clone()], &kept[list], length)
            };
            lists.iter().filter_map(of).collect()
        };
        Ok(Self {
            customers: lists.iter().map(|list| customers.value(list.start).to_owned()).collect(),
            measured: scored.into_iter().map(measure).collect(),
            articles: lists.iter().map(ExactSizeIterator::len).sum(),
        })
    }

    /// Whether there are enough lists to judge a model by.
    fn are_enough(&self, project: &Project) -> bool {
        self.customers.len() >= project.params.evaluate.enough
    }

    /// The means over all lists of the model at `number`; none where the lists are too few.
    pub fn means(&self, project: &Project, number: usize) -> Option<ListMetrics> {
        let measured = self.measured.get(number).filter(|_| self.are_enough(project))?;
        ListMetrics::mean(measured, |_| 1)
    }

    /// Every metric of every model with its interval, and what the used model has more than each other one.
    pub fn figures(&self, project: &Project) -> Result<Vec<Figure>> {
        let params = &project.params.evaluate;
        let measure = |times: &dyn Fn(usize) -> u32| -> Vec<Option<ListMetrics>> {
            self.measured.iter().map(|lists| ListMetrics::mean(lists, times)).collect()
        };
        let drawn = match self.are_enough(project) {
            false => None,
            true => Some(
                Resampled::run(&self.customers, params.draws, params.seed, measure)
                    .map_err(EvaluateError::Bootstrap)?,
            ),
        };
        let mut figures = Vec::new();
        for metric in ListMetric::ALL {
            let of = |means: &Vec<Option<ListMetrics>>, number: usize| {
                means.get(number)?.as_ref().map(|means| metric.of(means))
            };
            for (number, kind) in Kind::ALL.iter().enumerate() {
                let interval = drawn.as_ref().and_then(|drawn| drawn.interval(|means| of(means, number)));
                figures.push(Figure { model: kind.name().into(), metric: metric.name(), interval });
            }
            for other in REFERENCES {
                let more = |means: &Vec<Option<ListMetrics>>| Some(of(means, USED)? - of(means, other)?);
                let interval = drawn.as_ref().and_then(|drawn| drawn.interval(more));
                figures.push(Figure { model: difference(other), metric: metric.name(), interval });
            }
        }
        Ok(figures)
    }

    /// One row: how many lists, of how many customers, with how many articles in all.
    pub fn table(&self) -> Result<Table> {
        let mut customers: Vec<&String> = self.customers.iter().collect();
        customers.dedup();
        let count = |number: usize| -> ArrayRef { Arc::new(Int64Array::from(vec![number as i64])) };
        let columns = [
            ("lists", count(self.customers.len())),
            ("customers", count(customers.len())),
            ("articles", count(self.articles)),
        ];
        Table::of_columns("lists", &["lists"], columns)
    }
}

/// The stretches of rows of one customer and moment; the rows are sorted by both.
fn lists(rows: &RecordBatch) -> Result<Vec<Range<usize>>> {
    let sorted = ["customer_id", "as_of"].map(|name| rows.column_by_name(name).cloned());
    let columns: Vec<ArrayRef> = sorted.into_iter().flatten().collect();
    Ok(datafusion::arrow::compute::partition(&columns).map_err(EvaluateError::Arrow)?.ranges())
}
