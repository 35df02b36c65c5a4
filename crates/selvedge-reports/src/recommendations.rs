//! `reports/recommendations.md`: whether the lists hold what is then bought and kept, what they show, to whom, and why.

mod found;
mod pictures;

use charts::{Caption, Interval, Picture, dots};
use serde::Deserialize;

use super::markdown::{details, picture, table};
use super::{Report, ReportError};
use selvedge_engine::Engine;
use selvedge_monitoring::monitor;
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;
use selvedge_project::pseudonyms::Pseudonyms;
use selvedge_project::sql::TableName;

const CHART: &str = "recommendations.png";
/// Cards that are open; the others are folded.
const OPEN: u64 = 3;

/// One line of `exposure.by_group`.
#[derive(Deserialize)]
struct Group {
    kind: String,
    value: String,
    articles: u64,
    #[serde(rename = "catalogue_share", default)]
    catalogue: f64,
    #[serde(rename = "ours_share", default)]
    ours: f64,
    #[serde(rename = "old_share", default)]
    old: f64,
}

/// One line of `exposure.coverage`.
#[derive(Deserialize)]
struct Coverage {
    list: String,
    audience: String,
    customers: u64,
    #[serde(rename = "articles_shown")]
    shown: u64,
    #[serde(rename = "articles_on_sale")]
    on_sale: u64,
    #[serde(rename = "articles_in_common")]
    in_common: Option<f64>,
    #[serde(default)]
    top_share: f64,
    #[serde(default)]
    new_share: f64,
}

/// One line of `exposure.audience`.
#[derive(Deserialize)]
struct Audience {
    basis: String,
    why: String,
    customers: u64,
}

/// One line of `exposure.reasons`.
#[derive(Deserialize)]
struct Reason {
    driver: String,
    because_of: String,
    recommendations: u64,
    strongest: u64,
    customers: u64,
    example: String,
}

/// One line of `exposure.cards`: an article on a customer's card.
#[derive(Deserialize)]
struct Card {
    card: u64,
    rank: u64,
    customer_id: String,
    #[serde(default)]
    age_group: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    sustainability_preference: String,
    #[serde(default)]
    price_band: String,
    #[serde(default)]
    personalisation_consent: bool,
    looks: u64,
    wishes: u64,
    purchases: u64,
    #[serde(default)]
    product_name: String,
    #[serde(default)]
    brand: String,
    #[serde(default)]
    category: String,
    price_eur: Option<f64>,
    reason: String,
}

pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let shown = |name| TableName::new("exposure", name);
    let groups: Vec<Group> = engine.rows(&shown("by_group"))?;
    let coverage: Vec<Coverage> = engine.rows(&shown("coverage"))?;
    let places = project.params.recommend.per_customer;
    let figures = found::Figures::of(engine)?;
    let mut out = String::from("# The lists: do they find what is kept, and what do they show?\n\n");
    if !monitor::has_log(engine) {
        out += "Nothing says what this shop shows today: where this page speaks of today's lists, or of the old ones, it means \
                “others also bought”.\n\n";
    }
    let title = title(&groups, &coverage);
    out += &match found::answer(&figures) {
        Some(answer) => format!("**{answer}\n\n- {title}\n"),
        None => format!("**{title}**\n\n"),
    };
    out += &format!("- {}\n", audience_sentence(&engine.rows::<Audience>(&shown("audience"))?));
    for sentence in [alike_sentence(&coverage, places), new_sentence(&groups, &coverage)].into_iter().flatten() {
        out += &format!("- {sentence}\n");
    }
    for sentence in found::sentences(project, engine, &figures)? {
        out += &format!("- {sentence}\n");
    }
    let (pictures, mut report) = pictures::pictures(&figures)?;
    out += &format!("\n{pictures}");
    let chart = chart(&title, &groups, &coverage);
    let png = chart.png().map_err(|cause| ReportError::Chart { chart: CHART, cause })?;
    out += &format!("\n{}\n", picture(CHART, &title));
    out += &found::section(engine, &figures)?;
    out += &coverage_section(&coverage);
    out += &exposure_section(&groups);
    out += &reasons_section(engine.rows(&shown("reasons"))?);
    let pseudonyms = Pseudonyms::of(project)?;
    out += &cards_section(&engine.rows::<Card>(&shown("cards"))?, &project.params.shop.currency, &pseudonyms);
    out += &details("For the ML team: how the lists are made", &methods(project));
    report.charts.insert(CHART.into(), png);
    report.markdown = out;
    Ok(report)
}

