//! Fits the models on training rows and chooses their penalty on validation rows.

use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Staged};
use crate::error::{Advice, Result};
use crate::features::{self, Feature};
use crate::frame::LABEL;
use crate::model::logistic::{self, Logistic, LogisticError};
use crate::model::split::{SplitError, TrainingRows, ValidationRows};
use crate::progress::Progress;
use crate::project::Project;
use crate::sql::TableName;

/// The models, each with what it may learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything but the descriptions.
    Tabular,
    /// Everything.
    Combined,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Tabular, Self::Combined];

    pub fn name(self) -> &'static str {
        match self {
            Self::Tabular => "tabular",
            Self::Combined => "combined",
        }
    }

    fn learns_from(self, feature: &Feature) -> bool {
        match self {
            Self::Tabular => !feature.from_descriptions,
            Self::Combined => true,
        }
    }

    /// The feature columns of the frame that this model reads.
    pub fn features(self, project: &Project) -> Vec<String> {
        let declared = features::declared(&project.library).into_iter();
        declared.filter(|feature| self.learns_from(feature)).map(|feature| feature.name).collect()
    }
}

/// A model as it is kept in `work/models/<name>.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fitted {
    /// None while it is too early to fit one.
    pub model: Option<Logistic>,
    /// Why there is no model yet.
    pub too_early: Option<String>,
    /// Every penalty tried, with its log loss on the validation rows.
    pub tried: Vec<(f64, f64)>,
}

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("{path} cannot be read: {cause}")]
    Unreadable { path: String, cause: String },
    #[error("the {model} model: {cause}")]
    Fit { model: &'static str, cause: LogisticError },
    #[error("the frame: {0}")]
    Split(SplitError),
}

impl Advice for TrainError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "run `selvedge train` first".into(),
            Self::Fit { .. } => "see the cause; a model needs training rows with both outcomes".into(),
            Self::Split(_) => "change split.train_share or split.validation_share in params.yaml; young shops need more time before a model can be judged".into(),
        })
    }
}

/// Runs the stage: `work/models/<name>.json`.  A young shop gets no model and the reason why, not a failure.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("train");
    let frame = Engine::new(project)?.read(&TableName::bare("frame"))?;
    let mut staged = Staged::new(&project.paths, "train")?;
    for kind in Kind::ALL {
        let fitted = fit(project, kind, &frame)?;
        progress.say(match (&fitted.model, &fitted.too_early) {
            (Some(model), _) => format!("{}: {} terms, penalty {}", kind.name(), model.terms().len(), model.alpha()),
            (None, why) => format!("{}: too early: {}", kind.name(), why.as_deref().unwrap_or_default()),
        });
        staged.json(&project.paths.models(), Some(&format!("{}.json", kind.name())), &fitted)?;
    }
    staged.commit()?;
    progress.done("models are in work/models");
    Ok(())
}

fn fit(project: &Project, kind: Kind, frame: &RecordBatch) -> Result<Fitted> {
    let too_early = |why: String| Ok(Fitted { model: None, too_early: Some(why), tried: Vec::new() });
    let (training, validation) = match (TrainingRows::of(frame), ValidationRows::of(frame)) {
        (Ok(training), Ok(validation)) => (training, validation),
        (Err(why @ SplitError::Empty { .. }), _) | (_, Err(why @ SplitError::Empty { .. })) => {
            return too_early(why.to_string());
        }
        (Err(cause), _) | (_, Err(cause)) => return Err(TrainError::Split(cause).into()),
    };
    let features = kind.features(project);
    match logistic::choose_alpha(&training, &validation, LABEL, &features, &project.params.train.penalties) {
        Ok(choice) => Ok(Fitted { model: Some(choice.model), too_early: None, tried: choice.tried }),
        Err(why @ (LogisticError::OneClass { .. } | LogisticError::NothingVaries { .. })) => too_early(why.to_string()),
        Err(cause) => Err(TrainError::Fit { model: kind.name(), cause }.into()),
    }
}

/// Reads a fitted model back.
pub fn load(project: &Project, kind: Kind) -> Result<Fitted> {
    let path = project.paths.models().join(format!("{}.json", kind.name()));
    let unreadable = |cause: String| TrainError::Unreadable { path: project.paths.shown(&path), cause };
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?)
}
