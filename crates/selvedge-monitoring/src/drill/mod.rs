//! The fire drill: a drop is put into a copy of the real log, and the monitor must notice it.

pub mod injection;
mod replay;
mod sweep;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use serde::Serialize;

use crate::monitor;
use replay::{Replays, Seen};
use selvedge_engine::{Engine, Staged, Table, batch_of};
use selvedge_project::error::{Advice, Error, Result, did_you_mean};
use selvedge_project::params::{Segment, Shift, Standing};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::stage::Stage;

#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    #[error("nothing was shown to a segment {segment}")]
    NoSegment { segment: String, known: Vec<String> },
    #[error("a drop cannot begin on {from}: the log goes from {first} to {last}")]
    NotInLog { from: String, first: String, last: String },
    #[error("no day of the log is watched yet: the days to compare with are not complete")]
    NothingWatched,
    #[error("there is no log yet: sources.recommendations has no rows")]
    NoLog,
    #[error("{} no longer noticed in time: {}", if missed.len() == 1 { "a drop is" } else { "drops are" }, missed.join("; "))]
    Missed { missed: Vec<String> },
    #[error("{table} is not what was expected: {cause}")]
    Shape { table: &'static str, cause: String },
}

impl Advice for DrillError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoSegment { segment, known } => {
                let fallback = format!("the segments are {}", known.join(", "));
                did_you_mean(segment, known.iter().map(String::as_str), &fallback)
            }
            Self::NotInLog { .. } => "name one of these days".into(),
            Self::NothingWatched => "wait for more days, or lower monitor.reference_days in params.yaml".into(),
            Self::NoLog => "hold drills once something has been shown".into(),
            Self::Missed { .. } => {
                "find out what made the monitor worse; for another log, write its own drills in params.yaml".into()
            }
            Self::Shape { .. } => "give the query the columns it had, or change the stage with it".into(),
        })
    }
}

/// How one drill of the standing set went.
#[derive(Debug, Clone, Serialize)]
pub struct Drilled {
    segment: String,
    drop_percent: f64,
    from: String,
    noticed_within: u32,
    /// After so many days of it an alert stood; none if none did in the days allowed.
    noticed_after: Option<u32>,
    /// What else stood that does not stand without the drop.
    also_raised: Vec<String>,
    /// Why the drill could not be held, where it could not.
    not_held: Option<String>,
}

/// How often a drop of one depth was noticed in time, in one segment.
#[derive(Debug, Clone, Serialize)]
pub struct Depth {
    pub segment_column: String,
    pub segment_value: String,
    pub drop_percent: u32,
    pub tried: u32,
    pub noticed: u32,
}

#[derive(Serialize)]
struct File<'a> {
    standing: &'a [Drilled],
    within_days: u32,
    smallest: Vec<Smallest>,
}

/// The smallest drop from which on every one that was tried is noticed at least four times in five.
#[derive(Serialize)]
struct Smallest {
    segment: String,
    /// An alert stands without any drill, so nothing can be said about smaller ones.
    alert_stands: bool,
    drop_percent: Option<u32>,
}

/// Holds one drill and says how it went.
pub fn one(project: &Project, shift: &Shift) -> Result<()> {
    let progress = Progress::start("drill");
    if !monitor::has_log(&Engine::new(project)?) {
        return Err(DrillError::NoLog.into());
    }
    let mut replays = Replays::new(project)?;
    replays.check(shift)?;
    let (lost, of) = replays.loss(shift)?;
    progress.say(format!(
        "{lost} of {of} clicks and purchases of {} since {} are taken out of a copy of the log",
        shift.segment, shift.from
    ));
    let compared = replays.compared_since(shift.from);
    if compared > 0 {
        progress.say(format!(
            "{compared} of the days that the others are compared with hold the drop too, so it looks smaller than it is"
        ));
    }
    let mut noticed = None;
    for ((_, days), Seen { noticed: now, others }) in replays.seen(&[(shift, replays.days_since(shift.from))])? {
        let also = if others.is_empty() { String::new() } else { format!("; also raised: {}", others.join(", ")) };
        progress.say(format!("after {days} days: {}{also}", if now { "noticed" } else { "not noticed" }));
        noticed = noticed.or(now.then_some(days));
    }
    progress.done(match noticed {
        Some(days) => format!("noticed after {days} days"),
        None => "not noticed in the days there are".to_owned(),
    });
    Ok(())
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "drill",
    about: "Drops put into copies of the log, to see which are noticed -> work/drill and reports/drills.json",
    layers: &[],
    sections: &["monitor", "drill"],
    keeps: &[("drill", "drill")],
    makes: &["drill.depths", "drill.standing"],
    run: |project| run(project).map(|_| ()),
};

