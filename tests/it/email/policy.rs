//! A policy service for postfix (its `SMTPD_POLICY_README`): decides for each step of a conversation whether postfix
//! goes on or answers with a code of the test's choice. It is how a real server is made to refuse, to defer and to grey-list.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::harness::address;

/// The lines of `main.cf` that make postfix ask at every step.
pub(super) const ASKED_EVERYWHERE: &str = "
smtpd_delay_reject = no
smtpd_client_restrictions = check_policy_service inet:{policy}
smtpd_sender_restrictions = check_policy_service inet:{policy}
smtpd_recipient_restrictions = check_policy_service inet:{policy}, permit_mynetworks, reject
smtpd_data_restrictions = check_policy_service inet:{policy}
smtpd_end_of_data_restrictions = check_policy_service inet:{policy}
";

/// The service.
pub(super) struct Policy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    asked: Vec<Question>,
}

/// Answers so, as long as `times` is not used up.
struct Rule {
    step: String,
    recipient: String,
    answer: String,
    times: usize,
}

/// What postfix asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// `CONNECT`, `MAIL`, `RCPT`, `DATA` or `END-OF-MESSAGE`.
    pub(super) step: String,
    /// At `RCPT`, whom the mail is for.
    pub(super) recipient: String,
}

impl Policy {
    pub(super) fn start() -> Self {
        let address = address::reserve();
        let listener = TcpListener::bind(address).expect("the address is free");
        let state = Arc::<Mutex<State>>::default();
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state }
    }

    /// The lines of `main.cf` with which postfix asks this service.
    pub(super) fn main_cf(&self) -> String {
        ASKED_EVERYWHERE.replace("{policy}", &self.address.to_string())
    }

    /// Answers `times` questions at `step` about recipients that begin with `recipient` with `answer`, an SMTP reply.
    pub(super) fn answer(&self, step: &str, recipient: &str, answer: &str, times: usize) {
        let [step, recipient, answer] = [step, recipient, answer].map(str::to_owned);
        lock(&self.state).rules.push(Rule { step, recipient, answer, times });
    }

    /// All questions so far.
    pub(super) fn asked(&self) -> Vec<Question> {
        lock(&self.state).asked.clone()
    }

    /// How often postfix got to `step`, for recipients that begin with `recipient`.
    pub(super) fn count(&self, step: &str, recipient: &str) -> usize {
        self.asked().iter().filter(|asked| asked.step == step && asked.recipient.starts_with(recipient)).count()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one smtpd's questions until it leaves.
fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let mut attributes = HashMap::new();
        for line in lines.by_ref() {
            let Ok(line) = line else { return };
            let Some((name, value)) = line.split_once('=') else { break };
            attributes.insert(name.to_owned(), value.to_owned());
        }
        let Some(step) = attributes.get("protocol_state") else { return };
        let recipient = if step == "RCPT" { attributes["recipient"].clone() } else { String::new() };
        let action = decide(&mut lock(state), Question { step: step.clone(), recipient });
        if write!(&*stream, "action={action}\n\n").is_err() {
            return;
        }
    }
}

fn decide(state: &mut State, question: Question) -> String {
    let fits = |rule: &&mut Rule| {
        rule.times > 0 && rule.step == question.step && question.recipient.starts_with(&rule.recipient)
    };
    let rule = state.rules.iter_mut().find(fits);
    let action = rule.map_or_else(
        || "DUNNO".to_owned(),
        |rule| {
            rule.times -= 1;
            rule.answer.clone()
        },
    );
    state.asked.push(question);
    action
}
