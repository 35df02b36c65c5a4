//! `--select`: tables by name, and what hangs on them; the notation is dbt's.

use std::collections::BTreeSet;

use super::{Layer, Library, SqlFile, TableName};
use crate::error::{Advice, Result, did_you_mean};

/// Some of the tables that the files of `sql/` make.
#[derive(Debug, Clone)]
pub struct Selection(BTreeSet<TableName>);

#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    #[error("'{written}': no file of sql/ makes a table of that name")]
    Unknown { written: String, name: String, known: Vec<String> },
    #[error("'{written}': {} have that name", meant.join(" and "))]
    Unclear { written: String, meant: Vec<String> },
    #[error("'{written}': there is no feature view in it")]
    NoView { written: String },
}

impl Advice for SelectionError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { name, known, .. } => {
                did_you_mean(name, known.iter().map(String::as_str), "`selvedge sql` lists every table there is")
            }
            Self::Unclear { meant, .. } => format!("write the folder before it: {}", meant.join(" or ")),
            Self::NoView { .. } => "write a + behind it for what is made from it: NAME+".into(),
        })
    }
}

impl Selection {
    /// `visit_record` is that view, `sources.products+` that source and all that is made from it, `+visit_record` the view and
    /// all that it is made from; everything where nothing is written.
    pub fn of(library: &Library, written: &[String]) -> Result<Self> {
        let mut chosen = BTreeSet::new();
        if written.is_empty() {
            chosen.extend(library.files().map(made));
        }
        for word in written {
            let (upwards, name) = word.strip_prefix('+').map_or((false, word.as_str()), |name| (true, name));
            let (downwards, name) = name.strip_suffix('+').map_or((false, name), |name| (true, name));
            let table = named(library, word, name)?;
            if upwards {
                let files: Vec<&SqlFile> = library.files().collect();
                let mut above = BTreeSet::from([table.clone()]);
                for file in files.into_iter().rev() {
                    if above.contains(&made(file)) {
                        above.extend(file.reads.iter().cloned());
                    }
                }
                chosen.extend(above);
            }
            if downwards {
                let mut below = BTreeSet::from([table.clone()]);
                for file in library.files() {
                    if file.reads.iter().any(|read| below.contains(read)) {
                        below.insert(made(file));
                    }
                }
                chosen.extend(below);
            }
            chosen.insert(table);
        }
        Ok(Self(chosen))
    }

    /// Whether a table is meant.
    pub fn has(&self, table: &TableName) -> bool {
        self.0.contains(table)
    }

    /// The names of the feature views that are meant; an error where there is none.
    pub fn views(&self, library: &Library, written: &[String]) -> Result<Vec<String>> {
        let views = library.layer(Layer::FEATURES).filter(|file| self.has(&file.table()));
        let views: Vec<String> = views.map(|file| file.header.name().to_owned()).collect();
        match views.is_empty() && !written.is_empty() {
            true => Err(SelectionError::NoView { written: written.join(" ") }.into()),
            false => Ok(views),
        }
    }
}

/// The table that a file makes, as those who read it call it.
fn made(file: &SqlFile) -> TableName {
    match file.layer {
        Layer::TEXTS => TableName::new("embeddings", file.header.name()),
        _ => file.table(),
    }
}

fn named(library: &Library, written: &str, name: &str) -> Result<TableName> {
    let all: BTreeSet<TableName> = library.files().map(made).collect();
    let meant: Vec<&TableName> = all.iter().filter(|table| table.to_string() == name || table.name == name).collect();
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let known = all.iter().flat_map(|table| [table.name.clone(), table.to_string()]).collect();
            Err(SelectionError::Unknown { written: written.into(), name: name.into(), known }.into())
        }
        several => {
            let meant = several.iter().map(|table| table.to_string()).collect();
            Err(SelectionError::Unclear { written: written.into(), meant }.into())
        }
    }
}
