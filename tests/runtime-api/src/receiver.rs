//! Receives answers in place of CloudFormation.

use crate::server::{Server, Service};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::Value;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// The secret part of every URL of a receiver. Tests check that it is in no log.
pub const SIGNATURE: &str = "c2VjcmV0LW9mLXRoZS1yZXNwb25zZS11cmw";

/// The receiver's reply to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An HTTP status.
    Status(u16),
    /// The connection is closed without a reply.
    Reset,
}

/// An answer that was received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub bytes: Bytes,
    /// The body, or null if it is not JSON.
    pub body: Value,
    /// When it was received.
    pub at: Instant,
}

/// A receiver on loopback, which stops when this value is dropped.
#[derive(Debug)]
pub struct Receiver {
    server: Server,
    scheme: &'static str,
    desk: Arc<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    replies: Mutex<VecDeque<Reply>>,
    answers: Mutex<Vec<Answer>>,
}

impl Receiver {
    /// Starts a receiver that accepts every answer.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start() -> io::Result<Self> {
        Self::serving("http", None).await
    }

    /// Starts a receiver that accepts every answer over TLS, as S3 does. Returns it and the PEM of its
    /// certificate, for clients that have to trust it.
    ///
    /// # Errors
    ///
    /// No port is free, or no certificate can be created.
    pub async fn start_over_tls() -> io::Result<(Self, String)> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .map_err(io::Error::other)?;
        let key =
            PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let builder = builder.with_no_client_auth();
                builder.with_single_cert(vec![made.cert.der().clone()], key)
            })
            .map_err(io::Error::other)?;
        let receiver = Self::serving("https", Some(Arc::new(config).into())).await?;
        Ok((receiver, made.cert.pem()))
    }

    async fn serving(scheme: &'static str, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let desk = Arc::new(Desk::default());
        let server = Server::start(desk.clone(), tls).await?;
        Ok(Self {
            server,
            scheme,
            desk,
        })
    }

    /// Sets the replies to the next answers, in order. After these, it accepts every answer again.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.desk
            .replies
            .lock()
            .expect("no panic held it")
            .extend(replies);
    }

    /// Returns a `ResponseURL` in the form of S3's Signature Version 2, valid for two hours.
    ///
    /// # Panics
    ///
    /// The machine's clock is before 1970.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_signed(Duration::ZERO)
    }

    /// Returns such a URL that was signed this long ago.
    ///
    /// # Panics
    ///
    /// The machine's clock is before 1970.
    #[must_use]
    pub fn url_signed(&self, ago: Duration) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        format!(
            "{}://{}/arn%3Aaws%3Acloudformation%3Aeu-west-1%3A111122223333%3Astack/protocol/6f1f4a50%7CResource%7C0b2f3c1e?AWSAccessKeyId=AKIAWORLD&Expires={}&Signature={SIGNATURE}%3D",
            self.scheme,
            self.server.address,
            (now + Duration::from_secs(7_200) - ago).as_secs(),
        )
    }

    /// Returns everything that was received.
    ///
    /// # Panics
    ///
    /// The receiver has panicked.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        self.desk.answers.lock().expect("no panic held it").clone()
    }
}

impl Service for Desk {
    async fn answer(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let (parts, bytes) = request.into_parts();
        let answer = Answer {
            method: parts.method,
            target: parts.uri.to_string(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
            at: Instant::now(),
        };
        self.answers.lock().expect("no panic held it").push(answer);
        let reply = self.replies.lock().expect("no panic held it").pop_front();
        let mut response = Response::new(Bytes::new());
        match reply {
            Some(Reply::Reset) => return None,
            Some(Reply::Status(status)) => {
                *response.status_mut() = StatusCode::from_u16(status).ok()?;
            }
            None => {}
        }
        Some(response)
    }
}
