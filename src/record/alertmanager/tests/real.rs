//! Debian's Alertmanager writes the files: it is given a silence and an alert, notifies, and is told to stop.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use watchbell_engine::label::Labels;

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

/// Between two looks at something that will come.
const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn what_alertmanager_saved_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut server = Alertmanager::start(dir.path(), hook.local_addr().unwrap().port());
    thread::spawn(move || answer_all(&hook));
    let silence = r#"{"matchers":[{"name":"job","value":"a|b","isRegex":true,"isEqual":false},
        {"name":"size","value":"groß","isRegex":false}],"startsAt":"2030-01-01T00:00:00.123456Z",
        "endsAt":"2030-01-02T00:00:00Z","createdBy":"ops","comment":"planned"}"#;
    let answer = server.post("/api/v2/silences", silence);
    let id = answer.split('"').find(|part| part.len() == 36).unwrap().to_owned();
    server.post("/api/v2/alerts", r#"[{"labels":{"alertname":"DiskFull","job":"a"}}]"#);
    // The second look into the log comes after the first notification was entered.
    server.wait_for_metric("alertmanager_nflog_queries_total ", 2.0);
    server.stop();

    let silence = only(silences(&fs::read(dir.path().join("silences")).unwrap())).unwrap();
    assert_eq!(silence.id.to_string(), id);
    let matchers: Vec<_> = silence.matcher_sets.concat().iter().map(Matcher::to_string).collect();
    assert_eq!(matchers, [r#"job!~"a|b""#, r#"size="groß""#]);
    assert_eq!(silence.starts_at, Timestamp::from_micros(1_893_456_000_123_456));
    assert_eq!(silence.forget_at, silence.ends_at + Duration::from_secs(120 * 3600));
    assert_eq!((&*silence.created_by, &*silence.comment), ("ops", "planned"));

    let entry = only(nflog(&fs::read(dir.path().join("nflog")).unwrap())).unwrap();
    assert_eq!((&*entry.key.group_key, &*entry.key.receiver), (r#"{}:{alertname="DiskFull"}"#, "hook"));
    assert_eq!((&*entry.key.integration, entry.key.index), ("webhook", 0));
    let labels = Labels::from_iter([("alertname", "DiskFull"), ("job", "a")]);
    assert_eq!((entry.firing, entry.resolved), (vec![labels.log_hash()], vec![]));
    assert!(entry.expires_at > entry.timestamp);
}

/// Takes every notification.
fn answer_all(hook: &TcpListener) {
    for stream in hook.incoming() {
        let mut stream = BufReader::new(stream.unwrap());
        let mut length = 0;
        for line in stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
            if let Some(text) = line.strip_prefix("Content-Length: ") {
                length = text.parse().unwrap();
            }
        }
        stream.by_ref().take(length).read_to_end(&mut Vec::new()).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    }
}

struct Alertmanager {
    process: Child,
    address: SocketAddr,
}

impl Alertmanager {
    fn start(dir: &Path, hook: u16) -> Self {
        // An address that no other test binds.
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = SocketAddr::from(([127, high, low, 253], 9093));
        let config = format!(
            "route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}\n\
             receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{hook}/'}}]}}]\n"
        );
        fs::write(dir.join("alertmanager.yml"), config).unwrap();
        let process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", dir.join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", dir.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's package prometheus-alertmanager is installed");
        Self { process, address }
    }

    fn post(&self, path: &str, body: &str) -> String {
        let head =
            format!("POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        let answer = self.exchange(&format!("{head}Host: a\r\nConnection: close\r\n\r\n{body}"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    fn wait_for_metric(&self, name: &str, least: f64) {
        let deadline = Instant::now() + DEADLINE;
        let reached = |page: &str| {
            let mut values = page.lines().filter_map(|line| line.strip_prefix(name)?.parse::<f64>().ok());
            values.any(|value| value >= least)
        };
        while !reached(&self.exchange("GET /metrics HTTP/1.0\r\n\r\n")) {
            assert!(Instant::now() < deadline, "{name} does not reach {least}");
            thread::sleep(PAUSE);
        }
    }

    /// Sends the request as soon as somebody listens, and reads the whole answer.
    fn exchange(&self, request: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        let mut stream = loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(PAUSE);
        };
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(&mut self) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
