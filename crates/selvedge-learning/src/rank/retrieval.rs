//! Retrieval: what of a long shelf is worth ranking.
//!
//! A first pass finds the articles with the largest product of two vectors: the mean of the chain and of a linear two-tower,
//! less what only customer and article together tell.  Beside them stand what the generators of a blend put first, what the
//! customer did last, what is popular and what is new, so that every ranking and every rule finds its own there.  The law of
//! the shelf holds inside the search.  How many are found is decided by what it misses of the lists that whole shelves give.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampNanosecondArray, UInt32Array,
};
use datafusion::arrow::compute::{cast, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::DataType;
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;
use recommenders::lists::top;
use recommenders::nearest::{Graph, GraphSettings, scan, smallest_width};
use recommenders::retrieve::{History, Kind};
use recommenders::seeds;
use recommenders::tower::Catalogue as Things;
use serde::{Deserialize, Serialize};

use super::RankError;
use super::model::Ranking;
use super::tower::TwoTower;
use crate::shelf::{self, KEY, OnSale, Past, ROWS, Session, Thing, column, moments, requests_of, truths};
use selvedge_engine::batch_of;
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// How many the first pass may find: the fewest that miss no more than [`RECALL`] allows.
const WIDTHS: [usize; 3] = [100, 200, 400];
pub const WIDEST: usize = WIDTHS[WIDTHS.len() - 1];
/// The share of the articles of lists made from whole shelves that are to be found.
const RECALL: f64 = 0.99;
/// Rows of whole shelves that it is measured on.
const MEASURED: usize = 1_000_000;
/// What stands beside what the first pass finds: of each generator, of what is popular, of what is new, of what was done last.
const OF_GENERATOR: usize = 20;
const POPULAR: usize = 40;
const NEW: usize = 20;
const LATEST: usize = 30;
/// Articles from which on, where many customers ask, a graph is searched and not every vector.
const GRAPH_FROM: usize = 20_000;
/// Its recall is measured on so many customers.
const GRAPH_MEASURED: usize = 1_000;

/// What a long shelf is searched by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retrieval {
    pub tower: TwoTower,
    /// The things of the past, in the order of the numbers that they have in the tower.
    pub things: Vec<Thing>,
    /// How many the first pass finds.
    pub width: usize,
    /// What it misses; none where that was not measured.
    pub found: Option<Found>,
}

/// How much is found of what ranking whole shelves would show.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Share of the articles of those lists.
    pub recall: f64,
    pub customers: usize,
    /// Articles of their shelves, and how many of them are ranked, on average.
    pub shelf: f64,
    pub ranked: f64,
}

/// Which articles may be shown to a customer, by name, number and season.
pub type May<'a> = &'a (dyn Fn(&str, &str, &str) -> bool + Sync);

/// What is on sale at a moment, ready to be searched.
pub struct Catalogue<'a> {
    on_sale: OnSale,
    /// Rows of `sources.products`.
    articles: Vec<u32>,
    /// By row, its place among them.
    places: HashMap<u32, usize>,
    /// By what of the audience decides over the shelf, which articles may be sent there, and which of them are new.
    groups: HashMap<String, [Vec<bool>; 2]>,
    /// By region, articles by popularity; that in the shop under no name.
    popular: HashMap<String, Vec<u32>>,
    search: Option<Search<'a>>,
}

/// The first pass.
struct Search<'a> {
    ranking: &'a Ranking,
    retrieval: &'a Retrieval,
    things: Things,
    vectors: Array2<f64>,
    /// With the width at which it finds nearly all.
    graph: Option<(Graph, usize)>,
}

/// Those who ask, with what their shelves are searched by.
struct Asked {
    customers: Vec<String>,
    groups: Vec<String>,
    regions: Vec<String>,
    /// None where nothing personal is known, or may be used.
    queries: Vec<Option<(Vec<f64>, History)>>,
}

