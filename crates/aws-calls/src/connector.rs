use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use https_client::{
    in_words,
    reqwest::{self, Client, Request, redirect::Policy},
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Limits the time to connect, TLS included. This is the SDK's own default
/// (<https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>).
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// Returns the HTTP client that all SDK clients of a process share, with one pool of connections.
///
/// The client is created for the first call. It limits only the time to connect: the SDK itself
/// ends an attempt that takes too long. Each response is read completely: the largest is a page of
/// record sets.
#[must_use]
pub fn connector() -> SharedHttpClient {
    SharedHttpClient::new(Connector::default())
}

#[derive(Clone, Debug, Default)]
struct Connector(Arc<OnceLock<Result<Client, String>>>);

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.get_or_init(client).clone();
        HttpConnectorFuture::new(async move {
            let client = client.map_err(|words| ConnectorError::user(words.into()))?;
            let sent = client.execute(as_sent(request)?).await;
            let mut response = sent.map_err(failure)?;
            let mut parts = http::Response::builder().status(response.status());
            if let Some(headers) = parts.headers_mut() {
                *headers = std::mem::take(response.headers_mut());
            }
            let body = response.bytes().await.map_err(failure)?;
            let answer = parts.body(SdkBody::from(body));
            let answer = answer.map_err(|error| ConnectorError::user(error.into()))?;
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

fn client() -> Result<Client, String> {
    https_client::builder()?
        // No AWS endpoint that is called here redirects, and a signature is valid for one host
        // only.
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .map_err(in_words)
}

fn as_sent(request: HttpRequest) -> Result<Request, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    // Every request body of the services called here is in memory.
    let request = request.map(|body| body.bytes().map(<[u8]>::to_vec).unwrap_or_default());
    Request::try_from(request).map_err(|error| ConnectorError::user(in_words(error).into()))
}

/// Returns why there is no response, in the SDK's categories.
fn failure(error: reqwest::Error) -> ConnectorError {
    let is_timeout = error.is_timeout();
    let words = in_words(error).into();
    if is_timeout {
        ConnectorError::timeout(words)
    } else {
        ConnectorError::io(words)
    }
}
