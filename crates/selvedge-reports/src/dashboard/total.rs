//! Why a total moved: who was shown (mix), or what they did (rate).

use charts::waterfall;
use charts::{Caption, Picture};
use serde::Deserialize;

use super::super::markdown::line_of;
use super::facts::{self, Facts};
use super::sentences as say;
use super::table;
use super::verdicts::Story;
use super::{Pictures, words};
use selvedge_engine::Engine;
use selvedge_monitoring::monitor::State;
use selvedge_project::error::Result;
use selvedge_project::numbers::count;

const CHART: &str = "monitoring-mix-rate.png";
/// Steps that a picture shows one by one; the others are one step together.
const MOST_STEPS: usize = 9;

/// A row of `monitoring.mix_rate_totals`.
#[derive(Debug, Deserialize)]
struct Total {
    metric: String,
    segment_column: String,
    before: f64,
    after: f64,
    mix: f64,
    rate: f64,
    change: f64,
    /// What people did moved the other way than the total.
    reversed: bool,
}

/// A row of `monitoring.mix_rate`.
#[derive(Debug, Deserialize)]
struct Part {
    metric: String,
    segment_column: String,
    segment_value: String,
    before_n: u64,
    after_n: u64,
    before_share: f64,
    after_share: f64,
    before_rate: Option<f64>,
    after_rate: Option<f64>,
    mix_part: f64,
    rate_part: f64,
}

/// Every total that can be held against its reference.
pub struct Totals {
    totals: Vec<Total>,
    parts: Vec<Part>,
}

impl Totals {
    pub fn read(engine: &Engine) -> Result<Self> {
        Ok(Self { totals: facts::table(engine, "mix_rate_totals")?, parts: facts::table(engine, "mix_rate")? })
    }

    fn parts<'a>(&'a self, total: &'a Total) -> impl Iterator<Item = &'a Part> {
        self.parts.iter().filter(|part| part.metric == total.metric && part.segment_column == total.segment_column)
    }

