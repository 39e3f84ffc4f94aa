//! The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding: a login that shows the server that
//! we know the password, and us that the server knows it too. Texts in, texts out; who carries them is not its matter.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A server that asks for more rounds would keep us busy for seconds. RFC 7677 wants at least 4,096.
const MAX_ITERATIONS: u32 = 1_000_000;

/// We offer no channel binding and no other identity (`n,,`), in base64.
const HEADER: &str = "n,,";
const HEADER_BASE64: &str = "biws";

const SHA256_BYTES: usize = 32;

/// One login.
pub(super) struct Scram {
    password: String,
    nonce: String,
    /// `n=user,r=nonce`.
    bare: String,
    /// What the server must prove; known after [`answer`](Self::answer).
    server_signature: Option<Vec<u8>>,
}

impl Scram {
    /// A login of `user`. The nonce must be random and printable, without a comma. The password counts as it is: what
    /// SASLprep would change in it is not changed.
    pub(super) fn new(user: &str, password: &str, nonce: &str) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self {
            password: password.to_owned(),
            nonce: nonce.to_owned(),
            bare: format!("n={user},r={nonce}"),
            server_signature: None,
        }
    }

    /// What we say first.
    pub(super) fn first(&self) -> String {
        format!("{HEADER}{}", self.bare)
    }

    /// What we answer to what the server says first.
    ///
    /// # Errors
    /// Says what is wrong with the server's message.
    pub(super) fn answer(&mut self, server_first: &str) -> Result<String, String> {
        let nonce = attribute(server_first, 'r')?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the server's nonce does not continue ours".to_owned());
        }
        let salt = decoded(attribute(server_first, 's')?)?;
        let rounds = attribute(server_first, 'i')?.parse().ok().filter(|rounds| *rounds <= MAX_ITERATIONS);
        let rounds = rounds.and_then(NonZeroU32::new).ok_or("the server's iteration count makes no sense")?;
        let without_proof = format!("c={HEADER_BASE64},r={nonce}");
        let signed = format!("{},{server_first},{without_proof}", self.bare);
        let mut salted = [0; SHA256_BYTES];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, self.password.as_bytes(), &mut salted);
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let signature = sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        self.server_signature = Some(sign(&sign(&salted, b"Server Key"), signed.as_bytes()));
        Ok(format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)))
    }

    /// Whether what the server says last proves that it knows the password.
    ///
    /// # Errors
    /// That it does not, or why it refuses us.
    pub(super) fn verify(&self, server_final: &str) -> Result<(), String> {
        if let Ok(error) = attribute(server_final, 'e') {
            return Err(format!("the server refuses: {error}"));
        }
        let told = decoded(attribute(server_final, 'v')?)?;
        match &self.server_signature {
            Some(expected) if *expected == told => Ok(()),
            _ => Err("the server does not know the password".to_owned()),
        }
    }
}

fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// The value of `name=value` in a list with commas.
fn attribute(message: &str, name: char) -> Result<&str, String> {
    let value = |part: &'_ str| part.strip_prefix(name)?.strip_prefix('=').map(str::len);
    let found = message.split(',').find(|part| value(part).is_some());
    found.map(|part| &part[2..]).ok_or_else(|| format!("the server's message lacks {name:?}"))
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
    BASE64_STANDARD.decode(text).map_err(|_| "the server's message is not base64".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3.
    const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn login() -> Scram {
        Scram::new("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    }

    #[test]
    fn the_example_of_the_rfc_goes_through() {
        let mut login = login();
        assert_eq!(login.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let response = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(login.answer(SERVER_FIRST).as_deref(), Ok(response));
        assert_eq!(login.verify(SERVER_FINAL), Ok(()));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        let mut login = login();
        assert!(login.verify(SERVER_FINAL).is_err());
        login.answer(SERVER_FIRST).unwrap();
        assert!(login.verify("v=AAAA").is_err());
        assert_eq!(login.verify("e=invalid-proof"), Err("the server refuses: invalid-proof".to_owned()));
    }

    #[test]
    fn a_server_that_makes_no_sense_is_refused() {
        for bad in ["", "r=other,s=W22Z,i=4096", "r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096"] {
            assert!(login().answer(bad).is_err(), "{bad}");
        }
        for rounds in ["0", "9999999999", "1000001", "x"] {
            let bad = SERVER_FIRST.replace("4096", rounds);
            assert!(login().answer(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_escaped() {
        assert_eq!(Scram::new("a,b=c", "", "n").first(), "n,,n=a=2Cb=3Dc,r=n");
    }
}
