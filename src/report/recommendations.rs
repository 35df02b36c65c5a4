//! `reports/recommendations.md`: what the lists show, to whom, why, and what the old list would have shown.

use std::collections::BTreeMap;

use super::chart::{Caption, Interval, dots};
use super::markdown::{count, counted, details, picture, table};
use super::rows::Rows;
use super::{Report, ReportError};
use crate::engine::Engine;
use crate::error::Result;
use crate::project::Project;

const CHART: &str = "recommendations.png";
/// Cards that are open; the others are folded.
const OPEN: u64 = 3;

/// One line of `exposure.by_group`.
struct Group {
    kind: String,
    value: String,
    articles: u64,
    catalogue: f64,
    ours: f64,
    old: f64,
}

/// One line of `exposure.coverage`.
struct Coverage {
    list: String,
    audience: String,
    customers: u64,
    shown: u64,
    on_sale: u64,
    in_common: Option<f64>,
    top_share: f64,
    new_share: f64,
}

pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let groups = groups(&Rows::read(engine, "exposure", "by_group")?)?;
    let coverage = coverage(&Rows::read(engine, "exposure", "coverage")?)?;
    let places = project.params.recommend.per_customer;
    let mut out = String::from("# What the lists show\n\n");
    let title = title(&groups, &coverage);
    out += &format!("**{title}**\n\n");
    out += &format!("- {}\n", audience_sentence(&Rows::read(engine, "exposure", "audience")?)?);
    for sentence in [alike_sentence(&coverage, places), new_sentence(&groups, &coverage)].into_iter().flatten() {
        out += &format!("- {sentence}\n");
    }
    let chart = chart(&title, &groups, &coverage);
    let png = dots::draw(&chart).map_err(|cause| ReportError::Chart { chart: CHART, cause })?;
    out += &format!("\n{}\n", picture(CHART, &title));
    out += &coverage_section(&coverage);
    out += &exposure_section(&groups);
    out += &reasons_section(&Rows::read(engine, "exposure", "reasons")?)?;
    out += &cards_section(&Rows::read(engine, "exposure", "cards")?)?;
    out += &details("For the ML team: how the lists are made", &methods(project));
    Ok(Report { markdown: out, charts: BTreeMap::from([(CHART, png)]) })
}

fn groups(rows: &Rows) -> Result<Vec<Group>> {
    let (kinds, values, articles) = (rows.texts("kind")?, rows.texts("value")?, rows.counts("articles")?);
    let shares = [rows.numbers("catalogue_share")?, rows.numbers("ours_share")?, rows.numbers("old_share")?];
    let group = |row: usize| {
        let [catalogue, ours, old] = shares.each_ref().map(|share| share[row].unwrap_or_default());
        Group { kind: kinds[row].clone(), value: values[row].clone(), articles: articles[row], catalogue, ours, old }
    };
    Ok((0..rows.len()).map(group).collect())
}

