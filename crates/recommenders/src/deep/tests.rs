//! Deep models of drawn numbers: shapes, a worked example, and odd shops; that they learn is for `crates/two-tower` to show.

use ndarray::{Array2, array};

use super::*;
use crate::retrieve::tests::{near, odd_shops, past};
use crate::retrieve::{Interactions, Kind, Retriever};
use crate::seeds;

/// Numbers for every matrix of these shapes.
fn drawn(shapes: &[(&str, [usize; 2])]) -> Message {
    let draw = |(at, (name, [rows, columns])): (usize, &(&str, [usize; 2]))| {
        let mut random = seeds::stream(5, "answer", at as u64);
        let matrix = Array2::from_shape_simple_fn((*rows, *columns), || seeds::normal(&mut random, 0.5));
        ((*name).to_owned(), matrix)
    };
    Message { matrices: shapes.iter().enumerate().map(draw).collect(), ..Message::default() }
}

fn columns(things: usize) -> Vec<Vec<f64>> {
    // Every seventh thing never stood on a shelf.
    let of = |thing: usize| if thing % 7 == 6 { vec![] } else { vec![thing as f64 / 200.0, (thing % 3) as f64, 1.0] };
    (0..things).map(of).collect()
}

fn tower(interactions: &Interactions) -> DeepTower {
    let things = columns(interactions.things());
    let look = |(visit, history): (u32, &History)| -> Option<Look> {
        let thing = history.events().first()?.thing;
        let article = Some(things[thing as usize].clone()).filter(|article| !article.is_empty())?;
        Some(Look { customer: vec![1.0, 0.0], history: history.clone(), article, thing, visit, weight: 1.0 })
    };
    let looks: Vec<Look> = (0..).zip(interactions.histories()).filter_map(look).collect();
    let task = TowerTask::new(&things, if things.is_empty() { 0 } else { 2 }, &looks, 1).unwrap();
    let (told, width) = (task.message.matrices["customers"].ncols(), task.message.matrices["articles"].ncols());
    let answer = drawn(&[
        ("customer 1", [told, 4]),
        ("customer 1 bias", [1, 4]),
        ("customer 2", [4, 3]),
        ("customer 2 bias", [1, 3]),
        ("article 1", [width, 4]),
        ("article 1 bias", [1, 4]),
        ("article 2", [4, 3]),
        ("article 2 bias", [1, 3]),
        ("direct", [width, 1]),
    ]);
    task.learned(&answer).unwrap()
}

fn session(interactions: &Interactions) -> SessionTransformer {
    let things = columns(interactions.things());
    let task = SessionTask::new(&things, &[], 1).unwrap();
    let width = task.message.matrices["things"].ncols();
    let mut shapes = vec![("step", [width, 4]), ("next", [width, 5]), ("kinds", [KINDS, 4]), ("places", [LENGTH, 4])];
    shapes.extend([("query", [4, 4]), ("query bias", [1, 4]), ("key", [4, 4]), ("key bias", [1, 4])]);
    shapes.extend([("value", [4, 4]), ("value bias", [1, 4]), ("up", [4, 6]), ("up bias", [1, 6])]);
    shapes.extend([("down", [6, 4]), ("down bias", [1, 4])]);
    task.learned(&drawn(&shapes)).unwrap()
}

#[test]
fn odd_shops_have_finite_scores_that_add_up() {
    odd_shops(tower);
    odd_shops(session);
}

#[test]
fn a_tower_of_known_numbers_gives_known_scores() {
    let things = vec![vec![0.0, 1.0], vec![2.0, 1.0]];
    let look = |thing: u32| Look {
        customer: vec![1.0],
        history: History::default(),
        article: things[thing as usize].clone(),
        thing,
        visit: thing,
        weight: 1.0,
    };
    let task = TowerTask::new(&things, 1, &[look(0), look(1)], 1).unwrap();
    // Mean 1 and spread 1; the other column never varies, and is 0.
    assert_eq!(task.message.matrices["articles"], array![[-1.0, 0.0], [1.0, 0.0]]);
    assert_eq!(task.message.matrices["customers"].dim(), (2, 3));
    let matrices = [
        ("customer 1", array![[2.0], [1.0], [0.0]]),
        ("customer 1 bias", array![[-1.0]]),
        ("customer 2", array![[3.0]]),
        ("customer 2 bias", array![[0.5]]),
        ("article 1", array![[1.0], [0.0]]),
        ("article 1 bias", array![[0.0]]),
        ("article 2", array![[1.0]]),
        ("article 2 bias", array![[0.25]]),
        ("direct", array![[0.1], [0.0]]),
    ];
    let matrices = matrices.map(|(name, matrix)| (name.to_owned(), matrix)).into();
    let answer = Message { matrices, ..Message::default() };
    let tower = task.learned(&answer).unwrap();
    // u = 3 relu(2 - 1) + .5 = 3.5; e = relu(-1) + .25 and relu(1) + .25; .1 of the scaled column is added.
    let scores = tower.shelf(&[1.0], &History::default(), array![[0.0, 1.0], [2.0, 1.0]].view()).unwrap();
    near(&scores, &[3.5 * 0.25 - 0.1, 3.5 * 1.25 + 0.1]);
    // Once the second thing was bought, m_b = 1.5 x 1/3.5.
    let bought = History::new([crate::retrieve::Past { thing: 1, kind: Kind::Bought, age: 1.0 }]);
    near(&tower.query(&[1.0], &bought).unwrap(), &[3.0 * (1.0 + 1.5 / 3.5) + 0.5, 1.0]);
    near(&tower.scores(&past(&[])), &[0.0, 0.0]);
    assert!(tower.query(&[], &bought).is_err() && tower.shelf(&[1.0], &bought, array![[0.0]].view()).is_err());
    let task = TowerTask::new(&things, 1, &[look(0), look(1)], 1).unwrap();
    assert!(matches!(task.learned(&Message::default()), Err(ModelError::NotLearned { .. })));
    assert!(TowerTask::new(&things, 3, &[look(0)], 1).is_err());
    assert!(TowerTask::new(&things, 1, &[Look { thing: 2, ..look(0) }], 1).is_err());
}

#[test]
fn a_session_reads_the_latest_steps_and_new_articles_by_what_they_are() {
    let event = |thing, age| crate::retrieve::Past { thing, kind: Kind::Looked, age };
    let interactions = Interactions::new(1, 30, []).unwrap();
    let fitted = session(&interactions);
    let many = History::new((0..20).map(|thing| event(thing, 30.0 - f64::from(thing))));
    let latest = History::new((8..20).map(|thing| event(thing, 30.0 - f64::from(thing))));
    assert_eq!(fitted.scores(&many), fitted.scores(&latest));
    assert_ne!(fitted.scores(&many), fitted.scores(&History::new((9..20).map(|thing| event(thing, 1.0)))));
    // An article that is made like thing 3 has its score.
    let shelf = fitted.shelf(&latest, array![[0.015, 0.0, 1.0]].view()).unwrap();
    assert_eq!(shelf, fitted.scores(&latest)[3..4]);
    assert_eq!(fitted.shelf(&History::default(), array![[0.015, 0.0, 1.0]].view()).unwrap(), [0.0]);
    assert!(SessionTask::new(&columns(2), &[Step { before: vec![], next: 2 }], 1).is_err());
}
