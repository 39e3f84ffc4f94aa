//! Settings as they are written, shown, and refused.

use serde::de::DeserializeOwned;

use super::duration::{GoDuration, PrometheusDuration};
use super::email::EmailConfig;
use super::global::Global;
use super::http::HttpConfig;
use super::receiver::Receiver;
use super::size::ByteSize;
use super::url::{HostPort, HttpUrl, ProxyUrl, TemplateUrl};
use super::webhook::WebhookConfig;

fn read<T: DeserializeOwned>(yaml: &str) -> Result<T, String> {
    serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
}

fn shown(settings: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(settings).unwrap()
}

#[test]
fn a_webhook_is_read_and_shown_without_its_secrets() {
    let webhook: WebhookConfig = read(
        "url: http://user:pw@host/x\nmax_alerts: 3\ntimeout: 1m30s\nhttp_config:\n  basic_auth: {username: a, password: 1}\n",
    )
    .unwrap();
    assert_eq!(webhook.url.reveal(), "http://user:pw@host/x");
    assert_eq!(
        shown(&webhook),
        "send_resolved: true\nhttp_config:\n  basic_auth:\n    username: a\n    password: <secret>\n  \
         follow_redirects: true\n  enable_http2: true\nurl: <secret>\nurl_file: \"\"\nmax_alerts: 3\ntimeout: 1m30s\n"
    );
    assert!(!format!("{webhook:?}").contains("pw"));
}

#[test]
fn null_means_empty_and_missing_means_default() {
    let receiver: Receiver =
        read("name: x\nlabels:\nwebhook_configs:\nemail_configs:\n- to: a@b\n  text:\n  html:\n").unwrap();
    assert!(receiver.webhook_configs.is_empty());
    assert_eq!(receiver.email_configs[0].html, "");
    assert_eq!(read::<Global>("smtp_require_tls:\n").map(|global| global.smtp_require_tls), Ok(false));
    assert_eq!(read::<HttpConfig>("{}"), Ok(HttpConfig::default()));
}

#[test]
fn what_is_shown_can_be_read_again() {
    let global: Global = read("slack_api_url: http://s/\nsmtp_smarthost: '[::1]:25'\nresolve_timeout: 90m\n").unwrap();
    let again: Global = read(&shown(&global)).unwrap();
    assert_eq!(shown(&again), shown(&global));
}

#[test]
fn unknown_keys_are_refused() {
    let error = read::<Receiver>("name: x\nwebhook_config: []\n").unwrap_err();
    assert!(error.contains("webhook_config") && error.contains("line 2"), "{error}");
}

#[test]
fn irc_and_gitlab_have_their_defaults() {
    use super::{gitlab::GitlabConfig, irc::IrcConfig};
    let irc: IrcConfig = read("server: oftc\nto: ['#alerts']\nrate_limit: {lines: 5}\n").unwrap();
    assert_eq!((irc.max_lines, irc.rate_limit.lines, irc.rate_limit.per.to_string()), (4, 5, "1h".to_owned()));
    assert_eq!(irc.validate(), Ok(()));
    let gitlab: GitlabConfig =
        read("project: a/b\ntitle: T\ndescription: {template: D, enable_update: false}\nmode: x\n").unwrap();
    assert_eq!((gitlab.title.template.as_str(), gitlab.title.enable_update), ("T", true));
    assert!(!gitlab.description.enable_update);
    assert_eq!(gitlab.validate().unwrap_err().to_string(), "unknown mode \"x\", must be one of issue, incident, alert");
}

