//! params.yaml: raw text -> checked [`Params`].  Its only reader.
//!
//! A section names some keys itself (below); every other key in it is a parameter of its SQL files: `key: 60` is
//! `$key` there.  A key that nobody uses is an error (see [`crate::project`]), so a typing mistake cannot hide.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_yaml::{Mapping, Value};

use crate::error::{Advice, Result, did_you_mean};

/// The sections, in the order of the flow.
pub const SECTIONS: [&str; 10] =
    ["shop", "engine", "ingest", "split", "embeddings", "features", "train", "evaluate", "recommend", "monitor"];

/// Parameters of SQL files: `$name` -> a SQL literal.
pub type SqlParams = BTreeMap<String, String>;

/// The checked content of params.yaml.
#[derive(Debug, Clone)]
pub struct Params {
    pub shop: Shop,
    pub engine: Engine,
    pub ingest: Ingest,
    pub embeddings: Embeddings,
    pub train: Train,
    pub evaluate: Evaluate,
    pub recommend: Recommend,
    pub monitor: Monitor,
    /// By section: what its SQL files may use.
    pub sql: BTreeMap<&'static str, SqlParams>,
}

/// What holds for the whole shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// When the export was taken; nothing after it is known.
    pub exported_at: DateTime<Utc>,
    /// The shop's clock, an IANA name.
    pub timezone: Tz,
    /// A purchase counts for a look or a recommendation when it comes within this many days.
    pub purchase_days: Days,
    /// A purchase counts as kept when this many days pass without a return.
    pub return_days: Days,
}

/// A whole number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(pub u32);

#[derive(Debug, Clone)]
pub struct Engine {
    /// How many parts queries are split into; the results do not depend on it.
    pub partitions: usize,
}

#[derive(Debug, Clone)]
pub struct Ingest {
    /// Above this share of set-aside rows in a file the run stops: the file is not what it was.
    pub max_set_aside_share: f64,
}

#[derive(Debug, Clone)]
pub struct Embeddings {
    /// The sentence model's folder.
    pub model: PathBuf,
    /// How many dimensions the reduction keeps.
    pub dimensions: usize,
}

#[derive(Debug, Clone)]
pub struct Train {
    /// Strengths of the L2 penalty to choose from on validation rows.
    pub penalties: Vec<f64>,
}

#[derive(Debug, Clone)]
pub struct Evaluate {
    pub seed: u64,
    /// Bootstrap draws, by customer.
    pub draws: usize,
}

#[derive(Debug, Clone)]
pub struct Recommend {
    pub per_customer: usize,
    /// At most so many articles of one brand for one customer.
    pub max_per_brand: usize,
}

#[derive(Debug, Clone)]
pub struct Monitor {
    pub seed: u64,
    /// The columns of customers or articles whose values are the segments; `a x b` crosses two.
    pub segments: Vec<String>,
    /// Shuffled histories from which the alarm threshold is taken.
    pub permutations: usize,
    /// At most this share of quiet reports may raise an alarm.
    pub false_alarms: f64,
    /// At most this share of quiet reports may call something possible.
    pub maybe_alarms: f64,
    /// Below this many standard deviations nothing is called possible, however calm the shuffled histories are.
    pub maybe_floor: f64,
    /// The threshold's lower and upper end, in standard deviations.
    pub threshold_floor: f64,
    pub threshold_cap: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    #[error("{}: {cause}", file.display())]
    Unreadable { file: PathBuf, cause: String },
    #[error("{}: unknown section '{section}'", file.display())]
    UnknownSection { file: PathBuf, section: String },
    #[error("{}: section '{section}' is missing", file.display())]
    MissingSection { file: PathBuf, section: &'static str },
    #[error("{}: {section}.{key} is missing", file.display())]
    MissingKey { file: PathBuf, section: &'static str, key: &'static str },
    #[error("{}: {section}.{key} is {value}, which is not {wanted}", file.display())]
    BadValue { file: PathBuf, section: &'static str, key: String, value: String, wanted: &'static str },
}

impl Advice for ParamsError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "correct the file; it is YAML: sections, each with `key: value` lines".into(),
            Self::UnknownSection { section, .. } => {
                did_you_mean(section, SECTIONS, &format!("the sections are {}", SECTIONS.join(", ")))
            }
            Self::MissingSection { section, .. } => {
                format!("add `{section}:` with its keys; an empty one is `{section}: {{}}`")
            }
            Self::MissingKey { section, key, .. } => format!("add `{key}: …` under `{section}:`"),
            Self::BadValue { section, key, wanted, .. } => format!("set {section}.{key} to {wanted}"),
        })
    }
}

