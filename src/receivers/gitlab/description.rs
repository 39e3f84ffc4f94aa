//! An issue's description: our region between two fences, the marker by which the issue is found again, and around
//! them whatever people write, which is never touched. It must not know what the region says.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use watchbell_engine::nflog::NflogKey;

/// The line before our region.
const BEGIN: &str = "<!-- watchbell:begin -->";

/// The line after it.
const END: &str = "<!-- watchbell:end -->";

/// What begins all of our marks.
const OURS: &str = "<!-- watchbell:";

/// How long a region may be, in bytes; GitLab takes a description of a million characters, people's text among them.
const MAX_REGION: usize = 900_000;

/// Names the group, to this integration of this cluster: the same on all nodes. 64 hexadecimal digits.
pub(super) fn group_id(cluster: &str, key: &NflogKey) -> String {
    let mut hash = Sha256::new();
    for part in [cluster, &key.receiver, &key.index.to_string(), &key.group_key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all that is written");
        text
    })
}

/// The description of a new issue, which may be the successor of the issue `previous`.
pub(super) fn new(region: &str, group: &str, previous: Option<&str>) -> String {
    let previous = previous.map(|issue| format!("Previously: {issue}\n\n")).unwrap_or_default();
    format!("{previous}{BEGIN}\n{region}\n{END}\n\n{}", marker(group))
}

/// Whether the issue with this description is that of `group`.
pub(super) fn is_of(description: &str, group: &str) -> bool {
    description.contains(&marker(group))
}

/// `description` with another region; all else stays, byte for byte. None if somebody has taken a fence away.
pub(super) fn with_region(description: &str, region: &str) -> Option<String> {
    let begin = description.find(BEGIN)? + BEGIN.len();
    let end = begin + description[begin..].find(END)?;
    Some(format!("{}\n{region}\n{}", &description[..begin], &description[end..]))
}

/// What a template made, as a region: without our marks, and cut at a row if it is too long.
pub(super) fn region(text: &str) -> String {
    let text = text.trim().replace(OURS, "<!- watchbell:");
    if text.len() <= MAX_REGION {
        return text;
    }
    let mut end = MAX_REGION;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').unwrap_or(end);
    let left = text[end..].trim().lines().count();
    format!("{}\n\n… and {left} more lines, left out because GitLab takes no more.", &text[..end])
}

fn marker(group: &str) -> String {
    format!("{OURS}v1 key={group} -->")
}

/// What ends the comment that tells the notification `identity`, so that it is found again.
pub(super) fn note_marker(identity: &str) -> String {
    format!("{OURS}note {identity} -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_region_leaves_what_people_wrote() {
        let made = new("old", "ab", Some("#7"));
        assert_eq!(
            made,
            "Previously: #7\n\n<!-- watchbell:begin -->\nold\n<!-- watchbell:end -->\n\n<!-- watchbell:v1 key=ab -->"
        );
        let edited = format!("before\r\n{made}\n after ");
        let updated = with_region(&edited, "new").unwrap();
        assert_eq!(updated, edited.replace("old", "new"));
        assert_eq!(with_region(&updated, "new").unwrap(), updated);
        assert!(is_of(&updated, "ab") && !is_of(&updated, "abc"));
        assert_eq!(with_region(&edited.replace(END, ""), "new"), None);
    }

    #[test]
    fn a_region_holds_none_of_our_marks_and_is_cut_at_a_row() {
        assert_eq!(region("a\n<!-- watchbell:end -->b"), "a\n<!- watchbell:end -->b");
        let row = "é".repeat(99) + "\n";
        let long = region(&row.repeat(10_000));
        assert!(long.len() < MAX_REGION + 100 && long.contains("more lines, left out"), "{}", long.len());
        let kept = long.split("\n\n…").next().unwrap();
        assert!(kept.lines().all(|line| line.chars().count() == 99));
    }

    #[test]
    fn groups_have_their_own_names() {
        let key = |group: &str, index| NflogKey {
            group_key: group.into(),
            receiver: "r".into(),
            integration: "gitlab".into(),
            index,
        };
        let ids = [
            group_id("", &key("a", 0)),
            group_id("c", &key("a", 0)),
            group_id("", &key("b", 0)),
            group_id("", &key("a", 1)),
        ];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert!(ids.iter().all(|id| id.len() == 64));
    }
}
