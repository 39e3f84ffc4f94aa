//! `health`: whether a server answers that it is well, for whoever watches a container in which there is nothing else.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use url::Url;

use super::ToolError;

/// How long the server may take for each step.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest answer that is looked at, in bytes; only its first line counts.
const MAX_ANSWER: u64 = 4096;

/// Asks once.
pub(super) fn ask(url: &str) -> Result<(), ToolError> {
    let unhealthy = |why: String| ToolError::Unhealthy { url: url.to_owned(), why };
    let status = status_line(url).map_err(unhealthy)?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(unhealthy(format!("it answers {status:?}"))),
    }
}

fn status_line(url: &str) -> Result<String, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let (Some(host), "http") = (url.host_str(), url.scheme()) else {
        return Err("write it like http://127.0.0.1:9093/-/healthy".to_owned());
    };
    let addresses = url.socket_addrs(|| None).map_err(|error| error.to_string())?;
    let mut stream = connect(addresses.as_slice()).map_err(|error| error.to_string())?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let spoken = stream.write_all(request.as_bytes()).and_then(|()| stream.take(MAX_ANSWER).read_to_end(&mut answer));
    spoken.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}

/// The first address that takes a connection.
fn connect(addresses: impl ToSocketAddrs) -> std::io::Result<TcpStream> {
    let mut failed = std::io::ErrorKind::AddrNotAvailable.into();
    for address in addresses.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
