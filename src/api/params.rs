//! Query parameters, read as leniently as Alertmanager reads them: unknown ones are passed over, and no truth value is
//! wrong.

use std::collections::BTreeSet;

use smol_str::SmolStr;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::parse::{self, ParseError, Syntax};
use watchbell_engine::matcher::{Matcher, all_match};
use watchbell_engine::pairs::DemandedPairs;
use watchbell_engine::policy::Policy;
use watchbell_golang::Regex;

use super::error::Refusal;
use super::wire::shown::Named;

/// The parameters of a request, decoded.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(query: Option<&str>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Whether `name` is true; the last one given counts, and an empty or absent one is true as well: that is the
    /// default of every such parameter.
    pub(super) fn is_on(&self, name: &str) -> bool {
        const TRUE: [&str; 10] = ["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"];
        self.last(name).is_none_or(|value| TRUE.iter().any(|word| word.eq_ignore_ascii_case(value)))
    }

    /// The last value of `name` unless it is empty.
    fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().filter(|value| !value.is_empty())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The matchers given as `filter`, one each.
    pub(super) fn filters(&self, syntax: Syntax) -> Result<Vec<Matcher>, Refusal> {
        self.matchers("filter", syntax).map_err(Refusal::bad_request)
    }

    /// The matchers given as `receiver_matchers`.
    pub(super) fn receiver_matchers(&self, syntax: Syntax) -> Result<Vec<Matcher>, Refusal> {
        let refuse = |error| Refusal::bad_request(format!("failed to parse receiver_matchers param: {error}"));
        self.matchers("receiver_matchers", syntax).map_err(refuse)
    }

    fn matchers(&self, name: &str, syntax: Syntax) -> Result<Vec<Matcher>, ParseError> {
        let read = |text| {
            let parsed = parse::matcher(syntax, text)?;
            if let Some(warning) = parsed.warning {
                tracing::warn!(component = "api", origin = "api", "{warning}");
            }
            Ok(parsed.value)
        };
        self.all(name).map(read).collect()
    }

    /// The pattern is wrapped before it is compiled, so that an error shows what Alertmanager's shows.
    fn receiver(&self) -> Result<Option<Regex>, Refusal> {
        let regex = self.last("receiver").map(|pattern| Regex::new(&format!("^(?:{pattern})$"))).transpose();
        regex.map_err(|error| Refusal::bad_request(format!("failed to parse receiver param: {error}")))
    }
}

/// Which alerts are asked for.
#[derive(Debug)]
pub(super) struct AlertFilter {
    matchers: Vec<Matcher>,
    demanded: DemandedPairs,
    receiver: Option<Regex>,
    receiver_matchers: Vec<Matcher>,
    active: bool,
    silenced: bool,
    inhibited: bool,
}

impl AlertFilter {
    pub(super) fn new(query: &Query, syntax: Syntax) -> Result<Self, Refusal> {
        let matchers = query.filters(syntax)?;
        Ok(Self {
            demanded: DemandedPairs::of(&matchers),
            matchers,
            receiver: query.receiver()?,
            receiver_matchers: query.receiver_matchers(syntax)?,
            active: query.is_on("active"),
            silenced: query.is_on("silenced"),
            inhibited: query.is_on("inhibited"),
        })
    }

    /// What every alert that is asked for must have.
    pub(super) fn demanded(&self) -> &DemandedPairs {
        &self.demanded
    }

    /// Whether alerts with these labels are asked for.
    pub(super) fn wants_labels(&self, labels: &Labels) -> bool {
        all_match(&self.matchers, labels)
    }

    /// Whether alerts in this state are asked for.
    pub(super) fn wants_state(&self, silenced: bool, inhibited: bool) -> bool {
        (self.active || silenced || inhibited) && (self.silenced || !silenced) && (self.inhibited || !inhibited)
    }

    /// Which of the policy's receivers are asked for.
    pub(super) fn receivers(&self, policy: &Policy) -> ReceiverFilter {
        let names = |keep: &dyn Fn(&watchbell_engine::policy::Receiver) -> bool| {
            policy.receivers.iter().filter(|receiver| keep(receiver)).map(|receiver| receiver.name.clone()).collect()
        };
        let by_name = self.receiver.as_ref().map(|regex| names(&|receiver| regex.is_match(&receiver.name)));
        let asked = !self.receiver_matchers.is_empty();
        let by_labels = asked.then(|| names(&|receiver| all_match(&self.receiver_matchers, &receiver.labels)));
        ReceiverFilter { by_name, by_labels }
    }
}

/// Names of receivers, by each of the two parameters that choose receivers; `None` chooses all.
#[derive(Debug)]
pub(super) struct ReceiverFilter {
    by_name: Option<BTreeSet<SmolStr>>,
    by_labels: Option<BTreeSet<SmolStr>>,
}

impl ReceiverFilter {
    /// Whether each parameter chooses one of these receivers.
    pub(super) fn wants_any(&self, receivers: &[Named<'_>]) -> bool {
        let mut parameters = [&self.by_name, &self.by_labels].into_iter().flatten();
        parameters.all(|chosen| receivers.iter().any(|receiver| chosen.contains(receiver.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_read_leniently() {
        let query = Query::new(Some("a=False&b=True&c=1&d=maybe&e=&f=true&f=false&g=ENABLED"));
        let on = ["a", "b", "c", "d", "e", "f", "g", "absent"].map(|name| query.is_on(name));
        assert_eq!(on, [false, true, true, false, true, false, true, true]);
    }

    #[test]
    fn values_are_decoded_and_repeated() {
        let query = Query::new(Some("filter=a%3D%22x+y%22&filter=b=c&receiver="));
        assert_eq!(query.all("filter").collect::<Vec<_>>(), ["a=\"x y\"", "b=c"]);
        assert_eq!(query.last("receiver"), None);
    }

    #[test]
    fn a_bad_receiver_is_told_as_go_tells_it() {
        let refusal = Query::new(Some("receiver=(")).receiver().unwrap_err();
        let text = "failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`";
        assert_eq!(refusal, Refusal::bad_request(text));
    }
}
