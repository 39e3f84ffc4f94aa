//! Peers that die. The cluster says who is here and who is missed; one that is missed for long enough is told of. Who was
//! known is remembered over a restart: a survivor that starts while a peer is dead still knows whom it misses.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::effect::{Change, Effects};
use crate::engine::Engine;
use crate::time::Timestamp;
use crate::version::NodeId;

/// A node that was here, this one apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPeer {
    /// Its name; of two nodes with one name the latest counts.
    pub name: SmolStr,
    /// Its identity.
    pub node: NodeId,
    /// Where it was. Only the cluster can read it.
    pub address: SmolStr,
}

/// A node as the cluster knows it: one that said goodbye, or was given up, is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub peer: KnownPeer,
    /// Whether it lives.
    pub here: bool,
}

impl Engine {
    /// Takes note of all nodes that the cluster knows, this one apart.
    pub(crate) fn take_members(&mut self, now: Timestamp, members: Vec<Member>, effects: &mut Effects) {
        let mut known: BTreeMap<SmolStr, Member> = BTreeMap::new();
        for member in members {
            let taken = known.get(&member.peer.name).is_some_and(|other| other.here);
            if !taken {
                known.insert(member.peer.name.clone(), member);
            }
        }
        self.watch.lost = known.values().filter(|member| !member.here).map(|member| member.peer.name.clone()).collect();
        self.remember(&known, effects);
        self.follow_vigil(now, effects);
        if let Some(rule) = self.view.policy.vigil.peer_down.clone() {
            for name in known.into_values().filter(|member| member.here).map(|member| member.peer.name) {
                self.end_stray(now, &rule.raises.of_peer(&name), effects);
            }
        }
    }

    fn remember(&mut self, known: &BTreeMap<SmolStr, Member>, effects: &mut Effects) {
        let book = &mut self.watch.book;
        for (name, _) in book.extract_if(.., |name, _| !known.contains_key(name)) {
            effects.persist.push(Change::DeletePeer(name));
        }
        for member in known.values() {
            let before = book.insert(member.peer.name.clone(), member.peer.clone());
            if before.as_ref() != Some(&member.peer) {
                effects.persist.push(Change::PutPeer(member.peer.clone()));
            }
        }
    }
}
