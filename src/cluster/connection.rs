//! One connection: the opening, and frames of one direction after it. Who has opened it speaks; the other side only
//! listens.
//!
//! ```text
//! opening     "WBC", version, mode, 32 random bytes; from who has connected, then from who has accepted
//! frame       length in four bytes, little-endian; then the frame, sealed if the mode says so
//! ```
//!
//! With keys, the first frame shows which of them the speaker has. As both sides brought random bytes, what was recorded
//! of one connection opens nothing in another.

use std::io;

use aws_lc_rs::rand;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::net::TcpStream;

use super::frame::{Frame, MAX_FRAME, MAX_HELLO};
use super::key::{Key, KeyRing, Random};
use super::seal::{OVERHEAD, Seal};

const MAGIC: &[u8; 3] = b"WBC";
/// Another version would be another layout of openings and frames; what frames say can grow without one.
const VERSION: u8 = 1;
/// Frames are as they are.
const PLAIN: u8 = 0;
/// Frames are sealed.
const SEALED: u8 = 1;

const OPENING: usize = 5 + size_of::<Random>();

/// Bytes that are read at once. A digest fits.
const BUFFER: usize = 4 << 10;

/// Bytes in front of a frame.
pub(super) const PREFIX: usize = 4;

/// What carries bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl Stream for TcpStream {}
impl Stream for tokio_rustls::client::TlsStream<TcpStream> {}
impl Stream for tokio_rustls::server::TlsStream<TcpStream> {}

/// Why a connection comes to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It ended, or the system ended it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The other side is no node of a cluster, or one of another mode or version.
    #[error("the other side is no watchbell of this version and mode: {0}")]
    Foreign(&'static str),
    /// A frame was not sealed with a key that is known here, or not as the next one.
    #[error("a frame was sealed with another key, or not for this connection")]
    Forged,
    /// A frame is longer than it may be.
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
    /// A frame says nothing that can be read.
    #[error("a frame cannot be read: {0}")]
    Malformed(#[from] crate::record::RecordError),
    /// It was not meant for this node.
    #[error("it was meant for another node or cluster: {0}")]
    Misled(&'static str),
    /// This node has found itself at an address that an operator named.
    #[error("this node is at both ends")]
    Myself,
    /// Another node has a copy of this one's disk.
    #[error("it has a copy of this node's data directory")]
    Twin,
    /// TLS could not be agreed on.
    #[error("TLS: {0}")]
    Tls(String),
    /// It took too long.
    #[error("it took too long")]
    Late,
}

impl Broken {
    /// The value of the metric label `reason`; `None` where nothing was refused.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) | Self::Myself => None,
            Self::Foreign(_) => Some("foreign"),
            Self::Forged => Some("forged"),
            Self::TooLong(_) => Some("too_long"),
            Self::Malformed(_) => Some("malformed"),
            Self::Misled(_) => Some("misled"),
            Self::Twin => Some("twin"),
            Self::Tls(_) => Some("tls"),
            Self::Late => Some("late"),
        }
    }

    /// Whether something went wrong, and the other side has not just ended it.
    pub(super) fn is_failure(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() != io::ErrorKind::UnexpectedEof,
            Self::Myself => false,
            _ => true,
        }
    }
}

/// The speaking side.
pub(super) struct Speaker {
    to: WriteHalf<Box<dyn Stream>>,
    from: ReadHalf<Box<dyn Stream>>,
    seal: Option<Seal>,
    /// Frames that are ready to be written.
    ready: Vec<u8>,
}

impl Speaker {
    /// Opens a connection that was made.
    pub(super) async fn open(mut stream: Box<dyn Stream>, keys: Option<&KeyRing>) -> Result<Self, Broken> {
        let ours = random();
        stream.write_all(&opening(keys.is_some(), &ours)).await?;
        let theirs = read_opening(&mut stream, keys.is_some()).await?;
        let seal = keys.map(|keys| Seal::new(keys.first().for_connection(&ours, &theirs)));
        let (from, to) = tokio::io::split(stream);
        Ok(Self { to, from, seal, ready: Vec::new() })
    }

    /// Puts a frame, given as its bytes, behind those that are ready.
    pub(super) fn add(&mut self, frame: &[u8]) {
        let mut frame = frame.to_vec();
        if let Some(seal) = &mut self.seal {
            seal.seal(&mut frame);
        }
        let length = u32::try_from(frame.len()).expect("frames are shorter than 4 GiB");
        self.ready.extend(length.to_le_bytes());
        self.ready.extend(frame);
    }

