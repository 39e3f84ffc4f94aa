//! What alerts say stays text: it commands nobody, calls nobody, and fits.

use watchbell_engine::label::Labels;

use super::fake::{Deed, Gitlab, Issue, html_in};
use super::lab::{Lab, alarm, labelled, over, prepare};
use super::node::{Node, alert, block_on, of_group};
use crate::harness::random::Random;

/// What somebody may put into a label or an annotation who is up to no good.
const EVIL: [&str; 32] = [
    "/close",
    "\n/close",
    "x\n\r/close\n",
    "\r\n/assign @all\r\n",
    " /close\n\t/close\n/close ",
    "@all",
    "cc @ann, (@bob) and\n@watchbell",
    "-->",
    "--> /close\n<!--",
    "```\n/close\n```",
    "````\n```\n/close",
    "~~~\n/close\n~~~",
    "`\n/close\n`",
    "</details>\n/close\n@all",
    "</code></pre><b>@all</b>",
    "#1",
    "see #1, !1, tools/other#1 and ~bug %Autumn &1",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "![](http://evil.example/x.png) [x](javascript:alert(1))",
    "<!-- watchbell:end -->",
    "<!-- watchbell:begin -->\n/close\n<!-- watchbell:end -->",
    "<!-- watchbell:v1 key=0000000000000000000000000000000000000000000000000000000000000000 -->",
    "| a | b |\n|---|---|\n| @all | /close |",
    "\\\n/close\\@all",
    "\u{2028}/close\u{2029}@all\u{85}/close\u{b}/close\u{c}/close",
    "\u{202e}esolc/\u{200b}@all",
    ">>>\n/close\n>>>\n> /close",
    "<div>\n/close\n</div>\n/close",
    "- /close\n* /close\n1. /close\n# /close",
    "$$\n/close\n$$ $`a`$ [[_TOC_]] ::include{file=x}",
    "/label ~x\n/label ~y\n/severity S1\n/duplicate #1\n/move tools/other\n/confidential",
];

#[test]
fn f3_11_what_alerts_say_commands_and_calls_nobody() {
    let lab = Lab::start(&[("team", "labels: ['{{ .CommonLabels.severity }}']")]);
    lab.ann().post(super::lab::ISSUES, &serde_json::json!({"title": "The first"}));
    let evil = |number: usize, text: &str| {
        let mut alert =
            labelled(labelled(alarm("team", "Evil", &format!("{number} {text}")), "note", text), "host", text);
        alert["annotations"] =
            serde_json::json!({"summary": text, "description": text, "runbook_url": text, "title": text});
        alert
    };
    let alerts: Vec<_> = EVIL.iter().enumerate().map(|(number, text)| evil(number, text)).collect();
    lab.post(&alerts[..20]);
    lab.await_issue("Evil");
    lab.settle();
    lab.post(&alerts);
    lab.wait("it is said", || (!lab.comments(&lab.issue("Evil")).is_empty()).then_some(()));
    lab.settle();
    let issue = lab.issue("Evil");
    assert!(issue.open && issue.labels == ["alertmanager", "critical"] && !issue.confidential);
    expect_harmless(&lab.gitlab, &issue, &lab.comments(&issue));
    lab.post(&alerts.into_iter().map(over).collect::<Vec<_>>());
    let issue = lab.await_state("Evil", "closed", |issue| !issue.open);
    lab.settle();
    expect_harmless(&lab.gitlab, &issue, &lab.comments(&issue));
}

#[test]
fn f3_11_nor_do_names_of_groups_labels_and_annotations() {
    block_on(async {
        for (number, text) in EVIL.into_iter().enumerate() {
            let gitlab = Gitlab::start_here(prepare);
            let mut node = Node::new(&gitlab, "comment_on_update: always");
            let labels = |instance| {
                Labels::from_iter([("alertname", text), ("severity", text), ("instance", instance), (text, text)])
            };
            let annotations = || Labels::from_iter([(text, text), ("summary", text)]);
            for firing in [true, true, false] {
                let told = vec![alert(labels("a"), annotations(), firing), alert(labels(text), annotations(), firing)];
                node.tell(of_group(text, told))
                    .await
                    .unwrap_or_else(|failure| panic!("{number} {text:?}: {failure:?}"));
            }
            let (issue, comments) = gitlab.look(|world| {
                (
                    world.issues[0].clone(),
                    world.notes.iter().filter(|note| !note.system).map(|note| note.body.clone()).collect::<Vec<_>>(),
                )
            });
            assert!(!comments.is_empty() && issue.labels.iter().all(|label| !label.contains(',')));
            expect_harmless(&gitlab, &issue, &comments);
        }
    });
}

