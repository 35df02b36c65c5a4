//! `selvedge why`: the rows that made a value, those that came too late, and what is said of mistakes.

use std::collections::BTreeSet;

use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use selvedge::engine::Engine;
use selvedge::sql::{Layer, TableName};
use selvedge::{cases, features, why};
use serde::Deserialize;

use crate::shop::{ROOT, Shop};

const AS_OF: &str = "as_of=2031-11-01T10:00:00";

/// A line of transactions.csv, or of another CSV as `customers:2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
enum Line {
    Transaction(i64),
    Other(String),
}

#[derive(Deserialize)]
struct Case {
    name: String,
    value: String,
    from: Option<String>,
    is: Option<String>,
    made: BTreeSet<Line>,
    late: BTreeSet<Line>,
    #[serde(default)]
    leaked: BTreeSet<Line>,
    #[serde(default)]
    subqueries: bool,
}

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/tests/it/why/{name}")).unwrap()
}

/// A shop whose transactions are few and known.
fn shop() -> Shop {
    let shop = Shop::new(2);
    shop.write("materials/transactions.csv", &file("transactions.csv"));
    shop.must(&["ingest"]);
    shop
}

fn view(case: &Case) -> String {
    let header = "/*--- {entity: customer, owner: a, description: d, columns: {probe: {unit: u, meaning: m}}} ---*/";
    let from = match &case.from {
        None => "FROM grain.customer g\nJOIN sources.customers c ON c.customer_id = g.customer_id\n\
                 LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of"
            .to_owned(),
        Some(from) => {
            format!("FROM grain.customer g\nLEFT JOIN {from} x ON x.customer_id = g.customer_id AND x.as_of = g.as_of")
        }
    };
    format!(
        "{header}\nSELECT g.customer_id, g.as_of, {} AS probe\n{from}\nGROUP BY g.customer_id, g.as_of\n",
        case.value
    )
}

fn shown(rows: &BTreeSet<why::Row>) -> BTreeSet<Line> {
    let row = |(table, line): &why::Row| match table.name.as_str() {
        "transactions" => Line::Transaction(*line),
        name => Line::Other(format!("{name}:{line}")),
    };
    rows.iter().map(row).collect()
}

#[test]
fn every_kind_of_query_says_what_made_its_value() {
    let shop = shop();
    let cases: Vec<Case> = serde_yaml::from_str(&file("cases.yaml")).unwrap();
    for case in cases {
        shop.write("sql/features/probe.sql", &view(&case));
        let project = selvedge::open(Some(&shop.path(""))).unwrap();
        let engine = Engine::new(&project).unwrap();
        let view = project.library.file(&TableName::new("features", "probe")).unwrap();
        let key = ["customer_id=anna/0".to_owned(), AS_OF.to_owned()];
        let found = why::ask(&project, &engine, view, "probe", &key);
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let all = (shown(&found.made), shown(&found.late), shown(&found.leaked), found.subqueries);
        assert_eq!(all, (case.made, case.late, case.leaked, case.subqueries), "{}", case.name);
        if case.is.is_some() {
            assert_eq!(found.value, case.is, "{}", case.name);
        }
    }
}

/// With every other transaction taken away, the value stays what it is: nothing is missing in what is said.
#[test]
fn the_rows_that_made_a_value_are_enough_for_it() {
    let shop = Shop::new(12);
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    let transactions = TableName::new("sources", "transactions");
    for file in project.library.layer(Layer::FEATURES) {
        let engine = Engine::new(&project).unwrap();
        let stored = features::view(&project, &engine, file).unwrap().table;
        let row = stored.batch.num_rows() * 3 / 5;
        let key: Vec<String> = stored.show_key(row).split(", ").map(str::to_owned).collect();
        for column in stored.batch.schema().fields().iter().filter(|field| !stored.key.contains(field.name())) {
            let answer = why::ask(&project, &Engine::new(&project).unwrap(), file, column.name(), &key);
            let answer = answer.unwrap_or_else(|error| panic!("{} {}: {error}", file.shown, column.name()));
            let engine = Engine::new(&project).unwrap();
            cases::request(&project, &engine, file, &key, "test").unwrap();
            let all = engine.read(&transactions).unwrap();
            engine.register(&transactions, only(&all, &answer.made)).unwrap();
            let found = features::view(&project, &engine, file).unwrap().table;
            let (was, is) = (stored.batch.slice(row, 1), &found.batch);
            let (was, is) = (was.column_by_name(column.name()).unwrap(), is.column_by_name(column.name()).unwrap());
            assert_eq!(was, is, "{}: {} at {key:?} is made from {:?}", file.shown, column.name(), answer.made);
            assert!(answer.leaked.is_empty(), "{}: {}", file.shown, column.name());
        }
    }
}

fn only(all: &RecordBatch, rows: &BTreeSet<why::Row>) -> RecordBatch {
    let kept: BTreeSet<i64> =
        rows.iter().filter(|(table, _)| table.name == "transactions").map(|(_, line)| *line).collect();
    let lines = all.column_by_name("line").unwrap().as_primitive::<Int64Type>();
    filter_record_batch(all, &lines.iter().map(|line| Some(kept.contains(&line.unwrap()))).collect::<BooleanArray>())
        .unwrap()
}

#[test]
fn the_answer_names_file_and_line_and_mistakes_are_explained() {
    let shop = shop();
    let of = "customer_history.purchases_1y";
    let said = shop.must(&["why", of, "customer_id=anna/0", AS_OF]);
    let words =
        ["purchases_1y is 2 (purchases)", "made from 3 rows", "materials/transactions.csv", "materials/customers.csv"];
    for words in words.iter().chain(&["came at the moment or after: 1 row", "2031-11-01T11:00:00"]) {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    let wrong: [(&[&str], &[&str]); 6] = [
        (&["purchases_1y", "customer_id=anna/0", AS_OF], &["'purchases_1y' is no view.column"]),
        (
            &["customer_histry.purchases_1y", "a=b"],
            &["no feature view 'customer_histry'", "did you mean customer_history"],
        ),
        (&["customer_history.purchase_1y", "a=b"], &["no column 'purchase_1y'", "purchases_1y"]),
        (&[of, "customer_id=anna/0"], &["the key of customer_history is customer_id, as_of"]),
        (&[of, "customer_id=anna/0", "as_of=soon"], &["as_of is soon", "times are UTC"]),
        (&[of, "customer_id=nobody", AS_OF], &["customer_history has no row for customer_id=nobody", "selvedge sql"]),
    ];
    for (arguments, words) in wrong {
        let output = shop.run(&[&["why"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        words.iter().for_each(|words| assert!(said.contains(words), "{arguments:?}: no {words:?} in\n{said}"));
    }
}
