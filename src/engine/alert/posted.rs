//! An alert as a sender posts it, and what it must be to be taken: Alertmanager's normalisation and checks.

use std::time::Duration;

use smol_str::SmolStr;
use watchbell_golang::quote::quote;

use super::Alert;
use crate::label::Labels;
use crate::matcher::parse::{Syntax, is_valid_label_name};
use crate::time::{Timestamp, UtcOffset};

/// An alert as it was posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// Pairs with an empty value count as absent.
    pub labels: Labels,
    /// Empty values stay.
    pub annotations: Labels,
    /// With the sender's zone; `None` if it was not given.
    pub starts_at: Option<(Timestamp, UtcOffset)>,
    /// With the sender's zone; `None` if it was not given.
    pub ends_at: Option<(Timestamp, UtcOffset)>,
    /// May be empty.
    pub generator_url: SmolStr,
}

/// Why an alert is not taken, in Alertmanager's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// It ends before it starts.
    #[error("start time must be before end time")]
    EndsBeforeStart,
    /// Nothing identifies it.
    #[error("at least one label pair required")]
    NoLabels,
    /// A label has a name that is none.
    #[error("invalid label set: invalid name {}", quote(.0))]
    LabelName(SmolStr),
    /// An annotation has a name that is none.
    #[error("invalid annotations: invalid name {}", quote(.0))]
    AnnotationName(SmolStr),
}

/// What the alerts of one request are taken with.
#[derive(Clone, Copy, Debug)]
pub struct Intake {
    /// When they arrive.
    pub now: Timestamp,
    /// The server's zone, for times that the sender left out.
    pub zone: UtcOffset,
    /// How long an alert without an end fires.
    pub resolve_timeout: Duration,
    /// Which names a label may have.
    pub syntax: Syntax,
}

impl Posted {
    /// Whether it says that it is over at `now`.
    pub fn is_resolved(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|(ends_at, _)| ends_at <= now)
    }

    /// The alert, with everything filled in that the sender left out.
    pub fn accept(self, intake: Intake) -> Result<Alert, AlertError> {
        let Intake { now, zone, resolve_timeout, syntax } = intake;
        let timeout = self.ends_at.is_none();
        let (starts_at, starts_offset) = self.starts_at.or(self.ends_at).unwrap_or((now, zone));
        let (ends_at, ends_offset) = self.ends_at.unwrap_or((now + resolve_timeout, zone));
        if ends_at < starts_at {
            return Err(AlertError::EndsBeforeStart);
        }
        let labels = self.labels.without_empty_values();
        check_names(&labels, &self.annotations, syntax)?;
        let (annotations, generator_url, updated_at) = (self.annotations, self.generator_url, now);
        Ok(Alert {
            labels,
            annotations,
            starts_at,
            starts_offset,
            ends_at,
            ends_offset,
            updated_at,
            generator_url,
            timeout,
        })
    }
}

fn check_names(labels: &Labels, annotations: &Labels, syntax: Syntax) -> Result<(), AlertError> {
    let bad_name = |set: &Labels| set.iter().find(|(n, _)| !is_valid_label_name(syntax, n)).map(|(n, _)| n.into());
    if labels.is_empty() {
        return Err(AlertError::NoLabels);
    }
    bad_name(labels).map_or(Ok(()), |name| Err(AlertError::LabelName(name)))?;
    bad_name(annotations).map_or(Ok(()), |name| Err(AlertError::AnnotationName(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);

    fn accept(posted: Posted) -> Result<Alert, AlertError> {
        let (resolve_timeout, syntax) = (Duration::from_secs(300), Syntax::Fallback);
        posted.accept(Intake { now: NOW, zone: UtcOffset(0), resolve_timeout, syntax })
    }

    fn posted(starts: Option<i64>, ends: Option<i64>) -> Posted {
        let at = |s: i64| (Timestamp::from_secs(s), UtcOffset(60));
        let labels = Labels::from_iter([("alertname", "A"), ("empty", "")]);
        Posted { labels, starts_at: starts.map(at), ends_at: ends.map(at), ..Posted::default() }
    }

    #[test]
    fn what_the_sender_left_out_is_filled_in() {
        for (starts, ends, want) in [
            (None, None, (1000, 1300, true)),
            (Some(900), None, (900, 1300, true)),
            (None, Some(1200), (1200, 1200, false)),
            (Some(900), Some(1200), (900, 1200, false)),
        ] {
            let alert = accept(posted(starts, ends)).unwrap();
            assert_eq!((alert.starts_at.as_secs(), alert.ends_at.as_secs(), alert.timeout), want);
            assert_eq!((alert.labels.len(), alert.updated_at), (1, NOW));
        }
    }

    #[test]
    fn what_cannot_be_an_alert_is_refused() {
        assert_eq!(accept(posted(Some(1200), Some(900))), Err(AlertError::EndsBeforeStart));
        assert!(accept(posted(Some(900), Some(900))).is_ok());
        assert_eq!(accept(Posted::default()), Err(AlertError::NoLabels));
        let nameless = Posted { labels: Labels::from_iter([("", "x")]), ..Posted::default() };
        assert_eq!(accept(nameless).unwrap_err().to_string(), r#"invalid label set: invalid name """#);
    }
}
