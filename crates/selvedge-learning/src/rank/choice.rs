//! Validation visits decide: which penalties, how much a look counts, what a score promises, and whether the ranking speaks
//! at all or popularity is as good.

use datafusion::arrow::array::{AsArray, RecordBatch};
use recommenders::calibration::Calibration;
use recommenders::chain::Chain;
use recommenders::maths::log_sigmoid;
use recommenders::metrics::{Figure, Range, Verdict, by_customer, right_order, verdict};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::fit::Heads;
use super::model::Ranking;
use crate::protocol::{Board, Protocol, Visit, lots};
use crate::shelf::{self, Outcomes, Session, Shelves, requests_of, truths};
use selvedge_project::error::Result;
use selvedge_project::params::Rank;

/// The smallest lead in right order, of 100 pairs, that somebody would act on.
const WORTH: f64 = 3.0;
/// The names of the two that the gate compares.
pub const POPULARITY: &str = "popularity";
pub const CHAIN: &str = "chain";

/// One combination, with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub look_penalty: f64,
    pub buy_penalty: f64,
    pub weight: f64,
    /// Of validation shelves, the share of pairs in the right order; none where nothing was kept.
    pub right_order: Option<f64>,
}

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    pub look_penalty: f64,
    pub buy_penalty: f64,
    pub weight: f64,
}

/// Whether the ranking leads popularity on visits that came after all it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// How many more of 100 pairs the ranking has in the right order.
    pub lead: Option<Range>,
    /// Customers who kept something on those visits.
    pub customers: u64,
    pub visits: u64,
    /// Names the visits.
    pub data: String,
    pub says: Says,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// The ranking leads with its whole range: it speaks.
    Ranking,
    /// There would be a lead by now if there were one worth having: popularity is as good here.
    PopularityIsAsGood,
    /// Popularity leads with its whole range.
    PopularityIsBetter,
    /// About so many more customers with kept purchases would tell.
    TooEarly { more_customers: u64 },
}

/// What each head says of each row of validation shelves.
#[derive(Default)]
struct Said {
    customers: Vec<String>,
    /// Rows of each visit.
    visits: Vec<std::ops::Range<usize>>,
    looks: Vec<Vec<f64>>,
    buys: Vec<Vec<f64>>,
    keeps: Vec<f64>,
    kept: Vec<bool>,
}

/// The combination with most pairs in the right order, the first of equal ones, those that say least first.
pub fn choose(
    heads: &Heads,
    params: &Rank,
    session: &Session,
    outcomes: &Outcomes,
    visits: &RecordBatch,
) -> Result<(Chosen, Vec<Tried>)> {
    let said = Said::of(heads, session, outcomes, visits)?;
    let order = |penalties: &[f64]| {
        let mut order: Vec<usize> = (0..penalties.len()).collect();
        order.sort_by(|a, b| penalties[*b].total_cmp(&penalties[*a]));
        order
    };
    let (mut tried, mut best) = (Vec::new(), None::<(f64, [usize; 2], f64)>);
    for weight in &params.look_weights {
        for look in order(&params.look_penalties) {
            for buy in order(&params.buy_penalties) {
                let found = said.right_order(look, buy, *weight);
                tried.push(Tried {
                    look_penalty: params.look_penalties[look],
                    buy_penalty: params.buy_penalties[buy],
                    weight: *weight,
                    right_order: found,
                });
                let found = found.unwrap_or_default();
                if best.as_ref().is_none_or(|(most, _, _)| found > *most) {
                    best = Some((found, [look, buy], *weight));
                }
            }
        }
    }
    let (_, [look, buy], weight) = best.unwrap_or((0.0, [0, 0], 1.0));
    let chosen = Chosen { look_penalty: params.look_penalties[look], buy_penalty: params.buy_penalties[buy], weight };
    Ok((chosen, tried))
}

impl Said {
    fn of(heads: &Heads, session: &Session, outcomes: &Outcomes, visits: &RecordBatch) -> Result<Self> {
        let mut said = Self {
            looks: vec![Vec::new(); heads.looks.len()],
            buys: vec![Vec::new(); heads.buys.len()],
            ..Self::default()
        };
        session.each(outcomes, visits, |rows, _| {
            let start = said.keeps.len();
            for visit in requests_of(rows)? {
                said.customers.push(customer(rows, visit.start)?);
                said.visits.push(start + visit.start..start + visit.end);
            }
            said.kept.extend(truths(rows, "sql/labels/visits.sql", "kept")?);
            let matrix = heads.columns.apply(rows)?;
            said.keeps.extend(matrix.rows().into_iter().map(|row| heads.keep.log_chance(row)));
            heads.looks.iter().zip(&mut said.looks).for_each(|(head, all)| all.extend(head.scores(matrix.view())));
            let buy = |score: f64| log_sigmoid(score);
            heads
                .buys
                .iter()
                .zip(&mut said.buys)
                .for_each(|(head, all)| all.extend(head.scores(matrix.view()).into_iter().map(buy)));
            Ok(())
        })?;
        Ok(said)
    }

