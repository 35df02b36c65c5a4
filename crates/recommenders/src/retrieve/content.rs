//! The nearest description: what is described like what the customer liked.
//!
//! A taste is the sum of w v over the past, v a thing's description less the mean of those that anybody has seen, w by what
//! was done with it; a thing's score is the cosine of its v with the taste.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::{History, Interactions, Kind, Retriever};
use crate::{
    ModelError,
    dense::{add, cosine, dot},
    error::same_length,
};

/// Raised whenever the same past would get other scores.
pub const VERSION: u32 = 1;

/// Descriptions of things, centred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// One for each thing; a thing without description has zeros.
    descriptions: Vec<Vec<f64>>,
}

impl Content {
    /// `descriptions`: things x dimensions; a row with a cell that is not finite is a thing without description.  They are
    /// centred on the mean of the things that somebody has seen before the cut.
    ///
    /// # Errors
    /// Another number of things than the interactions'.
    pub fn fit(interactions: &Interactions, descriptions: ArrayView2<f64>) -> Result<Content, ModelError> {
        same_length("descriptions", descriptions.nrows(), interactions.things())?;
        let described = |row: &ndarray::ArrayView1<f64>| row.iter().all(|cell| cell.is_finite());
        let mut mean = vec![0.0; descriptions.ncols()];
        let mut count = 0.0;
        for (row, seen_by) in descriptions.rows().into_iter().zip(interactions.seen_by()) {
            if !seen_by.is_empty() && described(&row) {
                mean.iter_mut().zip(row).for_each(|(sum, cell)| *sum += cell);
                count += 1.0;
            }
        }
        mean.iter_mut().for_each(|sum| *sum /= f64::max(count, 1.0));
        let centred = |row: ndarray::ArrayView1<f64>| {
            if described(&row) {
                row.iter().zip(&mean).map(|(cell, mean)| cell - mean).collect()
            } else {
                vec![0.0; mean.len()]
            }
        };
        Ok(Content { descriptions: descriptions.rows().into_iter().map(centred).collect() })
    }

    /// What each past thing weighs: all that was done with it.
    fn past(&self, history: &History) -> Vec<(u32, f64)> {
        let mut past: Vec<(u32, f64)> = Vec::new();
        for event in history.events().iter().filter(|event| (event.thing as usize) < self.descriptions.len()) {
            let weight = weight(event.kind);
            match past.last_mut() {
                Some((thing, sum)) if *thing == event.thing => *sum += weight,
                _ => past.push((event.thing, weight)),
            }
        }
        past
    }

    fn taste(&self, past: &[(u32, f64)]) -> Vec<f64> {
        let mut taste = vec![0.0; self.descriptions.first().map_or(0, Vec::len)];
        past.iter().for_each(|(thing, weight)| add(&mut taste, *weight, &self.descriptions[*thing as usize]));
        taste
    }
}

/// How much a deed says of a taste.
fn weight(kind: Kind) -> f64 {
    match kind {
        Kind::Looked => 0.3,
        Kind::Wished => 1.0,
        Kind::Bought => 2.0,
        Kind::Returned => -1.5,
    }
}

impl Retriever for Content {
    fn name(&self) -> &'static str {
        "nearest description"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        let taste = self.taste(&self.past(history));
        self.descriptions.iter().map(|description| cosine(&taste, description)).collect()
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        let past = self.past(history);
        let (taste, Some(description)) = (self.taste(&past), self.descriptions.get(thing as usize)) else {
            return Vec::new();
        };
        let lengths = (dot(&taste, &taste) * dot(description, description)).sqrt();
        let part = |(other, weight): (u32, f64)| {
            (other, weight * dot(&self.descriptions[other as usize], description) / lengths)
        };
        past.into_iter().map(part).filter(|(_, part)| lengths > 0.0 && *part != 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Past, tests::*},
        *,
    };
    use ndarray::{Array2, array};

    #[test]
    fn this_version_finds_what_is_described_alike() {
        assert_eq!(VERSION, 1);
        let mut descriptions =
            array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.2], [-1.0, 0.0], [0.0, -1.0], [-1.0, -0.2], [1.0, 0.1], [0.0, 0.0]];
        descriptions[(7, 0)] = f64::NAN;
        let seen =
            (0..6).map(|thing| super::super::Event { customer: 0, past: Past { thing, kind: Kind::Looked, age: 1.0 } });
        let fitted = Content::fit(&Interactions::new(1, 8, seen).unwrap(), descriptions.view()).unwrap();
        let deed = |thing, kind| Past { thing, kind, age: 1.0 };
        let history = History::new([deed(0, Kind::Looked), deed(0, Kind::Bought), deed(1, Kind::Looked)]);
        // The taste is 2.3 (1, 0) + 0.3 (0, 1).
        let length = (2.3_f64 * 2.3 + 0.09).sqrt();
        near(&fitted.scores(&history)[..2], &[2.3 / length, 0.3 / length]);
        near(&fitted.scores(&history)[6..], &[(2.3 + 0.03) / length / 1.01_f64.sqrt(), 0.0]);
        adds_up(&fitted, &history);
        let returned = History::new([deed(0, Kind::Bought), deed(0, Kind::Returned), deed(3, Kind::Wished)]);
        near(&fitted.scores(&returned)[..2], &[-1.0, 0.0]);
        assert!(Content::fit(&Interactions::new(0, 1, []).unwrap(), descriptions.view()).is_err());
        odd_shops(|interactions| {
            let numbers = |(row, column): (usize, usize)| ((row * 7 + column * 3) % 11) as f64;
            Content::fit(interactions, Array2::from_shape_fn((interactions.things(), 4), numbers).view()).unwrap()
        });
    }
}
