//! The fit: Adam (Kingma and Ba 2015) over visits in a seeded order, with a rate that falls by cosine to 0.

use ndarray::{Array2, ArrayView2};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::{
    HEADS, Parameters, Scale, Tower, finite_customer,
    gradient::{Gradient, Row, Seen},
    means_of_past,
};
use crate::{
    ModelError, blocks,
    chain::{Keep, finite},
    error::same_length,
    maths,
    retrieve::History,
    seeds,
};

/// Visits whose gradients one thread sums up.
const TOGETHER: usize = 16;
/// Shrinkage of A, B, v and t, and of everything else's w.
const L2: (f64, f64) = (1e-3, 1e-4);
/// Spread of the first A and B.
const START: (f64, f64) = (0.05, 0.15);

/// How long, how fast, how large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TowerSettings {
    pub factors: usize,
    /// More than 12 learn the visits by heart.
    pub epochs: usize,
    /// Visits a step.
    pub batch: usize,
    pub rate: f64,
    pub seed: u64,
}

impl Default for TowerSettings {
    fn default() -> Self {
        Self { factors: 8, epochs: 12, batch: 128, rate: 0.02, seed: 0 }
    }
}

/// A visit to learn from: what was looked at, and some forty others of the shelf (see [`crate::chain::others`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// c.
    pub customer: Vec<f64>,
    /// What was known before the visit; its things are numbers of articles.
    pub history: History,
    /// The first of its rows in the matrix; one row for each article.
    pub first_row: usize,
    pub articles: Vec<u32>,
    pub looked: Vec<bool>,
    pub bought: Vec<bool>,
    pub wished: Vec<bool>,
}

impl Tower {
    /// Fits a model.  `articles`: z, articles x columns; `matrix`: rows of shelves x columns, of which `affinity` are x and
    /// `record` are r.  Without visits all factors are those of the start, and every score is finite.
    ///
    /// # Errors
    /// Visits of unequal lengths, beyond the matrix or the articles; cells that are not finite; no factors or no batch.
    pub fn fit(
        articles: ArrayView2<f64>,
        matrix: ArrayView2<f64>,
        visits: &[Visit],
        (affinity, record): (&[usize], &[usize]),
        keep: Keep,
        settings: TowerSettings,
    ) -> Result<Tower, ModelError> {
        finite(articles)?;
        finite(matrix)?;
        check(articles, matrix, visits, affinity, record, settings)?;
        let all: Vec<usize> = (0..articles.ncols()).collect();
        let mut tower = Tower {
            factors: settings.factors,
            affinity: affinity.to_vec(),
            record: record.to_vec(),
            affinity_scale: Scale::fit(matrix, affinity),
            record_scale: Scale::fit(matrix, record),
            article_scale: Scale::fit(articles, &all),
            parameters: start(articles.ncols(), (affinity.len(), record.len()), visits, settings),
            keep,
        };
        let z = tower.catalogue(articles)?.z;
        let prepared: Vec<Prepared> = visits.par_iter().map(|visit| Prepared::new(&tower, &z, matrix, visit)).collect();
        blocks::inside(|| descend(&mut tower.parameters, &z, &prepared, settings));
        Ok(tower)
    }
}

/// A visit with its means and standardised columns.
struct Prepared<'a> {
    customer: &'a [f64],
    means: [Vec<f64>; 2],
    rows: Vec<Row>,
}

