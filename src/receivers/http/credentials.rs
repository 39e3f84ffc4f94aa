//! As whom a server is spoken to: the header `Authorization`, made afresh for each request because files may change.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::{ReceiverError, Surroundings};
use super::oauth2::TokenSource;
use super::read_trimmed;
use crate::settings::http::{Authorization, BasicAuth, HttpConfig};
use crate::settings::secret::Secret;

pub(super) enum Credentials {
    None,
    Basic(BasicAuth),
    Scheme(Authorization),
    OAuth2(Box<TokenSource>),
}

impl Credentials {
    pub(super) fn build(config: &HttpConfig, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        let no_store = |what| Err(ReceiverError::Setting(format!("{what}: there is no secret store to refer to")));
        if let Some(basic) = &config.basic_auth {
            if !basic.username_ref.is_empty() || !basic.password_ref.is_empty() {
                return no_store("basic_auth");
            }
            return Ok(Self::Basic(basic.clone()));
        }
        if let Some(authorization) = &config.authorization {
            if !authorization.credentials_ref.is_empty() {
                return no_store("authorization");
            }
            return Ok(Self::Scheme(authorization.clone()));
        }
        if let Some(oauth2) = &config.oauth2 {
            return Ok(Self::OAuth2(Box::new(TokenSource::build(oauth2, surroundings)?)));
        }
        if config.bearer_token.is_empty() && config.bearer_token_file.is_empty() {
            return Ok(Self::None);
        }
        Ok(Self::Scheme(Authorization {
            credentials: config.bearer_token.clone(),
            credentials_file: config.bearer_token_file.clone(),
            ..Authorization::default()
        }))
    }

    /// What the header is to say.
    pub(super) async fn authorization(&self) -> Result<Option<String>, String> {
        Ok(match self {
            Self::None => None,
            Self::Basic(basic) => {
                let username = inline_or_file(&Secret::from(basic.username.clone()), &basic.username_file).await?;
                let password = inline_or_file(&basic.password, &basic.password_file).await?;
                Some(basic_auth(&username, &password))
            }
            Self::Scheme(authorization) => {
                let credentials = inline_or_file(&authorization.credentials, &authorization.credentials_file).await?;
                Some(format!("{} {credentials}", authorization.scheme.trim()))
            }
            Self::OAuth2(source) => Some(format!("Bearer {}", source.token().await?)),
        })
    }
}

/// `Basic …` (RFC 7617).
pub(super) fn basic_auth(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

/// The secret itself, or what its file holds now.
pub(super) async fn inline_or_file(inline: &Secret, path: &str) -> Result<String, String> {
    if path.is_empty() { Ok(inline.reveal().to_owned()) } else { read_trimmed(path).await }
}
