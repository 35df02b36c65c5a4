//! `selvedge sql`: any query over every table there is, the raw CSVs included, and over any file.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ArrayWriter;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;

use selvedge_engine::Engine;
use selvedge_features::ingest;
use selvedge_project::error::{self, Advice};
use selvedge_project::progress::{Progress, answer as answer_with};
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;
use selvedge_serving::log;

/// The schema of the served log.
const SERVED: &str = "served";

/// What is asked.
#[derive(Debug)]
pub enum Question {
    Text(String),
    File(PathBuf),
    WhichTables,
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
    /// Bytes for a file: `> answer.parquet`
    Parquet,
}

#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    #[error("{path} cannot be read: {cause}")]
    Unreadable { path: String, cause: std::io::Error },
    #[error("the answer cannot be printed: {0}")]
    Print(String),
}

impl Advice for ExploreError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some("name an existing file after -f".into()),
            Self::Print(_) => Some("choose another --format, or turn lists into texts with array_to_string".into()),
        }
    }
}

/// Answers on standard output.
pub fn answer(project: &Project, question: &Question, format: Format) -> error::Result<()> {
    let engine = Engine::new(project)?;
    let (text, shown) = match question {
        Question::Text(text) if text.trim_end_matches([';', ' ', '\n']).eq_ignore_ascii_case("show tables") => {
            return print_lines(&tables(project, &engine));
        }
        Question::Text(text) => (text.clone(), "your query".to_owned()),
        Question::File(path) => {
            let piped = path.as_os_str() == "-";
            let shown = if piped { "standard input".to_owned() } else { path.display().to_string() };
            let text = if piped { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
            (text.map_err(|cause| ExploreError::Unreadable { path: shown.clone(), cause })?, shown)
        }
        Question::WhichTables => return print_lines(&tables(project, &engine)),
    };
    for table in project.library.tables() {
        open(project, &engine, &table)?;
    }
    let told = engine.open_named_files(&text)?;
    if !told.is_empty() {
        let progress = Progress::start("sql");
        told.into_iter().for_each(|line| progress.say(line));
    }
    // It may be long, so it is read for who asks for it.
    if text.to_lowercase().contains(SERVED) {
        for (part, batch) in log::whole(project)? {
            engine.register(&TableName::new(SERVED, part.word()), batch)?;
        }
    }
    print(&engine.query(&text, &shown)?, format)
}

/// The tables that can be read now, one a line.
fn tables(project: &Project, engine: &Engine) -> Vec<String> {
    let exists = |table: &TableName| open(project, engine, table).is_ok_and(|open| open);
    project.library.tables().into_iter().filter(exists).map(|table| table.to_string()).collect()
}

/// Opens a table if it has been made; raw tables are read from their CSVs, and the served log from where a server is writing it.
fn open(project: &Project, engine: &Engine, table: &TableName) -> error::Result<bool> {
    if table.schema.as_deref() == Some(SERVED) {
        return Ok(engine.has(table) || log::is_there(project, &table.name));
    }
    if table.schema.as_deref() != Some("raw") {
        return engine.open_if_made(table);
    }
    let source = TableName::new("sources", &table.name);
    for (file, header) in project.library.sources().filter(|(file, _)| file.table() == source) {
        if !header.is_absent() && !project.paths.materials().join(&header.file).is_file() {
            return Ok(false);
        }
        engine.register(table, ingest::read_raw(project, file, header)?.batch)?;
    }
    Ok(true)
}

fn print(answer: &RecordBatch, format: Format) -> error::Result<()> {
    let failed = |e: String| ExploreError::Print(e);
    let mut out = Vec::new();
    match format {
        Format::Table => {
            let table = pretty_format_batches(std::slice::from_ref(answer)).map_err(|e| failed(e.to_string()))?;
            out.extend_from_slice(format!("{table}\n").as_bytes());
        }
        Format::Csv => {
            let flat = flat(answer).map_err(|e| failed(e.to_string()))?;
            WriterBuilder::new().with_header(true).build(&mut out).write(&flat).map_err(|e| failed(e.to_string()))?;
        }
        Format::Parquet => {
            let written = ArrowWriter::try_new(&mut out, answer.schema(), None).and_then(|mut writer| {
                writer.write(answer)?;
                writer.close()
            });
            written.map_err(|e| failed(e.to_string()))?;
        }
        Format::Json => {
            let mut writer = ArrayWriter::new(&mut out);
            writer.write(answer).and_then(|()| writer.finish()).map_err(|e| failed(e.to_string()))?;
            out.push(b'\n');
        }
    }
    write_out(&out)
}

/// CSV has no lists: they are written as texts such as `[1, 2]`.
fn flat(answer: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let cell = |column: &ArrayRef| -> Result<ArrayRef, ArrowError> {
        if !column.data_type().is_nested() {
            return Ok(Arc::clone(column));
        }
        let text = |row| column.is_valid(row).then(|| array_value_to_string(column, row)).transpose();
        Ok(Arc::new((0..column.len()).map(text).collect::<Result<StringArray, _>>()?))
    };
    let schema = answer.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    let columns = answer.columns().iter().map(cell).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(name, column)| (name, column, true)))
}

/// Lines on standard output.
pub fn print_lines(lines: &[String]) -> error::Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write_out(text.as_bytes())
}

/// Bytes on standard output.
pub fn write_out(bytes: &[u8]) -> error::Result<()> {
    Ok(answer_with(bytes).map_err(|e| ExploreError::Print(e.to_string()))?)
}
