//! The parts of a mail: text and HTML of the same alerts, as many as there is room for, and the built-in text where a
//! template fails. It must not know of headers.

use watchbell_template::{Alert, Data, Engine, Now, Templates};

use super::super::field::Field;
use super::super::{ReceiverError, data, plain};
use crate::settings::email::EmailConfig;

/// Makes the parts.
pub(super) struct Bodies {
    text: Option<Field>,
    html: Option<Field>,
    max_alerts: usize,
    max_size: usize,
}

/// The parts of one mail.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    /// What went wrong with templates.
    pub(super) errors: Vec<String>,
}

impl Bodies {
    pub(super) fn build(config: &EmailConfig, templates: &Templates) -> Result<Self, ReceiverError> {
        let part = |engine, key, source: &str| {
            (!source.is_empty()).then(|| Field::compile(templates, engine, key, source)).transpose()
        };
        let limit = |limit: u64| if limit == 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
        Ok(Self {
            text: part(Engine::Text, "text", &config.text)?,
            html: part(Engine::Html, "html", &config.html)?,
            max_alerts: limit(config.max_alerts().unwrap_or(0).into()),
            max_size: limit(config.max_size.0),
        })
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.text.iter().chain(&self.html)
    }

    /// The parts with as many alerts as they have room for, at least one. `errors` are those of other templates, of
    /// which the reader shall know too.
    pub(super) fn render(&self, data: &Data, now: &Now, errors: &[String]) -> Parts {
        let mut count = data.alerts.iter().count().min(self.max_alerts);
        loop {
            let parts = self.render_once(&listing(data, count), now, errors);
            let size = parts.size();
            if size <= self.max_size || count <= 1 {
                return parts;
            }
            count = (count * self.max_size / size).clamp(1, count - 1);
        }
    }

    fn render_once(&self, data: &Data, now: &Now, errors: &[String]) -> Parts {
        let mut errors = errors.to_vec();
        let mut render = |field: &Option<Field>, notice: fn(String, &str) -> String| {
            let rendered = render(field.as_ref()?, data, now, notice).map_err(|error| errors.push(error));
            rendered.ok().filter(|text| !text.is_empty())
        };
        let mut text = render(&self.text, with_notice);
        let html = render(&self.html, with_notice_in_html);
        if let Some(error) = errors.first() {
            let built_in = with_notice(plain::text_after(error, data), &left_out(data));
            text = Some(text.map_or_else(String::new, |text| text + "\n\n") + &built_in);
        }
        Parts { text, html, errors }
    }
}

impl Parts {
    fn size(&self) -> usize {
        self.text.iter().chain(&self.html).map(String::len).max().unwrap_or(0)
    }
}

/// Renders `field`; if it leaves alerts out without saying so, `notice` says it.
fn render(field: &Field, data: &Data, now: &Now, notice: fn(String, &str) -> String) -> Result<String, String> {
    let rendered = field.render(data, now)?;
    if data.truncated_alerts == 0 {
        return Ok(rendered);
    }
    let silent = Data { truncated_alerts: 0, ..data.clone() };
    let says_it = field.render(&silent, now).is_ok_and(|silent| silent != rendered);
    Ok(if says_it { rendered } else { notice(rendered, &left_out(data)) })
}

/// What templates see if only `count` alerts are listed: those that fire before the others, in their order.
fn listing(data: &Data, count: usize) -> Data {
    let total = data.alerts.iter().count();
    if count >= total {
        return data.clone();
    }
    let firing = |alert: &Alert| alert.status == data::status(true);
    let mut room_for_firing = count;
    let mut room_for_others = count.saturating_sub(data.alerts.iter().filter(|alert| firing(alert)).count());
    let mut fits = |alert: &&Alert| {
        let room = if firing(alert) { &mut room_for_firing } else { &mut room_for_others };
        let fits = *room > 0;
        *room -= usize::from(fits);
        fits
    };
    let alerts = data.alerts.iter().filter(|alert| fits(alert)).cloned().collect();
    Data { alerts, truncated_alerts: total - count, ..data.clone() }
}

