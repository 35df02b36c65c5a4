//! How good ranked lists are: what was bought and kept should stand among the first few.
//!
//! Jarvelin and Kekalainen (2002) for the discounted cumulative gain; all gains are 0 or 1.

use serde::Serialize;

/// The figures of one list, or their means over several lists.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ListMetrics {
    /// Whether any relevant article stands among the first `length`.
    pub hit_rate: f64,
    /// Share of the relevant articles that stand there.
    pub recall: f64,
    /// Their gains, each divided by `log2(place + 1)`, against the best order there could be.
    pub ndcg: f64,
}

/// A name for each of the [`ListMetrics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListMetric {
    HitRate,
    Recall,
    Ndcg,
}

impl ListMetric {
    /// All of them, in the order of a table.
    pub const ALL: [ListMetric; 3] = [ListMetric::HitRate, ListMetric::Recall, ListMetric::Ndcg];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            ListMetric::HitRate => "hit_rate",
            ListMetric::Recall => "recall",
            ListMetric::Ndcg => "ndcg",
        }
    }

    /// Its value among `metrics`.
    pub fn of(self, metrics: &ListMetrics) -> f64 {
        match self {
            ListMetric::HitRate => metrics.hit_rate,
            ListMetric::Recall => metrics.recall,
            ListMetric::Ndcg => metrics.ndcg,
        }
    }
}

impl ListMetrics {
    /// The figures of one list, cut after `length` places. `scores`: higher stands first, and of equal scores the one
    /// with the lower number in `lots`; `relevant`: one for each score.  `None` where nothing is relevant.
    pub fn of_list(scores: &[f64], lots: &[u64], relevant: &[bool], length: usize) -> Option<ListMetrics> {
        let wanted = relevant.iter().filter(|relevant| **relevant).count();
        if wanted == 0 || length == 0 || scores.len() != relevant.len() || lots.len() != relevant.len() {
            return None;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(lots[a].cmp(&lots[b])).then(a.cmp(&b)));
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let (mut found, mut gained) = (0, 0.0);
        for (place, _) in order.iter().take(length).enumerate().filter(|(_, row)| relevant[**row]) {
            found += 1;
            gained += gain(place);
        }
        let best: f64 = (0..wanted.min(length)).map(gain).sum();
        Some(ListMetrics {
            hit_rate: f64::from(u8::from(found > 0)),
            recall: f64::from(found) / wanted as f64,
            ndcg: gained / best,
        })
    }

    /// The means over `lists`, the list at an index counted `times(index)` times; `None` where none is counted.
    pub fn mean(lists: &[ListMetrics], times: impl Fn(usize) -> u32) -> Option<ListMetrics> {
        let (mut total, mut sum) = (0.0, ListMetrics::default());
        for (index, list) in lists.iter().enumerate() {
            let times = f64::from(times(index));
            total += times;
            sum.hit_rate += times * list.hit_rate;
            sum.recall += times * list.recall;
            sum.ndcg += times * list.ndcg;
        }
        let mean = |sum: f64| sum / total;
        (total > 0.0).then(|| ListMetrics {
            hit_rate: mean(sum.hit_rate),
            recall: mean(sum.recall),
            ndcg: mean(sum.ndcg),
        })
    }
}
