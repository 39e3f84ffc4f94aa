//! From a notification to a mail. What cannot be rendered is replaced by built-in text; only without addresses there
//! is no mail.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailboxes, MessageBuilder, MultiPart, SinglePart, header};
use sha2::{Digest, Sha256};
use watchbell_engine::notification::Notification;
use watchbell_template::{Data, Engine, Now, Templates};

use super::super::field::Field;
use super::super::{ReceiverError, plain};
use super::address;
use crate::settings::email::{EmailConfig, ThreadBy};

/// The subject, unless the operator has one.
const DEFAULT_SUBJECT: &str = "{{ template \"email.default.subject\" . }}";

/// Makes mails.
pub(super) struct Composer {
    from: Field,
    to: Field,
    subject: Field,
    /// Other headers of the operator's.
    headers: Vec<(HeaderName, Field)>,
    text: Option<Field>,
    html: Option<Field>,
    threading: Option<ThreadBy>,
}

/// The parts of a mail that come from templates, and what went wrong with them.
struct Rendered {
    subject: String,
    headers: Vec<(HeaderName, String)>,
    text: Option<String>,
    html: Option<String>,
    errors: Vec<String>,
}

impl Composer {
    pub(super) fn build(config: &EmailConfig, templates: &Templates) -> Result<Self, ReceiverError> {
        let field = |key: &str, source: &str| Field::compile(templates, Engine::Text, key, source);
        let mut headers = config.canonical_headers().map_err(|error| ReceiverError::Setting(error.to_string()))?;
        let subject = headers.remove("Subject").unwrap_or(DEFAULT_SUBJECT);
        let header = |(name, source): (String, &str)| {
            let wrong = |_| ReceiverError::Setting(format!("headers: {name:?} is no name for a header"));
            Ok((HeaderName::new_from_ascii(name.clone()).map_err(wrong)?, field(&name, source)?))
        };
        let part = |engine, key, source: &str| {
            (!source.is_empty()).then(|| Field::compile(templates, engine, key, source)).transpose()
        };
        Ok(Self {
            from: field("from", &config.from)?,
            to: field("to", &config.to)?,
            subject: field("Subject", subject)?,
            headers: headers.into_iter().map(header).collect::<Result<_, ReceiverError>>()?,
            text: part(Engine::Text, "text", &config.text)?,
            html: part(Engine::Html, "html", &config.html)?,
            threading: config.threading.rule(),
        })
    }

    /// All that is rendered for a mail.
    pub(super) fn fields(&self) -> Vec<&Field> {
        let headers = self.headers.iter().map(|(_, field)| field);
        [&self.from, &self.to, &self.subject].into_iter().chain(headers).chain(&self.text).chain(&self.html).collect()
    }

    /// The mail, and the errors of templates that the built-in text stands in for.
    pub(super) fn compose(
        &self,
        notification: &Notification,
        data: &Data,
        now: &Now,
    ) -> Result<(Message, Vec<String>), String> {
        let from = address::sender(&self.from.render(data, now)?)?;
        let to = address::several("to", &self.to.render(data, now)?)?;
        let recipients = to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let envelope = Envelope::new(Some(from.email.clone()), recipients).map_err(|error| error.to_string())?;
        let rendered = self.render(data, now);
        let mut builder = Message::builder()
            .envelope(envelope)
            .date(date(now))
            .message_id(Some(message_id(notification, from.email.domain())))
            .from(from)
            .mailbox(header::To::from(to))
            .subject(rendered.subject);
        builder = self.threaded(builder, notification, now);
        for (name, value) in rendered.headers {
            builder = with_header(builder, name, value);
        }
        let mail = builder.multipart(parts(rendered.text, rendered.html)).map_err(|error| error.to_string())?;
        Ok((mail, rendered.errors))
    }

    fn render(&self, data: &Data, now: &Now) -> Rendered {
        let mut errors = Vec::new();
        let mut render = |field: &Field| field.render(data, now).map_err(|error| errors.push(error)).ok();
        let subject = render(&self.subject).unwrap_or_else(|| plain::subject(data));
        let header = |(name, field): &(HeaderName, Field)| Some((name.clone(), one_line(&render(field)?)));
        let headers = self.headers.iter().filter_map(header).collect();
        let mut text = self.text.as_ref().and_then(&mut render);
        let html = self.html.as_ref().and_then(&mut render).filter(|html| !html.is_empty());
        if let Some(error) = errors.first() {
            text = Some(text.map_or_else(String::new, |text| text + "\n\n") + &plain::text_after(error, data));
        }
        Rendered { subject: one_line(&subject), headers, text: text.filter(|text| !text.is_empty()), html, errors }
    }

    /// Mails of the same group, or of the same group and day, answer one mail that never was.
    fn threaded(&self, builder: MessageBuilder, notification: &Notification, now: &Now) -> MessageBuilder {
        let Some(rule) = self.threading else { return builder };
        let group = hex(&Sha256::digest(notification.key.group_key.as_bytes()));
        let local = now.instant.to_zoned_datetime(now.local.clone());
        let day = if rule == ThreadBy::Daily { local.date().to_string() } else { String::new() };
        let root = format!("<alert-{}-{day}@alertmanager>", &group[..16]);
        builder.references(root.clone()).in_reply_to(root)
    }
}

/// A header in place of any other of its name. In those that hold addresses only the display names may be encoded.
fn with_header(builder: MessageBuilder, name: HeaderName, value: String) -> MessageBuilder {
    match (name.as_ref(), value.parse::<Mailboxes>()) {
        ("From", Ok(addresses)) => builder.header(header::From::from(addresses)),
        // A mail must have a sender that can be read; the envelope's is there already.
        ("From", Err(_)) => builder,
        ("To", Ok(addresses)) => builder.header(header::To::from(addresses)),
        ("Cc", Ok(addresses)) => builder.header(header::Cc::from(addresses)),
        ("Reply-To", Ok(addresses)) => builder.header(header::ReplyTo::from(addresses)),
        _ => builder.raw_header(HeaderValue::new(name, value)),
    }
}

/// A value cannot begin another header.
fn one_line(value: &str) -> String {
    value.replace(['\r', '\n'], " ").trim().to_owned()
}

/// Text before HTML, so that the latter is preferred (RFC 2046 5.1.4); an empty text if there is neither.
fn parts(text: Option<String>, html: Option<String>) -> MultiPart {
    let part = |content_type, body: String| {
        SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(body)
    };
    let mut parts = MultiPart::alternative().build();
    if text.is_some() || html.is_none() {
        parts = parts.singlepart(part(ContentType::TEXT_PLAIN, text.unwrap_or_default()));
    }
    match html {
        Some(html) => parts.singlepart(part(ContentType::TEXT_HTML, html)),
        None => parts,
    }
}

fn date(now: &Now) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(now.instant.as_second()).unwrap_or(0))
}

/// Names what is told, to whom and when, so that another attempt at the same is the same mail.
fn message_id(notification: &Notification, domain: &str) -> String {
    let key = &notification.key;
    let mut hash = Sha256::new();
    for part in [key.group_key.as_ref(), &key.receiver, &key.integration, notification.reason.as_str()] {
        hash.update(part);
        hash.update([0xff]);
    }
    hash.update(key.index.to_be_bytes());
    hash.update(notification.flushed_at.as_micros().to_be_bytes());
    for told in &notification.alerts {
        hash.update(told.alert.fingerprint().0.to_be_bytes());
        hash.update(told.alert.starts_at.as_micros().to_be_bytes());
        hash.update([u8::from(told.firing)]);
    }
    format!("<{}@{domain}>", &hex(&hash.finalize())[..32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
