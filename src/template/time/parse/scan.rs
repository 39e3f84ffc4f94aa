//! The pieces of a text that is read as a time: literals, numbers and names.

use super::Misfit;

/// Skips a literal part of a layout; any run of spaces stands for any other. An error is what is left where it differs.
pub(super) fn skip<'t>(mut text: &'t str, mut literal: &str) -> Result<&'t str, &'t str> {
    while let Some(first) = literal.chars().next() {
        if first == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return Err(text);
            }
            (literal, text) = (literal.trim_start_matches(' '), text.trim_start_matches(' '));
            continue;
        }
        text = text.strip_prefix(first).ok_or(text)?;
        literal = &literal[first.len_utf8()..];
    }
    Ok(text)
}

/// A number of `least` to `most` digits.
pub(super) fn digits(text: &str, least: usize, most: usize) -> Result<(i64, &str), Misfit> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, left) = text.split_at(count);
    if count < least {
        return Err(Misfit::Syntax);
    }
    Ok((number.parse().map_err(|_| Misfit::Syntax)?, left))
}

/// A number of at most two digits within `range`.
pub(super) fn ranged<'t>(
    text: &'t str,
    least: usize,
    range: std::ops::RangeInclusive<i64>,
    what: &'static str,
) -> Result<(i64, &'t str), Misfit> {
    let (number, left) = digits(text, least, 2)?;
    if range.contains(&number) { Ok((number, left)) } else { Err(Misfit::Range(what)) }
}

/// The index of the name that `text` starts with, in any case; names are cut to `length` bytes.
pub(super) fn name<'t>(text: &'t str, names: &[&str], length: usize) -> Result<(i64, &'t str), Misfit> {
    let fits = |name: &&str| {
        let name = &name[..length.min(name.len())];
        text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let index = names.iter().position(fits).ok_or(Misfit::Syntax)?;
    Ok((index as i64, &text[length.min(names[index].len())..]))
}

pub(super) fn starts_fraction(text: &str) -> bool {
    let digits = text.strip_prefix(['.', ',']);
    digits.is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))
}
