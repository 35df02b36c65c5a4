//! How long people take: discrete Kaplan-Meier over days of waiting, days pooled in buckets, with Greenwood's variance.

use serde::Deserialize;

/// One row of `monitoring.delays`: one day of waiting.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Delay {
    /// Full days since the wait began.
    pub day: usize,
    /// Days of one bucket share one rate.
    pub bucket: usize,
    /// Still waiting at the start of that day, of those old enough to have seen its end.
    pub at_risk: u64,
    /// For how many it came that day.
    pub events: u64,
}

/// One bucket: its days, and what was counted on them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub days: usize,
    pub at_risk: f64,
    pub events: f64,
}

/// The chance that it still comes, by days waited so far.
#[derive(Debug, Clone)]
pub struct Curve {
    buckets: Vec<Bucket>,
    /// What is added to every bucket's events, and twice to its risk.
    epsilon: f64,
}

impl Curve {
    /// A curve from counts by day; `epsilon` keeps a bucket without events from promising that nothing ever comes.
    pub fn new(delays: &[Delay], epsilon: f64) -> Self {
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut last = None;
        for delay in delays {
            if last != Some(delay.bucket) {
                buckets.push(Bucket { days: 0, at_risk: 0.0, events: 0.0 });
                last = Some(delay.bucket);
            }
            if let Some(bucket) = buckets.last_mut() {
                bucket.days += 1;
                bucket.at_risk += delay.at_risk as f64;
                bucket.events += delay.events as f64;
            }
        }
        Self { buckets, epsilon }
    }

    /// A curve smoothed as reports use it: so many events in all are added, spread over the buckets.
    pub fn smoothed(delays: &[Delay], events: f64) -> Self {
        let plain = Self::new(delays, 0.0);
        let epsilon = events / plain.buckets.len().max(1) as f64;
        Self { epsilon, ..plain }
    }

    /// Days until the wait is over.
    pub fn days(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.days).sum()
    }

    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Events and misses of a bucket, smoothed: the parameters of what is known about its daily rate.
    pub fn evidence(&self, bucket: &Bucket) -> (f64, f64) {
        let events = bucket.events + self.epsilon;
        (events, (bucket.at_risk + 2.0 * self.epsilon - events).max(0.0))
    }

    /// The daily rate of each bucket.
    pub fn rates(&self) -> Vec<f64> {
        let rate = |bucket| {
            let (events, misses) = self.evidence(bucket);
            if events + misses > 0.0 { events / (events + misses) } else { 0.0 }
        };
        self.buckets.iter().map(rate).collect()
    }

    /// The rate of each day, given each bucket's.
    pub fn daily(&self, rates: &[f64]) -> Vec<f64> {
        self.buckets.iter().zip(rates).flat_map(|(bucket, rate)| std::iter::repeat_n(*rate, bucket.days)).collect()
    }

    /// The chance that it never comes after `age` full days of waiting, given each bucket's daily rate.
    pub fn never(&self, rates: &[f64], age: usize) -> f64 {
        self.left(age).zip(rates).map(|((_, days), rate)| (1.0 - rate).powi(days as i32)).product()
    }

    /// Greenwood's sum over what is left after `age` days: variance of ln(never).
    pub fn greenwood(&self, age: usize) -> f64 {
        let part = |((bucket, days), rate): ((&Bucket, usize), f64)| {
            let risk = bucket.at_risk + 2.0 * self.epsilon;
            // The days of a bucket share one rate, so their errors add up instead of averaging out.
            if days == 0 || risk <= 0.0 { 0.0 } else { (days * days) as f64 * rate / (risk * (1.0 - rate)) }
        };
        self.left(age).zip(self.rates()).map(part).sum()
    }

    /// The share for whom it has come within `days` full days, with its standard error.
    pub fn come_within(&self, days: usize) -> (f64, f64) {
        let mut first = 0;
        let (mut never, mut sum) = (1.0, 0.0);
        for (bucket, rate) in self.buckets.iter().zip(self.rates()) {
            let passed = days.saturating_sub(first).min(bucket.days);
            first += bucket.days;
            let risk = bucket.at_risk + 2.0 * self.epsilon;
            never *= (1.0 - rate).powi(passed as i32);
            if passed > 0 && risk > 0.0 {
                sum += (passed * passed) as f64 * rate / (risk * (1.0 - rate));
            }
        }
        (1.0 - never, never * sum.sqrt())
    }

    /// Each bucket with those of its days that are not over after `age` full days.
    fn left(&self, age: usize) -> impl Iterator<Item = (&Bucket, usize)> {
        let mut end = 0;
        self.buckets.iter().map(move |bucket| {
            end += bucket.days;
            (bucket, end.saturating_sub(age).min(bucket.days))
        })
    }
}
