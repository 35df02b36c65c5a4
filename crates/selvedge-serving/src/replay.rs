//! `selvedge replay <request>`: makes an answer again from its release and the events known then, and holds both side by side.

use std::path::Path;
use std::sync::RwLock;

use selvedge_project::error::{Advice, Result};
use selvedge_project::project::Project;

use super::journal;
use super::lists::{Article, Pace, Serving};
use super::log::{self, Answered};
use super::past::Past;
use super::release::Release;

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("there is no answer '{0}' in the served log")]
    Unknown(String),
    #[error("the answer '{0}' was the release's own list, because there was no time")]
    Degraded(String),
    #[error("the answer '{id}' comes out another way: {difference}")]
    Differs { id: String, difference: String },
}

impl Advice for ReplayError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) => "name the `request` of a list that was answered from this folder; answers to who has not agreed to personalisation are not kept".into(),
            Self::Degraded(_) => "it is in work/recommendations.parquet of its release".into(),
            Self::Differs { .. } => "an answer depends on nothing but its release, its moment and the events before it: this is a fault of the program, please report it".into(),
        })
    }
}

/// The answer, made again.
///
/// # Errors
/// An answer that is not there, or that comes out another way.
pub fn replay(project: &Project, open: fn(&Path) -> Result<Project>, id: &str) -> Result<Answered> {
    let root = project.paths.root();
    let mut found = None;
    for folder in [journal::folder(root), journal::played(root)] {
        let answered = log::find(&folder, &project.paths.served(), id)?;
        found = found.or(answered.map(|answered| (answered, folder)));
    }
    let (answered, folder) = found.ok_or_else(|| ReplayError::Unknown(id.into()))?;
    let basis = answered.basis.ok_or_else(|| ReplayError::Degraded(id.into()))?;
    let past = RwLock::new(Past::read(&folder)?);
    let serving = Serving::load(Release::find(project, &answered.release)?, open, &past, basis.articles_at)?;
    serving.refresh(&past, basis.articles_at, Some(basis.articles_seen))?;
    let asks = [answered.wished.ask(&answered.customer_id)];
    let lists = serving.lists(&past, &asks, basis.at, Some(basis.seen), Pace::of(basis.effort))?.lists;
    let made = lists.into_iter().next().unwrap_or_default();
    match difference(&answered.articles, &made) {
        None => Ok(answered),
        Some(difference) => Err(ReplayError::Differs { id: id.into(), difference }.into()),
    }
}

/// The first of the articles that were shown that is not, bit for bit, among those made.
fn difference(shown: &[Article], made: &[Article]) -> Option<String> {
    shown.iter().find_map(|article| {
        let again = made.iter().find(|again| again.place == article.place);
        let same = again.is_some_and(|again| again == article && again.score.to_bits() == article.score.to_bits());
        let name = |article: &Article| format!("{} ({}), score {}", article.product_id, article.season, article.score);
        (!same).then(|| {
            format!("place {} was {}, and is {}", article.place, name(article), again.map_or("empty".into(), name))
        })
    })
}
