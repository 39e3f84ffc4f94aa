//! Addresses for servers. Each server gets a loopback address of its own, so that a server can be stopped and started
//! again, or be announced before it exists, without another socket taking its port meanwhile.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};

/// Loopback addresses used in one block before the port moves on.
const BLOCK: u16 = 250;

/// A loopback address and port that no other process or test uses.
pub(crate) fn reserve() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = std::process::id().to_be_bytes();
    let last = u8::try_from(taken % BLOCK + 1).expect("a block fits into a byte");
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, high, low, last)), 9093 + taken / BLOCK)
}
