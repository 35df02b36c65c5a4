//! What retrieval reads of the tables of `sql/recommend`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampNanosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use crate::rank::RankError;
use crate::shelf::{self, KEY, OnSale, Session, column, truths};
use selvedge_engine::batch_of;
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// The customers who ask, each once, at a moment.
pub fn at(requests: &RecordBatch, moment: i64) -> Result<RecordBatch> {
    let mut seen = HashSet::new();
    let names = texts(requests, "the requests", KEY[0])?;
    let names: StringArray = names.iter().filter(|name| seen.insert(name.as_str())).map(Some).collect();
    let as_of: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(moment, names.len()));
    batch_of("grain.request", [(KEY[0], Arc::new(names) as ArrayRef), (KEY[1], as_of)])
}

/// What of the audience decides over a shelf: the key of `sql/recommend/offered.sql`, less what names an article.
pub fn group_keys(session: &Session, rows: &RecordBatch, file: &str) -> Result<Vec<String>> {
    let mut keys = vec![String::new(); rows.num_rows()];
    for name in session.key_of_offers()? {
        for (key, text) in keys.iter_mut().zip(texts(rows, file, &name)?) {
            key.push_str(&text);
            key.push('\u{1f}');
        }
    }
    Ok(keys)
}

/// By what of the audience decides over the shelf, which articles may be sent there, and which of them are new.
pub fn groups(
    session: &Session,
    on_sale: &OnSale,
    places: &HashMap<u32, usize>,
) -> Result<HashMap<String, [Vec<bool>; 2]>> {
    let (offered, file) =
        (session.engine().read(&TableName::new("recommend", "offered"))?, "sql/recommend/offered.sql");
    let (products, seasons) = (texts(&offered, file, KEY[2])?, texts(&offered, file, KEY[3])?);
    let new = truths(&offered, file, "new")?;
    let mut groups: HashMap<String, [Vec<bool>; 2]> = HashMap::new();
    for (row, key) in group_keys(session, &offered, file)?.into_iter().enumerate() {
        let number = on_sale.number(&products[row], &seasons[row]);
        if let Some(place) = number.and_then(|number| places.get(&number)) {
            let [may, is_new] =
                groups.entry(key).or_insert_with(|| [vec![false; places.len()], vec![false; places.len()]]);
            may[*place] = true;
            is_new[*place] = new[row];
        }
    }
    Ok(groups)
}

/// By region, articles by popularity; that in the shop under no name.
pub fn popular(session: &Session, on_sale: &OnSale, places: &HashMap<u32, usize>) -> Result<HashMap<String, Vec<u32>>> {
    let (table, file) = (session.engine().read(&TableName::new("recommend", "popular"))?, "sql/recommend/popular.sql");
    let (products, seasons) = (texts(&table, file, KEY[2])?, texts(&table, file, KEY[3])?);
    let regions = texts(&table, file, "region")?;
    let (in_region, in_shop) = (shelf::numbers(&table, file, "score")?, shelf::numbers(&table, file, "in_shop")?);
    let mut scored: HashMap<String, HashMap<u32, f64>> = HashMap::new();
    for row in 0..table.num_rows() {
        let number = on_sale.number(&products[row], &seasons[row]);
        if let Some(place) = number.and_then(|number| places.get(&number)) {
            scored.entry(regions[row].clone()).or_default().insert(*place as u32, in_region[row]);
            scored.entry(String::new()).or_default().insert(*place as u32, in_shop[row]);
        }
    }
    let order = |(region, scores): (String, HashMap<u32, f64>)| {
        let mut scores: Vec<(u32, f64)> = scores.into_iter().collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        (region, scores.into_iter().map(|(place, _)| place).collect())
    };
    Ok(scored.into_iter().map(order).collect())
}

/// Texts, none where a row has none.
pub fn texts(rows: &RecordBatch, file: &str, name: &str) -> Result<Vec<String>> {
    let texts = cast(column(rows, file, name)?, &DataType::Utf8).map_err(RankError::Arrow)?;
    Ok(texts.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}
