//! Receivers: names, integrations whole after inheriting from `global`, and the kinds that are not there yet.

use std::collections::BTreeSet;
use std::path::Path;

use watchbell_engine::label::Labels;
use watchbell_engine::policy;
use watchbell_template::{Engine, Templates};

use super::check::Check;
use super::error::Place;
use super::file;
use super::paths;
use super::spelling::nearest;
use super::yaml::At;
use crate::settings::Invalid;
use crate::settings::email::EmailConfig;
use crate::settings::gitlab::GitlabConfig;
use crate::settings::global::Global;
use crate::settings::http::HttpConfig;
use crate::settings::receiver::Receiver;
use crate::settings::webhook::WebhookConfig;

/// The kinds of integrations that this version can tell.
const SUPPORTED: &str = "webhook_configs, email_configs, irc_configs, gitlab_configs, terminal_configs";

/// Receivers with all that they inherit, in the order of the file.
pub(super) fn receivers(
    written: Vec<At<Option<file::Receiver>>>,
    global: &Global,
    directory: &Path,
    check: &mut Check<'_>,
) -> Vec<Receiver> {
    let mut names = BTreeSet::new();
    let mut receivers = Vec::with_capacity(written.len());
    for At { value, place } in written {
        match value {
            Some(receiver) => {
                check_name(&receiver, &place, &mut names, check);
                receivers.push(checked(receiver, global, directory, check));
            }
            None => check.problem(&place, "missing name in receiver"),
        }
    }
    check.receivers = names;
    receivers
}

/// What decisions need to know of a receiver.
pub(super) fn policy_receiver(receiver: &Receiver) -> policy::Receiver {
    let own = receiver.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let labels: Labels = own.chain([("name", receiver.name.as_str())]).collect();
    policy::Receiver { name: receiver.name.as_str().into(), labels, integrations: integrations(receiver) }
}

/// Kind by kind in the order in which Alertmanager builds them, then ours.
fn integrations(receiver: &Receiver) -> Vec<policy::Integration> {
    fn of_kind<C>(kind: &str, configs: &[C], send_resolved: impl Fn(&C) -> bool) -> Vec<policy::Integration> {
        let integration =
            |(index, config)| policy::Integration { kind: kind.into(), index, send_resolved: send_resolved(config) };
        (0..).zip(configs).map(integration).collect()
    }
    [
        of_kind("webhook", &receiver.webhook_configs, |config| config.send_resolved),
        of_kind("email", &receiver.email_configs, |config| config.send_resolved),
        of_kind("irc", &receiver.irc_configs, |config| config.send_resolved),
        of_kind("gitlab", &receiver.gitlab_configs, |config| config.send_resolved),
        of_kind("terminal", &receiver.terminal_configs, |config| config.send_resolved),
    ]
    .concat()
}

fn check_name(receiver: &file::Receiver, place: &Place, names: &mut BTreeSet<String>, check: &mut Check<'_>) {
    let name = &receiver.name;
    check.refuse_if(name.is_empty(), place, "missing name in receiver");
    if !name.is_empty() && !names.insert(name.clone()) {
        check.problem(place, format!("notification config name {name:?} is not unique"));
    }
    if let Some(label) = receiver.labels.get("name").filter(|label| label.value != *name) {
        let message = format!("receiver label \"name\" must match receiver name {name:?}, got {:?}", label.value);
        check.problem(&label.place, message);
    }
}

fn checked(written: file::Receiver, global: &Global, directory: &Path, check: &mut Check<'_>) -> Receiver {
    refuse_unsupported(&written, check);
    let webhook = |config: &mut WebhookConfig| {
        config.validate()?;
        check_url_template(config.url.reveal())?;
        inherit_http(&mut config.http_config, global, directory);
        Ok(())
    };
    let email = |config: &mut EmailConfig| {
        config.validate()?;
        config.auth_oauth2.iter_mut().for_each(|oauth2| paths::resolve_oauth2(oauth2, directory));
        inherit_email(config, global)
    };
    let gitlab = |config: &mut GitlabConfig| {
        config.validate()?;
        inherit_http(&mut config.http_config, global, directory);
        inherit_gitlab(config, global)
    };
    Receiver {
        webhook_configs: each("webhook", written.webhook_configs, check, webhook),
        email_configs: each("email", written.email_configs, check, email),
        irc_configs: each("irc", written.irc_configs, check, |config| {
            config.validate()?;
            check_irc_server(&config.server, global)
        }),
        gitlab_configs: each("gitlab", written.gitlab_configs, check, gitlab),
        terminal_configs: each("terminal", written.terminal_configs, check, |_| Ok(())),
        labels: written.labels.into_iter().map(|(name, value)| (name, value.value)).collect(),
        name: written.name,
    }
}

/// The items of a list, each made whole; those that cannot be are told of and left out.
fn each<C>(
    kind: &str,
    configs: Vec<At<Option<C>>>,
    check: &mut Check<'_>,
    complete: impl Fn(&mut C) -> Result<(), Invalid>,
) -> Vec<C> {
    let mut kept = Vec::with_capacity(configs.len());
    for At { value, place } in configs {
        let Some(mut config) = value else {
            check.problem(&place, format!("missing {kind} config"));
            continue;
        };
        match complete(&mut config) {
            Ok(()) => kept.push(config),
            Err(Invalid(message)) => check.problem(&place, message),
        }
    }
    kept
}

