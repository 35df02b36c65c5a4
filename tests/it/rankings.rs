//! The rules of a list, the protocols that figures stand under, and what a ranking may be fitted on.

use std::collections::BTreeMap;

use selvedge::protocol::{Board, FIGURES, Protocol, Visit, lots};
use selvedge::recommend::{list, worth};
use selvedge::shelf::{self, Session};
use selvedge::sql::TableName;

/// The rules themselves are the crate's of recommenders, and tested there; here is what shops give them.
#[test]
fn a_list_of_nothing_liked_of_one_article_or_of_none_is_still_a_list() {
    let project = selvedge::flow::open(Some(std::path::Path::new(crate::shop::ROOT))).unwrap();
    let rules = selvedge::recommend::rules(&project.params.recommend);
    let nothing = [worth(0.0); 3];
    let (chosen, _) = list(&nothing, [Some("A"), Some("A"), None].into_iter(), &[false; 3], rules);
    assert_eq!(chosen, [0, 1, 2]);
    assert!(list(&[], std::iter::empty(), &[], rules).0.is_empty());
    assert_eq!(list(&[-700.0], [None].into_iter(), &[true], rules).0, [0]);
    // Popularity of 3 and of 1: its logarithms keep the order.
    assert_eq!(list(&[worth(1.0), worth(3.0)], [None, None].into_iter(), &[false; 2], rules).0, [1, 0]);
}

fn board(protocol: Protocol, kept_at: usize) -> Board {
    let mut board = Board::new(protocol, &["one", "other"]);
    for customer in ["a", "a", "b", "c"] {
        let mut kept = [false; 5];
        kept[kept_at] = true;
        let lots = lots(1, 2, 0..5);
        let visit = Visit { kept: &kept, looked: &[true; 5], others: None, lots: &lots, places: 2 };
        let (one, other) = ([5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]);
        let figures = [one, other].map(|scores| visit.figures(&scores, &visit.first(&scores)));
        board.add(customer, &[kept_at as u8], figures.into());
    }
    board
}

#[test]
fn figures_of_other_protocols_or_visits_are_not_compared() {
    let judged = |protocol, kept_at| board(protocol, kept_at).judged(50, 1).unwrap();
    let shelf = judged(Protocol::ShelfVisit, 0);
    assert_eq!((shelf.customers, shelf.visits), (3, 4));
    let lead = shelf.lead("one", &judged(Protocol::ShelfVisit, 0), "other", "kept_hits").unwrap().unwrap();
    assert_eq!((lead.value, lead.low, lead.high), (1.0, 1.0, 1.0));
    assert_eq!(shelf.of("one", "right_order").unwrap().value, 1.0);
    // All was looked at, so no pair tells anything of looks.
    assert_eq!(shelf.of("one", "right_order_looks"), None);
    let refused = |other| match shelf.lead("one", &other, "other", FIGURES[0]) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("two that may not be compared were"),
    };
    assert!(
        refused(judged(Protocol::ShelfDelivered, 0))
            .contains("shelf-visit is not compared with one of shelf-delivered")
    );
    assert!(refused(judged(Protocol::ShelfVisit, 1)).contains("rest on other visits"));
}

/// `why-not` repeats the rules of the shelf to name the one that keeps an article out; both say the same of every customer
/// and article, at moments of three seasons.
#[test]
fn what_no_filter_keeps_out_is_on_the_shelf() {
    let shop = crate::shop::Shop::new(30);
    let products = shop.read("materials/products.csv");
    let sent = |(row, line): (usize, &str)| match row % 5 {
        0 | 1 => line.to_owned(),
        2 => line.replace("DE;AT", "AT"),
        3 => line.replace("DE;AT", "DE; CH"),
        _ => line.replace("DE;AT", ""),
    };
    let lines: Vec<String> = products.lines().enumerate().map(sent).collect();
    shop.write("materials/products.csv", &(lines.join("\n") + "\n"));
    shop.must(&["ingest"]);
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    let session = Session::new(&project).unwrap();
    let engine = session.engine();
    let moments = "SELECT customer_id, as_of FROM sources.customers CROSS JOIN (VALUES (TIMESTAMP '2030-01-15T10:00:00'), \
                   (TIMESTAMP '2031-09-01T00:30:00'), (TIMESTAMP '2032-02-29T23:30:00')) AS moments(as_of)";
    engine.open(&TableName::new("sources", "customers")).unwrap();
    session.shelves(engine.query(moments, "the moments").unwrap(), None, false).unwrap();
    for file in shelf::needed(&project, &["filters"]).unwrap() {
        if !engine.has(&file.table()) {
            engine.register(&file.table(), engine.table(&project, file).unwrap().batch).unwrap();
        }
    }
    let found = |query: &str| {
        let rows: Vec<BTreeMap<String, u64>> = engine_rows(engine, query);
        rows[0]["n"]
    };
    let of_key =
        "c.customer_id = f.customer_id AND c.as_of = f.as_of AND c.product_id = f.product_id AND c.season = f.season";
    assert_eq!(
        found(&format!(
            "SELECT COUNT(*) AS n FROM recommend.filters f FULL JOIN recommend.candidates c ON {of_key} \
             WHERE (f.customer_id IS NOT NULL AND f.kept_out IS NULL) <> (c.customer_id IS NOT NULL)"
        )),
        0
    );
    // Each filter keeps something out, and something is left.
    for words in ["%only from%", "%until%", "%not sent%", "%owns it%"] {
        assert!(
            found(&format!("SELECT COUNT(*) AS n FROM recommend.filters WHERE kept_out LIKE '{words}'")) > 0,
            "{words}"
        );
    }
    assert!(found("SELECT COUNT(*) AS n FROM recommend.candidates") > 0);
}

fn engine_rows<T: serde::de::DeserializeOwned>(engine: &selvedge::engine::Engine, query: &str) -> Vec<T> {
    selvedge::engine::read_rows(&engine.query(query, "a question").unwrap(), "a question").unwrap()
}
