//! A running Watchbell that tells the stand-in, and the alerts it is sent. Whatever Watchbell asks for in any test must be
//! something that GitLab's API knows.

use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::allowed::objections;
use super::fake::{Call, Entry, Fate, Gitlab, Issue, Level, Operation, World};
use super::person::Person;
use crate::filling::written;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

/// How long what must happen may take, on a machine that does many other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The project that is told unless a test says otherwise, as it stands in paths, and where its issues are.
pub(crate) const PROJECT: &str = "tools/deep/site";
pub(crate) const ISSUES: &str = "projects/tools%2Fdeep%2Fsite/issues";

/// What every integration here has: a short wait, since nothing but load delays the answers.
const STANDARD: &str = "project: tools/deep/site, duplicate_check_delay: 50ms";

/// GitLab and a router.
pub(crate) struct Lab {
    pub(crate) gitlab: Gitlab,
    pub(crate) router: Server,
}

/// A GitLab in which `watchbell` reports, and `ann` and `bob` work.
pub(crate) fn gitlab() -> Gitlab {
    Gitlab::start(prepare)
}

pub(crate) fn prepare(world: &mut World) {
    for name in ["watchbell", "ann", "bob"] {
        world.add_user(name);
    }
    let members = [("watchbell", Level::Reporter), ("ann", Level::Owner), ("bob", Level::Reporter)];
    world.add_project(PROJECT, &members);
    world.add_project("tools/other", &members);
}

/// A configuration with these receivers, each with settings of its own. An alert goes to the one that its label `to` names.
pub(crate) fn config(gitlab: &Gitlab, token: &str, repeat: &str, receivers: &[(&str, &str)]) -> String {
    let mut config = format!(
        "global: {{gitlab_api_url: '{}', {token}}}\nroute:\n  receiver: nobody\n  group_by: [alertname]\n  group_wait: 100ms\n  group_interval: 400ms\n  repeat_interval: {repeat}\n  routes:\n",
        gitlab.api_url()
    );
    for (name, _) in receivers {
        config += &format!("  - {{receiver: {name}, matchers: ['to=\"{name}\"']}}\n");
    }
    config += "receivers:\n- name: nobody\n";
    for (name, settings) in receivers {
        let standard = if settings.contains("project:") { "duplicate_check_delay: 50ms" } else { STANDARD };
        config += &format!("- name: {name}\n  gitlab_configs: [{{{standard}, {settings}}}]\n");
    }
    config
}

impl Lab {
    /// Receivers that are told once of what does not change.
    pub(crate) fn start(receivers: &[(&str, &str)]) -> Self {
        Self::repeating("24h", receivers)
    }

    pub(crate) fn repeating(repeat: &str, receivers: &[(&str, &str)]) -> Self {
        let gitlab = gitlab();
        let config = config(&gitlab, "gitlab_token: glpat-watchbell", repeat, receivers);
        let router = Server::start(Program::Watchbell, &config);
        Self { gitlab, router }
    }

    pub(crate) fn post(&self, alerts: &[Value]) {
        post(&self.router, alerts);
    }

    pub(crate) fn ann(&self) -> Person {
        Person::of(&self.gitlab, "ann")
    }

