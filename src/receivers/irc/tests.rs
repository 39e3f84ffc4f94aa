//! From alert data to the bytes on the wire, with data that wants to do harm.

use std::sync::{Arc, LazyLock};

use irc_proto::{Command, Message};
use proptest::prelude::*;
use watchbell_engine::label::Labels;
use watchbell_engine::notification::NotifiedAlert;
use watchbell_template::Engine;

use super::super::RouteLabels;
use super::super::tests::{NOW, alert, notification, surroundings, templates};
use super::*;

/// A text with what IRC, terminals and clients give a meaning to.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\nQUIT :gone".to_owned()),
        Just("\rPRIVMSG #c :forged".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\u{1}DCC SEND x 1 2 3\u{1}".to_owned()),
        Just("\u{1b}[2J\u{9b}31m".to_owned()),
        Just("\u{3}04,01\u{2}\u{4}ff0000".to_owned()),
        Just(" ⟨00112233⟩".to_owned()),
        Just("{{ .Nope }}".to_owned()),
        ".{0,60}",
        proptest::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
    ];
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn hostile_alert(labels: [&str; 3], annotation: &str) -> NotifiedAlert {
    let told = alert("a", true);
    let mut alert = watchbell_engine::alert::Alert::clone(&told.alert);
    let [name, instance, severity] = labels;
    alert.labels = Labels::from_iter([("alertname", name), ("instance", instance), ("severity", severity)]);
    alert.annotations = Labels::from_iter([("summary", annotation), ("runbook_url", annotation)]);
    alert.generator_url = annotation.into();
    NotifiedAlert { alert: Arc::new(alert), firing: true }
}

/// The lines that leave for `#c` as bytes, by the way that notifications take.
fn sent(composer: &Composer, told: Vec<NotifiedAlert>, budget: usize, formatted: bool) -> Vec<String> {
    let (surroundings, now) = (surroundings(), data::template_clock(NOW));
    let notification = notification("irc", told);
    let data = data::data(&notification, &notification.alerts, "http://am:9093", &RouteLabels::default(), &now);
    let text = composer.compose(&message::harmless(&data), &now, "0a1b2c3d", &surroundings);
    let lines = text.cut(budget, formatted);
    lines.into_iter().map(|text| wire::line(&Command::PRIVMSG("#c".into(), text).into())).collect()
}

fn composer(settings: &str) -> Composer {
    let config = serde_saphyr::from_str(&format!("{{server: s, to: ['#c'], {settings}}}")).unwrap();
    Composer::build(&config, &templates()).unwrap()
}

/// Every way to word and to cut.
static COMPOSERS: LazyLock<Vec<Composer>> = LazyLock::new(|| {
    let all = "{{ .CommonAnnotations.summary }} {{ range .Alerts }}{{ .Labels }} {{ .GeneratorURL }}{{ end }}";
    let messages = ["{{ template \"irc.default.message\" . }}", all];
    let ways = ["mode: group", "mode: alert", "long_lines: truncate"];
    let pairs = messages.iter().flat_map(|message| ways.map(|way| (message, way)));
    let highlight = "highlight: ['{{ .CommonLabels.instance }}']";
    pairs.map(|(message, way)| composer(&format!("message: '{message}', {way}, {highlight}"))).collect()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2500))]
    /// Each case has four texts: ten thousand in all.
    #[test]
    fn no_alert_can_say_more_than_its_line(
        texts in proptest::collection::vec(hostile(), 4),
        formatted in any::<bool>(),
        composer in 0_usize..6,
        budget in 100_usize..450,
    ) {
        let told = hostile_alert([&texts[0], &texts[1], &texts[2]], &texts[3]);
        let other = hostile_alert([&texts[0], &texts[3], &texts[2]], &texts[1]);
        let lines = sent(&COMPOSERS[composer], vec![told, other], budget, formatted);
        prop_assert!(!lines.is_empty());
        for line in &lines {
            let body = line.strip_suffix("\r\n").unwrap();
            let allowed = |c: char| !c.is_control() || (formatted && "\u{2}\u{3}\u{f}".contains(c));
            prop_assert!(body.chars().all(allowed), "{:?}", body);
            let Command::PRIVMSG(target, _) = line.parse::<Message>().unwrap().command else { panic!("{line}") };
            prop_assert_eq!(target, "#c");
            prop_assert!(body.len() <= budget + "PRIVMSG #c :".len() || lines.len() > 4, "{}", body.len());
        }
        prop_assert!(lines.last().unwrap().ends_with("⟨0a1b2c3d⟩\r\n"), "{:?}", lines);
    }
}

#[test]
fn a_template_that_fails_does_not_eat_the_page() {
    let composer = composer("message: '{{ .Nope }}', highlight: ['{{ .Nope }}', oncall]");
    let lines = sent(&composer, vec![alert("a", true)], 450, true);
    assert!(lines[0].contains("[FIRING:1] team.a: alertname=Disk<full>"), "{lines:?}");
    assert!(lines.last().unwrap().ends_with("oncall ⟨0a1b2c3d⟩\r\n"), "{lines:?}");
}

#[test]
fn six_hundred_alerts_are_five_lines() {
    let told = |count: usize| (0..count).map(|number| alert(&number.to_string(), true)).collect::<Vec<_>>();
    for count in [157, 669] {
        let group = sent(&composer(""), told(count), 420, true);
        assert!(group.len() == 1 && group[0].contains(&format!("+{}", count - 2)), "{group:?}");
        let each = sent(&composer("mode: alert"), told(count), 420, true);
        let rest = format!("… and {} more: http://am:9093 ⟨0a1b2c3d⟩\r\n", count - 4);
        assert!(each.len() == 5 && each[4].ends_with(&rest), "{each:?}");
    }
}

#[test]
fn the_id_is_the_clusters_and_the_notifications() {
    let id = |name, secret: Option<&str>| message::id(name, secret.map(str::as_bytes));
    assert_eq!(id("a", Some("s")), id("a", Some("s")));
    assert!(id("a", Some("s")) != id("b", Some("s")) && id("a", Some("s")) != id("a", Some("t")));
    assert_eq!(id("a", None).len(), 8);
}

#[tokio::test]
async fn what_cannot_be_said_fails_at_once() {
    let integrations =
        super::super::tests::integrations("irc_configs: [{server: s, to: ['#c', '{{ \"\" }}']}]", &surroundings());
    let failure = integrations.unwrap().send(&notification("irc", vec![alert("a", true)])).await.unwrap_err();
    assert!(failure.retry && failure.text.contains("irc server \"s\" is not ready"), "{}", failure.text);
    let integrations = super::super::tests::integrations("irc_configs: [{server: s, to: ['#c,#d']}]", &surroundings());
    let failure = integrations.unwrap().send(&notification("irc", vec![alert("a", true)])).await.unwrap_err();
    assert!(!failure.retry && failure.text.contains("is no channel and no nick"), "{}", failure.text);
    assert!(Field::compile(&templates(), Engine::Text, "to", "{{").is_err());
}
