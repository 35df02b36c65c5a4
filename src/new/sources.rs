//! The queries of `sql/sources` for CSVs that nobody has seen.

use std::collections::BTreeMap;

use super::columns::{ATTRIBUTES, ROLES, Sample, Times, quoted, snake};
use super::{Days, NewError, Request, filled};
use selvedge_project::error::Result;

/// What was made of the CSVs.
pub struct Sources {
    /// Path in the project -> text.
    pub files: Vec<(String, String)>,
    /// What was taken to be what, a line each.
    pub guessed: Vec<String>,
    /// The latest time in the order lines, as it is written.
    pub latest: Option<String>,
    /// The share of order lines that name no customer.
    pub nobodys: f64,
    /// Columns of customers or articles by which groups can be looked at.
    pub segments: Vec<String>,
    /// Whether the customers say themselves whose behaviour may be used.
    pub says_consent: bool,
}

/// Which column of the order lines is which.
type Roles = BTreeMap<&'static str, String>;

struct Maker<'a> {
    request: &'a Request,
    expressions: BTreeMap<String, String>,
}

impl Sources {
    pub fn of(request: &Request, samples: Vec<Sample>) -> Result<Self> {
        let expressions = serde_yaml::from_str(include_str!("expressions.yaml")).unwrap_or_default();
        let maker = Maker { request, expressions };
        let of = |role: &str| ROLES.iter().find(|(name, _)| *name == role).map_or(&[][..], |(_, names)| *names);
        let mut made = Self {
            files: Vec::new(),
            guessed: Vec::new(),
            latest: None,
            nobodys: 0.0,
            segments: Vec::new(),
            says_consent: false,
        };
        let (mut orders, mut customers, mut articles) = (None, None, None);
        for sample in samples {
            let has = |role: &str| {
                sample.called(of(role)).is_some()
                    || request.columns.iter().any(|(name, column)| name == role && sample.headers.contains(column))
            };
            match (has("customer"), has("article")) {
                (true, true) => orders = Some(sample),
                (true, false) => customers = Some(sample),
                (false, true) => articles = Some(sample),
                (false, false) => {
                    return Err(NewError::Unknown { file: sample.file, headers: sample.headers }.into());
                }
            }
        }
        let Some(orders) = orders else {
            let file = request.from.first().map(|path| super::shown(path)).unwrap_or_default();
            return Err(NewError::NoColumn { file, role: "customer", headers: Vec::new() }.into());
        };
        let roles = maker.roles(&orders)?;
        let times = maker.times(&orders, &roles)?;
        made.guessed.push(format!(
            "`{}` holds order lines: {}",
            orders.file,
            roles.iter().map(|(role, column)| format!("{role} is `{column}`")).collect::<Vec<_>>().join(", ")
        ));
        made.nobodys = orders.empty_share(&roles["customer"]);
        made.latest = latest(&orders, &roles["time"], times);
        let time = maker.expression(times_name(times), &roles["time"]);
        made.files.push(("sql/sources/transactions.sql".into(), maker.orders(&orders, &roles, &time)));
        let customers = match customers {
            Some(sample) => maker.things(&mut made, &sample, "customers", "customer_id", of("customer")),
            None => {
                if roles.contains_key("region") {
                    made.segments.push("region".into());
                }
                made.guessed.push("customers are those who stand in the order lines, since their first".into());
                let attributes = maker.of_lines(&roles, &[("region", "region", "of lines text")]);
                maker.of_orders(include_str!("customers_of_orders.sql"), &orders, &roles, &time, &attributes)
            }
        };
        made.files.push(("sql/sources/customers.sql".into(), customers));
        let articles = match articles {
            Some(sample) => maker.things(&mut made, &sample, "products", "product_id", of("article")),
            None => {
                made.guessed.push("articles are those that stand in the order lines, on sale since they were first sold; the price is the middle one of what was paid".into());
                let wanted = [("product_name", "name", "of lines text"), ("price_eur", "price", "of lines price")];
                let attributes = maker.of_lines(&roles, &wanted);
                maker.of_orders(include_str!("articles_of_orders.sql"), &orders, &roles, &time, &attributes)
            }
        };
        made.files.push(("sql/sources/products.sql".into(), articles));
        if request.consent.is_none() && !made.says_consent {
            return Err(NewError::NoConsent.into());
        }
        Ok(made)
    }
}

