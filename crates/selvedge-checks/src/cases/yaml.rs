//! Case files as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value;

use super::CaseError;
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// A row as written: column -> value.
pub type Row = BTreeMap<String, Value>;
/// Table -> its rows.
pub type Given = BTreeMap<String, Vec<Row>>;

/// `tests/features/<view>.yaml`.
#[derive(Debug)]
pub struct CaseFile {
    pub shown: String,
    pub view: String,
    pub cases: Vec<Case>,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Rows that every case has where it gives none of that table.
    #[serde(default)]
    given: Given,
    cases: Vec<Case>,
}

/// Given these rows, expect those.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    pub given: Given,
    /// Each row names the view's key and the columns it is about.
    pub expect: Vec<Row>,
    /// How far a float may be off, as a share of the expected one (of 1 where that is smaller).
    #[serde(default = "tolerance")]
    pub tolerance: f64,
}

fn tolerance() -> f64 {
    1e-9
}

impl CaseFile {
    /// Every case file of the project, by name; none where there is no folder.
    pub fn all(project: &Project) -> Result<Vec<Self>> {
        let folder = project.paths.cases();
        let shown = project.paths.shown(&folder);
        let unreadable = |e: std::io::Error| CaseError::Unreadable { file: shown.clone(), cause: e.to_string() };
        let mut paths = Vec::new();
        if folder.is_dir() {
            for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
                paths.push(entry.map_err(unreadable)?.path());
            }
        }
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        paths.sort();
        let load = |path: &std::path::PathBuf| {
            let view = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let shown = project.paths.shown(path);
            let text = std::fs::read_to_string(path)
                .map_err(|e| CaseError::Unreadable { file: shown.clone(), cause: e.to_string() })?;
            Self::parse(shown, view, text)
        };
        paths.iter().map(load).collect()
    }

    fn parse(shown: String, view: String, text: String) -> Result<Self> {
        let written: Written = serde_yaml::from_str(&text).map_err(|e| {
            let line = e.location().map_or(1, |at| at.line());
            let cause = e.to_string();
            let cause = cause.split(" at line ").next().unwrap_or_default().replace("field", "key");
            CaseError::Yaml { file: shown.clone(), line, cause }
        })?;
        let common = |mut case: Case| {
            for (table, rows) in &written.given {
                case.given.entry(table.clone()).or_insert_with(|| rows.clone());
            }
            case
        };
        let cases = written.cases.into_iter().map(common).collect();
        Ok(Self { shown, view, cases, text })
    }

    /// `file:line: case 'name'`.
    pub fn place(&self, case: &Case) -> String {
        let line = self.text.lines().position(|line| line.contains("name:") && line.contains(&case.name));
        match line {
            Some(line) => format!("{}:{}: case '{}'", self.shown, line + 1, case.name),
            None => format!("{}: case '{}'", self.shown, case.name),
        }
    }
}

/// A value as its text; none where it is null.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        other => Some(serde_yaml::to_string(other).unwrap_or_default().trim().replace('\n', " ")),
    }
}
