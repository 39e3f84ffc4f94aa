//! What somebody on IRC may wish for, and how it is written. Pure text.

use std::time::Duration;

use crate::settings::duration::PrometheusDuration;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// `help`
    Help,
    /// `status`
    Status,
    /// `alerts [matchers]`
    Alerts { matchers: String },
    /// `ack <id> [duration] [comment]`
    Ack { id: String, lasts: Option<Duration>, comment: String },
    /// `silence <matchers> <duration> <comment>`
    Silence { matchers: String, lasts: Duration, comment: String },
    /// `unsilence <id of a silence>`
    Unsilence { id: String },
}

/// What there is to wish for.
pub(super) const HELP: [&str; 2] = [
    "help | status | alerts [matchers] | ack <id> [duration] [comment]",
    "silence <matchers> <duration> <comment> | unsilence <silence id> (durations like 30m or 2h)",
];

impl Wish {
    /// Reads what follows the prefix. `None` if it is no command of ours: there may be other bots.
    pub(super) fn parse(text: &str) -> Option<Result<Self, String>> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (name, rest) = words.split_first()?;
        Some(match name.to_ascii_lowercase().as_str() {
            "help" => Ok(Self::Help),
            "status" => Ok(Self::Status),
            "alerts" => Ok(Self::Alerts { matchers: matchers(rest) }),
            "ack" => ack(rest),
            "silence" => silence(rest),
            "unsilence" => match rest {
                [id] => Ok(Self::Unsilence { id: (*id).to_owned() }),
                _ => Err("usage: unsilence <silence id>".to_owned()),
            },
            _ => return None,
        })
    }

    /// Whether it changes anything.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::Ack { .. } | Self::Silence { .. } | Self::Unsilence { .. })
    }

    /// How long a silence that it makes lasts, if it says so.
    pub(super) fn lasts(&self) -> Option<Duration> {
        match self {
            Self::Ack { lasts, .. } => *lasts,
            Self::Silence { lasts, .. } => Some(*lasts),
            _ => None,
        }
    }
}

fn ack(words: &[&str]) -> Result<Wish, String> {
    let [id, rest @ ..] = words else { return Err("usage: ack <id> [duration] [comment]".to_owned()) };
    let (lasts, comment) = match rest.split_first().map(|(first, tail)| (duration(first), tail)) {
        Some((Some(lasts), tail)) => (Some(lasts), tail),
        _ => (None, rest),
    };
    let id = id.trim_matches(['⟨', '⟩']).to_ascii_lowercase();
    Ok(Wish::Ack { id, lasts, comment: comment.join(" ") })
}

fn silence(words: &[&str]) -> Result<Wish, String> {
    let usage = || "usage: silence <matchers> <duration> <comment>".to_owned();
    let at = words.iter().position(|word| duration(word).is_some()).filter(|at| *at > 0).ok_or_else(usage)?;
    let comment = words[at + 1..].join(" ");
    let lasts = duration(words[at]).ok_or_else(usage)?;
    if comment.is_empty() {
        return Err(usage());
    }
    Ok(Wish::Silence { matchers: matchers(&words[..at]), lasts, comment })
}

/// `a=b c=~d`, or all of them in braces, as one list.
fn matchers(words: &[&str]) -> String {
    let braced = words.first().is_some_and(|first| first.starts_with('{'));
    words.join(if braced { " " } else { "," })
}

fn duration(word: &str) -> Option<Duration> {
    PrometheusDuration::try_from(word.to_owned()).ok().map(|span| span.0).filter(|span| !span.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let read = |text| Wish::parse(text).unwrap().unwrap();
        let minutes = |count: u64| Duration::from_secs(count * 60);
        assert_eq!(read("HELP"), Wish::Help);
        assert_eq!(read("alerts a=b  c=~d"), Wish::Alerts { matchers: "a=b,c=~d".into() });
        assert_eq!(
            read("ack ⟨00AABBCC⟩ 30m looking at it"),
            Wish::Ack { id: "00aabbcc".into(), lasts: Some(minutes(30)), comment: "looking at it".into() }
        );
        assert_eq!(read("ack 1 on it"), Wish::Ack { id: "1".into(), lasts: None, comment: "on it".into() });
        assert_eq!(
            read("silence {a=\"b c\", d!=e} 1h30m why"),
            Wish::Silence { matchers: "{a=\"b c\", d!=e}".into(), lasts: minutes(90), comment: "why".into() }
        );
        assert_eq!(read("unsilence x"), Wish::Unsilence { id: "x".into() });
    }

    #[test]
    fn what_is_incomplete_is_explained_and_what_is_foreign_is_not_ours() {
        for text in ["ack", "silence", "silence a=b", "silence a=b 1h", "silence 1h why", "unsilence", "unsilence a b"]
        {
            assert!(Wish::parse(text).unwrap().unwrap_err().starts_with("usage: "), "{text}");
        }
        assert_eq!((Wish::parse("weather"), Wish::parse("")), (None, None));
    }
}
