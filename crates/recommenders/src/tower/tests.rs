//! The tower learns who goes together with what, takes its scores apart, and does the same twice.

use ndarray::{Array2, Axis, array, s};
use rand::Rng;

use super::*;
use crate::{chain::KeptShares, metrics::right_order, retrieve::Past, seeds};

fn keep() -> Keep {
    Keep::Shares(KeptShares::fit(Array2::zeros((0, 2)).view(), &[], 0, None).unwrap())
}

/// Articles of three numbers; customers of two groups who like opposite articles; column 1 of the matrix is a record.
struct Shop {
    articles: Array2<f64>,
    matrix: Array2<f64>,
    visits: Vec<Visit>,
}

fn shop(visits: usize) -> Shop {
    let mut random = seeds::stream(6, "shop", 0);
    let articles = Array2::from_shape_simple_fn((60, 3), || seeds::normal(&mut random, 1.0));
    let mut shop = Shop { articles, matrix: Array2::zeros((visits * 20, 2)), visits: Vec::new() };
    for number in 0..visits {
        let group = number % 2;
        let likes = |article: u32| shop.articles[(article as usize, 0)] * if group == 0 { 1.5 } else { -1.5 };
        let mut numbers: Vec<u32> = (0..60).collect();
        rand::seq::SliceRandom::shuffle(&mut numbers[..], &mut random);
        let shown = numbers[..20].to_vec();
        let past: Vec<Past> = numbers[20..]
            .iter()
            .filter(|article| likes(**article) > 1.0)
            .map(|article| Past { thing: *article, kind: Kind::Looked, age: 1.0 })
            .collect();
        for (row, article) in (number * 20..).zip(&shown) {
            shop.matrix[(row, 0)] = seeds::normal(&mut random, 2.0);
            shop.matrix[(row, 1)] = f64::from(*article % 5);
        }
        let chance = |at: usize| {
            let record = shop.matrix[(number * 20 + at, 1)];
            maths::sigmoid(likes(shown[at]) + record / 2.0 - 4.0)
        };
        let looked: Vec<bool> = (0..20).map(|at| random.gen_range(0.0..1.0) < chance(at)).collect();
        let bought = (0..20).map(|at| looked[at] && random.gen_bool(0.4)).collect();
        let wished = (0..20).map(|at| looked[at] && random.gen_bool(0.1)).collect();
        // Half of the customers have no past, the others no profile.
        let known = number % 4 < 2;
        shop.visits.push(Visit {
            customer: vec![f64::from(u8::from(known && group == 0)), f64::from(u8::from(known && group == 1))],
            history: History::new(if known { vec![] } else { past }),
            first_row: number * 20,
            articles: shown,
            looked,
            bought,
            wished,
        });
    }
    shop
}

fn fit(shop: &Shop, settings: TowerSettings) -> Tower {
    Tower::fit(shop.articles.view(), shop.matrix.view(), &shop.visits, (&[0], &[1]), keep(), settings).unwrap()
}

fn request<'a>(shop: &'a Shop, visit: usize) -> Request<'a> {
    let Visit { customer, history, first_row, articles, .. } = &shop.visits[visit];
    Request { customer, history, articles, shelf: shop.matrix.slice(s![*first_row..*first_row + 20, ..]) }
}

/// The numbers of all rows of a shelf.
fn all(rows: usize) -> Vec<usize> {
    (0..rows).collect()
}

#[test]
fn profile_and_past_put_the_shelf_in_order() {
    let all = shop(2400);
    let training =
        Shop { articles: all.articles.clone(), matrix: all.matrix.clone(), visits: all.visits[..2000].to_vec() };
    let tower = fit(&training, TowerSettings::default());
    let catalogue = tower.catalogue(all.articles.view()).unwrap();
    let mean = |kind: usize| {
        let visits = (2000..2400).filter(|visit| (visit % 4) / 2 == kind);
        let orders: Vec<f64> = visits
            .filter_map(|visit| {
                let scores = tower.scores(&catalogue, request(&all, visit)).unwrap();
                right_order(&scores, &all.visits[visit].looked)
            })
            .collect();
        orders.iter().sum::<f64>() / orders.len() as f64
    };
    // Without customers' factors, only the record helps: .62.
    assert!(mean(0) > 0.78 && mean(1) > 0.78, "{} {}", mean(0), mean(1));
}

#[test]
fn parts_add_up_to_the_score_and_a_query_finds_the_same() {
    let shop = shop(40);
    let tower = fit(&shop, TowerSettings { epochs: 3, ..TowerSettings::default() });
    let catalogue = tower.catalogue(shop.articles.view()).unwrap();
    for visit in 0..4 {
        let request = request(&shop, visit);
        let scores = tower.scores(&catalogue, request).unwrap();
        let taken = tower.contributions(&catalogue, request, &all(scores.len())).unwrap();
        for (row, score) in scores.iter().enumerate() {
            assert!((taken.reference + taken.values.row(row).sum() - score).abs() < 1e-10);
        }
        assert!(taken.parts.is_sorted());
        let of_past = taken.values.column(taken.parts.iter().position(|part| *part == TowerPart::Past).unwrap());
        assert_eq!(of_past.iter().any(|value| *value != 0.0), !request.history.events().is_empty());
        let some = tower.contributions(&catalogue, request, &[1, 0]).unwrap();
        assert_eq!(some.values, taken.values.select(Axis(0), &[1, 0]));
        assert_eq!((some.reference, some.parts), (taken.reference, taken.parts));
        let query = tower.query(&catalogue, request.customer, request.history).unwrap();
        let by_index = dot(&query, catalogue.vectors.row(request.articles[0] as usize).to_slice().unwrap());
        let (x, _) = tower.columns(request.shelf.row(0));
        let (a, _) = &tower.affinities(&catalogue, request).unwrap()[0];
        assert!((by_index + dot(&tower.parameters.t, &x) - a).abs() < 1e-12);
    }
}

