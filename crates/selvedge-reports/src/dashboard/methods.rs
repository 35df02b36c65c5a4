//! Folded away: the methods and figures for the ML team.

use super::super::markdown::details;
use super::facts::Facts;
use super::first_screen::promise;
use super::table;
use super::tables::segment;
use super::words;
use selvedge_project::numbers::count;
use selvedge_project::params::Monitor;

/// Folded away: the methods and figures for the ML team.
pub fn methods(facts: &Facts, monitor: &Monitor) -> String {
    let mut body = format!(
        "Rest-adjusted scan over every change window (run of watched days). Segment, rest and whole shop are each expected at the day's \
         own mix of customers and articles, by main effects of the segments in logits, fitted on the reference days: who is \
         shown something is no change of a rate. A window that ended before the last day counts for less, for an earlier \
         report was the one to tell of it. Overdispersion phi is pooled over segments; then explain-away: the segment with \
         the largest |Z| fires when it passes the threshold, its customers are taken out of every table and the scan is \
         repeated. The threshold is the {} % quantile of max |Z| over {} shuffled histories of whole days (seed {}), \
         between {} and {}. {}. A window counts with enough expected clicks and misses. Intervals of rates are Wilson's; \
         provisional figures are discrete Kaplan-Meier over delay buckets with Greenwood's variance (purchases) or seeded \
         draws (kept). `selvedge sql` answers questions about every table in work/monitoring.\n\n",
        100.0 * (1.0 - monitor.false_alarms),
        count(monitor.permutations as u64),
        monitor.seed,
        monitor.threshold_floor,
        monitor.threshold_cap,
        promise(monitor)
    );
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let rows = facts.findings.iter().filter(|finding| finding.first_z.is_some()).map(|finding| {
        let last = facts.cusum.iter().rfind(|row| {
            row.metric == finding.metric
                && row.segment_column == finding.segment_column
                && row.segment_value == finding.segment_value
        });
        vec![
            finding.metric.clone(),
            segment(finding),
            number(finding.first_z),
            number(finding.z),
            number(finding.threshold),
            number(finding.possible_line),
            number(finding.phi),
            last.map_or("–".to_owned(), |row| format!("{:.2} ({})", row.cusum, row.shown_on)),
            finding.difference().map_or("–".to_owned(), |range| {
                format!("{:.3} ({:.3}, {:.3})", range.point, range.lower, range.upper)
            }),
        ]
    });
    let headings = [
        "metric",
        "segment",
        "Z first#",
        "Z last#",
        "threshold#",
        "possible from#",
        "phi#",
        "CUSUM",
        "difference (Newcombe)",
    ];
    body += &table(&headings, &rows.collect::<Vec<_>>());
    if !facts.places.is_empty() {
        let rows = facts.places.iter().map(|place| {
            vec![
                format!("{} {}", words::column(&place.segment_column), place.segment_value),
                place.question.clone(),
                place.answer.clone(),
                count(place.before_n),
                words::cell(place.before),
                count(place.after_n),
                words::cell(place.after),
                if place.enough { "yes" } else { "too few" }.to_owned(),
            ]
        });
        let headings = ["segment", "question", "answer", "shown before#", "in 100#", "shown since#", "in 100#", "told"];
        body += &format!(
            "\nWhere the change shows (monitoring.where_to_look):\n\n{}",
            table(&headings, &rows.collect::<Vec<_>>())
        );
    }
    for pace in &facts.paces {
        body += &format!(
            "\nPace of {}s, lately against before: z {}. Beyond {} forecasts are withheld.\n",
            pace.stage,
            number(pace.z),
            selvedge_monitoring::monitor::PACE_LINE
        );
    }
    details("Methods and figures for the ML team", &body)
}
