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
        "Whole explanations are compared by likelihood, on every change window (run of watched days): nothing, the whole shop \
         alike, one segment, two segments, a segment and the rest. A day says two things that chance keeps apart: the shop's \
         level against its reference days and weekday, and each segment's contrast against that day's shop, both at the day's \
         own mix of customers and articles (main effects of the segments in logits, fitted on the reference days). Z is the \
         signed root of twice the gain in log likelihood, with the reference's own error and overdispersion phi (of the shop \
         from all days outside of the window, as its weekly rhythm is; pooled over segments on the reference days); apart is the contrast's part of it alone. A window that ended before the last day \
         counts for less, for an earlier report was the one to tell of it. A second change must gain as much as makes one \
         clear; an explanation less than {} times as likely as the best stands beside it (\"either … or\"). What is told is \
         taken out of every table and the rest compared again. The lines are the {} % quantiles over {} shuffled histories of \
         whole days (seed {}), crossed equally often by the shop and by its segments and seldom enough together, between {} \
         and {}. {}. A window counts with enough expected clicks and misses. Intervals of rates are Wilson's. Provisional \
         figures follow the chain shown, clicked, bought, kept: daily rates over delay buckets for what was clicked and what \
         was not, drawn to each segment's own as far as segments differ by more than chance; ranges by seeded draws. \
         Whether a day is there in whole: against the median of its weekday in the eight weeks around it, with overdispersion \
         from the median of all days; days without rows are told where the days around let expect monitor.missing_rows, in rows \
         as independent as chance would have them; what was as odd 364 days before is the season's; a day is counted twice \
         where half of its rows have a twin of the same customer, article and moment. A feature goes on as before while its \
         latest mean lies within twice the error of the line through the months of training. \
         `selvedge sql` answers questions about every table in work/monitoring.\n\n",
        monitor.told_alone,
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
            number(finding.apart_z),
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
        "apart#",
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
