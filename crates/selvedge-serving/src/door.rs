//! The door: so many connections may be open at a time; who comes then is told so and sent away.

use std::future::Future;
use std::io::{Error, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer;

use super::state::Shared;

/// How long somebody who is sent away has to say what they wanted.
const PATIENCE: Duration = Duration::from_secs(1);
const FULL: &str = "{\"error\":\"there are as many connections as may be open\",\"do\":\"come again in a second, and use one connection for many requests\"}";

/// Lets connections in.
#[derive(Clone)]
pub struct Door {
    places: Arc<Semaphore>,
    shared: Arc<Shared>,
    /// Whether what is said is wrapped in TLS, which somebody who is sent away is not spoken to in.
    encrypted: bool,
}

/// A place that is given back when the connection is closed.
#[derive(Clone)]
pub struct Seat(#[expect(dead_code, reason = "it is held, not read")] Arc<Held>);

struct Held {
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.metrics.connections(-1);
    }
}

impl Door {
    /// With so many places.
    pub fn new(shared: Arc<Shared>, places: usize, encrypted: bool) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), shared, encrypted }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Door {
    type Stream = TcpStream;
    type Service = AddExtension<S, Seat>;
    type Future = Pin<Box<dyn Future<Output = Result<(TcpStream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let door = self.clone();
        Box::pin(async move {
            let Ok(place) = Arc::clone(&door.places).try_acquire_owned() else {
                door.shared.metrics.turned_away();
                if !door.encrypted {
                    // However it ends, the connection is closed.
                    let _ = tokio::time::timeout(PATIENCE, send_away(&stream)).await;
                }
                return Err(Error::other("there are as many connections as may be open"));
            };
            stream.set_nodelay(true)?;
            door.shared.metrics.connections(1);
            let seat = Seat(Arc::new(Held { shared: door.shared, _place: place }));
            Ok((stream, Extension(seat).layer(service)))
        })
    }
}

/// Hears what was wanted, and says that there is no place.
async fn send_away(stream: &TcpStream) -> Result<()> {
    stream.readable().await?;
    let mut heard = [0; 4096];
    // What was wanted does not matter, but a connection that is closed unheard is reset, and nothing is read on the other side.
    let _ = stream.try_read(&mut heard);
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{FULL}",
        FULL.len()
    );
    stream.writable().await?;
    stream.try_write(answer.as_bytes())?;
    Ok(())
}
