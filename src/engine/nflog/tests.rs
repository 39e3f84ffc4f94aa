//! Whatever nodes write apart from each other, and however it reaches them, all come to hold the same, and what one has
//! told the end of does not come back by another.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NODES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A node tells these alerts as firing and those as resolved; of all others it goes on believing what it did.
    Write { node: usize, firing: Vec<u64>, resolved: Vec<u64> },
    /// What a node holds reaches another one.
    Send { from: usize, to: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let alerts = || vec(0..5_u64, 0..3);
    prop_oneof![
        (0..NODES, alerts(), alerts()).prop_map(|(node, firing, resolved)| Step::Write { node, firing, resolved }),
        (0..NODES, 0..NODES).prop_map(|(from, to)| Step::Send { from, to }),
    ]
}

fn write(previous: Option<&NflogEntry>, node: usize, stamp: i64, mut firing: Vec<u64>, resolved: &[u64]) -> NflogEntry {
    let version = Version { stamp: Timestamp::from_secs(stamp), node: NodeId(node as u64) };
    let mut carried = previous.map(NflogEntry::believed).unwrap_or_default();
    firing.sort_unstable();
    firing.dedup();
    carried.retain(|carried| !firing.contains(&carried.hash) && !resolved.contains(&carried.hash));
    let mut resolved: Vec<u64> = resolved.iter().copied().filter(|hash| !firing.contains(hash)).collect();
    resolved.sort_unstable();
    resolved.dedup();
    let mut ended: BTreeSet<Carried> = previous.into_iter().flat_map(NflogEntry::ends).collect();
    ended.retain(|end| !firing.contains(&end.hash) && !resolved.contains(&end.hash));
    NflogEntry {
        key: NflogKey { group_key: "{}:{}".into(), receiver: "r".into(), integration: "webhook".into(), index: 0 },
        timestamp: Timestamp::from_secs(stamp),
        firing,
        resolved,
        receiver_data: ReceiverData::new(),
        expires_at: Timestamp::MAX,
        version,
        carried: carried.into_iter().collect(),
        ended: ended.into_iter().collect(),
        past: previous.map_or_else(|| vec![version], |entry| entry.past_of_next(version)),
    }
}

/// What each node holds after these steps, and all that was ever held.
fn play(steps: &[Step]) -> (Vec<Option<NflogEntry>>, Vec<NflogEntry>) {
    let (mut held, mut ever) = (vec![None::<NflogEntry>; NODES], Vec::new());
    for (stamp, step) in (1..).zip(steps) {
        let node = match step {
            Step::Write { node, firing, resolved } => {
                held[*node] = Some(write(held[*node].as_ref(), *node, stamp, firing.clone(), resolved));
                *node
            }
            Step::Send { from, to } => {
                let Some(sent) = held[*from].clone() else { continue };
                held[*to] = Some(held[*to].as_ref().map_or(sent.clone(), |known| known.united(&sent)));
                *to
            }
        };
        ever.extend(held[node].clone());
    }
    (held, ever)
}

fn united(entries: &[NflogEntry]) -> Option<NflogEntry> {
    entries.iter().cloned().reduce(|one, other| one.united(&other))
}

proptest! {
    #[test]
    fn in_any_order_the_same_comes_out(steps in vec(step(), 1..40), seed in any::<u64>()) {
        let (_, ever) = play(&steps);
        let mut shuffled = ever.clone();
        shuffled.sort_by_cached_key(|entry| xxhash_rust::xxh64::xxh64(format!("{entry:?}").as_bytes(), seed));
        prop_assert_eq!(united(&ever), united(&shuffled));
        prop_assert_eq!(united(&[&ever[..], &ever[..]].concat()), united(&ever));
    }

    #[test]
    fn what_a_node_wrote_last_holds_unless_another_one_knew_of_it(steps in vec(step(), 1..40)) {
        let (held, ever) = play(&steps);
        let Some(all) = united(&ever) else { return Ok(()) };
        for entry in held.iter().flatten() {
            let unknown_to_others = held.iter().flatten().all(|other| other == entry || !other.follows(entry.version));
            let told = entry.firing.iter().all(|hash| all.tells_firing(*hash));
            prop_assert!(told || !unknown_to_others);
        }
    }
}

#[test]
fn what_was_told_apart_is_told_by_both_and_what_ended_is_over() {
    let before = write(None, 0, 1, vec![1, 2], &[]);
    let here = write(Some(&before), 0, 2, vec![3], &[1]);
    let there = write(Some(&before), 1, 3, vec![4], &[2]);
    let both = here.united(&there);
    assert_eq!(both.told_firing().collect::<BTreeSet<_>>(), BTreeSet::from([3, 4]));
    assert_eq!((both.version, both.resolved.clone()), (there.version, vec![2]));
    let after = Arc::new(write(Some(&both), 2, 4, vec![], &[3, 4]));
    for old in [&before, &here, &there, &both] {
        assert_eq!(after.united(old), *after, "what is over came back");
    }
}
