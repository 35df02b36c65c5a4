//! The models through the stages: what they may learn from, what they carry, what they are judged by.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
use serde_json::Value;

use selvedge::model::outcomes::Outcomes;
use selvedge::model::split::{TrainingRows, ValidationRows};
use selvedge::train;

use crate::shop::Shop;

/// One combination to fit, so that nothing is chosen on validation rows.
fn shop_without_choice() -> Shop {
    let shop = Shop::new(40);
    shop.replace("params.yaml", "penalties: [100, 300, 1000, 3000]", "penalties: [100]");
    shop.replace("params.yaml", "dimensions: [2, 4]", "dimensions: [3]");
    shop
}

fn run(shop: &Shop, stages: &[&str]) {
    stages.iter().for_each(|stage| drop(shop.must(&[stage])));
}

const UP_TO_TRAIN: [&str; 6] = ["ingest", "embeddings", "features", "frame", "train", "rank"];
const MODELS: [&str; 4] = ["popularity", "tabular", "descriptions", "combined"];

fn json(shop: &Shop, file: &str) -> Value {
    serde_json::from_str(&shop.read(file)).unwrap()
}

/// Everything that is fitted: the reduction, and each model with its encoding.
fn fitted(shop: &Shop) -> Vec<String> {
    let models = MODELS.map(|model| json(shop, &format!("work/models/{model}.json"))["model"].to_string());
    assert!(models.iter().all(|model| model != "null"), "the shop is too small to fit a model");
    [vec![shop.read("work/embeddings/products_reduction.json")], models.to_vec()].concat()
}

/// Gives every article that went on sale after training another description; says how many there are.
fn describe_later_articles_anew(shop: &Shop) -> usize {
    let later: BTreeSet<String> = shop
        .ask("SELECT DISTINCT concat(p.product_id, ',', p.season) FROM sources.products p CROSS JOIN split.periods s WHERE CAST(p.on_sale_from AS TIMESTAMP) >= s.validation_from")
        .into_iter()
        .map(|line| line.trim_matches('"').to_owned())
        .collect();
    let text = shop.read("materials/products.csv");
    let mut articles = csv::Reader::from_reader(text.as_bytes());
    let mut anew = csv::Writer::from_writer(Vec::new());
    anew.write_record(articles.headers().unwrap()).unwrap();
    let mut changed = 0;
    for article in articles.records() {
        let mut fields: Vec<String> = article.unwrap().iter().map(str::to_owned).collect();
        if later.contains(&fields[..2].join(",")) {
            changed += 1;
            fields[5] = format!("Quite another thing {changed} with zips and neon light.");
        }
        anew.write_record(fields).unwrap();
    }
    shop.write("materials/products.csv", &String::from_utf8(anew.into_inner().unwrap()).unwrap());
    changed
}

/// Invariant 4, over the stages: what comes after training reaches nothing that is fitted.  And a leak would be seen:
/// where one is made on purpose, what is fitted changes.
#[test]
fn later_descriptions_reach_nothing_that_is_fitted() {
    let shop = shop_without_choice();
    run(&shop, &UP_TO_TRAIN);
    let slipped_in = "SELECT COUNT(*) FROM embeddings.products e JOIN sources.products p ON p.product_id = e.product_id AND p.season = e.season CROSS JOIN split.periods s WHERE e.in_training AND CAST(p.on_sale_from AS TIMESTAMP) >= s.validation_from";
    assert_eq!(shop.ask(slipped_in), ["0"]);
    let distinct = shop.ask("SELECT COUNT(DISTINCT text_hash) FROM embeddings.products WHERE in_training");
    let trained_on = json(&shop, "work/embeddings/products_reduction.json")["trained_on"].to_string();
    assert_eq!(distinct, [trained_on], "the reduction is fitted on the training side's texts and no others");
    // An article without a description has no vector, not that of an empty text; the models have a column that says so.
    let without = "SELECT COUNT(*) FROM embeddings.products e JOIN sources.products p ON p.product_id = e.product_id AND p.season = e.season WHERE COALESCE(trim(p.description), '') = ''";
    assert_ne!(shop.ask(without), ["0"]);
    let wrong = format!("{without} AND (e.vector IS NOT NULL OR e.reduced IS NOT NULL OR e.text_hash IS NOT NULL)");
    assert_eq!(shop.ask(&wrong), ["0"]);
    assert!(shop.read("work/models/combined.json").contains("\"style_vector is missing\""));
    let (before, vectors) = (fitted(&shop), shop.files("work/embeddings"));
    assert!(describe_later_articles_anew(&shop) >= 10);
    run(&shop, &UP_TO_TRAIN);
    assert!(vectors != shop.files("work/embeddings"), "the descriptions did change");
    let names = [&["the reduction"], &MODELS[..]].concat();
    for ((name, before), after) in names.iter().zip(before).zip(fitted(&shop)) {
        assert!(before == after, "{name} depends on descriptions of the test period");
    }

    let leaky = shop_without_choice();
    leaky.replace("sql/texts/products.sql", "CAST(p.on_sale_from AS TIMESTAMP) < s.validation_from", "true");
    run(&leaky, &["ingest", "embeddings"]);
    assert_ne!(leaky.ask(slipped_in), ["0"]);
    let before = leaky.read("work/embeddings/products_reduction.json");
    describe_later_articles_anew(&leaky);
    run(&leaky, &["ingest", "embeddings"]);
    assert_ne!(before, leaky.read("work/embeddings/products_reduction.json"), "a leak would go unseen");
}

