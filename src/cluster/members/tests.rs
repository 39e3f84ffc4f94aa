//! Who comes, goes, is missed, compared with and forgotten.

use super::*;

fn life(node: u64, number: u64) -> Life {
    let name = format!("n{node}").into();
    Life { node: NodeId(node), name, address: SocketAddr::from(([127, 0, 0, node as u8], 9094)), number }
}

fn members() -> (Members, Instant) {
    (Members::new(Peer { id: NodeId(1), name: "n1".into() }), Instant::now())
}

fn names(members: &Members) -> Vec<String> {
    members.peers().into_iter().map(|peer| peer.name.to_string()).collect()
}

#[test]
fn a_node_is_lost_after_some_looks_and_returns_at_once() {
    let (mut members, now) = members();
    assert_eq!(members.look(vec![life(1, 1), life(2, 1)], now), Changes { joined: 1, ..Changes::default() });
    for _ in 0..LOOKS {
        assert_eq!(members.look(vec![], now), Changes::default());
        assert_eq!(names(&members), ["n1", "n2"]);
    }
    assert_eq!(members.look(vec![], now), Changes { left: 1, ..Changes::default() });
    assert_eq!((names(&members), members.lost()), (vec!["n1".into()], vec![life(2, 1).address]));
    assert_eq!(members.look(vec![life(2, 1)], now), Changes { returned: 1, ..Changes::default() });
    assert_eq!(names(&members), ["n1", "n2"]);
    members.forget(Duration::ZERO, &BTreeSet::new(), now);
    assert_eq!(names(&members), ["n1", "n2"]);
}

#[test]
fn a_look_in_between_makes_good_for_all_misses() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1)], now);
    for _ in 0..3 {
        (0..LOOKS).for_each(|_| assert_eq!(members.look(vec![], now), Changes::default()));
        members.look(vec![life(2, 1)], now);
    }
    assert_eq!(names(&members), ["n1", "n2"]);
}

#[test]
fn who_was_stopped_itself_misses_nobody_for_a_while() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1), life(3, 1)], now);
    members.slept(now);
    members.end(NodeId(3), 1, now);
    (0..=LOOKS).for_each(|_| assert_eq!(members.look(vec![], now).joined, 0));
    assert_eq!(names(&members), ["n1", "n2"], "but who said goodbye is gone");
    (0..=LOOKS).for_each(|_| assert_eq!(members.look(vec![], now + PATIENCE).joined, 0));
    assert_eq!(names(&members), ["n1"]);
}

#[test]
fn who_says_goodbye_or_refuses_is_gone_at_once() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1), life(3, 1)], now);
    members.end(NodeId(2), 1, now);
    members.refused(life(3, 1).address, now);
    let alive = vec![life(2, 1), life(3, 1)];
    assert_eq!(members.look(alive.clone(), now).left, 2);
    assert_eq!(members.look(alive, now + REFUSED_FOR + Duration::from_secs(1)).returned, 1, "only who was refused");
    assert_eq!(members.look(vec![life(2, 2)], now).returned, 1, "another life is not over");
}

#[test]
fn the_later_life_of_a_node_counts() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1)], now);
    assert_eq!(members.look(vec![life(2, 2), life(2, 1)], now).updated, 1);
    assert_eq!(members.look(vec![life(2, 1), life(2, 2)], now), Changes::default());
}

#[test]
fn a_name_that_is_taken_is_a_conflict() {
    let (mut members, now) = members();
    let twin = Life { name: "n1".into(), ..life(7, 1) };
    assert_eq!(members.look(vec![twin], now).conflicts, 1);
    assert_eq!(members.peers().len(), 2, "both count: their identities differ");
}

#[test]
fn what_differs_is_asked_for_in_portions() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1)], now);
    assert!(!members.all_compared());
    let differing: Vec<u8> = (0..80).collect();
    assert_eq!(members.compared(NodeId(2), differing, Round::Answers(1)), (0..32).collect::<Vec<u8>>());
    assert_eq!(members.answered(NodeId(2)), (32..64).collect::<Vec<u8>>());
    assert_eq!(members.answered(NodeId(2)), (64..80).collect::<Vec<u8>>());
    assert!(!members.all_compared());
    assert_eq!(members.answered(NodeId(2)), Vec::<u8>::new());
    assert!(members.all_compared());
    assert_eq!(members.agreeing(), 0);
    members.compared(NodeId(2), vec![], Round::Asks(1));
    assert_eq!(members.agreeing(), 1);
    members.doubt(7);
    for old in [Round::Answers(6), Round::Asks(9)] {
        members.compared(NodeId(2), vec![], old);
        assert!(!members.all_compared(), "{old:?} was under way before");
    }
    members.compared(NodeId(2), vec![], Round::Answers(7));
    assert!(members.all_compared());
}

