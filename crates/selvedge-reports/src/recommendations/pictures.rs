//! The pictures of how good the lists are: for how many customers they held something kept, and how little must be known.

use std::collections::BTreeMap;

use charts::{Caption, Interval, Picture, dots};

use super::found::{ALSO_BOUGHT, DELIVERED, Figures};
use crate::markdown::picture;
use crate::{Report, ReportError};
use selvedge_learning::rank::POPULARITY;
use selvedge_project::error::Result;
use selvedge_project::numbers::counted;

const HITS_CHART: &str = "recommendations-found.png";
const COLD_CHART: &str = "recommendations-cold.png";

/// The pictures with their lines of markdown, and the files.
pub fn pictures(figures: &Figures) -> Result<(String, Report)> {
    let (mut markdown, mut charts) = (String::new(), BTreeMap::new());
    for (name, chart) in [(HITS_CHART, hits_chart(figures)), (COLD_CHART, cold_chart(figures))] {
        let Some(chart) = chart else { continue };
        markdown += &format!("{}\n", picture(name, &chart.caption.title));
        charts.insert(name.to_owned(), chart.png().map_err(|cause| ReportError::Chart { chart: name, cause })?);
    }
    Ok((markdown, Report { markdown: String::new(), charts }))
}

fn hits_chart(figures: &Figures) -> Option<dots::Chart> {
    let hits = |ranking: &str| -> Option<Interval> { figures.value(DELIVERED, ranking, "kept_hits") };
    let (ours, also) = (hits(figures.shown())?, hits(ALSO_BOUGHT)?);
    let row = |ranking: &&str| dots::Row {
        label: if *ranking == figures.shown() { "our lists".into() } else { (*ranking).to_owned() },
        points: vec![hits(ranking)],
    };
    let line = figures.0.iter().find(|line| line.protocol == DELIVERED)?;
    Some(dots::Chart {
        caption: Caption {
            title: format!(
                "Our lists held what was then bought and kept for {:.0} of 100 customers, today's for {:.0}.",
                100.0 * ours.value,
                100.0 * also.value
            ),
            subtitle: "Lists of ten at the first look of each visit, made from what was known then".into(),
            footnote: format!(
                "{} who kept something, of visits after all that was learned from; lines: 19 times out of 20 the true figure \
                 lies there.",
                counted(line.customers, "customer", "customers")
            ),
        },
        measure: "of 100 customers".into(),
        series: vec!["had it in the list".into()],
        groups: vec![dots::Group {
            heading: String::new(),
            rows: figures.rankings(DELIVERED).iter().map(row).collect(),
        }],
    })
}

fn cold_chart(figures: &Figures) -> Option<dots::Chart> {
    let own = figures.own();
    let of = |known: u64, ranking| figures.value(&format!("cold-{known}"), ranking, "right_order");
    let row = |known: u64| dots::Row {
        label: match known {
            0 => "only the profile".into(),
            known => format!("and {}", counted(known, "event", "events")),
        },
        points: vec![of(known, own), of(known, POPULARITY)],
    };
    let ahead = [0, 1, 2, 3, 5, 10].iter().filter(|known| {
        let lead = figures.line(&format!("cold-{known}"), own, POPULARITY, "right_order");
        lead.is_some_and(|(_, lead)| lead.value > 0.0)
    });
    let ahead = ahead.count();
    of(0, own)?;
    Some(dots::Chart {
        caption: Caption {
            title: match ahead {
                6 => "Already what a customer told us makes a better order than popularity.".into(),
                ahead => format!("With {ahead} of 6 lengths of history the ranking is ahead of popularity."),
            },
            subtitle:
                "Visits with a long history behind them, of which only the latest events are known to the ranking"
                    .into(),
            footnote:
                "Pairs of an article that was bought and kept and another on the shelf; guessing gives 50 of 100."
                    .into(),
        },
        measure: "of 100 pairs in the right order".into(),
        series: vec!["the ranking".into(), "popularity".into()],
        groups: vec![dots::Group { heading: String::new(), rows: [0, 1, 2, 3, 5, 10].map(row).into() }],
    })
}
