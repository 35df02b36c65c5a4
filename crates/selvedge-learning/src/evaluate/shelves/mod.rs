//! The rankings judged on test visits: whole shelves, lists as delivered, new articles alone, histories cut short; and what
//! each rule of taste costs.

mod cold;
mod long;
mod tables;

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};

use super::EvaluateError;
use crate::protocol::{Board, FIGURES, Judged, Protocol, Visit, lots};
use crate::rank::{self, CHAIN, POPULARITY, Periods, Ranking, SPEAKERS, Which, baseline, customer, named};
use crate::recommend::{list, rules, worth};
use crate::shelf::{self, Outcomes, Past, Session, Shelves, column, requests_of, truths};
use crate::train::Fitted;
use models::bootstrap::Resampled;
use models::logistic::Logistic;
use recommenders::lists::Rules;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;

use self::long::Long;
pub use self::tables::tables;

/// "Others also bought", as the shop shows it today.
pub const ALSO_BOUGHT: &str = "others also bought";
/// The one-stage model of `reports/model.md`, as a ranking.
pub const GIVEN_A_LOOK: &str = "kept, given a look";
/// The chain without what is made from descriptions.
pub const WITHOUT_DESCRIPTIONS: &str = "chain without descriptions";
/// The rules of taste, as the price list names them, and the list that knows none.
const RULES: [&str; 3] = ["share of a brand", "places for new articles", "both together"];
const AS_DELIVERED: &str = "as delivered";

/// All that was judged.
pub struct JudgedShelves {
    pub judged: Vec<Judged>,
    pub prices: Judged,
    pub promise: Option<Promise>,
    /// The ranking that lists are made by.
    pub shown: &'static str,
    /// Names the rankings, in the order of the first board.
    pub versions: Vec<(String, String)>,
}

impl JudgedShelves {
    /// The figures of the lists as they would be delivered, by ranking.
    pub fn delivered(&self) -> BTreeMap<String, BTreeMap<&'static str, Option<f64>>> {
        let delivered = self.judged.iter().find(|judged| judged.protocol == Protocol::ShelfDelivered);
        let of = |judged: &Judged, ranking: &String| {
            let figure = |name: &'static str| (name, judged.of(ranking, name).map(|range| range.value));
            (ranking.clone(), FIGURES.into_iter().map(figure).collect())
        };
        delivered.iter().flat_map(|judged| judged.rankings.iter().map(|ranking| of(judged, ranking))).collect()
    }
}

/// What delivered lists promised, over all lists: kept purchases expected, and how many came.
pub struct Promise {
    pub lists: usize,
    pub customers: usize,
    pub expected: f64,
    pub came: usize,
    /// How many more were expected than came, with its range by customer.
    pub surplus: models::bootstrap::Interval,
}

/// The rankings that there are.
struct Rankings<'a> {
    given_a_look: Option<&'a Logistic>,
    chain: Option<&'a Ranking>,
    /// The name of what validation chose.
    speaker: Option<&'static str>,
    without: Option<&'a Ranking>,
}

/// Scores of one ranking, and the logarithms of what they are worth.
struct Scored {
    name: &'static str,
    scores: Vec<f64>,
    worth: Vec<f64>,
    /// Whether lists made by it know the rules of taste; what the shop shows today does not.
    ruled: bool,
}

impl Rankings<'_> {
    fn names(&self) -> Vec<&'static str> {
        let mut names = vec![POPULARITY, ALSO_BOUGHT];
        names.extend(self.given_a_look.map(|_| GIVEN_A_LOOK));
        names.extend(self.chain.map(|_| CHAIN));
        names.extend(self.speaker());
        names.extend(self.without.map(|_| WITHOUT_DESCRIPTIONS));
        names
    }

    /// What speaks in the place of the chain, where something does.
    fn speaker(&self) -> Option<&'static str> {
        self.speaker.filter(|_| self.chain.is_some_and(|ranking| ranking.blend.is_some()))
    }

    fn scored(&self, past: &Past, rows: &RecordBatch, shelves: &Shelves) -> Result<Vec<Scored>> {
        let in_shop = baseline(shelves, "popular_in_shop")?;
        let popular = baseline(shelves, "popular")?;
        let also = baseline(shelves, "also_bought")?;
        // What nobody bought with it stands in the order of what is popular.
        let most = popular.iter().fold(1.0_f64, |most, score| most.max(score.abs()));
        let also: Vec<f64> = also.iter().zip(&popular).map(|(also, score)| also + score / (2.0 * most)).collect();
        let plain = |name, scores: Vec<f64>| Scored {
            name,
            worth: scores.iter().map(|score| worth(*score)).collect(),
            scores,
            ruled: false,
        };
        let mut all = vec![plain(POPULARITY, in_shop), plain(ALSO_BOUGHT, also)];
        if let Some(model) = self.given_a_look {
            let scores =
                model.predict(rows).map_err(|cause| EvaluateError::OtherFrame { model: GIVEN_A_LOOK, cause })?;
            all.push(Scored { ruled: true, ..plain(GIVEN_A_LOOK, scores) });
        }
        let mut ranked = |name, scores: Vec<f64>| all.push(Scored { name, worth: scores.clone(), scores, ruled: true });
        if let Some(ranking) = self.chain {
            ranked(CHAIN, ranking.chain_scores(rows)?);
            if let Some(name) = self.speaker() {
                ranked(name, ranking.scores(rows, past)?);
            }
        }
        if let Some(ranking) = self.without {
            ranked(WITHOUT_DESCRIPTIONS, ranking.chain_scores(rows)?);
        }
        Ok(all)
    }
}

