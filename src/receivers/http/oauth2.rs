//! OAuth 2: a token that is asked for with a secret (RFC 6749 4.4) or a signed assertion (RFC 7523 2.1), and kept
//! until shortly before it expires.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::super::outcome::Reply;
use super::super::{ReceiverError, Surroundings};
use super::credentials::{basic_auth, inline_or_file};
use super::{HttpClient, secret_value};
use crate::settings::http::{GRANT_JWT_BEARER, HttpConfig, OAuth2};

/// How long before its end a token is given up; as Go does.
const EARLY: Duration = Duration::from_secs(10);

/// How long an assertion is good for, in seconds; as Go has it.
const ASSERTION_SECONDS: i64 = 3600;

/// Hands out tokens.
pub(in super::super) struct TokenSource {
    settings: OAuth2,
    client: HttpClient,
    now: fn() -> watchbell_engine::time::Timestamp,
    /// The token in use; whoever asks for a new one holds the lock, so that it is asked for once.
    current: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    /// The secret or key that it was asked for with: a new one makes a new token.
    secret: String,
    expires: Option<Instant>,
}

impl TokenSource {
    pub(in super::super) fn build(settings: &OAuth2, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        if !settings.client_secret_ref.is_empty() || !settings.client_certificate_key_ref.is_empty() {
            return Err(ReceiverError::Setting("oauth2: there is no secret store to refer to".to_owned()));
        }
        let http = HttpConfig {
            tls_config: settings.tls_config.clone(),
            proxy_url: settings.proxy_url.clone(),
            no_proxy: settings.no_proxy.clone(),
            proxy_from_environment: settings.proxy_from_environment,
            proxy_connect_header: settings.proxy_connect_header.clone(),
            ..HttpConfig::default()
        };
        Ok(Self {
            settings: settings.clone(),
            client: HttpClient::build(&http, surroundings)?,
            now: surroundings.now,
            current: Mutex::new(None),
        })
    }

    /// A token that is good now.
    pub(in super::super) async fn token(&self) -> Result<String, String> {
        let secret = self.secret().await?;
        let mut current = self.current.lock().await;
        let good = |token: &&Token| {
            token.secret == secret && token.expires.is_none_or(|expires| Instant::now() + EARLY < expires)
        };
        if let Some(token) = current.as_ref().filter(good) {
            return Ok(token.text.clone());
        }
        let token = self.fetch(secret).await.map_err(|error| format!("oauth2: cannot fetch token: {error}"))?;
        Ok(current.insert(token).text.clone())
    }

    /// Gives `token` up before its time, because somebody refuses it.
    pub(in super::super) async fn forget(&self, token: &str) {
        self.current.lock().await.take_if(|current| current.text == token);
    }

    fn is_assertion(&self) -> bool {
        self.settings.grant_type == GRANT_JWT_BEARER
    }

    async fn secret(&self) -> Result<String, String> {
        let settings = &self.settings;
        if self.is_assertion() {
            inline_or_file(&settings.client_certificate_key, &settings.client_certificate_key_file).await
        } else {
            inline_or_file(&settings.client_secret, &settings.client_secret_file).await
        }
    }

    async fn fetch(&self, secret: String) -> Result<Token, String> {
        let reply = if self.is_assertion() {
            let assertion = self.assertion(&secret)?;
            self.ask(&[("grant_type", GRANT_JWT_BEARER), ("assertion", &assertion)], None).await?
        } else {
            self.ask_with_secret(&secret).await?
        };
        if reply.status != 200 {
            return Err(format!("status code {}, response: {}", reply.status, reply.body));
        }
        let answer: Value = serde_json::from_str(&reply.body).map_err(|error| format!("not JSON: {error}"))?;
        let text = answer["access_token"].as_str().filter(|text| !text.is_empty()).ok_or("no access_token in it")?;
        let lifetime = seconds(&answer["expires_in"]).map(Duration::from_secs);
        let expires = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        Ok(Token { text: text.to_owned(), secret, expires })
    }

    /// Shows the secret in the header, and to a server that refuses this in the form, as Go does.
    async fn ask_with_secret(&self, secret: &str) -> Result<Reply, String> {
        let (id, scopes) = (self.settings.client_id.as_str(), self.settings.scopes.join(" "));
        let mut form = vec![("grant_type", "client_credentials")];
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let reply = self.ask(&form, Some(basic_auth(&encoded(id), &encoded(secret)))).await?;
        if !(400..500).contains(&reply.status) {
            return Ok(reply);
        }
        form.extend([("client_id", id), ("client_secret", secret)]);
        self.ask(&form, None).await
    }

    async fn ask(&self, form: &[(&str, &str)], authorization: Option<String>) -> Result<Reply, String> {
        let params = self.settings.endpoint_params.iter();
        let body = Serializer::new(String::new()).extend_pairs(form).extend_pairs(params).finish();
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, secret_value(&authorization)?);
        }
        Box::pin(self.client.post(self.settings.token_url.as_str(), headers, body.into_bytes())).await
    }

    /// A JSON Web Token that says who we are, signed with the RSA key `pem`.
    fn assertion(&self, pem: &str) -> Result<String, String> {
        let (algorithm, scheme) = match self.settings.signature_algorithm.as_str() {
            "RS384" => ("RS384", SignatureScheme::RSA_PKCS1_SHA384),
            "RS512" => ("RS512", SignatureScheme::RSA_PKCS1_SHA512),
            _ => ("RS256", SignatureScheme::RSA_PKCS1_SHA256),
        };
        let mut header = json!({"alg": algorithm, "typ": "JWT"});
        if !self.settings.client_certificate_key_id.is_empty() {
            header["kid"] = json!(self.settings.client_certificate_key_id);
        }
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&self.claims()));
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| format!("the key: {error}"))?;
        let key = any_supported_type(&key).map_err(|error| format!("the key: {error}"))?;
        let signer = key.choose_scheme(&[scheme]).ok_or("the key is not an RSA key")?;
        let signature = signer.sign(signed.as_bytes()).map_err(|error| error.to_string())?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    fn claims(&self) -> Value {
        let settings = &self.settings;
        let or = |given: &str, otherwise: &str| if given.is_empty() { otherwise.to_owned() } else { given.to_owned() };
        let now = (self.now)().as_secs();
        let mut claims = json!({
            "iss": or(&settings.iss, &settings.client_id),
            "aud": or(&settings.audience, settings.token_url.as_str()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        });
        if !settings.scopes.is_empty() {
            claims["scope"] = json!(settings.scopes.join(" "));
        }
        for (name, value) in &settings.claims {
            claims[name] = value.clone();
        }
        claims
    }
}

/// A whole number of seconds; some servers write it as a text.
fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|seconds| *seconds > 0)
}
