//! Simulated shops whose truth is known: the same random numbers for the same seed.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge::monitor::batched::{Cell, Membership, judge};
use selvedge::monitor::draws::{binomial, normal};
use selvedge::monitor::{Accused, Draw, Raised};
use selvedge::project::Project;

/// Three columns of four values: twelve segments that overlap, sixty-four kinds of customers.
pub const COLUMNS: [&str; 3] = ["age", "region", "taste"];
pub const VALUES: usize = 4;
/// Days of a log; the product's parameters compare with the first twenty.
pub const DAYS: usize = 30;
pub const REFERENCE: usize = 20;

/// What a simulated shop is like.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Shown to each segment on a day.
    pub shown: f64,
    /// The share that is clicked.
    pub base: f64,
    /// How much all of the shop moves together from day to day, in logits.
    pub shock: f64,
    /// How far Sundays are from the mean of the week, in logits.
    pub week: f64,
}

/// The values of a customer in the three columns.
pub type Kind = [usize; 3];

/// What happens to one kind of customer on one day (counted from 0): a factor for what is shown, and one for the rate.
pub type Event = fn(usize, Kind) -> (f64, f64);

pub fn quiet(_: usize, _: Kind) -> (f64, f64) {
    (1.0, 1.0)
}

fn kinds() -> impl Iterator<Item = Kind> {
    (0..VALUES.pow(3)).map(|n| [n / VALUES / VALUES, n / VALUES % VALUES, n % VALUES])
}

fn profile(kind: Kind) -> String {
    kind.map(|value| value.to_string()).join("/")
}

fn day(number: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2031, 3, 3).unwrap() + Days::new(number as u64)
}

/// Which segments each kind of customer belongs to, the whole shop among them.
pub fn members() -> Vec<Membership> {
    let mut members = Vec::new();
    for kind in kinds() {
        members.push((profile(kind), "shop".into(), "all".into()));
        members.extend(
            COLUMNS.iter().zip(kind).map(|(column, value)| (profile(kind), (*column).to_owned(), value.to_string())),
        );
    }
    members
}

/// One shop's log, as counts.
pub fn shop(name: &str, setting: Setting, event: Event, seed: u64) -> Vec<Cell> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let each = setting.shown / (VALUES * VALUES) as f64;
    let (mut cells, name): (_, Arc<str>) = (Vec::new(), name.into());
    for number in 0..DAYS {
        let week = setting.week * (std::f64::consts::TAU * number as f64 / 7.0).sin();
        let moved = setting.shock * normal(&mut random) + week;
        for kind in kinds() {
            let (more, factor) = event(number, kind);
            // Counts vary about as much as those of independent visitors.
            let twice = 2.0 * each * more;
            let whole = twice.floor() as u64 + u64::from(random.r#gen::<f64>() < twice.fract());
            let shown = binomial(&mut random, whole, 0.5);
            let odds = (setting.base / (1.0 - setting.base)) * moved.exp();
            let yes = binomial(&mut random, shown, (odds / (1.0 + odds) * factor).min(1.0));
            cells.push(Cell {
                log: Arc::clone(&name),
                profile: profile(kind).into(),
                shown_on: day(number),
                shown,
                yes,
            });
        }
    }
    cells
}

/// The log as it was known after the first so many days, under a name of its own.
pub fn until(cells: &[Cell], name: &str, days: usize) -> Vec<Cell> {
    let name: Arc<str> = name.into();
    let known = cells.iter().filter(|cell| cell.shown_on < day(days));
    known.map(|cell| Cell { log: Arc::clone(&name), ..cell.clone() }).collect()
}

/// Who is accused by reports on these logs, each a report of its own.
pub fn accused(project: &Project, logs: &[Vec<Cell>], draw: Draw) -> Vec<Accused> {
    let judged = logs.chunks(200).map(|logs| judge(project, &members(), &logs.concat(), draw).unwrap());
    judged.flat_map(|looked| looked.accused).collect()
}

/// What these reports raise as clear.
pub fn raised(project: &Project, logs: &[Vec<Cell>], draw: Draw) -> Vec<Raised> {
    accused(project, logs, draw).iter().filter(|accused| accused.is_certain()).map(Accused::raised).collect()
}
