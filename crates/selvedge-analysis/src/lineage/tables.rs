//! The traces of a whole project: every table that features depend on, each from its file and from what it reads.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::DATAFUSION_VERSION;
use datafusion::arrow::datatypes::Schema;

use super::digest::{Digest, Digester};
use super::memory::Memory;
use super::node::{Node, Uses};
use super::relation::Tracer;
use super::stamp::{ROWS, Stamp, hash_of_file, known_by_bytes};
use selvedge_engine::{ENGINE_VERSION, Engine, function_versions, shapes, stored_notes};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, SqlFile, TableName};

/// Raise it when the same reduction parameters give other numbers.
const REDUCTION_VERSION: &str = "2";
/// The sources to which `ingest` adds the served log.
const SERVED: [&str; 2] = ["transactions", "recommendations"];
/// The layers that features are made through, in the order of the flow.
const LAYERS: [Layer; 5] = [Layer::SOURCES, Layer::SPLIT, Layer::TEXTS, Layer::GRAIN, Layer::FEATURES];

/// One column of a table.
#[derive(Debug, Clone)]
pub struct ColumnTrace {
    /// Its own meaning, without the meaning of what it reads.
    pub definition: Digest,
    /// Its meaning down to the CSVs.
    pub fingerprint: Digest,
    /// The columns that its expression reads.
    pub own: Uses,
}

/// A table that a SQL file makes.
#[derive(Debug, Clone)]
pub struct TableTrace {
    pub columns: BTreeMap<String, ColumnTrace>,
    /// Under the name of no column: which rows there are.
    pub rows: ColumnTrace,
    /// The CSVs it is made from in the end, with the SHA-256 of each.
    pub materials: BTreeMap<String, String>,
    pub parameters: BTreeMap<String, String>,
    pub version: u32,
}

impl TableTrace {
    /// Everything a column depends on: its own expression, and what decides which rows there are.
    pub fn uses(&self, column: &str) -> Uses {
        let own = self.columns.get(column).map(|trace| trace.own.clone()).unwrap_or_default();
        own.into_iter().chain(self.rows.own.iter().cloned()).collect()
    }

    /// Becomes what the stored file says it is; one that says nothing is known by its bytes.
    fn take_stored(&mut self, path: &Path) {
        let stamp = Stamp::read(path);
        let bytes = if stamp.is_none() { known_by_bytes(path).unwrap_or_default() } else { String::new() };
        let known = |column: Option<&str>| match &stamp {
            Some(stamp) => stamp.known(column),
            None => Digester::new("file").text(&bytes).text(column.unwrap_or(ROWS)).end(),
        };
        self.rows.fingerprint = known(None);
        self.columns.iter_mut().for_each(|(name, column)| column.fingerprint = known(Some(name)));
        self.materials = stamp.map(|stamp| stamp.materials).unwrap_or_default();
    }
}

/// The traces of every table from the sources to the feature views.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    pub tables: BTreeMap<TableName, TableTrace>,
    /// The views that were traced, for the next time.
    pub memory: Memory,
}

