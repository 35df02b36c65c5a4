//! `beauty-loo`: the last item of each user, all items less those seen; HR and N at 10, ties count half.  The settings of the
//! neighbours are those that find most of the items before the last, from what came before these.
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

/// What was done before, and the item that came next, of each user with more than two; and the lists without those.
type Left = (Vec<(Vec<u32>, u32)>, Vec<Vec<u32>>);

fn last_left_out(lists: &[Vec<u32>]) -> Left {
    let (mut judged, mut training) = (Vec::new(), Vec::new());
    for list in lists {
        match list.split_last() {
            // Users with fewer than three items have nothing to leave out.
            Some((last, before)) if before.len() > 1 => {
                judged.push((before.to_vec(), *last));
                training.push(before.to_vec());
            }
            _ => training.push(list.clone()),
        }
    }
    (judged, training)
}

/// The settings that are best on the items before the last, by N at 10; the first of equal ones.
fn chosen(training: &[Vec<u32>], items: usize) -> Result<(ItemKnnSettings, String), Box<dyn Error>> {
    let (judged, earlier) = last_left_out(training);
    let interactions = data::interactions(&earlier, items)?;
    let mut best: Option<(f64, ItemKnnSettings, String)> = None;
    for most in [200, usize::MAX] {
        for shrinkage in [20.0, 40.0, 100.0] {
            for step in [0.6, 0.7, 0.8] {
                let recency = Recency::Steps(step);
                let settings = ItemKnnSettings { shrinkage, most, recency, ..ItemKnnSettings::default() };
                let kept = if most == usize::MAX { "all".to_owned() } else { most.to_string() };
                let words = format!("a .5 h {shrinkage}, {step}^steps, {kept} kept: chosen on the items before");
                let found = line(&ItemKnn::fit(&interactions, settings)?, "", &judged, Instant::now()).figures[1];
                if best.as_ref().is_none_or(|(most, ..)| found > *most) {
                    best = Some((found, settings, words));
                }
            }
        }
    }
    let (_, settings, words) = best.ok_or("no settings to choose from")?;
    Ok((settings, words))
}

fn judge(lists: &[Vec<u32>], items: usize) -> Result<Vec<Line>, Box<dyn Error>> {
    let (judged, training) = last_left_out(lists);
    let interactions = data::interactions(&training, items)?;
    let (knn, words) = chosen(&training, items)?;
    let rp3 = Rp3BetaSettings { popularity: 0.2, recency: Recency::Steps(0.5), ..Rp3BetaSettings::default() };
    let mut lines = vec![line(&data::popularity(&interactions), "", &judged, Instant::now())];
    let since = Instant::now();
    lines.push(line(&Rp3Beta::fit(&interactions, rp3)?, "b .2, .5^steps", &judged, since));
    let since = Instant::now();
    lines.push(line(&ItemKnn::fit(&interactions, knn)?, &words, &judged, since));
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
