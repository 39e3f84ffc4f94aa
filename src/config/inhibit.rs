//! Inhibition rules.

use watchbell_engine::policy::InhibitRule;

use super::check::Check;
use super::file;
use super::matchers::matchers;

/// The rules in the order of the file.
pub(super) fn inhibit_rules(written: &mut [file::InhibitRule], check: &mut Check<'_>) -> Vec<InhibitRule> {
    written.iter_mut().map(|rule| inhibit_rule(rule, check)).collect()
}

fn inhibit_rule(rule: &mut file::InhibitRule, check: &mut Check<'_>) -> InhibitRule {
    for name in &rule.equal {
        check.label_name(name, &name.place, " in equal list");
    }
    let mut equal: Vec<_> = rule.equal.iter().map(|name| name.as_str().into()).collect();
    equal.sort();
    equal.dedup();
    InhibitRule {
        name: rule.name.as_str().into(),
        source_matchers: matchers(check, &rule.source_match, &rule.source_match_re, &mut rule.source_matchers),
        target_matchers: matchers(check, &rule.target_match, &rule.target_match_re, &mut rule.target_matchers),
        equal,
    }
}
