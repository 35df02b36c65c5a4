//! Rankings that stand beside the chain for validation to choose from: two-towers and trees over the columns of the chain,
//! what customers did with the same things, and what they did last.

use ndarray::ArrayView2;
use recommenders::ModelError;
use recommenders::blend::Blend;
use recommenders::boosted::{Boosted, BoostedSettings};
use recommenders::lists::top_by;
use recommenders::rank::Ranker;
use recommenders::retrieve::{
    Ease, History, Ials, IalsSettings, Interactions, ItemKnn, ItemKnnSettings, Recency, Retriever, Rp3Beta,
    Rp3BetaSettings,
};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::choice::{self, BOOSTED, DEEP, TOWER};
use super::deep::{Deep, Tasks};
use super::fit::Heads;
use super::known::Known;
use super::tower::{Shown, TwoTower};
use crate::shelf::{Past, Thing, requests_of};
use selvedge_project::error::Result;
use selvedge_project::params::Rank;

/// Of the boosted trees: fewer and bolder than by themselves, because each fit of the stage costs seconds.
const TREES: usize = 60;
const RATE: f64 = 0.12;
const COLUMNS: f64 = 0.25;
/// Of EASE, whose penalty decides little between 30 and 1,000.
const EASE_PENALTY: f64 = 300.0;
/// In days, how fast the past fades.
const HALF_LIFE: f64 = 180.0;
/// How much less each step back counts, where what was done last says most.
const SESSION: f64 = 0.8;

/// What customers did with the same things: one line a generator, with its name, its module, and how it is fitted.
macro_rules! generators {
    ($($name:literal $kind:ident($model:ident) of $module:ident: $fit:expr;)*) => {
        /// A generator of candidates, fitted.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Generator {
            $($kind($model),)*
        }

        impl Generator {
            const NAMES: &[&str] = &[$($name,)*];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $name,)*
                }
            }

            fn retriever(&self) -> &dyn Retriever {
                match self {
                    $(Self::$kind(fitted) => fitted,)*
                }
            }

            fn fit_all(
                known: &Interactions,
                wanted: &dyn Fn(&str) -> bool,
            ) -> Vec<std::result::Result<Self, ModelError>> {
                let mut all = Vec::new();
                $(if wanted($name) {
                    all.push(($fit)(known).map(Self::$kind));
                })*
                all
            }
        }

        /// Of each generator: what a remembered fit was made by.
        pub const VERSIONS: &[u32] = &[$(recommenders::retrieve::$module::VERSION,)*];
    };
}

generators! {
    "item-kNN" ItemKnn(ItemKnn) of item_knn: |known| ItemKnn::fit(known, ItemKnnSettings::default());
    "session kNN" SessionKnn(ItemKnn) of item_knn: |known| {
        ItemKnn::fit(known, ItemKnnSettings { recency: Recency::Steps(SESSION), ..ItemKnnSettings::default() })
    };
    "RP3beta" Rp3Beta(Rp3Beta) of rp3beta: |known| Rp3Beta::fit(known, Rp3BetaSettings::default());
    "EASE" Ease(Ease) of ease: |known| Ease::fit(known, EASE_PENALTY, Recency::HalfLife(HALF_LIFE));
    "iALS" Ials(Ials) of ials: |known| Ials::fit(known, IalsSettings::default());
}

/// One of them, fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Voice {
    TwoTower(TwoTower),
    Boosted(Boosted),
    Deep(Box<Deep>),
    Generator(Generator),
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
            Self::Deep(deep) => deep.name(),
            Self::Generator(generator) => generator.name(),
        }
    }

    /// The `count` things that it puts first, where it says something of things without a shelf.
    pub fn first(&self, history: &History, count: usize) -> Vec<u32> {
        let Self::Generator(generator) = self else { return Vec::new() };
        let scores = generator.retriever().scores(history);
        let found = top_by(scores.len(), count, |thing| scores[thing], |thing| scores[thing] > 0.0);
        found.into_iter().map(|(thing, _)| thing).collect()
    }

    fn scores(&self, shelf: ArrayView2<f64>, history: &History, things: &[Option<u32>]) -> Result<Vec<f64>> {
        let scores = match self {
            Self::TwoTower(tower) => return tower.scores(shelf, history),
            Self::Boosted(trees) => return Ok(trees.scores(shelf).map_err(RankError::Model)?),
            Self::Deep(deep) => return deep.scores(shelf, history),
            Self::Generator(generator) => generator.retriever().scores(history),
        };
        // What nobody has seen has nothing that speaks for it.
        let of = |thing: &Option<u32>| thing.and_then(|thing| scores.get(thing as usize)).copied().unwrap_or_default();
        Ok(things.iter().map(of).collect())
    }
}