impl Params {
    /// Reads and checks params.yaml.
    pub fn load(file: &Path) -> Result<Self> {
        let unreadable = |cause: String| ParamsError::Unreadable { file: file.to_owned(), cause };
        let text = std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))?;
        let mut sections: Mapping = serde_yaml::from_str(&text).map_err(|e| unreadable(e.to_string()))?;
        let mut take = |name: &'static str| -> Result<Section> {
            match sections.remove(name) {
                Some(Value::Mapping(keys)) => Ok(Section { file: file.to_owned(), name, keys }),
                Some(Value::Null) => Ok(Section { file: file.to_owned(), name, keys: Mapping::new() }),
                Some(_) => Err(unreadable(format!("section '{name}' has no keys")).into()),
                None => Err(ParamsError::MissingSection { file: file.to_owned(), section: name }.into()),
            }
        };
        let [
            mut shop,
            mut engine,
            mut ingest,
            split,
            mut embeddings,
            features,
            mut train,
            mut evaluate,
            mut recommend,
            mut monitor,
        ] = [
            take("shop")?,
            take("engine")?,
            take("ingest")?,
            take("split")?,
            take("embeddings")?,
            take("features")?,
            take("train")?,
            take("evaluate")?,
            take("recommend")?,
            take("monitor")?,
        ];
        if let Some((section, _)) = sections.into_iter().next() {
            let section = shown(&section);
            return Err(ParamsError::UnknownSection { file: file.to_owned(), section }.into());
        }
        let shop_params = shop.shop()?;
        let params = Self {
            engine: Engine { partitions: engine.count("partitions")? },
            ingest: Ingest { max_set_aside_share: ingest.share("max_set_aside_share")? },
            embeddings: Embeddings {
                model: from_root(file, &embeddings.text("model")?),
                dimensions: embeddings.count("dimensions")?,
            },
            train: Train { penalties: train.positive_numbers("penalties")? },
            evaluate: Evaluate { seed: evaluate.seed()?, draws: evaluate.count("draws")? },
            recommend: Recommend {
                per_customer: recommend.count("per_customer")?,
                max_per_brand: recommend.count("max_per_brand")?,
            },
            monitor: Monitor {
                seed: monitor.seed()?,
                segments: monitor.texts("segments")?,
                permutations: monitor.count("permutations")?,
                false_alarms: monitor.share("false_alarms")?,
                maybe_alarms: monitor.share("maybe_alarms")?,
                maybe_floor: monitor.positive("maybe_floor")?,
                threshold_floor: monitor.positive("threshold_floor")?,
                threshold_cap: monitor.positive("threshold_cap")?,
            },
            sql: BTreeMap::new(),
            shop: shop_params,
        };
        let mut sql = BTreeMap::new();
        for section in [shop, engine, ingest, split, embeddings, features, train, evaluate, recommend, monitor] {
            sql.insert(section.name, section.sql_params()?);
        }
        sql.entry("shop").or_default().extend(params.shop.sql_params());
        Ok(Self { sql, ..params })
    }
}

impl Params {
    /// The `$parameters` of one section's SQL files: the section's own and the shop's.
    pub fn sql_params(&self, section: &str) -> SqlParams {
        let sections = ["shop", section];
        sections.iter().filter_map(|name| self.sql.get(name)).flat_map(SqlParams::clone).collect()
    }
}

impl Shop {
    /// The export's moment in UTC as every table has it.
    pub fn sql_time(moment: DateTime<Utc>) -> String {
        format!("TIMESTAMP '{}'", moment.format("%Y-%m-%dT%H:%M:%S"))
    }

    fn sql_params(&self) -> SqlParams {
        SqlParams::from([
            ("exported_at".into(), Self::sql_time(self.exported_at)),
            ("exported_on".into(), format!("DATE '{}'", self.exported_at.with_timezone(&self.timezone).date_naive())),
            ("timezone".into(), format!("'{}'", self.timezone.name())),
            ("purchase_window".into(), format!("INTERVAL '{}' DAY", self.purchase_days.0)),
            ("return_window".into(), format!("INTERVAL '{}' DAY", self.return_days.0)),
        ])
    }
}

