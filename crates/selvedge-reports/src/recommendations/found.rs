//! Whether the lists held what was then bought and kept: the sentence a merchandiser waits for, and all that is behind it.

use serde::Deserialize;

use crate::markdown::{details, table};
use charts::Interval;
use selvedge_engine::Engine;
use selvedge_learning::rank::{self, CHAIN, Found, Gate, Offered, POPULARITY, SPEAKERS, Says, Which};
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

pub(super) const DELIVERED: &str = "shelf-delivered";
const SHELF: &str = "shelf-visit";
pub(super) const ALSO_BOUGHT: &str = "others also bought";
const WITHOUT_DESCRIPTIONS: &str = "chain without descriptions";

/// One line of `evaluation.shelf_figures`.
#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) protocol: String,
    ranking: String,
    against: String,
    figure: String,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    pub(super) customers: u64,
    visits: u64,
    data: String,
    model: String,
    shown: bool,
}

/// One line of `evaluation.rule_prices`.
#[derive(Deserialize)]
struct Price {
    rule: String,
    hits: Option<f64>,
    hits_without: Option<f64>,
    price: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// The line of `evaluation.shelf_promise`.
#[derive(Deserialize)]
struct Promise {
    lists: u64,
    expected: f64,
    came: u64,
    low: f64,
    high: f64,
}

/// Every figure of every protocol.
pub struct Figures(pub(super) Vec<Line>);

impl Figures {
    /// Those of the evaluation; none before it has run.
    pub fn of(engine: &Engine) -> Result<Self> {
        let name = TableName::new("evaluation", "shelf_figures");
        Ok(Self(if engine.open_if_made(&name)? { engine.rows(&name)? } else { Vec::new() }))
    }

    pub(super) fn line(&self, protocol: &str, ranking: &str, against: &str, figure: &str) -> Option<(&Line, Interval)> {
        let wanted = |line: &&Line| {
            line.protocol == protocol && line.ranking == ranking && line.against == against && line.figure == figure
        };
        let line = self.0.iter().find(wanted)?;
        Some((line, Interval { value: line.value?, lower: line.low?, upper: line.high? }))
    }

    pub(super) fn value(&self, protocol: &str, ranking: &str, figure: &str) -> Option<Interval> {
        self.line(protocol, ranking, "", figure).map(|(_, interval)| interval)
    }

    /// What lists are made by.
    pub(super) fn shown(&self) -> &str {
        self.0.iter().find(|line| line.shown).map_or(POPULARITY, |line| &line.ranking)
    }

    /// The shop's own ranking, whether or not lists are made by it.
    pub(super) fn own(&self) -> &str {
        if self.shown() == POPULARITY { CHAIN } else { self.shown() }
    }

    /// The rankings of a protocol, in the order in which they are told.
    pub(super) fn rankings(&self, protocol: &str) -> Vec<&str> {
        let order =
            SPEAKERS.into_iter().chain([CHAIN, WITHOUT_DESCRIPTIONS, "kept, given a look", POPULARITY, ALSO_BOUGHT]);
        let there = |name: &&str| self.0.iter().any(|line| line.protocol == protocol && line.ranking == *name);
        order.filter(there).collect()
    }
}

/// The answer in one sentence, and whether chance could have made the difference to what the shop shows today.
pub fn answer(figures: &Figures) -> Option<String> {
    let hits = |ranking| Some(100.0 * figures.value(DELIVERED, ranking, "kept_hits")?.value);
    let (ours, also, popular) = (hits(figures.shown())?, hits(ALSO_BOUGHT)?, hits(POPULARITY)?);
    let (line, lead) = figures.line(DELIVERED, figures.shown(), ALSO_BOUGHT, "kept_hits")?;
    Some(format!(
        "Of 100 customers who bought and kept something, {ours:.0} had it in the list that we would have shown them; in what \
         the shop shows today (“others also bought”) {also:.0} had it, in what is most popular {popular:.0}.** The difference \
         to what the shop shows today is {}; {}, {}.",
        range(&lead),
        if lead.lower > 0.0 {
            "chance alone would hardly make it".to_owned()
        } else if lead.upper < 0.0 {
            "chance alone would hardly make it: today's lists are better".to_owned()
        } else {
            let needed = recommenders::metrics::Figure::KeptHits.customers_needed(100.0 * lead.value);
            too_early(needed.saturating_sub(line.customers))
        },
        counted(line.customers, "such customer", "such customers"),
    ))
}

/// What is said where a range holds 0.
fn too_early(more: u64) -> String {
    match more {
        0 => "chance alone could make it".into(),
        more => format!(
            "it is too early to be sure of it: about {} with kept purchases would tell",
            counted(more, "more customer", "more customers")
        ),
    }
}

/// `+9.4 of 100 (0.6 to 17.3)`.
fn range(lead: &Interval) -> String {
    format!("{:+.1} of 100 ({:+.1} to {:+.1})", 100.0 * lead.value, 100.0 * lead.lower, 100.0 * lead.upper)
}

/// What speaks, what the rules cost, what is promised, what the descriptions are worth, what a new customer gets.
pub fn sentences(project: &Project, engine: &Engine, figures: &Figures) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let served = rank::load(project, Which::Served).ok();
    match served.as_ref().map(|fitted| (&fitted.gate, &fitted.too_early)) {
        Some((Some(gate), _)) => {
            all.push(gate_sentence(gate));
            all.extend(offered_sentence(gate));
            all.extend(served.as_ref().and_then(|fitted| fitted.found()).map(retrieval_sentence));
        }
        Some((None, Some(why))) => all.push(format!(
            "What makes the lists: it is too early for a ranking of this shop's own ({why}); what is popular is shown."
        )),
        _ => {}
    }
    all.extend(cold_sentence(figures));
    all.extend(descriptions_sentence(figures));
    all.extend(promise_sentence(engine)?);
    all.extend(price_sentence(&prices(engine)?));
    Ok(all)
}

