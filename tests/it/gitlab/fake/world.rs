//! What the stand-in knows: plain data, changed by one request at a time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use tokio::time::Instant;

use super::limits::Limits;

/// Everything in this GitLab.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    /// Where people find the server.
    pub(crate) url: String,
    pub(crate) users: Vec<User>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) projects: Vec<Project>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) notes: Vec<Note>,
    pub(crate) links: Vec<Link>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) limits: Limits,
    /// What texts have made happen, in order.
    pub(crate) deeds: Vec<Deed>,
    /// Ids are given from one sequence, so that no id of one kind is taken for one of another.
    last_id: u64,
}

/// Tells the time: the wall's when the stand-in began, and from there on tokio's, which a test may hold and advance.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    began: Timestamp,
    since: Instant,
}

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) username: String,
    pub(crate) admin: bool,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) secret: String,
    pub(crate) user: u64,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<Date>,
    pub(crate) revoked: bool,
    pub(crate) created_at: Timestamp,
}

/// What a member of a project may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Guest = 10,
    Reporter = 20,
    Owner = 50,
}

#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) id: u64,
    /// The path with its namespaces.
    pub(crate) path: String,
    pub(crate) members: BTreeMap<u64, Level>,
    pub(crate) labels: Vec<Label>,
    pub(crate) milestones: Vec<Milestone>,
    /// The key of the alert endpoint; without one there is no endpoint.
    pub(crate) alert_key: Option<String>,
    /// Whether more than one person may be assigned to an issue, which costs money.
    pub(crate) many_assignees: bool,
    pub(crate) last_iid: u64,
}

#[derive(Clone)]
pub(crate) struct Label {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Milestone {
    pub(crate) id: u64,
    pub(crate) iid: u64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) active: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) iid: u64,
    /// The project's id.
    pub(crate) project: u64,
    pub(crate) author: u64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) open: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) closed_by: Option<u64>,
    pub(crate) labels: Vec<String>,
    pub(crate) assignees: Vec<u64>,
    pub(crate) milestone: Option<u64>,
    pub(crate) due_date: Option<Date>,
    pub(crate) confidential: bool,
    pub(crate) locked: bool,
    pub(crate) issue_type: String,
    pub(crate) severity: String,
    /// The id of the issue that it became in another project.
    pub(crate) moved_to: Option<u64>,
    /// The id of the issue that it repeats.
    pub(crate) duplicate_of: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) id: u64,
    /// The issue's id.
    pub(crate) issue: u64,
    pub(crate) author: u64,
    pub(crate) body: String,
    /// Written by GitLab to tell what the author did.
    pub(crate) system: bool,
    /// For members only.
    pub(crate) internal: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) id: u64,
    /// Ids of issues.
    pub(crate) source: u64,
    pub(crate) target: u64,
    pub(crate) link_type: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) iid: u64,
    pub(crate) project: u64,
    pub(crate) title: String,
    pub(crate) severity: String,
    pub(crate) fingerprint: Option<String>,
    /// How often it was reported.
    pub(crate) events: u64,
    pub(crate) ended: bool,
    /// What was posted first.
    pub(crate) payload: Value,
}

/// What a text made GitLab do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A quick action was recognised, with its argument.
    Command { name: String, argument: String },
    /// Somebody was mentioned, which sends mail.
    Mention(String),
    /// An issue or merge request was referred to, which leaves a note there.
    Reference(String),
}

impl World {
    pub(crate) fn new(url: String) -> Self {
        Self {
            clock: Clock { began: Timestamp::now(), since: Instant::now() },
            url,
            users: Vec::new(),
            tokens: Vec::new(),
            projects: Vec::new(),
            issues: Vec::new(),
            notes: Vec::new(),
            links: Vec::new(),
            alerts: Vec::new(),
            limits: Limits::default(),
            deeds: Vec::new(),
            last_id: 1000,
        }
    }

