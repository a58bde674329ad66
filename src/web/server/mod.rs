//! The HTTP server: accepts, bounds what a connection may cost, and stops gracefully.

mod patience;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use self::patience::{Handling, Patient};
use crate::config::Http;

/// How long connections may take to finish once the server stops.
pub const DRAIN: Duration = Duration::from_secs(8);

/// Connections served at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Serves `router` on `listener` until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, http: Http, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Nobody closes the semaphore; if somebody did, nothing could be accepted.
    while let Some(Ok(place)) = stop.run_until_cancelled(room.clone().acquire_owned()).await {
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { break };
        match accepted {
            Ok((stream, peer)) => {
                let connection = graceful.watch(connection(stream, Peer(peer), &router, &http));
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, %peer, "a connection ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => accept_failed(&error).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were still open after {} s and are cut off", DRAIN.as_secs());
    }
}

/// One connection, served within the bounds of `http`.
fn connection(
    stream: TcpStream,
    peer: Peer,
    router: &Router,
    http: &Http,
) -> impl GracefulConnection<Error = hyper::Error> + use<> {
    // Answers are written whole; waiting to fill a packet would only add latency.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let handling = Handling::default();
    let stream = Patient::new(stream, handling.clone(), http.request_timeout, http.idle_timeout);
    let router = router.clone();
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        handling.store(true, Ordering::Relaxed);
        let (handling, answer) = (handling.clone(), router.clone().oneshot(request.map(Body::new)));
        async move {
            let answer = answer.await;
            handling.store(false, Ordering::Relaxed);
            answer
        }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(http.idle_timeout)
        .max_buf_size(http.header_limit.max(8192))
        .max_header_size(http.header_limit)
        .serve_connection(TokioIo::new(stream), answer)
}

/// Out of file descriptors, most likely: waits for some to be closed instead of spinning.
async fn accept_failed(error: &std::io::Error) {
    tracing::warn!(%error, "could not accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
