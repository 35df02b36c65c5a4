//! The answer of a source's query, line by line.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::arrow::error::ArrowError;

use super::IngestError;
use selvedge_engine::row_local::{Origin, Parts};
use selvedge_engine::{Engine, RawTable, picked, reference};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SourceHeader, SqlFile, TableName};

/// The answer of a source's query: its columns, a row for every row of `raw`, in the order of `raw`; of a derived source, a row
/// for some of them.
pub fn answer(
    project: &Project,
    engine: &Engine,
    file: &SqlFile,
    header: &SourceHeader,
    raw: &RawTable,
) -> Result<RecordBatch> {
    let name = TableName::new("raw", &header.name);
    engine.register(&name, raw.batch.clone())?;
    let plan = engine.plan(project, file)?;
    if header.derived {
        let answer = engine.run_planned(project, file, vec![plan])?.into_iter().next();
        let missing = || IngestError::NoColumn { file: file.shown.clone(), column: "line", wanted: "a whole number" };
        return of_some(answer.ok_or_else(missing)?, raw, file);
    }
    let parts = Parts::of(plan, &reference(&name), &file.read_again()).map_err(|e| engine.failed(file, &e))?;
    let answers = engine.run_planned(project, file, std::iter::once(parts.query).chain(parts.rows).collect())?;
    let answers = answers.into_iter().map(|answer| in_order(answer, raw, file)).collect::<Result<Vec<_>>>()?;
    let (query, rows) = (answers.first(), answers.get(1));
    let arrow = |cause| IngestError::Arrow { file: file.shown.clone(), cause };
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (name, origin) in &parts.columns {
        let column = match origin {
            Origin::Written(written) => raw.batch.column_by_name(written),
            Origin::Row => rows.and_then(|rows| rows.column_by_name(name)),
            Origin::Query => query.and_then(|query| query.column_by_name(name)),
        };
        let missing = || arrow(ArrowError::SchemaError(format!("the column {name} went missing")));
        let column = column.ok_or_else(missing)?;
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(Arc::clone(column));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow)?)
}

/// The rows in the order of their lines; refused where one stands on no line of `raw`, or on that of another.
fn of_some(answer: RecordBatch, raw: &RawTable, file: &SqlFile) -> Result<RecordBatch> {
    let lines = lines_of(&answer, file)?;
    let mut order: Vec<u32> = (0..lines.len() as u32).collect();
    order.sort_by_key(|row| lines.value(*row as usize));
    let own: Vec<i64> = order.iter().map(|row| lines.value(*row as usize)).collect();
    let twice = own.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    if let Some(line) = twice.or_else(|| own.iter().copied().find(|line| raw.lines().binary_search(line).is_err())) {
        return Err(IngestError::OtherLine { file: file.shown.clone(), line }.into());
    }
    let ordered = picked(answer, &order.into());
    Ok(ordered.map_err(|cause| IngestError::Arrow { file: file.shown.clone(), cause })?)
}

fn lines_of(answer: &RecordBatch, file: &SqlFile) -> Result<Int64Array> {
    let lines = answer.column_by_name("line").and_then(|lines| lines.as_primitive_opt::<Int64Type>());
    let missing = || IngestError::NoColumn { file: file.shown.clone(), column: "line", wanted: "a whole number" };
    Ok(lines.ok_or_else(missing)?.clone())
}

/// The rows in the order of the lines of `raw`; refused where the lines that went in are not those that came out.
fn in_order(answer: RecordBatch, raw: &RawTable, file: &SqlFile) -> Result<RecordBatch> {
    let (came_out, went_in) = (&lines_of(&answer, file)?, raw.lines());
    if came_out.null_count() == 0 && came_out.values() == went_in {
        return Ok(answer);
    }
    let order = order(came_out, went_in).map_err(|line| IngestError::RowsLost {
        file: file.shown.clone(),
        rows_in: went_in.len(),
        rows_out: came_out.len(),
        line,
    })?;
    let ordered = picked(answer, &order);
    Ok(ordered.map_err(|cause| IngestError::Arrow { file: file.shown.clone(), cause })?)
}

/// For every line that went in, which ascend, its place among those that came out; else the first line that is not
/// there exactly once.
fn order(came_out: &Int64Array, went_in: &[i64]) -> std::result::Result<UInt32Array, i64> {
    let first = went_in.first().copied().unwrap_or_default();
    let place = |line: i64| {
        // Most rows take one line, so most stand where their line says.
        let guess = usize::try_from(line - first).ok().filter(|guess| went_in.get(*guess) == Some(&line));
        guess.or_else(|| went_in.binary_search(&line).ok())
    };
    let mut order = vec![u32::MAX; went_in.len()];
    let mut odd: Option<i64> = None;
    for (row, line) in came_out.iter().enumerate() {
        // One without a line is missed where it came from.
        let Some(line) = line else { continue };
        match place(line).filter(|place| order[*place] == u32::MAX) {
            Some(place) => order[place] = row as u32,
            None => odd = Some(odd.map_or(line, |odd| odd.min(line))),
        }
    }
    let lost = order.iter().position(|row| *row == u32::MAX).map(|place| went_in[place]);
    match [odd, lost].into_iter().flatten().min() {
        Some(line) => Err(line),
        None => Ok(order.into()),
    }
}