    /// How many bytes are ready.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Writes all that is ready.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.to.write_all(&self.ready).await?;
        self.ready.clear();
        self.to.flush().await
    }

    /// Returns when the other side has closed the connection; it has nothing to say.
    pub(super) async fn closed(&mut self) {
        // Whether it fails or ends or brings something: it is over.
        let _ = self.from.read(&mut [0]).await;
    }

    /// Ends the connection so that the other side learns of it.
    pub(super) async fn close(mut self) {
        // It may be closed already.
        let _ = self.to.shutdown().await;
    }
}

/// The listening side.
pub(super) struct Listener {
    /// Buffered, as most frames are short: each is one call of the system.
    from: BufReader<Box<dyn Stream>>,
    /// The seal, and the key that it was made from.
    sealed: Option<(Seal, Key)>,
}

impl Listener {
    /// Answers who has connected; returns its first frame too.
    pub(super) async fn accept(stream: Box<dyn Stream>, keys: Option<&KeyRing>) -> Result<(Self, Frame), Broken> {
        let mut stream = BufReader::with_capacity(BUFFER, stream);
        let theirs = read_opening(&mut stream, keys.is_some()).await?;
        let ours = random();
        stream.write_all(&opening(keys.is_some(), &ours)).await?;
        stream.flush().await?;
        let first = read_frame(&mut stream, MAX_HELLO + OVERHEAD).await?;
        let Some(keys) = keys else { return Ok((Self { from: stream, sealed: None }, Frame::decode(&first)?)) };
        for key in keys.iter() {
            let (mut seal, mut frame) = (Seal::new(key.for_connection(&theirs, &ours)), first.clone());
            if seal.open(&mut frame).is_ok() {
                return Ok((Self { from: stream, sealed: Some((seal, key.clone())) }, Frame::decode(&frame)?));
            }
        }
        Err(Broken::Forged)
    }

    /// The next frame, and how many bytes it took.
    pub(super) async fn next(&mut self) -> Result<(Frame, usize), Broken> {
        let mut frame = read_frame(&mut self.from, MAX_FRAME + OVERHEAD).await?;
        let length = frame.len() + PREFIX;
        if let Some((seal, _)) = &mut self.sealed {
            seal.open(&mut frame).map_err(|_| Broken::Forged)?;
        }
        Ok((Frame::decode(&frame)?, length))
    }

    /// Whether the keys that hold now would still open it.
    pub(super) fn is_opened_by(&self, keys: Option<&KeyRing>) -> bool {
        match (&self.sealed, keys) {
            (None, None) => true,
            (Some((_, key)), Some(keys)) => keys.contains(key),
            _ => false,
        }
    }
}

/// Random bytes that nobody can foresee.
pub(super) fn random() -> Random {
    let mut random = Random::default();
    rand::fill(&mut random).expect("the system gives random bytes");
    random
}

fn opening(sealed: bool, random: &Random) -> [u8; OPENING] {
    let mut opening = [0; OPENING];
    opening[..3].copy_from_slice(MAGIC);
    opening[3] = VERSION;
    opening[4] = if sealed { SEALED } else { PLAIN };
    opening[5..].copy_from_slice(random);
    opening
}

async fn read_opening(stream: &mut (impl AsyncRead + Unpin), sealed: bool) -> Result<Random, Broken> {
    let mut opening = [0; OPENING];
    stream.read_exact(&mut opening[..5]).await?;
    if &opening[..3] != MAGIC {
        return Err(Broken::Foreign("it speaks another language"));
    }
    if opening[3] != VERSION {
        return Err(Broken::Foreign("it is of another version"));
    }
    match (opening[4], sealed) {
        (PLAIN, false) | (SEALED, true) => {}
        (PLAIN, true) => return Err(Broken::Foreign("it has no key")),
        (SEALED, false) => return Err(Broken::Foreign("it has a key, this node has none")),
        _ => return Err(Broken::Foreign("it seals frames in another way")),
    }
    let mut random = Random::default();
    stream.read_exact(&mut random).await?;
    Ok(random)
}

/// Reads what a frame announces, but takes no more memory than has arrived.
async fn read_frame(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Vec<u8>, Broken> {
    let mut length = [0; PREFIX];
    stream.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length) as usize;
    if length > limit {
        return Err(Broken::TooLong(length));
    }
    let mut frame = Vec::new();
    stream.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(frame)
}

#[cfg(test)]
mod tests;
