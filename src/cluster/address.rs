//! Addresses: the one to listen on, the one that others are told, and those of the peers an operator names.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::{TcpListener, lookup_host};
use tokio::time::timeout;

use super::ClusterError;

/// An address that is routed like the rest of the world and belongs to nobody (RFC 5737).
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// Listens on `host:port`; an empty host means all addresses, port 0 any that is free.
pub(super) async fn bind(address: &str) -> Result<TcpListener, ClusterError> {
    let invalid = |why: String| ClusterError::Listen { address: address.to_owned(), why };
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    port.ok_or_else(|| invalid("write host:port with a number for the port".to_owned()))?;
    let full = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.to_owned() };
    TcpListener::bind(&full).await.map_err(|error| invalid(error.to_string()))
}

/// The address that others are told: the one given, else the one bound, else the one from which `towards` is reached.
pub(super) async fn advertised(
    given: &str,
    bound: SocketAddr,
    towards: Option<SocketAddr>,
    public_allowed: bool,
) -> Result<SocketAddr, ClusterError> {
    if !given.is_empty() {
        let wrong = |why: String| ClusterError::Advertise { address: given.to_owned(), why };
        let mut found = lookup_host(given).await.map_err(|error| wrong(error.to_string()))?;
        let address = found.next().ok_or_else(|| wrong("it has no address".to_owned()))?;
        let port = if address.port() == 0 { bound.port() } else { address.port() };
        return Ok(SocketAddr::new(address.ip(), port));
    }
    if !bound.ip().is_unspecified() {
        return Ok(bound);
    }
    let deduced = towards.into_iter().chain([ELSEWHERE]).find_map(source_towards);
    let ip = deduced.filter(|ip| public_allowed || !is_public(*ip)).unwrap_or_else(|| {
        tracing::warn!(
            component = "cluster",
            "couldn't deduce an advertise address: no private IP found, explicit advertise addr not provided"
        );
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    });
    Ok(SocketAddr::new(ip, bound.port()))
}

/// The address that this machine uses towards another; nothing is sent.
fn source_towards(other: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if other.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(other).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

/// Whether the whole world may have a route to it (RFC 1918, 6598, 4193, and what never leaves a link).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// The addresses behind the peers, and how many of them could not be resolved.
pub(super) async fn resolve(peers: &[String], longest: Duration) -> (BTreeSet<SocketAddr>, u64) {
    let (mut found, mut failed) = (BTreeSet::new(), 0);
    for peer in peers {
        match timeout(longest, lookup_host(peer)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(addresses) => found.extend(addresses),
            Err(error) => {
                failed += 1;
                tracing::debug!(component = "cluster", %peer, err = %error, "Cannot resolve the name of a peer");
            }
        }
    }
    (found, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_told_from_private_ones() {
        for private in
            ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "::1", "fd00::1"]
        {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[tokio::test]
    async fn port_0_becomes_the_port_that_was_bound() {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let bound = listener.local_addr().unwrap();
        assert_ne!(bound.port(), 0);
        assert_eq!(advertised("", bound, None, false).await.unwrap(), bound);
        assert_eq!(advertised("10.0.0.9:0", bound, None, false).await.unwrap().port(), bound.port());
        assert_eq!(advertised("10.0.0.9:99", bound, None, false).await.unwrap(), "10.0.0.9:99".parse().unwrap());
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 7));
        assert_eq!(advertised("", everywhere, Some(bound), false).await.unwrap(), "127.0.0.1:7".parse().unwrap());
    }

    #[tokio::test]
    async fn an_address_without_a_port_is_refused() {
        let error = bind("127.0.0.1").await.unwrap_err().to_string();
        assert_eq!(
            error,
            "--cluster.listen-address: invalid listen address \"127.0.0.1\": write host:port with a number for the port"
        );
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_counts() {
        let (found, failed) =
            resolve(&["127.0.0.1:9".into(), "no.such.name.invalid:9".into()], Duration::from_secs(5)).await;
        assert_eq!((found, failed), (BTreeSet::from(["127.0.0.1:9".parse().unwrap()]), 1));
    }
}
