//! Replacing what matched, by a template that may name what the groups matched.

use regex::{Captures, Regex};

/// Go's `Regexp.ReplaceAllString`. An empty match right after another match is not replaced; the crate sees it so too.
pub(super) fn replace_all(regex: &Regex, group_names: &[Box<str>], text: &str, template: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for captures in regex.captures_iter(text) {
        let whole = captures.get_match();
        out.push_str(&text[copied..whole.start()]);
        expand(template, &captures, group_names, &mut out);
        copied = whole.end();
    }
    out.push_str(&text[copied..]);
    out
}

/// Writes `template` with its references replaced. A reference to a group that does not exist, or took no part,
/// stands for nothing; a dollar that begins no reference stands for itself.
fn expand(template: &str, captures: &Captures<'_>, group_names: &[Box<str>], out: &mut String) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after_second) = after.strip_prefix('$') {
            out.push('$');
            rest = after_second;
        } else if let Some((name, after_name)) = reference(after) {
            out.push_str(group(name, captures, group_names));
            rest = after_name;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

/// The name at the beginning of `text`, which may be in braces, and what follows it. Without braces it is as long as
/// it can be: `$1x` names the group `1x`.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (braced, text) = match text.strip_prefix('{') {
        Some(inside) => (true, inside),
        None => (false, text),
    };
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = if braced { rest.strip_prefix('}')? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

/// What the group with this number or name matched. Of several groups with one name the first that matched counts.
fn group<'t>(name: &str, captures: &Captures<'t>, group_names: &[Box<str>]) -> &'t str {
    let found = match number(name) {
        Some(index) => captures.get(index),
        None => {
            let named = group_names.iter().zip(1..).filter(|(candidate, _)| ***candidate == *name);
            named.filter_map(|(_, index)| captures.get(index)).next()
        }
    };
    found.map_or("", |found| found.as_str())
}

/// A group's number: decimal digits without needless zeros.
fn number(name: &str) -> Option<usize> {
    let decimal = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    if decimal { name.parse().ok() } else { None }
}
