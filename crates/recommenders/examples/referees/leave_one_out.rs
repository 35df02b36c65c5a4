//! `beauty-loo`: the last item of each user, all items less those seen; HR and N at 10, ties count half.
//!
//! A past that fades by steps is a session model too: what came last says most.

use std::{error::Error, path::Path, time::Instant};

use rayon::prelude::*;
use recommenders::{
    maths,
    retrieve::{ItemKnn, ItemKnnSettings, Recency, Retriever, Rp3Beta, Rp3BetaSettings},
};

use crate::{
    Line, Table,
    data::{self, Numbers, named},
};

const PLACES: f64 = 10.0;

pub fn run(folder: &Path) -> Result<Table, Box<dyn Error>> {
    let path = folder.join("beauty.txt");
    let (mut users, mut items) = (Numbers::default(), Numbers::default());
    let mut lists: Vec<Vec<u32>> = Vec::new();
    for line in data::lines(&path)? {
        let [user, item, ..] = &line[..] else { return Err(format!("{}: a line of one word", path.display()).into()) };
        let user = users.of(user) as usize;
        lists.resize(lists.len().max(user + 1), Vec::new());
        lists[user].push(items.of(item));
    }
    let lines = judge(&lists, items.count())?;
    Ok(Table { protocol: "beauty-loo", figures: &["HR@10", "N@10"], hash: data::hash(&[&path])?, lines })
}

fn judge(lists: &[Vec<u32>], items: usize) -> Result<Vec<Line>, Box<dyn Error>> {
    // Users with fewer than three items have nothing to leave out.
    let judged: Vec<(Vec<u32>, u32)> = lists
        .iter()
        .filter(|list| list.len() > 2)
        .filter_map(|list| list.split_last().map(|(last, before)| (before.to_vec(), *last)))
        .collect();
    let training: Vec<Vec<u32>> =
        lists.iter().map(|list| if list.len() > 2 { list[..list.len() - 1].to_vec() } else { list.clone() }).collect();
    let interactions = data::interactions(&training, items)?;
    let knn = ItemKnnSettings { shrinkage: 40.0, recency: Recency::Steps(0.8), ..ItemKnnSettings::default() };
    let rp3 = Rp3BetaSettings { popularity: 0.2, recency: Recency::Steps(0.5), ..Rp3BetaSettings::default() };
    let mut lines = vec![line(&data::popularity(&interactions), "", &judged, Instant::now())];
    let since = Instant::now();
    lines.push(line(&Rp3Beta::fit(&interactions, rp3)?, "b .2, .5^steps", &judged, since));
    let since = Instant::now();
    lines.push(line(&ItemKnn::fit(&interactions, knn)?, "a .5 h 40, .8^steps", &judged, since));
    Ok(lines)
}

fn line(retriever: &dyn Retriever, settings: &str, judged: &[(Vec<u32>, u32)], since: Instant) -> Line {
    let of_user = |(seen, wanted): &(Vec<u32>, u32)| place(&retriever.scores(&data::history(seen)), seen, *wanted);
    let places: Vec<f64> = judged.par_iter().map(of_user).collect();
    let count = places.len().max(1) as f64;
    let hits = places.iter().copied().filter(|place| *place <= PLACES);
    let figures = vec![
        hits.clone().count() as f64 / count,
        hits.map(|place| 1.0 / maths::log2(place + 1.0)).sum::<f64>() / count,
    ];
    let seconds = since.elapsed().as_secs_f64();
    Line { model: named(retriever, settings), users: places.len(), figures, seconds }
}

/// Where an item stands among all that were not seen, from 1; equal scores share their places.
fn place(scores: &[f64], seen: &[u32], wanted: u32) -> f64 {
    let own = scores[wanted as usize];
    let (mut above, mut equal) = (0.0, 0.0);
    for (item, score) in (0..).zip(scores) {
        if item != wanted && !seen.contains(&item) {
            above += f64::from(u8::from(*score > own));
            equal += f64::from(u8::from(*score == own));
        }
    }
    1.0 + above + equal / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half_and_what_is_seen_is_no_rival() {
        assert_eq!(place(&[0.5, 0.9, 0.5, 0.9, 0.1], &[1], 2), 2.5);
    }

    /// Who goes up a ladder of items is found on its next step.
    #[test]
    fn the_next_item_follows_from_the_last() {
        let lists: Vec<Vec<u32>> = (0..400).map(|user| (user % 50..user % 50 + 5 + user % 3).collect()).collect();
        let lines = judge(&lists, 60).unwrap();
        assert!(
            lines[0].figures[0] < 0.5 && lines[2].figures[0] > 0.9,
            "{:?} {:?}",
            lines[0].figures,
            lines[2].figures
        );
    }
}
