//! Through a SOCKS5 proxy, as to an onion service: the proxy resolves the name, and TLS is spoken through it.

use super::lab::bell::{CHANNEL, Config};
use super::lab::network::{Kind, Network};
use super::lab::observer::Observer;
use super::lab::proxy::Proxy;
use super::lab::socks::Socks;

#[test]
fn a_socks_proxy_is_given_the_name_and_not_an_address() {
    let network = Network::start(Kind::Hybrid);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    let (socks, target) = (Socks::start(), Proxy::before(network.plain));
    let address = format!("localhost:{}", target.address.port());
    let bell = Config::at(&address).server(&format!("proxy_url: socks5h://{}", socks.address)).start();
    bell.wait_joined(CHANNEL);
    bell.fire("a", "through the proxy");
    observer.hears(CHANNEL, "through the proxy");
    let asked = format!("address: localhost.{}", target.address.port());
    assert!(socks.log().contains(&asked), "{asked} is not in the log");
}

#[test]
fn tls_is_verified_through_the_proxy() {
    let network = Network::start(Kind::Inspircd);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    let socks = Socks::start();
    let bell = Config::tls(&network).server(&format!("proxy_url: socks5h://{}", socks.address)).start();
    bell.wait_joined(CHANNEL);
    bell.fire("a", "through the proxy");
    observer.hears(CHANNEL, "through the proxy");
}
