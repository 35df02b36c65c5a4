//! Many requests at the same time, each over a grain of its own: each gets what it gets alone.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge::engine::{Engine, Table, wait_for};
use selvedge::sql::TableName;
use selvedge::{features, frame, ingest};

use crate::shop::Shop;

const REQUESTS: usize = 200;

/// A few rows of the shop's own moments, other ones for each request.
fn request(moments: &RecordBatch, key: &[String], random: &mut ChaCha8Rng) -> Table {
    let mut rows: Vec<u32> =
        (0..random.gen_range(1..6)).map(|_| random.gen_range(0..moments.num_rows() as u32)).collect();
    rows.sort_unstable();
    rows.dedup();
    let batch = take_record_batch(moments, &UInt32Array::from(rows)).unwrap();
    Table::new(batch, key, "a request").unwrap()
}

#[test]
fn requests_at_once_do_not_see_each_other() {
    let shop = Shop::new(60);
    // A view of each grain is enough.
    for file in std::fs::read_dir(shop.path("sql/features")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        if !["customer_history.sql", "article_record.sql", "customer_article.sql"].contains(&name.as_str()) {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    let project = Arc::new(selvedge::open(Some(&shop.path(""))).unwrap());
    for run in [ingest::run, features::run] {
        run(&project).unwrap();
    }
    let engine = Engine::new(&project).unwrap();
    let moments = engine.read(&TableName::new("grain", "customer_product")).unwrap();
    let key = ["customer_id", "product_id", "season", "as_of"].map(str::to_owned);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let requests: Vec<Table> = (0..REQUESTS).map(|_| request(&moments, &key, &mut random)).collect();

    // As the server answers: each on a thread that may wait, over the tables that all share.
    let engine = Arc::new(engine);
    let together = wait_for(async {
        let asked = requests.iter().cloned().map(|request| {
            let (project, shared) = (Arc::clone(&project), Arc::clone(&engine));
            tokio::task::spawn_blocking(move || frame::at_request(&project, &shared.over()?, request, "a request"))
        });
        let mut answers = Vec::new();
        for answer in asked.collect::<Vec<_>>() {
            answers.push(answer.await.unwrap().unwrap().batch);
        }
        answers
    })
    .unwrap();
    // None has left anything behind for others to see.
    assert_eq!(engine.read(&TableName::new("grain", "customer_product")).unwrap(), moments);

    for (request, together) in requests.into_iter().zip(together) {
        let alone = frame::at_request(&project, &engine.over().unwrap(), request, "a request").unwrap().batch;
        assert!(alone.num_columns() > 30 && alone.num_rows() > 0);
        assert_eq!(alone, together);
    }
}