#[test]
fn odd_requests_have_finite_scores_or_are_refused() {
    let empty = Shop { articles: Array2::zeros((1, 2)), matrix: Array2::zeros((0, 2)), visits: vec![] };
    let tower = fit(&empty, TowerSettings::default());
    let catalogue = tower.catalogue(empty.articles.view()).unwrap();
    let history = History::new([Past { thing: 99, kind: Kind::Bought, age: 1.0 }]);
    let shelf = array![[1.0, 2.0]];
    let request = Request { customer: &[], history: &history, articles: &[0], shelf: shelf.view() };
    let score = tower.scores(&catalogue, request).unwrap()[0];
    assert!((score - 2.0 * 0.5_f64.ln()).abs() < 1e-12);
    assert!(tower.contributions(&catalogue, request, &[0]).unwrap().values.iter().all(|value| *value == 0.0));
    let none = Request { articles: &[], shelf: shelf.slice(s![..0, ..]), ..request };
    assert!(tower.scores(&catalogue, none).unwrap().is_empty());
    assert!(tower.scores(&catalogue, Request { articles: &[1], ..request }).is_err());
    assert!(tower.scores(&catalogue, Request { customer: &[1.0], ..request }).is_err());
    let mut visits = shop(1).visits;
    visits[0].customer[0] = f64::NAN;
    let shop_of_one = Shop { visits, ..shop(1) };
    let (articles, matrix) = (shop_of_one.articles.view(), shop_of_one.matrix.view());
    assert!(Tower::fit(articles, matrix, &shop_of_one.visits, (&[], &[]), keep(), TowerSettings::default()).is_err());
    let refused = |settings, affinity: &[usize], visits: &[Visit]| {
        let (articles, matrix) = (empty.articles.view(), empty.matrix.view());
        Tower::fit(articles, matrix, visits, (affinity, &[]), keep(), settings).is_err()
    };
    assert!(refused(TowerSettings { factors: 0, ..TowerSettings::default() }, &[], &[]));
    assert!(refused(TowerSettings::default(), &[2], &[]));
    assert!(refused(TowerSettings::default(), &[], &shop(1).visits));
}

/// Moves with every change of the fit or the scores: then VERSION is raised, and the numbers here with it.
#[test]
fn this_version_gives_these_numbers_on_any_number_of_threads() {
    assert_eq!(VERSION, 1);
    let shop = shop(300);
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&shop, TowerSettings { epochs: 2, ..TowerSettings::default() }))
    };
    let tower = fit(1);
    assert!(tower == fit(2) && tower == fit(8));
    let text = serde_json::to_string(&tower).unwrap();
    assert_eq!(serde_json::from_str::<Tower>(&text).unwrap(), tower);
    let catalogue = tower.catalogue(shop.articles.view()).unwrap();
    let scores = tower.scores(&catalogue, request(&shop, 2)).unwrap();
    assert!(
        scores.iter().zip([-5.24638867819, -4.64219888494]).all(|(a, b)| (a - b).abs() < 1e-9),
        "{:?}",
        &scores[..2]
    );
}

#[test]
fn what_a_shelf_is_searched_by_has_its_order() {
    let all = shop(200);
    let tower = fit(&all, TowerSettings { factors: 4, ..TowerSettings::default() });
    let catalogue = tower.catalogue(all.articles.view()).unwrap();
    // A row for each article, with its record and nothing of both.
    let rows = Array2::from_shape_fn((60, 2), |(article, column)| (column * (article % 5)) as f64);
    let vectors = tower.article_vectors(&catalogue, rows.view()).unwrap();
    for visit in &all.visits[..20] {
        let query = tower.query(&catalogue, &visit.customer, &visit.history).unwrap();
        let numbers: Vec<u32> = (0..60).collect();
        let request =
            Request { customer: &visit.customer, history: &visit.history, articles: &numbers, shelf: rows.view() };
        let heads = tower.affinities(&catalogue, request).unwrap();
        let sums = heads.iter().map(|(a, r)| tower.parameters.head(0, *a, r) + tower.parameters.head(1, *a, r));
        let products = vectors.rows().into_iter().map(|vector| dot(&query, vector.to_slice().unwrap()));
        let apart: Vec<f64> = sums.zip(products).map(|(sum, product)| sum - product).collect();
        assert!(apart.iter().all(|other| (other - apart[0]).abs() < 1e-9), "{apart:?}");
    }
    assert!(tower.article_vectors(&catalogue, rows.slice(s![..9, ..])).is_err());
}
