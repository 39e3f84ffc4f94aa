//! Settings: what an operator may set, as plain data that is read from YAML and shown again with its secrets hidden.
//! It knows how one scalar or one block is spelled and what contradicts itself, but not what is done with it.
//!
//! Every key may be missing (then it has the default of its block) or null (then it is empty, as in Alertmanager).
//! Unknown keys are refused. Keys come in the order in which Alertmanager prints them; a block's documentation says
//! which keys are left out while empty only where that is not all of them.

pub mod cluster_tls;
pub mod duration;
pub mod email;
pub mod gitlab;
pub mod global;
pub mod heartbeat;
pub mod http;
pub mod irc;
mod lenient;
pub mod receiver;
pub mod secret;
pub mod size;
pub mod terminal;
pub mod tls;
pub mod url;
pub mod webhook;

/// Settings that contradict each other, or miss what they need. The text is for the operator, in Alertmanager's words
/// where it has any.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// Refuses with `text` if `wrong`.
    fn when(wrong: bool, text: &str) -> Result<(), Self> {
        if wrong { Err(Self(text.to_owned())) } else { Ok(()) }
    }
}

/// Refuses more than one way to give the same value.
fn at_most_one(ways: &[(&str, bool)]) -> Result<(), Invalid> {
    let given = ways.iter().filter(|(_, given)| *given).count();
    Invalid::when(given > 1, &format!("at most one of {} must be configured", enumeration(ways)))
}

/// Refuses a word that is not among those that mean something.
fn one_of(key: &str, word: &str, words: &[&str]) -> Result<(), Invalid> {
    let text = format!("unknown {key} {word:?}, must be one of {}", words.join(", "));
    Invalid::when(!words.contains(&word), &text)
}

/// `a & b`, `a, b & c`.
fn enumeration(ways: &[(&str, bool)]) -> String {
    let names: Vec<&str> = ways.iter().map(|(name, _)| *name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} & {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The usual spelling of a header's name: a letter is upper-case at the beginning and after a hyphen, else lower-case.
fn canonical_header(name: &str) -> String {
    let mut first = true;
    let spell = |c: char| {
        let upper = std::mem::replace(&mut first, c == '-');
        if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    name.chars().map(spell).collect()
}

#[cfg(test)]
mod tests;
