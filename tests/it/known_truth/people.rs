//! Customers of an invented shop: what they tell, and what they like, which is not always the same.

use chrono::{Days, NaiveDate};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::catalogue::{Article, Catalogue};
use super::{Taste, normal, pick};

const REGIONS: [(&str, &str, f64); 7] = [
    ("Berlin", "DE", 0.2),
    ("South", "DE", 0.2),
    ("West", "DE", 0.2),
    ("North", "DE", 0.12),
    ("East", "DE", 0.08),
    ("Austria", "AT", 0.11),
    ("Switzerland", "CH", 0.09),
];
const BANDS: [(&str, f64, f64); 3] = [("budget", 3.7, 0.2), ("mid", 4.2, 0.5), ("premium", 4.8, 0.3)];
const SUSTAINABILITY: [(&str, f64); 3] = [("low", -1.0), ("medium", 0.0), ("high", 1.0)];

/// One customer.
pub struct Customer {
    pub name: String,
    pub country: &'static str,
    pub consents: bool,
    /// Visits in all the time, on average.
    pub visits: f64,
    pub signed_up: NaiveDate,
    styles: Vec<f64>,
    brands: Vec<f64>,
    kinds: Vec<f64>,
    level: f64,
    sustainability: f64,
    line: String,
}

impl Customer {
    pub fn new(number: usize, taste: &Taste, catalogue: &Catalogue, start: NaiveDate, random: &mut ChaCha8Rng) -> Self {
        let (region, country, _) = REGIONS[pick(&REGIONS.map(|(_, _, share)| share), random)];
        let (band, level, _) = BANDS[pick(&BANDS.map(|(_, _, share)| share), random)];
        let (word, sustainability) = SUSTAINABILITY[random.gen_range(0..3)];
        let mut liked: Vec<usize> = (0..catalogue.styles.len()).collect();
        liked.shuffle(random);
        liked.truncate(random.gen_range(1..=3));
        let mut styles = vec![0.0; catalogue.styles.len()];
        liked.iter().for_each(|style| styles[*style] = 1.0);
        let mut ticked: Vec<&str> =
            liked.iter().filter(|_| random.gen_bool(taste.told)).map(|style| catalogue.styles[*style]).collect();
        ticked.sort_unstable();
        let mut brands = vec![0.0; catalogue.brands];
        (0..2).for_each(|_| brands[random.gen_range(0..catalogue.brands)] = 1.0);
        let kinds = (0..catalogue.kinds).map(|_| normal(random)).collect();
        let signed_up = start + Days::new(random.gen_range(0..1000));
        let consents = random.gen_bool(0.94);
        // Half of them only look in once, or never; a few come all the time.
        let visits = (0.4 + 1.1 * normal(random)).exp() * 0.55;
        let name = format!("p{number:06}");
        let line = format!(
            "{name},{},,{region},{signed_up},{word},{},{band},{consents}",
            ["16-25", "26-40", "41-60", "over 60"][random.gen_range(0..4)],
            ticked.join(";"),
        );
        let level = level + 0.2 * normal(random);
        Self { name, country, consents, visits, signed_up, styles, brands, kinds, level, sustainability, line }
    }

    /// How well an article suits the customer on a day, beside what everybody finds in it.
    pub fn likes(&self, article: &Article, taste: &Taste) -> f64 {
        let style: f64 = self.styles.iter().zip(&article.style).map(|(likes, is)| likes * is).sum();
        let off = (article.log_price - self.level) / 0.4;
        taste.style * style + taste.brand * self.brands[article.brand] + taste.kind * self.kinds[article.kind]
            - taste.price * off.min(2.5).max(-2.5).powi(2) / 2.0
            + taste.score * self.sustainability * article.score.map_or(0.0, |score| (score - 50.0) / 25.0)
    }
}

/// `customers.csv`.
pub fn csv(customers: &[Customer]) -> String {
    let lines: Vec<&str> = customers.iter().map(|customer| customer.line.as_str()).collect();
    "customer_id,age_group,gender,region,signup_date,sustainability_preference,style_preferences,price_band,\
     personalisation_consent\n"
        .to_owned()
        + &lines.join("\n")
        + "\n"
}
