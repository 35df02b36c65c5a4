//! What the sections of params.yaml say, once it is checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::SqlParams;
use super::section::Section;
use super::shift::Standing;
use crate::error::Result;

/// What holds for the whole shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The moment up to which all is known: when the export was taken, or, where the served log goes on, its end.
    pub exported_at: DateTime<Utc>,
    /// When the export was taken, as params.yaml says.
    pub delivered_at: DateTime<Utc>,
    /// Until when the served log was read in by the last `ingest`.
    pub served_until: Option<DateTime<Utc>>,
    /// The shop's clock, an IANA name.
    pub timezone: Tz,
    /// A purchase counts for a look or a recommendation when it comes within this many days.
    pub purchase_days: Days,
    /// A purchase counts as kept when this many days pass without a return.
    pub return_days: Days,
    /// Whose behaviour may be used.
    pub consent: Consent,
    /// What prices are in; EUR where nothing is said.
    pub currency: String,
    /// What drives a recommendation, in the shop's own words: features' headers name one of them, or none.
    pub drivers: Vec<String>,
    /// What pseudonyms are made with; none: the key's own file, which stays out of git.
    pub pseudonym_key: Option<String>,
}

/// Where it is said whose behaviour may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// In a column of the customers; where there is none, nobody's may be.
    Column,
    /// The shop has not asked, and may use everybody's.
    NotAsked,
    /// Nobody's.
    Nobody,
}

/// A whole number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(pub u32);

/// How queries run.
#[derive(Debug, Clone)]
pub struct Engine {
    /// How many parts queries are split into; the results do not depend on it.
    pub partitions: usize,
    /// Above this many bytes queries move what they hold to disk; without it, they take what they need.
    pub memory_limit: Option<usize>,
    /// The scheduler of the cluster that answers queries over many rows.
    pub cluster: Option<String>,
    /// Where files are written that the cluster reads; none: its machines see the project's folder.
    pub cluster_storage: Option<String>,
    /// Queries that read fewer rows are answered here all the same.
    pub cluster_least_rows: usize,
}

/// When an export is not what it was.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// Above this share of set-aside rows in a file the run stops: the file is not what it was.
    pub max_set_aside_share: f64,
    /// Above this share of one kind of row that one reason sets aside, too.
    pub max_set_aside_share_of_kind: f64,
}

/// How texts become vectors.
#[derive(Debug, Clone)]
pub struct Embeddings {
    /// The sentence model's folder; none: descriptions are not compared.
    pub model: Option<PathBuf>,
    /// How many dimensions of the reduction a model may read, to choose from; the reduction keeps the largest number.
    pub dimensions: Vec<usize>,
}

/// How features are proven.
#[derive(Debug, Clone)]
pub struct Test {
    pub seed: u64,
    /// Moments at which the future is changed.
    pub cuts: usize,
}

/// How lists are served.
#[derive(Debug, Clone)]
pub struct Serve {
    /// For how long requests are gathered, to be answered together.
    pub gather: Duration,
    /// How many are answered together at most.
    pub at_most: usize,
    /// Who is not answered within gets the list that the release came with.
    pub deadline: Duration,
    /// How often what is known of articles is worked out anew.
    pub refresh: Duration,
    /// How often what is served is held against what is promised.
    pub watch: Duration,
    /// How many requests a second one key may ask; as many at once.
    pub rate: usize,
    /// How many connections there may be.
    pub connections: usize,
}

impl Serve {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            gather: Duration::from_millis(section.whole("gather")? as u64),
            at_most: section.count("at_most")?,
            deadline: Duration::from_millis(section.count("deadline")? as u64),
            refresh: Duration::from_secs(section.count("refresh_seconds")? as u64),
            watch: Duration::from_secs(section.count("watch_seconds")? as u64),
            rate: section.count("rate")?,
            connections: section.count("connections")?,
        })
    }
}

impl Engine {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            partitions: section.count("partitions")?,
            memory_limit: section.size("memory_limit")?,
            cluster: section.address_if_there("cluster")?,
            cluster_storage: section.text_if_there("cluster_storage")?,
            cluster_least_rows: section.whole_if_there("cluster_least_rows")?.unwrap_or(100_000),
        })
    }
}

