//! The scan once more, from the rows of two CSVs and the formulas of its documentation alone: nothing of the product is used.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use super::monitor_log::Row;

const COLUMNS: [&str; 3] = ["age_group", "sustainability_preference", "region"];
const REFERENCE: usize = 20;

type Profile = [String; 3];

/// Shown, clicked, and what the customers who were shown it usually click.
#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    n: f64,
    x: f64,
    usual: f64,
}

/// What a window says of one segment.
#[derive(Debug)]
pub struct Told {
    /// Against the day's whole shop alone, and with the shop's level.
    pub apart_z: f64,
    pub z: f64,
}

pub struct Scan {
    days: Vec<NaiveDate>,
    counts: BTreeMap<(NaiveDate, Profile), (f64, f64)>,
    rates: BTreeMap<Profile, f64>,
    /// How much more the segments' days vary than by chance.
    pub phi: f64,
}

fn rows(csv: &str) -> Vec<Row> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// Odds with half a click and half a miss more.
fn odds(x: f64, n: f64) -> f64 {
    (x + 0.5) / (n - x + 0.5)
}

impl Scan {
    pub fn of(recommendations: &str, customers: &str) -> Self {
        let profile = |row: &Row| {
            COLUMNS.map(|column| if row[column].is_empty() { "not given".to_owned() } else { row[column].clone() })
        };
        let profiles: BTreeMap<String, Profile> =
            rows(customers).iter().map(|row| (row["customer_id"].clone(), profile(row))).collect();
        let mut counts: BTreeMap<(NaiveDate, Profile), (f64, f64)> = BTreeMap::new();
        for row in rows(recommendations) {
            let day = row["recommended_at"][..10].parse().unwrap();
            let sum = counts.entry((day, profiles[&row["customer_id"]].clone())).or_default();
            *sum = (sum.0 + 1.0, sum.1 + row["clicked"].parse::<f64>().unwrap());
        }
        let days: BTreeSet<NaiveDate> = counts.keys().map(|(day, _)| *day).collect();
        let mut scan = Self { days: days.into_iter().collect(), counts, rates: BTreeMap::new(), phi: 1.0 };
        scan.rates = scan.main_effects();
        let phis: Vec<f64> = scan.segments().iter().map(|segment| scan.own_phi(segment)).collect();
        scan.phi = phis.iter().sum::<f64>() / phis.len() as f64;
        scan
    }

    fn segments(&self) -> BTreeSet<(usize, String)> {
        let profiles = self.counts.keys().map(|(_, profile)| profile);
        profiles.flat_map(|profile| (0..3).map(|column| (column, profile[column].clone()))).collect()
    }

    /// Logistic main effects of the three columns on the reference days: each value's odds scaled until its clicks are right.
    fn main_effects(&self) -> BTreeMap<Profile, f64> {
        let mut sums: BTreeMap<Profile, (f64, f64)> = BTreeMap::new();
        for ((day, profile), (n, x)) in &self.counts {
            let sum = sums.entry(profile.clone()).or_default();
            if self.days[..REFERENCE].contains(day) {
                *sum = (sum.0 + n, sum.1 + x);
            }
        }
        let mut logits: BTreeMap<Profile, f64> = sums.keys().map(|profile| (profile.clone(), 0.0)).collect();
        for _ in 0..60 {
            for (column, value) in self.segments() {
                let own: Vec<&Profile> = sums.keys().filter(|profile| profile[column] == value).collect();
                let clicks: f64 = own.iter().map(|profile| sums[*profile].1).sum();
                let misses: f64 = own.iter().map(|profile| sums[*profile].0 - sums[*profile].1).sum();
                let rate = |profile: &Profile| 1.0 / (1.0 + (-logits[profile]).exp());
                let due: f64 = own.iter().map(|profile| sums[*profile].0 * rate(profile)).sum();
                let due_misses: f64 = own.iter().map(|profile| sums[*profile].0 * (1.0 - rate(profile))).sum();
                let step = (clicks / misses / (due / due_misses)).ln();
                own.into_iter().for_each(|profile| *logits.get_mut(profile).unwrap() += step);
            }
        }
        logits.into_iter().map(|(profile, logit)| (profile, 1.0 / (1.0 + (-logit).exp()))).collect()
    }

    /// A segment's day; the whole shop's for none.
    fn sum(&self, segment: Option<&(usize, String)>, days: &[NaiveDate]) -> Sum {
        let own = self.counts.iter().filter(|((day, profile), _)| {
            days.contains(day) && segment.is_none_or(|(column, value)| profile[*column] == *value)
        });
        own.fold(Sum::default(), |sum, ((_, profile), (n, x))| Sum {
            n: sum.n + n,
            x: sum.x + x,
            usual: sum.usual + n * self.rates[profile],
        })
    }

    /// The odds of a day by the reference days, moved by the day's own mix.
    fn plain(&self, segment: Option<&(usize, String)>, day: NaiveDate) -> f64 {
        let (before, own) = (self.sum(segment, &self.days[..REFERENCE]), self.sum(segment, &[day]));
        odds(before.x, before.n) / (before.usual / (before.n - before.usual)) * (own.usual / (own.n - own.usual))
    }

