//! The task behind a session: it connects, again and again, carries what the conversation says and hears, and obeys.

use std::sync::Arc;
use std::time::Duration;

use irc_proto::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::outcome::transient;
use super::connect::{Stream, connect};
use super::memory::Memory;
use super::plan::{Plan, secret};
use super::random::share;
use super::redact::Redactor;
use super::request::IrcRequest;
use super::session::{End, Order, Secrets, Session};
use super::shared::Shared;
use super::wire::{self, Received};

/// How long our good-bye may take. Servers read a line a second of whom they have heard much from lately, and who is
/// gone before they come to it has said nothing.
const QUIT_LIMIT: Duration = Duration::from_secs(5);

/// Read at once from the server, in bytes.
const READ_SIZE: usize = 4096;

/// What a session is told from outside.
pub(super) struct Task {
    pub(super) errands: mpsc::Receiver<Errand>,
    /// Where people's commands go.
    pub(super) requests: Option<mpsc::Sender<IrcRequest>>,
    /// `None` ends the session.
    pub(super) plans: watch::Receiver<Option<Arc<Plan>>>,
    pub(super) shared: Arc<Shared>,
}

/// What a session is asked to say.
pub(super) enum Errand {
    /// A message, whose arrival somebody waits for.
    Say(Box<Order>),
    /// An answer to a command.
    Answer {
        /// Where.
        target: String,
        /// What.
        lines: Vec<String>,
    },
}

/// Why a connection came to its end.
enum Over {
    /// It broke, or was given up; a new one is wanted after a pause.
    Lost(End),
    /// The plan needs another one at once.
    Replaced,
    /// Nobody wants one any more.
    Ended,
}

impl Task {
    /// Holds a session until there is no plan for one any more.
    pub(super) async fn run(mut self) {
        let mut memory = Memory::default();
        let (mut attempt, mut failures) = (0, 0);
        while let Some(plan) = self.plan() {
            let began = Instant::now();
            let over = self.one_connection(&plan, attempt, &mut memory).await;
            let end = match over {
                Over::Ended => break,
                Over::Replaced => {
                    (attempt, failures) = (0, 0);
                    continue;
                }
                Over::Lost(end) => end,
            };
            self.shared.not_ready(&end.why, end.hopeless);
            if began.elapsed() >= plan.settings.reconnect.reset_after.0 {
                failures = 0;
            }
            let pause = pause(&plan, failures, end.hopeless);
            let (server, err) = (&plan.settings.name, &end.why);
            tracing::warn!(component = "irc", %server, %err, retry_in = ?pause, "Disconnected");
            (attempt, failures) = (attempt + 1, failures + 1);
            self.rest(pause).await;
        }
        self.shared.not_ready("the session has ended", false);
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.plans.borrow_and_update().clone()
    }

    async fn one_connection(&mut self, plan: &Arc<Plan>, attempt: usize, memory: &mut Memory) -> Over {
        let address = &plan.addresses[attempt % plan.addresses.len()];
        let connecting = async {
            let secrets = secrets(plan).await?;
            let limit = plan.settings.connect_timeout.0;
            let stream = timeout(limit, connect(plan, address)).await;
            Ok((secrets, stream.unwrap_or_else(|_| Err(format!("no connection within {} s", limit.as_secs())))?))
        };
        let connected: Result<_, String> = tokio::select! {
            connected = connecting => connected,
            over = self.refuse_errands() => return over,
        };
        match connected {
            Ok((secrets, stream)) => self.converse(stream, Arc::clone(plan), secrets, memory).await,
            Err(why) => Over::Lost(End { why: format!("{}:{}: {why}", address.host, address.port), hopeless: false }),
        }
    }

    /// Waits for another plan, telling everybody meanwhile that nothing can be said.
    async fn refuse_errands(&mut self) -> Over {
        loop {
            tokio::select! {
                changed = self.plans.changed() => {
                    let wanted = changed.is_ok() && self.plans.borrow().is_some();
                    return if wanted { Over::Replaced } else { Over::Ended };
                }
                Some(errand) = self.errands.recv() => {
                    if let Errand::Say(order) = errand {
                        // Who asked may have gone.
                        let _ = order.reply.send(Err(transient("not connected")));
                    }
                }
            }
        }
    }

    async fn rest(&mut self, pause: Duration) {
        tokio::select! {
            () = sleep(pause) => {}
            _ = self.refuse_errands() => {}
        }
    }

