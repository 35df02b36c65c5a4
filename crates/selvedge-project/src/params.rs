//! params.yaml: raw text -> checked [`Params`].  Its only reader.
//!
//! A section names some keys itself (below); every other key in it is a parameter of its SQL files: `key: 60` is
//! `$key` there.  A key that nobody uses is an error (see [`crate::project`]), so a typing mistake cannot hide.

mod checked;
mod section;
mod shift;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_yaml::{Mapping, Value};

pub use self::checked::{
    Consent, Days, Drill, Embeddings, Engine, Evaluate, Ingest, Monitor, Rank, Recommend, Serve, Shop, Test, Tracking,
    Train,
};
pub use self::shift::{Segment, Shift, Standing};
/// How segments, shares and days are written.
pub mod written {
    pub use super::shift::{day, percent, segment};
}

use self::section::{Section, place, shown};
use crate::error::{Advice, Result, did_you_mean, near_names};
use crate::paths::PARAMS;
use crate::stage::Flow;

/// The driver of features that belong to none.
pub const OTHER: &str = "other";
/// Drivers where params.yaml names none.
const DRIVERS: [&str; 4] = ["price", "brand", "style", "sustainability"];
/// The section of the SQL files that read the CSVs.
const CSVS: &str = "ingest";
/// The sections that no stage brings along.
const GROUND: [&str; 5] = ["shop", "engine", "test", "serve", "tracking"];

/// Parameters of SQL files: `$name` -> a SQL literal.
pub type SqlParams = BTreeMap<String, String>;

/// The checked content of params.yaml.
#[derive(Debug, Clone)]
pub struct Params {
    pub shop: Shop,
    pub engine: Engine,
    pub ingest: Ingest,
    pub embeddings: Embeddings,
    pub test: Test,
    pub train: Train,
    pub rank: Rank,
    pub evaluate: Evaluate,
    pub recommend: Recommend,
    pub serve: Serve,
    pub tracking: Tracking,
    pub monitor: Monitor,
    pub drill: Drill,
    /// By section: what its SQL files may use.
    pub sql: BTreeMap<&'static str, SqlParams>,
    text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    #[error("{place}: {cause}")]
    Unreadable { place: String, cause: String },
    #[error("{place}: unknown section '{section}'")]
    UnknownSection { place: String, section: String, known: Vec<&'static str> },
    #[error("{PARAMS}: section '{section}' is missing")]
    MissingSection { section: &'static str },
    #[error("{place}: {section}.{key} is missing")]
    MissingKey { place: String, section: &'static str, key: &'static str, found: Vec<String> },
    #[error("{place}: {section}.{key} is {value}, which is not {wanted}")]
    BadValue { place: String, section: &'static str, key: String, value: String, wanted: &'static str },
}

impl Advice for ParamsError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "correct the file; it is YAML: sections, each with `key: value` lines".into(),
            Self::UnknownSection { section, known, .. } => {
                did_you_mean(section, known.iter().copied(), &format!("the sections are {}", known.join(", ")))
            }
            Self::MissingSection { section } => {
                format!("add `{section}:` with its keys; an empty one is `{section}: {{}}`")
            }
            Self::MissingKey { section, key, found, .. } => {
                match near_names(key, found.iter().map(String::as_str)).first() {
                    Some(near) => format!("rename {near} to {key}"),
                    None => format!("add `{key}: …` under `{section}:`"),
                }
            }
            Self::BadValue { section, key, wanted, .. } => format!("set {section}.{key} to {wanted}"),
        })
    }
}

