//! Notifications on the terminal that the program runs on.

use std::io::{self, Write};

use watchbell_engine::notification::{Failure, Notification};
use watchbell_template::{Data, Engine, Now, Templates};

use super::field::Field;
use super::{ReceiverError, Surroundings, data, outcome, plain};
use crate::settings::terminal::TerminalConfig;

/// The program's standard output.
pub(super) struct Terminal {
    /// What to print; the built-in text if there is no template.
    text: Option<Field>,
    surroundings: Surroundings,
}

impl Terminal {
    pub(super) fn build(
        config: &TerminalConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        let compile = || Field::compile(templates, Engine::Text, "text", &config.text);
        Ok(Self { text: (!config.text.is_empty()).then(compile).transpose()?, surroundings: surroundings.clone() })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        self.text.iter().collect()
    }

    pub(super) async fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let now = data::template_clock((self.surroundings.now)());
        let Surroundings { external_url, route_labels, .. } = &self.surroundings;
        let data = data::data(notification, &notification.alerts, external_url, route_labels, &now);
        let mut text = harmless(&self.text(&data, &now));
        text.push('\n');
        let print = move || {
            let mut output = std::io::stdout().lock();
            output.write_all(text.as_bytes()).and_then(|()| output.flush())
        };
        let printed = tokio::task::spawn_blocking(print).await.map_err(io::Error::other).flatten();
        printed.map_err(|error| outcome::transient(format!("cannot write to standard output: {error}")))
    }

    fn text(&self, data: &Data, now: &Now) -> String {
        match self.text.as_ref().map(|field| field.render(data, now)) {
            None => plain::text(data),
            Some(Ok(text)) => text,
            Some(Err(error)) => {
                self.surroundings.fallbacks.note("terminal", &error);
                plain::text_after(&error, data)
            }
        }
    }
}

/// `text` with control characters replaced by what shows them, so that an alert cannot steer the terminal.
fn harmless(text: &str) -> String {
    let show = |c: char| match c {
        '\n' | '\t' => c,
        '\u{7f}' => '\u{2421}',
        c if c < ' ' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        c if c.is_control() || is_bidi_control(c) => '\u{fffd}',
        c => c,
    };
    text.trim_end().chars().map(show).collect()
}

/// Whether `c` reorders the text around it.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\u{9b}c\u{202e}d\ne\n"), "a\u{241b}[2Jb\u{240d}\u{fffd}c\u{fffd}d\ne");
    }
}
