//! Deep models as voices: a two-tower over profile, past and article, and a transformer over what was done last.  Both are
//! learned by the program `selvedge-towers`, which stands beside this one because it links to libtorch (see
//! `crates/two-tower`); what it learned is read here without it.

use std::io::{self, BufReader};
use std::path::PathBuf;

use ndarray::{ArrayView2, Axis};
use recommenders::deep::{DeepTower, ENVIRONMENT, Look, Message, PROGRAM, SessionTask, SessionTransformer, TowerTask};
use recommenders::retrieve::{History, Retriever};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::known::Known;
use super::matrix::Sides;
use super::tower::{Shown, picked};
use crate::shelf::Past;
use selvedge_project::error::{Advice, Result};
use selvedge_project::program::Program;

/// Why a deep model was not learned.
#[derive(Debug, thiserror::Error)]
pub enum DeepError {
    #[error("{}: the program that learns deep models cannot be started: {source}", path.display())]
    NoProgram { path: PathBuf, source: io::Error },
    #[error("the program that learns deep models gave up: {reason}")]
    GaveUp { reason: String },
}

impl Advice for DeepError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoProgram { .. } => Some(
                "build it with `cargo build --release`, without `--no-default-features`, and keep it beside selvedge; or write \
                 `deep: false` in params.yaml, section rank"
                    .into(),
            ),
            Self::GaveUp { .. } => None,
        }
    }
}

/// One of them, fitted, with the columns of a shelf that it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Deep {
    Towers { model: DeepTower, customer: Vec<usize>, article: Vec<usize> },
    Session { model: SessionTransformer, article: Vec<usize> },
}

impl Deep {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Towers { model, .. } => model.name(),
            Self::Session { model, .. } => model.name(),
        }
    }

    pub fn scores(&self, shelf: ArrayView2<f64>, history: &History) -> Result<Vec<f64>> {
        let read = |columns: &[usize]| shelf.select(Axis(1), columns);
        let scores = match self {
            Self::Towers { .. } if shelf.nrows() == 0 => return Ok(Vec::new()),
            Self::Towers { model, customer, article } => {
                model.shelf(&picked(shelf, 0, customer), history, read(article).view())
            }
            Self::Session { model, article } => model.shelf(history, read(article).view()),
        };
        Ok(scores.map_err(RankError::Model)?)
    }
}

/// Both, prepared to be learned.
pub struct Tasks {
    towers: TowerTask,
    session: SessionTask,
    sides: Sides,
}

impl Tasks {
    /// Of visits whose purchases were known at `cut` (nanoseconds), and of what customers did before.
    pub fn of(
        known: &Known,
        matrix: ArrayView2<f64>,
        (shown, sides): (&Shown, &Sides),
        (past, cut): (&Past, i64),
        seed: u64,
    ) -> Result<Self> {
        let columns = [sides.article.as_slice(), &sides.record].concat();
        let mut order: Vec<usize> = (0..shown.visits.len()).collect();
        order.sort_by_key(|visit| (shown.begun[*visit], *visit));
        let mut looks = Vec::new();
        for (number, visit) in (0..).zip(order.into_iter().map(|visit| &shown.visits[visit])) {
            for (at, thing) in visit.articles.iter().enumerate().filter(|(at, _)| visit.looked[*at]) {
                let row = visit.first_row + at;
                let kept = known.kept[row] == Some(true);
                looks.push(Look {
                    customer: visit.customer.clone(),
                    history: visit.history.clone(),
                    article: picked(matrix, row, &columns),
                    thing: *thing,
                    visit: number,
                    weight: 1.0 + f64::from(u8::from(visit.bought[at])) + f64::from(u8::from(kept)),
                });
            }
        }
        let towers = TowerTask::new(&shown.things(matrix, &columns), sides.article.len(), &looks, seed);
        let session = SessionTask::new(&shown.things(matrix, &sides.article), &past.steps(cut), seed);
        let (towers, session) = (towers.map_err(RankError::Model)?, session.map_err(RankError::Model)?);
        Ok(Self { towers, session, sides: sides.clone() })
    }

    /// Has the program learn them, one after the other.
    pub fn learned(self) -> Result<[Deep; 2]> {
        let [towers, session] = answers([&self.towers.message, &self.session.message])?;
        let towers = self.towers.learned(&towers).map_err(RankError::Model)?;
        let session = self.session.learned(&session).map_err(RankError::Model)?;
        let Sides { customer, article, record, .. } = self.sides;
        let columns = [article.as_slice(), &record].concat();
        Ok([Deep::Towers { model: towers, customer, article: columns }, Deep::Session { model: session, article }])
    }
}

/// What the program answers to each task; it hears the next when it has answered, so that neither waits for the other.
fn answers<const N: usize>(tasks: [&Message; N]) -> Result<[Message; N]> {
    let start = Program::start(PROGRAM, &ENVIRONMENT);
    let mut program = start.map_err(|(path, source)| DeepError::NoProgram { path, source })?;
    let (mut input, output) = program.pipes();
    let mut output = output.map(BufReader::new);
    let mut ask = |task: &Message| {
        // If it does not listen, its own words say why.
        task.write(input.as_mut()?).ok()?;
        Message::read(output.as_mut()?).ok()?
    };
    let mut answers = Vec::with_capacity(N);
    for task in tasks {
        match ask(task) {
            Some(answer) => answers.push(answer),
            None => break,
        }
    }
    drop(input);
    Ok(answers.try_into().map_err(|_| DeepError::GaveUp { reason: program.reason() })?)
}
