//! The promises of the monitor, on many simulated shops and through the product's own queries: the large version of
//! tests/it/monitor_quality.rs.  Prints a table and writes reports/monitoring-quality.md.
//!
//!     make bench-monitoring

#[path = "../tests/it/shop.rs"]
#[allow(dead_code, reason = "only a part of the tests' shop is needed")]
mod shop;
#[path = "../tests/it/simulated.rs"]
mod simulated;
#[path = "../tests/it/simulated_log.rs"]
mod simulated_log;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use selvedge::engine::{Engine, batch_of, read_rows};
use selvedge::monitor::batched::{self, Cell};
use selvedge::monitor::draws::binomial;
use selvedge::monitor::{Accused, Draw, Lines, LinesOf, Raised, Sure};
use selvedge::project::Project;
use selvedge::sql::TableName;
use serde::Deserialize;

use shop::Shop;
use simulated::{DAYS, Event, Kind, REFERENCE, Setting, quiet, raised, until};
use simulated_log::Pace;

/// Shops without any change, for each setting: a share of 5 % is then known to less than a point.
const QUIET: u64 = 800;
/// Shops to which something happens, and those of whom it is asked who is told.
const SHOPS: u64 = 100;
const MANY: u64 = 200;
/// Logs whose outcomes are forecast: as many whole shops, whose ranges are then known to hold to some two points.
const FORECAST: u64 = 200;
/// Shops whose groups are treated alike.
const EQUAL: u64 = 1000;
/// The line of the specification's own simulations, where a report's own would take too long to draw.
const LINE: f64 = 4.0;

/// What was promised and what came of it.
struct Row {
    setting: String,
    promise: &'static str,
    measured: String,
    met: bool,
}

fn main() {
    let folder = Shop::new(30);
    folder.must(&["ingest"]);
    let mut project = selvedge::open(Some(&folder.path(""))).unwrap();
    // Fewer shuffles than a report draws, for so many quiet shops; what is found is found with a report's own number.
    let whole = project.params.monitor.permutations;
    project.params.monitor.permutations = 200;
    let mut rows = Told::default();
    for shown in [20.0, 100.0, 1000.0] {
        for base in [0.03, 0.28] {
            for shock in [0.0, 0.1, 0.2] {
                rows.push(quiet_shops(&project, Setting { shown, base, shock, week: 0.1 }));
            }
        }
    }
    let usual = Setting { shown: 100.0, base: 0.28, shock: 0.1, week: 0.1 };
    for week in [0.2, 0.4] {
        rows.push(quiet_shops(&project, Setting { shown: 25.0, week, ..usual }));
    }
    project.params.monitor.permutations = whole;
    rows.extend(drops(&project, usual));
    rows.extend(whose(
        &project,
        usual,
        to_15,
        &AGE_1,
        "28 to 15 in 100 in one segment",
        Some((99, "clear in at least 99 %")),
    ));
    let small = Setting { shown: 20.0, ..usual };
    rows.extend(whose(&project, small, to_15, &AGE_1, "28 to 15 in 100 in one segment", None));
    rows.extend(whose(
        &project,
        small,
        to_10,
        &AGE_1,
        "28 to 10 in 100 in one segment",
        Some((80, "clear in at least 80 %")),
    ));
    // The same odds as 28 to 15, the other way: a rise is news like a fall.
    rows.extend(whose(&project, small, to_46, &AGE_1, "28 to 46 in 100 in one segment", None));
    rows.push(onsets(&project, usual));
    rows.extend(whose(
        &project,
        usual,
        two_fell,
        &AGES_1_3,
        "28 to 15 in 100 in two segments",
        Some((95, "both clear in at least 95 %")),
    ));
    for shock in [0.0, 0.1] {
        rows.extend(outages(&project, Setting { shown: 1000.0, shock, ..usual }));
    }
    for shown in [100.0, 1000.0] {
        rows.push(seasons(&project, Setting { shown, ..usual }));
    }
    rows.push(louder_days(&project, Setting { shown: 1000.0, ..usual }));
    let values = simulated_log::values(&folder.read("materials/customers.csv"));
    let pace = Pace { shown: 250, days: 60, clicked: 0.28, bought: 0.08, jumps: 0.0, fell: 1.0 };
    let settings = [
        ("nothing changes", pace),
        ("days jump by 0.3 of it", Pace { jumps: 0.3, ..pace }),
        ("clicks fall by half on the last ten days", Pace { fell: 0.5, ..pace }),
        ("purchases come without clicks", Pace { clicked: 0.0, ..pace }),
    ];
    for (setting, pace) in settings {
        rows.extend(forecasts(&project, setting, pace, &values));
    }
    rows.extend(fairness(&project));
    let rows = rows.0;
    let met = rows.iter().filter(|row| row.met).count();
    let text = format!(
        "# How well the monitor keeps its promises\n\nMeasured on simulated shops whose truth is known: {QUIET} without any change for each setting, {SHOPS} or {MANY} with one, twelve overlapping \
         segments, {REFERENCE} days to compare with and {} watched, through the product's own queries. {met} of {} promises are met; where a share \
         is told with its error, it may lie beyond its line by that much. Made by `make bench-monitoring`; the small version of it runs with the tests.\n\n{}",
        DAYS - REFERENCE,
        rows.len(),
        table(&rows)
    );
    std::fs::write(format!("{}/reports/monitoring-quality.md", shop::ROOT), text).unwrap();
}

