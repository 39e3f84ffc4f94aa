//! Finds what a misspelt name was probably meant to be.

/// The one of `names` that a slip of at most two letters makes `name`.
pub(super) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let (slips, near) = names.into_iter().map(|candidate| (distance(name, candidate), candidate)).min()?;
    (slips <= 2 && slips < name.len()).then_some(near)
}

/// How many letters must be put in, taken out, or changed to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let names = ["receiver", "routes", "match", "match_re"];
        assert_eq!(nearest("reciever", names), Some("receiver"));
        assert_eq!(nearest("route", names), Some("routes"));
        assert_eq!(nearest("continue", names), None);
        assert_eq!(nearest("x", ["ab"]), None);
    }
}
