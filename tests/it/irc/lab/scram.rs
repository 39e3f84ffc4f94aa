//! A door before a real IRC server that asks for SCRAM-SHA-256, which no server in Debian does. It speaks only the frame
//! (CAP and AUTHENTICATE); GNU SASL's own program checks the proof, and the server behind the door does the rest.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use super::services::PASSWORD;

/// A payload of this many bytes is followed by another.
const CHUNK: usize = 400;

/// Opens a door before `server`; returns its address. The password is that of the services' accounts.
pub(crate) fn before(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that goes away is none of the door's business.
            thread::spawn(move || drop(Door::new(client).and_then(|door| door.serve(server))));
        }
    });
    address
}

struct Door {
    client: TcpStream,
    reader: BufReader<TcpStream>,
    /// What is said to the server once it is there.
    kept: String,
    payload: String,
    checker: Option<Checker>,
}

impl Door {
    fn new(client: TcpStream) -> io::Result<Self> {
        let reader = BufReader::new(client.try_clone()?);
        Ok(Self { client, reader, kept: String::new(), payload: String::new(), checker: None })
    }

    fn serve(mut self, server: SocketAddr) -> io::Result<()> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["CAP", "LS", ..] => self.answer("CAP * LS :sasl=SCRAM-SHA-256")?,
                ["CAP", "REQ", ..] => self.answer("CAP * ACK :sasl")?,
                ["CAP", "END"] => return self.open(server),
                ["AUTHENTICATE", payload] => self.authenticate(payload)?,
                _ => self.kept += &line,
            }
        }
    }

    fn authenticate(&mut self, payload: &str) -> io::Result<()> {
        if payload == "SCRAM-SHA-256" {
            self.checker = Some(Checker::start()?);
            return writeln!(self.client, "AUTHENTICATE +\r");
        }
        if payload != "+" {
            self.payload += payload;
        }
        if payload.len() == CHUNK {
            return Ok(());
        }
        let payload = std::mem::take(&mut self.payload);
        if payload.is_empty() {
            return self.answer("903 * :SASL authentication successful");
        }
        match self.checker.as_mut().map(|checker| checker.step(&payload)).transpose()?.flatten() {
            Some(challenge) => writeln!(self.client, "AUTHENTICATE {challenge}\r"),
            None => self.answer("904 * :SASL authentication failed"),
        }
    }

    /// Lets the client through to the server.
    fn open(mut self, server: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(server)?;
        server.write_all(self.kept.as_bytes())?;
        let (mut back, mut client) = (server.try_clone()?, self.client.try_clone()?);
        thread::spawn(move || drop(io::copy(&mut back, &mut client)));
        io::copy(&mut self.reader, &mut server)?;
        server.shutdown(Shutdown::Both)
    }

    fn answer(&mut self, text: &str) -> io::Result<()> {
        write!(self.client, ":door.test {text}\r\n")
    }
}

/// GNU SASL in the part of the server.
struct Checker {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Checker {
    fn start() -> io::Result<Self> {
        let mut command = Command::new("/usr/bin/gsasl");
        command.args(["--server", "--quiet", "--no-cb", "--mechanism=SCRAM-SHA-256", "--service=irc"]);
        command.args(["--hostname=irc.test", &format!("--password={PASSWORD}")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped"));
        // The list of mechanisms, and its empty first challenge.
        for _ in 0..2 {
            lines.read_line(&mut String::new())?;
        }
        Ok(Self { child, lines })
    }

    /// What it answers to the client; `None` if it does not believe it.
    fn step(&mut self, payload: &str) -> io::Result<Option<String>> {
        writeln!(self.child.stdin.as_mut().expect("it was piped"), "{payload}")?;
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(Some(line.trim().to_owned()).filter(|line| !line.is_empty()))
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
