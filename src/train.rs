//! Fits the models on training rows and chooses their penalty on validation rows.

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
        declared
            .filter(|feature| self.learns_from(feature))
            .map(|feature| feature.name)
            .collect()
    }
}

/// A fitted model as it is kept in `work/models/<name>.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fitted {
    pub model: Logistic,
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

/// Runs the stage: `work/models/<name>.json`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("train");
    let frame = Engine::new(project)?.read(&TableName::bare("frame"))?;
    let training = TrainingRows::of(&frame).map_err(TrainError::Split)?;
    let validation = ValidationRows::of(&frame).map_err(TrainError::Split)?;
    let mut staged = Staged::new(&project.paths, "train")?;
    for kind in Kind::ALL {
        let features = kind.features(project);
        let choice = logistic::choose_alpha(
            &training,
            &validation,
            LABEL,
            &features,
            &project.params.train.penalties,
        )
        .map_err(|cause| TrainError::Fit {
            model: kind.name(),
            cause,
        })?;
        let (alpha, terms) = (choice.model.alpha(), choice.model.terms().len());
        progress.say(format!(
            "{}: {terms} terms from {} columns, penalty {alpha}",
            kind.name(),
            features.len()
        ));
        let fitted = Fitted {
            model: choice.model,
            tried: choice.tried,
        };
        let json = serde_json::to_vec_pretty(&fitted).unwrap_or_default();
        staged.file(&project.paths.models(), Some(&format!("{}.json", kind.name())), &json)?;
    }
    staged.commit()?;
    progress.done(format!("fitted on {} looks", training.rows().num_rows()));
    Ok(())
}

/// Reads a fitted model back.
pub fn load(project: &Project, kind: Kind) -> Result<Fitted> {
    let path = project.paths.models().join(format!("{}.json", kind.name()));
    let unreadable = |cause: String| TrainError::Unreadable {
        path: project.paths.shown(&path),
        cause,
    };
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?)
}
