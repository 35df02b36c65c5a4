//! What a release knows of customers and articles beside what they did: whom rows are read for, and what articles are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, AsArray, Int32Array, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{cast, concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Float32Type};
use datafusion::arrow::error::ArrowError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::who::{Ask, NOBODY, Visitor};
use selvedge_engine::Engine;
use selvedge_features::served::facts::typed;
use selvedge_learning::shelf::{self, ShelfError};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// What text columns hold where nobody said anything.
const NOT_GIVEN: &str = "not given";

/// An article, as a page shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Words {
    /// Its name in the shop.
    pub product_name: Option<String>,
    pub category: Option<String>,
    /// List price, such as "39.90", in the shop's currency.
    pub price: Option<String>,
}

/// What is known of an article.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub words: Words,
    pub brand: Option<String>,
    pub material: Option<String>,
    pub colour: Option<String>,
    /// The season in which it was first sold.
    pub first_season: String,
    pub ships_to: String,
    /// Days since 1970, the last included.
    pub on_sale: (i32, i32),
    /// Of its description, of length 1; none where there is none.
    pub vector: Option<Vec<f32>>,
}

/// Number and season.
pub type Key = (String, String);

/// Customers and articles of a release.
pub struct Catalogue {
    customers: RecordBatch,
    rows: HashMap<String, u32>,
    /// Where most customers are.
    country: String,
    /// Columns that say so where nobody said anything.
    not_given: Vec<String>,
    pub articles: BTreeMap<Key, Known>,
    categories: BTreeSet<String>,
}

/// A column of texts, of a table that `file` makes.
pub(super) fn texts(batch: &RecordBatch, file: &str, name: &str) -> Result<StringArray> {
    let texts = cast(shelf::column(batch, file, name)?, &DataType::Utf8).map_err(ShelfError::Arrow)?;
    Ok(texts.as_string::<i32>().clone())
}

impl Catalogue {
    /// Reads the tables of a release.
    ///
    /// # Errors
    /// Tables that are not there, or without a column that is needed.
    pub fn load(engine: &Engine) -> Result<Self> {
        let file = "sql/sources/customers.sql";
        let customers = engine.read(&TableName::new("sources", "customers"))?;
        let ids = texts(&customers, file, "customer_id")?;
        let rows = ids.iter().zip(0..).map(|(id, row)| (id.unwrap_or_default().to_owned(), row)).collect();
        let mut countries: BTreeMap<String, usize> = BTreeMap::new();
        for country in texts(&customers, file, "country")?.iter().flatten() {
            *countries.entry(country.to_owned()).or_default() += 1;
        }
        let country = countries.into_iter().max_by_key(|(_, customers)| *customers).map(|(country, _)| country);
        let mut not_given = Vec::new();
        for field in customers.schema().fields() {
            if matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View)
                && texts(&customers, file, field.name())?.iter().any(|text| text == Some(NOT_GIVEN))
            {
                not_given.push(field.name().clone());
            }
        }
        let articles = articles(engine)?;
        let categories = articles.values().filter_map(|known| known.words.category.clone()).collect();
        Ok(Self { customers, rows, country: country.unwrap_or_default(), not_given, articles, categories })
    }

    /// `sources.customers` with the visitors among those who ask; none where there are none.
    ///
    /// # Errors
    /// Columns of other types than visitors have.
    pub fn customers_with(&self, asks: &[Ask]) -> Result<Option<RecordBatch>> {
        let visitors = asks.iter().filter_map(|ask| Some((ask.name.as_str(), ask.visitor.as_deref()?)));
        let rows: Vec<Value> = visitors.map(|(name, visitor)| self.row(name, visitor)).collect();
        if rows.is_empty() { Ok(None) } else { Self::with(&self.customers, &rows).map(Some) }
    }

    /// `sources.customers` as it would be if it held those who ask alone.
    ///
    /// # Errors
    /// As [`Self::customers_with`].
    pub fn customers_of(&self, asks: &[Ask]) -> Result<RecordBatch> {
        let known = asks.iter().filter(|ask| ask.visitor.is_none()).filter_map(|ask| self.rows.get(&ask.name).copied());
        let known = take_record_batch(&self.customers, &known.collect::<UInt32Array>()).map_err(ShelfError::Arrow)?;
        let visitors = asks.iter().filter_map(|ask| Some((ask.name.as_str(), ask.visitor.as_deref()?)));
        let rows: Vec<Value> = visitors.map(|(name, visitor)| self.row(name, visitor)).collect();
        if rows.is_empty() { Ok(known) } else { Self::with(&known, &rows) }
    }

    /// Every customer, and somebody of whom nothing is known.
    ///
    /// # Errors
    /// As [`Self::customers_with`].
    pub fn customers_and_nobody(&self) -> Result<RecordBatch> {
        Self::with(&self.customers, &[self.row(NOBODY, &Visitor::default())])
    }

    fn with(known: &RecordBatch, rows: &[Value]) -> Result<RecordBatch> {
        let schema = known.schema();
        let new = typed(&schema, rows).and_then(|new| concat_batches(&schema, [known, &new]));
        Ok(new.map_err(ShelfError::Arrow)?)
    }

    /// A visitor as a row of `sources.customers`.
    fn row(&self, name: &str, visitor: &Visitor) -> Value {
        let mut row: Map<String, Value> =
            self.not_given.iter().map(|column| (column.clone(), json!(NOT_GIVEN))).collect();
        row.insert("customer_id".into(), json!(name));
        row.insert("region".into(), json!(visitor.region));
        row.insert("country".into(), json!(visitor.country.as_ref().unwrap_or(&self.country)));
        row.insert("personalisation_consent".into(), json!(visitor.personalisation_consent));
        Value::Object(row)
    }

    /// Where a customer or visitor is.
    pub fn country_of(&self, ask: &Ask) -> String {
        let told = ask.visitor.as_ref().and_then(|visitor| visitor.country.clone());
        let known = || {
            let row = *self.rows.get(&ask.name)? as usize;
            let countries = texts(&self.customers, "sql/sources/customers.sql", "country").ok()?;
            countries.is_valid(row).then(|| countries.value(row).to_owned())
        };
        told.or_else(known).unwrap_or_else(|| self.country.clone())
    }

    /// What is known of an article.
    pub fn article(&self, product: &str, season: &str) -> Option<&Known> {
        self.articles.get(&(product.to_owned(), season.to_owned()))
    }

    /// The kinds of articles there are.
    pub fn categories(&self) -> &BTreeSet<String> {
        &self.categories
    }

    /// Which rows of candidates may stand in the lists that are asked for; none where all may.
    ///
    /// # Errors
    /// Candidates without a column that is needed.
    pub fn may(&self, candidates: &RecordBatch, asks: &[Ask]) -> Result<Option<Vec<bool>>> {
        let Some(wanted) = self.wanted(asks) else { return Ok(None) };
        let text = |name| texts(candidates, "sql/recommend/candidates.sql", name);
        let (customers, products, seasons) = (text("customer_id")?, text("product_id")?, text("season")?);
        let may = |row: usize| wanted(customers.value(row), products.value(row), seasons.value(row));
        Ok(Some((0..candidates.num_rows()).map(may).collect()))
    }

    /// The same by the name of who asks, and an article's number and season.
    pub fn wanted<'a>(&'a self, asks: &'a [Ask]) -> Option<impl Fn(&str, &str, &str) -> bool + Sync + 'a> {
        let wanted: HashMap<&str, &Vec<String>> =
            asks.iter().filter(|ask| !ask.category.is_empty()).map(|ask| (ask.name.as_str(), &ask.category)).collect();
        (!wanted.is_empty()).then_some(move |customer: &str, product: &str, season: &str| match wanted.get(customer) {
            Some(kinds) => self
                .article(product, season)
                .and_then(|known| known.words.category.as_ref())
                .is_some_and(|category| kinds.contains(category)),
            None => true,
        })
    }
}

