//! What becomes of a group's issue, decided from what was read: which issue stands for the group, and how it is to be
//! changed. Pure: no requests, no clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::description;
use super::issue::Issue;
use super::memory::{Memory, Told};
use super::wording::Wording;

/// What the operator wants of issues.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) lookup_label: String,
    pub(super) update_title: bool,
    pub(super) update_description: bool,
    pub(super) update_labels: bool,
    pub(super) close_on_resolved: bool,
    pub(super) close_only_untouched: bool,
    pub(super) keep_open_label: String,
    pub(super) wont_fix_label: String,
    pub(super) reopen: bool,
    pub(super) reopen_duration: Duration,
    pub(super) comments: Comments,
    pub(super) max_comments: u32,
}

/// When a comment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comments {
    Changes,
    Always,
    Never,
}

/// Which issue stands for the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This one; those of `duplicates` are to be closed.
    Use { issue: Box<Issue>, duplicates: Vec<Issue> },
    /// A new one, the successor of `previous`.
    Create { previous: Option<Box<Issue>> },
    /// None, and none is wanted.
    Rest,
}

/// Chooses among `issues`, all that are known of the group in `project`; `firing` says whether any alert fires.
///
/// Of several that are open the one that people have moved away wins, then the smallest number: every node comes to
/// the same choice, whoever made them. If none is open, the one closed last is opened again, within its time.
pub(super) fn choose(issues: Vec<Issue>, firing: bool, project: &str, rules: &Rules, now: Timestamp) -> Choice {
    let (mut open, closed): (Vec<_>, Vec<_>) = issues.into_iter().partition(Issue::is_open);
    open.sort_by_key(|issue| (issue.is_in(project), issue.iid));
    if !open.is_empty() {
        let issue = Box::new(open.remove(0));
        return Choice::Use { issue, duplicates: open };
    }
    if firing { reopen_or_replace(&closed, rules, now) } else { Choice::Rest }
}

/// What becomes of a group that fires and of whose issues all are `closed`. Duplicates and moved ones do not count.
fn reopen_or_replace(closed: &[Issue], rules: &Rules, now: Timestamp) -> Choice {
    let within = SignedDuration::try_from(rules.reopen_duration).unwrap_or(SignedDuration::MAX);
    let closed_at = |issue: &Issue| issue.closed_at.unwrap_or(issue.created_at);
    let recent = |issue: &&Issue| !within.is_zero() && now.duration_since(closed_at(issue)) <= within;
    let counts = |issue: &&Issue| issue.moved_to_id.is_none() && issue.links.closed_as_duplicate_of.is_none();
    if closed.iter().filter(counts).filter(recent).any(|issue| has_label(issue, &rules.wont_fix_label)) {
        return Choice::Rest;
    }
    match closed.iter().filter(counts).max_by_key(|issue| (issue.closed_at, issue.iid)) {
        Some(last) if rules.reopen && recent(&last) => {
            Choice::Use { issue: Box::new(last.clone()), duplicates: Vec::new() }
        }
        last => Choice::Create { previous: last.cloned().map(Box::new) },
    }
}

/// The change that makes `issue` say what is true now, as the body of a request; empty if there is none. `touched` says
/// whether people have worked on it.
pub(super) fn edit(
    issue: &Issue,
    wording: &Wording,
    memory: Option<&Memory>,
    rules: &Rules,
    touched: bool,
) -> Map<String, Value> {
    let told = memory.filter(|memory| memory.is_of(issue)).map(|memory| memory.told);
    let changes = [
        ("title", new_title(issue, wording, told).filter(|_| rules.update_title)),
        ("description", new_description(issue, wording, told).filter(|_| rules.update_description)),
        ("add_labels", missing_labels(issue, wording, told, rules)),
        ("state_event", state_event(issue, wording, rules, touched).map(str::to_owned)),
    ];
    changes.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect()
}

/// A title that we did not change is not changed back: people may have changed it.
fn new_title(issue: &Issue, wording: &Wording, told: Option<Told>) -> Option<String> {
    let changed = told.is_some_and(|told| told.title != Told::of(wording).title);
    (changed && issue.title != wording.title).then(|| wording.title.clone())
}

/// The description with our region as it should be, if we have something else to say than before.
fn new_description(issue: &Issue, wording: &Wording, told: Option<Told>) -> Option<String> {
    if told.is_some_and(|told| told.region == Told::of(wording).region) {
        return None;
    }
    let description = issue.description.as_deref()?;
    description::with_region(description, &wording.region).filter(|updated| updated != description)
}

