//! What the IRC tests stand on: real servers and services, an observer who is no part of the program, a proxy that
//! loses things, and a router configured to speak here. Knows nothing of what a single test wants to show.

pub(crate) mod bell;
pub(crate) mod certificates;
pub(crate) mod line;
pub(crate) mod network;
pub(crate) mod observer;
pub(crate) mod proxy;
pub(crate) mod scram;
pub(crate) mod services;
pub(crate) mod socks;

mod hybrid;
mod inspircd;
mod ngircd;
