//! What a mail server's refusal means: whether it is for now or for good, and how long to wait (RFC 5321 4.2, RFC 3463).

use std::error::Error;
use std::time::Duration;

use lettre::transport::smtp;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::outcome::{permanent, transient};

/// How long a server that greylists us is left alone. Most take a mail at the second attempt after one to five minutes.
const GREYLIST_PAUSE: Duration = Duration::from_secs(60);

/// How long to wait after a failed login, which an operator has to mend; more often looks like guessing.
const LOGIN_PAUSE: Duration = Duration::from_secs(60);

/// How much of a server's words is kept, in characters.
const MAX_TEXT: usize = 500;

/// The failure of `step`. Without an answer there may be one at the next attempt.
pub(super) fn failed(step: &str, error: &smtp::Error) -> Failure {
    match (error.status(), error.source()) {
        (Some(code), Some(words)) => refused(step, code.into(), &words.to_string()),
        (Some(code), None) => refused(step, code.into(), ""),
        (None, _) => transient(format!("{step}: {error}")),
    }
}

/// The failure of `step` to which a server answered with `code` and `words`. 5xx is final, except where it speaks of
/// our login, or says by its enhanced code that it is not.
pub(super) fn refused(step: &str, code: u16, words: &str) -> Failure {
    let shown: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect();
    let text = format!("{step}: {code} {}", shown.trim());
    match (code, enhanced(words).and_then(|code| code.chars().next())) {
        (530 | 534 | 535 | 538, _) => {
            Failure { kind: FailureKind::AuthError, retry_after: Some(LOGIN_PAUSE), ..transient(text) }
        }
        (500.., class) if class != Some('4') => Failure { kind: FailureKind::ClientError, ..permanent(text) },
        _ => {
            let retry_after = is_greylisting(words).then_some(GREYLIST_PAUSE);
            Failure { kind: FailureKind::ServerError, retry_after, ..transient(text) }
        }
    }
}

/// Whether the server said so itself: then the conversation can go on.
pub(super) fn is_answer(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::ClientError | FailureKind::ServerError | FailureKind::AuthError)
}

/// The enhanced code in an answer, like `4.7.1`.
fn enhanced(said: &str) -> Option<&str> {
    let is_code = |word: &&str| {
        let numbers: Vec<&str> = word.split('.').collect();
        let fits = |number: &&str| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        numbers.len() == 3 && matches!(numbers[0], "2" | "4" | "5") && numbers.iter().all(fits)
    };
    said.split_whitespace().find(is_code)
}

/// Some greylists say 4.7.1, and others only in words what they are.
fn is_greylisting(said: &str) -> bool {
    let words = said.to_ascii_lowercase();
    enhanced(said) == Some("4.7.1") || words.contains("greylist") || words.contains("graylist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greylisting_is_known_by_its_code_or_its_name() {
        assert!(is_greylisting("4.7.1 try again in 300 seconds"));
        assert!(is_greylisting("4.2.0 <a@b>: Recipient address rejected: Greylisted"));
        assert!(!is_greylisting("4.3.0 10.4.7.1 is busy"));
    }

    #[test]
    fn an_enhanced_code_has_three_numbers_and_a_class() {
        assert_eq!(enhanced("5.1.1 who?"), Some("5.1.1"));
        assert_eq!(enhanced("from 10.0.0.1: 4.4.1000 or 3.1.1 or 4.4"), None);
    }

    #[test]
    fn five_hundred_is_final_but_for_logins_and_contradictions() {
        let outcome = |code, words| {
            let failure = refused("RCPT", code, words);
            (failure.kind, failure.retry, failure.retry_after.map(|pause| pause.as_secs()))
        };
        assert_eq!(outcome(550, "5.1.1 who?"), (FailureKind::ClientError, false, None));
        assert_eq!(outcome(554, "4.3.2 later"), (FailureKind::ServerError, true, None));
        assert_eq!(outcome(535, "5.7.8 no"), (FailureKind::AuthError, true, Some(60)));
        assert_eq!(outcome(451, "4.7.1 grey"), (FailureKind::ServerError, true, Some(60)));
        assert_eq!(outcome(421, ""), (FailureKind::ServerError, true, None));
        assert_eq!(refused("DATA", 550, "5.7.1 no\r\nspam").text, "DATA: 550 5.7.1 no  spam");
    }
}
