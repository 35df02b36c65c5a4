//! Texts -> vectors, each text encoded once; and a reduction fitted on the training side alone.

pub mod encoder;
pub mod reduction;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, FixedSizeListBuilder, Float32Builder, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::error::ArrowError;
use rayon::prelude::*;
use serde::Deserialize;

use self::encoder::DIMENSIONS;
use self::reduction::{Reduction, ReductionError, Side, TrainingVectors};
use self::vectors::Vectors;
use selvedge_analysis::lineage::{Basis, Traces};
use selvedge_engine::shapes::stored_name;
use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, SqlFile, TableName};
use selvedge_project::stage::Stage;

#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    #[error("{file}: the query does not return the column '{column}' as {wanted}")]
    NoColumn { file: String, column: &'static str, wanted: &'static str },
    #[error("{file}: {cause}")]
    Reduction { file: String, cause: ReductionError },
    #[error("{file}: the name 'vectors' is taken by the vectors of the texts themselves")]
    NameTaken { file: String },
    #[error("{file}: {cause}")]
    Arrow { file: String, cause: ArrowError },
}

impl Advice for EmbeddingError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoColumn { column, .. } => Some(format!("add {column} to the SELECT (see CLAUDE.md, texts)")),
            Self::Reduction { .. } => Some("delete work/embeddings and run `selvedge embeddings` again".into()),
            Self::NameTaken { .. } => Some("give the file another name".into()),
            Self::Arrow { .. } => None,
        }
    }
}

/// The vectors of all texts, made or remembered; also the next run's memory.
const VECTORS: &str = "vectors";

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "embeddings",
    about: "sql/texts -> vectors in work/embeddings, each text encoded once",
    layers: &[Layer::TEXTS],
    sections: &["embeddings"],
    keeps: &[("embeddings", "embeddings"), ("embedding_parts", "embedding_parts")],
    makes: &[],
    run,
};

/// Runs the stage: `work/embeddings/vectors.parquet`, one row per distinct text, and for each file of `sql/texts` a
/// table of its rows with their vectors and its fitted reduction.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("embeddings");
    let engine = Engine::new(project)?;
    let mut files = Vec::new();
    for file in project.library.layer(Layer::TEXTS) {
        let Header::Table(header) = &file.header else { continue };
        if header.name == VECTORS {
            return Err(EmbeddingError::NameTaken { file: file.shown.clone() }.into());
        }
        let table = engine.table(project, file)?;
        files.push(Texts::new(file, table)?);
    }
    let texts: BTreeSet<String> = files.iter().flat_map(|file| file.texts().flatten().map(str::to_owned)).collect();
    let vectors = Vectors::of_texts(project, &engine, &progress, &texts)?;
    let traces = Traces::of(project, Layer::TEXTS, Basis::Vectors { encoder: &vectors.version })?;
    let staged = Staged::new(&project.paths, "embeddings")?;
    let target = project.paths.embeddings();
    staged.table(&target, Some(VECTORS), &vectors.table()?, &[("encoder", vectors.version.clone())])?;
    for file in &files {
        let reduction = file.fit(project.params.embeddings.kept_dimensions(), &vectors, &progress)?;
        let mut notes = traces.stamp(&stored_name(file.file)).unwrap_or_default().notes();
        notes.push(("encoder", vectors.version.clone()));
        staged.table(
            &target,
            Some(file.file.header.name()),
            &file.with_vectors(&vectors, reduction.as_ref())?,
            &notes,
        )?;
        staged.json(&target, Some(&reduction_file(file.file.header.name())), &reduction)?;
    }
    staged.commit()?;
    vectors::forget_parts(project);
    progress.done(format!("{} distinct texts", texts.len()));
    Ok(())
}

/// One file of `sql/texts`, computed: its key, `text` and `in_training`.
struct Texts<'a> {
    file: &'a SqlFile,
    table: Table,
}

impl<'a> Texts<'a> {
    fn new(file: &'a SqlFile, table: Table) -> Result<Self> {
        let wanted = [("text", DataType::Utf8, "a text"), ("in_training", DataType::Boolean, "true or false")];
        for (column, data_type, wanted) in wanted {
            if table.batch.column_by_name(column).is_none_or(|found| *found.data_type() != data_type) {
                return Err(EmbeddingError::NoColumn { file: file.shown.clone(), column, wanted }.into());
            }
        }
        Ok(Self { file, table })
    }

