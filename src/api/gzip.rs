//! Compresses a body piece by piece. It must not know what the pieces are.

use std::io::Write;

use axum::http::{HeaderMap, header};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::pieces::{Made, PIECE};

/// Speed counts more than the last percent: at this level lists of alerts shrink to a fifteenth.
const LEVEL: Compression = Compression::fast();

/// Compressed bytes that are gathered before they are sent.
const ENOUGH: usize = PIECE / 2;

/// Whether a client takes gzip.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, parameter) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let quality = parameter.trim().strip_prefix("q=").and_then(|quality| quality.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality| quality > 0.0)
    })
}

/// A compressor; `None` once all has come out of it.
pub(super) struct Gzip(Option<GzEncoder<Vec<u8>>>);

impl Gzip {
    pub(super) fn new() -> Self {
        Self(Some(GzEncoder::new(Vec::new(), LEVEL)))
    }

    /// What comes out when this goes in.
    pub(super) fn pass(&mut self, made: Made) -> Made {
        let Some(encoder) = &mut self.0 else { return Made::End };
        match made {
            Made::Nothing => Made::Nothing,
            Made::Piece(piece) => {
                encoder.write_all(&piece).expect(ALL);
                let enough = encoder.get_ref().len() >= ENOUGH;
                if enough { Made::Piece(std::mem::take(encoder.get_mut()).into()) } else { Made::Nothing }
            }
            Made::End => self.0.take().map_or(Made::End, |encoder| Made::Piece(encoder.finish().expect(ALL).into())),
        }
    }
}

const ALL: &str = "a vector takes all that is written";

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn gzip_must_be_among_what_is_accepted() {
        let accepted = |text: &'static str| {
            is_accepted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        for text in ["gzip", "deflate, GZip;q=0.5", "br,gzip ; q=1"] {
            assert!(accepted(text), "{text}");
        }
        for text in ["", "identity", "gzip;q=0", "gzipped", "*"] {
            assert!(!accepted(text), "{text}");
        }
    }
}
