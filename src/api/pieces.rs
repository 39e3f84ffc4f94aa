//! Long answers: lists in JSON, written item by item into pieces of one size, so that an answer needs no room but its own and
//! leaves none behind. It must not know what the items are.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;

/// Bytes of a piece: so few that the memory of each is used again, so many that none is sent alone.
const PIECE: usize = 64 << 10;

/// The body that lists `items`, with Alertmanager's line feed behind it.
pub(super) fn list<T: Serialize>(items: impl Iterator<Item = T>) -> serde_json::Result<Body> {
    let mut pieces = Pieces::default();
    for (index, item) in items.enumerate() {
        pieces.write(if index == 0 { b"[" } else { b"," });
        serde_json::to_writer(&mut pieces, &item)?;
    }
    pieces.write(if pieces.is_empty() { b"[]\n" } else { b"]\n" });
    Ok(Body::new(pieces))
}

/// A body in pieces; what is written comes out.
#[derive(Debug, Default)]
struct Pieces {
    full: VecDeque<Bytes>,
    last: Vec<u8>,
}

impl Pieces {
    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.last.capacity() == 0 {
                self.last.reserve_exact(PIECE);
            }
            let (fits, rest) = bytes.split_at(bytes.len().min(PIECE - self.last.len()));
            self.last.extend_from_slice(fits);
            bytes = rest;
            if self.last.len() == PIECE {
                self.full.push_back(std::mem::take(&mut self.last).into());
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.last.is_empty()
    }

    fn length(&self) -> usize {
        self.full.iter().map(Bytes::len).sum::<usize>() + self.last.len()
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.full.pop_front().or_else(|| {
            let last = std::mem::take(&mut self.last);
            (!last.is_empty()).then(|| last.into())
        });
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn listed(items: &[String]) -> (u64, String) {
        let body = list(items.iter()).unwrap();
        let length = body.size_hint().exact().unwrap();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (length, String::from_utf8(bytes.into()).unwrap())
    }

    #[tokio::test]
    async fn a_list_is_whole_wherever_it_is_cut() {
        for count in [0, 1, 2, 3000] {
            let items: Vec<String> = (0..count).map(|number| "x".repeat(number % 97)).collect();
            let (length, text) = listed(&items).await;
            assert_eq!(text, format!("{}\n", serde_json::to_string(&items).unwrap()));
            assert_eq!(length, text.len() as u64);
        }
        let exact = vec!["y".repeat(PIECE - 5)];
        assert_eq!(listed(&exact).await.1.len(), PIECE);
    }
}
