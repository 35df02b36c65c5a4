//! A small shop in a scratch folder: the real customers and articles, a log of the test's own making.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use selvedge::engine::Engine;
use selvedge::project::Project;
use selvedge::sql::TableName;
use selvedge::{ingest, monitor, report};
use serde_json::Value;

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub const LOG: &str = "production-recommendations-sample.csv";

/// A project that is thrown away at the end of its test.
pub struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    /// The client's shop with the rows of the log that `keep` keeps; cells by column name.
    pub fn with_log(keep: impl Fn(&BTreeMap<String, String>) -> bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let materials = folder.path().join("materials");
        std::fs::create_dir_all(&materials).unwrap();
        for name in ["customers.csv", "products.csv"] {
            std::fs::copy(root().join("materials").join(name), materials.join(name)).unwrap();
        }
        let transactions = std::fs::read_to_string(root().join("materials/transactions.csv")).unwrap();
        let few: Vec<&str> = transactions.lines().take(40).collect();
        std::fs::write(materials.join("transactions.csv"), few.join("\n") + "\n").unwrap();
        let mut reader = csv::Reader::from_path(root().join("materials").join(LOG)).unwrap();
        let headers = reader.headers().unwrap().clone();
        let mut writer = csv::Writer::from_path(materials.join(LOG)).unwrap();
        writer.write_record(&headers).unwrap();
        for record in reader.records().map(Result::unwrap) {
            let row = headers.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
            if keep(&row) {
                writer.write_record(&record).unwrap();
            }
        }
        writer.flush().unwrap();
        copy(&root().join("sql"), &folder.path().join("sql"));
        std::fs::copy(root().join("params.yaml"), folder.path().join("params.yaml")).unwrap();
        Self { folder }
    }

    /// The client's own log.
    pub fn whole() -> Self {
        Self::with_log(|_| true)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes one line of params.yaml.
    pub fn set(self, key: &str, value: &str) -> Self {
        let file = self.path().join("params.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{key}:"))).unwrap();
        std::fs::write(&file, text.replace(line, &format!("  {key}: {value}"))).unwrap();
        self
    }

    pub fn project(&self) -> Project {
        Project::open(Some(self.path())).unwrap()
    }

    /// ingest, monitor, report.
    pub fn run(&self) -> monitor::Outcome {
        let project = self.project();
        ingest::run(&project).unwrap();
        let outcome = monitor::run(&project, None).unwrap();
        report::run(&project).unwrap();
        outcome
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    pub fn alerts(&self) -> Vec<Value> {
        let file: Value = serde_json::from_str(&self.read("reports/alerts.json")).unwrap();
        file["alerts"].as_array().unwrap().clone()
    }

    pub fn table(&self, name: &str) -> RecordBatch {
        Engine::new(&self.project()).unwrap().read(&TableName::new("monitoring", name)).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
