//! The values of constants: strings, characters, integers of every base, floats and imaginary numbers.

use std::sync::Arc;

use crate::ast::{Number, OperandKind};
use crate::lex::{Kind, Token};
use watchbell_golang::quote::{quote, unquote, unquote_char};

/// A string, character or number as an operand.
pub(super) fn constant(token: &Token<'_>) -> Result<OperandKind, String> {
    match token.kind {
        Kind::String | Kind::RawString => {
            Ok(OperandKind::String { text: string(token)?, quoted: token.text.to_string() })
        }
        Kind::Char => character(&token.text).map(OperandKind::Number),
        _ => number(&token.text).map(OperandKind::Number),
    }
}

/// The text between the quotes.
pub(super) fn string(token: &Token<'_>) -> Result<Arc<str>, String> {
    let text = unquote(&token.text).map_err(|_| "invalid syntax")?;
    Ok(text.into())
}

fn character(text: &str) -> Result<Number, String> {
    let code = u32::from(unquote_char(text).map_err(|_| match text.len() {
        2 => "invalid syntax".to_owned(),
        _ => format!("malformed character constant: {text}"),
    })?);
    let (int, uint, float) = (Some(code.into()), Some(code.into()), Some(code.into()));
    Ok(Number { text: text.into(), int, uint, float, imaginary: None })
}

fn number(text: &str) -> Result<Number, String> {
    let mut number = Number { text: text.into(), int: None, uint: None, float: None, imaginary: None };
    if let Some(complex) = text.strip_suffix('i') {
        return complex_number(complex, number);
    }
    number.uint = unsigned(text);
    number.int = signed(text);
    number.float = match number.int {
        Some(int) => Some(int as f64),
        None => number.uint.map(|uint| uint as f64).or_else(|| float(text)),
    };
    if number.int.is_none() && number.uint.is_none() {
        integral(&mut number)?;
    }
    match number.float {
        Some(_) => Ok(number),
        None => Err(format!("illegal number syntax: {}", quote(text))),
    }
}

/// A float without a fraction can stand for an integer, unless it was written as an integer too large to be one.
fn integral(number: &mut Number) -> Result<(), String> {
    let Some(float) = number.float else {
        return Ok(());
    };
    if !number.text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {}", quote(&number.text)));
    }
    if float as i64 as f64 == float {
        number.int = Some(float as i64);
    }
    if float as u64 as f64 == float {
        number.uint = Some(float as u64);
    }
    Ok(())
}

/// `2i` or `1+2i`, without its `i`.
fn complex_number(text: &str, number: Number) -> Result<Number, String> {
    let syntax = || format!("illegal number syntax: {}", quote(&number.text));
    let split =
        text.char_indices().skip(1).filter(|&(at, c)| "+-".contains(c) && !text[..at].ends_with(['e', 'E', 'p', 'P']));
    let at = split.map(|(at, _)| at).last().unwrap_or(0);
    let real = if at == 0 { Some(0.0) } else { float(&text[..at]) };
    let imaginary = float(&text[at..]);
    if real.is_none() || imaginary.is_none() {
        return Err(syntax());
    }
    Ok(Number { float: real, imaginary, ..number })
}

fn signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => unsigned(digits).and_then(|value| 0i64.checked_sub_unsigned(value)),
        None => unsigned(text.strip_prefix('+').unwrap_or(text)).and_then(|value| value.try_into().ok()),
    }
}

/// An integer with Go's prefixes; `_` may stand between digits and after the prefix.
fn unsigned(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ if lower.starts_with('_') => return None,
        _ => (10, lower.as_str()),
    };
    let misplaced = digits.contains("__") || digits.ends_with('_') || digits.starts_with(['+', '-']);
    if misplaced { None } else { u64::from_str_radix(&digits.replace('_', ""), radix).ok() }
}

/// A decimal or hexadecimal float.
fn float(text: &str) -> Option<f64> {
    let lower = without_separators(text)?;
    let value = if lower.trim_start_matches(['+', '-']).starts_with("0x") {
        hexadecimal_float(&lower)
    } else {
        lower.parse::<f64>().ok()
    };
    value.filter(|value| value.is_finite())
}

/// The text in small letters without its `_`, each of which must stand between digits or after the prefix.
fn without_separators(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let is_hexadecimal = lower.contains('x');
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (is_hexadecimal && byte.is_ascii_hexdigit());
    let is_between = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_some_and(|byte| is_digit(byte) || *byte == b'x') && bytes.get(at + 1).is_some_and(is_digit)
    };
    let misplaced = lower.match_indices('_').any(|(at, _)| !is_between(at));
    (!misplaced).then(|| lower.replace('_', ""))
}

/// `0x1.8p3`: the exponent is demanded.
fn hexadecimal_float(lower: &str) -> Option<f64> {
    let (negative, digits) = match lower.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, lower.strip_prefix('+').unwrap_or(lower)),
    };
    let (mantissa, exponent) = digits.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let bits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let exponent = exponent.parse::<i32>().ok()? - 4 * i32::try_from(fraction.len()).ok()?;
    let value = bits as f64 * f64::from(exponent).exp2();
    Some(if negative { -value } else { value })
}
