//! The rules of a list, the protocols that figures stand under, and what a ranking may be fitted on.

use selvedge::protocol::{Board, FIGURES, Protocol, Visit, lots};
use selvedge::recommend::{Offer, Rules};

fn offer(brand: &str, new: bool, score: f64) -> Offer<'_> {
    Offer { brand, new, score, weight: score, lot: 0 }
}

const RULES: Rules = Rules { places: 4, brand: Some((2.0, 2)), at_least_new: 1 };

#[test]
fn a_brand_gets_twice_the_share_of_the_customers_own_scores_and_never_fewer_than_its_least() {
    // A has 9 of 15 of the scores, so up to ceil(2 x 4 x 0.6) places; B the rest.
    let offers =
        [("A", 3.0), ("A", 3.0), ("A", 3.0), ("B", 2.0), ("B", 2.0), ("B", 2.0)].map(|(b, s)| offer(b, false, s));
    let plain = Rules { at_least_new: 0, ..RULES };
    assert_eq!(plain.list(&offers).chosen, [0, 1, 2, 3]);
    // One that is liked little keeps the least, and the next best of others come before its third.
    let offers = [9.0, 9.0, 9.0, 1.0, 0.9, 0.8].iter().enumerate();
    let offers: Vec<Offer> =
        offers.map(|(at, score)| offer(["A", "A", "A", "B", "C", "D"][at], false, *score)).collect();
    let narrow = Rules { brand: Some((0.1, 2)), ..plain };
    let list = narrow.list(&offers);
    assert_eq!((list.chosen, list.over_brand), (vec![0, 1, 3, 4], vec![2]));
    // Where the rule leaves places free, the next best have them whatever the brand.
    assert_eq!(narrow.list(&offers[..4]).chosen, [0, 1, 2, 3]);
    assert_eq!(Rules { brand: None, ..plain }.list(&offers).chosen, [0, 1, 2, 3]);
}

#[test]
fn places_for_new_articles_are_kept_and_the_list_stays_in_the_order_of_its_scores() {
    let offers = [
        ("A", false, 4.0),
        ("B", false, 3.0),
        ("C", false, 2.0),
        ("D", false, 1.5),
        ("E", true, 1.0),
        ("F", true, 0.5),
    ];
    let offers = offers.map(|(brand, new, score)| offer(brand, new, score));
    assert_eq!(RULES.list(&offers).chosen, [0, 1, 2, 4]);
    assert_eq!(Rules { at_least_new: 0, ..RULES }.list(&offers).chosen, [0, 1, 2, 3]);
}

#[test]
fn nothing_liked_one_article_or_none_at_all_is_still_a_list() {
    let zero = ["A", "A", "B"].map(|brand| offer(brand, false, 0.0));
    assert_eq!(RULES.list(&zero).chosen, [0, 1, 2]);
    assert_eq!(RULES.list(&[]).chosen, Vec::<usize>::new());
    assert_eq!(RULES.list(&[offer("", true, -1.0)]).chosen, [0]);
}

fn board(protocol: Protocol, kept_at: usize) -> Board {
    let mut board = Board::new(protocol, &["one", "other"]);
    for customer in ["a", "a", "b", "c"] {
        let mut kept = [false; 5];
        kept[kept_at] = true;
        let lots = lots(1, 2, 0..5);
        let visit = Visit { kept: &kept, looked: &[true; 5], lots: &lots, places: 2 };
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

/// The list of files that a ranking's fingerprint is made from cannot fall behind.
#[test]
fn the_fingerprint_of_a_ranking_is_of_all_that_fits_it() {
    let src = std::path::Path::new(crate::shop::ROOT).join("crates/selvedge-learning/src");
    let listed = std::fs::read_to_string(src.join("rank/mod.rs")).unwrap();
    for (folder, before) in [("rank", ""), ("shelf", "../shelf/")] {
        for file in std::fs::read_dir(src.join(folder)).unwrap() {
            let name = file.unwrap().file_name().to_string_lossy().into_owned();
            assert!(listed.contains(&format!("include_str!(\"{before}{name}\")")), "{folder}/{name}");
        }
    }
}