fn found<'a>(coverage: &'a [Coverage], list: &str, audience: &str) -> Option<&'a Coverage> {
    coverage.iter().find(|line| line.list == list && line.audience == audience)
}

fn title(groups: &[Group], coverage: &[Coverage]) -> String {
    let (Some(ours), Some(old)) = (found(coverage, "ours", "everybody"), found(coverage, "old", "everybody")) else {
        return "There are no lists yet.".into();
    };
    let new = groups.iter().find(|group| group.kind == "novelty" && group.value == "new");
    let new = new.map_or(String::new(), |new| {
        format!(", and {:.0} of 100 places go to new articles (old list: {:.0})", 100.0 * new.ours, 100.0 * new.old)
    });
    format!(
        "Our lists show {} of the {} on sale, the old list would show {}{new}.",
        count(ours.shown),
        counted(ours.on_sale, "article", "articles"),
        count(old.shown),
    )
}

fn audience_sentence(rows: &[Audience]) -> String {
    let total: u64 = rows.iter().map(|row| row.customers).sum();
    let of = |basis: fn(&str) -> bool| rows.iter().filter(move |row| basis(&row.basis));
    let personal: u64 = of(|basis| basis == "personal").map(|row| row.customers).sum();
    let told = |rows: Vec<&Audience>, words: &str| match rows.is_empty() {
        true => String::new(),
        false => {
            let each: Vec<String> = rows.iter().map(|row| format!("{} ({})", count(row.customers), row.why)).collect();
            format!("; {words}: {}", each.join(", "))
        }
    };
    let popular = of(|basis| !["personal", "none"].contains(&basis)).collect();
    let popular = told(popular, "shown what is popular in their region, or where it is silent in the shop");
    let none = told(of(|basis| basis == "none").collect(), "without a list");
    format!(
        "{} of {} with a list of their own{popular}{none}.",
        count(personal),
        counted(total, "customer", "customers")
    )
}

/// Whether the lists are personal: how much two of them share.
fn alike_sentence(coverage: &[Coverage], places: usize) -> Option<String> {
    let (ours, old) = (found(coverage, "ours", "personal")?, found(coverage, "old", "personal")?);
    let (own, today) = (ours.in_common?, old.in_common?);
    let verdict = if own < today { "more personal than today's" } else { "no more personal than today's" };
    Some(format!(
        "How personal they are: {verdict}. Two customers with lists of their own, picked at random, have {own:.1} articles in \
         common, of up to {places}; in the old lists the same customers have {today:.1} in common."
    ))
}

/// Whether the lists follow a catalogue that changes.
fn new_sentence(groups: &[Group], coverage: &[Coverage]) -> Option<String> {
    let new = groups.iter().find(|group| group.kind == "novelty" && group.value == "new")?;
    let share = |list| found(coverage, list, "personal").map(|line| 100.0 * line.new_share);
    let personal = match (share("ours"), share("old")) {
        (Some(ours), Some(old)) => format!(
            "; in the lists that are a customer's own it is {ours:.0} (old list: {old:.0}); at least so many places go to them: `recommend.at_least_new` in params.yaml"
        ),
        _ => String::new(),
    };
    Some(format!(
        "Do they follow the catalogue? {:.0} of 100 articles on sale are new, and {:.0} of 100 places in our lists show \
         one of them (old list: {:.0}){personal}.",
        100.0 * new.catalogue,
        100.0 * new.ours,
        100.0 * new.old,
    ))
}

