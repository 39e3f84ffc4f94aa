//! Mutual TLS between nodes, with configurations that are ready to use. It knows nothing of files.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::connection::Broken;

/// How nodes speak TLS with each other.
#[derive(Clone)]
pub struct Tls {
    /// As the one that connects.
    pub client: Arc<ClientConfig>,
    /// The name that the other node's certificate must bear; without one, its address.
    pub server_name: Option<ServerName<'static>>,
    /// As the one that is connected to.
    pub server: Arc<ServerConfig>,
    /// Whether who connects must have a certificate.
    pub is_mutual: bool,
}

impl Tls {
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        to: SocketAddr,
    ) -> Result<client::TlsStream<TcpStream>, Broken> {
        let name = self.server_name.clone().unwrap_or_else(|| ServerName::from(to.ip()));
        let connected = TlsConnector::from(Arc::clone(&self.client)).connect(name, stream).await;
        connected.map_err(|error| Broken::Tls(error.to_string()))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> Result<server::TlsStream<TcpStream>, Broken> {
        let accepted = TlsAcceptor::from(Arc::clone(&self.server)).accept(stream).await;
        accepted.map_err(|error| Broken::Tls(error.to_string()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}
