//! The whole of `sql/`: found by walking, checked, in run order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::contract::{self, Contract, Terms};
use super::{Header, Layer, SourceHeader, SqlFile, TableName};
use crate::error::{Advice, Error, Result, did_you_mean};
use crate::params::Params;
use crate::paths::Paths;
use crate::stage::{Flow, Stage, layers};

/// Every SQL file of a project, each layer in run order.
#[derive(Debug, Clone)]
pub struct Library {
    files: Vec<SqlFile>,
    terms: Terms,
    flow: Flow,
}

/// The tables of the server: of a release that wants to serve and of the one that does, what was answered lately, and the served
/// log.
const SERVED: [(&str, &[&str]); 3] = [
    ("candidate", &["recommendations", "shelf_figures"]),
    ("serving", &["recommendations", "shelf_figures"]),
    ("served", &["answers", "events", "outcomes", "releases", "requests", "shown"]),
];

#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error("{folder} cannot be read: {cause}")]
    Unreadable { folder: String, cause: std::io::Error },
    #[error("{file} lies in no layer's folder")]
    NoFolder { file: String, known: Vec<&'static str> },
    #[error("{folder} is no layer")]
    UnknownFolder { folder: String, name: String, known: Vec<&'static str> },
    #[error("{first} and {second} have one name")]
    TwoOfOneName { first: String, second: String },
    #[error("{file} reads {table}, which does not exist")]
    UnknownTable { file: String, table: String, known: Vec<String> },
    #[error("{file} reads {table}, which files of sql/{layer} may not")]
    MayNotRead { file: String, table: String, layer: &'static str, allowed: String },
    #[error("{file} reads {table}, which holds the outcomes of past recommendations")]
    ReadsOutcomes { file: String, table: String },
    #[error("these files read each other in a circle: {0}")]
    Cycle(String),
    #[error("{file}: entity is {entity}, but there is no sql/grain/{entity}.sql")]
    UnknownEntity { file: String, entity: String, known: Vec<String> },
    #[error("{file}: entity is {entity}, but the query does not read grain.{entity}")]
    EntityNotRead { file: String, entity: String },
    #[error("{file}: everybody names '{part}', which is no WITH query of it")]
    NoPart { file: String, part: String },
    #[error("{file}: everybody names '{part}', which reads {table}: who asks decides what is in it")]
    PartAsks { file: String, part: String, table: String },
    #[error("{file}: the key of a grain needs as_of, and has {key}")]
    NoMoment { file: String, key: String },
    #[error("{file}: column '{column}' names the driver '{driver}', which is not in shop.drivers")]
    UnknownDriver { file: String, column: String, driver: String, known: Vec<String> },
    #[error("{place}: {section}.{key} is used by nobody")]
    UnusedParameter { place: String, section: String, key: String, known: Vec<String> },
}

impl Advice for LibraryError {
    fn advice(&self) -> Option<String> {
        fn names(known: &[String]) -> impl Iterator<Item = &str> {
            known.iter().map(String::as_str)
        }
        Some(match self {
            Self::Unreadable { .. } => "check that the folder exists and may be read".into(),
            Self::NoFolder { known, .. } => format!("move it into one of {}", known.join(", ")),
            Self::UnknownFolder { name, known, .. } => {
                did_you_mean(name, known.iter().copied(), &format!("the layers are {}", known.join(", ")))
            }
            Self::TwoOfOneName { .. } => "rename one of them: a name stands for one table".into(),
            Self::UnknownTable { table, known, .. } => {
                did_you_mean(table, names(known), "`selvedge sql` lists every table there is")
            }
            Self::MayNotRead { allowed, .. } => format!("read one of {allowed} instead, or move the file to the layer it belongs to"),
            Self::ReadsOutcomes { .. } => "compute it in sql/monitoring or sql/evaluation; a feature must not learn from what an earlier model showed".into(),
            Self::Cycle(_) => "take one of these tables out of one of these queries".into(),
            Self::UnknownEntity { known, entity, .. } => {
                did_you_mean(entity, names(known), &format!("the entities are {}", known.join(", ")))
            }
            Self::EntityNotRead { entity, .. } => format!("write FROM grain.{entity}: one row out per row of the grain"),
            Self::NoPart { part, .. } => format!("take {part} out of everybody, or give the query that name"),
            Self::PartAsks { part, .. } => {
                format!("let {part} read sources alone, or take it out of everybody")
            }
            Self::NoMoment { .. } => "add as_of to key and to the SELECT: the moment at which a row asks".into(),
            Self::UnknownDriver { driver, known, .. } => did_you_mean(
                driver,
                names(known),
                &format!("the drivers are {}; add it to shop.drivers in params.yaml", known.join(", ")),
            ),
            Self::UnusedParameter { key, known, .. } => {
                did_you_mean(key, names(known), "remove it, or use it as a $parameter in a SQL file of that section")
            }
        })
    }
}

impl Library {
    /// Walks `sql/`, parses every file, and refuses what breaks a rule.
    pub fn load(paths: &Paths, flow: Flow) -> Result<Self> {
        let layers: Vec<Layer> = layers(flow).collect();
        let known = || layers.iter().map(|layer| layer.folder).collect();
        let (mut found, mut contracts) = (Vec::new(), Vec::new());
        for folder in entries(&paths.sql(), paths)? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let shown = paths.shown(&folder);
            if !folder.is_dir() {
                if is_sql(&folder) {
                    return Err(LibraryError::NoFolder { file: shown, known: known() }.into());
                }
                continue;
            }
            if name == contract::FOLDER {
                contracts = sql_files(&folder, paths)?;
                continue;
            }
            let layer = layers.iter().copied().find(|layer| layer.folder == name);
            let layer = layer.ok_or_else(|| LibraryError::UnknownFolder { folder: shown, name, known: known() })?;
            found.extend(sql_files(&folder, paths)?.into_iter().map(|path| (path, layer)));
        }
        // The first error in the order of the files, whichever was met first.
        let load = |(path, layer): &(PathBuf, Layer)| SqlFile::load(path, paths.shown(path), *layer);
        let files: Vec<Result<SqlFile>> = found.par_iter().map(load).collect();
        let (mut read, mut broken) = (Vec::new(), Vec::new());
        for file in files {
            match file {
                Ok(file) => read.push(file),
                Err(error) => broken.push(error),
            }
        }
        Error::together(broken, |count| format!("{count} files of sql/ cannot be read"))?;
        let contracts = contracts.iter().map(|path| Contract::load(path, paths.shown(path)));
        share_columns(&mut read);
        let terms = contract::complete(&mut read, &contracts.collect::<Result<Vec<_>>>()?)?;
        let library = Self { files: read, terms, flow };
        library.refuse_two_of_one_name()?;
        library.refuse_forbidden_reads()?;
        library.refuse_grains_without_moment()?;
        library.refuse_wrong_entities()?;
        library.refuse_wrong_parts()?;
        Ok(Self { files: in_run_order(library.files, &layers)?, ..library })
    }

    /// What the sources have of the contract, and what not.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The layers of `sql/`, in the order of the flow.
    pub fn layers(&self) -> impl Iterator<Item = Layer> {
        layers(self.flow)
    }

    /// Refuses keys of params.yaml that no SQL file of their section uses.
    pub fn refuse_unused(&self, params: &Params) -> Result<()> {
        let mut unused_keys = Vec::new();
        for (section, keys) in &params.sql {
            let users = self.files.iter().filter(|file| *section == "shop" || file.layer.section == *section);
            let used: BTreeSet<&String> = users.flat_map(|file| file.parameters.keys()).collect();
            let spared = |key: &String| *section == Layer::SOURCES.section && self.terms.keys.contains(key);
            let unused = |key: &&String| {
                *section != "shop" && !used.contains(key) && !Params::is_own(section, key) && !spared(key)
            };
            for key in keys.keys().filter(unused) {
                let known = used.iter().filter(|name| !keys.contains_key(**name)).map(|name| (*name).clone()).collect();
                let (place, section) = (params.place(section, key), section.to_string());
                unused_keys.push(LibraryError::UnusedParameter { place, section, key: key.clone(), known }.into());
            }
        }
        Error::together(unused_keys, |count| format!("{count} keys of params.yaml are used by nobody"))
    }

    /// Every file, each after those it reads.
    pub fn files(&self) -> impl Iterator<Item = &SqlFile> {
        self.files.iter()
    }

    /// The files of one layer, each after those it reads.
    pub fn layer(&self, layer: Layer) -> impl Iterator<Item = &SqlFile> {
        self.files.iter().filter(move |file| file.layer == layer)
    }

    /// The typed sources, each after those it reads.
    pub fn sources(&self) -> impl Iterator<Item = (&SqlFile, &SourceHeader)> {
        self.files.iter().filter_map(|file| match &file.header {
            Header::Source(header) => Some((file, header)),
            _ => None,
        })
    }

    /// The columns that name one row of what `file` makes; a feature view has those of its grain, an audit none.
    pub fn key<'a>(&'a self, file: &'a SqlFile) -> &'a [String] {
        match &file.header {
            Header::Source(header) => &header.key,
            Header::Table(header) => &header.key,
            Header::Feature(header) => {
                self.file(&TableName::new(Layer::GRAIN.folder, &header.entity)).map_or(&[], |grain| self.key(grain))
            }
            Header::Audit(_) => &[],
        }
    }

    pub fn file(&self, table: &TableName) -> Option<&SqlFile> {
        let wanted =
            |file: &&SqlFile| table.name == file.header.name() && table.schema.as_deref() == Some(file.layer.folder);
        self.files.iter().find(wanted)
    }

    /// Every table a query may name, sorted.
    pub fn tables(&self) -> Vec<TableName> {
        let of_server = SERVED.iter().flat_map(|(schema, names)| names.iter().map(|name| TableName::new(schema, name)));
        let mut tables: BTreeSet<TableName> = self.flow.iter().flat_map(Stage::tables).chain(of_server).collect();
        for file in &self.files {
            tables.insert(match file.layer {
                Layer::TEXTS => TableName::new("embeddings", file.header.name()),
                _ => file.table(),
            });
            if file.layer == Layer::SOURCES {
                tables.insert(TableName::new("raw", file.header.name()));
            }
        }
        tables.into_iter().collect()
    }

    fn refuse_two_of_one_name(&self) -> Result<()> {
        let mut seen: BTreeMap<TableName, &str> = BTreeMap::new();
        for file in &self.files {
            if let Some(first) = seen.insert(file.table(), &file.shown) {
                let (first, second) = (first.to_owned(), file.shown.clone());
                return Err(LibraryError::TwoOfOneName { first, second }.into());
            }
        }
        Ok(())
    }

    fn refuse_forbidden_reads(&self) -> Result<()> {
        let known: BTreeSet<TableName> = self.tables().into_iter().collect();
        let outcomes: BTreeSet<TableName> =
            self.sources().filter(|(_, header)| header.outcomes).map(|(file, _)| file.table()).collect();
        let mut broken = Vec::new();
        for file in &self.files {
            for table in &file.reads {
                let (name, shown) = (table.to_string(), || file.place_of(table));
                if !known.contains(table) {
                    let readable = known.iter().filter(|table| file.layer.allows(table));
                    let known = readable.map(TableName::to_string).collect();
                    broken.push(LibraryError::UnknownTable { file: shown(), table: name, known }.into());
                } else if !file.layer.allows(table) {
                    let (layer, allowed) = (file.layer.folder, file.layer.may_read.join(", "));
                    broken.push(LibraryError::MayNotRead { file: shown(), table: name, layer, allowed }.into());
                } else if outcomes.contains(table) && !file.layer.may_read_outcomes {
                    broken.push(LibraryError::ReadsOutcomes { file: shown(), table: name }.into());
                }
            }
        }
        Error::together(broken, |count| {
            format!("{count} times a file of sql/ reads what it may not, or what is not there")
        })
    }

    fn refuse_grains_without_moment(&self) -> Result<()> {
        for file in self.layer(Layer::GRAIN) {
            if let Header::Table(header) = &file.header
                && !header.key.iter().any(|column| column == "as_of")
            {
                let (file, key) = (file.shown.clone(), header.key.join(", "));
                return Err(LibraryError::NoMoment { file, key }.into());
            }
        }
        Ok(())
    }

    fn refuse_wrong_parts(&self) -> Result<()> {
        for file in &self.files {
            let Header::Feature(header) = &file.header else { continue };
            for part in &header.everybody {
                let (file, part, own) = (file.shown.clone(), part.clone(), file.part(part));
                let Some(own) = own else { return Err(LibraryError::NoPart { file, part }.into()) };
                if let Some(table) = own.reads.iter().find(|table| table.schema.as_deref() == Some(Layer::GRAIN.folder))
                {
                    return Err(LibraryError::PartAsks { file, part, table: table.to_string() }.into());
                }
            }
        }
        Ok(())
    }

    /// The same with each file changed, which may read something else then.
    pub fn changed(&self, change: impl Fn(&SqlFile) -> SqlFile) -> Self {
        Self { files: self.files.iter().map(change).collect(), ..self.clone() }
    }

    fn refuse_wrong_entities(&self) -> Result<()> {
        let entities: Vec<String> = self.layer(Layer::GRAIN).map(|file| file.header.name().to_owned()).collect();
        for file in &self.files {
            let Header::Feature(header) = &file.header else {
                continue;
            };
            let (shown, entity) = (file.shown.clone(), header.entity.clone());
            if !entities.contains(&entity) {
                return Err(LibraryError::UnknownEntity { file: shown, entity, known: entities }.into());
            }
            if !file.reads.contains(&TableName::new("grain", &entity)) {
                return Err(LibraryError::EntityNotRead { file: shown, entity }.into());
            }
        }
        Ok(())
    }
}

/// A source that names no columns of its CSV has those of another source of the same CSV.
fn share_columns(files: &mut [SqlFile]) {
    let named = |file: &SqlFile| match &file.header {
        Header::Source(header) if !header.columns.is_empty() => Some((header.file.clone(), header.columns.clone())),
        _ => None,
    };
    let known: BTreeMap<String, BTreeMap<String, String>> = files.iter().filter_map(named).collect();
    for file in files {
        if let Header::Source(header) = &mut file.header
            && header.columns.is_empty()
        {
            header.columns = known.get(&header.file).cloned().unwrap_or_default();
        }
    }
}

/// A folder's entries, sorted by name; hidden ones are left out.
fn entries(folder: &Path, paths: &Paths) -> Result<Vec<PathBuf>> {
    let unreadable = |cause| LibraryError::Unreadable { folder: paths.shown(folder), cause };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sql")
}

fn sql_files(folder: &Path, paths: &Paths) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in entries(folder, paths)? {
        if entry.is_dir() {
            files.extend(sql_files(&entry, paths)?);
        } else if is_sql(&entry) {
            files.push(entry);
        }
    }
    Ok(files)
}