fn chart(title: &str, groups: &[Group], coverage: &[Coverage]) -> dots::Chart {
    let exact = |value: f64| Some(Interval { value, lower: value, upper: value });
    let shown = |list| {
        let line = found(coverage, list, "everybody")?;
        exact(line.shown as f64 / line.on_sale.max(1) as f64)
    };
    let mut parts = vec![dots::Group {
        heading: String::new(),
        rows: vec![dots::Row {
            label: "articles shown to anybody".into(),
            points: vec![shown("ours"), shown("old"), exact(1.0)],
        }],
    }];
    for (kind, heading) in [("novelty", "How new"), ("price", "Price"), ("shipped by", "Shipped by")] {
        let row = |group: &Group| dots::Row {
            label: group.value.clone(),
            points: vec![exact(group.ours), exact(group.old), exact(group.catalogue)],
        };
        let rows = groups.iter().filter(|group| group.kind == kind).map(row).collect();
        parts.push(dots::Group { heading: heading.into(), rows });
    }
    dots::Chart {
        caption: Caption {
            title: title.to_owned(),
            subtitle: "Which articles have the places in the lists, beside how many articles of the catalogue they are"
                .into(),
            footnote:
                "First row: of 100 articles on sale. All others: of 100 places in the lists, or of 100 articles of the \
                       catalogue. Price: thirds of the catalogue."
                    .into(),
        },
        measure: "of 100".into(),
        series: vec!["our lists".into(), "the old list, “others also bought”".into(), "the catalogue on sale".into()],
        groups: parts,
    }
}

fn coverage_section(coverage: &[Coverage]) -> String {
    let row = |line: &Coverage| {
        let list = if line.list == "ours" { "ours" } else { "others also bought" };
        let audience = if line.audience == "personal" { "customers with a list of their own" } else { "everybody" };
        vec![
            list.to_owned(),
            audience.to_owned(),
            count(line.customers),
            format!("{} of {}", count(line.shown), count(line.on_sale)),
            format!("{:.0}", 100.0 * line.top_share),
            format!("{:.0}", 100.0 * line.new_share),
            line.in_common.map_or("–".into(), |common| format!("{common:.1}")),
        ]
    };
    let rows: Vec<Vec<String>> = coverage.iter().map(row).collect();
    let headings = [
        "List",
        "For",
        "Customers#",
        "Articles shown#",
        "Places of the ten most shown, of 100#",
        "Places of new articles, of 100#",
        "Articles two customers have in common#",
    ];
    format!("## How much of the catalogue is seen\n\n{}\n", table(&headings, &rows))
}

fn exposure_section(groups: &[Group]) -> String {
    let lines = |kinds: &[&str]| -> String {
        let mut chosen: Vec<&Group> = groups.iter().filter(|group| kinds.contains(&group.kind.as_str())).collect();
        chosen.sort_by(|a, b| a.kind.cmp(&b.kind).then(b.ours.total_cmp(&a.ours)).then(a.value.cmp(&b.value)));
        let row = |group: &&Group| {
            let in_100 = |share: f64| format!("{:.1}", 100.0 * share);
            let mut cells = vec![group.kind.clone(), group.value.clone(), count(group.articles)];
            cells.extend([group.catalogue, group.ours, group.old].map(in_100));
            cells
        };
        let headings = [
            "",
            "",
            "Articles on sale#",
            "Of 100 articles#",
            "Of 100 places, ours#",
            "Of 100 places, others also bought#",
        ];
        table(&headings, &chosen.iter().map(row).collect::<Vec<_>>())
    };
    let few = lines(&["novelty", "price", "shipped by", "category"]);
    format!("## Who has the places\n\n{few}\n{}\n", details("By brand", &lines(&["brand"])))
}

fn reasons_section(mut reasons: Vec<Reason>) -> String {
    let total: u64 = reasons.iter().map(|reason| reason.recommendations).sum();
    let strongest: u64 = reasons.iter().map(|reason| reason.strongest).sum();
    if total == 0 {
        return String::new();
    }
    reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.recommendations), reason.because_of.clone()));
    let line = |reason: &Reason| {
        vec![
            format!("“{}”", reason.example),
            reason.driver.clone(),
            format!("{:.1}", 100.0 * reason.recommendations as f64 / total as f64),
            count(reason.strongest),
            count(reason.customers),
        ]
    };
    let lines: Vec<Vec<String>> = reasons.iter().map(line).collect();
    let headings = ["Reason (an example)", "Driver", "Of 100 reasons#", "Times the strongest#", "Customers#"];
    format!(
        "## The reasons\n\nEvery personal recommendation says why it is there: what lifts this article above the others that \
         this customer could get, as far as it is true of the article. {} of 100 give the strongest reason; \
         the others give the next strongest, because the list had said the strongest often enough.\n\n{}\n",
        (100.0 * strongest as f64 / total as f64).round(),
        table(&headings, &lines)
    )
}

