//! How well each explanation fits the watched days, in any order of the days: the arithmetic of sql/monitoring/alarm.
//!
//! A day has two sides that chance keeps apart: how far the whole shop is from what it should do (its level), and how far
//! each segment is from what the shop does that day (its contrast).  A segment that changed alone shows in both, by the
//! share of the shop that it makes up; the whole shop alike shows in the level only.

use super::level::{Level, ShopSums};

/// The least part of a segment's variance that is its own, where it makes up nearly all of the shop.
const LEAST_OWN: f64 = 0.01;
/// Two explanations that are alike beyond this are no pair: nothing tells them apart.
const MOST_ALIKE: f64 = 0.999;

/// Shown, clicked, and what the mix that was shown would usually click.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub shown: f64,
    pub yes: f64,
    pub usual: f64,
}

/// One day of the whole shop.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    /// 0 to 6, whichever comes first.
    pub weekday: usize,
    pub shop: Tally,
}

/// What the scan's queries read as `$parameters`.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// As many expected clicks, and misses, as a window must have to be judged.
    pub enough: f64,
    /// The share that a Z counts for when its window ended before the last day.
    pub ended_counts: f64,
}

/// The days of one metric: the shop's and each segment's counts, day by day; the first `reference` days are the reference.
#[derive(Debug, Default, Clone)]
pub struct History {
    pub reference: usize,
    pub days: Vec<Day>,
    pub segments: Vec<Vec<Tally>>,
}

/// Sums over the first so many watched days of one segment, held against the day's shop.
#[derive(Debug, Default, Clone, Copy)]
struct OwnSums {
    n: f64,
    e: f64,
    c: f64,
    v: f64,
    m: f64,
}

/// One segment in one order of the days.
#[derive(Debug)]
struct Own {
    sums: Vec<OwnSums>,
    /// The variance of its contrast over the reference days.
    reference: f64,
}

/// One order of the days, added up.
#[derive(Debug)]
pub struct Fit {
    /// Over the first so many watched days, and over all days there are.
    shop: Vec<ShopSums>,
    all: ShopSums,
    /// The variance of the shop's level over the reference days.
    reference: f64,
    own: Vec<Option<Own>>,
    phi_segments: f64,
}

/// What a window says of one explanation: the slope of its likelihood and how sharply it bends, contrast and level apart.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    pub score: f64,
    pub info: f64,
    /// How far the shop's level goes along.
    pub share: f64,
}

/// An explanation on the window where it fits best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// Watched days from and to, counted from 0.
    pub from: usize,
    pub to: usize,
    pub z: f64,
}

/// Two changes together, on the window where they fit best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub first: usize,
    pub second: usize,
    pub gain: f64,
    /// How alike they are there: the cosine of what they would do.
    pub alike: f64,
}

impl Tally {
    fn odds(&self) -> f64 {
        (self.yes + 0.5) / (self.shown - self.yes + 0.5)
    }

    /// The odds of what is usual; even where nobody was shown anything, for then they weigh nothing.
    fn usual_odds(&self) -> f64 {
        if self.shown > 0.0 { self.usual / (self.shown - self.usual) } else { 1.0 }
    }

    fn sum<'a>(days: impl Iterator<Item = &'a Self>) -> Self {
        days.fold(Self::default(), |sum, day| Self {
            shown: sum.shown + day.shown,
            yes: sum.yes + day.yes,
            usual: sum.usual + day.usual,
        })
    }
}

impl Evidence {
    /// Of the whole shop: all level.
    pub const SHOP: Self = Self { score: 0.0, info: 0.0, share: 1.0 };

    fn whole(&self, level: Level) -> (f64, f64) {
        (self.score + self.share * level.score, self.info + self.share * self.share * level.info)
    }

    /// The signed root of what the likelihood gains by it, twice the logarithm.
    pub fn z(&self, level: Level) -> f64 {
        let (score, info) = self.whole(level);
        if info > 0.0 { score / info.sqrt() } else { 0.0 }
    }

    /// What the likelihood gains by both, and how alike they are; `overlap` is the correlation of their contrasts.
    pub fn with(&self, other: &Self, overlap: f64, level: Level) -> Option<(f64, f64)> {
        let ((a, ia), (b, ib)) = (self.whole(level), other.whole(level));
        let both = overlap * (self.info * other.info).sqrt() + self.share * other.share * level.info;
        let alike = both / (ia * ib).sqrt();
        let gain = || (a * a * ib - 2.0 * a * b * both + b * b * ia) / (ia * ib - both * both);
        (ia > 0.0 && ib > 0.0 && alike.abs() < MOST_ALIKE).then(|| (gain(), alike))
    }
}

