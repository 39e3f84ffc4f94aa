//! Long answers: lists in JSON, written item by item while the client takes them, so that an answer of any length needs no
//! more room than a piece of it. It must not know what the items are.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;

/// Bytes of a piece, or a little more: so few that the memory of each is used again, so many that none is sent alone.
pub(super) const PIECE: usize = 64 << 10;

/// Steps of a walk that are made in one go though they fill no piece: what finds nothing must stall nobody either.
const STEPS: usize = 16;

/// Goes through what is listed, and has all that it needs for that.
pub(super) trait Walk: Send + 'static {
    /// Writes a few more items; false if there are no more. It must do so little (tens of microseconds) that whoever waits
    /// meanwhile does not notice.
    fn go_on(&mut self, to: &mut List) -> bool;
}

/// A list in JSON as far as it is written, or the end of it.
#[derive(Debug, Default)]
pub(super) struct List {
    bytes: Vec<u8>,
    begun: bool,
}

impl List {
    /// Adds an item.
    pub(super) fn item(&mut self, item: &impl Serialize) {
        self.next();
        self.json(item);
    }

    /// Begins an item that is written in parts.
    pub(super) fn next(&mut self) {
        self.bytes.push(if self.begun { b',' } else { b'[' });
        self.begun = true;
    }

    /// Adds a part of an item as it stands.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a value that is a part of an item.
    pub(super) fn json(&mut self, value: &impl Serialize) {
        serde_json::to_writer(&mut self.bytes, value).expect("a vector takes it, and all keys are texts");
    }

    /// Alertmanager ends every answer with a line feed.
    fn end(&mut self) {
        self.raw(if self.begun { b"]\n" } else { b"[]\n" });
    }
}

impl From<List> for Vec<u8> {
    fn from(list: List) -> Self {
        list.bytes
    }
}

/// The pieces of a list, made one after the other.
pub(super) struct Pieces {
    walk: Box<dyn Walk>,
    list: List,
    ended: bool,
}

/// What some work on a list has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// The next piece; the last one may be short.
    Piece(Bytes),
    /// Nothing yet.
    Nothing,
    /// There are no more pieces.
    End,
}

impl Pieces {
    pub(super) fn new(walk: impl Walk) -> Self {
        Self { walk: Box::new(walk), list: List::default(), ended: false }
    }

    /// Goes on until a piece is full, but not for long.
    pub(super) fn make(&mut self) -> Made {
        if self.ended {
            return Made::End;
        }
        if self.list.bytes.capacity() == 0 {
            self.list.bytes.reserve_exact(PIECE + PIECE / 8);
        }
        for _ in 0..STEPS {
            if !self.walk.go_on(&mut self.list) {
                self.list.end();
                self.list.bytes.shrink_to_fit();
                self.ended = true;
            }
            if self.ended || self.list.bytes.len() >= PIECE {
                return Made::Piece(std::mem::take(&mut self.list.bytes).into());
            }
        }
        Made::Nothing
    }
}

/// A body whose pieces are made when they are asked for. Between two of them others have their turn.
pub(super) struct Streamed<F> {
    make: F,
    rested: bool,
}

impl<F: FnMut() -> Made + Unpin> Streamed<F> {
    /// The body of what `make` makes.
    pub(super) fn new(make: F) -> Self {
        Self { make, rested: true }
    }
}

impl<F: FnMut() -> Made + Unpin> HttpBody for Streamed<F> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rested {
            self.rested = false;
            match (self.make)() {
                Made::Piece(piece) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Made::End => return Poll::Ready(None),
                Made::Nothing => {}
            }
        }
        self.rested = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A body whose pieces are there.
pub(super) struct Whole(VecDeque<Bytes>);

impl Whole {
    pub(super) fn new(pieces: impl Into<VecDeque<Bytes>>) -> Self {
        Self(pieces.into())
    }
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(Bytes::len).sum::<usize>() as u64)
    }
}
