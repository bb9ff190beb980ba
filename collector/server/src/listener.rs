//! Connections: how many, how slow, and how they end.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::seats::{Seats, connections_max};
use crate::stall::Stalling;

/// How long a client may take over the headers of a request, and idle between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// What whoever has too many connections is told.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// What is asked of clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// How long a client may take nothing of an answer.
    pub(crate) patience: Duration,
    /// Connections of one address at the same time.
    pub(crate) per_address_max: Option<usize>,
}

/// How long requests may take to finish once the collector is told to stop.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be accepted, for example without file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(SocketAddr);

impl Peer {
    pub(crate) fn ip(self) -> IpAddr {
        self.0.ip()
    }
}

/// Serves connections until `stop`, lets those that are busy finish, and returns why it stopped.
pub(crate) async fn accept<T>(
    listener: TcpListener,
    router: Router,
    terms: Terms,
    stop: impl Future<Output = T>,
) -> T {
    let mut stop = pin!(stop);
    let (stopping, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let connections_max = connections_max();
    let mut seats = Seats::new(terms.per_address_max);
    let reason = loop {
        tokio::select! {
            reason = &mut stop => break reason,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < connections_max => match accepted {
                Ok((stream, peer)) => {
                    let Some(seat) = seats.take(peer.ip()) else {
                        tracing::info!(address = %peer.ip(), "refused one connection more");
                        let _ = stream.try_write(TOO_MANY);
                        continue;
                    };
                    // Answers are small; without this they wait for acknowledgements.
                    let _ = stream.set_nodelay(true);
                    let stream = Stalling::new(stream, terms.patience);
                    let serving = serve(stream, Peer(peer), router.clone(), stopped.clone());
                    connections.spawn(async move {
                        let _seat = seat;
                        serving.await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    };
    drop(listener);
    drop(stopping);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(FINISH_TIMEOUT, all).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    reason
}

async fn serve(
    stream: Stalling<TcpStream>,
    peer: Peer,
    router: Router,
    mut stopped: watch::Receiver<()>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Fails when the sender is dropped, which is the signal.
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broken");
    }
}