impl<'a> Prepared<'a> {
    fn new(tower: &Tower, z: &Array2<f64>, matrix: ArrayView2<f64>, visit: &'a Visit) -> Prepared<'a> {
        let row = |at: usize| {
            let (x, r) = tower.columns(matrix.row(visit.first_row + at));
            let (looked, bought, wished) = (visit.looked[at], visit.bought[at], visit.wished[at]);
            Row { article: visit.articles[at] as usize, x, r, looked, bought, wished }
        };
        let rows = (0..visit.articles.len()).map(row).collect();
        Prepared { customer: &visit.customer, means: means_of_past(z, &visit.history), rows }
    }
}

fn check(
    articles: ArrayView2<f64>,
    matrix: ArrayView2<f64>,
    visits: &[Visit],
    affinity: &[usize],
    record: &[usize],
    settings: TowerSettings,
) -> Result<(), ModelError> {
    for (what, value) in [("factors", settings.factors), ("batch", settings.batch)] {
        if value == 0 {
            return Err(ModelError::Setting { what, value: 0.0, allowed: "at least 1" });
        }
    }
    let columns = matrix.ncols();
    if let Some(column) = affinity.iter().chain(record).find(|column| **column >= columns) {
        return Err(ModelError::NoColumn { column: *column, columns });
    }
    let width = visits.first().map_or(0, |visit| visit.customer.len());
    for visit in visits {
        let rows = visit.articles.len();
        same_length("customer columns", visit.customer.len(), width)?;
        finite_customer(&visit.customer)?;
        same_length("looks", visit.looked.len(), rows)?;
        same_length("purchases", visit.bought.len(), rows)?;
        same_length("wishes", visit.wished.len(), rows)?;
        if visit.first_row + rows > matrix.nrows() {
            let number = visit.first_row + rows - 1;
            return Err(ModelError::Unknown { what: "row", number, count: matrix.nrows() });
        }
        let count = articles.nrows();
        if let Some(article) = visit.articles.iter().find(|article| **article as usize >= count) {
            return Err(ModelError::Unknown { what: "article", number: *article as usize, count });
        }
    }
    Ok(())
}

/// Small factors, gates and strengths of 1, and the shares of what was bought and wished.
fn start(columns: usize, (affinity, record): (usize, usize), visits: &[Visit], settings: TowerSettings) -> Parameters {
    let factors = settings.factors;
    let draw = |rows: usize, spread: f64, side: u64| {
        let mut random = seeds::stream(settings.seed, "tower", side);
        Array2::from_shape_simple_fn((rows, factors), || seeds::normal(&mut random, spread))
    };
    let done = |of: fn(&Visit) -> &[bool]| {
        let deeds = visits.iter().flat_map(|visit| visit.looked.iter().zip(of(visit))).filter(|(looked, _)| **looked);
        let (done, not) =
            deeds.fold((0.5, 0.5), |(done, not), (_, deed)| if *deed { (done + 1.0, not) } else { (done, not + 1.0) });
        maths::ln(done / not)
    };
    Parameters {
        a: draw(visits.first().map_or(0, |visit| visit.customer.len()), START.0, 0),
        b: draw(columns, START.1, 1),
        gates: [vec![1.0; factors], vec![1.0; factors]],
        v: vec![0.0; columns],
        t: vec![0.0; affinity],
        strengths: [1.0; HEADS],
        records: [vec![0.0; record], vec![0.0; record], vec![0.0; record]],
        intercepts: [0.0, done(|visit| &visit.bought), done(|visit| &visit.wished)],
    }
}

fn descend(parameters: &mut Parameters, z: &Array2<f64>, visits: &[Prepared], settings: TowerSettings) {
    let steps = settings.epochs * visits.len().div_ceil(settings.batch);
    let (mut first, mut second) = (parameters.zeros(), parameters.zeros());
    let mut step = 0;
    for epoch in 0..settings.epochs {
        let mut order: Vec<usize> = (0..visits.len()).collect();
        order.shuffle(&mut seeds::stream(settings.seed, "visits", epoch as u64));
        for batch in order.chunks(settings.batch) {
            let gradient = gradient(parameters, z, visits, batch);
            step += 1;
            let angle = std::f64::consts::PI * (step - 1) as f64 / steps as f64;
            let rate = settings.rate * (1.0 + maths::cos(angle)) / 2.0;
            adam(parameters, [&mut first, &mut second], &gradient, rate, step as f64);
        }
    }
}

/// The gradient of a batch, for each look, with the penalties.
fn gradient(parameters: &Parameters, z: &Array2<f64>, visits: &[Prepared], batch: &[usize]) -> Parameters {
    let factors = parameters.b.ncols();
    let mut vectors = Array2::zeros((z.nrows(), factors + 1));
    vectors.slice_mut(ndarray::s![.., ..factors]).assign(&z.dot(&parameters.b));
    vectors.column_mut(factors).assign(&z.dot(&ndarray::ArrayView1::from(&parameters.v)));
    let of_part = |part: &[usize]| {
        let mut sums = Gradient::zeros(parameters, z.nrows());
        for visit in part.iter().map(|visit| &visits[*visit]) {
            let seen = Seen { customer: visit.customer, means: &visit.means, rows: &visit.rows };
            sums.add_visit(parameters, &vectors, &seen);
        }
        sums
    };
    let parts: Vec<Gradient> = batch.par_chunks(TOGETHER).map(of_part).collect();
    let mut total = Gradient::zeros(parameters, z.nrows());
    parts.iter().for_each(|part| total.add(part));
    total.through_articles(z);
    let looks = total.looks.max(1.0);
    let mut gradient = total.parameters;
    // A, B, v and t come first, then the records; gates, strengths and intercepts are free.
    for (place, (slopes, values)) in gradient.parts_mut().into_iter().zip(parameters.parts()).enumerate() {
        let l2 = if place < 4 {
            L2.0
        } else if place < 4 + HEADS {
            L2.1
        } else {
            0.0
        };
        slopes.iter_mut().zip(values).for_each(|(slope, value)| *slope = *slope / looks + 2.0 * l2 * value);
    }
    gradient
}

fn adam(
    parameters: &mut Parameters,
    [first, second]: [&mut Parameters; 2],
    gradient: &Parameters,
    rate: f64,
    step: f64,
) {
    let (fade, fade_squares) = (0.9, 0.999);
    let (bias, bias_squares) = (1.0 - maths::pow(fade, step), 1.0 - maths::pow(fade_squares, step));
    let moments = first.parts_mut().into_iter().zip(second.parts_mut());
    for ((values, slopes), (first, second)) in parameters.parts_mut().into_iter().zip(gradient.parts()).zip(moments) {
        for (((value, slope), first), second) in values.iter_mut().zip(slopes).zip(first).zip(second) {
            *first = fade * *first + (1.0 - fade) * slope;
            *second = fade_squares * *second + (1.0 - fade_squares) * slope * slope;
            *value -= rate * (*first / bias) / ((*second / bias_squares).sqrt() + 1e-8);
        }
    }
}
