//! The stand-in before its judge: python-gitlab, which was written for the real GitLab, finds everything as it expects.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::fake::{Answer, Gitlab, Level, Operation, Treatment, World};
use crate::harness::process::Process;
use crate::harness::wait::eventually_within;

/// How long the script may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(180);

/// Things done by the script, at least.
const OPERATIONS: usize = 25;

#[test]
fn f3_19_a_client_of_the_real_gitlab_finds_everything_as_it_expects() {
    let gitlab = Gitlab::start(prepare);
    let mut told_to_wait = false;
    gitlab.treat(move |call| {
        if call.operation == Operation::Version && !told_to_wait {
            told_to_wait = true;
            return Treatment::refused(Answer::throttled(10, 1));
        }
        Treatment::default()
    });
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("target/python/bin/python"));
    command
        .args(["-W", "error"])
        .arg(root.join("tests/it/gitlab/client.py"))
        .arg(format!("http://{}", gitlab.address()));
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let mut process = Process::start(command, &dir.path().join("client.log"), "(none: it is made by tests/run)");
    let status = eventually_within(PATIENCE, "the client is done", || process.ended());
    let log = process.log();
    assert!(status.success(), "{log}");
    let last = log.lines().next_back().and_then(|line| line.strip_suffix(" operations"));
    assert!(last.is_some_and(|count| count.parse::<usize>().is_ok_and(|count| count >= OPERATIONS)), "{log}");
}

fn prepare(world: &mut World) {
    for name in ["ann", "bob", "eve"] {
        world.add_user(name);
    }
    world.add_token("ann", "glpat-ann-reads", &["read_api"]);
    for token in &mut world.tokens {
        token.expires_at = Some("2099-01-01".parse().expect("a date"));
    }
    world.add_project("tools/deep/site", &[("ann", Level::Owner), ("bob", Level::Reporter)]);
    world.add_project("tools/other", &[("ann", Level::Owner), ("eve", Level::Guest)]);
    world.add_project("secret/site", &[("eve", Level::Owner)]);
}
