//! What can be asked of a server beside a customer's list: kinds of articles, visitors, what is alike, features, counts.

use serde_json::{Value, json};

use crate::serving::{Server, customers, encoded, look, shop};
use crate::shop::ROOT;

fn articles(list: &Value) -> &Vec<Value> {
    list["articles"].as_array().unwrap_or_else(|| panic!("{list}"))
}

fn numbers(list: &Value) -> Vec<&str> {
    articles(list).iter().map(|article| article["product_id"].as_str().unwrap()).collect()
}

fn same_again(shop: &crate::shop::Shop, list: &Value) {
    let output = shop.run(&["replay", list["request"].as_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("the same, bit for bit"), "{said}");
}

/// Asking for more never changes what comes first; a kind of article is the whole shelf's, and not what the first ten hold of it.
#[test]
fn lists_are_cut_filtered_and_gone_on_with() {
    let shop = shop();
    // So that there is more than one list to a shelf.
    shop.replace("params.yaml", "per_customer: 10", "per_customer: 3");
    let server = Server::start(&shop, &["--playground"]);
    let (personal, _) = customers(&shop);
    let of = |query: &str| server.get(&format!("/recommend/{}?{query}", encoded(&personal))).1;
    let (three, all) = (of("n=3"), of("n=100"));
    let count = articles(&all).len();
    assert!(count > 3, "{all}");
    assert_eq!(articles(&all)[..3], articles(&three)[..]);
    assert_eq!(articles(&of("n=3&offset=3"))[..], articles(&all)[3..6.min(count)]);
    let mut named = numbers(&all);
    named.sort_unstable();
    named.dedup();
    assert_eq!(named.len(), count, "no article twice");
    // What is left out is filled up from behind.
    let out = numbers(&three)[..2].join(",");
    assert_eq!(articles(&of(&format!("n=3&exclude={}", encoded(&out))))[..], articles(&all)[2..5.min(count)]);

    let (_, kinds) = server.get("/categories");
    let kind = kinds.as_array().unwrap().last().unwrap().as_str().unwrap();
    let of_kind = of(&format!("n=10&category={}", encoded(kind)));
    assert!(!articles(&of_kind).is_empty());
    assert!(articles(&of_kind).iter().all(|article| article["category"] == json!(kind)), "{of_kind}");
    let scores = |list: &Value| -> Vec<(Value, Value)> {
        articles(list).iter().map(|one| (one["product_id"].clone(), one["score"].clone())).collect()
    };
    let (whole, of_this) = (scores(&all), scores(&of_kind));
    assert!(
        of_this.iter().all(|one| whole.contains(one)),
        "an article's score does not depend on what else is asked for"
    );
    let (code, refused) = server.get(&format!("/recommend/{}?category=no%20such", encoded(&personal)));
    assert_eq!((code, &refused["error"]), (400, &json!("there are no articles of the kind 'no such'")));
    for list in [&all, &of_kind] {
        same_again(&shop, list);
    }
    let why = server.get(&format!("/why/{}/{}", of_kind["request"].as_str().unwrap(), encoded(numbers(&of_kind)[0])));
    assert_eq!(why.0, 200);
}

/// A visitor is served by the same features, ranking and reasons; without consent by what is popular, and nothing is written down.
#[test]
fn visitors_without_an_id_get_lists() {
    let shop = shop();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, _) = customers(&shop);
    let (code, nothing) = server.post("/recommend", json!({}));
    assert_eq!((code, nothing["customer_id"].is_null(), nothing["degraded"].as_array().unwrap().len()), (200, true, 0));
    assert!(articles(&nothing).iter().all(|article| article["basis"] != "personal"), "{nothing}");
    assert!(articles(&nothing).iter().all(|article| !article["reason"].as_str().unwrap().is_empty()));
    let looked: Vec<Value> = articles(&server.list(&personal))
        .iter()
        .map(|article| json!({"product_id": article["product_id"], "season": article["season"], "kind": "browse"}))
        .collect();
    let asked = json!({"personalisation_consent": true, "events": looked, "n": 10});
    let (code, agreed) = server.post("/recommend", asked.clone());
    assert_eq!((code, agreed["ignored"].is_null()), (200, true), "{agreed}");
    assert!(articles(&agreed).len() == 10);
    let ranked = server.get("/health/ready").1["ranking"] != json!("none yet");
    assert_eq!(articles(&agreed).iter().all(|article| article["basis"] == "personal"), ranked);
    assert_eq!(articles(&server.post("/recommend", asked).1), articles(&agreed), "the same visit, the same list");
    let other = json!({"personalisation_consent": true, "events": looked[..1], "n": 10});
    assert!(
        !ranked || articles(&server.post("/recommend", other).1) != articles(&agreed),
        "another visit, another list"
    );
    // Without consent what was done changes nothing, is said not to be used, and is written down nowhere.
    let secret =
        json!({"personalisation_consent": false, "events": [{"product_id": "seen by nobody", "kind": "wishlist"}]});
    let (_, refused) = server.post("/recommend", secret);
    assert_eq!((articles(&refused), refused["ignored"].as_array().unwrap().len()), (articles(&nothing), 1));
    // What cannot be used of a visit is told.
    let odd = json!({"personalisation_consent": true, "events": [{"product_id": "no such", "kind": "browse"}]});
    let (_, told) = server.post("/recommend", odd);
    assert!(told["ignored"][0]["why"].as_str().unwrap().contains("no article has the number 'no such'"), "{told}");
    for (body, code) in [
        (json!({"n": 0}), 400),
        (json!({"events": [{"product_id": "1", "kind": "purchase"}]}), 422),
        (json!({"customer_id": "x"}), 422),
        (
            json!({"personalisation_consent": true, "events": [{"product_id": "1", "kind": "browse", "at": "2999-01-01T00:00:00Z"}]}),
            400,
        ),
    ] {
        let (found, refused) = server.post("/recommend", body.clone());
        assert_eq!(
            (found, refused["do"].as_str().is_some_and(|advice| !advice.is_empty())),
            (code, true),
            "{body}: {refused}"
        );
    }
    for list in [&nothing, &agreed] {
        same_again(&shop, list);
    }
    let log = String::from_utf8_lossy(&std::fs::read(shop.path("work/playground/requests.log")).unwrap()).into_owned();
    assert!(!log.contains("seen by nobody"));
}

