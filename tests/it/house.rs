//! The rules of the house, held against the sources: who may know whom, how files open, how long they are.

use std::fs;
use std::path::{Path, PathBuf};

/// Who may know whom. `golang`, `engine` and `template` are packages, the others rooms of the program. What is not listed
/// here may know everybody: `app`, and `lib.rs` and `main.rs`, which only name the rooms.
const MAY_KNOW: [(&str, &[&str]); 17] = [
    ("golang", &[]),
    ("engine", &["golang"]),
    ("template", &["golang"]),
    ("version", &[]),
    ("clock", &["engine"]),
    ("record", &["engine", "golang"]),
    ("settings", &["golang"]),
    ("tls", &["settings"]),
    ("cli", &["version", "golang"]),
    ("telemetry", &["cli", "version", "clock", "engine"]),
    ("store", &["record", "engine"]),
    ("config", &["settings", "engine", "template", "golang"]),
    ("receivers", &["settings", "tls", "engine", "template", "golang", "version", "clock"]),
    ("api", &["engine", "template", "golang", "driver", "telemetry", "version", "clock"]),
    ("cluster", &["record", "engine", "telemetry"]),
    ("tool", &["cli", "config", "receivers", "template", "clock", "version"]),
    ("driver", &["engine", "template", "store", "record", "cluster", "receivers", "telemetry", "clock"]),
];

/// Libraries that belong to one room, so that another can take their place by touching that room only.
const ENDS_IN: [(&str, &str); 6] = [
    ("sled::", "store"),
    ("axum::", "api"),
    ("chitchat::", "cluster"),
    ("lettre::", "receivers"),
    ("reqwest::", "receivers"),
    ("irc_proto::", "receivers"),
];

/// The engine's packages: pure, so no clock, no threads, no files, no network, no serialisation.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "serde",
];

/// What does not stay in code that runs.
const UNFINISHED: [&str; 6] = [".unwrap()", "todo!(", "unimplemented!(", "dbg!(", "TODO", "FIXME"];

/// Lines a file may have, and lines `main.rs` may have.
const LONGEST_FILE: usize = 500;
const LONGEST_MAIN: usize = 40;

