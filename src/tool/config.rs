//! `check-config`: whether configuration files can be followed, what they hold, and what the server would warn of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ToolError, print};
use crate::config::{self, Config};
use crate::receivers::{Integrations, IrcNetworks, IrcPlans, Mailroom, Names, RouteLabels, Surroundings, Warning};
use crate::{clock, version};

/// What is read if no file is named.
const STANDARD_INPUT: &str = "/dev/stdin";

/// Checks all `files`, and prints what each one holds.
pub(super) fn check(files: &[PathBuf]) -> Result<(), ToolError> {
    let standard_input = [PathBuf::from(STANDARD_INPUT)];
    let files = if files.is_empty() { &standard_input } else { files };
    let mut failed = 0;
    for file in files {
        let mut report = format!("Checking '{}'  ", file.display());
        if let Err(error) = examine(file, &mut report) {
            failed += 1;
            report.push_str(&format!("FAILED: {error}\n"));
        }
        print(&format!("{report}\n"))?;
    }
    if failed > 0 { Err(ToolError::Invalid(failed)) } else { Ok(()) }
}

/// Adds to `report` what is found, as far as it comes: the file by itself, then its templates and receivers.
fn examine(file: &Path, report: &mut String) -> Result<(), ToolError> {
    let config = config::load(file, &config::Options::default())?;
    report.push_str("SUCCESS\nFound:\n");
    report.push_str(&found(&config));
    report.push_str("  ");
    let warnings = rehearse(&config)?;
    report.push_str("SUCCESS\n");
    for warning in &config.warnings {
        let line = warning.place.position.map_or(0, |position| position.line);
        report.push_str(&format!("  WARNING: line {line}: {}: {}\n", warning.place.key, warning.message));
    }
    for Warning { receiver, kind, index, field, error } in warnings {
        report.push_str(&format!("  WARNING: receiver {receiver:?}, {kind}_configs[{index}]: {field}: {error}\n"));
    }
    Ok(())
}

/// In amtool's words, and ours for what amtool does not know.
fn found(config: &Config) -> String {
    let mut found = format!(
        " - global config\n - route\n - {} inhibit rules\n - {} receivers\n - {} templates\n",
        config.policy.inhibit_rules.len(),
        config.receivers.len(),
        config.templates.len()
    );
    let vigil = &config.policy.vigil;
    for (count, what) in [(vigil.expect.len(), "expect rules"), (vigil.heartbeats.len(), "heartbeats")] {
        if count > 0 {
            found.push_str(&format!(" - {count} {what}\n"));
        }
    }
    found
}

/// Builds what the server would build, and lets it speak to nobody.
fn rehearse(config: &Config) -> Result<Vec<Warning>, ToolError> {
    let templates = config::parse_templates(&config.templates)?;
    let surroundings = Surroundings {
        external_url: "http://localhost:9093".to_owned(),
        cluster_label: String::new(),
        version: version::ALERTMANAGER_VERSION.into(),
        now: clock::now,
        fallbacks: Arc::default(),
        mailroom: Mailroom::default(),
        gitlab: Arc::default(),
        route_labels: RouteLabels::parse(config.policy.routes.iter().map(|route| &route.labels), &templates),
        irc: IrcNetworks::default(),
        peer_name: String::new(),
        cluster_secret: None,
    };
    let (receivers, here) = (config.used_receivers(), "localhost".to_owned());
    let names = Names { host: here.clone(), node: here, external_url: surroundings.external_url.clone() };
    IrcPlans::build(&config.global.irc_servers, &receivers, &names)?;
    let integrations = Integrations::build(&receivers, &templates, &surroundings)?;
    Ok(integrations.with_heartbeats(&config.heartbeats, &surroundings)?.rehearse(&surroundings))
}
