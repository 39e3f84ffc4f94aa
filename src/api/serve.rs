//! The life of a connection. Each bound here keeps a stranger from using up the program.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Api;
use super::listen::{Listener, Stream};
use super::patient::Patient;
use crate::telemetry::Metrics;

/// How many connections may be open: each costs a file descriptor and some kilobytes.
const MAX_CONNECTIONS: usize = 4096;

/// How long a connection may wait for the head of its next request, the whole of it. Prometheus keeps connections for
/// five minutes and loses a batch if the other side closes first, so this is longer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// How long a client may take nothing of an answer that is being sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait after a failure to accept, which is most often a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long requests under way may take to finish when the program stops (Alertmanager's five seconds).
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop` ends, then lets requests under way finish.
pub async fn serve(listeners: Vec<Listener>, api: Api, stop: impl Future<Output = ()>) {
    let connections = Arc::new(GracefulShutdown::new());
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let server = Server { api: api.clone(), slots: Arc::clone(&slots), connections: Arc::clone(&connections) };
        accepting.spawn(server.accept(listener));
    }
    stop.await;
    accepting.shutdown().await;
    let connections = Arc::into_inner(connections).expect("only the tasks that accepted held it, and they are gone");
    if tokio::time::timeout(STOP_GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!(component = "api", "requests were cut off at the stop");
    }
}

struct Server {
    api: Api,
    slots: Arc<Semaphore>,
    connections: Arc<GracefulShutdown>,
}

impl Server {
    async fn accept(self, listener: Listener) {
        tracing::info!(address = %listener, "Listening on");
        tracing::info!(http2 = false, address = %listener, "TLS is disabled.");
        loop {
            match listener.accept().await {
                Ok(Stream::Tcp(stream)) => {
                    // An answer is written in one piece; waiting for more would only delay it. It works without.
                    let _ = stream.set_nodelay(true);
                    self.admit(stream);
                }
                Ok(Stream::Local(stream)) => self.admit(stream),
                Err(error) => {
                    tracing::error!(component = "api", err = %error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let metrics = &self.api.0.metrics;
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            metrics.http.connections_refused.inc();
            return;
        };
        let open = Open::new(metrics.clone(), slot);
        let service = TowerToHyperService::new(self.api.clone().router());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT);
        let connection =
            self.connections.watch(http.serve_connection(TokioIo::new(Patient::new(stream, WRITE_TIMEOUT)), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(component = "api", err = %error, "connection ended");
            }
            drop(open);
        });
    }
}

/// Counts a connection as open until it is dropped.
struct Open {
    metrics: Metrics,
    _slot: OwnedSemaphorePermit,
}

impl Open {
    fn new(metrics: Metrics, slot: OwnedSemaphorePermit) -> Self {
        metrics.http.connections.inc();
        Self { metrics, _slot: slot }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.http.connections.dec();
    }
}