fn cards_section(rows: &[Card], currency: &str, pseudonyms: &Pseudonyms) -> String {
    let mut out = String::from(
        "## Ten customers\n\nAs different as there are, from the longest history to none; `selvedge who P-…` says who one is.\n\n",
    );
    for lines in rows.chunk_by(|a, b| a.card == b.card) {
        let Some(first) = lines.first() else { continue };
        let did = match (first.personalisation_consent, first.looks + first.wishes + first.purchases) {
            (false, _) => "no consent: what they did is not used".to_owned(),
            (true, 0) => "nothing done yet".to_owned(),
            (true, _) => format!(
                "{}, {}, {}",
                counted(first.looks, "look", "looks"),
                counted(first.wishes, "wish", "wishes"),
                counted(first.purchases, "purchase", "purchases")
            ),
        };
        let traits: Vec<&str> =
            [&first.age_group, &first.region].into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let traits = if traits.is_empty() { String::new() } else { format!(" ({})", traits.join(", ")) };
        let mut who = vec![format!("{}{traits}", pseudonyms.name(&first.customer_id)), did];
        for (label, value) in
            [("sustainability matters", &first.sustainability_preference), ("price band", &first.price_band)]
        {
            if !value.is_empty() {
                who.push(format!("{label}: {value}"));
            }
        }
        let line = |line: &Card| {
            let price = line.price_eur.map_or(String::new(), |price| format!("{price:.2}"));
            let named = [&line.product_name, &line.brand].into_iter().filter(|text| !text.is_empty());
            let named = named.map(String::as_str).collect::<Vec<_>>().join(", ");
            let article = if line.category.is_empty() { named } else { format!("{named} ({})", line.category) };
            vec![line.rank.to_string(), article, price, line.reason.clone()]
        };
        let list = table(
            &["Rank#", "Article", &format!("{currency}#"), "Because"],
            &lines.iter().map(line).collect::<Vec<_>>(),
        );
        let who = who.join(" · ");
        out += &match first.card <= OPEN {
            true => format!("**{who}**\n\n{list}\n"),
            false => format!("{}\n", details(&who.replace('<', "&lt;"), &list)),
        };
    }
    out
}

fn methods(project: &Project) -> String {
    let rules = &project.params.recommend;
    format!(
        "- Candidates (`sql/recommend/candidates.sql`): on sale at the export, shipped to the customer's country, not owned. \
         What customers without consent own is not looked at, so it may be among theirs.\n\
         - Personal: a chain of three models, the chance of a look, of a purchase given a look, and of keeping it, over the \
         request's features (the SQL of training), fitted on everything known by the export. \
         A brand gets at most {} times its share of the customer's own scores (never fewer than {} places), at least {} places go \
         to new articles, {} places in all.\n\
         - Popular: purchases less returns in the region, lately; where it is silent those in the whole shop, then looks \
         (`sql/recommend/popular.sql`, which also says which of them it was).\n\
         - Reasons: what each feature adds against the middle of the customer's own shelf (Aumann-Shapley, exact); phrases and when they are true stand \
         in the headers of `sql/features`. One list says a phrase at most {} times where others are true, and no \
         reason adds less than a tenth of what the strongest feature adds.\n\
         - The old list (`sql/recommend/also_bought.sql`): bought by others who bought what the customer bought, by number of \
         such customers; filled up with what is popular.\n\
         - Articles in common: the expected number over all pairs of different customers, exact.\n",
        rules.brand_share, rules.least_of_brand, rules.at_least_new, rules.per_customer, rules.same_reason,
    )
}
