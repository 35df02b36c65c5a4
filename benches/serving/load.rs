//! Load at a fixed rate: each request has its moment, and its time is counted from that moment, whether or not the one before it is
//! answered by then.  A loop that waits for answers would hide how long others wait.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One connection that is asked again and again.
pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
}

impl Connection {
    pub fn new(address: &str) -> Self {
        Self { address: address.trim_start_matches("http://").to_owned(), stream: None }
    }

    /// The status code and the body of an answer.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            self.stream = Some(stream);
        }
        let asked = self.asked(method, path, body);
        if asked.is_err() {
            self.stream = None;
        }
        asked
    }

    fn asked(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let odd = || std::io::Error::other("no answer");
        let stream = self.stream.as_mut().ok_or_else(odd)?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        let (mut read, mut buffer) = (Vec::new(), [0; 1 << 14]);
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Err(odd());
            }
            read.extend_from_slice(&buffer[..count]);
            let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            let length: usize = length.ok_or_else(odd)?;
            if read.len() >= end + 4 + length {
                let code = head.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
                return Ok((code, String::from_utf8_lossy(&read[end + 4..end + 4 + length]).into_owned()));
            }
        }
    }
}

/// What became of a load.
#[derive(Debug, Default, Clone)]
pub struct Found {
    /// Seconds of each request, sorted.
    pub seconds: Vec<f64>,
    /// Answers of another code than 200, and connections that broke.
    pub failed: usize,
    /// Answers that say that something was left out.
    pub degraded: usize,
    pub took: f64,
}

impl Found {
    /// So many of a hundred requests took no longer, in milliseconds.
    pub fn percentile(&self, of_hundred: f64) -> f64 {
        let place = (of_hundred / 100.0 * self.seconds.len() as f64).ceil() as usize;
        1e3 * self.seconds.get(place.clamp(1, self.seconds.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
    }

    /// Asks, and counts the answer and the time since it was due.
    fn asked(&mut self, connection: &mut Connection, due: Instant, (method, path, body): (&str, String, String)) {
        match connection.ask(method, &path, &body) {
            Ok((200, body)) => self.degraded += usize::from(body.contains("\"degraded\":[\"")),
            _ => self.failed += 1,
        }
        self.seconds.push(due.elapsed().as_secs_f64());
    }

    pub fn rate(&self) -> f64 {
        self.seconds.len() as f64 / self.took
    }
}

/// Asks `rate` times a second for `seconds`, over `connections`; the number of a request says what to ask: method, path, body.
pub fn load(
    address: &str,
    connections: usize,
    rate: f64,
    seconds: f64,
    ask: impl Fn(usize) -> (&'static str, String, String) + Sync,
) -> Found {
    let (next, last) = (AtomicUsize::new(0), (rate * seconds) as usize);
    let began = Instant::now() + Duration::from_millis(50);
    side_by_side(address, connections, began, |connection, found| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= last {
                break;
            }
            let due = began + Duration::from_secs_f64(number as f64 / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            found.asked(connection, due, ask(number));
        }
    })
}

/// Asks over `connections` for `seconds`, each again as soon as it is answered: how much is answered at most.
pub fn without_pause(
    address: &str,
    connections: usize,
    seconds: f64,
    ask: impl Fn(usize) -> (&'static str, String, String) + Sync,
) -> Found {
    let (next, began) = (AtomicUsize::new(0), Instant::now());
    side_by_side(address, connections, began, |connection, found| {
        while began.elapsed().as_secs_f64() < seconds {
            let asking = ask(next.fetch_add(1, Ordering::Relaxed));
            found.asked(connection, Instant::now(), asking);
        }
    })
}

/// What becomes of what each of some connections does.
fn side_by_side(
    address: &str,
    connections: usize,
    began: Instant,
    work: impl Fn(&mut Connection, &mut Found) + Sync,
) -> Found {
    let all = Mutex::new(Found::default());
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let (mut connection, mut own) = (Connection::new(address), Found::default());
                work(&mut connection, &mut own);
                let mut all = all.lock().unwrap();
                all.seconds.extend(own.seconds);
                all.failed += own.failed;
                all.degraded += own.degraded;
            });
        }
    });
    let mut found = all.into_inner().unwrap();
    found.took = began.elapsed().as_secs_f64();
    found.seconds.sort_by(f64::total_cmp);
    found
}
