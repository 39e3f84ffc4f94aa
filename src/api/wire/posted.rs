//! The bodies that clients send. What they may leave out is optional here, unknown keys are passed over, and keys are
//! known in any case, as Go's decoder does. Whether what must be there is there is checked after reading.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smol_str::SmolStr;
use watchbell_engine::label::Labels;

use super::time::ZonedTime;
use super::uri::is_request_uri;

/// An alert as a sender tells it.
#[derive(Debug, Default)]
pub(in crate::api) struct PostedAlert {
    pub(in crate::api) labels: Option<Labels>,
    pub(in crate::api) annotations: Option<Labels>,
    pub(in crate::api) starts_at: Option<ZonedTime>,
    pub(in crate::api) ends_at: Option<ZonedTime>,
    pub(in crate::api) generator_url: Option<SmolStr>,
}

/// A silence as somebody wants it.
#[derive(Debug, Default)]
pub(in crate::api) struct PostedSilence {
    pub(in crate::api) id: Option<SmolStr>,
    pub(in crate::api) annotations: Option<Labels>,
    pub(in crate::api) comment: Option<String>,
    pub(in crate::api) created_by: Option<String>,
    pub(in crate::api) ends_at: Option<ZonedTime>,
    pub(in crate::api) matchers: Option<Vec<Option<PostedMatcher>>>,
    pub(in crate::api) starts_at: Option<ZonedTime>,
}

/// One matcher of a silence.
#[derive(Debug, Default)]
pub(in crate::api) struct PostedMatcher {
    pub(in crate::api) is_equal: Option<bool>,
    pub(in crate::api) is_regex: Option<bool>,
    pub(in crate::api) name: Option<String>,
    pub(in crate::api) value: Option<String>,
}

/// What a body lacks: the first thing found, with Alertmanager's number for it and in its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Violation {
    pub(in crate::api) code: u16,
    pub(in crate::api) message: String,
}

impl Violation {
    pub(in crate::api) fn required(name: &str) -> Self {
        Self { code: 602, message: format!("{name} in body is required") }
    }
}

/// A batch of alerts: all of them, or what the first incomplete one lacks. A batch is checked while it is read, so
/// that junk does not pile up in memory.
#[derive(Debug)]
pub(in crate::api) struct PostedAlerts(pub(in crate::api) Result<Vec<PostedAlert>, Violation>);

impl PostedAlert {
    fn check(self, index: usize) -> Result<Self, Violation> {
        if let Some(url) = self.generator_url.as_deref().filter(|url| !url.is_empty() && !is_request_uri(url)) {
            let message =
                format!("{index}.generatorURL in body must be of type uri: {}", watchbell_golang::quote::quote(url));
            return Err(Violation { code: 601, message });
        }
        if self.labels.is_none() {
            return Err(Violation::required(&format!("{index}.labels")));
        }
        Ok(self)
    }
}

impl PostedSilence {
    /// Whether everything is there that must be, in the order in which Alertmanager looks.
    pub(in crate::api) fn check(&self) -> Result<(), Violation> {
        let required = |there: bool, name| if there { Ok(()) } else { Err(Violation::required(name)) };
        required(self.comment.is_some(), "comment")?;
        required(self.created_by.is_some(), "createdBy")?;
        required(self.ends_at.is_some(), "endsAt")?;
        self.check_matchers()?;
        required(self.starts_at.is_some(), "startsAt")
    }

    /// How long all of its texts are together.
    pub(in crate::api) fn text_bytes(&self) -> usize {
        let matchers = self.matchers.iter().flatten().flatten().flat_map(|matcher| [&matcher.name, &matcher.value]);
        let texts = matchers.chain([&self.comment, &self.created_by]).map(|text| text.as_ref().map_or(0, String::len));
        let annotations =
            self.annotations.iter().flat_map(|labels| labels.iter().map(|(name, value)| name.len() + value.len()));
        texts.sum::<usize>() + annotations.sum::<usize>()
    }

