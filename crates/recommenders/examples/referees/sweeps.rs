//! `ials-sweeps`: how long a sweep of iALS over all ratings takes, by the number of factors; `scripts/bench_recommenders.py`
//! holds it against `implicit`, on as many threads.

use std::{error::Error, path::Path, time::Instant};

use recommenders::retrieve::{Ials, IalsSettings, Interactions, Retriever, Solver};

use crate::{
    Line, Table,
    data::{self, NEVER, named},
};

const FACTORS: [usize; 3] = [32, 64, 128];
const SWEEPS: usize = 15;
/// The median of so many fits counts.
const FITS: usize = 5;

pub fn run(folder: &Path) -> Result<Table, Box<dyn Error>> {
    let path = folder.join("ml-100k/u.data");
    let (ratings, items) = data::ratings(&path)?;
    let seen: Vec<Vec<u32>> =
        ratings.iter().map(|ratings| ratings.iter().map(|(_, item, _)| *item).collect()).collect();
    let interactions = data::interactions(&seen, items)?;
    let lines = FACTORS.into_iter().map(|factors| line(&interactions, factors)).collect::<Result<_, _>>()?;
    Ok(Table { protocol: "ials-sweeps", figures: &["milliseconds a sweep"], hash: data::hash(&[&path])?, lines })
}

fn line(interactions: &Interactions, factors: usize) -> Result<Line, Box<dyn Error>> {
    let solver = Solver::Conjugate(3);
    let settings = IalsSettings {
        factors,
        sweeps: SWEEPS,
        solver,
        recency: NEVER,
        weight: 5.0,
        l2: 10.0,
        ..IalsSettings::default()
    };
    let mut seconds = Vec::new();
    let mut name = String::new();
    for _ in 0..FITS {
        let since = Instant::now();
        let fitted = Ials::fit(interactions, settings)?;
        seconds.push(since.elapsed().as_secs_f64());
        name = named(&fitted as &dyn Retriever, &format!("{factors} factors, {SWEEPS} sweeps"));
    }
    seconds.sort_by(f64::total_cmp);
    let seconds = seconds[FITS / 2];
    Ok(Line { model: name, users: interactions.customers(), figures: vec![1e3 * seconds / SWEEPS as f64], seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_time() {
        let seen: Vec<Vec<u32>> = (0..30).map(|user| (user..user + 5).collect()).collect();
        let line = line(&data::interactions(&seen, 40).unwrap(), 8).unwrap();
        assert!(
            line.figures[0] > 0.0 && line.users == 30 && line.model.starts_with("iALS 8 factors"),
            "{}",
            line.model
        );
    }
}
