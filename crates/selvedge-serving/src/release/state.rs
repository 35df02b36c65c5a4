//! Which release serves, which is tried on a share of the customers, which answers unseen; and every switch, with its reason.

use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::switch::Switch;
use super::{ReleaseError, disk, folder};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// Which release does what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub serving: Option<String>,
    /// What served before, the latest last.
    #[serde(default)]
    pub before: Vec<String>,
    #[serde(default)]
    pub canary: Option<Canary>,
    /// Answers the same requests; nobody sees what it says.
    #[serde(default)]
    pub shadow: Option<String>,
    /// What was taken back last, and why, until something is promoted.
    #[serde(default)]
    pub taken_back: Option<Change>,
    /// Whether what serves is what there was to go back to: it is not taken back by itself too.
    #[serde(default)]
    pub fallen_back: bool,
}

/// A release that a share of the customers is served by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    pub release: String,
    /// From 0 to 1.
    pub share: f64,
}

/// A line of the releases' log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    #[serde(with = "crate::moment")]
    pub at: DateTime<Utc>,
    pub switch: Switch,
    /// The one that was promoted, tried or taken back.
    pub release: String,
    pub because: String,
}

impl Change {
    /// A switch that is made now.
    pub fn now(switch: Switch, release: &str, because: &str) -> Self {
        Self { at: Utc::now(), switch, release: release.into(), because: because.into() }
    }
}

fn path(project: &Project) -> PathBuf {
    folder(project).join("state.json")
}

impl State {
    /// As it is now; nothing serves where nothing was ever promoted.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(project: &Project) -> Result<Self> {
        let path = path(project);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(serde_json::from_str(&text).map_err(|e| disk(&path, e))?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(disk(&path, e).into()),
        }
    }

    /// The release that answers a customer: the same one each time, until somebody switches.
    pub fn release_of(&self, customer: &str) -> Option<&str> {
        match &self.canary {
            Some(canary) if place(customer) < canary.share => Some(&canary.release),
            _ => self.serving.as_deref(),
        }
    }

    /// Makes a release the one that serves.
    pub fn promoted(mut self, release: &str) -> Self {
        if let Some(before) = self.serving.replace(release.into()).filter(|before| before != release) {
            self.before.push(before);
        }
        (self.taken_back, self.fallen_back) = (None, false);
        self.canary = self.canary.filter(|canary| canary.release != release);
        self.shadow = self.shadow.filter(|shadow| shadow != release);
        self
    }

    /// Takes the canary back where there is one, else the release that serves.
    ///
    /// # Errors
    /// Nothing served before.
    pub fn rolled_back(mut self) -> Result<Self> {
        if self.canary.take().is_none() {
            let before = self.before.pop().ok_or(ReleaseError::NoneBefore)?;
            // What serves has nothing to answer beside itself.
            self.shadow = self.shadow.filter(|shadow| *shadow != before);
            (self.serving, self.fallen_back) = (Some(before), true);
        }
        Ok(self)
    }

    /// Puts this in the place of what was, at once, and writes the change down.
    ///
    /// # Errors
    /// Disks.
    pub(super) fn write(&self, project: &Project, change: &Change) -> Result<()> {
        let path = path(project);
        let scratch = path.with_extension("new");
        let text = serde_json::to_vec_pretty(self).map_err(|e| disk(&path, e))?;
        let put = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&scratch)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&scratch, &path)
        };
        put().map_err(|e| disk(&path, e))?;
        let log = folder(project).join("log.jsonl");
        let mut line = serde_json::to_vec(change).map_err(|e| disk(&log, e))?;
        line.push(b'\n');
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&log);
        Ok(opened.and_then(|mut file| file.write_all(&line)).map_err(|e| disk(&log, e))?)
    }
}

/// A customer's place between 0 and 1, the same for good.
fn place(customer: &str) -> f64 {
    let hash = Sha256::digest(customer.as_bytes());
    let number = u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]);
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_undoes_the_last_switch() {
        let state = State::default().promoted("a").promoted("b").promoted("b");
        assert_eq!((state.serving.as_deref(), state.before.as_slice()), (Some("b"), ["a".to_owned()].as_slice()));
        let with_canary = State { canary: Some(Canary { release: "c".into(), share: 0.5 }), ..state.clone() };
        assert_eq!(with_canary.rolled_back().unwrap(), state);
        let first = state.rolled_back().unwrap();
        assert_eq!((first.serving.as_deref(), first.fallen_back), (Some("a"), true));
        assert!(!first.clone().promoted("c").fallen_back);
        assert!(first.rolled_back().is_err());
        let shadowed = State { shadow: Some("a".into()), ..State::default().promoted("a").promoted("b") };
        assert_eq!(shadowed.rolled_back().unwrap().shadow, None);
    }

    #[test]
    fn a_canary_takes_its_share_of_customers_and_keeps_them() {
        let canary = |share| State {
            serving: Some("a".into()),
            canary: Some(Canary { release: "b".into(), share }),
            ..State::default()
        };
        let served = |share: f64, n: usize| canary(share).release_of(&format!("customer {n}")) == Some("b");
        let tenth: Vec<usize> = (0..10_000).filter(|n| served(0.1, *n)).collect();
        assert!((900..1100).contains(&tenth.len()), "{}", tenth.len());
        assert!(tenth.iter().all(|n| served(0.5, *n)), "who is in a tenth is in a half");
        assert!((0..100).all(|n| served(1.0, n) && !served(0.0, n)));
    }
}
