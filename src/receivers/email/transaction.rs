//! One mail handed over to a server (RFC 5321 3.3): from whom, to whom, and the text; and what the server made of each
//! recipient.

use std::time::Duration;

use lettre::address::Address;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{MailParameter, RcptParameter};
use watchbell_engine::notification::Failure;

use super::super::outcome::permanent;
use super::connect::{Line, within};
use super::message::Mail;
use super::reply::is_answer;
use crate::settings::email::{Dsn, EmailConfig, PartialDelivery};

/// How long a server may take to accept a mail, which it may examine first.
const DELIVERY_LIMIT: Duration = Duration::from_secs(120);

/// What holds for all mails of an integration.
pub(super) struct Terms {
    partial_delivery: PartialDelivery,
    dsn: Dsn,
}

/// What the server made of a recipient.
pub(super) type Verdict = (Address, Result<(), Failure>);

impl Terms {
    pub(super) fn of(config: &EmailConfig) -> Self {
        Self { partial_delivery: config.partial_delivery, dsn: config.dsn.clone() }
    }

    /// Hands `mail` over to `recipients`. A recipient whom the server does not take does not keep the others from
    /// being told, unless that is what the operator wants.
    pub(super) async fn hand_over(
        &self,
        line: &mut Line,
        mail: &Mail,
        recipients: &[Address],
    ) -> Result<Vec<Verdict>, Failure> {
        let is_international = mail.is_international() && line.offers.has("SMTPUTF8");
        let content = mail.content(is_international)?;
        let parameters = self.mail_parameters(line, mail, content, is_international);
        line.command("MAIL", &MailFrom::new(Some(mail.people.sender.clone()), parameters).to_string()).await?;
        let mut verdicts = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            let verdict = self.name(line, recipient, is_international).await?;
            verdicts.push((recipient.clone(), verdict));
        }
        self.all_or_nothing(&verdicts)?;
        if verdicts.iter().any(|(_, verdict)| verdict.is_ok())
            && let Err(failure) = deliver(line, content).await
        {
            // Whom the server had taken shares the fate of the mail.
            verdicts
                .iter_mut()
                .filter(|(_, verdict)| verdict.is_ok())
                .for_each(|(_, verdict)| *verdict = Err(failure.clone()));
        }
        Ok(verdicts)
    }

    fn mail_parameters(&self, line: &Line, mail: &Mail, content: &[u8], is_international: bool) -> Vec<MailParameter> {
        let other =
            |keyword: &str, value: String| MailParameter::Other { keyword: keyword.to_owned(), value: Some(value) };
        let mut parameters = Vec::new();
        if line.offers.has("SIZE") {
            parameters.push(MailParameter::Size(content.len()));
        }
        if is_international {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if self.wants_reports(line) {
            parameters.push(other("RET", "HDRS".to_owned()));
            if self.dsn.envid {
                parameters.push(other("ENVID", mail.identity.to_string()));
            }
        }
        parameters
    }

    fn wants_reports(&self, line: &Line) -> bool {
        !self.dsn.notify.is_empty() && line.offers.has("DSN")
    }

    /// Names one recipient. A refusal is the verdict; only a lost connection is the failure of all.
    async fn name(
        &self,
        line: &mut Line,
        recipient: &Address,
        is_international: bool,
    ) -> Result<Result<(), Failure>, Failure> {
        if !is_international && !AsRef::<str>::as_ref(recipient).is_ascii() {
            return Ok(Err(permanent(format!("{recipient}: not ASCII, and the server does not offer SMTPUTF8"))));
        }
        let mut parameters = Vec::new();
        if self.wants_reports(line) {
            let events: Vec<_> = self.dsn.notify.iter().map(|event| event.keyword()).collect();
            parameters.push(RcptParameter::Other { keyword: "NOTIFY".to_owned(), value: Some(events.join(",")) });
        }
        match line.command("RCPT", &Rcpt::new(recipient.clone(), parameters).to_string()).await {
            Ok(_) => Ok(Ok(())),
            Err(failure) if is_answer(&failure) => Ok(Err(failure)),
            Err(failure) => Err(failure),
        }
    }

    /// With `all_or_nothing` the first refusal is everybody's; one for good before one for now.
    fn all_or_nothing(&self, verdicts: &[Verdict]) -> Result<(), Failure> {
        let failures = verdicts.iter().filter_map(|(_, verdict)| verdict.as_ref().err());
        match failures.min_by_key(|failure| failure.retry) {
            Some(failure) if self.partial_delivery == PartialDelivery::AllOrNothing => Err(failure.clone()),
            _ => Ok(()),
        }
    }
}

async fn deliver(line: &mut Line, content: &[u8]) -> Result<(), Failure> {
    line.command("DATA", &Data.to_string()).await?;
    within(DELIVERY_LIMIT, "delivery", line.connection.message(content)).await.map(drop)
}
