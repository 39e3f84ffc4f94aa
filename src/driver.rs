//! The one task that owns the engine: wait, make an input, handle it, perform the effects. It decides nothing; the
//! order in which effects happen (write, publish and tell, and answer when it is on the disk) is written here and nowhere
//! else.

mod deliver;
mod handle;
mod measure;
mod notes;
mod peers;
mod pulse;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep};
use watchbell_engine::Engine;
use watchbell_engine::effect::{Answer, Change, Effects, Input};
use watchbell_engine::policy::Policy;
use watchbell_engine::time::Timestamp;

use crate::clock;
use crate::cluster::{Cluster, Event};
use crate::receivers::Integrations;
use crate::store::{Committer, OnceSynced, Then};
use crate::telemetry::Metrics;

pub use crate::cluster::Status as ClusterStatus;
pub use handle::{Command, Handle, Refused, Reply, Running};

use deliver::Deliverer;
use measure::{Records, Taken, count_forgotten, count_refused};
use notes::NoteTaker;
use pulse::Pulse;

/// Commands that may wait for the engine. Each sender waits when it is full, so that a storm is slowed at its source.
const MAX_COMMANDS: usize = 1024;

/// The longest sleep. A system clock that is set forward makes timers due that the sleep does not know of.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Who wakes so much later than it meant to has been stopped, and what it knows of the other nodes is old.
const OVERSLEPT: Duration = Duration::from_secs(2);

/// How long a stop waits for attempts that are under way, so that what was told is also logged as told.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// The engine and everything that its effects touch.
pub struct Driver {
    engine: Engine,
    committer: Committer,
    deliverer: Deliverer,
    pulse: Pulse,
    notes: NoteTaker,
    metrics: Metrics,
    commands: mpsc::Receiver<Command>,
    cluster: Option<Cluster>,
    /// What happens among the nodes; nothing comes without a cluster.
    events: mpsc::Receiver<Event>,
    /// Present while nothing is decided by the clock, since the other nodes know better.
    catching_up: Option<oneshot::Receiver<()>>,
}

/// What ended a wait.
enum Happened {
    Command(Command),
    Event(Event),
    CaughtUp,
    Due,
}

/// When the driver means to wake, on both clocks: one stands still while the machine does, the other may be set.
struct Wake {
    at: Instant,
    told: Timestamp,
    timer: Pin<Box<Sleep>>,
}

impl Wake {
    fn new() -> Self {
        let at = Instant::now();
        Self { at, told: clock::now(), timer: Box::pin(tokio::time::sleep_until(at)) }
    }

    /// Means to wake after `sleep`. An earlier moment that is still to come stays: to set a timer wakes the thread that
    /// waits for all of them, and to look once in vain costs less.
    fn aim(&mut self, sleep: Duration) {
        let now = Instant::now();
        if self.at > now && self.at <= now + sleep {
            return;
        }
        (self.at, self.told) = (now + sleep, clock::now() + sleep);
        if !sleep.is_zero() {
            self.timer.as_mut().reset(self.at);
        }
    }

    /// A timer counts in milliseconds and fires after the one it falls into, so what is due already goes without.
    async fn come(&mut self) {
        if self.at <= Instant::now() { tokio::task::yield_now().await } else { self.timer.as_mut().await }
    }
}

impl Driver {
    /// A driver and the way to speak to it. `first` is what follows from the engine's restart.
    pub fn new(
        engine: Engine,
        first: Effects,
        committer: Committer,
        integrations: Arc<Integrations>,
        metrics: Metrics,
        log_silences: bool,
        cluster: Option<(Cluster, mpsc::Receiver<Event>)>,
    ) -> (Self, mpsc::Sender<Command>) {
        let (sender, commands) = mpsc::channel(MAX_COMMANDS);
        let (cluster, events) = cluster.map_or_else(|| (None, mpsc::channel(1).1), |(cluster, e)| (Some(cluster), e));
        let pulse = Pulse::new(Arc::clone(&integrations), metrics.clone());
        let deliverer = Deliverer::new(integrations, sender.downgrade(), metrics.clone());
        let notes = NoteTaker::new(metrics.clone(), log_silences);
        let catching_up = None;
        let mut driver =
            Self { engine, committer, deliverer, pulse, notes, metrics, commands, cluster, events, catching_up };
        driver.perform(first, Reply::Nobody);
        (driver, sender)
    }

