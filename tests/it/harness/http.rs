//! A small HTTP/1.1 client that shows an answer as it was on the wire. One connection for each request.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a single read or write may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request, all of it the test's choice but `Host`, `Content-Length` and `Connection`.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        let mut request = self.header("Content-Type", "application/json");
        request.body = body.into();
        request
    }
}

/// An answer as received; a chunked body has been put together.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The values of a header, joined by `, `; `None` if the header is absent.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let same = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let values: Vec<_> = same.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// The answer itself, if its status is 200; fails the test otherwise.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text());
        self
    }
}

/// Talks to one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Response {
        self.must(&Request::new("GET", path))
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.must(&Request::new("DELETE", path))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.must(&Request::new("POST", path).json(body.to_string()))
    }

    /// Sends a request that the server is expected to answer, whatever the answer says.
    pub(crate) fn must(&self, request: &Request) -> Response {
        self.send(request).unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    pub(crate) fn send(&self, request: &Request) -> io::Result<Response> {
        let mut stream = self.connect()?;
        stream.write_all(&head(request, self.address))?;
        stream.write_all(&request.body)?;
        read_response(&mut BufReader::new(stream), request.method == "HEAD")
    }

    /// A bare connection, for tests that write what no client should.
    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(stream)
    }
}

fn head(request: &Request, address: SocketAddr) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT") {
        head += &format!("Content-Length: {}\r\n", request.body.len());
    }
    (head + "\r\n").into_bytes()
}

/// Reads one answer.
pub(crate) fn read_response(reader: &mut impl BufRead, head_only: bool) -> io::Result<Response> {
    let first = read_line(reader)?;
    let status =
        first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| bad("status line", &first))?;
    let mut response = Response { status, headers: read_headers(reader)?, body: Vec::new() };
    if !head_only && status != 204 {
        response.body = read_body(reader, &response)?;
    }
    Ok(response)
}

/// Header lines up to the empty one.
pub(crate) fn read_headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("header", &line))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

/// One line without its end.
pub(crate) fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_body(reader: &mut impl BufRead, response: &Response) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if response.header("Transfer-Encoding").as_deref() == Some("chunked") {
        read_chunks(reader, &mut body)?;
    } else if let Some(length) = response.header("Content-Length") {
        let length = length.parse().map_err(|_| bad("Content-Length", &length))?;
        reader.take(length).read_to_end(&mut body)?;
    } else {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(reader)?;
        let size = u64::from_str_radix(&line, 16).map_err(|_| bad("chunk size", &line))?;
        reader.take(size).read_to_end(body)?;
        read_line(reader)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn bad(what: &str, text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("bad {what}: {text}"))
}