impl Maker<'_> {
    fn expression(&self, name: &str, column: &str) -> String {
        let words = [("column", quoted(column)), ("currency", self.request.currency.clone())];
        filled(self.expressions.get(name).map_or("NULL", String::as_str), &words)
    }

    /// What each column of the order lines is: as told, else as it is called.
    fn roles(&self, orders: &Sample) -> Result<Roles> {
        let mut roles = Roles::new();
        for (role, names) in ROLES {
            if let Some(column) = orders.called(names).filter(|column| !roles.values().any(|taken| taken == column)) {
                roles.insert(role, column.to_owned());
            }
        }
        for (role, column) in &self.request.columns {
            let known = ROLES.iter().map(|(role, _)| *role).chain(["rating"]).find(|known| known == role);
            let known = known.ok_or_else(|| NewError::UnknownRole { role: role.clone() })?;
            if !orders.headers.contains(column) {
                let (file, headers) = (orders.file.clone(), orders.headers.clone());
                return Err(NewError::UnknownColumn { file, column: column.clone(), headers }.into());
            }
            roles.retain(|_, taken| *taken != *column);
            roles.insert(known, column.clone());
        }
        for role in ["customer", "article", "time"] {
            if !roles.contains_key(role) {
                let (file, headers) = (orders.file.clone(), orders.headers.clone());
                return Err(NewError::NoColumn { file, role, headers }.into());
            }
        }
        Ok(roles)
    }

    fn times(&self, orders: &Sample, roles: &Roles) -> Result<Times> {
        let column = &roles["time"];
        let told = self.request.days.map(|days| match days {
            Days::MonthFirst => Times::MonthFirst,
            Days::DayFirst => Times::DayFirst,
        });
        let found = told.or_else(|| orders.times(column));
        Ok(found.ok_or_else(|| NewError::UnclearDays { file: orders.file.clone(), column: column.clone() })?)
    }

    fn orders(&self, orders: &Sample, roles: &Roles, time: &str) -> String {
        let given = |role: &str, name: &str, none: &str| match roles.get(role) {
            Some(column) => self.expression(name, column),
            None => self.expression(none, ""),
        };
        let kind = match roles.get("rating") {
            Some(column) => self.expression("rating", column),
            None => given("kind", "kind", "no kind"),
        };
        let returns = if roles.contains_key("pieces") { "negative pieces were sent back" } else { "one piece each" };
        let words = [
            ("file", orders.file.clone()),
            ("encoding", encoding(orders)),
            ("returns_in_words", returns.to_owned()),
            ("columns", columns(orders, roles)),
            (
                "all_columns",
                orders.headers.iter().map(|name| format!("r.{}", quoted(name))).collect::<Vec<_>>().join(", "),
            ),
            ("customer", quoted(&roles["customer"])),
            ("article", quoted(&roles["article"])),
            ("time", quoted(&roles["time"])),
            ("time_expression", time.to_owned()),
            ("order_expression", given("order", "order", "no order")),
            ("pieces_expression", given("pieces", "pieces", "no pieces")),
            ("price_expression", given("price", "price", "no price")),
            ("price_spelling", given("price", "price spelling", "no price spelling")),
            // Whoever rates something has seen it, whether they liked it or not.
            ("looked", if roles.contains_key("rating") { self.expression("rated", "") } else { String::new() }),
            ("kind_expression", kind),
        ];
        filled(include_str!("orders.sql"), &words)
    }

    /// Attributes that the order lines say of a customer or an article: name, role, expression.
    fn of_lines(&self, roles: &Roles, wanted: &[(&str, &str, &str)]) -> String {
        let line = |(name, role, expression): &(&str, &str, &str)| {
            Some(format!(" {} AS {name},", self.expression(expression, roles.get(*role)?)))
        };
        wanted.iter().filter_map(line).collect()
    }

    fn of_orders(&self, template: &str, orders: &Sample, roles: &Roles, time: &str, attributes: &str) -> String {
        let words = [
            ("file", orders.file.clone()),
            ("encoding", encoding(orders)),
            ("customer", quoted(&roles["customer"])),
            ("article", quoted(&roles["article"])),
            ("time_expression", time.to_owned()),
            ("attributes", attributes.to_owned()),
        ];
        filled(template, &words)
    }

    /// A file of customers or of articles.
    fn things(&self, made: &mut Sources, sample: &Sample, source: &str, key: &str, names: &[&str]) -> String {
        let number = sample.called(names).unwrap_or_default().to_owned();
        let called = |header: &String| {
            let own = |(_, names): &&(&str, &[&str])| sample.called(names).is_some_and(|column| column == header);
            let of_lines = [("product_name", ROLES[6].1), ("price_eur", ROLES[5].1), ("region", ROLES[8].1)];
            let fits = |(name, names): &(&str, &[&str])| {
                let its = if source == "customers" { *name == "region" } else { *name != "region" };
                its && sample.called(names).is_some_and(|column| column == header)
            };
            let known = ATTRIBUTES.iter().find(own).map(|(name, _)| *name);
            known
                .or_else(|| of_lines.iter().find(|found| fits(found)).map(|(name, _)| *name))
                .map_or_else(|| snake(header), str::to_owned)
        };
        let (mut attributes, mut returned, mut told) = (String::new(), String::new(), Vec::new());
        for header in sample.headers.iter().filter(|header| **header != number) {
            let name = called(header);
            let how = match name.as_str() {
                "price_eur" => "price",
                "personalisation_consent" => "flag",
                "signup_date" | "on_sale_from" => "day",
                _ => "text",
            };
            attributes += &format!(" {} AS {name},", self.expression(how, header));
            returned += &format!(" {name},");
            if name != *header {
                told.push(format!("`{header}` is {name}"));
            }
            let cells: std::collections::BTreeSet<String> = sample.cells(header).take(5000).collect();
            if how == "text" && (2..=12).contains(&cells.len()) {
                made.segments.push(name.clone());
            }
            made.says_consent |= name == "personalisation_consent";
        }
        let told = if told.is_empty() { String::new() } else { format!("; {}", told.join(", ")) };
        made.guessed.push(format!("`{}` holds {source}, named by `{number}`{told}", sample.file));
        let words = [
            ("file", sample.file.clone()),
            ("encoding", encoding(sample)),
            ("thing", if source == "customers" { "customer".to_owned() } else { "article".to_owned() }),
            ("source", source.to_owned()),
            ("key", key.to_owned()),
            ("number", quoted(&number)),
            ("columns", columns(sample, &Roles::new())),
            ("attributes", attributes),
            ("names", returned),
        ];
        filled(include_str!("things.sql"), &words)
    }
}