fn table(rows: &[Row]) -> String {
    let mut out = "| setting | promise | measured | met |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let met = if row.met { "yes" } else { "**no**" };
        out += &format!("| {} | {} | {} | {met} |\n", row.setting, row.promise, row.measured);
    }
    out
}

/// The rows so far; each is printed as it comes.
#[derive(Default)]
struct Told(Vec<Row>);

impl Told {
    fn push(&mut self, row: Row) {
        report(&row);
        self.0.push(row);
    }

    fn extend(&mut self, rows: Vec<Row>) {
        rows.into_iter().for_each(|row| self.push(row));
    }
}

fn report(row: &Row) {
    println!("{}: {}: {} {}", row.setting, row.promise, row.measured, if row.met { "" } else { "NOT MET" });
}

fn named(setting: Setting) -> String {
    format!(
        "{} shown to a segment a day, {} in 100 clicked, days move by {}, weeks by {}",
        setting.shown,
        (setting.base * 100.0).round(),
        setting.shock,
        setting.week
    )
}

fn shops(count: u64, setting: Setting, event: Event) -> Vec<Vec<Cell>> {
    (0..count).map(|seed| simulated::shop(&format!("shop {seed:03}/click"), setting, event, 1000 + seed)).collect()
}

fn lines(logs: &[Vec<Cell>]) -> BTreeMap<String, LinesOf> {
    let lines = Lines { clear: LINE, possible: 2.5 };
    logs.iter().flatten().map(|cell| (cell.log.to_string(), LinesOf { shop: lines, segments: lines })).collect()
}

fn logs_with(raised: &[Raised], is: impl Fn(&Raised) -> bool) -> BTreeSet<String> {
    raised.iter().filter(|alert| is(alert)).map(|alert| alert.metric.clone()).collect()
}

fn share(count: usize, of: usize) -> String {
    format!("{:.1} % ({count} of {of})", 100.0 * count as f64 / of as f64)
}

/// What so many shops say of a share is no nearer to it than this.
fn error(share: f64, shops: usize) -> f64 {
    (share * (1.0 - share) / shops as f64).sqrt()
}

/// Every shop draws its own lines, as a report does.
fn quiet_shops(project: &Project, setting: Setting) -> Row {
    let logs = shops(QUIET, setting, quiet);
    let accused = simulated::accused(project, &logs, Draw::Shuffled);
    let logs_in = |sure: Sure| -> BTreeSet<&str> {
        accused.iter().filter(|accused| accused.sure == sure).map(|accused| accused.metric.as_str()).collect()
    };
    let (loud, maybe) = (logs_in(Sure::Clear).len(), logs_in(Sure::Possible).len());
    let (promise, most) = ("clear in at most 5 %, possible in at most 20 %", 0.05);
    let of = logs.len() as f64;
    let error = |most: f64| error(most, logs.len());
    let measured =
        format!("{}, {}, give or take {:.1}", share(loud, logs.len()), share(maybe, logs.len()), 100.0 * error(most));
    let met = loud as f64 / of <= most + error(most) && maybe as f64 / of <= 0.2 + error(0.2);
    Row { setting: format!("no change, {}", named(setting)), promise, measured, met }
}

/// Segments that changed.
const AGE_1: [(&str, &str); 1] = [("age", "1")];
const AGES_1_3: [(&str, &str); 2] = [("age", "1"), ("age", "3")];

fn to(rate: f64, number: usize, changed: bool) -> (f64, f64) {
    (1.0, if number >= REFERENCE && changed { rate / 28.0 } else { 1.0 })
}

fn to_15(number: usize, kind: Kind) -> (f64, f64) {
    to(15.0, number, kind[0] == 1)
}