#[test]
fn rooms_know_only_whom_they_may_know() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let allowed = MAY_KNOW.iter().find(|(room, _)| *room == source.room);
        let Some((_, allowed)) = allowed else { continue };
        for (number, line) in source.lines() {
            let strangers = rooms_named(line, source.depth()).into_iter();
            let strangers = strangers.filter(|room| *room != source.room && !allowed.contains(&room.as_str()));
            wrong.extend(
                strangers.map(|room| format!("{}:{number}: {} may not know {room}", source.name(), source.room)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_end_in_their_rooms() {
    let found = find_lines(&sources("src"), |source, line| {
        let stray = ENDS_IN.iter().find(|(library, room)| names_library(line, library) && source.room != *room);
        stray.map(|(library, room)| format!("{library} belongs into {room}"))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn pure_packages_stay_pure() {
    let pure: Vec<_> = sources("src").into_iter().filter(|source| source.is_package()).collect();
    assert!(pure.len() > 10, "the packages have been moved: {} files", pure.len());
    let found =
        find_lines(&pure, |_, line| IMPURE.iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned()));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_clock_reads_the_clock() {
    let found = find_lines(&sources("src"), |source, line| {
        let reads = ["SystemTime::now", "Timestamp::now", "Zoned::now"].iter().find(|call| line.contains(**call));
        reads.filter(|_| source.room != "clock").map(|call| (*call).to_owned())
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_unfinished_stays() {
    let found = find_lines(&sources("src"), |_, line| {
        UNFINISHED.iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned())
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_open_with_what_they_are_for_and_are_not_long() {
    let mut wrong = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let lines = source.text.lines().count();
        if !source.text.starts_with("//! ") && !source.for_tests {
            wrong.push(format!("{} does not open with `//! `", source.name()));
        }
        if lines > if source.path.ends_with("src/main.rs") { LONGEST_MAIN } else { LONGEST_FILE } {
            wrong.push(format!("{} has {lines} lines", source.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A source file and the room it is in.
struct Source {
    path: PathBuf,
    room: String,
    text: String,
    /// Whether it is only compiled for tests and measurements.
    for_tests: bool,
}

impl Source {
    fn read(path: PathBuf) -> Self {
        let below = path.strip_prefix(root()).expect("sources are below the root");
        let room = below.components().nth(1).map(|part| part.as_os_str().to_string_lossy().into_owned());
        let room = room.unwrap_or_default().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).expect("a source file can be read");
        Self { path, room, text, for_tests: false }
    }

    fn name(&self) -> String {
        self.path.strip_prefix(root()).expect("sources are below the root").display().to_string()
    }

    fn is_package(&self) -> bool {
        ["golang", "engine", "template"].contains(&self.room.as_str())
    }

    /// How many modules deep the file's module is: 1 for a room itself.
    fn depth(&self) -> usize {
        let parts = self.name().trim_end_matches("/mod.rs").matches('/').count();
        if self.is_package() { usize::MAX } else { parts }
    }

    /// The numbered lines of code that runs: no comments, and nothing after the tests begin.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let code =
            if self.for_tests { "" } else { self.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default() };
        code.lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Every line for which `judge` has something to say.
fn find_lines(sources: &[Source], judge: impl Fn(&Source, &str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let said = source.lines().filter_map(|(number, line)| Some((number, judge(source, line)?)));
        found.extend(said.map(|(number, text)| format!("{}:{number}: {text}", source.name())));
    }
    found
}

/// The rooms and packages a line names, by `crate::`, by enough `super::`, or by a package's name.
fn rooms_named(line: &str, depth: usize) -> Vec<String> {
    let mut names = after(line, "watchbell_");
    if depth != usize::MAX {
        names.extend(after(line, "crate::"));
        names.extend(after(line, &"super::".repeat(depth)));
        if let Some((_, list)) = line.split_once("use crate::{") {
            names.extend(list.split(',').map(|item| leading_word(item.trim())));
        }
    }
    names.retain(|name| MAY_KNOW.iter().any(|(room, _)| room == name) || name == "app");
    names
}

/// The words that follow each occurrence of `prefix`.
fn after(line: &str, prefix: &str) -> Vec<String> {
    line.split(prefix).skip(1).map(leading_word).collect()
}

fn leading_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

/// Whether the line names the library and not a module of ours that ends in the same letters.
fn names_library(line: &str, library: &str) -> bool {
    line.match_indices(library)
        .any(|(at, _)| !line[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':'))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the project.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "no sources in {folder}");
    let test_modules: Vec<_> = found.iter().flat_map(test_modules).collect();
    for source in &mut found {
        source.for_tests = ["/tests/", "/benches/"].iter().any(|folder| source.name().contains(folder))
            || test_modules
                .iter()
                .any(|module| source.path.starts_with(module.with_extension("")) || source.path == *module);
    }
    found
}

/// The files of the modules that a file declares for tests only.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let names = source.text.split("#[cfg(test)]\nmod ").skip(1).map(leading_word);
    let top = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| source.path.ends_with(name));
    let folder = if top { source.path.with_file_name("") } else { source.path.with_extension("") };
    names.map(|name| folder.join(name).with_extension("rs")).collect()
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(Source::read(path));
        }
    }
}

#[test]
fn the_rules_bite() {
    assert_eq!(rooms_named("use crate::settings::Duration;", 2), ["settings"]);
    assert_eq!(rooms_named("use crate::{api, store::Store};", 1), ["api", "store"]);
    assert_eq!(rooms_named("use super::driver::Handle;", 1), ["driver"]);
    assert_eq!(rooms_named("use super::driver::Handle;", 2), [""; 0]);
    assert_eq!(rooms_named("use super::super::driver;", 2), ["driver"]);
    assert_eq!(rooms_named("let x = watchbell_engine::Alert::new();", 1), ["engine"]);
    assert!(names_library("use sled::Db;", "sled::") && !names_library("use crate::store::sled::Db;", "sled::"));
}
