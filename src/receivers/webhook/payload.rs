//! A webhook's own payload: any YAML in which texts are templates (Alertmanager's structured values).

use serde_json::{Map, Value};
use watchbell_template::{Data, Engine, Now, Templates};

use super::super::field::Field;
use super::super::{ReceiverError, json, plain};

/// A payload whose texts are compiled.
pub(super) enum Payload {
    Text(Field),
    List(Vec<Self>),
    /// Keys are templates, too.
    Map(Vec<(Field, Self)>),
    /// Neither text nor made of texts.
    Fixed(Value),
}

impl Payload {
    pub(super) fn compile(value: &Value, templates: &Templates) -> Result<Self, ReceiverError> {
        let field = |source: &str| Field::compile(templates, Engine::Text, "payload", source);
        Ok(match value {
            Value::String(source) => Self::Text(field(source)?),
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::compile(item, templates)).collect::<Result<_, _>>()?)
            }
            Value::Object(pairs) => {
                let pair = |(key, value): (&String, _)| Ok((field(key)?, Self::compile(value, templates)?));
                Self::Map(pairs.iter().map(pair).collect::<Result<_, _>>()?)
            }
            other => Self::Fixed(other.clone()),
        })
    }

    /// Every text and key in it.
    pub(super) fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Text(field) => vec![field],
            Self::List(items) => items.iter().flat_map(Self::fields).collect(),
            Self::Map(pairs) => pairs.iter().flat_map(|(key, value)| [key].into_iter().chain(value.fields())).collect(),
            Self::Fixed(_) => Vec::new(),
        }
    }

    /// The body, and what went wrong. A text that cannot be rendered is replaced by the built-in text, a pair whose
    /// key cannot is left out; so the rest keeps the shape that the receiver expects.
    pub(super) fn render(&self, data: &Data, now: &Now) -> (Vec<u8>, Vec<String>) {
        let mut errors = Vec::new();
        let mut value = self.value(data, now, &mut errors);
        value.sort_all_objects();
        (json::to_vec(&value), errors)
    }

    fn value(&self, data: &Data, now: &Now, errors: &mut Vec<String>) -> Value {
        match self {
            Self::Text(field) => text(field, data, now, errors),
            Self::List(items) => items.iter().map(|item| item.value(data, now, errors)).collect(),
            Self::Map(pairs) => {
                let mut map = Map::new();
                for (key, value) in pairs {
                    match key.render(data, now) {
                        Ok(key) => drop(map.insert(key, value.value(data, now, errors))),
                        Err(error) => errors.push(error),
                    }
                }
                Value::Object(map)
            }
            Self::Fixed(value) => value.clone(),
        }
    }
}

fn text(field: &Field, data: &Data, now: &Now, errors: &mut Vec<String>) -> Value {
    match field.render(data, now) {
        Ok(rendered) => parsed(rendered),
        Err(error) => {
            let text = plain::text_after(&error, data);
            errors.push(error);
            Value::String(text)
        }
    }
}

/// `rendered` as YAML if that makes it something else than a text, otherwise as it stands.
fn parsed(rendered: String) -> Value {
    match serde_saphyr::from_str(&rendered) {
        Ok(Value::String(_)) | Err(_) => Value::String(rendered),
        Ok(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rendered_text_that_is_something_else_in_yaml_becomes_that() {
        let becomes = |text: &str| parsed(text.to_owned()).to_string();
        assert_eq!(becomes("123"), "123");
        assert_eq!(becomes("yes"), "true");
        assert_eq!(becomes(""), "null");
        assert_eq!(becomes("a: b"), r#"{"a":"b"}"#);
        assert_eq!(becomes("[1, {\"x\": null}]"), r#"[1,{"x":null}]"#);
        assert_eq!(becomes("\"quoted\""), r#""\"quoted\"""#);
        assert_eq!(becomes("a: b: c"), r#""a: b: c""#);
    }
}
