//! A fitted ranking: the shelf of a request in order, and what each feature adds to each place.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use ndarray::{Array2, ArrayView1, ArrayView2, s};
use rayon::prelude::*;
use recommenders::blend::Blend;
use recommenders::calibration::Calibration;
use recommenders::chain::Chain;
use recommenders::rank::{Contributions, Part, Ranker};
use recommenders::retrieve::History;
use serde::{Deserialize, Serialize};

use super::RankError;
use super::choice::customer;
use super::matrix::Columns;
use super::retrieval::Retrieval;
use super::voices::{Voice, Voices};
use crate::shelf::{Past, Session, Things, moments, requests_of};
use selvedge_project::error::Result;

/// Rows whose matrix stands in memory at a time, of each thread.
const CHUNK: usize = 1 << 13;

/// What history adds to the scores of a blend, where it says more than features do.
const TOGETHER: &str = "what customers did with the same things";

/// The chain with the matrix it reads, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    pub columns: Columns,
    pub chain: Chain,
    /// Those that count something beside the chain; nothing where it speaks alone.
    pub voices: Voices,
    /// How much of the chain and of each voice counts; none where the chain speaks alone.
    pub blend: Option<Blend>,
    /// From a score to the chance that the article is bought and kept.
    pub calibration: Option<Calibration>,
    /// What long shelves are searched by before they are ranked; none where they are ranked whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrieval: Option<Retrieval>,
}

/// A shelf in order, with the rows that were chosen from it taken apart.
pub struct Listed<C> {
    /// Where its rows stand.
    pub rows: Range<usize>,
    pub scores: Vec<f64>,
    pub chosen: C,
    /// For each row that was chosen, what each of [`Ranking::groups`] adds to its score against the middle of the shelf; no row
    /// where reasons were not wanted.
    pub parts: Array2<f64>,
}

/// What a part of a score comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub feature: String,
    /// The feature of the customer that it is crossed with, and the value; none where it stands alone.
    pub crossed: Option<(String, String)>,
}

impl Ranking {
    /// What the ranking must know of what customers did; nothing where the chain, which reads it from features, speaks alone of
    /// whole shelves.
    pub fn past(&self, session: &Session) -> Result<Past> {
        self.past_among(session, self.things(session)?)
    }

    /// The same where the [`Ranking::things`] are known.
    pub fn past_among(&self, session: &Session, things: Arc<Things>) -> Result<Past> {
        let reads = self.blend.is_some() || self.retrieval.is_some();
        if reads { Past::of(session, things) } else { Ok(Past::default()) }
    }

    /// The things that history is read of; none where the chain speaks alone of whole shelves.
    pub fn things(&self, session: &Session) -> Result<Arc<Things>> {
        let known = match (&self.blend, &self.retrieval) {
            (None, None) => return Ok(Arc::default()),
            (None, Some(retrieval)) => &retrieval.things,
            (Some(_), _) => &self.voices.things,
        };
        Things::of(session, Some(known)).map(Arc::new)
    }

    /// The `count` things that each generator of the blend puts first.
    pub fn generated(&self, history: &History, count: usize) -> Vec<u32> {
        self.voices.all.iter().flat_map(|voice| voice.first(history, count)).collect()
    }

    /// The score of each row: higher first, within a request.  Rows are in the order of their key.
    pub fn scores(&self, rows: &RecordBatch, past: &Past) -> Result<Vec<f64>> {
        let histories = Histories::of(rows, past)?;
        self.by_request(rows, |_, range, shelf| self.blended(&self.said(range, shelf, &histories)?.0))
    }

    /// The same by the chain alone.
    pub fn chain_scores(&self, rows: &RecordBatch) -> Result<Vec<f64>> {
        self.by_request(rows, |_, _, shelf| Ok(self.chain.scores(shelf).map_err(RankError::Model)?))
    }

