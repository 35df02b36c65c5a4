//! What every candidate generator is held to.

use super::*;

/// The interactions that test vectors are written for: five customers, six things, all looked at on the day of the cut.
pub(crate) fn example(without_last: bool) -> Interactions {
    let rows = ["110000", "101100", "011001", "001110", "110100"];
    let rows = &rows[..rows.len() - usize::from(without_last)];
    let event = |customer, thing| Event { customer, past: Past { thing, kind: Kind::Looked, age: 0.0 } };
    let of_row = |(customer, row): (u32, &&str)| -> Vec<Event> {
        (0..).zip(row.bytes()).filter(|(_, seen)| *seen == b'1').map(|(thing, _)| event(customer, thing)).collect()
    };
    Interactions::new(rows.len(), 6, (0..).zip(rows).flat_map(of_row)).unwrap()
}

/// Looks on the day of the cut.
pub(crate) fn past(things: &[u32]) -> History {
    History::new(things.iter().map(|thing| Past { thing: *thing, kind: Kind::Looked, age: 0.0 }))
}

pub(crate) fn near(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
}

/// What past things add to a score is the score.
pub(crate) fn adds_up(retriever: &dyn Retriever, history: &History) {
    for (thing, score) in (0..).zip(retriever.scores(history)) {
        let parts = retriever.contributions(history, thing);
        assert!(parts.is_sorted_by_key(|(thing, _)| *thing) && parts.iter().all(|(_, part)| *part != 0.0));
        assert!((parts.iter().map(|(_, part)| part).sum::<f64>() - score).abs() < 1e-12);
    }
}

/// Nobody and nothing, one of each, everything bought by one customer, and things after the fit: finite scores for all.
pub(crate) fn odd_shops<R>(fit: impl Fn(&Interactions) -> R + Sync)
where
    R: Retriever + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let event = |customer, thing| Event { customer, past: Past { thing, kind: Kind::Bought, age: 3.0 } };
    let all: Vec<Event> = (0..200).map(|thing| event(1, thing)).collect();
    for (customers, things, events) in [
        (0, 0, vec![]),
        (1, 1, vec![event(0, 0)]),
        (3, 2, vec![]),
        (3, 200, all.clone()),
        (2, 200, [all, vec![event(0, 3)]].concat()),
    ] {
        let interactions = Interactions::new(customers, things, events).unwrap();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(&interactions))
        };
        let retrievers = [on(1), on(2), on(8)];
        for history in [past(&[]), past(&[0]), past(&[3, 17, 1_000_000])] {
            let scores = retrievers[0].scores(&history);
            assert_eq!(scores.len(), things);
            assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
            let bits = |scores: Vec<f64>| scores.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let expected = bits(scores);
            assert!(retrievers.iter().all(|retriever| bits(retriever.scores(&history)) == expected));
            adds_up(&retrievers[0], &history);
            assert!(history.events().len() != 1 || retrievers[0].contributions(&history, 5000).is_empty());
        }
        let text = serde_json::to_string(&retrievers[0]).unwrap();
        assert_eq!(serde_json::from_str::<R>(&text).unwrap(), retrievers[0]);
        let none = retrievers[0].scores(&past(&[]));
        assert!(none.iter().all(|score| *score == 0.0));
    }
}
