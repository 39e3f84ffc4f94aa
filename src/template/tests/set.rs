//! Sets of templates: what replaces what, what is missing, where an error points to, and a route's own labels.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use watchbell_template::{
    Data, Engine, ErrorKind, Kv, Now, RenderedLabels, Template, TemplateError, Templates, render_route_labels,
};

fn now() -> Now {
    Now { instant: jiff::Timestamp::UNIX_EPOCH, local: TimeZone::UTC }
}

fn templates(files: &[(&str, &str)]) -> Result<Templates, TemplateError> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect::<Vec<_>>();
    Templates::parse(&files)
}

fn render(files: &[(&str, &str)], field: &str) -> Result<String, TemplateError> {
    let data = Data { receiver: "ops".into(), ..Data::default() };
    templates(files)?.compile(Engine::Text, field)?.render(&data, now())
}

fn text(files: &[(&str, &str)], field: &str) -> String {
    render(files, field).expect("it renders")
}

#[test]
fn a_later_file_replaces_a_template() {
    let first = ("a.tmpl", r#"{{ define "x" }}first{{ end }}"#);
    let second = ("b.tmpl", r#"{{ define "x" }}second{{ end }}"#);
    assert_eq!(text(&[first, second], r#"{{ template "x" }}"#), "second");
    assert_eq!(text(&[second, first], r#"{{ template "x" }}"#), "first");
    assert_eq!(text(&[first], r#"{{ define "x" }}own{{ end }}{{ template "x" }}"#), "own");
}

#[test]
fn an_empty_template_replaces_none() {
    let full = ("a.tmpl", r#"{{ define "x" }}full{{ end }}"#);
    let empty = ("b.tmpl", "{{ define \"x\" }} \n {{/* nothing */}}{{ end }}");
    assert_eq!(text(&[full, empty], r#"{{ template "x" }}"#), "full");
    assert_eq!(text(&[empty, full], r#"{{ template "x" }}"#), "full");
}

#[test]
fn built_in_templates_can_be_replaced_and_called() {
    let own = ("own.tmpl", r#"{{ define "__subject" }}S:{{ template "__alertmanager" . }}{{ end }}"#);
    assert_eq!(text(&[own], r#"{{ template "slack.default.title" . }}"#), "S:Alertmanager");
}

#[test]
fn a_file_is_a_template_under_its_base_name() {
    assert_eq!(text(&[("own.tmpl", "body {{ .Receiver }}")], r#"{{ template "own.tmpl" . }}"#), "body ops");
}

#[test]
fn a_block_is_a_default_that_can_be_replaced() {
    let page = ("a.tmpl", r#"{{ define "page" }}<{{ block "inner" . }}default{{ end }}>{{ end }}"#);
    let inner = ("b.tmpl", r#"{{ define "inner" }}own{{ end }}"#);
    assert_eq!(text(&[page], r#"{{ template "page" . }}"#), "<default>");
    assert_eq!(text(&[page, inner], r#"{{ template "page" . }}"#), "<own>");
}

#[test]
fn an_empty_field_executes_nothing() {
    assert_eq!(text(&[], ""), "");
}

#[test]
fn an_error_names_file_line_column_and_template() {
    let file = ("team.tmpl", "\n{{ define \"x\" }}\n  {{ .Receiver.Foo }}{{ end }}");
    let error = render(&[file], r#"{{ template "x" . }}"#).expect_err("a string has no fields");
    assert_eq!((error.kind, error.file.as_str(), error.line, error.column), (ErrorKind::Execute, "team.tmpl", 3, 14));
    assert_eq!((error.template.as_str(), error.context.as_deref()), ("x", Some(".Receiver.Foo")));
    let shown =
        r#"template: team.tmpl:3:14: executing "x" at <.Receiver.Foo>: can't evaluate field Foo in type string"#;
    assert_eq!(error.to_string(), shown);

    let error = templates(&[("team.tmpl", "ok\n{{ nope }}")]).expect_err("no such function");
    assert_eq!((error.kind, error.file.as_str(), error.line, error.column), (ErrorKind::Parse, "team.tmpl", 2, 3));
    assert_eq!(error.to_string(), r#"template: team.tmpl:2: function "nope" not defined"#);
}

#[test]
fn unknown_templates_are_listed_with_their_places() {
    let file = ("team.tmpl", "{{ define \"x\" }}\n{{ if true }}{{ template \"gone\" }}{{ end }}{{ end }}");
    let unused = ("unused.tmpl", r#"{{ define "y" }}{{ template "also gone" }}{{ end }}"#);
    let set = templates(&[file, unused]).expect("they parse");
    let field = set.compile(Engine::Text, r#"{{ template "x" }}{{ template "x" }}"#).expect("it parses");
    let unknown = field.unknown_templates().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(unknown, [r#"template: team.tmpl:2: template "gone" not defined"#]);
}

fn route_labels(labels: &[(&str, &str)]) -> RenderedLabels {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let compile = |text: &str| -> Template { templates.compile(Engine::Text, text).expect("it parses") };
    let labels = labels.iter().map(|(name, text)| ((*name).to_owned(), compile(text))).collect::<BTreeMap<_, _>>();
    render_route_labels(&labels, &Data { receiver: "ops".into(), ..Data::default() }, &now())
}

#[test]
fn route_labels_call_for_one_another() {
    let rendered = route_labels(&[
        ("a", r#"{{ routeLabels "b" }}+{{ routeLabels "c" }}{{ routeLabels "none" }}"#),
        ("b", "{{ .Receiver }}"),
        ("c", r#"[{{ routeLabels "b" }}]"#),
    ]);
    assert!(rendered.failures.is_empty());
    assert_eq!(rendered.labels, [("a", "ops+[ops]"), ("b", "ops"), ("c", "[ops]")].into_iter().collect::<Kv>());
}

#[test]
fn a_route_label_that_fails_is_left_out() {
    let rendered = route_labels(&[("bad", "{{ .Nope }}"), ("good", "x"), ("uses", r#"{{ routeLabels "bad" }}"#)]);
    assert_eq!(rendered.labels, [("good", "x")].into_iter().collect::<Kv>());
    let names = rendered.failures.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["bad", "uses"]);
}

#[test]
fn a_cycle_of_route_labels_is_an_error() {
    let rendered = route_labels(&[("a", r#"{{ routeLabels "b" }}"#), ("b", r#"{{ routeLabels "a" }}"#), ("c", "x")]);
    assert_eq!(rendered.labels, [("c", "x")].into_iter().collect::<Kv>());
    let (_, error) = &rendered.failures[0];
    assert!(error.message.contains("route label cycle detected: a -> b -> a"), "{error}");
}

#[test]
fn a_chain_of_route_labels_is_bounded() {
    let names = (0..100).map(|index| format!("l{index:03}")).collect::<Vec<_>>();
    let next = (1..=100).map(|index| format!(r#"{{{{ routeLabels "l{index:03}" }}}}"#)).collect::<Vec<_>>();
    let labels = names.iter().zip(&next).map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>();
    let rendered = route_labels(&labels);
    assert!(rendered.failures[0].1.message.contains("more than 20 route labels call for one another"));
}

#[test]
fn in_a_notification_route_labels_are_final() {
    let labels = [("team", "{{ .Receiver }}")].into_iter().collect::<Kv>();
    let data = Data { route_labels: labels, ..Data::default() };
    let set = Templates::parse(&[]).expect("the built-in templates parse");
    let field = set.compile(Engine::Text, r#"{{ routeLabels "team" }}|{{ .RouteLabels.team }}|{{ routeLabels "x" }}"#);
    let rendered = field.expect("it parses").render(&data, now()).expect("it renders");
    assert_eq!(rendered, "{{ .Receiver }}|{{ .Receiver }}|");
}
