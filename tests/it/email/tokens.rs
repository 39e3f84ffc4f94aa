//! A stand-in for an authority that hands out OAuth 2 tokens (RFC 6749 4.4) and is asked by the mail server whether they
//! are good (RFC 7662): the two meet only here, so a token that dovecot takes has come from this authority.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::json;

use super::dovecot::USER;
use crate::harness::address;
use crate::harness::http::{read_headers, read_line};

/// The authority. Only the token that was handed out last is good.
pub(super) struct Tokens {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    handed_out: usize,
    revoked: bool,
}

impl Tokens {
    pub(super) fn start() -> Self {
        let address = address::reserve();
        let listener = TcpListener::bind(address).expect("the address is free");
        let state = Arc::<Mutex<State>>::default();
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever breaks off has no answer to get.
                let _ = serve(&stream, &serving);
            }
        });
        Self { address, state }
    }

    /// How many tokens were handed out.
    pub(super) fn handed_out(&self) -> usize {
        lock(&self.state).handed_out
    }

    /// No token that has been handed out is good any more.
    pub(super) fn revoke(&self) {
        lock(&self.state).revoked = true;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let first = read_line(&mut reader)?;
    let headers = read_headers(&mut reader)?;
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut form = String::new();
    reader.take(length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)).read_to_string(&mut form)?;
    let answer = if first.contains(" /token ") { hand_out(&mut lock(state)) } else { judge(&lock(state), &form) };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
    write!(&*stream, "{head} {}\r\n\r\n{answer}", answer.len())
}

fn hand_out(state: &mut State) -> String {
    state.handed_out += 1;
    state.revoked = false;
    json!({"access_token": token(state), "token_type": "Bearer", "expires_in": 3600}).to_string()
}

fn judge(state: &State, form: &str) -> String {
    let good = state.handed_out > 0 && !state.revoked && form.contains(&token(state));
    json!({"active": good, "username": USER}).to_string()
}

fn token(state: &State) -> String {
    format!("token-number-{}-", state.handed_out)
}