/// What of long shelves is ranked, and what that misses.
fn retrieval_sentence(found: &Found) -> String {
    format!(
        "A customer's shelf is long here: {:.0} articles on average. {:.0} of them are searched out and ranked, and hold {:.1} of \
         100 places that ranking all of them would fill (measured on {}). How likely an article is bought is not told of such \
         shelves.",
        found.shelf,
        found.ranked,
        100.0 * found.recall,
        counted(found.customers as u64, "customer", "customers")
    )
}

/// What else could have spoken, and why it does not.
fn offered_sentence(gate: &Gate) -> Option<String> {
    let told = |other: &Offered| {
        let lead = other.lead.as_ref()?;
        Some(format!("{} {:+.1} ({:+.1} to {:+.1})", other.ranking, lead.value, lead.low, lead.high))
    };
    let others: Vec<String> =
        gate.offered.iter().filter(|other| other.ranking != POPULARITY).filter_map(told).collect();
    let so = match gate.speaker == CHAIN {
        true => "none leads it with its whole range, so the simplest speaks: the chain",
        false => "the first that leads it with its whole range speaks",
    };
    (!others.is_empty()).then(|| {
        format!(
            "What else was tried, in pairs of 100 in the right order against the chain, on the same visits: {}; {so}.",
            others.join(", ")
        )
    })
}

fn gate_sentence(gate: &Gate) -> String {
    let on = format!(
        "on {} of {} who kept something, all later than what it had learned from",
        counted(gate.visits, "visit", "visits"),
        counted(gate.customers, "customer", "customers")
    );
    let lead = gate.lead.map_or(String::new(), |lead| {
        format!(
            " it put {:+.1} of 100 pairs of articles ({:+.1} to {:+.1}) more into the right order than popularity",
            lead.value, lead.low, lead.high
        )
    });
    match gate.says {
        Says::Ranking => format!("What makes the lists: the shop's own ranking, because {on},{lead}."),
        Says::PopularityIsAsGood => format!("What makes the lists: popularity, which is as good here: {on},{lead}."),
        Says::PopularityIsBetter => format!("What makes the lists: popularity, which is better here: {on},{lead}."),
        Says::TooEarly { more_customers } => format!(
            "What makes the lists: popularity. It is too early to say whether the shop's own ranking is better: {on},{lead}; \
             about {} would tell.",
            counted(more_customers, "more customer with kept purchases", "more customers with kept purchases")
        ),
    }
}

fn cold_sentence(figures: &Figures) -> Option<String> {
    let own = figures.own();
    let lead = |known: u64| figures.line(&format!("cold-{known}"), own, POPULARITY, "right_order").map(|(_, i)| i);
    let (nothing, three) = (lead(0)?, lead(3)?);
    Some(format!(
        "New customers: knowing nothing but what a customer told us, the ranking puts {:+.1} of 100 pairs ({:+.1} to {:+.1}) \
         more into the right order than popularity; with three events {:+.1} ({:+.1} to {:+.1}).",
        100.0 * nothing.value,
        100.0 * nothing.lower,
        100.0 * nothing.upper,
        100.0 * three.value,
        100.0 * three.lower,
        100.0 * three.upper,
    ))
}

fn descriptions_sentence(figures: &Figures) -> Option<String> {
    let (_, order) = figures.line(DELIVERED, CHAIN, WITHOUT_DESCRIPTIONS, "right_order")?;
    let (_, hits) = figures.line(DELIVERED, CHAIN, WITHOUT_DESCRIPTIONS, "kept_hits")?;
    Some(format!(
        "What the lists would lose without descriptions: {:.1} of 100 pairs in the right order ({:.1} to {:.1}), and {:.1} of \
         100 customers' hits ({:.1} to {:.1}); below 0 they would gain.",
        100.0 * order.value,
        100.0 * order.lower,
        100.0 * order.upper,
        100.0 * hits.value,
        100.0 * hits.lower,
        100.0 * hits.upper,
    ))
}