impl<'a> Catalogue<'a> {
    /// Of a moment (nanoseconds), for these customers and whoever is sent the same; without a ranking what is popular is found.
    ///
    /// # Errors
    /// Queries of `sql/recommend` that cannot be answered, or features that are not those of the ranking.
    pub fn at(session: &Session, ranking: Option<&'a Ranking>, customers: &RecordBatch, moment: i64) -> Result<Self> {
        let on_sale = session.on_sale()?;
        let articles = on_sale.at(moment);
        session.make_for(at(customers, moment)?, &["offered", "popular"])?;
        let places: HashMap<u32, usize> = articles.iter().copied().zip(0..).collect();
        let (groups, popular) = (groups(session, &on_sale, &places)?, popular(session, &on_sale, &places)?);
        let ranking = ranking.and_then(|ranking| Some((ranking, ranking.retrieval.as_ref()?)));
        let search = match ranking.filter(|_| !articles.is_empty() && customers.num_rows() > 0) {
            Some((ranking, retrieval)) => {
                let one = at(&customers.slice(0, 1), moment)?;
                let rows = session.features(&on_sale.beside(&one, &[articles.clone()])?)?;
                Some(Search::of(ranking, retrieval, &rows)?)
            }
            None => None,
        };
        Ok(Self { on_sale, articles, places, groups, popular, search })
    }

    /// The same with a graph over the articles, where there are so many articles and customers that it pays.
    ///
    /// # Errors
    /// As [`Catalogue::retrieved`].
    pub fn with_graph(mut self, session: &Session, requests: &RecordBatch, past: &Past) -> Result<Self> {
        if self.articles.len() < GRAPH_FROM || requests.num_rows() < GRAPH_FROM {
            return Ok(self);
        }
        let asked = self.ask(session, &requests.slice(0, GRAPH_MEASURED), Some(past))?;
        if let Some(search) = &mut self.search {
            let queries: Vec<&Vec<f64>> = asked.queries.iter().flatten().map(|(query, _)| query).collect();
            let mut sample = Array2::zeros((queries.len(), search.vectors.ncols()));
            for (query, mut row) in queries.into_iter().zip(sample.rows_mut()) {
                row.iter_mut().zip(query).for_each(|(cell, value)| *cell = *value);
            }
            let graph = Graph::new(search.vectors.view(), GraphSettings::default());
            let width = smallest_width(&graph, search.vectors.view(), sample.view(), search.retrieval.width, RECALL);
            search.graph = width.map(|(width, _)| (graph, width));
        }
        Ok(self)
    }

    /// What of the shelves of `requests` is to be ranked, as `sql/recommend/retrieved.sql` returns it; `past`: what was done
    /// before, by the numbers of [`Retrieval::things`]; `may`: what else decides over an article.
    ///
    /// # Errors
    /// Queries that cannot be answered, or features that are not those of the ranking.
    pub fn retrieved(
        &self,
        session: &Session,
        requests: &RecordBatch,
        past: &Past,
        may: Option<May>,
    ) -> Result<RecordBatch> {
        self.on_sale.beside(requests, &self.for_ranking(session, requests, past, may)?)
    }

    /// The same as rows of `sources.products`.
    pub fn for_ranking(
        &self,
        session: &Session,
        requests: &RecordBatch,
        past: &Past,
        may: Option<May>,
    ) -> Result<Vec<Vec<u32>>> {
        let asked = self.ask(session, requests, Some(past))?;
        let width = self.search.as_ref().map_or(0, |search| search.retrieval.width);
        Ok(self.found(&asked, past, width, may))
    }

