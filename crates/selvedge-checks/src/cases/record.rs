//! `selvedge test --record`: a case from real rows, with only those source rows that make its values what they are.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, IntervalDayTimeArray, RecordBatch, Scalar, UInt32Array};
use datafusion::arrow::compute::kernels::numeric::sub;
use datafusion::arrow::compute::{filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::{DataType, IntervalDayTime};
use datafusion::arrow::error::ArrowError;

use super::compare::shown;
use super::request::request;
use super::{CaseError, find, grain};
use selvedge_engine::{Engine, Staged, Table};
use selvedge_features::features;
use selvedge_project::error::Result;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::pseudonyms::Pseudonyms;
use selvedge_project::sql::{SqlFile, TableName};

/// More rows than this are no example for a person.
const MOST: usize = 60;

/// Adds a case to `tests/features/<view>.yaml`: the view's row with this key, at this moment, as it is on the materials, but with
/// pseudonyms for who is in it and with all its times some weeks earlier.
///
/// # Errors
/// An unknown view, a key that is not the view's, or a row that too many source rows make.
pub fn record(project: &Project, view: &str, key: &[String]) -> Result<()> {
    let progress = Progress::start("record");
    let file = find(project, "--record", view)?;
    let engine = Engine::new(project)?;
    let people = Pseudonyms::of(project)?;
    let request = request(project, &engine, file, key, "--record")?;
    // All times of a case lie as far from each other as they did.
    let days = people.days_earlier(&who(&request));
    let request = earlier(&request, days)?;
    engine.register(&grain(project, file).0, request.clone())?;
    let mut tables = BTreeMap::new();
    for table in file.reads.iter().filter(|table| table.schema.as_deref() != Some("grain")) {
        tables.insert(table.clone(), earlier(&engine.read(table)?, days)?);
    }
    let recorder = Recorder { project, engine, file };
    let wanted = recorder.row(&tables)?;
    let kept = recorder.least(tables, &wanted, &request)?;
    let rows = kept.values().map(RecordBatch::num_rows).sum::<usize>();
    if rows > MOST {
        return Err(CaseError::TooMany { view: view.into(), rows }.into());
    }
    let needs = recorder.engine.columns_read(project, file)?;
    let path = project.paths.cases().join(format!("{view}.yaml"));
    let mut text = std::fs::read_to_string(&path).unwrap_or_else(|_| "cases:\n".into());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let name: String = flow("", &wanted.batch, &wanted.key, 0, &people);
    let name = name.trim_start_matches("- {").trim_end().trim_end_matches('}').replace(": ", "=").replace('\'', "");
    let _ = writeln!(text, "  - name: recorded for {name}\n    given:");
    for (table, batch) in &kept {
        let columns: Vec<String> = needs.get(table).into_iter().flatten().cloned().collect();
        let _ = writeln!(text, "      {table}:{}", if batch.num_rows() == 0 { " []" } else { "" });
        (0..batch.num_rows()).for_each(|row| text += &flow("        ", batch, &columns, row, &people));
    }
    let columns: Vec<String> = wanted.batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    text += "    expect:\n";
    text += &flow("      ", &wanted.batch, &columns, 0, &people);
    let staged = Staged::new(&project.paths, "record")?;
    staged.file(&path, None, text.as_bytes())?;
    staged.commit()?;
    progress.done(format!("{}: a case with {rows} source rows", project.paths.shown(&path)));
    Ok(())
}

/// What a request is about, its times left out.
fn who(request: &RecordBatch) -> String {
    let named = request.columns().iter().filter(|column| !column.data_type().is_temporal());
    named.map(|column| shown(column, 0)).collect::<Vec<_>>().join(" ")
}

/// The same rows with every day and time so many days earlier.
fn earlier(batch: &RecordBatch, days: i64) -> Result<RecordBatch> {
    let shift = Scalar::new(IntervalDayTimeArray::from(vec![IntervalDayTime::new(days as i32, 0)]));
    let shifted = |column: &ArrayRef| match column.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => sub(column, &shift),
        _ => Ok(Arc::clone(column)),
    };
    let columns = batch.columns().iter().map(shifted).collect::<std::result::Result<_, _>>().map_err(arrow)?;
    Ok(RecordBatch::try_new(batch.schema(), columns).map_err(arrow)?)
}