/// A folder in params.yaml is meant from the project's root.
fn from_root(params: &Path, text: &str) -> PathBuf {
    params.parent().unwrap_or(Path::new("")).join(text)
}

/// One section while its keys are taken out and checked.
struct Section {
    file: PathBuf,
    name: &'static str,
    keys: Mapping,
}

impl Section {
    fn bad(&self, key: &str, value: &Value, wanted: &'static str) -> ParamsError {
        ParamsError::BadValue {
            file: self.file.clone(),
            section: self.name,
            key: key.into(),
            value: shown(value),
            wanted,
        }
    }

    fn take<T>(&mut self, key: &'static str, wanted: &'static str, read: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let missing = || ParamsError::MissingKey { file: self.file.clone(), section: self.name, key };
        let value = self.keys.get(key).ok_or_else(missing)?;
        let read = read(value).ok_or_else(|| self.bad(key, value, wanted))?;
        self.keys.remove(key);
        Ok(read)
    }

    fn text(&mut self, key: &'static str) -> Result<String> {
        self.take(key, "a text", |v| v.as_str().map(str::to_owned))
    }

    fn count(&mut self, key: &'static str) -> Result<usize> {
        self.take(key, "a whole number from 1 on", |v| {
            v.as_u64().filter(|n| *n >= 1).and_then(|n| usize::try_from(n).ok())
        })
    }

    fn seed(&mut self) -> Result<u64> {
        self.take("seed", "a whole number from 0 on", Value::as_u64)
    }

    fn share(&mut self, key: &'static str) -> Result<f64> {
        self.take(key, "a share between 0 and 1", |v| v.as_f64().filter(|x| (0.0..=1.0).contains(x)))
    }

    fn positive(&mut self, key: &'static str) -> Result<f64> {
        self.take(key, "a number above 0", positive)
    }

    fn positive_numbers(&mut self, key: &'static str) -> Result<Vec<f64>> {
        self.take(key, "a list of numbers above 0, such as [0.1, 1.0]", |v| {
            v.as_sequence()?.iter().map(positive).collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        })
    }

    fn texts(&mut self, key: &'static str) -> Result<Vec<String>> {
        self.take(key, "a list of names, such as [age_group, region]", |v| {
            let names = v.as_sequence()?.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        })
    }

    fn shop(&mut self) -> Result<Shop> {
        let timezone =
            self.take("timezone", "an IANA time zone such as Europe/Berlin", |v| v.as_str()?.parse::<Tz>().ok())?;
        let exported_at = self.take(
            "exported_at",
            "a local time such as 2026-10-01 00:00:00 that exists on the shop's clock",
            |v| {
                let local = NaiveDateTime::parse_from_str(v.as_str()?, "%Y-%m-%d %H:%M:%S").ok()?;
                timezone.from_local_datetime(&local).earliest().map(|t| t.with_timezone(&Utc))
            },
        )?;
        let purchase_days = self.take("purchase_window", "a number of days such as 14 days", days)?;
        let return_days = self.take("return_window", "a number of days such as 21 days", days)?;
        Ok(Shop { exported_at, timezone, purchase_days, return_days })
    }

    /// The keys that are left, as literals for SQL.
    fn sql_params(self) -> Result<SqlParams> {
        let mut literals = SqlParams::new();
        for (key, value) in &self.keys {
            let literal = match (value, days(value)) {
                (_, Some(days)) => Some(format!("INTERVAL '{}' DAY", days.0)),
                (Value::Number(number), _) => Some(number.to_string()),
                (Value::Bool(yes), _) => Some(yes.to_string()),
                (Value::String(text), _) => Some(format!("'{}'", text.replace('\'', "''"))),
                _ => None,
            };
            let wanted = "a number, a text, true or false, or days such as 14 days";
            let literal = literal.ok_or_else(|| self.bad(&shown(key), value, wanted))?;
            literals.insert(shown(key), literal);
        }
        Ok(literals)
    }
}

fn positive(value: &Value) -> Option<f64> {
    value.as_f64().filter(|x| x.is_finite() && *x > 0.0)
}

/// `14 days` or `1 day`.
fn days(value: &Value) -> Option<Days> {
    let (number, unit) = value.as_str()?.split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    matches!(unit, "day" | "days").then_some(Days(number))
}

/// A YAML value as a person wrote it, on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim().replace('\n', " "),
    }
}
