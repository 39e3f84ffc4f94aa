//! The sessions' figures under the names of metrics.

use super::super::figures::{Figure, Kind};
use super::shared::Figures;

/// All metrics of all sessions.
pub(super) fn figures<'a>(sessions: impl Iterator<Item = (&'a str, Figures)>) -> Vec<Figure> {
    let [mut connected, mut joined, mut queued, mut lag] = [
        Figure::new("watchbell_irc_connected", Kind::Gauge, "Whether this node is registered with an IRC server."),
        Figure::new("watchbell_irc_channel_joined", Kind::Gauge, "Whether this node is in a channel it should be in."),
        Figure::new("watchbell_irc_queued_messages", Kind::Gauge, "Messages that wait to be said or confirmed."),
        Figure::new(
            "watchbell_irc_lag_seconds",
            Kind::Gauge,
            "How long the server took for its last answer to a PING.",
        ),
    ];
    let [mut connects, mut sasl, mut sent, mut confirmed, mut refused, mut suppressed] = [
        Figure::new("watchbell_irc_connects_total", Kind::Counter, "Connections that were made to an IRC server."),
        Figure::new("watchbell_irc_sasl_failures_total", Kind::Counter, "SASL logins that failed."),
        Figure::new("watchbell_irc_lines_sent_total", Kind::Counter, "Lines of messages that were sent."),
        Figure::new("watchbell_irc_lines_confirmed_total", Kind::Counter, "Lines that arrived, by what proved it."),
        Figure::new("watchbell_irc_lines_refused_total", Kind::Counter, "Lines that were refused, or never confirmed."),
        Figure::new(
            "watchbell_irc_notifications_suppressed_total",
            Kind::Counter,
            "Notifications that were not said, and why.",
        ),
    ];
    for (name, session) in sessions {
        let server = ("server", name);
        connected.add(&[server], f64::from(u8::from(session.connected)));
        for (channel, is_in) in &session.channels {
            joined.add(&[server, ("channel", channel)], f64::from(u8::from(*is_in)));
        }
        queued.add(&[server], session.queued as f64);
        if let Some(time) = session.lag {
            lag.add(&[server], time.as_secs_f64());
        }
        connects.add(&[server], session.connects as f64);
        sasl.add(&[server], session.sasl_failures as f64);
        sent.add(&[server], session.sent as f64);
        session.confirmed.iter().for_each(|(rung, count)| confirmed.add(&[server, ("rung", rung)], *count as f64));
        session.refused.iter().for_each(|(why, count)| refused.add(&[server, ("reason", why)], *count as f64));
        session.suppressed.iter().for_each(|(why, count)| suppressed.add(&[server, ("reason", why)], *count as f64));
    }
    vec![connected, joined, queued, lag, connects, sasl, sent, confirmed, refused, suppressed]
}