/// Sorts the files so that each comes after those it reads; equal ones stay in order of layer and name.
fn in_run_order(mut waiting: Vec<SqlFile>, layers: &[Layer]) -> Result<Vec<SqlFile>> {
    let place = |layer: Layer| layers.iter().position(|known| *known == layer);
    waiting.sort_by_key(|file| (place(file.layer), file.table()));
    let mut ready: Vec<SqlFile> = Vec::new();
    let mut made: BTreeSet<TableName> = waiting.iter().map(SqlFile::table).collect();
    while !waiting.is_empty() {
        let free = waiting.iter().position(|file| !file.reads.iter().any(|table| made.contains(table)));
        let Some(next) = free else {
            return Err(LibraryError::Cycle(circle(&waiting)).into());
        };
        let next = waiting.remove(next);
        made.remove(&next.table());
        ready.push(next);
    }
    Ok(ready)
}

/// `a -> b -> a`, starting from the first file and following what it waits for.
fn circle(waiting: &[SqlFile]) -> String {
    let mut walk: Vec<&str> = Vec::new();
    let mut at = waiting.first();
    while let Some(file) = at {
        if let Some(start) = walk.iter().position(|seen| *seen == file.shown) {
            walk.push(&file.shown);
            return walk[start..].join(" -> ");
        }
        walk.push(&file.shown);
        at = waiting.iter().find(|other| file.reads.contains(&other.table()));
    }
    walk.join(" -> ")
}
