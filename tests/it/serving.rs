//! A real server, asked over HTTP as a shop's page would: lists, events, releases, keys, a crash.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shop::Shop;

/// A shop with everything that a release needs, made once for all tests.
fn made() -> &'static Shop {
    static MADE: OnceLock<Shop> = OnceLock::new();
    MADE.get_or_init(|| {
        let shop = Shop::new(60);
        for stage in ["ingest", "embeddings", "features", "frame", "train", "rank", "evaluate", "recommend"] {
            shop.must(&[stage]);
        }
        shop
    })
}

/// The same in a folder of its own.
pub fn shop() -> Shop {
    let (shop, made) = (Shop::bare(), made());
    for part in ["work", "materials", "sql"] {
        shop.copy(&made.path(part), part);
    }
    shop.write("params.yaml", &made.read("params.yaml"));
    shop
}

pub struct Server {
    pub child: Child,
    pub address: String,
}

impl Server {
    pub fn start(shop: &Shop, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_selvedge"))
            .args(["serve", "--address", "127.0.0.1:0"])
            .args(arguments)
            .arg("--root")
            .arg(shop.path(""))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the server ended:\n{said}")).unwrap();
            said += &format!("{line}\n");
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().to_owned();
            }
        };
        // What it says later must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub fn ask(&self, request: ureq::Request, body: Option<Value>) -> (u16, Value) {
        let answer = match body {
            Some(body) => request.send_json(body),
            None => request.call(),
        };
        let response = match answer {
            Ok(response) | Err(ureq::Error::Status(_, response)) => response,
            Err(error) => panic!("{error}"),
        };
        let code = response.status();
        let text = response.into_string().unwrap();
        (code, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.ask(ureq::get(&format!("{}{path}", self.address)), None)
    }

    pub fn list(&self, customer: &str) -> Value {
        self.get(&format!("/recommend/{}", encoded(customer))).1
    }

    pub fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(ureq::post(&format!("{}{path}", self.address)), Some(body))
    }
}