impl Voices {
    /// Fits those whose names are `wanted` and that can be, on what was known at `cut` (nanoseconds); `matrix`: the rows as the
    /// chain reads them.
    pub fn fit(
        known: &Known,
        (heads, matrix): (&Heads, ArrayView2<f64>),
        past: &Past,
        cut: i64,
        params: &Rank,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Self> {
        let (seed, sides) = (params.seed, &heads.columns.sides);
        let shown = Shown::of(known, matrix, past, sides)?;
        let tasks = match params.deep && [DEEP, choice::SESSION].into_iter().any(|name| wanted(name)) {
            true => Some(Tasks::of(known, matrix, (&shown, sides), (past, cut), seed)?),
            false => None,
        };
        // The program that learns the deep ones works beside this one.
        let (deep, others) = std::thread::scope(|scope| {
            let deep = tasks.map(|tasks| scope.spawn(move || tasks.learned()));
            let others = Self::others(known, (heads, matrix), (past, cut), (&shown, seed), wanted);
            (deep.map(|learned| learned.join()), others)
        });
        let mut all = others?;
        match deep {
            None => {}
            Some(Ok(learned)) => {
                let wanted = learned?.into_iter().filter(|deep| wanted(deep.name()));
                all.extend(wanted.map(|deep| Voice::Deep(Box::new(deep))));
            }
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
        Ok(Self { all, things: past.things.keys.clone() })
    }

    /// Those that are learned here.
    fn others(
        known: &Known,
        (heads, matrix): (&Heads, ArrayView2<f64>),
        (past, cut): (&Past, i64),
        (shown, seed): (&Shown, u64),
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Voice>> {
        let mut all = Vec::new();
        if wanted(TOWER) {
            all.push(Voice::TwoTower(TwoTower::fit(matrix, shown, &heads.columns.sides, heads.keep.clone(), seed)?));
        }
        if wanted(BOOSTED) {
            all.push(Voice::Boosted(Self::boosted(known, matrix, seed)?));
        }
        if !Generator::NAMES.iter().any(|name| wanted(name)) {
            return Ok(all);
        }
        for voice in Generator::fit_all(&past.interactions(cut)?, wanted) {
            match voice {
                // A catalogue too long for a full matrix has one voice less.
                Err(ModelError::TooMany { .. }) => {}
                voice => all.push(Voice::Generator(voice.map_err(RankError::Model)?)),
            }
        }
        Ok(all)
    }

    fn boosted(known: &Known, matrix: ArrayView2<f64>, seed: u64) -> Result<Boosted> {
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
        Ok(Boosted::fit(matrix, &labels, &queries, settings).map_err(RankError::Model)?)
    }

    /// The two-tower, where it is among them.
    pub fn tower(&self) -> Option<&TwoTower> {
        self.all.iter().find_map(|voice| if let Voice::TwoTower(tower) = voice { Some(tower) } else { None })
    }

    /// Those that count something in a blend of the chain and the voices of these `names`, with the blend of them alone.
    pub fn heard(self, blend: &Blend, names: &[&str]) -> (Self, Blend) {
        let weight = |name: &str| {
            let place = names.iter().position(|other| *other == name);
            place.and_then(|place| blend.weights.get(place + 1)).copied().unwrap_or_default()
        };
        let all: Vec<Voice> = self.all.into_iter().filter(|voice| weight(voice.name()) > 0.0).collect();
        let weights = blend.weights.iter().take(1).copied().chain(all.iter().map(|voice| weight(voice.name())));
        let blend = Blend { weights: weights.collect(), intercept: blend.intercept };
        (Self { all, things: self.things }, blend)
    }

    /// What each says of a shelf.
    pub fn scores(&self, shelf: ArrayView2<f64>, history: &History, things: &[Option<u32>]) -> Result<Vec<Vec<f64>>> {
        self.all.iter().map(|voice| voice.scores(shelf, history, things)).collect()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.all.iter().map(Voice::name).collect()
    }
}