#[test]
fn each_connection_is_met_once() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1)], now);
    assert_eq!(members.meet(|_| None), []);
    assert_eq!(members.meet(|_| Some(4)), [NodeId(2)]);
    assert_eq!(members.meet(|_| Some(4)), []);
    assert_eq!(members.meet(|_| None), []);
    assert_eq!(members.meet(|_| Some(5)), [NodeId(2)]);
}

fn known(members: &Members) -> Vec<(String, bool)> {
    members.known().into_iter().map(|known| (known.peer.name.to_string(), known.here)).collect()
}

fn lose(members: &mut Members, now: Instant) {
    for _ in 0..=LOOKS {
        members.look(vec![], now);
    }
}

#[test]
fn who_died_is_missed_and_who_said_goodbye_is_not() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1), life(3, 1)], now);
    assert_eq!(known(&members), [("n2".into(), true), ("n3".into(), true)]);
    members.end(NodeId(3), 1, now);
    lose(&mut members, now);
    assert_eq!(known(&members), [("n2".into(), false)]);
    members.look(vec![life(3, 2)], now);
    assert_eq!(known(&members), [("n2".into(), false), ("n3".into(), true)]);
    lose(&mut members, now);
    assert_eq!(known(&members), [("n2".into(), false), ("n3".into(), false)], "its goodbye was of another life");
}

#[test]
fn who_is_named_is_missed_for_ever_unless_it_said_goodbye() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1), life(3, 1), life(4, 1)], now);
    members.end(NodeId(4), 1, now);
    lose(&mut members, now);
    let named = BTreeSet::from([life(2, 1).address, life(4, 1).address]);
    assert_eq!(members.forget(Duration::from_secs(60), &named, now), Vec::<SmolStr>::new());
    assert_eq!(members.forget(Duration::ZERO, &named, now), ["n3", "n4"]);
    assert_eq!(known(&members), [("n2".into(), false)]);
}

#[test]
fn who_is_remembered_is_missed_until_it_joins() {
    let (mut members, now) = members();
    let known_peer = |node: u64| KnownPeer {
        name: format!("n{node}").into(),
        node: NodeId(node),
        address: life(node, 1).address.to_string().into(),
    };
    members.remember(&[known_peer(1), known_peer(2), KnownPeer { address: "nowhere".into(), ..known_peer(3) }], now);
    assert_eq!(known(&members), [("n2".into(), false)], "this node itself is nobody's peer");
    assert_eq!(members.lost(), [life(2, 1).address], "it is looked for");
    assert_eq!(members.look(vec![life(2, 7)], now), Changes { joined: 1, ..Changes::default() });
    assert_eq!(known(&members), [("n2".into(), true)]);
}

#[test]
fn where_another_lives_now_nobody_is_missed() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1)], now);
    lose(&mut members, now);
    members.look(vec![Life { address: life(2, 1).address, ..life(9, 1) }], now);
    assert_eq!(known(&members), [("n9".into(), true)]);
}

#[test]
fn of_too_many_the_longest_lost_is_forgotten() {
    let (mut members, now) = members();
    let lives = |nodes: std::ops::Range<u64>| nodes.map(|node| life(node, 1)).collect::<Vec<_>>();
    let limit = MAX_LIVES as u64;
    members.look(lives(2..limit + 2), now);
    for node in [5, 9] {
        members.end(NodeId(node), 1, now);
        members.look(lives(2..limit + 2), now + Duration::from_secs(node));
    }
    let later = now + Duration::from_secs(10);
    let forget = |members: &mut Members| members.forget(Duration::from_secs(3600), &BTreeSet::new(), later);
    assert_eq!(forget(&mut members), Vec::<SmolStr>::new());
    members.look(lives(2..limit + 3), later);
    assert_eq!(forget(&mut members), ["n5"]);
    members.look(lives(2..limit + 4), later);
    assert_eq!(forget(&mut members), ["n9"]);
    members.look(lives(2..limit + 5), later);
    assert_eq!(forget(&mut members), Vec::<SmolStr>::new(), "nobody of those who live");
}

#[test]
fn an_answer_is_timed_once_and_by_its_question() {
    let (mut members, now) = members();
    members.look(vec![life(2, 1)], now);
    let mut took = |round, ms| members.answer_took(NodeId(2), round, now + Duration::from_millis(ms));
    assert_eq!(took(Round::Answers(7), 1), None);
    members.asked(NodeId(2), 7, now);
    let mut took = |round, ms| members.answer_took(NodeId(2), round, now + Duration::from_millis(ms));
    assert_eq!((took(Round::Asks(7), 2), took(Round::Answers(6), 3)), (None, None));
    assert_eq!(took(Round::Answers(7), 4), Some(("n2".into(), Duration::from_millis(4))));
    assert_eq!(took(Round::Answers(7), 5), None);
}