    /// The column to tell a metric's total by: that of its first change, or the first there is.
    fn told<'a>(&'a self, facts: &Facts, metric: &str) -> Option<&'a Total> {
        let stories = facts.stories();
        let changed = stories.iter().map(Story::first).find(|change| change.metric == metric && !change.is_shop());
        let of = |column: Option<&str>| {
            self.totals
                .iter()
                .find(|total| total.metric == metric && column.is_none_or(|name| name == total.segment_column))
        };
        changed.and_then(|change| of(Some(&change.segment_column))).or_else(|| of(None))
    }

    /// The segment whose own doings moved the total furthest, of those that clearly changed if there are any.
    fn largest<'a>(&'a self, facts: &Facts, total: &'a Total) -> Option<&'a Part> {
        self.parts(total).max_by(|a, b| {
            let far = |part: &Part| (is_told(facts, part), part.rate_part.abs());
            let ((told_a, a_far), (told_b, b_far)) = (far(a), far(b));
            told_a.cmp(&told_b).then(a_far.total_cmp(&b_far)).then_with(|| b.segment_value.cmp(&a.segment_value))
        })
    }

    /// What made up the difference of clicks, step by step.
    pub fn picture(&self, facts: &Facts, pictures: &mut Pictures) -> Result<()> {
        let Some(total) = self.told(facts, "click") else { return Ok(()) };
        let mut parts: Vec<&Part> = self.parts(total).collect();
        parts.sort_by(|a, b| {
            b.rate_part.abs().total_cmp(&a.rate_part.abs()).then_with(|| a.segment_value.cmp(&b.segment_value))
        });
        let column = words::column(&total.segment_column);
        let mut steps = vec![waterfall::Step { label: "who was shown".into(), change: total.mix, is_mix: true }];
        let (told, others) = parts.split_at(parts.len().min(MOST_STEPS));
        steps.extend(told.iter().map(|part| waterfall::Step {
            label: format!("{column} {}", part.segment_value),
            change: part.rate_part,
            is_mix: false,
        }));
        if !others.is_empty() {
            let change = others.iter().map(|part| part.rate_part).sum();
            steps.push(waterfall::Step { label: format!("{} others", others.len()), change, is_mix: false });
        }
        // Whose part is the largest is chance where it did not change.
        let title = match self.largest(facts, total).filter(|part| is_told(facts, part)) {
            None => say::TotalOfNobody {
                what: words::metric(&total.metric),
                before: &words::points(total.before),
                since: &words::points(total.after),
            }
            .to_string(),
            Some(first) => {
                let rest = total.rate - first.rate_part;
                let step = |change: f64| {
                    let verb = if change < 0.0 { "took away" } else { "added" };
                    format!("{verb} {}", words::points(change.abs()))
                };
                say::TotalStep {
                    what: words::metric(&total.metric),
                    segment: &format!("{column} {}", first.segment_value),
                    own: &step(first.rate_part),
                    others: &step(rest),
                }
                .to_string()
            }
        };
        let chart = waterfall::Chart {
            caption: Caption {
                title,
                subtitle: format!("What made up the difference in the whole shop's clicks, by {column}"),
                footnote: "Figures: work/monitoring/mix_rate.parquet. \"Who was shown\" is what would have come of other shares alone; a group's step is what its own clicks did.".into(),
            },
            measure: words::measure(&total.metric).into(),
            before: ("before".into(), Some(total.before)),
            steps,
            after: ("since".into(), Some(total.after)),
        };
        pictures.add(CHART, &chart.caption.title, chart.png())
    }

    /// For every metric a sentence, and the table that it stands in.
    pub fn tables(&self, facts: &Facts) -> String {
        let mut out = "## Why the totals moved\n\n".to_owned();
        let told: Vec<&Total> =
            ["click", "purchase", "kept"].iter().filter_map(|metric| self.told(facts, metric)).collect();
        if told.is_empty() {
            return out + "There are no days to compare yet, so no total has moved.\n\n";
        }
        for total in told {
            let quiet = |state| matches!(state, State::Unchanged | State::NotKnown);
            let chance = facts.shop(&total.metric).is_some_and(|shop| quiet(shop.state) && shop.explained_by.is_none());
            let close = if chance { " Chance allows for as much." } else { "" };
            out += &format!("{}{close}\n\n", line_of(&sentence(total)));
            let points = |share: f64| waterfall::signed(share);
            let mut rows: Vec<Vec<String>> = self
                .parts(total)
                .map(|part| {
                    vec![
                        format!("{} {}", words::heading(&part.segment_column), part.segment_value),
                        count(part.before_n),
                        words::in_100(part.before_share),
                        words::cell(part.before_rate),
                        count(part.after_n),
                        words::in_100(part.after_share),
                        words::cell(part.after_rate),
                        points(part.mix_part),
                        points(part.rate_part),
                    ]
                })
                .collect();
            if let Some(first) = self.largest(facts, total) {
                let mut others = vec!["–".to_owned(); 9];
                others[0] = format!("All but {}", first.segment_value);
                others[8] = points(total.rate - first.rate_part);
                rows.push(others);
            }
            let sum = |of: fn(&Part) -> u64| self.parts(total).map(of).sum::<u64>();
            rows.push(vec![
                format!("All together ({})", points(total.change)),
                count(sum(|part| part.before_n)),
                "100".into(),
                words::points(total.before),
                count(sum(|part| part.after_n)),
                "100".into(),
                words::points(total.after),
                points(total.mix),
                points(total.rate),
            ]);
            let headings = [
                "",
                "known before#",
                "of 100 shown#",
                "did, in 100#",
                "known since#",
                "of 100 shown#",
                "did, in 100#",
                "who was shown#",
                "what they did#",
            ];
            out += &format!("{}\n", table(&headings, &rows));
        }
        out
    }
}

/// Whether a segment clearly changed.
fn is_told(facts: &Facts, part: &Part) -> bool {
    facts
        .of(&part.metric, State::Clear)
        .any(|finding| finding.segment_column == part.segment_column && finding.segment_value == part.segment_value)
}

fn sentence(total: &Total) -> String {
    let noun = words::metric(&total.metric);
    let by = words::column(&total.segment_column);
    let mut out = say::Total {
        what: noun,
        before: &words::points(total.before),
        since: &words::points(total.after),
        by: &by,
        mix: &waterfall::signed(total.mix),
        rate: &waterfall::signed(total.rate),
    }
    .to_string();
    // What reads the same has not moved.
    if total.reversed && words::points(total.before) != words::points(total.after) {
        let (whole, each) = if total.change < 0.0 { ("fell", "rose") } else { ("rose", "fell") };
        out += &format!(
            " The total {whole} although within the groups, taken together, {} {each}: other people were shown recommendations than before.",
            noun.to_lowercase()
        );
    }
    out
}
