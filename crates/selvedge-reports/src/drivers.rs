//! `reports/drivers.md`: what drives a recommendation, in words a merchandiser can use.

use std::collections::BTreeMap;

use charts::{Caption, Interval, Picture, dots};
use serde::Deserialize;

use super::markdown::{details, picture, table};
use super::{Report, ReportError};
use selvedge_engine::Engine;
use selvedge_learning::drivers::{ALL, ENOUGH_CUSTOMERS};
use selvedge_learning::train::{self, Kind};
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::params::OTHER;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

const CHART: &str = "drivers.png";

/// A driver over one group of looks: a row of `drivers.shares`.
#[derive(Deserialize)]
struct Figure {
    kind: String,
    name: String,
    driver: String,
    looks: u64,
    customers: u64,
    share: Option<f64>,
    share_low: Option<f64>,
    share_high: Option<f64>,
    chance_down: Option<f64>,
    chance: Option<f64>,
    chance_up: Option<f64>,
}

impl Figure {
    /// Its share of what sets chances apart; none where it is too early.
    fn share(&self) -> Option<Interval> {
        Interval::of(self.share, self.share_low, self.share_high)
    }

    /// The chance with nothing for or against, and where the usual push takes it.
    fn chances(&self) -> Option<[f64; 3]> {
        Some([self.chance_down?, self.chance?, self.chance_up?])
    }
}

/// A row of `exposure.lifts`.
#[derive(Deserialize)]
struct Lift {
    driver: String,
    lift: Option<f64>,
    lift_low: Option<f64>,
    lift_high: Option<f64>,
}

/// A feature: a row of `drivers.columns`.
#[derive(Deserialize)]
struct Part {
    driver: String,
    meaning: String,
    from_descriptions: bool,
    #[serde(default)]
    share: f64,
}

pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let figures: Vec<Figure> = engine.rows(&TableName::new("drivers", "shares"))?;
    let lifts = lifts(engine.rows(&TableName::new("exposure", "lifts"))?);
    let overall: Vec<&Figure> = figures.iter().filter(|figure| figure.kind == ALL).collect();
    let early = train::load(project, Kind::USED)?.too_early;
    let title = title(&lifts, &overall, early.as_deref());
    let mut out = String::from("# What drives a recommendation\n\n");
    out += &format!("**{title}**\n\n");
    let mut made_of: Vec<Part> = engine.rows(&TableName::new("drivers", "columns"))?;
    made_of.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.meaning.cmp(&b.meaning)));
    let whose = (!lifts.is_empty()).then(|| {
        "This is the view of the ranking that makes the lists, not the customers': what lifts an article in its order need \
         not be why anybody buys it."
            .to_owned()
    });
    for sentence in
        [whose, of_a_look(&overall), of_descriptions(&made_of), of_groups(&figures, &overall)].into_iter().flatten()
    {
        out += &format!("- {sentence}\n");
    }
    let chart = chart(&title, &lifts, &overall);
    let png = chart.png().map_err(|cause| ReportError::Chart { chart: CHART, cause })?;
    out += &format!("\n{}\n", picture(CHART, &title));
    out += &overall_section(&overall, &lifts, &made_of);
    out += &groups_section(&figures);
    out += &details("What each driver is made of", &columns_section(&made_of));
    out += &details("For the ML team: how this is worked out", &methods(project, &overall));
    Ok(Report { markdown: out, charts: BTreeMap::from([(CHART.into(), png)]) })
}

/// By driver: its share of the lead that recommended articles have over the rest.  Empty where nobody got anything
/// personal, or the articles lead by nothing.
fn lifts(rows: Vec<Lift>) -> BTreeMap<String, Interval> {
    let total: f64 = rows.iter().filter_map(|row| row.lift).sum();
    let share = |part: Option<f64>| part.map(|part| part / total);
    let lift = |row: Lift| {
        let (low, high) = (row.lift_low.or(row.lift), row.lift_high.or(row.lift));
        Some((row.driver, Interval::of(share(row.lift), share(low), share(high))?))
    };
    rows.into_iter().filter(|_| total > 1e-9).filter_map(lift).collect()
}

/// `46 in 100`, or `less than 1 in 100`.
fn in_100(share: f64) -> String {
    match (100.0 * share).round() {
        rounded if rounded >= 1.0 => format!("{rounded:.0} in 100"),
        rounded if rounded <= -1.0 => format!("{rounded:.0} in 100").replace('-', "−"),
        _ => "next to nothing".into(),
    }
}

