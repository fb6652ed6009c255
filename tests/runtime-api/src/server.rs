//! HTTP on a loopback port, for the two parts of this crate that serve it.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

/// What answers requests. None closes the connection without a word.
pub(crate) trait Service: Send + Sync + 'static {
    fn answer(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Option<Response<Bytes>>> + Send;
}

/// A service on a port of its own, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(service: Arc<impl Service>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let answering = service_fn(|request| answer(service.as_ref(), request));
                    // A connection that breaks is what some tests are about.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answering)
                        .await;
                });
            }
        });
        Ok(Self { address, accepting })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(
    service: &impl Service,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let response = service.answer(Request::from_parts(parts, body)).await;
    response
        .map(|response| response.map(Full::new))
        .ok_or_else(|| io::ErrorKind::ConnectionReset.into())
}
