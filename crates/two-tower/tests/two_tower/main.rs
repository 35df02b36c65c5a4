//! What deep models learn, that the same is learned twice, and that plain Rust reads it as libtorch does.

use ndarray::{Array2, Axis};
use rand::Rng;
use recommenders::deep::{LENGTH, Look, Message, SessionTask, Step, TowerTask};
use recommenders::retrieve::{History, Kind, Past, Retriever};
use recommenders::seeds;
use two_tower::{SessionNet, TowerNet, matrix, serve, session, tensor, towers};

const THINGS: u32 = 40;

/// Of each thing its kind, one of four, and two columns that mean nothing.
fn things() -> Vec<Vec<f64>> {
    let mut random = seeds::stream(1, "things", 0);
    let thing = |thing: u32| {
        let kinds = (0..4).map(|kind| f64::from(u8::from(thing % 4 == kind)));
        kinds.chain([seeds::normal(&mut random, 1.0), seeds::normal(&mut random, 1.0)]).collect()
    };
    (0..THINGS).map(thing).collect()
}

fn done(things: &[u32]) -> History {
    let ages = (0..things.len()).rev();
    History::new(things.iter().zip(ages).map(|(thing, age)| Past {
        thing: *thing,
        kind: Kind::Looked,
        age: age as f64,
    }))
}

/// Customers look at the kind that they told.
fn looks() -> Vec<Look> {
    let (things, mut random) = (things(), seeds::stream(2, "looks", 0));
    let look = |visit: u32| {
        let told = visit % 4;
        let thing = if random.gen_bool(0.8) { told + 4 * random.gen_range(0..10) } else { random.gen_range(0..THINGS) };
        let customer = (0..4).map(|kind| f64::from(u8::from(kind == told))).collect();
        let history = done(&[random.gen_range(0..THINGS)]);
        Look { customer, history, article: things[thing as usize].clone(), thing, visit, weight: 1.0 }
    };
    (0..1500).map(look).collect()
}

fn tower_task() -> TowerTask {
    TowerTask::new(&things(), 4, &looks(), 3).unwrap()
}

/// After a kind comes the next one.
fn session_task() -> SessionTask {
    let mut random = seeds::stream(4, "steps", 0);
    let step = |_| {
        let first = random.gen_range(0..THINGS);
        let mut next = |thing: u32| (thing + 1) % 4 + 4 * random.gen_range(0..10);
        let second = next(first);
        Step { before: vec![(first, Kind::Looked), (second, Kind::Looked)], next: next(second) }
    };
    SessionTask::new(&things(), &(0..2000).map(step).collect::<Vec<Step>>(), 3).unwrap()
}

fn near(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} {b:?}");
}

/// The share of pairs in which a thing of the wanted kind stands before one of another.
fn in_order(scores: &[f64], kind: usize) -> f64 {
    let targets: Vec<bool> = (0..scores.len()).map(|thing| thing % 4 == kind).collect();
    recommenders::metrics::right_order(scores, &targets).unwrap()
}