/// Below this share a driver hardly counts.
const HARDLY: f64 = 0.05;

/// `price, brand and sustainability`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The drivers by share, largest first, and what is left for everything else.
fn ordered<'a>(shares: impl Iterator<Item = (&'a str, f64)>) -> (Vec<(&'a str, f64)>, f64) {
    let (mut named, mut other) = (Vec::new(), 0.0);
    for (name, share) in shares {
        if name == OTHER { other = share } else { named.push((name, share)) }
    }
    named.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    (named, other)
}

/// The client's question, answered.
fn title(lifts: &BTreeMap<String, Interval>, overall: &[&Figure], early: Option<&str>) -> String {
    let shares: Vec<(&str, f64)> = match lifts.is_empty() {
        false => lifts.iter().map(|(name, lift)| (name.as_str(), lift.value)).collect(),
        true => overall.iter().filter_map(|one| Some((one.driver.as_str(), one.share()?.value))).collect(),
    };
    let (named, _) = ordered(shares.into_iter());
    let Some(((first, share), rest)) = named.split_first() else {
        let missing = || {
            let customers = overall.first().map_or(0, |figure| figure.customers);
            let missing = (ENOUGH_CUSTOMERS as u64).saturating_sub(customers);
            format!("the test looks are of {}; {missing} are missing", counted(customers, "customer", "customers"))
        };
        let why = early.map_or_else(missing, |why| format!("there is no model yet: {why}"));
        return format!("Too early to say what drives a recommendation: {why}.");
    };
    let whole = if lifts.is_empty() { "the differences between looks" } else { "an article's lead" };
    let (counting, hardly): (Vec<_>, Vec<_>) = rest.iter().partition(|(_, share)| *share >= HARDLY);
    let mut said =
        format!("{} drives a recommendation most: {:.0} of 100 parts of {whole}", capital(first), 100.0 * share);
    for (name, share) in counting {
        said += &format!(", {name} {:.0}", 100.0 * share);
    }
    let hardly: Vec<&str> = hardly.iter().map(|(name, _)| *name).collect();
    match hardly.len() {
        0 => said + ".",
        number => format!("{said}; {} hardly {}.", listed(&hardly), if number == 1 { "counts" } else { "count" }),
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// How far the strongest driver moves a chance, and how little the others do.
fn of_a_look(overall: &[&Figure]) -> Option<String> {
    let named = overall.iter().filter(|figure| figure.driver != OTHER);
    let mut named: Vec<(&str, [f64; 3])> =
        named.filter_map(|figure| Some((figure.driver.as_str(), figure.share().and(figure.chances())?))).collect();
    named.sort_by(|a, b| (b.1[2] - b.1[0]).total_cmp(&(a.1[2] - a.1[0])));
    let ((first, [down, middle, up]), others) = named.split_first()?;
    let furthest = others.iter().map(|(_, [down, middle, up])| (up - middle).max(middle - down)).fold(0.0, f64::max);
    let rest = match others.is_empty() {
        true => String::new(),
        false => format!("; the others move it by {:.1} or less", 100.0 * furthest),
    };
    Some(format!(
        "Of 100 looks with nothing for or against the article, {:.1} lead to a kept purchase; {first} usually lowers that \
         to {:.1} or raises it to {:.1}{rest}.",
        100.0 * middle,
        100.0 * down,
        100.0 * up,
    ))
}

/// What is read out of descriptions counts for one driver, whatever they name.
fn of_descriptions(made_of: &[Part]) -> Option<String> {
    let part = made_of.iter().find(|part| part.from_descriptions && part.share >= HARDLY)?;
    let whole: f64 = made_of.iter().filter(|other| other.driver == part.driver).map(|other| other.share).sum();
    let mut others: Vec<&str> = made_of.iter().map(|other| other.driver.as_str()).collect();
    others.retain(|driver| *driver != OTHER && *driver != part.driver);
    others.sort_unstable();
    others.dedup();
    (part.driver != OTHER && !others.is_empty()).then(|| {
        format!(
            "Descriptions speak of more than {driver}, but what the model reads out of their words counts as {driver} \
             ({:.0} of its {:.0} parts in telling looks apart), so {} may read too low.",
            100.0 * part.share,
            100.0 * whole,
            listed(&others),
            driver = part.driver,
        )
    })
}

/// What "everything else" is.
fn of_the_rest(made_of: &[Part]) -> Option<String> {
    let rest: Vec<&str> = made_of
        .iter()
        .filter(|part| part.driver == OTHER && part.share >= 0.01)
        .take(3)
        .map(|part| part.meaning.as_str())
        .collect();
    let [first, others @ ..] = rest.as_slice() else { return None };
    let others = others.iter().map(|meaning| format!(", “{meaning}”")).collect::<String>();
    Some(format!("Everything else is what belongs to none of these, above all “{first}”{others}."))
}

/// In how many groups the same driver comes first, and how far apart they are.
fn of_groups(figures: &[Figure], overall: &[&Figure]) -> Option<String> {
    let (named, _) = ordered(overall.iter().filter_map(|one| Some((one.driver.as_str(), one.share()?.value))));
    let (driver, _) = named.first()?;
    let mut by_group = BTreeMap::<(&str, &str), Vec<(&str, f64)>>::new();
    for figure in figures.iter().filter(|figure| figure.kind != ALL && figure.driver != OTHER) {
        let shares = by_group.entry((&figure.kind, &figure.name)).or_default();
        shares.extend(figure.share().map(|share| (figure.driver.as_str(), share.value)));
    }
    by_group.retain(|_, shares| !shares.is_empty());
    let first = by_group
        .values()
        .filter(|shares| ordered(shares.iter().copied()).0.first().is_some_and(|top| top.0 == *driver));
    let held = first.count();
    let of = |shares: &[(&str, f64)]| shares.iter().find(|(name, _)| name == driver).map(|(_, share)| *share);
    let mut shares: Vec<(f64, String)> =
        by_group.iter().filter_map(|((kind, name), shares)| Some((of(shares)?, format!("{kind} {name}")))).collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let ((least, at), (most, there)) = (shares.first()?, shares.last()?);
    Some(format!(
        "In {held} of {} groups of customers and months, {driver} comes first when one look is more promising \
         than another: from {} ({at}) to {} ({there}).",
        by_group.len(),
        in_100(*least),
        in_100(*most),
    ))
}

fn chart(title: &str, lifts: &BTreeMap<String, Interval>, overall: &[&Figure]) -> dots::Chart {
    let share = |driver: &str| overall.iter().find(|figure| figure.driver == driver).and_then(|figure| figure.share());
    let names: Vec<(&str, f64)> = overall
        .iter()
        .map(|figure| {
            let lift = lifts.get(&figure.driver).map(|lift| lift.value);
            (figure.driver.as_str(), lift.or(figure.share().map(|share| share.value)).unwrap_or_default())
        })
        .collect();
    let (named, _) = ordered(names.iter().copied());
    let mut order: Vec<&str> = named.into_iter().map(|(name, _)| name).collect();
    order.extend(names.iter().map(|(name, _)| *name).filter(|name| *name == OTHER));
    let row = |name: &&str| dots::Row {
        label: if *name == OTHER { "everything else".into() } else { (*name).to_owned() },
        points: vec![lifts.get(*name).copied(), share(name)],
    };
    dots::Chart {
        caption: Caption {
            title: title.to_owned(),
            subtitle: "How much of the difference each driver makes, of 100".into(),
            footnote: "Lines show the range that chance allows (19 times out of 20). Everything else: \
                       what belongs to none of these. Below 0: it worked against the choice."
                .into(),
        },
        measure: "of 100 parts of the difference".into(),
        series: vec![
            "why an article is in a customer's list, and others are not".into(),
            "why one look is more promising than another (test looks)".into(),
        ],
        groups: vec![dots::Group { heading: String::new(), rows: order.iter().map(row).collect() }],
    }
}

fn shown(share: Option<Interval>) -> String {
    share.map_or("too early".into(), |i| {
        format!("{} ({} to {})", hundredths(i.value), hundredths(i.lower), hundredths(i.upper))
    })
}

fn overall_section(overall: &[&Figure], lifts: &BTreeMap<String, Interval>, made_of: &[Part]) -> String {
    let row = |figure: &&Figure| {
        let moved = figure.chances().map_or("too early".to_owned(), |[down, middle, up]| {
            format!("from {:.1} to {:.1} or {:.1}", 100.0 * middle, 100.0 * down, 100.0 * up)
        });
        vec![figure.driver.clone(), shown(lifts.get(&figure.driver).copied()), shown(figure.share()), moved]
    };
    let rows: Vec<Vec<String>> = overall.iter().map(row).collect();
    let headings = [
        "Driver",
        "Why it is in a list, of 100#",
        "Why a look is promising, of 100#",
        "It usually moves the chance, in 100#",
    ];
    let below = "Below 0 the driver worked against the choice: what was chosen has a little less of it than the rest.";
    let rest = of_the_rest(made_of).map_or(String::new(), |rest| format!(" {rest}"));
    format!("## The figures\n\n{}\n{below}{rest}\n\n", table(&headings, &rows))
}

/// A line for every group, a column for every driver.
fn groups_section(figures: &[Figure]) -> String {
    let mut drivers: Vec<&str> = figures.iter().map(|figure| figure.driver.as_str()).collect();
    drivers.sort_unstable();
    drivers.dedup();
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for figure in figures.iter().filter(|figure| figure.kind != ALL) {
        let group = (figure.kind.as_str(), figure.name.as_str());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let row = |(kind, name): &(&str, &str)| {
        let of = |driver: &str| figures.iter().find(|f| f.kind == *kind && f.name == *name && f.driver == driver);
        let first = drivers.first().and_then(|driver| of(driver));
        let mut cells = vec![(*kind).to_owned(), (*name).to_owned()];
        cells.push(first.map_or(String::new(), |figure| count(figure.looks)));
        cells.push(first.map_or(String::new(), |figure| count(figure.customers)));
        cells.extend(drivers.iter().map(|driver| shown(of(driver).and_then(|figure| figure.share()))));
        cells
    };
    let rows: Vec<Vec<String>> = groups.iter().map(row).collect();
    let drivers: Vec<String> = drivers.iter().map(|driver| format!("{driver}, of 100#")).collect();
    let mut headings = vec!["Group", "", "Looks#", "Customers#"];
    headings.extend(drivers.iter().map(String::as_str));
    format!(
        "## By group of customers and over time\n\nWhy one look is more promising than another, of 100; \
         with fewer than {ENOUGH_CUSTOMERS} customers it is too early to say.\n\n{}\n",
        table(&headings, &rows)
    )
}

/// `1.6` or `−0.3`; never a zero with a sign.
fn hundredths(share: f64) -> String {
    let tenths = (1000.0 * share).round() / 10.0;
    format!("{:.1}", if tenths == 0.0 { 0.0 } else { tenths }).replace('-', "−")
}

fn columns_section(made_of: &[Part]) -> String {
    let row = |part: &Part| vec![part.driver.clone(), part.meaning.clone(), hundredths(part.share)];
    let rows: Vec<Vec<String>> = made_of.iter().map(row).collect();
    table(&["Driver", "What it knows", "Why a look is promising, of 100#"], &rows)
}

fn methods(project: &Project, overall: &[&Figure]) -> String {
    let looks = overall.first().map_or(0, |figure| figure.looks);
    let customers = overall.first().map_or(0, |figure| figure.customers);
    format!(
        "The score is linear in log-odds, so Shapley values are exact. Against the training mean, the group *g* adds \
         φ_g(x) = Σ_(i in g) w_i (x_i − mean_i), the means over training looks, columns taken as independent \
         (Štrumbelj and Kononenko 2014, section 3.1). Which column belongs to which driver stands in the headers of \
         `sql/features`.\n\n\
         - *Why a look is promising*: Cov(φ_g, S) / Var(S) over {} of {} in the test period, S = Σ φ_g. The \
         covariance is additive, so this is the Shapley share of the variance (Owen and Prieur 2017); shares add up to \
         1, and one below 0 works against the others. Outcomes are not used.\n\
         - *It usually moves the chance*: the mean of |φ_g|, added to and taken from the score of a look at which every \
         column is at its training mean, and turned into a chance.\n\
         - *Why it is in a list*: of the ranking that makes the lists, what each group adds to the score against the middle \
         of the customer's own shelf (Aumann and Shapley 1974, exact: each of its models is a function of one linear score); \
         the mean over the list, the mean over customers, divided by its sum over groups. What is the same for a whole shelf \
         (age, habits) cancels out.\n\n\
         Ranges, 95 %: {} draws of customers with replacement, seed {} (`evaluate` in params.yaml), percentiles; for the lists 1.96 \
         standard errors over customers.\n\n\
         It describes the ranking and the model, not the customers: what pushes a score need not make anybody buy.\n",
        counted(looks, "look", "looks"),
        counted(customers, "customer", "customers"),
        project.params.evaluate.draws,
        project.params.evaluate.seed,
    )
}