    /// Of a day of a segment: clicks beyond what the day's shop lets expect, their variance, the part of it that is the
    /// segment's own, and the variance of the whole shop.
    fn contrast(&self, segment: &(usize, String), day: NaiveDate) -> (f64, f64, f64, f64) {
        let (own, shop) = (self.sum(Some(segment), &[day]), self.sum(None, &[day]));
        let seen = odds(shop.x, shop.n);
        let due = self.plain(Some(segment), day) * seen / self.plain(None, day);
        let (q, all) = (due / (1.0 + due), shop.n * seen / (1.0 + seen).powi(2));
        let v = own.n * q * (1.0 - q);
        (own.x - own.n * q, v, v * (1.0 - v / all), all)
    }

    fn own_phi(&self, segment: &(usize, String)) -> f64 {
        let days = &self.days[..REFERENCE];
        let days: Vec<NaiveDate> =
            days.iter().copied().filter(|day| self.sum(Some(segment), &[*day]).n > 0.0).collect();
        let squares = days.iter().map(|day| self.contrast(segment, *day)).map(|(off, _, own, _)| off * off / own);
        f64::max(1.0, squares.sum::<f64>() / (days.len() as f64 - 1.0))
    }

    /// Of the whole shop in a window: the slope of the likelihood of its level, and how sharply it bends.
    fn level(&self, window: &[NaiveDate]) -> (f64, f64) {
        let day = |day: NaiveDate| {
            let (shop, due) = (self.sum(None, &[day]), self.plain(None, day));
            let q = due / (1.0 + due);
            (day.weekday(), shop.n, shop.x - shop.n * q, shop.n * q * (1.0 - q))
        };
        let (inside, outside): (Vec<&NaiveDate>, Vec<&NaiveDate>) =
            self.days.iter().partition(|day| window.contains(day));
        let [inside, outside] = [inside, outside].map(|days| days.into_iter().map(|of| day(*of)).collect::<Vec<_>>());
        let usual_day = self.sum(None, &self.days[..REFERENCE]).n / REFERENCE as f64;
        // The weekly rhythm of the days outside, as far as weekdays differ by more than the days of one do.
        let of_week = |weekday| {
            let own = outside.iter().filter(move |day| day.0 == weekday);
            own.fold((0.0, 0.0), |sum, day| (sum.0 + day.2, sum.1 + day.3))
        };
        let weekdays: BTreeSet<u32> = outside.iter().map(|day| day.0.num_days_from_monday()).collect();
        let sums: BTreeMap<u32, (f64, f64)> = weekdays
            .iter()
            .map(|number| (*number, of_week(chrono::Weekday::try_from(*number as u8).unwrap())))
            .collect();
        let (off, v) = sums.values().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        let of_kinds: f64 = sums.values().map(|(off, v)| off * off / v).sum();
        let squares: f64 = outside.iter().map(|day| day.2 * day.2 / day.3).sum();
        let (kinds, days) = (sums.len() as f64, outside.len() as f64);
        let chance = (squares - of_kinds) / (days - kinds) * (kinds - 1.0);
        let kept = f64::max(0.0, 1.0 - chance / (of_kinds - off * off / v));
        let rhythm = |weekday: chrono::Weekday| {
            let own = sums[&weekday.num_days_from_monday()];
            kept * (own.0 / own.1 - off / v)
        };
        let spread: f64 = outside.iter().map(|day| (day.2 - rhythm(day.0) * day.3).powi(2) / day.3).sum();
        let free = days - 1.0 - kept * (kinds - 1.0);
        let shown: f64 = outside.iter().map(|day| day.1 / usual_day).sum();
        let phi = f64::max(1.0, 1.0 + (spread / free - 1.0) * days / shown);
        let reference: f64 = self.days[..REFERENCE].iter().map(|of| day(*of).3).sum();
        let v: f64 = inside.iter().map(|day| day.3).sum();
        let moved: f64 = inside.iter().map(|day| day.3 * day.1 / usual_day).sum();
        let off: f64 = inside.iter().map(|day| day.2 - rhythm(day.0) * day.3).sum();
        let variance = v + (phi - 1.0) * moved + phi * v * v / reference;
        (off * v / variance, v * v / variance)
    }

    /// The furthest window of a segment, every window alike.
    pub fn furthest(&self, column: usize, value: &str) -> Told {
        let segment = (column, value.to_owned());
        let own: BTreeMap<NaiveDate, (f64, f64, f64, f64)> =
            self.days.iter().map(|day| (*day, self.contrast(&segment, *day))).collect();
        let reference: f64 = self.days[..REFERENCE].iter().map(|day| own[day].2).sum();
        let watched = &self.days[REFERENCE..];
        let windows = (0..watched.len()).flat_map(|to| (0..=to).map(move |from| &watched[from..=to]));
        let told = windows.filter_map(|window| {
            let shown = self.sum(Some(&segment), window);
            let sum = |of: fn(&(f64, f64, f64, f64)) -> f64| window.iter().map(|day| of(&own[day])).sum::<f64>();
            let (off, v, m, all) = (sum(|day| day.0), sum(|day| day.1), sum(|day| day.2), sum(|day| day.3));
            let due = shown.x - off;
            if due < 25.0 || shown.n - due < 25.0 {
                return None;
            }
            let weight = 1.0 / (self.phi * (1.0 + m / reference));
            let (level, share) = (self.level(window), v / all);
            let (slope, bend) = (off * weight + share * level.0, m * weight + share * share * level.1);
            let (apart_z, z) = (off * weight / (m * weight).sqrt(), slope / bend.sqrt());
            Some(Told { apart_z, z })
        });
        told.max_by(|one, other| one.z.abs().total_cmp(&other.z.abs())).unwrap()
    }
}
