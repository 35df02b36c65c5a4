//! Recommendations on shops whose truth is known, small: the large version is `make bench-shops`.

use crate::known_truth::judged::{judged, project};
use crate::known_truth::{Size, TrueShop};

const SMALL: Size = Size { customers: 700, articles: 45, seasons: 4, busy: 2.5 };

/// Where taste decides, lists come nearer to the best possible than popularity does; where nothing but popularity does, they
/// lose little against it.
#[test]
fn lists_follow_what_decides_in_a_shop() {
    for (number, least_over_popularity) in [(107, 5.0), (100, -5.0)] {
        let shop = TrueShop::new(number, SMALL);
        let found = judged(number, &shop, &project(&shop));
        let [ours, popular, _] = found.of_best;
        assert!(ours > popular + least_over_popularity, "{found:?}");
        assert!(ours <= 100.0 && found.in_common <= 10.0, "{found:?}");
    }
}
