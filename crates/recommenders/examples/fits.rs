//! How long fits and lists take on generated shops: `fits page` prints reports/fits.md, `fits CUSTOMERS EVENTS THINGS` one
//! shop's part of it, such as `fits 2000 15000 600`, and `fits CUSTOMERS ARTICLES` lists for everybody from a long shelf.

use std::{
    error::Error,
    io::{Write, stdout},
    time::Instant,
};

use ndarray::{Array2, s};
use rand::Rng;
use rayon::prelude::*;
use recommenders::{
    boosted::{Boosted, BoostedSettings},
    chain::{Chain, Cross, Head, Keep, KeptShares, Terms, others},
    lists::{Rules, choose},
    nearest::{Graph, GraphSettings, scan, smallest_width},
    rank::Ranker,
    retrieve::{
        AlsoBought, Content, Ease, Event, Ials, IalsSettings, Interactions, ItemKnn, ItemKnnSettings, Kind, Past,
        Popularity, Recency, Retriever, Rp3Beta, Rp3BetaSettings, Slim, SlimSettings,
    },
    seeds,
    tower::{Tower, TowerSettings, Visit},
};

/// Columns of the shelf: numbers, then a description, then styles and price bands.
const NUMBERS: usize = 60;
const DESCRIPTION: usize = 24;
const STYLES: usize = 8;
const BANDS: usize = 3;
const WIDTH: usize = NUMBERS + DESCRIPTION + STYLES + BANDS;
/// Looks of a visit, and articles drawn beside them: fewer where there would be too many rows (`rank.most_rows`).
const LOOKS: usize = 3;
const OTHERS: usize = 30;
const FEWEST: usize = 5;
const MOST_ROWS: usize = 200_000;
/// Articles on sale.
const SHELF: usize = 115;
/// Articles that are retrieved for each customer.
const NEAREST: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == ["page"] {
        return page();
    }
    let numbers: Result<Vec<usize>, _> = words.iter().map(|word| word.parse()).collect();
    match numbers?[..] {
        [customers, events, things] => shop(customers, events, things),
        [customers, articles] => everybody(customers, articles),
        _ => Err("fits page, fits CUSTOMERS EVENTS THINGS, or fits CUSTOMERS ARTICLES".into()),
    }
}

/// The report.
fn page() -> Result<(), Box<dyn Error>> {
    writeln!(
        stdout(),
        "# How long fits and lists take\n\nOn generated numbers, on {} threads, one after the other; as many rows as the stage `rank` learns from, with its \
         settings. Made by `make bench-fits`.\n",
        rayon::current_num_threads()
    )?;
    for (name, [customers, events, things]) in
        [("A shop like the client's", [2000, 15_000, 600]), ("Ten times as large", [20_000, 150_000, 1500])]
    {
        writeln!(stdout(), "## {name}: {customers} customers, {events} events\n\n| what | seconds |\n|---|---:|")?;
        shop(customers, events, things)?;
        writeln!(stdout(), "\nThe most memory so far: {}.\n", memory())?;
    }
    let (customers, articles) = (100_000, 20_000);
    writeln!(
        stdout(),
        "## {articles} articles on sale, {customers} customers\n\nEach customer's 200 nearest articles by the two-tower's vectors, of those that may be shown, \
         ranked by the chain, ten of them chosen by the rules of lists.\n\n| what | seconds |\n|---|---:|"
    )?;
    everybody(customers, articles)?;
    writeln!(stdout(), "\nThe most memory so far: {}.", memory())?;
    Ok(())
}

/// The most memory that this program had, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.map_or("unknown".into(), |kilobytes| format!("{:.0} MiB", kilobytes / 1024.0))
}

/// Tells how long something took.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> Result<T, Box<dyn Error>> {
    let since = Instant::now();
    let done = work();
    writeln!(stdout(), "| {what} | {:.2} |", since.elapsed().as_secs_f64())?;
    Ok(done)
}