    /// What of the shelves of `requests` a list of what others also bought is made from, as rows of `sources.products`.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn bought_together(&self, session: &Session, requests: &RecordBatch) -> Result<Vec<Vec<u32>>> {
        let file = "bought_together";
        session.make_for(shelf::key_of(requests)?, &[file])?;
        let table = session.engine().read(&TableName::new("recommend", file))?;
        let (products, firsts) = (texts(&table, file, KEY[2])?, texts(&table, file, "first_season")?);
        let customers = shelf::numbers(&table, "sql/recommend/bought_together.sql", "customers")?;
        let mut of_request: HashMap<u64, Vec<(f64, Thing)>> = HashMap::new();
        for ((row, request), thing) in shelf::requests(&table)?.into_iter().enumerate().zip(products.into_iter().zip(firsts)) {
            of_request.entry(request).or_default().push((customers[row], thing));
        }
        let mut found = Vec::new();
        for request in shelf::requests(requests)? {
            let mut things = of_request.remove(&request).unwrap_or_default();
            things.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            let places: BTreeSet<usize> = self.places_of(things.iter().map(|(_, thing)| thing)).take(POPULAR).collect();
            found.push(places.into_iter().map(|place| self.articles[place]).collect());
        }
        Ok(found)
    }

    /// What of the shelves of `requests` the list that the shop shows today is made from, as `sql/recommend/retrieved.sql` returns
    /// it.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn compared(&self, session: &Session, requests: &RecordBatch) -> Result<RecordBatch> {
        let popular = self.found(&self.ask(session, requests, None)?, &Past::default(), 0, None);
        self.on_sale.beside(requests, &union([popular, self.bought_together(session, requests)?]))
    }

    fn places_of<'t>(&self, things: impl Iterator<Item = &'t Thing>) -> impl Iterator<Item = usize> {
        things.flat_map(|thing| self.on_sale.of_thing(thing)).filter_map(|article| self.places.get(article).copied())
    }

    /// Reads what is known of those who ask; with their past where something is found by it.
    fn ask(&self, session: &Session, requests: &RecordBatch, past: Option<&Past>) -> Result<Asked> {
        let names = shelf::requests(requests)?;
        session.make_for(shelf::key_of(requests)?, &["audience"])?;
        let audience = session.engine().read(&TableName::new("recommend", "audience"))?;
        let places: HashMap<u64, usize> = shelf::requests(&audience)?.into_iter().zip(0..).collect();
        let place: Vec<Option<usize>> = names.iter().map(|name| places.get(name).copied()).collect();
        let (keys, regions) = (group_keys(session, &audience)?, texts(&audience, "audience", "region")?);
        let personal = truths(&audience, "sql/recommend/audience.sql", "personal")?;
        let of = |values: &[String]| -> Vec<String> {
            place.iter().map(|at| at.map_or_else(String::new, |at| values[at].clone())).collect()
        };
        let customers = texts(requests, "the requests", KEY[0])?;
        let mut queries: Vec<Option<(Vec<f64>, History)>> = vec![None; names.len()];
        if let (Some(search), Some(first), Some(past)) = (&self.search, self.articles.first(), past) {
            let asked: BooleanArray = place.iter().map(|at| Some(at.is_some_and(|at| personal[at]))).collect();
            let who = filter_record_batch(requests, &asked).map_err(RankError::Arrow)?;
            let rows = session.features(&self.on_sale.beside(&who, &vec![vec![*first]; who.num_rows()])?)?;
            let matrix = search.ranking.columns.apply(&rows)?;
            let numbers: HashMap<u64, usize> = names.iter().copied().zip(0..).collect();
            let begun = moments(&rows, "the requests", KEY[1])?;
            for (row, name) in shelf::requests(&rows)?.iter().enumerate() {
                let Some(at) = numbers.get(name) else { continue };
                let history = past.history(&customers[*at], begun[row]);
                queries[*at] = Some((search.query(matrix.view(), row, &history)?, history));
            }
        }
        Ok(Asked { groups: of(&keys), regions: of(&regions), customers, queries })
    }

    /// Rows of `sources.products` for each who asks, in order.
    fn found(&self, asked: &Asked, past: &Past, width: usize, may: Option<May>) -> Vec<Vec<u32>> {
        let of_request = |at: usize| -> Vec<u32> {
            let group = self.groups.get(&asked.groups[at]);
            let allowed = |place: usize| {
                let (product, season) = self.on_sale.key(self.articles[place]);
                group.is_none_or(|[may, _]| may[place])
                    && may.is_none_or(|may| may(&asked.customers[at], product, season))
            };
            let mut found: BTreeSet<usize> = BTreeSet::new();
            for region in [asked.regions[at].as_str(), ""] {
                let popular = self.popular.get(region).into_iter().flatten().map(|place| *place as usize);
                found.extend(popular.filter(|place| allowed(*place)).take(POPULAR));
            }
            if let (Some(search), Some((query, history))) = (&self.search, &asked.queries[at]) {
                found.extend(search.first(query, width, allowed));
                if let Some([_, new]) = group {
                    found.extend(search.all(query, NEW, |place| new[place] && allowed(place)));
                }
                let things = latest(history).into_iter().chain(search.ranking.generated(history, OF_GENERATOR));
                let things = things.filter_map(|thing| past.things.get(thing as usize));
                found.extend(self.places_of(things).filter(|place| allowed(*place)));
            }
            found.into_iter().map(|place| self.articles[place]).collect()
        };
        (0..asked.customers.len()).into_par_iter().map(of_request).collect()
    }

    /// The smallest width that finds nearly all that ranking whole shelves would show, `places` a list, and what it misses.
    ///
    /// # Errors
    /// As [`Catalogue::retrieved`].
    pub fn measured(
        &self,
        session: &Session,
        requests: &RecordBatch,
        past: &Past,
        places: usize,
    ) -> Result<Option<(usize, Found)>> {
        let Some(search) = &self.search else { return Ok(None) };
        let some = (MEASURED / self.articles.len().max(1)).max(1);
        let requests = requests.slice(0, some.min(requests.num_rows()));
        let asked = self.ask(session, &requests, Some(past))?;
        // Of each list the articles; of whole shelves, some customers at a time.
        let mut lists: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut rows = 0;
        let at_once = (ROWS / self.articles.len().max(1)).max(1);
        for start in (0..requests.num_rows()).step_by(at_once) {
            let part = requests.slice(start, at_once.min(requests.num_rows() - start));
            let features = session.features(&session.shelves(shelf::key_of(&part)?, None, false)?.candidates)?;
            let scores = search.ranking.scores(&features, &search.ranking.past(session)?)?;
            let (names, products) = (shelf::requests(&features)?, texts(&features, "the shelf", KEY[2])?);
            let seasons = texts(&features, "the shelf", KEY[3])?;
            for shelf in requests_of(&features)? {
                let best = top(&scores[shelf.clone()], places).into_iter().map(|row| shelf.start + row as usize);
                let list = best.filter_map(|row| self.on_sale.number(&products[row], &seasons[row])).collect();
                lists.insert(names[shelf.start], list);
            }
            rows += features.num_rows();
        }
        let names = shelf::requests(&requests)?;
        let mut measured = None;
        for width in WIDTHS {
            let found = self.found(&asked, past, width, None);
            let (mut hits, mut wanted, mut ranked) = (0, 0, 0);
            for (found, list) in found.iter().zip(&names).filter_map(|(found, name)| Some((found, lists.get(name)?))) {
                wanted += list.len();
                ranked += found.len();
                hits += list.iter().filter(|article| found.binary_search(article).is_ok()).count();
            }
            if wanted == 0 {
                return Ok(None);
            }
            let (recall, customers) = (hits as f64 / wanted as f64, lists.len());
            let of_each = |count: usize| count as f64 / customers as f64;
            measured = Some((width, Found { recall, customers, shelf: of_each(rows), ranked: of_each(ranked) }));
            if recall >= RECALL {
                break;
            }
        }
        Ok(measured)
    }
}