    fn check_matchers(&self) -> Result<(), Violation> {
        let matchers = self.matchers.as_ref().ok_or_else(|| Violation::required("matchers"))?;
        if matchers.is_empty() {
            return Err(Violation { code: 612, message: "matchers in body should have at least 1 items".to_owned() });
        }
        matchers.iter().enumerate().try_for_each(|(index, matcher)| {
            let missing = matcher.as_ref().map_or(Some("isRegex"), PostedMatcher::missing);
            missing.map_or(Ok(()), |key| Err(Violation::required(&format!("matchers.{index}.{key}"))))
        })
    }
}

impl PostedMatcher {
    fn missing(&self) -> Option<&'static str> {
        let required =
            [("isRegex", self.is_regex.is_some()), ("name", self.name.is_some()), ("value", self.value.is_some())];
        required.into_iter().find(|(_, there)| !there).map(|(key, _)| key)
    }
}

/// An object of which some keys are known.
trait Object: Default {
    /// Takes the value of `key`, or passes over it.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

impl Object for PostedAlert {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            _ if key.eq_ignore_ascii_case("labels") => self.labels = labels(map)?,
            _ if key.eq_ignore_ascii_case("annotations") => self.annotations = labels(map)?,
            _ if key.eq_ignore_ascii_case("startsAt") => self.starts_at = map.next_value()?,
            _ if key.eq_ignore_ascii_case("endsAt") => self.ends_at = map.next_value()?,
            _ if key.eq_ignore_ascii_case("generatorURL") => self.generator_url = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Object for PostedSilence {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            _ if key.eq_ignore_ascii_case("id") => self.id = map.next_value()?,
            _ if key.eq_ignore_ascii_case("annotations") => self.annotations = labels(map)?,
            _ if key.eq_ignore_ascii_case("comment") => self.comment = map.next_value()?,
            _ if key.eq_ignore_ascii_case("createdBy") => self.created_by = map.next_value()?,
            _ if key.eq_ignore_ascii_case("endsAt") => self.ends_at = map.next_value()?,
            _ if key.eq_ignore_ascii_case("matchers") => self.matchers = map.next_value()?,
            _ if key.eq_ignore_ascii_case("startsAt") => self.starts_at = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Object for PostedMatcher {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            _ if key.eq_ignore_ascii_case("isEqual") => self.is_equal = map.next_value()?,
            _ if key.eq_ignore_ascii_case("isRegex") => self.is_regex = map.next_value()?,
            _ if key.eq_ignore_ascii_case("name") => self.name = map.next_value()?,
            _ if key.eq_ignore_ascii_case("value") => self.value = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

fn labels<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Labels>, A::Error> {
    Ok(map.next_value::<Option<LabelMap>>()?.map(|labels| labels.0))
}

impl<'de> Deserialize<'de> for PostedAlert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for PostedSilence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for PostedMatcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(key) = map.next_key::<SmolStr>()? {
            object.take(&key, &mut map)?;
        }
        Ok(object)
    }
}

/// An object of texts; `null` counts as an empty text.
struct LabelMap(Labels);

impl<'de> Deserialize<'de> for LabelMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = LabelMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelMap, A::Error> {
                let mut pairs = Vec::with_capacity(16);
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(LabelMap(Labels::of(pairs)))
            }
        }
        deserializer.deserialize_map(Texts)
    }
}

/// A text, where it stands in the body if it can be read there; `null` counts as an empty one.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_none<E>(self) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed("")))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text<'de>, D::Error> {
                deserializer.deserialize_str(self)
            }
        }
        deserializer.deserialize_option(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for PostedAlerts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Batch;
        impl<'de> Visitor<'de> for Batch {
            type Value = PostedAlerts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of alerts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PostedAlerts, A::Error> {
                let mut alerts = Vec::new();
                while let Some(alert) = seq.next_element::<Option<PostedAlert>>()? {
                    match alert.unwrap_or_default().check(alerts.len()) {
                        Ok(alert) => alerts.push(alert),
                        Err(violation) => {
                            while seq.next_element::<IgnoredAny>()?.is_some() {}
                            return Ok(PostedAlerts(Err(violation)));
                        }
                    }
                }
                Ok(PostedAlerts(Ok(alerts)))
            }

            /// `null` is no alert at all.
            fn visit_unit<E>(self) -> Result<PostedAlerts, E> {
                Ok(PostedAlerts(Ok(Vec::new())))
            }
        }
        deserializer.deserialize_any(Batch)
    }
}