fn refusal<T: DeserializeOwned + std::fmt::Debug>(yaml: &str) -> String {
    let error = read::<T>(yaml).unwrap_err();
    error.split(" at line ").next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[test]
fn durations_are_prometheus_or_gos() {
    for (text, shown) in [("0", "0s"), ("90m", "1h30m"), ("1d", "1d"), ("8d", "8d"), ("14d", "2w"), ("1h1ms", "1h1ms")]
    {
        assert_eq!(read::<PrometheusDuration>(text).map(|span| span.to_string()), Ok(shown.to_owned()));
    }
    for (text, why) in [
        ("''", "empty duration string"),
        ("5", "not a valid duration string: \"5\""),
        ("1m1h", "not a valid duration string: \"1m1h\""),
        ("1x", "unknown unit \"x\" in duration \"1x\""),
        ("300y", "duration out of range"),
    ] {
        assert!(refusal::<PrometheusDuration>(text).contains(why), "{text}: {}", refusal::<PrometheusDuration>(text));
    }
    for (text, shown) in [("1.5h", "1h30m0s"), ("1000", "1µs"), ("0", "0s"), ("-5s", "0s"), ("10s", "10s")] {
        assert_eq!(read::<GoDuration>(text).map(|span| span.to_string()), Ok(shown.to_owned()));
    }
    assert!(refusal::<GoDuration>("1d").contains("unknown unit \"d\" in duration \"1d\""));
}

#[test]
fn addresses_need_what_makes_them_reachable() {
    assert!(refusal::<HttpUrl>("ftp://h/").contains("unsupported scheme \"ftp\" for URL"));
    assert!(refusal::<HttpUrl>("'http://'").contains("missing host for URL"));
    assert!(refusal::<HttpUrl>("host").contains("unsupported scheme \"\" for URL"));
    assert!(refusal::<TemplateUrl>("host").contains("invalid URL: unsupported scheme"));
    assert!(read::<TemplateUrl>("'{{ .X }}'").is_ok() && read::<TemplateUrl>("<secret>").is_ok());
    assert_eq!(
        read::<HostPort>("'[::1]:25'").map(|address| (address.host, address.port)),
        Ok(("::1".into(), "25".into()))
    );
    assert!(refusal::<HostPort>("'h:'").contains("address \"h:\": port cannot be empty"));
    assert!(refusal::<HostPort>("h").contains("missing port in address"));
    assert!(refusal::<HostPort>("'a:b:c'").contains("too many colons in address"));
    assert_eq!(shown(&read::<ProxyUrl>("'socks5h://u:secret@h:9050'").unwrap()), "socks5h://u:xxxxx@h:9050\n");
}

#[test]
fn http_settings_that_contradict_each_other_are_refused() {
    for (yaml, why) in [
        ("bearer_token: a\nbearer_token_file: b", "at most one of bearer_token & bearer_token_file must be configured"),
        (
            "basic_auth: {}\nbearer_token: b",
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
        ),
        (
            "basic_auth: {username: a, username_file: b}",
            "at most one of basic_auth username, username_file & username_ref must be configured",
        ),
        ("authorization: {type: Basic}", "authorization type cannot be set to \"basic\", use \"basic_auth\" instead"),
        (
            "authorization: {credentials: a, credentials_file: b}",
            "at most one of authorization credentials & credentials_file must be configured",
        ),
        ("authorization: {}\nbasic_auth: {}", "at most one of basic_auth, oauth2 & authorization must be configured"),
        ("oauth2: {token_url: 'http://t'}", "oauth2 client_id must be configured"),
        ("oauth2: {client_id: a}", "oauth2 token_url must be configured"),
        ("tls_config: {ca: a, ca_file: b}", "at most one of ca, ca_file & ca_ref must be configured"),
        (
            "tls_config: {cert: a}",
            "exactly one of key or key_file must be configured when a client certificate is configured",
        ),
        (
            "proxy_from_environment: true\nproxy_url: 'http://p'",
            "if proxy_from_environment is configured, proxy_url must not be configured",
        ),
        ("no_proxy: a", "if no_proxy is configured, proxy_url must also be configured"),
        ("http_headers: {user-agent: {values: [a]}}", "setting header \"User-Agent\" is not allowed"),
    ] {
        let validated = read::<HttpConfig>(yaml).unwrap().validate();
        assert_eq!(validated.map_err(|error| error.to_string()), Err(why.to_owned()), "{yaml}");
    }
    assert!(refusal::<HttpConfig>("tls_config: {min_version: SSL3}").contains("unknown TLS version: SSL3"));
}

#[test]
fn email_settings_that_contradict_each_other_are_refused() {
    for (yaml, why) in [
        ("from: a", "missing to address in email config"),
        ("to: a\nheaders: {subject: a, Subject: b}", "duplicate header \"Subject\" in email config"),
        (
            "to: a\nthreading: {enabled: true, thread_by_date: weekly}",
            "threading.thread_by_date must be either 'none' or 'daily'",
        ),
        (
            "to: a\nthreading: {enabled: true, thread_by_date: none, by: daily}",
            "at most one of threading.by & threading.thread_by_date must be configured",
        ),
        (
            "to: a\nthreading: {enabled: true}\nheaders: {in-reply-to: x}",
            "conflicting configuration: threading.enabled conflicts with custom In-Reply-To header",
        ),
        ("to: a\ncc: b\nheaders: {cc: c}", "conflicting configuration: cc conflicts with custom Cc header"),
        (
            "to: a\nlist_id: <b>\nheaders: {list-id: c}",
            "conflicting configuration: list_id conflicts with custom List-Id header",
        ),
        ("to: a\ndsn: {notify: [never, delay]}", "dsn.notify: never must stand alone"),
        ("to: a\nmessage_id_domain: 'a>b'", "message_id_domain: \"a>b\" is no name for a domain"),
        ("to: a\nauth_oauth2: {token_url: 'http://t'}", "oauth2 client_id must be configured"),
        (
            "to: a\nthreading: {enabled: true, thread_by_date: none}\nheaders: {references: x}",
            "conflicting configuration: threading.enabled conflicts with custom References header",
        ),
    ] {
        let validated = read::<EmailConfig>(yaml).unwrap().validate();
        assert_eq!(validated.map_err(|error| error.to_string()), Err(why.to_owned()), "{yaml}");
    }
}

#[test]
fn email_settings_of_ours_have_their_defaults() {
    use super::email::{PartialDelivery, ThreadBy};
    let email: EmailConfig = read("to: a").unwrap();
    assert_eq!((email.auto_submitted, email.partial_delivery), (true, PartialDelivery::Accept));
    assert_eq!((email.max_alerts(), email.max_size.to_string()), (Some(20), "90kB".to_owned()));
    assert!(email.dsn.notify.is_empty() && email.dsn.envid && email.text.contains("email.default.text"));
    for (threading, rule) in [
        ("{}", None),
        ("{enabled: true}", Some(ThreadBy::Incident)),
        ("{enabled: true, by: group}", Some(ThreadBy::Group)),
        ("{enabled: true, thread_by_date: none}", Some(ThreadBy::Group)),
        ("{enabled: true, thread_by_date: daily}", Some(ThreadBy::Daily)),
    ] {
        let email: EmailConfig = read(&format!("to: a\nthreading: {threading}")).unwrap();
        assert_eq!((email.validate(), email.threading.rule()), (Ok(()), rule), "{threading}");
    }
}

#[test]
fn a_template_of_ones_own_lists_every_alert_unless_it_is_told_how_many() {
    let limit = |yaml: &str| read::<EmailConfig>(&format!("to: a\n{yaml}")).unwrap().max_alerts();
    assert_eq!(
        [limit("html: x"), limit("text: x"), limit("html: ''"), limit("text: ''")],
        [None, None, None, Some(20)]
    );
    assert_eq!([limit("html: x\nmax_alerts_html: 3"), limit("max_alerts_html: 0")], [Some(3), None]);
}

#[test]
fn sizes_have_units() {
    for (text, bytes, shown) in [
        ("90kB", 90_000, "90kB"),
        ("90000", 90_000, "90kB"),
        ("2 MB", 2_000_000, "2MB"),
        ("64KiB", 65_536, "64KiB"),
        ("0", 0, "0B"),
        ("1001", 1001, "1001B"),
    ] {
        let size = read::<ByteSize>(text).unwrap();
        assert_eq!((size.0, size.to_string().as_str()), (bytes, shown));
    }
    for text in ["''", "kB", "1.5MB", "-1", "1 TB", "99999999999999999999"] {
        assert!(refusal::<ByteSize>(text).contains("not a valid size"), "{text}");
    }
}