/// Judges everything on the visits of the test period whose outcome is known.
pub fn judge(project: &Project, look: &Fitted) -> Result<JudgedShelves> {
    let given_a_look = look.model.as_ref();
    let (fitted, without) = (rank::load(project, Which::Judged)?, rank::load(project, Which::WithoutDescriptions)?);
    let (chain, plain) = (fitted.ranking.as_ref(), without.ranking.as_ref());
    let chosen = fitted.gate.as_ref().map_or("", |gate| gate.speaker.as_str());
    let speaker = SPEAKERS.into_iter().find(|name| *name == chosen);
    let rankings = Rankings { given_a_look, chain, speaker, without: plain };
    let session = Session::new(project)?;
    let periods = Periods::of(session.engine())?;
    let visits = shelf::visits(project, session.engine())?;
    let outcomes = Outcomes::of(project, &Engine::new(project)?, &visits)?;
    let seed = project.params.rank.seed;
    let visits = outcomes.known_between(&visits, periods.test_from, periods.observed_until)?;
    let visits = shelf::judged(&session, &visits, seed)?;
    let session = session.narrowed_to(&visits)?;
    let past = chain.map_or_else(|| Ok(Past::default()), |ranking| ranking.past(&session))?;
    let (long, visits) = match Long::of(&session, &outcomes, chain, &past, (&visits, seed))? {
        Some((long, visits)) => (Some(long), visits),
        None => (None, visits),
    };
    let retrieve = long.as_ref().map(|long| |visits: &RecordBatch| long.retrieved(visits));
    let retrieve = retrieve.as_ref().map(|of| of as &dyn Fn(&RecordBatch) -> Result<RecordBatch>);
    let names = rankings.names();
    let mut boards = [Protocol::ShelfVisit, Protocol::ShelfDelivered, Protocol::NewArticles]
        .map(|protocol| Board::new(protocol, &names));
    let priced: Vec<&str> = std::iter::once(AS_DELIVERED).chain(RULES).collect();
    let mut prices = Board::new(Protocol::ShelfDelivered, &priced);
    let shown = if fitted.speaks() { rankings.speaker().unwrap_or(CHAIN) } else { POPULARITY };
    let mut promised: Vec<(String, f64, f64)> = Vec::new();
    session.each(&outcomes, &visits, retrieve, |rows, shelves| {
        let scored = rankings.scored(&past, rows, shelves)?;
        let own = (rankings.speaker().unwrap_or(CHAIN), chain);
        part(project, rows, (shelves, long.as_ref()), &scored, &mut boards, (shown, &mut prices), own, &mut promised)
    })?;
    let params = &project.params.evaluate;
    let mut judged = Vec::new();
    for board in boards {
        judged.push(board.judged(params.draws, params.seed)?);
    }
    if let Some(chain) = chain {
        let own = (rankings.speaker().unwrap_or(CHAIN), chain);
        judged.extend(cold::judge(project, own, (&session, &outcomes), &visits, (long.as_ref(), retrieve))?);
    }
    let mut versions = vec![
        (CHAIN.to_owned(), fitted.version()),
        (WITHOUT_DESCRIPTIONS.to_owned(), without.version()),
        (GIVEN_A_LOOK.to_owned(), look.version()),
    ];
    let prices = prices.judged(params.draws, params.seed)?;
    versions.extend(speaker.map(|name| (name.to_owned(), fitted.version())));
    Ok(JudgedShelves { judged, prices, promise: promise(project, &promised)?, shown, versions })
}

