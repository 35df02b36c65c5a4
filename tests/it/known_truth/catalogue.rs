//! Articles of an invented shop: what they are made of, what is written of them, and how they appeal to everybody.

use chrono::{Days, NaiveDate};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Size, normal, pick};

/// A style's word, as customers tick it, and what is written of articles in it.
const STYLES: [(&str, [&str; 5]); 10] = [
    (
        "preppy",
        [
            "Crisp pleats and a crest on the pocket",
            "Cable knit with a striped collar",
            "Made for rowing clubs and libraries",
            "A varsity stripe along the hem",
            "Brass buttons, neatly aligned",
        ],
    ),
    (
        "punk",
        [
            "Studs along the seam and torn edges",
            "A safety pin at the collar",
            "Tartan patches and loud zips",
            "Cut for basement concerts",
            "Frayed on purpose and proud of it",
        ],
    ),
    (
        "western",
        [
            "Fringes that swing with every step",
            "Pearl snaps and saddle stitching",
            "Dust and denim of a long ride",
            "An embroidered yoke, as cowhands wear it",
            "For rodeo nights and porch mornings",
        ],
    ),
    (
        "nautical",
        [
            "The stripes of a harbour town",
            "Rope details and a small anchor",
            "Salt-proof, for deck and pier",
            "Sailor buttons on both shoulders",
            "As blue as open water",
        ],
    ),
    (
        "gothic",
        [
            "Black lace over velvet",
            "A high collar and a long shadow",
            "Ornate cuffs from another century",
            "Made for candlelight",
            "A dramatic, dark silhouette",
        ],
    ),
    (
        "boho",
        [
            "Tassels and hand-printed flowers",
            "Loose, flowing layers",
            "Crochet details from a market stall",
            "For festivals and long sunsets",
            "Patchwork in warm tones",
        ],
    ),
    (
        "athletic",
        [
            "Wicks sweat on long runs",
            "Stretch panels for every squat",
            "Reflective strips for the track",
            "As light as a starting number",
            "Breathes through the last lap",
        ],
    ),
    (
        "business",
        [
            "Sharp lapels for the boardroom",
            "Free of wrinkles from desk to dinner",
            "A quiet pinstripe",
            "A tailored waist and a clean hem",
            "Sits well under a jacket",
        ],
    ),
    (
        "hiking",
        [
            "Sheds rain on the ridge",
            "Pockets for maps and snacks",
            "Packs into its own hood",
            "Ready for mud and gravel",
            "Reinforced where rucksacks rub",
        ],
    ),
    (
        "retro",
        [
            "As if found in a seventies wardrobe",
            "A faded print and a wide collar",
            "A cut that your parents danced in",
            "Worn-in from the first day",
            "For records and roller discos",
        ],
    ),
];
const KINDS: [&str; 10] =
    ["Coats", "Shirts", "Boots", "Skirts", "Bags", "Jumpers", "Scarves", "Shorts", "Blazers", "Sandals"];
const COLOURS: [&str; 7] = ["teal", "ochre", "crimson", "grey", "lilac", "black", "cream"];
const MATERIALS: [&str; 6] = ["cotton", "wool", "linen", "polyester", "leather", "viscose"];
/// Where articles are sent, the commonest first.
const SHIPS_TO: [&str; 4] = ["DE;AT;CH", "DE;AT;CH", "DE;AT", "DE"];

/// One article of one season.
pub struct Article {
    pub number: String,
    pub brand: usize,
    pub kind: usize,
    pub log_price: f64,
    /// From 0 to 100; none where the brand gave none.
    pub score: Option<f64>,
    /// How much of each style it is; the words of its description follow the first two.
    pub style: Vec<f64>,
    /// What everybody finds in it.
    pub appeal: f64,
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub ships_to: &'static str,
    line: String,
}

/// All that the shop ever sold.
pub struct Catalogue {
    pub styles: Vec<&'static str>,
    pub brands: usize,
    pub kinds: usize,
    pub articles: Vec<Article>,
}

