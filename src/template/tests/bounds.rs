//! Bounds: whatever a template does, rendering ends with a text or a clear error, on a thread's ordinary stack.

use jiff::tz::TimeZone;
use watchbell_template::{Data, Engine, ErrorKind, Now, TemplateError, Templates};

fn now() -> Now {
    Now { instant: jiff::Timestamp::UNIX_EPOCH, local: TimeZone::UTC }
}

fn render(source: &str) -> Result<String, TemplateError> {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    templates.compile(Engine::Text, source)?.render(&Data::default(), now())
}

fn limit_of(source: &str) -> String {
    let error = render(source).expect_err("it exceeds a bound");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    error.message
}

#[test]
fn recursion_ends() {
    let message = limit_of(r#"{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}"#);
    assert!(message.starts_with("exceeded maximum template depth"), "{message}");
}

#[test]
fn recursion_through_deep_nesting_ends() {
    let opening = "{{ if true }}".repeat(90);
    let closing = "{{ end }}".repeat(90);
    let source =
        format!(r#"{{{{ define "r" }}}}{opening}{{{{ template "r" }}}}{closing}{{{{ end }}}}{{{{ template "r" }}}}"#);
    limit_of(&source);
}

#[test]
fn recursion_through_parentheses_ends() {
    let source = format!(
        r#"{{{{ define "r" }}}}{{{{ if {}1{} }}}}{{{{ template "r" }}}}{{{{ end }}}}{{{{ end }}}}{{{{ template "r" }}}}"#,
        "(print ".repeat(90),
        ")".repeat(90)
    );
    limit_of(&source);
}

#[test]
fn loops_end() {
    let message = limit_of("{{ range 1000000000 }}{{ end }}");
    assert_eq!(message, "the template takes more than 10000000 steps");
    limit_of("{{ range 10000 }}{{ range 10000 }}{{ if . }}{{ end }}{{ end }}{{ end }}");
    limit_of("{{ $l := list 1 }}{{ range 1000000 }}{{ $l = append $l . }}{{ end }}");
    limit_of(r#"{{ range 10000000 }}{{ match (print .) "a" }}{{ end }}"#);
}

#[test]
fn output_ends() {
    let message = limit_of("{{ range 1000000 }}{{ printf `%1000s` `x` }}{{ end }}");
    assert_eq!(message, "the output is larger than 32 MiB");
    limit_of("{{ $x := `0123456789` }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}");
    limit_of("{{ $l := list `x` }}{{ range 40 }}{{ $l = list $l $l }}{{ end }}{{ $l }}");
    limit_of("{{ $l := list `x` }}{{ range 40 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l }}");
    limit_of("{{ $x := `a` }}{{ range 100 }}{{ $x = reReplaceAll `a` `aaaaaaaaaa` $x }}{{ end }}");
    limit_of(
        "{{ $x := `&` }}{{ range 100 }}{{ $x = html $x }}{{ end }}{{ range 100 }}{{ $x = html $x $x $x $x }}{{ end }}",
    );
    limit_of("{{ $x := `&` }}{{ range 100 }}{{ $x = join $x (stringSlice $x $x $x) }}{{ end }}");
}

#[test]
fn nesting_ends() {
    let error = render("{{ $l := list }}{{ range 100 }}{{ $l = list $l }}{{ end }}").expect_err("too deep");
    assert!(error.message.ends_with("lists and maps nest deeper than 64"), "{error}");
    for (open, close) in [("{{ if true }}", "{{ end }}"), ("{{ if true }}{{ else }}", "{{ end }}")] {
        let error = render(&format!("{}{}", open.repeat(10_000), close.repeat(10_000))).expect_err("too deep");
        assert_eq!(error.message, "nested more than 100 deep");
    }
    let error = render(&format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000))).expect_err("too deep");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Parse, "nested more than 100 deep"));
    let chain = "{{ else if true }}".repeat(10_000);
    render(&format!("{{{{ if true }}}}{chain}{{{{ end }}}}")).expect_err("too deep");
}

#[test]
fn nesting_to_the_limit_renders() {
    let source = format!("{}x{}", "{{ if true }}".repeat(99), "{{ end }}".repeat(99));
    assert_eq!(render(&source).expect("within the bound"), "x");
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    templates.compile(Engine::Html, &source).expect("within the bound");
}