fn arrow(cause: ArrowError) -> CaseError {
    CaseError::Unreadable { file: "the stored tables".into(), cause: cause.to_string() }
}

type Tables = BTreeMap<TableName, RecordBatch>;

struct Recorder<'a> {
    project: &'a Project,
    engine: Engine,
    file: &'a SqlFile,
}

impl Recorder<'_> {
    /// The view's row over these tables.
    fn row(&self, tables: &Tables) -> Result<Table> {
        for (table, batch) in tables {
            self.engine.register(table, batch.clone())?;
        }
        Ok(features::view(self.project, &self.engine, self.file)?.table)
    }

    /// The same row over one table changed.
    fn holds(&self, table: &TableName, batch: &RecordBatch, wanted: &Table) -> Result<bool> {
        self.engine.register(table, batch.clone())?;
        // A query that needs a row of it, such as JOIN instead of LEFT JOIN, fails without: then the row matters.
        let found = features::view(self.project, &self.engine, self.file);
        Ok(found.is_ok_and(|found| found.table.batch == wanted.batch))
    }

    /// Takes away rows as long as the answer stays the same: first all that do not share the request's key, then
    /// halves, quarters and so on of what is left, down to single rows.
    fn least(&self, tables: Tables, wanted: &Table, request: &RecordBatch) -> Result<Tables> {
        let mut kept = Tables::new();
        for (table, mut batch) in tables {
            for (name, value) in request.schema().fields().iter().map(|f| f.name()).zip(request.columns()) {
                let fewer = match batch.column_by_name(name) {
                    Some(column) => filter_record_batch(&batch, &alike(column, value)).map_err(arrow)?,
                    None => continue,
                };
                if self.holds(&table, &fewer, wanted)? {
                    batch = fewer;
                }
            }
            let mut size = batch.num_rows().div_ceil(2);
            while size > 0 {
                let mut start = 0;
                while start < batch.num_rows() {
                    let rest =
                        (0..batch.num_rows() as u32).filter(|row| !(start..start + size).contains(&(*row as usize)));
                    let fewer = take_record_batch(&batch, &UInt32Array::from_iter_values(rest)).map_err(arrow)?;
                    if self.holds(&table, &fewer, wanted)? { batch = fewer } else { start += size }
                }
                size = if size == 1 { 0 } else { size.div_ceil(2) };
            }
            self.engine.register(&table, batch.clone())?;
            kept.insert(table, batch);
        }
        Ok(kept)
    }
}

fn alike(column: &ArrayRef, value: &ArrayRef) -> BooleanArray {
    let value = shown(value, 0);
    (0..column.len()).map(|row| Some(shown(column, row) == value)).collect()
}

/// Columns that name somebody, or what somebody did; a case that is committed shows pseudonyms instead.
const OF_PEOPLE: [&str; 3] = ["customer_id", "order_id", "session_id"];

/// `- {a: 1, b: x}`.
fn flow(indent: &str, batch: &RecordBatch, columns: &[String], row: usize, people: &Pseudonyms) -> String {
    let cell = |name: &String| {
        let column = batch.column_by_name(name).map(Arc::clone)?;
        let told = OF_PEOPLE.contains(&name.as_str()) && column.is_valid(row);
        let text = if told { people.name(&shown(&column, row)) } else { shown(&column, row) };
        // Numbers of articles and the like are texts; what YAML would read otherwise is put in quotes.
        let plain = column.data_type().is_numeric() || column.data_type().is_nested() || column.is_null(row);
        let safe = plain || text.chars().all(|c| c.is_alphanumeric() || "-_:.T".contains(c)) && !text.is_empty();
        let special = !plain && matches!(text.as_str(), "null" | "~");
        Some(match safe && !special {
            true => format!("{name}: {text}"),
            false => format!("{name}: '{}'", text.replace('\'', "''").replace('\n', " ")),
        })
    };
    format!("{indent}- {{{}}}\n", columns.iter().filter_map(cell).collect::<Vec<_>>().join(", "))
}
