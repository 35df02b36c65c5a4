//! `seed-sampled`: the last four items of each user rated 4 or 5, among 108 others drawn evenly; P, R and N at 10, and
//! beside it the N that divides by what was found, never to be read alone.

use std::{collections::BTreeSet, error::Error, path::Path, time::Instant};

use rand::Rng;
use rayon::prelude::*;
use recommenders::{
    blend::standardised,
    lists::top,
    metrics::ListFigures,
    retrieve::{Ease, History, Interactions, Retriever, Slim, SlimSettings},
    seeds,
};

use crate::{
    Line, Table,
    data::{self, NEVER, named},
};

const PLACES: usize = 10;
const WANTED: usize = 4;
const OTHERS: usize = 108;

/// A user to be judged on.
struct Judged {
    seen: Vec<u32>,
    /// What is wanted comes first.
    candidates: Vec<u32>,
}

pub fn run(folder: &Path) -> Result<Table, Box<dyn Error>> {
    let path = folder.join("ml-100k/u.data");
    let (ratings, items) = data::ratings(&path)?;
    let lines = judge(&ratings, items)?;
    let figures = &["P@10", "R@10", "N@10", "N@10 of what was found"];
    Ok(Table { protocol: "seed-sampled", figures, hash: data::hash(&[&path])?, lines })
}

fn judge(ratings: &[Vec<(u64, u32, f64)>], items: usize) -> Result<Vec<Line>, Box<dyn Error>> {
    let (mut training, mut judged) = (Vec::new(), Vec::new());
    for (user, ratings) in (0..).zip(ratings) {
        let liked = ratings.iter().filter(|(_, _, rating)| *rating >= 4.0).map(|(_, item, _)| *item);
        let wanted: Vec<u32> = liked.rev().take(WANTED).collect();
        let seen: Vec<u32> = ratings.iter().map(|(_, item, _)| *item).filter(|item| !wanted.contains(item)).collect();
        let rated: BTreeSet<u32> = ratings.iter().map(|(_, item, _)| *item).collect();
        let count = wanted.len();
        if count == WANTED && rated.len() + OTHERS <= items {
            let mut candidates = wanted;
            let mut random = seeds::stream(0, "others", user);
            while candidates.len() < count + OTHERS {
                let item = random.gen_range(0..items as u32);
                if !rated.contains(&item) && !candidates.contains(&item) {
                    candidates.push(item);
                }
            }
            judged.push(Judged { seen: seen.clone(), candidates });
        }
        training.push(seen);
    }
    let interactions = data::interactions(&training, items)?;
    lines(&interactions, &judged)
}

fn lines(interactions: &Interactions, judged: &[Judged]) -> Result<Vec<Line>, Box<dyn Error>> {
    let by_chance = |history: &History| -> Vec<f64> {
        let lot = history.events().len() as u64;
        (0..interactions.things() as u64).map(|item| (seeds::mix(lot, [item]) >> 11) as f64).collect()
    };
    let mut lines = vec![line("chance".into(), judged, Instant::now(), &by_chance)];
    let popularity = data::popularity(interactions);
    lines.push(line(named(&popularity, ""), judged, Instant::now(), &|history| popularity.scores(history)));
    let since = Instant::now();
    let ease = Ease::fit(interactions, 458.0, NEVER)?;
    lines.push(line(named(&ease, "458"), judged, since, &|history| ease.scores(history)));
    let since = Instant::now();
    let alpha = 0.2225 * interactions.customers() as f64;
    let slim = Slim::fit(interactions, SlimSettings { l1: alpha * 1.13e-4, l2: alpha, most: 605, recency: NEVER })?;
    lines.push(line(named(&slim, ""), judged, since, &|history| slim.scores(history)));
    let both = |history: &History| -> Vec<f64> {
        let (ease, slim) = (standardised(&ease.scores(history)), standardised(&slim.scores(history)));
        ease.iter().zip(&slim).map(|(ease, slim)| 0.3 * ease + 0.7 * slim).collect()
    };
    lines.push(line(".3 ease + .7 slim, standardised by user".into(), judged, Instant::now(), &both));
    Ok(lines)
}

fn line(model: String, judged: &[Judged], since: Instant, scores: &(dyn Fn(&History) -> Vec<f64> + Sync)) -> Line {
    let of_user = |user: &Judged| {
        let scores = scores(&data::history(&user.seen));
        // In the order of their numbers, so that equal scores tell nothing of what is wanted.
        let mut rows: Vec<usize> = (0..user.candidates.len()).collect();
        rows.sort_by_key(|row| user.candidates[*row]);
        let of_rows: Vec<f64> = rows.iter().map(|row| scores[user.candidates[*row] as usize]).collect();
        let hits: Vec<bool> = top(&of_rows, PLACES).into_iter().map(|at| rows[at as usize] < WANTED).collect();
        ListFigures::of(&hits, PLACES, WANTED)
    };
    let all: Vec<ListFigures> = judged.par_iter().filter_map(of_user).collect();
    let mean = |of: fn(&ListFigures) -> f64| all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
    let figures = vec![
        mean(|figures| figures.precision),
        mean(|figures| figures.recall_all),
        mean(|figures| figures.ndcg_min),
        mean(|figures| figures.ndcg_self),
    ];
    Line { model, users: all.len(), figures, seconds: since.elapsed().as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_finds_what_chance_does_not() {
        // Users of two kinds; of their 20 items all are liked, of the other kind's none.
        let user = |number: u64| -> Vec<(u64, u32, f64)> {
            (0..20).map(|at| (at, (number % 2 * 100 + (at * 3 + number) % 25) as u32, 5.0)).collect()
        };
        let ratings: Vec<_> = (0..200).map(user).collect();
        let lines = judge(&ratings, 300).unwrap();
        assert!(lines.iter().all(|line| line.users == 200));
        // Four of 112 by chance: ten places find .36 of them.
        assert!((lines[0].figures[0] - 4.0 / 112.0).abs() < 0.015, "{:?}", lines[0].figures);
        assert!(lines[2].figures[1] > 0.95 && lines[4].figures[2] > 0.8, "{:?}", lines[4].figures);
    }
}