/// What the tables before the grain are taken to be.
#[derive(Debug, Clone, Copy)]
pub enum Basis<'a> {
    /// What their SQL files say, made from the CSVs as they are now.
    Files,
    /// The same; views that nobody has touched since the features stage ran are taken from its memory, without `own`.
    Remembered(&'a Memory),
    /// Sources that were stored, and vectors by this encoder.
    Vectors { encoder: &'a str },
    /// What was stored, whatever their files say now.
    Stored,
}

impl Traces {
    /// Every table up to a layer, from the SQL files; no row is read.
    pub fn of(project: &Project, until: Layer, basis: Basis<'_>) -> Result<Self> {
        let engine = Engine::new(project)?;
        let mut traces = Self::default();
        for (_, header) in project.library.sources() {
            let (table, schema) = shapes::raw(header);
            engine.declare(&table, schema)?;
        }
        let last = LAYERS.iter().position(|layer| *layer == until).unwrap_or(LAYERS.len());
        for layer in LAYERS.into_iter().take(last + 1) {
            for file in project.library.layer(layer) {
                traces.add(project, &engine, file, basis)?;
            }
        }
        Ok(traces)
    }

    fn add(&mut self, project: &Project, engine: &Engine, file: &SqlFile, basis: Basis<'_>) -> Result<()> {
        let seal = (file.layer == Layer::FEATURES).then(|| self.seal(project, file));
        if let (Basis::Remembered(memory), Some(seal)) = (basis, &seal)
            && let Some(remembered) = memory.get(seal)
        {
            let known = self.with_inputs(project, file, remembered.columns(), remembered.rows());
            self.tables.insert(shapes::stored_name(file), known);
            return Ok(());
        }
        let plan = engine.plan(project, file)?;
        let schema = plan.schema().as_arrow().clone();
        let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        let definition = Tracer::new(&opaque).relation(&plan);
        let whole = Tracer::new(&|table, column| self.known(table, column)).relation(&plan);
        let key = key(&file.header);
        // What a source sets aside is no row of it.
        let rows_of = |rows: &Node, columns: &[Node]| {
            let aside = names
                .iter()
                .zip(columns)
                .filter(|(name, _)| file.layer == Layer::SOURCES && name.as_str() == "set_aside");
            let parts: Vec<Node> = aside.map(|(_, node)| node.clone().doing(super::Kind::Filter)).collect();
            Node::list("rows", &[rows.clone(), Node::list("aside", &parts)]).with(&key.join(","))
        };
        // Another engine may make other bytes; what is meant stays.
        let made_by = format!("{ENGINE_VERSION} {DATAFUSION_VERSION}");
        let own_rows = rows_of(&definition.rows, &definition.columns);
        let rows = rows_of(&whole.rows, &whole.columns).with(&made_by);
        let trace = |own: &Node, full: &Node, tag: &str| ColumnTrace {
            definition: Digester::new(tag).one(own_rows.digest).one(own.digest).end(),
            fingerprint: Digester::new(tag).one(rows.digest).one(full.digest).end(),
            own: own.uses.clone(),
        };
        let pairs = names.iter().zip(definition.columns.iter().zip(&whole.columns));
        let mut columns: BTreeMap<String, ColumnTrace> =
            pairs.map(|(name, (own, full))| ((*name).clone(), trace(own, full, "column"))).collect();
        let declared = shapes::stored(file, &schema, project.params.embeddings.kept_dimensions());
        if file.layer == Layer::TEXTS {
            embed(project, file, basis, &mut columns, &declared);
        }
        if file.layer == Layer::SOURCES {
            columns.remove("set_aside");
        }
        let table = shapes::stored_name(file);
        let mut made = self.with_inputs(project, file, columns, trace(&own_rows, &rows, "rows"));
        if let Some(seal) = seal {
            self.memory.insert(seal, &made);
        }
        let before = match basis {
            Basis::Files | Basis::Remembered(_) => false,
            Basis::Vectors { .. } => matches!(file.layer, Layer::SOURCES | Layer::SPLIT),
            Basis::Stored => !matches!(file.layer, Layer::GRAIN | Layer::FEATURES),
        };
        if before {
            made.take_stored(&engine.stored(&table));
        }
        self.tables.insert(table.clone(), made);
        engine.declare(&table, declared)
    }

    /// A table's trace with what its file and the tables it reads bring along.
    fn with_inputs(
        &self,
        project: &Project,
        file: &SqlFile,
        columns: BTreeMap<String, ColumnTrace>,
        rows: ColumnTrace,
    ) -> TableTrace {
        let mut materials = match &file.header {
            Header::Source(header) => {
                let mut own = material(project, &header.file);
                if SERVED.contains(&header.name.as_str()) {
                    own.extend(served(project));
                }
                own
            }
            _ => BTreeMap::new(),
        };
        for (csv, hash) in file.reads.iter().filter_map(|read| self.tables.get(read)).flat_map(|read| &read.materials) {
            let known = materials.entry(csv.clone()).or_insert_with(|| hash.clone());
            // Two stored tables may have seen different files of one name.
            if !known.contains(hash.as_str()) {
                *known = format!("{known} {hash}");
            }
        }
        let version = if let Header::Feature(header) = &file.header { header.version } else { 0 };
        TableTrace { columns, rows, materials, parameters: used_parameters(project, file), version }
    }

    /// Names everything that decides a view's trace: its text, its parameters, the versions, and what it reads.
    fn seal(&self, project: &Project, file: &SqlFile) -> Digest {
        let mut seal =
            Digester::new("seal").text(file.text()).text(DATAFUSION_VERSION).text(&ENGINE_VERSION.to_string());
        for (name, literal) in used_parameters(project, file) {
            seal = seal.text(&name).text(&literal);
        }
        for (name, version) in function_versions() {
            seal = seal.text(name).text(&version.to_string());
        }
        for read in &file.reads {
            seal = seal.text(&read.to_string());
            let Some(table) = self.tables.get(read) else { continue };
            let rows = String::new();
            let columns = table
                .columns
                .iter()
                .chain([(&rows, &table.rows)])
                .map(|(name, column)| Digester::new("column").text(name).one(column.fingerprint).end());
            seal = seal.list(columns.collect::<Vec<_>>());
        }
        seal.end()
    }

    /// What a table's rows, or one of its columns, are known by to those who read it.
    fn known(&self, table: &TableName, column: Option<&str>) -> Digest {
        let found = self.tables.get(table).and_then(|table| match column {
            Some(column) => table.columns.get(column),
            None => Some(&table.rows),
        });
        found.map_or_else(|| opaque(table, column), |trace| trace.fingerprint)
    }

    /// What a table would say of itself if it were made now.
    pub fn stamp(&self, table: &TableName) -> Option<Stamp> {
        let trace = self.tables.get(table)?;
        let shown = |of: fn(&ColumnTrace) -> Digest| {
            let columns = trace.columns.iter().map(|(name, column)| (name.clone(), of(column).to_string()));
            columns.chain([(ROWS.to_owned(), of(&trace.rows).to_string())]).collect()
        };
        Some(Stamp {
            fingerprints: shown(|column| column.fingerprint),
            definitions: shown(|column| column.definition),
            materials: trace.materials.clone(),
            parameters: trace.parameters.clone(),
            version: trace.version,
        })
    }
}

/// A CSV with its SHA-256, where it is there.
fn material(project: &Project, csv: &str) -> BTreeMap<String, String> {
    let hash = hash_of_file(&project.paths.materials().join(csv));
    hash.map(|hash| (csv.to_owned(), hash)).into_iter().collect()
}

/// The served log with a SHA-256 of all its files, where there is one.
fn served(project: &Project) -> Option<(String, String)> {
    let folder = project.paths.served();
    let files = std::fs::read_dir(&folder).ok()?.filter_map(|file| Some(file.ok()?.path()));
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "parquet")).collect();
    files.sort();
    let mut whole = Digester::new("served");
    for file in &files {
        whole = whole.text(&file.file_name()?.to_string_lossy()).text(&hash_of_file(file)?);
    }
    (!files.is_empty()).then(|| ("served".to_owned(), whole.end().to_string()))
}