fn times_name(times: Times) -> &'static str {
    match times {
        Times::Plain => "time plain",
        Times::MonthFirst => "time month first",
        Times::DayFirst => "time day first",
        Times::Seconds => "time seconds",
    }
}

fn encoding(sample: &Sample) -> String {
    if sample.latin_1 { "latin-1".into() } else { "utf-8".into() }
}

/// The columns for a header: each with its meaning where it is known.
fn columns(sample: &Sample, roles: &Roles) -> String {
    let line = |header: &String| {
        let role = roles.iter().find(|(_, column)| *column == header).map(|(role, _)| *role);
        format!("  {}: {}", quoted(header), role.unwrap_or("as given"))
    };
    sample.headers.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The latest time of a column as `2031-12-09 12:50:00`.
fn latest(sample: &Sample, column: &str, times: Times) -> Option<String> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    let formats = |text: &str| {
        let text = text.trim_end_matches('Z').replace('T', " ");
        let (head, tail) = text.split_at(text.find(' ').unwrap_or(text.len()));
        let day = match times {
            Times::MonthFirst => "%m/%d/%Y",
            Times::DayFirst => "%d/%m/%Y",
            _ if head.contains('.') => "%d/%m/%Y",
            _ => "%Y/%m/%d",
        };
        let text = head.replace(['-', '.'], "/") + tail;
        let with = |time: &str| NaiveDateTime::parse_from_str(&text, &format!("{day} {time}")).ok();
        let midnight = || NaiveDate::parse_from_str(&text, day).ok()?.and_hms_opt(0, 0, 0);
        with("%H:%M:%S").or_else(|| with("%H:%M")).or_else(|| with("%H:%M:%S%.f")).or_else(midnight)
    };
    let moment = |cell: String| match times {
        Times::Seconds => DateTime::from_timestamp(cell.parse().ok()?, 0).map(|moment| moment.naive_utc()),
        _ => formats(&cell),
    };
    let latest = sample.cells(column).filter_map(moment).max()?;
    // The export is taken after the last event in it.
    Some((latest + chrono::Duration::seconds(1)).format("%Y-%m-%d %H:%M:%S").to_string())
}