    /// Runs until it is told to stop; then everything decided is on disk.
    pub async fn run(mut self) {
        let mut wake = Wake::new();
        loop {
            self.metrics.driver.waiting.set(self.commands.len() as i64);
            self.metrics.driver.attempts.set(self.engine.load().1 as i64);
            self.metrics.driver.claims.set(self.engine.claims_held() as i64);
            wake.aim(self.sleep());
            let happened = tokio::select! {
                command = self.commands.recv() => command.map_or(Happened::Command(Command::Stop), Happened::Command),
                Some(event) = self.events.recv() => Happened::Event(event),
                Some(()) = caught_up(&mut self.catching_up) => Happened::CaughtUp,
                () = wake.come(), if self.catching_up.is_none() => Happened::Due,
            };
            // Whatever woke it: what is due must wait if the machine has slept, and no other turn will see it.
            if self.catching_up.is_none() && overslept(&wake) {
                self.handle(Input::Overslept, Reply::Nobody);
                self.catching_up = self.cluster.as_ref().filter(|cluster| cluster.has_others()).map(Cluster::doubt);
            }
            match happened {
                Happened::Command(Command::Stop) => break,
                Happened::Command(command) => self.obey(command),
                Happened::Event(event) => self.heed(event),
                Happened::CaughtUp => self.catching_up = None,
                Happened::Due if self.catching_up.is_none() => self.advance(),
                Happened::Due => {}
            }
        }
        self.finish_attempts().await;
        if let Some(cluster) = &self.cluster {
            cluster.leave().await;
        }
        let committer = self.committer;
        // Dropping it waits for the disk.
        let _ = tokio::task::spawn_blocking(move || drop(committer)).await;
    }

    fn sleep(&self) -> Duration {
        let due = self.engine.next_deadline().map(|due| due.since(clock::now()));
        due.unwrap_or(MAX_SLEEP).min(MAX_SLEEP)
    }

    fn advance(&mut self) {
        let started = Instant::now();
        let effects = self.engine.advance(clock::now());
        count_forgotten(&effects.persist, started.elapsed(), &self.metrics);
        self.perform(effects, Reply::Nobody);
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Input(input, reply) => self.handle(input, reply),
            Command::View(reply) => drop(reply.send(self.engine.view().clone())),
            Command::Stats(reply) => drop(reply.send(self.committer.stats())),
            Command::Reload(policy, integrations, done) => {
                self.reload(policy, integrations);
                // Whoever asked may have gone; the reload holds all the same.
                let _ = done.send(());
            }
            Command::Stop => {}
        }
    }

    fn handle(&mut self, input: Input, reply: Reply) {
        let (taken, started) = (Taken::of(&input), Instant::now());
        let effects = self.engine.handle(clock::now(), input);
        taken.count(&effects.persist, started.elapsed(), &self.metrics);
        count_refused(effects.answer.as_ref(), &self.metrics);
        self.perform(effects, reply);
    }

    fn reload(&mut self, policy: Arc<Policy>, integrations: Arc<Integrations>) {
        self.pulse.replace(Arc::clone(&integrations));
        self.deliverer.replace(integrations);
        let effects = self.engine.reload(clock::now(), policy);
        self.perform(effects, Reply::Nobody);
    }

    /// Persist first; what depends on the disk waits for it, the engine does not. What a kill must not separate from what
    /// is written waits until the system has it: news and attempts. What is promised to people waits until the disk has
    /// it: answers.
    fn perform(&mut self, effects: Effects, reply: Reply) {
        for note in effects.notes {
            self.notes.take(note);
        }
        let (attempts, deliverer) = (effects.deliver, self.deliverer.clone());
        let (beats, pulse) = (effects.beat, self.pulse.clone());
        let (news, cluster) = (effects.publish, self.cluster.clone());
        let tell = move || {
            if let Some(cluster) = cluster {
                cluster.publish(&news);
            }
            deliverer.start(attempts);
            pulse.beat(beats);
        };
        if effects.persist.iter().any(Change::is_durable) {
            let awaited = effects.answer.is_some() || effects.persist.iter().any(Change::is_promised);
            let synced = awaited.then(|| self.once_synced(&effects.persist, effects.answer, reply));
            return self.committer.submit_durable(effects.persist, Then { written: Box::new(tell), synced });
        }
        if !effects.persist.is_empty() {
            self.committer.submit_lazily(effects.persist);
        }
        tell();
        reply.send(effects.answer, Ok(()));
    }

    /// What follows when the disk has the changes.
    fn once_synced(&self, changes: &[Change], answer: Option<Answer>, reply: Reply) -> OnceSynced {
        let (metrics, records, started) = (self.metrics.clone(), Records::put(changes), Instant::now());
        Box::new(move |saved| {
            records.count_saved(started.elapsed(), saved.is_ok(), &metrics);
            reply.send(answer, saved);
        })
    }

    async fn finish_attempts(&mut self) {
        let deadline = Instant::now() + STOP_GRACE;
        while self.engine.load().1 > 0 {
            let Ok(Some(command)) = tokio::time::timeout_at(deadline, self.commands.recv()).await else { return };
            if let Command::Input(input @ Input::Delivered { .. }, reply) = command {
                self.handle(input, reply);
            }
        }
    }
}

/// Whether the process has been stopped, or the clock was set forward.
fn overslept(wake: &Wake) -> bool {
    let late = clock::now().since(wake.told).max(Instant::now().saturating_duration_since(wake.at));
    late > OVERSLEPT
}

/// Ready when the other nodes have told what this one missed; never if nothing is waited for.
async fn caught_up(waiting: &mut Option<oneshot::Receiver<()>>) -> Option<()> {
    // Whether it says so or is gone: nobody is waited for any more.
    let _ = waiting.as_mut()?.await;
    Some(())
}
