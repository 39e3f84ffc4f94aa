//! What is wrong with JSON of an unexpected shape, in the words of Go's decoder. It is asked only when reading failed.

use serde_json::Value;

use super::time::ZonedTime;

/// How Go names the first part of an alert, into which it is read.
const ALERT: &str = r#"struct { Annotations models.LabelSet "json:\"annotations,omitempty\""; EndsAt strfmt.DateTime "json:\"endsAt,omitempty\""; StartsAt strfmt.DateTime "json:\"startsAt,omitempty\"" }"#;

/// How Go names the first part of a silence.
const SILENCE: &str = r#"struct { ID string "json:\"id,omitempty\"" }"#;

/// The first value of the wrong type among a batch of alerts.
pub(in crate::api) fn in_alerts(body: &Value) -> Option<String> {
    let Value::Array(alerts) = body else { return wrong(body, "value of type models.PostableAlerts") };
    alerts.iter().find_map(|alert| {
        in_object(alert, &format!("value of type {ALERT}"), |key, value| match key {
            "annotations" => in_labels(value, ".annotations"),
            "startsat" => in_time(value, ".startsAt"),
            "endsat" => in_time(value, ".endsAt"),
            "labels" => in_labels(value, "Alert.labels"),
            "generatorurl" => in_text(value, "Alert.generatorURL"),
            _ => None,
        })
    })
}

/// The first value of the wrong type in a silence.
pub(in crate::api) fn in_silence(body: &Value) -> Option<String> {
    in_object(body, &format!("value of type {SILENCE}"), |key, value| match key {
        "id" => in_text(value, ".id"),
        "annotations" => in_labels(value, "Silence.annotations"),
        "comment" => in_text(value, "Silence.comment"),
        "createdby" => in_text(value, "Silence.createdBy"),
        "startsat" => in_time(value, "Silence.startsAt"),
        "endsat" => in_time(value, "Silence.endsAt"),
        "matchers" => in_matchers(value),
        _ => None,
    })
}

fn in_matchers(value: &Value) -> Option<String> {
    let Value::Array(matchers) = value else {
        return wrong(value, "struct field Silence.matchers of type models.Matchers");
    };
    matchers.iter().find_map(|matcher| {
        in_object(matcher, "struct field Silence.matchers of type models.Matcher", |key, value| match key {
            "isequal" => in_bool(value, "Matcher.matchers.isEqual"),
            "isregex" => in_bool(value, "Matcher.matchers.isRegex"),
            "name" => in_text(value, "Matcher.matchers.name"),
            "value" => in_text(value, "Matcher.matchers.value"),
            _ => None,
        })
    })
}

/// Looks at the fields of an object by their names in lower case.
fn in_object(value: &Value, place: &str, in_field: impl Fn(&str, &Value) -> Option<String>) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| in_field(&key.to_ascii_lowercase(), value)),
        _ => wrong(value, place),
    }
}

fn in_labels(value: &Value, field: &str) -> Option<String> {
    match value {
        Value::Object(labels) => labels.values().find_map(|value| in_text(value, field)),
        _ => wrong(value, &format!("struct field {field} of type models.LabelSet")),
    }
}

fn in_text(value: &Value, field: &str) -> Option<String> {
    if value.is_string() { None } else { wrong(value, &format!("struct field {field} of type string")) }
}

fn in_bool(value: &Value, field: &str) -> Option<String> {
    if value.is_boolean() { None } else { wrong(value, &format!("struct field {field} of type bool")) }
}

fn in_time(value: &Value, field: &str) -> Option<String> {
    match value {
        Value::String(text) if ZonedTime::parse(text).is_some() => None,
        Value::String(text) => Some(format!("parsing time {}: no date and time", watchbell_golang::quote::quote(text))),
        _ => in_text(value, field),
    }
}

/// `null` is never wrong: it leaves a value as it is.
fn wrong(value: &Value, place: &str) -> Option<String> {
    let kind = match value {
        Value::Null => return None,
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Some(format!("json: cannot unmarshal {kind} into Go {place}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mismatches_are_told_in_gos_words() {
        let labels = |value: Value| json!([{"labels": value}]);
        for (body, expected) in [
            (json!(5), "number into Go value of type models.PostableAlerts"),
            (labels(json!(["a"])), "array into Go struct field Alert.labels of type models.LabelSet"),
            (labels(json!({"a": true})), "bool into Go struct field Alert.labels of type string"),
            (json!([{"annotations": {"a": 5}}]), "number into Go struct field .annotations of type string"),
            (json!([{"startsAt": 5}]), "number into Go struct field .startsAt of type string"),
        ] {
            assert_eq!(in_alerts(&body), Some(format!("json: cannot unmarshal {expected}")), "{body}");
        }
        for (body, expected) in [
            (json!([]), r#"array into Go value of type struct { ID string "json:\"id,omitempty\"" }"#),
            (json!({"matchers": 5}), "number into Go struct field Silence.matchers of type models.Matchers"),
            (json!({"matchers": [5]}), "number into Go struct field Silence.matchers of type models.Matcher"),
            (
                json!({"matchers": [{"isRegex": 5}]}),
                "number into Go struct field Matcher.matchers.isRegex of type bool",
            ),
            (json!({"id": 5}), "number into Go struct field .id of type string"),
        ] {
            assert_eq!(in_silence(&body), Some(format!("json: cannot unmarshal {expected}")), "{body}");
        }
    }

    #[test]
    fn null_is_never_wrong() {
        assert_eq!(in_alerts(&json!([null, {"labels": null, "startsAt": null}])), None);
        assert_eq!(in_silence(&json!({"matchers": [{"isEqual": null}], "comment": null})), None);
    }
}
