//! Engines that hear of each other at once, second by second: what is raised, when, by whom it is told, and when it ends.

mod room;

use crate::effect::Note;
use crate::heartbeat::Stalled;
use crate::policy::Policy;
use crate::vigil::Cause;

use room::{Room, WATCHDOG, at, member, policy};

const MISSING: &str = "ExpectedAlertMissing";
const DOWN: &str = "PeerDown";

fn missing() -> Cause {
    Cause::Missing("a".into())
}

#[test]
fn what_stays_away_is_raised_after_its_time_and_over_when_it_is_back() {
    let mut room = Room::new(1);
    room.until(250, |room, second| {
        if second % 60 == 0 {
            room.post(&[0], WATCHDOG)
        }
    });
    room.until(539, |_, _| {});
    assert_eq!(room.told, Vec::<String>::new(), "the last was at 240 s, and 300 s have not passed");
    room.until(560, |_, _| {});
    assert_eq!(room.told, ["550 firing ExpectedAlertMissing"]);
    room.until(900, |room, second| {
        if second == 700 {
            room.post(&[0], WATCHDOG)
        }
    });
    assert_eq!(room.told[1..], ["700 resolved ExpectedAlertMissing"]);
}

#[test]
fn what_was_never_there_is_raised_counted_from_readiness() {
    let mut room = Room::new(1);
    room.until(320, |_, _| {});
    assert_eq!(room.told, ["310 firing ExpectedAlertMissing"]);
}

#[test]
fn that_it_is_held_or_over_is_no_sighting() {
    let mut room = Room::new(1);
    room.post_lasting(&[0], WATCHDOG, 100_000);
    room.until(100, |room, second| {
        if second == 60 {
            room.post_lasting(&[0], "Other", 300)
        }
    });
    room.until(250, |room, second| {
        if second == 200 {
            room.post_lasting(&[0], WATCHDOG, -10)
        }
    });
    room.until(310, |_, _| {});
    assert_eq!(room.raised(0), [missing()]);
}

#[test]
fn what_one_node_receives_all_have_seen() {
    let mut room = Room::new(3);
    room.until(2000, |room, second| {
        if second % 60 == 0 {
            room.post(&[2], WATCHDOG)
        }
    });
    assert_eq!(room.told, Vec::<String>::new());
    assert!((0..3).all(|node| room.raised(node).is_empty()));
}

#[test]
fn all_nodes_raise_one_alert_with_one_beginning_and_tell_it_once() {
    let mut room = Room::new(3);
    room.until(7, |_, _| {});
    room.restart(1, policy());
    room.restart(2, policy());
    room.until(306, |_, _| {});
    let starts = |room: &Room| (0..3).map(|node| room.starts_at(node, MISSING)).collect::<Vec<_>>();
    assert_eq!(starts(&room), [Some(at(300)), None, None]);
    room.until(400, |_, _| {});
    assert_eq!(starts(&room), vec![Some(at(300)); 3], "two of them raised it 7 s late");
    assert_eq!(room.told, ["310 firing ExpectedAlertMissing"]);
    room.until(500, |room, second| {
        if second == 450 {
            room.post(&[1], WATCHDOG)
        }
    });
    assert_eq!(room.told[1..], ["450 resolved ExpectedAlertMissing"]);
}

#[test]
fn a_restart_goes_on_with_what_fires_and_gives_time_to_what_does_not() {
    let mut room = Room::new(1);
    room.until(320, |_, _| {});
    room.restart(0, policy());
    room.until(1200, |_, _| {});
    assert_eq!((room.told.len(), room.raised(0)), (1, vec![missing()]), "it fires on and is not told again");
    assert_eq!(room.starts_at(0, MISSING), Some(at(300)));
    room.post(&[0], WATCHDOG);
    room.until(1300, |_, _| {});
    assert_eq!(room.told.len(), 2);
    room.restart(0, policy());
    room.until(1599, |_, _| {});
    assert_eq!(room.told.len(), 2, "time is counted from the start");
    room.until(1620, |_, _| {});
    assert_eq!(room.told.len(), 3);
}

