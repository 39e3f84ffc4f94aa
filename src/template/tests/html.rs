//! The HTML engine against a table of places and values. The table's templates are ours; what they give was printed by
//! Go 1.26's `html/template`, and where that of Alertmanager 0.25 (Go 1.19) differs the table has both.

mod amtool;
mod support;

use watchbell_template::{Engine, Templates};

/// A row of the table.
struct Case {
    template: String,
    expected: Outcome,
    /// What Alertmanager 0.25 does, if it is not that.
    old: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Page(String),
    /// An error that says this.
    Error(String),
    /// A function that is not known.
    Absent,
}

#[test]
fn the_table_holds() {
    let cases = cases();
    assert!(cases.len() >= 150);
    let data = support::data(&support::fixture("html-data.json"));
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let render = |text: &str| templates.compile(Engine::Html, text)?.render(&data, support::now());
    compare(cases.iter().map(|case| {
        let got = render(&case.template).map_err(|error| error.to_string());
        (case.template.as_str(), got, case.expected.clone())
    }));
}

#[test]
fn the_table_is_alertmanagers() {
    let data = amtool::DataFile::new("html", &support::fixture("html-data.json"));
    compare(cases().iter().map(|case| {
        let got = amtool::render("html", amtool::OURS, &data, &case.template);
        (case.template.as_str(), got, case.old.clone().unwrap_or(case.expected.clone()))
    }));
}

/// Go 1.26 takes a template that it meets again in the same place to leave the context as it is, and so writes the second
/// value as text of the page, not of the script. That contradicts its documentation and is not safe: we do not.
#[test]
fn a_template_leads_to_the_same_place_each_time() {
    let text = r#"{{ define "begin" }}<script>{{ end }}{{ range stringSlice "</x>" "y" }}{{ template "begin" }}{{ . }}</script>{{ end }}"#;
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let data = support::data(&support::fixture("html-data.json"));
    let twice = r#"{{ define "begin" }}<script>{{ end }}{{ template "begin" }}{{ "x" }}</script>{{ template "begin" }}{{ "x" }}</script>"#;
    let page = |text: &str| templates.compile(Engine::Html, text)?.render(&data, support::now());
    assert_eq!(page(text).as_deref(), Ok(r#"<script>"\u003c/x\u003e"</script><script>"y"</script>"#));
    assert_eq!(page(twice).as_deref(), Ok(r#"<script>"x"</script><script>"x"</script>"#));
}

#[test]
fn no_template_makes_the_escaper_run_for_ever() {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let error = |text: &str| templates.compile(Engine::Html, text).expect_err("it is too much").to_string();
    let deeper = "{{ define \"x\" }}`${ {{ template \"x\" }}{{ end }}<script>{{ template \"x\" }}</script>";
    assert!(error(deeper).contains("more than 150 deep"));
    let loops = format!("{}x{}", "{{ range .Alerts }}".repeat(40), "{{ end }}".repeat(40));
    assert!(error(&loops).contains("more than 1000000 steps"));
}

#[test]
fn an_error_names_the_place() {
    let templates =
        Templates::parse(&[("mail.tmpl".into(), "{{ define \"m\" }}\n<a href={{ if . }}x{{ end }}>{{ end }}".into())]);
    let templates = templates.expect("the file parses");
    let error = templates.compile(Engine::Html, "{{ template \"m\" . }}").expect_err("the branches differ");
    assert_eq!((error.file.as_str(), error.line, error.template.as_str()), ("mail.tmpl", 2, "m"));
    assert_eq!(
        error.to_string(),
        "html/template:mail.tmpl:2:14: {{if}} branches end in different contexts: a URL without quotes, \
         an attribute before its value"
    );
}

fn compare<'a>(results: impl Iterator<Item = (&'a str, Result<String, String>, Outcome)>) {
    let failures: Vec<String> = results
        .filter(|(_, got, expected)| !agrees(got, expected))
        .map(|(template, got, expected)| format!("{template}\n     got {got:?}\n  wanted {expected:?}"))
        .collect();
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

fn agrees(got: &Result<String, String>, expected: &Outcome) -> bool {
    match (got, expected) {
        (Ok(page), Outcome::Page(expected)) => page == expected,
        (Err(error), Outcome::Error(part)) => error.contains(part),
        (Err(error), Outcome::Absent) => error.contains("function"),
        _ => false,
    }
}

/// The table: a line with the template, one with `= page` or `! error`, and perhaps one with `0.25` and the same.
fn cases() -> Vec<Case> {
    let text = include_str!("../../../fixtures/template/html-cases.txt");
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    while let Some(line) = lines.next() {
        match (line.strip_prefix("0.25 "), cases.last_mut()) {
            (Some(old), Some(case)) => case.old = Some(outcome(old)),
            _ => {
                let expected = outcome(lines.next().expect("a template is followed by what it gives"));
                cases.push(Case { template: unfolded(line), expected, old: None });
            }
        }
    }
    cases
}

fn outcome(line: &str) -> Outcome {
    match line.split_at(1) {
        ("=", page) => Outcome::Page(unfolded(page.strip_prefix(' ').unwrap_or(page))),
        ("!", error) => Outcome::Error(error.trim().into()),
        ("-", "") => Outcome::Absent,
        _ => panic!("{line:?} is no outcome"),
    }
}

/// A line of the table as text, in which `⏎` is a line end.
fn unfolded(line: &str) -> String {
    line.replace('⏎', "\n")
}