/// One shop for what the evaluate stage leaves behind.
#[test]
fn models_are_compared_on_looks_groups_and_lists() {
    let shop = Shop::new(40);
    run(&shop, &UP_TO_TRAIN);
    shop.must(&["evaluate"]);
    let evaluation = json(&shop, "reports/evaluation.json");
    for model in MODELS {
        for metric in
            ["auc", "average_precision", "log_loss", "brier", "calibration_error", "hit_rate", "recall", "ndcg"]
        {
            let value = evaluation["models"][model][metric].as_f64();
            assert!(value.is_some_and(|value| (0.0..=2.0).contains(&value)), "{model} {metric}: {value:?}");
        }
    }
    // The table says the same, and holds what the used model has more than each other one.
    let rows =
        shop.ask("SELECT model FROM evaluation.metrics WHERE metric = 'ndcg' AND low <= value AND value <= high");
    let names = ["combined - descriptions", "combined - popularity", "combined - tabular"];
    assert_eq!(BTreeSet::from_iter(rows), MODELS.into_iter().chain(names).map(str::to_owned).collect());
    // Every look of the test is in exactly one group of each cohort.
    let cohorts = shop.ask("SELECT cohort, SUM(looks) FROM evaluation.by_cohort WHERE model = 'combined' AND metric = 'auc' AND cohort <> 'counted without waiting' GROUP BY cohort");
    let looks = shop.ask("SELECT COUNT(*) FROM frame WHERE split = 'test'");
    assert_eq!(cohorts.len(), 7);
    assert!(cohorts.iter().all(|line| line.ends_with(&format!(",{}", looks[0]))), "{cohorts:?} are not {looks:?}");
    // Groups that are too small have counts and no figures.
    let wrong = "SELECT COUNT(*) FROM evaluation.by_cohort WHERE (value IS NOT NULL AND metric = 'auc') <> (enough AND metric = 'auc')";
    assert_eq!(shop.ask(wrong), ["0"]);
    // What is ranked was on sale that day; what was kept was bought by that customer on that day.
    let not_on_sale = "SELECT COUNT(*) FROM evaluation.choices c JOIN sources.products p ON p.product_id = c.product_id AND p.season = c.season WHERE NOT (p.on_sale_from <= CAST(c.as_of AS DATE) AND p.on_sale_until >= CAST(c.as_of AS DATE))";
    let not_bought = "SELECT COUNT(*) FROM evaluation.choices c LEFT JOIN sources.transactions t ON t.customer_id = c.customer_id AND t.product_id = c.product_id AND t.season = c.season AND t.event_type = 'purchase' AND date_trunc('day', t.event_time) = c.as_of WHERE c.kept AND t.line IS NULL";
    assert_eq!((shop.ask(not_on_sale), shop.ask(not_bought)), (vec!["0".to_owned()], vec!["0".to_owned()]));
    // By the reference tool's rules: first what stands everywhere else, then its looks, its labels, its training looks.
    let steps = shop.ask("SELECT fitted_on, looks, kept_purchases FROM evaluation.reference_steps ORDER BY step");
    let count = |what: &str| shop.ask(&format!("SELECT COUNT(*) FROM {what}"))[0].clone();
    let trained = count("frame WHERE split = 'train'");
    let (before, since) = ("frame CROSS JOIN split.periods WHERE as_of < test_from", "as_of >= test_from");
    let since = |label: &str| count(&format!("frame CROSS JOIN split.periods WHERE {since}{label}"));
    let theirs = count("evaluation.reference_looks WHERE their_label AND their_side = 'test'");
    assert_eq!(
        steps,
        [
            format!("{trained},{},{}", looks[0], count("frame WHERE split = 'test' AND label")),
            format!("{trained},{},{}", since(""), since(" AND label")),
            format!("{trained},{},{theirs}", since("")),
            format!("{},{},{theirs}", count(before), since("")),
        ]
    );
    // The learning curve ends where the models are.
    let ends = shop.ask("SELECT value FROM evaluation.learning_curve WHERE share = 1 AND model = 'combined'");
    let auc = evaluation["models"]["combined"]["auc"].as_f64().unwrap();
    assert!((ends[0].parse::<f64>().unwrap() - auc).abs() < 1e-9, "{ends:?} is not {auc}");

    // What a model is made from stands in it; and it refuses a frame with other columns, in words.
    let made_from = json(&shop, "work/models/combined.json")["made_from"].clone();
    assert!(
        ["data", "features", "code"].iter().all(|part| made_from[part].as_str().is_some_and(|hash| hash.len() == 16))
    );
    shop.write(
        "sql/features/one_more.sql",
        "/*---\n{name: one_more, version: 1, entity: customer, owner: me, description: None., columns: {one_more: {unit: looks, meaning: nothing}}}\n---*/\nSELECT g.customer_id, g.as_of, COUNT(t.line) AS one_more\nFROM grain.customer g\nLEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of\nGROUP BY g.customer_id, g.as_of\n",
    );
    run(&shop, &["features", "frame"]);
    let refused = shop.run(&["evaluate"]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && words.contains("`one_more`") && words.contains("selvedge train"), "{words}");
    assert_eq!(json(&shop, "reports/evaluation.json"), evaluation, "the last figures stay");
    shop.must(&["train"]);
    let now = json(&shop, "work/models/combined.json")["made_from"].clone();
    assert!(now["data"] != made_from["data"] && now["features"] != made_from["features"]);
    assert_eq!(now["code"], made_from["code"]);
}