impl Server {
    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A text as part of an address.
pub fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// Waits until something holds, for as long as a server may need at most.
pub fn wait_until(holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A customer with and one without consent, and what the release's own lists show the first.
pub fn customers(shop: &Shop) -> (String, String) {
    let one = |consent: &str| {
        let query = format!(
            "SELECT customer_id FROM sources.customers WHERE COALESCE(personalisation_consent, false) = {consent} ORDER BY customer_id LIMIT 1"
        );
        shop.ask(&query).remove(0)
    };
    (one("true"), one("false"))
}

pub fn look(id: &str, customer: &str, article: &Value) -> Value {
    json!({"id": id, "customer_id": customer, "product_id": article["product_id"], "season": article["season"], "kind": "browse"})
}

#[test]
fn a_list_is_answered_explained_and_had_again() {
    let shop = shop();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, without) = customers(&shop);
    let (code, health) = server.get("/health/ready");
    assert_eq!((code, &health["ready"], &health["events"]), (200, &json!(true), &json!(0)), "{health}");
    let (code, list) = server.get(&format!("/recommend/{}", encoded(&personal)));
    assert_eq!(code, 200, "{list}");
    let articles = list["articles"].as_array().unwrap();
    assert!(list["degraded"].as_array().unwrap().is_empty(), "{list}");
    assert!(
        !articles.is_empty()
            && articles.iter().all(|article| article["reason"].as_str().is_some_and(|r| !r.is_empty()))
    );
    // Asked again while nothing has changed, it is the same; cut, it is the same less what was cut.
    let again = server.list(&personal);
    assert_eq!(again["articles"], list["articles"]);
    let first = articles[0]["product_id"].as_str().unwrap();
    let (_, cut) = server.get(&format!("/recommend/{}?n=2&exclude={}", encoded(&personal), encoded(first)));
    assert_eq!(cut["articles"].as_array().unwrap()[..], articles[1..3.min(articles.len())]);

    let (code, why) = server.get(&format!("/why/{}/{}", list["request"].as_str().unwrap(), encoded(first)));
    assert_eq!(
        (code, &why["article"]["product_id"], &why["article"]["reason"]),
        (200, &json!(first), &articles[0]["reason"])
    );
    // What was not in it says why, in the words of `why-not`.
    let owned = format!(
        "SELECT product_id FROM sources.transactions WHERE customer_id = '{personal}' AND event_type = 'purchase' ORDER BY product_id LIMIT 1"
    );
    for article in shop.ask(&owned) {
        let (code, why) = server.get(&format!("/why/{}/{}", list["request"].as_str().unwrap(), encoded(&article)));
        assert_eq!(
            (code, why["article"].is_null()),
            (200, articles.iter().all(|one| one["product_id"] != json!(article)))
        );
        if why["article"].is_null() {
            assert_eq!(shop.must(&["why-not", &personal, &article]).trim(), why["said"].as_str().unwrap().trim());
        }
    }
    let (code, why) = server.get(&format!("/why/{}/no%20such", list["request"].as_str().unwrap()));
    assert_eq!((code, why["error"].as_str().unwrap().contains("no such")), (409, true), "{why}");

    // An event counts for the next list, once however often it is sent; without consent it is not even kept.
    let event = look("e1", &personal, &articles[0]);
    let (code, sent) = server.post("/events", event.clone());
    assert_eq!((code, &sent["kept"]), (200, &json!(1)), "{sent}");
    let (_, sent) = server.post("/events", json!([event, look("e2", &without, &articles[0])]));
    assert_eq!((&sent["kept"], &sent["again"], &sent["without_consent"]), (&json!(0), &json!(1), &json!(1)));
    let moved = server.list(&personal);
    assert_eq!(moved["articles"].as_array().unwrap().len(), articles.len());
    let other = server.list(&without);
    assert!(other["articles"].as_array().unwrap().iter().all(|article| article["basis"] != "personal"), "{other}");

    // What cannot be true is refused in words, and nothing else is: who is not known yet may be known to the next release.
    let (code, refused) =
        server.post("/events", json!([look("", &personal, &articles[0]), look("e1", &personal, &articles[1])]));
    let words = ["id is empty; give the event a id", "the id 'e1' was given to another event before"];
    let said: Vec<&Value> = (0..2).map(|place| &refused["refused"][place]["why"]).collect();
    assert_eq!((code, said), (422, words.iter().map(|words| json!(words)).collect::<Vec<_>>().iter().collect()));
    let (code, waits) = server.post("/events", look("e3", "nobody", &articles[0]));
    assert_eq!((code, &waits["kept"]), (200, &json!(1)));
    assert_eq!(
        waits["waiting"][0]["why"],
        json!("there is no customer 'nobody' in this release; the next may know it")
    );
    assert_eq!(server.get("/recommend/nobody").0, 404);
    assert_eq!(server.get(&format!("/recommend/{}?n=0", encoded(&personal))).0, 400);
    assert_eq!(server.post("/events", json!({"id": 1})).0, 422);
    let (_, api) = server.get("/openapi.json");
    assert!(api["paths"]["/recommend/{customer}"]["get"].is_object());
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.as_str().unwrap().contains("selvedge_events_total{outcome=\"kept\"} 2"), "{metrics}");
    assert!(!metrics.as_str().unwrap().contains(&personal), "no customer is a label");