impl<'a> Search<'a> {
    /// `rows`: the features of one row of each article.
    fn of(ranking: &'a Ranking, retrieval: &'a Retrieval, rows: &RecordBatch) -> Result<Self> {
        let matrix = ranking.columns.apply(rows)?;
        let chain = ranking.chain.article_vectors(matrix.view(), &ranking.columns.of_article()).map_err(RankError::Model)?;
        let tower = retrieval.tower.article_vectors(matrix.view())?;
        let both = concatenate(Axis(1), &[chain.view(), tower.view()]);
        let vectors = both.unwrap_or_else(|_| Array2::zeros((0, 0)));
        let vectors = vectors.as_standard_layout().to_owned();
        Ok(Self { ranking, retrieval, things: retrieval.tower.past()?, vectors, graph: None })
    }

    fn query(&self, matrix: ArrayView2<f64>, row: usize, history: &History) -> Result<Vec<f64>> {
        let mut query = self.ranking.chain.customer_vector(matrix.slice(s![row, ..]));
        query.extend(self.retrieval.tower.customer_vector(&self.things, matrix, row, history)?);
        Ok(query)
    }

    /// The places of the best.
    fn first(&self, query: &[f64], width: usize, allowed: impl Fn(usize) -> bool) -> Vec<usize> {
        match &self.graph {
            Some((graph, searched)) => {
                let found = graph.search(query, width, *searched, |place| allowed(place as usize));
                found.into_iter().map(|(place, _)| place as usize).collect()
            }
            None => self.all(query, width, allowed),
        }
    }

    /// The same by looking at all.
    fn all(&self, query: &[f64], width: usize, allowed: impl Fn(usize) -> bool) -> Vec<usize> {
        let found = scan(self.vectors.view(), query, width, |place| allowed(place as usize));
        found.into_iter().map(|(place, _)| place as usize).collect()
    }
}