impl Params {
    /// Reads and checks params.yaml: the sections of the ground and those that the stages of `flow` read.
    pub fn load(file: &Path, flow: Flow) -> Result<Self> {
        let unreadable = |place: String, cause: &str| ParamsError::Unreadable { place, cause: cause.to_owned() };
        let text = std::fs::read_to_string(file).map_err(|e| unreadable(PARAMS.into(), &e.to_string()))?;
        let mut keys: Mapping = serde_yaml::from_str(&text).map_err(|e| {
            let line = e.location().map_or(1, |at| at.line());
            let cause = e.to_string();
            unreadable(format!("{PARAMS}:{line}"), cause.split(" at line ").next().unwrap_or(&cause))
        })?;
        let text: Rc<str> = text.into();
        let mut known = GROUND.to_vec();
        for section in flow.iter().flat_map(|stage| stage.sections) {
            if !known.contains(section) {
                known.push(section);
            }
        }
        let mut sections = BTreeMap::new();
        for name in &known {
            let keys = match keys.remove(*name) {
                Some(Value::Mapping(keys)) => keys,
                Some(Value::Null) => Mapping::new(),
                Some(_) => {
                    let cause = format!("section '{name}' has no keys");
                    return Err(unreadable(place(&text, name, None), &cause).into());
                }
                None => return Err(ParamsError::MissingSection { section: name }.into()),
            };
            sections.insert(*name, Section { text: Rc::clone(&text), name, keys });
        }
        if let Some((section, _)) = keys.into_iter().next() {
            let section = shown(&section);
            let place = place(&text, &section, None);
            return Err(ParamsError::UnknownSection { place, section, known }.into());
        }
        let params = Self {
            shop: section(&mut sections, "shop")?.shop()?,
            engine: Engine::take(section(&mut sections, "engine")?)?,
            ingest: Ingest::take(section(&mut sections, "ingest")?)?,
            embeddings: Embeddings::take(section(&mut sections, "embeddings")?, file)?,
            test: Test::take(section(&mut sections, "test")?)?,
            train: Train::take(section(&mut sections, "train")?)?,
            rank: Rank::take(section(&mut sections, "rank")?)?,
            evaluate: Evaluate::take(section(&mut sections, "evaluate")?)?,
            recommend: Recommend::take(section(&mut sections, "recommend")?)?,
            serve: Serve::take(section(&mut sections, "serve")?)?,
            tracking: Tracking::take(section(&mut sections, "tracking")?)?,
            monitor: Monitor::take(section(&mut sections, "monitor")?)?,
            drill: Drill::take(section(&mut sections, "drill")?)?,
            sql: BTreeMap::new(),
            text: text.to_string(),
        };
        let mut sql = BTreeMap::new();
        for (name, section) in sections {
            sql.insert(name, section.sql_params()?);
        }
        sql.entry("shop").or_default().extend(params.shop.sql_params());
        let length = params.recommend.per_customer.to_string();
        sql.entry("recommend").or_default().insert(Recommend::LENGTH.into(), length);
        let shares = [
            (Monitor::FALSE_ALARMS, params.monitor.false_alarms),
            (Monitor::WORTH_TELLING, params.monitor.worth_telling),
        ];
        sql.entry("monitor").or_default().extend(shares.map(|(key, share)| (key.into(), share.to_string())));
        Ok(Self { sql, ..params })
    }
}

fn section<'a>(sections: &'a mut BTreeMap<&'static str, Section>, name: &'static str) -> Result<&'a mut Section> {
    Ok(sections.get_mut(name).ok_or(ParamsError::MissingSection { section: name })?)
}

impl Params {
    /// The same as if the export had been taken at `moment`: what is known then, on the shop's clock.
    pub fn as_of(&self, moment: DateTime<Utc>) -> Self {
        let mut params = self.clone();
        params.shop.exported_at = moment;
        params.sql.entry("shop").or_default().extend(params.shop.sql_params());
        params
    }

    /// The same once the served log tells what happened until a moment.  Where that lies after the export, everybody but those
    /// who read the CSVs takes it for the moment up to which all is known.
    pub fn with_served(&self, until: Option<DateTime<Utc>>) -> Self {
        let mut params = self.clone();
        params.shop.exported_at = params.shop.delivered_at;
        let (of_csvs, reads_csvs) = (params.shop.sql_moment(), params.sql.entry(CSVS).or_default());
        of_csvs.keys().for_each(|key| drop(reads_csvs.remove(key)));
        if let Some(until) = until.filter(|until| *until > params.shop.delivered_at) {
            reads_csvs.extend(of_csvs);
            params.shop.exported_at = until;
        }
        params.shop.served_until = until;
        params.sql.entry("shop").or_default().extend(params.shop.sql_params());
        params
    }

    /// Every key as `section.key`, with its value as it would be written.
    pub fn flat(&self) -> BTreeMap<String, String> {
        section::flat(&self.text)
    }

    /// `params.yaml:12`, where `section.key` stands.
    pub fn place(&self, section: &str, key: &str) -> String {
        place(&self.text, section, Some(key))
    }

    /// Whether the program itself reads a key that SQL files may use too.
    pub fn is_own(section: &str, key: &str) -> bool {
        let own = [
            ("recommend", Recommend::LENGTH),
            ("monitor", Monitor::FALSE_ALARMS),
            ("monitor", Monitor::WORTH_TELLING),
            (CSVS, "exported_at"),
            (CSVS, "exported_on"),
        ];
        own.contains(&(section, key))
    }

    /// The section that `$name` comes from, for files of `section`: its own, or the shop's.
    pub fn section_of(&self, section: &'static str, name: &str) -> &'static str {
        let own = self.sql.get(section).is_some_and(|keys| keys.contains_key(name));
        if own { section } else { "shop" }
    }

    /// The `$parameters` of one section's SQL files: the section's own and the shop's.
    pub fn sql_params(&self, section: &str) -> SqlParams {
        let sections = ["shop", section];
        sections.iter().filter_map(|name| self.sql.get(name)).flat_map(SqlParams::clone).collect()
    }
}