/// A URL with `{{` in it must be a template.
fn check_url_template(url: &str) -> Result<(), Invalid> {
    if !url.contains("{{") {
        return Ok(());
    }
    let compiled = Templates::parse(&[]).and_then(|templates| templates.compile(Engine::Text, url));
    compiled.map(|_| ()).map_err(|error| Invalid(format!("invalid template syntax: {error}")))
}

/// The server must be there to be spoken to.
fn check_irc_server(name: &str, global: &Global) -> Result<(), Invalid> {
    if global.irc_servers.iter().any(|server| server.name == name) {
        return Ok(());
    }
    let known = global.irc_servers.iter().map(|server| server.name.as_str());
    let advice = nearest(name, known).map_or_else(
        || "define it under `irc_servers` in `global`".to_owned(),
        |near| format!("did you mean {near:?}?"),
    );
    Err(Invalid(format!("undefined irc server {name:?} ({advice})")))
}

/// Takes the global settings as a whole where there are none.
pub(super) fn inherit_http(own: &mut Option<HttpConfig>, global: &Global, directory: &Path) {
    match own {
        Some(config) => paths::resolve(config, directory),
        None => own.clone_from(&global.http_config),
    }
}

/// Fills in key by key what the integration leaves open.
fn inherit_email(email: &mut EmailConfig, global: &Global) -> Result<(), Invalid> {
    inherit(&mut email.smarthost, &global.smtp_smarthost);
    inherit(&mut email.from, &global.smtp_from);
    inherit(&mut email.hello, &global.smtp_hello);
    inherit(&mut email.auth_username, &global.smtp_auth_username);
    inherit(&mut email.auth_identity, &global.smtp_auth_identity);
    if email.auth_password.is_empty() && email.auth_password_file.is_empty() {
        email.auth_password = global.smtp_auth_password.clone();
        email.auth_password_file = global.smtp_auth_password_file.clone();
    }
    if email.auth_secret.is_empty() && email.auth_secret_file.is_empty() {
        email.auth_secret = global.smtp_auth_secret.clone();
        email.auth_secret_file = global.smtp_auth_secret_file.clone();
    }
    email.require_tls = email.require_tls.or(Some(global.smtp_require_tls));
    email.force_implicit_tls = email.force_implicit_tls.or(global.smtp_force_implicit_tls);
    email.tls_config = email.tls_config.take().or_else(|| global.smtp_tls_config.clone());
    email.tls_mode = email.tls_mode.or(global.smtp_tls_mode);
    inherit(&mut email.auth_mechanisms, &global.smtp_auth_mechanisms);
    inherit(&mut email.auth_oauth2, &global.smtp_auth_oauth2);
    inherit(&mut email.envelope_from, &global.smtp_envelope_from);
    inherit(&mut email.message_id_domain, &global.smtp_message_id_domain);
    let missing = |key: &str| {
        let text = format!("no global SMTP {key} set (set `{key}` here or `smtp_{key}` under `global`)");
        Err(Invalid(text))
    };
    match (email.smarthost.to_string().is_empty(), email.from.is_empty()) {
        (true, _) => missing("smarthost"),
        (false, true) => missing("from"),
        (false, false) => Ok(()),
    }
}

/// Fills in what the integration leaves open; speaking to GitLab's API takes some kind of credentials.
fn inherit_gitlab(gitlab: &mut GitlabConfig, global: &Global) -> Result<(), Invalid> {
    gitlab.api_url.get_or_insert_with(|| global.gitlab_api_url.clone());
    gitlab.cluster_id.clone_from(&global.gitlab_cluster_id);
    if gitlab.token.is_empty() && gitlab.token_file.is_empty() {
        gitlab.token = global.gitlab_token.clone();
        gitlab.token_file = global.gitlab_token_file.clone();
    }
    let has_token = !gitlab.token.is_empty() || !gitlab.token_file.is_empty();
    if has_token || gitlab.mode == "alert" || gitlab.http_config.as_ref().is_some_and(has_credentials) {
        return Ok(());
    }
    Err(Invalid("no GitLab token set (set `token_file` here or `gitlab_token_file` under `global`)".to_owned()))
}

fn has_credentials(http: &HttpConfig) -> bool {
    let bearer = !http.bearer_token.is_empty() || !http.bearer_token_file.is_empty();
    bearer || http.authorization.is_some() || http.oauth2.is_some()
}

fn inherit<T: Clone + Default + PartialEq>(own: &mut T, global: &T) {
    if *own == T::default() {
        own.clone_from(global);
    }
}

/// Kinds that are not there yet are refused, because nobody would be told.
fn refuse_unsupported(receiver: &file::Receiver, check: &mut Check<'_>) {
    let foreign = [
        &receiver.pagerduty_configs,
        &receiver.opsgenie_configs,
        &receiver.wechat_configs,
        &receiver.slack_configs,
        &receiver.victorops_configs,
        &receiver.pushover_configs,
        &receiver.sns_configs,
        &receiver.telegram_configs,
        &receiver.discord_configs,
        &receiver.webex_configs,
        &receiver.msteams_configs,
        &receiver.msteamsv2_configs,
        &receiver.jira_configs,
        &receiver.incidentio_configs,
        &receiver.rocketchat_configs,
        &receiver.mattermost_configs,
    ];
    let first_of_each = foreign.iter().map(|configs| configs.first().map(|config| &config.place));
    for place in first_of_each.flatten() {
        check.problem(place, format!("not yet supported by this version (it has {SUPPORTED})"));
    }
}