/// Runs the stage, the standing set and the depths: `work/drill/*.parquet` and `reports/drills.json`.  Returns the
/// drills that were not noticed in time.
pub fn run(project: &Project) -> Result<Vec<String>> {
    let progress = Progress::start("drill");
    let mut standing = Vec::new();
    let mut depths = Vec::new();
    let replays = match monitor::has_log(&Engine::new(project)?) {
        true => Replays::new(project),
        false => Err(DrillError::NoLog.into()),
    };
    match replays {
        Ok(mut replays) => {
            standing = hold(&mut replays, &project.params.drill.standing)?;
            depths = sweep::depths(project, &replays)?;
        }
        Err(error) => {
            let why = error.in_a_line();
            standing.extend(project.params.drill.standing.iter().map(|drill| not_held(drill, Some(&why))));
        }
    }
    let missed: Vec<String> = standing.iter().filter(|drilled| drilled.missed()).map(Drilled::in_short).collect();
    write(project, &standing, &depths)?;
    let mut held = standing.len();
    for (drilled, why) in standing.iter().filter_map(|drilled| Some((drilled, drilled.not_held.as_ref()?))) {
        held -= 1;
        progress.say(format!("not held: {}: {why}", drilled.in_short()));
    }
    let of = format!("{} of {held} drills noticed in time", held - missed.len());
    progress.done(match standing.len() - held {
        0 => format!("{of}; see reports/drills.json"),
        others => format!("{of}, {others} could not be held; see reports/drills.json"),
    });
    Ok(missed)
}

/// Fails when a drill of the standing set was missed.
pub fn refuse_missed(missed: Vec<String>) -> Result<()> {
    if missed.is_empty() { Ok(()) } else { Err(DrillError::Missed { missed }.into()) }
}

/// Holds the drills of the standing set, all in one pass.
fn hold(replays: &mut Replays, standing: &[Standing]) -> Result<Vec<Drilled>> {
    // Another shop's segment or day: said in the report, and the other drills are held.
    let refused: Vec<Option<Error>> = standing.iter().map(|drill| replays.check(&drill.shift).err()).collect();
    let days = |(drill, refused): (&Standing, &Option<Error>)| match refused {
        Some(_) => 0,
        None => drill.noticed_within.min(replays.days_since(drill.shift.from)),
    };
    let most: Vec<u32> = standing.iter().zip(&refused).map(days).collect();
    let drills: Vec<(&Shift, u32)> = standing.iter().map(|drill| &drill.shift).zip(most).collect();
    let seen = replays.seen(&drills)?;
    let held = |(number, (drill, refused)): (usize, (&Standing, Option<Error>))| {
        let mut drilled = not_held(drill, None);
        drilled.not_held = refused.map(|error| error.in_a_line());
        for ((_, days), seen) in seen.range((number, 0)..(number + 1, 0)) {
            drilled.also_raised.clone_from(&seen.others);
            if seen.noticed {
                drilled.noticed_after = Some(*days);
                break;
            }
        }
        drilled
    };
    Ok(standing.iter().zip(refused).enumerate().map(held).collect())
}

fn not_held(drill: &Standing, why: Option<&str>) -> Drilled {
    Drilled {
        segment: drill.shift.segment.to_string(),
        drop_percent: (drill.shift.drop * 1000.0).round() / 10.0,
        from: drill.shift.from.to_string(),
        noticed_within: drill.noticed_within,
        noticed_after: None,
        also_raised: Vec::new(),
        not_held: why.map(str::to_owned),
    }
}

impl Drilled {
    fn missed(&self) -> bool {
        self.noticed_after.is_none() && self.not_held.is_none()
    }

    fn in_short(&self) -> String {
        format!("{} by {}% from {}", self.segment, self.drop_percent, self.from)
    }
}

/// Whether an alert stands without any drop: noticed in at least half of the tries.
pub fn stands(tried: u64, noticed: u64) -> bool {
    tried > 0 && noticed * 2 >= tried
}