fn shop(customers: usize, count: usize, things: usize) -> Result<(), Box<dyn Error>> {
    let mut random = seeds::stream(1, "shop", 0);
    let kinds = [Kind::Looked, Kind::Looked, Kind::Looked, Kind::Wished, Kind::Bought];
    let event = |random: &mut rand_chacha::ChaCha8Rng| {
        // Some things are looked at more often than others.
        let thing = (random.gen_range(0.0_f64..1.0).powi(2) * things as f64) as u32;
        let past = Past { thing, kind: kinds[random.gen_range(0..5)], age: random.gen_range(0.0..400.0) };
        Event { customer: random.gen_range(0..customers as u32), past }
    };
    let events: Vec<Event> = (0..count).map(|_| event(&mut random)).collect();
    let interactions = timed("interactions", || Interactions::new(customers, things, events.iter().copied()))??;
    let descriptions = Array2::from_shape_simple_fn((things, 64), || random.gen_range(-1.0..1.0));
    let recency = Recency::HalfLife(180.0);
    let all: Vec<Box<dyn Retriever>> = vec![
        Box::new(timed("popularity", || Popularity::fit(&interactions, 60.0, 0.001))?),
        Box::new(timed("also bought", || AlsoBought::fit(&interactions))??),
        Box::new(timed("item-kNN", || ItemKnn::fit(&interactions, ItemKnnSettings::default()))??),
        Box::new(timed("RP3beta", || Rp3Beta::fit(&interactions, Rp3BetaSettings::default()))??),
        Box::new(timed("EASE", || Ease::fit(&interactions, 300.0, recency))??),
        Box::new(timed("SLIM", || Slim::fit(&interactions, SlimSettings::default()))??),
        Box::new(timed("iALS", || Ials::fit(&interactions, IalsSettings::default()))??),
        Box::new(timed("content", || Content::fit(&interactions, descriptions.view()))??),
    ];
    timed("scores of all generators for everybody", || {
        interactions
            .histories()
            .par_iter()
            .map(|history| all.iter().map(|model| model.scores(history).len()).sum::<usize>())
            .sum::<usize>()
    })?;
    rankers(customers, count, things, &interactions)
}

fn rankers(customers: usize, count: usize, things: usize, interactions: &Interactions) -> Result<(), Box<dyn Error>> {
    let mut random = seeds::stream(1, "visits", 0);
    let visits = count * 2 / 3 / LOOKS;
    let others_of_visit = (MOST_ROWS / visits.max(1)).saturating_sub(LOOKS).clamp(FEWEST, OTHERS);
    let rows = LOOKS + others_of_visit;
    // Then fewer visits are learned from.
    let visits = visits.min(MOST_ROWS / rows);
    let mut matrix = Array2::<f64>::zeros((visits * rows, WIDTH));
    let (mut labels, mut grades) = (Vec::new(), Vec::new());
    for (row, mut line) in matrix.rows_mut().into_iter().enumerate() {
        line.slice_mut(s![..NUMBERS + DESCRIPTION]).mapv_inplace(|_| random.gen_range(-1.7..1.7));
        // A visit's customer has the same styles and band in all rows.
        let visit = row / rows;
        line[NUMBERS + DESCRIPTION + visit % STYLES] = 1.0;
        line[NUMBERS + DESCRIPTION + visit / STYLES % STYLES] = 1.0;
        line[NUMBERS + DESCRIPTION + STYLES + visit % BANDS] = 1.0;
        let looked = row % rows < LOOKS;
        if looked {
            line[0] += 0.5;
            line[NUMBERS + visit % STYLES] += 0.7;
        }
        labels.push(looked);
        grades.push(if looked { 1 + (row % 4) as u8 } else { 0 });
    }
    timed("drawing others", || {
        let articles: Vec<u64> = (0..SHELF as u64).collect();
        (0..visits as u64)
            .into_par_iter()
            .map(|visit| others(0, visit, &articles, &[false; SHELF], others_of_visit).len())
            .sum::<usize>()
    })?;
    let terms = Terms {
        linear: (0..WIDTH).collect(),
        crosses: vec![
            Cross {
                by: (NUMBERS + DESCRIPTION..NUMBERS + DESCRIPTION + STYLES).collect(),
                columns: (NUMBERS..NUMBERS + DESCRIPTION).collect(),
            },
            Cross { by: (NUMBERS + DESCRIPTION + STYLES..WIDTH).collect(), columns: vec![0, 1] },
        ],
    };
    let what = format!("chain, look: {} rows, {} terms", matrix.nrows(), terms.len());
    let look = timed(&what, || Head::fit(matrix.view(), &labels, &terms, &[300.0]))??.remove(0);
    let looks: Vec<usize> = (0..labels.len()).filter(|row| labels[*row]).collect();
    let of_looks = matrix.select(ndarray::Axis(0), &looks);
    let bought: Vec<bool> = looks.iter().map(|row| grades[*row] > 2).collect();
    let buy = timed("chain, buy", || Head::fit(of_looks.view(), &bought, &terms, &[100.0]))??.remove(0);
    let keep = Keep::Shares(KeptShares::fit(of_looks.view(), &bought, 0, None)?);
    let chain = Chain { weight: 1.0, look, buy, keep: keep.clone() };
    let queries = vec![rows; visits];
    // As it stands beside the chain: fewer and bolder trees than by itself.
    let settings = BoostedSettings { trees: 60, rate: 0.12, columns: 0.25, ..BoostedSettings::default() };
    timed("LambdaMART, 60 trees", || Boosted::fit(matrix.view(), &grades, &queries, settings))??;
    let articles = Array2::from_shape_simple_fn((things, 95), || random.gen_range(-1.0..1.0));
    let visit = |number: usize| Visit {
        customer: (0..30).map(|at| f64::from(u8::from(at % 7 == number % 7))).collect(),
        history: interactions.histories()[number % customers].clone(),
        first_row: number * rows,
        articles: (0..rows).map(|at| ((number * 7 + at * 13) % things) as u32).collect(),
        looked: (0..rows).map(|at| at < LOOKS).collect(),
        bought: (0..rows).map(|at| at == 0 && number.is_multiple_of(3)).collect(),
        wished: vec![false; rows],
    };
    let learned: Vec<Visit> = (0..visits).map(visit).collect();
    let (affinity, record): (Vec<usize>, Vec<usize>) = ((0..20).collect(), (20..35).collect());
    timed("two-tower", || {
        Tower::fit(articles.view(), matrix.view(), &learned, (&affinity, &record), keep, TowerSettings::default())
    })??;
    let shelf = matrix.slice(s![..SHELF.min(matrix.nrows()), ..]);
    timed("lists by the chain for everybody", || {
        let list = |_: usize| -> Result<usize, recommenders::ModelError> {
            let scores = chain.scores(shelf)?;
            Ok(choose(&scores, &vec![None; scores.len()], &vec![false; scores.len()], Rules::default()).len())
        };
        (0..customers).into_par_iter().map(list).collect::<Result<Vec<usize>, _>>()
    })??;
    Ok(())
}