    /// A world like this before anything was in it; its clock goes on.
    pub(crate) fn emptied(&self) -> Self {
        Self { clock: self.clock, ..Self::new(self.url.clone()) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The number of the project's next issue.
    pub(crate) fn next_iid(&mut self, project: u64) -> u64 {
        let project = self.project_mut(&project.to_string());
        project.last_iid += 1;
        project.last_iid
    }

    /// A person, and a token with scope `api` whose secret is `glpat-` and the name.
    pub(crate) fn add_user(&mut self, username: &str) -> u64 {
        let id = self.new_id();
        self.users.push(User { id, username: username.to_owned(), admin: false });
        self.add_token(username, &format!("glpat-{username}"), &["api"]);
        id
    }

    pub(crate) fn add_token(&mut self, username: &str, secret: &str, scopes: &[&str]) {
        let (id, user, created_at) = (self.new_id(), self.user_named(username).expect("a known user").id, self.now());
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let secret = secret.to_owned();
        self.tokens.push(Token { id, secret, user, scopes, expires_at: None, revoked: false, created_at });
    }

    /// A private project in which these people have these rights.
    pub(crate) fn add_project(&mut self, path: &str, members: &[(&str, Level)]) -> u64 {
        let id = self.new_id();
        let members = members.iter().map(|(name, level)| (self.user_named(name).expect("a known user").id, *level));
        self.projects.push(Project {
            id,
            path: path.to_owned(),
            members: members.collect(),
            labels: Vec::new(),
            milestones: Vec::new(),
            alert_key: None,
            many_assignees: false,
            last_iid: 0,
        });
        id
    }

    pub(crate) fn add_milestone(&mut self, project: &str, title: &str) -> u64 {
        let id = self.new_id();
        let project = self.project_mut(project);
        let iid = project.milestones.len() as u64 + 1;
        project.milestones.push(Milestone {
            id,
            iid,
            title: title.to_owned(),
            description: String::new(),
            active: true,
        });
        id
    }

    pub(crate) fn user_named(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    pub(crate) fn user(&self, id: u64) -> &User {
        self.users.iter().find(|user| user.id == id).expect("users are never forgotten")
    }

    /// The project with this path or number, as it stands in URLs.
    pub(crate) fn find_project(&self, name: &str) -> Option<&Project> {
        let number = name.parse().ok();
        self.projects.iter().find(|project| Some(project.id) == number || project.path.eq_ignore_ascii_case(name))
    }

    pub(crate) fn project(&self, id: u64) -> &Project {
        self.projects.iter().find(|project| project.id == id).expect("projects are never forgotten")
    }

    pub(crate) fn project_mut(&mut self, name: &str) -> &mut Project {
        let id = self.find_project(name).expect("a known project").id;
        self.projects.iter_mut().find(|project| project.id == id).expect("it was just found")
    }

    pub(crate) fn issue(&self, id: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.id == id)
    }

    /// An issue that is known to be there.
    pub(crate) fn known(&self, id: u64) -> &Issue {
        self.issue(id).expect("a known issue")
    }

    pub(crate) fn issue_mut(&mut self, id: u64) -> &mut Issue {
        self.issues.iter_mut().find(|issue| issue.id == id).expect("a known issue")
    }

    pub(crate) fn find_issue(&self, project: u64, iid: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.project == project && issue.iid == iid)
    }

    /// GitLab tells in a note what somebody did to an issue.
    pub(crate) fn tell(&mut self, issue: u64, author: u64, body: &str) {
        let (id, now) = (self.new_id(), self.now());
        self.notes.push(Note {
            id,
            issue,
            author,
            body: body.to_owned(),
            system: true,
            internal: false,
            created_at: now,
            updated_at: now,
        });
    }

    pub(crate) fn touch(&mut self, issue: u64) {
        let now = self.now();
        self.issue_mut(issue).updated_at = now;
    }
}

impl Issue {
    /// An open issue that says nothing yet.
    pub(crate) fn new(project: u64, author: u64, created_at: Timestamp) -> Self {
        Self {
            id: 0,
            iid: 0,
            project,
            author,
            title: String::new(),
            description: String::new(),
            open: true,
            created_at,
            updated_at: created_at,
            closed_at: None,
            closed_by: None,
            labels: Vec::new(),
            assignees: Vec::new(),
            milestone: None,
            due_date: None,
            confidential: false,
            locked: false,
            issue_type: "issue".to_owned(),
            severity: "unknown".to_owned(),
            moved_to: None,
            duplicate_of: None,
        }
    }
}

impl Clock {
    pub(crate) fn now(self) -> Timestamp {
        self.began + self.since.elapsed()
    }
}