/// The sentences that answer a question: bold, or said of a picture.
fn said(shop: &Shop, report: &str) -> Vec<String> {
    let text = shop.read(report);
    text.lines().filter(|line| line.starts_with("**") || line.starts_with("![")).map(str::to_owned).collect()
}

/// Where the outcomes are too few, every answer says so and how many are missing: to fit, and to judge.
#[test]
fn too_few_outcomes_are_counted_and_not_judged() {
    let shop = shop_without_choice();
    shop.write("params.yaml", &shop.read("params.yaml").replace("enough: 25", "enough: 1"));
    run(&shop, &UP_TO_TRAIN);
    run(&shop, &["evaluate", "drivers", "recommend", "monitor", "drill"]);
    let count = |what: &str| shop.ask(&format!("SELECT COUNT(*) FROM frame WHERE {what}"))[0].parse::<usize>().unwrap();
    let (trained, tested) = (count("split = 'train' AND label"), count("split = 'test' AND label"));
    assert!(tested > 1 && tested + 3 < trained, "{tested} and {trained} kept purchases");
    let questions = ["whether the descriptions help", "whether it promises too much", "whether more data would help"];

    // Enough of them to learn from, too few to judge by.
    let enough = tested + 3;
    shop.replace("params.yaml", "enough: 1", &format!("enough: {enough}"));
    run(&shop, &["train", "rank", "evaluate", "drivers", "recommend", "monitor", "drill", "report"]);
    let why = format!(
        "of {} test looks {tested} led to a kept purchase; 3 kept purchases are missing",
        count("split = 'test'")
    );
    let model = said(&shop, "reports/model.md").join("\n");
    for question in questions {
        assert!(model.contains(&format!("Too early to say {question}: {why}.")), "{question}: {model}");
    }
    assert!(!said(&shop, "reports/drivers.md")[0].contains("Too early"), "the model is there");
    assert!(json(&shop, "reports/evaluation.json")["models"]["combined"]["auc"].is_null());
    let figures = [
        "metrics WHERE value IS NOT NULL AND model = 'combined' AND metric = 'auc'",
        "reliability",
        "promise",
        "learning_curve",
    ];
    for table in figures {
        assert_eq!(shop.ask(&format!("SELECT COUNT(*) FROM evaluation.{table}")), ["0"], "{table}");
    }

    // Too few to learn from: no model, and lists of what is popular.
    shop.replace("params.yaml", &format!("enough: {enough}"), &format!("enough: {}", trained + 1));
    run(&shop, &["train", "rank", "evaluate", "drivers", "recommend", "monitor", "drill", "report"]);
    for model in MODELS {
        assert!(json(&shop, &format!("work/models/{model}.json"))["model"].is_null(), "{model}");
    }
    let looks = count("split = 'train'");
    let why = format!("there is no model yet: of {looks} looks to learn from, {trained} led to a kept purchase; ");
    let (model, drivers) = (said(&shop, "reports/model.md").join("\n"), said(&shop, "reports/drivers.md").join("\n"));
    for question in questions {
        assert!(model.contains(&format!("Too early to say {question}: {why}")), "{question}: {model}");
    }
    assert!(drivers.contains(&format!("Too early to say what drives a recommendation: {why}")), "{drivers}");
    assert!(shop.read("reports/model.md").contains("Too early to judge whole lists: "));
    assert_ne!(shop.ask("SELECT COUNT(*) FROM recommendations"), ["0"]);
    assert_eq!(shop.ask("SELECT COUNT(*) FROM exposure.lists WHERE list = 'new' AND from_behaviour"), ["0"]);
}