impl Catalogue {
    /// Seasons of half a year each; the first begins at `start`.
    pub fn new(size: Size, start: NaiveDate, random: &mut ChaCha8Rng) -> Self {
        let mut styles: Vec<usize> = (0..STYLES.len()).collect();
        styles.shuffle(random);
        styles.truncate(random.gen_range(5..=8));
        let (brands, kinds) = (random.gen_range(9..=24), random.gen_range(5..=KINDS.len()));
        let tiers: Vec<f64> = (0..brands).map(|_| 0.35 * normal(random)).collect();
        let of_kind: Vec<f64> = (0..kinds).map(|_| 4.2 + 0.35 * normal(random)).collect();
        // Brands as unequal as they are, most of each in its own style.
        let weights: Vec<f64> = (0..brands).map(|brand| 1.0 / (brand as f64 + 2.0)).collect();
        let own_style: Vec<usize> = (0..brands).map(|_| random.gen_range(0..styles.len())).collect();
        let prefix = ["A", "kx-", "9", "Item "][random.gen_range(0..4)];
        let mut articles = Vec::new();
        for season in 0..size.seasons {
            let begins = start + Days::new(183 * season as u64);
            for _ in 0..size.articles {
                let (brand, kind) = (pick(&weights, random), random.gen_range(0..kinds));
                let main = if random.gen_bool(0.4) { own_style[brand] } else { random.gen_range(0..styles.len()) };
                let other = random.gen_range(0..styles.len());
                let mut style = vec![0.0; styles.len()];
                style[other] += 0.3;
                style[main] += 1.0;
                let log_price = of_kind[kind] + tiers[brand] + 0.3 * normal(random);
                let score = random.gen_bool(0.85).then(|| (50.0 + 22.0 * normal(random)).clamp(0.0, 100.0).round());
                let (colour, material) = (random.gen_range(0..COLOURS.len()), random.gen_range(0..MATERIALS.len()));
                let from = begins - Days::new(random.gen_range(0..25));
                let until = begins + Days::new(182);
                let number = format!("{prefix}{:05}", articles.len() * 7 + 13);
                let ships_to = SHIPS_TO[random.gen_range(0..SHIPS_TO.len())];
                let phrase = |style: usize, random: &mut ChaCha8Rng| STYLES[styles[style]].1[random.gen_range(0..5)];
                let [first, second, third] = [phrase(main, random), phrase(main, random), phrase(other, random)];
                let item = KINDS[kind].trim_end_matches('s').to_lowercase();
                let text = match random.gen_bool(0.04) {
                    true => String::new(),
                    false => format!(
                        "{first}. {second}. This {} {item} is of {}. {third}.",
                        COLOURS[colour], MATERIALS[material]
                    ),
                };
                let season = format!(
                    "H{} {}",
                    1 + season % 2,
                    start.format("%y").to_string().parse::<usize>().unwrap_or(0) + season / 2
                );
                let line = format!(
                    "{number},{season},{} {item} {},House {brand:02},{},\"{text}\",{:.2},{},{},,{},{},{},{ships_to},{from},{until}",
                    COLOURS[colour],
                    articles.len(),
                    KINDS[kind],
                    log_price.exp(),
                    COLOURS[colour],
                    MATERIALS[material],
                    score.map_or(String::new(), |score| score.to_string()),
                    ["winter", "summer", "transitional"][random.gen_range(0..3)],
                    ["warehouse", "brand"][usize::from(random.gen_bool(0.3))],
                );
                let appeal = normal(random);
                articles.push(Article {
                    number,
                    brand,
                    kind,
                    log_price,
                    score,
                    style,
                    appeal,
                    from,
                    until,
                    ships_to,
                    line,
                });
            }
        }
        Self { styles: styles.into_iter().map(|style| STYLES[style].0).collect(), brands, kinds, articles }
    }

    /// `products.csv`.
    pub fn csv(&self) -> String {
        let lines: Vec<&str> = self.articles.iter().map(|article| article.line.as_str()).collect();
        "product_id,season,product_name,brand,category,description,price_eur,colour,material,sustainability_certifications,\
         sustainability_score,season_tags,fulfilment,ships_to,on_sale_from,on_sale_until\n"
            .to_owned()
            + &lines.join("\n")
            + "\n"
    }
}
