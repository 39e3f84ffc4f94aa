//! Templates at random, by a grammar: most of them render, some fail, and the same seed gives the same ones.

/// What the dot is at a place.
#[derive(Clone, Copy, PartialEq)]
enum Dot {
    Data,
    Alert,
    Pair,
    Text,
}

pub(crate) struct Generator {
    state: u64,
    /// How many variables are declared at the current place.
    variables: usize,
}

/// How deep control structures and expressions nest.
const DEPTH: usize = 3;

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, variables: 0 }
    }

    /// A text template; one in eight is broken by a stray character.
    pub(crate) fn template(&mut self) -> String {
        self.variables = 0;
        let mut text = self.nodes(Dot::Data, DEPTH);
        if self.below(3) == 0 {
            let body = self.nodes(Dot::Text, 1);
            text = format!("{{{{ define \"part\" }}}}{body}{{{{ end }}}}{text}{{{{ template \"part\" .Status }}}}");
        }
        if self.below(8) == 0 {
            let at = self.below(text.len());
            let stray = self.pick(&["{", "}", "(", ")", "|", "$", "\"", "`", "@", ",", "x", " "]);
            if text.is_char_boundary(at) {
                text.insert_str(at, stray);
            }
        }
        text
    }

    /// An HTML template with values in several contexts. Those that later versions of Go escape otherwise are left out:
    /// an empty value without quotes, and markup in CSS.
    pub(crate) fn page(&mut self) -> String {
        self.variables = 0;
        let count = 1 + self.below(4);
        (0..count).map(|_| self.element()).collect()
    }

    fn element(&mut self) -> String {
        let (a, b) = (self.text(Dot::Data, 2), self.text(Dot::Data, 1));
        match self.below(12) {
            0 => format!("<p title=\"{{{{ {a} }}}}\">{{{{ {b} }}}}</p>"),
            1 => format!("<a href=\"{{{{ {a} }}}}\">{{{{ {b} }}}}</a>"),
            2 => format!("<a href=\"/x?q={{{{ {a} }}}}&r={{{{ {b} }}}}#f\">go</a>"),
            3 => format!("<td class={{{{ $.Status }}}}>{{{{ {b} }}}}</td>"),
            4 => format!("<!-- {a} --><b>{{{{ {b} }}}}</b>"),
            5 => format!("<script>var x = {{{{ {a} }}}}; var y = '{{{{ {b} }}}}';</script>"),
            6 => format!("<p style=\"color: {{{{ $.Status }}}}\">{{{{ {b} }}}}</p>"),
            7 => format!("{{{{ if {} }}}}<i>{{{{ {a} }}}}</i>{{{{ else }}}}{{{{ {b} }}}}{{{{ end }}}}", self.truth(1)),
            8 => format!(
                "<ul>{{{{ range .Alerts }}}}<li>{{{{ .Labels.alertname }}}} {{{{ {} }}}}</li>{{{{ end }}}}</ul>",
                self.text(Dot::Alert, 1)
            ),
            9 => format!("<textarea>{{{{ {a} }}}}</textarea><title>{{{{ {b} }}}}</title>"),
            10 => format!("<img src='{{{{ {a} }}}}' alt='{{{{ {b} }}}}'>"),
            _ => format!("<p onclick=\"f({{{{ {a} }}}})\">{{{{ safeHtml ({b}) }}}}</p>"),
        }
    }

    fn nodes(&mut self, dot: Dot, depth: usize) -> String {
        let count = 1 + self.below(4);
        (0..count).map(|_| self.node(dot, depth)).collect()
    }

    fn node(&mut self, dot: Dot, depth: usize) -> String {
        let (open, close) = (self.pick(&["{{ ", "{{ ", "{{", "{{- "]), self.pick(&[" }}", " }}", "}}", " -}}"]));
        match self.below(if depth == 0 { 6 } else { 12 }) {
            0 => self.pick(&["text ", " \n x \n", "  ", "a<b>&'c' ", "é ☃\t", "$ . "]).to_owned(),
            1 => format!("{open}{}{close}", self.number(depth)),
            2 => format!("{open}{}{close}", self.truth(depth)),
            3 => self.declaration(dot, depth),
            4 => format!("{open}{} | printf {}{close}", self.text(dot, depth), self.format()),
            5 => format!("{open}{}{close}", self.text(dot, depth)),
            6 | 7 => self.branch(dot, depth),
            8 => self.with(depth),
            _ => self.range(depth),
        }
    }

    fn declaration(&mut self, dot: Dot, depth: usize) -> String {
        let value = self.text(dot, depth);
        if self.variables > 0 && self.below(2) == 0 {
            return format!("{{{{ $v{} = {value} }}}}", self.below(self.variables));
        }
        self.variables += 1;
        format!("{{{{ $v{} := {value} }}}}", self.variables - 1)
    }

    fn branch(&mut self, dot: Dot, depth: usize) -> String {
        let (truth, other) = (self.truth(depth), self.truth(depth));
        let scope = self.variables;
        let body = self.nodes(dot, depth - 1);
        self.variables = scope;
        let otherwise = self.nodes(dot, depth - 1);
        self.variables = scope;
        match self.below(3) {
            0 => format!("{{{{ if {truth} }}}}{body}{{{{ end }}}}"),
            1 => format!("{{{{ if {truth} }}}}{body}{{{{ else }}}}{otherwise}{{{{ end }}}}"),
            _ => format!("{{{{ if {truth} }}}}{body}{{{{ else if {other} }}}}{otherwise}{{{{ end }}}}"),
        }
    }

    fn with(&mut self, depth: usize) -> String {
        let value = self.text(Dot::Data, depth).replace(" .", " $.").replace("(.", "($.");
        let value = if value.starts_with('.') { format!("${value}") } else { value };
        let scope = self.variables;
        let body = self.nodes(Dot::Text, depth - 1);
        self.variables = scope;
        format!("{{{{ with {value} }}}}{body}{{{{ end }}}}")
    }

    fn range(&mut self, depth: usize) -> String {
        let scope = self.variables;
        let exit = self.pick(&["", "", "", "{{ break }}", "{{ continue }}"]);
        let (list, dot) = match self.below(5) {
            0 => ("$.Alerts.Firing", Dot::Alert),
            1 => ("$.Alerts", Dot::Alert),
            2 => ("$.CommonLabels.SortedPairs", Dot::Pair),
            3 => ("$.CommonLabels", Dot::Text),
            _ => ("$.GroupLabels.Names", Dot::Text),
        };
        let body = self.nodes(dot, depth - 1);
        self.variables = scope;
        match self.below(3) {
            0 => format!("{{{{ range {list} }}}}{body}{exit}{{{{ end }}}}"),
            1 => format!("{{{{ range $i, $e := {list} }}}}{{{{ $i }}}}{body}{exit}{{{{ end }}}}"),
            _ => format!("{{{{ range {list} }}}}{body}{{{{ else }}}}none{{{{ end }}}}"),
        }
    }

    /// An expression whose value is a string.
    fn text(&mut self, dot: Dot, depth: usize) -> String {
        if depth == 0 || self.below(3) == 0 {
            return self.plain_text(dot);
        }
        let inner = self.text(dot, depth - 1);
        match self.below(14) {
            0 => format!("(toUpper {})", inner),
            1 => format!("(toLower {})", inner),
            2 => format!("(title {})", inner),
            3 => format!("(printf {} {} {})", self.format(), inner, self.number(0)),
            4 => format!("(print {} {} {})", inner, self.number(0), self.number(0)),
            5 => format!("(reReplaceAll \"([a-e]+)(.?)\" \"<$2${{1}}>\" {})", inner),
            6 => format!("(join \"{}\" $.CommonLabels.Values)", self.pick(&[", ", "", "-"])),
            7 => format!("(html {})", inner),
            8 => format!("(js {})", inner),
            9 => format!("(urlquery {})", inner),
            10 => format!("(slice {} 0 {})", inner, self.below(3)),
            11 => format!("(index $.CommonLabels {})", inner),
            12 => format!("(and {} {})", inner, self.plain_text(dot)),
            _ => format!("(or {} {})", inner, self.plain_text(dot)),
        }
    }

    fn plain_text(&mut self, dot: Dot) -> String {
        if self.variables > 0 && self.below(4) == 0 {
            return format!("$v{}", self.below(self.variables));
        }
        let own: &[&str] = match dot {
            Dot::Data => &[".Receiver", ".CommonAnnotations.summary", ".ExternalURL", ".CommonLabels.nope"],
            Dot::Alert => &[".Labels.alertname", ".Annotations.summary", ".GeneratorURL", ".Fingerprint"],
            Dot::Pair => &[".Name", ".Value"],
            Dot::Text => &["."],
        };
        match self.below(3) {
            0 => self.pick(&[r#""a b""#, "`x\"y`", r#""é\t\"<""#, r#""""#, r#""50%""#, r#""Hello World""#]).to_owned(),
            1 => self.pick(&["$.Status", "$.CommonLabels.alertname", "$.ExternalURL"]).to_owned(),
            _ => self.pick(own).to_owned(),
        }
    }

    /// An expression whose value is a number.
    fn number(&mut self, depth: usize) -> String {
        let constant =
            self.pick(&["0", "1", "-7", "42", "0x1F", "1_000", "'a'", "1.5", "2.0", "1e3", "-0.25", "1e100"]);
        if depth == 0 || self.below(2) == 0 {
            return constant.to_owned();
        }
        format!("(len {})", self.pick(&["$.Alerts", "$.CommonLabels", "$.Receiver", "$.GroupLabels.Names", "`é`"]))
    }

    /// An expression that is true or false.
    fn truth(&mut self, depth: usize) -> String {
        let compare = self.pick(&["eq", "ne", "lt", "le", "gt", "ge"]);
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => format!("({compare} $.Status {})", self.pick(&["\"firing\"", "\"resolved\"", "$.Receiver"])),
            1 => format!("({compare} (len $.Alerts) {})", self.below(4)),
            2 => format!("(match `^[a-m]` {})", self.pick(&["$.Status", "$.Receiver", "\"zoo\""])),
            3 => self
                .pick(&["true", "false", "(len $.Alerts)", "$.CommonLabels.nope", "0", "\"\"", "(eq 1 2 3 1)"])
                .to_owned(),
            4 => format!("(not {})", self.truth(depth - 1)),
            5 => format!("(and {} {})", self.truth(depth - 1), self.truth(depth - 1)),
            _ => format!("(or {} {})", self.truth(depth - 1), self.truth(depth - 1)),
        }
    }

    /// A format with one to three verbs.
    fn format(&mut self) -> String {
        let count = 1 + self.below(3);
        let directives = (0..count).map(|_| {
            let flag = self.pick(&["", "", "-", "+", "#", " ", "0", "[1]", "[2]"]);
            let width = self.pick(&["", "", "3", "8", "12"]);
            let precision = self.pick(&["", "", ".0", ".2", ".5"]);
            let width = if flag.starts_with('[') { "" } else { width };
            let precision = if flag.starts_with('[') { "" } else { precision };
            let verb =
                self.pick(&["v", "s", "q", "d", "x", "X", "f", "e", "g", "t", "T", "c", "U", "b", "o", "%", "z"]);
            format!("%{flag}{width}{precision}{verb}")
        });
        format!("\"{}\"", directives.collect::<Vec<_>>().join("|"))
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// A number below `limit`, by Marsaglia's xorshift.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % limit
    }
}
