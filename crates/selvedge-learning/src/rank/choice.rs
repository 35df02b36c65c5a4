//! Validation visits decide: which penalties, how much a look counts, what a score promises, and whether the ranking speaks
//! at all or popularity is as good.

use datafusion::arrow::array::{AsArray, RecordBatch};
use recommenders::blend::Blend;
use recommenders::calibration::Calibration;
use recommenders::chain::Chain;
use recommenders::metrics::{Figure, Range, Verdict, verdict};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::fit::Heads;
use super::fold::Fold;
use crate::protocol::{Board, Protocol, Visit, lots};
use crate::shelf::{self, Shelves, requests_of, truths};
use selvedge_project::error::Result;
use selvedge_project::params::Rank;

/// The smallest lead in right order, of 100 pairs, that somebody would act on.
const WORTH: f64 = 3.0;
/// The names of those that the gate compares.
pub const POPULARITY: &str = "popularity";
pub const CHAIN: &str = "chain";
/// What the chain and all others say together.
pub const BLEND: &str = "blend";
/// The two-tower.
pub const TOWER: &str = "two-tower";
/// Trees over the columns of the chain.
pub const BOOSTED: &str = "boosted trees";

/// The deep ones.
pub const DEEP: &str = "deep two-tower";
pub const SESSION: &str = "session transformer";

/// Those that may speak in the place of the chain, the first that leads it: the simplest first.
pub const SPEAKERS: [&str; 5] = [TOWER, BLEND, BOOSTED, DEEP, SESSION];

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
    /// The ranking that is held against popularity: the chain, unless another one leads it with its whole range.
    pub speaker: String,
    pub offered: Vec<Offered>,
}

/// A ranking that could have spoken, with how many more of 100 pairs it has in the right order than the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    pub ranking: String,
    pub lead: Option<Range>,
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