impl Ingest {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            max_set_aside_share: section.share("max_set_aside_share")?,
            max_set_aside_share_of_kind: section.share("max_set_aside_share_of_kind")?,
        })
    }
}

impl Test {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self { seed: section.seed()?, cuts: section.count("cuts")? })
    }
}

impl Train {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self { penalties: section.positive_numbers("penalties")?, most_rows: section.count("most_rows")? })
    }
}

impl Rank {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            seed: section.seed()?,
            negatives: section.count("negatives")?,
            most_rows: section.count("most_rows")?,
            dimensions: section.count("dimensions")?,
            look_penalties: section.positive_numbers("look_penalties")?,
            buy_penalties: section.positive_numbers("buy_penalties")?,
            look_weights: section.positive_numbers("look_weights")?,
            draws: section.draws("draws")?,
            deep: section.flag("deep")?,
        })
    }
}

impl Evaluate {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            seed: section.seed()?,
            draws: section.draws("draws")?,
            list_length: section.count("list_length")?,
            enough: section.count("enough")?,
            training_shares: section.shares("training_shares")?,
        })
    }
}

impl Tracking {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self { uri: section.address("uri")?, experiment: section.text("experiment")? })
    }
}

impl Drill {
    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            seed: section.seed()?,
            days: u32::try_from(section.count("days")?).unwrap_or(u32::MAX),
            repeats: section.count("repeats")?,
            standing: section.standing("standing")?,
        })
    }
}

impl Embeddings {
    /// The model's folder is meant from the folder that params.yaml, which is `file`, stands in.
    pub(super) fn take(section: &mut Section, file: &Path) -> Result<Self> {
        let folder = |model: String| file.parent().unwrap_or(Path::new("")).join(model);
        let model = section.text_or_null("model")?.map(folder);
        Ok(Self { model, dimensions: section.counts("dimensions")? })
    }

    /// How many dimensions the reduction keeps: the most that a model may read.
    pub fn kept_dimensions(&self) -> usize {
        self.dimensions.iter().copied().max().unwrap_or(1)
    }
}

/// What models are fitted with.
#[derive(Debug, Clone)]
pub struct Train {
    /// Strengths of the L2 penalty to choose from on validation rows.
    pub penalties: Vec<f64>,
    /// About the most looks that a model is fitted on; where there are more, those of customers drawn by lot.
    pub most_rows: usize,
}

/// How shelves are ranked.
#[derive(Debug, Clone)]
pub struct Rank {
    /// Decides which articles stand for those that were not looked at, and the order of equal scores.
    pub seed: u64,
    /// So many articles of the shelf that were not looked at stand beside those of each visit that were.
    pub negatives: usize,
    /// The most rows that a model of looks is fitted on; where there would be more, fewer stand beside, then fewer visits.
    pub most_rows: usize,
    /// How many positions of each description it reads.
    pub dimensions: usize,
    /// Strengths of the L2 penalty to choose from, of the model of looks …
    pub look_penalties: Vec<f64>,
    /// … and of that of purchases.
    pub buy_penalties: Vec<f64>,
    /// How much the chance of a look counts beside those of a purchase and of keeping it, to choose from.
    pub look_weights: Vec<f64>,
    /// Bootstrap draws, by customer, when it is decided what speaks.
    pub draws: usize,
    /// Whether deep models are learned beside the others, by a program that needs libtorch.
    pub deep: bool,
}

/// How sure the figures are.
#[derive(Debug, Clone)]
pub struct Evaluate {
    pub seed: u64,
    /// Bootstrap draws, by customer.
    pub draws: usize,
    /// Lists are judged by their first so many articles.
    pub list_length: usize,
    /// Fewer looks with (or without) a kept purchase in a group than this are too few to judge a model by.
    pub enough: usize,
    /// The shares of the training customers in the learning curve.
    pub training_shares: Vec<f64>,
}