impl Known {
    /// Whether it can be had at a moment, and sent to a country where one is named.
    pub fn can_be_had(&self, project: &Project, at: DateTime<Utc>, country: Option<&str>) -> bool {
        let today = at.with_timezone(&project.params.shop.timezone).date_naive();
        let today = (today - chrono::NaiveDate::default()).num_days() as i32;
        let sent = |country: &str| country == "%" || self.ships_to.split(';').any(|name| name.trim() == country);
        self.on_sale.0 <= today && today <= self.on_sale.1 && country.is_none_or(sent)
    }
}

fn articles(engine: &Engine) -> Result<BTreeMap<Key, Known>> {
    let file = "sql/sources/products.sql";
    let products = engine.read(&TableName::new("sources", "products"))?;
    let text = |name| texts(&products, file, name);
    let days = |name| -> Result<Int32Array> {
        let days = cast(shelf::column(&products, file, name)?, &DataType::Date32).map_err(ShelfError::Arrow)?;
        Ok(days.as_primitive::<Date32Type>().reinterpret_cast())
    };
    let (ids, seasons, firsts) = (text("product_id")?, text("season")?, text("first_season")?);
    let (names, categories, prices) = (text("product_name")?, text("category")?, text("price_eur")?);
    let (brands, materials, colours, ships) = (text("brand")?, text("material")?, text("colour")?, text("ships_to")?);
    let (from, until) = (days("on_sale_from")?, days("on_sale_until")?);
    let mut vectors = vectors(engine)?;
    let of = |texts: &StringArray, row: usize| texts.is_valid(row).then(|| texts.value(row).to_owned());
    let known = |row: usize| {
        let key = (ids.value(row).to_owned(), seasons.value(row).to_owned());
        let words = Words { product_name: of(&names, row), category: of(&categories, row), price: of(&prices, row) };
        let known = Known {
            words,
            brand: of(&brands, row),
            material: of(&materials, row),
            colour: of(&colours, row),
            first_season: firsts.value(row).to_owned(),
            ships_to: of(&ships, row).unwrap_or_default(),
            on_sale: (from.value(row), until.value(row)),
            vector: vectors.remove(&key),
        };
        (key, known)
    };
    Ok((0..products.num_rows()).map(known).collect())
}

/// The vectors of descriptions, each of length 1.
fn vectors(engine: &Engine) -> Result<HashMap<Key, Vec<f32>>> {
    let table = TableName::new("embeddings", "products");
    if !engine.open_if_made(&table)? {
        return Ok(HashMap::new());
    }
    let file = "sql/texts/products.sql";
    let batch = engine.read(&table)?;
    let (ids, seasons) = (texts(&batch, file, "product_id")?, texts(&batch, file, "season")?);
    let vectors = shelf::column(&batch, file, "vector")?;
    let vectors = vectors.as_fixed_size_list_opt().ok_or_else(|| {
        ShelfError::Arrow(ArrowError::CastError("the vectors of descriptions are no lists of one length".into()))
    })?;
    let mut found = HashMap::new();
    for row in (0..batch.num_rows()).filter(|row| vectors.is_valid(*row)) {
        let values = vectors.value(row);
        let Some(values) = values.as_primitive_opt::<Float32Type>() else { continue };
        let length = values.values().iter().fold(0.0_f32, |sum, value| sum + value * value).sqrt();
        if length > 0.0 {
            let unit = values.values().iter().map(|value| value / length).collect();
            found.insert((ids.value(row).to_owned(), seasons.value(row).to_owned()), unit);
        }
    }
    Ok(found)
}
