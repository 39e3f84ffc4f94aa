//! Texts at random: reading them never panics or hangs, and rendering what can be read ends with a text or an error.
//! The seeds and counts are fixed.

mod support;

use watchbell_template::{Engine, Templates};

const READ: usize = 20_000;
const EXECUTED: usize = 4_000;

/// Pieces of templates, sensible and not.
const PIECES: [&str; 72] = [
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "{{ ",
    " }}",
    "{{/*",
    "*/}}",
    "{{ end }}",
    "{{ else }}",
    "{{ if ",
    "{{ range ",
    "{{ with ",
    "{{ else if ",
    "{{ else with ",
    "{{ define \"a\" }}",
    "{{ template \"a\" . }}",
    "{{ block \"b\" . }}",
    "{{ break }}",
    "{{ continue }}",
    "(",
    ")",
    "|",
    " | ",
    " ",
    "\n",
    "$",
    "$x",
    "$x := ",
    "$x = ",
    "$i, $e := ",
    ".",
    ".Alerts",
    ".Labels",
    ".CommonLabels",
    ".StartsAt",
    ".Receiver",
    ".Firing",
    ".SortedPairs",
    ".Names",
    " printf ",
    "\"%v %[3]*.[2]*[1]f\"",
    "\"%-+# 09.3q%x\"",
    " index ",
    " slice ",
    " len ",
    " eq ",
    " lt ",
    " and ",
    " or ",
    " not ",
    " html ",
    " list ",
    " dict ",
    " append ",
    " date ",
    " tz ",
    " toDate ",
    " humanizeDuration ",
    " toJson ",
    " reReplaceAll ",
    "\"(a*)*$1\"",
    "nil",
    "true",
    "0x1F",
    "-1",
    "1e400",
    "'\\'",
    "\"é\\x\"",
    "`raw",
    "<a href='",
    "<script>",
];

/// Expressions that mean something, so that executing them goes far.
const EXPRESSIONS: [&str; 40] = [
    ".",
    "$",
    "now",
    ".Alerts",
    "(index .Alerts 0)",
    "(index .Alerts 0).StartsAt",
    ".CommonLabels",
    ".CommonLabels.SortedPairs",
    ".CommonLabels.Names",
    "(since now)",
    "nil",
    "true",
    "1",
    "-9223372036854775808",
    "1.5",
    "1e300",
    "1i",
    "'a'",
    "\"é%v\"",
    "\"2006-01-02 MST -0700 .000\"",
    "\"Europe/Paris\"",
    "\"\"",
    "(list 1 nil \"a\")",
    "(dict \"k\" 1)",
    "now.Month",
    "now.Location",
    "(safeHtml \"<b>\")",
    "\"%[2]*.[1]*f|%+#0 -x\"",
    "\"(a|b*)+\"",
    "\"$1\"",
    "(index \"a\" 0)",
    "9223372036854775807",
    "0",
    "(print .)",
    "$x",
    ".Foo",
    "(mustToDate \"2006\" \"2026\")",
    "\"-1\"",
    "\"1e309\"",
    "\"%!\"",
];

const FUNCTIONS: [&str; 55] = [
    "ircBold",
    "ircColor",
    "and",
    "or",
    "not",
    "call",
    "len",
    "index",
    "slice",
    "print",
    "printf",
    "println",
    "html",
    "urlquery",
    "js",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "toUpper",
    "toLower",
    "title",
    "trimSpace",
    "join",
    "match",
    "reReplaceAll",
    "safeHtml",
    "safeUrl",
    "routeLabels",
    "stringSlice",
    "list",
    "append",
    "dict",
    "date",
    "tz",
    "toDate",
    "mustToDate",
    "now",
    "since",
    "humanizeDuration",
    "toJson",
    "base64encode",
    "base64decode",
    "urlUnescape",
    "now.Add",
    "now.AddDate",
    "now.Sub",
    "now.Format",
    "now.Truncate",
    "now.Round",
    "now.In",
    "(since now).Round",
    ".CommonLabels.Remove",
];

/// A seeded source of choices, by Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

#[test]
fn any_text_can_be_read() {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let data = support::data(&support::fixture("data.json"));
    let mut random = Random(7);
    let mut rendered = 0;
    for round in 0..READ {
        let length = 1 + random.below(12);
        let text = (0..length).map(|_| random.pick(&PIECES)).collect::<String>();
        let engine = if round % 2 == 0 { Engine::Text } else { Engine::Html };
        if let Ok(template) = templates.compile(engine, &text) {
            rendered += 1;
            let _ = template.render(&data, support::now());
        }
    }
    assert!(rendered > READ / 50, "only {rendered} of {READ} texts are templates");
}

#[test]
fn any_call_ends() {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let data = support::data(&support::fixture("data.json"));
    let mut random = Random(11);
    let mut rendered = 0;
    for _ in 0..EXECUTED {
        let count = random.below(4);
        let arguments = (0..count).map(|_| random.pick(&EXPRESSIONS)).collect::<Vec<_>>().join(" ");
        let (function, shown) =
            (random.pick(&FUNCTIONS), random.pick(&["", " | print", " | toJson", " | printf \"%#v\""]));
        let uses = ["", "", "{{ range $y }}{{ . }}{{ end }}", "{{ with $y }}{{ .String }}{{ end }}"];
        let (declaration, used) = ("{{ $x := 1 }}", random.pick(&uses));
        let text = format!("{declaration}{{{{ $y := {function} {arguments}{shown} }}}}{{{{ $y }}}}{used}");
        let template = templates.compile(Engine::Text, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
        rendered += usize::from(template.render(&data, support::now()).is_ok());
    }
    assert!(rendered > EXECUTED / 50, "only {rendered} of {EXECUTED} calls succeed");
}
