//! Whose turn it is when nodes fail, send and die.

use super::claims::MOST_CLAIMS;
use super::*;

const TIMEOUT: Duration = Duration::from_secs(15);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn key() -> NflogKey {
    NflogKey { group_key: "{}:{}".into(), receiver: "r".into(), integration: "webhook".into(), index: 0 }
}

/// The third of three nodes.
fn third() -> Turns {
    let mut turns = Turns::new(NodeId(3), TIMEOUT, true, at(0));
    turns.set_peers((1..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect(), at(0));
    turns
}

fn claim(node: u64, state: ClaimState) -> Claim {
    Claim { key: key(), node: NodeId(node), state, stamp: at(0), lasts: Duration::from_secs(60), alerts: vec![] }
}

#[test]
fn each_node_before_costs_a_timeout_until_it_fails_or_dies() {
    let mut turns = third();
    assert_eq!(turns.turn_at(&key(), at(0), false, at(0)), at(30));
    turns.claim(claim(1, ClaimState::Failed), at(0));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(1)), at(15));
    turns.set_peers(vec![Peer { id: NodeId(3), name: "n3".into() }], at(1));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(1)), at(0));
}

#[test]
fn who_failed_lets_the_others_try_first() {
    let mut turns = third();
    turns.failed(&key(), at(30));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(31)), at(60));
    turns.claim(claim(1, ClaimState::Failed), at(32));
    turns.claim(claim(2, ClaimState::Failed), at(33));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(33)), at(30));
}

#[test]
fn nobody_sends_while_another_is_sending() {
    let mut turns = third();
    turns.claim(claim(1, ClaimState::Sending), at(10));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(40)), at(70));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(71)), at(30));
    turns.claim(claim(1, ClaimState::Sending), at(72));
    turns.settle(&key(), NodeId(2), &Told::default(), at(72));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(73)), at(132));
    turns.settle(&key(), NodeId(1), &Told::default(), at(72));
    assert_eq!(turns.turn_at(&key(), at(0), false, at(73)), at(30));
}

#[test]
fn what_is_settled_is_not_heard_again() {
    let mut turns = third();
    let failed = Claim { alerts: vec![7], ..claim(1, ClaimState::Failed) };
    turns.claim(failed.clone(), at(10));
    turns.settle(&key(), NodeId(2), &Told { firing: vec![7], resolved: vec![] }, at(11));
    turns.claim(failed, at(12));
    let left = (2..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect();
    assert!(turns.set_peers(left, at(13)).iter().all(|(_, heard)| heard.is_empty()));
}

#[test]
fn who_died_long_after_its_attempt_ran_out_has_told_nothing() {
    for (died, heard) in [(75, vec![vec![7]]), (85, vec![])] {
        let mut turns = third();
        turns.claim(Claim { alerts: vec![7], ..claim(1, ClaimState::Sending) }, at(10));
        let left = (2..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect();
        let perhaps = turns.set_peers(left, at(died)).into_iter().map(|(_, alerts)| alerts).collect::<Vec<_>>();
        assert_eq!(perhaps, heard);
    }
}

#[test]
fn claims_without_number_are_not_heard_and_leave_no_lasting_trace() {
    let mut turns = third();
    let numbered = |group: usize| NflogKey { group_key: group.to_string().into(), ..key() };
    for group in 0..=MOST_CLAIMS {
        turns.claim(Claim { key: numbered(group), ..claim(1, ClaimState::Sending) }, at(1));
    }
    assert_eq!(turns.claims_held(), MOST_CLAIMS);
    turns.claim(Claim { stamp: at(1), ..claim(1, ClaimState::Sending) }, at(62));
    assert_eq!(turns.claims_held(), 1);
}
