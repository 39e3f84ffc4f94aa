//! The configuration files of `fixtures/config`: the good ones are followed, the bad ones refused in these words.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use watchbell_engine::matcher::parse::Syntax;
use watchbell_engine::policy::{GroupBy, Route};
use watchbell_engine::timeinterval::Span;

use super::*;
use crate::settings::email::TlsMode;

const OPTIONS: Options = Options { syntax: Syntax::Fallback, retention: Duration::from_secs(120 * 3600) };

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config").join(kind);
    let entries = std::fs::read_dir(directory).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    assert!(!paths.is_empty(), "no fixtures of kind {kind}");
    paths
}

fn good(name: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/good").join(name);
    load(&path, &OPTIONS).unwrap_or_else(|error| panic!("{error}"))
}

fn parsed(text: &str) -> Result<Config, ConfigError> {
    parse(text, Path::new("test.yml"), &OPTIONS)
}

/// Runs Debian's amtool, which is Alertmanager 0.25's own parser.
fn amtool(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("amtool").args(arguments).output().expect("amtool should be installed");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

#[test]
fn good_files_are_followed_and_what_is_shown_of_them_means_the_same() {
    for path in fixtures("good") {
        let config = load(&path, &OPTIONS).unwrap_or_else(|error| panic!("{error}"));
        let again =
            parse(&config.original, &path, &OPTIONS).unwrap_or_else(|error| panic!("{error}\n{}", config.original));
        assert_eq!(format!("{:?}", config.policy), format!("{:?}", again.policy), "{}", path.display());
        assert_eq!(config.original, again.original, "{}", path.display());
        assert!(!config.original.contains("hunter2"), "a secret is shown: {}", config.original);
    }
}

#[test]
fn amtool_reads_the_same_from_a_file_and_from_what_is_shown_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let shown = directory.path().join("shown.yml");
    let shown = shown.to_str().unwrap();
    for name in ["minimal.yml", "classic.yml", "aliases.yml"] {
        let written = format!("{}/fixtures/config/good/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(shown, good(name).original).unwrap();
        amtool(&["check-config", shown]).unwrap_or_else(|said| panic!("{name}: {said}\n{}", good(name).original));
        let tree = |path| amtool(&["config", "routes", "show", "--config.file", path]);
        assert_eq!(tree(shown), tree(&written), "{name}");
    }
}

#[test]
fn bad_files_are_refused_in_the_expected_words() {
    let root = format!("{}/fixtures/config/bad/", env!("CARGO_MANIFEST_DIR"));
    for path in fixtures("bad") {
        let said = load(&path, &OPTIONS).map(|_| ()).expect_err(&format!("{} should be refused", path.display()));
        assert!(!said.to_string().contains("hunter2"), "a secret is told: {said}");
        let expected = std::fs::read_to_string(path.with_extension("err")).unwrap_or_default();
        assert_eq!(said.to_string().replace(&root, "") + "\n", expected, "{}", path.display());
    }
}

#[test]
fn the_default_configuration_works_out_of_the_box() {
    let config = parsed(embedded()).unwrap_or_else(|error| panic!("{error}"));
    assert!(config.warnings.is_empty() && config.unused_receivers.is_empty());
    let integrations = &config.policy.receivers[0].integrations;
    assert_eq!(integrations.iter().map(|one| (one.kind.as_str(), one.index)).collect::<Vec<_>>(), [("terminal", 0)]);
}

#[test]
fn what_the_default_configuration_offers_in_comments_works_too() {
    let text: Vec<String> = embedded().lines().map(uncommented).collect();
    let config = parsed(&text.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((config.policy.routes.len(), config.policy.receivers.len()), (3, 2));
    assert_eq!(config.policy.time_intervals.len(), 1);
}

/// A line of YAML that is commented out, brought back: a list item, a key, or what is indented below one.
fn uncommented(line: &str) -> String {
    let rest = line.trim_start().strip_prefix("# ").unwrap_or_default();
    let key = rest.split(':').next().is_some_and(|key| key.len() < rest.len() && !key.contains(char::is_whitespace));
    let yaml = key || rest.starts_with("- ") || rest.starts_with("  ");
    if yaml { line.replacen("# ", "", 1) } else { line.to_owned() }
}

#[test]
fn routes_inherit_and_have_keys_and_ids() {
    let policy = good("classic.yml").policy;
    let route = |number: usize| -> &Route { &policy.routes[number] };
    assert_eq!(route(0).children, [1, 3]);
    assert_eq!(route(1).children, [2]);
    assert_eq!((&*route(0).key, &*route(0).id), ("{}", "{}"));
    assert_eq!(&*route(1).key, "{}/{service=~\"^(?:^(foo1|foo2|baz)$)$\",severity=\"page\"}");
    let inner = r#"{env=~"prod|staging",quoted="a\\b \"c\"",team="a"}"#;
    assert_eq!(*route(2).key, format!("{}/{inner}", route(1).key));
    assert_eq!(*route(2).id, format!("{}/{inner}/0", route(1).id));
    assert_eq!(&*route(3).id, r#"{}/{owner!="",owner!~"x.*"}/1"#);

    assert_eq!(route(2).receiver, "mail");
    assert_eq!(route(1).group_by, GroupBy::Names(vec!["alertname".into(), "cluster".into()]));
    assert_eq!(route(2).group_by, GroupBy::Names(Vec::new()));
    assert_eq!(route(3).group_by, GroupBy::All);
    assert_eq!((route(1).continues, route(2).continues), (true, false));
    assert_eq!(route(2).group_wait, Duration::from_secs(15));
    assert_eq!(route(2).group_interval, Duration::from_secs(90 * 60));
    assert_eq!(route(2).repeat_interval, Duration::from_secs(36 * 3600));
    assert_eq!(route(2).mute_time_intervals, ["nights"]);
    assert_eq!(
        good("newer.yml").policy.routes[1].labels.to_string(),
        r#"{owner="{{ .CommonLabels.team }}", tier="2"}"#
    );
}

#[test]
fn time_intervals_are_read_and_shown_in_one_form() {
    let config = good("classic.yml");
    let office = &config.policy.time_intervals["office"][0];
    assert_eq!(office.weekdays, Some(vec![Span { first: 1, last: 5 }, Span { first: 0, last: 0 }]));
    assert_eq!(office.months.as_ref().map(Vec::len), Some(3));
    assert_eq!((&office.times, office.location.iana_name()), (&None, Some("Europe/Berlin")));
    assert_eq!(config.policy.time_intervals["nights"][0].times.as_ref().unwrap()[1], Span { first: 1320, last: 1440 });
    assert_eq!(config.policy.time_intervals["never"], []);
    for shown in ["- monday:friday\n", "- sunday\n", "- \"1:3\"\n", "- \"12\"\n", "- \"5\"\n", "- -3:-1\n"] {
        assert!(config.original.contains(shown), "{shown} is not in\n{}", config.original);
    }
}

#[test]
fn receivers_inherit_from_global() {
    let config = good("classic.yml");
    let [first, second] = &config.receivers[1].email_configs[..] else { panic!("two mails are expected") };
    assert_eq!(first.smarthost.to_string(), "[::1]:587");
    assert_eq!((first.require_tls, second.require_tls), (Some(false), Some(true)));
    assert_eq!((first.auth_username.as_str(), first.hello.as_str()), ("alerts", "localhost"));
    assert_eq!((first.auth_password.reveal(), second.auth_password.reveal()), ("pa\"ss: {word} # yes", "007"));
    assert_eq!((second.from.as_str(), second.html.as_str()), ("d@example.org", ""));

    let webhooks = &config.receivers[2].webhook_configs;
    assert_eq!(webhooks[0].http_config, config.global.http_config);
    let own = webhooks[1].http_config.as_ref().unwrap();
    assert!(own.proxy_url.is_empty() && own.follow_redirects);
}

#[test]
fn what_mail_knows_beyond_alertmanager_is_inherited_and_shown() {
    let config = good("mail.yml");
    let [staff, night] = &config.receivers[0].email_configs[..] else { panic!("two mails are expected") };
    assert_eq!((staff.tls_mode, night.tls_mode), (Some(TlsMode::StartTls), Some(TlsMode::Implicit)));
    assert_eq!((staff.auth_mechanisms.len(), night.auth_mechanisms.len()), (2, 4));
    assert_eq!(staff.auth_oauth2, config.global.smtp_auth_oauth2);
    assert_eq!(
        (staff.envelope_from.as_str(), staff.message_id_domain.as_str()),
        ("bounces@example.org", "alerts.example.org")
    );
    let secret = &night.auth_oauth2.as_ref().unwrap().client_secret_file;
    assert!(Path::new(secret).is_absolute() && secret.ends_with("fixtures/config/good/night.txt"), "{secret}");
    for shown in ["max_size: 60kB\n", "by: incident\n", "- failure\n", "smtp_tls_mode: starttls\n"] {
        assert!(config.original.contains(shown), "{shown} is not in\n{}", config.original);
    }
    assert!(!good("classic.yml").original.contains("max_size"), "a default that older clients do not know is shown");
}

#[test]
fn files_of_http_settings_start_from_the_configurations_directory() {
    let config = good("classic.yml");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/good");
    let global = config.global.http_config.as_ref().unwrap();
    assert_eq!(Path::new(&global.tls_config.ca_file), directory.join("ca.pem"));
    let own = config.receivers[2].webhook_configs[1].http_config.as_ref().unwrap();
    assert_eq!(Path::new(&own.basic_auth.as_ref().unwrap().password_file), directory.join("secret.txt"));
    let templates: Vec<_> = config.templates.iter().map(|file| (file.path.clone(), file.text.as_str())).collect();
    assert_eq!(templates, [(directory.join("templates/a.tmpl"), "{{ define \"a\" }}{{ end }}\n")]);
}

#[test]
fn integrations_are_numbered_kind_by_kind() {
    let policy = good("newer.yml").policy;
    let told: Vec<_> =
        policy.receivers[0].integrations.iter().map(|one| (one.kind.as_str(), one.send_resolved)).collect();
    assert_eq!(told, [("webhook", true), ("email", false), ("terminal", false)]);
    assert_eq!(policy.receivers[0].labels.to_string(), r#"{name="all", team="sre"}"#);
    let classic = good("classic.yml").policy;
    assert_eq!(classic.receivers[2].integrations.iter().map(|one| one.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(classic.receivers[0].labels.to_string(), r#"{name="everyone"}"#);
}

#[test]
fn what_is_odd_is_told_without_refusing() {
    let text = "route: {receiver: a, repeat_interval: 2m, routes: [{repeat_interval: 6d}]}\nreceivers: [{name: a}, {name: b}]\n";
    let config = parsed(text).unwrap();
    let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "1:8: route: repeat_interval (2m) is less than group_interval (5m): \
             notifications are not repeated until the next group_interval",
            "1:52: route.routes[0]: repeat_interval (6d) is greater than the data retention period (5d): \
             notifications may be repeated more often than expected",
        ]
    );
    assert_eq!(config.unused_receivers, ["b"]);
}

#[test]
fn matchers_that_the_two_syntaxes_read_differently_are_told() {
    let text = "route: {receiver: a, routes: [{matchers: [a=b c]}]}\nreceivers: [{name: a}]\n";
    let config = parsed(text).unwrap();
    assert_eq!(config.policy.routes[1].matchers[0].to_string(), "a=\"b c\"");
    let warning = config.warnings[0].to_string();
    assert!(
        warning.starts_with("1:43: route.routes[0].matchers[0]: ") && warning.contains("incompatible"),
        "{warning}"
    );
}

#[test]
fn the_syntax_decides_which_label_names_there_are() {
    let text = "route: {receiver: a, group_by: [ü], labels: {a-b: x}}\ninhibit_rules: [{equal: [a.b]}]\nreceivers: [{name: a}]\n";
    parsed(text).unwrap();
    let classic = Options { syntax: Syntax::Classic, ..OPTIONS };
    let said = parse(text, Path::new("x"), &classic).unwrap_err().to_string();
    let lines: Vec<&str> = said.lines().map(|line| line.split_once(" (letters").unwrap().0).collect();
    assert_eq!(
        lines,
        [
            "x:1:33: route.group_by[0]: invalid label name \"ü\" in group_by list",
            "x:1:51: route.labels.a-b: invalid label name \"a-b\" in route labels",
            "x:2:26: inhibit_rules[0].equal[0]: invalid label name \"a.b\" in equal list",
        ]
    );
}

#[test]
fn the_hash_is_alertmanagers() {
    // As `md5sum` says, the text's MD5 begins with 1cc3950317a8.
    let text = "route: {receiver: a}\nreceivers: [{name: a}]\n";
    assert_eq!(parsed(text).unwrap().hash, 0xa817_0395_c31c_u64 as f64);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = load(Path::new("/nonexistent/watchbell.yml"), &OPTIONS).unwrap_err().to_string();
    assert!(
        error.starts_with("/nonexistent/watchbell.yml: cannot read the configuration file: No such file"),
        "{error}"
    );
}

#[test]
fn ten_thousand_routes_are_no_trouble() {
    let mut text = String::from("route:\n  receiver: a\n  routes:\n");
    for number in 0..10_000 {
        text += &format!(
            "  - matchers: [team=\"t{number}\", severity=\"page\"]\n    group_by: [alertname]\n    receiver: a\n"
        );
    }
    text += "receivers: [{name: a}]\n";
    assert_eq!(parsed(&text).unwrap().policy.routes.len(), 10_001);
}

#[test]
fn size_depth_and_number_are_bounded() {
    let said = |text: &str| parsed(text).map(|_| ()).unwrap_err().to_string();
    let many = "routes: &a [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}], receiver: a";
    let level =
        |name: &str, of: &str| format!("routes: &{name} [{}]", vec![format!("{{routes: *{of}}}"); 20].join(", "));
    let text = format!(
        "route:\n  receiver: a\n  routes:\n  - {{{many}}}\n  - {{{}}}\n  - {{{}}}\n  - {{{}}}\nreceivers: [{{name: a}}]\n",
        level("b", "a"),
        level("c", "b"),
        level("d", "c"),
    );
    assert_eq!(said(&text), "test.yml:2:3: route: more than 50000 routes");

    let unknown: String = (0..200).map(|number| format!("unknown{number}: x\n")).collect();
    assert_eq!(said(&unknown).lines().count(), 101);

    let nested = |levels: usize| {
        let (open, close) = ("{routes: [".repeat(levels), "]}".repeat(levels));
        format!("route: {{receiver: a, routes: [{open}{close}]}}\nreceivers: [{{name: a}}]\n")
    };
    assert_eq!(parsed(&nested(98)).unwrap().policy.routes.len(), 99);
    assert!(said(&nested(99)).contains("nested more than 200 levels deep"));

    let large = usize::try_from(MAX_FILE_BYTES).unwrap() + 1;
    assert!(said(&" ".repeat(large)).contains("larger than"));
}

#[test]
fn broken_variants_of_good_files_neither_panic_nor_hang() {
    const VARIANTS: u32 = 2_000;
    let texts: Vec<String> = fixtures("good").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut random = Random(0x5eed);
    for _ in 0..VARIANTS {
        let mut bytes = texts[random.below(texts.len())].clone().into_bytes();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, &texts, &mut random);
        }
        // Whether a variant is refused is of no interest; that the answer comes, is.
        let _ = parsed(&String::from_utf8_lossy(&bytes));
    }
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % bound.max(1)
    }
}

/// Bytes that YAML minds.
const SPECIAL: &[u8] = b":-[]{}&*!|>'\"%@`#,?~<= \n\t\0\xff9";

/// Takes out a piece, doubles it, puts in one of another file, or a byte that YAML minds.
fn mutate(bytes: &mut Vec<u8>, texts: &[String], random: &mut Random) {
    let start = random.below(bytes.len());
    let end = (start + random.below(40)).min(bytes.len());
    match random.below(4) {
        0 => drop(bytes.drain(start..end)),
        1 => {
            let piece = bytes[start..end].to_vec();
            bytes.splice(start..start, piece).for_each(drop);
        }
        2 => {
            let other = texts[random.below(texts.len())].as_bytes();
            let from = random.below(other.len());
            let piece = &other[from..(from + 40).min(other.len())];
            bytes.splice(start..start, piece.iter().copied()).for_each(drop);
        }
        _ => bytes.splice(start..start, [SPECIAL[random.below(SPECIAL.len())]]).for_each(drop),
    }
}
