//! How fast lists are served: `make bench-serving` (after `make repro`) writes reports/serving.md and its picture; `cargo bench
//! --bench serving -- picture` draws only the picture anew, from the page.
//!
//! The server runs over a copy of this project's work/, the load comes from this process, both on one machine.  `PEERS` names a
//! Python that has Feast and MLflow, which are asked in the same run.

mod hour;
mod kills;
mod load;
mod peers;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use charts::curve::{Chart, Point, Series};
use charts::{Caption, Interval, Picture, Tone, Unit};
use load::{Connection, Found, load};
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Of each rate.
const SECONDS: f64 = 10.0;
const CONNECTIONS: usize = 64;
/// The two loads, as the page calls them.
const ANEW: &str = "worked out anew";
const REMEMBERED: &str = "as before, nothing has changed";
/// Milliseconds beyond which a load is off the picture.
const FAR: f64 = 1000.0;
/// How often it is killed under load.
const KILLS: usize = 50;

/// What to ask, by the number of a request: method, path, body.
type Ask<'a> = &'a (dyn Fn(usize) -> (&'static str, String, String) + Sync);

struct Server {
    child: Child,
    address: String,
    /// From its start until it answers.
    ready: f64,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_selvedge"))
            .args(["serve", "--playground", "--address", "127.0.0.1:0", "--root"])
            .arg(folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the server ends").unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        while Connection::new(&address).ask("GET", "/health/ready", "").is_err() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Self { child, address, ready: began.elapsed().as_secs_f64() }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let (code, text) = Connection::new(&self.address).ask(method, path, body).unwrap();
        assert_eq!(code, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Mebibytes in use.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This project, with nothing that was served before.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = |part: &str| {
        let target = folder.path().join(part);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let done = Command::new("cp").arg("-r").arg(Path::new(ROOT).join(part)).arg(target).status().unwrap();
        assert!(done.success(), "run `make repro` first: {part} is missing");
    };
    let parts = ["ingest", "split", "embeddings", "rank", "evaluation", "recommendations.parquet"];
    ["sql".to_owned()].into_iter().chain(parts.map(|part| format!("work/{part}"))).for_each(|part| copy(&part));
    let params = std::fs::read_to_string(Path::new(ROOT).join("params.yaml")).unwrap();
    let params =
        params.replace("model: .minilm", &format!("model: {ROOT}/.minilm")).replace("  rate: 2000", "  rate: 1000000");
    std::fs::write(folder.path().join("params.yaml"), params).unwrap();
    folder
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn row(what: &str, rate: f64, found: &Found) -> String {
    let [half, p95, p99] = [50.0, 95.0, 99.0].map(|part| found.percentile(part));
    format!(
        "| {what} | {rate:.0} | {:.0} | {half:.1} | {p95:.1} | {p99:.1} | {} | {} |\n",
        found.rate(),
        found.degraded,
        found.failed
    )
}

/// The CPU's time of a process, in seconds.
fn cpu(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn main() {
    let reports: PathBuf = Path::new(ROOT).join("reports");
    if std::env::args().any(|argument| argument == "picture") {
        let page = std::fs::read_to_string(reports.join("serving.md")).unwrap();
        return std::fs::write(reports.join("serving.png"), picture(&page)).unwrap();
    }
    if std::env::args().any(|argument| argument == "hour") {
        return hour(&reports.join("serving.md"));
    }
    let folder = folder();
    let server = Server::start(folder.path());
    let ids: Vec<String> = serde_json::from_value(server.ask("GET", "/customers", "")).unwrap();
    let kinds: Vec<String> = serde_json::from_value(server.ask("GET", "/categories", "")).unwrap();
    let kinds = encoded(&kinds.join(","));
    let customer = |number: usize| encoded(&ids[number % ids.len()]);
    // Every kind by name: the whole list, which is not remembered.
    let computed = |number: usize| ("GET", format!("/recommend/{}?category={kinds}", customer(number)), String::new());
    let remembered = |number: usize| ("GET", format!("/recommend/{}", customer(number)), String::new());
    load(&server.address, CONNECTIONS, 100.0, 3.0, computed);
    load(&server.address, CONNECTIONS, 100.0, 5.0, remembered);
    let memory_before = server.memory();

    let mut page = String::from(TITLE);
    page += "| lists | asked a second | answered a second | half within (ms) | 95 of 100 | 99 of 100 | less in them | failed |\n|---|---:|---:|---:|---:|---:|---:|---:|\n";
    let loads: [(&str, &[f64], Ask); 2] = [
        (ANEW, &[50.0, 100.0, 200.0, 400.0, 800.0, 1200.0], &computed),
        (REMEMBERED, &[1000.0, 2500.0, 5000.0, 7500.0, 10000.0], &remembered),
    ];
    for (what, rates, ask) in loads {
        for rate in rates {
            let began = cpu(server.child.id());
            let found = load(&server.address, CONNECTIONS, *rate, SECONDS, ask);
            page += &row(what, *rate, &found);
            println!(
                "{what} {rate}: {:.1} ms, {:.2} processors",
                found.percentile(95.0),
                (cpu(server.child.id()) - began) / found.took
            );
            // What is far too much needs not be tried with more.
            if found.percentile(50.0) > 1000.0 || found.rate() < 0.7 * rate {
                break;
            }
        }
    }

    let beside = match std::env::var_os("PEERS") {
        Some(python) => peers::section(Path::new(&python), &server.address, &computed),
        None => String::new(),
    };

    // Events: one for every ten lists, and the list right after it.
    let list = server.ask("GET", &format!("/recommend/{}", customer(0)), "");
    let article = list["articles"][0].clone();
    let event = |number: usize| {
        let id = format!("{number}-{}", std::process::id());
        json!({"id": id, "customer_id": ids[number % ids.len()], "product_id": article["product_id"], "season": article["season"], "kind": "browse"})
    };
    let mixed = load(&server.address, CONNECTIONS, 110.0, SECONDS, |number| match number % 11 {
        10 => ("POST", "/events".to_owned(), event(number).to_string()),
        _ => remembered(number),
    });
    page += &row("one event for every ten lists", 110.0, &mixed);
    let mut connection = Connection::new(&server.address);
    let (mut acknowledged, mut next) = (Found::default(), Found::default());
    for number in 0..200 {
        let began = Instant::now();
        let (code, _) = connection.ask("POST", "/events", &event(1_000_000 + number).to_string()).unwrap();
        assert_eq!(code, 200);
        acknowledged.seconds.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        connection.ask("GET", &format!("/recommend/{}", customer(number)), "").unwrap();
        next.seconds.push(began.elapsed().as_secs_f64());
    }
    for found in [&mut acknowledged, &mut next] {
        found.seconds.sort_by(f64::total_cmp);
    }
    let alone = load(&server.address, 32, 20_000.0, 3.0, |number| {
        ("POST", "/events".to_owned(), event(2_000_000 + number).to_string())
    });
    let hundred = load(&server.address, 8, 500.0, 3.0, |number| {
        let events: Vec<Value> = (0..100).map(|place| event(10_000_000 + 100 * number + place)).collect();
        ("POST", "/events".to_owned(), json!(events).to_string())
    });

    // A switch under load.
    let state = server.ask("GET", "/releases", "");
    let first = state["serving"].as_str().unwrap().to_owned();
    let params = folder.path().join("params.yaml");
    let text = std::fs::read_to_string(&params).unwrap();
    std::fs::write(&params, text.replace("  at_least_new: 2", "  at_least_new: 1")).unwrap();
    let built = Command::new(env!("CARGO_BIN_EXE_selvedge"))
        .args(["release", "build", "--root"])
        .arg(folder.path())
        .output()
        .unwrap();
    let second = String::from_utf8_lossy(&built.stdout).trim().to_owned();
    let address = server.address.clone();
    let switches = std::thread::spawn(move || {
        let mut took = Vec::new();
        for hash in [&second, &first].repeat(2) {
            std::thread::sleep(Duration::from_millis(500));
            let began = Instant::now();
            let path = format!("/releases/{hash}/promote");
            let (code, text) = Connection::new(&address).ask("POST", &path, "{\"because\":\"a benchmark\"}").unwrap();
            assert_eq!(code, 200, "{text}");
            took.push(began.elapsed().as_secs_f64());
        }
        took
    });
    let switched = load(&server.address, CONNECTIONS, 100.0, 12.0, remembered);
    let switches = switches.join().unwrap();

    // Many connections that say nothing.
    let held: Vec<std::net::TcpStream> = (0..9_900)
        .map_while(|_| std::net::TcpStream::connect(server.address.trim_start_matches("http://")).ok())
        .collect();
    let crowded = load(&server.address, 32, 500.0, 5.0, remembered);
    let crowd = held.len();
    drop(held);
    let memory_after = server.memory();

    let (server, killed) = kills::killed(folder.path(), server, KILLS, &event);
    let _ = write!(
        page,
        "\n| what | found |\n|---|---|\n| an event, alone on its connection, until it is acknowledged: on disk | half within {:.1} ms, 95 of 100 within {:.1} ms |\n| the list right after it, with the event in it | half within {:.1} ms, 95 of 100 within {:.1} ms |\n| events a second, one in a request, 32 connections | {:.0} ({} failed) |\n| events a second, a hundred in a request | {:.0} ({} failed) |\n| {} releases promoted under 100 lists a second | {} failed, 95 of 100 lists within {:.1} ms; the slowest promotion took {:.1} s |\n| {crowd} connections that say nothing, 500 lists a second beside them | {} failed, 95 of 100 lists within {:.1} ms |\n| killed (kill -9) under load {} times | {} events acknowledged meanwhile, {} of them lost; ready again within {:.1} s, with {} events |\n| memory | {memory_before:.0} MiB after the first lists, {memory_after:.0} MiB at the end |\n",
        acknowledged.percentile(50.0),
        acknowledged.percentile(95.0),
        next.percentile(50.0),
        next.percentile(95.0),
        alone.rate(),
        alone.failed,
        100.0 * hundred.rate(),
        hundred.failed,
        switches.len(),
        switched.failed,
        switched.percentile(95.0),
        switches.iter().copied().fold(0.0, f64::max),
        crowded.failed,
        crowded.percentile(95.0),
        killed.times,
        killed.acknowledged,
        killed.lost,
        killed.slowest,
        server.ask("GET", "/health/ready", "")["events"],
    );
    page += &beside;
    page += &long_load(&std::fs::read_to_string(reports.join("serving.md")).unwrap_or_default());
    let _ = writeln!(page, "\n![95 of 100 lists come within, over how many are asked for](serving.png)");
    std::fs::write(reports.join("serving.png"), picture(&page)).unwrap();
    std::fs::write(reports.join("serving.md"), page).unwrap();
}

/// What the page says of a long load.
fn long_load(page: &str) -> String {
    let from = page.find(hour::HEADING).map_or("", |at| &page[at..]);
    from.split("![").next().unwrap_or_default().to_owned()
}

/// Puts a long load into the page, in the place of the last.
fn hour(page: &Path) {
    let section = hour::section(folder().path());
    let text = std::fs::read_to_string(page).unwrap();
    let (before, picture) = text.split_at(text.rfind("![").unwrap_or(text.len()));
    let known = long_load(before);
    std::fs::write(page, format!("{}{section}{picture}", before.strip_suffix(&known).unwrap_or(before))).unwrap();
}

const TITLE: &str = "# Lists under load

One server over this repository's shop and the load that asks it, on the same machine with two cores. Requests come at a fixed rate over 64
connections; the time of each is counted from the moment at which it was due, so that what waits is seen. `make bench-serving` makes this
page again.

";

/// The lines of a load in the page: what was asked for in a second, and within how many milliseconds 95 of 100 came.
fn points(page: &str, what: &str) -> Vec<(f64, f64)> {
    let cells = |line: &str| -> Option<(f64, f64)> {
        let cells: Vec<&str> = line.strip_prefix(&format!("| {what} | "))?.split(" | ").collect();
        Some((cells.first()?.parse().ok()?, cells.get(3)?.parse().ok()?))
    };
    page.lines().filter_map(cells).collect()
}

/// 95 of 100 come within, over what is asked for; drawn from the page.
fn picture(page: &str) -> Vec<u8> {
    let loads = [(ANEW, "anew", Tone::Better), (REMEMBERED, "unchanged", Tone::Same)];
    let of = |what| points(page, what).into_iter().filter(|(_, p95)| *p95 < FAR).collect::<Vec<_>>();
    let series = loads.map(|(what, name, tone)| Series {
        name: name.into(),
        tone,
        points: of(what)
            .into_iter()
            .map(|(rate, p95)| Point { n: rate as u64, score: Some(Interval { value: p95, lower: p95, upper: p95 }) })
            .collect(),
    });
    let told = |points: Vec<(f64, f64)>| points.last().map_or((0.0, 0.0), |last| *last);
    let (anew, unchanged) = (told(of(ANEW)), told(of(REMEMBERED)));
    let chart = Chart {
        caption: Caption {
            title: format!(
                "Lists that are worked out anew come within {:.0} milliseconds at {:.0} a second, those that nothing has changed within {:.0} at {:.0}.",
                anew.1, anew.0, unchanged.1, unchanged.0
            ),
            subtitle: "95 of 100 come within so many milliseconds, from the moment at which they were to be asked for".into(),
            footnote: "One machine with two cores serves and asks. What takes longer than a second is left out. Figures: reports/serving.md.".into(),
        },
        measure: "milliseconds".into(),
        counted: "lists a second".into(),
        unit: Unit::Number(0),
        series: series.into(),
    };
    chart.png().unwrap()
}
