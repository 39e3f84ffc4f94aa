//! Lists as answers: not sent again to who has them, kept while they hold, compressed for who wants that. What the lists
//! are of it must not know.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use watchbell_engine::view::View;

use super::error::json_response;
use super::gzip::{self, Gzip};
use super::pieces::{Made, PIECE, Pieces, Streamed, Walk, Whole};
use super::stamp::{Stamp, Validity};
use crate::telemetry::Metrics;

/// Bytes of all answers that are kept together. Clients that ask every few seconds ask for a handful of lists, and most of
/// them take them compressed: those of 20,000 alerts are a megabyte then.
const MAX_KEPT: usize = 16 << 20;

/// Bytes of the longest answer that is kept; a longer one is made anew.
const MAX_ANSWER: usize = MAX_KEPT / 4;

/// How many answers are kept, each a query of its own, and how long a query may be.
const MAX_ANSWERS: usize = 32;
const MAX_QUERY: usize = 1 << 10;

/// The answers that are kept. Clones keep the same ones.
#[derive(Clone, Debug)]
pub(super) struct Answers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    validity: Validity,
    /// The one that was asked for last stands last.
    kept: Mutex<VecDeque<Kept>>,
}

/// What was asked for, but for the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// As the client wrote it.
    query: String,
    gzip: bool,
    /// Whether the answer is worth keeping.
    keep: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    asked: Asked,
    stamp: Stamp,
    pieces: Vec<Bytes>,
}

impl Asked {
    /// An answer that is found by index is made faster than it is seen whether an older one still holds.
    pub(super) fn new(query: Option<&str>, headers: &HeaderMap, found_by_index: bool) -> Self {
        let query = query.unwrap_or_default().to_owned();
        Self { keep: !found_by_index && query.len() <= MAX_QUERY, query, gzip: gzip::is_accepted(headers) }
    }
}

impl Answers {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self(Arc::new(Shared { metrics, validity: Validity::default(), kept: Mutex::default() }))
    }

    /// Whether it is worth asking for a known answer.
    pub(super) fn may_know(&self, stamp: Stamp, asked: &Asked, headers: &HeaderMap) -> bool {
        headers.contains_key(header::IF_NONE_MATCH) || self.lock().iter().any(|kept| kept.is(stamp, asked))
    }

    /// The answer if it need not be made: that the client has it, or one that is kept. `stamp` is what one made now would
    /// bear. It may look at everything that is known.
    pub(super) fn known(&self, stamp: Stamp, asked: &Asked, view: &View, headers: &HeaderMap) -> Option<Response> {
        let holds = |old: &Stamp| self.holds(*old, stamp, view);
        let metrics = &self.0.metrics.http;
        if let Some(held) = stamp.held_by_client(headers).find(holds) {
            metrics.answers_unchanged.inc();
            return Some((StatusCode::NOT_MODIFIED, [(header::ETAG, held.tag())]).into_response());
        }
        let kept = self.kept(stamp, asked).filter(|kept| holds(&kept.stamp))?;
        metrics.answers_reused.inc();
        Some(respond(Some(kept.stamp), asked, Body::new(Whole::new(kept.pieces))))
    }

    /// Whether what was made with the stamp `old` still holds.
    pub(super) fn holds(&self, old: Stamp, new: Stamp, view: &View) -> bool {
        self.0.validity.holds(old, new, view)
    }

    /// The answer that lists what `walk` finds. If it has a stamp, it is kept once it has been sent whole.
    pub(super) async fn make(&self, stamp: Option<Stamp>, asked: Asked, walk: impl Walk) -> Response {
        let mut making = Making::new(self.clone(), stamp, asked.clone(), Pieces::new(walk));
        let mut first = VecDeque::new();
        // What is short is sent with its length.
        while first.iter().map(Bytes::len).sum::<usize>() < PIECE {
            match making.make() {
                Made::Piece(piece) => first.push_back(piece),
                Made::Nothing => tokio::task::yield_now().await,
                Made::End => return respond(stamp, &asked, Body::new(Whole::new(first))),
            }
        }
        let rest = move || first.pop_front().map_or_else(|| making.make(), Made::Piece);
        respond(stamp, &asked, Body::new(Streamed::new(rest)))
    }

    fn kept(&self, stamp: Stamp, asked: &Asked) -> Option<Kept> {
        let mut kept = self.lock();
        let index = kept.iter().position(|kept| kept.is(stamp, asked))?;
        let found = kept.remove(index)?;
        kept.push_back(found.clone());
        Some(found)
    }

    fn keep(&self, new: Kept) {
        let mut kept = self.lock();
        kept.retain(|old| !old.is(new.stamp, &new.asked));
        kept.push_back(new);
        while kept.len() > MAX_ANSWERS || kept.iter().map(Kept::length).sum::<usize>() > MAX_KEPT {
            kept.pop_front();
        }
        self.0.metrics.http.answers_kept.set(kept.iter().map(Kept::length).sum::<usize>() as i64);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is(&self, stamp: Stamp, asked: &Asked) -> bool {
        self.stamp.subject() == stamp.subject() && self.asked == *asked
    }

    fn length(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

fn respond(stamp: Option<Stamp>, asked: &Asked, body: Body) -> Response {
    let mut response = json_response(StatusCode::OK, body);
    let headers = response.headers_mut();
    if let Some(stamp) = stamp {
        headers.insert(header::ETAG, stamp.tag());
    }
    if asked.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// An answer that is being made and sent.
struct Making {
    answers: Answers,
    pieces: Pieces,
    gzip: Option<Gzip>,
    /// What may be kept at the end.
    kept: Option<Kept>,
}

impl Making {
    fn new(answers: Answers, stamp: Option<Stamp>, asked: Asked, pieces: Pieces) -> Self {
        let gzip = asked.gzip.then(Gzip::new);
        let stamp = stamp.filter(|_| asked.keep);
        let kept = stamp.map(|stamp| Kept { asked, stamp, pieces: Vec::new() });
        Self { answers, pieces, gzip, kept }
    }

    fn make(&mut self) -> Made {
        let made = self.pieces.make();
        let made = self.gzip.as_mut().map_or_else(|| made.clone(), |gzip| gzip.pass(made.clone()));
        match &made {
            Made::Piece(piece) => self.note(piece),
            Made::Nothing => {}
            Made::End => self.kept.take().into_iter().for_each(|kept| self.answers.keep(kept)),
        }
        made
    }

    fn note(&mut self, piece: &Bytes) {
        self.kept = self.kept.take().filter(|kept| kept.length() + piece.len() <= MAX_ANSWER);
        self.kept.iter_mut().for_each(|kept| kept.pieces.push(piece.clone()));
    }
}
