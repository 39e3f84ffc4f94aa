//! Bodies of requests: what kind they are, all of their bytes within limits of size and time, and their JSON.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use watchbell_golang::quote::quote;

use super::error::Refusal;
use super::wire::syntax;
use crate::telemetry::HttpMetrics;

/// The largest body that is read, in bytes: a hundred times what Prometheus sends in one batch, since not every sender
/// makes batches. Without a limit one request could take all memory.
const MAX_BODY_BYTES: usize = 64 << 20;

/// How long a body may take to arrive. Senders themselves give up after ten to thirty seconds.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// A larger body waits for its turn and is read aside. Up to here it is a millisecond's work.
const LARGE: usize = 256 << 10;

/// How many large bodies are held at once, so that the memory that all requests take together stays within some hundred
/// megabytes.
pub(super) const MAX_LARGE_BODIES: usize = 8;

/// Refuses a body of another kind than JSON, and an answer that could not be JSON.
pub(super) fn check_media_types(headers: &HeaderMap, body: &Body) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or("application/octet-stream");
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !body.is_end_stream() && kind != "application/json" {
        let message = format!("unsupported media type {}, only [application/json] are allowed", quote(&kind));
        return Err(Refusal::Unfit(415, message));
    }
    if text(header::ACCEPT).is_some_and(|accept| !accepts_json(accept)) {
        let message = "unsupported media type requested, only [application/json] are available";
        return Err(Refusal::Unfit(406, message.to_owned()));
    }
    Ok(())
}

fn accepts_json(accept: &str) -> bool {
    accept.trim().is_empty()
        || accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|parameter| {
                parameter.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0)
            });
            !refused && ["*/*", "application/*", "application/json"].contains(&kind.as_str())
        })
}

/// The bytes of a body. As long as a large one is held, so is the turn it waited for.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) bytes: Bytes,
    turn: Option<SemaphorePermit<'a>>,
}

impl Received<'_> {
    /// Whether reading it takes so long that it should stall nobody.
    pub(super) fn is_large(&self) -> bool {
        self.turn.is_some()
    }
}

/// Reads a whole body; a large one waits for its turn.
pub(super) async fn read<'a>(body: Body, turns: &'a Semaphore, metrics: &HttpMetrics) -> Result<Received<'a>, Refusal> {
    let reading = read_within(body, MAX_BODY_BYTES, turns);
    let received = tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or_else(|_| Err(too_slow()));
    if matches!(received, Err(Refusal::Unfit(413, _))) {
        metrics.bodies_refused.inc();
    }
    received
}

async fn read_within(mut body: Body, limit: usize, turns: &Semaphore) -> Result<Received<'_>, Refusal> {
    let too_large = || Refusal::Unfit(413, format!("the body is larger than {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let (mut bytes, mut turn) = (Vec::new(), None);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(unreadable)?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large());
        }
        if bytes.len() + data.len() > LARGE && turn.is_none() {
            turn = Some(turns.acquire().await.expect("the semaphore is never closed"));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Received { bytes: bytes.into(), turn })
}

fn too_slow() -> Refusal {
    Refusal::Unfit(408, "the body took too long to arrive".to_owned())
}

fn unreadable(error: axum::Error) -> Refusal {
    Refusal::Unfit(400, format!("reading the body: {error}"))
}

