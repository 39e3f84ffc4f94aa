//! What Go answered, for tests: `fixtures/golang/strconv-and-time.jsonl`, one JSON object a line.

use serde_json::Value;

/// The cases that have the field `kind`, which holds what Go was asked; there is at least one.
pub(crate) fn strconv_and_time(kind: &str) -> Vec<Value> {
    let lines = include_str!("../../fixtures/golang/strconv-and-time.jsonl").lines();
    let cases = lines.map(|line| serde_json::from_str::<Value>(line).expect("a case is JSON"));
    let cases: Vec<Value> = cases.filter(|case| case.get(kind).is_some()).collect();
    assert!(!cases.is_empty(), "no case has {kind}");
    cases
}
