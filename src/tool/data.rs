//! The data of a notification from a JSON file, as Go reads Alertmanager's `template.Data`: names count in any case,
//! unknown ones and `null` say nothing.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use watchbell_template::{Alert, Data, Kv, Time};

/// Why a text is no data of a notification.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It is no JSON.
    #[error("the data are no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something else stands where `wanted` should.
    #[error("the data's {field:?} is not {wanted}: {found}")]
    Kind {
        /// The field; empty for the whole.
        field: String,
        /// What it should be.
        wanted: &'static str,
        /// What there is.
        found: String,
    },
    /// A time that is none.
    #[error("the data's {field:?}: {error}")]
    Time {
        /// The field.
        field: String,
        /// What is wrong with it.
        error: String,
    },
}

/// Reads the bytes of a data file. Times whose offset is that of `local` are in that zone.
pub(super) fn read(bytes: &[u8], local: &TimeZone) -> Result<Data, DataError> {
    let json: Value = serde_json::from_str(&String::from_utf8_lossy(bytes))?;
    let mut data = Data::default();
    for (field, value) in members("", &json)? {
        match field.to_ascii_lowercase().as_str() {
            "receiver" => data.receiver = text(field, value)?,
            "status" => data.status = text(field, value)?,
            "alerts" => {
                let alerts = list(field, value)?.iter().map(|value| alert(value, local));
                data.alerts = alerts.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
            }
            "notification_reason" => data.notification_reason = text(field, value)?,
            "grouplabels" => data.group_labels = pairs(field, value)?,
            "commonlabels" => data.common_labels = pairs(field, value)?,
            "commonannotations" => data.common_annotations = pairs(field, value)?,
            "routelabels" => data.route_labels = pairs(field, value)?,
            "externalurl" => data.external_url = text(field, value)?,
            _ => {}
        }
    }
    Ok(data)
}

fn alert(value: &Value, local: &TimeZone) -> Result<Alert, DataError> {
    let mut alert = Alert::default();
    for (field, value) in members("alerts", value)? {
        match field.to_ascii_lowercase().as_str() {
            "status" => alert.status = text(field, value)?,
            "labels" => alert.labels = pairs(field, value)?,
            "annotations" => alert.annotations = pairs(field, value)?,
            "startsat" => alert.starts_at = time(field, value, local)?,
            "endsat" => alert.ends_at = time(field, value, local)?,
            "generatorurl" => alert.generator_url = text(field, value)?,
            "fingerprint" => alert.fingerprint = text(field, value)?,
            _ => {}
        }
    }
    Ok(alert)
}

fn members<'a>(field: &str, value: &'a Value) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, DataError> {
    let object: Option<&Map<_, _>> = match value {
        Value::Null => None,
        Value::Object(object) => Some(object),
        found => return Err(not("an object", field, found)),
    };
    Ok(object.into_iter().flatten())
}

fn list<'a>(field: &str, value: &'a Value) -> Result<&'a [Value], DataError> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        found => Err(not("a list", field, found)),
    }
}

fn text(field: &str, value: &Value) -> Result<String, DataError> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        found => Err(not("a text", field, found)),
    }
}

fn pairs(field: &str, value: &Value) -> Result<Kv, DataError> {
    members(field, value)?.map(|(name, value)| Ok((name, text(field, value)?))).collect()
}

fn time(field: &str, value: &Value, local: &TimeZone) -> Result<Time, DataError> {
    if value.is_null() {
        return Ok(Time::default());
    }
    let wrong = |error| DataError::Time { field: field.to_owned(), error };
    Time::parse_rfc3339(&text(field, value)?, local).map_err(wrong)
}

fn not(wanted: &'static str, field: &str, found: &Value) -> DataError {
    DataError::Kind { field: field.to_owned(), wanted, found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Result<Data, String> {
        read(json.as_bytes(), &TimeZone::UTC).map_err(|error| error.to_string())
    }

    #[test]
    fn names_count_in_any_case_and_unknown_ones_do_not() {
        let data = reading(
            r#"{"Receiver": "r", "STATUS": "firing", "more": [1], "ExternalUrl": "http://a", "routeLabels": {"a": "b"},
                "alerts": [{"Labels": {"a": "1", "b": null}, "startsAt": "2020-01-02T03:04:05+02:00"}, null]}"#,
        )
        .unwrap();
        assert_eq!((&data.receiver[..], &data.status[..], &data.external_url[..]), ("r", "firing", "http://a"));
        assert_eq!(data.route_labels.get("a"), Some("b"));
        let alerts: Vec<_> = data.alerts.iter().collect();
        assert_eq!(alerts[0].labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "")]);
        assert!(!alerts[0].starts_at.is_zero() && alerts[0].ends_at.is_zero());
        assert_eq!(alerts[1], &Alert::default());
        assert_eq!(reading("null"), Ok(Data::default()));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |json| reading(json).unwrap_err();
        assert!(error("").starts_with("the data are no JSON: "));
        assert!(error("{} x").starts_with("the data are no JSON: "));
        assert_eq!(error("[]"), "the data's \"\" is not an object: []");
        assert_eq!(error(r#"{"Status": 1}"#), "the data's \"Status\" is not a text: 1");
        assert_eq!(error(r#"{"groupLabels": {"a": 1}}"#), "the data's \"groupLabels\" is not a text: 1");
        assert_eq!(error(r#"{"alerts": {}}"#), "the data's \"alerts\" is not a list: {}");
        assert!(error(r#"{"alerts": [{"endsAt": "soon"}]}"#).starts_with("the data's \"endsAt\": parsing time"));
    }
}
