//! A long load: is the server as quick, and as small, at its end as at its beginning?

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::load::{Found, load};
use super::{CONNECTIONS, Server, encoded};

/// Lists a second, of customers in turn; and one event for every ten of them.
const RATE: f64 = 110.0;
/// So long, looked at so often.
const SECONDS: f64 = 3600.0;
const PARTS: usize = 12;
/// The heading of its part of the page.
pub const HEADING: &str = "## An hour of load";

/// A section of the page.
pub fn section(folder: &Path) -> String {
    let server = Server::start(folder);
    let ids: Vec<String> = serde_json::from_value(server.ask("GET", "/customers", "")).unwrap();
    let list = server.ask("GET", &format!("/recommend/{}", encoded(&ids[0])), "");
    let articles = list["articles"].as_array().unwrap().clone();
    let customer = |number: usize| &ids[number.wrapping_mul(7919) % ids.len()];
    let event = |number: usize| -> Value {
        let article = &articles[number % articles.len()];
        json!({"id": format!("hour-{number}-{}", std::process::id()), "customer_id": customer(number), "product_id": article["product_id"], "season": article["season"], "kind": "browse"})
    };
    let ask = |number: usize| match number % 11 {
        10 => ("POST", "/events".to_owned(), event(number).to_string()),
        _ => ("GET", format!("/recommend/{}", encoded(customer(number))), String::new()),
    };
    let (mut rows, mut asked) = (String::new(), 0);
    let (mut failed, mut degraded) = (0, 0);
    for part in 1..=PARTS {
        let before = asked;
        let found: Found =
            load(&server.address, CONNECTIONS, RATE, SECONDS / PARTS as f64, |number| ask(before + number));
        asked += found.seconds.len();
        failed += found.failed;
        degraded += found.degraded;
        let minutes = SECONDS / 60.0 * part as f64 / PARTS as f64;
        let [half, p95, p99] = [50.0, 95.0, 99.0].map(|part| found.percentile(part));
        let (rate, memory) = (found.rate(), server.memory());
        println!("{minutes:.0} min: {p95:.1} ms, {memory:.0} MiB");
        let _ = writeln!(rows, "| {minutes:.0} | {rate:.0} | {half:.1} | {p95:.1} | {p99:.1} | {memory:.0} |");
    }
    format!(
        "{HEADING}\n\n{RATE:.0} requests a second, one event for every ten lists; {asked} requests in {:.0} minutes, {failed} failed, less in {degraded} lists.\n\
         `cargo bench --bench serving -- hour` makes this part again.\n\n\
         | after (minutes) | answered a second | half within (ms) | 95 of 100 | 99 of 100 | memory (MiB) |\n|---:|---:|---:|---:|---:|---:|\n{rows}\n",
        SECONDS / 60.0
    )
}