/// Where no article has a description, nothing is said of what descriptions add.
#[test]
fn without_descriptions_there_is_nothing_to_learn_from() {
    let shop = shop_without_choice();
    shop.write("params.yaml", &shop.read("params.yaml").replace("enough: 25", "enough: 1"));
    let articles = shop.read("materials/products.csv");
    let mut without = csv::Writer::from_writer(Vec::new());
    for (number, article) in
        csv::ReaderBuilder::new().has_headers(false).from_reader(articles.as_bytes()).records().enumerate()
    {
        let mut fields: Vec<String> = article.unwrap().iter().map(str::to_owned).collect();
        if number > 0 {
            fields[5].clear();
        }
        without.write_record(fields).unwrap();
    }
    shop.write("materials/products.csv", &String::from_utf8(without.into_inner().unwrap()).unwrap());
    run(&shop, &UP_TO_TRAIN);
    run(&shop, &["evaluate", "drivers", "recommend", "monitor", "drill", "report"]);
    let model = said(&shop, "reports/model.md").join("\n");
    assert!(model.contains("There are no descriptions to learn from"), "{model}");
    assert!(!model.contains("whether the descriptions help"), "{model}");
}

/// What is missing is counted for either outcome.
#[test]
fn missing_outcomes_are_counted() {
    for (kept, not, missing) in [
        (25, 25, None),
        (5, 800, Some("20 kept purchases")),
        (24, 1, Some("1 kept purchase and 24 looks without a kept purchase")),
        (30, 24, Some("1 look without a kept purchase")),
    ] {
        assert_eq!(Outcomes { kept, not }.missing(25).as_deref(), missing);
    }
}

/// What was promised less what came is the surplus; and who made a table from which model stands in its file.
#[test]
fn promises_are_added_up() {
    let shop = shop_without_choice();
    run(&shop, &UP_TO_TRAIN);
    run(&shop, &["evaluate", "drivers"]);
    let wrong = "SELECT COUNT(*) FROM evaluation.promise WHERE abs(expected - came - surplus) > 1e-9 OR surplus < low OR surplus > high";
    assert_eq!(shop.ask(wrong), ["0"]);
    let came = shop.ask("SELECT DISTINCT came FROM evaluation.promise");
    assert_eq!(came, shop.ask("SELECT COUNT(*) FROM frame WHERE split = 'test' AND label"));
    let hash = json(&shop, "work/models/combined.json")["made_from"]["data"].as_str().unwrap().to_owned();
    for file in ["work/predictions.parquet", "work/evaluation/metrics.parquet", "work/drivers/shares.parquet"] {
        let bytes = std::fs::read(shop.path(file)).unwrap();
        assert!(bytes.windows(hash.len()).any(|part| part == hash.as_bytes()), "{file} does not say {hash}");
    }
}

/// In a large shop penalties are chosen on some of the customers: where one customer made every kept purchase, the others tell
/// nothing, and they are chosen on all.
#[test]
fn penalties_are_chosen_on_customers_who_tell_something() {
    let project = selvedge::open(Some(&Shop::bare().path(""))).unwrap();
    let (customers, each) = (100, 500);
    for only in [3, 17, 42, 58, 76, 91] {
        let rows = 0..customers * each;
        let owner = |row: usize| row / each;
        let kept = |row: usize| owner(row) == only && row % 2 == 0;
        let names: StringArray = rows.clone().map(|row| Some(format!("C{:03}", owner(row)))).collect();
        let price: Float64Array = rows.clone().map(|row| Some((row * 37 % 101) as f64)).collect();
        let label: BooleanArray = rows.clone().map(|row| Some(kept(row))).collect();
        let split: StringArray = rows.map(|row| Some(if row % 10 == 0 { "validation" } else { "train" })).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("customer_id", Arc::new(names)),
            ("price", Arc::new(price)),
            ("label", Arc::new(label)),
            ("split", Arc::new(split)),
        ];
        let frame = RecordBatch::try_from_iter(columns).unwrap();
        let (training, validation) = (TrainingRows::of(&frame).unwrap(), ValidationRows::of(&frame).unwrap());
        let chosen = train::choice(&project, &["price".to_owned()], &training, &validation).unwrap().unwrap();
        assert_eq!(chosen.model.trained_on().0, training.rows().num_rows(), "{only}");
        assert!(chosen.tried.len() > 1);
    }
}
