//! What is on sale at a moment, ready to be searched for who asks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;
use recommenders::dense::dot;
use recommenders::lists::top_by;
use recommenders::nearest::{Graph, GraphSettings, scan, smallest_width};
use recommenders::retrieve::{History, Kind};
use recommenders::tower::Catalogue as Things;

use super::tables::{at, group_keys, groups, popular, texts};
use super::union;
use crate::rank::{RankError, Ranking};
use crate::shelf::{self, KEY, OnSale, Past, Session, Thing, moments, truths};
use selvedge_features::features::View;
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// What stands beside what the first pass finds: of each generator, of what is popular, of what is new, of what was done last,
/// of the customer's own brands.
const OF_GENERATOR: usize = 20;
const POPULAR: usize = 40;
const NEW: usize = 20;
const LATEST: usize = 30;
/// Of so many brands that the customer did most with, so many each.
const BRANDS: usize = 6;
const OF_BRAND: usize = 15;
/// Articles from which on, where many customers ask, a graph is searched and not every vector.
const GRAPH_FROM: usize = 20_000;
/// Its recall is measured on so many customers, and is to be at least this; otherwise every vector is looked at.
const GRAPH_MEASURED: usize = 1_000;
const GRAPH_RECALL: f64 = 0.99;

/// Which articles may be shown to a customer, by name, number and season.
pub type May<'a> = &'a (dyn Fn(&str, &str, &str) -> bool + Sync);

/// What is on sale at a moment, ready to be searched.
pub struct Catalogue {
    pub(super) on_sale: OnSale,
    /// Rows of `sources.products`.
    pub(super) articles: Vec<u32>,
    /// By row, its place among them.
    places: HashMap<u32, usize>,
    /// By what of the audience decides over the shelf, which articles may be sent there, and which of them are new.
    groups: HashMap<String, [Vec<bool>; 2]>,
    /// By region, articles by popularity; that in the shop under no name.
    popular: HashMap<String, Vec<u32>>,
    /// What views say of articles whoever asks, at that moment.
    known: Vec<View>,
    pub(super) search: Option<Search>,
}

/// The first pass.
pub(super) struct Search {
    pub ranking: Arc<Ranking>,
    /// How many it finds.
    width: usize,
    things: Things,
    vectors: Array2<f64>,
    /// With the width at which it finds nearly all.
    graph: Option<(Graph, usize)>,
}

/// Those who ask, with what their shelves are searched by.
pub struct Asked {
    customers: Vec<String>,
    groups: Vec<String>,
    regions: Vec<String>,
    /// None where nothing personal is known, or may be used.
    queries: Vec<Option<(Vec<f64>, History)>>,
}

impl Catalogue {
    /// Of a moment (nanoseconds), for these customers and whoever is sent the same; without a ranking what is popular is found.
    ///
    /// # Errors
    /// Queries of `sql/recommend` that cannot be answered, or features that are not those of the ranking.
    pub fn at(session: &Session, ranking: Option<&Arc<Ranking>>, customers: &RecordBatch, moment: i64) -> Result<Self> {
        let on_sale = session.on_sale()?;
        let articles = on_sale.at(moment);
        session.make_for(at(customers, moment)?, &["offered", "popular"])?;
        let places: HashMap<u32, usize> = articles.iter().copied().zip(0..).collect();
        let (groups, popular) = (groups(session, &on_sale, &places)?, popular(session, &on_sale, &places)?);
        let mut known = Vec::new();
        let search = match ranking.filter(|_| !articles.is_empty() && customers.num_rows() > 0) {
            Some(ranking) => {
                let one = at(&customers.slice(0, 1), moment)?;
                let rows = on_sale.beside(&one, std::slice::from_ref(&articles))?;
                known = session.views_of_articles(&rows)?;
                Search::of(ranking, &session.features_with(&rows, known.clone())?)?
            }
            None => None,
        };
        Ok(Self { on_sale, articles, places, groups, popular, known, search })
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
            let shape = (queries.len(), search.vectors.ncols());
            let sample = Array2::from_shape_fn(shape, |(row, at)| queries[row][at]);
            let graph = Graph::new(search.vectors.view(), GraphSettings::default());
            let width = smallest_width(&graph, search.vectors.view(), sample.view(), search.width, GRAPH_RECALL);
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
        let width = self.search.as_ref().map_or(0, |search| search.width);
        Ok(self.found(&asked, past, width, may))
    }

    /// What of the shelves of `requests` a list of what others also bought is made from, as rows of `sources.products`.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn bought_together(&self, session: &Session, requests: &RecordBatch) -> Result<Vec<Vec<u32>>> {
        let file = "sql/recommend/bought_together.sql";
        session.make_for(shelf::key_of(requests)?, &["bought_together"])?;
        let table = session.engine().read(&TableName::new("recommend", "bought_together"))?;
        let (products, firsts) = (texts(&table, file, KEY[2])?, texts(&table, file, "first_season")?);
        let customers = shelf::numbers(&table, file, "customers")?;
        let mut of_request: HashMap<u64, Vec<(f64, Thing)>> = HashMap::new();
        let things = products.into_iter().zip(firsts);
        for ((row, request), thing) in shelf::requests(&table)?.into_iter().enumerate().zip(things) {
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

    /// The brands that most was done with, in their order; of equal ones those earlier in the alphabet.
    fn brands_of(&self, history: &History, past: &Past) -> Vec<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for deed in history.events().iter().filter(|deed| deed.kind != Kind::Returned) {
            let articles =
                past.things.keys.get(deed.thing as usize).map_or(&[][..], |thing| self.on_sale.of_thing(thing));
            if let Some(brand) = articles.first().and_then(|article| self.on_sale.brand(*article)) {
                *counts.entry(brand).or_default() += 1;
            }
        }
        let mut brands: Vec<(&str, usize)> = counts.into_iter().collect();
        brands.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        brands.into_iter().take(BRANDS).map(|(brand, _)| brand).collect()
    }

