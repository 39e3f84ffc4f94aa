//! Connections to mail servers: a few for each server and login, kept for the next mail for a while, and closed when
//! nobody needs them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use watchbell_engine::notification::Failure;

use super::super::outcome::transient;
use super::super::{ReceiverError, Surroundings};
use super::connect::{Line, Server, within};
use super::login::{Credentials, Secrets, Settings};
use super::tally::Tally;
use crate::settings::email::EmailConfig;

/// Conversations with one server at once. Servers refuse a client that has many (Postfix: 50); ten carry thousands of
/// mails a minute.
const MAX_CONNECTIONS: usize = 10;

/// How long a connection is kept for the next mail. Servers close idle ones after minutes (RFC 5321 4.5.3.2: five).
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// How long a connection is used at most, so that renewed certificates and moved servers are noticed.
const AGE_LIMIT: Duration = Duration::from_secs(300);

/// Mails sent over one connection at most; Exim takes no more by default.
const MAX_MAILS: u32 = 1000;

/// How long a kept connection may take to show that the server is still there; a new one is made soon.
const RESET_LIMIT: Duration = Duration::from_secs(5);

/// How long we wait for the server's good-bye.
const QUIT_LIMIT: Duration = Duration::from_secs(2);

/// The pools in use, shared by all integrations that speak to the same server as the same user.
#[derive(Default)]
pub(super) struct Pools(Mutex<Vec<Weak<Pool>>>);

/// Connections to one server.
pub(super) struct Pool {
    server: Server,
    settings: Settings,
    credentials: Credentials,
    /// Its permits bound the conversations.
    room: Semaphore,
    idle: Mutex<Idle>,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct Idle {
    /// The one that was used last comes last.
    connections: Vec<Open>,
    /// Whether somebody closes those that nobody uses.
    is_swept: bool,
}

/// A connection that is not in the pool.
pub(super) struct Lease<'a> {
    open: Open,
    pool: &'a Arc<Pool>,
    _room: SemaphorePermit<'a>,
}

struct Open {
    line: Line,
    /// What it was logged in with.
    secrets: Arc<Secrets>,
    since: Instant,
    idle_since: Instant,
    mails: u32,
    _counted: Counted,
}

/// Counts a connection for as long as it is there.
struct Counted(Arc<Tally>);

impl Pools {
    /// The pool for what `config` says: one that is there already, also if another configuration made it.
    pub(super) fn of(
        &self,
        config: &EmailConfig,
        surroundings: &Surroundings,
        tally: &Arc<Tally>,
    ) -> Result<Arc<Pool>, ReceiverError> {
        let (server, settings) = (Server::build(config)?, Settings::of(config));
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        let known = pools.iter().filter_map(Weak::upgrade);
        if let Some(pool) = known.into_iter().find(|pool| pool.server == server && pool.settings == settings) {
            return Ok(pool);
        }
        let credentials = Credentials::build(settings.clone(), surroundings)?;
        let (room, idle) = (Semaphore::new(MAX_CONNECTIONS), Mutex::default());
        let pool = Arc::new(Pool { server, settings, credentials, room, idle, tally: Arc::clone(tally) });
        pools.push(Arc::downgrade(&pool));
        Ok(pool)
    }
}

impl Pool {
    /// A connection that is logged in: a kept one if it still answers, or else a new one. Waits if too many are in use.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease<'_>, Failure> {
        let room = self.room.acquire().await.map_err(|_| transient("the pool of connections is closed"))?;
        let secrets = self.credentials.secrets().await?;
        while let Some(mut open) = self.take() {
            if open.secrets == secrets && open.answers().await {
                return Ok(Lease { open, pool: self, _room: room });
            }
            open.close().await;
        }
        Ok(Lease { open: self.open(secrets).await?, pool: self, _room: room })
    }

    async fn open(&self, secrets: Arc<Secrets>) -> Result<Open, Failure> {
        let counted = Counted::new(&self.tally);
        let mut line = self.server.connect().await?;
        self.credentials.log_in(&mut line, &self.server, &secrets).await?;
        let now = Instant::now();
        Ok(Open { line, secrets, since: now, idle_since: now, mails: 0, _counted: counted })
    }

    /// The connection that was used last.
    fn take(&self) -> Option<Open> {
        self.idle().connections.pop()
    }

    /// Keeps `open` for the next mail, but not for long.
    fn keep(self: &Arc<Self>, open: Open) {
        let mut idle = self.idle();
        idle.connections.push(open);
        if !std::mem::replace(&mut idle.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// The connections that were idle for too long at `now`; `None` if there are none at all any more.
    fn take_expired(&self, now: Instant) -> Option<Vec<Open>> {
        let mut idle = self.idle();
        idle.is_swept = !idle.connections.is_empty();
        let is_over = |open: &mut Open| now.duration_since(open.idle_since) >= IDLE_LIMIT;
        idle.is_swept.then(|| idle.connections.extract_if(.., is_over).collect())
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what nobody has used for a while, until nothing is left.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE_LIMIT / 2).await;
        let Some(pool) = pool.upgrade() else { return };
        let Some(expired) = pool.take_expired(Instant::now()) else { return };
        for open in expired {
            open.close().await;
        }
    }
}

impl Lease<'_> {
    pub(super) fn line(&mut self) -> &mut Line {
        &mut self.open.line
    }

    /// Gives the connection back after a mail; one that is worn out is closed.
    pub(super) async fn end(mut self) {
        self.open.mails += 1;
        self.open.idle_since = Instant::now();
        let is_worn_out = self.open.mails >= MAX_MAILS || self.open.since.elapsed() >= AGE_LIMIT;
        if is_worn_out || self.open.line.connection.has_broken() {
            self.open.close().await;
        } else {
            self.pool.keep(self.open);
        }
    }
}

impl Open {
    /// Whether the server is still there, and ready for another mail.
    async fn answers(&mut self) -> bool {
        within(RESET_LIMIT, "RSET", self.line.connection.command("RSET\r\n")).await.is_ok()
    }

    /// Takes leave. The mails are delivered by then, so how the server takes it changes nothing.
    async fn close(mut self) {
        let _ = tokio::time::timeout(QUIT_LIMIT, self.line.connection.quit()).await;
    }
}

impl Counted {
    fn new(tally: &Arc<Tally>) -> Self {
        tally.opened();
        Self(Arc::clone(tally))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.closed();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::surroundings;
    use super::super::tests::MailServer;
    use super::*;

    #[tokio::test]
    async fn what_nobody_uses_is_closed_after_a_while() {
        let mut server = MailServer::start(&[]).await;
        let yaml = format!("{{to: b@example.org, smarthost: '127.0.0.1:{}', tls_mode: none}}", server.port());
        let config = serde_saphyr::from_str(&yaml).unwrap();
        let pool = Pools::default().of(&config, &surroundings(), &Arc::default()).unwrap();
        pool.lease().await.unwrap().end().await;
        let now = Instant::now();
        assert_eq!(pool.take_expired(now).map(|expired| expired.len()), Some(0));
        let mut expired = pool.take_expired(now + IDLE_LIMIT).unwrap();
        expired.pop().unwrap().close().await;
        assert_eq!(server.conversation().await, ["EHLO localhost", "QUIT"]);
        assert!(expired.is_empty() && pool.take_expired(now).is_none());
    }
}
