//! What a node remembers of its speech on one server, across connections: how far a message has got, which ids were seen
//! from whom, what an id is about, and how much each target was told. Everything here is bounded and forgotten in time.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;
use watchbell_engine::label::Labels;

/// How long progress, ids and meanings are remembered: longer than any notification is retried, or people discuss it.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// How many of each are remembered; the oldest go first. A message a second fills it in an hour.
const MAX_REMEMBERED: usize = 4096;

/// The time from the first notification that is left out to the line that says so, and from that to the next such line.
const FIRST_DIGEST: Duration = Duration::from_secs(30);
const NEXT_DIGEST: Duration = Duration::from_secs(600);

/// What is remembered.
#[derive(Default)]
pub(super) struct Memory {
    /// By identity and folded target.
    pub(super) progress: Recent<(String, String), Progress>,
    /// By folded target and id: who said it.
    pub(super) seen: Recent<(String, String), String>,
    /// By id: what it is about, if it was said here.
    pub(super) meanings: Recent<String, Labels>,
    /// By folded target.
    pub(super) quotas: HashMap<String, Quota>,
}

/// How far a message has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// All its lines, as they were cut when it was first said.
    pub(super) lines: Vec<String>,
    /// How many of them are known to have arrived.
    pub(super) told: usize,
}

/// A map that forgets what is old, and the oldest if there is too much.
pub(super) struct Recent<K, V> {
    by_key: HashMap<K, (Instant, V)>,
    order: VecDeque<(Instant, K)>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    pub(super) fn insert(&mut self, key: K, value: V, now: Instant) {
        self.by_key.insert(key.clone(), (now, value));
        self.order.push_back((now, key));
        while self.order.len() > MAX_REMEMBERED || self.order.front().is_some_and(|(at, _)| *at + REMEMBERED < now) {
            let Some((at, key)) = self.order.pop_front() else { return };
            // Inserted again since: its later place counts.
            if self.by_key.get(&key).is_some_and(|(last, _)| *last == at) {
                self.by_key.remove(&key);
            }
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.by_key.get(key).map(|(_, value)| value)
    }

    /// The value, if it is no older than `window`.
    pub(super) fn within(&self, key: &K, window: Duration, now: Instant) -> Option<&V> {
        self.by_key.get(key).filter(|(at, _)| *at + window >= now).map(|(_, value)| value)
    }
}

/// Notifications that were left out, and the alerts in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) notifications: u64,
    pub(super) firing: u64,
    pub(super) resolved: u64,
}

/// How much a target was told, and what was left out since it was last told so.
#[derive(Debug, Default)]
pub(super) struct Quota {
    /// When each line was sent.
    lines: VecDeque<Instant>,
    left_out: LeftOut,
    digest_at: Option<Instant>,
    last_digest: Option<Instant>,
    /// Where the rest can be read.
    url: String,
}

impl Quota {
    /// Whether `count` more lines may be sent, at most `limit` in `per`.
    pub(super) fn allows(&mut self, count: usize, limit: usize, per: Duration, now: Instant) -> bool {
        while self.lines.front().is_some_and(|sent| *sent + per <= now) {
            self.lines.pop_front();
        }
        self.lines.len() + count <= limit
    }

    /// Counts lines that are sent.
    pub(super) fn spend(&mut self, count: usize, now: Instant) {
        self.lines.extend(std::iter::repeat_n(now, count));
    }

    /// Counts what is left out, to be told later.
    pub(super) fn leave_out(&mut self, more: LeftOut, url: &str, now: Instant) {
        self.left_out.notifications += more.notifications;
        self.left_out.firing += more.firing;
        self.left_out.resolved += more.resolved;
        url.clone_into(&mut self.url);
        let soon = now + FIRST_DIGEST;
        let next = self.last_digest.map_or(soon, |last| soon.max(last + NEXT_DIGEST));
        self.digest_at.get_or_insert(next);
    }

    /// When what was left out is to be told.
    pub(super) fn digest_at(&self) -> Option<Instant> {
        self.digest_at
    }

    /// What is to be told now of what was left out, and its line.
    pub(super) fn digest(&mut self, now: Instant) -> (LeftOut, String) {
        (self.digest_at, self.last_digest) = (None, Some(now));
        let left_out = std::mem::take(&mut self.left_out);
        let LeftOut { notifications, firing, resolved } = left_out;
        let line = format!(
            "{notifications} notifications suppressed for IRC ({firing} alerts firing, {resolved} resolved), see {}",
            self.url
        );
        (left_out, line)
    }

    /// Takes back a digest that could not be told.
    pub(super) fn restore(&mut self, left_out: LeftOut, now: Instant) {
        let url = self.url.clone();
        self.leave_out(left_out, &url, now);
        self.digest_at = Some(now + FIRST_DIGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let (start, mut recent) = (Instant::now(), Recent::default());
        recent.insert("a", 1, start);
        recent.insert("a", 2, start + MINUTE);
        recent.insert("b", 3, start + REMEMBERED + MINUTE / 2);
        assert_eq!((recent.get(&"a"), recent.get(&"b")), (Some(&2), Some(&3)));
        assert_eq!(recent.within(&"a", MINUTE, start + MINUTE * 2), Some(&2));
        assert_eq!(recent.within(&"a", MINUTE, start + MINUTE * 3), None);
        let names: Vec<String> = (0..MAX_REMEMBERED).map(|number| number.to_string()).collect();
        names.iter().for_each(|name| recent.insert(name, 0, start + REMEMBERED + MINUTE));
        assert_eq!((recent.get(&"a"), recent.by_key.len()), (None, MAX_REMEMBERED));
    }

    #[test]
    fn a_quota_refills_and_what_is_left_out_is_told_once() {
        let (start, mut quota) = (Instant::now(), Quota::default());
        quota.spend(3, start);
        assert!(quota.allows(1, 4, MINUTE, start) && !quota.allows(2, 4, MINUTE, start));
        assert!(quota.allows(4, 4, MINUTE, start + MINUTE));
        let one = LeftOut { notifications: 1, firing: 2, resolved: 3 };
        quota.leave_out(one, "http://am", start);
        quota.leave_out(one, "http://am", start + MINUTE / 4);
        assert_eq!(quota.digest_at(), Some(start + FIRST_DIGEST));
        let (told, line) = quota.digest(start + FIRST_DIGEST);
        assert_eq!(line, "2 notifications suppressed for IRC (4 alerts firing, 6 resolved), see http://am");
        assert_eq!((told.notifications, quota.digest_at()), (2, None));
        quota.leave_out(one, "http://am", start + MINUTE);
        assert_eq!(quota.digest_at(), Some(start + FIRST_DIGEST + NEXT_DIGEST));
        quota.restore(told, start + MINUTE);
        assert!(quota.digest(start + MINUTE).1.starts_with("3 notifications"));
    }
}
