//! Fits the models on training rows and chooses penalty and dimensions on validation rows.

mod fingerprints;
mod kind;

pub use fingerprints::{Fingerprints, hash};
pub use kind::Kind;
pub use models::choice::Tried;

use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use models::choice::{Choice, Grid, choose};
use models::logistic::{Logistic, LogisticError, labels};
use models::outcomes::Outcomes;
use models::split::{SplitError, TrainingRows, ValidationRows};
use selvedge_engine::{Engine, Staged};
use selvedge_project::error::{Advice, Result};
use selvedge_project::numbers::counted;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;
use selvedge_project::sql::label::LABEL;
use selvedge_project::stage::Stage;

/// Where there are more looks to learn from, penalty and dimensions are chosen on about so many, of customers drawn by lot: a
/// penalty is a belief about coefficients, which does not change with the number of rows.
const CHOSEN_ON: usize = 20_000;
/// Whose looks are drawn together.
const CUSTOMER: &str = "customer_id";

/// Raised whenever the same frame and parameters would get other models, by what is decided here: which columns a model
/// reads, and what is chosen on validation rows.  What the mathematics decides is [`models::VERSION`].
pub const VERSION: u32 = 1;

/// A model as it is kept in `work/models/<name>.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fitted {
    /// None while it is too early to fit one.
    pub model: Option<Logistic>,
    /// Why there is no model yet.
    pub too_early: Option<String>,
    /// Every combination of dimensions and penalty, with its log loss on the validation rows.
    pub tried: Vec<Tried>,
    pub made_from: Fingerprints,
}

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("{path} cannot be read: {cause}")]
    Unreadable { path: String, stage: &'static str, cause: String },
    #[error("the {model} model: {cause}")]
    Fit { model: &'static str, cause: LogisticError },
    #[error("the frame: {0}")]
    Split(SplitError),
}

impl Advice for TrainError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { stage, .. } => format!("run `selvedge {stage}` first"),
            Self::Fit { .. } => "see the cause; a model needs looks to learn from of both outcomes".into(),
            Self::Split(_) => "change split.train_share or split.validation_share in params.yaml; young shops need more time before a model can be judged".into(),
        })
    }
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "train",
    about: "Fit the models on training looks -> work/models",
    layers: &[],
    sections: &["train", "embeddings", "evaluate"],
    keeps: &[],
    makes: &[],
    run,
};

/// Runs the stage: `work/models/<name>.json`.  A young shop gets no model and the reason why, not a failure.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("train");
    let frame = Engine::new(project)?.read(&TableName::bare("frame"))?;
    let staged = Staged::new(&project.paths, "train")?;
    let made_from = Fingerprints::of(project)?;
    for kind in Kind::ALL {
        let fitted = fit(project, kind, &frame, &made_from)?;
        progress.say(match (&fitted.model, &fitted.too_early) {
            (Some(model), _) => {
                let looks = counted(model.trained_on().0 as u64, "look", "looks");
                format!("{}: {} learned from {looks}, penalty {}", kind.name(), terms(model), model.alpha())
            }
            (None, why) => format!("{}: too early: {}", kind.name(), why.as_deref().unwrap_or_default()),
        });
        staged.json(&project.paths.models(), Some(&format!("{}.json", kind.name())), &fitted)?;
    }
    staged.commit()?;
    progress.done("models are in work/models");
    Ok(())
}

/// `152 terms`, and how much of each description they hold.
fn terms(model: &Logistic) -> String {
    match (model.terms().len(), model.dimensions()) {
        (terms, 0) => counted(terms as u64, "term", "terms"),
        (terms, dimensions) => {
            format!("{}, {dimensions} dimensions of each description", counted(terms as u64, "term", "terms"))
        }
    }
}

fn fit(project: &Project, kind: Kind, frame: &RecordBatch, made_from: &Fingerprints) -> Result<Fitted> {
    let made_from = || made_from.clone();
    let too_early =
        |why: String| Ok(Fitted { model: None, too_early: Some(why), tried: Vec::new(), made_from: made_from() });
    let (training, validation) = match (TrainingRows::of(frame), ValidationRows::of(frame)) {
        (Ok(training), Ok(validation)) => (training, validation),
        (Err(SplitError::Empty { .. }), _) => return too_early("there are no looks to learn from yet".into()),
        (_, Err(SplitError::Empty { .. })) => {
            return too_early(
                "there are no looks yet, later than those to learn from, to choose the penalty on".into(),
            );
        }
        (Err(cause), _) | (_, Err(cause)) => return Err(TrainError::Split(cause).into()),
    };
    match choice(project, &kind.features(project), &training, &validation) {
        Ok(Ok(choice)) => {
            Ok(Fitted { model: Some(choice.model), too_early: None, tried: choice.tried, made_from: made_from() })
        }
        Ok(Err(why)) => too_early(why),
        Err(why @ LogisticError::NothingVaries { .. }) => too_early(why.to_string()),
        Err(cause) => Err(TrainError::Fit { model: kind.name(), cause }.into()),
    }
}

/// The best model for these rows, or why it is too early for one.
pub fn choice(
    project: &Project,
    features: &[String],
    training: &TrainingRows,
    validation: &ValidationRows,
) -> std::result::Result<std::result::Result<Choice, String>, LogisticError> {
    let params = &project.params;
    let drawn = |rows: usize| {
        let share = rows as f64 / training.rows().num_rows().max(1) as f64;
        if share < 1.0 { training.part(CUSTOMER, share, params.evaluate.seed).ok() } else { None }
    };
    let (few, many) = (drawn(CHOSEN_ON.min(params.train.most_rows)), drawn(params.train.most_rows));
    let training = many.as_ref().unwrap_or(training);
    let outcomes = |rows: &TrainingRows| Ok::<_, LogisticError>(Outcomes::of(&labels(rows.rows(), LABEL)?));
    let of_few = few.as_ref().map(outcomes).transpose()?;
    let outcomes = outcomes(training)?;
    if let Some(missing) = outcomes.missing(params.evaluate.enough) {
        let looks = counted((outcomes.kept + outcomes.not) as u64, "look", "looks");
        return Ok(Err(format!(
            "of {looks} to learn from, {} led to a kept purchase; {missing} are missing",
            outcomes.kept
        )));
    }
    let grid = Grid { alphas: &params.train.penalties, dimensions: &params.embeddings.dimensions };
    // So few may hold too little of one outcome, where all hold enough.
    let tells = of_few.is_some_and(|few| few.missing(params.evaluate.enough).is_none());
    let Some(few) = few.filter(|_| tells) else { return choose(training, validation, LABEL, features, grid).map(Ok) };
    let choice = choose(&few, validation, LABEL, features, grid)?;
    let model = choice.model.refit(training, LABEL)?;
    Ok(Ok(Choice { model, ..choice }))
}

impl Fitted {
    /// Names this very fit: 16 hex digits of a SHA-256 over all that is stored of it.
    pub fn version(&self) -> String {
        fingerprints::hash(&[&serde_json::to_vec(self).unwrap_or_default()])
    }
}

/// Reads a fitted model back.
pub fn load(project: &Project, kind: Kind) -> Result<Fitted> {
    let path = project.paths.models().join(format!("{}.json", kind.name()));
    let unreadable = |cause: String| TrainError::Unreadable { path: project.paths.shown(&path), stage: "train", cause };
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?)
}