#[test]
fn a_reload_keeps_what_it_knows_of_rules_that_stay_and_ends_what_goes() {
    let mut room = Room::new(1);
    room.until(250, |_, _| {});
    room.reload(0, policy());
    room.until(320, |_, _| {});
    assert_eq!(room.told, ["310 firing ExpectedAlertMissing"]);
    room.reload(0, Policy { vigil: Default::default(), ..policy() });
    room.until(420, |_, _| {});
    assert_eq!(room.told[1..], ["320 resolved ExpectedAlertMissing"]);
    room.reload(0, policy());
    room.until(719, |_, _| {});
    assert_eq!(room.told.len(), 2, "a rule that is new has its time");
    room.until(740, |_, _| {});
    assert_eq!(room.told.len(), 3);
}

#[test]
fn other_labels_are_another_alert_at_once() {
    let mut room = Room::new(1);
    room.until(320, |_, _| {});
    let mut other = policy();
    other.vigil.expect[0].raises.labels = [("alertname", "Gone")].into_iter().collect();
    room.reload(0, other);
    room.until(345, |_, _| {});
    assert_eq!(room.told[1..], ["320 resolved ExpectedAlertMissing", "320 firing Gone"]);
}

#[test]
fn a_node_that_was_stopped_gives_time_again() {
    let mut room = Room::new(1);
    room.post(&[0], WATCHDOG);
    room.until(10, |_, _| {});
    room.oversleep(at(5000));
    room.until(5299, |_, _| {});
    assert_eq!(room.raised(0), []);
    room.until(5301, |_, _| {});
    assert_eq!(room.raised(0), [missing()]);
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_the_wait() {
    let mut room = Room::new(1);
    room.until(200, |_, _| {});
    room.now = at(-10_000);
    room.until(-10_000 + 98, |_, _| {});
    assert_eq!(room.raised(0), []);
    room.until(-10_000 + 105, |_, _| {});
    assert_eq!(room.raised(0), [missing()]);
}

#[test]
fn what_is_back_after_a_clock_was_set_back_is_over_at_once() {
    let mut room = Room::new(1);
    room.until(400, |_, _| {});
    room.now = at(-100);
    room.until(-50, |_, _| {});
    room.post(&[0], WATCHDOG);
    room.until(-30, |_, _| {});
    assert_eq!(room.told, ["310 firing ExpectedAlertMissing", "-49 resolved ExpectedAlertMissing"]);
}

#[test]
fn a_peer_that_dies_is_told_by_the_survivors_once_and_over_when_it_is_back() {
    let mut room = Room::quiet(2);
    let (here, lost) = (vec![member("n9", true)], vec![member("n9", false)]);
    room.members(&here);
    room.until(100, |room, second| {
        if second == 50 {
            room.members(&lost)
        }
    });
    assert_eq!(room.told, Vec::<String>::new(), "it may be a restart");
    room.until(200, |_, _| {});
    assert_eq!(room.told, ["120 firing PeerDown n9"]);
    room.until(300, |room, second| {
        if second == 250 {
            room.members(&here)
        }
    });
    assert_eq!(room.told[1..], ["250 resolved PeerDown n9"]);
}

#[test]
fn a_peer_that_is_back_in_time_or_was_given_up_is_not_told_of() {
    let mut room = Room::quiet(2);
    for round in 0..5 {
        room.members(&[member("n9", false)]);
        room.until(round * 100 + 55, |_, _| {});
        room.members(&[member("n9", true)]);
        room.until(round * 100 + 100, |_, _| {});
    }
    room.members(&[]);
    room.until(1000, |_, _| {});
    assert_eq!(room.told, Vec::<String>::new());
}

#[test]
fn a_survivor_that_restarts_goes_on_missing_the_dead() {
    let mut room = Room::quiet(1);
    room.members(&[member("n9", true)]);
    room.members(&[member("n9", false)]);
    room.until(100, |_, _| {});
    room.restart(0, room.policy.clone());
    assert_eq!(room.remembered(0), [member("n9", false).peer]);
    room.until(110, |_, _| {});
    room.members(&[member("n9", false)]);
    room.until(2000, |_, _| {});
    assert_eq!((room.told.len(), room.starts_at(0, DOWN)), (1, Some(at(60))));
    room.restart(0, room.policy.clone());
    room.until(2010, |_, _| {});
    room.members(&[member("n9", true)]);
    room.until(2100, |_, _| {});
    assert_eq!(room.told[1..], ["2010 resolved PeerDown n9"], "who came back meanwhile is back");
    room.members(&[]);
    assert_eq!(room.remembered(0), []);
}

#[test]
fn of_two_nodes_with_one_name_the_living_one_counts() {
    let mut room = Room::quiet(1);
    room.members(&[member("n9", true), member("n9", false)]);
    room.until(100, |_, _| {});
    assert_eq!(room.raised(0), []);
}

/// Repeated every 60 s, in groups of 10 s: told in time for 80 s after it was told.
#[test]
fn a_heartbeat_needs_the_whole_way() {
    let mut room = Room::new(2);
    let watchdog = |room: &mut Room, second: i64| {
        if second % 20 == 0 {
            room.post(&[0, 1], WATCHDOG)
        }
    };
    room.until(600, watchdog);
    assert_eq!(room.beats(0).len(), 59, "every 10 s");
    assert_eq!(room.beats(0), room.beats(1), "both receive, one tells, and both know that it was told");
    room.deaf = true;
    room.until(610, watchdog);
    let until_it_fails = room.beats(0).len();
    room.until(1200, watchdog);
    assert!(room.beats(0).len() <= until_it_fails + 6, "{:?}", room.beats(0));
    assert_eq!(room.stalled(0), Some(Stalled::NotTold));
    room.deaf = false;
    room.until(1400, watchdog);
    let again = room.beats(0).len();
    assert!(again >= until_it_fails + 15, "{:?}", room.beats(0));
    room.until(1800, |_, _| {});
    assert_eq!(room.beats(0).last().copied(), Some(1620), "received last at 1380, and told as over at 1620");
    assert_eq!(room.stalled(0), Some(Stalled::NotReceived));
}

#[test]
fn who_fails_to_tell_stops_at_once() {
    let mut room = Room::new(1);
    room.until(601, |room, second| {
        if second % 20 == 0 {
            room.post(&[0], WATCHDOG)
        }
    });
    room.deaf = true;
    room.until(800, |room, second| {
        if second % 20 == 0 {
            room.post(&[0], WATCHDOG)
        }
    });
    let failed_at = room.failures[0];
    assert!(room.beats(0).last().is_some_and(|last| *last <= failed_at), "{:?} {failed_at}", room.beats(0).last());
}

#[test]
fn old_news_that_it_was_told_is_no_proof_to_who_fails_to_tell() {
    let mut room = Room::new(1);
    let watchdog = |room: &mut Room, second: i64| {
        if second % 20 == 0 {
            room.post(&[0], WATCHDOG)
        }
    };
    room.until(601, watchdog);
    room.deaf = true;
    while room.failures.is_empty() {
        room.until(room.second() + 1, watchdog);
    }
    let failed_at = room.failures[0];
    room.old_news(0);
    room.until(failed_at + 15, watchdog);
    assert!(room.beats(0).last().is_some_and(|last| *last <= failed_at), "{:?} {failed_at}", room.beats(0).last());
}

#[test]
fn nobody_to_tell_is_no_way() {
    let mut room = Room::new(1);
    let mut deaf = policy();
    deaf.receivers[0].integrations.clear();
    room.reload(0, deaf);
    room.until(100, |room, second| {
        if second % 20 == 0 {
            room.post(&[0], WATCHDOG)
        }
    });
    assert_eq!((room.beats(0), room.stalled(0)), (vec![], Some(Stalled::NotRouted)));
}

#[test]
fn a_heartbeat_is_noted_when_it_changes() {
    let mut room = Room::new(1);
    room.until(600, |room, second| {
        if second >= 100 && second % 20 == 0 {
            room.post(&[0], WATCHDOG)
        }
    });
    let changes = room.notes(0).filter(|note| matches!(note, Note::Heartbeat { changed: true, .. })).count();
    assert_eq!(changes, 2, "stalled at first, then works");
}
