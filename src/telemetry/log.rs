//! The log on standard error, line by line as Alertmanager writes it: logfmt, or one JSON object a line.

use std::fmt::{self, Write as _};

use jiff::tz::TimeZone;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::cli::{LogFormat, LogLevel};
use crate::{clock, version};

/// Turns the log on for the whole process. Libraries are heard from `warn` on only.
pub fn start(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(version::PROGRAM, level);
    let lines = tracing_subscriber::fmt::layer().event_format(Lines(format)).with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    // A second start in one process (tests) keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes an event as one line.
struct Lines(LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut attributes = Attributes::default();
        event.record(&mut attributes);
        let head = [("time", local_time()), ("level", level(event.metadata())), ("source", source(event.metadata()))];
        let message = [("msg", attributes.message)];
        let pairs = head.into_iter().chain(message).chain(attributes.others);
        let line = match self.0 {
            LogFormat::Logfmt => logfmt(pairs),
            LogFormat::Json => json(pairs),
        };
        writeln!(writer, "{line}")
    }
}

/// The fields of an event as text, in their order.
#[derive(Default)]
struct Attributes {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Attributes {
    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            name => self.others.push((name, value)),
        }
    }
}

impl Visit for Attributes {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, value.to_string());
    }
}

/// RFC 3339 with milliseconds in the operator's zone.
fn local_time() -> String {
    let now = jiff::Timestamp::from_microsecond(clock::now().as_micros()).unwrap_or_default();
    now.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Trace is a kind of debug to Alertmanager's readers.
fn level(metadata: &Metadata<'_>) -> String {
    let level = *metadata.level();
    if level == Level::TRACE { Level::DEBUG } else { level }.to_string()
}

/// The file's name and the line.
fn source(metadata: &Metadata<'_>) -> String {
    let file = metadata.file().and_then(|path| path.rsplit('/').next()).unwrap_or("unknown");
    format!("{file}:{}", metadata.line().unwrap_or(0))
}

fn logfmt(pairs: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut line = String::new();
    for (key, value) in pairs {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(key);
        line.push('=');
        if needs_quotes(&value) {
            push_quoted(&mut line, &value);
        } else {
            line.push_str(&value);
        }
    }
    line
}

fn needs_quotes(value: &str) -> bool {
    value.is_empty()
        || value.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=' | '\u{fffd}'))
}

/// Quotes so that a value never breaks its line.
fn push_quoted(line: &mut String, value: &str) {
    line.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if c.is_control() => write!(line, "\\u{:04x}", u32::from(c)).expect("a String takes all that is written"),
            c => line.push(c),
        }
    }
    line.push('"');
}

fn json(pairs: impl Iterator<Item = (&'static str, String)>) -> String {
    let object: serde_json::Map<_, _> = pairs.map(|(key, value)| (key.to_owned(), value.into())).collect();
    serde_json::Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> impl Iterator<Item = (&'static str, String)> {
        [
            ("level", "INFO"),
            ("msg", "Listening on"),
            ("address", "127.0.0.1:9093"),
            ("err", "a=\"b\"\nc"),
            ("empty", ""),
        ]
        .into_iter()
        .map(|(key, value)| (key, value.to_owned()))
    }

    #[test]
    fn logfmt_quotes_where_it_must() {
        let line = r#"level=INFO msg="Listening on" address=127.0.0.1:9093 err="a=\"b\"\nc" empty="""#;
        assert_eq!(logfmt(pairs()), line);
    }

    #[test]
    fn json_keeps_the_order() {
        let line = r#"{"level":"INFO","msg":"Listening on","address":"127.0.0.1:9093","err":"a=\"b\"\nc","empty":""}"#;
        assert_eq!(json(pairs()), line);
    }

    #[test]
    fn times_are_local_with_milliseconds() {
        let time = local_time();
        assert_eq!(time.len(), "2026-08-22T10:00:00.000+02:00".len(), "{time}");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}
