//! Formatting for IRC (the mIRC convention), which Alertmanager does not have. A receiver takes it off where it is not
//! wanted.

use super::{Fault, Function, Outcome, Parameter};
use crate::value::Value;

const TEXT: &[Parameter] = &[Parameter::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "ircBold", parameters: TEXT, variadic: None, body: |_, with| between("\x02", with.text(0)) },
    Function { name: "ircItalic", parameters: TEXT, variadic: None, body: |_, with| between("\x1d", with.text(0)) },
    Function { name: "ircUnderline", parameters: TEXT, variadic: None, body: |_, with| between("\x1f", with.text(0)) },
    Function {
        name: "ircColor",
        parameters: &[Parameter::Text, Parameter::Text],
        variadic: None,
        body: |_, with| coloured(with.text(0), with.text(1)),
    },
];

/// Colours by name, with their numbers.
const COLOURS: [(&str, &str); 16] = [
    ("white", "00"),
    ("black", "01"),
    ("blue", "02"),
    ("green", "03"),
    ("red", "04"),
    ("brown", "05"),
    ("purple", "06"),
    ("orange", "07"),
    ("yellow", "08"),
    ("lime", "09"),
    ("teal", "10"),
    ("cyan", "11"),
    ("royal", "12"),
    ("pink", "13"),
    ("gray", "14"),
    ("silver", "15"),
];

fn between(code: &str, text: &str) -> Outcome {
    Ok(Value::text(format!("{code}{text}{code}")))
}

fn coloured(name: &str, text: &str) -> Outcome {
    let Some((_, number)) = COLOURS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = COLOURS.iter().map(|(name, _)| *name).collect();
        return Err(Fault::from(format!("unknown color {name:?}, must be one of {}", known.join(", "))));
    };
    // Bold on and off: a comma and a digit at the beginning of the text would be read as another colour.
    let guard = if text.starts_with(',') { "\x02\x02" } else { "" };
    Ok(Value::text(format!("\x03{number}{guard}{text}\x03")))
}

#[cfg(test)]
mod tests {
    use crate::data::Data;
    use crate::set::{Engine, Now, Templates};

    fn rendered(source: &str) -> Result<String, String> {
        let now = Now { instant: jiff::Timestamp::UNIX_EPOCH, local: jiff::tz::TimeZone::UTC };
        let template = Templates::parse(&[]).unwrap().compile(Engine::Text, source).unwrap();
        template.render(&Data::default(), now).map_err(|error| error.to_string())
    }

    #[test]
    fn text_is_formatted_and_ends_what_it_begins() {
        let source = r#"{{ ircBold "a" }}{{ "b" | ircColor "red" }}{{ ircColor "blue" ",5" }}{{ ircItalic (ircUnderline "c") }}"#;
        let expected = "\x02a\x02\x0304b\x03\x0302\x02\x02,5\x03\x1d\x1fc\x1f\x1d";
        assert_eq!(rendered(source).as_deref(), Ok(expected));
        assert!(rendered(r#"{{ ircColor "mauve" "x" }}"#).unwrap_err().contains("unknown color \"mauve\""));
    }
}