    async fn converse(
        &mut self,
        mut stream: Box<dyn Stream>,
        plan: Arc<Plan>,
        secrets: Secrets,
        memory: &mut Memory,
    ) -> Over {
        self.shared.figures().connects += 1;
        let mut wire = Wire {
            redactor: Redactor::new(&plan, &secrets),
            server: plan.settings.name.clone(),
            received: Received::default(),
        };
        let mut current = Arc::clone(&plan);
        let mut session = Session::new(plan, secrets, Arc::clone(&self.shared), std::mem::take(memory), Instant::now());
        let over = loop {
            if let Err(why) = wire.send_all(&mut stream, &mut session, &current).await {
                break Over::Lost(End { why, hopeless: false });
            }
            if let Some(end) = session.end() {
                break Over::Lost(end.clone());
            }
            self.pass_on_requests(&mut session);
            tokio::select! {
                read = stream.read_buf(&mut wire.received.bytes) => {
                    if let Err(why) = wire.take(read, &mut session) {
                        break Over::Lost(End { why, hopeless: false });
                    }
                }
                Some(errand) = self.errands.recv() => match errand {
                    Errand::Say(order) => session.order(order, Instant::now()),
                    Errand::Answer { target, lines } => session.answer(&target, lines, Instant::now()),
                },
                () = sleep_until(session.deadline()) => session.tick(Instant::now()),
                changed = self.plans.changed() => match self.follow(changed.is_ok(), &current, &mut session, &mut wire).await {
                    Ok(plan) => current = plan,
                    Err(over) => break over,
                },
            }
        };
        let why = match &over {
            Over::Lost(end) => end.why.clone(),
            Over::Replaced => "the connection is replaced".to_owned(),
            Over::Ended => "the session ends".to_owned(),
        };
        if !matches!(over, Over::Lost(_)) {
            session.quit();
            // The server closes the connection when it has read it, or we do.
            let _ = timeout(QUIT_LIMIT, wire.say_good_bye(&mut stream, &mut session, &current)).await;
        }
        self.shared.not_ready(&why, false);
        *memory = session.into_memory(&why, Instant::now());
        over
    }

    fn pass_on_requests(&self, session: &mut Session) {
        while let Some(request) = session.request() {
            if self.requests.as_ref().is_none_or(|requests| requests.try_send(request).is_err()) {
                tracing::warn!(component = "irc", "Too many commands are waiting, one is not heard");
            }
        }
    }

    /// Follows a new plan within the session, if that can be done.
    async fn follow(
        &mut self,
        wanted: bool,
        current: &Arc<Plan>,
        session: &mut Session,
        wire: &mut Wire,
    ) -> Result<Arc<Plan>, Over> {
        let Some(plan) = self.plan().filter(|_| wanted) else { return Err(Over::Ended) };
        if current.needs_another_session_than(&plan) {
            return Err(Over::Replaced);
        }
        match secrets(&plan).await {
            Ok(secrets) => {
                wire.redactor = Redactor::new(&plan, &secrets);
                session.follow(Arc::clone(&plan), secrets, Instant::now());
                Ok(plan)
            }
            Err(why) => Err(Over::Lost(End { why, hopeless: false })),
        }
    }
}

/// What is between a stream and a conversation.
struct Wire {
    redactor: Redactor,
    server: String,
    received: Received,
}

impl Wire {
    async fn send_all(&self, stream: &mut Box<dyn Stream>, session: &mut Session, plan: &Plan) -> Result<(), String> {
        let mut lines = String::new();
        while let Some(message) = session.outgoing() {
            let line = wire::line(&message);
            self.show('>', &line);
            lines.push_str(&line);
        }
        if lines.is_empty() {
            return Ok(());
        }
        let limit = plan.settings.ping_timeout.0;
        let sending = async {
            stream.write_all(lines.as_bytes()).await?;
            stream.flush().await
        };
        match timeout(limit, sending).await {
            Ok(sent) => sent.map_err(|error| format!("cannot send: {error}")),
            Err(_) => Err(format!("nothing could be sent for {} s", limit.as_secs())),
        }
    }

    fn take(&mut self, read: std::io::Result<usize>, session: &mut Session) -> Result<(), String> {
        let count = read.map_err(|error| format!("cannot receive: {error}"))?;
        while let Some(message) = self.received.next()? {
            self.show_message(&message);
            session.receive(&message, Instant::now());
        }
        self.received.bytes.reserve(READ_SIZE);
        // What the server said before it closed, such as why, has been taken.
        if count == 0 && session.end().is_none() { Err("the server closed the connection".to_owned()) } else { Ok(()) }
    }

    async fn say_good_bye(&self, stream: &mut Box<dyn Stream>, session: &mut Session, plan: &Plan) {
        if self.send_all(stream, session, plan).await.is_ok() {
            let mut rest = [0; READ_SIZE];
            while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
        }
    }

    fn show_message(&self, message: &Message) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            self.show('<', &message.to_string());
        }
    }

    fn show(&self, way: char, line: &str) {
        tracing::debug!(component = "irc", server = self.server, "irc {way} {}", self.redactor.shown(line.trim_end()));
    }
}

async fn secrets(plan: &Plan) -> Result<Secrets, String> {
    let settings = &plan.settings;
    let mut channels = Vec::with_capacity(plan.channels.len());
    for (_, key) in &plan.channels {
        channels.push(key.read().await?);
    }
    Ok(Secrets {
        server: secret(&settings.password, &settings.password_file).await?,
        sasl: secret(&settings.sasl.password, &settings.sasl.password_file).await?,
        nickserv: secret(&settings.nickserv.password, &settings.nickserv.password_file).await?,
        channels,
    })
}

/// How long to wait after so many failures in a row: random, below a bound that doubles; all of it if it is hopeless.
fn pause(plan: &Plan, failures: u32, hopeless: bool) -> Duration {
    let reconnect = &plan.settings.reconnect;
    if hopeless {
        return reconnect.max.0;
    }
    let bound = reconnect.min.0.saturating_mul(2_u32.saturating_pow(failures)).min(reconnect.max.0);
    bound.mul_f64(share())
}
