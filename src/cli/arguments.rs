//! From arguments to the flags they set: the forms in which a flag may be written, and files of arguments.

use std::collections::{BTreeMap, VecDeque};

use super::UsageError;
use super::flags::{Flag, Kind};

/// How many argument files one command line may pull in, so that a file that names itself comes to an end.
const MAX_ARGUMENT_FILES: usize = 32;

/// What was given for each flag, by its name; a flag that was not given is absent.
pub(super) type Given = BTreeMap<&'static str, Vec<String>>;

/// Reads arguments that set `flags`, of which the first is the one that asks for help.
pub(super) fn read(flags: &'static [Flag], arguments: impl IntoIterator<Item = String>) -> Result<Given, UsageError> {
    let mut rest = Arguments { waiting: arguments.into_iter().collect(), files: 0 };
    let mut given = Given::new();
    while let Some(argument) = rest.next()? {
        let (flag, value) = match argument.strip_prefix("--") {
            Some(long) => long_flag(flags, long, &mut rest)?,
            None => (short_flag(flags, &argument)?, "true".to_owned()),
        };
        let values = given.entry(flag.name).or_default();
        if !values.is_empty() && !matches!(flag.kind, Kind::Repeated(_)) {
            return Err(UsageError(format!("flag '{}' cannot be repeated", flag.name)));
        }
        values.push(value);
    }
    Ok(given)
}

/// `name=value`, `name` with the value in the next argument, `name` and `no-name` of a switch.
fn long_flag(flags: &'static [Flag], long: &str, rest: &mut Arguments) -> Result<(&'static Flag, String), UsageError> {
    let (name, attached) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    let (flag, switched) = find(flags, name).ok_or_else(|| UsageError(format!("unknown long flag '--{name}'")))?;
    let value = match (flag.kind, attached) {
        (Kind::Switch, None) => switched.to_string(),
        (Kind::Switch, Some(value)) => {
            let name = flag.name;
            return Err(UsageError(format!("unexpected {value}: write '--{name}' or '--no-{name}'")));
        }
        (_, Some(value)) => value.to_owned(),
        (_, None) => rest.value_of(name)?,
    };
    Ok((flag, value))
}

/// The flag, and what a switch written so is set to.
fn find(flags: &'static [Flag], name: &str) -> Option<(&'static Flag, bool)> {
    let called = |name| flags.iter().find(|flag| flag.name == name);
    let name = if name == "help-long" { "help" } else { name };
    if let Some(flag) = called(name) {
        return Some((flag, true));
    }
    let flag = called(name.strip_prefix("no-")?)?;
    (flag.kind == Kind::Switch).then_some((flag, false))
}

fn short_flag(flags: &'static [Flag], argument: &str) -> Result<&'static Flag, UsageError> {
    match argument.strip_prefix('-').and_then(|short| short.chars().next()) {
        Some('h') if argument == "-h" => Ok(&flags[0]),
        Some(letter) => Err(UsageError(format!("unknown short flag '-{letter}'"))),
        None => Err(UsageError(format!("unexpected {argument}"))),
    }
}

/// The arguments not read yet. `@file` stands for the lines of a file.
struct Arguments {
    waiting: VecDeque<String>,
    files: usize,
}

impl Arguments {
    fn next(&mut self) -> Result<Option<String>, UsageError> {
        while let Some(argument) = self.waiting.pop_front() {
            match argument.strip_prefix('@') {
                Some(path) => self.expand(path)?,
                None => return Ok(Some(argument)),
            }
        }
        Ok(None)
    }

    fn value_of(&mut self, name: &str) -> Result<String, UsageError> {
        let missing = || UsageError(format!("expected argument for flag '--{name}'"));
        let value = self.next()?.ok_or_else(missing)?;
        if value.starts_with('-') && value.len() > 1 {
            return Err(missing());
        }
        Ok(value)
    }

    /// Puts the lines of a file before the arguments that wait; lines that begin with `#` are left out.
    fn expand(&mut self, path: &str) -> Result<(), UsageError> {
        self.files += 1;
        if self.files > MAX_ARGUMENT_FILES {
            return Err(UsageError(format!("'@{path}': more than {MAX_ARGUMENT_FILES} files of arguments")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| UsageError(format!("'@{path}': {error}")))?;
        for line in text.lines().filter(|line| !line.starts_with('#')).rev() {
            self.waiting.push_front(line.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::flags::FLAGS;
    use super::*;

    fn reading(arguments: &[&str]) -> Result<Given, String> {
        read(FLAGS, arguments.iter().map(ToString::to_string)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_has_its_forms() {
        let arguments =
            ["--config.file=a", "--log.level", "debug", "--log.silences", "--cluster.peer=a", "--cluster.peer=b"];
        let given = reading(&arguments).unwrap();
        assert_eq!(given["config.file"], ["a"]);
        assert_eq!(given["log.level"], ["debug"]);
        assert_eq!(given["log.silences"], ["true"]);
        assert_eq!(given["cluster.peer"], ["a", "b"]);
        assert_eq!(reading(&["--no-log.silences"]).unwrap()["log.silences"], ["false"]);
        assert_eq!(reading(&["--cluster.listen-address="]).unwrap()["cluster.listen-address"], [""]);
        assert_eq!(reading(&["-h"]).unwrap()["help"], ["true"]);
    }

    #[test]
    fn a_mistake_is_named() {
        let error = |arguments| reading(arguments).unwrap_err();
        assert_eq!(error(&["--nope=1"]), "unknown long flag '--nope'");
        assert_eq!(error(&["--no-config.file"]), "unknown long flag '--no-config.file'");
        assert_eq!(error(&["-config.file"]), "unknown short flag '-c'");
        assert_eq!(error(&["--log.level", "info", "--log.level=info"]), "flag 'log.level' cannot be repeated");
        assert_eq!(error(&["--log.level"]), "expected argument for flag '--log.level'");
        assert_eq!(error(&["--log.level", "--version"]), "expected argument for flag '--log.level'");
        assert_eq!(error(&["extra"]), "unexpected extra");
        assert_eq!(error(&["--version=true"]), "unexpected true: write '--version' or '--no-version'");
    }

    #[test]
    fn a_file_stands_for_its_lines() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "# a comment\n--log.level\ndebug").unwrap();
        let at_file = format!("@{}", file.path().display());
        let given = reading(&[&at_file, "--log.format=json"]).unwrap();
        assert_eq!((&given["log.level"][0][..], &given["log.format"][0][..]), ("debug", "json"));
        writeln!(file, "{at_file}").unwrap();
        assert!(reading(&["--log.format=json", &at_file]).unwrap_err().contains("cannot be repeated"));
        assert!(reading(&["@/no/such/file"]).unwrap_err().starts_with("'@/no/such/file': No such file"));
    }
}
