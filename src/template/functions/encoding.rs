//! Alertmanager's functions that encode and decode: JSON, base 64 and URLs.

use super::{Fault, Function, Outcome, Parameter, json};
use crate::value::Value;

const TEXT: &[Parameter] = &[Parameter::Text];

/// The alphabet for URLs and file names.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "toJson",
        parameters: &[Parameter::Any],
        variadic: None,
        body: |_, with| Ok(Value::text(json::encode(with.value(0))?)),
    },
    Function {
        name: "base64encode",
        parameters: TEXT,
        variadic: None,
        body: |_, with| Ok(Value::text(base64_encode(with.text(0).as_bytes()))),
    },
    Function { name: "base64decode", parameters: TEXT, variadic: None, body: |_, with| base64_decode(with.text(0)) },
    Function { name: "urlUnescape", parameters: TEXT, variadic: None, body: |_, with| url_unescape(with.text(0)) },
];

fn base64_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0, |bits, (at, &byte)| bits | u32::from(byte) << (16 - 8 * at));
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place) & 63) as usize;
            out.push(if place <= chunk.len() { ALPHABET[sextet].into() } else { '=' });
        }
    }
    out
}

/// Decodes what has its padding; line ends do not count. Bytes that are no text are replaced.
fn base64_decode(text: &str) -> Outcome {
    let symbols = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect::<Vec<_>>();
    let illegal = |at: usize| Fault::from(format!("illegal base64 data at input byte {at}"));
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    for (index, group) in symbols.chunks(4).enumerate() {
        let decoded = decode_group(group).map_err(|at| illegal(at.unwrap_or(text.len())))?;
        let is_padded = decoded.len() < 3;
        bytes.extend(decoded);
        if let Some(&(at, _)) = symbols.get(4 * index + 4).filter(|_| is_padded) {
            return Err(illegal(at));
        }
    }
    Ok(Value::text(String::from_utf8_lossy(&bytes)))
}

/// The bytes of four symbols, the last ones of which may be padding; or the offset of what does not fit, `None` for the
/// end of the text.
fn decode_group(group: &[(usize, u8)]) -> Result<Vec<u8>, Option<usize>> {
    let used = group.iter().position(|&(_, byte)| byte == b'=').unwrap_or(group.len());
    let mut bits = 0u32;
    for &(at, byte) in &group[..used] {
        let sextet = ALPHABET.iter().position(|&symbol| symbol == byte).ok_or(Some(at))?;
        bits = bits << 6 | sextet as u32;
    }
    match (used, group.get(used), group.get(3)) {
        (4, ..) | (3, Some(_), _) | (2, Some(_), Some((_, b'='))) => {}
        (2, Some(_), None) => return Err(None),
        (_, Some(&(at, _)), _) => return Err(Some(at)),
        (_, None, _) => return Err(Some(group[0].0)),
    }
    bits <<= 6 * (4 - used);
    Ok(bits.to_be_bytes()[1..used].to_vec())
}

/// Undoes the escaping of a URL's query: `+` is a space.
fn url_unescape(text: &str) -> Outcome {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match after {
                [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    bytes.push(hex_digit(*high) << 4 | hex_digit(*low));
                    rest = &after[2..];
                    continue;
                }
                _ => {
                    let shown = String::from_utf8_lossy(&rest[..rest.len().min(3)]);
                    return Err(format!("invalid URL escape {}", watchbell_golang::quote::quote(&shown)).into());
                }
            },
            byte => bytes.push(*byte),
        }
        rest = after;
    }
    Ok(Value::text(String::from_utf8_lossy(&bytes)))
}

fn hex_digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}