    /// What the chain and the voices say of a shelf, and the history that these read.
    fn said(
        &self,
        range: &Range<usize>,
        shelf: ArrayView2<f64>,
        histories: &Histories,
    ) -> Result<(Vec<Vec<f64>>, History)> {
        let mut said = vec![self.chain.scores(shelf).map_err(RankError::Model)?];
        if self.blend.is_none() {
            return Ok((said, History::default()));
        }
        let (history, things) = histories.of_shelf(range)?;
        said.extend(self.voices.scores(shelf, &history, &things)?);
        Ok((said, history))
    }

    fn blended(&self, said: &[Vec<f64>]) -> Result<Vec<f64>> {
        match &self.blend {
            Some(blend) => Ok(blend.scores(said).map_err(RankError::Model)?),
            None => Ok(said.first().cloned().unwrap_or_default()),
        }
    }

    /// The chance that an article of this score is bought and kept.
    pub fn chance(&self, score: f64) -> Option<f64> {
        self.calibration.as_ref().map(|calibration| calibration.chance(score))
    }

    /// What the parts of a score come from, in alphabetical order: a feature, or a cross for one value of a customer.
    pub fn groups(&self) -> Result<Vec<Group>> {
        // The parts are those of the terms, whatever the rows; a shelf of one empty row names them.
        let none = Array2::zeros((1, self.columns.width()));
        let chain = self.chain.contributions(none.view(), &[]).map_err(RankError::Model)?.parts;
        let mut groups: BTreeSet<Group> = chain.iter().map(|part| self.group(part)).collect();
        if self.blend.is_some() {
            groups.insert(Group { feature: TOGETHER.into(), crossed: None });
            // Trees ask about any column.
            groups.extend((0..self.columns.width()).map(|at| self.group(&Part::Column(at))));
        }
        Ok(groups.into_iter().collect())
    }

    fn group(&self, part: &Part) -> Group {
        let source = |at: usize| &self.columns.sources[at];
        match part {
            Part::Column(at) => Group { feature: source(*at).feature.clone(), crossed: None },
            Part::Cross { column, by } => {
                let by = source(*by);
                let crossed = Some((by.feature.clone(), by.value.clone()));
                Group { feature: source(*column).feature.clone(), crossed }
            }
            Part::Kept => Group { feature: source(self.columns.codes()[0]).feature.clone(), crossed: None },
        }
    }

    /// What each group adds to the scores of some rows of a shelf, against the middle of the shelf.
    fn parts(
        &self,
        groups: &[Group],
        shelf: ArrayView2<f64>,
        said: &[Vec<f64>],
        history: &History,
        rows: &[usize],
    ) -> Result<Array2<f64>> {
        let mut parts = Array2::zeros((rows.len(), groups.len()));
        let place = |group: &Group| groups.binary_search(group).unwrap_or_default();
        let together = || place(&Group { feature: TOGETHER.into(), crossed: None });
        let places = |of: &Contributions| of.parts.iter().map(|part| place(&self.group(part))).collect::<Vec<usize>>();
        let slopes = self.blend.as_ref().map_or_else(|| vec![1.0], |blend| blend.slopes(said));
        let chain = self.chain.contributions(shelf, rows).map_err(RankError::Model)?;
        add(&mut parts, slopes[0], &places(&chain), chain.values.rows());
        let others = self.voices.all.iter().zip(said.iter().zip(&slopes).skip(1));
        for (voice, (scores, slope)) in others.filter(|(_, (_, slope))| **slope != 0.0) {
            match voice {
                Voice::TwoTower(tower) => {
                    let (of, values) = tower.parts(shelf, history, rows)?;
                    let place =
                        |part: &Option<Part>| part.as_ref().map_or_else(together, |part| place(&self.group(part)));
                    add(&mut parts, *slope, &of.iter().map(place).collect::<Vec<usize>>(), values.rows());
                }
                Voice::Boosted(trees) => {
                    let of = trees.contributions(shelf, rows).map_err(RankError::Model)?;
                    add(&mut parts, *slope, &places(&of), of.values.rows());
                }
                Voice::Deep(_) | Voice::Generator(_) => {
                    let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
                    let more = Array2::from_shape_fn((rows.len(), 1), |(row, _)| scores[rows[row]] - mean);
                    add(&mut parts, *slope, &[together()], more.rows());
                }
            }
        }
        Ok(parts)
    }