#[test]
fn a_tower_learns_who_likes_what_and_plain_rust_reads_it_alike() {
    let task = tower_task();
    let (answer, losses) = towers(&task.message).unwrap();
    assert!(losses.last() < losses.first() && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    assert_eq!(towers(&task.message).unwrap().0, answer, "the same task twice");
    let customers = task.message.matrices["customers"].clone();
    let articles = task.message.matrices["articles"].clone();
    let net = TowerNet::of(&answer, customers.ncols(), articles.ncols()).unwrap();
    let by_torch = matrix(&net.scores(&tensor(&customers).unwrap(), &tensor(&articles).unwrap()).unwrap()).unwrap();
    let tower = task.learned(&answer).unwrap();
    let looks = looks();
    let shelf = Array2::from_shape_fn((50, 6), |(row, column)| looks[row].article[column]);
    for (row, look) in looks.iter().enumerate().take(50) {
        let scores = tower.shelf(&look.customer, &look.history, shelf.view()).unwrap();
        near(&scores, &by_torch.row(row).to_vec()[..50]);
    }
    let all = Array2::from_shape_fn((THINGS as usize, 6), |(thing, column)| things()[thing][column]);
    for kind in 0..4 {
        let customer: Vec<f64> = (0..4).map(|other| f64::from(u8::from(kind == other))).collect();
        let found = in_order(&tower.shelf(&customer, &History::default(), all.view()).unwrap(), kind);
        assert!(found > 0.9, "{found}");
    }
}

#[test]
fn a_session_learns_what_comes_next_and_plain_rust_reads_it_alike() {
    let task = session_task();
    let (answer, losses) = session(&task.message).unwrap();
    assert!(losses.last() < losses.first() && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    assert_eq!(session(&task.message).unwrap().0, answer, "the same task twice");
    let columns = task.message.matrices["things"].clone();
    let net = SessionNet::of(&answer, columns.ncols()).unwrap();
    let columns = tensor(&columns).unwrap();
    let [places, kinds] = ["places", "kinds"].map(|name| task.message.matrices[name].clone());
    let states = net.states(&columns, &tensor(&places).unwrap(), &tensor(&kinds).unwrap()).unwrap();
    let numbers: Vec<i64> = (0..i64::from(THINGS)).collect();
    let by_torch = matrix(&net.scores(&states, &columns, &numbers).unwrap()).unwrap();
    let learned = task.learned(&answer).unwrap();
    for (row, places) in places.axis_iter(Axis(0)).enumerate().take(50) {
        let steps: Vec<u32> = places.iter().filter(|place| **place > 0.0).map(|place| *place as u32 - 1).collect();
        near(&learned.scores(&done(&steps)), &by_torch.row(row).to_vec());
    }
    for kind in 0..4_u32 {
        let found = in_order(&learned.scores(&done(&[8 + kind, 4 + (kind + 1) % 4])), (kind as usize + 2) % 4);
        assert!(found > 0.9, "{found}");
    }
}

/// Nobody, nothing, one look, more steps than are read, and columns that never vary.
#[test]
fn odd_tasks_have_finite_answers() {
    let one = |things: &[Vec<f64>], looks: &[Look]| {
        let task = TowerTask::new(things, things.first().map_or(0, Vec::len), looks, 1).unwrap();
        let (answer, _) = towers(&task.message).unwrap();
        task.learned(&answer).unwrap().scores(&done(&[0]))
    };
    let look = Look { customer: vec![], history: done(&[0]), article: vec![1.0], thing: 0, visit: 0, weight: 3.0 };
    assert!(one(&[], &[]).is_empty());
    assert!(one(&[vec![]], &[])[0].is_finite());
    assert!(one(&[vec![1.0], vec![1.0]], &[look.clone()]).iter().all(|score| score.is_finite()));
    assert!(one(&[vec![1.0], vec![]], &vec![look; 300]).iter().all(|score| score.is_finite()));
    let step = Step { before: vec![(0, Kind::Bought); LENGTH + 3], next: 1 };
    for (things, steps) in
        [(vec![], vec![]), (vec![vec![], vec![]], vec![step.clone()]), (vec![vec![2.0]; 2], vec![step; 200])]
    {
        let task = SessionTask::new(&things, &steps, 1).unwrap();
        let (answer, _) = session(&task.message).unwrap();
        let scores = task.learned(&answer).unwrap().scores(&done(&[0, 1]));
        assert!(scores.len() == things.len() && scores.iter().all(|score| score.is_finite()));
    }
}

#[test]
fn the_program_answers_each_task_and_refuses_what_is_none() {
    let tasks = [tower_task().message, session_task().message];
    let mut asked = Vec::new();
    tasks.iter().for_each(|task| task.write(&mut asked).unwrap());
    let mut answers = Vec::new();
    serve(asked.as_slice(), &mut answers).unwrap();
    let mut answers = answers.as_slice();
    assert_eq!(Message::read(&mut answers).unwrap(), Some(towers(&tasks[0]).unwrap().0));
    assert_eq!(Message::read(&mut answers).unwrap(), Some(session(&tasks[1]).unwrap().0));
    assert!(answers.is_empty());
    let refused = |task: &Message| {
        let mut asked = Vec::new();
        task.write(&mut asked).unwrap();
        serve(asked.as_slice(), Vec::new()).unwrap_err()
    };
    assert!(refused(&Message { name: "dreams".into(), ..Message::default() }).contains("no task 'dreams'"));
    let mut wrong = tasks[1].clone();
    wrong.matrices.get_mut("places").unwrap()[(0, LENGTH - 1)] = f64::from(THINGS) + 1.0;
    assert!(refused(&wrong).contains("'places' names nothing"));
    assert!(serve(&b"\x05\0\0\0\0\0\0\0ab"[..], Vec::new()).is_err());
}