/// The labels that `issue` is to get: those it lacks if the set of them changed, else only the one by which it is
/// found. One that people have taken away stays away, and another project gets no labels of ours.
fn missing_labels(issue: &Issue, wording: &Wording, told: Option<Told>, rules: &Rules) -> Option<String> {
    if !issue.is_in(&wording.project) {
        return None;
    }
    let all = rules.update_labels && told.is_none_or(|told| told.labels != Told::of(wording).labels);
    let wanted = wording.labels.iter().filter(|label| all || **label == rules.lookup_label);
    let missing: Vec<&str> = wanted.filter(|label| !has_label(issue, label)).map(String::as_str).collect();
    Some(missing.join(",")).filter(|missing| !missing.is_empty())
}

/// The state follows the alerts, unless people object to the end.
fn state_event(issue: &Issue, wording: &Wording, rules: &Rules, touched: bool) -> Option<&'static str> {
    match (wording.firing.is_empty(), issue.is_open()) {
        (false, false) => Some("reopen"),
        (true, true) if may_close(issue, rules) && !touched => Some("close"),
        _ => None,
    }
}

/// Whether the end of all alerts closes the issue, as far as its labels say.
pub(super) fn may_close(issue: &Issue, rules: &Rules) -> bool {
    rules.close_on_resolved && !has_label(issue, &rules.keep_open_label)
}

/// Whether `issue` gets a comment; `edited` says whether it was just changed.
pub(super) fn comment_due(
    issue: &Issue,
    wording: &Wording,
    memory: Option<&Memory>,
    rules: &Rules,
    edited: bool,
) -> bool {
    let changed = match memory.filter(|memory| memory.is_of(issue)) {
        Some(memory) => memory.told.set != Told::of(wording).set,
        None => edited,
    };
    let due = match rules.comments {
        Comments::Changes => changed,
        Comments::Always => true,
        Comments::Never => false,
    };
    due && issue.user_notes_count < rules.max_comments
}

