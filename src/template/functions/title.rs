//! `title`: each word with a capital, the rest in small letters, with Unicode's idea of a word.

/// What joins its neighbours to one word when it stands within one.
const INNER: [char; 5] = ['\'', '’', '.', '·', ':'];

pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = word_length(rest);
        let (word, after) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        capitalise(word, &mut out);
        rest = after;
    }
    out
}

/// The length of the word at the start of `rest`; 0 if there is none.
fn word_length(rest: &str) -> usize {
    let mut characters = rest.char_indices().peekable();
    let mut end = 0;
    let mut previous = None;
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|&(_, next)| next);
        let is_inner = INNER.contains(&c) && previous.is_some() && next.is_some_and(is_word_part);
        if !is_word_part(c) && !is_inner {
            break;
        }
        end = at + c.len_utf8();
        previous = Some(c);
    }
    end
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c)
}

/// The first letter that has two cases becomes a capital, all after it small.
fn capitalise(word: &str, out: &mut String) {
    let has_case = |c: char| c.is_lowercase() || c.is_uppercase() || "ǅǈǋǲ".contains(c);
    let Some((at, first)) = word.char_indices().find(|&(_, c)| has_case(c)) else {
        out.push_str(word);
        return;
    };
    let (before, letters) = word.split_at(at);
    out.push_str(before);
    push_title_case(first, out);
    // The whole word in small letters, for a sigma at its end has a form of its own.
    let small = letters.to_lowercase();
    out.push_str(&small[first.to_lowercase().map(char::len_utf8).sum()..]);
}

/// A letter as the first of a word: of those that are two in one, only the first is a capital.
fn push_title_case(c: char, out: &mut String) {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => out.push('ǅ'),
        'Ǉ' | 'ǈ' | 'ǉ' => out.push('ǈ'),
        'Ǌ' | 'ǋ' | 'ǌ' => out.push('ǋ'),
        'Ǳ' | 'ǲ' | 'ǳ' => out.push('ǲ'),
        _ => {
            let mut has_capital = false;
            for capital in c.to_uppercase() {
                if has_capital {
                    out.extend(capital.to_lowercase());
                } else {
                    out.push(capital);
                }
                has_capital |= capital.is_uppercase();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn words_begin_with_a_capital() {
        assert_eq!(title("hello_world foo-bar x/y (abc)"), "Hello_world Foo-Bar X/Y (Abc)");
        assert_eq!(title("it's 3rd a.b.c G0.EXPR host:9093e"), "It's 3Rd A.b.c G0.expr Host:9093e");
        assert_eq!(title("ΑΣ ß ǆ 日本"), "Ας Ss ǅ 日本");
    }
}