impl History {
    /// The days in another order, the first of which are the reference; none where nobody was shown anything in it.
    pub fn fit(&self, order: &[usize]) -> Option<Fit> {
        let (reference, watched) = order.split_at(self.reference.min(order.len()));
        let before = Tally::sum(reference.iter().map(|day| &self.days[*day].shop));
        if before.shown == 0.0 {
            return None;
        }
        let times = (before.yes + 0.5) / (before.shown - before.yes + 0.5) / before.usual_odds();
        // Odds of the shop on a day but for its weekday, and what should come of them.
        let plain = |day: &Day| times * day.shop.usual_odds();
        let due = |day: &Day, odds: f64| {
            let q = odds / (1.0 + odds);
            (day.shop.shown * q, day.shop.shown * q * (1.0 - q))
        };
        let usual_day = before.shown / reference.len() as f64;
        let add = |sums: &mut ShopSums, place: &usize| {
            let day = &self.days[*place];
            sums.add(day.weekday, (day.shop.shown, day.shop.yes), due(day, plain(day)), usual_day);
        };
        let (mut all, mut so_far) = (ShopSums::default(), ShopSums::default());
        reference.iter().for_each(|place| add(&mut all, place));
        let of_reference = all.v();
        let mut shop = vec![so_far];
        // How the shop moved each day, whoever is in it, and its variance at the rate that was seen.
        let moved: Vec<(f64, f64)> = self
            .days
            .iter()
            .map(|day| {
                let (n, odds) = (day.shop.shown, day.shop.odds());
                (odds / plain(day), n * odds / ((1.0 + odds) * (1.0 + odds)))
            })
            .collect();
        for place in watched {
            add(&mut all, place);
            add(&mut so_far, place);
            so_far.seen += moved[*place].1;
            shop.push(so_far);
        }
        let own: Vec<Option<(Own, Option<f64>)>> =
            self.segments.iter().map(|days| self.own(days, reference, watched, &moved, before.shown)).collect();
        let known: Vec<f64> = own.iter().flatten().filter_map(|(_, phi)| *phi).collect();
        let phi_segments = if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
        let own = own.into_iter().map(|own| own.map(|(own, _)| own)).collect();
        Some(Fit { shop, all, reference: of_reference, own, phi_segments })
    }

    /// None for a segment that nothing can be said of: nobody in its reference, or nobody else.
    fn own(
        &self,
        days: &[Tally],
        reference: &[usize],
        watched: &[usize],
        moved: &[(f64, f64)],
        shop_before: f64,
    ) -> Option<(Own, Option<f64>)> {
        let before = Tally::sum(reference.iter().map(|day| &days[*day]));
        if before.shown == 0.0 || before.shown >= shop_before {
            return None;
        }
        let times = before.odds() / before.usual_odds();
        let due = |place: usize| {
            let own = &days[place];
            // On a day without anybody else, it is the shop.
            if own.shown >= self.days[place].shop.shown {
                return OwnSums::default();
            }
            let odds = times * own.usual_odds() * moved[place].0;
            let q = odds / (1.0 + odds);
            let (e, v) = (own.shown * q, own.shown * q * (1.0 - q));
            OwnSums { n: own.shown, e, c: own.yes - e, v, m: v * f64::max(1.0 - v / moved[place].1, LEAST_OWN) }
        };
        let (mut spread, mut counted, mut of_reference) = (0.0, 0, 0.0);
        for place in reference {
            let day = due(*place);
            of_reference += day.m;
            if day.m > 0.0 {
                spread += day.c * day.c / day.m;
                counted += 1;
            }
        }
        let mut so_far = OwnSums::default();
        let mut sums = vec![so_far];
        for place in watched {
            let day = due(*place);
            so_far = OwnSums {
                n: so_far.n + day.n,
                e: so_far.e + day.e,
                c: so_far.c + day.c,
                v: so_far.v + day.v,
                m: so_far.m + day.m,
            };
            sums.push(so_far);
        }
        let phi = (counted > 1).then(|| f64::max(1.0, spread / f64::from(counted - 1)));
        (of_reference > 0.0).then_some((Own { sums, reference: of_reference }, phi))
    }
}

impl Fit {
    /// Every window of watched days, with what a Z counts for there.
    fn windows(&self, rules: Rules) -> impl Iterator<Item = (usize, usize, f64)> {
        let days = self.shop.len() - 1;
        let counts = move |to: usize| if to + 1 == days { 1.0 } else { rules.ended_counts };
        (0..days).flat_map(move |to| (0..=to).map(move |from| (from, to, counts(to))))
    }

    /// What the window says of the shop's level, and whether that is enough to judge the shop by.
    fn level(&self, from: usize, to: usize, rules: Rules) -> Option<(Level, bool)> {
        let (a, b) = (&self.shop[from], &self.shop[to + 1]);
        let level = Level::new(&self.all, a, b, self.reference)?;
        let enough = level.e >= rules.enough && b.n - a.n - level.e >= rules.enough;
        Some((level, enough))
    }

    fn evidence(&self, segment: usize, from: usize, to: usize, rules: Rules) -> Option<Evidence> {
        let own = self.own[segment].as_ref()?;
        let (a, b) = (&own.sums[from], &own.sums[to + 1]);
        let (n, e, m) = (b.n - a.n, b.e - a.e, b.m - a.m);
        if e < rules.enough || n - e < rules.enough {
            return None;
        }
        let weight = 1.0 / (self.phi_segments * (1.0 + m / own.reference));
        let share = (b.v - a.v) / (self.shop[to + 1].seen - self.shop[from].seen);
        Some(Evidence { score: (b.c - a.c) * weight, info: m * weight, share })
    }

