//! Killed under load, again and again: nothing that was acknowledged may be gone.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::Server;
use super::load::Connection;

const SENDERS: usize = 8;
/// Events in a request when it is asked whether they are there.
const TOGETHER: usize = 100;

/// What became of a server that was killed.
#[derive(Debug, Default)]
pub struct Killed {
    pub times: usize,
    pub acknowledged: usize,
    /// Acknowledged events that are not there any more.
    pub lost: u64,
    /// Seconds until it was ready again, at most.
    pub slowest: f64,
}

/// Kills the server so many times with kill -9 while events are sent, and starts it again; then sends every acknowledged event
/// once more: one that is kept now had been lost.
pub fn killed(
    folder: &Path,
    mut server: Server,
    times: usize,
    event: &(dyn Fn(usize) -> Value + Sync),
) -> (Server, Killed) {
    let mut found = Killed { times, ..Killed::default() };
    let (next, acknowledged) = (AtomicUsize::new(50_000_000), Mutex::new(Vec::new()));
    for round in 0..times {
        let (down, address) = (AtomicBool::new(false), server.address.clone());
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| {
                    let mut connection = Connection::new(&address);
                    while !down.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        match connection.ask("POST", "/events", &event(number).to_string()) {
                            Ok((200, _)) => acknowledged.lock().unwrap().push(number),
                            _ => std::thread::sleep(Duration::from_millis(2)),
                        }
                    }
                });
            }
            // At another moment each time.
            std::thread::sleep(Duration::from_millis(150 + (round as u64 * 37) % 200));
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            down.store(true, Ordering::Relaxed);
        });
        server = Server::start(folder);
        found.slowest = found.slowest.max(server.ready);
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    found.acknowledged = acknowledged.len();
    for together in acknowledged.chunks(TOGETHER) {
        let events: Vec<Value> = together.iter().map(|number| event(*number)).collect();
        let answer = server.ask("POST", "/events", &Value::from(events).to_string());
        found.lost += answer["kept"].as_u64().unwrap();
    }
    (server, found)
}
