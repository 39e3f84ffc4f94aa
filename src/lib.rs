//! Watchbell: an Alertmanager-compatible alert router in one process.
//!
//! Senders (Prometheus, mostly) report alerts over and over. Watchbell merges the reports, sorts the alerts into
//! groups by the routes of its configuration, holds back what is silenced, inhibited or outside its hours, and tells
//! each receiver what changed: once, in order, and also after a crash.
//!
//! # Bird's eye
//!
//! ```text
//!               HTTP                      files                        disk
//!                |                          |                            |
//!               api         settings <-- config                        store --> record
//!                |                          |                            |
//!                | inputs, views            | policy, receivers          | batches, fsync
//!                v                          v                            |
//!              driver <-------------------- app                          |
//!              |    ^  \                                                 |
//!        input |    |   \-- write, publish and deliver, then answer ----+
//!              v    | effects                                            |
//!          watchbell-engine (pure)                                   receivers --> webhook, mail, terminal
//! ```
//!
//! All decisions are taken in one place, the package [`watchbell_engine`], which is synchronous and has no I/O and no
//! clock. One task, the [`driver`], owns it: it turns what happens into inputs, asks the time, and performs the
//! effects that come back. Everything else either brings inputs or performs effects.
//!
//! # The rooms, in reading order
//!
//! 1. [`watchbell_engine`]: what is decided, and why. Start there; its documentation is an architecture text of its
//!    own.
//! 2. [`driver`]: the loop around the engine, and the only place that knows in which order effects happen.
//!    [`driver::Handle`] is how others speak to it.
//! 3. [`api`]: HTTP in. Alertmanager's API v2, health, reload, metrics. axum ends here.
//! 4. [`store`]: disk. One atomic, fsynced batch for all that waits. sled ends here. [`record`] is the bytes,
//!    versioned and with a checksum; it also reads Alertmanager's own snapshots.
//! 5. [`cluster`]: the other nodes. Who lives, news, digests and repair, over one port with sealed frames. chitchat
//!    ends here.
//! 6. [`receivers`]: messages out. One call is one attempt; whether there is another is the engine's decision.
//!    [`watchbell_template`] words them: Go's templates, text and HTML. The sessions with IRC servers
//!    ([`receivers::IrcNetworks`]) stand across configurations; what people there command comes out of them as values,
//!    and [`app`] does it.
//! 7. [`config`]: a file becomes a [`Policy`](watchbell_engine::policy::Policy) and complete receivers, or one error
//!    with file, line, column and key. [`settings`] is what may be set for a receiver, as plain data.
//! 8. [`tls`]: from settings to rustls, for receivers and nodes.
//! 9. [`cli`], [`telemetry`], [`clock`], [`version`]: flags, log and metrics, wall time, names.
//! 10. [`tool`]: what works without a server, in the manner of amtool: `template render`, `check-config`.
//! 11. [`app`]: builds the rooms, starts them, reloads, and stops them in order.
//!
//! [`watchbell_golang`] is the leaf below all of them: Go's regular expressions, quoting and durations, which
//! compatibility needs to the letter.
//!
//! # What holds everywhere
//!
//! * The engine, the templates and `golang` know none of the rooms; `store`, `cluster`, `receivers`, `api` and `config` never
//!   know each other; only [`app`] knows all. A test reads the sources and holds them against the table of who may
//!   know whom.
//! * Only [`clock`] asks the system what time it is. Time reaches the engine as an argument.
//! * Effects are performed in one order: write, publish and deliver, then answer. What is published or told waits until
//!   the system has what was written, so that a kill cannot separate them; what is promised in an answer waits until
//!   the disk has it. The engine waits for neither. `docs/performance.md` says what each wait buys.
//! * A silence that was answered with 200 is on disk. A notification that succeeded is written to the log before
//!   anything that depends on it happens. Alerts and the timers of groups follow within a quarter of a second, because
//!   senders repeat them anyway.
//! * When the disk fails, a silence is refused and a page still goes out.
//! * Reading never stalls deciding: a [`View`](watchbell_engine::view::View) is taken in constant time, and filtered
//!   and written elsewhere.
//! * Everything that can grow has a limit, a named constant with its reason.
//! * What Watchbell cannot follow (a flag, a key, a kind of receiver) is refused with an error, never ignored.
//!
//! # One alert's path
//!
//! 1. A client posts to `/api/v2/alerts`. [`api`] reads the body within its limits, checks each alert, and hands the
//!    good ones to [`Handle::post_alerts`](driver::Handle::post_alerts). When the driver has taken them, the client
//!    has its 200.
//! 2. [`Driver::run`](driver::Driver::run) takes the command, asks [`clock::now`], and calls
//!    [`Engine::handle`](watchbell_engine::Engine::handle) with
//!    [`Input::Alerts`](watchbell_engine::effect::Input::Alerts). The alert is merged with what is known of it,
//!    routed, and put into its groups; a new group sets a timer.
//! 3. The effects say [`Change::PutAlert`](watchbell_engine::effect::Change::PutAlert) and
//!    [`Change::PutGroup`](watchbell_engine::effect::Change::PutGroup): the driver gives them to
//!    [`Committer::submit_lazily`](store::Committer::submit_lazily).
//! 4. The timer is due: the driver sleeps until [`Engine::next_deadline`](watchbell_engine::Engine::next_deadline) and
//!    calls [`Engine::advance`](watchbell_engine::Engine::advance). The group is flushed: alerts that are inhibited,
//!    silenced or outside their hours are left out, the notification log says whether the rest is news, and each
//!    integration for which it is gets an [`Attempt`](watchbell_engine::effect::Attempt).
//! 5. Each attempt runs in a task of its own, bounded in time, in
//!    [`Integrations::send`](receivers::Integrations::send), which posts the webhook.
//! 6. The outcome comes back as [`Input::Delivered`](watchbell_engine::effect::Input::Delivered). After a failure that
//!    may pass, a timer is set for the next attempt, which tells what is true then. After a success the effects say
//!    [`Change::PutNflog`](watchbell_engine::effect::Change::PutNflog), which goes through
//!    [`Committer::submit_durable`](store::Committer::submit_durable): from then on no restart tells it again.

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod driver;
pub mod receivers;
pub mod record;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod tool;
pub mod version;