/// Empty if nothing is left out.
fn left_out(data: &Data) -> String {
    match data.truncated_alerts {
        0 => String::new(),
        1 => "… and 1 more alert that is not listed here".to_owned(),
        count => format!("… and {count} more alerts that are not listed here"),
    }
}

fn with_notice(text: String, notice: &str) -> String {
    if notice.is_empty() { text } else { format!("{}\n\n{notice}\n", text.trim_end()) }
}

fn with_notice_in_html(mut html: String, notice: &str) -> String {
    let end = html.to_ascii_lowercase().rfind("</body").unwrap_or(html.len());
    html.insert_str(end, &format!("<p>{notice}</p>\n"));
    html
}

#[cfg(test)]
mod tests {
    use super::super::super::data::template_clock;
    use super::super::super::tests::{NOW, alert, notification, templates};
    use super::*;

    fn render(settings: &str, firing: usize, resolved: usize) -> Parts {
        let config = serde_saphyr::from_str(&format!("{{to: a@b, {settings}}}")).unwrap();
        let alerts = (0..firing + resolved).map(|index| alert(&format!("host{index:04}"), index >= resolved)).collect();
        let (told, clock) = (notification("email", alerts), template_clock(NOW));
        let data = data::data(&told, &told.alerts, "http://am", &super::super::super::RouteLabels::default(), &clock);
        Bodies::build(&config, &templates()).unwrap().render(&data, &clock, &[])
    }

    fn hosts(part: &Option<String>) -> Vec<String> {
        let text = part.as_deref().unwrap_or_default();
        let mut hosts: Vec<_> =
            text.split("host").skip(1).filter_map(|rest| rest.get(..4)).map(str::to_owned).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    #[test]
    fn both_parts_list_the_same_alerts_and_say_how_many_they_do_not() {
        let parts = render("max_alerts_html: 20", 30, 470);
        assert_eq!(hosts(&parts.text).len(), 20);
        assert_eq!(hosts(&parts.text), hosts(&parts.html));
        for part in [parts.text, parts.html] {
            assert!(part.unwrap().contains("480 more"));
        }
    }

    #[test]
    fn what_fires_is_listed_before_what_does_not() {
        let parts =
            render("max_alerts_html: 3, html: '', text: '{{ range .Alerts }}{{ .Labels.instance }} {{ end }}'", 2, 4);
        assert!(parts.text.unwrap().starts_with("host0000 host0004 host0005"));
    }

    #[test]
    fn a_part_that_is_too_large_lists_less_but_never_nothing() {
        let parts = render("max_size: 10kB", 500, 0);
        assert!(parts.size() <= 10_000 && hosts(&parts.html).len() > 1, "{}", parts.size());
        assert_eq!(hosts(&parts.text), hosts(&parts.html));
        let parts = render("max_size: 1kB", 500, 0);
        assert_eq!(hosts(&parts.html).len(), 1);
        assert_eq!(hosts(&render("max_size: 0, max_alerts_html: 0", 500, 0).html).len(), 500);
    }

    #[test]
    fn a_template_that_says_nothing_of_what_is_left_out_is_completed() {
        let own = "{{ range .Alerts }}{{ .Labels.instance }} {{ end }}";
        let parts = render(&format!("max_alerts_html: 1, text: '{own}', html: '<body>{own}</body>'"), 3, 0);
        assert_eq!(parts.text.unwrap(), "host0000\n\n… and 2 more alerts that are not listed here\n");
        let expected = "<body>host0000 <p>… and 2 more alerts that are not listed here</p>\n</body>";
        assert_eq!(parts.html.unwrap(), expected);
        let parts = render(&format!("max_alerts_html: 2, text: '{own}(+{{{{ .TruncatedAlerts }}}})', html: ''"), 3, 0);
        assert_eq!(parts.text.unwrap(), "host0000 host0001 (+1)");
    }

    #[test]
    fn a_failing_template_gives_way_to_the_built_in_text() {
        let parts = render("html: '{{ .Nope }}', max_alerts_html: 2", 3, 0);
        let text = parts.text.unwrap();
        assert!(text.contains("built-in text") && text.contains("instance=host0001") && text.contains("1 more alert "));
        assert!(parts.html.is_none() && parts.errors.len() == 1);
        assert_eq!(render("html: '', text: ''", 1, 0).text, None);
    }
}
