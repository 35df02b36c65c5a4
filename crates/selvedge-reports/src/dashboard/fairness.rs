//! Who gets less than the rest: groups of customers by what they do, groups of articles by how much they are seen.

use ::charts::ratios::{self, Verdict};
use ::charts::{Caption, Interval, MOST, Picture};
use serde::Deserialize;

use super::super::markdown::line_of;
use super::facts;
use super::sentences as say;
use super::table;
use super::{Pictures, charts, words};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::count;

/// Groups that a sentence names.
const MOST_NAMES: usize = 4;
const CUSTOMERS: &str = "monitoring-fairness.png";
const ARTICLES: &str = "monitoring-exposure.png";

/// A row of `monitoring.fairness`.
#[derive(Debug, Deserialize)]
struct Group {
    metric: String,
    segment_column: String,
    segment_value: String,
    shown_on: String,
    first_day: String,
    n: u64,
    confirmed_rate: Option<f64>,
    confirmed_rest: Option<f64>,
    ratio: Option<f64>,
    ratio_lower: Option<f64>,
    ratio_upper: Option<f64>,
    state: String,
    line: f64,
}

/// A row of `monitoring.exposure`.
#[derive(Debug, Deserialize)]
struct Supply {
    supply_column: String,
    supply_value: String,
    shown_on: String,
    first_day: String,
    shown: u64,
    exposure_share: Option<f64>,
    eligible_share: f64,
    ratio: Option<f64>,
    ratio_lower: Option<f64>,
    ratio_upper: Option<f64>,
    state: String,
    line: f64,
}

/// The latest day of each, and since when its state has been so.
pub struct Fairness {
    groups: Vec<Group>,
    supply: Vec<Supply>,
}

impl Fairness {
    pub fn read(engine: &Engine) -> Result<Self> {
        Ok(Self { groups: facts::table(engine, "fairness")?, supply: facts::table(engine, "exposure")? })
    }

    fn latest_groups(&self, metric: &str) -> Vec<&Group> {
        let of = || self.groups.iter().filter(|group| group.metric == metric);
        let last = of().map(|group| group.shown_on.as_str()).max();
        of().filter(|group| Some(group.shown_on.as_str()) == last).collect()
    }

    fn latest_supply(&self) -> Vec<&Supply> {
        let last = self.supply.iter().map(|row| row.shown_on.as_str()).max();
        self.supply.iter().filter(|row| Some(row.shown_on.as_str()) == last).collect()
    }

    /// First day on which the group's state was what it has been ever since.
    fn since(&self, latest: &Group) -> String {
        let own = self.groups.iter().rev().filter(|group| {
            group.metric == latest.metric
                && group.segment_column == latest.segment_column
                && group.segment_value == latest.segment_value
        });
        own.take_while(|group| group.state == latest.state)
            .last()
            .map_or(String::new(), |group| words::day(&group.shown_on))
    }

    pub fn pictures(&self, pictures: &mut Pictures) -> Result<()> {
        let groups = self.latest_groups("click");
        if let Some(one) = groups.first() {
            let mut drawn = groups.clone();
            drawn.sort_by_key(|group| verdict(&group.state));
            // Gaps come first; what is beyond stands in the table.
            drawn.truncate(MOST);
            drawn.sort_by_key(|group| (&group.segment_column, &group.segment_value));
            let rows = drawn.iter().map(|group| {
                let ratio = interval(group.ratio, group.ratio_lower, group.ratio_upper);
                let row = ratios::Row {
                    name: group.segment_value.clone(),
                    n: group.n,
                    ratio,
                    verdict: verdict(&group.state),
                };
                (words::heading(&group.segment_column), row)
            });
            let chart = ratios::Chart {
                caption: Caption {
                    title: self.customers_sentence(),
                    subtitle: format!(
                        "Clicks of each group of customers, {} to {}",
                        words::day(&one.first_day),
                        words::day(&one.shown_on)
                    ),
                    footnote: format!(
                        "Figures: work/monitoring/fairness.parquet. A gap is confirmed when all of the pale range lies below the line.{}",
                        charts::left_out(groups.len(), MOST)
                    ),
                },
                measure: "clicks of the group for every 100 of the rest of the shop, with as many recommendations"
                    .into(),
                counted: "shown".into(),
                line: one.line,
                groups: together(rows),
            };
            pictures.add(CUSTOMERS, &chart.caption.title, chart.png())?;
        }
        let supply = self.latest_supply();
        if let Some(one) = supply.first() {
            let rows = supply.iter().map(|row| {
                let ratio = interval(row.ratio, row.ratio_lower, row.ratio_upper);
                let verdict = verdict(&row.state);
                (
                    words::capital(&row.supply_column),
                    ratios::Row { name: supply_name(row), n: row.shown, ratio, verdict },
                )
            });
            let chart = ratios::Chart {
                caption: Caption {
                    title: self.articles_sentence(),
                    subtitle: format!("How much articles are seen, {} to {}", words::day(&one.first_day), words::day(&one.shown_on)),
                    footnote: "Figures: work/monitoring/exposure.parquet. The first place counts 1, the second 0.63, the third 0.5: as far down as people look.".into(),
                },
                measure: "seen per article on sale, for every 100 of an article of the other groups".into(),
                counted: "shown".into(),
                line: one.line,
                groups: together(rows),
            };
            pictures.add(ARTICLES, &chart.caption.title, chart.png())?;
        }
        Ok(())
    }

