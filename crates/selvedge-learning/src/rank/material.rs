//! What a ranking is fitted on and judged by: visits, what came of them, a sample of their shelves.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use recommenders::blend::Blend;

use super::choice::Chosen;
use super::fit::{Heads, Learned};
use super::fold::Fold;
use super::known::Known;
use super::model::Ranking;
use super::retrieval::{Catalogue, Found, Retrieval, WIDEST, asking};
use super::tower::{Shown, TwoTower};
use super::voices::Voices;
use crate::shelf::{self, Outcomes, Past, Session, Things, sampled};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Cross, Feature, TableName};

/// What there is to learn from: the visits, what came of them, and a sample of their shelves.
pub struct Material<'a> {
    pub project: &'a Project,
    pub session: Session<'a>,
    outcomes: Outcomes,
    pub visits: RecordBatch,
    pub sample: RecordBatch,
    past: Past,
    pub features: Vec<Feature>,
    crosses: Vec<Cross>,
}

/// What was fitted at a moment: the heads of the chain, and what stands beside it where that was wanted.
pub struct FittedAt {
    pub heads: Heads,
    pub voices: Voices,
    /// What long shelves are searched by; none where they are ranked whole.
    pub retrieval: Option<Retrieval>,
    /// What customers did, by the numbers that things have in the voices.
    past: Past,
}

impl<'a> Material<'a> {
    /// Of the visits that were over by `until` (nanoseconds), or of all; `tables` stand in the place of stored ones.
    pub fn of(project: &'a Project, tables: &Tables, until: Option<i64>) -> Result<Self> {
        let session = Session::over(project, engine_over(project, tables)?);
        let visits = shelf::visits(project, session.engine())?;
        let visits = match until {
            Some(cut) => Outcomes::over_by(&visits, cut)?,
            None => visits,
        };
        let session = session.narrowed_to(&visits)?;
        let outcomes = Outcomes::of(project, &engine_over(project, tables)?, &visits)?;
        let sample = sampled(project, &session, &outcomes, &visits)?;
        let past = Past::of(&session, Arc::new(Things::of(&session, None)?))?;
        let (features, crosses) = (project.library.feature_columns(), project.library.crosses()?);
        Ok(Self { project, session, outcomes, visits, sample, past, features, crosses })
    }

    /// What was known at `cut` fits; `voices`: the names of those that are wanted beside the chain, where any are.
    pub fn fit(
        &self,
        cut: i64,
        features: &[Feature],
        penalties: [&[f64]; 2],
        voices: Option<&(dyn Fn(&str) -> bool + Sync)>,
    ) -> Result<std::result::Result<FittedAt, String>> {
        let Some(known) = Known::by(&self.sample, &self.outcomes, cut)? else {
            return Ok(Err("there are no visits to learn from yet".into()));
        };
        let learned = Learned { features, crosses: &self.crosses };
        let params = &self.project.params;
        match Heads::fit(&known, &learned, &params.rank, penalties, params.evaluate.enough)? {
            Err(why) => Ok(Err(why)),
            Ok((heads, matrix)) => {
                let past = self.past.known_by(cut);
                let voices = match voices {
                    Some(wanted) => Voices::fit(&known, (&heads, matrix.view()), &past, cut, &params.rank, wanted)?,
                    None => Voices::default(),
                };
                let tower = || match voices.tower() {
                    Some(tower) => Ok(tower.clone()),
                    None => {
                        let (sides, keep) = (&heads.columns.sides, heads.keep.clone());
                        let shown = Shown::of(&known, matrix.view(), &past, sides)?;
                        TwoTower::fit(matrix.view(), &shown, sides, keep, params.rank.seed)
                    }
                };
                let things = || past.things.keys.clone();
                let retrieval = match self.session.is_long()? {
                    true => Some(Retrieval { tower: tower()?, things: things(), width: WIDEST, found: None }),
                    false => None,
                };
                Ok(Ok(FittedAt { heads, voices, retrieval, past }))
            }
        }
    }

    /// The ranking of what was chosen, fitted on what was known at `cut`; with the names of the voices of a blend.
    pub fn chosen(
        &self,
        cut: i64,
        features: &[Feature],
        chosen: &Chosen,
        blend: Option<(&Blend, &[&str])>,
    ) -> Result<Option<Ranking>> {
        let wanted = |name: &str| {
            blend.is_some_and(|(blend, names)| {
                names.iter().zip(blend.weights.iter().skip(1)).any(|(other, weight)| *other == name && *weight > 0.0)
            })
        };
        let voices: Option<&(dyn Fn(&str) -> bool + Sync)> = if blend.is_some() { Some(&wanted) } else { None };
        let fitted = self.fit(cut, features, [&[chosen.look_penalty], &[chosen.buy_penalty]], voices)?;
        Ok(fitted.ok().and_then(|FittedAt { heads, voices, retrieval, .. }| {
            let chain = chosen.only(&heads)?;
            let (voices, blend) = match blend {
                Some((blend, names)) => {
                    let (voices, blend) = voices.heard(blend, names);
                    (voices, Some(blend))
                }
                None => (voices, None),
            };
            Some(Ranking { columns: heads.columns, chain, voices, blend, calibration: None, retrieval })
        }))
    }

    /// How many a search of long shelves must find as of the export, and what it misses then; nothing where shelves are ranked
    /// whole.
    pub fn found(&self, ranking: &Ranking) -> Result<Option<(usize, Found)>> {
        if ranking.retrieval.is_none() {
            return Ok(None);
        }
        let ranking = &Arc::new(ranking.clone());
        let project = self.project;
        let moment = project.params.shop.exported_at.timestamp_nanos_opt().unwrap_or(i64::MAX);
        let requests = asking(&self.session, project.params.rank.seed, moment)?;
        let session = Session::over(project, self.session.engine().over()?).knowing_articles(&requests, moment)?;
        let session = &session.narrowed_to(&requests)?;
        let catalogue = Catalogue::at(session, Some(ranking), &requests, moment)?;
        let past = ranking.past(session)?;
        catalogue.measured(session, &requests, &past, project.params.recommend.per_customer)
    }

    /// Visits that begin at `from` or later and whose outcome was known at `until`, with what rankings say of their shelves.
    pub fn fold(&self, fitted: &FittedAt, from: i64, until: i64) -> Result<Fold> {
        let seed = self.project.params.rank.seed;
        let visits = self.outcomes.known_between(&self.visits, from, until)?;
        let visits = shelf::judged(&self.session, &visits, seed)?;
        let voices = (&fitted.voices, &fitted.past);
        Fold::of(&fitted.heads, voices, &self.session, &self.outcomes, &visits, seed)
    }
}

/// Tables by name.
pub type Tables = [(TableName, RecordBatch)];

/// A session's tables, some of them others than the stored ones.
pub fn engine_over(project: &Project, tables: &Tables) -> Result<Engine> {
    let engine = Engine::new(project)?;
    tables.iter().try_for_each(|(name, batch)| engine.register(name, batch.clone()))?;
    Ok(engine)
}
