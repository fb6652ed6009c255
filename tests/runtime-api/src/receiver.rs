//! Where CloudFormation receives answers.

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

/// The secret part of every URL that a receiver gives out, to look for where it must not be.
pub const SIGNATURE: &str = "c2VjcmV0LW9mLXRoZS1yZXNwb25zZS11cmw";

/// What the receiver says to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An HTTP status.
    Status(u16),
    /// The connection is closed without a word.
    Reset,
}

/// An answer as it came in.
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
    /// The body, null where it is no JSON.
    pub body: Value,
    /// When.
    pub at: Instant,
}

/// A receiver on loopback, until it is dropped.
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
    /// One that takes every answer.
    ///
    /// # Errors
    ///
    /// No port can be had.
    pub async fn start() -> io::Result<Self> {
        Self::serving("http", None).await
    }

    /// One that takes every answer, over TLS as S3 does; and the PEM of its certificate, for those who shall trust it.
    ///
    /// # Errors
    ///
    /// No port, or no certificate, can be had.
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

    /// What it says to the next answers, in order, before it takes every one again.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.desk
            .replies
            .lock()
            .expect("no panic held it")
            .extend(replies);
    }

    /// A `ResponseURL` as S3 signs it by Signature Version 2, for two hours from now.
    ///
    /// # Panics
    ///
    /// The machine's clock stands before 1970.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_signed(Duration::ZERO)
    }

    /// The same, signed so long ago.
    ///
    /// # Panics
    ///
    /// The machine's clock stands before 1970.
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

    /// Everything that came in.
    ///
    /// # Panics
    ///
    /// Taking an answer in has panicked.
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
