//! `global`: what receivers inherit, also of kinds that are not supported, because a configuration may name them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::PrometheusDuration;
use super::email::{AuthMechanism, TlsMode, validate_message_id_domain};
use super::http::{HttpConfig, OAuth2};
use super::irc::IrcServer;
use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::tls::TlsConfig;
use super::url::{HostPort, HttpUrl, SecretUrl};
use super::{Invalid, at_most_one};

/// Settings for all receivers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Global {
    /// How long an alert without an end fires after its last report. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub resolve_timeout: PrometheusDuration,
    /// How receivers without such a block of their own are reached.
    #[serde(skip_serializing_if = "empty")]
    pub http_config: Option<HttpConfig>,
    /// Jira's API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub jira_api_url: HttpUrl,
    /// The sender of mails; a template.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_from: String,
    /// The name by which mail servers are greeted. Always shown, because it is not empty unless given.
    #[serde(deserialize_with = "nullable")]
    pub smtp_hello: String,
    /// The mail server.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_smarthost: HostPort,
    /// As whom to log in at the mail server.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_username: String,
    /// The password for PLAIN and LOGIN.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_password: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_password_file: String,
    /// The secret for CRAM-MD5.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_secret: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_secret_file: String,
    /// As whom to act, in PLAIN.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_identity: String,
    /// Whether nothing is said to mail servers in the clear. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub smtp_require_tls: bool,
    /// How TLS is spoken with mail servers.
    #[serde(skip_serializing_if = "empty")]
    pub smtp_tls_config: Option<TlsConfig>,
    /// Whether TLS begins before SMTP does; by default on port 465.
    #[serde(skip_serializing_if = "empty")]
    pub smtp_force_implicit_tls: Option<bool>,
    /// When TLS begins.
    #[serde(skip_serializing_if = "empty")]
    pub smtp_tls_mode: Option<TlsMode>,
    /// Ways to log in at mail servers, the most wanted first.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_auth_mechanisms: Vec<AuthMechanism>,
    /// Whence tokens for mail servers come.
    #[serde(skip_serializing_if = "empty")]
    pub smtp_auth_oauth2: Option<OAuth2>,
    /// To whom servers report failures; a template.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_envelope_from: String,
    /// What mails' names end with; the same on all nodes.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smtp_message_id_domain: String,
    /// Slack's webhook.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub slack_api_url: SecretUrl,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub slack_api_url_file: String,
    /// The token of a Slack app.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub slack_app_token: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub slack_app_token_file: String,
    /// Slack's API for apps.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub slack_app_url: HttpUrl,
    /// PagerDuty's events API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub pagerduty_url: HttpUrl,
    /// Opsgenie's API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub opsgenie_api_url: HttpUrl,
    /// The key for it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub opsgenie_api_key: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub opsgenie_api_key_file: String,
    /// WeChat's API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub wechat_api_url: HttpUrl,
    /// The secret for it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub wechat_api_secret: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub wechat_api_secret_file: String,
    /// The organisation at WeChat.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub wechat_api_corp_id: String,
    /// VictorOps' API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub victorops_api_url: HttpUrl,
    /// The key for it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub victorops_api_key: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub victorops_api_key_file: String,
    /// Telegram's API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub telegram_api_url: HttpUrl,
    /// The token of a Telegram bot.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub telegram_bot_token: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub telegram_bot_token_file: String,
    /// Webex' API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub webex_api_url: HttpUrl,
    /// Rocket.Chat's API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rocketchat_api_url: HttpUrl,
    /// The token for it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rocketchat_token: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rocketchat_token_file: String,
    /// The token's id.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rocketchat_token_id: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rocketchat_token_id_file: String,
    /// Mattermost's webhook.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub mattermost_webhook_url: SecretUrl,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub mattermost_webhook_url_file: String,
    /// The IRC networks that `irc_configs` speak to.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub irc_servers: Vec<IrcServer>,
    /// GitLab's API.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub gitlab_api_url: HttpUrl,
    /// The token for it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub gitlab_token: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub gitlab_token_file: String,
    /// What tells this cluster's GitLab issues from another's; the same on all nodes.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub gitlab_cluster_id: String,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            resolve_timeout: PrometheusDuration(Duration::from_secs(300)),
            http_config: Some(HttpConfig::default()),
            jira_api_url: HttpUrl::default(),
            smtp_from: String::new(),
            smtp_hello: "localhost".to_owned(),
            smtp_smarthost: HostPort::default(),
            smtp_auth_username: String::new(),
            smtp_auth_password: Secret::default(),
            smtp_auth_password_file: String::new(),
            smtp_auth_secret: Secret::default(),
            smtp_auth_secret_file: String::new(),
            smtp_auth_identity: String::new(),
            smtp_require_tls: true,
            smtp_tls_config: None,
            smtp_force_implicit_tls: None,
            smtp_tls_mode: None,
            smtp_auth_mechanisms: Vec::new(),
            smtp_auth_oauth2: None,
            smtp_envelope_from: String::new(),
            smtp_message_id_domain: String::new(),
            slack_api_url: SecretUrl::default(),
            slack_api_url_file: String::new(),
            slack_app_token: Secret::default(),
            slack_app_token_file: String::new(),
            slack_app_url: HttpUrl::known("https://slack.com/api/chat.postMessage"),
            pagerduty_url: HttpUrl::known("https://events.pagerduty.com/v2/enqueue"),
            opsgenie_api_url: HttpUrl::known("https://api.opsgenie.com/"),
            opsgenie_api_key: Secret::default(),
            opsgenie_api_key_file: String::new(),
            wechat_api_url: HttpUrl::known("https://qyapi.weixin.qq.com/cgi-bin/"),
            wechat_api_secret: Secret::default(),
            wechat_api_secret_file: String::new(),
            wechat_api_corp_id: String::new(),
            victorops_api_url: HttpUrl::known("https://alert.victorops.com/integrations/generic/20131114/alert/"),
            victorops_api_key: Secret::default(),
            victorops_api_key_file: String::new(),
            telegram_api_url: HttpUrl::known("https://api.telegram.org"),
            telegram_bot_token: Secret::default(),
            telegram_bot_token_file: String::new(),
            webex_api_url: HttpUrl::known("https://webexapis.com/v1/messages"),
            rocketchat_api_url: HttpUrl::known("https://open.rocket.chat/"),
            rocketchat_token: Secret::default(),
            rocketchat_token_file: String::new(),
            rocketchat_token_id: Secret::default(),
            rocketchat_token_id_file: String::new(),
            mattermost_webhook_url: SecretUrl::default(),
            mattermost_webhook_url_file: String::new(),
            irc_servers: Vec::new(),
            gitlab_api_url: HttpUrl::known("https://gitlab.com/api/v4/"),
            gitlab_token: Secret::default(),
            gitlab_token_file: String::new(),
            gitlab_cluster_id: String::new(),
        }
    }
}
impl Global {
    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// Says in Alertmanager's words what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        for [inline, file] in self.secrets_with_files() {
            at_most_one(&[inline, file])?;
        }
        self.validate_slack()?;
        for (index, server) in self.irc_servers.iter().enumerate() {
            server.validate()?;
            let twice = self.irc_servers[..index].iter().any(|other| other.name == server.name);
            Invalid::when(twice, &format!("irc server name {:?} is not unique", server.name))?;
        }
        self.smtp_tls_config.as_ref().map_or(Ok(()), TlsConfig::validate)?;
        self.smtp_auth_oauth2.as_ref().map_or(Ok(()), OAuth2::validate)?;
        validate_message_id_domain("smtp_message_id_domain", &self.smtp_message_id_domain)?;
        self.http_config.as_ref().map_or(Ok(()), HttpConfig::validate)
    }

    /// Each secret that may be given inline or in a file: the two keys, and whether each is set.
    fn secrets_with_files(&self) -> [[(&'static str, bool); 2]; 12] {
        let pair = |[inline, file]: [&'static str; 2], is_inline: bool, path: &str| {
            [(inline, is_inline), (file, !path.is_empty())]
        };
        macro_rules! pairs {
            ($($inline:ident $file:ident,)*) => {
                [$(pair([stringify!($inline), stringify!($file)], !self.$inline.is_empty(), &self.$file)),*]
            };
        }
        pairs![
            slack_app_token slack_app_token_file,
            slack_api_url slack_api_url_file,
            opsgenie_api_key opsgenie_api_key_file,
            victorops_api_key victorops_api_key_file,
            telegram_bot_token telegram_bot_token_file,
            smtp_auth_password smtp_auth_password_file,
            rocketchat_token rocketchat_token_file,
            rocketchat_token_id rocketchat_token_id_file,
            smtp_auth_secret smtp_auth_secret_file,
            wechat_api_secret wechat_api_secret_file,
            mattermost_webhook_url mattermost_webhook_url_file,
            gitlab_token gitlab_token_file,
        ]
    }

    fn validate_slack(&self) -> Result<(), Invalid> {
        let token = !self.slack_app_token.is_empty() || !self.slack_app_token_file.is_empty();
        let url = !self.slack_api_url.is_empty() || !self.slack_api_url_file.is_empty();
        Invalid::when(
            token && url && self.slack_api_url.reveal() != self.slack_app_url.as_str(),
            "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
        )
    }
}
