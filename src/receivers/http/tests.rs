use std::io::{Read, Write};
use std::thread;

use rustls::ServerConnection;

use super::super::tests::{WebServer, fixture, surroundings, tls_settings};
use super::*;

const OK: &str = "200 OK\r\n\r\nfine";

/// A client as `yaml` says.
fn client(yaml: &str) -> HttpClient {
    let config: HttpConfig = serde_saphyr::from_str(yaml).unwrap();
    config.validate().unwrap();
    HttpClient::build(&config, &surroundings()).unwrap()
}

async fn post(client: &HttpClient, port: u16) -> Result<Reply, Failure> {
    client.post_json(&format!("http://127.0.0.1:{port}/x"), b"{}".to_vec()).await
}

#[tokio::test]
async fn credentials_and_headers_are_read_again_for_each_request() {
    let mut server = WebServer::start(&[OK]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let client = client(&format!(
        "basic_auth: {{username: me, password_file: {path}}}\n\
         http_headers: {{X-A: {{values: [one], secrets: [two], files: [{path}]}}}}\n"
    ));
    for (password, encoded) in [("p1\n", "Basic bWU6cDE="), ("p2", "Basic bWU6cDI=")] {
        std::fs::write(file.path(), password).unwrap();
        post(&client, server.port).await.unwrap();
        let request = server.request().await;
        assert!(request.contains(&format!("authorization: {encoded}\r\n")), "{request}");
        let values: Vec<_> = request.lines().filter_map(|line| line.strip_prefix("x-a: ")).collect();
        assert_eq!(values, ["one", "two", password.trim()]);
    }
}

#[tokio::test]
async fn a_missing_file_is_worth_another_attempt() {
    let failure = post(&client("authorization: {credentials_file: /nonexistent}"), 1).await.unwrap_err();
    assert!(failure.retry && failure.text.contains("/nonexistent"), "{failure:?}");
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let mut other = WebServer::start(&[OK]).await;
    let redirect = format!("307 There\r\nlocation: http://127.0.0.1:{}/y\r\ncontent-length: 0\r\n\r\n", other.port);
    let mut server = WebServer::start(&[&redirect]).await;
    let bearer = client("bearer_token: t0ken");
    assert_eq!(post(&bearer, server.port).await.unwrap().status, 200);
    assert!(server.request().await.contains("authorization: Bearer t0ken\r\n"));
    let request = other.request().await;
    assert!(request.starts_with("POST /y ") && !request.contains("t0ken"), "{request}");
    let secret_header = client("http_headers: {X-Key: {secrets: [k3y]}}");
    assert_eq!(post(&secret_header, server.port).await.unwrap().status, 307);
    assert_eq!(post(&client("follow_redirects: false"), server.port).await.unwrap().status, 307);
    assert_eq!(other.pending(), 0);
}

#[tokio::test]
async fn a_proxy_is_asked_unless_the_host_is_an_exception() {
    let mut proxy = WebServer::start(&[OK]).await;
    let url = "http://receiver.example/x";
    let through = client(&format!("proxy_url: 'http://u:p@127.0.0.1:{}'", proxy.port));
    through.post_json(url, Vec::new()).await.unwrap();
    let request = proxy.request().await;
    assert!(request.starts_with("POST http://receiver.example/x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("proxy-authorization: Basic dTpw\r\n"), "{request}");
    let server = WebServer::start(&[OK]).await;
    let past = client(&format!("proxy_url: 'http://127.0.0.1:{}'\nno_proxy: 'a.example,127.0.0.0/8'", proxy.port));
    post(&past, server.port).await.unwrap();
    assert_eq!((server.pending(), proxy.pending()), (1, 0));
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_to_a_secure_server() {
    let mut proxy = WebServer::start(&["403 No\r\ncontent-length: 0\r\n\r\n"]).await;
    let client = client(&format!("proxy_url: 'http://127.0.0.1:{}'\nproxy_connect_header: {{X-Hop: [h]}}", proxy.port));
    let failure = client.post_json("https://receiver.example/x", Vec::new()).await.unwrap_err();
    let request = proxy.request().await.to_lowercase();
    assert!(request.starts_with("connect receiver.example:443 http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nx-hop: h\r\n"), "{request}");
    assert!(failure.retry, "{failure:?}");
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_needed() {
    let long = format!("500 No\r\n\r\n{}", "x".repeat(2 * MAX_ANSWER_BYTES));
    let server = WebServer::start(&[&long]).await;
    assert_eq!(post(&client("{}"), server.port).await.unwrap().body.len(), MAX_ANSWER_BYTES);
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let server = WebServer::start(&["503 No\r\nretry-after: Fri, 02 Jan 2026 03:05:05 GMT\r\n\r\n"]).await;
    let reply = post(&client("{}"), server.port).await.unwrap();
    assert_eq!(reply.retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_used() {
    let tokens = [
        "401 No\r\ncontent-length: 0\r\n\r\n",
        "200 OK\r\n\r\n{\"access_token\": \"t1\", \"expires_in\": \"3600\"}",
        "200 OK\r\n\r\n{\"access_token\": \"t2\", \"expires_in\": 5}",
    ];
    let mut issuer = WebServer::start(&tokens).await;
    let mut server = WebServer::start(&[OK]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s&1").unwrap();
    let client = client(&format!(
        "oauth2: {{client_id: me, client_secret_file: {}, token_url: 'http://127.0.0.1:{}/t', scopes: [a, b], \
         endpoint_params: {{aud: x}}}}",
        file.path().display(),
        issuer.port
    ));
    post(&client, server.port).await.unwrap();
    post(&client, server.port).await.unwrap();
    let (header, form) = (issuer.request().await, issuer.request().await);
    assert!(header.contains("authorization: Basic bWU6cyUyNjE=\r\n"), "{header}");
    assert!(header.ends_with("\r\n\r\ngrant_type=client_credentials&scope=a+b&aud=x"), "{header}");
    assert!(form.ends_with("&client_id=me&client_secret=s%261&aud=x") && !form.contains("authorization"), "{form}");
    assert_eq!(issuer.pending(), 0);
    std::fs::write(file.path(), "s2").unwrap();
    post(&client, server.port).await.unwrap();
    let expected = ["Bearer t1", "Bearer t1", "Bearer t2"];
    for token in expected {
        assert!(server.request().await.contains(&format!("authorization: {token}\r\n")));
    }
    post(&client, server.port).await.unwrap();
    issuer.request().await;
    issuer.request().await;
}

#[tokio::test]
async fn an_assertion_is_signed() {
    let mut issuer = WebServer::start(&["200 OK\r\n\r\n{\"access_token\": \"t\"}"]).await;
    let server = WebServer::start(&[OK]).await;
    let client = client(&format!(
        "oauth2: {{client_id: me, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', \
         client_certificate_key_file: {}, client_certificate_key_id: k, claims: {{sub: x}}, \
         token_url: 'http://127.0.0.1:{}/t'}}",
        fixture("rsa.key"),
        issuer.port
    ));
    post(&client, server.port).await.unwrap();
    let request = issuer.request().await;
    // {"alg":"RS256","typ":"JWT","kid":"k"}
    let header = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsifQ";
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    assert!(request.contains(&format!("\r\n\r\n{grant}&assertion={header}.")), "{request}");
    let signature = request.rsplit('.').next().unwrap();
    assert_eq!(signature.len(), 342, "256 bytes in base64");
}

/// A TLS server with the certificate `name`, for one request; it may demand a certificate of the client's.
fn tls_server(name: &str, demands: bool) -> u16 {
    let config = tls_settings(name, demands);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(config).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        if stream.read(&mut [0; 4096]).is_ok() {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok();
        }
    });
    port
}

async fn tls_outcome(settings: &str, certificate: &str, demands: bool) -> Result<u16, String> {
    let client = client(&format!("tls_config: {{{settings}}}"));
    let url = format!("https://127.0.0.1:{}/", tls_server(certificate, demands));
    client.post_json(&url, Vec::new()).await.map(|reply| reply.status).map_err(|failure| failure.text)
}

#[tokio::test]
async fn only_a_server_that_proves_its_name_is_told() {
    let ca = format!("ca_file: {}", fixture("ca.pem"));
    assert_eq!(tls_outcome(&ca, "server.pem", false).await, Ok(200));
    assert!(tls_outcome("", "server.pem", false).await.unwrap_err().contains("certificate"));
    assert!(tls_outcome(&ca, "other.pem", false).await.unwrap_err().contains("certificate"));
    assert_eq!(tls_outcome(&format!("{ca}, server_name: other.example"), "other.pem", false).await, Ok(200));
    let wrong = format!("{ca}, server_name: other.example");
    assert!(tls_outcome(&wrong, "server.pem", false).await.unwrap_err().contains("certificate"));
    assert_eq!(tls_outcome("insecure_skip_verify: true", "other.pem", false).await, Ok(200));
    let tls12 = format!("{ca}, max_version: TLS12");
    assert_eq!(tls_outcome(&tls12, "server.pem", false).await, Ok(200));
}

#[tokio::test]
async fn a_server_may_ask_who_we_are() {
    let ca = format!("ca_file: {}", fixture("ca.pem"));
    let us = format!("{ca}, cert_file: {}, key_file: {}", fixture("client.pem"), fixture("client.key"));
    assert_eq!(tls_outcome(&us, "server.pem", true).await, Ok(200));
    assert!(tls_outcome(&ca, "server.pem", true).await.is_err());
}

#[tokio::test]
async fn a_renewed_certificate_needs_no_reload() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let client = client(&format!("tls_config: {{ca_file: {}}}", file.path().display()));
    std::fs::copy(fixture("other.pem"), file.path()).unwrap();
    let url = |port| format!("https://127.0.0.1:{port}/");
    assert!(client.post_json(&url(tls_server("server.pem", false)), Vec::new()).await.is_err());
    std::fs::copy(fixture("ca.pem"), file.path()).unwrap();
    assert_eq!(client.post_json(&url(tls_server("server.pem", false)), Vec::new()).await.unwrap().status, 200);
}