/// Reads the first JSON value of a body; `name` is what Alertmanager calls the body, `mismatch` tells what is wrong
/// with a value of another shape.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(
    name: &str,
    bytes: &[u8],
    mismatch: fn(&Value) -> Option<String>,
) -> Result<T, Refusal> {
    // What is no UTF-8 is rare, and looking for it takes longer.
    let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    if text.trim_ascii().is_empty() {
        return Err(Refusal::Unfit(602, format!("{name} in body is required")));
    }
    let error = match first_value(&text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let text = whole_surrogates(&text);
    if let Ok(value) = first_value(&text) {
        return Ok(value);
    }
    let why = syntax::fault(&text).or_else(|| mismatch(&first_value(&text).ok()?)).unwrap_or_else(|| error.to_string());
    Err(Refusal::Unfit(400, format!("parsing {name} body from \"\" failed, because {why}")))
}

/// Go's decoder takes one value and leaves what follows.
fn first_value<T: for<'de> Deserialize<'de>>(text: &str) -> serde_json::Result<T> {
    T::deserialize(&mut serde_json::Deserializer::from_str(text))
}

/// Replaces escaped halves of characters (`\ud83d` alone, from a text cut within an emoji) as Go's decoder does, so
/// that one odd annotation does not cost a batch of alerts.
fn whole_surrogates(text: &str) -> Cow<'_, str> {
    let mut whole = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match escaped_unit(&text[at..]) {
            Some(0xD800..=0xDBFF) if matches!(escaped_unit(&text[at + 6..]), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                whole.push_str(&text[done..at]);
                whole.push_str("\\ufffd");
                at += 6;
                done = at;
            }
            // Past the backslash and the (possibly longer) character behind it.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if done == 0 { Cow::Borrowed(text) } else { Cow::Owned(whole + &text[done..]) }
}

/// The UTF-16 unit of an escape at the beginning of the text.
fn escaped_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;
    use crate::api::wire::mismatch;
    use crate::api::wire::posted::{PostedAlerts, PostedSilence};

    fn alerts(body: &str) -> Result<PostedAlerts, Refusal> {
        decode("alerts", body.as_bytes(), mismatch::in_alerts)
    }

    fn fault(body: &str) -> String {
        match alerts(body) {
            Ok(PostedAlerts(Ok(alerts))) => format!("{} alerts", alerts.len()),
            Ok(PostedAlerts(Err(violation))) => format!("{} {}", violation.code, violation.message),
            Err(Refusal::Unfit(code, message)) => format!("{code} {message}"),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn faults_of_alerts_are_told_as_alertmanager_tells_them() {
        let parsing = "400 parsing alerts body from \"\" failed, because ";
        for (body, expected) in [
            ("", "602 alerts in body is required"),
            (" \n", "602 alerts in body is required"),
            ("null", "0 alerts"),
            ("[]", "0 alerts"),
            ("[] trailing", "0 alerts"),
            (r#"[{"annotations":{}}]"#, "602 0.labels in body is required"),
            (r#"[{"labels":{"a":"b"}},null]"#, "602 1.labels in body is required"),
            ("{bad", &format!("{parsing}invalid character 'b' looking for beginning of object key string")),
            ("{}", &format!("{parsing}json: cannot unmarshal object into Go value of type models.PostableAlerts")),
            (
                r#"[{"labels":{"alertname":"Num","n":5}}]"#,
                &format!("{parsing}json: cannot unmarshal number into Go struct field Alert.labels of type string"),
            ),
            (
                r#"[{"labels":{"alertname":"C"},"generatorURL":"not a url %%"}]"#,
                "601 0.generatorURL in body must be of type uri: \"not a url %%\"",
            ),
            (r#"[{"labels":{"a":"b"},"startsAt":"x"}]"#, &format!("{parsing}parsing time \"x\": no date and time")),
        ] {
            assert_eq!(fault(body), expected, "{body}");
        }
    }

    #[test]
    fn what_senders_send_besides_is_tolerated() {
        for body in [
            r#"[{"labels":{"a":"b"},"annotations":null,"startsAt":null,"endsAt":null,"generatorURL":null}]"#,
            r#"[{"labels":{"a":"b"},"status":"firing","fingerprint":"x","foo":{"a":[1,null]}}]"#,
            r#"[{"Labels":{"a":"b"},"labels":{"a":"c"},"generatorURL":"/relative?x=1"}]"#,
            r#"[{"labels":{"a":"b"},"annotations":{"x":"cut \ud83d"},"generatorURL":""}]"#,
        ] {
            assert_eq!(fault(body), "1 alerts", "{body}");
        }
    }

    #[test]
    fn half_characters_become_replacements() {
        assert_eq!(
            whole_surrogates(r"\ud83d\ude00 \ud83d \ude00 \\ud83d é\n"),
            r"\ud83d\ude00 \ufffd \ufffd \\ud83d é\n"
        );
        assert_eq!(whole_surrogates(r"ends in \"), r"ends in \");
    }

    #[test]
    fn faults_of_silences_are_told_as_alertmanager_tells_them() {
        let fault = |body: &str| {
            let silence = decode::<PostedSilence>("silence", body.as_bytes(), mismatch::in_silence);
            match silence.and_then(|silence| silence.check().map_err(Refusal::from)) {
                Err(Refusal::Unfit(code, message)) => format!("{code} {message}"),
                other => format!("{other:?}"),
            }
        };
        let times = r#""startsAt":"2026-11-23T14:00:00.000Z","endsAt":"2027-11-23T15:00:00.000Z","createdBy":"me""#;
        let with = |rest: &str| fault(&format!("{{{times},{rest}}}"));
        let no_regex = r#""comment":"c","matchers":[{"name":"alertname","value":"A"}]"#;
        assert_eq!(with(no_regex), "602 matchers.0.isRegex in body is required");
        assert_eq!(with(r#""comment":"c","matchers":[]"#), "612 matchers in body should have at least 1 items");
        assert_eq!(with(r#""comment":"c""#), "602 matchers in body is required");
        assert_eq!(with(r#""matchers":[]"#), "602 comment in body is required");
        let odd = r#""id":null,"annotations":null,"status":null,"updatedAt":"x","comment":"","matchers":[{"name":"a","value":"","isRegex":false,"isEqual":null}]"#;
        assert_eq!(with(odd), "Ok(())");
        assert!(
            with(r#""comment":5"#)
                .ends_with("cannot unmarshal number into Go struct field Silence.comment of type string")
        );
    }

    /// A body that says nothing of its length and goes on for ever, or never comes.
    struct Endless {
        comes: bool,
    }

    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.comes {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 4096])))))
            } else {
                Poll::Pending
            }
        }
    }

    #[tokio::test]
    async fn a_body_is_read_within_limits() {
        let turns = Semaphore::new(1);
        let endless = |comes| read_within(Body::new(Endless { comes }), 2 * LARGE, &turns);
        assert!(matches!(endless(true).await, Err(Refusal::Unfit(413, _))));
        let _others_turn = turns.acquire().await.unwrap();
        for comes in [true, false] {
            let waited = tokio::time::timeout(Duration::from_millis(5), endless(comes)).await;
            assert!(waited.is_err(), "it comes: {comes}");
        }
        let small = read_within(Body::from("[]"), 2, &turns).await.unwrap();
        assert_eq!((&small.bytes[..], small.is_large()), (&b"[]"[..], false));
    }

    #[test]
    fn json_must_be_among_what_is_accepted() {
        for accept in ["*/*", "application/json", "text/html, application/*;q=0.5", ""] {
            assert!(accepts_json(accept), "{accept}");
        }
        for accept in ["application/xml", "text/*", "application/json;q=0"] {
            assert!(!accepts_json(accept), "{accept}");
        }
    }
}