    /// Puts each shelf in order, has `choose` choose from it (its number and scores in; the chosen rows and what else is to
    /// be known of the choice out), and takes the scores of what was chosen `apart`, where reasons are wanted: each shelf is read
    /// once.
    pub fn lists<C: Send>(
        &self,
        rows: &RecordBatch,
        past: &Past,
        apart: bool,
        choose: impl Fn(usize, &[f64]) -> (Vec<usize>, C) + Sync,
    ) -> Result<Vec<Listed<C>>> {
        let groups = self.groups()?;
        let histories = Histories::of(rows, past)?;
        self.by_request(rows, |at, range, shelf| {
            let (said, history) = self.said(range, shelf, &histories)?;
            let scores = self.blended(&said)?;
            let (rows, chosen) = choose(at, &scores);
            let parts = match apart {
                true => self.parts(&groups, shelf, &said, &history, &rows)?,
                false => Array2::zeros((0, groups.len())),
            };
            Ok(vec![Listed { rows: range.clone(), scores, chosen, parts }])
        })
    }

    /// What `of` says of each row of the shelf of each request; some shelves at a time, side by side.
    fn by_request<T: Send>(
        &self,
        rows: &RecordBatch,
        of: impl Fn(usize, &Range<usize>, ArrayView2<f64>) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let found: Vec<Result<Vec<T>>> = together(requests_of(rows)?)
            .into_par_iter()
            .map(|shelves| {
                let (Some((_, first)), Some((_, last))) = (shelves.first(), shelves.last()) else {
                    return Ok(Vec::new());
                };
                let start = first.start;
                let matrix = self.columns.apply(&rows.slice(start, last.end - start))?;
                let mut found = Vec::new();
                for (at, shelf) in &shelves {
                    found.extend(of(*at, shelf, matrix.slice(s![shelf.start - start..shelf.end - start, ..]))?);
                }
                Ok(found)
            })
            .collect();
        let mut all = Vec::new();
        for part in found {
            all.extend(part?);
        }
        Ok(all)
    }
}

/// Adds rows of values, times `slope`, to the places of the parts they are of.
fn add<'a>(
    parts: &mut Array2<f64>,
    slope: f64,
    places: &[usize],
    values: impl IntoIterator<Item = ArrayView1<'a, f64>>,
) {
    for (mut sums, values) in parts.rows_mut().into_iter().zip(values) {
        values.iter().zip(places).for_each(|(value, place)| sums[*place] += slope * value);
    }
}

/// The histories of those whose shelves these are.
struct Histories<'a> {
    rows: &'a RecordBatch,
    past: &'a Past,
    moments: Vec<i64>,
}

impl<'a> Histories<'a> {
    fn of(rows: &'a RecordBatch, past: &'a Past) -> Result<Self> {
        Ok(Self { rows, past, moments: moments(rows, "the shelf", "as_of")? })
    }

    /// What the customer did before, and the thing of each row of the shelf.
    fn of_shelf(&self, range: &Range<usize>) -> Result<(History, Vec<Option<u32>>)> {
        let history = self.past.history(&customer(self.rows, range.start)?, self.moments[range.start]);
        Ok((history, self.past.of_rows(self.rows, range)?))
    }
}

/// Shelves that are worked on together, each with its number.
pub fn together(shelves: Vec<Range<usize>>) -> Vec<Vec<(usize, Range<usize>)>> {
    let mut all: Vec<Vec<(usize, Range<usize>)>> = Vec::new();
    for (at, shelf) in shelves.into_iter().enumerate() {
        match all.last_mut() {
            Some(last) if last.first().is_some_and(|(_, first)| shelf.end - first.start <= CHUNK) => {
                last.push((at, shelf))
            }
            _ => all.push(vec![(at, shelf)]),
        }
    }
    all
}
