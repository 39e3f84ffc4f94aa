//! Quick actions: lines of a description or note that are commands. They are found as GitLab finds them, which is not as
//! Markdown is read: a line that begins with three backticks opens a block that the first line of exactly three ends.

use super::world::{Deed, User, World};
use super::{change, links};

/// A text without its commands, and the commands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) commands: Vec<Command>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    name: String,
    argument: String,
}

/// The names of quick actions that issues know.
const NAMES: [&str; 62] = [
    "add_child",
    "add_contacts",
    "add_email",
    "assign",
    "award",
    "blocked_by",
    "blocks",
    "cc",
    "checkin_reminder",
    "clear_health_status",
    "clear_weight",
    "clone",
    "close",
    "confidential",
    "copy_metadata",
    "create_merge_request",
    "done",
    "due",
    "duplicate",
    "epic",
    "estimate",
    "health_status",
    "iteration",
    "label",
    "labels",
    "link",
    "lock",
    "milestone",
    "move",
    "page",
    "promote",
    "promote_to",
    "promote_to_incident",
    "publish",
    "react",
    "reassign",
    "relabel",
    "relate",
    "remove_contacts",
    "remove_due_date",
    "remove_epic",
    "remove_estimate",
    "remove_label",
    "remove_milestone",
    "remove_parent",
    "remove_time_spent",
    "remove_zoom",
    "reopen",
    "set_parent",
    "severity",
    "shrug",
    "spend",
    "status",
    "subscribe",
    "tableflip",
    "timeline",
    "title",
    "todo",
    "type",
    "unassign",
    "unlabel",
    "weight",
];

/// Takes the commands out. A line is one if any version of GitLab takes it for one: all know blocks between backticks, the
/// newer also those between quote marks and HTML tags.
pub(super) fn extract(text: &str) -> Written {
    let text = text.replace('\r', "");
    let lines: Vec<_> = text.split('\n').collect();
    let (some, all) = (sheltered(&lines, false), sheltered(&lines, true));
    let mut commands = Vec::new();
    let mut kept = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match command(line).filter(|_| !(some[index] && all[index])) {
            Some(command) => commands.push(command),
            None => kept.push(*line),
        }
    }
    Written { text: kept.join("\n").trim_end().to_owned(), commands }
}

/// Which lines stand in a block.
fn sheltered(lines: &[&str], quotes_and_tags: bool) -> Vec<bool> {
    let mut inside = vec![false; lines.len()];
    let mut at = 0;
    while at < lines.len() {
        match block_end(lines, at, quotes_and_tags) {
            Some(end) => {
                inside[at..=end].fill(true);
                at = end + 1;
            }
            None => at += 1,
        }
    }
    inside
}

/// Where the block ends that begins at line `at`, if one does.
fn block_end(lines: &[&str], at: usize, quotes_and_tags: bool) -> Option<usize> {
    let line = lines[at];
    let closing = |ends: fn(&str) -> bool| (at + 1..lines.len()).find(|index| ends(lines[*index]));
    if line.starts_with("```") {
        return closing(|line| line == "```");
    }
    if !quotes_and_tags {
        return None;
    }
    if line.starts_with(">>>") {
        return closing(|line| line == ">>>");
    }
    let tag = line.starts_with('<') && line.ends_with('>') && line.len() > 2;
    if tag { closing(|line| line.starts_with("</") && line.ends_with('>')) } else { None }
}

fn command(line: &str) -> Option<Command> {
    let line = line.strip_prefix('/')?;
    let (name, argument) = line.split_once(' ').unwrap_or((line.trim_end(), ""));
    let name = name.to_lowercase();
    NAMES.contains(&name.as_str()).then(|| Command { name, argument: argument.trim().to_owned() })
}

/// Does what the commands say, and says of each what it did or that it could not.
pub(super) fn run(world: &mut World, issue: u64, user: &User, commands: &[Command]) -> Vec<Result<String, String>> {
    let run_one = |command: &Command| {
        let Command { name, argument } = command.clone();
        world.deeds.push(Deed::Command { name: name.clone(), argument });
        let done = execute(world, issue, user, command).is_some();
        if done { Ok(format!("Applied {name}.")) } else { Err(format!("Could not apply {name} command.")) }
    };
    commands.iter().map(run_one).collect()
}

