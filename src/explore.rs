//! `selvedge sql`: any query over every table there is, the raw CSVs included.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::json::ArrayWriter;
use datafusion::arrow::util::pretty::pretty_format_batches;

use crate::engine::Engine;
use crate::error::{Advice, Result};
use crate::ingest;
use crate::project::Project;
use crate::sql::TableName;

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
            Self::Print(_) => None,
        }
    }
}

/// Answers on standard output.
pub fn answer(project: &Project, question: &Question, format: Format) -> Result<()> {
    let engine = Engine::new(project)?;
    let (text, shown) = match question {
        Question::Text(text) => (text.clone(), "your query".to_owned()),
        Question::File(path) => {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|cause| ExploreError::Unreadable {
                path: shown.clone(),
                cause,
            })?;
            (text, shown)
        }
        Question::WhichTables => return print_lines(&tables(project, &engine)),
    };
    for table in project.library.tables() {
        open(project, &engine, &table)?;
    }
    print(&engine.query(&text, &shown)?, format)
}

/// The tables that can be read now, one a line.
fn tables(project: &Project, engine: &Engine) -> Vec<String> {
    let exists = |table: &TableName| open(project, engine, table).is_ok_and(|open| open);
    project
        .library
        .tables()
        .into_iter()
        .filter(exists)
        .map(|table| table.to_string())
        .collect()
}

/// Opens a table if it has been made; raw tables are read from their CSVs.
fn open(project: &Project, engine: &Engine, table: &TableName) -> Result<bool> {
    if table.schema.as_deref() != Some("raw") {
        return engine.open_if_made(table);
    }
    let source = TableName::new("sources", &table.name);
    for (file, header) in project.library.sources().filter(|(file, _)| file.table() == source) {
        if !project.paths.materials().join(&header.file).is_file() {
            return Ok(false);
        }
        engine.register(table, ingest::read_raw(project, file, header)?.batch)?;
    }
    Ok(true)
}

fn print(answer: &RecordBatch, format: Format) -> Result<()> {
    let failed = |e: String| ExploreError::Print(e);
    let mut out = Vec::new();
    match format {
        Format::Table => {
            let table = pretty_format_batches(std::slice::from_ref(answer)).map_err(|e| failed(e.to_string()))?;
            out.extend_from_slice(format!("{table}\n").as_bytes());
        }
        Format::Csv => {
            WriterBuilder::new()
                .with_header(true)
                .build(&mut out)
                .write(answer)
                .map_err(|e| failed(e.to_string()))?;
        }
        Format::Json => {
            let mut writer = ArrayWriter::new(&mut out);
            writer
                .write(answer)
                .and_then(|()| writer.finish())
                .map_err(|e| failed(e.to_string()))?;
            out.push(b'\n');
        }
    }
    write_out(&out)
}

fn print_lines(lines: &[String]) -> Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write_out(text.as_bytes())
}

/// A reader that stops early (`| head`) is no failure.
fn write_out(bytes: &[u8]) -> Result<()> {
    match std::io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(ExploreError::Print(e.to_string()).into()),
        _ => Ok(()),
    }
}
