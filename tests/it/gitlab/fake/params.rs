//! A request's parameters, from query and body alike, read as GitLab reads them: leniently where a text means the same, and
//! with an error that names the parameter where it does not.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;

/// Reads the parameters of one request.
pub(super) struct Params<'a>(pub(super) &'a Call);

impl Params<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        !self.values(name).is_empty()
    }

    /// The text, if it is given and not null.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values(name).into_iter().next_back().and_then(as_text)
    }

    pub(super) fn required(&self, name: &str) -> Result<String, Answer> {
        self.text(name).ok_or_else(|| Answer::bad_parameter(&format!("{name} is missing")))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Answer> {
        let read = |text: String| text.parse().map_err(|_| invalid(name));
        self.text(name).filter(|text| !text.is_empty()).map(read).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Answer> {
        match self.text(name).as_deref() {
            None | Some("") => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(invalid(name)),
        }
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Answer> {
        self.text(name).map(|text| text.parse().map_err(|_| invalid(name))).transpose()
    }

    /// A day; what is none counts as not given, as with GitLab.
    pub(super) fn date(&self, name: &str) -> Option<Date> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<String>, Answer> {
        match self.text(name) {
            Some(text) if !allowed.contains(&text.as_str()) => {
                Err(Answer::bad_parameter(&format!("{name} does not have a valid value")))
            }
            text => Ok(text),
        }
    }

    /// A list, written as one or with commas.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let values = self.values(name);
        if values.is_empty() {
            return None;
        }
        let texts = values.into_iter().flat_map(|value| match value {
            Value::Array(items) => items.into_iter().filter_map(as_text).collect::<Vec<_>>(),
            other => as_text(other).map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        });
        Some(texts.map(|text: String| text.trim().to_owned()).filter(|text| !text.is_empty()).collect())
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Option<Vec<u64>>, Answer> {
        let read = |text: &String| -> Result<u64, Answer> { text.parse().map_err(|_| invalid(name)) };
        self.list(name).map(|texts| texts.iter().map(read).collect()).transpose()
    }

    /// All values of this name: those of the query, also written `name[]`, and that of the body.
    fn values(&self, name: &str) -> Vec<Value> {
        let same = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
        let query = self.0.query.iter().filter(|(key, _)| same(key)).map(|(_, value)| Value::from(value.clone()));
        let body = self.0.body.iter().filter(|(key, _)| same(key)).map(|(_, value)| value.clone());
        query.chain(body).collect()
    }
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn invalid(name: &str) -> Answer {
    Answer::bad_parameter(&format!("{name} is invalid"))
}