    /// What the list that the shop shows today is made from, as `sql/recommend/retrieved.sql` returns it.
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
    pub fn ask(&self, session: &Session, requests: &RecordBatch, past: Option<&Past>) -> Result<Asked> {
        let names = shelf::requests(requests)?;
        session.make_for(shelf::key_of(requests)?, &["audience"])?;
        let audience = session.engine().read(&TableName::new("recommend", "audience"))?;
        let places: HashMap<u64, usize> = shelf::requests(&audience)?.into_iter().zip(0..).collect();
        let place: Vec<Option<usize>> = names.iter().map(|name| places.get(name).copied()).collect();
        let file = "sql/recommend/audience.sql";
        let (keys, regions) = (group_keys(session, &audience, file)?, texts(&audience, file, "region")?);
        let personal = truths(&audience, file, "personal")?;
        let of = |values: &[String]| -> Vec<String> {
            place.iter().map(|at| at.map_or_else(String::new, |at| values[at].clone())).collect()
        };
        let customers = texts(requests, "the requests", KEY[0])?;
        let mut queries: Vec<Option<(Vec<f64>, History)>> = vec![None; names.len()];
        if let (Some(search), Some(first), Some(past)) = (&self.search, self.articles.first(), past) {
            let asked: BooleanArray = place.iter().map(|at| Some(at.is_some_and(|at| personal[at]))).collect();
            let who = filter_record_batch(requests, &asked).map_err(RankError::Arrow)?;
            // Of who asks, whatever the article is.
            let rows = self.on_sale.beside(&who, &vec![vec![*first]; who.num_rows()])?;
            let rows = session.features_with(&rows, self.known.clone())?;
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
    pub fn found(&self, asked: &Asked, past: &Past, width: usize, may: Option<May>) -> Vec<Vec<u32>> {
        let of_request = |at: usize| -> Vec<u32> {
            let group = self.groups.get(&asked.groups[at]);
            let allowed = |place: usize| {
                let wanted = |may: May| {
                    let (product, season) = self.on_sale.key(self.articles[place]);
                    may(&asked.customers[at], product, season)
                };
                group.is_none_or(|[may, _]| may[place]) && may.is_none_or(wanted)
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
                for brand in self.brands_of(history, past) {
                    let articles = self.on_sale.of_brand(brand).iter();
                    let places: Vec<usize> = articles.filter_map(|article| self.places.get(article).copied()).collect();
                    found.extend(search.among(&places, query, OF_BRAND, allowed));
                }
                let things = latest(history).into_iter().chain(search.ranking.generated(history, OF_GENERATOR));
                let things = things.filter_map(|thing| past.things.keys.get(thing as usize));
                found.extend(self.places_of(things).filter(|place| allowed(*place)));
            }
            found.into_iter().map(|place| self.articles[place]).collect()
        };
        (0..asked.customers.len()).into_par_iter().map(of_request).collect()
    }
}

impl Search {
    /// `rows`: the features of one row of each article.  Nothing for a ranking of whole shelves.
    fn of(ranking: &Arc<Ranking>, rows: &RecordBatch) -> Result<Option<Self>> {
        let Some(retrieval) = &ranking.retrieval else { return Ok(None) };
        let matrix = ranking.columns.apply(rows)?;
        let chain =
            ranking.chain.article_vectors(matrix.view(), &ranking.columns.of_article()).map_err(RankError::Model)?;
        let tower = retrieval.tower.article_vectors(matrix.view())?;
        let both = concatenate(Axis(1), &[chain.view(), tower.view()]);
        let vectors = both.unwrap_or_else(|_| Array2::zeros((0, 0)));
        let vectors = vectors.as_standard_layout().to_owned();
        let (things, width) = (retrieval.tower.past()?, retrieval.width);
        Ok(Some(Self { ranking: Arc::clone(ranking), width, things, vectors, graph: None }))
    }

    fn query(&self, matrix: ArrayView2<f64>, row: usize, history: &History) -> Result<Vec<f64>> {
        let mut query = self.ranking.chain.customer_vector(matrix.slice(s![row, ..]));
        if let Some(retrieval) = &self.ranking.retrieval {
            query.extend(retrieval.tower.customer_vector(&self.things, matrix, row, history)?);
        }
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

    /// The same by looking at some places, which are in order.
    fn among(&self, places: &[usize], query: &[f64], width: usize, allowed: impl Fn(usize) -> bool) -> Vec<usize> {
        let product = |at: usize| dot(self.vectors.row(places[at]).to_slice().unwrap_or_default(), query);
        let found = top_by(places.len(), width, product, |at| allowed(places[at]));
        found.into_iter().map(|(at, _)| places[at as usize]).collect()
    }
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
