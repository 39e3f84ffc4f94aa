//! The protocol as the log may show it: without passwords and keys, in whichever direction they go. A server that echoes
//! sends ours back.

use super::plan::Plan;
use super::session::Secrets;
use crate::settings::secret::REDACTED;

/// Shorter ones would blot out half of what is said.
const SHORTEST_SECRET: usize = 3;

/// Knows what is not to be shown.
pub(super) struct Redactor(Vec<String>);

impl Redactor {
    pub(super) fn new(plan: &Plan, secrets: &Secrets) -> Self {
        let Secrets { server, sasl, nickserv, channels } = secrets;
        let settings = &plan.settings;
        let inline = [&settings.password, &settings.sasl.password, &settings.nickserv.password];
        let all = [server, sasl, nickserv].into_iter().chain(channels).map(String::as_str);
        let all = all.chain(inline.iter().map(|secret| secret.reveal()));
        Self(all.filter(|secret| secret.len() >= SHORTEST_SECRET).map(str::to_owned).collect())
    }

    /// `line` without secrets. What is said within a login is not shown at all.
    pub(super) fn shown(&self, line: &str) -> String {
        for verb in ["AUTHENTICATE ", "PASS "] {
            if let Some(at) = line.find(verb).filter(|at| *at == 0 || line.starts_with([':', '@'])) {
                return format!("{}{verb}{REDACTED}", &line[..at]);
            }
        }
        self.0.iter().fold(line.to_owned(), |line, secret| line.replace(secret, REDACTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_whoever_says_them() {
        let redactor = Redactor(vec!["hunter2".to_owned()]);
        assert_eq!(redactor.shown("PASS short"), "PASS <secret>");
        assert_eq!(redactor.shown("AUTHENTICATE Zm9v"), "AUTHENTICATE <secret>");
        assert_eq!(
            redactor.shown(":me!u@h PRIVMSG NickServ :IDENTIFY hunter2"),
            ":me!u@h PRIVMSG NickServ :IDENTIFY <secret>"
        );
        assert_eq!(redactor.shown("JOIN #c hunter2"), "JOIN #c <secret>");
    }
}
