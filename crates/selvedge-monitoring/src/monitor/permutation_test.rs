//! Shuffled histories: the days that can be judged in another order, whole days together, and how far the furthest
//! explanation of each history lies from nothing; from these the lines that a change must cross.
//!
//! The figures are those of sql/monitoring/alarm, which judges the log as it was; a thousand orders of the same counts
//! are added up here, because a query would have to write every order down first.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::explanations::{Lines, LinesOf};
use super::likelihood::{Day, History, Rules, Tally};
use super::name;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::params::Monitor;

/// A row of `monitoring.scan_counts`.
#[derive(Debug, Deserialize)]
struct Count {
    series: i64,
    shop: i64,
    is_shop: bool,
    day: i64,
    weekday: usize,
    is_reference: bool,
    n: f64,
    x: f64,
    usual: f64,
}

#[derive(Debug, Deserialize)]
struct Series {
    series: i64,
    metric: String,
}

/// How far the furthest window of each shuffled history lies from nothing: of the whole shop, and of any segment; 0 where
/// nothing can be judged.
#[derive(Debug, Default, Clone)]
pub struct Furthest {
    pub shop: Vec<f64>,
    pub segments: Vec<f64>,
}

/// The histories of the metrics that have been scanned, from the counts that the scan has left.
pub fn histories(engine: &Engine) -> Result<BTreeMap<String, History>> {
    let series: Vec<Series> = engine.rows(&name("series"))?;
    let metrics: BTreeMap<i64, String> = series.into_iter().map(|row| (row.series, row.metric)).collect();
    let mut counts: Vec<Count> = engine.rows(&name("scan_counts"))?;
    counts.sort_by_key(|count| (count.shop, count.series, count.day));
    let mut histories = BTreeMap::new();
    for of_metric in counts.chunk_by(|a, b| a.shop == b.shop) {
        let Some(metric) = metrics.get(&of_metric[0].shop) else { continue };
        let mut history = History::default();
        for of_series in of_metric.chunk_by(|a, b| a.series == b.series) {
            let tally = |count: &Count| Tally { shown: count.n, yes: count.x, usual: count.usual };
            if of_series[0].is_shop {
                history.reference = of_series.iter().filter(|count| count.is_reference).count();
                let day = |count: &Count| Day { weekday: count.weekday, shop: tally(count) };
                history.days = of_series.iter().map(day).collect();
            } else {
                history.segments.push(of_series.iter().map(tally).collect());
            }
        }
        histories.insert(metric.clone(), history);
    }
    Ok(histories)
}

/// The furthest of each of `runs` shuffled histories.
pub fn shuffled(history: &History, runs: usize, rules: Rules, random: &mut ChaCha8Rng) -> Furthest {
    let mut order: Vec<usize> = (0..history.days.len()).collect();
    let mut furthest = Furthest::default();
    for _ in 0..runs {
        order.shuffle(random);
        let (shop, segments) = history.fit(&order).map(|fit| fit.furthest(rules)).unwrap_or_default();
        furthest.shop.push(shop);
        furthest.segments.push(segments);
    }
    furthest
}

/// The lines of one report, metric by metric.  A shuffled report counts as alarmed when anything in it crosses its line, so
/// that the promise holds for the report; and each metric's shop and its segments cross theirs equally often, so that a
/// shop whose days jump about hides no segment.
pub fn lines(furthest: &[Furthest], monitor: &Monitor) -> Vec<LinesOf> {
    let classes: Vec<&[f64]> = furthest.iter().flat_map(|of| [of.shop.as_slice(), of.segments.as_slice()]).collect();
    let clear = crossed_by(&classes, monitor.false_alarms);
    let possible = crossed_by(&classes, monitor.maybe_alarms);
    let both = |(clear, possible): (f64, f64)| {
        let clear = clear.max(monitor.threshold_floor).min(monitor.threshold_cap);
        Lines { clear, possible: possible.max(monitor.maybe_floor).min(clear) }
    };
    let lines: Vec<Lines> = clear.into_iter().zip(possible).map(both).collect();
    lines.chunks(2).map(|lines| LinesOf { shop: lines[0], segments: lines[1] }).collect()
}

/// For each class a line that as many histories cross as cross any other's, at most this share of them crossing any.
fn crossed_by(classes: &[&[f64]], share: f64) -> Vec<f64> {
    let runs = classes.first().map_or(0, |class| class.len());
    let sorted = |class: &&[f64]| {
        let mut sorted = class.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted
    };
    let sorted: Vec<Vec<f64>> = classes.iter().map(sorted).collect();
    // The place of a history among all, in the class where it stands out most; what cannot be judged stands out nowhere.
    let place = |run: usize| {
        let of = |(class, sorted): (&&[f64], &Vec<f64>)| match class[run] {
            far if far > 0.0 => sorted.partition_point(|other| *other >= far),
            _ => runs + 1,
        };
        classes.iter().zip(&sorted).map(of).min().unwrap_or(runs + 1)
    };
    let mut places: Vec<usize> = (0..runs).map(place).collect();
    places.sort_unstable();
    // The history that happened is one more of them: without it, of few shuffles too many would be crossed.
    let may = runs - (((1.0 - share) * (runs + 1) as f64).ceil() as usize).min(runs);
    let at = places.get(may).or(places.last()).copied().unwrap_or(1);
    sorted.iter().map(|class| class.get(at - 1).or(class.last()).copied().unwrap_or_default()).collect()
}

/// Numbers that are drawn anew for each seed, the same on every machine.
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
