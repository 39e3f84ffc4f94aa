//! The engine: every decision that Watchbell takes about alerts, groups, silences and notifications.
//!
//! It is one value, [`Engine`], that takes inputs and the passing of time and answers with effects. It is pure and
//! synchronous: no I/O, no clock, no threads, no serialisation. So it can be played through thousands of invented
//! histories in seconds (`tests/sim`), and the same inputs at the same times always give the same effects.
//!
//! # The surface
//!
//! * [`Engine::handle`]: something happened ([`effect::Input`]).
//! * [`Engine::advance`]: time has passed; due when [`Engine::next_deadline`] says so.
//! * [`Engine::reload`]: another [`policy::Policy`] holds from now on.
//! * [`Engine::restore`]: an engine that goes on with what was on disk ([`resume::Saved`]).
//! * [`Engine::view`]: what is known, for those who ask ([`view::View`]); cloned in constant time.
//!
//! The answer to the first four is [`effect::Effects`]: what to persist, publish, answer, deliver, and note. Inputs,
//! effects, timers and reasons are closed enums, so that the compiler lists every place that must care about a new
//! one.
//!
//! # The modules, in reading order
//!
//! * Words: [`time`], [`label`], [`matcher`], [`alert`], [`silence`], [`timeinterval`], [`notification`].
//! * What an operator decided: [`policy`]; [`route`] leads an alert through it.
//! * What is known: `alerts` by fingerprint, [`group`], [`silence::table`], `inhibit` (sources by the values that must
//!   agree), [`nflog`]. `index` is why more silences, rules or routes do not make each alert slower. `pairs`
//!   is why readers who ask for a label find its alerts, and `counted` how they see that nothing has changed.
//! * What happens: `ingest` (alerts come in), `flush` (a group's timer is due), `tell` (one integration is told) and `outcome` over
//!   `decide` (is there a reason?) `delivery` (where that stands), [`intent`] (what may have been heard)
//!   and [`sighting`] (what other nodes see), `keep` (silences and log entries), `timer`.
//! * What should happen and does not: [`vigil`] (alerts of our own), raised when an alert is not seen ([`expect`]) or a peer
//!   dies ([`members`]); and [`heartbeat`] (a call while everything works).
//! * Going on: [`resume`] (restart, reload), `step` (a clock that is set back), and for several nodes [`version`] (whose record is newer), [`replica`]
//!   (what they tell each other), [`digest`] (whether they hold the same), [`peers`] (whose turn it is) and `claim` (what they are told of that).
//!
//! # What always holds
//!
//! * The engine never asks what time it is, never sleeps, and never waits for anything but a timer or an input.
//! * It never tells anything without a reason ([`notification::Reason`]), and never leaves an alert out without one
//!   ([`effect::Mute`]); both are among the notes.
//! * It never has two attempts under way for one integration of one group, so that no older state can overtake a newer
//!   one. An attempt that comes late tells what is true then, not what was true at the flush.
//! * It never tells an integration that an alert is resolved which that integration never heard to fire.
//! * It never tells what is silenced, inhibited or outside its hours at the moment in which the attempt starts.
//! * It never drops an alert that a group holds, and a group holds a resolved alert until every integration that heard
//!   of it knows its end, or, while it is muted, until the retention is over.
//! * It never lets an integration wait for another one: each has a delivery and a back-off of its own.
//! * It never lets a record be replaced by an older one ([`version::Version`]), and never forgets a silence while a
//!   copy of it, wherever it is, could still be active.
//! * It iterates in the order of keys only: no decision depends on hash seeds or on the order of arrival in a batch.
//!
//! # From a report to an attempt
//!
//! [`Input::Alerts`](effect::Input::Alerts) brings an alert. It is merged with what is known under its fingerprint
//! ([`alert::merge`]) and joins one group on each route it takes ([`route::GroupRef`]); a group that is new sets its
//! flush timer to the end of `group_wait`, or to now if the alert has been firing for longer than that. When the timer
//! is due, the flush sorts the group's alerts into those that may be told, those that are muted, and those that leave,
//! and hands one shared batch to the delivery of each integration. The delivery compares the batch with the
//! integration's [`nflog::NflogEntry`]: nothing new, nothing told. Otherwise, once it is this node's turn, an
//! [`Attempt`](effect::Attempt) is among the effects. Its outcome returns as
//! [`Input::Delivered`](effect::Input::Delivered) and becomes a log entry, or a timer for the next attempt. When all
//! integrations have settled, the resolved alerts leave the group, and the last one closes it.

pub mod alert;
mod alerts;
mod claim;
mod counted;
mod decide;
mod delivery;
pub mod digest;
pub mod effect;
pub mod engine;
pub mod expect;
mod flush;
pub mod group;
pub mod heartbeat;
mod index;
mod ingest;
mod inhibit;
pub mod intent;
mod keep;
pub mod label;
pub mod matcher;
pub mod members;
pub mod nflog;
pub mod notification;
mod outcome;
pub mod pairs;
pub mod peers;
pub mod policy;
pub mod replica;
pub mod resume;
pub mod route;
pub mod sighting;
pub mod silence;
pub mod spread;
mod step;
mod tell;
pub mod time;
pub mod timeinterval;
mod timer;
pub mod version;
pub mod view;
pub mod vigil;

pub use crate::engine::{Engine, Options};
