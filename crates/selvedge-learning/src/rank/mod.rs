//! The ranking of a shelf: fitted on visits, chosen on later visits, held against popularity on visits later still.
//!
//! What was chosen is then fitted again on everything known by the export: that is what lists are made with.

mod choice;
mod deep;
mod fit;
mod fold;
mod known;
mod material;
mod matrix;
mod model;
mod retrieval;
mod tower;
mod voices;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use self::choice::Decided;
pub use self::choice::{
    BLEND, BOOSTED, CHAIN, Chosen, Gate, Offered, POPULARITY, SPEAKERS, Says, TOWER, Tried, baseline, customer, judge,
    named,
};
pub use self::material::Tables;
use self::material::{Material, engine_over};
pub use self::model::{Group, Listed, Ranking};
pub use self::retrieval::{Catalogue, Found, May, union};
use self::voices::Voices;
use crate::shelf::{Session, moments};
use crate::train::Fingerprints;
use models::logistic::LogisticError;
use models::split::SplitError;
use selvedge_engine::{Engine, Staged};
use selvedge_project::error::{Advice, Result};
use selvedge_project::numbers::counted;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::Feature;
use selvedge_project::sql::{Layer, TableName};
use selvedge_project::stage::Stage;

/// Raised whenever the same visits and parameters would get another ranking, by what is decided here: the sample of a shelf, the
/// matrix, what is chosen on validation visits.  The mathematics has versions of its own.
pub const VERSION: u32 = 1;

/// Of everything that a ranking is made with.
const VERSIONS: [u32; 7] = [
    VERSION,
    recommenders::chain::VERSION,
    recommenders::boosted::VERSION,
    recommenders::deep::VERSION,
    recommenders::tower::VERSION,
    recommenders::blend::VERSION,
    recommenders::calibration::VERSION,
];

/// The share of the visits before validation that the gate's first ranking is fitted on; it is judged on the rest.
const FIRST_FOLD: f64 = 0.7;

/// A ranking as it is kept in `work/rank/<name>.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fitted {
    /// None while it is too early to fit one.
    pub ranking: Option<Ranking>,
    /// Why there is none yet.
    pub too_early: Option<String>,
    pub chosen: Option<Chosen>,
    pub tried: Vec<Tried>,
    pub gate: Option<Gate>,
    pub made_from: Fingerprints,
}

/// Which ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Fitted on what was known when validation began; the one that is judged.
    Judged,
    /// The same without what is made from descriptions: what would lists lose?
    WithoutDescriptions,
    /// Fitted again on everything known by the export; the one that lists are made with.
    Served,
}

impl Which {
    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::WithoutDescriptions => "without_descriptions",
            Self::Served => "served",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RankError {
    #[error("{path} cannot be read: {cause}")]
    Unreadable { path: String, cause: String },
    #[error("the ranking does not fit the features: {0}")]
    OtherFeatures(LogisticError),
    #[error("the ranking: {0}")]
    Model(#[from] recommenders::ModelError),
    #[error("the visits: {0}")]
    Split(SplitError),
    #[error("the ranking: {0}")]
    Arrow(#[from] ArrowError),
}

impl Advice for RankError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some("run `selvedge rank` first".into()),
            Self::OtherFeatures(_) => Some("run `selvedge rank` again: the features have changed since".into()),
            Self::Model(cause) => cause.advice(),
            Self::Split(_) | Self::Arrow(_) => None,
        }
    }
}

/// The moments that part the visits, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    pub validation_from: i64,
    pub test_from: i64,
    pub observed_until: i64,
}

impl Periods {
    pub fn of(engine: &Engine) -> Result<Self> {
        let periods = engine.read(&TableName::new("split", "periods"))?;
        let of = |name| -> Result<i64> {
            Ok(moments(&periods, "sql/split/periods.sql", name)?.first().copied().unwrap_or(i64::MIN))
        };
        Ok(Self {
            validation_from: of("validation_from")?,
            test_from: of("test_from")?,
            observed_until: of("observed_until")?,
        })
    }
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "rank",
    about: "Fit and choose the ranking of shelves -> work/rank",
    layers: &[Layer::INTERACTIONS, Layer::RECOMMEND],
    sections: &["rank", "features", "recommend", "evaluate"],
    keeps: &[],
    makes: &[],
    run,
};

