//! What the chosen views read, as it is: rows, and the moment from which each of them is known.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType};
use datafusion::arrow::error::ArrowError;

use selvedge_engine::{Engine, Table};
use selvedge_project::error::{Advice, Result};
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, SourceHeader, SqlFile, TableName};

/// Every table that the chosen views read.
pub struct Materials {
    pub tables: Vec<Material>,
    /// The grains, computed.
    pub grains: Vec<Grain>,
}

/// One table of sources or embeddings.
pub struct Material {
    pub name: TableName,
    pub key: Vec<String>,
    pub batch: RecordBatch,
    /// The column that says from when a row is known; none where the table has none of its own.
    pub time: Option<String>,
    /// For each row the moment from which it is known, in nanoseconds; none: from the start.
    pub known_from: Vec<Option<i64>>,
    /// The column that is true where the row's customer agreed to be profiled; none where rows are nobody's behaviour.
    pub consent: Option<String>,
    /// The source whose CSV the rows stand in, and for each row the line; none for rows that stand in no CSV.
    pub csv: Option<(TableName, Vec<Option<i64>>)>,
}

/// One grain with its moments, in nanoseconds.
pub struct Grain {
    pub name: TableName,
    pub table: Table,
    pub moments: Vec<Option<i64>>,
}

#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    #[error("{file}: there is no column '{column}' with times")]
    NoTime { file: String, column: String },
    #[error("{table}: {cause}")]
    Arrow { table: String, cause: ArrowError },
}

impl Advice for MaterialError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoTime { .. } => Some("name a column of times or days, which the query returns".into()),
            Self::Arrow { .. } => None,
        }
    }
}

impl Materials {
    /// Reads what the views and their grains need; the grains are computed and registered in `engine`.
    pub fn load(project: &Project, engine: &Engine, views: &[&SqlFile]) -> Result<Self> {
        let mut grains = Vec::new();
        for (file, table) in engine.layer(project, Layer::GRAIN)? {
            let moments = times(&table.batch, "as_of", &file.shown)?;
            grains.push(Grain { name: file.table(), table, moments });
        }
        let read: BTreeSet<&TableName> = views
            .iter()
            .flat_map(|file| &file.reads)
            .filter(|table| table.schema.as_deref() != Some("grain"))
            .collect();
        let mut tables = Vec::new();
        for name in read {
            let mut table = Material::load(project, engine, name)?;
            grains.iter().for_each(|grain| table.know_once_named(grain));
            tables.push(table);
        }
        Ok(Self { tables, grains })
    }

    /// The moments of all grains, each once, in order.
    pub fn moments(&self) -> Vec<i64> {
        let moments: BTreeSet<i64> =
            self.grains.iter().flat_map(|grain| grain.moments.iter().flatten()).copied().collect();
        moments.into_iter().collect()
    }

    /// The lines of a source's CSV that are known only at `cut` (nanoseconds) or later.
    pub fn lines_from(&self, source: &TableName, cut: i64) -> BTreeSet<i64> {
        let tables = self.tables.iter().filter(|table| table.name == *source);
        let lines = tables.flat_map(|table| {
            let lines = table.csv.iter().flat_map(|(_, lines)| lines);
            lines.zip(&table.known_from).filter(|(_, from)| from.is_some_and(|from| from >= cut))
        });
        lines.filter_map(|(line, _)| *line).collect()
    }

    /// The sources whose header does not say from when a row is known.
    pub fn timeless(&self) -> impl Iterator<Item = &TableName> {
        let timeless = |table: &&Material| table.time.is_none() && table.name.schema.as_deref() == Some("sources");
        self.tables.iter().filter(timeless).map(|table| &table.name)
    }
}

