//! The engine under bodies that nobody would send: it neither panics nor loses count of what it holds.

mod bodies;

use crate::time::UtcOffset;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::alert::posted::{Intake, Posted};
use crate::effect::{Attempt, Change, Note};
use crate::label::Labels;
use crate::matcher::parse::Syntax;
use crate::matcher::{MatchOp, Matcher, all_match};
use crate::nflog::ReceiverData;
use crate::notification::{Failure, FailureKind, NotifiedAlert};
use crate::pairs::DemandedPairs;
use crate::peers::{ClaimState, Peer};
use crate::policy::{GroupBy, InhibitRule, Integration, Receiver, Route, Vigil};
use crate::replica::Record;
use crate::silence::edit::{Draft, matcher_set};
use crate::silence::{SilenceId, SilenceState};
use crate::view::KnownAlert;

use bodies::SilenceBody;

/// When the histories begin; what they send lies around it, and at the ends of time.
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// How many histories a test plays, and how many steps one has at most.
const HISTORIES: u32 = 256;
const STEPS: usize = 60;

#[derive(Clone, Debug)]
enum Step {
    Post(Posted),
    Set(SilenceBody),
    /// Ends one of the silences, counted around.
    Expire(usize),
    Wait(Duration),
}

#[test]
fn alert_bodies_of_any_kind_leave_the_engine_in_order() {
    play_all(prop_oneof![6 => bodies::alert().prop_map(Step::Post), 1 => wait()]);
}

#[test]
fn silence_bodies_of_any_kind_leave_the_engine_in_order() {
    play_all(prop_oneof![
        2 => bodies::alert().prop_map(Step::Post),
        4 => bodies::silence().prop_map(Step::Set),
        1 => any::<usize>().prop_map(Step::Expire),
        1 => wait(),
    ]);
}

/// What was being retried when a newer flush came was not told: whoever counts failures must hear of it.
#[test]
fn a_flush_that_a_newer_one_replaces_while_it_is_retried_is_given_up() {
    let mut history = History::new();
    history.take(Step::Post(Posted { labels: Labels::from_iter([("alertname", "A")]), ..Posted::default() }));
    for _ in 0..30 {
        history.now = history.now + Duration::from_millis(500);
        history.advance();
        history.answer_attempts(|_| false);
    }
    let flushes_before_the_last = 7;
    assert_eq!(history.given_up, flushes_before_the_last);
}

/// One fsync does for both where the receiver is quick.
#[test]
fn what_may_be_told_goes_to_the_disk_with_what_was_told() {
    let mut history = History::new();
    history.post("A", false);
    let begun = history.engine.advance(START + Duration::from_secs(2));
    let [durable, promised] = [Change::is_durable, Change::is_promised];
    assert_eq!((begun.persist.iter().any(durable), begun.persist.iter().any(promised)), (true, false));
    let delivered = Input::Delivered { attempt: begun.deliver[0].id, outcome: Ok(ReceiverData::default()) };
    let told = history.engine.handle(START + Duration::from_secs(3), delivered);
    assert!(told.persist.iter().any(promised));
}

/// Another node would tell those again who were told.
#[test]
fn who_has_told_some_does_not_hand_over() {
    let handed_over = |tells_in_part| {
        let mut history = History::new();
        history.tells_in_part = tells_in_part;
        history.take(Step::Post(Posted { labels: Labels::from_iter([("alertname", "A")]), ..Posted::default() }));
        for _ in 0..30 {
            history.now = history.now + Duration::from_millis(500);
            history.advance();
            history.answer_attempts(|_| false);
        }
        history.handed_over
    };
    assert_eq!((handed_over(true), handed_over(false) > 0), (0, true));
}

/// Not even beside other news: somebody who reads it again looks for what was over all the time.
#[test]
fn an_end_that_was_told_is_not_told_again() {
    let mut history = History::new();
    history.post("A", false);
    assert_eq!(history.told(), ["A"]);
    history.post("A", true);
    assert_eq!(history.told(), ["A is over"]);
    history.post("A", false);
    history.post("A", true);
    history.post("B", false);
    assert_eq!(history.told(), ["B"]);
}