/// Runs the stage: `work/rank/<name>.json`.  A young shop gets no ranking and the reason why, not a failure.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("rank");
    let material = Material::of(project, &[], None)?;
    progress.say(format!(
        "{}, {} of their shelves to learn from",
        counted(material.visits.num_rows() as u64, "visit", "visits"),
        counted(material.sample.num_rows() as u64, "row", "rows"),
    ));
    material.session.slow()?.into_iter().for_each(|words| progress.say(words));
    let made_from = Fingerprints::of(project)?.with_versions(&[&VERSIONS, voices::VERSIONS].concat());
    let fitted = fit_all(&material, &made_from, &progress)?;
    let staged = Staged::new(&project.paths, "rank")?;
    for (which, fitted) in fitted {
        staged.json(&project.paths.rank(), Some(&format!("{}.json", which.name())), &fitted)?;
    }
    staged.commit()?;
    progress.done("rankings are in work/rank");
    Ok(())
}

fn fit_all(material: &Material, made_from: &Fingerprints, progress: &Progress) -> Result<Vec<(Which, Fitted)>> {
    let (project, params) = (material.project, &material.project.params.rank);
    let periods = Periods::of(material.session.engine())?;
    let nothing = |why: String| Fitted {
        ranking: None,
        too_early: Some(why),
        chosen: None,
        tried: Vec::new(),
        gate: None,
        made_from: made_from.clone(),
    };
    let all = [Which::Judged, Which::WithoutDescriptions, Which::Served];
    let penalties: [&[f64]; 2] = [&params.look_penalties, &params.buy_penalties];
    let fitted = match material.fit(periods.validation_from, &material.features, penalties, Some(&|_| true))? {
        Ok(fitted) => fitted,
        Err(why) => {
            progress.say(format!("too early: {why}"));
            return Ok(all.map(|which| (which, nothing(why.clone()))).into());
        }
    };
    let validation = material.fold(&fitted, periods.validation_from, periods.test_from)?;
    let (chosen, [look, buy], tried) = choice::choose(&validation, params);
    progress.say(format!(
        "look penalty {}, buy penalty {}, a look counts {}",
        chosen.look_penalty, chosen.buy_penalty, chosen.weight
    ));
    let Some(chain) = fitted.heads.chain(look, buy, chosen.weight) else {
        return Ok(all.map(|which| (which, nothing("no penalty to choose from".into()))).into());
    };
    let scores = validation.chain(look, buy, chosen.weight);
    let mut folds = vec![(validation, scores)];
    // The gate judges on more visits than validation has: on the last of those before it too, by rankings fitted before them.
    let first = first_fold(&material.visits, periods.validation_from)?;
    let only: [&[f64]; 2] = [&[chosen.look_penalty], &[chosen.buy_penalty]];
    let names = fitted.voices.names();
    if let Ok(earlier) = material.fit(first, &material.features, only, Some(&|name| names.contains(&name)))? {
        let fold = material.fold(&earlier, first, periods.validation_from)?;
        let scores = fold.chain(0, 0, chosen.weight);
        folds.push((fold, scores));
    }
    let Decided { gate, calibration, blend } =
        choice::decide(&folds, &names, params, project.params.recommend.per_customer)?;
    progress.say(told(&gate));
    let (voices, heard) = match &blend {
        Some(blend) => {
            let (voices, heard) = fitted.voices.heard(blend, &names);
            (voices, Some(heard))
        }
        None => (Voices::default(), None),
    };
    let blend = blend.as_ref().map(|blend| (blend, names.as_slice()));
    // What is drawn from long shelves tells their order, and not how much of them is bought.
    let calibration = calibration.filter(|_| fitted.retrieval.is_none());
    let mut judged = Some(Ranking {
        columns: fitted.heads.columns,
        chain,
        voices,
        blend: heard,
        calibration: None,
        retrieval: fitted.retrieval,
    });
    let plain: Vec<Feature> = material.features.iter().filter(|feature| !feature.from_descriptions).cloned().collect();
    let without = material.chosen(periods.validation_from, &plain, &chosen, None)?;
    let exported = project.params.shop.exported_at.timestamp_nanos_opt().unwrap_or(i64::MAX);
    let mut served = material.chosen(exported, &material.features, &chosen, blend)?;
    let found = served.as_ref().map(|served| material.found(served)).transpose()?.flatten();
    if let Some((width, found)) = found {
        progress.say(told_found(&found));
        for retrieval in [&mut judged, &mut served].into_iter().flatten().filter_map(|one| one.retrieval.as_mut()) {
            (retrieval.width, retrieval.found) = (width, Some(found));
        }
    }
    let fitted = |ranking: Option<Ranking>| Fitted {
        ranking: ranking.map(|ranking| Ranking { calibration: calibration.clone(), ..ranking }),
        too_early: None,
        chosen: Some(chosen),
        tried: tried.clone(),
        gate: Some(gate.clone()),
        made_from: made_from.clone(),
    };
    Ok(vec![
        (Which::Judged, fitted(judged)),
        (Which::WithoutDescriptions, fitted(without)),
        (Which::Served, fitted(served)),
    ])
}

