//! The vectors of all texts, each made once: remembered from the last run, the rest from the encoder.
//!
//! While they are made, parts are put aside: a run that is stopped, however it is stopped, loses at most one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::Float32Type;
use sha2::{Digest, Sha256};

use super::encoder::{DIMENSIONS, Encoder};
use super::{VECTORS, vector_array};
use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::Result;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// What is made within so long is put aside together: the most that a run that is stopped loses.
const PART: Duration = Duration::from_secs(1);
/// The schema of the parts, and their folder's name.
const PARTS: &str = "embedding_parts";

/// Vectors by the hash of what made them: encoder version and text.
pub struct Vectors {
    pub version: String,
    by_hash: BTreeMap<String, Vec<f32>>,
}

impl Vectors {
    /// Vectors for exactly `texts`: remembered ones first, the rest from the encoder.
    pub fn of_texts(project: &Project, engine: &Engine, progress: &Progress, texts: &BTreeSet<String>) -> Result<Self> {
        let Some(model) = &project.params.embeddings.model else {
            progress.say("no model (embeddings.model in params.yaml is null), so descriptions are not compared");
            return Ok(Self { version: "none".into(), by_hash: BTreeMap::new() });
        };
        let encoder = Encoder::new(model)?;
        let mut vectors = Self { version: encoder.version().to_owned(), by_hash: BTreeMap::new() };
        vectors.remember(engine, &TableName::new("embeddings", VECTORS));
        for part in parts(project) {
            vectors.remember(engine, &TableName::new(PARTS, &part));
        }
        let missing: Vec<String> = texts.iter().filter(|text| vectors.of(text).is_none()).cloned().collect();
        progress.say(format!("{} distinct texts, {} of them new", texts.len(), missing.len()));
        vectors.encode(project, &encoder, progress, &missing)?;
        let wanted: BTreeSet<String> = texts.iter().map(|text| vectors.hash(text)).collect();
        vectors.by_hash.retain(|hash, _| wanted.contains(hash));
        Ok(vectors)
    }

    fn encode(
        &mut self,
        project: &Project,
        encoder: &Encoder<'_>,
        progress: &Progress,
        texts: &[String],
    ) -> Result<()> {
        let mut steps = progress.steps(texts.len() as u64, "texts");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut part = Self { version: self.version.clone(), by_hash: BTreeMap::new() };
        let (mut kept, mut begun) = (Ok(()), Instant::now());
        encoder.encode_all(texts, threads, |position, vector| {
            part.by_hash.insert(part.hash(&texts[position]), vector);
            steps.advance();
            if begun.elapsed() >= PART {
                kept = part.put_aside(project);
                self.by_hash.append(&mut part.by_hash);
                begun = Instant::now();
            }
            if kept.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        self.by_hash.append(&mut part.by_hash);
        kept
    }

    /// Writes these vectors as one part, whole or not at all.
    fn put_aside(&self, project: &Project) -> Result<()> {
        let Some(first) = self.by_hash.keys().next() else { return Ok(()) };
        let staged = Staged::new(&project.paths, PARTS)?;
        let target = project.paths.embedding_parts().join(format!("{first}.parquet"));
        staged.table(&target, None, &self.table()?, &[("encoder", self.version.clone())])?;
        staged.commit()
    }

    /// 32 hex digits of the SHA-256 of the encoder's version and the text.
    pub fn hash(&self, text: &str) -> String {
        let digest = Sha256::new().chain_update(&self.version).chain_update([0]).chain_update(text).finalize();
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn of(&self, text: &str) -> Option<&[f32]> {
        self.by_hash.get(&self.hash(text)).map(Vec::as_slice)
    }

    /// `text_hash`, `vector`.
    pub fn table(&self) -> Result<Table> {
        let hashes: ArrayRef = Arc::new(StringArray::from_iter_values(self.by_hash.keys()));
        let vectors = vector_array(DIMENSIONS, self.by_hash.values().map(|vector| Some(vector.as_slice())));
        let columns: [(&str, ArrayRef); 2] = [("text_hash", hashes), ("vector", Arc::new(vectors))];
        Table::of_columns(VECTORS, &["text_hash"], columns)
    }

    /// Adds what a table holds; nothing where there is none, or where its file is not what it should be.
    fn remember(&mut self, engine: &Engine, table: &TableName) {
        if engine.open_if_made(table).unwrap_or(false)
            && let Ok(batch) = engine.read(table)
            && let (Some(hashes), Some(vectors)) = (
                batch.column_by_name("text_hash").and_then(|column| column.as_string_opt::<i32>()),
                batch.column_by_name("vector").and_then(|column| column.as_fixed_size_list_opt()),
            )
        {
            for row in (0..batch.num_rows()).filter(|row| vectors.is_valid(*row)) {
                if let Some(vector) = vectors.value(row).as_primitive_opt::<Float32Type>()
                    && vector.len() == DIMENSIONS
                {
                    self.by_hash.insert(hashes.value(row).to_owned(), vector.values().to_vec());
                }
            }
        }
    }
}

/// The names of the parts that a run before left behind.
fn parts(project: &Project) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(project.paths.embedding_parts()) else { return Vec::new() };
    let name = |path: std::path::PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    files.flatten().filter_map(|file| name(file.path())).collect()
}

/// Clears the parts away: their vectors are in the whole.  What cannot be cleared now does no harm later.
pub fn forget_parts(project: &Project) {
    let _ = std::fs::remove_dir_all(project.paths.embedding_parts());
}