    /// The text of each row; none where it is missing or has no letter or digit, because a vector of nothing would mean
    /// something.
    fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        let texts = self.table.batch["text"].as_string::<i32>();
        texts.iter().map(|text| text.filter(|text| text.chars().any(char::is_alphanumeric)))
    }

    /// Fits the reduction on the distinct texts of the training side.  A shop whose texts differ in fewer directions
    /// gets as many as there are; one without training texts gets none.
    fn fit(&self, dimensions: usize, vectors: &Vectors, progress: &Progress) -> Result<Option<Reduction>> {
        let in_training = self.table.batch["in_training"].as_boolean();
        let mut side: BTreeMap<&str, Side> = BTreeMap::new();
        for (row, text) in self.texts().enumerate() {
            let Some(text) = text else { continue };
            let training = in_training.is_valid(row) && in_training.value(row);
            let side = side.entry(text).or_insert(Side::Later);
            if training {
                *side = Side::Training;
            }
        }
        let rows = side.iter().filter_map(|(text, side)| Some((*side, vectors.of(text)?)));
        let fitted = TrainingVectors::new(rows).and_then(|training| match Reduction::fit(&training, dimensions) {
            Err(ReductionError::TooFewDirections { available, .. }) if available > 0 => {
                Reduction::fit(&training, available)
            }
            other => other,
        });
        match fitted {
            Ok(reduction) => {
                let (kept, fitted_on) = (reduction.dimensions(), reduction.trained_on());
                progress.say(format!("reduced to {kept} dimensions, fitted on {fitted_on} training texts"));
                Ok(Some(reduction))
            }
            Err(ReductionError::NoRows | ReductionError::TooFewDirections { .. }) => {
                progress.say(format!("{}: no reduction, because too few texts are in training", self.file.shown));
                Ok(None)
            }
            Err(cause) => Err(EmbeddingError::Reduction { file: self.file.shown.clone(), cause }.into()),
        }
    }

    /// Key, `in_training`, `text_hash`, `vector`, `reduced`.
    fn with_vectors(&self, vectors: &Vectors, reduction: Option<&Reduction>) -> Result<Table> {
        let arrow = |cause| EmbeddingError::Arrow { file: self.file.shown.clone(), cause };
        let hashes: StringArray = self.texts().map(|text| text.map(|text| vectors.hash(text))).collect();
        let full = vector_array(DIMENSIONS, self.texts().map(|text| vectors.of(text?)));
        let failed = |cause| EmbeddingError::Reduction { file: self.file.shown.clone(), cause };
        let reduce = |text: Option<&str>| Some(reduction?.apply(vectors.of(text?)?));
        let texts: Vec<Option<&str>> = self.texts().collect();
        let reduced: Vec<_> = texts.par_iter().map(|text| reduce(*text).transpose()).collect();
        let reduced: Vec<Option<Vec<f32>>> =
            reduced.into_iter().collect::<std::result::Result<_, _>>().map_err(failed)?;
        let short = vector_array(reduction.map_or(1, Reduction::dimensions), reduced.iter().map(Option::as_deref));
        let mut names: Vec<&str> = self.table.key.iter().map(String::as_str).collect();
        names.push("in_training");
        let mut columns: Vec<(&str, ArrayRef)> =
            names.iter().map(|name| (*name, Arc::clone(&self.table.batch[*name]))).collect();
        columns.extend([
            ("text_hash", Arc::new(hashes) as ArrayRef),
            ("vector", Arc::new(full)),
            ("reduced", Arc::new(short)),
        ]);
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(arrow)?;
        Table::new(batch, &self.table.key, &self.file.shown)
    }
}

fn vector_array<'a>(size: usize, vectors: impl Iterator<Item = Option<&'a [f32]>>) -> FixedSizeListArray {
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    let mut builder = FixedSizeListBuilder::new(Float32Builder::new(), size as i32).with_field(item);
    for vector in vectors {
        match vector {
            Some(vector) => builder.values().append_slice(vector),
            None => builder.values().append_nulls(size),
        }
        builder.append(vector.is_some());
    }
    builder.finish()
}

/// What the reduction of one file of `sql/texts` was fitted on.
#[derive(Debug, Clone)]
pub struct FittedOn {
    pub name: String,
    /// None where too few texts are on the training side.
    pub reduction: Option<Reduction>,
    /// Distinct texts that only later rows have: the reduction is applied to them, and knows nothing of them.
    pub later: usize,
}

/// For each file of `sql/texts` what its reduction was fitted on, and what not.
pub fn fitted_on(project: &Project, engine: &Engine) -> Result<Vec<FittedOn>> {
    let mut fitted = Vec::new();
    for file in project.library.layer(Layer::TEXTS) {
        let name = file.header.name().to_owned();
        let path = project.paths.embeddings().join(reduction_file(&name));
        let reduction: Option<Reduction> =
            std::fs::read(&path).ok().and_then(|json| serde_json::from_slice(&json).ok()).flatten();
        let rows: Vec<Row> = engine.rows(&TableName::new("embeddings", &name))?;
        let texts = |training: bool| -> BTreeSet<&str> {
            rows.iter().filter(|row| row.in_training == training).filter_map(|row| row.text_hash.as_deref()).collect()
        };
        let later = texts(false).difference(&texts(true)).count();
        fitted.push(FittedOn { name, reduction, later });
    }
    Ok(fitted)
}

/// What counts say of a row of a file's table.
#[derive(Debug, Deserialize)]
struct Row {
    text_hash: Option<String>,
    #[serde(default)]
    in_training: bool,
}

fn reduction_file(name: &str) -> String {
    format!("{name}_reduction.json")
}
