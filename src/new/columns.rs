//! Which column of a CSV is which: by what people call it, and by what stands in it.

use std::path::Path;

use csv::ReaderBuilder;

use super::NewError;
use selvedge_engine::RawTable;
use selvedge_project::error::Result;

/// What an order line can say; the names are what people call it, the first that is there counts.
pub const ROLES: [(&str, &[&str]); 9] = [
    (
        "customer",
        &[
            "customerid",
            "customer",
            "customerno",
            "clientid",
            "client",
            "userid",
            "user",
            "memberid",
            "householdkey",
            "kunde",
            "kundennummer",
            "shopper",
        ],
    ),
    (
        "article",
        &[
            "productid",
            "stockcode",
            "sku",
            "articleid",
            "article",
            "itemid",
            "item",
            "movieid",
            "artikel",
            "artikelnummer",
            "product",
        ],
    ),
    (
        "time",
        &[
            "eventtime",
            "invoicedate",
            "orderdate",
            "orderedat",
            "datetime",
            "timestamp",
            "date",
            "time",
            "at",
            "createdat",
            "datum",
            "day",
        ],
    ),
    (
        "order",
        &["orderid", "invoiceno", "invoice", "order", "orderno", "basketid", "basket", "bestellung", "transactionid"],
    ),
    ("pieces", &["quantity", "qty", "pieces", "menge", "units", "count"]),
    ("price", &["unitprice", "priceeur", "price", "paid", "listprice", "amount", "preis", "salesvalue"]),
    ("name", &["productname", "description", "name", "title", "bezeichnung"]),
    ("kind", &["eventtype", "kind", "type", "event", "action"]),
    ("region", &["region", "country", "land", "city", "state"]),
];

/// What a file of customers or articles may hold beside that: the product's names and what people call it.
pub const ATTRIBUTES: [(&str, &[&str]); 9] = [
    ("signup_date", &["signupdate", "joined", "registered", "registeredon", "since"]),
    ("personalisation_consent", &["personalisationconsent", "consent", "optin"]),
    ("age_group", &["agegroup", "ageband", "age", "agedesc"]),
    ("gender", &["gender", "sex"]),
    ("brand", &["brand", "manufacturer", "vendor", "marke"]),
    ("category", &["category", "department", "genre", "genres", "kategorie", "commoditydesc"]),
    ("colour", &["colour", "color", "farbe"]),
    ("description", &["description", "text", "longdescription"]),
    ("on_sale_from", &["onsalefrom", "launched", "releasedate", "availablefrom"]),
];

/// A CSV's header line and its cells.
pub struct Sample {
    /// The file's name.
    pub file: String,
    pub headers: Vec<String>,
    text: String,
    pub latin_1: bool,
}

/// How the times of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// One way only can be meant.
    Plain,
    MonthFirst,
    DayFirst,
    /// Seconds since 1970.
    Seconds,
}

impl Sample {
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let bytes = RawTable::text(path, &shown)?;
        let latin_1 = std::str::from_utf8(&bytes).is_err();
        let text: String = match latin_1 {
            true => bytes.iter().map(|byte| char::from(*byte)).collect(),
            false => String::from_utf8_lossy(&bytes).into_owned(),
        };
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let bad = |cause: csv::Error| NewError::Unreadable { file: shown.clone(), cause: cause.to_string() };
        let headers: Vec<String> = reader.headers().map_err(bad)?.iter().map(|name| name.trim().to_owned()).collect();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { file, headers, text, latin_1 })
    }

    /// The column that people would call so.
    pub fn called(&self, names: &[&str]) -> Option<&str> {
        let plain =
            |name: &str| name.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
        names.iter().find_map(|wanted| self.headers.iter().find(|header| plain(header) == *wanted)).map(String::as_str)
    }

    /// The cells of a column, without the space around them.
    fn column(&self, column: &str) -> impl Iterator<Item = String> {
        let place = self.headers.iter().position(|header| header == column);
        let reader = ReaderBuilder::new().flexible(true).from_reader(self.text.as_bytes());
        let rows = reader.into_records().filter_map(|row| row.ok());
        rows.map(move |row| place.and_then(|place| row.get(place)).unwrap_or_default().trim().to_owned())
    }

    /// Those that are not empty.
    pub fn cells(&self, column: &str) -> impl Iterator<Item = String> {
        self.column(column).filter(|cell| !cell.is_empty())
    }

    /// The share of rows in which a column is empty.
    pub fn empty_share(&self, column: &str) -> f64 {
        let (mut rows, mut empty) = (0_u64, 0_u64);
        for cell in self.column(column) {
            rows += 1;
            empty += u64::from(cell.is_empty());
        }
        empty as f64 / rows.max(1) as f64
    }

    /// How its times are written; none where month and day could stand for each other in every row.
    pub fn times(&self, column: &str) -> Option<Times> {
        let first = self.cells(column).next()?;
        if first.len() >= 9 && first.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Times::Seconds);
        }
        let (mut slashed, mut month_first, mut day_first) = (false, false, false);
        for cell in self.cells(column) {
            let day = cell.split(['T', ' ']).next().unwrap_or_default();
            let parts: Vec<&str> = day.split(['/', '-']).collect();
            let [one, two, year] = parts.as_slice() else { continue };
            if year.len() != 4 {
                continue;
            }
            slashed = true;
            let above = |part: &str| part.parse::<u32>().is_ok_and(|number| number > 12);
            day_first |= above(one);
            month_first |= above(two);
        }
        match (slashed, month_first, day_first) {
            (false, ..) => Some(Times::Plain),
            (true, true, false) => Some(Times::MonthFirst),
            (true, false, true) => Some(Times::DayFirst),
            _ => None,
        }
    }
}

/// A column's name as SQL takes it, whatever letters it has.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A header as the name of a column of the product: `age band` becomes `age_band`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        match letter {
            letter if letter.is_alphanumeric() => out.extend(letter.to_lowercase()),
            _ if !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    out.trim_matches('_').to_owned()
}