    /// The scores of a visit's rows, as [`Chain`] works them out.
    fn scores(&self, visit: &std::ops::Range<usize>, look: usize, buy: usize, weight: f64) -> Vec<f64> {
        let looks = &self.looks[look][visit.clone()];
        let total = recommenders::maths::log_sum_exp(looks.iter().copied());
        let rest = self.buys[buy][visit.clone()].iter().zip(&self.keeps[visit.clone()]);
        looks.iter().zip(rest).map(|(look, (buy, keep))| weight * (look - total) + buy + keep).collect()
    }

    fn right_order(&self, look: usize, buy: usize, weight: f64) -> Option<f64> {
        let of_visit = |(visit, customer)| {
            let pairs = right_order(&self.scores(visit, look, buy, weight), &self.kept[visit.clone()]);
            Some((customer, pairs?))
        };
        let visits = self.visits.iter().zip(self.customers.iter().map(String::as_str));
        let means = by_customer(visits.filter_map(of_visit));
        (!means.is_empty()).then(|| means.values().sum::<f64>() / means.len() as f64)
    }
}

/// Holds rankings against popularity on visits that came after what each was fitted on; all of them count together.  With
/// the chances that scores stand for on those visits.
pub fn gate(
    rankings: &[(&Ranking, RecordBatch)],
    params: &Rank,
    places: usize,
    session: &Session,
    outcomes: &Outcomes,
) -> Result<(Gate, Option<Calibration>)> {
    let (mut all_scores, mut all_kept) = (Vec::new(), Vec::new());
    let mut board = Board::new(Protocol::ShelfVisit, &[POPULARITY, CHAIN]);
    for (ranking, visits) in rankings {
        session.each(outcomes, visits, |rows, shelves| {
            let baselines = baseline(shelves, "popular_in_shop")?;
            let scores = ranking.scores(rows)?;
            all_scores.extend_from_slice(&scores);
            all_kept.extend(truths(rows, "the shelf", "kept")?);
            judge(&mut board, rows, &[baselines, scores], params.seed, places)
        })?;
    }
    let judged = board.judged(params.draws, params.seed)?;
    let lead = judged.lead(CHAIN, &judged, POPULARITY, "right_order")?.map(|lead| Range {
        value: 100.0 * lead.value,
        low: 100.0 * lead.low,
        high: 100.0 * lead.high,
    });
    let customers = judged.customers as u64;
    let nothing = Says::TooEarly { more_customers: Figure::RightOrder.customers_needed(WORTH) };
    let says = lead.map_or(nothing, |lead| match verdict(Figure::RightOrder, lead, customers, WORTH) {
        Verdict::Ahead => Says::Ranking,
        Verdict::Behind => Says::PopularityIsBetter,
        Verdict::Alike => Says::PopularityIsAsGood,
        Verdict::TooEarly { more_customers } => Says::TooEarly { more_customers },
    });
    let calibration = match all_kept.is_empty() {
        true => None,
        false => Some(Calibration::fit(&all_scores, &all_kept).map_err(RankError::Model)?),
    };
    Ok((Gate { lead, customers, visits: judged.visits as u64, data: judged.data, says }, calibration))
}

/// Puts every visit of `rows` on the board, each ranking by its own scores.
pub fn judge(board: &mut Board, rows: &RecordBatch, rankings: &[Vec<f64>], seed: u64, places: usize) -> Result<()> {
    let (kept, looked) = (truths(rows, "the shelf", "kept")?, truths(rows, "the shelf", "looked")?);
    let (names, articles) = (shelf::requests(rows)?, shelf::articles(rows)?);
    for range in requests_of(rows)? {
        let lots = lots(seed, names[range.start], articles[range.clone()].iter().copied());
        let (kept, looked) = (&kept[range.clone()], &looked[range.clone()]);
        let visit = Visit { kept, looked, lots: &lots, places };
        let figures = rankings.iter().map(|scores| {
            let scores = &scores[range.clone()];
            visit.figures(scores, &visit.first(scores))
        });
        board.add(
            &customer(rows, range.start)?,
            &named(names[range.start], &articles[range.clone()], kept),
            figures.collect(),
        );
    }
    Ok(())
}

/// What tells a visit and its outcome from all others.
pub fn named(request: u64, articles: &[u64], kept: &[bool]) -> Vec<u8> {
    let found = articles.iter().zip(kept).filter(|(_, kept)| **kept).map(|(article, _)| article);
    std::iter::once(&request).chain(found).flat_map(|number| number.to_le_bytes()).collect()
}

/// Whose row it is.
pub fn customer(rows: &RecordBatch, row: usize) -> Result<String> {
    Ok(shelf::column(rows, "the shelf", shelf::KEY[0])?.as_string::<i32>().value(row).to_owned())
}

/// A column of what is held against the ranking.
pub fn baseline(shelves: &Shelves, name: &str) -> Result<Vec<f64>> {
    match &shelves.baselines {
        Some(baselines) => shelf::numbers(baselines, "sql/recommend/baselines.sql", name),
        None => Ok(vec![0.0; shelves.candidates.num_rows()]),
    }
}

impl Chosen {
    /// The chain of these penalties, of heads that were fitted with no others.
    pub fn only(&self, heads: &Heads) -> Option<Chain> {
        heads.chain(0, 0, self.weight)
    }
}
