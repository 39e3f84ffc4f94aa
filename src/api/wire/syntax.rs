//! What is wrong with a text that is no JSON, in the words of Go's decoder. It is asked only when reading has failed.

use watchbell_golang::quote::quote;

/// The first fault of the first JSON value in `text`, if it has one. What follows the value does not count.
pub(in crate::api) fn fault(text: &str) -> Option<String> {
    Scanner { rest: text.as_bytes(), open: Vec::new() }.value().err().map(|fault| match fault {
        Fault::End => "unexpected EOF".to_owned(),
        Fault::At(byte, place) => format!("invalid character {} {place}", shown(byte)),
    })
}

enum Fault {
    /// The text ends too early.
    End,
    /// This byte cannot stand here.
    At(u8, String),
}

struct Scanner<'a> {
    rest: &'a [u8],
    /// The brackets that are open.
    open: Vec<u8>,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    FirstElement,
    Key,
    FirstKey,
    Colon,
    CommaOrEnd,
}

impl Scanner<'_> {
    /// Reads one value, without recursion: a text may open more brackets than the stack bears.
    fn value(&mut self) -> Result<(), Fault> {
        let mut next = Next::Value;
        loop {
            next = match (next, self.visible()?) {
                (Next::FirstElement, b']') | (Next::FirstKey, b'}') => self.close(),
                (Next::Value | Next::FirstElement, byte) => self.begin(byte)?,
                (Next::Key | Next::FirstKey, b'"') => {
                    self.string()?;
                    Next::Colon
                }
                (Next::Key | Next::FirstKey, byte) => return at(byte, "looking for beginning of object key string"),
                (Next::Colon, b':') => Next::Value,
                (Next::Colon, byte) => return at(byte, "after object key"),
                (Next::CommaOrEnd, byte) => self.after_value(byte)?,
            };
            if next == Next::CommaOrEnd && self.open.is_empty() {
                return Ok(());
            }
        }
    }

    fn begin(&mut self, byte: u8) -> Result<Next, Fault> {
        match byte {
            b'{' => {
                self.open.push(byte);
                return Ok(Next::FirstKey);
            }
            b'[' => {
                self.open.push(byte);
                return Ok(Next::FirstElement);
            }
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number(byte)?,
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => return at(byte, "looking for beginning of value"),
        }
        Ok(Next::CommaOrEnd)
    }

    fn after_value(&mut self, byte: u8) -> Result<Next, Fault> {
        match (self.open.last(), byte) {
            (Some(b'{'), b',') => Ok(Next::Key),
            (Some(b'['), b',') => Ok(Next::Value),
            (Some(b'{'), b'}') | (Some(b'['), b']') => Ok(self.close()),
            (Some(b'{'), _) => at(byte, "after object key:value pair"),
            _ => at(byte, "after array element"),
        }
    }

    fn close(&mut self) -> Next {
        self.open.pop();
        Next::CommaOrEnd
    }

    fn string(&mut self) -> Result<(), Fault> {
        loop {
            match self.take()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                byte if byte < b' ' => return at(byte, "in string literal"),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.take()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.take()? {
                byte if byte.is_ascii_hexdigit() => Ok(()),
                byte => at(byte, "in \\u hexadecimal character escape"),
            }),
            byte => at(byte, "in string escape code"),
        }
    }

    fn number(&mut self, first: u8) -> Result<(), Fault> {
        let first = if first == b'-' { self.digit("in numeric literal")? } else { first };
        if first != b'0' {
            self.digits();
        }
        if self.rest.first() == Some(&b'.') {
            self.take()?;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.rest.first(), Some(b'e' | b'E')) {
            self.take()?;
            if matches!(self.rest.first(), Some(b'+' | b'-')) {
                self.take()?;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), Fault> {
        word.bytes().skip(1).try_for_each(|expected| match self.take()? {
            byte if byte == expected => Ok(()),
            byte => at(byte, &format!("in literal {word} (expecting {})", shown(expected))),
        })
    }

    fn digit(&mut self, place: &str) -> Result<u8, Fault> {
        let byte = self.take()?;
        if byte.is_ascii_digit() { Ok(byte) } else { at(byte, place) }
    }

    fn digits(&mut self) {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
    }

    /// The next byte that is no white space.
    fn visible(&mut self) -> Result<u8, Fault> {
        loop {
            let byte = self.take()?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(byte);
            }
        }
    }

    fn take(&mut self) -> Result<u8, Fault> {
        let (&byte, rest) = self.rest.split_first().ok_or(Fault::End)?;
        self.rest = rest;
        Ok(byte)
    }
}

fn at<T>(byte: u8, place: &str) -> Result<T, Fault> {
    Err(Fault::At(byte, place.to_owned()))
}

/// A byte between single quotes, as Go shows it.
fn shown(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => r#"'"'"#.to_owned(),
        _ => {
            let quoted = quote(char::from(byte).encode_utf8(&mut [0; 4]));
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn faults_are_told_in_gos_words() {
        for (text, expected) in [
            ("{bad", "invalid character 'b' looking for beginning of object key string"),
            ("nope", "invalid character 'o' in literal null (expecting 'u')"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
            (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
            (r#"["\x"]"#, "invalid character 'x' in string escape code"),
            (r#"["\u12g4"]"#, "invalid character 'g' in \\u hexadecimal character escape"),
            ("[\"a\nb\"]", "invalid character '\\n' in string literal"),
            ("[-a]", "invalid character 'a' in numeric literal"),
            ("[1.a]", "invalid character 'a' after decimal point in numeric literal"),
            ("[1ea]", "invalid character 'a' in exponent of numeric literal"),
            ("[01]", "invalid character '1' after array element"),
            ("'", "invalid character '\\'' looking for beginning of value"),
            ("[{", "unexpected EOF"),
            (r#"["a"#, "unexpected EOF"),
        ] {
            assert_eq!(fault(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn one_value_is_enough() {
        for text in ["[]", "null rest", r#" {"a":[1,-2.5e+3,true,{"b":"\u00e9\n"},{}]} {"#, "0"] {
            assert_eq!(fault(text), None, "{text}");
        }
        assert_eq!(fault(&"[".repeat(1_000_000)).as_deref(), Some("unexpected EOF"));
    }
}
