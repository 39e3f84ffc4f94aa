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
    /// It would be a burden on everything that handles it.
    #[error("alert is too large: {0} bytes of labels and annotations (limit: {MAX_ALERT_BYTES} bytes)")]
    TooLarge(usize),
}

/// The largest alert that is taken, in bytes of names and values: far above what a rule writes, far below what would
/// hurt the store or a receiver.
const MAX_ALERT_BYTES: usize = 1 << 20;

impl Posted {
    /// The alert, with everything filled in that the sender left out.
    pub fn accept(self, now: Timestamp, resolve_timeout: Duration, syntax: Syntax) -> Result<Alert, AlertError> {
        let timeout = self.ends_at.is_none();
        let here_and_now = (now, UtcOffset::default());
        let (starts_at, starts_offset) = self.starts_at.or(self.ends_at).unwrap_or(here_and_now);
        let (ends_at, ends_offset) = self.ends_at.unwrap_or((now + resolve_timeout, UtcOffset::default()));
        let labels = self.labels.without_empty_values();
        check(&labels, &self.annotations, syntax)?;
        if ends_at < starts_at {
            return Err(AlertError::EndsBeforeStart);
        }
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

fn check(labels: &Labels, annotations: &Labels, syntax: Syntax) -> Result<(), AlertError> {
    let bad_name = |set: &Labels| set.iter().find(|(n, _)| !is_valid_label_name(syntax, n)).map(|(n, _)| n.into());
    let size: usize = labels.iter().chain(annotations.iter()).map(|(name, value)| name.len() + value.len()).sum();
    if labels.is_empty() {
        Err(AlertError::NoLabels)
    } else if let Some(name) = bad_name(labels) {
        Err(AlertError::LabelName(name))
    } else if let Some(name) = bad_name(annotations) {
        Err(AlertError::AnnotationName(name))
    } else if size > MAX_ALERT_BYTES {
        Err(AlertError::TooLarge(size))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);

    fn accept(posted: Posted) -> Result<Alert, AlertError> {
        posted.accept(NOW, Duration::from_secs(300), Syntax::Fallback)
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
        let huge = Posted { labels: Labels::from_iter([("a", "x".repeat(MAX_ALERT_BYTES))]), ..Posted::default() };
        assert!(matches!(accept(huge), Err(AlertError::TooLarge(_))));
    }
}
