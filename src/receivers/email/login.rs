//! Logging in at a mail server (RFC 4954): the first of the server's mechanisms for which we have what it needs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::response::Response;
use md5::{Digest, Md5};
use watchbell_engine::notification::Failure;

use super::super::http::read_trimmed;
use super::super::outcome::{permanent, transient};
use super::session::{Server, command};
use crate::settings::email::EmailConfig;
use crate::settings::secret::Secret;

/// As whom we log in, and what shows that we are who we say.
pub(super) struct Credentials {
    username: String,
    identity: String,
    password: Secret,
    password_file: String,
    secret: Secret,
    secret_file: String,
}

impl Credentials {
    /// None if the operator names no user.
    pub(super) fn build(config: &EmailConfig) -> Option<Self> {
        (!config.auth_username.is_empty()).then(|| Self {
            username: config.auth_username.clone(),
            identity: config.auth_identity.clone(),
            password: config.auth_password.clone(),
            password_file: config.auth_password_file.clone(),
            secret: config.auth_secret.clone(),
            secret_file: config.auth_secret_file.clone(),
        })
    }

    async fn password(&self) -> Result<String, Failure> {
        match self.password_file.as_str() {
            "" => Ok(self.password.reveal().to_owned()),
            path => read_trimmed(path).await.map_err(transient),
        }
    }

    /// What the file holds counts to the last byte, as in Alertmanager.
    async fn secret(&self) -> Result<String, Failure> {
        match self.secret_file.as_str() {
            "" => Ok(self.secret.reveal().to_owned()),
            path => tokio::fs::read_to_string(path).await.map_err(|e| transient(format!("cannot read {path}: {e}"))),
        }
    }
}

/// Logs in if the server offers it. `greeting` is its answer to EHLO.
pub(super) async fn log_in(
    connection: &mut AsyncSmtpConnection,
    server: &Server,
    credentials: &Credentials,
    greeting: &Response,
) -> Result<(), Failure> {
    let offered = mechanisms(greeting);
    if offered.is_empty() {
        return Ok(());
    }
    let (password, secret) = (credentials.password().await?, credentials.secret().await?);
    for mechanism in &offered {
        match mechanism.as_str() {
            "CRAM-MD5" if !secret.is_empty() => return cram_md5(connection, &credentials.username, &secret).await,
            "PLAIN" if !password.is_empty() => {
                if !connection.is_encrypted() && !server.is_local() {
                    return Err(permanent("AUTH PLAIN: the connection is not encrypted"));
                }
                let response = format!("{}\0{}\0{password}", credentials.identity, credentials.username);
                let initial = format!("AUTH PLAIN {}\r\n", BASE64_STANDARD.encode(response));
                return command(connection, "AUTH PLAIN", initial).await.map(drop);
            }
            "LOGIN" if !password.is_empty() => return login(connection, &credentials.username, &password).await,
            _ => {}
        }
    }
    Err(transient(format!("find auth mechanism: no credentials for any of {}", offered.join(" "))))
}

/// The mechanisms in the server's order.
fn mechanisms(greeting: &Response) -> Vec<String> {
    let upper = greeting.message().map(str::to_ascii_uppercase);
    let list =
        |line: String| line.strip_prefix("AUTH ").map(|list| list.split_whitespace().map(str::to_owned).collect());
    upper.into_iter().find_map(list).unwrap_or_default()
}

async fn login(connection: &mut AsyncSmtpConnection, username: &str, password: &str) -> Result<(), Failure> {
    command(connection, "AUTH LOGIN", "AUTH LOGIN\r\n".to_owned()).await?;
    for answer in [username, password] {
        command(connection, "AUTH LOGIN", format!("{}\r\n", BASE64_STANDARD.encode(answer))).await?;
    }
    Ok(())
}

/// Answers the server's challenge with a keyed digest of it (RFC 2195).
async fn cram_md5(connection: &mut AsyncSmtpConnection, username: &str, secret: &str) -> Result<(), Failure> {
    let reply = command(connection, "AUTH CRAM-MD5", "AUTH CRAM-MD5\r\n".to_owned()).await?;
    let challenge = BASE64_STANDARD
        .decode(reply.first_word().unwrap_or_default())
        .map_err(|error| transient(format!("AUTH CRAM-MD5: the challenge: {error}")))?;
    let answer = format!("{username} {}", hmac_md5(secret.as_bytes(), &challenge));
    command(connection, "AUTH CRAM-MD5", format!("{}\r\n", BASE64_STANDARD.encode(answer))).await.map(drop)
}

/// RFC 2104, in hexadecimal digits.
fn hmac_md5(key: &[u8], text: &[u8]) -> String {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        let short = Md5::digest(key);
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Md5::new().chain_update(padded(0x36)).chain_update(text).finalize();
    let outer = Md5::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(hmac_md5(b"tanstaaftanstaaf", challenge), "b913a602c7eda7a495b4e6e7334d3890");
    }

    #[test]
    fn a_long_key_is_shortened_as_rfc_2202_has_it() {
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hmac_md5(&[0xaa; 80], text), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    }
}
