//! Rankings that stand beside the chain for validation to choose from: a two-tower and trees over the columns of the chain,
//! and what customers did with the same things.

use ndarray::ArrayView2;
use recommenders::ModelError;
use recommenders::boosted::{Boosted, BoostedSettings};
use recommenders::rank::Ranker;
use recommenders::retrieve::{
    Ease, History, Ials, IalsSettings, ItemKnn, ItemKnnSettings, Recency, Retriever, Rp3Beta, Rp3BetaSettings,
};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::choice::{BOOSTED, TOWER};
use super::fit::Heads;
use super::known::Known;
use super::tower::TwoTower;
use crate::shelf::{Past, Thing, requests_of};
use selvedge_project::error::Result;

/// Of the boosted trees: fewer and bolder than by themselves, because each fit of the stage costs seconds.
const TREES: usize = 60;
const RATE: f64 = 0.12;
const COLUMNS: f64 = 0.25;
/// Of EASE, whose penalty decides little between 30 and 1,000.
const EASE_PENALTY: f64 = 300.0;
/// In days, how fast the past fades.
const HALF_LIFE: f64 = 180.0;

/// One of them, fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Voice {
    TwoTower(TwoTower),
    Boosted(Boosted),
    ItemKnn(ItemKnn),
    Rp3Beta(Rp3Beta),
    Ease(Ease),
    Ials(Ials),
}

/// All of them, with the things in the order of the numbers that they have there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Voices {
    pub all: Vec<Voice>,
    pub things: Vec<Thing>,
}

impl Voice {
    /// Its name in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TwoTower(_) => TOWER,
            Self::Boosted(_) => BOOSTED,
            Self::ItemKnn(_) => "item-kNN",
            Self::Rp3Beta(_) => "RP3beta",
            Self::Ease(_) => "EASE",
            Self::Ials(_) => "iALS",
        }
    }

    fn scores(&self, shelf: ArrayView2<f64>, history: &History, things: &[Option<u32>]) -> Result<Vec<f64>> {
        let retriever: &dyn Retriever = match self {
            Self::TwoTower(tower) => return tower.scores(shelf, history),
            Self::Boosted(trees) => return Ok(trees.scores(shelf).map_err(RankError::Model)?),
            Self::ItemKnn(fitted) => fitted,
            Self::Rp3Beta(fitted) => fitted,
            Self::Ease(fitted) => fitted,
            Self::Ials(fitted) => fitted,
        };
        let scores = retriever.scores(history);
        // What nobody has seen has nothing that speaks for it.
        let of = |thing: &Option<u32>| thing.and_then(|thing| scores.get(thing as usize)).copied().unwrap_or_default();
        Ok(things.iter().map(of).collect())
    }
}

impl Voices {
    /// Fits those that can be, on what was known at `cut` (nanoseconds); `matrix`: the rows as the chain reads them.
    pub fn fit(
        known: &Known,
        (heads, matrix): (&Heads, ArrayView2<f64>),
        past: &Past,
        cut: i64,
        seed: u64,
    ) -> Result<Self> {
        let tower = TwoTower::fit(known, matrix, past, &heads.columns.sides, heads.keep.clone(), seed)?;
        let label = |row: usize| match (known.looked[row], known.bought[row], known.kept[row]) {
            (true, Some(true), Some(true)) => 4,
            (true, Some(true), _) => 3,
            (true, _, _) => 1,
            (false, _, _) => 0,
        };
        let labels: Vec<u8> = (0..known.looked.len()).map(label).collect();
        let queries: Vec<usize> = requests_of(known.rows().rows())?.iter().map(ExactSizeIterator::len).collect();
        let settings =
            BoostedSettings { seed, trees: TREES, rate: RATE, columns: COLUMNS, ..BoostedSettings::default() };
        let interactions = past.interactions(cut)?;
        let recency = Recency::HalfLife(HALF_LIFE);
        let fitted = [
            Boosted::fit(matrix, &labels, &queries, settings).map(Voice::Boosted),
            ItemKnn::fit(&interactions, ItemKnnSettings::default()).map(Voice::ItemKnn),
            Rp3Beta::fit(&interactions, Rp3BetaSettings::default()).map(Voice::Rp3Beta),
            Ease::fit(&interactions, EASE_PENALTY, recency).map(Voice::Ease),
            Ials::fit(&interactions, IalsSettings::default()).map(Voice::Ials),
        ];
        let mut all = vec![Voice::TwoTower(tower)];
        for voice in fitted {
            match voice {
                // A catalogue too long for a full matrix has one voice less.
                Err(ModelError::TooMany { .. }) => {}
                voice => all.push(voice.map_err(RankError::Model)?),
            }
        }
        Ok(Self { all, things: past.things.clone() })
    }

    /// What each says of a shelf.
    pub fn scores(&self, shelf: ArrayView2<f64>, history: &History, things: &[Option<u32>]) -> Result<Vec<Vec<f64>>> {
        self.all.iter().map(|voice| voice.scores(shelf, history, things)).collect()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.all.iter().map(Voice::name).collect()
    }
}
