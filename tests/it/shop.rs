//! A small invented shop with other ids, seasons and surprises than the client's: what tests run on.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The product's own root.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A project in a temporary folder: the product's SQL and parameters, and CSVs of this shop.
pub struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    /// A shop with `customers` customers; the same for the same number.  Without the deep models, which take seconds.
    pub fn new(customers: usize) -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        copy(&Path::new(ROOT).join("sql"), &shop.path("sql"));
        let params = std::fs::read_to_string(Path::new(ROOT).join("params.yaml")).unwrap();
        let params = params
            .replace("2026-10-01 00:00:00", "2032-03-01 06:30:00")
            .replace("model: .minilm", &format!("model: {ROOT}/.minilm"))
            .replace("dimensions: [16, 32, 64, 128]", "dimensions: [2, 4]")
            .replace("draws: 400", "draws: 40")
            .replace("draws: 1000", "draws: 100")
            .replace("permutations: 1000", "permutations: 100")
            .replace("replays: 8", "replays: 1")
            .replace("deep: true", "deep: false");
        std::fs::write(shop.path("params.yaml"), params).unwrap();
        shop.write_materials(customers);
        shop
    }

    /// The product's SQL and parameters, and no materials; without the deep models.
    pub fn bare() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        copy(&Path::new(ROOT).join("sql"), &shop.path("sql"));
        let params = std::fs::read_to_string(Path::new(ROOT).join("params.yaml")).unwrap();
        let params = params.replace("model: .minilm", &format!("model: {ROOT}/.minilm"));
        shop.write("params.yaml", &params.replace("deep: true", "deep: false"));
        shop
    }

    /// Puts the files of a folder over those of this project.
    pub fn copy(&self, from: &Path, to: &str) {
        copy(from, &self.path(to));
    }

    /// The product's own materials, with its own parameters.
    pub fn of_client() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        for part in ["sql", "materials"] {
            copy(&Path::new(ROOT).join(part), &shop.path(part));
        }
        let params = std::fs::read_to_string(Path::new(ROOT).join("params.yaml")).unwrap();
        std::fs::write(shop.path("params.yaml"), params.replace("model: .minilm", &format!("model: {ROOT}/.minilm")))
            .unwrap();
        shop
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Changes a file; the text to replace must be there.
    pub fn replace(&self, relative: &str, from: &str, to: &str) {
        let text = self.read(relative);
        assert!(text.contains(from), "{relative} does not contain {from:?}");
        self.write(relative, &text.replacen(from, to, 1));
    }

    /// Runs the program in this project.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_selvedge"))
            .args(arguments)
            .arg("--root")
            .arg(self.folder.path())
            .output()
            .unwrap()
    }

    /// Runs the program and expects it to end well.
    pub fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "selvedge {arguments:?} failed:\n{words}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The answer of a query as CSV lines, the heading left out.
    pub fn ask(&self, query: &str) -> Vec<String> {
        self.must(&["sql", query, "--format", "csv"]).lines().skip(1).map(str::to_owned).collect()
    }

    /// The same in one text: of a query for one value, the value.
    pub fn only(&self, query: &str) -> String {
        self.ask(query).join("\n")
    }

    /// Every file under `folder`, with its bytes, sorted by name.
    pub fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        walk(&self.path(folder), &mut files);
        let name = |path: &Path| path.strip_prefix(self.folder.path()).unwrap().to_string_lossy().into_owned();
        // Who holds the folder is nobody's output.
        files.retain(|path| !path.ends_with("work/.lock"));
        let mut files: Vec<_> = files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect();
        files.sort();
        files
    }

    fn write_materials(&self, customers: usize) {
        let mut random = ChaCha8Rng::seed_from_u64(customers as u64);
        self.write("materials/customers.csv", &customers_csv(customers, &mut random));
        let articles = articles();
        self.write("materials/products.csv", &products_csv(&articles));
        self.write("materials/transactions.csv", &transactions_csv(customers, &articles, &mut random));
        self.write("materials/production-recommendations-sample.csv", &log_csv(customers, &articles, &mut random));
    }
}

/// Number, season, days of sale.
type Article = (String, &'static str, [&'static str; 2]);

fn articles() -> Vec<Article> {
    let seasons = [
        ("WINTER-29", ["2029-09-01", "2030-02-28"]),
        ("SUMMER-30", ["2030-03-01", "2030-08-31"]),
        ("WINTER-30", ["2030-09-01", "2031-02-28"]),
        ("SUMMER-31", ["2031-03-01", "2031-08-31"]),
        ("WINTER-31", ["2031-09-01", "2032-03-31"]),
    ];
    // Twelve numbers, used again every season.
    seasons.iter().flat_map(|(season, days)| (0..12).map(move |n| (format!("K-{n}"), *season, *days))).collect()
}