fn coverage(rows: &Rows) -> Result<Vec<Coverage>> {
    let (lists, audiences) = (rows.texts("list")?, rows.texts("audience")?);
    let (customers, shown, on_sale) =
        (rows.counts("customers")?, rows.counts("articles_shown")?, rows.counts("articles_on_sale")?);
    let (common, top, new) =
        (rows.numbers("articles_in_common")?, rows.numbers("top_share")?, rows.numbers("new_share")?);
    let line = |row: usize| Coverage {
        list: lists[row].clone(),
        audience: audiences[row].clone(),
        customers: customers[row],
        shown: shown[row],
        on_sale: on_sale[row],
        in_common: common[row],
        top_share: top[row].unwrap_or_default(),
        new_share: new[row].unwrap_or_default(),
    };
    Ok((0..rows.len()).map(line).collect())
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

fn audience_sentence(rows: &Rows) -> Result<String> {
    let (bases, why, customers) = (rows.texts("basis")?, rows.texts("why")?, rows.counts("customers")?);
    let total: u64 = customers.iter().sum();
    let personal: u64 = (0..rows.len()).filter(|row| bases[*row] == "personal").map(|row| customers[row]).sum();
    let others: Vec<String> = (0..rows.len())
        .filter(|row| bases[*row] != "personal")
        .map(|row| format!("{} ({})", count(customers[row]), why[row]))
        .collect();
    let rest = match others.is_empty() {
        true => String::new(),
        false => format!(
            "; the others are shown what is popular in their region, without any use of what they did: {}",
            others.join(", ")
        ),
    };
    Ok(format!("{} of {} get a list of their own{rest}.", count(personal), counted(total, "customer", "customers")))
}

/// Whether the lists are personal: how much two of them share.
fn alike_sentence(coverage: &[Coverage], places: usize) -> Option<String> {
    let (ours, old) = (found(coverage, "ours", "personal")?, found(coverage, "old", "personal")?);
    Some(format!(
        "How personal they are: two customers with lists of their own, picked at random, have {:.1} of their {places} \
         articles in common; in the old lists the same customers have {:.1} in common.",
        ours.in_common?, old.in_common?,
    ))
}

/// Whether the lists follow a catalogue that changes.
fn new_sentence(groups: &[Group], coverage: &[Coverage]) -> Option<String> {
    let new = groups.iter().find(|group| group.kind == "novelty" && group.value == "new")?;
    let share = |list| found(coverage, list, "personal").map(|line| 100.0 * line.new_share);
    let personal = match (share("ours"), share("old")) {
        (Some(ours), Some(old)) => format!(
            "; in the lists that are a customer's own it is {ours:.0} (old list: {old:.0}), for which places are kept \
             (`recommend.at_least_new` in params.yaml)"
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

fn reasons_section(rows: &Rows) -> Result<String> {
    let (drivers, because) = (rows.texts("driver")?, rows.texts("because_of")?);
    let (counts, strongest) = (rows.counts("recommendations")?, rows.counts("strongest")?);
    let (customers, examples) = (rows.counts("customers")?, rows.texts("example")?);
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return Ok(String::new());
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|row| (std::cmp::Reverse(counts[*row]), because[*row].clone()));
    let line = |row: &usize| {
        vec![
            format!("“{}”", examples[*row]),
            drivers[*row].clone(),
            format!("{:.1}", 100.0 * counts[*row] as f64 / total as f64),
            count(strongest[*row]),
            count(customers[*row]),
        ]
    };
    let lines: Vec<Vec<String>> = order.iter().map(line).collect();
    let headings = ["Reason (an example)", "Driver", "Of 100 reasons#", "Times the strongest#", "Customers#"];
    Ok(format!(
        "## The reasons\n\nEvery personal recommendation says why it is there: what lifts this article above the others that \
         this customer could get, as far as it is true of the article. {} of 100 give the strongest reason; \
         the others give the next strongest, because the list had said the strongest often enough.\n\n{}\n",
        (100.0 * strongest.iter().sum::<u64>() as f64 / total as f64).round(),
        table(&headings, &lines)
    ))
}

fn cards_section(rows: &Rows) -> Result<String> {
    let (cards, ranks) = (rows.counts("card")?, rows.counts("rank")?);
    let text = |name| rows.texts(name);
    let (customer, age, region) = (text("customer_id")?, text("age_group")?, text("region")?);
    let (preference, band, consent) =
        (text("sustainability_preference")?, text("price_band")?, rows.flags("personalisation_consent")?);
    let (looks, wishes, purchases) = (rows.counts("looks")?, rows.counts("wishes")?, rows.counts("purchases")?);
    let (name, brand, category) = (text("product_name")?, text("brand")?, text("category")?);
    let (price, reason) = (rows.numbers("price_eur")?, text("reason")?);
    let mut out = String::from("## Ten customers\n\nAs different as there are, from the longest history to none.\n\n");
    let mut numbers = cards.clone();
    numbers.dedup();
    for card in numbers {
        let lines: Vec<usize> = (0..rows.len()).filter(|row| cards[*row] == card).collect();
        let Some(first) = lines.first().copied() else { continue };
        let did = match (consent[first], looks[first] + wishes[first] + purchases[first]) {
            (false, _) => "no consent: what they did is not used".to_owned(),
            (true, 0) => "nothing done yet".to_owned(),
            (true, _) => format!(
                "{}, {}, {}",
                counted(looks[first], "look", "looks"),
                counted(wishes[first], "wish", "wishes"),
                counted(purchases[first], "purchase", "purchases")
            ),
        };
        let traits: Vec<&str> =
            [&age[first], &region[first]].into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let mut who = vec![format!("{} ({})", customer[first], traits.join(", ")), did];
        for (label, value) in [("sustainability matters", &preference[first]), ("price band", &band[first])] {
            if !value.is_empty() {
                who.push(format!("{label}: {value}"));
            }
        }
        let line = |row: &usize| {
            let price = price[*row].map_or(String::new(), |price| format!("{price:.2}"));
            let article = format!("{}, {} ({})", name[*row], brand[*row], category[*row]);
            vec![ranks[*row].to_string(), article, price, reason[*row].clone()]
        };
        let list = table(&["Rank#", "Article", "EUR#", "Because"], &lines.iter().map(line).collect::<Vec<_>>());
        let who = who.join(" · ");
        out += &match card <= OPEN {
            true => format!("**{who}**\n\n{list}\n"),
            false => format!("{}\n", details(&who.replace('<', "&lt;"), &list)),
        };
    }
    Ok(out)
}

fn methods(project: &Project) -> String {
    let rules = &project.params.recommend;
    format!(
        "- Candidates (`sql/recommend/candidates.sql`): on sale at the export, shipped to the customer's country, not owned.\n\
         - Personal: the combined model's probability of a kept purchase, over the request's features (the SQL of training). \
         At most {} of a brand, at least {} new articles (the best of them by the model), {} places.\n\
         - Popular: purchases less returns in the region, lately (`sql/recommend/popular.sql`).\n\
         - Reasons: contributions against the mean over the customer's own candidates; phrases and when they are true stand \
         in the headers of `sql/features`. One list says a phrase at most {} times where others are true, and no \
         reason adds less than a tenth of what the strongest feature adds.\n\
         - The old list (`sql/recommend/also_bought.sql`): bought by others who bought what the customer bought, by number of \
         such customers; filled up with what is popular.\n\
         - Articles in common: the expected number over all pairs of different customers, exact.\n",
        rules.max_per_brand, rules.at_least_new, rules.per_customer, rules.same_reason,
    )
}