fn has_label(issue: &Issue, label: &str) -> bool {
    !label.is_empty() && issue.labels.iter().any(|has| has == label)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use serde_json::json;

    use super::super::issue::{References, State};
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn rules() -> Rules {
        Rules {
            lookup_label: "alerts".to_owned(),
            update_title: true,
            update_description: true,
            update_labels: true,
            close_on_resolved: true,
            close_only_untouched: false,
            keep_open_label: "keep-open".to_owned(),
            wont_fix_label: "wontfix".to_owned(),
            reopen: true,
            reopen_duration: Duration::from_secs(3600),
            comments: Comments::Changes,
            max_comments: 2,
        }
    }

    fn issue(iid: u64) -> Issue {
        let issue = json!({
            "id": iid + 100, "iid": iid, "project_id": 1, "title": "T", "state": "opened",
            "description": description::new("old", "ab", None), "created_at": "1970-01-01T00:00:00Z",
            "labels": ["alerts", "human"], "author": {"id": 1}, "references": {"full": format!("A/b#{iid}")},
        });
        serde_json::from_value(issue).unwrap()
    }

    /// An issue that was closed so many minutes ago.
    fn closed(iid: u64, minutes: i64) -> Issue {
        Issue { state: State::Closed, closed_at: Some(NOW - minutes.minutes()), ..issue(iid) }
    }

    fn used(choice: Choice) -> Option<(u64, Vec<u64>)> {
        match choice {
            Choice::Use { issue, duplicates } => Some((issue.iid, duplicates.iter().map(|issue| issue.iid).collect())),
            _ => None,
        }
    }

    fn chosen(issues: &[Issue], rules: &Rules) -> Choice {
        choose(issues.to_vec(), true, "a/b", rules, NOW)
    }

    #[test]
    fn of_open_issues_the_smallest_number_wins_and_a_moved_one_before_it() {
        assert_eq!(used(chosen(&[issue(7), issue(3), closed(1, 1), issue(5)], &rules())), Some((3, vec![5, 7])));
        let elsewhere = References { full: "c/d#9".to_owned() };
        let moved = Issue { project_id: 2, references: elsewhere, ..issue(9) };
        assert_eq!(used(chosen(&[issue(3), moved], &rules())), Some((9, vec![3])));
        let over = choose(vec![issue(3), issue(5)], false, "1", &rules(), NOW);
        assert_eq!(used(over), Some((3, vec![5])));
    }

    #[test]
    fn what_was_closed_not_long_ago_is_opened_again() {
        assert_eq!(used(chosen(&[closed(3, 30), closed(5, 20)], &rules())), Some((5, vec![])));
        for (late, rules) in [
            (closed(3, 61), rules()),
            (closed(3, 1), Rules { reopen: false, ..rules() }),
            (closed(3, 0), Rules { reopen_duration: Duration::ZERO, ..rules() }),
        ] {
            assert_eq!(chosen(std::slice::from_ref(&late), &rules), Choice::Create { previous: Some(Box::new(late)) });
        }
        assert_eq!(chosen(&[], &rules()), Choice::Create { previous: None });
        assert_eq!(choose(vec![closed(3, 1)], false, "a/b", &rules(), NOW), Choice::Rest);
    }

    #[test]
    fn duplicates_and_moved_ones_stay_closed() {
        let mut duplicate = closed(5, 1);
        duplicate.links.closed_as_duplicate_of = Some("http://x".to_owned());
        let moved = Issue { moved_to_id: Some(1), ..closed(6, 1) };
        assert_eq!(used(chosen(&[closed(3, 30), duplicate.clone(), moved.clone()], &rules())), Some((3, vec![])));
        assert_eq!(chosen(&[duplicate, moved], &rules()), Choice::Create { previous: None });
    }

    #[test]
    fn what_people_will_not_fix_is_neither_reopened_nor_replaced_within_its_time() {
        let unwanted = |minutes| Issue { labels: vec!["wontfix".to_owned()], ..closed(3, minutes) };
        assert_eq!(chosen(&[unwanted(30)], &rules()), Choice::Rest);
        assert_eq!(chosen(&[unwanted(30)], &Rules { reopen: false, ..rules() }), Choice::Rest);
        assert!(matches!(chosen(&[unwanted(61)], &rules()), Choice::Create { .. }));
    }

    fn wording(firing: &[u64], region: &str) -> Wording {
        Wording {
            firing: firing.to_vec(),
            project: "a/b".to_owned(),
            title: "T".to_owned(),
            region: region.to_owned(),
            labels: vec!["alerts".to_owned(), "new".to_owned()],
            ..Wording::default()
        }
    }

    fn memory(issue: &Issue, told: &Wording) -> Memory {
        Memory { project: "p".into(), at: issue.project_id, iid: issue.iid, told: Told::of(told), checked: None }
    }

    #[test]
    fn only_what_changed_is_edited_and_people_keep_their_changes() {
        let (old, new) = (wording(&[1], "old"), Wording { title: "T2".to_owned(), ..wording(&[1], "new") });
        let known = memory(&issue(3), &old);
        let edit = |issue: &Issue, wording: &Wording, memory| edit(issue, wording, memory, &rules(), false);
        assert_eq!(edit(&issue(3), &old, Some(&known)), Map::new());
        let changed = edit(&issue(3), &new, Some(&known));
        assert_eq!(changed.keys().collect::<Vec<_>>(), ["title", "description"]);
        // Somebody gave it another title, changed our region and took a label away: all of it stays.
        let theirs = Issue {
            title: "theirs".to_owned(),
            description: Some(description::new("theirs", "ab", None)),
            labels: vec!["alerts".to_owned()],
            ..issue(3)
        };
        assert_eq!(edit(&theirs, &old, Some(&known)), Map::new());
        // Of an issue that is not remembered the title stays, region and labels do not.
        let found = edit(&theirs, &old, None);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["description", "add_labels"]);
        assert_eq!(found["add_labels"], "new");
    }

    #[test]
    fn the_label_by_which_it_is_found_always_comes_back() {
        let told = wording(&[1], "old");
        let bare = Issue { labels: vec![], ..issue(3) };
        let rules = Rules { update_labels: false, ..rules() };
        let edit = edit(&bare, &told, Some(&memory(&bare, &told)), &rules, false);
        assert_eq!(Value::from(edit), json!({"add_labels": "alerts"}));
        let moved = Issue { references: References { full: "c/d#3".to_owned() }, ..bare };
        assert_eq!(super::edit(&moved, &told, None, &rules, false), Map::new());
    }

    #[test]
    fn the_state_follows_the_alerts_unless_people_object() {
        let state = |issue: &Issue, firing: &[u64], touched| {
            let told = wording(firing, "old");
            edit(issue, &told, Some(&memory(issue, &told)), &rules(), touched).get("state_event").cloned()
        };
        assert_eq!(state(&closed(3, 1), &[1], false), Some("reopen".into()));
        assert_eq!(state(&issue(3), &[], false), Some("close".into()));
        assert_eq!(state(&issue(3), &[], true), None);
        let kept = Issue { labels: vec!["keep-open".to_owned()], ..issue(3) };
        assert_eq!(state(&kept, &[], false), None);
    }

    #[test]
    fn a_change_of_what_fires_is_worth_a_comment() {
        let due = |told: &[u64], now: &[u64], comments, notes| {
            let issue = Issue { user_notes_count: notes, ..issue(3) };
            let memory = memory(&issue, &wording(told, "old"));
            comment_due(&issue, &wording(now, "new"), Some(&memory), &Rules { comments, ..rules() }, true)
        };
        assert!(due(&[1], &[1, 2], Comments::Changes, 0) && due(&[1], &[], Comments::Changes, 1));
        assert!(!due(&[1], &[1], Comments::Changes, 0) && !due(&[1], &[2], Comments::Never, 0));
        assert!(due(&[1], &[1], Comments::Always, 0) && !due(&[1], &[2], Comments::Always, 2));
    }
}
