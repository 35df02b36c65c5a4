//! How deep a drop must be to be noticed in time: every segment, many depths, every start that leaves time enough.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Depth;
use super::replay::Replays;
use crate::monitor::batched::{Cell, judge, judge_quickly, usual_rates};
use crate::monitor::{Draw, Raised};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// The depths that are tried, in percent; nothing at all comes first, to see what stands without a drill.
const DEPTHS: [u32; 9] = [0, 20, 30, 40, 50, 60, 70, 80, 90];
/// The depth of the drop that is in the log from which a segment's line is drawn.
const LINE_DEPTH: u32 = 50;
/// Of the report's shuffles, one in so many is enough for a line here.
const FEWER_SHUFFLES: usize = 4;

/// How often each depth is noticed within `drill.days` days; no rows while the log has fewer watched days.
pub fn depths(project: &Project, replays: &Replays) -> Result<Vec<Depth>> {
    let clicks: Vec<Cell> = replays.known()?.into_iter().filter(|cell| cell.log.ends_with("/click")).collect();
    let windows: Vec<&[NaiveDate]> = replays.watched.windows(project.params.drill.days.max(1) as usize).collect();
    let (Some(first), segments) = (windows.first(), replays.segments()) else { return Ok(Vec::new()) };
    let seed = project.params.drill.seed;
    let seeds: Vec<u64> = (0..project.params.drill.repeats as u64).map(|repeat| seed.wrapping_add(repeat)).collect();
    let mut quick = project.clone();
    quick.params.monitor.permutations = (project.params.monitor.permutations / FEWER_SHUFFLES).max(1);
    // A report draws its line from a log that has the drop in it, and so does the drill.
    let (mut drawing, mut cells, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (number, segment) in segments.iter().enumerate() {
        let own: BTreeSet<&str> = replays.profiles(segment).into_iter().collect();
        drawing.extend(thinned(&known(&clicks, first), &own, first[0], seed, &[LINE_DEPTH], |_| of(number).into()));
        for window in &windows {
            let known = known(&clicks, window);
            for seed in &seeds {
                let name = |depth| Arc::from(format!("{number} {} {seed} {depth}/click", window[0]));
                names.extend(DEPTHS.map(|depth| (number, depth, name(depth))));
                cells.extend(thinned(&known, &own, window[0], *seed, &DEPTHS, name));
            }
        }
    }
    let lines = judge(&quick, &replays.members, &drawing, Draw::Shuffled)?.lines;
    let line = |number: usize| lines.get(&of(number)).copied();
    let given = names.iter().filter_map(|(number, _, name)| Some((name.to_string(), line(*number)?))).collect();
    // The drops begin after the reference days, so what is usual is the same in all of these logs.
    let rates = usual_rates(project, &replays.members, &clicks)?;
    let raised = judge_quickly(project, &replays.members, &cells, &rates, &given)?;
    let fell: BTreeSet<(&str, &str, &str)> = raised.iter().filter(|alert| alert.z < 0.0).map(key).collect();
    let answer = segments.iter().enumerate().flat_map(|(number, segment)| {
        let (fell, names) = (&fell, &names);
        DEPTHS.map(move |depth| {
            let tries = names.iter().filter(|(of, deep, _)| (*of, *deep) == (number, depth));
            let noticed = tries.clone().filter(|(.., name)| fell.contains(&(&**name, &segment.column, &segment.value)));
            Depth {
                segment_column: segment.column.clone(),
                segment_value: segment.value.clone(),
                drop_percent: depth,
                tried: tries.count() as u32,
                noticed: noticed.count() as u32,
            }
        })
    });
    Ok(answer.collect())
}

fn key(alert: &Raised) -> (&str, &str, &str) {
    (&alert.metric, &alert.segment_column, &alert.segment_value)
}

fn of(segment: usize) -> String {
    format!("segment {segment}/click")
}

/// What is known at the end of these days.
fn known(clicks: &[Cell], window: &[NaiveDate]) -> Vec<Cell> {
    clicks.iter().filter(|cell| window.last().is_some_and(|last| cell.shown_on <= *last)).cloned().collect()
}

/// For each depth a log with so many percent of the segment's clicks since the start taken out; deeper drops lose what
/// shallower lose.
fn thinned(
    known: &[Cell],
    own: &BTreeSet<&str>,
    start: NaiveDate,
    seed: u64,
    depths: &[u32],
    name: impl Fn(u32) -> Arc<str>,
) -> Vec<Cell> {
    let hit = |cell: &Cell| cell.shown_on >= start && own.contains(&*cell.profile);
    let mut clicks: Vec<usize> = (0..known.len())
        .filter(|place| hit(&known[*place]))
        .flat_map(|place| std::iter::repeat_n(place, known[place].yes as usize))
        .collect();
    clicks.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut logs = Vec::with_capacity(known.len() * depths.len());
    for depth in depths {
        let (log, first) = (name(*depth), logs.len());
        logs.extend(known.iter().map(|cell| Cell { log: Arc::clone(&log), ..cell.clone() }));
        for place in &clicks[..(clicks.len() * *depth as usize + 50) / 100] {
            logs[first + place].yes -= 1;
        }
    }
    logs
}
