//! What a conversation with a mail server runs over: a socket, with TLS or without, and the exchange of greetings. It
//! must not know what is said later.

use std::fmt;
use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How much a server may say at once before TLS; a hundred times what any says.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// A socket, and what is read from it first.
pub(super) struct Wire {
    /// Read before anything else.
    before: Vec<u8>,
    /// Whether what is written first goes nowhere.
    is_greeted: bool,
    stream: Stream,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { before: Vec::new(), is_greeted: false, stream: Stream::Plain(stream) }
    }

    pub(super) fn encrypted(stream: TlsStream<TcpStream>) -> Self {
        Self { before: Vec::new(), is_greeted: false, stream: Stream::Tls(Box::new(stream)) }
    }

    /// Reads `text` once more before what comes: the server's greeting, and its answer to ours, which is not said again.
    pub(super) fn after(self, text: String) -> Self {
        Self { before: text.into_bytes(), is_greeted: true, ..self }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let count = self.before.len().min(buffer.remaining());
            buffer.put_slice(&self.before[..count]);
            self.before.drain(..count);
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if std::mem::take(&mut self.is_greeted) {
            return Poll::Ready(Ok(bytes.len()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// The exchange of greetings. The library's own keeps what came with the answer to STARTTLS and takes it for said under
/// TLS, so that whoever sits in the middle can speak for the server.
pub(super) struct Preface<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Preface<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends `line`; gives all lines of the answer.
    pub(super) async fn command(&mut self, line: &str) -> io::Result<String> {
        self.0.write_all(line.as_bytes()).await?;
        self.0.flush().await?;
        self.answer().await
    }

    /// All lines of an answer; the last has no hyphen after its code.
    pub(super) async fn answer(&mut self) -> io::Result<String> {
        let mut answer = String::new();
        let mut limited = (&mut self.0).take(MAX_ANSWER_BYTES);
        loop {
            let beginning = answer.len();
            limited.read_line(&mut answer).await?;
            if !answer.ends_with('\n') {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the answer does not end"));
            }
            if answer.as_bytes().get(beginning + 3) != Some(&b'-') {
                return Ok(answer);
            }
        }
    }

    /// The socket; what was read and not asked for is forgotten.
    pub(super) fn into_inner(self) -> S {
        self.0.into_inner()
    }
}
