//! Switching: which release serves from now on.  Commands, the server's interface and broken promises come in here.

use std::fs::File;

use super::state::{Canary, Change, State};
use super::{Release, ReleaseError, disk, folder};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

use serde::{Deserialize, Serialize};

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    Promote,
    Canary,
    Shadow,
    Rollback,
}

/// One switch at a time, whichever process makes it: held until it is dropped.
fn one_at_a_time(project: &Project) -> Result<File> {
    let folder = folder(project);
    let path = folder.join(".lock");
    let locked = || {
        std::fs::create_dir_all(&folder)?;
        let file = File::create(&path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    };
    Ok(locked().map_err(|e| disk(&path, e))?)
}

impl Release {
    /// Makes this the release that serves, once its gates let it; `because` overrides them, and is written down.
    ///
    /// # Errors
    /// A release that is not what was sealed, or that a gate keeps back.
    pub fn promote(&self, project: &Project, because: &str) -> Result<State> {
        let _lock = one_at_a_time(project)?;
        self.verify()?;
        let state = State::read(project)?;
        let serving = state.serving.as_deref().map(|hash| Self::find(project, hash)).transpose()?;
        if because.trim().is_empty() {
            self.refuse_kept_back(project, serving.as_ref())?;
        }
        self.written(project, state.promoted(&self.hash), Switch::Promote, because)
    }

    /// Lets this release serve a share of the customers, from 0 to 1.
    ///
    /// # Errors
    /// As [`Release::promote`], but for the gates: a share is there to find out; and a share that is none.
    pub fn canary(&self, project: &Project, share: f64, because: &str) -> Result<State> {
        if !(0.0..=1.0).contains(&share) {
            return Err(ReleaseError::NoShare { text: share.to_string() }.into());
        }
        let _lock = one_at_a_time(project)?;
        self.verify()?;
        let canary = Some(Canary { release: self.hash.clone(), share });
        let state = State { canary, ..State::read(project)? };
        self.written(project, state, Switch::Canary, because)
    }

    /// Lets this release answer too; nobody sees what it says.
    ///
    /// # Errors
    /// A release that is not what was sealed.
    pub fn shadow(&self, project: &Project, because: &str) -> Result<State> {
        let _lock = one_at_a_time(project)?;
        self.verify()?;
        let state = State { shadow: Some(self.hash.clone()), ..State::read(project)? };
        self.written(project, state, Switch::Shadow, because)
    }

    fn written(&self, project: &Project, state: State, switch: Switch, because: &str) -> Result<State> {
        state.write(project, &Change::now(switch, &self.hash, because))?;
        Ok(state)
    }
}

/// Takes back the canary where there is one, else the release that serves; with `only`, nothing but that release.
///
/// # Errors
/// Nothing served before.
pub fn roll_back(project: &Project, only: Option<&str>, because: &str) -> Result<State> {
    let _lock = one_at_a_time(project)?;
    let state = State::read(project)?;
    let taken = state.canary.as_ref().map(|canary| &canary.release).or(state.serving.as_ref()).cloned();
    let taken = taken.ok_or(ReleaseError::NoneBefore)?;
    if only.is_some_and(|only| only != taken) {
        return Ok(state);
    }
    let change = Change::now(Switch::Rollback, &taken, because);
    let back = State { taken_back: Some(change.clone()), ..state.rolled_back()? };
    back.write(project, &change)?;
    Ok(back)
}
