//! How deep a drop must be to be noticed in time: every segment, many depths, every start that leaves time enough.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::replay::Replays;
use super::{Depth, injection};
use crate::error::Result;
use crate::monitor::stack::{Cell, Membership, judge};
use crate::monitor::{Draw, Raised};
use crate::params::Segment;
use crate::project::Project;
use crate::sql::TableName;

/// The depths that are tried, in percent; nothing at all comes first, to see what stands without a drill.
const DEPTHS: [u32; 9] = [0, 20, 30, 40, 50, 60, 70, 80, 90];
/// The depth of the drop that is in the log from which a segment's line is drawn.
const LINE_DEPTH: u32 = 50;
/// Of the report's shuffles, one in so many is enough for a line here.
const FEWER_SHUFFLES: usize = 4;

#[derive(Deserialize)]
struct Cohort {
    metric: String,
    profile: String,
    shown_on: String,
    mature: u64,
    mature_yes: u64,
}

#[derive(Deserialize)]
struct Member {
    profile: String,
    segment_column: String,
    segment_value: String,
}

/// One log to judge: which try, how deep.
struct Try {
    start: NaiveDate,
    seed: u64,
}

/// How often each depth is noticed within `drill.days` days; no rows while the log has fewer watched days.
pub fn depths(project: &Project, replays: &Replays) -> Result<Vec<Depth>> {
    let table = |name| TableName::new("monitoring", name);
    let cohorts: Vec<Cohort> = replays.engine().rows(&table("cohorts"))?;
    let members: Vec<Member> = replays.engine().rows(&table("segments"))?;
    let members: Vec<Membership> =
        members.into_iter().map(|row| (row.profile, row.segment_column, row.segment_value)).collect();
    let clicks: Vec<Cell> = cohorts.into_iter().filter(|cohort| cohort.metric == "click").filter_map(cell).collect();
    let days = project.params.drill.days as usize;
    let windows: Vec<&[NaiveDate]> = replays.watched.windows(days.max(1)).collect();
    let repeats = project.params.drill.repeats as u64;
    let seed = project.params.drill.seed;
    let mut quick = project.clone();
    quick.params.monitor.permutations = (project.params.monitor.permutations / FEWER_SHUFFLES).max(1);
    let mut answer = Vec::new();
    for segment in if windows.is_empty() { Vec::new() } else { replays.segments()? } {
        let own = injection::profiles(replays.engine(), &segment)?;
        let mut line = None;
        let mut lines = BTreeMap::new();
        let mut cells = Vec::new();
        for window in &windows {
            let (Some(&start), Some(&end)) = (window.first(), window.last()) else { continue };
            let known: Vec<Cell> = clicks.iter().filter(|cell| cell.shown_on <= end).cloned().collect();
            if line.is_none() {
                // A report draws its line from a log that has the drop in it, and so does the drill.
                let drilled = thinned(&known, &own, &Try { start, seed }, LINE_DEPTH);
                line = judge(&quick, &members, &drilled, Draw::Apart)?.lines.values().next().copied();
            }
            for repeat in 0..repeats {
                let try_ = Try { start, seed: seed.wrapping_add(repeat) };
                for depth in DEPTHS {
                    cells.extend(thinned(&known, &own, &try_, depth));
                    lines.extend(line.map(|line| (name(&try_, depth), line)));
                }
            }
        }
        let raised = judge(&quick, &members, &cells, Draw::Given(&lines))?.raised()?;
        answer.extend(DEPTHS.map(|depth| counted(&segment, depth, &windows, repeats, seed, &raised)));
    }
    Ok(answer)
}

fn cell(cohort: Cohort) -> Option<Cell> {
    let shown_on = cohort.shown_on.parse().ok()?;
    Some(Cell { log: String::new(), profile: cohort.profile, shown_on, shown: cohort.mature, yes: cohort.mature_yes })
}

fn name(try_: &Try, depth: u32) -> String {
    format!("{} {} {depth}", try_.start, try_.seed)
}

/// The log with `depth` percent of the segment's clicks since the start taken out; deeper drops lose what shallower lose.
fn thinned(known: &[Cell], own: &BTreeSet<String>, try_: &Try, depth: u32) -> Vec<Cell> {
    let log = name(try_, depth);
    let mut cells: Vec<Cell> = known.iter().map(|cell| Cell { log: log.clone(), ..cell.clone() }).collect();
    let hit = |cell: &Cell| cell.shown_on >= try_.start && own.contains(&cell.profile);
    let mut clicks: Vec<usize> = (0..cells.len())
        .filter(|place| hit(&cells[*place]))
        .flat_map(|place| std::iter::repeat_n(place, cells[place].yes as usize))
        .collect();
    clicks.shuffle(&mut ChaCha8Rng::seed_from_u64(try_.seed));
    let lost = (clicks.len() * depth as usize + 50) / 100;
    for place in clicks.into_iter().take(lost) {
        cells[place].yes -= 1;
    }
    cells
}

fn counted(
    segment: &Segment,
    depth: u32,
    windows: &[&[NaiveDate]],
    repeats: u64,
    seed: u64,
    raised: &[Raised],
) -> Depth {
    let own = |alert: &&Raised| {
        alert.segment_column == segment.column && alert.segment_value == segment.value && alert.z < 0.0
    };
    let logs: BTreeSet<&str> = raised.iter().filter(own).map(|alert| alert.metric.as_str()).collect();
    let mut depth_of = Depth {
        segment_column: segment.column.clone(),
        segment_value: segment.value.clone(),
        drop_percent: depth,
        tried: 0,
        noticed: 0,
    };
    for window in windows {
        for repeat in 0..repeats {
            let try_ = Try { start: window[0], seed: seed.wrapping_add(repeat) };
            depth_of.tried += 1;
            depth_of.noticed += u32::from(logs.contains(name(&try_, depth).as_str()));
        }
    }
    depth_of
}
