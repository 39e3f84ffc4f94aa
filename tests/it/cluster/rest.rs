//! A node that has nothing to say costs next to nothing.

use std::thread;
use std::time::Duration;

use super::nodes::metric;
use crate::harness::address;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

const CONFIG: &str = "
route:
  receiver: nobody
receivers:
  - name: nobody
";

/// Long enough to tell a wake-up now and then from one that comes again and again.
const SPAN: Duration = Duration::from_secs(10);

/// A node that could take part in a cluster and is alone, as most are.
#[test]
fn a_node_that_is_alone_sleeps() {
    let mut node = Server::prepare(Program::Watchbell, CONFIG, &[]);
    node.add_flag(format!("--cluster.listen-address={}", address::reserve()));
    node.launch();
    eventually("it has settled", || (metric(&node, "watchbell_cluster_settled") == 1.0).then_some(()));
    let process = node.process();
    // What the last question has set off comes to its end meanwhile.
    thread::sleep(Duration::from_secs(1));
    let before = process.wake_ups();
    thread::sleep(SPAN);
    let since = |(thread, now)| now - before.get(&thread).copied().unwrap_or_default();
    let woken: u64 = process.wake_ups().into_iter().map(since).sum();
    println!("woken {woken} times in {SPAN:?}");
    assert!(woken < 20, "{woken} times in {SPAN:?}");
}
