//! What the tests stand on: real processes on loopback addresses, a plain HTTP client and a receiver that keeps what
//! it is told. Knows nothing of what a single test wants to show.

pub(crate) mod address;
pub(crate) mod amtool;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod random;
pub(crate) mod server;
pub(crate) mod sink;
pub(crate) mod wait;
