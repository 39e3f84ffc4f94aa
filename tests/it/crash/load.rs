//! Clients that make silences, expire them, and send alerts, all at once, until the router is gone.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use super::book::Book;
use crate::filling::{in_seconds, written};
use crate::harness::http::{Client, Request, Response};
use crate::harness::random::Random;

/// Running clients. Each holds the book only while it writes into it.
pub(super) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

/// What a client does again and again: it gets random numbers and the number of the turn.
type Task = fn(&Shared, &mut Random, usize) -> io::Result<()>;

struct Shared {
    client: Client,
    book: Mutex<Book>,
    over: AtomicBool,
    round: usize,
}

impl Load {
    pub(super) fn start(client: Client, round: usize, seed: u64, book: Book) -> Self {
        let shared = Arc::new(Shared { client, book: Mutex::new(book), over: AtomicBool::new(false), round });
        let tasks: [Task; 5] = [
            Shared::make_silence,
            Shared::make_silence,
            Shared::expire_silence,
            Shared::send_alert,
            Shared::resolve_alert,
        ];
        let clients = tasks.into_iter().zip(seed..).map(|(task, seed)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.repeat(task, &mut Random::new(seed)))
        });
        Self { clients: clients.collect(), shared }
    }

    /// Waits for the clients, whose router is gone, and returns what they have noted.
    pub(super) fn stop(self) -> Book {
        self.shared.over.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("a client does not fail");
        }
        let shared = Arc::into_inner(self.shared).expect("all clients have ended");
        shared.book.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn repeat(&self, task: Task, random: &mut Random) {
        for number in 0.. {
            if self.over.load(Ordering::Relaxed) || task(self, random, number).is_err() {
                return;
            }
        }
    }

    fn make_silence(&self, random: &mut Random, number: usize) -> io::Result<()> {
        let comment = format!("round {} number {number} of {:x}", self.round, random.next());
        let now = Timestamp::now();
        let body = json!({
            "matchers": [{"name": "nobody", "value": comment, "isRegex": false}],
            "startsAt": written(now),
            "endsAt": written(in_seconds(now, 3600)),
            "createdBy": "the test",
            "comment": comment,
        });
        let asked = Instant::now();
        let answer = self.send(Request::new("POST", "/api/v2/silences").json(body.to_string()))?;
        let id = answer.json()["silenceID"].as_str().expect("an id").to_owned();
        self.book().made(id, comment, asked);
        Ok(())
    }

    fn expire_silence(&self, random: &mut Random, _number: usize) -> io::Result<()> {
        thread::sleep(random.between(Duration::ZERO, Duration::from_millis(20)));
        let Some(id) = self.book().some_active(random.next()) else { return Ok(()) };
        self.book().expiring(&id);
        self.send(Request::new("DELETE", &format!("/api/v2/silence/{id}")))?;
        self.book().expired(&id);
        Ok(())
    }

    fn send_alert(&self, random: &mut Random, number: usize) -> io::Result<()> {
        thread::sleep(random.between(Duration::ZERO, Duration::from_millis(100)));
        let name = format!("alert-{}-{number}", self.round);
        self.book().fires(&name);
        self.post_alert(&name)?;
        self.book().heard(&name);
        Ok(())
    }

    fn resolve_alert(&self, random: &mut Random, _number: usize) -> io::Result<()> {
        thread::sleep(random.between(Duration::ZERO, Duration::from_millis(200)));
        let Some(name) = self.book().some_firing(random.next()) else { return Ok(()) };
        self.book().resolves(&name);
        self.post_alert(&name)
    }

    fn post_alert(&self, name: &str) -> io::Result<()> {
        let body = json!([self.book().body(name)]);
        self.send(Request::new("POST", "/api/v2/alerts").json(body.to_string())).map(drop)
    }

    /// Sends a request that is answered with 200 or, if the router goes away, not at all.
    fn send(&self, request: Request) -> io::Result<Response> {
        let answer = self.client.send(&request)?;
        // A router that is asked to end in peace may say that it cannot serve any more.
        if answer.status == 503 { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(answer.ok()) }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
