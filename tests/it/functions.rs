//! The engine's own SQL functions, and its own way with a CASE: the cases are `functions/*.slt`, run with 1, 2 and 8
//! partitions.

use std::path::Path;

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::array_value_to_string;
use selvedge::engine::Engine;
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
        let mut project = selvedge::open(Some(&shop.path(""))).unwrap_or_else(|error| panic!("{error}"));
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

/// The answers are the same without it, so the plan is looked at.
#[test]
fn a_case_asks_first_whether_any_condition_holds() {
    let shop = Shop::new(1);
    let engine = Engine::new(&selvedge::open(Some(&shop.path(""))).unwrap()).unwrap();
    let planned = |case: &str| {
        let plan = engine.query(&format!("EXPLAIN SELECT {case} FROM (VALUES (1, 2), (3, 4)) v(a, b)"), "the case");
        array_value_to_string(plan.unwrap().column(1), 1).unwrap()
    };
    let asked = planned("CASE WHEN a > 1 THEN 'a' WHEN b < 3 THEN 'b' END");
    assert!(asked.contains("WHEN column1@0 > 1 OR column2@1 < 3 THEN CASE WHEN column1@0 > 1 THEN a"), "{asked}");
    for plain in ["CASE WHEN a > 1 THEN 'a' END", "CASE WHEN a > 1 THEN 'a' WHEN b > 1 THEN 'b' ELSE 'c' END"] {
        assert!(!planned(plain).contains(" OR "), "{plain}");
    }
}
