//! How far the whole shop is from what it should do in a window of days: the weekly rhythm and how much more days vary than
//! by chance are read from all the days outside of it, for twenty days to compare with are few to learn both from.

/// Days of a week.
pub const WEEK: usize = 7;
/// So many days of each weekday, on average, before a weekly rhythm is read from them.
const WEEKS_OF_RHYTHM: usize = 2;

/// Sums over days of the whole shop.
#[derive(Debug, Default, Clone, Copy)]
pub struct ShopSums {
    pub n: f64,
    pub e: f64,
    /// What phi - 1 is a multiple of.
    pub moved: f64,
    /// Variance by chance at the rate that was seen, the segments' share of which is told.
    pub seen: f64,
    /// What was shown, in usual days.
    pub usual: f64,
    pub by_weekday: [DaySums; WEEK],
}

/// The same over the days of one weekday.
#[derive(Debug, Default, Clone, Copy)]
pub struct DaySums {
    pub days: f64,
    /// Clicks beyond what was expected, their variance by chance, and the squares of the one over the other.
    pub off: f64,
    pub v: f64,
    pub squares: f64,
}

/// What a window says of the whole shop's level: the slope of its likelihood and how sharply it bends.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    pub score: f64,
    pub info: f64,
    /// What was expected of the window's days.
    pub e: f64,
}

/// The days outside of a window.
#[derive(Debug)]
struct Outside {
    /// What a weekday is off by, for each unit of its variance.
    rhythm: [f64; WEEK],
    /// How much more its days vary than by chance.
    phi: f64,
}

impl ShopSums {
    /// One day more: what was shown, clicked and expected, and the variance of that by chance.
    pub fn add(&mut self, weekday: usize, (n, x): (f64, f64), (e, v): (f64, f64), usual_day: f64) {
        self.n += n;
        self.e += e;
        self.moved += v * n / usual_day;
        if v > 0.0 {
            let off = x - e;
            self.by_weekday[weekday].add(&DaySums { days: 1.0, off, v, squares: off * off / v });
            self.usual += n / usual_day;
        }
    }

    /// The variance by chance.
    pub fn v(&self) -> f64 {
        self.by_weekday.iter().map(|own| own.v).sum()
    }
}

impl DaySums {
    fn add(&mut self, more: &Self) {
        self.days += more.days;
        self.off += more.off;
        self.v += more.v;
        self.squares += more.squares;
    }

    fn between(from: &Self, to: &Self) -> Self {
        Self { days: to.days - from.days, off: to.off - from.off, v: to.v - from.v, squares: to.squares - from.squares }
    }
}

impl Level {
    /// Of the watched days between two sums; `all` are all days there are, `reference` the variance of the level that the
    /// days before have.  None where nothing was shown.
    pub fn new(all: &ShopSums, from: &ShopSums, to: &ShopSums, reference: f64) -> Option<Self> {
        let inside: [DaySums; WEEK] =
            std::array::from_fn(|day| DaySums::between(&from.by_weekday[day], &to.by_weekday[day]));
        let outside = Outside::new(
            std::array::from_fn(|day| DaySums::between(&inside[day], &all.by_weekday[day])),
            all.usual - (to.usual - from.usual),
        );
        let v: f64 = inside.iter().map(|own| own.v).sum();
        let rhythm: f64 = inside.iter().zip(outside.rhythm).map(|(own, times)| times * own.v).sum();
        let off: f64 = inside.iter().map(|own| own.off).sum();
        let variance = v + (outside.phi - 1.0) * (to.moved - from.moved) + outside.phi * v * v / reference;
        let level = || Self { score: (off - rhythm) * v / variance, info: v * v / variance, e: to.e - from.e + rhythm };
        (v > 0.0).then(level)
    }
}

impl Outside {
    /// The rhythm as far as weekdays differ by more than the days of one do: each weekday's mean, drawn to the mean of all.
    /// Asked for every window of every shuffled history, so nothing is put aside for it.
    fn new(days: [DaySums; WEEK], usual: f64) -> Self {
        let (mut all, mut kinds, mut of_kinds) = (DaySums::default(), 0.0, 0.0);
        for own in days.iter().filter(|own| own.days > 0.0) {
            all.add(own);
            kinds += 1.0;
            of_kinds += own.off * own.off / own.v;
        }
        let mean = all.off / all.v;
        let (between, more_kinds) = (of_kinds - all.off * all.off / all.v, f64::max(kinds, 1.0) - 1.0);
        let kept = if all.days >= (WEEKS_OF_RHYTHM * WEEK) as f64 && more_kinds > 0.0 && between > 0.0 {
            let within = f64::max(all.squares - of_kinds, 0.0) / (all.days - more_kinds - 1.0);
            f64::max(0.0, 1.0 - within * more_kinds / between)
        } else {
            0.0
        };
        let (mut rhythm, mut spread) = ([0.0; WEEK], all.squares);
        if kept > 0.0 {
            for (times, own) in rhythm.iter_mut().zip(&days).filter(|(_, own)| own.days > 0.0) {
                *times = kept * (own.off / own.v - mean);
                spread += *times * (*times * own.v - 2.0 * own.off);
            }
        }
        let free = all.days - 1.0 - kept * more_kinds;
        // Days move as one: of twice as much shown, twice as much of what is beyond chance.
        let phi = if free > 0.0 { f64::max(1.0, 1.0 + (spread / free - 1.0) * all.days / usual) } else { 1.0 };
        Self { rhythm, phi }
    }
}
