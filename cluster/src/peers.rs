//! How the machines of a cluster find and trust each other: TLS with certificates on both sides, or, on one machine alone,
//! nothing; and a version, which all of them name.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use selvedge_project::error::Result;
use tokio::net::TcpListener;
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig};
use tonic::{Request, Status};

use crate::VERSION;
use crate::certificates::NAME;
use crate::failure::Failure;

/// Who does not answer for so long is gone.
const SILENCE: Duration = Duration::from_secs(10);

/// What this machine shows to others, and what it wants to see of them.
#[derive(Debug, Clone, Default)]
pub struct Peers(Option<Arc<Tls>>);

#[derive(Debug)]
struct Tls {
    authority: Certificate,
    identity: Identity,
}

impl Peers {
    /// With the certificate of `role` in `folder`; without a folder, without any.
    pub fn new(folder: Option<&Path>, role: &str) -> Result<Self> {
        let Some(folder) = folder else { return Ok(Self(None)) };
        let read = |name: String| {
            std::fs::read(folder.join(&name)).map_err(|e| {
                let what = format!("{} cannot be read: {e}", folder.join(name).display());
                Failure::new(
                    what,
                    "make certificates with `selvedge-cluster certificates`, and copy them to this machine",
                )
            })
        };
        let identity = Identity::from_pem(read(format!("{role}.pem"))?, read(format!("{role}.key"))?);
        Ok(Self(Some(Arc::new(Tls { authority: Certificate::from_pem(read("ca.pem".into())?), identity }))))
    }

    /// Whether connections are encrypted and known.
    pub fn have_certificates(&self) -> bool {
        self.0.is_some()
    }

    /// Refuses to listen where other machines can reach it and nobody shows who he is.
    pub fn refuse_open(&self, address: IpAddr) -> Result<()> {
        if address.is_loopback() || self.have_certificates() {
            return Ok(());
        }
        let what = format!("--bind {address} can be reached from other machines, and there are no certificates");
        let advice =
            "make some with `selvedge-cluster certificates DIR` and give --certificates DIR, or leave --bind out";
        Err(Failure::new(what, advice).into())
    }

    fn scheme(&self) -> &'static str {
        if self.have_certificates() { "https" } else { "http" }
    }

    /// A connection to `authority`, a host and a port, as this cluster's machines make it.
    pub fn endpoint(&self, authority: &str) -> std::result::Result<Endpoint, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("{}://{authority}", self.scheme()))?
            .connect_timeout(SILENCE)
            .http2_keep_alive_interval(SILENCE)
            .keep_alive_timeout(SILENCE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(16 << 20)
            .initial_connection_window_size(64 << 20)
            .user_agent(VERSION.as_str())?;
        match &self.0 {
            None => Ok(endpoint),
            Some(tls) => endpoint.tls_config(
                ClientTlsConfig::new()
                    .domain_name(NAME)
                    .ca_certificate(tls.authority.clone())
                    .identity(tls.identity.clone()),
            ),
        }
    }

    /// Ballista's connections, made as [`Peers::endpoint`] makes them.
    pub fn endpoints(&self) -> EndpointOverrideFn {
        let peers = self.clone();
        Arc::new(move |endpoint: Endpoint| {
            let authority = endpoint.uri().authority().map(ToString::to_string).unwrap_or_default();
            Ok(peers.endpoint(&authority)?)
        })
    }

    /// Answers this cluster's machines alone, until `stop`.
    pub async fn serve(
        &self,
        listener: TcpListener,
        routes: Routes,
        stop: impl Future<Output = ()>,
    ) -> std::result::Result<(), tonic::transport::Error> {
        let server = Server::builder()
            .http2_keepalive_interval(Some(SILENCE))
            .http2_keepalive_timeout(Some(SILENCE))
            .initial_stream_window_size(16 << 20)
            .initial_connection_window_size(64 << 20);
        let server = match &self.0 {
            None => server,
            Some(tls) => server.tls_config(
                ServerTlsConfig::new().identity(tls.identity.clone()).client_ca_root(tls.authority.clone()),
            )?,
        };
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let layers = InterceptorLayer::new(same_version);
        server.layer(layers).add_routes(routes).serve_with_incoming_shutdown(incoming, stop).await
    }
}

/// Refuses who is of another version, or no machine of a cluster at all.
fn same_version(request: Request<()>) -> std::result::Result<Request<()>, Status> {
    let agent = request.metadata().get("user-agent").and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    match agent.split(' ').next() {
        Some(version) if version == VERSION.as_str() => Ok(request),
        _ => Err(Status::failed_precondition(format!(
            "'{agent}' is not of this cluster's version, {}",
            VERSION.as_str()
        ))),
    }
}