/// Of each request what stands in any of these, in order.
pub fn union<const N: usize>(all: [Vec<Vec<u32>>; N]) -> Vec<Vec<u32>> {
    let mut merged: Vec<BTreeSet<u32>> = Vec::new();
    for found in all {
        merged.resize(found.len().max(merged.len()), BTreeSet::new());
        merged.iter_mut().zip(found).for_each(|(merged, found)| merged.extend(found));
    }
    merged.into_iter().map(|merged| merged.into_iter().collect()).collect()
}

/// The things that something was done to last, each once.
fn latest(history: &History) -> Vec<u32> {
    let mut deeds: Vec<(f64, u32)> =
        history.events().iter().filter(|past| past.kind != Kind::Returned).map(|past| (past.age, past.thing)).collect();
    deeds.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut things: Vec<u32> = Vec::new();
    for (_, thing) in deeds {
        if !things.contains(&thing) {
            things.push(thing);
            if things.len() == LATEST {
                break;
            }
        }
    }
    things
}

/// Customers who consent, at a moment (nanoseconds), in an order drawn by lot.
pub fn asking(session: &Session, seed: u64, moment: i64) -> Result<RecordBatch> {
    let customers = session.engine().read(&TableName::new("sources", "customers"))?;
    let consents = truths(&customers, "sql/sources/customers.sql", "personalisation_consent")?;
    let asked: BooleanArray = consents.into_iter().map(Some).collect();
    let customers = filter_record_batch(&customers, &asked).map_err(RankError::Arrow)?;
    let names = texts(&customers, "customers", KEY[0])?;
    let mut order: Vec<u32> = (0..names.len() as u32).collect();
    order.sort_by_key(|at| (seeds::mix(seed, [shelf::name_of(&[&names[*at as usize]])]), *at));
    let rows = take_record_batch(&customers, &UInt32Array::from(order)).map_err(RankError::Arrow)?;
    at(&rows, moment)
}

/// The same requests at a moment.
pub fn at(requests: &RecordBatch, moment: i64) -> Result<RecordBatch> {
    let as_of: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(moment, requests.num_rows()));
    batch_of("grain.request", [(KEY[0], Arc::clone(column(requests, "the requests", KEY[0])?)), (KEY[1], as_of)])
}

/// What of the audience decides over a shelf: the key of `sql/recommend/offered.sql`, less what names an article.
fn group_keys(session: &Session, rows: &RecordBatch) -> Result<Vec<String>> {
    let mut keys = vec![String::new(); rows.num_rows()];
    for name in session.key_of_offers()? {
        for (key, text) in keys.iter_mut().zip(texts(rows, "audience", &name)?) {
            key.push_str(&text);
            key.push('\u{1f}');
        }
    }
    Ok(keys)
}

fn groups(
    session: &Session,
    on_sale: &OnSale,
    places: &HashMap<u32, usize>,
) -> Result<HashMap<String, [Vec<bool>; 2]>> {
    let offered = session.engine().read(&TableName::new("recommend", "offered"))?;
    let (products, seasons) = (texts(&offered, "offered", KEY[2])?, texts(&offered, "offered", KEY[3])?);
    let new = truths(&offered, "sql/recommend/offered.sql", "new")?;
    let mut groups: HashMap<String, [Vec<bool>; 2]> = HashMap::new();
    for (row, key) in group_keys(session, &offered)?.into_iter().enumerate() {
        let number = on_sale.number(&products[row], &seasons[row]);
        if let Some(place) = number.and_then(|number| places.get(&number)) {
            let [may, is_new] = groups.entry(key).or_insert_with(|| [vec![false; places.len()], vec![false; places.len()]]);
            may[*place] = true;
            is_new[*place] = new[row];
        }
    }
    Ok(groups)
}

fn popular(session: &Session, on_sale: &OnSale, places: &HashMap<u32, usize>) -> Result<HashMap<String, Vec<u32>>> {
    let (table, file) = (session.engine().read(&TableName::new("recommend", "popular"))?, "sql/recommend/popular.sql");
    let (products, seasons) = (texts(&table, "popular", KEY[2])?, texts(&table, "popular", KEY[3])?);
    let regions = texts(&table, "popular", "region")?;
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

fn texts(rows: &RecordBatch, file: &str, name: &str) -> Result<Vec<String>> {
    let texts = cast(column(rows, &format!("sql/recommend/{file}.sql"), name)?, &DataType::Utf8);
    let texts = texts.map_err(RankError::Arrow)?;
    Ok(texts.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}