#[test]
fn f3_11_nor_does_any_mixture() {
    block_on(async {
        let gitlab = Gitlab::start_here(prepare);
        let mut random = Random::new(11);
        let mut pick = || {
            let pieces = (0..1 + random.next() % 4).map(|_| {
                let text = EVIL[usize::try_from(random.next() % EVIL.len() as u64).expect("a small number")];
                ["", "\n", "\r\n", " ", "`", "\\", "```\n"][usize::try_from(random.next() % 7).expect("a small number")]
                    .to_owned()
                    + text
            });
            pieces.collect::<String>()
        };
        for number in 0..200 {
            let mut node = Node::new(&gitlab, "");
            let name = format!("{number} {}", pick());
            for round in 0..2 {
                let labels = Labels::from_iter([
                    ("alertname", name.as_str()),
                    ("note", &pick()),
                    ("round", if round == 0 { "a" } else { "b" }),
                ]);
                let told = vec![alert(labels, Labels::from_iter([("summary", pick()), ("description", pick())]), true)];
                node.tell(of_group(&name, told)).await.unwrap_or_else(|failure| panic!("{name:?}: {failure:?}"));
            }
            let issue = gitlab.look(|world| world.issues.last().expect("it was made").clone());
            assert!(issue.open, "{name:?}");
            expect_harmless(&gitlab, &issue, &[]);
            gitlab.restart(prepare);
        }
    });
}

/// Nothing was commanded, nobody was called, our marks are where they were, and no HTML but they got through.
fn expect_harmless(gitlab: &Gitlab, issue: &Issue, comments: &[String]) {
    let deeds = gitlab.look(|world| world.deeds.clone());
    // Whoever closes or comments is not referred to; only a new issue after an old one refers to that.
    assert_eq!(deeds, [] as [Deed; 0], "{}", issue.description);
    let count = |text: &str| issue.description.matches(text).count();
    let marks = [count("<!-- watchbell:begin -->"), count("<!-- watchbell:end -->"), count("<!-- watchbell:v1 key=")];
    assert_eq!(marks, [1, 1, 1], "{}", issue.description);
    assert!(issue.description.lines().next_back().is_some_and(|line| line.starts_with("<!-- watchbell:v1 key=")));
    for text in comments.iter().chain([&issue.description]) {
        let strange: Vec<_> = html_in(text).into_iter().filter(|html| !is_ours(html)).collect();
        assert_eq!(strange, [""; 0], "{text}");
    }
}

/// Our marks, and the tags by which a long list folds.
fn is_ours(html: &str) -> bool {
    let tags = ["<details>", "</details>", "<summary>", "</summary>"];
    html.split_inclusive('>').all(|piece| {
        let piece = piece.trim();
        piece.starts_with("<!-- watchbell:") || tags.iter().any(|tag| piece.ends_with(tag)) || !piece.contains('<')
    })
}

#[test]
fn f3_12_long_texts_are_cut_between_characters_and_rows_and_are_taken() {
    block_on(async {
        let gitlab = Gitlab::start_here(prepare);
        let mut node = Node::new(&gitlab, "");
        let name = format!("Disk 🚢{}", "👩‍🚀שלום".repeat(80));
        let row = format!("🛟 حريق {}", "long ".repeat(120));
        let told = (0..2500).map(|number| {
            let labels = Labels::from_iter([("alertname", name.as_str()), ("instance", &format!("host-{number:04}"))]);
            alert(labels, Labels::from_iter([("summary", format!("{row} {number:04}"))]), true)
        });
        node.tell(of_group(&name, told.collect())).await.expect("GitLab takes it");
        let issue = gitlab.look(|world| world.issues[0].clone());
        assert!(issue.title.contains("Disk 🚢👩‍🚀שלום"), "{}", issue.title);
        let length = issue.title.chars().count();
        assert!((200..=255).contains(&length), "{length} characters");
        assert!(issue.description.contains("🛟 حريق") && issue.description.len() <= 1024 * 1024);
        assert!(issue.description.len() > 500_000, "{}: much of it is told", issue.description.len());
        expect_harmless(&gitlab, &issue, &[]);
        // Every row that is there is there in full.
        let rows: Vec<_> = issue.description.lines().filter(|line| line.contains("🛟 حريق")).collect();
        assert!(rows.len() > 300, "{} rows", rows.len());
        assert!(rows.iter().all(
            |row| row.contains("host-") || row.ends_with(|end: char| end.is_ascii_digit() || "|*_ .".contains(end))
        ));
    });
}

#[test]
fn f3_12_what_fits_is_told_whole() {
    block_on(async {
        let gitlab = Gitlab::start_here(prepare);
        let mut node = Node::new(&gitlab, "title: '{{ .GroupLabels.alertname }}'");
        let name = "ü".repeat(255);
        let told = || vec![alert(Labels::from_iter([("alertname", name.as_str())]), Labels::default(), true)];
        node.tell(of_group(&name, told())).await.expect("GitLab takes it");
        assert_eq!(gitlab.look(|world| world.issues[0].title.clone()), name);
    });
}
