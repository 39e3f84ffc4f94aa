//! Who writes to whom: the settings that hold addresses, and what comes of them for one notification.

use std::collections::BTreeSet;

use lettre::Address;
use lettre::message::Mailbox;
use watchbell_template::{Data, Engine, Now, Templates};

use super::super::ReceiverError;
use super::super::field::Field;
use super::address::{self, List};
use crate::settings::email::EmailConfig;

/// The settings.
pub(super) struct Writers {
    from: Field,
    envelope_from: Option<Field>,
    to: Field,
    cc: Option<Field>,
    bcc: Option<Field>,
}

/// Who writes to whom in one mail.
pub(super) struct People {
    pub(super) from: Mailbox,
    /// To whom servers report failures.
    pub(super) sender: Address,
    pub(super) to: List,
    pub(super) cc: List,
    pub(super) bcc: List,
}

impl Writers {
    pub(super) fn build(config: &EmailConfig, templates: &Templates) -> Result<Self, ReceiverError> {
        let field = |key, source: &str| Field::compile(templates, Engine::Text, key, source);
        let some = |key, source: &str| (!source.is_empty()).then(|| field(key, source)).transpose();
        Ok(Self {
            from: field("from", &config.from)?,
            envelope_from: some("envelope_from", &config.envelope_from)?,
            to: field("to", &config.to)?,
            cc: some("cc", &config.cc)?,
            bcc: some("bcc", &config.bcc)?,
        })
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        [&self.from].into_iter().chain(&self.envelope_from).chain([&self.to]).chain(&self.cc).chain(&self.bcc)
    }

    /// Who writes to whom. A list that cannot be rendered is empty, and `errors` gets the reason.
    ///
    /// # Errors
    /// Without a sender, or anybody to write to, there is no mail.
    pub(super) fn people(&self, data: &Data, now: &Now, errors: &mut Vec<String>) -> Result<People, String> {
        let mut render = |field: &Field| field.render(data, now).map_err(|error| errors.push(error)).ok();
        let from = address::sender("from", &self.from.render(data, now)?)?;
        let envelope_from = self.envelope_from.as_ref().and_then(&mut render);
        let mut list = |field| render(field).map_or_else(List::default, |text| address::several(&text));
        let to = list(&self.to);
        let [cc, bcc] = [&self.cc, &self.bcc].map(|field| field.as_ref().map_or_else(List::default, &mut list));
        let sender = envelope_from.and_then(|text| {
            let sender = address::sender("envelope_from", &text).map_err(|error| errors.push(error)).ok()?;
            Some(sender.email)
        });
        let people = People { sender: sender.unwrap_or_else(|| from.email.clone()), from, to, cc, bcc };
        if people.recipients().is_empty() {
            let why = [people.bad().cloned().collect(), std::mem::take(errors)].concat().join("; ");
            return Err(format!("there is no address in 'to' after templating: {why}"));
        }
        Ok(people)
    }
}

impl People {
    /// Everybody who is to get the mail, once.
    pub(super) fn recipients(&self) -> Vec<Address> {
        let mut seen = BTreeSet::new();
        let all = self.lists().flat_map(|list| &list.good).map(|mailbox| mailbox.email.clone());
        all.filter(|address| seen.insert(address.to_string())).collect()
    }

    /// What stands among the recipients and is no address.
    pub(super) fn bad(&self) -> impl Iterator<Item = &String> {
        self.lists().flat_map(|list| &list.bad)
    }

    /// Whether every address can be written in ASCII.
    pub(super) fn are_plain(&self) -> bool {
        self.has_plain_sender() && self.lists().flat_map(|list| &list.good).all(is_plain)
    }

    pub(super) fn has_plain_sender(&self) -> bool {
        is_plain(&self.from) && AsRef::<str>::as_ref(&self.sender).is_ascii()
    }

    fn lists(&self) -> impl Iterator<Item = &List> {
        [&self.to, &self.cc, &self.bcc].into_iter()
    }
}

/// Whether the address can be written in ASCII; the name can always be encoded.
pub(super) fn is_plain(mailbox: &Mailbox) -> bool {
    AsRef::<str>::as_ref(&mailbox.email).is_ascii()
}
