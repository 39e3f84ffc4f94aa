//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side: it proves that we know a password and makes the server prove
//! the same, and the password is never sent. It must not know who carries its messages.

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// How often a password may be hashed. Fewer than the least make it easy to guess for who pretends to be the server
/// (RFC 7677); more than the most would let a server keep us busy (a million takes about a second).
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// The header of a client that binds to no channel, and the same in base 64.
const GS2_HEADER: &str = "n,,";
const GS2_HEADER_ENCODED: &str = "biws";

/// One login.
pub(super) struct Scram {
    password: String,
    nonce: String,
    /// The first message without its header.
    first: String,
    /// What the server must say at the end.
    server_signature: Option<Vec<u8>>,
}

impl Scram {
    /// `nonce` is fresh and unguessable, of printable characters without commas.
    pub(super) fn new(username: &str, password: String, nonce: String) -> Self {
        let username = username.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={username},r={nonce}");
        Self { password, nonce, first, server_signature: None }
    }

    /// What we say first.
    pub(super) fn first(&self) -> String {
        format!("{GS2_HEADER}{}", self.first)
    }

    /// The answer to the server's `challenge`.
    pub(super) fn answer(&mut self, challenge: &str) -> Result<String, String> {
        let [nonce, salt, iterations] = ["r", "s", "i"].map(|name| attribute(challenge, name));
        let nonce = nonce.filter(|nonce| nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce));
        let nonce = nonce.ok_or("the server's nonce does not continue ours")?;
        let salt =
            salt.and_then(|salt| BASE64_STANDARD.decode(salt).ok()).ok_or("the server's challenge has no salt")?;
        let iterations = iterations.and_then(|count| count.parse().ok()).filter(|count| ITERATIONS.contains(count));
        let iterations = iterations.ok_or("the server wants the password hashed too rarely or too often")?;

        let without_proof = format!("c={GS2_HEADER_ENCODED},r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.first);
        let salted = salted_password(&self.password, &salt, iterations);
        let client_key = hmac_sha256(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let signature = hmac_sha256(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        let server_key = hmac_sha256(&salted, b"Server Key");
        self.server_signature = Some(hmac_sha256(&server_key, signed.as_bytes()));
        Ok(format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)))
    }

    /// Whether the server's last message shows that it knows the password as well.
    pub(super) fn verify(&self, last: &str) -> Result<(), String> {
        if let Some(error) = attribute(last, "e") {
            return Err(format!("the server says {error}"));
        }
        let signature = attribute(last, "v").and_then(|signature| BASE64_STANDARD.decode(signature).ok());
        match signature.is_some() && signature == self.server_signature {
            true => Ok(()),
            false => Err("the server does not prove that it knows the password".to_owned()),
        }
    }
}

/// The value of `name` in `a=1,b=2`.
fn attribute<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn salted_password(password: &str, salt: &[u8], iterations: u32) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    let iterations = std::num::NonZeroU32::new(iterations).expect("the range of iterations begins above zero");
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
    salted
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn the_conversation_is_that_of_rfc_7677() {
        let mut scram = Scram::new("user", "pencil".to_owned(), NONCE.to_owned());
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        assert_eq!(
            scram.answer(CHALLENGE).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), Ok(()));
        assert!(scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=").is_err());
        assert!(scram.verify("e=other-error").unwrap_err().contains("other-error"));
    }

    #[test]
    fn a_server_that_does_not_play_by_the_rules_is_not_answered() {
        for challenge in [
            CHALLENGE.replace("r=rOpr", "r=xOpr"),
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".to_owned(),
            CHALLENGE.replace("4096", "1"),
            CHALLENGE.replace("4096", "4000000000"),
            CHALLENGE.replace("s=W", "s=!"),
            String::new(),
        ] {
            assert!(
                Scram::new("user", "pencil".to_owned(), NONCE.to_owned()).answer(&challenge).is_err(),
                "{challenge}"
            );
        }
        assert!(Scram::new("user", "pencil".to_owned(), NONCE.to_owned()).verify("").is_err());
    }

    #[test]
    fn a_name_cannot_begin_another_attribute() {
        assert_eq!(Scram::new("a,r=b", String::new(), "x".to_owned()).first(), "n,,n=a=2Cr=3Db,r=x");
    }
}
