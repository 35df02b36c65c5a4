//! Invented shops whose truth is known: what makes customers look, buy and keep is decided here, so the chance of every
//! customer and article is a number, and lists can be judged without luck.
//!
//! A look goes to an article of the shelf with a chance proportional to exp(u); it leads to a purchase, and that is kept,
//! with chances that rise with u too.  u sums up what everybody finds in the article and what suits this customer, each as
//! strongly as the shop's [`Taste`] says.

pub mod catalogue;
pub mod judged;
pub mod people;
pub mod truth;
pub mod visits;

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::catalogue::Catalogue;
use self::people::Customer;
use self::visits::Event;

/// What decides what is looked at, bought and kept: the weight of each in u.
#[derive(Debug, Clone, Copy)]
pub struct Taste {
    pub name: &'static str,
    /// What everybody finds in an article.
    pub appeal: f64,
    pub brand: f64,
    pub price: f64,
    pub style: f64,
    /// The share of liked styles that customers tick.
    pub told: f64,
    pub kind: f64,
    pub score: f64,
    /// What is new attracts so much more, and a month later about a third of it.
    pub newness: f64,
}

const NOTHING: Taste =
    Taste { name: "", appeal: 0.6, brand: 0.0, price: 0.0, style: 0.0, told: 0.6, kind: 0.0, score: 0.0, newness: 0.0 };

/// The kinds of shops.
pub const TASTES: [Taste; 10] = [
    Taste { name: "popularity alone", appeal: 1.1, ..NOTHING },
    Taste { name: "brands", brand: 2.0, ..NOTHING },
    Taste { name: "prices", price: 1.2, ..NOTHING },
    Taste { name: "styles that are told", style: 1.7, told: 0.9, ..NOTHING },
    Taste { name: "styles that nobody tells", style: 1.7, told: 0.0, ..NOTHING },
    Taste { name: "kinds of articles", kind: 0.9, ..NOTHING },
    Taste { name: "a little of everything", brand: 0.8, price: 0.4, style: 0.8, kind: 0.3, score: 0.2, ..NOTHING },
    Taste { name: "much of everything", brand: 1.4, price: 0.8, style: 1.4, kind: 0.6, score: 0.5, ..NOTHING },
    Taste { name: "sustainability and prices", price: 0.7, score: 0.8, ..NOTHING },
    Taste { name: "what is new", appeal: 0.9, newness: 1.5, style: 0.6, ..NOTHING },
];

/// How large a shop is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub customers: usize,
    /// New articles of each half-year.
    pub articles: usize,
    pub seasons: usize,
    /// Visits for each customer, relative to the client's shop.
    pub busy: f64,
}

/// A shop with its truth.
pub struct TrueShop {
    pub taste: Taste,
    pub catalogue: Catalogue,
    pub customers: Vec<Customer>,
    pub events: Vec<Event>,
    /// The first day of which nothing is known any more.
    pub exported: NaiveDate,
    /// What the chances of buying and keeping begin from, as logits.
    bases: [f64; 2],
}

impl TrueShop {
    /// The shop of this number: its taste by turns, and everything else by lot.
    pub fn new(number: u64, size: Size) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(0x5e1f_0000 + number);
        let mut taste = TASTES[(number % TASTES.len() as u64) as usize];
        for weight in [&mut taste.appeal, &mut taste.brand, &mut taste.price, &mut taste.style, &mut taste.kind] {
            *weight *= (0.15 * normal(&mut random)).exp();
        }
        let start = NaiveDate::from_ymd_opt(2027 + (number % 5) as i32, 1 + (number * 5 % 12) as u32, 3).unwrap();
        let catalogue = Catalogue::new(size, start, &mut random);
        let customers: Vec<Customer> =
            (0..size.customers).map(|n| Customer::new(n, &taste, &catalogue, start, &mut random)).collect();
        // The last season is some weeks or months old.
        let exported = start + Days::new(183 * (size.seasons as u64 - 1) + [40, 65, 100, 140][(number % 4) as usize]);
        let mut shop = Self { taste, catalogue, customers, events: Vec::new(), exported, bases: [0.0; 2] };
        shop.bases = shop.balanced(&mut random);
        shop.events = visits::simulated(&shop, start, size.busy, &mut random);
        shop
    }

    /// How drawn the customer is to the article on a day.
    pub fn drawn(&self, customer: &Customer, article: usize, day: NaiveDate) -> f64 {
        let article = &self.catalogue.articles[article];
        let age = (day - article.from).num_days().max(0) as f64;
        self.taste.appeal * article.appeal
            + self.taste.newness * (-age / 30.0).exp()
            + customer.likes(article, &self.taste)
    }

    /// The chances that a look leads to a purchase, and that this is kept.
    pub fn chances(&self, customer: &Customer, article: usize, day: NaiveDate) -> [f64; 2] {
        let drawn = self.drawn(customer, article, day);
        let logits = [self.bases[0] + 0.5 * drawn, self.bases[1] + 0.25 * drawn];
        logits.map(|logit| 1.0 / (1.0 + (-logit).exp()))
    }

    /// The articles that can be bought from a country on a day.
    pub fn on_sale(&self, country: &str, day: NaiveDate) -> Vec<usize> {
        let can = |(_, article): &(usize, &catalogue::Article)| {
            article.from <= day && day <= article.until && article.ships_to.contains(country)
        };
        self.catalogue.articles.iter().enumerate().filter(can).map(|(at, _)| at).collect()
    }

    /// Where chances begin for a third of the looks to lead to a purchase, and three quarters of those to be kept.
    fn balanced(&self, random: &mut ChaCha8Rng) -> [f64; 2] {
        let day = self.exported;
        let mut drawn = Vec::new();
        for _ in 0..400 {
            let customer = &self.customers[random.gen_range(0..self.customers.len())];
            let shelf = self.on_sale(customer.country, day);
            let pulls: Vec<f64> = shelf.iter().map(|article| self.drawn(customer, *article, day)).collect();
            let weights: Vec<f64> = pulls.iter().map(|pull| pull.exp()).collect();
            drawn.push(pulls[pick(&weights, random)]);
        }
        [(0.5, 0.32), (0.25, 0.75)].map(|(slope, share)| {
            let (mut low, mut high) = (-20.0, 20.0);
            for _ in 0..60 {
                let middle = (low + high) / 2.0;
                let found: f64 = drawn.iter().map(|pull| 1.0 / (1.0 + (-middle - slope * pull).exp())).sum();
                if found < share * drawn.len() as f64 { low = middle } else { high = middle }
            }
            low
        })
    }

    /// The four files of the materials, by name.
    pub fn materials(&self) -> [(&'static str, String); 4] {
        [
            ("customers.csv", people::csv(&self.customers)),
            ("products.csv", self.catalogue.csv()),
            ("transactions.csv", visits::csv(self)),
            ("production-recommendations-sample.csv", visits::log_csv(self)),
        ]
    }
}

/// A draw from the normal distribution.
pub fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (one, two): (f64, f64) = (random.gen_range(f64::EPSILON..1.0), random.gen_range(0.0..1.0));
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
}

/// A number with a chance proportional to its weight.
pub fn pick(weights: &[f64], random: &mut ChaCha8Rng) -> usize {
    let mut left = random.gen_range(0.0..1.0) * weights.iter().sum::<f64>();
    let here = |weight: &f64| {
        left -= weight;
        left < 0.0
    };
    weights.iter().position(here).unwrap_or(weights.len() - 1)
}
