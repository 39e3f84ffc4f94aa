//! `kill -9` in the middle of everything, again and again: nothing that was acknowledged is missing afterwards, nothing
//! that was expired is back, and nothing is told twice, unless the kill fell inside a sending.

mod book;
mod load;
mod told;

use std::time::{Duration, Instant};

use crate::harness::random::Random;
use crate::harness::server::{Program, Server};
use crate::harness::sink::Sink;
use crate::harness::wait::seen_within;
use book::Book;
use load::Load;

/// Rounds of load, each ended by a kill.
const ROUNDS: usize = 30;

/// The load of a round lasts between these.
const SHORTEST_ROUND: Duration = Duration::from_millis(200);
const LONGEST_ROUND: Duration = Duration::from_millis(1500);

#[test]
fn nothing_is_lost_or_repeated_by_kills() {
    play(Program::Watchbell, ROUNDS, 0x5eed_0001, |server, load| {
        server.kill();
        load.stop()
    });
}

/// Shows that the bookkeeping is fair: it holds of Alertmanager too, when its clients leave it alone and it may end in
/// peace.
#[test]
fn nothing_is_lost_or_repeated_by_alertmanager_stopped_in_peace() {
    play(Program::Alertmanager, 3, 0x5eed_0002, |server, load| {
        let book = load.stop();
        assert!(server.stop().success());
        book
    });
}

fn play(program: Program, rounds: usize, seed: u64, end: impl Fn(&mut Server, Load) -> Book) {
    let sink = Sink::start();
    let mut random = Random::new(seed);
    let mut server = Server::start(program, &CONFIG.replace("{url}", &sink.url("team")));
    let mut book = Book::default();
    let mut ends = Vec::new();
    for round in 0..rounds {
        let load = Load::start(server.client(), round, random.next(), book);
        let pause = random.between(SHORTEST_ROUND, LONGEST_ROUND);
        assert_eq!(seen_within(pause, || server.process().ended()), None, "round {round}: it ended by itself");
        let begins_to_end = Instant::now();
        book = end(&mut server, load);
        ends.push(begins_to_end..Instant::now());
        server.launch();
        book.check_silences(&server.client(), &format!("seed {seed:#x}, round {round}"));
        book.repeat_alerts(&server.client());
    }
    told::check(&book, &sink, &ends);
    assert!(book.silences() > rounds, "hardly any load: {} silences", book.silences());
}

const CONFIG: &str = "
route: {receiver: team, group_by: [alertname], group_wait: 50ms, group_interval: 200ms, repeat_interval: 24h}
receivers:
  - name: team
    webhook_configs: [{url: '{url}'}]
";
