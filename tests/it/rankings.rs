//! The rules of a list, the protocols that figures stand under, and what a ranking may be fitted on.

use selvedge::protocol::{Board, FIGURES, Protocol, Visit, lots};
use selvedge::recommend::{list, worth};

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