/// A cut that is healed lets senders through before the node that has told what they send is met again.
#[test]
fn who_has_lost_the_others_tells_nothing_old_at_once() {
    let told_at_once = |lost: bool| {
        let mut history = History::new();
        let peer = |id: u64| Peer { id: NodeId(id), name: id.to_string().into() };
        if lost {
            history.handle(Input::Peers(vec![peer(1), peer(2)]));
        }
        history.handle(Input::Peers(vec![peer(1)]));
        let starts_at = Some((history.now - Duration::from_secs(60), UtcOffset(0)));
        let labels = Labels::from_iter([("alertname", "A")]);
        history.take(Step::Post(Posted { labels, starts_at, ..Posted::default() }));
        history.advance();
        !history.attempts.is_empty()
    };
    assert_eq!((told_at_once(false), told_at_once(true)), (true, false));
}

fn wait() -> impl Strategy<Value = Step> {
    (0_u64..7200).prop_map(|seconds| Step::Wait(Duration::from_secs(seconds)))
}

/// Plays the same histories in every run.
fn play_all(step: impl Strategy<Value = Step>) {
    let config = ProptestConfig { cases: HISTORIES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let play = |steps: Vec<Step>| {
        let mut history = History::new();
        for step in steps {
            history.take(step);
            history.check();
        }
        Ok(())
    };
    runner.run(&vec(step, 1..STEPS), play).unwrap();
}

struct History {
    now: Timestamp,
    engine: Engine,
    attempts: Vec<Attempt>,
    silences: u128,
    given_up: usize,
    /// Whether failures leave somebody told.
    tells_in_part: bool,
    /// How often another node was let try.
    handed_over: usize,
}

impl History {
    fn new() -> Self {
        let options = Options {
            node: NodeId(1),
            silences: SilenceLimits { count: 20, size: 0, retention: Duration::from_secs(3600) },
            alert_gc_interval: Duration::from_secs(600),
            per_alertname_limit: 0,
            peer_timeout: Duration::ZERO,
            start_delay: Duration::ZERO,
            settle_timeout: Duration::ZERO,
        };
        let engine = Engine::new(START, options, Arc::new(policy()));
        let (attempts, silences) = (Vec::new(), 0);
        Self { now: START, engine, attempts, silences, given_up: 0, tells_in_part: false, handed_over: 0 }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Post(posted) => {
                let (resolve_timeout, syntax) = (Duration::from_secs(300), Syntax::Fallback);
                let intake = Intake { now: self.now, zone: UtcOffset(0), resolve_timeout, syntax };
                if let Ok(alert) = posted.accept(intake) {
                    assert!(alert.starts_at <= alert.ends_at);
                    self.handle(Input::Alerts(vec![Arc::new(alert)]));
                }
            }
            Step::Set(body) => self.set(body),
            Step::Expire(index) => {
                let known = self.engine.view.silences.len().max(1);
                let id = self.engine.view.silences.iter().nth(index % known).map_or(SilenceId(0), |s| s.id);
                let answer = self.handle(Input::ExpireSilence(id));
                assert!(matches!(answer, Some(Answer::SilenceExpired(_))));
            }
            Step::Wait(span) => {
                self.now = self.now + span;
                self.advance();
                self.answer_attempts(|attempt| attempt.id.0 % 3 != 0);
            }
        }
    }

    fn post(&mut self, name: &str, is_over: bool) {
        let (labels, ends_at) = (Labels::from_iter([("alertname", name)]), (self.now, UtcOffset(0)));
        self.take(Step::Post(Posted { labels, ends_at: is_over.then_some(ends_at), ..Posted::default() }));
    }

    /// What the next flush tells.
    fn told(&mut self) -> Vec<String> {
        self.now = self.now + Duration::from_secs(2);
        self.advance();
        let alerts = self.attempts.iter().flat_map(|attempt| &attempt.notification.alerts);
        let spelled = |told: &NotifiedAlert| {
            let name = told.alert.labels.value("alertname");
            if told.firing { name.to_owned() } else { format!("{name} is over") }
        };
        let told = alerts.map(spelled).collect();
        self.answer_attempts(|_| true);
        told
    }

    fn set(&mut self, body: SilenceBody) {
        let Ok(set) = matcher_set(&body.matchers, Syntax::Fallback) else { return };
        let known = self.engine.view.silences.iter().nth(body.edits.unwrap_or(usize::MAX)).map(|silence| silence.id);
        let draft = Draft {
            id: known,
            matcher_sets: vec![set],
            starts_at: body.starts_at,
            ends_at: body.ends_at,
            created_by: "x".into(),
            comment: "".into(),
            annotations: Labels::default(),
        };
        self.silences += 1;
        let answer = self.handle(Input::SetSilence { draft, fresh: SilenceId(self.silences) });
        let Some(Answer::SilenceSet(result)) = answer else { panic!("no answer to a silence") };
        if let Ok(id) = result {
            assert!(self.engine.view.silences.get(id).is_some(), "a silence that was taken is not there");
        }
    }

    fn handle(&mut self, input: Input) -> Option<Answer> {
        let effects = self.engine.handle(self.now, input);
        self.perform(effects)
    }

    fn advance(&mut self) {
        while self.engine.next_deadline().is_some_and(|due| due <= self.now) {
            let effects = self.engine.advance(self.now);
            self.perform(effects);
        }
    }

    fn perform(&mut self, effects: Effects) -> Option<Answer> {
        self.attempts.extend(effects.deliver);
        let is_failed = |record: &&Record| matches!(record, Record::Claim(claim) if claim.state == ClaimState::Failed);
        self.handed_over += effects.publish.iter().filter(is_failed).count();
        self.given_up += effects.notes.iter().filter(|note| matches!(note, Note::GivenUp { .. })).count();
        effects.answer
    }

    fn answer_attempts(&mut self, succeeds: impl Fn(&Attempt) -> bool) {
        for attempt in std::mem::take(&mut self.attempts) {
            let failure = Failure {
                kind: FailureKind::ServerError,
                retry: true,
                text: "no".into(),
                retry_after: None,
                in_part: self.tells_in_part,
            };
            let outcome = if succeeds(&attempt) { Ok(ReceiverData::new()) } else { Err(failure) };
            self.handle(Input::Delivered { attempt: attempt.id, outcome });
        }
    }

    fn check(&self) {
        self.check_alerts();
        self.check_reads();
        self.check_groups();
        let sending = self.engine.deliveries.values().filter(|delivery| delivery.sending.is_some()).count();
        assert_eq!(self.engine.in_flight.len(), sending, "attempts under way and deliveries that send");
        for silence in self.engine.view.silences.iter() {
            assert!(self.engine.timers.is_set(&Timer::SilenceForgotten(silence.id)), "{silence:?} stays for ever");
        }
    }

    /// The look-ups by index say what looking at everything says.
    fn check_alerts(&self) {
        let (view, now) = (&self.engine.view, self.now);
        assert_eq!(view.alerts().count(), view.alert_count());
        for known in view.alerts() {
            let labels = &known.alert.labels;
            assert_eq!(known.fingerprint, labels.fingerprint());
            assert!(!labels.is_empty() && labels.iter().all(|(_, value)| !value.is_empty()), "{labels:?}");
            let active = view.silences.iter().filter(|s| s.state(now) == SilenceState::Active);
            let silencing: Vec<_> = active.filter(|s| s.matches(labels)).map(|s| s.id).collect();
            let muted = view.muted_by(labels, now);
            assert_eq!(muted.silences, silencing, "{labels:?}");
            let inhibits = |source: &Labels| inhibits(&view.policy.inhibit_rules[0], source, labels);
            let mut firing = view.alerts().filter(|known| !known.alert.is_resolved(now));
            assert_eq!(muted.inhibitor.is_some(), firing.any(|known| inhibits(&known.alert.labels)), "{labels:?}");
        }
    }

    /// Whoever looks for a label finds its alerts, and nothing changes with time alone before it is said to.
    fn check_reads(&self) {
        let (view, now) = (&self.engine.view, self.now);
        let Some(first) = view.alerts().next() else { return };
        let pair = first.alert.labels.iter().last().expect("no alert is without labels");
        let wanted = [Matcher::new(pair.0, MatchOp::Equal, pair.1).unwrap()];
        let matching = |known: &KnownAlert<'_>| all_match(&wanted, &known.alert.labels);
        let pairs = DemandedPairs::of(&wanted);
        let found = view.alerts_after(None, &pairs).filter(matching).map(|known| known.fingerprint);
        assert!(found.eq(view.alerts().filter(matching).map(|known| known.fingerprint)), "{wanted:?}");
        let before_the_change = Timestamp::from_micros(view.next_change_after(now).as_micros() - 1);
        assert_eq!(shown(view, now), shown(view, before_the_change), "until {before_the_change:?}");
    }

    fn check_groups(&self) {
        for (id, group) in self.engine.view.groups.iter() {
            assert!(!group.alerts.is_empty(), "{} is empty", group.key);
            assert!(self.engine.timers.is_set(&Timer::Flush(*id)), "{} is never flushed", group.key);
            for fingerprint in group.alerts.iter() {
                let slot = self.engine.view.alerts.get(fingerprint).expect("every alert of a group is stored");
                assert!(slot.groups.contains(id), "{} holds an alert that is not routed to it", group.key);
            }
        }
    }
}

