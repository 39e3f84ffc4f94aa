//! Renders the same templates with the same data as Debian's `amtool template render` (0.25, Go 1.19), and compares
//! byte for byte; of errors it compares the kind. What 0.25 cannot do is in the golden cases.

#[allow(dead_code, reason = "other tests give it data of their own")]
#[path = "../amtool/mod.rs"]
mod amtool;
mod generator;
#[path = "../support/mod.rs"]
mod support;

use generator::Generator;
use watchbell_template::{Data, Engine, ErrorKind, Templates};

const DATA: [&str; 3] = ["data.json", "data-one.json", "data-none.json"];
const SEED: u64 = 20_261_123;
const GENERATED: usize = 360;

/// What came of a rendering.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Text(String),
    Parse,
    Execute,
    Escape,
}

#[test]
fn templates_by_hand_render_as_in_amtool() {
    let fixture = support::fixture("differential.json");
    let templates = fixture.as_array().expect("a list of templates");
    let cases = templates.iter().map(|text| (text.as_str().expect("a template").to_owned(), Engine::Text));
    compare(cases.enumerate().map(|(index, (text, engine))| (text, engine, if index % 5 == 4 { 1 } else { 0 })));
}

#[test]
fn generated_templates_render_as_in_amtool() {
    let mut generator = Generator::new(SEED);
    let cases = (0..GENERATED).map(|index| (generator.template(), Engine::Text, index % DATA.len()));
    compare(cases.collect::<Vec<_>>());
}

#[test]
fn generated_pages_render_as_in_amtool() {
    let mut generator = Generator::new(SEED + 1);
    let cases = (0..GENERATED / 3).map(|index| (generator.page(), Engine::Html, index % DATA.len()));
    compare(cases.collect::<Vec<_>>());
}

fn compare(cases: impl IntoIterator<Item = (String, Engine, usize)>) {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let data = DATA.map(|name| support::data(&support::fixture(name)));
    let (mut count, mut errors, mut failures) = (0, 0, Vec::new());
    for (text, engine, index) in cases {
        let (ours, message) = rendered(&templates, engine, &text, &data[index]);
        let theirs = rendered_by_amtool(engine, &text, DATA[index]);
        count += 1;
        errors += usize::from(!message.is_empty());
        if ours != theirs {
            failures.push(format!("{} {text}\n    ours {ours:?} {message}\n  theirs {theirs:?}", DATA[index]));
        }
    }
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(count - errors >= 100, "{errors} of {count} templates fail: too few of them show anything");
}

fn rendered(templates: &Templates, engine: Engine, text: &str, data: &Data) -> (Outcome, String) {
    match templates.compile(engine, text).and_then(|template| template.render(data, support::now())) {
        Ok(text) => (Outcome::Text(text), String::new()),
        Err(error) => {
            let outcome = match error.kind {
                ErrorKind::Parse => Outcome::Parse,
                ErrorKind::Escape => Outcome::Escape,
                ErrorKind::Execute | ErrorKind::Limit => Outcome::Execute,
            };
            (outcome, error.to_string())
        }
    }
}

fn rendered_by_amtool(engine: Engine, text: &str, data: &str) -> Outcome {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/template/").to_owned() + data;
    let engine = if engine == Engine::Html { "html" } else { "text" };
    match amtool::render(engine, "/dev/null", data, text) {
        Ok(text) => Outcome::Text(text),
        Err(message) if message.contains("html/template:") => Outcome::Escape,
        Err(message) if message.contains(": executing ") => Outcome::Execute,
        Err(message) if message.contains("template: ") => Outcome::Parse,
        Err(message) => panic!("amtool said {message}"),
    }
}
