//! What reads bytes from outside, fed with what nobody would send: every refusal says what to do, nothing breaks, and nothing that
//! one customer did shows in what another is told.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::serving::{Server, customers, encoded, look, shop};

/// Some JSON that nobody asked for.
fn odd(dice: &mut ChaCha8Rng, depth: usize) -> Value {
    match dice.gen_range(0..if depth == 0 { 8 } else { 10 }) {
        0 => Value::Null,
        1 => json!(dice.r#gen::<bool>()),
        2 => json!(dice.r#gen::<i64>()),
        3 => json!(dice.gen_range(-1e300..1e300)),
        4 => json!(""),
        5 => json!(
            ["\u{0}", "\u{1}", "\u{202e}", "ß", "a\u{301}", "' OR 1=1 --", "../../etc", "%00"][dice.gen_range(0..8)]
        ),
        6 => json!("x".repeat(dice.gen_range(0..500))),
        7 => json!(["2031-05-01T10:00:00Z", "9999-99-99", "+262143-12-31T23:59:59Z", "browse"][dice.gen_range(0..4)]),
        8 => json!((0..dice.gen_range(0..4)).map(|_| odd(dice, depth - 1)).collect::<Vec<_>>()),
        _ => json!({"id": odd(dice, depth - 1), "kind": odd(dice, depth - 1)}),
    }
}

/// An event or a visit with something changed, taken away or added.
fn spoiled(dice: &mut ChaCha8Rng, mut whole: Value) -> Value {
    for _ in 0..dice.gen_range(1..3) {
        let Some(fields) = whole.as_object_mut() else { break };
        let names: Vec<String> = fields.keys().cloned().collect();
        let name = names[dice.gen_range(0..names.len())].clone();
        match dice.gen_range(0..4) {
            0 => drop(fields.remove(&name)),
            1 => drop(fields.insert("no such field".into(), json!(1))),
            _ => drop(fields.insert(name, odd(dice, 2))),
        }
    }
    whole
}

#[test]
fn nothing_that_is_sent_breaks_anything() {
    let shop = shop();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, without) = customers(&shop);
    let article = server.list(&personal)["articles"][0].clone();
    let agent = ureq::agent();
    let mut dice = ChaCha8Rng::seed_from_u64(21);
    let ask = |method: &str, path: &str, body: Option<&[u8]>| -> (u16, String) {
        let request =
            agent.request(method, &format!("{}{path}", server.address)).set("content-type", "application/json");
        let answer = match body {
            Some(body) => request.send_bytes(body),
            None => request.call(),
        };
        match answer {
            Ok(response) | Err(ureq::Error::Status(_, response)) => {
                (response.status(), response.into_string().unwrap())
            }
            Err(error) => panic!("{method} {path}: {error}"),
        }
    };
    let check = |what: &str, (code, text): (u16, String)| {
        assert!(code < 500, "{what}: {code} {text}");
        let said: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}: {text}"));
        if code >= 400 {
            let refused = said["refused"]
                .as_array()
                .is_some_and(|all| all.iter().all(|one| one["why"].as_str().is_some_and(|why| !why.is_empty())));
            let in_words =
                ["error", "do"].iter().all(|word| said[*word].as_str().is_some_and(|words| !words.is_empty()));
            assert!(refused || in_words, "{what}: {code} {text}");
        }
        code
    };
    let mut codes = std::collections::BTreeMap::<u16, usize>::new();
    for round in 0..300 {
        let mut event = look(&format!("odd {round}"), &personal, &article);
        event["kind"] = json!(["browse", "wishlist", "purchase", "return", "shown", "clicked"][round % 6]);
        event["order_id"] = json!("o");
        event["unit_price_eur"] = json!("39.90");
        let event = spoiled(&mut dice, event);
        let mut bytes = serde_json::to_vec(&if round % 3 == 0 { json!([event]) } else { event }).unwrap();
        if round % 5 == 0 {
            let place = dice.gen_range(0..bytes.len());
            match round % 2 {
                0 => bytes[place] = dice.r#gen(),
                _ => bytes.truncate(place),
            }
        }
        let what = String::from_utf8_lossy(&bytes).into_owned();
        *codes.entry(check(&what, ask("POST", "/events", Some(&bytes)))).or_default() += 1;
        let visit = json!({"personalisation_consent": true, "region": "North", "country": "DE", "n": 3, "offset": 0,
            "events": [{"product_id": article["product_id"], "kind": "browse"}]});
        let visit = serde_json::to_vec(&spoiled(&mut dice, visit)).unwrap();
        let what = String::from_utf8_lossy(&visit).into_owned();
        check(&what, ask("POST", "/recommend", Some(&visit)));
    }
    // An event is no row of values, whose meaning would change with the next field.
    let row = json!([["in a row", personal, article["product_id"], null, "browse"]]).to_string();
    assert_eq!(ask("POST", "/events", Some(row.as_bytes())).0, 422);
    // What is sound goes through, and what is not is told from it.
    assert!(codes.len() >= 3 && codes.keys().all(|code| [200, 400, 413, 422].contains(code)), "{codes:?}");
    let texts =
        ["", " ", "\u{0}", "%", "a/b", "ß", "...", "' OR 1=1 --", "\u{1}", "null", &"x".repeat(5000), "C\u{301}"];
    for text in texts {
        let text = encoded(text);
        for path in [
            format!("/recommend/{text}"),
            format!("/recommend/{}?category={text}&exclude={text}", encoded(&personal)),
            format!("/recommend/{}?n={text}", encoded(&personal)),
            format!("/similar/{text}/{text}?country={text}"),
            format!("/why/{text}/{text}"),
            format!("/features/{text}"),
            format!("/features/customer_history?customer_id={text}"),
            format!("/features/article_record?product_id={text}&season={text}"),
        ] {
            check(&path, ask("GET", &path, None));
        }
        let path = format!("/releases/{text}/{text}");
        check(&path, ask("POST", &path, Some(b"{}")));
    }
    // Nobody sees what another did: what is told of one without consent is the same as before all of this.
    let (_, health) = server.get("/health/ready");
    assert_eq!(health["ready"], json!(true));
    let list = server.list(&without).to_string();
    assert!(!list.contains(&personal) && !list.contains("odd "), "{list}");
    assert!(server.get("/metrics").1.as_str().unwrap().lines().all(|line| !line.contains(&personal)));
}
