//! Real connections.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn a_connection_serves_many_requests_and_ends_with_the_server() {
    let listeners = bind(&["127.0.0.1:0".to_owned()]).await.unwrap();
    let address = listeners[0].network_address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listeners, api(options()), async move { drop(stopped.await) }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nOK"), "{answer}");
    }
    stop.send(()).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_named() {
    let taken = bind(&["127.0.0.1:0".to_owned()]).await.unwrap();
    let address = taken[0].network_address().unwrap().to_string();
    let error = bind(std::slice::from_ref(&address)).await.err().unwrap().to_string();
    assert!(error.starts_with(&format!("listen on {address:?}: ")), "{error}");
    assert!(bind(&[":0".to_owned()]).await.is_ok());
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_it_is_sent() {
    let listeners = bind(&["127.0.0.1:0".to_owned()]).await.unwrap();
    let address = listeners[0].network_address().unwrap();
    let api = api(options());
    let serving = tokio::spawn(serve(listeners, api.clone(), std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n[";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 413 ")
            && answer.ends_with(r#"{"code":413,"message":"the body is larger than 67108864 bytes"}"#),
        "{answer}"
    );
    assert_eq!(api.0.metrics.http.bodies_refused.get(), 1);
    serving.abort();
}
