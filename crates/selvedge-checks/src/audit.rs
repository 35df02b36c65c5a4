//! `selvedge audit`: queries that must return no rows; what they return is shown, and nothing is written.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;

use selvedge_engine::Engine;
use selvedge_project::error::{Advice, Outcome, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, Severity};

/// Rows shown of each audit that finds some.
const SHOWN: usize = 3;

#[derive(Debug, thiserror::Error)]
#[error("{0} of the audits with severity error found rows")]
pub struct AuditFailed(usize);

impl Advice for AuditFailed {
    fn advice(&self) -> Option<String> {
        Some("look at the rows named above: correct the data or the query that made them".into())
    }
}

/// Runs every audit over the tables that are there.
///
/// # Errors
/// An audit of severity `error` found rows; one of severity `warn` only makes the outcome a warning.
pub fn run(project: &Project) -> Result<Outcome> {
    let progress = Progress::start("audit");
    let engine = Engine::new(project)?;
    let (mut errors, mut warnings, mut clean) = (0, 0, 0);
    for file in project.library.layer(Layer::AUDITS) {
        let Header::Audit(header) = &file.header else { continue };
        let found = engine.run(project, file)?;
        if found.num_rows() == 0 {
            clean += 1;
            continue;
        }
        let severity = match header.severity {
            Severity::Error => {
                errors += 1;
                "error"
            }
            Severity::Warn => {
                warnings += 1;
                "warning"
            }
        };
        progress.say(format!("{severity}: {}: {} rows: {}", file.shown, found.num_rows(), header.description.trim()));
        (0..found.num_rows().min(SHOWN)).for_each(|row| progress.say(format!("  {}", shown(&found, row))));
    }
    progress.done(format!("{clean} clean, {warnings} with a warning, {errors} with an error"));
    match (errors, warnings) {
        (0, 0) => Ok(Outcome::Done),
        (0, _) => Ok(Outcome::Warnings),
        _ => Err(AuditFailed(errors).into()),
    }
}

/// `customer_id=…, product_id=…`.
fn shown(found: &RecordBatch, row: usize) -> String {
    let schema = found.schema();
    let names = schema.fields().iter().map(|field| field.name());
    let values = found.columns().iter().map(|column| array_value_to_string(column, row).unwrap_or_default());
    names.zip(values).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}