fn customers_csv(customers: usize, random: &mut ChaCha8Rng) -> String {
    let mut out = "customer_id,age_group,gender,region,signup_date,sustainability_preference,style_preferences,price_band,personalisation_consent\n".to_owned();
    for n in 0..customers {
        let age = ["young", "old"][random.gen_range(0..2)];
        let region = ["Berlin", "Austria", "Moon"][random.gen_range(0..3)];
        let consent = n % 7 != 3;
        let _ = writeln!(out, "anna/{n},{age},,{region},2029-01-01,high,,mid,{consent}");
    }
    out
}

fn products_csv(articles: &[Article]) -> String {
    let mut out = "product_id,season,product_name,brand,category,description,price_eur,colour,material,sustainability_certifications,sustainability_score,season_tags,fulfilment,ships_to,on_sale_from,on_sale_until\n".to_owned();
    for (n, (number, season, [from, until])) in articles.iter().enumerate() {
        let (brand, category) = (["Birch", "Elm", "  ELM "][n % 3], ["Hats", "Socks"][n % 2]);
        let text = [
            "A warm hat of wool.",
            "Socks for walking; they last.",
            "A light hat for the sun.",
            "Silk socks & lace.",
            "Blue felt, cut by hand.",
            "Made of old sails.",
        ][n * 7 % 6];
        let description = if n % 17 == 4 { String::new() } else { format!("\"{text} Line {}\"", n % 11) };
        let _ = writeln!(
            out,
            "{number},{season},Thing {n},{brand},{category},{description},{}.50,red,wool,,{},winter,warehouse,DE;AT,{from},{until}",
            10 + n,
            n % 100
        );
    }
    out
}

fn transactions_csv(customers: usize, articles: &[Article], random: &mut ChaCha8Rng) -> String {
    let mut events = Vec::new();
    for n in 0..customers * 25 {
        let customer = random.gen_range(0..customers);
        let (number, _, [from, _]) = &articles[random.gen_range(0..articles.len())];
        let day = random.gen_range(0..180);
        let start = chrono::NaiveDate::parse_from_str(from, "%Y-%m-%d").unwrap().and_hms_opt(12, 0, 0).unwrap();
        let at = start + chrono::Duration::days(day) + chrono::Duration::seconds(random.gen_range(0..3600));
        events.push((at, customer, number.clone(), "browse", String::new()));
        if random.gen_bool(0.3) {
            let bought = at + chrono::Duration::minutes(random.gen_range(1..50));
            events.push((bought, customer, number.clone(), "purchase", format!("O-{n}")));
            if random.gen_bool(0.3) {
                events.push((bought + chrono::Duration::days(9), customer, number.clone(), "return", format!("O-{n}")));
            }
        }
    }
    events.sort();
    let mut out = "transaction_id,event_time,customer_id,product_id,event_type,order_id,quantity,unit_price_eur,session_id,channel\n".to_owned();
    for (n, (at, customer, number, event, order)) in events.iter().enumerate() {
        let (pieces, price) = match *event {
            "purchase" => ("1", "12.30"),
            "return" => ("-1", "12.30"),
            _ => ("", ""),
        };
        let _ = writeln!(
            out,
            "t{n},{}Z,anna/{customer},{number},{event},{order},{pieces},{price},v{n},web",
            at.format("%Y-%m-%dT%H:%M:%S")
        );
    }
    out
}

fn log_csv(customers: usize, articles: &[Article], random: &mut ChaCha8Rng) -> String {
    let mut out = "recommendation_id,recommended_at,customer_id,product_id,position,model_version,clicked,clicked_at,purchased,purchased_at,returned,returned_at,ground_truth_available\n".to_owned();
    for n in 0..customers * 20 {
        let at = chrono::NaiveDate::from_ymd_opt(2032, 1, 25).unwrap().and_hms_opt(8, 0, 0).unwrap()
            + chrono::Duration::minutes(random.gen_range(0..34 * 1440));
        let (number, _, _) = &articles[articles.len() - 1 - random.gen_range(0..12)];
        let clicked = random.gen_bool(0.25);
        let click = if clicked {
            (at + chrono::Duration::minutes(3)).format("%Y-%m-%d %H:%M:%S").to_string()
        } else {
            String::new()
        };
        let customer = random.gen_range(0..customers);
        let _ = writeln!(
            out,
            "r{n},{},anna/{customer},{number},1,old,{},{click},0,,0,,false",
            at.format("%Y-%m-%d %H:%M:%S"),
            u8::from(clicked)
        );
    }
    out
}

fn copy(from: &Path, to: &Path) {
    let mut files = Vec::new();
    walk(from, &mut files);
    for file in files {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, target).unwrap();
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}
