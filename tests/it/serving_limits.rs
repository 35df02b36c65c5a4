//! What a server does where there is too much of something, too little, or something is broken: it says so, and goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serving::{Server, customers, encoded, shop, wait_until};

/// What is said to bytes that are sent as they are.
fn said(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Who refuses early closes before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn health(server: &Server) -> String {
    server.get("/health/ready").1["missing"].to_string()
}

/// A file of keys that cannot be read takes no key away and lets nobody in; that it is so is told.
#[test]
fn keys_that_cannot_be_read_are_told() {
    let shop = shop();
    let key = shop.must(&["key", "read"]).trim().to_owned();
    let server = Server::start(&shop, &["--playground"]);
    let with = |key: &str| {
        let asked = ureq::get(&format!("{}/customers", server.address)).set("authorization", &format!("Bearer {key}"));
        server.ask(asked, None).0
    };
    assert_eq!((with(&key), with("")), (200, 401));
    let path = "work/serving/keys.json";
    let sound = shop.read(path);
    shop.write(path, "[{");
    assert_eq!((with(&key), with("")), (200, 401));
    assert!(
        health(&server).contains("keys.json") && health(&server).contains("read last count"),
        "{}",
        health(&server)
    );
    std::fs::remove_file(shop.path(path)).unwrap();
    assert_eq!((with(&key), with("")), (200, 401));
    assert!(health(&server).contains("is gone"));
    shop.write(path, &sound);
    wait_until(|| !health(&server).contains("keys.json"));
    assert_eq!((with(&key), health(&server).contains("keys.json")), (200, false));
}

/// Each key has a budget; who asks more is told when to come again, and health and metrics are never refused.
#[test]
fn who_asks_too_often_is_told_when_to_come_again() {
    let shop = shop();
    shop.replace("params.yaml", "  rate: 2000", "  rate: 5");
    let keys = [0, 1].map(|_| shop.must(&["key", "read"]).trim().to_owned());
    let server = Server::start(&shop, &["--playground"]);
    let ask = |key: &str| {
        ureq::get(&format!("{}/customers", server.address)).set("authorization", &format!("Bearer {key}")).call()
    };
    let refused: Vec<ureq::Response> = (0..20)
        .filter_map(|_| match ask(&keys[0]) {
            Err(ureq::Error::Status(429, response)) => Some(response),
            _ => None,
        })
        .collect();
    assert!(refused.len() >= 10 && ask(&keys[1]).is_ok(), "{}", refused.len());
    assert_eq!(refused[0].header("retry-after"), Some("1"));
    let words = refused.into_iter().next().unwrap().into_string().unwrap();
    assert!(words.contains("serve.rate") && words.contains("ask again in"), "{words}");
    assert!((0..20).all(|_| server.get("/health/ready").0 == 200));
}

/// Bodies, headers and ways of asking that are too large or odd are refused in words; connections that are left half open harm nobody.
#[test]
fn odd_requests_are_refused_in_words() {
    let shop = shop();
    let server = Server::start(&shop, &["--playground"]);
    let (personal, _) = customers(&shop);
    let large = b"POST /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2000000\r\n\r\n";
    let refused = said(&server, large);
    assert!(refused.starts_with("HTTP/1.1 413") && refused.contains("at most 1024 KiB"), "{refused}");
    let many: Vec<Value> = (0..1001).map(|_| json!({})).collect();
    assert_eq!(server.post("/events", json!(many)).0, 422);
    let text = ureq::post(&format!("{}/events", server.address)).send_string("{}");
    assert!(matches!(text, Err(ureq::Error::Status(415, _))));
    for (request, code) in [
        ("GET /recommend/%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /recommend/a?n=many HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        ("DELETE /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "405"),
        ("GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "404"),
        ("no http\r\n\r\n".to_owned(), "400"),
        ("POST /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n[{]".to_owned(), "400"),
    ] {
        let answer = said(&server, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{request}: {answer}");
        assert!(answer.contains("\"do\":") || !request.contains("host: x"), "{request}: {answer}");
    }
    // What stands above a body is no longer than it may be; who goes on sending may not hear why.
    let long =
        said(&server, format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "x".repeat(1_000_000)).as_bytes());
    assert!(long.is_empty() || long.starts_with("HTTP/1.1 431"), "{long}");
    // Half-closed, half-sent, and silent.
    let address = server.address.trim_start_matches("http://");
    let open: Vec<TcpStream> = (0..100)
        .map(|at| {
            let mut stream = TcpStream::connect(address).unwrap();
            let parts: [&[u8]; 3] =
                [b"", b"GET /reco", b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n[{"];
            stream.write_all(parts[at % 3]).unwrap();
            if at % 2 == 0 {
                stream.shutdown(std::net::Shutdown::Write).unwrap();
            }
            stream
        })
        .collect();
    assert_eq!(server.get(&format!("/recommend/{}", encoded(&personal))).0, 200);
    drop(open);
}

/// There are so many places for connections; who comes then is told, and comes in once one is free.
#[test]
fn connections_are_bounded_and_told() {
    let shop = shop();
    shop.replace("params.yaml", "  connections: 10000", "  connections: 20");
    let server = Server::start(&shop, &["--playground"]);
    let address = server.address.trim_start_matches("http://").to_owned();
    let held: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let ask = || said(&server, b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    wait_until(|| ask().contains("503"));
    let answer = ask();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("come again in a second"), "{answer}");
    drop(held);
    wait_until(|| ask().ends_with("alive"));
    assert!(ask().ends_with("alive"));
    let (_, metrics) = server.get("/metrics");
    let refused = metrics
        .as_str()
        .unwrap()
        .lines()
        .find_map(|line| line.strip_prefix("selvedge_connections_refused_total "))
        .unwrap();
    assert!(refused.parse::<u32>().unwrap() >= 1);
}

/// Where there is no time, lists are still answered: with less in them, which is told, counted, and can be had again.
#[test]
fn what_there_is_no_time_for_is_left_out_and_told() {
    let shop = shop();
    shop.replace("params.yaml", "  deadline: 1000", "  deadline: 1");
    let server = Server::start(&shop, &["--playground"]);
    let all: Vec<String> = shop.ask("SELECT customer_id FROM sources.customers ORDER BY customer_id LIMIT 30");
    let lists: Vec<Value> = all.iter().map(|id| server.get(&format!("/recommend/{}", encoded(id))).1).collect();
    assert!(lists.iter().all(|list| !list["articles"].as_array().unwrap().is_empty()), "nobody is left without a list");
    assert!(lists.iter().all(|list| list["degraded"].as_array().unwrap().len() == 1));
    assert!(lists[0]["degraded"][0].as_str().unwrap().contains("no answer within 1 ms"));
    let (_, visitor) = server.post("/recommend", json!({}));
    assert!(!visitor["articles"].as_array().unwrap().is_empty(), "{visitor}");
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.as_str().unwrap().contains("selvedge_left_out_total{of=\"everything\"} 31"), "{metrics}");
}

/// A server that is told to stop answers what was asked before, writes it down, and ends well.
#[test]
fn a_stop_under_load_loses_no_answer() {
    let shop = shop();
    // Nobody is refused for asking too often here.
    shop.replace("params.yaml", "  rate: 2000", "  rate: 1000000");
    let mut server = Server::start(&shop, &["--playground"]);
    let all: Vec<String> = shop
        .ask("SELECT customer_id FROM sources.customers WHERE personalisation_consent ORDER BY customer_id LIMIT 40");
    let address = server.address.clone();
    let (answered, broken) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (all, address) = (&all, &address);
                scope.spawn(move || {
                    let agent = ureq::agent();
                    let (mut answered, mut broken) = (Vec::new(), 0);
                    for round in 0.. {
                        let id = &all[(round * 4 + thread) % all.len()];
                        match agent.get(&format!("{address}/recommend/{}", encoded(id))).call() {
                            Ok(response) => {
                                let list: Value = response.into_json().unwrap();
                                answered.push(list["request"].as_str().unwrap().to_owned());
                            }
                            // Nobody listens any more, or the connection was closed before anything was asked on it.
                            Err(ureq::Error::Transport(_)) => break,
                            Err(_) => broken += 1,
                        }
                    }
                    (answered, broken)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(700));
        std::process::Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
        let found: Vec<(Vec<String>, usize)> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let broken: usize = found.iter().map(|(_, broken)| broken).sum();
        (found.into_iter().flat_map(|(answered, _)| answered).collect::<Vec<_>>(), broken)
    });
    let began = Instant::now();
    assert!(server.child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(answered.len() > 20 && broken == 0, "{} answered, {broken} refused", answered.len());
    let log = String::from_utf8_lossy(&std::fs::read(shop.path("work/playground/requests.log")).unwrap()).into_owned();
    let written: std::collections::BTreeSet<&str> =
        log.split("\"id\":\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect();
    let lost: Vec<&String> = answered.iter().filter(|id| !written.contains(id.as_str())).collect();
    assert_eq!(lost, Vec::<&String>::new(), "of {}", answered.len());
}
