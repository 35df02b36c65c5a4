//! `tests/features/*.yaml`: the project's own cases hold, and a case that does not says where.

use std::path::Path;

use selvedge::cases;
use selvedge::sql::Layer;

use crate::shop::{ROOT, Shop};

#[test]
fn every_view_has_cases_and_all_of_them_hold() {
    let project = selvedge::open(Some(Path::new(ROOT))).unwrap();
    for file in project.library.layer(Layer::FEATURES) {
        let cases = format!("tests/features/{}.yaml", file.header.name());
        assert!(Path::new(ROOT).join(&cases).is_file(), "{} has no {cases}", file.shown);
    }
    if let Err(error) = cases::run(&project, &[]) {
        panic!("{error}");
    }
}

const CASES: &str = "\
given:
  sources.products:
    - {product_id: 1, season: W, fulfilment: brand, sustainability_score: 70, price_eur: 1}
cases:
  - name: a brand's article
    given:
      sources.customers:
        - {customer_id: C, sustainability_preference: high, price_band: mid}
    expect:
      - {customer_id: C, product_id: 1, season: W, as_of: 2031-05-01T12:00:00, delivery_days: 5, sustainability_fit: 20}
";

/// What is wrong with a case, and the words that must be said of it.
const WRONG: [(&str, &str, &[&str]); 12] = [
    (
        "delivery_days: 5",
        "delivery_days: 4",
        &[
            "promise.yaml:5: case 'a brand's article'",
            "row customer_id=C, product_id=1, season=W, as_of=2031-05-01T12:00:00",
            "column delivery_days: expected 4, got 5",
        ],
    ),
    ("sustainability_fit: 20", "sustainability_fit: 20.1", &["column sustainability_fit: expected 20.1, got 20.0"]),
    ("sustainability_fit: 20", "sustainability_fit: null", &["expected null, got 20.0"]),
    ("delivery_days: 5", "delivry_days: 5", &["no column 'delivry_days'", "did you mean delivery_days?"]),
    (", price_band: mid", "", &["row 1 of sources.customers has no 'price_band'", "`price_band: null`"]),
    ("price_band: mid", "price_bnd: mid", &["sources.customers has no column 'price_bnd'", "did you mean price_band?"]),
    ("sources.customers:", "sources.customer:", &["does not read sources.customer", "did you mean sources.customers"]),
    ("given:\n  sources.products:", "given:\n  sources.transactions:", &["does not read sources.transactions"]),
    ("price_eur: 1", "price_eur: cheap", &["sources.products.price_eur is cheap", "Decimal"]),
    (", as_of: 2031-05-01T12:00:00", "", &["has no 'as_of'"]),
    ("    expect:", "    expects:", &["promise.yaml:", "unknown key `expects`"]),
    ("product_id: 1, season: W, as_of", "product_id: 2, season: W, as_of", &["1 rows of grain.customer_product"]),
];

#[test]
fn a_case_that_does_not_hold_says_where_and_what() {
    let shop = Shop::new(1);
    for (from, to, words) in WRONG {
        assert!(CASES.contains(from), "{from}");
        shop.write("tests/features/promise.yaml", &CASES.replacen(from, to, 1));
        let output = shop.run(&["test", "promise"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{to}: {said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{to}: no {word:?} in\n{said}"));
    }
    shop.write("tests/features/promise.yaml", CASES);
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    assert!(cases::run(&project, &[]).is_ok());
    shop.write("tests/features/promises.yaml", CASES);
    assert!(cases::run(&project, &[]).unwrap_err().to_string().contains("no feature view 'promises'"));
}

/// What is recorded holds, is small, and stands behind the cases that were there.
#[cfg(feature = "encoder")]
#[test]
fn a_case_can_be_recorded() {
    let shop = Shop::new(12);
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    let row =
        shop.ask("SELECT customer_id, as_of FROM features.customer_history WHERE looks_1y = 3 AND purchases_ever = 1");
    let (customer, as_of) = row[0].split_once(',').unwrap();
    let (customer, as_of) = (format!("customer_id={customer}"), format!("as_of={as_of}"));
    shop.must(&["test", "--record", "customer_history", &customer, &as_of]);
    shop.must(&["test", "--record", "customer_history", &as_of, &customer]);
    let written = shop.read("tests/features/customer_history.yaml");
    assert_eq!(written.matches("looks_1y: 3").count(), 2, "{written}");
    assert!(written.matches("event_type: ").count() < 30, "{written}");
    assert!(
        written.contains("customer_id: P-") && !written.contains("anna/"),
        "a customer's number is in a case: {written}"
    );
    let (day, _) = as_of["as_of=".len()..].split_once('T').unwrap();
    assert!(!written.contains(day), "a day on which a customer did something is in a case: {written}");
    let same = written.matches("recorded for").count();
    let (_, first) = written.split_once("recorded for ").unwrap();
    assert_eq!(
        written.matches(first.lines().next().unwrap()).count(),
        same,
        "the same request is shifted alike: {written}"
    );
    assert!(cases::run(&selvedge::open(Some(&shop.path(""))).unwrap(), &[]).is_ok());
    let other = shop.run(&["test", "--record", "customer_history", &customer]);
    assert!(String::from_utf8_lossy(&other.stderr).contains("customer_id, as_of"));
}
