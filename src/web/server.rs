//! The HTTP server: accepts, bounds what a connection may cost, and stops gracefully.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, extract::Request};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::config::Http;

/// How long connections may take to finish once the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Headers one request may have; their size is bounded too.
const MAX_HEADERS: usize = 128;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Serves `router` on `listener` until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, http: Http, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connection(stream, Peer(peer), &router, (&http, &graceful)),
                Err(error) => accept_failed(&error).await,
            },
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were still open after {} s and are cut off", DRAIN.as_secs());
    }
}

/// Serves one connection in a task of its own.
fn connection(stream: TcpStream, peer: Peer, router: &Router, (http, graceful): (&Http, &GracefulShutdown)) {
    // Answers are written whole; waiting to fill a packet would only add latency.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let router = router.clone().map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(axum::body::Body::new)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(http.request_timeout)
        .max_buf_size(http.header_limit.max(8192))
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, peer = %peer.0, "a connection ended early");
        }
    });
}

/// Out of file descriptors, most likely: waits for some to be closed instead of spinning.
async fn accept_failed(error: &std::io::Error) {
    tracing::warn!(%error, "could not accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