    fn customers_sentence(&self) -> String {
        let groups = self.latest_groups("click");
        let say = |state: &str| -> Vec<String> {
            let of = groups.iter().filter(|group| group.state == state);
            of.map(|group| {
                told(&format!("{} {}", words::column(&group.segment_column), group.segment_value), group.ratio)
            })
            .collect()
        };
        sentence(&say("confirmed_gap"), &say("watch"), "clicks", "group of customers")
    }

    fn articles_sentence(&self) -> String {
        let supply = self.latest_supply();
        let say = |state: &str| -> Vec<String> {
            supply.iter().filter(|row| row.state == state).map(|row| told(&supply_name(row), row.ratio)).collect()
        };
        sentence(&say("confirmed_gap"), &say("watch"), "exposure", "group of articles")
    }

    pub fn tables(&self) -> String {
        let mut out = format!(
            "## Fairness\n\n{} {}\n\n",
            line_of(&self.customers_sentence()),
            line_of(&self.articles_sentence())
        );
        let line = self.groups.first().map(|group| group.line).or_else(|| self.supply.first().map(|row| row.line));
        let below = line.map_or(String::new(), |line| format!(" {}", say::GapLine { line: &whole(Some(line)) }));
        out += &format!("Each group is held against the rest, never against the best group.{below}\n\n");
        for (metric, noun) in [("click", "Clicks"), ("purchase", "Purchases"), ("kept", "Kept purchases")] {
            let groups = self.latest_groups(metric);
            let Some(one) = groups.first() else { continue };
            let rows = groups.iter().map(|group| {
                vec![
                    format!("{} {}", words::heading(&group.segment_column), group.segment_value),
                    count(group.n),
                    words::cell(group.confirmed_rate),
                    words::cell(group.confirmed_rest),
                    whole(group.ratio),
                    range(group.ratio_lower, group.ratio_upper),
                    state(&group.state).to_owned(),
                    self.since(group),
                ]
            });
            let headings = [
                "",
                "known#",
                "in 100#",
                "the rest, in 100#",
                "for 100 of the rest#",
                "between",
                "verdict",
                "so since",
            ];
            out += &format!(
                "**{noun}, {} to {}**\n\n{}\n",
                words::day(&one.first_day),
                words::day(&one.shown_on),
                table(&headings, &rows.collect::<Vec<_>>())
            );
        }
        let supply = self.latest_supply();
        if supply.is_empty() {
            return out + "Nothing is known of the articles' groups, so their exposure cannot be compared.\n\n";
        }
        let rows = supply.iter().map(|row| {
            vec![
                format!("{}: {}", words::capital(&row.supply_column), row.supply_value),
                count(row.shown),
                words::cell(row.exposure_share),
                words::in_100(row.eligible_share),
                whole(row.ratio),
                range(row.ratio_lower, row.ratio_upper),
                state(&row.state).to_owned(),
            ]
        });
        let headings =
            ["", "shown#", "of 100 seen#", "of 100 on sale#", "for 100 of the others#", "between", "verdict"];
        out + &format!(
            "**Articles: exposure against the articles on sale**\n\n{}\n",
            table(&headings, &rows.collect::<Vec<_>>())
        )
    }
}

/// "age group 55+ (74 for every 100 of the rest)".
fn told(name: &str, ratio: Option<f64>) -> String {
    say::Gap { who: name, ratio: &whole(ratio) }.to_string()
}

fn sentence(gaps: &[String], watched: &[String], noun: &str, kind: &str) -> String {
    match (gaps, watched) {
        ([], []) => format!("No {kind} gets fewer {noun} than the rest, as far as can be told.")
            .replace("fewer exposure", "less exposure"),
        ([], watched) => say::GapWatched { what: noun, who: &words::list_up_to(watched, MOST_NAMES) }.to_string(),
        (gaps, _) => say::GapConfirmed { what: noun, who: &words::list_up_to(gaps, MOST_NAMES) }.to_string(),
    }
}

fn together(rows: impl Iterator<Item = (String, ratios::Row)>) -> Vec<ratios::Group> {
    let mut groups: Vec<ratios::Group> = Vec::new();
    for (heading, row) in rows {
        match groups.last_mut().filter(|group| group.heading == heading) {
            Some(group) => group.rows.push(row),
            None => groups.push(ratios::Group { heading, rows: vec![row] }),
        }
    }
    groups
}

fn supply_name(row: &Supply) -> String {
    match row.supply_column.as_str() {
        "sender" => format!("sent by {}", row.supply_value),
        _ => row.supply_value.clone(),
    }
}

fn interval(value: Option<f64>, lower: Option<f64>, upper: Option<f64>) -> Option<Interval> {
    Some(Interval { value: value?, lower: lower?, upper: upper? })
}

/// A ratio as whole numbers for every 100.
fn whole(ratio: Option<f64>) -> String {
    ratio.map_or("–".to_owned(), |ratio| format!("{:.0}", ratio * 100.0))
}

fn range(lower: Option<f64>, upper: Option<f64>) -> String {
    match (lower, upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", whole(Some(lower)), whole(Some(upper))),
        _ => "–".to_owned(),
    }
}

fn verdict(state: &str) -> Verdict {
    match state {
        "confirmed_gap" => Verdict::Gap,
        "watch" => Verdict::Watch,
        "no_evidence" => Verdict::Fair,
        _ => Verdict::Nothing,
    }
}

fn state(state: &str) -> &'static str {
    match verdict(state) {
        Verdict::Gap => "Confirmed gap",
        Verdict::Watch => "Watch",
        Verdict::Fair => "No gap seen",
        Verdict::Nothing => "Nothing to compare",
    }
}