fn execute(world: &mut World, issue: u64, user: &User, command: &Command) -> Option<()> {
    let argument = command.argument.as_str();
    let names = || labels_in(argument);
    match command.name.as_str() {
        "close" | "reopen" => change::set_open(world, issue, user, command.name == "reopen"),
        "label" | "labels" => change::add_labels(world, issue, user, &names()).ok()?,
        "unlabel" | "remove_label" => change::remove_labels(world, issue, user, &names()),
        "relabel" => {
            let old = world.known(issue).labels.clone();
            change::remove_labels(world, issue, user, &old);
            change::add_labels(world, issue, user, &names()).ok()?;
        }
        "assign" | "reassign" => {
            let ids = people_in(world, argument);
            (!ids.is_empty()).then(|| change::assign(world, issue, user, &ids))?;
        }
        "unassign" => change::assign(world, issue, user, &[]),
        "due" => change::set_due(world, issue, Some(argument.parse().ok()?)),
        "remove_due_date" => change::set_due(world, issue, None),
        "confidential" => world.issue_mut(issue).confidential = true,
        "lock" => world.issue_mut(issue).locked = true,
        "title" => change::retitle(world, issue, user, argument).ok()?,
        "milestone" => world.issue_mut(issue).milestone = Some(milestone(world, issue, argument)?),
        "remove_milestone" => world.issue_mut(issue).milestone = None,
        "duplicate" => {
            let original = referred(world, issue, argument).filter(|original| *original != issue)?;
            change::mark_duplicate(world, issue, user, original);
        }
        "relate" | "link" => {
            let other = referred(world, issue, argument)?;
            links::relate(world, user, issue, other);
        }
        "move" => {
            let project = world.find_project(argument)?.id;
            change::move_to(world, issue, user, project);
        }
        "promote_to_incident" => world.issue_mut(issue).issue_type = "incident".to_owned(),
        "severity" => severity(world, issue, argument)?,
        _ => return None,
    }
    world.touch(issue);
    Some(())
}

/// Only incidents have a severity.
fn severity(world: &mut World, issue: u64, argument: &str) -> Option<()> {
    let known = world.issue_mut(issue);
    if known.issue_type != "incident" {
        return None;
    }
    let word = match argument.to_lowercase().as_str() {
        "critical" | "s1" => "critical",
        "high" | "s2" => "high",
        "medium" | "s3" => "medium",
        "low" | "s4" => "low",
        "unknown" => "unknown",
        _ => return None,
    };
    word.clone_into(&mut known.severity);
    Some(())
}

/// `~one ~"two words"`
fn labels_in(argument: &str) -> Vec<String> {
    let name = |text: &str| match text.strip_prefix('"').and_then(|text| text.split_once('"')) {
        Some((quoted, _)) => quoted.to_owned(),
        None => text.split_whitespace().next().unwrap_or_default().to_owned(),
    };
    argument.split('~').map(name).filter(|name| !name.is_empty()).collect()
}

fn people_in(world: &World, argument: &str) -> Vec<u64> {
    let names = argument.split([' ', ',']).map(|name| name.trim_start_matches('@'));
    names.filter_map(|name| world.user_named(name)).map(|user| user.id).collect()
}

/// `%title` or `%"a title"`
fn milestone(world: &World, issue: u64, argument: &str) -> Option<u64> {
    let title = argument.trim_start_matches('%').trim_matches('"');
    let project = world.project(world.known(issue).project);
    project.milestones.iter().find(|known| known.title == title).map(|known| known.id)
}

/// The issue that `#3` or `group/project#3` means.
fn referred(world: &World, from: u64, reference: &str) -> Option<u64> {
    let (path, iid) = reference.trim().split_once('#')?;
    let here = world.known(from).project;
    let project = if path.is_empty() { here } else { world.find_project(path)?.id };
    world.find_issue(project, iid.parse().ok()?).map(|issue| issue.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<String> {
        extract(text).commands.into_iter().map(|command| format!("{} {}", command.name, command.argument)).collect()
    }

    #[test]
    fn lines_that_begin_with_a_known_name_are_commands() {
        assert_eq!(
            commands("/close\ntext\n/Assign @a @b \n/closed\n /close\n/close\u{200b}"),
            ["close ", "assign @a @b"]
        );
        assert_eq!(commands("x\n\r/close"), ["close "], "carriage returns are deleted first");
        assert_eq!(extract("a\n/close\nb\n").text, "a\nb");
    }

    #[test]
    fn blocks_between_backticks_shelter_up_to_the_first_line_of_three() {
        assert_eq!(commands("```\n/close\n```\n/reopen"), ["reopen "]);
        assert_eq!(commands("````\n```\n/close\n````"), ["close "]);
        assert_eq!(commands("```\n/close"), ["close "], "a block without an end is none");
    }

    #[test]
    fn what_one_version_takes_for_a_command_is_one() {
        assert_eq!(commands("<details>\n/close\n</details>"), ["close "]);
        assert_eq!(commands("<details>\n```\n</details>\n/close\n```\n</details>"), ["close "]);
    }
}