/// What readers are shown that depends on the time.
fn shown(view: &View, now: Timestamp) -> impl PartialEq + std::fmt::Debug {
    let alerts = view.alerts().map(|known| {
        let alert = known.alert;
        (known.fingerprint, alert.ends_at >= now, alert.is_resolved(now), view.muted_by(&alert.labels, now))
    });
    let silences = view.shown_silences(now).map(|s| (s.id, s.state(now), s.ends_at == now));
    (alerts.collect::<Vec<_>>(), silences.collect::<Vec<_>>())
}

#[test]
fn a_reader_knows_when_time_alone_changes_what_is_shown() {
    let at = |seconds| START + Duration::from_secs(seconds);
    let mut history = History::new();
    let next = |history: &History, seconds| history.engine.view.next_change_after(at(seconds));
    assert_eq!(next(&history, 0), Timestamp::MAX);
    let labels = Labels::from_iter([("a", "1")]);
    let ends_at = Some((at(100), UtcOffset(0)));
    history.take(Step::Post(Posted { labels, ends_at, ..Posted::default() }));
    assert_eq!([next(&history, 0), next(&history, 99), next(&history, 100)], [at(100), at(100), at(100).next()]);
    assert_eq!(next(&history, 101), Timestamp::MAX);
}

fn inhibits(rule: &InhibitRule, source: &Labels, target: &Labels) -> bool {
    let is_source = |labels| all_match(&rule.source_matchers, labels);
    let is_target = |labels| all_match(&rule.target_matchers, labels);
    is_source(source)
        && is_target(target)
        && !(is_target(source) && is_source(target))
        && rule.equal.iter().all(|name| source.value(name) == target.value(name))
}

/// Everything to one receiver, grouped by host, which `a="1"` inhibits `b="1"` on.
fn policy() -> Policy {
    let is_one = |name: &str| vec![Matcher::new(name, MatchOp::Equal, "1").unwrap()];
    let root = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: Vec::new(),
        receiver: "r".into(),
        group_by: GroupBy::Names(vec!["host".into()]),
        group_wait: Duration::from_secs(1),
        group_interval: Duration::from_secs(2),
        repeat_interval: Duration::from_secs(3600),
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        continues: false,
        children: Vec::new(),
        labels: Labels::default(),
    };
    let integrations = vec![Integration { kind: "webhook".into(), index: 0, send_resolved: true }];
    let equal = vec!["host".into()];
    Policy {
        routes: vec![root],
        inhibit_rules: vec![InhibitRule {
            name: "".into(),
            source_matchers: is_one("a"),
            target_matchers: is_one("b"),
            equal,
        }],
        time_intervals: BTreeMap::new(),
        receivers: vec![Receiver { name: "r".into(), labels: Labels::default(), integrations }],
        resolve_timeout: Duration::from_secs(300),
        vigil: Vigil::default(),
    }
}