/// The moment by which a share of the visits before `until` had begun.
fn first_fold(visits: &RecordBatch, until: i64) -> Result<i64> {
    let mut begun = moments(visits, "sql/grain/request.sql", "as_of")?;
    begun.retain(|moment| *moment < until);
    begun.sort_unstable();
    let at = (FIRST_FOLD * begun.len() as f64) as usize;
    Ok(begun.get(at).copied().unwrap_or(until))
}

/// What retrieval finds, for the log.
fn told_found(found: &Found) -> String {
    format!(
        "of {:.0} articles on a shelf {:.0} are ranked, which hold {:.1} of 100 that ranking all would show ({} customers)",
        found.shelf,
        found.ranked,
        100.0 * found.recall,
        found.customers
    )
}

/// What the gate says, for the log.
fn told(gate: &Gate) -> String {
    let lead = gate.lead.map_or("nothing to compare".to_owned(), |lead| {
        format!("{:+.1} of 100 pairs in the right order ({:+.1} to {:+.1})", lead.value, lead.low, lead.high)
    });
    let says = match gate.says {
        Says::Ranking => format!("the {} speaks", gate.speaker),
        Says::PopularityIsAsGood => "popularity is as good here, and is shown".to_owned(),
        Says::PopularityIsBetter => "popularity is better here, and is shown".to_owned(),
        Says::TooEarly { more_customers } => {
            format!("too early: about {more_customers} more customers with kept purchases; popularity is shown")
        }
    };
    format!("against popularity, {} customers: {lead}: {says}", gate.customers)
}

/// The ranking as of an earlier moment, from what was known then; what was chosen stays as it is.
pub fn as_of(project: &Project, moment: DateTime<Utc>) -> Result<Option<Ranking>> {
    fitted_at(project, &[], moment.timestamp_nanos_opt().unwrap_or(i64::MAX))
}

/// The scores of the shelves of `requests` by a ranking as of `cut` (nanoseconds), `tables` in the place of the stored ones;
/// with the key of each row.  None where there is nothing to fit it on.
pub fn scores_at(
    project: &Project,
    tables: &Tables,
    cut: i64,
    requests: RecordBatch,
) -> Result<Option<(RecordBatch, Vec<f64>)>> {
    let Some(ranking) = fitted_at(project, tables, cut)? else { return Ok(None) };
    let session = Session::over(project, engine_over(project, tables)?);
    let candidates = session.shelves(requests, None, false)?.candidates;
    let scores = ranking.scores(&session.features(&candidates)?, &ranking.past(&session)?)?;
    Ok(Some((candidates, scores)))
}

fn fitted_at(project: &Project, tables: &Tables, cut: i64) -> Result<Option<Ranking>> {
    let stored = load(project, Which::Served)?;
    let Some(chosen) = stored.chosen else { return Ok(None) };
    let material = Material::of(project, tables, Some(cut))?;
    let names = stored.ranking.as_ref().map_or(Vec::new(), |ranking| ranking.voices.names());
    let (blend, calibration, measured) =
        stored.ranking.map_or((None, None, None), |ranking| (ranking.blend, ranking.calibration, ranking.retrieval));
    let blend = blend.as_ref().map(|blend| (blend, names.as_slice()));
    let fitted = material.chosen(cut, &material.features, &chosen, blend)?;
    Ok(fitted.map(|mut ranking| {
        if let (Some(retrieval), Some(measured)) = (&mut ranking.retrieval, measured) {
            (retrieval.width, retrieval.found) = (measured.width, measured.found);
        }
        Ranking { calibration, ..ranking }
    }))
}

impl Fitted {
    /// Names this very fit: 16 hex digits of a SHA-256 over all that is stored of it.
    pub fn version(&self) -> String {
        crate::train::hash(&[&serde_json::to_vec(self).unwrap_or_default()])
    }

    /// What retrieval finds of long shelves; none where they are ranked whole.
    pub fn found(&self) -> Option<&Found> {
        self.ranking.as_ref()?.retrieval.as_ref()?.found.as_ref()
    }

    /// Whether lists are made by the ranking, and not by popularity.
    pub fn speaks(&self) -> bool {
        self.ranking.is_some() && self.gate.as_ref().is_some_and(|gate| gate.says == Says::Ranking)
    }
}

/// Reads a ranking back.
pub fn load(project: &Project, which: Which) -> Result<Fitted> {
    let path = project.paths.rank().join(format!("{}.json", which.name()));
    let unreadable = |cause: String| RankError::Unreadable { path: project.paths.shown(&path), cause };
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?)
}
