//! What people on IRC want to be done: as inputs to the driver, and its answers in a line or two. Who may want it has
//! been judged before.

use std::time::Duration;

use tokio::sync::mpsc;
use watchbell_engine::alert::Alert;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::parse::{self, Syntax};
use watchbell_engine::matcher::{MatchOp, Matcher, all_match};
use watchbell_engine::silence::edit::Draft;
use watchbell_engine::silence::{SilenceId, SilenceState};
use watchbell_engine::view::View;

use crate::driver::Handle;
use crate::receivers::{IrcNetworks, IrcRequest, IrcSubject, IrcWant};
use crate::{clock, version};

/// Alerts that are named in one answer.
const NAMED_ALERTS: usize = 3;

/// Does what is wanted, one request after the other, until nobody can want anything any more.
pub(super) async fn obey(handle: Handle, irc: IrcNetworks, mut requests: mpsc::Receiver<IrcRequest>, syntax: Syntax) {
    while let Some(request) = requests.recv().await {
        let done = Obeying { handle: &handle, request: &request, syntax }.obey().await;
        irc.answer(&request, vec![done.unwrap_or_else(|error| format!("{}: {error}", request.account))]);
    }
}

/// One request.
struct Obeying<'a> {
    handle: &'a Handle,
    request: &'a IrcRequest,
    syntax: Syntax,
}

impl Obeying<'_> {
    async fn obey(&self) -> Result<String, String> {
        match &self.request.wants {
            IrcWant::Status => Ok(status(&self.view().await?)),
            IrcWant::Alerts { matchers } => {
                let matchers = if matchers.is_empty() { Vec::new() } else { self.matchers(matchers)? };
                Ok(alerts(&self.view().await?, &matchers, &self.handle.running().external_url))
            }
            IrcWant::Silence { subject, lasts, comment } => self.silence(subject, *lasts, comment).await,
            IrcWant::Unsilence { id } => {
                let id = SilenceId::parse(id).ok_or("that is no id of a silence")?;
                self.handle.expire_silence(id).await.map_err(|error| error.to_string())?;
                Ok(format!("silence {id} is over"))
            }
        }
    }

    async fn silence(&self, subject: &IrcSubject, lasts: Duration, comment: &str) -> Result<String, String> {
        let matchers = match subject {
            IrcSubject::Group(labels) => exactly(labels)?,
            IrcSubject::Matchers(text) => selective(self.matchers(text)?)?,
        };
        let shown = parse::braced(&matchers);
        let draft = Draft {
            id: None,
            matcher_sets: vec![matchers],
            starts_at: None,
            ends_at: clock::now() + lasts,
            created_by: format!("irc:{}/{}", self.request.server, self.request.account).into(),
            comment: comment.into(),
            annotations: Labels::default(),
        };
        let id = self.handle.set_silence(draft).await.map_err(|error| error.to_string())?;
        Ok(format!("silenced {shown} for {} min: {id}", lasts.as_secs().div_ceil(60)))
    }

    fn matchers(&self, text: &str) -> Result<Vec<Matcher>, String> {
        parse::matchers(self.syntax, text).map(|parsed| parsed.value).map_err(|error| error.to_string())
    }

    async fn view(&self) -> Result<View, String> {
        self.handle.view().await.map_err(|error| error.to_string())
    }
}

/// What matches the alerts of the group with these labels.
fn exactly(labels: &Labels) -> Result<Vec<Matcher>, String> {
    if labels.is_empty() {
        return Err("the group has no labels: its silence would hush everything".to_owned());
    }
    let equal =
        |(name, value): (&str, &str)| Matcher::new(name, MatchOp::Equal, value).map_err(|error| error.to_string());
    labels.iter().map(equal).collect()
}

/// Refuses matchers of which none tells one thing from another.
fn selective(matchers: Vec<Matcher>) -> Result<Vec<Matcher>, String> {
    let is_positive = |matcher: &Matcher| matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex);
    // No label has this value, so that only a pattern for everything matches it.
    let tells_apart = |matcher: &Matcher| {
        is_positive(matcher) && !["", "\u{1}any\u{1}"].iter().any(|value| matcher.matches_value(value))
    };
    match matchers.iter().any(tells_apart) {
        true => Ok(matchers),
        false => Err("that would hush too much: name at least one value".to_owned()),
    }
}

fn status(view: &View) -> String {
    let now = clock::now();
    let firing = view.alerts().filter(|known| !known.alert.is_resolved(now)).count();
    let silences = view.silences().iter().filter(|silence| silence.state(now) == SilenceState::Active).count();
    format!("{} {}: {firing} alerts fire, {silences} silences are active", version::PROGRAM, version::VERSION)
}

/// How many alerts fire, and the first of them.
fn alerts(view: &View, matchers: &[Matcher], url: &str) -> String {
    let now = clock::now();
    let fires = |alert: &&Alert| !alert.is_resolved(now) && all_match(matchers, &alert.labels);
    let firing: Vec<&Alert> = view.alerts().map(|known| known.alert.as_ref()).filter(fires).collect();
    let unmuted: Vec<&Alert> =
        firing.iter().copied().filter(|alert| !view.muted_by(&alert.labels, now).is_muted()).collect();
    let named: Vec<String> = unmuted.iter().take(NAMED_ALERTS).map(|alert| named(alert)).collect();
    let more = unmuted.len().saturating_sub(NAMED_ALERTS);
    let rest = if more > 0 { format!(", and {more} more: {url}") } else { String::new() };
    let muted = firing.len() - unmuted.len();
    format!("{} alerts fire ({muted} muted) {}{rest}", firing.len(), named.join(", ")).trim_end().to_owned()
}

/// Severity, name and place of an alert, as far as it has them. Its values may hold anything.
fn named(alert: &Alert) -> String {
    let words = ["severity", "alertname", "instance"].map(|label| alert.labels.value(label));
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> bool {
        selective(parse::matchers(Syntax::Fallback, text).unwrap().value).is_ok()
    }

    #[test]
    fn a_silence_for_everything_is_refused() {
        assert!(judged("a=b") && judged("a=~\"b|c.*\"") && judged("a!=b,c=d"));
        for text in ["a=~\".+\"", "a=~\".*\"", "a!=b", "a!~b", "a=\"\""] {
            assert!(!judged(text), "{text}");
        }
        assert!(exactly(&Labels::default()).is_err());
    }
}
