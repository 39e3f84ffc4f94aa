//! Input that no good client sends, in sizes and numbers that no good client has. Whatever happens to those who send it,
//! the others are served.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::harness::http::{Request, read_response};
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

const BOTH: [Program; 2] = [Program::Alertmanager, Program::Watchbell];

/// What Watchbell may have in memory after all of a test's bad input, in KiB.
const MEMORY_LIMIT_KIB: u64 = 400 * 1024;

/// How deep a body is that would overflow the stack of a parser that goes down into it.
const DEEP: usize = 1_000_000;

/// Connections that are open at once.
const CONNECTIONS: usize = 2000;

#[test]
fn large_bodies_are_taken_or_refused() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        let long = "x".repeat(10 << 20);
        let many: Vec<_> = (0..40_000).map(|number| alert(&format!("many-{number}"))).collect();
        post(&server, "alerts", &json!([{"labels": {"alertname": "Long"}, "annotations": {"text": long}}]).to_string());
        post(&server, "alerts", &json!(many).to_string());
        post(&server, "alerts", &format!("[{}]", " ".repeat(10 << 20)));
        post(&server, "silences", &silence(&json!([{"name": "a", "value": long, "isRegex": false}])));
        serves_others(&mut server);
    }
}

#[test]
fn deep_bodies_are_refused() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        for (open, close) in [("[", "]"), (r#"{"labels":"#, "}")] {
            let deep = open.repeat(DEEP) + &close.repeat(DEEP);
            assert!(refused(post(&server, "alerts", &deep)));
            assert!(refused(post(&server, "alerts", &open.repeat(DEEP))));
            assert!(refused(post(&server, "silences", &deep)));
        }
        let ignored =
            format!(r#"[{{"labels":{{"alertname":"Deep"}},"extra":{}1{}}}]"#, "[".repeat(DEEP), "]".repeat(DEEP));
        post(&server, "alerts", &ignored);
        serves_others(&mut server);
    }
}

#[test]
fn many_labels_and_matchers_are_taken_or_refused() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        let labels: serde_json::Map<_, _> = (0..10_000).map(|number| (format!("l{number}"), "x".into())).collect();
        post(&server, "alerts", &json!([{"labels": labels}]).to_string());
        let matchers: Vec<_> =
            labels.keys().map(|name| json!({"name": name, "value": "x", "isRegex": false})).collect();
        post(&server, "silences", &silence(&matchers.into()));
        serves_others(&mut server);
    }
}

/// Expressions that are costly to build, and what they must not cost: the time of others.
#[test]
fn costly_expressions_are_taken_or_refused() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        for expression in
            ["(a{100}){100}", r"(\pL{100}){9}", "((((a*)*)*)*)*b", &"(x|".repeat(5000), &"a?".repeat(20_000)]
        {
            post(&server, "silences", &silence(&json!([{"name": "a", "value": expression, "isRegex": true}])));
            let filter =
                format!("/api/v2/alerts?filter=a%3D~%22{}%22", percent(&expression[..expression.len().min(4000)]));
            assert!(server.client().get(&filter).status < 500);
        }
        serves_others(&mut server);
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_or_mended() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        for body in [
            &b"[{\"labels\":{\"alertname\":\"a\xff\xfeb\"}}]"[..],
            &b"[{\"labels\":{\"\xc3\x28\":\"x\"}}]"[..],
            &b"[{\"labels\":{\"alertname\":\"\\ud800\"}}]"[..],
            &b"\xff\xfe["[..],
            &b"\xef\xbb\xbf[]"[..],
            &b"[{\"labels\":{\"alertname\":\"a\0b\"}}]"[..],
        ] {
            let answer = server.client().must(&Request::new("POST", "/api/v2/alerts").json(body));
            assert!([200, 400].contains(&answer.status), "{}: {}", answer.status, answer.text());
        }
        let shown = server.client().get("/api/v2/alerts").ok();
        assert!(std::str::from_utf8(&shown.body).is_ok(), "what is shown is UTF-8 whatever came in");
        serves_others(&mut server);
    }
}

/// Alertmanager breaks the connection on a null in a list.
#[test]
fn a_null_in_a_list_is_refused() {
    let mut server = Server::start(Program::Watchbell, CONFIG);
    for body in ["[null]", r#"[{"labels":{"alertname":"A"}},null]"#] {
        assert!(post(&server, "alerts", body).is_some_and(|status| (400..500).contains(&status)));
    }
    assert!(post(&server, "silences", &silence(&json!([null]))).is_some_and(|status| (400..500).contains(&status)));
    serves_others(&mut server);
}

#[test]
fn requests_that_are_none_are_refused() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        let long_path = format!("GET /api/v2/alerts?filter={} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(3 << 20));
        let long_header = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(3 << 20));
        let many_headers = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(200_000));
        for bytes in [
            &b"\0\x01\x02\x03\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /\r\n\r\n",
            b"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: -5\r\n\r\n",
            b"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            long_path.as_bytes(),
            long_header.as_bytes(),
            many_headers.as_bytes(),
        ] {
            let status = answer_to(&server, bytes);
            assert!(refused(status), "{program:?} takes {:?}", &bytes[..bytes.len().min(40)]);
        }
        serves_others(&mut server);
    }
}