fn to_10(number: usize, kind: Kind) -> (f64, f64) {
    to(10.0, number, kind[0] == 1)
}

fn to_46(number: usize, kind: Kind) -> (f64, f64) {
    to(46.0, number, kind[0] == 1)
}

fn two_fell(number: usize, kind: Kind) -> (f64, f64) {
    to(15.0, number, kind[0] == 1 || kind[0] == 3)
}

/// Who is told: those that changed, one of two, or somebody else.
fn whose(
    project: &Project,
    setting: Setting,
    event: simulated::Event,
    truth: &[(&str, &str)],
    what: &str,
    clear: Option<(usize, &'static str)>,
) -> Vec<Row> {
    let logs = shops(MANY, setting, event);
    let accused = simulated::accused(project, &logs, Draw::Shuffled);
    let (mut right, mut named_too, mut wrong) = (0, 0, 0);
    for log in &logs {
        let own: Vec<&Accused> = accused.iter().filter(|accused| *accused.metric == *log[0].log).collect();
        let is =
            |accused: &Accused, (column, value): &(&str, &str)| (&*accused.who.0, &*accused.who.1) == (*column, *value);
        let is_told = |who: &(&str, &str)| own.iter().any(|accused| accused.is_certain() && is(accused, who));
        let is_named = |who: &(&str, &str)| own.iter().any(|accused| accused.rivals.len() < 2 && is(accused, who));
        right += usize::from(truth.iter().all(is_told));
        named_too += usize::from(truth.iter().all(is_named));
        wrong += usize::from(own.iter().any(|own| own.is_certain() && !truth.iter().any(|who| is(own, who))));
    }
    let setting = format!("{what}, {}", named(setting));
    let of = logs.len();
    let row = |promise, count, met| Row { setting: setting.clone(), promise, measured: share(count, of), met };
    vec![
        match clear {
            Some((percent, promise)) => row(promise, right, right * 100 >= of * percent),
            None => row("clear, or one of two possible, in at least 55 %", named_too, named_too * 100 >= of * 55),
        },
        row("somebody else accused in at most 5 %", wrong, wrong * 20 <= of),
    ]
}

/// Where a fall of one segment is clear: how far the day since when it is told is from the true one.
fn onsets(project: &Project, setting: Setting) -> Row {
    let (mut told, mut near) = (0, 0);
    let who = (AGE_1[0].0.to_owned(), AGE_1[0].1.to_owned());
    for logs in shops(MANY, setting, to_15).chunks(100) {
        let found = batched::judge(project, &simulated::members(), &logs.concat(), Draw::Shuffled).unwrap();
        let windows: Vec<Onset> = read_rows(&found.rounds, "rounds").unwrap();
        for accused in found.accused.iter().filter(|accused| accused.is_certain() && accused.who == who) {
            let own = windows.iter().find(|row| {
                (&row.metric, row.round) == (&accused.metric, accused.round)
                    && (&row.segment_column, &row.segment_value) == (&accused.who.0, &accused.who.1)
            });
            told += 1;
            near += usize::from(own.is_some_and(|own| own.from_day.abs_diff(REFERENCE as i64 + 1) <= 1));
        }
    }
    Row {
        setting: format!("28 to 15 in 100 in one segment, {}", named(setting)),
        promise: "told since the right day, give or take one, in at least 80 %",
        measured: share(near, told),
        met: told > 0 && near * 100 >= told * 80,
    }
}

#[derive(Deserialize)]
struct Onset {
    metric: String,
    round: i64,
    segment_column: String,
    segment_value: String,
    from_day: i64,
}

fn drops(project: &Project, setting: Setting) -> Vec<Row> {
    let full = shops(SHOPS, setting, to_15);
    let is_fallen = |alert: &Raised| alert.segment_column == "age" && alert.segment_value == "1";
    let name = |log: &[Cell], days: usize| format!("{} after {days:02}/click", log[0].log);
    let mut days = Vec::new();
    let mut blamed = 0;
    for few in full.chunks(20) {
        let replays: Vec<Vec<Cell>> = few
            .iter()
            .flat_map(|log| (1..=DAYS - REFERENCE).map(|n| until(log, &name(log, n), REFERENCE + n)))
            .collect();
        let raised = raised(project, &replays, Draw::Given(&lines(&replays)));
        let found = logs_with(&raised, is_fallen);
        days.extend(
            few.iter().map(|log| (1..=DAYS - REFERENCE).find(|n| found.contains(&name(log, *n))).unwrap_or(99)),
        );
        let ends: BTreeSet<String> = few.iter().map(|log| name(log, DAYS - REFERENCE)).collect();
        blamed += logs_with(&raised, |alert| !is_fallen(alert) && ends.contains(&alert.metric)).len();
    }
    days.sort_unstable();
    let setting = format!("28 to 15 in 100 in one segment, {} (line {LINE})", named(setting));
    let found = days.iter().filter(|n| **n < 99).count();
    let (median, most) = (days[days.len() / 2], days[days.len() * 9 / 10]);
    let row = |promise, measured, met| Row { setting: setting.clone(), promise, measured, met };
    vec![
        row("found within ten days in at least 99 %", share(found, days.len()), found * 100 >= days.len() * 99),
        row("half of them within 4 days, 90 % within 6", format!("{median} and {most} days"), median <= 4 && most <= 6),
        row("another segment blamed in at most 5 %", share(blamed, days.len()), blamed * 20 <= days.len()),
    ]
}

fn outage(number: usize, _: Kind) -> (f64, f64) {
    (1.0, if (DAYS - 2..DAYS).contains(&number) { 0.7 } else { 1.0 })
}

fn outages(project: &Project, setting: Setting) -> Vec<Row> {
    let logs = shops(MANY, setting, outage);
    let raised = raised(project, &logs, Draw::Shuffled);
    let of_shop = logs_with(&raised, |alert| alert.segment_column == "shop").len();
    let of_segments = logs_with(&raised, |alert| alert.segment_column != "shop").len();
    let setting = format!("30 % fewer for everyone on two days, {}", named(setting));
    let error = error(0.95, logs.len());
    let found = format!("{}, give or take {:.1}", share(of_shop, logs.len()), 100.0 * error);
    let row = |promise, measured, met| Row { setting: setting.clone(), promise, measured, met };
    vec![
        row("the whole shop is an alert in at least 95 %", found, of_shop as f64 / logs.len() as f64 >= 0.95 - error),
        row("a segment is an alert in at most 5 %", share(of_segments, logs.len()), of_segments * 20 <= logs.len()),
    ]
}

fn season(number: usize, kind: Kind) -> (f64, f64) {
    let more = if number >= REFERENCE && kind[0] == 0 { 3.0 } else { 1.0 };
    (more, if kind[0] == 0 { 0.7 } else { 1.0 })
}

fn seasons(project: &Project, setting: Setting) -> Row {
    let logs = shops(SHOPS, setting, season);
    let raised = raised(project, &logs, Draw::Given(&lines(&logs)));
    let loud = logs_with(&raised, |_| true).len();
    let setting = format!("three times as much shown to an age that clicks less, {} (line {LINE})", named(setting));
    let met = loud * 20 <= logs.len();
    Row { setting, promise: "anything is an alert in at most 5 %", measured: share(loud, logs.len()), met }
}

fn louder(number: usize, _: Kind) -> (f64, f64) {
    (if number >= REFERENCE { 3.0 } else { 1.0 }, 1.0)
}

fn louder_days(project: &Project, setting: Setting) -> Row {
    let logs = shops(SHOPS, setting, louder);
    let loud = logs_with(&raised(project, &logs, Draw::Shuffled), |_| true).len();
    let setting = format!("three times as much shown to everyone, {}", named(setting));
    let met = loud * 20 <= logs.len();
    Row { setting, promise: "anything is an alert in at most 5 %", measured: share(loud, logs.len()), met }
}

/// Ranges by what they are about, and the whole shop's figure for the days watched.
fn forecasts(project: &Project, what: &str, pace: Pace, values: &[BTreeMap<String, String>]) -> Vec<Row> {
    let as_of = project.params.shop.exported_at;
    let mut held: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for seed in 0..FORECAST {
        let (log, truth) = simulated_log::log(pace, as_of, values.len(), 1000 + seed);
        for named in selvedge::monitor::forecasts(project, as_of, &log).unwrap() {
            let (shown, ended) = truth.of(&named, values);
            let ((lower, rate, upper), share) = (named.range(), ended as f64 / shown as f64);
            let about = match (&*named.segment_column, &*named.span) {
                ("shop", "reference" | "watched") => "the whole shop",
                ("shop", span) if span.starts_with("week") => "weeks",
                ("shop", _) => "days",
                _ => "segments",
            };
            let tally = held.entry((named.metric, about)).or_default();
            tally.0 += usize::from(lower - 1e-9 <= share && share <= upper + 1e-9);
            tally.1 += 1;
            if (&*named.segment_column, &*named.span) == ("shop", "watched") {
                let sum = sums.entry(named.metric).or_default();
                *sum = (sum.0 + rate * shown as f64, sum.1 + ended as f64);
            }
        }
    }
    let setting = |metric: &str| format!("forecasts of {metric}, 250 shown a day, 8 in 100 bought, {what}");
    let mut rows: Vec<Row> = held
        .into_iter()
        .map(|((metric, about), (held, tried))| {
            let (lower, upper) = (0.88 - error(0.88, tried), 0.97 + error(0.97, tried));
            Row {
                setting: format!("{}: {about}", setting(metric)),
                promise: "ranges hold the truth in 88 to 97 %",
                measured: format!("{}, give or take {:.1}", share(held, tried), 100.0 * error(0.88, tried)),
                met: (lower..=upper).contains(&(held as f64 / tried as f64)),
            }
        })
        .collect();
    rows.extend(sums.into_iter().map(|(metric, (forecast, came))| Row {
        setting: setting(metric),
        promise: "at most 3 % too high or too low",
        measured: format!("{:+.1} %", (forecast / came - 1.0) * 100.0),
        met: (forecast / came - 1.0).abs() <= 0.03,
    }));
    rows
}

/// Five groups of a hundred shown a day, the first clicking `of_rest` times as often as the others, over so many days.
fn groups(project: &Project, shops: u64, days: i32, of_rest: f64) -> Vec<Gap> {
    let mut random = ChaCha8Rng::seed_from_u64(77);
    let (mut metric, mut column, mut value) = (vec![], vec![], vec![]);
    let (mut shown_on, mut mature, mut yes) = (vec![], vec![], vec![]);
    for shop in 0..shops {
        for day in 0..days {
            let clicks = [of_rest, 1.0, 1.0, 1.0, 1.0].map(|times| binomial(&mut random, 100, 0.28 * times) as i64);
            let rows = clicks.iter().enumerate().map(|(group, clicks)| ("group", group.to_string(), 100, *clicks));
            for row in rows.chain([("shop", "all".to_owned(), 500, clicks.iter().sum())]) {
                metric.push(format!("shop {shop:04}"));
                column.push(row.0);
                value.push(row.1);
                shown_on.push(22_000 + day);
                mature.push(row.2);
                yes.push(row.3);
            }
        }
    }
    let texts = |texts: Vec<String>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
    let engine = Engine::new(project).unwrap();
    let register = |table, columns| {
        engine.register(&TableName::new("monitoring", table), batch_of(table, columns).unwrap()).unwrap();
    };
    register(
        "daily",
        vec![
            ("metric", texts(metric)),
            ("segment_column", Arc::new(StringArray::from(column)) as ArrayRef),
            ("segment_value", texts(value)),
            ("shown_on", Arc::new(Date32Array::from(shown_on))),
            ("mature", Arc::new(Int64Array::from(mature))),
            ("mature_yes", Arc::new(Int64Array::from(yes))),
        ],
    );
    let owner = ["group", "customers"].map(|text| texts(vec![text.to_owned()]));
    register("segment_columns", ["segment_column", "owner"].into_iter().zip(owner).collect());
    let file = project.library.file(&TableName::new("monitoring", "fairness")).unwrap();
    let gaps: Vec<Gap> = read_rows(&engine.run(project, file).unwrap(), "fairness").unwrap();
    gaps.into_iter().filter(|gap| gap.state == "confirmed_gap").collect()
}

#[derive(Deserialize)]
struct Gap {
    metric: String,
    segment_value: String,
    state: String,
}

fn fairness(project: &Project) -> Vec<Row> {
    let falsely: BTreeSet<String> = groups(project, EQUAL, 28, 1.0).into_iter().map(|gap| gap.metric).collect();
    let found = groups(project, SHOPS, 10, 0.6).into_iter().filter(|gap| gap.segment_value == "0");
    let found: BTreeSet<String> = found.map(|gap| gap.metric).collect();
    vec![
        Row {
            setting: "five equal groups of 100 shown a day, looked at every day for 28 days".into(),
            promise: "no confirmed gap in 1,000 shops",
            measured: share(falsely.len(), EQUAL as usize),
            met: falsely.is_empty(),
        },
        Row {
            setting: "one of five groups of 100 shown a day clicks 0.6 times as often".into(),
            promise: "the gap is confirmed within ten days in most shops",
            measured: share(found.len(), SHOPS as usize),
            met: found.len() as u64 * 2 > SHOPS,
        },
    ]
}