    /// For each explanation by one change, the window where it fits best: the whole shop first, then the segments; none
    /// where nothing can be judged.
    pub fn singles(&self, rules: Rules) -> Vec<Option<Best>> {
        let mut best: Vec<Option<Best>> = vec![None; self.own.len() + 1];
        let keep = |place: &mut Option<Best>, found: Best| {
            if place.is_none_or(|best| further(&found, &best)) {
                *place = Some(found);
            }
        };
        for (from, to, counts) in self.windows(rules) {
            let Some((level, enough)) = self.level(from, to, rules) else { continue };
            if enough {
                keep(&mut best[0], Best { from, to, z: counts * Evidence::SHOP.z(level) });
            }
            for segment in 0..self.own.len() {
                if let Some(evidence) = self.evidence(segment, from, to, rules) {
                    keep(&mut best[segment + 1], Best { from, to, z: counts * evidence.z(level) });
                }
            }
        }
        best
    }

    /// How far the furthest window of the shop, and that of any segment, lies from nothing: the largest |Z| of `singles`, or
    /// 0.  Asked of a thousand shuffled histories, so each window of all segments is one pass without a root, and one division
    /// each: with w = reference/d and d = phi (reference + m), Z^2 = (c reference + s L d)^2/(d (m reference + s^2 i d)).
    pub fn furthest(&self, rules: Rules) -> (f64, f64) {
        let own: Vec<&Own> = self.own.iter().flatten().collect();
        let reference: Vec<f64> = own.iter().map(|own| own.reference).collect();
        let across = |of: fn(&OwnSums) -> f64| -> Vec<Vec<f64>> {
            (0..self.shop.len()).map(|day| own.iter().map(|own| of(&own.sums[day])).collect()).collect()
        };
        let (n, e, c) = (across(|sums| sums.n), across(|sums| sums.e), across(|sums| sums.c));
        let (v, m) = (across(|sums| sums.v), across(|sums| sums.m));
        let (mut shop, mut segments) = (0.0_f64, vec![0.0_f64; own.len()]);
        for (from, to, counts) in self.windows(rules) {
            let Some((level, enough)) = self.level(from, to, rules) else { continue };
            let counts = counts * counts;
            if enough {
                shop = shop.max(counts * level.score * level.score / level.info);
            }
            let to = to + 1;
            let seen = 1.0 / (self.shop[to].seen - self.shop[from].seen);
            let [n, e, c, v, m] = [&n, &e, &c, &v, &m].map(|of| (&of[from][..own.len()], &of[to][..own.len()]));
            for segment in 0..own.len() {
                let between = |(from, to): (&[f64], &[f64])| to[segment] - from[segment];
                let (n, e, c, m) = (between(n), between(e), between(c), between(m));
                let (share, reference) = (between(v) * seen, reference[segment]);
                let d = self.phi_segments * (reference + m);
                let score = c * reference + share * level.score * d;
                let info = d * (m * reference + share * share * level.info * d);
                let far = counts * score * score / info;
                let judged = e >= rules.enough && n - e >= rules.enough && info > 0.0;
                segments[segment] = if judged && far > segments[segment] { far } else { segments[segment] };
            }
        }
        (shop.sqrt(), segments.into_iter().fold(0.0, f64::max).sqrt())
    }

    /// Of every two changes the window where they fit best together, numbered as in `singles`; `overlap` is the correlation of
    /// two segments' contrasts.
    pub fn pairs(&self, rules: Rules, overlap: impl Fn(usize, usize) -> f64) -> Vec<Pair> {
        let several = self.own.len() + 1;
        let mut best: Vec<Option<Pair>> = vec![None; several * several];
        let mut judged: Vec<(usize, Evidence)> = Vec::new();
        for (from, to, counts) in self.windows(rules) {
            let Some((level, enough)) = self.level(from, to, rules) else { continue };
            judged.clear();
            judged.extend(enough.then_some((0, Evidence::SHOP)));
            judged.extend((0..self.own.len()).filter_map(|s| Some((s + 1, self.evidence(s, from, to, rules)?))));
            for (place, (first, one)) in judged.iter().enumerate() {
                for (second, other) in &judged[place + 1..] {
                    let overlap = if *first == 0 { 0.0 } else { overlap(first - 1, second - 1) };
                    let Some((gain, alike)) = one.with(other, overlap, level) else { continue };
                    let pair = Pair { first: *first, second: *second, gain: counts * counts * gain, alike };
                    let place = &mut best[first * several + second];
                    if place.is_none_or(|best| pair.gain > best.gain) {
                        *place = Some(pair);
                    }
                }
            }
        }
        best.into_iter().flatten().collect()
    }
}

/// Further from nothing; of windows equally far the one that began first, then the one that ends last.
fn further(found: &Best, best: &Best) -> bool {
    let order = found.z.abs().total_cmp(&best.z.abs());
    order.then(best.from.cmp(&found.from)).then(found.to.cmp(&best.to)).is_gt()
}