/// How long and how mixed the lists are.
#[derive(Debug, Clone)]
pub struct Recommend {
    pub per_customer: usize,
    /// A brand gets at most so many times the share of places that this customer's scores give it …
    pub brand_share: f64,
    /// … and never fewer than so many; as many as there are places switches the rule off.
    pub least_of_brand: usize,
    /// So many places of a personal list go to new articles.
    pub at_least_new: usize,
    /// So many of one list may say the same reason.
    pub same_reason: usize,
}

/// Where runs are kept.
#[derive(Debug, Clone)]
pub struct Tracking {
    /// The MLflow server; none: runs are not kept.
    pub uri: Option<String>,
    /// The experiment that runs go into; made where it is not there.
    pub experiment: String,
}

/// When an alarm is raised.
#[derive(Debug, Clone)]
pub struct Monitor {
    pub seed: u64,
    /// The columns of customers or articles whose values are the segments; `a x b` crosses two.
    pub segments: Vec<String>,
    /// Earlier reports that are made again, one for each Monday.
    pub replays: usize,
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
    /// How many times as likely an explanation must be as another to be told without it.
    pub told_alone: f64,
    /// The share by which a rate must move for that to be worth telling.
    pub worth_telling: f64,
}

/// What the monitor must notice.
#[derive(Debug, Clone)]
pub struct Drill {
    pub seed: u64,
    /// A drop should be noticed within so many days.
    pub days: u32,
    /// Seeded tries for every start.
    pub repeats: usize,
    /// Drops that are noticed today and must be noticed tomorrow.
    pub standing: Vec<Standing>,
}

impl Recommend {
    /// A key that SQL files may use too.
    pub(super) const LENGTH: &str = "per_customer";

    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            per_customer: section.count(Self::LENGTH)?,
            brand_share: section.positive("brand_share")?,
            least_of_brand: section.whole("least_of_brand")?,
            at_least_new: section.whole("at_least_new")?,
            same_reason: section.count("same_reason")?,
        })
    }
}

impl Monitor {
    /// A key that SQL files may use too.
    pub(super) const FALSE_ALARMS: &str = "false_alarms";
    pub(super) const WORTH_TELLING: &str = "worth_telling";

    pub(super) fn take(section: &mut Section) -> Result<Self> {
        Ok(Self {
            seed: section.seed()?,
            segments: section.texts("segments")?,
            replays: section.whole("replays")?,
            permutations: section.count("permutations")?,
            false_alarms: section.share(Self::FALSE_ALARMS)?,
            maybe_alarms: section.share("maybe_alarms")?,
            maybe_floor: section.positive("maybe_floor")?,
            threshold_floor: section.positive("threshold_floor")?,
            threshold_cap: section.positive("threshold_cap")?,
            told_alone: section.positive("told_alone")?,
            worth_telling: section.share(Self::WORTH_TELLING)?,
        })
    }

    /// The same as twice the logarithm of a ratio of likelihoods.
    pub fn near(&self) -> f64 {
        2.0 * self.told_alone.max(1.0).ln()
    }
}

impl Shop {
    /// A moment in UTC as every table has it, to the nanosecond: an event is known at once.
    pub fn sql_time(moment: DateTime<Utc>) -> String {
        format!("TIMESTAMP '{}'", moment.format("%Y-%m-%dT%H:%M:%S%.f"))
    }

    /// The moment of the export as `$parameters`.
    pub(super) fn sql_moment(&self) -> SqlParams {
        let day = self.exported_at.with_timezone(&self.timezone).date_naive();
        SqlParams::from([
            ("exported_at".into(), Self::sql_time(self.exported_at)),
            ("exported_on".into(), format!("DATE '{day}'")),
        ])
    }

    /// The shop's `$parameters`, which every file may use.
    pub(super) fn sql_params(&self) -> SqlParams {
        let mut params = self.sql_moment();
        params.extend([
            ("timezone".into(), format!("'{}'", self.timezone.name())),
            ("purchase_window".into(), format!("INTERVAL '{}' DAY", self.purchase_days.0)),
            ("return_window".into(), format!("INTERVAL '{}' DAY", self.return_days.0)),
            ("currency".into(), format!("'{}'", self.currency)),
            ("consent".into(), (self.consent == Consent::NotAsked).to_string()),
        ]);
        params
    }
}
