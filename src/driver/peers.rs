//! What happens among the nodes, made into inputs and answers. What a node holds is compared by digests; what it asks
//! for is given.

use watchbell_engine::digest::{Digest, Horizon};
use watchbell_engine::effect::Input;
use watchbell_engine::version::NodeId;

use super::Driver;
use super::handle::Reply;
use crate::clock;
use crate::cluster::{Cluster, Event, Round};

impl Driver {
    pub(super) fn heed(&mut self, event: Event) {
        let Some(cluster) = self.cluster.clone() else { return };
        match event {
            Event::Peers(peers) => self.handle(Input::Peers(peers), Reply::Nobody),
            Event::Members(members) => self.handle(Input::Members(members), Reply::Nobody),
            Event::News(records) => self.handle(Input::News(records), Reply::Nobody),
            Event::Settled => self.handle(Input::Settled, Reply::Nobody),
            Event::Met(node) => {
                cluster.tell(node, &self.engine.claims(clock::now()));
                self.compare(&cluster, node);
            }
            Event::Compare(node) => self.compare(&cluster, node),
            Event::Digest { from, digest, round } => self.compared(&cluster, from, &digest, round),
            Event::Wanted { from, shards } => {
                let records = self.engine.records_of(&shards);
                // Writing many records down takes a while, and the engine does not wait for it.
                tokio::task::spawn_blocking(move || cluster.answer(from, &records));
            }
        }
    }

    fn compare(&self, cluster: &Cluster, with: NodeId) {
        cluster.compare(with, self.engine.digest(Horizon::at(clock::now())));
    }

    /// Compares as of the other's horizon, so that clocks that stand apart make no difference.
    fn compared(&self, cluster: &Cluster, with: NodeId, theirs: &Digest, round: Round) {
        let ours = self.engine.digest(theirs.horizon);
        let differing = ours.differing(theirs);
        cluster.compared(with, ours, differing, round);
    }
}
