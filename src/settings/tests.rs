use serde::de::DeserializeOwned;

use super::global::Global;
use super::http::HttpConfig;
use super::receiver::Receiver;
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
fn unknown_keys_are_refused_and_foreign_kinds_are_known() {
    let error = read::<Receiver>("name: x\nwebhook_config: []\n").unwrap_err();
    assert!(error.contains("webhook_config") && error.contains("line 2"), "{error}");
    let receiver: Receiver = read("name: x\nslack_configs:\n- channel: y\n  actions: [{type: button}]\n- \n").unwrap();
    assert_eq!(receiver.unsupported_kinds().collect::<Vec<_>>(), ["slack"]);
    assert_eq!(receiver.slack_configs.len(), 2);
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
