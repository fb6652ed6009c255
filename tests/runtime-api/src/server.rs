//! Serves HTTP on a port of loopback.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    /// Returns the response to a request. None closes the connection without a response.
    fn answer(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Option<Response<Bytes>>> + Send;
}

/// A service on a port of its own, which stops when this value is dropped.
#[derive(Debug)]
pub struct Server {
    /// Its address.
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a service, over TLS if `tls` is given.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(service: Arc<impl Service>, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (service, tls) = (service.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(service.as_ref(), stream).await,
                        // Some tests have a client that does not trust the certificate.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(service.as_ref(), stream).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self { address, accepting })
    }
}

async fn serve(service: &impl Service, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let answering = service_fn(|request| answer(service, request));
    // Some tests break the connection.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answering)
        .await;
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
