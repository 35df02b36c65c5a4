//! Which explanation of the days is told: nothing, the whole shop alike, one segment, two changes together, or that two
//! explanations are too alike to tell them apart yet.

use std::collections::BTreeSet;

/// Standard deviations that a figure must lie beyond a line for it to be crossed four times in five.
const FOUR_OF_FIVE: f64 = 0.8416;
/// Nobody waits longer than so many days.
const LONGEST: f64 = 365.0;

/// The lines that |Z| must cross; none while nothing can be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lines {
    pub clear: f64,
    pub possible: f64,
}

/// The lines of one metric: those of the whole shop and those of its segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinesOf {
    pub shop: Lines,
    pub segments: Lines,
}

/// One explanation: who changed, and what the likelihood gains by it (twice the logarithm) over that nothing did.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    pub who: Vec<i64>,
    pub gain: f64,
    /// Days of the window on which it fits best.
    pub days: f64,
    /// How alike two changes are, as the cosine of what they would do.
    pub alike: f64,
}

/// How sure it is that anything changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    Clear,
    Possible,
}

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub sure: Sure,
    /// In every explanation that is nearly as likely as the likeliest.
    pub certain: Vec<i64>,
    /// In some of them: one of these changed, and which cannot be told yet.
    pub open: Vec<i64>,
    /// Days after which more can be said, four times in five, if it goes on as it has.
    pub more_days: Option<u32>,
}

impl LinesOf {
    pub fn of(&self, is_shop: bool) -> Lines {
        if is_shop { self.shop } else { self.segments }
    }
}

impl Explanation {
    fn z(&self) -> f64 {
        self.gain.max(0.0).sqrt()
    }

    fn is_of(&self, one: i64, other: i64) -> bool {
        self.who.len() == 2 && self.who.contains(&one) && self.who.contains(&other)
    }
}

/// Weighs the explanations; none where none is beyond a line.  A second change must gain as much as it takes to be clear;
/// what is within `near` of the likeliest could as well be true.
pub fn tell(explanations: &[Explanation], lines: impl Fn(i64) -> Lines, near: f64) -> Option<Told> {
    let beyond = |line: fn(&Lines) -> f64| {
        let mut singles = explanations.iter().filter(|told| told.who.len() == 1);
        singles.any(|told| told.z() > line(&lines(told.who[0])))
    };
    if !beyond(|lines| lines.possible) {
        return None;
    }
    let is_clear = beyond(|lines| lines.clear);
    let line = |told: &Explanation| told.who.iter().map(|who| lines(*who).clear).fold(0.0, f64::max);
    let weight = |told: &Explanation| told.gain - (told.who.len() - 1) as f64 * line(told).powi(2);
    // Only a clear change is worth a second.
    let weighed: Vec<(f64, BTreeSet<i64>, &Explanation)> = explanations
        .iter()
        .filter(|told| is_clear || told.who.len() == 1)
        .map(|told| (weight(told), told.who.iter().copied().collect(), told))
        .collect();
    let (most, best, told) = weighed.iter().max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))?;
    // What only adds to the likeliest takes nothing away from it.
    let is_rival = |weight: f64, who: &BTreeSet<i64>| weight >= most - near && (who == best || !who.is_superset(best));
    let rivals: Vec<&BTreeSet<i64>> =
        weighed.iter().filter(|(weight, who, _)| is_rival(*weight, who)).map(|(_, who, _)| who).collect();
    let (certain, open): (Vec<i64>, Vec<i64>) = {
        let all: BTreeSet<i64> = rivals.iter().flat_map(|who| who.iter().copied()).collect();
        all.into_iter().partition(|who| rivals.iter().all(|rival| rival.contains(who)))
    };
    let stands = told.who.len() > 1 || told.z() > lines(told.who[0]).clear;
    let sure = if is_clear && stands { Sure::Clear } else { Sure::Possible };
    let more_days = match best.iter().next() {
        Some(one) if best.len() == 1 => more_days(told, explanations, &open, lines(*one).clear, sure, near),
        _ => None,
    };
    Some(Told { sure, certain, open, more_days })
}

/// In how many days a single change would be clear, and told from its rivals.
fn more_days(
    told: &Explanation,
    explanations: &[Explanation],
    open: &[i64],
    clear: f64,
    sure: Sure,
    near: f64,
) -> Option<u32> {
    // What is known grows with the days: so many times as many days are needed.
    let mut times: f64 = 1.0;
    if sure == Sure::Possible {
        times = times.max(((clear + FOUR_OF_FIVE) / told.z()).powi(2));
    }
    for rival in open.iter().filter(|rival| **rival != told.who[0]) {
        let both = explanations.iter().find(|both| both.is_of(told.who[0], *rival));
        // How far apart the two would be, were the likelier one true; chance moves that by twice its root.
        let apart = told.gain * (1.0 - both.map_or(1.0, |both| both.alike * both.alike));
        let needed = (FOUR_OF_FIVE + (FOUR_OF_FIVE * FOUR_OF_FIVE + near).sqrt()).powi(2);
        times = times.max(needed / apart);
    }
    let more = (told.days * (times - 1.0)).ceil();
    (more >= 1.0 && more <= LONGEST).then_some(more as u32)
}
