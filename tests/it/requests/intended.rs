//! The differences between Alertmanager 0.25's and Watchbell's answers that are meant, one by one. Watchbell follows
//! Alertmanager 0.34.

use serde_json::{Value, json};

use crate::compare::Side::{Absent, Is, Says};
use crate::compare::{Intended, Side};

pub(super) fn differences() -> Vec<Intended> {
    let all = [everywhere(), utf8_names(), silences(), paths(), status(), preflights(), heads(), texts()];
    all.into_iter().flatten().collect()
}

fn everywhere() -> Vec<Intended> {
    vec![
        meant(".headers.Cache-Control", Absent, is("no-store"), "answers of the API are not to be stored, since 0.26"),
        meant(".status.mutedBy", Absent, Is(json!([])), "alerts name the intervals that mute their group, since 0.28"),
        meant("[*].routeLabels", Absent, Is(json!({})), "groups carry the labels of their route, since 0.34"),
        meant(".body[*].labels", Absent, Says(r#"{"name":""#), "receivers have labels, since 0.33"),
    ]
}

fn utf8_names() -> Vec<Intended> {
    const NAME: &str = "any UTF-8 text may be a label name, since 0.27";
    const FILTER: &str = "names may be quoted in matchers, since 0.27";
    vec![
        meant("a label name for UTF-8 mode.status", is(400), is(200), NAME),
        meant("a label name for UTF-8 mode.headers.Content-Type", is("application/json"), Absent, NAME),
        meant("a label name for UTF-8 mode.headers.Content-Length of an empty body", Absent, is("0"), NAME),
        meant("a label name for UTF-8 mode.body", is("invalid label set: invalid name \"bad-name\""), is(""), NAME),
        meant("a filter with a quoted name.status", is(400), is(200), FILTER),
        meant("a filter with a quoted name.body", Says("bad matcher format"), Says(r#"{"alertname":"A""#), FILTER),
        meant(
            "a filter that does not parse.body",
            is("bad matcher format: {bad"),
            is("unexpected open or close brace: {bad"),
            "braces are no part of a matcher, since 0.27",
        ),
    ]
}

fn silences() -> Vec<Intended> {
    const UNKNOWN: &str = "expiring an unknown silence is no failure of the server, since 0.26";
    vec![
        meant("expire an unknown silence.status", is(500), is(404), UNKNOWN),
        meant("expire an unknown silence.headers.Content-Type", is("application/json"), Absent, UNKNOWN),
        meant("expire an unknown silence.headers.Content-Length of an empty body", Absent, is("0"), UNKNOWN),
        meant("expire an unknown silence.body", is("silence not found"), is(""), UNKNOWN),
        meant(
            "silences at the end.body[*].endsAt",
            is("2099-01-01T00:00:00.500+02:00"),
            is("2098-12-31T22:00:00.500Z"),
            "times of silences are shown in UTC",
        ),
        set_named("a matcher whose expression does not parse.body"),
        set_named("an expression with a look-ahead.body"),
        set_named("an expression with a flag Go does not know.body"),
        set_named("an expression that repeats too often.body"),
        set_named("a matcher with an empty name.body"),
        empty_match("a silence that matches everything.body"),
        empty_match("a matcher of an expression that matches nothing and something.body"),
    ]
}

/// The text names the set of matchers, since silences may have several.
fn set_named(place: &'static str) -> Intended {
    meant(
        place,
        Says("silence invalid: invalid label matcher 0: "),
        Says("invalid silence: invalid label matcher 0 in set 0: "),
        "a silence may have several sets of matchers, since 0.32",
    )
}

fn empty_match(place: &'static str) -> Intended {
    meant(
        place,
        is("silence invalid: at least one matcher must not match the empty string"),
        is("invalid silence: matcher set 0: at least one matcher must not match the empty string"),
        "a silence may have several sets of matchers, since 0.32",
    )
}

fn paths() -> Vec<Intended> {
    const GONE: &str = "the first API is gone, since 0.27";
    vec![
        meant("alerts of the first API.status", is(200), is(410), GONE),
        meant("alerts of the first API.headers.Access-Control-Allow-Headers", Says("Accept"), Absent, GONE),
        meant("alerts of the first API.headers.Access-Control-Allow-Methods", Says("GET"), Absent, GONE),
        meant("alerts of the first API.headers.Access-Control-Allow-Origin", is("*"), Absent, GONE),
        meant("alerts of the first API.headers.Cache-Control", Says("no-store"), Absent, GONE),
        meant("alerts of the first API.body.status", is("success"), is("deprecated"), GONE),
        meant("alerts of the first API.body.data", Says("Unk"), Absent, GONE),
        meant("alerts of the first API.body.error", Absent, Says("removed as of version 0.27.0"), GONE),
    ]
}

fn status() -> Vec<Intended> {
    const BUILT: &str = "another program, built otherwise";
    vec![
        meant(".body.versionInfo.branch", is("debian/sid"), Says("\""), BUILT),
        meant(".body.versionInfo.buildDate", Says("-"), Says("\""), BUILT),
        meant(".body.versionInfo.buildUser", Says("debian"), Says("\""), BUILT),
        meant(".body.versionInfo.goVersion", Says("go1."), Says("rust1."), BUILT),
        meant(".body.versionInfo.revision", Says("0.25.0"), Says("\""), BUILT),
        meant(".body.versionInfo.version", is("0.25.0"), is("0.34.0"), "the Alertmanager that is followed"),
    ]
}

fn preflights() -> Vec<Intended> {
    const NO_BODY: &str = "a preflight is answered without a body, since 0.26";
    vec![
        meant("preflight of a POST.status", is(200), is(204), NO_BODY),
        meant("preflight of a POST.headers.Content-Length of an empty body", is("0"), Is(Value::Null), NO_BODY),
        meant("preflight of a POST with authorization.status", is(200), is(204), NO_BODY),
        meant(
            "preflight of a POST with authorization.headers.Content-Length of an empty body",
            is("0"),
            Is(Value::Null),
            NO_BODY,
        ),
        meant("preflight of a DELETE.status", is(200), is(204), NO_BODY),
        meant("preflight of a DELETE.headers.Content-Length of an empty body", is("0"), Is(Value::Null), NO_BODY),
        meant(
            "preflight of a POST.headers.Access-Control-Allow-Headers",
            is("Content-Type"),
            is("content-type"),
            "the headers asked for are echoed as they were written, since 0.27",
        ),
    ]
}

/// HTTP lets an answer to HEAD carry the headers of the answer to GET.
fn heads() -> Vec<Intended> {
    const AS_GET: &str = "an answer to HEAD has the headers of the answer to GET";
    const NOTHING: &str = "the answer says that it is empty; those who ask for health read its status";
    const COMPRESSED: &str = "an answer that may be compressed depends on what the client accepts";
    vec![
        meant("HEAD of a path for GET.headers.Content-Length of an empty body", Is(Value::Null), is("66"), AS_GET),
        meant("HEAD of health.headers.Content-Length of an empty body", Is(Value::Null), is("0"), NOTHING),
        meant("HEAD of readiness.headers.Content-Length of an empty body", Is(Value::Null), is("0"), NOTHING),
        meant("compressed metrics.headers.Vary", Absent, is("accept-encoding"), COMPRESSED),
        meant("metrics in another format.headers.Vary", Absent, is("accept-encoding"), COMPRESSED),
    ]
}

/// Reasons in Go's words that say nothing to a client.
fn texts() -> Vec<Intended> {
    vec![meant(
        "a time that is none.body.message",
        Says(r#"failed, because parsing time \"tomorrow\" as"#),
        Says(r#"failed, because parsing time \"tomorrow\":"#),
        "the layouts that Go has tried in vain",
    )]
}

fn meant(place: &'static str, left: Side, right: Side, reason: &'static str) -> Intended {
    Intended { place, left, right, reason }
}

fn is(value: impl Into<Value>) -> Side {
    Is(value.into())
}
