//! Every file in `config/ha` is read by the program it is for, or held against what that program wants where Debian does
//! not have it. What the files say of each other must be true.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::process::cannot_start;
use crate::harness::server::{Program, Server};

/// A file or folder of `config/ha`.
pub(super) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ha").join(name)
}

/// The text of a file of `config/ha`.
pub(super) fn text(name: &str) -> String {
    let path = shipped(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A YAML file of `config/ha`.
fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Runs a program that must be content, and returns what it printed.
fn content(program: &str, package: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(shipped("")).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{}", cannot_start(&command, package, &error)));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

#[test]
fn promtool_reads_both_configurations_and_all_rules() {
    for config in ["prometheus/primary.yml", "prometheus/secondary.yml"] {
        let said = content("/usr/bin/promtool", "prometheus", &["check", "config", config]);
        assert!(said.contains("2 rule files found"), "{said}");
    }
}

#[test]
fn the_rules_fire_when_they_should() {
    content("/usr/bin/promtool", "prometheus", &["test", "rules", "prometheus/rules-test.yml"]);
    let tested = text("prometheus/rules-test.yml");
    for alert in alerts() {
        assert!(tested.contains(&format!("alertname: {alert}\n")), "{alert} is in no test of rules-test.yml");
    }
}

/// Whatever else differed would make alerts differ that are the same.
#[test]
fn the_two_servers_differ_only_where_they_say_so() {
    let [primary, secondary] = ["prometheus/primary.yml", "prometheus/secondary.yml"].map(|name| {
        let mut config = yaml(name);
        let replica = config["global"]["external_labels"]["replica"].take();
        let interval = config["global"]["scrape_interval"].take();
        let reads = config.as_object_mut().expect("a mapping").shift_remove("remote_read");
        (config, replica, interval, reads)
    });
    assert_eq!(primary.0, secondary.0);
    assert_eq!((primary.1, secondary.1), (json!("mon1"), json!("mon2")));
    assert_ne!(primary.2, secondary.2);
    let url = primary.3.expect("the primary reads")[0]["url"].take();
    assert_eq!((url, secondary.3), (json!("http://mon2.example.org:9090/api/v1/read"), None));
    // And where they differ, alerts do not.
    let drops = json!([{"action": "labeldrop", "regex": "replica"}]);
    assert_eq!(primary.0["alerting"]["alert_relabel_configs"], drops);
}

#[test]
fn the_blackbox_exporter_reads_its_modules() {
    let program = "/usr/bin/prometheus-blackbox-exporter";
    content(program, "prometheus-blackbox-exporter", &["--config.check", "--config.file", "prometheus/blackbox.yml"]);
    // A module that a job names and the exporter does not know would fail only when it is asked for.
    let modules = yaml("prometheus/blackbox.yml")["modules"].clone();
    let jobs = yaml("prometheus/primary.yml")["scrape_configs"].clone();
    let of_jobs = jobs.as_array().expect("jobs").iter().filter_map(|job| job["params"]["module"][0].as_str());
    let targets = yaml("prometheus/targets/tls.yml");
    let of_targets = targets.as_array().expect("targets").iter().map(|group| &group["labels"]["__param_module"]);
    let named: Vec<_> = of_jobs.chain(of_targets.filter_map(Value::as_str)).collect();
    assert_eq!(named, ["icmp", "http_2xx", "tcp_tls", "smtp_starttls"]);
    assert!(named.iter().all(|name| modules[*name].is_object()), "{modules}");
}

#[test]
fn watchbell_reads_its_configuration() {
    let said = content(Program::Watchbell.path(), "", &["check-config", "watchbell/watchbell.yml"]);
    assert!(said.contains("SUCCESS") && !said.to_lowercase().contains("warn"), "{said}");
}

/// A name that is misspelt in a rule is an alert that never fires.
#[test]
fn watchbell_has_the_metrics_that_the_rules_name() {
    // Where its secrets are does not matter for that, nor that nobody is there to be told.
    let server = Server::start_with(
        Program::Watchbell,
        &text("watchbell/watchbell.yml"),
        &["--cluster.listen-address=127.0.0.1:0", "--cluster.peer-name=mon1"],
    );
    let page = server.client().get("/metrics").ok().text();
    let families: BTreeSet<_> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let rules = text("prometheus/rules/pair.yml");
    let words = rules.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let named: BTreeSet<_> =
        words.filter(|word| word.starts_with("alertmanager_") || word.starts_with("watchbell_")).collect();
    assert!(named.len() >= 8, "{named:?}");
    let missing: Vec<_> = named.difference(&families).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// An inhibition by an alert that no rule raises does nothing.
#[test]
fn inhibitions_and_routes_speak_of_alerts_that_there_are() {
    let known = alerts();
    let config = yaml("watchbell/watchbell.yml");
    let mut named = BTreeSet::new();
    collect_alertnames(&config, &mut named);
    assert!(named.len() > 5, "{named:?}");
    // Raised by Watchbell itself.
    for own in ["WatchbellPeerDown", "PrometheusSilent"] {
        assert!(named.remove(own), "{own}");
    }
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The names in matchers such as `alertname=~"A|B"`, wherever they stand.
fn collect_alertnames(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_alertnames(item, names)),
        Value::Object(members) => members.values().for_each(|member| collect_alertnames(member, names)),
        Value::String(matcher) => {
            let pattern = matcher.strip_prefix("alertname=").map(|rest| rest.trim_matches(['~', '"']));
            names.extend(pattern.iter().flat_map(|pattern| pattern.split('|')).map(str::to_owned));
        }
        _ => {}
    }
}

/// The names of all alerts that the rules raise.
fn alerts() -> BTreeSet<String> {
    let files = ["prometheus/rules/hosts.yml", "prometheus/rules/pair.yml"];
    let rules = files.map(text).join("\n");
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).map(str::to_owned).collect()
}

#[test]
fn systemd_takes_the_units_and_finds_little_that_they_could_do() {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let place = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory can be made");
        fs::write(&path, text).expect("a unit can be written");
        path.display().to_string()
    };
    // The verifier looks whether the programs are there: ours are not where they will be.
    let ours = ["watchbell", "karma"].map(|name| {
        let unit = text(&format!("systemd/{name}.service"));
        let path = format!("/usr/local/bin/{name}");
        assert!(unit.contains(&path), "{name}");
        place(&format!("{name}.service"), &unit.replace(&path, Program::Watchbell.path()))
    });
    let exporter = "prometheus-blackbox-exporter.service";
    let debian = fs::read_to_string(Path::new("/lib/systemd/system").join(exporter)).expect("Debian has its unit");
    let exporter_unit = place(exporter, &debian);
    place(&format!("{exporter}.d/icmp.conf"), &text(&format!("systemd/{exporter}.d/icmp.conf")));
    for unit in [&ours[0], &ours[1], &exporter_unit] {
        assert_eq!(content("/usr/bin/systemd-analyze", "systemd", &["verify", unit]), "", "{unit}");
    }
    for (unit, exposure) in [(&ours[0], 15), (&ours[1], 15), (&exporter_unit, 30)] {
        let threshold = format!("--threshold={exposure}");
        content("/usr/bin/systemd-analyze", "systemd", &["security", "--offline=true", &threshold, unit]);
    }
    // In an empty tree, as this machine may have these users.
    let root = format!("--root={}", dir.path().display());
    let users = text("systemd/sysusers.conf");
    let users = users.lines().filter(|line| !line.starts_with('#'));
    let arguments: Vec<_> = ["--dry-run", &root, "--inline"].into_iter().chain(users).collect();
    let made = content("/usr/bin/systemd-sysusers", "systemd", &arguments);
    assert!(["'watchbell'", "'karma'"].iter().all(|user| made.contains(user)), "{made}");
}

#[test]
fn compose_reads_its_file_and_starts_what_the_units_start() {
    let said = content("/usr/bin/docker-compose", "docker-compose", &["-f", "compose.yml", "config"]);
    let config: Value = serde_saphyr::from_str(&said).expect("it prints YAML");
    for (machine, server) in [("mon1", "primary"), ("mon2", "secondary")] {
        let flags = |service: &str| -> BTreeSet<String> {
            let flags = config["services"][service]["command"].as_array().expect("a command").iter();
            flags.map(|flag| flag.as_str().expect("a flag").to_owned()).collect()
        };
        let storage = |flag: &String| flag.starts_with("--storage.tsdb.path");
        let unit: BTreeSet<_> = arguments(&format!("default/prometheus-{server}")).into_iter().collect();
        let differ: Vec<_> =
            unit.symmetric_difference(&flags(machine)).filter(|flag| !storage(flag)).cloned().collect();
        assert_eq!(differ, [""; 0]);
        let mut unit: BTreeSet<_> = arguments("default/watchbell").into_iter().collect();
        unit.extend(["--storage.path=/var/lib/watchbell".to_owned(), format!("--cluster.peer-name={machine}")]);
        assert_eq!(unit, flags(&format!("{machine}-watchbell")));
        assert_eq!(config["services"][format!("{machine}-watchbell")]["network_mode"], format!("service:{machine}"));
    }
}

/// The flags in `ARGS="…"` of a file for `/etc/default`.
pub(super) fn arguments(name: &str) -> Vec<String> {
    let text = text(name);
    let line = text.lines().find_map(|line| line.strip_prefix("ARGS=\"")?.strip_suffix('"')).expect("a line ARGS");
    line.split(' ').map(str::to_owned).collect()
}

/// Karma is not in Debian. It takes routers for one cluster if they say the same `cluster`, and asks them at their `uri`.
#[test]
fn karma_sees_one_cluster_of_the_routers_that_prometheus_tells() {
    let config = yaml("karma/karma.yaml");
    let servers = config["alertmanager"]["servers"].as_array().expect("servers");
    let told = &yaml("prometheus/primary.yml")["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"];
    let asked: Vec<_> = servers.iter().map(|server| server["uri"].as_str().expect("a URI")).collect();
    let told: Vec<_> = told
        .as_array()
        .expect("targets")
        .iter()
        .map(|target| format!("http://{}", target.as_str().expect("an address")))
        .collect();
    assert_eq!(asked, told);
    let clusters: BTreeSet<_> = servers.iter().map(|server| server["cluster"].as_str().expect("a cluster")).collect();
    assert_eq!(clusters.len(), 1, "{clusters:?}");
    let replicas = ["prometheus=mon1", "prometheus=mon2"];
    for server in servers {
        let filters = server["healthcheck"]["filters"].as_object().expect("filters");
        let replica = |filter: &Value| (filter[0] == "alertname=Watchdog").then(|| filter[1].clone());
        assert_eq!(filters.values().filter_map(replica).collect::<Vec<_>>(), replicas);
        let keys: Vec<_> = server.as_object().expect("a mapping").keys().map(String::as_str).collect();
        assert_eq!(keys, ["name", "cluster", "uri", "timeout", "proxy", "healthcheck"]);
    }
    let keys: Vec<_> = config.as_object().expect("a mapping").keys().map(String::as_str).collect();
    assert_eq!(keys, ["listen", "alertmanager", "filters", "grid", "labels"]);
}

/// Grafana is not in Debian either. Without `implementation: prometheus` it takes a router for Mimir.
#[test]
fn grafana_is_given_all_servers_and_takes_the_routers_for_what_they_are() {
    let config = yaml("grafana/watchbell.yaml");
    assert_eq!(config["apiVersion"], 1);
    let sources = config["datasources"].as_array().expect("data sources");
    let found: Vec<_> = sources.iter().map(|source| [&source["type"], &source["uid"], &source["url"]]).collect();
    let source = |kind: &str, name: &str, machine: &str, port: u16| {
        [json!(kind), json!(format!("{name}-{machine}")), json!(format!("http://{machine}.example.org:{port}"))]
    };
    let wanted = [
        source("alertmanager", "watchbell", "mon1", 9093),
        source("alertmanager", "watchbell", "mon2", 9093),
        source("prometheus", "prometheus", "mon1", 9090),
        source("prometheus", "prometheus", "mon2", 9090),
    ];
    assert_eq!(found, wanted.each_ref().map(|source| source.each_ref()));
    for source in sources {
        assert_eq!(source["access"], "proxy");
        let data = &source["jsonData"];
        let linked =
            data["alertmanagerUid"].as_str().is_some_and(|uid| sources.iter().any(|other| other["uid"] == uid));
        let router = data["implementation"] == "prometheus" && data["handleGrafanaManagedAlerts"] == false;
        assert_eq!(source["type"] == "alertmanager", router, "{source}");
        assert_eq!(source["type"] == "prometheus", linked, "{source}");
    }
    assert_eq!(sources.iter().filter(|source| source["isDefault"] == true).count(), 1);
}
