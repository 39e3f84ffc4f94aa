//! How many notifications an integration begins at once. A storm of groups to one server would else open a connection for
//! each: most of the work, on both sides, and more file descriptors than a process commonly has.

use std::time::Duration;

use tokio::sync::Semaphore;

/// Quick ones under way at once. A server that answers within a millisecond is told tens of thousands in a second.
pub(super) const AT_ONCE: usize = 64;

/// One that takes longer than this is not waited for any more: for a server that hangs, more than a thousand are begun in
/// a second all the same.
const QUICK: Duration = Duration::from_millis(50);

/// Lets notifications pass.
pub(super) struct Gate(Semaphore);

impl Gate {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }

    /// Begins `telling` as soon as fewer than [`AT_ONCE`] quick ones are under way. One that waits takes no room.
    pub(super) async fn pass<F: Future>(&self, telling: impl FnOnce() -> F) -> F::Output {
        let slot = self.0.acquire().await.expect("it is never closed");
        let mut telling = Box::pin(telling());
        if let Ok(outcome) = tokio::time::timeout(QUICK, &mut telling).await {
            return outcome;
        }
        drop(slot);
        telling.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Lets so many that take `long` pass, and returns how many were under way at once at most.
    async fn most_at_once(tellings: usize, long: Duration) -> usize {
        let (gate, now, most) = (Arc::new(Gate::new()), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let tasks: Vec<_> = (0..tellings)
            .map(|_| {
                let (gate, now, most) = (Arc::clone(&gate), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    let telling = || async {
                        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                        tokio::time::sleep(long).await;
                        now.fetch_sub(1, SeqCst);
                    };
                    gate.pass(telling).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        most.load(SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn quick_ones_take_turns() {
        assert_eq!(most_at_once(1000, QUICK / 2).await, AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_ones_hold_up_nobody() {
        assert_eq!(most_at_once(1000, QUICK * 1000).await, 1000);
    }
}