impl Material {
    fn load(project: &Project, engine: &Engine, name: &TableName) -> Result<Self> {
        let batch = engine.read(name)?;
        let rows = batch.num_rows();
        if let Some((file, header)) = source(project, name) {
            let known_from = match &header.known_from {
                Some(column) => times(&batch, column, &file.shown)?,
                None => vec![None; rows],
            };
            let csv = Some((name.clone(), lines(&batch, &file.shown)?));
            let (name, key, time) = (name.clone(), header.key.clone(), header.known_from.clone());
            return Ok(Self { name, key, batch, time, known_from, consent: header.consent.clone(), csv });
        }
        // A vector is known from when its row of the source is.
        let texts = project.library.file(&TableName::new(Layer::TEXTS.folder, &name.name));
        let key = match texts.map(|file| &file.header) {
            Some(Header::Table(header)) => header.key.clone(),
            _ => Vec::new(),
        };
        let mut sources = texts.into_iter().flat_map(|file| &file.reads).filter_map(|table| source(project, table));
        let Some((file, header)) = sources.find(|(_, header)| header.key == key) else {
            return Ok(Self {
                name: name.clone(),
                key,
                batch,
                time: None,
                known_from: vec![None; rows],
                consent: None,
                csv: None,
            });
        };
        let source = engine.read(&file.table())?;
        let times = match &header.known_from {
            Some(column) => times(&source, column, &file.shown)?,
            None => vec![None; source.num_rows()],
        };
        let behind = times.into_iter().zip(lines(&source, &file.shown)?);
        let by_key: BTreeMap<String, _> = named(&source, &header.key).into_iter().zip(behind).collect();
        let found = named(&batch, &key).into_iter().map(|key| by_key.get(&key).copied().unwrap_or_default());
        let (known_from, lines) = found.unzip();
        Ok(Self {
            name: name.clone(),
            key,
            batch,
            time: None,
            known_from,
            consent: None,
            csv: Some((file.table(), lines)),
        })
    }
}

impl Material {
    /// A row that a moment names by its whole key is known by then, whatever its own time says.
    fn know_once_named(&mut self, grain: &Grain) {
        if self.key.is_empty() || !self.key.iter().all(|column| grain.table.key.contains(column)) {
            return;
        }
        let mut first = BTreeMap::<String, i64>::new();
        for (key, moment) in named(&grain.table.batch, &self.key).into_iter().zip(&grain.moments) {
            let Some(moment) = *moment else { continue };
            first.entry(key).and_modify(|known| *known = moment.min(*known)).or_insert(moment);
        }
        for (from, key) in self.known_from.iter_mut().zip(named(&self.batch, &self.key)) {
            if let (Some(from), Some(named)) = (from.as_mut(), first.get(&key)) {
                *from = (*from).min(named.saturating_sub(1));
            }
        }
    }
}

fn source<'a>(project: &'a Project, table: &TableName) -> Option<(&'a SqlFile, &'a SourceHeader)> {
    project.library.sources().find(|(file, _)| file.table() == *table)
}

/// Each row's key as one text.
fn named(batch: &RecordBatch, key: &[String]) -> Vec<String> {
    let table = Table { batch: batch.clone(), key: key.to_vec() };
    (0..batch.num_rows()).map(|row| table.show_key(row)).collect()
}

/// The line of the CSV that each row of a source stands in.
pub fn lines(batch: &RecordBatch, file: &str) -> Result<Vec<Option<i64>>> {
    let arrow = |cause| MaterialError::Arrow { table: file.into(), cause };
    let Some(lines) = batch.column_by_name("line") else { return Ok(vec![None; batch.num_rows()]) };
    let lines = cast(lines, &DataType::Int64).map_err(arrow)?;
    Ok(lines.as_primitive::<Int64Type>().iter().collect())
}

/// A column of times or days in nanoseconds.
pub fn times(batch: &RecordBatch, column: &str, file: &str) -> Result<Vec<Option<i64>>> {
    let no_time = || MaterialError::NoTime { file: file.into(), column: column.into() };
    let values: &ArrayRef = batch.column_by_name(column).ok_or_else(no_time)?;
    if !matches!(values.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) {
        return Err(no_time().into());
    }
    let arrow = |cause| MaterialError::Arrow { table: file.into(), cause };
    let values = cast(values, &DataType::Timestamp(TimeUnit::Nanosecond, None)).map_err(arrow)?;
    Ok(values.as_primitive::<TimestampNanosecondType>().iter().collect())
}
