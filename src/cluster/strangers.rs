//! Connections that have not said who they are: there are few, and who floods takes the places of its own. It knows
//! nothing of what they say.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::task::AbortHandle;

use crate::telemetry::Metrics;

/// When there are more, one goes: the oldest of the network that has most.
const MAX_STRANGERS: usize = 64;

/// Those that are heard now.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// The number of the last.
    last: u64,
    /// Oldest first, each with the network that it comes from.
    waiting: BTreeMap<u64, (Network, AbortHandle)>,
}

/// What one machine may have all of: an address of IPv4, 64 bits of IPv6.
type Network = u64;

impl Strangers {
    /// Starts to hear a connection; it cannot leave before it is entered.
    pub(super) fn admit<F>(&self, metrics: &Metrics, from: IpAddr, call: impl FnOnce(u64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { last, waiting } = &mut *held;
        *last += 1;
        waiting.insert(*last, (network(from), tokio::spawn(call(*last)).abort_handle()));
        if waiting.len() > MAX_STRANGERS
            && let Some(number) = first_to_go(waiting.iter().map(|(number, (network, _))| (*number, *network)))
            && let Some((_, call)) = waiting.remove(&number)
        {
            call.abort();
            metrics.cluster.refused("too_many_strangers");
        }
    }

    pub(super) fn leave(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&number);
    }
}

fn network(address: IpAddr) -> Network {
    match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    }
}

/// The number of the oldest of the network that has most.
fn first_to_go(waiting: impl Iterator<Item = (u64, Network)>) -> Option<u64> {
    let mut networks = BTreeMap::<Network, (usize, u64)>::new();
    for (number, network) in waiting {
        networks.entry(network).or_insert((0, number)).0 += 1;
    }
    networks.into_values().max_by_key(|(count, _)| *count).map(|(_, oldest)| oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_floods_takes_the_places_of_its_own() {
        assert_eq!(first_to_go([(1, 7), (2, 8), (3, 9), (4, 8), (5, 8)].into_iter()), Some(2));
        assert_eq!(first_to_go([(4, 8), (6, 7), (9, 7)].into_iter()), Some(6));
        assert_eq!(first_to_go(std::iter::empty()), None);
    }

    #[test]
    fn a_machine_has_all_addresses_of_its_network() {
        let same = |one: &str, other: &str| network(one.parse().unwrap()) == network(other.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1") && !same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("10.0.0.1", "10.0.0.1") && !same("10.0.0.1", "10.0.0.2"));
    }
}
