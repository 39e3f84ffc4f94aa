//! What the router has acknowledged, as its clients remember it, and what it still knows.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::filling::{in_seconds, written};
use crate::harness::http::Client;

/// The clients' memory of all rounds.
#[derive(Default)]
pub(super) struct Book {
    silences: BTreeMap<String, Silence>,
    /// When silences were asked for and acknowledged.
    acknowledged: Vec<Range<Instant>>,
    /// By alert name.
    pub(super) alerts: BTreeMap<String, Alert>,
}

/// What is known of a silence whose creation was acknowledged.
struct Silence {
    comment: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Active,
    /// It was asked to be expired, and no answer came.
    Uncertain,
    Expired,
}

/// An alert as its sender knows it: it is repeated until it has resolved, and after that for a while too.
pub(super) struct Alert {
    starts_at: Timestamp,
    /// The router has acknowledged it.
    heard: bool,
    ends_at: Option<Timestamp>,
}

impl Display for Alert {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self { starts_at, heard, ends_at } = self;
        write!(out, "fires from {starts_at} (acknowledged: {heard}) until {ends_at:?}")
    }
}

impl Alert {
    pub(super) fn is_firing(&self) -> bool {
        self.ends_at.is_none()
    }
}

impl Book {
    pub(super) fn silences(&self) -> usize {
        self.silences.len()
    }

    /// Notes a silence that was asked for at this moment and has just been acknowledged.
    pub(super) fn made(&mut self, id: String, comment: String, asked: Instant) {
        self.acknowledged.push(asked..Instant::now());
        self.silences.insert(id, Silence { comment, state: State::Active });
    }

    /// An active silence, chosen by a random number.
    pub(super) fn some_active(&self, number: u64) -> Option<String> {
        let active: Vec<_> = self.silences.iter().filter(|(_, silence)| silence.state == State::Active).collect();
        let index = usize::try_from(number).unwrap_or(usize::MAX).checked_rem(active.len())?;
        Some(active[index].0.clone())
    }

    /// A moment at which the disk had all that the router knew at `moment`: it writes in order, so it is when a silence
    /// that was asked for after that was acknowledged.
    pub(super) fn on_disk(&self, moment: Instant) -> Option<Instant> {
        let later = self.acknowledged.iter().filter(|acknowledged| acknowledged.start >= moment);
        later.map(|acknowledged| acknowledged.end).min()
    }

    pub(super) fn expiring(&mut self, id: &str) {
        self.silence(id).state = State::Uncertain;
    }

    pub(super) fn expired(&mut self, id: &str) {
        self.silence(id).state = State::Expired;
    }

    pub(super) fn fires(&mut self, name: &str) {
        let alert = Alert { starts_at: Timestamp::now(), heard: false, ends_at: None };
        self.alerts.insert(name.to_owned(), alert);
    }

    pub(super) fn heard(&mut self, name: &str) {
        self.alert(name).heard = true;
    }

    pub(super) fn resolves(&mut self, name: &str) {
        self.alert(name).ends_at = Some(Timestamp::now());
    }

    /// A firing alert of which the router knows, chosen by a random number.
    pub(super) fn some_firing(&self, number: u64) -> Option<String> {
        let firing: Vec<_> = self.alerts.iter().filter(|(_, alert)| alert.heard && alert.is_firing()).collect();
        let index = usize::try_from(number).unwrap_or(usize::MAX).checked_rem(firing.len())?;
        Some(firing[index].0.clone())
    }

    /// The alert as posted.
    pub(super) fn body(&self, name: &str) -> Value {
        let alert = &self.alerts[name];
        let ends_at = alert.ends_at.unwrap_or_else(|| in_seconds(Timestamp::now(), 600));
        json!({"labels": {"alertname": name}, "startsAt": written(alert.starts_at), "endsAt": written(ends_at)})
    }

    /// Sends all alerts again, as Prometheus does until it is sure that they have been heard.
    pub(super) fn repeat_alerts(&self, client: &Client) {
        let bodies: Vec<_> = self.alerts.keys().map(|name| self.body(name)).collect();
        client.post("/api/v2/alerts", &bodies.into()).ok();
    }

    /// Everything acknowledged is there, as acknowledged. What was uncertain is certain after this look.
    pub(super) fn check_silences(&mut self, client: &Client, when: &str) {
        let shown = client.get("/api/v2/silences").ok().json();
        let shown: BTreeMap<_, _> = shown
            .as_array()
            .expect("a list")
            .iter()
            .map(|silence| (silence["id"].as_str().unwrap_or_default(), silence))
            .collect();
        for (id, known) in &mut self.silences {
            let silence = shown.get(id.as_str()).unwrap_or_else(|| panic!("{when}: silence {id} is lost"));
            assert_eq!(silence["comment"], known.comment, "{when}: silence {id} has changed");
            let state = if silence["status"]["state"] == "expired" { State::Expired } else { State::Active };
            match known.state {
                State::Uncertain => known.state = state,
                certain => assert_eq!(state, certain, "{when}: silence {id}: {silence}"),
            }
        }
    }

    fn alert(&mut self, name: &str) -> &mut Alert {
        self.alerts.get_mut(name).expect("the alert has fired before")
    }

    fn silence(&mut self, id: &str) -> &mut Silence {
        self.silences.get_mut(id).expect("the silence was made before")
    }
}
