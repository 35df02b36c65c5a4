//! Visits that came after everything that rankings were fitted on, with what each of them says of every shelf.

use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use ndarray::s;
use recommenders::maths::{log_sigmoid, log_sum_exp};
use recommenders::metrics::{by_customer, right_order};

use super::choice::{baseline, customer, named};
use super::fit::Heads;
use super::model::together;
use super::voices::Voices;
use crate::protocol::{Board, Visit, lots};
use crate::shelf::{self, Outcomes, Past, Session, moments, requests_of, truths};
use selvedge_project::error::Result;

/// Articles that stand for the rest of a long shelf.
const BESIDE: usize = 300;

/// The visits, row by row of their shelves; each shelf is read once.
#[derive(Default)]
pub struct Fold {
    /// Rows of each visit.
    visits: Vec<Range<usize>>,
    /// Of each visit whose it is, and what tells it and its outcome from all others.
    customers: Vec<String>,
    names: Vec<Vec<u8>>,
    pub kept: Vec<bool>,
    looked: Vec<bool>,
    lots: Vec<u64>,
    /// What each head of the chain says, by penalty.
    looks: Vec<Vec<f64>>,
    buys: Vec<Vec<f64>>,
    keeps: Vec<f64>,
    pub popularity: Vec<f64>,
    /// What each voice says.
    pub voices: Vec<Vec<f64>>,
}

impl Fold {
    pub fn of(
        heads: &Heads,
        (voices, past): (&Voices, &Past),
        session: &Session,
        outcomes: &Outcomes,
        visits: &RecordBatch,
        seed: u64,
    ) -> Result<Self> {
        let mut fold = Self {
            looks: vec![Vec::new(); heads.looks.len()],
            buys: vec![Vec::new(); heads.buys.len()],
            voices: vec![Vec::new(); voices.all.len()],
            ..Self::default()
        };
        // Of long shelves a draw stands for the rest: the share of pairs in the right order is the same but for chance.
        let on_sale = session.on_sale()?;
        let drawn = |requests: &RecordBatch| {
            on_sale.beside(requests, &session.drawn(&on_sale, outcomes, requests, seed, BESIDE)?)
        };
        let drawn: Option<&dyn Fn(&RecordBatch) -> Result<RecordBatch>> =
            if session.is_long()? { Some(&drawn) } else { None };
        session.each(outcomes, visits, drawn, |rows, shelves| {
            let start = fold.keeps.len();
            let kept = truths(rows, "sql/labels/visits.sql", "kept")?;
            let (requests, articles) = (shelf::requests(rows)?, shelf::articles(rows)?);
            let begun = moments(rows, "the shelf", "as_of")?;
            for group in together(requests_of(rows)?) {
                let (Some((_, first)), Some((_, last))) = (group.first(), group.last()) else { continue };
                let from = first.start;
                let matrix = heads.columns.apply(&rows.slice(from, last.end - from))?;
                for (_, visit) in &group {
                    let owner = customer(rows, visit.start)?;
                    let of_visit = matrix.slice(s![visit.start - from..visit.end - from, ..]);
                    let history = past.history(&owner, begun[visit.start]);
                    let said = voices.scores(of_visit, &history, &past.of_rows(rows, visit)?)?;
                    fold.voices.iter_mut().zip(said).for_each(|(all, said)| all.extend(said));
                    fold.names.push(named(requests[visit.start], &articles[visit.clone()], &kept[visit.clone()]));
                    fold.lots.extend(lots(seed, requests[visit.start], articles[visit.clone()].iter().copied()));
                    fold.customers.push(owner);
                    fold.visits.push(start + visit.start..start + visit.end);
                }
                fold.keeps.extend(matrix.rows().into_iter().map(|row| heads.keep.log_chance(row)));
                heads.looks.iter().zip(&mut fold.looks).for_each(|(head, all)| all.extend(head.scores(matrix.view())));
                let buys = heads.buys.iter().zip(&mut fold.buys);
                buys.for_each(|(head, all)| all.extend(head.scores(matrix.view()).into_iter().map(log_sigmoid)));
            }
            fold.kept.extend(kept);
            fold.looked.extend(truths(rows, "sql/labels/visits.sql", "looked")?);
            fold.popularity.extend(baseline(shelves, "popular_in_shop")?);
            Ok(())
        })?;
        Ok(fold)
    }

    /// The scores of the chain of one combination, as [`recommenders::chain::Chain`] works them out.
    pub fn chain(&self, look: usize, buy: usize, weight: f64) -> Vec<f64> {
        let mut scores = Vec::with_capacity(self.keeps.len());
        for visit in &self.visits {
            let looks = &self.looks[look][visit.clone()];
            let total = log_sum_exp(looks.iter().copied());
            let rest = self.buys[buy][visit.clone()].iter().zip(&self.keeps[visit.clone()]);
            scores.extend(looks.iter().zip(rest).map(|(look, (buy, keep))| weight * (look - total) + buy + keep));
        }
        scores
    }

    /// The share of pairs that the scores have in the right order, each customer once; none where nothing was kept.
    pub fn right_order(&self, scores: &[f64]) -> Option<f64> {
        let of_visit = |(visit, customer): (&Range<usize>, &'_ String)| {
            right_order(&scores[visit.clone()], &self.kept[visit.clone()]).map(|pairs| (customer.clone(), pairs))
        };
        let visits: Vec<(String, f64)> = self.visits.iter().zip(&self.customers).filter_map(of_visit).collect();
        let means = by_customer(visits.iter().map(|(customer, pairs)| (customer.as_str(), *pairs)));
        (!means.is_empty()).then(|| means.values().sum::<f64>() / means.len() as f64)
    }

    /// Puts every visit on the board, each ranking by its own scores.
    pub fn put_on(&self, board: &mut Board, rankings: &[&[f64]], places: usize) {
        for (at, visit) in self.visits.iter().enumerate() {
            let (kept, looked) = (&self.kept[visit.clone()], &self.looked[visit.clone()]);
            let judged = Visit { kept, looked, others: None, lots: &self.lots[visit.clone()], places };
            let figures = rankings.iter().map(|scores| {
                let scores = &scores[visit.clone()];
                judged.figures(scores, &judged.first(scores))
            });
            board.add(&self.customers[at], &self.names[at], figures.collect());
        }
    }

    /// The shelves of visits in which something was kept, as a blend learns from them: for each ranking the scores.
    pub fn shelves(&self, rankings: &[&[f64]]) -> Vec<recommenders::blend::Shelf> {
        let told = self.visits.iter().filter(|visit| self.kept[(*visit).clone()].contains(&true));
        let shelf = |visit: &Range<usize>| recommenders::blend::Shelf {
            scores: rankings.iter().map(|scores| scores[visit.clone()].to_vec()).collect(),
            targets: self.kept[visit.clone()].to_vec(),
        };
        told.map(shelf).collect()
    }

    /// A score for each row, made of those of its shelf by `of`.
    pub fn by_shelf(&self, of: impl Fn(&Range<usize>) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(self.keeps.len());
        for visit in &self.visits {
            scores.extend(of(visit)?);
        }
        Ok(scores)
    }
}
