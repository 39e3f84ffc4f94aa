//! Golden cases: what Go 1.26's `text/template` prints for the data model and functions of Alertmanager 0.34. The
//! fixture's cases are ours; their results were printed by a Go program with types of the same names and shapes.

mod support;

use watchbell_template::{Engine, Templates};

#[test]
fn renders_as_go_does() {
    let fixture = support::fixture("golden.json");
    let data = support::data(&fixture["data"]);
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let mut failures = Vec::new();
    let cases = fixture["cases"].as_array().expect("a list of cases");
    for case in cases {
        let text = case["text"].as_str().expect("a template");
        let rendered = templates
            .compile(Engine::Text, text)
            .and_then(|template| template.render(&data, support::now()))
            .map_err(|error| error.to_string());
        let expected = match case["err"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(case["out"].as_str().unwrap_or_default().to_owned()),
        };
        if rendered != expected {
            failures.push(format!("{text}\n     got {rendered:?}\n  wanted {expected:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
