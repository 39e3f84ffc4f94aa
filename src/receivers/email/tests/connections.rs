//! Connections that are kept for the next mail.

use super::*;

const YAML: &str = "to: b@example.org";

#[tokio::test]
async fn a_connection_carries_one_mail_after_the_other() {
    let mut server = MailServer::start(&[]).await;
    let integrations = server.integrations(YAML);
    for _ in 0..3 {
        integrations.send(&told()).await.unwrap();
    }
    assert_eq!(server.connections(), [1, 1]);
    drop(integrations);
    let said = server.conversation().await;
    assert_eq!(said.iter().filter(|line| *line == "RSET").count(), 2);
    assert_eq!(said.iter().filter(|line| *line == "DATA").count(), 3);
    assert_eq!(server.connections(), [0, 1]);
}

#[tokio::test]
async fn a_connection_that_is_gone_is_replaced_at_once() {
    let server = MailServer::start(&[]).await;
    let integrations = server.integrations(YAML);
    integrations.send(&told()).await.unwrap();
    server.answer(&[("RSET", "421 too long idle")]);
    integrations.send(&told()).await.unwrap();
    assert_eq!(server.connections(), [1, 2]);
}

#[tokio::test]
async fn integrations_share_ten_connections_to_a_server() {
    let server = MailServer::start(&[]).await;
    let integrations: Vec<_> = (0..4).map(|_| Arc::new(server.integrations(YAML))).collect();
    let sending: Vec<_> = (0..100)
        .map(|index| {
            let integrations = Arc::clone(&integrations[index % 4]);
            tokio::spawn(async move { integrations.send(&told()).await })
        })
        .collect();
    for outcome in sending {
        outcome.await.unwrap().unwrap();
    }
    let [open, opened] = server.connections();
    assert!(open <= 10 && opened <= 10, "{open} {opened}");
    drop(integrations);
    assert_eq!(server.connections()[0], 0, "no socket is left over");
}

#[tokio::test]
async fn a_changed_password_makes_a_new_connection() {
    let mut server = MailServer::start(&[("EHLO", "250-me\r\n250 AUTH PLAIN"), ("AUTH", "235 ok")]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "old\n").unwrap();
    let yaml = format!("{YAML}, auth_username: u, auth_password_file: {}", file.display());
    let integrations = server.integrations(&yaml);
    integrations.send(&told()).await.unwrap();
    std::fs::write(&file, "new\n").unwrap();
    integrations.send(&told()).await.unwrap();
    assert_eq!(server.conversation().await[1], "AUTH PLAIN AHUAb2xk");
    drop(integrations);
    assert_eq!(server.conversation().await[1], "AUTH PLAIN AHUAbmV3");
}

#[tokio::test]
async fn a_server_of_old_is_greeted_as_of_old() {
    let mut server = MailServer::start(&[("EHLO", "502 what?")]).await;
    server.send(YAML).await.unwrap();
    assert_eq!(server.conversation().await[..3], ["EHLO localhost", "HELO localhost", "MAIL FROM:<am@example.org>"]);
    server.answer(&[("EHLO", "550 5.7.1 go away"), ("HELO", "550 5.7.1 go away")]);
    assert_eq!(server.send(YAML).await.unwrap_err().text, "EHLO: 550 5.7.1 go away");
}
