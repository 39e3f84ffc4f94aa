//! The language histories are written in.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::http::Request;

/// What happens to both routers, in this order.
pub(crate) struct History {
    pub(crate) name: &'static str,
    pub(crate) config: String,
    pub(crate) steps: Vec<Step>,
}

/// One thing done to, asked of or awaited from both routers.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Alerts fire, in one request. Firing again keeps the start of the first time.
    Fire(Vec<Alert>),
    /// Alerts that fired before end now.
    Resolve(Vec<Alert>),
    /// A silence is made, or edited if its key is known already.
    Silence {
        key: &'static str,
        matchers: &'static str,
        starts_in: i64,
        ends_in: i64,
    },
    Expire(&'static str),
    /// A request whose answers are compared. `{+5}` and `{-5}` in its body are times so many seconds from now, and
    /// `{key}` in its path is the id of the silence of that key.
    Ask(Request),
    /// The receiver has been told this many times since the start of the history.
    Told(&'static str, usize),
    /// Watchbell has told this many times; Alertmanager does not do so, as the list of intended differences says.
    ToldByWatchbell(&'static str, usize),
    /// Nobody is told anything for a while.
    Quiet(Duration),
    /// The text is somewhere in the answer to a GET of the path.
    Shows(&'static str, &'static str),
    Reload(String),
    Restart,
}

/// An alert as a sender sees it.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    /// As in `alertname=A instance=1`.
    pub(crate) labels: &'static str,
    pub(crate) annotations: &'static str,
    /// How long before the step it began.
    pub(crate) age_seconds: i64,
    /// Its end, seconds from the step; absent: left to the router.
    pub(crate) ends_in: Option<i64>,
}

impl Alert {
    pub(crate) fn new(labels: &'static str) -> Self {
        Self { labels, annotations: "", age_seconds: 0, ends_in: None }
    }

    /// The labels as a JSON object.
    pub(crate) fn label_set(&self) -> Value {
        pairs(self.labels)
    }

    /// The annotations as a JSON object.
    pub(crate) fn annotation_set(&self) -> Value {
        pairs(self.annotations)
    }
}

/// Long enough for several flushes of the histories' groups.
const A_WHILE: Duration = Duration::from_millis(2500);

impl History {
    pub(crate) fn new(name: &'static str, config: &str) -> Self {
        Self { name, config: config.to_owned(), steps: Vec::new() }
    }

    pub(crate) fn fire(self, labels: &'static str) -> Self {
        self.fire_all(&[labels])
    }

    pub(crate) fn fire_all(self, alerts: &[&'static str]) -> Self {
        self.step(Step::Fire(alerts.iter().map(|labels| Alert::new(labels)).collect()))
    }

    pub(crate) fn fire_with(self, alert: Alert) -> Self {
        self.step(Step::Fire(vec![alert]))
    }

    pub(crate) fn resolve(self, labels: &'static str) -> Self {
        self.resolve_all(&[labels])
    }

    pub(crate) fn resolve_all(self, alerts: &[&'static str]) -> Self {
        self.step(Step::Resolve(alerts.iter().map(|labels| Alert::new(labels)).collect()))
    }

    /// A silence from now on, for ten minutes.
    pub(crate) fn silence(self, key: &'static str, matchers: &'static str) -> Self {
        self.silence_during(key, matchers, 0, 600)
    }

    /// A silence that starts and ends so many seconds from now.
    pub(crate) fn silence_during(
        self,
        key: &'static str,
        matchers: &'static str,
        starts_in: i64,
        ends_in: i64,
    ) -> Self {
        self.step(Step::Silence { key, matchers, starts_in, ends_in })
    }

    pub(crate) fn expire(self, key: &'static str) -> Self {
        self.step(Step::Expire(key))
    }

    pub(crate) fn get(self, path: &str) -> Self {
        self.step(Step::Ask(Request::new("GET", path)))
    }

    pub(crate) fn post(self, path: &str, body: &Value) -> Self {
        self.step(Step::Ask(Request::new("POST", path).json(body.to_string())))
    }

    pub(crate) fn told(self, receiver: &'static str, times: usize) -> Self {
        self.step(Step::Told(receiver, times))
    }

    pub(crate) fn told_by_watchbell(self, receiver: &'static str, times: usize) -> Self {
        self.step(Step::ToldByWatchbell(receiver, times))
    }

    pub(crate) fn quiet(self) -> Self {
        self.step(Step::Quiet(A_WHILE))
    }

    pub(crate) fn shows(self, path: &'static str, text: &'static str) -> Self {
        self.step(Step::Shows(path, text))
    }

    pub(crate) fn reload(self, config: &str) -> Self {
        self.step(Step::Reload(config.to_owned()))
    }

    pub(crate) fn restart(self) -> Self {
        self.step(Step::Restart)
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// `a=1 b=2` as a JSON object; `_` in a value stands for a space.
fn pairs(text: &str) -> Value {
    let pairs = text.split_whitespace().map(|pair| pair.split_once('=').expect("labels are written name=value"));
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value.replace('_', " ")))).collect()
}

/// `a=1 b!=2 c=~x d!~y` as the API's matchers.
pub(crate) fn matchers(text: &str) -> Value {
    text.split_whitespace().map(matcher).collect()
}

fn matcher(text: &str) -> Value {
    let at = text.find(['=', '!']).expect("a matcher has an operator");
    let (name, rest) = text.split_at(at);
    let length = if rest.starts_with("=~") || rest.starts_with('!') { 2 } else { 1 };
    let (operator, value) = rest.split_at(length);
    json!({"name": name, "value": value, "isRegex": operator.ends_with('~'), "isEqual": operator.starts_with('=')})
}