    /// Waits until this is so.
    pub(crate) fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        eventually_within(PATIENCE, what, look)
    }

    /// Waits until there is something to see in GitLab.
    pub(crate) fn until<T>(&self, what: &str, look: impl Fn(&World) -> Option<T>) -> T {
        self.wait(what, || self.gitlab.look(&look))
    }

    /// The issues of the project, by number.
    pub(crate) fn issues(&self) -> Vec<Issue> {
        self.gitlab.look(|world| issues(world, PROJECT))
    }

    /// The one issue whose title has this word.
    pub(crate) fn issue(&self, word: &str) -> Issue {
        self.gitlab.look(|world| the_issue(world, word)).unwrap_or_else(|| panic!("not one issue about {word}"))
    }

    /// Waits until there is an issue whose title has this word.
    pub(crate) fn await_issue(&self, word: &str) -> Issue {
        self.until(&format!("there is an issue about {word}"), |world| the_issue(world, word))
    }

    /// Waits until this is so of the issue about `word`.
    pub(crate) fn await_state(&self, word: &str, what: &str, is: impl Fn(&Issue) -> bool) -> Issue {
        self.until(&format!("the issue about {word} is {what}"), |world| {
            the_issue(world, word).filter(|issue| is(issue))
        })
    }

    /// Watchbell's own comments on an issue.
    pub(crate) fn comments(&self, issue: &Issue) -> Vec<String> {
        self.gitlab.look(|world| {
            let ours = world.notes.iter().filter(|note| note.issue == issue.id && !note.system);
            ours.filter(|note| world.user(note.author).username == "watchbell").map(|note| note.body.clone()).collect()
        })
    }

    /// What Watchbell asked for, with this operation.
    pub(crate) fn calls(&self, operation: Operation) -> Vec<Entry> {
        self.asked().into_iter().filter(|entry| entry.call.operation == operation).collect()
    }

    /// How often Watchbell asked for this and was answered.
    pub(crate) fn answered(&self, operation: Operation) -> usize {
        self.calls(operation).iter().filter(|entry| matches!(entry.fate, Fate::Answered(_))).count()
    }

    /// Waits until nothing of what Watchbell asked for is unanswered, and it has asked for nothing for a while.
    pub(crate) fn settle(&self) {
        let (mut count, mut quiet) = (0, 0);
        eventually_within(PATIENCE, "Watchbell rests", || {
            let asked = self.asked();
            let rests = asked.len() == count && asked.iter().all(|entry| entry.fate != Fate::Pending);
            (count, quiet) = (asked.len(), if rests { quiet + 1 } else { 0 });
            (quiet > QUIET_LOOKS).then_some(())
        });
    }

    /// Everything that Watchbell asked for.
    pub(crate) fn asked(&self) -> Vec<Entry> {
        let ours = |entry: &Entry| is_ours(&entry.call);
        self.gitlab.journal().into_iter().filter(ours).collect()
    }

    /// The sum of the metrics that begin so.
    pub(crate) fn metric(&self, begins: &str) -> f64 {
        let text = self.router.client().get("/metrics").ok().text();
        let values = text.lines().filter(|line| line.starts_with(begins)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<f64>().expect("a number")).sum()
    }
}

/// Looks, 20 ms or more apart: several group intervals, also where the machine stood still meanwhile.
const QUIET_LOOKS: u32 = 75;

impl Drop for Lab {
    fn drop(&mut self) {
        if !thread::panicking() {
            check_requests(&self.gitlab);
        }
    }
}

/// Holds Watchbell's requests against what the API knows.
pub(crate) fn check_requests(gitlab: &Gitlab) {
    let ours = gitlab.journal().into_iter().map(|entry| entry.call).filter(is_ours);
    let objections: Vec<_> = ours.flat_map(|call| objections(&call)).collect();
    assert!(objections.is_empty(), "{objections:#?}");
}

fn is_ours(call: &Call) -> bool {
    call.header("user-agent").is_some_and(|agent| agent.starts_with("Alertmanager/"))
}

pub(crate) fn post(router: &Server, alerts: &[Value]) {
    router.client().post("/api/v2/alerts", &alerts.into()).ok();
}

/// An alert that fires. Alerts of one name are one group.
pub(crate) fn alarm(to: &str, name: &str, instance: &str) -> Value {
    json!({
        "labels": {"alertname": name, "instance": instance, "severity": "critical", "to": to},
        "annotations": {"summary": format!("{instance} is in need")},
    })
}

/// The same alert with a further label.
pub(crate) fn labelled(mut alert: Value, name: &str, value: &str) -> Value {
    alert["labels"][name] = value.into();
    alert
}

/// The same alert, over.
pub(crate) fn over(mut alert: Value) -> Value {
    alert["endsAt"] = written(Timestamp::now()).into();
    alert
}

pub(crate) fn issues(world: &World, project: &str) -> Vec<Issue> {
    let id = world.find_project(project).expect("a known project").id;
    let mut found: Vec<_> = world.issues.iter().filter(|issue| issue.project == id).cloned().collect();
    found.sort_by_key(|issue| issue.iid);
    found
}

fn the_issue(world: &World, word: &str) -> Option<Issue> {
    let mut found = world.issues.iter().filter(|issue| issue.title.contains(word) && issue.moved_to.is_none());
    let first = found.next().cloned();
    first.filter(|_| found.next().is_none())
}