fn promise_sentence(engine: &Engine) -> Result<Option<String>> {
    let name = TableName::new("evaluation", "shelf_promise");
    let rows: Vec<Promise> = if engine.open_if_made(&name)? { engine.rows(&name)? } else { Vec::new() };
    Ok(rows.first().map(|row| {
        let held = if row.low > 0.0 {
            "they promise too much"
        } else if row.high < 0.0 {
            "they promise too little"
        } else {
            "give or take chance, they hold what they promise"
        };
        format!(
            "What the lists promise: {} would have led to {:.0} kept purchases by the chances told, and {} came: {held} \
             ({:+.0} to {:+.0}).",
            counted(row.lists, "list", "lists"),
            row.expected,
            count(row.came),
            row.low,
            row.high
        )
    }))
}

fn prices(engine: &Engine) -> Result<Vec<Price>> {
    let name = TableName::new("evaluation", "rule_prices");
    if engine.open_if_made(&name)? { engine.rows(&name) } else { Ok(Vec::new()) }
}

fn price_sentence(prices: &[Price]) -> Option<String> {
    let both = prices.iter().find(|price| price.rule == "both together")?;
    Some(format!(
        "What the rules of taste cost: {:.1} of 100 customers' hits ({:+.1} to {:+.1}) for all of them together.",
        100.0 * both.price?,
        100.0 * both.low?,
        100.0 * both.high?
    ))
}

/// The section with all figures.
pub fn section(engine: &Engine, figures: &Figures) -> Result<String> {
    if figures.0.is_empty() {
        return Ok(String::new());
    }
    let cell = |ranking: &str, figure: &str| {
        figures.value(DELIVERED, ranking, figure).map_or("–".into(), |found| format!("{:.1}", 100.0 * found.value))
    };
    let against = |ranking: &str, other: &str, figure: &str| match ranking == other {
        true => String::new(),
        false => figures.line(DELIVERED, ranking, other, figure).map_or("–".into(), |(_, lead)| range(&lead)),
    };
    let row = |ranking: &&str| {
        let shown =
            if *ranking == figures.shown() { format!("{ranking} (makes the lists)") } else { (*ranking).to_owned() };
        vec![
            shown,
            cell(ranking, "kept_hits"),
            against(ranking, POPULARITY, "kept_hits"),
            cell(ranking, "kept_recall"),
            cell(ranking, "kept_ndcg"),
            cell(ranking, "right_order"),
            against(ranking, POPULARITY, "right_order"),
        ]
    };
    let rows: Vec<Vec<String>> = figures.rankings(DELIVERED).iter().map(row).collect();
    let headings = [
        "Lists made by",
        "Customers with a hit, of 100#",
        "against popularity",
        "Found of what was kept, of 100#",
        "Near the top (NDCG × 100)#",
        "Pairs in the right order, of 100#",
        "against popularity",
    ];
    let line = figures.0.iter().find(|line| line.protocol == DELIVERED);
    let visits = line.map_or(String::new(), |line| {
        format!(
            "Every visit of a customer who consents, since testing began, asks for a list at its first look: {} whose outcome \
             is known, {} who then bought something and kept it. Each customer counts once.\n\n",
            counted(line.visits, "visit", "visits"),
            counted(line.customers, "customer", "customers")
        )
    });
    Ok(format!(
        "## Do the lists hold what is then bought and kept?\n\n{visits}{}\n{}{}",
        table(&headings, &rows),
        prices_table(&prices(engine)?),
        details("By protocol, with the id, the visits and the model of every figure", &protocols(figures)),
    ))
}

fn prices_table(prices: &[Price]) -> String {
    let in_100 = |value: Option<f64>| value.map_or("–".into(), |value| format!("{:.1}", 100.0 * value));
    let row = |price: &Price| {
        let range = price.low.zip(price.high);
        let range = range.map_or("–".into(), |(low, high)| format!("{:+.1} to {:+.1}", 100.0 * low, 100.0 * high));
        vec![price.rule.clone(), in_100(price.hits), in_100(price.hits_without), in_100(price.price), range]
    };
    if prices.is_empty() {
        return String::new();
    }
    let headings = [
        "Rule of taste",
        "Customers with a hit, of 100, with it#",
        "without it#",
        "what it costs#",
        "give or take chance",
    ];
    format!("{}\n", table(&headings, &prices.iter().map(row).collect::<Vec<_>>()))
}

fn protocols(figures: &Figures) -> String {
    let rows =
        figures.0.iter().filter(|line| ["", POPULARITY].contains(&line.against.as_str()) && line.value.is_some());
    let row = |line: &Line| {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{:.1}", 100.0 * value));
        let what = match line.against.as_str() {
            "" => line.ranking.clone(),
            against => format!("{} − {against}", line.ranking),
        };
        vec![
            line.protocol.clone(),
            what,
            line.figure.clone(),
            number(line.value),
            format!("{} to {}", number(line.low), number(line.high)),
            count(line.customers),
            line.data.clone(),
            line.model.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = rows.map(row).collect();
    let headings =
        ["Protocol", "Ranking", "Figure", "× 100#", "95 %", "Customers who kept something#", "Visits", "Model"];
    format!(
        "{}\n`{SHELF}` ranks the whole shelf, `{DELIVERED}` judges the lists with all rules, `new-articles` counts only what \
         was new, `cold-n` knows the customer's profile and the latest n events. Figures of different protocols or visits \
         are not compared.\n",
        table(&headings, &rows)
    )
}
