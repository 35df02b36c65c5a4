//! The client's shop with a log of a test's own making.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use datafusion::arrow::array::RecordBatch;
use selvedge::engine::Engine;
use selvedge::monitor::Outcome;
use selvedge::project::Project;
use selvedge::sql::TableName;
use selvedge::{ingest, monitor, report};
use serde::Deserialize;
use serde_json::Value;

use super::shop::Shop;

const LOG: &str = "materials/production-recommendations-sample.csv";

/// A row of the log: cells by column.
pub type Row = BTreeMap<String, String>;

/// A shop and its production log.
pub struct Log(pub Shop);

impl Log {
    /// The client's log with its rows edited; None leaves a row out.
    pub fn edited(edit: impl Fn(Row) -> Option<Row>) -> Self {
        let shop = Shop::of_client();
        // Nothing here reads what customers did in the shop itself; a few lines keep ingest quick.
        let transactions = shop.read("materials/transactions.csv");
        let few: String = transactions.lines().take(40).map(|line| format!("{line}\n")).collect();
        shop.write("materials/transactions.csv", &few);
        let text = shop.read(LOG);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&headers).unwrap();
        for record in reader.records().map(Result::unwrap) {
            let row = headers.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
            if let Some(row) = edit(row) {
                writer.write_record(headers.iter().map(|column| &row[column])).unwrap();
            }
        }
        shop.write(LOG, std::str::from_utf8(&writer.into_inner().unwrap()).unwrap());
        Self(shop)
    }

    pub fn of_client() -> Self {
        Self::edited(Some)
    }

    /// The client's log after a run, for tests that only read.
    pub fn shared() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::of_client();
            log.run();
            log
        })
    }

    /// Fewer shuffles and no earlier reports, for tests that do not look at the line or the history that they draw.
    pub fn quick(self) -> Self {
        self.0.replace("params.yaml", "permutations: 1000", "permutations: 60");
        self.0.replace("params.yaml", "replays: 8", "replays: 0");
        self
    }

    pub fn project(&self) -> Project {
        selvedge::open(Some(&self.0.path(""))).unwrap()
    }

    /// ingest, monitor, dashboard.
    pub fn run(&self) -> Outcome {
        self.run_as_of(None)
    }

    pub fn run_as_of(&self, as_of: Option<&str>) -> Outcome {
        let project = self.project();
        ingest::run(&project).unwrap();
        let as_of = as_of.map(|text| monitor::moment(text, &project.params.shop).unwrap());
        let outcome = monitor::run(&project, as_of).unwrap();
        report::dashboard(&project).unwrap();
        outcome
    }

    pub fn alerts(&self) -> Vec<Value> {
        let file: Value = serde_json::from_str(&self.0.read("reports/alerts.json")).unwrap();
        file["alerts"].as_array().unwrap().clone()
    }

    pub fn table(&self, name: &str) -> RecordBatch {
        Engine::new(&self.project()).unwrap().read(&TableName::new("monitoring", name)).unwrap()
    }
}

/// A round of the alarm, of one segment.
#[derive(Debug, Deserialize)]
pub struct ChangeWindow {
    pub round: i64,
    pub segment_column: String,
    pub segment_value: String,
    pub phi: f64,
    pub z: f64,
    /// Against the rest of the shop alone.
    pub apart_z: f64,
}

/// Counts alerts in a state.
pub fn in_state(alerts: &[Value], state: &str) -> usize {
    alerts.iter().filter(|alert| alert["state"] == state).count()
}

/// The alert of a metric and segment; the whole shop for an empty column.
pub fn of<'a>(alerts: &'a [Value], metric: &str, column: &str, value: &str) -> &'a Value {
    let is = |alert: &&Value| {
        alert["metric"] == metric
            && match column {
                "" => alert["segment"].is_null(),
                _ => alert["segment"]["column"] == column && alert["segment"]["value"] == value,
            }
    };
    alerts.iter().find(is).unwrap_or_else(|| panic!("nothing is said of {metric} {column} {value}"))
}
