//! From a notification to a whole mail (RFC 5322), before any server is spoken to. What cannot be rendered is replaced
//! by built-in text or left out; only without a sender or recipients there is no mail.

use jiff::tz::TimeZone;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Mailbox, MultiPart, MultiPartKind, SinglePart};
use smol_str::SmolStr;
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};
use watchbell_template::{Data, Engine, Now, Templates};

use super::super::field::Field;
use super::super::outcome::permanent;
use super::super::{ReceiverError, plain};
use super::address;
use super::body::{Bodies, Parts};
use super::header::{Headers, one_line};
use super::people::{People, Writers, is_plain};
use super::thread::{Names, Threads};
use crate::settings::email::EmailConfig;

/// The subject, unless the operator has one.
const DEFAULT_SUBJECT: &str = "{{ template \"email.default.subject\" . }}";

/// Headers that are not the operator's: they describe the parts, or would show whom nobody is to see.
const OURS: [&str; 6] =
    ["Mime-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Id", "Bcc"];

/// Headers that hold addresses, besides `From`.
const ADDRESSES: [&str; 4] = ["To", "Cc", "Reply-To", "Sender"];

/// Makes mails.
pub(super) struct Composer {
    writers: Writers,
    subject: Field,
    list_id: Option<Field>,
    /// Other headers of the operator's.
    headers: Vec<Field>,
    bodies: Bodies,
    threads: Threads,
    is_auto_submitted: bool,
}

/// A mail, and for whom it is.
pub(super) struct Mail {
    pub(super) identity: SmolStr,
    pub(super) people: People,
    pub(super) names: Names,
    /// What went wrong with templates.
    pub(super) errors: Vec<String>,
    /// As every server takes it: addresses that are not ASCII are left out. None if the sender's is one of these.
    plain: Option<Vec<u8>>,
    /// With all addresses, for servers that offer SMTPUTF8 (RFC 6532); only if there are such.
    international: Option<Vec<u8>>,
}

/// What headers say that comes from templates.
struct Said {
    subject: String,
    list_id: Option<String>,
    own: Vec<(String, String)>,
}

impl Composer {
    pub(super) fn build(config: &EmailConfig, templates: &Templates) -> Result<Self, ReceiverError> {
        let field = |key: &str, source: &str| Field::compile(templates, Engine::Text, key, source);
        let mut headers = config.canonical_headers().map_err(|error| ReceiverError::Setting(error.to_string()))?;
        let subject = headers.remove("Subject").unwrap_or(DEFAULT_SUBJECT);
        headers.retain(|name, _| !OURS.contains(&name.as_str()));
        let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if let Some(name) = headers.keys().find(|name| !is_name(name)) {
            return Err(ReceiverError::Setting(format!("headers: {name:?} is no name for a header")));
        }
        Ok(Self {
            writers: Writers::build(config, templates)?,
            subject: field("Subject", subject)?,
            list_id: (!config.list_id.is_empty()).then(|| field("list_id", &config.list_id)).transpose()?,
            headers: headers.into_iter().map(|(name, source)| field(&name, source)).collect::<Result<_, _>>()?,
            bodies: Bodies::build(config, templates)?,
            threads: Threads::of(config),
            is_auto_submitted: config.auto_submitted,
        })
    }

    /// All that is rendered for a mail.
    pub(super) fn fields(&self) -> Vec<&Field> {
        let first = self.writers.fields().chain([&self.subject]).chain(&self.list_id);
        first.chain(&self.headers).chain(self.bodies.fields()).collect()
    }

    /// What the log keeps of a mail that was sent.
    pub(super) fn kept(&self, mail: &Mail) -> ReceiverData {
        self.threads.kept(&mail.names)
    }

    /// The mail that tells `notification`, which is called `identity`.
    pub(super) fn compose(
        &self,
        notification: &Notification,
        identity: SmolStr,
        data: &Data,
        now: &Now,
    ) -> Result<Mail, Failure> {
        let mut errors = Vec::new();
        let people = self.writers.people(data, now, &mut errors).map_err(permanent)?;
        let mut names = self.threads.names(notification, &identity, people.from.email.domain(), now);
        let said = self.say(data, now, &mut errors);
        if let Some((_, own)) = said.own.iter().find(|(name, _)| name == "Message-Id") {
            names.message_id = one_line(own);
        }
        let Parts { text, html, errors } = self.bodies.render(data, now, &errors);
        let body = multipart(&identity, text, html);
        let whole = |keep| {
            let headers = self.headers(&people, &names, &said, now, keep);
            [headers.to_text().as_bytes(), &body].concat()
        };
        let plain = people.has_plain_sender().then(|| whole(is_plain));
        let international = (!people.are_plain()).then(|| whole(|_| true));
        Ok(Mail { identity, people, names, errors, plain, international })
    }