    // Every answer can be had again; those to who has not agreed are written down nowhere.
    let none = shop.run(&["replay", other["request"].as_str().unwrap()]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is no answer"));
    for list in [&list, &moved] {
        let output = shop.run(&["replay", list["request"].as_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("the same, bit for bit"), "{said}");
    }
}

/// What is sent together is held against each other, in the order in which it happened.
#[test]
fn pieces_come_back_once() {
    let shop = shop();
    let (personal, _) = customers(&shop);
    let server = Server::start(&shop, &["--playground"]);
    let list = server.list(&personal);
    let deal = |id: &str, kind: &str, more: Value| {
        let mut event = look(id, &personal, &list["articles"][0]);
        event["kind"] = json!(kind);
        event["order_id"] = json!("order 1");
        more.as_object().unwrap().iter().for_each(|(name, value)| event[name] = value.clone());
        event
    };
    let bought = json!({"quantity": 3, "unit_price_eur": "39.90"});
    // A return that comes before its purchase waits for it.
    let (_, sent) = server.post("/events", deal("r0", "return", json!({"quantity": 1})));
    assert_eq!((&sent["kept"], &sent["waiting"][0]["index"]), (&json!(1), &json!(0)), "{sent}");
    let (_, sent) = server.post(
        "/events",
        json!([
            deal("p1", "purchase", bought.clone()),
            deal("r1", "return", json!({"quantity": 2})),
            deal("r2", "return", json!({"quantity": 2})),
            deal("r3", "return", json!({"quantity": 1})),
            deal("p2", "purchase", bought),
        ]),
    );
    let refused: Vec<&Value> = sent["refused"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
    assert_eq!((&sent["kept"], refused), (&json!(3), vec![&json!(3), &json!(4)]), "{sent}");
    // Of three pieces three came back, however often somebody says so.
    let (code, sent) = server.post("/events", deal("r4", "return", json!({"quantity": 1})));
    assert_eq!((code, &sent["kept"]), (422, &json!(0)));
    assert!(sent["refused"][0]["why"].as_str().unwrap().contains("came back before"), "{sent}");
}

/// Where a release knows that somebody does not agree any more, what they did is taken out of the journal itself.
#[test]
fn who_no_longer_agrees_is_forgotten() {
    let shop = shop();
    let (personal, _) = customers(&shop);
    let server = Server::start(&shop, &["--playground"]);
    let list = server.list(&personal);
    let other = shop
        .ask("SELECT customer_id FROM sources.customers WHERE personalisation_consent ORDER BY customer_id LIMIT 1 OFFSET 1")
        .remove(0);
    let mut stays = look("stays", &other, &list["articles"][0]);
    stays["session_id"] = json!("visit of who stays");
    let mut goes = look("goes", &personal, &list["articles"][0]);
    goes["session_id"] = json!("visit of who goes");
    assert_eq!(server.post("/events", json!([goes, stays])).1["kept"], json!(2));
    let journal =
        || String::from_utf8_lossy(&std::fs::read(shop.path("work/playground/events.log")).unwrap()).into_owned();
    assert!(journal().contains("visit of who goes"));

    let agreed = shop.read("materials/customers.csv");
    let line = agreed.lines().find(|line| line.starts_with(&format!("{personal},"))).unwrap();
    shop.replace("materials/customers.csv", line, &line.replace(",true", ",false"));
    for stage in ["ingest", "features", "frame", "recommend"] {
        shop.must(&[stage]);
    }
    let second = shop.must(&["release", "build"]).trim().to_owned();
    shop.must(&["release", "promote", &second, "--because", "a test"]);
    wait_until(|| !journal().contains("visit of who goes"));
    assert!(!journal().contains("visit of who goes") && journal().contains("visit of who stays"));
    let list = server.list(&personal);
    assert!(list["articles"].as_array().unwrap().iter().all(|article| article["basis"] != "personal"), "{list}");
    assert_eq!(server.get("/health/ready").1["events"], json!(2), "its number stays");
    // What is kept next is found again behind it.
    assert_eq!(server.post("/events", look("later", &other, &list["articles"][0])).1["kept"], json!(1));
    drop(server);
    let server = Server::start(&shop, &["--playground"]);
    assert_eq!(server.get("/health/ready").1["events"], json!(3));
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let shop = shop();
    let (personal, _) = customers(&shop);
    let mut server = Server::start(&shop, &["--playground"]);
    let list = server.list(&personal);
    let article = list["articles"][0].clone();
    for round in 0..3 {
        for event in 0..5 {
            let (code, _) = server.post("/events", look(&format!("{round}-{event}"), &personal, &article));
            assert_eq!(code, 200);
        }
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        // As if the machine had gone while the next was being written.
        let path = shop.path("work/playground/events.log");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend([200, 0, 0, 0, 1, 2]);
        std::fs::write(&path, bytes).unwrap();
        server = Server::start(&shop, &["--playground"]);
        assert_eq!(server.get("/health/ready").1["events"], json!(5 * (round + 1)));
    }
}

#[test]
fn releases_are_promoted_tried_and_taken_back() {
    let shop = shop();
    let (personal, _) = customers(&shop);
    let build = || shop.must(&["release", "build"]).trim().to_owned();
    let refused = shop.run(&["serve", "--address", "127.0.0.1:0"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing has been released yet"));
    let first = build();
    assert_eq!(build(), first, "the same files are the same release");
    shop.must(&["release", "promote", &first[..6]]);
    shop.replace("params.yaml", "per_customer: 10", "per_customer: 3");
    shop.must(&["recommend"]);
    let second = build();
    assert_ne!(second, first);
    assert!(shop.must(&["release", "diff", &first, &second]).contains("changed  params.yaml"));

    let server = Server::start(&shop, &["--playground"]);
    let shown = || server.list(&personal);
    assert_eq!(shown()["release"], json!(first));
    let (code, _) = server.post(&format!("/releases/{second}/promote"), json!({}));
    assert_eq!(code, 200);
    assert_eq!(shown()["release"], json!(second), "at once");
    let (_, state) = server.post(&format!("/releases/{second}/rollback"), json!({"because": "a test"}));
    assert_eq!((&state["serving"], &shown()["release"]), (&json!(first), &json!(first)));
    let (code, refused) = server.post(&format!("/releases/{second}/canary"), json!({}));
    assert_eq!((code, &refused["error"]), (409, &json!("a canary needs a share")));
    server.post(&format!("/releases/{second}/canary"), json!({"share": 1.0}));
    assert_eq!(shown()["release"], json!(second));
    assert_eq!(server.post("/releases/abcd/promote", json!({})).0, 404);

    // A release that was changed is refused, whatever is wanted.
    let file = format!("work/releases/{second}/params.yaml");
    shop.write(&file, &(shop.read(&file) + "# changed\n"));
    let output = shop.run(&["release", "promote", &second, "--because", "I want to"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not what was released"));
}

/// A release that answers too late is taken back by itself, and the reason is written down.
#[test]
fn a_release_that_breaks_a_promise_is_taken_back() {
    let shop = shop();
    let first = shop.must(&["release", "build"]).trim().to_owned();
    shop.must(&["release", "promote", &first]);
    shop.replace("params.yaml", "slo_enough: 50", "slo_enough: 3");
    shop.replace("params.yaml", "slo_p95_ms: 500", "slo_p95_ms: 0.001");
    shop.replace("params.yaml", "watch_seconds: 5", "watch_seconds: 1");
    let second = shop.must(&["release", "build"]).trim().to_owned();
    let server = Server::start(&shop, &["--playground"]);
    let customers: Vec<String> = shop
        .ask("SELECT customer_id FROM sources.customers WHERE personalisation_consent ORDER BY customer_id LIMIT 5");
    let ask_all =
        || customers.iter().for_each(|id| assert_eq!(server.get(&format!("/recommend/{}", encoded(id))).0, 200));
    // With nothing to go back to, it goes on.
    ask_all();
    server.post(&format!("/releases/{second}/promote"), json!({"because": "a test"}));
    ask_all();
    let serving = || server.get("/releases").1["serving"].clone();
    wait_until(|| serving() == json!(first));
    assert_eq!(serving(), json!(first));
    assert!(shop.read("work/releases/log.jsonl").contains("95 of 100 came within"));
}

/// A gate keeps back what would show everybody the same; who says why may promote it all the same.
#[test]
fn a_gate_keeps_a_bad_release_back() {
    let shop = shop();
    shop.write(
        "sql/gates/never.sql",
        "/*---\n{name: never, description: Nothing may serve., severity: error}\n---*/\nSELECT 'it is a test' AS because FROM candidate.recommendations LIMIT 1\n",
    );
    let hash = shop.must(&["release", "build"]).trim().to_owned();
    let output = shop.run(&["release", "promote", &hash]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("the gate never keeps the release back: it is a test"), "{said}");
    shop.must(&["release", "promote", &hash, "--because", "nobody minds"]);
    assert!(shop.read("work/releases/log.jsonl").contains("nobody minds"));
}

#[test]
fn keys_are_asked_for_where_there_are_any() {
    let shop = shop();
    shop.must(&["release", "build"]);
    let open = shop.run(&["serve", "--address", "0.0.0.0:0"]);
    assert!(String::from_utf8_lossy(&open.stderr).contains("without keys only this machine may ask"));
    let key = shop.must(&["key", "read"]).trim().to_owned();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, _) = customers(&shop);
    let path = format!("{}/recommend/{}", server.address, encoded(&personal));
    let with = |key: &str| ureq::get(&path).set("authorization", &format!("Bearer {key}"));
    assert_eq!(server.ask(ureq::get(&path), None).0, 401);
    assert_eq!(server.ask(with(&key), None).0, 200);
    assert_eq!(server.ask(with(&format!("{key}0")), None).0, 401);
    let events = ureq::post(&format!("{}/events", server.address)).set("authorization", &format!("Bearer {key}"));
    assert_eq!(server.ask(events, Some(json!([]))).0, 401, "a key to read sends no events");
    // One that is made while the server runs is known to it.
    std::thread::sleep(Duration::from_millis(20));
    let other = shop.must(&["key", "read", "write"]).trim().to_owned();
    assert_eq!((server.ask(with(&other), None).0, server.ask(with(&key), None).0), (200, 200));
}
