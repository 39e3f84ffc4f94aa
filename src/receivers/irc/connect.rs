//! A connection to a server: TCP, through a proxy if one is configured, and TLS on top. Whatever cannot be verified is
//! not spoken to.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;
use url::Url;

use super::super::tls::{self, Pem};
use super::plan::{Address, Plan};

/// Bytes to and from a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to `address` as the plan says.
///
/// # Errors
/// Says which step failed, without secrets.
pub(super) async fn connect(plan: &Plan, address: &Address) -> Result<Box<dyn Stream>, String> {
    let stream = reach(plan, address).await?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    // A connection that is given up takes with it what it did not bring to the server. Otherwise the kernel would go on
    // trying, and a line that is said again on the next connection would be heard twice.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).map_err(|error| error.to_string())?;
    if !plan.settings.tls {
        return Ok(Box::new(stream));
    }
    let pem = Pem::read(&plan.settings.tls_config).await?;
    let config = tls::client_config(&plan.settings.tls_config, &pem).map_err(|error| format!("tls_config: {error}"))?;
    let name = ServerName::try_from(address.host.clone()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    Ok(Box::new(stream.map_err(|error| format!("TLS: {error}"))?))
}

async fn reach(plan: &Plan, address: &Address) -> Result<TcpStream, String> {
    let mut direct = HttpConnector::new();
    direct.enforce_http(false);
    // Checked when the configuration was loaded; empty means any.
    direct.set_local_address(plan.settings.source_address.parse::<IpAddr>().ok());
    let target = uri("irc", &address.host, address.port)?;
    let proxy = plan.settings.proxy_url.reveal();
    if proxy.is_empty() {
        return direct.call(target).await.map(TokioIo::into_inner).map_err(|error| chain(&error));
    }
    through(proxy, direct, target).await.map_err(|error| format!("proxy: {error}"))
}

async fn through(proxy: &str, direct: HttpConnector, target: Uri) -> Result<TcpStream, String> {
    let url = Url::parse(proxy).map_err(|error| error.to_string())?;
    let is_socks = url.scheme() != "http";
    let port = url.port().unwrap_or(if is_socks { 1080 } else { 80 });
    let place = uri(url.scheme(), url.host_str().unwrap_or_default(), port)?;
    let login = url.password().map(|password| (url.username().to_owned(), password.to_owned()));
    if is_socks {
        // `socks5h` leaves names to the proxy, which is how an onion service is reached.
        let mut socks = SocksV5::new(place, direct).local_dns(url.scheme() == "socks5");
        if let Some((user, password)) = login {
            socks = socks.with_auth(user, password);
        }
        return socks.call(target).await.map(TokioIo::into_inner).map_err(|error| chain(&error));
    }
    let mut tunnel = Tunnel::new(place, direct);
    if let Some((user, password)) = login {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        tunnel = tunnel.with_auth(HeaderValue::try_from(basic).map_err(|_| "the password cannot be sent")?);
    }
    tunnel.call(target).await.map(TokioIo::into_inner).map_err(|error| chain(&error))
}

fn uri(scheme: &str, host: &str, port: u16) -> Result<Uri, String> {
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let built = Uri::builder().scheme(scheme).authority(format!("{host}:{port}")).path_and_query("/").build();
    built.map_err(|error| format!("{host}: {error}"))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