/// Senders that begin a request and then dawdle, at every place where one can.
#[test]
fn slow_senders_hold_up_nobody() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        let beginnings = [
            "POST /api/v2/al",
            "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: appl",
            "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[{\"lab",
            "POST /api/v2/silences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[",
        ];
        let held: Vec<_> = beginnings.iter().cycle().take(200).map(|text| half_sent(&server, text)).collect();
        serves_others(&mut server);
        drop(held);
    }
}

/// Readers that ask for much and read nothing.
#[test]
fn slow_readers_hold_up_nobody() {
    for program in BOTH {
        let mut server = Server::start_with(program, CONFIG, &["--web.get-concurrency=100"]);
        let many: Vec<_> = (0..5000).map(|number| alert(&format!("many-{number}"))).collect();
        server.client().post("/api/v2/alerts", &json!(many)).ok();
        let request = "GET /api/v2/alerts HTTP/1.1\r\nHost: x\r\n\r\n";
        let held: Vec<_> = (0..50).map(|_| half_sent(&server, request)).collect();
        serves_others(&mut server);
        drop(held);
    }
}

#[test]
fn two_thousand_connections_hold_up_nobody() {
    allow_open_files(4 * CONNECTIONS as u64);
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        let held: Vec<_> = (0..CONNECTIONS).map(|_| half_sent(&server, "")).collect();
        serves_others(&mut server);
        for mut stream in held {
            let answered = stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let response = answered.and_then(|()| read_response(&mut BufReader::new(stream), false));
            assert_eq!(response.expect("an idle connection is kept").status, 200);
        }
    }
}

#[test]
fn many_clients_at_once_are_all_served() {
    for program in BOTH {
        let mut server = Server::start(program, CONFIG);
        let client = server.client();
        let senders: Vec<_> = (0..64)
            .map(|sender| {
                thread::spawn(move || {
                    for number in 0..20 {
                        client.post("/api/v2/alerts", &json!([alert(&format!("{sender}-{number}"))])).ok();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().expect("every sender is answered");
        }
        let shown = client.get("/api/v2/alerts").ok().json();
        assert_eq!(shown.as_array().map(Vec::len), Some(64 * 20));
        serves_others(&mut server);
    }
}

/// A client that knows nothing of all this posts an alert, finds it, and is told how the router is; and the router has
/// not grown beyond measure.
fn serves_others(server: &mut Server) {
    let client = server.client();
    client.post("/api/v2/alerts", &json!([alert("good")])).ok();
    eventually("the good alert is shown", || {
        let found = client.get("/api/v2/alerts?filter=alertname%3Dgood").ok().json();
        (found.as_array().map(Vec::len) == Some(1)).then_some(())
    });
    assert_eq!(client.get("/-/healthy").status, 200);
    assert_eq!(client.get("/metrics").status, 200);
    assert!(server.process().ended().is_none());
    if server.program == Program::Watchbell {
        let memory = server.process().memory_kib();
        assert!(memory < MEMORY_LIMIT_KIB, "{memory} KiB in memory");
    }
}

/// Posts a body and expects any answer but a failure of the server. A server that refuses a body before it has read all
/// of it may break off, and its answer is lost then: that is `None`.
fn post(server: &Server, what: &str, body: &str) -> Option<u16> {
    let answer = server.client().send(&Request::new("POST", &format!("/api/v2/{what}")).json(body)).ok()?;
    assert!(answer.status < 500, "{}: {}", answer.status, answer.text());
    Some(answer.status)
}

fn refused(status: Option<u16>) -> bool {
    status.is_none_or(|status| (400..500).contains(&status))
}

/// The status with which raw bytes are answered; none if the connection is closed without an answer.
fn answer_to(server: &Server, bytes: &[u8]) -> Option<u16> {
    let mut stream = server.client().connect().expect("the router listens");
    // A server may refuse before everything is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    read_response(&mut BufReader::new(stream), false).ok().map(|response| response.status)
}

/// An open connection on which this has been sent.
fn half_sent(server: &Server, text: &str) -> TcpStream {
    let mut stream = server.client().connect().expect("the router takes connections");
    stream.write_all(text.as_bytes()).expect("the router takes bytes");
    stream
}

/// Raises this process's limit of open files, which its children inherit.
fn allow_open_files(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).unwrap_or_else(|error| panic!("`ulimit -n` must allow {wanted}: {error}"));
    }
}

fn alert(name: &str) -> Value {
    json!({"labels": {"alertname": name, "instance": "1"}, "annotations": {"summary": "all is well"}})
}

fn silence(matchers: &Value) -> String {
    let silence = json!({
        "matchers": matchers, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "the test", "comment": "",
    });
    silence.to_string()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

const CONFIG: &str = "
route: {receiver: nobody, group_by: [alertname]}
receivers: [{name: nobody}]
";
