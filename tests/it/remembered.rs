//! A plan that is kept answers as one that is made anew: over the rows of who asks, as of their moment, for many at once.

use std::sync::Arc;

use chrono::TimeDelta;
use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge::engine::{Engine, Plans};
use selvedge::ingest;
use selvedge::sql::TableName;

use crate::shop::Shop;

const AT_ONCE: u64 = 3;

/// Joins, groups, windows, limits, set operations, subqueries, a moment, and queries that are read twice.
const MANY_SHAPES: &str = "/*--- {name: many_shapes, description: all at once, key: [customer_id]} ---*/
WITH own AS (
  SELECT customer_id, product_id, event_type, event_time FROM sources.transactions WHERE event_time < $exported_at
),
counted AS (SELECT customer_id, COUNT(*) AS events, COUNT(DISTINCT product_id) AS articles, MAX(event_time) AS last FROM own GROUP BY customer_id),
firsts AS (SELECT customer_id, event_type, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY event_time, product_id) AS nth FROM own),
latest AS (SELECT customer_id, event_time FROM own ORDER BY event_time DESC, customer_id, product_id LIMIT 5)
SELECT g.customer_id, c.events, c.articles, c.last, f.event_type AS began_with, (SELECT MAX(events) FROM counted) AS most,
       (SELECT COUNT(*) FROM own) AS everything, $exported_at AS asked_at, $exported_on AS asked_on,
       l.customer_id IS NOT NULL AS late
FROM (SELECT customer_id FROM sources.customers WHERE personalisation_consent UNION SELECT customer_id FROM own) g
LEFT JOIN counted c ON c.customer_id = g.customer_id
LEFT JOIN firsts f ON f.customer_id = g.customer_id AND f.nth = 1
LEFT JOIN (SELECT DISTINCT customer_id FROM latest) l ON l.customer_id = g.customer_id
WHERE g.customer_id NOT IN (SELECT customer_id FROM own WHERE event_type = 'return')
   OR EXISTS (SELECT 1 FROM own o WHERE o.customer_id = g.customer_id AND o.event_type = 'purchase')";

const WHEN: &str = "/*--- {name: when, description: the moment of planning, key: [customer_id]} ---*/
SELECT customer_id, now() AS at FROM sources.customers";

fn some(batch: &RecordBatch, random: &mut ChaCha8Rng) -> RecordBatch {
    let share = random.gen_range(0.0..0.6);
    let rows = (0..batch.num_rows() as u32).filter(|_| random.r#gen::<f64>() < share);
    take_record_batch(batch, &rows.collect::<UInt32Array>()).unwrap()
}

#[test]
fn a_plan_that_is_kept_answers_as_one_that_is_made_anew() {
    let shop = Shop::new(40);
    shop.write("sql/recommend/many_shapes.sql", MANY_SHAPES);
    shop.write("sql/recommend/when.sql", WHEN);
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    ingest::run(&project).unwrap();
    let engine = Engine::new(&project).unwrap();
    let tables = ["customers", "transactions", "products"].map(|name| TableName::new("sources", name));
    for table in &tables {
        engine.register(table, engine.read(table).unwrap()).unwrap();
    }
    let files: Vec<_> = ["interactions.events", "recommend.many_shapes"]
        .map(|name| project.library.files().find(|file| file.table().to_string() == name).unwrap().clone())
        .into();
    let plans = Arc::new(Plans::default());
    std::thread::scope(|scope| {
        for seed in 0..AT_ONCE {
            let (project, engine, files, plans, tables) = (&project, &engine, &files, &plans, &tables);
            scope.spawn(move || {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                for round in 0..30 {
                    let ago = TimeDelta::hours(random.gen_range(0..20_000));
                    let project = project.as_of(project.params.shop.exported_at - ago);
                    let [anew, again] = [engine.over().unwrap(), engine.over_again(plans).unwrap()];
                    for table in &tables[..2] {
                        let rows = some(&engine.read(table).unwrap(), &mut random);
                        for engine in [&anew, &again] {
                            engine.register(table, rows.clone()).unwrap();
                        }
                    }
                    for file in files {
                        let [anew, again] = [&anew, &again].map(|engine| engine.table(&project, file).unwrap().batch);
                        assert_eq!(anew, again, "{}, round {round} of {seed}", file.shown);
                    }
                }
            });
        }
    });
    // No more plans than ever ran side by side; none whose answer depends on when it was planned.
    let kept = || format!("{plans:?}").matches("Plan {").count();
    let before = kept();
    assert!((files.len()..=files.len() * AT_ONCE as usize).contains(&before), "{before}");
    let when = project.library.files().find(|file| file.table().to_string() == "recommend.when").unwrap();
    engine.over_again(&plans).unwrap().table(&project, when).unwrap();
    assert_eq!(kept(), before);

    // Other columns than it was planned for: planned anew.
    let session = engine.over_again(&plans).unwrap();
    let customers = engine.read(&tables[0]).unwrap();
    let fewer: Vec<usize> = (0..customers.num_columns()).rev().collect();
    session.register(&tables[0], customers.project(&fewer).unwrap()).unwrap();
    assert_eq!(
        session.table(&project, &files[1]).unwrap().batch,
        engine.over().unwrap().table(&project, &files[1]).unwrap().batch
    );
}
