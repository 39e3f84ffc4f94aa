//! `GET /api/v2/alerts`, `/alerts/groups` and `/silences`: what is asked for, whether the answer is known already, and what
//! it is made from.

use std::sync::Arc;
use std::time::Instant;

use axum::http::request::Parts;
use axum::response::Response;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::View;

use super::Shared;
use super::alerts::AlertWalk;
use super::answers::Asked;
use super::error::Refusal;
use super::groups::GroupWalk;
use super::params::{AlertFilter, Query};
use super::pieces::Walk;
use super::silences::{SilenceFilter, SilenceWalk};
use super::stamp::{Stamp, Subject};
use super::v2::{Answer, aside};
use crate::clock;
use crate::driver::Running;

pub(super) async fn alerts(api: &Shared, parts: &Parts, query: &Query) -> Answer {
    let filter = AlertFilter::new(query, api.options.syntax)?;
    let by_index = !filter.demanded().is_empty();
    let asking = Asking::new(api, Subject::Alerts, parts, by_index).await?;
    if let Some(known) = asking.known(api, parts).await? {
        return Ok(known);
    }
    let walk = AlertWalk::new(asking.view.clone(), filter, asking.now);
    Ok(asking.make(api, walk).await)
}

pub(super) async fn groups(api: &Shared, parts: &Parts, query: &Query) -> Answer {
    let (filter, muted) = (AlertFilter::new(query, api.options.syntax)?, query.is_on("muted"));
    let asking = Asking::new(api, Subject::Groups, parts, !filter.demanded().is_empty()).await?;
    if let Some(known) = asking.known(api, parts).await? {
        return Ok(known);
    }
    let (running, view, now) = (Arc::clone(&asking.running), asking.view.clone(), asking.now);
    let walk = aside(move || Ok(GroupWalk::new(running, view, &filter, muted, now))).await?;
    Ok(asking.make(api, walk).await)
}

pub(super) async fn silences(api: &Shared, parts: &Parts, query: &Query) -> Answer {
    let started = Instant::now();
    let answer = find_silences(api, parts, query).await;
    let metrics = &api.metrics.silences;
    metrics.queries.inc();
    metrics.query_duration.observe(started.elapsed().as_secs_f64());
    if answer.is_err() {
        metrics.query_errors.inc();
    }
    answer
}

async fn find_silences(api: &Shared, parts: &Parts, query: &Query) -> Answer {
    let filter = SilenceFilter::new(query, api.options.syntax)?;
    let asking = Asking::new(api, Subject::Silences, parts, false).await?;
    if let Some(known) = asking.known(api, parts).await? {
        return Ok(known);
    }
    api.metrics.silences.silences_scanned.inc_by(asking.view.silences().len() as u64);
    let (view, now) = (asking.view.clone(), asking.now);
    let walk = aside(move || Ok(SilenceWalk::new(&view, &filter, now))).await?;
    Ok(asking.make(api, walk).await)
}

/// A request for a list, and what it is answered from.
struct Asking {
    asked: Asked,
    running: Arc<Running>,
    view: View,
    now: Timestamp,
    /// Of an answer made now; there is none if the answer is another one all the time.
    stamp: Option<Stamp>,
}

impl Asking {
    async fn new(api: &Shared, subject: Subject, parts: &Parts, by_index: bool) -> Result<Self, Refusal> {
        let (running, view) = (api.handle.running(), api.handle.view().await?);
        let now = clock::now();
        // The labels of routes are templates, which may tell the time.
        let steady = subject != Subject::Groups || view.policy().routes.iter().all(|route| route.labels.is_empty());
        let stamp = steady.then(|| Stamp::new(subject, api.started_at, &view, running.loaded_at, now));
        Ok(Self { asked: Asked::new(parts.uri.query(), &parts.headers, by_index), running, view, now, stamp })
    }

    /// The answer if it need not be made.
    async fn known(&self, api: &Shared, parts: &Parts) -> Result<Option<Response>, Refusal> {
        let Some(stamp) = self.stamp.filter(|stamp| api.answers.may_know(*stamp, &self.asked, &parts.headers)) else {
            return Ok(None);
        };
        let (answers, asked, view, headers) =
            (api.answers.clone(), self.asked.clone(), self.view.clone(), parts.headers.clone());
        aside(move || Ok(answers.known(stamp, &asked, &view, &headers))).await
    }

    async fn make(self, api: &Shared, walk: impl Walk) -> Response {
        api.answers.make(self.stamp, self.asked, walk).await
    }
}