/// The `$parameters` of a file, with the literals they stand for.
fn used_parameters(project: &Project, file: &SqlFile) -> BTreeMap<String, String> {
    let params = project.sql_params(file.layer);
    file.parameters.keys().filter_map(|name| Some((name.clone(), params.get(name)?.clone()))).collect()
}

fn key(header: &Header) -> Vec<String> {
    match header {
        Header::Source(header) => header.key.clone(),
        Header::Table(header) => header.key.clone(),
        Header::Feature(header) => vec![header.entity.clone()],
        Header::Audit(_) => Vec::new(),
    }
}

/// A column that is known by its name alone.
fn opaque(table: &TableName, column: Option<&str>) -> Digest {
    Digester::new("table").text(&table.to_string()).text(column.unwrap_or(ROWS)).end()
}

/// What the embeddings stage makes of a text's columns: `text` gives way to its hash and its vectors.
fn embed(
    project: &Project,
    file: &SqlFile,
    basis: Basis<'_>,
    columns: &mut BTreeMap<String, ColumnTrace>,
    declared: &Schema,
) {
    let vectors = project.paths.embeddings().join(format!("{}.parquet", file.header.name()));
    let encoder = match basis {
        Basis::Vectors { encoder } => encoder.to_owned(),
        _ => stored_notes(&vectors).and_then(|notes| notes.get("encoder").cloned()).unwrap_or_default(),
    };
    let training = columns.get("in_training").cloned();
    let text = columns.get("text").cloned();
    columns.retain(|name, _| declared.field_with_name(name).is_ok());
    let dimensions = project.params.embeddings.kept_dimensions();
    for name in ["text_hash", "vector", "reduced"] {
        let (Some(text), Some(training)) = (&text, &training) else { continue };
        let of = |text: Digest, training: Digest| {
            let made = Digester::new(name).text(&encoder).one(text);
            match name {
                "reduced" => made.text(REDUCTION_VERSION).text(&dimensions.to_string()).one(training).end(),
                _ => made.end(),
            }
        };
        let mut own = text.own.clone();
        if name == "reduced" {
            own.extend(training.own.iter().map(|(source, _)| (Arc::clone(source), super::Kind::Filter)));
        }
        let trace = ColumnTrace {
            definition: of(text.definition, training.definition),
            fingerprint: of(text.fingerprint, training.fingerprint),
            own,
        };
        columns.insert(name.to_owned(), trace);
    }
}