/// The combination with most pairs in the right order, the first of equal ones, those that say least first; with the places
/// of its penalties.
pub fn choose(fold: &Fold, params: &Rank) -> (Chosen, [usize; 2], Vec<Tried>) {
    let order = |penalties: &[f64]| {
        let mut order: Vec<usize> = (0..penalties.len()).collect();
        order.sort_by(|a, b| penalties[*b].total_cmp(&penalties[*a]));
        order
    };
    let (mut tried, mut best) = (Vec::new(), None::<(f64, [usize; 2], f64)>);
    for weight in &params.look_weights {
        for look in order(&params.look_penalties) {
            for buy in order(&params.buy_penalties) {
                let found = fold.right_order(&fold.chain(look, buy, *weight));
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
    (chosen, [look, buy], tried)
}

/// A fold, with the scores of the chosen chain.
pub type Scored = (Fold, Vec<f64>);

/// What validation has decided.
pub struct Decided {
    pub gate: Gate,
    /// From the scores of what speaks to chances.
    pub calibration: Option<Calibration>,
    /// How the chain and the voices are blended, where they are.
    pub blend: Option<Blend>,
}

/// Holds the rankings against each other, and what speaks against popularity, on visits that came after what each was fitted
/// on; all of them count together.  The blend that is judged on a fold was fitted on the others.
pub fn decide(folds: &[Scored], voices: &[&str], params: &Rank, places: usize) -> Result<Decided> {
    let mut blended = Vec::new();
    for (at, (fold, chain)) in folds.iter().enumerate() {
        let others: Vec<&Scored> = folds.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, f)| f).collect();
        let blend = fitted(&others, voices.len())?;
        blended.push(match &blend {
            Some(blend) => blend_of(blend, fold, chain)?,
            None => chain.clone(),
        });
    }
    let names: Vec<&str> = [POPULARITY, CHAIN, BLEND].into_iter().chain(voices.iter().copied()).collect();
    let mut board = Board::new(Protocol::ShelfVisit, &names);
    let all = |at: usize| -> Vec<&[f64]> {
        let (fold, chain) = &folds[at];
        let mut all = vec![fold.popularity.as_slice(), chain, &blended[at]];
        all.extend(fold.voices.iter().map(Vec::as_slice));
        all
    };
    (0..folds.len()).for_each(|at| folds[at].0.put_on(&mut board, &all(at), places));
    let judged = board.judged(params.draws, params.seed)?;
    let lead = |ranking: &str, over: &str| -> Result<Option<Range>> {
        let lead = judged.lead(ranking, &judged, over, "right_order")?;
        Ok(lead.map(|lead| Range { value: 100.0 * lead.value, low: 100.0 * lead.low, high: 100.0 * lead.high }))
    };
    let mut offered = Vec::new();
    for name in names.iter().copied().filter(|name| *name != CHAIN) {
        offered.push(Offered { ranking: name.to_owned(), lead: lead(name, CHAIN)? });
    }
    let ahead =
        |name: &str| offered.iter().any(|other| other.ranking == name && other.lead.is_some_and(|lead| lead.low > 0.0));
    let speaker = SPEAKERS.into_iter().find(|name| ahead(name)).unwrap_or(CHAIN);
    let place = names.iter().position(|name| *name == speaker).unwrap_or(1);
    let blend = match speaker {
        BLEND => fitted(&folds.iter().collect::<Vec<_>>(), voices.len())?,
        CHAIN => None,
        // One voice alone is a blend in which nothing else has a weight.
        _ => Some(Blend {
            weights: (1..=voices.len() + 1).map(|at| f64::from(u8::from(at + 1 == place))).collect(),
            intercept: 0.0,
        }),
    };
    let lead = lead(speaker, POPULARITY)?;
    let customers = judged.customers as u64;
    let nothing = Says::TooEarly { more_customers: Figure::RightOrder.customers_needed(WORTH) };
    let says = lead.map_or(nothing, |lead| match verdict(Figure::RightOrder, lead, customers, WORTH) {
        Verdict::Ahead => Says::Ranking,
        Verdict::Behind => Says::PopularityIsBetter,
        Verdict::Alike => Says::PopularityIsAsGood,
        Verdict::TooEarly { more_customers } => Says::TooEarly { more_customers },
    });
    let scores: Vec<f64> = (0..folds.len()).flat_map(|at| all(at)[place].to_vec()).collect();
    let kept: Vec<bool> = folds.iter().flat_map(|(fold, _)| fold.kept.iter().copied()).collect();
    let calibration = match kept.is_empty() {
        true => None,
        false => Some(Calibration::fit(&scores, &kept).map_err(RankError::Model)?),
    };
    let (visits, data, speaker) = (judged.visits as u64, judged.data, speaker.to_owned());
    Ok(Decided { gate: Gate { lead, customers, visits, data, says, speaker, offered }, calibration, blend })
}

/// A blend of the chain and the voices on these folds; none where they have nothing to tell.
fn fitted(folds: &[&Scored], voices: usize) -> Result<Option<Blend>> {
    let shelves = |scored: &&Scored| {
        let (fold, chain) = *scored;
        let scores: Vec<&[f64]> =
            std::iter::once(chain.as_slice()).chain(fold.voices.iter().map(Vec::as_slice)).collect();
        fold.shelves(&scores)
    };
    let shelves: Vec<_> = folds.iter().flat_map(shelves).collect();
    if shelves.is_empty() || voices == 0 {
        return Ok(None);
    }
    Ok(Some(Blend::fit(voices + 1, &shelves).map_err(RankError::Model)?))
}

fn blend_of(blend: &Blend, fold: &Fold, chain: &[f64]) -> Result<Vec<f64>> {
    fold.by_shelf(|visit| {
        let scores = std::iter::once(chain).chain(fold.voices.iter().map(Vec::as_slice));
        let scores: Vec<Vec<f64>> = scores.map(|scores| scores[visit.clone()].to_vec()).collect();
        Ok(blend.scores(&scores).map_err(RankError::Model)?)
    })
}

/// Puts every visit of `rows` on the board, each ranking by its own scores; `others`: with which articles of a request pairs are
/// made, where not with all.
pub fn judge(
    board: &mut Board,
    rows: &RecordBatch,
    rankings: &[Vec<f64>],
    others: &dyn Fn(u64, &[u64]) -> Option<Vec<bool>>,
    (seed, places): (u64, usize),
) -> Result<()> {
    let (kept, looked) = (truths(rows, "the shelf", "kept")?, truths(rows, "the shelf", "looked")?);
    let (names, articles) = (shelf::requests(rows)?, shelf::articles(rows)?);
    for range in requests_of(rows)? {
        let lots = lots(seed, names[range.start], articles[range.clone()].iter().copied());
        let (kept, looked) = (&kept[range.clone()], &looked[range.clone()]);
        let others = others(names[range.start], &articles[range.clone()]);
        let visit = Visit { kept, looked, others: others.as_deref(), lots: &lots, places };
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
