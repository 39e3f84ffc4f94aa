//! Matchers, in the three ways in which a file writes them.

use watchbell_engine::matcher::parse::{Syntax, is_valid_label_name};
use watchbell_engine::matcher::{MatchOp, Matcher, parse};

use super::check::Check;
use super::file::MatchMap;
use super::yaml::At;

/// All matchers of one rule, sorted. The list is left in the form in which it is shown: sorted and canonical.
pub(super) fn matchers(
    check: &mut Check<'_>,
    equal: &MatchMap,
    regex: &MatchMap,
    list: &mut Vec<At<String>>,
) -> Vec<Matcher> {
    let mut listed: Vec<At<Matcher>> = list.iter().flat_map(|text| from_text(check, text)).collect();
    listed.sort_by(|a, b| a.value.cmp(&b.value));
    *list = listed.iter().map(|matcher| At { value: matcher.to_string(), place: matcher.place.clone() }).collect();
    let mut matchers = from_map(check, equal, MatchOp::Equal);
    matchers.extend(from_map(check, regex, MatchOp::Regex));
    matchers.extend(listed.into_iter().map(|matcher| matcher.value));
    matchers.sort();
    matchers
}

/// The deprecated maps; their names are held to the classic rules whatever the syntax.
fn from_map(check: &mut Check<'_>, map: &MatchMap, op: MatchOp) -> Vec<Matcher> {
    map.iter().filter_map(|(name, value)| from_pair(check, name, value, op)).collect()
}

fn from_pair(check: &mut Check<'_>, name: &str, value: &At<Option<String>>, op: MatchOp) -> Option<Matcher> {
    if !is_valid_label_name(Syntax::Classic, name) {
        check.problem(&value.place, format!("invalid label name {name:?} (write such a name under `matchers`)"));
        return None;
    }
    if op == MatchOp::Regex && value.is_none() {
        check.problem(&value.place, format!("invalid regexp value for {name:?}"));
        return None;
    }
    let pattern = value.as_deref().unwrap_or_default();
    let matcher = check.accept(&value.place, Matcher::new(name, op, pattern))?;
    if op == MatchOp::Regex {
        // Alertmanager anchors these patterns where they are read, so that a group's key shows them anchored; keys must
        // be the same, since receivers and the notification log know groups by them.
        return check.accept(&value.place, Matcher::new(name, op, format!("^(?:{pattern})$")));
    }
    Some(matcher)
}

fn from_text(check: &mut Check<'_>, text: &At<String>) -> Vec<At<Matcher>> {
    let Some(parsed) = check.accept(&text.place, parse::matchers(check.options.syntax, text)) else {
        return Vec::new();
    };
    if let Some(warning) = parsed.warning {
        check.warn(&text.place, warning.to_string());
    }
    parsed.value.into_iter().map(|value| At { value, place: text.place.clone() }).collect()
}
