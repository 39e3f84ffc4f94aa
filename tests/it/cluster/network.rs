//! A network of the test's own: namespaces joined by a bridge, on which packets can be lost and lines cut. Each node has
//! a second line to the test, which is never touched: there it is asked, and there it finds its receivers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Namespaces, one a node, and one with the bridge. They go when it is dropped, and the lines with them.
pub(crate) struct Network {
    name: String,
    nodes: usize,
    /// The number of the first node's line to the test.
    first_line: u32,
}

/// Lines one test process may have.
const LINES: u32 = 128;

impl Network {
    pub(crate) fn new(nodes: usize) -> Self {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        let taken = TAKEN.fetch_add(nodes as u32, Ordering::Relaxed);
        assert!(taken + nodes as u32 <= LINES, "a test process has {LINES} lines");
        let pid = std::process::id();
        let network = Self { name: format!("wb{pid}-{taken}"), nodes, first_line: pid % 256 * LINES + taken };
        let bridge = network.bridge();
        ip(&format!("netns add {bridge}"));
        ip(&format!("-n {bridge} link add br0 type bridge"));
        ip(&format!("-n {bridge} address add {}/24 dev br0", Self::gateway()));
        ip(&format!("-n {bridge} link set br0 up"));
        (1..=nodes).for_each(|node| network.add(node));
        network
    }

    fn add(&self, node: usize) {
        let (space, bridge, line) = (self.space(node), self.bridge(), self.line(node));
        let [ours, theirs] = [self.test_address(node), self.address(node)];
        for command in [
            format!("netns add {space}"),
            format!("link add eth0 netns {space} type veth peer name p{node} netns {bridge}"),
            format!("-n {bridge} link set p{node} master br0 up"),
            format!("-n {space} address add {}/24 dev eth0", Self::peer_address(node)),
            format!("-n {space} link set eth0 up"),
            format!("-n {space} link set lo up"),
            format!("link add {line} type veth peer name test netns {space}"),
            format!("address add {ours}/30 dev {line}"),
            format!("link set {line} up"),
            format!("-n {space} address add {theirs}/30 dev test"),
            format!("-n {space} link set test up"),
            format!("-n {space} route add default via {ours}"),
        ] {
            ip(&command);
        }
    }

    /// The namespace of a node; nodes are counted from 1.
    pub(crate) fn space(&self, node: usize) -> String {
        format!("{}-n{node}", self.name)
    }

    /// Where a node is asked.
    pub(crate) fn address(&self, node: usize) -> IpAddr {
        self.block(node, 2)
    }

    /// An address of the test that every node reaches.
    pub(crate) fn test(&self) -> IpAddr {
        self.test_address(1)
    }

    /// Where other nodes find a node.
    pub(crate) fn peer_address(node: usize) -> IpAddr {
        Ipv4Addr::new(10, 9, 0, u8::try_from(node).expect("there are few nodes")).into()
    }

    /// The address of the bridge itself, which answers whatever becomes of the nodes.
    pub(crate) fn gateway() -> IpAddr {
        Ipv4Addr::new(10, 9, 0, 254).into()
    }

    /// From now on every node loses so many of a hundred packets that others send it.
    pub(crate) fn lose(&self, percent: u32) {
        for node in 1..=self.nodes {
            self.filter(node, &format!("iifname eth0 numgen random mod 100 < {percent} drop"));
        }
    }

    /// From now on a node does not hear another one, which still hears it.
    pub(crate) fn deafen(&self, node: usize, to: usize) {
        self.filter(node, &format!("iifname eth0 ip saddr {} drop", Self::peer_address(to)));
    }

    /// From now on nobody hears a node, nor it anybody.
    pub(crate) fn cut(&self, node: usize) {
        ip(&format!("-n {} link set eth0 down", self.space(node)));
    }

    /// From now on nobody hears a node, nor it anybody, not even the test.
    pub(crate) fn isolate(&self, node: usize) {
        self.filter(node, "iifname != lo drop");
        self.chain(node, "o", "output");
        self.rule(node, "o", "oifname != lo drop");
    }

    /// Makes all lines whole.
    pub(crate) fn heal(&self) {
        (1..=self.nodes).for_each(|node| self.restore(node));
    }

    /// Makes the lines of a node whole.
    pub(crate) fn restore(&self, node: usize) {
        ip(&format!("-n {} link set eth0 up", self.space(node)));
        self.nft(node, "flush ruleset");
    }

    fn filter(&self, node: usize, rule: &str) {
        self.chain(node, "i", "input");
        self.rule(node, "i", rule);
    }

    fn chain(&self, node: usize, name: &str, hook: &str) {
        self.nft(node, "add table inet f");
        self.nft(node, &format!("add chain inet f {name} {{ type filter hook {hook} priority 0; }}"));
    }

    fn rule(&self, node: usize, chain: &str, rule: &str) {
        self.nft(node, &format!("add rule inet f {chain} {rule}"));
    }

    fn nft(&self, node: usize, command: &str) {
        run("ip", &format!("netns exec {} nft {command}", self.space(node)));
    }

    fn bridge(&self) -> String {
        format!("{}-br", self.name)
    }

    fn line(&self, node: usize) -> String {
        format!("wb{}", self.first_line + node as u32 - 1)
    }

    fn test_address(&self, node: usize) -> IpAddr {
        self.block(node, 1)
    }

    /// An address in the block of a node's line, in the range that is set aside for tests of networks (RFC 2544).
    fn block(&self, node: usize, last: u32) -> IpAddr {
        let start = u32::from(Ipv4Addr::new(198, 18, 0, 0));
        Ipv4Addr::from(start + (self.first_line + node as u32 - 1) * 4 + last).into()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for space in (1..=self.nodes).map(|node| self.space(node)).chain([self.bridge()]) {
            // What is left of a network that could not be made whole is gone with the machine.
            let _ = Command::new("ip").args(["netns", "delete", &space]).stderr(Stdio::null()).status();
        }
    }
}

/// The file `hosts` that a namespace has instead of the machine's; gone when dropped.
pub(crate) struct Hosts(PathBuf);

impl Hosts {
    pub(crate) fn of(space: &str, text: &str) -> Self {
        let folder = Path::new("/etc/netns").join(space);
        fs::create_dir_all(&folder).expect("root can make a folder");
        let hosts = Self(folder);
        hosts.write(text);
        hosts
    }

    /// In its place: the namespace sees the same file.
    pub(crate) fn write(&self, text: &str) {
        fs::write(self.0.join("hosts"), text).expect("root can write a file");
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // It is in nobody's way if it stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ip(arguments: &str) {
    run("ip", arguments);
}

fn run(program: &str, arguments: &str) {
    let output = Command::new(program).args(arguments.split(' ')).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is in the package iproute2: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments} (as root, with the package nftables): {said}");
}