/// Lists for everybody from a shelf that is too long to be ranked as a whole.
fn everybody(customers: usize, articles: usize) -> Result<(), Box<dyn Error>> {
    let mut random = seeds::stream(1, "vectors", 0);
    let mut draw = |rows, columns| Array2::from_shape_simple_fn((rows, columns), || seeds::normal(&mut random, 1.0));
    let (vectors, queries): (Array2<f64>, Array2<f64>) = (draw(articles, 9), draw(customers, 9));
    let columns: Array2<f64> = draw(articles, WIDTH);
    let terms = Terms { linear: (0..WIDTH).collect(), crosses: Vec::new() };
    let labels: Vec<bool> = (0..2000).map(|row| columns[[row % articles, 0]] > 0.3).collect();
    let rows = Array2::from_shape_fn((2000, WIDTH), |(row, column)| columns[[row % articles, column]]);
    let head = Head::fit(rows.view(), &labels, &terms, &[100.0])?.remove(0);
    let keep = Keep::Shares(KeptShares::fit(rows.view(), &labels, 1, None)?);
    let chain = Chain { weight: 1.0, look: head.clone(), buy: head, keep };
    let brands: Vec<u32> = (0..articles as u32).map(|article| article * 7 % 400).collect();
    // One of nine articles is not sent to the customer's country.
    let allowed = |customer: usize, article: u32| !(article as usize + customer).is_multiple_of(9);
    let graph = timed("graph of the articles", || Graph::new(vectors.view(), GraphSettings::default()))?;
    let held_out = queries.slice(s![..1000.min(customers), ..]);
    let width = timed("choosing how widely it is searched", || {
        smallest_width(&graph, vectors.view(), held_out, NEAREST, 0.99)
    })?;
    let list = |customer: usize, nearest: Vec<(u32, f64)>| -> Result<usize, recommenders::ModelError> {
        let found: Vec<usize> = nearest.into_iter().map(|(article, _)| article as usize).collect();
        let scores = chain.scores(columns.select(ndarray::Axis(0), &found).view())?;
        let of_brand: Vec<Option<u32>> = found.iter().map(|article| Some(brands[*article])).collect();
        let new: Vec<bool> = found.iter().map(|article| (article + customer).is_multiple_of(11)).collect();
        Ok(choose(&scores, &of_brand, &new, Rules::default()).len())
    };
    let query = |customer: usize| queries.row(customer).to_vec();
    let scanned = |customer: usize| scan(vectors.view(), &query(customer), NEAREST, |row| allowed(customer, row));
    timed("lists for everybody, every article scanned", || {
        (0..customers).into_par_iter().map(|customer| list(customer, scanned(customer))).collect::<Result<Vec<_>, _>>()
    })??;
    let Some((width, recall)) = width else {
        writeln!(stdout(), "| no width of the search finds 99 of 100, so the scan must do | |")?;
        return Ok(());
    };
    let searched = |customer: usize| graph.search(&query(customer), NEAREST, width, |row| allowed(customer, row));
    let what = format!("lists for everybody, searched {width} wide (recall@{NEAREST} {recall:.4})");
    timed(&what, || {
        (0..customers).into_par_iter().map(|customer| list(customer, searched(customer))).collect::<Result<Vec<_>, _>>()
    })??;
    Ok(())
}