/// The place of the smallest drop from which on all are noticed in at least four tries out of five; of each drop how often it
/// was tried and noticed, the smallest first.
pub fn noticed_from(drops: &[(u64, u64)]) -> Option<usize> {
    let held = |(tried, noticed): &&(u64, u64)| *tried > 0 && noticed * 5 >= tried * 4;
    let holding = drops.iter().rev().take_while(held).count();
    (holding > 0).then(|| drops.len() - holding)
}

/// What is noticed in each segment; depths are in order.
fn smallest(depths: &[Depth]) -> Vec<Smallest> {
    let mut segments: BTreeMap<Segment, Vec<&Depth>> = BTreeMap::new();
    for depth in depths {
        let segment = Segment { column: depth.segment_column.clone(), value: depth.segment_value.clone() };
        segments.entry(segment).or_default().push(depth);
    }
    let of_segment = |(segment, depths): (Segment, Vec<&Depth>)| {
        let tries = |depth: &&Depth| (u64::from(depth.tried), u64::from(depth.noticed));
        let (without, drops): (Vec<&Depth>, Vec<&Depth>) =
            depths.into_iter().partition(|depth| depth.drop_percent == 0);
        let alert_stands = without.iter().map(tries).any(|(tried, noticed)| stands(tried, noticed));
        let place = noticed_from(&drops.iter().map(tries).collect::<Vec<_>>()).filter(|_| !alert_stands);
        Smallest {
            segment: segment.to_string(),
            alert_stands,
            drop_percent: place.map(|place| drops[place].drop_percent),
        }
    };
    segments.into_iter().map(of_segment).collect()
}

fn write(project: &Project, standing: &[Drilled], depths: &[Depth]) -> Result<()> {
    let days = project.params.drill.days;
    let file = File { standing, within_days: days, smallest: smallest(depths) };
    let staged = Staged::new(&project.paths, "drill")?;
    let key = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let tables = [
        ("standing", standing_table(standing)?, key(&["number"])),
        ("depths", depths_table(depths, days)?, key(&["segment_column", "segment_value", "drop_percent"])),
    ];
    for (name, batch, key) in tables {
        staged.table(&project.paths.drill(), Some(name), &Table::new(batch, &key, name)?, &[])?;
    }
    staged.json(&project.paths.drills_json(), None, &file)?;
    staged.commit()
}

fn standing_table(standing: &[Drilled]) -> Result<RecordBatch> {
    let texts =
        |of: fn(&Drilled) -> Option<String>| Arc::new(standing.iter().map(of).collect::<StringArray>()) as ArrayRef;
    let numbers = |of: fn(&Drilled) -> Option<u32>| {
        Arc::new(standing.iter().map(|d| of(d).map(i64::from)).collect::<Int64Array>())
    };
    batch_of(
        "standing",
        vec![
            ("number", Arc::new(Int64Array::from_iter_values(1..=standing.len() as i64)) as ArrayRef),
            ("segment", texts(|d| Some(d.segment.clone()))),
            ("drop_percent", Arc::new(Float64Array::from_iter_values(standing.iter().map(|d| d.drop_percent)))),
            ("from_day", texts(|d| Some(d.from.clone()))),
            ("noticed_within", numbers(|d| Some(d.noticed_within))),
            ("noticed_after", numbers(|d| d.noticed_after)),
            ("also_raised", texts(|d| Some(d.also_raised.join(", ")))),
            ("not_held", texts(|d| d.not_held.clone())),
        ],
    )
}

fn depths_table(depths: &[Depth], days: u32) -> Result<RecordBatch> {
    let texts = |of: fn(&Depth) -> &str| Arc::new(StringArray::from_iter_values(depths.iter().map(of))) as ArrayRef;
    let numbers = |of: fn(&Depth) -> u32| {
        Arc::new(Int64Array::from_iter_values(depths.iter().map(|depth| i64::from(of(depth))))) as ArrayRef
    };
    batch_of(
        "depths",
        vec![
            ("segment_column", texts(|depth| &depth.segment_column)),
            ("segment_value", texts(|depth| &depth.segment_value)),
            ("drop_percent", numbers(|depth| depth.drop_percent)),
            ("tried", numbers(|depth| depth.tried)),
            ("noticed", numbers(|depth| depth.noticed)),
            ("within_days", Arc::new(Int64Array::from(vec![i64::from(days); depths.len()]))),
        ],
    )
}