#[expect(clippy::too_many_arguments, reason = "one part of the visits, and the boards that it is put on")]
fn part(
    project: &Project,
    rows: &RecordBatch,
    (shelves, long): (&Shelves, Option<&Long>),
    scored: &[Scored],
    boards: &mut [Board; 3],
    (shown, prices): (&str, &mut Board),
    (own, chain): (&str, Option<&Ranking>),
    promised: &mut Vec<(String, f64, f64)>,
) -> Result<()> {
    let (kept, looked) = (truths(rows, "the shelf", "kept")?, truths(rows, "the shelf", "looked")?);
    let new = truths(&shelves.candidates, "sql/recommend/candidates.sql", "new")?;
    let brands = column(&shelves.candidates, "sql/recommend/candidates.sql", "brand")?.as_string::<i32>();
    let (names, articles) = (shelf::requests(rows)?, shelf::articles(rows)?);
    let rules = rules(&project.params.recommend);
    let none = Rules { brand_share: None, at_least_new: 0, ..rules };
    let places = project.params.recommend.per_customer;
    for range in requests_of(rows)? {
        let lots = lots(project.params.rank.seed, names[range.start], articles[range.clone()].iter().copied());
        let (kept, looked) = (&kept[range.clone()], &looked[range.clone()]);
        let customer = customer(rows, range.start)?;
        let name = named(names[range.start], &articles[range.clone()], kept);
        let others = long.map(|long| long.others(names[range.start], &articles[range.clone()]));
        let visit = Visit { kept, looked, others: others.as_deref(), lots: &lots, places };
        // Only what was new counts; the rest is neither found nor missed.
        let kept_new: Vec<bool> = kept.iter().zip(&new[range.clone()]).map(|(kept, new)| *kept && *new).collect();
        let of_new = Visit { kept: &kept_new, ..visit };
        let by_rules = |scored: &Scored, rules: Rules| {
            let brands = range.clone().map(|row| brands.is_valid(row).then(|| brands.value(row)));
            list(&scored.worth[range.clone()], brands, &new[range.clone()], rules).0
        };
        let delivered = |scored: &Scored| match scored.ruled {
            true => by_rules(scored, rules),
            false => visit.first(&scored.scores[range.clone()]),
        };
        let scores = |scored: &'_ Scored| scored.scores[range.clone()].to_vec();
        let [whole, lists, of_new_articles] = &mut *boards;
        let figures = |of: &Visit, list: &dyn Fn(&Scored) -> Vec<usize>| -> Vec<_> {
            scored.iter().map(|one| of.figures(&scores(one), &list(one))).collect()
        };
        whole.add(&customer, &name, figures(&visit, &|one| visit.first(&scores(one))));
        lists.add(&customer, &name, figures(&visit, &delivered));
        of_new_articles.add(&customer, &name, figures(&of_new, &delivered));
        if let Some(one) = scored.iter().find(|one| one.name == shown) {
            let ruled = if one.ruled { rules } else { none };
            let without = [ruled, Rules { brand_share: None, ..ruled }, Rules { at_least_new: 0, ..ruled }, none];
            let found = without.map(|rules| visit.figures(&scores(one), &by_rules(one, rules)));
            prices.add(&customer, &name, found.into());
        }
        if let (Some(one), Some(chain)) = (scored.iter().find(|one| one.name == own), chain) {
            let list = delivered(one);
            let expected: Option<f64> = list.iter().map(|row| chain.chance(one.scores[range.start + row])).sum();
            let came = list.iter().filter(|row| kept[**row]).count() as f64;
            promised.extend(expected.map(|expected| (customer, expected, came)));
        }
    }
    Ok(())
}

/// What lists promised against what came.
fn promise(project: &Project, promised: &[(String, f64, f64)]) -> Result<Option<Promise>> {
    let customers: Vec<&str> = promised.iter().map(|(customer, _, _)| customer.as_str()).collect();
    let mut distinct = customers.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let came = promised.iter().map(|(_, _, came)| came).sum::<f64>() as usize;
    if came < project.params.evaluate.enough {
        return Ok(None);
    }
    let surplus = |times: &dyn Fn(usize) -> u32| -> f64 {
        let rows = promised.iter().enumerate();
        rows.map(|(row, (_, expected, came))| f64::from(times(row)) * (expected - came)).sum()
    };
    let params = &project.params.evaluate;
    let drawn = Resampled::run(&customers, params.draws, params.seed, surplus).map_err(EvaluateError::Bootstrap)?;
    Ok(drawn.interval(|surplus| Some(*surplus)).map(|surplus| Promise {
        lists: promised.len(),
        customers: distinct.len(),
        expected: promised.iter().map(|(_, expected, _)| expected).sum(),
        came,
        surplus,
    }))
}
