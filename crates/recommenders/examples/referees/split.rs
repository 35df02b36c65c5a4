//! `tois-ml100k`: a split into training and test items; all items less those seen, lists of ten, P, R_all and N_all.

use std::{error::Error, path::Path, time::Instant};

use rayon::prelude::*;
use recommenders::{
    blend::standardised,
    lists::top_by,
    metrics::ListFigures,
    retrieve::{Ease, ItemKnn, ItemKnnSettings, Retriever, Rp3Beta, Rp3BetaSettings, Slim, SlimSettings},
};

use crate::{
    Line, Table,
    data::{self, NEVER, Numbers, named},
};

const PLACES: usize = 10;

/// The scores of a user's past.
type Score<'a> = Box<dyn Fn(&recommenders::retrieve::History) -> Vec<f64> + Sync + 'a>;

pub fn run(folder: &Path) -> Result<Table, Box<dyn Error>> {
    let (train, test) = (folder.join("ml-100k-tois/train.txt"), folder.join("ml-100k-tois/test.txt"));
    let (mut users, mut items) = (Numbers::default(), Numbers::default());
    let (mut seen, mut wanted): (Vec<Vec<u32>>, Vec<Vec<u32>>) = (Vec::new(), Vec::new());
    for (path, lists) in [(&train, &mut seen), (&test, &mut wanted)] {
        for line in data::lines(path)? {
            let user = users.of(&line[0]) as usize;
            lists.resize(lists.len().max(user + 1), Vec::new());
            lists[user].extend(line[1..].iter().map(|item| items.of(item)));
        }
    }
    seen.resize(users.count(), Vec::new());
    wanted.resize(users.count(), Vec::new());
    // Rows in the order of their keys.
    seen.iter_mut().for_each(|items| items.sort_unstable());
    let lines = judge(&seen, &wanted, items.count())?;
    let hash = data::hash(&[&train, &test])?;
    Ok(Table { protocol: "tois-ml100k", figures: &["P@10", "R_all@10", "N_all@10"], hash, lines })
}

fn judge(seen: &[Vec<u32>], wanted: &[Vec<u32>], items: usize) -> Result<Vec<Line>, Box<dyn Error>> {
    let interactions = data::interactions(seen, items)?;
    let knn = ItemKnnSettings { shrinkage: 0.0, most: 100, recency: NEVER, ..ItemKnnSettings::default() };
    let rp3 = Rp3BetaSettings { popularity: 0.6, most: usize::MAX, recency: NEVER, ..Rp3BetaSettings::default() };
    // Elastic net with alpha .2225 and an l1 share of 1.13e-4, both by user.
    let (alpha, share) = (0.2225 * seen.len() as f64, 1.13e-4);
    let slim = SlimSettings { l1: alpha * share, l2: alpha * (1.0 - share), most: 605, recency: NEVER };
    let mut lines = Vec::new();
    let add = |retriever: Box<dyn Retriever>, settings: &str, since: Instant, lines: &mut Vec<Line>| {
        lines.push(line(named(&*retriever, settings), seen, wanted, since, &|history| retriever.scores(history)));
        retriever
    };
    add(Box::new(data::popularity(&interactions)), "", Instant::now(), &mut lines);
    let since = Instant::now();
    add(Box::new(ItemKnn::fit(&interactions, knn)?), "a .5 h 0, 100 kept", since, &mut lines);
    let since = Instant::now();
    add(Box::new(Rp3Beta::fit(&interactions, rp3)?), "b .6", since, &mut lines);
    let since = Instant::now();
    let ease = add(Box::new(Ease::fit(&interactions, 458.0, NEVER)?), "458", since, &mut lines);
    let since = Instant::now();
    let slim = add(Box::new(Slim::fit(&interactions, slim)?), "alpha .2225, l1 1.13e-4, 605 kept", since, &mut lines);
    let both: Score = Box::new(|history| {
        let (ease, slim) = (standardised(&ease.scores(history)), standardised(&slim.scores(history)));
        ease.iter().zip(&slim).map(|(ease, slim)| 0.3 * ease + 0.7 * slim).collect()
    });
    lines.push(line(".3 ease + .7 slim, standardised by user".into(), seen, wanted, Instant::now(), &*both));
    Ok(lines)
}

/// Each user's list against what was wanted; users without any are left out.
fn line(
    model: String,
    seen: &[Vec<u32>],
    wanted: &[Vec<u32>],
    since: Instant,
    scores: &(dyn Fn(&recommenders::retrieve::History) -> Vec<f64> + Sync),
) -> Line {
    let of_user = |(seen, wanted): (&Vec<u32>, &Vec<u32>)| {
        let scores = scores(&data::history(seen));
        let list = top_by(scores.len(), PLACES, |row| scores[row], |row| !seen.contains(&(row as u32)));
        let hits: Vec<bool> = list.iter().map(|(item, _)| wanted.contains(item)).collect();
        ListFigures::of(&hits, PLACES, wanted.len())
    };
    let all: Vec<ListFigures> = seen.par_iter().zip(wanted).filter_map(of_user).collect();
    let mean = |of: fn(&ListFigures) -> f64| all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
    let figures =
        vec![mean(|figures| figures.precision), mean(|figures| figures.recall_all), mean(|figures| figures.ndcg_all)];
    Line { model, users: all.len(), figures, seconds: since.elapsed().as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two kinds of users with items of their own: who knows the past finds the rest of the kind, popularity half of it.
    #[test]
    fn models_of_the_past_find_what_popularity_does_not() {
        let user = |number: u32, from: u32, to: u32| -> Vec<u32> {
            (from..to).map(|at| (number % 2) * 30 + (at + number * 7) % 30).collect()
        };
        let seen: Vec<Vec<u32>> = (0..100).map(|number| user(number, 0, 20)).collect();
        let wanted: Vec<Vec<u32>> = (0..100).map(|number| user(number, 20, 30)).collect();
        let lines = judge(&seen, &wanted, 60).unwrap();
        assert_eq!(lines.len(), 6);
        assert!(lines.iter().all(|line| line.users == 100));
        assert!(lines[0].figures[0] < 0.6, "{:?}", lines[0].figures);
        for line in &lines[1..] {
            assert!(
                line.figures.iter().all(|figure| (figure - 1.0).abs() < 1e-9),
                "{}: {:?}",
                line.model,
                line.figures
            );
        }
    }
}
