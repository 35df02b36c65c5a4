//! The engine's own SQL functions, and its own way with a CASE: the cases are `functions/*.slt`, run with 1, 2 and 8
//! partitions.

use std::path::Path;

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::array_value_to_string;
use selvedge::engine::Engine;
use selvedge::project::Project;
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};

use crate::shop::{ROOT, Shop};

struct Session(Engine);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

impl DB for Session {
    type Error = Failed;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failed> {
        let answer = self.0.query(sql, "the case").map_err(|error| Failed(error.to_string()))?;
        let cell = |column: &dyn Array, row: usize| match column.is_null(row) {
            true => "NULL".to_owned(),
            false => array_value_to_string(column, row).unwrap(),
        };
        let cells = |row| answer.columns().iter().map(|column| cell(column, row)).collect();
        let rows = (0..answer.num_rows()).map(cells).collect();
        let types = vec![DefaultColumnType::Any; answer.num_columns()];
        Ok(DBOutput::Rows { types, rows })
    }
}

#[test]
fn functions() {
    let shop = Shop::new(1);
    let mut files: Vec<_> = std::fs::read_dir(Path::new(ROOT).join("tests/it/functions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for partitions in [1, 2, 8] {
        let mut project = Project::open(Some(&shop.path(""))).unwrap_or_else(|error| panic!("{error}"));
        project.params.engine.partitions = partitions;
        for file in &files {
            let open = || {
                let session = Engine::new(&project).map(Session);
                async { session.map_err(|error| Failed(error.to_string())) }
            };
            let checked = Runner::new(open).run_file(file);
            checked.unwrap_or_else(|error| panic!("{partitions} partitions: {}", error.display(false)));
        }
    }
}