#[test]
fn what_is_alike_can_be_had_and_says_why() {
    let shop = shop();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, _) = customers(&shop);
    let list = server.list(&personal);
    let (product, season) =
        (list["articles"][0]["product_id"].as_str().unwrap(), list["articles"][0]["season"].as_str().unwrap());
    let of = |more: &str| server.get(&format!("/similar/{}/{}{more}", encoded(product), encoded(season)));
    let (code, found) = of("?n=5");
    assert_eq!((code, articles(&found).len()), (200, 5), "{found}");
    assert!(!numbers(&found).contains(&product));
    let scores: Vec<(&str, f64)> = articles(&found)
        .iter()
        .map(|article| (article["basis"].as_str().unwrap(), article["score"].as_f64().unwrap()))
        .collect();
    assert!(scores.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 >= pair[1].1), "{scores:?}");
    assert!(scores.iter().all(|(_, score)| (-1.001..=1.001).contains(score)), "{scores:?}");
    assert!(articles(&found).iter().all(|article| article["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    let (_, cut) = of(&format!("?n=2&offset=1&exclude={}", encoded(numbers(&found)[0])));
    assert_eq!(numbers(&cut), numbers(&found)[2..4], "left out first, then cut");
    // Everything is on sale now.
    let at = found["as_of"].as_str().unwrap()[..10].to_owned();
    for article in numbers(&found) {
        let query = format!(
            "SELECT COUNT(*) FROM sources.products WHERE product_id = '{article}' AND on_sale_from <= DATE '{at}' + INTERVAL '1' DAY AND on_sale_until >= DATE '{at}' - INTERVAL '1' DAY"
        );
        assert_ne!(shop.only(&query), "0", "{article}");
    }
    let (code, refused) = server.get("/similar/no%20such/XX99");
    assert_eq!((code, refused["error"].as_str().unwrap().contains("no such")), (404, true));
}

/// Features at a request are those that the stages make, by the same SQL: what was known at the export is the same here.
#[test]
fn features_are_those_of_the_sql() {
    let shop = shop();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, without) = customers(&shop);
    let (code, found) = server.get(&format!("/features/customer_history?customer_id={}", encoded(&personal)));
    assert_eq!((code, &found["stale"], &found["entity"]), (200, &json!(false), &json!("customer")), "{found}");
    let values = found["values"].as_object().unwrap();
    let at = found["as_of"].as_str().unwrap().trim_end_matches('Z');
    let looks = format!(
        "SELECT COUNT(*) FROM sources.transactions WHERE customer_id = '{personal}' AND event_type = 'browse' AND event_time < TIMESTAMP '{at}' AND event_time >= TIMESTAMP '{at}' - INTERVAL '30' DAY"
    );
    assert_eq!(values["looks_30d"].to_string(), shop.only(&looks));
    // An event counts at once.
    let list = server.list(&personal);
    assert_eq!(server.post("/events", look("f1", &personal, &list["articles"][0])).1["kept"], json!(1));
    let (_, moved) = server.get(&format!("/features/customer_history?customer_id={}", encoded(&personal)));
    assert_ne!(moved["values"], found["values"]);
    // Nothing that somebody without consent did is in any of theirs.
    let (_, none) = server.get(&format!("/features/customer_history?customer_id={}", encoded(&without)));
    assert_eq!(none["missing"].as_array().unwrap().len(), values.len(), "{none}");
    // What is known of articles is as old as when it was looked at, and its header says how old it may be.
    let article = &list["articles"][0];
    let (product, season) =
        (encoded(article["product_id"].as_str().unwrap()), encoded(article["season"].as_str().unwrap()));
    let (code, record) = server.get(&format!("/features/article_record?product_id={product}&season={season}"));
    assert_eq!((code, &record["fresh_for"], &record["stale"]), (200, &json!("10 minutes"), &json!(false)), "{record}");
    assert!(record["values"]["article_looks"].is_number());
    let (_, views) = server.get("/features");
    assert!(
        views.as_array().unwrap().iter().any(|view| view["view"] == "article_record" && view["kept"] == json!(true))
    );
    for (path, code, words) in [
        ("/features/article_recrod?product_id=1&season=2", 404, "did you mean article_record"),
        ("/features/article_record?product_id=1", 400, "?season="),
        ("/features/article_record?product_id=no&season=such", 404, "article number"),
        ("/features/customer_history?customer_id=nobody", 404, "customer_id"),
        ("/features/customer_history?customer=1", 400, "/openapi.json"),
    ] {
        let (found, refused) = server.get(path);
        assert_eq!((found, refused["do"].as_str().unwrap().contains(words)), (code, true), "{path}: {refused}");
    }
}

/// A view that is older than its header allows is missing from lists; the answer says so, health says so, and it is counted.
#[test]
fn what_is_too_old_is_missing_and_told() {
    let shop = shop();
    shop.replace("sql/features/article_record.sql", "fresh_for: 10 minutes", "fresh_for: 1 second");
    for stage in ["features", "frame"] {
        shop.must(&[stage]);
    }
    let server = Server::start(&shop, &["--playground"]);
    let (personal, _) = customers(&shop);
    assert_eq!(server.list(&personal)["degraded"], json!([]));
    // It is worked out again before it is too old; where the server is held up, it is not.
    let stop = |signal: &str| {
        std::process::Command::new("kill").args([signal, &server.child.id().to_string()]).status().unwrap()
    };
    let mut degraded = Value::Null;
    for _ in 0..5 {
        stop("-STOP");
        std::thread::sleep(std::time::Duration::from_millis(1500));
        stop("-CONT");
        let list = server.list(&personal);
        if list["degraded"] != json!([]) {
            same_again(&shop, &list);
            degraded = list["degraded"][0].clone();
            break;
        }
    }
    assert!(
        degraded.as_str().is_some_and(|words| words.contains("article_record is older than 1 second")),
        "{degraded}"
    );
    let (_, metrics) = server.get("/metrics");
    let counted =
        |line: &str| line.starts_with("selvedge_left_out_total{of=\"stale features\"}") && !line.ends_with(" 0");
    assert!(metrics.as_str().unwrap().lines().any(counted), "{metrics}");
    crate::serving::wait_until(|| server.list(&personal)["degraded"] == json!([]));
    assert_eq!(server.list(&personal)["degraded"], json!([]));
}

/// Every query of the dashboard reads metrics that the server has.
#[test]
fn the_dashboard_shows_what_is_counted() {
    let shop = shop();
    let log = shop.path("access.jsonl");
    let server = Server::start(&shop, &["--playground", "--access-log", log.to_str().unwrap()]);
    let (personal, _) = customers(&shop);
    server.list(&personal);
    let (_, metrics) = server.get("/metrics");
    let metrics = metrics.as_str().unwrap();
    let mut known: Vec<String> = Vec::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        known.extend(endings.iter().map(|ending| format!("{name}{ending}")));
    }
    let board: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{ROOT}/grafana/serving.json")).unwrap()).unwrap();
    let queries: Vec<&str> = board["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() > 15);
    let is_name = |word: &&str| ["http_", "selvedge_", "process_"].iter().any(|start| word.starts_with(start));
    let mut named = std::collections::BTreeSet::new();
    for query in &queries {
        let words: Vec<&str> = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(is_name).collect();
        assert!(!words.is_empty(), "{query}");
        for word in words {
            assert!(known.iter().any(|name| name == word), "{word} of '{query}' is no metric of\n{metrics}");
            named.insert(word);
        }
    }
    // And what is counted is shown.
    let unseen = known.iter().filter(|name| {
        !named.iter().any(|shown| {
            name.starts_with(shown.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count"))
        })
    });
    assert_eq!(unseen.collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(!metrics.contains(&personal), "no customer is a label");
    // Each request is a line of JSON too, and nobody's name is in it.
    assert_eq!(server.get("/nowhere").0, 404);
    server.stop();
    let lines = shop.read("access.jsonl");
    assert!(!lines.contains(&personal), "{lines}");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = lines.iter().map(|line| (line["method"].as_str().unwrap(), &line["path"], &line["status"]));
    let list = ("GET", &json!("/recommend/{customer}"), &json!(200));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [list, ("GET", &json!("/metrics"), &json!(200)), ("GET", &json!("other"), &json!(404))]
    );
    assert!(
        lines.iter().all(|line| line["seconds"].as_f64().unwrap() > 0.0 && line["at"].as_str().unwrap().ends_with('Z'))
    );
}

/// Two releases are held side by side: the same one does not differ, one with other rules does.
#[test]
fn releases_are_compared() {
    let shop = shop();
    let first = shop.must(&["release", "build"]).trim().to_owned();
    let same = shop.must(&["compare", &first, &first]);
    assert!(same.contains("60 of 60 customers are shown the same list, 60 the same first article"), "{same}");
    shop.replace("params.yaml", "per_customer: 10", "per_customer: 3");
    let second = shop.must(&["release", "build"]).trim().to_owned();
    let other = shop.must(&["compare", &first, &second, "--customers", "20"]);
    assert!(other.starts_with("0 of 20 customers are shown the same list"), "{other}");
    let unknown = shop.run(&["compare", &first, "no such"]);
    assert!(
        !unknown.status.success() && String::from_utf8_lossy(&unknown.stderr).contains("there is no release no such")
    );
}