    fn say(&self, data: &Data, now: &Now, errors: &mut Vec<String>) -> Said {
        let mut render = |field: &Field| field.render(data, now).map_err(|error| errors.push(error)).ok();
        Said {
            subject: render(&self.subject).unwrap_or_else(|| plain::subject(data)),
            list_id: self.list_id.as_ref().and_then(&mut render),
            own: self.headers.iter().filter_map(|field| Some((field.key.clone(), render(field)?))).collect(),
        }
    }

    /// The headers, with those addresses that may be shown to `keep`.
    fn headers(&self, people: &People, names: &Names, said: &Said, now: &Now, keep: fn(&Mailbox) -> bool) -> Headers {
        let mut headers = Headers::default();
        headers.words("Date", &date(now));
        headers.addresses("From", [&people.from]);
        recipients(&mut headers, "To", people.to.good.iter().filter(|mailbox| keep(mailbox)).collect());
        if !people.cc.good.is_empty() {
            recipients(&mut headers, "Cc", people.cc.good.iter().filter(|mailbox| keep(mailbox)).collect());
        }
        headers.text("Subject", &said.subject);
        headers.words("Message-ID", &names.message_id);
        if let Some(answered) = &names.in_reply_to {
            headers.words("In-Reply-To", answered);
            headers.words("References", &names.references.join(" "));
        }
        if let Some(list_id) = &said.list_id {
            headers.text("List-Id", list_id);
        }
        if self.is_auto_submitted {
            headers.words("Auto-Submitted", "auto-generated");
            headers.words("X-Auto-Response-Suppress", "All");
        }
        said.own.iter().for_each(|(name, value)| own(&mut headers, name, value, keep));
        headers.words("MIME-Version", "1.0");
        headers
    }
}

impl Mail {
    /// The mail as a server takes it that offers SMTPUTF8, or does not.
    pub(super) fn content(&self, is_international: bool) -> Result<&[u8], Failure> {
        let content = if is_international { &self.international } else { &self.plain };
        let sender = &self.people.sender;
        let text = || format!("{sender}: not ASCII, and the server does not offer SMTPUTF8");
        content.as_deref().ok_or_else(|| permanent(text()))
    }

    /// Whether there is something that only SMTPUTF8 can carry.
    pub(super) fn is_international(&self) -> bool {
        self.international.is_some()
    }
}

/// A header of the operator's, in place of ours of its name. In those that hold addresses only the names may be
/// encoded; a mail must have a sender that can be read, so a `From` that cannot be is left out.
fn own(headers: &mut Headers, name: &str, value: &str, keep: fn(&Mailbox) -> bool) {
    let list = address::several(&one_line(value));
    let is_read = list.bad.is_empty() && list.good.iter().any(keep);
    let kept = list.good.iter().filter(|mailbox| keep(mailbox));
    match name {
        "From" if is_read => headers.addresses(name, kept),
        "From" => {}
        _ if ADDRESSES.contains(&name) && is_read => headers.addresses(name, kept),
        _ => headers.text(name, value),
    }
}

/// Addresses, or the words for that none may be shown (RFC 5322 3.4).
fn recipients(headers: &mut Headers, name: &str, mailboxes: Vec<&Mailbox>) {
    match mailboxes.is_empty() {
        true => headers.words(name, "undisclosed-recipients:;"),
        false => headers.addresses(name, mailboxes),
    }
}

/// Text before HTML, so that the latter is preferred (RFC 2046 5.1.4); an empty text if there is neither. No line can
/// end the parts early: what is quoted-printable has no `=_`.
fn multipart(identity: &str, text: Option<String>, html: Option<String>) -> Vec<u8> {
    let part = |content_type, body: String| {
        let body = body.replace("\r\n", "\n").replace('\r', "\n");
        SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(body)
    };
    let mut parts = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(format!("=_{identity}")).build();
    if text.is_some() || html.is_none() {
        parts = parts.singlepart(part(ContentType::TEXT_PLAIN, text.unwrap_or_default()));
    }
    if let Some(html) = html {
        parts = parts.singlepart(part(ContentType::TEXT_HTML, html));
    }
    // The end of the last line is sent with the dot after it.
    parts.formatted().trim_ascii_end().to_vec()
}

/// In UTC, whatever the zone of this machine.
fn date(now: &Now) -> String {
    now.instant.to_zoned_datetime(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
