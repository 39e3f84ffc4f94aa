//! YAML as operators write it, and what is said of it where it is wrong.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Node {
    receiver: String,
    group_by: Vec<String>,
    r#continue: bool,
    max: u64,
    labels: BTreeMap<String, String>,
    routes: Vec<Self>,
}

fn node(text: &str) -> Node {
    read(text).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refused(text: &str) -> String {
    lines(&read::<Node>(text).expect_err("this text should be refused"))
}

#[test]
fn scalars_are_taken_by_their_text_where_text_is_wanted() {
    let read = node("receiver: 007\ngroup_by: [yes, 1.50, 'x', 12:30, ~]\nlabels: {a: on, 5: null}\n");
    assert_eq!(read.receiver, "007");
    assert_eq!(read.group_by, ["yes", "1.50", "x", "12:30", ""]);
    assert_eq!(read.labels, BTreeMap::from([("a".into(), "on".into()), ("5".into(), String::new())]));
}

#[test]
fn a_key_without_a_value_is_empty() {
    assert_eq!(node("receiver:\ncontinue: ~\nroutes: null\nmax:\n"), Node::default());
    assert_eq!(node(""), Node::default());
    assert_eq!(node("# nothing\n"), Node::default());
}

#[test]
fn merged_keys_give_way_to_written_ones_and_earlier_to_later_ones_not() {
    let text = "routes:\n- &a {receiver: a, max: 1}\n- {receiver: b, <<: *a}\n- <<: [{max: 3}, *a]\n";
    let read = node(text);
    let pairs: Vec<_> = read.routes.iter().map(|r| (r.receiver.as_str(), r.max)).collect();
    assert_eq!(pairs, [("a", 1), ("b", 1), ("a", 3)]);
}

#[test]
fn only_the_first_document_is_read() {
    assert_eq!(node("receiver: a\n---\n]] not even YAML\n").receiver, "a");
}

#[test]
fn unknown_and_duplicate_keys_are_told_together() {
    let text = "reciever: a\nroutes:\n- receiver: b\n  receiver: c\n  bogus: 1\n";
    assert_eq!(
        refused(text),
        "4:3: key \"receiver\" already set in map (on line 3); remove one of the two\n\
         1:1: reciever: field reciever not found in type config.plain (did you mean \"receiver\"?)\n\
         5:3: routes[0].bogus: field bogus not found in type config.plain \
         (known here: receiver, group_by, continue, max, labels, routes)"
    );
}

#[test]
fn a_wrong_type_is_told_with_its_place() {
    assert_eq!(refused("continue: maybe"), "1:11: continue: cannot unmarshal !!str `maybe` into bool");
    assert_eq!(refused("routes: [{}, {max: -1}]"), "1:20: routes[1].max: cannot unmarshal !!int `-1` into uint64");
    assert_eq!(refused("receiver: [a]"), "1:11: receiver: cannot unmarshal !!seq into string");
    assert_eq!(
        refused("group_by: a"),
        "1:11: group_by: cannot unmarshal !!str into a list; write it as [...] or with a dash before each item"
    );
    assert!(!refused("routes: hunter2").contains("hunter2"), "a text where none belongs may be a secret");
}

#[test]
fn broken_yaml_is_told_with_its_place() {
    assert!(refused("receiver: *a").starts_with("1:11: not valid YAML: "), "{}", refused("receiver: *a"));
    assert!(refused("receiver: 'a\nmax: 1").contains("not valid YAML"));
    assert_eq!(refused("routes: &a [*a]"), "1:13: an alias cannot stand inside of what it refers to");
}

#[test]
fn depth_is_bounded_also_where_aliases_make_it() {
    let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
    assert!(refused(&deep).contains("nest"), "{}", refused(&deep));
    let half = |inner: &str| "[".repeat(MAX_DEPTH / 2 + 1) + inner + &"]".repeat(MAX_DEPTH / 2 + 1);
    let text = format!("routes: &a {}\ngroup_by: {}\n", half(""), half("*a"));
    assert!(refused(&text).contains("nested more than"), "{}", refused(&text));
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = String::from("routes:\n- &a0 {receiver: a}\n");
    for level in 1..9 {
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("- &a{level} {{routes: [{uses}]}}\n");
    }
    assert!(refused(&text).contains("aliases expanded"), "{}", refused(&text));
}
